//! Whether a pull gets any bytes: time spent waiting for a registry is added up, and a byte sets it back.
//!
//! Only waiting counts: a slow disk, or another pull that fetches the same layer, does not look like a dead registry
//! (threats REG-06).

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::error::{Error, Kind};

#[derive(Debug)]
pub struct Watch {
    /// Zero: never.
    limit: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: usize,
    since: Instant,
    /// Of earlier waits without a byte.
    starved: Duration,
}

impl Watch {
    pub fn new(limit: Duration) -> Self {
        Self { limit, state: Mutex::new(State { waiting: 0, since: Instant::now(), starved: Duration::ZERO }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what waits for the registry.
    pub async fn waiting<T>(&self, work: impl Future<Output = T>) -> T {
        let _waiting = Waiting::start(self);
        work.await
    }

    pub fn bytes_came(&self) {
        let mut state = self.state();
        state.starved = Duration::ZERO;
        state.since = Instant::now();
    }

    fn starved(&self) -> Duration {
        let state = self.state();
        let now = if state.waiting > 0 { state.since.elapsed() } else { Duration::ZERO };
        state.starved + now
    }

    /// Resolves when nothing has come for too long.
    pub async fn stalled(&self) -> Error {
        if self.limit.is_zero() {
            return std::future::pending().await;
        }
        loop {
            let starved = self.starved();
            let Some(left) = self.limit.checked_sub(starved).filter(|left| !left.is_zero()) else {
                let text = format!("no byte from the registry for {} s", self.limit.as_secs_f32());
                return Error::new(Kind::DeadlineExceeded, text);
            };
            tokio::time::sleep(left.max(Duration::from_millis(10))).await;
        }
    }
}

/// Also ends when the waiting future is dropped.
struct Waiting<'a>(&'a Watch);

impl<'a> Waiting<'a> {
    fn start(watch: &'a Watch) -> Self {
        let mut state = watch.state();
        if state.waiting == 0 {
            state.since = Instant::now();
        }
        state.waiting += 1;
        Self(watch)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting -= 1;
        if state.waiting == 0 {
            let waited = state.since.elapsed();
            state.starved += waited;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn reg_06_only_waiting_without_a_byte_counts() {
        let watch = Watch::new(LIMIT);
        let sleep = |ms| tokio::time::sleep(Duration::from_millis(ms));
        let work = async {
            for _ in 0..4 {
                watch.waiting(sleep(100)).await;
                watch.bytes_came();
                sleep(400).await;
            }
        };
        tokio::select! {
            error = watch.stalled() => panic!("{error}"),
            () = work => {}
        }
        let began = Instant::now();
        let dead = async {
            loop {
                watch.waiting(sleep(60)).await;
            }
        };
        tokio::select! {
            error = watch.stalled() => assert!(error.is(Kind::DeadlineExceeded)),
            () = dead => {}
        }
        assert!(began.elapsed() >= LIMIT);
    }
}
