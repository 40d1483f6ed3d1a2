//! OCI runtimes that are not ours, behind one face: by their command line, or by a containerd shim.

use std::{
    cell::RefCell,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    rc::Rc,
};

use oci_spec::runtime::{LinuxResources, Process};

use super::{CreateTask, command::CommandLine, console, containerd::Peer};
use crate::error::Result;

#[derive(Debug, Clone)]
pub enum Foreign {
    Command(CommandLine),
    /// One for all containers of the pod.
    Shim(Rc<RefCell<Peer>>),
}

/// A container's first process, made but not started.
#[derive(Debug)]
pub struct Created {
    pub pid: u32,
    /// The master of its terminal, if it has one.
    pub terminal: Option<OwnedFd>,
    /// What must stay open until it is started: a shim opens them by their paths.
    pub lent: Vec<OwnedFd>,
}

impl Foreign {
    pub fn create(&self, task: &CreateTask, stdio: [OwnedFd; 3]) -> Result<Created> {
        match self {
            Self::Command(command) => {
                let (pid, terminal) = command.create(&task.id, &task.bundle, stdio, task.tty)?;
                Ok(Created { pid, terminal, lent: Vec::new() })
            }
            Self::Shim(peer) if task.tty => {
                let (master, slave) = console::pair()?;
                console::make_raw(&slave)?;
                let stdin = task.stdin.then(|| slave.as_fd());
                let pid = peer.borrow_mut().create(&task.id, &task.bundle, [stdin, Some(slave.as_fd()), None], true)?;
                Ok(Created { pid, terminal: Some(master), lent: vec![slave] })
            }
            Self::Shim(peer) => {
                let [stdin, out, err] = stdio.each_ref().map(|fd| Some(fd.as_fd()));
                let stdin = stdin.filter(|_| task.stdin);
                let pid = peer.borrow_mut().create(&task.id, &task.bundle, [stdin, out, err], false)?;
                Ok(Created { pid, terminal: None, lent: stdio.into() })
            }
        }
    }

    pub fn start(&self, id: &str, bundle: &Path) -> Result<()> {
        match self {
            Self::Command(command) => command.start(id, bundle),
            Self::Shim(peer) => peer.borrow_mut().start_process(id, None).map(drop),
        }
    }

    /// A further process, running; its pid.
    pub fn exec(&self, id: &str, exec: &str, bundle: &Path, process: &Process, stdio: [OwnedFd; 3]) -> Result<u32> {
        match self {
            Self::Command(command) => command.exec(id, exec, bundle, process, stdio),
            Self::Shim(peer) => peer.borrow_mut().exec(id, exec, process, &stdio),
        }
    }

    pub fn update(&self, id: &str, bundle: &Path, resources: &LinuxResources) -> Result<()> {
        match self {
            Self::Command(command) => command.update(id, bundle, resources),
            Self::Shim(peer) => peer.borrow_mut().update(id, resources),
        }
    }

    pub fn delete(&self, id: &str, bundle: &Path) -> Result<()> {
        match self {
            Self::Command(command) => command.delete(id, bundle),
            Self::Shim(peer) => peer.borrow_mut().delete_container(id, bundle),
        }
    }

    /// The shim, which knows processes that have no pid here.
    pub fn peer(&self) -> Option<&RefCell<Peer>> {
        match self {
            Self::Command(_) => None,
            Self::Shim(peer) => Some(peer),
        }
    }
}
