//! Resolves an image as the runtime would, one request at a time, and keeps how each went: hosts in their order, their trust,
//! the node's credentials, the runtime's proxy. Downloads nothing but manifests.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ConfFacts, Params,
    credentials::{self, Credential},
    hosts::{self, Host, HostList},
};
use crate::{
    bail,
    client::health::RuntimeStatus,
    error::Result,
    node::{
        below,
        journal::JournalFacts,
        net::{self, Exchange, Request, Trust},
        read,
        target::Target,
    },
};

/// Tags asked for when one is missing.
const TAGS: usize = 1000;
const NEAREST: usize = 5;
const KINDS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
                     application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// None if nobody asked about an image and no pull failed lately.
    pub asked: Option<String>,
    /// Why this one: what a person said, or a line of a log.
    pub because: String,
    pub reference: Option<Reference>,
    pub invalid: Option<String>,
    pub list: HostList,
    pub trials: Vec<Trial>,
    pub nameservers: Vec<String>,
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
    pub wanted: String,
    /// Bytes to download.
    pub size: u64,
    /// A first byte of a layer.
    pub blob: Option<Exchange>,
}

impl Trial {
    /// The request that settled it.
    pub fn last(&self) -> Option<&Exchange> {
        self.exchanges.last()
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
    journal: Option<&JournalFacts>,
    target: &Target,
) -> Result<ImageFacts> {
    let mut facts = ImageFacts::default();
    match params.get("image") {
        Some(image) => (facts.asked, facts.because) = (Some(image.clone()), "asked for".to_owned()),
        None => {
            if let Some((image, because)) = journal.and_then(failed_pull) {
                (facts.asked, facts.because) = (Some(image), because);
            }
        }
    }
    let Some(image) = facts.asked.clone() else { return Ok(facts) };
    let reference = match Reference::parse(&image) {
        Ok(reference) => reference,
        Err(error) => {
            facts.invalid = Some(error.to_string());
            return Ok(facts);
        }
    };
    let resolv = read(&below(root, "/etc/resolv.conf")).unwrap_or_default();
    facts.nameservers =
        resolv.lines().filter_map(|l| l.strip_prefix("nameserver")).map(|l| l.trim().to_owned()).collect();
    facts.list = hosts::list(root, conf, status, &reference.registry);
    let environment = environment(root, target.pid);
    for host in &facts.list.hosts {
        let credentials =
            credentials::find(root, params, conf, hosts::host_of(&host.url).trim_start_matches("registry-1."));
        let asker = Asker { root, params, host, reference: &reference, environment: &environment };
        let trial = asker.ask(&credentials).await;
        let done = trial.outcome == Outcome::Found;
        facts.trials.push(trial);
        if done {
            break;
        }
    }
    facts.reference = Some(reference);
    Ok(facts)
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

/// Of the runtime, since it is its proxy that counts.
fn environment(root: &Path, pid: Option<u32>) -> BTreeMap<String, String> {
    let text = pid.and_then(|pid| read(&below(root, format!("/proc/{pid}/environ"))).ok()).unwrap_or_default();
    text.split('\0').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

struct Asker<'a> {
    root: &'a Path,
    params: &'a Params,
    host: &'a Host,
    reference: &'a Reference,
    environment: &'a BTreeMap<String, String>,
}

impl Asker<'_> {
    fn request(&self, method: &'static str, url: &str) -> Result<Request> {
        let mut request = Request::get(url)?;
        request.method = method;
        request.trust = Trust { skip: self.host.skip_verify, ..Trust::default() };
        request.trust.files = self.host.ca.iter().map(|f| below(self.root, f)).collect();
        request
            .trust
            .files
            .extend(self.params.get("ca").map(PathBuf::from).filter(|_| self.params.contains_key("try-ca")));
        request.identity = self.host.client.as_ref().map(|(c, k)| (below(self.root, c), below(self.root, k)));
        request.proxy = net::proxy::of(self.environment, request.tls, &request.host);
        Ok(request)
    }

    fn url(&self, rest: &str) -> String {
        let namespace = match self.host.upstream {
            true => String::new(),
            false => format!("{}ns={}", if rest.contains('?') { '&' } else { '?' }, self.reference.registry),
        };
        format!("{}/{}/{rest}{namespace}", self.host.url, self.reference.repository)
    }

    async fn ask(&self, credentials: &credentials::Credentials) -> Trial {
        let mut trial = Trial { host: self.host.clone(), notes: credentials.notes.clone(), ..Trial::default() };
        if !self.host.resolves && !self.reference.digest {
            return trial;
        }
        if let Err(error) = self.steps(credentials, &mut trial).await {
            trial.notes.push(format!("{error:#}"));
            trial.outcome = Outcome::Unreachable;
        }
        trial
    }

    async fn steps(&self, credentials: &credentials::Credentials, trial: &mut Trial) -> Result<()> {
        let manifest = self.url(&format!("manifests/{}", self.reference.version));
        let mut auth: Option<String> = None;
        let (mut seen, _) = self.send("HEAD", &manifest, None, trial).await?;
        if seen.status == Some(401) {
            let challenge = seen.headers.get("www-authenticate").cloned().unwrap_or_default();
            for credential in credentials.found.iter().map(Some).chain(credentials.found.is_empty().then_some(None)) {
                trial.credentials.extend(credential.map(|c| format!("{c:?}")));
                auth = self.authorize(&challenge, credential, trial).await?;
                if auth.is_none() {
                    continue;
                }
                seen = self.send("HEAD", &manifest, auth.as_deref(), trial).await?.0;
                if !matches!(seen.status, Some(401 | 403)) {
                    break;
                }
            }
        }
        trial.ahead = trial.exchanges.iter().find_map(ahead);
        trial.outcome = outcome(&seen, trial);
        match trial.outcome {
            Outcome::Found => self.manifest(&manifest, auth.as_deref(), trial).await,
            Outcome::NoTag => self.tags(auth.as_deref(), trial).await,
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        method: &'static str,
        url: &str,
        auth: Option<&str>,
        trial: &mut Trial,
    ) -> Result<(Exchange, Vec<u8>)> {
        let mut request = self.request(method, url)?;
        request.headers.push(("accept".to_owned(), KINDS.to_owned()));
        request.headers.extend(auth.map(|a| ("authorization".to_owned(), a.to_owned())));
        let (seen, body) = net::exchange(&request).await;
        trial.exchanges.push(seen.clone());
        Ok((seen, body))
    }

    /// The header that answers the challenge (RFC 7235, the distribution's token specification).
    async fn authorize(
        &self,
        challenge: &str,
        credential: Option<&Credential>,
        trial: &mut Trial,
    ) -> Result<Option<String>> {
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(credential.map(|c| c.header.clone()));
        }
        let field = |name: &str| {
            let value = rest.split(',').find_map(|p| p.trim().strip_prefix(name)?.strip_prefix("=\""));
            value.map(|v| v.trim_end_matches('"').to_owned())
        };
        let Some(realm) = field("realm") else { return Ok(None) };
        let scope = field("scope").unwrap_or_else(|| format!("repository:{}:pull", self.reference.repository));
        let service = field("service").unwrap_or_default();
        let mut request = self.request("GET", &format!("{realm}?service={service}&scope={scope}"))?;
        // A token server elsewhere is trusted by the node's store alone, as containerd does.
        if net::Request::get(&realm)?.host != net::Request::get(&self.host.url)?.host {
            request.trust.skip = false;
        }
        request.headers.extend(credential.map(|c| ("authorization".to_owned(), c.header.clone())));
        let (seen, body) = net::exchange(&request).await;
        let good = seen.status == Some(200);
        trial.exchanges.push(seen);
        let token: Option<Value> = serde_json::from_slice(&body).ok().filter(|_| good);
        let token = token.and_then(|t| t["token"].as_str().or(t["access_token"].as_str()).map(str::to_owned));
        Ok(token.map(|t| format!("Bearer {t}")))
    }

    async fn tags(&self, auth: Option<&str>, trial: &mut Trial) -> Result<()> {
        let (seen, body) = self.send("GET", &self.url(&format!("tags/list?n={TAGS}")), auth, trial).await?;
        // The request that was of interest is the one before.
        trial.exchanges.pop();
        if seen.status == Some(404) {
            trial.outcome = Outcome::NoRepository;
        }
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        let tags: Vec<&str> = value["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        trial.tags = tags.len();
        trial.nearest = nearest(&self.reference.version, &tags);
        Ok(())
    }

    async fn manifest(&self, url: &str, auth: Option<&str>, trial: &mut Trial) -> Result<()> {
        let (seen, body) = self.send("GET", url, auth, trial).await?;
        if seen.status != Some(200) {
            trial.outcome = outcome(&seen, trial);
            return Ok(());
        }
        let mut manifest: Value = serde_json::from_slice(&body).unwrap_or_default();
        trial.wanted = format!("linux/{}", architecture());
        if let Some(entries) = manifest["manifests"].as_array() {
            let platform = |m: &Value| {
                format!(
                    "{}/{}",
                    m["platform"]["os"].as_str().unwrap_or("?"),
                    m["platform"]["architecture"].as_str().unwrap_or("?")
                )
            };
            trial.platforms = entries.iter().map(platform).filter(|p| p != "unknown/unknown").collect();
            let digest = entries.iter().find(|m| platform(m) == trial.wanted).and_then(|m| m["digest"].as_str());
            let Some(digest) = digest else { return Ok(()) };
            let (_, body) = self.send("GET", &self.url(&format!("manifests/{digest}")), auth, trial).await?;
            manifest = serde_json::from_slice(&body).unwrap_or_default();
        } else if let Some(digest) = manifest["config"]["digest"].as_str() {
            let (_, body) = self.send("GET", &self.url(&format!("blobs/{digest}")), auth, trial).await?;
            trial.exchanges.pop();
            let config: Value = serde_json::from_slice(&body).unwrap_or_default();
            if let (Some(os), Some(architecture)) = (config["os"].as_str(), config["architecture"].as_str()) {
                trial.platforms = vec![format!("{os}/{architecture}")];
            }
        }
        let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
        trial.size = layers.iter().filter_map(|l| l["size"].as_u64()).sum();
        if let Some(digest) = layers.first().and_then(|l| l["digest"].as_str()) {
            trial.blob = Some(self.blob(digest, auth).await?);
        }
        Ok(())
    }

    /// Whether layers come as well: they are often on another host.
    async fn blob(&self, digest: &str, auth: Option<&str>) -> Result<Exchange> {
        let mut request = self.request("HEAD", &self.url(&format!("blobs/{digest}")))?;
        request.headers.extend(auth.map(|a| ("authorization".to_owned(), a.to_owned())));
        let (seen, _) = net::exchange(&request).await;
        match (seen.status, seen.headers.get("location")) {
            (Some(301..=308), Some(location)) if location.starts_with("http") => {
                let mut other = Request::get(location)?;
                other.headers.push(("range".to_owned(), "bytes=0-0".to_owned()));
                other.proxy = net::proxy::of(self.environment, other.tls, &other.host);
                let (mut seen, _) = net::exchange(&other).await;
                // The query holds a signature.
                seen.request = seen.request.split('?').next().unwrap_or_default().to_owned();
                Ok(seen)
            }
            _ => Ok(seen),
        }
    }
}

fn outcome(seen: &Exchange, trial: &Trial) -> Outcome {
    if seen.fault.is_some() {
        return Outcome::Unreachable;
    }
    let token = |s: u16| trial.exchanges.iter().any(|e| e.status == Some(s) && !e.request.contains("/manifests/"));
    match seen.status {
        Some(200..=299) => Outcome::Found,
        Some(429) => Outcome::RateLimited,
        Some(401) if token(429) => Outcome::RateLimited,
        Some(401) => Outcome::Unauthorized,
        Some(403) => Outcome::Denied,
        Some(404) => Outcome::NoTag,
        _ => Outcome::Refused,
    }
}

/// From the Date of an answer (RFC 9110), which has whole seconds.
fn ahead(exchange: &Exchange) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(exchange.headers.get("date")?).ok()?;
    Some(net::tls::seconds(SystemTime::now()) - date.timestamp().as_second())
}

/// As images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// By edit distance, those that begin alike first.
fn nearest(wanted: &str, tags: &[&str]) -> Vec<String> {
    let mut scored: Vec<(usize, &str)> = tags.iter().map(|t| (distance(wanted, t), *t)).collect();
    scored.sort_unstable();
    scored.into_iter().take(NEAREST).map(|(_, t)| t.to_owned()).collect()
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(128).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(128).enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
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
    fn the_nearest_tags() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("1.25", &["latest", "1.24", "1.25.1", "2"]), ["1.24", "1.25.1", "2", "latest"]);
    }

    #[test]
    fn the_newest_failure_that_was_not_cured() {
        let line =
            |text: &str| crate::node::journal::Line { at: None, from: "log".into(), priority: 3, text: text.into() };
        let journal = |lines: &[&str]| JournalFacts { lines: lines.iter().map(|l| line(l)).collect() };
        let failed = r#"level=error msg="PullImage \"r.test/a:1\" failed" error="not found""#;
        assert_eq!(failed_pull(&journal(&[failed])).unwrap().0, "r.test/a:1");
        let good = r#"msg="PullImage \"r.test/a:1\" returns image reference \"sha256:1\"""#;
        assert_eq!(failed_pull(&journal(&[failed, good])), None);
        let kubelet = r#"E1 kuberuntime_image.go:53] "Failed to pull image" err="x" image="r.test/b:2""#;
        assert_eq!(failed_pull(&journal(&[good, kubelet])).unwrap().0, "r.test/b:2");
    }
}
