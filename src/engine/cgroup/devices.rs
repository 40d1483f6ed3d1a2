//! Device rules (OCI runtime spec, config-linux.md "Allowed Device list"): on v1 as they are given, on v2 worked out here as
//! the kernel does on v1, and enforced by a program ([`super::ebpf`]).

use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType};

use super::{Cgroup, ebpf, write};
use crate::{
    bail,
    error::{Context as _, Result},
};

/// `fresh`: the group was made just now and has no rules yet.
pub(super) fn apply(cgroup: &Cgroup, rules: &[LinuxDeviceCgroup], fresh: bool) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let Some(hierarchy) = cgroup.layout().hierarchy("devices") else {
        bail!(FailedPrecondition, "device rules: no hierarchy has the devices controller");
    };
    let directory = cgroup.directory(hierarchy);
    if hierarchy.unified {
        let program = ebpf::assemble(&Rules::new(rules)?);
        return ebpf::attach(&directory, &program, !fresh)
            .context(|| format!("set device rules of cgroup {}", directory.display()));
    }
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

/// What a list of rules comes to (kernel documentation, admin-guide/cgroup-v1/devices): a default, and exceptions from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub allow: bool,
    pub exceptions: Vec<Exception>,
}

/// Numbers that are `None` stand for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exception {
    /// Block, not character.
    pub block: bool,
    pub major: Option<u32>,
    pub minor: Option<u32>,
    /// linux/bpf.h, `BPF_DEVCG_ACC_*`.
    pub access: u32,
}

pub(super) const MKNOD: u32 = 1;
pub(super) const READ: u32 = 2;
pub(super) const WRITE: u32 = 4;

impl Rules {
    fn new(rules: &[LinuxDeviceCgroup]) -> Result<Self> {
        let mut all = Self { allow: false, exceptions: Vec::new() };
        for rule in rules {
            let block = match rule.typ() {
                Some(LinuxDeviceType::B) => true,
                Some(LinuxDeviceType::C | LinuxDeviceType::U) => false,
                _ => {
                    all = Self { allow: rule.allow(), exceptions: Vec::new() };
                    continue;
                }
            };
            let number = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok());
            let access = access(rule.access().as_deref().unwrap_or("rwm"))?;
            let new = Exception { block, major: number(rule.major()), minor: number(rule.minor()), access };
            all.add(rule.allow(), new);
        }
        Ok(all)
    }

    fn add(&mut self, allow: bool, new: Exception) {
        let same = |e: &&mut Exception| (e.block, e.major, e.minor) == (new.block, new.major, new.minor);
        match self.exceptions.iter_mut().find(same) {
            Some(old) if allow == self.allow => old.access &= !new.access,
            Some(old) => old.access |= new.access,
            None if allow == self.allow => {}
            None => self.exceptions.push(new),
        }
        self.exceptions.retain(|e| e.access != 0);
    }
}

fn access(text: &str) -> Result<u32> {
    text.chars().try_fold(0, |bits, c| match c {
        'm' => Ok(bits | MKNOD),
        'r' => Ok(bits | READ),
        'w' => Ok(bits | WRITE),
        _ => bail!(InvalidArgument, "device rule: access {text:?} is not of r, w and m"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(list: serde_json::Value) -> Result<Rules> {
        Rules::new(&serde_json::from_value::<Vec<LinuxDeviceCgroup>>(list).unwrap())
    }

    #[test]
    fn rules_add_up_as_on_v1() {
        let made = rules(serde_json::json!([
            { "allow": true, "type": "c", "major": 9, "minor": 9, "access": "rwm" },
            { "allow": false, "access": "rwm" },
            { "allow": true, "type": "c", "major": 1, "minor": 3, "access": "r" },
            { "allow": true, "type": "c", "major": 1, "minor": 3, "access": "wm" },
            { "allow": false, "type": "c", "major": 1, "minor": 3, "access": "m" },
            { "allow": true, "type": "b", "major": -1, "access": "m" },
            { "allow": false, "type": "c", "major": 7, "access": "rwm" },
        ]))
        .unwrap();
        let null = Exception { block: false, major: Some(1), minor: Some(3), access: READ | WRITE };
        let blocks = Exception { block: true, major: None, minor: None, access: MKNOD };
        assert_eq!(made, Rules { allow: false, exceptions: vec![null, blocks] });
        assert!(rules(serde_json::json!([{ "allow": true, "type": "c", "access": "x" }])).is_err());
    }
}
