//! Shims: one small process per pod that owns its containers, so that the engine can die and come back.
//!
//! [`Shims`] starts or finds them; a [`Task`] is a pod's shim seen from the engine. `launch` is the engine's side, `seed`
//! what shims come from, `server` and what it uses the shim's: one thread, one poll loop, blocking only where the kernel answers at once.

mod command;
mod connection;
pub mod console;
mod container;
pub mod containerd;
mod foreign;
mod io;
mod launch;
mod log;
mod metrics;
mod oom;
mod sandbox;
mod seed;
mod server;
mod ttrpc;
mod wire;

use std::{
    fmt,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use launch::BuiltinShims;
pub use log::PART as LOG_PART;
pub use seed::main;

use super::run::Users;
use crate::{config::containerd::is_on_this_kernel, error::Result};

/// The shim's `argv[0]`, by which the program knows that it is to be one.
pub const PROGRAM: &str = "wharf-shim";

/// What runs a pod's containers, as its handler says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Runtime {
    /// The OCI runtime inside wharf.
    #[default]
    BuiltIn,
    /// One with runc's command line: runc, crun.
    Command(PathBuf),
    /// Whatever is behind a containerd shim.
    Shim(ForeignShim),
}

/// A `containerd-shim-NAME-vN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignShim {
    /// containerd's `runtime_type`.
    pub kind: String,
    pub program: PathBuf,
    pub options: Option<ShimOptions>,
}

impl ForeignShim {
    /// Whether its containers have groups here that tell what they use.
    pub fn is_on_this_kernel(&self) -> bool {
        is_on_this_kernel(&self.kind)
            || self.program.is_absolute() && is_on_this_kernel(&self.program.to_string_lossy())
    }
}

/// What a shim is told of its handler's configuration: a protobuf message, encoded, and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimOptions {
    pub type_url: String,
    pub value: Vec<u8>,
}

impl Runtime {
    /// containerd's `runtime_type` of a shim; "oci" and "built-in" have none.
    pub fn kind(&self) -> &str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Command(_) => "oci",
            Self::Shim(shim) => &shim.kind,
        }
    }

    /// The program, if it is not wharf.
    pub fn program(&self) -> Option<&Path> {
        match self {
            Self::BuiltIn => None,
            Self::Command(program) | Self::Shim(ForeignShim { program, .. }) => Some(program),
        }
    }
}

/// What a pod's shim needs to know. `directory` (on tmpfs, 0700) holds its socket, state and exit files, and outlives the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodSpec {
    pub id: String,
    pub directory: PathBuf,
    pub runtime: Runtime,
    /// The pod's network namespace file; `None` is the host's.
    pub netns: Option<PathBuf>,
    /// The maps of the user namespace that the network namespace belongs to; `None` is the host's.
    #[serde(default)]
    pub users: Option<Users>,
    /// Which namespaces the shim's pause process makes anew and holds for the pod ("ipc", "uts", "pid").
    pub namespaces: Vec<String>,
    pub hostname: String,
    /// sysctls to write inside the new namespaces.
    pub sysctls: Vec<(String, String)>,
    /// cgroup path (below each hierarchy's root) of the pause process; made by the shim, removed at shutdown.
    pub cgroup: String,
    pub oom_score_adj: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTask {
    pub id: String,
    /// Holds config.json; `root.path` in it is already mounted.
    pub bundle: PathBuf,
    /// The CRI log file; `None` drops the output.
    pub log: Option<PathBuf>,
    pub tty: bool,
    pub stdin: bool,
    pub stdin_once: bool,
}

/// A further process in a container. The descriptors are the child's stdio; with `tty` all three are the slave of one pty.
#[derive(Debug)]
pub struct ExecTask {
    pub id: String,
    /// OCI runtime spec `process` object.
    pub process: oci_spec::runtime::Process,
    pub stdio: [OwnedFd; 3],
}

/// How a process ended. `code` is the exit code, or 128 + the signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatus {
    pub code: i32,
    pub at: SystemTime,
    /// The container's memory cgroup counted an OOM kill.
    pub oom_killed: bool,
}

/// What a container uses by the count of a runtime whose containers have no group here. Nanoseconds, and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub cpu: u64,
    pub memory: u64,
    /// Of the memory, what could be given up at once: files not used lately.
    pub inactive_file: u64,
    pub rss: u64,
    pub limit: Option<u64>,
    pub processes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskState {
    Created { pid: u32 },
    Running { pid: u32 },
    Paused { pid: u32 },
    Exited(ExitStatus),
}

/// A pod's shim. Ids are container ids; `exec: None` means the container's first process.
#[async_trait]
pub trait Task: fmt::Debug + Send + Sync {
    /// Of the shim, and of the pause process that holds the pod's namespaces.
    fn pids(&self) -> (u32, u32);
    /// The shim has certainly ended. What it left can be deleted and shut down; everything else is `NotFound`.
    fn is_gone(&self) -> bool;
    /// Returns when the shim or the pause process has ended.
    async fn ended(&self) -> Result<()>;
    async fn create(&self, task: &CreateTask) -> Result<u32>;
    async fn start(&self, id: &str) -> Result<()>;
    /// Returns the pid in the host's pid namespace.
    async fn exec(&self, id: &str, exec: ExecTask) -> Result<u32>;
    /// Signal number; `all` signals every process of the container. `NotFound` if it has gone.
    async fn kill(&self, id: &str, exec: Option<&str>, signal: i32, all: bool) -> Result<()>;
    async fn wait(&self, id: &str, exec: Option<&str>) -> Result<ExitStatus>;
    async fn state(&self, id: &str, exec: Option<&str>) -> Result<TaskState>;
    async fn resize(&self, id: &str, exec: Option<&str>, columns: u16, rows: u16) -> Result<()>;
    /// New output goes to a file newly opened at the log's path.
    async fn reopen_log(&self, id: &str) -> Result<()>;
    /// A copy of the container's output from now on, and its stdin if it has one: `[stdin, stdout, stderr]` ends of pipes.
    async fn attach(&self, id: &str) -> Result<[Option<OwnedFd>; 3]>;
    async fn update(&self, id: &str, resources: &oci_spec::runtime::LinuxResources) -> Result<()>;
    /// `Unimplemented` where the container's cgroup tells.
    async fn usage(&self, id: &str) -> Result<Usage>;
    /// Forgets an exited task and removes its cgroup; kills it first if it still runs.
    async fn delete(&self, id: &str, exec: Option<&str>) -> Result<ExitStatus>;
    /// Kills whatever is left, removes the pod's cgroup, ends the shim.
    async fn shutdown(&self) -> Result<()>;
}

#[async_trait]
pub trait Shims: fmt::Debug + Send + Sync {
    async fn launch(&self, pod: &PodSpec) -> Result<Arc<dyn Task>>;
    /// Finds the shim of a pod directory again. `NotFound`: it is certainly gone; `Unavailable`: it does not answer.
    async fn reconnect(&self, directory: &Path) -> Result<Arc<dyn Task>>;
    /// What a shim left there that has certainly gone.
    fn remains(&self, directory: &Path) -> Arc<dyn Task>;
}
