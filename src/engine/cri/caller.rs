//! Callers that do not wait: a kubelet gives a call up after its timeout, and asks again.
//!
//! What is made goes on being made without its caller, because a call's future is dropped when its caller goes. It is
//! nobody's then, and stays as it was while it was made: in no list, undone by the next start. Who asks for the same again
//! gets it; it is removed when something else is asked for under its name, or nothing is for a while (threats POD-12).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::{
    engine::Engine,
    error::{Error, Kind, Result},
};

/// Between two looks at something whose making is about to begin, and how many there are: what has a record and is not being
/// made by then is never going to be.
pub const SOON: Duration = Duration::from_millis(10);
pub const LOOKS: u32 = 100;

/// Whether the one who asked is still there.
#[derive(Debug)]
pub struct Caller(oneshot::Receiver<()>);

impl Caller {
    pub fn has_gone(&mut self) -> bool {
        self.0.try_recv() != Err(TryRecvError::Empty)
    }
}

/// Works to the end, whether or not the caller waits for it.
pub async fn to_end<T: Send + 'static, F>(work: impl FnOnce(Caller) -> F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
{
    let (stay, left) = oneshot::channel();
    let done = tokio::spawn(work(Caller(left))).await;
    drop::<oneshot::Sender<()>>(stay);
    done.unwrap_or_else(|e| Err(Error::new(Kind::Internal, "the work on a call died").with_source(e)))
}

/// Has what nobody asks for again removed, after a while. `forget` says whether it had to be.
pub fn forget_later<F>(engine: &Arc<Engine>, what: String, forget: impl FnOnce(Arc<Engine>) -> F + Send + 'static)
where
    F: Future<Output = Result<bool>> + Send,
{
    let (patience, engine) = (engine.config.unclaimed, Arc::downgrade(engine));
    tokio::spawn(async move {
        tokio::time::sleep(patience).await;
        let Some(engine) = engine.upgrade() else { return };
        match forget(engine).await {
            Ok(true) => tracing::info!("nobody asked for {what} again: it was removed"),
            Ok(false) => {}
            Err(error) => tracing::warn!("nobody asked for {what} again: {error:#}"),
        }
    });
}

/// Of a pod or container: it was made for a caller that had gone by then.
#[derive(Debug, Default)]
pub struct Unclaimed(AtomicBool);

impl Unclaimed {
    pub fn is(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub fn set(&self, unclaimed: bool) {
        self.0.store(unclaimed, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn pod_12_work_goes_on_without_its_caller_and_knows() {
        let stayed = to_end(|mut caller| async move { Ok(caller.has_gone()) }).await.unwrap();
        assert!(!stayed);
        let (done, gone) = (Arc::new(tokio::sync::Notify::new()), Arc::new(Unclaimed::default()));
        let (tell, note) = (Arc::clone(&done), Arc::clone(&gone));
        let call = to_end(move |mut caller| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            note.set(caller.has_gone());
            tell.notify_one();
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(5), call).await.is_err());
        done.notified().await;
        assert!(gone.is());
    }
}
