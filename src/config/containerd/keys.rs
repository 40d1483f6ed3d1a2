//! Which keys a version knows: a table of tables, and the search for what is in none of them.

use crate::config::tree::{Item, Table, Value};

/// One line a table: its path, with `/` between the keys and `*` for any one; then its keys that are no tables, with `*`
/// for any, and `**` for anything below.
pub type Keys = &'static [Row];
type Row = (&'static str, &'static str);

/// Paths of keys that no line has, outermost only.
pub fn unknown<'a>(keys: &[Keys], tree: &'a Table) -> Vec<(Vec<&'a str>, &'a Item)> {
    let rows: Vec<&Row> = keys.iter().copied().flatten().collect();
    let mut found = Vec::new();
    search(&rows, tree, &mut Vec::new(), &mut found);
    found
}

/// Whether the key at the end of the path, or a table it stands in, is one of `keys`.
pub fn knows(keys: Keys, path: &[&str]) -> bool {
    let Some((last, table)) = path.split_last() else { return false };
    keys.iter().any(|(row, names)| {
        matches(row, path, true) || matches(row, table, false) && names.split(' ').any(|n| n == *last || n == "*")
    })
}

fn search<'a>(keys: &[&Row], table: &'a Table, path: &mut Vec<&'a str>, found: &mut Vec<(Vec<&'a str>, &'a Item)>) {
    let known: Vec<&str> =
        keys.iter().filter(|(row, _)| matches(row, path, false)).flat_map(|(_, k)| k.split(' ')).collect();
    if known.contains(&"**") {
        return;
    }
    for (key, item) in table.iter() {
        path.push(key);
        let is_table = keys.iter().any(|(row, _)| matches(row, path, true));
        match &item.value {
            Value::Table(below) if is_table => search(keys, below, path, found),
            _ if is_table || known.contains(&key) || known.contains(&"*") => {}
            _ => found.push((path.clone(), item)),
        }
        path.pop();
    }
}

/// Whether the row is of this table, or (`below`) of this one or one below it.
fn matches(row: &str, path: &[&str], below: bool) -> bool {
    let mut parts = row.split('/').filter(|p| !p.is_empty());
    let fits = path.iter().all(|key| parts.next().is_some_and(|part| part == "*" || part == *key));
    fits && (below || parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::tree::{dotted, parse};

    #[test]
    fn only_what_no_row_has_is_found() {
        const KEYS: Keys =
            &[("", "version root"), ("plugins/a.b", "x y"), ("plugins/a.b/m/*", "z"), ("free", "*"), ("deep", "**")];
        let text = "version = 1\nroo = 2\n[plugins.'a.b']\nx = 1\nw = 2\n[plugins.'a.b'.m.any]\nz = 1\nq = 1\n\
            [plugins.other]\nx = 1\n[free]\nwhat = 1\n[deep.er]\nwhat = 1\n";
        let tree = parse(Path::new("f"), text).unwrap();
        let found: Vec<_> = unknown(&[KEYS], &tree).iter().map(|(path, item)| (dotted(path), item.at.line)).collect();
        let expected = [("roo", 2), ("plugins.'a.b'.w", 5), ("plugins.'a.b'.m.any.q", 8), ("plugins.other", 9)];
        assert_eq!(found, expected.map(|(k, l)| (k.to_owned(), l)));
    }
}
