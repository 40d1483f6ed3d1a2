//! A tree on a disk that is read: of a container's root, or of this machine. Below where it begins nothing is followed.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::Read,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::Path,
};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};

use super::{DEPTH, Ids, Meta, Progress, Root, Sink, Xattrs, failed, resolve, shown, xattr};
use crate::{
    bail,
    error::{Error, Result},
};

/// What is read of a file that has a content and says it has none, as those of /proc.
const SIZELESS: u64 = 1 << 20;

pub struct Source {
    /// For O_PATH.
    fd: OwnedFd,
    pub name: OsString,
    pub directory: bool,
    /// None for files of this machine, whose owners are what they are.
    ids: Option<Ids>,
}

impl Source {
    pub fn inside(root: &Root, path: &Path) -> Result<Self> {
        let fd = resolve(root, path, OFlags::PATH).map_err(failed("open in the container", path.as_os_str()))?;
        Self::of(fd, path, Some(root.ids.clone()))
    }

    pub fn local(path: &Path) -> Result<Self> {
        let fd = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| Error::io("open", path, e))?;
        Self::of(fd, path, None)
    }

    fn of(fd: OwnedFd, path: &Path, ids: Option<Ids>) -> Result<Self> {
        let stat = rustix::fs::fstat(&fd).map_err(failed("look at", path.as_os_str()))?;
        let directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let name = path.file_name().map_or_else(|| OsString::from("root"), OsStr::to_owned);
        Ok(Self { fd, name, directory, ids })
    }

    pub fn walk(&self, sink: &mut dyn Sink, progress: &Progress) -> Result<()> {
        self.visit(self.fd.as_fd(), &self.name, sink, progress, 0)
    }

    fn meta(&self, stat: &Stat) -> Meta {
        let owner = (stat.st_uid, stat.st_gid);
        let (uid, gid) = self.ids.as_ref().map_or(owner, |ids| ids.inside(owner));
        let mtime = (stat.st_mtime, stat.st_mtime_nsec as i64);
        Meta { mode: stat.st_mode & 0o7777, uid, gid, mtime, xattrs: Xattrs::new() }
    }

    fn visit(
        &self,
        fd: BorrowedFd<'_>,
        name: &OsStr,
        sink: &mut dyn Sink,
        progress: &Progress,
        depth: usize,
    ) -> Result<()> {
        let stat = rustix::fs::fstat(fd).map_err(failed("look at", name))?;
        let mut meta = self.meta(&stat);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                if depth >= DEPTH {
                    bail!(
                        InvalidArgument,
                        "{}: directories lie {DEPTH} deep in each other, more are not copied",
                        shown(name)
                    );
                }
                let open = opened(fd, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
                meta.xattrs = xattr::read(&open, name, self.ids.as_ref())?;
                sink.enter(name, meta)?;
                self.children(&open, name, sink, progress, depth)?;
                sink.leave()
            }
            FileType::RegularFile => {
                let mut file = File::from(opened(fd, name, OFlags::RDONLY)?);
                meta.xattrs = xattr::read(&file, name, self.ids.as_ref())?;
                progress.file();
                let size = stat.st_size.cast_unsigned();
                if size > 0 {
                    let mut counted = Counted { from: &mut file, progress };
                    return sink.file(name, meta, size, &mut counted);
                }
                let mut content = Vec::new();
                (&mut file)
                    .take(SIZELESS + 1)
                    .read_to_end(&mut content)
                    .map_err(|e| Error::io("read", shown(name), e))?;
                if content.len() as u64 > SIZELESS {
                    bail!(InvalidArgument, "{}: it says it is empty and is larger than 1 MiB", shown(name));
                }
                progress.add(content.len())?;
                sink.file(name, meta, content.len() as u64, &mut content.as_slice())
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(fd, "", Vec::new()).map_err(failed("read the link", name))?;
                progress.file();
                sink.link(name, meta, &OsString::from_vec(target.into_bytes()))
            }
            kind => {
                let what = match kind {
                    FileType::Fifo => "a fifo",
                    FileType::Socket => "a socket",
                    FileType::BlockDevice | FileType::CharacterDevice => "a device",
                    _ => "of no kind that is known",
                };
                bail!(InvalidArgument, "{} is {what}: only files, directories and links are copied", shown(name))
            }
        }
    }

    fn children(
        &self,
        open: &OwnedFd,
        name: &OsStr,
        sink: &mut dyn Sink,
        progress: &Progress,
        depth: usize,
    ) -> Result<()> {
        let list = Dir::read_from(open).map_err(failed("list", name))?;
        for entry in list {
            let entry = entry.map_err(failed("list", name))?;
            let child = OsStr::from_bytes(entry.file_name().to_bytes());
            if child == "." || child == ".." {
                continue;
            }
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let found = match rustix::fs::openat(open, child, flags, Mode::empty()) {
                Ok(found) => found,
                // It went between the list and now.
                Err(rustix::io::Errno::NOENT) => continue,
                Err(e) => return Err(failed("open", child)(e)),
            };
            self.visit(found.as_fd(), child, sink, progress, depth + 1)
                .map_err(|e| if depth == 0 { e.context(shown(name)) } else { e })?;
        }
        Ok(())
    }
}

/// The very thing that was looked at, for reading: a path would lead to what somebody has put there since.
fn opened(fd: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::open(path, flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty()).map_err(failed("open", name))
}

/// Whether anything is at a name, without following it.
pub fn kind_at(dir: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<Option<FileType>> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(e) => Err(e),
    }
}

struct Counted<'a> {
    from: &'a mut File,
    progress: &'a Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.progress.add(read).map_err(std::io::Error::other)?;
        Ok(read)
    }
}
