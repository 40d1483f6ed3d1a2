//! The content store: immutable blobs named by digest, and the ingests that become blobs.
//!
//! `root/blobs/sha256/<hex>` (mode 0400) and `root/ingest/<hex>`. Rows say which blob is wanted and why; files hold the
//! bytes. File before row: a row without its file cannot be, a file without its row is deleted by recovery. Everything blocks.

mod digest;
mod ingest;
pub mod space;
mod stash;

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::Read,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use digest::Digest;
pub use ingest::Ingest;
pub use stash::{Stash, Stashed};

use crate::{
    bail,
    engine::{crash, metadata::Db},
    error::{Context, Error, Result},
};

#[derive(Debug, Clone)]
pub struct Content {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    blobs: PathBuf,
    ingests: PathBuf,
    db: Arc<Db>,
    /// Digests being written by this process, and whether a collection has taken the row meanwhile: the writer deletes the
    /// file then. Held, too, while a blob's file is deleted: see `delete_files`.
    busy: Mutex<HashMap<Digest, bool>>,
}

impl Shared {
    fn busy(&self) -> MutexGuard<'_, HashMap<Digest, bool>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Unavailable` if somebody writes it.
    fn begin(&self, digest: &Digest) -> Result<()> {
        let mut busy = self.busy();
        if busy.contains_key(digest) {
            bail!(Unavailable, "blob {digest} is being written by somebody else");
        }
        busy.insert(digest.clone(), false);
        Ok(())
    }

    fn end(&self, digest: &Digest) {
        let mut busy = self.busy();
        if busy.get(digest) == Some(&true)
            && let Err(error) = remove(&self.ingests.join(digest.hex()))
        {
            tracing::warn!("an ingest that was collected while it was written: {error:#}");
        }
        busy.remove(digest);
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }
}

impl Content {
    pub fn open(root: &Path, db: Arc<Db>) -> Result<Self> {
        let (blobs, ingests) = (root.join("blobs/sha256"), root.join("ingest"));
        for path in [&blobs, &ingests] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .context(|| format!("create {}", path.display()))?;
        }
        Ok(Self { shared: Arc::new(Shared { blobs, ingests, db, busy: Mutex::default() }) })
    }

    /// The blob's size, if it is here.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        self.shared.db.blob_size(digest)
    }

    pub fn reader(&self, digest: &Digest) -> Result<File> {
        let path = self.shared.blob(digest);
        File::open(&path).context(|| format!("open blob {}", path.display()))
    }

    /// The whole of a small blob (manifest, config); at most `limit` bytes, digest verified.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        let read = self.reader(digest)?.take(limit + 1).read_to_end(&mut data);
        read.map_err(|e| Error::io("read blob", self.shared.blob(digest), e))?;
        if data.len() as u64 > limit {
            bail!(ResourceExhausted, "blob {digest} is larger than {limit} bytes");
        }
        if Digest::of(&data) != *digest {
            bail!(DataLoss, "blob {digest} is damaged on disk");
        }
        Ok(data)
    }

    /// Starts or resumes the one ingest of `digest`; the lease keeps it. `Unavailable` while someone else writes it.
    /// `size` is the descriptor's: more bytes than that are refused as they come.
    pub fn ingest(&self, digest: &Digest, size: u64, lease: &str) -> Result<Ingest> {
        Ingest::start(Arc::clone(&self.shared), digest, size, lease)
    }

    /// Writes a small blob at once; fine if it is here already.
    pub fn write(&self, data: &[u8], lease: &str) -> Result<Digest> {
        let digest = Digest::of(data);
        self.shared.db.lease_blob(lease, &digest)?;
        if self.size(&digest)?.is_some() {
            return Ok(digest);
        }
        let mut ingest = self.ingest(&digest, data.len() as u64, lease)?;
        ingest.restart()?;
        ingest.write(data)?;
        ingest.commit()?;
        Ok(digest)
    }

    /// Deletes files whose rows a collection has deleted. One that was wanted again meanwhile stays.
    pub fn delete_files(&self, blobs: &[Digest], ingests: &[Digest]) -> Result<u64> {
        let mut freed = 0;
        for (digests, directory) in [(blobs, &self.shared.blobs), (ingests, &self.shared.ingests)] {
            for digest in digests {
                let mut busy = self.shared.busy();
                if let Some(collected) = busy.get_mut(digest) {
                    *collected |= directory == &self.shared.ingests;
                    continue;
                }
                if directory == &self.shared.blobs && self.size(digest)?.is_some() {
                    continue;
                }
                freed += remove(&directory.join(digest.hex()))?;
                crash::point("gc.2");
            }
        }
        Ok(freed)
    }

    /// Where blobs come to be, for a look at the free space.
    pub fn directory(&self) -> &Path {
        &self.shared.ingests
    }

    /// Where a blob's bytes are, for who checks them.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.shared.blob(digest)
    }

    /// Makes files and rows agree after a crash: files without a row go, ingests without a file lose their row, blobs
    /// without a file are condemned with their images. Returns how many files and rows. A second run finds nothing.
    pub fn recover(&self) -> Result<(u64, u64)> {
        let (mut files, mut rows) = (0, 0);
        let ingests: HashSet<Digest> = self.shared.db.ingests()?.into_iter().collect();
        let blobs: HashSet<Digest> = self.shared.db.blobs()?.into_iter().map(|(d, _)| d).collect();
        for (directory, wanted) in [(&self.shared.blobs, &blobs), (&self.shared.ingests, &ingests)] {
            for entry in fs::read_dir(directory).context(|| format!("list {}", directory.display()))? {
                let path = entry.context(|| format!("list {}", directory.display()))?.path();
                let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                let digest = format!("{}{name}", Digest::PREFIX).parse::<Digest>();
                if !digest.is_ok_and(|d| wanted.contains(&d)) {
                    remove(&path)?;
                    files += 1;
                }
            }
        }
        for digest in &ingests {
            if !self.shared.ingests.join(digest.hex()).exists() {
                self.shared.db.end_ingest(digest)?;
                rows += 1;
            }
        }
        let missing: Vec<Digest> = blobs.into_iter().filter(|d| !self.shared.blob(d).exists()).collect();
        rows += missing.len() as u64;
        if !missing.is_empty() {
            let images = self.shared.db.condemn(&missing, &[])?;
            tracing::error!(?missing, ?images, "files of blobs are missing: their images have to be pulled again");
        }
        Ok((files, rows))
    }
}

/// Bytes freed; nothing to remove is fine.
fn remove(path: &Path) -> Result<u64> {
    let size = match fs::symlink_metadata(path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Error::io("stat", path, error)),
    };
    fs::remove_file(path).context(|| format!("remove {}", path.display()))?;
    Ok(size)
}

fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync directory", path, e))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use crate::error::Kind;

    use super::*;

    fn store() -> (tempfile::TempDir, Arc<Db>, Content, String) {
        let dir = tempfile::tempdir().unwrap();
        let db = Arc::new(Db::open(&dir.path().join("meta.db")).unwrap());
        let content = Content::open(&dir.path().join("content"), Arc::clone(&db)).unwrap();
        let lease = db.lease("test", Duration::from_secs(60)).unwrap();
        (dir, db, content, lease)
    }

    #[test]
    fn a_blob_is_written_read_and_collected() {
        let (_dir, db, content, lease) = store();
        let digest = content.write(b"hello", &lease).unwrap();
        assert_eq!(content.write(b"hello", &lease).unwrap(), digest);
        assert_eq!(content.read(&digest, 5).unwrap(), b"hello");
        assert!(content.read(&digest, 4).unwrap_err().is(Kind::ResourceExhausted));
        assert!(db.mark(SystemTime::now()).unwrap().blobs.is_empty(), "the lease keeps it");
        db.release(&lease).unwrap();
        let garbage = db.mark(SystemTime::now()).unwrap();
        assert_eq!(garbage.blobs, std::slice::from_ref(&digest));
        assert_eq!(content.delete_files(&garbage.blobs, &garbage.ingests).unwrap(), 5);
        assert!(content.reader(&digest).unwrap_err().is(Kind::NotFound));
    }

    #[test]
    fn reg_07_an_ingest_resumes_where_it_stopped() {
        let (_dir, _db, content, lease) = store();
        let data = b"0123456789";
        let digest = Digest::of(data);
        let mut first = content.ingest(&digest, 10, &lease).unwrap();
        assert!(content.ingest(&digest, 10, &lease).unwrap_err().is(Kind::Unavailable));
        first.write(&data[..4]).unwrap();
        drop(first);
        let mut second = content.ingest(&digest, 10, &lease).unwrap();
        assert_eq!(second.offset(), 4);
        second.write(&data[4..]).unwrap();
        second.commit().unwrap();
        assert_eq!(content.read(&digest, 10).unwrap(), data);
    }

    #[test]
    fn an_ingest_that_is_collected_while_it_is_written_goes_with_its_writer() {
        let (dir, db, content, lease) = store();
        let digest = Digest::of(b"0123456789");
        let mut writer = content.ingest(&digest, 10, &lease).unwrap();
        writer.write(b"01234").unwrap();
        db.release(&lease).unwrap();
        let garbage = db.mark(SystemTime::now()).unwrap();
        assert_eq!(garbage.ingests, std::slice::from_ref(&digest));
        content.delete_files(&garbage.blobs, &garbage.ingests).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(dir.path().join("content/ingest")).unwrap().count(), 0);
    }

    #[test]
    fn reg_08_wrong_bytes_leave_nothing_behind() {
        let (dir, db, content, lease) = store();
        let digest = Digest::of(b"right");
        let mut ingest = content.ingest(&digest, 5, &lease).unwrap();
        ingest.write(b"wrong").unwrap();
        let error = ingest.commit().unwrap_err();
        assert!(error.is(Kind::DataLoss) && format!("{error:#}").contains(digest.short()), "{error:#}");
        assert!(db.ingests().unwrap().is_empty() && content.size(&digest).unwrap().is_none());
        assert_eq!(fs::read_dir(dir.path().join("content/ingest")).unwrap().count(), 0);
        let mut long = content.ingest(&digest, 5, &lease).unwrap();
        assert!(long.write(b"more than five").unwrap_err().is(Kind::DataLoss));
    }

    #[test]
    fn snp_08_recovery_removes_what_nothing_refers_to_and_then_nothing() {
        let (dir, _db, content, lease) = store();
        let digest = content.write(b"kept", &lease).unwrap();
        let lost = content.write(b"lost", &lease).unwrap();
        fs::remove_file(dir.path().join("content/blobs/sha256").join(lost.hex())).unwrap();
        for junk in ["blobs/sha256/junk", &format!("blobs/sha256/{}", "a".repeat(64)), "ingest/junk"] {
            fs::write(dir.path().join("content").join(junk), b"x").unwrap();
        }
        assert_eq!(content.recover().unwrap(), (3, 1));
        assert_eq!(content.recover().unwrap(), (0, 0));
        assert_eq!(content.read(&digest, 10).unwrap(), b"kept");
        assert!(content.size(&lost).unwrap().is_none());
    }

    #[test]
    fn unp_17_a_full_disk_is_said_and_leaves_the_ingest_resumable() {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: mounting a small tmpfs needs root");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        rustix::mount::mount("none", dir.path(), "tmpfs", rustix::mount::MountFlags::empty(), c"size=1m").unwrap();
        let outcome = std::panic::catch_unwind(|| {
            let db_dir = tempfile::tempdir().unwrap();
            let db = Arc::new(Db::open(&db_dir.path().join("meta.db")).unwrap());
            let lease = db.lease("test", Duration::from_secs(60)).unwrap();
            let content = Content::open(dir.path(), Arc::clone(&db)).unwrap();
            let data = vec![7; 4 << 20];
            let mut ingest = content.ingest(&Digest::of(&data), data.len() as u64, &lease).unwrap();
            let error = ingest.write(&data).unwrap_err();
            assert!(error.is(Kind::ResourceExhausted), "{error:#}");
            drop(ingest);
            db.release(&lease).unwrap();
            let garbage = db.mark(SystemTime::now()).unwrap();
            content.delete_files(&garbage.blobs, &garbage.ingests).unwrap();
            assert_eq!(fs::read_dir(dir.path().join("ingest")).unwrap().count(), 0);
        });
        rustix::mount::unmount(dir.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
        outcome.unwrap();
    }
}
