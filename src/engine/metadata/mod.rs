//! The one database (SQLite: WAL, a connection to write, one to read, and one of their own for looks that take long).
//!
//! Every call is one transaction. What it wrote survives our own death at once; it survives a power cut when a later
//! [`Db::durable`] has returned, which calls make themselves unless their name or documentation says otherwise. The log
//! keeps their order, so a power cut takes the last ones only, never one in the middle; and one sync serves all who wait
//! for it. One file for everything, so that images, snapshots and pods can never disagree about what a crash left behind
//! (docs/architecture.md, "Crash consistency"). Here: opening, documents and leases; the siblings have the rest.

mod ballast;
mod damage;
mod images;
mod salvage;
mod schema;
mod snapshots;
mod storage;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::{Serialize, de::DeserializeOwned};

use ballast::Ballast;
pub use images::ImageRow;
use images::Listed;
pub use snapshots::SnapshotRow;
pub use storage::Garbage;

use crate::{
    bail,
    engine::content::Digest,
    error::{Context, Error, Kind, Result},
};

/// `root/meta.db`.
#[derive(Debug)]
pub struct Db {
    /// Sees what has been committed, whatever is under way in the other. Closed first: the last one tidies up.
    reader: Mutex<Connection>,
    connection: Mutex<Connection>,
    path: PathBuf,
    ballast: Ballast,
    /// SQLite's write-ahead log, which is ours to sync: the connection itself only does it when it starts the log anew.
    log: File,
    /// Transactions committed.
    written: AtomicU64,
    /// How many of them are on the disk; `None` once a sync has failed.
    synced: Mutex<Option<u64>>,
    /// How often a row of an image's was changed, and once more when a change was committed.
    image_changes: Arc<AtomicU64>,
    /// The images as of so many changes. They are listed all the time, by whoever must not wait until a collection is done.
    listed: Mutex<Option<(u64, Listed)>>,
}

/// Which documents: pod sandboxes or containers. Names are unique within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Sandboxes,
    Containers,
}

/// Bytes of a record when it is made; what becomes of it later is a little more and ours (threats RUN-22).
const DOCUMENT_LIMIT: usize = 1 << 20;

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Sandboxes => "sandbox",
            Self::Containers => "container",
        }
    }
}

impl Db {
    /// Opens or makes the database. A damaged one is moved aside as `meta.db.corrupt-<unix seconds>` and a fresh one is
    /// made, with the pods and what they stand on if that can be read: a node must come up. One written by a newer version
    /// is refused.
    pub fn open(path: &Path) -> Result<Self> {
        let ballast = Ballast::beside(path);
        ballast.make_room()?;
        let connection = match schema::open(path) {
            Ok(connection) => connection,
            Err(error) if error.is(Kind::DataLoss) => {
                let aside = schema::move_aside(path)?;
                let mut fresh = schema::open(path)?;
                let (pods, images) = salvage::pods(&aside, &mut fresh).unwrap_or_else(|lost| {
                    tracing::error!("nothing of the damaged database can be used: {lost:#}");
                    (0, None)
                });
                tracing::error!(
                    "metadata database damaged ({error:#}); moved to {}: {pods} pods kept, {} images have to be pulled again",
                    aside.display(),
                    images.map_or_else(|| "all".to_owned(), |count| count.to_string())
                );
                fresh
            }
            Err(error) => return Err(error),
        };
        if ballast.is_plenty(schema::LOG_SIZE)? {
            let log = schema::log(path);
            schema::lengthen(&log).map_err(|e| Error::io("lengthen", &log, e))?;
        }
        Self::with(path, connection, ballast)
    }

    /// Opens for who only looks, with what is wrong with the file. `DataLoss` if nothing can be read.
    pub fn examine(path: &Path, deep: bool) -> Result<(Self, Vec<String>)> {
        let (connection, problems) = schema::examine(path, deep)?;
        Ok((Self::with(path, connection, Ballast::beside(path))?, problems))
    }

    /// Puts space aside, if there is plenty, for when there is none.
    pub fn stock_up(&self) -> Result<()> {
        self.ballast.restore()
    }

    fn with(path: &Path, mut connection: Connection, ballast: Ballast) -> Result<Self> {
        let log = schema::log(path);
        let directory = path.parent().unwrap_or(Path::new("/"));
        File::open(directory).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync directory", directory, e))?;
        let log = File::open(&log).map_err(|e| Error::io("open", &log, e))?;
        let (written, synced) = (AtomicU64::new(1), Mutex::new(Some(0)));
        let image_changes = Arc::new(AtomicU64::new(0));
        let changes = Arc::clone(&image_changes);
        let seen = move |_, _: &str, table: &str, _| {
            if table.starts_with("image") {
                changes.fetch_add(1, Ordering::SeqCst);
            }
        };
        connection.update_hook(Some(seen)).db("watch the images")?;
        let (reader, connection) = (Mutex::new(schema::reader(path)?), Mutex::new(connection));
        let (path, listed) = (path.to_owned(), Mutex::default());
        let db = Self { reader, connection, path, ballast, log, written, synced, image_changes, listed };
        db.durable()?;
        Ok(db)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One durable transaction.
    fn write<T>(&self, doing: &str, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let value = self.write_soon(doing, work)?;
        self.durable().context(|| doing.to_owned())?;
        Ok(value)
    }

    /// One transaction, durable with the next [`Self::durable`].
    fn write_soon<T>(&self, doing: &str, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let images = self.image_changes.load(Ordering::SeqCst);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).db(doing)?;
        let value = work(&transaction).context(|| doing.to_owned())?;
        transaction.commit().db(doing)?;
        self.written.fetch_add(1, Ordering::SeqCst);
        if self.image_changes.load(Ordering::SeqCst) != images {
            // Who has read in between may have seen what was before.
            self.image_changes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(value)
    }

    /// A write that leads to less being kept: a full disk must not keep it from its turn, so the ballast goes for it.
    fn end<T>(&self, doing: &str, work: impl Fn(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let value = self.end_soon(doing, work)?;
        self.durable().context(|| doing.to_owned())?;
        Ok(value)
    }

    /// As `end`, durable soon.
    fn end_soon<T>(&self, doing: &str, work: impl Fn(&Transaction<'_>) -> Result<T>) -> Result<T> {
        match self.write_soon(doing, &work) {
            Err(error) if ballast::is_full(&error) && self.ballast.release()? => self.write_soon(doing, &work),
            other => other,
        }
    }

    /// Returns when everything that was written before the call survives a power cut. Blocks for at most two syncs, its
    /// own and the one that is under way.
    ///
    /// # Errors
    /// `DataLoss` for good once a sync has failed: the kernel has then forgotten what it could not write, and would
    /// report success the next time. Opening the database again reads what there really is.
    pub fn durable(&self) -> Result<()> {
        let wanted = self.written.load(Ordering::SeqCst);
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        match *synced {
            None => return self.no_more(),
            Some(done) if done >= wanted => return Ok(()),
            Some(_) => {}
        }
        let all = self.written.load(Ordering::SeqCst);
        let outcome = rustix::fs::fdatasync(&self.log);
        *synced = outcome.is_ok().then_some(all);
        outcome.map_err(|e| Error::new(Kind::DataLoss, "sync the database").with_source(e))
    }

    /// Whether it takes changes.
    ///
    /// # Errors
    /// `DataLoss` after a sync that failed.
    pub fn usable(&self) -> Result<()> {
        // Who holds it syncs just now, and will see.
        match self.synced.try_lock() {
            Ok(synced) if synced.is_none() => self.no_more(),
            _ => Ok(()),
        }
    }

    fn no_more(&self) -> Result<()> {
        bail!(DataLoss, "an earlier sync of the database failed: the engine must be restarted")
    }

    /// Of one moment, and beside a writer: who lists or looks up does not wait until a transaction has ended.
    fn read<T>(&self, doing: &str, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        read(&mut self.reader.lock().unwrap_or_else(PoisonError::into_inner), doing, work)
    }

    /// The same for a look at everything: nobody waits for it, reader or writer.
    fn read_aside<T>(&self, doing: &str, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        read(&mut schema::reader(&self.path)?, doing, work)
    }

    // -- documents: one JSON value per pod or container

    /// Inserts; durable soon. `AlreadyExists` names the id that holds the name.
    pub fn insert(&self, table: Table, id: &str, name: &str, document: &impl Serialize) -> Result<()> {
        let text = encode(document)?;
        if text.len() > DOCUMENT_LIMIT {
            let kind = table.name();
            bail!(
                ResourceExhausted,
                "the record of {kind} {name:?} has {} bytes, {DOCUMENT_LIMIT} are allowed: shorten its labels and annotations",
                text.len()
            );
        }
        self.write_soon("insert a record", |tx| {
            let held: Option<String> = tx
                .query_row("SELECT id FROM document WHERE kind = ? AND name = ?", params![table.name(), name], |r| {
                    r.get(0)
                })
                .optional()
                .db("look for the name")?;
            if let Some(held) = held {
                bail!(AlreadyExists, "failed to reserve {} name {name:?}: it is reserved for {held:?}", table.name());
            }
            tx.execute(
                "INSERT INTO document (kind, id, name, body) VALUES (?, ?, ?, ?)",
                params![table.name(), id, name, text],
            )
            .db("insert")?;
            Ok(())
        })
    }

    /// `NotFound` if there is no such document.
    pub fn update(&self, table: Table, id: &str, document: &impl Serialize) -> Result<()> {
        self.update_soon(table, id, document)?;
        self.durable().context(|| "update a record".to_owned())
    }

    /// As `update`, durable soon.
    pub fn update_soon(&self, table: Table, id: &str, document: &impl Serialize) -> Result<()> {
        let text = encode(document)?;
        self.end_soon("update a record", |tx| {
            let changed = tx
                .execute("UPDATE document SET body = ? WHERE kind = ? AND id = ?", params![text, table.name(), id])
                .db("update")?;
            if changed == 0 {
                bail!(NotFound, "there is no {} {id}", table.name());
            }
            Ok(())
        })
    }

    /// Idempotent, durable soon; what the document kept alive is garbage from now on.
    pub fn delete(&self, table: Table, id: &str) -> Result<()> {
        self.end_soon("delete a record", |tx| {
            tx.execute("DELETE FROM document WHERE kind = ? AND id = ?", params![table.name(), id]).db("delete")?;
            Ok(())
        })
    }

    /// All of a table; a document that does not parse is returned as its id and the error, never an error of the whole.
    pub fn list<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<(String, Result<T>)>> {
        let rows: Vec<(String, String)> = self.read("list records", |db| {
            let mut statement =
                db.prepare_cached("SELECT id, body FROM document WHERE kind = ? ORDER BY id").db("list")?;
            let rows = statement.query_map([table.name()], |r| Ok((r.get(0)?, r.get(1)?))).db("list")?;
            rows.collect::<Result<_, _>>().db("list")
        })?;
        let parse = |id: &str, text: &str| {
            serde_json::from_str(text).map_err(|e| {
                Error::new(Kind::DataLoss, format!("the record of {} {id} is damaged", table.name())).with_source(e)
            })
        };
        Ok(rows.into_iter().map(|(id, text)| (parse(&id, &text), id)).map(|(record, id)| (id, record)).collect())
    }

    pub fn ids(&self, table: Table) -> Result<Vec<String>> {
        self.read("list ids", |db| {
            images::texts(db, "SELECT id FROM document WHERE kind = ? ORDER BY id", table.name())
        })
    }

    /// The document refers to a snapshot, which is kept while the document is. Durable soon.
    pub fn keep_snapshot(&self, table: Table, id: &str, snapshotter: &str, key: &str) -> Result<()> {
        self.write_soon("keep a snapshot", |tx| {
            tx.execute(
                "INSERT OR IGNORE INTO document_snapshot (kind, id, snapshotter, key) VALUES (?, ?, ?, ?)",
                params![table.name(), id, snapshotter, key],
            )
            .db("insert")?;
            Ok(())
        })
    }

    // -- leases: what is in flight is not garbage. All durable soon: a power cut ends what is in flight.

    /// A new lease; it expires by itself unless renewed.
    pub fn lease(&self, purpose: &str, expires: Duration) -> Result<String> {
        let until = unix(SystemTime::now() + expires);
        self.write_soon("take a lease", |tx| {
            tx.execute("INSERT INTO lease (purpose, expires) VALUES (?, ?)", params![purpose, until]).db("insert")?;
            Ok(tx.last_insert_rowid().to_string())
        })
    }

    /// How many leases nobody has renewed in time.
    pub fn expired_leases(&self, now: SystemTime) -> Result<usize> {
        self.read("look for expired leases", |db| {
            db.query_row("SELECT count(*) FROM lease WHERE expires < ?", [unix(now)], |r| r.get(0)).db("count")
        })
    }

    pub fn renew(&self, lease: &str, expires: Duration) -> Result<()> {
        let until = unix(SystemTime::now() + expires);
        self.write_soon("renew a lease", |tx| {
            match tx
                .execute("UPDATE lease SET expires = ? WHERE id = ?", params![until, lease_id(lease)?])
                .db("update")?
            {
                0 => bail!(NotFound, "lease {lease} has expired and was collected"),
                _ => Ok(()),
            }
        })
    }

    /// Keeps a blob while the lease lives, also one that is not here yet.
    pub fn lease_blob(&self, lease: &str, digest: &Digest) -> Result<()> {
        self.write_soon("lease a blob", |tx| {
            tx.execute(
                "INSERT OR IGNORE INTO lease_blob (lease, digest) VALUES (?, ?)",
                params![lease_id(lease)?, digest.as_str()],
            )
            .db("insert")?;
            Ok(())
        })
    }

    pub fn lease_snapshot(&self, lease: &str, snapshotter: &str, key: &str) -> Result<()> {
        self.write_soon("lease a snapshot", |tx| {
            tx.execute(
                "INSERT OR IGNORE INTO lease_snapshot (lease, snapshotter, key) VALUES (?, ?, ?)",
                params![lease_id(lease)?, snapshotter, key],
            )
            .db("insert")?;
            Ok(())
        })
    }

    /// Idempotent. What the same work left behind in an earlier life goes with it.
    pub fn release(&self, lease: &str) -> Result<()> {
        self.end_soon("release a lease", |tx| {
            let id = lease_id(lease)?;
            tx.execute(
                "DELETE FROM lease WHERE id = ?1 OR purpose = ?2 || (SELECT purpose FROM lease WHERE id = ?1)",
                params![id, ABANDONED],
            )
            .db("delete")?;
            Ok(())
        })
    }

    /// The work of a lease, or of all, was cut off: what it had stays for the same work to go on with, for this long.
    pub fn abandon(&self, lease: Option<&str>, expires: Duration) -> Result<()> {
        let until = unix(SystemTime::now() + expires);
        let id = lease.map(lease_id).transpose()?;
        self.write("abandon leases", |tx| {
            tx.execute(
                "UPDATE lease SET expires = min(expires, ?2), purpose = ?3 || purpose
                 WHERE (?1 IS NULL OR id = ?1) AND purpose NOT LIKE ?3 || '%'",
                params![id, until, ABANDONED],
            )
            .db("update")?;
            Ok(())
        })
    }
}

fn read<T>(connection: &mut Connection, doing: &str, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let moment = connection.transaction().db(doing)?;
    work(&moment).context(|| doing.to_owned())
}

/// Before the purpose of a lease whose holder is gone.
const ABANDONED: &str = "abandoned: ";

fn lease_id(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::new(Kind::InvalidArgument, format!("invalid lease {text:?}")))
}

fn encode(document: &impl Serialize) -> Result<String> {
    // All that has no text is a number of an enumeration that CRI does not know, which the caller gave.
    serde_json::to_string(document).map_err(|e| Error::new(Kind::InvalidArgument, "encode a record").with_source(e))
}

/// Seconds since the epoch.
fn unix(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}

/// SQLite's errors with our kinds.
trait DbResult<T> {
    fn db(self, doing: &str) -> Result<T>;
}

impl<T> DbResult<T> for rusqlite::Result<T> {
    fn db(self, doing: &str) -> Result<T> {
        self.map_err(|error| {
            let kind = match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Kind::ResourceExhausted,
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Kind::DataLoss,
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Unavailable,
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Kind::PermissionDenied,
                Some(ErrorCode::ConstraintViolation) => Kind::AlreadyExists,
                _ => Kind::Internal,
            };
            Error::new(kind, format!("metadata database: {doing}")).with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn db() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("meta.db")).unwrap();
        (dir, db)
    }

    #[test]
    fn one_sync_serves_all_and_a_failed_one_is_final() {
        let (_dir, mut db) = db();
        db.insert(Table::Sandboxes, "a", "a", &1).unwrap();
        assert_eq!(*db.synced.lock().unwrap(), Some(1), "an insert is durable soon");
        db.update(Table::Sandboxes, "a", &2).unwrap();
        assert_eq!(*db.synced.lock().unwrap(), Some(3), "an update at once, with all before it");
        db.usable().unwrap();
        // A descriptor that cannot be synced.
        db.log = File::open("/proc/self/ns/mnt").unwrap();
        assert!(db.update(Table::Sandboxes, "a", &3).unwrap_err().is(Kind::DataLoss));
        db.log = File::open(std::env::temp_dir()).unwrap();
        assert!(db.usable().unwrap_err().is(Kind::DataLoss));
        assert!(db.durable().unwrap_err().is(Kind::DataLoss), "success after a failure would be a lie");
    }

    #[test]
    fn who_reads_waits_for_nobody_and_sees_what_is_committed() {
        let (_dir, db) = db();
        let db = Arc::new(db);
        let seen = || {
            let (reader, (done, seen)) = (Arc::clone(&db), std::sync::mpsc::channel());
            std::thread::spawn(move || done.send(reader.images().and_then(|_| reader.ids(Table::Sandboxes))));
            seen.recv_timeout(Duration::from_secs(5)).expect("it waits").unwrap()
        };
        db.write_soon("hold on", |tx| {
            tx.execute("INSERT INTO document (kind, id, name, body) VALUES ('sandbox', 'a', 'a', '1')", []).unwrap();
            assert!(seen().is_empty());
            Ok(())
        })
        .unwrap();
        assert_eq!(db.read_aside("look at everything", |_| Ok(seen())).unwrap(), ["a"]);
    }

    #[test]
    fn run_22_a_record_has_a_size() {
        let (_dir, db) = db();
        let text = |length: usize| "x".repeat(length - 2);
        db.insert(Table::Sandboxes, "a", "a", &text(DOCUMENT_LIMIT)).unwrap();
        let error = db.insert(Table::Sandboxes, "b", "b", &text(DOCUMENT_LIMIT + 1)).unwrap_err();
        assert!(error.is(Kind::ResourceExhausted), "{error:?}");
        assert_eq!(db.ids(Table::Sandboxes).unwrap(), ["a"]);
        // What there is can still be changed: its end must be recorded.
        db.update(Table::Sandboxes, "a", &text(DOCUMENT_LIMIT + 100)).unwrap();
    }

    #[test]
    fn documents_are_kept_under_unique_names() {
        let (dir, db) = db();
        db.insert(Table::Sandboxes, "a", "pod_ns_uid_0", &7).unwrap();
        let taken = db.insert(Table::Sandboxes, "b", "pod_ns_uid_0", &8).unwrap_err();
        assert!(taken.is(Kind::AlreadyExists) && format!("{taken:#}").contains("\"a\""), "{taken:#}");
        db.insert(Table::Containers, "b", "pod_ns_uid_0", &8).unwrap();
        db.update(Table::Sandboxes, "a", &9).unwrap();
        assert!(db.update(Table::Sandboxes, "zz", &9).unwrap_err().is(Kind::NotFound));
        drop(db);
        let db = Db::open(&dir.path().join("meta.db")).unwrap();
        let all: Vec<(String, i32)> =
            db.list(Table::Sandboxes).unwrap().into_iter().map(|(i, r)| (i, r.unwrap())).collect();
        assert_eq!(all, [("a".to_owned(), 9)]);
        db.delete(Table::Sandboxes, "a").unwrap();
        db.delete(Table::Sandboxes, "a").unwrap();
        assert!(db.list::<i32>(Table::Sandboxes).unwrap().is_empty());
    }

    #[test]
    fn pod_18_one_damaged_record_does_not_hide_the_others() {
        let (_dir, db) = db();
        db.insert(Table::Containers, "good", "g", &1).unwrap();
        db.insert(Table::Containers, "bad", "b", &"not a number").unwrap();
        let all = db.list::<i32>(Table::Containers).unwrap();
        assert!(all[0].1.as_ref().unwrap_err().is(Kind::DataLoss));
        assert_eq!(*all[1].1.as_ref().unwrap(), 1);
    }

    #[test]
    fn what_was_abandoned_is_kept_for_the_same_work_and_goes_with_it() {
        let (_dir, db) = db();
        let (hour, digest) = (Duration::from_secs(3600), Digest::of(b"x"));
        let hold = |purpose: &str| {
            let lease = db.lease(purpose, hour).unwrap();
            db.start_ingest(&digest, 1, &lease).unwrap();
            lease
        };
        hold("pull a");
        db.abandon(None, Duration::from_secs(60)).unwrap();
        let other = hold("pull b");
        db.release(&other).unwrap();
        assert!(db.mark(SystemTime::now()).unwrap().ingests.is_empty(), "another work's end changes nothing");
        let again = hold("pull a");
        db.release(&again).unwrap();
        assert_eq!(db.mark(SystemTime::now()).unwrap().ingests, std::slice::from_ref(&digest));
        let last = hold("pull a");
        db.abandon(Some(&last), Duration::from_secs(60)).unwrap();
        let later = SystemTime::now() + Duration::from_secs(61);
        assert_eq!((db.expired_leases(SystemTime::now()).unwrap(), db.expired_leases(later).unwrap()), (0, 1));
        assert_eq!(db.mark(later).unwrap().leases, 1);
    }

    #[test]
    fn snp_15_an_older_schema_is_brought_up_to_date_after_a_backup() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(&format!("{} PRAGMA user_version = 1;", schema::VERSION_1)).unwrap();
        let image = Digest::of(b"image");
        old.execute("INSERT INTO image VALUES (?1, ?1, 1, 'overlayfs', 'c', 0)", [image.as_str()]).unwrap();
        old.execute("INSERT INTO snapshot VALUES (7, 'overlayfs', 'c', NULL, 'committed', 1, '{}', 1, 1, 10, 2)", [])
            .unwrap();
        drop(old);
        let db = Db::open(&path).unwrap();
        assert_eq!(db.images().unwrap()[0].id, image);
        let layer = db.snapshot("overlayfs", "c").unwrap();
        assert_eq!((layer.id.0, layer.tree), (7, None));
        drop(db);
        let backup = Connection::open(dir.path().join("meta.db.schema-1")).unwrap();
        let version: i64 = backup.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
        assert_eq!(version, 1);
        assert_eq!(backup.query_row("SELECT count(*) FROM snapshot", [], |r| r.get::<_, i64>(0)).unwrap(), 1);
        assert!(Db::examine(&path, true).unwrap().1.is_empty());
    }

    #[test]
    fn snp_15_a_newer_schema_is_refused() {
        let (dir, db) = db();
        db.lock().pragma_update(None, "user_version", 99).unwrap();
        drop(db);
        let error = Db::open(&dir.path().join("meta.db")).unwrap_err();
        assert!(error.is(Kind::FailedPrecondition) && format!("{error:#}").contains("newer version"), "{error:#}");
    }
}
