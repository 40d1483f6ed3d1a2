//! One blob from the registry into the content store: resumed when the connection breaks, verified at the end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Phase, Progress, Puller, Report, Subject, blocking};
use crate::{
    bail,
    engine::{
        content::Ingest,
        image::{
            manifest::Descriptor,
            registry::{Fetched, Session},
        },
    },
    error::{Context, Error, Kind, Result},
};

/// Broken connections in a row without a byte in between.
const ATTEMPTS: u32 = 5;
/// For a writer that nobody waits for any more to put its last bytes down.
const HANDOVER: Duration = Duration::from_secs(30);
/// Chunks in flight between the network and the disk.
const QUEUE: usize = 32;

impl Puller {
    /// Makes sure the blob is in the store. Concurrent calls for one blob fetch it once (threats REG-21).
    pub(super) async fn fetch(&self, session: &Session, blob: &Descriptor, lease: &str, report: &Report) -> Result<()> {
        let _one = self.locks.lock(Subject::Blob, &blob.digest).await;
        let (content, db, digest, own) =
            (self.content.clone(), Arc::clone(&self.db), blob.digest.clone(), lease.to_owned());
        let here = blocking(move || {
            db.lease_blob(&own, &digest)?;
            content.size(&digest)
        })
        .await?;
        match here {
            Some(size) if size == blob.size => return Ok(()),
            Some(size) => {
                bail!(DataLoss, "blob {}: {size} bytes, its descriptor says {}", blob.digest.short(), blob.size)
            }
            None => {}
        }
        if blob.urls.as_ref().is_some_and(|u| !u.is_empty()) && blob.media_type.contains("foreign") {
            bail!(FailedPrecondition, "layer {} is only available from a foreign URL (disabled)", blob.digest.short());
        }
        let mut from = 0;
        loop {
            let (host, error) = match self.fetch_from(session, blob, lease, report, from).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            // Wrong bytes are one host's fault; the next one may have the right ones (threats REG-24).
            match host {
                Some(host) if error.is(Kind::DataLoss) && session.pass_over(host, &error) => from = host + 1,
                _ => return Err(error),
            }
        }
    }

    /// Puts a manifest or an index into the store; other pulls may want to do the same at this moment.
    pub(super) async fn keep(&self, document: &Fetched, lease: &str) -> Result<()> {
        let _one = self.locks.lock(Subject::Blob, &document.digest).await;
        let (content, body, own) = (self.content.clone(), document.body.clone(), lease.to_owned());
        patiently(move || content.write(&body, &own).map(drop)).await
    }

    async fn open(&self, blob: &Descriptor, lease: &str) -> Result<Ingest> {
        let (content, descriptor, own) = (self.content.clone(), blob.clone(), lease.to_owned());
        patiently(move || content.ingest(&descriptor.digest, descriptor.size, &own)).await
    }

    /// From the hosts at or after number `from`. The error comes with the host that gave the bytes, if any did.
    async fn fetch_from(
        &self,
        session: &Session,
        blob: &Descriptor,
        lease: &str,
        report: &Report,
        mut from: usize,
    ) -> Result<(), (Option<usize>, Error)> {
        let mut ingest = self.open(blob, lease).await.map_err(|e| (None, e))?;
        let (mut broken, mut host) = (0, None);
        while ingest.offset() < blob.size || blob.size == 0 {
            let before = ingest.offset();
            let outcome;
            (ingest, outcome) = stream(session, blob, ingest, from, &mut host, report).await.map_err(|e| (host, e))?;
            let offset = ingest.offset();
            match outcome {
                Ok(()) if offset == blob.size => break,
                Ok(()) | Err(_) if offset > before => broken = 0,
                Err(error) if !matches!(error.kind(), Kind::Unavailable | Kind::DeadlineExceeded) => {
                    return Err((host, error.context(format!("blob {}", blob.digest.short()))));
                }
                Ok(()) | Err(_) => {}
            }
            broken += 1;
            if broken >= ATTEMPTS {
                let text = format!("blob {} broke off at byte {offset} of {}", blob.digest.short(), blob.size);
                let error = Error::new(Kind::Unavailable, text);
                let error = match outcome {
                    Ok(()) => error,
                    Err(cause) => error.with_source(cause),
                };
                // What is here already is of the right blob, whoever goes on with it.
                match host {
                    Some(last) if session.pass_over(last, &error) => (from, broken) = (last + 1, 0),
                    _ => return Err((host, error)),
                }
            }
            tokio::time::sleep(Duration::from_millis(100 << broken)).await;
        }
        let digest = blob.digest.clone();
        let committed = blocking(move || ingest.commit()).await.context(|| format!("blob {}", digest.short()));
        committed.map_err(|e| (host, e))
    }
}

/// Tries again while the blob is being written: the writer of a pull that was called off may hold it a moment longer than
/// the pull held the lock.
async fn patiently<T: Send + 'static>(work: impl Fn() -> Result<T> + Clone + Send + 'static) -> Result<T> {
    let deadline = Instant::now() + HANDOVER;
    loop {
        match blocking(work.clone()).await {
            Err(error) if error.is(Kind::Unavailable) && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other => return other,
        }
    }
}

/// One request. The ingest comes back with whatever arrived, `host` with whose it is; the inner result says how it ended.
async fn stream(
    session: &Session,
    blob: &Descriptor,
    mut ingest: Ingest,
    from: usize,
    host: &mut Option<usize>,
    report: &Report,
) -> Result<(Ingest, Result<()>)> {
    let mut body = match session.blob(&blob.digest, ingest.offset(), from).await {
        Ok(body) => body,
        Err(error) => return Ok((ingest, Err(error))),
    };
    *host = Some(body.host);
    let mut done = body.offset;
    if body.offset != ingest.offset() {
        ingest = blocking(move || ingest.restart().map(|()| ingest)).await?;
    }
    let (send, mut receive) = mpsc::channel::<Bytes>(QUEUE);
    let writer = tokio::task::spawn_blocking(move || {
        let mut written = Ok(());
        while let (Some(chunk), true) = (receive.blocking_recv(), written.is_ok()) {
            written = ingest.write(&chunk);
        }
        (ingest, written)
    });
    let read = loop {
        match body.chunk().await {
            Ok(Some(chunk)) => {
                done += chunk.len() as u64;
                // The writer has stopped: its error is the one that counts.
                if send.send(chunk).await.is_err() {
                    break Ok(());
                }
                report(Progress {
                    digest: blob.digest.to_string(),
                    done: done.min(blob.size),
                    total: blob.size,
                    phase: Phase::Downloading,
                });
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(send);
    let (ingest, written) =
        writer.await.map_err(|e| Error::new(Kind::Internal, "the blob's writer died").with_source(e))?;
    Ok((ingest, written.and(read)))
}
