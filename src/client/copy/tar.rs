//! Tar archives for copies: written by [`crate::tar`], read here (POSIX.1-2017 pax, and the names of GNU tar). Sizes of everything that is
//! read into memory are limited; names cannot lead out of the directory that an archive goes into.

use std::{
    ffi::{OsStr, OsString},
    io::{Read, Write},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use super::{DEPTH, Meta, Progress, Sink, Xattrs, shown, xattr};
use crate::{
    bail,
    error::{Error, Result},
    tar::{self, Entry, Kind},
};

const BLOCK: usize = 512;
/// Bytes of an extended header.
const EXTENDED: u64 = 1 << 20;
/// The names of extended attributes in extended headers, as GNU tar and bsdtar write them.
const XATTR: &str = "SCHILY.xattr.";

/// Writes what a walk finds.
pub struct Writer<'a> {
    to: tar::Writer<&'a mut dyn Write>,
    path: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub fn new(to: &'a mut dyn Write) -> Self {
        Self { to: tar::Writer::new(to), path: Vec::new() }
    }

    fn named(&self, name: &OsStr) -> Vec<u8> {
        [self.path.as_slice(), name.as_bytes()].concat()
    }

    fn entry(&mut self, kind: Kind<'_>, path: &[u8], meta: &Meta) -> Result<()> {
        let xattrs = meta.xattrs.iter().map(|(key, value)| (key.as_bytes(), value.as_slice())).collect::<Vec<_>>();
        let Meta { mode, uid, gid, mtime, .. } = *meta;
        self.to.entry(&Entry { path, kind, mode, uid, gid, mtime, xattrs: &xattrs })
    }

    pub fn end(self) -> Result<()> {
        self.to.end().map(drop)
    }
}

impl Sink for Writer<'_> {
    fn enter(&mut self, name: &OsStr, meta: Meta) -> Result<()> {
        let mut path = self.named(name);
        path.push(b'/');
        self.entry(Kind::Directory, &path, &meta)?;
        self.path = path;
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        self.path.pop();
        let keep = self.path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
        self.path.truncate(keep);
        Ok(())
    }

    fn file(&mut self, name: &OsStr, meta: Meta, size: u64, content: &mut dyn Read) -> Result<()> {
        let path = self.named(name);
        self.entry(Kind::File(size), &path, &meta)?;
        if self.to.content(size, content, |_| ())? > 0 {
            bail!(Unavailable, "{} became shorter while it was copied", shown(name));
        }
        Ok(())
    }

    fn link(&mut self, name: &OsStr, meta: Meta, target: &OsStr) -> Result<()> {
        let path = self.named(name);
        self.entry(Kind::Symlink(target.as_bytes()), &path, &meta)
    }
}

/// What extended headers say of the entry that follows.
#[derive(Debug, Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<(i64, i64)>,
    xattrs: Xattrs,
}

/// Unpacks an archive.
pub fn read(from: &mut dyn Read, sink: &mut dyn Sink, progress: &Progress) -> Result<()> {
    let plain = Meta { mode: 0o755, ..Meta::default() };
    sink.enter(OsStr::new("archive"), plain.clone())?;
    let mut open: Vec<OsString> = Vec::new();
    let mut extended = Extended::default();
    while let Some(block) = next(from)? {
        let mut size = number(&block[124..136])?;
        let kind = block[156];
        if matches!(kind, b'x' | b'L' | b'K' | b'g') {
            if size > EXTENDED {
                bail!(InvalidArgument, "the archive has a header of {size} bytes, {EXTENDED} are the most");
            }
            let mut text = vec![0; size as usize];
            from.read_exact(&mut text).map_err(cut)?;
            skip(from, size, true)?;
            match kind {
                b'x' => pax(&text, &mut extended)?,
                b'L' => extended.path = Some(until_nul(&text).to_vec()),
                b'K' => extended.link = Some(until_nul(&text).to_vec()),
                _ => {}
            }
            continue;
        }
        let extended = std::mem::take(&mut extended);
        size = extended.size.unwrap_or(size);
        let path = extended.path.unwrap_or_else(|| name(&block));
        let link = extended.link.unwrap_or_else(|| until_nul(&block[157..257]).to_vec());
        let id = |field: &[u8], told: Option<u32>| match told {
            Some(id) => Ok(id),
            None => u32::try_from(number(field)?).map_err(|_| broken("an owner that is none")),
        };
        let meta = Meta {
            mode: number(&block[100..108])? as u32 & 0o7777,
            uid: id(&block[108..116], extended.uid)?,
            gid: id(&block[116..124], extended.gid)?,
            mtime: extended.mtime.unwrap_or((number(&block[136..148])?.cast_signed(), 0)),
            xattrs: extended.xattrs,
        };
        let mut parts = parts(&path)?;
        let directory = kind == b'5' || (matches!(kind, b'0' | 0) && path.ends_with(b"/"));
        let last = if directory { None } else { parts.pop() };
        // Out of the directories that do not lead there, and into those that do.
        let same = open.iter().zip(&parts).take_while(|(a, b)| a == b).count();
        for _ in same..open.len() {
            open.pop();
            sink.leave()?;
        }
        let count = parts.len();
        for (at, part) in parts.into_iter().enumerate().skip(same) {
            sink.enter(&part, if directory && at + 1 == count { meta.clone() } else { plain.clone() })?;
            open.push(part);
        }
        match (kind, last) {
            (_, None) if directory => skip(from, size, false)?,
            (b'0' | b'7' | 0, Some(name)) => {
                progress.file();
                let mut content = Counted { from: Read::take(&mut *from, size), progress };
                sink.file(&name, meta, size, &mut content)?;
                skip(from, size, true)?;
            }
            (b'2', Some(name)) => {
                progress.file();
                sink.link(&name, meta, &OsString::from_vec(link))?;
            }
            (_, name) => {
                let what = match kind {
                    b'1' => "a hard link",
                    b'3' | b'4' => "a device",
                    b'6' => "a fifo",
                    _ => "of no kind that is known",
                };
                let name = name.unwrap_or_default();
                bail!(
                    InvalidArgument,
                    "{} in the archive is {what}: only files, directories and links are copied",
                    shown(&name)
                );
            }
        }
    }
    for _ in open {
        sink.leave()?;
    }
    sink.leave()
}

fn broken(what: &str) -> Error {
    Error::new(crate::error::Kind::InvalidArgument, format!("the archive is damaged: {what}"))
}

fn cut(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return broken("it ends too early");
    }
    Error::io("read", "the archive", error)
}

/// The next header; none at the end.
fn next(from: &mut dyn Read) -> Result<Option<[u8; BLOCK]>> {
    let mut block = [0; BLOCK];
    from.read_exact(&mut block).map_err(cut)?;
    if block.iter().all(|b| *b == 0) {
        return Ok(None);
    }
    let told = number(&block[148..156])?;
    let sum: u64 =
        block.iter().enumerate().map(|(at, b)| if (148..156).contains(&at) { 32 } else { u64::from(*b) }).sum();
    if told != sum {
        bail!(InvalidArgument, "this is no tar archive, or it is damaged");
    }
    Ok(Some(block))
}

/// Octal digits, or the large numbers of GNU tar.
fn number(field: &[u8]) -> Result<u64> {
    if field[0] & 0x80 != 0 {
        let mut value = u64::from(field[0] & 0x7F);
        for byte in &field[1..] {
            value = value.checked_mul(256).ok_or_else(|| broken("a number that is too large"))? + u64::from(*byte);
        }
        return Ok(value);
    }
    let text = std::str::from_utf8(field).map_err(|_| broken("a number that is none"))?;
    let text = text.trim_matches(['\0', ' ']);
    if text.is_empty() { Ok(0) } else { u64::from_str_radix(text, 8).map_err(|_| broken("a number that is none")) }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|b| *b == 0).next().unwrap_or_default()
}

fn name(block: &[u8; BLOCK]) -> Vec<u8> {
    let (name, prefix) = (until_nul(&block[..100]), until_nul(&block[345..500]));
    let posix = &block[257..263] == b"ustar\0";
    if posix && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
}

/// The rest of an entry: all of it, or with `read` only what fills its last block.
fn skip(from: &mut dyn Read, size: u64, read: bool) -> Result<()> {
    let over = size % BLOCK as u64;
    let pad = if over > 0 { BLOCK as u64 - over } else { 0 };
    let rest = if read { pad } else { size + pad };
    let skipped = std::io::copy(&mut from.take(rest), &mut std::io::sink()).map_err(cut)?;
    if skipped == rest { Ok(()) } else { Err(broken("it ends too early")) }
}

fn pax(mut text: &[u8], into: &mut Extended) -> Result<()> {
    while !text.is_empty() {
        let space = text.iter().position(|b| *b == b' ').ok_or_else(|| broken("an extended header"))?;
        let length = std::str::from_utf8(&text[..space]).ok().and_then(|t| t.parse::<usize>().ok());
        let length =
            length.filter(|l| *l > space + 2 && *l <= text.len()).ok_or_else(|| broken("an extended header"))?;
        let record = &text[space + 1..length - 1];
        let equals = record.iter().position(|b| *b == b'=').ok_or_else(|| broken("an extended header"))?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        let digits = || std::str::from_utf8(value).map_err(|_| broken("an extended header"));
        let bad = |_: std::num::ParseIntError| broken("a number in an extended header");
        match key {
            b"path" => into.path = Some(value.to_vec()),
            b"linkpath" => into.link = Some(value.to_vec()),
            b"size" => into.size = Some(digits()?.parse().map_err(bad)?),
            b"uid" => into.uid = Some(digits()?.parse().map_err(bad)?),
            b"gid" => into.gid = Some(digits()?.parse().map_err(bad)?),
            b"mtime" => {
                let (whole, part) = digits()?.split_once('.').unwrap_or((digits()?, ""));
                let nanos = format!("{part:0<9.9}");
                into.mtime = Some((whole.parse().map_err(bad)?, nanos.parse().map_err(bad)?));
            }
            _ => {
                let name = key.strip_prefix(XATTR.as_bytes()).map(OsStr::from_bytes);
                if let Some(name) = name.filter(|n| xattr::is_kept(n) && !n.as_bytes().contains(&0)) {
                    into.xattrs.insert(name.to_owned(), value.to_vec());
                }
            }
        }
        text = &text[length..];
    }
    Ok(())
}

/// The components of a name: relative, without `.`.
fn parts(path: &[u8]) -> Result<Vec<OsString>> {
    let mut parts = Vec::new();
    for part in path.split(|b| *b == b'/').filter(|p| !p.is_empty() && *p != b".") {
        if part == b".." {
            bail!(
                InvalidArgument,
                "the archive has {}, which leads out of where it goes",
                shown(OsStr::from_bytes(path))
            );
        }
        parts.push(OsStr::from_bytes(part).to_owned());
    }
    if parts.len() > DEPTH {
        bail!(InvalidArgument, "the archive has directories deeper than {DEPTH}");
    }
    Ok(parts)
}

struct Counted<'a, R> {
    from: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.progress.add(read).map_err(std::io::Error::other)?;
        Ok(read)
    }
}
