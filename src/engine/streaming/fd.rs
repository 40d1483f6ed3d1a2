//! A pipe or terminal of a command, read and written without blocking a thread.

use std::{io, os::fd::OwnedFd};

use bytes::BytesMut;
use rustix::fs::OFlags;
use tokio::io::unix::AsyncFd;

use crate::error::{Context, Result};

#[derive(Debug)]
pub struct Fd(AsyncFd<OwnedFd>);

impl Fd {
    /// # Errors
    /// If the descriptor is none that can be waited for.
    pub fn new(fd: OwnedFd) -> Result<Self> {
        let doing = || "wait for a command's stream".to_owned();
        let flags = rustix::fs::fcntl_getfl(&fd).context(doing)?;
        rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK).context(doing)?;
        // SAFETY: the descriptor is owned by the `AsyncFd` from here on and is never exchanged.
        let registered = unsafe { AsyncFd::register(fd) };
        registered.map(Self).map_err(io::Error::from).context(doing)
    }

    /// At most `limit` bytes into `to`; 0 at the end, which for a terminal is an error of the kernel's. Cancel safe.
    pub async fn read(&self, to: &mut BytesMut, limit: usize) -> usize {
        to.resize(limit, 0);
        loop {
            let Ok(mut ready) = self.0.readable().await else { return 0 };
            match ready.try_io(|fd| rustix::io::read(fd.get_ref(), &mut to[..]).map_err(Into::into)) {
                Err(_would_block) => {}
                Ok(Ok(length)) => {
                    to.truncate(length);
                    return length;
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return 0,
            }
        }
    }

    /// # Errors
    /// If nobody reads any more.
    pub async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.0.writable().await?;
            match ready.try_io(|fd| rustix::io::write(fd.get_ref(), bytes).map_err(Into::into)) {
                Err(_would_block) => {}
                Ok(Ok(length)) => bytes = &bytes[length..],
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }
}
