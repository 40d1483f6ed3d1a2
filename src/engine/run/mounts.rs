//! The mounts of a container: sources are opened and copied by the parent in the host's mount namespace, then moved into
//! the container's by the child (open_tree(2), fsopen(2), mount_setattr(2), move_mount(2)).
//!
//! So a source is never looked up inside the container, propagation to and from the host needs no trick, and every
//! destination is an open descriptor inside the root.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags},
};

use super::{
    options::{self, Options, RDONLY},
    resolve::{self, Want},
    sys,
    users::{self, Users},
};
use crate::{
    bail,
    engine::cgroup::Cgroup,
    error::{Context, Result},
};

#[derive(Debug)]
pub struct Mount {
    destination: PathBuf,
    options: Options,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A detached copy of the source, ready but for its place.
    Tree { tree: OwnedFd, want: Want },
    /// A new instance of a filesystem.
    Fs { kind: String, source: String },
    /// The container's own groups: name below the destination, and a copy; with a single tree for v2.
    Cgroup { trees: Vec<(String, OwnedFd)>, links: Vec<(String, String)>, unified: Option<OwnedFd> },
}

/// A detached copy of the mount at `path`, private to whoever holds it unless made otherwise.
pub fn copy_tree(path: &Path, recursive: bool) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let flags = if recursive { flags | OpenTreeFlags::AT_RECURSIVE } else { flags };
    Ok(rustix::mount::open_tree(CWD, path, flags)?)
}

impl Mount {
    /// `within`: the container's user namespace, if that is not the host's.
    pub fn new(mount: &oci_spec::runtime::Mount, cgroup: &Cgroup, within: Option<(&Users, &OwnedFd)>) -> Result<Self> {
        let destination = mount.destination().clone();
        let doing = || format!("mount {}", destination.display());
        if !destination.is_absolute() {
            bail!(InvalidArgument, "mount destination {} is not absolute", destination.display());
        }
        let mapping =
            Users::from_lists(mount.uid_mappings().as_deref(), mount.gid_mappings().as_deref()).context(doing)?;
        let mut options = options::parse(mount.options().as_deref().unwrap_or_default()).context(doing)?;
        let kind = mount.typ().clone().unwrap_or_default();
        let source = mount.source().clone().unwrap_or_default();
        let what = if options.bind || kind == "bind" {
            Self::bind(&source, &mut options, mapping.as_ref(), within)
                .context(|| format!("mount {} on {}", source.display(), destination.display()))?
        } else if mapping.is_some() {
            bail!(InvalidArgument, "mount {}: only bind mounts map ids", destination.display());
        } else if kind == "cgroup" || kind == "cgroup2" {
            Self::cgroup(cgroup).context(doing)?
        } else if kind.is_empty() {
            bail!(InvalidArgument, "mount {} has no type", destination.display());
        } else {
            What::Fs { kind, source: source.to_string_lossy().into_owned() }
        };
        Ok(Self { destination, options, what })
    }

    fn bind(
        source: &Path,
        options: &mut Options,
        mapping: Option<&Users>,
        within: Option<(&Users, &OwnedFd)>,
    ) -> Result<What> {
        if !source.is_absolute() {
            bail!(InvalidArgument, "the source is not absolute");
        }
        if let Some((key, _)) = options.data.first() {
            bail!(InvalidArgument, "option {key} means nothing for a bind mount");
        }
        let tree = copy_tree(source, options.recursive).context(|| "copy the source's mount".to_owned())?;
        let stat = rustix::fs::fstat(&tree).context(|| "stat the source".to_owned())?;
        let directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        match (mapping, within) {
            (None, _) => {}
            (Some(mapping), Some((users, namespace))) if mapping == users => {
                users::idmap(tree.as_fd(), options.idmap_recursive, namespace.as_fd())?;
            }
            (Some(mapping), _) => {
                users::idmap(tree.as_fd(), options.idmap_recursive, mapping.hold(0)?.users()?.as_fd())?;
            }
        }
        if within.is_some() {
            // Mounts made with the rights of a user namespace do not reach the host.
            let slave = sys::Attributes { propagation: libc::MS_SLAVE, ..Default::default() };
            sys::mount_setattr(tree.as_fd(), true, slave).context(|| "hide its mounts from the host".to_owned())?;
            for attributes in [&mut options.attributes, &mut options.recursive_attributes] {
                attributes.propagation =
                    if attributes.propagation == libc::MS_SHARED { 0 } else { attributes.propagation };
            }
        }
        sys::mount_setattr(tree.as_fd(), false, options.attributes).context(|| "set its attributes".to_owned())?;
        sys::mount_setattr(tree.as_fd(), true, options.recursive_attributes)
            .context(|| "set attributes of it and what is below".to_owned())?;
        Ok(What::Tree { tree, want: if directory { Want::Directory } else { Want::File } })
    }

    fn cgroup(cgroup: &Cgroup) -> Result<What> {
        let (mut trees, mut links, mut unified) = (Vec::new(), Vec::new(), None);
        for hierarchy in &cgroup.layout().hierarchies {
            let directory = cgroup.directory(hierarchy);
            let tree = copy_tree(&directory, false).context(|| format!("copy the mount at {}", directory.display()))?;
            if cgroup.layout().is_unified() {
                unified = Some(tree);
                break;
            }
            let Some(name) = hierarchy.mount.file_name().map(|n| n.to_string_lossy().into_owned()) else { continue };
            for controller in
                hierarchy.controllers.iter().filter(|c| **c != name && !c.contains('=') && !hierarchy.unified)
            {
                links.push((controller.clone(), name.clone()));
            }
            trees.push((name, tree));
        }
        Ok(What::Cgroup { trees, links, unified })
    }

    /// Puts it into the container's root.
    pub fn put(&self, root: BorrowedFd<'_>) -> Result<()> {
        self.place(root).context(|| format!("mount {} in the container", self.destination.display()))
    }

    fn place(&self, root: BorrowedFd<'_>) -> Result<()> {
        // /proc and /sys decide about security: no link of the image may lead them elsewhere (CVE-2019-19921).
        let plain = matches!(&self.what, What::Fs { kind, .. } if kind == "proc" || kind == "sysfs");
        let open = |want| resolve::make(root, &self.destination, want, plain);
        match &self.what {
            What::Tree { tree, want } => move_to(tree.as_fd(), open(*want)?.as_fd()),
            What::Fs { kind, source } => {
                let mount = new_fs(kind, source, &self.options)?;
                move_to(mount.as_fd(), open(Want::Directory)?.as_fd())
            }
            What::Cgroup { unified: Some(tree), .. } => {
                self.attributes(tree.as_fd())?;
                move_to(tree.as_fd(), open(Want::Directory)?.as_fd())
            }
            What::Cgroup { trees, links, unified: None } => self.cgroups(root, open(Want::Directory)?, trees, links),
        }
    }

    fn attributes(&self, mount: BorrowedFd<'_>) -> Result<()> {
        sys::mount_setattr(mount, false, self.options.attributes).context(|| "set attributes".to_owned())
    }

    /// v1: a small tmpfs with one directory for each hierarchy.
    fn cgroups(
        &self,
        root: BorrowedFd<'_>,
        place: OwnedFd,
        trees: &[(String, OwnedFd)],
        links: &[(String, String)],
    ) -> Result<()> {
        let data = [("mode", "755"), ("size", "64k")].map(|(k, v)| (k.to_owned(), Some(v.to_owned())));
        let writable = Options { data: data.into(), ..Options::default() };
        let base = new_fs("tmpfs", "tmpfs", &writable)?;
        move_to(base.as_fd(), place.as_fd())?;
        for (name, tree) in trees {
            let place = resolve::make(root, &self.destination.join(name), Want::Directory, true)?;
            self.attributes(tree.as_fd())?;
            move_to(tree.as_fd(), place.as_fd())?;
        }
        for (name, target) in links {
            match rustix::fs::symlinkat(target, &base, name) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error).context(|| format!("link {name}")),
            }
        }
        self.attributes(base.as_fd())
    }
}

/// Attaches a detached mount.
pub fn move_to(mount: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, "", place, "", flags).context(|| "attach it".to_owned())
}

/// A new mount of a filesystem, not yet attached.
pub fn new_fs(kind: &str, source: &str, options: &Options) -> Result<OwnedFd> {
    let doing = || format!("configure {kind}");
    let fs = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).context(doing)?;
    if !source.is_empty() {
        rustix::mount::fsconfig_set_string(&fs, "source", source).context(doing)?;
    }
    for (key, value) in &options.data {
        match value {
            Some(value) => rustix::mount::fsconfig_set_string(&fs, key.as_str(), value.as_str()),
            None => rustix::mount::fsconfig_set_flag(&fs, key.as_str()),
        }
        .context(|| format!("set {kind}'s option {key}"))?;
    }
    rustix::mount::fsconfig_create(&fs).context(doing)?;
    let attributes = MountAttrFlags::from_bits_retain(u32::try_from(options.attributes.set).unwrap_or(0));
    rustix::mount::fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, attributes).context(doing)
}

/// Nothing of these paths can be read: files become /dev/null, directories an empty one. Missing paths stay missing.
pub fn mask(root: BorrowedFd<'_>, paths: &[PathBuf], null: &OwnedFd) -> Result<()> {
    let mut empty: Option<OwnedFd> = None;
    let mut null_used = false;
    for path in paths {
        let doing = || format!("mask {}", path.display());
        let Some(place) = resolve::find(root, path, false)? else { continue };
        let stat = rustix::fs::fstat(&place).context(doing)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let tree = match &empty {
                // Once attached a mount can be copied.
                Some(first) => copy_of(first.as_fd(), false).context(doing)?,
                None => {
                    let mut options = Options::default();
                    options.attributes.set = RDONLY;
                    let data = [("size", "0"), ("nr_inodes", "1")].map(|(k, v)| (k.to_owned(), Some(v.to_owned())));
                    options.data = data.into();
                    new_fs("tmpfs", "tmpfs", &options).context(doing)?
                }
            };
            move_to(tree.as_fd(), place.as_fd()).context(doing)?;
            empty.get_or_insert(tree);
        } else if null_used {
            let tree = copy_of(null.as_fd(), false).context(doing)?;
            move_to(tree.as_fd(), place.as_fd()).context(doing)?;
        } else {
            move_to(null.as_fd(), place.as_fd()).context(doing)?;
            null_used = true;
        }
    }
    Ok(())
}

/// These paths and what is mounted below them can no longer be written. Missing paths stay missing.
pub fn make_readonly(root: BorrowedFd<'_>, paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let doing = || format!("make {} read-only", path.display());
        let Some(place) = resolve::find(root, path, false)? else { continue };
        let tree = copy_of(place.as_fd(), true).context(doing)?;
        let readonly = sys::Attributes { set: RDONLY, ..Default::default() };
        sys::mount_setattr(tree.as_fd(), true, readonly).context(doing)?;
        move_to(tree.as_fd(), place.as_fd()).context(doing)?;
    }
    Ok(())
}

fn copy_of(place: BorrowedFd<'_>, recursive: bool) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let flags = if recursive { flags | OpenTreeFlags::AT_RECURSIVE } else { flags };
    Ok(rustix::mount::open_tree(place, "", flags)?)
}

/// A directory opened for use as a root.
pub fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}
