//! Rows of blobs and ingests, and the mark of garbage collection.

use std::{
    collections::{HashMap, HashSet},
    mem,
    time::SystemTime,
};

use rusqlite::{Connection, OptionalExtension, Params, Transaction, params};

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
        let leases = self.expired_leases(now)? as u64;
        let (garbage, snapshots) = self.read_aside("look for garbage", look)?;
        Ok(Garbage { snapshots: snapshots.len() as u64, leases, ..garbage })
    }

    /// Looks from the roots (images, documents, live leases) for rows that nothing leads to, while others read and write.
    /// What of these is still nobody's is then deleted in one transaction. Snapshots in use keep their parents; an
    /// unreachable one's directory goes to the trash.
    pub fn mark(&self, now: SystemTime) -> Result<Garbage> {
        let leases = self.end_soon("end expired leases", |tx| {
            tx.execute("DELETE FROM lease WHERE expires < ?", [unix(now)]).db("expire leases")
        })?;
        let (seen, snapshots) = self.read_aside("look for garbage", look)?;
        self.end("collect garbage", |tx| {
            let still = |table: &str, of: &[Digest]| {
                let of = serde_json::Value::from_iter(of.iter().map(Digest::as_str)).to_string();
                let some = "digest IN (SELECT value FROM json_each(?))";
                digests(tx, &format!("DELETE FROM {table} AS d WHERE {some} AND {UNREACHABLE} RETURNING digest"), [of])
            };
            Ok(Garbage {
                blobs: still("blob", &seen.blobs)?,
                ingests: still("ingest", &seen.ingests)?,
                snapshots: trash(tx, &snapshots)?,
                leases: leases as u64,
            })
        })
    }
}

/// Blobs and ingests that nothing leads to, and ids of such snapshots.
fn look(db: &Connection) -> Result<(Garbage, Vec<i64>)> {
    let of = |table: &str| digests(db, &format!("SELECT digest FROM {table} AS d WHERE {UNREACHABLE}"), []);
    Ok((Garbage { blobs: of("blob")?, ingests: of("ingest")?, ..Garbage::default() }, unreachable_snapshots(db)?))
}

/// Deletes those that are still nobody's, children before the parents they stand on. Says how many.
fn trash(tx: &Transaction<'_>, snapshots: &[i64]) -> Result<u64> {
    if snapshots.is_empty() {
        return Ok(0);
    }
    let roots = roots(tx)?;
    let mut childless = tx.prepare("SELECT NOT EXISTS (SELECT 1 FROM snapshot WHERE parent = ?)").db("collect")?;
    let mut delete = tx.prepare("DELETE FROM snapshot WHERE id = ? RETURNING snapshotter").db("collect")?;
    let mut put = tx.prepare("INSERT INTO trash (snapshotter, id) VALUES (?, ?)").db("collect")?;
    let mut count = 0;
    let mut left: Vec<i64> = snapshots.iter().copied().filter(|id| !roots.contains(id)).collect();
    loop {
        let before = left.len();
        for id in mem::take(&mut left) {
            if !childless.query_row([id], |r| r.get(0)).db("look for children")? {
                left.push(id);
                continue;
            }
            let snapshotter: Option<String> = delete.query_row([id], |r| r.get(0)).optional().db("delete")?;
            count += snapshotter.map_or(Ok(0), |name| put.execute(params![name, id])).db("trash")? as u64;
        }
        // What is left has got a child since it was looked at.
        if left.is_empty() || left.len() == before {
            return Ok(count);
        }
    }
}

/// Of a blob or an ingest `d`: it is nobody's.
const UNREACHABLE: &str = "NOT EXISTS (SELECT 1 FROM image_blob i WHERE i.digest = d.digest) AND digest NOT IN (SELECT digest FROM lease_blob)";

fn digests(db: &Connection, query: &str, parameters: impl Params) -> Result<Vec<Digest>> {
    let mut statement = db.prepare(query).db("collect")?;
    let rows = statement.query_map(parameters, |r| r.get::<_, String>(0)).db("collect")?;
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

/// Ids of the snapshots that something of ours refers to, and of those that others keep here (`snapshot::SERVED`).
fn roots(db: &Connection) -> Result<HashSet<i64>> {
    let mut statement = db
        .prepare(
            "SELECT id FROM snapshot WHERE snapshotter LIKE 'served/%'
             UNION ALL SELECT s.id FROM (
                SELECT snapshotter, chain AS key FROM image WHERE chain IS NOT NULL
                UNION ALL SELECT snapshotter, key FROM document_snapshot
                UNION ALL SELECT snapshotter, key FROM lease_snapshot
             ) r JOIN snapshot s ON s.snapshotter = r.snapshotter AND s.key = r.key",
        )
        .db("mark")?;
    let roots = statement.query_map([], |r| r.get(0)).db("mark")?;
    roots.collect::<Result<_, _>>().db("mark")
}

/// Ids of the snapshots that are no roots, and on which none stands; the newest first, as most children are.
fn unreachable_snapshots(db: &Connection) -> Result<Vec<i64>> {
    let mut statement = db.prepare("SELECT id, parent FROM snapshot ORDER BY id DESC").db("mark")?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).db("mark")?;
    let all: Vec<(i64, Option<i64>)> = rows.collect::<Result<_, _>>().db("mark")?;
    let parents: HashMap<i64, i64> = all.iter().filter_map(|(id, parent)| Some((*id, (*parent)?))).collect();
    let mut kept = HashSet::new();
    for root in roots(db)? {
        let mut next = Some(root);
        while let Some(id) = next.filter(|id| kept.insert(*id)) {
            next = parents.get(&id).copied();
        }
    }
    Ok(all.into_iter().map(|(id, _)| id).filter(|id| !kept.contains(id)).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::snapshot::{Labels, SnapshotKind};

    /// Between the look and the deletion anybody may have taken a lease, or put something on a snapshot.
    #[test]
    fn what_somebody_wants_by_now_is_no_garbage() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("meta.db")).unwrap();
        let lease = db.lease("test", Duration::from_secs(60)).unwrap();
        let make = |key: &str, parent: Option<&str>| {
            let row = db.new_snapshot("native", key, SnapshotKind::Active, parent, &Labels::new()).unwrap();
            db.ready_snapshot(row.id).unwrap();
            let measured = crate::engine::snapshot::Measured { usage: Usage::default(), tree: None };
            db.commit_snapshot("native", key, &format!("{key}!"), None, &measured, &Labels::new()).unwrap();
        };
        for key in ["base", "leased", "stood on", "alone"] {
            make(key, (key != "base").then_some("base!"));
        }
        let seen = db.read("look", unreachable_snapshots).unwrap();
        assert_eq!(seen.len(), 4);
        db.lease_snapshot(&lease, "native", "leased!").unwrap();
        make("new", Some("stood on!"));
        assert_eq!(db.end("collect", |tx| trash(tx, &seen)).unwrap(), 1);
        assert!(db.snapshot("native", "alone!").unwrap_err().is(crate::error::Kind::NotFound));
        for key in ["base!", "leased!", "stood on!", "new!"] {
            db.snapshot("native", key).unwrap();
        }
    }
}
