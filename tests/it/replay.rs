//! A session on a recording: the same keys show the same screens, today and in a year. The recording (`tests/captures`) was made by
//! `wharf --demo capture` on a machine whose name, kernel and nameserver are no real ones.

use std::{fmt::Write, process::Command};

use crate::support;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures/demo.wharf");

/// What a person does: every pane, a filter, descriptions, a log with a search, sorting, a plan, runbooks, and what a recording
/// refuses.
const SESSION: &str = "1245678392/shop<Enter><Down><Enter>d<PgDn><Esc>y<Esc>/traffic<Enter>lsGET<Enter>w<Esc>3<Esc>onrX<Esc>0<Enter>!<Esc>2Pp<Esc>sT:pods<Enter>C<Esc>?";

/// Every screen of it, with the key that led there.
fn screens(size: &str) -> String {
    let mut command = Command::new(support::WHARF);
    command.args(["--replay", RECORDING, "screen", "--each", "--size", size, "--keys", SESSION]);
    let output = command.env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR").env("HOME", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: usize = size.split_once('x').unwrap().1.parse().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut keys = SESSION;
    let mut told = String::new();
    for (at, screen) in lines.chunks(rows).enumerate() {
        assert_eq!(screen.len(), rows, "a whole screen after {at} keys");
        let length =
            if at == 0 { 0 } else { keys.find('>').filter(|_| keys.starts_with('<')).map_or(1, |end| end + 1) };
        writeln!(told, "{at}: {}\n{}\n", &keys[..length], screen.join("\n")).unwrap();
        keys = &keys[length..];
    }
    assert_eq!(keys, "", "a screen for every key");
    told
}

#[test]
fn a_recorded_session_shows_the_same_screens() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("replay_80x24", screens("80x24")));
}
