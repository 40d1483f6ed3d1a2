//! `wharf capture` on a live runtime and `wharf --replay`: everything is there again without the node, except its secrets.

use std::{
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
    time::Duration,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};

use crate::support::{self, node::Node, tmux::Tmux};

/// Stands for every secret: it must be nowhere in the file.
const CANARY: &str = "c4n4ry-of-the-vault";

fn wharf(arguments: &[&str]) -> Command {
    let mut command = Command::new(support::WHARF);
    command.args(arguments).env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn sec_03_a_node_is_captured_without_its_secrets_and_looked_at_without_the_node() {
    let Some(node) = Node::with_registry("capture") else { return };
    node.ok(&["pull", support::node::IMAGE]);
    let (container, pod) = node.running("shop", &format!("echo password={CANARY}; echo ready; exec sleep 1000"), |c| {
        c["envs"] = json!([{ "key": "DB_PASSWORD", "value": CANARY }, { "key": "COLOUR", "value": "teal" }]);
    });
    node.until("the log", || node.ok(&["logs", &container]).contains("ready"));
    let file = node.dir.join("node.wharf");
    let file = file.to_str().unwrap();
    let made = node.wharf(&["capture", file]).output().unwrap();
    assert!(made.status.success() && text(&made).contains("secrets taken out"), "{}", text(&made));
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = node.wharf(&["capture", file]).output().unwrap();
    assert!(!again.status.success() && text(&again).contains("File exists"), "{}", text(&again));

    let mut inside = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut inside).unwrap();
    assert!(!inside.contains(CANARY), "a secret is in the file");
    assert!(inside.contains("teal") && inside.contains("DB_PASSWORD") && inside.contains("ready"));

    // Without the node from here on.
    let kept = tempfile::tempdir().unwrap();
    let copy = kept.path().join("copy.wharf");
    std::fs::copy(file, &copy).unwrap();
    let copy = copy.to_str().unwrap();
    node.ok(&["rmp", "-f", &pod]);
    node.end();

    let screen = |keys: &str| {
        let shown = wharf(&["--replay", copy, "screen", "--size", "140x40", "--keys", keys]).output().unwrap();
        assert!(shown.status.success(), "{}", text(&shown));
        text(&shown)
    };
    let pods = screen("2");
    assert!(pods.contains(" REPLAY ") && pods.contains("shop") && pods.contains("Ready"), "{pods}");
    let log = screen("3l");
    assert!(log.contains("password=***") && log.contains("ready"), "{log}");
    // Two readings were kept: what was used in the time between them is a figure.
    let graphs = screen("3m");
    assert!(graphs.contains("Graphs container ") && graphs.contains("CRI ContainerStats"), "{graphs}");
    assert!(graphs.contains("no limit") && !graphs.contains("measuring"), "{graphs}");
    let node = screen("1");
    assert!(node.contains("disk read") && node.contains("io stall") && !node.contains("measuring"), "{node}");
    assert!(screen("3y").contains(&container[..13]), "its details");
    assert_eq!(screen("2jd"), screen("2jd"), "the same keys give the same screen");
    let picture = wharf(&["--replay", copy, "screen", "--svg", "--keys", "2"]).output().unwrap();
    assert!(text(&picture).starts_with("<svg ") && text(&picture).contains("shop"), "{}", text(&picture));

    let judged = wharf(&["--replay", copy, "doctor", "disk-full", "-o", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&judged.stdout).unwrap_or_else(|_| panic!("{}", text(&judged)));
    assert_eq!(report["runbooks"][0]["book"], "disk-full", "{report:#}");
    let verb = wharf(&["--replay", copy, "ps"]).output().unwrap();
    assert!(!verb.status.success() && text(&verb).contains("needs a runtime"), "{}", text(&verb));

    let mut command = wharf(&["--replay", copy]);
    command.env("TERM", "xterm-256color");
    let Some(app) = Tmux::start("replay", (100, 30), &command) else { return };
    app.wait_for("REPLAY");
    app.keys(&["3"]);
    app.wait_for("shop");
    app.keys(&["s"]);
    app.wait_until("the refusal", |s| s.contains("recording") || s.contains("read-only"));
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
}

#[test]
fn a_file_that_is_no_capture_is_refused_by_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let packed = |bytes: &[u8]| {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    let newer = json!({ "format": "wharf-capture", "version": 99, "wharf": "9.0.0" }).to_string();
    let half = &packed(newer.as_bytes())[..20];
    for (file, why) in [
        (put("plain", b"hello"), "not gzip"),
        (put("half", half), "damaged"),
        (put("other", &packed(b"{\"a\":1}")), "no capture of wharf"),
        (put("text", &packed(b"not json")), "no capture of wharf"),
        (put("newer", &packed(newer.as_bytes())), "use a newer wharf"),
        (put("hollow", &packed(b"{\"format\":\"wharf-capture\",\"version\":1}")), "no capture of wharf"),
        (dir.path().join("none").to_str().unwrap().to_owned(), "No such file"),
    ] {
        let done = wharf(&["--replay", &file, "screen"]).output().unwrap();
        assert!(!done.status.success() && text(&done).contains(why), "{file}: {}", text(&done));
    }
}

/// 600 MB of nothing in half a megabyte: it must be refused, and not held in memory first as a document.
#[test]
fn a_capture_that_is_a_bomb_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb");
    let mut gz = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..600 {
        gz.write_all(&zeros).unwrap();
    }
    gz.finish().unwrap();
    let begin = std::time::Instant::now();
    let done = wharf(&["--replay", path.to_str().unwrap(), "doctor"]).output().unwrap();
    assert!(!done.status.success() && text(&done).contains("more than 512 MiB"), "{}", text(&done));
    assert!(begin.elapsed() < Duration::from_secs(60));
}
