//! Reads the machine's figures for the header and the Node pane.

use sysinfo::System;

use super::event::Host;

#[derive(Debug)]
pub struct Reader(System);

impl Reader {
    pub fn new() -> Self {
        Self(System::new())
    }

    /// Blocks for a few reads of /proc. The CPU figure is of the time since the last call.
    pub fn read(&mut self) -> Host {
        self.0.refresh_memory();
        self.0.refresh_cpu_usage();
        let load = System::load_average();
        Host {
            name: System::host_name().unwrap_or_default(),
            os: System::long_os_version().unwrap_or_default(),
            kernel: System::kernel_version().unwrap_or_default(),
            uptime: System::uptime(),
            cpus: self.0.cpus().len(),
            cpu_percent: self.0.global_cpu_usage(),
            load: [load.one, load.five, load.fifteen],
            memory_total: self.0.total_memory(),
            memory_used: self.0.used_memory(),
            utc_offset: utc_offset(),
            pressure: ["cpu", "memory", "io"].map(pressure),
        }
    }
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

/// `some avg10` of a PSI file; the kernel may have none.
fn pressure(what: &str) -> Option<f32> {
    average(&std::fs::read_to_string(format!("/proc/pressure/{what}")).ok()?)
}

fn average(text: &str) -> Option<f32> {
    let some = text.lines().find(|l| l.starts_with("some "))?;
    some.split_whitespace().find_map(|w| w.strip_prefix("avg10="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_psi_and_this_machine() {
        assert_eq!(average("some avg10=1.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=9.00"), Some(1.5));
        assert_eq!(average("full avg10=9.00"), None);
        let host = Reader::new().read();
        assert!(host.memory_total > 0 && host.cpus > 0, "{host:?}");
    }
}
