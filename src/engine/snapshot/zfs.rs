//! zfs: a dataset per snapshot. A committed one has a ZFS snapshot, and its children are clones of that: made in constant
//! time, they share every block until one of them is written.
//!
//! All by the program `zfs`, as containerd does: what it speaks with the kernel is its own, and changes with it. The datasets
//! are below the one that the root is on, and are never mounted but as a container's root, or to unpack a layer.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::{
    Driver, Labels, Measured, Mount, SnapshotId, SnapshotKind, Sums, Support, UnpackTarget, Usage, Whiteouts, native,
    programs,
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

const MAGIC: i64 = 0x2fc1_2fc1;
/// The ZFS snapshot of a committed one.
const COMMITTED: &str = "snapshot";
/// Nobody but us mounts it.
const PROPERTIES: [&str; 2] = ["-o", "mountpoint=legacy"];
/// For a mount that ends late.
const PATIENCE: Duration = Duration::from_secs(3);

/// The dataset `DATASET/PATH-TO-ROOT-zfs/<id>`, and `<root>/zfs/<id>`, which says that there is one.
#[derive(Debug)]
pub struct Zfs {
    root: PathBuf,
    /// Where the programs are, if not where programs are.
    place: Option<PathBuf>,
    mountinfo: PathBuf,
}

impl Zfs {
    pub fn new(root: &Path) -> Self {
        Self { root: root.join("zfs"), place: None, mountinfo: PathBuf::from("/proc/self/mountinfo") }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let found = match &self.place {
            Some(place) => Some(place.join(program)),
            None => programs::find(program),
        };
        let Some(found) = found else { bail!(FailedPrecondition, "there is no {program}: install zfsutils") };
        programs::run(Command::new(found).args(arguments))
            .context(|| format!("{program} {}", arguments.first().copied().unwrap_or_default()))
    }

    fn zfs(&self, arguments: &[&str]) -> Result<String> {
        self.run("zfs", arguments)
    }

    /// What all snapshots' datasets are in.
    fn above(&self) -> Result<String> {
        let mounts = fs::read_to_string(&self.mountinfo).context(|| format!("read {}", self.mountinfo.display()))?;
        let found = dataset(&mounts, &self.root);
        found.ok_or_else(|| {
            let text = format!("{} is on no dataset of ZFS", self.root.display());
            Error::new(Kind::FailedPrecondition, text)
        })
    }

    fn dataset(&self, id: SnapshotId) -> Result<String> {
        Ok(format!("{}/{}", self.above()?, id.0))
    }

    /// All that was written is in the pool, and counted.
    fn write_back(&self) -> Result<()> {
        let above = self.above()?;
        self.run("zpool", &["sync", above.split('/').next().unwrap_or(&above)]).map(drop)
    }

    /// As far as it is written back.
    fn held(&self, id: SnapshotId) -> Result<Usage> {
        let said = self.zfs(&["get", "-H", "-p", "-o", "value", "used", &self.dataset(id)?]);
        let said = match said {
            Err(error) if is_missing(&error) => {
                bail!(NotFound, "there is no dataset of snapshot {}: {error:#}", id.0)
            }
            other => other?,
        };
        let bytes = said.trim().parse();
        let bytes = bytes.map_err(|_| Error::new(Kind::Internal, format!("zfs get: {said:?}")))?;
        Ok(Usage { bytes, inodes: 0 })
    }
}

/// By the words of the program, which has no numbers for them.
fn is_missing(error: &Error) -> bool {
    format!("{error:#}").contains("does not exist")
}

/// What the snapshots below `root` are in: a dataset inside the one that is mounted there or above, named by the way from there.
fn dataset(mountinfo: &str, root: &Path) -> Option<String> {
    let mut best: Option<(PathBuf, &str, &str)> = None;
    for line in mountinfo.lines() {
        let (mount, filesystem) = line.split_once(" - ")?;
        let point = PathBuf::from(unescaped(mount.split(' ').nth(4)?));
        let mut words = filesystem.split(' ');
        let (kind, source) = (words.next()?, words.next()?);
        // The last of those on one directory is what is seen.
        if root.starts_with(&point) && best.as_ref().is_none_or(|(other, ..)| point.starts_with(other)) {
            best = Some((point, kind, source));
        }
    }
    let (point, _, source) = best.filter(|(_, kind, _)| *kind == "zfs")?;
    let way: Vec<_> = root.strip_prefix(&point).ok()?.iter().map(|part| part.to_string_lossy()).collect();
    Some(format!("{}/{}", unescaped(source), way.join("-")))
}

/// Octal numbers stand for spaces and the like.
fn unescaped(text: &str) -> String {
    let mut plain = text.to_owned();
    for (escape, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(escape, character);
    }
    plain
}

impl Driver for Zfs {
    fn name(&self) -> &str {
        "zfs"
    }

    fn probe(&self, root: &Path) -> Result<Support> {
        let stat = rustix::fs::statfs(root).context(|| format!("look at the filesystem of {}", root.display()))?;
        #[allow(clippy::unnecessary_cast, reason = "its type differs from one architecture to another")]
        if stat.f_type as i64 != MAGIC {
            let because =
                format!("{} is not on ZFS: mount a dataset there, or choose another snapshotter", root.display());
            return Ok(Support::No { because });
        }
        let above = self.above()?;
        let ready = match self.zfs(&["list", "-H", "-o", "name", &above]) {
            Err(error) if is_missing(&error) => self.zfs(&[&["create"], &PROPERTIES[..], &[&above]].concat()),
            other => other,
        };
        Ok(match ready {
            Ok(_) => Support::Yes,
            Err(error) => Support::No { because: format!("{error:#}") },
        })
    }

    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()> {
        let directory = self.directory(id);
        DirBuilder::new().mode(0o700).create(&directory).context(|| format!("create {}", directory.display()))?;
        let own = self.dataset(id)?;
        match parents.first() {
            None => self.zfs(&[&["create"], &PROPERTIES[..], &[&own]].concat()),
            Some(parent) => {
                let parent = format!("{}@{COMMITTED}", self.dataset(*parent)?);
                self.zfs(&[&["clone"], &PROPERTIES[..], &[&parent, &own]].concat())
            }
        }
        .map(drop)
    }

    fn mounts(&self, id: SnapshotId, _parents: &[SnapshotId], kind: SnapshotKind) -> Result<Vec<Mount>> {
        let options = vec![if kind == SnapshotKind::Active { "rw" } else { "ro" }.to_owned()];
        Ok(vec![Mount { kind: "zfs".to_owned(), source: self.dataset(id)?, options }])
    }

    /// Into what its mount shows.
    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget {
        UnpackTarget { directory: self.directory(id), whiteouts: Whiteouts::Overlay, independent: false }
    }

    fn directory(&self, id: SnapshotId) -> PathBuf {
        self.root.join(id.0.to_string())
    }

    fn usage(&self, id: SnapshotId) -> Result<Usage> {
        self.write_back()?;
        self.held(id)
    }

    fn estimate(&self, id: SnapshotId) -> Result<Usage> {
        self.held(id)
    }

    /// One of a commit that came to nothing is older than what was written since.
    fn seal(&self, id: SnapshotId, _labels: &Labels) -> Result<()> {
        let snapshot = format!("{}@{COMMITTED}", self.dataset(id)?);
        match self.zfs(&["destroy", &snapshot]) {
            Err(error) if !is_missing(&error) && !format!("{error:#}").contains("could not find any snapshots") => {
                return Err(error);
            }
            _ => {}
        }
        self.zfs(&["snapshot", &snapshot]).map(drop)
    }

    fn measure(&self, id: SnapshotId, _sums: &Sums) -> Result<Measured> {
        Ok(Measured { usage: self.usage(id)?, tree: None })
    }

    fn sync(&self, _id: SnapshotId) -> Result<()> {
        self.write_back()?;
        File::open(&self.root).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync directory", &self.root, e))
    }

    fn list(&self) -> Result<Vec<(SnapshotId, bool)>> {
        let above = self.above()?;
        let said = self.zfs(&["list", "-H", "-r", "-t", "snapshot", "-o", "name", &above])?;
        let committed: HashSet<u64> = said.lines().filter_map(|line| number(line, &above)).collect();
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.root).context(|| format!("list {}", self.root.display()))? {
            let name = entry.context(|| format!("list {}", self.root.display()))?.file_name();
            let id = name.to_str().and_then(|name| name.parse().ok());
            found.extend(id.map(|id| (SnapshotId(id), committed.contains(&id))));
        }
        Ok(found)
    }

    /// By its directory, which is there before the dataset is.
    fn remove(&self, id: SnapshotId) -> Result<()> {
        let directory = self.directory(id);
        if !directory.exists() {
            return Ok(());
        }
        let own = self.dataset(id)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.zfs(&["destroy", "-r", &own]) {
                Ok(_) => break,
                Err(error) if is_missing(&error) => break,
                Err(error) if format!("{error:#}").contains("busy") && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(100));
                }
                Err(error) => return Err(error),
            }
        }
        native::remove(&directory)
    }
}

/// Of a line `ABOVE/NUMBER@snapshot`.
fn number(line: &str, above: &str) -> Option<u64> {
    let rest = line.strip_prefix(above)?.strip_prefix('/')?;
    rest.strip_suffix(COMMITTED)?.strip_suffix('@')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const MOUNTS: &str = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
         40 22 0:50 / /data rw,relatime shared:9 - zfs tank/data rw,xattr\n\
         41 40 0:51 / /data/my\\040node rw - zfs tank/data/my\\040node rw,xattr\n\
         42 40 0:52 / /data/tmp rw - tmpfs tmpfs rw\n";

    #[test]
    fn the_dataset_is_the_one_that_the_root_is_on() {
        let of = |root: &str| dataset(MOUNTS, Path::new(root));
        assert_eq!(of("/data/wharf/snapshots/zfs").as_deref(), Some("tank/data/wharf-snapshots-zfs"));
        assert_eq!(of("/data/my node/zfs").as_deref(), Some("tank/data/my node/zfs"));
        assert_eq!((of("/data/tmp/zfs"), of("/var/zfs"), of("/database/zfs")), (None, None, None));
        let committed = ["t/z/7@snapshot", "t/z/8@other", "t/z@snapshot", "t/z/x@snapshot", "t/zz/9@snapshot"];
        assert_eq!(committed.map(|line| number(line, "t/z")), [Some(7), None, None, None, None]);
    }

    /// A driver whose programs write down how they are called; `answers` are a shell's cases.
    fn scripted(dir: &Path, answers: &str) -> Zfs {
        fs::create_dir_all(dir.join("snapshots/zfs")).unwrap();
        fs::create_dir(dir.join("bin")).unwrap();
        fs::write(dir.join("mounts"), format!("40 22 0:50 / {} rw - zfs tank rw\n", dir.display())).unwrap();
        for name in ["zfs", "zpool"] {
            let log = dir.join("log");
            let text =
                format!("#!/bin/sh\necho {name} \"$@\" >> {}\ncase \"{name} $*\" in\n{answers}\nesac\n", log.display());
            let program = dir.join("bin").join(name);
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Zfs { root: dir.join("snapshots/zfs"), place: Some(dir.join("bin")), mountinfo: dir.join("mounts") }
    }

    const MISSING: &str =
        "*destroy*@*) echo 'could not find any snapshots to destroy; check snapshot names.' >&2; exit 1;;";

    #[test]
    fn a_snapshot_is_a_dataset_a_child_a_clone_and_removal_takes_both() {
        let dir = tempfile::tempdir().unwrap();
        let driver = scripted(dir.path(), &format!("{MISSING}\n*' used '*) echo 4096;;"));
        let [one, two] = [1, 2].map(SnapshotId);
        driver.create(one, &[]).unwrap();
        driver.seal(one, &Labels::new()).unwrap();
        assert_eq!(driver.measure(one, &Sums::new()).unwrap().usage, Usage { bytes: 4096, inodes: 0 });
        driver.sync(one).unwrap();
        driver.create(two, &[one]).unwrap();
        let mounts = driver.mounts(two, &[one], SnapshotKind::View).unwrap();
        assert_eq!((mounts[0].kind.as_str(), mounts[0].source.as_str()), ("zfs", "tank/snapshots-zfs/2"));
        assert_eq!(mounts[0].options, ["ro"]);
        driver.remove(two).unwrap();
        driver.remove(one).unwrap();
        driver.remove(one).unwrap();
        let log = fs::read_to_string(dir.path().join("log")).unwrap();
        let expected = [
            "zfs create -o mountpoint=legacy tank/snapshots-zfs/1",
            "zfs destroy tank/snapshots-zfs/1@snapshot",
            "zfs snapshot tank/snapshots-zfs/1@snapshot",
            "zpool sync tank",
            "zfs get -H -p -o value used tank/snapshots-zfs/1",
            "zpool sync tank",
            "zfs clone -o mountpoint=legacy tank/snapshots-zfs/1@snapshot tank/snapshots-zfs/2",
            "zfs destroy -r tank/snapshots-zfs/2",
            "zfs destroy -r tank/snapshots-zfs/1",
        ];
        assert_eq!(log.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_not_committed_or_not_there_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let answers = "*list*) echo tank/snapshots-zfs/1@snapshot;;\n\
                       *get*) echo \"cannot open 'tank/zfs/2': dataset does not exist\" >&2; exit 1;;\n\
                       *destroy*) echo 'cannot destroy: dataset does not exist' >&2; exit 1;;\n\
                       *create*) echo 'cannot create: out of space' >&2; exit 1;;";
        let driver = scripted(dir.path(), answers);
        let [one, two, three] = [1, 2, 3].map(SnapshotId);
        for id in [one, two] {
            fs::create_dir(driver.directory(id)).unwrap();
        }
        let mut found = driver.list().unwrap();
        found.sort_unstable();
        assert_eq!(found, [(one, true), (two, false)]);
        assert!(driver.estimate(two).is_err_and(|error| error.is(Kind::NotFound)));
        driver.remove(two).unwrap();
        assert!(!driver.directory(two).exists());
        assert!(driver.create(three, &[]).is_err_and(|error| error.is(Kind::ResourceExhausted)));
    }
}
