//! What a group uses, from v1 and v2 files, in one form (kernel documentation, admin-guide/cgroup-v1 and cgroup-v2). A
//! controller that is not there leaves zeros.

use std::{collections::BTreeMap, path::Path};

use super::{Cgroup, read_optional};
use crate::error::Result;

/// Times in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cpu {
    pub usage: u64,
    pub user: u64,
    pub system: u64,
    pub periods: u64,
    pub throttled_periods: u64,
    pub throttled: u64,
}

/// Bytes, but for the counts of faults and failures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    pub usage: u64,
    pub max_usage: u64,
    pub working_set: u64,
    pub limit: Option<u64>,
    pub rss: u64,
    pub cache: u64,
    pub mapped_file: u64,
    pub active_file: u64,
    pub inactive_file: u64,
    pub kernel: u64,
    pub swap: u64,
    pub swap_limit: Option<u64>,
    pub page_faults: u64,
    pub major_page_faults: u64,
    /// How often the limit was hit; v1 only.
    pub failures: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pids {
    pub current: u64,
    pub limit: Option<u64>,
}

/// Of one block device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Device {
    pub read_bytes: u64,
    pub written_bytes: u64,
    pub reads: u64,
    pub writes: u64,
}

/// Pressure stall information of one resource (Documentation/accounting/psi.rst), v2 only.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    pub some: Stall,
    pub full: Stall,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stall {
    /// Nanoseconds.
    pub total: u64,
    /// Per cent of the last 10, 60 and 300 seconds.
    pub averages: [f64; 3],
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    pub cpu: Cpu,
    pub memory: Memory,
    pub pids: Pids,
    /// By major and minor number.
    pub devices: BTreeMap<(u32, u32), Device>,
    pub cpu_pressure: Option<Pressure>,
    pub memory_pressure: Option<Pressure>,
    pub io_pressure: Option<Pressure>,
    pub oom_kills: u64,
}

/// How much is read: each number is a file, or a line of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What CRI's stats have: times, memory, processes, pressure.
    Usage,
    /// Limits that were met, devices and everything else too.
    All,
}

/// USER_HZ of the kernel's interfaces, as nanoseconds of one tick.
const TICK: u64 = 10_000_000;

/// A file of "key value" lines.
struct Table(String);

impl Table {
    fn read(directory: &Path, file: &str) -> Result<Self> {
        Ok(Self(read_optional(directory, file)?.unwrap_or_default()))
    }

    fn get(&self, key: &str) -> u64 {
        let value = |line: &str| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok();
        self.0.lines().find_map(value).unwrap_or(0)
    }
}

fn number(directory: &Path, file: &str) -> Result<u64> {
    Ok(read_optional(directory, file)?.and_then(|t| t.trim().parse().ok()).unwrap_or(0))
}

/// `None` for "max", and for v1's numbers that mean it.
fn limit(directory: &Path, file: &str) -> Result<Option<u64>> {
    let text = read_optional(directory, file)?.unwrap_or_default();
    Ok(text.trim().parse().ok().filter(|l| *l < 1 << 62))
}

pub(super) fn read(cgroup: &Cgroup, extent: Extent) -> Result<Stats> {
    let mut stats = if cgroup.layout().is_unified() { read_v2(cgroup, extent)? } else { read_v1(cgroup, extent)? };
    if let Some(directory) = cgroup.of("pids") {
        stats.pids.current = number(&directory, "pids.current")?;
        if extent == Extent::All {
            stats.pids.limit = limit(&directory, "pids.max")?;
        }
    }
    if let Some(hierarchy) = cgroup.layout().hierarchies.iter().find(|h| h.unified) {
        let directory = cgroup.directory(hierarchy);
        let pressure =
            |file: &str| -> Result<Option<Pressure>> { Ok(read_optional(&directory, file)?.map(|text| stall(&text))) };
        stats.cpu_pressure = pressure("cpu.pressure")?;
        stats.memory_pressure = pressure("memory.pressure")?;
        stats.io_pressure = pressure("io.pressure")?;
    }
    if extent == Extent::All {
        stats.oom_kills = oom_kills(cgroup)?;
    }
    Ok(stats)
}

fn read_v1(cgroup: &Cgroup, extent: Extent) -> Result<Stats> {
    let mut stats = Stats::default();
    if let Some(directory) = cgroup.of("cpuacct") {
        stats.cpu.usage = number(&directory, "cpuacct.usage")?;
    }
    if let Some(directory) = cgroup.of("memory") {
        let (table, usage) = (Table::read(&directory, "memory.stat")?, number(&directory, "memory.usage_in_bytes")?);
        stats.memory = Memory {
            usage,
            working_set: usage.saturating_sub(table.get("total_inactive_file")),
            limit: limit(&directory, "memory.limit_in_bytes")?,
            rss: table.get("total_rss"),
            cache: table.get("total_cache"),
            mapped_file: table.get("total_mapped_file"),
            active_file: table.get("total_active_file"),
            inactive_file: table.get("total_inactive_file"),
            swap: number(&directory, "memory.memsw.usage_in_bytes")?.saturating_sub(usage),
            swap_limit: limit(&directory, "memory.memsw.limit_in_bytes")?,
            page_faults: table.get("total_pgfault"),
            major_page_faults: table.get("total_pgmajfault"),
            ..Memory::default()
        };
    }
    if extent == Extent::All {
        read_more_v1(cgroup, &mut stats)?;
    }
    Ok(stats)
}

fn read_more_v1(cgroup: &Cgroup, stats: &mut Stats) -> Result<()> {
    if let Some(directory) = cgroup.of("cpuacct") {
        let split = Table::read(&directory, "cpuacct.stat")?;
        stats.cpu.user = split.get("user") * TICK;
        stats.cpu.system = split.get("system") * TICK;
    }
    if let Some(directory) = cgroup.of("cpu") {
        let table = Table::read(&directory, "cpu.stat")?;
        stats.cpu.periods = table.get("nr_periods");
        stats.cpu.throttled_periods = table.get("nr_throttled");
        stats.cpu.throttled = table.get("throttled_time");
    }
    if let Some(directory) = cgroup.of("memory") {
        stats.memory.max_usage = number(&directory, "memory.max_usage_in_bytes")?;
        stats.memory.kernel = number(&directory, "memory.kmem.usage_in_bytes")?;
        stats.memory.failures = number(&directory, "memory.failcnt")?;
    }
    if let Some(directory) = cgroup.of("blkio") {
        // Which of them counts depends on the I/O scheduler.
        for (bytes, operations) in [
            ("blkio.bfq.io_service_bytes_recursive", "blkio.bfq.io_serviced_recursive"),
            ("blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_serviced_recursive"),
        ] {
            let bytes = read_optional(&directory, bytes)?.unwrap_or_default();
            let operations = read_optional(&directory, operations)?.unwrap_or_default();
            stats.devices = devices_v1(&bytes, &operations);
            if !stats.devices.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

fn read_v2(cgroup: &Cgroup, extent: Extent) -> Result<Stats> {
    let mut stats = Stats::default();
    let Some(hierarchy) = cgroup.layout().hierarchies.iter().find(|h| h.unified) else { return Ok(stats) };
    let directory = cgroup.directory(hierarchy);
    let cpu = Table::read(&directory, "cpu.stat")?;
    stats.cpu = Cpu {
        usage: cpu.get("usage_usec") * 1000,
        user: cpu.get("user_usec") * 1000,
        system: cpu.get("system_usec") * 1000,
        periods: cpu.get("nr_periods"),
        throttled_periods: cpu.get("nr_throttled"),
        throttled: cpu.get("throttled_usec") * 1000,
    };
    let (table, usage) = (Table::read(&directory, "memory.stat")?, number(&directory, "memory.current")?);
    stats.memory = Memory {
        usage,
        working_set: usage.saturating_sub(table.get("inactive_file")),
        limit: limit(&directory, "memory.max")?,
        rss: table.get("anon"),
        cache: table.get("file"),
        mapped_file: table.get("file_mapped"),
        active_file: table.get("active_file"),
        inactive_file: table.get("inactive_file"),
        kernel: table.get("kernel"),
        swap: number(&directory, "memory.swap.current")?,
        swap_limit: limit(&directory, "memory.swap.max")?,
        page_faults: table.get("pgfault"),
        major_page_faults: table.get("pgmajfault"),
        ..Memory::default()
    };
    if extent == Extent::All {
        stats.memory.max_usage = number(&directory, "memory.peak")?;
        stats.devices = devices_v2(&read_optional(&directory, "io.stat")?.unwrap_or_default());
    }
    Ok(stats)
}

fn device(number: &str) -> Option<(u32, u32)> {
    let (major, minor) = number.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Lines "8:0 Read 4096".
fn devices_v1(bytes: &str, operations: &str) -> BTreeMap<(u32, u32), Device> {
    let mut found: BTreeMap<(u32, u32), Device> = BTreeMap::new();
    for (text, is_bytes) in [(bytes, true), (operations, false)] {
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(which), Some(operation), Some(value)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let (Some(which), Ok(value)) = (device(which), value.parse()) else { continue };
            let device = found.entry(which).or_default();
            match (operation, is_bytes) {
                ("Read", true) => device.read_bytes = value,
                ("Write", true) => device.written_bytes = value,
                ("Read", false) => device.reads = value,
                ("Write", false) => device.writes = value,
                _ => {}
            }
        }
    }
    found
}

/// Lines "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0".
fn devices_v2(text: &str) -> BTreeMap<(u32, u32), Device> {
    let line = |line: &str| {
        let (which, rest) = line.split_once(' ')?;
        let get = |key: &str| {
            let value = rest.split(' ').find_map(|w| w.strip_prefix(key)?.strip_prefix('=')?.parse().ok());
            value.unwrap_or(0)
        };
        let (read_bytes, written_bytes) = (get("rbytes"), get("wbytes"));
        Some((device(which)?, Device { read_bytes, written_bytes, reads: get("rios"), writes: get("wios") }))
    };
    text.lines().filter_map(line).collect()
}

/// Lines "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", then "full".
fn stall(text: &str) -> Pressure {
    let of = |kind: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(kind)).unwrap_or_default();
        let get = |key: &str| line.split(' ').find_map(|w| w.strip_prefix(key));
        let average = |key: &str| get(key).and_then(|v| v.parse().ok()).unwrap_or(0.0);
        Stall {
            total: get("total=").and_then(|v| v.parse::<u64>().ok()).unwrap_or(0) * 1000,
            averages: [average("avg10="), average("avg60="), average("avg300=")],
        }
    };
    Pressure { some: of("some"), full: of("full") }
}

pub(super) fn oom_kills(cgroup: &Cgroup) -> Result<u64> {
    let Some(directory) = cgroup.counting() else { return Ok(0) };
    let file = if cgroup.layout().is_unified() { "memory.events" } else { "memory.oom_control" };
    Ok(Table::read(&directory, file)?.get("oom_kill"))
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use super::*;
    use crate::engine::cgroup::{Hierarchy, Layout};

    /// A cgroup whose files are ordinary ones.
    fn group(unified: bool, controllers: &[&str], files: &[(&str, &str)]) -> (tempfile::TempDir, Cgroup) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("c")).unwrap();
        for (file, text) in files {
            fs::write(dir.path().join("c").join(file), text).unwrap();
        }
        let controllers = controllers.iter().map(|c| (*c).to_owned()).collect();
        let hierarchies = vec![Hierarchy { mount: dir.path().to_owned(), controllers, unified }];
        (dir, Cgroup::with_layout(Arc::new(Layout { hierarchies }), "c").unwrap())
    }

    #[test]
    fn v2_files_are_read() {
        let (_dir, cgroup) = group(
            true,
            &["cpu", "memory", "pids", "io"],
            &[
                (
                    "cpu.stat",
                    "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 3\nnr_throttled 1\nthrottled_usec 7\n",
                ),
                (
                    "cpu.pressure",
                    "some avg10=1.50 avg60=0.00 avg300=0.25 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n",
                ),
                ("memory.current", "5000\n"),
                ("memory.peak", "6000\n"),
                ("memory.max", "max\n"),
                ("memory.swap.max", "4096\n"),
                (
                    "memory.stat",
                    "anon 2000\nfile 3000\nkernel 100\nfile_mapped 10\ninactive_file 1000\nactive_file 2000\npgfault 9\npgmajfault 2\n",
                ),
                ("memory.events", "low 0\noom 1\noom_kill 4\n"),
                ("pids.current", "2\n"),
                ("pids.max", "64\n"),
                ("io.stat", "8:0 rbytes=4096 wbytes=512 rios=1 wios=2 dbytes=0 dios=0\n"),
            ],
        );
        let stats = cgroup.stats(Extent::All).unwrap();
        assert_eq!((stats.cpu.usage, stats.cpu.user, stats.cpu.throttled), (1_500_000, 1_000_000, 7000));
        assert_eq!((stats.memory.working_set, stats.memory.limit, stats.memory.swap_limit), (4000, None, Some(4096)));
        assert_eq!((stats.memory.rss, stats.memory.cache, stats.memory.kernel), (2000, 3000, 100));
        assert_eq!((stats.pids.current, stats.pids.limit, stats.oom_kills), (2, Some(64), 4));
        let device = Device { read_bytes: 4096, written_bytes: 512, reads: 1, writes: 2 };
        assert_eq!(stats.devices, BTreeMap::from([((8, 0), device)]));
        let pressure = stats.cpu_pressure.unwrap();
        assert_eq!(
            (pressure.some.total, pressure.some.averages, pressure.full.total),
            (12_000, [1.5, 0.0, 0.25], 3000)
        );
        assert_eq!(stats.io_pressure, None);
    }

    #[test]
    fn v1_files_are_read() {
        let (_dir, cgroup) = group(
            false,
            &["cpu", "cpuacct", "memory", "blkio"],
            &[
                ("cpuacct.usage", "1500000\n"),
                ("cpuacct.stat", "user 2\nsystem 1\n"),
                ("cpu.stat", "nr_periods 3\nnr_throttled 1\nthrottled_time 7000\n"),
                ("memory.usage_in_bytes", "5000\n"),
                ("memory.memsw.usage_in_bytes", "5500\n"),
                ("memory.limit_in_bytes", "9223372036854771712\n"),
                (
                    "memory.stat",
                    "cache 1\ntotal_cache 3000\ntotal_rss 2000\ntotal_inactive_file 1000\ntotal_pgfault 9\n",
                ),
                ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"),
                (
                    "blkio.throttle.io_service_bytes_recursive",
                    "8:0 Read 4096\n8:0 Write 512\n8:0 Total 4608\nTotal 4608\n",
                ),
                ("blkio.throttle.io_serviced_recursive", "8:0 Read 1\n8:0 Write 2\n"),
            ],
        );
        let stats = cgroup.stats(Extent::All).unwrap();
        assert_eq!((stats.cpu.usage, stats.cpu.user, stats.cpu.throttled), (1_500_000, 20_000_000, 7000));
        assert_eq!((stats.memory.working_set, stats.memory.limit, stats.memory.swap), (4000, None, 500));
        assert_eq!((stats.memory.rss, stats.memory.cache, stats.oom_kills), (2000, 3000, 4));
        let device = Device { read_bytes: 4096, written_bytes: 512, reads: 1, writes: 2 };
        assert_eq!(stats.devices, BTreeMap::from([((8, 0), device)]));
    }
}
