//! What is only half there, or still there, and who says so: images without their content, directories of pods that are gone,
//! scopes of systemd, logs that are not rotated, thresholds that were dropped.

use super::incidents::{cite, listed};
use crate::{
    client::action::Action,
    node::journal::{JournalFacts, Line},
    runbook::{Check, Cite, Evidence, Fact, Finding, Fix, Missing, Risk, settings},
};

/// Seconds after which a line is history.
const RECENT: u64 = 900;
/// What the kubelet evicts by, unless its file says anything else at all.
const DEFAULTS: &[&str] = &["memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available"];

pub static CONTENT: Check = Check {
    id: "incident-content",
    title: "Is an image there by name and not with its content?",
    needs: &[Fact::Journal, Fact::Inventory],
    command: |seen| {
        format!(
            "journalctl -u {} --since -15m | grep -E 'content digest|parent snapshot'; ctr -n k8s.io images check",
            seen.unit()
        )
    },
    judge: content,
};

pub static PODS: Check = Check {
    id: "incident-orphaned-pods",
    title: "Are there directories of pods that are gone?",
    needs: &[Fact::Journal, Fact::Kubelet, Fact::Inventory, Fact::Mounts],
    command: |_| {
        "journalctl -u kubelet --since -15m | grep 'orphaned pod'; findmnt -R /var/lib/kubelet/pods".to_owned()
    },
    judge: pods,
};

pub static SCOPES: Check = Check {
    id: "incident-scopes",
    title: "Does systemd make the scopes it is asked for?",
    needs: &[Fact::Journal, Fact::Units],
    command: |seen| {
        format!(
            "journalctl -u kubelet -u {} --since -15m | grep -E 'dbus|\\.scope'; systemctl list-units --failed '*.scope'",
            seen.unit()
        )
    },
    judge: scopes,
};

pub static MEASURED: Check = Check {
    id: "disk-measured",
    title: "Does the kubelet measure the filesystem that images are on?",
    needs: &[Fact::Kubelet, Fact::Inventory, Fact::Mounts, Fact::Target, Fact::Conf],
    command: |seen| {
        format!(
            "{} imagefsinfo | grep mountpoint; df -h; journalctl -u kubelet | grep 'image filesystem'",
            seen.crictl()
        )
    },
    judge: measured,
};

pub static ROTATION: Check = Check {
    id: "disk-rotation",
    title: "Are the logs of containers rotated?",
    needs: &[Fact::Journal, Fact::Kubelet],
    command: |_| {
        "journalctl -u kubelet --since -15m | grep -iE 'rotate log|compress log'; du -ah /var/log/pods | sort -rh | head".to_owned()
    },
    judge: rotation,
};

pub static EVICTION: Check = Check {
    id: "disk-eviction",
    title: "Would the kubelet see that a disk is full?",
    needs: &[Fact::Kubelet],
    command: |seen| {
        let path = seen.kubelet.value().and_then(|k| k.config.clone()).unwrap_or("/var/lib/kubelet/config.yaml".into());
        format!("grep -A6 -E 'evictionHard|mergeDefaultEvictionSettings' {path}")
    },
    judge: eviction,
};

pub static QUOTA: Check = Check {
    id: "disk-quota",
    title: "Does a quota refuse what the disk has room for?",
    needs: &[Fact::Journal, Fact::Disk, Fact::Target],
    command: |seen| {
        let root = seen.target.value().map_or("/var/lib/containerd", |t| t.root.as_str());
        format!(
            "journalctl -u {} -u kubelet --since -15m | grep -i 'quota exceeded'; lsattr -pd {root}; repquota -P -a; btrfs qgroup show -re {root}",
            seen.unit()
        )
    },
    judge: quota,
};

fn quota(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let disk = seen.disk()?;
    let words = |l: &Line| l.text.contains("disk quota exceeded") || l.text.contains("Disk quota exceeded");
    let Some((at, line)) = recent(seen, journal).find(|(_, l)| words(l)) else { return Ok(Finding::pass("no")) };
    if journal.lines[at..].iter().any(|l| l.text.contains("returns image reference")) {
        return Ok(Finding::pass("it did, and a pull since then went well").cites([cite(line)]));
    }
    let root = seen.target()?.root.clone();
    // The longest path of ours in the line says which disk it is about; most are about the runtime's.
    let of = disk.filesystems.iter().filter(|f| !f.mount.is_empty() && line.text.contains(&f.mount));
    let fs = of
        .max_by_key(|f| f.mount.len())
        .or(disk.filesystems.iter().find(|f| f.uses.iter().any(|u| u == "runtime root")));
    let place = fs.map_or(root, |f| f.mount.clone());
    let room = fs.map(|f| format!("; df shows {} free of {}", super::bytes(f.available), super::bytes(f.total)));
    let tool = match fs.map(|f| f.kind.as_str()) {
        Some("btrfs") => format!("btrfs qgroup show -re {place}; btrfs qgroup limit SIZE {place}"),
        Some("xfs") => format!("xfs_quota -x -c 'report -h' {place}; xfs_quota -x -c 'limit -p bhard=SIZE ID' {place}"),
        _ => format!(
            "repquota -s {place}, with -P for projects (lsattr -p DIR names the project's id); setquota raises it"
        ),
    };
    Ok(Finding::cause(
        "quota-exceeded",
        format!("a quota on {place} is used up: writes are refused (EDQUOT){}", room.unwrap_or_default()),
    )
    .cites([cite(line)])
    .advise(tool)
    .advise("what was written still counts: prune images and exited containers, or raise the quota"))
}

/// The newest lines first, of the last quarter of an hour.
fn recent<'a>(seen: &'a Evidence, journal: &'a JournalFacts) -> impl Iterator<Item = (usize, &'a Line)> {
    journal.lines.iter().enumerate().rev().filter(|(_, l)| seen.is_recent(l, RECENT))
}

/// What two stores of the runtime say when one has lost what the other counts on.
fn half(text: &str) -> bool {
    (text.contains("content digest sha256:") && text.contains("not found"))
        || (text.contains("parent snapshot sha256:") && text.contains("does not exist"))
        || (text.contains("missing parent") && text.contains("bucket: not found"))
}

fn content(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let sandbox = seen.inventory()?.sandbox_image.clone();
    let Some((at, line)) = recent(seen, journal).find(|(_, l)| half(&l.text)) else { return Ok(Finding::pass("no")) };
    if journal.lines[at..].iter().any(|l| l.text.contains("returns image reference")) {
        return Ok(Finding::pass("there was one, and a pull since then went well").cites([cite(line)]));
    }
    let words = |after: &str| {
        let rest = line.text.split_once(after)?.1;
        let end = |c: char| !(c.is_ascii_alphanumeric() || c == ':');
        rest.split(end)
            .next()
            .filter(|d| d.len() > 10)
            .map(|d| format!("sha256:{}", d.chars().take(12).collect::<String>()))
    };
    let what = words("sha256:").map(|d| format!(": {d} is missing")).unwrap_or_default();
    let finding = Finding::cause("image-incomplete", format!("an image is listed, and the runtime has lost a part of it{what}"))
        .cites([cite(line)])
        .advise("pull that one image again; if it stays: crictl rmi it and pull it. On nodes with several snapshotters: discard_unpacked_layers = false");
    Ok(if line.text.contains("RunPodSandbox") && !sandbox.is_empty() {
        let title = format!("pull {sandbox} again");
        finding.fix(Fix { title, risk: Risk::Safe, action: Action::PullImage { reference: sandbox } })
    } else {
        finding
    })
}

fn pods(seen: &Evidence) -> Result<Finding, Missing> {
    let (Some(journal), kubelet) = (seen.kubelets_log()?, seen.kubelet()?) else {
        return Ok(Finding::not_applicable("this node has no kubelet"));
    };
    let inventory = seen.inventory()?;
    let live = listed(&inventory.pods, "pods")?;
    let mounts = &seen.mounts()?.mounts;
    let uid = |l: &Line| {
        let rest = l.text.split_once("orphaned pod")?.1;
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).find(|w| w.len() > 8).map(str::to_owned)
    };
    let said = recent(seen, journal).find_map(|(_, l)| Some((uid(l)?, l)));
    // A pod whose sandbox is not made yet has a directory too: only what the kubelet itself calls orphaned is that.
    let left = said.filter(|(uid, _)| kubelet.pods.contains(uid) && !live.iter().any(|p| p.uid == *uid));
    let Some((uid, line)) = left else { return Ok(Finding::pass("no")) };
    let path = format!("/var/lib/kubelet/pods/{uid}");
    let below: Vec<_> = mounts.iter().filter(|m| m.point.starts_with(&format!("{path}/"))).collect();
    let cites = below
        .iter()
        .take(4)
        .map(|m| Cite { text: format!("{} ({})", m.point, m.kind), source: "/proc/self/mountinfo".to_owned() });
    Ok(if below.is_empty() {
        Finding::cause("orphaned-pod", format!("{path} is of a pod that is gone, and the kubelet does not remove it: there are files in it, and nothing is mounted"))
            .advise(format!("look first: find {path} -xdev -type f; what is only vol_data.json may go: rm it and rmdir upwards, never rm -r (people lost volumes that way)"))
    } else {
        Finding::cause("orphaned-pod-mounted", format!("{path} is of a pod that is gone, and a volume of it is still mounted"))
            .advise("delete nothing: its data are below that. Let the volume's driver unmount it, or umount it, and look again")
    }
    .cites([cite(line)])
    .cites(cites))
}

fn scopes(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let units = seen.units()?;
    let has = |l: &Line, words: &[&str]| words.iter().any(|w| l.text.contains(w));
    let dbus = [
        "dbus: connection closed by user",
        "Message recipient disconnected from message bus",
        "Failed to activate service 'org.freedesktop.systemd1'",
    ];
    if let Some((_, line)) = recent(seen, journal).find(|(_, l)| has(l, &dbus)) {
        let unit = if line.from.contains("kubelet") { "kubelet.service".to_owned() } else { line.from.clone() };
        return Ok(Finding::cause("dbus-connection-lost", format!("{unit} has lost its connection to systemd, which answers others: it makes no scope any more"))
            .cites([cite(line)])
            .cites(units.get(&unit, "ActiveEnterTimestamp").map(|t| Cite { text: format!("{unit} runs since {t}"), source: "systemctl show".to_owned() }))
            .advise(format!("systemctl restart {unit} (D-Bus was restarted after it started); systems of before runc 1.1.3 do not connect again by themselves")));
    }
    let left = recent(seen, journal).find(|(_, l)| has(l, &[".scope already exists", ".scope was already loaded"]));
    Ok(match left {
        Some((_, line)) => {
            let scope = line
                .text
                .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.@:".contains(c)))
                .find(|w| w.ends_with(".scope"));
            let scope = scope.unwrap_or("SCOPE").to_owned();
            Finding::cause("scope-left", format!("{scope} is still known to systemd, so that the container's new one cannot be made"))
                .cites([cite(line)])
                .advise(format!("systemctl status {scope}; if nothing runs in it: systemctl reset-failed {scope} or systemctl stop {scope}"))
        }
        None => Finding::pass("nobody complains"),
    })
}

fn rotation(seen: &Evidence) -> Result<Finding, Missing> {
    let (Some(journal), kubelet) = (seen.kubelets_log()?, seen.kubelet()?) else {
        return Ok(Finding::not_applicable("without a kubelet nobody rotates the logs"));
    };
    let fails = |l: &Line| {
        let text = l.text.to_lowercase();
        text.contains("failed to rotate log")
            || text.contains("failed to compress log")
            || text.contains("failed to reopen container log")
    };
    Ok(match recent(seen, journal).find(|(_, l)| fails(l)) {
        Some((_, line)) => Finding::cause("log-rotation-fails", "the kubelet cannot rotate the log of a container, which grows until the disk is full")
            .cites([cite(line)])
            .advise("its error says why: a full disk (make room first), or a runtime that does not reopen the file (ReopenContainerLog). Do not truncate the file"),
        None => {
            let size = kubelet.setting("containerLogMaxSize", "container-log-max-size");
            let size = size.and_then(|s| s.value.as_str()).unwrap_or("10Mi");
            Finding::pass(format!("at {size}; nobody complains"))
        }
    })
}

fn eviction(seen: &Evidence) -> Result<Finding, Missing> {
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(Finding::not_applicable("without a kubelet nothing is evicted"));
    }
    let Some(hard) = kubelet.setting("evictionHard", "eviction-hard") else {
        return Ok(Finding::pass("by the kubelet's defaults"));
    };
    // The flag is `key<value,key<value`.
    let has = |key: &str| match hard.value.as_str() {
        Some(flag) => flag.split(',').any(|part| part.trim().starts_with(key)),
        None => !hard.value[key].is_null(),
    };
    let merged = kubelet.settings.get("mergeDefaultEvictionSettings").is_some_and(|s| s.value == true);
    let lacking: Vec<&str> = DEFAULTS.iter().copied().filter(|key| !has(key)).collect();
    let cite = Cite { text: format!("evictionHard {}", hard.value), source: hard.source.clone() };
    Ok(if lacking.is_empty() || merged {
        Finding::pass("yes")
    } else {
        Finding::warn(format!("evictionHard says something, which drops its defaults: nothing is evicted by {}", lacking.join(", ")))
            .advise("write all of them: memory.available: 100Mi, nodefs.available: 10%, nodefs.inodesFree: 5%, imagefs.available: 15%; or mergeDefaultEvictionSettings: true (from 1.34 on)")
    }
    .cites([cite]))
}

/// It measures what the runtime tells, wherever the images really are.
fn measured(seen: &Evidence) -> Result<Finding, Missing> {
    if !seen.kubelet()?.present() {
        return Ok(Finding::not_applicable("without a kubelet nobody measures it"));
    }
    let told = listed(&seen.inventory()?.disk, "filesystems")?.iter().find(|d| d.what == "image filesystem");
    let Some(told) = told else {
        return Ok(Finding::warn("the runtime tells of none: the kubelet collects no image and evicts no pod for it"));
    };
    let target = seen.target()?;
    let path = &told.path;
    let cite = Cite { text: format!("mountpoint {path}"), source: "CRI ImageFsInfo".to_owned() };
    if matches!(target.name.as_str(), "crio" | "wharf") {
        return Ok(if told.total_bytes > 0 { Finding::pass(path) } else { nowhere(path, "") }.cites([cite]));
    }
    let (real, moved) = settings::snapshots(seen.conf()?, &target.root);
    let line = moved.map(|s| Cite { text: format!("root_path = {real}"), source: s.source });
    let mounts = seen.mounts()?;
    let point = |path: &str| mounts.of(path).map(|m| m.point.clone()).unwrap_or_default();
    let (measured, holds) = (point(path), point(&real));
    Ok(if told.total_bytes == 0 {
        nowhere(path, &real)
    } else if measured != holds {
        Finding::cause(
            "imagefs-elsewhere",
            format!("the kubelet measures {measured}, as the runtime tells it, and images are unpacked on {holds}: it sees neither how full that is, nor room that is made there"),
        )
        .advise(MOVE)
    } else {
        Finding::pass(format!("yes, {path}"))
    }
    .cites([cite])
    .cites(line))
}

const MOVE: &str = "containerd 1 tells the place below its root whatever root_path says: take root_path away and mount the disk there, or move the whole root; containerd 2 tells the right one. Then restart the kubelet, which remembers filesystems";

fn nowhere(path: &str, real: &str) -> Finding {
    let really = if real.is_empty() || real == path { String::new() } else { format!("; they are unpacked in {real}") };
    let what = format!(
        "the runtime tells the kubelet that images are on {path}, where nothing is{really}: \"invalid capacity 0 on image filesystem\", and no image is collected"
    );
    Finding::cause("imagefs-nowhere", what).advise(MOVE)
}
