//! A containerd shim (`containerd-shim-NAME-vN`: kata's, gVisor's, runc's) in the service of a pod's own shim, which keeps what
//! it always keeps: output, log, exit status, and whoever waits. Spoken to as containerd does (containerd, core/runtime/v2/README.md).
//!
//! One for all containers of a pod. It is given its streams by their paths in /proc, and sends its events to nobody.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Seek, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use oci_spec::runtime::{LinuxResources, Process};
use prost::Message;
use prost_types::Any;
use rustix::fs::{MemfdFlags, memfd_create};
use serde::Deserialize;

use super::{
    ForeignShim, ShimOptions, Usage, console, metrics,
    ttrpc::{Connection, Stream},
};
use crate::{
    bail,
    engine::{cgroup::Cgroup, handlers::PLACES},
    error::{Context, Error, Kind, Result},
    proto::containerd::{runtime::bootstrap::v1 as bootstrap, task::v2 as task, types::RuntimeInfo},
};

/// Of containerd's; the CRI plugin's, whose conventions the shims know.
const NAMESPACE: &str = "k8s.io";
/// For one call: a virtual machine starts meanwhile.
const LIMIT: Duration = Duration::from_secs(100);
/// For its count of what a container uses, which lists wait for.
const STATS: Duration = Duration::from_secs(1);
/// For the shim to start, and to end.
const START: Duration = Duration::from_secs(30);
/// Bytes of what it says at its start.
const WORD: u64 = 64 << 10;
/// A file of the sandbox's bundle: the path of the shim's socket.
const SOCKET: &str = "socket";
const PROCESS: &str = "types.containerd.io/opencontainers/runtime-spec/1/Process";
const RESOURCES: &str = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

#[derive(Debug)]
pub struct Peer {
    program: PathBuf,
    bundle: PathBuf,
    pod: String,
    options: Option<Any>,
    connection: Connection,
    service: &'static str,
    /// Calls that wait for an exit.
    waits: BTreeMap<Stream, Waited>,
    gone: bool,
}

#[derive(Debug)]
struct Waited {
    container: String,
    exec: Option<String>,
    /// The shim may open its end for reading after it has said that the process runs. Without any meanwhile the writer would be
    /// told that nobody reads, and the process that its input is empty.
    _input: Option<OwnedFd>,
}

/// A process's end, as the shim told it.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    pub container: String,
    pub exec: Option<String>,
    pub code: i32,
}

/// What older shims say when they have started; the oldest say the address alone.
#[derive(Debug, Deserialize)]
struct Address {
    version: i32,
    address: String,
    protocol: String,
}

impl Peer {
    /// Starts it for a pod, in the pod's group; `bundle` is that of its sandbox.
    pub fn start(shim: &ForeignShim, pod: &str, bundle: &Path, cgroup: &Cgroup) -> Result<Self> {
        let doing = || format!("start {}", shim.program.display());
        if shim.program.as_os_str().is_empty() {
            bail!(
                FailedPrecondition,
                "the pod's handler has no runtime_type that names a shim: io.containerd.NAME.VERSION or a path"
            );
        }
        let options = shim.options.as_ref().map(any);
        // Its stderr, all its life. Not a fifo like containerd's: nobody would have to read it.
        let log = bundle.join("log");
        fs::File::create(&log).map_err(|e| Error::io("create", &log, e))?;
        let mut command = command(&shim.program, pod, bundle);
        // What to read there differs from one generation to the next; all take nothing, and hear of their options later.
        command.arg("start").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let group = cgroup.clone();
        let join = move || group.enter(true).map_err(|e| std::io::Error::other(format!("{e:#}")));
        // SAFETY: the closure runs in the child of a process that has one thread, so that no lock is held by another.
        unsafe { command.pre_exec(join) };
        let said = answer(command).context(doing)?;
        let address = address(&said).context(doing)?;
        let path = match (address.protocol.as_str(), address.address.strip_prefix("unix://")) {
            ("ttrpc", Some(path)) => path,
            (protocol, _) => bail!(Unimplemented, "{}: it listens by {protocol} at {}", doing(), address.address),
        };
        let service = if address.version >= 3 { "containerd.task.v3.Task" } else { "containerd.task.v2.Task" };
        // For whoever comes when it was killed: it would have removed it.
        let note = bundle.join(SOCKET);
        fs::write(&note, path).map_err(|e| Error::io("write", &note, e))?;
        let socket = UnixStream::connect(path).map_err(|e| Error::io("connect to", path, e)).context(doing)?;
        Ok(Self {
            program: shim.program.clone(),
            bundle: bundle.to_owned(),
            pod: pod.to_owned(),
            options,
            connection: Connection::new(socket, NAMESPACE)?,
            service,
            waits: BTreeMap::new(),
            gone: false,
        })
    }

    fn call<A: Message + Default>(&mut self, method: &str, message: &impl Message) -> Result<A> {
        if self.gone {
            bail!(Unavailable, "{} has gone", self.program.display());
        }
        self.connection.call(self.service, method, message, LIMIT)
    }

    /// The container's first process, not started. Its streams must stay open until it is.
    pub fn create(
        &mut self,
        id: &str,
        bundle: &Path,
        stdio: [Option<BorrowedFd<'_>>; 3],
        terminal: bool,
    ) -> Result<u32> {
        let input = stdio[0].filter(|_| !terminal).map(kept).transpose()?;
        let [stdin, stdout, stderr] = stdio.map(path_of);
        let request = task::CreateTaskRequest {
            id: id.to_owned(),
            bundle: bundle.display().to_string(),
            terminal,
            stdin,
            stdout,
            stderr,
            options: self.options.clone(),
            ..Default::default()
        };
        let created: task::CreateTaskResponse = self.call("Create", &request)?;
        match self.watch(id, None, input) {
            Ok(()) => Ok(created.pid),
            Err(error) => Err(error.and_cleanup(self.delete(id, None))),
        }
    }

    pub fn start_process(&mut self, id: &str, exec: Option<&str>) -> Result<u32> {
        let exec_id = exec.unwrap_or_default().to_owned();
        let request = task::StartRequest { id: id.to_owned(), exec_id: exec_id.clone() };
        let started: task::StartResponse = self.call("Start", &request)?;
        // runc's shim keeps an end for writing of its own, and a process would never see its input's end: it is to let go now
        // of what others hold. Kata's answers when the input has ended, so nobody waits for that.
        let close = task::CloseIoRequest { id: id.to_owned(), exec_id, stdin: true };
        self.connection.send(self.service, "CloseIO", &close, None)?;
        Ok(started.pid)
    }

    /// A further process, running; its pid.
    pub fn exec(&mut self, id: &str, exec: &str, process: &Process, stdio: &[OwnedFd; 3]) -> Result<u32> {
        let terminal = process.terminal().unwrap_or(false);
        if terminal {
            // The shim has a terminal of its own, which does what terminals do.
            console::make_raw(&stdio[0])?;
        }
        let input = (!terminal).then(|| kept(stdio[0].as_fd())).transpose()?;
        let [stdin, stdout, stderr] = stdio.each_ref().map(|fd| path_of(Some(fd.as_fd())));
        let request = task::ExecProcessRequest {
            id: id.to_owned(),
            exec_id: exec.to_owned(),
            terminal,
            stdin,
            stdout,
            stderr: if terminal { String::new() } else { stderr },
            spec: Some(json(PROCESS, process)?),
        };
        self.call::<()>("Exec", &request)?;
        match self.start_process(id, Some(exec)).and_then(|pid| self.watch(id, Some(exec), input).map(|()| pid)) {
            Ok(pid) => Ok(pid),
            Err(error) => Err(error.and_cleanup(self.delete(id, Some(exec)))),
        }
    }

    pub fn kill(&mut self, id: &str, exec: Option<&str>, signal: i32, all: bool) -> Result<()> {
        let exec_id = exec.unwrap_or_default().to_owned();
        self.call("Kill", &task::KillRequest { id: id.to_owned(), exec_id, signal: signal.unsigned_abs(), all })
    }

    pub fn resize(&mut self, id: &str, exec: Option<&str>, columns: u16, rows: u16) -> Result<()> {
        let exec_id = exec.unwrap_or_default().to_owned();
        let (width, height) = (columns.into(), rows.into());
        self.call("ResizePty", &task::ResizePtyRequest { id: id.to_owned(), exec_id, width, height })
    }

    pub fn update(&mut self, id: &str, resources: &LinuxResources) -> Result<()> {
        let resources = Some(json(RESOURCES, resources)?);
        self.call("Update", &task::UpdateTaskRequest { id: id.to_owned(), resources, ..Default::default() })
    }

    /// What a container uses, in the words of either version of cgroups.
    pub fn usage(&mut self, id: &str) -> Result<Usage> {
        let told: task::StatsResponse =
            self.connection.call(self.service, "Stats", &task::StatsRequest { id: id.to_owned() }, STATS)?;
        metrics::usage(&told.stats.unwrap_or_default())
    }

    /// Forgets an ended container, also one whose shim has gone.
    pub fn delete_container(&mut self, id: &str, bundle: &Path) -> Result<()> {
        if self.gone {
            clean(&self.program, id, bundle);
        }
        self.delete(id, None)
    }

    /// Forgets an ended process. One that it does not know, or a shim that has gone, is no error.
    pub fn delete(&mut self, id: &str, exec: Option<&str>) -> Result<()> {
        if self.gone {
            return Ok(());
        }
        let exec_id = exec.unwrap_or_default().to_owned();
        match self.call::<task::DeleteResponse>("Delete", &task::DeleteRequest { id: id.to_owned(), exec_id }) {
            Err(error) if !error.is(Kind::NotFound) => Err(error),
            _ => Ok(()),
        }
    }

    fn watch(&mut self, id: &str, exec: Option<&str>, input: Option<OwnedFd>) -> Result<()> {
        let exec_id = exec.unwrap_or_default().to_owned();
        let request = task::WaitRequest { id: id.to_owned(), exec_id };
        let stream = self.connection.send(self.service, "Wait", &request, None)?;
        let waited = Waited { container: id.to_owned(), exec: exec.map(str::to_owned), _input: input };
        self.waits.insert(stream, waited);
        Ok(())
    }

    /// To be polled for input until it has gone.
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        (!self.gone).then(|| self.connection.as_fd())
    }

    /// Whether [`Self::ends`] has something that no poll tells of.
    pub fn is_pending(&self) -> bool {
        self.connection.is_pending()
    }

    /// Whose end was told. When the shim itself has gone, everybody's: nobody will tell of it any more.
    pub fn ends(&mut self) -> Vec<End> {
        let heard = match self.connection.heard() {
            Ok(heard) => heard,
            Err(error) => {
                eprintln!("{}: {error:#}", self.program.display());
                None
            }
        };
        let Some(answers) = heard else {
            self.gone = true;
            let lost = std::mem::take(&mut self.waits).into_values();
            return lost.map(|Waited { container, exec, .. }| End { container, exec, code: 255 }).collect();
        };
        let mut ends = Vec::new();
        for (stream, answer) in answers {
            let Some(Waited { container, exec, .. }) = self.waits.remove(&stream) else { continue };
            let status = answer.and_then(|payload| {
                task::WaitResponse::decode(payload.as_slice())
                    .map_err(|e| Error::new(Kind::Internal, "an end that is no message").with_source(e))
            });
            let code = match status {
                Ok(status) => i32::try_from(status.exit_status).unwrap_or(255),
                Err(error) => {
                    eprintln!("wait for {container}: {error:#}");
                    255
                }
            };
            ends.push(End { container, exec, code });
        }
        ends
    }

    /// Ends the sandbox and the shim; what it left outside of its groups is its own `delete` to find.
    pub fn shut_down(&mut self) {
        if !self.gone {
            let killed = self.kill(&self.pod.clone(), None, libc::SIGKILL, true);
            let deleted = self.end_of_sandbox().and_then(|()| self.delete(&self.pod.clone(), None));
            let request = task::ShutdownRequest { id: self.pod.clone(), now: true };
            // It may hang up before it answers.
            let ended = self
                .call::<()>("Shutdown", &request)
                .or_else(|e| if e.is(Kind::Unavailable) { Ok(()) } else { Err(e) });
            let killed = killed.or_else(|e| if e.is(Kind::NotFound) { Ok(()) } else { Err(e) });
            if let Err(error) = killed.and(deleted).and(ended) {
                eprintln!("{}: {error:#}", self.program.display());
            }
            self.gone = true;
        }
        clean(&self.program, &self.pod, &self.bundle);
    }

    fn end_of_sandbox(&mut self) -> Result<()> {
        let deadline = Instant::now() + START;
        while self.waits.values().any(|w| w.container == self.pod && w.exec.is_none()) {
            if Instant::now() > deadline {
                bail!(DeadlineExceeded, "the sandbox did not end in {} s", START.as_secs());
            }
            self.ends();
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

/// What is left of a container without a shim is its program's own to find. Of one that left nothing some say so by an error.
pub fn clean(program: &Path, id: &str, bundle: &Path) {
    let mut command = command(program, id, bundle);
    command.arg("-bundle").arg(bundle).arg("delete");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Err(error) = answer(command) {
        eprintln!("{error:#}");
    }
    let Ok(socket) = fs::read_to_string(bundle.join(SOCKET)) else { return };
    match fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => eprintln!("remove {socket}: {error}"),
        _ => {}
    }
}

fn command(program: &Path, pod: &str, bundle: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-namespace", NAMESPACE, "-publish-binary", "", "-id", pod]).current_dir(bundle);
    // Nobody listens there: it tells whoever looks that this is no shim of a containerd's.
    command.arg("-address").arg(bundle);
    command.env("GOMAXPROCS", "2").env("MAX_SHIM_VERSION", "3").env("NAMESPACE", NAMESPACE);
    command.env("TTRPC_ADDRESS", "").env("GRPC_ADDRESS", "");
    // It looks for its runtime by name.
    let own = std::env::var("PATH").unwrap_or_default();
    let places = own.split(':').filter(|p| !p.is_empty()).chain(PLACES.iter().copied());
    command.env("PATH", places.collect::<Vec<_>>().join(":"));
    command
}

/// What a command prints, when it has ended well.
fn answer(mut command: Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_owned();
    let mut child = command.spawn().map_err(|e| Error::io("run", &program, e))?;
    let deadline = Instant::now() + START;
    let status = loop {
        match child.try_wait().map_err(|e| Error::io("wait for", &program, e))? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let text = format!("{} did not end in {} s", program.display(), START.as_secs());
                return Err(Error::new(Kind::DeadlineExceeded, text).and_cleanup(end(&mut child)));
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    if status.success() {
        return child.stdout.take().map_or_else(|| Ok(Vec::new()), |out| printed(out, &program));
    }
    let said = child.stderr.take().map(|e| printed(e, &program)).transpose()?.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it said nothing");
    let last: String = last.chars().filter(|c| !c.is_control()).take(1024).collect();
    bail!(Internal, "{} failed ({status}): {last}", program.display())
}

fn end(child: &mut std::process::Child) -> Result<()> {
    child.kill().and_then(|()| child.wait()).map(drop).map_err(|e| Error::io("end", child.id().to_string(), e))
}

/// What is in a pipe now: what the program started may hold it open.
fn printed(mut pipe: impl Read + AsFd, program: &std::ffi::OsStr) -> Result<Vec<u8>> {
    rustix::io::ioctl_fionbio(&pipe, true).context(|| "set a pipe's flags".to_owned())?;
    let mut text = Vec::new();
    match pipe.by_ref().take(WORD).read_to_end(&mut text) {
        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(Error::io("read from", program, error)),
        _ => Ok(text),
    }
}

/// What a shim says of itself and its runtime (`-info`, of containerd 2 and later). Blocking.
///
/// # Errors
/// If it does not run, does not know the word, or says what is no such message.
pub fn info(shim: &ForeignShim) -> Result<RuntimeInfo> {
    // By a file, as a pipe that it does not read would have to be watched.
    let doing = || "write the options of a shim".to_owned();
    let mut asked = fs::File::from(memfd_create("options", MemfdFlags::CLOEXEC).context(doing)?);
    let options = shim.options.as_ref().map(any).unwrap_or_default();
    asked.write_all(&options.encode_to_vec()).and_then(|()| asked.rewind()).context(doing)?;
    let mut command = command(&shim.program, "", Path::new("/"));
    command.arg("-info").stdin(asked).stdout(Stdio::piped()).stderr(Stdio::piped());
    RuntimeInfo::decode(answer(command)?.as_slice())
        .map_err(|e| Error::new(Kind::Internal, format!("{} -info", shim.program.display())).with_source(e))
}

fn any(options: &ShimOptions) -> Any {
    Any { type_url: options.type_url.clone(), value: options.value.clone() }
}

/// Where the shim listens, by any of the three ways they have had to say it.
fn address(said: &[u8]) -> Result<Address> {
    let found = bootstrap::BootstrapResult::decode(said).ok().filter(|r| r.version > 0 && !r.address.is_empty());
    if let Some(bootstrap::BootstrapResult { version, address, protocol, .. }) = found {
        return Ok(Address { version, address, protocol });
    }
    let text = String::from_utf8_lossy(said);
    let text = text.trim();
    if let Ok(found) = serde_json::from_str(text) {
        return Ok(found);
    }
    if text.starts_with("unix://") && !text.contains(char::is_control) {
        return Ok(Address { version: 2, address: text.to_owned(), protocol: "ttrpc".to_owned() });
    }
    Err(Error::new(Kind::Internal, "it did not say where it listens").with_quote(text.escape_debug()))
}

fn kept(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    fd.try_clone_to_owned().context(|| "keep a stream open".to_owned())
}

/// A descriptor of this process for another one to open; none is no stream.
fn path_of(fd: Option<BorrowedFd<'_>>) -> String {
    fd.map(|fd| format!("/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd())).unwrap_or_default()
}

fn json(type_url: &str, value: &impl serde::Serialize) -> Result<Any> {
    let value =
        serde_json::to_vec(value).map_err(|e| Error::new(Kind::Internal, "encode for the shim").with_source(e))?;
    Ok(Any { type_url: type_url.to_owned(), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_said_in_three_ways() {
        let said = |bytes: &[u8]| address(bytes).map(|a| (a.version, a.address, a.protocol));
        let expected = |version| (version, "unix:///run/s".to_owned(), "ttrpc".to_owned());
        let newest = bootstrap::BootstrapResult {
            version: 3,
            address: "unix:///run/s".into(),
            protocol: "ttrpc".into(),
            ..Default::default()
        };
        assert_eq!(said(&newest.encode_to_vec()).unwrap(), expected(3));
        let newer = br#"{"version":3,"address":"unix:///run/s","protocol":"ttrpc"}"#;
        assert_eq!(said(newer).unwrap(), expected(3));
        assert_eq!(said(b"unix:///run/s\n").unwrap(), expected(2));
        for wrong in [&b""[..], b"panic: no", b"{}", b"unix:///run/s\nunix:///x"] {
            assert!(said(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo one >&2; echo 'two\u{1b}[2J' >&2; exit 3"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let error = answer(command).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("two[2J"), "{error}");
    }
}
