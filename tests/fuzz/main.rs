//! Whatever strangers send is read a million times with changes: no panic, no endless time, no memory out of proportion, and
//! what each target promises holds.
//!
//! `WHARF_FUZZ_SECONDS` is how long each target runs, of a processor's time (1), `WHARF_FUZZ_SEED` which way it goes (1, so that a test says tomorrow what
//! it says today). Inputs whose outcome is new (by the words of the error) are kept to be changed further, which leads into the
//! depth of a format without an instrumented build. An input that fails is written to the directory the failure names.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod memory;
mod mutate;
mod seeds;

use std::{
    collections::HashSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use wharf::{
    config::hosts,
    engine::{
        content::{Content, Digest},
        gc,
        image::{
            archive::Options,
            auth::Challenge,
            config::ImageConfig,
            manifest::{self, Manifest, Platform, RootFs},
            pull::Puller,
            reference::Reference,
            registry::RegistryConfig,
            unpack::{self, Limits, Stream, Unpacker, decompress, tar},
        },
        metadata::Db,
        snapshot::{self, Snapshotter, UnpackTarget, Whiteouts},
    },
    error::{Error, Result},
};

use mutate::{Random, mutated, seal};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Of this thread's time, for one input: that of others does not count on a busy machine.
const SLOW: Duration = Duration::from_secs(10);
/// Inputs that are kept for their outcome.
const KEPT: usize = 512;
/// Larger ones are looked at once.
const LARGE: usize = 64 << 10;
/// Characters of an error: it may end in a log line of a node.
const LONGEST: usize = 2000;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// How long this thread has had a processor.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Runs `judge` on changed seeds until the time is over. It panics for what must not be, and says what came of the input.
fn fuzz(
    name: &str,
    seeds: Vec<Vec<u8>>,
    words: &[&[u8]],
    memory: usize,
    mut judge: impl FnMut(&[u8]) -> Result<String>,
) {
    let seed = number("WHARF_FUZZ_SEED", 1);
    let mut random = Random::new(seed);
    let limit = Duration::from_secs(number("WHARF_FUZZ_SECONDS", 1));
    let (begin, end) = (worked(), Instant::now() + 10 * limit);
    let (mut kept, mut known, mut inputs) = (seeds.clone(), HashSet::new(), 0_u64);
    let (mut slowest, mut largest) = (Duration::ZERO, 0);
    let mut fresh = seeds.into_iter();
    // On a machine that has other things to do it takes longer, and a target that waits for the disk ends all the same.
    while worked().saturating_sub(begin) < limit && Instant::now() < end {
        let input = fresh.next().unwrap_or_else(|| {
            let from = kept[random.below(kept.len())].clone();
            mutated(&from, &kept, words, &mut random)
        });
        let began = worked();
        let (outcome, peak) = memory::peak(|| catch_unwind(AssertUnwindSafe(|| judge(&input))));
        let (took, failed) = (worked().saturating_sub(began), |why: &str| -> ! {
            let path =
                Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}-{}", Digest::of(&input).short()));
            fs::write(&path, &input).unwrap();
            panic!("{name}: {why}: input {} (WHARF_FUZZ_SEED={seed}, number {inputs})", path.display());
        });
        let outcome = match outcome {
            Ok(Ok(what)) => what,
            Ok(Err(error)) => {
                let text = format!("{error:#}");
                if text.chars().count() > LONGEST {
                    failed("an error without end");
                }
                text
            }
            Err(_) => failed("it panicked"),
        };
        if took > SLOW {
            failed(&format!("it took {took:?}"));
        }
        if peak > memory {
            failed(&format!("it took {peak} bytes of memory"));
        }
        (slowest, largest, inputs) = (slowest.max(took), largest.max(peak), inputs + 1);
        if known.insert(shape(&outcome)) && kept.len() < KEPT && input.len() < LARGE {
            kept.push(input);
        }
    }
    eprintln!(
        "{name}: {inputs} inputs, {} outcomes, slowest {slowest:?}, most memory {} KiB (seed {seed})",
        known.len(),
        largest >> 10
    );
    assert!(inputs > 10, "{name} hardly ran");
}

/// The words of an outcome without what differs from input to input: numbers, and what is quoted of the input.
fn shape(outcome: &str) -> String {
    let words = outcome.split('"').step_by(2).flat_map(str::chars);
    words.filter(|c| c.is_ascii_alphabetic() || *c == ' ').take(160).collect()
}

fn texts(values: Vec<serde_json::Value>) -> Vec<Vec<u8>> {
    values.iter().map(|v| v.to_string().into_bytes()).collect()
}

/// A limit for parsed documents, whatever their size: the input itself is at most 1 MiB.
const DOCUMENT: usize = 48 << 20;

#[test]
fn manifest() {
    fuzz("manifest", texts(seeds::manifests()), &seeds::JSON, DOCUMENT, |input| {
        let Manifest::Image { config, layers } = Manifest::parse(input, "")? else { return Ok("an index".into()) };
        assert!(layers.len() <= 1024);
        for blob in layers.iter().chain([&config]) {
            assert_eq!(blob.digest.as_str().parse::<Digest>()?, blob.digest);
        }
        Ok(format!("an image, urls {}", layers.iter().any(|l| l.urls.is_some())))
    });
}

#[test]
fn index() {
    let arm = Platform { os: "linux".into(), architecture: "arm".into(), variant: "v7".into() };
    fuzz("index", texts(seeds::indexes()), &seeds::JSON, DOCUMENT, |input| {
        let Manifest::Index(entries) = Manifest::parse(input, "application/json")? else {
            return Ok("an image".into());
        };
        assert!(entries.len() <= 1024);
        for host in [&Platform::host(), &arm] {
            let chosen = manifest::choose(&entries, host)?;
            assert!(chosen.platform.as_ref().is_none_or(|p| p.os == host.os && p.architecture == host.architecture));
        }
        Ok("chosen".into())
    });
}

#[test]
fn config() {
    fuzz("config", texts(seeds::configs()), &seeds::JSON, DOCUMENT, |input| {
        let parsed = ImageConfig::parse(input)?;
        let layers = RootFs::parse(input, 2)?;
        assert_eq!((layers.diff_ids().len(), layers.chain_ids().len()), (2, 2));
        Ok(format!("a config, command {}, user {}", parsed.cmd.is_empty(), parsed.user.is_some()))
    });
}

#[test]
fn reference() {
    fuzz("reference", seeds::references(), &seeds::REFERENCE, 8 << 20, |input| {
        let Ok(text) = std::str::from_utf8(input) else { return Ok("no text".into()) };
        let reference: Reference = text.parse()?;
        let shown = reference.to_string();
        assert_eq!(shown.parse::<Reference>()?, reference, "{text:?}");
        assert!(shown.bytes().all(|b| b.is_ascii_graphic()), "{shown:?}");
        assert!(!reference.repository.contains("..") && !reference.registry.contains('/'), "{shown:?}");
        Ok(format!("tag {}, digest {}", reference.tag.is_some(), reference.digest.is_some()))
    });
}

#[test]
fn auth_header() {
    fuzz("auth header", seeds::challenges(), &seeds::CHALLENGE, 8 << 20, |input| {
        // As many as hyper takes of one answer.
        let lines = input.split(|b| *b == b'\n').take(100);
        let headers: Vec<_> = lines.filter_map(|l| http::HeaderValue::from_bytes(l).ok()).collect();
        match Challenge::parse(headers.iter()) {
            Some(Challenge::Bearer { realm, service, scope }) => {
                let longest = [Some(realm), service, scope].into_iter().flatten().map(|v| v.len()).max();
                assert!(longest.is_some_and(|l| l <= 4096));
                Ok("bearer".into())
            }
            Some(Challenge::Basic) => Ok("basic".into()),
            None => Ok("nothing".into()),
        }
    });
}

#[test]
fn hosts_toml() {
    fuzz("hosts.toml", seeds::hosts(), &seeds::TOML, 128 << 20, |input| {
        let Ok(text) = std::str::from_utf8(input) else { return Ok("no text".into()) };
        // A file of a megabyte is somebody's mistake, not the parser's problem.
        let text = &text[..text.floor_char_boundary(64 << 10)];
        let parsed = hosts::parse(Path::new("/etc/containerd/certs.d/h/hosts.toml"), text)?;
        let hosts = parsed.all("https", "registry.example.com");
        assert!(hosts.iter().all(|h| !h.name.is_empty()), "{hosts:?}");
        Ok(format!("hosts, findings {}", parsed.findings.len().min(3)))
    });
}

#[test]
fn decompression() {
    let directory = tempfile::tempdir().unwrap();
    let limit = 8 << 20;
    fuzz("decompress", seeds::compressed(), &seeds::COMPRESSED, 4 << 20, |input| {
        let (compression, plain) = decompress::open(input, "layer")?;
        let mut stream = Stream::new(plain, limit, directory.path(), directory.path());
        let (mut buffer, mut seen) = (vec![0; 64 << 10], 0);
        loop {
            let n = stream.fill(&mut buffer)?;
            seen += n as u64;
            assert!(seen <= limit);
            if n == 0 {
                return Ok(format!("{compression:?}"));
            }
        }
    });
}

#[test]
fn tar_reader() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { expanded: 4 << 20, entries: 2000, ..Limits::default() };
    fuzz("tar", seeds::layers(), &seeds::TAR, 16 << 20, |input| {
        let mut input = input.to_vec();
        if input.first().is_none_or(|b| b % 4 != 0) {
            seal(&mut input);
        }
        let size = input.len() as u64;
        let mut stream = Stream::unhashed(Box::new(input.as_slice()), "layer", limits.expanded, directory.path());
        let mut reader = tar::Reader::new(&mut stream, &limits);
        let (mut entries, mut data, mut kinds) = (0, 0, HashSet::new());
        while let Some(entry) = reader.next_entry()? {
            let mut own = 0;
            while let Some(part) = reader.read()? {
                assert!(!part.is_empty());
                own += part.len() as u64;
            }
            assert_eq!(own, entry.size);
            assert!(entry.xattrs.len() <= limits.xattrs && entry.path.len() as u64 <= limits.header);
            (entries, data) = (entries + 1, data + own);
            kinds.insert(format!("{:?}", entry.kind));
        }
        // Nothing is read twice: that is how smuggled entries are made.
        assert!(
            entries <= limits.entries && data + entries * 512 <= size,
            "{entries} entries of {data} bytes in {size}"
        );
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort();
        Ok(kinds.join(" "))
    });
}

#[test]
fn unpacking_stays_inside() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("canary"), "alive").unwrap();
    let target = outside.path().join("root");
    let limits = Limits { expanded: 1 << 20, entries: 200, ..Limits::default() };
    fuzz("layer", [seeds::layers(), seeds::compressed()].concat(), &seeds::TAR, 32 << 20, |input| {
        let mut input = input.to_vec();
        seal(&mut input);
        fs::create_dir(&target).unwrap();
        let way = if input.len() % 3 == 0 { Whiteouts::Apply } else { Whiteouts::Overlay };
        let place = UnpackTarget { directory: target.clone(), whiteouts: way, independent: true };
        let unpacked = unpack::unpack(input.as_slice(), &place, &limits);
        let names: Vec<_> = fs::read_dir(outside.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!((names.len(), fs::read(outside.path().join("canary")).unwrap().as_slice()), (2, &b"alive"[..]));
        fs::remove_dir_all(&target).unwrap();
        unpacked.map(|u| format!("unpacked, implied {}", u.implied.is_empty()))
    });
}

/// An engine's stores, on a directory of their own.
struct Stores {
    directory: tempfile::TempDir,
    db: Arc<Db>,
    content: Content,
    snapshotter: Arc<dyn Snapshotter>,
    puller: Puller,
}

impl Stores {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let db = Arc::new(Db::open(&at("meta.db")).unwrap());
        let content = Content::open(&at("content"), Arc::clone(&db)).unwrap();
        let snapshotter: Arc<dyn Snapshotter> =
            Arc::new(snapshot::open(&at("snapshots"), Some("native"), Arc::clone(&db)).unwrap());
        let puller = Puller::new(
            content.clone(),
            Arc::clone(&db),
            Arc::clone(&snapshotter),
            RegistryConfig::default(),
            at("scratch"),
        );
        let unpacker = Unpacker::of(Path::new(env!("CARGO_BIN_EXE_wharf")));
        Self { puller: puller.unwrap().with_unpacker(unpacker), directory, db, content, snapshotter }
    }

    fn files(&self) -> Vec<PathBuf> {
        let below = |name: &str| fs::read_dir(self.directory.path().join(name)).into_iter().flatten();
        let all = ["content/blobs/sha256", "content/ingest", "snapshots/native"].into_iter().flat_map(below);
        all.map(|e| e.unwrap().path()).collect()
    }

    async fn import(&self, input: Vec<u8>) -> Result<usize> {
        let imported = self.puller.import(std::io::Cursor::new(input), Options::default(), Arc::new(|_| ())).await;
        for image in self.db.images()?.iter() {
            assert!(imported.is_ok(), "an image of an archive that failed: {image:?}");
            self.db.delete_image(&image.id)?;
        }
        gc::collect(&self.db, &self.content, &*self.snapshotter).await?;
        assert_eq!(self.files(), Vec::<PathBuf>::new(), "left over by {imported:?}");
        imported.map(|images| images.len())
    }
}

#[test]
fn reg_25_archives_leave_nothing() {
    let here = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stores = Stores::new();
    let words: Vec<&[u8]> = seeds::TAR.into_iter().chain(seeds::JSON).collect();
    for whole in seeds::archives() {
        let imported = here.block_on(stores.import(whole));
        let root = rustix::process::geteuid().is_root();
        assert!(imported.is_ok() || !root, "{imported:?}");
    }
    fuzz("archive", seeds::archives(), &words, 64 << 20, |input| {
        let mut input = input.to_vec();
        if input.first().is_none_or(|b| b % 4 != 0) {
            seal(&mut input);
        }
        here.block_on(stores.import(input)).map(|n| format!("imported {}", ["none", "one", "more"][n.min(2)]))
    });
}

#[test]
fn an_error_is_told_as_one() {
    // What the runner relies on.
    let error = Error::new(wharf::error::Kind::InvalidArgument, "number 7 of \"what came\" is wrong");
    assert_eq!(shape(&format!("{error:#}")), "number  of  is wrong");
}
