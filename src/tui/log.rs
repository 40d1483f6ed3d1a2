//! The lines of one container's log as they are looked at: a bounded buffer, a filter, and a place to stand.

use std::collections::VecDeque;

use super::{event::Token, text::SafeText};
use crate::client::types::LogLine;

/// What is kept; older lines go first and are counted.
pub const MOST_LINES: usize = 50_000;
const MOST_BYTES: usize = 64 << 20;

#[derive(Debug, Clone)]
pub struct Line {
    /// Counts from the first line received; never reused.
    pub number: u64,
    pub at: Option<std::time::SystemTime>,
    pub stderr: bool,
    pub text: SafeText,
}

#[derive(Debug, Clone)]
pub struct LogView {
    pub token: Token,
    pub container: String,
    pub name: String,
    pub lines: VecDeque<Line>,
    bytes: usize,
    next: u64,
    pub forgotten: u64,
    /// The line at the bottom of the screen; none follows the end.
    pub anchor: Option<u64>,
    pub wrap: bool,
    pub times: bool,
    pub filter: String,
    /// The stream ended, and why if it failed.
    pub ended: Option<Option<String>>,
}

impl LogView {
    pub fn new(token: Token, container: String, name: String) -> Self {
        Self {
            token,
            container,
            name,
            lines: VecDeque::new(),
            bytes: 0,
            next: 0,
            forgotten: 0,
            anchor: None,
            wrap: false,
            times: false,
            filter: String::new(),
            ended: None,
        }
    }

    pub fn push(&mut self, lines: &[LogLine]) {
        for line in lines {
            let text = SafeText::line(&line.text);
            self.bytes += text.as_str().len();
            self.lines.push_back(Line { number: self.next, at: line.at, stderr: line.stderr, text });
            self.next += 1;
        }
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.text.as_str().len();
            self.forgotten += 1;
        }
    }

    pub fn shows(&self, line: &Line) -> bool {
        let (wanted, filter) = self.filter.strip_prefix('!').map_or((true, self.filter.as_str()), |f| (false, f));
        filter.is_empty() || line.text.as_str().to_lowercase().contains(&filter.to_lowercase()) == wanted
    }

    /// The lines up to the anchor that pass the filter, newest first.
    pub fn back(&self) -> impl Iterator<Item = &Line> {
        let last = self.anchor.unwrap_or(u64::MAX);
        self.lines.iter().rev().filter(move |l| l.number <= last && self.shows(l))
    }

    pub fn up(&mut self, by: usize) {
        let to = self.back().take(by + 1).last().map(|l| l.number);
        self.anchor = to.or(self.anchor);
    }

    /// Down to the end is not following yet: `f` and `G` are.
    pub fn down(&mut self, by: usize) {
        if let Some(anchor) = self.anchor {
            let to = self.lines.iter().filter(|l| l.number > anchor && self.shows(l)).take(by).last().map(|l| l.number);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(lines: usize) -> LogView {
        let mut view = LogView::new(1, "c".into(), "c".into());
        let line = |i: usize| LogLine { at: None, stderr: false, text: format!("line {i}").into_bytes() };
        view.push(&(0..lines).map(line).collect::<Vec<_>>());
        view
    }

    #[test]
    fn the_place_stays_while_lines_come() {
        let mut log = view(100);
        log.up(10);
        let here = log.back().next().map(|l| l.text.clone());
        assert_eq!(here, Some(SafeText::new("line 89")));
        log.push(&[LogLine { at: None, stderr: true, text: b"new".to_vec() }]);
        assert_eq!(log.back().next().map(|l| l.text.clone()), here);
        log.follow(true);
        assert_eq!(log.back().next().map(|l| l.text.clone()), Some(SafeText::new("new")));
        log.top(5);
        assert_eq!(log.back().count(), 5);
        log.filter = "line 7".into();
        log.follow(true);
        assert_eq!(log.back().count(), 11);
        log.filter = "!line".into();
        assert_eq!(log.back().count(), 1);
    }

    #[test]
    fn tui_14_the_buffer_is_bounded_and_counts() {
        let log = view(MOST_LINES + 7);
        assert_eq!((log.lines.len(), log.forgotten), (MOST_LINES, 7));
    }
}
