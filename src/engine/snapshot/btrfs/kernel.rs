//! What btrfs is asked, in the kernel's own structures (include/uapi/linux/btrfs.h and btrfs_tree.h). Looking into trees and
//! destroying by number need CAP_SYS_ADMIN.

use std::{
    ffi::OsString,
    os::{fd::AsFd, unix::ffi::OsStringExt},
    path::PathBuf,
};

use rustix::{
    io::{Errno, Result},
    ioctl::{self, Getter, Opcode, Setter, Updater, opcode},
};

/// statfs(2)'s `f_type`.
pub const MAGIC: i64 = 0x9123_683e;
/// The inode number of every subvolume's own directory; files' and directories' numbers begin here.
pub const FIRST: u64 = 256;
/// The last number that an inode or a subvolume can have.
pub const LAST: u64 = u64::MAX - 255;
/// The tree that holds all trees' roots.
pub const ROOTS: u64 = 1;

/// Types of items.
pub mod kind {
    pub const INODE: u32 = 1;
    pub const EXTENT: u32 = 108;
    pub const ROOT: u32 = 132;
    pub const ROOT_REF: u32 = 156;
}

const GROUP: u8 = 0x94;
const READ_ONLY: u64 = 1 << 1;
const BY_ID: u64 = 1 << 4;

/// `struct btrfs_ioctl_vol_args_v2`.
#[repr(C)]
struct Volume {
    fd: i64,
    transid: u64,
    flags: u64,
    unused: [u64; 4],
    /// Of the new one; or, with `BY_ID`, a number in the first eight bytes.
    name: [u8; 4040],
}

/// `struct btrfs_ioctl_ino_lookup_args`.
#[repr(C)]
struct Lookup {
    tree: u64,
    object: u64,
    name: [u8; 4080],
}

/// `struct btrfs_ioctl_search_key`.
#[repr(C)]
#[derive(Default)]
struct SearchKey {
    tree: u64,
    min_object: u64,
    max_object: u64,
    min_offset: u64,
    max_offset: u64,
    min_transid: u64,
    max_transid: u64,
    min_kind: u32,
    max_kind: u32,
    items: u32,
    unused: u32,
    more: [u64; 4],
}

/// `struct btrfs_ioctl_search_args_v2` and what the kernel fills in after it. No item is larger than a node, which has at most
/// 64 KiB, its own headers included.
#[repr(C)]
struct Search {
    key: SearchKey,
    size: u64,
    found: [u8; 64 << 10],
}

const SNAP_CREATE_V2: Opcode = opcode::write::<Volume>(GROUP, 23);
const SUBVOL_CREATE_V2: Opcode = opcode::write::<Volume>(GROUP, 24);
const SNAP_DESTROY_V2: Opcode = opcode::write::<Volume>(GROUP, 63);
const SUBVOL_GETFLAGS: Opcode = opcode::read::<u64>(GROUP, 25);
const SUBVOL_SETFLAGS: Opcode = opcode::write::<u64>(GROUP, 26);
/// Its number has the size of the structure without what is found.
const TREE_SEARCH_V2: Opcode = opcode::read_write::<[u64; 14]>(GROUP, 17);
const INO_LOOKUP: Opcode = opcode::read_write::<Lookup>(GROUP, 18);

const _: () = assert!(size_of::<Volume>() == 4096 && size_of::<Lookup>() == 4096);
const _: () = assert!(std::mem::offset_of!(Search, found) == 112);

fn volume(fd: i64, flags: u64, name: &[u8]) -> Result<Volume> {
    let mut volume = Volume { fd, transid: 0, flags, unused: [0; 4], name: [0; 4040] };
    // Ended by a zero.
    if name.len() >= volume.name.len() {
        return Err(Errno::NAMETOOLONG);
    }
    volume.name[..name.len()].copy_from_slice(name);
    Ok(volume)
}

/// An empty subvolume in the directory.
pub fn create(directory: impl AsFd, name: &str) -> Result<()> {
    let wanted = volume(0, 0, name.as_bytes())?;
    // SAFETY: the request reads a structure of this layout.
    unsafe { ioctl::ioctl(directory, Setter::<SUBVOL_CREATE_V2, _>::new(wanted)) }
}

/// A writable subvolume that holds what `source` does.
pub fn snapshot(source: impl AsFd, directory: impl AsFd, name: &str) -> Result<()> {
    use std::os::fd::AsRawFd;
    let wanted = volume(i64::from(source.as_fd().as_raw_fd()), 0, name.as_bytes())?;
    // SAFETY: the request reads a structure of this layout; the descriptor in it is open as long as `source` is borrowed.
    unsafe { ioctl::ioctl(directory, Setter::<SNAP_CREATE_V2, _>::new(wanted)) }
}

/// By number, wherever on the filesystem it is. One that has others inside is refused.
pub fn destroy(filesystem: impl AsFd, id: u64) -> Result<()> {
    let wanted = volume(0, BY_ID, &id.to_ne_bytes())?;
    // SAFETY: the request reads a structure of this layout.
    unsafe { ioctl::ioctl(filesystem, Setter::<SNAP_DESTROY_V2, _>::new(wanted)) }
}

pub fn set_read_only(subvolume: impl AsFd) -> Result<()> {
    // SAFETY: the request writes a 64-bit number.
    let flags = unsafe { ioctl::ioctl(subvolume.as_fd(), Getter::<SUBVOL_GETFLAGS, u64>::new())? };
    if flags & READ_ONLY != 0 {
        return Ok(());
    }
    // SAFETY: the request reads a 64-bit number.
    unsafe { ioctl::ioctl(subvolume, Setter::<SUBVOL_SETFLAGS, u64>::new(flags | READ_ONLY)) }
}

fn lookup(inside: impl AsFd, tree: u64, object: u64) -> Result<Lookup> {
    let mut wanted = Lookup { tree, object, name: [0; 4080] };
    // SAFETY: the request reads and writes a structure of this layout.
    unsafe { ioctl::ioctl(inside, Updater::<INO_LOOKUP, _>::new(&mut wanted))? };
    Ok(wanted)
}

/// The number of the subvolume that the file is in.
pub fn subvolume_of(inside: impl AsFd) -> Result<u64> {
    lookup(inside, 0, FIRST).map(|found| found.tree)
}

/// A path of an inode, relative to its subvolume's directory.
pub fn path_of(filesystem: impl AsFd, subvolume: u64, inode: u64) -> Result<PathBuf> {
    let found = lookup(filesystem, subvolume, inode)?;
    let length = found.name.iter().position(|b| *b == 0).unwrap_or(found.name.len());
    let name = found.name[..length].strip_suffix(b"/").unwrap_or(&found.name[..length]);
    Ok(PathBuf::from(OsString::from_vec(name.to_vec())))
}

/// Where an item is in its tree: object, kind, offset. The order is the tree's.
pub type Key = (u64, u32, u64);

/// Calls `see` with every item from `first` to `last` that lies in a block written in transaction `since` or later.
pub fn search(
    filesystem: impl AsFd,
    tree: u64,
    first: Key,
    last: Key,
    since: u64,
    mut see: impl FnMut(Key, &[u8]),
) -> Result<()> {
    let mut search = Box::new(Search { key: SearchKey::default(), size: 64 << 10, found: [0; 64 << 10] });
    let mut next = first;
    loop {
        search.key = SearchKey {
            tree,
            min_object: next.0,
            min_kind: next.1,
            min_offset: next.2,
            max_object: last.0,
            max_kind: last.1,
            max_offset: last.2,
            min_transid: since,
            max_transid: u64::MAX,
            items: u32::MAX,
            ..SearchKey::default()
        };
        // SAFETY: the structure has the kernel's layout, and as much room behind it as its `size` says.
        unsafe { ioctl::ioctl(filesystem.as_fd(), Updater::<TREE_SEARCH_V2, _>::new(&mut *search))? };
        if search.key.items == 0 {
            return Ok(());
        }
        let mut rest = &search.found[..];
        for _ in 0..search.key.items {
            // `struct btrfs_ioctl_search_header`: transaction, object, offset, kind, length.
            let (Some(object), Some(offset), Some(kind), Some(length)) =
                (u64_at(rest, 8), u64_at(rest, 16), u32_at(rest, 24), u32_at(rest, 28))
            else {
                return Err(Errno::OVERFLOW);
            };
            let data = rest.get(32..).and_then(|r| r.get(..length as usize)).ok_or(Errno::OVERFLOW)?;
            next = (object, kind, offset);
            see(next, data);
            rest = &rest[32 + data.len()..];
        }
        if next >= last {
            return Ok(());
        }
        next = match next {
            (object, kind, u64::MAX) if kind == u32::from(u8::MAX) => (object + 1, 0, 0),
            (object, kind, u64::MAX) => (object, kind + 1, 0),
            (object, kind, offset) => (object, kind, offset + 1),
        };
    }
}

fn bytes_at<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at + N)?.try_into().ok()
}

/// Answers have this machine's byte order, items on disk little endian; see [`le64_at`].
fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    bytes_at(data, at).map(u64::from_ne_bytes)
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    bytes_at(data, at).map(u32::from_ne_bytes)
}

pub fn le64_at(data: &[u8], at: usize) -> Option<u64> {
    bytes_at(data, at).map(u64::from_le_bytes)
}

pub fn le32_at(data: &[u8], at: usize) -> Option<u32> {
    bytes_at(data, at).map(u32::from_le_bytes)
}
