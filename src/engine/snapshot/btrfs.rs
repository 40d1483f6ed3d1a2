//! btrfs: a subvolume per snapshot. A child is a snapshot of its parent's subvolume: made in constant time, it shares every
//! block until one of them changes it.
//!
//! What a snapshot itself holds is read from the filesystem's trees: its root says in which transaction it was made, and
//! the kernel finds what was written later without looking at the rest. No walk, and no quota groups, which cost every
//! write. The trees are behind by what is not written back yet, so that whoever wants the truth has to sync first.

mod kernel;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File},
    os::{
        fd::AsFd,
        unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use kernel::{kind, le32_at, le64_at};
use rustix::io::Errno;

use super::{
    Driver, Measured, Mount, SnapshotId, SnapshotKind, Sums, Support, UnpackTarget, Usage, Whiteouts, native, tree,
};
use crate::error::{Context, Error, Result};

/// The subvolume's name in its snapshot's directory, which hides it from the machine's users.
const FILES: &str = "fs";

/// `<root>/btrfs/<id>/fs`, the latter a subvolume.
#[derive(Debug)]
pub struct Btrfs {
    root: PathBuf,
    syncs: Syncs,
}

impl Btrfs {
    pub fn new(root: &Path) -> Self {
        Self { root: root.join("btrfs"), syncs: Syncs::default() }
    }

    fn files(&self, id: SnapshotId) -> PathBuf {
        self.directory(id).join(FILES)
    }

    /// What the snapshot's subvolume, and those that a container made inside it, hold by themselves.
    fn held(&self, id: SnapshotId) -> Result<Usage> {
        let path = self.files(id);
        let reading = || format!("read the trees of {}", path.display());
        let files = open(&path)?;
        let subvolume = kernel::subvolume_of(&files).context(reading)?;
        let mut total = Usage::default();
        for inner in with_inner(&files, subvolume).context(reading)? {
            total = total + Changes::read(&files, inner).context(reading)?.usage;
        }
        Ok(total)
    }
}

impl Driver for Btrfs {
    fn name(&self) -> &str {
        "btrfs"
    }

    /// Makes a subvolume and destroys it.
    fn probe(&self, root: &Path) -> Result<Support> {
        let stat = rustix::fs::statfs(root).context(|| format!("look at the filesystem of {}", root.display()))?;
        #[allow(clippy::unnecessary_cast, reason = "its type differs from one architecture to another")]
        if stat.f_type as i64 != kernel::MAGIC {
            let because = format!(
                "{} is not on a btrfs filesystem: mount one there, or choose another snapshotter",
                root.display()
            );
            return Ok(Support::No { because });
        }
        let probe = root.join(".probe");
        // Left by a crash in between.
        remove(&probe)?;
        let made = make(&probe, None);
        let removed = remove(&probe);
        match made {
            Ok(()) => removed.map(|()| Support::Yes),
            Err(error) => Ok(Support::No { because: format!("{:#}", error.and_cleanup(removed)) }),
        }
    }

    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()> {
        make(&self.directory(id), parents.first().map(|parent| self.files(*parent)).as_deref())
    }

    fn mounts(&self, id: SnapshotId, _parents: &[SnapshotId], kind: SnapshotKind) -> Result<Vec<Mount>> {
        let mode = if kind == SnapshotKind::Active { "rw" } else { "ro" };
        let options = vec!["rbind".to_owned(), mode.to_owned()];
        Ok(vec![Mount { kind: "bind".to_owned(), source: self.files(id).display().to_string(), options }])
    }

    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget {
        UnpackTarget { directory: self.files(id), whiteouts: Whiteouts::Apply, independent: false }
    }

    fn directory(&self, id: SnapshotId) -> PathBuf {
        self.root.join(id.0.to_string())
    }

    fn usage(&self, id: SnapshotId) -> Result<Usage> {
        self.syncs.sync(&self.files(id))?;
        self.held(id)
    }

    /// Without the sync, which every removal would have to wait for.
    fn estimate(&self, id: SnapshotId) -> Result<Usage> {
        self.held(id)
    }

    /// The digest is of what the snapshot changed: the rest is in the digests of its parents.
    fn measure(&self, id: SnapshotId, sums: &Sums) -> Result<Measured> {
        let path = self.files(id);
        self.syncs.sync(&path)?;
        let reading = || format!("read the trees of {}", path.display());
        let files = open(&path)?;
        let subvolume = kernel::subvolume_of(&files).context(reading)?;
        let changes = Changes::read(&files, subvolume).context(reading)?;
        let mut changed = Vec::with_capacity(changes.inodes.len());
        for inode in changes.inodes {
            let found = kernel::path_of(&files, subvolume, inode);
            changed.push(found.context(|| format!("find inode {inode} of {}", path.display()))?);
        }
        Ok(Measured { usage: changes.usage, ..tree::measure_these(&path, changed, sums)? })
    }

    /// Nothing changes a committed layer any more, not even by reading it (`atime`).
    fn settle(&self, id: SnapshotId) -> Result<()> {
        let path = self.files(id);
        kernel::set_read_only(open(&path)?).context(|| format!("make {} read-only", path.display()))
    }

    fn remove(&self, id: SnapshotId) -> Result<()> {
        remove(&self.directory(id))
    }
}

/// A descriptor of the directory itself, never of what a link there points to.
fn open(path: &Path) -> Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC);
    options.open(path).context(|| format!("open {}", path.display()))
}

/// A snapshot's directory with its subvolume, empty or with what `parent` holds.
fn make(directory: &Path, parent: Option<&Path>) -> Result<()> {
    DirBuilder::new().mode(0o700).create(directory).context(|| format!("create {}", directory.display()))?;
    let inside = open(directory)?;
    let files = directory.join(FILES);
    match parent {
        Some(parent) => kernel::snapshot(open(parent)?, &inside, FILES)
            .context(|| format!("snapshot {} as {}", parent.display(), files.display())),
        None => {
            kernel::create(&inside, FILES).context(|| format!("create subvolume {}", files.display()))?;
            // Whatever the umask is.
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&files, mode).context(|| format!("chmod {}", files.display()))
        }
    }
}

/// A snapshot's directory and the subvolumes in it. Idempotent. rmdir(2) would not do: it takes no subvolume that holds
/// something, and a container may have made some inside its own.
fn remove(directory: &Path) -> Result<()> {
    let path = directory.join(FILES);
    let files = match open(&path) {
        Err(error) if error.is(crate::error::Kind::NotFound) => return native::remove(directory),
        other => other?,
    };
    let inode = files.metadata().context(|| format!("stat {}", path.display()))?.ino();
    // Anything but a subvolume is none of ours, and goes like any directory.
    if inode == kernel::FIRST {
        let inside = open(directory)?;
        let destroying = || format!("destroy subvolume {}", path.display());
        let subvolume = kernel::subvolume_of(&files).context(destroying)?;
        let all = with_inner(&files, subvolume).context(destroying)?;
        // It would keep what it is open on.
        drop(files);
        for id in all.into_iter().rev() {
            match kernel::destroy(&inside, id) {
                Ok(()) | Err(Errno::NOENT) => {}
                other => other.context(|| format!("destroy subvolume {id} in {}", path.display()))?,
            }
        }
    }
    native::remove(directory)
}

/// The subvolume and all inside it, each before those inside of it.
fn with_inner(filesystem: impl AsFd, subvolume: u64) -> rustix::io::Result<Vec<u64>> {
    let mut all = vec![subvolume];
    let mut next = 0;
    while let Some(outer) = all.get(next).copied() {
        let (first, last) = ((outer, kind::ROOT_REF, 0), (outer, kind::ROOT_REF, u64::MAX));
        kernel::search(filesystem.as_fd(), kernel::ROOTS, first, last, 0, |(_, _, inner), _| all.push(inner))?;
        next += 1;
    }
    Ok(all)
}

/// What a subvolume holds that the one it was made from does not.
#[derive(Debug, Default)]
struct Changes {
    usage: Usage,
    /// Numbers of files and directories that are new or not as they were.
    inodes: Vec<u64>,
}

impl Changes {
    fn read(filesystem: impl AsFd, subvolume: u64) -> rustix::io::Result<Self> {
        let filesystem = filesystem.as_fd();
        let mut made = 0;
        let (first, last) = ((subvolume, kind::ROOT, 0), (subvolume, kind::ROOT, u64::MAX));
        // The transaction a snapshot was made in, all of whose changes it has; 0 for what was made empty.
        kernel::search(filesystem, kernel::ROOTS, first, last, 0, |(_, _, offset), _| made = made.max(offset))?;
        let block = rustix::fs::fstatvfs(filesystem)?.f_frsize;
        let (mut changes, mut extents) = (Self::default(), HashSet::new());
        let (first, last) = ((kernel::FIRST, 0, 0), (kernel::LAST, u32::from(u8::MAX), u64::MAX));
        kernel::search(filesystem, subvolume, first, last, made + 1, |(inode, kind, _), data| match kind {
            kind::INODE => {
                let later = |at| le64_at(data, at).is_some_and(|transaction| transaction > made);
                // Made, changed, links.
                changes.usage.inodes += u64::from(later(0));
                if later(8) && le32_at(data, 40) != Some(0) {
                    changes.inodes.push(inode);
                }
            }
            kind::EXTENT if le64_at(data, 0).is_some_and(|transaction| transaction > made) => {
                changes.usage.bytes += match (data.get(20), le64_at(data, 21), le64_at(data, 29)) {
                    // In the tree itself; counted as stat(2) does.
                    (Some(0), ..) => block,
                    // An extent is on disk as a whole, and once, however many of its pieces are in use. At 0 is a hole.
                    (Some(_), Some(place), Some(length)) if place != 0 && extents.insert(place) => length,
                    _ => 0,
                };
            }
            _ => {}
        })?;
        Ok(changes)
    }
}

/// Syncs of the filesystem, shared: one that begins after several have asked serves them all.
#[derive(Debug, Default)]
struct Syncs {
    begun: AtomicU64,
    done: Mutex<u64>,
}

impl Syncs {
    fn sync(&self, path: &Path) -> Result<()> {
        let before = self.begun.load(Ordering::SeqCst);
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if *done > before {
            return Ok(());
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        rustix::fs::syncfs(open(path)?).map_err(|e| Error::io("sync the filesystem of", path, e))?;
        *done = number;
        Ok(())
    }
}
