//! A file that is given up when the disk is full, so that the database can record what is being removed.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::error::{Context, Result};

/// Bytes: the write-ahead log of a collection with thousands of rows.
const SIZE: usize = 1 << 20;

#[derive(Debug)]
pub struct Reserve(PathBuf);

impl Reserve {
    /// Beside the database.
    pub fn beside(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push(".reserve");
        Self(PathBuf::from(name))
    }

    /// Makes it if there is room. Without it everything works but a full disk is harder to leave.
    pub fn fill(&self) {
        if fs::metadata(&self.0).is_ok_and(|m| m.len() == SIZE as u64) {
            return;
        }
        let filled = File::create(&self.0).and_then(|mut file| file.write_all(&vec![0; SIZE]));
        if let Err(error) = filled {
            tracing::warn!("no reserve for the database in {}: {error}", self.0.display());
        }
    }

    /// Whether that gave any room.
    pub fn give_up(&self) -> Result<bool> {
        if !fs::metadata(&self.0).is_ok_and(|m| m.len() > 0) {
            return Ok(false);
        }
        File::create(&self.0).context(|| format!("empty {}", self.0.display()))?;
        Ok(true)
    }
}
