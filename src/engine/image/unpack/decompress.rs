//! From a layer's bytes to the plain stream, hashed and bounded on its way.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use ring::digest::{Context as Hasher, SHA256};

use crate::{
    bail,
    engine::content::{Digest, space},
    error::{Error, Kind, Result},
};

/// How a layer blob is compressed; found by its first bytes, not by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Plain,
    Gzip,
    Zstd,
}

const BUFFER: usize = 256 << 10;
/// zstd frames may ask for this much memory, as a power of two: 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The decompressed bytes of `layer`, which is called `what` when something is wrong.
pub fn open<'a>(layer: impl Read + 'a, what: &str) -> Result<(Compression, Box<dyn Read + 'a>)> {
    let mut layer = BufReader::with_capacity(BUFFER, layer);
    let magic = layer.fill_buf().map_err(|e| failed(what, e))?;
    Ok(match magic {
        [0x1f, 0x8b, ..] => (Compression::Gzip, Box::new(flate2::bufread::MultiGzDecoder::new(layer))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let mut decoder = zstd::Decoder::with_buffer(layer)
                .map_err(|e| Error::new(Kind::Internal, "set up zstd").with_source(e))?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG)
                .map_err(|e| Error::new(Kind::Internal, "set up zstd").with_source(e))?;
            (Compression::Zstd, Box::new(decoder))
        }
        [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            bail!(InvalidArgument, "the {what} is compressed with bzip2 or xz, which OCI images do not use")
        }
        _ => (Compression::Plain, Box::new(layer)),
    })
}

/// A source of ours that broke off says why; a decompressor means that the bytes are wrong.
fn failed(what: &str, error: io::Error) -> Error {
    let doing = format!("read the {what}");
    match error.downcast::<Error>() {
        Ok(ours) => ours.context(doing),
        Err(error) => Error::new(Kind::DataLoss, doing).with_source(error),
    }
}

/// The plain stream: counts, hashes, and stops at the limit or before the disk is full.
pub struct Stream<'a> {
    from: Box<dyn Read + 'a>,
    /// What it is, for people.
    what: &'static str,
    hasher: Option<Hasher>,
    seen: u64,
    limit: u64,
    /// Where it goes, and what that is called.
    target: PathBuf,
    called: PathBuf,
    /// Free space is looked at again when this many bytes have been seen.
    look_at: u64,
}

impl<'a> Stream<'a> {
    pub fn new(from: Box<dyn Read + 'a>, limit: u64, target: &Path, called: &Path) -> Self {
        let hasher = Some(Hasher::new(&SHA256));
        Self { hasher, called: called.to_owned(), ..Self::unhashed(from, "layer", limit, target) }
    }

    /// Of something whose digest nobody asks for.
    pub fn unhashed(from: Box<dyn Read + 'a>, what: &'static str, limit: u64, target: &Path) -> Self {
        let (target, called) = (target.to_owned(), target.to_owned());
        Self { from, what, hasher: None, seen: 0, limit, target, called, look_at: 0 }
    }

    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Reads to the end, what follows the archive too, and gives the digest of everything.
    pub fn finish(mut self) -> Result<Digest> {
        let mut buffer = vec![0; BUFFER];
        while self.fill(&mut buffer)? > 0 {}
        let Some(hasher) = self.hasher else { bail!(Internal, "the {} was not hashed", self.what) };
        Ok(Digest::from_sha256(hasher.finish().as_ref()))
    }

    /// Some bytes, or none at the end.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let n = loop {
            match self.from.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(|e| failed(self.what, e))?,
            }
        };
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..n]);
        }
        self.seen += n as u64;
        if self.seen > self.limit {
            bail!(ResourceExhausted, "{} expands beyond {} bytes", self.what, self.limit);
        }
        if self.seen > self.look_at {
            self.look_at = self.seen + space::LOOK_EVERY;
            space::keep_reserve_as(&self.called, &self.target)?;
        }
        Ok(n)
    }
}

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("seen", &self.seen).finish_non_exhaustive()
    }
}
