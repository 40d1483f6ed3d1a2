//! Terminals that runc and crun make: they send the master over a socket (runc's docs/terminals.md). A container's becomes
//! the shim's; a further process's is joined to the one that the engine has made for it already.

use std::{
    fs::{self, File},
    io::{IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags},
    termios::{self, OptionalActions, Winsize},
};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// How soon a new size is noticed: nothing tells who only holds the slave.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Where one terminal is awaited.
#[derive(Debug)]
pub struct Console {
    listener: UnixListener,
    /// The socket's directory: a bundle's own path is longer than a socket's may be.
    directory: File,
    file: PathBuf,
}

impl Console {
    pub fn open(bundle: &Path, name: &str) -> Result<Self> {
        let directory = File::open(bundle).map_err(|e| Error::io("open", bundle, e))?;
        let file = bundle.join(name);
        let short = format!("/proc/self/fd/{}/{name}", directory.as_raw_fd());
        let listener = UnixListener::bind(short).map_err(|e| Error::io("bind", &file, e))?;
        listener.set_nonblocking(true).map_err(|e| Error::io("set up", &file, e))?;
        Ok(Self { listener, directory, file })
    }

    /// The socket's path for a process outside.
    pub fn path(&self) -> String {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        format!("/proc/{}/fd/{}/{name}", std::process::id(), self.directory.as_raw_fd())
    }

    /// The master, which has been sent when the runtime has ended.
    pub fn receive(&self) -> Result<OwnedFd> {
        let doing = || "receive the terminal from the runtime".to_owned();
        let (stream, _) = self.listener.accept().map_err(|e| Error::io("accept on", &self.file, e))?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut name = [0; 4096];
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        rustix::net::recvmsg(&stream, &mut [IoSliceMut::new(&mut name)], &mut control, flags).context(doing)?;
        let sent = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        sent.ok_or_else(|| Error::new(Kind::Internal, "the runtime sent no terminal"))
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.file) {
            eprintln!("remove {}: {error}", self.file.display());
        }
    }
}

/// A new terminal of the host's: its master and its slave.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let doing = || "open a terminal".to_owned();
    let master = openpt(flags).context(doing)?;
    grantpt(&master).context(doing)?;
    unlockpt(&master).context(doing)?;
    let slave = ioctl_tiocgptpeer(&master, flags).context(doing)?;
    Ok((master, slave))
}

/// Makes a terminal's slave pass every byte as it is: the other terminal does what terminals do.
pub fn make_raw(slave: &OwnedFd) -> Result<()> {
    let doing = || "set the terminal to raw".to_owned();
    let mut settings = termios::tcgetattr(slave).context(doing)?;
    settings.make_raw();
    termios::tcsetattr(slave, OptionalActions::Now, &settings).context(doing)
}

/// Carries bytes and sizes between them in a thread, until nobody is left on one side.
pub fn join(slave: OwnedFd, master: OwnedFd) -> Result<()> {
    let (mut slave, mut master) = (File::from(slave), File::from(master));
    let size = adopt(&slave, &master, None)?;
    let carry = move || {
        if let Err(error) = carry(&mut slave, &mut master, size) {
            eprintln!("a terminal's bytes: {error:#}");
        }
    };
    thread::Builder::new().name("terminal".to_owned()).spawn(carry).map(drop).context(|| "start a thread".to_owned())
}

fn carry(slave: &mut File, master: &mut File, mut size: Winsize) -> Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let mut ready = [PollFd::new(&*slave, PollFlags::IN), PollFd::new(&*master, PollFlags::IN)];
        match rustix::event::poll(&mut ready, Some(&LOOK)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context(|| "poll terminals".to_owned()),
        }
        let [from_engine, from_process] = ready.map(|r| !r.revents().is_empty());
        size = adopt(slave, master, Some(size))?;
        if from_process && !pass(master, slave, &mut buffer)? || from_engine && !pass(slave, master, &mut buffer)? {
            return Ok(());
        }
    }
}

/// Gives the process's terminal the size of the engine's.
fn adopt(slave: &File, master: &File, before: Option<Winsize>) -> Result<Winsize> {
    let doing = || "the terminal's size".to_owned();
    // The engine has hung up: `pass` finds out as well.
    let now = match (termios::tcgetwinsize(slave), before) {
        (Err(rustix::io::Errno::IO), Some(before)) => before,
        (size, _) => size.context(doing)?,
    };
    let same = before.is_some_and(|b| (b.ws_row, b.ws_col) == (now.ws_row, now.ws_col));
    if !same {
        termios::tcsetwinsize(master.as_fd(), now).context(doing)?;
    }
    Ok(now)
}

/// One piece; `false` at the end of either side.
fn pass(from: &mut File, to: &mut File, buffer: &mut [u8]) -> Result<bool> {
    let over = |error: &std::io::Error| error.raw_os_error() == Some(libc::EIO);
    let read = match from.read(buffer) {
        Ok(0) => return Ok(false),
        Ok(read) => read,
        Err(error) if over(&error) => return Ok(false),
        Err(error) => bail!(Internal, "read from a terminal: {error}"),
    };
    match to.write_all(&buffer[..read]) {
        Ok(()) => Ok(true),
        Err(error) if over(&error) => Ok(false),
        Err(error) => bail!(Internal, "write to a terminal: {error}"),
    }
}
