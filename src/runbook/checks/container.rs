//! What a container lacks although the node has it: open files, its GPU.

use super::incidents::listed;
use crate::{
    client::types::short_id,
    node::process::OpenFiles,
    runbook::{Check, Cite, Evidence, Fact, Finding, Missing},
};

/// Percent of its open files from which a process is refused the next.
const SPENT: u64 = 95;
/// A soft limit that no program should go through one by one.
const ENDLESS: u64 = 1 << 30;
/// Percent of a processor that a program takes which does.
const BUSY: f32 = 50.0;

pub static FILES: Check = Check {
    id: "incident-files",
    title: "Is a container out of open files?",
    needs: &[Fact::Processes, Fact::Inventory, Fact::Status, Fact::Target],
    command: |_| {
        "for p in /proc/[0-9]*; do echo \"$(ls $p/fd | wc -l) $(awk '/open files/ {print $4, $5}' $p/limits) $p\"; done | sort -rn | head".to_owned()
    },
    judge: files,
};

pub static GPU: Check = Check {
    id: "incident-gpu",
    title: "Did a reload of systemd take containers their GPU?",
    needs: &[Fact::Gpu, Fact::Inventory],
    command: |_| {
        "ls -l /dev/char | grep nvidia; systemctl show -p UnitsLoadTimestamp; systemctl show -p DeviceAllow SCOPE"
            .to_owned()
    },
    judge: gpu,
};

/// As a person knows it.
fn named(seen: &Evidence, id: &str) -> Result<String, Missing> {
    let containers = listed(&seen.inventory()?.containers, "containers")?;
    let found = containers.iter().find(|c| c.id == id);
    Ok(found.map_or_else(|| short_id(id).to_owned(), |c| format!("{} ({})", c.name, short_id(id))))
}

fn files(seen: &Evidence) -> Result<Finding, Missing> {
    let processes = seen.processes()?;
    let cite = |f: &OpenFiles| Cite {
        text: format!("{} of {} open files, at most {}", f.used, f.soft, f.hard),
        source: format!("/proc/{}/limits and fd ({})", f.pid, f.name),
    };
    let spent = |f: &&OpenFiles| u128::from(f.used) * 100 >= u128::from(f.soft) * u128::from(SPENT);
    if let Some(worst) = processes.files.iter().filter(spent).max_by_key(|f| f.used) {
        let (container, status) = (named(seen, &worst.container)?, seen.status()?);
        let what = format!(
            "{} of container {container} has {} of {} open files: it cannot open another",
            worst.name, worst.used, worst.soft
        );
        let finding = Finding::cause("container-files-exhausted", what).cites([cite(worst)]);
        let newer = status.info.name == "containerd" && !status.info.version.trim_start_matches('v').starts_with("1.");
        return Ok(if worst.soft <= 1024 && worst.hard > worst.soft {
            let why =
                if newer { ": from containerd 2 on its unit sets none, and containers get systemd's 1024" } else { "" };
            finding
                .advise(format!("the program may raise its own limit up to {} (ulimit -Sn){why}", worst.hard))
                .advise(format!(
                    "or for all: systemctl edit {}: [Service] LimitNOFILE=1048576, restart it, and make the pod anew",
                    seen.unit()
                ))
        } else {
            finding.advise(format!("it leaks them, or needs more: ls -l /proc/{}/fd shows what they are", worst.pid))
        });
    }
    let slow = processes
        .files
        .iter()
        .find(|f| f.soft >= ENDLESS && processes.busiest.iter().any(|b| b.pid == f.pid && b.cpu >= BUSY));
    Ok(match slow {
        Some(f) => Finding::warn(format!(
            "{} of container {} may have {} open files and is busy: programs that close all of them at their start take minutes, or much memory",
            f.name, named(seen, &f.container)?, f.soft
        ))
        .cites([cite(f)])
        .advise(format!("systemctl edit {}: [Service] LimitNOFILE=1048576, restart it, and make the pod anew", seen.unit())),
        None => Finding::pass("none"),
    })
}

fn gpu(seen: &Evidence) -> Result<Finding, Missing> {
    let facts = seen.gpu()?;
    if facts.devices.is_empty() && facts.containers.is_empty() {
        return Ok(Finding::not_applicable("this node has no NVIDIA device"));
    }
    let number =
        facts.devices.get("nvidiactl").or_else(|| facts.devices.values().next()).cloned().unwrap_or("195:255".into());
    let cites = facts
        .unlinked
        .iter()
        .take(4)
        .map(|name| Cite { text: format!("/dev/{name} has no link in /dev/char"), source: "/dev/char".to_owned() });
    let mut unsure = false;
    let mut next = 0;
    for container in &facts.containers {
        let Some(allowed) = container.may_have(&number) else {
            unsure = true;
            continue;
        };
        if allowed {
            continue;
        }
        next += 1;
        let (Some(started), Some(reloaded)) = (container.started, facts.reloaded) else {
            unsure = true;
            continue;
        };
        if started < reloaded {
            let name = named(seen, &container.id)?;
            let what = format!(
                "systemd was reloaded after {name} had started, and its scope's rules do not have the GPU: \"Failed to initialize NVML: Unknown Error\""
            );
            return Ok(Finding::cause("gpu-lost", what)
                .cite(format!("DeviceAllow of {} has no {number}", container.scope), "systemctl show")
                .cites(cites)
                .advise("make the pod anew: it has its GPU until the next reload")
                .advise(
                    "so that it stays: nvidia-ctk system create-dev-char-symlinks --create-all, or devices by CDI",
                ));
        }
    }
    if unsure {
        return Err(Missing {
            fact: Fact::Gpu,
            because: "systemd did not tell its rules, or when it read its units".to_owned(),
        });
    }
    Ok(if next > 0 {
        Finding::warn(format!("{next} containers lose their GPU with the next systemctl daemon-reload"))
            .cites(cites)
            .advise(
                "nvidia-ctk system create-dev-char-symlinks --create-all, or devices by CDI; then make the pods anew",
            )
    } else {
        Finding::pass(format!("no; {} containers have one", facts.containers.len()))
    })
}
