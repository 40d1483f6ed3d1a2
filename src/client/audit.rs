//! The journal of changes: who changes what on this node through wharf, when, and what came of it. A line of JSON before it is
//! done and one after, each appended in one write; kept apart from what is changed, so that it can be read when the runtime is
//! gone. What cannot be written down is not done.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{
    action::Step,
    change::Change,
    redact,
    types::{Mode, RuntimeInfo, short_id},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Bytes from which a new file is begun; the one before is kept beside it.
const ROTATE: u64 = 4 << 20;
/// Bytes kept of each text.
const TEXT: usize = 8192;
/// A disk that hangs must not stop the hand that mends it.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: SystemTime,
    /// "alice (uid 0, login 1000, /dev/pts/3)".
    pub who: String,
    pub runtime: String,
    /// What the two lines of one change have in common.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub act: String,
    /// It is about to be done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    /// "stop container 4caebf8f407f", "edit /etc/containerd/config.toml".
    pub what: String,
    /// What it was, where that is known: the value of a sysctl, the lines that went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Why it was not done; none if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Something about to be changed.
#[derive(Debug, Clone)]
pub struct Intent {
    what: String,
    before: Option<String>,
    after: Option<String>,
}

impl Intent {
    /// A verb phrase with its object.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), before: None, after: None }
    }

    /// With what can be told of before and after: it is read now.
    pub fn of(step: &Step) -> Self {
        match step {
            Step::StopPod(id) => Self::new(format!("stop pod {}", short_id(id))),
            Step::RemovePod(id) => Self::new(format!("remove pod {}", short_id(id))),
            Step::StopContainer(id, grace) => {
                Self::new(format!("stop container {} within {} s", short_id(id), grace.as_secs()))
            }
            Step::RemoveContainer(id) => Self::new(format!("remove container {}", short_id(id))),
            Step::Restart { container, attempt, .. } => Self {
                what: format!("restart container {} as attempt {attempt}", short_id(container)),
                before: Some(format!("container {}", short_id(container))),
                after: None,
            },
            Step::RunPod(launch) => Self::new(format!("run pod default/{}", launch.name)),
            Step::CreateContainer(launch) => Self::new(format!("create container {} of {}", launch.name, launch.image)),
            Step::StartContainer(launch) => Self::new(format!("start container {}", launch.name)),
            Step::PullImage(name) => Self::new(format!("pull {name}")),
            Step::RemoveImage(name) => Self::new(format!("remove image {name}")),
            Step::TagImage { image, name, from } => Self {
                what: format!("name image {} {name}", short_id(image)),
                before: Some(
                    from.as_deref().map_or("nobody's name".to_owned(), |id| format!("image {}", short_id(id))),
                ),
                after: Some(format!("image {}", short_id(image))),
            },
            Step::PinImage { image, pinned } => {
                let said = |pinned: bool| Some(if pinned { "pinned" } else { "not pinned" }.to_owned());
                let verb = if *pinned { "pin" } else { "unpin" };
                Self { what: format!("{verb} image {}", short_id(image)), before: said(!pinned), after: said(*pinned) }
            }
            Step::Collect => Self::new("collect garbage"),
            Step::Change(change) => {
                let (before, after) = match change {
                    Change::Edit(edit) => {
                        (edit.old.as_ref().map(|_| "the copy beside it".to_owned()), Some(change.preview()))
                    }
                    Change::Sysctl(sysctl) => {
                        let path = format!("/proc/sys/{}", sysctl.key.replace('.', "/"));
                        (fs::read_to_string(path).ok().map(|v| v.trim().to_owned()), Some(sysctl.value.to_string()))
                    }
                    Change::Restart(_) | Change::Signal(_) => (None, None),
                };
                Self { what: change.what(), before, after }
            }
        }
    }

    /// Writes down that it is about to be done; on the disk when it returns.
    ///
    /// # Errors
    /// If that could not be: it must not be done then. But a disk that is full, or hangs, is what changes may be meant to mend.
    pub async fn begin(self, info: &RuntimeInfo) -> Result<Begun> {
        static ACTS: AtomicU32 = AtomicU32::new(0);
        let at = SystemTime::now();
        let since = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis());
        let act = format!("{since:x}-{:x}-{:x}", std::process::id(), ACTS.fetch_add(1, Ordering::Relaxed));
        let entry = Entry {
            at,
            who: who(),
            runtime: info.endpoint.clone(),
            act,
            begun: true,
            what: clean(self.what),
            before: self.before.map(clean),
            after: self.after.map(clean),
            error: None,
        };
        // What a demo does ends with it.
        if matches!(info.mode, Mode::Demo | Mode::Replay) {
            return Ok(Begun(None));
        }
        match keep(&entry, "not done, because it could not be written down").await {
            Err(error) if !matches!(error.kind(), Kind::ResourceExhausted | Kind::DeadlineExceeded) => Err(error),
            _ => Ok(Begun(Some(entry))),
        }
    }

    /// Writes down what changes nothing, after it was done.
    ///
    /// # Errors
    /// As [`Begun::done`].
    pub async fn done(self, info: &RuntimeInfo) -> Result<()> {
        self.begin(info).await?.done(&Ok(())).await
    }
}

/// Something that is being changed.
#[derive(Debug)]
pub struct Begun(Option<Entry>);

impl Begun {
    /// What can be told of what came of it, beside that it was done.
    pub fn told(mut self, done: &Result<String>) -> Self {
        if let (Some(entry), Ok(text)) = (&mut self.0, done)
            && !text.is_empty()
        {
            entry.after = Some(clean(text.clone()));
        }
        self
    }

    /// Writes down what came of it.
    ///
    /// # Errors
    /// If that could not be done, which is for the person to know and undoes nothing.
    pub async fn done<T>(self, result: &Result<T>) -> Result<()> {
        let Some(entry) = self.0 else { return Ok(()) };
        let error = result.as_ref().err().map(|e| clean(format!("{e:#}")));
        keep(&Entry { at: SystemTime::now(), begun: false, error, ..entry }, "the change is not whole").await
    }
}

fn clean(text: String) -> String {
    redact::text(&text.chars().take(TEXT).collect::<String>())
}

async fn keep(entry: &Entry, otherwise: &str) -> Result<()> {
    let (path, entry) = (path(), entry.clone());
    let what = format!("{otherwise}: the journal {}", path.display());
    let write = tokio::task::spawn_blocking(move || record(&path, &entry));
    match tokio::time::timeout(PATIENCE, write).await {
        Ok(Ok(written)) => written.map_err(|e| e.context(what)),
        Ok(Err(error)) => Err(Error::new(Kind::Internal, what).with_source(error)),
        Err(_) => bail!(DeadlineExceeded, "{what}: the disk does not answer"),
    }
}

/// `$WHARF_JOURNAL`; root's is with the node's logs, another user's with their state (XDG Base Directory Specification).
pub fn path() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(path) = variable("WHARF_JOURNAL") {
        return path;
    }
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/log/wharf/journal");
    }
    let state = variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    state.unwrap_or_else(std::env::temp_dir).join("wharf/journal")
}

fn record(path: &Path, entry: &Entry) -> Result<()> {
    let mut line =
        serde_json::to_vec(entry).map_err(|e| Error::new(Kind::Internal, "write the entry").with_source(e))?;
    line.push(b'\n');
    if let Some(directory) = path.parent() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|e| Error::io("create", directory, e))?;
    }
    if fs::metadata(path).is_ok_and(|m| m.len() > ROTATE) {
        let mut old = path.as_os_str().to_owned();
        old.push(".1");
        fs::rename(path, &old).map_err(|e| Error::io("rename", path, e))?;
    }
    // A link somebody put there would have root append to what it names.
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path);
    file.and_then(|mut f| f.write_all(&line).and_then(|()| f.sync_data())).map_err(|e| Error::io("append to", path, e))
}

/// The newest entries, newest first; of a change that has both lines the second. A line that is none is left out: it may have been
/// cut off by a full disk.
///
/// # Errors
/// If the journal is there and cannot be read.
pub fn last(path: &Path, count: usize) -> Result<Vec<Entry>> {
    let mut old = path.as_os_str().to_owned();
    old.push(".1");
    let mut entries = Vec::new();
    for path in [Path::new(&old), path] {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(Error::io("open", path, e)),
        };
        // By bytes: one that is no text must not hide the others.
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|e| Error::io("read", path, e))?;
            let Ok(entry) = serde_json::from_slice::<Entry>(&line) else { continue };
            if !entry.begun && !entry.act.is_empty() {
                // It is among the last, if it is here at all.
                if let Some(first) = entries.iter().rposition(|e: &Entry| e.begun && e.act == entry.act) {
                    entries.remove(first);
                }
            }
            entries.push(entry);
        }
    }
    for entry in entries.iter_mut().filter(|e| e.begun) {
        entry.error = Some("it was begun; how it ended was not written down".to_owned());
    }
    entries.reverse();
    entries.truncate(count);
    Ok(entries)
}

/// The person, as far as the system knows: the name sudo keeps, the login id that survives su, the terminal.
fn who() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    let mut marks = vec![format!("uid {}", rustix::process::getuid().as_raw())];
    let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|t| t.trim().parse::<u32>().ok());
    marks.extend(login.filter(|id| *id != u32::MAX).map(|id| format!("login {id}")));
    let terminal =
        fs::read_link("/proc/self/fd/0").ok().filter(|t| t.starts_with("/dev/pts") || t.starts_with("/dev/tty"));
    marks.extend(terminal.map(|t| t.display().to_string()));
    format!("{} ({})", name.unwrap_or_else(|| "somebody".to_owned()), marks.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u64) -> Entry {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(n);
        let what = format!("stop container {n}");
        Entry {
            at,
            who: "me (uid 0)".into(),
            runtime: "unix:///x".into(),
            act: String::new(),
            begun: false,
            what,
            before: None,
            after: None,
            error: None,
        }
    }

    #[test]
    fn what_was_written_is_read_newest_first_over_two_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/journal");
        assert!(last(&path, 9).unwrap().is_empty());
        record(&path, &entry(1)).unwrap();
        // A cut line, and then so much that a new file begins.
        fs::write(&path, [fs::read(&path).unwrap(), b"{\"at\":\xff\n".to_vec(), vec![b'\n'; ROTATE as usize]].concat())
            .unwrap();
        record(&path, &entry(2)).unwrap();
        record(&path, &entry(3)).unwrap();
        let found: Vec<String> = last(&path, 9).unwrap().into_iter().map(|e| e.what).collect();
        assert_eq!(found, ["stop container 3", "stop container 2", "stop container 1"]);
        assert_eq!(last(&path, 1).unwrap().len(), 1);
    }

    #[test]
    fn sec_04_a_change_is_written_down_before_it_is_done_and_what_came_of_it_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let act = |n: u64, begun: bool| Entry { act: n.to_string(), begun, ..entry(n) };
        for entry in [act(1, true), act(2, true), act(1, false), act(3, true)] {
            record(&path, &entry).unwrap();
        }
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        let found = last(&path, 9).unwrap();
        let told: Vec<(&str, bool)> = found.iter().map(|e| (e.what.as_str(), e.error.is_some())).collect();
        assert_eq!(told, [("stop container 3", true), ("stop container 1", false), ("stop container 2", true)]);
        // In the bytes nothing is a control character, whatever an id or a path was made of.
        record(&path, &Entry { what: "edit \x1b[2J\n".into(), ..entry(4) }).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.iter().filter(|b| b.is_ascii_control()).count(), 5, "a line end each");
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (aim, path) = (dir.path().join("aim"), dir.path().join("journal"));
        fs::write(&aim, "").unwrap();
        std::os::unix::fs::symlink(&aim, &path).unwrap();
        assert!(record(&path, &entry(1)).is_err());
        assert_eq!(fs::read(&aim).unwrap(), b"");
    }

    #[test]
    fn an_edit_is_told_by_its_diff_without_secrets() {
        let edit = crate::client::change::Edit {
            path: "/etc/x".into(),
            old: Some("a = 1\npassword = \"old\"\n".into()),
            new: "a = 2\npassword = \"new\"\n".into(),
            check: Vec::new(),
        };
        let intent = Intent::of(&Step::Change(Change::Edit(edit)));
        let after = intent.after.unwrap();
        assert!(after.contains("-a = 1") && after.contains("+a = 2") && !after.contains("old\""), "{after}");
    }
}
