//! What is mounted where by pods: asked of the runtime container by container when a person wants to see it, with the filesystem
//! that each comes from, and made lines to read.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use futures::future::join_all;
use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};

use super::{
    detail::DetailLine,
    event::{Event, Token},
    text::{self, SafeText},
    theme::{Tone, fullness},
};
use crate::{
    bail,
    client::{
        Runtime,
        types::{Container, ContainerState, ObjectRef, PodSandbox, Scope, Seen},
    },
    error::{Error, Kind, Result},
    node::{self, mounts},
};

const READ: Duration = Duration::from_secs(20);
/// For the filesystems: one may hang.
const LOOK: Duration = Duration::from_secs(3);
/// Containers asked about at one time, and mounts that are told.
const AT_ONCE: usize = 16;
const MOST: usize = 5000;
/// A look at one of these may hang with a machine elsewhere: they are named, and not asked how full they are.
const ELSEWHERE: &[&str] = &["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "glusterfs", "lustre", "autofs"];

/// One mount of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Volume {
    /// "namespace/name".
    pub pod: String,
    pub container: String,
    /// "emptyDir", "configMap", "hostPath", …: as the path tells it.
    pub kind: &'static str,
    /// Of a volume of the kubelet.
    pub name: String,
    pub source: String,
    pub path: String,
    pub read_only: bool,
    pub on: Option<Filesystem>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filesystem {
    pub kind: String,
    /// Used and whole; none of what was not asked.
    pub bytes: Option<(u64, u64)>,
}

pub async fn read(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, token: Token) {
    let result = match timeout(READ, volumes(runtime.as_ref())).await {
        Ok(result) => result.map_err(|e| format!("{e:#}")),
        Err(_) => Err(format!("ask for the mounts of all containers: timeout after {} s", READ.as_secs())),
    };
    // Nobody waits for it when the channel is closed.
    let _closed = send.send(Event::Volumes { token, result }).await;
}

async fn volumes(runtime: &dyn Runtime) -> Result<Vec<Volume>> {
    let seen = runtime.inventory(Scope { pods: true, ..Scope::default() }).await;
    let (pods, containers) = match (seen.pods, seen.containers) {
        (Seen::At { value: pods, .. }, Seen::At { value: containers, .. }) => (pods, containers),
        (pods, containers) => {
            let why = pods.error().or(containers.error()).unwrap_or("they were not told");
            bail!(Unavailable, "list pods and containers: {why}")
        }
    };
    let pods: BTreeMap<&str, &PodSandbox> = pods.iter().map(|p| (p.id.as_str(), p)).collect();
    let here = |c: &&Container| matches!(c.state, ContainerState::Running | ContainerState::Created);
    let wanted: Vec<&Container> = containers.iter().filter(here).collect();
    let mut all = Vec::new();
    for some in wanted.chunks(AT_ONCE) {
        let mut asked = Vec::new();
        for c in some {
            asked.push(async { runtime.inspect(&ObjectRef::Container(c.id.clone())).await });
        }
        for (c, status) in some.iter().zip(join_all(asked).await) {
            let pod = pods.get(c.pod.as_str()).map_or_else(|| c.pod.clone(), |p| format!("{}/{}", p.namespace, p.name));
            let status = match status {
                Ok(status) => status,
                // One that has gone meanwhile mounts nothing.
                Err(error) if error.is(Kind::NotFound) => continue,
                Err(error) => {
                    all.push(untold(pod, c.name.clone(), &error));
                    continue;
                }
            };
            let mounts = status.pointer("/status/mounts").and_then(Value::as_array).into_iter().flatten();
            all.extend(mounts.take(MOST - all.len().min(MOST)).map(|m| volume(&pod, &c.name, m)));
        }
    }
    all.sort_by(|a, b| (&a.pod, &a.container, &a.path).cmp(&(&b.pod, &b.container, &b.path)));
    let sources: Vec<String> = all.iter().map(|v| v.source.clone()).collect();
    // Without them the rest is worth telling.
    if let Ok(on) = node::within(LOOK, "look at the filesystems", move || filesystems(&sources)).await {
        for (volume, on) in all.iter_mut().zip(on) {
            volume.on = on;
        }
    }
    Ok(all)
}

fn filesystems(sources: &[String]) -> Result<Vec<Option<Filesystem>>> {
    let facts = mounts::of_init(Path::new("/"))?;
    let mut known: BTreeMap<&str, Filesystem> = BTreeMap::new();
    let one = |source: &String| {
        let mount = facts.of(source).filter(|_| source.starts_with('/'))?;
        let on = known.entry(mount.point.as_str()).or_insert_with(|| {
            let near = !ELSEWHERE.contains(&mount.kind.as_str()) && !mount.kind.starts_with("fuse");
            let stat = near.then(|| rustix::fs::statvfs(mount.point.as_str()).ok()).flatten();
            let bytes = stat.filter(|s| s.f_blocks > 0).map(|s| {
                (s.f_blocks.saturating_sub(s.f_bfree).saturating_mul(s.f_frsize), s.f_blocks.saturating_mul(s.f_frsize))
            });
            Filesystem { kind: mount.kind.clone(), bytes }
        });
        Some(on.clone())
    };
    Ok(sources.iter().map(one).collect())
}

/// A container that the runtime does not tell of: that is no container without mounts.
fn untold(pod: String, container: String, error: &Error) -> Volume {
    Volume { pod, container, kind: "unknown", name: format!("{error:#}"), ..Volume::default() }
}

/// As CRI tells a mount, in its JSON.
fn volume(pod: &str, container: &str, mount: &Value) -> Volume {
    let text = |key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (source, image) = (text("hostPath"), mount.pointer("/image/image").and_then(Value::as_str));
    let (kind, name) = match image.filter(|_| source.is_empty()) {
        Some(image) => ("image", image.to_owned()),
        None => kind_of(&source),
    };
    let read_only = mount.get("readonly").and_then(Value::as_bool).unwrap_or(false);
    let (pod, container) = (pod.to_owned(), container.to_owned());
    Volume { pod, container, kind, name, source, path: text("containerPath"), read_only, on: None }
}

/// What the kubelet has at a path: the kind of volume and its name. Anything else is the node's own.
fn kind_of(source: &str) -> (&'static str, String) {
    const KINDS: &[(&str, &str)] = &[
        ("kubernetes.io~empty-dir", "emptyDir"),
        ("kubernetes.io~configmap", "configMap"),
        ("kubernetes.io~secret", "secret"),
        ("kubernetes.io~projected", "projected"),
        ("kubernetes.io~downward-api", "downwardAPI"),
        ("kubernetes.io~csi", "csi"),
        ("kubernetes.io~nfs", "nfs"),
        ("kubernetes.io~local-volume", "local"),
        ("kubernetes.io~iscsi", "iscsi"),
        ("kubernetes.io~fc", "fc"),
    ];
    let Some((_, inside)) = source.split_once("/pods/").and_then(|(_, rest)| rest.split_once('/')) else {
        return ("hostPath", String::new());
    };
    let parts: Vec<&str> = inside.split('/').collect();
    let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
    match parts[0] {
        "volumes" => {
            let kind = KINDS.iter().find(|(directory, _)| parts.get(1) == Some(directory));
            (kind.map_or("volume", |(_, kind)| kind), part(2))
        }
        "volume-subpaths" => ("subPath", part(1)),
        "etc-hosts" => ("kubelet", "its hosts file".to_owned()),
        "containers" => ("kubelet", "its termination message".to_owned()),
        _ => ("hostPath", String::new()),
    }
}

pub fn lines(all: &[Volume]) -> Vec<DetailLine> {
    let line = |indent, key: &str, text: String, tone| DetailLine { indent, key: key.into(), text: text.into(), tone };
    if all.is_empty() {
        return vec![line(0, "nothing", "no running container has a mount that its pod asked for".into(), Tone::Dim)];
    }
    let mut out = Vec::new();
    let mut pod = None;
    for volume in all {
        if pod.replace(&volume.pod) != Some(&volume.pod) {
            out.push(line(0, &format!("Pod {}", volume.pod), String::new(), Tone::Head));
        }
        let ro = if volume.read_only { "  read-only" } else { "" };
        let name = if volume.name.is_empty() { String::new() } else { format!("  {}", volume.name) };
        let (on, tone) = match &volume.on {
            Some(Filesystem { kind, bytes: Some((used, total)) }) => {
                let percent = u128::from(*used) * 100 / u128::from((*total).max(1));
                (format!("  {kind} {} {percent}%", text::bytes_short(*total)), fullness(*used, *total))
            }
            Some(Filesystem { kind, bytes: None }) => (format!("  {kind}"), Tone::Plain),
            None => (String::new(), Tone::Plain),
        };
        let tone = if matches!(tone, Tone::Warn | Tone::Bad) { tone } else { Tone::Plain };
        // One text: a name that ends in the middle of something must not join what follows.
        let safe = |text: &str| SafeText::new(text).to_string();
        let head = format!("{}  {}{ro}{}{on}", safe(&volume.container), safe(&volume.path), safe(&name));
        out.push(line(1, volume.kind, head, tone));
        if !volume.source.is_empty() {
            out.push(line(2, "", volume.source.clone(), Tone::Dim));
        }
    }
    if all.len() >= MOST {
        out.push(line(0, "", format!("and more than these {MOST}"), Tone::Dim));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_named_by_where_it_comes_from() {
        let of = |path: &str| {
            let (kind, name) = kind_of(path);
            format!("{kind} {name}")
        };
        let pod = "/var/lib/kubelet/pods/3f2b-1";
        assert_eq!(of(&format!("{pod}/volumes/kubernetes.io~empty-dir/cache")), "emptyDir cache");
        assert_eq!(of(&format!("{pod}/volumes/kubernetes.io~csi/pvc-1/mount")), "csi pvc-1");
        assert_eq!(of(&format!("{pod}/volumes/example.com~own/data")), "volume data");
        assert_eq!(of(&format!("{pod}/volume-subpaths/conf/web/0")), "subPath conf");
        assert_eq!(of(&format!("{pod}/etc-hosts")), "kubelet its hosts file");
        assert_eq!(of("/etc/localtime"), "hostPath ");
        assert_eq!(of("/srv/pods/"), "hostPath ");
        let image = serde_json::json!({"containerPath": "/m", "hostPath": "", "image": {"image": "r.test/m:1"}, "readonly": true});
        let found = volume("a/b", "c", &image);
        assert_eq!((found.kind, found.name.as_str(), found.read_only), ("image", "r.test/m:1", true));
        let silent = untold("a/b".into(), "c".into(), &Error::new(Kind::DeadlineExceeded, "no answer within 2 s"));
        let line = lines(&[silent]).pop().unwrap();
        assert!(line.key.as_str() == "unknown" && line.text.as_str().contains("no answer within 2 s"), "{line:?}");
        let found = filesystems(&["/proc/sys".to_owned(), String::new()]).unwrap();
        assert_eq!(found[0].as_ref().map(|f| f.kind.as_str()), Some("proc"));
        assert_eq!(found[1], None);
    }
}
