//! Limits as cgroup v2 files (kernel documentation, admin-guide/cgroup-v2). OCI resources are in v1 units and are converted.
//! Device rules are in `ebpf`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources, LinuxThrottleDevice};

use super::{Cgroup, Hierarchy, read, read_optional, v1, write};
use crate::{
    bail,
    error::{Error, Result},
};

/// Hands every controller of the root down to the parents of `path`, making them on the way.
///
/// `cpu` may be impossible while realtime processes exist; what matters is checked when a limit is written.
pub(super) fn enable_controllers(hierarchy: &Hierarchy, path: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let mut parents: Vec<&Path> = path.ancestors().skip(1).collect();
    parents.reverse();
    for part in parents {
        let directory = hierarchy.mount.join(part);
        match fs::create_dir(&directory) {
            Ok(()) => made.push(directory.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create cgroup", directory, error)),
        }
        let offered = read(&directory, "cgroup.controllers")?;
        let enabled = read(&directory, "cgroup.subtree_control")?;
        let missing: Vec<&str> =
            offered.split_whitespace().filter(|c| !enabled.split_whitespace().any(|e| e == *c)).collect();
        if missing.is_empty() {
            continue;
        }
        let all: Vec<String> = missing.iter().map(|c| format!("+{c}")).collect();
        if let Err(first) = write(&directory, "cgroup.subtree_control", &all.join(" ")) {
            // One refused controller refuses the whole write. A limit that needs it fails later, on its own file.
            for controller in all {
                if let Err(error) = write(&directory, "cgroup.subtree_control", &controller) {
                    tracing::debug!(%first, "cgroup controller not enabled: {error:#}");
                }
            }
        }
    }
    Ok(())
}

pub(super) fn apply(cgroup: &Cgroup, resources: &LinuxResources) -> Result<()> {
    let Some(hierarchy) = cgroup.layout().hierarchies.iter().find(|h| h.unified) else { return Ok(()) };
    let directory = cgroup.directory(hierarchy);
    if let Some(memory) = resources.memory() {
        apply_memory(&directory, memory)?;
    }
    if let Some(cpu) = resources.cpu() {
        apply_cpu(&directory, cpu)?;
    }
    if let Some(pids) = resources.pids() {
        let limit = if pids.limit() > 0 { pids.limit().to_string() } else { "max".to_owned() };
        write(&directory, "pids.max", &limit)?;
    }
    if let Some(io) = resources.block_io() {
        apply_block_io(&directory, io)?;
    }
    for limit in resources.hugepage_limits().iter().flatten() {
        v1::check_page_size(limit.page_size())?;
        write(&directory, &format!("hugetlb.{}.max", limit.page_size()), &limit.limit().to_string())?;
        let reserved = format!("hugetlb.{}.rsvd.max", limit.page_size());
        if directory.join(&reserved).exists() {
            write(&directory, &reserved, &limit.limit().to_string())?;
        }
    }
    v1::apply_rdma(cgroup, resources)?;
    for (file, value) in resources.unified().iter().flatten() {
        if file.contains('/') || !file.contains('.') || file.starts_with("cgroup.") {
            bail!(InvalidArgument, "cgroup v2 setting {file:?} is not the file of a controller");
        }
        for line in value.lines() {
            write(&directory, file, line)?;
        }
    }
    Ok(())
}

/// `memory+swap` as v1 and OCI have it, to v2's swap alone. `None`: leave as is.
pub(super) fn swap_max(memory: &LinuxMemory) -> Result<Option<String>> {
    let limit = memory.limit().unwrap_or(0);
    Ok(match memory.swap().unwrap_or(0) {
        0 => None,
        swap if swap < 0 => Some("max".to_owned()),
        swap if limit <= 0 => bail!(InvalidArgument, "memory+swap limit {swap} without a memory limit"),
        swap if swap < limit => bail!(InvalidArgument, "memory+swap limit {swap} is below the memory limit {limit}"),
        swap => Some((swap - limit).to_string()),
    })
}

fn apply_memory(directory: &Path, memory: &LinuxMemory) -> Result<()> {
    let bytes = |n: i64| if n < 0 { "max".to_owned() } else { n.to_string() };
    if memory.disable_oom_killer().unwrap_or(false) {
        bail!(InvalidArgument, "the out-of-memory killer cannot be disabled on cgroup v2");
    }
    if memory.check_before_update().unwrap_or(false)
        && let Some(limit) = memory.limit().filter(|&l| l > 0)
        && read(directory, "memory.current")?.trim().parse::<i64>().is_ok_and(|used| used > limit)
    {
        bail!(FailedPrecondition, "memory limit {limit} is below what is in use");
    }
    if let Some(swap) = swap_max(memory)?
        && (directory.join("memory.swap.max").exists() || swap != "0" && swap != "max")
    {
        write(directory, "memory.swap.max", &swap)?;
    }
    if let Some(limit) = memory.limit().filter(|&l| l != 0) {
        write(directory, "memory.max", &bytes(limit))?;
    }
    if let Some(reservation) = memory.reservation().filter(|&r| r != 0) {
        write(directory, "memory.low", &bytes(reservation))?;
    }
    Ok(())
}

/// v1 shares (2..=262144, default 1024) to a v2 weight (1..=10000, default 100).
///
/// The curve runs through (2, 1), (1024, 100) and (262144, 10000), so that the default keeps its rank against
/// groups that have no shares set. Same as runc 1.4 and crun 1.23: weight = ceil(10 ^ ((l² + 125 l) / 612 - 7 / 34)), l = log2(shares).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 1..=10000"
)]
pub(super) fn weight_of_shares(shares: u64) -> u64 {
    if shares <= 2 {
        return 1;
    }
    if shares >= 262_144 {
        return 10_000;
    }
    let l = (shares as f64).log2();
    let exponent = (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0;
    // ceil of a value that is whole up to rounding would be one too much.
    (10f64.powf(exponent) - 1e-6).ceil().clamp(1.0, 10_000.0) as u64
}

fn apply_cpu(directory: &Path, cpu: &LinuxCpu) -> Result<()> {
    if cpu.realtime_period().is_some_and(|p| p != 0) || cpu.realtime_runtime().is_some_and(|r| r != 0) {
        bail!(InvalidArgument, "cgroup v2 has no realtime limits");
    }
    if let Some(idle) = cpu.idle() {
        write(directory, "cpu.idle", &idle.to_string())?;
    }
    // The kernel refuses a weight for an idle group.
    if let Some(shares) = cpu.shares().filter(|&s| s != 0 && cpu.idle().unwrap_or(0) == 0) {
        write(directory, "cpu.weight", &weight_of_shares(shares).to_string())?;
    }
    if cpu.burst() == Some(0) {
        write(directory, "cpu.max.burst", "0")?;
    }
    let (quota, period) = (cpu.quota().filter(|&q| q != 0), cpu.period().filter(|&p| p != 0));
    if quota.is_some() || period.is_some() {
        let old = read_optional(directory, "cpu.max")?.unwrap_or_default();
        let old_quota = old.split_whitespace().next().unwrap_or("max").to_owned();
        let quota = quota.map_or(old_quota, |q| if q < 0 { "max".to_owned() } else { q.to_string() });
        let value = period.map_or_else(|| quota.clone(), |p| format!("{quota} {p}"));
        write(directory, "cpu.max", &value)?;
    }
    if let Some(burst) = cpu.burst().filter(|&b| b != 0) {
        write(directory, "cpu.max.burst", &burst.to_string())?;
    }
    for (file, value) in [("cpuset.cpus", cpu.cpus()), ("cpuset.mems", cpu.mems())] {
        if let Some(value) = value.as_deref().filter(|v| !v.is_empty()) {
            write(directory, file, value)?;
        }
    }
    Ok(())
}

/// v1 block weight (10..=1000) to v2 (1..=10000).
fn io_weight(weight: u16) -> u64 {
    let weight = u64::from(weight).clamp(10, 1000);
    1 + (weight - 10) * 9999 / 990
}

fn apply_block_io(directory: &Path, io: &LinuxBlockIo) -> Result<()> {
    if io.leaf_weight().is_some_and(|w| w != 0)
        || io.weight_device().iter().flatten().any(|d| d.leaf_weight().is_some())
    {
        bail!(InvalidArgument, "cgroup v2 has no leaf weights");
    }
    // BFQ keeps v1's range; io.weight belongs to the io cost controller.
    let bfq = directory.join("io.bfq.weight").exists();
    let file = if bfq { "io.bfq.weight" } else { "io.weight" };
    let convert = |weight: u16| if bfq { u64::from(weight) } else { io_weight(weight) };
    if let Some(weight) = io.weight().filter(|&w| w != 0) {
        write(directory, file, &format!("default {}", convert(weight)))?;
    }
    for device in io.weight_device().iter().flatten() {
        if let Some(weight) = device.weight() {
            write(directory, file, &format!("{}:{} {}", device.major(), device.minor(), convert(weight)))?;
        }
    }
    let throttles: [(&str, &Option<Vec<LinuxThrottleDevice>>); 4] = [
        ("rbps", io.throttle_read_bps_device()),
        ("wbps", io.throttle_write_bps_device()),
        ("riops", io.throttle_read_iops_device()),
        ("wiops", io.throttle_write_iops_device()),
    ];
    for (key, devices) in throttles {
        for device in devices.iter().flatten() {
            let rate = if device.rate() == 0 { "max".to_owned() } else { device.rate().to_string() };
            write(directory, "io.max", &format!("{}:{} {key}={rate}", device.major(), device.minor()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_run_through_the_three_points() {
        assert_eq!([0, 2, 1024, 262_144, 1 << 40].map(weight_of_shares), [1, 1, 100, 10_000, 10_000]);
        assert!(weight_of_shares(102) < weight_of_shares(1024));
        assert_eq!([10, 500, 1000].map(io_weight), [1, 4950, 10_000]);
    }

    #[test]
    fn swap_is_what_is_left_over_the_limit() {
        let memory = |limit, swap| {
            let mut m = LinuxMemory::default();
            m.set_limit(limit).set_swap(swap);
            swap_max(&m)
        };
        assert_eq!(memory(Some(100), Some(150)).unwrap().as_deref(), Some("50"));
        assert_eq!(memory(Some(100), Some(-1)).unwrap().as_deref(), Some("max"));
        assert_eq!(memory(Some(100), None).unwrap(), None);
        assert!(memory(Some(100), Some(50)).is_err());
        assert!(memory(None, Some(50)).is_err());
    }
}
