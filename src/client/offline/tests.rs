//! A node below a directory, whose containerd is dead: what it tells.

use super::{parts::log, *};
use crate::{
    client::{
        change::Signal,
        types::{ContainerState, PodState},
    },
    node::bundles,
};

struct Node(tempfile::TempDir);

const TASK: &str = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
const LOGS: &str = "/var/log/pods/shop_web_uid-1";

impl Node {
    fn new() -> Self {
        let node = Self(tempfile::tempdir().unwrap());
        node.put("/proc/1/mountinfo", "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        node
    }

    fn put(&self, path: &str, text: &str) {
        let path = below(self.0.path(), path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A bundle, with a process that lives if there is a pid.
    fn bundle(&self, id: &str, kind: &str, name: &str, pid: Option<u32>) {
        let spec = json!({ "linux": { "cgroupsPath": format!("/kubepods/pod1/{id}") },
            "process": { "args": ["/app"] },
            "mounts": [{ "destination": "/proc", "source": "proc" }, { "destination": "/data", "source": "/srv/data" }],
            "annotations": {
                "io.kubernetes.cri.container-type": kind, "io.kubernetes.cri.sandbox-id": "pod1",
                "io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-namespace": "shop",
                "io.kubernetes.cri.sandbox-uid": "uid-1", "io.kubernetes.cri.container-name": name,
                "io.kubernetes.cri.image-name": "example.com/a:1" } });
        self.put(&format!("{TASK}/{id}/config.json"), &spec.to_string());
        self.put(&format!("{TASK}/{id}/init.pid"), &pid.unwrap_or(4_000_000).to_string());
        if let Some(pid) = pid {
            self.put(&format!("/proc/{pid}/stat"), &format!("{pid} (app) S 1 {}", "0 ".repeat(30)));
            self.put(&format!("/proc/{pid}/cgroup"), &format!("0::/kubepods/pod1/{id}\n"));
            self.put(&format!("/sys/fs/cgroup/kubepods/pod1/{id}/memory.current"), "4096");
            self.put(&format!("/sys/fs/cgroup/kubepods/pod1/{id}/cpu.stat"), "usage_usec 5\n");
        }
    }

    /// A pod with a container that runs and one that ended unseen.
    fn worker() -> Self {
        let node = Self::new();
        node.bundle("pod1", "sandbox", "", Some(10));
        node.bundle("c-runs", "container", "app", Some(11));
        node.bundle("c-ended", "container", "job", None);
        node.put(&format!("{LOGS}/app/3.log"), "2026-01-01T00:00:00.000000000Z stdout F hello from disk\n");
        node
    }

    fn offline(&self) -> Offline {
        Offline::new(self.0.path(), "unix:///run/containerd/containerd.sock", false).unwrap()
    }
}

fn silence() -> Silence {
    Silence { since: SystemTime::UNIX_EPOCH, error: "refused".into(), hangs: false }
}

#[tokio::test]
async fn pods_and_containers_with_their_states_and_use() {
    let node = Node::worker();
    let offline = node.offline();
    assert!(offline.exists());
    let seen = offline.inventory_of(Scope { pods: true, stats: true, ..Scope::default() }, silence()).await;
    assert_eq!(seen.silence, Some(silence()));
    assert!(seen.pods.source().contains("disk: /run/containerd, /var/lib/containerd and /proc"), "{:?}", seen.pods);
    let pods = seen.pods.value().unwrap();
    assert_eq!((pods.len(), pods[0].name.as_str(), pods[0].state), (1, "web", PodState::Ready));
    let all = seen.containers.value().unwrap();
    let of = |id: &str| all.iter().find(|c| c.id == id).unwrap();
    assert_eq!(
        (of("c-runs").state, of("c-runs").attempt, of("c-runs").pod.as_str()),
        (ContainerState::Running, 3, "pod1")
    );
    assert_eq!(of("c-runs").detail.as_ref().unwrap().log_path, format!("{LOGS}/app/3.log"));
    let ended = of("c-ended").detail.as_ref().unwrap();
    assert_eq!((of("c-ended").state, ended.exit_code), (ContainerState::Exited, UNKNOWN));
    let stats = seen.stats.value().unwrap();
    assert_eq!(stats.len(), 1);
    assert_eq!((stats[0].memory_working_set, stats[0].cpu_nanos), (Some(4096), Some(5000)));
    assert_eq!(seen.images, Seen::NotAsked);
}

#[tokio::test]
async fn a_log_opens_and_what_is_inside_is_shown() {
    let node = Node::worker();
    let offline = node.offline();
    let options = LogOptions { follow: false, tail: None, since: None };
    let lines: Vec<_> = offline.logs("c-runs", options.clone()).collect().await;
    assert_eq!(lines[0].as_ref().unwrap().text, b"hello from disk");
    let none: Vec<_> = offline.logs("c-ended", options).collect().await;
    assert!(none[0].as_ref().unwrap_err().to_string().contains("where the log"), "{none:?}");
    let shown = offline.inspect(&ObjectRef::Container("c-runs".into())).await.unwrap();
    assert_eq!(shown["status"]["state"], "CONTAINER_RUNNING");
    assert_eq!(shown["info"]["pid"], 11);
    assert_eq!(shown["info"]["runtimeSpec"]["process"]["args"][0], "/app");
    assert_eq!(shown["status"]["mounts"], json!([{ "containerPath": "/data", "hostPath": "/srv/data" }]));
    let pod = offline.inspect(&ObjectRef::Pod("pod1".into())).await.unwrap();
    assert_eq!(
        (&pod["status"]["state"], &pod["status"]["metadata"]["namespace"]),
        (&json!("SANDBOX_READY"), &json!("shop"))
    );
    assert!(offline.inspect(&ObjectRef::Pod("none".into())).await.unwrap_err().is(Kind::NotFound));
}

#[tokio::test]
async fn what_changes_something_is_refused_with_what_helps() {
    let node = Node::worker();
    let offline = node.offline();
    for step in [Step::StopContainer("c-runs".into(), Duration::ZERO), Step::RemovePod("pod1".into())] {
        let error = offline.apply(&step).await.unwrap_err();
        assert!(
            error.is(Kind::FailedPrecondition) && error.to_string().contains("systemctl restart containerd"),
            "{error:#}"
        );
    }
    assert!(offline.pull("x", None, &|_| {}).await.is_err());
    let request = |container: &str| ExecRequest {
        container: container.into(),
        command: vec!["sh".into()],
        tty: true,
        stdin: true,
    };
    let error = offline.exec(&request("c-runs")).await.err().unwrap();
    assert!(error.to_string().ends_with("nsenter -t 11 -m -u -i -n -p -r -w sh"), "{error}");
    let error = offline.exec(&request("c-ended")).await.err().unwrap();
    assert!(error.to_string().contains("has no process"), "{error}");
    // The node can be mended; here its process is another one by now.
    let signal = Signal { pid: std::process::id(), started: 1, name: "x".into(), signal: "CONT".into() };
    let change = Step::Change(super::super::change::Change::Signal(signal));
    assert!(offline.apply(&change).await.unwrap_err().is(Kind::NotFound));
    let reads = Offline::new(node.0.path(), "/run/containerd/containerd.sock", true).unwrap();
    assert!(reads.apply(&change).await.unwrap_err().is(Kind::PermissionDenied));
}

#[tokio::test]
async fn log_directories_tell_of_pods_when_nothing_else_does() {
    let node = Node::new();
    node.put(&format!("{LOGS}/app/3.log"), "");
    let seen = node.offline().inventory_of(Scope { pods: true, ..Scope::default() }, silence()).await;
    let pods = seen.pods.value().unwrap();
    assert_eq!((pods[0].name.as_str(), pods[0].state), ("web", PodState::NotReady));
    let all = seen.containers.value().unwrap();
    assert_eq!((all[0].name.as_str(), all[0].state, all[0].attempt), ("app", ContainerState::Unknown, 3));
    assert!(!node.offline().exists());
}

#[tokio::test]
async fn a_part_that_cannot_be_read_says_so_and_the_others_are_there() {
    let node = Node::worker();
    let seen = node.offline().inventory_of(Scope::ALL, silence()).await;
    assert!(seen.pods.value().is_some());
    assert!(seen.images.error().is_some_and(|e| e.contains("meta.db")), "{:?}", seen.images);
    node.put("/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", "no database");
    let seen = node.offline().inventory_of(Scope::ALL, silence()).await;
    assert!(seen.images.error().is_some_and(|e| e.contains("no bolt database")), "{:?}", seen.images);
    assert_eq!(seen.containers.value().map(Vec::len), Some(2));
}

#[tokio::test]
async fn the_verbs_client_is_answered_from_the_disk() {
    use crate::{client::Cri, proto::cri};
    let node = Node::worker();
    let client = Cri::offline(node.offline(), false).await.unwrap();
    assert_eq!((client.info().name.as_str(), client.info().storage), ("containerd", false));
    let mut runtime = client.runtime_service();
    let exited = cri::ContainerStateValue { state: cri::ContainerState::ContainerExited.into() };
    let filter = cri::ContainerFilter { state: Some(exited), ..Default::default() };
    let list = runtime.list_containers(cri::ListContainersRequest { filter: Some(filter) }).await.unwrap().into_inner();
    assert_eq!(list.containers.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["c-ended"]);
    let ready = cri::PodSandboxStateValue { state: cri::PodSandboxState::SandboxReady.into() };
    let filter = cri::PodSandboxFilter { state: Some(ready), ..Default::default() };
    let list =
        runtime.list_pod_sandbox(cri::ListPodSandboxRequest { filter: Some(filter) }).await.unwrap().into_inner();
    assert_eq!(list.items[0].metadata.as_ref().unwrap().name, "web");
    let request = cri::ContainerStatusRequest { container_id: "c-ended".into(), verbose: true };
    let status = runtime.container_status(request).await.unwrap().into_inner();
    assert!(status.info["info"].contains("runtimeSpec"), "{status:?}");
    // As containerd words an end it has missed.
    let status = status.status.unwrap();
    assert_eq!((status.exit_code, status.reason.as_str()), (255, "Unknown"));
    let stats = runtime.list_container_stats(cri::ListContainerStatsRequest::default()).await.unwrap().into_inner();
    assert_eq!(stats.stats[0].memory.as_ref().unwrap().working_set_bytes.as_ref().unwrap().value, 4096);
    let stop = cri::StopContainerRequest { container_id: "c-runs".into(), timeout: 0 };
    let refused = runtime.stop_container(stop).await.unwrap_err();
    assert!(refused.code() == tonic::Code::FailedPrecondition && refused.message().contains("--offline"), "{refused}");
    let missing = cri::PodSandboxStatusRequest { pod_sandbox_id: "none".into(), verbose: false };
    assert_eq!(runtime.pod_sandbox_status(missing).await.unwrap_err().code(), tonic::Code::NotFound);
    assert!(Cri::offline(Node::new().offline(), false).await.unwrap_err().is(Kind::NotFound));
}

#[test]
fn a_name_from_a_document_leads_nowhere_else() {
    let root = tempfile::tempdir().unwrap();
    let bundle = bundles::Bundle { name: "../../etc/x".into(), attempt: Some(1), ..bundles::Bundle::default() };
    assert_eq!(log(root.path(), &bundle, None), (1, String::new()));
    let up = bundles::Bundle { name: "x".into(), log_directory: "/a/../b".into(), attempt: Some(1), ..bundle };
    assert_eq!(log(root.path(), &up, None).1, "");
}
