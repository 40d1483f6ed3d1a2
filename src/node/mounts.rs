//! What is mounted, from mountinfo (proc_pid_mountinfo(5)).

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};

use super::{below, cgroup, process};
use crate::error::Result;

/// Mounts that are told of.
const HELD: usize = 32;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountFacts {
    pub mounts: Vec<Mount>,
    /// Mounts of pods that the node has no more and another mount namespace still has.
    #[serde(default)]
    pub held: Vec<Held>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub point: String,
    /// The first process of that namespace, and the container it is in.
    pub pid: u32,
    pub name: String,
    pub container: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub point: String,
    /// What of its filesystem is there.
    #[serde(default)]
    pub root: String,
    /// Type of the filesystem.
    pub kind: String,
    pub device: String,
    /// Options of the mount and of the filesystem, `,`-joined.
    pub options: String,
}

impl Mount {
    pub fn read_only(&self) -> bool {
        self.options.split(',').any(|o| o == "ro")
    }
}

impl MountFacts {
    /// The mount that holds `path`: the longest mount point that is a prefix of it, the last of those if several.
    pub fn of(&self, path: &str) -> Option<&Mount> {
        let holds = |m: &&Mount| m.point == "/" || path == m.point || path.starts_with(&format!("{}/", m.point));
        self.mounts.iter().filter(holds).max_by_key(|m| m.point.len())
    }
}

/// # Errors
/// If mountinfo cannot be read.
pub fn read(root: &Path) -> Result<MountFacts> {
    let text = super::read(&below(root, "/proc/self/mountinfo"))?;
    Ok(parse(&text))
}

/// As PID 1 sees them, which is the node even from a container with the host's processes.
///
/// # Errors
/// If neither its mountinfo nor this process's can be read.
pub fn of_init(root: &Path) -> Result<MountFacts> {
    super::read(&below(root, "/proc/1/mountinfo")).map_or_else(|_| read(root), |text| Ok(parse(&text)))
}

/// The mounts of this process, and who holds what pods have left.
///
/// # Errors
/// If mountinfo cannot be read, or /proc not be listed.
pub fn collect(root: &Path) -> Result<MountFacts> {
    let mut facts = read(root)?;
    facts.held = held(root)?;
    Ok(facts)
}

/// Roots of containers and network namespaces of pods, as runtimes mount them.
fn of_pod(point: &str) -> bool {
    point.contains("/io.containerd.runtime.v2.task/") && point.ends_with("/rootfs") || point.contains("/netns/cni-")
}

fn held(root: &Path) -> Result<Vec<Held>> {
    let namespace = |pid: u32| std::fs::read_link(below(root, format!("/proc/{pid}/ns/mnt"))).ok();
    let mut seen: BTreeSet<_> = namespace(1).into_iter().collect();
    let here = of_init(root)?;
    let mut found: Vec<Held> = Vec::new();
    let mut pids = process::pids(root)?;
    pids.sort_unstable();
    for pid in pids {
        // One of each namespace is enough.
        if !namespace(pid).is_some_and(|n| seen.insert(n)) {
            continue;
        }
        let Ok(text) = super::read(&below(root, format!("/proc/{pid}/mountinfo"))) else { continue };
        for mount in parse(&text).mounts.into_iter().filter(|m| of_pod(&m.point)) {
            if !here.mounts.iter().any(|m| m.point == mount.point) && found.len() < HELD {
                let name = process::stat(root, pid).map(|s| s.name).unwrap_or_default();
                found.push(Held { point: mount.point, pid, name, container: cgroup::of(root, pid) });
            }
        }
    }
    Ok(found)
}

pub fn parse(text: &str) -> MountFacts {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let (mut left, mut right) = (left.split(' ').skip(3), right.split(' '));
        let (root, point, options) = (left.next()?, left.next()?, left.next()?);
        let (kind, device, own) = (right.next()?, right.next()?, right.next().unwrap_or_default());
        let options = format!("{options},{own}");
        let (point, root) = (unescape(point), unescape(root));
        Some(Mount { point, root, kind: kind.to_owned(), device: unescape(device), options })
    };
    MountFacts { mounts: text.lines().filter_map(mount).collect(), held: Vec::new() }
}

/// Space, tab, newline and backslash stand as `\ooo`.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_a_mount_that_the_node_has_no_more_is_found() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root mounts");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let point = directory.path().join("io.containerd.runtime.v2.task/k8s.io/x/rootfs");
        std::fs::create_dir_all(&point).unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("tmpfs", &point, "tmpfs", flags, None).unwrap();
        // An agent with a private copy of all mounts.
        let mut child = std::process::Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sleep", "100"])
            .spawn()
            .unwrap();
        let text = point.to_string_lossy().into_owned();
        let mine = |facts: &MountFacts| facts.held.iter().find(|h| h.point == text).cloned();
        let copied =
            || super::super::read(Path::new(&format!("/proc/{}/comm", child.id()))).is_ok_and(|c| c.trim() == "sleep");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !copied() {
            assert!(std::time::Instant::now() < deadline, "it never came up");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let (before, unmounted) =
            (collect(Path::new("/")).unwrap(), rustix::mount::unmount(&point, rustix::mount::UnmountFlags::empty()));
        let after = collect(Path::new("/")).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        unmounted.unwrap();
        assert_eq!(mine(&before), None, "it is still the node's own");
        let held = mine(&after).expect("the holder");
        assert_eq!((held.pid, held.name.as_str()), (child.id(), "sleep"));
    }

    #[test]
    fn the_nearest_mount_holds_a_path() {
        let facts = parse(
            "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n2 1 8:2 / /var/lib/a\\040b ro - xfs /dev/sdb rw\n",
        );
        assert_eq!(facts.of("/var/lib/a b/c").unwrap().kind, "xfs");
        assert!(facts.of("/var/lib/a b").unwrap().read_only());
        assert_eq!(facts.of("/var/lib/a bc").unwrap().kind, "ext4");
    }
}
