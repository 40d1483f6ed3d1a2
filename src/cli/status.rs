//! The shapes of `inspect`, `inspectp`, `inspecti` and `info`: one status with what the runtime adds to it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    figures::stamp,
    output::{Format, Out, sorted, to_value},
};
use crate::{error::Result, proto::cri};

/// `{"status": …, "info": …}`, as crictl nests it: each entry of `info` beside the status, parsed if it is JSON.
pub fn shape(status: Value, info: &HashMap<String, String>) -> Value {
    let mut whole = Map::new();
    whole.insert("status".to_owned(), status);
    for (name, text) in info {
        let value = match serde_json::from_str(text) {
            Ok(value) if text.starts_with('{') => value,
            _ => Value::String(text.trim_matches('"').to_owned()),
        };
        whole.insert(name.clone(), value);
    }
    sorted(&Value::Object(whole))
}

/// Writes one status as it is and several as a list.
pub fn write(out: &mut Out, mut shapes: Vec<Value>, format: Format) -> Result<()> {
    match shapes.len() {
        0 => Ok(()),
        1 => out.value(&shapes.remove(0), format),
        _ => out.value(&Value::Array(shapes), format),
    }
}

/// A status with its own messages even where they are not set: crictl shows these as null.
fn whole(status: &impl serde::Serialize, messages: &[&str]) -> Result<Value> {
    let mut value = to_value(status)?;
    if let Value::Object(fields) = &mut value {
        for name in messages {
            fields.entry(*name).or_insert(Value::Null);
        }
    }
    Ok(value)
}

/// Times in words; a container that never ran has none.
pub fn container(status: &cri::ContainerStatus) -> Result<Value> {
    use cri::ContainerState as State;
    let mut value = whole(status, &["metadata", "image", "resources", "user"])?;
    let started = status.state() != State::ContainerCreated;
    let finished = status.state() == State::ContainerExited
        || (status.state() == State::ContainerUnknown && status.finished_at > 0);
    value["createdAt"] = stamp(status.created_at).into();
    value["startedAt"] = stamp(if started { status.started_at } else { 0 }).into();
    value["finishedAt"] = stamp(if finished { status.finished_at } else { 0 }).into();
    Ok(value)
}

pub fn pod(status: &cri::PodSandboxStatus) -> Result<Value> {
    let mut value = whole(status, &["metadata", "network", "linux"])?;
    value["createdAt"] = stamp(status.created_at).into();
    Ok(value)
}

/// `KEY -> VALUE` lines under a heading.
pub fn map(out: &mut Out, heading: &str, map: &HashMap<String, String>) -> Result<()> {
    if map.is_empty() {
        return Ok(());
    }
    out.line(&format!("{heading}:"))?;
    let mut pairs: Vec<_> = map.iter().collect();
    pairs.sort();
    pairs.into_iter().try_for_each(|(key, value)| out.line(&format!("\t{key} -> {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_parsed_where_it_is_json() {
        let info = [("info", r#"{"pid":7}"#), ("version", "\"2\""), ("broken", "{")];
        let info = info.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let value = shape(serde_json::json!({"id": "a"}), &info);
        let expected = serde_json::json!({"broken": "{", "info": {"pid": 7}, "status": {"id": "a"}, "version": "2"});
        assert_eq!(value, expected);
    }

    #[test]
    fn a_container_that_never_ran_has_no_times() {
        let mut status = cri::ContainerStatus { created_at: 1_000_000_000, started_at: 5, ..Default::default() };
        let value = container(&status).unwrap();
        assert_eq!(value["createdAt"], "1970-01-01T00:00:01Z");
        assert_eq!((&value["startedAt"], &value["finishedAt"]), (&value["finishedAt"], &value["startedAt"]));
        status.state = cri::ContainerState::ContainerExited.into();
        status.finished_at = 2_000_000_000;
        assert_eq!(container(&status).unwrap()["finishedAt"], "1970-01-01T00:00:02Z");
    }
}
