//! native: each snapshot is a full copy of its parent. Slow and large, and works on every filesystem.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    fs::{self, DirBuilder, File},
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

use super::{Driver, Measured, Mount, SnapshotId, SnapshotKind, Sums, Support, UnpackTarget, Usage, Whiteouts, tree};
use crate::error::{Context, Error, Result};

/// `<root>/native/<id>/fs`.
#[derive(Debug)]
pub struct Native {
    root: PathBuf,
}

impl Native {
    pub fn new(root: &Path) -> Self {
        Self { root: root.join("native") }
    }

    fn files(&self, id: SnapshotId) -> PathBuf {
        self.directory(id).join("fs")
    }
}

impl Driver for Native {
    fn name(&self) -> &str {
        "native"
    }

    fn probe(&self, _root: &Path) -> Result<Support> {
        Ok(Support::Yes)
    }

    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()> {
        let directory = self.directory(id);
        DirBuilder::new().mode(0o700).create(&directory).context(|| format!("create {}", directory.display()))?;
        let files = self.files(id);
        DirBuilder::new().mode(0o755).create(&files).context(|| format!("create {}", files.display()))?;
        match parents.first() {
            Some(parent) => copy_tree(&self.files(*parent), &files, &mut HashMap::new()),
            None => Ok(()),
        }
    }

    fn mounts(&self, id: SnapshotId, parents: &[SnapshotId], kind: SnapshotKind) -> Result<Vec<Mount>> {
        let (shown, mode) = match (kind, parents.first()) {
            (SnapshotKind::View, Some(parent)) => (*parent, "ro"),
            (SnapshotKind::View, None) => (id, "ro"),
            _ => (id, "rw"),
        };
        let options = vec!["rbind".to_owned(), mode.to_owned()];
        Ok(vec![Mount { kind: "bind".to_owned(), source: self.files(shown).display().to_string(), options }])
    }

    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget {
        UnpackTarget { directory: self.files(id), whiteouts: Whiteouts::Apply, independent: false }
    }

    fn directory(&self, id: SnapshotId) -> PathBuf {
        self.root.join(id.0.to_string())
    }

    fn usage(&self, id: SnapshotId) -> Result<Usage> {
        disk_usage(&self.files(id))
    }

    fn measure(&self, id: SnapshotId, sums: &Sums) -> Result<Measured> {
        tree::measure(&self.files(id), sums)
    }

    fn remove(&self, id: SnapshotId) -> Result<()> {
        remove(&self.directory(id))
    }
}

/// Idempotent.
pub fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", directory, error)),
        _ => Ok(()),
    }
}

/// Blocks and inodes below `root`, hard links counted once, as `du` counts.
pub fn disk_usage(root: &Path) -> Result<Usage> {
    let (mut total, mut linked, mut left) = (Usage::default(), HashSet::new(), vec![root.to_owned()]);
    while let Some(path) = left.pop() {
        // A container that runs may delete files while we look.
        let gone = |e: &std::io::Error| e.kind() == std::io::ErrorKind::NotFound && path != root;
        let meta = match fs::symlink_metadata(&path) {
            Err(error) if gone(&error) => continue,
            other => other.context(|| format!("stat {}", path.display()))?,
        };
        if meta.nlink() > 1 && !meta.is_dir() && !linked.insert((meta.dev(), meta.ino())) {
            continue;
        }
        total.bytes += meta.blocks() * 512;
        total.inodes += 1;
        if meta.is_dir() {
            match fs::read_dir(&path) {
                Err(error) if gone(&error) => {}
                entries => {
                    for entry in entries.context(|| format!("list {}", path.display()))? {
                        left.push(entry.context(|| format!("list {}", path.display()))?.path());
                    }
                }
            }
        }
    }
    Ok(total)
}

/// Copies what is in `from` into the existing directory `to`: types, owners, modes, times, xattrs and hard links.
fn copy_tree(from: &Path, to: &Path, links: &mut HashMap<(u64, u64), PathBuf>) -> Result<()> {
    for entry in fs::read_dir(from).context(|| format!("list {}", from.display()))? {
        let source = entry.context(|| format!("list {}", from.display()))?.path();
        let target = to.join(source.file_name().map(OsString::from).unwrap_or_default());
        let meta = fs::symlink_metadata(&source).context(|| format!("stat {}", source.display()))?;
        let kind = meta.file_type();
        let making = || format!("create {}", target.display());
        if kind.is_dir() {
            fs::create_dir(&target).context(making)?;
            copy_tree(&source, &target, links)?;
            continue;
        }
        if meta.nlink() > 1 {
            if let Some(first) = links.get(&(meta.dev(), meta.ino())) {
                fs::hard_link(first, &target).context(making)?;
                continue;
            }
            links.insert((meta.dev(), meta.ino()), target.clone());
        }
        if kind.is_symlink() {
            let link = fs::read_link(&source).context(|| format!("read link {}", source.display()))?;
            std::os::unix::fs::symlink(link, &target).context(making)?;
        } else if kind.is_file() {
            copy_file(&source, &target)?;
        } else {
            let special = match () {
                () if kind.is_char_device() => FileType::CharacterDevice,
                () if kind.is_block_device() => FileType::BlockDevice,
                () if kind.is_fifo() => FileType::Fifo,
                () => FileType::Socket,
            };
            rustix::fs::mknodat(CWD, &target, special, Mode::from_raw_mode(meta.mode()), meta.rdev())
                .context(making)?;
        }
        copy_attributes(&source, &target)?;
    }
    copy_attributes(from, to)
}

/// Shares the blocks where the filesystem can (FICLONE), else copies the bytes.
fn copy_file(source: &Path, target: &Path) -> Result<()> {
    let mut from = File::open(source).context(|| format!("open {}", source.display()))?;
    let mut to = File::create_new(target).context(|| format!("create {}", target.display()))?;
    if rustix::fs::ioctl_ficlone(&to, &from).is_err() {
        std::io::copy(&mut from, &mut to).map_err(|e| Error::io("write", target, e))?;
    }
    Ok(())
}

/// Owner, xattrs, mode and times, in that order: chown clears set-id bits, everything before changes times.
pub fn copy_attributes(source: &Path, target: &Path) -> Result<()> {
    let meta = fs::symlink_metadata(source).context(|| format!("stat {}", source.display()))?;
    std::os::unix::fs::lchown(target, Some(meta.uid()), Some(meta.gid()))
        .context(|| format!("chown {}", target.display()))?;
    let mut names = vec![0_u8; 64 << 10];
    let length =
        rustix::fs::llistxattr(source, &mut names).context(|| format!("list xattrs of {}", source.display()))?;
    let mut value = vec![0_u8; 64 << 10];
    for name in names[..length].split(|b| *b == 0).filter(|n| !n.is_empty() && !n.starts_with(b"trusted.overlay.")) {
        let reading = || format!("copy xattr {} of {}", String::from_utf8_lossy(name), source.display());
        let size = rustix::fs::lgetxattr(source, name, &mut value[..]).context(reading)?;
        rustix::fs::lsetxattr(target, name, &value[..size], XattrFlags::empty()).context(reading)?;
    }
    if !meta.file_type().is_symlink() {
        fs::set_permissions(target, fs::Permissions::from_mode(meta.mode() & 0o7777))
            .context(|| format!("chmod {}", target.display()))?;
    }
    let stamp = |seconds, nanos| Timespec { tv_sec: seconds, tv_nsec: nanos };
    let times = Timestamps {
        last_access: stamp(meta.atime(), meta.atime_nsec()),
        last_modification: stamp(meta.mtime(), meta.mtime_nsec()),
    };
    rustix::fs::utimensat(CWD, target, &times, AtFlags::SYMLINK_NOFOLLOW)
        .context(|| format!("set the times of {}", target.display()))
}
