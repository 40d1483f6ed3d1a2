//! The app in a real terminal, driven by keys.

use std::process::Command;

use crate::support::{self, tmux::Tmux};

#[test]
fn the_terminal_of_the_tests_tells_what_happens_in_it() {
    let mut shell = Command::new("sh");
    shell
        .env("GREETING", "ahoy")
        .args(["-c", "echo \"$GREETING\"; stty size; read line; echo \"<$line>\"; stty size; exit 7"]);
    let Some(tmux) = Tmux::start("tmux", (80, 24), &shell) else { return };
    let screen = tmux.wait_for("24 80");
    assert!(screen.starts_with("ahoy\n"), "{screen}");
    tmux.resize(100, 30);
    tmux.text("two words; #{x}");
    tmux.keys(&["Enter"]);
    tmux.wait_for("<two words; #{x}>");
    tmux.wait_for("30 100");
    assert_eq!(tmux.exit_code(), 7);
    tmux.end();
    let mut wharf = Command::new("sh");
    wharf.arg("-c").arg(format!("echo; {} --version", support::WHARF));
    let Some(tmux) = Tmux::start("tmux", (160, 48), &wharf) else { return };
    tmux.wait_for("wharf 0.");
    assert_eq!(tmux.exit_code(), 0);
    tmux.end();
}
