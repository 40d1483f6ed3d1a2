//! User namespaces (user_namespaces(7)): the maps, making one, finding the one a namespace belongs to, and idmapped mounts.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::fs::{PermissionsExt, chown},
    },
    path::Path,
};

use oci_spec::runtime::{Linux, LinuxIdMapping};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sys;
use crate::{
    bail,
    error::{Context, Error, Result},
};

/// linux/nsfs.h: the user namespace that owns a namespace.
const NS_GET_USERNS: libc::Ioctl = 0xb701;

/// Ids from `inside` on are those from `outside` on, `count` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    pub inside: u32,
    pub outside: u32,
    pub count: u32,
}

/// In the runtime spec's words (config-linux.md, user namespace mappings).
pub fn mappings(maps: &[IdMap]) -> Value {
    let one = |m: &IdMap| json!({ "containerID": m.inside, "hostID": m.outside, "size": m.count });
    maps.iter().map(one).collect()
}

/// The maps of a user namespace. Neither list is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    pub uids: Vec<IdMap>,
    pub gids: Vec<IdMap>,
}

impl Users {
    /// A document's own; `None` if its container has no user namespace of its own.
    ///
    /// # Errors
    /// `InvalidArgument` if only one of the lists is given.
    pub fn of(linux: &Linux) -> Result<Option<Self>> {
        Self::from_lists(linux.uid_mappings().as_deref(), linux.gid_mappings().as_deref())
    }

    pub(super) fn from_lists(uids: Option<&[LinuxIdMapping]>, gids: Option<&[LinuxIdMapping]>) -> Result<Option<Self>> {
        let maps = |list: Option<&[LinuxIdMapping]>| -> Vec<IdMap> {
            let map = |m: &LinuxIdMapping| IdMap { inside: m.container_id(), outside: m.host_id(), count: m.size() };
            list.unwrap_or_default().iter().map(map).collect()
        };
        let users = Self { uids: maps(uids), gids: maps(gids) };
        match (users.uids.is_empty(), users.gids.is_empty()) {
            (true, true) => Ok(None),
            (false, false) => Ok(Some(users)),
            _ => bail!(InvalidArgument, "of uidMappings and gidMappings only one is given"),
        }
    }

    /// Lets root of the namespace walk through a directory of ours, as its group: an OCI runtime finds its way as that one.
    ///
    /// # Errors
    /// If the namespace has no root, or the directory cannot be changed.
    pub fn let_through(&self, directory: &Path) -> Result<()> {
        let doing = || format!("let root of the pod's user namespace through {}", directory.display());
        chown(directory, None, Some(self.gid(0)?)).context(doing)?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o710)).context(doing)
    }

    /// The host's number for a user of the namespace.
    ///
    /// # Errors
    /// `InvalidArgument` if it has none.
    pub fn uid(&self, inside: u32) -> Result<u32> {
        match outside(&self.uids, inside) {
            Some(uid) => Ok(uid),
            None => bail!(InvalidArgument, "user {inside} has no place in the pod's user namespace"),
        }
    }

    /// Like [`Self::uid`] for a group.
    ///
    /// # Errors
    /// `InvalidArgument` if it has none.
    pub fn gid(&self, inside: u32) -> Result<u32> {
        match outside(&self.gids, inside) {
            Some(gid) => Ok(gid),
            None => bail!(InvalidArgument, "group {inside} has no place in the pod's user namespace"),
        }
    }

    /// The highest user and group not above `wanted` that have a place.
    pub(super) fn at_most(&self, wanted: u32) -> (u32, u32) {
        let highest = |maps: &[IdMap]| {
            let fit = maps.iter().filter(|m| m.inside <= wanted && m.count > 0);
            fit.map(|m| (m.inside + (m.count - 1)).min(wanted)).max().unwrap_or(0)
        };
        (highest(&self.uids), highest(&self.gids))
    }

    /// A process that does nothing but hold a new user namespace with these maps, and new ones of `also` (`CLONE_NEW*`)
    /// that belong to it. It ends with the value.
    ///
    /// # Errors
    /// What the kernel refuses: maps that overlap, user namespaces switched off.
    pub fn hold(&self, also: u64) -> Result<Holder> {
        let flags = libc::CLONE_NEWUSER as u64 | also;
        // The child of a process with threads may make system calls only: that is all `hold` does.
        let Some(pid) = sys::clone(flags, None).context(|| "make a user namespace".to_owned())? else { sys::hold() };
        let holder = Holder { pid };
        for (file, maps) in [("uid_map", &self.uids), ("gid_map", &self.gids)] {
            let path = format!("/proc/{pid}/{file}");
            let lines: String = maps.iter().map(|m| format!("{} {} {}\n", m.inside, m.outside, m.count)).collect();
            fs::write(&path, &lines).map_err(|e| Error::io("write the map", &path, e))?;
        }
        Ok(holder)
    }
}

fn outside(maps: &[IdMap], inside: u32) -> Option<u32> {
    let map = maps.iter().find(|m| inside >= m.inside && inside - m.inside < m.count)?;
    map.outside.checked_add(inside - map.inside)
}

#[derive(Debug)]
pub struct Holder {
    pid: u32,
}

impl Holder {
    /// The file of one of its namespaces: "user", "net".
    pub fn path(&self, kind: &str) -> String {
        format!("/proc/{}/ns/{kind}", self.pid)
    }

    /// The user namespace.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn users(&self) -> Result<OwnedFd> {
        let path = self.path("user");
        File::open(&path).map(Into::into).map_err(|e| Error::io("open", path, e))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.pid.cast_signed()) {
            // It is our own child, not reaped yet: it is there to be killed, and can do nothing about it.
            let _killed = kill_process(pid, Signal::KILL);
            let _reaped = rustix::io::retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
        }
    }
}

/// The user namespace that a namespace belongs to.
///
/// # Errors
/// If the descriptor is no namespace.
pub fn owner(namespace: BorrowedFd<'_>) -> Result<OwnedFd> {
    // SAFETY: the request takes no argument; it returns a new descriptor, which is ours.
    let fd = unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_USERNS) };
    if fd < 0 {
        return Err(io::Error::last_os_error()).context(|| "find the owner of a namespace".to_owned());
    }
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The mount shows every owner as `users` maps it, and stores owners back. The mount is not attached yet.
///
/// # Errors
/// `Unimplemented` if its filesystem cannot do that.
pub fn idmap(mount: BorrowedFd<'_>, recursive: bool, users: BorrowedFd<'_>) -> Result<()> {
    match sys::mount_idmap(mount, recursive, users) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            bail!(Unimplemented, "its filesystem has no idmapped mounts in this kernel, which user namespaces need")
        }
        other => other.context(|| "map the owners of a mount".to_owned()),
    }
}

/// Whether user namespaces and idmapped mounts of what is at `path` work here.
///
/// # Errors
/// Why not.
pub fn probe(path: &Path) -> Result<()> {
    let all = vec![IdMap { inside: 0, outside: 65536, count: 65536 }];
    let holder = Users { uids: all.clone(), gids: all }.hold(0)?;
    let tree = super::mounts::copy_tree(path, false).context(|| format!("copy the mount at {}", path.display()))?;
    idmap(tree.as_fd(), false, holder.users()?.as_fd()).context(|| format!("{}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn users(inside: u32, outside: u32, count: u32) -> Users {
        let maps = vec![IdMap { inside, outside, count }];
        Users { uids: maps.clone(), gids: maps }
    }

    #[test]
    fn ids_are_mapped_or_refused() {
        let some = users(10, 1000, 5);
        assert_eq!((some.uid(10).unwrap(), some.uid(14).unwrap()), (1000, 1004));
        assert!(some.uid(9).is_err() && some.uid(15).is_err() && some.gid(u32::MAX).is_err());
        assert_eq!(some.at_most(65535), (14, 14));
        assert_eq!(users(0, 1 << 16, 1 << 16).at_most(65535), (65535, 65535));
    }

    #[test]
    fn a_held_namespace_has_its_maps_and_owns_what_came_with_it() {
        if rustix::process::geteuid().as_raw() != 0 {
            return;
        }
        let holder = users(0, 1000, 65536).hold(libc::CLONE_NEWNET as u64).unwrap();
        let inode = |fd: &OwnedFd| rustix::fs::fstat(fd).unwrap().st_ino;
        let net = File::open(holder.path("net")).unwrap();
        assert_eq!(inode(&owner(net.as_fd()).unwrap()), inode(&holder.users().unwrap()));
        let map = fs::read_to_string(format!("/proc/{}/uid_map", holder.pid)).unwrap();
        assert_eq!(map.split_whitespace().collect::<Vec<_>>(), ["0", "1000", "65536"]);
        let proc = format!("/proc/{}", holder.pid);
        assert_eq!(fs::metadata(&proc).unwrap().uid(), 0);
        drop(holder);
        assert!(fs::metadata(proc).is_err());
    }
}
