//! Images: what tags point at, and what belongs to an image.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Db, DbResult};
use crate::{
    bail,
    engine::{content::Digest, usage::Share},
    error::{Error, Kind, Result},
};

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
    /// Compressed layers and config, bytes, as containerd counts an image's size.
    pub size: u64,
    /// The snapshotter and the chain ID of the top layer; `None` for an image without layers.
    pub snapshot: Option<(String, String)>,
    pub pinned: bool,
}

impl Db {
    /// Inserts an image or adds to the one with its id; a tag moves from whichever image had it. One transaction: an
    /// image is seen whole or not at all. An image that loses its last name keeps its id until it is removed. `blobs` is
    /// everything that it needs kept: index, manifest, config, layers. Gives it as it was then: it may be gone already.
    pub fn put_image(&self, image: &ImageRow, blobs: &[Digest]) -> Result<ImageRow> {
        self.write("record an image", |tx| {
            let (snapshotter, chain) = image.snapshot.clone().unzip();
            let size = i64::try_from(image.size).unwrap_or(i64::MAX);
            tx.execute(
                "INSERT INTO image (id, target, size, snapshotter, chain, pinned) VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (id) DO UPDATE SET target = excluded.target, size = excluded.size,
                 snapshotter = excluded.snapshotter, chain = excluded.chain, pinned = pinned OR excluded.pinned,
                 damaged = NULL",
                params![image.id.as_str(), image.target.as_str(), size, snapshotter, chain, image.pinned],
            )
            .db("insert")?;
            for tag in &image.tags {
                tx.execute(
                    "INSERT OR REPLACE INTO image_tag (tag, image) VALUES (?, ?)",
                    params![tag, image.id.as_str()],
                )
                .db("tag")?;
            }
            for reference in &image.digests {
                tx.execute(
                    "INSERT OR REPLACE INTO image_digest (reference, image) VALUES (?, ?)",
                    params![reference, image.id.as_str()],
                )
                .db("add the digest")?;
            }
            for blob in blobs {
                tx.execute(
                    "INSERT OR IGNORE INTO image_blob (image, digest) VALUES (?, ?)",
                    params![image.id.as_str(), blob.as_str()],
                )
                .db("add a blob")?;
            }
            let recorded = load(tx, image.id.as_str())?;
            recorded.ok_or_else(|| Error::new(Kind::Internal, format!("{} is not what was recorded", image.id)))
        })
    }

    /// Damaged ones are not here: see [`Self::damaged_images`].
    pub fn images(&self) -> Result<Arc<[ImageRow]>> {
        Ok(self.listed()?.whole)
    }

    /// Images that have to be pulled again.
    pub fn damaged_images(&self) -> Result<Arc<[ImageRow]>> {
        Ok(self.listed()?.damaged)
    }

    fn listed(&self) -> Result<Listed> {
        let known = || self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = self.image_changes.load(Ordering::SeqCst);
        if let Some((at, listed)) = &*known()
            && *at == changes
        {
            return Ok(listed.clone());
        }
        self.read("list images", |db| {
            // Before the first row is read: whatever is committed later has another number.
            let changes = self.image_changes.load(Ordering::SeqCst);
            let listed = list(db)?;
            *known() = Some((changes, listed.clone()));
            Ok(listed)
        })
    }

    /// What [`Self::put_image`] was given for it, all times together.
    pub fn image_blobs(&self, id: &Digest) -> Result<Vec<Digest>> {
        let texts = self.read("list an image's blobs", |db| {
            texts(db, "SELECT digest FROM image_blob WHERE image = ? ORDER BY digest", id.as_str())
        })?;
        texts.iter().map(|digest| digest.parse()).collect()
    }

    /// By id, by tag or by `repository@digest`.
    pub fn image(&self, reference: &str) -> Result<Option<ImageRow>> {
        self.read("look up an image", |db| {
            let id: Option<String> = db
                .query_row(
                    "SELECT id FROM image WHERE damaged IS NULL AND id IN (SELECT ?1
                     UNION SELECT image FROM image_tag WHERE tag = ?1
                     UNION SELECT image FROM image_digest WHERE reference = ?1)",
                    [reference],
                    |r| r.get(0),
                )
                .optional()
                .db("look up")?;
            id.map_or(Ok(None), |id| load(db, &id))
        })
    }

    /// Of every image, what it has alone and what it shares with others: layers as unpacked, and blobs.
    pub fn image_shares(&self) -> Result<HashMap<String, Share>> {
        self.read("look whose the layers and blobs are", |db| {
            let mut shares: HashMap<String, Share> = HashMap::new();
            // Each thing that images have: a layer or a blob, its size, and how many have it.
            let query = "WITH RECURSIVE has (image, id, parent, bytes) AS (
                    SELECT i.id, s.id, s.parent, s.bytes FROM image i
                    JOIN snapshot s ON s.snapshotter = i.snapshotter AND s.key = i.chain
                    UNION SELECT h.image, s.id, s.parent, s.bytes FROM has h JOIN snapshot s ON s.id = h.parent
                ), all_of (image, thing, bytes) AS (
                    SELECT image, CAST(id AS TEXT), bytes FROM has
                    UNION ALL SELECT b.image, b.digest, blob.size FROM image_blob b JOIN blob ON blob.digest = b.digest
                ), counted (thing, number) AS (SELECT thing, count(*) FROM all_of GROUP BY thing)
                SELECT a.image, sum(CASE WHEN c.number = 1 THEN a.bytes ELSE 0 END),
                    sum(CASE WHEN c.number > 1 THEN a.bytes ELSE 0 END)
                FROM all_of a JOIN counted c ON a.thing = c.thing GROUP BY a.image";
            let mut statement = db.prepare_cached(query).db("share out")?;
            let mut rows = statement.query([]).db("share out")?;
            while let Some(row) = rows.next().db("share out")? {
                let read =
                    || -> rusqlite::Result<_> { Ok((row.get(0)?, Share { unique: row.get(1)?, shared: row.get(2)? })) };
                let (image, share) = read().db("share out")?;
                shares.insert(image, share);
            }
            Ok(shares)
        })
    }

    /// Idempotent. Blobs and snapshots go at the next collection.
    pub fn delete_image(&self, id: &Digest) -> Result<()> {
        self.end("remove an image", |tx| {
            tx.execute("DELETE FROM image WHERE id = ?", [id.as_str()]).db("delete")?;
            Ok(())
        })
    }

    /// Gives an image one more name, which any other image that had it loses.
    pub fn tag_image(&self, id: &Digest, tag: &str) -> Result<()> {
        self.end("tag an image", |tx| {
            let found = tx.prepare_cached("SELECT 1 FROM image WHERE id = ?").db("look up")?.exists([id.as_str()]);
            if !found.db("look up")? {
                bail!(NotFound, "image {id} has been removed");
            }
            let put = "INSERT OR REPLACE INTO image_tag (tag, image) VALUES (?, ?)";
            tx.execute(put, params![tag, id.as_str()]).db("tag").map(drop)
        })
    }

    /// Whether collectors of unused images are to leave it.
    pub fn pin_image(&self, id: &Digest, pinned: bool) -> Result<()> {
        self.end("pin an image", |tx| {
            let set = "UPDATE image SET pinned = ? WHERE id = ?";
            if tx.execute(set, params![pinned, id.as_str()]).db("pin")? == 0 {
                bail!(NotFound, "image {id} has been removed");
            }
            Ok(())
        })
    }

    /// Takes one name from an image; the image itself goes with its last name. Says whether it went.
    pub fn untag_image(&self, tag: &str) -> Result<bool> {
        self.end("untag an image", |tx| {
            let id: Option<String> = tx
                .query_row("DELETE FROM image_tag WHERE tag = ? RETURNING image", [tag], |r| r.get(0))
                .optional()
                .db("untag")?;
            let Some(id) = id else { return Ok(false) };
            let left: i64 =
                tx.query_row("SELECT count(*) FROM image_tag WHERE image = ?", [&id], |r| r.get(0)).db("count tags")?;
            if left == 0 {
                tx.execute("DELETE FROM image WHERE id = ?", [&id]).db("delete")?;
            }
            Ok(left == 0)
        })
    }
}

pub(super) fn texts(db: &Connection, query: &str, parameter: &str) -> Result<Vec<String>> {
    let mut statement = db.prepare_cached(query).db("prepare")?;
    let rows = statement.query_map([parameter], |r| r.get(0)).db("query")?;
    rows.collect::<Result<_, _>>().db("query")
}

pub(super) fn load(db: &Connection, id: &str) -> Result<Option<ImageRow>> {
    let query = "SELECT target, size, snapshotter, chain, pinned FROM image WHERE id = ?";
    let row = db.prepare_cached(query).db("load an image")?.query_row([id], columns).optional();
    let Some(columns) = row.db("load an image")? else { return Ok(None) };
    let tags = texts(db, "SELECT tag FROM image_tag WHERE image = ? ORDER BY tag", id)?;
    let digests = texts(db, "SELECT reference FROM image_digest WHERE image = ? ORDER BY reference", id)?;
    image(id, columns, tags, digests).map(Some)
}

/// Target, size, snapshotter, chain, pinned.
type Columns = (String, i64, Option<String>, Option<String>, bool);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

/// All images, those that have to be pulled again by themselves.
#[derive(Debug, Clone)]
pub struct Listed {
    whole: Arc<[ImageRow]>,
    damaged: Arc<[ImageRow]>,
}

/// One walk over each table as it lies, put in order here: there may be ten thousand images, and an index would have
/// each row looked up by itself.
fn list(db: &Connection) -> Result<Listed> {
    let mut tags = lists(db, "SELECT image, tag FROM image_tag")?;
    let mut digests = lists(db, "SELECT image, reference FROM image_digest")?;
    let query = "SELECT target, size, snapshotter, chain, pinned, id, damaged IS NOT NULL FROM image";
    let mut statement = db.prepare_cached(query).db("list")?;
    let rows =
        statement.query_map([], |r| Ok((columns(r)?, r.get::<_, String>(5)?, r.get::<_, bool>(6)?))).db("list")?;
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for row in rows {
        let (columns, id, hidden) = row.db("list")?;
        let of = |lists: &mut HashMap<String, Vec<String>>| {
            let mut list = lists.remove(&id).unwrap_or_default();
            list.sort_unstable();
            list
        };
        let list = if hidden { &mut damaged } else { &mut whole };
        list.push(image(&id, columns, of(&mut tags), of(&mut digests))?);
    }
    for list in [&mut whole, &mut damaged] {
        list.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(Listed { whole: whole.into(), damaged: damaged.into() })
}

/// What images have, by their ids.
fn lists(db: &Connection, query: &str) -> Result<HashMap<String, Vec<String>>> {
    let mut lists: HashMap<String, Vec<String>> = HashMap::new();
    let mut statement = db.prepare_cached(query).db("list")?;
    let mut rows = statement.query([]).db("list")?;
    while let Some(row) = rows.next().db("list")? {
        let (image, value): (String, String) = row.get(0).and_then(|image| Ok((image, row.get(1)?))).db("list")?;
        lists.entry(image).or_default().push(value);
    }
    Ok(lists)
}

fn image(
    id: &str,
    (target, size, snapshotter, chain, pinned): Columns,
    tags: Vec<String>,
    digests: Vec<String>,
) -> Result<ImageRow> {
    let damaged = |e: Error| Error::new(Kind::DataLoss, format!("the record of image {id} is damaged")).with_source(e);
    Ok(ImageRow {
        id: id.parse().map_err(damaged)?,
        target: target.parse().map_err(damaged)?,
        tags,
        digests,
        size: u64::try_from(size).unwrap_or(0),
        snapshot: snapshotter.zip(chain),
        pinned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(n: u8, tag: &str) -> ImageRow {
        let digest = Digest::of(&[n]);
        ImageRow {
            id: digest.clone(),
            target: digest.clone(),
            tags: vec![tag.to_owned()],
            digests: vec![format!("r/x@{digest}")],
            size: 10,
            snapshot: Some(("overlayfs".to_owned(), "chain".to_owned())),
            pinned: false,
        }
    }

    #[test]
    fn a_tag_moves_and_every_name_finds_the_image() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("meta.db")).unwrap();
        let (old, new) = (image(1, "r/x:1"), image(2, "r/x:1"));
        assert_eq!(db.put_image(&old, &[old.id.clone(), new.id.clone()]).unwrap(), old);
        let further = ImageRow { tags: vec!["r/x:2".to_owned()], digests: Vec::new(), ..old.clone() };
        let tags = vec!["r/x:1".to_owned(), "r/x:2".to_owned()];
        assert_eq!(db.put_image(&further, &[]).unwrap(), ImageRow { tags, ..old.clone() }, "all its names");
        assert!(!db.untag_image("r/x:2").unwrap());
        db.put_image(&old, std::slice::from_ref(&old.id)).unwrap();
        let mut both = [old.id.clone(), new.id.clone()];
        both.sort();
        assert_eq!(db.image_blobs(&old.id).unwrap(), both);
        assert_eq!(db.image("r/x:1").unwrap(), Some(old.clone()));
        db.put_image(&new, &[]).unwrap();
        assert_eq!(db.image("r/x:1").unwrap().unwrap().id, new.id);
        assert!(db.image(old.id.as_str()).unwrap().unwrap().tags.is_empty());
        assert_eq!(db.image(&new.digests[0]).unwrap().unwrap().id, new.id);
        assert_eq!(db.images().unwrap().len(), 2);
        assert!(db.untag_image("r/x:1").unwrap());
        db.delete_image(&old.id).unwrap();
        assert!(db.images().unwrap().is_empty());
    }

    #[test]
    fn a_name_and_a_pin_are_given_and_taken() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("meta.db")).unwrap();
        let (one, other) = (image(1, "r/x:1"), image(2, "r/y:1"));
        db.put_image(&one, &[]).unwrap();
        db.put_image(&other, &[]).unwrap();
        db.tag_image(&one.id, "r/y:1").unwrap();
        assert_eq!(db.image("r/y:1").unwrap().unwrap().tags, ["r/x:1", "r/y:1"]);
        assert!(db.image(other.id.as_str()).unwrap().unwrap().tags.is_empty(), "a name has one image");
        for pinned in [true, true, false] {
            db.pin_image(&one.id, pinned).unwrap();
            assert_eq!(db.images().unwrap().iter().find(|i| i.id == one.id).unwrap().pinned, pinned);
        }
        let none = Digest::of(b"none");
        assert!(db.tag_image(&none, "r/z:1").unwrap_err().is(Kind::NotFound));
        assert!(db.pin_image(&none, true).unwrap_err().is(Kind::NotFound));
        assert!(db.image("r/z:1").unwrap().is_none());
    }

    /// Whatever changes a row of an image's, a list that was asked for before does not hide it.
    #[test]
    fn a_list_is_of_now() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("meta.db")).unwrap();
        let list = || (db.images().unwrap().to_vec(), db.damaged_images().unwrap().to_vec());
        let mut row = image(1, "r/x:1");
        assert_eq!(list(), (Vec::new(), Vec::new()));
        db.put_image(&row, std::slice::from_ref(&row.id)).unwrap();
        assert_eq!(list(), (vec![row.clone()], Vec::new()));
        assert!(Arc::ptr_eq(&db.images().unwrap(), &db.images().unwrap()), "nothing has changed");
        row.pinned = true;
        db.put_image(&row, std::slice::from_ref(&row.id)).unwrap();
        assert_eq!(list().0, [row.clone()]);
        db.condemn(&[row.id.clone()], &[]).unwrap();
        assert_eq!(list().1[0].id, row.id);
        assert!(list().0.is_empty());
        db.put_image(&row, std::slice::from_ref(&row.id)).unwrap();
        assert_eq!(list(), (vec![row], Vec::new()));
        assert!(db.untag_image("r/x:1").unwrap(), "its last name");
        assert_eq!(list(), (Vec::new(), Vec::new()));
    }
}
