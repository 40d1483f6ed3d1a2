//! Of a damaged database: the pods, the containers and the snapshots they stand on, so that what runs goes on.
//!
//! Images and blobs are not taken over: they can be had again. Snapshots are taken over all or not at all, because a start
//! deletes the directories of those it does not know, and containers stand on them.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, types::Value};

use super::{DbResult, schema};
use crate::{bail, error::Result};

/// In an order in which references hold.
const TABLES: &[&str] = &["snapshot", "document", "document_snapshot", "trash"];

/// Copies them; how many pods that are, and how many images are lost, if that can be told.
///
/// # Errors
/// If they cannot all be read: `fresh` is as it was.
pub fn pods(damaged: &Path, fresh: &mut Connection) -> Result<(usize, Option<usize>)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let old = Connection::open_with_flags(damaged, flags).db("open what was damaged")?;
    let version = schema::version(&old)?;
    if version != schema::VERSION {
        bail!(FailedPrecondition, "it has schema {version}");
    }
    // References are looked at when all is there: a snapshot's parent may come after it.
    fresh.pragma_update(None, "foreign_keys", false).db("configure")?;
    let copied = copy(&old, fresh);
    fresh.pragma_update(None, "foreign_keys", true).db("configure")?;
    let pods = copied?;
    let images = old.query_row("SELECT count(*) FROM image NOT INDEXED", [], |r| r.get(0));
    Ok((pods, images.ok()))
}

fn copy(old: &Connection, fresh: &mut Connection) -> Result<usize> {
    let transaction = fresh.transaction().db("begin")?;
    for table in TABLES {
        let mut from = old.prepare(&format!("SELECT * FROM {table} NOT INDEXED")).db("read")?;
        let columns = from.column_count();
        let places = vec!["?"; columns].join(", ");
        let mut into = transaction.prepare(&format!("INSERT INTO {table} VALUES ({places})")).db("write")?;
        let mut rows = from.query([]).db("read")?;
        while let Some(row) = rows.next().db("read a row")? {
            let values =
                (0..columns).map(|n| row.get::<_, Value>(n)).collect::<Result<Vec<_>, _>>().db("read a row")?;
            into.execute(rusqlite::params_from_iter(values)).db("copy a row")?;
        }
    }
    // Numbers are never used again, also those of snapshots that have gone.
    let last: i64 =
        old.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'snapshot'", [], |r| r.get(0)).unwrap_or(0);
    transaction
        .execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'snapshot'", [last])
        .db("go on with the numbers")?;
    // What was read may not be what was written.
    let wrong = "SELECT (SELECT count(*) FROM pragma_foreign_key_check)
        + (SELECT count(*) FROM document WHERE NOT json_valid(body) OR kind NOT IN ('sandbox', 'container'))
        + (SELECT count(*) FROM snapshot WHERE NOT json_valid(labels) OR kind NOT IN ('active', 'view', 'committed'))";
    let wrong: i64 = transaction.query_row(wrong, [], |r| r.get(0)).db("check")?;
    if wrong > 0 {
        bail!(DataLoss, "{wrong} rows are damaged, or refer to rows that are lost");
    }
    let pods = "SELECT count(*) FROM document WHERE kind = 'sandbox'";
    let pods = transaction.query_row(pods, [], |r| r.get(0)).db("count")?;
    transaction.commit().db("keep what was read")?;
    Ok(pods)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Db, Table},
        *,
    };
    use crate::engine::snapshot::{Labels, SnapshotKind};

    #[test]
    fn snp_04_a_damaged_database_is_moved_aside_and_its_pods_are_kept_if_they_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.db");
        let whole = {
            let db = Db::open(&path).unwrap();
            for n in 0..40 {
                let name = format!("pod {n}");
                db.insert(Table::Sandboxes, &name, &name, &vec![n; 200]).unwrap();
                db.new_snapshot("overlayfs", &name, SnapshotKind::Active, None, &Labels::new()).unwrap();
            }
            drop(db);
            let database = Connection::open(&path).unwrap();
            database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            drop(database);
            std::fs::read(&path).unwrap()
        };
        let root_of = |table: &str| {
            let database = Connection::open(&path).unwrap();
            let query = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
            database.query_row(query, [table], |r| r.get::<_, usize>(0)).unwrap() - 1
        };
        let roots = ["image", "blob", "document"].map(root_of);
        let open = |bytes: &[u8]| {
            for file in std::fs::read_dir(dir.path()).unwrap() {
                std::fs::remove_file(file.unwrap().path()).unwrap();
            }
            std::fs::write(&path, bytes).unwrap();
            let db = Db::open(&path).unwrap();
            let names = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
            let aside =
                names.filter(|n| n.starts_with("meta.db.corrupt-") && !n.ends_with("-wal") && !n.ends_with("-shm"));
            let (aside, pods) = (aside.count(), db.ids(Table::Sandboxes).map_or(0, |pods| pods.len()));
            if aside > 0 {
                db.insert(Table::Sandboxes, "new", "new", &1).unwrap();
                assert_eq!(Db::examine(&path, true).unwrap().1, Vec::<String>::new());
            }
            (aside, pods)
        };
        let page = |number: usize, with: &dyn Fn(&mut [u8])| {
            let mut bytes = whole.clone();
            with(&mut bytes[number * 4096..][..4096]);
            bytes
        };
        assert_eq!(open(&whole), (0, 40));
        // What pods do not need: they are kept. What they need: they are made anew.
        assert_eq!(open(&page(roots[0], &|p| p.fill(0xff))), (1, 40));
        assert_eq!(open(&page(roots[1], &|p| p.fill(0xff))), (1, 40));
        assert_eq!(open(&page(roots[2], &|p| p.fill(0xff))), (1, 0));
        assert_eq!(open(&[]), (1, 0));
        assert_eq!(open(&[b'x'; 8192]), (1, 0));
        // Whatever it is, it opens, and what is in it is whole.
        let pages = whole.len() / 4096;
        for n in 0..120 {
            let mut seed = n * 2_654_435_761_usize;
            let mut bytes = match n % 3 {
                0 => whole[..whole.len() * (n + 1) / 121].to_vec(),
                1 => page(n % pages, &|p| p.fill(0)),
                _ => whole.clone(),
            };
            // But its version, which says that a newer wharf wrote it.
            for _ in 0..8 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (seed >> 33) % bytes.len().max(1);
                if n % 3 == 2 && !(60..64).contains(&at) {
                    bytes[at] ^= 1 << (seed >> 20 & 7);
                }
            }
            open(&bytes);
        }
    }
}
