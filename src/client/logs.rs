//! Container logs from their files in the CRI format: from the end, since a time, and on across rotations.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use futures::{StreamExt, stream::BoxStream};
use tokio::sync::mpsc;

use super::types::{LogLine, LogOptions};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Bytes of one line, parts joined; more is cut off.
const LINE: usize = 1 << 20;
/// Between looks at a file that is followed.
const LOOK: Duration = Duration::from_millis(100);
/// Rotated files that are read for a tail or a time.
const ROTATED: usize = 10;

/// The lines of the log at `path`. Reads in a thread of its own, which ends when the stream is dropped.
pub fn read(path: PathBuf, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
    let (send, receive) = mpsc::channel(512);
    tokio::task::spawn_blocking(move || {
        let mut reader = Reader { path, options, send, open: Default::default() };
        if let Err(Stop::Failed(error)) = reader.run() {
            // Nobody listening is the other way to stop.
            let _ = reader.send.blocking_send(Err(error));
        }
    });
    futures::stream::unfold(receive, |mut receive| async { receive.recv().await.map(|line| (line, receive)) }).boxed()
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
    /// Unfinished lines of stdout and stderr.
    open: [Option<LogLine>; 2],
}

impl Reader {
    fn run(&mut self) -> Result<(), Stop> {
        // Opened first: what is rotated away from now on is still read to its end.
        let mut file = open(&self.path)?;
        let mut at = 0;
        match self.options.tail {
            Some(count) => at = self.tail(&mut file, usize::try_from(count).unwrap_or(usize::MAX))?,
            None => {
                for path in rotated(&self.path) {
                    // A file that the kubelet has removed meanwhile is no loss of ours.
                    if let Ok(file) = open(&path) {
                        self.lines(file, 0)?;
                    }
                }
            }
        }
        loop {
            at = self.lines(file.try_clone().map_err(|e| Error::io("duplicate", &self.path, e))?, at)?;
            if !self.options.follow {
                return Ok(());
            }
            if self.send.is_closed() {
                return Err(Stop::NobodyListens);
            }
            thread::sleep(LOOK);
            let inode = |f: &File| f.metadata().map(|m| (m.dev(), m.ino(), m.len()));
            let mine = inode(&file).map_err(|e| Error::io("stat", &self.path, e))?;
            if mine.2 < at {
                at = 0;
            }
            match open(&self.path) {
                Ok(fresh) => {
                    let theirs = inode(&fresh).map_err(|e| Error::io("stat", &self.path, e))?;
                    if (theirs.0, theirs.1) != (mine.0, mine.1) {
                        // The writer may have put more into the old one before it let go.
                        self.lines(file, at)?;
                        (file, at) = (fresh, 0);
                    }
                }
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

    /// Emits the last `count` lines of all files together; where to go on in the newest.
    fn tail(&mut self, file: &mut File, count: usize) -> Result<u64, Stop> {
        let length = file.metadata().map_err(|e| Error::io("stat", &self.path, e))?.len();
        let mut last = last_entries(file, length, count).map_err(|e| Error::io("read", &self.path, e))?;
        for path in rotated(&self.path).into_iter().rev() {
            let missing = count.saturating_sub(last.iter().filter(|l| is_full(l)).count());
            if missing == 0 {
                break;
            }
            if let Ok(mut file) = open(&path) {
                let length = file.metadata().map_err(|e| Error::io("stat", &path, e))?.len();
                let mut older = last_entries(&mut file, length, missing).map_err(|e| Error::io("read", &path, e))?;
                older.append(&mut last);
                last = older;
            }
        }
        // An unfinished line at the end is read again when it is finished.
        let unfinished = last.back().filter(|l| !l.ends_with(b"\n")).map_or(0, Vec::len);
        for line in last {
            if line.ends_with(b"\n") {
                self.line(&line)?;
            }
        }
        Ok(length - unfinished as u64)
    }

    /// Emits whole lines from `at` on; the offset behind the last one.
    fn lines(&mut self, mut file: File, mut at: u64) -> Result<u64, Stop> {
        file.seek(SeekFrom::Start(at)).map_err(|e| Error::io("seek in", &self.path, e))?;
        let mut reader = BufReader::with_capacity(64 << 10, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = LINE as u64 * 2;
            let length = reader.by_ref().take(limit).read_until(b'\n', &mut line);
            let length = length.map_err(|e| Error::io("read", &self.path, e))? as u64;
            if length == 0 || (!line.ends_with(b"\n") && length < limit) {
                return Ok(at);
            }
            at += length;
            self.line(&line)?;
        }
    }

    fn line(&mut self, raw: &[u8]) -> Result<(), Stop> {
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        let Some((line, partial)) = parse(raw) else {
            // Not of this format: shown as it is rather than hidden.
            return self.emit(LogLine { at: None, stderr: false, text: raw[..raw.len().min(LINE)].to_vec() });
        };
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
            return Ok(());
        }
        self.emit(whole)
    }

    fn emit(&mut self, line: LogLine) -> Result<(), Stop> {
        if let (Some(since), Some(at)) = (self.options.since, line.at)
            && at < since
        {
            return Ok(());
        }
        self.send.blocking_send(Ok(line)).map_err(|_| Stop::NobodyListens)
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
    Some((LogLine { at: SystemTime::try_from(at).ok(), stderr, text }, partial))
}

fn is_full(line: &[u8]) -> bool {
    parse(line.strip_suffix(b"\n").unwrap_or(line)).is_none_or(|(_, partial)| !partial)
}

/// The raw lines of the last `count` entries, oldest first.
fn last_entries(file: &mut File, length: u64, count: usize) -> std::io::Result<VecDeque<Vec<u8>>> {
    let mut window: u64 = 64 << 10;
    loop {
        let start = length.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.by_ref().take(length - start).read_to_end(&mut bytes)?;
        let mut lines: VecDeque<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        if start > 0 {
            // Its beginning lies before the window.
            lines.pop_front();
        }
        let full = lines.iter().filter(|l| l.ends_with(b"\n") && is_full(l)).count();
        if full > count || start == 0 {
            let mut skip = full.saturating_sub(count);
            while skip > 0 {
                match lines.pop_front() {
                    Some(line) if is_full(&line) => skip -= 1,
                    Some(_) => {}
                    None => break,
                }
            }
            return Ok(lines);
        }
        window *= 4;
    }
}

/// The kubelet's rotated files of a log, oldest first; compressed ones are left out.
fn rotated(path: &Path) -> Vec<PathBuf> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else {
        return Vec::new();
    };
    let prefix = format!("{name}.");
    let is = |n: &str| {
        n.strip_prefix(&prefix).is_some_and(|s| s.starts_with(|c: char| c.is_ascii_digit()) && !s.contains('.'))
    };
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.filter(|e| e.file_name().to_str().is_some_and(is)).map(|e| e.path()).collect();
    found.sort();
    found.split_off(found.len().saturating_sub(ROTATED))
}

fn open(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path);
    let file = opened.map_err(|e| Error::io("open log", path, e))?;
    if !file.metadata().map_err(|e| Error::io("stat log", path, e))?.is_file() {
        bail!(InvalidArgument, "log {} is not a regular file", path.display());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    fn entry(n: u32, tag: &str, text: &str) -> String {
        format!("2026-01-01T00:00:{:02}.000000000Z stdout {tag} {text}\n", n % 60)
    }

    async fn all(path: &Path, options: LogOptions) -> Vec<String> {
        let lines: Vec<_> = read(path.to_owned(), options).collect().await;
        lines.into_iter().map(|l| String::from_utf8(l.unwrap().text).unwrap()).collect()
    }

    const PLAIN: LogOptions = LogOptions { follow: false, tail: None, since: None };

    #[tokio::test]
    async fn parts_are_joined_and_strangers_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        fs::write(
            &path,
            entry(1, "P", "ab") + &entry(1, "F", "cd") + "not a log line\n" + &entry(2, "F", "") + "unfinished",
        )
        .unwrap();
        assert_eq!(all(&path, PLAIN).await, ["abcd", "not a log line", ""]);
    }

    #[tokio::test]
    async fn a_tail_counts_whole_lines_over_rotated_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        fs::write(
            dir.path().join("0.log.20260101-000000"),
            entry(1, "F", "one") + &entry(2, "P", "t") + &entry(2, "F", "wo"),
        )
        .unwrap();
        fs::write(dir.path().join("0.log.20250101-000000.gz"), "no").unwrap();
        fs::write(&path, entry(3, "F", "three")).unwrap();
        for (tail, want) in
            [(0, vec![]), (1, vec!["three"]), (2, vec!["two", "three"]), (9, vec!["one", "two", "three"])]
        {
            assert_eq!(all(&path, LogOptions { tail: Some(tail), ..PLAIN }).await, want, "{tail}");
        }
        let since = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_602));
        assert_eq!(all(&path, LogOptions { since, ..PLAIN }).await, ["two", "three"]);
    }

    #[tokio::test]
    async fn a_long_tail_is_found_from_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        let text: String = (0..20_000).map(|i| entry(i, "F", &format!("line {i}"))).collect();
        fs::write(&path, text).unwrap();
        let got = all(&path, LogOptions { tail: Some(5000), ..PLAIN }).await;
        assert_eq!((got.len(), got[0].as_str(), got[4999].as_str()), (5000, "line 15000", "line 19999"));
    }

    #[tokio::test]
    async fn log_05_a_gigabyte_opens_at_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        let mut file = File::create(&path).unwrap();
        // A hole stands for what came before; nothing of it may be read.
        file.set_len(1 << 30).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        let text: String = (0..20_000).map(|i| entry(i, "F", &format!("line {i}"))).collect();
        file.write_all(b"\n").and_then(|()| file.write_all(text.as_bytes())).unwrap();
        let begin = std::time::Instant::now();
        let got = all(&path, LogOptions { tail: Some(5000), ..PLAIN }).await;
        assert_eq!((got.len(), got[4999].as_str()), (5000, "line 19999"));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    }

    #[tokio::test]
    async fn following_misses_nothing_over_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        fs::write(&path, entry(0, "F", "0")).unwrap();
        let mut lines = read(path.clone(), LogOptions { follow: true, ..PLAIN });
        let writer = path.clone();
        let task = tokio::task::spawn_blocking(move || {
            let mut file = OpenOptions::new().append(true).open(&writer).unwrap();
            for i in 1..300 {
                if i % 100 == 0 {
                    fs::rename(&writer, writer.with_extension(format!("log.2026010{}-000000", i / 100))).unwrap();
                    // The old one gets one more, as from a runtime that reopens late.
                    file.write_all(entry(i, "F", &i.to_string()).as_bytes()).unwrap();
                    file = File::create(&writer).unwrap();
                } else {
                    file.write_all(entry(i, "F", &i.to_string()).as_bytes()).unwrap();
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        for i in 0..300 {
            let line = tokio::time::timeout(Duration::from_secs(10), lines.next()).await.unwrap().unwrap().unwrap();
            assert_eq!(String::from_utf8(line.text).unwrap(), i.to_string());
        }
        task.await.unwrap();
    }
}
