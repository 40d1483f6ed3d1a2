//! Entries become files. Every call is relative to a directory's descriptor, and what is made is made anew (`O_EXCL`).

use std::{
    collections::BTreeSet,
    ffi::{CStr, CString, OsString},
    fs::File,
    io::Write,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path as FilePath, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid, XattrFlags, chmodat,
        chownat, fchmod, fchown, fsetxattr, fstat, futimens, linkat, makedev, mkdirat, mknodat, openat, openat2,
        statat, symlinkat, utimensat,
    },
    io::Errno,
};

use super::{
    path::{c, checked, directory, make_directory, parts, remove, shown},
    tar::{Entry, EntryKind, Reader},
};
use crate::{
    bail,
    engine::snapshot::{Sums, UnpackTarget, Usage, Whiteouts},
    error::{Context, Error, Kind, Result},
};

type Path = Vec<Vec<u8>>;

const OPAQUE: &[u8] = b".wh..wh..opq";
const WHITEOUT: &[u8] = b".wh.";
/// Names of aufs' own bookkeeping, which old images may hold.
const AUFS: &[u8] = b".wh..wh.";

pub struct Extractor {
    root: OwnedFd,
    whiteouts: Whiteouts,
    /// The directory the last entry was made in: layers list a directory's files one after another.
    parent: Option<(Path, OwnedFd)>,
    /// Directories' times, set last, because files made in them change them.
    times: Vec<(Path, (i64, u32))>,
    implied: BTreeSet<Path>,
    /// What this layer made; kept only where an opaque directory must spare it.
    made: BTreeSet<Path>,
    usage: Usage,
    sums: Sums,
    /// Extended attributes that the filesystem does not have.
    dropped: BTreeSet<String>,
}

/// What a layer came to.
#[derive(Debug)]
pub struct Made {
    pub usage: Usage,
    pub implied: Vec<PathBuf>,
    pub sums: Sums,
    pub dropped: BTreeSet<String>,
}

impl Extractor {
    pub fn new(target: &UnpackTarget) -> Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = openat(CWD, &target.directory, flags, Mode::empty())
            .context(|| format!("open {}", target.directory.display()))?;
        Ok(Self {
            root,
            whiteouts: target.whiteouts,
            parent: None,
            times: Vec::new(),
            implied: BTreeSet::new(),
            made: BTreeSet::new(),
            usage: Usage::default(),
            sums: Sums::new(),
            dropped: BTreeSet::new(),
        })
    }

    pub fn entry(&mut self, entry: &Entry, data: &mut Reader<'_, '_>) -> Result<()> {
        let path = parts(&entry.path, 4096)?;
        let doing = || format!("unpack {}", shown(&path));
        let Some((name, above)) = path.split_last() else {
            if entry.kind != EntryKind::Directory {
                bail!(InvalidArgument, "invalid archive: the root is not a directory");
            }
            let root = self.root.try_clone().map_err(|e| Error::io("duplicate the descriptor of", "the target", e))?;
            self.times.push((Path::new(), entry.mtime));
            return attributes(root.as_fd(), entry, &mut self.dropped).context(doing);
        };
        if name == OPAQUE {
            return self.opaque(above).context(doing);
        }
        if path.iter().any(|p| p.starts_with(AUFS)) {
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(above, hidden).context(doing);
        }
        if above.iter().any(|p| p.starts_with(WHITEOUT)) {
            bail!(InvalidArgument, "invalid archive: {} is below a whiteout", shown(&path));
        }
        self.make(entry, &path, above, &c(name)?, data).context(doing)
    }

    /// Sets directories' times and gives what was made in all.
    pub fn finish(self) -> Result<Made> {
        for (path, mtime) in self.times.iter().rev() {
            let whole = if path.is_empty() { b".".to_vec() } else { path.join(&b'/') };
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let resolve = checked(ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS);
            match openat2(&self.root, whole, flags, Mode::empty(), resolve) {
                Ok(found) => {
                    futimens(&found, &stamps(*mtime)).context(|| format!("set the time of {}", shown(path)))?
                }
                // It was replaced by something else, or deleted, later in the layer.
                Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => {}
                Err(error) => return Err(error).context(|| format!("open directory {}", shown(path))),
            }
        }
        let plain = |p: Path| PathBuf::from(OsString::from_vec(p.join(&b'/')));
        let implied = self.implied.into_iter().map(plain).collect();
        Ok(Made { usage: self.usage, implied, sums: self.sums, dropped: self.dropped })
    }

    /// The directory a name is in, made if the layer has no entry for it.
    fn directory_of(&mut self, above: &[Vec<u8>]) -> Result<BorrowedFd<'_>> {
        if self.parent.as_ref().is_none_or(|(path, _)| path != above) {
            let implied = &mut self.implied;
            let found = make_directory(&self.root, above, |made| {
                implied.insert(made.to_vec());
            })?;
            self.parent = Some((above.to_vec(), found));
        }
        match &self.parent {
            Some((_, found)) => Ok(found.as_fd()),
            None => Err(Error::new(Kind::Internal, "no directory")),
        }
    }

    fn make(
        &mut self,
        entry: &Entry,
        path: &[Vec<u8>],
        above: &[Vec<u8>],
        name: &CStr,
        data: &mut Reader<'_, '_>,
    ) -> Result<()> {
        if self.whiteouts == Whiteouts::Apply {
            self.made.insert(path.to_vec());
        }
        self.implied.remove(path);
        self.usage.inodes += 1;
        self.usage.bytes += entry.size;
        let link = (entry.kind == EntryKind::HardLink).then(|| self.link_source(&entry.link)).transpose()?;
        let was = self.clear(path, above, name, entry.kind)?;
        let mut dropped = std::mem::take(&mut self.dropped);
        let parent = self.directory_of(above)?;
        match entry.kind {
            EntryKind::File => {
                let (inode, sum) = file(parent, name, entry, data, &mut dropped)?;
                self.sums.insert(inode, sum);
            }
            EntryKind::Directory => {
                if was != Was::Directory {
                    mkdirat(parent, name, Mode::from_raw_mode(0o700)).context(|| "create the directory".to_owned())?;
                }
                let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let made = openat(parent, name, flags, Mode::empty()).context(|| "open the directory".to_owned())?;
                attributes(made.as_fd(), entry, &mut dropped)?;
                if was == Was::Whiteout {
                    set_opaque(made.as_fd())?;
                }
                self.times.push((path.to_vec(), entry.mtime));
            }
            EntryKind::Symlink => {
                symlinkat(c(&entry.link)?.as_c_str(), parent, name).context(|| "create the link".to_owned())?;
                owner_of(parent, name, entry)?;
            }
            EntryKind::HardLink => {
                let Some((from, of)) = link else { bail!(Internal, "a hard link without its source") };
                linkat(&from, of.as_c_str(), parent, name, AtFlags::empty())
                    .context(|| format!("link to {}", String::from_utf8_lossy(&entry.link).escape_debug()))?;
            }
            EntryKind::CharDevice | EntryKind::BlockDevice | EntryKind::Fifo => special(parent, name, entry)?,
        }
        self.dropped = dropped;
        Ok(())
    }

    /// The directory and the name a hard link points at; the name itself is never followed.
    fn link_source(&self, link: &[u8]) -> Result<(OwnedFd, CString)> {
        let path = parts(link, 4096)?;
        let Some((name, above)) = path.split_last() else { bail!(InvalidArgument, "a hard link to the root") };
        if name.starts_with(WHITEOUT) {
            bail!(InvalidArgument, "invalid archive: a hard link to a whiteout");
        }
        let from = directory(&self.root, above).context(|| format!("find the link's target {}", shown(&path)))?;
        Ok((from, c(name)?))
    }

    /// Takes away what an entry replaces. A directory that is again a directory stays.
    fn clear(&mut self, path: &[Vec<u8>], above: &[Vec<u8>], name: &CStr, kind: EntryKind) -> Result<Was> {
        let parent = self.directory_of(above)?;
        let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(Was::Nothing),
            other => other.context(|| "look at what is there".to_owned())?,
        };
        let was = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if kind == EntryKind::Directory => return Ok(Was::Directory),
            FileType::CharacterDevice if stat.st_rdev == 0 => Was::Whiteout,
            _ => Was::Other,
        };
        remove(parent, name)?;
        self.parent = None;
        // What was implied below it has gone with it.
        while let Some(gone) = self.implied.range(path.to_vec()..).next().filter(|p| p.starts_with(path)).cloned() {
            self.implied.remove(&gone);
        }
        Ok(was)
    }

    fn whiteout(&mut self, above: &[Vec<u8>], hidden: &[u8]) -> Result<()> {
        if hidden.is_empty() || hidden == b"." || hidden == b".." {
            bail!(InvalidArgument, "invalid archive: whiteout of nothing");
        }
        let name = c(hidden)?;
        if self.whiteouts == Whiteouts::Apply {
            match directory(&self.root, above) {
                Ok(parent) => remove(&parent, &name)?,
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(error) => return Err(error).context(|| format!("open directory {}", shown(above))),
            }
            self.parent = None;
            return Ok(());
        }
        let parent = self.directory_of(above)?;
        match mknodat(parent, name.as_c_str(), FileType::CharacterDevice, Mode::empty(), makedev(0, 0)) {
            // The layer itself has something of that name: that stays, and nothing of the lower ones shows through it.
            Err(Errno::EXIST) => {
                let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match openat(parent, name.as_c_str(), flags, Mode::empty()) {
                    Ok(found) => set_opaque(found.as_fd()),
                    Err(Errno::NOTDIR | Errno::LOOP) => Ok(()),
                    Err(error) => Err(error).context(|| "open the directory".to_owned()),
                }
            }
            other => other.context(|| "create the whiteout".to_owned()),
        }
    }

    /// Nothing of lower layers shows in this directory, whatever the order of the entries.
    fn opaque(&mut self, above: &[Vec<u8>]) -> Result<()> {
        if self.whiteouts == Whiteouts::Overlay {
            let parent = self.directory_of(above)?;
            return set_opaque(parent);
        }
        self.parent = None;
        match directory(&self.root, above) {
            Ok(parent) => self.empty(&parent, &mut above.to_vec()),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(error).context(|| format!("open directory {}", shown(above))),
        }
    }

    /// Deletes what this layer did not make.
    fn empty(&self, at: &OwnedFd, path: &mut Path) -> Result<()> {
        let failed = || "list the directory".to_owned();
        for entry in rustix::fs::Dir::read_from(at).context(failed)? {
            let entry = entry.context(failed)?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            path.push(name.to_bytes().to_vec());
            let below = self.made.range(path.clone()..).next().is_some_and(|m| m.starts_with(path));
            if below {
                let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match openat(at, name, flags, Mode::empty()) {
                    Ok(inside) => self.empty(&inside, path)?,
                    Err(Errno::NOTDIR | Errno::LOOP) => {}
                    Err(error) => return Err(error).context(failed),
                }
            } else {
                remove(at, name)?;
            }
            path.pop();
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Was {
    Nothing,
    Directory,
    Whiteout,
    Other,
}

/// Its inode number and the checksum of what was written.
fn file(
    parent: BorrowedFd<'_>,
    name: &CStr,
    entry: &Entry,
    data: &mut Reader<'_, '_>,
    dropped: &mut BTreeSet<String>,
) -> Result<(u64, u32)> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(parent, name, flags, Mode::from_raw_mode(0o600)).context(|| "create the file".to_owned())?;
    let mut made = File::from(made);
    let mut sum = flate2::Crc::new();
    while let Some(part) = data.read()? {
        sum.update(part);
        made.write_all(part).context(|| "write the file".to_owned())?;
    }
    attributes(made.as_fd(), entry, dropped)?;
    futimens(&made, &stamps(entry.mtime)).context(|| "set the file's time".to_owned())?;
    let stat = fstat(&made).context(|| "look at the file".to_owned())?;
    Ok((stat.st_ino, sum.sum()))
}

/// Never opened: a FIFO would block, a device would do something.
fn special(parent: BorrowedFd<'_>, name: &CStr, entry: &Entry) -> Result<()> {
    let (kind, device) = match entry.kind {
        EntryKind::Fifo => (FileType::Fifo, 0),
        EntryKind::CharDevice if entry.device == (0, 0) => {
            bail!(InvalidArgument, "invalid archive: a device 0:0, which is overlayfs' own whiteout")
        }
        EntryKind::CharDevice => (FileType::CharacterDevice, makedev(entry.device.0, entry.device.1)),
        _ => (FileType::BlockDevice, makedev(entry.device.0, entry.device.1)),
    };
    mknodat(parent, name, kind, Mode::from_raw_mode(0o600), device).context(|| "create the special file".to_owned())?;
    owner_of(parent, name, entry)?;
    chmodat(parent, name, Mode::from_raw_mode(entry.mode), AtFlags::empty()).context(|| "set the mode".to_owned())
}

fn ids(entry: &Entry) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)))
}

fn owner_of(parent: BorrowedFd<'_>, name: &CStr, entry: &Entry) -> Result<()> {
    let (uid, gid) = ids(entry);
    chownat(parent, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW).context(owner_hint)?;
    utimensat(parent, name, &stamps(entry.mtime), AtFlags::SYMLINK_NOFOLLOW).context(|| "set the time".to_owned())
}

fn owner_hint() -> String {
    "set the owner (in a user namespace: are enough ids mapped in /etc/subuid?)".to_owned()
}

/// Owner, mode and xattrs, in that order: chown clears set-id bits and capabilities.
fn attributes(of: BorrowedFd<'_>, entry: &Entry, dropped: &mut BTreeSet<String>) -> Result<()> {
    let (uid, gid) = ids(entry);
    fchown(of, uid, gid).context(owner_hint)?;
    fchmod(of, Mode::from_raw_mode(entry.mode)).context(|| "set the mode".to_owned())?;
    for (name, value) in &entry.xattrs {
        // overlayfs' own would change what the mount shows; labels of another host's policy mean nothing here.
        if name.starts_with(b"user.overlay.") || !(name == b"security.capability" || name.starts_with(b"user.")) {
            continue;
        }
        match fsetxattr(of, c(name)?.as_c_str(), value, XattrFlags::empty()) {
            Err(Errno::NOTSUP) => drop(dropped.insert(String::from_utf8_lossy(name).escape_debug().to_string())),
            other => other.context(|| format!("set xattr {}", String::from_utf8_lossy(name).escape_debug()))?,
        }
    }
    Ok(())
}

fn set_opaque(of: BorrowedFd<'_>) -> Result<()> {
    fsetxattr(of, "trusted.overlay.opaque", b"y", XattrFlags::empty())
        .context(|| "make the directory opaque".to_owned())
}

/// Directories that the layer in `upper` only passes through look as they do in `lower`.
pub fn inherit(lower: &FilePath, upper: &FilePath, implied: &[PathBuf]) -> Result<()> {
    let open = |root: &FilePath| {
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        openat(CWD, root, flags, Mode::empty()).context(|| format!("open {}", root.display()))
    };
    let (lower, upper) = (open(lower)?, open(upper)?);
    for path in implied {
        let parts = parts(path.as_os_str().as_bytes(), 4096)?;
        // Inside its own root each, whatever the layer made of the way there since.
        let within = |root: &OwnedFd| match directory(root, &parts) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error).context(|| format!("open directory {}", shown(&parts))),
        };
        let (Some(below), Some(above)) = (within(&lower)?, within(&upper)?) else { continue };
        let looks = fstat(&below).context(|| format!("look at directory {}", shown(&parts)))?;
        fchown(&above, Some(Uid::from_raw(looks.st_uid)), Some(Gid::from_raw(looks.st_gid)))
            .and_then(|()| fchmod(&above, Mode::from_raw_mode(looks.st_mode)))
            .context(|| format!("set the owner and mode of {}", shown(&parts)))?;
    }
    Ok(())
}

fn stamps((seconds, nanos): (i64, u32)) -> Timestamps {
    let at = Timespec { tv_sec: seconds, tv_nsec: i64::from(nanos) };
    Timestamps { last_access: at, last_modification: at }
}

impl std::fmt::Debug for Extractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extractor").field("whiteouts", &self.whiteouts).finish_non_exhaustive()
    }
}
