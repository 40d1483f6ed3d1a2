//! Reads a bolt database (etcd's bbolt, which containerd keeps its metadata in) while its owner is dead or hangs: no lock is
//! taken, nothing is written. What a transaction has committed is read; everything is checked before it is believed.

use std::{cell::Cell, fs::File, os::unix::fs::FileExt, path::Path};

use crate::{
    bail,
    error::{Error, Result},
};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Of a page: id, flags, count, overflow.
const HEADER: usize = 16;
/// Of an element of a page, of both kinds.
const ELEMENT: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
/// Levels of a tree; one of this depth would hold more than a disk.
const DEEPEST: usize = 32;
/// Bytes read of one database by one reader.
const MOST: u64 = 512 << 20;
/// Entries of one bucket.
const ENTRIES: usize = 200_000;

#[derive(Debug)]
pub struct Bolt {
    file: File,
    path: String,
    page: usize,
    /// One behind the last page in use.
    end: u64,
    root: u64,
    read: Cell<u64>,
}

/// A bucket: a tree of pages, or a single page inside of its parent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bucket {
    Page(u64),
    Inline(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Value(Vec<u8>),
    Bucket(Bucket),
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// FNV-1a, which the metas are summed with.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3))
}

struct Meta {
    page: usize,
    root: u64,
    end: u64,
    transaction: u64,
}

/// Of a page that begins here, if it is a whole one.
fn meta(bytes: &[u8]) -> Option<Meta> {
    let body = bytes.get(HEADER..HEADER + 64)?;
    let fits = u32_at(body, 0)? == MAGIC && u32_at(body, 4)? == VERSION && u64_at(body, 56)? == sum(&body[..56]);
    let page = usize::try_from(u32_at(body, 8)?).ok()?;
    let sane = page.is_power_of_two() && (1024..=64 << 10).contains(&page);
    (fits && sane).then_some(Meta {
        page,
        root: u64_at(body, 16)?,
        end: u64_at(body, 40)?,
        transaction: u64_at(body, 48)?,
    })
}

impl Bolt {
    /// # Errors
    /// That of the open or the read; `DataLoss` if it is no bolt database, or neither of its two metas is whole.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
        let named = path.display().to_string();
        let kind = file.metadata().map_err(|e| Error::io("stat", path, e))?;
        if !kind.is_file() {
            bail!(InvalidArgument, "{named} is not a regular file");
        }
        let mut best: Option<Meta> = None;
        // The second one stands on the second page, whose size only the first one tells.
        let places = [0_u64, 4096, 16 << 10, 64 << 10, 8192, 32 << 10, 2048, 1024];
        for place in places {
            let mut bytes = [0; HEADER + 64];
            if file.read_exact_at(&mut bytes, place).is_err() {
                continue;
            }
            let found = meta(&bytes).filter(|m| place == 0 || place == m.page as u64);
            if let Some(found) = found
                && best.as_ref().is_none_or(|b| b.transaction < found.transaction)
            {
                best = Some(found);
            }
        }
        let Some(Meta { page, root, end, .. }) = best else {
            bail!(DataLoss, "{named} is no bolt database, or both of its meta pages are damaged");
        };
        Ok(Self { file, path: named, page, end, root, read: Cell::new(0) })
    }

    pub fn root(&self) -> Bucket {
        Bucket::Page(self.root)
    }

    /// Everything in a bucket, by key.
    ///
    /// # Errors
    /// `DataLoss` if a page is not what it has to be; `ResourceExhausted` beyond what is reasonable.
    pub fn entries(&self, bucket: &Bucket) -> Result<Vec<(Vec<u8>, Item)>> {
        let mut found = Vec::new();
        match bucket {
            Bucket::Page(id) => self.walk(*id, 0, &mut found)?,
            Bucket::Inline(bytes) => self.leaf(bytes, &mut found)?,
        }
        Ok(found)
    }

    /// The bucket at the end of a path of buckets.
    ///
    /// # Errors
    /// As [`Self::entries`].
    pub fn descend(&self, path: &[&str]) -> Result<Option<Bucket>> {
        let mut at = self.root();
        for name in path {
            let inside = self.entries(&at)?;
            let next = inside.into_iter().find_map(|(key, item)| match item {
                Item::Bucket(bucket) if key == name.as_bytes() => Some(bucket),
                _ => None,
            });
            let Some(next) = next else { return Ok(None) };
            at = next;
        }
        Ok(Some(at))
    }

    fn damaged(&self, what: &str) -> Error {
        Error::new(crate::error::Kind::DataLoss, format!("{}: {what}", self.path))
    }

    /// A page with what it runs over into.
    fn page(&self, id: u64) -> Result<Vec<u8>> {
        if id < 2 || id >= self.end {
            return Err(self.damaged(&format!("page {id} is not in the file")));
        }
        let size = self.page as u64;
        let mut head = [0; HEADER];
        let place = id.checked_mul(size).ok_or_else(|| self.damaged("a page is out of reach"))?;
        self.file.read_exact_at(&mut head, place).map_err(|e| Error::io("read", &self.path, e))?;
        let more = u64::from(u32_at(&head, 12).unwrap_or(0));
        if u64_at(&head, 0) != Some(id) || id + more >= self.end {
            return Err(self.damaged(&format!("page {id} does not say it is that page")));
        }
        let length = (more + 1) * size;
        self.read.set(self.read.get().saturating_add(length));
        if self.read.get() > MOST {
            bail!(ResourceExhausted, "{}: more than {MOST} bytes would have to be read", self.path);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, place).map_err(|e| Error::io("read", &self.path, e))?;
        Ok(bytes)
    }

    fn walk(&self, id: u64, depth: usize, found: &mut Vec<(Vec<u8>, Item)>) -> Result<()> {
        if depth > DEEPEST {
            return Err(self.damaged("a tree has no end"));
        }
        let bytes = self.page(id)?;
        match u16_at(&bytes, 8) {
            Some(flags) if flags & LEAF != 0 => self.leaf(&bytes, found),
            Some(flags) if flags & BRANCH != 0 => {
                for at in self.elements(&bytes)? {
                    let child = u64_at(&bytes, at + 8).ok_or_else(|| self.damaged("a branch is cut off"))?;
                    self.walk(child, depth + 1, found)?;
                }
                Ok(())
            }
            _ => Err(self.damaged(&format!("page {id} is of no kind that holds keys"))),
        }
    }

    /// Where the elements of a page are.
    fn elements(&self, page: &[u8]) -> Result<impl Iterator<Item = usize> + use<>> {
        let count = usize::from(u16_at(page, 10).unwrap_or(0));
        if HEADER + count * ELEMENT > page.len() {
            return Err(self.damaged("a page has more elements than room"));
        }
        Ok((0..count).map(|n| HEADER + n * ELEMENT))
    }

    fn leaf(&self, page: &[u8], found: &mut Vec<(Vec<u8>, Item)>) -> Result<()> {
        for at in self.elements(page)? {
            let field = |n: usize| u32_at(page, at + n * 4).map(|v| v as usize);
            let element = || {
                let (flags, place, key, value) = (field(0)?, at + field(1)?, field(2)?, field(3)?);
                let middle = place.checked_add(key)?;
                Some((flags, page.get(place..middle)?, page.get(middle..middle.checked_add(value)?)?))
            };
            let (flags, key, value) = element().ok_or_else(|| self.damaged("a key or its value is cut off"))?;
            let item = match (flags & 1, u64_at(value, 0)) {
                (0, _) => Item::Value(value.to_vec()),
                // The root of a bucket, or none for one that follows at once.
                (_, Some(0)) => Item::Bucket(Bucket::Inline(value.get(16..).unwrap_or_default().to_vec())),
                (_, Some(root)) => Item::Bucket(Bucket::Page(root)),
                (_, None) => return Err(self.damaged("a bucket is cut off")),
            };
            if found.len() >= ENTRIES {
                bail!(ResourceExhausted, "{}: a bucket has more than {ENTRIES} entries", self.path);
            }
            found.push((key.to_vec(), item));
        }
        Ok(())
    }
}

#[cfg(test)]
pub mod tests {
    //! A writer of small databases, for tests of what reads them.

    use proptest::prelude::*;

    use super::*;

    /// A bucket to be written, as nested values.
    #[derive(Debug)]
    pub enum Tree {
        Value(Vec<u8>),
        Bucket(Vec<(String, Tree)>),
    }

    pub fn value(bytes: impl Into<Vec<u8>>) -> Tree {
        Tree::Value(bytes.into())
    }

    pub fn bucket(inside: Vec<(&str, Tree)>) -> Tree {
        Tree::Bucket(inside.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    const PAGE: usize = 4096;

    fn page(id: u64, flags: u16, elements: &[(u32, Vec<u8>, Vec<u8>)], whole: bool) -> Vec<u8> {
        let heads = HEADER + elements.len() * ELEMENT;
        let mut bytes = vec![0; heads];
        bytes[..8].copy_from_slice(&id.to_le_bytes());
        bytes[8..10].copy_from_slice(&flags.to_le_bytes());
        bytes[10..12].copy_from_slice(&(elements.len() as u16).to_le_bytes());
        for (n, (kind, key, value)) in elements.iter().enumerate() {
            let at = HEADER + n * ELEMENT;
            let place = bytes.len() - at;
            for (i, v) in [*kind, place as u32, key.len() as u32, value.len() as u32].iter().enumerate() {
                bytes[at + i * 4..at + i * 4 + 4].copy_from_slice(&v.to_le_bytes());
            }
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(value);
        }
        if whole {
            let over = bytes.len().div_ceil(PAGE) - 1;
            bytes[12..16].copy_from_slice(&(over as u32).to_le_bytes());
            bytes.resize((over + 1) * PAGE, 0);
        }
        bytes
    }

    /// Every other level of buckets is inline, so that both kinds are read.
    fn write(tree: &[(String, Tree)], pages: &mut Vec<u8>, inline: bool) -> Vec<u8> {
        let mut sorted: Vec<_> = tree.iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let mut elements = Vec::new();
        for (key, item) in sorted {
            elements.push(match item {
                Tree::Value(bytes) => (0, key.clone().into_bytes(), bytes.clone()),
                Tree::Bucket(inside) => (1, key.clone().into_bytes(), write(inside, pages, !inline)),
            });
        }
        let (root, rest) = if inline {
            (0, page(0, LEAF, &elements, false))
        } else {
            let id = (pages.len() / PAGE) as u64;
            pages.extend(page(id, LEAF, &elements, true));
            (id, Vec::new())
        };
        [&root.to_le_bytes()[..], &[0; 8], &rest].concat()
    }

    pub fn database(tree: &[(&str, Tree)]) -> Vec<u8> {
        let mut pages = vec![0; 4 * PAGE];
        let owned: Vec<(String, &Tree)> = tree.iter().map(|(k, v)| ((*k).to_owned(), v)).collect();
        let mut elements = Vec::new();
        for (key, item) in owned {
            elements.push(match item {
                Tree::Value(bytes) => (0, key.into_bytes(), bytes.clone()),
                Tree::Bucket(inside) => (1, key.into_bytes(), write(inside, &mut pages, false)),
            });
        }
        // A branch above the leaf, as in a database that has grown.
        let leaf = (pages.len() / PAGE) as u64;
        pages.extend(page(leaf, LEAF, &elements, true));
        let mut branch = page(leaf + 1, BRANCH, &[(0, b"v1".to_vec(), Vec::new())], true);
        branch[HEADER..HEADER + 8].copy_from_slice(&[16, 0, 0, 0, 2, 0, 0, 0]);
        branch[HEADER + 8..HEADER + 16].copy_from_slice(&leaf.to_le_bytes());
        pages.extend(branch);
        let end = (pages.len() / PAGE) as u64;
        for (n, transaction) in [(0, 7_u64), (1, 6)] {
            let mut body = Vec::new();
            for v in [MAGIC, VERSION, PAGE as u32, 0] {
                body.extend_from_slice(&v.to_le_bytes());
            }
            // The older of the two names a root that is not there any more.
            let root = if n == 0 { leaf + 1 } else { 2 };
            for v in [root, 0, 2, end, transaction] {
                body.extend_from_slice(&v.to_le_bytes());
            }
            body.extend_from_slice(&sum(&body).to_le_bytes());
            pages[n * PAGE + HEADER..n * PAGE + HEADER + 64].copy_from_slice(&body);
        }
        pages
    }

    fn sample() -> Vec<u8> {
        let deep = bucket(vec![("k", value("v")), ("in", bucket(vec![("big", value(vec![7; 9000]))]))]);
        database(&[("v1", bucket(vec![("ns", deep), ("other", bucket(vec![]))]))])
    }

    fn open(bytes: &[u8]) -> Result<Bolt> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Bolt::open(file.path())
    }

    fn all(bolt: &Bolt, bucket: &Bucket, depth: usize) -> Result<usize> {
        let mut count = 0;
        for (_, item) in bolt.entries(bucket)? {
            count += 1;
            if let (Item::Bucket(bucket), true) = (item, depth < 6) {
                count += all(bolt, &bucket, depth + 1)?;
            }
        }
        Ok(count)
    }

    #[test]
    fn buckets_in_pages_and_inline_are_read() {
        let bolt = open(&sample()).unwrap();
        let ns = bolt.descend(&["v1", "ns"]).unwrap().unwrap();
        let entries = bolt.entries(&ns).unwrap();
        assert_eq!(entries[1], (b"k".to_vec(), Item::Value(b"v".to_vec())));
        let inside = bolt.descend(&["v1", "ns", "in"]).unwrap().unwrap();
        assert_eq!(bolt.entries(&inside).unwrap()[0].1, Item::Value(vec![7; 9000]));
        assert_eq!(bolt.descend(&["v1", "none"]).unwrap(), None);
        assert_eq!(all(&bolt, &bolt.root(), 0).unwrap(), 6);
    }

    #[test]
    fn the_second_meta_serves_when_the_first_is_damaged() {
        let mut bytes = sample();
        let first = bytes[HEADER..HEADER + 64].to_vec();
        bytes[PAGE + HEADER..PAGE + HEADER + 64].copy_from_slice(&first);
        bytes[HEADER + 20] ^= 1;
        assert!(open(&bytes).unwrap().descend(&["v1", "ns"]).unwrap().is_some());
        bytes[PAGE + HEADER + 20] ^= 1;
        assert!(open(&bytes).unwrap_err().is(crate::error::Kind::DataLoss));
        assert!(open(b"nonsense").is_err());
    }

    #[test]
    fn a_tree_that_leads_back_to_itself_ends() {
        let mut bytes = sample();
        let end = bytes.len() / PAGE;
        // The branch names itself.
        let branch = (end - 1) * PAGE;
        bytes[branch + HEADER + 8..branch + HEADER + 16].copy_from_slice(&((end - 1) as u64).to_le_bytes());
        assert!(open(&bytes).unwrap().entries(&open(&bytes).unwrap().root()).is_err());
    }

    proptest! {
        #[test]
        fn damage_is_an_error_and_never_a_panic(at in 0_usize..20_000, with in any::<u8>(), cut in 0_usize..40_000) {
            let mut bytes = sample();
            let at = 2 * PAGE + at % (bytes.len() - 2 * PAGE);
            bytes[at] = with;
            bytes.truncate(bytes.len().min(2 * PAGE + cut));
            if let Ok(bolt) = open(&bytes) {
                // Whatever comes of it comes to an end.
                let _any = all(&bolt, &bolt.root(), 0);
            }
        }
    }
}
