//! Paths inside a container's root: whatever links an image has, the answer is inside (openat2(2), RESOLVE_IN_ROOT).

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

use crate::{
    bail,
    error::{Context, Error, Result},
};

/// What to make where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    Directory,
    File,
}

/// Opens `path` below `root` for `O_PATH`; `None` if there is nothing. `plain` refuses links on the way.
pub fn find(root: BorrowedFd<'_>, path: &Path, plain: bool) -> Result<Option<OwnedFd>> {
    let clean = inside(path)?;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let links = if plain { ResolveFlags::NO_SYMLINKS } else { ResolveFlags::NO_MAGICLINKS };
    loop {
        match rustix::fs::openat2(root, &clean, flags, Mode::empty(), ResolveFlags::IN_ROOT | links) {
            Ok(fd) => return Ok(Some(fd)),
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            // The kernel saw a rename meanwhile and asks to try again.
            Err(Errno::AGAIN) => {}
            Err(Errno::LOOP) if plain => {
                bail!(InvalidArgument, "{} in the image must be an ordinary directory, not a link", path.display())
            }
            Err(error) => return Err(error).context(|| format!("open {} in the container", path.display())),
        }
    }
}

/// Links to nothing that are followed for one path, as many as the kernel would (path_resolution(7)).
const LINKS: u32 = 40;

/// Like `find`, but makes what is missing: directories 0755, and at the end a directory or an empty file. A link to nothing
/// is followed, inside the root: images have them, as /etc/resolv.conf for one.
pub fn make(root: BorrowedFd<'_>, path: &Path, want: Want, plain: bool) -> Result<OwnedFd> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match try_make(root, &path, want, plain)? {
            Made::There(found) => return checked(found, &path, want),
            Made::Link(target) => path = target,
        }
    }
    bail!(InvalidArgument, "{} in the container: too many links", path.display())
}

enum Made {
    There(OwnedFd),
    /// A link to nothing was in the way: what the path comes to with it.
    Link(PathBuf),
}

fn try_make(root: BorrowedFd<'_>, path: &Path, want: Want, plain: bool) -> Result<Made> {
    if let Some(found) = find(root, path, plain)? {
        return Ok(Made::There(found));
    }
    let clean = inside(path)?;
    let parts: Vec<Component<'_>> = clean.components().collect();
    let mut here = root.try_clone_to_owned().map_err(|e| Error::io("duplicate", path, e))?;
    let mut so_far = PathBuf::new();
    for (index, part) in parts.iter().enumerate() {
        let parent = so_far.clone();
        so_far.push(part);
        let next = match find(root, &so_far, plain)? {
            Some(next) => next,
            None => {
                let wanted = if index + 1 == parts.len() { want } else { Want::Directory };
                match create(here.as_fd(), part, wanted) {
                    Err(Errno::EXIST) => {
                        let target = rustix::fs::readlinkat(&here, part.as_os_str(), Vec::new())
                            .context(|| format!("create {} in the container", so_far.display()))?;
                        let target = Path::new(OsStr::from_bytes(target.as_bytes()));
                        let rest: PathBuf = parts[index + 1..].iter().collect();
                        return Ok(Made::Link(clamped(&parent.join(target).join(rest))));
                    }
                    made => made.context(|| format!("create {} in the container", so_far.display()))?,
                }
                // Only what was made just now: a link put there by somebody else meanwhile is refused.
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                rustix::fs::openat(&here, part.as_os_str(), flags, Mode::empty())
                    .context(|| format!("open {} in the container", so_far.display()))?
            }
        };
        here = next;
    }
    Ok(Made::There(here))
}

/// Without `..`, which cannot lead above the root.
fn clamped(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            _ => {}
        }
    }
    clean
}

fn create(parent: BorrowedFd<'_>, name: &Component<'_>, want: Want) -> rustix::io::Result<()> {
    match want {
        Want::Directory => rustix::fs::mkdirat(parent, name.as_os_str(), Mode::from_raw_mode(0o755)),
        Want::File => {
            let mode = Mode::from_raw_mode(0o644);
            rustix::fs::mknodat(parent, name.as_os_str(), FileType::RegularFile, mode, 0)
        }
    }
}

fn checked(found: OwnedFd, path: &Path, want: Want) -> Result<OwnedFd> {
    let stat = rustix::fs::fstat(&found).context(|| format!("stat {} in the container", path.display()))?;
    match (FileType::from_raw_mode(stat.st_mode), want) {
        (FileType::Symlink, _) => bail!(InvalidArgument, "{} in the container is a link to nothing", path.display()),
        (FileType::Directory, Want::File) => {
            bail!(InvalidArgument, "{} in the container is a directory, the source is not", path.display())
        }
        (kind, Want::Directory) if kind != FileType::Directory => {
            bail!(InvalidArgument, "{} in the container is not a directory, the source is", path.display())
        }
        _ => Ok(found),
    }
}

/// Relative to the root, without `.`; `..` is refused, so that creating it step by step means the same as resolving it.
fn inside(path: &Path) -> Result<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::RootDir | Component::CurDir => {}
            _ => bail!(InvalidArgument, "path {} has a component ..", path.display()),
        }
    }
    if clean.as_os_str().is_empty() {
        clean.push(".");
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn run_06_links_stay_inside_and_missing_parts_are_made() {
        let outside = tempfile::tempdir().unwrap();
        let dir = tempfile::tempdir().unwrap();
        symlink(outside.path(), dir.path().join("out")).unwrap();
        symlink("/real", dir.path().join("in")).unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        let root = fs::File::open(dir.path()).unwrap();
        make(root.as_fd(), Path::new("/in/a/b"), Want::Directory, false).unwrap();
        assert!(dir.path().join("real/a/b").is_dir());
        make(root.as_fd(), Path::new("/in/f"), Want::File, false).unwrap();
        assert!(dir.path().join("real/f").is_file());
        // An absolute link means the container's root: the same path does not exist there, and is made there.
        make(root.as_fd(), Path::new("/out/x"), Want::Directory, false).unwrap();
        assert!(dir.path().join(outside.path().strip_prefix("/").unwrap()).join("x").is_dir());
        symlink("../../../above", dir.path().join("real/up")).unwrap();
        make(root.as_fd(), Path::new("/real/up"), Want::File, false).unwrap();
        assert!(dir.path().join("above").is_file());
        symlink("round", dir.path().join("round")).unwrap();
        assert!(make(root.as_fd(), Path::new("/round"), Want::File, false).is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn run_04_plain_paths_have_no_links() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/etc", dir.path().join("proc")).unwrap();
        let root = fs::File::open(dir.path()).unwrap();
        let error = make(root.as_fd(), Path::new("/proc"), Want::Directory, true).unwrap_err();
        assert!(error.to_string().contains("ordinary directory"), "{error}");
        assert!(make(root.as_fd(), Path::new("/a/../b"), Want::Directory, false).is_err());
    }

    #[test]
    fn a_file_is_no_directory_and_the_other_way_round() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), "").unwrap();
        fs::create_dir(dir.path().join("d")).unwrap();
        let root = fs::File::open(dir.path()).unwrap();
        assert!(make(root.as_fd(), Path::new("/f"), Want::Directory, false).is_err());
        assert!(make(root.as_fd(), Path::new("/d"), Want::File, false).is_err());
    }
}
