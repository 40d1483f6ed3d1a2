//! Files into a container and out of it, without a program in there: on the node, through the root that its first process has
//! (`/proc/PID/root`). Paths are resolved inside that root (openat2(2), RESOLVE_IN_ROOT), below it nothing is followed: whatever
//! links a container has, the answer is inside. Owners are those that the container sees.
//!
//! Here is the way to the root and what a copy is; reading a tree is in `source`, writing one in `disk`, tar in `tar`,
//! attributes in `xattr`.

use std::{
    ffi::{OsStr, OsString},
    io::{Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::Errno,
    process::{Pid, PidfdFlags},
};

use super::{
    Runtime,
    types::{self, ObjectRef, short_id},
};
use crate::{
    bail,
    config::containerd,
    error::{Error, Kind, Result},
};

mod disk;
mod ids;
mod source;
mod tar;
#[cfg(test)]
mod tests;
mod xattr;

pub use ids::Ids;
pub use xattr::Xattrs;

/// How deep directories may lie in each other: each is an open file while it is copied.
const DEPTH: usize = 200;

/// What a file is beside its content. Owners are as the container sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds.
    pub mtime: (i64, i64),
    pub xattrs: Xattrs,
}

/// Where files go, in the order of a walk: a directory, what is in it, its end.
trait Sink {
    fn enter(&mut self, name: &OsStr, meta: Meta) -> Result<()>;
    fn leave(&mut self) -> Result<()>;
    /// Takes exactly `size` bytes.
    fn file(&mut self, name: &OsStr, meta: Meta, size: u64, content: &mut dyn Read) -> Result<()>;
    fn link(&mut self, name: &OsStr, meta: Meta, target: &OsStr) -> Result<()>;
}

/// How far a copy is, and whether it is to end.
#[derive(Debug, Default)]
pub struct Progress {
    pub bytes: AtomicU64,
    pub files: AtomicU64,
    pub stop: AtomicBool,
    /// Files whose owner the container cannot have: its root has them.
    pub unowned: AtomicU64,
    /// Files whose attributes the filesystem there does not take.
    pub bare: AtomicU64,
}

impl Progress {
    fn add(&self, bytes: usize) -> Result<()> {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) {
            bail!(Cancelled, "called off");
        }
        Ok(())
    }

    fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    /// "12 files, 34567 bytes".
    pub fn told(&self) -> String {
        let (files, bytes) = (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        let mut text = format!("{files} file{}, {bytes} bytes", if files == 1 { "" } else { "s" });
        let unowned = self.unowned.load(Ordering::Relaxed);
        if unowned > 0 {
            text.push_str(&format!(
                "; {unowned} have the container's root for an owner, theirs is not in its user namespace"
            ));
        }
        let bare = self.bare.load(Ordering::Relaxed);
        if bare > 0 {
            text.push_str(&format!("; {bare} without their extended attributes, the filesystem there takes none"));
        }
        text
    }
}

/// A container's files.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
    ids: Ids,
}

/// The files of a container that runs. `write`: they are to be changed.
///
/// # Errors
/// If it does not run, is not on this machine, or may not be reached; `PermissionDenied` in read-only mode for `write`.
pub async fn root(runtime: &dyn Runtime, container: &str, write: bool) -> Result<Root> {
    let info = runtime.info();
    if write && info.read_only {
        bail!(PermissionDenied, "read-only: nothing is copied into containers");
    }
    if info.mode == types::Mode::Replay {
        bail!(FailedPrecondition, "a recording has no files");
    }
    let short = short_id(container);
    let pid = first_process(runtime, container).await?;
    let raw = Pid::from_raw(pid).ok_or_else(|| Error::new(Kind::Internal, "a pid of 0"))?;
    let gone = |e: Errno| {
        Error::new(Kind::FailedPrecondition, format!("reach the files of container {short}"))
            .with_source(std::io::Error::from(e))
    };
    let process = rustix::process::pidfd_open(raw, PidfdFlags::empty()).map_err(gone)?;
    let path = format!("/proc/{pid}/root");
    let fd = rustix::fs::open(&path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| Error::io("open", &path, e))?;
    let ids = Ids::of(pid)?;
    // A pid may be used again: it is the container's if the runtime still says so of a process that has not ended.
    if first_process(runtime, container).await? != pid || ended(&process) {
        bail!(Unavailable, "container {short} ended meanwhile");
    }
    Ok(Root { fd, ids })
}

/// Whether a process has ended.
pub(super) fn ended(process: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut asked = [PollFd::new(process, PollFlags::IN)];
    poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|n| n > 0)
}

/// The first process of a container that runs.
pub(super) async fn first_process(runtime: &dyn Runtime, container: &str) -> Result<i32> {
    let status = runtime.inspect(&ObjectRef::Container(container.to_owned())).await?;
    let kind = status.pointer("/info/runtimeType").and_then(serde_json::Value::as_str).unwrap_or_default();
    // The pid it tells is the sandbox's.
    if !containerd::is_on_this_kernel(kind) {
        bail!(
            Unimplemented,
            "container {} runs under {kind}, in a sandbox with a kernel of its own: the node sees no process and no file of it; \
             use tar by exec",
            short_id(container)
        );
    }
    let pid = status.pointer("/info/pid").and_then(serde_json::Value::as_i64).and_then(|p| i32::try_from(p).ok());
    match (pid, status.pointer("/status/state").and_then(serde_json::Value::as_str)) {
        (Some(pid @ 1..), Some("CONTAINER_RUNNING")) => Ok(pid),
        (_, Some("CONTAINER_RUNNING")) => {
            bail!(Unimplemented, "{} does not tell the first process of container {container}", runtime.info().name)
        }
        _ => bail!(FailedPrecondition, "container {} does not run: its files have no root", short_id(container)),
    }
}

/// Work with files on a thread of its own: it may take long, and it may act as somebody else.
///
/// # Errors
/// What the work fails with.
pub async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("copy".into())
        // Nobody waits any more when the app has ended.
        .spawn(move || drop(done.send(work())))
        .map_err(|e| Error::new(Kind::ResourceExhausted, "start a thread").with_source(e))?;
    result.await.map_err(|_| Error::new(Kind::Internal, "the copy died"))?
}

/// Out of a container, to a local path, as cp does: into a directory that is there, else under the name that is given. The bits
/// that would run a program as its owner stay behind, and the capabilities it would have.
///
/// # Errors
/// Whatever keeps it from being whole; what was begun is removed.
pub fn out(root: &Root, from: &Path, to: &Path, progress: &Arc<Progress>) -> Result<()> {
    let source = source::Source::inside(root, from)?;
    let place = disk::Place::local(to, &named(&source.name, from), source.directory, contents(from))?;
    let mut sink = disk::Disk::new(place, disk::Owner::Here, Arc::clone(progress))?;
    let copied = source.walk(&mut sink, progress);
    sink.end(copied)
}

/// Into a container.
///
/// # Errors
/// As [`out`].
pub fn into(root: &Root, from: &Path, to: &Path, progress: &Arc<Progress>) -> Result<()> {
    let source = source::Source::local(from)?;
    root.ids.act_as_root()?;
    let place = disk::Place::inside(root, to, &named(&source.name, from), source.directory, contents(from))?;
    let mut sink = disk::Disk::new(place, disk::Owner::Container(root.ids.clone()), Arc::clone(progress))?;
    let copied = source.walk(&mut sink, progress);
    sink.end(copied)
}

/// Out of a container, as a tar archive.
///
/// # Errors
/// Whatever keeps it from being whole.
pub fn out_tar(root: &Root, from: &Path, to: &mut dyn Write, progress: &Arc<Progress>) -> Result<()> {
    let source = source::Source::inside(root, from)?;
    let mut sink = tar::Writer::new(to);
    source.walk(&mut sink, progress)?;
    sink.end()
}

/// A tar archive into a directory of a container that is there.
///
/// # Errors
/// Whatever keeps it from being whole; what it has unpacked by then stays.
pub fn into_tar(root: &Root, from: &mut dyn Read, to: &Path, progress: &Arc<Progress>) -> Result<()> {
    root.ids.act_as_root()?;
    let place = disk::Place::inside(root, to, OsStr::new("archive"), true, true)?;
    let mut sink = disk::Disk::new(place, disk::Owner::Container(root.ids.clone()), Arc::clone(progress))?;
    let copied = tar::read(from, &mut sink, progress);
    sink.end(copied)
}

/// `DIR/.` is what is in the directory.
fn contents(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(b"/.") || path.as_os_str() == "."
}

/// What a copy is called where no name is given.
fn named(found: &OsStr, path: &Path) -> OsString {
    let last = path.components().next_back();
    match last {
        Some(Component::Normal(name)) if !contents(path) => name.to_owned(),
        _ => found.to_owned(),
    }
}

/// Opens a path below the container's root, wherever its links lead there.
fn resolve(root: &Root, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let relative: PathBuf =
        path.components().filter(|c| !matches!(c, Component::RootDir | Component::Prefix(_))).collect();
    let relative = if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative };
    // Not /proc/self/root of a container's own: magic links lead out of any root.
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    loop {
        match rustix::fs::openat2(root.fd.as_fd(), &relative, flags | OFlags::CLOEXEC, Mode::empty(), how) {
            // The kernel saw a rename meanwhile and asks to try again.
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
}

/// For messages: a name from a container in one line.
fn shown(name: &OsStr) -> String {
    let text: String = name.to_string_lossy().chars().map(|c| if c.is_control() { '?' } else { c }).take(200).collect();
    text
}

fn failed(doing: &str, name: &OsStr) -> impl FnOnce(Errno) -> Error {
    let (doing, name) = (doing.to_owned(), shown(name));
    move |e| Error::io(&doing, name, e)
}
