//! Drop-ins: which files an import means, and which word wins.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use crate::{
    bail,
    config::{
        finding::{Fault, Finding, Severity},
        reader,
        tree::{Item, Table, Value},
    },
    error::{Context, Result},
};

/// An import as written in `file`, without `.` and `..`.
pub fn absolute(file: &Path, import: &str) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in file.parent().unwrap_or(Path::new("/")).join(import).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = clean.pop(),
            part => clean.push(part),
        }
    }
    clean
}

/// The files of a path that may have `*`, `?` and `[a-z]` in it, below `root`, sorted, with their texts.
///
/// # Errors
/// `NotFound` if a path without `*` is not there; one with it may mean nothing.
pub fn read(root: &Path, wanted: &Path) -> Result<Vec<(PathBuf, String)>> {
    let below = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    if !wanted.to_string_lossy().contains('*') {
        return Ok(vec![(wanted.to_owned(), reader::text(&below(wanted))?)]);
    }
    let mut found = vec![PathBuf::from("/")];
    for part in wanted.components() {
        let Component::Normal(name) = part else { continue };
        let name = name.to_string_lossy();
        if !name.contains(['*', '?', '[']) {
            found.iter_mut().for_each(|path| path.push(&*name));
            continue;
        }
        let pattern = pattern(&name)?;
        let mut next = Vec::new();
        for directory in found {
            next.extend(list(&below(&directory), &pattern)?.into_iter().map(|entry| directory.join(entry)));
        }
        found = next;
    }
    found.retain(|path| below(path).exists());
    found.into_iter().map(|path| reader::text(&below(&path)).map(|text| (path, text))).collect()
}

/// A shell pattern of one name.
fn pattern(name: &str) -> Result<regex::Regex> {
    let mut text = String::from("^");
    let mut class = false;
    for c in name.chars() {
        match c {
            '[' if !class => class = true,
            ']' if class => class = false,
            '*' if !class => {
                text.push_str(".*");
                continue;
            }
            '?' if !class => {
                text.push('.');
                continue;
            }
            _ if !class => {
                text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
                continue;
            }
            _ => {}
        }
        text.push(c);
    }
    text.push('$');
    match regex::Regex::new(&text) {
        Ok(pattern) => Ok(pattern),
        Err(_) => bail!(InvalidArgument, "{name:?} is not a pattern of file names"),
    }
}

fn list(directory: &Path, pattern: &regex::Regex) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).context(|| format!("list {}", directory.display())),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.context(|| format!("list {}", directory.display()))?;
        names.extend(entry.file_name().into_string().ok().filter(|name| pattern.is_match(name)));
    }
    names.sort();
    Ok(names)
}

/// Whether what stands at the top of a file is replaced entry by entry.
const BY_ENTRY: &[&str] = &["proxy_plugins", "timeouts", "stream_processors"];

/// Lays a later file over the earlier ones, as containerd does: at the top an empty word changes nothing and lists are
/// united; below `plugins` the later word wins, whatever it says, and lists are replaced.
pub fn merge(into: &mut Table, from: Table, findings: &mut Vec<Finding>) {
    for (key, item) in from.into_items() {
        match (into.get_mut(&key), item) {
            (None, item) => into.put(&key, item),
            (Some(Item { value: Value::Table(there), .. }), Item { value: Value::Table(new), .. }) => {
                let mut path = vec![key.clone()];
                match &*key {
                    "plugins" => overlay(there, new, &mut path, findings),
                    key if BY_ENTRY.contains(&key) => {
                        for (name, item) in new.into_items() {
                            replace(there, &name, item, &mut path, findings);
                        }
                    }
                    _ => {
                        for (name, item) in new.into_items().filter(|(_, item)| !empty(&item.value)) {
                            replace(there, &name, item, &mut path, findings);
                        }
                    }
                }
            }
            (Some(Item { value: Value::List(there), .. }), Item { value: Value::List(new), .. }) => {
                for item in new {
                    if !there.iter().any(|old| old.value == item.value) {
                        there.push(item);
                    }
                }
            }
            (Some(_), item) if empty(&item.value) => {}
            (Some(_), item) => replace(into, &key, item, &mut Vec::new(), findings),
        }
    }
}

fn overlay(into: &mut Table, from: Table, path: &mut Vec<String>, findings: &mut Vec<Finding>) {
    for (key, item) in from.into_items() {
        match (into.get_mut(&key), item) {
            (Some(Item { value: Value::Table(there), .. }), Item { value: Value::Table(new), .. }) => {
                path.push(key);
                overlay(there, new, path, findings);
                path.pop();
            }
            (_, item) => replace(into, &key, item, path, findings),
        }
    }
}

/// Puts the item; says so where somebody reads the word that lost.
fn replace(into: &mut Table, key: &str, item: Item, path: &mut Vec<String>, findings: &mut Vec<Finding>) {
    if let Some(there) = into.get(key)
        && !same(&there.value, &item.value)
        && there.at.file != item.at.file
    {
        path.push(key.to_owned());
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let text = format!("overridden by {}", item.at);
        findings.push(Finding::new(Severity::Note, Fault::Conflict, &names, Some(&there.at), text));
        path.pop();
    }
    into.put(key, item);
}

/// The same value, wherever it was written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, &b.value))
        }
        (Value::Table(a), Value::Table(b)) => {
            a.iter().count() == b.iter().count()
                && a.iter().all(|(key, item)| b.get(key).is_some_and(|other| same(&item.value, &other.value)))
        }
        (a, b) => a == b,
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::Integer(number) => *number == 0,
        Value::Bool(yes) => !yes,
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}
