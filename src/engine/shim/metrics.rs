//! What a containerd shim tells of a container's use: the messages of containerd/cgroups, `cgroup1/stats` and `cgroup2/stats`, of
//! which these are the fields we show.

use prost::Message;
use prost_types::Any;

use super::Usage;
use crate::{
    bail,
    error::{Error, Kind, Result},
};

const V1: &str = "io.containerd.cgroups.v1.Metrics";
const V2: &str = "io.containerd.cgroups.v2.Metrics";

#[derive(Clone, PartialEq, Message)]
struct Pids {
    #[prost(uint64, tag = "1")]
    current: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Metrics1 {
    #[prost(message, optional, tag = "2")]
    pids: Option<Pids>,
    #[prost(message, optional, tag = "3")]
    cpu: Option<Cpu1>,
    #[prost(message, optional, tag = "4")]
    memory: Option<Memory1>,
}

#[derive(Clone, PartialEq, Message)]
struct Cpu1 {
    #[prost(message, optional, tag = "1")]
    usage: Option<CpuUsage1>,
}

#[derive(Clone, PartialEq, Message)]
struct CpuUsage1 {
    /// Nanoseconds.
    #[prost(uint64, tag = "1")]
    total: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Memory1 {
    #[prost(uint64, tag = "19")]
    total_rss: u64,
    #[prost(uint64, tag = "30")]
    total_inactive_file: u64,
    #[prost(message, optional, tag = "33")]
    usage: Option<MemoryEntry1>,
}

#[derive(Clone, PartialEq, Message)]
struct MemoryEntry1 {
    #[prost(uint64, tag = "1")]
    limit: u64,
    #[prost(uint64, tag = "2")]
    usage: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Metrics2 {
    #[prost(message, optional, tag = "1")]
    pids: Option<Pids>,
    #[prost(message, optional, tag = "2")]
    cpu: Option<Cpu2>,
    #[prost(message, optional, tag = "4")]
    memory: Option<Memory2>,
}

#[derive(Clone, PartialEq, Message)]
struct Cpu2 {
    #[prost(uint64, tag = "1")]
    usage_usec: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Memory2 {
    #[prost(uint64, tag = "1")]
    anon: u64,
    #[prost(uint64, tag = "13")]
    inactive_file: u64,
    #[prost(uint64, tag = "32")]
    usage: u64,
    #[prost(uint64, tag = "33")]
    usage_limit: u64,
}

/// # Errors
/// `Unimplemented` for other messages.
pub fn usage(told: &Any) -> Result<Usage> {
    let malformed = |e| Error::new(Kind::Internal, "what the shim counts is no message").with_source(e);
    // Zero and the largest numbers mean that there is none.
    let limit = |bytes: u64| Some(bytes).filter(|b| (1..1 << 62).contains(b));
    match told.type_url.rsplit('/').next() {
        Some(V1) => {
            let Metrics1 { pids, cpu, memory } = Message::decode(told.value.as_slice()).map_err(malformed)?;
            let memory = memory.unwrap_or_default();
            let entry = memory.usage.unwrap_or_default();
            Ok(Usage {
                cpu: cpu.and_then(|c| c.usage).unwrap_or_default().total,
                memory: entry.usage,
                inactive_file: memory.total_inactive_file,
                rss: memory.total_rss,
                limit: limit(entry.limit),
                processes: pids.unwrap_or_default().current,
            })
        }
        Some(V2) => {
            let Metrics2 { pids, cpu, memory } = Message::decode(told.value.as_slice()).map_err(malformed)?;
            let memory = memory.unwrap_or_default();
            Ok(Usage {
                cpu: cpu.unwrap_or_default().usage_usec.saturating_mul(1000),
                memory: memory.usage,
                inactive_file: memory.inactive_file,
                rss: memory.anon,
                limit: limit(memory.usage_limit),
                processes: pids.unwrap_or_default().current,
            })
        }
        _ => bail!(Unimplemented, "the shim counts in {:?}", told.type_url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_say_the_same() {
        let usage1 = Some(MemoryEntry1 { limit: u64::MAX >> 1, usage: 100 });
        let one = Metrics1 {
            pids: Some(Pids { current: 3 }),
            cpu: Some(Cpu1 { usage: Some(CpuUsage1 { total: 7000 }) }),
            memory: Some(Memory1 { total_rss: 60, total_inactive_file: 10, usage: usage1 }),
        };
        let two = Metrics2 {
            pids: Some(Pids { current: 3 }),
            cpu: Some(Cpu2 { usage_usec: 7 }),
            memory: Some(Memory2 { anon: 60, inactive_file: 10, usage: 100, usage_limit: 0 }),
        };
        let expected = Usage { cpu: 7000, memory: 100, inactive_file: 10, rss: 60, limit: None, processes: 3 };
        let any = |name: &str, value| Any { type_url: name.to_owned(), value };
        assert_eq!(usage(&any(V1, one.encode_to_vec())).unwrap(), expected);
        assert_eq!(usage(&any(&format!("types.example/{V2}"), two.encode_to_vec())).unwrap(), expected);
        assert!(usage(&any("other", Vec::new())).unwrap_err().is(Kind::Unimplemented));
        assert!(usage(&any(V1, vec![0xff; 3])).is_err());
    }
}
