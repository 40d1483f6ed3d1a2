//! Tasks of the runtime's that the kernel does not let go on: whom they wait for, and on which file.

use crate::{
    client::health::Call,
    runbook::{Check, Cite, Evidence, Fact, Finding, Missing},
};

/// Where writers wait for a filesystem that was frozen.
const FROZEN: &[&str] = &["percpu_rwsem_wait", "percpu_down_read", "sb_start_write", "start_this_handle"];

pub static BLOCKED: Check = Check {
    id: "runtime-blocked",
    title: "Are tasks blocked in the kernel?",
    needs: &[Fact::Processes, Fact::Target, Fact::Calls],
    command: |_| "ps -eLo pid,tid,stat,wchan:32,comm | awk '$3 ~ /^D/'".to_owned(),
    judge: blocked,
};

pub fn blocked(seen: &Evidence) -> Result<Finding, Missing> {
    let processes = seen.processes()?;
    let runtime = seen.target()?.pid;
    let cites: Vec<Cite> = processes
        .blocked
        .iter()
        .take(8)
        .map(|b| {
            let doing = if b.doing.is_empty() { String::new() } else { format!(", {}", b.doing) };
            Cite { text: format!("{} waits in {}{doing}", b.name, b.wait), source: format!("/proc/{}/wchan", b.pid) }
        })
        .collect();
    let own = |b: &&crate::node::process::Blocked| {
        Some(b.pid) == runtime || ["containerd", "runc", "crun", "conmon", "crio"].iter().any(|n| b.name.starts_with(n))
    };
    let ours: Vec<_> = processes.blocked.iter().filter(own).collect();
    let still = ours.iter().find(|b| b.still);
    Ok(match still.or(ours.first()) {
        Some(first) => {
            let doing = if first.doing.is_empty() { String::new() } else { format!(" ({})", first.doing) };
            let summary = format!(
                "{} of the runtime's tasks are blocked in the kernel, {} in {}{doing}",
                ours.len(),
                first.name,
                first.wait
            );
            // Questions are answered from memory: what hangs is whatever writes, until nothing can be made or removed any more.
            let hung = still.is_some() || seen.calls.value().is_some_and(|c| c.iter().any(Call::hangs));
            let finding = if hung { Finding::cause("io-stall", summary) } else { Finding::warn(summary) };
            let finding = match processes.suspended.first() {
                Some(device) => finding
                    .advise(format!("the device {device} is suspended: who did that and did not end? dmsetup resume {device}"))
                    .cite(format!("suspended: {}", processes.suspended.join(", ")), "/sys/block/dm-*/dm/suspended"),
                None => finding,
            };
            let finding = match FROZEN.iter().any(|w| first.wait.contains(w)) {
                true => finding.advise("that is how a write waits for a frozen filesystem: findmnt -T FILE, then fsfreeze -u MOUNTPOINT; look which backup or snapshot did not end"),
                false => finding,
            };
            finding.advise("a task in this state cannot be killed: find the disk or the NFS/CSI mount it waits for")
        }
        None if !cites.is_empty() => Finding::pass(format!("{} tasks, none of the runtime's", processes.blocked.len())),
        None => Finding::pass("none"),
    }
    .cites(cites))
}
