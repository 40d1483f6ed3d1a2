//! Calls of systemd's manager over D-Bus: one connection for one undertaking, blocking, with a deadline. What is asked of it
//! is `systemd`'s.
//!
//! The shim has one thread and no async runtime, and no D-Bus library that is kept works so; of zbus only the wire format is used.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use serde::{Serialize, de::DeserializeOwned, ser::SerializeStruct};
use zbus::{
    DynamicType, ObjectPath, OwnedObjectPath, Signature, Type, Variant,
    wire::{
        Endian, LE,
        serialized::{Context as Wire, Data},
        to_bytes,
    },
};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// For everything that is asked on one connection, jobs included. Less than the engine gives a shim to stand.
const LIMIT: Duration = Duration::from_secs(25);
/// systemd's own socket, for root: it is there before the bus is, and without one.
const PRIVATE: &str = "/run/systemd/private";
const SYSTEM: &str = "/run/dbus/system_bus_socket";
/// Bytes of one message; properties of other units pass by on systemd's own socket.
const MESSAGE: usize = 16 << 20;
/// Bytes of a text of systemd's that an error shows.
const TEXT: usize = 512;

pub const SYSTEMD: &str = "org.freedesktop.systemd1";
pub const MANAGER: (&str, &str) = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");
const DBUS: (&str, &str) = ("/org/freedesktop/DBus", "org.freedesktop.DBus");

/// D-Bus specification, "Message Types" and "Header Fields".
const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

type Header<'a> = (u8, u8, u8, u8, u32, u32, Vec<(u8, Variant<'a>)>);

/// A property of a unit.
pub type Property = (&'static str, Variant<'static>);

#[derive(Debug)]
pub struct Bus {
    stream: UnixStream,
    serial: u32,
    deadline: Instant,
    /// Jobs that have ended: their path, and how.
    jobs: Vec<(String, String)>,
}

#[derive(Debug)]
struct Message {
    kind: u8,
    member: String,
    error: String,
    reply_to: u32,
    signature: String,
    endian: Endian,
    body: Vec<u8>,
}

impl Bus {
    /// # Errors
    /// `Unavailable` if systemd can be reached by neither of its sockets.
    pub fn connect() -> Result<Self> {
        match Self::at(Path::new(PRIVATE), true) {
            Ok(bus) => Ok(bus),
            Err(first) => Self::at(Path::new(SYSTEM), false).map_err(|second| {
                Error::new(Kind::Unavailable, format!("ask systemd: {first:#}; {second:#}: is this its machine?"))
            }),
        }
    }

    /// Whether there is a socket; nobody is asked.
    pub fn is_there() -> bool {
        [PRIVATE, SYSTEM].iter().any(|socket| Path::new(socket).exists())
    }

    /// `direct`: systemd itself is at the other end, and tells of jobs unasked.
    pub fn at(socket: &Path, direct: bool) -> Result<Self> {
        let stream = open(socket).map_err(|e| Error::io("connect to", socket, e))?;
        let mut bus = Self { stream, serial: 0, deadline: Instant::now() + LIMIT, jobs: Vec::new() };
        bus.authenticate().context(|| format!("authenticate at {}", socket.display()))?;
        if !direct {
            let rule = format!("type='signal',sender='{SYSTEMD}',interface='{}',member='JobRemoved'", MANAGER.1);
            bus.call(DBUS.1, DBUS, "Hello", &())?;
            bus.call(DBUS.1, DBUS, "AddMatch", &(rule.as_str(),))?;
            bus.call(SYSTEMD, MANAGER, "Subscribe", &())?;
        }
        Ok(bus)
    }

    /// SASL's EXTERNAL: the kernel tells the other end who we are. BEGIN goes with it: a call that came together with a later
    /// one would wait in systemd's buffer until more comes.
    fn authenticate(&mut self) -> Result<()> {
        let uid: String = rustix::process::geteuid().to_string().bytes().map(|b| format!("{b:02x}")).collect();
        self.send(format!("\0AUTH EXTERNAL {uid}\r\nBEGIN\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            if line.len() > TEXT {
                bail!(Internal, "what answers speaks no D-Bus");
            }
            let mut byte = [0];
            self.receive(&mut byte)?;
            line.extend(byte);
        }
        if !line.starts_with(b"OK ") {
            bail!(PermissionDenied, "it answered {:?}", shown(&String::from_utf8_lossy(&line)));
        }
        Ok(())
    }

    /// Calls a method of an object's interface; the reply's body as `T`.
    pub fn ask<B, T>(&mut self, object: (&str, &str), member: &str, body: &B) -> Result<T>
    where
        B: Serialize + DynamicType,
        T: DeserializeOwned + Type,
    {
        let reply = self.call(SYSTEMD, object, member, body)?;
        reply.read().context(|| format!("systemd's answer to {member}"))
    }

    /// Calls a method that answers nothing.
    pub fn tell<B: Serialize + DynamicType>(&mut self, object: (&str, &str), member: &str, body: &B) -> Result<()> {
        self.call(SYSTEMD, object, member, body).map(drop)
    }

    /// Calls a method of the manager that makes a job, and waits until that is done.
    ///
    /// # Errors
    /// What systemd refuses, and a job that failed.
    pub fn job<B: Serialize + DynamicType>(&mut self, unit: &str, member: &str, body: &B) -> Result<()> {
        let job: OwnedObjectPath = self.ask(MANAGER, member, body)?;
        let result = loop {
            if let Some((_, result)) = self.jobs.iter().find(|(path, _)| *path == job.as_str()) {
                break result;
            }
            self.next()?;
        };
        match result.as_str() {
            "done" => Ok(()),
            other => {
                bail!(Internal, "systemd's job of {member} for {unit} ended as {other:?}: see systemctl status {unit}")
            }
        }
    }

    fn call<B: Serialize + DynamicType>(
        &mut self,
        destination: &str,
        (path, interface): (&str, &str),
        member: &str,
        body: &B,
    ) -> Result<Message> {
        self.serial += 1;
        self.send(&encode(self.serial, destination, (path, interface), member, body)?)?;
        loop {
            let Some(message) = self.next()?.filter(|m| m.reply_to == self.serial) else { continue };
            if message.kind == RETURN {
                return Ok(message);
            }
            let said = if message.signature.starts_with('s') { message.read()? } else { String::new() };
            let kind = match message.error.rsplit('.').next().unwrap_or_default() {
                "NoSuchUnit" => Kind::NotFound,
                "UnitExists" => Kind::AlreadyExists,
                "AccessDenied" | "InteractiveAuthorizationRequired" => Kind::PermissionDenied,
                "InvalidArgs" | "PropertyReadOnly" | "UnknownProperty" => Kind::InvalidArgument,
                _ => Kind::Internal,
            };
            return Err(Error::new(kind, format!("systemd refused {member}: {} ({})", shown(&said), message.error)));
        }
    }

    /// The next message, if it is a reply. Ends of jobs are kept, other signals are not.
    fn next(&mut self) -> Result<Option<Message>> {
        let mut bytes = vec![0; 16];
        self.receive(&mut bytes)?;
        let endian = if bytes[0] == b'B' { Endian::Big } else { LE };
        let number = |at: usize| {
            let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            let number = if endian == LE { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) };
            number as usize
        };
        let (body, fields) = (number(4), number(12));
        let start = fields.saturating_add(16).next_multiple_of(8);
        let whole = start.saturating_add(body);
        if whole > MESSAGE {
            bail!(ResourceExhausted, "a message of systemd's has {whole} bytes");
        }
        bytes.resize(whole, 0);
        self.receive(&mut bytes[16..])?;
        let message = Message::parse(&bytes, endian, start)?;
        match message.kind {
            RETURN | ERROR => return Ok(Some(message)),
            SIGNAL if message.member == "JobRemoved" && message.signature == "uoss" => {
                let (_, job, _, result): (u32, OwnedObjectPath, String, String) = message.read()?;
                self.jobs.push((job.as_str().to_owned(), shown(&result)));
            }
            _ => {}
        }
        Ok(None)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = self.left().and_then(|left| self.stream.set_write_timeout(Some(left)));
        sent.and_then(|()| self.stream.write_all(bytes)).map_err(|e| broke("write to systemd", e))
    }

    fn receive(&mut self, mut room: &mut [u8]) -> Result<()> {
        while !room.is_empty() {
            let read = self.left().and_then(|left| {
                self.stream.set_read_timeout(Some(left))?;
                self.stream.read(room)
            });
            match read {
                Ok(0) => return Err(broke("read from systemd", io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => room = &mut room[read..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broke("read from systemd", error)),
            }
        }
        Ok(())
    }
}

/// A hung systemd accepts nobody: that, too, has a limit.
fn open(socket: &Path) -> rustix::io::Result<UnixStream> {
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&fd, sockopt::Timeout::Send, Some(LIMIT))?;
    rustix::net::connect(&fd, &SocketAddrUnix::new(socket)?)?;
    Ok(fd.into())
}

fn broke(doing: &'static str, error: io::Error) -> Error {
    if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
        return Error::new(Kind::DeadlineExceeded, format!("{doing}: no answer within {} s", LIMIT.as_secs()));
    }
    Error::new(Kind::Unavailable, doing).with_source(error)
}

fn encode<B: Serialize + DynamicType>(
    serial: u32,
    destination: &str,
    (path, interface): (&str, &str),
    member: &str,
    body: &B,
) -> Result<Vec<u8>> {
    let doing = || format!("encode the call of {member}");
    let wire = |e: zbus::Error| Error::new(Kind::Internal, doing()).with_source(e);
    // Several arguments are laid out as a structure is, which a body starts like: aligned to eight.
    let signature = body.signature().to_string_no_parens();
    let body = to_bytes(Wire::new(LE, 0), body).map_err(wire)?;
    let path = ObjectPath::try_from(path).map_err(wire)?;
    let mut fields = vec![
        (PATH, Field::Value(path.into())),
        (INTERFACE, Field::Value(interface.into())),
        (MEMBER, Field::Value(member.into())),
        (DESTINATION, Field::Value(destination.into())),
    ];
    if !signature.is_empty() {
        fields.push((SIGNATURE, Field::Signature(&signature)));
    }
    let length = u32::try_from(if signature.is_empty() { 0 } else { body.len() });
    let length = length.map_err(|e| Error::new(Kind::InvalidArgument, doing()).with_source(e))?;
    let header = (b'l', CALL, 0_u8, 1_u8, length, serial, fields);
    let mut bytes = to_bytes(Wire::new(LE, 0), &header).map_err(wire)?.bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    if !signature.is_empty() {
        bytes.extend_from_slice(body.bytes());
    }
    Ok(bytes)
}

/// A field of a header that is sent.
enum Field<'a> {
    Value(Variant<'a>),
    /// Of a body: that of several arguments has no parentheses around it, which zbus' `Signature` would write.
    Signature(&'a str),
}

impl Type for Field<'_> {
    const SIGNATURE: &'static Signature = &Signature::Variant;
}

impl Serialize for Field<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Signature(text) => {
                let mut variant = serializer.serialize_struct("Variant", 2)?;
                variant.serialize_field("signature", &Signature::Signature)?;
                variant.serialize_field("value", text)?;
                variant.end()
            }
        }
    }
}

impl Message {
    /// `start`: where the body is.
    fn parse(bytes: &[u8], endian: Endian, start: usize) -> Result<Self> {
        let data = Data::new(bytes, Wire::new(endian, 0));
        let header: zbus::Result<(Header<'_>, usize)> = data.deserialize();
        let ((_, kind, _, _, _, _, fields), _) =
            header.map_err(|e| Error::new(Kind::Internal, "a message of systemd's has no header").with_quote(e))?;
        let text = |code: u8| {
            fields.iter().find(|(c, _)| *c == code).map_or_else(String::new, |(_, value)| match value {
                Variant::Str(text) => shown(text.as_str()),
                Variant::Signature(signature) => signature.to_string_no_parens(),
                _ => String::new(),
            })
        };
        let reply_to = fields.iter().find_map(|(code, value)| match value {
            Variant::U32(serial) if *code == REPLY_SERIAL => Some(*serial),
            _ => None,
        });
        Ok(Self {
            kind,
            member: text(MEMBER),
            error: text(ERROR_NAME),
            reply_to: reply_to.unwrap_or(0),
            signature: text(SIGNATURE),
            endian,
            body: bytes[start..].to_vec(),
        })
    }

    fn read<T: DeserializeOwned + Type>(&self) -> Result<T> {
        let data = Data::new(&self.body[..], Wire::new(self.endian, 0));
        let value: zbus::Result<(T, usize)> = data.deserialize();
        value
            .map(|(value, _)| value)
            .map_err(|e| Error::new(Kind::Internal, "its body is not as expected").with_quote(e))
    }
}

/// For people: bounded, without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;

    type Heard = thread::JoinHandle<Vec<(String, String, Vec<u8>)>>;

    /// A systemd that says these messages, each after a call, and returns the calls it heard: member, signature and body.
    fn systemd(answers: Vec<Vec<Vec<u8>>>) -> (tempfile::TempDir, Bus, Heard) {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("private")).unwrap();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let deadline = Instant::now() + LIMIT;
            let mut there = Bus { stream, serial: 0, deadline, jobs: Vec::new() };
            let mut greeting = [0; 26];
            there.receive(&mut greeting).unwrap();
            assert_eq!(&greeting, b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n", "these tests run as root");
            there.send(b"OK 0123\r\n").unwrap();
            let mut heard = Vec::new();
            for messages in answers {
                let mut head = vec![0; 16];
                there.receive(&mut head).unwrap();
                let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap()) as usize;
                let start = (16 + number(12)).next_multiple_of(8);
                let whole = start + number(4);
                head.resize(whole, 0);
                there.receive(&mut head[16..]).unwrap();
                let message = Message::parse(&head, LE, start).unwrap();
                // As it travels: code, the signature of a signature, length, text.
                let field =
                    [&[SIGNATURE, 1, b'g', 0, message.signature.len() as u8], message.signature.as_bytes(), b"\0"];
                let field = field.concat();
                assert!(head.windows(field.len()).any(|w| w == field), "{head:?}");
                heard.push((message.member, message.signature, message.body));
                messages.iter().for_each(|bytes| there.send(bytes).unwrap());
            }
            heard
        });
        let bus = Bus::at(&dir.path().join("private"), true).unwrap();
        (dir, bus, server)
    }

    fn message<B: Serialize + DynamicType>(kind: u8, fields: Vec<(u8, Variant<'_>)>, body: &B) -> Vec<u8> {
        let signature = body.signature().to_string_no_parens();
        let body = to_bytes(Wire::new(LE, 0), body).unwrap();
        let fields = fields.into_iter().map(|(code, value)| (code, Field::Value(value)));
        let fields: Vec<_> = fields.chain([(SIGNATURE, Field::Signature(&signature))]).collect();
        let header = (b'l', kind, 0_u8, 1_u8, u32::try_from(body.len()).unwrap(), 7_u32, fields);
        let mut bytes = to_bytes(Wire::new(LE, 0), &header).unwrap().bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend_from_slice(body.bytes());
        bytes
    }

    fn removed(job: &str, result: &str) -> Vec<u8> {
        let fields = vec![(MEMBER, Variant::from("JobRemoved")), (INTERFACE, Variant::from(MANAGER.1))];
        message(SIGNAL, fields, &(9_u32, ObjectPath::try_from(job).unwrap(), "x.scope", result))
    }

    fn job(serial: u32, path: &str) -> Vec<u8> {
        message(RETURN, vec![(REPLY_SERIAL, serial.into())], &(ObjectPath::try_from(path).unwrap(),))
    }

    #[test]
    fn a_job_is_waited_for_and_others_are_not_taken_for_it() {
        if !rustix::process::geteuid().is_root() {
            return println!("skipped: needs root");
        }
        let (_dir, mut bus, server) = systemd(vec![
            vec![removed("/job/1", "failed"), job(1, "/job/2"), removed("/job/3", "failed"), removed("/job/2", "done")],
            // The end may come before the answer.
            vec![removed("/job/4", "timeout\u{1b}[2J"), job(2, "/job/4")],
        ]);
        let properties: Vec<Property> = vec![("PIDs", Variant::from(vec![7_u32])), ("Delegate", true.into())];
        let none: &[(&str, Vec<Property>)] = &[];
        bus.job("x.scope", "StartTransientUnit", &("x.scope", "fail", properties, none)).unwrap();
        let error = bus.job("x.scope", "StopUnit", &("x.scope", "replace")).unwrap_err().to_string();
        assert!(error.contains("StopUnit") && error.contains("timeout[2J") && !error.contains('\u{1b}'), "{error}");
        let heard = server.join().unwrap();
        assert_eq!((heard[0].0.as_str(), heard[0].1.as_str()), ("StartTransientUnit", "ssa(sv)a(sa(sv))"));
        assert_eq!((heard[1].0.as_str(), heard[1].1.as_str()), ("StopUnit", "ss"));
        // D-Bus specification, "Marshaling": lengths before texts, a zero after, aligned to four.
        assert_eq!(heard[1].2, b"\x07\0\0\0x.scope\0\x07\0\0\0replace\0");
    }

    #[test]
    fn what_systemd_refuses_is_said_with_its_words() {
        if !rustix::process::geteuid().is_root() {
            return println!("skipped: needs root");
        }
        let refuse = |serial: u32, name: &str| {
            let fields = vec![(REPLY_SERIAL, serial.into()), (ERROR_NAME, Variant::from(name.to_owned()))];
            vec![message(ERROR, fields, &("Unit x.scope not loaded.\n",))]
        };
        let (_dir, mut bus, server) = systemd(vec![
            refuse(1, "org.freedesktop.systemd1.NoSuchUnit"),
            refuse(2, "org.freedesktop.DBus.Error.AccessDenied"),
        ]);
        for kind in [Kind::NotFound, Kind::PermissionDenied] {
            let error = bus.tell(MANAGER, "ResetFailedUnit", &("x.scope",)).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains("Unit x.scope not loaded. ("), "{error}");
        }
        server.join().unwrap();
    }

    #[test]
    fn whoever_speaks_no_dbus_is_left() {
        for said in [&b"HTTP/1.1 400 Bad Request\r\n"[..], &[b'x'; 2000], b""] {
            let dir = tempfile::tempdir().unwrap();
            let listener = UnixListener::bind(dir.path().join("s")).unwrap();
            let server = thread::spawn(move || listener.accept().unwrap().0.write_all(said));
            let error = Bus::at(&dir.path().join("s"), true).unwrap_err();
            assert!(format!("{error:#}").contains("authenticate at"), "{error:#}");
            drop(server.join().unwrap());
        }
    }

    #[test]
    fn broken_messages_are_errors() {
        let good = removed("/job/1", "done");
        let start = good.len() - Message::parse(&good, LE, 0).unwrap().body.len();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0xff;
            // Whatever it comes to, it is no panic.
            if let Ok(message) = Message::parse(&bad, LE, start) {
                drop(message.read::<(u32, OwnedObjectPath, String, String)>());
            }
        }
        assert!(Message::parse(&good[..20], LE, 16).is_err());
    }
}
