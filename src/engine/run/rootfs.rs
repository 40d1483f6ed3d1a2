//! The child moves into its root: mounts, devices, pivot_root, then what may not be seen or written.

use std::{
    os::fd::{AsFd, BorrowedFd},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags},
    mount::{MountPropagationFlags, UnmountFlags},
};

use super::{
    mounts,
    options::{NODEV, NOEXEC, NOSUID, RDONLY},
    plan::Root,
    resolve::{self, Want},
    sys::{self, Attributes},
};
use crate::error::{Context, Result};

/// Makes `directory` all that the calling thread can see: the root of a mount namespace with nothing else in it, on which
/// no device opens and nothing is executed.
///
/// # Errors
/// What the kernel refuses: the thread is of no use then.
pub fn confine(directory: &Path) -> Result<()> {
    // SAFETY: a new mount namespace shares no memory or descriptors.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }
        .context(|| "make a mount namespace".to_owned())?;
    private()?;
    let doing = || format!("open {}", directory.display());
    let tree = mounts::copy_tree(directory, false).context(doing)?;
    let inert = Attributes { set: NODEV | NOEXEC | NOSUID, propagation: libc::MS_PRIVATE, ..Default::default() };
    sys::mount_setattr(tree.as_fd(), false, inert).context(|| "make the root inert".to_owned())?;
    let place = mounts::open_directory(directory).context(doing)?;
    mounts::move_to(tree.as_fd(), place.as_fd()).context(|| "mount the root".to_owned())?;
    pivot(tree.as_fd())
}

/// Nothing that happens in this mount namespace reaches the host.
fn private() -> Result<()> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).context(|| "make the mounts private".to_owned())
}

/// Afterwards "/" is the container's root and nothing of the host's tree is left in the mount namespace. With `mapped` the
/// process is in a user namespace, and becomes root there on the way.
pub fn enter(root: Root, mapped: bool) -> Result<()> {
    // Bind sources were copied before and keep their own propagation.
    private()?;
    let all_private = Attributes { propagation: libc::MS_PRIVATE, ..Default::default() };
    sys::mount_setattr(root.tree.as_fd(), true, all_private).context(|| "make the root private".to_owned())?;
    let place = mounts::open_directory(&root.path).context(|| format!("open {}", root.path.display()))?;
    mounts::move_to(root.tree.as_fd(), place.as_fd()).context(|| "mount the root".to_owned())?;
    let here = root.tree.as_fd();
    if mapped {
        // The way to the root was the host's; what is made below it must be the container's.
        sys::become_root().context(|| "become root of the user namespace".to_owned())?;
    }
    for mount in &root.mounts {
        mount.put(here)?;
    }
    root.devices.make(here)?;
    if root.cwd.is_absolute() && !root.cwd.starts_with("/proc") {
        resolve::make(here, &root.cwd, Want::Directory, false).context(|| "make the working directory".to_owned())?;
    }
    pivot(here)?;
    finish(&root)
}

/// pivot_root(2) with "." twice: the old root lies over the new one, and is taken off.
fn pivot(root: BorrowedFd<'_>) -> Result<()> {
    let doing = || "change the root".to_owned();
    rustix::process::fchdir(root).context(doing)?;
    rustix::process::pivot_root(".", ".").context(doing)?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).context(|| "leave the old root".to_owned())?;
    rustix::process::chdir("/").context(doing)
}

fn finish(root: &Root) -> Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = rustix::fs::open("/", flags, Mode::empty()).context(|| "open the new root".to_owned())?;
    mounts::make_readonly(top.as_fd(), &root.readonly_paths)?;
    mounts::mask(top.as_fd(), &root.masked, &root.null)?;
    let mut attributes = Attributes::default();
    if root.propagation != libc::MS_PRIVATE {
        attributes.propagation = root.propagation;
    }
    if root.readonly {
        attributes.set = RDONLY;
    }
    sys::mount_setattr(top.as_fd(), false, attributes).context(|| "set attributes of the root".to_owned())
}
