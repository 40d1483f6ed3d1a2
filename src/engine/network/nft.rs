//! The built-in network's nf_tables table: masquerading and host ports, replaced as a whole in one transaction.
//!
//! The rules are a pure function of the subnet and the ports, so nothing can drift: whoever flushed them gets them
//! back with the next pod. Messages are written by hand, as bare machines have no `nft` and the library is C's.
//! Numbers not in `libc` are those of `linux/netfilter/nf_tables.h`.

use std::{
    net::{IpAddr, Ipv4Addr},
    os::fd::OwnedFd,
    thread,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto, socket_with,
        sockopt::{set_socket_send_buffer_size, set_socket_send_buffer_size_force},
    },
};

use super::{PortMapping, ipam::Subnet};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Longest table name we accept; the kernel's limit is 256.
pub(super) const NAME_MAX: usize = 31;

const NEWTABLE: u16 = libc::NFT_MSG_NEWTABLE as u16;
const DELTABLE: u16 = libc::NFT_MSG_DELTABLE as u16;
const NEWCHAIN: u16 = libc::NFT_MSG_NEWCHAIN as u16;
const NEWRULE: u16 = libc::NFT_MSG_NEWRULE as u16;
const GETGEN: u16 = libc::NFT_MSG_GETGEN as u16;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const SUBSYSTEM: u16 = 10;
/// Times that others may change rules while we change ours.
const ATTEMPTS: u32 = 20;

const REG: u32 = 1;
const REG2: u32 = 2;
const DROP: i32 = 0;
const JUMP: i32 = -3;
const STATUS_DNAT: u32 = 1 << 5;
const ADDRTYPE_LOCAL: u32 = 2;
/// Offsets in an IPv4 header.
const SOURCE: u32 = 12;
const DESTINATION: u32 = 16;

/// What the table does.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    pub bridge: &'a str,
    pub subnet: Subnet,
    /// Pod address and a mapping that leads there. `host_ip` must be empty, unspecified or IPv4.
    pub ports: Vec<(Ipv4Addr, &'a PortMapping)>,
}

/// What [`ensure`] has made, and when: every change by anybody gives the namespace's rules another generation.
#[derive(Debug)]
pub(super) struct Applied {
    generation: u32,
    batch: Vec<u8>,
}

/// Makes `table` hold `rules` and nothing else, or leaves all as it was. Nothing is done if `last` made the same and
/// nobody has changed any rule since: most pods change none. Blocking, in the thread's network namespace.
pub(super) fn ensure(table: &str, rules: &Rules<'_>, last: &mut Option<Applied>) -> Result<()> {
    let doing = || format!("replace nf_tables table {table}");
    for _ in 0..ATTEMPTS {
        let now = generation().context(doing)?;
        // The generation goes with the batch, so that what is remembered is of one moment.
        let mut batch = Batch::new(Some(now));
        // Deleting what is not there fails, so it is made first.
        batch.table(NEWTABLE, table, true);
        batch.table(DELTABLE, table, false);
        batch.table(NEWTABLE, table, false);
        let rules_start = batch.bytes.len();
        fill(&mut batch, table, rules)?;
        let made = batch.bytes[rules_start..].to_vec();
        if last.as_ref().is_some_and(|l| l.generation == now && l.batch == made) {
            return Ok(());
        }
        *last = None;
        match batch.send() {
            Ok(()) => {
                // The kernel leaves 0 out.
                *last = Some(Applied { generation: now.wrapping_add(1).max(1), batch: made });
                return Ok(());
            }
            Err(Errno::RESTART) => {}
            Err(error) => return Err(error).context(doing),
        }
    }
    bail!(Unavailable, "replace nf_tables table {table}: somebody else keeps changing rules")
}

fn generation() -> Result<u32> {
    const NEWGEN: u16 = SUBSYSTEM << 8 | libc::NFT_MSG_NEWGEN as u16;
    let mut found = None;
    ask_generation()
        .exchange(|kind, body| {
            // After the family and resource: NFTA_GEN_ID, a big-endian number, comes first.
            if let (NEWGEN, Some((_, rest))) = (kind, body.split_first_chunk::<8>()) {
                found = rest.first_chunk::<4>().map(|id| u32::from_be_bytes(*id));
            }
        })
        .context(|| "ask for the rules' generation".to_owned())?;
    found.ok_or_else(|| Error::new(Kind::Internal, "nf_tables did not tell its generation"))
}

fn ask_generation() -> Batch {
    let mut batch = Batch { bytes: Vec::new(), sequence: 0 };
    batch.message(SUBSYSTEM << 8 | GETGEN, 0, libc::AF_UNSPEC as u8, 0, true, |_| {});
    batch
}

/// Fine if there is no such table. Blocking.
pub(super) fn delete(table: &str) -> Result<()> {
    let mut batch = Batch::new(None);
    batch.table(NEWTABLE, table, true);
    batch.table(DELTABLE, table, false);
    batch.send().context(|| format!("delete nf_tables table {table}"))
}

/// Whether the kernel has nf_tables and lets us use it.
pub(super) fn probe() -> Result<()> {
    generation().map(drop)
}

/// Ends the UDP flows to a host port, which would go on to the pod that had it before, or to nobody, for as long as
/// the client keeps asking. TCP connections end by themselves. Blocking.
///
/// `Ok(false)`: this kernel is too old to do that by port, and refused.
pub(super) fn end_flows(host_port: u16) -> Result<bool> {
    const CT_DELETE: u16 = 1 << 8 | 2;
    /// `CTA_FILTER_F_CTA_PROTO_NUM` and `..._DST_PORT`.
    const BY_PROTOCOL_AND_PORT: u32 = 1 << 3 | 1 << 5;
    let mut batch = Batch { bytes: Vec::new(), sequence: 0 };
    // With a tuple in it, a kernel that ignores the filter looks for one flow instead of ending all.
    batch.message(CT_DELETE, 0, libc::NFPROTO_IPV4 as u8, 0, true, |b| {
        nest(b, 1, |b| {
            nest(b, 2, |b| {
                attribute(b, 1, &[libc::IPPROTO_UDP as u8]);
                attribute(b, 3, &host_port.to_be_bytes());
            });
        });
        nest(b, 25, |b| attribute(b, 1, &BY_PROTOCOL_AND_PORT.to_ne_bytes()));
    });
    match batch.exchange(|_, _| {}) {
        Ok(()) => Ok(true),
        Err(error @ (Errno::PERM | Errno::ACCESS | Errno::NOBUFS | Errno::NOMEM)) => {
            Err(error).context(|| format!("end UDP flows to port {host_port}"))
        }
        Err(error) => {
            tracing::debug!(host_port, %error, "end UDP flows");
            Ok(false)
        }
    }
}

/// The number of a transport protocol as CNI and CRI name it.
pub(super) fn protocol(name: &str) -> Result<u8> {
    match name.to_ascii_lowercase().as_str() {
        "tcp" | "" => Ok(libc::IPPROTO_TCP as u8),
        "udp" => Ok(libc::IPPROTO_UDP as u8),
        "sctp" => Ok(libc::IPPROTO_SCTP as u8),
        _ => bail!(InvalidArgument, "unknown protocol {name:?} of a port mapping"),
    }
}

fn fill(batch: &mut Batch, table: &str, rules: &Rules<'_>) -> Result<()> {
    let net = (u32::from(rules.subnet.network()), rules.subnet.mask());
    let loopback = (u32::from(Ipv4Addr::new(127, 0, 0, 0)), 0xff00_0000);
    let multicast = (u32::from(Ipv4Addr::new(224, 0, 0, 0)), 0xf000_0000);

    batch.chain(table, "guard", Some(("filter", libc::NF_INET_PRE_ROUTING as u32, -300)));
    batch.chain(table, "prerouting", Some(("nat", libc::NF_INET_PRE_ROUTING as u32, -100)));
    batch.chain(table, "output", Some(("nat", libc::NF_INET_LOCAL_OUT as u32, -100)));
    batch.chain(table, "postrouting", Some(("nat", libc::NF_INET_POST_ROUTING as u32, 100)));
    batch.chain(table, "ports", None);

    // The bridge routes 127.0.0.0/8 so that ports answer there; pods must not use that to reach the host's loopback.
    batch.rule(table, "guard", "no loopback from pods", |r| {
        r.interface(rules.bridge);
        r.address(DESTINATION, loopback, true);
        r.verdict(DROP, None);
    });
    for chain in ["prerouting", "output"] {
        batch.rule(table, chain, "host ports", |r| {
            r.local_destination();
            r.verdict(JUMP, Some("ports"));
        });
    }
    // Without this the answer would go from pod to pod directly, from an address nobody asked.
    batch.rule(table, "postrouting", "pod to pod by a host port", |r| {
        r.is_dnat();
        r.address(SOURCE, net, true);
        r.address(DESTINATION, net, true);
        r.expression("masq", |_| {});
    });
    batch.rule(table, "postrouting", "loopback to pod by a host port", |r| {
        r.address(SOURCE, loopback, true);
        r.address(DESTINATION, net, true);
        r.expression("masq", |_| {});
    });
    batch.rule(table, "postrouting", "pods to the world", |r| {
        r.address(SOURCE, net, true);
        r.address(DESTINATION, net, false);
        r.address(DESTINATION, multicast, false);
        r.expression("masq", |_| {});
    });
    for (pod, port) in &rules.ports {
        let number = protocol(&port.protocol)?;
        let host_ip = host_ip(port)?;
        let comment = format!("{pod}:{}", port.container_port);
        batch.rule(table, "ports", &comment, |r| {
            if let Some(IpAddr::V4(address)) = host_ip {
                r.address(DESTINATION, (address.into(), u32::MAX), true);
            }
            r.transport(number, port.host_port);
            r.dnat(*pod, port.container_port);
        });
    }
    Ok(())
}

/// `None` for every address.
pub(super) fn host_ip(port: &PortMapping) -> Result<Option<IpAddr>> {
    if port.host_ip.is_empty() {
        return Ok(None);
    }
    match port.host_ip.parse::<IpAddr>() {
        Ok(address) => Ok((!address.is_unspecified()).then_some(address)),
        Err(_) => bail!(InvalidArgument, "{:?} of host port {} is not an address", port.host_ip, port.host_port),
    }
}

/// A rule's expressions. Each `match` ends the rule's evaluation if it does not hold.
struct Rule<'a>(&'a mut Vec<u8>);

impl Rule<'_> {
    fn expression(&mut self, name: &str, data: impl FnOnce(&mut Vec<u8>)) {
        nest(self.0, 1, |element| {
            text(element, 1, name);
            nest(element, 2, data);
        });
    }

    fn compare(&mut self, equal: bool, value: &[u8]) {
        self.expression("cmp", |d| {
            number(d, 1, REG);
            number(d, 2, if equal { libc::NFT_CMP_EQ } else { libc::NFT_CMP_NEQ } as u32);
            nest(d, 3, |d| attribute(d, 1, value));
        });
    }

    fn load(&mut self, base: u32, offset: u32, length: u32) {
        self.expression("payload", |d| {
            number(d, 1, REG);
            number(d, 2, base);
            number(d, 3, offset);
            number(d, 4, length);
        });
    }

    fn mask(&mut self, mask: [u8; 4]) {
        self.expression("bitwise", |d| {
            number(d, 1, REG);
            number(d, 2, REG);
            number(d, 3, 4);
            nest(d, 4, |d| attribute(d, 1, &mask));
            nest(d, 5, |d| attribute(d, 1, &[0; 4]));
        });
    }

    fn address(&mut self, offset: u32, (network, mask): (u32, u32), equal: bool) {
        self.load(libc::NFT_PAYLOAD_NETWORK_HEADER as u32, offset, 4);
        if mask != u32::MAX {
            self.mask(mask.to_be_bytes());
        }
        self.compare(equal, &network.to_be_bytes());
    }

    fn interface(&mut self, name: &str) {
        self.meta(libc::NFT_META_IIFNAME as u32);
        let mut padded = [0_u8; 16];
        padded[..name.len().min(15)].copy_from_slice(&name.as_bytes()[..name.len().min(15)]);
        self.compare(true, &padded);
    }

    fn meta(&mut self, key: u32) {
        self.expression("meta", |d| {
            number(d, 1, REG);
            number(d, 2, key);
        });
    }

    fn transport(&mut self, protocol: u8, destination: u16) {
        self.meta(libc::NFT_META_L4PROTO as u32);
        self.compare(true, &[protocol]);
        self.load(libc::NFT_PAYLOAD_TRANSPORT_HEADER as u32, 2, 2);
        self.compare(true, &destination.to_be_bytes());
    }

    fn local_destination(&mut self) {
        self.expression("fib", |d| {
            number(d, 1, REG);
            number(d, 2, 3); // NFT_FIB_RESULT_ADDRTYPE
            number(d, 3, 2); // NFTA_FIB_F_DADDR
        });
        self.compare(true, &ADDRTYPE_LOCAL.to_ne_bytes());
    }

    fn is_dnat(&mut self) {
        self.expression("ct", |d| {
            number(d, 1, REG);
            number(d, 2, libc::NFT_CT_STATUS as u32);
        });
        self.mask(STATUS_DNAT.to_ne_bytes());
        self.compare(false, &[0; 4]);
    }

    fn immediate(&mut self, register: u32, data: impl FnOnce(&mut Vec<u8>)) {
        self.expression("immediate", |d| {
            number(d, 1, register);
            nest(d, 2, data);
        });
    }

    fn verdict(&mut self, code: i32, chain: Option<&str>) {
        self.immediate(0, |d| {
            nest(d, 2, |d| {
                number(d, 1, code.cast_unsigned());
                if let Some(chain) = chain {
                    text(d, 2, chain);
                }
            });
        });
    }

    fn dnat(&mut self, address: Ipv4Addr, port: u16) {
        self.immediate(REG, |d| attribute(d, 1, &address.octets()));
        self.immediate(REG2, |d| attribute(d, 1, &port.to_be_bytes()));
        self.expression("nat", |d| {
            number(d, 1, 1); // NFT_NAT_DNAT
            number(d, 2, libc::NFPROTO_IPV4 as u32);
            number(d, 3, REG);
            number(d, 5, REG2);
        });
    }
}

/// Messages that take effect together or not at all.
struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
}

impl Batch {
    /// With a generation the kernel refuses it (`ERESTART`) if the rules have another one by then.
    fn new(generation: Option<u32>) -> Self {
        let mut batch = Self { bytes: Vec::new(), sequence: 0 };
        batch.message(BATCH_BEGIN, 0, libc::AF_UNSPEC as u8, SUBSYSTEM, false, |b| {
            if let Some(generation) = generation {
                number(b, 1, generation); // NFNL_BATCH_GENID
            }
        });
        batch
    }

    fn message(&mut self, kind: u16, flags: u16, family: u8, id: u16, ack: bool, body: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        let flags = flags | libc::NLM_F_REQUEST as u16 | if ack { libc::NLM_F_ACK as u16 } else { 0 };
        self.sequence += 1;
        self.bytes.extend([0; 4]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.sequence.to_ne_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend([family, 0]);
        self.bytes.extend(id.to_be_bytes());
        body(&mut self.bytes);
        let length = (self.bytes.len() - start) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }

    fn ask(&mut self, kind: u16, flags: i32, ack: bool, body: impl FnOnce(&mut Vec<u8>)) {
        self.message(SUBSYSTEM << 8 | kind, flags as u16, libc::NFPROTO_IPV4 as u8, 0, ack, body);
    }

    fn table(&mut self, kind: u16, name: &str, ack: bool) {
        let flags = if kind == NEWTABLE { libc::NLM_F_CREATE } else { 0 };
        self.ask(kind, flags, ack, |b| text(b, 1, name));
    }

    /// `base`: type, hook, priority.
    fn chain(&mut self, table: &str, name: &str, base: Option<(&str, u32, i32)>) {
        self.ask(NEWCHAIN, libc::NLM_F_CREATE, false, |b| {
            text(b, 1, table);
            text(b, 3, name);
            if let Some((kind, hook, priority)) = base {
                nest(b, 4, |b| {
                    number(b, 1, hook);
                    number(b, 2, priority.cast_unsigned());
                });
                number(b, 5, libc::NF_ACCEPT as u32);
                text(b, 7, kind);
            }
        });
    }

    fn rule(&mut self, table: &str, chain: &str, comment: &str, build: impl FnOnce(&mut Rule<'_>)) {
        self.ask(NEWRULE, libc::NLM_F_CREATE | libc::NLM_F_APPEND, false, |b| {
            text(b, 1, table);
            text(b, 2, chain);
            nest(b, 4, |b| build(&mut Rule(b)));
            // What `nft list` shows as the comment: type 0, length, the text and a NUL.
            let mut data = vec![0, comment.len() as u8 + 1];
            data.extend(comment.as_bytes());
            data.push(0);
            attribute(b, 7, &data);
        });
    }

    fn send(mut self) -> rustix::io::Result<()> {
        self.message(BATCH_END, 0, libc::AF_UNSPEC as u8, SUBSYSTEM, false, |_| {});
        let socket = connect()?;
        let done = self.talk(&socket, |_, _| {});
        // Its end waits until the kernel has let go of the rules that were replaced, 10 ms and more. Without a thread it is
        // closed here.
        let _closing = thread::Builder::new().name("nft".to_owned()).spawn(move || drop(socket));
        done
    }

    /// As [`Self::talk`], over a socket of its own.
    fn exchange(self, heard: impl FnMut(u16, &[u8])) -> rustix::io::Result<()> {
        self.talk(&connect()?, heard)
    }

    /// The kernel has answered by the time that sending returns. `heard` gets every message that is no acknowledgement:
    /// its kind and what follows its header.
    fn talk(self, socket: &OwnedFd, mut heard: impl FnMut(u16, &[u8])) -> rustix::io::Result<()> {
        let room = self.bytes.len() * 2 + 65_536;
        if set_socket_send_buffer_size_force(socket, room).is_err() {
            set_socket_send_buffer_size(socket, room)?;
        }
        let kernel = netlink::SocketAddrNetlink::new(0, 0);
        sendto(socket, &self.bytes, SendFlags::empty(), &kernel)?;
        let mut answered = false;
        let mut buffer = vec![0_u8; 65_536];
        loop {
            let length = match recv(socket, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((length, _)) => length,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            let mut rest = &buffer[..length];
            while let Some((header, _)) = rest.split_first_chunk::<16>() {
                let size = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
                let kind = u16::from_ne_bytes([header[4], header[5]]);
                if size < 16 || size > rest.len() {
                    break;
                }
                match (kind == libc::NLMSG_ERROR as u16, rest[16..size].first_chunk::<4>()) {
                    (true, Some(code)) => match -i32::from_ne_bytes(*code) {
                        0 => answered = true,
                        code => return Err(Errno::from_raw_os_error(code)),
                    },
                    _ => heard(kind, &rest[16..size]),
                }
                rest = &rest[size.next_multiple_of(4).min(rest.len())..];
            }
        }
        // Nothing else makes it silent: we asked for an answer.
        if answered { Ok(()) } else { Err(Errno::NODATA) }
    }
}

/// In the thread's network namespace.
fn connect() -> rustix::io::Result<OwnedFd> {
    socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::NETFILTER))
}

fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    out.extend((value.len() as u16 + 4).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

fn number(out: &mut Vec<u8>, kind: u16, value: u32) {
    attribute(out, kind, &value.to_be_bytes());
}

fn text(out: &mut Vec<u8>, kind: u16, value: &str) {
    let mut bytes = value.as_bytes().to_vec();
    bytes.push(0);
    attribute(out, kind, &bytes);
}

fn nest(out: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    attribute(out, kind | libc::NLA_F_NESTED as u16, &[]);
    fill(out);
    let length = (out.len() - start) as u16;
    out[start..start + 2].copy_from_slice(&length.to_ne_bytes());
}
