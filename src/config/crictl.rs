//! crictl's settings, `/etc/crictl.yaml`: read, and changed one key at a time.

use std::{path::Path, time::Duration};

use serde_norway::Value;

use super::reader;
use crate::{
    bail,
    error::{Error, Kind, Result},
};

pub const PLACE: &str = "/etc/crictl.yaml";

/// The keys there are, and what each has to be.
const KEYS: &[(&str, Shape)] = &[
    ("runtime-endpoint", Shape::Text),
    ("image-endpoint", Shape::Text),
    ("timeout", Shape::Number),
    ("debug", Shape::Bool),
    ("pull-image-on-create", Shape::Bool),
    ("disable-pull-on-run", Shape::Bool),
];

#[derive(Clone, Copy)]
enum Shape {
    Text,
    Number,
    Bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crictl {
    /// `None` where the file says nothing or an empty word.
    pub runtime_endpoint: Option<String>,
    pub image_endpoint: Option<String>,
    pub timeout: Option<Duration>,
    pub debug: bool,
    pub pull_image_on_create: bool,
    pub disable_pull_on_run: bool,
}

/// # Errors
/// `InvalidArgument` if it is not YAML, or a key has the wrong type. Unknown keys are crictl's to complain of.
pub fn parse(path: &Path, text: &str) -> Result<Crictl> {
    let place = path.display();
    let settings: Value = serde_norway::from_str(text)
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("{place} is not YAML")).with_source(e))?;
    if !matches!(settings, Value::Mapping(_) | Value::Null) {
        bail!(InvalidArgument, "{place} is YAML, but no table of settings");
    }
    let wrong = |key: &str, wanted: &str| Error::new(Kind::InvalidArgument, format!("{place}: {key} is not {wanted}"));
    let text = |key: &str| match settings.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|t| !t.is_empty())),
        Some(_) => Err(wrong(key, "a string")),
    };
    let flag = |key: &str| match settings.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(yes)) => Ok(*yes),
        Some(_) => Err(wrong(key, "true or false")),
    };
    let timeout = match settings.get("timeout") {
        None | Some(Value::Null) => None,
        Some(number) => Some(number.as_i64().ok_or_else(|| wrong("timeout", "a number of seconds"))?),
    };
    Ok(Crictl {
        runtime_endpoint: text("runtime-endpoint")?,
        image_endpoint: text("image-endpoint")?,
        timeout: timeout.and_then(|t| u64::try_from(t).ok()).map(Duration::from_secs),
        debug: flag("debug")?,
        pull_image_on_create: flag("pull-image-on-create")?,
        disable_pull_on_run: flag("disable-pull-on-run")?,
    })
}

/// `None` where there is no such file.
pub fn load(path: &Path) -> Result<Option<Crictl>> {
    match reader::text_if_there(path)? {
        Some(text) => parse(path, &text).map(Some),
        None => Ok(None),
    }
}

impl Crictl {
    /// Every key with its value, in crictl's order.
    pub fn list(&self) -> Vec<(&'static str, String)> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let values = [
            text(&self.runtime_endpoint),
            text(&self.image_endpoint),
            self.timeout.map_or(0, |t| t.as_secs()).to_string(),
            self.debug.to_string(),
            self.pull_image_on_create.to_string(),
            self.disable_pull_on_run.to_string(),
        ];
        KEYS.iter().map(|(key, _)| *key).zip(values).collect()
    }
}

/// The text with one key changed or added; everything else stays as it is, comments too.
///
/// # Errors
/// `InvalidArgument` for a key crictl has not, or a value the key does not take.
pub fn set(text: &str, key: &str, value: &str) -> Result<String> {
    let Some((key, shape)) = KEYS.iter().find(|(known, _)| *known == key) else {
        let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        bail!(
            InvalidArgument,
            "crictl has no setting {:?}: it has {}",
            key.escape_debug().to_string(),
            known.join(", ")
        );
    };
    let written = match shape {
        Shape::Text if value.contains(|c: char| c.is_control()) => {
            bail!(InvalidArgument, "{key}: a control character cannot be part of it")
        }
        Shape::Text => format!("{value:?}"),
        Shape::Number if value.parse::<i64>().is_ok() => value.to_owned(),
        Shape::Number => bail!(InvalidArgument, "{key}: {value:?} is not a number of seconds"),
        Shape::Bool if matches!(value, "true" | "false") => value.to_owned(),
        Shape::Bool => bail!(InvalidArgument, "{key}: {value:?} is neither true nor false"),
    };
    let (mut changed, mut done) = (String::new(), false);
    for line in text.lines() {
        let own = line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'));
        match own {
            true if !done => {
                changed.push_str(&format!("{key}: {written}\n"));
                done = true;
            }
            true => {}
            false => changed.push_str(&format!("{line}\n")),
        }
    }
    if !done {
        changed.push_str(&format!("{key}: {written}\n"));
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_changed() {
        let text = "# mine\nruntime-endpoint: \"unix:///a.sock\"\ntimeout: 7\ndebug: true\n";
        let read = |text: &str| parse(Path::new("/c.yaml"), text);
        let settings = read(text).unwrap();
        assert_eq!(settings.runtime_endpoint.as_deref(), Some("unix:///a.sock"));
        assert_eq!((settings.timeout, settings.debug), (Some(Duration::from_secs(7)), true));
        let changed = set(text, "timeout", "9").unwrap();
        assert_eq!(changed, "# mine\nruntime-endpoint: \"unix:///a.sock\"\ntimeout: 9\ndebug: true\n");
        let changed = set(&changed, "image-endpoint", "unix:///b \"c\".sock").unwrap();
        assert_eq!(read(&changed).unwrap().image_endpoint.as_deref(), Some("unix:///b \"c\".sock"));
        assert_eq!(settings.list()[2], ("timeout", "7".to_owned()));
        assert_eq!(read("").unwrap(), Crictl::default());
        for bad in ["a: [", "timeout: x", "debug: 1", "[1]"] {
            assert!(read(bad).unwrap_err().is(Kind::InvalidArgument), "{bad}");
        }
        for (key, value) in [("endpoint", "x"), ("timeout", "x"), ("debug", "yes"), ("image-endpoint", "a\nb: c")] {
            assert!(set("", key, value).is_err(), "{key}");
        }
    }
}
