//! What happens to the app, and what it asks to be done. Plain values; `effect` does, `update` decides.

use std::{path::PathBuf, sync::Arc, time::SystemTime};

use crossterm::event::{KeyEvent, MouseEvent};
use serde::{Deserialize, Serialize};

use super::{
    copying::{Copied, Copying},
    layers::Read,
    terminals::{News, Order},
    volumes::Volume,
};
use crate::{
    client::{
        action::{Action, Plan, Step},
        audit,
        types::{CgroupFact, Inventory, LogLine, LogPage, LogTurn, ObjectRef, PullProgress, Scope, Seen},
    },
    config::app::{self, App},
    node::{
        journal::Line,
        meter::{Flow, Meter},
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
    /// Whether it says so at all.
    Hearing(bool),
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
    /// The verbose status of a pod and of its containers.
    Family {
        token: Token,
        result: Result<serde_json::Value, String>,
    },
    /// The files of a layer, or of all layers of an image.
    Layers {
        token: Token,
        result: Result<Vec<Read>, String>,
    },
    /// What running containers have mounted, by pod.
    Volumes {
        token: Token,
        result: Result<Vec<Volume>, String>,
    },
    /// What was changed through wharf, newest first.
    Journal {
        token: Token,
        result: Result<Vec<audit::Entry>, String>,
    },
    Cgroups(Seen<Vec<CgroupFact>>),
    /// What the object of the graphs has used.
    Used {
        token: Token,
        result: Result<Vec<Meter>, String>,
    },
    /// What a silent runtime and the kubelet have logged.
    Words(Result<Vec<Line>, String>),
    Mouse(MouseEvent),
    Planned {
        token: Token,
        result: Result<Plan, String>,
    },
    StepDone {
        token: Token,
        step: usize,
        result: Result<String, String>,
    },
    Log {
        token: Token,
        /// With the number of the container that wrote it.
        lines: Vec<(usize, LogLine)>,
    },
    /// A page of a log that was asked for, of one of its containers.
    LogPage {
        token: Token,
        source: usize,
        older: bool,
        result: Result<LogPage, String>,
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
    Copied {
        token: Token,
        copied: Copied,
    },
    /// A command in a terminal of the app.
    Terminal {
        token: Token,
        news: News,
    },
    /// What an examination has come to.
    Run {
        token: Token,
        event: RunEvent,
    },
    /// The settings were read, at the start or because a file of them has changed.
    Settings(Box<Result<App, String>>),
    /// A worker failed; the text is for the message line.
    Failed(String),
    /// What the person asked for was done; the text is for the message line.
    Said(String),
    /// Somebody else in this program has something to say.
    Note(String),
}

impl Event {
    /// From the person, who waits for what comes of it.
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Key(..) | Self::Paste(_) | Self::Resize(..) | Self::Mouse(_))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Refresh(Scope),
    Inspect {
        token: Token,
        object: ObjectRef,
    },
    /// Its files, if it has layers.
    Layers {
        token: Token,
        object: ObjectRef,
    },
    /// What pods have mounted.
    Volumes {
        token: Token,
    },
    /// What was asked for last to be looked at is not waited for any more.
    Cease,
    Plan {
        token: Token,
        action: Action,
        /// When several objects were marked: the plan is of all of them together.
        more: Vec<Action>,
    },
    /// A pod with its containers, as a tree.
    Family {
        token: Token,
        pod: String,
        containers: Vec<String>,
    },
    Journal {
        token: Token,
    },
    /// How a pane is to look the next time; none forgets it.
    Keep {
        pane: String,
        settings: Option<app::Pane>,
    },
    /// This was shown: the journal is told.
    Reveal {
        what: String,
    },
    Cgroups,
    /// What it has used up to now.
    Use {
        token: Token,
        object: ObjectRef,
    },
    /// Read what the silent runtime and the kubelet have logged.
    Words,
    /// Report the mouse to the app, or leave it to the terminal.
    Mouse(bool),
    /// Into the terminal's clipboard.
    Copy(String),
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
        containers: Vec<String>,
        /// None is the last lines.
        since: Option<SystemTime>,
    },
    /// Lines beyond those that are here.
    LogPage {
        token: Token,
        source: usize,
        container: String,
        turn: LogTurn,
    },
    /// Into that file, or one of that name in the temporary directory.
    Save {
        file: Option<PathBuf>,
        name: String,
        bytes: Vec<u8>,
    },
    /// A shell on the person's terminal.
    Exec {
        container: String,
    },
    Terminal {
        token: Token,
        order: Order,
    },
    Files {
        token: Token,
        copying: Copying,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// Seconds that local time is ahead of UTC now.
    pub utc_offset: i32,
    /// `some avg10` of /proc/pressure: cpu, memory, io; `None` where the kernel has none.
    pub pressure: [Option<f32>; 3],
    /// `full avg10`.
    #[serde(default)]
    pub full: [Option<f32>; 3],
    /// Bytes in a second since the reading before, of the interfaces and disks that are its source.
    #[serde(default)]
    pub network: Seen<Flow>,
    #[serde(default)]
    pub disk: Seen<Flow>,
}
