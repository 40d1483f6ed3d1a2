//! What the kubelet is told: its config file with line numbers, drop-ins, flags of the running process and of kubeadm's file.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{below, journal, process, read_if_there};
use crate::error::{Error, Kind, Result};

const CONFIG: &str = "/var/lib/kubelet/config.yaml";
/// Where flags are written down for a kubelet that does not run, the later over the earlier: its unit, kubeadm's file, a person's.
const UNITS: &[&str] =
    &["/lib/systemd/system", "/usr/lib/systemd/system", "/run/systemd/system", "/etc/systemd/system"];
const KUBEADM: &str = "/var/lib/kubelet/kubeadm-flags.env";
const EXTRA: &[&str] = &["/etc/sysconfig/kubelet", "/etc/default/kubelet"];
/// Where k3s and rke2 put what they tell the kubelet inside them.
const RANCHER: &[&str] =
    &["/var/lib/rancher/k3s/agent/etc/kubelet.conf.d", "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d"];
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
    /// Why nobody could be reached at the runtime's address it has.
    #[serde(default)]
    pub unreached: Option<String>,
    /// Where it writes its log, if that is a file.
    #[serde(default)]
    pub log: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub value: Value,
    /// `/var/lib/kubelet/config.yaml line 12`.
    pub source: String,
}

impl KubeletFacts {
    /// Where it asks for the runtime, and who says so; None if nobody does.
    pub fn endpoint(&self) -> Option<(&str, &str)> {
        let setting = self.setting("containerRuntimeEndpoint", "container-runtime-endpoint")?;
        Some((setting.value.as_str().filter(|v| !v.is_empty())?, &setting.source))
    }

    /// Whether this node has a kubelet at all.
    pub fn present(&self) -> bool {
        self.pid.is_some() || self.config.is_some()
    }

    /// A flag overrides the file.
    pub fn setting(&self, key: &str, flag: &str) -> Option<&Setting> {
        self.flags.get(flag).or_else(|| self.settings.get(key))
    }
}

/// Its process, or the one it is a part of.
///
/// # Errors
/// If /proc cannot be read.
pub fn pid(root: &Path) -> Result<Option<u32>> {
    let is = |pid: &u32| {
        process::stat(root, *pid).is_some_and(|s| matches!(s.name.as_str(), "kubelet" | "k3s-server" | "k3s-agent"))
    };
    Ok(process::pids(root)?.into_iter().find(is))
}

/// `config` overrides where the file is looked for.
///
/// # Errors
/// If the file is there and cannot be read or is not YAML.
pub fn collect(root: &Path, config: Option<&str>) -> Result<KubeletFacts> {
    let pid = pid(root)?;
    let mut facts = KubeletFacts { pid, ..KubeletFacts::default() };
    if let Some(pid) = pid {
        let source = format!("/proc/{pid}/cmdline");
        facts.flags = flags(&process::command(root, pid), &source);
        facts.log = journal::own_file(root, pid);
    } else {
        facts.flags = written(root)?;
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
    let said = facts.flags.get("config-dir").and_then(|s| s.value.as_str()).map(str::to_owned);
    let own = config.is_none().then_some(RANCHER).into_iter().flatten().map(|d| (*d).to_owned());
    for directory in said.into_iter().chain(own) {
        drop_ins(root, &directory, &mut facts)?;
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

/// Files of a unit's words, in their order.
fn unit_files(root: &Path) -> Vec<String> {
    let names = |directory: &str| -> Vec<String> {
        let entries = std::fs::read_dir(below(root, directory)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
        names.retain(|n| n.ends_with(".conf"));
        names.sort();
        names.into_iter().map(|n| format!("{directory}/{n}")).collect()
    };
    let own = UNITS.iter().map(|d| format!("{d}/kubelet.service"));
    own.chain(UNITS.iter().flat_map(|d| names(&format!("{d}/kubelet.service.d")))).collect()
}

/// Flags of a kubelet that does not run, as far as they are written down in words.
fn written(root: &Path) -> Result<BTreeMap<String, Setting>> {
    let mut all = BTreeMap::new();
    let files = unit_files(root).into_iter().chain([KUBEADM].iter().chain(EXTRA).map(|f| (*f).to_owned()));
    for file in files {
        let Some(text) = read_if_there(&below(root, &file))? else { continue };
        for line in text.lines().map(str::trim) {
            let Some((name, value)) = line.split_once('=') else { continue };
            if !(matches!(name, "ExecStart" | "Environment") || name.starts_with("KUBELET_")) {
                continue;
            }
            let plain = value.replace(['"', '\''], "");
            let words =
                plain.split_whitespace().map(|w| w.split_once("=--").map_or(w.to_owned(), |(_, f)| format!("--{f}")));
            all.extend(flags(&words.collect::<Vec<_>>(), &file));
        }
    }
    Ok(all)
}

/// `--config-dir`: files by name, each laid over what was said before; objects are merged, all else is replaced.
fn drop_ins(root: &Path, directory: &str, facts: &mut KubeletFacts) -> Result<()> {
    let entries = std::fs::read_dir(below(root, directory)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.retain(|n| n.ends_with(".conf"));
    names.sort();
    for name in names {
        let path = format!("{}/{name}", directory.trim_end_matches('/'));
        let Some(text) = read_if_there(&below(root, &path))? else { continue };
        for (key, new) in settings(&text, &path)? {
            match (facts.settings.get_mut(&key).map(|s| (&mut s.value, &mut s.source)), new.value) {
                (Some((Value::Object(there), source)), Value::Object(more)) => {
                    there.extend(more);
                    *source = format!("{source} and {}", new.source);
                }
                (_, value) => {
                    facts.settings.insert(key, Setting { value, source: new.source });
                }
            }
        }
        facts.config.get_or_insert(path);
    }
    Ok(())
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
        // k3s hands these on.
        let (name, value) = match (name, value.split_once('=')) {
            ("kubelet-arg", Some((name, value))) => (name.to_owned(), value.to_owned()),
            _ => (name.to_owned(), value),
        };
        let source = format!("--{name} in {source}");
        flags.insert(name, Setting { value: Value::String(value), source });
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
    fn drop_ins_are_laid_over_the_file() {
        let root = node(&[
            ("/proc/77/stat", "77 (kubelet) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 3 0 9 1 2"),
            ("/proc/77/cmdline", "/usr/bin/kubelet\0--config=/etc/k.yaml\0--config-dir\0/etc/k.d\0"),
            ("/etc/k.yaml", "cgroupDriver: cgroupfs\nevictionHard: {memory.available: 1Gi}\nmaxPods: 9\n"),
            ("/etc/k.d/10-driver.conf", "kind: KubeletConfiguration\ncgroupDriver: systemd\n"),
            ("/etc/k.d/20.conf", "evictionHard: {imagefs.available: 5%}\n"),
            ("/etc/k.d/30.yaml", "cgroupDriver: cgroupfs\n"),
        ]);
        let facts = collect(root.path(), None).unwrap();
        let driver = &facts.settings["cgroupDriver"];
        assert_eq!(
            (driver.value.as_str(), driver.source.as_str()),
            (Some("systemd"), "/etc/k.d/10-driver.conf line 2")
        );
        let hard = &facts.settings["evictionHard"];
        assert_eq!(hard.value, serde_json::json!({ "memory.available": "1Gi", "imagefs.available": "5%" }));
        assert!(hard.source.contains("k.yaml line 2 and /etc/k.d/20.conf line 1"), "{}", hard.source);
        assert_eq!(facts.settings["maxPods"].value, 9);
    }

    #[test]
    fn a_kubelet_that_does_not_run_is_told_by_its_unit() {
        let root = node(&[
            (
                "/usr/lib/systemd/system/kubelet.service",
                "[Service]\nExecStart=/usr/bin/kubelet --config /etc/k.yaml --v=2\n",
            ),
            (
                "/etc/systemd/system/kubelet.service.d/10.conf",
                "[Service]\nEnvironment=\"KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/k.conf --cgroup-driver=systemd\"\nExecStart=\n",
            ),
            ("/etc/default/kubelet", "KUBELET_EXTRA_ARGS='--fail-swap-on=false'\n"),
            ("/etc/k.yaml", "maxPods: 9\n"),
        ]);
        let facts = collect(root.path(), None).unwrap();
        assert_eq!(
            (facts.config.as_deref(), facts.flags["kubeconfig"].value.as_str()),
            (Some("/etc/k.yaml"), Some("/etc/k.conf"))
        );
        assert_eq!(facts.flags["fail-swap-on"].value, "false");
        assert!(facts.flags["cgroup-driver"].source.ends_with("kubelet.service.d/10.conf"), "{:?}", facts.flags);
        let k3s = flags(&["--kubelet-arg=cgroup-driver=systemd".to_owned()], "x");
        assert_eq!(k3s["cgroup-driver"].value, "systemd");
    }

    #[test]
    fn no_kubelet_is_no_error_and_a_broken_file_is() {
        assert!(!collect(node(&[]).path(), None).unwrap().present());
        let root = node(&[(CONFIG, "a: [")]);
        assert!(collect(root.path(), None).unwrap_err().to_string().contains("not YAML"));
        assert!(collect(root.path(), Some("/no/such.yaml")).is_err());
    }
}
