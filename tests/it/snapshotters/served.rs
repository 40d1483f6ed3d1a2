//! Our snapshotters for others: a containerd 2.3 keeps its snapshots here over its own API, and so does another `wharf serve`.

use std::{fs, path::PathBuf, process::Output};

use serde_json::json;

use super::{LAYERED, OTHER, images_run_and_go, names, push_layered};
use crate::support::{
    attached_containerd::{Containerd, Version},
    containerd_2,
    node::{IMAGE, Node},
};

/// What is in a shelf.
fn kept(node: &Node, shelf: &str) -> Vec<String> {
    let root = node.dir.join("lib/served").join(shelf);
    fs::read_dir(root).into_iter().flatten().flat_map(|driver| names(&driver.unwrap().path())).collect()
}

fn plugin(node: &Node, name: &str) -> String {
    let socket = node.dir.join("wharf.sock");
    format!("[proxy_plugins.{name}]\ntype = \"snapshot\"\naddress = \"{}\"\n", socket.display())
}

/// containerd's tool on our socket.
fn ctr(node: &Node, programs: &std::path::Path, arguments: &[&str]) -> Output {
    let mut command = crate::support::in_netns(&node.netns, &programs.join("ctr"));
    command.arg("-a").arg(node.dir.join("wharf.sock")).args(["-n", "k8s.io", "snapshots"]).args(arguments);
    command.output().unwrap()
}

#[test]
fn a_containerd_keeps_its_snapshots_here() {
    let Some(programs) = containerd_2("served") else { return };
    let Some(mut node) = Node::with_registry("served") else { return };
    // From 2.1 on containerd pulls by its transfer service, which unpacks for the snapshotters it is told of.
    let more = format!(
        "{}[plugins.\"io.containerd.cri.v1.images\"]\nsnapshotter = \"wharf\"\n\
         [[plugins.\"io.containerd.transfer.v1.local\".unpack_config]]\nplatform = \"linux\"\nsnapshotter = \"wharf\"\n\
         differ = \"walking\"\n",
        plugin(&node, "wharf")
    );
    let Some(containerd) = Containerd::start_with("served-c", Version::New, &more) else { return };
    containerd.ok(&["pull", IMAGE]);
    let layers = kept(&node, "wharf");
    assert_eq!(layers.len(), 1, "{layers:?}");
    let (pod, first) = containerd.run("one", "loop", "echo mine > /etc/own; cat /etc/own; sleep 1000");
    node.until("its word", || containerd.ok(&["logs", &first]) == "mine");
    // A pod's and a container's own, and the pod's image's two.
    let with_pod = kept(&node, "wharf");
    assert!(with_pod.len() >= 4, "{with_pod:?}");
    assert_eq!(names(&node.dir.join("lib/snapshots/overlayfs")), Vec::<String>::new(), "nothing of it is ours");
    assert_eq!(node.ok(&["images", "-q"]), "");

    // Our own images come and go beside them, and so does the engine.
    node.ok(&["pull", IMAGE]);
    node.ok(&["rmi", IMAGE]);
    node.until("our own gone", || names(&node.dir.join("lib/snapshots/overlayfs")).is_empty());
    assert_eq!(kept(&node, "wharf"), with_pod);
    node.kill_engine();
    node.serve();
    assert_eq!(kept(&node, "wharf"), with_pod);
    assert_eq!(containerd.ok(&["exec", "-s", &first, "cat", "/etc/own"]), "mine");
    let (other, second) = containerd.run("two", "loop", "cat /etc/own || echo none; sleep 1000");
    node.until("its word", || containerd.ok(&["logs", &second]).ends_with("none"));
    containerd.ok(&["rmp", "-f", &other]);

    // containerd's errors, and its own tool.
    let said = |output: Output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let listed = said(ctr(&node, &programs, &["--snapshotter", "wharf", "ls"]));
    assert!(listed.contains("k8s.io/") && listed.contains("Committed") && listed.contains("Active"), "{listed}");
    let missing = said(ctr(&node, &programs, &["--snapshotter", "wharf", "rm", "none"]));
    assert!(missing.contains("snapshot none does not exist"), "{missing}");
    let unknown = said(ctr(&node, &programs, &["--snapshotter", "stargz", "ls"]));
    assert!(unknown.contains("there is no snapshotter"), "{unknown}");
    let base = listed.lines().find(|l| l.contains("Committed")).unwrap().split_whitespace().next().unwrap().to_owned();
    let used = said(ctr(&node, &programs, &["--snapshotter", "wharf", "rm", &base]));
    assert!(used.contains("has children"), "{used}");
    for (words, fine) in [
        (vec!["prepare", "work"], true),
        (vec!["prepare", "work"], false),
        (vec!["prepare", "child", "work"], false),
        (vec!["label", "work", "a=b"], true),
        (vec!["commit", "layer", "work"], true),
        (vec!["commit", "again", "layer"], false),
        (vec!["view", "look", "layer"], true),
        (vec!["rm", "layer"], false),
        (vec!["rm", "look"], true),
        (vec!["rm", "layer"], true),
    ] {
        let done = ctr(&node, &programs, &[&["--snapshotter", "wharf-two"][..], &words].concat());
        assert_eq!(done.status.success(), fine, "{words:?}: {}", said(done));
    }
    assert_eq!(kept(&node, "wharf-two"), Vec::<String>::new());

    // What containerd removes goes here.
    containerd.ok(&["rmp", "-f", &pod]);
    let images = containerd.ok(&["images", "-q"]);
    for image in images.lines() {
        containerd.ok(&["rmi", image]);
    }
    node.until("an empty shelf", || kept(&node, "wharf").is_empty());
    containerd.end();
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    node.end();
}

#[test]
fn an_engine_keeps_its_snapshots_in_another_engine() {
    let Some(mut daemon) = Node::start("served-a") else { return };
    let Some(mut node) = Node::stopped("served-b") else { return };
    let config = node.dir.join("config.toml");
    let images = "[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'wharf'\n";
    fs::write(&config, format!("version = 3\n{}{images}", plugin(&daemon, "wharf"))).unwrap();
    node.flags = vec!["--config".to_owned(), config.display().to_string()];
    node.serve();
    assert!(node.add_registry("served-b"));
    push_layered(&node);
    let shelf: PathBuf = daemon.dir.join("lib/served/wharf/overlayfs");
    images_run_and_go(&mut node, |_| names(&shelf));
    assert!(!node.dir.join("lib/snapshots").exists() || names(&node.dir.join("lib/snapshots")).is_empty());

    // Without its daemon: said, in time, and over when it is back.
    node.ok(&["pull", IMAGE]);
    daemon.stop();
    let failed = node.fails(&["pull", LAYERED]);
    assert!(failed.contains("snapshotter wharf") && failed.contains("there is no socket"), "{failed}");
    node.stop();
    node.serve();
    assert!(node.ok(&["images"]).contains("test/busybox"), "images are not lost because a daemon is");
    daemon.serve();
    node.ok(&["pull", OTHER]);
    let (container, _) = node.running("back", "echo here; sleep 1000", |_| ());
    node.until("its word", || node.ok(&["logs", &container]) == "here");
    for pod in node.ok(&["pods", "-q"]).lines() {
        node.ok(&["rmp", "-f", pod]);
    }
    node.ok(&["rmi", "--all"]);
    node.until("an empty shelf", || names(&shelf).is_empty());
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    daemon.stop();
    assert_eq!(daemon.check(&["--deep"])["findings"], json!([]));
    daemon.serve();
    daemon.end();
    node.serve();
    node.end();
}
