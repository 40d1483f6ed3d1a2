//! Rows of blobs and ingests, and the mark of garbage collection.

use std::{
    collections::{HashMap, HashSet},
    time::SystemTime,
};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Db, DbResult, lease_id, unix};
use crate::{
    engine::{content::Digest, snapshot::Usage},
    error::{Error, Kind, Result},
};

/// What a collection found unreachable; the rows are gone already, the files are the caller's to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Garbage {
    pub blobs: Vec<Digest>,
    pub ingests: Vec<Digest>,
    /// Of snapshotters' directories now in the trash.
    pub snapshots: u64,
    pub leases: u64,
}

impl Db {
    pub fn blob_size(&self, digest: &Digest) -> Result<Option<u64>> {
        self.read("look up a blob", |db| {
            let size: Option<i64> = db
                .query_row("SELECT size FROM blob WHERE digest = ?", [digest.as_str()], |r| r.get(0))
                .optional()
                .db("look up")?;
            Ok(size.map(|s| u64::try_from(s).unwrap_or(0)))
        })
    }

    pub fn blobs(&self) -> Result<Vec<(Digest, u64)>> {
        self.read("list blobs", |db| {
            let mut statement = db.prepare_cached("SELECT digest, size FROM blob ORDER BY digest").db("list")?;
            let rows = statement.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?))).db("list")?;
            rows.map(|row| {
                let (digest, size) = row.db("list")?;
                Ok((digest.parse()?, u64::try_from(size).unwrap_or(0)))
            })
            .collect()
        })
    }

    /// Bytes and number of all blobs, in blocks of 4 KiB as filesystems hold them.
    pub fn blob_usage(&self) -> Result<Usage> {
        self.read("sum up the blobs", |db| {
            let (bytes, inodes): (i64, i64) = db
                .query_row("SELECT coalesce(sum((size + 4095) / 4096 * 4096), 0), count(*) FROM blob", [], |r| {
                    Ok((r.get(0)?, r.get(1)?))
                })
                .db("sum up")?;
            Ok(Usage { bytes: u64::try_from(bytes).unwrap_or(0), inodes: u64::try_from(inodes).unwrap_or(0) })
        })
    }

    /// Before an ingest's first byte is written: who wants it, and that there is something to clean up.
    pub fn start_ingest(&self, digest: &Digest, size: u64, lease: &str) -> Result<()> {
        self.write_soon("start an ingest", |tx| {
            hold(tx, digest, lease)?;
            tx.execute(
                "INSERT OR REPLACE INTO ingest (digest, size, started) VALUES (?, ?, ?)",
                params![digest.as_str(), i64::try_from(size).unwrap_or(i64::MAX), unix(SystemTime::now())],
            )
            .db("insert")?;
            Ok(())
        })
    }

    pub fn ingests(&self) -> Result<Vec<Digest>> {
        self.read("list ingests", |db| {
            let mut statement = db.prepare_cached("SELECT digest FROM ingest").db("list")?;
            let rows = statement.query_map([], |r| r.get::<_, String>(0)).db("list")?;
            rows.map(|row| row.db("list")?.parse()).collect()
        })
    }

    pub fn end_ingest(&self, digest: &Digest) -> Result<()> {
        self.end_soon("end an ingest", |tx| {
            tx.execute("DELETE FROM ingest WHERE digest = ?", [digest.as_str()]).db("delete")?;
            Ok(())
        })
    }

    /// After the blob's file is durable.
    pub fn commit_blob(&self, digest: &Digest, size: u64, lease: &str) -> Result<()> {
        self.write_soon("record a blob", |tx| {
            hold(tx, digest, lease)?;
            tx.execute("DELETE FROM ingest WHERE digest = ?", [digest.as_str()]).db("delete the ingest")?;
            tx.execute(
                "INSERT OR REPLACE INTO blob (digest, size, created) VALUES (?, ?, ?)",
                params![digest.as_str(), i64::try_from(size).unwrap_or(i64::MAX), unix(SystemTime::now())],
            )
            .db("insert")?;
            Ok(())
        })
    }

    /// What a collection at `now` would take, leases that have expired but not been collected aside.
    pub fn unreachable(&self, now: SystemTime) -> Result<Garbage> {
        self.read("look for garbage", |db| {
            let all: HashSet<i64> = {
                let mut statement = db.prepare("SELECT id FROM snapshot").db("list")?;
                let rows = statement.query_map([], |r| r.get(0)).db("list")?;
                rows.collect::<Result<_, _>>().db("list")?
            };
            let expired = "SELECT count(*) FROM lease WHERE expires < ?";
            Ok(Garbage {
                blobs: digests(db, &format!("SELECT digest FROM blob AS d WHERE {UNREACHABLE}"))?,
                ingests: digests(db, &format!("SELECT digest FROM ingest AS d WHERE {UNREACHABLE}"))?,
                snapshots: all.difference(&kept_snapshots(db)?).count() as u64,
                leases: db.query_row(expired, [unix(now)], |r| r.get(0)).db("count")?,
            })
        })
    }

    /// Marks from the roots (images, documents, live leases) and deletes every other row, in one transaction.
    /// Snapshots in use keep their parents; an unreachable one's directory goes to the trash.
    pub fn mark(&self, now: SystemTime) -> Result<Garbage> {
        self.end("collect garbage", |tx| {
            let leases = tx.execute("DELETE FROM lease WHERE expires < ?", [unix(now)]).db("expire leases")?;
            let blobs = digests(tx, &format!("DELETE FROM blob AS d WHERE {UNREACHABLE} RETURNING digest"))?;
            let ingests = digests(tx, &format!("DELETE FROM ingest AS d WHERE {UNREACHABLE} RETURNING digest"))?;
            let kept = kept_snapshots(tx)?;
            let mut snapshots = 0;
            // Children first: a parent cannot go before them.
            let mut statement = tx.prepare("SELECT id, snapshotter FROM snapshot ORDER BY id DESC").db("collect")?;
            let all: Vec<(i64, String)> =
                statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).and_then(Iterator::collect).db("collect")?;
            let mut gone: Vec<_> = all.into_iter().filter(|(id, _)| !kept.contains(id)).collect();
            while !gone.is_empty() {
                let before = gone.len();
                let mut left = Vec::new();
                for (id, snapshotter) in gone {
                    let children: i64 = tx
                        .query_row("SELECT count(*) FROM snapshot WHERE parent = ?", [id], |r| r.get(0))
                        .db("count children")?;
                    if children > 0 {
                        left.push((id, snapshotter));
                        continue;
                    }
                    tx.execute("DELETE FROM snapshot WHERE id = ?", [id]).db("delete")?;
                    tx.execute("INSERT INTO trash (snapshotter, id) VALUES (?, ?)", params![snapshotter, id])
                        .db("trash")?;
                    snapshots += 1;
                }
                if left.len() == before {
                    return Err(Error::new(Kind::DataLoss, "snapshots that are each other's parents"));
                }
                gone = left;
            }
            Ok(Garbage { blobs, ingests, snapshots, leases: leases as u64 })
        })
    }
}

/// Of a blob or an ingest `d`: it is nobody's.
const UNREACHABLE: &str = "NOT EXISTS (SELECT 1 FROM image_blob i WHERE i.digest = d.digest) AND digest NOT IN (SELECT digest FROM lease_blob)";

fn digests(db: &Connection, query: &str) -> Result<Vec<Digest>> {
    let mut statement = db.prepare(query).db("collect")?;
    let rows = statement.query_map([], |r| r.get::<_, String>(0)).db("collect")?;
    rows.map(|row| row.db("collect")?.parse()).collect()
}

fn hold(tx: &Transaction<'_>, digest: &Digest, lease: &str) -> Result<()> {
    tx.execute(
        "INSERT OR IGNORE INTO lease_blob (lease, digest) VALUES (?, ?)",
        params![lease_id(lease)?, digest.as_str()],
    )
    .map(drop)
    .map_err(|e| Error::new(Kind::NotFound, format!("lease {lease} has expired")).with_source(e))
}

/// Those that something of ours refers to, those that others keep here (`snapshot::SERVED`), and what they stand on.
fn kept_snapshots(tx: &Connection) -> Result<HashSet<i64>> {
    let mut statement = tx.prepare("SELECT id, parent FROM snapshot WHERE parent IS NOT NULL").db("mark")?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).db("mark")?;
    let parents: HashMap<i64, i64> = rows.collect::<Result<_, _>>().db("mark")?;
    let mut statement = tx
        .prepare(
            "SELECT id FROM snapshot WHERE snapshotter LIKE 'served/%'
             UNION ALL SELECT s.id FROM (
                SELECT snapshotter, chain AS key FROM image WHERE chain IS NOT NULL
                UNION ALL SELECT snapshotter, key FROM document_snapshot
                UNION ALL SELECT snapshotter, key FROM lease_snapshot
             ) r JOIN snapshot s ON s.snapshotter = r.snapshotter AND s.key = r.key",
        )
        .db("mark")?;
    let mut kept = HashSet::new();
    for root in statement.query_map([], |r| r.get(0)).db("mark")? {
        let mut next = Some(root.db("mark")?);
        while let Some(id) = next.filter(|id| kept.insert(*id)) {
            next = parents.get(&id).copied();
        }
    }
    Ok(kept)
}
