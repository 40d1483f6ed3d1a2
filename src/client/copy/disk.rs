//! A tree on a disk that is written: in a container's root, or on this machine. Everything is made relative to directories that
//! are open, new, and put into its place when it is whole; no link is followed and nothing is written through one.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{Read, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid},
    io::Errno,
};

use super::{Ids, Meta, Progress, Root, Sink, failed, resolve, shown, source::kind_at, xattr};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

const BUFFER: usize = 128 << 10;

/// Whose files are made.
#[derive(Debug)]
pub enum Owner {
    /// On this machine: as the container had them if we may, without the bits that run a program as its owner.
    Here,
    Container(Ids),
}

/// Where a copy goes: a directory, and the name in it; none if it is that directory's content.
#[derive(Debug)]
pub struct Place {
    parent: OwnedFd,
    name: Option<OsString>,
}

/// How a path is opened, here or in a container.
type Open<'a> = dyn Fn(&Path) -> rustix::io::Result<OwnedFd> + 'a;

impl Place {
    pub fn local(to: &Path, name: &OsStr, directory: bool, contents: bool) -> Result<Self> {
        let open = |path: &Path| {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        };
        Self::of(&open, to, name, directory, contents)
    }

    pub fn inside(root: &Root, to: &Path, name: &OsStr, directory: bool, contents: bool) -> Result<Self> {
        let open = |path: &Path| resolve(root, path, OFlags::PATH);
        Self::of(&open, to, name, directory, contents).map_err(|e| e.context("in the container"))
    }

    /// As cp(1): into a directory that is there, or under the name that is given in one that is.
    fn of(open: &Open<'_>, to: &Path, name: &OsStr, directory: bool, contents: bool) -> Result<Self> {
        let show = shown(to.as_os_str());
        let kind = |fd: &OwnedFd| {
            rustix::fs::fstat(fd).map(|s| FileType::from_raw_mode(s.st_mode)).map_err(failed("look at", to.as_os_str()))
        };
        match open(to) {
            Ok(found) if kind(&found)? == FileType::Directory => {
                return Ok(Self { parent: found, name: (!(contents && directory)).then(|| name.to_owned()) });
            }
            Ok(_) if directory => bail!(AlreadyExists, "{show} is there and is no directory"),
            Ok(_) | Err(Errno::NOENT) => {}
            Err(e) => return Err(failed("open", to.as_os_str())(e)),
        }
        let slash = to.as_os_str().as_bytes().ends_with(b"/");
        if slash && !directory {
            bail!(NotFound, "there is no directory {show}");
        }
        let Some(last) = to.file_name() else { bail!(InvalidArgument, "{show} is no name for a copy") };
        let parent = to.parent().unwrap_or(Path::new(""));
        let found = open(parent).map_err(failed("open the directory", parent.as_os_str()))?;
        if kind(&found)? != FileType::Directory {
            bail!(InvalidArgument, "{} is no directory", shown(parent.as_os_str()));
        }
        Ok(Self { parent: found, name: Some(last.to_owned()) })
    }
}

/// A directory that is being filled.
#[derive(Debug)]
struct Level {
    fd: OwnedFd,
    name: OsString,
    /// None for one that was there already, whose looks are not ours.
    meta: Option<Meta>,
}

pub struct Disk {
    place: Place,
    owner: Owner,
    progress: Arc<Progress>,
    levels: Vec<Level>,
    /// What is not in its place yet: the name it has until then, and the one it gets.
    staged: Option<(OsString, OsString)>,
    /// Something came into a directory that was there.
    merged: bool,
    may_own: bool,
}

impl Disk {
    pub fn new(place: Place, owner: Owner, progress: Arc<Progress>) -> Result<Self> {
        let may_own = matches!(owner, Owner::Container(_)) || rustix::process::geteuid().is_root();
        Ok(Self { place, owner, progress, levels: Vec::new(), staged: None, merged: false, may_own })
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.levels.last().map_or(self.place.parent.as_fd(), |l| l.fd.as_fd())
    }

    /// The name of an entry: that of the place for the first one.
    fn name(&self, name: &OsStr) -> Result<OsString> {
        let name = if self.levels.is_empty() {
            self.place.name.clone().unwrap_or_else(|| name.to_owned())
        } else {
            name.to_owned()
        };
        let bytes = name.as_bytes();
        if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
            bail!(InvalidArgument, "{} is no name for a file", shown(&name));
        }
        Ok(name)
    }

    /// Owner, mode, attributes and time, in this order: a change of the owner takes bits of the mode and capabilities away.
    fn finish(&self, fd: BorrowedFd<'_>, name: &OsStr, meta: &Meta) -> Result<()> {
        self.own(fd, "", AtFlags::EMPTY_PATH, name, meta)?;
        let mode = if matches!(self.owner, Owner::Here) { meta.mode & 0o1777 } else { meta.mode };
        rustix::fs::fchmod(fd, Mode::from_raw_mode(mode)).map_err(failed("set the mode of", name))?;
        let taken = match &self.owner {
            Owner::Container(ids) => xattr::write(fd, name, &meta.xattrs, Some(ids))?,
            Owner::Here => {
                let mut xattrs = meta.xattrs.clone();
                xattrs.remove(OsStr::new(xattr::CAPABILITY));
                xattr::write(fd, name, &xattrs, None)?
            }
        };
        if !taken {
            self.progress.bare.fetch_add(1, Ordering::Relaxed);
        }
        rustix::fs::futimens(fd, &times(meta)).map_err(failed("set the time of", name))
    }

    fn own(&self, fd: BorrowedFd<'_>, path: &str, flags: AtFlags, name: &OsStr, meta: &Meta) -> Result<()> {
        if !self.may_own {
            return Ok(());
        }
        let (uid, gid) = match &self.owner {
            Owner::Here => (meta.uid, meta.gid),
            Owner::Container(ids) => match ids.outside((meta.uid, meta.gid)) {
                Some(found) => found,
                None => {
                    self.progress.unowned.fetch_add(1, Ordering::Relaxed);
                    ids.outside((0, 0)).ok_or_else(|| Error::new(Kind::Internal, "a namespace without a root"))?
                }
            },
        };
        rustix::fs::chownat(fd, path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), flags)
            .map_err(failed("set the owner of", name))
    }

    /// What is made is made under a name of its own first.
    fn temporary() -> Result<OsString> {
        let mut random = [0_u8; 8];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
            .map_err(failed("make a name for", OsStr::new("a copy")))?;
        Ok(format!(".wharf-copy-{:016x}", u64::from_ne_bytes(random)).into())
    }

    fn put(&self, temporary: &OsStr, name: &OsStr) -> Result<()> {
        rustix::fs::renameat(self.here(), temporary, self.here(), name).map_err(failed("put into its place", name))
    }

    fn free(&self, name: &OsStr) -> Result<()> {
        if kind_at(self.here(), name).map_err(failed("look at", name))? == Some(FileType::Directory) {
            bail!(AlreadyExists, "{} is a directory there, and no directory here", shown(name));
        }
        Ok(())
    }

    fn write(&self, name: &OsStr, meta: &Meta, size: u64, content: &mut dyn Read) -> Result<()> {
        let temporary = Self::temporary()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self.here(), &temporary, flags, Mode::from_raw_mode(0o600))
            .map_err(failed("make", name))?;
        let mut file = File::from(fd);
        let done = fill(&mut file, name, size, content)
            .and_then(|()| self.finish(file.as_fd(), name, meta))
            .and_then(|()| self.put(&temporary, name));
        self.or_unlink(done, &temporary)
    }

    fn or_unlink(&self, done: Result<()>, name: &OsStr) -> Result<()> {
        done.map_err(|error| {
            let removed = rustix::fs::unlinkat(self.here(), name, AtFlags::empty()).map_err(failed("remove", name));
            error.and_cleanup(removed)
        })
    }

    /// What came of the walk, with nothing half done left behind.
    pub fn end(mut self, copied: Result<()>) -> Result<()> {
        self.levels.clear();
        let Some((temporary, name)) = self.staged.take() else {
            return copied.map_err(|e| if self.merged { e.context("what was copied before that stays") } else { e });
        };
        let done = copied.and_then(|()| {
            let placed = rustix::fs::renameat_with(
                self.here(),
                &temporary,
                self.here(),
                &name,
                rustix::fs::RenameFlags::NOREPLACE,
            );
            placed.map_err(failed("put into its place", &name))
        });
        done.map_err(|error| error.and_cleanup(remove_tree(self.here(), &temporary, 0)))
    }
}

impl Sink for Disk {
    fn enter(&mut self, name: &OsStr, meta: Meta) -> Result<()> {
        if self.levels.is_empty() && self.place.name.is_none() {
            // The content of a directory into one that is there.
            let fd = self.place.parent.try_clone().map_err(|e| Error::io("duplicate", shown(name), e))?;
            self.merged = true;
            self.levels.push(Level { fd, name: name.to_owned(), meta: None });
            return Ok(());
        }
        let name = self.name(name)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |at: &OsStr| rustix::fs::openat(self.here(), at, flags, Mode::empty());
        let level = match kind_at(self.here(), &name).map_err(failed("look at", &name))? {
            Some(FileType::Directory) => {
                let fd = open(&name).map_err(failed("open", &name))?;
                self.merged |= self.staged.is_none();
                Level { fd, name, meta: None }
            }
            Some(_) => bail!(AlreadyExists, "{} is there and is no directory", shown(&name)),
            None => {
                // The first new directory is put into its place as a whole.
                let made = if self.staged.is_none() && !self.merged { Self::temporary()? } else { name.clone() };
                rustix::fs::mkdirat(self.here(), &made, Mode::from_raw_mode(0o700)).map_err(failed("make", &name))?;
                let fd = open(&made).map_err(failed("open", &name))?;
                if made != name {
                    self.staged = Some((made, name.clone()));
                }
                Level { fd, name, meta: Some(meta) }
            }
        };
        self.levels.push(level);
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        let Some(level) = self.levels.pop() else { bail!(Internal, "a directory ends that did not begin") };
        let Some(meta) = level.meta else { return Ok(()) };
        let readable =
            rustix::fs::openat(&level.fd, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
                .map_err(failed("open", &level.name))?;
        self.finish(readable.as_fd(), &level.name, &meta)
    }

    fn file(&mut self, name: &OsStr, meta: Meta, size: u64, content: &mut dyn Read) -> Result<()> {
        let name = self.name(name)?;
        self.free(&name)?;
        self.write(&name, &meta, size, content)
    }

    fn link(&mut self, name: &OsStr, meta: Meta, target: &OsStr) -> Result<()> {
        let name = self.name(name)?;
        self.free(&name)?;
        let temporary = Self::temporary()?;
        rustix::fs::symlinkat(target, self.here(), &temporary).map_err(failed("make the link", &name))?;
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let own = || self.own(self.here(), &temporary.to_string_lossy(), flags, &name, &meta);
        let time = || {
            rustix::fs::utimensat(self.here(), &temporary, &times(&meta), flags)
                .map_err(failed("set the time of", &name))
        };
        let done = own().and_then(|()| time()).and_then(|()| self.put(&temporary, &name));
        self.or_unlink(done, &temporary)
    }
}

fn times(meta: &Meta) -> Timestamps {
    let (seconds, nanos) = meta.mtime;
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanos as _ },
    }
}

fn fill(file: &mut File, name: &OsStr, size: u64, content: &mut dyn Read) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut left = size;
    while left > 0 {
        let most = usize::try_from(left).map_or(BUFFER, |l| l.min(BUFFER));
        let read = content.read(&mut buffer[..most]).map_err(|e| Error::io("read", shown(name), e))?;
        if read == 0 {
            bail!(Unavailable, "{} became shorter while it was copied", shown(name));
        }
        file.write_all(&buffer[..read]).map_err(|e| Error::io("write", shown(name), e))?;
        left -= read as u64;
    }
    Ok(())
}

/// What we made ourselves, by descriptors: nothing that a link leads to.
fn remove_tree(dir: BorrowedFd<'_>, name: &OsStr, depth: usize) -> Result<()> {
    if depth > super::DEPTH + 1 {
        bail!(Internal, "{} is deeper than what was made", shown(name));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(failed("open", name))?;
    for entry in Dir::read_from(&open).map_err(failed("list", name))? {
        let entry = entry.map_err(failed("list", name))?;
        let child = OsStr::from_bytes(entry.file_name().to_bytes());
        if child == "." || child == ".." {
            continue;
        }
        match kind_at(open.as_fd(), child).map_err(failed("look at", child))? {
            Some(FileType::Directory) => remove_tree(open.as_fd(), child, depth + 1)?,
            Some(_) => rustix::fs::unlinkat(&open, child, AtFlags::empty()).map_err(failed("remove", child))?,
            None => {}
        }
    }
    rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR).map_err(failed("remove", name))
}
