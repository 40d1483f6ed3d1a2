//! What a runtime leaves on disk and in /proc of the pods it runs: OCI bundles, shims, pid files, log directories. Read without
//! asking the runtime, so it works when that is dead or hangs. containerd, CRI-O and wharf; nothing here judges.

use std::{
    collections::BTreeMap,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{below, cgroup, process, target::Target};
use crate::{
    bail,
    error::{Error, Result},
};

/// Bundles of one runtime, and log directories: a node has a few hundred.
const MOST: usize = 8192;
/// Bytes of one document: a spec with very many mounts has some hundred KiB.
const DOCUMENT: u64 = 4 << 20;
/// Bytes of one name or value taken from a document, and of them in one map.
const TEXT: usize = 4096;
const ENTRIES: usize = 256;
/// containerd's directory of tasks, below its state and below its root.
const TASKS: &str = "io.containerd.runtime.v2.task";

/// Whose layout a directory has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    #[default]
    Containerd,
    Crio,
    Wharf,
}

impl Layout {
    /// As the runtime calls itself in CRI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Crio => "cri-o",
            Self::Wharf => "wharf",
        }
    }
}

/// Where a runtime keeps its things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    pub layout: Layout,
    /// What outlives a reboot.
    pub root: String,
    pub state: String,
}

/// Whether the process of a bundle lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    /// The bundle names no process.
    #[default]
    Unknown,
    /// An OCI runtime holds it until the start.
    Made,
    Alive,
    Ended,
}

/// One pod sandbox or container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    pub id: String,
    /// containerd's; empty for the others.
    pub namespace: String,
    pub path: String,
    /// The pod's own, not a container of it.
    pub sandbox: bool,
    /// The sandbox it belongs to, which is its own id for a sandbox.
    pub pod_id: String,
    pub pod: String,
    pub pod_namespace: String,
    pub uid: String,
    /// Of the container.
    pub name: String,
    pub image: String,
    /// Digest of the image's configuration.
    pub image_id: String,
    pub attempt: Option<u32>,
    /// Of the pod, where CRI was told one.
    pub log_directory: String,
    pub log_path: String,
    pub ip: String,
    pub handler: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// `linux.cgroupsPath` of the spec.
    pub cgroup: String,
    pub pid: Option<u32>,
    pub life: Life,
    pub made: Option<SystemTime>,
    pub started: Option<SystemTime>,
    pub finished: Option<SystemTime>,
    pub exit_code: Option<i32>,
    pub reason: String,
    pub message: String,
}

/// A pod's directory below /var/log/pods, and the newest log of each container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodLogs {
    pub namespace: String,
    pub pod: String,
    pub uid: String,
    pub path: String,
    /// Container, number of its newest log.
    pub containers: Vec<(String, u32)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFacts {
    pub places: Places,
    pub bundles: Vec<Bundle>,
    pub logs: Vec<PodLogs>,
    /// containerd's shims that live, by the id they were started for: pid.
    pub shims: BTreeMap<String, u32>,
    /// Everything the runtime has is in `bundles`, also what has no process any more.
    pub whole: bool,
    /// What was there and could not be understood, a line each.
    pub problems: Vec<String>,
}

/// Where the runtime behind a socket keeps its things: what its shims or monitors tell, else its configuration, else the usual
/// places.
pub fn places(root: &Path, target: &Target) -> Places {
    let shim = process::pids(root).unwrap_or_default().into_iter().find_map(|pid| shim_of(root, pid, &target.socket));
    if let Some(Shim { state: Some(state), root: data, .. }) = shim {
        let data = data.unwrap_or_else(|| target.root.clone());
        return Places { layout: Layout::Containerd, root: data, state };
    }
    if let Some(places) = crio::monitored(root, &target.socket).filter(|_| target.name == "crio") {
        return places;
    }
    let layout = match target.name.as_str() {
        "crio" => Layout::Crio,
        "wharf" => Layout::Wharf,
        _ if target.socket.ends_with("/wharf.sock") => Layout::Wharf,
        _ => Layout::Containerd,
    };
    if layout == Layout::Wharf && target.name != "wharf" {
        return Places { layout, root: "/var/lib/wharf".to_owned(), state: "/run/wharf".to_owned() };
    }
    if target.pid.is_none() && target.socket.contains("/k3s/") {
        let (root, state) = ("/var/lib/rancher/k3s/agent/containerd".to_owned(), "/run/k3s/containerd".to_owned());
        return Places { layout, root, state };
    }
    Places { layout, root: target.root.clone(), state: target.state.clone() }
}

/// Whether there is anything of a runtime.
pub fn exist(root: &Path, places: &Places) -> bool {
    let data = match places.layout {
        Layout::Containerd => "io.containerd.metadata.v1.bolt",
        Layout::Crio => "overlay-containers",
        Layout::Wharf => "content",
    };
    has_run(root, places) || below(root, &places.root).join(data).is_dir()
}

/// Whether it has run since the machine was started.
pub fn has_run(root: &Path, places: &Places) -> bool {
    let state = below(root, &places.state);
    match places.layout {
        Layout::Containerd => state.join(TASKS).is_dir(),
        // Podman has the same storage.
        Layout::Crio => state.join("overlay-containers").is_dir() && below(root, "/run/crio").is_dir(),
        Layout::Wharf => state.join("pods").is_dir(),
    }
}

/// # Errors
/// If a directory is there and cannot be listed: for want of a right, say.
pub fn collect(root: &Path, places: &Places) -> Result<BundleFacts> {
    let mut facts = BundleFacts { places: places.clone(), ..BundleFacts::default() };
    for pid in process::pids(root)? {
        if let Some(Shim { id, .. }) = shim_of(root, pid, "") {
            facts.shims.insert(id, pid);
        }
    }
    match places.layout {
        Layout::Containerd => containerd(root, &mut facts)?,
        Layout::Crio => crio::collect(root, &mut facts)?,
        Layout::Wharf => wharf(root, &mut facts)?,
    }
    facts.whole |= places.layout != Layout::Containerd;
    facts.logs = pod_logs(root)?;
    Ok(facts)
}

struct Shim {
    id: String,
    /// The runtime's state directory and its root, as far as /proc tells.
    state: Option<String>,
    root: Option<String>,
}

/// A shim of containerd's, of the runtime on this socket if one is named. It stands in the bundle it was started for, whose
/// `work` is a link into the runtime's root.
fn shim_of(root: &Path, pid: u32, socket: &str) -> Option<Shim> {
    let name = super::read(&below(root, format!("/proc/{pid}/comm"))).ok()?;
    if !name.starts_with("containerd-shim") {
        return None;
    }
    let command = process::command(root, pid);
    let option = |name: &str| {
        let at = command.iter().position(|a| a.starts_with('-') && a.trim_start_matches('-') == name)?;
        command.get(at + 1).cloned()
    };
    let address = option("address").unwrap_or_default();
    if !socket.is_empty() && address.trim_start_matches("/var") != socket.trim_start_matches("/var") {
        return None;
    }
    let id = option("id").filter(|id| is_id(id))?;
    let before =
        |path: PathBuf| path.to_str().and_then(|p| p.split_once(&format!("/{TASKS}/"))).map(|p| p.0.to_owned());
    let cwd = std::fs::read_link(below(root, format!("/proc/{pid}/cwd"))).unwrap_or_default();
    let work = std::fs::read_link(below(root, &cwd).join("work")).unwrap_or_default();
    Some(Shim { id, state: before(cwd), root: before(work) })
}

/// Ids are names of files and directories.
fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (1..=128).contains(&id.len()) && id.chars().all(plain) && !id.starts_with('.')
}

/// Names in a directory, sorted and bounded; none if it is not there.
fn list(path: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(Error::io("list", path, e)),
    };
    let mut names: Vec<String> =
        entries.flatten().take(MOST).filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// A regular file, without waiting for one that is not, and no more of it than fits.
///
/// # Errors
/// That of the open or the read; `InvalidArgument` if it is another kind of file or too long.
pub fn regular(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let opened = std::fs::File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path);
    let file = opened.map_err(|e| Error::io("open", path, e))?;
    let meta = file.metadata().map_err(|e| Error::io("stat", path, e))?;
    if !meta.is_file() || meta.len() > limit {
        bail!(InvalidArgument, "{} is no regular file of at most {limit} bytes", path.display());
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    Ok(bytes)
}

/// # Errors
/// As [`regular`]; `InvalidArgument` if it is not JSON.
pub fn document(path: &Path) -> Result<Value> {
    let bytes = regular(path, DOCUMENT)?;
    serde_json::from_slice(&bytes).map_err(|e| {
        Error::new(crate::error::Kind::InvalidArgument, format!("{} is not JSON", path.display())).with_source(e)
    })
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// The strings of a JSON object.
pub fn strings(value: Option<&Value>) -> BTreeMap<String, String> {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    pairs.take(ENTRIES).filter_map(|(k, v)| Some((cut(k), cut(v.as_str()?)))).collect()
}

fn time(text: &str) -> Option<SystemTime> {
    let at: jiff::Timestamp = text.parse().ok()?;
    SystemTime::try_from(at).ok().filter(|t| *t > SystemTime::UNIX_EPOCH)
}

fn containerd(root: &Path, facts: &mut BundleFacts) -> Result<()> {
    let tasks = format!("{}/{TASKS}", facts.places.state);
    for namespace in list(&below(root, &tasks))?.into_iter().filter(|n| is_id(n)) {
        let directory = format!("{tasks}/{namespace}");
        for id in list(&below(root, &directory))?.into_iter().filter(|id| is_id(id)) {
            if facts.bundles.len() >= MOST {
                return Ok(());
            }
            let path = format!("{directory}/{id}");
            let mut bundle = Bundle { namespace: namespace.clone(), ..empty(root, &id, &path) };
            match document(&below(root, &path).join("config.json")) {
                Ok(spec) => of_spec(&mut bundle, &spec),
                // Between the making of the directory and of the file, or the other way round.
                Err(error) if error.is(crate::error::Kind::NotFound) => continue,
                Err(error) => facts.problems.push(format!("{error:#}")),
            }
            bundle.pid = pid_in(&below(root, &path).join("init.pid"));
            bundle.life = life(root, &bundle, facts.shims.values());
            facts.bundles.push(bundle);
        }
    }
    match super::containerd::records(root, &facts.places.root, &mut facts.problems) {
        Ok(Some(records)) => {
            facts.whole = true;
            join(&mut facts.bundles, records);
        }
        Ok(None) => {}
        // The bundles tell most of it.
        Err(error) => facts.problems.push(format!("{error:#}")),
    }
    Ok(())
}

/// What containerd has recorded, with the life of the bundles; a container that has ended has no bundle any more.
fn join(bundles: &mut Vec<Bundle>, records: Vec<Bundle>) {
    let mut at: BTreeMap<(String, String), usize> =
        bundles.iter().enumerate().map(|(n, b)| ((b.namespace.clone(), b.id.clone()), n)).collect();
    for mut record in records.into_iter().filter(|r| is_id(&r.id)) {
        let Some(bundle) = at.remove(&(record.namespace.clone(), record.id.clone())).and_then(|n| bundles.get_mut(n))
        else {
            if bundles.len() < MOST {
                bundles.push(record);
            }
            continue;
        };
        record.path = std::mem::take(&mut bundle.path);
        record.cgroup = std::mem::take(&mut bundle.cgroup);
        (record.pid, record.life) = (bundle.pid, bundle.life);
        for (own, other) in [
            (&mut record.pod, &mut bundle.pod),
            (&mut record.pod_namespace, &mut bundle.pod_namespace),
            (&mut record.uid, &mut bundle.uid),
            (&mut record.log_directory, &mut bundle.log_directory),
        ] {
            if own.is_empty() {
                *own = std::mem::take(other);
            }
        }
        *bundle = record;
    }
}

fn empty(root: &Path, id: &str, path: &str) -> Bundle {
    let made = std::fs::metadata(below(root, path).join("config.json")).and_then(|m| m.modified()).ok();
    Bundle { id: id.to_owned(), path: path.to_owned(), made, pod_id: id.to_owned(), ..Bundle::default() }
}

fn pid_in(path: &Path) -> Option<u32> {
    let bytes = regular(path, 64).ok()?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok().filter(|pid| *pid > 0)
}

/// containerd's annotations; wharf has them too.
fn of_spec(bundle: &mut Bundle, spec: &Value) {
    let annotations = strings(spec.get("annotations"));
    let of = |name: &str| annotations.get(&format!("io.kubernetes.cri.{name}")).cloned().unwrap_or_default();
    bundle.sandbox = of("container-type") == "sandbox";
    let sandbox = of("sandbox-id");
    if is_id(&sandbox) {
        bundle.pod_id = sandbox;
    }
    (bundle.pod, bundle.pod_namespace, bundle.uid) = (of("sandbox-name"), of("sandbox-namespace"), of("sandbox-uid"));
    (bundle.name, bundle.image, bundle.log_directory) =
        (of("container-name"), of("image-name"), of("sandbox-log-directory"));
    bundle.cgroup = cut(spec.pointer("/linux/cgroupsPath").and_then(Value::as_str).unwrap_or_default());
}

/// A pid may be used again, so the process must also be in the group of the container, or below one of the shims.
fn life<'a>(root: &Path, bundle: &Bundle, shims: impl Iterator<Item = &'a u32>) -> Life {
    let Some(pid) = bundle.pid else { return Life::Unknown };
    let Some(stat) = process::stat(root, pid).filter(|s| !matches!(s.state, 'Z' | 'X')) else { return Life::Ended };
    let groups = super::read(&below(root, format!("/proc/{pid}/cgroup"))).unwrap_or_default();
    let leaf = bundle.cgroup.rsplit(['/', ':']).next().unwrap_or_default();
    let own = groups.contains(&bundle.id) || (leaf.len() > 8 && groups.contains(leaf));
    let mut shims = shims;
    if !own && !shims.any(|shim| *shim == stat.parent) {
        return Life::Ended;
    }
    // What runc's and crun's process is called until it becomes the container's.
    if stat.name.starts_with("runc:[") || stat.name == "crun" { Life::Made } else { Life::Alive }
}

/// Containers with a process, by what the processes' groups are called.
fn live(root: &Path) -> BTreeMap<String, u32> {
    let groups = cgroup::collect(root).unwrap_or_default().live;
    let mut live = BTreeMap::new();
    for group in groups {
        live.entry(group.container).or_insert(group.pid);
    }
    live
}

/// wharf's pods, each with its shim's document and a bundle a container.
fn wharf(root: &Path, facts: &mut BundleFacts) -> Result<()> {
    let pods = format!("{}/pods", facts.places.state);
    let live = live(root);
    for pod in list(&below(root, &pods))?.into_iter().filter(|id| is_id(id)) {
        let path = format!("{pods}/{pod}");
        let shim = below(root, &path).join("shim/pod.json");
        let made = std::fs::metadata(&shim).and_then(|m| m.modified()).ok();
        let mut sandbox = Bundle { sandbox: true, made, ..empty(root, &pod, &path) };
        sandbox.pid = live.get(&pod).copied();
        match document(&shim) {
            Ok(document) => {
                sandbox.cgroup = cut(document.get("cgroup").and_then(Value::as_str).unwrap_or_default());
                sandbox.pid = sandbox.pid.or_else(|| in_group(root, &sandbox.cgroup));
            }
            Err(error) => facts.problems.push(format!("{error:#}")),
        }
        sandbox.life = if sandbox.pid.is_some() { Life::Alive } else { Life::Ended };
        let containers = format!("{path}/containers");
        for id in list(&below(root, &containers))?.into_iter().filter(|id| is_id(id)) {
            if facts.bundles.len() >= MOST {
                return Ok(());
            }
            let path = format!("{containers}/{id}");
            let mut bundle = empty(root, &id, &path);
            match document(&below(root, &path).join("config.json")) {
                Ok(spec) => of_spec(&mut bundle, &spec),
                Err(error) if error.is(crate::error::Kind::NotFound) => continue,
                Err(error) => facts.problems.push(format!("{error:#}")),
            }
            bundle.pod_id.clone_from(&pod);
            bundle.pid = live.get(&id).copied();
            bundle.life = if bundle.pid.is_some() { Life::Alive } else { Life::Ended };
            (sandbox.pod, sandbox.pod_namespace) = (bundle.pod.clone(), bundle.pod_namespace.clone());
            facts.bundles.push(bundle);
        }
        facts.bundles.push(sandbox);
    }
    Ok(())
}

/// The first process of a group whose path is known and whose name is no id.
fn in_group(root: &Path, path: &str) -> Option<u32> {
    let inside = |pid: &u32| {
        let text = super::read(&below(root, format!("/proc/{pid}/cgroup"))).unwrap_or_default();
        text.lines().filter_map(|l| l.splitn(3, ':').nth(2)).any(|p| p == path)
    };
    process::pids(root).unwrap_or_default().into_iter().find(|pid| !path.is_empty() && inside(pid))
}

/// `/var/log/pods/NAMESPACE_NAME_UID/CONTAINER/N.log`.
fn pod_logs(root: &Path) -> Result<Vec<PodLogs>> {
    let mut found = Vec::new();
    for entry in list(&below(root, "/var/log/pods"))? {
        let mut parts = entry.splitn(3, '_');
        let (Some(namespace), Some(pod), Some(uid)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let path = format!("/var/log/pods/{entry}");
        found.push(PodLogs {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            uid: uid.to_owned(),
            containers: logs_in(root, &path),
            path,
        });
    }
    Ok(found)
}

/// The containers that have logs in a pod's directory, and the number of the newest of each.
pub fn logs_in(root: &Path, directory: &str) -> Vec<(String, u32)> {
    let directory = below(root, directory);
    let newest = |container: String| {
        let numbers = list(&directory.join(&container)).ok()?;
        let newest = numbers.iter().filter_map(|n| n.strip_suffix(".log")?.parse::<u32>().ok()).max()?;
        Some((container, newest))
    };
    list(&directory).unwrap_or_default().into_iter().take(ENTRIES).filter_map(newest).collect()
}

mod crio;
#[cfg(test)]
mod tests;
