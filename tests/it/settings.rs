//! The app's settings: found, in force when they change, and none of it needed.

use std::fs;

use crate::support::{node::Node, tmux::Tmux};

#[test]
fn settings_count_from_when_they_are_written_and_forbid_in_every_verb() {
    let Some(node) = Node::with_registry("settings") else { return };
    node.ok(&["pull", crate::support::node::IMAGE]);
    let (container, pod) = node.running("kept", "exec sleep 1000", |_| ());
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("wharf/config.toml");
    fs::create_dir(home.path().join("wharf")).unwrap();
    let mut command = node.wharf(&[]);
    command.env("XDG_CONFIG_HOME", home.path()).env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
    let Some(app) = Tmux::start("settings", (100, 30), &command) else { return };
    app.wait_for("kept");
    fs::write(&file, "[keys]\nhelp = [\"H\"]\n").unwrap();
    // Within a few seconds: until then H means nothing.
    app.wait_until("help on another key", |screen| {
        app.keys(&["H"]);
        screen.contains("Tables") && screen.contains("what is inside the row")
    });
    app.keys(&["Escape"]);
    fs::write(&file, "[keys]\nstop = [\"l\"]\n").unwrap();
    app.wait_for("l would be table.logs and table.stop");
    fs::write(&file, "read-only = true\n").unwrap();
    app.wait_for("READ-ONLY");
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();

    let mut verb = node.wharf(&["rm", "-f", &container]);
    let refused = verb.env("XDG_CONFIG_HOME", home.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("read-only"), "{refused:?}");
    fs::remove_file(&file).unwrap();
    let mut verb = node.wharf(&["rm", "-f", &container]);
    assert!(verb.env("XDG_CONFIG_HOME", home.path()).output().unwrap().status.success());
    node.ok(&["rmp", "-f", &pod]);
    node.end();
}
