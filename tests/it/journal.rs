//! What is changed through wharf is written down: by verbs, by the doctor, by the app; and read again by `journal`.

use std::{process::Command, time::Duration};

use serde_json::Value;

use crate::support::{self, node::Node, tmux::Tmux};

fn entries(path: &str) -> Vec<Value> {
    let shown =
        Command::new(support::WHARF).args(["journal", "-o", "json"]).env("WHARF_JOURNAL", path).output().unwrap();
    let value: Value = serde_json::from_slice(&shown.stdout).unwrap();
    value["entries"].as_array().unwrap().clone()
}

#[test]
fn sec_04_changes_are_written_down_with_who_and_what_came_of_them() {
    let Some(node) = Node::with_registry("journal") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let path = path.to_str().unwrap();
    let wharf = |arguments: &[&str]| {
        let mut command = node.wharf(arguments);
        command.env("WHARF_JOURNAL", path).env("SUDO_USER", "alice");
        command
    };
    assert!(wharf(&["pull", support::node::IMAGE]).output().unwrap().status.success());
    let (container, pod) = node.running("kept", "exec sleep 1000", |_| ());
    assert!(entries(path).len() == 1, "crictl's changes are not wharf's");
    assert!(wharf(&["exec", "-s", &container, "/bin/echo", "seen"]).output().unwrap().status.success());
    let mut nowhere = wharf(&["exec", "-s", &container, "/bin/echo", "seen"]);
    let done = nowhere.env("WHARF_JOURNAL", "/proc/nowhere/journal").output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("not done") && said.contains("/proc/nowhere/journal"), "{said}");
    assert!(done.stdout.is_empty(), "it was done all the same");
    // What one is killed in has been written down.
    let mut cut = wharf(&["exec", &container, "/bin/sleep", "1000"]).spawn().unwrap();
    node.until("the line", || entries(path)[0]["what"].as_str().unwrap().contains("sleep 1000"));
    cut.kill().unwrap();
    cut.wait().unwrap();
    let first = entries(path).remove(0);
    assert!(first["begun"] == true && first["error"].as_str().unwrap().contains("how it ended"), "{first}");
    assert!(wharf(&["stop", "-t", "0", &container]).output().unwrap().status.success());
    assert!(!wharf(&["rm", "no-such-container"]).output().unwrap().status.success());
    assert!(wharf(&["ps", "-a"]).output().unwrap().status.success());
    let refused = wharf(&["--read-only", "rm", &container]).output().unwrap();
    assert!(!refused.status.success());

    let mut command = wharf(&[]);
    command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
    if let Some(app) = Tmux::start("journal", (100, 30), &command) {
        app.wait_for("kept");
        app.keys(&["3"]);
        app.wait_for("Exited");
        app.keys(&["C-d"]);
        app.wait_for("remove");
        // A dialog takes keys once it was on the screen for a moment.
        std::thread::sleep(Duration::from_millis(500));
        app.keys(&["Y"]);
        node.until("the removal", || node.ok(&["ps", "-aq"]).is_empty());
        app.keys(&["Escape"]);
        app.text(":journal");
        app.keys(&["Enter"]);
        let shown = app.wait_for("remove container");
        assert!(shown.contains("alice") && shown.contains("stop container"), "{shown}");
        app.keys(&["Escape", "q"]);
        assert_eq!(app.exit_code(), 0);
        app.end();
    }
    let all = entries(path);
    let what: Vec<&str> = all.iter().map(|e| e["what"].as_str().unwrap()).collect();
    assert!(what.last().unwrap().starts_with("pull "), "{what:?}");
    assert!(what.iter().any(|w| w.starts_with("stop container")), "{what:?}");
    assert_eq!(what.iter().filter(|w| w.contains("/bin/echo seen")).count(), 1, "{what:?}");
    assert!(what[0].starts_with("remove container"), "{what:?}");
    for entry in all.iter().filter(|e| !e["what"].as_str().unwrap().contains("sleep 1000")) {
        assert!(entry["who"].as_str().unwrap().starts_with("alice (uid 0"), "{entry}");
        assert!(entry["error"].is_null() && entry["runtime"].as_str().unwrap().ends_with(".sock"), "{entry}");
    }
    node.ok(&["rmp", "-f", &pod]);
    node.end();
}
