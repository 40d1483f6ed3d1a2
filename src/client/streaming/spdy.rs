//! A session over SPDY/3.1, channel protocols v4 to v1.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{NEVER, WAITING, Wanted, exit_code, put, size, upgrade};
use crate::{
    bail,
    client::{Output, Session},
    error::Result,
    streams::{
        STATUS_LIMIT, STREAM_TYPE,
        spdy::{Connection, Reader, Side, Writer},
    },
};

const PROTOCOLS: [&str; 4] = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

#[derive(Debug)]
pub struct SpdySession {
    _connection: Connection,
    input: Option<mpsc::Sender<Vec<u8>>>,
    stdout: Option<Reader>,
    stderr: Option<Reader>,
    error: Option<Reader>,
    resize: Option<Writer>,
    /// What came on the error stream.
    status: Vec<u8>,
    /// Before v4, silence is success.
    old: bool,
}

pub async fn open(url: &str, wanted: Wanted) -> Result<SpdySession> {
    let (io, protocol) = upgrade(url, &PROTOCOLS).await?;
    let connection = Connection::new(io, Side::Client, 0, NEVER)?;
    let opener = connection.opener();
    let stream = async |name: &str| opener.open(vec![(STREAM_TYPE.to_owned(), name.to_owned())]).await;
    let error = stream("error").await?.reader;
    let stdin = if wanted.stdin { Some(stream("stdin").await?.writer) } else { None };
    let stdout = Some(stream("stdout").await?.reader);
    let stderr = if wanted.stderr { Some(stream("stderr").await?.reader) } else { None };
    let resizes = wanted.tty && (protocol.starts_with("v4.") || protocol.starts_with("v3."));
    let resize = if resizes { Some(stream("resize").await?.writer) } else { None };
    let input = stdin.map(|writer| {
        let (send, keys) = mpsc::channel(WAITING);
        tokio::spawn(pump(keys, writer));
        send
    });
    let old = !protocol.starts_with("v4.");
    Ok(SpdySession {
        _connection: connection,
        input,
        stdout,
        stderr,
        error: Some(error),
        resize,
        status: Vec::new(),
        old,
    })
}

/// Input to the runtime; its end is told when nobody can give more.
async fn pump(mut keys: mpsc::Receiver<Vec<u8>>, mut to: Writer) {
    while let Some(bytes) = keys.recv().await {
        if to.write(bytes.into()).await.is_err() {
            return;
        }
    }
    // A connection that has ended needs no end of input.
    drop(to.finish().await);
}

async fn read(from: &mut Option<Reader>) -> Option<Bytes> {
    match from {
        Some(reader) => reader.read().await,
        None => None,
    }
}

#[async_trait]
impl Session for SpdySession {
    fn take_input(&mut self) -> Option<mpsc::Sender<Vec<u8>>> {
        self.input.take()
    }

    async fn send(&mut self, input: &[u8]) -> Result<()> {
        put(self.input.as_ref(), input).await
    }

    async fn close_stdin(&mut self) -> Result<()> {
        self.input = None;
        Ok(())
    }

    async fn recv(&mut self) -> Result<Output> {
        loop {
            tokio::select! {
                bytes = read(&mut self.stdout), if self.stdout.is_some() => match bytes {
                    Some(bytes) => return Ok(Output::Stdout(bytes.into())),
                    None => self.stdout = None,
                },
                bytes = read(&mut self.stderr), if self.stderr.is_some() => match bytes {
                    Some(bytes) => return Ok(Output::Stderr(bytes.into())),
                    None => self.stderr = None,
                },
                bytes = read(&mut self.error), if self.error.is_some() => match bytes {
                    Some(bytes) if self.status.len() <= STATUS_LIMIT => self.status.extend_from_slice(&bytes),
                    Some(_) => {}
                    None => self.error = None,
                },
                else => {
                    if self.status.is_empty() && !self.old {
                        bail!(Unavailable, "the stream ended before the command did");
                    }
                    return exit_code(&self.status).map(Output::Exit);
                }
            }
        }
    }

    async fn resize(&mut self, columns: u16, rows: u16) -> Result<()> {
        match &mut self.resize {
            Some(writer) => writer.write(size(columns, rows).into()).await,
            None => Ok(()),
        }
    }
}
