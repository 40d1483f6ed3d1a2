//! `pull`: credentials, progress as bars on a terminal and as lines elsewhere.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;

use super::{
    backend::{Backend, journal},
    config,
    figures::{parse_span, size},
    filter::parse_label,
    output::{Out, clean, short_id},
    report,
};
use crate::{
    bail,
    client::{
        Credentials, action,
        audit::Intent,
        types::{PullPhase, PullProgress},
    },
    error::{Error, Kind, Result},
    proto::cri,
};

#[derive(Debug, Args)]
pub struct Pull {
    #[arg(value_name = "NAME[:TAG|@DIGEST]", required_unless_present = "file")]
    reference: Option<String>,
    /// Pull every image this file names, one a line (`#` begins a comment; - is standard input)
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["reference", "pod_config", "annotations"])]
    file: Option<PathBuf>,
    /// Annotation of the pulled image
    #[arg(short, long = "annotation", value_name = "KEY=VALUE", value_parser = parse_label)]
    annotations: Vec<(String, String)>,
    #[command(flatten)]
    login: Login,
    /// Pull for this pod
    #[arg(long, value_name = "POD-CONFIG.[JSON|YAML]")]
    pod_config: Option<PathBuf>,
    /// How long it may take; 0 is for ever [env: CRICTL_PULL_TIMEOUT]
    #[arg(long, alias = "pt", value_parser = parse_span, value_name = "SPAN")]
    pull_timeout: Option<Duration>,
    /// Only the answer, no progress
    #[arg(short, long)]
    quiet: bool,
}

/// Who asks the registry.
#[derive(Clone, Default, Args)]
pub struct Login {
    /// USERNAME[:PASSWORD] in base64 [env: CRICTL_AUTH]
    #[arg(long, value_name = "BASE64", conflicts_with = "creds")]
    auth: Option<String>,
    /// USERNAME[:PASSWORD] [env: CRICTL_CREDS]
    #[arg(long, value_name = "USERNAME[:PASSWORD]")]
    creds: Option<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

impl Login {
    /// From the flags, then the environment.
    pub fn read(&self) -> Result<Option<Credentials>> {
        let variable = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        let flags = self.creds.is_some() || self.auth.is_some();
        let creds = self.creds.clone().or_else(|| variable("CRICTL_CREDS").filter(|_| !flags));
        let auth = self.auth.clone().or_else(|| variable("CRICTL_AUTH").filter(|_| !flags && creds.is_none()));
        let pair = match (creds, auth) {
            (Some(pair), _) => pair,
            (None, None) => return Ok(None),
            // The message of a decoder could quote what it could not decode.
            (None, Some(auth)) => BASE64_STANDARD
                .decode(auth.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| Error::new(Kind::InvalidArgument, "--auth is not USERNAME[:PASSWORD] in base64"))?,
        };
        let (username, password) = pair.split_once(':').unwrap_or((&pair, ""));
        if username.is_empty() {
            bail!(InvalidArgument, "the credentials have no user name");
        }
        Ok(Some(Credentials { username: username.to_owned(), password: password.to_owned() }))
    }
}

/// A pull with all that CRI has for it, without progress; the image's id.
pub async fn request(
    backend: &Backend,
    spec: cri::ImageSpec,
    login: Option<Credentials>,
    pod: Option<cri::PodSandboxConfig>,
    limit: Option<Duration>,
) -> Result<String> {
    let what = format!("pull {}", spec.image);
    backend.may_change(&what)?;
    let auth = login.map(|l| cri::AuthConfig { username: l.username, password: l.password, ..Default::default() });
    let request = cri::PullImageRequest { image: Some(spec), auth, sandbox_config: pod };
    let mut images = backend.images();
    let call = async {
        let answer = images.pull_image(request).await.map_err(|e| Error::from(e).context(what.clone()))?;
        Ok(answer.into_inner().image_ref)
    };
    report::within(limit, &what, call).await
}

/// A pull of what a person named, with progress on stderr; the image's id.
pub async fn with_progress(
    backend: &Backend,
    reference: &str,
    login: Option<&Credentials>,
    limit: Option<Duration>,
    quiet: bool,
) -> Result<String> {
    let what = format!("pull {reference}");
    backend.may_change(&what)?;
    action::names_its_registry(reference)?;
    let bars = (!quiet).then(|| Mutex::new(Bars::new(std::io::stderr().is_terminal())));
    let progress = |step: PullProgress| {
        if let Some(Ok(mut bars)) = bars.as_ref().map(Mutex::lock) {
            let text = bars.step(step, Instant::now());
            show(&text);
        }
    };
    let runtime = backend.image_runtime();
    let begun = Intent::new(what.clone()).begin(runtime.info()).await?;
    let call = async { runtime.pull(reference, login, &progress).await.map_err(|e| e.context(what.clone())) };
    let result = report::within(limit, &what, call).await;
    journal(begun, &result).await;
    if let Some(Ok(mut bars)) = bars.as_ref().map(Mutex::lock) {
        let text = bars.end();
        show(&text);
    }
    result
}

/// Progress is a courtesy: a stream that cannot take it does not fail the pull.
fn show(text: &str) {
    if let Err(error) = std::io::stderr().write_all(text.as_bytes()) {
        tracing::debug!("show progress: {error}");
    }
}

pub async fn pull(backend: &Backend, out: &mut Out, args: Pull) -> Result<u8> {
    let variable = std::env::var("CRICTL_PULL_TIMEOUT").ok().filter(|v| !v.is_empty());
    let limit = match (args.pull_timeout, variable) {
        (None, Some(text)) => Some(parse_span(&text)?),
        (flag, _) => flag,
    };
    let login = args.login.read()?;
    if let Some(file) = &args.file {
        let names = names(&listed(file)?);
        if names.is_empty() {
            bail!(InvalidArgument, "{} names no image", file.display());
        }
        // A node is warmed with what can be had: one that fails is reported and does not keep the others.
        return report::each(out, &names, async |name| {
            let id = with_progress(backend, name, login.as_ref(), limit, args.quiet).await?;
            Ok(format!("{name}: {id}"))
        })
        .await;
    }
    let reference = args.reference.unwrap_or_default();
    let id = if args.pod_config.is_none() && args.annotations.is_empty() {
        with_progress(backend, &reference, login.as_ref(), limit, args.quiet).await?
    } else {
        action::names_its_registry(&reference)?;
        let pod = args.pod_config.as_deref().map(config::pod).transpose()?;
        let annotations = args.annotations.into_iter().collect();
        let spec = cri::ImageSpec { image: reference, annotations, ..Default::default() };
        request(backend, spec, login, pod, limit).await?
    };
    out.line(&format!("Image is up to date for {id}"))?;
    Ok(0)
}

fn listed(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        return std::io::read_to_string(std::io::stdin()).map_err(|e| Error::io("read", "standard input", e));
    }
    crate::config::reader::text(file)
}

/// The images of a list, each once.
fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in text.lines() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Bars redrawn in place, or a line where a layer begins and ends.
struct Bars {
    terminal: bool,
    layers: Vec<PullProgress>,
    /// Lines on the screen that the next frame replaces.
    drawn: usize,
    last: Option<Instant>,
}

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(100);
const BAR: usize = 30;
/// More layers than this are summed up.
const MOST_BARS: usize = 16;

impl Bars {
    fn new(terminal: bool) -> Self {
        Self { terminal, layers: Vec::new(), drawn: 0, last: None }
    }

    /// Takes a step; what to write for it.
    fn step(&mut self, step: PullProgress, now: Instant) -> String {
        let at = self.layers.iter().position(|l| l.layer == step.layer);
        let news = at.is_none_or(|i| self.layers[i].phase != step.phase);
        let line = (!self.terminal && news).then(|| line(&step) + "\n");
        match at {
            Some(i) => self.layers[i] = step,
            None => self.layers.push(step),
        }
        if let Some(line) = line {
            return line;
        }
        if !self.terminal || (!news && self.last.is_some_and(|l| now.duration_since(l) < FRAME)) {
            return String::new();
        }
        self.last = Some(now);
        self.frame()
    }

    fn frame(&mut self) -> String {
        let mut text = String::new();
        if self.drawn > 0 {
            text = format!("\x1b[{}A", self.drawn);
        }
        let skipped = self.layers.len().saturating_sub(MOST_BARS);
        let mut lines: Vec<String> = self.layers[skipped..].iter().map(line).collect();
        if skipped > 0 {
            lines.insert(0, format!("… and {skipped} more layers"));
        }
        for line in &lines {
            text.push_str(&format!("\r{line}\x1b[K\n"));
        }
        self.drawn = lines.len();
        text
    }

    fn end(&mut self) -> String {
        if self.terminal && !self.layers.is_empty() { self.frame() } else { String::new() }
    }
}

fn line(step: &PullProgress) -> String {
    // A runtime that does not tell of layers is known by the reference.
    let layer = clean(if step.layer.starts_with("sha256:") { short_id(&step.layer) } else { &step.layer });
    let phase = match step.phase {
        PullPhase::Resolving => "resolving",
        PullPhase::Downloading => "downloading",
        PullPhase::Unpacking => "unpacking",
        PullPhase::Done => "done",
        PullPhase::Exists => "already here",
    };
    if step.total == 0 {
        return format!("{layer:13}  {phase}");
    }
    let share = usize::try_from(u128::from(step.done.min(step.total)) * BAR as u128 / u128::from(step.total));
    let full = share.unwrap_or(BAR);
    let (done, total) = (size(step.done, 3), size(step.total, 3));
    format!("{layer:13}  {phase:12} [{}{}] {done}/{total}", "=".repeat(full), " ".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(layer: &str, done: u64, phase: PullPhase) -> PullProgress {
        PullProgress { layer: layer.into(), done, total: 1000, phase }
    }

    #[test]
    fn credentials_in_both_forms() {
        let login = |creds: Option<&str>, auth: Option<&str>| Login {
            creds: creds.map(str::to_owned),
            auth: auth.map(str::to_owned),
        };
        let read = login(Some("me:a:b"), None).read().unwrap().unwrap();
        assert_eq!((read.username.as_str(), read.password.as_str()), ("me", "a:b"));
        let read = login(None, Some("bWU6c2VjcmV0")).read().unwrap().unwrap();
        assert_eq!((read.username.as_str(), read.password.as_str()), ("me", "secret"));
        let error = login(None, Some("s3cret!")).read().unwrap_err();
        assert!(!format!("{error:#}").contains("s3cret"));
        assert!(login(Some(":x"), None).read().is_err());
        assert!(!format!("{:?}", login(Some("me:secret"), None)).contains("secret"));
    }

    #[test]
    fn a_list_of_images_has_comments_and_says_each_once() {
        let text = "# warm\nr.example/a:1\n\n  r.example/b@sha256:0 # pinned\r\nr.example/a:1\n";
        assert_eq!(names(text), ["r.example/a:1", "r.example/b@sha256:0"]);
    }

    #[test]
    fn a_pipe_gets_a_line_for_each_phase() {
        let mut bars = Bars::new(false);
        let now = Instant::now();
        assert!(bars.step(step("sha256:abc\x1b[2J", 1, PullPhase::Downloading), now).starts_with("abc "));
        assert_eq!(bars.step(step("sha256:abc\x1b[2J", 500, PullPhase::Downloading), now), "");
        let done = bars.step(step("sha256:abc\x1b[2J", 1000, PullPhase::Done), now);
        assert!(done.contains("done") && !done.contains('\x1b') && done.ends_with("1kB/1kB\n"), "{done:?}");
        assert_eq!(bars.end(), "");
    }

    #[test]
    fn a_terminal_gets_bars_in_place() {
        let mut bars = Bars::new(true);
        let now = Instant::now();
        let first = bars.step(step("a", 500, PullPhase::Downloading), now);
        assert!(first.contains(&format!("[{}{}]", "=".repeat(15), " ".repeat(15))), "{first:?}");
        assert_eq!(bars.step(step("a", 600, PullPhase::Downloading), now), "");
        let second = bars.step(step("b", 0, PullPhase::Resolving), now);
        assert!(second.starts_with("\x1b[1A"), "{second:?}");
        for i in 0..40 {
            bars.step(step(&i.to_string(), 1, PullPhase::Downloading), now);
        }
        assert!(bars.end().contains("more layers"));
    }
}
