//! What is wrong with a configuration, with the line that says so.

use std::fmt;

use super::tree::At;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing has to be done.
    Note,
    /// It works, but not as the file says, or not for long.
    Warning,
    /// The program that owns the file would not start, or would not do its work.
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// Nobody reads this key.
    Unknown,
    /// The key is known, but has no effect where it stands.
    Ignored,
    /// It still works and will go.
    Deprecated,
    /// It worked in an older version.
    Removed,
    /// Two keys exclude each other, or one file overrides another.
    Conflict,
    /// The value is not one of those the key takes.
    Invalid,
    /// Right for its owner, but wharf does it in another way.
    Unsupported,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub fault: Fault,
    /// The path of keys, as TOML writes it.
    pub key: String,
    pub at: Option<At>,
    /// What it means and what to do.
    pub text: String,
}

impl Finding {
    pub fn new(severity: Severity, fault: Fault, path: &[&str], at: Option<&At>, text: impl Into<String>) -> Self {
        Self { severity, fault, key: super::tree::dotted(path), at: at.cloned(), text: text.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Ignored => "ignored",
            Self::Deprecated => "deprecated",
            Self::Removed => "removed",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        write!(f, "{}: {} {}: {}", self.severity, self.fault, self.key, self.text)
    }
}
