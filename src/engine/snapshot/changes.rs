//! What a container changed in its root filesystem, as a layer of an OCI image: two trees are compared, whatever snapshotter they
//! are of. The container may run and be hostile: no link is followed, and every file is opened by its directory.

use std::{
    collections::BTreeSet,
    ffi::{CString, OsString},
    io::Write,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::Path,
};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};

use crate::{
    bail,
    error::{Context, Error, Result},
    tar::{Entry, Kind, Writer},
};

/// How deep directories may lie in each other: each is two open files while it is compared.
const DEPTH: usize = 400;
/// The mark of what was removed (OCI image spec, layer).
const WHITEOUT: &[u8] = b".wh.";
/// Bytes of an extended attribute.
const ATTRIBUTE: usize = 64 << 10;
/// What tells a file's rights without being in its mode.
const CAPABILITY: &str = "security.capability";

/// Writes what makes `upper` of `lower` to an archive.
///
/// # Errors
/// What cannot be read, or written; directories nested too deep. A file that changes while it is read is taken as it comes.
pub fn write(lower: &Path, upper: &Path, to: impl Write) -> Result<()> {
    let open = |path: &Path| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).context(|| format!("open {}", path.display()))
    };
    let mut walk = Walk { archive: Writer::new(to), path: Vec::new(), depth: 0 };
    walk.directory(Some(open(lower)?.as_fd()), open(upper)?.as_fd())?;
    walk.archive.end().map(drop)
}

struct Walk<W> {
    archive: Writer<W>,
    /// Of the directory that is compared, with a `/` at its end.
    path: Vec<u8>,
    depth: usize,
}

impl<W: Write> Walk<W> {
    fn directory(&mut self, lower: Option<BorrowedFd<'_>>, upper: BorrowedFd<'_>) -> Result<()> {
        let (before, after) = (lower.map_or_else(|| Ok(BTreeSet::new()), |d| self.names(d))?, self.names(upper)?);
        for name in before.difference(&after) {
            let path = [self.path.as_slice(), WHITEOUT, name.as_bytes()].concat();
            self.archive.entry(&Entry::new(&path, Kind::File(0), 0))?;
        }
        for name in after {
            let Some(now) = self.stat(upper, &name)? else { continue };
            let was = match lower {
                Some(lower) => self.stat(lower, &name)?.map(|stat| (lower, stat)),
                None => None,
            };
            self.one(was, (upper, now), &name)?;
        }
        Ok(())
    }

    fn one(&mut self, was: Option<(BorrowedFd<'_>, Stat)>, now: (BorrowedFd<'_>, Stat), name: &OsString) -> Result<()> {
        let (dir, stat) = now;
        let same = match &was {
            Some((lower, before)) => self.is_same((*lower, before), (dir, &stat), name)?,
            None => false,
        };
        let length = self.path.len();
        self.path.extend_from_slice(name.as_bytes());
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if is_directory {
            self.path.push(b'/');
        }
        if !same {
            self.entry(dir, name, &stat)?;
        }
        if is_directory {
            if self.depth == DEPTH {
                bail!(ResourceExhausted, "{}: directories are nested {DEPTH} deep", self.shown());
            }
            self.depth += 1;
            let below = self.open(dir, name)?;
            let lower = was.filter(|(_, before)| FileType::from_raw_mode(before.st_mode) == FileType::Directory);
            let lower = lower.map(|(lower, _)| self.open(lower, name)).transpose()?;
            self.directory(lower.as_ref().map(AsFd::as_fd), below.as_fd())?;
            self.depth -= 1;
        }
        self.path.truncate(length);
        Ok(())
    }

    /// As containerd has it: what a file is, whose, and when it was written. Its content is not compared.
    fn is_same(&self, was: (BorrowedFd<'_>, &Stat), now: (BorrowedFd<'_>, &Stat), name: &OsString) -> Result<bool> {
        let told = |s: &Stat| (s.st_mode, s.st_uid, s.st_gid, s.st_rdev);
        if told(was.1) != told(now.1) {
            return Ok(false);
        }
        Ok(match FileType::from_raw_mode(now.1.st_mode) {
            FileType::RegularFile => {
                let content = |s: &Stat| (s.st_size, s.st_mtime, s.st_mtime_nsec);
                content(was.1) == content(now.1)
                    && self.attribute(was.0, name, CAPABILITY)? == self.attribute(now.0, name, CAPABILITY)?
            }
            FileType::Symlink => self.target(was.0, name)? == self.target(now.0, name)?,
            _ => true,
        })
    }

    fn entry(&mut self, dir: BorrowedFd<'_>, name: &OsString, stat: &Stat) -> Result<()> {
        let (kind, target);
        let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => kind = Kind::Directory,
            FileType::RegularFile => kind = Kind::File(u64::try_from(stat.st_size).unwrap_or(0)),
            FileType::Symlink => {
                target = self.target(dir, name)?;
                kind = Kind::Symlink(&target);
            }
            FileType::CharacterDevice => kind = Kind::Character(device.0, device.1),
            FileType::BlockDevice => kind = Kind::Block(device.0, device.1),
            FileType::Fifo => kind = Kind::Fifo,
            // A socket is nothing without who listens.
            _ => return Ok(()),
        }
        let path = self.path.clone();
        let capability = self.attribute(dir, name, CAPABILITY)?;
        let xattrs: Vec<_> = capability.iter().map(|value| (CAPABILITY.as_bytes(), value.as_slice())).collect();
        let mut entry = Entry::new(&path, kind, stat.st_mode);
        (entry.uid, entry.gid, entry.xattrs) = (stat.st_uid, stat.st_gid, &xattrs);
        entry.mtime = (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0));
        let content = match kind {
            Kind::File(size) => {
                // What has become something else meanwhile must not block, and is not followed.
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                match openat(dir, name.as_os_str(), flags, Mode::empty()) {
                    Err(rustix::io::Errno::NOENT | rustix::io::Errno::LOOP) => return Ok(()),
                    opened => Some((size, std::fs::File::from(opened.context(|| format!("open {}", self.shown()))?))),
                }
            }
            _ => None,
        };
        self.archive.entry(&entry)?;
        if let Some((size, file)) = content {
            self.archive.content(size, file, |_| ())?;
        }
        Ok(())
    }

    fn names(&self, directory: BorrowedFd<'_>) -> Result<BTreeSet<OsString>> {
        let doing = || format!("read the directory /{}", self.shown());
        let mut names = BTreeSet::new();
        for entry in Dir::read_from(directory).context(doing)? {
            let name = entry.context(doing)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.insert(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// `None`: it has gone.
    fn stat(&self, directory: BorrowedFd<'_>, name: &OsString) -> Result<Option<Stat>> {
        match statat(directory, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => Ok(None),
            stat => stat.map(Some).context(|| format!("stat {:?} in /{}", name, self.shown())),
        }
    }

    fn open(&self, directory: BorrowedFd<'_>, name: &OsString) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(directory, name.as_os_str(), flags, Mode::empty()).context(|| format!("open /{}", self.shown()))
    }

    fn target(&self, directory: BorrowedFd<'_>, name: &OsString) -> Result<Vec<u8>> {
        let target: CString = readlinkat(directory, name.as_os_str(), Vec::new())
            .context(|| format!("read the link {:?} in /{}", name, self.shown()))?;
        Ok(target.into_bytes())
    }

    /// An extended attribute, if the file has it.
    fn attribute(&self, directory: BorrowedFd<'_>, name: &OsString, attribute: &str) -> Result<Option<Vec<u8>>> {
        use std::os::fd::AsRawFd;
        // There is no call for a file of a directory; the last part of this path is not followed.
        let path = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
        let mut value = vec![0; ATTRIBUTE];
        match rustix::fs::lgetxattr(&path, attribute, &mut value) {
            Ok(length) => {
                value.truncate(length);
                Ok(Some(value))
            }
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP | rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(Error::io("read the attributes of", self.shown(), error)),
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, process::Command};

    use super::*;

    fn listed(lower: &Path, upper: &Path) -> String {
        let mut bytes = Vec::new();
        write(lower, upper, &mut bytes).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let said = Command::new("tar").arg("-tf").arg(file.path()).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    #[test]
    fn what_was_made_changed_and_removed_is_in_it_and_nothing_else() {
        let (lower, upper) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = lower.path();
        for directory in ["etc", "gone/below", "kept", "once-a-directory"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for file in
            ["etc/hosts", "etc/passwd", "gone/below/file", "kept/removed", "once-a-directory/file", "once-a-file"]
        {
            fs::write(root.join(file), file).unwrap();
        }
        symlink("/etc/hosts", root.join("link")).unwrap();
        let copied = Command::new("cp").arg("-a").arg(root.join(".")).arg(upper.path()).status().unwrap();
        assert!(copied.success());
        assert_eq!(listed(root, upper.path()), "", "the same is no change");

        let root = upper.path();
        fs::write(root.join("etc/hosts"), "longer than it was before").unwrap();
        fs::remove_dir_all(root.join("gone")).unwrap();
        fs::remove_file(root.join("kept/removed")).unwrap();
        fs::create_dir_all(root.join("new/deep")).unwrap();
        fs::write(root.join("new/deep/file"), "x").unwrap();
        fs::remove_dir_all(root.join("once-a-directory")).unwrap();
        symlink("/", root.join("once-a-directory")).unwrap();
        fs::remove_file(root.join("once-a-file")).unwrap();
        fs::create_dir(root.join("once-a-file")).unwrap();
        fs::remove_file(root.join("link")).unwrap();
        symlink("/etc/passwd", root.join("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        assert_eq!(
            listed(lower.path(), root),
            ".wh.gone\netc/hosts\nkept/.wh.removed\nlink\nnew/\nnew/deep/\nnew/deep/file\nonce-a-directory\nonce-a-file/\n"
        );
    }
}
