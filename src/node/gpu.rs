//! NVIDIA's devices and the containers that have them: a reload of systemd applies the device rules of a scope anew, and what a
//! hook gave the container beside them is lost.

use std::{
    collections::BTreeMap,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{below, cgroup, command, process, read, unit};
use crate::error::Result;

const LIMIT: Duration = Duration::from_secs(4);
/// Scopes that systemd is asked about.
const SCOPES: usize = 32;
/// The kernel counts a process's start in this (USER_HZ).
const TICKS: u64 = 100;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuFacts {
    /// Nodes below /dev by name, `195:0`.
    pub devices: BTreeMap<String, String>,
    /// Those of them that have no link in /dev/char, by which alone systemd finds them.
    pub unlinked: Vec<String>,
    /// When systemd read its units last; none without systemd, or if it does not tell.
    pub reloaded: Option<SystemTime>,
    pub containers: Vec<GpuContainer>,
}

/// A container with such nodes below its own /dev, in a scope of systemd's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuContainer {
    pub id: String,
    pub scope: String,
    pub started: Option<SystemTime>,
    /// `DeviceAllow` of the scope, as far as systemd tells it.
    pub allow: Option<Vec<String>>,
}

impl GpuContainer {
    /// Whether systemd's own rules let it have a device.
    pub fn may_have(&self, device: &str) -> Option<bool> {
        let (major, _) = device.split_once(':')?;
        let names = [
            format!("/dev/char/{device}"),
            format!("char-{major}"),
            "char-nvidia".to_owned(),
            format!("/dev/char/{major}:*"),
        ];
        Some(self.allow.as_ref()?.iter().any(|rule| {
            let rule = rule.split_whitespace().next().unwrap_or_default();
            rule.starts_with("/dev/nvidia") || rule.starts_with("char-nvidia") || names.iter().any(|n| n == rule)
        }))
    }
}

/// # Errors
/// If /proc or /dev cannot be read.
pub async fn collect(root: &Path) -> Result<GpuFacts> {
    let at = root.to_owned();
    let mut facts = super::within(LIMIT, "look for GPUs", move || find(&at)).await?;
    if facts.devices.is_empty() && facts.containers.is_empty() {
        return Ok(facts);
    }
    let (Ok(()), Some(systemctl)) = (unit::need_systemd(root), command::find("systemctl")) else { return Ok(facts) };
    let show = async |arguments: &[&str]| {
        let text = command::output(&systemctl, arguments, LIMIT).await.ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    };
    let loaded = show(&["show", "--timestamp=unix", "-p", "UnitsLoadTimestamp", "--value"]).await;
    let seconds = loaded.and_then(|t| t.trim().strip_prefix('@')?.parse().ok());
    facts.reloaded = seconds.and_then(|s| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(s)));
    for container in facts.containers.iter_mut().take(SCOPES) {
        let text = show(&["show", "-p", "DeviceAllow", "--", &container.scope]).await;
        let rules = |t: String| t.lines().filter_map(|l| l.strip_prefix("DeviceAllow=").map(str::to_owned)).collect();
        container.allow = text.map(rules);
    }
    Ok(facts)
}

fn find(root: &Path) -> Result<GpuFacts> {
    let mut facts = GpuFacts { devices: nodes(&below(root, "/dev")), ..GpuFacts::default() };
    let linked = |number: &&String| below(root, format!("/dev/char/{number}")).symlink_metadata().is_ok();
    facts.unlinked = facts.devices.iter().filter(|(_, number)| !linked(number)).map(|(name, _)| name.clone()).collect();
    let boot = read(&below(root, "/proc/stat"))?
        .lines()
        .find_map(|l| l.strip_prefix("btime ")?.trim().parse().ok())
        .unwrap_or(0);
    for live in cgroup::collect(root)?.live {
        if live.driver != Some(cgroup::Driver::Systemd)
            || nodes(&below(root, format!("/proc/{}/root/dev", live.pid))).is_empty()
        {
            continue;
        }
        let scope = live.path.split('/').find(|p| p.ends_with(".scope")).unwrap_or_default().to_owned();
        let started = process::stat(root, live.pid)
            .and_then(|s| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(boot + s.started / TICKS)));
        facts.containers.push(GpuContainer { id: live.container, scope, started, allow: None });
    }
    Ok(facts)
}

/// `nvidia0`, `nvidiactl`, `nvidia-uvm`, with their numbers.
fn nodes(directory: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let named = entries.filter_map(|e| Some((e.file_name().into_string().ok()?, e.metadata().ok()?)));
    let devices = named.filter(|(name, meta)| name.starts_with("nvidia") && meta.file_type().is_char_device());
    let numbered = devices.map(|(name, meta)| {
        let device = meta.rdev();
        (name, format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device)))
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_systemds_lets_a_device_through() {
        let with = |rule: &str| {
            let allow = Some(vec!["char-pts rwm".to_owned(), rule.to_owned()]);
            GpuContainer { id: String::new(), scope: String::new(), started: None, allow }.may_have("195:0")
        };
        for rule in
            ["/dev/char/195:0 rwm", "char-195 rwm", "char-nvidia-frontend rw", "/dev/nvidia0 rw", "/dev/char/195:* m"]
        {
            assert_eq!(with(rule), Some(true), "{rule}");
        }
        assert_eq!(with("/dev/char/195:1 rwm"), Some(false));
        let untold = GpuContainer { id: String::new(), scope: String::new(), started: None, allow: None };
        assert_eq!(untold.may_have("195:0"), None);
    }

    #[test]
    fn devices_and_who_has_them_are_found() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root makes device nodes");
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let id = "a".repeat(64);
        for directory in ["dev/char", "proc/7/root/dev", "proc/sys/kernel", "proc/1"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let node = |path: &str, minor: u32| {
            let (mode, number) = (rustix::fs::Mode::from_raw_mode(0o600), rustix::fs::makedev(195, minor));
            rustix::fs::mknodat(
                rustix::fs::CWD,
                root.path().join(path),
                rustix::fs::FileType::CharacterDevice,
                mode,
                number,
            )
            .unwrap();
        };
        node("dev/nvidia0", 0);
        node("dev/nvidiactl", 255);
        node("proc/7/root/dev/nvidia0", 0);
        std::os::unix::fs::symlink("../nvidiactl", root.path().join("dev/char/195:255")).unwrap();
        std::fs::write(root.path().join("proc/7/cgroup"), format!("0::/kubepods.slice/cri-containerd-{id}.scope\n"))
            .unwrap();
        std::fs::write(root.path().join("proc/7/stat"), "7 (app) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 3 0 900 1 2")
            .unwrap();
        std::fs::write(root.path().join("proc/1/mountinfo"), "").unwrap();
        std::fs::write(root.path().join("proc/stat"), "cpu 1\nbtime 1700000000\n").unwrap();
        let facts = find(root.path()).unwrap();
        let started = facts.containers[0].started.and_then(|s| s.duration_since(SystemTime::UNIX_EPOCH).ok());
        assert_eq!(started.map(|s| s.as_secs()), Some(1_700_000_009));
        assert_eq!((facts.unlinked, facts.devices["nvidia0"].as_str()), (vec!["nvidia0".to_owned()], "195:0"));
        assert_eq!((facts.containers.len(), facts.containers[0].id.as_str()), (1, id.as_str()));
        assert_eq!(facts.containers[0].scope, format!("cri-containerd-{id}.scope"));
    }
}
