//! The app without a terminal: keys in, one screen out, as text or as a picture. For documents, for bug reports, and for tests
//! of whole sessions.

use std::{fmt::Write, sync::Arc, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    style::{Color, Modifier},
};
use tokio::sync::mpsc;
use unicode_width::UnicodeWidthStr;

use super::{
    Replay, effect,
    event::{Effect, Event},
    model::Model,
    theme::Theme,
    update::update,
    view::view,
};
use crate::{
    bail,
    client::Runtime,
    error::{Error, Kind, Result},
};

/// Without an event for this long, everything asked for has been answered: the answers are in memory.
const QUIET: Duration = Duration::from_millis(150);
/// Between two keys, by the app's clock: a person's pace, slow enough for a dialog to have been read.
const PACE: Duration = Duration::from_secs(1);

/// The screens before the first key and after each. The clock starts at the recording's moment and moves with the keys only, so that the same keys
/// give the same screen.
///
/// # Errors
/// `Internal` if it cannot be drawn.
pub async fn screens(
    runtime: Arc<dyn Runtime>,
    replay: Replay,
    size: (u16, u16),
    theme: Theme,
    keys: &[KeyEvent],
) -> Result<Vec<Buffer>> {
    let failed = |e| Error::new(Kind::Internal, format!("draw {}x{}: {e}", size.0, size.1));
    let (send, mut receive) = mpsc::channel(super::WAITING);
    let mut now = replay.at;
    let mut model = Model::new(runtime.info().clone(), true, theme, size, now);
    let mut runner = effect::Runner::start(Arc::clone(&runtime), send, Some(Arc::new(replay)));
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).map_err(failed)?;
    let mut next = Some(Event::Tick(now));
    let mut keys = keys.iter();
    let mut screens = Vec::with_capacity(keys.len() + 1);
    loop {
        while let Some(event) = next.take() {
            for effect in update(&mut model, event) {
                match effect {
                    Effect::Quit => return Ok(screens),
                    effect => runner.run(effect),
                }
            }
            terminal.draw(|frame| view(&model, frame)).map_err(failed)?;
            for effect in update(&mut model, Event::Drawn(now)) {
                runner.run(effect);
            }
            next = tokio::time::timeout(QUIET, receive.recv()).await.ok().flatten();
        }
        screens.push(terminal.backend().buffer().clone());
        let Some(key) = keys.next() else { return Ok(screens) };
        now += PACE;
        update(&mut model, Event::Tick(now));
        next = Some(Event::Key(*key, now));
    }
}

/// `jj:pods<Enter><Esc><C-d>`: characters as they are, others by name in angle brackets.
///
/// # Errors
/// `InvalidArgument` for a name that is no key.
pub fn keys(text: &str) -> Result<Vec<KeyEvent>> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|r| r.split_once('>')).filter(|(name, _)| name.len() > 1);
        if let Some((name, after)) = named {
            keys.push(key(name)?);
            rest = after;
        } else {
            keys.push(KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE));
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(keys)
}

fn key(name: &str) -> Result<KeyEvent> {
    let (modifiers, name) = match name.strip_prefix("C-") {
        Some(name) => (KeyModifiers::CONTROL, name),
        None => (KeyModifiers::NONE, name),
    };
    let code = match name.to_lowercase().as_str() {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "space" => KeyCode::Char(' '),
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "bs" => KeyCode::Backspace,
        one if one.chars().count() == 1 => KeyCode::Char(one.chars().next().unwrap_or(' ')),
        _ => bail!(
            InvalidArgument,
            "<{name}> is no key: Enter, Esc, Tab, Space, Up, Down, Left, Right, PgUp, PgDn, BS, C-x"
        ),
    };
    Ok(KeyEvent::new(code, modifiers))
}

/// Its characters, line by line, without trailing blanks.
pub fn text(screen: &Buffer) -> String {
    let mut out = String::new();
    for row in screen.content.chunks(usize::from(screen.area.width.max(1))) {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row {
            // The cell behind a wide character is its second half.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            covered = cell.symbol().width().saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Pixels of one character's cell.
const CELL: (usize, usize) = (9, 19);
const PAPER: &str = "#16181d";
const INK: &str = "#d5d8df";

/// As an SVG document: one rectangle for a run of background, one text for a run of equal style.
pub fn svg(screen: &Buffer) -> String {
    let (columns, rows) = (usize::from(screen.area.width), usize::from(screen.area.height));
    let (width, height) = (columns * CELL.0 + 16, rows * CELL.1 + 16);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n\
         <g font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"15\" xml:space=\"preserve\">\n"
    );
    for (y, row) in screen.content.chunks(columns.max(1)).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let (fore, back, bold) = look(&row[x]);
            let end = (x + 1..row.len()).find(|i| look(&row[*i]) != (fore, back, bold)).unwrap_or(row.len());
            let text: String = row[x..end].iter().map(ratatui::buffer::Cell::symbol).collect();
            let (left, top, wide) = (8 + x * CELL.0, 8 + y * CELL.1, (end - x) * CELL.0);
            if back != PAPER {
                line(
                    &mut out,
                    format_args!(
                        "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{}\" fill=\"{back}\"/>",
                        CELL.1
                    ),
                );
            }
            if !text.trim().is_empty() {
                let weight = if bold { " font-weight=\"bold\"" } else { "" };
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                line(
                    &mut out,
                    format_args!(
                        "<text x=\"{left}\" y=\"{}\" textLength=\"{wide}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{fore}\"{weight}>{text}</text>",
                        top + 15
                    ),
                );
            }
            x = end;
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _never = writeln!(out, "{text}");
}

/// Ink, paper and weight of a cell; what is reversed has them the other way round.
fn look(cell: &ratatui::buffer::Cell) -> (&'static str, &'static str, bool) {
    let (mut ink, mut paper) = (colour(cell.fg, INK), colour(cell.bg, PAPER));
    if cell.modifier.contains(Modifier::REVERSED) {
        (ink, paper) = (paper, ink);
    }
    if cell.modifier.contains(Modifier::DIM) {
        ink = "#7a808c";
    }
    (ink, paper, cell.modifier.contains(Modifier::BOLD))
}

/// The sixteen colours of a terminal; the app uses no others.
fn colour(colour: Color, default: &'static str) -> &'static str {
    match colour {
        Color::Black => "#16181d",
        Color::Red | Color::LightRed => "#f0616d",
        Color::Green | Color::LightGreen => "#7fd88f",
        Color::Yellow | Color::LightYellow => "#e8c268",
        Color::Blue | Color::LightBlue => "#6ba6f5",
        Color::Magenta | Color::LightMagenta => "#c792ea",
        Color::Cyan | Color::LightCyan => "#5fd0d8",
        Color::Gray => "#b4b9c4",
        Color::DarkGray => "#7a808c",
        Color::White => "#f2f4f8",
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{layout::Rect, style::Style};

    use super::*;

    #[test]
    fn keys_by_name_and_as_they_are() {
        let all = keys("j<C-d><Enter><x").unwrap();
        let codes: Vec<KeyCode> = all.iter().map(|k| k.code).collect();
        assert_eq!(
            codes,
            [KeyCode::Char('j'), KeyCode::Char('d'), KeyCode::Enter, KeyCode::Char('<'), KeyCode::Char('x')]
        );
        assert_eq!(all[1].modifiers, KeyModifiers::CONTROL);
        assert!(keys("<Nonsense>").is_err());
    }

    #[test]
    fn a_picture_holds_the_text_and_nothing_that_is_markup() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "<b>&amp", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        let drawn = svg(&buffer);
        assert!(drawn.contains("&lt;b&gt;&amp;amp</text>") && drawn.contains("#f0616d"), "{drawn}");
        assert_eq!(text(&buffer), "<b>&amp\n\n");
    }
}
