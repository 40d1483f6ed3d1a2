//! Container logs from their files in the CRI format: from the end, since a time, page by page, and on across rotations; what
//! the kubelet has packed meanwhile too.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use futures::{StreamExt, stream::BoxStream};
use tokio::sync::mpsc;

use super::types::{LogLine, LogOptions, LogPage, LogPlace, LogTurn};
use crate::error::{Error, Kind, Result};

mod pages;
mod parts;
mod sift;
#[cfg(test)]
mod tests;

use pages::pass;
use parts::{Part, rotated};

/// Bytes of one line, parts joined; more is cut off.
const LINE: usize = 1 << 20;
/// Between looks at a file that is followed.
const LOOK: Duration = Duration::from_millis(100);

/// The lines of the log at `path`. Reads in a thread of its own, which ends when the stream is dropped.
pub fn read(path: PathBuf, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
    let (send, receive) = mpsc::channel(512);
    tokio::task::spawn_blocking(move || {
        let mut reader = Reader { path, options, send, joiner: Joiner::default() };
        if let Err(Stop::Failed(error)) = reader.run() {
            // Nobody listening is the other way to stop.
            let _ = reader.send.blocking_send(Err(error));
        }
    });
    futures::stream::unfold(receive, |mut receive| async { receive.recv().await.map(|line| (line, receive)) }).boxed()
}

/// Lines before or behind a place of the log at `path`.
///
/// # Errors
/// `NotFound` if the file that held the place is no more; whatever reading says.
pub async fn page(path: PathBuf, turn: LogTurn) -> Result<LogPage> {
    let work = tokio::task::spawn_blocking(move || pages::page(&path, &turn)).await;
    work.map_err(|e| Error::new(Kind::Internal, "reading the log died").with_source(e))?
}

enum Stop {
    Failed(Error),
    NobodyListens,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

struct Reader {
    path: PathBuf,
    options: LogOptions,
    send: mpsc::Sender<Result<LogLine>>,
    joiner: Joiner,
}

impl Reader {
    fn run(&mut self) -> Result<(), Stop> {
        // Opened first: what is rotated away from now on is still read to its end.
        let mut live = Part::open(&self.path)?;
        let mut at = match self.options.tail {
            Some(count) => self.tail(&live, usize::try_from(count).unwrap_or(usize::MAX))?,
            None => self.whole(&live)?,
        };
        loop {
            at = self.lines(&live, at)?;
            if !self.options.follow {
                return Ok(());
            }
            if self.send.is_closed() {
                return Err(Stop::NobodyListens);
            }
            thread::sleep(LOOK);
            let mine = live.file.metadata().map_err(|e| Error::io("stat", &self.path, e))?;
            if mine.len() < at {
                at = 0;
            }
            match Part::open(&self.path) {
                Ok(fresh) if fresh.id != live.id => {
                    // The writer may have put more into the old one before it let go.
                    self.lines(&live, at)?;
                    (live, at) = (fresh, 0);
                }
                Ok(_) => {}
                // Between rotation and the first line, or the container has been removed.
                Err(error) if error.is(Kind::NotFound) => {
                    if !self.path.parent().is_some_and(Path::exists) {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The rotated files, the oldest first. One that the kubelet has removed meanwhile is no loss of ours.
    fn older(&self, live: &Part) -> Vec<Part> {
        let open = |path: &PathBuf| Part::open(path).ok().filter(|p| p.id != live.id);
        rotated(&self.path).iter().filter_map(open).collect()
    }

    /// Emits what was put aside, as far as the options reach; where to begin in the newest.
    fn whole(&mut self, live: &Part) -> Result<u64, Stop> {
        let read = |e| Error::io("read", &self.path, e);
        let since = self.options.since;
        let start = since.map_or(Ok(0), |s| live.at_time(s)).map_err(read)?;
        if start > 0 {
            // All that is older is before it.
            return Ok(start);
        }
        for part in self.older(live) {
            if !since.is_some_and(|s| part.is_before(s)) {
                let begin = since.map_or(Ok(0), |s| part.at_time(s)).map_err(|e| Error::io("read", &part.path, e))?;
                self.lines(&part, begin)?;
            }
        }
        Ok(0)
    }

    /// Emits the last `count` lines of all files together that are not in the newest; where the rest begins there.
    fn tail(&mut self, live: &Part, count: usize) -> Result<u64, Stop> {
        let back =
            |part: &Part, count| part.back(part.end, count, u64::MAX).map_err(|e| Error::io("read", &part.path, e));
        let first = back(live, count)?;
        let mut found = first.lines;
        let mut pieces = Vec::new();
        for part in self.older(live).into_iter().rev() {
            if found >= count {
                break;
            }
            let piece = back(&part, count - found)?;
            found += piece.lines;
            pieces.push((part, piece.begin));
        }
        for (part, begin) in pieces.into_iter().rev() {
            self.lines(&part, begin)?;
        }
        Ok(first.begin)
    }

    /// Emits whole lines from `at` on; the offset behind the last one.
    fn lines(&mut self, part: &Part, at: u64) -> Result<u64, Stop> {
        let (send, since) = (&self.send, self.options.since);
        let mut listening = true;
        let end = pass(part, at, u64::MAX, &mut self.joiner, &mut |line| {
            if line.at.zip(since).is_none_or(|(at, since)| at >= since) {
                listening = send.blocking_send(Ok(line)).is_ok();
            }
            listening
        });
        let end = end.map_err(|e| Error::io("read", &part.path, e))?;
        if listening { Ok(end) } else { Err(Stop::NobodyListens) }
    }
}

/// Puts together what a runtime wrote in parts.
#[derive(Debug, Default)]
struct Joiner {
    /// Unfinished lines of stdout and stderr.
    open: [Option<LogLine>; 2],
}

impl Joiner {
    /// The line that this one, with its newline, ends, if it ends one. `place` is where it begins.
    fn line(&mut self, raw: &[u8], place: Option<LogPlace>) -> Option<LogLine> {
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        let Some((mut line, partial)) = parse(raw) else {
            // Not of this format: shown as it is rather than hidden.
            return Some(LogLine { at: None, stderr: false, text: raw[..raw.len().min(LINE)].to_vec(), place });
        };
        line.place = place;
        line.text.truncate(LINE);
        let open = &mut self.open[usize::from(line.stderr)];
        let whole = match open.take() {
            Some(mut begun) => {
                let room = LINE.saturating_sub(begun.text.len());
                begun.text.extend_from_slice(&line.text[..line.text.len().min(room)]);
                begun
            }
            None => line,
        };
        if partial {
            *open = Some(whole);
            return None;
        }
        Some(whole)
    }

    /// Whether a line was begun and not ended.
    fn is_open(&self) -> bool {
        self.open.iter().any(Option::is_some)
    }

    /// What was begun and not ended.
    fn rest(self) -> impl Iterator<Item = LogLine> {
        self.open.into_iter().flatten()
    }
}

/// `time stream tag text`, and whether more of the line follows.
fn parse(raw: &[u8]) -> Option<(LogLine, bool)> {
    let mut words = raw.splitn(4, |b| *b == b' ');
    let time = std::str::from_utf8(words.next()?).ok()?;
    let at: jiff::Timestamp = time.parse().ok()?;
    let stderr = match words.next()? {
        b"stdout" => false,
        b"stderr" => true,
        _ => return None,
    };
    let tag = words.next()?;
    let partial = tag.split(|b| *b == b':').next() == Some(b"P");
    let text = words.next().unwrap_or_default().to_vec();
    Some((LogLine { at: SystemTime::try_from(at).ok(), stderr, text, place: None }, partial))
}
