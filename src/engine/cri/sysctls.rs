//! Sysctls of pods: which may be asked for, and which every pod has.

use super::{pod::namespace_mode, state::PodRecord};
use crate::{bail, engine::Engine, error::Result, proto::cri};

/// Only sysctls of namespaces the pod has of its own; names and values as sysctl(8) has them (threats RUN-13).
pub fn validate(record: &PodRecord) -> Result<()> {
    let sysctls = record.config.linux.as_ref().map(|l| &l.sysctls);
    for (name, value) in sysctls.into_iter().flatten() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        if name.is_empty() || !name.chars().all(plain) || name.contains("..") || value.contains(['\n', '+', '\0']) {
            bail!(InvalidArgument, "invalid sysctl {name:?}={value:?}");
        }
        let dotted = name.replace('/', ".");
        let (net, ipc) = (dotted.starts_with("net."), is_ipc(&dotted));
        let host_ipc = namespace_mode(&record.config, |o| o.ipc) == cri::NamespaceMode::Node;
        if !(net || ipc) {
            bail!(InvalidArgument, "sysctl {name:?} is not namespaced: it would change the host");
        }
        if net && record.netns.is_none() || ipc && host_ipc {
            bail!(InvalidArgument, "sysctl {name:?} is not allowed: the pod shares the host's namespace");
        }
    }
    Ok(())
}

fn is_ipc(name: &str) -> bool {
    ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."].iter().any(|p| name.starts_with(p))
}

/// What containerd 2 sets in the pods' network namespaces, unless they set it themselves: no capability is needed for ports
/// below 1024 or for ping.
pub fn usual(engine: &Engine, network: bool, users: bool) -> Vec<(&'static str, &'static str)> {
    let (ports, icmp) = (engine.config.unprivileged_ports, engine.config.unprivileged_icmp);
    let mut sysctls = Vec::new();
    if network && ports {
        sysctls.push(("net.ipv4.ip_unprivileged_port_start", "0"));
    }
    // Most of these groups are nobody's in a user namespace, which the kernel refuses.
    if network && icmp && !users {
        sysctls.push(("net.ipv4.ping_group_range", "0 2147483647"));
    }
    sysctls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cri::state::PodState;

    #[test]
    fn run_13_sysctls_that_reach_the_host_are_refused() {
        let with = |name: &str, value: &str| {
            let linux = cri::LinuxPodSandboxConfig {
                sysctls: [(name.to_owned(), value.to_owned())].into(),
                ..Default::default()
            };
            let config = cri::PodSandboxConfig { linux: Some(linux), ..Default::default() };
            validate(&PodRecord {
                id: String::new(),
                handler: String::new(),
                state: PodState::Creating,
                created_at: 0,
                directory: "/x".into(),
                netns: Some("/n".into()),
                attachment: None,
                cgroup: String::new(),
                cleanup_error: None,
                stopped: false,
                config,
            })
        };
        assert!(with("net.ipv4.ip_forward", "1").is_ok());
        assert!(with("kernel.shm_rmid_forced", "1").is_ok());
        for (name, value) in [
            ("kernel.core_pattern", "|x"),
            ("net.ipv4.x", "1+kernel.core_pattern"),
            ("net.ipv4.y", "1\n2"),
            ("a b", "1"),
        ] {
            assert!(with(name, value).is_err(), "{name}={value}");
        }
    }
}
