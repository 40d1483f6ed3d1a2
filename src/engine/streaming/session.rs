//! A command, or an attach, with its client: bytes both ways, sizes of the terminal, the end. Which transport the client
//! came by is not known here.

use std::{fmt, os::fd::OwnedFd, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{fd::Fd, socket};
use crate::{
    error::Result,
    streams::{LastWord, spdy},
};

/// How long a background child may hold the output, silent, after the command has ended (threats STR-04).
const DRAIN: Duration = Duration::from_secs(2);
/// What may be in a pipe when the command ends: pipe-max-size of an unprivileged process.
const LEFT: usize = 1 << 20;
/// Bytes of a size that has not come to its end.
const SIZE: usize = 4096;

/// What a client talks with.
#[derive(Debug)]
pub struct Process {
    /// The terminal's master, or the write end of stdin.
    pub input: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    /// The session ends when the client's input does: an attach to a container that keeps its stdin open.
    pub ends_with_input: bool,
    pub control: Box<dyn Control>,
}

#[async_trait]
pub trait Control: fmt::Debug + Send + Sync {
    /// The exit code when it ends; `None` if only the end of its output tells.
    async fn wait(&self) -> Result<Option<i32>>;
    async fn resize(&self, columns: u16, rows: u16) -> Result<()>;
    /// Called once, at the end. `abandoned`: the client left a command that still runs.
    async fn end(&self, abandoned: bool) -> Result<()>;
}

/// Bytes from the client.
pub enum Input {
    Spdy(spdy::Reader),
    Socket(mpsc::Receiver<Bytes>),
}

/// Bytes to the client.
pub enum Output {
    Spdy(spdy::Writer),
    Socket(socket::Channel),
}

/// The client's side of a session.
pub struct Client {
    pub stdin: Option<Input>,
    pub stdout: Option<Output>,
    pub stderr: Option<Output>,
    pub resize: Option<Input>,
    pub status: Output,
    /// Since v4 the last word is JSON.
    pub json: bool,
    /// Cancelled when there is nobody any more.
    pub gone: CancellationToken,
}

impl Input {
    /// `None` at the end. Cancel safe.
    pub async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Spdy(reader) => reader.read().await,
            Self::Socket(channel) => channel.recv().await,
        }
    }
}

impl Output {
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::Spdy(writer) => writer.write(bytes).await,
            Self::Socket(channel) => channel.write(bytes).await,
        }
    }

    pub async fn finish(&mut self) -> Result<()> {
        match self {
            Self::Spdy(writer) => writer.finish().await,
            // WebSocket channels of a server have no end of their own.
            Self::Socket(_) => Ok(()),
        }
    }
}

impl Client {
    /// Ends every stream with the last word on the error channel.
    pub async fn say(&mut self, word: &LastWord) -> Result<()> {
        for output in [&mut self.stdout, &mut self.stderr].into_iter().flatten() {
            output.finish().await?;
        }
        let text = if self.json { word.to_json() } else { word.text().into_bytes() };
        if !text.is_empty() {
            self.status.write(text.into()).await?;
        }
        self.status.finish().await
    }
}

/// Runs to the end of the command or of the client, and ends what has to be ended. `None`: the client has gone.
pub async fn run(process: Process, client: &mut Client) -> Option<LastWord> {
    let Process { input, stdout, stderr, ends_with_input, control } = process;
    let gone = client.gone.clone();
    let (tell, ended) = watch::channel(false);
    let outcome = {
        let outputs = async {
            tokio::join!(
                carry_out(stdout, client.stdout.as_mut(), ended.clone()),
                carry_out(stderr, client.stderr.as_mut(), ended.clone()),
            )
        };
        let exit = async {
            let code = control.wait().await;
            tell.send_replace(!matches!(code, Ok(None)));
            code
        };
        let work = async { tokio::join!(exit, outputs).0 };
        let sizes = carry_sizes(client.resize.as_mut(), &*control);
        let input = async {
            carry_in(client.stdin.as_mut(), input).await;
            if !ends_with_input {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            code = work => Some(code),
            () = input => Some(Ok(None)),
            () = sizes => None,
            () = gone.cancelled() => None,
        }
    };
    let ended = control.end(outcome.is_none()).await;
    if let Err(error) = ended {
        tracing::warn!("the end of a session: {error:#}");
    }
    Some(match outcome? {
        Ok(None | Some(0)) => LastWord::Success,
        Ok(Some(code)) => LastWord::ExitCode(code),
        Err(error) => LastWord::Failed(format!("{error:#}")),
    })
}

/// From the command to the client, or to nobody who does not want it.
async fn carry_out(fd: Option<OwnedFd>, mut to: Option<&mut Output>, mut ended: watch::Receiver<bool>) {
    let Some(fd) = fd else { return };
    let fd = match Fd::new(fd) {
        Ok(fd) => fd,
        Err(error) => return tracing::warn!("{error:#}"),
    };
    let mut buffer = BytesMut::new();
    let (mut patience, mut left) = (DRAIN, LEFT);
    loop {
        let over = *ended.borrow();
        let begun = Instant::now();
        let length = if over {
            tokio::time::timeout(patience, fd.read(&mut buffer, spdy::PIECE)).await.unwrap_or(0)
        } else {
            tokio::select! {
                biased;
                length = fd.read(&mut buffer, spdy::PIECE) => length,
                // It ended: read on, but not for ever.
                _ = ended.changed() => continue,
            }
        };
        if over {
            patience = patience.saturating_sub(begun.elapsed());
            left = left.saturating_sub(length);
        }
        if length == 0 || over && left == 0 {
            break;
        }
        if let Some(output) = &mut to
            && output.write(buffer.split().freeze()).await.is_err()
        {
            // The client has gone, which the session sees by itself.
            return;
        }
    }
    if let Some(output) = to {
        // As above.
        drop(output.finish().await);
    }
}

/// From the client to the command. Ends when the client's input does; what a command does not want is read all the same,
/// so that the connection's other streams go on.
async fn carry_in(from: Option<&mut Input>, to: Option<OwnedFd>) {
    let Some(from) = from else { return std::future::pending().await };
    let mut fd = match to.map(Fd::new).transpose() {
        Ok(fd) => fd,
        Err(error) => {
            tracing::warn!("{error:#}");
            None
        }
    };
    while let Some(bytes) = from.next().await {
        if let Some(open) = &fd
            && open.write(&bytes).await.is_err()
        {
            fd = None;
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Size {
    width: u32,
    height: u32,
}

/// Never ends by itself.
async fn carry_sizes(from: Option<&mut Input>, control: &dyn Control) {
    let Some(from) = from else { return std::future::pending().await };
    let mut text = Vec::new();
    while let Some(bytes) = from.next().await {
        text.extend_from_slice(&bytes);
        for (columns, rows) in sizes(&mut text) {
            if let Err(error) = control.resize(columns, rows).await {
                tracing::debug!("resize: {error:#}");
            }
        }
    }
    std::future::pending().await
}

/// The whole sizes at the front of `text`, which keeps the rest. A terminal has at least one row and column.
fn sizes(text: &mut Vec<u8>) -> Vec<(u16, u16)> {
    let mut stream = serde_json::Deserializer::from_slice(text).into_iter::<Size>();
    let (mut found, mut done, mut broken) = (Vec::new(), 0, false);
    loop {
        match stream.next() {
            Some(Ok(size)) => {
                let clamp = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
                if size.width > 0 && size.height > 0 {
                    found.push((clamp(size.width), clamp(size.height)));
                }
                done = stream.byte_offset();
            }
            Some(Err(error)) => {
                broken = !error.is_eof();
                break;
            }
            None => break,
        }
    }
    text.drain(..done);
    if broken || text.len() > SIZE {
        text.clear();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn str_14_sizes_are_clamped_and_may_come_in_pieces() {
        let mut text = br#"{"Width":80,"Height":24}{"Width":0,"Height":0}{"Width":70000,"Height":65535}{"Wid"#.to_vec();
        assert_eq!(sizes(&mut text), [(80, 24), (65535, 65535)]);
        text.extend_from_slice(br#"th":1,"Height":2}"#);
        assert_eq!(sizes(&mut text), [(1, 2)]);
        assert!(text.is_empty());
        for noise in ["nonsense", "{\"Width\":-1,\"Height\":3}", &"[".repeat(100)] {
            text.extend_from_slice(noise.as_bytes());
            assert_eq!(sizes(&mut text), []);
        }
        text = vec![b' '; SIZE + 1];
        assert_eq!(sizes(&mut text), []);
        assert!(text.is_empty());
    }
}
