//! Stats of containers and pods from their cgroups, so that no hung shim slows a list. Only what runs on a kernel of its own has
//! none that would tell: its shim is asked, for a second.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, future};

use super::{
    pod::blocking,
    state::{Container, ContainerRecord, ContainerState, PodRecord, PodState, now, selected},
};
use crate::{
    bail,
    engine::{
        Engine,
        cgroup::{
            Cgroup, Extent, Stats,
            stats::{Pressure, Stall},
        },
        network,
        shim::{Runtime, Usage},
    },
    error::{Error, Result},
    proto::cri,
};

/// For a shim that is asked.
const ASK: Duration = Duration::from_secs(1);
/// Containers, or pods, that are read at the same time: the kernel takes the time, on as many processors as there are.
const AT_ONCE: usize = 4;

fn value(value: u64) -> Option<cri::UInt64Value> {
    Some(cri::UInt64Value { value })
}

/// What a container uses.
pub async fn read(engine: &Engine, record: &ContainerRecord, extent: Extent) -> Result<Stats> {
    let pod = engine.pods.pod(&record.pod)?;
    if let Runtime::Shim(shim) = &engine.handler(&pod.record().handler)?.runtime
        && !shim.is_on_this_kernel()
    {
        let task = pod.live_task()?;
        let Ok(told) = tokio::time::timeout(ASK, task.usage(&record.id)).await else {
            bail!(DeadlineExceeded, "the shim of pod {} does not tell what container {} uses", record.pod, record.id);
        };
        return told.map(counted);
    }
    let cgroup = record.cgroup.clone();
    blocking(move || Cgroup::new(&cgroup)?.stats(extent)).await
}

/// As a cgroup would have it.
fn counted(usage: Usage) -> Stats {
    let mut stats = Stats::default();
    stats.cpu.usage = usage.cpu;
    stats.memory.usage = usage.memory;
    stats.memory.working_set = usage.memory.saturating_sub(usage.inactive_file);
    (stats.memory.rss, stats.memory.limit) = (usage.rss, usage.limit);
    stats.pids.current = usage.processes;
    stats
}

pub async fn container_stats(engine: &Arc<Engine>, id: &str) -> Result<cri::ContainerStats> {
    let container = engine.pods.container(id)?;
    of(engine, &container).await.map(|(stats, _)| stats)
}

async fn of(engine: &Arc<Engine>, container: &Arc<Container>) -> Result<(cri::ContainerStats, u64)> {
    let record = container.record();
    let attributes = Some(cri::ContainerAttributes {
        id: record.id.clone(),
        metadata: record.config.metadata.clone(),
        labels: record.config.labels.clone(),
        annotations: record.config.annotations.clone(),
    });
    let mut told =
        cri::ContainerStats { attributes, writable_layer: layer(engine, &record).await, ..Default::default() };
    if record.state != ContainerState::Running {
        return Ok((told, 0));
    }
    let stats = read(engine, &record, Extent::Usage).await?;
    told.cpu = Some(cpu(&stats, rate(container, &stats)));
    (told.memory, told.swap, told.io) = (Some(memory(&stats)), Some(swap(&stats)), io(&stats));
    Ok((told, stats.pids.current))
}

async fn layer(engine: &Engine, record: &ContainerRecord) -> Option<cri::FilesystemUsage> {
    let usage = engine.written_by(&record.id).await.ok()?;
    Some(cri::FilesystemUsage {
        timestamp: now(),
        fs_id: Some(cri::FilesystemIdentifier { mountpoint: engine.config.root.display().to_string() }),
        used_bytes: value(usage.bytes),
        inodes_used: value(usage.inodes),
    })
}

/// Nanocores since the last time somebody asked, at least 100 ms ago.
fn rate(container: &Container, stats: &Stats) -> Option<u64> {
    let now = now();
    let mut last = container.cpu.lock().unwrap_or_else(PoisonError::into_inner);
    let previous = last.replace((now, stats.cpu.usage));
    let (at, usage) = previous?;
    let elapsed = u64::try_from(now - at).ok().filter(|ns| *ns >= 100_000_000)?;
    let used = u128::from(stats.cpu.usage.saturating_sub(usage));
    u64::try_from(used * 1_000_000_000 / u128::from(elapsed)).ok()
}

fn cpu(stats: &Stats, nanocores: Option<u64>) -> cri::CpuUsage {
    cri::CpuUsage {
        timestamp: now(),
        usage_core_nano_seconds: value(stats.cpu.usage),
        usage_nano_cores: nanocores.and_then(value),
        psi: stats.cpu_pressure.map(pressure),
    }
}

fn pressure(from: Pressure) -> cri::PsiStats {
    let data = |stall: Stall| {
        let [avg10, avg60, avg300] = stall.averages;
        Some(cri::PsiData { total: stall.total, avg10, avg60, avg300 })
    };
    cri::PsiStats { full: data(from.full), some: data(from.some) }
}

fn swap(stats: &Stats) -> cri::SwapUsage {
    let left = stats.memory.swap_limit.and_then(|l| value(l.saturating_sub(stats.memory.swap)));
    cri::SwapUsage { timestamp: now(), swap_available_bytes: left, swap_usage_bytes: value(stats.memory.swap) }
}

fn io(stats: &Stats) -> Option<cri::IoUsage> {
    stats.io_pressure.map(|p| cri::IoUsage { timestamp: now(), psi: Some(pressure(p)) })
}

/// The pod's interfaces, seen from its pause process; `None` on the host's network.
async fn network(engine: &Arc<Engine>, record: &PodRecord) -> Option<cri::NetworkUsage> {
    record.netns.as_ref()?;
    let pause = engine.pods.pod(&record.id).ok()?.live_task().ok()?.pids().1;
    let found = blocking(move || network::usage::of_process(pause)).await.ok()?;
    let one = |i: network::usage::Interface| cri::NetworkInterfaceUsage {
        name: i.name,
        rx_bytes: value(i.received.bytes),
        rx_errors: value(i.received.errors),
        tx_bytes: value(i.sent.bytes),
        tx_errors: value(i.sent.errors),
    };
    let interfaces: Vec<_> = found.into_iter().map(one).collect();
    let default = interfaces.iter().find(|i| i.name == network::IFNAME).cloned();
    Some(cri::NetworkUsage { timestamp: now(), default_interface: default, interfaces })
}

fn memory(stats: &Stats) -> cri::MemoryUsage {
    let memory = &stats.memory;
    cri::MemoryUsage {
        timestamp: now(),
        working_set_bytes: value(memory.working_set),
        available_bytes: memory.limit.and_then(|l| value(l.saturating_sub(memory.working_set))),
        usage_bytes: value(memory.usage),
        rss_bytes: value(memory.rss),
        page_faults: value(memory.page_faults),
        major_page_faults: value(memory.major_page_faults),
        psi: stats.memory_pressure.map(pressure),
    }
}

pub async fn list_container_stats(
    engine: &Arc<Engine>,
    filter: Option<cri::ContainerStatsFilter>,
) -> Vec<cri::ContainerStats> {
    let filter = filter.unwrap_or_default();
    let mut containers = engine.pods.containers();
    containers.retain(|container| {
        let record = container.record();
        record.id.starts_with(&filter.id)
            && record.pod.starts_with(&filter.pod_sandbox_id)
            && selected(&filter.label_selector, &record.config.labels)
    });
    all_of(engine, containers).await.into_iter().map(|(stats, _)| stats).collect()
}

/// Of each what it uses, and how many processes it has.
async fn all_of(engine: &Arc<Engine>, mut containers: Vec<Arc<Container>>) -> Vec<(cri::ContainerStats, u64)> {
    containers.retain(|c| !matches!(c.state(), ContainerState::Creating | ContainerState::Removing));
    let read = containers.into_iter().map(|container| async move {
        // It ended between the list and the reading.
        let unread = |error: &Error| tracing::debug!(container = container.record().id, "no stats: {error:#}");
        of(engine, &container).await.inspect_err(unread).ok()
    });
    futures::stream::iter(read).buffered(AT_ONCE).filter_map(future::ready).collect().await
}

pub async fn pod_sandbox_stats(engine: &Arc<Engine>, id: &str) -> Result<cri::PodSandboxStats> {
    let record = engine.pods.pod(id)?.record();
    of_pod(engine, &record).await
}

/// The sum over the pod's containers: the pod's cgroup is the kubelet's, and may not exist.
async fn of_pod(engine: &Arc<Engine>, record: &PodRecord) -> Result<cri::PodSandboxStats> {
    let containers = all_of(engine, engine.pods.containers_of(&record.id)).await;
    let (containers, processes): (Vec<_>, Vec<u64>) = containers.into_iter().unzip();
    let sum = |of: &dyn Fn(&cri::ContainerStats) -> Option<u64>| value(containers.iter().filter_map(of).sum());
    let linux = cri::LinuxPodSandboxStats {
        cpu: Some(cri::CpuUsage {
            timestamp: now(),
            usage_core_nano_seconds: sum(&|c| Some(c.cpu.as_ref()?.usage_core_nano_seconds.as_ref()?.value)),
            usage_nano_cores: sum(&|c| Some(c.cpu.as_ref()?.usage_nano_cores.as_ref()?.value)),
            psi: None,
        }),
        memory: Some(cri::MemoryUsage {
            timestamp: now(),
            working_set_bytes: sum(&|c| Some(c.memory.as_ref()?.working_set_bytes.as_ref()?.value)),
            usage_bytes: sum(&|c| Some(c.memory.as_ref()?.usage_bytes.as_ref()?.value)),
            rss_bytes: sum(&|c| Some(c.memory.as_ref()?.rss_bytes.as_ref()?.value)),
            ..Default::default()
        }),
        network: network(engine, record).await,
        process: Some(cri::ProcessUsage { timestamp: now(), process_count: value(processes.iter().sum()) }),
        containers,
        io: None,
    };
    Ok(cri::PodSandboxStats {
        attributes: Some(cri::PodSandboxAttributes {
            id: record.id.clone(),
            metadata: record.config.metadata.clone(),
            labels: record.config.labels.clone(),
            annotations: record.config.annotations.clone(),
        }),
        linux: Some(linux),
        windows: None,
    })
}

pub async fn list_pod_sandbox_stats(
    engine: &Arc<Engine>,
    filter: Option<cri::PodSandboxStatsFilter>,
) -> Result<Vec<cri::PodSandboxStats>> {
    let filter = filter.unwrap_or_default();
    let wanted = |record: &Arc<PodRecord>| {
        record.id.starts_with(&filter.id)
            && selected(&filter.label_selector, &record.config.labels)
            && record.state == PodState::Ready
    };
    let records = engine.pods.pods().into_iter().map(|p| p.record()).filter(wanted);
    let read = records.map(|record| async move { of_pod(engine, &record).await });
    futures::stream::iter(read).buffered(AT_ONCE).try_collect().await
}
