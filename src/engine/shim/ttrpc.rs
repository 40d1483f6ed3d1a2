//! ttrpc, what containerd's shims speak: protobuf in frames of a ten-byte header over a unix socket (containerd/ttrpc,
//! PROTOCOL.md). The client's side, of calls with one answer, for a process that has one thread.
//!
//! Not by the crate of that name: it wants threads of its own, and messages of another protobuf library.

use std::{
    io::{Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use prost::Message;
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

const HEADER: usize = 10;
/// Bytes of one message, as the protocol bounds it.
const LIMIT: usize = 4 << 20;
const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(string, tag = "1")]
    service: String,
    #[prost(string, tag = "2")]
    method: String,
    #[prost(bytes = "vec", tag = "3")]
    payload: Vec<u8>,
    #[prost(int64, tag = "4")]
    timeout_nano: i64,
    #[prost(message, repeated, tag = "5")]
    metadata: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(message, optional, tag = "1")]
    status: Option<Status>,
    #[prost(bytes = "vec", tag = "2")]
    payload: Vec<u8>,
}

/// google.rpc.Status, without its details.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// A call that was sent.
pub type Stream = u32;

/// An answer's message, encoded.
type Answer = Result<Vec<u8>>;

#[derive(Debug)]
pub struct Connection {
    socket: UnixStream,
    namespace: String,
    next: Stream,
    input: Vec<u8>,
    /// Answers nobody has waited for yet.
    early: Vec<(Stream, Answer)>,
    /// The other side has hung up.
    over: bool,
}

impl Connection {
    /// `namespace` is containerd's, which its shims want with every call.
    pub fn new(socket: UnixStream, namespace: &str) -> Result<Self> {
        socket.set_nonblocking(true).context(|| "set a socket's flags".to_owned())?;
        let namespace = namespace.to_owned();
        Ok(Self { socket, namespace, next: 1, input: Vec::new(), early: Vec::new(), over: false })
    }

    /// Sends a call whose answer comes by [`Self::heard`]. A `limit` of none is for calls that wait for something.
    pub fn send(
        &mut self,
        service: &str,
        method: &str,
        message: &impl Message,
        limit: Option<Duration>,
    ) -> Result<Stream> {
        let doing = || format!("call {service}/{method}");
        let nanos = limit.map_or(0, |l| i64::try_from(l.as_nanos()).unwrap_or(i64::MAX));
        let namespace = KeyValue { key: "containerd-namespace-ttrpc".to_owned(), value: self.namespace.clone() };
        let request = Request {
            service: service.to_owned(),
            method: method.to_owned(),
            payload: message.encode_to_vec(),
            timeout_nano: nanos,
            metadata: vec![namespace],
        };
        let stream = self.next;
        // A client's streams have odd numbers.
        self.next = self.next.checked_add(2).ok_or_else(|| Error::new(Kind::ResourceExhausted, doing()))?;
        let frame = frame(stream, REQUEST, &request.encode_to_vec()).context(doing)?;
        let deadline = Instant::now() + limit.unwrap_or(Duration::from_secs(10));
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match (&self.socket).write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    wait(&self.socket, PollFlags::OUT, deadline).context(doing)?;
                }
                Err(error) => return Err(Error::new(Kind::Unavailable, doing()).with_source(error)),
            }
        }
        Ok(stream)
    }

    /// One call and its answer.
    ///
    /// # Errors
    /// What the other side says; `DeadlineExceeded`; `Unavailable` if it has gone.
    pub fn call<A: Message + Default>(
        &mut self,
        service: &str,
        method: &str,
        message: &impl Message,
        limit: Duration,
    ) -> Result<A> {
        let doing = || format!("call {service}/{method}");
        let deadline = Instant::now() + limit;
        let stream = self.send(service, method, message, Some(limit))?;
        loop {
            self.read().context(doing)?;
            if let Some(at) = self.early.iter().position(|(s, _)| *s == stream) {
                let payload = self.early.swap_remove(at).1.context(doing)?;
                return A::decode(payload.as_slice()).map_err(|e| Error::new(Kind::Internal, doing()).with_source(e));
            }
            if self.over {
                bail!(Unavailable, "{}: the shim has gone", doing());
            }
            wait(&self.socket, PollFlags::IN, deadline).context(doing)?;
        }
    }

    /// The answers that have come; `None` at the end of the connection.
    pub fn heard(&mut self) -> Result<Option<Vec<(Stream, Answer)>>> {
        self.read()?;
        let answers = std::mem::take(&mut self.early);
        Ok((!self.over || !answers.is_empty()).then_some(answers))
    }

    /// Whether there are answers that polling the socket would not tell of.
    pub fn is_pending(&self) -> bool {
        !self.early.is_empty()
    }

    fn read(&mut self) -> Result<()> {
        let mut buffer = [0; 16 << 10];
        while !self.over {
            match (&self.socket).read(&mut buffer) {
                Ok(0) => self.over = true,
                Ok(read) => self.input.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => self.over = true,
                Err(error) => return Err(error).context(|| "read from the shim".to_owned()),
            }
            while let Some((stream, kind, body)) = unframe(&mut self.input)? {
                // Other kinds belong to streams of many messages, which nobody here has asked for.
                if kind == RESPONSE {
                    self.early.push((stream, answer(&body)));
                }
            }
        }
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn answer(body: &[u8]) -> Answer {
    let response = Response::decode(body)
        .map_err(|e| Error::new(Kind::Internal, "an answer that is no message").with_source(e))?;
    match response.status {
        Some(status) if status.code != 0 => {
            let text: String = status.message.chars().filter(|c| !c.is_control()).take(1024).collect();
            Err(tonic::Status::new(tonic::Code::from_i32(status.code), text).into())
        }
        _ => Ok(response.payload),
    }
}

fn frame(stream: Stream, kind: u8, body: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(body.len()).ok().filter(|l| *l as usize <= LIMIT);
    let Some(length) = length else {
        bail!(ResourceExhausted, "a message of {} bytes, at most {LIMIT} are allowed", body.len())
    };
    let mut frame = Vec::with_capacity(HEADER + body.len());
    frame.extend(length.to_be_bytes());
    frame.extend(stream.to_be_bytes());
    frame.extend([kind, 0]);
    frame.extend_from_slice(body);
    Ok(frame)
}

/// The first frame, if it is whole: its stream, kind and body.
fn unframe(input: &mut Vec<u8>) -> Result<Option<(Stream, u8, Vec<u8>)>> {
    let Some(header) = input.first_chunk::<HEADER>() else { return Ok(None) };
    let [a, b, c, d, e, f, g, h, kind, _] = *header;
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > LIMIT {
        bail!(ResourceExhausted, "the shim's message claims {length} bytes, at most {LIMIT} are allowed");
    }
    if input.len() < HEADER + length {
        return Ok(None);
    }
    let body = input[HEADER..HEADER + length].to_vec();
    input.drain(..HEADER + length);
    Ok(Some((u32::from_be_bytes([e, f, g, h]), kind, body)))
}

fn wait(socket: &UnixStream, flags: PollFlags, deadline: Instant) -> Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    let limit = Timespec::try_from(left).map_err(|e| Error::new(Kind::Internal, "a time to wait").with_source(e))?;
    match rustix::event::poll(&mut [PollFd::new(socket, flags)], Some(&limit)) {
        Ok(0) => bail!(DeadlineExceeded, "the shim did not answer in time"),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error).context(|| "wait for the shim".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(stream: Stream, status: Option<Status>, payload: &[u8]) -> Vec<u8> {
        let response = Response { status, payload: payload.to_vec() };
        frame(stream, RESPONSE, &response.encode_to_vec()).unwrap()
    }

    #[test]
    fn answers_find_their_calls_in_any_order() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(ours, "k8s.io").unwrap();
        let waiting = connection.send("s", "Wait", &KeyValue::default(), None).unwrap();
        let word = KeyValue { key: "k".into(), value: "v".into() };
        theirs.write_all(&reply(3, None, &word.encode_to_vec())).unwrap();
        theirs.write_all(&reply(waiting, Some(Status { code: 5, message: "gone\u{1b}[2J".into() }), b"")).unwrap();
        let answer: KeyValue = connection.call("s", "Get", &KeyValue::default(), Duration::from_secs(5)).unwrap();
        assert_eq!(answer, word);
        let heard = connection.heard().unwrap().unwrap();
        let [(stream, Err(error))] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!((*stream, error.kind()), (waiting, Kind::NotFound));
        assert_eq!(error.to_string(), "gone[2J");
        drop(theirs);
        assert!(connection.heard().unwrap().is_none());
    }

    #[test]
    fn frames_are_whole_or_not_yet_and_bounded() {
        let bytes = frame(7, RESPONSE, b"body").unwrap();
        for cut in 0..bytes.len() {
            assert!(unframe(&mut bytes[..cut].to_vec()).unwrap().is_none());
        }
        let mut twice = [bytes.as_slice(), &bytes[..5]].concat();
        assert_eq!(unframe(&mut twice).unwrap(), Some((7, RESPONSE, b"body".to_vec())));
        assert_eq!(twice, &bytes[..5]);
        assert!(unframe(&mut vec![0xff; HEADER]).is_err());
        assert!(frame(1, REQUEST, &vec![0; LIMIT + 1]).is_err());
    }

    #[test]
    fn a_silent_or_a_dead_shim_is_not_waited_for() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(ours, "n").unwrap();
        let mut call = |limit| connection.call::<KeyValue>("s", "m", &KeyValue::default(), limit).unwrap_err().kind();
        assert_eq!(call(Duration::from_millis(20)), Kind::DeadlineExceeded);
        drop(theirs);
        assert_eq!(call(Duration::from_secs(5)), Kind::Unavailable);
    }
}
