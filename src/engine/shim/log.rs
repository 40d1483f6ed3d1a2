//! A container's log file in the CRI format: `time stream tag text`, lines longer than 16 KiB in parts (tag P).
//!
//! A full disk loses lines, but neither stops the container nor goes unnoticed: the count is written when there is room.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};

use crate::{
    bail,
    error::{Error, Result},
};

/// Bytes of one line's text; the kubelet's and containerd's limit.
pub const PART: usize = 16 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    /// The unfinished line of each stream.
    partial: [Vec<u8>; 2],
    lost: u64,
    /// The file ends in the middle of a line.
    torn: bool,
}

impl Log {
    /// Opens or makes the file, mode 0640.
    ///
    /// # Errors
    /// `InvalidArgument` if something that is no regular file is there: a link would make us write elsewhere.
    pub fn open(path: &Path) -> Result<Self> {
        let file = open(path)?;
        Ok(Self { path: path.to_owned(), file, partial: Default::default(), lost: 0, torn: false })
    }

    /// After a rotation: the old file stays where it was moved to, new lines go to a new one.
    pub fn reopen(&mut self) -> Result<()> {
        self.file = open(&self.path)?;
        self.torn = false;
        Ok(())
    }

    /// Output as it comes; whole lines are written at once.
    pub fn write(&mut self, stream: Stream, mut bytes: &[u8]) {
        let now = jiff::Timestamp::now();
        let mut out = Vec::with_capacity(bytes.len() + 128);
        let partial = &mut self.partial[stream as usize];
        while let Some(at) = bytes.iter().position(|b| *b == b'\n') {
            let (line, rest) = bytes.split_at(at);
            bytes = &rest[1..];
            if partial.is_empty() {
                entry(&mut out, now, stream, line, true);
            } else {
                partial.extend_from_slice(line);
                entry(&mut out, now, stream, partial, true);
                partial.clear();
            }
        }
        partial.extend_from_slice(bytes);
        if partial.len() > PART {
            let keep = partial.len() % PART;
            let whole = partial.len() - if keep == 0 { PART } else { keep };
            entry(&mut out, now, stream, &partial[..whole], false);
            partial.drain(..whole);
        }
        self.append(&out);
    }

    /// A last line without its newline, when the stream has ended.
    pub fn finish(&mut self, stream: Stream) {
        let rest = std::mem::take(&mut self.partial[stream as usize]);
        if !rest.is_empty() {
            let mut out = Vec::new();
            entry(&mut out, jiff::Timestamp::now(), stream, &rest, true);
            self.append(&out);
        }
    }

    fn append(&mut self, out: &[u8]) {
        if out.is_empty() {
            return;
        }
        let mut head = Vec::new();
        if self.torn {
            head.push(b'\n');
        }
        if self.lost > 0 {
            let text = format!("{} bytes of output were lost: the log could not be written", self.lost);
            entry(&mut head, jiff::Timestamp::now(), Stream::Stderr, text.as_bytes(), true);
        }
        if !head.is_empty() {
            match self.file.write_all(&head) {
                Ok(()) => (self.torn, self.lost) = (false, 0),
                Err(_) => {
                    self.lost += out.len() as u64;
                    return;
                }
            }
        }
        let mut rest = out;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(written) if written > 0 => rest = &rest[written..],
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                _ => {
                    self.torn = rest.len() < out.len() && out.get(out.len() - rest.len() - 1) != Some(&b'\n');
                    self.lost += rest.len() as u64;
                    return;
                }
            }
        }
    }
}

/// One line, in parts if it is long. `full`: its last part ends the line.
fn entry(out: &mut Vec<u8>, now: jiff::Timestamp, stream: Stream, line: &[u8], full: bool) {
    let name = if stream == Stream::Stdout { "stdout" } else { "stderr" };
    let mut parts = line.chunks(PART).peekable();
    let mut put = |text: &[u8], tag: char| {
        // Writing to memory does not fail.
        let _ = write!(out, "{now:.9} {name} {tag} ");
        out.extend_from_slice(text);
        out.push(b'\n');
    };
    if line.is_empty() {
        put(b"", 'F');
    }
    while let Some(part) = parts.next() {
        put(part, if full && parts.peek().is_none() { 'F' } else { 'P' });
    }
}

/// Neither the file nor the directory it is in may be a link: whoever may write to the logs' directories must not choose what
/// we write to (threats RUN-18, LOG-07).
fn open(path: &Path) -> Result<File> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        bail!(InvalidArgument, "log {} has no name", path.display());
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::open(parent, flags, Mode::empty()).map_err(|e| Error::io("open", parent, e))?;
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o640));
    let file = File::from(opened.map_err(|e| Error::io("open log", path, e))?);
    let kind = file.metadata().map_err(|e| Error::io("stat log", path, e))?.file_type();
    if !kind.is_file() {
        bail!(InvalidArgument, "log {} is not a regular file", path.display());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};

    use super::*;

    fn lines(path: &Path) -> Vec<(String, String, String)> {
        let text = fs::read_to_string(path).unwrap();
        let split = |line: &str| {
            let mut words = line.splitn(4, ' ');
            let time = words.next().unwrap();
            assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
            let mut next = || words.next().unwrap().to_owned();
            (next(), next(), next())
        };
        text.lines().map(split).collect()
    }

    #[test]
    fn lines_are_joined_across_writes_and_streams_are_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(&path).unwrap();
        log.write(Stream::Stdout, b"one\ntw");
        log.write(Stream::Stderr, b"oops\n");
        log.write(Stream::Stdout, b"o\n\nend");
        log.finish(Stream::Stdout);
        let got: Vec<_> = lines(&path).into_iter().map(|(s, t, x)| format!("{s} {t} {x}")).collect();
        assert_eq!(got, ["stdout F one", "stderr F oops", "stdout F two", "stdout F ", "stdout F end"]);
    }

    #[test]
    fn log_long_lines_come_in_parts_and_make_the_line_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(&path).unwrap();
        let long: Vec<u8> = (0..PART * 3 + 5).map(|i| b'a' + u8::try_from(i % 26).unwrap()).collect();
        for piece in long.chunks(7000) {
            log.write(Stream::Stdout, piece);
        }
        log.write(Stream::Stdout, b"\nnext\n");
        let got = lines(&path);
        let whole: String = got[..got.len() - 1].iter().map(|(_, _, text)| text.as_str()).collect();
        assert_eq!(whole.as_bytes(), long);
        assert!(got.iter().all(|(_, _, text)| text.len() <= PART));
        let tags: String = got.iter().map(|(_, tag, _)| tag.as_str()).collect();
        assert_eq!(tags, format!("{}FF", "P".repeat(got.len() - 2)));
    }

    #[test]
    fn run_18_log_07_a_link_or_a_pipe_is_no_log() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("container")).unwrap();
        assert!(Log::open(&dir.path().join("container/0.log")).is_err());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
        assert!(Log::open(&dir.path().join("link")).is_err());
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        assert!(Log::open(&fifo).is_err());
        assert!(Log::open(dir.path()).is_err());
    }

    #[test]
    fn a_rotated_file_is_left_and_a_new_one_begun() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::open(&path).unwrap();
        log.write(Stream::Stdout, b"old\n");
        fs::rename(&path, dir.path().join("log.1")).unwrap();
        log.write(Stream::Stdout, b"still old\n");
        log.reopen().unwrap();
        log.write(Stream::Stdout, b"new\n");
        assert_eq!(lines(&path).len(), 1);
        assert_eq!(lines(&dir.path().join("log.1")).len(), 2);
    }

    #[test]
    fn log_a_full_disk_is_counted_and_told_later() {
        let mut log = Log {
            path: "/dev/full".into(),
            file: OpenOptions::new().write(true).open("/dev/full").unwrap(),
            partial: Default::default(),
            lost: 0,
            torn: false,
        };
        log.write(Stream::Stdout, b"gone\n");
        assert!(log.lost > 0);
        let dir = tempfile::tempdir().unwrap();
        log.path = dir.path().join("log");
        log.reopen().unwrap();
        log.write(Stream::Stdout, b"here\n");
        let got = lines(&log.path);
        assert!(got[0].2.contains("bytes of output were lost") && got[1].2 == "here", "{got:?}");
    }
}
