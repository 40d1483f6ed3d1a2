//! The runtime does not answer, or answers slowly: is it there, stopped, blocked, out of something, or stuck on one container?

use std::time::Duration;

use super::{
    blocked, bytes,
    down::{down, unheard},
};
use crate::{
    client::{
        action::Action,
        change::{Change, Edit, Restart, Signal},
        health::Call,
        types::short_id,
    },
    node::{disk::Filesystem, process::Process, target::Target},
    runbook::{Check, Cite, Evidence, Fact, Finding, Fix, Missing, Risk},
};

/// A question about state should be answered within this.
const SLOW: Duration = Duration::from_secs(1);
/// Restarts in the life of a unit that mean a crash loop.
const RESTARTS: u64 = 3;
/// Percent, and bytes, from which a runtime's database and the files of a pod do not fit any more.
const FULL: u64 = 98;
const LEAST: u64 = 8 << 20;
/// `full avg60` of I/O from which the disk stalls everybody.
const STALLED: f32 = 20.0;

pub static PROCESS: Check = Check {
    id: "runtime-process",
    title: "Is the runtime there, and does it run?",
    // The last three are the reasons of one that is down.
    needs: &[Fact::Target, Fact::Processes, Fact::Units, Fact::Conf, Fact::Journal],
    command: |seen| {
        format!(
            "systemctl status {0}; ps -o pid,stat,wchan,cmd -C {1}",
            seen.unit(),
            seen.unit().trim_end_matches(".service")
        )
    },
    judge: process,
};

pub static UNIT: Check = Check {
    id: "runtime-unit",
    title: "What does systemd say of its unit?",
    needs: &[Fact::Units, Fact::Target, Fact::Conf, Fact::Journal, Fact::Processes],
    command: |seen| format!("systemctl show -p ActiveState,SubState,NRestarts,KillMode,Result {}", seen.unit()),
    judge: unit,
};

pub static CALLS: Check = Check {
    id: "runtime-calls",
    title: "How long does each call take?",
    needs: &[Fact::Calls],
    command: |seen| format!("time {} --timeout 3s ps", seen.crictl()),
    judge: calls,
};

pub static DISK: Check = Check {
    id: "runtime-disk",
    title: "Is the disk of its root or state directory full?",
    needs: &[Fact::Disk, Fact::Inventory],
    command: |seen| {
        let target = seen.target.value().cloned().unwrap_or_default();
        format!("df -h {0} {1}; df -i {0} {1}", target.root, target.state)
    },
    judge: disk,
};

pub static LOAD: Check = Check {
    id: "runtime-load",
    title: "Is it, or the node, overloaded or out of something?",
    needs: &[Fact::Processes, Fact::Pressure, Fact::Calls],
    command: |seen| {
        let pid = seen.target.value().and_then(|t| t.pid).map_or("$(pidof containerd)".to_owned(), |p| p.to_string());
        format!(
            "top -b -n 1 -p {pid}; ls /proc/{pid}/fd | wc -l; grep 'open files' /proc/{pid}/limits; grep . /proc/pressure/*"
        )
    },
    judge: load,
};

pub static SYSCALLS: Check = Check {
    id: "runtime-syscalls",
    title: "What are its threads doing?",
    needs: &[Fact::Processes],
    command: |seen| {
        let pid = seen.target.value().and_then(|t| t.pid).map_or("$(pidof containerd)".to_owned(), |p| p.to_string());
        format!("timeout 5 strace -c -f -p {pid}")
    },
    judge: syscalls,
};

pub static STACKS: Check = Check {
    id: "runtime-stacks",
    title: "Which goroutines wait, and for what?",
    needs: &[Fact::Stacks, Fact::Calls, Fact::Processes],
    command: |seen| {
        let name = if seen.is_crio() { "crio" } else { "containerd" };
        let pid = seen.target.value().and_then(|t| t.pid).map_or(format!("$(pidof {name})"), |p| p.to_string());
        let file = if seen.is_crio() {
            "crio-goroutine-stacks-*.log".to_owned()
        } else {
            format!("containerd.{pid}.stacks.log")
        };
        format!("kill -USR1 {pid}; less /tmp/{file}")
    },
    judge: stacks,
};

pub static JOURNAL: Check = Check {
    id: "runtime-journal",
    title: "What did it complain of?",
    needs: &[Fact::Journal, Fact::Calls],
    command: |seen| format!("journalctl -u {} -p warning -n 50 --no-pager", seen.unit()),
    judge: journal,
};

pub static KERNEL: Check = Check {
    id: "runtime-kernel",
    title: "What did the kernel say?",
    needs: &[Fact::Kmsg],
    command: |_| {
        "dmesg -T | grep -E 'containerd|cgroup|oom|blocked for more than|I/O error|EXT4-fs error|XFS' | tail -20"
            .to_owned()
    },
    judge: kernel,
};

pub static RESTART: Check = Check {
    id: "runtime-restart",
    title: "Would a restart help, and what survives it?",
    needs: &[Fact::Calls, Fact::Target, Fact::Processes, Fact::Disk, Fact::Units, Fact::Conf, Fact::Journal],
    command: |seen| format!("systemctl restart {}", seen.unit()),
    judge: restart,
};

fn process(seen: &Evidence) -> Result<Finding, Missing> {
    let target = seen.target()?;
    let processes = seen.processes()?;
    let unreachable = target.unreachable.clone().unwrap_or_default();
    let Some(process) = &processes.runtime else {
        let why = if unreachable.is_empty() { "no process of it was found".to_owned() } else { unreachable };
        let broken = seen.conf.error().is_some_and(|e| e.contains("is not TOML"));
        let known =
            broken || seen.conf.value().is_some_and(|c| !c.files.is_empty()) || seen.params.contains_key("runtime");
        if !known
            && why.contains("No such file")
            && seen.units.value().is_none_or(|u| u.get(&seen.unit(), "FragmentPath").is_none())
        {
            return Ok(Finding::not_applicable(format!("no container runtime is installed here: {why}")));
        }
        if let Some(finding) = rival(seen, target) {
            return Ok(finding.cite(why, target.socket.clone()));
        }
        let summary = format!("{} does not run: nobody listens on {}", target.name, target.socket);
        return Ok(down(seen, summary).cite(why, target.socket.clone()));
    };
    let cite = Cite {
        text: format!(
            "pid {}, state {}, {} threads, {} open files",
            process.pid, process.state, process.threads, process.files
        ),
        source: format!("/proc/{}/stat", process.pid),
    };
    let stopped = matches!(process.state, 'T' | 't' | 'Z');
    if let Some(finding) = rival(seen, target).filter(|_| !stopped && !unreachable.is_empty()) {
        return Ok(finding.cites([cite]));
    }
    if let Some(finding) = unheard(seen, process, &unreachable).filter(|_| !stopped) {
        return Ok(finding.cites([cite]));
    }
    Ok(match process.state {
        'T' | 't' => Finding::cause(
            "runtime-stopped",
            format!(
                "{} (pid {}) is stopped by a signal: it takes connections and answers nothing",
                process.name, process.pid
            ),
        )
        .fix(signal(process, "CONT", "let it go on"))
        .advise("somebody sent SIGSTOP, or a debugger holds it: look who before it happens again"),
        'Z' => Finding::cause(
            "runtime-not-running",
            format!("{} (pid {}) has ended and is a zombie", process.name, process.pid),
        )
        .fix(restart_fix(seen)),
        _ if unreachable.contains("No such file") => {
            let what = format!(
                "{} runs as pid {}, and its socket was removed: nobody can reach it",
                process.name, process.pid
            );
            Finding::cause("runtime-socket-gone", what)
                .cite(unreachable, target.socket.clone())
                .fix(restart_fix(seen))
                .advise("a restart makes it anew; look who empties that directory")
        }
        _ if !unreachable.is_empty() => Finding::fail(format!(
            "{} runs as pid {}, but its socket cannot be used: {unreachable}",
            process.name, process.pid
        )),
        _ if process.replaced => Finding::warn(format!(
            "{} (pid {}) runs a program that was replaced on disk: an upgrade without a restart",
            process.name, process.pid
        )),
        _ => Finding::pass(format!("{} runs as pid {}", process.name, process.pid)),
    }
    .cites([cite]))
}

/// Another daemon has this one's root, and listens elsewhere.
fn rival(seen: &Evidence, target: &Target) -> Option<Finding> {
    let rival = target.rival.as_ref()?;
    let what = format!(
        "two daemons want {}: {} (pid {}) has its database, so the one of {} waits for it and serves nobody",
        target.root, rival.name, rival.pid, target.socket
    );
    Some(
        Finding::cause("runtime-root-taken", what)
            .cite(format!("{} is locked by pid {} ({})", rival.file, rival.pid, rival.command), "/proc/locks")
            .advise(format!("end the one that does not belong there (systemctl status {}, and the other's unit), or give it a root and a state of its own; containers of both stay in that root", rival.pid))
            .advise(format!("systemctl restart {} after that", seen.unit())),
    )
}

fn signal(process: &Process, signal: &str, title: &str) -> Fix {
    let title = format!("{title}: SIG{signal} to {} (pid {})", process.name, process.pid);
    let change =
        Signal { pid: process.pid, started: process.started, name: process.name.clone(), signal: signal.to_owned() };
    Fix {
        title: title.clone(),
        risk: Risk::Safe,
        action: Action::Mend { title, changes: vec![Change::Signal(change)] },
    }
}

fn unit(seen: &Evidence) -> Result<Finding, Missing> {
    let units = seen.units()?;
    let name = seen.unit();
    let get = |property: &str| units.get(&name, property).unwrap_or_default().to_owned();
    if get("LoadState") != "loaded" {
        return Ok(Finding::not_applicable(format!(
            "systemd knows no unit {name}: the runtime was started by something else"
        )));
    }
    let restarts: u64 = get("NRestarts").parse().unwrap_or(0);
    let source = format!("systemctl show {name}");
    let state =
        format!("{} ({}), {restarts} restarts, KillMode {}", get("ActiveState"), get("SubState"), get("KillMode"));
    let cites = [Cite { text: state.clone(), source }];
    Ok(match get("ActiveState").as_str() {
        "active" if restarts >= RESTARTS => {
            Finding::warn(format!("{name} was restarted {restarts} times by systemd: it crashes"))
        }
        "active" if ends_all(&get("KillMode")) => Finding::warn(format!(
            "KillMode of {name} is {}: a restart of the runtime ends every container",
            get("KillMode")
        ))
        .advise(format!("systemctl edit {name}: [Service] KillMode=process, Delegate=yes")),
        "active" => Finding::pass(state),
        "activating" => down(seen, format!("{name} does not come up: {state}, last result {}", get("Result"))),
        _ => down(seen, format!("{name} is {state}, result {}", get("Result"))),
    }
    .cites(cites))
}

/// Whether a unit's end is that of everything it started (systemd.kill(5)): `mixed` kills the rest as well, only by another signal.
fn ends_all(kill_mode: &str) -> bool {
    !matches!(kill_mode, "process" | "none" | "")
}

fn cite_call(call: &Call) -> Cite {
    let object = call.object.as_ref().map(|o| format!(" {}", short_id(o))).unwrap_or_default();
    let text = match &call.error {
        None => format!("{}{object}: {} ms", call.name, call.took.as_millis()),
        Some((_, error)) => format!("{}{object}: {error}", call.name),
    };
    Cite { text, source: format!("CRI {}", call.name) }
}

fn calls(seen: &Evidence) -> Result<Finding, Missing> {
    let calls = seen.calls()?;
    let hangs: Vec<&Call> = calls.iter().filter(|c| c.hangs()).collect();
    let (general, objects): (Vec<&Call>, Vec<&Call>) = hangs.iter().partition(|c| c.object.is_none());
    let failed: Vec<&Call> = calls.iter().filter(|c| c.error.is_some() && !c.hangs() && c.object.is_none()).collect();
    let slowest = calls.iter().max_by_key(|c| c.took);
    if general.is_empty() && !objects.is_empty() {
        let ids: Vec<&str> = objects.iter().filter_map(|c| c.object.as_deref()).map(short_id).collect();
        let summary =
            format!("all answers come, except those about {}: the runtime is well, these are stuck", ids.join(", "));
        return Ok(Finding::cause("container-stuck", summary)
            .cites(objects.iter().take(8).map(|c| cite_call(c)))
            .advise("look for the blocked process or mount of these; a restart of the runtime does not help them"));
    }
    if !general.is_empty() {
        let names: Vec<&str> = general.iter().map(|c| c.name.as_str()).collect();
        let summary = if general.len() == calls.iter().filter(|c| c.object.is_none()).count() {
            "no call is answered: the runtime hangs".to_owned()
        } else {
            format!("{} of {} kinds of calls hang: {}", general.len(), calls.len(), names.join(", "))
        };
        return Ok(Finding::fail(summary).cites(general.iter().map(|c| cite_call(c))));
    }
    if let Some(first) = failed.first() {
        return Ok(Finding::fail(format!("{} fails", first.name)).cites(failed.iter().map(|c| cite_call(c))));
    }
    let Some(slowest) = slowest else {
        return Err(Missing { fact: Fact::Calls, because: "nothing was asked".to_owned() });
    };
    let cites = calls.iter().filter(|c| c.object.is_none()).map(cite_call);
    Ok(if slowest.took >= SLOW {
        Finding::warn(format!(
            "{} took {} ms; it should be well below a second",
            slowest.name,
            slowest.took.as_millis()
        ))
    } else {
        Finding::pass(format!("{} calls, the slowest {} ms", calls.len(), slowest.took.as_millis()))
    }
    .cites(cites))
}

pub(super) fn disk(seen: &Evidence) -> Result<Finding, Missing> {
    let ours = |f: &&Filesystem| f.uses.iter().any(|u| u == "runtime root" || u == "runtime state");
    let all: Vec<&Filesystem> = seen.disk()?.filesystems.iter().filter(ours).collect();
    if all.is_empty() {
        return Err(Missing { fact: Fact::Disk, because: "its directories are not there".to_owned() });
    }
    let cite = |f: &Filesystem| Cite {
        text: format!(
            "{} ({}): {} free of {}, {} inodes free",
            f.mount,
            f.uses.join(", "),
            bytes(f.available),
            bytes(f.total),
            f.inodes_free
        ),
        source: format!("statvfs {}", f.path),
    };
    let out = |f: &&&Filesystem| {
        f.used_percent() >= FULL || f.available < LEAST || (f.inodes > 0 && f.inodes_percent() >= 99)
    };
    let full = all.iter().find(out);
    Ok(match full {
        Some(f) => Finding::cause(
            "runtime-disk-full",
            format!("{} is full: the runtime cannot write its database or a pod's files", f.mount),
        )
        .fix(super::disk::prune(seen)),
        None => Finding::pass("no"),
    }
    .cites(all.iter().map(|f| cite(f))))
}

fn load(seen: &Evidence) -> Result<Finding, Missing> {
    let processes = seen.processes()?;
    let Some(process) = &processes.runtime else {
        return Ok(Finding::not_applicable("the runtime does not run"));
    };
    let pressure = seen.pressure()?;
    let mut cites: Vec<Cite> = processes
        .busiest
        .iter()
        .take(3)
        .map(|b| Cite {
            text: format!("{} {:.0}% of a processor", b.name, b.cpu),
            source: format!("/proc/{}/stat", b.pid),
        })
        .collect();
    cites.push(Cite {
        text: format!(
            "io full avg60 {:.1}, memory full avg60 {:.1}, cpu some avg60 {:.1}",
            pressure.io.full[1], pressure.memory.full[1], pressure.cpu.some[1]
        ),
        source: "/proc/pressure".to_owned(),
    });
    let limit = process.files_limit.unwrap_or(u64::MAX);
    cites.push(Cite {
        text: format!("{} of {limit} open files, {} threads", process.files, process.threads),
        source: format!("/proc/{}", process.pid),
    });
    let slow = seen.calls()?.iter().any(|c| c.hangs() || c.took >= SLOW / 2);
    let limited = process.throttle.as_ref().filter(|t| t.throttled * 4 >= t.periods.max(1));
    if let Some(t) = limited {
        cites.push(Cite {
            text: format!(
                "limit {}% of a processor, met in {} of {} periods",
                t.percent.max(1),
                t.throttled,
                t.periods
            ),
            source: t.path.clone(),
        });
    }
    Ok(if let (Some(t), true) = (limited, slow) {
        let what = format!(
            "{} may use at most {}% of one processor and wants more: its answers wait for it",
            process.name,
            t.percent.max(1)
        );
        Finding::cause("runtime-throttled", what).advise(format!(
            "systemctl show -p CPUQuotaPerSecUSec {0}; take CPUQuota out of its unit or slice: systemctl edit {0}",
            seen.unit()
        ))
    } else if process.files.saturating_mul(100) >= limit.saturating_mul(95) {
        Finding::cause(
            "files-exhausted",
            format!("{} has {} of {limit} open files: it cannot open another", process.name, process.files),
        )
        .advise(format!("systemctl edit {}: [Service] LimitNOFILE=1048576", seen.unit()))
    } else if pressure.io.full[1] >= STALLED {
        Finding::warn(format!("the disk stalls everybody {:.0}% of the time", pressure.io.full[1]))
            .advise("find who writes: iostat, or io.stat of the cgroups; pull fewer images at one time")
    } else if pressure.memory.full[1] >= STALLED {
        Finding::warn(format!("memory is so short that everybody waits {:.0}% of the time", pressure.memory.full[1]))
    } else if process.threads >= 5000 {
        Finding::warn(format!("{} has {} threads: calls are stuck in the kernel", process.name, process.threads))
    } else {
        Finding::pass("no")
    }
    .cites(cites))
}

fn syscalls(seen: &Evidence) -> Result<Finding, Missing> {
    let processes = seen.processes()?;
    let Some(process) = &processes.runtime else {
        return Ok(Finding::not_applicable("the runtime does not run"));
    };
    let mut calls: Vec<_> = process.calls.iter().collect();
    calls.sort_by_key(|c| std::cmp::Reverse(c.1));
    let text: Vec<String> = calls.iter().take(6).map(|(name, n)| format!("{name} {n}")).collect();
    let source = format!("/proc/{}/task/*/syscall", process.pid);
    let waiting = |name: &str| process.calls.get(name).copied().unwrap_or(0);
    let stuck = waiting("umount2") + waiting("fsync") + waiting("fdatasync") + waiting("syncfs") + waiting("statfs");
    Ok(if stuck >= 5 {
        Finding::warn(format!("{stuck} threads sit in umount, sync or statfs: the disk or a mount does not answer"))
    } else if text.is_empty() {
        return Err(Missing {
            fact: Fact::Processes,
            because: "the kernel does not tell the calls of its threads".to_owned(),
        });
    } else {
        Finding::pass(text.join(", "))
    }
    .cite(text.join(", "), source))
}

fn hanging(seen: &Evidence) -> Result<bool, Missing> {
    Ok(seen.calls()?.iter().any(Call::hangs))
}

fn stacks(seen: &Evidence) -> Result<Finding, Missing> {
    let stacks = seen.stacks()?;
    let hangs = hanging(seen)?;
    let process = seen.processes()?.runtime.as_ref();
    let can = process.filter(|p| p.name == "containerd" || p.name == "crio");
    let Some(path) = &stacks.path else {
        let fix = can.filter(|_| hangs).map(|p| signal(p, "USR1", "have it write its stacks"));
        return Ok(if hangs {
            Finding::warn("none were dumped since it started").fix(fix)
        } else {
            Finding::not_applicable("none were dumped, and there is no need")
        });
    };
    let cites = stacks.groups.iter().take(5).map(|g| Cite {
        text: format!("{} in {} for {} min: {}", g.count, g.state, g.minutes, g.top.join(" < ")),
        source: path.clone(),
    });
    let old: usize = stacks
        .groups
        .iter()
        .filter(|g| g.minutes >= 2 && g.state != "select" && g.state != "chan receive" && g.state != "IO wait")
        .map(|g| g.count)
        .sum();
    Ok(if old > 0 && hangs {
        Finding::warn(format!("{old} goroutines have waited for minutes"))
    } else {
        Finding::pass("none waits suspiciously long")
    }
    .cites(cites))
}

fn journal(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let unit = seen.unit();
    let bad: Vec<_> =
        journal.lines.iter().filter(|l| l.priority <= 3 && (l.from == unit || l.from.starts_with('/'))).collect();
    let cites = bad.iter().rev().take(4).map(|l| Cite { text: l.text.clone(), source: l.from.clone() });
    let summary = format!("{} errors in {} lines", bad.len(), journal.lines.len());
    Ok(if !bad.is_empty() && hanging(seen)? { Finding::warn(summary) } else { Finding::pass(summary) }.cites(cites))
}

/// Words of the kernel about what stops a runtime.
const WORDS: &[&str] = &[
    "blocked for more than",
    "Buffer I/O error",
    "I/O error",
    "EXT4-fs error",
    "Remounting filesystem read-only",
    "Shutting down filesystem",
    "Out of memory: Killed process",
];

fn kernel(seen: &Evidence) -> Result<Finding, Missing> {
    let lines = &seen.kmsg()?.lines;
    let found: Vec<_> = lines.iter().filter(|l| WORDS.iter().any(|w| l.text.contains(w))).collect();
    let cites = found.iter().rev().take(5).map(|l| Cite { text: l.text.clone(), source: "/dev/kmsg".to_owned() });
    Ok(if found.is_empty() {
        Finding::pass(format!("nothing of this kind in {} messages", lines.len()))
    } else {
        Finding::warn(format!("{} messages about blocked tasks, disk errors or killed processes", found.len()))
    }
    .cites(cites))
}

/// Of the runtime's own unit.
pub(super) fn restart_fix(seen: &Evidence) -> Option<Fix> {
    let (restart, risk) = restart_of(seen, None)?;
    let title = format!("restart {}", restart.unit);
    Some(Fix { title: title.clone(), risk, action: Action::Mend { title, changes: vec![Change::Restart(restart)] } })
}

/// A restart of the runtime's unit, and its risk: what ends with it is counted below the shims, as a runtime that hangs cannot
/// be asked. Whoever shows it needs the units, the processes and the target.
pub(super) fn restart_of(seen: &Evidence, undo: Option<Edit>) -> Option<(Restart, Risk)> {
    let (unit, target) = (seen.unit(), seen.target.value()?);
    let kind = seen.units.value().and_then(|u| u.get(&unit, "KillMode"));
    let running = || seen.processes.value().map_or(0, |p| p.shims.iter().map(|s| s.children.len()).sum());
    let kills = kind.filter(|mode| ends_all(mode)).map(|_| running());
    let endpoint = format!("unix://{}", target.socket);
    let risk = if kills.is_some() { Risk::Danger } else { Risk::Restarts };
    Some((Restart { unit, endpoint, undo, kills }, risk))
}

fn restart(seen: &Evidence) -> Result<Finding, Missing> {
    let general: Vec<&Call> = seen.calls()?.iter().filter(|c| c.object.is_none()).collect();
    let processes = seen.processes()?;
    let shims = processes.shims.len();
    if !general.iter().any(|c| c.hangs()) {
        return Ok(Finding::pass("not needed: it answers"));
    }
    // A stopped process, a full disk or a stalled one is not cured by a restart.
    for other in [process, disk, blocked::blocked] {
        if let Ok(found) = other(seen)
            && found.cause.is_some()
        {
            return Ok(Finding::not_applicable("it would not help: the cause is elsewhere"));
        }
    }
    let summary = format!(
        "the runtime hangs and nothing outside it explains why: a restart is the cure; {shims} shims keep their containers"
    );
    Ok(Finding::cause("runtime-hung", summary)
        .cites(general.iter().filter(|c| c.hangs()).take(4).map(|c| cite_call(c)))
        .advise("have it dump its stacks first (kill -USR1), or the reason is lost")
        .fix(restart_fix(seen)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::fixtures::node::{healthy, of};

    #[test]
    fn cfg_07_a_restart_that_ends_containers_says_how_many() {
        let mut seen = healthy();
        for (mode, ends) in [("process", None), ("control-group", Some(1)), ("mixed", Some(1))] {
            let units = &mut of(&mut seen.units).units;
            units.entry("containerd.service".into()).or_default().insert("KillMode".into(), mode.into());
            let (restart, risk) = restart_of(&seen, None).unwrap();
            assert_eq!((restart.kills, risk == Risk::Danger), (ends, ends.is_some()), "{mode}");
            let told = Change::Restart(restart).reason();
            assert_eq!(told.contains("1 running containers END with it"), ends.is_some(), "{told}");
        }
    }
}
