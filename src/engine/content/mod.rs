//! The content store: immutable blobs named by digest, and the ingests that become blobs.
//!
//! Rows say which blob is wanted and why; files hold the bytes. Order of steps: docs/architecture.md, "Crash consistency".

mod digest;

use std::{fs::File, path::Path, sync::Arc};

pub use digest::Digest;

use crate::{engine::metadata::Db, error::Result};

/// Blobs below `root/blobs/sha256/`, ingests below `root/ingest/`. Everything blocks.
#[derive(Debug, Clone)]
pub struct Content {
    _todo: Arc<Db>,
}

impl Content {
    pub fn open(root: &Path, db: Arc<Db>) -> Result<Self> {
        let _ = root;
        Ok(Self { _todo: db })
    }
    /// The blob's size, if it is here.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        let _ = digest;
        unimplemented!()
    }
    pub fn reader(&self, digest: &Digest) -> Result<File> {
        let _ = digest;
        unimplemented!()
    }
    /// The whole of a small blob (manifest, config); at most `limit` bytes, digest verified.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>> {
        let _ = (digest, limit);
        unimplemented!()
    }
    /// Starts or resumes the one ingest of `digest`; the lease keeps it. `Unavailable` while someone else writes it.
    /// `size` is the descriptor's; more bytes than that are refused as they come.
    pub fn ingest(&self, digest: &Digest, size: u64, lease: &str) -> Result<Ingest> {
        let _ = (digest, size, lease);
        unimplemented!()
    }
    /// Writes a small blob at once.
    pub fn write(&self, data: &[u8], lease: &str) -> Result<Digest> {
        let _ = (data, lease);
        unimplemented!()
    }
}

/// A blob being written, hashed as it goes. Dropping it keeps what was written, so the next `ingest` resumes there.
#[derive(Debug)]
pub struct Ingest {}

impl Ingest {
    /// Bytes already there (hashed again when resumed).
    pub fn offset(&self) -> u64 {
        unimplemented!()
    }
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        let _ = data;
        unimplemented!()
    }
    /// Starts over from nothing (a server that ignored Range).
    pub fn truncate(&mut self) -> Result<()> {
        unimplemented!()
    }
    /// A file to read what has been written so far, to unpack while downloading.
    pub fn tail(&self) -> Result<File> {
        unimplemented!()
    }
    /// Verifies size and digest, syncs, renames, records. `DataLoss` when they differ; the ingest is then deleted.
    pub fn commit(self) -> Result<()> {
        unimplemented!()
    }
}
