//! Commands in containers whose terminals are in the app: what the model keeps of each, what it asks of them, and what they tell.
//! The streams themselves are `sessions`'.

use std::{sync::Arc, time::SystemTime};

use tokio::sync::OwnedSemaphorePermit;

use super::{emulator::Emulator, event::Token, panes::PaneId, text::SafeText};

/// At the same time.
pub const MOST: usize = 6;

/// What is done to a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// An empty command is a shell.
    Open {
        container: String,
        command: Vec<String>,
        size: (u16, u16),
    },
    Input(Vec<u8>),
    /// Columns and rows.
    Resize((u16, u16)),
    /// Ends the command, if it still runs.
    Close,
}

/// What becomes of one.
#[derive(Debug, Clone)]
pub enum News {
    Opened,
    /// What the command wrote. With it goes the leave to send more: it is given back when this was taken in.
    Output(Vec<u8>, Option<Arc<OwnedSemaphorePermit>>),
    /// There will be nothing to see of it.
    Refused(String),
    Ended(Result<i32, String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Opening,
    Running,
    Ended(Result<i32, SafeText>),
}

#[derive(Debug)]
pub struct Term {
    pub token: Token,
    pub container: String,
    pub name: SafeText,
    pub command: Vec<String>,
    pub emulator: Emulator,
    pub state: State,
    /// When its end was on the screen.
    pub shown: Option<SystemTime>,
}

#[derive(Debug)]
pub struct Terminals {
    pub all: Vec<Term>,
    pub at: usize,
    /// The keys are the terminal's.
    pub typing: bool,
    /// Where leaving the pane goes.
    pub from: PaneId,
}

impl Default for Terminals {
    fn default() -> Self {
        Self { all: Vec::new(), at: 0, typing: false, from: PaneId::Containers }
    }
}

impl Terminals {
    pub fn shown(&self) -> Option<&Term> {
        self.all.get(self.at)
    }

    pub fn shown_mut(&mut self) -> Option<&mut Term> {
        self.all.get_mut(self.at)
    }

    /// Those whose command has not ended.
    pub fn living(&self) -> usize {
        self.all.iter().filter(|t| t.living()).count()
    }
}

impl Term {
    pub fn living(&self) -> bool {
        !matches!(self.state, State::Ended(_))
    }

    /// The command for people.
    pub fn what(&self) -> SafeText {
        if self.command.is_empty() { "shell".into() } else { self.command.join(" ").into() }
    }
}
