//! A tar reader for hostile archives: ustar, GNU and PAX (POSIX.1-2017, pax), every header bounded, malformed is an error.
//!
//! Nothing is skipped that is not understood: two readers that disagree about where an entry ends see different archives.

use super::{Limits, decompress::Stream};
use crate::{bail, error::Result};

const BLOCK: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// One entry; its data, if it is a file, is read from the reader before the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Bytes as they stand in the archive.
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    pub kind: EntryKind,
    /// Permission bits, set-id and sticky included.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    /// Seconds and nanoseconds since the epoch.
    pub mtime: (i64, u32),
    pub device: (u32, u32),
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What PAX records say, overriding the header.
#[derive(Debug, Clone, Default)]
struct Pax {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    mtime: Option<(i64, u32)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

pub struct Reader<'a, 'b> {
    from: &'a mut Stream<'b>,
    limits: Limits,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Of the current entry: data not read yet, and the padding after it.
    data: u64,
    padding: u64,
    entries: u64,
    global: Pax,
    done: bool,
}

impl<'a, 'b> Reader<'a, 'b> {
    pub fn new(from: &'a mut Stream<'b>, limits: &Limits) -> Self {
        Self {
            from,
            limits: *limits,
            buffer: vec![0; 256 << 10],
            at: 0,
            end: 0,
            data: 0,
            padding: 0,
            entries: 0,
            global: Pax::default(),
            done: false,
        }
    }

    /// The next entry, or `None` after the two zero blocks that end an archive, or at the end of an empty stream.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let (mut pax, mut long_path, mut long_link) = (self.global.clone(), None, None);
        let mut pending = false;
        while !self.done {
            self.skip()?;
            let Some(header) = self.block()? else {
                if pending || self.entries > 0 {
                    bail!(DataLoss, "the archive ends without its end marker");
                }
                self.done = true;
                break;
            };
            if header.iter().all(|b| *b == 0) {
                if pending {
                    bail!(DataLoss, "the archive ends after an extension header");
                }
                self.done = true;
                break;
            }
            self.entries += 1;
            if self.entries > self.limits.entries {
                bail!(ResourceExhausted, "the {} has more than {} entries", self.from.what(), self.limits.entries);
            }
            verify(&header)?;
            let kind = header[156];
            let size = number(&header[124..136], "size")?;
            match kind {
                b'x' | b'g' | b'L' | b'K' => {
                    let body = self.extension(size)?;
                    match kind {
                        b'x' => self.records(&body, &mut pax)?,
                        b'g' => {
                            let mut global = std::mem::take(&mut self.global);
                            self.records(&body, &mut global)?;
                            if global.path.is_some() || global.link.is_some() || global.size.is_some() {
                                bail!(DataLoss, "a global header names a path, a link or a size");
                            }
                            self.global = global.clone();
                            pax = global;
                        }
                        b'L' => long_path = Some(c_string(&body)),
                        _ => long_link = Some(c_string(&body)),
                    }
                    pending = true;
                }
                _ => return self.entry(&header, kind, size, pax, long_path, long_link).map(Some),
            }
        }
        Ok(None)
    }

    fn entry(
        &mut self,
        header: &[u8; BLOCK],
        kind: u8,
        size: u64,
        pax: Pax,
        long_path: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> Result<Entry> {
        let path = pax.path.or(long_path).unwrap_or_else(|| header_path(header));
        let kind = match kind {
            b'0' | b'\0' | b'7' if path.ends_with(b"/") => EntryKind::Directory,
            b'0' | b'\0' | b'7' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::Symlink,
            b'3' => EntryKind::CharDevice,
            b'4' => EntryKind::BlockDevice,
            b'5' => EntryKind::Directory,
            b'6' => EntryKind::Fifo,
            b'S' => bail!(InvalidArgument, "sparse files are not supported in images"),
            other => bail!(DataLoss, "unknown entry type {:?}", char::from(other)),
        };
        let size = pax.size.unwrap_or(size);
        if size > i64::MAX as u64 {
            bail!(DataLoss, "an entry's size is {size}");
        }
        // Only files have data; what a header says of others' size is not followed by any.
        self.data = if kind == EntryKind::File { size } else { 0 };
        self.padding = self.data.wrapping_neg() % BLOCK as u64;
        let id = |value: u64, what: &str| match u32::try_from(value) {
            Ok(id) if id != u32::MAX => Ok(id),
            _ => bail!(InvalidArgument, "an entry's {what} {value} is out of range"),
        };
        let or = |value: Option<u64>, field: &[u8], what: &str| value.map_or_else(|| number(field, what), Ok);
        let seconds = |s: u64| i64::try_from(s).unwrap_or(i64::MAX);
        let device = |field: &[u8]| number(field, "device").map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let is_device = matches!(kind, EntryKind::CharDevice | EntryKind::BlockDevice);
        Ok(Entry {
            link: pax.link.or(long_link).unwrap_or_else(|| c_string(&header[157..257])),
            mode: u32::try_from(number(&header[100..108], "mode")? & 0o7777).unwrap_or(0),
            uid: id(or(pax.uid, &header[108..116], "uid")?, "uid")?,
            gid: id(or(pax.gid, &header[116..124], "gid")?, "gid")?,
            mtime: match pax.mtime {
                Some(mtime) => mtime,
                None => (seconds(number(&header[136..148], "mtime")?), 0),
            },
            device: if is_device { (device(&header[329..337])?, device(&header[337..345])?) } else { (0, 0) },
            xattrs: pax.xattrs,
            size: self.data,
            path,
            kind,
        })
    }

    /// Some of the current file's data; none at its end.
    pub fn read(&mut self) -> Result<Option<&[u8]>> {
        if self.data == 0 {
            return Ok(None);
        }
        if self.at == self.end && !self.refill()? {
            bail!(DataLoss, "the archive ends inside a file");
        }
        let n = (self.end - self.at).min(usize::try_from(self.data).unwrap_or(usize::MAX));
        let from = self.at;
        self.at += n;
        self.data -= n as u64;
        Ok(Some(&self.buffer[from..from + n]))
    }

    /// After the last entry: whether all that is left is padding.
    pub fn ends(mut self) -> Result<bool> {
        loop {
            if self.buffer[self.at..self.end].iter().any(|b| *b != 0) {
                return Ok(false);
            }
            if !self.refill()? {
                return Ok(true);
            }
        }
    }

    fn skip(&mut self) -> Result<()> {
        while self.read()?.is_some() {}
        while self.padding > 0 {
            if self.at == self.end && !self.refill()? {
                bail!(DataLoss, "the archive ends inside a file's padding");
            }
            let n = (self.end - self.at).min(usize::try_from(self.padding).unwrap_or(BLOCK));
            self.at += n;
            self.padding -= n as u64;
        }
        Ok(())
    }

    fn refill(&mut self) -> Result<bool> {
        self.at = 0;
        self.end = self.from.fill(&mut self.buffer)?;
        Ok(self.end > 0)
    }

    /// The next header block; `None` at the end of the stream.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut have = 0;
        while have < BLOCK {
            if self.at == self.end && !self.refill()? {
                if have == 0 {
                    return Ok(None);
                }
                bail!(DataLoss, "the archive ends inside a header");
            }
            let n = (self.end - self.at).min(BLOCK - have);
            block[have..have + n].copy_from_slice(&self.buffer[self.at..self.at + n]);
            self.at += n;
            have += n;
        }
        Ok(Some(block))
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > self.limits.header {
            bail!(ResourceExhausted, "an extension header of {size} bytes, at most {} are allowed", self.limits.header);
        }
        (self.data, self.padding) = (size, size.wrapping_neg() % BLOCK as u64);
        let mut body = Vec::new();
        while let Some(part) = self.read()? {
            body.extend_from_slice(part);
        }
        Ok(body)
    }

    /// `length key=value\n`, again and again, to the last byte.
    fn records(&self, mut body: &[u8], pax: &mut Pax) -> Result<()> {
        while !body.is_empty() {
            let malformed = || crate::error::Error::new(crate::error::Kind::DataLoss, "malformed PAX record");
            let space = body.iter().take(12).position(|b| *b == b' ').ok_or_else(malformed)?;
            let length: usize = decimal(&body[..space]).and_then(|n| usize::try_from(n).ok()).ok_or_else(malformed)?;
            let record = body.get(space + 1..length).and_then(|r| r.strip_suffix(b"\n")).ok_or_else(malformed)?;
            let equals = record.iter().position(|b| *b == b'=').ok_or_else(malformed)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            body = &body[length..];
            let whole = || decimal(value).ok_or_else(malformed);
            match key {
                b"path" => pax.path = Some(value.to_vec()),
                b"linkpath" => pax.link = Some(value.to_vec()),
                b"size" => pax.size = Some(whole()?),
                b"uid" => pax.uid = Some(whole()?),
                b"gid" => pax.gid = Some(whole()?),
                b"mtime" => pax.mtime = Some(time(value).ok_or_else(malformed)?),
                _ if key.starts_with(b"GNU.sparse.") => {
                    bail!(InvalidArgument, "sparse files are not supported in images")
                }
                _ => {
                    if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                        if pax.xattrs.len() >= self.limits.xattrs || value.len() > self.limits.xattr_bytes {
                            bail!(ResourceExhausted, "an entry has too many or too large xattrs");
                        }
                        pax.xattrs.retain(|(have, _)| have != name);
                        pax.xattrs.push((name.to_vec(), value.to_vec()));
                    }
                }
            }
        }
        Ok(())
    }
}

fn verify(header: &[u8; BLOCK]) -> Result<()> {
    let want = number(&header[148..156], "checksum")?;
    let sum = |signed: bool| -> i64 {
        let byte = |b: u8| if signed { i64::from(b.cast_signed()) } else { i64::from(b) };
        header.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { byte(*b) }).sum()
    };
    let want = i64::try_from(want).unwrap_or(-1);
    if sum(false) != want && sum(true) != want {
        bail!(DataLoss, "a tar header's checksum is wrong");
    }
    Ok(())
}

/// An octal field, or GNU's base-256 one; negative and overlong ones are errors.
fn number(field: &[u8], what: &str) -> Result<u64> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        let mut value = u64::from(first & 0x7f);
        for byte in rest {
            if value >> 55 != 0 {
                bail!(DataLoss, "a tar header's {what} is negative or too large");
            }
            value = value << 8 | u64::from(*byte);
        }
        return Ok(value);
    }
    let text: &[u8] = field.split(|b| *b == 0).next().unwrap_or_default();
    let text = text.trim_ascii();
    let mut value: u64 = 0;
    for byte in text {
        match byte {
            b'0'..=b'7' if value >> 61 == 0 => value = value << 3 | u64::from(byte - b'0'),
            _ => bail!(DataLoss, "a tar header's {what} is not an octal number"),
        }
    }
    Ok(value)
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// PAX time: seconds, perhaps negative, perhaps with a fraction.
fn time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(if whole.starts_with('-') && nanos > 0 { (seconds - 1, 1_000_000_000 - nanos) } else { (seconds, nanos) })
}

fn c_string(field: &[u8]) -> Vec<u8> {
    field.split(|b| *b == 0).next().unwrap_or_default().to_vec()
}

/// ustar splits long paths into a prefix and a name; GNU's header has other things in that place.
fn header_path(header: &[u8; BLOCK]) -> Vec<u8> {
    let name = c_string(&header[..100]);
    let prefix = c_string(&header[345..500]);
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() { [prefix, name].join(&b'/') } else { name }
}

impl std::fmt::Debug for Reader<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("entries", &self.entries).finish_non_exhaustive()
    }
}
