//! The tables, and opening a database file: pragmas, integrity, versions and the way from one to the next.

use std::{
    fs,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{DbResult, unix};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// What takes a database from version n to n + 1 (`PRAGMA user_version`); a new one goes through all. What has been
/// released is never changed here, only added to.
const STEPS: &[&str] = &[VERSION_1, VERSION_2, VERSION_3];
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Ids of snapshots are AUTOINCREMENT: a directory's number is never used again.
pub const VERSION_1: &str = "
CREATE TABLE document (
    kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id), UNIQUE (kind, name)
) STRICT;
CREATE TABLE document_snapshot (
    kind TEXT NOT NULL, id TEXT NOT NULL, snapshotter TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (kind, id, snapshotter, key),
    FOREIGN KEY (kind, id) REFERENCES document (kind, id) ON DELETE CASCADE
) STRICT;
CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, purpose TEXT NOT NULL, expires INTEGER NOT NULL) STRICT;
CREATE TABLE lease_blob (
    lease INTEGER NOT NULL REFERENCES lease (id) ON DELETE CASCADE, digest TEXT NOT NULL, PRIMARY KEY (lease, digest)
) STRICT;
CREATE TABLE lease_snapshot (
    lease INTEGER NOT NULL REFERENCES lease (id) ON DELETE CASCADE, snapshotter TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (lease, snapshotter, key)
) STRICT;
CREATE TABLE blob (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, created INTEGER NOT NULL) STRICT;
CREATE TABLE ingest (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, started INTEGER NOT NULL) STRICT;
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY AUTOINCREMENT, snapshotter TEXT NOT NULL, key TEXT NOT NULL,
    parent INTEGER REFERENCES snapshot (id), kind TEXT NOT NULL, ready INTEGER NOT NULL, labels TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, bytes INTEGER, inodes INTEGER,
    UNIQUE (snapshotter, key)
) STRICT;
CREATE INDEX snapshot_parent ON snapshot (parent);
CREATE TABLE trash (snapshotter TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (snapshotter, id)) STRICT;
CREATE TABLE image (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, size INTEGER NOT NULL, snapshotter TEXT, chain TEXT, pinned INTEGER NOT NULL
) STRICT;
CREATE TABLE image_tag (tag TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE) STRICT;
CREATE TABLE image_digest (
    reference TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE
) STRICT;
CREATE TABLE image_blob (
    image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE, digest TEXT NOT NULL, PRIMARY KEY (image, digest)
) STRICT;
";

/// What a committed layer held when it was unpacked, and why an image has to be pulled again.
const VERSION_2: &str = "
ALTER TABLE snapshot ADD COLUMN tree TEXT;
ALTER TABLE image ADD COLUMN damaged TEXT;
CREATE INDEX image_blob_digest ON image_blob (digest);
";

/// An image's names are found without a look at everybody else's.
const VERSION_3: &str = "
CREATE INDEX image_tag_image ON image_tag (image);
CREATE INDEX image_digest_image ON image_digest (image);
";

/// Opens, and brings an older schema up to date. `DataLoss` if the file is damaged.
pub fn open(path: &Path) -> Result<Connection> {
    if fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        bail!(DataLoss, "{}: it is empty", path.display());
    }
    let connection = connect(path)?;
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).db("check")?;
    if sound != "ok" {
        bail!(DataLoss, "{}: {sound}", path.display());
    }
    let version = version(&connection)?;
    if version > VERSION {
        bail!(FailedPrecondition, "{}: data written by a newer version (schema {version} > {VERSION})", path.display());
    }
    let Some(steps) = usize::try_from(version).ok().and_then(|v| STEPS.get(v..)) else {
        bail!(DataLoss, "{}: unknown schema {version}", path.display())
    };
    if !steps.is_empty() {
        if version > 0 {
            back_up(&connection, path, version)?;
        }
        let all = steps.concat();
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {all} PRAGMA user_version = {VERSION}; COMMIT;"))
            .db("bring the tables up to date")?;
    }
    Ok(connection)
}

/// Opens as it is, for who only looks: nothing is migrated, nothing moved aside. What is wrong comes as text.
pub fn examine(path: &Path, deep: bool) -> Result<(Connection, Vec<String>)> {
    let connection = connect(path)?;
    // The journal stays as it was found.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).db("configure")?;
    let mut problems = Vec::new();
    let check = if deep { "PRAGMA integrity_check(20)" } else { "PRAGMA quick_check(20)" };
    problems.extend(lines(&connection, check)?.into_iter().filter(|line| line != "ok"));
    let strays = "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' refers to a missing ' || parent
                  FROM pragma_foreign_key_check";
    problems.extend(lines(&connection, strays)?);
    let version = version(&connection)?;
    if version != VERSION {
        problems.push(format!("schema {version}, this version of wharf works with {VERSION}"));
    }
    Ok((connection, problems))
}

fn lines(connection: &Connection, query: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(query).db("check")?;
    let rows = statement.query_map([], |r| r.get(0)).db("check")?;
    rows.collect::<Result<_, _>>().db("check")
}

pub(super) fn version(connection: &Connection) -> Result<i64> {
    connection.query_row("PRAGMA user_version", [], |r| r.get(0)).db("read the version")
}

/// A copy beside it, `meta.db.schema-<version>`, durable before anything is changed. One from an earlier try stays.
fn back_up(connection: &Connection, path: &Path, version: i64) -> Result<()> {
    let copy = suffixed(path, &format!(".schema-{version}"));
    if copy.exists() {
        return Ok(());
    }
    let fresh = suffixed(path, ".schema-new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", &fresh, error)),
        _ => {}
    }
    connection.execute("VACUUM INTO ?", [fresh.to_string_lossy()]).db("back up")?;
    fs::File::open(&fresh).and_then(|f| f.sync_all()).map_err(|e| Error::io("sync", &fresh, e))?;
    fs::rename(&fresh, &copy).map_err(|e| Error::io("rename", &fresh, e))?;
    tracing::info!(copy = %copy.display(), "schema {version} of the metadata database was backed up");
    Ok(())
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn connect(path: &Path) -> Result<Connection> {
    // SQLite's own files get the mode of this one.
    let made = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    made.map_err(|e| Error::io("open", path, e))?;
    let connection = Connection::open(path).db("open")?;
    for (name, value) in [
        ("journal_mode", "WAL"),
        // What must be durable is synced by `Db::durable`, for all who wait at once.
        ("synchronous", "NORMAL"),
        ("foreign_keys", "ON"),
        ("cell_size_check", "ON"),
        // Nothing must need a file of its own where a disk may be full.
        ("temp_store", "MEMORY"),
        ("mmap_size", "0"),
    ] {
        // Some answer with a row, which is of no interest.
        connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(no_rows).db("configure")?;
    }
    Ok(connection)
}

/// A second connection to what [`open`] or [`examine`] has opened, which only looks.
pub fn reader(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).db("open to read")?;
    // All of it is read anew when something was written, so that keeping much is of no use. KiB.
    connection.pragma_update(None, "cache_size", -512).db("configure")?;
    connection.pragma_update(None, "temp_store", "MEMORY").db("configure")?;
    Ok(connection)
}

/// The write-ahead log of a database file.
pub fn log(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// What the log grows to, bytes, before SQLite begins again at its front: 1000 pages with their headers.
pub const LOG_SIZE: u64 = 32 + 1000 * (24 + 4096);

/// Fills the log up with zeros, which no reader of it takes for a frame: to sync what was written inside a file's length
/// takes a fifth of the time on a filesystem with a journal, as that need not be written. Only before the first change.
pub fn lengthen(log: &Path) -> std::io::Result<()> {
    let mut log = fs::OpenOptions::new().append(true).open(log)?;
    let missing = LOG_SIZE.saturating_sub(log.metadata()?.len());
    std::io::copy(&mut std::io::repeat(0).take(missing), &mut log)?;
    Ok(())
}

fn no_rows(error: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}

/// The file and its journal get another name, for whoever wants to look at them.
pub fn move_aside(path: &Path) -> Result<PathBuf> {
    let stamp = unix(SystemTime::now());
    let aside = (0..)
        .map(|n| suffixed(path, &format!(".corrupt-{}", stamp + n)))
        .find(|p| !p.exists())
        .ok_or_else(|| Error::new(Kind::Internal, "no free name"))?;
    fs::rename(path, &aside).map_err(|e| Error::io("rename", path, e))?;
    // Its log goes along: what was written last is there.
    for suffix in ["-wal", "-shm"] {
        let from = suffixed(path, suffix);
        match fs::rename(&from, suffixed(&aside, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("rename", &from, error));
            }
            _ => {}
        }
    }
    Ok(aside)
}
