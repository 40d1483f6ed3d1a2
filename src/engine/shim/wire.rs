//! The words between engine and shim: a length and JSON each way over a unix socket, descriptors beside them.
//!
//! One request a connection. The version is in `Hello`: an engine meets shims that an older one of it started.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use oci_spec::runtime::{LinuxResources, Process};
use rustix::{
    io::Errno,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{CreateTask, ExitStatus, TaskState, Usage};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

pub const VERSION: u32 = 1;
/// The socket's name in the pod's shim directory.
pub const SOCKET: &str = "s";
/// The pod, as the engine wrote it.
pub const POD: &str = "pod.json";
/// Bytes of one message.
const LIMIT: usize = 8 << 20;
/// Descriptors with one message.
const DESCRIPTORS: usize = 3;

#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Hello {
        version: u32,
    },
    Create(CreateTask),
    Start {
        id: String,
    },
    /// Three descriptors come with it.
    Exec {
        container: String,
        id: String,
        process: Box<Process>,
    },
    Kill {
        of: Which,
        signal: i32,
        all: bool,
    },
    Wait(Which),
    State(Which),
    Resize {
        of: Which,
        columns: u16,
        rows: u16,
    },
    ReopenLog {
        id: String,
    },
    Attach {
        id: String,
    },
    Update {
        id: String,
        resources: Box<LinuxResources>,
    },
    Usage {
        id: String,
    },
    Delete(Which),
    Shutdown,
}

/// A process: a container's first one, or an exec in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Which {
    pub container: String,
    pub exec: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    Hello {
        version: u32,
        shim: u32,
        pause: u32,
    },
    Done,
    Pid(u32),
    Exit(ExitStatus),
    State(TaskState),
    Usage(Usage),
    /// Descriptors come with it, in this order, for those that are true: stdin, stdout, stderr.
    Attached([bool; 3]),
    Failed {
        kind: Kind,
        text: String,
    },
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::Failed { kind: error.kind(), text: format!("{error:#}") }
    }
}

/// What a shim leaves about a container in its directory, for the day it is gone itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trace {
    pub cgroup: String,
    pub exit: Option<ExitStatus>,
    /// Where a containerd shim's program finds what it left.
    #[serde(default)]
    pub bundle: PathBuf,
}

/// File name of a container's [`Trace`].
pub fn trace_name(container: &str) -> String {
    format!("{container}.json")
}

pub fn encode(message: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)
        .map_err(|e| Error::new(Kind::Internal, "encode a message").with_source(e))?;
    let length = bytes.len() - 4;
    if length > LIMIT {
        bail!(ResourceExhausted, "a message to the shim has {length} bytes, at most {LIMIT} are allowed");
    }
    bytes[..4].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    Ok(bytes)
}

/// The message in `bytes`, if it is whole.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<Option<T>> {
    let Some((head, body)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*head) as usize;
    if length > LIMIT {
        bail!(InvalidArgument, "a message claims {length} bytes");
    }
    let Some(body) = body.get(..length) else { return Ok(None) };
    let message = serde_json::from_slice(body);
    message.map(Some).map_err(|e| Error::new(Kind::InvalidArgument, "not a message of this protocol").with_source(e))
}

/// Sends what the socket takes, the descriptors with the first byte. Returns the bytes sent.
pub fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> rustix::io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)
}

/// Appends what there is to `bytes` and `fds`; `Ok(0)` at the end.
pub fn receive(socket: impl AsFd, bytes: &mut Vec<u8>, fds: &mut Vec<OwnedFd>) -> rustix::io::Result<usize> {
    if bytes.len() > LIMIT + 4 || fds.len() > DESCRIPTORS {
        return Err(Errno::MSGSIZE);
    }
    let mut buffer = [0; 16 << 10];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut buffer)];
    let got = rustix::net::recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    bytes.extend_from_slice(&buffer[..got]);
    Ok(got)
}

/// A stream socket in `directory`, whose path may be longer than a socket address can be.
pub fn socket_path(directory: &impl AsFd) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}/{SOCKET}", directory.as_fd().as_raw_fd())
}

/// Opens a shim directory for [`socket_path`].
pub fn open_directory(path: &std::path::Path) -> Result<OwnedFd> {
    use rustix::fs::{CWD, Mode, OFlags};
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .context(|| format!("open {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_whole_or_not_yet() {
        let bytes = encode(&Request::Start { id: "c".into() }).unwrap();
        for cut in 0..bytes.len() {
            assert!(decode::<Request>(&bytes[..cut]).unwrap().is_none());
        }
        assert!(matches!(decode::<Request>(&bytes).unwrap(), Some(Request::Start { id }) if id == "c"));
        assert!(decode::<Request>(&[0xff; 8]).is_err());
        assert!(decode::<Request>(b"\x02\0\0\0{}").is_err());
    }
}
