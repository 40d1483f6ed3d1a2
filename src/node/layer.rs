//! The files of one layer of overlayfs, below its directory and never out of it: what it adds, what it changes of the layers
//! below, what it takes away. Links are not followed; the walk is bounded and can be called off.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    ffi::OsStr,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fgetxattr, openat, openat2, statat},
    io::Errno,
};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Files and directories looked at, how deep, and for how long.
const WALKED: u64 = 500_000;
const DEPTH: usize = 96;
const LIMIT: Duration = Duration::from_secs(8);
/// Layers below that are asked whether they have a path.
const BELOW: usize = 128;

/// One that was found, with everything in it if it is a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub bytes: u64,
    pub files: u64,
    /// Below the layer's root, as the bytes are; not a byte of it is to be trusted.
    pub path: Vec<u8>,
    pub directory: bool,
    /// A layer below has it too.
    pub changes: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    /// The largest first.
    pub found: Vec<Found>,
    /// Paths that the layers below have and this one hides; a directory that begins anew ends with a slash.
    pub removed: Vec<Vec<u8>>,
    pub bytes: u64,
    pub files: u64,
    /// Found and removed, beyond those that are named.
    pub more: u64,
    pub more_removed: u64,
    /// Not all of it was walked.
    pub partial: bool,
}

struct Walk<'a> {
    most: usize,
    device: u64,
    linked: BTreeSet<u64>,
    kept: BinaryHeap<Reverse<Found>>,
    layer: Layer,
    looked: u64,
    end: Instant,
    off: &'a AtomicBool,
}

/// Of `chain`, the layer's directory and those of the layers below it, the nearest first; names the `most` largest.
///
/// # Errors
/// If the layer's directory cannot be opened, or it was called off.
pub fn read(chain: &[PathBuf], most: usize, off: &AtomicBool) -> Result<Layer> {
    let Some((top, below)) = chain.split_first() else { bail!(InvalidArgument, "read a layer that has no directory") };
    let open = |path: &Path| openat(CWD, path, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
    let root = open(top).context(|| format!("open the layer {}", top.display()))?;
    let stat = rustix::fs::fstat(&root).context(|| format!("look at the layer {}", top.display()))?;
    let mut walk = Walk {
        most,
        device: stat.st_dev,
        linked: BTreeSet::new(),
        kept: BinaryHeap::new(),
        layer: Layer::default(),
        looked: 0,
        end: Instant::now() + LIMIT,
        off,
    };
    let (bytes, files) = walk.directory(&root, &mut Vec::new(), 0);
    if off.load(Ordering::Relaxed) {
        return Err(Error::new(Kind::Cancelled, format!("reading the layer {} was called off", top.display())));
    }
    let Walk { kept, mut layer, .. } = walk;
    (layer.bytes, layer.files) = (bytes, files);
    layer.found = kept.into_sorted_vec().into_iter().map(|Reverse(found)| found).collect();
    // One that cannot be opened has nothing that could be told of it.
    let below: Vec<OwnedFd> = below.iter().take(BELOW).filter_map(|path| open(path).ok()).collect();
    for found in &mut layer.found {
        if off.load(Ordering::Relaxed) || Instant::now() > walk.end {
            layer.partial = true;
            break;
        }
        found.changes = exists(&below, &found.path);
    }
    layer.removed.sort();
    Ok(layer)
}

/// Whether a path is there below, as the nearest layer that says anything of it has it.
fn exists(below: &[OwnedFd], path: &[u8]) -> bool {
    for layer in below {
        let mut taken = false;
        // Of the path's parents, one may be hidden as a whole.
        let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match openat2(layer, OsStr::from_bytes(&path[..end]), flags, Mode::empty(), inside) {
                Ok(fd) => {
                    if rustix::fs::fstat(&fd).is_ok_and(|s| is_whiteout(&s)) {
                        return false;
                    }
                    if end == path.len() {
                        return true;
                    }
                    taken |= opaque_at(layer, &path[..end]);
                }
                Err(_) => break,
            }
        }
        if taken {
            return false;
        }
    }
    false
}

fn is_whiteout(stat: &rustix::fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

fn opaque_at(layer: &OwnedFd, path: &[u8]) -> bool {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(layer, OsStr::from_bytes(path), flags, Mode::empty(), inside).is_ok_and(|fd| is_opaque(fd.as_fd()))
}

/// A directory that shows nothing of the layers below.
fn is_opaque(directory: BorrowedFd<'_>) -> bool {
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        let mut value = [0_u8; 1];
        fgetxattr(directory, *name, &mut value[..]).is_ok_and(|n| n == 1 && value[0] == b'y')
    })
}

impl Walk<'_> {
    fn over(&self) -> bool {
        self.looked >= WALKED || self.off.load(Ordering::Relaxed) || Instant::now() > self.end
    }

    /// Bytes and files of everything below.
    fn directory(&mut self, directory: &OwnedFd, path: &mut Vec<u8>, depth: usize) -> (u64, u64) {
        let (mut bytes, mut files) = (0_u64, 0_u64);
        let Ok(entries) = Dir::read_from(directory) else {
            self.layer.partial = true;
            return (0, 0);
        };
        let length = path.len();
        for entry in entries {
            if self.over() {
                self.layer.partial = true;
                break;
            }
            let Ok(entry) = entry else {
                self.layer.partial = true;
                break;
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let stat = match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Removed meanwhile: a container may be writing.
                Err(Errno::NOENT) => continue,
                Err(_) => {
                    self.layer.partial = true;
                    continue;
                }
            };
            self.looked += 1;
            path.truncate(length);
            if length > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(name.to_bytes());
            if is_whiteout(&stat) {
                self.removed(path.clone());
                continue;
            }
            // Something else is mounted there.
            if stat.st_dev != self.device {
                continue;
            }
            let kind = FileType::from_raw_mode(stat.st_mode);
            let own = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
            let again = kind != FileType::Directory && stat.st_nlink > 1 && !self.linked.insert(stat.st_ino);
            let mut one = (if again { 0 } else { own }, 1);
            if kind == FileType::Directory {
                let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match openat(directory, name, flags, Mode::empty()) {
                    Ok(inside) if depth < DEPTH => {
                        if is_opaque(inside.as_fd()) {
                            let mut all = path.clone();
                            all.push(b'/');
                            self.removed(all);
                        }
                        let below = self.directory(&inside, path, depth + 1);
                        one = (own.saturating_add(below.0), below.1 + 1);
                    }
                    _ => self.layer.partial = true,
                }
                path.truncate(length + usize::from(length > 0) + name.to_bytes().len());
            }
            let directory = kind == FileType::Directory;
            self.keep(Found { bytes: one.0, files: one.1, path: path.clone(), directory, changes: false });
            (bytes, files) = (bytes.saturating_add(one.0), files + one.1);
        }
        path.truncate(length);
        (bytes, files)
    }

    fn keep(&mut self, found: Found) {
        self.kept.push(Reverse(found));
        if self.kept.len() > self.most {
            self.kept.pop();
            self.layer.more += 1;
        }
    }

    fn removed(&mut self, path: Vec<u8>) {
        if self.layer.removed.len() < self.most {
            self.layer.removed.push(path);
        } else {
            self.layer.more_removed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    fn path(found: &Found) -> &str {
        std::str::from_utf8(&found.path).unwrap()
    }

    #[test]
    fn a_layer_is_told_with_its_sums_and_without_what_is_outside() {
        let dir = tempfile::tempdir().unwrap();
        let (top, below) = (dir.path().join("top"), dir.path().join("below"));
        fs::create_dir_all(top.join("usr/lib")).unwrap();
        fs::create_dir_all(below.join("usr")).unwrap();
        fs::write(dir.path().join("secret"), vec![7; 900_000]).unwrap();
        fs::write(top.join("usr/lib/large"), vec![7; 300_000]).unwrap();
        fs::write(top.join("usr/small"), vec![7; 9_000]).unwrap();
        fs::hard_link(top.join("usr/lib/large"), top.join("usr/again")).unwrap();
        fs::write(below.join("usr/small"), "before").unwrap();
        // Neither what a link of it names nor what one below names is looked at.
        symlink(dir.path(), top.join("out")).unwrap();
        symlink(dir.path(), below.join("out")).unwrap();
        fs::write(top.join("secret"), "mine").unwrap();

        let chain = [top.clone(), below.clone()];
        let layer = read(&chain, 100, &AtomicBool::new(false)).unwrap();
        assert!(!layer.partial && layer.removed.is_empty(), "{layer:?}");
        assert!((309_000..400_000).contains(&layer.bytes), "the file with two names counts once: {layer:?}");
        let first = &layer.found[0];
        assert_eq!((path(first), first.directory, first.changes, first.files), ("usr", true, true, 5), "{layer:?}");
        let of = |name: &str| layer.found.iter().find(|f| path(f) == name).unwrap_or_else(|| panic!("{name}"));
        assert!(of("usr/small").changes && !of("usr/lib/large").changes && !of("secret").changes);
        assert!(layer.found.iter().all(|f| !path(f).starts_with("out/")) && of("out").changes);
        assert!(layer.found.windows(2).all(|w| w[0].bytes >= w[1].bytes), "{layer:?}");

        let few = read(&chain, 2, &AtomicBool::new(false)).unwrap();
        assert_eq!((few.found.len(), few.more), (2, layer.found.len() as u64 - 2));
        assert_eq!((few.bytes, few.files), (layer.bytes, layer.files), "the sums are of all");
        assert!(read(&chain, 2, &AtomicBool::new(true)).unwrap_err().is(Kind::Cancelled));
        fs::set_permissions(&top, fs::Permissions::from_mode(0o700)).unwrap();
        symlink(&top, dir.path().join("link")).unwrap();
        read(&[dir.path().join("link")], 2, &AtomicBool::new(false)).unwrap_err();
    }

    #[test]
    fn whiteouts_are_what_a_layer_removes() {
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("WHARF_CI").is_none(), "skipped in CI: it needs root");
            return eprintln!("SKIPPED whiteouts_are_what_a_layer_removes: it needs root");
        }
        let dir = tempfile::tempdir().unwrap();
        let layers: Vec<PathBuf> = ["top", "middle", "base"].map(|n| dir.path().join(n)).into();
        for layer in &layers {
            fs::create_dir_all(layer.join("etc/new")).unwrap();
        }
        let whiteout = |path: PathBuf| {
            rustix::fs::mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
        };
        whiteout(layers[0].join("etc/gone"));
        whiteout(layers[1].join("etc/back"));
        fs::write(layers[0].join("etc/back"), "again").unwrap();
        fs::write(layers[2].join("etc/back"), "first").unwrap();
        fs::write(layers[0].join("etc/new/file"), "top").unwrap();
        fs::write(layers[2].join("etc/new/file"), "base").unwrap();
        let opaque = |path: PathBuf| {
            rustix::fs::lsetxattr(path, "trusted.overlay.opaque", b"y", rustix::fs::XattrFlags::empty()).is_ok()
        };
        let supported = opaque(layers[0].join("etc/new")) && opaque(layers[1].join("etc/new"));
        let layer = read(&layers, 100, &AtomicBool::new(false)).unwrap();
        let removed: Vec<&str> = layer.removed.iter().map(|p| std::str::from_utf8(p).unwrap()).collect();
        let of = |name: &str| layer.found.iter().find(|f| path(f) == name).unwrap();
        assert!(!of("etc/back").changes, "the layer between had removed it: {layer:?}");
        // A tmpfs before Linux 6.6 has no such attributes.
        if supported {
            assert_eq!(removed, ["etc/gone", "etc/new/"]);
            assert!(!of("etc/new/file").changes, "{layer:?}");
        } else {
            assert_eq!(removed, ["etc/gone"]);
        }
    }
}
