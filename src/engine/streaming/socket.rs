//! A session's channels over WebSocket: one message is one piece of one channel, the channel in its first byte
//! (k8s.io/streaming, wsstream).

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{Error, Kind, Result},
    streams::{
        self,
        quiet::Activity,
        spdy::{PIECE, QUEUED},
        tunnel::goodbye,
    },
};

/// For the other side to take the last messages.
const LINGER: Duration = Duration::from_secs(5);

/// How a message carries its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    Binary,
    Base64,
}

/// The protocols of exec and attach, with their codec.
pub const REMOTE_COMMAND: [&str; 5] =
    ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io"];
/// Those of port-forward that are not a tunnel.
pub const PORT_FORWARD: [&str; 2] = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"];

impl Codec {
    /// No protocol at all is binary.
    pub fn of(protocol: &str) -> Self {
        if protocol.contains("base64") { Self::Base64 } else { Self::Binary }
    }
}

/// An open WebSocket; its channels are handed out.
#[derive(Debug)]
pub struct Socket {
    out: mpsc::Sender<Message>,
    codec: Codec,
    /// Cancelled when the other side has gone.
    pub gone: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// One channel towards the client.
#[derive(Debug)]
pub struct Channel {
    number: u8,
    codec: Codec,
    out: mpsc::Sender<Message>,
}

impl Socket {
    /// `inputs` by channel number; those that are `None` are not listened to. `closes`: the protocol can end a channel.
    pub fn new<T>(
        socket: WebSocketStream<T>,
        protocol: &str,
        inputs: Vec<Option<mpsc::Sender<Bytes>>>,
        idle: Duration,
    ) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sink, source) = socket.split();
        let (out, messages) = mpsc::channel(QUEUED);
        let (gone, activity) = (CancellationToken::new(), Arc::new(Activity::default()));
        let codec = Codec::of(protocol);
        let listen = Listen { codec, closes: protocol.starts_with("v5."), inputs };
        let flushed = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(read(source, listen, Arc::clone(&activity), idle, gone.clone(), flushed.clone())),
            tokio::spawn(write(sink, messages, activity, gone.clone(), flushed)),
        ];
        Self { out, codec, gone, tasks }
    }

    pub fn channel(&self, number: u8) -> Channel {
        Channel { number, codec: self.codec, out: self.out.clone() }
    }

    /// Says goodbye when every channel has been dropped, and waits a moment for the other side.
    pub async fn close(self) {
        drop(self.out);
        for task in self.tasks {
            // A task that died has nothing left to send.
            drop(task.await);
        }
    }
}

impl Channel {
    /// # Errors
    /// `Unavailable` if the other side has gone.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        loop {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            let message = match self.codec {
                Codec::Binary => {
                    let mut data = BytesMut::with_capacity(piece.len() + 1);
                    data.put_u8(self.number);
                    data.put_slice(&piece);
                    Message::Binary(data.freeze())
                }
                Codec::Base64 => {
                    let mut text = String::from(char::from(b'0' + self.number));
                    BASE64_STANDARD.encode_string(&piece, &mut text);
                    Message::text(text)
                }
            };
            let sent = self.out.send(message).await;
            sent.map_err(|_| Error::new(Kind::Unavailable, "the client has gone"))?;
            if bytes.is_empty() {
                return Ok(());
            }
        }
    }
}

struct Listen {
    codec: Codec,
    closes: bool,
    inputs: Vec<Option<mpsc::Sender<Bytes>>>,
}

impl Listen {
    /// The channel a message is for and what it brings; `None` ends the channel. `Err` for what is no message of these.
    fn parse(&self, data: Bytes) -> Result<(usize, Option<Bytes>), ()> {
        let Some(&first) = data.first() else { return Err(()) };
        if self.closes && first == streams::CLOSE {
            return match data[1..] {
                [channel] => Ok((channel.into(), None)),
                _ => Err(()),
            };
        }
        match self.codec {
            Codec::Binary => Ok((first.into(), Some(data.slice(1..)))),
            Codec::Base64 => {
                let channel = first.wrapping_sub(b'0');
                let bytes = BASE64_STANDARD.decode(&data[1..]).map_err(|_| ())?;
                Ok((channel.into(), Some(bytes.into())))
            }
        }
    }

    async fn dispatch(&mut self, data: Bytes) {
        // A message nobody can read is dropped, as Go's server does.
        let Ok((channel, bytes)) = self.parse(data) else { return };
        let Some(place) = self.inputs.get_mut(channel) else { return };
        let Some(mut bytes) = bytes else {
            *place = None;
            return;
        };
        while let Some(input) = place
            && !bytes.is_empty()
        {
            if input.send(bytes.split_to(bytes.len().min(PIECE))).await.is_err() {
                *place = None;
            }
        }
    }
}

async fn read<T: AsyncRead + AsyncWrite + Unpin>(
    mut from: SplitStream<WebSocketStream<T>>,
    mut listen: Listen,
    activity: Arc<Activity>,
    idle: Duration,
    gone: CancellationToken,
    flushed: CancellationToken,
) {
    let work = async {
        while let Some(Ok(message)) = from.next().await {
            activity.touch();
            match message {
                Message::Binary(data) => listen.dispatch(data).await,
                Message::Text(text) => listen.dispatch(text.into()).await,
                Message::Close(_) => return,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = activity.quiet(idle) => {}
        () = gone.cancelled() => {}
        () = async { flushed.cancelled().await; tokio::time::sleep(LINGER).await } => {}
    }
    gone.cancel();
}

async fn write<T: AsyncRead + AsyncWrite + Unpin>(
    mut to: SplitSink<WebSocketStream<T>, Message>,
    mut messages: mpsc::Receiver<Message>,
    activity: Arc<Activity>,
    gone: CancellationToken,
    flushed: CancellationToken,
) {
    let work = async {
        while let Some(message) = messages.recv().await {
            if to.send(message).await.is_err() {
                return;
            }
            activity.touch();
        }
        // The other side may have gone first.
        drop(to.send(goodbye()).await);
    };
    tokio::select! {
        () = work => flushed.cancel(),
        () = gone.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_find_their_channel() {
        let listen = |protocol: &str| Listen {
            codec: Codec::of(protocol),
            closes: protocol.starts_with("v5."),
            inputs: Vec::new(),
        };
        let parse = |protocol: &str, data: &'static [u8]| listen(protocol).parse(Bytes::from_static(data));
        let bytes = |b: &'static [u8]| Some(Bytes::from_static(b));
        assert_eq!(parse("v4.channel.k8s.io", b"\x00foo"), Ok((0, bytes(b"foo"))));
        assert_eq!(parse("base64.channel.k8s.io", b"0Zm9v"), Ok((0, bytes(b"foo"))));
        assert_eq!(parse("v5.channel.k8s.io", b"\xff\x00"), Ok((0, None)));
        assert_eq!(parse("v4.channel.k8s.io", b"\xff\x00"), Ok((255, bytes(b"\x00"))));
        assert_eq!(parse("", b"\x04{}"), Ok((4, bytes(b"{}"))));
        for (protocol, bad) in [
            ("v5.channel.k8s.io", &b"\xff"[..]),
            ("v5.channel.k8s.io", b"\xff\x00\x00"),
            ("", b""),
            ("v4.base64.channel.k8s.io", b"0!"),
        ] {
            assert_eq!(parse(protocol, bad), Err(()), "{protocol} {bad:?}");
        }
        assert_eq!(listen("base64").parse(Bytes::from_static(b"")), Err(()));
    }
}
