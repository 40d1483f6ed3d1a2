//! Port-forward: pairs of streams, each a connection into the pod.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    task::JoinSet,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use super::{
    Guest, Server,
    session::{Input, Output},
    socket::Socket,
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    streams::{
        PORT, REQUEST_ID, STREAM_TYPE,
        spdy::{Connection, PIECE, QUEUED, Side, Stream},
        tunnel::{self, Tunnel},
    },
};

type Io = TokioIo<Upgraded>;

/// Streams of one client: two for each connection.
const MOST: usize = 1024;
/// Ports of the old WebSocket protocol, which opens them all at once.
const PORTS: usize = 64;
/// For the second stream of a pair to come.
const PAIR: Duration = Duration::from_secs(30);
/// For the client's last bytes, when the pod's side has ended and the protocol has no half-close.
const GRACE: Duration = Duration::from_secs(1);

/// A stream that waits for its other half.
#[derive(Default)]
struct Pair {
    data: Option<Stream>,
    error: Option<Stream>,
    until: Option<Instant>,
}

pub async fn spdy(server: &Server, io: Io, guest: Guest, pod: &str) -> Result<()> {
    serve(server, io, &guest, pod).await
}

/// SPDY inside WebSocket messages.
pub async fn tunnel(server: &Server, io: Io, guest: Guest, pod: &str) -> Result<()> {
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(tunnel::config())).await;
    serve(server, Tunnel::new(socket), &guest, pod).await
}

async fn serve<T>(server: &Server, io: T, guest: &Guest, pod: &str) -> Result<()>
where
    T: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut connection = Connection::new(io, Side::Server, MOST, server.idle)?;
    let (mut waiting, mut running) = (HashMap::<String, Pair>::new(), JoinSet::new());
    let mut left = std::pin::pin!(guest.left());
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        let stream = tokio::select! {
            stream = connection.next() => stream,
            Some(_) = running.join_next() => continue,
            _ = tick.tick(), if !waiting.is_empty() => {
                let now = Instant::now();
                waiting.retain(|_, pair| pair.until.is_none_or(|until| until > now));
                continue;
            }
            () = &mut left => None,
            () = server.stop.cancelled() => None,
        };
        let Some(stream) = stream else { break };
        // A stream that makes no sense is reset when it is dropped.
        let Some(id) = request(&stream) else { continue };
        stream.accept().await?;
        let pair = waiting.entry(id.clone()).or_default();
        pair.until.get_or_insert_with(|| Instant::now() + PAIR);
        let place = if stream.header(STREAM_TYPE) == "data" { &mut pair.data } else { &mut pair.error };
        if place.is_none() {
            *place = Some(stream);
        }
        if pair.data.is_some()
            && pair.error.is_some()
            && let Some(Pair { data: Some(data), error: Some(error), .. }) = waiting.remove(&id)
        {
            let (backend, pod) = (std::sync::Arc::clone(&server.backend), pod.to_owned());
            running.spawn(async move {
                let port = data.header(PORT).parse().unwrap_or(0);
                let Stream { reader, writer, .. } = data;
                let connected = backend.connect(&pod, port).await;
                one(connected, &pod, port, Input::Spdy(reader), Output::Spdy(writer), Output::Spdy(error.writer)).await;
            });
        }
    }
    running.shutdown().await;
    drop(waiting);
    connection.close().await;
    Ok(())
}

/// What pairs the stream with its other half; `None` if it is neither. Clients before requestID existed open the error
/// stream first and the data stream right after it.
fn request(stream: &Stream) -> Option<String> {
    stream.header(PORT).parse::<u16>().ok().filter(|p| *p > 0)?;
    let first = match stream.header(STREAM_TYPE) {
        "error" => stream.id,
        "data" => stream.id.wrapping_sub(2),
        _ => return None,
    };
    match stream.header(REQUEST_ID) {
        "" => Some(format!("stream {first}")),
        id => Some(id.to_owned()),
    }
}

/// The old WebSocket protocol: a data and an error channel for each port, all open at once.
pub async fn socket(server: &Server, io: Io, guest: Guest, pod: &str, ports: &[u16], protocol: &str) -> Result<()> {
    if ports.len() > PORTS {
        bail!(InvalidArgument, "port-forward of {} ports, at most {PORTS} are allowed", ports.len());
    }
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(tunnel::config())).await;
    let (mut inputs, mut receivers) = (Vec::new(), Vec::new());
    for _ in ports {
        let (send, receive) = mpsc::channel(QUEUED);
        inputs.extend([Some(send), None]);
        receivers.push(receive);
    }
    let socket = Socket::new(socket, protocol, inputs, server.idle);
    let mut running = JoinSet::new();
    for ((number, port), input) in (0_u8..).zip(ports.iter().copied()).zip(receivers) {
        let output = |channel| Output::Socket(socket.channel(channel));
        let (mut data, mut error) = (output(number * 2), output(number * 2 + 1));
        for channel in [&mut data, &mut error] {
            channel.write(Bytes::copy_from_slice(&port.to_le_bytes())).await?;
        }
        let (backend, pod) = (std::sync::Arc::clone(&server.backend), pod.to_owned());
        running.spawn(async move {
            let connected = backend.connect(&pod, port).await;
            one(connected, &pod, port, Input::Socket(input), data, error).await;
        });
    }
    let all = async { while running.join_next().await.is_some() {} };
    tokio::select! {
        () = all => {}
        () = socket.gone.cancelled() => {}
        () = guest.left() => {}
        () = server.stop.cancelled() => {}
    }
    running.shutdown().await;
    socket.close().await;
    Ok(())
}

/// One connection to its end; what goes wrong is said on the error stream.
async fn one(connected: Result<TcpStream>, pod: &str, port: u16, mut from: Input, mut to: Output, mut errors: Output) {
    let outcome = match connected {
        Ok(tcp) => copy(tcp, &mut from, &mut to).await,
        Err(error) => Err(error),
    };
    let ended = async {
        if let Err(error) = outcome {
            let text = format!("error forwarding port {port} to pod {pod}, uid : {error:#}");
            tracing::debug!("{text}");
            errors.write(text.into()).await?;
        }
        to.finish().await?;
        errors.finish().await
    };
    // The client has gone, which its connection sees by itself.
    drop(ended.await);
}

async fn copy(tcp: TcpStream, from: &mut Input, to: &mut Output) -> Result<()> {
    let half_closes = matches!(to, Output::Spdy(_));
    let (mut read, mut write) = tcp.into_split();
    let broke = |e| Error::new(Kind::Unavailable, "the pod's side of the connection broke").with_source(e);
    let up = async {
        while let Some(bytes) = from.next().await {
            if write.write_all(&bytes).await.is_err() {
                // The way back may still carry an answer, and says whether it broke. What comes is read all the same.
                while from.next().await.is_some() {}
            }
        }
        let given_up = matches!(from, Input::Spdy(reader) if reader.was_reset());
        if !given_up {
            // The pod may have closed first.
            drop(write.shutdown().await);
        }
        given_up
    };
    let down = async {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(PIECE);
            match read.read_buf(&mut buffer).await {
                Ok(0) => return to.finish().await,
                Ok(_) => to.write(buffer.split().freeze()).await?,
                Err(error) => return Err(broke(error)),
            }
        }
    };
    let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    tokio::select! {
        done = &mut down => {
            let grace = if half_closes && done.is_ok() { Duration::MAX } else { GRACE };
            // Whatever the client still sends has had its time then.
            drop(tokio::time::timeout(grace, up).await);
            done
        }
        given_up = &mut up => if given_up { Ok(()) } else { down.await },
    }
}
