//! What a key, a paste and the mouse are to a program in a terminal: the bytes of terminfo's `screen` and xterm's modifiers. Pure.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::emulator::{Modes, Mouse, MouseEncoding};

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

/// A report of the mouse over a cell, as xterm makes it; none of what the program did not ask for.
pub fn mouse(event: MouseEvent, (column, row): (u16, u16), modes: Modes) -> Option<Vec<u8>> {
    let number = |button| match button {
        MouseButton::Left => 0,
        MouseButton::Middle => 1,
        MouseButton::Right => 2,
    };
    let (button, least) = match event.kind {
        MouseEventKind::Down(button) => (number(button), Mouse::Press),
        MouseEventKind::Up(button) => (number(button), Mouse::PressRelease),
        MouseEventKind::Drag(button) => (32 + number(button), Mouse::ButtonMotion),
        MouseEventKind::Moved => (35, Mouse::AnyMotion),
        MouseEventKind::ScrollUp => (64, Mouse::Press),
        MouseEventKind::ScrollDown => (65, Mouse::Press),
        MouseEventKind::ScrollLeft => (66, Mouse::Press),
        MouseEventKind::ScrollRight => (67, Mouse::Press),
    };
    let level = |mode| match mode {
        Mouse::None => 0,
        Mouse::Press => 1,
        Mouse::PressRelease => 2,
        Mouse::ButtonMotion => 3,
        Mouse::AnyMotion => 4,
    };
    if level(modes.mouse) < level(least) {
        return None;
    }
    let has = |m, value| if event.modifiers.contains(m) { value } else { 0 };
    let with = has(KeyModifiers::SHIFT, 4_u32) + has(KeyModifiers::ALT, 8) + has(KeyModifiers::CONTROL, 16);
    let up = matches!(event.kind, MouseEventKind::Up(_));
    let (column, row) = (u32::from(column) + 1, u32::from(row) + 1);
    if modes.mouse_encoding == MouseEncoding::Sgr {
        let last = if up { 'm' } else { 'M' };
        return Some(format!("\x1b[<{};{column};{row}{last}", button + with).into_bytes());
    }
    // The older forms do not tell which button was let go, and end at some column.
    let button = if up { 3 } else { button } + with;
    let mut bytes = b"\x1b[M".to_vec();
    for value in [button, column, row] {
        match (modes.mouse_encoding, value + 32) {
            (MouseEncoding::Utf8, value @ ..0x800) => {
                bytes.extend_from_slice(char::from_u32(value)?.encode_utf8(&mut [0; 4]).as_bytes());
            }
            (_, value) => bytes.push(u8::try_from(value).ok()?),
        }
    }
    Some(bytes)
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
    fn the_mouse_is_told_as_it_was_asked_for() {
        let (left, right) = (MouseButton::Left, MouseButton::Right);
        let (none, ctrl) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
        let told = |kind, modifiers, at, mode, encoding| {
            let modes = Modes { mouse: mode, mouse_encoding: encoding, ..Modes::default() };
            let event = MouseEvent { kind, column: 99, row: 99, modifiers };
            mouse(event, at, modes).map(|b| b.escape_ascii().to_string())
        };
        use MouseEventKind::{Down, Drag, Moved, ScrollUp, Up};
        for (kind, modifiers, at, mode, encoding, bytes) in [
            (Down(left), none, (0, 0), Mouse::Press, MouseEncoding::Default, Some("\\x1b[M !!")),
            (Up(left), none, (0, 0), Mouse::Press, MouseEncoding::Default, None),
            (Up(right), none, (4, 2), Mouse::PressRelease, MouseEncoding::Default, Some("\\x1b[M#%#")),
            (Up(right), none, (4, 2), Mouse::PressRelease, MouseEncoding::Sgr, Some("\\x1b[<2;5;3m")),
            (Down(right), ctrl, (4, 2), Mouse::AnyMotion, MouseEncoding::Sgr, Some("\\x1b[<18;5;3M")),
            (Drag(left), none, (300, 2), Mouse::ButtonMotion, MouseEncoding::Sgr, Some("\\x1b[<32;301;3M")),
            (Drag(left), none, (3, 2), Mouse::PressRelease, MouseEncoding::Sgr, None),
            (Moved, none, (3, 2), Mouse::ButtonMotion, MouseEncoding::Sgr, None),
            (Moved, none, (3, 2), Mouse::AnyMotion, MouseEncoding::Sgr, Some("\\x1b[<35;4;3M")),
            (ScrollUp, none, (3, 2), Mouse::PressRelease, MouseEncoding::Sgr, Some("\\x1b[<64;4;3M")),
            (Down(left), none, (300, 0), Mouse::Press, MouseEncoding::Default, None),
            (Down(left), none, (300, 0), Mouse::Press, MouseEncoding::Utf8, Some("\\x1b[M \\xc5\\x8d!")),
            (Down(left), none, (3, 0), Mouse::None, MouseEncoding::Sgr, None),
        ] {
            assert_eq!(told(kind, modifiers, at, mode, encoding).as_deref(), bytes, "{kind:?} {mode:?} {encoding:?}");
        }
    }

    #[test]
    fn a_paste_stays_in_its_brackets() {
        let bracketed = Modes { bracketed_paste: true, ..Modes::default() };
        assert_eq!(paste("a\r\nb\x1b[201~rm\n", bracketed), b"\x1b[200~a\rb[201~rm\r\x1b[201~");
        assert_eq!(paste("one\ntwo\x03", Modes::default()), b"one\rtwo");
    }
}
