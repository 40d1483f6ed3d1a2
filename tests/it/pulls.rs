//! Pulls that fail: each with its own clear error, through crictl and wharf, and nothing left behind by any of them.
//!
//! The rows of the threat list about registries are in `registry`.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use crate::support::{
    self,
    lying::{Answer, Body, INDEX, Image, Lying},
    node::{IMAGE, Node},
    registry::{self, Layer, Registry},
};

/// Everything an engine holds: rows by table, and the size of every file below its root.
#[derive(Debug, PartialEq, Eq)]
pub struct Holdings {
    pub rows: BTreeMap<String, i64>,
    pub files: BTreeMap<String, u64>,
}

pub fn holdings(root: &Path) -> Holdings {
    let db = Connection::open_with_flags(root.join("meta.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut tables =
        db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'sqlite_sequence'").unwrap();
    let names: Vec<String> = tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let count = |name: &String| db.query_row(&format!("SELECT count(*) FROM {name}"), [], |r| r.get(0)).unwrap();
    let rows = names.iter().map(|n| (n.clone(), count(n))).collect();
    let mut files = BTreeMap::new();
    walk(root, &mut |path, size| {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        // The database's own files grow and shrink as it likes, a lock names a pid, and the ballast comes back with the
        // next collection that finds room.
        if !name.starts_with("meta.db") && !["LOCK", "ballast"].contains(&name.as_str()) {
            files.insert(name, size);
        }
    });
    Holdings { rows, files }
}

fn walk(directory: &Path, found: &mut impl FnMut(&Path, u64)) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        found(&path, if meta.is_dir() { 0 } else { meta.len() });
        if meta.is_dir() {
            walk(&path, found);
        }
    }
}

/// Waits until the engine holds what it held.
pub fn nothing_left(node: &Node, before: &Holdings, after: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let now = holdings(&node.dir.join("lib"));
        if now == *before {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "after {after} there is more than before:\n{before:#?}\n{now:#?}\n{}",
            node.log()
        );
        thread::sleep(Duration::from_millis(100));
    }
}

fn said(output: &Output) -> String {
    assert!(!output.status.success(), "it succeeded: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Fails through both programs with these words, which name the cause.
pub fn refused(node: &Node, before: &Holdings, reference: &str, extra: &[&str], words: &[&str]) {
    let ours = said(&node.wharf(&[&["pull"], extra, &[reference]].concat()).output().unwrap());
    let theirs = said(&node.crictl(&[&["pull"], extra, &[reference]].concat()));
    for text in [&ours, &theirs] {
        for word in words {
            assert!(text.to_lowercase().contains(&word.to_lowercase()), "{reference}: no {word:?} in: {text}");
        }
        assert!(!text.contains("no answer in"), "{text}");
    }
    // Beside what it tells of the progress there is one line.
    assert_eq!(ours.lines().filter(|l| l.starts_with("wharf: ")).count(), 1, "{ours}");
    nothing_left(node, before, reference);
}

/// A layer of this many bytes that do not compress.
pub fn noise(seed: u8, size: usize) -> Layer {
    let dir = tempfile::tempdir().unwrap();
    let mut state = u64::from(seed) + 1;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    })
    .take(size)
    .collect();
    fs::write(dir.path().join(format!("noise-{seed}")), bytes).unwrap();
    registry::layer(dir.path())
}

/// A layer that is honest in itself but carries another one's diff_id.
fn mislabelled(layer: &Layer, other: &Layer) -> Layer {
    Layer { bytes: layer.bytes.clone(), diff_id: other.diff_id.clone(), compression: layer.compression }
}

#[test]
fn each_failure_has_its_own_error_and_leaves_nothing() {
    let Some(mut node) = Node::with_registry("failures") else { return };
    let before = holdings(&node.dir.join("lib"));
    let fails = |reference: &str, words: &[&str]| refused(&node, &before, reference, &[], words);
    fails("127.0.0.1:5000/test/busybox:nope", &["busybox:nope", "not found"]);
    fails("127.0.0.1:5000/no/such:1", &["127.0.0.1:5000/no/such", "not found"]);
    fails("127.0.0.1:1/test/x:1", &["127.0.0.1:1", "refused", "is the port right"]);
    fails("registry.invalid/x:1", &["registry.invalid", "resolve"]);
    fails("127.0.0.1:5000/UPPER/x:1", &["UPPER"]);

    let lying = Lying::start(&node.netns);
    let (good, other) = (noise(1, 300_000), noise(2, 300_000));
    let image = || Image::new(&[noise(1, 300_000), noise(2, 300_000)]);

    let digest = image().layers[1].clone();
    let mut wrong = image().blob(&digest);
    wrong[150_000] ^= 1;
    let path = digest.clone();
    let corrupted =
        lying.image("corrupted", image(), move |r| r.path.ends_with(&path).then(|| Answer::new(200, wrong.clone())));
    fails(&corrupted, &[&digest[7..19], "expected", "got"]);

    let liar = lying.image("diff", Image::new(&[good, mislabelled(&noise(3, 200_000), &other)]), |_| None);
    fails(&liar, &["diff_id"]);

    let endless =
        lying.image("endless", image(), |r| r.path.contains("/manifests/").then(|| Answer::of(200, Body::Endless)));
    fails(&endless, &["manifest", "larger than"]);

    let path = digest.clone();
    let lost = lying.image("lost", image(), move |r| r.path.ends_with(&path).then(Answer::missing));
    fails(&lost, &["not found (404)", &digest[7..19]]);

    let html = lying.image("html", image(), |_| {
        Some(Answer::new(200, "<!doctype html><title>Welcome</title>").header("Content-Type", "text/html"))
    });
    fails(&html, &["not a registry", "text/html"]);

    let mut foreign = Image::default();
    let index = serde_json::json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [
        { "digest": image().manifest, "size": 1, "platform": { "os": "linux", "architecture": "s390x" } },
        { "digest": image().manifest, "size": 1, "platform": { "os": "windows", "architecture": "amd64" } } ] });
    foreign.tag(INDEX, index.to_string().as_bytes());
    let platform = lying.image("platform", foreign, |_| None);
    fails(&platform, &["linux/amd64", "linux/s390x", "windows/amd64"]);
    let single = Image::with(&[noise(1, 1000)], |c| c["architecture"] = "s390x".into(), |_| ());
    fails(&lying.image("single", single, |_| None), &["linux/s390x", "linux/amd64"]);

    let broken = lying.image("broken", image(), |r| {
        r.path.contains("/blobs/").then(|| Answer::new(500, r#"{"errors":[{"message":"out of order"}]}"#))
    });
    fails(&broken, &["failed (500)", "out of order"]);

    // All of this did no harm to what works.
    let whole = lying.image("whole", image(), |_| None);
    node.ok(&["pull", &whole]);
    node.ok(&["rmi", &whole]);
    nothing_left(&node, &before, "a good pull and rmi");
    drop(lying);
    node.registry.as_mut().unwrap().kill();
    refused(&node, &before, IMAGE, &[], &["127.0.0.1:5000", "refused"]);
    node.end();
}

#[test]
fn passwords_are_asked_for_and_checked() {
    let Some(node) = Node::start("passwords") else { return };
    let Some(htpasswd) = support::program("passwords", "htpasswd") else { return };
    let entry = Command::new(htpasswd).args(["-nbB", "admiral", "right-secret"]).output().unwrap();
    let entry = String::from_utf8(entry.stdout).unwrap();
    let dir = node.dir.join("closed");
    let Some(registry) = Registry::start("passwords", &node.netns, &dir, Some(&entry)) else { return };
    // base64 of admiral:right-secret
    registry.push("closed/image", "1", &[noise(4, 1000)], Some("YWRtaXJhbDpyaWdodC1zZWNyZXQ="));
    let reference = "127.0.0.1:5000/closed/image:1";
    let before = holdings(&node.dir.join("lib"));
    refused(&node, &before, reference, &[], &["401", "needs a login"]);
    refused(&node, &before, reference, &["--creds", "admiral:wrong-secret"], &["401", "wrong user or password"]);
    node.ok(&["pull", "--creds", "admiral:right-secret", reference]);
    node.ok(&["rmi", reference]);
    nothing_left(&node, &before, "a pull with a password");
    // reg_26: what one pull knew, the next does not.
    refused(&node, &before, reference, &[], &["401", "needs a login"]);
    let output = node.wharf(&["pull", "--creds", "admiral:right-secret", reference]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut kept = Command::new("grep");
    kept.args(["-rlE", "right-secret|wrong-secret|YWRtaXJhbDpy"]);
    let found = kept_in(&mut kept, &[node.dir.join("lib"), node.dir.join("run"), node.dir.join("log")]);
    assert_eq!(found, "", "a password was written");
    drop(registry);
    node.end();
}

fn kept_in(grep: &mut Command, places: &[std::path::PathBuf]) -> String {
    String::from_utf8(grep.args(places).output().unwrap().stdout).unwrap()
}

#[test]
fn unp_17_a_full_disk_is_said_and_freed_and_a_retry_works() {
    let Some(mut node) = Node::start("full") else { return };
    node.kill_engine();
    // A small disk for what is persistent.
    let lib = node.dir.join("lib");
    fs::remove_dir_all(&lib).unwrap();
    fs::create_dir(&lib).unwrap();
    rustix::mount::mount("tmpfs", &lib, "tmpfs", rustix::mount::MountFlags::empty(), c"size=64m").unwrap();
    node.serve();
    let lying = Lying::start(&node.netns);
    let used = || {
        let s = rustix::fs::statvfs(&lib).unwrap();
        (s.f_blocks - s.f_bfree) * s.f_frsize
    };
    let before = holdings(&lib);
    let start = used();
    let large = |seed| noise(seed, 24 << 20);
    // 48 MiB of layers and as much unpacked: the disk is full in the middle.
    let big = lying.image("big", Image::new(&[large(5), large(6)]), |_| None);
    refused(&node, &before, &big, &[], &["no space left"]);
    // A file that is deleted holds its room until the process that wrote it has ended.
    let freed = |what: &str| node.until(what, || used() < start + (1 << 20));
    freed("the room of the failed pull");
    // reg_17: a layer that is small on its way and huge after it.
    let dir = tempfile::tempdir().unwrap();
    fs::File::create(dir.path().join("zeros")).unwrap().set_len(2 << 30).unwrap();
    let bomb = lying.image("bomb", Image::new(&[registry::layer(dir.path())]), |_| None);
    refused(&node, &before, &bomb, &[], &["no space left"]);
    freed("the room of the bomb");
    // Somebody else fills it, then frees it.
    let ballast = lib.join("ballast");
    fs::write(&ballast, vec![1; 53 << 20]).unwrap();
    let fits = lying.image("fits", Image::new(&[noise(7, 8 << 20)]), |_| None);
    let full = said(&node.crictl(&["pull", &fits]));
    assert!(["no space left", "disk is full"].iter().any(|w| full.to_lowercase().contains(w)), "{full}");
    fs::remove_file(&ballast).unwrap();
    nothing_left(&node, &before, "a full disk");
    node.ok(&["pull", &fits]);
    node.ok(&["rmi", &fits]);
    nothing_left(&node, &before, "the retry");
    drop(lying);
    node.kill_engine();
    rustix::mount::unmount(&lib, rustix::mount::UnmountFlags::DETACH).unwrap();
}

#[test]
fn a_killed_engine_leaves_nothing_of_its_pulls() {
    let Some(mut node) = Node::start("killed") else { return };
    let lying = Lying::start(&node.netns);
    // WHARF_KILLS asks for more than the short version that every change must pass.
    let kills: u64 = std::env::var("WHARF_KILLS").ok().map_or(4, |n| n.parse().unwrap());
    let before = holdings(&node.dir.join("lib"));
    let layers: Vec<_> = (10..14).map(|seed| noise(seed, 1 << 20)).collect();
    let image = Image::new(&layers);
    let slow = image.clone();
    // About a third of a second for a layer, three at a time, so that most kills hit one.
    let reference = lying.image("slow", image, move |r| {
        let digest = r.path.rsplit('/').next()?;
        let fresh = slow.layers.iter().any(|l| l == digest) && !r.headers.contains_key("range");
        fresh.then(|| Answer::of(200, Body::Slow(slow.blob(digest), 32 << 10)))
    });
    let mut seed = u64::from(std::process::id());
    for round in 0..kills {
        let mut pull = node.wharf(&["pull", &reference]);
        let mut pull = pull.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let wait = 50 + (seed >> 33) % 700;
        thread::sleep(Duration::from_millis(wait));
        node.kill_engine();
        let _ = pull.wait().unwrap();
        node.serve();
        // Alone or after what the killed one had: it completes, and the image is whole.
        node.ok(&["pull", &reference]);
        let image = node.json(&["inspecti", &reference]);
        assert_eq!(image["status"]["repoTags"][0].as_str(), Some(reference.as_str()), "{image}");
        node.ok(&["rmi", &reference]);
        nothing_left(&node, &before, &format!("kill {round} after {wait} ms"));
    }
    drop(lying);
    node.end();
}

/// Whoever makes a container of an image at the moment it is removed gets one that is whole, or a refusal to be tried again.
#[test]
fn prn_03_a_container_made_while_its_image_goes_is_whole_or_not_made() {
    let Some(node) = Node::with_registry("race") else { return };
    node.ok(&["pull", IMAGE]);
    let pod_config = node.pod_config("race", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let config = node.container_config("race", "/bin/busybox md5sum /bin/busybox; exec sleep 1000", |_| ());
    let (mut made, mut refused) = (0, 0);
    for turn in 0..12_u64 {
        node.ok(&["pull", IMAGE]);
        let (gone, created) = std::thread::scope(|scope| {
            let removal = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(turn % 6));
                node.wharf(&["prune", "images", "--yes"]).output().unwrap()
            });
            let created = node.crictl(&["create", &pod, &config, &pod_config]);
            (removal.join().unwrap(), created)
        });
        if created.status.success() {
            made += 1;
            let container = String::from_utf8(created.stdout).unwrap().trim().to_owned();
            node.ok(&["start", &container]);
            node.until("its sum of the program", || node.ok(&["logs", &container]).contains("/bin/busybox"));
            node.ok(&["rm", "-f", &container]);
        } else {
            refused += 1;
            let text = String::from_utf8_lossy(&created.stderr).into_owned();
            assert!(
                text.contains("NotFound") || text.contains("not found") || text.contains("no such image"),
                "{text}"
            );
        }
        assert!(gone.status.code().is_some_and(|code| code < 2), "{gone:?}");
    }
    eprintln!("{made} made, {refused} refused");
    node.end();
}
