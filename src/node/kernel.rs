//! The kernel and the processor: release, command line, virtualization, what PID 1 is, which distribution.

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};

use super::{below, read, read_if_there};
use crate::error::Result;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelFacts {
    pub release: String,
    pub command_line: String,
    pub hostname: String,
    pub cpus: usize,
    pub architecture: String,
    /// `vmx` or `svm`: the processor (or the hypervisor below) offers hardware virtualization.
    pub virtualization: Option<String>,
    /// The processor says that it is itself a virtual one.
    pub guest: bool,
    /// /dev/kvm is there.
    pub kvm: bool,
    /// `nested` of the loaded KVM module: "Y", "1", "N", "0"; none without the module.
    pub nested: Option<String>,
    /// Command name of PID 1.
    pub init: String,
    /// `ID` and `VERSION_ID` of os-release(5): "debian 12".
    pub distribution: String,
    /// Seconds since 1970; 0 if not told.
    pub boot: u64,
}

/// # Errors
/// If /proc cannot be read.
pub fn collect(root: &Path) -> Result<KernelFacts> {
    let text = |path: &str| read_if_there(&below(root, path)).map(|t| t.unwrap_or_default().trim().to_owned());
    let cpu = read(&below(root, "/proc/cpuinfo"))?;
    let flags: BTreeSet<&str> = cpu
        .lines()
        .find(|l| l.starts_with("flags") || l.starts_with("Features"))
        .and_then(|l| l.split_once(':'))
        .map(|(_, f)| f.split_whitespace().collect())
        .unwrap_or_default();
    let stat = text("/proc/stat")?;
    let nested = ["kvm_intel", "kvm_amd", "kvm"].iter().find_map(|module| {
        read_if_there(&below(root, format!("/sys/module/{module}/parameters/nested"))).ok().flatten()
    });
    Ok(KernelFacts {
        release: text("/proc/sys/kernel/osrelease")?,
        command_line: text("/proc/cmdline")?,
        hostname: text("/proc/sys/kernel/hostname")?,
        cpus: cpu.lines().filter(|l| l.starts_with("processor")).count(),
        architecture: std::env::consts::ARCH.to_owned(),
        virtualization: ["vmx", "svm"].into_iter().find(|f| flags.contains(f)).map(str::to_owned),
        guest: flags.contains("hypervisor"),
        kvm: below(root, "/dev/kvm").exists(),
        nested: nested.map(|n| n.trim().to_owned()),
        init: text("/proc/1/comm")?,
        distribution: distribution(&text("/etc/os-release")?),
        boot: stat.lines().find_map(|l| l.strip_prefix("btime ")).and_then(|t| t.trim().parse().ok()).unwrap_or(0),
    })
}

fn distribution(release: &str) -> String {
    let field = |name: &str| {
        let line = release.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix('='));
        line.map(|v| v.trim_matches('"')).unwrap_or_default()
    };
    format!("{} {}", field("ID"), field("VERSION_ID")).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_machine() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vmx hypervisor\n\nprocessor\t: 1\nflags\t\t: fpu vmx\n");
        put("/proc/stat", "cpu 1 2\nbtime 1700000000\n");
        put("/proc/1/comm", "systemd\n");
        put("/etc/os-release", "NAME=x\nVERSION_ID=\"12\"\nID=debian\n");
        put("/sys/module/kvm_intel/parameters/nested", "N\n");
        let facts = collect(root.path()).unwrap();
        assert_eq!((facts.cpus, facts.virtualization.as_deref(), facts.guest), (2, Some("vmx"), true));
        assert_eq!((facts.kvm, facts.nested.as_deref(), facts.boot), (false, Some("N"), 1_700_000_000));
        assert_eq!((facts.init.as_str(), facts.distribution.as_str()), ("systemd", "debian 12"));
    }

    #[test]
    fn this_machine() {
        let facts = collect(Path::new("/")).unwrap();
        assert!(facts.cpus > 0 && facts.boot > 0 && !facts.release.is_empty(), "{facts:?}");
    }
}
