//! Device nodes and links of a container's /dev (OCI runtime spec, config-linux.md "Default Devices").

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use oci_spec::runtime::{Linux, LinuxDeviceType};
use rustix::{
    fs::{FileType, Mode, makedev},
    io::Errno,
};

use super::{
    mounts,
    resolve::{self, Want},
};
use crate::{
    bail,
    error::{Context, Result},
};

const USUAL: &[(&str, u32, u32)] = &[
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

const LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("core", "/proc/kcore"),
];

/// What a container's /dev is filled with.
#[derive(Debug)]
pub enum Devices {
    /// /dev is the host's.
    Hosts,
    Make(Vec<Device>),
    /// Copies of the host's, by their place: in a user namespace nobody may make a device.
    Bind(Vec<(PathBuf, OwnedFd)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    path: PathBuf,
    kind: FileType,
    major: u32,
    minor: u32,
    mode: u32,
    owner: (u32, u32),
}

impl Devices {
    /// The usual ones and those of the document.
    pub fn new(linux: &Linux, mapped: bool) -> Result<Self> {
        let list = wanted(linux)?;
        if !mapped {
            return Ok(Self::Make(list));
        }
        let copies = list.into_iter().map(|device| {
            let doing = || format!("copy device {}", device.path.display());
            let stat = rustix::fs::stat(&device.path).context(doing)?;
            if !device.is(&stat) {
                bail!(
                    Unimplemented,
                    "with a user namespace device {} must be the host's of that name",
                    device.path.display()
                );
            }
            Ok((device.path.clone(), mounts::copy_tree(&device.path, false).context(doing)?))
        });
        Ok(Self::Bind(copies.collect::<Result<_>>()?))
    }

    /// Puts them into the container's root.
    pub fn make(&self, root: BorrowedFd<'_>) -> Result<()> {
        match self {
            Self::Hosts => return Ok(()),
            Self::Make(devices) => {
                rustix::process::umask(Mode::empty());
                for device in devices {
                    make_one(root, device).context(|| format!("make device {}", device.path.display()))?;
                }
                rustix::process::umask(Mode::from_raw_mode(0o022));
            }
            Self::Bind(copies) => {
                for (path, copy) in copies {
                    let doing = || format!("mount device {}", path.display());
                    let place = resolve::make(root, path, Want::File, false).context(doing)?;
                    mounts::move_to(copy.as_fd(), place.as_fd()).context(doing)?;
                }
            }
        }
        links(root)
    }
}

impl Device {
    fn is(&self, stat: &rustix::fs::Stat) -> bool {
        FileType::from_raw_mode(stat.st_mode) == self.kind && stat.st_rdev == makedev(self.major, self.minor)
    }
}

fn wanted(linux: &Linux) -> Result<Vec<Device>> {
    let usual = USUAL.iter().map(|(path, major, minor)| Device {
        path: path.into(),
        kind: FileType::CharacterDevice,
        major: *major,
        minor: *minor,
        mode: 0o666,
        owner: (0, 0),
    });
    let mut list: Vec<Device> = usual.collect();
    for device in linux.devices().iter().flatten() {
        let kind = match device.typ() {
            LinuxDeviceType::C | LinuxDeviceType::U => FileType::CharacterDevice,
            LinuxDeviceType::B => FileType::BlockDevice,
            LinuxDeviceType::P => FileType::Fifo,
            LinuxDeviceType::A => bail!(InvalidArgument, "device {} has no type", device.path().display()),
        };
        let (Ok(major), Ok(minor)) = (u32::try_from(device.major()), u32::try_from(device.minor())) else {
            bail!(InvalidArgument, "device {} has a negative number", device.path().display());
        };
        list.retain(|d| d.path != *device.path());
        list.push(Device {
            path: device.path().clone(),
            kind,
            major,
            minor,
            mode: device.file_mode().unwrap_or(0o666) & 0o7777,
            owner: (device.uid().unwrap_or(0), device.gid().unwrap_or(0)),
        });
    }
    Ok(list)
}

fn links(root: BorrowedFd<'_>) -> Result<()> {
    let dev = resolve::make(root, Path::new("/dev"), Want::Directory, true)?;
    for (name, target) in LINKS {
        link(dev.as_fd(), name, target)?;
    }
    if resolve::find(root, Path::new("/dev/pts/ptmx"), true)?.is_some() {
        match rustix::fs::unlinkat(&dev, "ptmx", rustix::fs::AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error).context(|| "replace /dev/ptmx".to_owned()),
        }
        link(dev.as_fd(), "ptmx", "pts/ptmx")?;
    }
    Ok(())
}

fn make_one(root: BorrowedFd<'_>, device: &Device) -> Result<()> {
    let (Some(parent), Some(name)) = (device.path.parent(), device.path.file_name()) else {
        bail!(InvalidArgument, "it has no name");
    };
    let parent = resolve::make(root, parent, Want::Directory, false)?;
    let mode = Mode::from_raw_mode(device.mode);
    match rustix::fs::mknodat(&parent, name, device.kind, mode, makedev(device.major, device.minor)) {
        Ok(()) => {}
        Err(Errno::EXIST) => return same(parent.as_fd(), name, device),
        Err(error) => return Err(error).context(|| "mknod".to_owned()),
    }
    if device.owner != (0, 0) {
        let (uid, gid) = (rustix::fs::Uid::from_raw(device.owner.0), rustix::fs::Gid::from_raw(device.owner.1));
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::chownat(&parent, name, Some(uid), Some(gid), flags).context(|| "chown".to_owned())?;
    }
    Ok(())
}

/// Something is there already: only the very device may be.
fn same(parent: BorrowedFd<'_>, name: &std::ffi::OsStr, device: &Device) -> Result<()> {
    let stat = rustix::fs::statat(parent, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).context(|| "stat".to_owned())?;
    if device.is(&stat) { Ok(()) } else { bail!(AlreadyExists, "the image has something else there") }
}

fn link(dev: BorrowedFd<'_>, name: &str, target: &str) -> Result<()> {
    match rustix::fs::symlinkat(target, dev, name) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error).context(|| format!("link /dev/{name}")),
    }
}
