//! wharf's own verbs, as a person types them, from a real registry to an empty node: on a terminal against `wharf serve`,
//! with the runtime inside, and by the app's keys.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use super::pulls::noise;
use crate::support::{
    self,
    lying::{Answer, Body, Image, Lying},
    node::{IMAGE, Node},
    pty::Pty,
    tmux::Tmux,
};

/// Writes a line every 50 ms, so that a follower has something to follow.
const COUNTING: &str = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.05; done";

fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text.trim_end().to_owned()
}

fn on_a_terminal(node: &Node, arguments: &[&str]) -> Pty {
    Pty::spawn(&node.wharf(arguments), 100, 30)
}

/// Two instances of one container that have exited, the older first, and their pod.
fn restarted(node: &Node, name: &str) -> ((String, String), String) {
    let config = node.pod_config(name, |_| ());
    let pod = node.ok(&["runp", &config]);
    let ids = [0, 1].map(|attempt| {
        let container = node.container_config(name, "exit 3", |c| c["metadata"]["attempt"] = attempt.into());
        let id = node.ok(&["create", &pod, &container, &config]);
        node.ok(&["start", &id]);
        assert_eq!(node.exit_code(&id), 3);
        id
    });
    (ids.into(), pod)
}

/// A registry that takes a second or so for a layer, and the reference of its image.
fn slow_registry(node: &Node) -> (Lying, String) {
    let registry = Lying::start(&node.netns);
    let image = Image::new(&[noise(1, 400_000), noise(2, 400_000)]);
    let layers: Vec<_> = image.layers.iter().map(|digest| (digest.clone(), image.blob(digest))).collect();
    let reference = registry.image("slow", image, move |request| {
        let (_, bytes) = layers.iter().find(|(digest, _)| request.path.ends_with(digest.as_str()))?;
        Some(Answer::of(200, Body::Slow(bytes.clone(), 4_000)))
    });
    (registry, reference)
}

/// Pull, run, follow, a shell, the plan of a prune and the prune: nothing of it is left.
#[test]
fn from_the_registry_to_an_empty_node() {
    let Some(node) = Node::with_registry("own-verbs") else { return };
    let verb = |arguments: &[&str]| ran(&mut node.wharf(arguments));
    verb(&["pull", IMAGE]);
    assert!(verb(&["images"]).contains("127.0.0.1:5000/test/busybox"));

    let logs = node.dir.join("own-logs");
    let logs = logs.to_str().unwrap();
    let said = verb(&["run", "--rm", "--log-root", logs, IMAGE, "--", "sh", "-c", "echo ahoy; hostname"]);
    assert!(said.starts_with("ahoy\n"), "{said}");
    assert_eq!(verb(&["pods", "-q"]), "", "--rm left the pod");
    let mut failing = node.wharf(&["run", "--rm", "--log-root", logs, IMAGE, "--", "sh", "-c", "exit 7"]);
    assert_eq!(failing.status().unwrap().code(), Some(7), "run passes the command's code on");

    verb(&["run", "--detach", "--log-root", logs, "--name", "counter", IMAGE, "--", "sh", "-c", COUNTING]);
    let id = verb(&["ps", "-q"]);
    let mut follower = on_a_terminal(&node, &["logs", "-f", &id]);
    for line in ["line 0", "line 5", "line 20"] {
        follower.wait_for(line);
    }
    follower.keys("\x03");
    follower.end();

    let mut shell = on_a_terminal(&node, &["exec", "-it", &id, "sh"]);
    shell.keys("tty; stty size; exit 5\n");
    shell.wait_for("/dev/pts/");
    shell.wait_for("30 100");
    assert_eq!(shell.end().0.code(), Some(5), "exec passes the shell's code on");

    let (old, new) = restarted(&node, "flaky").0;
    let plan = verb(&["prune", "--dry-run"]);
    assert!(plan.contains("flaky") && plan.contains("newest exit"), "{plan}");
    assert_eq!(verb(&["ps", "-q", "--state", "exited"]).lines().count(), 2, "a plan changes nothing");
    verb(&["prune", "--yes"]);
    assert_eq!(verb(&["ps", "-q", "--state", "exited"]), new, "{old} goes, the newest exit stays");
    assert_eq!(verb(&["ps", "-q"]), id, "what runs stays");
    assert!(verb(&["images"]).contains("test/busybox"), "an image in use stays");

    verb(&["stop", &id]);
    for pod in verb(&["pods", "-q"]).lines() {
        verb(&["rmp", "-f", pod]);
    }
    let plan = verb(&["prune", "images", "--dry-run"]);
    assert!(plan.contains("test/busybox"), "{plan}");
    verb(&["prune", "images", "--yes"]);
    assert_eq!(verb(&["images", "-q"]), "");
    node.end();
}

/// The same with no daemon, and the pull with its bars: each verb opens the root, does its work and leaves; the container outlives every one of them.
#[test]
fn the_runtime_inside_serves_the_verbs_alone() {
    let test = "inside-verbs";
    let Some(mut node) = Node::stopped(test) else { return };
    if !node.add_registry(test) {
        return;
    }
    let (lib, run, logs) = (node.dir.join("lib"), node.dir.join("run"), node.dir.join("own-logs"));
    let command = |arguments: &[&str]| {
        let mut command = support::in_netns(&node.netns, Path::new(support::WHARF));
        command.arg("--embedded").arg("--root").arg(&lib).arg("--state").arg(&run).args(arguments);
        command
    };
    let verb = |arguments: &[&str]| ran(&mut command(arguments));
    let (_registry, slow) = slow_registry(&node);
    let (status, bars) = Pty::spawn(&command(&["pull", &slow]), 100, 30).end();
    assert!(status.success() && bars.matches('\r').count() > 3, "no bar was redrawn: {bars:?}");
    assert!(bars.contains("KiB") || bars.contains("kB"), "no amount: {bars:?}");
    verb(&["rmi", &slow]);
    verb(&["pull", IMAGE]);
    verb(&[
        "run",
        "--detach",
        "--log-root",
        logs.to_str().unwrap(),
        "--name",
        "counter",
        IMAGE,
        "--",
        "sh",
        "-c",
        COUNTING,
    ]);
    let id = verb(&["ps", "-q"]);
    assert_eq!(verb(&["exec", &id, "echo", "ahoy"]), "ahoy");
    let count = || verb(&["logs", &id]).lines().count();
    let before = count();
    thread::sleep(Duration::from_millis(500));
    assert!(count() > before, "it goes on between two verbs");
    assert!(verb(&["stats"]).contains("counter"));
    verb(&["stop", "-t", "1", &id]);
    let plan = verb(&["prune", "--dry-run"]);
    assert!(plan.contains("counter"), "{plan}");
    for pod in verb(&["pods", "-q"]).lines() {
        verb(&["rmp", "-f", pod]);
    }
    verb(&["rmi", IMAGE]);
    assert_eq!(verb(&["images", "-q"]), "");
    let blobs = lib.join("content/blobs/sha256");
    assert_eq!(fs::read_dir(&blobs).map_or(0, Iterator::count), 0, "blobs are left");
    node.serve();
    node.end();
}

/// The same by the app's keys: pull, a container of crictl's, its log, a shell, the prune that is called off and the one
/// that is not.
#[test]
fn the_same_by_the_apps_keys() {
    let test = "own-keys";
    let Some(node) = Node::with_registry(test) else { return };
    let mut command = node.wharf(&[]);
    command.env("TERM", "screen-256color");
    let Some(app) = Tmux::start(test, (80, 24), &command) else { return };
    app.wait_for("wharf");
    app.keys(&[":", &format!("pull {IMAGE}"), "Enter"]);
    app.wait_for(&format!("pulled {IMAGE}"));
    app.keys(&["Escape", "4"]);
    app.wait_for("test/busybox");
    let (id, pod) = node.running("web", COUNTING, |_| ());
    app.keys(&["3"]);
    app.wait_until("the container crictl made", |s| s.contains("web") && s.contains("Running"));
    app.keys(&["l"]);
    app.wait_for("line ");
    app.keys(&["Escape", "3"]);
    app.wait_for("Running");
    app.keys(&["s"]);
    app.wait_for("/ #");
    app.text("echo from-$((40+2))\n");
    app.wait_for("from-42");
    app.text("exit\n");
    app.wait_for("any key closes");
    thread::sleep(Duration::from_millis(600));
    let ((old, new), crashed) = restarted(&node, "flaky");
    app.keys(&["Escape", "3"]);
    app.wait_until("both instances", |s| s.matches("Exited").count() == 2);
    app.keys(&["P"]);
    app.wait_for("starts in");
    app.keys(&["u"]);
    app.wait_for("called off");
    let has = |id: &String| node.ok(&["ps", "-aq"]).contains(id.as_str());
    assert!(has(&old), "called off is nothing done");
    app.keys(&["P"]);
    app.wait_for("starts in");
    thread::sleep(Duration::from_millis(300));
    app.keys(&["Enter"]);
    app.wait_for("done, ");
    node.until("the prune", || !has(&old));
    assert!(has(&new) && has(&id), "the newest exit and what runs stay");
    app.keys(&["Escape", "q"]);
    assert_eq!(app.exit_code(), 0);
    drop(app);
    node.ok(&["rmp", "-f", &pod, &crashed]);
    node.end();
}
