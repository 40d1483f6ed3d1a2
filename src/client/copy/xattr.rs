//! Extended attributes that a copy keeps: what users set (`user.*`), and the capabilities of a program, whose root is a number
//! like any owner's. Labels and access lists of one system mean nothing on another.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::{fd::AsFd, unix::ffi::OsStrExt},
};

use rustix::{fs::XattrFlags, io::Errno};

use super::{Ids, failed, shown};
use crate::{bail, error::Result};

pub type Xattrs = BTreeMap<OsString, Vec<u8>>;

pub const CAPABILITY: &str = "security.capability";
/// Linux's own limits for one list of names and one value.
const MOST: usize = 64 << 10;
/// Of one file: an archive's extended header has to hold them.
const TOTAL: usize = 512 << 10;
/// Revisions of a capability (`struct vfs_cap_data`): with and without a root of its own, which is the last number.
const REVISION: u32 = 0xFF00_0000;
const V2: u32 = 0x0200_0000;
const V3: u32 = 0x0300_0000;
const V2_LENGTH: usize = 20;

pub fn is_kept(name: &OsStr) -> bool {
    name == CAPABILITY || name.as_bytes().starts_with(b"user.")
}

/// Of an open file, as the container sees them.
pub fn read(fd: impl AsFd, name: &OsStr, ids: Option<&Ids>) -> Result<Xattrs> {
    let fd = fd.as_fd();
    let mut buffer = vec![0; MOST];
    let listed = match rustix::fs::flistxattr(fd, &mut buffer[..]) {
        Ok(length) => buffer[..length].to_vec(),
        Err(Errno::NOTSUP) => return Ok(Xattrs::new()),
        Err(e) => return Err(failed("list the attributes of", name)(e)),
    };
    let (mut found, mut total) = (Xattrs::new(), 0);
    for key in listed.split(|b| *b == 0).map(OsStr::from_bytes).filter(|key| is_kept(key)) {
        let length = match rustix::fs::fgetxattr(fd, key, &mut buffer[..]) {
            Ok(length) => length,
            // It went meanwhile, or is kept in a way that this filesystem does not tell.
            Err(Errno::NODATA | Errno::NOTSUP) => continue,
            Err(e) => return Err(failed("read an attribute of", name)(e)),
        };
        total += key.len() + length;
        if total > TOTAL {
            bail!(InvalidArgument, "{} has more than {TOTAL} bytes of attributes", shown(name));
        }
        let mut value = buffer[..length].to_vec();
        if let Some(ids) = ids.filter(|_| key == CAPABILITY) {
            rooted(&mut value, |root| ids.inside((root, 0)).0);
        }
        found.insert(key.to_owned(), value);
    }
    Ok(found)
}

/// Gives them to an open file; whether its filesystem takes them.
pub fn write(fd: impl AsFd, name: &OsStr, xattrs: &Xattrs, ids: Option<&Ids>) -> Result<bool> {
    for (key, value) in xattrs {
        let mut value = value.clone();
        if let Some((root, _)) = ids.and_then(|ids| ids.outside((0, 0))).filter(|_| key == CAPABILITY) {
            rooted(&mut value, |_| root);
        }
        match rustix::fs::fsetxattr(fd.as_fd(), key.as_os_str(), &value, XattrFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOTSUP) => return Ok(false),
            Err(e) => return Err(failed("set an attribute of", name)(e)),
        }
    }
    Ok(true)
}

/// Changes the root that a capability is for; that of a machine is not written down.
fn rooted(value: &mut Vec<u8>, root: impl FnOnce(u32) -> u32) {
    let number = |at: usize, value: &[u8]| Some(u32::from_le_bytes(value.get(at..at + 4)?.try_into().ok()?));
    let Some(head) = number(0, value).filter(|h| matches!(h & REVISION, V2 | V3)) else { return };
    if value.len() < V2_LENGTH {
        return;
    }
    let now = root(number(V2_LENGTH, value).unwrap_or(0));
    let revision = if now == 0 { V2 } else { V3 };
    value.truncate(V2_LENGTH);
    value[..4].copy_from_slice(&(head & !REVISION | revision).to_le_bytes());
    if now != 0 {
        value.extend_from_slice(&now.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_capability_is_changed_like_an_owner() {
        let plain: Vec<u8> = [&[1, 0, 0, 2][..], &[0x20; 16]].concat();
        let mut value = plain.clone();
        rooted(&mut value, |root| root + 200_000);
        assert_eq!((value[3], value.len(), &value[20..]), (3, 24, &200_000_u32.to_le_bytes()[..]));
        assert_eq!(value[4..20], plain[4..]);
        rooted(&mut value, |root| root - 200_000);
        assert_eq!(value, plain);
        // What is none is left as it is.
        for odd in [&b""[..], b"\x01\x00\x00\x02", b"\x01\x00\x00\x07aaaaaaaaaaaaaaaa"] {
            let mut value = odd.to_vec();
            rooted(&mut value, |_| 1);
            assert_eq!(value, odd);
        }
        assert!(is_kept(OsStr::new("user.a")) && is_kept(OsStr::new(CAPABILITY)));
        assert!(!is_kept(OsStr::new("trusted.overlay.opaque")) && !is_kept(OsStr::new("security.selinux")));
    }
}
