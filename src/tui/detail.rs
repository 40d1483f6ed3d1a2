//! An object's verbose status as lines to read: the described form and the raw form. Pure text, no drawing.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::{
    event::Token,
    secrets,
    text::{self, SafeText},
    theme::Tone,
};
use crate::client::{audit::Entry, redact};

#[derive(Debug, Clone)]
pub struct Detail {
    pub token: Token,
    /// "Describe", "YAML", "Tree".
    pub kind: &'static str,
    pub title: SafeText,
    pub raw: bool,
    /// `None` while it is read.
    pub result: Option<Result<Vec<DetailLine>, SafeText>>,
    pub scroll: usize,
    pub filter: String,
    /// The object itself, of those that are described.
    pub(super) whole: Option<Whole>,
    /// Since when secrets of it are on the screen: all, or those alone.
    pub(super) revealed: Option<SystemTime>,
    pub(super) alone: Vec<String>,
    /// The line that somebody went to, to show what is hidden there.
    pub(super) at: Option<usize>,
}

/// Secrets are on the screen for this long.
const REVEALED: Duration = Duration::from_secs(30);

/// A value with the secrets in it: no `Debug` tells of it.
#[derive(Clone)]
pub(super) struct Whole(Value);

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailLine {
    pub indent: u16,
    /// A section's title when there is no text.
    pub key: SafeText,
    pub text: SafeText,
    pub tone: Tone,
}

impl Detail {
    pub fn new(token: Token, title: SafeText) -> Self {
        Self {
            token,
            kind: "",
            title,
            raw: false,
            result: None,
            scroll: 0,
            filter: String::new(),
            whole: None,
            revealed: None,
            alone: Vec::new(),
            at: None,
        }
    }

    /// The object has been read: its lines, without its secrets.
    pub fn read(&mut self, value: Value) {
        self.whole = Some(Whole(value));
        self.write();
    }

    fn write(&mut self) {
        let Some(shown) = self.visible() else { return };
        self.result = Some(Ok(self.lines(&shown)));
    }

    fn lines(&self, shown: &Value) -> Vec<DetailLine> {
        if self.raw { raw(shown) } else { describe(shown) }
    }

    /// The object as it is shown.
    fn visible(&self) -> Option<Value> {
        let Whole(value) = self.whole.as_ref()?;
        let mut shown = value.clone();
        if self.revealed.is_none() || !self.alone.is_empty() {
            redact::environment(&mut shown);
            redact::value(&mut shown);
            self.alone.iter().for_each(|pointer| secrets::put_back(value, &mut shown, pointer));
        }
        Some(shown)
    }

    /// How many of its lines have something taken out.
    pub fn hidden(&self) -> usize {
        let all = self.result.iter().flatten().flatten().enumerate();
        all.filter(|(at, _)| self.hides(*at)).count()
    }

    fn hides(&self, line: usize) -> bool {
        let open = self.revealed.is_some() && self.alone.is_empty();
        let text = self.result.iter().flatten().flatten().nth(line).map(|l| l.text.as_str());
        !open && self.whole.is_some() && text.is_some_and(|t| t.contains(redact::MASK))
    }

    /// The line whose secret is shown by itself: the one somebody went to, else the first on the screen that hides something.
    pub fn cursor(&self, (width, height): (usize, usize)) -> Option<usize> {
        let lines = || self.rows(width).into_iter().skip(self.scroll).take(height).map(|r| r.line);
        self.at.or_else(|| lines().find(|line| self.hides(*line)))
    }

    /// Goes to the next line that hides something, or the one before, so that it is on a screen of this size.
    pub fn seek(&mut self, back: bool, (width, height): (usize, usize)) {
        let now = self.cursor((width, height));
        let (at, top) = {
            let rows = self.rows(width);
            let mut lines: Vec<usize> = rows.iter().map(|r| r.line).filter(|line| self.hides(*line)).collect();
            lines.dedup();
            let at = match (now, back) {
                (Some(now), true) => lines.iter().rev().find(|l| **l < now).or(lines.last()),
                (Some(now), false) => lines.iter().find(|l| **l > now).or(lines.first()),
                (None, _) => lines.first(),
            };
            let Some(at) = at.copied() else { return };
            (at, rows.iter().position(|r| r.line == at).unwrap_or(0))
        };
        self.at = Some(at);
        if top < self.scroll || top >= self.scroll + height {
            self.scroll = top.saturating_sub(height / 2);
        }
    }

    /// The person has moved: what is marked is what is on the screen.
    pub fn moved(&mut self) {
        self.at = None;
    }

    /// Shows what is hidden in the marked line, or hides again what is shown; the names of what is on the screen now and was not.
    pub fn reveal_one(&mut self, size: (usize, usize), now: SystemTime) -> Option<String> {
        let line = self.cursor(size).filter(|line| self.hides(*line));
        let (Some(line), Some(shown), Some(Whole(whole))) = (line, self.visible(), &self.whole) else {
            if self.revealed.is_some() {
                (self.revealed, self.alone) = (None, Vec::new());
                self.write();
            } else {
                // None is on the screen: what would be shown is looked at first.
                self.seek(false, size);
            }
            return None;
        };
        let lines = self.lines(&shown);
        let stands = |hidden: &secrets::Hidden| {
            let mut with = shown.clone();
            secrets::put_back(whole, &mut with, &hidden.pointer);
            let with = self.lines(&with);
            lines.iter().zip(&with).position(|(a, b)| a != b) == Some(line)
        };
        let found: Vec<_> = secrets::hidden(whole, &shown).into_iter().filter(stands).collect();
        let names = found.iter().map(|h| h.name.as_str()).collect::<Vec<_>>().join(", ");
        self.alone.extend(found.into_iter().map(|h| h.pointer));
        (self.revealed, self.at) = (Some(now), Some(line));
        self.write();
        (!names.is_empty()).then_some(names)
    }

    pub fn has_secrets(&self) -> bool {
        self.revealed.is_some() || self.hidden() > 0
    }

    /// Shows everything that was hidden, or hides it again; whether it is on the screen now and was not.
    pub fn reveal(&mut self, now: SystemTime) -> bool {
        let reveal = self.hidden() > 0;
        if reveal || self.revealed.is_some() {
            (self.revealed, self.alone) = (reveal.then_some(now), Vec::new());
            self.write();
        }
        reveal
    }

    /// Hides what was on the screen for long enough; whether that was so.
    pub fn tick(&mut self, now: SystemTime) -> bool {
        let over = self.revealed.is_some_and(|since| now.duration_since(since).map_or(true, |shown| shown >= REVEALED));
        if over {
            (self.revealed, self.alone) = (None, Vec::new());
            self.write();
        }
        over
    }

    pub fn shown(&self) -> Vec<&DetailLine> {
        self.numbered().into_iter().map(|(_, line)| line).collect()
    }

    fn numbered(&self) -> Vec<(usize, &DetailLine)> {
        let filter = self.filter.to_lowercase();
        let hit = |(_, l): &(usize, &DetailLine)| {
            filter.is_empty()
                || l.key.as_str().to_lowercase().contains(&filter)
                || l.text.as_str().to_lowercase().contains(&filter)
        };
        self.result.iter().flatten().flatten().enumerate().filter(hit).collect()
    }

    /// The lines as they stand on a screen of `width` columns: the keys in one column, long texts folded.
    pub fn rows(&self, width: usize) -> Vec<Row<'_>> {
        let shown = self.numbered();
        let in_two = shown.iter().filter(|(_, l)| !l.text.is_empty());
        let keys = in_two.map(|(_, l)| l.key.width() + usize::from(l.indent) * 2).max();
        let keys = if self.raw { 0 } else { keys.unwrap_or(0).clamp(12, 38) };
        shown.into_iter().flat_map(|(number, line)| line.rows(width, keys, number)).collect()
    }
}

/// One row of the screen.
#[derive(Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Number of its line.
    pub line: usize,
    pub head: String,
    pub head_tone: Tone,
    pub text: &'a str,
    pub tone: Tone,
}

impl DetailLine {
    /// `keys`: the columns that keys take, none for a text without them.
    fn rows(&self, width: usize, keys: usize, line: usize) -> impl Iterator<Item = Row<'_>> {
        let pad = " ".repeat(usize::from(self.indent) * 2);
        let head = match (keys, self.text.is_empty()) {
            (0, _) => String::new(),
            (_, true) => format!("{pad}{}", self.key),
            _ => {
                let key = self.key.cut(keys.saturating_sub(pad.len()));
                let gap = " ".repeat(keys.saturating_sub(pad.len() + key.width()));
                format!("{pad}{key}{gap}  ")
            }
        };
        let room = width.saturating_sub(head.width()).max(8);
        let head_tone = if self.text.is_empty() { self.tone } else { Tone::Dim };
        text::wrap(self.text.as_str(), room).into_iter().enumerate().map(move |(at, text)| Row {
            line,
            head: if at == 0 { head.clone() } else { " ".repeat(head.width()) },
            head_tone,
            text,
            tone: self.tone,
        })
    }
}

/// Of the journal of changes: a line each, and below it what it was made of.
pub fn journal(entries: &[Entry]) -> Vec<DetailLine> {
    let line =
        |indent, key: &str, text: &str, tone| DetailLine { indent, key: key.into(), text: SafeText::new(text), tone };
    if entries.is_empty() {
        return vec![line(0, "nothing", "no change was made through wharf on this node", Tone::Dim)];
    }
    let mut out = Vec::new();
    for entry in entries {
        let tone = if entry.error.is_some() { Tone::Bad } else { Tone::Plain };
        out.push(line(0, &text::stamp(entry.at), &entry.what, tone));
        out.push(line(1, "by", &entry.who, Tone::Dim));
        out.extend(entry.error.iter().map(|e| line(1, "not done", e, Tone::Bad)));
        out.extend(entry.before.iter().map(|b| line(1, "before", b, Tone::Plain)));
        let after = entry.after.iter().flat_map(|a| a.lines());
        out.extend(after.enumerate().map(|(n, a)| line(1, if n == 0 { "after" } else { "" }, a, Tone::Plain)));
    }
    out
}

/// Line by line YAML of the value.
pub fn raw(value: &Value) -> Vec<DetailLine> {
    let text = serde_norway::to_string(value).unwrap_or_else(|e| format!("cannot be written as YAML: {e}"));
    let line = |l: &str| DetailLine { indent: 0, key: SafeText::default(), text: SafeText::new(l), tone: Tone::Plain };
    text.lines().map(line).collect()
}

/// What a person looks for first: the status, then what hangs on it, then the runtime's own words.
pub fn describe(value: &Value) -> Vec<DetailLine> {
    let mut out = Vec::new();
    let status = value.get("status").unwrap_or(value);
    section(&mut out, "Status");
    if let Some(map) = status.as_object() {
        let small = |v: &Value| match v {
            Value::Object(m) => m.len() <= 4 && m.values().all(|v| !v.is_object() && !v.is_array()),
            Value::Array(a) => a.is_empty(),
            _ => true,
        };
        let apart = |k: &str| matches!(k, "labels" | "annotations" | "mounts");
        for (key, value) in map.iter().filter(|(k, v)| small(v) && !apart(k) && !empty(v)) {
            scalar(&mut out, 1, key, value);
        }
        for (key, value) in map.iter().filter(|(k, v)| !small(v) || apart(k)) {
            if !empty(value) {
                section(&mut out, key);
                tree(&mut out, 1, value, 0);
            }
        }
    }
    if let Some(info) = value.get("info").and_then(Value::as_object) {
        let spec = info.get("runtimeSpec");
        if let Some(args) = spec.and_then(|s| s.pointer("/process/args")).and_then(Value::as_array) {
            section(&mut out, "Process");
            let words: Vec<String> = args.iter().map(plain).collect();
            out.push(DetailLine { indent: 1, key: "args".into(), text: words.join(" ").into(), tone: Tone::Plain });
        }
        let known = [
            ("Environment", spec.and_then(|s| s.pointer("/process/env"))),
            ("Cgroup", spec.and_then(|s| s.pointer("/linux/cgroupsPath"))),
            ("Resources", spec.and_then(|s| s.pointer("/linux/resources"))),
            ("Namespaces", spec.and_then(|s| s.pointer("/linux/namespaces"))),
        ];
        for (name, value) in known {
            if let Some(value) = value.filter(|v| !empty(v)) {
                section(&mut out, name);
                tree(&mut out, 1, value, 0);
            }
        }
        section(&mut out, "Runtime");
        for (key, value) in info.iter().filter(|(k, v)| *k != "runtimeSpec" && *k != "config" && !empty(v)) {
            entry(&mut out, 1, key, value, 0);
        }
    }
    out
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(m) => m.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::String(s) => s.is_empty(),
        _ => false,
    }
}

fn section(out: &mut Vec<DetailLine>, name: &str) {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    out.push(DetailLine { indent: 0, key: name.into(), text: SafeText::default(), tone: Tone::Head });
}

/// A time that CRI tells in nanoseconds, ours in seconds, or a size in bytes: as people read it.
fn figure(key: &str, value: &Value) -> Option<String> {
    let number = |v: &Value| v.as_u64().or_else(|| v.as_str()?.parse().ok());
    let at = |nanos: u64| text::stamp(std::time::UNIX_EPOCH + std::time::Duration::from_nanos(nanos));
    match key {
        "createdAt" | "startedAt" | "finishedAt" => Some(number(value).map_or_else(String::new, |n| match n {
            0 => "not yet".to_owned(),
            n => at(n),
        }))
        .filter(|t| !t.is_empty()),
        "created" => value.get("secs_since_epoch").and_then(Value::as_u64).map(|s| at(s.saturating_mul(1_000_000_000))),
        key if matches!(key, "size" | "bytes") || key.ends_with("InBytes") => {
            number(value).filter(|n| *n >= 1024).map(|n| format!("{} ({n} bytes)", text::bytes(n)))
        }
        _ => None,
    }
}

fn scalar(out: &mut Vec<DetailLine>, indent: u16, key: &str, value: &Value) {
    let text = match value {
        value if figure(key, value).is_some() => figure(key, value).unwrap_or_default(),
        Value::String(s) => s.clone(),
        Value::Null => "-".into(),
        Value::Object(m) => m.iter().map(|(k, v)| format!("{k}={}", plain(v))).collect::<Vec<_>>().join("  "),
        Value::Array(_) => "none".into(),
        other => other.to_string(),
    };
    let tone = match (key, text.as_str()) {
        ("state", "CONTAINER_RUNNING" | "SANDBOX_READY") => Tone::Good,
        ("state", "CONTAINER_EXITED") | ("reason", "Completed") => Tone::Dim,
        ("exitCode", code) if code != "0" => Tone::Bad,
        ("reason" | "message", text) if !text.is_empty() => Tone::Warn,
        _ => Tone::Plain,
    };
    out.push(DetailLine { indent, key: key.into(), text: text.into(), tone });
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn tree(out: &mut Vec<DetailLine>, indent: u16, value: &Value, depth: usize) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| entry(out, indent, k, v, depth)),
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(m) if m.contains_key("containerPath") => {
                        let word = |k: &str| m.get(k).map(plain).unwrap_or_default();
                        let from = if word("hostPath").is_empty() { "an image".into() } else { word("hostPath") };
                        let ro = if m.get("readonly") == Some(&Value::Bool(true)) { "  read-only" } else { "" };
                        scalar(out, indent, &word("containerPath"), &Value::String(format!("{from}{ro}")));
                    }
                    Value::Object(m) => {
                        let text = m.iter().filter(|(_, v)| !empty(v) && **v != Value::Bool(false));
                        let text = text.map(|(k, v)| format!("{k}={}", plain(v))).collect::<Vec<_>>().join("  ");
                        scalar(out, indent, "", &Value::String(text));
                    }
                    Value::String(s) => match s.split_once('=') {
                        Some((k, v)) => scalar(out, indent, k, &Value::String(v.into())),
                        None => scalar(out, indent, "", item),
                    },
                    other => scalar(out, indent, "", other),
                }
            }
        }
        other => scalar(out, indent, "", other),
    }
}

fn entry(out: &mut Vec<DetailLine>, indent: u16, key: &str, value: &Value, depth: usize) {
    match value {
        Value::Object(_) | Value::Array(_) if depth < 6 && !empty(value) => {
            out.push(DetailLine { indent, key: key.into(), text: SafeText::default(), tone: Tone::Accent });
            tree(out, indent + 1, value, depth + 1);
        }
        other if empty(other) => {}
        other => scalar(out, indent, key, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_takes_the_rows_that_it_needs() {
        let mut detail = Detail::new(Token::default(), "c1".into());
        detail.read(serde_json::json!({ "status": { "message": "word ".repeat(40), "id": "c1" } }));
        let rows = detail.rows(60);
        let of_the_message: Vec<&Row> = rows.iter().filter(|r| r.text.contains("word")).collect();
        assert!(of_the_message.len() > 4 && rows.len() > detail.shown().len(), "{rows:#?}");
        assert!(rows.iter().all(|r| r.head.width() + r.text.width() <= 60), "{rows:#?}");
        assert!(of_the_message[0].head.contains("message"));
        assert!(of_the_message[1..].iter().all(|r| r.head.trim().is_empty()));
        assert_eq!(detail.rows(400).len(), detail.shown().len());
    }

    #[test]
    fn sec_01_describes_and_masks() {
        let value = serde_json::json!({
            "status": {"id": "c1", "state": "CONTAINER_EXITED", "exitCode": 137, "labels": {"app": "w\u{1b}[2J"}},
            "info": {"pid": 7, "runtimeSpec": {"process": {"args": ["sh", "--token", "hunter2"],
                "env": ["DB_PASSWORD=hunter2", "A=hunter2"]}},
                "config": {"envs": [{"key": "COLOUR", "value": "hunter2"}]}}
        });
        let now = SystemTime::UNIX_EPOCH + REVEALED;
        for raw in [false, true] {
            let mut detail = Detail { raw, ..Detail::new(1, "c1".into()) };
            detail.read(value.clone());
            let lines =
                |d: &Detail| -> Vec<String> { d.shown().iter().map(|l| format!("{}={}", l.key, l.text)).collect() };
            let text = lines(&detail);
            assert!(text.iter().any(|l| l.contains("app") && l.contains("w␛[2J") || l.contains("w\\e[2J")), "{text:?}");
            assert!(text.iter().any(|l| l.contains("pid") && l.ends_with('7')), "{text:?}");
            assert!(text.iter().any(|l| l.contains("A=***")), "{text:?}");
            assert!(!text.iter().any(|l| l.contains("hunter2")), "{text:?}");
            assert!(detail.hidden() > 0 && !format!("{detail:?}").contains("hunter2"), "{detail:?}");
            assert!(detail.reveal(now) && lines(&detail).iter().any(|l| l.contains("hunter2")));
            assert!(!detail.reveal(now) && !lines(&detail).iter().any(|l| l.contains("hunter2")), "and hidden again");
            assert!(detail.reveal(now) && !detail.tick(now + REVEALED / 2));
            assert!(detail.tick(now + REVEALED) && !lines(&detail).iter().any(|l| l.contains("hunter2")), "by itself");
            // One of them alone, and what stands beside it stays hidden.
            let shown = |d: &Detail| lines(d).iter().filter(|l| l.contains("hunter2")).count();
            let hidden = detail.hidden();
            let mut names = Vec::new();
            for n in 0..hidden {
                names.extend(detail.reveal_one((100, 99), now));
                assert_eq!((shown(&detail), detail.hidden()), (1, hidden - 1), "{n}: {:?}", lines(&detail));
                assert_eq!(detail.reveal_one((100, 99), now), None, "and hidden again");
                assert_eq!((shown(&detail), detail.hidden()), (0, hidden));
                detail.seek(false, (100, 99));
            }
            names.sort();
            // What a runtime was asked for is in the raw form only.
            let all = ["A", "DB_PASSWORD", "args", "value"];
            assert_eq!(names, all[..if raw { 4 } else { 3 }], "each once, and then from the beginning");
            detail.reveal_one((100, 99), now);
            assert!(!detail.tick(now + REVEALED / 2) && shown(&detail) == 1);
            assert!(detail.tick(now + REVEALED) && shown(&detail) == 0, "by itself");
        }
        let mut plain = Detail::new(1, "c1".into());
        plain.read(serde_json::json!({"status": {"id": "c1"}}));
        assert!(plain.hidden() == 0 && !plain.reveal(now));
    }
}
