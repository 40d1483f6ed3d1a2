//! Filesystems and what fills them: bytes and inodes, files that are deleted but open, directory trees.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{below, mounts, process};
use crate::error::{Context, Result};

/// For the size of all trees; a tree that is not done then is said to be partial.
const WALK: Duration = Duration::from_secs(4);
/// Deleted files smaller than this are not worth a line.
const SMALL: u64 = 1 << 20;
const MOST: usize = 50;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFacts {
    pub filesystems: Vec<Filesystem>,
    pub deleted: Vec<Deleted>,
    pub trees: Vec<Tree>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filesystem {
    /// What of the node is on it: "runtime root", "kubelet".
    pub uses: Vec<String>,
    /// The first path of those.
    pub path: String,
    pub mount: String,
    pub device: String,
    pub kind: String,
    pub read_only: bool,
    pub total: u64,
    pub free: u64,
    /// Free for others than root; evictions count this.
    pub available: u64,
    pub inodes: u64,
    pub inodes_free: u64,
}

impl Filesystem {
    pub fn used_percent(&self) -> u64 {
        percent(self.total.saturating_sub(self.available), self.total)
    }

    pub fn inodes_percent(&self) -> u64 {
        percent(self.inodes.saturating_sub(self.inodes_free), self.inodes)
    }
}

fn percent(part: u64, total: u64) -> u64 {
    if total == 0 { 0 } else { (u128::from(part) * 100 / u128::from(total)) as u64 }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    pub pid: u32,
    pub name: String,
    pub path: String,
    pub bytes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    pub what: String,
    pub path: String,
    pub bytes: u64,
    pub files: u64,
    pub partial: bool,
}

/// A path that matters, by what is there.
pub type Place = (String, String);

/// # Errors
/// If /proc cannot be read. A path that is not there is left out.
pub fn collect(root: &Path, places: &[Place], trees: &[Place]) -> Result<DiskFacts> {
    let mounted = mounts::read(root)?;
    let mut facts = DiskFacts::default();
    let mut devices = BTreeMap::new();
    for (what, path) in places {
        let at = below(root, path);
        let Ok(meta) = std::fs::metadata(&at) else { continue };
        let stat = rustix::fs::statvfs(&at).context(|| format!("statvfs {}", at.display()))?;
        // A directory with a project quota of its own has the figures of that (ext4, XFS), and is as full as that is.
        let of = (meta.dev(), stat.f_blocks);
        if let Some(index) = devices.get(&of) {
            let known: &mut Filesystem = &mut facts.filesystems[*index];
            known.uses.push(what.clone());
            continue;
        }
        let real = std::fs::canonicalize(&at).unwrap_or(at);
        let mount = mounted.of(&real.to_string_lossy());
        devices.insert(of, facts.filesystems.len());
        facts.filesystems.push(Filesystem {
            uses: vec![what.clone()],
            path: path.clone(),
            mount: mount.map(|m| m.point.clone()).unwrap_or_default(),
            device: mount.map(|m| m.device.clone()).unwrap_or_default(),
            kind: mount.map(|m| m.kind.clone()).unwrap_or_default(),
            read_only: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
            total: stat.f_blocks * stat.f_frsize,
            free: stat.f_bfree * stat.f_frsize,
            available: stat.f_bavail * stat.f_frsize,
            inodes: stat.f_files,
            inodes_free: stat.f_ffree,
        });
    }
    facts.deleted = deleted(root, &devices.keys().map(|(device, _)| *device).collect())?;
    facts.trees = self::trees(root, trees);
    Ok(facts)
}

/// The sizes of those trees that are there.
pub fn trees(root: &Path, trees: &[Place]) -> Vec<Tree> {
    let end = Instant::now() + WALK;
    let one = |(what, path): &Place| {
        let mut tree = Tree { what: what.clone(), path: path.clone(), ..Tree::default() };
        let at = below(root, path);
        let meta = std::fs::symlink_metadata(&at).ok()?;
        if meta.is_dir() {
            measure(&at, meta.dev(), end, &mut BTreeSet::new(), &mut tree);
        } else {
            (tree.bytes, tree.files) = (meta.blocks() * 512, 1);
        }
        Some(tree)
    };
    trees.iter().filter_map(one).collect()
}

/// Blocks of a tree on its own filesystem; a file with several names counts once.
fn measure(path: &Path, device: u64, end: Instant, linked: &mut BTreeSet<u64>, tree: &mut Tree) {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(_) => return tree.partial = true,
    };
    for entry in entries.flatten() {
        if Instant::now() > end {
            return tree.partial = true;
        }
        let Ok(meta) = entry.metadata() else { continue };
        if meta.dev() != device || (meta.nlink() > 1 && !meta.is_dir() && !linked.insert(meta.ino())) {
            continue;
        }
        tree.bytes += meta.blocks() * 512;
        tree.files += 1;
        if meta.is_dir() {
            measure(&entry.path(), device, end, linked, tree);
        }
    }
}

/// Files nobody can see any more that still take room on one of the filesystems, the largest first.
pub(super) fn deleted(root: &Path, devices: &BTreeSet<u64>) -> Result<Vec<Deleted>> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for pid in process::pids(root)? {
        let directory = below(root, format!("/proc/{pid}/fd"));
        for file in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(target) = std::fs::read_link(file.path()) else { continue };
            let target = target.to_string_lossy();
            let Some(path) = target.strip_suffix(" (deleted)") else { continue };
            // Through the link, so it is the open file itself.
            let Ok(meta) = std::fs::metadata(file.path()) else { continue };
            let bytes = meta.blocks() * 512;
            if meta.is_file()
                && bytes >= SMALL
                && devices.contains(&meta.dev())
                && seen.insert((meta.dev(), meta.ino()))
            {
                let name = process::stat(root, pid).map(|s| s.name).unwrap_or_default();
                found.push(Deleted { pid, name, path: path.to_owned(), bytes });
            }
        }
    }
    found.sort_by_key(|d| std::cmp::Reverse(d.bytes));
    found.truncate(MOST);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn deleted_files_and_trees_are_measured() {
        let directory = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let path = directory.path().join("gone");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&vec![7; 3 << 20]).unwrap();
        file.sync_all().unwrap();
        std::fs::write(directory.path().join("there"), vec![7; 64 << 10]).unwrap();
        std::fs::hard_link(directory.path().join("there"), directory.path().join("again")).unwrap();
        std::fs::remove_file(&path).unwrap();
        let place = ("work".to_owned(), directory.path().to_string_lossy().into_owned());
        let same = ("same".to_owned(), place.1.clone());
        let facts = collect(Path::new("/"), &[place.clone(), same], std::slice::from_ref(&place)).unwrap();
        assert_eq!(facts.filesystems.len(), 1);
        assert_eq!(facts.filesystems[0].uses, ["work", "same"]);
        assert!(facts.filesystems[0].total > 0);
        let me = facts.deleted.iter().find(|d| d.path == path.to_string_lossy()).expect("the deleted file");
        assert!(me.bytes >= 3 << 20 && me.pid == std::process::id(), "{me:?}");
        assert_eq!((facts.trees[0].files, facts.trees[0].partial), (1, false), "{:?}", facts.trees);
        drop(file);
    }

    #[test]
    fn percents_do_not_divide_by_zero() {
        let fs = Filesystem { total: 100, available: 7, ..Filesystem::default() };
        assert_eq!((fs.used_percent(), fs.inodes_percent()), (93, 0));
    }
}
