//! The lines of one log, or of several merged, as they are looked at: a bounded part of what is on the disk, a filter, a search,
//! and a place to stand. Bytes are kept as they came and made safe when they are drawn.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use regex::{Regex, RegexBuilder};

use super::{event::Token, text::SafeText};
use crate::client::types::{LogLine, LogPage, LogPlace, LogTurn, Sieve};

/// What is kept; the lines farthest from where the person stands go first. Those from a file can be read again.
pub const MOST_LINES: usize = 200_000;
const MOST_BYTES: usize = 48 << 20;
/// Lines that are read at a time when a person comes to the edge of what is kept.
const PAGE: usize = 5000;
/// Lines of one source that wait for those of the others.
const AHEAD: usize = 100;
/// Pages that are looked through for one key.
const PAGES: usize = 40;
/// The number of the first line that comes; older ones, read later, have lower ones.
const FIRST: u64 = 1 << 40;
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
    /// Without gaps, in the order of the lines.
    pub number: u64,
    pub at: Option<SystemTime>,
    pub stderr: bool,
    /// Which of the containers wrote it.
    pub source: usize,
    place: Option<LogPlace>,
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

/// What lines that are not here are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// So many lines above the place.
    Above(usize),
    /// The next older line with a hit.
    Hit,
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
    heard: bool,
    /// Lines that were let go and cannot be read again.
    pub forgotten: u64,
    /// By source: nothing older than what is here is wanted, or there.
    begun: Vec<bool>,
    /// The end was let go for older lines: what is written from now on is not here either.
    pub behind: bool,
    /// By source: lines behind the last one that is here. They wait for those of the others that come before them.
    ahead: Vec<VecDeque<Line>>,
    /// By source: and more of them are on the disk.
    more: Vec<bool>,
    /// By source: up to where a page has come that lines on their way may be on as well.
    joined: Vec<Option<LogPlace>>,
    /// A page is asked for.
    pub turning: bool,
    /// And for how many more pages.
    want: Option<(Want, usize)>,
    /// The line at the bottom of the screen; none follows the end.
    pub anchor: Option<u64>,
    pub wrap: bool,
    pub times: Times,
    /// Objects of JSON as their fields.
    pub fields: bool,
    /// Index into [`SPANS`].
    pub span: usize,
    pub filter: String,
    sieve: Option<Sieve>,
    /// The page that was asked for is only of what passes this.
    asked: Option<Sieve>,
    /// Of a single source, where only what passes was read: the first line from which on none is missing.
    dense: Option<u64>,
    /// And from where on all was looked at.
    reached: Option<(LogPlace, Option<SystemTime>)>,
    pub search: String,
    pub hits: Option<Pattern>,
    /// How old the newest line was when it came, while lines come.
    pub lag: Option<Duration>,
    /// The stream ended, and why if it failed.
    pub ended: Option<Option<String>>,
}

impl LogView {
    pub fn new(token: Token, sources: Vec<(String, String)>, name: String) -> Self {
        let count = sources.len();
        let (begun, more) = (vec![false; count], vec![false; count]);
        let (ahead, joined) = (vec![VecDeque::new(); count], vec![None; count]);
        Self { token, sources, name, begun, ahead, more, joined, next: FIRST, ..Self::default() }
    }

    /// From when on: what is older is not wanted.
    pub fn set_span(&mut self, span: usize) {
        self.span = span;
        self.begun.fill(SPANS[span].is_some());
    }

    /// The container that keys act on.
    pub fn container(&self) -> Option<&str> {
        self.sources.first().map(|(id, _)| id.as_str())
    }

    pub fn push(&mut self, lines: Vec<(usize, LogLine)>, now: SystemTime) {
        // What was there when it was opened is old without being late.
        let late = self.heard;
        self.heard |= !lines.is_empty();
        for (source, line) in lines {
            self.lag = line.at.filter(|_| late).and_then(|at| now.duration_since(at).ok());
            let on_a_page = self.joined[source].is_some_and(|joined| !is_behind(line.place, joined));
            if self.more[source] || on_a_page {
                continue;
            }
            self.joined[source] = None;
            let line = numbered(0, source, line);
            if self.behind {
                self.ahead[source].push_back(line);
                self.shorten(source);
            } else {
                self.append(line);
            }
        }
        self.trim();
    }

    fn append(&mut self, line: Line) {
        self.bytes += line.raw.len();
        self.lines.push_back(Line { number: self.next, ..line });
        self.next += 1;
    }

    /// Of what waits a little is kept: the rest can be read again.
    fn shorten(&mut self, source: usize) {
        let ahead = &mut self.ahead[source];
        if ahead.len() > AHEAD && ahead.iter().take(AHEAD).any(|l| l.place.is_some()) {
            ahead.truncate(AHEAD);
            (self.more[source], self.joined[source]) = (true, None);
        }
    }

    /// Puts what waits to the lines, by time, as long as nothing that is still on the disk comes before it.
    fn catch_up(&mut self) {
        while !(0..self.sources.len()).any(|s| self.more[s] && self.ahead[s].is_empty()) {
            let heads = self.ahead.iter().enumerate().filter_map(|(s, lines)| Some((lines.front()?.at, s)));
            let Some(line) = heads.min().and_then(|(_, s)| self.ahead[s].pop_front()) else { break };
            self.append(line);
        }
        self.behind = self.more.iter().any(|m| *m) || self.ahead.iter().any(|lines| !lines.is_empty());
    }

    fn trim(&mut self) {
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            let first = self.lines.front().map_or(0, |l| l.number);
            let above = self.anchor.map_or(self.lines.len(), |a| a.saturating_sub(first) as usize);
            let back = self.anchor.is_some() && (self.want.is_some() || above * 2 < self.lines.len());
            if back && self.lines.back().is_some_and(|l| l.place.is_some()) {
                let Some(line) = self.lines.pop_back() else { break };
                self.bytes -= line.raw.len();
                (self.next, self.behind) = (line.number, true);
                let source = line.source;
                self.ahead[source].push_front(line);
                self.shorten(source);
            } else {
                let Some(line) = self.lines.pop_front() else { break };
                self.bytes -= line.raw.len();
                self.reached = None;
                match self.begun.get_mut(line.source).filter(|_| line.place.is_some()) {
                    Some(begun) => *begun = false,
                    None => self.forgotten += 1,
                }
            }
        }
    }

    /// Whether there are lines older than those here. Fewer than were asked for are all there are.
    pub fn goes_on(&self) -> bool {
        let first = self.reached.map(|(place, _)| place).or_else(|| self.lines.iter().take(2).find_map(|l| l.place));
        self.begun.iter().any(|b| !b) && first.is_some_and(|f| f.offset > 0 || self.lines.len() >= PAGE)
    }

    /// The page before what is here, and of which source: of several the one whose lines here reach back least. Of a single
    /// one that is filtered, what passes: others lie between its lines and theirs.
    fn edge(&self) -> Option<(usize, LogTurn)> {
        if let Some((from, at)) = self.reached.filter(|_| !self.begun[0]) {
            return Some((0, LogTurn { from, at, older: true, lines: PAGE, only: self.sieve.clone() }));
        }
        let only = self.sieve.clone().filter(|_| self.sources.len() == 1);
        let mut seen = vec![false; self.sources.len()];
        let mut edge: Option<(&Line, LogPlace)> = None;
        for line in &self.lines {
            let Some(place) = line.place else { continue };
            if std::mem::replace(&mut seen[line.source], true) {
                continue;
            }
            if !self.begun[line.source] && edge.is_none_or(|(e, _)| e.at < line.at) {
                edge = Some((line, place));
            }
            if seen.iter().all(|s| *s) {
                break;
            }
        }
        edge.map(|(line, from)| (line.source, LogTurn { from, at: line.at, older: true, lines: PAGE, only }))
    }

    /// The page behind what is here, where its end was let go, of a source that the others wait for.
    fn below(&self) -> Option<(usize, LogTurn)> {
        let source = (0..self.sources.len()).find(|s| self.more[*s] && self.ahead[*s].is_empty())?;
        let last = self.lines.iter().rev().find(|l| l.source == source)?;
        Some((source, LogTurn { from: last.place?, at: last.at, older: false, lines: PAGE, only: None }))
    }

    /// Lines are wanted that may not be here.
    pub fn reach(&mut self, want: Want) {
        if self.anchor.is_none() {
            self.follow(false);
        }
        self.want = Some((want, PAGES));
    }

    /// So many lines are wanted for the screen, which goes on following if it does.
    pub fn fill(&mut self, count: usize) {
        self.want = Some((Want::Above(count), PAGES));
    }

    /// The next page to read for what is wanted. `Err` says that it is not found, and whether there is more to look through.
    pub fn turn(&mut self) -> Result<Option<(usize, LogTurn)>, bool> {
        let Some((want, left)) = self.want.filter(|_| !self.turning) else { return Ok(None) };
        let have = match want {
            Want::Above(count) => self.back().take(count + 1).count() > count,
            Want::Hit => self.seek(true),
        };
        let edge = self.edge().filter(|_| !have);
        self.want = Some((want, left.saturating_sub(1))).filter(|_| edge.is_some() && left > 0);
        match edge {
            Some(_) if left == 0 => Err(true),
            None if !have && want == Want::Hit => Err(false),
            edge => {
                self.turning = edge.is_some();
                self.asked = edge.as_ref().and_then(|(_, turn)| turn.only.clone());
                Ok(edge)
            }
        }
    }

    /// The next page towards the end, if so few lines are left below the place.
    pub fn turn_down(&mut self, few: usize) -> Option<(usize, LogTurn)> {
        let anchor = self.anchor.filter(|_| !self.turning && self.behind)?;
        if self.after(anchor).take(few).count() >= few {
            return None;
        }
        self.catch_up();
        self.trim();
        let page = self.below()?;
        self.turning = true;
        Some(page)
    }

    /// A page that was asked for has come, or has not.
    pub fn turned(&mut self, source: usize, older: bool, page: Option<LogPage>) {
        self.turning = false;
        let Some(page) = page else {
            self.want = None;
            return;
        };
        if !older {
            let last = self.lines.iter().rev().find(|l| l.source == source).and_then(|l| l.place);
            self.joined[source] = page.lines.last().and_then(|l| l.place).or(last);
            self.more[source] = !page.end;
            self.ahead[source].extend(page.lines.into_iter().map(|line| numbered(0, source, line)));
            self.catch_up();
            return self.trim();
        }
        if self.asked.take() != self.sieve.clone().filter(|_| self.sources.len() == 1) {
            // Of another filter: it is asked for again.
            return;
        }
        if page.reached.is_some() {
            self.dense = self.dense.or_else(|| self.lines.front().map(|l| l.number));
            self.reached = page.reached;
        }
        if let Some(begun) = self.begun.get_mut(source) {
            *begun = page.end;
        }
        self.bytes += page.lines.iter().map(|l| l.text.len()).sum::<usize>();
        if self.sources.len() == 1 {
            for line in page.lines.into_iter().rev() {
                let number = self.lines.front().map_or(self.next, |l| l.number) - 1;
                self.lines.push_front(numbered(number, source, line));
            }
        } else {
            self.merge(source, page.lines);
        }
        self.trim();
    }

    /// Puts the lines where their times belong. The place stays on its line.
    fn merge(&mut self, source: usize, lines: Vec<LogLine>) {
        let (old, anchor) = (std::mem::take(&mut self.lines), self.anchor);
        let mut number = self.next - (old.len() + lines.len()) as u64;
        let mut lines = lines.into_iter().peekable();
        for mut line in old {
            while let Some(next) = lines.next_if(|l| line.source == source || l.at <= line.at) {
                self.lines.push_back(numbered(number, source, next));
                number += 1;
            }
            if anchor == Some(line.number) {
                self.anchor = Some(number);
            }
            line.number = number;
            number += 1;
            self.lines.push_back(line);
        }
        for line in lines {
            self.lines.push_back(numbered(number, source, line));
            number += 1;
        }
    }

    /// A regular expression; `!` before it takes the lines that do not match.
    pub fn set_filter(&mut self, filter: String) {
        let (not, text) = filter.strip_prefix('!').map_or((false, filter.as_str()), |f| (true, f));
        let sieve = Pattern::new(text).map(|Pattern(pattern)| Sieve { pattern, not });
        if sieve != self.sieve {
            self.unsift();
        }
        (self.filter, self.sieve) = (filter, sieve);
    }

    /// Lets go what was read of one filter only: another may pass what lies between. The place stays.
    fn unsift(&mut self) {
        let Some(dense) = self.dense.take() else { return };
        (self.reached, self.begun[0]) = (None, false);
        let first = self.lines.front().map_or(0, |l| l.number);
        match self.anchor {
            Some(anchor) if anchor < dense => {
                let line = self.lines.remove(anchor.saturating_sub(first) as usize);
                self.lines = line.into_iter().collect();
                self.ahead[0].clear();
                (self.next, self.behind, self.more[0], self.joined[0]) = (anchor + 1, true, true, None);
            }
            _ => drop(self.lines.drain(..(dense.saturating_sub(first) as usize).min(self.lines.len()))),
        }
        self.bytes = self.lines.iter().map(|l| l.raw.len()).sum();
    }

    pub fn set_search(&mut self, text: String) {
        self.hits = Pattern::new(&text);
        self.search = text;
    }

    pub fn shows(&self, line: &Line) -> bool {
        self.sieve.as_ref().is_none_or(|s| s.passes(&line.raw))
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

fn numbered(number: u64, source: usize, line: LogLine) -> Line {
    let LogLine { at, stderr, text, place } = line;
    Line { number, at, stderr, source, place, raw: text.into_boxed_slice() }
}

/// Whether a line is not on a page that ended there.
fn is_behind(line: Option<LogPlace>, joined: LogPlace) -> bool {
    line.is_none_or(|l| (l.device, l.inode) != (joined.device, joined.inode) || l.offset > joined.offset)
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
        (0, LogLine { at: None, stderr: false, text: text.as_bytes().to_vec(), place: None })
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
        let large = LogLine { at: None, stderr: false, text: vec![b'x'; 1 << 20], place: None };
        log.push((0..100).map(|_| (0, large.clone())).collect(), SystemTime::UNIX_EPOCH);
        assert!(log.lines.len() < 50 && log.forgotten > 50);
    }

    #[test]
    fn a_late_line_is_late() {
        let mut log = view(1);
        let at = SystemTime::UNIX_EPOCH;
        let old = LogLine { at: Some(at), stderr: false, text: Vec::new(), place: None };
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
