//! `hosts.toml` and certs.d: which hosts serve a registry, in which order, and how they are spoken to.
//!
//! Source: containerd's `docs/hosts.md`. The files are read again for every pull, as containerd does.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    finding::{Fault, Finding, Severity},
    reader, span,
    tree::{self, At, Item, Table, Value},
};
use crate::error::{Context, Kind, Result};

/// Keys of a host, and of the file itself.
const KEYS: &[&str] = &["capabilities", "ca", "client", "skip_verify", "header", "override_path", "dial_timeout"];

/// What a host may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Blobs, and manifests by digest.
    pub pull: bool,
    /// A tag to its digest: trust.
    pub resolve: bool,
    pub push: bool,
}

impl Capabilities {
    pub const ALL: Self = Self { pull: true, resolve: true, push: true };
}

#[derive(Clone, PartialEq, Eq)]
pub struct Host {
    pub scheme: String,
    /// Name and port.
    pub name: String,
    /// Below which the API is: `/v2` or what the file says.
    pub path: String,
    pub capabilities: Capabilities,
    pub ca: Vec<PathBuf>,
    /// Certificate and key; without a key both are in one file.
    pub client: Vec<(PathBuf, Option<PathBuf>)>,
    pub skip_verify: bool,
    /// Values are secret.
    pub header: Vec<(String, String)>,
    pub dial_timeout: Option<Duration>,
    /// Where it is written; `None` for the registry itself.
    pub at: Option<At>,
}

impl Host {
    /// The registry itself, with nothing configured. Which scheme it speaks is the caller's to say.
    pub fn itself(scheme: &str, registry: &str) -> Self {
        let name = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        Self {
            scheme: scheme.to_owned(),
            name: name.to_owned(),
            path: "/v2".to_owned(),
            capabilities: Capabilities::ALL,
            ca: Vec::new(),
            client: Vec::new(),
            skip_verify: false,
            header: Vec::new(),
            dial_timeout: None,
            at: None,
        }
    }

    /// From an endpoint: a URL, or a host with a port, with or without a path. `None` for what is neither.
    pub fn endpoint(text: &str, default_scheme: &str, override_path: bool) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or((default_scheme, text));
        let (name, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let bad = |c: char| c.is_control() || c.is_whitespace() || "?#@\\".contains(c);
        if !matches!(scheme, "http" | "https") || name.is_empty() || name.contains(bad) || path.contains(bad) {
            return None;
        }
        let path = path.trim_end_matches('/');
        let path = match path {
            path if override_path || path.ends_with("/v2") => path.to_owned(),
            path => format!("{path}/v2"),
        };
        Some(Self { path, ..Self::itself(scheme, name) })
    }
}

/// Which hosts serve one registry, by one directory.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// To be asked in this order. Empty means that the file forbids every host.
    pub hosts: Vec<Host>,
    /// What the registry itself is spoken to with, if the file does not name a server: asked last.
    pub last: Option<Last>,
    pub findings: Vec<Finding>,
}

/// Settings for the registry itself, whose address the file leaves open.
#[derive(Debug, Clone)]
pub struct Last(Host);

impl Last {
    /// Whether certificates or their verification are configured.
    pub fn has_tls(&self) -> bool {
        !self.0.ca.is_empty() || !self.0.client.is_empty() || self.0.skip_verify
    }
}

impl Hosts {
    /// All hosts, the registry itself among them; `scheme` is for that one if the file does not name it.
    pub fn all(&self, scheme: &str, registry: &str) -> Vec<Host> {
        let last = self.last.iter().map(|Last(host)| {
            let itself = Host::itself(scheme, registry);
            Host { scheme: itself.scheme, name: itself.name, path: itself.path, ..host.clone() }
        });
        self.hosts.iter().cloned().chain(last).collect()
    }
}

/// The names a registry's directory may have, best first (`docs/hosts.md`, "Port Handling").
pub fn directories(registry: &str) -> Vec<String> {
    let mut names = Vec::new();
    if let Some((name, port)) = registry.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())) {
        names.push(format!("{name}_{port}_"));
    }
    names.push(registry.to_owned());
    names.push("_default".to_owned());
    names
}

/// The directory of a registry in the first of `roots` (joined by colons) that has one.
pub fn find(roots: &str, registry: &str) -> Option<PathBuf> {
    let named = |root: &str| directories(registry).into_iter().map(|d| Path::new(root).join(d)).find(|d| d.is_dir());
    roots.split(':').filter(|root| !root.is_empty()).find_map(named)
}

/// What is configured for a registry; `None` if nothing is.
///
/// # Errors
/// Only for files that cannot be read. A `hosts.toml` that cannot be understood is a finding, and the certificates beside
/// it are used, as containerd does.
pub fn load(roots: &str, registry: &str) -> Result<Option<Hosts>> {
    let Some(directory) = find(roots, registry) else { return Ok(None) };
    let file = directory.join("hosts.toml");
    let mut findings = Vec::new();
    if let Some(text) = reader::text_if_there(&file)?.filter(|text| !text.is_empty()) {
        match parse(&file, &text) {
            Ok(hosts) => return Ok(Some(hosts)),
            Err(error) if error.is(Kind::InvalidArgument) => {
                let at = At { file: Arc::from(&*file), line: 1 };
                let text = format!("{error:#}: only certificates beside the file are used, no mirror");
                findings.push(Finding::new(Severity::Error, Fault::Invalid, &["hosts.toml"], Some(&at), text));
            }
            Err(error) => return Err(error),
        }
    }
    let names = fs::read_dir(&directory)
        .and_then(|entries| entries.map(|e| Ok(e?.file_name())).collect::<std::io::Result<Vec<_>>>())
        .context(|| format!("list {}", directory.display()))?;
    let names: Vec<String> = names.into_iter().filter_map(|name| name.into_string().ok()).collect();
    let mut hosts = certificates(&directory, &names);
    hosts.findings = findings;
    Ok(Some(hosts))
}

/// docker's layout: `*.crt` are CAs, `*.cert` with `*.key` are ours.
fn certificates(directory: &Path, names: &[String]) -> Hosts {
    let mut host = Host::itself("https", "");
    let mut names: Vec<&String> = names.iter().collect();
    names.sort();
    for name in &names {
        if name.ends_with(".crt") {
            host.ca.push(directory.join(name));
        } else if let Some(stem) = name.strip_suffix(".cert") {
            let key = format!("{stem}.key");
            let key = names.contains(&&key).then(|| directory.join(key));
            host.client.push((directory.join(name), key));
        }
    }
    Hosts { hosts: Vec::new(), last: Some(Last(host)), findings: Vec::new() }
}

/// A `hosts.toml`. `file` names it; relative paths are from beside it.
///
/// # Errors
/// `InvalidArgument` for what containerd refuses as well: it then uses none of the file.
pub fn parse(file: &Path, text: &str) -> Result<Hosts> {
    let tree = tree::parse(file, text)?;
    let mut r = Reader { base: file.parent().unwrap_or(Path::new("/")), findings: Vec::new() };
    let mut hosts = Vec::new();
    for (key, item) in tree.iter() {
        if !KEYS.contains(&key) && !matches!(key, "server" | "host") {
            let text = "nobody reads this key";
            r.findings.push(Finding::new(Severity::Warning, Fault::Unknown, &[key], Some(&item.at), text));
        }
    }
    for (endpoint, item) in tree.table("host").into_iter().flat_map(Table::iter) {
        let Value::Table(table) = &item.value else { return Err(wrong(item, "host", "a table")) };
        for (key, item) in table.iter().filter(|(key, _)| !KEYS.contains(key)) {
            let text = "nobody reads this key";
            let path = ["host", endpoint, key];
            r.findings.push(Finding::new(Severity::Warning, Fault::Unknown, &path, Some(&item.at), text));
        }
        hosts.push(r.host(endpoint, table, &item.at)?);
    }
    let server = match tree.get("server") {
        None => None,
        Some(item) => match &item.value {
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => Some((text.clone(), &item.at)),
            _ => return Err(wrong(item, "server", "a string")),
        },
    };
    let last = match server {
        Some((server, at)) => {
            hosts.push(r.host(&server, &tree, at)?);
            None
        }
        None => {
            let nowhere = At { file: Arc::from(file), line: 1 };
            Some(Last(Host { at: None, ..r.host("https://registry", &tree, &nowhere)? }))
        }
    };
    Ok(Hosts { hosts, last, findings: r.findings })
}

struct Reader<'a> {
    base: &'a Path,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn host(&mut self, endpoint: &str, table: &Table, at: &At) -> Result<Host> {
        let override_path = match table.get("override_path") {
            Some(item) => yes(item, "override_path")?,
            None => false,
        };
        let Some(mut host) = Host::endpoint(endpoint, "https", override_path) else {
            let shown: String = endpoint.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(crate::error::Error::new(
                Kind::InvalidArgument,
                format!("{at}: {shown:?} is no address of a host such as https://mirror.example:5000"),
            ));
        };
        host.at = Some(at.clone());
        for (key, item) in table.iter() {
            match key {
                "capabilities" => host.capabilities = capabilities(item)?,
                "ca" => host.ca = strings(item, "ca")?.into_iter().map(|p| self.base.join(p)).collect(),
                "client" => host.client = self.client(item)?,
                "skip_verify" => host.skip_verify = yes(item, "skip_verify")?,
                "header" => host.header = header(item)?,
                "dial_timeout" => {
                    let text = strings(item, "dial_timeout")?.concat();
                    host.dial_timeout = Some(span::parse(&text).context(|| item.at.to_string())?);
                }
                _ => {}
            }
        }
        if !host.capabilities.pull {
            let text = "without the capability \"pull\" this host gives no layers";
            self.findings.push(Finding::new(Severity::Warning, Fault::Ignored, &["host", endpoint], Some(at), text));
        }
        Ok(host)
    }

    fn client(&self, item: &Item) -> Result<Vec<(PathBuf, Option<PathBuf>)>> {
        let path = |text: &str| self.base.join(text);
        let Value::List(items) = &item.value else {
            return Ok(strings(item, "client")?.iter().map(|text| (path(text), None)).collect());
        };
        let pair = |item: &Item| match &item.value {
            Value::Text(text) => Ok((path(text), None)),
            Value::List(_) => match &strings(item, "client")?[..] {
                [cert, key] => Ok((path(cert), (!key.is_empty()).then(|| path(key)))),
                _ => Err(wrong(item, "client", "a pair of certificate and key")),
            },
            _ => Err(wrong(item, "client", "a path or a pair of paths")),
        };
        items.iter().map(pair).collect()
    }
}

fn capabilities(item: &Item) -> Result<Capabilities> {
    let words = strings(item, "capabilities")?;
    if words.is_empty() {
        return Ok(Capabilities::ALL);
    }
    let mut capabilities = Capabilities { pull: false, resolve: false, push: false };
    for word in words {
        match word.to_ascii_lowercase().as_str() {
            "pull" => capabilities.pull = true,
            "resolve" => capabilities.resolve = true,
            "push" => capabilities.push = true,
            "referrers" => {}
            _ => return Err(wrong(item, "capabilities", "a list of pull, resolve, push and referrers")),
        }
    }
    Ok(capabilities)
}

fn header(item: &Item) -> Result<Vec<(String, String)>> {
    let Value::Table(table) = &item.value else { return Err(wrong(item, "header", "a table")) };
    let mut headers = Vec::new();
    for (name, item) in table.iter() {
        headers.extend(strings(item, name)?.into_iter().map(|value| (name.to_owned(), value)));
    }
    Ok(headers)
}

/// One string or several.
fn strings(item: &Item, key: &str) -> Result<Vec<String>> {
    match &item.value {
        Value::Text(text) => Ok(vec![text.clone()]),
        Value::List(items) => items
            .iter()
            .map(|item| match &item.value {
                Value::Text(text) => Ok(text.clone()),
                _ => Err(wrong(item, key, "a list of strings")),
            })
            .collect(),
        _ => Err(wrong(item, key, "a string or a list of strings")),
    }
}

fn yes(item: &Item, key: &str) -> Result<bool> {
    match &item.value {
        Value::Bool(yes) => Ok(*yes),
        _ => Err(wrong(item, key, "true or false")),
    }
}

fn wrong(item: &Item, key: &str, wanted: &str) -> crate::error::Error {
    let text = format!("{}: {} is not {wanted}", item.at, tree::cut(key));
    crate::error::Error::new(Kind::InvalidArgument, text)
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.header.iter().map(|(name, _)| name).collect();
        f.debug_struct("Host")
            .field("url", &format!("{}://{}{}", self.scheme, self.name, self.path))
            .field("capabilities", &self.capabilities)
            .field("ca", &self.ca)
            .field("client", &self.client)
            .field("skip_verify", &self.skip_verify)
            .field("header", &names)
            .field("dial_timeout", &self.dial_timeout)
            .field("at", &self.at)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/etc/containerd/certs.d/docker.io/hosts.toml";

    fn read(text: &str) -> Hosts {
        parse(Path::new(FILE), text).unwrap()
    }

    #[test]
    fn every_key_of_the_documentation() {
        let hosts = read(
            r#"
server = "https://docker.io"
ca = ["/etc/certs/a.pem", "b.pem"]

[host."https://z.mirror/us"]
  capabilities = ["pull"]
  ca = "mirror.crt"
  client = [["c.cert", "c.key"], ["d.pem", ""], "e.pem"]
  skip_verify = true
  dial_timeout = "1s"
  [host."https://z.mirror/us".header]
    x-token = ["CANARY", "two"]
    y = "one"
[host."http://a.mirror:5000/harbor/v2/proxy"]
  override_path = true
[host."a.third"]
"#,
        );
        let all = hosts.all("https", "docker.io");
        let urls: Vec<_> = all.iter().map(|h| format!("{}://{}{}", h.scheme, h.name, h.path)).collect();
        let order = [
            "https://z.mirror/us/v2",
            "http://a.mirror:5000/harbor/v2/proxy",
            "https://a.third/v2",
            "https://registry-1.docker.io/v2",
        ];
        assert_eq!(urls, order);
        let first = &all[0];
        assert_eq!(first.capabilities, Capabilities { pull: true, resolve: false, push: false });
        let beside = |name: &str| Path::new("/etc/containerd/certs.d/docker.io").join(name);
        assert_eq!(first.ca, [beside("mirror.crt")]);
        let client = [(beside("c.cert"), Some(beside("c.key"))), (beside("d.pem"), None), (beside("e.pem"), None)];
        assert_eq!(first.client, client);
        assert_eq!((first.skip_verify, first.dial_timeout), (true, Some(Duration::from_secs(1))));
        assert_eq!(first.header.len(), 3);
        assert!(!format!("{first:?}").contains("CANARY"));
        assert_eq!(all[3].ca, [PathBuf::from("/etc/certs/a.pem"), beside("b.pem")]);
        assert_eq!((first.at.as_ref().unwrap().line, hosts.findings.len()), (5, 0));
    }

    #[test]
    fn without_a_server_the_registry_itself_comes_last() {
        let hosts = read("skip_verify = true\n[host.'https://m.example']\n");
        let all = hosts.all("https", "docker.io");
        assert_eq!((all.len(), all[1].name.as_str(), all[1].skip_verify), (2, "registry-1.docker.io", true));
        assert!(!all[0].skip_verify);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let hosts = read("[host.'https://m']\ncapability = ['pull']\n[hosts.'https://x']\n");
        let found: Vec<String> = hosts.findings.iter().map(ToString::to_string).collect();
        assert!(found[0].contains(":3: warning: unknown hosts") && found[1].contains(":2: "), "{found:?}");
        for (bad, says) in [
            ("[host.'https://m']\ncapabilities = ['fetch']", ":2: capabilities"),
            ("[host.'ftp://m']", "no address of a host"),
            ("server = 1", ":1: server"),
            ("ca = 1", ":1: ca"),
            ("client = [['a']]", "pair"),
            ("dial_timeout = '1x'", "unit"),
        ] {
            let error = format!("{:#}", parse(Path::new(FILE), bad).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn directories_are_found_by_their_names() {
        assert_eq!(directories("r.example:5000"), ["r.example_5000_", "r.example:5000", "_default"]);
        assert_eq!(directories("r.example"), ["r.example", "_default"]);
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let roots = format!("{}:{}", at("none").display(), root.path().display());
        assert_eq!(find(&roots, "r.example:5000"), None);
        for name in ["_default", "r.example:5000", "r.example_5000_"] {
            fs::create_dir(at(name)).unwrap();
            assert_eq!(find(&roots, "r.example:5000"), Some(at(name)));
        }
        fs::write(at("_default/ca.crt"), "").unwrap();
        fs::write(at("_default/me.cert"), "").unwrap();
        fs::write(at("_default/me.key"), "").unwrap();
        fs::write(at("_default/hosts.toml"), "server = = 1").unwrap();
        let hosts = load(&roots, "other").unwrap().unwrap();
        let host = &hosts.all("http", "other")[0];
        assert_eq!(
            (host.scheme.as_str(), host.name.as_str(), host.ca.len(), host.client.len()),
            ("http", "other", 1, 1)
        );
        assert_eq!(host.client[0].1, Some(at("_default/me.key")));
        assert!(hosts.findings[0].text.contains("not TOML"), "{:?}", hosts.findings);
    }
}
