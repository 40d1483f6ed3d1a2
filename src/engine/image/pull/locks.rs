//! Whoever wants a blob or a chain of layers that somebody is at already waits for its turn.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use crate::engine::content::Digest;

/// What a lock is about. A layer that is not compressed has one digest for its blob and for its chain, and the chain's
/// lock is held while the blob is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    Blob,
    Chain,
}

type Lock = tokio::sync::Mutex<()>;

/// One lock for each digest in each role, for as long as somebody holds or wants it.
#[derive(Debug, Default)]
pub struct Locks(Mutex<HashMap<(Subject, Digest), Weak<Lock>>>);

impl Locks {
    pub async fn lock(&self, subject: Subject, digest: &Digest) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, lock| lock.strong_count() > 0);
            let name = (subject, digest.clone());
            let found = all.get(&name).and_then(Weak::upgrade);
            found.unwrap_or_else(|| {
                let lock = Arc::new(Lock::new(()));
                all.insert(name, Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }
}
