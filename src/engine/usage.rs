//! What the engine's data takes on disk, and whose it is. Committed layers and blobs are sums over rows; the writable
//! layers of containers are measured by walking them, in the background and not more often than somebody asks.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::snapshot::{Snapshotter, Usage};
use crate::error::Result;

/// A measurement of a writable layer is good for this long; an older one is still told while the next is made.
const FRESH: Duration = Duration::from_secs(10);

/// Sizes of writable layers by their snapshot's key.
#[derive(Debug, Clone, Default)]
pub struct Sizes(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    sizes: HashMap<String, (Instant, Usage)>,
    /// Being measured.
    busy: HashSet<String>,
}

impl Sizes {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a walk only the first time a layer is asked for.
    pub async fn of(&self, snapshotter: &Arc<dyn Snapshotter>, key: &str) -> Result<Usage> {
        let known = self.known().sizes.get(key).copied();
        match known {
            Some((at, usage)) => {
                if at.elapsed() > FRESH && self.known().busy.insert(key.to_owned()) {
                    let (sizes, snapshotter, key) = (self.clone(), Arc::clone(snapshotter), key.to_owned());
                    tokio::spawn(async move {
                        if let Err(error) = sizes.measure(&*snapshotter, &key).await {
                            tracing::debug!(snapshot = key, "not measured: {error:#}");
                            sizes.known().sizes.remove(&key);
                        }
                        sizes.known().busy.remove(&key);
                    });
                }
                Ok(usage)
            }
            None => self.measure(&**snapshotter, key).await,
        }
    }

    async fn measure(&self, snapshotter: &dyn Snapshotter, key: &str) -> Result<Usage> {
        let usage = snapshotter.usage(key).await?;
        self.known().sizes.insert(key.to_owned(), (Instant::now(), usage));
        Ok(usage)
    }

    /// The sum over these keys; others are forgotten. One that goes meanwhile counts nothing.
    pub async fn sum(&self, snapshotter: &Arc<dyn Snapshotter>, keys: &[String]) -> Usage {
        let wanted: HashSet<&str> = keys.iter().map(String::as_str).collect();
        self.known().sizes.retain(|key, _| wanted.contains(key.as_str()));
        let mut total = Usage::default();
        for key in keys {
            match self.of(snapshotter, key).await {
                Ok(usage) => total = total + usage,
                Err(error) => tracing::debug!(snapshot = key, "not measured: {error:#}"),
            }
        }
        total
    }
}

/// What an image takes: alone, and together with others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Share {
    /// Bytes that removing it frees.
    pub unique: u64,
    pub shared: u64,
}
