//! What a container, a pod or the machine has used up to now: processor time, memory, bytes over the network and to the disks,
//! and how long tasks waited. Read from control groups (v1, hybrid, v2) and /proc without asking a runtime; each figure says where
//! it is from, and one that is not told says why.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Seen, below,
    pressure::{self, PressureFacts},
    read,
    usage::{self, Groups},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Counters since a beginning, and levels of the moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    pub cpu: Seen<Cpu>,
    pub memory: Seen<Memory>,
    pub network: Seen<Flow>,
    pub io: Seen<Flow>,
    pub pressure: Seen<PressureFacts>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// Nanoseconds of processor time.
    pub nanos: u64,
    /// Nanoseconds of it in a second that are allowed.
    pub limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Without what the kernel could take back at once, as the kubelet counts.
    pub used: u64,
    pub limit: Option<u64>,
}

/// Bytes: received or read, and sent or written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    pub inward: u64,
    pub outward: u64,
}

impl Flow {
    fn sum(flows: impl Iterator<Item = Self>) -> Self {
        flows.fold(Self::default(), |a, b| Self {
            inward: a.inward.saturating_add(b.inward),
            outward: a.outward.saturating_add(b.outward),
        })
    }
}

/// A process, and what the control group to be read is called after: the part of a path that has one of these in it.
#[derive(Debug, Clone, Default)]
pub struct Owner {
    pub pid: u32,
    pub names: Vec<String>,
    /// In the path of the process' group as well, or it is somebody else's: a runtime may count processes as another machine.
    pub id: String,
}

impl Owner {
    pub fn container(id: &str, pid: u32) -> Self {
        Self { pid, names: vec![id.to_owned()], id: id.to_owned() }
    }

    /// systemd's slices have another sign for the dash in the pod's UID.
    pub fn pod(id: &str, uid: &str, pid: u32) -> Self {
        let names = if uid.is_empty() { Vec::new() } else { vec![uid.to_owned(), uid.replace('-', "_")] };
        Self { pid, names, id: id.to_owned() }
    }

    fn knows(&self, path: &str) -> bool {
        path.contains(&self.id) || self.names.iter().any(|n| path.contains(n.as_str()))
    }
}

/// Of a container by one of its processes.
pub fn of_container(root: &Path, groups: &Groups, owner: &Owner) -> Meter {
    let own = homes(root, groups, owner);
    Meter { network: network(root, owner), ..of_group(root, &own) }
}

/// Whether a control group has the pod's name.
pub fn has_group(root: &Path, groups: &Groups, owner: &Owner) -> bool {
    homes(root, groups, owner).is_ok()
}

/// Of a pod: its own control group if that has its name, else of its containers together; its network as one of its processes
/// sees it.
pub fn of_pod(root: &Path, groups: &Groups, owner: &Owner, inside: &[Owner]) -> Meter {
    let network = network(root, owner);
    let own = homes(root, groups, owner);
    if own.is_ok() {
        return Meter { network, ..of_group(root, &own) };
    }
    let all: Vec<Meter> = inside.iter().map(|c| of_group(root, &homes(root, groups, c))).collect();
    let source = match all.len() {
        1 => "control group of its container".to_owned(),
        n => format!("control groups of its {n} containers"),
    };
    let own = own.err().map_or_else(String::new, |e| format!("{e:#}"));
    let none = || Error::new(Kind::NotFound, own.clone());
    Meter {
        cpu: together(all.iter().map(|m| &m.cpu), &source, none(), |cpus| Cpu {
            nanos: cpus.iter().map(|c| c.nanos).fold(0, u64::saturating_add),
            limit: None,
        }),
        memory: together(all.iter().map(|m| &m.memory), &source, none(), |all| Memory {
            used: all.iter().map(|m| m.used).fold(0, u64::saturating_add),
            limit: None,
        }),
        io: together(all.iter().map(|m| &m.io), &source, none(), |all| Flow::sum(all.iter().map(|f| **f))),
        network,
        pressure: Seen::now(Err(none()), ""),
    }
}

/// What several say together; one that says nothing keeps the sum from being one.
fn together<'a, T: 'a>(
    all: impl Iterator<Item = &'a Seen<T>>,
    source: &str,
    none: Error,
    sum: impl FnOnce(&[&T]) -> T,
) -> Seen<T> {
    let mut values = Vec::new();
    for one in all {
        match one {
            Seen::At { value, .. } => values.push(value),
            other => {
                let text = other.error().unwrap_or("it was not read").to_owned();
                return Seen::now(Err(Error::new(Kind::Unavailable, text)), "");
            }
        }
    }
    let known = if values.is_empty() { Err(none) } else { Ok(sum(&values)) };
    Seen::now(known, source)
}

/// The directories of a group: in the v2 tree, and of the controllers of v1.
#[derive(Debug, Default)]
struct Homes {
    unified: Option<PathBuf>,
    v1: BTreeMap<String, PathBuf>,
}

/// /proc/PID/cgroup.
fn membership(root: &Path, pid: u32) -> Result<String> {
    match read(&below(root, format!("/proc/{pid}/cgroup"))) {
        Err(error) if error.is(Kind::NotFound) => bail!(NotFound, "it has no process any more"),
        other => other,
    }
}

fn homes(root: &Path, groups: &Groups, owner: &Owner) -> Result<Homes> {
    let text = membership(root, owner.pid)?;
    let mut homes = Homes::default();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        // The group of a process outside of this namespace's tree is told as `/../x`; the root is everybody's.
        if path == "/" || path.split('/').any(|p| p == "..") {
            continue;
        }
        let Some(path) = named(path, &owner.names) else { continue };
        if controllers.is_empty() {
            homes.unified = groups.unified.as_ref().map(|at| below(at, path));
        }
        for controller in controllers.split(',') {
            if let Some(at) = groups.v1.get(controller) {
                homes.v1.insert(controller.to_owned(), below(at, path));
            }
        }
    }
    if homes.unified.is_none() && homes.v1.is_empty() {
        bail!(NotFound, "it has no control group of its own");
    }
    Ok(homes)
}

/// The path down to the part that has one of the names in it.
fn named<'a>(path: &'a str, names: &[String]) -> Option<&'a str> {
    let mut end = 0;
    for part in path.split('/') {
        end += part.len();
        if names.iter().any(|n| part.contains(n.as_str())) {
            return path.get(..end);
        }
        end += 1;
    }
    None
}

fn of_group(root: &Path, homes: &Result<Homes>) -> Meter {
    fn seen<T>(homes: &Result<Homes>, what: impl FnOnce(&Homes) -> Result<(T, String)>) -> Seen<T> {
        let read = match homes {
            Ok(homes) => what(homes),
            Err(error) => Err(Error::new(error.kind(), format!("{error:#}"))),
        };
        match read {
            Ok((value, source)) => Seen::now(Ok(value), source),
            Err(error) => Seen::now(Err(error), ""),
        }
    }
    Meter {
        cpu: seen(homes, cpu),
        memory: seen(homes, memory),
        network: Seen::NotAsked,
        io: seen(homes, |homes| io(root, homes)),
        pressure: seen(homes, pressure),
    }
}

fn source(version: u8, at: &Path) -> String {
    format!("cgroup v{version}: {}", at.display())
}

fn untold<T>(what: &str) -> Result<T> {
    bail!(NotFound, "its control group tells no {what}")
}

fn cpu(homes: &Homes) -> Result<(Cpu, String)> {
    if let Some(at) = homes.v1.get("cpuacct") {
        let Some(nanos) = usage::number(at.join("cpuacct.usage")) else { return untold("processor time") };
        let quota = |at: &PathBuf| {
            let (quota, period) =
                (usage::number(at.join("cpu.cfs_quota_us"))?, usage::number(at.join("cpu.cfs_period_us"))?);
            share(quota, period)
        };
        return Ok((Cpu { nanos, limit: homes.v1.get("cpu").and_then(quota) }, source(1, at)));
    }
    let Some(at) = &homes.unified else { return untold("processor time") };
    let nanos = usage::line(at.join("cpu.stat"), "usage_usec").and_then(|u| u.checked_mul(1000));
    let Some(nanos) = nanos else { return untold("processor time") };
    // "max 100000" is no limit.
    let text = read(&at.join("cpu.max")).unwrap_or_default();
    let limit = text.split_once(' ').and_then(|(q, p)| share(q.parse().ok()?, p.trim().parse().ok()?));
    Ok((Cpu { nanos, limit }, source(2, at)))
}

fn share(quota: u64, period: u64) -> Option<u64> {
    u64::try_from(u128::from(quota) * 1_000_000_000 / u128::from(period.max(1))).ok()
}

fn memory(homes: &Homes) -> Result<(Memory, String)> {
    let (version, at) = match (homes.v1.get("memory"), &homes.unified) {
        (Some(at), _) => (1, at),
        (None, Some(at)) => (2, at),
        (None, None) => return untold("memory"),
    };
    let known = if version == 1 { usage::memory_v1(at) } else { usage::memory_v2(at) };
    match known {
        (Some(used), limit) => Ok((Memory { used, limit }, source(version, at))),
        (None, _) => untold("memory"),
    }
}

fn io(root: &Path, homes: &Homes) -> Result<(Flow, String)> {
    if let Some(at) = homes.v1.get("blkio") {
        let text = ["blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"]
            .iter()
            .find_map(|name| read(&at.join(name)).ok());
        let Some(text) = text else { return untold("disk I/O") };
        let way = |name: &str| {
            let line = |l: &str| {
                let (device, rest) = l.split_once(' ')?;
                let bytes = rest.strip_prefix(name)?.trim().parse::<u64>().ok()?;
                (!layered(root, device)).then_some(bytes)
            };
            text.lines().filter_map(line).fold(0, u64::saturating_add)
        };
        return Ok((Flow { inward: way("Read "), outward: way("Write ") }, source(1, at)));
    }
    let Some(at) = &homes.unified else { return untold("disk I/O") };
    let Ok(text) = read(&at.join("io.stat")) else { return untold("disk I/O: the io controller is not on for it") };
    let one = |l: &str| {
        let (device, rest) = l.split_once(' ')?;
        let field = |name: &str| rest.split(' ').find_map(|f| f.strip_prefix(name)?.parse().ok()).unwrap_or(0);
        (!layered(root, device)).then(|| Flow { inward: field("rbytes="), outward: field("wbytes=") })
    };
    Ok((Flow::sum(text.lines().filter_map(one)), source(2, at)))
}

/// A device on top of others, whose bytes those count as well.
fn layered(root: &Path, device: &str) -> bool {
    let slaves = below(root, format!("/sys/dev/block/{device}/slaves"));
    std::fs::read_dir(slaves).is_ok_and(|mut entries| entries.next().is_some())
}

fn pressure(homes: &Homes) -> Result<(PressureFacts, String)> {
    let Some(at) = &homes.unified else { bail!(NotFound, "control groups of version 1 tell no pressure") };
    let one = |name: &str| match read(&at.join(name)) {
        Ok(text) => pressure::parse(&text),
        Err(_) => bail!(NotFound, "the kernel tells no pressure of its control group (PSI)"),
    };
    let facts = PressureFacts { cpu: one("cpu.pressure")?, memory: one("memory.pressure")?, io: one("io.pressure")? };
    Ok((facts, source(2, at)))
}

/// Over all interfaces but the loopback of a process' network namespace, if that is not the node's.
fn network(root: &Path, owner: &Owner) -> Seen<Flow> {
    let file = format!("/proc/{}/net/dev", owner.pid);
    Seen::now(received(root, owner, &file), file)
}

fn received(root: &Path, owner: &Owner, file: &str) -> Result<Flow> {
    if !owner.knows(&membership(root, owner.pid)?) {
        bail!(NotFound, "its process is not found on this machine");
    }
    let namespace = |of: &str| std::fs::read_link(below(root, format!("/proc/{of}/ns/net"))).ok();
    let own = namespace(&owner.pid.to_string());
    if own.is_some() && ["1", "self"].iter().any(|of| namespace(of) == own) {
        bail!(NotFound, "it is on the node's network, which the Node pane shows");
    }
    let all = interfaces(&read(&below(root, file))?);
    Ok(Flow::sum(all.into_iter().filter(|(name, _)| name != "lo").map(|(_, flow)| flow)))
}

/// By name, of /proc/net/dev.
fn interfaces(text: &str) -> Vec<(String, Flow)> {
    let one = |line: &str| {
        let (name, figures) = line.split_once(':')?;
        let figures: Vec<u64> = figures.split_whitespace().map_while(|f| f.parse().ok()).collect();
        Some((name.trim().to_owned(), Flow { inward: *figures.first()?, outward: *figures.get(8)? }))
    };
    text.lines().filter_map(one).collect()
}

/// The machine's way to others: its devices; where it has none, as in a virtual machine of some kinds, the interfaces of its
/// default routes. With their names.
///
/// # Errors
/// If /proc does not tell, or there is no such interface.
pub fn of_machine_network(root: &Path) -> Result<(Flow, String)> {
    let all = interfaces(&read(&below(root, "/proc/net/dev"))?);
    let device = |name: &str| below(root, format!("/sys/class/net/{name}/device")).exists();
    let mut chosen: Vec<_> = all.iter().filter(|(name, _)| device(name)).collect();
    if chosen.is_empty() {
        let routes = read(&below(root, "/proc/net/route")).unwrap_or_default();
        let default = |name: &str| {
            routes.lines().any(|l| {
                let mut fields = l.split_whitespace();
                fields.next() == Some(name) && fields.next() == Some("00000000")
            })
        };
        chosen = all.iter().filter(|(name, _)| default(name)).collect();
    }
    if chosen.is_empty() {
        bail!(NotFound, "no interface leads to others");
    }
    let names = chosen.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
    Ok((Flow::sum(chosen.into_iter().map(|(_, flow)| *flow)), names))
}

/// Its disks: no partitions, and nothing whose bytes another counts. With their names.
///
/// # Errors
/// If /proc does not tell, or there is none.
pub fn of_machine_disks(root: &Path) -> Result<(Flow, String)> {
    let text = read(&below(root, "/proc/diskstats"))?;
    let one = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (major, minor, name) = (fields.first()?, fields.get(1)?, *fields.get(2)?);
        let sectors = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let device = format!("{major}:{minor}");
        let within = below(root, format!("/sys/dev/block/{device}/partition")).exists();
        let memory = ["loop", "ram", "zram"].iter().any(|kind| name.starts_with(kind));
        let flow = Flow { inward: sectors(5)?.saturating_mul(512), outward: sectors(9)?.saturating_mul(512) };
        (!within && !memory && !layered(root, &device)).then_some((name.to_owned(), flow))
    };
    let disks: Vec<(String, Flow)> = text.lines().filter_map(one).collect();
    if disks.is_empty() {
        bail!(NotFound, "the kernel tells of no disk");
    }
    let names = disks.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
    Ok((Flow::sum(disks.into_iter().map(|(_, flow)| flow)), names))
}

#[cfg(test)]
mod tests;
