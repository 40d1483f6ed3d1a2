//! Do the kubelet, every runtime handler, systemd and the live pods agree on who makes control groups?

use super::runtime;
use crate::{
    client::{
        action::Action,
        change::{Change, Edit},
    },
    node::cgroup::{Driver, LiveGroup, Version},
    runbook::{
        Check, Cite, Evidence, Fact, Finding, Fix, Missing,
        settings::{self, Area, Handler},
    },
};

/// Since this version the kubelet asks the runtime (KubeletCgroupDriverFromCRI, KEP-4033).
const ASKS_SINCE: (u64, u64) = (1, 34);
/// Since this version the kubelet does not start on v1 unless told to (KEP-5573).
const REFUSES_V1_SINCE: (u64, u64) = (1, 35);

pub static KUBELET: Check = Check {
    id: "kubelet-driver",
    title: "Which driver does the kubelet use?",
    needs: &[Fact::Kubelet, Fact::Status],
    command: |seen| {
        let path = seen.kubelet.value().and_then(|k| k.config.clone()).unwrap_or("/var/lib/kubelet/config.yaml".into());
        format!("grep -n cgroupDriver {path}")
    },
    judge: kubelet,
};

pub static HANDLERS: Check = Check {
    id: "handler-drivers",
    title: "Which driver does each runtime handler use?",
    needs: &[Fact::Target, Fact::Status, Fact::Conf],
    command: |seen| {
        format!("{} info | grep -i cgroup; grep -n {} {}", seen.crictl(), seen.driver_key(), seen.config_path())
    },
    judge: handlers,
};

pub static AGREEMENT: Check = Check {
    id: "driver-agreement",
    title: "Do kubelet and handlers agree?",
    needs: &[Fact::Kubelet, Fact::Target, Fact::Status, Fact::Conf, Fact::Units, Fact::Inventory, Fact::Processes],
    command: |seen| format!("{} info | grep -A2 -i systemdCgroup", seen.crictl()),
    judge: agreement,
};

pub static PATHS: Check = Check {
    id: "live-paths",
    title: "What do the groups of running containers prove?",
    needs: &[Fact::Cgroup, Fact::Inventory, Fact::Kubelet, Fact::Status],
    command: |seen| {
        format!("cat /proc/$({} inspect -o go-template --template '{{{{.info.pid}}}}' CONTAINER)/cgroup", seen.crictl())
    },
    judge: paths,
};

pub static VERSION: Check = Check {
    id: "cgroup-version",
    title: "Which cgroup version is mounted, and does it suit?",
    needs: &[Fact::Cgroup, Fact::Kernel, Fact::Kubelet, Fact::Target, Fact::Status, Fact::Conf],
    command: |_| "stat -fc %T /sys/fs/cgroup".to_owned(),
    judge: version,
};

pub static ERRORS: Check = Check {
    id: "driver-errors",
    title: "Do the logs show the errors of a mismatch?",
    needs: &[Fact::Journal],
    command: |seen| {
        format!(
            "journalctl -u kubelet -u {} --since -2h | grep -E 'cgroupsPath|cgroup path .* is not valid'",
            seen.unit()
        )
    },
    judge: errors,
};

/// The kubelet's driver and where it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub driver: Driver,
    pub source: String,
    /// It takes what the runtime says.
    pub follows: bool,
}

pub fn kubelet_version(seen: &Evidence) -> Option<(u64, u64)> {
    let version = seen.kubelet.value()?.version.as_deref()?.trim_start_matches('v');
    let mut parts = version.split('.').map(|p| p.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// None if this node has no kubelet.
pub fn wanted(seen: &Evidence) -> Result<Option<Wanted>, Missing> {
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(None);
    }
    let told = seen.status()?.driver;
    if let (Some(driver), Some(version)) = (told, kubelet_version(seen))
        && version >= ASKS_SINCE
    {
        let source = format!("CRI RuntimeConfig, which a kubelet of {}.{} follows", version.0, version.1);
        return Ok(Some(Wanted { driver, source, follows: true }));
    }
    Ok(Some(match kubelet.setting("cgroupDriver", "cgroup-driver") {
        Some(said) if said.value == "systemd" => {
            Wanted { driver: Driver::Systemd, source: said.source.clone(), follows: false }
        }
        Some(said) => Wanted { driver: Driver::Cgroupfs, source: said.source.clone(), follows: false },
        None => {
            let file = kubelet.config.clone().unwrap_or_default();
            Wanted {
                driver: Driver::Cgroupfs,
                source: format!("the kubelet's default; {file} does not set it"),
                follows: false,
            }
        }
    }))
}

fn kubelet(seen: &Evidence) -> Result<Finding, Missing> {
    let Some(wanted) = wanted(seen)? else {
        return Ok(Finding::not_applicable("this node has no kubelet: neither a process nor a config file"));
    };
    if let Some(said) = nonsense(seen, &wanted) {
        let what = format!(
            "the kubelet is told the driver {}, which there is not: systemd or cgroupfs, in these letters",
            said.value
        );
        return Ok(Finding::cause("kubelet-driver-invalid", what)
            .cite(format!("cgroupDriver {}", said.value), said.source.clone())
            .advise("write cgroupDriver: systemd there, and restart the kubelet"));
    }
    Ok(Finding::pass(format!("kubelet: {}", wanted.driver)).cite(format!("kubelet: {}", wanted.driver), wanted.source))
}

/// What the kubelet is told and does not know.
fn nonsense<'a>(seen: &'a Evidence, wanted: &Wanted) -> Option<&'a crate::node::kubelet::Setting> {
    let said = seen.kubelet.value()?.setting("cgroupDriver", "cgroup-driver")?;
    let known = said.value == "systemd" || said.value == "cgroupfs" || said.value == "" || said.value.is_null();
    (!known && !wanted.follows).then_some(said)
}

/// Handlers with a driver of their own; of a runtime that is no containerd, the one it tells.
fn drivers(seen: &Evidence) -> Result<Vec<Handler>, Missing> {
    let status = seen.status();
    let mut found = settings::handlers(seen);
    if found.is_empty() {
        let status = status?;
        if let Some(driver) = status.driver {
            let source = "CRI RuntimeConfig".to_owned();
            let name = format!("all of {}", status.info.name);
            found.push(Handler {
                name,
                kind: String::new(),
                path: String::new(),
                driver: Some(driver),
                binary: String::new(),
                config: String::new(),
                source,
            });
        } else if status.info.name == "cri-o" {
            // Before it told its driver: its files, and else its own default.
            let said = settings::whole(seen.conf()?, &["crio", "runtime", "cgroup_manager"]);
            let driver =
                if said.as_ref().is_some_and(|s| s.value == "cgroupfs") { Driver::Cgroupfs } else { Driver::Systemd };
            let source = said.map_or_else(|| "CRI-O's default; no file sets it".to_owned(), |s| s.source);
            let name = format!("all of {}", status.info.name);
            let (kind, path, binary, config) = (String::new(), String::new(), String::new(), String::new());
            found.push(Handler { name, kind, path, driver: Some(driver), binary, config, source });
        } else if status.info.name == "containerd" {
            // Neither tells a handler: the default one, with its default.
            seen.conf()?;
            let (name, source) = ("runc".to_owned(), "containerd's default; no file sets it".to_owned());
            let kind = "io.containerd.runc.v2".to_owned();
            found.push(Handler {
                name,
                kind,
                path: String::new(),
                driver: Some(Driver::Cgroupfs),
                binary: String::new(),
                config: String::new(),
                source,
            });
        }
    }
    found.retain(|h| h.driver.is_some());
    Ok(found)
}

fn handlers(seen: &Evidence) -> Result<Finding, Missing> {
    let found = drivers(seen)?;
    if found.is_empty() {
        let because = "the runtime tells no handler, neither in its status nor in its files".to_owned();
        return Err(Missing { fact: Fact::Status, because });
    }
    let said = |h: &Handler| h.driver.map(|d| format!("{}: {d}", h.name)).unwrap_or_default();
    let text: Vec<String> = found.iter().map(said).collect();
    let cites = found.iter().map(|h| Cite { text: format!("handler {}", said(h)), source: h.source.clone() });
    Ok(Finding::pass(text.join(", ")).cites(cites))
}

fn agreement(seen: &Evidence) -> Result<Finding, Missing> {
    let Some(wanted) = wanted(seen)? else {
        return Ok(Finding::not_applicable("without a kubelet there is nobody to disagree with"));
    };
    if nonsense(seen, &wanted).is_some() {
        return Ok(Finding::not_applicable("what the kubelet is told is no driver at all"));
    }
    let found = drivers(seen)?;
    if found.is_empty() {
        return Err(Missing { fact: Fact::Status, because: "the runtime tells no handler".to_owned() });
    }
    let wrong: Vec<&Handler> = found.iter().filter(|h| h.driver != Some(wanted.driver)).collect();
    let mut cites = vec![Cite { text: format!("kubelet: {}", wanted.driver), source: wanted.source.clone() }];
    cites.extend(
        found.iter().filter_map(|h| {
            Some(Cite { text: format!("handler {}: {}", h.name, h.driver?), source: h.source.clone() })
        }),
    );
    if wrong.is_empty() {
        return Ok(Finding::pass(format!("all agree on {}", wanted.driver)).cites(cites));
    }
    let names: Vec<&str> = wrong.iter().map(|h| h.name.as_str()).collect();
    let other = wrong.first().and_then(|h| h.driver).unwrap_or(Driver::Cgroupfs);
    let what = if names.len() == 1 { "handler" } else { "handlers" };
    let summary = format!("the kubelet uses {}, but {what} {} uses {other}", wanted.driver, names.join(", "));
    let finding = Finding::cause("cgroup-driver-mismatch", summary).cites(cites);
    Ok(match fix(seen, &wrong, wanted.driver) {
        Ok(fix) => finding.fix(fix),
        Err(why) => finding.advise(why),
    })
}

/// One edit of the file where the key stands, then a restart.
fn fix(seen: &Evidence, wrong: &[&Handler], driver: Driver) -> Result<Fix, String> {
    let target = seen.target.value().ok_or("the runtime's process is not known")?;
    let status = seen.status.value().ok_or("the runtime's version is not known")?;
    let conf = seen.conf.value().ok_or("the runtime's files are not known")?;
    if status.info.name == "wharf" {
        let on = driver == Driver::Systemd;
        let names: Vec<&str> = wrong.iter().map(|h| h.name.as_str()).collect();
        let whose = names.join(", ");
        return Err(format!(
            "set SystemdCgroup = {on} in the options of {whose} in wharf's configuration (wharf serve --config), drain the node and restart it"
        ));
    }
    if status.info.name == "cri-o" {
        let conmon = if driver == Driver::Cgroupfs { " and conmon_cgroup = \"pod\"" } else { "" };
        return Err(format!(
            "[crio.runtime] cgroup_manager = \"{driver}\"{conmon} in a file of /etc/crio/crio.conf.d, then drain the node and restart {}",
            seen.unit()
        ));
    }
    if status.info.name != "containerd" {
        return Err(format!("set the cgroup manager of {} to {driver} and restart it", status.info.name));
    }
    if let Some(file) = settings::generated(target) {
        return Err(format!("{} is written anew at every start: set SystemdCgroup in {file}", target.config));
    }
    let mut conf = conf.clone();
    let mut first: Option<(String, Option<String>)> = None;
    let mut last = String::new();
    for handler in wrong {
        let path = ["containerd", "runtimes", handler.name.as_str(), "options", "SystemdCgroup"];
        let on = driver == Driver::Systemd;
        let (name, old, new) =
            settings::set(&conf, &target.config, &status.info.version, Area::Runtime, &path, on.into())?;
        match &first {
            Some((file, _)) if *file != name => return Err(format!("the key is set in {file} and {name}: edit both")),
            Some(_) => {}
            None => first = Some((name.clone(), old)),
        }
        match conf.files.iter_mut().find(|f| f.path == name) {
            Some(file) => file.text.clone_from(&new),
            None => conf.files.push(crate::runbook::ConfFile { path: name, text: new.clone() }),
        }
        last = new;
    }
    let (path, old) = first.ok_or("no handler is wrong")?;
    if old.as_ref() == Some(&last) {
        let (restart, risk) = runtime::restart_of(seen, None).ok_or("the runtime's socket is not known")?;
        let title = format!("restart {}: {path} says so already, and is not in effect", restart.unit);
        let action = Action::Mend { title: title.clone(), changes: vec![Change::Restart(restart)] };
        return Ok(Fix { title, risk, action });
    }
    let edit = checked(seen, path, old, last);
    let title = format!("set SystemdCgroup = {} and restart {}", driver == Driver::Systemd, seen.unit());
    edit_and_restart(seen, title, edit).ok_or_else(|| "the runtime's socket is not known".to_owned())
}

/// An edit of containerd's file, checked by the containerd that reads it.
pub fn checked(seen: &Evidence, path: String, old: Option<String>, new: String) -> Edit {
    let program = seen.target.value().map(|t| t.program.clone()).filter(|p| p.ends_with("containerd"));
    let words = |p: String| vec![p, "--config".to_owned(), "{}".to_owned(), "config".to_owned(), "dump".to_owned()];
    Edit { path, old, new, check: program.map(words).unwrap_or_default() }
}

/// None if the runtime's socket is not known: nobody could say that it came back. And none for a file that is written anew at
/// every start: the edit would not outlive the restart.
pub fn edit_and_restart(seen: &Evidence, title: String, edit: Edit) -> Option<Fix> {
    let target = seen.target.value()?;
    if edit.path == target.config && settings::generated(target).is_some() {
        return None;
    }
    let undo = edit.old.clone().map(|old| Edit {
        path: edit.path.clone(),
        old: Some(edit.new.clone()),
        new: old,
        check: Vec::new(),
    });
    let (restart, risk) = runtime::restart_of(seen, undo)?;
    let changes = vec![Change::Edit(edit), Change::Restart(restart)];
    Some(Fix { title: title.clone(), risk, action: Action::Mend { title, changes } })
}

/// Groups of containers that this runtime knows.
fn ours(seen: &Evidence) -> Result<Vec<&LiveGroup>, Missing> {
    let inventory = seen.inventory()?;
    let missing = |error: Option<&str>| Missing {
        fact: Fact::Inventory,
        because: error.unwrap_or("they were not listed").to_owned(),
    };
    let pods = inventory.pods.value().ok_or_else(|| missing(inventory.pods.error()))?;
    let containers = inventory.containers.value().ok_or_else(|| missing(inventory.containers.error()))?;
    let known = |id: &str| pods.iter().any(|p| p.id == id) || containers.iter().any(|c| c.id == id);
    Ok(seen.cgroup()?.live.iter().filter(|l| known(&l.container)).collect())
}

fn paths(seen: &Evidence) -> Result<Finding, Missing> {
    let live = ours(seen)?;
    if live.is_empty() {
        return Ok(Finding::not_applicable("no container runs that could prove anything"));
    }
    let wanted = wanted(seen)?;
    let cite = |l: &LiveGroup| Cite { text: l.path.clone(), source: format!("/proc/{}/cgroup", l.pid) };
    if let Some(odd) = live.iter().find(|l| l.driver.is_none()) {
        let summary = "a container is in a group literally named slice:prefix:name: a kubelet with the systemd driver asked \
                       a handler with cgroupfs for it";
        return Ok(Finding::fail(summary).cites([cite(odd)]));
    }
    let mut seen_drivers: Vec<Driver> = live.iter().filter_map(|l| l.driver).collect();
    seen_drivers.sort_unstable();
    seen_drivers.dedup();
    let text: Vec<String> = seen_drivers.iter().map(Driver::to_string).collect();
    let sample = live.iter().take(3).map(|l| cite(l));
    let summary = format!("{} groups of containers and sandboxes, made by {}", live.len(), text.join(" and "));
    Ok(match (&wanted, seen_drivers.as_slice()) {
        (_, [_, _, ..]) => {
            Finding::warn(format!("{summary}: the driver was changed while pods ran; drain the node to renew them"))
                .cites(sample)
        }
        (Some(wanted), [only]) if *only != wanted.driver => {
            Finding::warn(format!("{summary}, but the kubelet uses {}: they were made before a change", wanted.driver))
                .cites(sample)
        }
        _ => Finding::pass(summary).cites(sample),
    })
}

fn version(seen: &Evidence) -> Result<Finding, Missing> {
    let cgroup = seen.cgroup()?;
    let kernel = seen.kernel()?;
    let wanted = wanted(seen)?;
    let cites =
        cgroup.mounts.iter().take(3).map(|m| Cite { text: m.clone(), source: "/proc/self/mountinfo".to_owned() });
    let lacking: Vec<&str> =
        NEEDED.iter().copied().filter(|c| !cgroup.controllers.iter().any(|has| has == c)).collect();
    let systemd = wanted.as_ref().is_some_and(|w| w.driver == Driver::Systemd)
        && drivers(seen).is_ok_and(|d| !d.is_empty() && d.iter().all(|h| h.driver == Some(Driver::Systemd)));
    let finding = match cgroup.version {
        Version::V1 | Version::V2 | Version::Hybrid if !cgroup.controllers.is_empty() && !lacking.is_empty() => Finding::cause(
            "controller-missing",
            format!("the kernel offers no controller {}: kubelet and runtime cannot limit a container", lacking.join(", ")),
        )
        .cite(format!("controllers: {}", cgroup.controllers.join(" ")), "cgroup.controllers, /proc/cgroups")
        .cite(kernel.command_line.clone(), "/proc/cmdline")
        .advise("cgroup_enable=memory cgroup_memory=1 in the kernel's command line (a Raspberry Pi: /boot/firmware/cmdline.txt), and no cgroup_disable=; then boot anew"),
        _ if systemd && !kernel.init.is_empty() && kernel.init != "systemd" => Finding::cause(
            "systemd-absent",
            format!("kubelet and handlers use systemd, and this machine is run by {}: nobody makes their scopes", kernel.init),
        )
        .cite(kernel.init.clone(), "/proc/1/comm")
        .advise("cgroupDriver: cgroupfs in the kubelet's file and SystemdCgroup = false in the handlers' options"),
        Version::None => Finding::cause("no-cgroups", "no cgroup filesystem is mounted: no container can be limited"),
        Version::V2 if kernel.init == "systemd" && wanted.as_ref().is_some_and(|w| w.driver == Driver::Cgroupfs) => {
            Finding::warn(
                "cgroup v2 under systemd, but the kubelet uses cgroupfs: two writers for one tree; use systemd on both sides",
            )
        }
        Version::V2 => Finding::pass("cgroup v2"),
        Version::V1 | Version::Hybrid => {
            let what = if cgroup.version == Version::V1 {
                "cgroup v1"
            } else {
                "hybrid: v1 controllers, and a v2 tree without them"
            };
            let fails = seen.kubelet()?.setting("failCgroupV1", "fail-cgroupv1").map(|s| s.value.to_string());
            let off = fails.as_deref().is_some_and(|v| v.trim_matches('"') == "false");
            match kubelet_version(seen) {
                Some(version) if version >= REFUSES_V1_SINCE && !off => Finding::cause(
                    "kubelet-refuses-v1",
                    format!("{what}, and a kubelet of {}.{} does not start on it", version.0, version.1),
                )
                .advise("boot with systemd.unified_cgroup_hierarchy=1 (drain the node first)")
                .advise("as a stopgap: failCgroupV1: false in the kubelet's config file"),
                _ => Finding::warn(format!("{what}: kubelets from 1.35 on do not start on it; plan the move to v2")),
            }
        }
    };
    let line = &kernel.command_line;
    let finding = finding.cites(cites);
    Ok(if line.contains("unified_cgroup_hierarchy=0") { finding.cite(line.clone(), "/proc/cmdline") } else { finding })
}

/// Without these no container is limited, and the kubelet does not start.
const NEEDED: &[&str] = &["cpu", "memory", "pids"];

/// Words of runc, systemd and kubelet when the drivers differ.
const STRINGS: &[&str] = &[
    "expected cgroupsPath to be of format",
    "cgroupv2: cgroup path",
    "is not a valid cgroup path",
    "cgroup driver",
    "misconfiguration: kubelet cgroup driver",
];

fn errors(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let bad = |l: &&crate::node::journal::Line| {
        l.priority <= 4 && STRINGS.iter().any(|s| l.text.contains(s)) || l.text.contains(STRINGS[0])
    };
    let found: Vec<_> = journal.lines.iter().filter(bad).collect();
    let Some(last) = found.last() else {
        return Ok(Finding::pass(format!("none in {} lines", journal.lines.len())));
    };
    let summary = format!("{} lines speak of a driver mismatch, the last one most recently", found.len());
    Ok(Finding::warn(summary).cite(last.text.clone(), last.from.clone()))
}
