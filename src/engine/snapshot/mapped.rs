//! A snapshot mounted for a user namespace: every owner in it is shifted by the namespace's maps.
//!
//! overlayfs cannot be an idmapped mount, but its lower layers can be on one: the directory that holds them is copied as
//! an idmapped mount, for as long as it takes to mount the overlay. The upper layer cannot, because overlayfs itself
//! writes there as the host's root, who is nobody in the namespace: it is the container's own, and holds shifted owners.

use std::{
    fs,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::{MetadataExt, chown},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::CWD,
    mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree},
};

use super::{
    Mount,
    mount::{self, unmount},
};
use crate::{
    bail,
    engine::run::{self, Users},
    error::{Context, Error, Result},
};

/// Options of overlayfs whose values are layers below the upper one.
const LAYERS: [&str; 2] = ["lowerdir+", "lowerdir"];

/// Like [`super::mount`] for a user namespace: its descriptor, and its maps. `aside` is a directory for the layers' mount, made and removed
/// again. Blocking.
///
/// # Errors
/// `Unimplemented` if the filesystem below has no idmapped mounts.
pub fn mount_mapped(
    mounts: &[Mount],
    target: &Path,
    (users, maps): (BorrowedFd<'_>, &Users),
    aside: &Path,
) -> Result<()> {
    let upper = |one: &Mount| match one.options.iter().find_map(|o| o.strip_prefix("upperdir=")) {
        Some(upper) => give(Path::new(upper), maps),
        None => Ok(()),
    };
    let one = match mounts {
        [one] if one.kind == "overlay" => one,
        // Its layers are mounts of their own, and need no other.
        [.., last] => return upper(last).and_then(|()| mount::stack(mounts, target, Some(users))),
        [] => return Ok(()),
    };
    let Some(layers) = directory_of(one) else { bail!(Internal, "the overlay of {} has no layers", target.display()) };
    same_mount(one, &layers)?;
    upper(one)?;
    fs::create_dir_all(aside).context(|| format!("create {}", aside.display()))?;
    let done = shift(&layers, users, aside).and_then(|()| {
        let moved = Mount { options: one.options.iter().map(|o| moved(o, &layers, aside)).collect(), ..one.clone() };
        super::mount(&[moved], target)
    });
    let undone = release(aside);
    match done {
        Ok(()) => undone,
        Err(error) => Err(error.and_cleanup(undone)),
    }
}

/// Removes what a crash may have left of [`mount_mapped`]'s `aside`. Idempotent.
///
/// # Errors
/// If it cannot be unmounted or removed.
pub fn release(aside: &Path) -> Result<()> {
    unmount(aside)?;
    match fs::remove_dir(aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", aside, error)),
        _ => Ok(()),
    }
}

/// The upper layer's own directory is the root of what the container sees: it belongs to the image's owner in the namespace.
fn give(upper: &Path, maps: &Users) -> Result<()> {
    let stat = fs::metadata(upper).context(|| format!("stat {}", upper.display()))?;
    if let (Ok(uid), Ok(gid)) = (maps.uid(stat.uid()), maps.gid(stat.gid())) {
        chown(upper, Some(uid), Some(gid)).context(|| format!("give {} to the user namespace", upper.display()))?;
    }
    Ok(())
}

fn shift(layers: &Path, users: BorrowedFd<'_>, aside: &Path) -> Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(CWD, layers, flags).context(|| format!("copy the mount at {}", layers.display()))?;
    run::idmap(tree.as_fd(), false, users).context(|| format!("map the layers in {}", layers.display()))?;
    move_mount(tree.as_fd(), "", CWD, aside, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .context(|| format!("attach the layers to {}", aside.display()))
}

/// A layer that is a mount of its own (a remote snapshotter's, by FUSE) would be missing in the copy: seen as empty.
fn same_mount(mount: &Mount, layers: &Path) -> Result<()> {
    let device = |path: &Path| fs::metadata(path).map(|stat| stat.dev()).context(|| format!("stat {}", path.display()));
    let all = device(layers)?;
    for path in paths_of(mount) {
        if device(path)? != all {
            bail!(
                Unimplemented,
                "layer {} is a filesystem of its own, which cannot be shifted for a user namespace: run the pod without one, or pull \
                 its image by another snapshotter",
                path.display()
            );
        }
    }
    Ok(())
}

fn paths_of(mount: &Mount) -> impl Iterator<Item = &Path> {
    mount.options.iter().filter_map(|option| {
        let (key, value) = option.split_once('=')?;
        LAYERS.contains(&key).then(|| Path::new(value))
    })
}

/// The directory that holds all layers.
pub(super) fn directory_of(mount: &Mount) -> Option<PathBuf> {
    let mut paths = paths_of(mount);
    let first = paths.next()?.parent()?.to_owned();
    Some(paths.fold(first, |common, path| {
        common.ancestors().find(|a| path.starts_with(a)).unwrap_or(Path::new("/")).to_owned()
    }))
}

fn moved(option: &str, from: &Path, to: &Path) -> String {
    let Some((key, value)) = option.split_once('=').filter(|(key, _)| LAYERS.contains(key)) else {
        return option.to_owned();
    };
    match Path::new(value).strip_prefix(from) {
        Ok(rest) => format!("{key}={}", to.join(rest).display()),
        Err(_) => option.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_move_together() {
        let options =
            ["lowerdir+=/r/s/overlayfs/2/fs", "lowerdir+=/r/s/overlayfs/1/fs", "upperdir=/r/s/overlayfs/3/fs", "ro"];
        let mount = Mount {
            kind: "overlay".to_owned(),
            source: "overlay".to_owned(),
            options: options.map(str::to_owned).into(),
        };
        let common = directory_of(&mount).unwrap();
        assert_eq!(common, Path::new("/r/s/overlayfs"));
        assert_eq!(moved(options[1], &common, Path::new("/x")), "lowerdir+=/x/1/fs");
        assert_eq!(moved(options[2], &common, Path::new("/x")), options[2]);
        assert_eq!(moved("ro", &common, Path::new("/x")), "ro");
    }
}
