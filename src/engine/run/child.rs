//! What a cloned child does, in order. Nothing here returns: it ends in another program or in a reported failure.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{FileType, Mode, OFlags},
    thread::ThreadNameSpaceType,
};

use super::{
    Confinement,
    channel::Report,
    console,
    plan::{ExecPlan, Plan},
    process::Identity,
    rootfs, sys,
};
use crate::{
    engine::cgroup::Cgroup,
    error::{Context, Error, Kind, Result},
};

/// Exit codes of a child that reported why it failed.
const FAILED: i32 = 1;

/// The first process of a container.
pub fn first(plan: Plan, report: &Report, around: &Around<'_>, stdio: [OwnedFd; 3]) -> ! {
    let result = stand_up(plan, report, around, stdio);
    end(report, result)
}

/// What the parent has ready for a child, beside its plan.
#[derive(Debug)]
pub struct Around<'a> {
    pub cgroup: &'a Cgroup,
    /// The clone put it into the v2 cgroup already.
    pub in_unified: bool,
    pub confinement: &'a Confinement,
}

/// What takes the rights of the host's root: first of all, before any namespace is entered.
pub fn outside(identity: &Identity, around: &Around<'_>, stdio: &[OwnedFd; 3]) -> Result<()> {
    sys::reset_signals();
    around.cgroup.enter(!around.in_unified)?;
    identity.set_oom_score()?;
    identity.set_limits()?;
    identity.give(stdio)
}

fn stand_up(plan: Plan, report: &Report, around: &Around<'_>, stdio: [OwnedFd; 3]) -> Result<()> {
    if plan.users.is_none() {
        outside(&plan.identity, around, &stdio)?;
    }
    for (kind, namespace) in &plan.joined {
        sys::set_namespace(namespace.as_fd(), *kind).context(|| format!("join the pod's namespace ({kind:?})"))?;
    }
    if plan.new_cgroup_namespace {
        // SAFETY: a new cgroup namespace shares no memory or descriptors.
        unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWCGROUP) }
            .context(|| "make a cgroup namespace".to_owned())?;
    }
    if let Some(hostname) = &plan.hostname {
        rustix::system::sethostname(hostname.as_bytes()).context(|| format!("set the hostname {hostname:?}"))?;
    }
    rustix::process::setsid().context(|| "make a session".to_owned())?;
    let Plan { root, identity, sysctls, users, .. } = plan;
    rootfs::enter(root, users.is_some())?;
    for (name, value) in &sysctls {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        std::fs::write(&path, value).context(|| format!("set sysctl {name}"))?;
    }
    let terminal = if identity.terminal {
        let (master, slave) = console::open()?;
        console::mount(&slave)?;
        let owner = Some(rustix::fs::Uid::from_raw(identity.uid));
        rustix::fs::fchown(&slave, owner, None).context(|| "give the terminal to the user".to_owned())?;
        attach_terminal(&slave)?;
        Some(master)
    } else {
        attach(&stdio)?;
        None
    };
    drop(stdio);
    report.ready(terminal.as_ref())?;
    drop(terminal);
    if !report.wait_for_start() {
        sys::exit(FAILED);
    }
    identity.become_it(around.confinement.filter.as_ref())
}

/// A further process of a container.
pub fn further(plan: &ExecPlan, report: &Report, around: &Around<'_>, stdio: [OwnedFd; 3]) -> ! {
    let result = enter(plan, around, stdio);
    end(report, result)
}

fn enter(plan: &ExecPlan, around: &Around<'_>, stdio: [OwnedFd; 3]) -> Result<()> {
    outside(&plan.identity, around, &stdio)?;
    let mut all = ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::NETWORK
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::CONTROL_GROUP;
    if around.confinement.users.is_some() {
        all |= ThreadNameSpaceType::USER;
    }
    sys::set_namespace(plan.init.as_fd(), all).context(|| "join the container's namespaces".to_owned())?;
    rustix::process::setsid().context(|| "make a session".to_owned())?;
    if plan.identity.terminal {
        attach_terminal(&stdio[0])?;
    } else {
        attach(&stdio)?;
    }
    drop(stdio);
    plan.identity.become_it(around.confinement.filter.as_ref())
}

fn attach(stdio: &[OwnedFd; 3]) -> Result<()> {
    for (number, fd) in (0..).zip(stdio) {
        sys::place(own_null(fd).as_ref().unwrap_or(fd), number).context(|| format!("make descriptor {number}"))?;
    }
    Ok(())
}

/// The container's own /dev/null for the host's, if it has one: no descriptor of the host's mounts is left to it (and CRIU
/// could not write that down).
fn own_null(fd: &OwnedFd) -> Option<OwnedFd> {
    let is_null = |fd: &OwnedFd| {
        rustix::fs::fstat(fd).is_ok_and(|found| {
            FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice
                && found.st_rdev == rustix::fs::makedev(1, 3)
        })
    };
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    is_null(fd).then(|| rustix::fs::open("/dev/null", flags, Mode::empty()).ok()).flatten().filter(is_null)
}

fn attach_terminal(slave: &OwnedFd) -> Result<()> {
    rustix::process::ioctl_tiocsctty(slave).context(|| "take the terminal as the session's".to_owned())?;
    for number in 0..3 {
        sys::place(slave, number).context(|| format!("make descriptor {number}"))?;
    }
    Ok(())
}

fn end(report: &Report, result: Result<()>) -> ! {
    let error = result.err().unwrap_or_else(|| Error::new(Kind::Internal, "the child came to its end"));
    // If the parent cannot be told it sees the exit code; there is nobody else to tell.
    let told = report.failed(&error);
    sys::exit(if told.is_ok() { FAILED } else { FAILED + 1 })
}
