//! A SPDY/3.1 connection: streams with backpressure over any byte stream, for either side.
//!
//! As in Kubernetes' own implementation there are no flow control windows: a stream nobody reads holds up the connection
//! once its queue is full. What is held in memory is bounded: [`QUEUED`] pieces of [`PIECE`] bytes for each stream that
//! comes in, as much for everything that goes out, and a limit on streams.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    frame::{self, Decoder, Encoder, Frame, Headers},
    quiet::Activity,
};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Bytes read or written at a time.
pub const PIECE: usize = 16 << 10;
/// Pieces of a queue: with [`PIECE`] 64 KiB.
pub const QUEUED: usize = 4;
/// For the other side to take what was sent last, and to close.
const LINGER: Duration = Duration::from_secs(5);
/// For the other side to answer a new stream.
const REPLY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// One end of a connection. When it is dropped without [`Connection::close`] the other side sees it break.
#[derive(Debug)]
pub struct Connection {
    shared: Arc<Shared>,
    incoming: mpsc::UnboundedReceiver<Stream>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// What opens streams of a connection.
#[derive(Debug, Clone)]
pub struct Opener(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    side: Side,
    streams: Mutex<Streams>,
    /// Held while a stream is numbered and announced: ids go out in order.
    opening: tokio::sync::Mutex<()>,
    out: mpsc::UnboundedSender<Order>,
    room: Arc<Semaphore>,
    broken: CancellationToken,
    closing: CancellationToken,
    /// The writer has ended; what it had is with the kernel.
    flushed: CancellationToken,
    activity: Activity,
}

#[derive(Debug, Default)]
struct Streams {
    live: HashMap<u32, Entry>,
    next: u32,
    /// The highest id of the other side's.
    last: u32,
}

#[derive(Debug)]
struct Entry {
    input: Option<mpsc::Sender<Bytes>>,
    reply: Option<oneshot::Sender<()>>,
    reset: Arc<AtomicBool>,
}

/// Something for the writer; the permit is given back when it has gone out.
type Order = (Frame, Option<OwnedSemaphorePermit>);

/// A stream of the connection. Dropping both halves before both sides have finished resets it.
#[derive(Debug)]
pub struct Stream {
    pub id: u32,
    pub headers: Headers,
    pub reader: Reader,
    pub writer: Writer,
}

#[derive(Debug)]
pub struct Reader {
    input: mpsc::Receiver<Bytes>,
    reset: Arc<AtomicBool>,
    _slot: Arc<Slot>,
}

#[derive(Debug)]
pub struct Writer {
    slot: Arc<Slot>,
    finished: bool,
}

/// A stream's place in the table.
#[derive(Debug)]
struct Slot {
    id: u32,
    shared: Arc<Shared>,
    /// Our side has said its last.
    finished: AtomicBool,
}

impl Connection {
    /// Takes a byte stream on which the upgrade is done. `limit` is how many streams may live at one time; `idle` ends it
    /// when no byte moves for so long.
    ///
    /// # Errors
    /// `Internal` if compression cannot be set up.
    pub fn new<T>(io: T, side: Side, limit: usize, idle: Duration) -> Result<Self>
    where
        T: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (out, orders) = mpsc::unbounded_channel();
        let (found, incoming) = mpsc::unbounded_channel();
        let next = if side == Side::Client { 1 } else { 2 };
        let shared = Arc::new(Shared {
            side,
            streams: Mutex::new(Streams { next, ..Streams::default() }),
            opening: tokio::sync::Mutex::default(),
            out,
            room: Arc::new(Semaphore::new(QUEUED)),
            broken: CancellationToken::new(),
            closing: CancellationToken::new(),
            flushed: CancellationToken::new(),
            activity: Activity::default(),
        });
        let (read, write) = tokio::io::split(io);
        let encoder = Encoder::new()?;
        let tasks = vec![
            tokio::spawn(write_all(Arc::clone(&shared), write, encoder, orders)),
            tokio::spawn(read_all(Arc::clone(&shared), read, found, limit)),
            tokio::spawn(watch(Arc::clone(&shared), idle)),
        ];
        Ok(Self { shared, incoming, tasks })
    }

    /// The next stream the other side opens; it waits for [`Stream::accept`]. `None` when the connection has ended. Cancel
    /// safe.
    pub async fn next(&mut self) -> Option<Stream> {
        self.incoming.recv().await
    }

    pub fn opener(&self) -> Opener {
        Opener(Arc::clone(&self.shared))
    }

    /// Cancelled when the connection has ended, for whatever reason.
    pub fn broken(&self) -> CancellationToken {
        self.shared.broken.clone()
    }

    /// Sends what is queued, says goodbye, and waits a moment for the other side to take it all.
    pub async fn close(mut self) {
        let last = self.shared.streams().last;
        self.shared.send(Frame::GoAway { last, status: 0 });
        self.shared.closing.cancel();
        self.incoming.close();
        for task in self.tasks.drain(..) {
            // A task that died has nothing left to send.
            drop(task.await);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.shared.closing.is_cancelled() {
            self.shared.end();
        }
    }
}

impl Opener {
    /// Opens a stream and waits until the other side has taken it.
    ///
    /// # Errors
    /// `Unavailable` if it refuses or the connection ends, `DeadlineExceeded` if it does not answer.
    pub async fn open(&self, headers: Headers) -> Result<Stream> {
        let (reply, replied) = oneshot::channel();
        let stream = {
            let _one = self.0.opening.lock().await;
            let permit = self.0.permit().await?;
            let stream = self.0.add(headers.clone(), Some(reply))?;
            self.0.send_with(Frame::SynStream { id: stream.id, fin: false, headers }, permit);
            stream
        };
        let what = || stream.headers.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ");
        tokio::select! {
            // An answer counts although the connection ended right after it: what came with it can still be read.
            biased;
            answer = tokio::time::timeout(REPLY, replied) => match answer {
                Ok(Ok(())) => {}
                Ok(Err(_)) => bail!(Unavailable, "the runtime refused the stream {}", what()),
                Err(_) => bail!(DeadlineExceeded, "no answer to the stream {} in {} s", what(), REPLY.as_secs()),
            },
            () = self.0.broken.cancelled() => bail!(Unavailable, "the connection ended"),
        }
        Ok(stream)
    }
}

impl Stream {
    /// Tells the other side that its stream is taken.
    ///
    /// # Errors
    /// `Unavailable` if the connection has ended.
    pub async fn accept(&self) -> Result<()> {
        self.writer.slot.send(Frame::SynReply { id: self.id, fin: false, headers: Headers::new() }).await
    }

    /// The value of a header, empty if it has none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}

impl Reader {
    /// What came next; `None` at its end, be it a proper one, a reset, or the connection's. Cancel safe.
    pub async fn read(&mut self) -> Option<Bytes> {
        self.input.recv().await
    }

    /// Whether the other side gave the stream up.
    pub fn was_reset(&self) -> bool {
        self.reset.load(Ordering::SeqCst)
    }
}

impl Writer {
    /// Waits while too much is on its way.
    ///
    /// # Errors
    /// `Unavailable` if the connection has ended.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            self.slot.send(Frame::Data { id: self.slot.id, fin: false, bytes: piece }).await?;
        }
        Ok(())
    }

    /// Says that nothing more will come from this side.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub async fn finish(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.finished, true) {
            self.slot.finished.store(true, Ordering::SeqCst);
            self.slot.send(Frame::Data { id: self.slot.id, fin: true, bytes: Bytes::new() }).await?;
        }
        Ok(())
    }
}

impl Slot {
    async fn send(&self, frame: Frame) -> Result<()> {
        let permit = self.shared.permit().await?;
        self.shared.send_with(frame, permit);
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(entry) = self.shared.streams().live.remove(&self.id) else { return };
        let both = entry.input.is_none() && self.finished.load(Ordering::SeqCst);
        if !both && !entry.reset.load(Ordering::SeqCst) {
            self.shared.send(Frame::Reset { id: self.id, status: frame::CANCEL });
        }
    }
}

impl Shared {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let permit = tokio::select! {
            permit = Arc::clone(&self.room).acquire_owned() => permit.ok(),
            () = self.broken.cancelled() => None,
        };
        permit.ok_or_else(|| Error::new(Kind::Unavailable, "the connection has ended"))
    }

    fn send_with(&self, frame: Frame, permit: OwnedSemaphorePermit) {
        // The writer has gone only when the connection is broken, which every caller sees by itself.
        drop(self.out.send((frame, Some(permit))));
    }

    /// For the few words that are bounded otherwise: one a stream, one a connection.
    fn send(&self, frame: Frame) {
        drop(self.out.send((frame, None)));
    }

    /// A new stream of ours, or with `id` of the other side's.
    fn add(self: &Arc<Self>, headers: Headers, reply: Option<oneshot::Sender<()>>) -> Result<Stream> {
        let id = {
            let mut streams = self.streams();
            let id = streams.next;
            if id > frame::LAST_ID {
                bail!(ResourceExhausted, "the connection has used up its streams");
            }
            streams.next += 2;
            id
        };
        Ok(self.place(id, headers, reply))
    }

    fn place(self: &Arc<Self>, id: u32, headers: Headers, reply: Option<oneshot::Sender<()>>) -> Stream {
        let (input, pieces) = mpsc::channel(QUEUED);
        let reset = Arc::new(AtomicBool::new(false));
        self.streams().live.insert(id, Entry { input: Some(input), reply, reset: Arc::clone(&reset) });
        let slot = Arc::new(Slot { id, shared: Arc::clone(self), finished: AtomicBool::new(false) });
        Stream {
            id,
            headers,
            reader: Reader { input: pieces, reset, _slot: Arc::clone(&slot) },
            writer: Writer { slot, finished: false },
        }
    }

    /// The end: every reader sees its own.
    fn end(&self) {
        self.broken.cancel();
        for entry in self.streams().live.values_mut() {
            entry.input = None;
            entry.reply = None;
        }
    }
}

async fn write_all<T: AsyncWrite>(
    shared: Arc<Shared>,
    mut to: WriteHalf<T>,
    mut encoder: Encoder,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut buffer = BytesMut::new();
    let mut last = false;
    while !last {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = shared.broken.cancelled() => None,
        };
        let Some(mut order) = order else { break };
        // Whatever else is ready goes out with it.
        let mut permits = Vec::new();
        let good = loop {
            last |= matches!(order.0, Frame::GoAway { .. });
            permits.extend(order.1);
            if encoder.encode(&order.0, &mut buffer).is_err() {
                break false;
            }
            match orders.try_recv() {
                Ok(next) if buffer.len() < PIECE * QUEUED && !last => order = next,
                Ok(next) if !last => {
                    permits.extend(next.1);
                    if encoder.encode(&next.0, &mut buffer).is_err() {
                        break false;
                    }
                    last |= matches!(next.0, Frame::GoAway { .. });
                    break true;
                }
                _ => break true,
            }
        };
        let written = tokio::select! {
            written = write_buffer(&shared, &mut to, &mut buffer) => written.is_ok(),
            () = shared.broken.cancelled() => false,
        };
        if !good {
            shared.end();
            return;
        }
        if !written {
            // The other side has gone. What it said before is still to be read, its last word above all.
            shared.room.close();
            shared.flushed.cancel();
            return;
        }
        drop(permits);
    }
    // The other side may have gone first.
    drop(to.shutdown().await);
    shared.flushed.cancel();
}

async fn write_buffer<T: AsyncWrite>(
    shared: &Shared,
    to: &mut WriteHalf<T>,
    buffer: &mut BytesMut,
) -> std::io::Result<()> {
    while !buffer.is_empty() {
        to.write_buf(buffer).await?;
        shared.activity.touch();
    }
    to.flush().await
}

async fn read_all<T: AsyncRead>(
    shared: Arc<Shared>,
    mut from: ReadHalf<T>,
    found: mpsc::UnboundedSender<Stream>,
    limit: usize,
) {
    let (mut decoder, mut buffer) = (Decoder::default(), BytesMut::with_capacity(PIECE));
    let mut deadline = None;
    loop {
        buffer.reserve(PIECE);
        let until = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 30));
        if shared.closing.is_cancelled() && Instant::now() >= until {
            break;
        }
        let read = tokio::select! {
            // What is there is read first, however late.
            biased;
            read = from.read_buf(&mut buffer) => read,
            () = shared.broken.cancelled() => break,
            () = tokio::time::sleep_until(until), if deadline.is_some() => break,
            () = shared.flushed.cancelled(), if deadline.is_none() => {
                deadline = Some(Instant::now() + LINGER);
                continue;
            }
        };
        if !matches!(read, Ok(1..)) {
            break;
        }
        shared.activity.touch();
        if shared.closing.is_cancelled() {
            // Read only so that closing does not destroy what is on its way to the other side.
            buffer.clear();
            continue;
        }
        if let Err(error) = dispatch(&shared, &mut decoder, &mut buffer, &found, limit).await {
            tracing::debug!("a connection is given up: {error:#}");
            break;
        }
    }
    shared.end();
}

/// Everything that is whole in `buffer`.
async fn dispatch(
    shared: &Arc<Shared>,
    decoder: &mut Decoder,
    buffer: &mut BytesMut,
    found: &mpsc::UnboundedSender<Stream>,
    limit: usize,
) -> Result<()> {
    while let Some(frame) = decoder.next(buffer)? {
        match frame {
            Frame::SynStream { id, fin, headers } => {
                let mine = id % 2 == u32::from(shared.side == Side::Server);
                let status = {
                    let mut streams = shared.streams();
                    let fresh = mine && id > streams.last;
                    let full = streams.live.len() >= limit || found.is_closed();
                    if fresh {
                        streams.last = id;
                    }
                    match (fresh, full) {
                        (false, _) => Some(frame::PROTOCOL_ERROR),
                        (true, true) => Some(frame::REFUSED_STREAM),
                        (true, false) => None,
                    }
                };
                match status {
                    Some(status) => shared.send_with(Frame::Reset { id, status }, shared.permit().await?),
                    None => {
                        let stream = shared.place(id, headers, None);
                        if fin {
                            finish(shared, id);
                        }
                        // Nobody takes streams any more: dropping it resets it.
                        drop(found.send(stream));
                    }
                }
            }
            Frame::SynReply { id, fin, .. } => {
                let reply = shared.streams().live.get_mut(&id).and_then(|e| e.reply.take());
                // Whoever asked may have given up.
                let _ = reply.map(|r| r.send(()));
                if fin {
                    finish(shared, id);
                }
            }
            Frame::Data { id, fin, bytes } => {
                let input = shared.streams().live.get(&id).and_then(|e| e.input.clone());
                if let Some(input) = input
                    && !bytes.is_empty()
                {
                    // A stream whose reader has gone loses what comes.
                    tokio::select! {
                        _ = input.send(bytes) => {}
                        () = shared.broken.cancelled() => {}
                        () = shared.closing.cancelled() => {}
                    }
                }
                if fin {
                    finish(shared, id);
                }
            }
            Frame::Headers { id, fin: true, .. } => finish(shared, id),
            Frame::Reset { id, .. } => {
                if let Some(entry) = shared.streams().live.get_mut(&id) {
                    entry.reset.store(true, Ordering::SeqCst);
                    (entry.input, entry.reply) = (None, None);
                }
            }
            // Ours come back; the other side's are answered.
            Frame::Ping(id) if id % 2 == u32::from(shared.side == Side::Server) => {
                shared.send_with(Frame::Ping(id), shared.permit().await?);
            }
            // The other side opens no more; what is open goes on until it closes.
            Frame::GoAway { .. } | Frame::Ping(_) | Frame::Headers { .. } | Frame::Other(_) => {}
        }
    }
    Ok(())
}

fn finish(shared: &Shared, id: u32) {
    if let Some(entry) = shared.streams().live.get_mut(&id) {
        entry.input = None;
    }
}

/// Ends the connection when nothing moves.
async fn watch(shared: Arc<Shared>, idle: Duration) {
    tokio::select! {
        () = shared.activity.quiet(idle) => {
            tracing::debug!("a connection is given up: nothing moved for {} s", idle.as_secs());
            shared.end();
        }
        () = shared.broken.cancelled() => {}
    }
}

#[cfg(test)]
#[path = "spdy_tests.rs"]
mod tests;
