//! A call of the engine, or of its extractor, fails on the way of a layer (threats UNP-18): strace puts the error in its place.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use wharf::engine::content::Digest;

use crate::support::{
    self,
    node::Node,
    registry::{self, Layer},
};

const LAYERED: &str = "127.0.0.1:5000/test/layered:1";

/// One layer with a file that nothing else on the node is called like.
fn push_layered(node: &Node) -> Layer {
    let root = node.dir.join("extra");
    fs::create_dir_all(root.join("data")).unwrap();
    fs::write(root.join("data/wharf-it-written"), vec![7; 100_000]).unwrap();
    std::os::unix::fs::symlink("wharf-it-written", root.join("data/link")).unwrap();
    let layer = registry::layer(&root);
    node.registry.as_ref().unwrap().push("test/layered", "1", std::slice::from_ref(&layer), None);
    layer
}

/// From now on a call fails in the engine and in what it starts, everywhere or on one file.
struct Fault {
    strace: Child,
    calls: PathBuf,
}

impl Fault {
    fn new(node: &Node, call: &str, path: Option<&Path>) -> Self {
        let calls = node.dir.join(format!("calls-{call}"));
        let said = node.dir.join("strace");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-p", &node.engine().to_string(), "-o"]).arg(&calls);
        command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:error=EIO")]);
        if let Some(path) = path {
            command.arg("-P").arg(path);
        }
        let strace = command.stderr(fs::File::create(&said).unwrap()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !fs::read_to_string(&said).unwrap().contains("attached") {
            assert!(Instant::now() < deadline, "strace: {}", fs::read_to_string(&said).unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { strace, calls }
    }

    /// How often it has failed. SQLite asks for an owner of each log that it opens, and goes on without.
    fn end(mut self) -> usize {
        let pid = rustix::process::Pid::from_child(&self.strace);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.strace.wait().unwrap();
        fs::read_to_string(&self.calls)
            .unwrap()
            .lines()
            .filter(|l| l.contains("(INJECTED)") && !l.contains("meta.db-wal"))
            .count()
    }
}

#[test]
fn unp_18_a_call_that_fails_fails_the_pull_and_nothing_is_committed() {
    if support::program("unp_18", "strace").is_none() {
        return;
    }
    let Some(mut node) = Node::with_registry("eio") else { return };
    let layer = Digest::of(&push_layered(&node).bytes);
    let content = node.dir.join("lib/content");
    let (blob, ingest) = (content.join("blobs/sha256").join(layer.hex()), content.join("ingest").join(layer.hex()));
    let written = PathBuf::from("/data/wharf-it-written");
    for (call, path) in [
        ("write", Some(&ingest)),
        ("fsync", Some(&ingest)),
        ("renameat2", Some(&ingest)),
        ("read", Some(&blob)),
        ("write", Some(&written)),
        ("mkdirat", None),
        ("symlinkat", None),
        ("fchown", None),
        ("fchmod", None),
        ("utimensat", None),
        ("syncfs", None),
    ] {
        let what = format!("{call} of {path:?}");
        let fault = Fault::new(&node, call, path.map(PathBuf::as_path));
        let error = node.fails(&["pull", LAYERED]);
        let failed = fault.end();
        assert!(error.contains("Input/output error") && error.contains(layer.short()), "{what}: {error}");
        // What could not be synced is not asked to be synced again.
        assert_eq!(failed, 1, "{what}: {error}");
        assert!(!node.ok(&["images"]).contains("layered"), "{what}");
        if call == "fsync" {
            assert!(!blob.exists() && !ingest.exists(), "{what}: what may not be on the disk is there");
        }
        let snapshots = fs::read_dir(node.dir.join("lib/snapshots/overlayfs")).unwrap().count();
        assert_eq!(snapshots, 0, "{what}: something is left");
        node.ok(&["pull", LAYERED]);
        node.ok(&["rmi", LAYERED]);
    }
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], serde_json::json!([]));
    node.serve();
    node.end();
}
