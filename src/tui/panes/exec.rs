//! Commands in containers, each in a terminal of its own: the cells of one, and which others there are.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::{Line, Span},
};
use unicode_width::UnicodeWidthStr;

use super::{Pane, PaneId};
use crate::tui::{
    keymap::Cmd,
    model::Model,
    terminals::{State, Term},
    text::{self, SafeText},
    theme::{Palette, Theme, Tone},
};

pub const PANE: Pane = Pane {
    id: PaneId::Exec,
    name: "Exec",
    short: "Exec",
    aliases: &["shell", "terminals", "sh"],
    columns: &[],
    rows: |_| Vec::new(),
    count: |model| Some(model.terminals.all.len()).filter(|n| *n > 0),
    part: "",
    sort: 0,
    extra: 0,
    draw: Some(draw),
    facts: None,
};

/// Columns and rows of a terminal: the whole width, under a line that says what it is.
pub fn size(model: &Model) -> (u16, u16) {
    let around = 4 + u16::from(model.dead().is_some());
    (model.size.0.max(2), model.size.1.saturating_sub(around).max(1))
}

/// The cell of a terminal under a cell of the screen, from 0; none beside it.
pub fn cell_at(model: &Model, column: u16, row: u16) -> Option<(u16, u16)> {
    let (columns, rows) = size(model);
    let row = row.checked_sub(3 + u16::from(model.dead().is_some()))?;
    (column < columns && row < rows).then_some((column, row))
}

fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(term) = model.terminals.shown() else {
        let inner = crate::tui::view::frame_of(model, frame, area, "Exec", Tone::Dim);
        let (pane, open) = (model.keymap.named(Cmd::Pane(PaneId::Containers as u8)), model.keymap.named(Cmd::Exec));
        let text = format!(
            "No terminal is open: {open} on a container ({pane}) opens a shell in it, :exec COMMAND runs another program"
        );
        for (piece, y) in text::wrap(&text, usize::from(inner.width)).iter().zip(inner.y + 1..inner.bottom()) {
            frame.buffer_mut().set_string(inner.x, y, piece, model.theme.style(Tone::Dim));
        }
        return;
    };
    title(model, term, frame, area);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    cells(model.theme, term, frame, below);
    let screen = term.emulator.screen();
    let (row, column) = screen.cursor_position();
    let typing = model.terminals.typing && model.popup.is_none() && model.input.is_none();
    if typing && term.living() && !screen.hide_cursor() && term.emulator.scrolled() == 0 {
        let column = column.min(below.width.saturating_sub(1));
        frame.set_cursor_position((below.x + column, below.y + row.min(below.height.saturating_sub(1))));
    }
}

/// One line: what it is, which of how many, and how it is.
fn title(model: &Model, term: &Term, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme;
    let (state, tone) = match &term.state {
        State::Opening => ("opening…".to_owned(), Tone::Dim),
        State::Running if term.emulator.scrolled() > 0 => {
            (format!("{} lines back", term.emulator.scrolled()), Tone::Warn)
        }
        State::Running if model.terminals.typing => ("has the keys".to_owned(), Tone::Good),
        State::Running => ("runs on".to_owned(), Tone::Dim),
        State::Ended(Ok(code)) => {
            (format!("ended with {code}, any key closes"), if *code == 0 { Tone::Good } else { Tone::Warn })
        }
        State::Ended(Err(_)) => ("failed, any key closes".to_owned(), Tone::Bad),
    };
    let mut state = format!(" {state} ");
    if term.emulator.broken > 0 {
        state = format!(" its output broke the emulation, the screen began anew ({}x) ─{state}", term.emulator.broken);
    }
    let all = model.terminals.all.len();
    let place = if all > 1 { format!(" {}/{all} ", model.terminals.at + 1) } else { String::new() };
    let room = usize::from(area.width).saturating_sub(state.width() + place.width() + 6);
    let name = SafeText::from(format!("{} ─ {}", term.name, term.what())).cut(room);
    let used = name.width() + place.width() + state.width() + 4;
    let line = "─".repeat(usize::from(area.width).saturating_sub(used + 1));
    let spans = vec![
        Span::styled("──", theme.style(Tone::Dim)),
        Span::styled(format!(" {name} "), theme.style(Tone::Head)),
        Span::styled(place, theme.style(Tone::Plain)),
        Span::styled(line, theme.style(Tone::Dim)),
        Span::styled(state, theme.style(tone)),
        Span::styled("─", theme.style(Tone::Dim)),
    ];
    frame.buffer_mut().set_line(area.x, area.y, &Line::from(spans), area.width);
}

fn cells(theme: Theme, term: &Term, frame: &mut Frame<'_>, area: Rect) {
    let screen = term.emulator.screen();
    let buffer = frame.buffer_mut();
    for row in 0..area.height {
        for column in 0..area.width {
            let Some(cell) = screen.cell(row, column) else { continue };
            // The second half of a wide character is drawn with the first.
            if cell.is_wide_continuation() {
                continue;
            }
            let wide = cell.is_wide() && column + 1 < area.width;
            let drawn = text::cell(cell.contents(), if wide { 2 } else { 1 });
            let style = style(theme, cell);
            buffer.set_string(area.x + column, area.y + row, drawn, style);
        }
    }
    // What could not be run has nothing else to show.
    if let State::Ended(Err(error)) = &term.state {
        let pieces = text::wrap(error.as_str(), usize::from(area.width.saturating_sub(2)));
        let (row, _) = screen.cursor_position();
        let first =
            area.y + row.saturating_add(u16::from(row > 0)).min(area.height.saturating_sub(pieces.len() as u16));
        for (piece, y) in pieces.iter().zip(first..area.bottom()) {
            buffer.set_string(area.x + 1, y, piece, theme.style(Tone::Bad));
        }
    }
}

fn style(theme: Theme, cell: &vt100::Cell) -> Style {
    let mut style = Style::new();
    if theme.palette != Palette::Mono {
        style = style.fg(colour(cell.fgcolor())).bg(colour(cell.bgcolor()));
    }
    // In terminfo's entry of this terminal, italics are how it stands out.
    let reversed = cell.inverse() != cell.italic();
    for (on, modifier) in [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.underline(), Modifier::UNDERLINED),
        (reversed, Modifier::REVERSED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// The sixteen by their names, as everything else here; others from the palette of 256, which more terminals have than 24 bits.
fn colour(colour: vt100::Color) -> Color {
    const NAMED: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match colour {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(n) => NAMED.get(usize::from(n)).copied().unwrap_or(Color::Indexed(n)),
        vt100::Color::Rgb(r, g, b) => {
            let step = |v: u8| u8::try_from((u16::from(v) * 5 + 127) / 255).unwrap_or(5);
            Color::Indexed(16 + 36 * step(r) + 6 * step(g) + step(b))
        }
    }
}
