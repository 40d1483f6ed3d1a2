//! systemd's units, by `systemctl show`: no shell, a deadline, and a word of its own where systemd is not PID 1.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::{below, command, read};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

const LIMIT: Duration = Duration::from_secs(4);
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Result,NRestarts,KillMode,Delegate,MainPID,TasksCurrent,TasksMax,\
                          LimitNOFILESoft,FragmentPath,DropInPaths,EnvironmentFiles,ActiveEnterTimestamp,ExecMainStatus,StatusText,NeedDaemonReload";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFacts {
    /// Properties by unit, as systemd names them.
    pub units: BTreeMap<String, BTreeMap<String, String>>,
}

impl UnitFacts {
    pub fn get(&self, unit: &str, property: &str) -> Option<&str> {
        self.units.get(unit)?.get(property).map(String::as_str).filter(|v| !v.is_empty())
    }
}

/// The service a process is in, from its cgroup.
pub fn of(root: &Path, pid: u32) -> Option<String> {
    let text = read(&below(root, format!("/proc/{pid}/cgroup"))).ok()?;
    let leaf = |line: &str| line.rsplit('/').find(|part| part.ends_with(".service")).map(str::to_owned);
    text.lines().find_map(leaf)
}

/// Whether a name can be handed to systemctl: it goes into an argument, never through a shell.
pub fn is_name(unit: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":_.@\\-".contains(c);
    unit.ends_with(".service") && unit.len() < 256 && unit.chars().all(plain) && !unit.starts_with('-')
}

/// Whether systemd runs the machine.
///
/// # Errors
/// `FailedPrecondition` naming what does instead.
pub fn need_systemd(root: &Path) -> Result<()> {
    let init = read(&below(root, "/proc/1/comm"))?;
    if init.trim() != "systemd" {
        bail!(FailedPrecondition, "PID 1 is {}, not systemd, so no unit can be asked about", init.trim());
    }
    Ok(())
}

/// # Errors
/// `FailedPrecondition` without systemd; `DeadlineExceeded` if it does not answer, which is a finding by itself.
pub async fn collect(root: &Path, units: &[String]) -> Result<UnitFacts> {
    need_systemd(root)?;
    let Some(systemctl) = command::find("systemctl") else {
        bail!(NotFound, "systemd runs this machine, but there is no systemctl");
    };
    let mut facts = UnitFacts::default();
    for unit in units {
        if !is_name(unit) {
            bail!(InvalidArgument, "{unit:?} is no name of a service");
        }
        let text = command::output(&systemctl, &["show", "-p", PROPERTIES, "--", unit], LIMIT).await?;
        let text = String::from_utf8_lossy(&text);
        let pairs = text.lines().filter_map(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
        facts.units.insert(unit.clone(), pairs.collect());
    }
    Ok(facts)
}

/// Restarts a service; systemd waits for it to be up if it says so. Files of the unit that were changed are read first, or the
/// service would come back as it was.
///
/// # Errors
/// What systemctl complains of.
pub async fn restart(unit: &str) -> Result<()> {
    need_systemd(Path::new("/"))?;
    if !is_name(unit) {
        bail!(InvalidArgument, "{unit:?} is no name of a service");
    }
    let systemctl = command::find("systemctl").ok_or_else(|| Error::new(Kind::NotFound, "there is no systemctl"))?;
    let stale = command::output(&systemctl, &["show", "-p", "NeedDaemonReload", "--value", "--", unit], LIMIT).await?;
    if stale.trim_ascii() == b"yes" {
        command::output(&systemctl, &["daemon-reload"], Duration::from_secs(60)).await?;
    }
    command::output(&systemctl, &["restart", "--", unit], Duration::from_secs(60)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_09_a_unit_is_a_name_and_nothing_else() {
        for bad in ["x;reboot.service", "--now.service", "$(id).service", "a b.service", "x", "../x.service/"] {
            assert!(!is_name(bad), "{bad}");
        }
        for good in ["containerd.service", "snap.microk8s.daemon-containerd.service", "a@b.service"] {
            assert!(is_name(good), "{good}");
        }
    }

    #[tokio::test]
    async fn without_systemd_it_says_so() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("proc/1")).unwrap();
        std::fs::write(root.path().join("proc/1/comm"), "tini\n").unwrap();
        let error = collect(root.path(), &["containerd.service".to_owned()]).await.unwrap_err();
        assert!(error.to_string().contains("PID 1 is tini, not systemd"), "{error:#}");
    }
}
