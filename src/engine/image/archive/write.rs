//! A tar archive on its way out: plain files with given sizes, in ustar with GNU's numbers for what is too large for it.

use std::io::{Read, Write};

use super::back;
use crate::{bail, error::Result};

const BLOCK: usize = 512;
const BUFFER: usize = 256 << 10;

/// Writes entries one after the other.
#[derive(Debug)]
pub struct Archive<W>(W);

impl<W: Write> Archive<W> {
    pub fn new(to: W) -> Self {
        Self(to)
    }

    pub fn directory(&mut self, path: &str) -> Result<()> {
        let header = header(path, 0o755, b'5', 0)?;
        self.put(&header)
    }

    pub fn document(&mut self, path: &str, body: &[u8]) -> Result<()> {
        self.file(path, body.len() as u64, body, |_| ())
    }

    /// Exactly `size` bytes of `from`; `seen` sees them on their way.
    pub fn file(&mut self, path: &str, size: u64, mut from: impl Read, mut seen: impl FnMut(&[u8])) -> Result<()> {
        self.put(&header(path, 0o444, b'0', size)?)?;
        let (mut left, mut buffer) = (size, vec![0; BUFFER.min(usize::try_from(size).unwrap_or(BUFFER))]);
        while left > 0 {
            let most = buffer.len().min(usize::try_from(left).unwrap_or(BUFFER));
            let n = from.read(&mut buffer[..most]).map_err(|e| crate::error::Error::io("read for", path, e))?;
            if n == 0 {
                bail!(DataLoss, "{path} ends {left} bytes early");
            }
            seen(&buffer[..n]);
            self.put(&buffer[..n])?;
            left -= n as u64;
        }
        let padding = usize::try_from(size.wrapping_neg() % BLOCK as u64).unwrap_or(0);
        self.put(&[0; BLOCK][..padding])
    }

    /// The end marker.
    pub fn finish(mut self) -> Result<()> {
        self.put(&[0; 2 * BLOCK])?;
        self.0.flush().map_err(|e| back(e, "write the image archive"))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|e| back(e, "write the image archive"))
    }
}

fn header(path: &str, mode: u32, kind: u8, size: u64) -> Result<[u8; BLOCK]> {
    if path.len() > 100 {
        bail!(Internal, "the path {path:?} is too long for a plain archive");
    }
    let mut block = [0_u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if size < 1 << 33 {
        put(124, format!("{size:011o}\0").as_bytes());
    } else {
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::image::unpack::{Limits, Stream, tar};

    #[test]
    fn sizes_small_and_huge_are_read_as_they_were_written() {
        for size in [0, 1, 0o77_777_777_777, 1 << 33, 1 << 40, i64::MAX as u64] {
            let block = header("blobs/sha256/x", 0o444, b'0', size).unwrap();
            let limits = Limits::default();
            let mut stream = Stream::unhashed(Box::new(&block[..]), "archive", u64::MAX, std::path::Path::new("/"));
            let entry = tar::Reader::new(&mut stream, &limits).next_entry().unwrap().unwrap();
            assert_eq!((entry.size, entry.path.as_slice()), (size, &b"blobs/sha256/x"[..]));
        }
    }

    #[test]
    fn what_is_too_short_is_no_file() {
        let mut out = Vec::new();
        let error = Archive::new(&mut out).file("x", 10, &b"short"[..], |_| ()).unwrap_err();
        assert!(error.to_string().contains("5 bytes early"), "{error:#}");
    }
}
