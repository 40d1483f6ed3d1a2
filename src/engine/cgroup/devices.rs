//! Device rules (OCI runtime spec, config-linux.md "Allowed Device list"): v1 files.

use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType};

use super::{Cgroup, write};
use crate::{bail, error::Result};

pub(super) fn apply(cgroup: &Cgroup, rules: &[LinuxDeviceCgroup], _fresh: bool) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let Some(hierarchy) = cgroup.layout().hierarchy("devices").filter(|h| !h.unified) else {
        bail!(Unimplemented, "device rules on cgroup v2");
    };
    let directory = cgroup.directory(hierarchy);
    for rule in rules {
        let file = if rule.allow() { "devices.allow" } else { "devices.deny" };
        write(&directory, file, &text(rule))?;
    }
    Ok(())
}

fn text(rule: &LinuxDeviceCgroup) -> String {
    let kind = match rule.typ() {
        Some(LinuxDeviceType::B) => "b",
        Some(LinuxDeviceType::C | LinuxDeviceType::U) => "c",
        _ => return "a".to_owned(),
    };
    let number = |n: Option<i64>| n.filter(|n| *n >= 0).map_or("*".to_owned(), |n| n.to_string());
    let access = rule.access().clone().unwrap_or_else(|| "rwm".to_owned());
    format!("{kind} {}:{} {access}", number(rule.major()), number(rule.minor()))
}
