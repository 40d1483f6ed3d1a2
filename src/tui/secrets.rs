//! Which values of an object were taken out of what is shown, and putting one of them back. Pure.

use serde_json::Value;

/// Values that can be shown one by one; a spec has some dozens.
const MOST: usize = 1000;

/// A value that is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Where it stands (RFC 6901).
    pub pointer: String,
    /// What people call it: the variable, the field, or the list it is in.
    pub name: String,
}

/// Those in which what is shown differs from the object.
pub fn hidden(whole: &Value, shown: &Value) -> Vec<Hidden> {
    let mut found = Vec::new();
    walk(whole, shown, &mut String::new(), "", &mut found);
    found
}

fn walk(whole: &Value, shown: &Value, pointer: &mut String, field: &str, found: &mut Vec<Hidden>) {
    if whole == shown || found.len() >= MOST {
        return;
    }
    let length = pointer.len();
    match (whole, shown) {
        (Value::Object(whole), Value::Object(shown)) if whole.len() == shown.len() => {
            for (key, value) in whole {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                walk(value, shown.get(key).unwrap_or(&Value::Null), pointer, key, found);
                pointer.truncate(length);
            }
        }
        (Value::Array(whole), Value::Array(shown)) if whole.len() == shown.len() => {
            for (at, (value, shown)) in whole.iter().zip(shown).enumerate() {
                pointer.push_str(&format!("/{at}"));
                walk(value, shown, pointer, field, found);
                pointer.truncate(length);
            }
        }
        _ => {
            let variable = whole.as_str().and_then(|text| text.split_once('=')).map(|(name, _)| name);
            let name = variable.filter(|n| !n.is_empty() && !n.contains(char::is_whitespace)).unwrap_or(field);
            found.push(Hidden { pointer: pointer.clone(), name: name.to_owned() });
        }
    }
}

/// Puts a value back where it stood; nothing if there is no such place any more.
pub fn put_back(whole: &Value, shown: &mut Value, pointer: &str) {
    if let (Some(value), Some(place)) = (whole.pointer(pointer), shown.pointer_mut(pointer)) {
        *place = value.clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::redact;

    #[test]
    fn each_hidden_value_has_its_place_and_its_name() {
        let whole = json!({
            "env": ["DB_PASSWORD=hunter2", "A=b=c"], "args": ["x", "--token", "hunter2"],
            "headers": {"a/b": ["one", "two"]}, "plain": "seen"
        });
        let mut shown = whole.clone();
        redact::environment(&mut shown);
        redact::value(&mut shown);
        let found = hidden(&whole, &shown);
        let names: Vec<&str> = found.iter().map(|h| h.name.as_str()).collect();
        assert_eq!(names, ["DB_PASSWORD", "A", "args", "a/b"]);
        put_back(&whole, &mut shown, &found[1].pointer);
        assert_eq!(shown["env"], json!(["DB_PASSWORD=***", "A=b=c"]));
        put_back(&whole, &mut shown, &found[3].pointer);
        assert_eq!((&shown["headers"], hidden(&whole, &shown).len()), (&whole["headers"], 2));
        put_back(&whole, &mut shown, "/no/such/place");
    }
}
