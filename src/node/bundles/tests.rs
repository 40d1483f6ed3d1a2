//! Bundles on a directory that stands for a node.

use std::time::Duration;

use super::*;
use crate::node::target;

struct Node(tempfile::TempDir);

impl Node {
    fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        node.put("/proc/1/mountinfo", "");
        node
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = below(self.0.path(), path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn process(&self, pid: u32, name: &str, parent: u32, group: &str) {
        let zeros = "0 ".repeat(30);
        self.put(&format!("/proc/{pid}/stat"), format!("{pid} ({name}) S {parent} {zeros}"));
        self.put(&format!("/proc/{pid}/comm"), format!("{name}\n"));
        self.put(&format!("/proc/{pid}/cgroup"), format!("0::{group}\n"));
    }

    fn collect(&self, layout: Layout, root: &str, state: &str) -> BundleFacts {
        let places = Places { layout, root: root.to_owned(), state: state.to_owned() };
        assert!(exist(self.0.path(), &places));
        collect(self.0.path(), &places).unwrap()
    }
}

fn spec(kind: &str, name: &str, group: &str) -> String {
    serde_json::json!({ "linux": { "cgroupsPath": group }, "annotations": {
        "io.kubernetes.cri.container-type": kind, "io.kubernetes.cri.sandbox-id": "pod1",
        "io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-namespace": "shop",
        "io.kubernetes.cri.sandbox-uid": "uid-1", "io.kubernetes.cri.container-name": name,
        "io.kubernetes.cri.image-name": "example.com/a:1",
        "io.kubernetes.cri.sandbox-log-directory": "/var/log/pods/shop_web_uid-1" } })
    .to_string()
}

const TASK: &str = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";

#[test]
fn containerds_bundles_say_who_lives() {
    let node = Node::new();
    for (id, kind, name, pid) in [
        ("pod1", "sandbox", "", "10"),
        ("running", "container", "app", "11"),
        ("ended", "container", "gone", "12"),
        ("reused", "container", "old", "13"),
        ("made", "container", "new", "14"),
        ("zombie", "container", "z", "15"),
    ] {
        node.put(&format!("{TASK}/{id}/config.json"), spec(kind, name, &format!("/kubepods/pod/{id}")));
        node.put(&format!("{TASK}/{id}/init.pid"), pid);
    }
    node.put(&format!("{TASK}/nopid/config.json"), spec("container", "nopid", ""));
    node.process(5, "containerd-shim", 1, "/system");
    node.put(
        "/proc/5/cmdline",
        "/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0pod1\0-address\0/run/containerd/containerd.sock\0",
    );
    node.process(10, "pause", 5, "/kubepods/pod/pod1");
    node.process(11, "app", 99, "/kubepods/pod/running");
    node.process(13, "sshd", 1, "/user");
    node.process(14, "runc:[2:INIT]", 5, "/kubepods/pod/made");
    node.process(15, "z", 5, "/kubepods/pod/zombie");
    node.put("/proc/15/stat", format!("15 (z) Z 5 {}", "0 ".repeat(30)));
    node.put("/var/log/pods/shop_web_uid-1/app/0.log", "");
    node.put("/var/log/pods/shop_web_uid-1/app/12.log", "");
    node.put("/var/log/pods/shop_web_uid-1/app/2.log", "");
    node.put("/var/log/pods/stranger/x", "");
    let facts = node.collect(Layout::Containerd, "/var/lib/containerd", "/run/containerd");
    let of = |id: &str| facts.bundles.iter().find(|b| b.id == id).unwrap();
    let lives: Vec<Life> =
        ["pod1", "running", "ended", "reused", "made", "zombie", "nopid"].map(|id| of(id).life).into();
    use Life::*;
    assert_eq!(lives, [Alive, Alive, Ended, Ended, Made, Ended, Unknown]);
    let app = of("running");
    assert_eq!((app.pod.as_str(), app.pod_namespace.as_str(), app.uid.as_str()), ("web", "shop", "uid-1"));
    assert_eq!((app.name.as_str(), app.image.as_str(), app.pod_id.as_str()), ("app", "example.com/a:1", "pod1"));
    assert!(of("pod1").sandbox && !app.sandbox && app.made.is_some());
    assert_eq!(facts.logs.len(), 1);
    assert_eq!(facts.logs[0].containers, [("app".to_owned(), 12)]);
    assert_eq!(facts.shims.get("pod1"), Some(&5));
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
}

#[test]
fn what_is_hostile_or_broken_is_said_and_hides_nothing() {
    let node = Node::new();
    node.put(&format!("{TASK}/good/config.json"), spec("container", "app", "/a"));
    node.put(&format!("{TASK}/broken/config.json"), "{");
    node.put(&format!("{TASK}/empty/x"), "");
    node.put(&format!("{TASK}/{}/config.json", "n".repeat(200)), spec("container", "long", "/a"));
    node.put(&format!("{TASK}/.hidden/config.json"), spec("container", "hidden", "/a"));
    node.put(&format!("{TASK}/huge/config.json"), vec![b' '; (DOCUMENT + 1) as usize]);
    let long = serde_json::json!({ "annotations": { "io.kubernetes.cri.sandbox-name": "é".repeat(5000),
        "io.kubernetes.cri.sandbox-id": "../../etc" } });
    node.put(&format!("{TASK}/long/config.json"), long.to_string());
    let fifo = below(node.0.path(), TASK).join("pipe");
    std::fs::create_dir_all(&fifo).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, fifo.join("config.json"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let facts = node.collect(Layout::Containerd, "/var/lib/containerd", "/run/containerd");
    let ids: Vec<&str> = facts.bundles.iter().map(|b| b.id.as_str()).collect();
    assert_eq!(ids, ["broken", "good", "huge", "long", "pipe"]);
    assert_eq!(facts.problems.len(), 3, "{:?}", facts.problems);
    let long = facts.bundles.iter().find(|b| b.id == "long").unwrap();
    assert_eq!((long.pod.len(), long.pod_id.as_str()), (TEXT, "long"));
}

#[test]
fn crios_containers_with_their_ends() {
    let node = Node::new();
    let (root, state) = ("/var/lib/containers/storage", "/run/containers/storage");
    let spec = |kind: &str, name: &str| {
        serde_json::json!({ "annotations": {
            "io.kubernetes.cri-o.ContainerType": kind, "io.kubernetes.cri-o.SandboxID": "pod1",
            "io.kubernetes.pod.name": "web", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": "u",
            "io.kubernetes.container.name": name, "io.kubernetes.cri-o.ImageName": "example.com/a:1",
            "io.kubernetes.cri-o.Metadata": "{\"name\":\"app\",\"attempt\":3}",
            "io.kubernetes.cri-o.Labels": "{\"app\":\"web\"}", "io.kubernetes.cri-o.IP.0": "10.0.0.1",
            "io.kubernetes.cri-o.LogPath": "/var/log/pods/shop_web_u/app/3.log",
            "io.kubernetes.cri-o.Created": "2026-01-02T03:04:05.5Z" } })
        .to_string()
    };
    node.put(&format!("{state}/overlay-containers/pod1/userdata/config.json"), spec("sandbox", "POD"));
    node.put(&format!("{state}/overlay-containers/pod1/userdata/pidfile"), "20");
    node.process(20, "pause", 1, "/kubepods.slice/crio-pod1.scope");
    node.put(&format!("{root}/overlay-containers/c1/userdata/config.json"), spec("container", "app"));
    node.put(
        &format!("{root}/overlay-containers/c1/userdata/state.json"),
        r#"{"started":"2026-01-02T03:04:06Z","finished":"2026-01-02T03:04:07Z","exitCode":3}"#,
    );
    node.put(&format!("{root}/overlay-containers/podmans/userdata/config.json"), "{}");
    let facts = node.collect(Layout::Crio, root, state);
    assert_eq!(facts.bundles.len(), 2);
    let of = |id: &str| facts.bundles.iter().find(|b| b.id == id).unwrap();
    assert_eq!((of("pod1").life, of("pod1").ip.as_str(), of("pod1").sandbox), (Life::Alive, "10.0.0.1", true));
    let app = of("c1");
    assert_eq!((app.exit_code, app.attempt, app.name.as_str()), (Some(3), Some(3), "app"));
    assert_eq!(app.finished.unwrap().duration_since(app.started.unwrap()).unwrap(), Duration::from_secs(1));
    assert_eq!((app.labels["app"].as_str(), app.pod_id.as_str()), ("web", "pod1"));
    assert!(app.log_path.ends_with("/3.log"));
}

#[test]
fn wharfs_own_pods() {
    let node = Node::new();
    let id = "a".repeat(64);
    node.put("/run/wharf/pods/pod1/shim/pod.json", r#"{"cgroup":"/kubepods/pod-x/pause"}"#);
    node.put(&format!("/run/wharf/pods/pod1/containers/{id}/config.json"), spec("container", "app", ""));
    node.put(&format!("/run/wharf/pods/pod1/containers/{}/config.json", "b".repeat(64)), spec("container", "end", ""));
    node.process(30, "pause", 1, "/kubepods/pod-x/pause");
    node.process(31, "app", 30, &format!("/kubepods/pod-x/{id}"));
    let facts = node.collect(Layout::Wharf, "/var/lib/wharf", "/run/wharf");
    let lives: Vec<(bool, &str, Life)> = facts.bundles.iter().map(|b| (b.sandbox, b.pod.as_str(), b.life)).collect();
    assert_eq!(lives, [(false, "web", Life::Alive), (false, "web", Life::Ended), (true, "web", Life::Alive)]);
}

#[test]
fn the_shims_tell_where_their_runtime_keeps_its_things() {
    let node = Node::new();
    let (state, root) = ("/opt/c/run", "/opt/c/lib");
    let bundle = format!("{state}/io.containerd.runtime.v2.task/k8s.io/pod1");
    node.process(5, "containerd-shim", 1, "/");
    node.put("/proc/5/cmdline", "containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0pod1\0-address\0/opt/c/c.sock\0");
    node.put(&format!("{bundle}/x"), "");
    std::os::unix::fs::symlink(&bundle, below(node.0.path(), "/proc/5/cwd")).unwrap();
    let work = format!("{root}/io.containerd.runtime.v2.task/k8s.io/pod1");
    std::os::unix::fs::symlink(work, below(node.0.path(), &bundle).join("work")).unwrap();
    let found = places(node.0.path(), &target::find(node.0.path(), "/opt/c/c.sock"));
    let expected = Places { layout: Layout::Containerd, root: root.into(), state: state.into() };
    assert_eq!(found, expected);
    // Another runtime's shims prove nothing.
    let usual = places(node.0.path(), &target::find(node.0.path(), "/run/containerd/containerd.sock"));
    assert_eq!((usual.state.as_str(), usual.root.as_str()), ("/run/containerd", "/var/lib/containerd"));
    let wharf = places(node.0.path(), &target::find(node.0.path(), "/run/wharf/wharf.sock"));
    assert_eq!((wharf.layout, wharf.state.as_str()), (Layout::Wharf, "/run/wharf"));
    assert!(!exist(node.0.path(), &wharf));
    let k3s = places(node.0.path(), &target::find(node.0.path(), "/run/k3s/containerd/containerd.sock"));
    assert_eq!(k3s.state, "/run/k3s/containerd");
}

#[test]
fn this_machine_can_be_asked() {
    let facts = collect(Path::new("/"), &Places { state: "/nowhere".into(), ..Places::default() }).unwrap();
    assert!(facts.bundles.is_empty());
}
