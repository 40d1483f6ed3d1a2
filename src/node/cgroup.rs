//! Control groups: which version is mounted where, and which driver made the groups that live containers are in.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{below, mounts, process};
use crate::error::Result;

/// What serves the controllers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    #[default]
    None,
    V1,
    /// v1 controllers, and a v2 tree without them beside.
    Hybrid,
    V2,
}

/// Who makes the groups of pods: systemd on request, or the kubelet and the runtime by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Driver {
    Systemd,
    Cgroupfs,
}

impl std::fmt::Display for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Systemd => "systemd",
            Self::Cgroupfs => "cgroupfs",
        })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupFacts {
    pub version: Version,
    /// `type mount-point (controllers)`.
    pub mounts: Vec<String>,
    pub live: Vec<LiveGroup>,
}

/// The group of a running container, as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveGroup {
    pub pid: u32,
    /// 64 hexadecimal digits.
    pub container: String,
    pub path: String,
    /// None for a path that neither makes: `slice:prefix:name` taken literally, which is what a mismatch leaves.
    pub driver: Option<Driver>,
}

/// # Errors
/// If /proc cannot be read.
pub fn collect(root: &Path) -> Result<CgroupFacts> {
    // PID 1 sees the node; this process may be in a mount namespace of its own.
    let mounted = mounts::of_init(root)?;
    let mut facts = CgroupFacts::default();
    let (mut v1, mut v2) = (false, false);
    for mount in &mounted.mounts {
        match mount.kind.as_str() {
            "cgroup2" => v2 = true,
            "cgroup" => v1 = true,
            _ => continue,
        }
        facts.mounts.push(format!("{} on {} ({})", mount.kind, mount.point, mount.options));
    }
    facts.version = match (v1, v2) {
        (false, false) => Version::None,
        (true, false) => Version::V1,
        (true, true) => Version::Hybrid,
        (false, true) => Version::V2,
    };
    for pid in process::pids(root)? {
        // A process that ended meanwhile is in no group.
        let Ok(text) = super::read(&below(root, format!("/proc/{pid}/cgroup"))) else { continue };
        let Some((container, path, driver)) = text.lines().filter_map(path_of).find_map(container_of) else { continue };
        if !facts.live.iter().any(|l| l.path == path) {
            facts.live.push(LiveGroup { pid, container, path, driver });
        }
    }
    Ok(facts)
}

/// The container a process is in.
pub fn of(root: &Path, pid: u32) -> Option<String> {
    let text = super::read(&below(root, format!("/proc/{pid}/cgroup"))).ok()?;
    text.lines().filter_map(path_of).find_map(container_of).map(|(id, ..)| id)
}

/// `N:controllers:path` of cgroups(7).
fn path_of(line: &str) -> Option<&str> {
    line.splitn(3, ':').nth(2)
}

/// The container of a group's path and the driver that made it, by how its last parts are named.
fn container_of(path: &str) -> Option<(String, String, Option<Driver>)> {
    let leaf = path.rsplit('/').find(|part| find_id(part).is_some())?;
    // CRI-O has its monitors in groups of their own.
    if leaf.starts_with("crio-conmon-") {
        return None;
    }
    let id = find_id(leaf)?;
    let driver = if leaf.contains(':') {
        None
    } else if leaf.ends_with(".scope") {
        Some(Driver::Systemd)
    } else {
        Some(Driver::Cgroupfs)
    };
    Some((id.to_owned(), path.to_owned(), driver))
}

fn find_id(part: &str) -> Option<&str> {
    part.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_live_container_proves_the_driver() {
        let id = "a".repeat(64);
        let of = |path: String| container_of(&path).map(|(found, _, driver)| (found == id, driver));
        let slice = "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice";
        assert_eq!(of(format!("/{slice}/cri-containerd-{id}.scope")), Some((true, Some(Driver::Systemd))));
        assert_eq!(of(format!("/kubepods/besteffort/pod1/{id}")), Some((true, Some(Driver::Cgroupfs))));
        assert_eq!(of(format!("/kubepods/pod1/{id}/inner")), Some((true, Some(Driver::Cgroupfs))));
        assert_eq!(of(format!("/system.slice/kubepods-pod1.slice:cri-containerd:{id}")), Some((true, None)));
        assert_eq!(of("/system.slice/containerd.service".to_owned()), None);
        assert_eq!(of(format!("/kubepods/pod1/crio-{id}")), Some((true, Some(Driver::Cgroupfs))));
        assert_eq!(of(format!("/kubepods/pod1/crio-conmon-{id}")), None);
    }

    #[test]
    fn this_machine_has_some_version() {
        assert_ne!(collect(Path::new("/")).unwrap().version, Version::None);
    }
}
