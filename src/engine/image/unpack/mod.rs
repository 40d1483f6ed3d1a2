//! A layer's bytes become a directory tree: decompress, read the tar, write files below one directory.
//!
//! Everything in a layer is hostile: it is bounded, checked, and written through descriptors of directories below the
//! target, so that no name and no link in it leads outside. The tests in `corpus` are named by the rules they hold.

#[cfg(test)]
mod corpus;
pub mod decompress;
mod extract;
mod extractor;
mod path;
pub mod tar;

use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

pub use decompress::{Compression, Stream};
pub use extract::inherit;
pub use extractor::{Leash, PROGRAM, Tie, Unpacker, main};
use serde::{Deserialize, Serialize};

use crate::{
    engine::{
        content::Digest,
        snapshot::{Sums, UnpackTarget, Usage},
    },
    error::Result,
};

/// Bounds on one layer. See docs/architecture.md, "Limits".
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes after decompression.
    pub expanded: u64,
    pub entries: u64,
    pub path: usize,
    /// A GNU long name or a PAX header block, bytes.
    pub header: u64,
    pub xattrs: usize,
    pub xattr_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { expanded: 32 << 30, entries: 2_000_000, path: 4096, header: 1 << 20, xattrs: 128, xattr_bytes: 64 << 10 }
    }
}

/// What unpacking a layer found.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// SHA-256 of the decompressed stream, to the end of it: to be compared with the config's `diff_ids`.
    pub diff_id: Digest,
    pub usage: Usage,
    /// Directories that had to be made because the layer has files below them but no entry of their own; relative,
    /// parents first. In an independent overlay layer they must get the mode and owner of the lower layer's.
    pub implied: Vec<PathBuf>,
    /// Of the files that were written, so that nobody has to read them again.
    pub sums: Sums,
    /// Extended attributes that the target's filesystem does not have.
    pub dropped: BTreeSet<String>,
}

/// Unpacks one layer below `target`. Blocking. On error the tree is left as it is: the caller removes the snapshot.
///
/// In the process that calls it: an engine has this done by an [`Unpacker`].
pub fn unpack(layer: impl Read, target: &UnpackTarget, limits: &Limits) -> Result<Unpacked> {
    unpack_as(&target.directory, layer, target, limits)
}

/// The same with another name for the target in what is said of it.
fn unpack_as(called: &Path, layer: impl Read, target: &UnpackTarget, limits: &Limits) -> Result<Unpacked> {
    let (_, plain) = decompress::open(layer, "layer")?;
    let mut stream = Stream::new(plain, limits.expanded, &target.directory, called);
    let mut extractor = extract::Extractor::new(target)?;
    let mut reader = tar::Reader::new(&mut stream, limits);
    while let Some(entry) = reader.next_entry()? {
        extractor.entry(&entry, &mut reader)?;
    }
    let extract::Made { usage, implied, sums, dropped } = extractor.finish()?;
    Ok(Unpacked { diff_id: stream.finish()?, usage, implied, sums, dropped })
}
