//! Facts of the disk in the client's own words: which pods and containers there are, how they are, and what they use.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::{Value, json};

use super::{UNKNOWN, source};
use crate::{
    bail,
    client::{
        convert,
        types::{
            Condition, Container, ContainerDetail, ContainerState, ContainerStats, DiskUse, Image, PodSandbox,
            PodState, SnapshotRow,
        },
    },
    error::Result,
    node::{
        self, below,
        bundles::{self, Bundle, BundleFacts, Layout, Life, Places, PodLogs},
        cni::{self, CniFacts},
        containerd,
        meter::{self, Meter, Owner},
        storage, usage,
    },
};

/// Of CRI's namespace: other clients of containerd have pods of no kind.
pub fn ours(bundle: &Bundle) -> bool {
    bundle.namespace.is_empty() || bundle.namespace == containerd::CRI
}

pub fn lives(bundle: &Bundle) -> bool {
    matches!(bundle.life, Life::Alive | Life::Made)
}

pub fn made(bundle: &Bundle) -> SystemTime {
    bundle.made.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether the pod network could work, as its files tell.
/// None where another directory than the usual one may be meant.
pub fn condition(network: &CniFacts) -> Option<Condition> {
    if network.files.is_empty() {
        return None;
    }
    let first = network.files.iter().find(|f| f.error.is_none());
    let (ok, reason, message) = match first {
        Some(file) if file.missing.is_empty() => (true, "", format!("{}: {}", file.path, file.plugins.join(", "))),
        Some(file) => (false, "NoPlugin", format!("{}: not in {}: {}", file.path, cni::BIN, file.missing.join(", "))),
        None => (false, "NoConfig", format!("{} has no configuration that can be used", network.conf_dir)),
    };
    Some(Condition { name: "NetworkReady".to_owned(), ok, reason: reason.to_owned(), message })
}

pub fn pods(facts: &BundleFacts, network: &CniFacts) -> Vec<PodSandbox> {
    let leases: BTreeMap<&str, &str> =
        network.leases.iter().map(|l| (l.container.as_str(), l.address.as_str())).collect();
    let address = |b: &Bundle| match leases.get(b.id.as_str()) {
        Some(address) if b.ip.is_empty() => (*address).to_owned(),
        _ => b.ip.clone(),
    };
    let sandboxes = facts.bundles.iter().filter(|b| ours(b) && b.sandbox);
    let mut pods: Vec<PodSandbox> = sandboxes
        .map(|b| PodSandbox {
            id: b.id.clone(),
            name: b.pod.clone(),
            namespace: b.pod_namespace.clone(),
            uid: b.uid.clone(),
            attempt: b.attempt.unwrap_or(0),
            state: if lives(b) { PodState::Ready } else { PodState::NotReady },
            created: made(b),
            labels: b.labels.clone(),
            annotations: b.annotations.clone(),
            handler: b.handler.clone(),
            ip: address(b),
        })
        .collect();
    pods.extend(unrecorded(facts).map(|logs| PodSandbox {
        id: logs.uid.clone(),
        name: logs.pod.clone(),
        namespace: logs.namespace.clone(),
        uid: logs.uid.clone(),
        attempt: 0,
        state: PodState::NotReady,
        created: SystemTime::UNIX_EPOCH,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        handler: String::new(),
        ip: String::new(),
    }));
    pods.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    pods
}

/// Pods that only their log directories tell of: worth showing when the runtime's records cannot be read.
pub fn unrecorded(facts: &BundleFacts) -> impl Iterator<Item = &PodLogs> {
    let known: BTreeSet<&str> = facts.bundles.iter().map(|b| b.uid.as_str()).collect();
    facts.logs.iter().filter(move |logs| !facts.whole && !known.contains(logs.uid.as_str()))
}

pub fn state(bundle: &Bundle) -> ContainerState {
    match bundle.life {
        Life::Alive => ContainerState::Running,
        Life::Made => ContainerState::Created,
        Life::Ended => ContainerState::Exited,
        // No bundle any more: it has ended, or was never started.
        Life::Unknown if bundle.finished.is_some() || bundle.started.is_some() => ContainerState::Exited,
        Life::Unknown if bundle.attempt.is_some() => ContainerState::Created,
        Life::Unknown => ContainerState::Unknown,
    }
}

pub fn containers(root: &Path, facts: &BundleFacts) -> Vec<Container> {
    let sandboxes: BTreeMap<&str, &Bundle> =
        facts.bundles.iter().filter(|b| ours(b) && b.sandbox).map(|b| (b.id.as_str(), b)).collect();
    let mut all = Vec::new();
    for bundle in facts.bundles.iter().filter(|b| ours(b) && !b.sandbox) {
        let sandbox = sandboxes.get(bundle.pod_id.as_str()).copied();
        let (attempt, log_path) = log(root, bundle, sandbox);
        let state = state(bundle);
        let ended = state == ContainerState::Exited;
        let reason = match bundle.exit_code {
            None if ended && bundle.reason.is_empty() => "ended while nobody looked".to_owned(),
            _ => bundle.reason.clone(),
        };
        all.push(Container {
            id: bundle.id.clone(),
            pod: bundle.pod_id.clone(),
            name: bundle.name.clone(),
            attempt,
            image: bundle.image.clone(),
            image_id: bundle.image_id.clone(),
            state,
            created: made(bundle),
            labels: bundle.labels.clone(),
            annotations: bundle.annotations.clone(),
            detail: Some(ContainerDetail {
                started: bundle.started,
                finished: bundle.finished,
                exit_code: if ended { bundle.exit_code.unwrap_or(UNKNOWN) } else { 0 },
                reason,
                message: bundle.message.clone(),
                log_path,
                image_volumes: Vec::new(),
            }),
        });
    }
    for logs in unrecorded(facts) {
        for (name, number) in &logs.containers {
            all.push(Container {
                id: format!("{}.{name}", logs.uid),
                pod: logs.uid.clone(),
                name: name.clone(),
                attempt: *number,
                image: String::new(),
                image_id: String::new(),
                state: ContainerState::Unknown,
                created: SystemTime::UNIX_EPOCH,
                labels: BTreeMap::new(),
                annotations: BTreeMap::new(),
                detail: Some(ContainerDetail {
                    log_path: format!("{}/{name}/{number}.log", logs.path),
                    ..ContainerDetail::default()
                }),
            });
        }
    }
    all.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    all
}

/// The attempt and the log file: as recorded, else the newest log in the pod's directory.
pub fn log(root: &Path, bundle: &Bundle, sandbox: Option<&Bundle>) -> (u32, String) {
    if !bundle.log_path.is_empty() {
        return (bundle.attempt.unwrap_or(0), bundle.log_path.clone());
    }
    let of = sandbox.unwrap_or(bundle);
    let directory = match &of.log_directory {
        said if !said.is_empty() => said.clone(),
        _ => format!("/var/log/pods/{}_{}_{}", of.pod_namespace, of.pod, of.uid),
    };
    // A name from a document must not lead anywhere else.
    let plain = |part: &str| !part.is_empty() && !part.contains('/') && part != "..";
    if !plain(&bundle.name) || directory.split('/').any(|part| part == "..") {
        return (bundle.attempt.unwrap_or(0), String::new());
    }
    let found = bundles::logs_in(root, &directory).into_iter().find(|(name, _)| *name == bundle.name);
    match bundle.attempt.or(found.map(|(_, number)| number)) {
        Some(number) => (number, format!("{directory}/{}/{number}.log", bundle.name)),
        None => (0, String::new()),
    }
}

pub fn stats(root: &Path, bundles: &[Bundle]) -> Vec<ContainerStats> {
    let groups = usage::Groups::find(root);
    let at = SystemTime::now();
    let one = |bundle: &Bundle| {
        let usage = groups.of(root, bundle.pid?)?;
        Some(ContainerStats {
            id: bundle.id.clone(),
            cpu_nanos: usage.cpu,
            memory_working_set: usage.memory,
            memory_limit: usage.memory_limit,
            pids: usage.pids,
            at: Some(at),
            ..ContainerStats::default()
        })
    };
    bundles.iter().filter(|b| ours(b) && !b.sandbox && lives(b)).filter_map(one).collect()
}

/// What one of them uses, as its control groups and /proc tell.
pub fn meter(root: &Path, facts: &BundleFacts, bundle: &Bundle) -> Meter {
    let groups = usage::Groups::find(root);
    let inside = || facts.bundles.iter().filter(|b| !b.sandbox && b.pod_id == bundle.id && lives(b));
    // A pod without a process of its own is where its containers are; no process has the number 0.
    let pid = bundle.pid.filter(|_| lives(bundle)).or_else(|| inside().find_map(|b| b.pid)).unwrap_or_default();
    if !bundle.sandbox {
        return meter::of_container(root, &groups, &Owner::container(&bundle.id, pid));
    }
    let containers: Vec<Owner> = inside().filter_map(|b| Some(Owner::container(&b.id, b.pid?))).collect();
    meter::of_pod(root, &groups, &Owner::pod(&bundle.id, &bundle.uid, pid), &containers)
}

pub fn images(root: &Path, places: &Places) -> Result<(Vec<Image>, String)> {
    let stored = match places.layout {
        Layout::Containerd => containerd::images(root, &places.root)?,
        Layout::Crio => storage::images(root, &places.root)?,
        Layout::Wharf => bail!(Unimplemented, "wharf's images are told by wharf alone: wharf --embedded reads them"),
    };
    let mut images: Vec<Image> = stored
        .into_iter()
        .map(|i| Image {
            id: i.id,
            tags: i.tags,
            digests: i.digests,
            size: i.bytes,
            pinned: i.pinned,
            username: String::new(),
        })
        .collect();
    images.sort_by(|a, b| (&a.tags, &a.id).cmp(&(&b.tags, &b.id)));
    Ok((images, format!("disk: {}", places.root)))
}

/// The directories of an image's layers, the uppermost first, where its storage has a list of images with their layers.
pub fn image_layers(root: &Path, places: &Places, id: &str) -> Result<Vec<(String, PathBuf)>> {
    match places.layout {
        Layout::Crio => storage::chain(root, &places.root, &storage::top(root, &places.root, id)?),
        layout => {
            bail!(Unimplemented, "{} does not say which layers an image has; Snapshots (5) lists all", layout.name())
        }
    }
}

pub fn snapshots(root: &Path, places: &Places) -> Result<(Vec<SnapshotRow>, String)> {
    let stored = match places.layout {
        Layout::Containerd => containerd::snapshots(root, &places.root)?,
        Layout::Crio => storage::layers(root, &places.root)?,
        Layout::Wharf => bail!(Unimplemented, "wharf's snapshots are told by wharf alone: wharf --embedded reads them"),
    };
    Ok((stored.into_iter().map(convert::snapshot).collect(), format!("disk: {}", places.root)))
}

pub fn disk(root: &Path, places: &Places) -> Result<(Vec<DiskUse>, String)> {
    let mut rows = Vec::new();
    let mut add = |what: &str, path: String, used: (u64, u64)| {
        let Ok(stat) = rustix::fs::statvfs(below(root, &path)) else { return };
        rows.push(DiskUse {
            what: what.to_owned(),
            used_bytes: used.0,
            used_inodes: used.1,
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            path,
        });
    };
    if places.layout == Layout::Containerd {
        let mut by: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for snapshot in containerd::snapshots(root, &places.root).unwrap_or_default() {
            let sum = by.entry(snapshot.snapshotter).or_default();
            sum.0 = sum.0.saturating_add(snapshot.bytes.unwrap_or(0));
            sum.1 = sum.1.saturating_add(snapshot.inodes.unwrap_or(0));
        }
        for (name, used) in by {
            add("image filesystem", format!("{}/io.containerd.snapshotter.v1.{name}", places.root), used);
        }
        let blobs = format!("{}/{}", places.root, containerd::BLOBS);
        let used = containerd::content(root, &places.root);
        add("content", blobs, used);
    } else {
        let layers = format!("{}/overlay", places.root);
        let used = node::disk::trees(root, &[("layers".to_owned(), layers.clone())]);
        add("image filesystem", layers, used.first().map_or((0, 0), |t| (t.bytes, t.files)));
    }
    let logs = "/var/log/pods".to_owned();
    let trees = node::disk::trees(root, &[("logs".to_owned(), logs.clone())]);
    let used = trees.first().map_or((0, 0), |t| (t.bytes, t.files));
    add("logs", logs, used);
    if rows.is_empty() {
        bail!(NotFound, "there is no {} on this node", places.root);
    }
    Ok((rows, format!("disk: {}", places.root)))
}

pub fn rfc(at: Option<SystemTime>) -> String {
    at.and_then(|t| jiff::Timestamp::try_from(t).ok()).map(|t| t.to_string()).unwrap_or_default()
}

pub fn shown(root: &Path, facts: &BundleFacts, bundle: &Bundle) -> Value {
    let spec = match bundle.path.is_empty() {
        true => Value::Null,
        false => bundles::document(&below(root, &bundle.path).join("config.json")).unwrap_or_default(),
    };
    let attempt = bundle.attempt.unwrap_or(0);
    let status = if bundle.sandbox {
        json!({
            "id": bundle.id,
            "metadata": { "name": bundle.pod, "namespace": bundle.pod_namespace, "uid": bundle.uid, "attempt": attempt },
            "state": if lives(bundle) { "SANDBOX_READY" } else { "SANDBOX_NOTREADY" },
            "createdAt": rfc(bundle.made), "network": { "ip": bundle.ip }, "runtimeHandler": bundle.handler,
            "labels": bundle.labels, "annotations": bundle.annotations,
        })
    } else {
        let found = containers(root, facts).into_iter().find(|c| c.id == bundle.id);
        let detail = found.as_ref().and_then(|c| c.detail.clone()).unwrap_or_default();
        let state = match state(bundle) {
            ContainerState::Created => "CONTAINER_CREATED",
            ContainerState::Running => "CONTAINER_RUNNING",
            ContainerState::Exited => "CONTAINER_EXITED",
            ContainerState::Unknown => "CONTAINER_UNKNOWN",
        };
        let mounts = spec.get("mounts").and_then(Value::as_array).into_iter().flatten().filter_map(|m| {
            let text = |key: &str| m.get(key)?.as_str();
            // What the node gave it; the rest is the runtime's own.
            let (from, to) = (text("source")?, text("destination")?);
            from.starts_with('/').then(|| json!({ "containerPath": to, "hostPath": from }))
        });
        json!({
            "id": bundle.id, "metadata": { "name": bundle.name, "attempt": attempt }, "state": state,
            "createdAt": rfc(bundle.made), "startedAt": rfc(detail.started), "finishedAt": rfc(detail.finished),
            "exitCode": detail.exit_code, "reason": detail.reason, "message": detail.message,
            "image": { "image": bundle.image }, "imageRef": bundle.image_id, "logPath": detail.log_path,
            "labels": bundle.labels, "annotations": bundle.annotations, "mounts": mounts.collect::<Vec<_>>(),
        })
    };
    let shim = facts.shims.get(&bundle.id).or_else(|| facts.shims.get(&bundle.pod_id));
    json!({ "status": status, "info": {
        "source": source(&facts.places), "bundle": bundle.path, "pid": bundle.pid.filter(|_| lives(bundle)).unwrap_or(0),
        "shim": shim, "runtimeSpec": spec } })
}
