//! A container as its shim knows it: its processes, what each is waiting to become, and who waits for that.

use std::{
    collections::BTreeMap,
    fs,
    os::fd::OwnedFd,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use oci_spec::runtime::{LinuxNamespaceType, LinuxResources, Process as OciProcess, Spec};

use super::{
    CreateTask, ExitStatus, TaskState, Usage,
    foreign::Foreign,
    io::Io,
    oom::Ooms,
    wire::{Reply, Trace, trace_name},
};
use crate::{
    bail,
    engine::{
        cgroup::{Cgroup, Holder},
        run::{self, Channel, Confinement, Word},
    },
    error::{Error, Kind, Result},
};

/// For a containerd shim to hand over what a process wrote last.
const LAST_OUTPUT: Duration = Duration::from_millis(500);

/// A connection that gets its reply later.
pub type Waiter = u64;

#[derive(Debug)]
pub struct Container {
    pub id: String,
    bundle: PathBuf,
    /// The shim's directory, for traces.
    directory: PathBuf,
    cgroup: Cgroup,
    /// Until the first process stands in the group.
    holder: Option<Holder>,
    foreign: Option<Foreign>,
    /// Until the start.
    lent: Vec<OwnedFd>,
    confinement: Confinement,
    /// Whether the kernel kills the rest when the first process ends.
    own_pids: bool,
    pub ooms: Ooms,
    pub init: Process,
    pub execs: BTreeMap<String, Process>,
    pub io: Io,
}

/// One process and its life.
#[derive(Debug)]
pub struct Process {
    pub pid: u32,
    pub phase: Phase,
    /// Until it runs its program.
    pub channel: Option<Channel>,
    /// Why it never ran.
    failure: Option<(Kind, String)>,
    waiting: Vec<(Waiter, For)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Making,
    Created,
    Starting,
    Running,
    Exited(ExitStatus),
}

/// What a waiter waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    Created,
    Started,
    Exit,
}

pub type Replies = Vec<(Waiter, Reply)>;

impl Process {
    fn new(pid: u32, phase: Phase, channel: Option<Channel>) -> Self {
        Self { pid, phase, channel, failure: None, waiting: Vec::new() }
    }

    pub fn wait(&mut self, waiter: Waiter, what: For) {
        self.waiting.push((waiter, what));
    }

    pub fn exit(&self) -> Option<&ExitStatus> {
        match &self.phase {
            Phase::Exited(status) => Some(status),
            _ => None,
        }
    }

    pub fn state(&self) -> TaskState {
        let pid = self.pid;
        match &self.phase {
            Phase::Making | Phase::Created | Phase::Starting => TaskState::Created { pid },
            Phase::Running => TaskState::Running { pid },
            Phase::Exited(status) => TaskState::Exited(status.clone()),
        }
    }

    fn take(&mut self, what: For) -> impl Iterator<Item = Waiter> {
        let (now, later): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(|(_, w)| *w == what);
        self.waiting = later;
        now.into_iter().map(|(waiter, _)| waiter)
    }

    /// A word from the child. Returns replies, and the terminal that came with it.
    pub fn hear(&mut self, further: bool) -> (Replies, Option<OwnedFd>) {
        let Some(channel) = &self.channel else { return Default::default() };
        let word = channel.receive().unwrap_or_else(Word::Failed);
        let mut replies = Replies::new();
        match word {
            Word::Ready(terminal) => {
                self.phase = Phase::Created;
                let pid = self.pid;
                replies.extend(self.take(For::Created).map(|w| (w, Reply::Pid(pid))));
                return (replies, terminal);
            }
            Word::Started => {
                self.channel = None;
                if self.phase == Phase::Starting {
                    self.phase = Phase::Running;
                    let pid = self.pid;
                    let reply = || if further { Reply::Pid(pid) } else { Reply::Done };
                    replies.extend(self.take(For::Started).map(|w| (w, reply())));
                }
                // Else it died before it could say anything: its exit tells.
            }
            Word::Failed(error) => {
                self.channel = None;
                let (kind, text) = (error.kind(), format!("{error:#}"));
                let failed = || Reply::Failed { kind, text: text.clone() };
                replies.extend(self.take(For::Created).map(|w| (w, failed())));
                replies.extend(self.take(For::Started).map(|w| (w, failed())));
                self.failure = Some((kind, text));
            }
        }
        (replies, None)
    }

    /// What an ended child had to say may still be in its channel.
    fn last_words(&mut self, further: bool) -> Replies {
        if self.channel.is_some() { self.hear(further).0 } else { Replies::new() }
    }

    fn end(&mut self, status: ExitStatus) -> Replies {
        let mut replies = Replies::new();
        self.phase = Phase::Exited(status.clone());
        self.channel = None;
        for what in [For::Created, For::Started] {
            let text = format!("the process ended with code {} before it ran its program", status.code);
            replies.extend(self.take(what).map(|w| (w, Reply::Failed { kind: Kind::Internal, text: text.clone() })));
        }
        replies.extend(self.take(For::Exit).map(|w| (w, Reply::Exit(status.clone()))));
        replies
    }
}

impl Container {
    /// Makes the cgroup and the first process. With our own runtime the reply comes when the child says it stands; a
    /// foreign one has created it on return.
    pub fn create(task: &CreateTask, directory: PathBuf, runtime: Option<&Foreign>) -> Result<Self> {
        let path = task.bundle.join("config.json");
        let text = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
        let spec: Spec = serde_json::from_slice(&text).map_err(|e| {
            Error::new(Kind::InvalidArgument, format!("{} is not an OCI spec", path.display())).with_source(e)
        })?;
        let linux = spec.linux().clone().unwrap_or_default();
        let Some(cgroups_path) = linux.cgroups_path() else { bail!(InvalidArgument, "the spec has no cgroupsPath") };
        let cgroup = Cgroup::of_spec(cgroups_path)?;
        let namespaces = linux.namespaces().clone().unwrap_or_default();
        let own_pids = namespaces.iter().any(|n| n.typ() == LinuxNamespaceType::Pid && n.path().is_none());
        let group = cgroup.path().to_string_lossy().into_owned();
        let trace = Trace { cgroup: group, exit: None, bundle: task.bundle.clone() };
        write_trace(&directory, &task.id, &trace)?;
        let foreign = runtime.cloned();
        // A foreign runtime has its own ways.
        let confinement = if foreign.is_none() { Confinement::of(&spec)? } else { Confinement::default() };
        let (mut io, stdio) = Io::new(task)?;
        let mut lent = Vec::new();
        let (init, holder) = match &foreign {
            Some(foreign) => {
                let created = foreign.create(task, stdio)?;
                if let Some(Err(error)) = created.terminal.map(|t| io.set_terminal(t)) {
                    return Err(error.and_cleanup(foreign.delete(&task.id, &task.bundle)));
                }
                lent = created.lent;
                (Process::new(created.pid, Phase::Created, None), None)
            }
            None => {
                let holder = cgroup.create(linux.resources().as_ref())?;
                match run::create(&spec, &confinement, &cgroup, stdio) {
                    Ok(child) => (Process::new(child.pid, Phase::Making, Some(child.channel)), holder),
                    Err(error) => return Err(error.and_cleanup(cgroup.delete())),
                }
            }
        };
        Ok(Self {
            id: task.id.clone(),
            bundle: task.bundle.clone(),
            directory,
            ooms: Ooms::new(&cgroup),
            cgroup,
            holder,
            foreign,
            lent,
            confinement,
            own_pids,
            init,
            execs: BTreeMap::new(),
            io,
        })
    }

    /// The process `exec`, or the first one.
    pub fn process(&mut self, exec: Option<&str>) -> Result<&mut Process> {
        match exec {
            None => Ok(&mut self.init),
            Some(id) => match self.execs.get_mut(id) {
                Some(process) => Ok(process),
                None => bail!(NotFound, "there is no process {id} in container {}", self.id),
            },
        }
    }

    /// A word from one of its processes, as [`Process::hear`].
    pub fn hear(&mut self, exec: Option<&str>) -> (Replies, Option<OwnedFd>) {
        if exec.is_none() {
            // It stands in the group, or never will.
            self.holder = None;
        }
        self.process(exec).map_or_else(|_| Default::default(), |process| process.hear(exec.is_some()))
    }

    /// `true`: it runs already, as far as a foreign runtime says.
    pub fn start(&mut self) -> Result<bool> {
        if self.init.phase != Phase::Created {
            bail!(FailedPrecondition, "container {} is not waiting to be started", self.id);
        }
        match (&self.foreign, &self.init.channel) {
            (Some(foreign), _) => {
                foreign.start(&self.id, &self.bundle)?;
                self.lent.clear();
                self.init.phase = Phase::Running;
                Ok(true)
            }
            (None, Some(channel)) => {
                channel.start()?;
                self.init.phase = Phase::Starting;
                Ok(false)
            }
            (None, None) => bail!(FailedPrecondition, "container {} has died before its start", self.id),
        }
    }

    /// `true`: it runs already.
    pub fn exec(&mut self, id: &str, process: &OciProcess, stdio: [OwnedFd; 3]) -> Result<bool> {
        if self.init.phase != Phase::Running {
            bail!(FailedPrecondition, "container {} does not run", self.id);
        }
        if self.execs.contains_key(id) {
            bail!(AlreadyExists, "container {} has a process {id}", self.id);
        }
        let (process, runs) = match &self.foreign {
            Some(foreign) => {
                let pid = foreign.exec(&self.id, id, &self.bundle, process, stdio)?;
                (Process::new(pid, Phase::Running, None), true)
            }
            None => {
                let child = run::exec(process, &self.confinement, self.init.pid, &self.cgroup, stdio)?;
                (Process::new(child.pid, Phase::Starting, Some(child.channel)), false)
            }
        };
        self.execs.insert(id.to_owned(), process);
        Ok(runs)
    }

    /// The process with this pid, if it is one of the container's.
    pub fn by_pid(&self, pid: u32) -> Option<Option<String>> {
        let alive = |p: &Process| p.pid == pid && p.exit().is_none();
        if alive(&self.init) {
            return Some(None);
        }
        self.execs.iter().find(|(_, p)| alive(p)).map(|(id, _)| Some(id.clone()))
    }

    /// A process of it has been reaped.
    pub fn ended(&mut self, exec: Option<&str>, code: i32) -> Replies {
        let at = SystemTime::now();
        let Some(exec) = exec else {
            let oom_killed = self.ooms.killed(&self.cgroup);
            self.holder = None;
            self.io.drain();
            self.io.close_input();
            let mut replies = self.init.last_words(false);
            let code = self.init.failure.as_ref().map_or(code, |(kind, _)| match kind {
                Kind::NotFound => 127,
                Kind::PermissionDenied => 126,
                _ => 128,
            });
            let status = ExitStatus { code, at, oom_killed };
            let group = self.cgroup.path().to_string_lossy().into_owned();
            let trace = Trace { cgroup: group, exit: Some(status.clone()), bundle: self.bundle.clone() };
            if let Err(error) = write_trace(&self.directory, &self.id, &trace) {
                eprintln!("{error:#}");
            }
            replies.extend(self.init.end(status));
            return replies;
        };
        match self.execs.get_mut(exec) {
            Some(process) => {
                let mut replies = process.last_words(true);
                let code =
                    process.failure.as_ref().map_or(code, |(kind, _)| if *kind == Kind::NotFound { 127 } else { 126 });
                replies.extend(process.end(ExitStatus { code, at, oom_killed: false }));
                replies
            }
            None => Replies::new(),
        }
    }

    pub fn kill(&mut self, exec: Option<&str>, signal: i32, all: bool) -> Result<()> {
        let id = self.id.clone();
        let process = self.process(exec)?;
        if process.exit().is_some() && !(all && exec.is_none()) {
            bail!(NotFound, "container {id}: the process has ended");
        }
        if let Some(peer) = self.foreign.as_ref().and_then(Foreign::peer) {
            return peer.borrow_mut().kill(&id, exec, signal, all);
        }
        let process = self.process(exec)?;
        if all && exec.is_none() {
            return self.cgroup.signal(signal);
        }
        signal_process(process.pid, signal)
    }

    /// The size of a terminal that is not the shim's to size; `false`: there is none.
    pub fn resize(&self, exec: Option<&str>, columns: u16, rows: u16) -> Result<bool> {
        let Some(peer) = self.foreign.as_ref().and_then(Foreign::peer) else { return Ok(false) };
        peer.borrow_mut().resize(&self.id, exec, columns, rows).map(|()| true)
    }

    /// Its containerd shim has said that a process ended.
    pub fn ended_elsewhere(&mut self, exec: Option<&str>, code: i32) -> Replies {
        // With the shim gone nobody holds what it started: it must not go on under the name of what has ended (threats POD-07).
        if self.foreign.as_ref().and_then(Foreign::peer).is_some_and(|p| p.borrow().socket().is_none())
            && let Err(error) = self.cgroup.kill()
            && !error.is(Kind::NotFound)
        {
            eprintln!("{error:#}");
        }
        match (exec, self.foreign.as_ref().and_then(Foreign::peer)) {
            // So that its output is whole, and its readers see the end.
            (Some(exec), Some(peer)) => {
                if let Err(error) = peer.borrow_mut().delete(&self.id, Some(exec)) {
                    eprintln!("{error:#}");
                }
            }
            _ => self.io.finish(LAST_OUTPUT),
        }
        self.ended(exec, code)
    }

    pub fn usage(&self) -> Result<Usage> {
        match self.foreign.as_ref().and_then(Foreign::peer) {
            Some(peer) => peer.borrow_mut().usage(&self.id),
            None => bail!(Unimplemented, "what container {} uses, its cgroup tells", self.id),
        }
    }

    pub fn update(&self, resources: &LinuxResources) -> Result<()> {
        match &self.foreign {
            Some(foreign) => foreign.update(&self.id, &self.bundle, resources),
            None => self.cgroup.update(resources),
        }
    }

    /// What is left of an ended container: other processes, the cgroup, a runtime's state, the trace.
    pub fn clean_up(&mut self) -> Result<()> {
        if !self.own_pids || !self.cgroup.pids().unwrap_or_default().is_empty() {
            self.cgroup.kill()?;
        }
        if let Some(foreign) = &self.foreign {
            foreign.delete(&self.id, &self.bundle)?;
        }
        self.cgroup.delete()?;
        let trace = self.directory.join(trace_name(&self.id));
        match fs::remove_file(&trace) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &trace, error)),
            _ => Ok(()),
        }
    }
}

pub fn signal_process(pid: u32, signal: i32) -> Result<()> {
    // SAFETY: kill takes two integers. The pid is that of a child not yet reaped, so it cannot be another process.
    if unsafe { libc::kill(pid.cast_signed(), signal) } == 0 {
        return Ok(());
    }
    match std::io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => bail!(NotFound, "process {pid} has gone"),
        error => Err(Error::io("signal process", pid.to_string(), error)),
    }
}

fn write_trace(directory: &std::path::Path, id: &str, trace: &Trace) -> Result<()> {
    let (path, fresh) = (directory.join(trace_name(id)), directory.join(format!("{id}.new")));
    let text = serde_json::to_vec(trace).map_err(|e| Error::new(Kind::Internal, "encode a trace").with_source(e))?;
    fs::write(&fresh, text).map_err(|e| Error::io("write", &fresh, e))?;
    fs::rename(&fresh, &path).map_err(|e| Error::io("rename to", &path, e))
}
