//! What happens to the app, and what it asks to be done. Plain values; `effect` does, `update` decides.

use std::{sync::Arc, time::SystemTime};

use crossterm::event::KeyEvent;

use crate::{
    client::{
        action::{Action, Plan, Step},
        types::{Inventory, LogLine, ObjectRef, PullProgress, Scope},
    },
    runbook::{Params, RunEvent, Runbook},
};

/// Ties an answer to the request it belongs to; an answer nobody waits for any more is dropped.
pub type Token = u64;

#[derive(Debug, Clone)]
pub enum Event {
    /// With the time it was read, so that keys older than a dialog cannot press its buttons.
    Key(KeyEvent, SystemTime),
    Paste(String),
    Resize(u16, u16),
    Tick(SystemTime),
    /// A frame is on the screen.
    Drawn(SystemTime),
    /// The runtime says that something changed.
    Changed,
    Inventory(Arc<Inventory>),
    InventoryFailed {
        error: String,
        at: SystemTime,
    },
    Host(Host),
    Inspected {
        token: Token,
        result: Result<serde_json::Value, String>,
    },
    Planned {
        token: Token,
        result: Result<Plan, String>,
    },
    StepDone {
        token: Token,
        step: usize,
        result: Result<(), String>,
    },
    Log {
        token: Token,
        lines: Vec<LogLine>,
    },
    LogEnd {
        token: Token,
        error: Option<String>,
    },
    PullProgress {
        token: Token,
        progress: PullProgress,
    },
    Pulled {
        token: Token,
        result: Result<String, String>,
    },
    ExecEnded(Result<i32, String>),
    /// What an examination has come to.
    Run {
        token: Token,
        event: RunEvent,
    },
    /// A worker failed; the text is for the message line.
    Failed(String),
    /// The terminal is gone, or the process was asked to end.
    Hangup,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Refresh(Scope),
    Inspect {
        token: Token,
        object: ObjectRef,
    },
    Plan {
        token: Token,
        action: Action,
    },
    Apply {
        token: Token,
        steps: Vec<Step>,
    },
    Pull {
        token: Token,
        reference: String,
    },
    Logs {
        token: Token,
        container: String,
    },
    Exec {
        container: String,
    },
    Examine {
        token: Token,
        books: Vec<&'static Runbook>,
        params: Params,
    },
    /// Clears the screen first.
    Redraw,
    Quit,
}

/// The machine, as read with each refresh.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Host {
    pub name: String,
    pub os: String,
    pub kernel: String,
    pub uptime: u64,
    pub cpus: usize,
    /// Percent of all CPUs.
    pub cpu_percent: f32,
    pub load: [f64; 3],
    pub memory_total: u64,
    pub memory_used: u64,
    /// `some avg10` of /proc/pressure: cpu, memory, io; `None` where the kernel has none.
    pub pressure: [Option<f32>; 3],
}
