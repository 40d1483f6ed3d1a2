//! The one door to change: every change of the node is an [`Action`], planned by a pure function, applied step by step.
//!
//! No I/O and no clock here (`tests/tidy.rs` checks).

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::types::{Inventory, ObjectRef};
use crate::error::Result;

/// What a person or a runbook asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    StopPod {
        pod: String,
    },
    /// Stops it first if it runs.
    RemovePod {
        pod: String,
    },
    StopContainer {
        container: String,
        grace: Duration,
    },
    RemoveContainer {
        container: String,
    },
    PullImage {
        reference: String,
    },
    RemoveImage {
        image: String,
    },
    Prune {
        images: bool,
        containers: bool,
        /** Exited containers younger than this stay. */
        older_than: Duration,
    },
}

/// What will be done, in order; what will not, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub action: Action,
    pub steps: Vec<Planned>,
    pub keeps: Vec<Kept>,
}

impl Plan {
    /// Bytes all steps free together, as far as known.
    pub fn frees(&self) -> u64 {
        self.steps.iter().map(|s| s.frees).sum()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    pub step: Step,
    /// For people: the name of the object.
    pub what: String,
    pub reason: String,
    /// Bytes, 0 if unknown.
    pub frees: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub object: ObjectRef,
    pub what: String,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    StopPod(String),
    RemovePod(String),
    StopContainer(String, Duration),
    RemoveContainer(String),
    PullImage(String),
    RemoveImage(String),
}

/// Pure: the same plan for the popup, `--dry-run` and the audit line. Contract of prune: docs/architecture.md, "Prune".
pub fn plan(action: &Action, seen: &Inventory, now: SystemTime) -> Result<Plan> {
    let _ = (action, seen, now);
    unimplemented!()
}
