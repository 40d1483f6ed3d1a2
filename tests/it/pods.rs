//! What may happen to pods while nobody looks, or while too much happens at once: section POD of the threats, each row by its id.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, Signal};
use serde_json::{Value, json};
use wharf::{engine::cgroup::Cgroup, proto::cri};

use super::requests::handlers;
use crate::support::node::{IMAGE, Node};

pub fn node(test: &str) -> Option<Node> {
    let node = Node::with_registry(test)?;
    node.ok(&["pull", IMAGE]);
    Some(node)
}

/// Restarts the engine with these options.
pub fn again(node: &mut Node, options: &[&str]) {
    node.kill_engine();
    node.serve_with(options);
}

pub fn signal(pid: u64, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

pub fn lives(pid: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

pub fn shim(node: &Node, pod: &str) -> u64 {
    node.json(&["inspectp", pod])["info"]["shimPid"].as_u64().unwrap()
}

pub fn pid(node: &Node, container: &str) -> u64 {
    node.json(&["inspect", container])["info"]["pid"].as_u64().unwrap()
}

pub fn status(node: &Node, container: &str) -> Value {
    node.json(&["inspect", container])["status"].take()
}

pub fn pod_state(node: &Node, pod: &str) -> String {
    node.json(&["inspectp", pod])["status"]["state"].as_str().unwrap().to_owned()
}

/// Everything that could be left over: the engine's descriptors, threads and mounts, links and namespaces of the network,
/// records, files below both of its places.
fn holdings(node: &Node) -> BTreeMap<&'static str, usize> {
    let engine = node.engine();
    let count = |path: String| fs::read_dir(path).into_iter().flatten().count();
    let files = |below: &str| {
        let output = Command::new("find").arg(node.dir.join(below)).output().unwrap();
        output.stdout.iter().filter(|b| **b == b'\n').count()
    };
    let mounts = fs::read_to_string(format!("/proc/{engine}/mountinfo")).unwrap();
    let links = crate::support::in_netns(&node.netns, Path::new("ip")).args(["-o", "link"]).output().unwrap().stdout;
    let rows = rusqlite::Connection::open(node.dir.join("lib/meta.db")).unwrap();
    let rows = |table: &str| -> usize {
        rows.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get::<_, i64>(0))
            .unwrap()
            .try_into()
            .unwrap()
    };
    [
        ("descriptors", count(format!("/proc/{engine}/fd"))),
        ("mounts", mounts.lines().filter(|l| l.contains(&*node.dir.to_string_lossy())).count()),
        ("links", String::from_utf8(links).unwrap().lines().count()),
        ("network", files("lib/network")),
        ("snapshots", files("lib/snapshots")),
        ("state", files("run")),
        ("documents", rows("document")),
        ("snapshot rows", rows("snapshot")),
        ("leases", rows("lease")),
        ("trash", rows("trash")),
    ]
    .into()
}

/// Waits until there is no more than before.
fn settles(node: &Node, before: &BTreeMap<&str, usize>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let now = holdings(node);
        let more: Vec<_> = now.iter().filter(|(what, count)| before.get(*what).is_none_or(|b| *count > b)).collect();
        if more.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{more:?}, before: {before:?}\n{}", node.log());
        thread::sleep(Duration::from_millis(100));
    }
}

/// A node whose pods get their addresses from a plugin that does as files in the node's directory say: it notes its
/// commands in `calls`, waits while there is COMMAND.slow, and fails while there is COMMAND.fails.
fn scripted(test: &str) -> Option<Node> {
    let mut node = node(test)?;
    let d = node.dir.display();
    let script = format!(
        "#!/bin/sh\necho $CNI_COMMAND >> {d}/calls\nwhile [ -e {d}/$CNI_COMMAND.slow ]; do sleep 0.05; done\n\
         if [ -e {d}/$CNI_COMMAND.fails ]; then echo '{{\"cniVersion\":\"1.0.0\",\"code\":100,\"msg\":\"as the script says\"}}'; exit 1; fi\n\
         [ $CNI_COMMAND = ADD ] && echo '{{\"cniVersion\":\"1.0.0\",\"ips\":[{{\"address\":\"10.99.0.5/24\"}}]}}'\nexit 0\n"
    );
    // While it is made to wait, creation by runc does too.
    let runc = format!(
        "#!/bin/sh\ncase \" $* \" in *' create '*) echo create >> {d}/calls; while [ -e {d}/create.slow ]; do sleep 0.05; done;;\n\
         *' delete '*) [ -e {d}/delete.fails ] && exit 1;; esac\nexec runc \"$@\"\n"
    );
    let config = format!(
        "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = ['{d}/bin']\nconf_dir = '{d}/net.d'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'wharf'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.wharf]\nruntime_type = 'io.wharf.builtin.v1'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.slow]\nruntime_type = 'io.containerd.runc.v2'\n\
         options = {{ BinaryName = '{d}/bin/slow-runc' }}\n"
    );
    for name in ["bin", "net.d"] {
        fs::create_dir(node.dir.join(name)).unwrap();
    }
    for (name, text) in [("scripted", script), ("slow-runc", runc)] {
        let path = node.dir.join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let list = json!({ "cniVersion": "1.0.0", "name": "pods", "plugins": [{ "type": "scripted" }] });
    fs::write(node.dir.join("net.d/10-pods.conflist"), list.to_string()).unwrap();
    fs::write(node.dir.join("config.toml"), config).unwrap();
    node.flags = vec!["--config".to_owned(), node.dir.join("config.toml").display().to_string()];
    again(&mut node, &[]);
    Some(node)
}

fn say(node: &Node, order: &str) {
    fs::write(node.dir.join(order), "").unwrap();
}

fn unsay(node: &Node, order: &str) {
    fs::remove_file(node.dir.join(order)).unwrap();
}

/// The plugin's commands, and runc's creations, since the last look.
fn calls(node: &Node) -> String {
    let text = fs::read_to_string(node.dir.join("calls")).unwrap_or_default();
    fs::write(node.dir.join("calls"), "").unwrap();
    text.lines().collect::<Vec<_>>().join(" ")
}

fn called(node: &Node, what: &str) -> bool {
    fs::read_to_string(node.dir.join("calls")).unwrap_or_default().contains(what)
}

#[test]
fn pod_05_what_the_network_never_gave_does_not_keep_a_pod_from_being_stopped() {
    let Some(mut node) = scripted("nil-result") else { return };
    say(&node, "ADD.slow");
    say(&node, "DEL.fails");
    let config = node.pod_config("half", |_| ());
    let mut client = node.crictl_command(&["runp", &config]).stderr(Stdio::null()).spawn().unwrap();
    node.until("the plugin", || called(&node, "ADD"));
    node.kill_engine();
    client.wait().unwrap();
    unsay(&node, "ADD.slow");
    node.serve();
    // It could not be undone, and is shown.
    let pod = node.ok(&["pods", "-q"]);
    let seen = node.json(&["inspectp", &pod]);
    assert_eq!(seen["status"]["state"], "SANDBOX_NOTREADY", "{seen}");
    assert!(seen["info"]["cleanupError"].as_str().unwrap().contains("as the script says"), "{seen}");
    calls(&node);
    node.ok(&["stopp", &pod]);
    assert!(called(&node, "DEL"), "it was tried all the same");
    node.ok(&["rmp", &pod]);
    // What it may have got is not forgotten: the next start gives it back.
    unsay(&node, "DEL.fails");
    calls(&node);
    again(&mut node, &[]);
    assert_eq!(calls(&node), "DEL");
    again(&mut node, &[]);
    assert_eq!(calls(&node), "");
    // One that was attached stays until it is detached.
    let pod = node.ok(&["runp", &config]);
    say(&node, "DEL.fails");
    assert!(node.fails(&["stopp", &pod]).contains("as the script says"));
    unsay(&node, "DEL.fails");
    node.ok(&["stopp", &pod]);
    node.end();
}

#[test]
fn pod_07_a_killed_shim_takes_its_containers_with_it_and_nobody_elses() {
    let Some(mut node) = node("shim-killed") else { return };
    let (bystander, _) = node.running("bystander", "sleep 1000", |_| ());
    let other = pid(&node, &bystander);
    for handler in handlers("shim-killed") {
        // While the engine looks, and while it does not.
        for looked in [true, false] {
            let config = node.pod_config(&format!("victim{handler}{looked}"), |_| ());
            let pod = node.ok(&["runp", "-r", handler, &config]);
            let container = node.ok(&["create", &pod, &node.container_config("v", "sleep 1000", |_| ()), &config]);
            node.ok(&["start", &container]);
            let waiting = node.ok(&["create", &pod, &node.container_config("w", "sleep 1000", |_| ()), &config]);
            let first = pid(&node, &container);
            let killed = shim(&node, &pod);
            if !looked {
                node.kill_engine();
            }
            signal(killed, Signal::KILL);
            if !looked {
                node.until("its end", || !lives(killed));
                node.serve();
            }
            node.until("the end of the container", || status(&node, &container)["state"] == "CONTAINER_EXITED");
            let ended = status(&node, &container);
            assert_eq!(
                (&ended["exitCode"], &ended["reason"]),
                (&json!(137), &json!("ShimDied")),
                "{handler:?} {ended}"
            );
            assert!(!lives(first), "{handler:?} {looked}: it goes on under the name of what has ended");
            node.until("the pod's end", || pod_state(&node, &pod) == "SANDBOX_NOTREADY");
            let refused = node.fails(&["create", &pod, &node.container_config("late", "true", |_| ()), &config]);
            assert!(refused.contains("not ready"), "{refused}");
            node.ok(&["rm", "-f", &waiting]);
            node.ok(&["rm", &container]);
            node.ok(&["stopp", &pod]);
            node.ok(&["rmp", &pod]);
            assert_eq!(
                (status(&node, &bystander)["state"].as_str(), pid(&node, &bystander)),
                (Some("CONTAINER_RUNNING"), other)
            );
        }
    }
    // The process that holds a pod's namespaces is as much of it.
    let pod = node.ok(&["runp", &node.pod_config("paused", |_| ())]);
    signal(node.json(&["inspectp", &pod])["info"]["pid"].as_u64().unwrap(), Signal::KILL);
    node.until("the pod's end", || pod_state(&node, &pod) == "SANDBOX_NOTREADY");
    node.end();
}

/// Megabytes of the engine.
fn memory(node: &Node) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", node.engine())).unwrap();
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

/// Sockets of shims, with the connections made to them, accepted or not.
fn sockets(node: &Node) -> usize {
    let all = fs::read_to_string(format!("/proc/{}/net/unix", node.engine())).unwrap();
    all.lines().filter(|line| line.ends_with("/s")).count()
}

/// 3 of 8 shims, for as long as a hundred questions take.
#[test]
fn pod_08_shims_that_stand_still_hold_nobody_up() {
    let Some(node) = node("frozen") else { return };
    let (mut pods, mut containers) = (Vec::new(), Vec::new());
    for n in 0..8 {
        let (container, pod) = node.running(&format!("c{n}"), "sleep 1000", |_| ());
        containers.push(container);
        pods.push(pod);
    }
    let frozen: Vec<u64> = pods[..3].iter().map(|p| shim(&node, p)).collect();
    // What the kubelet asks, the slowest of the answers; the last are those of a shim.
    let slowest = |list: &[String]| {
        node.with_client(async |client| {
            let mut pods = client.runtime_service();
            let mut slowest = Duration::ZERO;
            for n in 0..100 {
                let begun = Instant::now();
                let listed = pods.list_containers(cri::ListContainersRequest::default()).await.unwrap().into_inner();
                assert_eq!(listed.containers.len(), 8);
                let stats = pods.list_container_stats(cri::ListContainerStatsRequest::default()).await.unwrap();
                assert_eq!(stats.into_inner().stats.len(), 8);
                pods.list_pod_sandbox(cri::ListPodSandboxRequest::default()).await.unwrap();
                let exec = cri::ExecSyncRequest {
                    container_id: list[n % list.len()].clone(),
                    cmd: vec!["true".to_owned()],
                    timeout: 10,
                };
                pods.exec_sync(exec).await.unwrap();
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        })
    };
    let (before, descriptors) = (slowest(&containers[3..]), holdings(&node)["descriptors"]);
    let (size, quiet) = (memory(&node), sockets(&node));
    frozen.iter().for_each(|pid| signal(*pid, Signal::STOP));
    // Probes of a kubelet, with their limit of a second.
    let probes: Vec<_> = (0..30)
        .map(|n| {
            let mut probe = node.crictl_command(&["exec", "-s", "--timeout", "1", &containers[n % 3], "true"]);
            probe.stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let meanwhile = slowest(&containers[3..]);
    let asked = sockets(&node).saturating_sub(quiet);
    assert!((3..=14).contains(&asked), "{asked} questions to three shims, of which each has four at most");
    for mut probe in probes {
        assert!(!probe.wait().unwrap().success());
    }
    assert!(meanwhile < 4 * before + Duration::from_millis(500), "{meanwhile:?}, {before:?} before");
    assert!(memory(&node) <= size + 32, "{} MiB, {size} before", memory(&node));
    frozen.iter().for_each(|pid| signal(*pid, Signal::CONT));
    for container in &containers {
        assert_eq!(node.ok(&["exec", "-s", container, "echo", "alive"]), "alive");
    }
    node.until("what was asked in vain to be forgotten", || holdings(&node)["descriptors"] <= descriptors + 2);
    node.end();
}

#[test]
fn pod_12_who_asks_for_a_pod_again_gets_what_was_made_meanwhile() {
    let Some(mut node) = scripted("again") else { return };
    again(&mut node, &["--unclaimed-timeout", "2s"]);
    let gives_up = |arguments: &[&str]| {
        let given_up = node.crictl(arguments);
        assert!(!given_up.status.success(), "{arguments:?}");
    };
    let config = node.pod_config("pod", |_| ());
    let ask = ["runp", "-T", "500ms", &config];
    // Asked for again, before it is done and after.
    calls(&node);
    for waits in [true, false] {
        say(&node, "ADD.slow");
        gives_up(&ask);
        assert_eq!(node.ok(&["pods", "-q"]), "", "nobody knows of it");
        let ask_again = || node.crictl_command(&["runp", &config]).stdout(Stdio::piped()).spawn().unwrap();
        let second = waits.then(ask_again);
        unsay(&node, "ADD.slow");
        let id = match second {
            Some(child) => String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned(),
            None => node.ok(&["runp", &config]),
        };
        assert_eq!(node.ok(&["pods", "-q", "--state", "ready"]), id);
        assert_eq!(calls(&node), "ADD", "it was made once");
        // A duplicate of what somebody has is one, at once.
        let begun = Instant::now();
        assert!(node.fails(&["runp", &config]).contains("AlreadyExists"));
        assert!(begun.elapsed() < Duration::from_secs(2));
        node.ok(&["rmp", "-f", &id]);
        calls(&node);
    }
    // Asked for with another configuration: that is made, and the first removed.
    say(&node, "ADD.slow");
    gives_up(&ask);
    unsay(&node, "ADD.slow");
    let other = node.pod_config("pod", |p| p["labels"]["more"] = "x".into());
    let id = node.ok(&["runp", &other]);
    assert_eq!(calls(&node), "ADD DEL ADD");
    assert_eq!(node.json(&["inspectp", &id])["status"]["labels"]["more"], "x");
    node.ok(&["rmp", "-f", &id]);
    calls(&node);
    // Not asked for again.
    let before = holdings(&node);
    say(&node, "ADD.slow");
    let config = node.pod_config("pod", |_| ());
    gives_up(&["runp", "-T", "500ms", &config]);
    unsay(&node, "ADD.slow");
    node.until("its removal", || called(&node, "DEL"));
    settles(&node, &before);

    node.end();
}

/// As of pods; what is slow is the OCI runtime.
#[test]
fn pod_12_who_asks_for_a_container_again_gets_what_was_made_meanwhile() {
    let Some(mut node) = scripted("again-container") else { return };
    again(&mut node, &["--unclaimed-timeout", "2s"]);
    let gives_up = |arguments: &[&str]| {
        let given_up = node.crictl(arguments);
        assert!(!given_up.status.success(), "{arguments:?}");
    };
    let config = node.pod_config("pod", |_| ());
    let pod = node.ok(&["runp", "-r", "slow", &config]);
    let container = node.container_config("c", "sleep 1000", |_| ());
    calls(&node);
    say(&node, "create.slow");
    gives_up(&["create", "-T", "500ms", &pod, &container, &config]);
    assert_eq!(node.ok(&["ps", "-aq"]), "");
    unsay(&node, "create.slow");
    let id = node.ok(&["create", &pod, &container, &config]);
    assert_eq!((node.ok(&["ps", "-aq"]), calls(&node).as_str()), (id.clone(), "create"));
    assert!(node.fails(&["create", &pod, &container, &config]).contains("AlreadyExists"));
    node.ok(&["start", &id]);
    node.ok(&["rm", "-f", &id]);
    say(&node, "create.slow");
    gives_up(&["create", "-T", "500ms", &pod, &container, &config]);
    unsay(&node, "create.slow");
    let other = node.container_config("c", "sleep 1000", |c| c["labels"] = json!({ "more": "x" }));
    let id = node.ok(&["create", &pod, &other, &config]);
    assert_eq!(calls(&node), "create create");
    assert_eq!(status(&node, &id)["labels"]["more"], "x");
    node.ok(&["rm", "-f", &id]);
    let before = holdings(&node);
    say(&node, "create.slow");
    gives_up(&["create", "-T", "500ms", &pod, &container, &config]);
    unsay(&node, "create.slow");
    settles(&node, &before);

    // What could not be removed is given to nobody: it can be seen, and removed once more.
    say(&node, "create.slow");
    gives_up(&["create", "-T", "500ms", &pod, &container, &config]);
    unsay(&node, "create.slow");
    say(&node, "delete.fails");
    node.until("a removal that fails", || !node.ok(&["ps", "-aq"]).is_empty());
    let left = node.ok(&["ps", "-aq"]);
    assert!(node.fails(&["create", &pod, &container, &config]).contains("AlreadyExists"));
    unsay(&node, "delete.fails");
    node.ok(&["rm", "-f", &left]);
    let id = node.ok(&["create", &pod, &container, &config]);
    node.ok(&["rm", "-f", &id]);
    settles(&node, &before);
    node.end();
}

#[test]
fn pod_13_what_is_done_twice_or_to_nothing_is_no_error() {
    let Some(node) = node("twice") else { return };
    let (container, pod) = node.running("c", "sleep 1000", |_| ());
    node.with_client(async |client| {
        let mut pods = client.runtime_service();
        for container_id in [container.clone(), "nosuchcontainer".to_owned()] {
            let stop = cri::StopContainerRequest { container_id: container_id.clone(), timeout: 0 };
            pods.stop_container(stop.clone()).await.unwrap();
            pods.stop_container(stop).await.unwrap();
            let remove = cri::RemoveContainerRequest { container_id };
            pods.remove_container(remove.clone()).await.unwrap();
            pods.remove_container(remove).await.unwrap();
        }
        for pod_sandbox_id in [pod.clone(), "nosuchpod".to_owned()] {
            let stop = cri::StopPodSandboxRequest { pod_sandbox_id: pod_sandbox_id.clone() };
            pods.stop_pod_sandbox(stop.clone()).await.unwrap();
            pods.stop_pod_sandbox(stop).await.unwrap();
            let remove = cri::RemovePodSandboxRequest { pod_sandbox_id };
            pods.remove_pod_sandbox(remove.clone()).await.unwrap();
            pods.remove_pod_sandbox(remove).await.unwrap();
        }
        let image = Some(cri::ImageSpec { image: "127.0.0.1:5000/no/such:1".to_owned(), ..Default::default() });
        client.image_service().remove_image(cri::RemoveImageRequest { image }).await.unwrap();
    });
    // At the same time as well.
    let (container, pod) = node.running("d", "sleep 1000", |_| ());
    let all: Vec<_> = [["stop", container.as_str()], ["stopp", &pod], ["rm", &container], ["rmp", &pod], ["rmp", &pod]]
        .map(|arguments| node.crictl_command(&[arguments[0], arguments[1]]).stderr(Stdio::null()).spawn().unwrap())
        .into();
    for mut one in all {
        one.wait().unwrap();
    }
    // crictl asks for the status of what it removes.
    node.with_client(async |client| {
        let pod_sandbox_id = pod.clone();
        let removed =
            client.runtime_service().remove_pod_sandbox(cri::RemovePodSandboxRequest { pod_sandbox_id }).await;
        removed.unwrap();
    });
    assert_eq!((node.ok(&["pods", "-q"]), node.ok(&["ps", "-aq"])), Default::default());
    node.end();
}

#[test]
fn pod_14_a_stop_can_be_called_off_and_cut_short() {
    let Some(node) = node("stops") else { return };
    let deaf = "trap 'echo told' TERM; while :; do sleep 0.05; done";
    let told = |container: &str| node.ok(&["logs", container]).lines().filter(|l| *l == "told").count();
    let (container, _) = node.running("c", deaf, |_| ());
    let stop = |seconds: i64| {
        let id = container.clone();
        let mut command = node.crictl_command(&["stop", "-t", &seconds.to_string(), &id]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // Whoever called it off does not want it any more.
    let mut first = stop(2);
    node.until("the signal", || told(&container) == 1);
    first.kill().unwrap();
    first.wait().unwrap();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(status(&node, &container)["state"], "CONTAINER_RUNNING");
    // A second, shorter one ends the first.
    let mut long = stop(60);
    node.until("the signal", || told(&container) == 2);
    let begun = Instant::now();
    assert!(stop(1).wait().unwrap().success() && long.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(node.exit_code(&container), 137);
    // Many at once are all answered.
    let (container, _) = node.running("d", deaf, |_| ());
    let many = [30, 20, 2, 1, 10, 1].map(|seconds: i64| {
        node.crictl_command(&["stop", "-t", &seconds.to_string(), &container]).stdout(Stdio::null()).spawn().unwrap()
    });
    let begun = Instant::now();
    for mut one in many {
        assert!(one.wait().unwrap().success());
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    node.end();
}

#[test]
fn pod_17_what_the_engine_lacks_is_said_and_leaves_no_half_pods() {
    let Some(node) = node("short") else { return };
    let run = |name: &str| {
        let pod_config = node.pod_config(name, |_| ());
        let config = node.container_config(name, "sleep 1000", |_| ());
        node.crictl_command(&["run", "--no-pull", &config, &pod_config])
    };
    let round = |what: &str| {
        let all: Vec<_> = (0..8)
            .map(|n| run(&format!("p{n}")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        let outcomes: Vec<_> = all.into_iter().map(|c| c.wait_with_output().unwrap()).collect();
        let failed = outcomes.iter().filter(|o| !o.status.success());
        let said: Vec<_> = failed.map(|o| String::from_utf8_lossy(&o.stderr).into_owned()).collect();
        eprintln!("{what}: {} of 8 failed", said.len());
        said
    };
    let clean = || {
        for pod in node.ok(&["pods", "-q"]).lines() {
            node.ok(&["rmp", "-f", pod]);
        }
    };
    assert!(round("with everything").is_empty());
    clean();
    let before = holdings(&node);
    let engine = Pid::from_raw(node.engine().cast_signed());
    let limit = |files: Option<u64>| {
        let old = rustix::process::getrlimit(Resource::Nofile);
        let new = Rlimit { current: files.or(old.current), maximum: old.maximum };
        rustix::process::prlimit(engine, Resource::Nofile, new).unwrap();
    };
    limit(Some(before["descriptors"] as u64 + 6));
    let said = round("descriptors");
    assert!(!said.is_empty() && said.iter().all(|s| !s.trim().is_empty()), "{said:?}");
    limit(None);
    clean();
    settles(&node, &before);
    // Threads and memory, by a group of the engine's own.
    let group = Cgroup::new(format!("{}-engine", node.cgroup)).unwrap();
    let threads = fs::read_dir(format!("/proc/{}/task", node.engine())).unwrap().count();
    let resources: oci_spec::runtime::LinuxResources =
        serde_json::from_value(json!({ "pids": { "limit": threads + 2 }, "memory": { "limit": 96 << 20 } })).unwrap();
    group.create(Some(&resources)).unwrap();
    group.add(node.engine()).unwrap();
    round("threads and memory");
    group.update(&serde_json::from_value(json!({ "pids": { "limit": -1 } })).unwrap()).unwrap();
    clean();
    settles(&node, &before);
    assert!(round("with everything again").is_empty());
    clean();
    node.end();
    group.delete().unwrap();
}

/// Three rounds of six pods.
#[test]
fn pod_20_pods_that_come_and_go_leave_nothing() {
    let Some(node) = node("churn") else { return };
    let round = || {
        let all: Vec<_> = (0..6)
            .map(|n| {
                let pod_config = node.pod_config(&format!("p{n}"), |p| {
                    p["port_mappings"] = json!([{ "container_port": 80, "host_port": 20_080 + n }]);
                });
                let config = node.container_config(&format!("p{n}"), "echo out; exit 3", |_| ());
                node.crictl_command(&["run", "--no-pull", &config, &pod_config]).stdout(Stdio::null()).spawn().unwrap()
            })
            .collect();
        for mut one in all {
            assert!(one.wait().unwrap().success());
        }
        let listed = node.ok(&["pods", "-q"]);
        let gone: Vec<_> = listed
            .lines()
            .map(|pod| node.crictl_command(&["rmp", "-f", pod]).stdout(Stdio::null()).spawn().unwrap())
            .collect();
        for mut one in gone {
            assert!(one.wait().unwrap().success());
        }
    };
    round();
    let before = holdings(&node);
    for _ in 0..3 {
        round();
    }
    settles(&node, &before);
    node.end();
}
