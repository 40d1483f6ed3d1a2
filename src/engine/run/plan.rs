//! A runtime-spec document checked and made ready for a child that only makes system calls.

use std::{fs::File, os::fd::OwnedFd, path::PathBuf};

use oci_spec::runtime::{Linux, LinuxNamespaceType, Process, Spec};
use rustix::thread::ThreadNameSpaceType;

use super::{
    Confinement,
    devices::Devices,
    mounts::{self, Mount},
    process::Identity,
    users::Users,
};
use crate::{
    bail,
    engine::cgroup::Cgroup,
    error::{Context, Error, Kind, Result},
};

/// For the first process of a container.
#[derive(Debug)]
pub struct Plan {
    /// `CLONE_NEW*` of namespaces made by the clone itself.
    pub clone_flags: u64,
    /// Made after the cgroup has been joined, so that it is the namespace's root.
    pub new_cgroup_namespace: bool,
    pub pid_namespace: Option<OwnedFd>,
    /// The container's user namespace, entered before everything else; `None` is the host's.
    pub users: Option<OwnedFd>,
    /// Namespaces to join, but for the pid namespace.
    pub joined: Vec<(ThreadNameSpaceType, OwnedFd)>,
    /// Set only in a UTS namespace of the container's own.
    pub hostname: Option<String>,
    pub sysctls: Vec<(String, String)>,
    pub root: Root,
    pub identity: Identity,
}

/// The container's filesystem.
#[derive(Debug)]
pub struct Root {
    pub path: PathBuf,
    /// A private copy of what is mounted at `path`.
    pub tree: OwnedFd,
    pub readonly: bool,
    /// `MS_SHARED`, `MS_SLAVE` or `MS_PRIVATE` for the new root and what is below it.
    pub propagation: u64,
    pub mounts: Vec<Mount>,
    pub devices: Devices,
    pub masked: Vec<PathBuf>,
    pub readonly_paths: Vec<PathBuf>,
    /// The host's /dev/null, for masking files: the container's may be anything.
    pub null: OwnedFd,
    /// Made if it is missing.
    pub cwd: PathBuf,
}

impl Plan {
    pub fn new(spec: &Spec, confinement: &Confinement, cgroup: &Cgroup) -> Result<Self> {
        refuse(spec)?;
        let Some(process) = spec.process() else { bail!(InvalidArgument, "the spec has no process") };
        let Some(root) = spec.root() else { bail!(InvalidArgument, "the spec has no root") };
        let linux = spec.linux().clone().unwrap_or_default();
        let maps = confinement.users.as_ref();
        let users = user_namespace(&linux, maps)?;
        let within = maps.zip(users.as_ref());
        let mut plan = Self {
            clone_flags: 0,
            new_cgroup_namespace: false,
            pid_namespace: None,
            joined: Vec::new(),
            hostname: None,
            sysctls: linux.sysctl().clone().unwrap_or_default().into_iter().collect(),
            root: Root::new(spec, &linux, root.path().clone(), root.readonly().unwrap_or(false), cgroup, within)?,
            identity: Identity::new(process, maps)?,
            users,
        };
        plan.namespaces(spec, &linux)?;
        Ok(plan)
    }

    fn namespaces(&mut self, spec: &Spec, linux: &Linux) -> Result<()> {
        for namespace in linux.namespaces().iter().flatten() {
            let (flag, kind) = match namespace.typ() {
                LinuxNamespaceType::User => continue,
                LinuxNamespaceType::Mount if namespace.path().is_some() => {
                    bail!(Unimplemented, "the built-in runtime does not join mount namespaces")
                }
                LinuxNamespaceType::Mount => {
                    self.clone_flags |= libc::CLONE_NEWNS as u64;
                    continue;
                }
                LinuxNamespaceType::Network => (libc::CLONE_NEWNET, ThreadNameSpaceType::NETWORK),
                LinuxNamespaceType::Ipc => (libc::CLONE_NEWIPC, ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION),
                LinuxNamespaceType::Uts => (libc::CLONE_NEWUTS, ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME),
                LinuxNamespaceType::Pid => (libc::CLONE_NEWPID, ThreadNameSpaceType::PROCESS_ID),
                LinuxNamespaceType::Cgroup => (libc::CLONE_NEWCGROUP, ThreadNameSpaceType::CONTROL_GROUP),
                other => {
                    bail!(Unimplemented, "the built-in runtime has no {other:?} namespaces: choose another handler")
                }
            };
            let Some(path) = namespace.path() else {
                match namespace.typ() {
                    LinuxNamespaceType::Cgroup => self.new_cgroup_namespace = true,
                    _ => self.clone_flags |= flag as u64,
                }
                if namespace.typ() == LinuxNamespaceType::Uts {
                    self.hostname.clone_from(spec.hostname());
                }
                continue;
            };
            let fd: OwnedFd = File::open(path).map_err(|e| Error::io("open namespace", path, e))?.into();
            match namespace.typ() {
                LinuxNamespaceType::Pid => self.pid_namespace = Some(fd),
                _ => self.joined.push((kind, fd)),
            }
        }
        // Without one of its own the container would change the mounts of the host.
        if self.clone_flags & libc::CLONE_NEWNS as u64 == 0 {
            bail!(InvalidArgument, "the spec asks for no mount namespace");
        }
        Ok(())
    }
}

impl Root {
    fn new(
        spec: &Spec,
        linux: &Linux,
        path: PathBuf,
        readonly: bool,
        cgroup: &Cgroup,
        within: Option<(&Users, &OwnedFd)>,
    ) -> Result<Self> {
        if !path.is_absolute() {
            bail!(InvalidArgument, "root.path {} is not absolute", path.display());
        }
        let propagation = match linux.rootfs_propagation().as_deref().unwrap_or("") {
            "" | "private" | "rprivate" => libc::MS_PRIVATE,
            "slave" | "rslave" => libc::MS_SLAVE,
            "shared" | "rshared" => libc::MS_SHARED,
            other => bail!(InvalidArgument, "rootfsPropagation {other:?}"),
        };
        let paths = |list: &Option<Vec<String>>| list.iter().flatten().map(PathBuf::from).collect();
        let wanted = spec.mounts().as_deref().unwrap_or_default();
        let host_dev = wanted.iter().any(|m| {
            let bound = m.options().iter().flatten().any(|o| o == "bind" || o == "rbind");
            bound && m.destination().as_os_str().to_string_lossy().trim_end_matches('/') == "/dev"
        });
        let cwd = spec.process().as_ref().map(|p| p.cwd().clone()).unwrap_or_default();
        Ok(Self {
            tree: mounts::copy_tree(&path, true).context(|| format!("copy the mount at {}", path.display()))?,
            path,
            readonly,
            propagation,
            mounts: wanted.iter().map(|m| Mount::new(m, cgroup, within)).collect::<Result<_>>()?,
            devices: if host_dev { Devices::Hosts } else { Devices::new(linux, within.is_some())? },
            masked: paths(linux.masked_paths()),
            readonly_paths: paths(linux.readonly_paths()),
            null: mounts::copy_tree("/dev/null".as_ref(), false)
                .context(|| "copy the mount of /dev/null".to_owned())?,
            cwd,
        })
    }
}

/// The one to join, or a new one.
fn user_namespace(linux: &Linux, maps: Option<&Users>) -> Result<Option<OwnedFd>> {
    let wanted = linux.namespaces().iter().flatten().find(|n| n.typ() == LinuxNamespaceType::User);
    match (wanted, maps) {
        (None, None) => Ok(None),
        (None, Some(_)) => bail!(InvalidArgument, "the spec maps ids without a user namespace"),
        (Some(_), None) => bail!(InvalidArgument, "the spec has a user namespace without uidMappings and gidMappings"),
        (Some(namespace), Some(maps)) => match namespace.path() {
            Some(path) => File::open(path).map(|f| Some(f.into())).map_err(|e| Error::io("open namespace", path, e)),
            None => maps.hold(0)?.users().map(Some),
        },
    }
}

/// What a document may ask for and this runtime does not have.
fn refuse(spec: &Spec) -> Result<()> {
    let linux = spec.linux().clone().unwrap_or_default();
    let hooks = spec.hooks().as_ref().is_some_and(|h| *h != oci_spec::runtime::Hooks::default());
    let asked = [
        (hooks, "hooks"),
        (linux.intel_rdt().is_some(), "resource director settings"),
        (linux.personality().is_some(), "personalities"),
        (linux.time_offsets().as_ref().is_some_and(|t| !t.is_empty()), "time offsets"),
        (linux.mount_label().as_deref().is_some_and(|l| !l.is_empty()), "mount labels"),
    ];
    match asked.iter().find(|(asked, _)| *asked) {
        Some((_, what)) => {
            bail!(Unimplemented, "the built-in runtime has no {what}: choose another handler")
        }
        None => Ok(()),
    }
}

/// For a further process.
#[derive(Debug)]
pub struct ExecPlan {
    /// A pidfd of the container's first process: all its namespaces.
    pub init: OwnedFd,
    pub identity: Identity,
}

impl ExecPlan {
    pub fn new(process: &Process, users: Option<&Users>, init: u32) -> Result<Self> {
        let gone = || Error::new(Kind::NotFound, format!("process {init} has gone"));
        let pid = rustix::process::Pid::from_raw(init.cast_signed()).ok_or_else(gone)?;
        let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
        Ok(Self { init: fd.context(|| format!("open process {init}"))?, identity: Identity::new(process, users)? })
    }
}
