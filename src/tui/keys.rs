//! What a key and a paste are to a program in a terminal: the bytes of terminfo's `screen` and xterm's modifiers. Pure.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::emulator::Modes;

/// The bytes of a key; none for one that no terminal sends.
pub fn encode(key: KeyEvent, modes: Modes) -> Option<Vec<u8>> {
    let has = |m| key.modifiers.contains(m);
    let (shift, alt, ctrl) = (has(KeyModifiers::SHIFT), has(KeyModifiers::ALT), has(KeyModifiers::CONTROL));
    // As xterm counts them.
    let modifier = 1 + u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(ctrl);
    let letter = |last: char, application: bool| match (modifier, application) {
        (1, true) => format!("\x1bO{last}"),
        (1, false) => format!("\x1b[{last}"),
        (m, _) => format!("\x1b[1;{m}{last}"),
    };
    let number = |n: u8| if modifier == 1 { format!("\x1b[{n}~") } else { format!("\x1b[{n};{modifier}~") };
    let text = match key.code {
        KeyCode::Up => letter('A', modes.application_cursor),
        KeyCode::Down => letter('B', modes.application_cursor),
        KeyCode::Right => letter('C', modes.application_cursor),
        KeyCode::Left => letter('D', modes.application_cursor),
        KeyCode::Home => number(1),
        KeyCode::Insert => number(2),
        KeyCode::Delete => number(3),
        KeyCode::End => number(4),
        KeyCode::PageUp => number(5),
        KeyCode::PageDown => number(6),
        KeyCode::F(n @ 1..=4) => letter(char::from(b'O' + n), true),
        KeyCode::F(5) => number(15),
        KeyCode::F(n @ 6..=10) => number(n + 11),
        KeyCode::F(n @ 11..=12) => number(n + 12),
        KeyCode::BackTab => "\x1b[Z".to_owned(),
        _ => {
            let mut bytes = if alt { vec![0x1B] } else { Vec::new() };
            match key.code {
                KeyCode::Enter => bytes.push(b'\r'),
                KeyCode::Tab => bytes.push(b'\t'),
                KeyCode::Esc => bytes.push(0x1B),
                KeyCode::Backspace => bytes.push(if ctrl { 0x08 } else { 0x7F }),
                KeyCode::Char(c) if ctrl => bytes.push(control(c)?),
                KeyCode::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                _ => return None,
            }
            return Some(bytes);
        }
    };
    Some(text.into_bytes())
}

/// The control character of a key, digits as a VT220 has them.
fn control(c: char) -> Option<u8> {
    Some(match c {
        'a'..='z' | 'A'..='Z' => c as u8 & 0x1F,
        ' ' | '@' | '2' => 0x00,
        '[' | '3' => 0x1B,
        '\\' | '4' => 0x1C,
        ']' | '5' => 0x1D,
        '^' | '6' | '~' => 0x1E,
        '_' | '7' | '/' => 0x1F,
        '?' | '8' => 0x7F,
        _ => return None,
    })
}

/// Text that was pasted. It cannot end the brackets that it stands in, and its line ends are those of the Enter key.
pub fn paste(text: &str, modes: Modes) -> Vec<u8> {
    let text = text.replace("\r\n", "\r").replace('\n', "\r");
    // Without escapes there is no end of the brackets either.
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\r' | '\t')).collect();
    if modes.bracketed_paste { format!("\x1b[200~{text}\x1b[201~").into_bytes() } else { text.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_bytes_that_programs_know() {
        let plain = Modes::default();
        let application = Modes { application_cursor: true, ..plain };
        let none = KeyModifiers::NONE;
        let (ctrl, alt, shift) = (KeyModifiers::CONTROL, KeyModifiers::ALT, KeyModifiers::SHIFT);
        for (code, modifiers, modes, bytes) in [
            (KeyCode::Char('a'), none, plain, "a"),
            (KeyCode::Char('Ü'), shift, plain, "Ü"),
            (KeyCode::Char('c'), ctrl, plain, "\x03"),
            (KeyCode::Char(' '), ctrl, plain, "\0"),
            (KeyCode::Char('5'), ctrl, plain, "\x1d"),
            (KeyCode::Char('\\'), ctrl, plain, "\x1c"),
            (KeyCode::Char('b'), alt, plain, "\x1bb"),
            (KeyCode::Char('x'), alt | ctrl, plain, "\x1b\x18"),
            (KeyCode::Enter, none, plain, "\r"),
            (KeyCode::Enter, alt, plain, "\x1b\r"),
            (KeyCode::Backspace, none, plain, "\x7f"),
            (KeyCode::Tab, none, plain, "\t"),
            (KeyCode::BackTab, shift, plain, "\x1b[Z"),
            (KeyCode::Esc, none, plain, "\x1b"),
            (KeyCode::Up, none, plain, "\x1b[A"),
            (KeyCode::Up, none, application, "\x1bOA"),
            (KeyCode::Left, ctrl, application, "\x1b[1;5D"),
            (KeyCode::Right, alt | shift, plain, "\x1b[1;4C"),
            (KeyCode::Home, none, plain, "\x1b[1~"),
            (KeyCode::End, none, application, "\x1b[4~"),
            (KeyCode::Delete, none, plain, "\x1b[3~"),
            (KeyCode::PageUp, shift, plain, "\x1b[5;2~"),
            (KeyCode::F(1), none, plain, "\x1bOP"),
            (KeyCode::F(4), ctrl, plain, "\x1b[1;5S"),
            (KeyCode::F(5), none, plain, "\x1b[15~"),
            (KeyCode::F(6), none, plain, "\x1b[17~"),
            (KeyCode::F(10), none, plain, "\x1b[21~"),
            (KeyCode::F(11), none, plain, "\x1b[23~"),
            (KeyCode::F(12), none, plain, "\x1b[24~"),
        ] {
            let found = encode(KeyEvent::new(code, modifiers), modes);
            assert_eq!(found.as_deref(), Some(bytes.as_bytes()), "{modifiers:?} {code:?}");
        }
        assert_eq!(encode(KeyEvent::new(KeyCode::CapsLock, none), plain), None);
    }

    #[test]
    fn a_paste_stays_in_its_brackets() {
        let bracketed = Modes { bracketed_paste: true, ..Modes::default() };
        assert_eq!(paste("a\r\nb\x1b[201~rm\n", bracketed), b"\x1b[200~a\rb[201~rm\r\x1b[201~");
        assert_eq!(paste("one\ntwo\x03", Modes::default()), b"one\rtwo");
    }
}
