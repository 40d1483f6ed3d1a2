//! The network of a node that has no CNI configuration: a bridge, a veth pair a pod, masquerading and host ports.
//!
//! IPv4 only, without bandwidth limits. Blocking throughout; `router` decides who attaches a pod.

use std::{
    fs,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr},
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Attachment, IFNAME, MADE_BY, NetworkConfig, PodNetwork, PortMapping,
    ipam::{Lease, Leases},
    link::Links,
    netns, nft,
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

pub(super) const NAME: &str = "built-in";

/// Pods that have ended are buried when none has come or gone for so long, but at the latest after so long, or so many.
pub(super) const QUIET: Duration = Duration::from_millis(250);
const LATEST: Duration = Duration::from_secs(2);
const MANY: usize = 32;

#[derive(Debug)]
pub(super) struct Builtin {
    config: Arc<NetworkConfig>,
    /// The rules we made last. The lock of the leases is held by whoever changes them.
    applied: Mutex<Option<nft::Applied>>,
    ended: Mutex<Ended>,
}

/// Pods that have been taken off, but for their interface. To end a namespace the kernel stands still more than once, and
/// nobody can make one or change an interface meanwhile: for many it takes hardly longer than for one.
#[derive(Debug, Default)]
struct Ended {
    /// Theirs, which end when nobody has them open.
    namespaces: Vec<OwnedFd>,
    first: Option<Instant>,
    /// When a pod came or went.
    last: Option<Instant>,
}

impl Builtin {
    pub(super) fn new(config: Arc<NetworkConfig>) -> Self {
        Self { config, applied: Mutex::default(), ended: Mutex::default() }
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> PathBuf {
        self.config.state.join(NAME).join(&self.config.bridge)
    }

    fn leases(&self) -> Result<Leases> {
        self.config.validate()?;
        Leases::open(&self.state(), self.config.subnet)
    }

    /// `None`: no pod has ever been attached, or all of it was destroyed.
    fn known_leases(&self) -> Result<Option<Leases>> {
        self.config.validate()?;
        Leases::find(&self.state(), self.config.subnet)
    }

    pub(super) fn ready(&self) -> Result<()> {
        self.config.validate()?;
        nft::probe()
    }

    pub(super) fn attach(&self, netns: &Path, pod: &PodNetwork) -> Result<Attachment> {
        let ports = wanted_ports(&pod.port_mappings)?;
        self.ended().last = Some(Instant::now());
        let mut leases = self.leases()?;
        if leases.all()?.iter().any(|(_, lease)| lease.as_ref().is_some_and(|l| l.ended && l.pod == pod.id)) {
            leases = self.bury_now(leases)?;
        }
        for (address, lease) in leases.all()? {
            let Some(lease) = lease else { continue };
            if lease.pod == pod.id {
                bail!(AlreadyExists, "pod {} has address {address} already", pod.id);
            }
            for port in &ports {
                if lease.ports.iter().any(|taken| collide(taken, port)) {
                    let (number, protocol) = (port.host_port, &port.protocol);
                    bail!(AlreadyExists, "host port {number}/{protocol} is taken by pod {}", lease.pod);
                }
            }
        }
        let lease = Lease { pod: pod.id.clone(), ports, ended: false };
        let address = match leases.reserve(&lease) {
            Err(error) if error.is(Kind::ResourceExhausted) && !self.ended().namespaces.is_empty() => {
                leases = self.bury_now(leases)?;
                leases.reserve(&lease)?
            }
            reserved => reserved?,
        };
        self.connect(&leases, netns, pod, address)
            .map_err(|error| error.and_cleanup(self.disconnect(&leases, &pod.id, &[address])))
    }

    fn connect(&self, leases: &Leases, netns: &Path, pod: &PodNetwork, address: Ipv4Addr) -> Result<Attachment> {
        let NetworkConfig { bridge, subnet, mtu, .. } = &*self.config;
        let namespace = netns::open(netns)?;
        let links = Links::open()?;
        let bridge_index = links.bridge(bridge, hardware(subnet.gateway()))?;
        links.address(bridge, subnet.gateway(), subnet.prefix())?;
        // A pod must not configure the host, or another pod, by router advertisements (CVE-2020-10749).
        sysctl(&format!("ipv6/conf/{bridge}/accept_ra"), "0", true)?;
        sysctl(&format!("ipv4/conf/{bridge}/route_localnet"), "1", false)?;
        links.up(bridge)?;
        sysctl("ipv4/ip_forward", "1", false)?;

        let veth = veth_name(&pod.id);
        links.veth(&veth, IFNAME, hardware(address), *mtu, namespace.as_fd())?;
        sysctl(&format!("ipv6/conf/{veth}/disable_ipv6"), "1", true)?;
        links.port(&veth, bridge_index)?;
        links.up(&veth)?;
        netns::inside(netns, || {
            let links = Links::open()?;
            links.up("lo")?;
            sysctl(&format!("ipv6/conf/{IFNAME}/accept_ra"), "0", true)?;
            links.address(IFNAME, address, subnet.prefix())?;
            links.up(IFNAME)?;
            links.default_route(subnet.gateway())
        })?;
        self.apply(leases, &[])?;
        end_flows(&pod.port_mappings)?;
        Ok(Attachment {
            ips: vec![IpAddr::V4(address)],
            result: json!({
                "cniVersion": "1.0.0",
                "interfaces": [
                    { "name": bridge, "mac": mac(hardware(subnet.gateway())) },
                    { "name": veth },
                    { "name": IFNAME, "mac": mac(hardware(address)), "sandbox": netns },
                ],
                "ips": [{
                    "address": format!("{address}/{}", subnet.prefix()),
                    "gateway": subnet.gateway(),
                    "interface": 2,
                }],
                "routes": [{ "dst": "0.0.0.0/0", "gw": subnet.gateway() }],
                "dns": {},
                MADE_BY: NAME,
            }),
        })
    }

    /// The rules of all leases but those of the addresses `without`.
    fn apply(&self, leases: &Leases, without: &[Ipv4Addr]) -> Result<()> {
        let mut all = leases.all()?;
        all.retain(|(address, _)| !without.contains(address));
        let ports = all.iter().filter_map(|(address, lease)| Some((*address, lease.as_ref()?)));
        let ports = ports.flat_map(|(address, lease)| lease.ports.iter().map(move |port| (address, port))).collect();
        let rules = nft::Rules { bridge: &self.config.bridge, subnet: self.config.subnet, ports };
        nft::ensure(&self.config.table, &rules, &mut self.applied.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Its host ports lead nowhere from now on. Its interface goes with the next [`Self::bury`], and its address is taken
    /// until then: an engine that is killed before leaves the lease for [`Self::retain`].
    ///
    /// Fine if the pod was never attached, or its namespace is gone.
    pub(super) fn detach(&self, pod: &str, netns: &Path) -> Result<()> {
        let Some(leases) = self.known_leases()? else { return Ok(()) };
        let found = leases.of(pod)?;
        let Ok(namespace) = netns::hold(netns) else {
            let addresses: Vec<_> = found.into_iter().map(|(address, _)| address).collect();
            return self.disconnect(&leases, pod, &addresses);
        };
        if found.is_empty() {
            return Ok(());
        }
        let (addresses, had): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let ports: Vec<_> = had.into_iter().flat_map(|lease| lease.ports).collect();
        if !ports.is_empty() {
            self.apply(&leases, &addresses)?;
            end_flows(&ports)?;
        }
        let over = Lease { pod: pod.to_owned(), ports: Vec::new(), ended: true };
        addresses.into_iter().try_for_each(|address| leases.replace(address, &over))?;
        let mut ended = self.ended();
        ended.namespaces.push(namespace);
        ended.last = Some(Instant::now());
        ended.first = ended.first.or(ended.last);
        Ok(())
    }

    /// Whether it is time for [`Self::bury`]. `None`: nobody has ended.
    pub(super) fn is_due(&self) -> Option<bool> {
        let ended = self.ended();
        let since = |at: Option<Instant>| at.map_or(Duration::MAX, |at| at.elapsed());
        let due = since(ended.last) >= QUIET || since(ended.first) >= LATEST || ended.namespaces.len() >= MANY;
        (!ended.namespaces.is_empty()).then_some(due)
    }

    /// For who needs what they still have.
    fn bury_now(&self, leases: Leases) -> Result<Leases> {
        drop(leases);
        self.bury()?;
        self.leases()
    }

    /// Removes the interfaces and namespaces of the pods that have ended, and frees their addresses.
    pub(super) fn bury(&self) -> Result<()> {
        let doing = || "free what pods that have ended had of the network".to_owned();
        // Held until the namespaces are let go: none of a pod that ends meanwhile must be among them.
        let leases = self.known_leases()?;
        if let Some(leases) = &leases {
            let all = leases.all().context(doing)?.into_iter();
            let over: Vec<_> = all.filter_map(|(a, lease)| Some((a, lease.filter(|l| l.ended)?.pod))).collect();
            Links::open()?.delete_all(over.iter().map(|(_, pod)| veth_name(pod))).context(doing)?;
            over.iter().try_for_each(|(address, _)| leases.release(*address)).context(doing)?;
        }
        let mut ended = self.ended();
        ended.first = None;
        ended.namespaces.clear();
        Ok(())
    }

    /// The lease goes last, so that whatever fails can be tried again; the interface goes with its peer.
    fn disconnect(&self, leases: &Leases, pod: &str, addresses: &[Ipv4Addr]) -> Result<()> {
        let ports: Vec<_> = leases.of(pod)?.into_iter().flat_map(|(_, lease)| lease.ports).collect();
        Links::open()?.delete(&veth_name(pod))?;
        if addresses.is_empty() {
            return Ok(());
        }
        self.apply(leases, addresses)?;
        end_flows(&ports)?;
        addresses.iter().try_for_each(|address| leases.release(*address))
    }

    pub(super) fn check(&self, netns: &Path, pod: &PodNetwork) -> Result<()> {
        let leases = self.leases()?;
        let Some((address, _)) = leases.of(&pod.id)?.into_iter().find(|(_, lease)| !lease.ended) else {
            bail!(NotFound, "pod {} has no address", pod.id)
        };
        let (links, veth, bridge) = (Links::open()?, veth_name(&pod.id), &self.config.bridge);
        if !links.is_up(bridge)? {
            bail!(FailedPrecondition, "bridge {bridge} is not up");
        }
        if links.controller(&veth)? != links.index(bridge)? || !links.is_up(&veth)? {
            bail!(FailedPrecondition, "{veth} is not an active port of bridge {bridge}");
        }
        netns::inside(netns, || {
            let links = Links::open()?;
            if !links.is_up(IFNAME)? || !links.has_address(IFNAME, address)? {
                bail!(FailedPrecondition, "{IFNAME} is not up with address {address}");
            }
            Ok(())
        })
    }

    /// Frees what pods other than `alive` left behind, and leases that nobody can read.
    pub(super) fn retain(&self, alive: &[&str]) -> Result<Vec<String>> {
        let Some(leases) = self.known_leases()? else { return Ok(Vec::new()) };
        let mut freed = Vec::new();
        for (address, lease) in leases.all()? {
            match lease {
                Some(lease) if !lease.ended && alive.contains(&lease.pod.as_str()) => {}
                Some(lease) => {
                    self.disconnect(&leases, &lease.pod, &[address])
                        .context(|| format!("free address {address} of pod {}", lease.pod))?;
                    freed.push(lease.pod);
                }
                None => leases.release(address)?,
            }
        }
        Ok(freed)
    }

    /// Removes bridge, table, every pod's interface and all records. Forwarding stays on: others may rely on it by now.
    pub(super) fn destroy(&self) -> Result<()> {
        self.config.validate()?;
        if !self.state().exists() {
            return Ok(());
        }
        // Also of what was destroyed half way.
        let leases = self.leases()?;
        let links = Links::open()?;
        for (_, lease) in leases.all()? {
            lease.map_or(Ok(()), |lease| links.delete(&veth_name(&lease.pod)))?;
        }
        links.delete(&self.config.bridge)?;
        nft::delete(&self.config.table)?;
        let state = self.state();
        fs::remove_dir_all(&state).map_err(|e| Error::io("remove", &state, e))
    }

    pub(super) fn describe(&self) -> serde_json::Value {
        let NetworkConfig { bridge, subnet, table, .. } = &*self.config;
        json!({ "bridge": bridge, "subnet": subnet.to_string(), "table": table })
    }
}

/// The mappings that take a host port here, valid and without duplicates.
fn wanted_ports(mappings: &[PortMapping]) -> Result<Vec<PortMapping>> {
    let mut wanted: Vec<PortMapping> = Vec::new();
    for port in mappings.iter().filter(|p| p.host_port != 0) {
        nft::protocol(&port.protocol)?;
        if port.container_port == 0 {
            bail!(InvalidArgument, "host port {} leads to container port 0", port.host_port);
        }
        if nft::host_ip(port)?.is_some_and(|address| address.is_ipv6()) {
            tracing::warn!(host_ip = port.host_ip, port = port.host_port, "the built-in network maps IPv4 ports only");
            continue;
        }
        let mut port = port.clone();
        port.protocol = if port.protocol.is_empty() { "tcp".to_owned() } else { port.protocol.to_ascii_lowercase() };
        if wanted.contains(&port) {
            continue;
        }
        if wanted.iter().any(|other| collide(other, &port)) {
            bail!(AlreadyExists, "host port {}/{} is mapped twice", port.host_port, port.protocol);
        }
        wanted.push(port);
    }
    Ok(wanted)
}

fn end_flows(ports: &[PortMapping]) -> Result<()> {
    let mut udp = ports.iter().filter(|p| p.host_port != 0 && p.protocol.eq_ignore_ascii_case("udp"));
    udp.try_for_each(|port| nft::end_flows(port.host_port).map(drop))
}

fn collide(a: &PortMapping, b: &PortMapping) -> bool {
    let of = |port| nft::host_ip(port).ok().flatten();
    let addresses = match (of(a), of(b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    a.host_port == b.host_port && a.protocol == b.protocol && addresses
}

/// Of the pod's id alone, so that it is known without any record. At most 15 bytes (IFNAMSIZ).
fn veth_name(pod: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, pod.as_bytes());
    digest.as_ref()[..6].iter().fold("wv".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// A locally administered address made of the IP, so that a reused IP does not meet stale neighbour entries.
fn hardware(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [0x0a, 0x58, a, b, c, d]
}

fn mac(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

/// Sets a parameter of the thread's network namespace, if it is not so already.
fn sysctl(name: &str, value: &str, may_be_missing: bool) -> Result<()> {
    let path = Path::new("/proc/sys/net").join(name);
    match fs::read_to_string(&path) {
        Ok(now) if now.trim() == value => return Ok(()),
        Ok(_) => {}
        Err(error) if may_be_missing && error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("read", &path, error)),
    }
    fs::write(&path, value).map_err(|e| Error::io("write", &path, e))
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
