//! The popup that chooses columns.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{frame_of, popup::open, table_area};
use crate::tui::{
    model::Model,
    panes, table,
    theme::{Theme, Tone},
};

const WIDTH: u16 = 56;

pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect, at: usize, list: &[(usize, bool)]) {
    let pane = panes::of(model.pane);
    let area = open(frame, body, WIDTH, list.len() as u16 + 2);
    let inner = frame_of(model, frame, area, &format!("Columns of {}", pane.name), Tone::Accent);
    let rows = usize::from(inner.height);
    let first = (at + 1).saturating_sub(rows);
    let seen = table::layout(pane.columns, &model.table().columns, table_area(model).width.saturating_sub(2));
    let shown = |column: usize| seen.iter().any(|(c, _)| *c == column);
    for ((line, (column, on)), y) in list.iter().enumerate().skip(first).zip(inner.y..inner.bottom()) {
        let spec = &pane.columns[*column];
        let note = match (on, shown(*column), model.table().sort == *column) {
            (true, false, _) if spec.from > 0 => format!("no room; from {} cells on", spec.from),
            (true, false, _) => "no room".to_owned(),
            (_, _, true) => "sorted by".to_owned(),
            _ => String::new(),
        };
        let spans = entry(model.theme, line == at, *on, spec.name, &note);
        frame.buffer_mut().set_line(inner.x, y, &Line::from(spans), inner.width);
    }
}

fn entry(theme: Theme, here: bool, on: bool, name: &str, note: &str) -> Vec<Span<'static>> {
    let tone = match (here, on) {
        (true, _) => Tone::Cursor,
        (_, true) => Tone::Plain,
        _ => Tone::Dim,
    };
    let (mark, tick) = (if here { "▶" } else { " " }, if on { "[x]" } else { "[ ]" });
    vec![
        Span::styled(format!("{mark} {tick} {name:<18} "), theme.style(tone)),
        Span::styled(note.to_owned(), theme.style(Tone::Dim)),
    ]
}
