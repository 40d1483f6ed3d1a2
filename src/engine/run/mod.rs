//! The built-in OCI runtime: a runtime-spec document becomes a process (OCI runtime spec 1.2).
//!
//! Everything that can fail on the document is done by the caller before the clone ([`Plan`]): parsing, opening bind
//! sources and namespaces. The child then only makes system calls. It tells its parent over a [`Channel`] when the
//! container stands, waits there for the word to start, and replaces itself by the container's program.
//!
//! For single-threaded processes only (the shim): the child of a raw clone allocates memory. What this runtime cannot
//! honour is refused by `Plan`, never silently weaker.

mod channel;
mod child;
mod console;
mod devices;
mod mounts;
mod options;
mod pause;
mod plan;
mod process;
mod resolve;
mod rootfs;
mod seccomp;
mod sys;
mod users;

use std::os::fd::{AsFd, OwnedFd};

use oci_spec::runtime::{Process, Spec};

pub use channel::{Channel, Word};
pub use console::terminal_below;
pub use pause::{Pause, pause};
pub use rootfs::confine;
pub use seccomp::Filter;
pub use sys::close_on_exec_from_3;
pub use users::{IdMap, Users, idmap, mappings, owner, probe};

use self::{
    child::Around,
    plan::{ExecPlan, Plan},
};
use super::cgroup::Cgroup;
use crate::error::{Context, Result};

/// A process that has been cloned and is becoming a container, or a process in one.
#[derive(Debug)]
pub struct Child {
    /// In the caller's pid namespace; a child of the caller, who must wait for it.
    pub pid: u32,
    pub channel: Channel,
}

/// What confines every process of a container, the further ones too.
#[derive(Debug, Default)]
pub struct Confinement {
    /// Its seccomp profile.
    pub filter: Option<Filter>,
    /// Its user namespace, if that is not the host's.
    pub users: Option<Users>,
}

impl Confinement {
    /// # Errors
    /// As [`Filter::new`] and [`Users::of`].
    pub fn of(spec: &Spec) -> Result<Self> {
        let Some(linux) = spec.linux() else { return Ok(Self::default()) };
        let filter = linux.seccomp().as_ref().map(Filter::new);
        Ok(Self { filter: filter.transpose().context(|| "the seccomp profile".to_owned())?, users: Users::of(linux)? })
    }
}

/// Clones the first process of a container. The cgroup exists, the root filesystem is mounted at `root.path`.
/// `stdio` becomes its descriptors 0 to 2, unless the process wants a terminal: that comes with [`Word::Ready`].
///
/// # Errors
/// `InvalidArgument` and `Unimplemented` for documents we cannot honour; whatever the kernel refuses. What goes wrong
/// after the clone is told by the channel.
pub fn create(spec: &Spec, confinement: &Confinement, cgroup: &Cgroup, stdio: [OwnedFd; 3]) -> Result<Child> {
    let plan = Plan::new(spec, confinement, cgroup)?;
    let (ours, theirs) = channel::pair()?;
    let unified = cgroup.open_unified()?;
    let around = Around { cgroup, in_unified: unified.is_some(), confinement };
    let (into, pids) = (unified.as_ref().map(AsFd::as_fd), plan.pid_namespace.as_ref().map(AsFd::as_fd));
    let pid = match &plan.users {
        None => {
            sys::clone_in(pids, plan.clone_flags, into).context(|| "clone the container's first process".to_owned())
        }
        Some(users) => {
            let outside = || child::outside(&plan.identity, &around, &stdio);
            sys::clone_below(users.as_fd(), pids, plan.clone_flags, into, outside)
        }
    };
    match pid? {
        Some(pid) => Ok(Child { pid, channel: ours }),
        None => {
            drop(ours);
            child::first(plan, &theirs, &around, stdio)
        }
    }
}

/// Clones a further process into the container whose first process is `init` (a pid that cannot be reused: the caller's
/// own child or a descendant that it reaps). There is no word to start: it starts at once.
///
/// # Errors
/// As [`create`].
pub fn exec(
    process: &Process,
    confinement: &Confinement,
    init: u32,
    cgroup: &Cgroup,
    stdio: [OwnedFd; 3],
) -> Result<Child> {
    let plan = ExecPlan::new(process, confinement.users.as_ref(), init)?;
    let (ours, theirs) = channel::pair()?;
    let unified = cgroup.open_unified()?;
    let pid = sys::clone_in(Some(plan.init.as_fd()), 0, unified.as_ref().map(AsFd::as_fd));
    match pid.context(|| "clone a process into the container".to_owned())? {
        Some(pid) => Ok(Child { pid, channel: ours }),
        None => {
            drop(ours);
            child::further(&plan, &theirs, &Around { cgroup, in_unified: unified.is_some(), confinement }, stdio)
        }
    }
}
