//! A container's standard streams: from its pipes or terminal to the log and to whoever is attached, and back.
//!
//! Whoever is attached gets every byte, and holds the container up while they take it; one that takes too long is let go.
//! The log has every byte in any case.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fs::OFlags,
    io::Errno,
    pipe::PipeFlags,
};

use super::{
    CreateTask,
    log::{Log, Stream},
};
use crate::{
    bail,
    error::{Context, Error, Result},
};

/// Bytes read from one stream before the others get their turn.
const TURN: usize = 256 << 10;
/// How long somebody attached may hold the container up (threats STR-08).
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Io {
    log: Option<Log>,
    /// Read ends; the terminal's master stands for all streams.
    streams: Vec<(Stream, OwnedFd)>,
    terminal: Option<OwnedFd>,
    stdin: Option<OwnedFd>,
    stdin_once: bool,
    /// Input that the container has not taken yet.
    pending: Vec<u8>,
    /// By a number that is not used again, as what is ready is looked up later.
    attached: BTreeMap<u64, Attached>,
    next: u64,
}

#[derive(Debug)]
struct Attached {
    input: Option<OwnedFd>,
    outputs: [Option<Tap>; 2],
}

/// One stream's copy for somebody attached.
#[derive(Debug)]
struct Tap {
    to: OwnedFd,
    /// What did not fit, and since when.
    pending: Vec<u8>,
    since: Instant,
    /// The stream has ended: nothing comes after what is pending.
    last: bool,
}

/// Which of a container's descriptors became ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    Stream(usize),
    Terminal,
    Stdin,
    Attached(u64),
    /// An attached one's output takes more, or nobody reads it any more.
    Tap(u64, Stream),
}

impl Io {
    /// The streams, and the descriptors for the container's first process.
    pub fn new(task: &CreateTask) -> Result<(Self, [OwnedFd; 3])> {
        let log = task.log.as_deref().map(Log::open).transpose()?;
        let mut io = Self {
            log,
            streams: Vec::new(),
            terminal: None,
            stdin: None,
            stdin_once: task.stdin_once,
            pending: Vec::new(),
            attached: BTreeMap::new(),
            next: 0,
        };
        if task.tty {
            return Ok((io, [null()?, null()?, null()?]));
        }
        let stdin = if task.stdin {
            let (read, write) = pipe()?;
            nonblocking(&write)?;
            io.stdin = Some(write);
            read
        } else {
            null()?
        };
        let (out, stdout) = pipe()?;
        let (err, stderr) = pipe()?;
        nonblocking(&out)?;
        nonblocking(&err)?;
        io.streams = vec![(Stream::Stdout, out), (Stream::Stderr, err)];
        Ok((io, [stdin, stdout, stderr]))
    }

    pub fn set_terminal(&mut self, master: OwnedFd) -> Result<()> {
        nonblocking(&master)?;
        self.terminal = Some(master);
        Ok(())
    }

    pub fn terminal(&self) -> Option<&OwnedFd> {
        self.terminal.as_ref()
    }

    pub fn reopen_log(&mut self) -> Result<()> {
        self.log.as_mut().map_or(Ok(()), Log::reopen)
    }

    /// What to wait for.
    pub fn poll<'a>(&'a self, list: &mut Vec<(Ready, PollFd<'a>)>) {
        let mut add = |ready, fd: BorrowedFd<'a>, flags| list.push((ready, PollFd::from_borrowed_fd(fd, flags)));
        for (index, (_, fd)) in self.streams.iter().enumerate().filter(|(_, (s, _))| !held(&self.attached, *s)) {
            add(Ready::Stream(index), fd.as_fd(), PollFlags::IN);
        }
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, !held(&self.attached, Stream::Stdout));
        flags.set(PollFlags::OUT, !self.pending.is_empty());
        if let Some(master) = self.terminal.as_ref().filter(|_| !flags.is_empty()) {
            add(Ready::Terminal, master.as_fd(), flags);
        }
        if let Some(stdin) = self.stdin.as_ref().filter(|_| !self.pending.is_empty()) {
            add(Ready::Stdin, stdin.as_fd(), PollFlags::OUT);
        }
        // Nothing is taken from anybody while the container has not taken the last.
        if self.pending.is_empty() {
            for (id, attached) in &self.attached {
                if let Some(input) = &attached.input {
                    add(Ready::Attached(*id), input.as_fd(), PollFlags::IN);
                }
            }
        }
        for (id, stream, tap) in self.taps() {
            // Without a wish, the end of its reader is still told.
            let flags = if tap.pending.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            add(Ready::Tap(id, stream), tap.to.as_fd(), flags);
        }
    }

    fn taps(&self) -> impl Iterator<Item = (u64, Stream, &Tap)> {
        let both = self.attached.iter().flat_map(|(id, a)| {
            [Stream::Stdout, Stream::Stderr].map(|stream| (*id, stream, a.outputs[stream as usize].as_ref()))
        });
        both.filter_map(|(id, stream, tap)| Some((id, stream, tap?)))
    }

    /// When somebody's patience ends.
    pub fn deadline(&self) -> Option<Instant> {
        self.taps().filter(|(_, _, c)| !c.pending.is_empty()).map(|(_, _, c)| c.since + PATIENCE).min()
    }

    /// Lets go of those who took too long.
    pub fn expire(&mut self, now: Instant) {
        for attached in self.attached.values_mut() {
            let late = |c: &Tap| !c.pending.is_empty() && c.since + PATIENCE <= now;
            if attached.outputs.iter().flatten().any(late) {
                attached.outputs = [None, None];
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.attached.retain(|_, a| a.outputs.iter().any(Option::is_some));
    }

    pub fn handle(&mut self, ready: Ready) {
        match ready {
            Ready::Stream(index) => self.read(index, TURN),
            Ready::Terminal => {
                self.feed();
                if !held(&self.attached, Stream::Stdout) {
                    self.read_terminal(TURN);
                }
            }
            Ready::Stdin => self.feed(),
            Ready::Attached(id) => self.take_input(id),
            Ready::Tap(id, stream) => {
                if let Some(place) = self.attached.get_mut(&id).map(|a| &mut a.outputs[stream as usize])
                    && place.as_mut().is_some_and(|tap| tap.pending.is_empty() || !tap.push())
                {
                    *place = None;
                    self.forget();
                }
            }
        }
    }

    /// Everything that is in the pipes now; for the moment after an exit.
    pub fn drain(&mut self) {
        for index in (0..self.streams.len()).rev() {
            self.read(index, usize::MAX);
        }
        self.read_terminal(usize::MAX);
    }

    /// Nobody reads it any more.
    pub fn close_input(&mut self) {
        self.stdin = None;
        self.pending.clear();
    }

    /// Everything until the ends of the streams, which somebody else is still writing; at most for so long.
    pub fn finish(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            self.drain();
            let open = self.streams.iter().map(|(_, fd)| fd).chain(&self.terminal);
            let mut list: Vec<PollFd<'_>> = open.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(left) = Timespec::try_from(left) else { return };
            if list.is_empty() || !matches!(rustix::event::poll(&mut list, Some(&left)), Ok(1..) | Err(Errno::INTR)) {
                return;
            }
        }
    }

    fn read(&mut self, index: usize, limit: usize) {
        let Some((stream, fd)) = self.streams.get(index) else { return };
        let stream = *stream;
        let mut buffer = [0; 64 << 10];
        let mut total = 0;
        loop {
            match rustix::io::read(fd, &mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    deliver(&mut self.log, &mut self.attached, stream, &buffer[..length]);
                    total += length;
                    if total >= limit || limit == TURN && held(&self.attached, stream) {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => break,
            }
        }
        self.streams.remove(index);
        self.ended(stream);
    }

    fn read_terminal(&mut self, limit: usize) {
        let Some(master) = &self.terminal else { return };
        let mut buffer = [0; 64 << 10];
        let mut total = 0;
        loop {
            match rustix::io::read(master, &mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    deliver(&mut self.log, &mut self.attached, Stream::Stdout, &buffer[..length]);
                    total += length;
                    if total >= limit || limit == TURN && held(&self.attached, Stream::Stdout) {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // EIO: nobody has the other side open any more.
                Err(_) => break,
            }
        }
        self.terminal = None;
        self.ended(Stream::Stdout);
    }

    fn ended(&mut self, stream: Stream) {
        if let Some(log) = &mut self.log {
            log.finish(stream);
        }
        for attached in self.attached.values_mut() {
            let place = &mut attached.outputs[stream as usize];
            match place {
                Some(tap) if !tap.pending.is_empty() => tap.last = true,
                _ => *place = None,
            }
        }
        self.forget();
    }

    fn take_input(&mut self, id: u64) {
        let Some(attached) = self.attached.get_mut(&id) else { return };
        let Some(input) = &attached.input else { return };
        let mut buffer = [0; 16 << 10];
        match rustix::io::read(input, &mut buffer) {
            Ok(0) => {
                attached.input = None;
                if self.stdin_once {
                    self.stdin = None;
                }
            }
            Ok(length) => {
                self.pending.extend_from_slice(&buffer[..length]);
                self.feed();
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => attached.input = None,
        }
    }

    fn feed(&mut self) {
        let Some(to) = self.terminal.as_ref().or(self.stdin.as_ref()) else {
            self.pending.clear();
            return;
        };
        match rustix::io::write(to, &self.pending) {
            Ok(written) => drop(self.pending.drain(..written)),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => {
                self.pending.clear();
                self.stdin = None;
            }
        }
    }

    /// Pipes for somebody who attaches: their ends of stdin, stdout, stderr.
    pub fn attach(&mut self) -> Result<[Option<OwnedFd>; 3]> {
        let input = if self.stdin.is_some() || self.terminal.is_some() {
            let (read, write) = pipe()?;
            nonblocking(&read)?;
            (Some(read), Some(write))
        } else {
            (None, None)
        };
        let mut outputs = [None, None];
        let mut theirs = [None, None];
        for stream in [Stream::Stdout, Stream::Stderr] {
            let lives =
                self.streams.iter().any(|(s, _)| *s == stream) || (stream == Stream::Stdout && self.terminal.is_some());
            if lives {
                let (read, write) = pipe()?;
                nonblocking(&write)?;
                let tap = Tap { to: write, pending: Vec::new(), since: Instant::now(), last: false };
                (outputs[stream as usize], theirs[stream as usize]) = (Some(tap), Some(read));
            }
        }
        if outputs.iter().all(Option::is_none) {
            bail!(FailedPrecondition, "its output has ended");
        }
        self.attached.insert(self.next, Attached { input: input.0, outputs });
        self.next += 1;
        let [stdout, stderr] = theirs;
        Ok([input.1, stdout, stderr])
    }
}

/// Whether somebody attached has not taken the last of a stream yet.
fn held(attached: &BTreeMap<u64, Attached>, stream: Stream) -> bool {
    attached.values().any(|a| a.outputs[stream as usize].as_ref().is_some_and(|tap| !tap.pending.is_empty()))
}

impl Tap {
    /// Writes what is pending; whether it is to be kept.
    fn push(&mut self) -> bool {
        loop {
            match rustix::io::write(&self.to, &self.pending) {
                Ok(written) => {
                    self.pending.drain(..written);
                    if self.pending.is_empty() {
                        return !self.last;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
    }
}

fn deliver(log: &mut Option<Log>, attached: &mut BTreeMap<u64, Attached>, stream: Stream, bytes: &[u8]) {
    if let Some(log) = log {
        log.write(stream, bytes);
    }
    for one in attached.values_mut() {
        let place = &mut one.outputs[stream as usize];
        let Some(tap) = place else { continue };
        if tap.pending.is_empty() {
            tap.since = Instant::now();
        }
        tap.pending.extend_from_slice(bytes);
        if !tap.push() {
            *place = None;
        }
    }
    attached.retain(|_, a| a.outputs.iter().any(Option::is_some));
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC).context(|| "make a pipe".to_owned())
}

fn nonblocking(fd: &OwnedFd) -> Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd).context(|| "read a descriptor's flags".to_owned())?;
    rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK).context(|| "set a descriptor's flags".to_owned())
}

fn null() -> Result<OwnedFd> {
    let file = std::fs::File::options().read(true).write(true).open("/dev/null");
    file.map(Into::into).map_err(|e| Error::io("open", "/dev/null", e))
}
