//! Carries out a snapshotter's mounts by the kernel's mount API of file descriptors (fsopen(2), open_tree(2)): an
//! option a call, so that no number of layers overflows the page that mount(2) has for options.

use std::{
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{CWD, Mode, OFlags, open},
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
        fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
    },
};

use super::{Mount, loops};
use crate::{
    bail,
    engine::run,
    error::{Context, Error, Kind, Result},
};

/// Mounts each on `target`, in order. Blocking. On error nothing of them is left.
///
/// As in containerd, a kind may begin with "format/": its `lowerdir={{ overlay 0 2 }}` stands for what the mounts 0 to 2
/// before it show, uppermost first. It takes their place: an overlay holds its layers by itself.
pub fn mount(mounts: &[Mount], target: &Path) -> Result<()> {
    stack(mounts, target, None)
}

/// With `users` each mount is idmapped to that user namespace, but overlays, which cannot be: their layers are.
pub(super) fn stack(mounts: &[Mount], target: &Path, users: Option<BorrowedFd<'_>>) -> Result<()> {
    let (mut below, mut attached) = (Vec::new(), 0);
    let done = mounts.iter().try_for_each(|one| {
        let mut put = || -> Result<()> {
            let tree = match one.kind.strip_prefix("format/") {
                None => detached(one, users)?,
                Some(kind) => {
                    let tree = detached(&formatted(one, kind, &below)?, None)?;
                    while attached > 0 {
                        detach(target)?;
                        attached -= 1;
                    }
                    tree
                }
            };
            attach(&tree, target)?;
            attached += 1;
            if mounts.len() > 1 {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                below.push(open(target, flags, Mode::empty()).context(|| format!("open {}", target.display()))?);
            }
            Ok(())
        };
        put().context(|| format!("mount {} on {}", one.kind, target.display()))
    });
    done.map_err(|error: Error| error.and_cleanup((0..attached).try_for_each(|_| detach(target).map(drop))))
}

/// The mount with what is named by number in it named by descriptor.
fn formatted(mount: &Mount, kind: &str, below: &[OwnedFd]) -> Result<Mount> {
    let wrong = || Error::new(Kind::InvalidArgument, format!("{} with {:?}", mount.kind, mount.options));
    let mut options = Vec::new();
    for option in &mount.options {
        let Some(range) = option.strip_prefix("lowerdir={{ overlay ").and_then(|o| o.strip_suffix(" }}")) else {
            options.push(option.clone());
            continue;
        };
        let (first, last) = range.split_once(' ').ok_or_else(wrong)?;
        let (first, last): (usize, usize) =
            first.parse().ok().zip(last.parse().ok()).filter(|(first, last)| first <= last).ok_or_else(wrong)?;
        let layers = below.get(first..=last).ok_or_else(wrong)?;
        options.extend(layers.iter().map(|layer| format!("lowerdir+=/proc/self/fd/{}", layer.as_raw_fd())));
    }
    Ok(Mount { kind: kind.to_owned(), source: mount.source.clone(), options })
}

/// Detaches all that is mounted there; fine if nothing is.
pub fn unmount(target: &Path) -> Result<()> {
    while detach(target)? {}
    Ok(())
}

/// The uppermost mount there; whether there was one.
fn detach(target: &Path) -> Result<bool> {
    match rustix::mount::unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOENT) => Ok(false),
        Err(error) => Err(Error::io("unmount", target, error)),
    }
}

fn attach(tree: &OwnedFd, target: &Path) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    move_mount(tree.as_fd(), "", CWD, target, flags).context(|| format!("attach to {}", target.display()))
}

/// A mount that is nowhere yet.
fn detached(mount: &Mount, users: Option<BorrowedFd<'_>>) -> Result<OwnedFd> {
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
        // Not every kernel mounts a file by itself, nor a file of every filesystem.
        "erofs" => superblock(mount, &mount.source).or_else(|direct| {
            let device = loops::attach(Path::new(&mount.source));
            let mounted = device.and_then(|device| superblock(mount, &device.path.display().to_string()));
            mounted.context(|| format!("mount {} by itself: {direct:#}; by a loop device", mount.source))
        })?,
        _ => superblock(mount, &mount.source)?,
    };
    if let Some(users) = users {
        run::idmap(tree.as_fd(), false, users)?;
    }
    Ok(tree)
}

fn superblock(mount: &Mount, source: &str) -> Result<OwnedFd> {
    let kind = mount.kind.as_str();
    let context = match fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC) {
        Err(Errno::NODEV) => bail!(Unimplemented, "this kernel has no filesystem {kind:?}"),
        other => other.context(|| format!("open filesystem {kind}"))?,
    };
    let configure = |option: &str| match option.split_once('=') {
        None if option == "rw" => Ok(()),
        Some((key, value)) => fsconfig_set_string(context.as_fd(), key, value),
        None => fsconfig_set_flag(context.as_fd(), option),
    };
    fsconfig_set_string(context.as_fd(), "source", source).context(|| "set the source".to_owned())?;
    for option in &mount.options {
        configure(option).context(|| format!("set option {option}"))?;
    }
    fsconfig_create(context.as_fd()).context(|| explain(&context))?;
    let mut attributes = MountAttrFlags::empty();
    attributes.set(MountAttrFlags::MOUNT_ATTR_RDONLY, mount.options.iter().any(|o| o == "ro"));
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes).context(|| format!("mount {kind}"))
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
