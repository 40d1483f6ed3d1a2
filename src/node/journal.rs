//! What the runtime, the kubelet and the kernel logged: the journal by journalctl, a daemon's own log file, /dev/kmsg. All
//! bounded; what was logged is evidence and never trusted.

use std::{
    io::{Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{below, command, read, unit};
use crate::{
    bail,
    error::{Error, Result},
};

const LIMIT: Duration = Duration::from_secs(6);
/// The end of a log file that is read.
const TAIL: u64 = 2 << 20;
const LINES: usize = 3000;
/// How long ago counts.
const SINCE: Duration = Duration::from_secs(2 * 3600);
const DAY: u64 = 86_400;
/// Without leap days, as logs without years cannot have them.
const YEAR: Duration = Duration::from_secs(365 * DAY);
/// Days of it before each month.
const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
/// Longer messages are cut.
const MESSAGE: usize = 2000;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalFacts {
    /// Oldest first.
    pub lines: Vec<Line>,
    /// Why the journal is not among them: they are of the daemon's own file alone.
    #[serde(default)]
    pub unread: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: Option<SystemTime>,
    /// "containerd.service", or the path of the file.
    pub from: String,
    /// syslog(3): 3 is an error, 4 a warning.
    pub priority: u8,
    pub text: String,
}

impl JournalFacts {
    /// What a unit said since systemd last started it; or since the start before, if it has not come to its last word yet.
    pub fn attempt(&self, unit: &str, last_word: impl Fn(&Line) -> bool) -> impl DoubleEndedIterator<Item = &Line> {
        let name = unit.trim_end_matches(".service");
        let begins = |l: &Line| {
            l.from != unit
                && (l.text.starts_with("Started ") || l.text.starts_with("Starting "))
                && l.text.contains(name)
        };
        let mut starts = self.lines.iter().enumerate().rev().filter(|(_, l)| begins(l)).map(|(at, _)| at);
        let (last, before) = (starts.next().unwrap_or(0), starts.next().unwrap_or(0));
        let ended = self.lines[last..].iter().any(|l| l.from == unit && last_word(l));
        self.lines[if ended { last } else { before }..].iter().filter(move |l| l.from == unit)
    }

    /// The newest line that has all of the words.
    pub fn last(&self, words: &[&str]) -> Option<&Line> {
        self.lines.iter().rev().find(|l| words.iter().all(|w| l.text.contains(w)))
    }
}

/// The journal of these units over the last two hours, and the tails of the files that daemons write to instead.
///
/// # Errors
/// `FailedPrecondition` if there is neither.
pub async fn collect(root: &Path, units: &[String], files: &[&str]) -> Result<JournalFacts> {
    let mut facts = JournalFacts::default();
    for path in files {
        facts.lines.append(&mut of_file(&below(root, path), path)?);
    }
    match journal(root, units).await {
        Ok(mut lines) => facts.lines.append(&mut lines),
        Err(error) if facts.lines.is_empty() => return Err(error),
        Err(error) => facts.unread = Some(format!("{error:#}")),
    }
    Ok(facts)
}

async fn journal(root: &Path, units: &[String]) -> Result<Vec<Line>> {
    unit::need_systemd(root)?;
    let Some(program) = command::find("journalctl") else { bail!(NotFound, "there is no journalctl") };
    let most = LINES.to_string();
    let mut arguments = vec!["-o", "json", "--no-pager", "-q", "-n", &most, "--since", "-2h"];
    for name in units {
        if !unit::is_name(name) {
            bail!(InvalidArgument, "{name:?} is no name of a service");
        }
        arguments.extend(["-u", name]);
    }
    let text = command::output(&program, &arguments, LIMIT).await?;
    Ok(text.split(|b| *b == b'\n').filter_map(of_json).collect())
}

fn of_json(line: &[u8]) -> Option<Line> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let text = match value.get("MESSAGE")? {
        Value::String(text) => text.clone(),
        // Not UTF-8: the bytes.
        Value::Array(bytes) => {
            let bytes: Vec<u8> = bytes.iter().filter_map(|b| u8::try_from(b.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => return None,
    };
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    let micros = field("__REALTIME_TIMESTAMP").and_then(|t| t.parse().ok());
    Some(Line {
        at: micros.and_then(|m| SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(m))),
        from: field("_SYSTEMD_UNIT").or(field("SYSLOG_IDENTIFIER")).unwrap_or("journal").to_owned(),
        priority: field("PRIORITY").and_then(|p| p.parse().ok()).unwrap_or(6),
        text: cut(&text),
    })
}

/// Where a process writes its complaints, if that is a file.
pub fn own_file(root: &Path, pid: u32) -> Option<String> {
    let stderr = std::fs::read_link(below(root, format!("/proc/{pid}/fd/2"))).ok()?;
    let file = stderr.is_absolute() && !stderr.starts_with("/dev") && below(root, &stderr).is_file();
    file.then(|| stderr.to_string_lossy().into_owned())
}

/// The end of a daemon's own log. klog's times, which are the kubelet's, have neither a year nor a zone: they are counted from the
/// last of them, which was written when the file was.
fn of_file(path: &Path, from: &str) -> Result<Vec<Line>> {
    let written = std::fs::metadata(path).and_then(|m| m.modified()).map_err(|e| Error::io("stat", path, e))?;
    let text = tail(path)?;
    let mut lines: Vec<Line> = text.lines().map(|l| of_text(l, from)).collect();
    if let Some(last) = text.lines().rev().find_map(klog) {
        for (line, text) in lines.iter_mut().zip(text.lines()) {
            // In January December is a year ago.
            let before = klog(text).and_then(|t| last.checked_sub(t).or((last + YEAR).checked_sub(t)));
            line.at = line.at.or(before.and_then(|b| written.checked_sub(b)));
        }
        let old = |l: &Line| l.at.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > SINCE);
        lines.retain(|l| !old(l));
    }
    Ok(lines)
}

/// `E1201 16:39:10.123456`: since the year began.
fn klog(line: &str) -> Option<Duration> {
    let rest = line.strip_prefix(['I', 'W', 'E', 'F'])?;
    let (date, time) = (rest.get(..4)?, rest.get(4..)?.trim_start().get(..15)?);
    let number = |text: &str| text.parse::<u64>().ok();
    let (month, day) = (number(date.get(..2)?)?, number(date.get(2..)?)?);
    let mut parts = time.split([':', '.']).map(number);
    let (hours, minutes, seconds, micros) = (parts.next()??, parts.next()??, parts.next()??, parts.next()??);
    let days = BEFORE.get(usize::try_from(month).ok()?.checked_sub(1)?)? + day.checked_sub(1)?;
    Some(Duration::from_secs(days * DAY + hours * 3600 + minutes * 60 + seconds) + Duration::from_micros(micros))
}

/// A line of a daemon's own log; those of containerd and CRI-O say their level as `level=error`.
fn of_text(line: &str, from: &str) -> Line {
    let priority = match () {
        () if line.contains("level=error") || line.contains("level=fatal") => 3,
        () if line.contains("level=warning") => 4,
        () if klog(line).is_some() && line.starts_with(['E', 'F']) => 3,
        () if klog(line).is_some() && line.starts_with('W') => 4,
        () => 6,
    };
    let time = line.split_once("time=\"").and_then(|(_, r)| r.split('"').next());
    let at = time.and_then(|t| {
        let micros = u64::try_from(t.parse::<jiff::Timestamp>().ok()?.as_microsecond()).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))
    });
    Line { at, from: from.to_owned(), priority, text: cut(line) }
}

fn cut(text: &str) -> String {
    text.chars().take(MESSAGE).collect()
}

/// The end of a file, from the start of a line.
fn tail(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    let length = file.metadata().map_err(|e| Error::io("stat", path, e))?.len();
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from)).map_err(|e| Error::io("seek in", path, e))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    let text = String::from_utf8_lossy(&bytes);
    let text = if from > 0 { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let skip = text.lines().count().saturating_sub(LINES);
    Ok(text.lines().skip(skip).collect::<Vec<_>>().join("\n"))
}

/// The kernel's messages (Documentation/ABI/testing/dev-kmsg), without waiting for new ones.
///
/// # Errors
/// That of /dev/kmsg, which not every container may read.
pub fn kernel(root: &Path, boot: u64) -> Result<JournalFacts> {
    let path = below(root, "/dev/kmsg");
    let open = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path);
    let mut file = open.map_err(|e| Error::io("open", &path, e))?;
    let mut facts = JournalFacts::default();
    let captured = file.metadata().map_err(|e| Error::io("stat", &path, e))?.is_file();
    if captured {
        facts.lines = read(&path)?.lines().filter_map(|l| record(l, boot)).collect();
        return Ok(facts);
    }
    let mut buffer = vec![0; 8192];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => facts.lines.extend(record(&String::from_utf8_lossy(&buffer[..length]), boot)),
            // Overwritten while it was read; the next one is there.
            Err(e) if e.raw_os_error() == Some(libc::EPIPE) => {}
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
            Err(e) => return Err(Error::io("read", &path, e)),
        }
    }
    let more = facts.lines.len().saturating_sub(LINES);
    facts.lines.drain(..more);
    Ok(facts)
}

/// `priority,sequence,microseconds since boot,flags;text`.
fn record(text: &str, boot: u64) -> Option<Line> {
    let (head, text) = text.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u64 = fields.next()?.parse().ok()?;
    let micros: u64 = fields.nth(1)?.parse().ok()?;
    let since = Duration::from_secs(boot).checked_add(Duration::from_micros(micros))?;
    Some(Line {
        at: SystemTime::UNIX_EPOCH.checked_add(since),
        from: "kernel".to_owned(),
        priority: (priority & 7) as u8,
        text: cut(text.lines().next().unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_earlier_attempt_are_not_those_of_the_last() {
        let line = |from: &str, text: &str| Line { at: None, from: from.into(), priority: 6, text: text.into() };
        let mut facts = JournalFacts {
            unread: None,
            lines: vec![
                line("init.scope", "Started kubelet.service."),
                line("kubelet.service", "fatal: swap"),
                line("init.scope", "Started kubelet.service."),
                line("containerd.service", "fatal: not the kubelet's"),
                line("kubelet.service", "fatal: port"),
            ],
        };
        let said = |facts: &JournalFacts| -> Vec<String> {
            facts.attempt("kubelet.service", |l| l.text.contains("fatal")).map(|l| l.text.clone()).collect()
        };
        assert_eq!(said(&facts), ["fatal: port"]);
        facts.lines.push(line("init.scope", "Started kubelet.service."));
        facts.lines.push(line("kubelet.service", "flags"));
        assert_eq!(said(&facts), ["fatal: port", "flags"], "the last has not come to its end");
        facts.lines.retain(|l| l.from != "init.scope");
        assert_eq!(said(&facts).len(), 3, "without a start all counts");
    }

    #[test]
    fn lines_of_three_kinds() {
        let json = br#"{"__REALTIME_TIMESTAMP":"1700000000000000","PRIORITY":"3","MESSAGE":[104,105],"_SYSTEMD_UNIT":"containerd.service"}"#;
        let line = of_json(json).unwrap();
        assert_eq!((line.text.as_str(), line.priority, line.from.as_str()), ("hi", 3, "containerd.service"));
        let text = "time=\"2023-11-14T22:13:20Z\" level=error msg=\"x\"";
        let other = of_text(text, "/log");
        assert_eq!((other.at, other.priority), (line.at, 3));
        let kernel = record("6,1,5000000,-;eth0: link up\n SUBSYSTEM=net\n", 1_699_999_995).unwrap();
        assert_eq!((kernel.at, kernel.text.as_str()), (line.at, "eth0: link up"));
        assert!(of_json(b"{").is_none() && record("x", 0).is_none());
    }

    #[tokio::test]
    async fn a_log_file_is_read_from_its_end() {
        let root = tempfile::tempdir().unwrap();
        let many: String = (0..5000).map(|i| format!("line {i}\n")).collect();
        std::fs::write(root.path().join("log"), many).unwrap();
        std::fs::create_dir_all(root.path().join("proc/1")).unwrap();
        std::fs::write(root.path().join("proc/1/comm"), "init").unwrap();
        let facts = collect(root.path(), &[], &["/log"]).await.unwrap();
        assert_eq!((facts.lines.len(), facts.lines.last().unwrap().text.as_str()), (LINES, "line 4999"));
        assert!(facts.last(&["line 49", "98"]).is_some());
        assert!(facts.unread.unwrap().contains("not systemd"), "the journal is missing, and that is said");
        assert!(collect(root.path(), &[], &[]).await.is_err());
    }

    #[tokio::test]
    async fn what_klog_wrote_is_dated_by_its_file() {
        let root = tempfile::tempdir().unwrap();
        let text = "I0101 00:00:00.000000       1 a.go:1] long ago\nE1231 23:59:00.000000       1 a.go:1] a while ago\n\
                    I0101 00:01:00.500000       1 a.go:1] now\n\tand more\n";
        std::fs::write(root.path().join("log"), text).unwrap();
        let lines = of_file(&root.path().join("log"), "/log").unwrap();
        let said: Vec<&str> = lines.iter().map(|l| l.text.rsplit("] ").next().unwrap().trim()).collect();
        assert_eq!((said, lines[0].priority), (vec!["long ago", "a while ago", "now", "and more"], 6));
        let before = |i: usize| lines[2].at.unwrap().duration_since(lines[i].at.unwrap()).unwrap();
        assert_eq!(before(1).as_millis(), 120_500, "over the turn of the year");
        assert!(lines[1].priority == 3 && lines[3].at.is_none());
        for text in ["E1231", "I1301 1:2", "E\u{e9}1231 23:59:00.000000", "I0000 00:00:00.000000", ""] {
            assert!(klog(text).is_none(), "{text}");
        }
    }
}
