//! The pod network's configuration on disk: conf files in the order a runtime takes them, and the plugins they need.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{below, read};
use crate::error::{Error, Result};

pub const CONF: &str = "/etc/cni/net.d";
pub const BIN: &str = "/opt/cni/bin";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CniFacts {
    pub conf_dir: String,
    pub bin_dirs: Vec<String>,
    /// By name; the first one that can be used wins.
    pub files: Vec<ConfFile>,
    /// No directory has the plugin `loopback`, which containerd asks for beside those of the file.
    #[serde(default)]
    pub no_loopback: bool,
    /// Addresses host-local has given away: network, address, container.
    pub leases: Vec<Lease>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfFile {
    pub path: String,
    pub network: String,
    pub plugins: Vec<String>,
    /// Those of the plugins no directory has.
    pub missing: Vec<String>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub network: String,
    pub address: String,
    pub container: String,
}

/// # Errors
/// If a directory is there and cannot be listed.
pub fn collect(root: &Path, conf_dir: &str, bin_dirs: &[String]) -> Result<CniFacts> {
    let mut facts = CniFacts { conf_dir: conf_dir.to_owned(), bin_dirs: bin_dirs.to_vec(), ..CniFacts::default() };
    let mut names = list(&below(root, conf_dir))?;
    names.retain(|n| [".conf", ".conflist", ".json"].iter().any(|e| n.ends_with(e)));
    for name in names {
        let path = format!("{}/{name}", conf_dir.trim_end_matches('/'));
        let parsed = read(&below(root, &path)).map_err(|e| format!("{e:#}")).and_then(|text| parse(&text));
        let mut file = match parsed {
            Ok(file) => file,
            Err(error) => ConfFile { error: Some(error), ..ConfFile::default() },
        };
        let there = |plugin: &String| bin_dirs.iter().any(|d| below(root, d).join(plugin).is_file());
        file.missing = file.plugins.iter().filter(|p| !there(p)).cloned().collect();
        file.path = path;
        facts.files.push(file);
    }
    facts.no_loopback = !bin_dirs.iter().any(|d| below(root, d).join("loopback").is_file());
    for network in list(&below(root, "/var/lib/cni/networks"))? {
        let directory = below(root, "/var/lib/cni/networks").join(&network);
        for address in list(&directory)? {
            if address.parse::<std::net::IpAddr>().is_ok()
                && let Ok(text) = read(&directory.join(&address))
            {
                let container = text.lines().next().unwrap_or_default().trim().to_owned();
                facts.leases.push(Lease { network: network.clone(), address, container });
            }
        }
    }
    Ok(facts)
}

/// Names in a directory, sorted; none if it is not there.
fn list(path: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(Error::io("list", path, e)),
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn parse(text: &str) -> Result<ConfFile, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    let kind = |v: &Value| v.get("type").and_then(Value::as_str).map(str::to_owned);
    let all: Vec<&Value> = match value.get("plugins").and_then(Value::as_array) {
        Some(list) => list.iter().collect(),
        None => vec![&value],
    };
    let mut plugins: Vec<String> = all.iter().filter_map(|v| kind(v)).collect();
    if plugins.is_empty() {
        return Err("it names no plugin".to_owned());
    }
    // Those that these call in turn: who gives addresses, and who makes the interface for flannel and its like.
    plugins.extend(all.iter().flat_map(|v| ["ipam", "delegate"].iter().filter_map(|k| kind(v.get(*k)?))));
    let network = value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(ConfFile { network, plugins, ..ConfFile::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_order_with_what_they_lack() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let ipam = r#"{"type":"bridge","ipam":{"type":"host-local"}}"#;
        put("/etc/cni/net.d/10-a.conflist", &format!(r#"{{"name":"a","plugins":[{ipam},{{"type":"portmap"}}]}}"#));
        put("/etc/cni/net.d/05-b.conf", "{");
        put("/etc/cni/net.d/README", "");
        put("/opt/cni/bin/bridge", "");
        put("/var/lib/cni/networks/a/10.1.0.2", "abc\r\neth0");
        put("/var/lib/cni/networks/a/last_reserved_ip.0", "10.1.0.2");
        let facts = collect(root.path(), CONF, &[BIN.to_owned()]).unwrap();
        assert_eq!(
            facts.files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
            ["/etc/cni/net.d/05-b.conf", "/etc/cni/net.d/10-a.conflist"]
        );
        assert!(facts.files[0].error.is_some());
        assert_eq!((facts.files[1].missing.join(" "), facts.no_loopback), ("portmap host-local".to_owned(), true));
        assert_eq!((facts.leases.len(), facts.leases[0].container.as_str()), (1, "abc"));
        assert!(collect(Path::new("/no/such"), CONF, &[]).unwrap().files.is_empty());
    }
}
