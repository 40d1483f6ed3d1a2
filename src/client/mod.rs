//! Any container runtime as a user sees it: our engine in this process, or whatever answers behind a socket.

use std::fmt;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{bail, error::Result, node::meter::Meter};

pub mod action;
mod again;
pub mod audit;
mod cgroups;
pub mod change;
pub mod compose;
mod containerd;
mod convert;
pub mod copy;
pub mod cri;
mod crio;
pub mod discover;
mod disk;
#[cfg(feature = "engine")]
pub mod embedded;
pub mod health;
pub mod host;
pub mod launch;
mod logs;
pub mod offline;
mod prune;
pub mod recording;
pub mod redact;
mod restart;
pub mod sessions;
pub mod steady;
mod steps;
mod store;
pub mod streaming;
pub mod toolbox;
pub mod transfer;
mod transport;
pub mod types;
mod usage;

pub use again::{outdated, prepare};
pub use cri::{Cri, Native};
pub use transport::Transport;

use action::Step;
use types::{
    CgroupFact, ExecRequest, ExecResult, Garbage, Inventory, LogLine, LogOptions, LogPage, LogTurn, ObjectRef,
    PullProgress, RuntimeInfo, Scope,
};

/// A container runtime, whoever runs it. One implementation over one CRI client with two transports: the engine in
/// this process, or a unix socket. Every call has a deadline of its own.
#[async_trait]
pub trait Runtime: fmt::Debug + Send + Sync {
    fn info(&self) -> &RuntimeInfo;
    /// Never fails as a whole: errors are in the parts. Parts outside `scope` are `NotAsked`.
    async fn inventory(&self, scope: Scope) -> Inventory;
    /// The verbose status in crictl's `inspect` shape.
    async fn inspect(&self, object: &ObjectRef) -> Result<serde_json::Value>;
    /// The directories of a snapshot's own files and of those below it, the nearest first, each with its key.
    async fn layer(&self, snapshot: &ObjectRef) -> Result<Vec<(String, std::path::PathBuf)>> {
        bail!(Unimplemented, "{} does not tell where the files of {snapshot:?} are", self.info().name)
    }
    /// What it says of itself in full.
    async fn status(&self) -> Result<health::RuntimeStatus> {
        bail!(Unimplemented, "{} does not tell its status", self.info().name)
    }
    /// How long each kind of question takes.
    async fn calls(&self) -> Result<Vec<health::Call>> {
        bail!(Unimplemented, "{} cannot be timed", self.info().name)
    }
    /// What a collection would free.
    async fn garbage(&self) -> Result<Garbage> {
        bail!(Unimplemented, "{} does not tell what nothing refers to", self.info().name)
    }
    /// Refused with `PermissionDenied` in read-only mode. What can be told of what came of it, empty if that is all it is: done.
    async fn apply(&self, step: &Step) -> Result<String>;
    /// Returns the image's id. `progress` is called from time to time where the runtime tells.
    async fn pull(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String>;
    /// Ticks whenever something changed; what changed is read by `inventory`.
    fn events(&self) -> BoxStream<'static, Result<()>>;
    /// From the container's log files. Ends unless it follows.
    fn logs(&self, container: &str, options: LogOptions) -> BoxStream<'static, Result<LogLine>>;
    /// Lines of that log before or behind a place that [`Runtime::logs`] told of.
    async fn log_page(&self, container: &str, turn: LogTurn) -> Result<LogPage> {
        bail!(Unimplemented, "{} has no more of the log of {container} than it showed at {turn:?}", self.info().name)
    }
    async fn exec_sync(&self, container: &str, command: &[String], timeout: std::time::Duration) -> Result<ExecResult>;
    /// Which cgroup driver the runtime, its handlers, the kubelet and the live pods use, as far as each can be told.
    async fn cgroups(&self) -> Result<Vec<CgroupFact>> {
        bail!(Unimplemented, "{} tells nothing about cgroups", self.info().name)
    }
    /// What a container or a pod has used up to now, each figure with where it is from or why it is not known. A recording tells
    /// of the moments it was made in, the newest last.
    async fn usage(&self, object: &ObjectRef) -> Result<Vec<Meter>> {
        bail!(Unimplemented, "{} does not tell what {object:?} uses", self.info().name)
    }
    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>>;
}

/// `user:password`, or a bearer token as `password` with an empty user. `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What a running exec says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    Exit(i32),
}

/// A running interactive exec.
#[async_trait]
pub trait Session: Send {
    /// The way for input by itself, so that giving and taking can wait for each other; dropping it closes stdin, and
    /// [`Session::send`] is over. `None` if there is no such way.
    fn take_input(&mut self) -> Option<tokio::sync::mpsc::Sender<Vec<u8>>> {
        None
    }
    async fn send(&mut self, input: &[u8]) -> Result<()>;
    async fn close_stdin(&mut self) -> Result<()>;
    /// `Exit` comes last. Cancel safe.
    async fn recv(&mut self) -> Result<Output>;
    async fn resize(&mut self, columns: u16, rows: u16) -> Result<()>;
}
