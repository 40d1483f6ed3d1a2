//! What `/` understands in tables: words, `!word`, and terms about columns (`size>1G`, `age>7d`, `state=exited`,
//! `name~regex`), all of which must hold; `-f letters` matches loosely. Pure.

use std::time::{SystemTime, UNIX_EPOCH};

use regex::Regex;

use super::table::{Cell, Column, Row};

#[derive(Debug, Clone)]
pub struct Filter(Vec<Term>);

#[derive(Debug, Clone)]
struct Term {
    not: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Word(String),
    Loose(String),
    /// Of the column at the index.
    Has(usize, String),
    Like(usize, Regex),
    /// `true` for more than, and whether the same will do.
    Compare(usize, bool, bool, u64),
    /// Seconds of age, likewise.
    Age(usize, bool, bool, u64),
}

/// Short names of columns, beside the columns' own.
const ALIASES: &[(&str, &str)] = &[
    ("ns", "namespace"),
    ("status", "state"),
    ("state", "status"),
    ("memory", "mem"),
    ("restarts", "rst"),
    ("containers", "ctrs"),
    ("name", "image"),
    ("name", "key"),
    ("name", "object"),
    ("name", "what"),
    ("size", "used"),
    ("size", "mem"),
];

impl Filter {
    /// Never fails: a term that names no column is a word like any other.
    pub fn parse(text: &str, columns: &[Column]) -> Self {
        if let Some(letters) = text.trim_start().strip_prefix("-f ") {
            let test = Test::Loose(letters.trim().to_lowercase());
            return Self(vec![Term { not: false, test }]);
        }
        let term = |word: &str| {
            let (not, word) = word.strip_prefix('!').map_or((false, word), |w| (true, w));
            let (test, turned) = about_column(word, columns).unwrap_or((Test::Word(word.to_lowercase()), false));
            Term { not: not != turned, test }
        };
        Self(text.split_whitespace().filter(|w| *w != "!").map(term).collect())
    }

    pub fn matches(&self, row: &Row, now: SystemTime) -> bool {
        self.0.iter().all(|term| term.test.holds(row, now) != term.not)
    }
}

/// `column OP value`, and whether the operator says no.
fn about_column(word: &str, columns: &[Column]) -> Option<(Test, bool)> {
    let at = word.find(['=', '<', '>', '~'])?;
    let (name, rest) = word.split_at(at);
    let (name, turned) = name.strip_suffix('!').map_or((name, false), |n| (n, true));
    let column = column(name, columns)?;
    let (operator, value) = rest.split_at(1);
    let (same, value) = value.strip_prefix('=').filter(|_| operator != "=").map_or((false, value), |v| (true, v));
    let test = match operator {
        "~" => Test::Like(column, Regex::new(&format!("(?i){value}")).ok()?),
        "=" => Test::Has(column, value.to_lowercase()),
        more if columns[column].name == "AGE" => Test::Age(column, more == ">", same, seconds(value)?),
        more => Test::Compare(column, more == ">", same, figure(value, columns[column].name)?),
    };
    Some((test, turned))
}

fn column(name: &str, columns: &[Column]) -> Option<usize> {
    let named = |wanted: &str| columns.iter().position(|c| c.name.eq_ignore_ascii_case(wanted));
    let name = name.to_lowercase();
    named(&name).or_else(|| ALIASES.iter().filter(|(a, _)| *a == name).find_map(|(_, column)| named(column)))
}

/// "7d", "90m", "2h", "30s" or seconds.
fn seconds(value: &str) -> Option<u64> {
    let (number, unit) = split(value)?;
    let factor = match unit {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    };
    Some((number * factor) as u64)
}

/// Bytes ("1G", "500Mi"), nanocores in a column of CPU ("250m", "1.5"), or a plain number.
fn figure(value: &str, column: &str) -> Option<u64> {
    let (number, unit) = split(value)?;
    let unit = unit.to_lowercase();
    let factor = match (column, unit.trim_end_matches("ib").trim_end_matches(['i', 'b'])) {
        ("CPU", "m") => 1e6,
        ("CPU", "") => 1e9,
        (_, "") => 1.0,
        (_, "k") => 1024.0,
        (_, "m") => 1_048_576.0,
        (_, "g") => 1_073_741_824.0,
        (_, "t") => 1_099_511_627_776.0,
        _ => return None,
    };
    Some((number * factor) as u64)
}

fn split(value: &str) -> Option<(f64, &str)> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    Some((value[..end].parse().ok()?, &value[end..]))
}

impl Test {
    fn holds(&self, row: &Row, now: SystemTime) -> bool {
        let cell = |at: &usize| row.cells.get(*at);
        let compare = |value: u64, more: bool, same: bool, limit: u64| {
            (if more { value > limit } else { value < limit }) || (same && value == limit)
        };
        match self {
            Self::Word(word) => {
                has(&row.id, word) || has(&row.name, word) || row.cells.iter().any(|c| has(c.text.as_str(), word))
            }
            Self::Loose(letters) => score(letters, row.cells.first().map_or("", |c| c.text.as_str())).is_some(),
            Self::Has(at, value) => cell(at).is_some_and(|c| has(c.text.as_str(), value)),
            Self::Like(at, regex) => cell(at).is_some_and(|c| regex.is_match(c.text.as_str())),
            Self::Compare(at, more, same, limit) => {
                cell(at).and_then(number).is_some_and(|n| compare(n, *more, *same, *limit))
            }
            Self::Age(at, more, same, limit) => cell(at).and_then(|c| c.number).is_some_and(|created| {
                let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                compare(now.saturating_sub(created), *more, *same, *limit)
            }),
        }
    }
}

fn number(cell: &Cell) -> Option<u64> {
    cell.number
}

fn has(text: &str, lower: &str) -> bool {
    text.to_lowercase().contains(lower)
}

/// How well the letters, in their order, are found in the text; lower is better, `None` is not at all.
pub fn score(letters: &str, text: &str) -> Option<usize> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut cost) = (0, 0);
    for letter in letters.chars() {
        let found = text[at..].iter().position(|c| *c == letter)?;
        // A gap costs, unless the letter begins a word.
        let begins = at + found == 0 || !text[at + found - 1].is_alphanumeric();
        cost += if begins { found.min(1) } else { found * 2 };
        at += found + 1;
    }
    Some(cost * 64 + text.len())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "IMAGE", width: 4, grow: 1, right: false, from: 0, down: false },
        Column { name: "SIZE", width: 4, grow: 0, right: true, from: 0, down: true },
        Column { name: "STATE", width: 4, grow: 0, right: false, from: 0, down: false },
        Column { name: "AGE", width: 4, grow: 0, right: true, from: 0, down: true },
        Column { name: "CPU", width: 4, grow: 0, right: true, from: 0, down: true },
    ];

    #[test]
    fn terms() {
        let now = UNIX_EPOCH + Duration::from_secs(100 * 86_400);
        let row = Row {
            id: "0123".into(),
            object: None,
            name: "shop/web".into(),
            cells: vec![
                Cell::new("kube-system/Web"),
                Cell::number("2.0G", 2_u64 << 30),
                Cell::new("Exited 3"),
                Cell::number("8d", 92_u64 * 86_400),
                Cell::number("250m", 250_000_000_u64),
            ],
            tie: 0,
        };
        for yes in [
            "",
            "web",
            "WEB exited",
            "!redis",
            "size>1G",
            "size>=2G",
            "size<=2048M",
            "age>7d",
            "age<9d",
            "state=exited",
            "status=exited",
            "state!=running",
            "!state=running",
            "image~^kube.*web$",
            "name~web",
            "cpu>=250m",
            "cpu<1",
            "size>1G age>7d state=exited !monitoring",
            "012",
            "-f ksw",
            "! web",
            "a=b!c!=",
        ] {
            let wanted = yes != "a=b!c!=";
            assert_eq!(Filter::parse(yes, COLUMNS).matches(&row, now), wanted, "{yes}");
        }
        for no in [
            "redis",
            "!web",
            "size>2G",
            "age>9d",
            "state=running",
            "state!=exited",
            "web !kube-system",
            "-f zz",
            "size>x",
        ] {
            assert!(!Filter::parse(no, COLUMNS).matches(&row, now), "{no}");
        }
    }

    #[test]
    fn loose_matches_prefer_beginnings() {
        assert!(score("po", "pods") < score("po", "snapshot"));
        assert!(score("ctr", "containers").is_some() && score("zz", "pods").is_none());
    }
}
