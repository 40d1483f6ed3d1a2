//! A pod as a tree: sandbox and shim, containers with their image, snapshot chain, cgroup and log, network. Made from
//! the inventory and from the verbose statuses; pure.

use serde_json::Value;

use super::{
    detail::DetailLine,
    panes::{containers, pods},
    text::{self, SafeText},
    theme::Tone,
};
use crate::{
    client::{
        redact,
        types::{Container, Inventory, SnapshotRow},
    },
    node::process::Inside,
};

/// Processes of one container that are shown, and characters of a command.
const PROCESSES: usize = 40;
const COMMAND: usize = 200;

/// A branch of the tree: what it is, what it says, what hangs on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Branch {
    name: String,
    text: String,
    tone: Tone,
    twigs: Vec<Branch>,
}

fn leaf(name: &str, text: impl Into<String>) -> Branch {
    Branch { name: name.to_owned(), text: text.into(), ..Branch::default() }
}

/// `family` is `{"pod": …, "containers": {id: …}}`, each as `inspect` gives it.
pub fn lines(seen: &Inventory, pod: &str, family: &Value) -> Vec<DetailLine> {
    let mut out = Vec::new();
    let Some(found) = seen.pods.value().into_iter().flatten().find(|p| p.id == pod) else {
        return vec![line("the pod has gone", "", Tone::Warn)];
    };
    let all = seen.containers.value().map(Vec::as_slice).unwrap_or_default();
    let (status, tone) = pods::status(found, all);
    out.push(line(&format!("pod {}/{}", found.namespace, found.name), &status, tone));
    let mut branches = vec![sandbox(&found.id, &found.ip, family.get("pod").unwrap_or(&Value::Null))];
    let mut inside: Vec<&Container> = all.iter().filter(|c| c.pod == pod).collect();
    inside.sort_by(|a, b| (&a.name, b.attempt).cmp(&(&b.name, a.attempt)));
    if inside.is_empty() {
        branches.push(leaf("containers", "none was made; Events (8) may tell why"));
    }
    for container in inside {
        let status = family.pointer(&format!("/containers/{}", container.id)).unwrap_or(&Value::Null);
        branches.push(self::container(seen, container, status));
    }
    draw(&mut out, &branches, "");
    out
}

fn line(key: &str, text: &str, tone: Tone) -> DetailLine {
    DetailLine { indent: 0, key: SafeText::new(key), text: SafeText::new(text), tone }
}

fn draw(out: &mut Vec<DetailLine>, branches: &[Branch], before: &str) {
    for (at, branch) in branches.iter().enumerate() {
        let last = at + 1 == branches.len();
        let (fork, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        out.push(line(&format!("{before}{fork}{}", branch.name), &branch.text, branch.tone));
        draw(out, &branch.twigs, &format!("{before}{below}"));
    }
}

fn word(value: &Value, pointers: &[&str]) -> Option<String> {
    let found = pointers.iter().find_map(|p| value.pointer(p).filter(|v| !v.is_null() && *v != ""))?;
    Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
}

fn sandbox(id: &str, ip: &str, status: &Value) -> Branch {
    let mut twigs = Vec::new();
    let mut put = |name: &str, value: Option<String>| twigs.extend(value.map(|v| leaf(name, v)));
    put("pid", word(status, &["/info/pid"]).filter(|p| p != "0"));
    put("shim", word(status, &["/shim"]));
    let ips = status.pointer("/status/network/additionalIps").and_then(Value::as_array).into_iter().flatten();
    let more: Vec<&str> = ips.filter_map(|v| v.get("ip")?.as_str()).collect();
    let address = if ip.is_empty() { "the host's".to_owned() } else { [&[ip][..], &more].concat().join(" ") };
    put("address", Some(address));
    put("netns", namespace(status).or_else(|| word(status, &["/info/netns", "/info/networkNamespace"])));
    put(
        "cgroup",
        word(status, &["/info/cgroup", "/info/runtimeSpec/linux/cgroupsPath", "/info/config/linux/cgroup_parent"]),
    );
    put("handler", word(status, &["/status/runtimeHandler"]));
    put("bundle", word(status, &["/info/bundle"]));
    put("logs", word(status, &["/info/config/log_directory", "/info/config/logDirectory"]));
    Branch { name: "sandbox".into(), text: text::short_id(id).to_owned(), tone: Tone::Plain, twigs }
}

fn namespace(status: &Value) -> Option<String> {
    let all = status.pointer("/info/runtimeSpec/linux/namespaces")?.as_array()?;
    let network = all.iter().find(|n| n.get("type").is_some_and(|t| t == "network"))?;
    Some(network.get("path").and_then(Value::as_str).unwrap_or("its own").to_owned())
}

fn container(seen: &Inventory, container: &Container, status: &Value) -> Branch {
    let (state, tone) = containers::state(container);
    let mut twigs = Vec::new();
    let mut put = |name: &str, value: Option<String>| twigs.extend(value.map(|v| leaf(name, v)));
    put("pid", word(status, &["/info/pid"]).filter(|p| p != "0"));
    put("image", Some(container.image.clone()));
    put("cgroup", word(status, &["/info/cgroup", "/info/runtimeSpec/linux/cgroupsPath"]));
    let log = container.detail.as_ref().map(|d| d.log_path.clone()).filter(|p| !p.is_empty());
    put("log", log.or_else(|| word(status, &["/status/logPath"])));
    twigs.extend(processes(status));
    let key = word(status, &["/info/snapshotKey"]).unwrap_or_else(|| container.id.clone());
    if let Some(chain) = chain(seen, &key) {
        twigs.push(chain);
    }
    let mounts = status.pointer("/status/mounts").and_then(Value::as_array).into_iter().flatten();
    let mounts: Vec<Branch> = mounts
        .map(|m| {
            let get = |k: &str| m.get(k).and_then(Value::as_str).unwrap_or_default();
            leaf(get("containerPath"), get("hostPath"))
        })
        .collect();
    if !mounts.is_empty() {
        twigs.push(Branch { name: "mounts".into(), text: mounts.len().to_string(), tone: Tone::Dim, twigs: mounts });
    }
    let attempt = if container.attempt > 0 { format!(" #{}", container.attempt) } else { String::new() };
    Branch { name: format!("container {}{attempt}", container.name), text: state, tone, twigs }
}

/// Each with its number on the node and in the container, state, memory and processor time.
fn processes(status: &Value) -> Option<Branch> {
    let list: Vec<Inside> = serde_json::from_value(status.get("processes")?.clone()).ok()?;
    let shown = list.iter().take(PROCESSES).map(|p| {
        let time = format!("{}:{:02}", p.cpu / 60, p.cpu % 60);
        let command: String = redact::text(&p.command).chars().take(COMMAND).collect();
        let text = format!("{} {:>7} {time:>6}  {command}", p.state, text::bytes_short(p.resident));
        leaf(&format!("{} ({})", p.pid, p.own), text)
    });
    let mut twigs: Vec<Branch> = shown.collect();
    if list.len() > PROCESSES {
        twigs.push(leaf("more", (list.len() - PROCESSES).to_string()));
    }
    let text = format!("{}, {} in memory", list.len(), text::bytes(list.iter().map(|p| p.resident).sum()));
    Some(Branch { name: "processes".into(), text, tone: Tone::Dim, twigs })
}

/// The writable snapshot and all below it.
fn chain(seen: &Inventory, key: &str) -> Option<Branch> {
    let all = seen.snapshots.value()?;
    let mut at: Option<&SnapshotRow> = Some(all.iter().find(|s| s.key == key)?);
    let (mut twigs, mut total) = (Vec::new(), 0);
    // A damaged database may have a ring; a chain is never longer than an image's layers.
    for _ in 0..128 {
        let Some(s) = at else { break };
        total += s.bytes.unwrap_or(0);
        let size = s.bytes.map_or_else(|| "-".into(), text::bytes_short);
        twigs.push(leaf(&s.kind, format!("{size:>6}  {}", text::short_id(&s.key))));
        at = s.parent.as_ref().and_then(|p| {
            all.iter().find(|o| o.key == *p && o.snapshotter == s.snapshotter && o.namespace == s.namespace)
        });
    }
    let text = format!("{} in {} layers", text::bytes(total), twigs.len());
    Some(Branch { name: "snapshots".into(), text, tone: Tone::Dim, twigs })
}
