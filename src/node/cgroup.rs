//! Control groups: which version is mounted where, and which driver made the groups that live containers are in.

use std::path::{Path, PathBuf};

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
    /// Controllers that the kernel offers; empty if it did not tell.
    #[serde(default)]
    pub controllers: Vec<String>,
}

/// A limit on the processor time of a group, and how often it was met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Percent of one processor.
    pub percent: u64,
    pub periods: u64,
    pub throttled: u64,
    /// Of the file with the limit.
    pub path: String,
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
    facts.controllers = controllers(root, facts.version, &mounted);
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

/// v2 tells them in the root of its tree; of v1 there is a table.
fn controllers(root: &Path, version: Version, mounted: &mounts::MountFacts) -> Vec<String> {
    if version == Version::V2 {
        let point =
            mounted.mounts.iter().find(|m| m.kind == "cgroup2").map(|m| format!("{}/cgroup.controllers", m.point));
        let text = point.and_then(|p| super::read(&below(root, p)).ok()).unwrap_or_default();
        return text.split_whitespace().map(str::to_owned).collect();
    }
    let text = super::read(&below(root, "/proc/cgroups")).unwrap_or_default();
    let rows = text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split_whitespace().collect::<Vec<_>>());
    rows.filter(|r| r.get(3) == Some(&"1")).map(|r| r[0].to_owned()).collect()
}

/// The directory of a process' group: of this controller of v1 if that is mounted, or else of v2.
fn directory(root: &Path, pid: u32, controller: &str) -> Option<(PathBuf, bool)> {
    let mounted = mounts::of_init(root).ok()?;
    let text = super::read(&below(root, format!("/proc/{pid}/cgroup"))).ok()?;
    let at = |point: &str, path: &str| below(root, format!("{}{path}", point.trim_end_matches('/')));
    let has = |list: &str| list.split(',').any(|c| c == controller);
    let old = mounted.mounts.iter().find(|m| m.kind == "cgroup" && has(&m.options));
    let path = |line: &str| path_of(line).map(|p| if p == "/" { String::new() } else { p.to_owned() });
    if let Some(mount) = old {
        let line = text.lines().find(|l| l.split(':').nth(1).is_some_and(has))?;
        return Some((at(&mount.point, &path(line)?), false));
    }
    let mount = mounted.mounts.iter().find(|m| m.kind == "cgroup2")?;
    Some((at(&mount.point, &path(text.lines().find(|l| l.starts_with("0::"))?)?), true))
}

/// Whether a process is in a group that somebody has frozen.
pub fn frozen(root: &Path, pid: u32) -> bool {
    let Some((directory, v2)) = directory(root, pid, "freezer") else { return false };
    let text = super::read(&directory.join(if v2 { "cgroup.events" } else { "freezer.state" })).unwrap_or_default();
    text.lines().any(|l| matches!(l, "frozen 1" | "FROZEN"))
}

/// The limit on the processor time of a process' own group; none without one.
pub fn throttle(root: &Path, pid: u32) -> Option<Throttle> {
    let (directory, v2) = directory(root, pid, "cpu")?;
    let text = |name: &str| super::read(&directory.join(name)).ok();
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (file, quota, period) = if v2 {
        let both = text("cpu.max")?;
        let (quota, period) = both.trim().split_once(' ')?;
        ("cpu.max", number(quota)?, number(period)?)
    } else {
        ("cpu.cfs_quota_us", number(&text("cpu.cfs_quota_us")?)?, number(&text("cpu.cfs_period_us")?)?)
    };
    let stat = text("cpu.stat").unwrap_or_default();
    let of = |name: &str| stat.lines().find_map(|l| number(l.strip_prefix(name)?)).unwrap_or(0);
    let percent = quota.checked_mul(100)?.checked_div(period)?;
    let path = directory.join(file).to_string_lossy().into_owned();
    Some(Throttle { percent, periods: of("nr_periods "), throttled: of("nr_throttled "), path })
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
