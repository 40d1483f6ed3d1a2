//! The shim's socket, and the connections engines make to it.

use std::{
    fs,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::Path,
};

use rustix::io::Errno;

use super::wire;
use crate::error::{Context, Result};

/// One request and its reply.
#[derive(Debug)]
pub struct Connection {
    pub stream: UnixStream,
    pub input: Vec<u8>,
    pub fds: Vec<OwnedFd>,
    pub output: Vec<u8>,
    pub output_fds: Vec<OwnedFd>,
    /// The request was read; a reply is on its way or will be.
    pub asked: bool,
    pub done: bool,
}

impl Connection {
    pub fn new(stream: UnixStream) -> Result<Self> {
        stream.set_nonblocking(true).context(|| "set a socket's flags".to_owned())?;
        let (input, output, fds, output_fds) = Default::default();
        Ok(Self { stream, input, fds, output, output_fds, asked: false, done: false })
    }

    /// What the other side takes now.
    pub fn flush(&mut self) {
        while !self.output.is_empty() {
            let fds: Vec<BorrowedFd<'_>> = self.output_fds.iter().map(AsFd::as_fd).collect();
            match wire::send(&self.stream, &self.output, &fds) {
                Ok(sent) => {
                    self.output.drain(..sent);
                    self.output_fds.clear();
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => break,
            }
        }
        self.output.clear();
        self.done = true;
    }
}

/// Who connected. Not by rustix: its pid cannot be 0, which is what the kernel says of a peer outside our pid namespace.
pub fn peer_uid(stream: &UnixStream) -> Result<u32> {
    let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut length = libc::socklen_t::try_from(size_of_val(&peer)).unwrap_or(0);
    // SAFETY: the buffer is a ucred of the stated length.
    let result = unsafe {
        let place = (&raw mut peer).cast();
        libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, place, &raw mut length)
    };
    match result {
        0 => Ok(peer.uid),
        _ => Err(std::io::Error::last_os_error()).context(|| "ask who connects".to_owned()),
    }
}

/// The socket, mode 0600 in a directory of mode 0700, bound by a path short enough for an address.
pub fn listen(directory: &Path) -> Result<UnixListener> {
    let open = wire::open_directory(directory)?;
    let path = wire::socket_path(&open);
    let doing = || format!("listen in {}", directory.display());
    let listener = UnixListener::bind(&path).context(doing)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).context(doing)?;
    listener.set_nonblocking(true).context(doing)?;
    debug_assert!(listener.as_raw_fd() > 2);
    Ok(listener)
}
