//! What a group uses.

use std::path::Path;

use super::{Cgroup, read_optional};
use crate::error::Result;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Nanoseconds.
    pub usage: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    pub usage: u64,
    pub working_set: u64,
    pub limit: Option<u64>,
    pub rss: u64,
    pub page_faults: u64,
    pub major_page_faults: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pids {
    pub current: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    pub cpu: Cpu,
    pub memory: Memory,
    pub pids: Pids,
    pub oom_kills: u64,
}

fn number(directory: &Path, file: &str) -> Result<u64> {
    Ok(read_optional(directory, file)?.and_then(|t| t.trim().parse().ok()).unwrap_or(0))
}

fn key(directory: &Path, file: &str, key: &str) -> Result<u64> {
    let text = read_optional(directory, file)?.unwrap_or_default();
    Ok(text.lines().find_map(|l| l.strip_prefix(key)?.trim().parse().ok()).unwrap_or(0))
}

pub(super) fn read(cgroup: &Cgroup) -> Result<Stats> {
    let mut stats = Stats::default();
    if let Some(directory) = cgroup.of("cpuacct") {
        stats.cpu.usage = number(&directory, "cpuacct.usage")?;
    }
    if let Some(directory) = cgroup.of("memory") {
        let usage = number(&directory, "memory.usage_in_bytes")?;
        stats.memory.usage = usage;
        stats.memory.working_set = usage.saturating_sub(key(&directory, "memory.stat", "total_inactive_file ")?);
        stats.memory.rss = key(&directory, "memory.stat", "total_rss ")?;
        stats.memory.limit = Some(number(&directory, "memory.limit_in_bytes")?).filter(|l| *l < 1 << 62);
    }
    if let Some(directory) = cgroup.of("pids") {
        stats.pids.current = number(&directory, "pids.current")?;
    }
    stats.oom_kills = oom_kills(cgroup)?;
    Ok(stats)
}

pub(super) fn oom_kills(cgroup: &Cgroup) -> Result<u64> {
    match cgroup.of("memory") {
        Some(directory) => key(&directory, "memory.oom_control", "oom_kill "),
        None => Ok(0),
    }
}
