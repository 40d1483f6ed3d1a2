//! Metadata, content and snapshots against a model of them: random sequences of what the engine does to them, a death at one of the
//! crash points (in a process of its own), and a start that goes on with the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use proptest::{collection::vec, prelude::*, sample::select, test_runner::Config as Cases};
use serde::{Deserialize, Serialize};

use super::{
    content::{Content, Digest},
    gc,
    metadata::{Db, ImageRow},
    recover,
    snapshot::{self, Labels, Local, SnapshotKind, Snapshotter},
};

const NATIVE: &str = "native";
/// Those that these operations come by.
const POINTS: &[&str] = &[
    "ing.1", "ing.2", "ing.3", "ing.4", "ing.5", "ing.6", "ing.7", "ing.8", "unp.1", "unp.2", "unp.5", "unp.8", "rm.5",
    "gc.1", "gc.2", "gc.3", "gc.4", "rec.1", "rec.2", "rec.3",
];

/// One call each. Numbers name a lease, a blob, an image; keys are of active snapshots (`k`) and layers (`n`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Op {
    Lease(u8),
    Release(u8),
    Write { lease: u8, blob: u8 },
    Hold { lease: u8, key: String },
    Prepare { key: String, parent: Option<String> },
    Commit { key: String, name: String },
    Remove(String),
    Put { image: u8, layer: String, blob: u8 },
    Delete(u8),
    Collect,
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let key = || (0..3_u8).prop_map(|n| format!("k{n}"));
    let name = || (0..5_u8).prop_map(|n| format!("n{n}"));
    prop_oneof![
        2 => (0..2_u8).prop_map(Op::Lease),
        1 => (0..2_u8).prop_map(Op::Release),
        3 => (0..2_u8, 0..4_u8).prop_map(|(lease, blob)| Op::Write { lease, blob }),
        2 => (0..2_u8, prop_oneof![key(), name()]).prop_map(|(lease, key)| Op::Hold { lease, key }),
        4 => (key(), proptest::option::weighted(0.7, name())).prop_map(|(key, parent)| Op::Prepare { key, parent }),
        4 => (key(), name()).prop_map(|(key, name)| Op::Commit { key, name }),
        1 => prop_oneof![key(), name()].prop_map(Op::Remove),
        2 => (0..3_u8, name(), 0..4_u8).prop_map(|(image, layer, blob)| Op::Put { image, layer, blob }),
        1 => (0..3_u8).prop_map(Op::Delete),
        2 => Just(Op::Collect),
        1 => Just(Op::Reopen),
    ]
}

fn blob(n: u8) -> Vec<u8> {
    vec![n; 3000 + usize::from(n)]
}

fn image_id(n: u8) -> Digest {
    Digest::of(&[b'i', n])
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tree {
    active: bool,
    parent: Option<String>,
    files: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Model {
    /// Blobs and keys that each keeps.
    leases: BTreeMap<u8, (BTreeSet<u8>, BTreeSet<String>)>,
    blobs: BTreeSet<u8>,
    trees: BTreeMap<String, Tree>,
    images: BTreeMap<u8, (String, BTreeSet<u8>)>,
}

impl Model {
    /// Whether the stores are asked at all: callers do not name what they do not have.
    fn is_asked(&self, op: &Op) -> bool {
        match op {
            Op::Lease(lease) => !self.leases.contains_key(lease),
            Op::Release(lease) | Op::Write { lease, .. } | Op::Hold { lease, .. } => self.leases.contains_key(lease),
            Op::Put { layer, blob, .. } => self.trees.contains_key(layer) && self.blobs.contains(blob),
            _ => true,
        }
    }

    /// Whether it is done. `number` is the operation's.
    fn apply(&mut self, number: usize, op: &Op) -> bool {
        match op {
            Op::Lease(lease) => drop(self.leases.insert(*lease, Default::default())),
            Op::Release(lease) => drop(self.leases.remove(lease)),
            Op::Write { lease, blob } => {
                self.leases.entry(*lease).or_default().0.insert(*blob);
                self.blobs.insert(*blob);
            }
            Op::Hold { lease, key } => drop(self.leases.entry(*lease).or_default().1.insert(key.clone())),
            Op::Prepare { key, parent } => {
                let below = parent.as_ref().map(|parent| self.trees.get(parent));
                let mut files = match below {
                    None => BTreeSet::new(),
                    Some(Some(below)) if !below.active => below.files.clone(),
                    Some(_) => return false,
                };
                if self.trees.contains_key(key) {
                    return false;
                }
                files.insert(number.to_string());
                self.trees.insert(key.clone(), Tree { active: true, parent: parent.clone(), files });
            }
            Op::Commit { key, name } => {
                if self.trees.contains_key(name) {
                    return false;
                }
                let Some(tree) = self.trees.remove(key) else { return false };
                self.trees.insert(name.clone(), Tree { active: false, ..tree });
                for (_, keys) in self.leases.values_mut().filter(|(_, keys)| keys.contains(key)) {
                    keys.insert(name.clone());
                }
            }
            Op::Remove(key) => {
                if self.trees.values().any(|tree| tree.parent.as_ref() == Some(key)) {
                    return false;
                }
                return self.trees.remove(key).is_some();
            }
            Op::Put { image, layer, blob } => {
                let (chain, blobs) = self.images.entry(*image).or_default();
                chain.clone_from(layer);
                blobs.insert(*blob);
            }
            Op::Delete(image) => drop(self.images.remove(image)),
            Op::Collect => self.collect(),
            Op::Reopen => self.reopen(),
        }
        true
    }

    fn collect(&mut self) {
        let leased = self.leases.values().flat_map(|(blobs, _)| blobs);
        let wanted: BTreeSet<u8> = leased.chain(self.images.values().flat_map(|(_, blobs)| blobs)).copied().collect();
        self.blobs.retain(|blob| wanted.contains(blob));
        let leased = self.leases.values().flat_map(|(_, keys)| keys);
        let mut left: Vec<String> = leased.chain(self.images.values().map(|(layer, _)| layer)).cloned().collect();
        let mut kept = BTreeSet::new();
        while let Some(key) = left.pop() {
            if let Some(tree) = self.trees.get(&key)
                && kept.insert(key)
            {
                left.extend(tree.parent.clone());
            }
        }
        self.trees.retain(|key, _| kept.contains(key));
    }

    /// Nobody goes on with what was being unpacked.
    fn reopen(&mut self) {
        self.trees.retain(|_, tree| !tree.active);
    }
}

struct Stores {
    db: Arc<Db>,
    content: Content,
    local: Local,
}

impl Stores {
    async fn open(dir: &Path) -> Self {
        let db = Arc::new(Db::open(&dir.join("meta.db")).unwrap());
        let content = Content::open(&dir.join("content"), Arc::clone(&db)).unwrap();
        let local = snapshot::open(&dir.join("snapshots"), Some(NATIVE), Arc::clone(&db)).unwrap();
        recover::storage(&db, &content, &local, &dir.join("scratch")).await.unwrap();
        Self { db, content, local }
    }

    /// Whether it was done.
    async fn apply(&mut self, dir: &Path, number: usize, op: &Op, leases: &mut BTreeMap<u8, String>) -> bool {
        match op {
            Op::Lease(lease) => {
                let id = self.db.lease(&format!("model {lease}"), Duration::from_secs(3600)).unwrap();
                leases.insert(*lease, id);
                true
            }
            Op::Release(lease) => self.db.release(&leases.remove(lease).unwrap()).is_ok(),
            Op::Write { lease, blob: n } => self.content.write(&blob(*n), &leases[lease]).is_ok(),
            Op::Hold { lease, key } => self.db.lease_snapshot(&leases[lease], NATIVE, key).is_ok(),
            Op::Prepare { key, parent } => {
                let made = self.local.prepare(key, parent.as_deref(), Labels::new()).await.is_ok();
                if made {
                    let target = self.local.unpack_target(key).await.unwrap().directory;
                    fs::write(target.join(number.to_string()), key).unwrap();
                }
                made
            }
            Op::Commit { key, name } => self.local.commit(key, name, Labels::new()).await.is_ok(),
            Op::Remove(key) => self.local.remove(key).await.is_ok(),
            Op::Put { image, layer, blob: n } => {
                let row = ImageRow {
                    id: image_id(*image),
                    target: image_id(*image),
                    tags: vec![format!("example.com/model:{image}")],
                    digests: Vec::new(),
                    size: 1,
                    snapshot: Some((NATIVE.to_owned(), layer.clone())),
                    pinned: false,
                };
                self.db.put_image(&row, &[Digest::of(&blob(*n))]).is_ok()
            }
            Op::Delete(image) => self.db.delete_image(&image_id(*image)).is_ok(),
            Op::Collect => gc::collect(&self.db, &self.content, &self.local).await.is_ok(),
            Op::Reopen => {
                *self = Self::open(dir).await;
                true
            }
        }
    }

    /// What is there, rows and files, as a model without leases. Rows and files that disagree panic.
    async fn seen(&self, dir: &Path) -> Model {
        let mut seen = Model::default();
        let digests: BTreeMap<Digest, u8> = (0..4).map(|n| (Digest::of(&blob(n)), n)).collect();
        let rows = self.db.blobs().unwrap();
        for (digest, _) in &rows {
            assert_eq!(self.content.read(digest, 4000).unwrap(), blob(digests[digest]));
            seen.blobs.insert(digests[digest]);
        }
        let files = names(&dir.join("content/blobs/sha256"));
        assert_eq!(files, rows.iter().map(|(digest, _)| digest.hex().to_owned()).collect(), "files of blobs");
        let mut numbers = BTreeSet::new();
        for row in self.db.snapshots(NATIVE).unwrap() {
            let files = names(&dir.join("snapshots/native").join(row.id.0.to_string()).join("fs"));
            let active = row.info.kind == SnapshotKind::Active;
            seen.trees.insert(row.info.key, Tree { active, parent: row.info.parent, files });
            numbers.insert(row.id.0.to_string());
        }
        assert_eq!(names(&dir.join("snapshots/native")), numbers, "directories of snapshots");
        for row in self.db.images().unwrap().iter().cloned() {
            let image = (0..3).find(|n| image_id(*n) == row.id).unwrap();
            let (_, chain) = row.snapshot.unwrap();
            let blobs = self.db.image_blobs(&row.id).unwrap();
            seen.images.insert(image, (chain, blobs.iter().map(|digest| digests[digest]).collect()));
        }
        seen
    }
}

fn names(directory: &Path) -> BTreeSet<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What a process that may die is given, in a file.
#[derive(Debug, Serialize, Deserialize)]
struct Task {
    ops: Vec<Op>,
}

/// The process that dies: started by the test below, with what it has to do in a directory. It writes down what became of each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is run by the test of the model"]
async fn the_process_that_dies() {
    let dir = std::path::PathBuf::from(std::env::var_os("WHARF_MODEL").unwrap());
    let task: Task = serde_json::from_slice(&fs::read(dir.join("task")).unwrap()).unwrap();
    let (mut model, mut leases, mut done) = (Model::default(), BTreeMap::new(), String::new());
    let mut stores = Stores::open(&dir).await;
    for (number, op) in task.ops.iter().enumerate() {
        if model.is_asked(op) {
            let was = stores.apply(&dir, number, op, &mut leases).await;
            assert_eq!(was, model.apply(number, op), "{op:?}");
        }
        done.push('x');
        fs::write(dir.join("done"), &done).unwrap();
    }
    fs::write(dir.join("ended"), "").unwrap();
}

async fn live_and_die_and_live(ops: &[Op], die: usize, (point, times): (&str, u32)) {
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let dir = dir.path();
    let (first, rest) = ops.split_at(die.min(ops.len()));
    fs::write(dir.join("task"), serde_json::to_vec(&Task { ops: first.to_vec() }).unwrap()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "engine::model::the_process_that_dies"]);
    child.env("WHARF_MODEL", dir).env("WHARF_CRASH_AT", format!("{point}:{times}")).stdin(Stdio::null());
    let output = child.output().unwrap();
    // It died, or it did all and came to no crash point so often.
    let killed = std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(libc::SIGKILL);
    assert!(killed || dir.join("ended").exists(), "{}", String::from_utf8_lossy(&output.stdout));

    let done = fs::read(dir.join("done")).map_or(0, |done| done.len());
    let mut before = Model::default();
    for (number, op) in first[..done].iter().enumerate() {
        if before.is_asked(op) {
            before.apply(number, op);
        }
    }
    // What it was about: done or not done, nothing in between.
    let mut after = before.clone();
    if let Some(op) = first.get(done).filter(|op| after.is_asked(op)) {
        after.apply(done, op);
    }
    let mut stores = Stores::open(dir).await;
    let seen = stores.seen(dir).await;
    let mut possible = [before, after];
    for model in &mut possible {
        model.reopen();
        model.leases.clear();
    }
    assert!(possible.contains(&seen), "after {done} of {first:?}, at {point}: {seen:#?}\nis none of {possible:#?}");

    // Whoever held the leases is gone; they are ended as the engine ends them.
    let mut model = seen;
    let mut leases = BTreeMap::new();
    for lease in 1..=ops.len() {
        stores.db.release(&lease.to_string()).unwrap();
    }
    for (number, op) in rest.iter().enumerate().map(|(n, op)| (first.len() + n, op)) {
        if !model.is_asked(op) {
            continue;
        }
        let was = stores.apply(dir, number, op, &mut leases).await;
        assert_eq!(was, model.apply(number, op), "{op:?} after {:?}", &rest[..number - first.len()]);
        let seen = stores.seen(dir).await;
        assert_eq!(seen, Model { leases: BTreeMap::new(), ..model.clone() }, "after {op:?}");
    }
}

/// About two seconds; `WHARF_MODEL_CASES` says how many sequences, for longer ones.
#[test]
fn h10_what_dies_anywhere_goes_on_as_the_model_does() {
    let cases = std::env::var("WHARF_MODEL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Cases { cases, failure_persistence: None, max_shrink_iters: 200, ..Cases::default() };
    proptest!(config, |(ops in vec(op(), 10..60), die in 5..50_usize, point in select(POINTS), times in 1..4_u32)| {
        runtime.block_on(live_and_die_and_live(&ops, die, (point, times)));
    });
}
