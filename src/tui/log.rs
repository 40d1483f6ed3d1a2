//! The lines of one log, or of several merged, as they are looked at: a bounded buffer, a filter, a search, and a place to
//! stand. Bytes are kept as they came and made safe when they are drawn.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use regex::{Regex, RegexBuilder};

use super::{event::Token, text::SafeText};
use crate::client::types::LogLine;

/// What is kept; older lines go first and are counted.
pub const MOST_LINES: usize = 200_000;
const MOST_BYTES: usize = 48 << 20;
/// How far back a log is opened, in the order of the key that changes it; `None` is the last lines, whatever their time.
pub const SPANS: &[Option<Duration>] = &[
    None,
    Some(Duration::from_secs(60)),
    Some(Duration::from_secs(300)),
    Some(Duration::from_secs(900)),
    Some(Duration::from_secs(3600)),
    Some(Duration::MAX),
];

#[derive(Debug, Clone)]
pub struct Line {
    /// Counts from the first line received; never reused.
    pub number: u64,
    pub at: Option<SystemTime>,
    pub stderr: bool,
    /// Which of the containers wrote it.
    pub source: usize,
    raw: Box<[u8]>,
}

impl Line {
    pub fn safe(&self) -> SafeText {
        SafeText::line(&self.raw)
    }

    pub fn raw(&self) -> &[u8] {
        &self.raw
    }
}

/// A pattern over the bytes of a line: a regular expression, or the text itself where it is none. Capitals count only if
/// there are some.
#[derive(Debug, Clone)]
pub struct Pattern(regex::bytes::Regex);

impl Pattern {
    pub fn new(text: &str) -> Option<Self> {
        let build = |text: &str| {
            let plain = !text.chars().any(char::is_uppercase);
            regex::bytes::RegexBuilder::new(text).case_insensitive(plain).size_limit(1 << 20).build()
        };
        let built = build(text).or_else(|_| build(&regex::escape(text)));
        (!text.is_empty()).then_some(built.ok()?).map(Self)
    }

    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }

    /// The same pattern for text that was made safe.
    pub fn of_text(&self) -> Option<Regex> {
        let text = self.0.as_str();
        RegexBuilder::new(text).case_insensitive(!text.chars().any(char::is_uppercase)).build().ok()
    }
}

/// Which times stand before the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Times {
    #[default]
    None,
    Utc,
    Local,
}

#[derive(Debug, Clone, Default)]
pub struct LogView {
    pub token: Token,
    /// The containers, by id and name; several are merged by time.
    pub sources: Vec<(String, String)>,
    pub name: String,
    pub lines: VecDeque<Line>,
    bytes: usize,
    next: u64,
    pub forgotten: u64,
    /// The line at the bottom of the screen; none follows the end.
    pub anchor: Option<u64>,
    pub wrap: bool,
    pub times: Times,
    /// Objects of JSON as their fields.
    pub fields: bool,
    /// Index into [`SPANS`].
    pub span: usize,
    pub filter: String,
    pattern: Option<Pattern>,
    not: bool,
    pub search: String,
    pub hits: Option<Pattern>,
    /// How old the newest line was when it came, while lines come.
    pub lag: Option<Duration>,
    /// The stream ended, and why if it failed.
    pub ended: Option<Option<String>>,
}

impl LogView {
    pub fn new(token: Token, sources: Vec<(String, String)>, name: String) -> Self {
        Self { token, sources, name, ..Self::default() }
    }

    /// The container that keys act on.
    pub fn container(&self) -> Option<&str> {
        self.sources.first().map(|(id, _)| id.as_str())
    }

    pub fn push(&mut self, lines: Vec<(usize, LogLine)>, now: SystemTime) {
        // What was there when it was opened is old without being late.
        let late = self.next > 0;
        for (source, line) in lines {
            self.bytes += line.text.len();
            self.lag = line.at.filter(|_| late).and_then(|at| now.duration_since(at).ok());
            let raw = line.text.into_boxed_slice();
            self.lines.push_back(Line { number: self.next, at: line.at, stderr: line.stderr, source, raw });
            self.next += 1;
        }
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.raw.len();
            self.forgotten += 1;
        }
    }

    /// A regular expression; `!` before it takes the lines that do not match.
    pub fn set_filter(&mut self, filter: String) {
        let (not, text) = filter.strip_prefix('!').map_or((false, filter.as_str()), |f| (true, f));
        (self.not, self.pattern) = (not, Pattern::new(text));
        self.filter = filter;
    }

    pub fn set_search(&mut self, text: String) {
        self.hits = Pattern::new(&text);
        self.search = text;
    }

    pub fn shows(&self, line: &Line) -> bool {
        self.pattern.as_ref().is_none_or(|p| p.is_in(&line.raw) != self.not)
    }

    /// The lines up to the anchor that pass the filter, newest first.
    pub fn back(&self) -> impl Iterator<Item = &Line> {
        // Numbers have no gaps, so the place of one is known.
        let first = self.lines.front().map_or(0, |l| l.number);
        let upto = self.anchor.map_or(self.lines.len(), |a| (a.saturating_sub(first) + 1) as usize);
        self.lines.range(..upto.min(self.lines.len())).rev().filter(|l| self.shows(l))
    }

    fn after(&self, number: u64) -> impl Iterator<Item = &Line> {
        let first = self.lines.front().map_or(0, |l| l.number);
        let from = (number.saturating_sub(first) + 1) as usize;
        self.lines.range(from.min(self.lines.len())..).filter(|l| self.shows(l))
    }

    pub fn up(&mut self, by: usize) {
        let to = self.back().take(by + 1).last().map(|l| l.number);
        self.anchor = to.or(self.anchor);
    }

    /// Down to the end is not following yet: `f` and `G` are.
    pub fn down(&mut self, by: usize) {
        if let Some(anchor) = self.anchor {
            let to = self.after(anchor).take(by).last().map(|l| l.number);
            self.anchor = to.or(self.anchor);
        }
    }

    pub fn top(&mut self, height: usize) {
        let first = self.lines.iter().filter(|l| self.shows(l)).take(height.max(1)).last().map(|l| l.number);
        self.anchor = first.or(self.anchor);
    }

    pub fn follow(&mut self, on: bool) {
        self.anchor = if on { None } else { self.lines.back().map(|l| l.number) };
    }

    /// To the next line with what is searched for: older, or newer. Whether there is one.
    pub fn seek(&mut self, older: bool) -> bool {
        let Some(hits) = &self.hits else { return false };
        let found = match (older, self.anchor) {
            (true, None) => self.back().find(|l| hits.is_in(&l.raw)),
            (true, Some(_)) => self.back().skip(1).find(|l| hits.is_in(&l.raw)),
            (false, None) => None,
            (false, Some(at)) => self.after(at).find(|l| hits.is_in(&l.raw)),
        };
        let to = found.map(|l| l.number);
        self.anchor = to.or(self.anchor);
        to.is_some()
    }
}

/// A line that is an object of JSON: its level, its message, then the rest as `name=value`.
pub fn fields(raw: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(raw.trim_ascii()).ok()?;
    let object = value.as_object()?;
    let plain = |v: &serde_json::Value| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned);
    let first = ["level", "severity", "msg", "message", "error"];
    let mut words: Vec<String> = first.iter().filter_map(|k| object.get(*k)).map(plain).collect();
    let time = ["time", "ts", "timestamp", "@timestamp"];
    let rest = object.iter().filter(|(k, _)| !first.contains(&k.as_str()) && !time.contains(&k.as_str()));
    words.extend(rest.map(|(k, v)| format!("{k}={}", plain(v))));
    Some(words.join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> (usize, LogLine) {
        (0, LogLine { at: None, stderr: false, text: text.as_bytes().to_vec() })
    }

    fn view(lines: usize) -> LogView {
        let mut view = LogView::new(1, vec![("c".into(), "c".into())], "c".into());
        view.push((0..lines).map(|i| line(&format!("line {i}"))).collect(), SystemTime::UNIX_EPOCH);
        view
    }

    fn here(log: &LogView) -> String {
        log.back().next().map(|l| l.safe().to_string()).unwrap_or_default()
    }

    #[test]
    fn the_place_stays_while_lines_come() {
        let mut log = view(100);
        log.up(10);
        assert_eq!(here(&log), "line 89");
        log.push(vec![line("new")], SystemTime::UNIX_EPOCH);
        assert_eq!(here(&log), "line 89");
        log.down(3);
        assert_eq!(here(&log), "line 92");
        log.follow(true);
        assert_eq!(here(&log), "new");
        log.top(5);
        assert_eq!(log.back().count(), 5);
        log.set_filter("line 7".into());
        log.follow(true);
        assert_eq!(log.back().count(), 11);
        log.set_filter("!line".into());
        assert_eq!(log.back().count(), 1);
    }

    #[test]
    fn filters_are_expressions_or_else_text() {
        let mut log = view(100);
        for (filter, count) in [("line [12]5$", 2), ("LINE", 0), ("Line", 0), ("!line .", 0), ("line (", 0), ("", 100)]
        {
            log.set_filter(filter.into());
            assert_eq!(log.back().count(), count, "{filter}");
        }
        log.push(vec![line("what (")], SystemTime::UNIX_EPOCH);
        log.set_filter("what (".into());
        assert_eq!(log.back().count(), 1);
    }

    #[test]
    fn hits_are_walked_both_ways() {
        let mut log = view(100);
        log.set_search("line .5$".into());
        assert!(log.seek(true) && here(&log) == "line 95");
        assert!(log.seek(true) && here(&log) == "line 85");
        assert!(log.seek(false) && here(&log) == "line 95");
        assert!(!log.seek(false) && here(&log) == "line 95");
        log.set_search("nowhere".into());
        assert!(!log.seek(true) && here(&log) == "line 95");
    }

    #[test]
    fn tui_14_the_buffer_is_bounded_and_counts() {
        let log = view(MOST_LINES + 7);
        assert_eq!((log.lines.len(), log.forgotten), (MOST_LINES, 7));
        let mut log = view(0);
        let large = LogLine { at: None, stderr: false, text: vec![b'x'; 1 << 20] };
        log.push((0..100).map(|_| (0, large.clone())).collect(), SystemTime::UNIX_EPOCH);
        assert!(log.lines.len() < 50 && log.forgotten > 50);
    }

    #[test]
    fn a_late_line_is_late() {
        let mut log = view(1);
        let at = SystemTime::UNIX_EPOCH;
        let old = LogLine { at: Some(at), stderr: false, text: Vec::new() };
        log.push(vec![(0, old)], at + Duration::from_secs(9));
        assert_eq!(log.lag, Some(Duration::from_secs(9)));
    }

    #[test]
    fn json_is_read_as_fields() {
        let text = br#"{"time":"t","msg":"retrying","level":"warn","try":3}"#;
        assert_eq!(fields(text).as_deref(), Some("warn  retrying  try=3"));
        assert_eq!((fields(b"[1]"), fields(b"level=x")), (None, None));
    }
}
