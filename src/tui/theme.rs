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

/// For which background the colours are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Palette {
    #[default]
    Dark,
    Light,
    /// Attributes instead of colours.
    Mono,
}

impl Palette {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "dark" => Some(Self::Dark),
            "light" => Some(Self::Light),
            "mono" | "none" => Some(Self::Mono),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Theme {
    pub palette: Palette,
    /// Lines, bars and marks in ASCII only.
    pub ascii: bool,
}

impl Theme {
    pub fn style(self, tone: Tone) -> Style {
        let plain = Style::new();
        let add = |m| plain.add_modifier(m);
        let light = self.palette == Palette::Light;
        match (tone, self.palette != Palette::Mono) {
            (Tone::Plain, _) => plain,
            (Tone::Dim, true) => plain.fg(Color::DarkGray),
            (Tone::Dim, false) => add(Modifier::DIM),
            (Tone::Good, true) => plain.fg(Color::Green),
            (Tone::Good, false) => plain,
            // Yellow and cyan cannot be read on white.
            (Tone::Warn, true) if light => plain.fg(Color::Magenta),
            (Tone::Accent, true) if light => plain.fg(Color::Blue),
            (Tone::Head, true) if light => plain.fg(Color::Blue).add_modifier(Modifier::BOLD),
            (Tone::Cursor, true) if light => plain.fg(Color::White).bg(Color::Blue),
            (Tone::Badge, true) if light => plain.fg(Color::White).bg(Color::Blue).add_modifier(Modifier::BOLD),
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

/// Of the variables that say what the terminal can show: NO_COLOR (no-color.org), the locale (POSIX: the first of LC_ALL,
/// LC_CTYPE, LANG that is set), COLORFGBG as terminals with a light background set it.
pub fn of_environment(variable: impl Fn(&str) -> String) -> Theme {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(&variable).into_iter().find(|v| !v.is_empty()).unwrap_or_default();
    let utf8 = locale.to_lowercase().replace('-', "").contains("utf8");
    let light = matches!(variable("COLORFGBG").rsplit(';').next(), Some("7" | "15"));
    let palette = match (variable("NO_COLOR").is_empty(), light) {
        (false, _) => Palette::Mono,
        (true, true) => Palette::Light,
        (true, false) => Palette::Dark,
    };
    Theme { palette, ascii: !utf8 }
}

/// A glyph of ours in ASCII; of other text, what has none is a question mark.
pub fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "─" | "━" | "−" => "-",
        "│" | "┃" => "|",
        "╭" | "╮" | "╰" | "╯" | "├" | "└" => "+",
        "▶" => ">",
        "●" => "*",
        "✓" => "+",
        "✗" => "x",
        "↑" => "^",
        "↓" => "v",
        "←" => "<",
        "→" => ">",
        "…" => "~",
        "█" | "▉" | "▊" | "▋" | "▇" | "▆" => "#",
        "▌" | "▍" | "▎" | "▏" | "▅" | "▄" => "=",
        "▃" | "▂" => "-",
        "▁" => "_",
        "░" => ".",
        "•" => "*",
        "‹" => "<",
        "›" => ">",
        _ => "?",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tui_16_the_environment_says_what_can_be_shown() {
        let of = |pairs: &'static [(&str, &str)]| {
            of_environment(|name| pairs.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v).to_owned())
        };
        assert_eq!(of(&[("LANG", "en_US.UTF-8")]), Theme { palette: Palette::Dark, ascii: false });
        assert_eq!(of(&[("LANG", "C.utf8"), ("NO_COLOR", "1")]).palette, Palette::Mono);
        assert_eq!(of(&[("COLORFGBG", "0;15")]), Theme { palette: Palette::Light, ascii: true });
        assert!(of(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]).ascii && of(&[]).ascii);
    }
}
