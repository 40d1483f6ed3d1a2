//! The user namespace a pod asks for, checked, and where a container finds it.

use std::{fs::File, os::fd::OwnedFd};

use super::state::PodRecord;
use crate::{
    bail,
    engine::run::{IdMap, Users},
    error::{Context, Error, Result},
    proto::cri::{self, NamespaceMode},
};

/// The maps of a pod; `None` if it lives in the host's user namespace.
///
/// # Errors
/// `InvalidArgument` for modes and maps that no pod can have, and for namespaces of the host beside one of its own.
pub fn of_pod(config: &cri::PodSandboxConfig) -> Result<Option<Users>> {
    let options = config.linux.as_ref().and_then(|l| l.security_context.as_ref()?.namespace_options.as_ref());
    let Some(options) = options else { return Ok(None) };
    let Some(users) = maps(options.userns_options.as_ref())? else { return Ok(None) };
    for (mode, what) in [(options.network(), "network"), (options.ipc(), "ipc"), (options.pid(), "pid")] {
        if mode == NamespaceMode::Node {
            bail!(InvalidArgument, "a pod with a user namespace cannot share the host's {what} namespace");
        }
    }
    Ok(Some(users))
}

/// As the kubelet makes them: one range, the same for users and groups, from 0 on.
fn maps(wanted: Option<&cri::UserNamespace>) -> Result<Option<Users>> {
    let Some(wanted) = wanted else { return Ok(None) };
    match wanted.mode() {
        NamespaceMode::Node if wanted.uids.is_empty() && wanted.gids.is_empty() => return Ok(None),
        NamespaceMode::Node => bail!(InvalidArgument, "id mappings without a user namespace"),
        NamespaceMode::Pod => {}
        other => bail!(InvalidArgument, "user namespace mode {} is not supported", other.as_str_name()),
    }
    let ([uids], [gids]) = (wanted.uids.as_slice(), wanted.gids.as_slice()) else {
        bail!(
            InvalidArgument,
            "a user namespace needs one mapping of users and one of groups, not {} and {}",
            wanted.uids.len(),
            wanted.gids.len()
        );
    };
    if uids != gids {
        bail!(InvalidArgument, "users and groups must be mapped alike");
    }
    let map = IdMap { inside: uids.container_id, outside: uids.host_id, count: uids.length };
    let overflow = map.outside.checked_add(map.count).is_none() || map.inside.checked_add(map.count).is_none();
    if map.inside != 0 || map.count == 0 || overflow {
        bail!(InvalidArgument, "the mapping {} {} {} does not begin at 0", map.inside, map.outside, map.count);
    }
    Ok(Some(Users { uids: vec![map], gids: vec![map] }))
}

/// A container is in its pod's user namespace, whatever it says of the mode; other maps than the pod's are an error.
///
/// # Errors
/// As [`of_pod`].
pub fn of_container(pod: &PodRecord, config: &cri::ContainerConfig) -> Result<Option<Users>> {
    let users = of_pod(&pod.config)?;
    let options = super::spec::namespace_options(config);
    let own = maps(options.userns_options.as_ref())?;
    match (&users, &own) {
        (_, None) => {}
        (Some(pod), Some(own)) if pod == own => {}
        _ => bail!(InvalidArgument, "the container's user namespace is not its pod's"),
    }
    if users.is_some() && super::spec::security(config).privileged {
        bail!(InvalidArgument, "a privileged container cannot be in a user namespace");
    }
    Ok(users)
}

/// Where the pod's user namespace is found, while its pause process lives.
pub fn path(pause: u32) -> String {
    format!("/proc/{pause}/ns/user")
}

/// # Errors
/// If the pause process is gone.
pub fn open(pause: u32) -> Result<OwnedFd> {
    let path = path(pause);
    let file = File::open(&path).map_err(|e| Error::io("open", &path, e));
    file.map(Into::into).context(|| "the pod's user namespace".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mode: NamespaceMode, uids: &[(u32, u32, u32)]) -> cri::UserNamespace {
        let list = |maps: &[(u32, u32, u32)]| {
            maps.iter()
                .map(|(c, h, n)| cri::IdMapping { container_id: *c, host_id: *h, length: *n })
                .collect::<Vec<_>>()
        };
        cri::UserNamespace { mode: mode.into(), uids: list(uids), gids: list(uids) }
    }

    #[test]
    fn one_range_from_0_on() {
        let good = maps(Some(&asked(NamespaceMode::Pod, &[(0, 1000, 65536)]))).unwrap().unwrap();
        assert_eq!(good.uid(7).unwrap(), 1007);
        assert!(maps(Some(&asked(NamespaceMode::Node, &[]))).unwrap().is_none());
        for (mode, list) in [
            (NamespaceMode::Pod, vec![]),
            (NamespaceMode::Pod, vec![(0, 1000, 10), (10, 3000, 10)]),
            (NamespaceMode::Pod, vec![(1, 1000, 10)]),
            (NamespaceMode::Pod, vec![(0, 1000, 0)]),
            (NamespaceMode::Pod, vec![(0, u32::MAX, 10)]),
            (NamespaceMode::Container, vec![(0, 1000, 10)]),
            (NamespaceMode::Target, vec![]),
            (NamespaceMode::Node, vec![(0, 1000, 10)]),
        ] {
            assert!(maps(Some(&asked(mode, &list))).is_err(), "{mode:?} {list:?}");
        }
    }

    #[test]
    fn the_hosts_namespaces_are_not_for_a_pod_with_its_own_users() {
        let with = |network: NamespaceMode, pid: NamespaceMode| {
            let options = cri::NamespaceOption {
                network: network.into(),
                pid: pid.into(),
                userns_options: Some(asked(NamespaceMode::Pod, &[(0, 1000, 65536)])),
                ..Default::default()
            };
            let security = cri::LinuxSandboxSecurityContext { namespace_options: Some(options), ..Default::default() };
            let linux = cri::LinuxPodSandboxConfig { security_context: Some(security), ..Default::default() };
            of_pod(&cri::PodSandboxConfig { linux: Some(linux), ..Default::default() })
        };
        assert!(with(NamespaceMode::Pod, NamespaceMode::Container).unwrap().is_some());
        assert!(with(NamespaceMode::Node, NamespaceMode::Container).is_err());
        assert!(with(NamespaceMode::Pod, NamespaceMode::Node).is_err());
    }
}
