//! Whether the kernel's OOM killer has been in a container. systemd removes the group of one that has ended, and the count
//! with it, so that of a scope is watched while it lives.

use std::{
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::FileExt,
    },
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::engine::cgroup::{Cgroup, OomEvents};

/// For the second of two signals: the removal of the group gives one too, when a worker of the kernel comes to it.
const REMOVAL: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Ooms {
    seen: u64,
    signals: u64,
    events: Option<OomEvents>,
}

impl Ooms {
    /// Of a group that exists.
    pub fn new(cgroup: &Cgroup) -> Self {
        let events = cgroup.is_scope().then(|| cgroup.oom_events()).flatten();
        let mut ooms = Self { seen: 0, signals: 0, events };
        ooms.look();
        ooms
    }

    /// To be polled; then [`Self::look`].
    pub fn events(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.events.as_ref().map(|events| match events {
            OomEvents::Counts(file) => (file.as_fd(), PollFlags::PRI),
            OomEvents::Signals(signals) => (signals.as_fd(), PollFlags::IN),
        })
    }

    /// Reading makes the kernel tell of the next change.
    pub fn look(&mut self) {
        match &self.events {
            None => {}
            Some(OomEvents::Counts(file)) => {
                let mut text = [0; 1024];
                match file.read_at(&mut text, 0) {
                    Ok(length) => {
                        let text = String::from_utf8_lossy(&text[..length]);
                        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
                        self.seen = self.seen.max(count.unwrap_or(0));
                    }
                    // The group has gone.
                    Err(_) => self.events = None,
                }
            }
            Some(OomEvents::Signals(signals)) => self.signals += taken(signals),
        }
    }

    /// Whether it killed a process of the group so far.
    pub fn killed(&mut self, cgroup: &Cgroup) -> bool {
        // First by its path: the group may be about to go. On v1 systemd may even have made another in its place.
        let counted = cgroup.oom_kills();
        self.look();
        self.seen = self.seen.max(counted.unwrap_or(0));
        if self.seen == 0 && self.signals == 1 {
            self.wait();
        }
        self.seen > 0 || self.signals > 1
    }

    /// Until the group's removal is told, or it is clear that it was.
    fn wait(&mut self) {
        let Some((fd, flags)) = self.events() else { return };
        let limit = Timespec::try_from(REMOVAL).ok();
        // Interrupted or not: what has come is counted.
        let _come = poll(&mut [PollFd::from_borrowed_fd(fd, flags)], limit.as_ref());
        self.look();
    }
}

/// The signals since the last time.
fn taken(signals: &OwnedFd) -> u64 {
    let mut count = [0; 8];
    match rustix::io::read(signals, &mut count) {
        Ok(8) => u64::from_ne_bytes(count),
        _ => 0,
    }
}
