//! The engine in this process as a runtime: CRI without a socket, and what it can tell beyond CRI.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{
    Credentials, Cri, Native, Output, Session,
    types::{ExecRequest, Mode, PullPhase, PullProgress, SnapshotRow},
};
use crate::{
    bail,
    engine::{
        Engine,
        cri::{self, exec::Interactive},
        image::{auth, pull},
        snapshot::{SnapshotKind, Whiteouts},
    },
    error::{Context, Error, Kind, Result},
};

/// Messages of a session that nobody has read yet.
const WAITING: usize = 64;
/// Pieces of input that the command has not read yet.
const KEYS: usize = 4;
/// How long a background child may hold the output after the command has ended.
const DRAIN: Duration = Duration::from_secs(2);

/// # Errors
/// What the engine's Version call reports.
pub async fn over(engine: Arc<Engine>, mode: Mode, read_only: bool) -> Result<Cri> {
    let native = Arc::new(Embedded(Arc::clone(&engine)));
    Cri::over(cri::routes(engine), mode, read_only, native).await
}

#[derive(Debug)]
struct Embedded(Arc<Engine>);

#[async_trait]
impl Native for Embedded {
    async fn snapshots(&self) -> Result<Vec<SnapshotRow>> {
        let snapshotter = &self.0.snapshotter;
        let mut rows = Vec::new();
        for info in snapshotter.walk().await? {
            // Removed meanwhile, say: its size is unknown then.
            let usage = snapshotter.usage(&info.key).await.ok();
            let kind = match info.kind {
                SnapshotKind::Active => "active",
                SnapshotKind::View => "view",
                SnapshotKind::Committed => "committed",
            };
            rows.push(SnapshotRow {
                snapshotter: snapshotter.name().to_owned(),
                namespace: "k8s.io".to_owned(),
                key: info.key,
                parent: info.parent,
                kind: kind.to_owned(),
                bytes: usage.as_ref().map(|u| u.bytes),
                inodes: usage.as_ref().map(|u| u.inodes),
                created: Some(info.created),
                labels: info.labels,
            });
        }
        Ok(rows)
    }

    async fn layer(&self, key: &str) -> Result<Vec<(String, PathBuf)>> {
        let snapshotter = &self.0.snapshotter;
        let (mut chain, mut at) = (Vec::new(), Some(key.to_owned()));
        while let Some(key) = at {
            let place = snapshotter.place(&key).await?;
            if place.whiteouts != Whiteouts::Overlay || snapshotter.is_remote() {
                bail!(Unimplemented, "snapshotter {} keeps no layers as directories", snapshotter.name());
            }
            at = snapshotter.stat(&key).await?.parent;
            chain.push((key, place.directory));
        }
        Ok(chain)
    }

    async fn pull(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String> {
        let credentials = credentials.map(|c| match c.username.is_empty() {
            true => auth::Credentials::bearer(&c.password),
            false => auth::Credentials::basic(&c.username, &c.password),
        });
        let (send, mut told) = mpsc::unbounded_channel();
        // The receiver lives until the pull has ended.
        let report: pull::Report = Arc::new(move |p| drop(send.send(p)));
        let mut work = std::pin::pin!(cri::pull(&self.0, reference, credentials.as_ref(), report));
        let done = loop {
            tokio::select! {
                biased;
                Some(step) = told.recv() => progress(converted(step)),
                done = &mut work => break done,
            }
        };
        while let Ok(step) = told.try_recv() {
            progress(converted(step));
        }
        done.map(|image| image.id.to_string())
    }

    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>> {
        let started = cri::exec::interactive(&self.0, &request.container, &request.command, request.tty, request.stdin);
        Ok(Box::new(Shell::new(started.await?, request.tty)?))
    }
}

fn converted(step: pull::Progress) -> PullProgress {
    let phase = match step.phase {
        pull::Phase::Resolving => PullPhase::Resolving,
        pull::Phase::Downloading => PullPhase::Downloading,
        pull::Phase::Unpacking => PullPhase::Unpacking,
        pull::Phase::Done => PullPhase::Done,
        pull::Phase::Exists => PullPhase::Exists,
    };
    PullProgress { layer: step.digest, done: step.done, total: step.total, phase }
}

/// An interactive command, without a stream in between. Ends the command when it is dropped.
#[derive(Debug)]
struct Shell {
    input: Option<mpsc::Sender<Vec<u8>>>,
    terminal: Option<OwnedFd>,
    output: mpsc::Receiver<Result<Output>>,
}

impl Shell {
    fn new(mut session: Interactive, tty: bool) -> Result<Self> {
        let input = session.input.take();
        let terminal = input.as_ref().filter(|_| tty).map(|fd| fd.try_clone());
        let terminal = terminal.transpose().context(|| "duplicate the terminal".to_owned())?;
        let input = input.map(|fd| {
            let (send, keys) = mpsc::channel(KEYS);
            tokio::task::spawn_blocking(move || feed(fd, keys));
            send
        });
        let (send, output) = mpsc::channel(WAITING);
        let mut readers = Vec::new();
        for (fd, stderr) in [(session.stdout.take(), false), (session.stderr.take(), true)] {
            let Some(fd) = fd else { continue };
            let send = send.clone();
            readers.push(tokio::task::spawn_blocking(move || forward(fd, stderr, &send)));
        }
        tokio::spawn(async move {
            let ended = tokio::select! {
                code = session.wait() => code,
                () = send.closed() => {
                    if let Err(error) = session.hang_up().await {
                        tracing::warn!("end a command that nobody listens to: {error:#}");
                    }
                    return;
                }
            };
            let drained = tokio::time::timeout(DRAIN, futures::future::join_all(readers)).await;
            if drained.is_err() {
                tracing::debug!("a child of the command holds its output");
            }
            let removed = session.end().await;
            // Nobody listening is the other way this ends.
            let _ = send.send(ended.and_then(|code| removed.map(|()| Output::Exit(code)))).await;
        });
        Ok(Self { input, terminal, output })
    }
}

/// Keys to the command until nobody has any, or it reads no more.
fn feed(fd: OwnedFd, mut keys: mpsc::Receiver<Vec<u8>>) {
    let mut file = File::from(fd);
    while let Some(bytes) = keys.blocking_recv() {
        if file.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn forward(fd: OwnedFd, stderr: bool, send: &mpsc::Sender<Result<Output>>) {
    let mut file = File::from(fd);
    let mut buffer = vec![0; 16 << 10];
    loop {
        match file.read(&mut buffer) {
            // A terminal ends with an error when its last process has gone.
            Ok(0) | Err(_) => return,
            Ok(length) => {
                let bytes = buffer[..length].to_vec();
                let output = if stderr { Output::Stderr(bytes) } else { Output::Stdout(bytes) };
                if send.blocking_send(Ok(output)).is_err() {
                    return;
                }
            }
        }
    }
}

#[async_trait]
impl Session for Shell {
    fn take_input(&mut self) -> Option<mpsc::Sender<Vec<u8>>> {
        self.input.take()
    }

    async fn send(&mut self, input: &[u8]) -> Result<()> {
        let Some(keys) = &self.input else { bail!(FailedPrecondition, "the command has no stdin") };
        let sent = keys.send(input.to_vec()).await;
        sent.map_err(|_| Error::new(Kind::Unavailable, "the command reads no more"))
    }

    async fn close_stdin(&mut self) -> Result<()> {
        self.input = None;
        Ok(())
    }

    async fn recv(&mut self) -> Result<Output> {
        match self.output.recv().await {
            Some(output) => output,
            None => bail!(Unavailable, "the session has ended"),
        }
    }

    async fn resize(&mut self, columns: u16, rows: u16) -> Result<()> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(terminal, size).context(|| "resize the terminal".to_owned())
    }
}
