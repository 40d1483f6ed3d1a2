//! What a directory tree holds, in one walk: its usage, and a digest of every name, type, owner, mode, size, content
//! and xattr. Two trees with the same digest are the same to a container; a layer that was hit by a power cut or by a
//! failing disk has another one than it had when it was unpacked (threats SNP-01, SNP-14).

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    fs::{self, File, Metadata},
    io::Read,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use ring::digest::{Context as Hasher, SHA256};

use super::Usage;
use crate::{
    engine::content::Digest,
    error::{Context, Error, Result},
};

/// CRC-32 of files' contents by inode number. It finds what a disk does to a file as surely as a digest would, at a
/// tenth of the cost, and whoever can write to a layer on purpose can write to the database too.
pub type Sums = HashMap<u64, u32>;

/// A tree as it was when its snapshot was committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    pub usage: Usage,
    /// `None` where the driver shows no files.
    pub tree: Option<Digest>,
}

const BUFFER: usize = 256 << 10;
/// What a security module on this machine puts there.
const NOT_OURS: &[u8] = b"security.selinux";

/// Walks the tree. Files whose sum is not in `sums` are read.
///
/// # Errors
/// Anything that cannot be read: nobody changes a tree that is about to be committed.
pub fn measure(root: &Path, sums: &Sums) -> Result<Measured> {
    let mut walk = Walk::new(sums);
    // Depth first, names in order: the same tree gives the same digest wherever and however it was made.
    let mut left = vec![PathBuf::new()];
    while let Some(relative) = left.pop() {
        let path = if relative.as_os_str().is_empty() { root.to_owned() } else { root.join(&relative) };
        if walk.entry(&path, &relative)? {
            left.extend(names(&path)?.into_iter().rev().map(|name| relative.join(name)));
        }
    }
    Ok(walk.finish())
}

/// The same of these entries of a tree alone, and of the names in those that are directories.
pub fn measure_these(root: &Path, mut entries: Vec<PathBuf>, sums: &Sums) -> Result<Measured> {
    let mut walk = Walk::new(sums);
    entries.sort_unstable();
    for relative in entries {
        let path = if relative.as_os_str().is_empty() { root.to_owned() } else { root.join(&relative) };
        if walk.entry(&path, &relative)? {
            let names = names(&path)?;
            walk.hasher.update(&(names.len() as u64).to_le_bytes());
            names.iter().for_each(|name| walk.record(name.as_bytes()));
        }
    }
    Ok(walk.finish())
}

/// What is in a directory, in order.
fn names(directory: &Path) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).context(|| format!("list {}", directory.display()))? {
        names.push(entry.context(|| format!("list {}", directory.display()))?.file_name());
    }
    names.sort_unstable();
    Ok(names)
}

struct Walk<'a> {
    sums: &'a Sums,
    hasher: Hasher,
    usage: Usage,
    linked: HashSet<(u64, u64)>,
}

impl<'a> Walk<'a> {
    fn new(sums: &'a Sums) -> Self {
        let mut hasher = Hasher::new(&SHA256);
        hasher.update(b"wharf tree 1\n");
        Self { sums, hasher, usage: Usage::default(), linked: HashSet::new() }
    }

    fn finish(self) -> Measured {
        Measured { usage: self.usage, tree: Some(Digest::from_sha256(self.hasher.finish().as_ref())) }
    }

    /// Whether it is a directory.
    fn entry(&mut self, path: &Path, relative: &Path) -> Result<bool> {
        let meta = fs::symlink_metadata(path).context(|| format!("stat {}", path.display()))?;
        if meta.is_dir() || meta.nlink() == 1 || self.linked.insert((meta.dev(), meta.ino())) {
            self.usage.bytes += meta.blocks() * 512;
            self.usage.inodes += 1;
        }
        self.record(relative.as_os_str().as_bytes());
        // A directory's size is the filesystem's business.
        let size = if meta.is_dir() { 0 } else { meta.size() };
        for number in [u64::from(meta.mode()), u64::from(meta.uid()), u64::from(meta.gid()), size, meta.rdev()] {
            self.hasher.update(&number.to_le_bytes());
        }
        if meta.is_file() {
            let sum = match self.sums.get(&meta.ino()) {
                Some(sum) => *sum,
                None => sum(path, &meta)?,
            };
            self.hasher.update(&sum.to_le_bytes());
        } else if meta.is_symlink() {
            let target = fs::read_link(path).context(|| format!("read link {}", path.display()))?;
            self.record(target.as_os_str().as_bytes());
        }
        self.xattrs(path)?;
        Ok(meta.is_dir())
    }

    /// With its length before it, so that no two sequences of fields read alike.
    fn record(&mut self, bytes: &[u8]) {
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }

    fn xattrs(&mut self, path: &Path) -> Result<()> {
        let listing = || format!("list xattrs of {}", path.display());
        let mut names = Vec::new();
        loop {
            let length = match rustix::fs::llistxattr(path, &mut [0_u8; 0][..]) {
                // A filesystem without xattrs has none.
                Err(rustix::io::Errno::NOTSUP) | Ok(0) => return Ok(()),
                other => other.context(listing)?,
            };
            names.resize(length, 0);
            match rustix::fs::llistxattr(path, &mut names[..]) {
                Err(rustix::io::Errno::RANGE) => {}
                other => break names.truncate(other.context(listing)?),
            }
        }
        let mut sorted: Vec<&[u8]> = names.split(|b| *b == 0).filter(|n| !n.is_empty() && *n != NOT_OURS).collect();
        sorted.sort_unstable();
        let mut value = vec![0_u8; 64 << 10];
        for name in sorted {
            let size = rustix::fs::lgetxattr(path, name, &mut value[..]).context(|| {
                format!("read xattr {} of {}", String::from_utf8_lossy(name).escape_debug(), path.display())
            })?;
            self.record(name);
            self.record(&value[..size]);
        }
        Ok(())
    }
}

/// Reads the file, from the disk rather than from the page cache where it can.
fn sum(path: &Path, meta: &Metadata) -> Result<u32> {
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW);
    let mut file: File = options.open(path).context(|| format!("open {}", path.display()))?;
    if let Some(length) = std::num::NonZeroU64::new(meta.size()) {
        // Advice: a file that is still being written back stays where it is.
        let _advice = rustix::fs::fadvise(&file, 0, Some(length), rustix::fs::Advice::DontNeed);
    }
    let mut crc = flate2::Crc::new();
    let mut buffer = vec![0; BUFFER.min(usize::try_from(meta.size()).unwrap_or(BUFFER).max(1))];
    loop {
        let n = file.read(&mut buffer).map_err(|e| Error::io("read", path, e))?;
        if n == 0 {
            return Ok(crc.sum());
        }
        crc.update(&buffer[..n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(dir: &Path) -> Digest {
        measure(dir, &Sums::new()).unwrap().tree.unwrap()
    }

    #[test]
    fn any_change_changes_the_digest_and_the_same_tree_has_the_same() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for dir in [one.path(), two.path()] {
            fs::create_dir(dir.join("d")).unwrap();
            fs::write(dir.join("d/a"), "hello").unwrap();
            fs::write(dir.join("d.b"), "").unwrap();
            std::os::unix::fs::symlink("d/a", dir.join("l")).unwrap();
        }
        assert_eq!(tree(one.path()), tree(two.path()));
        let at = two.path();
        let mut seen = HashSet::from([tree(at)]);
        let changes: [&dyn Fn(); 6] = [
            &|| fs::write(at.join("d/a"), "hellO").unwrap(),
            &|| fs::write(at.join("d/a"), "").unwrap(),
            &|| fs::rename(at.join("d/a"), at.join("d/c")).unwrap(),
            &|| fs::set_permissions(at.join("d"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap(),
            &|| fs::remove_file(at.join("l")).unwrap(),
            &|| std::os::unix::fs::symlink("d/b", at.join("l")).unwrap(),
        ];
        for (number, change) in changes.iter().enumerate() {
            change();
            assert!(seen.insert(tree(at)), "change {number} was not seen");
        }
    }

    #[test]
    fn known_sums_are_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "hello").unwrap();
        let inode = fs::metadata(dir.path().join("a")).unwrap().ino();
        let mut crc = flate2::Crc::new();
        crc.update(b"hello");
        let right = measure(dir.path(), &Sums::from([(inode, crc.sum())])).unwrap();
        assert_eq!(right.tree.unwrap(), tree(dir.path()));
        assert_ne!(measure(dir.path(), &Sums::from([(inode, 1)])).unwrap().tree.unwrap(), tree(dir.path()));
    }
}
