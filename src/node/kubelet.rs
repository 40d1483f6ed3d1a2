//! What the kubelet is told: its config file with line numbers, drop-ins, flags of the running process and of kubeadm's file.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{below, process, read_if_there};
use crate::error::{Error, Kind, Result};

const CONFIG: &str = "/var/lib/kubelet/config.yaml";
const KUBEADM: &str = "/var/lib/kubelet/kubeadm-flags.env";
/// Other places a distribution keeps it.
const OTHERS: &[&str] = &["/etc/kubernetes/kubelet/kubelet-config.json", "/etc/kubernetes/kubelet-config.yaml"];

/// Where its resource managers keep what they gave out.
const CHECKPOINTS: &[&str] = &["/var/lib/kubelet/cpu_manager_state", "/var/lib/kubelet/memory_manager_state"];

/// The kubelet of this node as far as files and /proc tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KubeletFacts {
    pub pid: Option<u32>,
    /// Its config file; none if there is none.
    pub config: Option<String>,
    /// Its text, for an edit.
    pub text: Option<String>,
    /// Top-level keys of the config file.
    pub settings: BTreeMap<String, Setting>,
    /// Flags without dashes, from the process if it runs, else from kubeadm's file.
    pub flags: BTreeMap<String, Setting>,
    /// "1.36.2", from the node's own package or binary; none if not told.
    pub version: Option<String>,
    /// UIDs that have a directory below its pods directory.
    pub pods: Vec<String>,
    /// `policyName` by the resource manager's file; empty if the file is not what a kubelet writes.
    #[serde(default)]
    pub checkpoints: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub value: Value,
    /// `/var/lib/kubelet/config.yaml line 12`.
    pub source: String,
}

impl KubeletFacts {
    /// Whether this node has a kubelet at all.
    pub fn present(&self) -> bool {
        self.pid.is_some() || self.config.is_some()
    }

    /// A flag overrides the file.
    pub fn setting(&self, key: &str, flag: &str) -> Option<&Setting> {
        self.flags.get(flag).or_else(|| self.settings.get(key))
    }
}

/// `config` overrides where the file is looked for.
///
/// # Errors
/// If the file is there and cannot be read or is not YAML.
pub fn collect(root: &Path, config: Option<&str>) -> Result<KubeletFacts> {
    let pid = process::pids(root)?.into_iter().find(|pid| {
        process::stat(root, *pid).is_some_and(|s| matches!(s.name.as_str(), "kubelet" | "k3s-server" | "k3s-agent"))
    });
    let mut facts = KubeletFacts { pid, ..KubeletFacts::default() };
    if let Some(pid) = pid {
        let source = format!("/proc/{pid}/cmdline");
        facts.flags = flags(&process::command(root, pid), &source);
    } else if let Some(text) = read_if_there(&below(root, KUBEADM))? {
        let line = text.lines().find_map(|l| l.trim().strip_prefix("KUBELET_KUBEADM_ARGS=")).unwrap_or_default();
        let words: Vec<String> = line.trim_matches('"').split_whitespace().map(str::to_owned).collect();
        facts.flags = flags(&words, KUBEADM);
    }
    let said = facts.flags.get("config").and_then(|s| s.value.as_str()).map(str::to_owned);
    let mut places: Vec<String> = config.map(str::to_owned).into_iter().chain(said).collect();
    if places.is_empty() {
        places = std::iter::once(CONFIG).chain(OTHERS.iter().copied()).map(str::to_owned).collect();
    }
    for place in &places {
        // A place somebody named is meant as it stands.
        let path = if config == Some(place) { place.into() } else { below(root, place) };
        if let Some(text) = read_if_there(&path)? {
            facts.settings = settings(&text, place)?;
            facts.config = Some(place.clone());
            facts.text = Some(text);
            break;
        }
    }
    if let Some(missing) = config.filter(|_| facts.config.is_none()) {
        return Err(Error::new(Kind::NotFound, format!("there is no {missing}")));
    }
    let pods = std::fs::read_dir(below(root, "/var/lib/kubelet/pods"));
    facts.pods = pods.into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    for file in CHECKPOINTS {
        if let Some(text) = read_if_there(&below(root, file))? {
            let state: Value = serde_json::from_str(&text).unwrap_or_default();
            let policy = state.get("policyName").and_then(Value::as_str).unwrap_or_default();
            facts.checkpoints.insert((*file).to_owned(), policy.chars().take(64).collect());
        }
    }
    facts.version = version(root)?;
    Ok(facts)
}

/// The version of Debian's or Kubernetes' own package; the binary tells it only when it is run.
fn version(root: &Path) -> Result<Option<String>> {
    let Some(status) = read_if_there(&below(root, "/var/lib/dpkg/status"))? else { return Ok(None) };
    let mut lines = status.lines().skip_while(|l| *l != "Package: kubelet").take_while(|l| !l.is_empty());
    let version = lines.find_map(|l| l.strip_prefix("Version: "));
    Ok(version.map(|v| v.split('-').next().unwrap_or(v).to_owned()))
}

fn flags(words: &[String], source: &str) -> BTreeMap<String, Setting> {
    let mut flags = BTreeMap::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--") else { continue };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => match words.next_if(|next| !next.starts_with("--")) {
                Some(value) => (flag, value.clone()),
                None => (flag, "true".to_owned()),
            },
        };
        let source = format!("--{name} in {source}");
        flags.insert(name.to_owned(), Setting { value: Value::String(value), source });
    }
    flags
}

fn settings(text: &str, path: &str) -> Result<BTreeMap<String, Setting>> {
    let bad = |e| Error::new(Kind::InvalidArgument, format!("{path} is not YAML")).with_source(e);
    let value: Value = serde_norway::from_str(text).map_err(bad)?;
    let Value::Object(map) = value else { return Ok(BTreeMap::new()) };
    let line = |key: &str| {
        let starts = |l: &str| {
            let l = l.trim_start().trim_start_matches('"');
            l.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches('"').starts_with(':'))
        };
        text.lines().position(starts).map_or(0, |at| at + 1)
    };
    Ok(map
        .into_iter()
        .map(|(key, value)| {
            let source = format!("{path} line {}", line(&key));
            (key, Setting { value, source })
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("proc")).unwrap();
        for (path, text) in files {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_setting_has_its_line_and_a_flag_overrides_it() {
        let root = node(&[
            (CONFIG, "kind: KubeletConfiguration\n# cgroupDriver: x\ncgroupDriver: systemd\nevictionHard:\n  a: b\n"),
            (KUBEADM, "KUBELET_KUBEADM_ARGS=\"--cgroup-driver=cgroupfs --node-ip 1.2.3.4 --fail-swap-on\"\n"),
        ]);
        let facts = collect(root.path(), None).unwrap();
        assert_eq!(facts.settings["cgroupDriver"].source, "/var/lib/kubelet/config.yaml line 3");
        let driver = facts.setting("cgroupDriver", "cgroup-driver").unwrap();
        assert_eq!((driver.value.as_str(), driver.source.contains("kubeadm-flags.env")), (Some("cgroupfs"), true));
        assert_eq!(facts.flags["node-ip"].value, "1.2.3.4");
        assert_eq!(facts.flags["fail-swap-on"].value, "true");
    }

    #[test]
    fn a_running_kubelet_says_where_its_file_is() {
        let root = node(&[
            ("/proc/77/stat", "77 (kubelet) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 3 0 9 1 2"),
            ("/proc/77/cmdline", "/usr/bin/kubelet\0--config=/etc/k.yaml\0"),
            ("/etc/k.yaml", "cgroupDriver: cgroupfs\n"),
        ]);
        let facts = collect(root.path(), None).unwrap();
        assert_eq!((facts.pid, facts.config.as_deref()), (Some(77), Some("/etc/k.yaml")));
        assert_eq!(facts.settings["cgroupDriver"].value, "cgroupfs");
    }

    #[test]
    fn no_kubelet_is_no_error_and_a_broken_file_is() {
        assert!(!collect(node(&[]).path(), None).unwrap().present());
        let root = node(&[(CONFIG, "a: [")]);
        assert!(collect(root.path(), None).unwrap_err().to_string().contains("not YAML"));
        assert!(collect(root.path(), Some("/no/such.yaml")).is_err());
    }
}
