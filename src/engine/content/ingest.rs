//! One blob on its way in: hashed as it is written, resumable, verified and made durable before anybody sees it.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use ring::digest::{Context as Hasher, SHA256};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Digest, Shared, space, sync_directory};
use crate::{
    bail,
    engine::crash,
    error::{Context, Error, Kind, Result},
};

/// Dropping it keeps what was written, so the next ingest of that digest resumes there.
pub struct Ingest {
    shared: Arc<Shared>,
    digest: Digest,
    size: u64,
    lease: String,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    written: u64,
    /// Free space is looked at when this many bytes have been written.
    look_at: u64,
}

impl Ingest {
    pub(super) fn start(shared: Arc<Shared>, digest: &Digest, size: u64, lease: &str) -> Result<Self> {
        shared.begin(digest)?;
        Self::open(&shared, digest, size, lease).inspect_err(|_| shared.end(digest))
    }

    fn open(shared: &Arc<Shared>, digest: &Digest, size: u64, lease: &str) -> Result<Self> {
        shared.db.start_ingest(digest, size, lease)?;
        crash::point("ing.1");
        let path = shared.ingests.join(digest.hex());
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)
            .context(|| format!("open ingest {}", path.display()))?;
        crash::point("ing.2");
        let (mut hasher, mut written) = (Hasher::new(&SHA256), 0);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let n = file.read(&mut buffer).map_err(|e| Error::io("read ingest", &path, e))?;
            if n == 0 {
                break;
            }
            hasher.update(&buffer[..n]);
            written += n as u64;
        }
        Ok(Self {
            shared: Arc::clone(shared),
            digest: digest.clone(),
            size,
            lease: lease.to_owned(),
            path,
            file,
            hasher,
            written,
            look_at: 0,
        })
    }

    /// Of a file that is all there, with what its writer has hashed. The file becomes the ingest's.
    pub(super) fn of_file(
        shared: &Arc<Shared>,
        digest: &Digest,
        lease: &str,
        (from, size, hasher): (&Path, u64, Hasher),
    ) -> Result<Self> {
        shared.begin(digest)?;
        let path = shared.ingests.join(digest.hex());
        let taken = || {
            shared.db.start_ingest(digest, size, lease)?;
            fs::rename(from, &path).context(|| format!("rename to {}", path.display()))?;
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(libc::O_NOFOLLOW);
            options.open(&path).context(|| format!("open ingest {}", path.display()))
        };
        let file = taken().inspect_err(|_| shared.end(digest))?;
        Ok(Self {
            shared: Arc::clone(shared),
            digest: digest.clone(),
            size,
            lease: lease.to_owned(),
            path: path.clone(),
            file,
            hasher,
            written: size,
            look_at: 0,
        })
    }

    /// Bytes already there.
    pub fn offset(&self) -> u64 {
        self.written
    }

    /// `DataLoss` when more comes than the descriptor says; the ingest is then deleted. `ResourceExhausted` when the disk
    /// is full or nearly so; what was written is then given back, so that there is room for the clean-up.
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        if self.written + data.len() as u64 > self.size {
            self.discard()?;
            bail!(DataLoss, "blob {} is longer than its descriptor's {} bytes", self.digest, self.size);
        }
        if let Err(error) = self.append(data) {
            if error.is(Kind::ResourceExhausted) {
                return Err(error.and_cleanup(self.restart()));
            }
            return Err(error);
        }
        crash::point("ing.3");
        self.hasher.update(data);
        self.written += data.len() as u64;
        Ok(())
    }

    fn append(&mut self, data: &[u8]) -> Result<()> {
        if self.written >= self.look_at {
            space::keep_reserve(&self.shared.ingests)?;
            self.look_at = self.written + space::LOOK_EVERY;
        }
        self.file.write_all(data).map_err(|e| Error::io("write ingest", &self.path, e))
    }

    /// Starts over from nothing (a server that ignored Range).
    pub fn restart(&mut self) -> Result<()> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(|e| Error::io("truncate ingest", &self.path, e))?;
        (self.hasher, self.written, self.look_at) = (Hasher::new(&SHA256), 0, 0);
        Ok(())
    }

    /// A file to read what has been written so far, to unpack while downloading.
    pub fn tail(&self) -> Result<File> {
        File::open(&self.path).context(|| format!("open ingest {}", self.path.display()))
    }

    /// Verifies size and digest, syncs, renames, records. `DataLoss` when they differ; the ingest is then deleted.
    /// A failed sync is never tried again: the kernel has forgotten the pages, so the ingest goes as well.
    pub fn commit(mut self) -> Result<()> {
        let found = Digest::from_sha256(self.hasher.clone().finish().as_ref());
        if self.written != self.size || found != self.digest {
            self.discard()?;
            let (want, size) = (self.digest.short(), self.size);
            bail!(DataLoss, "expected {want} of {size} bytes, got {} of {} bytes", found.short(), self.written);
        }
        crash::point("ing.4");
        if let Err(error) = self.file.sync_all() {
            let failed = Error::io("sync ingest", &self.path, error);
            return Err(failed.and_cleanup(self.discard()));
        }
        crash::point("ing.5");
        let target = self.shared.blob(&self.digest);
        fs::set_permissions(&self.path, Permissions::from_mode(0o400))
            .context(|| format!("chmod {}", self.path.display()))?;
        match renameat_with(CWD, &self.path, CWD, &target, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            // A file that has no row yet: our bytes are verified, its are not.
            Err(rustix::io::Errno::EXIST) => {
                fs::rename(&self.path, &target).context(|| format!("rename to {}", target.display()))?;
            }
            Err(error) => return Err(Error::io("rename to", &target, error)),
        }
        crash::point("ing.6");
        sync_directory(&self.shared.blobs)?;
        crash::point("ing.7");
        self.shared.db.commit_blob(&self.digest, self.size, &self.lease)?;
        crash::point("ing.8");
        Ok(())
    }

    fn discard(&mut self) -> Result<()> {
        super::remove(&self.path)?;
        self.shared.db.end_ingest(&self.digest)
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.shared.end(&self.digest);
    }
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("digest", &self.digest).field("written", &self.written).finish_non_exhaustive()
    }
}
