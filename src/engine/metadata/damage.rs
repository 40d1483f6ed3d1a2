//! Rows of what is no longer as it was written: their images are hidden, so that the next pull makes them anew.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction};

use super::{Db, DbResult, images};
use crate::{
    engine::{content::Digest, snapshot::SnapshotId},
    error::Result,
};

impl Db {
    /// Takes damaged blobs and layers out of use, in one transaction, and returns the ids of the images that had them.
    ///
    /// A blob's row goes. A layer keeps its number, because containers may stand on it, but it and what is stacked on it
    /// lose their names, so that a pull unpacks under these names again. The images stay as rows, out of sight: for the
    /// kubelet they are not here.
    pub fn condemn(&self, blobs: &[Digest], layers: &[SnapshotId]) -> Result<Vec<Digest>> {
        if blobs.is_empty() && layers.is_empty() {
            return Ok(Vec::new());
        }
        self.end("take what is damaged out of use", |tx| {
            let mut hit = BTreeSet::new();
            for blob in blobs {
                hit.extend(images::texts(tx, "SELECT image FROM image_blob WHERE digest = ?", blob.as_str())?);
                tx.execute("DELETE FROM blob WHERE digest = ?", [blob.as_str()]).db("forget a blob")?;
            }
            for layer in layers {
                rename(tx, *layer, &mut hit)?;
            }
            for image in &hit {
                tx.execute("UPDATE image SET damaged = 'found damaged' WHERE id = ?", [image]).db("mark an image")?;
            }
            hit.iter().map(|id| id.parse()).collect()
        })
    }

    /// Ids of the images a blob belongs to.
    pub fn images_with_blob(&self, digest: &Digest) -> Result<Vec<String>> {
        self.read("look for a blob's images", |db| {
            images::texts(db, "SELECT image FROM image_blob WHERE digest = ? ORDER BY image", digest.as_str())
        })
    }

    /// Ids of the images and of the pods' and containers' records that stand on a snapshot.
    pub fn users_of_snapshot(&self, id: SnapshotId) -> Result<(Vec<String>, Vec<String>)> {
        self.read("look for a snapshot's users", |db| {
            let images = above(
                db,
                id,
                "SELECT i.id FROM image i JOIN above a ON i.snapshotter = a.snapshotter AND i.chain = a.key",
            )?;
            let records = above(
                db,
                id,
                "SELECT d.id FROM document_snapshot d JOIN above a ON d.snapshotter = a.snapshotter AND d.key = a.key",
            )?;
            Ok((images, records))
        })
    }
}

/// A query over the snapshot and everything stacked on it.
fn above(db: &Connection, id: SnapshotId, query: &str) -> Result<Vec<String>> {
    let whole = format!(
        "WITH RECURSIVE above (id, snapshotter, key, kind) AS (
            SELECT id, snapshotter, key, kind FROM snapshot WHERE id = ?
            UNION SELECT s.id, s.snapshotter, s.key, s.kind FROM snapshot s JOIN above a ON s.parent = a.id
        ) {query}"
    );
    let mut statement = db.prepare_cached(&whole).db("look above a snapshot")?;
    let rows = statement.query_map([id.0], |r| r.get(0)).db("look above a snapshot")?;
    rows.collect::<Result<_, _>>().db("look above a snapshot")
}

fn rename(tx: &Transaction<'_>, layer: SnapshotId, hit: &mut BTreeSet<String>) -> Result<()> {
    hit.extend(above(
        tx,
        layer,
        "SELECT i.id FROM image i JOIN above a ON i.snapshotter = a.snapshotter AND i.chain = a.key",
    )?);
    tx.execute(
        "UPDATE snapshot SET key = 'damaged-' || id || '-' || key
         WHERE kind = 'committed' AND key NOT LIKE 'damaged-%' AND id IN (
            WITH RECURSIVE above (id) AS (SELECT ?1 UNION SELECT s.id FROM snapshot s JOIN above a ON s.parent = a.id)
            SELECT id FROM above)",
        [layer.0],
    )
    .db("rename snapshots")?;
    Ok(())
}
