//! A file that takes space for nothing, to be given up when a full disk keeps the database from recording a deletion
//! (threats PRN-10, SNP-05): on a node whose disk is full, removing things has to work.

use std::{
    fs::{self, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::error::{Context, Error, Kind, Result};

/// Of the ballast, bytes; less on a small filesystem.
const SIZE: u64 = 32 << 20;
/// With less than this free an engine may not even start: the database's journal and index need room.
const LEAST: u64 = 1 << 20;

#[derive(Debug)]
pub struct Ballast {
    path: PathBuf,
}

/// Whether a write failed for want of space. The index of the journal is mapped memory: its lack of space is told as an
/// I/O error.
pub fn is_full(error: &Error) -> bool {
    error.is(Kind::ResourceExhausted) || format!("{error:#}").contains("disk I/O error")
}

impl Ballast {
    /// `ballast` in the database's directory. Makes nothing.
    pub fn beside(database: &Path) -> Self {
        Self { path: database.with_file_name("ballast") }
    }

    fn free(&self) -> Result<(u64, u64)> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let stat = statvfs(directory).context(|| format!("look at the free space of {}", directory.display()))?;
        Ok((stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize))
    }

    /// Gives its space up; whether there was any.
    pub fn release(&self) -> Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => {
                tracing::warn!("{} is given up: the disk is full", self.path.display());
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("remove", &self.path, error)),
        }
    }

    /// At start: on a disk that is as good as full the space is needed now.
    pub fn make_room(&self) -> Result<()> {
        if self.free()?.0 < LEAST {
            self.release()?;
        }
        Ok(())
    }

    /// Whether so many bytes can be taken for convenience: four times as much is free.
    pub fn is_plenty(&self, bytes: u64) -> Result<bool> {
        Ok(self.free()?.0 >= 4 * bytes)
    }

    /// Takes the space, if there is plenty.
    pub fn restore(&self) -> Result<()> {
        let size = SIZE.min(self.free()?.1 / 64);
        if !self.is_plenty(size)? || size == 0 || self.path.exists() {
            return Ok(());
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path);
        let file = file.context(|| format!("create {}", self.path.display()))?;
        match fallocate(&file, FallocateFlags::empty(), 0, size) {
            Ok(()) => Ok(()),
            // A filesystem that cannot promise space, or has none after all: there is no ballast then.
            Err(error) => {
                tracing::debug!("no ballast: {error}");
                fs::remove_file(&self.path).context(|| format!("remove {}", self.path.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_where_there_is_plenty_and_given_up_once() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::beside(&dir.path().join("meta.db"));
        assert!(!ballast.release().unwrap());
        ballast.restore().unwrap();
        ballast.restore().unwrap();
        let (_, total) = ballast.free().unwrap();
        assert_eq!(fs::metadata(dir.path().join("ballast")).unwrap().len(), SIZE.min(total / 64));
        assert!(ballast.release().unwrap());
        assert!(!ballast.release().unwrap());
    }
}
