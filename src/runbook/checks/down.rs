//! Why a runtime is not up, as far as its unit, its configuration, its disk and its last words tell. A restart is offered only
//! where it can help.

use super::runtime;
use crate::{
    node::journal::Line,
    runbook::{Evidence, Finding},
};

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
