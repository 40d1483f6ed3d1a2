//! Image volumes: an image, or a directory of it, mounted read-only into a container (CRI, `Mount.image`). Each is a view of
//! the image's snapshot, mounted beside the container's root filesystem and bound from there.

use std::{
    fs,
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use super::{
    pod::blocking,
    state::{Container, ContainerRecord},
    users,
};
use crate::{
    bail,
    engine::{
        Engine,
        metadata::Table,
        run::Users,
        snapshot::{self, Labels},
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// The mounts of a container that are of images, with their place in the list.
fn wanted(record: &ContainerRecord) -> impl Iterator<Item = (usize, &cri::Mount)> {
    record.config.mounts.iter().enumerate().filter(|(_, m)| m.image.as_ref().is_some_and(|i| !i.image.is_empty()))
}

fn key(record: &ContainerRecord, index: usize) -> String {
    format!("{}-image-{index}", record.id)
}

/// Where the image of a mount is mounted.
fn place(record: &ContainerRecord, index: usize) -> PathBuf {
    record.bundle.join("images").join(index.to_string())
}

/// Mounts them all. What a failure leaves is removed by [`clean_up`].
///
/// # Errors
/// `NotFound` for an image that is not here, `InvalidArgument` for a mount that contradicts itself.
pub async fn mount(engine: &Arc<Engine>, container: &Container, pause: u32, maps: Option<&Users>) -> Result<()> {
    let record = container.record();
    for (index, mount) in wanted(&record) {
        let reference = mount.image.clone().unwrap_or_default().image;
        let doing = || format!("mount image {reference} at {}", mount.container_path);
        if !mount.host_path.is_empty() || !mount.readonly {
            bail!(InvalidArgument, "{}: an image volume has no host path and is read-only", doing());
        }
        let image = engine.image(&reference).await?;
        let image = image.ok_or_else(|| Error::new(Kind::NotFound, format!("{}: pull it first", doing())))?;
        let Some((_, chain)) = image.snapshot else { bail!(FailedPrecondition, "{}: it is not unpacked", doing()) };
        let key = key(&record, index);
        let (db, id, name, kept) =
            (Arc::clone(&engine.db), record.id.clone(), engine.snapshotter.name().to_owned(), key.clone());
        blocking(move || db.keep_snapshot(Table::Containers, &id, &name, &kept)).await?;
        let mounts = engine.snapshotter.view(&key, Some(&chain), Labels::new()).await.context(doing)?;
        let (place, aside, maps) = (place(&record, index), record.bundle.join("layers"), maps.cloned());
        blocking(move || {
            fs::create_dir_all(&place).context(|| format!("create {}", place.display()))?;
            match maps {
                Some(maps) => snapshot::mount_mapped(&mounts, &place, (users::open(pause)?.as_fd(), &maps), &aside),
                None => snapshot::mount(&mounts, &place),
            }
        })
        .await
        .context(doing)?;
    }
    Ok(())
}

/// Undoes [`mount`]. Idempotent.
///
/// # Errors
/// What cannot be unmounted or removed.
pub async fn clean_up(engine: &Arc<Engine>, record: &ContainerRecord) -> Result<()> {
    for (index, _) in wanted(record) {
        let place = place(record, index);
        blocking(move || snapshot::unmount(&place)).await?;
        match engine.snapshotter.remove(&key(record, index)).await {
            Err(error) if !error.is(Kind::NotFound) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What to bind for a mount of an image: its root, or the directory or file of `image_sub_path`, which no link of the image
/// leads out of it.
///
/// # Errors
/// `InvalidArgument` for a path that is not there or not below the image's root.
pub fn source(record: &ContainerRecord, mount: &cri::Mount) -> Result<Option<PathBuf>> {
    let Some((index, _)) = wanted(record).find(|(_, m)| std::ptr::eq(*m, mount)) else { return Ok(None) };
    let root = place(record, index);
    let inside = Path::new(&mount.image_sub_path);
    if mount.image_sub_path.is_empty() {
        return Ok(Some(root));
    }
    if inside.is_absolute() || inside.components().any(|c| matches!(c, std::path::Component::ParentDir)) {
        bail!(InvalidArgument, "image volume {}: sub path {inside:?} is not below its root", mount.container_path);
    }
    resolve(&root, inside)
        .map(Some)
        .map_err(|e| e.context(format!("image volume {}: sub path {inside:?}", mount.container_path)))
}

fn resolve(root: &Path, inside: &Path) -> Result<PathBuf> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let top = rustix::fs::open(root, flags, Mode::empty()).context(|| format!("open {}", root.display()))?;
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let found = rustix::fs::openat2(&top, inside, flags, Mode::empty(), within).map_err(|e| {
        Error::new(Kind::InvalidArgument, "it is not in the image").with_source(std::io::Error::from(e))
    })?;
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&found));
    fs::read_link(&link).map_err(|e| Error::io("read", link, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_path_stays_in_its_image() {
        let (image, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = image.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink("/a", root.join("in")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("out")).unwrap();
        assert_eq!(resolve(&root, Path::new("in/b")).unwrap(), root.join("a/b"));
        assert!(resolve(&root, Path::new("out")).is_err());
        assert!(resolve(&root, Path::new("none")).is_err());
    }
}
