//! When bytes moved last, for ending what nobody uses any more.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

#[derive(Debug)]
pub struct Activity {
    begun: Instant,
    /// Milliseconds after `begun`.
    moved: AtomicU64,
}

impl Default for Activity {
    fn default() -> Self {
        Self { begun: Instant::now(), moved: AtomicU64::new(0) }
    }
}

impl Activity {
    pub fn touch(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(now, Ordering::Relaxed);
    }

    /// Resolves when nothing has moved for `idle`.
    pub async fn quiet(&self, idle: Duration) {
        loop {
            let since = self.begun + Duration::from_millis(self.moved.load(Ordering::Relaxed));
            let Some(until) = since.checked_add(idle) else { return std::future::pending().await };
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}
