//! Rows of snapshots: names, parents, labels. What is on disk is the snapshotter's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Db, DbResult};
use crate::{
    bail,
    engine::{
        content::Digest,
        snapshot::{Labels, Measured, SnapshotId, SnapshotInfo, SnapshotKind, Usage},
    },
    error::{Error, Kind, Result},
};

/// A snapshot with the numbers of its directory and its ancestors'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    pub id: SnapshotId,
    pub info: SnapshotInfo,
    /// Nearest first.
    pub parents: Vec<SnapshotId>,
    /// Recorded at commit.
    pub usage: Option<Usage>,
    /// What the committed tree held, if the driver has one to look at.
    pub tree: Option<Digest>,
}

const COLUMNS: &str = "s.id, s.key, s.kind, s.labels, s.created, s.updated, s.bytes, s.inodes, p.key, s.parent, s.tree";

impl Db {
    /// A row for a snapshot whose directory is to be made; `ready_snapshot` ends that state. Durable soon, as all here
    /// but what lets files be deleted: a directory without a row goes at recovery, a row without its directory must not be.
    /// `AlreadyExists` if the key is taken, `NotFound` if there is no committed parent of that name.
    pub fn new_snapshot(
        &self,
        snapshotter: &str,
        key: &str,
        kind: SnapshotKind,
        parent: Option<&str>,
        labels: &Labels,
    ) -> Result<SnapshotRow> {
        self.write_soon("prepare a snapshot", |tx| {
            free(tx, snapshotter, key)?;
            let parent = parent.map(|name| committed(tx, snapshotter, name)).transpose()?;
            let now = micros(SystemTime::now());
            tx.execute(
                "INSERT INTO snapshot (snapshotter, key, parent, kind, ready, labels, created, updated)
                 VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
                params![snapshotter, key, parent, name_of(kind), encode(labels)?, now, now],
            )
            .db("insert")?;
            find(tx, snapshotter, key)
        })
    }

    pub fn ready_snapshot(&self, id: SnapshotId) -> Result<()> {
        self.write_soon("finish a snapshot", |tx| {
            tx.execute("UPDATE snapshot SET ready = 1 WHERE id = ?", [id.0]).db("update").map(drop)
        })
    }

    pub fn snapshot(&self, snapshotter: &str, key: &str) -> Result<SnapshotRow> {
        self.read("look up a snapshot", |db| find(db, snapshotter, key))
    }

    /// The snapshotter that most committed snapshots of our own are of, the damaged ones included: they are to be made anew.
    pub fn snapshotter_in_use(&self) -> Result<Option<String>> {
        self.read("look for a snapshotter", |db| {
            let query = "SELECT snapshotter FROM snapshot WHERE kind = 'committed' AND snapshotter NOT LIKE 'served/%'
                         GROUP BY snapshotter ORDER BY count(*) DESC, snapshotter LIMIT 1";
            db.query_row(query, [], |r| r.get(0)).optional().db("look for a snapshotter")
        })
    }

    pub fn snapshots(&self, snapshotter: &str) -> Result<Vec<SnapshotRow>> {
        self.read("list snapshots", |db| {
            let query = format!(
                "SELECT {COLUMNS} FROM snapshot s LEFT JOIN snapshot p ON s.parent = p.id WHERE s.snapshotter = ? ORDER BY s.id"
            );
            let mut statement = db.prepare_cached(&query).db("list")?;
            let mut rows = statement.query([snapshotter]).db("list")?;
            let mut list = Vec::new();
            while let Some(row) = rows.next().db("list")? {
                list.push(row_of(row)?.0);
            }
            Ok(list)
        })
    }

    /// What the committed ones hold, and the keys of the others.
    pub fn snapshot_totals(&self, snapshotter: &str) -> Result<(Usage, Vec<String>)> {
        self.read("sum up the snapshots", |db| {
            let sum = "SELECT coalesce(sum(bytes), 0), coalesce(sum(inodes), 0) FROM snapshot
                       WHERE snapshotter = ? AND kind = 'committed'";
            let (bytes, inodes) = db.query_row(sum, [snapshotter], |r| Ok((r.get(0)?, r.get(1)?))).db("sum up")?;
            let rest = "SELECT key FROM snapshot WHERE snapshotter = ? AND kind <> 'committed' AND ready = 1";
            Ok((Usage { bytes, inodes }, super::images::texts(db, rest, snapshotter)?))
        })
    }

    /// Turns an active snapshot into a committed one, as the child of `parent` (`None` in the outer option keeps the one
    /// it was prepared on). The files are durable already.
    pub fn commit_snapshot(
        &self,
        snapshotter: &str,
        key: &str,
        name: &str,
        parent: Option<Option<&str>>,
        measured: &Measured,
        labels: &Labels,
    ) -> Result<SnapshotRow> {
        self.write_soon("commit a snapshot", |tx| {
            let active = find(tx, snapshotter, key)?;
            if active.info.kind != SnapshotKind::Active {
                bail!(FailedPrecondition, "snapshot {key} is not active");
            }
            free(tx, snapshotter, name)?;
            if let Some(parent) = parent {
                let parent = parent.map(|name| committed(tx, snapshotter, name)).transpose()?;
                tx.execute("UPDATE snapshot SET parent = ? WHERE id = ?", params![parent, active.id.0]).db("set the parent")?;
            }
            let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            tx.execute(
                "UPDATE snapshot SET key = ?, kind = 'committed', labels = ?, updated = ?, bytes = ?, inodes = ?, tree = ?
                 WHERE id = ?",
                params![
                    name,
                    encode(labels)?,
                    micros(SystemTime::now()),
                    number(measured.usage.bytes),
                    number(measured.usage.inodes),
                    measured.tree.as_ref().map(Digest::as_str),
                    active.id.0
                ],
            )
            .db("update")?;
            // Whoever held the active one holds what it became.
            tx.execute(
                "INSERT OR IGNORE INTO lease_snapshot (lease, snapshotter, key)
                 SELECT lease, snapshotter, ? FROM lease_snapshot WHERE snapshotter = ? AND key = ?",
                params![name, snapshotter, key],
            )
            .db("move the leases")?;
            find(tx, snapshotter, name)
        })
    }

    pub fn relabel_snapshot(&self, snapshotter: &str, key: &str, labels: &Labels) -> Result<SnapshotRow> {
        self.write_soon("relabel a snapshot", |tx| {
            let row = find(tx, snapshotter, key)?;
            tx.execute(
                "UPDATE snapshot SET labels = ?, updated = ? WHERE id = ?",
                params![encode(labels)?, micros(SystemTime::now()), row.id.0],
            )
            .db("update")?;
            find(tx, snapshotter, key)
        })
    }

    /// Deletes the row and puts the directory in the trash. `FailedPrecondition` while there are children.
    pub fn remove_snapshot(&self, snapshotter: &str, key: &str) -> Result<SnapshotId> {
        self.end("remove a snapshot", |tx| {
            let row = find(tx, snapshotter, key)?;
            let child: Option<String> = tx
                .query_row("SELECT key FROM snapshot WHERE parent = ? LIMIT 1", [row.id.0], |r| r.get(0))
                .optional()
                .db("look for children")?;
            if let Some(child) = child {
                bail!(FailedPrecondition, "snapshot {key} has children, {child} among them");
            }
            tx.execute("DELETE FROM snapshot WHERE id = ?", [row.id.0]).db("delete")?;
            tx.execute("INSERT INTO trash (snapshotter, id) VALUES (?, ?)", params![snapshotter, row.id.0])
                .db("trash")?;
            Ok(row.id)
        })
    }

    /// Directories to delete, children before their parents.
    pub fn trash(&self, snapshotter: &str) -> Result<Vec<SnapshotId>> {
        self.read("list the trash", |db| {
            ids(db, "SELECT id FROM trash WHERE snapshotter = ? ORDER BY id DESC", snapshotter)
        })
    }

    pub fn forget_trash(&self, snapshotter: &str, id: SnapshotId) -> Result<()> {
        self.end_soon("empty the trash", |tx| {
            tx.execute("DELETE FROM trash WHERE snapshotter = ? AND id = ?", params![snapshotter, id.0])
                .db("delete")
                .map(drop)
        })
    }

    /// Puts what a crash left in the trash, and says how many that were: what is half prepared, and what was being
    /// unpacked, which nobody goes on with. What others keep here (`snapshot::SERVED`) and what lasts (a lease without end) stays.
    pub fn trash_unready(&self, snapshotter: &str) -> Result<usize> {
        let unready =
            "SELECT id FROM snapshot s WHERE snapshotter = ? AND (ready = 0 OR kind <> 'committed' AND snapshotter NOT LIKE 'served/%' AND NOT EXISTS
            (SELECT 1 FROM document_snapshot d WHERE d.snapshotter = s.snapshotter AND d.key = s.key) AND NOT EXISTS
            (SELECT 1 FROM lease_snapshot l JOIN lease ON l.lease = lease.id
             WHERE l.snapshotter = s.snapshotter AND l.key = s.key AND lease.expires = 9223372036854775807))";
        if self.read("look for half-made snapshots", |db| ids(db, unready, snapshotter))?.is_empty() {
            return Ok(0);
        }
        self.end("discard half-made snapshots", |tx| {
            let unready = ids(tx, unready, snapshotter)?;
            for id in &unready {
                tx.execute("DELETE FROM snapshot WHERE id = ?", [id.0]).db("delete")?;
                tx.execute("INSERT INTO trash (snapshotter, id) VALUES (?, ?)", params![snapshotter, id.0])
                    .db("trash")?;
            }
            Ok(unready.len())
        })
    }
}

fn ids(db: &Connection, query: &str, snapshotter: &str) -> Result<Vec<SnapshotId>> {
    let mut statement = db.prepare_cached(query).db("list")?;
    let rows = statement.query_map([snapshotter], |r| r.get(0).map(SnapshotId)).db("list")?;
    rows.collect::<Result<_, _>>().db("list")
}

fn free(db: &Connection, snapshotter: &str, key: &str) -> Result<()> {
    if key.is_empty() {
        bail!(InvalidArgument, "a snapshot's key is empty");
    }
    match find(db, snapshotter, key) {
        Ok(_) => bail!(AlreadyExists, "snapshot {key} exists"),
        Err(error) if error.is(Kind::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

fn committed(db: &Connection, snapshotter: &str, name: &str) -> Result<u64> {
    let row = find(db, snapshotter, name)?;
    if row.info.kind != SnapshotKind::Committed {
        bail!(FailedPrecondition, "parent {name} is not a committed snapshot");
    }
    Ok(row.id.0)
}

fn find(db: &Connection, snapshotter: &str, key: &str) -> Result<SnapshotRow> {
    let query = format!(
        "SELECT {COLUMNS} FROM snapshot s LEFT JOIN snapshot p ON s.parent = p.id WHERE s.snapshotter = ? AND s.key = ?"
    );
    let mut statement = db.prepare_cached(&query).db("look up")?;
    let mut rows = statement.query([snapshotter, key]).db("look up")?;
    let Some(row) = rows.next().db("look up")? else { bail!(NotFound, "snapshot {key} does not exist") };
    let (mut found, mut parent) = row_of(row)?;
    while let Some(id) = parent {
        found.parents.push(SnapshotId(id));
        parent =
            db.query_row("SELECT parent FROM snapshot WHERE id = ?", [id], |r| r.get(0)).db("look up the parents")?;
    }
    Ok(found)
}

fn row_of(row: &Row<'_>) -> Result<(SnapshotRow, Option<u64>)> {
    let read = || -> rusqlite::Result<_> {
        let kind: String = row.get(2)?;
        let labels: String = row.get(3)?;
        let usage: (Option<u64>, Option<u64>) = (row.get(6)?, row.get(7)?);
        let tree: Option<String> = row.get(10)?;
        Ok((
            row.get(0)?,
            row.get::<_, String>(1)?,
            kind,
            labels,
            row.get(4)?,
            row.get(5)?,
            usage,
            row.get(8)?,
            row.get(9)?,
            tree,
        ))
    };
    let (id, key, kind, labels, created, updated, usage, parent, parent_id, tree) = read().db("read a snapshot")?;
    let kind = match kind.as_str() {
        "active" => SnapshotKind::Active,
        "view" => SnapshotKind::View,
        "committed" => SnapshotKind::Committed,
        other => bail!(DataLoss, "snapshot {key} is of the unknown kind {other:?}"),
    };
    let labels = serde_json::from_str(&labels)
        .map_err(|e| Error::new(Kind::DataLoss, format!("the labels of snapshot {key} are damaged")).with_source(e))?;
    let info = SnapshotInfo { kind, key, parent, labels, created: time(created), updated: time(updated) };
    let usage = usage.0.zip(usage.1).map(|(bytes, inodes)| Usage { bytes, inodes });
    let tree = tree.map(|t| t.parse()).transpose()?;
    Ok((SnapshotRow { id: SnapshotId(id), info, parents: Vec::new(), usage, tree }, parent_id))
}

fn name_of(kind: SnapshotKind) -> &'static str {
    match kind {
        SnapshotKind::View => "view",
        SnapshotKind::Active => "active",
        SnapshotKind::Committed => "committed",
    }
}

fn encode(labels: &Labels) -> Result<String> {
    if let Some((key, _)) = labels.iter().find(|(k, v)| k.len() + v.len() > 4096) {
        let shown: String = key.chars().take(40).collect();
        bail!(InvalidArgument, "label {shown:?} is longer than 4096 bytes");
    }
    serde_json::to_string(labels).map_err(|e| Error::new(Kind::Internal, "encode labels").with_source(e))
}

fn micros(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

fn time(micros: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
