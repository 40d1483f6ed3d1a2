//! Facts of the machine, read from a root path so that a captured node can be read the same way.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// One observation: not asked for, tried and failed, or seen at a time and from a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Seen<T> {
    #[default]
    NotAsked,
    Failed {
        error: String,
        at: SystemTime,
    },
    At {
        value: T,
        at: SystemTime,
        source: String,
    },
}

impl<T> Seen<T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::At { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Failed { error, .. } => Some(error),
            _ => None,
        }
    }
}
