//! The process that holds a pod's namespaces, and is the first in its pid namespace. It can do nothing: an empty root, no
//! rights, no descriptors. It needs no image.

use std::{
    fs::File,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
};

use rustix::{
    mount::{MountPropagationFlags, UnmountFlags},
    thread::{CapabilitySet, CapabilitySets, ThreadNameSpaceType},
};

use super::{
    Child,
    channel::{self, Report},
    mounts,
    options::{Options, RDONLY},
    process::set_oom_score,
    sys,
    users::{self, Users},
};
use crate::{
    bail,
    engine::cgroup::Cgroup,
    error::{Context, Error, Result},
};

/// An id that owns nothing on any usual system.
const NOBODY: u32 = 65535;

/// What the process is to hold.
#[derive(Debug, Clone)]
pub struct Pause {
    /// "ipc", "uts", "pid": made anew.
    pub namespaces: Vec<String>,
    /// Joined; `None` is the host's.
    pub netns: Option<PathBuf>,
    /// The maps of the user namespace that `netns` belongs to, if that is not the host's: it owns all the others, too.
    pub users: Option<Users>,
    /// Set if it has a UTS namespace of its own, and not empty.
    pub hostname: String,
    /// Written from inside the namespaces.
    pub sysctls: Vec<(String, String)>,
    pub oom_score_adj: i32,
    /// An empty directory that its root is mounted on, for itself alone.
    pub directory: PathBuf,
}

/// Clones it. When it stands the channel has [`super::Word::Ready`]; it goes on until it is killed.
///
/// # Errors
/// `InvalidArgument` for an unknown namespace, and what the kernel refuses.
pub fn pause(what: &Pause, cgroup: &Cgroup) -> Result<Child> {
    let mut flags = libc::CLONE_NEWNS as u64;
    for name in &what.namespaces {
        flags |= match name.as_str() {
            "ipc" => libc::CLONE_NEWIPC,
            "uts" => libc::CLONE_NEWUTS,
            "pid" => libc::CLONE_NEWPID,
            other => bail!(InvalidArgument, "a pod has no namespace {other:?} of its own"),
        } as u64;
    }
    let netns: Option<OwnedFd> = match &what.netns {
        Some(path) => Some(File::open(path).map_err(|e| Error::io("open network namespace", path, e))?.into()),
        None => None,
    };
    let users = match (&what.users, &netns) {
        (None, _) => None,
        (Some(_), Some(netns)) => Some(users::owner(netns.as_fd())?),
        (Some(_), None) => bail!(InvalidArgument, "a pod in a user namespace needs a network namespace of its own"),
    };
    let (ours, theirs) = channel::pair()?;
    let unified = cgroup.open_unified()?;
    let into = unified.as_ref().map(AsFd::as_fd);
    let outside = || outside(what, cgroup, unified.is_some());
    let pid = match &users {
        None => sys::clone(flags, into).context(|| "clone the pause process".to_owned()),
        Some(users) => sys::clone_below(users.as_fd(), None, flags, into, outside),
    };
    match pid? {
        Some(pid) => Ok(Child { pid, channel: ours }),
        None => {
            drop(ours);
            let ready = if users.is_none() { outside() } else { Ok(()) };
            hold(&theirs, ready.and_then(|()| settle(what, netns)))
        }
    }
}

fn outside(what: &Pause, cgroup: &Cgroup, in_unified: bool) -> Result<()> {
    sys::reset_signals();
    cgroup.enter(!in_unified)?;
    set_oom_score(what.oom_score_adj)
}

fn settle(what: &Pause, netns: Option<OwnedFd>) -> Result<()> {
    rustix::process::setsid().context(|| "make a session".to_owned())?;
    if let Some(netns) = netns {
        sys::set_namespace(netns.as_fd(), ThreadNameSpaceType::NETWORK)
            .context(|| "join the network namespace".to_owned())?;
    }
    if !what.hostname.is_empty() && what.namespaces.iter().any(|n| n == "uts") {
        rustix::system::sethostname(what.hostname.as_bytes())
            .context(|| format!("set hostname {:?}", what.hostname))?;
    }
    // The way there is the host's root's alone.
    let place = mounts::open_directory(&what.directory).map_err(|e| Error::io("open", &what.directory, e))?;
    if what.users.is_some() {
        // Who has to own the namespaces to change their sysctls.
        sys::become_root().context(|| "become root of the user namespace".to_owned())?;
    }
    for (name, value) in &what.sysctls {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        std::fs::write(&path, value).map_err(|e| Error::io("set sysctl", &path, e))?;
    }
    empty_root(&place)?;
    rustix::thread::set_name(c"pause").context(|| "set the name".to_owned())?;
    rustix::thread::set_thread_groups(&[]).context(|| "leave the groups".to_owned())?;
    let (uid, gid) = what.users.as_ref().map_or((NOBODY, NOBODY), |u| u.at_most(NOBODY));
    let (uid, gid) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
    rustix::thread::set_thread_res_gid(gid, gid, gid).context(|| "change the group".to_owned())?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).context(|| "change the user".to_owned())?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .context(|| "drop capabilities".to_owned())?;
    rustix::thread::set_no_new_privs(true).context(|| "set no_new_privs".to_owned())
}

/// A container that shares the pid namespace can look at /proc/1/root: there is nothing there.
fn empty_root(place: &OwnedFd) -> Result<()> {
    let doing = || "change to an empty root".to_owned();
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).context(doing)?;
    let mut options = Options::default();
    options.attributes.set = RDONLY;
    options.data = [("size", "0"), ("nr_inodes", "1")].map(|(k, v)| (k.to_owned(), Some(v.to_owned()))).into();
    let root = mounts::new_fs("tmpfs", "tmpfs", &options)?;
    mounts::move_to(root.as_fd(), place.as_fd())?;
    rustix::process::fchdir(&root).context(doing)?;
    rustix::process::pivot_root(".", ".").context(doing)?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).context(doing)?;
    rustix::process::chdir("/").context(doing)
}

fn hold(report: &Report, result: Result<()>) -> ! {
    let told = match &result {
        Ok(()) => report.ready(None),
        Err(error) => report.failed(error),
    };
    if result.is_err() || told.is_err() {
        sys::exit(1);
    }
    sys::hold()
}
