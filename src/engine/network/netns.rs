//! Network namespaces that live as long as a file does: made, entered, removed.
//!
//! What is inside a namespace (links, addresses, rules) is not here.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    path::Path,
    thread,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    mount::{UnmountFlags, mount_bind, unmount},
    thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe},
};

use super::link::Links;
use crate::{
    bail,
    engine::run::Users,
    error::{Context, Error, Kind, Result},
};

/// statfs(2)'s `f_type` of a namespace file.
const NSFS_MAGIC: u64 = 0x6e73_6673;

/// A new network namespace with loopback up, bound to a new file at `path` in the caller's mount namespace. Blocking.
pub fn create(path: &Path) -> Result<()> {
    create_file(path)?;
    let made = in_thread(|| {
        unshare()?;
        Links::open()?.up("lo")?;
        // The thread left the network namespace only: its mounts are still everybody's.
        mount_bind("/proc/thread-self/ns/net", path).map_err(|e| Error::io("bind the network namespace to", path, e))
    });
    made.map_err(|error| error.and_cleanup(delete(path)))
}

/// Like [`create`], and the namespace belongs to a new user namespace with these maps. Blocking.
pub fn create_owned(path: &Path, users: &Users) -> Result<()> {
    create_file(path)?;
    let made = users.hold(libc::CLONE_NEWNET as u64).and_then(|holder| {
        mount_bind(holder.path("net"), path).map_err(|e| Error::io("bind the network namespace to", path, e))?;
        inside(path, || Links::open()?.up("lo"))
    });
    made.map_err(|error| error.and_cleanup(delete(path)))
}

fn create_file(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|e| Error::io("create directory", parent, e))?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o444)
        .open(path)
        .map(drop)
        .map_err(|e| Error::io("create network namespace file", path, e))
}

/// Removes what [`create`] made; fine if nothing is there. Blocking. The kernel ends the namespace with its last process.
pub fn delete(path: &Path) -> Result<()> {
    loop {
        match unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOENT) => break,
            Err(error) => return Err(Error::io("unmount network namespace", path, error)),
        }
    }
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("remove network namespace file", path, error)),
    }
}

/// Runs `work` in a fresh thread inside the namespace at `path`. Blocking.
pub fn inside<T: Send>(path: &Path, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let namespace = open(path)?;
    in_thread(|| {
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), Some(LinkNameSpaceType::Network))
            .map_err(|e| Error::io("enter network namespace", path, e))?;
        work()
    })
}

/// A namespace that does not end before this is closed, while its file, and what that is mounted on, may go. Blocking.
pub(super) fn hold(path: &Path) -> Result<OwnedFd> {
    inside(path, || {
        let own = "/proc/thread-self/ns/net";
        File::open(own).map(OwnedFd::from).map_err(|e| Error::io("open", own, e))
    })
}

/// An open namespace: `NotFound` if nothing is there, `FailedPrecondition` if it is something else by now.
pub(super) fn open(path: &Path) -> Result<OwnedFd> {
    // A FIFO put in place of the file must not hold us.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file =
        rustix::fs::open(path, flags, Mode::empty()).map_err(|e| Error::io("open network namespace", path, e))?;
    let kind = rustix::fs::fstatfs(&file).map_err(|e| Error::io("stat network namespace", path, e))?.f_type;
    if kind as u64 != NSFS_MAGIC {
        bail!(FailedPrecondition, "{} is not a namespace", path.display());
    }
    Ok(file)
}

/// A thread of its own, because a thread that changed its namespace cannot be given back.
fn in_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("netns".to_owned());
        let running = thread.spawn_scoped(scope, work).context(|| "start a thread".to_owned())?;
        running.join().unwrap_or_else(|_| Err(Error::new(Kind::Internal, "work in a network namespace panicked")))
    })
}

/// This thread gets a new network namespace; only for threads that end soon.
pub(super) fn unshare() -> Result<()> {
    // SAFETY: only the network namespace is left; no file descriptor table or memory is unshared.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.context(|| "make a network namespace".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::network::testing::root;

    fn inode(path: &str) -> String {
        std::fs::read_link(path).unwrap().display().to_string()
    }

    #[test]
    fn a_namespace_lives_as_long_as_its_file() {
        if !root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/pod");
        let before = inode("/proc/self/ns/net");
        create(&path).unwrap();
        assert!(create(&path).unwrap_err().is(Kind::AlreadyExists));
        let there = inside(&path, || {
            assert!(Links::open()?.is_up("lo")?);
            Ok(inode("/proc/thread-self/ns/net"))
        })
        .unwrap();
        assert_ne!(there, before);
        assert_eq!(inode("/proc/thread-self/ns/net"), before);
        let error = inside(&path, || -> Result<()> { panic!("on purpose") }).unwrap_err();
        assert!(error.is(Kind::Internal), "{error:?}");
        delete(&path).unwrap();
        delete(&path).unwrap();
        assert!(!path.exists());
        assert!(!std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&*path.to_string_lossy()));
        assert!(inside(&path, || Ok(())).unwrap_err().is(Kind::NotFound));
    }

    #[test]
    fn pod_06_a_plain_file_is_not_a_namespace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pod");
        std::fs::write(&path, "").unwrap();
        assert!(inside(&path, || Ok(())).unwrap_err().is(Kind::FailedPrecondition));
        delete(&path).unwrap();
        assert!(!path.exists());
    }
}
