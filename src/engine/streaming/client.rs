//! The client of a command or an attach, by either transport: its streams are collected, then the session runs.

use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{sync::mpsc, time::timeout};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};
use tokio_util::sync::CancellationToken;

use super::{
    Guest, Process, Request, Server, Wanted,
    session::{self, Client, Input, Output},
    socket::Socket,
};
use crate::{
    bail,
    error::{Context, Result},
    streams::{
        self, LastWord, STREAM_TYPE,
        spdy::{Connection, QUEUED, Side, Stream},
        tunnel,
    },
};

type Io = TokioIo<Upgraded>;

/// For a client to open its streams.
const STREAMS: Duration = Duration::from_secs(30);
/// Streams of one session: five have a meaning.
const MOST: usize = 16;

/// Exec or attach over SPDY.
pub async fn spdy(server: &Server, io: Io, guest: Guest, request: Request, protocol: &str) -> Result<()> {
    let mut connection = Connection::new(io, Side::Server, MOST, server.idle)?;
    let wanted = wanted(&request)?;
    let collected = tokio::select! {
        collected = timeout(STREAMS, collect(&mut connection, wanted, protocol)) => collected,
        () = server.stop.cancelled() => return Ok(()),
    };
    let Ok(streams) = collected else {
        bail!(DeadlineExceeded, "a client did not open its streams in {} s", STREAMS.as_secs());
    };
    let streams = streams?;
    let (reader, writer) = (|s: Stream| Input::Spdy(s.reader), |s: Stream| Output::Spdy(s.writer));
    let [error, stdin, stdout, stderr, resize] = streams;
    let Some(status) = error.map(writer) else { bail!(Internal, "the error stream was not collected") };
    let client = Client {
        stdin: stdin.map(reader),
        stdout: stdout.map(writer),
        stderr: stderr.map(writer),
        resize: resize.map(reader),
        status,
        json: protocol.starts_with("v4."),
        gone: CancellationToken::new(),
    };
    let done = talk(server, client, connection.broken(), &guest, request).await;
    connection.close().await;
    done
}

/// The streams by type: error, stdin, stdout, stderr, resize; those that are wanted, each once.
async fn collect(connection: &mut Connection, wanted: Wanted, protocol: &str) -> Result<[Option<Stream>; 5]> {
    const TYPES: [&str; 5] = ["error", "stdin", "stdout", "stderr", "resize"];
    let resizes = wanted.tty && (protocol.starts_with("v4.") || protocol.starts_with("v3."));
    let expected = [true, wanted.stdin, wanted.stdout, wanted.stderr, resizes];
    let mut found = [const { None }; 5];
    while found.iter().zip(expected).any(|(stream, expected)| expected && stream.is_none()) {
        let Some(stream) = connection.next().await else {
            bail!(Unavailable, "a client went before it had opened its streams");
        };
        let place = TYPES.iter().position(|t| *t == stream.header(STREAM_TYPE)).filter(|at| expected[*at]);
        // Any other is reset when it is dropped.
        if let Some(place) = place.and_then(|at| found.get_mut(at))
            && place.is_none()
        {
            stream.accept().await?;
            *place = Some(stream);
        }
    }
    Ok(found)
}

/// Exec or attach over WebSocket.
pub async fn socket(server: &Server, io: Io, guest: Guest, request: Request, protocol: &str) -> Result<()> {
    let wanted = wanted(&request)?;
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(tunnel::config())).await;
    let (stdin, keys) = mpsc::channel(QUEUED);
    let (resize, sizes) = mpsc::channel(QUEUED);
    let inputs = vec![wanted.stdin.then_some(stdin), None, None, None, Some(resize)];
    let socket = Socket::new(socket, protocol, inputs, server.idle);
    let output = |number| Output::Socket(socket.channel(number));
    let mut client = Client {
        stdin: wanted.stdin.then_some(Input::Socket(keys)),
        stdout: wanted.stdout.then(|| output(streams::STDOUT)),
        stderr: wanted.stderr.then(|| output(streams::STDERR)),
        resize: Some(Input::Socket(sizes)),
        status: output(streams::ERROR),
        json: protocol.starts_with("v4.") || protocol.starts_with("v5."),
        gone: CancellationToken::new(),
    };
    // An empty message tells that the connection stands; clients wait for it.
    let first = [&mut client.stdout, &mut client.stderr].into_iter().flatten().next().unwrap_or(&mut client.status);
    first.write(bytes::Bytes::new()).await?;
    let done = talk(server, client, socket.gone.clone(), &guest, request).await;
    socket.close().await;
    done
}

fn wanted(request: &Request) -> Result<Wanted> {
    match request {
        Request::Exec { streams, .. } | Request::Attach { streams, .. } => Ok(*streams),
        Request::PortForward { .. } => bail!(Internal, "port-forward is no session with a command"),
    }
}

/// Starts what was asked for and stays until its end or the client's.
async fn talk(
    server: &Server,
    mut client: Client,
    broken: CancellationToken,
    guest: &Guest,
    request: Request,
) -> Result<()> {
    let gone = client.gone.clone();
    let session = async {
        let word = match start(server, request).await {
            Ok(process) => session::run(process, &mut client).await,
            Err(error) => {
                tracing::info!("{error:#}");
                Some(LastWord::Failed(format!("{error:#}")))
            }
        };
        match word {
            Some(word) => client.say(&word).await,
            None => Ok(()),
        }
    };
    let left = async {
        tokio::select! {
            () = broken.cancelled() => {}
            () = guest.left() => {}
            () = server.stop.cancelled() => {}
        }
        gone.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        done = session => done,
        () = left => Ok(()),
    }
}

async fn start(server: &Server, request: Request) -> Result<Process> {
    match request {
        Request::Exec { container, command, streams } => {
            let started = server.backend.exec(&container, &command, streams).await;
            started.context(|| "error executing command in container".to_owned())
        }
        Request::Attach { container, streams } => {
            let attached = server.backend.attach(&container, streams).await;
            attached.context(|| "error attaching to container".to_owned())
        }
        Request::PortForward { .. } => bail!(Internal, "port-forward is no command"),
    }
}
