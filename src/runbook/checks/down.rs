//! Why a runtime is not up, as far as its unit, its configuration, its disk and its last words tell. A restart is offered only
//! where it can help.

use toml_edit::DocumentMut;

use super::{cgroup, runtime};
use crate::{
    node::{journal::Line, process::Process},
    runbook::{Check, Cite, ConfFacts, Evidence, Fact, Finding, Fix, Missing, settings},
};

pub static SERVICE: Check = Check {
    id: "runtime-service",
    title: "Does it serve CRI at all?",
    needs: &[Fact::Calls, Fact::Conf, Fact::Target, Fact::Journal, Fact::Units, Fact::Processes],
    command: |seen| format!("{} version", seen.crictl()),
    judge: service,
};

/// Plugins without any of which there is no CRI, by the names of all versions.
const CRI: &[&str] =
    &["cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"];

/// What the runtime's last words mean, the first that matches: words, cause, what to do.
const LAST_WORDS: &[(&[&str], &str, &str)] = &[
    (
        &[
            "invalid page type",
            "Page expected to be",
            "freepages:",
            "invalid freelist",
            "already freed",
            "invalid database",
        ],
        "runtime-database-corrupt",
        DATABASE,
    ),
    (&["failed to create fsnotify watcher", "inotify_init", "inotify_add_watch"], "inotify-exhausted", INOTIFY),
    (
        &["mkdir /sys/fs/cgroup"],
        "cgroups-exhausted",
        "control groups pile up, or their filesystem is not as expected: see incident-cgroups in the runbook incidents",
    ),
    (
        &["waiting for response from boltdb open"],
        "runtime-database-locked",
        "another daemon has it open: lsof on meta.db, and end that one",
    ),
    (
        &["address already in use"],
        "runtime-socket-taken",
        "another daemon listens there: ss -lxp, or ss -ltnp for a TCP address",
    ),
    (&["no space left on device"], "runtime-disk-full", "see the runbook disk-full, then restart it"),
    (
        &["read-only file system"],
        "runtime-disk-read-only",
        "see the runbook disk-full: why the filesystem was made read-only",
    ),
];
const INOTIFY: &str =
    "raise fs.inotify.max_user_instances (or max_user_watches), and restart it: see the runbook incidents";
const DATABASE: &str = "drain; stop kubelet and runtime; copy the runtime's root aside; then remove metadata, snapshots and content together \
                        (never the database alone: that orphans every snapshot); start; images are pulled again, so look first which cannot be";

/// What a unit that does not come up is told by.
pub fn down(seen: &Evidence, summary: String) -> Finding {
    let unit = seen.unit();
    let get = |property: &str| seen.units.value().and_then(|u| u.get(&unit, property)).unwrap_or_default();
    if get("LoadState") == "masked" {
        return Finding::cause("runtime-masked", format!("{summary}; {unit} is masked, so nothing can start it"))
            .advise(format!("somebody masked it: ask why, then systemctl unmask {unit} && systemctl start {unit}"));
    }
    if let Some(broken) = seen.conf.error().filter(|e| e.contains("is not TOML")) {
        return Finding::cause("runtime-config-broken", format!("{summary}; it cannot read its configuration"))
            .cite(broken.to_owned(), seen.config_path())
            .advise(format!("mend that line, then systemctl restart {unit}"));
    }
    // It is up, and not where it was looked for.
    if get("ActiveState") == "active" {
        let what = format!("{summary}, and {unit} is active: it listens elsewhere");
        return Finding::cause("runtime-endpoint-wrong", what)
            .cites(address(seen.conf.value()))
            .advise(format!("ss -lxp | grep {}; name its socket to the kubelet (containerRuntimeEndpoint), crictl (/etc/crictl.yaml) and wharf (-r)", unit.trim_end_matches(".service")));
    }
    if !matches!(get("ActiveState"), "activating" | "failed") || get("Result") == "success" {
        return Finding::cause("runtime-not-running", summary).fix(runtime::restart_fix(seen));
    }
    if get("ExecMainStatus") == "203" {
        return Finding::cause("runtime-program-missing", format!("{summary}; the unit's program cannot be executed"))
            .advise(format!("systemctl cat {unit}: is its ExecStart there, executable, and for this architecture?"));
    }
    if get("Result") == "oom-kill" {
        return Finding::cause("runtime-killed-for-memory", format!("{summary}; the kernel killed it for memory"))
            .advise("reserve memory for the system (systemReserved of the kubelet), and look who took it: dmesg")
            .fix(runtime::restart_fix(seen));
    }
    let last_word = |l: &Line| l.priority <= 3 || l.text.contains("level=fatal");
    let said: Vec<&Line> = seen.journal.value().map(|j| j.attempt(&unit, last_word).collect()).unwrap_or_default();
    if let Some((line, cause, advice)) = told(&said) {
        return Finding::cause(cause, format!("{summary}; it ended with a word why"))
            .cite(line.text.clone(), line.from.clone())
            .advise(advice);
    }
    if let Ok(full) = runtime::disk(seen)
        && full.cause.is_some()
    {
        return full;
    }
    let (state, result) = (get("SubState"), get("Result"));
    let crash = Finding::cause("runtime-crashes", format!("{summary}; {unit} is {state}, last result {result}"))
        .advise(format!("read its last words, mend that, then systemctl restart {unit}"));
    match said.iter().rev().find(|l| last_word(l)) {
        Some(line) => crash.cite(line.text.clone(), line.from.clone()),
        None => crash,
    }
}

/// Why one that runs hears nobody, as far as its group and what stands at its address tell.
pub fn unheard(seen: &Evidence, process: &Process, unreachable: &str) -> Option<Finding> {
    let (name, pid, unit) = (&process.name, process.pid, seen.unit());
    let socket = seen.target.value().map(|t| t.socket.clone()).unwrap_or_default();
    if process.frozen {
        let what = format!("the control group of {name} (pid {pid}) is frozen: none of its threads runs");
        return Some(Finding::cause("runtime-frozen", what).advise(format!("systemctl thaw {unit}, or echo 0 into cgroup.freeze (v1: THAWED into freezer.state) of its group; look who froze it: a backup or a checkpoint that did not end")));
    }
    if unreachable.contains("and no socket") {
        let what = format!("{name} runs as pid {pid}, and where its socket was stands something else: {unreachable}");
        return Some(Finding::cause("runtime-socket-wrong", what).advise(format!("look who made it (a hostPath of a pod, or docker run -v, makes a directory where nothing was); remove it and restart {unit}")));
    }
    unreachable.contains("onnection refused").then(|| {
        let what = format!("{name} runs as pid {pid}, and nobody listens on its socket: another process has put a new one there, and ended");
        Finding::cause("runtime-socket-gone", what)
            .cite(unreachable, socket)
            .fix(runtime::restart_fix(seen))
            .advise("a restart makes it anew; look for a second daemon with the same address")
    })
}

/// Where the file lets it listen.
fn address(conf: Option<&ConfFacts>) -> Option<Cite> {
    conf?.files.iter().rev().find_map(|file| {
        let document: DocumentMut = file.text.parse().ok()?;
        let tables: [&[&str]; 2] = [&["grpc", "address"], &["plugins", "io.containerd.server.v1.grpc", "address"]];
        tables.into_iter().find_map(|path| {
            let value = path.iter().try_fold(document.as_item(), |item, key| item.get(key))?.as_str()?.to_owned();
            Some(Cite { text: format!("address = {value}"), source: settings::place(file, path)? })
        })
    })
}

fn service(seen: &Evidence) -> Result<Finding, Missing> {
    let calls = seen.calls()?;
    let off = calls.iter().find_map(|c| c.error.as_ref().filter(|(_, text)| text.contains("unknown service")));
    let Some((_, text)) = off else { return Ok(Finding::pass("it serves CRI v1")) };
    let answered = |finding: Finding| finding.cite(text.clone(), "CRI Version");
    if let Some((cite, fix)) = switched_off(seen, seen.conf()?) {
        return Ok(answered(Finding::cause(
            "cri-plugin-off",
            format!("its CRI plugin is switched off: {}", cite.text),
        ))
        .cites([cite])
        .fix(fix)
        .advise(format!(
            "take it out of disabled_plugins in {} and restart {}",
            seen.config_path(),
            seen.unit()
        )));
    }
    if let Some(finding) = without_service(seen) {
        return Ok(answered(finding));
    }
    let failed = seen
        .journal
        .value()
        .and_then(|j| j.last(&["failed to load plugin", "cri"]).or(j.last(&["skip loading plugin", "cri"])));
    Ok(match failed {
        Some(line) => answered(Finding::cause("cri-plugin-off", format!("its CRI plugin did not load: {}", line.text)))
            .cite(line.text.clone(), line.from.clone()),
        None => answered(Finding::cause("cri-plugin-off", "its CRI plugin is not loaded"))
            .advise(format!("its log since the start says why: journalctl -u {}", seen.unit())),
    })
}

/// The entry of `disabled_plugins` that is to blame, and the file without it.
fn switched_off(seen: &Evidence, conf: &ConfFacts) -> Option<(Cite, Option<Fix>)> {
    conf.files.iter().find_map(|file| {
        let mut document: DocumentMut = file.text.parse().ok()?;
        let place = settings::place(file, &["disabled_plugins"])?;
        let list = document.get_mut("disabled_plugins")?.as_array_mut()?;
        let before: Vec<String> = list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        let off = before.iter().find(|name| CRI.contains(&name.as_str()))?.clone();
        list.retain(|v| v.as_str().is_none_or(|name| !CRI.contains(&name)));
        // Where one was taken out before the first, the next begins the line as it did.
        if let Some(first) = list.iter_mut().next().filter(|v| v.decor().prefix().and_then(|p| p.as_str()) == Some(" "))
        {
            first.decor_mut().set_prefix("");
        }
        let edit = cgroup::checked(seen, file.path.clone(), Some(file.text.clone()), document.to_string());
        let fix = cgroup::edit_and_restart(seen, format!("load {off} and restart {}", seen.unit()), edit);
        Some((Cite { text: format!("disabled_plugins has {off}"), source: place }, fix))
    })
}

/// What the runtime's words of its start mean, if it is up, but without its CRI service.
pub fn without_service(seen: &Evidence) -> Option<Finding> {
    let unit = seen.unit();
    // From the start on, however much it has said since.
    let said: Vec<&Line> = seen.journal.value()?.attempt(&unit, |_| false).collect();
    let (line, cause, advice) = told(&said)?;
    let finding = Finding::cause(cause, "it runs, but what its CRI service needs did not load");
    Some(finding.cite(line.text.clone(), line.from.clone()).advise(advice))
}

fn told<'a>(said: &[&'a Line]) -> Option<(&'a Line, &'static str, &'static str)> {
    said.iter().rev().find_map(|line| {
        let meant = LAST_WORDS.iter().find(|(words, ..)| words.iter().any(|w| line.text.contains(w)))?;
        Some((*line, meant.1, meant.2))
    })
}
