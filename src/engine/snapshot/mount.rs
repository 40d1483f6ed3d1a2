//! Carries out a snapshotter's mounts by the kernel's mount API of file descriptors (fsopen(2), open_tree(2)): an
//! option a call, so that no number of layers overflows the page that mount(2) has for options; overlayfs before Linux 6.5
//! must make do with that page.

use std::{
    ffi::CString,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::LazyLock,
    thread,
};

use rustix::{
    fs::{CWD, Mode, OFlags, open},
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
        fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
    },
    thread::{UnshareFlags, unshare_unsafe},
};

use super::{Mount, loops, mapped};
use crate::{
    bail,
    engine::run,
    error::{Context, Error, Kind, Result},
};

/// The first Linux whose overlayfs takes a layer an option ("lowerdir+").
const LAYER_AN_OPTION: (u32, u32) = (6, 5);
/// Bytes of all options in mount(2)'s page: x86's, the smallest there is, without its final NUL.
const PAGE: usize = 4095;

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
                None => detached(one, target, users)?,
                Some(kind) => {
                    let tree = detached(&formatted(one, kind, &below)?, target, None)?;
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

/// A mount for who opens it once, seen by nobody else. It goes with the descriptor.
pub(super) fn nowhere(mount: &Mount) -> Result<OwnedFd> {
    superblock(mount, &mount.source)
}

/// A mount that is nowhere yet; on `target` it may have been for a moment.
fn detached(mount: &Mount, target: &Path, users: Option<BorrowedFd<'_>>) -> Result<OwnedFd> {
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
        "overlay" if has_layers(mount) && !takes_a_layer_an_option() => in_one_option(mount, target)?,
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

fn has_layers(mount: &Mount) -> bool {
    mount.options.iter().any(|option| option.starts_with("lowerdir+="))
}

fn takes_a_layer_an_option() -> bool {
    static TAKES: LazyLock<bool> = LazyLock::new(|| {
        let kernel = rustix::system::uname();
        let mut numbers = kernel.release().to_bytes().split(|b| !b.is_ascii_digit()).map(|number| {
            // What is no number is no reason to go the old way.
            std::str::from_utf8(number).ok().and_then(|n| n.parse().ok()).unwrap_or(u32::MAX)
        });
        (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(u32::MAX)) >= LAYER_AN_OPTION
    });
    *TAKES
}

/// An overlay by mount(2), as fsconfig(2) cuts an option off at 255 bytes. Its page holds some hundred layers because they are
/// named from the directory they have in common, which is where a thread of its own goes. What was mounted is taken off
/// `target` again.
fn in_one_option(mount: &Mount, target: &Path) -> Result<OwnedFd> {
    let Some(common) = mapped::directory_of(mount) else { bail!(Internal, "an overlay without layers") };
    let (mut layers, mut options, mut flags) = (Vec::new(), Vec::new(), MountFlags::empty());
    for option in &mount.options {
        match option.split_once('=') {
            Some(("lowerdir+", layer)) => {
                let layer = Path::new(layer);
                let name = layer.strip_prefix(&common).unwrap_or(layer).display().to_string();
                layers.push(if name.is_empty() { ".".to_owned() } else { escaped(&name) });
            }
            Some((key, value)) => options.push(format!("{key}={}", escaped(value))),
            None if option == "ro" => flags |= MountFlags::RDONLY,
            None if option == "rw" => {}
            None => options.push(option.clone()),
        }
    }
    options.insert(0, format!("lowerdir={}", layers.join(":")));
    let options = options.join(",");
    if options.len() > PAGE {
        bail!(
            Unimplemented,
            "{} layers take {} bytes of options, and this kernel has {PAGE} for them: Linux {}.{} or newer is needed",
            layers.len(),
            options.len(),
            LAYER_AN_OPTION.0,
            LAYER_AN_OPTION.1
        );
    }
    let options = CString::new(options)
        .map_err(|nul| Error::new(Kind::InvalidArgument, "options of an overlay").with_source(nul))?;
    let target = std::path::absolute(target).context(|| format!("find {}", target.display()))?;
    let mounted = thread::scope(|scope| {
        let running = thread::Builder::new().name("mount".to_owned()).spawn_scoped(scope, || {
            // SAFETY: only the working directory and the umask stop being shared, by a thread that ends with this.
            unsafe { unshare_unsafe(UnshareFlags::FS) }?;
            rustix::process::chdir(&common)?;
            rustix::mount::mount(mount.source.as_str(), &target, "overlay", flags, options.as_c_str())
        });
        let running = running.context(|| "start a thread".to_owned())?;
        let done = running.join().unwrap_or(Err(Errno::CANCELED));
        done.context(|| format!("mount(2) with {} layers of {}", layers.len(), common.display()))
    });
    mounted?;
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, &target, clone).context(|| format!("clone {}", target.display()));
    let off = detach(&target).map(drop);
    match tree {
        Ok(tree) => off.map(|()| tree),
        Err(error) => Err(error.and_cleanup(off)),
    }
}

/// As overlayfs reads a path among others, before Linux 6.5.
fn escaped(path: &str) -> String {
    path.chars().flat_map(|c| matches!(c, '\\' | ':' | ',').then_some('\\').into_iter().chain([c])).collect()
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn older_kernels_take_a_hundred_layers_in_one_option() {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: mounting needs root");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        rustix::mount::mount("none", dir.path(), "tmpfs", MountFlags::empty(), c"size=16m").unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let layers: Vec<String> = (0..128).map(|n| format!("layers, all/{n}/f:s")).collect();
        for (n, layer) in layers.iter().enumerate() {
            fs::create_dir_all(path(layer)).unwrap();
            fs::write(dir.path().join(layer).join("who"), n.to_string()).unwrap();
            fs::write(dir.path().join(layer).join(format!("only-{n}")), "").unwrap();
        }
        for name in ["upper", "work", "target"] {
            fs::create_dir(path(name)).unwrap();
        }
        let mut options: Vec<String> = layers.iter().map(|layer| format!("lowerdir+={}", path(layer))).collect();
        options.extend([format!("upperdir={}", path("upper")), format!("workdir={}", path("work"))]);
        let mount = Mount { kind: "overlay".to_owned(), source: "overlay".to_owned(), options };
        let target = dir.path().join("target");
        let tree = in_one_option(&mount, &target).unwrap();
        assert!(fs::read_dir(&target).unwrap().next().is_none(), "it is still mounted there");
        attach(&tree, &target).unwrap();
        assert_eq!(fs::read_to_string(target.join("who")).unwrap(), "0", "the first is uppermost");
        assert_eq!(fs::read_dir(&target).unwrap().count(), 129);
        fs::write(target.join("new"), "").unwrap();
        assert!(dir.path().join("upper/new").exists());
        unmount(&target).unwrap();

        let many = (0..2000).map(|n| format!("lowerdir+={}", path(&format!("layers, all/{n}/f:s"))));
        let mount = Mount { options: many.collect(), ..mount };
        let refused = in_one_option(&mount, &target).unwrap_err();
        assert!(format!("{refused:#}").contains("Linux 6.5 or newer"), "{refused:#}");
        unmount(dir.path()).unwrap();
    }
}
