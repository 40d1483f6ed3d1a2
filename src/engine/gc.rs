//! Garbage collection: rows by one transaction in the database, then the files those rows spoke of.

use std::{sync::Arc, time::SystemTime};

use super::{
    content::Content,
    crash,
    metadata::{Db, Garbage},
    snapshot::{Snapshotter, Usage},
};
use crate::error::{Error, Kind, Result};

/// Deletes what no image, container, pod or live lease refers to. Returns what that freed on disk.
/// A crash in between leaves files without rows, which the next start deletes.
pub async fn collect(db: &Arc<Db>, content: &Content, snapshotter: &dyn Snapshotter) -> Result<Usage> {
    let (db, content) = (Arc::clone(db), content.clone());
    let blobs = tokio::task::spawn_blocking(move || {
        let garbage = db.mark(SystemTime::now())?;
        if garbage != Garbage::default() {
            crash::point("gc.1");
        }
        let bytes = content.delete_files(&garbage.blobs, &garbage.ingests)?;
        tracing::debug!(?garbage, "garbage collected");
        db.stock_up()?;
        Ok(Usage { bytes, inodes: (garbage.blobs.len() + garbage.ingests.len()) as u64 })
    })
    .await
    .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "the collection died").with_source(e)))?;
    let snapshots = snapshotter.sweep().await?;
    Ok(Usage { bytes: blobs.bytes + snapshots.bytes, inodes: blobs.inodes + snapshots.inodes })
}
