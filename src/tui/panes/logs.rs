//! One container's log.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use super::{Pane, PaneId};
use crate::tui::{log::Line, model::Model, text, theme::Tone};

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

/// Words that make a line worth a colour.
fn tone(line: &Line) -> Tone {
    let text: String = line.text.as_str().chars().take(160).collect::<String>().to_ascii_lowercase();
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

fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme;
    let Some(log) = &model.log else {
        let text = [
            TextLine::from("No log is open."),
            TextLine::from(""),
            TextLine::styled("Choose a container (3) and press l.", theme.style(Tone::Dim)),
        ];
        for (line, y) in text.iter().zip(area.y + 1..area.bottom()) {
            frame.buffer_mut().set_line(area.x + 2, y, line, area.width.saturating_sub(2));
        }
        return;
    };
    // Every line has a gutter, so that no line of a log can pass for a part of the app.
    let before = 2 + if log.times { 13 } else { 0 };
    let width = usize::from(area.width).saturating_sub(before).max(1);
    let mut y = area.bottom();
    'lines: for line in log.back() {
        let whole = line.text.as_str();
        let pieces = if log.wrap { text::wrap(whole, width) } else { vec![whole] };
        for (at, piece) in pieces.iter().enumerate().rev() {
            if y == area.y {
                break 'lines;
            }
            y -= 1;
            let gutter = if line.stderr {
                Span::styled("┃ ", theme.style(Tone::Warn))
            } else {
                Span::styled("│ ", theme.style(Tone::Dim))
            };
            let mut spans = vec![gutter];
            if log.times {
                let stamp = line.at.map(text::stamp).unwrap_or_default();
                let clock = if at == 0 { stamp.get(11..19).unwrap_or("-").to_owned() } else { String::new() };
                spans.push(Span::styled(format!("{clock:<13}"), theme.style(Tone::Dim)));
            }
            spans.push(Span::styled(text::cut(piece, width), theme.style(tone(line))));
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
