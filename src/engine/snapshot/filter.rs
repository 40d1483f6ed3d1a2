//! containerd's filters, as far as they can be asked of snapshots: `kind==active,labels."a.b"==c`. Parts separated by a comma
//! must all hold; of several filters one must.

use regex::Regex;

use super::{SnapshotInfo, SnapshotKind};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

const FILTERS: usize = 64;
const LENGTH: usize = 16 << 10;

#[derive(Debug)]
pub struct Filters(Vec<Vec<Part>>);

#[derive(Debug)]
struct Part {
    path: Vec<String>,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Present,
    Is(String),
    IsNot(String),
    Matches(Regex),
}

impl Filters {
    /// # Errors
    /// `InvalidArgument`, with what was not understood.
    pub fn parse(filters: &[String]) -> Result<Self> {
        if filters.len() > FILTERS {
            bail!(InvalidArgument, "{} filters: at most {FILTERS}", filters.len());
        }
        filters.iter().map(|filter| parse(filter)).collect::<Result<_>>().map(Self)
    }

    pub fn fit(&self, info: &SnapshotInfo) -> bool {
        self.0.is_empty() || self.0.iter().any(|parts| parts.iter().all(|part| part.holds(info)))
    }
}

impl Part {
    fn holds(&self, info: &SnapshotInfo) -> bool {
        let (first, rest) = self.path.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        let value = match first {
            "kind" => Some(match info.kind {
                SnapshotKind::Active => "active",
                SnapshotKind::View => "view",
                SnapshotKind::Committed => "committed",
            }),
            "name" => Some(info.key.as_str()),
            "parent" => Some(info.parent.as_deref().unwrap_or_default()),
            "labels" => info.labels.get(&rest.join(".")).map(String::as_str),
            _ => None,
        };
        match &self.test {
            Test::Present => value.is_some(),
            Test::Is(wanted) => value == Some(wanted.as_str()),
            Test::IsNot(other) => value.unwrap_or_default() != other,
            Test::Matches(pattern) => value.is_some_and(|value| pattern.is_match(value)),
        }
    }
}

fn parse(filter: &str) -> Result<Vec<Part>> {
    let wrong = |at: &str| {
        let shown: String = at.chars().take(60).collect();
        Error::new(Kind::InvalidArgument, format!("a filter that is not understood from {shown:?} on"))
    };
    if filter.len() > LENGTH {
        bail!(InvalidArgument, "a filter of {} bytes: at most {LENGTH}", filter.len());
    }
    let (mut parts, mut rest) = (Vec::new(), filter);
    loop {
        let mut path = Vec::new();
        loop {
            let (field, after) = match quoted(rest) {
                Some(found) => found,
                None => {
                    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_-/".contains(c)));
                    let (field, after) = rest.split_at(end.unwrap_or(rest.len()));
                    (field.to_owned(), after)
                }
            };
            if field.is_empty() {
                return Err(wrong(rest));
            }
            path.push(field);
            rest = after;
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        let operator = ["==", "!=", "~="].into_iter().find(|o| rest.starts_with(o));
        let test = match operator {
            None => Test::Present,
            Some(operator) => {
                rest = &rest[operator.len()..];
                let (value, after) = match quoted(rest) {
                    Some(found) => found,
                    None => {
                        let (value, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                        (value.to_owned(), after)
                    }
                };
                rest = after;
                match operator {
                    "==" => Test::Is(value),
                    "!=" => Test::IsNot(value),
                    _ => Test::Matches(Regex::new(&value).map_err(|_| wrong(&value))?),
                }
            }
        };
        parts.push(Part { path, test });
        match (rest.strip_prefix(','), rest.is_empty()) {
            (Some(after), _) => rest = after,
            (None, true) => return Ok(parts),
            (None, false) => return Err(wrong(rest)),
        }
    }
}

/// A string in Go's quotes at the beginning, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in inner.char_indices() {
        match (escaped, c) {
            (false, '"') => return Some((value, &inner[at + 1..])),
            (false, '\\') => escaped = true,
            (_, c) => {
                value.push(c);
                escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn filters_are_read_as_containerd_reads_them() {
        let at = SystemTime::UNIX_EPOCH;
        let labels = [("containerd.io/snapshot.ref".to_owned(), "sha256:ab".to_owned())].into();
        let (kind, key, parent) = (SnapshotKind::Committed, "a/1".to_owned(), Some("p".to_owned()));
        let info = SnapshotInfo { kind, key, parent, labels, created: at, updated: at };
        let fits = |filters: &[&str]| {
            let filters: Vec<String> = filters.iter().map(|f| (*f).to_owned()).collect();
            Filters::parse(&filters).map(|f| f.fit(&info))
        };
        for (filters, expected) in [
            (&[][..], true),
            (&["kind==committed"], true),
            (&["kind==active"], false),
            (&["kind==active", "name==a/1"], true),
            (&[r#"labels."containerd.io/snapshot.ref"==sha256:ab,parent=="p""#], true),
            (&[r#"labels."containerd.io/snapshot.ref"==sha256:ab,parent!="p""#], false),
            (&[r#"labels."containerd.io/snapshot.ref""#], true),
            (&["labels.none"], false),
            (&["name~=^a/[0-9]$"], true),
            (&[r#"name~="^b""#], false),
            (&["surprise==1"], false),
        ] {
            assert_eq!(fits(filters).unwrap(), expected, "{filters:?}");
        }
        for bad in ["", "=", "kind=active", "kind==a,", "name~=(", "\"x", "kind==active extra,,"] {
            assert!(fits(&[bad]).is_err_and(|e| e.is(Kind::InvalidArgument)), "{bad}");
        }
    }
}
