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

/// The rules as systemd's `DeviceAllow` (systemd.resource-control(5)), for v1, where systemd writes its own at each reload.
/// `None` if nothing or not everything is denied. `devices` is the text of /proc/devices, `there` whether a node's link exists.
pub(super) fn to_systemd(
    rules: &[LinuxDeviceCgroup],
    devices: &str,
    there: impl Fn(&str) -> bool,
) -> Result<Option<Vec<(String, String)>>> {
    let all = Rules::new(rules)?;
    if rules.is_empty() || all.allow {
        return Ok(None);
    }
    let mut list = Vec::new();
    for e in all.exceptions {
        let kind = if e.block { "block" } else { "char" };
        let nodes = match (e.major, e.minor) {
            (Some(major), Some(minor)) => {
                Some(format!("/dev/{kind}/{major}:{minor}")).filter(|path| there(path)).into_iter().collect()
            }
            (Some(major), None) => groups(devices, e.block, major).into_iter().map(|g| format!("{kind}-{g}")).collect(),
            (None, _) => vec![format!("{kind}-*")],
        };
        let access = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
        let access: String = access.iter().filter(|(bit, _)| e.access & bit != 0).map(|(_, c)| *c).collect();
        list.extend(nodes.into_iter().map(|node| (node, access.clone())));
    }
    Ok(Some(list))
}

/// Names of a major number in /proc/devices.
fn groups(devices: &str, block: bool, major: u32) -> Vec<String> {
    let mut blocks = false;
    let mut found = Vec::new();
    for line in devices.lines() {
        match line.trim() {
            "Character devices:" => blocks = false,
            "Block devices:" => blocks = true,
            line => {
                let Some((number, name)) = line.split_once(' ') else { continue };
                if blocks == block && number.parse() == Ok(major) {
                    found.push(name.trim().to_owned());
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_to_systemd_in_its_words() {
        let list = |list: serde_json::Value| {
            let rules: Vec<LinuxDeviceCgroup> = serde_json::from_value(list).unwrap();
            let devices = "Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n  1 ramdisk\n";
            to_systemd(&rules, devices, |path| path != "/dev/char/5:9").unwrap()
        };
        let said = list(serde_json::json!([
            { "allow": false, "access": "rwm" },
            { "allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw" },
            { "allow": true, "type": "c", "major": 5, "minor": 9, "access": "rw" },
            { "allow": true, "type": "c", "major": 136, "access": "rwm" },
            { "allow": true, "type": "b", "access": "m" },
        ]));
        let said: Vec<String> = said.unwrap().iter().map(|(node, access)| format!("{node} {access}")).collect();
        assert_eq!(said, ["/dev/char/1:3 rw", "char-pts rwm", "block-* m"]);
        assert_eq!(list(serde_json::json!([{ "allow": false }, { "allow": true, "access": "rwm" }])), None);
        assert_eq!(list(serde_json::json!([])), None);
    }

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
