//! What a cloned child does, in order. Nothing here returns: it ends in another program or in a reported failure.

use std::os::fd::{AsFd, OwnedFd};

use rustix::thread::ThreadNameSpaceType;

use super::{
    channel::Report,
    console,
    plan::{ExecPlan, Plan},
    rootfs, sys,
};
use crate::{
    engine::cgroup::Cgroup,
    error::{Context, Error, Kind, Result},
};

/// Exit codes of a child that reported why it failed.
const FAILED: i32 = 1;

/// The first process of a container. `in_unified`: the clone put it into the v2 cgroup already.
pub fn first(plan: Plan, report: &Report, cgroup: &Cgroup, in_unified: bool, stdio: [OwnedFd; 3]) -> ! {
    let result = stand_up(plan, report, cgroup, in_unified, stdio);
    end(report, result)
}

fn stand_up(plan: Plan, report: &Report, cgroup: &Cgroup, in_unified: bool, stdio: [OwnedFd; 3]) -> Result<()> {
    sys::reset_signals();
    cgroup.join(0, !in_unified)?;
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
    plan.identity.set_oom_score()?;
    plan.identity.set_limits()?;
    rustix::process::setsid().context(|| "make a session".to_owned())?;
    let Plan { root, identity, sysctls, .. } = plan;
    rootfs::enter(root)?;
    for (name, value) in &sysctls {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        std::fs::write(&path, value).context(|| format!("set sysctl {name}"))?;
    }
    let terminal = if identity.terminal {
        let (master, slave) = console::open()?;
        console::mount(&slave)?;
        attach_terminal(&slave, identity.uid)?;
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
    identity.become_it()
}

/// A further process of a container.
pub fn further(plan: &ExecPlan, report: &Report, cgroup: &Cgroup, in_unified: bool, stdio: [OwnedFd; 3]) -> ! {
    let result = enter(plan, cgroup, in_unified, stdio);
    end(report, result)
}

fn enter(plan: &ExecPlan, cgroup: &Cgroup, in_unified: bool, stdio: [OwnedFd; 3]) -> Result<()> {
    sys::reset_signals();
    cgroup.join(0, !in_unified)?;
    plan.identity.set_oom_score()?;
    let all = ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::NETWORK
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::CONTROL_GROUP;
    sys::set_namespace(plan.init.as_fd(), all).context(|| "join the container's namespaces".to_owned())?;
    plan.identity.set_limits()?;
    rustix::process::setsid().context(|| "make a session".to_owned())?;
    if plan.identity.terminal {
        attach_terminal(&stdio[0], plan.identity.uid)?;
    } else {
        attach(&stdio)?;
    }
    drop(stdio);
    plan.identity.become_it()
}

fn attach(stdio: &[OwnedFd; 3]) -> Result<()> {
    for (number, fd) in (0..).zip(stdio) {
        sys::place(fd, number).context(|| format!("make descriptor {number}"))?;
    }
    Ok(())
}

fn attach_terminal(slave: &OwnedFd, uid: u32) -> Result<()> {
    rustix::process::ioctl_tiocsctty(slave).context(|| "take the terminal as the session's".to_owned())?;
    let owner = Some(rustix::fs::Uid::from_raw(uid));
    rustix::fs::fchown(slave, owner, None).context(|| "give the terminal to the user".to_owned())?;
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
