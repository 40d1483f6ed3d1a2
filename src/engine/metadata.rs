//! The one database (SQLite: WAL, synchronous FULL, one connection). Every call is one transaction and blocks for at most one fsync.

use std::{path::Path, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::{engine::content::Digest, error::Result};

/// `root/meta.db`.
#[derive(Debug)]
pub struct Db {}

/// Which documents: pod sandboxes or containers. Names are unique within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Sandboxes,
    Containers,
}

/// An image: what its tags point at, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// The config's digest: CRI's image id.
    pub id: Digest,
    /// Digest of what was pulled: a manifest or an index.
    pub target: Digest,
    /// Normalised references (`docker.io/library/busybox:latest`).
    pub tags: Vec<String>,
    /// `repository@sha256:…`, one per repository it was pulled from.
    pub digests: Vec<String>,
    /// Everything the image needs kept: index, manifest, config, layers.
    pub blobs: Vec<Digest>,
    /// Compressed layers and config, bytes, as containerd counts an image's size.
    pub size: u64,
    /// The snapshotter and the chain ID of the top layer; `None` for an image without layers.
    pub snapshot: Option<(String, String)>,
    pub pinned: bool,
}

impl Db {
    pub fn open(path: &Path) -> Result<Self> {
        let _ = path;
        unimplemented!()
    }

    // -- documents: one JSON value per pod or container
    /// Inserts. `AlreadyExists` names the id that holds the name.
    pub fn insert(&self, table: Table, id: &str, name: &str, document: &impl Serialize) -> Result<()> {
        let _ = (table, id, name, document);
        unimplemented!()
    }
    pub fn update(&self, table: Table, id: &str, document: &impl Serialize) -> Result<()> {
        let _ = (table, id, document);
        unimplemented!()
    }
    /// Idempotent.
    pub fn delete(&self, table: Table, id: &str) -> Result<()> {
        let _ = (table, id);
        unimplemented!()
    }
    /// All of a table; a document that does not parse is returned as its id and the error, never an error of the whole.
    pub fn list<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<(String, Result<T>)>> {
        let _ = table;
        unimplemented!()
    }

    // -- images
    /// Inserts or replaces by id; a tag moves from whichever image had it.
    pub fn put_image(&self, image: &ImageRow) -> Result<()> {
        let _ = image;
        unimplemented!()
    }
    pub fn images(&self) -> Result<Vec<ImageRow>> {
        unimplemented!()
    }
    /// By id, by tag or by `repository@digest`.
    pub fn image(&self, reference: &str) -> Result<Option<ImageRow>> {
        let _ = reference;
        unimplemented!()
    }
    /// Idempotent. Blobs and snapshots go at the next collection.
    pub fn delete_image(&self, id: &Digest) -> Result<()> {
        let _ = id;
        unimplemented!()
    }

    // -- leases: what is in flight is not garbage
    /// A new lease id; it expires by itself unless renewed.
    pub fn lease(&self, purpose: &str, expires: Duration) -> Result<String> {
        let _ = (purpose, expires);
        unimplemented!()
    }
    /// Keeps a blob (by digest) or a snapshot (by snapshotter and key) while the lease lives.
    pub fn lease_blob(&self, lease: &str, digest: &Digest) -> Result<()> {
        let _ = (lease, digest);
        unimplemented!()
    }
    pub fn lease_snapshot(&self, lease: &str, snapshotter: &str, key: &str) -> Result<()> {
        let _ = (lease, snapshotter, key);
        unimplemented!()
    }
    pub fn release(&self, lease: &str) -> Result<()> {
        let _ = lease;
        unimplemented!()
    }
}
