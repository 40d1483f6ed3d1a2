//! Which hosts a containerd asks for an image, in which order and with which trust: certs.d and hosts.toml (docs/hosts.md), or
//! the older mirrors and configs tables. Reads files, asks nobody.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml_edit::{DocumentMut, Item};

use super::{
    ConfFacts,
    settings::{self, Area},
};
use crate::{
    client::health::RuntimeStatus,
    node::{below, read_if_there},
};

/// Where distributions keep it.
const USUAL: &str = "/etc/containerd/certs.d";

/// One host of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// `https://registry.example.com`, with a path if the mirror has one.
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
    /// The url has the `/v2` of its own.
    pub override_path: bool,
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
        for directory in found.config_path.clone() {
            if of_directory(root, &directory, registry, &upstream, &mut found) {
                return found;
            }
        }
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
    if !found.hosts.iter().any(|h| h.upstream) {
        let host = Host { upstream: true, ..plain(&upstream, "the image's name") };
        found.hosts.push(with_config(host, &configs));
    }
    found
}

fn plain(url: &str, source: &str) -> Host {
    let url = url.trim_end_matches('/').to_owned();
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

/// Whether the directory has something about the registry.
fn of_directory(root: &Path, directory: &str, registry: &str, upstream: &str, found: &mut HostList) -> bool {
    for name in [registry, "_default"] {
        let at = format!("{directory}/{name}");
        if !below(root, &at).is_dir() {
            continue;
        }
        let file = format!("{at}/hosts.toml");
        match read_if_there(&below(root, &file)) {
            Ok(Some(text)) => match text.parse::<DocumentMut>() {
                Ok(document) => hosts_file(&document, &at, upstream, name == "_default", found),
                Err(e) => found.problems.push(format!("{file} is not TOML and is not used: {}", e.message())),
            },
            Ok(None) => {
                // Docker's layout: the registry itself, with the certificates that lie there.
                let names = std::fs::read_dir(below(root, &at)).into_iter().flatten().flatten();
                let names: Vec<String> = names.filter_map(|e| e.file_name().into_string().ok()).collect();
                let ca = names.iter().filter(|n| n.ends_with(".crt")).map(|n| format!("{at}/{n}")).collect();
                found.hosts.push(Host { upstream: true, ca, ..plain(upstream, &at) });
            }
            Err(e) => found.problems.push(format!("{e:#}")),
        }
        return !found.hosts.is_empty();
    }
    let bare = registry.split(':').next().unwrap_or(registry);
    if bare != registry && below(root, format!("{directory}/{bare}")).is_dir() {
        found.problems.push(format!(
            "{directory}/{bare} is not used: the directory must be named with the port, {directory}/{registry}"
        ));
    }
    false
}

fn hosts_file(document: &DocumentMut, directory: &str, upstream: &str, default: bool, found: &mut HostList) {
    let file = format!("{directory}/hosts.toml");
    for (url, table) in document.get("host").and_then(Item::as_table_like).into_iter().flat_map(|t| t.iter()) {
        found.hosts.push(Host { upstream: host_of(url) == host_of(upstream), ..entry(table, url, &file, directory) });
    }
    let server = document.get("server").and_then(Item::as_str).filter(|s| !s.is_empty());
    let server = server.map_or_else(|| upstream.to_owned(), with_scheme);
    // A default of many registries has a server of its own only if it says so.
    let root = entry(document.as_item(), &server, &file, directory);
    if !default || document.get("server").is_some() || found.hosts.is_empty() {
        found.hosts.retain(|h| !h.upstream || h.url != root.url);
        found.hosts.push(Host { upstream: true, ..root });
    }
}

fn with_scheme(url: &str) -> String {
    if url.contains("://") {
        url.trim_end_matches('/').to_owned()
    } else {
        format!("https://{}", url.trim_end_matches('/'))
    }
}

fn entry(table: &Item, url: &str, file: &str, directory: &str) -> Host {
    let words = |key: &str| -> Vec<String> {
        match table.get(key) {
            Some(item) if item.as_str().is_some() => item.as_str().map(str::to_owned).into_iter().collect(),
            Some(item) => item.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
            None => Vec::new(),
        }
    };
    let here = |path: String| if path.starts_with('/') { path } else { format!("{directory}/{path}") };
    let capabilities = words("capabilities");
    let can = |what: &str| capabilities.is_empty() || capabilities.iter().any(|c| c == what);
    let pair = table
        .get("client")
        .and_then(Item::as_array)
        .and_then(|a| a.get(0))
        .and_then(|v| v.as_array())
        .and_then(|p| Some((here(p.get(0)?.as_str()?.to_owned()), here(p.get(1)?.as_str()?.to_owned()))));
    Host {
        resolves: can("resolve"),
        pulls: can("pull"),
        skip_verify: table.get("skip_verify").and_then(Item::as_bool).unwrap_or(false),
        ca: words("ca").into_iter().map(here).collect(),
        client: pair,
        override_path: table.get("override_path").and_then(Item::as_bool).unwrap_or(false),
        ..plain(&with_scheme(url), file)
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
        assert_eq!(urls(&found), ["https://m.test:8443", "http://only-pull.test", "https://registry-1.docker.io"]);
        assert_eq!(found.hosts[0].ca, ["/certs/docker.io/m.crt"]);
        assert!(!found.hosts[1].resolves && found.hosts[1].skip_verify && found.hosts[2].upstream);
    }

    #[test]
    fn a9_what_is_written_and_not_used() {
        let root = node(&[("/etc/containerd/certs.d/r.test/hosts.toml", ""), ("/certs/r.test/hosts.toml", "")]);
        let found = list(root.path(), Some(&conf("")), None, "r.test");
        assert_eq!((urls(&found), found.unused.len()), (vec!["https://r.test"], 1));
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
        assert_eq!(urls(&found), ["https://mirror.test", "https://registry-1.docker.io"]);
        assert_eq!(found.hosts[0].ca, ["/ca.crt"]);
        assert_eq!(urls(&list(root.path(), None, None, "127.0.0.1:5000")), ["http://127.0.0.1:5000"]);
    }
}
