//! Limits as cgroup v1 files (kernel documentation, admin-guide/cgroup-v1; OCI runtime spec, config-linux).
//! Device rules are in `devices`.

use std::{
    fs::File,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources, LinuxThrottleDevice};
use rustix::event::{EventfdFlags, eventfd};

use super::{Cgroup, Hierarchy, layout::Layout, read, write};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// An eventfd that counts the times the group was out of memory, and one more when it is removed (kernel documentation,
/// admin-guide/cgroup-v1/memory, 9 and 10).
pub(super) fn oom_signals(directory: &Path) -> Result<OwnedFd> {
    let signals =
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).context(|| "make an eventfd".to_owned())?;
    let control = directory.join("memory.oom_control");
    let control = File::open(&control).map_err(|e| Error::io("open", &control, e))?;
    write(directory, "cgroup.event_control", &format!("{} {}", signals.as_raw_fd(), control.as_raw_fd()))?;
    Ok(signals)
}

/// Copies `cpuset.cpus` and `cpuset.mems` down to each group of `chain` (parents first) in which they are empty.
pub(super) fn inherit_cpuset(hierarchy: &Hierarchy, path: &Path, chain: &[&Path]) -> Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        // When only the leaf was new, its parents may still be empty: made by someone who does not use cpusets.
        let mut all: Vec<&Path> = path.ancestors().filter(|p| !p.as_os_str().is_empty()).collect();
        all.reverse();
        let parent = |p: &Path| hierarchy.mount.join(p.parent().unwrap_or(Path::new("")));
        let parent_is_set = chain.len() == 1 && !read(&parent(path), file)?.trim().is_empty();
        for part in if parent_is_set { chain } else { &all[..] } {
            let directory = hierarchy.mount.join(part);
            if read(&directory, file)?.trim().is_empty() {
                write(&directory, file, read(&parent(part), file)?.trim())?;
            }
        }
    }
    Ok(())
}

pub(super) fn apply(cgroup: &Cgroup, resources: &LinuxResources) -> Result<()> {
    if let Some(memory) = resources.memory() {
        apply_memory(&need(cgroup, "memory")?, memory)?;
    }
    if let Some(cpu) = resources.cpu() {
        apply_cpu(cgroup, cpu)?;
    }
    if let Some(pids) = resources.pids() {
        // 0 means "not set" in the Kubernetes world and "nothing may run" in the kernel's.
        let limit = if pids.limit() > 0 { pids.limit().to_string() } else { "max".to_owned() };
        write(&need(cgroup, "pids")?, "pids.max", &limit)?;
    }
    if let Some(io) = resources.block_io() {
        apply_block_io(cgroup, io)?;
    }
    for limit in resources.hugepage_limits().iter().flatten() {
        apply_hugepage(cgroup, limit.page_size(), limit.limit())?;
    }
    if let Some(network) = resources.network() {
        if let Some(class) = network.class_id() {
            write(&need(cgroup, "net_cls")?, "net_cls.classid", &class.to_string())?;
        }
        for priority in network.priorities().iter().flatten() {
            write(
                &need(cgroup, "net_prio")?,
                "net_prio.ifpriomap",
                &format!("{} {}", priority.name(), priority.priority()),
            )?;
        }
    }
    apply_rdma(cgroup, resources)?;
    if let Some(unified) = resources.unified().as_ref().filter(|u| !u.is_empty()) {
        let keys: Vec<_> = unified.keys().map(String::as_str).collect();
        bail!(InvalidArgument, "cgroup v2 settings {} on a machine that uses cgroup v1", keys.join(", "));
    }
    Ok(())
}

pub(super) fn apply_rdma(cgroup: &Cgroup, resources: &LinuxResources) -> Result<()> {
    for (device, limit) in resources.rdma().iter().flatten() {
        let number = |n: Option<u32>| n.map_or_else(|| "max".to_owned(), |n| n.to_string());
        let value =
            format!("{device} hca_handle={} hca_object={}", number(limit.hca_handles()), number(limit.hca_objects()));
        write(&need(cgroup, "rdma")?, "rdma.max", &value)?;
    }
    Ok(())
}

/// The page size is put into a file name: only sizes such as `2MB` may pass.
pub(super) fn check_page_size(size: &str) -> Result<()> {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if digits.is_empty()
        || !digits.bytes().all(|b| b.is_ascii_digit())
        || !matches!(&size[digits.len()..], "KB" | "MB" | "GB")
    {
        bail!(InvalidArgument, "huge page size {size:?} is not like 2MB");
    }
    Ok(())
}

fn apply_hugepage(cgroup: &Cgroup, size: &str, limit: i64) -> Result<()> {
    check_page_size(size)?;
    let Some(hierarchy) = cgroup.layout().hierarchy("hugetlb").filter(|h| !h.unified) else {
        // Hybrid machines may have the controller on v2, where it must be delegated first. Kubernetes sets a limit of
        // 0 for every size by default, which is what a machine without the controller enforces anyway by not having pages.
        if limit == 0 {
            return Ok(());
        }
        bail!(FailedPrecondition, "limit huge pages: the hugetlb controller is not mounted");
    };
    let directory = cgroup.directory(hierarchy);
    write(&directory, &format!("hugetlb.{size}.limit_in_bytes"), &limit.to_string())?;
    let reserved = format!("hugetlb.{size}.rsvd.limit_in_bytes");
    if directory.join(&reserved).exists() { write(&directory, &reserved, &limit.to_string()) } else { Ok(()) }
}

/// The group's directory for a controller that a limit needs: without it the limit would silently not exist.
pub(super) fn need(cgroup: &Cgroup, controller: &str) -> Result<PathBuf> {
    let layout: &Layout = cgroup.layout();
    match layout.hierarchy(controller) {
        Some(hierarchy) => Ok(cgroup.directory(hierarchy)),
        None => bail!(FailedPrecondition, "the cgroup controller {controller} is not available"),
    }
}

fn apply_memory(directory: &Path, memory: &LinuxMemory) -> Result<()> {
    const LIMIT: &str = "memory.limit_in_bytes";
    const SWAP: &str = "memory.memsw.limit_in_bytes";
    if memory.check_before_update().unwrap_or(false)
        && let Some(limit) = memory.limit().filter(|&l| l > 0)
        && read(directory, "memory.usage_in_bytes")?.trim().parse::<i64>().is_ok_and(|used| used > limit)
    {
        bail!(FailedPrecondition, "memory limit {limit} is below what is in use");
    }
    let limit = memory.limit().filter(|&l| l != 0);
    // Kernels without swap accounting have no such file; then there is no swap to limit.
    let swap = memory.swap().filter(|&s| s != 0 && directory.join(SWAP).exists());
    if let (Some(limit), Some(swap)) = (limit, swap)
        && swap > 0
        && limit > swap
    {
        bail!(InvalidArgument, "memory+swap limit {swap} is below the memory limit {limit}");
    }
    match (limit, swap) {
        // memsw >= memory must hold at every moment. Going up, memsw goes first; going down, last.
        (Some(limit), Some(swap)) => {
            let current = read(directory, LIMIT)?.trim().parse::<u64>().unwrap_or(u64::MAX);
            let up = swap < 0 || swap.cast_unsigned() >= current;
            let mut steps = [(SWAP, swap), (LIMIT, limit)];
            if !up {
                steps.reverse();
            }
            for (file, value) in steps {
                write(directory, file, &value.to_string())?;
            }
        }
        (Some(limit), None) => write(directory, LIMIT, &limit.to_string())?,
        (None, Some(swap)) => write(directory, SWAP, &swap.to_string())?,
        (None, None) => {}
    }
    if let Some(reservation) = memory.reservation().filter(|&r| r != 0) {
        write(directory, "memory.soft_limit_in_bytes", &reservation.to_string())?;
    }
    if let Some(tcp) = memory.kernel_tcp().filter(|&t| t != 0) {
        write(directory, "memory.kmem.tcp.limit_in_bytes", &tcp.to_string())?;
    }
    if let Some(swappiness) = memory.swappiness() {
        if swappiness > 100 {
            bail!(InvalidArgument, "memory swappiness {swappiness} is not within 0..=100");
        }
        write(directory, "memory.swappiness", &swappiness.to_string())?;
    }
    if memory.disable_oom_killer().unwrap_or(false) {
        write(directory, "memory.oom_control", "1")?;
    }
    Ok(())
}

fn apply_cpu(cgroup: &Cgroup, cpu: &LinuxCpu) -> Result<()> {
    let directory = need(cgroup, "cpu")?;
    if let Some(shares) = cpu.shares().filter(|&s| s != 0) {
        // The kernel clamps to 2..=262144 by itself.
        write(&directory, "cpu.shares", &shares.to_string())?;
    }
    if let Some(idle) = cpu.idle() {
        write(&directory, "cpu.idle", &idle.to_string())?;
    }
    let period = cpu.period().filter(|&p| p != 0);
    let quota = cpu.quota().filter(|&q| q != 0);
    if let Some(burst) = cpu.burst().filter(|&b| b == 0 || quota.is_none()) {
        write(&directory, "cpu.cfs_burst_us", &burst.to_string())?;
    }
    if let Some(period) = period {
        let set = write(&directory, "cpu.cfs_period_us", &period.to_string());
        match (set, quota) {
            // The old quota may not fit the new period under the parent's share; the new one does.
            (Err(error), Some(quota)) if error.is(Kind::InvalidArgument) => {
                write(&directory, "cpu.cfs_quota_us", &quota.to_string())?;
                write(&directory, "cpu.cfs_period_us", &period.to_string())?;
            }
            (result, _) => result?,
        }
    }
    if let Some(quota) = quota {
        write(&directory, "cpu.cfs_quota_us", &quota.to_string())?;
        if let Some(burst) = cpu.burst().filter(|&b| b != 0) {
            write(&directory, "cpu.cfs_burst_us", &burst.to_string())?;
        }
    }
    if let Some(period) = cpu.realtime_period().filter(|&p| p != 0) {
        write(&directory, "cpu.rt_period_us", &period.to_string())?;
    }
    if let Some(runtime) = cpu.realtime_runtime().filter(|&r| r != 0) {
        write(&directory, "cpu.rt_runtime_us", &runtime.to_string())?;
    }
    for (file, value) in [("cpuset.cpus", cpu.cpus()), ("cpuset.mems", cpu.mems())] {
        if let Some(value) = value.as_deref().filter(|v| !v.is_empty()) {
            write(&need(cgroup, "cpuset")?, file, value)?;
        }
    }
    Ok(())
}

fn apply_block_io(cgroup: &Cgroup, io: &LinuxBlockIo) -> Result<()> {
    let directory = need(cgroup, "blkio")?;
    if let Some(weight) = io.weight().filter(|&w| w != 0) {
        let file = if directory.join("blkio.weight").exists() { "blkio.weight" } else { "blkio.bfq.weight" };
        write(&directory, file, &weight.to_string())?;
    }
    if let Some(weight) = io.leaf_weight().filter(|&w| w != 0) {
        write(&directory, "blkio.leaf_weight", &weight.to_string())?;
    }
    for device in io.weight_device().iter().flatten() {
        let id = format!("{}:{}", device.major(), device.minor());
        if let Some(weight) = device.weight() {
            let file = if directory.join("blkio.weight_device").exists() {
                "blkio.weight_device"
            } else {
                "blkio.bfq.weight_device"
            };
            write(&directory, file, &format!("{id} {weight}"))?;
        }
        if let Some(weight) = device.leaf_weight() {
            write(&directory, "blkio.leaf_weight_device", &format!("{id} {weight}"))?;
        }
    }
    let throttles: [(&str, &Option<Vec<LinuxThrottleDevice>>); 4] = [
        ("blkio.throttle.read_bps_device", io.throttle_read_bps_device()),
        ("blkio.throttle.write_bps_device", io.throttle_write_bps_device()),
        ("blkio.throttle.read_iops_device", io.throttle_read_iops_device()),
        ("blkio.throttle.write_iops_device", io.throttle_write_iops_device()),
    ];
    for (file, devices) in throttles {
        for device in devices.iter().flatten() {
            write(&directory, file, &format!("{}:{} {}", device.major(), device.minor(), device.rate()))?;
        }
    }
    Ok(())
}
