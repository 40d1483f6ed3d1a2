//! Carries out a snapshotter's mounts by the kernel's mount API of file descriptors (fsopen(2), open_tree(2)): an
//! option a call, so that no number of layers overflows the page that mount(2) has for options.

use std::{
    os::fd::{AsFd, BorrowedFd},
    path::Path,
};

use rustix::{
    fs::CWD,
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
        fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
    },
};

use super::Mount;
use crate::{
    bail,
    engine::run,
    error::{Context, Error, Kind, Result},
};

/// Mounts each on `target`, in order. Blocking. On error nothing of them is left.
pub fn mount(mounts: &[Mount], target: &Path) -> Result<()> {
    for (done, one) in mounts.iter().enumerate() {
        if let Err(error) = attach(one, target, None) {
            let undone = (0..done).try_for_each(|_| unmount(target));
            return Err(error.context(format!("mount {} on {}", one.kind, target.display())).and_cleanup(undone));
        }
    }
    Ok(())
}

/// Detaches what is mounted there; fine if nothing is.
pub fn unmount(target: &Path) -> Result<()> {
    match rustix::mount::unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        Ok(()) | Err(Errno::INVAL | Errno::NOENT) => Ok(()),
        Err(error) => Err(Error::io("unmount", target, error)),
    }
}

/// With `users` the mount is idmapped to that user namespace.
pub(super) fn attach(mount: &Mount, target: &Path, users: Option<BorrowedFd<'_>>) -> Result<()> {
    let read_only = mount.options.iter().any(|o| o == "ro");
    let tree = match mount.kind.as_str() {
        "bind" => {
            let recursive = mount.options.iter().any(|o| o == "rbind");
            let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
            let tree = open_tree(CWD, mount.source.as_str(), flags).context(|| format!("clone {}", mount.source))?;
            if read_only {
                set_read_only(&tree)?;
            }
            tree
        }
        kind => {
            let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).context(|| format!("open filesystem {kind}"))?;
            let configure = |option: &str| match option.split_once('=') {
                _ if matches!(option, "ro" | "rw") => Ok(()),
                Some((key, value)) => fsconfig_set_string(context.as_fd(), key, value),
                None => fsconfig_set_flag(context.as_fd(), option),
            };
            fsconfig_set_string(context.as_fd(), "source", mount.source.as_str())
                .context(|| "set the source".to_owned())?;
            for option in &mount.options {
                configure(option).context(|| format!("set option {option}"))?;
            }
            fsconfig_create(context.as_fd()).context(|| explain(&context))?;
            let mut attributes = MountAttrFlags::empty();
            attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, read_only);
            fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes).context(|| format!("mount {kind}"))?
        }
    };
    if let Some(users) = users {
        run::idmap(tree.as_fd(), false, users)?;
    }
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    move_mount(tree.as_fd(), "", CWD, target, flags).context(|| format!("attach to {}", target.display()))
}

/// The kernel's own words, which the filesystem context keeps: "e overlay: No changes allowed in lower layer".
fn explain(context: &impl AsFd) -> String {
    let mut buffer = [0_u8; 512];
    let mut words = Vec::new();
    while let Ok(n) = rustix::io::read(context, &mut buffer[..]) {
        if n == 0 || words.len() > 8 {
            break;
        }
        let text = String::from_utf8_lossy(&buffer[..n]);
        words.push(text.trim_start_matches(['e', 'w', 'i']).trim().to_owned());
    }
    if words.is_empty() { "create the filesystem".to_owned() } else { words.join("; ") }
}

/// mount_setattr(2), which no safe wrapper offers yet.
fn set_read_only(tree: &impl AsFd) -> Result<()> {
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        userns: u64,
    }
    use std::os::fd::AsRawFd;
    let attributes = Attributes { set: libc::MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, userns: 0 };
    // SAFETY: the descriptor is open, the path is an empty C string, and the structure is as long as we say.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    if done == 0 {
        return Ok(());
    }
    match std::io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ENOSYS) => {
            bail!(Unimplemented, "this kernel has no mount_setattr(2): Linux 5.12 or newer is needed")
        }
        error => Err(Error::new(Kind::Internal, "make the mount read-only").with_source(error)),
    }
}
