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

#[test]
fn how_a_pane_was_left_is_kept_and_a_home_is_not_needed() {
    let Some(node) = Node::with_registry("kept") else { return };
    node.ok(&["pull", crate::support::node::IMAGE]);
    let (_, pod) = node.running("sleeper", "exec sleep 1000", |_| ());
    let home = tempfile::tempdir().unwrap();
    let app = |state: &std::path::Path| {
        let mut command = node.wharf(&[]);
        command.env("XDG_CONFIG_HOME", home.path()).env("XDG_STATE_HOME", state);
        command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8");
        let app = Tmux::start("kept", (100, 30), &command)?;
        app.wait_until("the pod", |s| s.contains("sleeper") && s.contains("STATUS"));
        Some(app)
    };
    let state = home.path().join("state");
    let Some(first) = app(&state) else { return };
    assert!(first.screen().contains("NAMESPACE"), "{}", first.screen());
    first.keys(&["C", "j", "Space", "S"]);
    first.wait_for("kept in ");
    first.keys(&["Escape", "q"]);
    assert_eq!(first.exit_code(), 0);
    first.end();
    assert!(fs::read_to_string(state.join("wharf/panes.toml")).unwrap().contains("[pods]"));

    let Some(second) = app(&state) else { return };
    second.wait_until("the columns as they were left", |s| s.contains("STATUS") && !s.contains("NAMESPACE"));
    second.keys(&["C", "R"]);
    second.wait_for("forgotten in ");
    second.keys(&["Escape", "q"]);
    assert_eq!(second.exit_code(), 0);
    second.end();

    // Nobody can write there, root neither.
    let Some(third) = app(std::path::Path::new("/proc/no-home")) else { return };
    third.keys(&["C", "j", "Space", "S"]);
    third.wait_for("not kept: ");
    third.keys(&["Escape"]);
    third.wait_until("the columns all the same", |s| s.contains("STATUS") && !s.contains("NAMESPACE"));
    third.keys(&["q"]);
    assert_eq!(third.exit_code(), 0);
    third.end();
    node.ok(&["rmp", "-f", &pod]);
    node.end();
}
