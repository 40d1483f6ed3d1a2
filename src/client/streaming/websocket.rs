//! A session over WebSocket, channel protocols v5 and v4.

use async_trait::async_trait;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::sync::mpsc;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::{Duplex, WAITING, Wanted, exit_code, put, size, websocket};
use crate::{
    bail,
    client::{Output, Session},
    error::{Error, Kind, Result},
    streams::{CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT},
};

const PROTOCOLS: &str = "v5.channel.k8s.io, v4.channel.k8s.io";

#[derive(Debug)]
pub struct WebSocketSession {
    socket: SplitStream<WebSocketStream<Box<dyn Duplex>>>,
    out: mpsc::Sender<Message>,
    input: Option<mpsc::Sender<Vec<u8>>>,
}

pub async fn open(url: &str, wanted: Wanted) -> Result<WebSocketSession> {
    let (socket, protocol) = websocket(url, PROTOCOLS).await?;
    let (sink, source) = socket.split();
    let (out, messages) = mpsc::channel(WAITING);
    tokio::spawn(write(messages, sink));
    // Without v5 there is no word for the end of input: the command sees it when the stream ends.
    let closes = protocol.starts_with("v5.");
    let input = wanted.stdin.then(|| {
        let (send, keys) = mpsc::channel(WAITING);
        tokio::spawn(pump(keys, out.clone(), closes));
        send
    });
    Ok(WebSocketSession { socket: source, out, input })
}

fn message(channel: u8, data: &[u8]) -> Message {
    let mut message = Vec::with_capacity(data.len() + 1);
    message.push(channel);
    message.extend_from_slice(data);
    Message::Binary(message.into())
}

async fn write(mut messages: mpsc::Receiver<Message>, mut to: SplitSink<WebSocketStream<Box<dyn Duplex>>, Message>) {
    while let Some(message) = messages.recv().await {
        // A broken stream is seen by its reader.
        if to.send(message).await.is_err() {
            return;
        }
    }
}

async fn pump(mut keys: mpsc::Receiver<Vec<u8>>, out: mpsc::Sender<Message>, closes: bool) {
    while let Some(bytes) = keys.recv().await {
        if out.send(message(STDIN, &bytes)).await.is_err() {
            return;
        }
    }
    if closes {
        // As above.
        drop(out.send(message(CLOSE, &[STDIN])).await);
    }
}

#[async_trait]
impl Session for WebSocketSession {
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
            let Some(message) = self.socket.next().await else {
                bail!(Unavailable, "the stream ended before the command did");
            };
            let message = message.map_err(|e| Error::new(Kind::Unavailable, "the stream broke").with_source(e))?;
            let Message::Binary(data) = message else { continue };
            match data.split_first() {
                Some((&STDOUT, rest)) if !rest.is_empty() => return Ok(Output::Stdout(rest.to_vec())),
                Some((&STDERR, rest)) if !rest.is_empty() => return Ok(Output::Stderr(rest.to_vec())),
                Some((&ERROR, rest)) if !rest.is_empty() => return exit_code(rest).map(Output::Exit),
                _ => {}
            }
        }
    }

    async fn resize(&mut self, columns: u16, rows: u16) -> Result<()> {
        let sent = self.out.send(message(RESIZE, &size(columns, rows))).await;
        sent.map_err(|_| Error::new(Kind::Unavailable, "the stream broke"))
    }
}
