//! What a crash left in the stores, put right before anything uses them (docs/architecture.md, "Recovery").

use std::sync::Arc;

use super::{content::Content, metadata::Db, snapshot::Local};
use crate::error::{Error, Kind, Result};

/// What was found and put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Files of content without a row, and their bytes.
    pub stray_blobs: (u64, u64),
    /// Snapshots that were half made, and directories without a row.
    pub stray_snapshots: (usize, usize),
    pub images: usize,
}

/// Idempotent; a crash inside is recovered by the next call.
pub async fn storage(db: &Arc<Db>, content: &Content, snapshots: &Local) -> Result<Report> {
    let (store, rows) = (content.clone(), Arc::clone(db));
    let (stray_blobs, images) = tokio::task::spawn_blocking(move || Ok((store.recover()?, rows.images()?.len())))
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "the recovery died").with_source(e)))?;
    Ok(Report { stray_blobs, stray_snapshots: snapshots.recover().await?, images })
}
