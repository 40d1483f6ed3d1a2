//! Streams that clients open before they ask for a transfer (containerd's streaming service), and bytes through them: the
//! receiver gives a window, the sender stays within it.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures::Stream;
use prost_types::Any;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::{
        Packed,
        containerd::types::transfer::{Data, Progress, WindowUpdate},
    },
};

/// What the other side may send before it is told to go on.
const WINDOW: i64 = 1 << 20;
/// Bytes of one message.
const PIECE: usize = 128 << 10;
/// Streams that wait for their transfer.
const WAITING: usize = 64;
/// Messages on their way out.
const QUEUE: usize = 4;
/// With a client that does not listen.
const PATIENCE: Duration = Duration::from_secs(1);

pub type Answers = Pin<Box<dyn Stream<Item = Result<Any, Status>> + Send>>;

/// By the name its client gave it.
#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<String, Ends>>);

/// Our ends of one stream. The client sees it end when this is dropped.
#[derive(Debug)]
pub struct Ends {
    incoming: Streaming<Any>,
    outgoing: mpsc::Sender<Result<Any, Status>>,
}

impl Streams {
    /// What goes to the client: first that its stream is known.
    pub async fn register(&self, name: String, incoming: Streaming<Any>) -> Result<Answers> {
        if name.is_empty() || name.len() > 256 {
            bail!(InvalidArgument, "a stream's name has 1 to 256 bytes");
        }
        let (outgoing, answers) = mpsc::channel(QUEUE);
        let known = Any { type_url: "google.protobuf.Empty".to_owned(), value: Vec::new() };
        // The queue is empty: this cannot wait.
        let _queued = outgoing.send(Ok(known)).await;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, ends| !ends.outgoing.is_closed());
        if all.len() >= WAITING {
            bail!(ResourceExhausted, "{WAITING} streams wait for their transfer already");
        }
        if all.contains_key(&name) {
            bail!(AlreadyExists, "there is a stream {name:?} already");
        }
        all.insert(name, Ends { incoming, outgoing });
        Ok(Box::pin(ReceiverStream::new(answers)))
    }

    pub fn take(&self, name: &str) -> Result<Ends> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no stream {name:?}: open it first")))
    }
}

impl Ends {
    /// Everything the client sends, until it ends its side or `to` is closed.
    pub async fn receive(mut self, to: mpsc::Sender<Result<Bytes>>) {
        let mut window = 0;
        loop {
            if window < WINDOW {
                let update = WindowUpdate { update: WINDOW as i32 };
                // A client that is gone is seen below.
                let _gone = self.outgoing.send(Ok(update.pack())).await;
                window += WINDOW;
            }
            let next = match self.incoming.message().await {
                Ok(Some(any)) => match Data::unpack(&any) {
                    Some(Ok(piece)) => Ok(Bytes::from(piece.data)),
                    Some(Err(error)) => Err(error),
                    None => continue,
                },
                Ok(None) => return,
                Err(status) => Err(Error::from(status).context("the client broke off")),
            };
            let failed = next.is_err();
            window -= next.as_ref().map_or(0, |piece| piece.len() as i64);
            if to.send(next).await.is_err() || failed {
                return;
            }
        }
    }

    /// Everything that comes from `from`, as the client's window lets it.
    pub async fn send(mut self, mut from: mpsc::Receiver<Bytes>) -> Result<()> {
        let mut window = 0;
        while let Some(mut piece) = from.recv().await {
            while !piece.is_empty() {
                if window == 0 {
                    let Some(any) = self.incoming.message().await? else {
                        bail!(Cancelled, "the client takes no more");
                    };
                    if let Some(update) = WindowUpdate::unpack(&any) {
                        window += usize::try_from(update?.update).unwrap_or(0);
                    }
                    continue;
                }
                let some = piece.split_to(piece.len().min(window).min(PIECE));
                window -= some.len();
                if self.outgoing.send(Ok(Data { data: some.to_vec() }.pack())).await.is_err() {
                    bail!(Cancelled, "the client takes no more");
                }
            }
        }
        Ok(())
    }

    /// A courtesy: a client that is gone or does not listen misses it.
    pub async fn tell(&self, progress: &Progress) {
        let _missed = self.outgoing.send_timeout(Ok(progress.pack()), PATIENCE).await;
    }
}

/// A stream for who reads and blocks.
#[derive(Debug)]
pub struct Incoming {
    from: mpsc::Receiver<Result<Bytes>>,
    piece: Bytes,
}

impl Incoming {
    pub fn new(from: mpsc::Receiver<Result<Bytes>>) -> Self {
        Self { from, piece: Bytes::new() }
    }
}

impl Read for Incoming {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.from.blocking_recv() {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let n = to.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut to[..n]);
        Ok(n)
    }
}

/// A stream for who writes and blocks.
#[derive(Debug)]
pub struct Outgoing(mpsc::Sender<Bytes>);

impl Outgoing {
    pub fn new(to: mpsc::Sender<Bytes>) -> Self {
        Self(to)
    }
}

impl Write for Outgoing {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::other(Error::new(Kind::Cancelled, "nobody takes the archive any more"));
        self.0.blocking_send(Bytes::copy_from_slice(from)).map_err(gone)?;
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
