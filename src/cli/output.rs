//! Where verbs write: text made safe, tables in crictl's columns, protobuf's JSON and YAML. What is written is decided by
//! the verbs.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

pub use crate::client::types::short_id;
use crate::error::{Error, Kind, Result};

/// The least width of a column and the gap after it, as crictl writes them.
const COLUMN: usize = 20;
const GAP: usize = 3;
/// A column is not cut below this to fit a terminal.
const NARROWEST: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Json,
    Yaml,
    Table,
}

/// The two streams of a verb. Only `main` makes one from the process's own.
pub struct Out {
    sink: Box<dyn Write + Send>,
    errors: Box<dyn Write + Send>,
    /// Columns of the terminal; `None` if the output is not one.
    pub width: Option<usize>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("width", &self.width).finish_non_exhaustive()
    }
}

impl Out {
    pub fn process() -> Self {
        let width = io::stdout().is_terminal().then(|| {
            rustix::termios::tcgetwinsize(io::stdout()).ok().map_or(80, |s| usize::from(s.ws_col)).clamp(20, 1000)
        });
        Self { sink: Box::new(io::stdout()), errors: Box::new(io::stderr()), width }
    }

    pub fn new(sink: Box<dyn Write + Send>, errors: Box<dyn Write + Send>, width: Option<usize>) -> Self {
        Self { sink, errors, width }
    }

    /// Bytes as they are, flushed.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write_all(bytes).and_then(|()| self.sink.flush()).map_err(failed)
    }

    pub fn error_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.errors.write_all(bytes).and_then(|()| self.errors.flush()).map_err(failed)
    }

    /// One line of text, made safe.
    pub fn line(&mut self, text: &str) -> Result<()> {
        self.bytes(format!("{}\n", clean(text)).as_bytes())
    }

    /// One line beside the output: a failure or a remark.
    pub fn remark(&mut self, text: &str) -> Result<()> {
        self.error_bytes(format!("{}\n", clean(text)).as_bytes())
    }

    pub fn table(&mut self, table: &Table) -> Result<()> {
        let text = table.render(self.width);
        self.bytes(text.as_bytes())
    }

    /// A message in protobuf's JSON, as crictl prints it.
    pub fn message(&mut self, message: &impl Serialize, format: Format) -> Result<()> {
        self.value(&to_value(message)?, format)
    }

    pub fn value(&mut self, value: &Value, format: Format) -> Result<()> {
        let bad = |e: &dyn std::fmt::Display| Error::new(Kind::Internal, format!("write the answer: {e}"));
        let text = if format == Format::Yaml {
            // Sorted as crictl's YAML is.
            let yaml = serde_norway::to_string(&sorted(value)).map_err(|e| bad(&e))?;
            yaml.lines().map(|l| clean(l) + "\n").collect()
        } else {
            escape(&serde_json::to_string_pretty(value).map_err(|e| bad(&e))?) + "\n"
        };
        self.bytes(text.as_bytes())
    }
}

fn failed(error: io::Error) -> Error {
    Error::new(Kind::Unavailable, "write the output").with_source(error)
}

/// Whether nobody reads the output any more (`| head`), which is no failure to talk about.
pub fn reader_left(error: &Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        next = error.source();
    }
    false
}

/// A message's JSON, its maps in order. Messages that are not set are left out, as crictl does.
pub fn to_value(message: &impl Serialize) -> Result<Value> {
    let mut value = serde_json::to_value(message)
        .map_err(|e| Error::new(Kind::Internal, "write a message as JSON").with_source(e))?;
    tidy(&mut value);
    Ok(value)
}

/// Fields of CRI messages that are maps; everything else keeps the order of its declaration.
const MAPS: &[&str] = &["annotations", "info", "labels", "sysctls", "unified"];

fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if MAPS.contains(&name.as_str()) {
                    *field = sorted(field);
                } else {
                    tidy(field);
                }
            }
        }
        _ => {}
    }
}

pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(fields) => {
            let mut names: Vec<_> = fields.iter().collect();
            names.sort_by_key(|(name, _)| name.as_str());
            Value::Object(names.into_iter().map(|(n, v)| (n.clone(), sorted(v))).collect())
        }
        other => other.clone(),
    }
}

/// Characters that talk to a terminal or make text look like what it is not.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Text of somebody else without control bytes and invisible characters; tabs stay, terminal sequences go as a whole.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' => out.push('\t'),
            '\n' | '\r' => out.push(' '),
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
            '\u{1b}' if chars.next_if(|c| matches!(c, ']' | 'P' | '_' | '^' | 'X')).is_some() => {
                // Up to BEL or ST.
                while let Some(c) = chars.next() {
                    if c == '\u{7}' || c == '\u{9c}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            c if hidden(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// JSON whose strings hold nothing that talks to a terminal: the same values, escaped.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&h| h.to_owned()).collect()] }
    }

    /// Adds a row of as many cells as the header has.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<_> = cells.into_iter().map(|c| clean(&c).replace('\t', " ")).collect();
        cells.resize(self.rows[0].len(), String::new());
        self.rows.push(cells);
    }

    /// crictl's layout; on a terminal that is too narrow for it, columns as wide as needed, then the widest cut.
    pub fn render(&self, width: Option<usize>) -> String {
        let natural: Vec<usize> =
            (0..self.rows[0].len()).map(|i| self.rows.iter().map(|r| r[i].width()).max().unwrap_or(0)).collect();
        let roomy: Vec<usize> = natural.iter().map(|w| (w + GAP).max(COLUMN)).collect();
        let last = natural.last().copied().unwrap_or(0);
        let total = |columns: &[usize]| columns.iter().rev().skip(1).sum::<usize>() + last;
        let Some(width) = width.filter(|&w| total(&roomy) > w) else { return self.lay(&roomy, None) };
        let mut cut = natural;
        while cut.iter().sum::<usize>() + 2 * (cut.len() - 1) > width {
            let Some(widest) = cut.iter_mut().filter(|w| **w > NARROWEST).max() else { break };
            *widest -= 1;
        }
        let columns: Vec<usize> = cut.iter().map(|w| w + 2).collect();
        self.lay(&columns, Some(&cut))
    }

    fn lay(&self, columns: &[usize], cut: Option<&[usize]>) -> String {
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (i, cell) in row.iter().enumerate() {
                let cell = cut.map_or_else(|| cell.clone(), |cut| shorten(cell, cut[i]));
                line.push_str(&cell);
                if i + 1 < row.len() {
                    line.extend(std::iter::repeat_n(' ', columns[i].saturating_sub(cell.width())));
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + unicode_width::UnicodeWidthChar::width(c).unwrap_or(0) + 1 > width {
            break;
        }
        out.push(c);
    }
    out + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_talks_to_the_terminal() {
        assert_eq!(clean("a\x1b[31mred\x1b[0m\x1b]0;title\x07b\u{202e}c\u{9b}d\x07\r\n"), "aredbcd  ");
        assert_eq!(clean("\x1b[12"), "");
        assert_eq!(clean("\x1bPq\x1b\\x\x1b]8;;http://x\x1b\\y"), "xy");
        let json = escape(&serde_json::to_string(&serde_json::json!({"a": "\u{9b}\u{e0041}\x1b"})).unwrap());
        assert!(json.is_ascii(), "{json}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), serde_json::json!({"a": "\u{9b}\u{e0041}\x1b"}));
    }

    #[test]
    fn tables_are_crictls_and_fit_a_terminal() {
        let mut table = Table::new(&["IMAGE", "TAG", "SIZE"]);
        table.row(["registry.test/a/very/long/name/of/an/image".to_owned(), "1".into(), "7kB".into()]);
        table.row(["b\x1b[2J".to_owned(), String::new(), "1GB".into()]);
        let text = table.render(None);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], format!("{:45}{:20}SIZE", "IMAGE", "TAG"));
        assert_eq!(lines[2], format!("{:45}{:20}1GB", "b", ""));
        let narrow = table.render(Some(30));
        assert!(narrow.lines().all(|l| l.width() <= 30 && !l.ends_with(' ')), "{narrow}");
        assert!(narrow.contains("registry.test/a/ve…"), "{narrow}");
    }

    #[test]
    fn ids_are_short() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789abc");
        assert_eq!(short_id("äöü"), "äöü");
    }
}
