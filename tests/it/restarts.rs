//! What a start of the engine finds of pods and containers: rows of section POD of the threats that restart it.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;
use wharf::proto::cri;

use super::{
    pods::{again, lives, node, pid, pod_state, shim, signal, status},
    requests::handlers,
};
use crate::support::node::Node;

#[test]
fn pod_09_pod_22_a_shim_that_does_not_answer_is_unknown_and_holds_nobody_up() {
    let Some(mut node) = node("unreachable") else { return };
    let running: Vec<_> = (0..4).map(|n| node.running(&format!("c{n}"), "sleep 1000", |_| ())).collect();
    let [(container, pod), (doomed, its_pod)] = &running[..2] else { unreachable!() };
    let (first, stopped, dying) = (pid(&node, container), shim(&node, pod), shim(&node, its_pod));
    signal(stopped, Signal::STOP);
    signal(dying, Signal::STOP);
    node.kill_engine();
    let begun = Instant::now();
    node.serve();
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    for (n, (container, pod)) in running.iter().enumerate() {
        let expected = if n < 2 { "CONTAINER_UNKNOWN" } else { "CONTAINER_RUNNING" };
        assert_eq!(status(&node, container)["state"], expected);
        assert_eq!(pod_state(&node, pod), "SANDBOX_READY");
    }
    // Nothing is done to what may run.
    for arguments in [["stopp", pod], ["stop", container]] {
        let refused = node.fails(&arguments);
        assert!(refused.contains("does not answer"), "{arguments:?}: {refused}");
    }
    assert!(lives(first) && lives(stopped));
    signal(stopped, Signal::CONT);
    node.until("it to be found again", || status(&node, container)["state"] == "CONTAINER_RUNNING");
    assert_eq!((pid(&node, container), shim(&node, pod)), (first, stopped));
    assert_eq!(node.ok(&["exec", "-s", container, "echo", "alive"]), "alive");
    // It is watched again.
    node.ok(&["stop", "-t", "0", container]);
    assert_eq!(node.exit_code(container), 137);
    // One that ends without having answered has gone.
    signal(dying, Signal::KILL);
    node.until("its end to be seen", || status(&node, doomed)["state"] == "CONTAINER_EXITED");
    assert_eq!(status(&node, doomed)["reason"], "ShimDied");
    assert_eq!(pod_state(&node, its_pod), "SANDBOX_NOTREADY");
    node.end();
}

#[test]
fn pod_23_until_all_pods_are_known_nothing_is_listed() {
    let Some(mut node) = node("recovering") else { return };
    let pods: Vec<String> = (0..3).map(|n| node.ok(&["runp", &node.pod_config(&format!("p{n}"), |_| ())])).collect();
    // The start has to wait for it.
    let stopped = shim(&node, &pods[0]);
    node.kill_engine();
    signal(stopped, Signal::STOP);
    let mut ask = node.crictl_command(&["pods", "-q"]);
    let over = AtomicBool::new(false);
    let answers = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let output = ask.output().unwrap();
                answers.push((
                    output.status.success(),
                    [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap()),
                ));
            }
            answers
        });
        node.serve();
        thread::sleep(Duration::from_millis(200));
        over.store(true, Ordering::SeqCst);
        asking.join().unwrap()
    });
    signal(stopped, Signal::CONT);
    assert!(
        answers.iter().any(|(_, [_, said])| said.contains("Unavailable") && said.contains("recovering, 2/3 pods")),
        "{answers:?}"
    );
    let (listed, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(success, _)| *success);
    assert!(!listed.is_empty());
    for (_, [list, _]) in listed {
        assert_eq!(list.lines().count(), 3, "{list}");
    }
    for (_, [_, said]) in refused {
        assert!(
            said.contains("recovering") || said.contains("no such file") || said.contains("connection refused"),
            "{said}"
        );
    }
    node.end();
}

#[test]
fn pod_16_a_pid_that_is_somebody_elses_by_now_is_not_touched() {
    let Some(mut node) = node("reused") else { return };
    for handler in handlers("reused") {
        let config = node.pod_config(&format!("p{handler}"), |_| ());
        let pod = node.ok(&["runp", "-r", handler, &config]);
        let container = node.ok(&["create", &pod, &node.container_config("c", "sleep 1000", |_| ()), &config]);
        node.ok(&["start", &container]);
        let killed = shim(&node, &pod);
        node.kill_engine();
        signal(killed, Signal::KILL);
        let mut victim = Command::new("sleep").arg("1000").spawn().unwrap();
        // As if the container's first process had ended, and its number been given to this one.
        let database = rusqlite::Connection::open(node.dir.join("lib/meta.db")).unwrap();
        let changed = database
            .execute(
                "UPDATE document SET body = json_set(body, '$.pid', ?1) WHERE id = ?2",
                rusqlite::params![victim.id(), container],
            )
            .unwrap();
        assert_eq!(changed, 1);
        drop(database);
        node.serve();
        assert_eq!(status(&node, &container)["state"], "CONTAINER_EXITED", "{handler:?}");
        node.fails(&["exec", "-s", &container, "true"]);
        for verb in ["stop", "rm"] {
            node.ok(&[verb, &container]);
        }
        node.ok(&["rmp", "-f", &pod]);
        assert!(lives(victim.id().into()), "{handler:?}");
        assert!(!lives(killed));
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    node.end();
}

/// 40 containers.
#[test]
fn pod_19_exits_that_nobody_saw_are_known_once() {
    let Some(mut node) = node("exits") else { return };
    let flags = node.dir.join("flags");
    fs::create_dir(&flags).unwrap();
    let code = |n: i32| n * 37 % 256;
    let mut containers = Vec::new();
    for pod in 0..2 {
        let config = node.pod_config(&format!("p{pod}"), |_| ());
        let id = node.ok(&["runp", &config]);
        for n in pod * 20..pod * 20 + 20 {
            let script = format!("until [ -e /flags/go ]; do sleep 0.1; done; exit {}", code(n));
            let container = node.container_config(&format!("c{n}"), &script, |c| {
                c["mounts"] = json!([{ "container_path": "/flags", "host_path": flags, "readonly": true }]);
            });
            containers.push(node.ok(&["create", &id, &container, &config]));
        }
    }
    let mut start = vec!["start"];
    start.extend(containers.iter().map(String::as_str));
    node.ok(&start);
    node.kill_engine();
    let since = std::time::SystemTime::now();
    fs::write(flags.join("go"), "").unwrap();
    let waits = || {
        let lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| fs::read(e.path().join("cmdline")).ok());
        lines.into_iter().any(|l| String::from_utf8_lossy(&l).contains("until [ -e /flags/go ]"))
    };
    node.until("their end", || !waits());
    // Who has ended has no command line, also before its shim has looked.
    std::thread::sleep(Duration::from_secs(2));
    let until = std::time::SystemTime::now();
    let ends = |node: &Node| {
        node.with_client(async |client| {
            let mut pods = client.runtime_service();
            let mut found = Vec::new();
            for container_id in &containers {
                let request = cri::ContainerStatusRequest { container_id: container_id.clone(), verbose: false };
                let status = pods.container_status(request).await.unwrap().into_inner().status.unwrap();
                assert_eq!(status.state(), cri::ContainerState::ContainerExited);
                found.push((status.exit_code, status.finished_at));
            }
            found
        })
    };
    node.serve();
    let seen = ends(&node);
    let nanos =
        |t: std::time::SystemTime| i64::try_from(t.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    for ((exit, at), n) in seen.iter().zip(0..) {
        assert_eq!(*exit, code(n));
        assert!((nanos(since)..=nanos(until)).contains(at), "{n}: {at}");
    }
    again(&mut node, &[]);
    assert_eq!(ends(&node), seen);
    node.end();
}
