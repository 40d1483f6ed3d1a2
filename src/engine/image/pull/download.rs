//! One blob from the registry into the content store: resumed when the connection breaks, verified at the end.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Phase, Progress, Puller, Report, Subject, blocking};
use crate::{
    bail,
    engine::{
        content::Ingest,
        image::{manifest::Descriptor, registry::Session},
    },
    error::{Context, Error, Kind, Result},
};

/// Broken connections in a row without a byte in between.
const ATTEMPTS: u32 = 5;
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
        let (content, descriptor, own) = (self.content.clone(), blob.clone(), lease.to_owned());
        let mut ingest = blocking(move || content.ingest(&descriptor.digest, descriptor.size, &own)).await?;
        let mut broken = 0;
        while ingest.offset() < blob.size || blob.size == 0 {
            let before = ingest.offset();
            let outcome;
            (ingest, outcome) = stream(session, blob, ingest, report).await?;
            let offset = ingest.offset();
            match outcome {
                Ok(()) if offset == blob.size => break,
                Ok(()) | Err(_) if offset > before => broken = 0,
                Err(error) if !matches!(error.kind(), Kind::Unavailable | Kind::DeadlineExceeded) => return Err(error),
                Ok(()) | Err(_) => {}
            }
            broken += 1;
            if broken >= ATTEMPTS {
                let text = format!("blob {} broke off at byte {offset} of {}", blob.digest.short(), blob.size);
                let error = Error::new(Kind::Unavailable, text);
                return Err(match outcome {
                    Ok(()) => error,
                    Err(cause) => error.with_source(cause),
                });
            }
            tokio::time::sleep(Duration::from_millis(100 << broken)).await;
        }
        let digest = blob.digest.clone();
        blocking(move || ingest.commit()).await.context(|| format!("blob {}", digest.short()))
    }
}

/// One request. The ingest comes back with whatever arrived; the inner result says how it ended.
async fn stream(
    session: &Session,
    blob: &Descriptor,
    mut ingest: Ingest,
    report: &Report,
) -> Result<(Ingest, Result<()>)> {
    let mut body = match session.blob(&blob.digest, ingest.offset()).await {
        Ok(body) => body,
        Err(error) => return Ok((ingest, Err(error))),
    };
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
