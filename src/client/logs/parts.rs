//! The files that one log is made of: the one that is written, and those the kubelet put aside, packed or not. Read from any
//! byte on; nothing of them is held in memory.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use flate2::read::MultiGzDecoder;

use super::{LINE, parse};
use crate::{
    bail,
    client::types::LogPlace,
    error::{Error, Result},
};

/// Rotated files that are looked at, the newest of them: the kubelet keeps five unless told otherwise.
const ROTATED: usize = 50;
/// Bytes of a packed file, unpacked, that are read: what unpacks to more is not followed to its end.
/// Tests have it smaller, so that they end.
const UNPACKED: u64 = if cfg!(test) { 32 << 20 } else { 1 << 30 };
/// Bytes read at a time.
const BLOCK: usize = 64 << 10;
/// Bytes that hold the time, the stream and the tag of a line.
pub const HEAD: usize = 96;
/// How far clocks may have been set back for a time to be found all the same.
const DOUBT: u64 = 1 << 20;

/// One open file of a log.
#[derive(Debug)]
pub struct Part {
    pub path: PathBuf,
    pub file: File,
    /// Device and inode.
    pub id: (u64, u64),
    pub packed: bool,
    /// Bytes that it had when it was opened; of a packed one, as many as are read unpacked.
    pub end: u64,
    written: Option<SystemTime>,
}

/// Whole lines at the end of what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where they begin.
    pub begin: u64,
    pub lines: usize,
    pub bytes: u64,
}

/// Reads a file without moving its position.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Part {
    /// # Errors
    /// `NotFound`, `PermissionDenied`; `InvalidArgument` if it is no regular file.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path);
        let file = opened.map_err(|e| Error::io("open log", path, e))?;
        let meta = file.metadata().map_err(|e| Error::io("stat log", path, e))?;
        if !meta.is_file() {
            bail!(InvalidArgument, "log {} is not a regular file", path.display());
        }
        let packed = path.extension().is_some_and(|e| e == "gz");
        Ok(Self {
            path: path.to_owned(),
            file,
            id: (meta.dev(), meta.ino()),
            packed,
            end: if packed { UNPACKED } else { meta.len() },
            written: meta.modified().ok(),
        })
    }

    pub fn place(&self, offset: u64) -> LogPlace {
        LogPlace { device: self.id.0, inode: self.id.1, offset }
    }

    /// Whether all of it is older than that.
    pub fn is_before(&self, time: SystemTime) -> bool {
        self.written.is_some_and(|w| w + Duration::from_secs(2) < time)
    }

    /// Its bytes from `offset` on, unpacked.
    ///
    /// # Errors
    /// If it cannot be read, or unpacked.
    pub fn bytes_from(&self, offset: u64) -> io::Result<Box<dyn BufRead + '_>> {
        if !self.packed {
            return Ok(Box::new(BufReader::with_capacity(BLOCK, At { file: &self.file, at: offset })));
        }
        let raw = BufReader::with_capacity(BLOCK, At { file: &self.file, at: 0 });
        let mut unpacked = MultiGzDecoder::new(raw).take(UNPACKED);
        io::copy(&mut unpacked.by_ref().take(offset), &mut io::sink())?;
        Ok(Box::new(BufReader::with_capacity(BLOCK, unpacked)))
    }

    /// The last `count` whole lines before `upto`: fewer if the file has no more, or if they are more than `most` bytes, but one at
    /// least.
    ///
    /// # Errors
    /// If it cannot be read. Where a packed file cannot be unpacked any further it has its end.
    pub fn back(&self, upto: u64, count: usize, most: u64) -> io::Result<Piece> {
        if self.packed {
            return Ok(self.back_packed(upto, count, most));
        }
        let (begin, lines) = self.back_plain(upto, count, most)?;
        Ok(Piece { begin, lines, bytes: upto - begin })
    }

    fn back_plain(&self, upto: u64, count: usize, most: u64) -> io::Result<(u64, usize)> {
        let mut block = vec![0; BLOCK];
        let (mut high, mut found) = (upto, 0);
        // Behind the newline of the line whose beginning is looked for.
        let mut behind: Option<u64> = None;
        while high > 0 {
            let low = high.saturating_sub(BLOCK as u64);
            let bytes = &mut block[..(high - low) as usize];
            self.file.read_exact_at(bytes, low)?;
            for at in (0..bytes.len()).rev().filter(|at| bytes[*at] == b'\n') {
                let start = low + at as u64 + 1;
                if let Some(end) = behind.replace(start)
                    && self.is_full(start, end, &bytes[at + 1..])?
                {
                    if found == count || (found > 0 && upto - start > most) {
                        return Ok((end, found));
                    }
                    found += 1;
                }
            }
            // No runtime writes such a line in parts: what is before is not part of what was found.
            if let Some(end) = behind.filter(|end| found >= count && end - low > 2 * LINE as u64) {
                return Ok((end, found));
            }
            high = low;
        }
        match behind {
            Some(end) if self.is_full(0, end, &[])? => {
                Ok(if found == count || (found > 0 && upto > most) { (end, found) } else { (0, found + 1) })
            }
            _ => Ok((0, found)),
        }
    }

    /// Whether the line from `start` to `end` is the end of what was written, and not a part of it. `known` is what of it, and of
    /// what follows, has been read already.
    fn is_full(&self, start: u64, end: u64, known: &[u8]) -> io::Result<bool> {
        let length = ((end - start) as usize).min(HEAD);
        if known.len() >= length {
            return Ok(is_full(&known[..length]));
        }
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head[..length], start)?;
        Ok(is_full(&head[..length]))
    }

    fn back_packed(&self, upto: u64, count: usize, most: u64) -> Piece {
        // Twice through it, since the lines are not kept.
        let (mut total, mut last) = (0, 0);
        self.ends(upto, |end| {
            (total, last) = (total + 1, end);
            true
        });
        let fits = |from: u64, before: usize| total - before <= count && last - from <= most;
        let (mut begin, mut before) = (0, 0);
        if total > 0 && !fits(0, 0) {
            self.ends(upto, |end| {
                (begin, before) = (end, before + 1);
                // One at least, unless none is asked for.
                !(fits(begin, before) || (count > 0 && total - before <= 1))
            });
        }
        Piece { begin, lines: total - before, bytes: last - begin }
    }

    /// Tells where each whole line before `upto` ends, until that is enough or no more can be unpacked.
    fn ends(&self, upto: u64, mut tell: impl FnMut(u64) -> bool) {
        let Ok(mut reader) = self.bytes_from(0) else { return };
        let (mut line, mut at) = (Vec::new(), 0);
        while let Ok((length, true)) = raw_line(&mut *reader, &mut line, HEAD) {
            at += length;
            if at > upto || (is_full(&line) && !tell(at)) {
                return;
            }
        }
    }

    /// A place before which no line is as late as `time`, if times grow; 0 in a packed file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn at_time(&self, time: SystemTime) -> io::Result<u64> {
        let (mut low, mut high) = (0, if self.packed { 0 } else { self.end });
        while high - low > DOUBT {
            let middle = low + (high - low) / 2;
            match self.time_after(middle)? {
                Some(at) if at < time => low = middle,
                _ => high = middle,
            }
        }
        match low.saturating_sub(DOUBT) {
            0 => Ok(0),
            inside => Ok(inside + raw_line(&mut *self.bytes_from(inside)?, &mut Vec::new(), 0)?.0),
        }
    }

    /// Of the first line that begins in the block there and has one.
    fn time_after(&self, offset: u64) -> io::Result<Option<SystemTime>> {
        let mut block = vec![0; BLOCK];
        let length = self.file.read_at(&mut block, offset)?;
        Ok(block[..length].split(|b| *b == b'\n').skip(1).find_map(|line| parse(line)?.0.at))
    }

    /// When the line that begins there was written, if one does.
    pub fn time_at(&self, offset: u64) -> Option<SystemTime> {
        let mut line = Vec::new();
        raw_line(&mut *self.bytes_from(offset).ok()?, &mut line, HEAD).ok()?;
        parse(&line)?.0.at
    }
}

/// Whether a line is not one of the first parts of a longer one.
pub fn is_full(line: &[u8]) -> bool {
    parse(line.strip_suffix(b"\n").unwrap_or(line)).is_none_or(|(_, partial)| !partial)
}

/// Reads one line, of which `line` gets `most` bytes and its newline if they are no more; the rest is passed over. Its length, and
/// whether it has come to its newline.
///
/// # Errors
/// If the reader fails.
pub fn raw_line(reader: &mut dyn BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<(u64, bool)> {
    line.clear();
    let mut length = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if buffer.is_empty() {
            return Ok((length, false));
        }
        let newline = buffer.iter().position(|b| *b == b'\n');
        let used = newline.map_or(buffer.len(), |at| at + 1);
        line.extend_from_slice(&buffer[..used.min(most.saturating_sub(line.len()))]);
        reader.consume(used);
        length += used as u64;
        if newline.is_some() {
            return Ok((length, true));
        }
    }
}

/// The kubelet's rotated files of a log, oldest first. While one is being packed it is there twice; it counts once.
pub fn rotated(path: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else {
        return Vec::new();
    };
    let prefix = format!("{name}.");
    let stem = |n: &str| {
        let stamp = n.strip_prefix(&prefix)?;
        let stamp = stamp.strip_suffix(".gz").unwrap_or(stamp);
        (stamp.starts_with(|c: char| c.is_ascii_digit()) && !stamp.contains('.')).then(|| stamp.to_owned())
    };
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> =
        entries.filter_map(|e| Some((stem(e.file_name().to_str()?)?, e.path()))).collect();
    // `x` sorts before `x.gz`.
    found.sort();
    found.dedup_by(|later, first| later.0 == first.0);
    let all: Vec<PathBuf> = found.into_iter().map(|(_, path)| path).collect();
    all[all.len().saturating_sub(ROTATED)..].to_vec()
}
