//! A container's standard streams: from its pipes or terminal to the log and to whoever is attached, and back.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::{
    event::{PollFd, PollFlags},
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
    attached: Vec<Attached>,
}

#[derive(Debug)]
struct Attached {
    input: Option<OwnedFd>,
    outputs: [Option<OwnedFd>; 2],
}

/// Which of a container's descriptors became ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    Stream(usize),
    Terminal,
    Stdin,
    Attached(usize),
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
            attached: Vec::new(),
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
        for (index, (_, fd)) in self.streams.iter().enumerate() {
            add(Ready::Stream(index), fd.as_fd(), PollFlags::IN);
        }
        if let Some(master) = &self.terminal {
            let flags = if self.pending.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            add(Ready::Terminal, master.as_fd(), flags);
        }
        if let Some(stdin) = self.stdin.as_ref().filter(|_| !self.pending.is_empty()) {
            add(Ready::Stdin, stdin.as_fd(), PollFlags::OUT);
        }
        // Nothing is taken from anybody while the container has not taken the last.
        if self.pending.is_empty() {
            for (index, attached) in self.attached.iter().enumerate() {
                if let Some(input) = &attached.input {
                    add(Ready::Attached(index), input.as_fd(), PollFlags::IN);
                }
            }
        }
    }

    pub fn handle(&mut self, ready: Ready) {
        match ready {
            Ready::Stream(index) => self.read(index, TURN),
            Ready::Terminal => {
                self.feed();
                self.read_terminal(TURN);
            }
            Ready::Stdin => self.feed(),
            Ready::Attached(index) => self.take_input(index),
        }
    }

    /// Everything that is in the pipes now; for the moment after an exit.
    pub fn drain(&mut self) {
        for index in (0..self.streams.len()).rev() {
            self.read(index, usize::MAX);
        }
        self.read_terminal(usize::MAX);
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
                    if total >= limit {
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
                    if total >= limit {
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
        for attached in &mut self.attached {
            attached.outputs[stream as usize] = None;
        }
        self.attached.retain(|a| a.outputs.iter().any(Option::is_some));
    }

    fn take_input(&mut self, index: usize) {
        let Some(attached) = self.attached.get_mut(index) else { return };
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
                (outputs[stream as usize], theirs[stream as usize]) = (Some(write), Some(read));
            }
        }
        if outputs.iter().all(Option::is_none) {
            bail!(FailedPrecondition, "its output has ended");
        }
        self.attached.push(Attached { input: input.0, outputs });
        let [stdout, stderr] = theirs;
        Ok([input.1, stdout, stderr])
    }
}

fn deliver(log: &mut Option<Log>, attached: &mut Vec<Attached>, stream: Stream, bytes: &[u8]) {
    if let Some(log) = log {
        log.write(stream, bytes);
    }
    // Whoever does not read is let go: a slow terminal must not hold up the container or its log.
    attached.retain(|one| match &one.outputs[stream as usize] {
        Some(fd) => matches!(rustix::io::write(fd, bytes), Ok(written) if written == bytes.len()),
        None => true,
    });
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
