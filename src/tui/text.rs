//! Text from outside made safe to draw, and figures made short. Everything a runtime, a container or a registry said goes
//! through [`SafeText`]; nothing here draws.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Bytes of one text that are kept; the rest is counted, not shown.
const LONGEST: usize = 16 * 1024;
/// Combining marks kept on one base character.
const MARKS: usize = 8;

/// Text with every control byte, bidi override and invisible character turned into something a person can see, so that
/// it can neither talk to the terminal nor look like what it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeText(String);

impl SafeText {
    pub fn new(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// A line of a log: a tab is a gap, not a symbol, and a carriage return at the end is a line end.
    pub fn line(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let mut safe = Self::of_bytes(bytes);
        if safe.0.contains('␉') && bytes.contains(&b'\t') {
            safe.0 = safe.0.replace('␉', "    ");
        }
        safe
    }

    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut end = bytes.len().min(LONGEST);
        // Not in the middle of a character.
        while end > LONGEST - 4 && end < bytes.len() && bytes[end] & 0xC0 == 0x80 {
            end -= 1;
        }
        let (kept, over) = bytes.split_at(end);
        let mut out = String::with_capacity(kept.len());
        let (mut marks, mut base) = (0, false);
        for chunk in kept.utf8_chunks() {
            for c in chunk.valid().chars() {
                if hidden(c) {
                    out.push_str(&shown(c));
                    (marks, base) = (0, true);
                } else if c.width() == Some(0) {
                    marks += 1;
                    if !base {
                        out.push_str(&format!("‹{:04X}›", c as u32));
                        (marks, base) = (0, true);
                    } else if marks <= MARKS {
                        out.push(c);
                    } else if marks == MARKS + 1 {
                        out.push('…');
                    }
                } else {
                    out.push(c);
                    (marks, base) = (0, true);
                }
            }
            for byte in chunk.invalid() {
                out.push_str(&format!("\\x{byte:02X}"));
                (marks, base) = (0, true);
            }
        }
        if !over.is_empty() {
            out.push_str(&format!("… (+{})", bytes_short(over.len() as u64)));
        }
        Self(out)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// At most `width` cells, with an ellipsis where something was cut.
    pub fn cut(&self, width: usize) -> String {
        cut(&self.0, width)
    }
}

impl From<&str> for SafeText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for SafeText {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one cell of a terminal shows, exactly that many columns wide: the character that is there with its marks, or as much of
/// it as a person can see.
pub fn cell(contents: &str, width: usize) -> String {
    let mut visible = contents.chars().filter(|c| !hidden(*c));
    let Some(first) = visible.next() else {
        return if contents.is_empty() { " ".repeat(width) } else { "?".repeat(width) };
    };
    let whole: String = std::iter::once(first).chain(visible.filter(|c| c.width() == Some(0)).take(MARKS)).collect();
    match (whole.width() == width, first.width() == Some(width)) {
        (true, _) => whole,
        (false, true) => first.to_string(),
        (false, false) => "?".repeat(width),
    }
}

/// Control, bidi and invisible characters.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
            | 0xFFF0..=0xFFFB | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
        || (c.is_whitespace() && c != ' ' && !c.is_control())
}

fn shown(c: char) -> String {
    match c as u32 {
        n @ 0..=0x1F => char::from_u32(0x2400 + n).unwrap_or('␀').to_string(),
        0x7F => "␡".to_owned(),
        n => format!("‹{n:04X}›"),
    }
}

pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > width.saturating_sub(1) {
            break;
        }
        used += w;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Pieces of at most `width` cells each, broken after a blank unless that wastes half a line; always at least one piece.
pub fn wrap(text: &str, width: usize) -> Vec<&str> {
    let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
    // Behind the last blank, and the cells from there on.
    let mut word = (0, 0);
    for (at, c) in text.char_indices() {
        let w = c.width().unwrap_or(0);
        if used + w > width.max(1) && at > start {
            let (end, rest) = if word.1 * 2 < width && word.0 > start { word } else { (at, 0) };
            pieces.push(&text[start..end]);
            (start, used) = (end, rest);
            word = (start, used);
        }
        used += w;
        word = if c == ' ' { (at + 1, 0) } else { (word.0, word.1 + w) };
    }
    pieces.push(&text[start..]);
    pieces
}

/// "1.2 GiB".
pub fn bytes(n: u64) -> String {
    humansize::format_size(n, humansize::BINARY.decimal_places(1).decimal_zeroes(0))
}

/// "1.2G", for columns.
pub fn bytes_short(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "K", "M", "G", "T"] {
        if value < 1000.0 {
            return if unit == "B" || value >= 99.5 {
                format!("{value:.0}{unit}")
            } else {
                format!("{value:.1}{unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{value:.0}P")
}

/// Nanocores as millicores ("250m") or cores ("1.5").
pub fn cores(nano: u64) -> String {
    match nano / 1_000_000 {
        0 if nano > 0 => "<1m".to_owned(),
        milli @ 0..=999 => format!("{milli}m"),
        milli => format!("{:.1}", milli as f64 / 1000.0),
    }
}

/// "34s", "12m", "3h5m", "2d4h", "41d"; a time that has not come yet is "0s".
pub fn age(now: SystemTime, then: SystemTime) -> String {
    span(now.duration_since(then).unwrap_or_default())
}

pub fn span(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0..=119 => format!("{s}s"),
        120..=7199 => format!("{}m", s / 60),
        7200..=86_399 => format!("{}h{}m", s / 3600, s / 60 % 60),
        86_400..=864_000 => format!("{}d{}h", s / 86_400, s / 3600 % 24),
        _ => format!("{}d", s / 86_400),
    }
}

/// UTC, to the second.
pub fn stamp(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map(|t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default()
}

/// A short id for people; digests keep their first digits.
pub fn short_id(id: &str) -> &str {
    let id = id.split_once(':').map_or(id, |(_, hex)| hex);
    id.get(..12).unwrap_or(id)
}

/// `█████▌░░░░`: how much of `total` is `part`, in `width` cells.
pub fn bar(part: u64, total: u64, width: usize) -> String {
    let eighths =
        if total == 0 { 0 } else { (u128::from(part.min(total)) * width as u128 * 8 / u128::from(total)) as usize };
    let mut out = "█".repeat(eighths / 8);
    let mut cells = eighths / 8;
    if !eighths.is_multiple_of(8) && cells < width {
        out.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8 - 1]);
        cells += 1;
    }
    out.push_str(&"░".repeat(width - cells));
    out
}

/// The last `width` values as bars of eight heights, newest at the right.
pub fn spark(values: impl DoubleEndedIterator<Item = u64> + ExactSizeIterator, max: u64, width: usize) -> String {
    let skip = values.len().saturating_sub(width);
    let bars: Vec<u64> = values.skip(skip).collect();
    let top = bars.iter().copied().max().unwrap_or(0).max(max).max(1);
    let mut out = " ".repeat(width.saturating_sub(bars.len()));
    out.extend(bars.iter().map(|v| ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(v * 7 / top).min(7) as usize]));
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tui_01_escapes_are_visible() {
        assert_eq!(SafeText::new("a\x1b[31mb\x07\r\x08\0\x7f\u{9b}2J").as_str(), "a␛[31mb␇␍␈␀␡‹009B›2J");
        assert_eq!(SafeText::line(b"a\tb\r\n").as_str(), "a    b");
    }

    #[test]
    fn tui_02_bidi_and_invisible_are_visible() {
        assert_ne!(SafeText::new("ngi\u{200b}nx"), SafeText::new("nginx"));
        assert_eq!(SafeText::new("a\u{202e}b\u{feff}\u{ad}\u{e0041}").as_str(), "a‹202E›b‹FEFF›‹00AD›‹E0041›");
        assert_eq!(SafeText::new("a\u{a0}b\u{2003}").as_str(), "a‹00A0›b‹2003›");
    }

    #[test]
    fn tui_03_mark_bomb_is_cut() {
        let bomb = format!("e{}x", "\u{301}".repeat(10_000));
        assert!(SafeText::new(&bomb).as_str().len() <= 32);
        assert_eq!(SafeText::new("\u{301}x").as_str(), "‹0301›x");
    }

    #[test]
    fn tui_05_one_megabyte_line_is_bounded() {
        assert!(SafeText::of_bytes(&vec![0x1b; 1 << 20]).as_str().len() < 64 * 1024);
        assert_eq!(SafeText::of_bytes(b"a\xff\xc3").as_str(), "a\\xFF\\xC3");
    }

    proptest! {
        #[test]
        fn tui_05_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), width in 0_usize..40) {
            let safe = SafeText::of_bytes(&bytes);
            prop_assert!(!safe.as_str().chars().any(|c| c.is_control() || hidden(c)));
            prop_assert!(safe.cut(width).width() <= width);
            prop_assert_eq!(wrap(safe.as_str(), width).concat(), safe.as_str());
        }
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(
            [bytes_short(0), bytes_short(1536), bytes_short(1 << 30), bytes_short(1020)],
            ["0B", "1.5K", "1.0G", "1.0K"]
        );
        assert_eq!([cores(0), cores(500), cores(250_000_000), cores(1_500_000_000)], ["0m", "<1m", "250m", "1.5"]);
        assert_eq!([span(Duration::from_secs(119)), span(Duration::from_secs(90_000))], ["119s", "1d1h"]);
        assert_eq!([bar(1, 2, 4), bar(9, 2, 2), bar(1, 0, 2), bar(3, 8, 1)], ["██░░", "██", "░░", "▍"]);
        assert_eq!(spark([0, 7, 14].into_iter(), 0, 4), " ▁▄█");
    }
}
