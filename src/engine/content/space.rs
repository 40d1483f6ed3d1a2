//! Free space: a pull stops before the disk is full.

use std::path::Path;

use crate::error::{Context, Error, Kind, Result};

/// Whoever writes much looks again after this many bytes: less than what is kept of the smallest disk.
pub const LOOK_EVERY: u64 = 256 << 10;

/// A node whose disk we fill is a node we have broken: 1 GiB or 5 % stay free, on small filesystems 2 %.
pub fn keep_reserve(path: &Path) -> Result<()> {
    keep_reserve_as(path, path)
}

/// The same for who sees the path by another name than people do.
pub fn keep_reserve_as(called: &Path, path: &Path) -> Result<()> {
    let stat = rustix::fs::statvfs(path).context(|| format!("look at the free space of {}", called.display()))?;
    let (free, total) = (stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize);
    let reserve = if total < 20 << 30 { total / 50 } else { (total / 20).clamp(1 << 30, 16 << 30) };
    if total > 0 && free < reserve {
        let text =
            format!("no space left on {}: {free} bytes are free, {reserve} are kept in reserve", called.display());
        return Err(Error::new(Kind::ResourceExhausted, text));
    }
    Ok(())
}
