//! An archive on its way in, in one pass: what is named by a digest goes to the content store at once and is verified there;
//! documents are kept in memory; whatever else a docker archive may refer to waits in the store's stash. Nothing is ever
//! written under a name that the archive gives.

use std::{
    collections::HashMap,
    io::Read,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::super::{
    manifest::MANIFEST_LIMIT,
    unpack::{
        Limits, Stream, decompress,
        tar::{Entry, EntryKind, Reader},
    },
};
use crate::{
    bail,
    engine::{
        content::{Content, Digest, Stashed},
        metadata::Db,
    },
    error::{Context, Kind, Result},
};

/// What it is called in errors.
const ARCHIVE: &str = "image archive";
const LIMITS: Limits =
    Limits { expanded: 1 << 40, entries: 1 << 16, path: 256, header: 64 << 10, xattrs: 16, xattr_bytes: 4 << 10 };
/// Files that have another name than blobs have, and links.
const OTHERS: usize = 1 << 14;
/// Bytes of one file.
const FILE: u64 = 64 << 30;
/// For the writer of a pull that was called off to put its last bytes down.
const HANDOVER: Duration = Duration::from_secs(30);

/// What was in it.
#[derive(Debug, Default)]
pub struct Contents {
    pub layout: Option<Vec<u8>>,
    pub index: Option<Vec<u8>>,
    pub docker: Option<Vec<u8>>,
    /// Named `blobs/sha256/…`: in the content store now.
    pub blobs: HashMap<Digest, u64>,
    /// By their path.
    pub others: HashMap<String, Stashed>,
    /// From a path to the path it stands for.
    links: HashMap<String, String>,
}

/// A file of the archive.
#[derive(Debug)]
pub enum Found<'a> {
    Blob(Digest, u64),
    Other(&'a Stashed),
}

impl Contents {
    /// By the path that docker's list gives; links are followed.
    pub fn find(&self, path: &str) -> Option<Found<'_>> {
        let mut path = clean(path.as_bytes()).ok()?;
        for _ in 0..8 {
            if let Some(digest) = blob_name(&path) {
                return self.blobs.get(&digest).map(|size| Found::Blob(digest, *size));
            }
            if let Some(other) = self.others.get(&path) {
                return Some(Found::Other(other));
            }
            path.clone_from(self.links.get(&path)?);
        }
        None
    }
}

/// Where the archive's bytes go.
#[derive(Debug)]
pub struct Sink<'a> {
    pub content: &'a Content,
    pub db: &'a Db,
    pub lease: &'a str,
    /// For the look at the free space.
    pub directory: &'a Path,
}

impl Sink<'_> {
    /// Reads all of it. `lock` keeps others from writing that blob.
    pub fn read<G>(&self, from: impl Read, lock: impl Fn(&Digest) -> G) -> Result<Contents> {
        let (_, plain) = decompress::open(from, ARCHIVE)?;
        let mut stream = Stream::unhashed(plain, ARCHIVE, LIMITS.expanded, self.directory);
        let mut reader = Reader::new(&mut stream, &LIMITS);
        let mut contents = Contents::default();
        while let Some(entry) = reader.next_entry()? {
            let path = clean(&entry.path)?;
            self.entry(&entry, &path, &mut reader, &mut contents, &lock).context(|| format!("its entry {path:?}"))?;
        }
        if !reader.ends()? {
            bail!(InvalidArgument, "something follows the end of the archive: give one archive at a time");
        }
        Ok(contents)
    }

    fn entry<G>(
        &self,
        entry: &Entry,
        path: &str,
        reader: &mut Reader<'_, '_>,
        contents: &mut Contents,
        lock: &impl Fn(&Digest) -> G,
    ) -> Result<()> {
        match entry.kind {
            EntryKind::Directory => return Ok(()),
            EntryKind::Symlink | EntryKind::HardLink => {
                let target = match (entry.kind, path.rsplit_once('/')) {
                    (EntryKind::Symlink, Some((directory, _))) => [directory.as_bytes(), &entry.link].join(&b'/'),
                    _ => entry.link.clone(),
                };
                let target = resolve(&target)?;
                few_enough(contents)?;
                contents.links.insert(path.to_owned(), target);
                return Ok(());
            }
            EntryKind::File => {}
            EntryKind::CharDevice | EntryKind::BlockDevice | EntryKind::Fifo => {
                bail!(InvalidArgument, "it is a device or a pipe, which no image archive has")
            }
        }
        if entry.size > FILE {
            bail!(ResourceExhausted, "it has {} bytes, more than {FILE}", entry.size);
        }
        let document = match path {
            "oci-layout" => Some(&mut contents.layout),
            "index.json" => Some(&mut contents.index),
            "manifest.json" => Some(&mut contents.docker),
            _ => None,
        };
        if let Some(place) = document {
            if place.is_some() {
                bail!(InvalidArgument, "it is there twice: which one counts is anybody's guess");
            }
            *place = Some(whole(entry, reader)?);
            return Ok(());
        }
        if let Some(digest) = blob_name(path) {
            if contents.blobs.insert(digest.clone(), entry.size).is_none() {
                let _one = lock(&digest);
                self.blob(&digest, entry.size, reader)?;
            }
            return Ok(());
        }
        // An image layout refers to nothing but blobs; these names are docker's and refer to nothing any more.
        let name = path.rsplit('/').next().unwrap_or_default();
        if contents.layout.is_some()
            || path.starts_with("blobs/")
            || ["VERSION", "json", "repositories"].contains(&name)
        {
            return Ok(());
        }
        few_enough(contents)?;
        let mut stash = self.content.stash()?;
        while let Some(part) = reader.read()? {
            stash.write(part)?;
        }
        if contents.others.insert(path.to_owned(), stash.finish()).is_some() {
            bail!(InvalidArgument, "it is there twice: which one counts is anybody's guess");
        }
        Ok(())
    }

    /// What is in the store already is not written again.
    fn blob(&self, digest: &Digest, size: u64, reader: &mut Reader<'_, '_>) -> Result<()> {
        self.db.lease_blob(self.lease, digest)?;
        match self.content.size(digest)? {
            Some(have) if have == size => return Ok(()),
            Some(have) => bail!(DataLoss, "it has {size} bytes, the blob of that digest has {have}"),
            None => {}
        }
        let mut ingest = patiently(|| self.content.ingest(digest, size, self.lease))?;
        // Somebody may have begun it; what is here comes from one source.
        ingest.restart()?;
        while let Some(part) = reader.read()? {
            ingest.write(part)?;
        }
        ingest.commit()
    }
}

fn few_enough(contents: &Contents) -> Result<()> {
    if contents.others.len() + contents.links.len() >= OTHERS {
        bail!(ResourceExhausted, "more than {OTHERS} files that are no blobs");
    }
    Ok(())
}

/// Tries again while somebody else writes the blob: they may not know yet that nobody waits for it.
pub fn patiently<T>(work: impl Fn() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + HANDOVER;
    loop {
        match work() {
            Err(error) if error.is(Kind::Unavailable) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

fn whole(entry: &Entry, reader: &mut Reader<'_, '_>) -> Result<Vec<u8>> {
    if entry.size > MANIFEST_LIMIT {
        bail!(ResourceExhausted, "it has {} bytes, more than {MANIFEST_LIMIT}", entry.size);
    }
    let mut body = Vec::new();
    while let Some(part) = reader.read()? {
        body.extend_from_slice(part);
    }
    Ok(body)
}

/// `blobs/sha256/…`
fn blob_name(path: &str) -> Option<Digest> {
    let hex = path.strip_prefix("blobs/sha256/")?;
    format!("{}{hex}", Digest::PREFIX).parse().ok()
}

/// An entry's path without `./` and doubled slashes. One that leads out of the archive is refused, though nothing would be
/// written there: it has not been made by accident.
fn clean(path: &[u8]) -> Result<String> {
    walk(path, false)
}

/// The target of a link; it may go up, but not out.
fn resolve(path: &[u8]) -> Result<String> {
    walk(path, true)
}

fn walk(path: &[u8], up: bool) -> Result<String> {
    let text = std::str::from_utf8(path).ok().filter(|t| t.len() <= LIMITS.path && !t.contains('\0'));
    let Some(text) = text else {
        bail!(InvalidArgument, "a path in the archive is longer than {} bytes or is no text", LIMITS.path);
    };
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if up && !parts.is_empty() => drop(parts.pop()),
            ".." => bail!(InvalidArgument, "the path {text:?} leads out of the archive"),
            part => parts.push(part),
        }
    }
    if text.starts_with('/') {
        bail!(InvalidArgument, "the path {text:?} leads out of the archive");
    }
    Ok(parts.join("/"))
}
