//! A terminal that stands in the model: bytes of a program in, cells out. Pure. What the program says is hostile: only text and
//! the movements and colours of [`TERM`] come through; titles, the clipboard, questions and strings of every other kind end here,
//! and nothing is answered.

use std::{cell::Cell, fmt, panic::AssertUnwindSafe};

/// What the program is told the terminal is: this understands what terminfo's entry of that name sends, and it is on every
/// distribution. xterm's entry has sequences (REP) that this does not know.
pub const TERM: &str = "screen-256color";
/// Lines kept above the screen.
const SCROLLBACK: usize = 1000;
/// Bytes of one control sequence; a longer one is none.
const SEQUENCE: usize = 128;
/// The DEC special graphics from 0x60 on, as ncurses draws lines.
const GRAPHICS: &str = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is where a panic is caught and told: nobody else need hear of it.
pub fn guarded() -> bool {
    GUARDED.get()
}

/// What of a program's keys is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Modes {
    pub application_cursor: bool,
    pub bracketed_paste: bool,
    pub mouse: Mouse,
    pub mouse_encoding: MouseEncoding,
}

pub use vt100::{MouseProtocolEncoding as MouseEncoding, MouseProtocolMode as Mouse};

pub struct Emulator {
    parser: vt100::Parser,
    filter: Filter,
    /// Columns and rows.
    size: (u16, u16),
    /// How often the emulation broke down over what it was sent, and began anew.
    pub broken: u32,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("size", &self.size).field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl Emulator {
    pub fn new(size: (u16, u16)) -> Self {
        let size = (size.0.max(2), size.1.max(1));
        Self { parser: vt100::Parser::new(size.1, size.0, SCROLLBACK), filter: Filter::default(), size, broken: 0 }
    }

    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub fn modes(&self) -> Modes {
        let screen = self.screen();
        Modes {
            application_cursor: screen.application_cursor(),
            bracketed_paste: screen.bracketed_paste(),
            mouse: screen.mouse_protocol_mode(),
            mouse_encoding: screen.mouse_protocol_encoding(),
        }
    }

    pub fn process(&mut self, bytes: &[u8]) {
        let mut plain = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if let Some(tabs) = self.filter.take(*byte, self.size, &mut plain) {
                self.guard(|parser| parser.process(&plain));
                plain.clear();
                // Back to a tab stop, which the emulation does not know.
                let (_, column) = self.screen().cursor_position();
                let stop = column.saturating_sub(1) / 8;
                let to = if column == 0 { 0 } else { stop.saturating_sub(tabs - 1) * 8 };
                plain.extend_from_slice(format!("\x1b[{}G", to + 1).as_bytes());
            }
        }
        self.guard(|parser| parser.process(&plain));
    }

    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = (size.0.max(2), size.1.max(1));
        let (columns, rows) = self.size;
        self.guard(|parser| parser.screen_mut().set_size(rows, columns));
    }

    /// Lines that the view stands above the end; by how many it can is the emulation's.
    pub fn scrolled(&self) -> usize {
        self.screen().scrollback()
    }

    pub fn scroll(&mut self, by: isize) {
        let to = self.scrolled().saturating_add_signed(by);
        self.guard(|parser| parser.screen_mut().set_scrollback(to));
    }

    /// A program that finds a mistake in the emulation loses its screen, and the app goes on.
    fn guard(&mut self, work: impl FnOnce(&mut vt100::Parser)) {
        let parser = &mut self.parser;
        GUARDED.set(true);
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| work(parser)));
        GUARDED.set(false);
        if done.is_err() {
            self.parser = vt100::Parser::new(self.size.1, self.size.0, SCROLLBACK);
            self.filter = Filter::default();
            self.broken += 1;
        }
    }
}

/// Where in a sequence the bytes are (ECMA-48; the states of DEC's parser).
#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    /// After an intermediate byte.
    Intermediate(u8),
    Control,
    /// Too long: dropped up to its end.
    TooLong,
    /// OSC, DCS, APC, PM, SOS, and a title as screen has it: dropped.
    String,
}

/// Lets through what the emulation is to see, in a form that it can take.
#[derive(Debug, Default)]
struct Filter {
    state: State,
    sequence: Vec<u8>,
    /// Whether G0 and G1 are line drawing, and whether G1 is in use.
    drawing: [bool; 2],
    shifted: bool,
}

impl Filter {
    /// One byte in, and what comes of it into `out`. Some is so many tabs back, at that place.
    fn take(&mut self, byte: u8, size: (u16, u16), out: &mut Vec<u8>) -> Option<u16> {
        match (&self.state, byte) {
            // A new sequence, wherever the old one was.
            (_, 0x1B) => self.state = State::Escape,
            (_, 0x18 | 0x1A) => self.state = State::Text,
            (State::String, 0x07) => self.state = State::Text,
            (State::String, _) => {}
            (_, 0x0E) => self.shifted = true,
            (_, 0x0F) => self.shifted = false,
            (_, 0..0x20) => out.push(byte),
            (State::Text, 0x60..=0x7E) if self.drawing[usize::from(self.shifted)] => {
                let drawn = GRAPHICS.chars().nth(usize::from(byte - 0x60)).unwrap_or(' ');
                out.extend_from_slice(drawn.encode_utf8(&mut [0; 4]).as_bytes());
            }
            (State::Text, _) => out.push(byte),
            (State::Escape, b'[') => {
                self.sequence.clear();
                self.state = State::Control;
            }
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_' | b'k') => self.state = State::String,
            (State::Escape, 0x20..=0x2F) => self.state = State::Intermediate(byte),
            (State::Escape, _) => {
                self.state = State::Text;
                self.escape(byte, out);
            }
            (State::Intermediate(_), 0x20..=0x2F) => {}
            (State::Intermediate(set), _) => {
                match set {
                    b'(' => self.drawing[0] = byte == b'0',
                    b')' => self.drawing[1] = byte == b'0',
                    _ => {}
                }
                self.state = State::Text;
            }
            (State::Control, 0x40..=0x7E) => {
                self.state = State::Text;
                return self.control(byte, size, out);
            }
            (State::Control, _) if self.sequence.len() < SEQUENCE => self.sequence.push(byte),
            (State::Control, _) => self.state = State::TooLong,
            (State::TooLong, 0x40..=0x7E) => self.state = State::Text,
            (State::TooLong, _) => {}
        }
        None
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'D' => out.push(b'\n'),
            b'E' => out.extend_from_slice(b"\r\n"),
            b'c' => {
                (self.drawing, self.shifted) = ([false; 2], false);
                out.extend_from_slice(b"\x1bc");
            }
            _ => out.extend_from_slice(&[0x1B, byte]),
        }
    }

    /// The emulation takes counts as they are and works them off one by one: they need not be larger than the screen.
    fn control(&self, last: u8, (columns, rows): (u16, u16), out: &mut Vec<u8>) -> Option<u16> {
        let count = || {
            let digits = self.sequence.split(|b| !b.is_ascii_digit()).next().unwrap_or_default();
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            // Nothing and zero are one; what is no number is very large.
            if digits.is_empty() { 1 } else { digits.parse::<u16>().unwrap_or(u16::MAX).max(1) }
        };
        let plain = self.sequence.iter().all(|b| b.is_ascii_digit() || matches!(b, b';' | b':'));
        let most = match last {
            b'L' | b'M' | b'S' | b'T' => rows,
            b'@' | b'P' | b'X' => columns,
            b'Z' if plain => return Some(count().min(columns)),
            _ => 0,
        };
        out.extend_from_slice(b"\x1b[");
        if most > 0 && plain {
            out.extend_from_slice(count().min(most).to_string().as_bytes());
        } else {
            out.extend_from_slice(&self.sequence);
        }
        out.push(last);
        None
    }
}
