//! The pod network on disk and as the runtime sees it: which file wins, what its plugins lack, whose addresses are leaked.

use super::incidents::{cite, listed};
use crate::{
    node::cni::ConfFile,
    runbook::{Check, Cite, Evidence, Fact, Finding, Missing},
};

/// Seconds after which a line is history.
const RECENT: u64 = 900;

pub static NETWORK: Check = Check {
    id: "incident-network",
    title: "Is the pod network configured, with all its plugins?",
    needs: &[Fact::Cni, Fact::Status],
    command: |seen| {
        format!(
            "{} info | grep -iE 'NetworkReady|lastCNILoadStatus' -A3; ls -l /etc/cni/net.d /opt/cni/bin",
            seen.crictl()
        )
    },
    judge: network,
};

pub static ADDRESSES: Check = Check {
    id: "incident-addresses",
    title: "Are pod addresses leaked?",
    needs: &[Fact::Cni, Fact::Inventory, Fact::Journal],
    command: |_| "ls /var/lib/cni/networks/*".to_owned(),
    judge: addresses,
};

fn network(seen: &Evidence) -> Result<Finding, Missing> {
    let status = seen.status()?;
    let cni = seen.cni()?;
    let ready = status.conditions.iter().find(|c| c.name == "NetworkReady");
    let Some(ready) = ready else {
        return Ok(Finding::not_applicable("the runtime tells no condition of its network"));
    };
    let winner = cni.files.iter().find(|f| f.error.is_none());
    let said = Cite {
        text: format!("NetworkReady={} {} {}", ready.ok, ready.reason, ready.message),
        source: "CRI Status".to_owned(),
    };
    let files = cni.files.iter().take(4).map(|f| Cite {
        text: format!(
            "{} {}{}",
            f.network,
            f.plugins.join(" "),
            f.error.as_ref().map(|e| format!(": {e}")).unwrap_or_default()
        ),
        source: f.path.clone(),
    });
    // containerd stops at the first file, good or not; others pass it by.
    let containerd = status.info.name == "containerd";
    let broken = cni.files.first().filter(|f| containerd && !ready.ok && f.error.is_some());
    let own_loopback = status.config["cni"]["useInternalLoopback"] == true;
    let lacks = |file: &ConfFile| {
        let mut missing = file.missing.clone();
        if containerd && cni.no_loopback && !own_loopback {
            missing.push("loopback".to_owned());
        }
        missing
    };
    if let Some(file) = broken {
        let what = format!("{} is the first file and cannot be used: the runtime looks at no other", file.path);
        return Ok(Finding::cause("cni-config-broken", what)
            .cites([said])
            .cites(files)
            .advise("mend it, or move it aside (to another ending than .conf, .conflist or .json)"));
    }
    let finding = match (winner, ready.ok) {
        (Some(file), _) if !lacks(file).is_empty() => {
            let finding = format!(
                "{} wins and needs {}, which is not in {}",
                file.path,
                lacks(file).join(", "),
                cni.bin_dirs.join(", ")
            );
            Finding::cause("cni-plugin-missing", finding)
                .advise("install the plugin, or move the stale file aside if another network should win")
        }
        (Some(file), true) if cni.files.len() > 1 => {
            Finding::pass(format!("{} wins of {} files", file.path, cni.files.len()))
        }
        (_, true) => Finding::pass("yes"),
        (None, false) if cni.files.is_empty() => Finding::cause(
            "cni-not-configured",
            format!(
                "there is no network configuration in {}: the network's DaemonSet has not written it",
                cni.conf_dir
            ),
        )
        .advise("look at the log of the network's own pod on this node (it has the host's network, so it can run)"),
        (None, false) => Finding::cause("cni-config-broken", format!("no file in {} can be used", cni.conf_dir)),
        (Some(file), false) => Finding::cause(
            "cni-stale",
            format!(
                "{} is good, and the runtime still says {}: it missed the change",
                file.path,
                status.network.as_deref().unwrap_or(&ready.message)
            ),
        )
        .advise(format!("touch {}; if that does not help: restart the runtime (out of inotify instances?)", file.path)),
    };
    Ok(finding.cites([said]).cites(files))
}

fn addresses(seen: &Evidence) -> Result<Finding, Missing> {
    let cni = seen.cni()?;
    if cni.leases.is_empty() {
        return Ok(Finding::not_applicable("no address was given away by host-local"));
    }
    let pods = listed(&seen.inventory()?.pods, "pods")?;
    let stale: Vec<_> = cni.leases.iter().filter(|l| !pods.iter().any(|p| p.id == l.container)).collect();
    let cites = stale.iter().take(5).map(|l| Cite {
        text: format!("{} of {}", l.address, l.container),
        source: format!("/var/lib/cni/networks/{}", l.network),
    });
    let none_left = seen
        .journal()?
        .lines
        .iter()
        .rev()
        .filter(|l| seen.is_recent(l, RECENT))
        .find(|l| l.text.contains("no IP addresses available in range set"));
    let count = cni.leases.len();
    Ok(match none_left {
        Some(line) if !stale.is_empty() => Finding::cause(
            "addresses-leaked",
            format!("no address is left, and {} of {count} belong to pods that are gone", stale.len()),
        )
        .cites([cite(line)])
        .advise("with no pod being made: remove just these files; at boot, tmpfiles.d can empty the directory"),
        Some(line) => Finding::cause(
            "addresses-exhausted",
            format!("no address is left, and all {count} belong to pods that are there: the range is too small"),
        )
        .cites([cite(line)])
        .advise("a larger podCIDR for the node, or a smaller maxPods of its kubelet"),
        None if stale.len() >= 10 => {
            Finding::warn(format!("{} of {count} addresses belong to pods that are gone", stale.len()))
                .advise("with no pod being made: remove just these files; at boot, tmpfiles.d can empty the directory")
        }
        None => Finding::pass(format!("{} of {count}", stale.len())),
    }
    .cites(cites))
}
