//! The streaming server: exec, attach and port-forward for the kubelet and crictl, over SPDY/3.1 and WebSocket.
//!
//! CRI gives out a URL with a one-time token; whoever comes with it within a minute talks to the command. This file is the
//! listener and what a URL stands for, `upgrade` the HTTP part, `client` and `socket` the two transports, `session` a
//! command with its client, `forward` ports. How commands are started is behind [`Backend`]. (threats STR)

mod client;
mod fd;
mod forward;
mod session;
mod socket;
pub mod tls;
mod tokens;
mod upgrade;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::event::{PollFd, PollFlags};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use session::{Control, Process};

use crate::error::{Context, Error, Result};

/// Clients at one time; the next ones wait.
const CONNECTIONS: usize = 1024;
/// For a client to send its request.
const HEADERS: Duration = Duration::from_secs(10);
/// How often it is looked whether a client that says nothing is still there.
const LOOK: Duration = Duration::from_secs(1);
/// For sessions to end their commands when the server stops.
const STOP: Duration = Duration::from_secs(5);
/// Keep-alive probes: a client that vanished is found after two minutes, also when nothing idles.
const PROBE_AFTER: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(15);
const PROBES: u32 = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub address: SocketAddr,
    /// A connection on which nothing moves for so long is ended.
    pub idle: Duration,
    /// Without, anybody on the way can read along: for the loopback.
    pub tls: Option<tls::Files>,
}

impl Default for Config {
    /// Loopback, a port of the kernel's choice, containerd's four hours.
    fn default() -> Self {
        Self { address: (Ipv4Addr::LOCALHOST, 0).into(), idle: Duration::from_secs(4 * 3600), tls: None }
    }
}

/// What a URL stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Exec {
        container: String,
        command: Vec<String>,
        streams: Wanted,
    },
    Attach {
        container: String,
        streams: Wanted,
    },
    /// `ports` are for the old WebSocket protocol; the others name theirs themselves.
    PortForward {
        pod: String,
        ports: Vec<u16>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub tty: bool,
}

impl Request {
    /// The first part of the URL's path.
    fn path(&self) -> &'static str {
        match self {
            Self::Exec { .. } => "exec",
            Self::Attach { .. } => "attach",
            Self::PortForward { .. } => "portforward",
        }
    }
}

/// What the server serves.
#[async_trait]
pub trait Backend: Send + Sync {
    async fn exec(&self, container: &str, command: &[String], wanted: Wanted) -> Result<Process>;
    async fn attach(&self, container: &str, wanted: Wanted) -> Result<Process>;
    /// A connection to a port as a process in the pod would make it to localhost.
    async fn connect(&self, pod: &str, port: u16) -> Result<TcpStream>;
}

pub struct Server {
    address: SocketAddr,
    idle: Duration,
    tls: Option<tls::Acceptor>,
    tokens: tokens::Tokens<Request>,
    backend: Arc<dyn Backend>,
    stop: CancellationToken,
    sessions: TaskTracker,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Listens and serves until [`Server::stop`].
    ///
    /// # Errors
    /// If the address cannot be bound, or there is no such certificate.
    pub async fn start(config: &Config, backend: Arc<dyn Backend>) -> Result<Arc<Self>> {
        let doing = || format!("listen on {} for exec, attach and port-forward", config.address);
        let tls = config.tls.clone().map(tls::Acceptor::open).transpose().context(doing)?;
        let listener = TcpListener::bind(config.address).await.context(doing)?;
        let server = Arc::new(Self {
            address: listener.local_addr().context(doing)?,
            idle: config.idle,
            tls,
            tokens: tokens::Tokens::default(),
            backend,
            stop: CancellationToken::new(),
            sessions: TaskTracker::new(),
        });
        tracing::info!(address = %server.address, tls = server.tls.is_some(), "streaming");
        if server.tls.is_none() && !server.address.ip().is_loopback() {
            tracing::warn!(
                "streams on {} are not encrypted: set --tls-cert and --tls-key, or stay on the loopback",
                server.address
            );
        }
        tokio::spawn(Arc::clone(&server).listen(listener));
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL that does what `request` says, once, within a minute.
    ///
    /// # Errors
    /// `ResourceExhausted` if too many have not been used yet.
    pub fn url(&self, request: Request) -> Result<String> {
        let path = request.path();
        let token = self.tokens.insert(request, Instant::now())?;
        let host = match self.address {
            any if any.ip().is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, any.port())),
            address => address,
        };
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{host}/{path}/{token}"))
    }

    /// Takes no more, and ends every session with its command.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.sessions.close();
        if tokio::time::timeout(STOP, self.sessions.wait()).await.is_err() {
            tracing::warn!("{} sessions did not end in {} s", self.sessions.len(), STOP.as_secs());
        }
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.cancelled() => return,
            };
            let tcp = match accepted {
                Ok((tcp, _)) => tcp,
                Err(error) => {
                    // Too many open files, say; it passes.
                    tracing::warn!("accept a streaming client: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let server = Arc::clone(&self);
            tokio::spawn(async move {
                if let Err(error) = server.serve(tcp, Arc::new(place)).await {
                    tracing::debug!("a streaming client: {error:#}");
                }
            });
        }
    }

    async fn serve(self: Arc<Self>, tcp: TcpStream, place: Arc<OwnedSemaphorePermit>) -> Result<()> {
        keep_alive(&tcp)?;
        let peer = Arc::new(tcp.as_fd().try_clone_to_owned().context(|| "duplicate a socket".to_owned())?);
        match &self.tls {
            None => Arc::clone(&self).talk(tcp, peer, place).await,
            Some(tls) => {
                let shaken = tokio::select! {
                    shaken = tls.accept(tcp) => shaken?,
                    () = self.stop.cancelled() => return Ok(()),
                };
                Arc::clone(&self).talk(shaken, peer, place).await
            }
        }
    }

    async fn talk<T>(self: Arc<Self>, io: T, peer: Arc<OwnedFd>, place: Arc<OwnedSemaphorePermit>) -> Result<()>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let server = Arc::clone(&self);
        let service = hyper::service::service_fn(move |request| {
            let guest = Guest { peer: Arc::clone(&peer), _place: Arc::clone(&place) };
            let response = upgrade::answer(&server, request, guest);
            async move { Ok::<_, std::convert::Infallible>(response) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_headers(100)
            .max_buf_size(32 << 10)
            .serve_connection(TokioIo::new(io), service)
            .with_upgrades();
        tokio::select! {
            served = connection => {
                served.map_err(|e| Error::new(crate::error::Kind::Unavailable, "serve HTTP").with_source(e))
            }
            () = self.stop.cancelled() => Ok(()),
        }
    }
}

/// A client's socket and its place among the clients, for as long as its session lasts.
struct Guest {
    peer: Arc<OwnedFd>,
    _place: Arc<OwnedSemaphorePermit>,
}

impl Guest {
    /// Resolves when the client has closed or broken its side, also while nobody reads what it sent before.
    async fn left(&self) {
        loop {
            let mut list = [PollFd::new(&*self.peer, PollFlags::RDHUP)];
            match rustix::event::poll(&mut list, Some(&rustix::event::Timespec::default())) {
                Ok(0) | Err(_) => tokio::time::sleep(LOOK).await,
                Ok(_) => return,
            }
        }
    }
}

/// Finds out about a client whose machine has gone.
fn keep_alive(tcp: &TcpStream) -> Result<()> {
    use rustix::net::sockopt;
    let set = || {
        sockopt::set_tcp_nodelay(tcp, true)?;
        sockopt::set_socket_keepalive(tcp, true)?;
        sockopt::set_tcp_keepidle(tcp, PROBE_AFTER)?;
        sockopt::set_tcp_keepintvl(tcp, PROBE_EVERY)?;
        sockopt::set_tcp_keepcnt(tcp, PROBES)?;
        let longest = PROBE_AFTER + PROBE_EVERY * PROBES;
        sockopt::set_tcp_user_timeout(tcp, u32::try_from(longest.as_millis()).unwrap_or(u32::MAX))
    };
    set().context(|| "set a socket's options".to_owned())
}
