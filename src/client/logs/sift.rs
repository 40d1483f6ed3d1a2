//! A page of the lines that pass a filter, from as far back as it takes: bytes are looked at where they lie, and only what
//! passes becomes a line.

use std::{
    collections::VecDeque,
    io::{self, BufRead as _},
    os::unix::fs::FileExt as _,
};

use super::{
    Joiner, LINE,
    pages::{PAGE, pass},
    parts::{Part, is_full},
};
use crate::client::types::{LogLine, LogPage, LogTurn, Sieve};

/// Bytes looked at in one go: a few of the longest lines. Tests have little to look at.
const BLOCK: u64 = if cfg!(test) { 16 << 10 } else { 8 << 20 };
/// Bytes looked through for one page. Whoever asked can think better of it in between.
const MOST: u64 = if cfg!(test) { 64 << 10 } else { 128 << 20 };

/// The lines that pass before a place, in the last of `parts`. A packed file is looked through whole.
///
/// # Errors
/// If a plain file cannot be read.
pub fn older(parts: &[Part], turn: &LogTurn, sieve: &Sieve) -> io::Result<LogPage> {
    let (mut blocks, mut count, mut bytes, mut looked) = (Vec::new(), 0, 0, 0);
    for (n, part) in parts.iter().enumerate().rev() {
        let mut upto = if n + 1 == parts.len() { turn.from.offset } else { part.end };
        while upto > 0 {
            let (begin, lines) = if part.packed { packed(part, upto, sieve)? } else { block(part, upto, sieve)? };
            count += lines.len();
            bytes += lines.iter().map(|l| l.text.len() as u64).sum::<u64>();
            looked += upto - begin;
            blocks.push(lines);
            upto = begin;
            if count >= turn.lines || bytes >= PAGE || looked >= MOST {
                let lines = blocks.into_iter().rev().flatten().collect();
                let end = begin == 0 && n == 0;
                return Ok(LogPage { lines, end, reached: Some((part.place(begin), part.time_at(begin))) });
            }
        }
    }
    let reached = parts.first().map(|part| (part.place(0), part.time_at(0)));
    Ok(LogPage { lines: blocks.into_iter().rev().flatten().collect(), end: true, reached })
}

/// Where the block before `upto` begins, and what of it passes.
fn block(part: &Part, upto: u64, sieve: &Sieve) -> io::Result<(u64, Vec<LogLine>)> {
    let (mut size, mut bytes) = (BLOCK, Vec::new());
    let (low, begin) = loop {
        let low = upto.saturating_sub(size);
        bytes.resize((upto - low) as usize, 0);
        part.file.read_exact_at(&mut bytes, low)?;
        match boundary(&bytes) {
            _ if low == 0 => break (0, 0),
            Some(begin) => break (low, begin),
            None if size < MOST => size *= 2,
            // A line that no runtime writes is cut.
            None => break (low, 0),
        }
    };
    let (mut rest, mut at, mut lines) = (&bytes[begin..], low + begin as u64, Vec::new());
    let mut joiner = Joiner::default();
    loop {
        let from = rest;
        let length = rest.skip_until(b'\n')?;
        let raw = &from[..length];
        if !raw.ends_with(b"\n") {
            return Ok((low + begin as u64, lines));
        }
        let usual = if joiner.is_open() { None } else { text_of(raw) };
        if usual.is_none_or(|text| sieve.passes(text)) {
            lines.extend(joiner.line(raw, Some(part.place(at))).filter(|line| sieve.passes(&line.text)));
        }
        at += length as u64;
    }
}

/// Behind the first whole line that is seen from its beginning, so that no line in parts is cut.
fn boundary(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let mut at = rest.skip_until(b'\n').ok()?;
    loop {
        let from = rest;
        let length = rest.skip_until(b'\n').ok()?;
        let line = &from[..length];
        at += length;
        if !line.ends_with(b"\n") {
            return None;
        }
        if is_full(line) && at < bytes.len() {
            return Some(at);
        }
    }
}

/// What a container wrote, if this is a whole line as runtimes write it: the rest is looked at closely.
fn text_of(raw: &[u8]) -> Option<&[u8]> {
    let mut words = raw.strip_suffix(b"\n")?.splitn(4, |b| *b == b' ');
    let (time, stream, tag) = (words.next()?, words.next()?, words.next()?);
    let usual = time.get(10) == Some(&b'T') && matches!(stream, b"stdout" | b"stderr") && tag == b"F";
    let text = words.next()?;
    usual.then(|| &text[..text.len().min(LINE)])
}

/// The same of a packed file, which is read from its front: the last lines that fit on a page, and where they begin.
fn packed(part: &Part, upto: u64, sieve: &Sieve) -> io::Result<(u64, Vec<LogLine>)> {
    let (mut lines, mut bytes, mut begin) = (VecDeque::new(), 0, 0);
    pass(part, 0, upto, &mut Joiner::default(), &mut |line: LogLine| {
        if sieve.passes(&line.text) {
            bytes += line.text.len() as u64;
            lines.push_back(line);
        }
        while bytes > PAGE && lines.len() > 1 {
            bytes -= lines.pop_front().map_or(0, |l| l.text.len() as u64);
            begin = lines.front().and_then(|l| l.place).map_or(begin, |p| p.offset);
        }
        true
    })?;
    Ok((begin, lines.into()))
}
