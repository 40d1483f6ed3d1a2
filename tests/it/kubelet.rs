//! A real kubelet, without an API server, with static pods on `wharf serve`: what it starts, restarts, gives up on and removes.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};
use wharf::engine::{cgroup::Cgroup, network::netns};

use crate::support::{
    self,
    node::{IMAGE, Node},
};

/// The node's, on loopback's interface but not of loopback's network, which the kubelet refuses.
const ADDRESS: &str = "10.99.0.2";

/// What the kubelet sets for the whole machine when it starts.
const TUNED: [&str; 6] = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// Where every kubelet keeps links to its containers' logs.
const LINKS: &str = "/var/log/containers";

pub struct Kubelet {
    child: Child,
    pub dir: PathBuf,
    netns: PathBuf,
    tuned: Vec<(PathBuf, String)>,
}

impl Kubelet {
    pub fn start(node: &Node, program: &Path) -> Self {
        for line in [format!("addr add {ADDRESS}/32 dev lo"), "route add default dev lo".to_owned()] {
            let done = support::in_netns(&node.netns, Path::new("ip")).args(line.split(' ')).status().unwrap();
            assert!(done.success(), "ip {line}");
        }
        let dir = node.dir.join("kubelet");
        fs::create_dir_all(dir.join("manifests")).unwrap();
        for hierarchy in cgroups(node) {
            fs::create_dir_all(hierarchy).unwrap();
        }
        let config = json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "staticPodPath": dir.join("manifests"),
            "podLogsDir": node.dir.join("logs"),
            "containerRuntimeEndpoint": node.socket(),
            "authentication": { "anonymous": { "enabled": true }, "webhook": { "enabled": false } },
            "authorization": { "mode": "AlwaysAllow" },
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": node.cgroup,
            "failCgroupV1": false,
            "failSwapOn": false,
            "address": ADDRESS,
            "makeIPTablesUtilChains": false,
            "resolvConf": "",
            "fileCheckFrequency": "1s",
            "syncFrequency": "5s",
            // The test's disk is a small tmpfs, of which the kubelet's cAdvisor knows nothing.
            "localStorageCapacityIsolation": false,
            "imageGCHighThresholdPercent": 100,
            "evictionHard": { "memory.available": "1Mi" },
        });
        fs::write(dir.join("config.json"), config.to_string()).unwrap();
        let tuned = TUNED.iter().map(|name| Path::new("/proc/sys").join(name));
        let tuned = tuned.map(|p| (p.clone(), fs::read_to_string(p).unwrap())).collect();
        let log = fs::File::create(dir.join("log")).unwrap();
        let mut command = support::in_netns(&node.netns, program);
        command.arg("--config").arg(dir.join("config.json")).arg("--root-dir").arg(dir.join("root"));
        command.arg("--cert-dir").arg(dir.join("pki"));
        command.args(["--hostname-override", "node", "--node-ip", ADDRESS, "--v", "2"]);
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { child, dir, netns: node.netns.clone(), tuned }
    }

    /// In the node's network, with a client that takes the kubelet's own certificate.
    fn with_client<T: Send, F: Future<Output = reqwest::Result<T>>>(
        &self,
        work: impl FnOnce(Client) -> F + Send,
    ) -> reqwest::Result<T> {
        let inside = netns::inside(&self.netns, || {
            // Err means that another test of this process was first.
            let _installed = rustls::crypto::ring::default_provider().install_default();
            let client = Client::builder().danger_accept_invalid_certs(true).no_proxy().http1_only();
            let client = client.timeout(Duration::from_secs(20)).build().unwrap();
            let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            Ok(here.block_on(work(client)))
        });
        inside.unwrap()
    }

    /// An answer of the kubelet's own API: its status and text.
    pub fn ask(&self, method: Method, path: &str) -> reqwest::Result<(u16, String)> {
        self.with_client(|client| async move {
            let answer = client.request(method, url(path)).send().await?;
            Ok((answer.status().as_u16(), answer.text().await?))
        })
    }

    fn get(&self, path: &str) -> String {
        let (status, text) = self.ask(Method::GET, path).unwrap_or_else(|e| panic!("{path}: {e:?}\n{}", self.log()));
        assert_eq!(status, 200, "{path}: {text}");
        text
    }

    /// A pod's status, or null.
    fn pod(&self, name: &str) -> Value {
        // Before its server is up there are no pods.
        let Ok((200, text)) = self.ask(Method::GET, "/pods") else { return Value::Null };
        let mut pods: Value = serde_json::from_str(&text).unwrap();
        let pods = pods["items"].as_array_mut().into_iter().flatten();
        pods.filter(|p| p["metadata"]["name"] == format!("{name}-node"))
            .map(|p| p["status"].take())
            .next()
            .unwrap_or_default()
    }

    /// A container's status, or null.
    fn container(&self, pod: &str, name: &str) -> Value {
        let mut status = self.pod(pod);
        let all = status["containerStatuses"].as_array_mut().into_iter().flatten();
        all.filter(|c| c["name"] == name).map(Value::take).next().unwrap_or_default()
    }

    /// The bytes of every channel of a stream, after `input` has gone to channel 0.
    fn stream(&self, path: &str, protocol: &str, input: Option<&[u8]>) -> [Vec<u8>; 4] {
        let exchanged = self.with_client(|client| async move {
            let answer = upgrade(client.get(url(path)), protocol).send().await?;
            assert_eq!(answer.status().as_u16(), 101, "{path}");
            let mut socket = WebSocketStream::from_raw_socket(answer.upgrade().await?, Role::Client, None).await;
            if let Some(input) = input {
                socket.send(Message::binary([&[0], input].concat())).await.unwrap();
            }
            let mut channels = [const { Vec::new() }; 4];
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Binary(bytes) = message {
                    channels[usize::from(bytes[0])].extend_from_slice(&bytes[1..]);
                }
            }
            Ok(channels)
        });
        exchanged.unwrap()
    }

    /// The log as it grows, until `enough`.
    fn follow(&self, path: &str, enough: impl Fn(&str) -> bool + Send) -> String {
        let followed = self.with_client(|client| async move {
            let mut answer = client.get(url(path)).send().await?;
            let mut text = String::new();
            while !enough(&text) {
                let Some(piece) = answer.chunk().await? else { break };
                text.push_str(&String::from_utf8_lossy(&piece));
            }
            Ok(text)
        });
        followed.unwrap()
    }

    /// Starts a pod: its manifest appears at once and whole.
    fn add(&self, name: &str, spec: &Value) {
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "default" }, "spec": spec });
        let fresh = self.dir.join(name);
        fs::write(&fresh, pod.to_string()).unwrap();
        fs::rename(fresh, self.manifest(name)).unwrap();
    }

    fn manifest(&self, name: &str) -> PathBuf {
        self.dir.join("manifests").join(format!("{name}.json"))
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap()
    }

    pub fn until(&self, what: &str, check: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !check() {
            let log = self.log();
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            assert!(Instant::now() < deadline, "it never came: {what}\n{last:#?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for (path, value) in &self.tuned {
            let _ = fs::write(path, value);
        }
    }
}

fn url(path: &str) -> String {
    format!("https://{ADDRESS}:10250{path}")
}

fn upgrade(request: RequestBuilder, protocol: &str) -> RequestBuilder {
    request
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", protocol)
}

/// The directories of the node's cgroup.
fn cgroups(node: &Node) -> Vec<PathBuf> {
    let cgroup = Cgroup::new(&node.cgroup).unwrap();
    cgroup.layout().hierarchies.iter().map(|h| cgroup.directory(h)).collect()
}

/// What the first file of these names says in a directory of this name below.
fn setting(below: &Path, name: &str, files: &[&str]) -> Option<String> {
    let directories = fs::read_dir(below).ok()?.flatten().map(|e| e.path()).filter(|p| p.is_dir());
    directories.into_iter().find_map(|directory| {
        if directory.file_name().is_some_and(|n| n == name) {
            return files.iter().find_map(|f| fs::read_to_string(directory.join(f)).ok());
        }
        setting(&directory, name, files)
    })
}

fn container(name: &str, script: &str) -> Value {
    json!({ "name": name, "image": IMAGE, "command": ["/bin/sh", "-c", script] })
}

/// The pods of the test: one that is well, one whose probes fail, one that ends again and again, one without an image.
fn pods() -> [(&'static str, Value); 4] {
    let mut server = container(
        "server",
        "echo ahoy; while true; do echo tick; sleep 0.5; done & echo fine > /mem/health; exec busybox httpd -f -p 8080 -h /mem",
    );
    server["resources"] = json!({ "limits": { "memory": "64Mi", "cpu": "200m" } });
    server["livenessProbe"] = json!({ "httpGet": { "path": "/health", "port": 8080 }, "periodSeconds": 1 });
    server["volumeMounts"] = json!([{ "name": "mem", "mountPath": "/mem" }]);
    let mut by_exec = container("by-exec", "touch /tmp/alive; sleep 3; rm /tmp/alive; sleep 1000");
    by_exec["livenessProbe"] =
        json!({ "exec": { "command": ["cat", "/tmp/alive"] }, "periodSeconds": 1, "failureThreshold": 2 });
    let script = "echo fine > /tmp/health; busybox httpd -p 8081 -h /tmp; sleep 3; rm /tmp/health; sleep 1000";
    let mut by_http = container("by-http", script);
    by_http["livenessProbe"] =
        json!({ "httpGet": { "path": "/health", "port": 8081 }, "periodSeconds": 1, "failureThreshold": 2 });
    let crash = container("c", "echo last words > /dev/termination-log; exit 3");
    let mut nothing = container("c", "true");
    nothing["image"] = "127.0.0.1:5000/test/nothing:1".into();
    let memory = json!([{ "name": "mem", "emptyDir": { "medium": "Memory" } }]);
    [
        ("web", json!({ "terminationGracePeriodSeconds": 1, "containers": [server], "volumes": memory })),
        ("probed", json!({ "terminationGracePeriodSeconds": 1, "containers": [by_exec, by_http] })),
        ("crash", json!({ "containers": [crash] })),
        ("nothing", json!({ "containers": [nothing] })),
    ]
}

#[test]
fn pods_of_a_real_kubelet_run_restart_back_off_and_leave_nothing() {
    let Some(program) = support::program("kubelet", "kubelet") else { return };
    let _alone = support::with_kubelet();
    let Some(mut node) = Node::with_registry("kubelet") else { return };
    let kubelet = Kubelet::start(&node, &program);
    for (name, spec) in pods() {
        kubelet.add(name, &spec);
    }

    kubelet.until("the server", || kubelet.container("web", "server")["ready"] == true);
    let id = running(&kubelet);
    limits(&node, &id);
    failures(&kubelet);

    // The kubelet reads states from the engine alone; one that was killed must not cost a container.
    node.kill_engine();
    node.serve();
    kubelet.until("the engine's return", || kubelet.get("/healthz") == "ok");
    let restarts = || kubelet.container("probed", "by-exec")["restartCount"].as_u64().unwrap_or(0);
    let before = restarts();
    kubelet.until("restarts after the engine's", || restarts() > before);
    let server = kubelet.container("web", "server");
    assert_eq!((&server["containerID"], &server["restartCount"]), (&json!(format!("wharf://{id}")), &json!(0)));

    soak(&node, &kubelet, &id);
    let metrics = kubelet.get("/metrics");
    assert!(metrics.contains("\nkubelet_pleg_discard_events 0\n"), "{metrics}");
    assert!(!kubelet.log().contains("pleg was last seen active"), "PLEG was not healthy");
    gone(&node, kubelet);
    node.end();
}

/// For as long as `WHARF_SOAK_SECONDS` says: what is well stays, what fails is started again and again, the engine does not grow.
fn soak(node: &Node, kubelet: &Kubelet, id: &str) {
    let seconds = std::env::var("WHARF_SOAK_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", node.engine())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let restarts = || kubelet.container("probed", "by-exec")["restartCount"].as_u64().unwrap_or(0);
    let (begun, memory, before) = (Instant::now(), resident(), restarts());
    while begun.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_secs(10));
        assert_eq!(kubelet.get("/healthz"), "ok");
        let server = kubelet.container("web", "server");
        assert_eq!((&server["containerID"], &server["ready"]), (&json!(format!("wharf://{id}")), &json!(true)));
        assert!(!kubelet.log().contains("pleg was last seen active"), "PLEG was not healthy");
    }
    if seconds > 0 {
        let (after, now) = (restarts(), resident());
        println!("{seconds} s: {} more restarts, the engine has {now} kB after {memory} kB", after - before);
        assert!(after > before && now < memory + (32 << 10));
    }
}

/// What can be asked of a pod that is well; the id of its container.
fn running(kubelet: &Kubelet) -> String {
    let run = kubelet.ask(Method::POST, "/run/default/web-node/server?cmd=hostname").unwrap();
    assert_eq!(run, (200, "web-node\n".to_owned()));
    let log = kubelet.get("/containerLogs/default/web-node/server");
    assert!(log.starts_with("ahoy\n"), "{log}");
    let ticks = |text: &str| text.matches("tick\n").count() >= 3;
    let log = kubelet.follow("/containerLogs/default/web-node/server?follow=true&tailLines=1", ticks);
    assert!(ticks(&log), "{log}");
    let command = "command=sh&command=-c&command=echo+out%3B+echo+err+%3E%262%3B+exit+4";
    let path = format!("/exec/default/web-node/server?{command}&output=1&error=1");
    let [_, out, err, end] = kubelet.stream(&path, "v5.channel.k8s.io", None);
    assert_eq!((out.as_slice(), err.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    let end: Value = serde_json::from_slice(&end).unwrap();
    assert_eq!(end["details"]["causes"][0], json!({ "reason": "ExitCode", "message": "4" }), "{end}");
    let request = b"GET /health HTTP/1.0\r\n\r\n";
    let [page, ..] = kubelet.stream("/portForward/default/web-node?port=8080", "v4.channel.k8s.io", Some(request));
    assert!(page.ends_with(b"fine\n"), "{}", String::from_utf8_lossy(&page));
    let id = kubelet.container("web", "server")["containerID"].as_str().unwrap().to_owned();
    id.strip_prefix("wharf://").unwrap().to_owned()
}

/// The container's limits are in the cgroup that the kubelet made for its pod.
fn limits(node: &Node, id: &str) {
    let found = |files: &[&str]| cgroups(node).iter().find_map(|d| setting(&d.join("kubepods"), id, files)).unwrap();
    assert_eq!(found(&["memory.limit_in_bytes", "memory.max"]).trim(), (64 << 20).to_string());
    let quota = found(&["cpu.cfs_quota_us", "cpu.max"]);
    assert_eq!(quota.split_whitespace().next(), Some("20000"));
}

/// What the kubelet makes of pods that are not well.
fn failures(kubelet: &Kubelet) {
    kubelet.until("a back-off of the crash loop", || {
        let c = kubelet.container("crash", "c");
        c["restartCount"].as_u64() >= Some(1) && c["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    });
    let last = kubelet.container("crash", "c")["lastState"]["terminated"].take();
    assert_eq!((&last["exitCode"], &last["message"]), (&json!(3), &json!("last words\n")), "{last}");
    kubelet.until("a back-off of the pull", || {
        kubelet.container("nothing", "c")["state"]["waiting"]["reason"] == "ImagePullBackOff"
    });
    let waiting = kubelet.container("nothing", "c")["state"]["waiting"].take();
    let message = waiting["message"].as_str().unwrap();
    assert!(message.contains("test/nothing") && message.contains("not found"), "{message}");
    for name in ["by-exec", "by-http"] {
        kubelet.until(&format!("a restart of {name}"), || {
            kubelet.container("probed", name)["restartCount"].as_u64() >= Some(1)
        });
        let last = kubelet.container("probed", name)["lastState"]["terminated"].take();
        assert_eq!(last["exitCode"], 137, "{name}: {last}");
    }
}

/// Takes every manifest away, and waits until the kubelet has removed the pods; it does so once a minute.
fn gone(node: &Node, kubelet: Kubelet) {
    for (name, _) in pods() {
        fs::remove_file(kubelet.manifest(name)).unwrap();
    }
    kubelet.until("the end of all pods", || node.ok(&["pods", "-q"]).is_empty() && node.ok(&["ps", "-aq"]).is_empty());
    let left = |path: &Path| fs::read_dir(path).into_iter().flatten().count();
    kubelet.until("the end of their volumes", || left(&kubelet.dir.join("root/pods")) == 0);
    kubelet.until("the end of their cgroups", || {
        let groups = |d: &Path| fs::read_dir(d).into_iter().flatten().flatten().filter(|e| e.path().is_dir()).count();
        cgroups(node)
            .iter()
            .map(|d| d.join("kubepods"))
            .all(|d| groups(&d.join("burstable")) + groups(&d.join("besteffort")) + groups(&d) <= 2)
    });
    kubelet.until("the end of their logs", || left(&node.dir.join("logs")) == 0);
    let links = netns::inside(&node.netns, || {
        let mut text = String::new();
        fs::File::open("/proc/thread-self/net/dev").unwrap().read_to_string(&mut text).unwrap();
        Ok(text)
    });
    let links = links.unwrap();
    assert!(!links.contains("veth"), "{links}");
    end(node, kubelet);
}

/// Ends it, and takes away what every kubelet leaves.
pub fn end(node: &Node, kubelet: Kubelet) {
    drop(kubelet);
    for hierarchy in cgroups(node) {
        for name in ["kubepods/burstable", "kubepods/besteffort", "kubepods"] {
            // A hierarchy without a controller has none.
            let directory = hierarchy.join(name);
            if directory.exists() {
                fs::remove_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
            }
        }
    }
    // It binds its directory to itself, for propagation, and leaves that.
    rustix::mount::unmount(node.dir.join("kubelet/root"), rustix::mount::UnmountFlags::empty()).unwrap();
    // Its registration socket of devices has one place for all kubelets; a directory with anything else in it is not this one's.
    let _ = fs::remove_file("/var/lib/kubelet/device-plugins/kubelet.sock");
    for directory in [LINKS, "/var/lib/kubelet/device-plugins", "/var/lib/kubelet"] {
        let _ = fs::remove_dir(directory);
    }
}
