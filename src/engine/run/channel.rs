//! The words between a parent and the child that becomes a container: ready, start, failed; success is the end of file
//! that exec makes.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType,
};
use serde::{Deserialize, Serialize};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Bytes of one word; longer errors are cut.
const LIMIT: usize = 8 << 10;

/// The parent's end. Readable when a [`Word`] has come.
#[derive(Debug)]
pub struct Channel(OwnedFd);

/// What a child says.
#[derive(Debug)]
pub enum Word {
    /// The container stands and waits for [`Channel::start`]. With a terminal: its master side.
    Ready(Option<OwnedFd>),
    /// It could not be made, or the program could not be run; the child ends.
    Failed(Error),
    /// The program runs.
    Started,
}

#[derive(Serialize, Deserialize)]
enum Message {
    Ready,
    Failed { kind: Kind, text: String },
}

impl Channel {
    /// The next word; blocks if there is none yet.
    ///
    /// # Errors
    /// `Internal` if what came is not a word.
    pub fn receive(&self) -> Result<Word> {
        let mut buffer = [0; LIMIT];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let got = rustix::net::recvmsg(&self.0, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
            .context(|| "receive from the container's child".to_owned())?;
        if got.bytes == 0 {
            return Ok(Word::Started);
        }
        let mut rights = control.drain().filter_map(|m| match m {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        let terminal = rights.next().and_then(|mut fds| fds.next());
        match serde_json::from_slice(&buffer[..got.bytes]) {
            Ok(Message::Ready) => Ok(Word::Ready(terminal)),
            Ok(Message::Failed { kind, text }) => Ok(Word::Failed(Error::new(kind, text))),
            Err(error) => Err(Error::new(Kind::Internal, "the container's child speaks gibberish").with_source(error)),
        }
    }

    /// Lets a container that is ready run its program.
    ///
    /// # Errors
    /// `FailedPrecondition` if the child has gone.
    pub fn start(&self) -> Result<()> {
        match rustix::net::send(&self.0, b"start", SendFlags::NOSIGNAL) {
            Ok(_) => Ok(()),
            Err(error) => {
                bail!(FailedPrecondition, "the container's first process has gone before its start ({error})")
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The child's end.
#[derive(Debug)]
pub(super) struct Report(OwnedFd);

impl Report {
    pub fn ready(&self, terminal: Option<&OwnedFd>) -> Result<()> {
        self.send(&Message::Ready, terminal)
    }

    /// Nothing can be done when this fails: the parent sees the exit.
    pub fn failed(&self, error: &Error) -> Result<()> {
        let text: String = format!("{error:#}").chars().take(LIMIT / 8).collect();
        self.send(&Message::Failed { kind: error.kind(), text }, None)
    }

    fn send(&self, message: &Message, fd: Option<&OwnedFd>) -> Result<()> {
        let text =
            serde_json::to_vec(message).map_err(|e| Error::new(Kind::Internal, "encode a word").with_source(e))?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let fds: Vec<BorrowedFd<'_>> = fd.iter().map(|f| f.as_fd()).collect();
        if !fds.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(&fds));
        }
        rustix::net::sendmsg(&self.0, &[IoSlice::new(&text)], &mut control, SendFlags::NOSIGNAL)
            .map(drop)
            .context(|| "report to the shim".to_owned())
    }

    /// Whether the parent said to start; `false` if it has gone.
    pub fn wait_for_start(&self) -> bool {
        let mut word = [0; 8];
        loop {
            match rustix::net::recv(&self.0, &mut word, RecvFlags::empty()) {
                Ok((length, _)) => return length > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

pub(super) fn pair() -> Result<(Channel, Report)> {
    let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let (a, b) = pair.context(|| "make a socket pair".to_owned())?;
    Ok((Channel(a), Report(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cross_with_their_kind_and_descriptor() {
        let (parent, child) = pair().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap().into();
        child.ready(Some(&file)).unwrap();
        assert!(matches!(parent.receive().unwrap(), Word::Ready(Some(_))));
        parent.start().unwrap();
        assert!(child.wait_for_start());
        child.failed(&Error::new(Kind::NotFound, "x".repeat(9 << 10))).unwrap();
        assert!(matches!(parent.receive().unwrap(), Word::Failed(e) if e.is(Kind::NotFound)));
        drop(child);
        assert!(matches!(parent.receive().unwrap(), Word::Started));
        assert!(parent.start().unwrap_err().is(Kind::FailedPrecondition));
    }
}
