//! Which hosts a containerd asks for an image, in which order and with which trust: certs.d and hosts.toml (docs/hosts.md), or
//! the older mirrors and configs tables. Reads files, asks nobody.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ConfFacts,
    settings::{self, Area},
};
use crate::{
    client::{health::RuntimeStatus, redact},
    config::{finding::Severity, hosts},
    node::{below, read},
};

/// Where distributions keep it.
const USUAL: &str = "/etc/containerd/certs.d";

/// One host of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// `https://registry.example.com/v2`: below it are the repositories.
    pub url: String,
    pub source: String,
    pub resolves: bool,
    pub pulls: bool,
    pub skip_verify: bool,
    /// CA files beside the node's own store.
    pub ca: Vec<String>,
    /// Certificate and key.
    pub client: Option<(String, String)>,
    /// The registry the image is named after, not a mirror.
    pub upstream: bool,
    /// Where the image is on this host, if it is elsewhere than its name says: CRI-O maps names.
    #[serde(default)]
    pub repository: Option<String>,
    /// Sent with every request, as hosts.toml says. May be secrets: in no evidence.
    #[serde(skip)]
    pub headers: Headers,
}

/// Names and values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostList {
    pub hosts: Vec<Host>,
    /// What keeps a configuration from taking effect.
    pub problems: Vec<String>,
    /// The effective certs.d directories.
    pub config_path: Vec<String>,
    /// Mirrors that are written down somewhere and not in the list.
    pub unused: Vec<String>,
    /// Why CRI-O asks nobody: the registry is blocked, or the short name has no registry. The cause's name and a sentence.
    #[serde(default)]
    pub forbidden: Option<(String, String)>,
    /// The hosts.toml that counts, as it is. Its headers may be secrets: in no evidence.
    #[serde(skip)]
    pub file: Option<HostsFile>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct HostsFile {
    pub path: String,
    pub text: String,
}

impl std::fmt::Debug for HostsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)
    }
}

/// For a registry as the reference names it, with its port.
pub fn list(root: &Path, conf: Option<&ConfFacts>, status: Option<&RuntimeStatus>, registry: &str) -> HostList {
    let mut found = HostList::default();
    let effective = status.map(|s| s.config["registry"].clone()).unwrap_or_default();
    let said = |path: &[&str]| {
        let full: Vec<&str> = std::iter::once("registry").chain(path.iter().copied()).collect();
        conf.and_then(|c| settings::said(c, Area::Images, &full))
    };
    let path = effective["configPath"].as_str().map(str::to_owned);
    let path = path.or_else(|| said(&["config_path"])?.value.as_str().map(str::to_owned)).unwrap_or_default();
    found.config_path = path.split(':').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    let table = |name: &str| match &effective[name] {
        Value::Null => said(&[name]).map(|s| s.value).unwrap_or_default(),
        value => value.clone(),
    };
    let (mirrors, configs) = (table("mirrors"), table("configs"));
    let has_mirrors = mirrors.as_object().is_some_and(|m| !m.is_empty());
    if has_mirrors && !found.config_path.is_empty() {
        found.problems.push(format!(
            "both registry.mirrors and registry.config_path ({path}) are set: containerd refuses to load its CRI plugin"
        ));
    }
    let upstream = upstream(registry);
    if !found.config_path.is_empty() {
        of_certs(root, registry, &upstream, &mut found);
    } else if has_mirrors || configs.is_object() {
        let entry = [registry, "*"].into_iter().find_map(|key| mirrors.get(key));
        let said = said(&["mirrors"]).map_or_else(|| "CRI Status".to_owned(), |s| s.source);
        let urls = entry.and_then(|e| e.get("endpoint").or_else(|| e.get("endpoints"))).and_then(Value::as_array);
        for url in urls.into_iter().flatten().filter_map(Value::as_str) {
            let same = host_of(url) == host_of(&upstream);
            found.hosts.push(with_config(Host { upstream: same, ..plain(url, &said) }, &configs));
        }
    }
    if found.config_path.is_empty() {
        unused(root, registry, &mut found);
    }
    let nothing_said = found.hosts.is_empty() || found.config_path.is_empty();
    if nothing_said && !found.hosts.iter().any(|h| h.upstream) {
        let host = Host { upstream: true, ..plain(&upstream, "the image's name") };
        found.hosts.push(with_config(host, &configs));
    }
    found
}

fn plain(url: &str, source: &str) -> Host {
    let url = url.trim_end_matches('/');
    // An endpoint of the older tables names the host alone.
    let bare = url.split("://").nth(1).is_some_and(|rest| !rest.contains('/'));
    let url = if bare { format!("{url}/v2") } else { url.to_owned() };
    Host { url, source: source.to_owned(), resolves: true, pulls: true, ..Host::default() }
}

/// Where the registry itself is. Of this machine, plain HTTP is taken first, as containerd does.
fn upstream(registry: &str) -> String {
    let name = registry.split(':').next().unwrap_or(registry);
    let local = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback());
    match registry {
        "docker.io" => "https://registry-1.docker.io".to_owned(),
        registry if local && !registry.ends_with(":443") => format!("http://{registry}"),
        registry => format!("https://{registry}"),
    }
}

pub fn host_of(url: &str) -> &str {
    url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default()
}

fn with_config(mut host: Host, configs: &Value) -> Host {
    let tls = &configs[host_of(&host.url)]["tls"];
    let text = |a: &str, b: &str| tls[a].as_str().or(tls[b].as_str()).filter(|v| !v.is_empty()).map(str::to_owned);
    host.skip_verify |= tls["insecure_skip_verify"].as_bool().unwrap_or(false);
    host.ca.extend(text("ca_file", "caFile"));
    host.client = text("cert_file", "certFile").zip(text("key_file", "keyFile"));
    host
}

/// What certs.d says, if it has something about the registry.
fn of_certs(root: &Path, registry: &str, upstream: &str, found: &mut HostList) {
    let roots: Vec<String> = found.config_path.iter().map(|d| below(root, d).to_string_lossy().into_owned()).collect();
    let roots = roots.join(":");
    found.file = hosts::find(&roots, registry).and_then(|directory| {
        let path = directory.join("hosts.toml");
        let text = read(&path).ok()?;
        let path = path.strip_prefix(root).map_or_else(|_| path.clone(), |p| Path::new("/").join(p));
        Some(HostsFile { path: path.to_string_lossy().into_owned(), text })
    });
    let written = match hosts::load(&roots, registry) {
        Ok(Some(written)) => written,
        Ok(None) => return without_port(root, registry, found),
        Err(error) => return found.problems.push(redact::text(&format!("{error:#}"))),
    };
    for finding in written.findings.iter().filter(|f| f.severity == Severity::Error) {
        let at = finding.at.as_ref().map(|at| format!("{} line {}: ", at.file.display(), at.line)).unwrap_or_default();
        // A line that is broken is quoted, and it may hold a header.
        found.problems.push(format!("{at}{}", redact::text(&finding.text)));
    }
    let scheme = upstream.split("://").next().unwrap_or("https");
    for host in written.all(scheme, registry) {
        let url = format!("{}://{}{}", host.scheme, host.name, host.path);
        // The server once more, after a table of its own: the table is what counts.
        if found.hosts.iter().any(|h| h.url == url) {
            continue;
        }
        let here = |path: &Path| path.strip_prefix(root).map_or_else(|_| path.to_owned(), |p| Path::new("/").join(p));
        let text = |path: &Path| here(path).to_string_lossy().into_owned();
        found.hosts.push(Host {
            source: host
                .at
                .as_ref()
                .map_or_else(|| "certs.d".to_owned(), |at| format!("{} line {}", text(&at.file), at.line)),
            resolves: host.capabilities.resolve,
            pulls: host.capabilities.pull,
            skip_verify: host.skip_verify,
            ca: host.ca.iter().map(|p| text(p)).collect(),
            client: host.client.first().map(|(c, k)| (text(c), text(k.as_ref().unwrap_or(c)))),
            upstream: host.name == host_of(upstream),
            headers: Headers(host.header.clone()),
            ..plain(&url, "")
        });
    }
}

/// A directory whose name lacks the port is never looked at.
fn without_port(root: &Path, registry: &str, found: &mut HostList) {
    let bare = registry.split(':').next().unwrap_or(registry);
    let wrong = found.config_path.iter().find(|d| bare != registry && below(root, format!("{d}/{bare}")).is_dir());
    if let Some(directory) = wrong {
        let problem = format!(
            "{directory}/{bare} is not used: the directory must be named with the port, {directory}/{registry}"
        );
        found.problems.push(problem);
    }
}

/// A hosts.toml in the usual place that nothing points to.
fn unused(root: &Path, registry: &str, found: &mut HostList) {
    for name in [registry, "_default"] {
        let file = format!("{USUAL}/{name}/hosts.toml");
        if below(root, &file).is_file() {
            found.unused.push(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::ConfFile;

    fn node(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn conf(registry: &str) -> ConfFacts {
        let text = format!("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n{registry}");
        ConfFacts { files: vec![ConfFile { path: "/c.toml".into(), text }], ..ConfFacts::default() }
    }

    fn urls(list: &HostList) -> Vec<&str> {
        list.hosts.iter().map(|h| h.url.as_str()).collect()
    }

    #[test]
    fn hosts_toml_in_its_order_with_the_server_last() {
        let root = node(&[(
            "/certs/docker.io/hosts.toml",
            "server = \"https://registry-1.docker.io\"\n[host.\"https://m.test:8443\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = \"m.crt\"\n\
             [host.\"http://only-pull.test\"]\n  capabilities = [\"pull\"]\n  skip_verify = true\n",
        )]);
        let found = list(root.path(), Some(&conf("config_path = \"/certs\"\n")), None, "docker.io");
        assert_eq!(
            urls(&found),
            ["https://m.test:8443/v2", "http://only-pull.test/v2", "https://registry-1.docker.io/v2"]
        );
        assert_eq!(found.hosts[0].ca, ["/certs/docker.io/m.crt"]);
        assert!(!found.hosts[1].resolves && found.hosts[1].skip_verify && found.hosts[2].upstream);
    }

    #[test]
    fn a9_what_is_written_and_not_used() {
        let root = node(&[("/etc/containerd/certs.d/r.test/hosts.toml", ""), ("/certs/r.test/hosts.toml", "")]);
        let found = list(root.path(), Some(&conf("")), None, "r.test");
        assert_eq!((urls(&found), found.unused.len()), (vec!["https://r.test/v2"], 1));
        let found = list(root.path(), Some(&conf("config_path = \"/certs\"\n")), None, "r.test:5000");
        assert!(found.problems[0].contains("named with the port"), "{found:?}");
        let both = conf(
            "config_path = \"/certs\"\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"r.test\"]\nendpoint = [\"https://m\"]\n",
        );
        assert!(list(root.path(), Some(&both), None, "r.test").problems[0].contains("refuses to load"));
    }

    #[test]
    fn the_older_tables() {
        let root = node(&[]);
        let text = "[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\nendpoint = [\"https://mirror.test\"]\n\
                    [plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"mirror.test\".tls]\nca_file = \"/ca.crt\"\n";
        let found = list(root.path(), Some(&conf(text)), None, "docker.io");
        assert_eq!(urls(&found), ["https://mirror.test/v2", "https://registry-1.docker.io/v2"]);
        assert_eq!(found.hosts[0].ca, ["/ca.crt"]);
        assert_eq!(urls(&list(root.path(), None, None, "127.0.0.1:5000")), ["http://127.0.0.1:5000/v2"]);
    }
}
