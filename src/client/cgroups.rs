//! Who uses which cgroup driver: what the runtime says, what its configuration and the kubelet's files say, and what the
//! cgroups of live pods prove. Which of them is wrong is not judged here.

use std::path::Path;

use serde_json::Value;

use super::types::CgroupFact;
use crate::node::{below, read};

/// The kubelet's configuration, where kubeadm and the distributions put it.
const KUBELET: &[&str] = &[
    "/var/lib/kubelet/config.yaml",
    "/etc/kubernetes/kubelet/config.json",
    "/etc/kubernetes/kubelet/kubelet-config.json",
];
/// Pods whose cgroup is looked at.
pub const PODS: usize = 64;

/// From the verbose Status: containerd names a handler's options, ours and CRI-O's name one driver for all.
pub fn handlers(config: &Value) -> Vec<CgroupFact> {
    let mut facts = Vec::new();
    let runtimes = config.pointer("/containerd/runtimes").or(config.get("runtimes")).and_then(Value::as_object);
    for (name, handler) in runtimes.into_iter().flatten() {
        let asked = handler.pointer("/options/SystemdCgroup").and_then(Value::as_bool);
        if let Some(systemd) = asked {
            let source = format!("runtime's effective configuration, handler {name}: SystemdCgroup = {systemd}");
            facts.push(fact(&format!("handler {name}"), Some(driver(systemd)), source));
        }
    }
    if let Some(name) = config.get("cgroupDriver").and_then(Value::as_str) {
        facts.push(fact("runtime", Some(name), "runtime's effective configuration: cgroupDriver".to_owned()));
    }
    facts
}

/// The kubelet's files; none on a node without one.
pub fn kubelet(root: &Path) -> Vec<CgroupFact> {
    let mut facts = Vec::new();
    for path in KUBELET {
        let place = root.join(path.trim_start_matches('/'));
        let Ok(text) = std::fs::read_to_string(&place) else { continue };
        let parsed: Result<serde_norway::Value, _> = serde_norway::from_str(&text);
        facts.push(match parsed {
            Ok(value) => match value.get("cgroupDriver").and_then(|v| v.as_str()) {
                Some(name) => fact("kubelet", Some(name), format!("{path}: cgroupDriver")),
                // KubeletConfiguration v1beta1: the default when it is not set.
                None => fact("kubelet", Some("cgroupfs"), format!("{path} names none: the default")),
            },
            Err(error) => fact("kubelet", None, format!("{path}: {error}")),
        });
    }
    facts
}

/// A running pod's first process, from its verbose status.
pub fn first_process(inspected: &Value) -> Option<u32> {
    let pid = inspected.pointer("/info/pid").and_then(Value::as_u64).filter(|p| *p > 0)?;
    u32::try_from(pid).ok()
}

/// What the cgroup of a pod's process is called shows who made it: systemd's are slices and scopes.
pub fn proven_by(root: &Path, namespace: &str, pod: &str, pid: u32) -> Option<CgroupFact> {
    let source = format!("/proc/{pid}/cgroup");
    let text = read(&below(root, &source)).ok()?;
    let path = group(&text)?;
    let name = if path.contains(".slice") || path.ends_with(".scope") { "systemd" } else { "cgroupfs" };
    Some(fact(&format!("pod {namespace}/{pod}"), Some(name), format!("{source}: {path}")))
}

/// The path of a process: cgroup v2's, or on v1 and hybrid machines the memory controller's.
fn group(text: &str) -> Option<&str> {
    let of = |wanted: &str| {
        text.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (controllers, path) = (parts.nth(1)?, parts.next()?);
            controllers.split(',').any(|c| c == wanted).then_some(path)
        })
    };
    of("memory").or_else(|| of(""))
}

const fn driver(systemd: bool) -> &'static str {
    if systemd { "systemd" } else { "cgroupfs" }
}

pub fn fact(who: &str, driver: Option<&str>, source: String) -> CgroupFact {
    CgroupFact { who: who.to_owned(), driver: driver.map(ToOwned::to_owned), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_of_containerd_and_of_others() {
        let containerd = serde_json::json!({"containerd": {"runtimes": {
            "runc": {"options": {"SystemdCgroup": true}}, "kata": {"options": {}}}}});
        let facts = handlers(&containerd);
        assert_eq!(
            (facts.len(), facts[0].who.as_str(), facts[0].driver.as_deref()),
            (1, "handler runc", Some("systemd"))
        );
        assert_eq!(handlers(&serde_json::json!({"cgroupDriver": "cgroupfs"}))[0].driver.as_deref(), Some("cgroupfs"));
    }

    #[test]
    fn the_kubelets_file() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("var/lib/kubelet");
        assert_eq!(kubelet(root.path()), []);
        std::fs::create_dir_all(&place).unwrap();
        for (text, driver) in
            [("cgroupDriver: systemd\n", Some("systemd")), ("kind: x\n", Some("cgroupfs")), ("a: [", None)]
        {
            std::fs::write(place.join("config.yaml"), text).unwrap();
            assert_eq!(kubelet(root.path())[0].driver.as_deref(), driver, "{text}");
        }
    }

    #[test]
    fn a_process_says_where_it_is() {
        assert_eq!(group("12:memory:/a\n0::/b\n"), Some("/a"));
        assert_eq!(group("0::/kubepods.slice/x.scope\n"), Some("/kubepods.slice/x.scope"));
        assert_eq!(group(""), None);
    }
}
