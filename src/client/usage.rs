//! What a container or a pod uses: as the runtime tells, and what it does not tell as control groups and /proc do, by the process
//! the runtime names.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, SystemTime},
};

use futures::future::join_all;
use serde_json::Value;

use super::{
    Runtime, cgroups, convert,
    cri::{Cri, within},
    types::{ContainerState, ObjectRef},
};
use crate::{
    bail,
    error::Result,
    node::{
        self, Seen,
        meter::{self, Cpu, Flow, Memory, Meter, Owner},
        pressure::{PressureFacts, Stall},
        process,
        usage::Groups,
    },
    proto::cri,
};

/// For the runtime to answer: a graph does not wait for one that hangs.
const ANSWER: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_secs(2);
/// Processes that are remembered: a capture looks at everything, twice.
const LIVES: usize = 2048;

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
pub struct Lives {
    known: HashMap<String, Life>,
    /// Where control groups are mounted, which stays.
    groups: Option<Groups>,
}

/// The first process of a pod or a container: with its start, which no other of that number has.
#[derive(Debug, Clone)]
pub struct Life {
    pid: u32,
    started: u64,
    /// Of a pod.
    uid: String,
}

impl Life {
    fn lasts(&self) -> bool {
        process::stat(Path::new("/"), self.pid).is_some_and(|s| s.started == self.started)
    }
}

impl Cri {
    pub(super) async fn used(&self, object: &ObjectRef) -> Result<Meter> {
        let (told, read) = match object {
            ObjectRef::Container(id) => futures::join!(self.container_told(id), self.container_read(id)),
            ObjectRef::Pod(id) => futures::join!(self.pod_told(id), self.pod_read(id)),
            _ => bail!(InvalidArgument, "only pods and containers use a node"),
        };
        Ok(both(told, read))
    }

    async fn container_told(&self, id: &str) -> Result<Meter> {
        let mut service = self.runtime_service();
        let request = cri::ContainerStatsRequest { container_id: id.to_owned() };
        let what = format!("ask what container {id} uses");
        let stats = within(ANSWER, &what, service.container_stats(request)).await?.stats.unwrap_or_default();
        Ok(told(stats.cpu, stats.memory, stats.io, None, "CRI ContainerStats"))
    }

    async fn pod_told(&self, id: &str) -> Result<Meter> {
        let mut service = self.runtime_service();
        let request = cri::PodSandboxStatsRequest { pod_sandbox_id: id.to_owned() };
        let what = format!("ask what pod {id} uses");
        let stats = within(ANSWER, &what, service.pod_sandbox_stats(request)).await?.stats.unwrap_or_default();
        let linux = stats.linux.unwrap_or_default();
        Ok(told(linux.cpu, linux.memory, linux.io, linux.network, "CRI PodSandboxStats"))
    }

    async fn container_read(&self, id: &str) -> Result<Meter> {
        let life = self.life(&ObjectRef::Container(id.to_owned())).await?;
        let (owner, groups) = (Owner::container(id, life.pid), self.groups());
        let work = move || Ok(meter::of_container(Path::new("/"), &groups, &owner));
        node::within(LOOK, "read the control group", work).await
    }

    async fn pod_read(&self, id: &str) -> Result<Meter> {
        let life = self.life(&ObjectRef::Pod(id.to_owned())).await?;
        let (owner, groups) = (Owner::pod(id, &life.uid, life.pid), self.groups());
        let root = Path::new("/");
        let inside = if meter::has_group(root, &groups, &owner) { Vec::new() } else { self.inside(id).await? };
        let work = move || Ok(meter::of_pod(root, &groups, &owner, &inside));
        node::within(LOOK, "read the control groups", work).await
    }

    fn groups(&self) -> Groups {
        self.known().lives.groups.get_or_insert_with(|| Groups::find(Path::new("/"))).clone()
    }

    /// The first processes of a pod's running containers.
    async fn inside(&self, pod: &str) -> Result<Vec<Owner>> {
        let state = Some(cri::ContainerStateValue { state: cri::ContainerState::ContainerRunning.into() });
        let filter = Some(cri::ContainerFilter { pod_sandbox_id: pod.to_owned(), state, ..Default::default() });
        let mut service = self.runtime_service();
        let list = service.list_containers(cri::ListContainersRequest { filter });
        let list = within(ANSWER, "list a pod's containers", list).await?.containers;
        let list: Vec<_> = list.into_iter().map(convert::container).collect();
        let running = list.iter().filter(|c| c.state == ContainerState::Running);
        let lives = running.map(|c| async move {
            Ok(Owner::container(&c.id, self.life(&ObjectRef::Container(c.id.clone())).await?.pid))
        });
        join_all(lives).await.into_iter().collect()
    }

    async fn life(&self, object: &ObjectRef) -> Result<Life> {
        let (ObjectRef::Pod(id) | ObjectRef::Container(id)) = object else {
            bail!(InvalidArgument, "only pods and containers have processes");
        };
        if let Some(life) = self.known().lives.known.get(id).filter(|l| l.lasts()) {
            return Ok(life.clone());
        }
        let asked = async {
            let status = self.inspect(object).await?;
            let pid = match (cgroups::first_process(&status), object) {
                (None, ObjectRef::Pod(id)) => self.process_in(id).await,
                (pid, _) => pid,
            };
            let uid = status.pointer("/status/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok::<_, crate::error::Error>((pid, uid))
        };
        let (pid, uid) = match tokio::time::timeout(ANSWER, asked).await {
            Ok(answer) => answer?,
            Err(_) => bail!(DeadlineExceeded, "ask for its process: no answer in {} s", ANSWER.as_secs()),
        };
        let Some(pid) = pid else { bail!(NotFound, "it has no process") };
        let Some(stat) = process::stat(Path::new("/"), pid) else {
            bail!(NotFound, "its process {pid} is not found on this machine")
        };
        let life = Life { pid, started: stat.started, uid };
        let mut known = self.known();
        if known.lives.known.len() >= LIVES {
            known.lives.known.clear();
        }
        known.lives.known.insert(id.clone(), life.clone());
        Ok(life)
    }
}

fn seen<T>(value: Option<T>, at: i64, source: &str) -> Seen<T> {
    match value {
        Some(value) => {
            let at = convert::time(at).unwrap_or_else(SystemTime::now);
            Seen::At { value, at, source: source.to_owned() }
        }
        None => Seen::NotAsked,
    }
}

/// CRI's figures; what is left out stays not asked.
fn told(
    cpu: Option<cri::CpuUsage>,
    memory: Option<cri::MemoryUsage>,
    io: Option<cri::IoUsage>,
    network: Option<cri::NetworkUsage>,
    source: &str,
) -> Meter {
    let (cpu, memory, network) = (cpu.unwrap_or_default(), memory.unwrap_or_default(), network.unwrap_or_default());
    let stall = |psi: Option<&cri::PsiStats>| {
        let means = |d: Option<&cri::PsiData>| d.map_or([0.0; 2], |d| [d.avg10 as f32, d.avg60 as f32]);
        psi.map(|p| Stall { some: means(p.some.as_ref()), full: means(p.full.as_ref()) })
    };
    let io = io.and_then(|io| io.psi);
    let pressure = match (stall(cpu.psi.as_ref()), stall(memory.psi.as_ref()), stall(io.as_ref())) {
        (Some(cpu), Some(memory), Some(io)) => Some(PressureFacts { cpu, memory, io }),
        _ => None,
    };
    let limits = convert::limit(&memory);
    let memory_used = memory.working_set_bytes.map(|used| Memory { used: used.value, limit: limits });
    Meter {
        pressure: seen(pressure, cpu.timestamp, source),
        cpu: seen(
            cpu.usage_core_nano_seconds.map(|nanos| Cpu { nanos: nanos.value, limit: None }),
            cpu.timestamp,
            source,
        ),
        memory: seen(memory_used, memory.timestamp, source),
        network: seen(flow(&network), network.timestamp, source),
        io: Seen::NotAsked,
    }
}

/// Of all interfaces; some runtimes tell the default one among them, others beside.
fn flow(network: &cri::NetworkUsage) -> Option<Flow> {
    let default = network.default_interface.iter().filter(|d| network.interfaces.iter().all(|i| i.name != d.name));
    let all: Vec<_> = network.interfaces.iter().chain(default).filter(|i| i.name != "lo").collect();
    let sum = |of: fn(&cri::NetworkInterfaceUsage) -> Option<&cri::UInt64Value>| {
        all.iter().filter_map(|i| of(i)).map(|v| v.value).fold(0, u64::saturating_add)
    };
    (!all.is_empty()).then(|| Flow { inward: sum(|i| i.rx_bytes.as_ref()), outward: sum(|i| i.tx_bytes.as_ref()) })
}

/// The runtime's word first; where it has none, what was read. Without either, why.
fn both(told: Result<Meter>, read: Result<Meter>) -> Meter {
    let error = told.as_ref().err().map(|e| format!("{e:#}"));
    let told = told.unwrap_or_default();
    let failed = |error: String| Meter {
        cpu: again(&error),
        memory: again(&error),
        network: again(&error),
        io: again(&error),
        pressure: again(&error),
    };
    let mut read = read.unwrap_or_else(|e| failed(format!("{e:#}")));
    if let Some(error) = error {
        read = Meter {
            cpu: because(read.cpu, &error),
            memory: because(read.memory, &error),
            network: read.network,
            io: read.io,
            pressure: because(read.pressure, &error),
        };
    }
    let limits = (read.cpu.value().and_then(|c| c.limit), read.memory.value().and_then(|m| m.limit));
    let mut meter = Meter {
        cpu: first(told.cpu, read.cpu),
        memory: first(told.memory, read.memory),
        network: first(told.network, read.network),
        io: first(told.io, read.io),
        pressure: first(told.pressure, read.pressure),
    };
    if let Seen::At { value, .. } = &mut meter.cpu {
        value.limit = value.limit.or(limits.0);
    }
    if let Seen::At { value, .. } = &mut meter.memory {
        value.limit = value.limit.or(limits.1);
    }
    meter
}

fn again<T>(error: &str) -> Seen<T> {
    Seen::Failed { error: error.to_owned(), at: SystemTime::now() }
}

/// With what the runtime said when it was asked.
fn because<T>(seen: Seen<T>, asked: &str) -> Seen<T> {
    match seen {
        Seen::Failed { error, at } => Seen::Failed { error: format!("{error}; {asked}"), at },
        other => other,
    }
}

fn first<T>(told: Seen<T>, read: Seen<T>) -> Seen<T> {
    if told.value().is_some() { told } else { read }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};

    fn value(value: u64) -> Option<cri::UInt64Value> {
        Some(cri::UInt64Value { value })
    }

    #[test]
    fn the_runtime_is_believed_and_the_rest_is_read() {
        let interface = |name: &str, rx| cri::NetworkInterfaceUsage {
            name: name.to_owned(),
            rx_bytes: value(rx),
            tx_bytes: value(1),
            ..Default::default()
        };
        let told = told(
            Some(cri::CpuUsage { usage_core_nano_seconds: value(50), timestamp: 9, ..Default::default() }),
            None,
            None,
            Some(cri::NetworkUsage {
                default_interface: Some(interface("eth0", 10)),
                interfaces: vec![interface("net1", 5), interface("lo", 99)],
                ..Default::default()
            }),
            "CRI",
        );
        let now = |source: &str| (SystemTime::now(), source.to_owned());
        let (at, source) = now("cgroup");
        let read = Meter {
            cpu: Seen::At { value: Cpu { nanos: 7, limit: Some(500) }, at, source: source.clone() },
            memory: Seen::At { value: Memory { used: 3, limit: None }, at, source },
            network: again("host"),
            io: again("the io controller is not on"),
            pressure: again("version 1"),
        };
        let meter = both(Ok(told), Ok(read.clone()));
        assert_eq!((meter.cpu.value(), meter.cpu.source()), (Some(&Cpu { nanos: 50, limit: Some(500) }), "CRI"));
        assert_eq!((meter.memory.value().map(|m| m.used), meter.memory.source()), (Some(3), "cgroup"));
        assert_eq!(meter.network.value(), Some(&Flow { inward: 15, outward: 2 }));
        assert_eq!(meter.pressure.error(), Some("version 1"));
        // What the default interface counts is not counted twice where it is in the list.
        let both_ways = cri::NetworkUsage {
            default_interface: Some(interface("eth0", 10)),
            interfaces: vec![interface("eth0", 10)],
            ..Default::default()
        };
        assert_eq!(flow(&both_ways), Some(Flow { inward: 10, outward: 1 }));

        let silent = both(Err(Error::new(Kind::Unavailable, "connection refused")), Ok(read));
        assert_eq!(silent.cpu.source(), "cgroup");
        assert_eq!(silent.pressure.error(), Some("version 1; connection refused"));
        let nothing = both(Ok(Meter::default()), Err(Error::new(Kind::NotFound, "it has no process")));
        assert_eq!(nothing.io.error(), Some("it has no process"));
    }
}
