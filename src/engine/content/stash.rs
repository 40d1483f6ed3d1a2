//! A file whose digest is known only when all of it is there (docker's archives name layers as they like). It waits in the
//! directory of the ingests, where a crash leaves nothing: a file there without a row is removed by the next start.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ring::digest::{Context as Hasher, SHA256};

use super::{Content, Digest, Ingest, Shared, space};
use crate::error::{Context, Error, Result};

/// On its way in.
pub struct Stash {
    file: File,
    look_at: u64,
    kept: Stashed,
}

/// All there: it can become a blob. Dropping it removes the file.
pub struct Stashed {
    shared: Arc<Shared>,
    path: PathBuf,
    hasher: Hasher,
    pub digest: Digest,
    pub size: u64,
}

impl Content {
    pub fn stash(&self) -> Result<Stash> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("stash-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = self.shared.ingests.join(name);
        let file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .context(|| format!("create {}", path.display()))?;
        let (shared, hasher) = (Arc::clone(&self.shared), Hasher::new(&SHA256));
        Ok(Stash { file, look_at: 0, kept: Stashed { shared, path, hasher, digest: Digest::of(b""), size: 0 } })
    }
}

impl Stash {
    /// `ResourceExhausted` when the disk is full or nearly so.
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        if self.kept.size >= self.look_at {
            space::keep_reserve(&self.kept.shared.ingests)?;
            self.look_at = self.kept.size + space::LOOK_EVERY;
        }
        self.file.write_all(data).map_err(|e| Error::io("write", &self.kept.path, e))?;
        self.kept.hasher.update(data);
        self.kept.size += data.len() as u64;
        Ok(())
    }

    pub fn finish(mut self) -> Stashed {
        self.kept.digest = Digest::from_sha256(self.kept.hasher.clone().finish().as_ref());
        self.kept
    }
}

impl Stashed {
    /// Makes it a blob that the lease keeps; fine if the blob is here already. `Unavailable` while someone else writes that.
    pub fn keep(&self, lease: &str) -> Result<()> {
        self.shared.db.lease_blob(lease, &self.digest)?;
        if self.shared.db.blob_size(&self.digest)?.is_some() {
            return Ok(());
        }
        Ingest::of_file(&self.shared, &self.digest, lease, (&self.path, self.size, self.hasher.clone()))?.commit()
    }
}

impl Drop for Stashed {
    fn drop(&mut self) {
        // It is gone when it has become a blob.
        if let Err(error) = super::remove(&self.path) {
            tracing::warn!("{error:#}");
        }
    }
}

impl std::fmt::Debug for Stash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stash").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Stashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stashed").field("path", &self.path).field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::engine::metadata::Db;

    #[test]
    fn what_was_stashed_becomes_a_blob_or_goes() {
        let dir = tempfile::tempdir().unwrap();
        let db = Arc::new(Db::open(&dir.path().join("meta.db")).unwrap());
        let lease = db.lease("test", Duration::from_secs(60)).unwrap();
        let content = Content::open(&dir.path().join("content"), Arc::clone(&db)).unwrap();
        let waiting = || fs::read_dir(dir.path().join("content/ingest")).unwrap().count();
        let stash = |data: &[u8]| {
            let mut stash = content.stash().unwrap();
            data.chunks(2).for_each(|part| stash.write(part).unwrap());
            stash.finish()
        };
        let kept = stash(b"layer");
        assert_eq!((kept.digest.clone(), kept.size, waiting()), (Digest::of(b"layer"), 5, 1));
        kept.keep(&lease).unwrap();
        drop(kept);
        assert_eq!(waiting(), 0);
        assert_eq!(content.read(&Digest::of(b"layer"), 10).unwrap(), b"layer");
        let twice = stash(b"layer");
        twice.keep(&lease).unwrap();
        drop((twice, stash(b"nobody wants this")));
        assert_eq!((waiting(), db.ingests().unwrap().len()), (0, 0));
        // A crash.
        std::mem::forget(stash(b"left over"));
        assert_eq!((content.recover().unwrap(), waiting()), ((1, 0), 0));
    }
}
