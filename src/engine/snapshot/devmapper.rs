//! devmapper: a thin device per snapshot, with a filesystem on it, in a pool that the administrator has made. A child is a
//! snapshot of its parent's device: made in constant time, it shares every block until one of them is written.
//!
//! The pool is wharf's alone. A snapshot's number is its device's in the pool, and its row and directory are there before the
//! device is: what a crash leaves is known by them, and no number is lost. A device is active, a block device by its name, from
//! when it is made until its snapshot is committed or removed; after a reboot it becomes so again when it is asked for.

mod kernel;
#[cfg(test)]
pub(super) mod tests;

use std::{
    fs::{self, DirBuilder, File},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::{fs::AtFlags, io::Errno};
use serde::{Deserialize, Serialize};

use self::kernel::Control;
use super::{
    Driver, Labels, Measured, Mount, SnapshotId, SnapshotKind, Sums, Support, UnpackTarget, Usage, Whiteouts, mount,
    native, programs,
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Numbers that a pool has for its devices.
const NUMBERS: u64 = 1 << 24;
const SECTOR: u64 = 512;
/// What is recorded of a device, in its snapshot's directory.
const RECORD: &str = "device";
/// For who still has a device open: a mount that ends late, a look by udev.
const PATIENCE: Duration = Duration::from_secs(3);

/// containerd's `[plugins.'io.containerd.snapshotter.v1.devmapper']`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinPool {
    /// In /dev/mapper.
    pub name: String,
    /// Bytes of an image's first device, and of all that are made from it.
    pub size: u64,
    pub filesystem: Filesystem,
    /// For mkfs, instead of ours.
    pub options: String,
    /// Whether blocks are given back to what is below the pool.
    pub discard: bool,
    /// Whether devices are removed by a collection, not by who removes their snapshots.
    pub later: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filesystem {
    Ext4,
    Ext2,
    Xfs,
}

impl Filesystem {
    pub const ALL: [Self; 3] = [Self::Ext4, Self::Ext2, Self::Xfs];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Ext2 => "ext2",
            Self::Xfs => "xfs",
        }
    }
}

/// "8192MB", "10 g", "1.5GiB": as containerd reads sizes, in steps of 1024.
pub fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim_start().to_ascii_lowercase();
    let unit = unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit);
    let power = ["", "k", "m", "g", "t", "p"].iter().position(|known| *known == unit)?;
    let bytes = number * 1024_f64.powi(i32::try_from(power).ok()?);
    // Far more than a pool can have.
    (1.0..1e18).contains(&bytes).then_some(bytes as u64)
}

/// What does not change with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    filesystem: Filesystem,
    sectors: u64,
    /// Mapped when it was made: its parent's.
    below: u64,
    /// Bytes of its own, once it is committed.
    held: Option<u64>,
}

/// `<root>/devmapper/<id>/device`, of the device `POOL-wharf-<id>`.
#[derive(Debug)]
pub struct Devmapper {
    root: PathBuf,
    pool: Option<ThinPool>,
    /// Held while devices come and go.
    one: Mutex<()>,
}

impl Devmapper {
    pub fn new(root: &Path, pool: Option<&ThinPool>) -> Self {
        Self { root: root.join("devmapper"), pool: pool.cloned(), one: Mutex::default() }
    }

    fn pool(&self) -> Result<(&ThinPool, Control)> {
        let Some(pool) = &self.pool else { bail!(FailedPrecondition, "no thin pool is configured for devmapper") };
        let control = Control::open().context(|| "open the device mapper".to_owned())?;
        Ok((pool, control))
    }

    fn record(&self, id: SnapshotId) -> Result<Record> {
        let path = self.directory(id).join(RECORD);
        let text = fs::read_to_string(&path).context(|| format!("read {}", path.display()))?;
        serde_json::from_str(&text)
            .map_err(|e| Error::new(Kind::DataLoss, format!("{} is damaged", path.display())).with_source(e))
    }

    /// Durable and whole.
    fn write(&self, id: SnapshotId, record: &Record) -> Result<()> {
        let directory = self.directory(id);
        let (path, half) = (directory.join(RECORD), directory.join("device.new"));
        let text = serde_json::to_string(record)
            .map_err(|e| Error::new(Kind::Internal, "encode a device's record").with_source(e))?;
        let mut file = File::create(&half).context(|| format!("create {}", half.display()))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| Error::io("write", &half, e))?;
        fs::rename(&half, &path).context(|| format!("rename {}", half.display()))?;
        File::open(&directory).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync directory", &directory, e))
    }

    /// Makes it a block device if it is none. `NotFound` if the pool has none of its number.
    fn activate(&self, id: SnapshotId, record: &Record) -> Result<kernel::Device> {
        let (pool, control) = self.pool()?;
        let name = pool.device(id);
        let doing = || format!("activate {name}");
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = control.find(&name).context(doing)? {
            return Ok(found);
        }
        let below = control.find(&pool.name).context(doing)?;
        let Some(below) = below else {
            bail!(FailedPrecondition, "{}: there is no thin pool {} any more: make it again", doing(), pool.name)
        };
        match control.create(&name, record.sectors, "thin", &format!("{} {}", below.node().display(), number(id))) {
            Err(Errno::NODATA) => bail!(NotFound, "thin pool {} has no device {}", pool.name, number(id)),
            other => other.context(doing)?,
        }
        let made = control.find(&name).context(doing)?;
        made.ok_or_else(|| Error::new(Kind::Internal, format!("{}: it is gone at once", doing())))
    }

    /// A device in the pool. On error the directory, which says that there is one, is gone.
    fn add(&self, control: &Control, pool: &ThinPool, id: SnapshotId, parent: Option<SnapshotId>) -> Result<()> {
        let doing = || format!("make device {} in thin pool {}", number(id), pool.name);
        let made = match parent {
            None => control.message(&pool.name, &format!("create_thin {}", number(id))),
            Some(parent) => {
                let (name, text) = (pool.device(parent), format!("create_snap {} {}", number(id), number(parent)));
                // One that is written to would be copied in the middle of it.
                if control.find(&name).context(doing)?.is_some() {
                    control.suspend(&name).context(|| format!("suspend {name}"))?;
                    let made = control.message(&pool.name, &text);
                    control.resume(&name).context(|| format!("resume {name}"))?;
                    made
                } else {
                    control.message(&pool.name, &text)
                }
            }
        };
        let failed = match made {
            Ok(()) => return Ok(()),
            Err(Errno::EXIST) => {
                let why = format!("{}: it has one that is not ours: give wharf a pool of its own", doing());
                Error::new(Kind::FailedPrecondition, why)
            }
            Err(Errno::NODATA) => Error::new(Kind::NotFound, format!("{}: its parent's is not there", doing())),
            Err(Errno::NOSPC) => Error::new(Kind::ResourceExhausted, format!("{}: it is full: extend it", doing())),
            Err(error) => Error::io("send a message to thin pool", &pool.name, error),
        };
        Err(failed.and_cleanup(native::remove(&self.directory(id))))
    }

    fn mapped(&self, id: SnapshotId, record: &Record) -> Result<u64> {
        let device = self.activate(id, record)?;
        let mapped = device.status.split(' ').next().and_then(|count| count.parse().ok());
        mapped.ok_or_else(|| {
            Error::new(Kind::Internal, format!("{}: unknown status {:?}", device.node().display(), device.status))
        })
    }

    fn own(&self, id: SnapshotId, record: &Record) -> Result<u64> {
        Ok(self.mapped(id, record)?.saturating_sub(record.below) * SECTOR)
    }

    /// Until nobody is in its way any more.
    fn patiently(&self, doing: &str, mut step: impl FnMut() -> Result<(), Errno>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let done = {
                let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
                step()
            };
            match done {
                Err(Errno::BUSY) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
                Err(Errno::BUSY) => bail!(FailedPrecondition, "{doing}: somebody has it open"),
                other => return other.context(|| doing.to_owned()),
            }
        }
    }
}

impl ThinPool {
    fn device(&self, id: SnapshotId) -> String {
        format!("{}-wharf-{}", self.name, id.0)
    }

    /// What is in the way of making devices in it.
    fn problem(&self, control: &Control) -> Result<Option<(Kind, String)>> {
        let name = &self.name;
        let found = control.find(name).context(|| format!("look for thin pool {name}"))?;
        let Some(found) = found else {
            let text =
                format!("there is no device {name} in the device mapper: make the thin pool before wharf starts");
            return Ok(Some((Kind::FailedPrecondition, text)));
        };
        if found.target != "thin-pool" {
            let text = format!("device {name} is a {}, not a thin pool", found.target);
            return Ok(Some((Kind::FailedPrecondition, text)));
        }
        Ok(broken(&found.status).map(|(kind, why)| (kind, format!("thin pool {name} {why}"))))
    }

    fn make_filesystem(&self, node: &Path) -> Result<()> {
        let mkfs = format!("mkfs.{}", self.filesystem.name());
        let Some(program) = programs::find(&mkfs) else { bail!(FailedPrecondition, "there is no {mkfs}: install it") };
        let mut command = Command::new(program);
        match self.filesystem {
            Filesystem::Xfs => command.arg("-q"),
            _ if self.options.is_empty() => {
                command.args(["-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"])
            }
            _ => command.args(["-q", "-E", &self.options]),
        };
        programs::run(command.arg(node)).map(drop)?;
        if self.filesystem == Filesystem::Xfs {
            return Ok(());
        }
        // No image has it.
        let shown = Mount {
            kind: self.filesystem.name().to_owned(),
            source: node.display().to_string(),
            options: vec!["rw".to_owned()],
        };
        let root = mount::nowhere(&shown)?;
        rustix::fs::unlinkat(&root, "lost+found", AtFlags::REMOVEDIR)
            .context(|| format!("remove lost+found of {}", node.display()))
    }
}

/// The device's, in the pool.
fn number(id: SnapshotId) -> u64 {
    id.0 % NUMBERS
}

/// `transaction metadata/of data/of root mode ...` (Documentation/admin-guide/device-mapper/thin-provisioning.rst).
fn broken(status: &str) -> Option<(Kind, String)> {
    let words: Vec<&str> = status.split(' ').collect();
    let full = |at: usize| {
        let (used, all) = words.get(at)?.split_once('/')?;
        Some(used.parse::<u64>().ok()? >= all.parse::<u64>().ok()?)
    };
    let exhausted = |what: &str| Some((Kind::ResourceExhausted, format!("has no {what} left: extend it")));
    match words.get(4) {
        _ if full(1) == Some(true) => exhausted("space for metadata"),
        Some(&"out_of_data_space") => exhausted("space for data"),
        _ if full(2) == Some(true) => exhausted("space for data"),
        Some(&"rw") => None,
        _ => Some((Kind::FailedPrecondition, format!("is not writable: {status}"))),
    }
}

impl Driver for Devmapper {
    fn name(&self) -> &str {
        "devmapper"
    }

    fn probe(&self, root: &Path) -> Result<Support> {
        let no = |because: String| Ok(Support::No { because });
        let Some(pool) = &self.pool else {
            return no("no pool_name is set in [plugins.'io.containerd.snapshotter.v1.devmapper']".to_owned());
        };
        let control = match Control::open() {
            Ok(control) => control,
            Err(error) => return no(format!("this kernel has no device mapper: {error}")),
        };
        // A full one still has images to run and to remove.
        if let Some((Kind::FailedPrecondition, why)) = pool.problem(&control)? {
            return no(why);
        }
        let mkfs = format!("mkfs.{}", pool.filesystem.name());
        if programs::find(&mkfs).is_none() {
            return no(format!("there is no {mkfs}: install it, or set another fs_type"));
        }
        let mut entries = fs::read_dir(root).context(|| format!("list {}", root.display()))?;
        let found = control.find(&pool.name).context(|| format!("look for thin pool {}", pool.name))?;
        let status = found.map(|pool| pool.status).unwrap_or_default();
        if entries.next().is_none() && !status.split(' ').nth(2).is_some_and(|used| used.starts_with("0/")) {
            return no(format!("thin pool {} holds what is not wharf's: give wharf an empty one", pool.name));
        }
        Ok(Support::Yes)
    }

    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()> {
        let (pool, control) = self.pool()?;
        if let Some((kind, why)) = pool.problem(&control)? {
            return Err(Error::new(kind, why));
        }
        // After sixteen million snapshots a number comes again; the next is free.
        if id.0 >= NUMBERS && self.list()?.iter().any(|(other, _)| *other != id && number(*other) == number(id)) {
            bail!(ResourceExhausted, "device {} of thin pool {} is still in use: try again", number(id), pool.name);
        }
        let mut record = match parents.first() {
            Some(parent) => Record { below: 0, held: None, ..self.record(*parent)? },
            None => Record { filesystem: pool.filesystem, sectors: pool.size / SECTOR, below: 0, held: None },
        };
        let directory = self.directory(id);
        DirBuilder::new().mode(0o700).create(&directory).context(|| format!("create {}", directory.display()))?;
        let above = directory.parent().unwrap_or(&directory);
        File::open(above).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync directory", above, e))?;
        {
            let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
            self.add(&control, pool, id, parents.first().copied())?;
        }
        if parents.is_empty() {
            let device = self.activate(id, &record)?;
            pool.make_filesystem(&device.node()).context(|| format!("make a filesystem on {}", pool.device(id)))?;
        } else {
            record.below = self.mapped(id, &record)?;
        }
        self.write(id, &record)
    }

    fn mounts(&self, id: SnapshotId, _parents: &[SnapshotId], kind: SnapshotKind) -> Result<Vec<Mount>> {
        let record = self.record(id)?;
        let source = self.activate(id, &record)?.node().display().to_string();
        let mut options = vec![if kind == SnapshotKind::Active { "rw" } else { "ro" }.to_owned()];
        if record.filesystem == Filesystem::Xfs {
            options.push("nouuid".to_owned());
        }
        Ok(vec![Mount { kind: record.filesystem.name().to_owned(), source, options }])
    }

    /// Into what its mount shows.
    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget {
        UnpackTarget { directory: self.directory(id), whiteouts: Whiteouts::Overlay, independent: false }
    }

    fn directory(&self, id: SnapshotId) -> PathBuf {
        self.root.join(id.0.to_string())
    }

    /// Blocks that it does not share with its parent. A pool counts no files.
    fn usage(&self, id: SnapshotId) -> Result<Usage> {
        let record = self.record(id)?;
        let bytes = match record.held {
            Some(bytes) => bytes,
            None => self.own(id, &record)?,
        };
        Ok(Usage { bytes, inodes: 0 })
    }

    /// What a filesystem still has in memory goes to the device.
    fn seal(&self, id: SnapshotId, _labels: &Labels) -> Result<()> {
        let (pool, control) = self.pool()?;
        let name = pool.device(id);
        self.activate(id, &self.record(id)?)?;
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        control.suspend(&name).context(|| format!("suspend {name}"))?;
        control.resume(&name).context(|| format!("resume {name}"))
    }

    fn measure(&self, id: SnapshotId, _sums: &Sums) -> Result<Measured> {
        Ok(Measured { usage: self.usage(id)?, tree: None })
    }

    /// A flush of a thin device writes the pool's metadata as well.
    fn sync(&self, id: SnapshotId) -> Result<()> {
        let node = self.activate(id, &self.record(id)?)?.node();
        File::open(&node).and_then(|device| device.sync_all()).map_err(|e| Error::io("sync", &node, e))
    }

    /// It is no block device any more, so that nobody can touch it. At a start this shows whether the pool still has it.
    fn settle(&self, id: SnapshotId) -> Result<()> {
        let record = self.record(id)?;
        self.activate(id, &record)?;
        if record.held.is_none() {
            let held = Some(self.own(id, &record)?);
            self.write(id, &Record { held, ..record })?;
        }
        let (pool, control) = self.pool()?;
        let name = pool.device(id);
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        control.remove(&name, true).context(|| format!("deactivate {name}"))
    }

    /// By its directory, which is there before the device is.
    fn remove(&self, id: SnapshotId) -> Result<()> {
        let directory = self.directory(id);
        if !directory.exists() {
            return Ok(());
        }
        let (pool, control) = self.pool()?;
        let name = pool.device(id);
        if pool.discard
            && let Ok(record) = self.record(id)
            && let Ok(device) = self.activate(id, &record)
        {
            let node = device.node();
            let open = fs::OpenOptions::new().write(true).open(&node).context(|| format!("open {}", node.display()))?;
            kernel::discard(&open, record.sectors * SECTOR).context(|| format!("discard {}", node.display()))?;
        }
        self.patiently(&format!("deactivate {name}"), || control.remove(&name, false))?;
        let text = format!("delete {}", number(id));
        self.patiently(&format!("delete {name}"), || match control.message(&pool.name, &text) {
            Err(Errno::NODATA) => Ok(()),
            other => other,
        })?;
        native::remove(&directory)
    }

    fn removes_later(&self) -> bool {
        self.pool.as_ref().is_some_and(|pool| pool.later)
    }
}
