//! Reads the machine's figures for the header and the Node pane.

use std::{path::Path, time::SystemTime};

use sysinfo::System;

use super::event::Host;
use crate::{
    error::Result,
    node::{
        Seen,
        meter::{self, Flow},
        pressure,
    },
};

#[derive(Debug)]
pub struct Reader {
    system: System,
    network: Option<(Flow, SystemTime)>,
    disk: Option<(Flow, SystemTime)>,
}

impl Reader {
    pub fn new() -> Self {
        Self { system: System::new(), network: None, disk: None }
    }

    /// Blocks for a few reads of /proc. CPU, network and disk are of the time since the last call.
    pub fn read(&mut self) -> Host {
        self.system.refresh_memory();
        self.system.refresh_cpu_usage();
        let (load, root) = (System::load_average(), Path::new("/"));
        let waits = pressure::collect(root).ok();
        let waits = waits.map(|w| [w.cpu, w.memory, w.io]);
        let of = |mean: fn(&pressure::Stall) -> f32| [0, 1, 2].map(|at: usize| waits.as_ref().map(|w| mean(&w[at])));
        Host {
            name: System::host_name().unwrap_or_default(),
            os: System::long_os_version().unwrap_or_default(),
            kernel: System::kernel_version().unwrap_or_default(),
            uptime: System::uptime(),
            cpus: self.system.cpus().len(),
            cpu_percent: self.system.global_cpu_usage(),
            load: [load.one, load.five, load.fifteen],
            memory_total: self.system.total_memory(),
            memory_used: self.system.used_memory(),
            utc_offset: utc_offset(),
            pressure: of(|w| w.some[0]),
            full: of(|w| w.full[0]),
            network: rate(&mut self.network, meter::of_machine_network(root)),
            disk: rate(&mut self.disk, meter::of_machine_disks(root)),
        }
    }
}

/// In a second, since the last reading; of the first one nothing can be said.
fn rate(last: &mut Option<(Flow, SystemTime)>, read: Result<(Flow, String)>) -> Seen<Flow> {
    let now = SystemTime::now();
    match read {
        Ok((flow, source)) => {
            let before = last.replace((flow, now));
            before.and_then(|b| per_second(b, (flow, now))).map_or(Seen::NotAsked, |f| Seen::now(Ok(f), source))
        }
        Err(error) => Seen::now(Err(error), ""),
    }
}

/// None if no time went by, or a counter began anew.
pub fn per_second((before, then): (Flow, SystemTime), (flow, now): (Flow, SystemTime)) -> Option<Flow> {
    let nanos = now.duration_since(then).ok()?.as_nanos();
    let one = |before: u64, now: u64| {
        let bytes = u128::from(now.checked_sub(before)?) * 1_000_000_000;
        u64::try_from(bytes.checked_div(nanos)?).ok()
    };
    Some(Flow { inward: one(before.inward, flow.inward)?, outward: one(before.outward, flow.outward)? })
}

/// Of the machine's time zone, now.
fn utc_offset() -> i32 {
    let now = jiff::Timestamp::now().as_second();
    let mut local = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values of ours that outlive the call, which fills `local` or returns null.
    let filled = unsafe { libc::localtime_r(&raw const now, local.as_mut_ptr()) };
    if filled.is_null() {
        return 0;
    }
    // SAFETY: the call has succeeded, and all zeroes was a value already.
    i32::try_from(unsafe { local.assume_init() }.tm_gmtoff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reads_this_machine_and_makes_rates_of_two_readings() {
        let mut reader = Reader::new();
        let first = reader.read();
        assert!(first.memory_total > 0 && first.cpus > 0, "{first:?}");
        assert!(first.network.value().is_none() && first.disk.value().is_none(), "nothing can be said yet: {first:?}");
        let at = SystemTime::UNIX_EPOCH;
        let flow = |inward, outward| Flow { inward, outward };
        let later = at + Duration::from_millis(500);
        assert_eq!(per_second((flow(10, 10), at), (flow(20, 10), later)), Some(flow(20, 0)));
        assert_eq!(per_second((flow(10, 10), at), (flow(20, 9), later)), None, "a counter began anew");
        assert_eq!(per_second((flow(10, 10), at), (flow(20, 20), at)), None, "no time went by");
    }
}
