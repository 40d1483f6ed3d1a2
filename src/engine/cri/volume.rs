//! Fills an image volume with what the image has at its path, as Docker and containerd do.
//!
//! The image is hostile: its side is opened with `openat2(RESOLVE_IN_ROOT)` and read by descriptor; links are copied as
//! links, and nothing but directories, regular files and links is copied (threats RUN-07).

use std::{
    fs::{self, File},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{PermissionsExt, symlink},
    },
    path::Path,
};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};

use crate::error::{Context, Error, Result};

pub fn fill(rootfs: &Path, path: &str, target: &Path) -> Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(rootfs, OFlags::PATH | flags, Mode::empty())
        .context(|| format!("open {}", rootfs.display()))?;
    let inside = path.trim_start_matches('/');
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let source = match rustix::fs::openat2(&root, inside, OFlags::RDONLY | flags, Mode::empty(), resolve) {
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(()),
        other => other.context(|| format!("open the image's {path}"))?,
    };
    copy(&source, target)
}

fn copy(source: &OwnedFd, target: &Path) -> Result<()> {
    owner_and_mode(source.as_fd(), target)?;
    for entry in Dir::read_from(source).context(|| format!("list the volume copied to {}", target.display()))? {
        let entry = entry.context(|| format!("list the volume copied to {}", target.display()))?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let to = target.join(Path::from_bytes(name.to_bytes()));
        let stat =
            rustix::fs::statat(source, name, AtFlags::SYMLINK_NOFOLLOW).context(|| format!("stat {}", to.display()))?;
        let open = |flags| {
            rustix::fs::openat(
                source,
                name,
                flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK,
                Mode::empty(),
            )
            .context(|| format!("open what is copied to {}", to.display()))
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                fs::create_dir(&to).context(|| format!("create {}", to.display()))?;
                copy(&open(OFlags::RDONLY | OFlags::DIRECTORY)?, &to)?;
            }
            FileType::RegularFile => {
                let mut from = File::from(open(OFlags::RDONLY)?);
                let mut file = File::create_new(&to).context(|| format!("create {}", to.display()))?;
                std::io::copy(&mut from, &mut file).map_err(|e| Error::io("write", &to, e))?;
                owner_and_mode(from.as_fd(), &to)?;
            }
            FileType::Symlink => {
                let link = rustix::fs::readlinkat(source, name, Vec::new())
                    .context(|| format!("read link {}", to.display()))?;
                symlink(Path::from_bytes(link.as_bytes()), &to).context(|| format!("create {}", to.display()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn owner_and_mode(from: std::os::fd::BorrowedFd<'_>, to: &Path) -> Result<()> {
    let stat = rustix::fs::fstat(from).context(|| format!("stat what is copied to {}", to.display()))?;
    std::os::unix::fs::lchown(to, Some(stat.st_uid), Some(stat.st_gid))
        .context(|| format!("chown {}", to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(stat.st_mode & 0o7777))
        .context(|| format!("chmod {}", to.display()))
}

/// A path from the bytes the kernel gave.
trait FromBytes {
    fn from_bytes(bytes: &[u8]) -> &Self;
}

impl FromBytes for Path {
    fn from_bytes(bytes: &[u8]) -> &Self {
        Self::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
    }
}
