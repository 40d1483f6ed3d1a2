//! The tables, and opening a database file: pragmas, integrity, versions.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::Connection;

use super::{DbResult, unix};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// `PRAGMA user_version` of what `TABLES` makes.
const VERSION: i64 = 1;

/// Ids of snapshots are AUTOINCREMENT: a directory's number is never used again.
const TABLES: &str = "
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

/// `DataLoss` if the file is damaged.
pub fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).db("open")?;
    for (name, value) in [
        ("journal_mode", "WAL"),
        // What must be durable is synced by `Db::durable`, for all who wait at once.
        ("synchronous", "NORMAL"),
        ("foreign_keys", "ON"),
        ("cell_size_check", "ON"),
        ("mmap_size", "0"),
    ] {
        // Some answer with a row, which is of no interest.
        connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(no_rows).db("configure")?;
    }
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).db("check")?;
    if sound != "ok" {
        bail!(DataLoss, "{}: {sound}", path.display());
    }
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).db("read the version")?;
    match version {
        0 => connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))
            .db("make the tables")?,
        VERSION => {}
        newer if newer > VERSION => {
            bail!(
                FailedPrecondition,
                "{}: data written by a newer version (schema {newer} > {VERSION})",
                path.display()
            )
        }
        other => bail!(DataLoss, "{}: unknown schema {other}", path.display()),
    }
    Ok(connection)
}

/// The write-ahead log of a database file.
pub fn log(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn no_rows(error: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}

/// The file and its journal get another name, for whoever wants to look at them.
pub fn move_aside(path: &Path) -> Result<PathBuf> {
    let suffixed = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let stamp = unix(SystemTime::now());
    let aside = (0..)
        .map(|n| suffixed(&format!(".corrupt-{}", stamp + n)))
        .find(|p| !p.exists())
        .ok_or_else(|| Error::new(Kind::Internal, "no free name"))?;
    fs::rename(path, &aside).map_err(|e| Error::io("rename", path, e))?;
    for suffix in ["-wal", "-shm"] {
        match fs::remove_file(suffixed(suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("remove", suffixed(suffix), error));
            }
            _ => {}
        }
    }
    Ok(aside)
}
