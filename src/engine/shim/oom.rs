//! Whether the kernel's OOM killer has been in a container. systemd removes the group of one that has ended, and the count
//! with it, so that of a scope is watched while it lives.

use std::{
    fs::File,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::FileExt,
    },
};

use crate::engine::cgroup::Cgroup;

#[derive(Debug)]
pub struct Ooms {
    seen: u64,
    events: Option<File>,
}

impl Ooms {
    /// Of a group that exists.
    pub fn new(cgroup: &Cgroup) -> Self {
        let mut ooms = Self { seen: 0, events: cgroup.is_scope().then(|| cgroup.memory_events()).flatten() };
        ooms.look();
        ooms
    }

    /// To be polled for `PRI`; then [`Self::look`].
    pub fn events(&self) -> Option<BorrowedFd<'_>> {
        self.events.as_ref().map(AsFd::as_fd)
    }

    /// Reading makes the kernel tell of the next change.
    pub fn look(&mut self) {
        let Some(events) = &self.events else { return };
        let mut text = [0; 1024];
        match events.read_at(&mut text, 0) {
            Ok(length) => {
                let text = String::from_utf8_lossy(&text[..length]);
                let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
                self.seen = self.seen.max(count.unwrap_or(0));
            }
            // The group has gone.
            Err(_) => self.events = None,
        }
    }

    /// Whether it killed a process of the group so far.
    pub fn killed(&mut self, cgroup: &Cgroup) -> bool {
        // First by its path: the group may be about to go.
        self.seen = self.seen.max(cgroup.oom_kills().unwrap_or(0));
        self.look();
        self.seen > 0
    }
}
