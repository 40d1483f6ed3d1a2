//! Colours by meaning. Sixteen colours only, so that a kernel console looks like any other terminal; without colour
//! every meaning has a text attribute or a word of its own.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Dim,
    Good,
    Warn,
    Bad,
    Accent,
    Head,
    /// The row that keys act on.
    Cursor,
    /// A filled label: the mode, the key of a hint.
    Badge,
    Alarm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub colour: bool,
}

impl Theme {
    pub fn style(self, tone: Tone) -> Style {
        let plain = Style::new();
        let add = |m| plain.add_modifier(m);
        match (tone, self.colour) {
            (Tone::Plain, _) => plain,
            (Tone::Dim, true) => plain.fg(Color::DarkGray),
            (Tone::Dim, false) => add(Modifier::DIM),
            (Tone::Good, true) => plain.fg(Color::Green),
            (Tone::Good, false) => plain,
            (Tone::Warn, true) => plain.fg(Color::Yellow),
            (Tone::Warn, false) => add(Modifier::BOLD),
            (Tone::Bad, true) => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Tone::Bad, false) => add(Modifier::BOLD | Modifier::UNDERLINED),
            (Tone::Accent, true) => plain.fg(Color::Cyan),
            (Tone::Accent, false) => add(Modifier::BOLD),
            (Tone::Head, true) => plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            (Tone::Head, false) => add(Modifier::BOLD),
            (Tone::Cursor, true) => plain.fg(Color::Black).bg(Color::Cyan),
            (Tone::Cursor, false) => add(Modifier::REVERSED),
            (Tone::Badge, true) => plain.fg(Color::Black).bg(Color::Green).add_modifier(Modifier::BOLD),
            (Tone::Badge, false) => add(Modifier::REVERSED | Modifier::BOLD),
            (Tone::Alarm, true) => plain.fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
            (Tone::Alarm, false) => add(Modifier::REVERSED | Modifier::BOLD),
        }
    }
}

/// Green, yellow from 70 %, red from 85 % (where kubelet starts to collect images).
pub fn fullness(part: u64, total: u64) -> Tone {
    match u128::from(part) * 100 / u128::from(total.max(1)) {
        0..70 => Tone::Good,
        70..85 => Tone::Warn,
        _ => Tone::Bad,
    }
}
