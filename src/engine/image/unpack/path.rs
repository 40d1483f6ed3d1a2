//! Finding a place below the target without ever leaving it: `openat2(2)` with RESOLVE_IN_ROOT, and descriptors from there.

use std::{
    ffi::CString,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, unlinkat},
    io::Errno,
};

use crate::{
    bail,
    error::{Context, Result},
};

/// Set by the tests that ask what a process can do whose paths nobody checks.
#[cfg(test)]
pub static UNCHECKED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

#[cfg(test)]
fn unchecked() -> bool {
    UNCHECKED.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(test))]
const fn unchecked() -> bool {
    false
}

/// How a path is resolved that must not leave its root.
pub fn checked(how: ResolveFlags) -> ResolveFlags {
    if unchecked() { ResolveFlags::empty() } else { how }
}

/// A path of a layer, split and cleaned: no empty parts, no `.`; `..` goes up but not above the root, as in a chroot.
pub fn parts(path: &[u8], limit: usize) -> Result<Vec<Vec<u8>>> {
    if path.len() > limit {
        bail!(InvalidArgument, "a path of {} bytes, at most {limit} are allowed", path.len());
    }
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if !unchecked() => drop(parts.pop()),
            _ if part.len() > 255 => bail!(InvalidArgument, "a name of {} bytes, at most 255 are allowed", part.len()),
            _ if part.contains(&0) => bail!(InvalidArgument, "a name holds a NUL byte"),
            _ => parts.push(part.to_vec()),
        }
    }
    Ok(parts)
}

pub fn shown(parts: &[Vec<u8>]) -> String {
    let text = parts.iter().map(|p| String::from_utf8_lossy(p).escape_debug().to_string());
    text.collect::<Vec<_>>().join("/")
}

pub fn c(bytes: &[u8]) -> Result<CString> {
    match CString::new(bytes) {
        Ok(text) => Ok(text),
        Err(_) => bail!(InvalidArgument, "a name holds a NUL byte"),
    }
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// Opens a directory below `root`. Links on the way are followed, inside the root.
pub fn directory(root: impl AsFd, parts: &[Vec<u8>]) -> Result<OwnedFd, Errno> {
    let path = if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') };
    let resolve = checked(ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS);
    openat2(root, path, DIRECTORY, Mode::empty(), resolve)
}

/// As `directory`, and makes what is missing. Each directory made is told to `made`. A link that dangles inside the
/// root gets its target made.
pub fn make_directory(root: impl AsFd, parts: &[Vec<u8>], mut made: impl FnMut(&[Vec<u8>])) -> Result<OwnedFd> {
    let mut parts = parts.to_vec();
    for _ in 0..MAX_LINKS {
        match directory(&root, &parts) {
            Err(Errno::NOENT) => {}
            other => return other.context(|| format!("open directory {}", shown(&parts))),
        }
        match make_missing(&root, &parts, &mut made)? {
            None => {}
            Some(through_link) => parts = through_link,
        }
    }
    bail!(InvalidArgument, "too many links on the way to {}", shown(&parts))
}

const MAX_LINKS: usize = 40;

/// Makes what is missing of a path; if a dangling link is in the way, gives the path with the link resolved.
fn make_missing(root: impl AsFd, parts: &[Vec<u8>], made: &mut impl FnMut(&[Vec<u8>])) -> Result<Option<Vec<Vec<u8>>>> {
    let mut at = directory(&root, &[]).context(|| "open the target".to_owned())?;
    for depth in 1..=parts.len() {
        let here = || format!("create directory {}", shown(&parts[..depth]));
        match directory(&root, &parts[..depth]) {
            Ok(found) => at = found,
            Err(Errno::NOENT) => {
                let name = c(&parts[depth - 1])?;
                match mkdirat(&at, name.as_c_str(), Mode::from_raw_mode(0o755)) {
                    Ok(()) => made(&parts[..depth]),
                    Err(Errno::EXIST) => {
                        let link = rustix::fs::readlinkat(&at, name.as_c_str(), Vec::new()).context(here)?;
                        let link = link.as_bytes();
                        let base = if link.starts_with(b"/") { Vec::new() } else { parts[..depth - 1].join(&b'/') };
                        let rest = parts[depth..].join(&b'/');
                        let whole = [base, link.to_vec(), rest].join(&b'/');
                        return self::parts(&whole, 4096).map(Some);
                    }
                    Err(error) => return Err(error).context(here),
                }
                at = directory(&root, &parts[..depth]).context(here)?;
            }
            Err(error) => return Err(error).context(here),
        }
    }
    Ok(None)
}

/// Deletes what is there, a tree if it is one; links are deleted, never followed. Fine if nothing is.
pub fn remove(parent: impl AsFd, name: &std::ffi::CStr) -> Result<()> {
    let failed = || format!("remove {}", name.to_string_lossy().escape_debug());
    match unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error).context(failed),
    }
    let inside = openat(&parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).context(failed)?;
    for entry in Dir::read_from(&inside).context(failed)? {
        let entry = entry.context(failed)?;
        if entry.file_name() != c"." && entry.file_name() != c".." {
            remove(&inside, entry.file_name())?;
        }
    }
    unlinkat(&parent, name, AtFlags::REMOVEDIR).context(failed)
}
