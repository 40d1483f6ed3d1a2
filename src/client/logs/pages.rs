//! Pages of a log: so many lines before or behind a place. What is held in memory is one page.

use std::{io, path::Path};

use super::{
    Joiner, LINE,
    parts::{HEAD, Part, raw_line, rotated},
    sift,
};
use crate::{
    bail,
    client::types::{LogLine, LogPage, LogTurn},
    error::{Error, Result},
};

/// Bytes of the files that one page may be made of; a single line may be more.
pub const PAGE: u64 = 8 << 20;

/// The page that `turn` asks for. Blocks.
///
/// # Errors
/// `NotFound` if the file of the place is no more; whatever reading says.
pub fn page(path: &Path, turn: &LogTurn) -> Result<LogPage> {
    let live = Part::open(path)?;
    // A file that the kubelet has removed meanwhile is no loss of ours.
    let mut parts: Vec<Part> = rotated(path).iter().filter_map(|p| Part::open(p).ok()).collect();
    parts.retain(|p| p.id != live.id);
    parts.push(live);
    let Some(here) = find(&parts, turn) else {
        bail!(NotFound, "log {}: the file that held these lines is no more; open the log again", path.display());
    };
    let read = match &turn.only {
        Some(sieve) if turn.older => sift::older(&parts[..=here], turn, sieve),
        _ if turn.older => older(&parts[..=here], turn),
        _ => newer(&parts[here..], turn),
    };
    read.map_err(|e| Error::io("read log", path, e))
}

/// The part that holds the place. One that was packed since is another file with the same bytes, and the number of the old one
/// may be another file's by now: the line's time tells.
fn find(parts: &[Part], turn: &LogTurn) -> Option<usize> {
    let holds = |p: &Part| turn.at.is_none_or(|at| p.time_at(turn.from.offset) == Some(at));
    let same = |p: &Part| p.id == (turn.from.device, turn.from.inode);
    parts.iter().position(|p| same(p) && holds(p)).or_else(|| {
        let at = turn.at?;
        let begun = |p: &Part| p.packed && p.time_at(0).is_some_and(|b| b <= at);
        parts.iter().rposition(|p| begun(p) && holds(p))
    })
}

fn older(parts: &[Part], turn: &LogTurn) -> io::Result<LogPage> {
    let (mut left, mut room) = (turn.lines, PAGE);
    let mut pieces = Vec::new();
    let mut end = true;
    for (n, part) in parts.iter().enumerate().rev() {
        let upto = if n + 1 == parts.len() { turn.from.offset } else { part.end };
        let piece = part.back(upto, left, room)?;
        pieces.push((part, piece.begin, upto));
        left = left.saturating_sub(piece.lines);
        room = room.saturating_sub(piece.bytes);
        if piece.begin > 0 || left == 0 || room == 0 {
            end = piece.begin == 0 && n == 0;
            break;
        }
    }
    let mut lines = Vec::new();
    let mut joiner = Joiner::default();
    for (part, begin, upto) in pieces.into_iter().rev() {
        pass(part, begin, upto, &mut joiner, &mut |line| {
            lines.push(line);
            true
        })?;
    }
    // A beginning whose end is written behind the place stands on the other page without it.
    lines.extend(joiner.rest());
    Ok(LogPage { lines, end, reached: None })
}

fn newer(parts: &[Part], turn: &LogTurn) -> io::Result<LogPage> {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    let mut joiner = Joiner::default();
    for (n, part) in parts.iter().enumerate() {
        let begin = if n == 0 { turn.from.offset } else { 0 };
        let mut whole = true;
        pass(part, begin, u64::MAX, &mut joiner, &mut |line: LogLine| {
            if n == 0 && line.place.is_some_and(|p| p.offset <= turn.from.offset) {
                return true;
            }
            bytes += line.text.len() as u64;
            lines.push(line);
            whole = lines.len() < turn.lines && bytes < PAGE;
            whole
        })?;
        if !whole {
            return Ok(LogPage { lines, ..LogPage::default() });
        }
    }
    Ok(LogPage { lines, end: true, reached: None })
}

/// Gives each whole line between two places to `take` until it has enough; where it stands then, which is behind a whole line.
/// A packed file that cannot be unpacked to its end gives a line that says so.
///
/// # Errors
/// If a plain file cannot be read.
pub fn pass(
    part: &Part,
    mut at: u64,
    upto: u64,
    joiner: &mut Joiner,
    take: &mut dyn FnMut(LogLine) -> bool,
) -> io::Result<u64> {
    let mut line = Vec::new();
    let mut read = || -> io::Result<bool> {
        let mut reader = part.bytes_from(at)?;
        loop {
            let (length, ended) = raw_line(&mut *reader, &mut line, LINE + HEAD)?;
            if !ended {
                return Ok(part.packed && at + length >= part.end);
            }
            if at + length > upto {
                return Ok(false);
            }
            let whole = joiner.line(&line, Some(part.place(at)));
            at += length;
            if whole.is_some_and(|whole| !take(whole)) {
                return Ok(false);
            }
        }
    };
    let why = match read() {
        Ok(false) => return Ok(at),
        Ok(true) => "it unpacks to more than is read".to_owned(),
        Err(error) if part.packed => error.to_string(),
        Err(error) => return Err(error),
    };
    let name = part.path.file_name().unwrap_or_default().display();
    let text = format!("wharf: what follows of {name} is left out: {why}").into_bytes();
    take(LogLine { at: None, stderr: true, text, place: None });
    Ok(at)
}
