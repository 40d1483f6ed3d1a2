//! TOML with the line of every key: what a finding about a configuration has to point at.
//!
//! Text in, value out; no file is read here. Tables keep the order of the file. `Debug` masks what is secret by its name
//! (threats CFG-13): a password must not reach a log because somebody printed a configuration.

use std::{fmt, path::Path, sync::Arc};

use toml::de::{DeTable, DeValue};

use crate::error::{Error, Kind, Result};

/// Names whose text is a secret, wherever they stand.
const SECRET: &[&str] = &["password", "auth", "identitytoken", "registrytoken", "token"];
/// Tables whose every text may be one.
const SECRET_TABLES: &[&str] = &["header", "headers"];
pub const MASK: &str = "***";

/// Where something was written. `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub file: Arc<Path>,
    pub line: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

#[derive(Clone, PartialEq)]
pub struct Item {
    pub value: Value,
    pub at: At,
}

#[derive(Clone, PartialEq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// A date or time, as it was written.
    Date(String),
    List(Vec<Item>),
    Table(Table),
}

/// In the order of the file. A key occurs once.
#[derive(Clone, Default, PartialEq)]
pub struct Table(Vec<(String, Item)>);

impl Table {
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, item)| item)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Item> {
        self.0.iter_mut().find(|(k, _)| k == key).map(|(_, item)| item)
    }

    /// The item at the end of a path of keys.
    pub fn find(&self, path: &[&str]) -> Option<&Item> {
        let (last, tables) = path.split_last()?;
        tables.iter().try_fold(self, |table, key| table.table(key))?.get(last)
    }

    pub fn table(&self, key: &str) -> Option<&Self> {
        self.get(key)?.value.as_table()
    }

    pub fn table_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.get_mut(key)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Replaces what `key` had; a new key goes to the end.
    pub fn put(&mut self, key: &str, item: Item) {
        match self.get_mut(key) {
            Some(there) => *there = item,
            None => self.0.push((key.to_owned(), item)),
        }
    }

    pub fn take(&mut self, key: &str) -> Option<Item> {
        let place = self.0.iter().position(|(k, _)| k == key)?;
        Some(self.0.remove(place).1)
    }

    /// The table under `key`, made if there is none; `at` is where a new one is said to stand. `None` if the key holds
    /// something else.
    pub fn open(&mut self, key: &str, at: &At) -> Option<&mut Self> {
        if self.get(key).is_none() {
            self.put(key, Item { value: Value::Table(Self::default()), at: at.clone() });
        }
        self.table_mut(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.0.iter().map(|(key, item)| (key.as_str(), item))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Item)> {
        self.0.iter_mut().map(|(key, item)| (key.as_str(), item))
    }

    pub fn into_items(self) -> impl Iterator<Item = (String, Item)> {
        self.0.into_iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with [`MASK`] for every secret.
    #[must_use]
    pub fn masked(&self) -> Self {
        let items = self.0.iter().map(|(key, item)| (key.clone(), item.masked(key, false)));
        Self(items.collect())
    }

    /// As a TOML document.
    pub fn to_toml(&self) -> String {
        self.plain().to_string()
    }

    fn plain(&self) -> toml::Table {
        self.0.iter().map(|(key, item)| (key.clone(), item.value.plain())).collect()
    }
}

impl Item {
    fn masked(&self, key: &str, below: bool) -> Self {
        let secret = below || SECRET.iter().any(|s| key.eq_ignore_ascii_case(s));
        let value = match &self.value {
            Value::Text(text) if secret && !text.is_empty() => Value::Text(MASK.to_owned()),
            Value::List(items) => Value::List(items.iter().map(|i| i.masked(key, secret)).collect()),
            Value::Table(table) => {
                let below = below || SECRET_TABLES.iter().any(|s| key.eq_ignore_ascii_case(s));
                Value::Table(Table(table.0.iter().map(|(k, i)| (k.clone(), i.masked(k, below))).collect()))
            }
            other => other.clone(),
        };
        Self { value, at: self.at.clone() }
    }
}

impl Value {
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What it is, in TOML's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Bool(_) => "boolean",
            Self::Date(_) => "date",
            Self::List(_) => "array",
            Self::Table(_) => "table",
        }
    }

    fn plain(&self) -> toml::Value {
        match self {
            Self::Text(text) => toml::Value::String(text.clone()),
            Self::Integer(number) => toml::Value::Integer(*number),
            Self::Float(number) => toml::Value::Float(*number),
            Self::Bool(yes) => toml::Value::Boolean(*yes),
            Self::Date(text) => match text.parse() {
                Ok(date) => toml::Value::Datetime(date),
                Err(_) => toml::Value::String(text.clone()),
            },
            Self::List(items) => toml::Value::Array(items.iter().map(|i| i.value.plain()).collect()),
            Self::Table(table) => toml::Value::Table(table.plain()),
        }
    }
}

/// Parses a document. `file` is only what the lines are said to be of.
///
/// # Errors
/// `InvalidArgument` with file and line if it is not TOML.
pub fn parse(file: &Path, text: &str) -> Result<Table> {
    let source = Source { file: Arc::from(file), text };
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| source.line(span.start));
        let text = format!("{}:{line}: not TOML: {}", file.display(), cut(error.message()));
        Error::new(Kind::InvalidArgument, text)
    })?;
    source.table(document.get_ref())
}

/// Of a file's own text, what an error quotes at most.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

struct Source<'a> {
    file: Arc<Path>,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + before.iter().filter(|b| **b == b'\n').count()
    }

    fn at(&self, offset: usize) -> At {
        At { file: Arc::clone(&self.file), line: self.line(offset) }
    }

    fn table(&self, table: &DeTable<'_>) -> Result<Table> {
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        let mut items = Vec::with_capacity(keys.len());
        for (key, value) in keys {
            let item = Item { value: self.value(value.get_ref(), value.span().start)?, at: self.at(key.span().start) };
            items.push((key.get_ref().clone().into_owned(), item));
        }
        Ok(Table(items))
    }

    fn value(&self, value: &DeValue<'_>, offset: usize) -> Result<Value> {
        let wrong = |what: &str| {
            let text = format!("{}: the number {} is out of range", self.at(offset), cut(what));
            Error::new(Kind::InvalidArgument, text)
        };
        Ok(match value {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                Value::Integer(parsed.map_err(|_| wrong(number.as_str()))?)
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().map_err(|_| wrong(number.as_str()))?),
            DeValue::Boolean(yes) => Value::Bool(*yes),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(values) => {
                let items = values.iter().map(|v| {
                    let start = v.span().start;
                    Ok(Item { value: self.value(v.get_ref(), start)?, at: self.at(start) })
                });
                Value::List(items.collect::<Result<_>>()?)
            }
            DeValue::Table(table) => Value::Table(self.table(table)?),
        })
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::Value::Table(self.masked().plain()).to_string())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => table.fmt(f),
            other => f.write_str(other.kind()),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({})", self.value, self.at)
    }
}

/// A path of keys as TOML writes it: bare where it can, quoted where it must.
pub fn dotted(path: &[&str]) -> String {
    let bare = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let parts: Vec<String> = path
        .iter()
        .map(|key| if bare(key) { (*key).to_owned() } else { format!("'{}'", key.escape_default()) })
        .collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_line() {
        let text = "# first\nversion = 2\n[a.'b.c']\nx = [\n  1,\n  0x10,\n]\n[a.d]\ny.z = true\n";
        let table = parse(Path::new("/etc/c.toml"), text).unwrap();
        let line = |path: &[&str]| table.find(path).unwrap().at.line;
        assert_eq!((line(&["version"]), line(&["a", "b.c"]), line(&["a", "b.c", "x"])), (2, 3, 4));
        assert_eq!(line(&["a", "d", "y", "z"]), 9);
        let Value::List(list) = &table.find(&["a", "b.c", "x"]).unwrap().value else { panic!() };
        assert_eq!((list[1].at.line, list[1].value == Value::Integer(16)), (6, true));
        assert_eq!(table.find(&["version"]).unwrap().at.to_string(), "/etc/c.toml:2");
        assert_eq!(dotted(&["plugins", "io.containerd.x", "a_b"]), "plugins.'io.containerd.x'.a_b");
        let again = parse(Path::new("/etc/c.toml"), &table.to_toml()).unwrap();
        assert_eq!(again.to_toml(), table.to_toml());
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_line() {
        let error = parse(Path::new("/c"), "a = 1\nb = = 2\n").unwrap_err();
        assert!(error.is(Kind::InvalidArgument) && error.to_string().starts_with("/c:2: not TOML"), "{error}");
        assert!(parse(Path::new("/c"), "a = 99999999999999999999").unwrap_err().to_string().contains("/c:1"));
        assert!(parse(Path::new("/c"), &format!("a = {}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn cfg_13_secrets_are_masked() {
        let text =
            "[x.auth]\nusername = 'me'\npassword = 'CANARY'\nauth = 'CANARY'\n[h.header]\nx-token = ['CANARY']\n";
        let table = parse(Path::new("/c"), text).unwrap();
        assert!(!format!("{table:?}").contains("CANARY") && format!("{table:?}").contains("me"));
        assert!(!table.masked().to_toml().contains("CANARY"));
        assert!(table.to_toml().contains("CANARY"));
    }
}
