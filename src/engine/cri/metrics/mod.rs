//! ListMetricDescriptors and ListPodSandboxMetrics: cAdvisor's metrics of pods and containers, so that the kubelet can serve
//! them without cAdvisor. Values are whole numbers, as CRI has them: seconds are cut off.

mod descriptors;
mod processes;

use std::{fs, path::Path, sync::Arc};

use super::{
    pod::blocking,
    state::{ContainerRecord, ContainerState, PodRecord, PodState, now},
};
use crate::{
    engine::{
        Engine,
        cgroup::{Cgroup, Extent, Stats},
        network,
        snapshot::Usage,
    },
    error::{Context, Result},
    proto::cri,
};

const SECOND: u64 = 1_000_000_000;

pub fn list_metric_descriptors() -> Vec<cri::MetricDescriptor> {
    let one = |d: &descriptors::Descriptor| cri::MetricDescriptor {
        name: d.name.to_owned(),
        help: d.help.to_owned(),
        label_keys: descriptors::BASE.iter().chain(d.labels).map(|l| (*l).to_owned()).collect(),
    };
    descriptors::ALL.iter().map(one).collect()
}

pub async fn list_pod_sandbox_metrics(engine: &Arc<Engine>) -> Vec<cri::PodSandboxMetrics> {
    let mut list = Vec::new();
    for pod in engine.pods.pods() {
        let record = pod.record();
        if record.state != PodState::Ready {
            continue;
        }
        let pause = pod.live_task().ok().map(|t| t.pids().1).filter(|_| record.netns.is_some());
        let mut metrics = Vec::new();
        for container in engine.pods.containers_of(&record.id) {
            let container = container.record();
            if container.state != ContainerState::Running {
                continue;
            }
            match of_container(engine, &record, &container).await {
                Ok(found) => metrics.push(found),
                // It ended between the list and the reading.
                Err(error) => tracing::debug!(container = container.id, "no metrics: {error:#}"),
            }
        }
        let id = record.id.clone();
        let own = blocking(move || of_pod(&record, pause)).await.unwrap_or_else(|error| {
            tracing::debug!(pod = id, "no metrics: {error:#}");
            Vec::new()
        });
        list.push(cri::PodSandboxMetrics { pod_sandbox_id: id, metrics: own, container_metrics: metrics });
    }
    list
}

fn of_pod(record: &PodRecord, pause: Option<u32>) -> Result<Vec<cri::Metric>> {
    let Some(pause) = pause else { return Ok(Vec::new()) };
    let mut out = Collector::new(record, ["", &record.id, ""]);
    for interface in network::usage::of_process(pause)? {
        for (way, traffic) in [("receive", interface.received), ("transmit", interface.sent)] {
            let labels = [interface.name.as_str()];
            out.add(&format!("container_network_{way}_bytes_total"), &labels, traffic.bytes);
            out.add(&format!("container_network_{way}_packets_total"), &labels, traffic.packets);
            out.add(&format!("container_network_{way}_packets_dropped_total"), &labels, traffic.dropped);
            out.add(&format!("container_network_{way}_errors_total"), &labels, traffic.errors);
        }
    }
    Ok(out.metrics)
}

async fn of_container(
    engine: &Arc<Engine>,
    pod: &PodRecord,
    record: &ContainerRecord,
) -> Result<cri::ContainerMetrics> {
    let usage = engine.snapshotter.usage(&record.id).await?;
    let name = record.config.metadata.clone().unwrap_or_default().name;
    let image = record.config.image.clone().unwrap_or_default();
    let image = if image.user_specified_image.is_empty() { image.image } else { image.user_specified_image };
    let out = Collector::new(pod, [&name, &record.id, &image]);
    let stats = super::stats::read(engine, record, Extent::All).await?;
    let (record, root) = (record.clone(), engine.config.root.clone());
    blocking(move || collect(out, &record, &stats, usage, &root)).await
}

fn collect(
    mut out: Collector,
    record: &ContainerRecord,
    stats: &Stats,
    usage: Usage,
    root: &Path,
) -> Result<cri::ContainerMetrics> {
    let cgroup = Cgroup::new(&record.cgroup)?;
    let seconds = |nanoseconds: i64| u64::try_from(nanoseconds).unwrap_or(0) / SECOND;
    out.add("container_last_seen", &[], seconds(out.at));
    out.add("container_start_time_seconds", &[], seconds(record.started_at));
    out.cpu_and_memory(stats);
    out.disks(stats);
    out.filesystem(usage, root)?;
    // One with a kernel of its own may have no group here.
    let pids = if cgroup.exists() { cgroup.pids()? } else { Vec::new() };
    out.processes(stats, &pids, record.pid);
    out.limits(record);
    Ok(cri::ContainerMetrics { container_id: record.id.clone(), metrics: out.metrics })
}

/// Metrics with the same base labels and time.
struct Collector {
    base: Vec<String>,
    at: i64,
    metrics: Vec<cri::Metric>,
}

impl Collector {
    /// `of`: container, id, image.
    fn new(pod: &PodRecord, of: [&str; 3]) -> Self {
        let meta = pod.config.metadata.clone().unwrap_or_default();
        let base = [meta.name, meta.namespace].into_iter().chain(of.map(str::to_owned)).collect();
        Self { base, at: now(), metrics: Vec::new() }
    }

    fn add(&mut self, name: &str, labels: &[&str], value: u64) {
        let descriptor = descriptors::ALL.iter().find(|d| d.name == name);
        debug_assert!(descriptor.is_some_and(|d| d.labels.len() == labels.len()), "{name} {labels:?}");
        let Some(descriptor) = descriptor else { return };
        self.metrics.push(cri::Metric {
            name: name.to_owned(),
            timestamp: self.at,
            metric_type: descriptor.kind.into(),
            label_values: self.base.iter().cloned().chain(labels.iter().map(|l| (*l).to_owned())).collect(),
            value: Some(cri::UInt64Value { value }),
        });
    }

    fn cpu_and_memory(&mut self, stats: &Stats) {
        let (cpu, memory) = (&stats.cpu, &stats.memory);
        for (name, value) in [
            ("container_cpu_usage_seconds_total", cpu.usage / SECOND),
            ("container_cpu_user_seconds_total", cpu.user / SECOND),
            ("container_cpu_system_seconds_total", cpu.system / SECOND),
            ("container_cpu_cfs_periods_total", cpu.periods),
            ("container_cpu_cfs_throttled_periods_total", cpu.throttled_periods),
            ("container_cpu_cfs_throttled_seconds_total", cpu.throttled / SECOND),
            ("container_memory_usage_bytes", memory.usage),
            ("container_memory_max_usage_bytes", memory.max_usage),
            ("container_memory_working_set_bytes", memory.working_set),
            ("container_memory_rss", memory.rss),
            ("container_memory_cache", memory.cache),
            ("container_memory_mapped_file", memory.mapped_file),
            ("container_memory_total_active_file_bytes", memory.active_file),
            ("container_memory_total_inactive_file_bytes", memory.inactive_file),
            ("container_memory_kernel_usage", memory.kernel),
            ("container_memory_swap", memory.swap),
            ("container_memory_failcnt", memory.failures),
            ("container_oom_events_total", stats.oom_kills),
        ] {
            self.add(name, &[], value);
        }
        self.add("container_memory_failures_total", &["pgfault", "container"], memory.page_faults);
        self.add("container_memory_failures_total", &["pgmajfault", "container"], memory.major_page_faults);
    }

    fn disks(&mut self, stats: &Stats) {
        for ((major, minor), device) in &stats.devices {
            let name = device_name(*major, *minor);
            self.add("container_fs_reads_bytes_total", &[&name], device.read_bytes);
            self.add("container_fs_reads_total", &[&name], device.reads);
            self.add("container_fs_writes_bytes_total", &[&name], device.written_bytes);
            self.add("container_fs_writes_total", &[&name], device.writes);
            let (major, minor) = (major.to_string(), minor.to_string());
            for (operation, bytes) in [("Read", device.read_bytes), ("Write", device.written_bytes)] {
                self.add("container_blkio_device_usage_total", &[&name, &major, &minor, operation], bytes);
            }
        }
    }

    fn filesystem(&mut self, usage: Usage, root: &Path) -> Result<()> {
        let all = rustix::fs::statvfs(root).context(|| format!("look at the filesystem of {}", root.display()))?;
        let device = rustix::fs::stat(root).context(|| format!("stat {}", root.display()))?.st_dev;
        let name = device_name(rustix::fs::major(device), rustix::fs::minor(device));
        self.add("container_fs_usage_bytes", &[&name], usage.bytes);
        self.add("container_fs_limit_bytes", &[&name], all.f_blocks * all.f_frsize);
        self.add("container_fs_inodes_total", &[&name], all.f_files);
        self.add("container_fs_inodes_free", &[&name], all.f_ffree);
        Ok(())
    }

    fn processes(&mut self, stats: &Stats, pids: &[u32], first: u32) {
        let found = processes::of(pids);
        self.add("container_processes", &[], found.count);
        self.add("container_file_descriptors", &[], found.descriptors);
        self.add("container_sockets", &[], found.sockets);
        self.add("container_threads", &[], stats.pids.current);
        self.add("container_threads_max", &[], stats.pids.limit.unwrap_or(0));
        if let Some(limit) = processes::open_files(first) {
            self.add("container_ulimits_soft", &["max_open_files"], limit);
        }
        for (state, count) in [
            ("sleeping", found.sleeping),
            ("running", found.running),
            ("stopped", found.stopped),
            ("uninterruptible", found.uninterruptible),
            // cAdvisor takes it from taskstats, which the kernel has not filled for years.
            ("iowaiting", 0),
        ] {
            self.add("container_tasks_state", &[state], count);
        }
    }

    fn limits(&mut self, record: &ContainerRecord) {
        let asked = record.config.linux.as_ref().and_then(|l| l.resources.clone()).unwrap_or_default();
        let value = |asked: i64| u64::try_from(asked).unwrap_or(0);
        self.add("container_spec_cpu_period", &[], value(asked.cpu_period));
        self.add("container_spec_cpu_shares", &[], value(asked.cpu_shares));
        self.add("container_spec_memory_limit_bytes", &[], value(asked.memory_limit_in_bytes));
        self.add("container_spec_memory_reservation_limit_bytes", &[], 0);
        self.add("container_spec_memory_swap_limit_bytes", &[], value(asked.memory_swap_limit_in_bytes));
    }
}

/// "/dev/sda", or "8:0" for what has no name (a filesystem without a device).
fn device_name(major: u32, minor: u32) -> String {
    let link = fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok();
    let name = link.as_ref().and_then(|l| l.file_name()).map(|n| format!("/dev/{}", n.to_string_lossy()));
    name.unwrap_or_else(|| format!("{major}:{minor}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_descriptor_is_named_once_and_has_distinct_labels() {
        let names: BTreeSet<_> = descriptors::ALL.iter().map(|d| d.name).collect();
        assert_eq!(names.len(), descriptors::ALL.len());
        for found in list_metric_descriptors() {
            let labels: BTreeSet<_> = found.label_keys.iter().collect();
            assert_eq!(labels.len(), found.label_keys.len(), "{}", found.name);
            assert!(!found.help.is_empty());
        }
        for name in [
            "container_tasks_state",
            "container_memory_working_set_bytes",
            "container_cpu_usage_seconds_total",
            "container_fs_usage_bytes",
        ] {
            assert!(names.contains(name), "{name}");
        }
    }
}
