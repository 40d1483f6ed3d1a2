//! CRI's messages into the words of the app.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use super::types::{
    Condition, Container, ContainerDetail, ContainerState, ContainerStats, DiskUse, Image, PodSandbox, PodState,
    SnapshotRow,
};
use crate::{node, proto::cri};

/// Nanoseconds since 1970; `None` for CRI's "not yet".
pub fn time(nanos: i64) -> Option<SystemTime> {
    let nanos = u64::try_from(nanos).ok().filter(|n| *n > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
}

fn created(nanos: i64) -> SystemTime {
    time(nanos).unwrap_or(SystemTime::UNIX_EPOCH)
}

pub fn pod(pod: cri::PodSandbox) -> PodSandbox {
    let ready = pod.state() == cri::PodSandboxState::SandboxReady;
    let meta = pod.metadata.unwrap_or_default();
    PodSandbox {
        id: pod.id,
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        attempt: meta.attempt,
        state: if ready { PodState::Ready } else { PodState::NotReady },
        created: created(pod.created_at),
        labels: pod.labels.into_iter().collect(),
        annotations: pod.annotations.into_iter().collect(),
        handler: pod.runtime_handler,
        ip: String::new(),
    }
}

pub fn container(container: cri::Container) -> Container {
    let state = match container.state() {
        cri::ContainerState::ContainerCreated => ContainerState::Created,
        cri::ContainerState::ContainerRunning => ContainerState::Running,
        cri::ContainerState::ContainerExited => ContainerState::Exited,
        cri::ContainerState::ContainerUnknown => ContainerState::Unknown,
    };
    let meta = container.metadata.unwrap_or_default();
    let spec = container.image.unwrap_or_default();
    let asked = if spec.user_specified_image.is_empty() { spec.image } else { spec.user_specified_image };
    Container {
        id: container.id,
        pod: container.pod_sandbox_id,
        name: meta.name,
        attempt: meta.attempt,
        image: asked,
        image_id: if container.image_id.is_empty() { container.image_ref } else { container.image_id },
        state,
        created: created(container.created_at),
        labels: container.labels.into_iter().collect(),
        annotations: container.annotations.into_iter().collect(),
        detail: None,
    }
}

pub fn detail(status: cri::ContainerStatus) -> ContainerDetail {
    ContainerDetail {
        started: time(status.started_at),
        finished: time(status.finished_at),
        exit_code: status.exit_code,
        reason: status.reason,
        message: status.message,
        log_path: status.log_path,
        image_volumes: status
            .mounts
            .into_iter()
            .filter_map(|m| Some(m.image?.image))
            .filter(|i| !i.is_empty())
            .collect(),
    }
}

pub fn image(image: cri::Image) -> Image {
    let user = image.uid.map(|uid| uid.value.to_string()).unwrap_or(image.username);
    Image {
        id: image.id,
        tags: image.repo_tags,
        digests: image.repo_digests,
        size: image.size,
        pinned: image.pinned,
        username: user,
    }
}

pub fn stats(stats: cri::ContainerStats) -> ContainerStats {
    let value = |v: Option<cri::UInt64Value>| v.map(|v| v.value);
    let (cpu, memory, layer) = (stats.cpu.unwrap_or_default(), stats.memory.unwrap_or_default(), stats.writable_layer);
    ContainerStats {
        id: stats.attributes.unwrap_or_default().id,
        at: time(cpu.timestamp),
        cpu_nanos: value(cpu.usage_core_nano_seconds),
        cpu_nanocores: value(cpu.usage_nano_cores),
        memory_limit: limit(&memory),
        memory_working_set: value(memory.working_set_bytes),
        layer_bytes: layer.as_ref().and_then(|l| l.used_bytes.map(|v| v.value)),
        layer_inodes: layer.as_ref().and_then(|l| l.inodes_used.map(|v| v.value)),
        pids: None,
    }
}

/// What is available is what is left of the limit; without one runtimes say 0.
pub fn limit(memory: &cri::MemoryUsage) -> Option<u64> {
    let (available, used) = (memory.available_bytes.as_ref()?.value, memory.working_set_bytes.as_ref()?.value);
    if available > 0 { available.checked_add(used) } else { None }
}

pub fn conditions(status: Option<cri::RuntimeStatus>) -> Vec<Condition> {
    let list = status.unwrap_or_default().conditions;
    list.into_iter().map(|c| Condition { name: c.r#type, ok: c.status, reason: c.reason, message: c.message }).collect()
}

pub fn snapshot(s: node::containerd::StoredSnapshot) -> SnapshotRow {
    SnapshotRow {
        snapshotter: s.snapshotter,
        namespace: s.namespace,
        key: s.key,
        parent: s.parent,
        kind: s.kind,
        bytes: s.bytes,
        inodes: s.inodes,
        created: s.created,
        labels: s.labels,
    }
}

/// One line of ImageFsInfo, with the figures of the filesystem that holds it.
pub fn disk(what: &str, usage: cri::FilesystemUsage) -> DiskUse {
    let path = usage.fs_id.unwrap_or_default().mountpoint;
    let (total_bytes, free_bytes) = filesystem(&path);
    DiskUse {
        what: what.to_owned(),
        used_bytes: usage.used_bytes.unwrap_or_default().value,
        used_inodes: usage.inodes_used.unwrap_or_default().value,
        total_bytes,
        free_bytes,
        path,
    }
}

/// Size and room of the filesystem that holds a path; 0 if not known.
fn filesystem(path: &str) -> (u64, u64) {
    let stat = rustix::fs::statvfs(path).ok();
    stat.map_or((0, 0), |s| (s.f_blocks.saturating_mul(s.f_frsize), s.f_bavail.saturating_mul(s.f_frsize)))
}

/// Containers whose logs are told of by themselves.
const LOGS: usize = 50;

/// What the logs of each container take where the kubelet has them (`NAMESPACE_POD_UID/CONTAINER`), the largest first. Blocks:
/// walks the directory `under`.
pub fn logs(under: &Path) -> Vec<DiskUse> {
    let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
    let of_pod = |pod: std::fs::DirEntry| entries(&pod.path()).collect::<Vec<_>>();
    let one = |directory: std::fs::DirEntry| {
        let name = directory.file_name().into_string().ok()?;
        let path = directory.path().to_str()?.to_owned();
        Some((format!("logs of {name}"), path))
    };
    let places: Vec<_> = entries(under).flat_map(of_pod).filter_map(one).collect();
    let mut found: Vec<_> = node::disk::trees(Path::new("/"), &places).into_iter().filter(|t| t.bytes > 0).collect();
    found.sort_by_key(|t| std::cmp::Reverse(t.bytes));
    found.truncate(LOGS);
    found.into_iter().map(tree).collect()
}

pub fn share(share: node::shares::Share) -> DiskUse {
    tree(node::disk::Tree {
        what: share.what,
        path: share.path,
        bytes: share.bytes,
        files: share.files,
        partial: false,
    })
}

/// What was measured of a directory, with the figures of the filesystem that holds it.
pub fn tree(tree: node::disk::Tree) -> DiskUse {
    let (total_bytes, free_bytes) = filesystem(&tree.path);
    DiskUse {
        what: tree.what,
        path: tree.path,
        used_bytes: tree.bytes,
        used_inodes: tree.files,
        total_bytes,
        free_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_told_by_container_and_the_largest_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        let put = |pod: &str, container: &str, bytes: usize| {
            let path = dir.path().join(pod).join(container);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("0.log"), vec![b'x'; bytes]).unwrap();
        };
        put("shop_web_1", "web", 100_000);
        put("shop_web_1", "proxy", 10);
        put("shop_cart_2", "redis", 3_000_000);
        let found = logs(dir.path());
        let names: Vec<&str> = found.iter().map(|d| d.what.as_str()).collect();
        assert_eq!(names, ["logs of redis", "logs of web", "logs of proxy"]);
        assert!(found[0].used_bytes >= 3_000_000 && found[0].total_bytes > 0, "{:?}", found[0]);
        assert!(found[0].path.ends_with("shop_cart_2/redis"), "{}", found[0].path);
        assert!(logs(&dir.path().join("none")).is_empty());
    }

    #[test]
    fn what_is_not_reported_stays_unknown() {
        let empty = stats(cri::ContainerStats::default());
        assert_eq!((empty.cpu_nanos, empty.memory_limit, empty.layer_bytes), (None, None, None));
        let memory = cri::MemoryUsage {
            working_set_bytes: Some(cri::UInt64Value { value: 10 }),
            available_bytes: Some(cri::UInt64Value { value: 90 }),
            ..Default::default()
        };
        let limited = stats(cri::ContainerStats { memory: Some(memory), ..Default::default() });
        assert_eq!(limited.memory_limit, Some(100));
    }

    #[test]
    fn times_before_the_epoch_are_none() {
        assert_eq!((time(0), time(-1)), (None, None));
        assert_eq!(time(1_000_000_000), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
    }
}
