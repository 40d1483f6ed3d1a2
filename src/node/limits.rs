//! Limits of the kernel that nodes run into, and how much of each is used.

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};

use super::{below, process, read};
use crate::error::Result;

/// Percent of its tasks from which a control group is worth a word.
const NEAR: u64 = 80;
/// Control groups told of.
const GROUPS: usize = 16;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitFacts {
    /// Limits by what they bound: "inotify instances of root".
    pub gauges: Vec<Gauge>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauge {
    pub what: String,
    pub used: u64,
    pub limit: u64,
    /// sysctl(8) name of the limit.
    pub sysctl: String,
    /// Who uses most, `name (pid) n`.
    pub top: Vec<String>,
}

impl Gauge {
    pub fn percent(&self) -> u64 {
        (u128::from(self.used) * 100 / u128::from(self.limit.max(1))).min(100) as u64
    }
}

/// What this machine does not have (conntrack without its module) is left out.
///
/// # Errors
/// If /proc cannot be listed.
pub fn collect(root: &Path) -> Result<LimitFacts> {
    let number = |path: &str| -> Option<u64> { read(&below(root, path)).ok()?.split_whitespace().next()?.parse().ok() };
    let mut facts = LimitFacts::default();
    let mut add = |what: &str, used: Option<u64>, limit: Option<u64>, sysctl: &str, top: Vec<String>| {
        if let (Some(used), Some(limit)) = (used, limit) {
            facts.gauges.push(Gauge { what: what.to_owned(), used, limit, sysctl: sysctl.to_owned(), top });
        }
    };
    let (instances, watches, top) = inotify(root)?;
    let limit = number("/proc/sys/fs/inotify/max_user_instances");
    add("inotify instances of root", Some(instances), limit, "fs.inotify.max_user_instances", top.clone());
    let limit = number("/proc/sys/fs/inotify/max_user_watches");
    add("inotify watches of root", Some(watches), limit, "fs.inotify.max_user_watches", top);
    let tasks = read(&below(root, "/proc/loadavg")).ok();
    let tasks = tasks.and_then(|t| t.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok());
    add("tasks", tasks, number("/proc/sys/kernel/pid_max"), "kernel.pid_max", Vec::new());
    add("threads", tasks, number("/proc/sys/kernel/threads-max"), "kernel.threads-max", Vec::new());
    let files = read(&below(root, "/proc/sys/fs/file-nr")).unwrap_or_default();
    let files: Vec<u64> = files.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    add("open files", files.first().copied(), files.get(2).copied(), "fs.file-max", Vec::new());
    let (count, most) = ("/proc/sys/net/netfilter/nf_conntrack_count", "/proc/sys/net/netfilter/nf_conntrack_max");
    add("tracked connections", number(count), number(most), "net.netfilter.nf_conntrack_max", Vec::new());
    let keys = read(&below(root, "/proc/key-users")).unwrap_or_default();
    for (uid, [keys, bytes]) in keys.lines().filter_map(key_user) {
        for (what, (used, limit), all, root) in [
            ("kernel keys", keys, "kernel.keys.maxkeys", "kernel.keys.root_maxkeys"),
            ("bytes of kernel keys", bytes, "kernel.keys.maxbytes", "kernel.keys.root_maxbytes"),
        ] {
            let sysctl = if uid == "0" { root } else { all };
            add(&format!("{what} of uid {uid}"), Some(used), Some(limit), sysctl, Vec::new());
        }
    }
    facts.gauges.extend(groups(root)?);
    Ok(facts)
}

/// Control groups whose processes may hardly start another one: services with TasksMax, pods with a limit of the kubelet.
fn groups(root: &Path) -> Result<Vec<Gauge>> {
    let mut paths = BTreeSet::new();
    for pid in process::pids(root)? {
        let text = read(&below(root, format!("/proc/{pid}/cgroup"))).unwrap_or_default();
        for line in text.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            let mount = match controllers {
                "" => "/sys/fs/cgroup",
                "pids" => "/sys/fs/cgroup/pids",
                _ => continue,
            };
            let above = Path::new(path).ancestors().filter(|a| a.parent().is_some());
            paths.extend(above.map(|a| (mount, a.to_string_lossy().into_owned())));
        }
    }
    let near = paths.into_iter().filter_map(|(mount, path)| {
        let number = |file: &str| -> Option<u64> {
            read(&below(root, format!("{mount}{path}/{file}"))).ok()?.trim().parse().ok()
        };
        let (limit, used) = (number("pids.max")?, number("pids.current")?);
        let gauge = Gauge {
            what: format!("tasks of {path}"),
            used,
            limit,
            sysctl: format!("{mount}{path}/pids.max"),
            top: Vec::new(),
        };
        (gauge.percent() >= NEAR).then_some(gauge)
    });
    Ok(near.take(GROUPS).collect())
}

/// `    0:    21 20/20 9/1000000 184/25000000` of proc(5): uid, then keys used of those allowed, and bytes of them.
fn key_user(line: &str) -> Option<(&str, [(u64, u64); 2])> {
    let (uid, rest) = line.split_once(':')?;
    let mut pairs = rest.split_whitespace().skip(2).map(|pair| {
        let (used, limit) = pair.split_once('/')?;
        Some((used.parse().ok()?, limit.parse().ok()?))
    });
    Some((uid.trim(), [pairs.next()??, pairs.next()??]))
}

/// Instances and watches of the processes of root (the limit is per user), and who has most.
fn inotify(root: &Path) -> Result<(u64, u64, Vec<String>)> {
    let (mut instances, mut watches, mut users) = (0, 0, Vec::new());
    for pid in process::pids(root)? {
        let at = below(root, format!("/proc/{pid}"));
        let status = read(&at.join("status")).unwrap_or_default();
        let uid = status.lines().find_map(|l| l.strip_prefix("Uid:")).and_then(|l| l.split_whitespace().next());
        if uid != Some("0") {
            continue;
        }
        let mut mine = 0;
        for file in std::fs::read_dir(at.join("fd")).into_iter().flatten().flatten() {
            if std::fs::read_link(file.path()).is_ok_and(|l| l == Path::new("anon_inode:inotify")) {
                let info = read(&at.join("fdinfo").join(file.file_name())).unwrap_or_default();
                watches += info.lines().filter(|l| l.starts_with("inotify ")).count() as u64;
                mine += 1;
            }
        }
        if mine > 0 {
            let name = process::stat(root, pid).map(|s| s.name).unwrap_or_default();
            users.push((mine, format!("{name} ({pid}) {mine}")));
        }
        instances += mine;
    }
    users.sort_by_key(|u| std::cmp::Reverse(u.0));
    Ok((instances, watches, users.into_iter().take(5).map(|u| u.1).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_users_as_the_kernel_writes_them() {
        assert_eq!(
            key_user("    0:    21 20/20 9/1000000 184/25000000"),
            Some(("0", [(9, 1_000_000), (184, 25_000_000)]))
        );
        assert_eq!(key_user("nonsense"), None);
    }

    #[test]
    fn a_group_without_room_for_a_task_is_told() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("/proc/7/cgroup", "0::/system.slice/containerd.service\n");
        put("/proc/8/cgroup", "9:pids:/kubepods/p\n0::/\n");
        put("/sys/fs/cgroup/system.slice/containerd.service/pids.max", "100\n");
        put("/sys/fs/cgroup/system.slice/containerd.service/pids.current", "99\n");
        put("/sys/fs/cgroup/system.slice/pids.max", "max\n");
        put("/sys/fs/cgroup/pids/kubepods/p/pids.max", "10\n");
        put("/sys/fs/cgroup/pids/kubepods/p/pids.current", "2\n");
        let found = groups(root.path()).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].what.as_str(), found[0].percent()), ("tasks of /system.slice/containerd.service", 99));
    }

    #[test]
    fn an_instance_of_ours_is_counted() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root's instances are counted");
            return;
        }
        let before = collect(Path::new("/")).unwrap();
        let of = |f: &LimitFacts| f.gauges.iter().find(|g| g.what.starts_with("inotify instances")).cloned().unwrap();
        assert!(of(&before).limit > 0 && of(&before).sysctl == "fs.inotify.max_user_instances");
    }
}
