//! Secrets taken out of what leaves the node: by the names of fields and variables, and by what a value looks like. Meant to
//! take too much rather than too little. Pure.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

/// What stands where a secret was.
pub const MASK: &str = "***";

/// Names of fields, variables and flags whose values are secrets. `auths` and `authentication` hold more than one thing,
/// which are looked at themselves.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(passw(or)?d|passphrase|secret|token|credential|private[_-]?key|api[_-]?key|access[_-]?key|authorization|cookie|signature)|^auth$|_auth$|(^|_)pwd$",
    )
});
/// `name = value`, `"name": "value"`, `name = ["value"]`, `--name value` within a line. A value in quotes goes whole; where they
/// are not closed, to the end of the line.
static PAIR: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"(?i)({NAMED}\\?["']?\s*(?:[:=]|\s)\s*)({VALUE})"#)));
/// As [`PAIR`], but only where a sign stands between the two: in a sentence a word of the same name is none.
static SAID: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r#"(?i)({NAMED}\\?["']?\s*=\s*)({VALUE})"#)));
const NAMED: &str = r"(?:[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization|cookie)[\w-]*|\bauth)";
const VALUE: &str =
    r#"\\"(?:[^"\\]|\\[^"])*(?:\\"|$)|"(?:[^"\\\n]|\\.)*(?:"|\\?$)|'[^'\n]*'?|\[\s*["'][^\]]*\]?|[^\s"'\\,;&}]{3,}"#;
/// `scheme://user:password@host`.
static USER: LazyLock<Regex> = LazyLock::new(|| pattern(r"([a-z][a-z0-9+.-]*://)[^/\s:@]+:[^/\s@]+@"));
/// `Bearer x`, `Basic x`, and three things that are secrets wherever they stand: a JWT, an access key of AWS, a token of GitHub.
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i:\b(bearer|basic)\s+[a-z0-9+/=._~-]{8,})|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|\bA(?:KIA|SIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}",
    )
});
/// A table of HTTP headers in TOML, whose names may be anything, and its values.
static HEADERS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)(^[ \t]*\[[^\n]*\bheaders?\][ \t]*\n)((?:[ \t]*[^\s\[][^\n]*(?:\n|\z))+)"));
static VALUES: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^([^=\n]+=[ \t]*)\S[^\n]*$"));
static KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(-----END [A-Z ]*PRIVATE KEY-----|\z)"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file, which a test compiles")
}

/// Whether a value of this name is a secret.
pub fn is_secret(name: &str) -> bool {
    NAME.is_match(name)
}

/// A line, or several, without the secrets in it.
pub fn text(text: &str) -> String {
    let keyless = KEY.replace_all(text, MASK);
    let headless = HEADERS.replace_all(&keyless, |found: &Captures<'_>| {
        format!("{}{}", &found[1], VALUES.replace_all(&found[2], |f: &Captures<'_>| format!("{}[\"{MASK}\"]", &f[1])))
    });
    let userless = USER.replace_all(&headless, |found: &Captures<'_>| format!("{}{MASK}@", &found[1]));
    let plain = LOOKS.replace_all(&userless, MASK);
    PAIR.replace_all(&plain, masked).into_owned()
}

/// A sentence that quotes what others wrote: what is a secret by its looks, or is set to a name of one.
pub fn sentence(text: &str) -> String {
    let keyless = KEY.replace_all(text, MASK);
    let userless = USER.replace_all(&keyless, |found: &Captures<'_>| format!("{}{MASK}@", &found[1]));
    let plain = LOOKS.replace_all(&userless, MASK);
    SAID.replace_all(&plain, masked).into_owned()
}

/// In the quotes it had, so that what is TOML or JSON stays that.
fn masked(found: &Captures<'_>) -> String {
    let (before, value) = (&found[1], &found[2]);
    let quote = ["\\\"", "\"", "'"].into_iter().find(|q| value.starts_with(q)).unwrap_or_default();
    match value.starts_with('[') {
        true => format!("{before}[\"{MASK}\"]"),
        false => format!("{before}{quote}{MASK}{quote}"),
    }
}

/// Lines of one text that come one by one: a key goes over several.
#[derive(Debug, Default)]
pub struct Lines {
    inside: bool,
}

impl Lines {
    pub fn line(&mut self, line: &str) -> String {
        let begins = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
        let ends = line.contains("-----END ") && line.contains("PRIVATE KEY-----");
        let was = self.inside;
        self.inside = (was || begins) && !ends;
        if was { MASK.to_owned() } else { text(line) }
    }
}

/// Values of environments, whatever their names are: what is in one is what its program was configured with, secrets too.
pub fn environment(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(environment),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("env" | "envs" | "Env", Value::Array(variables)) => variables.iter_mut().for_each(variable),
                    (_, field) => environment(field),
                }
            }
        }
        _ => {}
    }
}

/// `NAME=VALUE`, or an object that has both.
fn variable(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((name, _)) = text.split_once('=') {
                *text = format!("{name}={MASK}");
            }
        }
        Value::Object(fields) => {
            for name in ["value", "Value"] {
                if let Some(field) = fields.get_mut(name) {
                    *field = MASK.into();
                }
            }
        }
        _ => {}
    }
}

/// Everything in a value, whatever its shape: fields by their names, `{name: N, value: V}` pairs and `N=V` strings as
/// environments are written, words of a command line by the flag before them, and every string by its looks.
pub fn value(value: &mut Value) {
    match value {
        Value::String(string) => {
            if let Some((name, _)) = string.split_once('=')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
                && is_secret(name)
            {
                *string = format!("{name}={MASK}");
            } else if string.len() > 2 {
                // A document in a string: containerd's info, an annotation with the object as applied.
                match serde_json::from_str::<Value>(string) {
                    Ok(whole @ (Value::Object(_) | Value::Array(_))) => {
                        let mut inside = whole.clone();
                        self::value(&mut inside);
                        // Where there is no secret it stays as it was written.
                        if inside != whole {
                            *string = inside.to_string();
                        }
                    }
                    _ => *string = text(string),
                }
            }
        }
        Value::Array(items) => {
            // `--token`, and then its value as the next word.
            let mut follows = false;
            for item in items {
                match item {
                    Value::String(word) if follows && !word.starts_with('-') => (*word, follows) = (MASK.into(), false),
                    item => {
                        let flag = item.as_str().filter(|w| w.starts_with('-') && !w.contains(['=', ' ']));
                        follows = flag.is_some_and(is_secret);
                        self::value(item);
                    }
                }
            }
        }
        Value::Object(fields) => {
            let named = ["key", "name", "Name"].iter().find_map(|n| fields.get(*n)?.as_str()).is_some_and(is_secret);
            for (name, field) in fields {
                if let (true, Value::Array(items)) = (is_secret(name), &mut *field) {
                    for item in items {
                        match item {
                            Value::String(text) => *text = MASK.into(),
                            item => self::value(item),
                        }
                    }
                } else if let (true, Value::Object(values)) =
                    (matches!(name.as_str(), "headers" | "header"), &mut *field)
                {
                    // Of requests they are lists, whatever their names are.
                    for value in values.values_mut() {
                        match value {
                            Value::Array(_) => *value = Value::Array(vec![MASK.into()]),
                            value => self::value(value),
                        }
                    }
                } else if (is_secret(name) || named && matches!(name.as_str(), "value" | "Value"))
                    && !matches!(field, Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_))
                {
                    *field = MASK.into();
                } else {
                    self::value(field);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CANARY: &str = "c4n4ryc4n4ry";

    #[test]
    fn no_shape_of_a_secret_is_left() {
        for line in [
            "password = \"c4n4ryc4n4ry\"",
            "  auth: c4n4ryc4n4ry",
            "kubelet --bootstrap-token c4n4ryc4n4ry --v=2",
            "GET https://me:c4n4ryc4n4ry@registry.test/v2/",
            "Authorization: Bearer c4n4ryc4n4ry",
            "msg=\"token=c4n4ryc4n4ry refused\"",
            "{\\\"password\\\":\\\"c4n4ryc4n4ry\\\"}",
            "-----BEGIN RSA PRIVATE KEY-----\nc4n4ryc4n4ry\n-----END RSA PRIVATE KEY-----",
            "GET /v2/x?access_token=c4n4ryc4n4ry&b=1",
            "password = \"of words, c4n4ryc4n4ry\" # ours",
            "password = 'it is; c4n4ryc4n4ry'",
            "password = \"with \\\" in it c4n4ryc4n4ry\"",
            "23 | password = \"not closed c4n4ryc4n4ry",
            "X-Api-Token = [\"c4n4ryc4n4ry\"]",
            "Authorization = [ 'Digest c4n4ryc4n4ry' ]",
            "{\\\"password\\\":\\\"a b c4n4ryc4n4ry\\\"}",
        ] {
            let clean = text(line);
            assert!(!clean.contains(CANARY) && clean.contains(MASK), "{line} -> {clean}");
        }
        let mut all = json!({
            "envs": [{ "key": "DB_PASSWORD", "value": CANARY }, { "key": "PATH", "value": "/bin" }],
            "process": { "env": ["API_TOKEN=c4n4ryc4n4ry", "HOME=/root"] },
            "auths": { "registry.test": { "auth": CANARY, "identitytoken": CANARY } },
            "annotation": json!({ "env": [{ "name": "SECRET_KEY", "value": CANARY }] }).to_string(),
            "headers": { "X-Whatever": [CANARY] }, "apiKeys": [CANARY],
            "registry": { "configs": { "r.test": { "auth": { "username": "me", "password": CANARY } } } },
            "command": ["sh", "-c", "curl -u x https://u:c4n4ryc4n4ry@h/"],
            "args": ["/app", "--api-token", CANARY, "--password=c4n4ryc4n4ry", "--token", "--verbose", "shown"],
        });
        value(&mut all);
        let shown = all.to_string();
        assert!(!shown.contains(CANARY), "{shown}");
        assert!(shown.contains("/bin") && shown.contains("HOME=/root") && shown.contains("registry.test"), "{shown}");
        assert!(shown.contains("--verbose\",\"shown"), "{shown}");
    }

    #[test]
    fn what_is_masked_is_still_a_document() {
        let config = "[x.auth]\npassword = \"a, b\"\nauth = 'c d'\nheaders = { X-Token = [\"e\", \"f\"] }\n";
        let clean: toml_edit::DocumentMut = text(config).parse().unwrap();
        assert_eq!(clean["x"]["auth"]["password"].as_str(), Some(MASK));
        assert_eq!(clean["x"]["auth"]["headers"]["X-Token"].as_array().map(toml_edit::Array::len), Some(1));
        let headers =
            text("[registry.headers]\n  X-Whatever = [\"c4n4ryc4n4ry\"]\n  Y = 'c4n4ryc4n4ry'\n[other]\nkept = 1\n");
        assert!(
            !headers.contains(CANARY) && headers.contains("X-Whatever") && headers.contains("kept = 1"),
            "{headers}"
        );
        assert!(headers.parse::<toml_edit::DocumentMut>().is_ok(), "{headers}");
        let said = "the token server of r.test refuses the credentials (401): get https://u:c4n4ryc4n4ry@r.test, token=c4n4ryc4n4ry";
        let clean = sentence(said);
        assert!(
            clean.starts_with("the token server of r.test refuses the credentials (401): get")
                && !clean.contains(CANARY),
            "{clean}"
        );
    }

    #[test]
    fn a_key_over_several_lines_goes_whole_and_what_follows_stays() {
        let mut lines = Lines::default();
        let log =
            ["reading", "-----BEGIN EC PRIVATE KEY-----", CANARY, "c2hvcnQ=", "-----END EC PRIVATE KEY-----", "done"];
        let shown: Vec<String> = log.iter().map(|l| lines.line(l)).collect();
        assert_eq!(shown, ["reading", MASK, MASK, MASK, MASK, "done"]);
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "level=info msg=\"StartContainer for \\\"abc\\\" returns successfully\"",
            "registry.k8s.io/pause:3.9@sha256:7031c1b283388d2c2e09b57badb803c05ebed362dc88d84b480cc47f72a21097",
            "PLEG is not healthy: pleg was last seen active 3m1s ago",
            "https://registry.test:5000/v2/shop/web/manifests/1.2",
        ] {
            assert_eq!(text(line), line);
        }
        let mut kept = json!({ "automountServiceAccountToken": false, "labels": { "app": "token-review" }, "pid": 7,
            "annotation": "{ \"spaced\":  [1, 2] }", "args": ["--tail", "-v"] });
        let before = kept.clone();
        value(&mut kept);
        assert_eq!(kept, before);
    }
}
