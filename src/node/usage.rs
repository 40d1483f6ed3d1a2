//! What the processes of a container use, from the files of its control group: cgroup v1, hybrid or v2.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{below, mounts, read};

/// A limit this high is none: v1 writes the largest number of whole pages.
const NONE: u64 = 1 << 60;

/// Of v1, those that tell something.
const CONTROLLERS: &[&str] = &["blkio", "cpu", "cpuacct", "memory", "pids"];

/// What is not told stays unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Nanoseconds of processor time since the start.
    pub cpu: Option<u64>,
    /// Without what the kernel could take back at once, as the kubelet counts.
    pub memory: Option<u64>,
    pub memory_limit: Option<u64>,
    pub pids: Option<u64>,
}

/// Where the hierarchies are mounted.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    /// The v2 tree, which has controllers unless v1 has taken them.
    pub(super) unified: Option<PathBuf>,
    pub(super) v1: BTreeMap<String, PathBuf>,
}

impl Groups {
    pub fn find(root: &Path) -> Self {
        let mut groups = Self::default();
        for mount in mounts::of_init(root).unwrap_or_default().mounts {
            let at = below(root, &mount.point);
            match mount.kind.as_str() {
                "cgroup2" => groups.unified = groups.unified.or(Some(at)),
                "cgroup" => {
                    let named = mount.options.split(',').filter(|o| CONTROLLERS.contains(o));
                    groups.v1.extend(named.map(|o| (o.to_owned(), at.clone())));
                }
                _ => {}
            }
        }
        groups
    }

    /// Of the groups a process is in. `None` if it has ended.
    pub fn of(&self, root: &Path, pid: u32) -> Option<Usage> {
        let text = read(&below(root, format!("/proc/{pid}/cgroup"))).ok()?;
        let mut usage = Usage::default();
        for line in text.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            // The group of a process outside of this namespace's tree is told as `/../x`.
            if path.split('/').any(|p| p == "..") {
                continue;
            }
            if controllers.is_empty() {
                if let Some(at) = &self.unified {
                    unified(&below(at, path), &mut usage);
                }
                continue;
            }
            for controller in controllers.split(',') {
                if let Some(at) = self.v1.get(controller) {
                    v1(controller, &below(at, path), &mut usage);
                }
            }
        }
        Some(usage)
    }
}

pub(super) fn number(path: PathBuf) -> Option<u64> {
    read(&path).ok()?.trim().parse().ok()
}

/// A line `key value`.
pub(super) fn line(path: PathBuf, key: &str) -> Option<u64> {
    let text = read(&path).ok()?;
    text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// What is used and the limit, of a group in the v2 tree.
pub(super) fn memory_v2(at: &Path) -> (Option<u64>, Option<u64>) {
    let cache = line(at.join("memory.stat"), "inactive_file").unwrap_or(0);
    let used = number(at.join("memory.current")).map(|m| m.saturating_sub(cache));
    // "max" is no number, and no limit.
    (used, number(at.join("memory.max")))
}

/// The same of one of the memory controller of v1.
pub(super) fn memory_v1(at: &Path) -> (Option<u64>, Option<u64>) {
    let cache = line(at.join("memory.stat"), "total_inactive_file").unwrap_or(0);
    let used = number(at.join("memory.usage_in_bytes")).map(|m| m.saturating_sub(cache));
    (used, number(at.join("memory.limit_in_bytes")).filter(|l| *l < NONE))
}

fn unified(at: &Path, usage: &mut Usage) {
    let cpu = line(at.join("cpu.stat"), "usage_usec").and_then(|u| u.checked_mul(1000));
    usage.cpu = usage.cpu.or(cpu);
    if let (Some(memory), limit) = memory_v2(at) {
        (usage.memory, usage.memory_limit) = (Some(memory), limit);
    }
    usage.pids = number(at.join("pids.current")).or(usage.pids);
}

fn v1(controller: &str, at: &Path, usage: &mut Usage) {
    match controller {
        "cpuacct" => usage.cpu = number(at.join("cpuacct.usage")),
        "memory" => (usage.memory, usage.memory_limit) = memory_v1(at),
        "pids" => usage.pids = number(at.join("pids.current")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn version_2_without_a_limit() {
        let root = node(&[
            ("/proc/1/mountinfo", "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
            ("/proc/7/cgroup", "0::/kubepods/pod1/c1\n"),
            ("/sys/fs/cgroup/kubepods/pod1/c1/cpu.stat", "usage_usec 12\nuser_usec 1\n"),
            ("/sys/fs/cgroup/kubepods/pod1/c1/memory.current", "5000\n"),
            ("/sys/fs/cgroup/kubepods/pod1/c1/memory.stat", "anon 1\ninactive_file 2000\n"),
            ("/sys/fs/cgroup/kubepods/pod1/c1/memory.max", "max\n"),
            ("/sys/fs/cgroup/kubepods/pod1/c1/pids.current", "3\n"),
        ]);
        let groups = Groups::find(root.path());
        let expected = Usage { cpu: Some(12_000), memory: Some(3000), memory_limit: None, pids: Some(3) };
        assert_eq!(groups.of(root.path(), 7), Some(expected));
        assert_eq!(groups.of(root.path(), 8), None);
    }

    #[test]
    fn version_1_and_a_path_that_leads_out() {
        let root = node(&[
            (
                "/proc/1/mountinfo",
                "1 0 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n2 0 0:2 / /cg/c rw - cgroup c rw,cpuacct,cpu\n",
            ),
            ("/proc/7/cgroup", "3:memory:/a\n2:cpu,cpuacct:/a\n1:name=systemd:/\n0::/a\n"),
            ("/proc/8/cgroup", "3:memory:/../a\n"),
            ("/cg/memory/a/memory.usage_in_bytes", "9000"),
            ("/cg/memory/a/memory.limit_in_bytes", "9223372036854771712"),
            ("/cg/c/a/cpuacct.usage", "77"),
        ]);
        let groups = Groups::find(root.path());
        let expected = Usage { cpu: Some(77), memory: Some(9000), memory_limit: None, pids: None };
        assert_eq!(groups.of(root.path(), 7), Some(expected));
        assert_eq!(groups.of(root.path(), 8), Some(Usage::default()));
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Groups::find(Path::new("/")).of(Path::new("/"), std::process::id()).unwrap();
        assert!(usage.cpu.is_none_or(|c| c > 0), "{usage:?}");
    }
}
