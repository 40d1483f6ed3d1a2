//! Exec, Attach and PortForward: what a request means, and how the streaming server reaches containers and pods.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use tokio::net::{TcpSocket, TcpStream};
use tonic::async_trait;

use super::{
    exec::{self, Interactive},
    pod::blocking,
    state::PodState,
};
use crate::{
    bail,
    engine::{
        Engine,
        network::netns,
        shim::Task,
        streaming::{Backend, Control, Process, Request, Wanted},
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// For a connection inside a pod to stand.
const CONNECT: Duration = Duration::from_secs(10);

pub async fn exec(engine: &Arc<Engine>, request: cri::ExecRequest) -> Result<String> {
    let streams = Wanted { stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty };
    valid("exec", &request.container_id, streams)?;
    if request.cmd.is_empty() {
        bail!(InvalidArgument, "exec in container {}: there is no command", request.container_id);
    }
    let container = exec::running(engine, &request.container_id)?.id.clone();
    engine.streaming().await?.url(Request::Exec { container, command: request.cmd, streams })
}

pub async fn attach(engine: &Arc<Engine>, request: cri::AttachRequest) -> Result<String> {
    let streams = Wanted { stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, tty: request.tty };
    valid("attach", &request.container_id, streams)?;
    let container = exec::running(engine, &request.container_id)?.id.clone();
    engine.streaming().await?.url(Request::Attach { container, streams })
}

pub async fn port_forward(engine: &Arc<Engine>, request: cri::PortForwardRequest) -> Result<String> {
    let (pod, _) = ready(engine, &request.pod_sandbox_id)?;
    let port = |p: &i32| match u16::try_from(*p) {
        Ok(port @ 1..) => Ok(port),
        _ => bail!(InvalidArgument, "port-forward to pod sandbox {pod}: there is no port {p}"),
    };
    let ports = request.port.iter().map(port).collect::<Result<_>>()?;
    engine.streaming().await?.url(Request::PortForward { pod, ports })
}

fn valid(what: &str, container: &str, streams: Wanted) -> Result<()> {
    if container.is_empty() {
        bail!(InvalidArgument, "{what}: no container id");
    }
    if streams.tty && streams.stderr {
        bail!(InvalidArgument, "{what} in container {container}: a terminal has no stderr of its own");
    }
    if !(streams.stdin || streams.stdout || streams.stderr) {
        bail!(InvalidArgument, "{what} in container {container}: one of stdin, stdout and stderr must be wanted");
    }
    Ok(())
}

/// Id and network namespace (`None` is the host's) of a pod that runs.
fn ready(engine: &Engine, id: &str) -> Result<(String, Option<PathBuf>)> {
    let record = engine.pods.pod(id)?.record();
    if record.state != PodState::Ready {
        bail!(FailedPrecondition, "pod sandbox {} is not ready", record.id);
    }
    Ok((record.id.clone(), record.netns.clone()))
}

/// The engine as the streaming server sees it.
pub fn streams(engine: &Arc<Engine>) -> Arc<dyn Backend> {
    Arc::new(Streams(Arc::downgrade(engine)))
}

struct Streams(Weak<Engine>);

impl Streams {
    fn engine(&self) -> Result<Arc<Engine>> {
        self.0.upgrade().ok_or_else(|| Error::new(Kind::Unavailable, "the engine is ending"))
    }
}

#[async_trait]
impl Backend for Streams {
    async fn exec(&self, container: &str, command: &[String], wanted: Wanted) -> Result<Process> {
        let engine = self.engine()?;
        let mut session = exec::interactive(&engine, container, command, wanted.tty, wanted.stdin).await?;
        let input = session.input.take();
        let terminal = match &input {
            Some(master) if wanted.tty => Some(master.try_clone().context(|| "duplicate the terminal".to_owned())),
            _ => None,
        };
        Ok(Process {
            input: input.filter(|_| wanted.stdin),
            stdout: session.stdout.take(),
            stderr: session.stderr.take(),
            ends_with_input: false,
            control: Box::new(Command { terminal: Mutex::new(terminal.transpose()?), session }),
        })
    }

    async fn attach(&self, container: &str, wanted: Wanted) -> Result<Process> {
        let engine = self.engine()?;
        let record = exec::running(&engine, container)?;
        let task = engine.pods.pod(&record.pod)?.live_task()?;
        let [input, stdout, stderr] = task.attach(&record.id).await?;
        let input = input.filter(|_| wanted.stdin);
        Ok(Process {
            // As containerd: only a container that reads one client's input to its end outlives that end.
            ends_with_input: input.is_some() && (record.config.tty || !record.config.stdin_once),
            input,
            stdout,
            stderr,
            control: Box::new(Attached { task, container: record.id.clone(), tty: record.config.tty }),
        })
    }

    async fn connect(&self, pod: &str, port: u16) -> Result<TcpStream> {
        let (pod, netns) = ready(&*self.engine()?, pod)?;
        let doing = || format!("connect to port {port} of pod sandbox {pod}");
        let [v4, v6] = blocking(move || match netns {
            // A socket stays in the namespace it was made in.
            Some(path) => netns::inside(&path, sockets),
            None => sockets(),
        })
        .await
        .context(doing)?;
        let first = match v4 {
            Some(socket) => reach(socket, (Ipv4Addr::LOCALHOST, port).into()).await,
            None => Err(Error::new(Kind::Unavailable, "there is no IPv4")),
        };
        let (Err(error), Some(socket)) = (&first, v6) else { return first.context(doing) };
        match reach(socket, (Ipv6Addr::LOCALHOST, port).into()).await {
            Ok(stream) => Ok(stream),
            Err(other) => Err(Error::new(error.kind(), format!("{error:#}; {other:#}"))).context(doing),
        }
    }
}

/// TCP sockets of the thread's network namespace, as far as it knows the families.
fn sockets() -> Result<[Option<OwnedFd>; 2]> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let open = |family| rustix::net::socket_with(family, SocketType::STREAM, flags, None);
    let v4 = open(AddressFamily::INET);
    match (v4, open(AddressFamily::INET6).ok()) {
        (Err(error), None) => Err(error).context(|| "make a socket".to_owned()),
        (v4, v6) => Ok([v4.ok(), v6]),
    }
}

async fn reach(socket: OwnedFd, to: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::from_std_stream(socket.into());
    match tokio::time::timeout(CONNECT, socket.connect(to)).await {
        Ok(connected) => connected.context(|| to.to_string()),
        Err(_) => bail!(DeadlineExceeded, "{to}: no answer in {} s", CONNECT.as_secs()),
    }
}

/// A command whose client is elsewhere.
#[derive(Debug)]
struct Command {
    terminal: Mutex<Option<OwnedFd>>,
    session: Interactive,
}

#[async_trait]
impl Control for Command {
    async fn wait(&self) -> Result<Option<i32>> {
        self.session.wait().await.map(Some)
    }

    async fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        {
            let terminal = self.terminal.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(terminal) = &*terminal else { return Ok(()) };
            let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
            rustix::termios::tcsetwinsize(terminal.as_fd(), size).context(|| "resize the terminal".to_owned())?;
        }
        self.session.resize(columns, rows).await
    }

    async fn end(&self, abandoned: bool) -> Result<()> {
        drop(self.terminal.lock().unwrap_or_else(PoisonError::into_inner).take());
        if abandoned { self.session.hang_up().await } else { self.session.end().await }
    }
}

/// A container's own streams, at which a client looks on.
#[derive(Debug)]
struct Attached {
    task: Arc<dyn Task>,
    container: String,
    tty: bool,
}

#[async_trait]
impl Control for Attached {
    async fn wait(&self) -> Result<Option<i32>> {
        Ok(None)
    }

    async fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        if !self.tty {
            return Ok(());
        }
        self.task.resize(&self.container, None, columns, rows).await
    }

    async fn end(&self, _abandoned: bool) -> Result<()> {
        Ok(())
    }
}
