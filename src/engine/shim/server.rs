//! The shim process: sets the pod up, then answers the engine, moves output to logs and reaps, all in one poll loop.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    io::Write,
    os::{
        fd::{AsFd, FromRawFd, OwnedFd},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags},
    io::Errno,
    process::WaitOptions,
};

use super::{
    ForeignShim, PodSpec, Runtime,
    command::CommandLine,
    connection::{self, Connection},
    container::{Container, For, Replies, Waiter, signal_process},
    containerd::Peer,
    foreign::Foreign,
    io::Ready,
    sandbox,
    wire::{self, Reply, Request, Which},
};
use crate::{
    bail,
    engine::{
        cgroup::Cgroup,
        run::{self, Pause, Word},
    },
    error::{Context, Error, Kind, Result},
};

/// Connections at one time; an engine has one for each wait and each call.
const CONNECTIONS: usize = 4096;

/// The shim of the pod with that directory. Says on stdout how its start went, then goes on alone.
pub fn main(directory: &Path) -> ExitCode {
    let started = Server::start(directory.to_owned());
    let (reply, server) = match started {
        Ok(server) => (server.hello(), Some(server)),
        Err(error) => (Reply::from(error), None),
    };
    let told = wire::encode(&reply).and_then(|bytes| {
        let mut out = std::io::stdout();
        out.write_all(&bytes).and_then(|()| out.flush()).map_err(|e| Error::io("write to", "the engine", e))
    });
    let Some(mut server) = server else { return ExitCode::FAILURE };
    // An engine that did not wait for us will not come back for the pod either.
    let told = told.map_err(|error| error.and_cleanup(server.shut_down()));
    match told.and_then(|()| detach()).and_then(|()| server.serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Lets go of the engine's pipe. stderr stays: it is the shim's log file.
fn detach() -> Result<()> {
    let null =
        fs::File::options().read(true).write(true).open("/dev/null").map_err(|e| Error::io("open", "/dev/null", e))?;
    rustix::stdio::dup2_stdin(&null).context(|| "leave stdin".to_owned())?;
    rustix::stdio::dup2_stdout(&null).context(|| "leave stdout".to_owned())
}

struct Server {
    directory: PathBuf,
    pod: PodSpec,
    cgroup: Cgroup,
    pause: u32,
    /// What makes the containers, if it is not wharf.
    foreign: Option<Foreign>,
    listener: UnixListener,
    signals: OwnedFd,
    connections: BTreeMap<Waiter, Connection>,
    next: Waiter,
    containers: BTreeMap<String, Container>,
    /// Deletes that wait for an exit: the waiter, and what.
    deletes: Vec<(Waiter, Which)>,
    ending: bool,
}

/// Who became ready.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Signals,
    Listener,
    Connection(Waiter),
    Channel(String, Option<String>),
    /// Something about a container's memory changed.
    Memory(String),
    Io(String, Ready),
    /// A containerd shim said something.
    Peer,
}

impl Server {
    fn start(directory: PathBuf) -> Result<Self> {
        rustix::process::setsid().context(|| "make a session".to_owned())?;
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .context(|| "become the reaper".to_owned())?;
        let path = directory.join(wire::POD);
        let text = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
        let pod: PodSpec = serde_json::from_slice(&text)
            .map_err(|e| Error::new(Kind::InvalidArgument, format!("{} is no pod", path.display())).with_source(e))?;
        let signals = signals()?;
        let listener = connection::listen(&directory)?;
        let cgroup = Cgroup::new(&pod.cgroup)?;
        // Kept until the pause process stands.
        let _holder = cgroup.create(None)?;
        let pause = match start_pause(&pod, &directory, &cgroup) {
            Ok(pause) => pause,
            Err(error) => return Err(error.and_cleanup(cgroup.delete())),
        };
        let foreign = match &pod.runtime {
            Runtime::BuiltIn => Ok(None),
            Runtime::Command(program) => {
                Ok(Some(Foreign::Command(CommandLine::new(program, &directory, cgroup.is_scope()))))
            }
            Runtime::Shim(shim) => start_sandbox(shim, &pod, pause, &directory, &cgroup).map(Some),
        };
        match foreign {
            Ok(foreign) => Ok(Self {
                directory,
                pod,
                cgroup,
                pause,
                foreign,
                listener,
                signals,
                connections: BTreeMap::new(),
                next: 0,
                containers: BTreeMap::new(),
                deletes: Vec::new(),
                ending: false,
            }),
            Err(error) => Err(error.and_cleanup(cgroup.kill().and_then(|()| cgroup.delete()))),
        }
    }

    fn peer(&self) -> Option<&RefCell<Peer>> {
        self.foreign.as_ref().and_then(Foreign::peer)
    }

    fn hello(&self) -> Reply {
        Reply::Hello { version: wire::VERSION, shim: std::process::id(), pause: self.pause }
    }

    fn serve(mut self) -> Result<()> {
        while !(self.ending && self.connections.values().all(|c| c.output.is_empty())) {
            for source in self.wait()? {
                self.handle(source)?;
            }
            let now = Instant::now();
            self.containers.values_mut().for_each(|c| c.io.expire(now));
            self.connections.retain(|_, c| !c.done);
        }
        Ok(())
    }

    fn wait(&self) -> Result<Vec<Source>> {
        let mut sources = vec![Source::Signals, Source::Listener];
        let peer = self.peer().map(RefCell::borrow);
        if peer.as_ref().is_some_and(|p| p.is_pending()) {
            return Ok(vec![Source::Peer]);
        }
        let mut list = vec![
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(
                &self.listener,
                if self.connections.len() < CONNECTIONS { PollFlags::IN } else { PollFlags::empty() },
            ),
        ];
        if let Some(socket) = peer.as_ref().and_then(|p| p.socket()) {
            sources.push(Source::Peer);
            list.push(PollFd::from_borrowed_fd(socket, PollFlags::IN));
        }
        for (id, connection) in &self.connections {
            let mut flags = if connection.asked { PollFlags::empty() } else { PollFlags::IN };
            if !connection.output.is_empty() {
                flags |= PollFlags::OUT;
            }
            sources.push(Source::Connection(*id));
            list.push(PollFd::new(&connection.stream, flags));
        }
        for (id, container) in &self.containers {
            let init = std::iter::once((None, &container.init));
            for (exec, process) in init.chain(container.execs.iter().map(|(id, p)| (Some(id.clone()), p))) {
                if let Some(channel) = &process.channel {
                    sources.push(Source::Channel(id.clone(), exec));
                    list.push(PollFd::from_borrowed_fd(channel.as_fd(), PollFlags::IN));
                }
            }
            if let Some((events, flags)) = container.ooms.events() {
                sources.push(Source::Memory(id.clone()));
                list.push(PollFd::from_borrowed_fd(events, flags));
            }
            let mut streams = Vec::new();
            container.io.poll(&mut streams);
            for (ready, fd) in streams {
                sources.push(Source::Io(id.clone(), ready));
                list.push(fd);
            }
        }
        let until = self.containers.values().filter_map(|c| c.io.deadline()).min();
        let limit = until.map(|u| u.saturating_duration_since(Instant::now()) + Duration::from_millis(1));
        let limit = limit.and_then(|l| rustix::event::Timespec::try_from(l).ok());
        match rustix::event::poll(&mut list, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context(|| "wait for events".to_owned()),
        }
        let ready = sources.into_iter().zip(&list).filter(|(_, fd)| !fd.revents().is_empty());
        Ok(ready.map(|(source, _)| source).collect())
    }

    fn handle(&mut self, source: Source) -> Result<()> {
        match source {
            Source::Signals => {
                let mut buffer = [0; size_of::<libc::signalfd_siginfo>()];
                // One read takes one record; several children may be behind it.
                match rustix::io::read(&self.signals, &mut buffer) {
                    Ok(_) | Err(Errno::AGAIN | Errno::INTR) => self.reap()?,
                    Err(error) => return Err(error).context(|| "read signals".to_owned()),
                }
            }
            Source::Listener => self.accept()?,
            Source::Connection(id) => self.serve_connection(id),
            Source::Channel(container, exec) => {
                if let Some(found) = self.containers.get_mut(&container) {
                    let (mut replies, terminal) = found.hear(exec.as_deref());
                    if let Some(terminal) = terminal
                        && let Err(error) = found.io.set_terminal(terminal)
                    {
                        replies = replies
                            .into_iter()
                            .map(|(w, _)| (w, Reply::Failed { kind: error.kind(), text: format!("{error:#}") }))
                            .collect();
                    }
                    self.reply_all(replies);
                }
            }
            Source::Memory(container) => {
                if let Some(found) = self.containers.get_mut(&container) {
                    found.ooms.look();
                }
            }
            Source::Io(container, ready) => {
                if let Some(found) = self.containers.get_mut(&container) {
                    found.io.handle(ready);
                }
            }
            Source::Peer => {
                for end in self.peer().map(|p| p.borrow_mut().ends()).unwrap_or_default() {
                    let Some(found) = self.containers.get_mut(&end.container) else { continue };
                    let replies = found.ended_elsewhere(end.exec.as_deref(), end.code);
                    self.reply_all(replies);
                    self.finish_deletes(&Which { container: end.container, exec: end.exec });
                }
            }
        }
        Ok(())
    }

    fn reap(&mut self) -> Result<()> {
        loop {
            let (pid, status) = match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some(found)) => found,
                Ok(None) | Err(Errno::CHILD) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error).context(|| "reap".to_owned()),
            };
            let code = status.exit_status().or(status.terminating_signal().map(|s| 128 + s)).unwrap_or(255);
            let pid = pid.as_raw_pid().unsigned_abs();
            let found = self.containers.values_mut().find_map(|c| c.by_pid(pid).map(|exec| (c, exec)));
            if let Some((container, exec)) = found {
                let replies = container.ended(exec.as_deref(), code);
                let which = Which { container: container.id.clone(), exec };
                self.reply_all(replies);
                self.finish_deletes(&which);
            }
        }
    }

    fn finish_deletes(&mut self, which: &Which) {
        let (now, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.deletes).into_iter().partition(|(_, w)| w == which);
        self.deletes = later;
        for (waiter, which) in now {
            if let Some(reply) = self.delete(waiter, &which) {
                self.reply(waiter, reply);
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted) => {
                return Ok(());
            }
            // Too many open files, say: the engine sees its call fail, the pod goes on.
            Err(error) => {
                eprintln!("accept: {error}");
                return Ok(());
            }
        };
        if connection::peer_uid(&stream)? != rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        self.connections.insert(self.next, Connection::new(stream)?);
        self.next += 1;
        Ok(())
    }

    fn serve_connection(&mut self, id: Waiter) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !connection.output.is_empty() {
            connection.flush();
            return;
        }
        if connection.asked {
            // Hung up while waiting: nobody wants the reply any more.
            connection.done = true;
            return;
        }
        let request = match wire::receive(&connection.stream, &mut connection.input, &mut connection.fds) {
            Ok(0) => {
                connection.done = true;
                return;
            }
            Ok(_) => wire::decode::<Request>(&connection.input),
            Err(Errno::AGAIN | Errno::INTR) => return,
            Err(error) => Err(Error::io("receive", "a request", error)),
        };
        let request = match request {
            Ok(None) => return,
            Ok(Some(request)) => request,
            Err(error) => return self.reply(id, error.into()),
        };
        connection.asked = true;
        let fds = std::mem::take(&mut connection.fds);
        connection.input = Vec::new();
        match self.answer(id, request, fds) {
            Ok(Some(reply)) => self.reply(id, reply),
            Ok(None) => {}
            Err(error) => self.reply(id, error.into()),
        }
    }

    /// `None`: the reply comes later.
    fn answer(&mut self, from: Waiter, request: Request, fds: Vec<OwnedFd>) -> Result<Option<Reply>> {
        match request {
            Request::Hello { .. } => return Ok(Some(self.hello())),
            Request::Create(task) => {
                if self.containers.contains_key(&task.id) {
                    bail!(AlreadyExists, "there is a container {}", task.id);
                }
                let mut container = Container::create(&task, self.directory.clone(), self.foreign.as_ref())?;
                let now = container.init.channel.is_none().then_some(Reply::Pid(container.init.pid));
                if now.is_none() {
                    container.init.wait(from, For::Created);
                }
                self.containers.insert(task.id, container);
                return Ok(now);
            }
            Request::Start { id } => {
                let container = self.container(&id)?;
                if container.start()? {
                    return Ok(Some(Reply::Done));
                }
                container.init.wait(from, For::Started);
                return Ok(None);
            }
            Request::Exec { container, id, process } => {
                let Ok(stdio) = <[OwnedFd; 3]>::try_from(fds) else {
                    bail!(InvalidArgument, "exec needs three descriptors")
                };
                let container = self.container(&container)?;
                let runs = container.exec(&id, &process, stdio)?;
                let process = container.process(Some(&id))?;
                if runs {
                    return Ok(Some(Reply::Pid(process.pid)));
                }
                process.wait(from, For::Started);
                return Ok(None);
            }
            Request::Kill { of, signal, all } => {
                self.container(&of.container)?.kill(of.exec.as_deref(), signal, all)?
            }
            Request::Wait(which) => {
                let process = self.container(&which.container)?.process(which.exec.as_deref())?;
                if let Some(status) = process.exit() {
                    return Ok(Some(Reply::Exit(status.clone())));
                }
                process.wait(from, For::Exit);
                return Ok(None);
            }
            Request::State(which) => {
                let state = self.container(&which.container)?.process(which.exec.as_deref())?.state();
                return Ok(Some(Reply::State(state)));
            }
            Request::Resize { of, columns, rows } => self.resize(&of, columns, rows)?,
            Request::ReopenLog { id } => self.container(&id)?.io.reopen_log()?,
            Request::Attach { id } => {
                let ends = self.container(&id)?.io.attach()?;
                let which = [ends[0].is_some(), ends[1].is_some(), ends[2].is_some()];
                if let Some(connection) = self.connections.get_mut(&from) {
                    connection.output_fds = ends.into_iter().flatten().collect();
                }
                return Ok(Some(Reply::Attached(which)));
            }
            Request::Update { id, resources } => self.container(&id)?.update(&resources)?,
            Request::Usage { id } => return self.container(&id)?.usage().map(Reply::Usage).map(Some),
            Request::Delete(which) => return Ok(self.delete(from, &which)),
            Request::Shutdown => {
                self.shut_down()?;
            }
        }
        Ok(Some(Reply::Done))
    }

    fn container(&mut self, id: &str) -> Result<&mut Container> {
        match self.containers.get_mut(id) {
            Some(container) => Ok(container),
            None => bail!(NotFound, "pod {} has no container {id}", self.pod.id),
        }
    }

    fn resize(&mut self, of: &Which, columns: u16, rows: u16) -> Result<()> {
        let container = self.container(&of.container)?;
        if container.resize(of.exec.as_deref(), columns, rows)? {
            return Ok(());
        }
        let Some(terminal) = container.io.terminal().filter(|_| of.exec.is_none()) else {
            bail!(FailedPrecondition, "the process has no terminal of the shim's");
        };
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(terminal, size).context(|| "resize the terminal".to_owned())
    }

    /// `None`: it was killed, and is deleted when it has gone.
    fn delete(&mut self, from: Waiter, which: &Which) -> Option<Reply> {
        let outcome = (|| {
            let container = self.container(&which.container)?;
            let process = container.process(which.exec.as_deref())?;
            let Some(status) = process.exit().cloned() else {
                container.kill(which.exec.as_deref(), libc::SIGKILL, which.exec.is_none())?;
                return Ok(None);
            };
            match &which.exec {
                Some(exec) => drop(container.execs.remove(exec)),
                None => {
                    container.clean_up()?;
                    self.containers.remove(&which.container);
                }
            }
            Ok(Some(status))
        })();
        match outcome {
            Ok(Some(status)) => Some(Reply::Exit(status)),
            Ok(None) => {
                self.deletes.push((from, which.clone()));
                None
            }
            Err(error) => Some(Error::into(error)),
        }
    }

    /// Everything of the pod ends; the loop stops when the reply is out.
    fn shut_down(&mut self) -> Result<()> {
        let mut first: Option<Error> = None;
        let mut keep = |result: Result<()>| {
            if let Err(error) = result {
                first = Some(match first.take() {
                    Some(before) => before.and_cleanup(Err(error)),
                    None => error,
                });
            }
        };
        for container in self.containers.values_mut() {
            keep(container.clean_up());
        }
        if let Some(peer) = self.peer() {
            peer.borrow_mut().shut_down();
            keep(Cgroup::new(sandbox::cgroup(&self.pod.cgroup)).and_then(|c| c.kill().and_then(|()| c.delete())));
        }
        match signal_process(self.pause, libc::SIGKILL) {
            Err(error) if !error.is(Kind::NotFound) => keep(Err(error)),
            _ => {}
        }
        keep(self.cgroup.kill());
        keep(self.cgroup.delete());
        match first {
            Some(error) => Err(error),
            None => {
                self.containers.clear();
                self.ending = true;
                Ok(())
            }
        }
    }

    fn reply_all(&mut self, replies: Replies) {
        for (waiter, reply) in replies {
            self.reply(waiter, reply);
        }
    }

    fn reply(&mut self, to: Waiter, reply: Reply) {
        let Some(connection) = self.connections.get_mut(&to) else { return };
        match wire::encode(&reply).or_else(|error| wire::encode(&Reply::from(error))) {
            Ok(bytes) => connection.output = bytes,
            Err(_) => connection.done = true,
        }
        connection.flush();
    }
}

/// SIGCHLD by a descriptor; signals that would end the shim with its engine's session are ignored.
fn signals() -> Result<OwnedFd> {
    // SAFETY: the set is initialised before use; the descriptor is new and ours.
    unsafe {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGPIPE] {
            libc::signal(signal, libc::SIG_IGN);
        }
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 {
            return Err(std::io::Error::last_os_error()).context(|| "make a signal descriptor".to_owned());
        }
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// A containerd shim, with the pod's sandbox running under it.
fn start_sandbox(shim: &ForeignShim, pod: &PodSpec, pause: u32, directory: &Path, cgroup: &Cgroup) -> Result<Foreign> {
    let bundle = sandbox::bundle(directory, &pod.id);
    sandbox::write(pod, pause, &bundle)?;
    let mut peer = Peer::start(shim, &pod.id, &bundle, cgroup)?;
    let begun = peer.create(&pod.id, &bundle, [None; 3], false).and_then(|_| peer.start_process(&pod.id, None));
    match begun {
        Ok(_) => Ok(Foreign::Shim(Rc::new(RefCell::new(peer)))),
        Err(error) => {
            peer.shut_down();
            let group = Cgroup::new(sandbox::cgroup(&pod.cgroup)).and_then(|c| c.kill().and_then(|()| c.delete()));
            Err(error.context("start the pod's sandbox").and_cleanup(group))
        }
    }
}

fn start_pause(pod: &PodSpec, directory: &Path, cgroup: &Cgroup) -> Result<u32> {
    let child = run::pause(
        &Pause {
            namespaces: pod.namespaces.clone(),
            netns: pod.netns.clone(),
            users: pod.users.clone(),
            hostname: pod.hostname.clone(),
            sysctls: pod.sysctls.clone(),
            oom_score_adj: pod.oom_score_adj,
            directory: directory.to_owned(),
        },
        cgroup,
    )?;
    match child.channel.receive()? {
        Word::Ready(_) => Ok(child.pid),
        Word::Failed(error) => {
            let pid = rustix::process::Pid::from_raw(child.pid.cast_signed());
            let reaped =
                rustix::process::waitpid(pid, WaitOptions::empty()).context(|| "reap the pause process".to_owned());
            Err(error.context("start the pause process").and_cleanup(reaped.map(drop)))
        }
        Word::Started => bail!(Internal, "the pause process died before it stood"),
    }
}
