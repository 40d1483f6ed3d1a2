//! The engine's side of our own shims: having them started from a sealed copy of this program, finding and calling them.

use std::{
    fs,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{DirBuilderExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use oci_spec::runtime::LinuxResources;
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fs::{MemfdFlags, SealFlags},
    io::Errno,
    process::{Pid, PidfdFlags},
};
use tokio::{
    io::{AsyncReadExt, Interest, unix::AsyncFd},
    net::{UnixStream, unix::pipe},
    sync::Semaphore,
    time::timeout,
};

use super::{
    CreateTask, ExecTask, ExitStatus, ForeignShim, PROGRAM, PodSpec, Runtime, Shims, Task, TaskState, Usage,
    containerd, sandbox,
    seed::Seed,
    wire::{self, Reply, Request, Trace, Which},
};
use crate::{
    bail,
    engine::cgroup::Cgroup,
    error::{Context, Error, Kind, Result},
};

/// For a shim to stand. systemd, when it makes the pod's group, has 25 s of them.
const START: Duration = Duration::from_secs(40);
/// For an answer, but for those that wait for a process. Longer than any wait inside the shim.
const ANSWER: Duration = Duration::from_secs(150);
/// Questions a shim has at a time, and how long another waits for its turn: what is asked of one that stands still must
/// not grow without an end (threats POD-08). Kills and removals have no turn to wait for.
const IN_FLIGHT: usize = 4;
const TURN: Duration = Duration::from_secs(10);
/// For a shim to end when it has said that it will.
const ENDING: Duration = Duration::from_secs(1);
/// For a shim to say hello when an engine finds it again.
const HELLO: Duration = Duration::from_secs(5);
/// memfd_create(2); kernels before 6.3 do not know it and need not be told.
const MFD_EXEC: u32 = 0x10;

/// Starts shims from this program's own image, copied once into sealed memory: a container that gets hold of
/// /proc/PID/exe finds nothing it could write to (CVE-2019-5736), and replacing the file on disk changes no running engine.
#[derive(Debug)]
pub struct BuiltinShims {
    image: OwnedFd,
    seed: Mutex<Seed>,
}

impl BuiltinShims {
    /// # Errors
    /// If this program cannot be read or the kernel has no sealed memory files.
    pub fn new() -> Result<Self> {
        Self::of(Path::new("/proc/self/exe"))
    }

    /// From a program that calls [`super::main`] when its name is [`PROGRAM`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(program: &Path) -> Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let executable = flags | MemfdFlags::from_bits_retain(MFD_EXEC);
        let image = match rustix::fs::memfd_create(PROGRAM, executable) {
            Err(Errno::INVAL) => rustix::fs::memfd_create(PROGRAM, flags),
            other => other,
        };
        let mut image = fs::File::from(image.context(|| "make a memory file".to_owned())?);
        let mut from = fs::File::open(program).map_err(|e| Error::io("open", program, e))?;
        std::io::copy(&mut from, &mut image).map_err(|e| Error::io("copy", program, e))?;
        let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        rustix::fs::fcntl_add_seals(&image, seals).context(|| "seal the shim's image".to_owned())?;
        let image = OwnedFd::from(image);
        Ok(Self { seed: Mutex::new(Seed::start(image.as_fd())?), image })
    }

    /// A shim from the seed, or from a new one if something has ended that.
    fn grow(&self, directory: &Path, out: BorrowedFd<'_>, log: BorrowedFd<'_>) -> Result<()> {
        let mut seed = self.seed.lock().unwrap_or_else(PoisonError::into_inner);
        match seed.grow(directory, out, log) {
            Err(error) if error.is(Kind::Unavailable) => {
                tracing::warn!("{error:#}: starting another");
                *seed = Seed::start(self.image.as_fd())?;
                seed.grow(directory, out, log)
            }
            other => other,
        }
    }

    /// Writes the pod's document and starts the process; what it says first.
    async fn start(&self, pod: &PodSpec) -> Result<Reply> {
        let directory = &pod.directory;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|e| Error::io("create", directory, e))?;
        let document = directory.join(wire::POD);
        let text = serde_json::to_vec(pod).map_err(|e| Error::new(Kind::Internal, "encode the pod").with_source(e))?;
        fs::write(&document, text).map_err(|e| Error::io("write", &document, e))?;
        let log_path = directory.join("log");
        let log = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&log_path);
        let log = log.map_err(|e| Error::io("open", &log_path, e))?;
        let (out, theirs) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK)
                .context(|| "make a pipe".to_owned())?;
        self.grow(directory, theirs.as_fd(), log.as_fd())?;
        drop(theirs);
        let mut out = pipe::Receiver::from_owned_fd(out).context(|| "watch a pipe".to_owned())?;
        let mut said = Vec::new();
        let read = async {
            loop {
                if let Some(reply) = wire::decode::<Reply>(&said)? {
                    return Ok(reply);
                }
                if out.read_buf(&mut said).await.context(|| "read from the shim".to_owned())? == 0 {
                    let log = fs::read_to_string(&log_path).unwrap_or_default();
                    let last: String = log.lines().last().unwrap_or("").chars().filter(|c| !c.is_control()).collect();
                    bail!(Internal, "the shim ended at its start: {last}");
                }
            }
        };
        // One that comes too late finds nobody reading, and undoes what it did.
        timeout(START, read).await.unwrap_or_else(|_| {
            let text = format!("the shim did not stand in {} s", START.as_secs());
            Err(Error::new(Kind::DeadlineExceeded, text))
        })
    }
}

#[async_trait]
impl Shims for BuiltinShims {
    async fn launch(&self, pod: &PodSpec) -> Result<Arc<dyn Task>> {
        let reply = self.start(pod).await.context(|| format!("start the shim of pod {}", pod.id))?;
        match Shim::from_hello(&pod.directory, reply) {
            Ok(shim) => Ok(Arc::new(shim)),
            Err(error) => {
                let removed = fs::remove_dir_all(&pod.directory).map_err(|e| Error::io("remove", &pod.directory, e));
                Err(error.and_cleanup(removed).context(format!("start the shim of pod {}", pod.id)))
            }
        }
    }

    async fn reconnect(&self, directory: &Path) -> Result<Arc<dyn Task>> {
        let found = Shim::gone(directory);
        let hello = Request::Hello { version: wire::VERSION };
        let asked = timeout(HELLO, found.call(&hello, &[])).await;
        let Ok(reply) = asked else {
            bail!(Unavailable, "the shim in {} does not answer", directory.display());
        };
        Ok(Arc::new(Shim::from_hello(directory, reply?.0)?))
    }

    fn remains(&self, directory: &Path) -> Arc<dyn Task> {
        Arc::new(Shim::gone(directory))
    }
}

/// A shim, as long as it runs and after.
#[derive(Debug)]
struct Shim {
    directory: PathBuf,
    pids: (u32, u32),
    /// Shim and pause process, by what means no other process when their numbers are used again (threats POD-16). `None`: it
    /// has gone.
    processes: [Option<OwnedFd>; 2],
    turns: Semaphore,
}

impl Shim {
    fn gone(directory: &Path) -> Self {
        Self::new(directory, (0, 0), [None, None])
    }

    fn new(directory: &Path, pids: (u32, u32), processes: [Option<OwnedFd>; 2]) -> Self {
        Self { directory: directory.to_owned(), pids, processes, turns: Semaphore::new(IN_FLIGHT) }
    }

    fn from_hello(directory: &Path, reply: Reply) -> Result<Self> {
        match reply {
            Reply::Hello { version, shim, pause } if version == wire::VERSION => {
                Ok(Self::new(directory, (shim, pause), [process(shim)?, process(pause)?]))
            }
            Reply::Hello { version, .. } => {
                bail!(FailedPrecondition, "the shim in {} speaks version {version}", directory.display())
            }
            Reply::Failed { kind, text } => Err(Error::new(kind, text)),
            other => bail!(Internal, "the shim said {other:?}"),
        }
    }

    /// One request, one connection. `NotFound` if nobody listens: the shim has gone.
    async fn call(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(Reply, Vec<OwnedFd>)> {
        let bytes = wire::encode(request)?;
        let stream = {
            let directory = wire::open_directory(&self.directory)?;
            match UnixStream::connect(wire::socket_path(&directory)).await {
                Ok(stream) => stream,
                Err(error)
                    if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) =>
                {
                    return Err(Error::new(Kind::NotFound, "the pod's shim has gone").with_source(error));
                }
                Err(error) => {
                    return Err(error).context(|| format!("connect to the shim in {}", self.directory.display()));
                }
            }
        };
        let broke =
            |e: std::io::Error| Error::new(Kind::Unavailable, "the connection to the shim broke").with_source(e);
        let mut sent = 0;
        while sent < bytes.len() {
            let fds = if sent == 0 { fds } else { &[] };
            let write = || wire::send(&stream, &bytes[sent..], fds).map_err(Into::into);
            sent += stream.async_io(Interest::WRITABLE, write).await.map_err(broke)?;
        }
        let (mut input, mut got) = (Vec::new(), Vec::new());
        loop {
            if let Some(reply) = wire::decode::<Reply>(&input)? {
                return Ok((reply, got));
            }
            let read = || wire::receive(&stream, &mut input, &mut got).map_err(Into::into);
            if stream.async_io(Interest::READABLE, read).await.map_err(broke)? == 0 {
                bail!(Unavailable, "the shim ended before it answered");
            }
        }
    }

    async fn ask(&self, request: Request, fds: &[BorrowedFd<'_>]) -> Result<Reply> {
        // One that is about to end still takes connections.
        if self.is_gone() {
            bail!(NotFound, "the pod's shim has gone");
        }
        let _turn = match request {
            Request::Kill { .. } | Request::Delete(_) | Request::Shutdown => None,
            _ => match timeout(TURN, self.turns.acquire()).await {
                Ok(turn) => turn.ok(),
                Err(_) => {
                    bail!(Unavailable, "the shim (pid {}) has left {IN_FLIGHT} questions unanswered", self.pids.0)
                }
            },
        };
        let Ok(answer) = timeout(ANSWER, self.call(&request, fds)).await else {
            bail!(DeadlineExceeded, "the shim (pid {}) did not answer in {} s", self.pids.0, ANSWER.as_secs());
        };
        match answer?.0 {
            Reply::Failed { kind, text } => Err(Error::new(kind, text)),
            reply => Ok(reply),
        }
    }

    async fn done(&self, request: Request) -> Result<()> {
        match self.ask(request, &[]).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn pid(&self, request: Request, fds: &[BorrowedFd<'_>]) -> Result<u32> {
        match self.ask(request, fds).await? {
            Reply::Pid(pid) => Ok(pid),
            other => Err(unexpected(&other)),
        }
    }

    /// What a shim that has gone left about a container.
    fn trace(&self, container: &str) -> Result<Option<Trace>> {
        let path = self.directory.join(wire::trace_name(container));
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|e| {
                Error::new(Kind::DataLoss, format!("{} is no trace of a container", path.display())).with_source(e)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path, error)),
        }
    }

    /// The pod's document; `None` if there is no more of it.
    fn pod(&self) -> Result<Option<PodSpec>> {
        let path = self.directory.join(wire::POD);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|e| Error::io("read", &path, e))?,
        };
        let pod = serde_json::from_slice(&text);
        pod.map(Some).map_err(|e| Error::new(Kind::DataLoss, format!("{} is no pod", path.display())).with_source(e))
    }

    /// The groups of the containers whose traces are there.
    fn groups(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|e| Error::io("list", &self.directory, e))?,
        };
        let names = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
        let containers = names.filter(|n| n != wire::POD).filter_map(|n| n.strip_suffix(".json").map(str::to_owned));
        let traces = containers.map(|id| self.trace(&id).map(|trace| trace.map(|t| t.cgroup)));
        traces.filter_map(Result::transpose).collect()
    }

    /// Ends what a dead shim left of cgroups, and of a containerd shim's container.
    async fn sweep(groups: Vec<String>, left: Option<(ForeignShim, String, PathBuf)>) -> Result<()> {
        let work = move || {
            for path in groups {
                let cgroup = Cgroup::new(&path)?;
                match cgroup.kill().and_then(|()| cgroup.delete()) {
                    Err(error) if !error.is(Kind::NotFound) => return Err(error),
                    _ => {}
                }
            }
            if let Some((shim, id, bundle)) = left {
                containerd::clean(&shim.program, &id, &bundle);
            }
            Ok(())
        };
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a blocking task died").with_source(e)))
    }
}

fn process(pid: u32) -> Result<Option<OwnedFd>> {
    let Some(raw) = Pid::from_raw(pid.cast_signed()) else { return Ok(None) };
    match rustix::process::pidfd_open(raw, PidfdFlags::empty()) {
        Ok(process) => Ok(Some(process)),
        Err(Errno::SRCH) => Ok(None),
        Err(error) => Err(error).context(|| format!("open process {pid}")),
    }
}

fn has_ended(process: &OwnedFd) -> bool {
    let mut list = [PollFd::new(process, PollFlags::IN)];
    matches!(rustix::event::poll(&mut list, Some(&Timespec::default())), Ok(1..))
}

async fn end_of(process: Option<&OwnedFd>) -> Result<()> {
    let Some(process) = process else { return Ok(()) };
    let doing = || "wait for the end of a process".to_owned();
    // SAFETY: the descriptor is borrowed for longer than the `AsyncFd` lives, and is the same all the time.
    let watched = unsafe { AsyncFd::register_with_interest(process.as_fd(), Interest::READABLE) };
    let watched = watched.map_err(std::io::Error::from).context(doing)?;
    watched.readable().await.map(drop).context(doing)
}

fn unexpected(reply: &Reply) -> Error {
    Error::new(Kind::Internal, format!("the shim answered {reply:?}"))
}

fn which(id: &str, exec: Option<&str>) -> Which {
    Which { container: id.to_owned(), exec: exec.map(str::to_owned) }
}

#[async_trait]
impl Task for Shim {
    fn pids(&self) -> (u32, u32) {
        self.pids
    }

    fn is_gone(&self) -> bool {
        self.processes[0].as_ref().is_none_or(has_ended)
    }

    async fn ended(&self) -> Result<()> {
        let [shim, pause] = self.processes.each_ref().map(Option::as_ref);
        tokio::select! {
            ended = end_of(shim) => ended,
            ended = end_of(pause) => ended,
        }
    }

    async fn create(&self, task: &CreateTask) -> Result<u32> {
        self.pid(Request::Create(task.clone()), &[]).await
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.done(Request::Start { id: id.to_owned() }).await
    }

    async fn exec(&self, id: &str, exec: ExecTask) -> Result<u32> {
        let request = Request::Exec { container: id.to_owned(), id: exec.id, process: Box::new(exec.process) };
        self.pid(request, &exec.stdio.each_ref().map(AsFd::as_fd)).await
    }

    async fn kill(&self, id: &str, exec: Option<&str>, signal: i32, all: bool) -> Result<()> {
        self.done(Request::Kill { of: which(id, exec), signal, all }).await
    }

    async fn wait(&self, id: &str, exec: Option<&str>) -> Result<ExitStatus> {
        match self.call(&Request::Wait(which(id, exec)), &[]).await {
            Ok((Reply::Exit(status), _)) => Ok(status),
            Ok((Reply::Failed { kind, text }, _)) => Err(Error::new(kind, text)),
            Ok((other, _)) => Err(unexpected(&other)),
            // The shim died: it may have seen the container's end before its own.
            Err(error) if exec.is_none() => self.trace(id)?.and_then(|t| t.exit).ok_or(error),
            Err(error) => Err(error),
        }
    }

    async fn state(&self, id: &str, exec: Option<&str>) -> Result<TaskState> {
        match self.ask(Request::State(which(id, exec)), &[]).await? {
            Reply::State(state) => Ok(state),
            other => Err(unexpected(&other)),
        }
    }

    async fn resize(&self, id: &str, exec: Option<&str>, columns: u16, rows: u16) -> Result<()> {
        self.done(Request::Resize { of: which(id, exec), columns, rows }).await
    }

    async fn reopen_log(&self, id: &str) -> Result<()> {
        self.done(Request::ReopenLog { id: id.to_owned() }).await
    }

    async fn attach(&self, id: &str) -> Result<[Option<OwnedFd>; 3]> {
        let (reply, fds) = self.call(&Request::Attach { id: id.to_owned() }, &[]).await?;
        match reply {
            Reply::Attached(has) => {
                let mut fds = fds.into_iter();
                Ok(has.map(|has| if has { fds.next() } else { None }))
            }
            Reply::Failed { kind, text } => Err(Error::new(kind, text)),
            other => Err(unexpected(&other)),
        }
    }

    async fn update(&self, id: &str, resources: &LinuxResources) -> Result<()> {
        self.done(Request::Update { id: id.to_owned(), resources: Box::new(resources.clone()) }).await
    }

    async fn usage(&self, id: &str) -> Result<Usage> {
        match self.ask(Request::Usage { id: id.to_owned() }, &[]).await? {
            Reply::Usage(usage) => Ok(usage),
            other => Err(unexpected(&other)),
        }
    }

    async fn delete(&self, id: &str, exec: Option<&str>) -> Result<ExitStatus> {
        match self.ask(Request::Delete(which(id, exec)), &[]).await {
            Ok(Reply::Exit(status)) => Ok(status),
            Ok(other) => Err(unexpected(&other)),
            Err(error) if exec.is_none() && self.is_gone() => {
                let Some(trace) = self.trace(id)? else {
                    return Err(Error::new(Kind::NotFound, "the pod's shim has gone").with_source(error));
                };
                let left = match self.pod()?.map(|pod| pod.runtime) {
                    Some(Runtime::Shim(shim)) => Some((shim, id.to_owned(), trace.bundle)),
                    _ => None,
                };
                Self::sweep(vec![trace.cgroup], left).await?;
                Ok(trace.exit.unwrap_or(ExitStatus { code: 255, at: std::time::SystemTime::now(), oom_killed: false }))
            }
            Err(error) => Err(error),
        }
    }

    async fn shutdown(&self) -> Result<()> {
        match self.done(Request::Shutdown).await {
            Err(_) if self.is_gone() => {
                let mut groups = self.groups()?;
                let Some(pod) = self.pod()? else { return Self::sweep(groups, None).await };
                let left = match pod.runtime {
                    Runtime::Shim(shim) => {
                        groups.push(sandbox::cgroup(&pod.cgroup));
                        let bundle = sandbox::bundle(&self.directory, &pod.id);
                        Some((shim, pod.id, bundle))
                    }
                    _ => None,
                };
                groups.push(pod.cgroup);
                Self::sweep(groups, left).await
            }
            Ok(()) => {
                // It has nothing left to do, but holds its directory open until it has ended. Another descriptor, as a
                // watched one cannot be watched twice.
                let shim = self.processes[0].as_ref().map(OwnedFd::try_clone).transpose();
                let shim = shim.context(|| "watch the shim".to_owned())?;
                timeout(ENDING, end_of(shim.as_ref())).await.unwrap_or(Ok(()))
            }
            failed => failed,
        }
    }
}
