//! Changes of the node itself, beside those of the runtime's objects: a file, a service, a signal, a kernel limit. Plain values
//! and the diff that is shown; `host` carries them out.
//!
//! No I/O and no clock here.

use serde::{Deserialize, Serialize};

use super::redact;

/// Lines shown around what changes.
const AROUND: usize = 3;
/// Keys whose values nobody should see.
const SECRETS: &[&str] = &["password", "auth", "identitytoken", "registrytoken", "token", "secret", "authorization"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    Edit(Edit),
    Restart(Restart),
    Signal(Signal),
    Sysctl(Sysctl),
}

/// A file gets another text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    pub path: String,
    /// The text the new one was made from; none for a file that is not there. Another text on disk is left alone.
    #[serde(serialize_with = "masked_if_there")]
    pub old: Option<String>,
    #[serde(serialize_with = "masked_whole")]
    pub new: String,
    /// A program that checks the new text before it is installed: its absolute path and arguments, `{}` for the file.
    pub check: Vec<String>,
}

/// A service is restarted and must come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    pub unit: String,
    /// The CRI socket that must answer afterwards.
    pub endpoint: String,
    /// Taken back if it does not.
    pub undo: Option<Edit>,
    /// Running containers end with the unit, because its KillMode is not `process`.
    pub kills: Option<usize>,
}

/// A signal to one process, which is the one that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    pub pid: u32,
    /// As of proc_pid_stat(5): a pid may be used again.
    pub started: u64,
    pub name: String,
    /// "CONT" or "USR1".
    pub signal: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctl {
    /// `fs.inotify.max_user_instances`.
    pub key: String,
    pub value: u64,
}

impl Change {
    /// For the list of steps.
    pub fn what(&self) -> String {
        match self {
            Self::Edit(e) if e.old.is_none() => format!("write {}", e.path),
            Self::Edit(e) => format!("edit {}", e.path),
            Self::Restart(r) => format!("restart {}", r.unit),
            Self::Signal(s) => format!("send SIG{} to {} (pid {})", s.signal, s.name, s.pid),
            Self::Sysctl(s) => format!("set {} = {}", s.key, s.value),
        }
    }

    pub fn reason(&self) -> String {
        match self {
            Self::Edit(e) if e.old.is_none() => "it is not there".to_owned(),
            Self::Edit(_) => "a copy of the old text is kept beside it".to_owned(),
            Self::Restart(r) => match r.kills {
                Some(count) => format!("KillMode of the unit is not process: {count} running containers END with it"),
                None => "running containers stay: their shims are no children of the unit's main process".to_owned(),
            },
            Self::Signal(_) => "nothing else is touched".to_owned(),
            Self::Sysctl(_) => "at once, and after a reboot by a file in /etc/sysctl.d".to_owned(),
        }
    }

    /// As an expert would type it.
    pub fn command(&self) -> String {
        match self {
            Self::Edit(e) => format!("sudoedit {}", e.path),
            Self::Restart(r) => format!("systemctl restart {}", r.unit),
            Self::Signal(s) => format!("kill -{} {}", s.signal, s.pid),
            Self::Sysctl(s) => format!("sysctl -w {}={}", s.key, s.value),
        }
    }

    /// What a person must see before it is done: a diff, with secrets masked.
    pub fn preview(&self) -> String {
        match self {
            Self::Edit(e) => diff(&e.path, e.old.as_deref().unwrap_or_default(), &e.new),
            other => format!("{}\n", other.command()),
        }
    }
}

/// A unified diff of one hunk: from the first line that differs to the last.
pub fn diff(path: &str, old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take(room).take_while(|(x, y)| x == y).count();
    if head == a.len() && head == b.len() {
        return String::new();
    }
    let from = head.saturating_sub(AROUND);
    let (end_a, end_b) = (a.len() - tail, b.len() - tail);
    let after = tail.min(AROUND);
    let (lines_a, lines_b) = (end_a + after - from, end_b + after - from);
    let at = |lines: usize| if lines == 0 { 0 } else { from + 1 };
    let mut text = format!("--- {path}\n+++ {path}\n@@ -{},{lines_a} +{},{lines_b} @@\n", at(lines_a), at(lines_b));
    let mut add = |mark: char, lines: &[&str]| {
        for line in lines {
            text.push(mark);
            text.push_str(&masked(line));
            text.push('\n');
        }
    };
    add(' ', &a[from..head]);
    add('-', &a[head..end_a]);
    add('+', &b[head..end_b]);
    add(' ', &a[end_a..end_a + after]);
    text
}

/// `password = "…"` with what follows the sign hidden.
fn masked(line: &str) -> String {
    let Some((key, _)) = line.split_once('=').or_else(|| line.split_once(':')) else { return line.to_owned() };
    let name = key.trim().trim_matches(['"', '\'']).to_lowercase();
    if SECRETS.contains(&name.as_str()) { format!("{key}= ***") } else { redact::text(line) }
}

/// A file's whole text is in an edit: what is printed or saved of one has no secret in it, and cannot be carried out.
fn masked_whole<S: serde::Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    redact::text(text).serialize(to)
}

fn masked_if_there<S: serde::Serializer>(text: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    text.as_deref().map(redact::text).serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_one_hunk_with_its_place() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        let new = "a\nb\nc\nd\nE\nf\ng\n";
        assert_eq!(diff("x", old, new), "--- x\n+++ x\n@@ -2,6 +2,6 @@\n b\n c\n d\n-e\n+E\n f\n g\n");
        assert_eq!(diff("x", "", "n\n"), "--- x\n+++ x\n@@ -0,0 +1,1 @@\n+n\n");
        assert_eq!(diff("x", old, old), "");
        assert_eq!(diff("x", "a\na\n", "a\na\na\n"), "--- x\n+++ x\n@@ -1,2 +1,3 @@\n a\n a\n+a\n");
    }

    #[test]
    fn cfg_13_secrets_are_not_in_a_diff() {
        let text = diff("x", "password = \"hunter2\"\nk = 1\n", "password = \"hunter3\"\nk = 2\n");
        assert!(!text.contains("hunter") && text.contains("password = ***") && text.contains("+k = 2"), "{text}");
    }
}
