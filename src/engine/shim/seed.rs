//! The seed: a process that becomes the shim of each pod by fork. Both of its ends are here.
//!
//! Starting the program anew for every pod would cost milliseconds of loading, and a megabyte of relocated memory that
//! no two shims could share. The seed pays for both once: its children share its pages until they write to them. It ends
//! with its engine, whose end it sees on its socket; shims go on.

use std::{
    fs::File,
    os::{
        fd::{AsRawFd, BorrowedFd, OwnedFd},
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketFlags, SocketType},
};

use super::{PROGRAM, server, wire};
use crate::{
    engine::cgroup::Layout,
    error::{Context, Error, Kind, Result},
};

/// Room in the arguments for a shim's directory, which is put there for those who look at the process list.
const TITLE: usize = 512;
/// Bytes of a request, which is a path.
const LIMIT: usize = libc::PATH_MAX as usize;

/// The engine's end.
#[derive(Debug)]
pub struct Seed {
    child: Child,
    /// `None` only while it is being dropped.
    socket: Option<OwnedFd>,
}

impl Seed {
    /// Starts it from the program's sealed image.
    pub fn start(image: BorrowedFd<'_>) -> Result<Self> {
        let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (ours, theirs) = pair.context(|| "make a socket pair".to_owned())?;
        let mut command = Command::new(format!("/proc/self/fd/{}", image.as_raw_fd()));
        command.arg0(PROGRAM).arg(" ".repeat(TITLE)).env_clear().current_dir("/");
        command.stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context(|| "start the shims' seed".to_owned())?;
        Ok(Self { child, socket: Some(ours) })
    }

    /// Asks for a shim in `directory` with these as stdout and stderr. It says on stdout how it went, and there is an end
    /// of file if it did not even come to that.
    ///
    /// # Errors
    /// `Unavailable`: the seed has gone, start another.
    pub fn grow(&self, directory: &Path, out: BorrowedFd<'_>, log: BorrowedFd<'_>) -> Result<()> {
        let gone = |e| Error::new(Kind::Unavailable, "the shims' seed has gone").with_source(e);
        let socket = self.socket.as_ref().ok_or_else(|| gone(Errno::BADF))?;
        wire::send(socket, directory.as_os_str().as_bytes(), &[out, log]).map(drop).map_err(gone)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.socket = None;
        if let Err(error) = self.child.wait() {
            tracing::warn!("waiting for the shims' seed failed: {error}");
        }
    }
}

/// The process: the socket is its stdin. Returns in the seed when the engine has gone, and in every shim when that ends.
pub fn main() -> ExitCode {
    match grow() {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(directory)) => server::main(&directory),
        // Nobody listens: the engine will see an end of file.
        Err(_) => ExitCode::FAILURE,
    }
}

/// `Some` in a new shim.
fn grow() -> Result<Option<PathBuf>> {
    rustix::process::setsid().context(|| "make a session".to_owned())?;
    rustix::thread::set_name(c"wharf-shim").context(|| "set the name".to_owned())?;
    // SAFETY: ended shims need nobody to wait for them.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let null =
        File::options().read(true).write(true).open("/dev/null").map_err(|e| Error::io("open", "/dev/null", e))?;
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).context(|| "move the socket".to_owned())?;
    rustix::stdio::dup2_stdin(&null).context(|| "leave stdin".to_owned())?;
    // Looked up here once for all shims; one that finds it missing says so.
    let _layout = Layout::host();
    loop {
        let (mut path, mut fds) = (Vec::new(), Vec::new());
        match wire::receive(&socket, &mut path, &mut fds) {
            Ok(0) => return Ok(None),
            Ok(_) if path.len() <= LIMIT => {}
            Ok(_) | Err(Errno::INTR) => continue,
            Err(error) => return Err(error).context(|| "receive a request".to_owned()),
        }
        let Ok([out, log]) = <[OwnedFd; 2]>::try_from(fds) else { continue };
        // SAFETY: this process has one thread, so its copy is whole.
        match unsafe { libc::fork() } {
            0 => {}
            // Also when there can be none: the engine sees an end of file.
            _ => continue,
        }
        let directory = PathBuf::from(std::ffi::OsStr::from_bytes(&path));
        // SAFETY: the shim waits for its children itself.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        rustix::stdio::dup2_stdout(&out).context(|| "set stdout".to_owned())?;
        rustix::stdio::dup2_stderr(&log).context(|| "set stderr".to_owned())?;
        if let Err(error) = set_title(&directory) {
            eprintln!("{error:#}");
        }
        return Ok(Some(directory));
    }
}

/// Writes the directory over the spaces among the arguments, as it would stand there if the shim had been started by it.
fn set_title(directory: &Path) -> Result<()> {
    let path = "/proc/self/stat";
    let stat = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    // Fields 48 and 49 of proc(5), counted from the one after the name, which may have spaces.
    let mut fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default().split_whitespace().skip(45);
    let mut number = || fields.next().and_then(|f| f.parse::<usize>().ok());
    let (Some(start), Some(end)) = (number(), number()) else { return Ok(()) };
    let room = end.saturating_sub(start).saturating_sub(PROGRAM.len() + 2);
    if room != TITLE {
        return Ok(());
    }
    let name = directory.as_os_str().as_bytes();
    let name = &name[..name.len().min(TITLE)];
    // SAFETY: the kernel put our arguments there: the program's name, the TITLE spaces, each with a zero. Nobody has asked
    // for the arguments as strings, nor will: this is the shim's last look at them.
    let place = unsafe { std::slice::from_raw_parts_mut((start + PROGRAM.len() + 1) as *mut u8, TITLE) };
    place.fill(0);
    place[..name.len()].copy_from_slice(name);
    Ok(())
}
