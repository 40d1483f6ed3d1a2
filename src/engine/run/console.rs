//! The container's own terminal: a pair from its devpts, mounted at /dev/console.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags},
    mount::{MoveMountFlags, OpenTreeFlags},
    pty::OpenptFlags,
};

use crate::{
    bail,
    error::{Context, Result},
};

/// Master and slave, from inside the container. The path must be the real thing: an image cannot put its own file there.
pub fn open() -> Result<(OwnedFd, OwnedFd)> {
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .context(|| "open the container's root".to_owned())?;
    terminal_below(root.as_fd())
}

/// The same from outside, below the root of a running container (such as `/proc/PID/root`).
pub fn terminal_below(root: BorrowedFd) -> Result<(OwnedFd, OwnedFd)> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let master = rustix::fs::openat2(root, "dev/pts/ptmx", flags, Mode::empty(), within)
        .context(|| "open /dev/pts/ptmx in the container".to_owned())?;
    let kind = rustix::fs::fstatfs(&master).context(|| "stat /dev/pts/ptmx".to_owned())?.f_type;
    if kind != libc::DEVPTS_SUPER_MAGIC {
        bail!(InvalidArgument, "a terminal needs devpts mounted at /dev/pts");
    }
    rustix::pty::unlockpt(&master).context(|| "unlock the terminal".to_owned())?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).context(|| "open the terminal".to_owned())?;
    Ok((master, slave))
}

/// Binds the slave over /dev/console.
pub fn mount(slave: &OwnedFd) -> Result<()> {
    let doing = || "mount the terminal at /dev/console".to_owned();
    match rustix::fs::mknodat(CWD, "/dev/console", rustix::fs::FileType::RegularFile, Mode::from_raw_mode(0o600), 0) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error).context(doing),
    }
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place =
        rustix::fs::openat2(CWD, "/dev/console", flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).context(doing)?;
    let tree_flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = rustix::mount::open_tree(slave.as_fd(), "", tree_flags).context(doing)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(&tree, "", &place, "", flags).context(doing)?;
    Ok(())
}
