//! One log, or several merged.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use super::{Pane, PaneId};
use crate::tui::{
    keymap::Cmd,
    log::{self, Line, LogView, Times},
    model::Model,
    text::{self, SafeText},
    theme::{Theme, Tone},
};

pub const PANE: Pane = Pane {
    id: PaneId::Logs,
    name: "Logs",
    short: "Logs",
    aliases: &["log"],
    columns: &[],
    rows: |_| Vec::new(),
    count: super::none,
    part: "",
    sort: 0,
    extra: 0,
    draw: Some(draw),
    facts: None,
};

/// What the title says about the log.
pub fn title(log: &LogView) -> String {
    let state = match (&log.ended, log.anchor) {
        (Some(Some(_)), _) => "failed",
        (Some(None), _) => "ended",
        _ if log.behind => "far back",
        (None, None) => "following",
        (None, Some(_)) => "standing",
    };
    // There are more above.
    let more = if log.goes_on() { "+" } else { "" };
    let mut title = format!("Logs {} ─ {state} ─ {}{more} lines", SafeText::new(&log.name), log.lines.len());
    if log.turning {
        title.push_str(", reading…");
    }
    if log.forgotten > 0 {
        title.push_str(&format!(", {} older let go", log.forgotten));
    }
    if let Some(lag) = log.lag.filter(|l| log.ended.is_none() && l.as_secs() >= 2) {
        title.push_str(&format!(" ─ {} behind", text::span(lag)));
    }
    match log::SPANS[log.span] {
        None => {}
        Some(std::time::Duration::MAX) => title.push_str(" ─ all of it"),
        Some(span) => title.push_str(&format!(" ─ since {} ago", text::span(span))),
    }
    for (mark, what) in [("/", &log.filter), ("s ", &log.search)] {
        if !what.is_empty() {
            title.push_str(&format!(" ─ {mark}{}", SafeText::new(what)));
        }
    }
    title
}

/// Words that make a line worth a colour.
fn tone(text: &str) -> Tone {
    let text: String = text.chars().take(160).collect::<String>().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if has(&["error", "fatal", "panic", "critical", "exception"]) {
        Tone::Bad
    } else if has(&["warn"]) {
        Tone::Warn
    } else if has(&["debug", "trace"]) {
        Tone::Dim
    } else {
        Tone::Plain
    }
}

fn clock(model: &Model, log: &LogView, line: &Line) -> String {
    let offset = match log.times {
        Times::Local => model.host.as_ref().map_or(0, |h| h.utc_offset),
        _ => 0,
    };
    let shift = std::time::Duration::from_secs(u64::from(offset.unsigned_abs()));
    let moved = |at: std::time::SystemTime| if offset < 0 { at.checked_sub(shift) } else { at.checked_add(shift) };
    let stamp = line.at.and_then(moved).map(text::stamp).unwrap_or_default();
    stamp.get(11..19).unwrap_or("-").to_owned()
}

/// The text with every hit marked.
fn marked(theme: Theme, piece: String, hits: Option<&regex::Regex>, tone: Tone) -> Vec<Span<'static>> {
    let (mut spans, mut at) = (Vec::new(), 0);
    for hit in hits.into_iter().flat_map(|h| h.find_iter(&piece).collect::<Vec<_>>()).filter(|h| !h.is_empty()) {
        spans.push(Span::styled(piece[at..hit.start()].to_owned(), theme.style(tone)));
        spans.push(Span::styled(hit.as_str().to_owned(), theme.style(Tone::Cursor)));
        at = hit.end();
    }
    spans.push(Span::styled(piece[at..].to_owned(), theme.style(tone)));
    spans
}

fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme;
    let Some(log) = &model.log else {
        let (pane, open) = (model.keymap.named(Cmd::Pane(PaneId::Containers as u8)), model.keymap.named(Cmd::Logs));
        let how = format!("Choose a container ({pane}) and press {open}.");
        let text =
            [TextLine::from("No log is open."), TextLine::from(""), TextLine::styled(how, theme.style(Tone::Dim))];
        for (line, y) in text.iter().zip(area.y + 1..area.bottom()) {
            frame.buffer_mut().set_line(area.x + 2, y, line, area.width.saturating_sub(2));
        }
        return;
    };
    // Every line has a gutter, so that no line of a log can pass for a part of the app.
    let names = if log.sources.len() > 1 { 13 } else { 0 };
    let before = 2 + if log.times == Times::None { 0 } else { 10 } + names;
    let width = usize::from(area.width).saturating_sub(before).max(1);
    let hits = log.hits.as_ref().and_then(log::Pattern::of_text);
    let mut y = area.bottom();
    'lines: for line in log.back() {
        let parsed = if log.fields { log::fields(line.raw()) } else { None };
        let safe = parsed.map_or_else(|| line.safe(), SafeText::from);
        let whole = safe.as_str();
        let pieces = if log.wrap { text::wrap(whole, width) } else { vec![whole] };
        let tone = tone(whole);
        for (at, piece) in pieces.iter().enumerate().rev() {
            if y == area.y {
                break 'lines;
            }
            y -= 1;
            let (bar, colour) = if line.stderr { ("┃ ", Tone::Warn) } else { ("│ ", Tone::Dim) };
            let mut spans = vec![Span::styled(bar, theme.style(colour))];
            if log.times != Times::None {
                let clock = if at == 0 { clock(model, log, line) } else { String::new() };
                spans.push(Span::styled(format!("{clock:<10}"), theme.style(Tone::Dim)));
            }
            if names > 0 {
                let name = log.sources.get(line.source).map_or("", |(_, n)| n.rsplit('/').next().unwrap_or(n));
                let name = if at == 0 { SafeText::new(name).cut(12) } else { String::new() };
                spans.push(Span::styled(format!("{name:<13}"), theme.style(Tone::Accent)));
            }
            spans.extend(marked(theme, text::cut(piece, width), hits.as_ref(), tone));
            frame.buffer_mut().set_line(area.x, y, &TextLine::from(spans), area.width);
        }
    }
    // Few lines stand at the top, as in any pager.
    let gap = y - area.y;
    if gap > 0 && y < area.bottom() {
        let buffer = frame.buffer_mut();
        for to in area.y..area.bottom() {
            for x in area.x..area.right() {
                let cell =
                    if to + gap < area.bottom() { buffer[(x, to + gap)].clone() } else { ratatui::buffer::Cell::EMPTY };
                buffer[(x, to)] = cell;
            }
        }
    }
    if log.lines.is_empty() {
        let text = match &log.ended {
            None => "reading…".to_owned(),
            Some(None) => "the container wrote nothing".to_owned(),
            Some(Some(error)) => text::SafeText::new(error).cut(usize::from(area.width.saturating_sub(4))),
        };
        frame.buffer_mut().set_stringn(area.x + 2, area.y, text, usize::from(area.width), theme.style(Tone::Dim));
    }
}
