//! The words of the app and the verbs: plain values, serializable, with their errors inside. No I/O here.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

pub use crate::node::Seen;

/// Which runtime, where, and what it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeInfo {
    /// `unix:///run/containerd/containerd.sock`, or `embedded`.
    pub endpoint: String,
    /// "wharf", "containerd", "cri-o".
    pub name: String,
    pub version: String,
    pub api_version: String,
    pub mode: Mode,
    pub read_only: bool,
    /// Whether snapshots, content and leases can be read (our engine, containerd's own API).
    pub storage: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Embedded,
    #[default]
    Attached,
    Demo,
    /// A recording of another moment, perhaps of another node.
    Replay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PodState {
    Ready,
    NotReady,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodSandbox {
    pub id: String,
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub attempt: u32,
    pub state: PodState,
    pub created: SystemTime,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// Empty means the default handler.
    pub handler: String,
    /// From the status; empty if not known or host network.
    pub ip: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ContainerState {
    Created,
    Running,
    Exited,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub id: String,
    pub pod: String,
    pub name: String,
    pub attempt: u32,
    /// As the user wrote it.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    pub state: ContainerState,
    pub created: SystemTime,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// The rest comes from the status, which is asked for exited containers and when a row is opened.
    pub detail: Option<ContainerDetail>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerDetail {
    pub started: Option<SystemTime>,
    pub finished: Option<SystemTime>,
    pub exit_code: i32,
    /// "Completed", "Error", "OOMKilled".
    pub reason: String,
    pub message: String,
    pub log_path: String,
    /// Images mounted as volumes, by reference: they are in use too.
    pub image_volumes: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub id: String,
    pub tags: Vec<String>,
    pub digests: Vec<String>,
    /// Bytes, as the runtime reports them.
    pub size: u64,
    pub pinned: bool,
    pub username: String,
}

/// One container's or pod's use of the node; `None` is not reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerStats {
    pub id: String,
    /// Nanoseconds of CPU since the start.
    pub cpu_nanos: Option<u64>,
    /// Nanocores now; ours to compute from two samples when the runtime gives none.
    pub cpu_nanocores: Option<u64>,
    pub memory_working_set: Option<u64>,
    pub memory_limit: Option<u64>,
    /// The writable layer, bytes.
    pub layer_bytes: Option<u64>,
    pub layer_inodes: Option<u64>,
    pub pids: Option<u64>,
    pub at: Option<SystemTime>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRow {
    pub snapshotter: String,
    /// containerd namespace; "k8s.io" for CRI's.
    pub namespace: String,
    pub key: String,
    pub parent: Option<String>,
    /// "active", "view", "committed".
    pub kind: String,
    pub bytes: Option<u64>,
    pub inodes: Option<u64>,
    pub created: Option<SystemTime>,
    pub labels: BTreeMap<String, String>,
}

/// One filesystem or one part of the runtime's data on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskUse {
    /// "image filesystem", "container filesystem", "content", "snapshots", "logs".
    pub what: String,
    pub path: String,
    pub used_bytes: u64,
    pub used_inodes: u64,
    /// Of the filesystem that holds it; 0 if not known.
    pub total_bytes: u64,
    pub free_bytes: u64,
}

/// Everything the panes show, each part with its age or its error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    pub pods: Seen<Vec<PodSandbox>>,
    pub containers: Seen<Vec<Container>>,
    pub images: Seen<Vec<Image>>,
    pub stats: Seen<Vec<ContainerStats>>,
    pub snapshots: Seen<Vec<SnapshotRow>>,
    pub disk: Seen<Vec<DiskUse>>,
    /// CRI Status: conditions by name, with their reason and message.
    pub conditions: Seen<Vec<Condition>>,
    /// The runtime's own sandbox image, which prune must keep even when it is not pinned; empty if it has none.
    pub sandbox_image: String,
    /// Whether a kubelet runs on this node; looked at for plans of restarts.
    #[serde(default)]
    pub kubelet: Seen<bool>,
    /// What a collection would free; asked for by plans of one.
    #[serde(default)]
    pub garbage: Seen<Garbage>,
    /// The runtime did not answer: the parts were read from the disk and /proc.
    #[serde(default)]
    pub silence: Option<Silence>,
    /// Who answered, where that may have changed.
    #[serde(default)]
    pub info: Option<RuntimeInfo>,
}

/// What nothing in a runtime refers to any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garbage {
    pub blobs: u64,
    pub snapshots: u64,
    pub leases: u64,
    /// On disk, as far as known.
    pub bytes: u64,
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.blobs, "blob"), (self.snapshots, "snapshot"), (self.leases, "expired lease")];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> =
            parts.map(|(count, name)| format!("{count} {name}{}", if *count == 1 { "" } else { "s" })).collect();
        match (parts.is_empty(), self.bytes) {
            (true, 0) => f.write_str("nothing"),
            (true, bytes) => f.write_str(&humansize::format_size(bytes, humansize::BINARY)),
            (false, 0) => f.write_str(&parts.join(", ")),
            (false, bytes) => write!(f, "{}: {}", parts.join(", "), humansize::format_size(bytes, humansize::BINARY)),
        }
    }
}

/// A runtime that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// When it was first noticed.
    pub since: SystemTime,
    pub error: String,
    /// It is there and says nothing, rather than not being there.
    pub hangs: bool,
}

impl Default for Silence {
    fn default() -> Self {
        Self { since: SystemTime::UNIX_EPOCH, error: String::new(), hangs: false }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub name: String,
    pub ok: bool,
    pub reason: String,
    pub message: String,
}

/// One party's cgroup driver, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupFact {
    /// "runtime", "handler runc", "kubelet", "pod shop/web".
    pub who: String,
    /// "systemd" or "cgroupfs"; none when the source could not be understood.
    pub driver: Option<String>,
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ObjectRef {
    Pod(String),
    Container(String),
    Image(String),
    Snapshot { snapshotter: String, namespace: String, key: String },
}

/// Parts of the inventory, for a refresh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub pods: bool,
    pub images: bool,
    pub stats: bool,
    pub snapshots: bool,
    pub disk: bool,
    /// With what else is on the filesystem, which is walked for that.
    pub whole: bool,
}

impl Scope {
    /// All that a runtime tells.
    pub const ALL: Self = Self { pods: true, images: true, stats: true, snapshots: true, disk: true, whole: false };
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOptions {
    pub follow: bool,
    pub tail: Option<u64>,
    pub since: Option<SystemTime>,
}

/// One line of a container's log, parts joined (`F`), bytes as they were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub at: Option<SystemTime>,
    pub stderr: bool,
    pub text: Vec<u8>,
    /// Where it begins, if it is from a file.
    #[serde(skip)]
    pub place: Option<LogPlace>,
}

/// A byte of a file: of what is in it, unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPlace {
    pub device: u64,
    pub inode: u64,
    pub offset: u64,
}

/// Which page of a log is wanted: so many lines before the one at a place, or behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTurn {
    pub from: LogPlace,
    /// When the line there was written: finds it if its file was packed meanwhile.
    pub at: Option<SystemTime>,
    pub older: bool,
    pub lines: usize,
    /// Of the older ones only those that pass, from as far back as it takes.
    pub only: Option<Sieve>,
}

/// Which lines of a log are looked at: those that a pattern is in, or those that it is not in.
#[derive(Debug, Clone)]
pub struct Sieve {
    pub pattern: regex::bytes::Regex,
    pub not: bool,
}

impl Sieve {
    pub fn passes(&self, text: &[u8]) -> bool {
        self.pattern.is_match(text) != self.not
    }
}

impl PartialEq for Sieve {
    fn eq(&self, other: &Self) -> bool {
        (self.pattern.as_str(), self.not) == (other.pattern.as_str(), other.not)
    }
}

impl Eq for Sieve {}

/// A page of a log, oldest line first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    pub lines: Vec<LogLine>,
    /// There is nothing beyond it.
    pub end: bool,
    /// If only some lines were wanted: where the first one begins that was looked at, and when that was written.
    pub reached: Option<(LogPlace, Option<SystemTime>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecRequest {
    pub container: String,
    pub command: Vec<String>,
    pub tty: bool,
    pub stdin: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecResult {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub code: i32,
}

/// Progress of a pull, for bars. Sizes in bytes; a layer's `total` is 0 until known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullProgress {
    pub layer: String,
    pub done: u64,
    pub total: u64,
    pub phase: PullPhase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullPhase {
    Resolving,
    Downloading,
    Unpacking,
    Done,
    Exists,
}

/// As crictl shows an id: its first 13 characters, without the algorithm.
pub fn short_id(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.char_indices().nth(13).map_or(hex, |(at, _)| &hex[..at])
}

/// What a step may take: the grace a container gets before SIGKILL.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);
