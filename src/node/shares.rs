//! What takes the room of one filesystem, to the last byte that the kernel says is used: the places that are known, the largest
//! of the other directories, what is deleted and still open, and what is in no file.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt,
    path::Path,
    time::Instant,
};

use super::{
    below,
    disk::{self, Place},
    mounts::{self, Mount, MountFacts},
};
use crate::error::{Context, Result};

/// Other directories that are named.
const NAMED: usize = 8;
/// How far below the mount point they may be.
const DEEP: usize = 2;
/// Directories in each other: a deeper one is left to what is in no file.
const DEPTH: usize = 200;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Share {
    pub what: String,
    pub path: String,
    pub bytes: u64,
    pub files: u64,
}

/// The shares of the filesystem that holds `path`, the largest first. What is not walked by `end` is in none of them.
///
/// # Errors
/// If the filesystem or the mounts cannot be read.
pub fn of(root: &Path, path: &str, places: &[Place], end: Instant) -> Result<Vec<Share>> {
    let at = below(root, path);
    let stat = rustix::fs::statvfs(&at).context(|| format!("statvfs {}", at.display()))?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
    let mounted = mounts::read(root)?;
    let real = std::fs::canonicalize(&at).unwrap_or(at);
    let mount = mounted.of(&real.to_string_lossy());
    let point = mount.map_or_else(|| "/".to_owned(), |m| m.point.clone());
    let meta = std::fs::metadata(below(root, &point)).context(|| format!("look at {point}"))?;
    let mut walk = Walk {
        root,
        device: meta.dev(),
        points: elsewhere(&mounted, mount),
        places: places.iter().map(|(what, path)| (path.trim_end_matches('/'), what.as_str())).collect(),
        linked: BTreeSet::new(),
        known: BTreeMap::new(),
        other: BTreeMap::new(),
        end,
    };
    // The places first: they are what a runtime is asked for, and a large filesystem may not be walked in time.
    for (_, path) in places {
        let path = path.trim_end_matches('/');
        let there = std::fs::metadata(below(root, path)).is_ok_and(|m| m.dev() == walk.device);
        if there {
            walk.directory(path, &Bucket::Known(path.to_owned()), DEEP);
        }
    }
    walk.directory(point.trim_end_matches('/'), &Bucket::Other(point.clone()), 0);
    let whole = Instant::now() <= end;
    let Walk { known, other, .. } = walk;
    let mut shares: Vec<Share> = known.into_values().collect();
    let mut other: Vec<Share> = other.into_values().collect();
    other.sort_by_key(|s| std::cmp::Reverse(s.bytes));
    let rest = other.split_off(other.len().min(NAMED));
    shares.append(&mut other);
    let sum = |what: &str, path: &str, of: &[Share]| Share {
        what: what.to_owned(),
        path: path.to_owned(),
        bytes: of.iter().map(|s| s.bytes).sum(),
        files: of.iter().map(|s| s.files).sum(),
    };
    shares.push(sum("other, smaller", &point, &rest));
    let deleted = disk::deleted(root, &BTreeSet::from([meta.dev()]))?;
    let deleted: Vec<Share> = deleted.iter().map(|d| Share { bytes: d.bytes, files: 1, ..Share::default() }).collect();
    shares.push(sum("deleted, still open", &point, &deleted));
    let found: u64 = shares.iter().map(|s| s.bytes).sum();
    let rest = if whole { "in no file" } else { "not looked at in time" };
    shares.push(Share { what: rest.to_owned(), path: point, bytes: used.saturating_sub(found), files: 0 });
    shares.retain(|s| s.bytes > 0);
    shares.sort_by_key(|s| std::cmp::Reverse(s.bytes));
    Ok(shares)
}

/// Mount points below `mount` at which something else is than what its own filesystem has there: not what is bound to itself.
fn elsewhere<'a>(mounted: &'a MountFacts, mount: Option<&Mount>) -> BTreeSet<&'a str> {
    let Some(mount) = mount else { return BTreeSet::new() };
    let other = |m: &&Mount| {
        let below = m.point.strip_prefix(mount.point.trim_end_matches('/'));
        below.is_some_and(|b| !b.is_empty() && m.root != format!("{}{b}", mount.root.trim_end_matches('/')))
    };
    mounted.mounts.iter().filter(other).map(|m| m.point.as_str()).collect()
}

/// Where bytes are counted: by the path of a place, or of another directory.
#[derive(Debug, Clone)]
enum Bucket {
    Known(String),
    Other(String),
}

struct Walk<'a> {
    root: &'a Path,
    device: u64,
    points: BTreeSet<&'a str>,
    places: BTreeMap<&'a str, &'a str>,
    /// Files with several names, which count once.
    linked: BTreeSet<u64>,
    known: BTreeMap<String, Share>,
    other: BTreeMap<String, Share>,
    end: Instant,
}

impl Walk<'_> {
    fn count(&mut self, bucket: &Bucket, meta: &std::fs::Metadata) {
        let (map, path, what) = match bucket {
            Bucket::Known(path) => (&mut self.known, path, self.places.get(path.as_str()).copied().unwrap_or_default()),
            Bucket::Other(path) => (&mut self.other, path, "other"),
        };
        let new = || Share { what: what.to_owned(), path: path.clone(), ..Share::default() };
        let share = map.entry(path.clone()).or_insert_with(new);
        share.bytes += meta.blocks() * 512;
        share.files += 1;
    }

    fn directory(&mut self, path: &str, bucket: &Bucket, depth: usize) {
        if depth > DEPTH {
            return;
        }
        let here = if path.is_empty() { "/" } else { path };
        // One that cannot be listed has its bytes in no file that is seen.
        for entry in std::fs::read_dir(below(self.root, here)).into_iter().flatten().flatten() {
            if Instant::now() > self.end {
                return;
            }
            let Ok(meta) = entry.metadata() else { continue };
            if meta.dev() != self.device || (meta.nlink() > 1 && !meta.is_dir() && !self.linked.insert(meta.ino())) {
                continue;
            }
            if !meta.is_dir() {
                self.count(bucket, &meta);
                continue;
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            let child = format!("{path}/{name}");
            // The same filesystem bound to another place; or a place, which is walked by itself.
            if self.points.contains(child.as_str()) || self.places.contains_key(child.as_str()) {
                continue;
            }
            let inside = match bucket {
                Bucket::Other(_) if depth < DEEP => Bucket::Other(child.clone()),
                other => other.clone(),
            };
            self.count(&inside, &meta);
            self.directory(&child, &inside, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    #[test]
    fn the_shares_add_up_to_what_is_used() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: a filesystem of its own needs root");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("tmpfs", dir.path(), "tmpfs", flags, None).unwrap();
        let at = |name: &str| dir.path().join(name);
        let put = |name: &str, kib: usize| {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), vec![7; kib << 10]).unwrap();
        };
        put("lib/runtime/layers/a", 900);
        put("log/pods/x/0.log", 300);
        put("home/me/films/deep/one", 2000);
        fs::hard_link(at("home/me/films/deep/one"), at("home/me/again")).unwrap();
        // What an engine binds to itself is still there; the same at another place is there once.
        fs::create_dir(at("lib/runtime/again")).unwrap();
        for to in ["lib/runtime/layers", "lib/runtime/again"] {
            rustix::mount::mount_bind(at("lib/runtime/layers"), at(to)).unwrap();
        }
        put("gone", 1500);
        let open = fs::File::open(at("gone")).unwrap();
        fs::remove_file(at("gone")).unwrap();
        for n in 0..12 {
            put(&format!("many/d{n}/file"), 10 + n);
        }
        let path = dir.path().to_str().unwrap();
        let places = [("runtime", "lib/runtime"), ("pod logs", "log/pods"), ("kubelet", "lib/kubelet")]
            .map(|(what, place)| (what.to_owned(), format!("{path}/{place}")));
        let end = Instant::now() + Duration::from_secs(10);
        let shares = of(Path::new("/"), &format!("{path}/lib"), &places, end).unwrap();
        let stat = rustix::fs::statvfs(dir.path()).unwrap();
        drop(open);
        rustix::mount::unmount(dir.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
        let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize;
        let sum: u64 = shares.iter().map(|s| s.bytes).sum();
        assert_eq!(sum, used, "{shares:#?}");
        let of = |what: &str, place: &str| {
            let found = shares.iter().find(|s| s.what == what && s.path.ends_with(place));
            found.unwrap_or_else(|| panic!("no {what} at {place}: {shares:#?}")).bytes >> 10
        };
        assert_eq!((of("runtime", "lib/runtime"), of("pod logs", "log/pods")), (900, 300));
        assert_eq!((of("deleted, still open", path), of("other", "home/me")), (1500, 2000));
        assert!(of("other, smaller", path) > 0);
        let unknown = shares.iter().find(|s| s.what == "in no file").map_or(0, |s| s.bytes);
        assert!(unknown * 20 <= used, "{unknown} of {used} in no file");
    }
}
