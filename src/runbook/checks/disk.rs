//! Which filesystem is full, of what, and why nothing is freed by itself.

use std::{collections::BTreeMap, time::Duration};

use super::{bytes, incidents::listed};
use crate::{
    client::{
        action::Action,
        change::Change,
        types::{ContainerState, Inventory, short_id},
    },
    node::{disk::Filesystem, kubelet::KubeletFacts},
    runbook::{Check, Cite, Evidence, Fact, Finding, Fix, Missing, Risk},
};

/// The kubelet's defaults: percent of the disk in use at which images are collected, and down to which.
const HIGH: u64 = 85;
const LOW: u64 = 80;
/// Hard evictions by default: percent free of the image filesystem, of the node's own, and of inodes.
const IMAGEFS_FREE: u64 = 15;
const NODEFS_FREE: u64 = 10;
const INODES_FREE: u64 = 5;
/// Without a kubelet.
const ALONE_FREE: u64 = 3;
/// Nothing can be written any more, whatever the thresholds say.
const FULL: u64 = 99;
/// What fills a disk is worth naming from here on.
const LARGE: u64 = 256 << 20;

pub static BYTES: Check = Check {
    id: "disk-bytes",
    title: "Is a filesystem out of bytes?",
    needs: &[Fact::Disk, Fact::Inventory, Fact::Kubelet],
    command: |seen| format!("df -h {} /run/containerd /var/lib/kubelet /var/log", root(seen)),
    judge: full,
};

pub static INODES: Check = Check {
    id: "disk-inodes",
    title: "Is a filesystem out of inodes?",
    needs: &[Fact::Disk, Fact::Inventory, Fact::Kubelet],
    command: |seen| format!("df -i {} /var/lib/kubelet /var/log", root(seen)),
    judge: inodes,
};

pub static READ_ONLY: Check = Check {
    id: "disk-read-only",
    title: "Is a filesystem read-only?",
    needs: &[Fact::Disk],
    command: |_| "findmnt -O ro".to_owned(),
    judge: read_only,
};

pub static IMAGES: Check = Check {
    id: "disk-images",
    title: "How much do images take, and who needs them?",
    needs: &[Fact::Inventory, Fact::Disk],
    command: |seen| {
        format!(
            "{} images -o json | jq -r '.images[] | [.size, .repoTags[0]] | @tsv' | sort -rn | head -20",
            seen.crictl()
        )
    },
    judge: images,
};

pub static LAYERS: Check = Check {
    id: "disk-layers",
    title: "Which containers have written much into their own layer?",
    needs: &[Fact::Inventory],
    command: |seen| format!("{} stats -a | sort -k4 -rh | head", seen.crictl()),
    judge: layers,
};

pub static EXITED: Check = Check {
    id: "disk-exited",
    title: "Do exited containers hold disk that nobody needs?",
    needs: &[Fact::Inventory],
    command: |seen| format!("{} ps -a --state exited", seen.crictl()),
    judge: exited,
};

pub static LOGS: Check = Check {
    id: "disk-logs",
    title: "Have logs grown too large?",
    needs: &[Fact::Disk, Fact::Kubelet],
    command: |_| "du -xsh /var/log/pods /var/log/journal".to_owned(),
    judge: logs,
};

pub static DELETED: Check = Check {
    id: "disk-deleted",
    title: "Are there files that are deleted but still open?",
    needs: &[Fact::Disk],
    command: |_| "lsof -nP +L1".to_owned(),
    judge: deleted,
};

pub static ORPHANS: Check = Check {
    id: "disk-orphans",
    title: "Does the runtime keep what belongs to nobody, or to others?",
    needs: &[Fact::Inventory],
    command: |seen| {
        if seen.is_crio() {
            "crio check"
        } else {
            "for n in $(ctr namespaces ls -q); do ctr -n $n snapshots usage; done"
        }
        .to_owned()
    },
    judge: orphans,
};

pub static COLLECTION: Check = Check {
    id: "disk-collection",
    title: "Would the kubelet free space by itself?",
    needs: &[Fact::Kubelet, Fact::Disk, Fact::Inventory],
    command: |seen| {
        let path = seen.kubelet.value().and_then(|k| k.config.clone()).unwrap_or("/var/lib/kubelet/config.yaml".into());
        format!("grep -nE 'imageGC|imageMinimumGCAge|evictionHard' -A6 {path}")
    },
    judge: collection,
};

fn root(seen: &Evidence) -> String {
    seen.target.value().map(|t| t.root.clone()).filter(|r| !r.is_empty()).unwrap_or("/var/lib/containerd".into())
}

/// Those of the runtime, the kubelet and the logs; /tmp and / matter where they hold one of these.
fn concerned(seen: &Evidence) -> Result<impl Iterator<Item = &Filesystem>, Missing> {
    let counts = |f: &&Filesystem| f.uses.iter().any(|u| u != "temporary files") && f.total > 0;
    Ok(seen.disk()?.filesystems.iter().filter(counts))
}

fn cite(f: &Filesystem) -> Cite {
    let (uses, left, total) = (f.uses.join(", "), bytes(f.available), bytes(f.total));
    let text = format!("{} ({uses}): {left} of {total} available; inodes {}% used", f.mount, f.inodes_percent());
    Cite { text, source: format!("statvfs {}", f.path) }
}

pub(super) fn holds(f: &Filesystem, what: &str) -> bool {
    f.uses.iter().any(|u| u == what)
}

/// Whether images are on it, packed or unpacked.
fn of_images(f: &Filesystem) -> bool {
    holds(f, "runtime root") || holds(f, "snapshots")
}

/// What a threshold of the kubelet's leaves of a whole, which it writes as a share or as an amount.
fn amount(text: &str, total: u64) -> Option<u64> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().ok()?;
        return Some((total as f64 * percent / 100.0) as u64);
    }
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit: f64 = match &text[digits..] {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return None,
    };
    Some((number * unit) as u64)
}

/// The hard eviction of a signal, from the file or from the flag, `key<value,key<value`.
fn threshold(kubelet: &KubeletFacts, key: &str) -> Option<String> {
    let hard = &kubelet.setting("evictionHard", "eviction-hard")?.value;
    match hard.as_str() {
        Some(flag) => {
            flag.split(',').find_map(|part| Some(part.trim().strip_prefix(key)?.strip_prefix('<')?.to_owned()))
        }
        None => hard[key].as_str().map(str::to_owned),
    }
}

/// What must be free of `total`: what the kubelet's thresholds ask for. Without a kubelet nobody evicts, and only a disk on which
/// nothing fits any more is full.
fn floor(f: &Filesystem, kubelet: Option<&KubeletFacts>, what: &str, total: u64) -> u64 {
    let share = |percent: u64| (u128::from(total) * u128::from(percent) / 100) as u64;
    let images = of_images(f);
    let Some(kubelet) = kubelet.filter(|k| k.present()) else {
        return share(if what == "available" { ALONE_FREE } else { INODES_FREE });
    };
    let usual = match (what, images) {
        ("available", true) => IMAGEFS_FREE,
        ("available", false) => NODEFS_FREE,
        _ => INODES_FREE,
    };
    let key = format!("{}.{what}", if images { "imagefs" } else { "nodefs" });
    threshold(kubelet, &key).and_then(|text| amount(&text, total)).unwrap_or_else(|| share(usual))
}

fn full(seen: &Evidence) -> Result<Finding, Missing> {
    let all: Vec<&Filesystem> = concerned(seen)?.collect();
    let kubelet = seen.kubelet.value();
    let cites = |of: &[&Filesystem]| of.iter().map(|f| cite(f)).collect::<Vec<_>>();
    let over = |f: &&Filesystem| f.used_percent() >= FULL || f.available < floor(f, kubelet, "available", f.total);
    let full: Vec<&Filesystem> = all.iter().copied().filter(over).collect();
    let Some(worst) = full.iter().max_by_key(|f| (of_images(f), f.used_percent())) else {
        let near: Vec<&Filesystem> = all.iter().copied().filter(|f| f.used_percent() >= LOW).collect();
        return Ok(if near.is_empty() {
            Finding::pass("none").cites(cites(&all))
        } else {
            Finding::warn(format!("none yet, but {} is {}% full", near[0].mount, near[0].used_percent()))
                .cites(cites(&near))
        });
    };
    let what = worst.uses.join(", ");
    let ranked = ranking(seen, worst.total);
    let most = ranked.first().map(|c| format!("; most of it: {}", c.text)).unwrap_or_default();
    let summary = format!(
        "{} is {}% full ({} left); it holds: {what}{most}",
        worst.mount,
        worst.used_percent(),
        bytes(worst.available)
    );
    let cause = if of_images(worst) { "runtime-disk-full" } else { "node-disk-full" };
    let finding = Finding::cause(cause, summary).cites(cites(&full)).cites(ranked);
    let fix = prune(seen).filter(|_| of_images(worst));
    Ok(match fix {
        Some(fix) => finding.fix(fix),
        None => {
            let pruned = of_images(worst) && seen.inventory.value().is_some();
            let nothing = if pruned { "no image or exited container can go; " } else { "" };
            finding.advise(format!("{nothing}the largest of the list above has to, or its owner gets a larger disk: the steps below say what of it is nobody's"))
        }
    })
}

/// The largest things on the node's disks, each with what it is.
fn ranking(seen: &Evidence, total: u64) -> Vec<Cite> {
    let mut parts: Vec<(u64, String, String)> = Vec::new();
    if let Some(disk) = seen.disk.value() {
        for tree in &disk.trees {
            let least = if tree.partial { "at least " } else { "" };
            parts.push((tree.bytes, format!("{}: {least}{}", tree.what, bytes(tree.bytes)), tree.path.clone()));
        }
        let gone: u64 = disk.deleted.iter().map(|d| d.bytes).sum();
        let by = disk.deleted.first().map(|d| format!(", most by {} (pid {})", d.name, d.pid)).unwrap_or_default();
        parts.push((gone, format!("deleted but open files: {}{by}", bytes(gone)), "/proc/PID/fd".to_owned()));
    }
    parts.retain(|p| p.0 >= (LARGE / 16).min(total / 8).max(1));
    parts.sort_by_key(|p| std::cmp::Reverse(p.0));
    parts.into_iter().take(6).map(|(_, text, source)| Cite { text, source }).collect()
}

/// Unused images and exited containers; None if nothing of that kind is there or it is not known.
pub fn prune(seen: &Evidence) -> Option<Fix> {
    let inventory = seen.inventory.value()?;
    let action = Action::Prune { images: true, containers: true, older_than: Duration::ZERO };
    let plan = crate::client::action::plan(&action, inventory, seen.at?).ok()?;
    let title =
        format!("remove {} unused images and exited containers, about {}", plan.steps.len(), bytes(plan.frees()));
    (!plan.steps.is_empty()).then_some(Fix { title, risk: Risk::Safe, action })
}

fn inodes(seen: &Evidence) -> Result<Finding, Missing> {
    let all: Vec<&Filesystem> = concerned(seen)?.filter(|f| f.inodes > 0).collect();
    let kubelet = seen.kubelet.value();
    let out = |f: &&Filesystem| f.inodes_free < floor(f, kubelet, "inodesFree", f.inodes);
    let Some(worst) = all.iter().copied().filter(out).max_by_key(|f| f.inodes_percent()) else {
        return Ok(Finding::pass("none").cites(all.iter().map(|f| cite(f))));
    };
    let summary = format!(
        "{} has {} of {} inodes left, while {} of bytes are free",
        worst.mount,
        worst.inodes_free,
        worst.inodes,
        bytes(worst.available)
    );
    let mut trees: Vec<_> = seen.disk()?.trees.iter().filter(|t| t.files > 0).collect();
    trees.sort_by_key(|t| std::cmp::Reverse(t.files));
    let most =
        trees.iter().take(4).map(|t| Cite { text: format!("{}: {} files", t.what, t.files), source: t.path.clone() });
    let finding = Finding::cause("inodes-exhausted", summary).cites([cite(worst)]).cites(most);
    Ok(if of_images(worst) { finding.fix(prune(seen)) } else { finding })
}

fn read_only(seen: &Evidence) -> Result<Finding, Missing> {
    let all: Vec<&Filesystem> = concerned(seen)?.collect();
    let ours = |f: &&&Filesystem| f.read_only && f.uses.iter().any(|u| u != "root");
    Ok(match all.iter().find(ours) {
        Some(f) => Finding::cause(
            "read-only",
            format!("{} ({}) is read-only: nothing can be written", f.mount, f.uses.join(", ")),
        )
        .cite(format!("{} {} ro", f.device, f.kind), "statvfs and mountinfo")
        .advise("look in the kernel's messages for the disk error that made it so; evacuate the node, then fsck"),
        None => Finding::pass("none"),
    })
}

fn images(seen: &Evidence) -> Result<Finding, Missing> {
    let inventory = seen.inventory()?;
    let list = listed(&inventory.images, "images")?;
    let total: u64 = list.iter().map(|i| i.size).sum();
    let mut largest: Vec<_> = list.iter().collect();
    largest.sort_by_key(|i| std::cmp::Reverse(i.size));
    let name =
        |i: &crate::client::types::Image| i.tags.first().or(i.digests.first()).cloned().unwrap_or_else(|| i.id.clone());
    let cites = largest
        .iter()
        .take(8)
        .map(|i| Cite { text: format!("{}  {}", bytes(i.size), name(i)), source: "CRI ListImages".to_owned() });
    let fix = prune(seen);
    let unused = unused(inventory, seen);
    let summary = format!(
        "{} images, {} as the runtime counts them, {} of it used by no container",
        list.len(),
        bytes(total),
        bytes(unused)
    );
    let tight =
        seen.disk.value().is_some_and(|d| d.filesystems.iter().any(|f| of_images(f) && f.used_percent() >= HIGH));
    Ok(if tight && unused > LARGE { Finding::warn(summary).fix(fix) } else { Finding::pass(summary) }.cites(cites))
}

fn unused(inventory: &Inventory, seen: &Evidence) -> u64 {
    let action = Action::Prune { images: true, containers: false, older_than: Duration::ZERO };
    let plan = seen.at.and_then(|at| crate::client::action::plan(&action, inventory, at).ok());
    plan.map_or(0, |p| p.frees())
}

fn layers(seen: &Evidence) -> Result<Finding, Missing> {
    let inventory = seen.inventory()?;
    let stats = listed(&inventory.stats, "statistics")?;
    let containers = listed(&inventory.containers, "containers")?;
    let mut large: Vec<(u64, String)> = stats
        .iter()
        .filter_map(|s| {
            let container = containers.iter().find(|c| c.id == s.id);
            let name = container.map_or(s.id.clone(), |c| format!("{} ({})", c.name, short_id(&c.id)));
            Some((s.layer_bytes?, name))
        })
        .collect();
    large.sort_by_key(|l| std::cmp::Reverse(l.0));
    let total: u64 = large.iter().map(|l| l.0).sum();
    let cites = large
        .iter()
        .take(8)
        .filter(|l| l.0 > 0)
        .map(|(b, name)| Cite { text: format!("{}  {name}", bytes(*b)), source: "CRI ListContainerStats".to_owned() });
    let summary = format!("{} in writable layers", bytes(total));
    Ok(match large.first() {
        Some((most, name)) if *most >= LARGE * 4 => Finding::warn(format!("{summary}, most of it by {name}"))
            .advise("give it an emptyDir with a sizeLimit, or an ephemeral-storage limit, for what it writes"),
        _ => Finding::pass(summary),
    }
    .cites(cites))
}

fn exited(seen: &Evidence) -> Result<Finding, Missing> {
    let inventory = seen.inventory()?;
    let containers = listed(&inventory.containers, "containers")?;
    let count = containers.iter().filter(|c| c.state == ContainerState::Exited).count();
    let action = Action::Prune { images: false, containers: true, older_than: Duration::ZERO };
    let plan = seen.at.and_then(|at| crate::client::action::plan(&action, inventory, at).ok());
    let goes = plan.as_ref().map_or(0, |p| p.steps.len());
    let summary = format!("{count} exited containers, {goes} of them needed by nobody");
    let title = format!("remove {goes} exited containers");
    let fix = Fix { title, risk: Risk::Safe, action };
    Ok(if goes >= 100 { Finding::warn(summary).fix(fix) } else { Finding::pass(summary) })
}

fn logs(seen: &Evidence) -> Result<Finding, Missing> {
    let trees: Vec<_> =
        seen.disk()?.trees.iter().filter(|t| matches!(t.what.as_str(), "pod logs" | "journal")).collect();
    let total: u64 = trees.iter().map(|t| t.bytes).sum();
    let cites = trees.iter().map(|t| Cite { text: format!("{}: {}", t.what, bytes(t.bytes)), source: t.path.clone() });
    let summary = format!("{} of pod logs and journal", bytes(total));
    let kubelet = seen.kubelet.value();
    let size = kubelet.and_then(|k| k.setting("containerLogMaxSize", "container-log-max-size"));
    let size = size.map_or("10Mi by default".to_owned(), |s| format!("{} ({})", s.value, s.source));
    let tight = seen
        .disk()?
        .filesystems
        .iter()
        .any(|f| holds(f, "pod logs") && f.used_percent() >= HIGH && total * 4 > f.total);
    Ok(if total >= LARGE * 16 || tight {
        Finding::warn(summary)
            .advise(format!(
                "containerLogMaxSize is {size}: logs beyond that are not rotated fast enough, or belong to dead pods"
            ))
            .advise("journalctl --vacuum-size=500M")
    } else {
        Finding::pass(summary)
    }
    .cites(cites))
}

fn deleted(seen: &Evidence) -> Result<Finding, Missing> {
    let list = &seen.disk()?.deleted;
    let total: u64 = list.iter().map(|d| d.bytes).sum();
    let cites = list.iter().take(6).map(|d| Cite {
        text: format!("{}  {}", bytes(d.bytes), d.path),
        source: format!("{} (pid {})", d.name, d.pid),
    });
    let tight = seen.disk()?.filesystems.iter().any(|f| f.used_percent() >= HIGH && total * 10 > f.total);
    let summary = format!("{} in {} files", bytes(total), list.len());
    Ok(match list.first() {
        Some(first) if tight => Finding::warn(format!(
            "{summary} that are deleted but open, most by {} (pid {}): the room comes back when it is restarted",
            first.name, first.pid
        )),
        Some(first) if total >= LARGE * 4 => {
            Finding::warn(format!("{summary} are deleted but still open, most by {} (pid {})", first.name, first.pid))
        }
        _ => Finding::pass(summary),
    }
    .cites(cites))
}

fn orphans(seen: &Evidence) -> Result<Finding, Missing> {
    let inventory = seen.inventory()?;
    let snapshots = listed(&inventory.snapshots, "snapshots")?;
    let containers = listed(&inventory.containers, "containers")?;
    let pods = listed(&inventory.pods, "pods")?;
    if seen.is_crio() {
        return Ok(Finding::not_applicable(
            "a layer of CRI-O's belongs to an image or to a container, and goes with it",
        ));
    }
    let mut others: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    let (mut alone, mut room) = (Vec::new(), 0);
    for snapshot in snapshots {
        let size = snapshot.bytes.unwrap_or(0);
        if snapshot.namespace != "k8s.io" {
            let entry = others.entry(snapshot.namespace.as_str()).or_default();
            (entry.0, entry.1) = (entry.0 + 1, entry.1 + size);
        } else if snapshot.kind == "active"
            && !containers.iter().any(|c| snapshot.key.contains(&c.id))
            && !pods.iter().any(|p| snapshot.key.contains(&p.id))
            // A layer that is being unpacked.
            && !snapshot.key.starts_with("extract-")
        {
            room += size;
            alone.push(format!("{} {}", bytes(size), snapshot.key));
        }
    }
    let theirs: u64 = others.values().map(|o| o.1).sum();
    let summary = format!(
        "{} snapshots of no container ({}), {} in {} other namespaces",
        alone.len(),
        bytes(room),
        bytes(theirs),
        others.len()
    );
    let mut cites: Vec<Cite> = alone
        .iter()
        .take(5)
        .map(|a| Cite { text: a.clone(), source: "containerd's snapshots, namespace k8s.io".to_owned() })
        .collect();
    cites.extend(others.iter().map(|(name, (count, size))| Cite {
        text: format!("namespace {name}: {count} snapshots, {}", bytes(*size)),
        source: "containerd's snapshots".to_owned(),
    }));
    Ok(if room >= LARGE || theirs >= LARGE * 8 {
        Finding::warn(summary).advise("remove orphans with ctr -n k8s.io snapshots rm KEY, never the directories; other namespaces belong to Docker, BuildKit or nerdctl: prune with those")
    } else {
        Finding::pass(summary)
    }
    .cites(cites))
}

fn collection(seen: &Evidence) -> Result<Finding, Missing> {
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(Finding::not_applicable("without a kubelet nothing collects images by itself"));
    }
    let number = |key: &str, flag: &str, usual: u64| {
        let said = kubelet.setting(key, flag);
        let value = said.and_then(|s| s.value.as_u64().or_else(|| s.value.as_str()?.parse().ok())).unwrap_or(usual);
        (value, said.map_or("the kubelet's default".to_owned(), |s| s.source.clone()))
    };
    let (high, high_source) = number("imageGCHighThresholdPercent", "image-gc-high-threshold", HIGH);
    let (low, low_source) = number("imageGCLowThresholdPercent", "image-gc-low-threshold", LOW);
    let finding = |f: Finding| {
        f.cite(format!("imageGCHighThresholdPercent {high}"), high_source.clone())
            .cite(format!("imageGCLowThresholdPercent {low}"), low_source.clone())
    };
    if low >= high {
        return Ok(finding(Finding::fail(format!(
            "the low threshold {low} is not below the high one {high}: the kubelet refuses to start"
        ))));
    }
    if high >= 100 {
        let summary = "image collection is switched off: imageGCHighThresholdPercent is 100";
        let advice = "imageGCHighThresholdPercent: 70 and imageGCLowThresholdPercent: 60, where it is said, and restart the kubelet";
        return Ok(finding(Finding::warn(summary)).advise(advice).fix(lower(seen, kubelet)));
    }
    let images = concerned(seen)?.filter(|f| of_images(f)).max_by_key(|f| holds(f, "snapshots"));
    let Some(images) = images else {
        return Ok(finding(Finding::pass(format!("above {high}%, down to {low}%"))));
    };
    let inventory = seen.inventory()?;
    let used = images.used_percent();
    let least = floor(images, Some(kubelet), "available", images.total);
    let must = (u128::from(images.total) * u128::from(used.saturating_sub(low)) / 100) as u64;
    let can = unused(inventory, seen);
    Ok(if used >= high && can < must {
        let summary = format!(
            "{used}% is over the threshold of {high}%, but of the {} to free only {} is in unused images: what fills the disk is something else",
            bytes(must),
            bytes(can)
        );
        finding(Finding::warn(summary)).cites(ranking(seen, images.total))
    } else if used < high && images.available < least {
        let at = 100u64.saturating_sub((u128::from(least) * 100 / u128::from(images.total.max(1))) as u64);
        let summary = format!("pods are evicted at {at}% use, before images are collected at {high}%");
        finding(Finding::warn(summary)).fix(lower(seen, kubelet))
    } else {
        finding(Finding::pass(format!("above {high}%, down to {low}%; now {used}%")))
    })
}

/// imageGCHighThresholdPercent: 70, as the runbook says.
fn lower(seen: &Evidence, kubelet: &KubeletFacts) -> Option<Fix> {
    let path = kubelet.config.clone()?;
    let text = kubelet.text.clone()?;
    // What a flag or a drop-in says wins over the file, and a file of JSON takes no line.
    let elsewhere = ["imageGCHighThresholdPercent", "imageGCLowThresholdPercent"].iter().any(|key| {
        let flag = if key.contains("High") { "image-gc-high-threshold" } else { "image-gc-low-threshold" };
        kubelet.setting(key, flag).is_some_and(|s| !s.source.starts_with(&format!("{path} line ")))
    });
    if elsewhere || text.trim_start().starts_with('{') {
        return None;
    }
    let new = with_key(&with_key(&text, "imageGCHighThresholdPercent", "70"), "imageGCLowThresholdPercent", "60");
    let edit = crate::client::change::Edit { path, old: Some(text), new, check: Vec::new() };
    let title = "let the kubelet collect images from 70% on".to_owned();
    let restart = crate::client::change::Restart {
        unit: "kubelet.service".to_owned(),
        endpoint: format!("unix://{}", seen.target.value().map(|t| t.socket.as_str()).unwrap_or_default()),
        undo: None,
        kills: None,
    };
    let changes = vec![Change::Edit(edit), Change::Restart(restart)];
    Some(Fix { title: title.clone(), risk: Risk::Restarts, action: Action::Mend { title, changes } })
}

/// A top-level key of a YAML file, changed where it stands or added at the end.
fn with_key(text: &str, key: &str, value: &str) -> String {
    let line = format!("{key}: {value}");
    let mut found = false;
    let mut lines: Vec<String> = text
        .lines()
        .map(|l| {
            let is = l.strip_prefix(key).is_some_and(|r| r.trim_start().starts_with(':'));
            found |= is;
            if is { line.clone() } else { l.to_owned() }
        })
        .collect();
    if !found {
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::kubelet::Setting;

    #[test]
    fn thresholds_are_shares_or_amounts_of_the_file_or_the_flag() {
        for (text, bytes) in [("10%", 100), ("2.5%", 25), ("1Ki", 1024), ("5", 5), ("1G", 1_000_000_000)] {
            assert_eq!(amount(text, 1000), Some(bytes), "{text}");
        }
        assert_eq!((amount("x", 1), amount("1Q", 1)), (None, None));
        let mut kubelet = KubeletFacts { pid: Some(1), ..KubeletFacts::default() };
        let said = |value: serde_json::Value| Setting { value, source: "x".into() };
        let f = Filesystem { uses: vec!["runtime root".into()], ..Filesystem::default() };
        let least = |k: &KubeletFacts| floor(&f, Some(k), "available", 100 << 30);
        assert_eq!(least(&kubelet), 15 << 30);
        kubelet.settings.insert("evictionHard".into(), said(serde_json::json!({ "imagefs.available": "20Gi" })));
        assert_eq!(least(&kubelet), 20 << 30);
        kubelet.flags.insert("eviction-hard".into(), said("memory.available<1Gi,imagefs.available<5%".into()));
        assert_eq!(least(&kubelet), 5 << 30);
        assert_eq!(floor(&f, None, "available", 100), 3);
    }

    #[test]
    fn a_key_is_changed_in_its_place_or_added() {
        assert_eq!(with_key("a: 1\nb: 2\n# a: 9\n", "a", "3"), "a: 3\nb: 2\n# a: 9\n");
        assert_eq!(with_key("x:\n  a: 1\n", "a", "3"), "x:\n  a: 1\na: 3\n");
    }
}
