//! The app attached to somebody else's runtime, in a real terminal: it shows what crictl lists, and outlives the runtime.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    attached_containerd::{Containerd, VERSIONS, Version},
    cri::Cri,
    tmux::Tmux,
};

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(10).collect()
}

/// The tables of a runtime with two pods, at two sizes; `snapshots` lists their keys.
pub fn panes(c: &Cri, runtime: &str, snapshots: impl Fn() -> Vec<String>) {
    c.ok(&["pull", &c.image]);
    c.ok(&["pull", "127.0.0.1:5000/test/unused:1"]);
    let shared = c.dir.join("pods/uid-web/volumes/kubernetes.io~empty-dir/shared");
    std::fs::create_dir_all(&shared).unwrap();
    let mounts = serde_json::json!([
        { "container_path": "/shared", "host_path": shared },
        { "container_path": "/host-etc", "host_path": "/etc", "readonly": true },
    ]);
    let script = "while :; do echo ahoy from the loop; sleep 0.5; done";
    let (_, loud) = c.run_with("web", "loud", script, mounts);
    let (_, ended) = c.run("job", "brief", "exit 3");
    for size in [(80, 24), (160, 48)] {
        let Some(tmux) = Tmux::start("app", size, &c.wharf(&[])) else { return };
        let screen = tmux.wait_for("ATTACHED");
        assert!(screen.contains(runtime), "{screen}");
        tmux.keys(&["2"]);
        let screen = tmux.wait_until("both pods", |s| s.contains("web") && s.contains("job") && s.contains("Ready"));
        assert!(screen.contains("2 Pods 2"), "{screen}");
        tmux.keys(&["3"]);
        tmux.wait_until("both containers and how they are", |s| {
            ["Containers 2 ", "loud", "Running", "brief", "Exited 3"].iter().all(|w| s.contains(w))
        });
        tmux.keys(&["4"]);
        let images = c.json(&["images", "-o", "json"])["images"].as_array().unwrap().clone();
        let screen = tmux.wait_for(&format!("Images {} ", images.len()));
        for image in &images {
            let id = short(image["id"].as_str().unwrap());
            assert!(screen.contains(&id), "{id} is missing:\n{screen}");
        }
        assert!(screen.contains("test/busybox:1") && screen.contains("test/unused:1"), "{screen}");
        // The layers of one of them with their files.
        tmux.keys(&["/"]);
        tmux.text("busybox");
        tmux.keys(&["Enter", "F"]);
        let screen = tmux.wait_for("files and directories");
        assert!(screen.contains("bin/busybox") && screen.contains("Layer "), "{screen}");
        tmux.keys(&["Escape", "Escape", "5"]);
        let all = snapshots();
        let screen = tmux.wait_for(&format!("Snapshots {} ", all.len()));
        for key in &all {
            let key: String = key.chars().take(17).collect();
            assert!(screen.contains(&key), "{key} is missing:\n{screen}");
        }
        // The files of the largest: its image's program and the names of it.
        tmux.keys(&["F"]);
        let screen = tmux.wait_for("files and directories");
        assert!(screen.contains("bin/busybox") && screen.contains("Layer "), "{screen}");
        tmux.keys(&["Escape"]);
        tmux.keys(&[":"]);
        tmux.text("mounts");
        tmux.keys(&["Enter"]);
        let screen = tmux.wait_for("/host-etc");
        assert!(["Pod default/web", "emptyDir", "/shared", "read-only"].iter().all(|w| screen.contains(w)), "{screen}");
        tmux.keys(&["Escape"]);
        // Logs of the container, by its row.
        tmux.keys(&["3", "/"]);
        tmux.text("loud");
        tmux.keys(&["Enter", "l"]);
        tmux.wait_for("ahoy from the loop");
        tmux.keys(&["Escape"]);
        tmux.wait_until("the table again", |s| s.contains("NAME") && s.contains("STATE"));
        // Its use over time, and its pod's: figures of the runtime, and what that does not tell from the control groups.
        tmux.keys(&["m"]);
        graphs(&tmux, "Graphs container loud of pod default/web", "CRI ContainerStats");
        tmux.keys(&["Escape", "Escape", "2", "/"]);
        tmux.text("web");
        tmux.keys(&["Enter"]);
        tmux.wait_until("one pod", |s| s.contains("web") && !s.contains("NotReady"));
        tmux.keys(&[":"]);
        tmux.text("graphs");
        tmux.keys(&["Enter"]);
        graphs(&tmux, "Graphs pod default/web", "");
        tmux.keys(&["Escape", "Escape", "q"]);
        assert_eq!(tmux.exit_code(), 0);
        tmux.end();
    }
    assert_eq!(c.json(&["inspect", &loud])["status"]["state"], "CONTAINER_RUNNING");
    assert_eq!(c.json(&["inspect", &ended])["status"]["state"], "CONTAINER_EXITED");
}

/// Five graphs, each with a figure or a reason, in the time of a few readings.
pub fn graphs(tmux: &Tmux, title: &str, source: &str) {
    let screen = tmux.wait_until("a figure or a reason in every graph", |s| {
        s.contains(title) && s.contains("From") && s.contains(source) && !s.contains("measuring")
    });
    for name in ["CPU", "Memory", "Network", "Disk", "Pressure"] {
        assert!(screen.contains(name), "{name}:\n{screen}");
    }
    assert!(screen.contains("no limit") || screen.contains("% of "), "{screen}");
    // The axes of the processor's and the memory's graph.
    assert!(screen.matches("0m│").count() >= 1 && screen.matches("0B│").count() >= 1, "{screen}");
    assert!(!screen.contains("not known any more"), "{screen}");
}

#[test]
fn the_panes_name_what_crictl_lists() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("app", version) else { return };
        c.ctr("other", &["images", "pull", "--plain-http", "127.0.0.1:5000/test/unused:1"]);
        let list = |namespace: &str| {
            let text = c.ctr(namespace, &["snapshots", "ls"]);
            text.lines().skip(1).filter_map(|l| l.split_whitespace().next().map(str::to_owned)).collect::<Vec<_>>()
        };
        panes(&c, "containerd", || [list("k8s.io"), list("other")].concat());
        let Some(tmux) = Tmux::start("app", (160, 48), &c.wharf(&[])) else { return };
        tmux.wait_for("ATTACHED");
        tmux.keys(&["5"]);
        tmux.wait_until("both namespaces", |s| s.contains("other") && s.contains("k8s.io"));
        tmux.keys(&["q"]);
        tmux.end();
        c.ctr("other", &["images", "rm", "127.0.0.1:5000/test/unused:1"]);
        c.end();
    }
}

#[test]
fn att_05_a_runtime_that_dies_is_said_and_found_again() {
    let Some(mut c) = Containerd::start("app-death", Version::Debian) else { return };
    c.ok(&["pull", &c.image]);
    c.run("web", "loud", "sleep 1000");
    let Some(tmux) = Tmux::start("app-death", (100, 30), &c.wharf(&[])) else { return };
    tmux.wait_for("ATTACHED");
    tmux.keys(&["3"]);
    tmux.wait_until("the container", |s| s.contains("loud") && s.contains("Running"));
    // Two of the row's twenty.
    for round in 0..2 {
        c.kill();
        let screen = tmux.wait_until("that it is dead", |s| s.contains("runtime dead since") && s.contains(" old)"));
        assert!(screen.contains("loud"), "what was seen is still shown:\n{screen}");
        // The age goes on.
        let age = |s: &str| {
            s.split("shown from disk, ").nth(1).unwrap_or_default().split(' ').next().unwrap_or_default().to_owned()
        };
        let first = age(&screen);
        tmux.wait_until("an older age", |s| s.contains("shown from disk") && age(s) != first);
        if round == 0 {
            // What it uses is known without anybody who answers.
            tmux.keys(&["m"]);
            graphs(&tmux, "Graphs container loud of pod default/web", "cgroup v");
            tmux.keys(&["Escape"]);
        }
        c.serve();
        let ready = Instant::now();
        tmux.wait_until("the end of the alarm", |s| !s.contains("runtime dead") && s.contains("loud"));
        assert!(ready.elapsed() < Duration::from_secs(2), "found again after {:?}", ready.elapsed());
        thread::sleep(Duration::from_millis(300));
    }
    // What it shows is new: a pod made after the crash appears.
    c.run("late", "late-one", "sleep 1000");
    tmux.wait_for("late-one");
    tmux.keys(&["q"]);
    assert_eq!(tmux.exit_code(), 0);
    tmux.end();
    c.end();
}
