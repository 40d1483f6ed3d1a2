//! Snapshotters: what turns image layers into a container's root filesystem.
//!
//! The words are containerd's. An *active* snapshot (a `key`) is writable; committing it gives a *committed* one (a
//! `name`), the only kind that has children; a *view* is a read-only active one. To import an image: `prepare` an
//! active snapshot on the chain so far, unpack the layer into it, `commit` it under the layer's chain ID, and so on. To run
//! a container: `prepare` on the top chain ID and mount what it returns. `Local` does names, parents, labels and
//! recovery once, in the metadata database; a `Driver` knows one filesystem.

mod btrfs;
pub mod changes;
mod clients;
mod devmapper;
mod erofs;
mod filter;
mod local;
mod loops;
mod mapped;
mod mount;
mod native;
mod overlay;
mod programs;
mod remote;
pub mod service;
#[cfg(test)]
mod suite;
pub mod tree;
mod wire;
mod zfs;

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use clients::{Clients, SERVED};
pub use devmapper::{Filesystem, ThinPool, size};
pub use local::Local;
pub use mapped::{mount_mapped, release};
pub use mount::{mount, unmount};
pub use remote::SNAPSHOT_REF;
pub use tree::{Measured, Sums};

use crate::{
    bail,
    engine::metadata::Db,
    error::{Context, Error, Result},
};

/// containerd's labels; values are at most 4096 bytes, key included.
pub type Labels = BTreeMap<String, String>;

/// One mount(2), in the words of containerd's `types.Mount`: the options are fstab's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// "overlay", "bind", "erofs"; see [`mount`] for "format/overlay".
    pub kind: String,
    pub source: String,
    pub options: Vec<String>,
}

/// Disk space; `inodes` counts files and directories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub bytes: u64,
    pub inodes: u64,
}

impl std::ops::Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, inodes: self.inodes + other.inodes }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotKind {
    View,
    Active,
    Committed,
}

/// A snapshot as `stat` and `walk` tell it. `key` is the name for a committed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotInfo {
    pub kind: SnapshotKind,
    pub key: String,
    pub parent: Option<String>,
    pub labels: Labels,
    pub created: SystemTime,
    pub updated: SystemTime,
}

/// What became of a layer that a snapshotter was asked for (see [`Snapshotter::prepare_layer`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// An active snapshot to unpack the layer into.
    Empty,
    /// The snapshotter has the layer by itself: it is committed, and nobody has to fetch it.
    Committed,
}

/// Keys and names share one space per snapshotter, as in containerd.
#[async_trait]
pub trait Snapshotter: fmt::Debug + Send + Sync {
    /// "overlayfs", "btrfs", "zfs", "native", "erofs", "devmapper", or what a remote one is called in the configuration. Rows are kept under it.
    fn name(&self) -> &str;
    async fn stat(&self, key: &str) -> Result<SnapshotInfo>;
    async fn usage(&self, key: &str) -> Result<Usage>;
    /// The mounts of an active snapshot or a view; the same on every call.
    async fn mounts(&self, key: &str) -> Result<Vec<Mount>>;
    async fn prepare(&self, key: &str, parent: Option<&str>, labels: Labels) -> Result<Vec<Mount>>;
    /// As `prepare`, of a layer of an image, which will be committed as `name`. A remote snapshotter that the labels tell
    /// enough commits it at once, without its content.
    async fn prepare_layer(&self, key: &str, name: &str, parent: Option<&str>, labels: Labels) -> Result<Prepared>;
    async fn view(&self, key: &str, parent: Option<&str>, labels: Labels) -> Result<Vec<Mount>>;
    /// Durable when it returns: the caller has synced the files (`Local` does), then the row is committed.
    /// `AlreadyExists` if `name` is taken.
    async fn commit(&self, key: &str, name: &str, labels: Labels) -> Result<SnapshotInfo>;
    async fn relabel(&self, key: &str, labels: Labels) -> Result<SnapshotInfo>;
    /// `FailedPrecondition` while the snapshot has children.
    async fn remove(&self, key: &str) -> Result<()>;
    async fn walk(&self) -> Result<Vec<SnapshotInfo>>;
    /// What all committed snapshots hold, and the keys of the others, which have to be measured one by one.
    async fn totals(&self) -> Result<(Usage, Vec<String>)>;
    /// Deletes what `remove` only unlinked, and returns what that freed.
    async fn sweep(&self) -> Result<Usage>;

    /// Whether layers may be unpacked before their parents are (see `commit_onto`).
    fn independent(&self) -> bool;
    /// Whether it is a daemon of its own, which may have layers by itself (see `prepare_layer`).
    fn is_remote(&self) -> bool;
    /// Where to unpack a layer into an active snapshot without mounting it, and how its whiteouts are written there.
    /// With overlayfs this is the upper directory, so layers of one image can be unpacked at the same time.
    async fn unpack_target(&self, key: &str) -> Result<UnpackTarget>;
    /// Where its own files are, as far as the driver keeps them in a directory.
    async fn place(&self, key: &str) -> Result<UnpackTarget>;
    /// Commits an active snapshot as the child of `parent`, which may have become known only after `prepare`
    /// (layers unpacked in parallel). Drivers whose `create` needs the parent refuse it with `Unimplemented`.
    /// `sums` are the checksums of files that whoever unpacked them has taken already.
    async fn commit_onto(
        &self,
        key: &str,
        name: &str,
        parent: Option<&str>,
        labels: Labels,
        sums: Sums,
    ) -> Result<SnapshotInfo>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackTarget {
    pub directory: PathBuf,
    pub whiteouts: Whiteouts,
    /// Whether layers may be unpacked before their parents are (see `commit_onto`).
    pub independent: bool,
}

/// How a deletion in a layer is expressed in the unpacked tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whiteouts {
    /// Character device 0:0, and the `trusted.overlay.opaque` xattr on directories (kernel's overlayfs.rst).
    Overlay,
    /// The file is deleted in place: the tree already holds the parents' files.
    Apply,
}

/// The directory number of a snapshot, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SnapshotId(pub u64);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    Yes,
    No { because: String },
}

/// A snapshot that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    pub id: SnapshotId,
    /// Nearest first.
    pub parents: &'a [SnapshotId],
    pub kind: SnapshotKind,
    pub labels: &'a Labels,
    /// Whether it is for a layer that the driver may have by itself.
    pub layer: bool,
}

/// What one filesystem must know; everything is blocking. Names, parents, labels and recovery are `Local`'s.
pub trait Driver: fmt::Debug + Send + Sync {
    fn name(&self) -> &str;
    /// Whether a daemon does it, which may be down.
    fn is_remote(&self) -> bool {
        false
    }
    /// Whether `root` (the directory that will hold the snapshots) can carry this driver.
    fn probe(&self, root: &Path) -> Result<Support>;
    /// Makes the snapshot's directories. `parents` is nearest first.
    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()>;
    /// The same for a driver that has to be told more, or may have more to say.
    fn make(&self, new: &New<'_>) -> Result<Prepared> {
        self.create(new.id, new.parents).map(|()| Prepared::Empty)
    }
    fn mounts(&self, id: SnapshotId, parents: &[SnapshotId], kind: SnapshotKind) -> Result<Vec<Mount>>;
    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget;
    /// Where the snapshot's own files are.
    fn directory(&self, id: SnapshotId) -> PathBuf;
    /// What the snapshot itself holds; with a driver that copies, that includes what it copied.
    fn usage(&self, id: SnapshotId) -> Result<Usage>;
    /// The same where what was written in the last seconds need not count, for less.
    fn estimate(&self, id: SnapshotId) -> Result<Usage> {
        self.usage(id)
    }
    /// Makes of a snapshot that is about to be committed what its children need. It may still fail to be.
    fn seal(&self, _id: SnapshotId, _labels: &Labels) -> Result<()> {
        Ok(())
    }
    /// All that is written to the snapshot is on disk when it returns.
    fn sync(&self, id: SnapshotId) -> Result<()> {
        let path = self.directory(id);
        let directory = File::open(&path).context(|| format!("open {}", path.display()))?;
        rustix::fs::syncfs(&directory).context(|| format!("sync the filesystem of {}", path.display()))?;
        let above = path.parent().unwrap_or(&path);
        File::open(above).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync directory", above, e))
    }
    /// What is there, and whether it can be a committed one.
    fn list(&self) -> Result<Vec<(SnapshotId, bool)>> {
        let root = self.directory(SnapshotId(0)).parent().map(Path::to_owned).unwrap_or_default();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&root).context(|| format!("list {}", root.display()))? {
            let name = entry.context(|| format!("list {}", root.display()))?.file_name();
            found.extend(name.to_str().and_then(|n| n.parse().ok()).map(|id| (SnapshotId(id), true)));
        }
        Ok(found)
    }
    /// What a snapshot about to be committed holds, and the digest that says whether it still does.
    fn measure(&self, id: SnapshotId, sums: &Sums) -> Result<Measured>;
    /// Called when a snapshot has been committed, and again for every committed one at start. Idempotent.
    fn settle(&self, _id: SnapshotId) -> Result<()> {
        Ok(())
    }
    fn remove(&self, id: SnapshotId) -> Result<()>;
    /// Whether what is removed waits for the next sweep.
    fn removes_later(&self) -> bool {
        false
    }
    /// Called when something was removed and nothing is left to be.
    fn swept(&self) -> Result<()> {
        Ok(())
    }
}

/// Makes a driver for the directory that holds all snapshotters' directories, and the thin pool if one is configured.
pub type MakeDriver = fn(&Path, Option<&ThinPool>) -> Box<dyn Driver>;

/// Every driver, best first.
pub const DRIVERS: &[MakeDriver] = &[
    |root, _| Box::new(overlay::Overlay::new(root)),
    |root, _| Box::new(btrfs::Btrfs::new(root)),
    |root, _| Box::new(zfs::Zfs::new(root)),
    |root, _| Box::new(native::Native::new(root)),
    // Last: they take programs that the machine may lose.
    |root, _| Box::new(erofs::Erofs::new(root)),
    |root, pool| Box::new(devmapper::Devmapper::new(root, pool)),
];

/// The snapshotter of that name, or the first whose driver `root`'s filesystem can carry. Each has its own directory
/// `root/<name>`. Blocking.
pub fn open(root: &Path, name: Option<&str>, db: Arc<Db>) -> Result<Local> {
    open_with(root, None, name, db)
}

/// The same where a thin pool is configured.
pub fn open_with(root: &Path, pool: Option<&ThinPool>, name: Option<&str>, db: Arc<Db>) -> Result<Local> {
    choose(root, pool, name).map(|driver| Local::new(driver, db))
}

/// The snapshotter behind a socket of containerd's snapshots API. Nobody is asked yet: its daemon may come later. `root` is
/// the engine's, whose snapshots it tells from others' by it. Within a tokio runtime.
///
/// # Errors
/// `InvalidArgument` if the socket is none.
pub fn remote(name: &str, socket: &Path, root: &Path, db: Arc<Db>) -> Result<Local> {
    Ok(Local::new(Box::new(remote::Remote::new(name, socket, root)?), db))
}

fn choose(root: &Path, pool: Option<&ThinPool>, name: Option<&str>) -> Result<Box<dyn Driver>> {
    let mut refused = Vec::new();
    for make in DRIVERS {
        let driver = make(root, pool);
        if name.is_some_and(|n| n != driver.name()) {
            continue;
        }
        let own = root.join(driver.name());
        std::fs::create_dir_all(&own).context(|| format!("create {}", own.display()))?;
        match driver.probe(&own)? {
            Support::Yes => return Ok(driver),
            Support::No { because } => refused.push(format!("{}: {because}", driver.name())),
        }
    }
    match name {
        Some(name) if refused.is_empty() => {
            bail!(InvalidArgument, "there is no snapshotter {name:?}: a remote one needs its [proxy_plugins.{name}]")
        }
        _ => bail!(FailedPrecondition, "no snapshotter works on {}: {}", root.display(), refused.join("; ")),
    }
}
