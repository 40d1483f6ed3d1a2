//! Files between this machine and a container, asked for in the app: what is told of one meanwhile, and the doing.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::sync::mpsc;

use super::{
    event::{Event, Token},
    text::SafeText,
};
use crate::{
    client::{
        Runtime,
        audit::Intent,
        copy::{self, Progress},
        types::short_id,
    },
    error::Result,
};

/// At the same time.
pub const MOST: usize = 4;
/// Between two words about how far it is.
const TOLD: Duration = Duration::from_millis(250);

/// What is copied where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copying {
    pub container: String,
    pub path: String,
    pub local: String,
    pub into: bool,
}

/// How a copy goes.
#[derive(Debug, Clone)]
pub enum Copied {
    /// Bytes so far.
    Some(u64),
    /// What was copied, or why it was not.
    All(Result<String, String>),
}

/// One that runs.
#[derive(Debug, Clone)]
pub struct Running {
    pub token: Token,
    pub what: SafeText,
    pub bytes: u64,
}

/// Ends the work with the one who waits for it.
struct Stop(Arc<Progress>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

pub async fn run(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, token: Token, wanted: Copying) {
    let short = short_id(&wanted.container);
    let what = match wanted.into {
        true => format!("copy {} into {short}:{}", wanted.local, wanted.path),
        false => format!("copy {short}:{} to {}", wanted.path, wanted.local),
    };
    let begun = match Intent::new(what).begin(runtime.info()).await {
        Ok(begun) => begun,
        Err(error) => {
            let _closed = send.send(Event::Copied { token, copied: Copied::All(Err(format!("{error:#}"))) }).await;
            return;
        }
    };
    let progress = Arc::new(Progress::default());
    let stop = Stop(Arc::clone(&progress));
    let mut work = Box::pin(copied(&runtime, wanted, Arc::clone(&progress)));
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            () = tokio::time::sleep(TOLD) => {
                let bytes = progress.bytes.load(Ordering::Relaxed);
                // Only for the eye: when the channel is full, the next one will do.
                let _full = send.try_send(Event::Copied { token, copied: Copied::Some(bytes) });
            }
        }
    };
    drop(stop);
    if let Err(error) = begun.done(&done).await {
        let _closed = send.send(Event::Failed(format!("{error:#}"))).await;
    }
    let all = done.map(|()| progress.told()).map_err(|e| format!("{e:#}"));
    // The channel is closed when the app is on its way out.
    let _closed = send.send(Event::Copied { token, copied: Copied::All(all) }).await;
}

async fn copied(runtime: &Arc<dyn Runtime>, wanted: Copying, progress: Arc<Progress>) -> Result<()> {
    let root = copy::root(runtime.as_ref(), &wanted.container, wanted.into).await?;
    let (path, local) = (PathBuf::from(wanted.path), PathBuf::from(wanted.local));
    copy::apart(move || match wanted.into {
        true => copy::into(&root, &local, &path, &progress),
        false => copy::out(&root, &path, &local, &progress),
    })
    .await
}
