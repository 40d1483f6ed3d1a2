//! A tar archive on its way out: POSIX.1-2017 pax, with extended headers only where an entry needs one. Reading archives is elsewhere: it
//! is done with what strangers wrote.

use std::io::{self, Read, Write};

use crate::error::{Error, Result};

const BLOCK: usize = 512;
const BUFFER: usize = 256 << 10;
/// What twelve octal digits hold, and seven.
const LARGE: u64 = 0o77_777_777_777;
const OWNER: u32 = 0o7_777_777;
/// Bytes of a name in a plain header.
const NAME: usize = 100;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    Directory,
    /// Its content, of so many bytes, follows (see [`Writer::content`]).
    File(u64),
    Symlink(&'a [u8]),
    /// Of a device: major and minor number.
    Character(u32, u32),
    Block(u32, u32),
    Fifo,
}

/// A file as it is in the archive. A directory's `path` ends with `/`.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub path: &'a [u8],
    pub kind: Kind<'a>,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds.
    pub mtime: (i64, i64),
    /// Extended attributes, by their full names, as `SCHILY.xattr.` records; none whose name has a `=`, where its value would begin.
    pub xattrs: &'a [(&'a [u8], &'a [u8])],
}

impl<'a> Entry<'a> {
    /// Of root's, without a time: the same bytes each time.
    pub fn new(path: &'a [u8], kind: Kind<'a>, mode: u32) -> Self {
        Self { path, kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: &[] }
    }

    fn typeflag(&self) -> u8 {
        match self.kind {
            Kind::File(_) => b'0',
            Kind::Symlink(_) => b'2',
            Kind::Character(..) => b'3',
            Kind::Block(..) => b'4',
            Kind::Directory => b'5',
            Kind::Fifo => b'6',
        }
    }

    fn size(&self) -> u64 {
        if let Kind::File(size) = self.kind { size } else { 0 }
    }

    fn link(&self) -> &'a [u8] {
        if let Kind::Symlink(target) = self.kind { target } else { b"" }
    }

    /// The records of an extended header; none if the plain one says it all.
    fn extended(&self) -> Vec<u8> {
        let mut records = Vec::new();
        for (key, value) in [("path", self.path), ("linkpath", self.link())] {
            if value.len() > NAME {
                record(&mut records, key.as_bytes(), value);
            }
        }
        for (key, value, most) in [
            ("size", self.size(), LARGE),
            ("uid", self.uid.into(), OWNER.into()),
            ("gid", self.gid.into(), OWNER.into()),
        ] {
            if value > most {
                record(&mut records, key.as_bytes(), value.to_string().as_bytes());
            }
        }
        let (seconds, nanos) = self.mtime;
        if nanos > 0 || !(0..=LARGE as i64).contains(&seconds) {
            let time = if nanos > 0 && seconds >= 0 { format!("{seconds}.{nanos:09}") } else { seconds.to_string() };
            record(&mut records, b"mtime", time.as_bytes());
        }
        for (name, value) in self.xattrs.iter().filter(|(name, _)| !name.contains(&b'=')) {
            record(&mut records, &[b"SCHILY.xattr.", *name].concat(), value);
        }
        records
    }

    fn header(&self, typeflag: u8) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut text = |at: usize, length: usize, bytes: &[u8]| {
            let take = bytes.len().min(length);
            block[at..at + take].copy_from_slice(&bytes[..take]);
        };
        text(0, NAME, self.path);
        text(100, 8, format!("{:07o}", self.mode & 0o7777).as_bytes());
        text(108, 8, format!("{:07o}", self.uid.min(OWNER)).as_bytes());
        text(116, 8, format!("{:07o}", self.gid.min(OWNER)).as_bytes());
        text(124, 12, format!("{:011o}", self.size().min(LARGE)).as_bytes());
        text(136, 12, format!("{:011o}", self.mtime.0.clamp(0, LARGE as i64)).as_bytes());
        text(148, 8, b"        ");
        text(156, 1, &[typeflag]);
        text(157, NAME, self.link());
        text(257, 8, b"ustar\x0000");
        if let Kind::Character(major, minor) | Kind::Block(major, minor) = self.kind {
            text(329, 8, format!("{:07o}", major.min(OWNER)).as_bytes());
            text(337, 8, format!("{:07o}", minor.min(OWNER)).as_bytes());
        }
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    records.extend_from_slice(format!("{length} ").as_bytes());
    records.extend_from_slice(key);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// Writes entries one after the other.
#[derive(Debug)]
pub struct Writer<W>(W);

impl<W: Write> Writer<W> {
    pub fn new(to: W) -> Self {
        Self(to)
    }

    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<()> {
        let records = entry.extended();
        if !records.is_empty() {
            let size = records.len() as u64;
            let extended = Entry::new(b"pax", Kind::File(size), 0o644).header(b'x');
            self.put(&extended)?;
            self.put(&records)?;
            self.pad(size)?;
        }
        self.put(&entry.header(entry.typeflag()))
    }

    /// The `size` bytes of a file whose entry has just been written; `seen` sees them on their way. Whatever the file lost
    /// meanwhile becomes zeros, as the archive must stay readable; returned is how many.
    pub fn content(&mut self, size: u64, mut from: impl Read, mut seen: impl FnMut(&[u8])) -> Result<u64> {
        let mut left = size;
        let mut buffer = vec![0; BUFFER.min(usize::try_from(size).unwrap_or(BUFFER))];
        while left > 0 {
            let most = buffer.len().min(usize::try_from(left).unwrap_or(BUFFER));
            let n = from.read(&mut buffer[..most]).map_err(|e| back(e, "read for"))?;
            if n == 0 {
                break;
            }
            seen(&buffer[..n]);
            self.put(&buffer[..n])?;
            left -= n as u64;
        }
        if left > 0 {
            io::copy(&mut io::repeat(0).take(left), &mut self.0).map_err(|e| back(e, "write"))?;
        }
        self.pad(size)?;
        Ok(left)
    }

    /// A small file of root's.
    pub fn document(&mut self, path: &str, mode: u32, body: &[u8]) -> Result<()> {
        self.entry(&Entry::new(path.as_bytes(), Kind::File(body.len() as u64), mode))?;
        self.content(body.len() as u64, body, |_| ()).map(drop)
    }

    /// The end marker. Gives back what was written to.
    pub fn end(mut self) -> Result<W> {
        self.put(&[0; 2 * BLOCK])?;
        self.0.flush().map_err(|e| back(e, "write"))?;
        Ok(self.0)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|e| back(e, "write"))
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        let padding = usize::try_from(size.wrapping_neg() % BLOCK as u64).unwrap_or(0);
        self.put(&[0; BLOCK][..padding])
    }
}

/// What is read or written may be of ours, with an error of its own inside.
fn back(error: io::Error, doing: &'static str) -> Error {
    error.downcast::<Error>().unwrap_or_else(|error| Error::io(doing, "the archive", error))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// GNU tar is the judge.
    #[test]
    fn what_is_written_others_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
        let xattrs: [(&[u8], &[u8]); 2] = [(b"user.note", b"a = b\n"), (b"user.a=b", b"no")];
        let mut out = Writer::new(std::fs::File::create(&path).unwrap());
        out.entry(&Entry { mtime: (1, 0), ..Entry::new(b"d/", Kind::Directory, 0o755) }).unwrap();
        let file =
            Entry { uid: 5_000_000, mtime: (1, 250_000_000), ..Entry::new(long.as_bytes(), Kind::File(5), 0o640) };
        out.entry(&Entry { xattrs: &xattrs, ..file }).unwrap();
        assert_eq!(out.content(5, &b"hello"[..], |_| ()).unwrap(), 0);
        out.entry(&Entry::new(b"short", Kind::File(700), 0o600)).unwrap();
        assert_eq!(out.content(700, &b"short"[..], |_| ()).unwrap(), 695, "what is missing is told");
        out.entry(&Entry::new(b"d/link", Kind::Symlink(long.as_bytes()), 0o777)).unwrap();
        out.entry(&Entry::new(b"d/null", Kind::Character(1, 3), 0o666)).unwrap();
        out.document("last", 0o600, b"end").unwrap();
        out.end().unwrap();

        let list = Command::new("tar").args(["--xattrs", "-tvvf"]).arg(&path).env("TZ", "UTC").output().unwrap();
        let (text, complaint) = (String::from_utf8(list.stdout).unwrap(), String::from_utf8(list.stderr).unwrap());
        assert!(list.status.success() && complaint.is_empty(), "{text}{complaint}");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert!(lines[0].starts_with("drwxr-xr-x") && lines[0].ends_with("1970-01-01 00:00 d/"), "{text}");
        assert!(
            lines[1].starts_with("-rw-r-----*") && lines[1].contains("5000000") && lines[1].ends_with(&long),
            "{text}"
        );
        assert!(lines[2].trim().ends_with("user.note") && lines[2].contains('6'), "{text}");
        assert!(lines[3].contains(" 700 "), "{text}");
        assert!(lines[4].starts_with("lrwxrwxrwx") && lines[4].ends_with(&format!("d/link -> {long}")), "{text}");
        assert!(lines[5].starts_with("crw-rw-rw-") && lines[5].contains("1,3"), "{text}");
        assert!(lines[6].ends_with("last"), "{text}");
    }
}
