//! `stats`, `statsp`, `metricsp`, `metricdescs`.

use std::{collections::HashMap, time::Duration};

use clap::Args;

use super::{
    backend::Backend,
    figures::{parse_span, size},
    filter::{ContainerSelect, containers, parse_label},
    output::{Format, Out, Table, short_id},
};
use crate::{error::Result, proto::cri};

/// Between two pictures of `--watch`.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct Of {
    /// Only ids that begin so
    #[arg(value_name = "ID", conflicts_with = "by_id")]
    id: Option<String>,
    /// Only ids that begin so
    #[arg(long = "id", id = "by_id", value_name = "ID")]
    by_id: Option<String>,
    /// Only with this label
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    #[arg(short, long, default_value = "table")]
    output: Format,
    /// How long to measure the use of CPU
    #[arg(short, long, default_value = "1", value_parser = parse_span, value_name = "SECONDS")]
    seconds: Duration,
    /// Again and again
    #[arg(short, long)]
    watch: bool,
}

impl Of {
    fn takes(&self, id: &str) -> bool {
        self.id.iter().chain(&self.by_id).all(|wanted| id.starts_with(wanted.as_str()))
    }

    fn label_map(&self) -> HashMap<String, String> {
        self.labels.iter().cloned().collect()
    }
}

#[derive(Debug, Args)]
pub struct Stats {
    /// Also what uses nothing, since it does not run
    #[arg(short, long)]
    all: bool,
    /// Only of this pod
    #[arg(short, long, value_name = "POD-ID")]
    pod: Option<String>,
    #[command(flatten)]
    of: Of,
}

fn number(value: Option<cri::UInt64Value>) -> u64 {
    value.map_or(0, |v| v.value)
}

/// Whether there is anything to show: a runtime also lists what has no process.
fn measured(cpu: Option<&cri::CpuUsage>, memory: Option<&cri::MemoryUsage>) -> bool {
    number(cpu.and_then(|c| c.usage_core_nano_seconds)) > 0 || number(memory.and_then(|m| m.working_set_bytes)) > 0
}

/// Percent of one CPU between two samples; what the runtime says if there was only one.
fn percent(now: Option<&cri::CpuUsage>, before: Option<&cri::CpuUsage>) -> f64 {
    let used = |c: &cri::CpuUsage| number(c.usage_core_nano_seconds);
    #[allow(clippy::cast_precision_loss, reason = "shown with two decimals")]
    match (now, before) {
        (Some(now), Some(before)) if now.timestamp > before.timestamp => {
            used(now).saturating_sub(used(before)) as f64 / (now.timestamp - before.timestamp) as f64 * 100.0
        }
        (Some(now), _) => number(now.usage_nano_cores) as f64 / 1e9 * 100.0,
        _ => 0.0,
    }
}

/// Starts a picture anew where one stands already.
fn home(out: &mut Out, watch: bool) -> Result<()> {
    if watch && out.width.is_some() { out.bytes(b"\x1b[2J\x1b[H") } else { Ok(()) }
}

async fn container_stats(backend: &Backend, args: &Stats) -> Result<Vec<cri::ContainerStats>> {
    let filter = cri::ContainerStatsFilter { label_selector: args.of.label_map(), ..Default::default() };
    let request = cri::ListContainerStatsRequest { filter: Some(filter) };
    let mut pods = backend.pods();
    let call = pods.list_container_stats(request);
    let mut stats = backend.ask("ask for the containers' use of the node", call).await?.stats;
    stats.retain(|s| s.attributes.as_ref().is_some_and(|a| args.of.takes(&a.id)));
    if args.pod.is_some() {
        let by = ContainerSelect { all: true, pod: args.pod.clone(), ..Default::default() };
        let wanted: Vec<String> = containers(backend, None, &by).await?.into_iter().map(|c| c.id).collect();
        stats.retain(|s| s.attributes.as_ref().is_some_and(|a| wanted.contains(&a.id)));
    }
    stats.sort_by_key(|s| s.attributes.as_ref().map(|a| a.id.clone()));
    Ok(stats)
}

pub async fn stats(backend: &Backend, out: &mut Out, args: Stats) -> Result<u8> {
    loop {
        let before = container_stats(backend, &args).await?;
        if args.of.output == Format::Table {
            tokio::time::sleep(args.of.seconds).await;
            let mut now = container_stats(backend, &args).await?;
            now.retain(|s| args.all || measured(s.cpu.as_ref(), s.memory.as_ref()));
            home(out, args.of.watch)?;
            out.table(&containers_table(&now, &before))?;
        } else {
            out.message(&cri::ListContainerStatsResponse { stats: before }, args.of.output)?;
        }
        if !args.of.watch {
            return Ok(0);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn containers_table(now: &[cri::ContainerStats], before: &[cri::ContainerStats]) -> Table {
    let mut table = Table::new(&["CONTAINER", "NAME", "CPU %", "MEM", "DISK", "INODES", "SWAP"]);
    for stats in now {
        let attributes = stats.attributes.clone().unwrap_or_default();
        let old = before.iter().find(|b| b.attributes.as_ref().is_some_and(|a| a.id == attributes.id));
        let layer = stats.writable_layer.as_ref();
        table.row([
            short_id(&attributes.id).to_owned(),
            attributes.metadata.unwrap_or_default().name,
            format!("{:.2}", percent(stats.cpu.as_ref(), old.and_then(|o| o.cpu.as_ref()))),
            size(number(stats.memory.as_ref().and_then(|m| m.working_set_bytes)), 4),
            size(number(layer.and_then(|l| l.used_bytes)), 4),
            number(layer.and_then(|l| l.inodes_used)).to_string(),
            size(number(stats.swap.as_ref().and_then(|s| s.swap_usage_bytes)), 4),
        ]);
    }
    table
}

async fn pod_stats(backend: &Backend, of: &Of) -> Result<Vec<cri::PodSandboxStats>> {
    let filter = cri::PodSandboxStatsFilter { id: String::new(), label_selector: of.label_map() };
    let request = cri::ListPodSandboxStatsRequest { filter: Some(filter) };
    let mut pods = backend.pods();
    let call = pods.list_pod_sandbox_stats(request);
    let mut stats = backend.ask("ask for the pods' use of the node", call).await?.stats;
    stats.retain(|s| s.attributes.as_ref().is_some_and(|a| of.takes(&a.id)));
    stats.sort_by_key(|s| s.attributes.as_ref().map(|a| a.id.clone()));
    Ok(stats)
}

pub async fn statsp(backend: &Backend, out: &mut Out, of: Of) -> Result<u8> {
    loop {
        let before = pod_stats(backend, &of).await?;
        if of.output == Format::Table {
            tokio::time::sleep(of.seconds).await;
            let mut now = pod_stats(backend, &of).await?;
            now.retain(|s| s.linux.as_ref().is_some_and(|l| measured(l.cpu.as_ref(), l.memory.as_ref())));
            home(out, of.watch)?;
            let mut table = Table::new(&["POD", "POD ID", "CPU %", "MEM"]);
            for stats in &now {
                let attributes = stats.attributes.clone().unwrap_or_default();
                let old = before.iter().find(|b| b.attributes.as_ref().is_some_and(|a| a.id == attributes.id));
                let old = old.and_then(|o| o.linux.as_ref()?.cpu.as_ref());
                let linux = stats.linux.as_ref();
                table.row([
                    attributes.metadata.unwrap_or_default().name,
                    short_id(&attributes.id).to_owned(),
                    format!("{:.2}", percent(linux.and_then(|l| l.cpu.as_ref()), old)),
                    size(number(linux.and_then(|l| l.memory.as_ref()?.working_set_bytes)), 4),
                ]);
            }
            out.table(&table)?;
        } else {
            out.message(&cri::ListPodSandboxStatsResponse { stats: before }, of.output)?;
        }
        if !of.watch {
            return Ok(0);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[derive(Debug, Args)]
pub struct Metrics {
    #[arg(short, long, default_value = "json")]
    output: Format,
}

pub async fn metricsp(backend: &Backend, out: &mut Out, args: Metrics) -> Result<u8> {
    let mut pods = backend.pods();
    let call = pods.list_pod_sandbox_metrics(cri::ListPodSandboxMetricsRequest {});
    out.message(&backend.ask("ask for the pods' metrics", call).await?, args.output)?;
    Ok(0)
}

pub async fn metricdescs(backend: &Backend, out: &mut Out, args: Metrics) -> Result<u8> {
    let mut pods = backend.pods();
    let call = pods.list_metric_descriptors(cri::ListMetricDescriptorsRequest {});
    out.message(&backend.ask("ask which metrics there are", call).await?, args.output)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_a_difference() {
        let cpu = |timestamp, nanos, cores| cri::CpuUsage {
            timestamp,
            usage_core_nano_seconds: Some(cri::UInt64Value { value: nanos }),
            usage_nano_cores: Some(cri::UInt64Value { value: cores }),
            psi: None,
        };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(percent(Some(&cpu(2_000, 1_500, 0)), Some(&cpu(1_000, 1_000, 0))), 50.0));
        assert!(near(percent(Some(&cpu(1_000, 1_500, 250_000_000)), Some(&cpu(1_000, 0, 0))), 25.0));
        // A counter that began anew is no use at all rather than an enormous one.
        assert!(near(percent(Some(&cpu(2_000, 1, 0)), Some(&cpu(1_000, 9, 0))), 0.0));
        assert!(near(percent(None, None), 0.0));
    }
}
