//! Resolves an image as the runtime would, one request at a time, and keeps how each went: hosts in their order, their trust,
//! the node's credentials, the runtime's proxy. Downloads nothing but manifests.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    ConfFacts, Params,
    asker::Asker,
    credentials,
    helpers::{self, Helper},
    hosts::{self, Host, HostList},
    pulls::{self, PodPull},
    registries,
    shell::{self, Shell},
};
use crate::{
    bail,
    client::{health::RuntimeStatus, types::Inventory},
    error::{Kind, Result},
    node::{
        below,
        host::{RESOLVED, nameservers},
        journal::JournalFacts,
        net::{Exchange, dns},
        process, read, read_if_there,
        target::Target,
    },
};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// None if nobody asked about an image and no pull failed lately.
    pub asked: Option<String>,
    /// Why this one: what a person said, or a line of a log.
    pub because: String,
    /// Why the log, which would tell of a pull that failed, could not be read.
    #[serde(default)]
    pub unread: Option<String>,
    pub reference: Option<Reference>,
    pub invalid: Option<String>,
    pub list: HostList,
    pub trials: Vec<Trial>,
    pub nameservers: Vec<String>,
    /// The pod that wants it, if one was named.
    #[serde(default)]
    pub pod: Option<PodPull>,
    /// Drop-ins of the runtime's unit that a fix would write, if they are there: path and text.
    #[serde(default)]
    pub drop_ins: BTreeMap<String, String>,
    /// The node's store of authorities, if it was changed after the runtime had read it.
    #[serde(default)]
    pub late: Option<Late>,
    /// Who says the login shell's proxy, and which; empty without one.
    #[serde(default)]
    pub shell: String,
}

/// Go programs read the store once and keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    pub path: String,
    /// Seconds between the runtime's start and the change.
    pub after: u64,
    /// The runtime's newest word since its start that it does not know who signed.
    pub said: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    pub host: Host,
    pub exchanges: Vec<Exchange>,
    pub outcome: Outcome,
    /// User and source.
    pub credentials: Vec<String>,
    pub notes: Vec<String>,
    /// Seconds this node's clock is ahead of the server's.
    pub ahead: Option<i64>,
    /// Tags the repository has, if one was missing.
    pub nearest: Vec<String>,
    pub tags: usize,
    /// `os/architecture`.
    pub platforms: Vec<String>,
    /// They are those of an index, of which a runtime takes its own.
    #[serde(default)]
    pub index: bool,
    pub wanted: String,
    /// Bytes to download.
    pub size: u64,
    /// A first byte of a layer, or the redirect to it that failed.
    pub blob: Option<Exchange>,
    /// What the server that gives the registry's tokens was asked, as the challenge names it.
    #[serde(default)]
    pub realm: Vec<Exchange>,
    /// The proxy the runtime's environment names for this host's scheme, used for it or not.
    #[serde(default)]
    pub proxy: Option<Proxied>,
    /// Requests that a proxy did not let through, once more without it.
    #[serde(default)]
    pub direct: Vec<Exchange>,
    /// The first request that had no proxy and found no way, once more through one the runtime does not use for it.
    #[serde(default)]
    pub around: Option<(Proxied, Exchange)>,
    /// What each name server says of the host, asked by itself.
    #[serde(default)]
    pub lookups: Vec<dns::Told>,
    /// The address /etc/hosts has for the host, and its line.
    #[serde(default)]
    pub pinned: Option<(String, String)>,
    /// The type of what is there under that name, if it is no image.
    #[serde(default)]
    pub artifact: String,
    /// Programs that shall know a login for it.
    #[serde(default)]
    pub helpers: Vec<Helper>,
    /// What makes a server's chain whole that it does not send.
    #[serde(default)]
    pub completed: Option<Completed>,
}

/// Certificates between a server's own and an authority this node knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// Of the last one.
    pub subject: String,
    /// The request that gave it.
    pub source: String,
    /// All of them.
    pub pem: String,
}

/// Of the runtime's environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxied {
    /// `HTTPS_PROXY`.
    pub variable: String,
    /// Host and port.
    pub at: String,
    /// NO_PROXY.
    pub excluded: String,
    /// The process whose environment it is; 0 if it is not the runtime's.
    pub pid: u32,
    /// Who says it, if that is not the runtime's environment.
    #[serde(default)]
    pub source: String,
    /// Whether its URL has a user and a password.
    #[serde(default)]
    pub login: bool,
}

impl Trial {
    /// The request that settled it.
    pub fn last(&self) -> Option<&Exchange> {
        self.exchanges.last()
    }

    /// Whether the only thing it lacks is a proxy that is known here.
    pub fn lacks_proxy(&self) -> bool {
        self.around.as_ref().is_some_and(|(_, through)| through.fault.is_none())
    }

    /// Whether the image is there with its layers: else the next host is asked, for layers too.
    pub fn whole(&self) -> bool {
        let come = |e: &Exchange| e.fault.is_none() && matches!(e.status, Some(200..=299));
        self.outcome == Outcome::Found && self.blob.as_ref().is_none_or(come)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    #[default]
    NotTried,
    Found,
    /// A stage before the answer failed.
    Unreachable,
    Unauthorized,
    Denied,
    RateLimited,
    /// The repository is there, the tag is not.
    NoTag,
    NoRepository,
    /// Any other status.
    Refused,
    /// It answers well, and not with a manifest.
    Foreign,
    /// A manifest of the first kind, which nobody reads any more.
    Schema1,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// With its port.
    pub registry: String,
    pub repository: String,
    /// Tag or digest.
    pub version: String,
    pub digest: bool,
}

impl Reference {
    /// As runtimes list it.
    pub fn full(&self) -> String {
        let sign = if self.digest { '@' } else { ':' };
        format!("{}/{}{sign}{}", self.registry, self.repository, self.version)
    }

    /// As containerd and Docker read it: `docker.io/library/` and `:latest` are added.
    ///
    /// # Errors
    /// `InvalidArgument` with the part that is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text.contains(char::is_whitespace) {
            bail!(InvalidArgument, "{text:?} is empty or has spaces");
        }
        if text.contains("://") {
            bail!(InvalidArgument, "{text} is an URL; an image's name has no scheme");
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (first, rest) = name.split_once('/').unwrap_or(("", name));
        let host = first.contains(['.', ':']) || first == "localhost";
        let (registry, path) = if host { (first, rest) } else { ("docker.io", name) };
        let (path, tag) = path.rsplit_once(':').map_or((path, None), |(p, t)| (p, Some(t)));
        let repository =
            if registry == "docker.io" && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        if let Some(bad) =
            repository.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(*c)))
        {
            let hint = if bad.is_ascii_uppercase() { ": names are in lower case" } else { "" };
            bail!(InvalidArgument, "{repository} has {bad:?}, which no repository's name may have{hint}");
        }
        if repository.split('/').any(str::is_empty) {
            bail!(InvalidArgument, "{text} has an empty part");
        }
        let version = digest.or(tag).unwrap_or("latest").to_owned();
        let tag_like = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if digest.is_none() && (version.is_empty() || version.len() > 128 || !version.chars().all(tag_like)) {
            bail!(InvalidArgument, "{version:?} cannot be a tag");
        }
        let hex = |d: &str| {
            d.strip_prefix("sha256:").is_some_and(|h| h.len() == 64 && h.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        if digest.is_some_and(|d| !hex(d)) {
            bail!(InvalidArgument, "{version:?} is no sha256 digest of 64 digits");
        }
        Ok(Self { registry: registry.to_owned(), repository, version, digest: digest.is_some() })
    }
}

/// # Errors
/// None of the registry's: those are in the facts.
pub async fn collect(
    root: &Path,
    params: &Params,
    conf: Option<&ConfFacts>,
    status: Option<&RuntimeStatus>,
    journal: &Result<JournalFacts>,
    inventory: Option<&Inventory>,
    target: &Target,
) -> Result<ImageFacts> {
    // A node without a log is one thing, a log that cannot be read in time another.
    let unread = match journal {
        Err(error) if !error.is(Kind::FailedPrecondition) && !error.is(Kind::NotFound) => Some(format!("{error:#}")),
        _ => None,
    };
    let mut facts = ImageFacts { unread, ..ImageFacts::default() };
    let journal = journal.as_ref().ok();
    let mut wanted = pulls::wanted(root, params, journal, inventory).await;
    let named = match (params.get("image"), &wanted) {
        (Some(image), _) => Some((image.clone(), "asked for".to_owned())),
        (None, Some(wanted)) => wanted.image.clone(),
        (None, None) => journal.and_then(failed_pull),
    };
    facts.pod = wanted.as_ref().map(|w| w.pod.clone());
    let Some((image, because)) = named else { return Ok(facts) };
    (facts.asked, facts.because) = (Some(image.clone()), because);
    let mut reference = match Reference::parse(&image) {
        Ok(reference) => reference,
        Err(error) => {
            facts.invalid = Some(error.to_string());
            return Ok(facts);
        }
    };
    // A pod's come first, and go to its registry and to every mirror of it alike.
    let brought = wanted.as_mut().map(|w| w.credentials(&reference)).unwrap_or_default();
    facts.pod = wanted.map(|w| w.pod);
    let resolv = read(&below(root, "/etc/resolv.conf")).unwrap_or_default();
    facts.nameservers = nameservers(&resolv);
    if facts.nameservers.iter().any(|s| s.starts_with("127.0.0.5")) {
        // systemd-resolved's stub asks these.
        facts.nameservers.extend(nameservers(&read(&below(root, RESOLVED)).unwrap_or_default()));
    }
    let search = resolv.lines().rev().find_map(|l| l.strip_prefix("search ").or(l.strip_prefix("domain ")));
    let search: Vec<String> = search.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let crio = target.name == "crio" || status.is_some_and(|s| s.info.name == "cri-o");
    facts.list = match (crio, conf) {
        (true, conf) => {
            let (list, full) = registries::list(root, conf, &image, reference);
            reference = full;
            list
        }
        (false, _) => hosts::list(root, conf, status, &reference.registry),
    };
    let own = if root == Path::new("/") { std::env::vars().collect() } else { BTreeMap::new() };
    let of = environment(root, target.pid);
    let environment = Environment { pid: target.pid.unwrap_or_default(), of, shell: shell::find(root, &own) };
    facts.shell.clone_from(&environment.shell.source);
    facts.late = late(root, &environment, journal, &reference.registry);
    for path in target.unit.iter().flat_map(|unit| drop_ins(unit)) {
        facts.drop_ins.extend(read_if_there(&below(root, &path))?.map(|text| (path, text)));
    }
    let name = status.map_or(target.name.as_str(), |s| s.info.name.as_str());
    let places = helpers::places(name, environment.of.get("PATH").map(String::as_str));
    let files = if name == "wharf" { said_to_wharf(root, target.pid) } else { Vec::new() };
    for host in &facts.list.hosts {
        let registry = hosts::host_of(&host.url).trim_start_matches("registry-1.");
        let mut credentials = credentials::find(root, params, conf, registry, &files);
        if root != Path::new("/") && places.is_some() {
            // What a copy of a node's files names cannot be run here.
            credentials.helpers.clear();
        }
        for helper in &mut credentials.helpers {
            if let Some(places) = &places {
                credentials.found.extend(helper.ask(root, places).await);
            }
        }
        credentials.found.splice(0..0, brought.iter().cloned());
        let asker = Asker {
            root,
            params,
            host,
            reference: &reference,
            environment: &environment,
            servers: &facts.nameservers,
            search: &search,
        };
        let mut trial = asker.ask(&credentials).await;
        // An insecure registry of CRI-O's may speak plain HTTP.
        if let Some(plain) = registries::plain(host).filter(|_| trial.outcome == Outcome::Unreachable) {
            trial = Asker { host: &plain, ..asker }.ask(&credentials).await;
        }
        let done = trial.whole();
        facts.trials.push(trial);
        if done {
            break;
        }
    }
    facts.reference = Some(reference);
    Ok(facts)
}

/// Files of a unit that fixes write: the proxy, and what is excepted from it.
pub fn drop_ins(unit: &str) -> [String; 2] {
    ["80-proxy.conf", "90-no-proxy.conf"].map(|file| format!("/etc/systemd/system/{unit}.d/{file}"))
}

/// The newest pull that failed, of kubelet's or containerd's log, unless a later one of it went well.
fn failed_pull(journal: &JournalFacts) -> Option<(String, String)> {
    let quoted = |text: &str, after: &str| {
        let rest = text.split_once(after)?.1.trim_start_matches([' ', '\\', '"']);
        rest.split(['\\', '"']).next().filter(|i| !i.is_empty()).map(str::to_owned)
    };
    let mut good: Vec<String> = Vec::new();
    for line in journal.lines.iter().rev() {
        if line.text.contains("returns image reference") {
            good.extend(quoted(&line.text, "PullImage"));
        }
        let failed = (line.text.contains("failed") && line.text.contains("PullImage \\\""))
            || line.text.contains("PullImage from image service failed")
            || line.text.contains("Failed to pull image");
        if failed {
            let found = ["PullImage ", "image=", "pull image "].iter().find_map(|after| quoted(&line.text, after));
            if let Some(image) = found.filter(|i| !good.contains(i)) {
                return Some((image, format!("{}: {}", line.from, line.text.chars().take(300).collect::<String>())));
            }
        }
    }
    None
}

/// Of the runtime's process.
#[derive(Debug, Default)]
pub struct Environment {
    pub pid: u32,
    pub of: BTreeMap<String, String>,
    /// Of who logs in.
    pub shell: Shell,
}

/// Where distributions keep the store as one file.
const STORES: &[&str] = &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

fn late(root: &Path, environment: &Environment, journal: Option<&JournalFacts>, registry: &str) -> Option<Late> {
    let named = environment.of.get("SSL_CERT_FILE").map(String::as_str);
    let mut files = named.into_iter().chain(STORES.iter().copied());
    let (path, changed) = files.find_map(|p| Some((p, changed_at(&below(root, p))?)))?;
    // Made with the process.
    let started = changed_at(&below(root, format!("/proc/{}", environment.pid)))?;
    let after = changed.duration_since(started).ok()?.as_secs();
    let name = registry.split(':').next().unwrap_or(registry);
    let lines = journal.map(|j| j.lines.as_slice()).unwrap_or_default();
    let unknown = |text: &str| text.contains("certificate signed by unknown authority") && text.contains(name);
    let said = lines.iter().rev().find(|l| unknown(&l.text) && l.at.is_none_or(|at| at >= started));
    Some(Late { path: path.to_owned(), after, said: said.map(|l| end(&l.text)) })
}

/// Of a long line, where its cause is.
fn end(text: &str) -> String {
    let skip = text.chars().count().saturating_sub(300);
    text.chars().skip(skip).collect()
}

fn changed_at(path: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

/// `--docker-config FILE`, in which wharf's logins are.
fn said_to_wharf(root: &Path, pid: Option<u32>) -> Vec<String> {
    let command = pid.map(|pid| process::command(root, pid)).unwrap_or_default();
    let one = command.iter().position(|word| word == "--docker-config").and_then(|at| command.get(at + 1));
    one.cloned()
        .into_iter()
        .chain(command.iter().filter_map(|w| w.strip_prefix("--docker-config=").map(str::to_owned)))
        .collect()
}

/// Of the runtime, since it is its proxy that counts.
fn environment(root: &Path, pid: Option<u32>) -> BTreeMap<String, String> {
    let text = pid.and_then(|pid| read(&below(root, format!("/proc/{pid}/environ"))).ok()).unwrap_or_default();
    text.split('\0').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_containerd_reads_them() {
        let of = |text: &str| {
            Reference::parse(text).map(|r| (r.registry, r.repository, r.version)).map_err(|e| e.to_string())
        };
        let full = |a: &str, b: &str, c: &str| Ok((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(of("nginx"), full("docker.io", "library/nginx", "latest"));
        assert_eq!(of("a/b:1"), full("docker.io", "a/b", "1"));
        assert_eq!(of("localhost:5000/x"), full("localhost:5000", "x", "latest"));
        assert_eq!(of("r.test/a/b:v1.2"), full("r.test", "a/b", "v1.2"));
        for (bad, word) in [
            ("r.test/Foo", "lower case"),
            ("https://r.test/a", "scheme"),
            ("a@sha256:1", "digest"),
            ("a:b c", "spaces"),
            ("r.test//a", "empty"),
        ] {
            assert!(of(bad).unwrap_err().contains(word), "{bad}: {:?}", of(bad));
        }
    }

    #[test]
    fn the_newest_failure_that_was_not_cured() {
        let line =
            |text: &str| crate::node::journal::Line { at: None, from: "log".into(), priority: 3, text: text.into() };
        let journal = |lines: &[&str]| JournalFacts { lines: lines.iter().map(|l| line(l)).collect(), unread: None };
        let failed = r#"level=error msg="PullImage \"r.test/a:1\" failed" error="not found""#;
        assert_eq!(failed_pull(&journal(&[failed])).unwrap().0, "r.test/a:1");
        let good = r#"msg="PullImage \"r.test/a:1\" returns image reference \"sha256:1\"""#;
        assert_eq!(failed_pull(&journal(&[failed, good])), None);
        let kubelet = r#"E1 kuberuntime_image.go:53] "Failed to pull image" err="x" image="r.test/b:2""#;
        assert_eq!(failed_pull(&journal(&[good, kubelet])).unwrap().0, "r.test/b:2");
    }
}
