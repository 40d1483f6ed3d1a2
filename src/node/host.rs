//! What pods take from the host itself: forwarding, resolvers, swap, a clock that is right, room for control groups.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{below, read_if_there};
use crate::error::Result;

/// Lines of a resolver file that count; resolv.conf(5) uses three servers.
const SERVERS: usize = 16;
/// Lines at the end of the package manager's log.
const UPGRADES: usize = 2000;
/// Packages whose new version may restart the runtime.
const PACKAGES: &[&str] = &[
    "containerd",
    "containerd.io",
    "runc",
    "crun",
    "cri-o",
    "docker.io",
    "docker-ce",
    "kubelet",
    "systemd",
    "dbus",
    "libc6",
];
/// The file of most hosts, and the one systemd-resolved writes the real servers to.
pub const RESOLV: &str = "/etc/resolv.conf";
pub const RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// `net.ipv4.ip_forward`; none if the kernel does not tell.
    pub forwards: Option<bool>,
    /// `net.bridge.bridge-nf-call-iptables`; none without the module br_netfilter.
    pub bridge_filter: Option<bool>,
    /// Servers by the resolver file they are in; a file that is not there is left out.
    pub servers: BTreeMap<String, Vec<String>>,
    /// The resolver files that were looked for.
    #[serde(default)]
    pub resolvers: Vec<String>,
    /// Active areas, of proc_swaps(5).
    pub swaps: Vec<String>,
    /// None where the kernel was not asked: evidence of another machine.
    pub clock: Option<Clock>,
    pub groups: Groups,
    /// Packages of the runtime and what it stands on that were installed anew, the newest last.
    #[serde(default)]
    pub upgrades: Vec<Upgrade>,
}

/// As the package manager wrote it down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// `2026-11-30 06:12:44`, by the node's own zone.
    pub at: String,
    pub text: String,
}

/// adjtimex(2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub synchronized: bool,
    /// Microseconds the kernel believes it may be off at most.
    pub error: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// Deleted, but still held by memory charged to them; `nr_dying_descendants` of cgroup v2's root.
    pub dying: Option<u64>,
    /// `num_cgroups` of the memory controller in /proc/cgroups. cgroup v1 has 65535 ids.
    pub memory: Option<u64>,
}

/// `more` is a resolver file that the kubelet names.
///
/// # Errors
/// If a file that is there cannot be read.
pub fn collect(root: &Path, more: Option<&str>) -> Result<HostFacts> {
    let text = |path: &str| read_if_there(&below(root, path));
    let flag = |path: &str| text(path).map(|t| t.map(|t| t.trim() != "0"));
    let mut servers = BTreeMap::new();
    let resolvers: Vec<String> = [RESOLV, RESOLVED].into_iter().chain(more).map(str::to_owned).collect();
    for path in &resolvers {
        if let Some(text) = text(path)? {
            servers.insert(path.clone(), nameservers(&text));
        }
    }
    let swaps = text("/proc/swaps")?.unwrap_or_default();
    let memory = text("/proc/cgroups")?.unwrap_or_default();
    let stat = match text("/sys/fs/cgroup/cgroup.stat")? {
        Some(stat) => stat,
        None => text("/sys/fs/cgroup/unified/cgroup.stat")?.unwrap_or_default(),
    };
    Ok(HostFacts {
        forwards: flag("/proc/sys/net/ipv4/ip_forward")?,
        bridge_filter: flag("/proc/sys/net/bridge/bridge-nf-call-iptables")?,
        servers,
        resolvers,
        swaps: swaps.lines().skip(1).filter_map(|l| l.split_whitespace().next()).map(str::to_owned).collect(),
        clock: (root == Path::new("/")).then(clock).flatten(),
        groups: Groups {
            dying: stat.lines().find_map(|l| l.strip_prefix("nr_dying_descendants ")?.trim().parse().ok()),
            memory: memory.lines().find_map(|l| l.strip_prefix("memory")?.split_whitespace().nth(1)?.parse().ok()),
        },
        upgrades: upgrades(root),
    })
}

/// dpkg's log: `2026-11-30 06:12:44 upgrade containerd:amd64 1.6.20 1.6.24`.
fn upgrades(root: &Path) -> Vec<Upgrade> {
    let text = super::read(&below(root, "/var/log/dpkg.log")).unwrap_or_default();
    let of = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [date, time, "upgrade", name, ..] = words[..] else { return None };
        let ours = PACKAGES.contains(&name.split(':').next().unwrap_or(name));
        ours.then(|| Upgrade { at: format!("{date} {time}"), text: words[2..].join(" ") })
    };
    let mut found: Vec<Upgrade> = text.lines().rev().take(UPGRADES).filter_map(of).collect();
    found.reverse();
    found
}

/// Of a resolver file; the kubelet's own may be another one than the host's.
pub fn nameservers(text: &str) -> Vec<String> {
    let servers = text.lines().filter_map(|l| l.trim_start().strip_prefix("nameserver")?.split_whitespace().next());
    servers.map(str::to_owned).take(SERVERS).collect()
}

fn clock() -> Option<Clock> {
    // SAFETY: all fields are numbers (zero is a value of each), and with `modes` 0 the call only fills them.
    let (state, time) = unsafe {
        let mut time: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&mut time), time)
    };
    let synchronized = state != libc::TIME_ERROR && time.status & libc::STA_UNSYNC == 0;
    (state >= 0).then(|| Clock { synchronized, error: u64::try_from(time.maxerror).unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_host() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("/proc/sys/net/ipv4/ip_forward", "0\n");
        put(RESOLV, "# by hand\nnameserver 127.0.0.53\nsearch example.org\n");
        put("/proc/swaps", "Filename\tType\tSize\n/swapfile file 1048572 0 -2\n");
        put("/proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t9\t1\nmemory\t4\t700\t1\n");
        put(
            "/var/log/dpkg.log",
            "2026-11-30 06:12:40 startup archives unpack\n2026-11-30 06:12:44 upgrade containerd:amd64 1.6.20 1.6.24\n2026-11-30 06:12:45 upgrade vim:amd64 1 2\n",
        );
        put("/sys/fs/cgroup/cgroup.stat", "nr_descendants 70\nnr_dying_descendants 3\n");
        let facts = collect(root.path(), None).unwrap();
        assert_eq!((facts.forwards, facts.bridge_filter, facts.clock), (Some(false), None, None));
        assert_eq!(facts.servers[RESOLV], ["127.0.0.53"]);
        let upgrade =
            Upgrade { at: "2026-11-30 06:12:44".into(), text: "upgrade containerd:amd64 1.6.20 1.6.24".into() };
        assert_eq!(facts.upgrades, [upgrade]);
        assert_eq!(facts.swaps, ["/swapfile"]);
        assert_eq!(facts.groups, Groups { dying: Some(3), memory: Some(700) });
    }

    #[test]
    fn this_machine_has_a_clock() {
        assert!(collect(Path::new("/"), None).unwrap().clock.is_some());
    }
}
