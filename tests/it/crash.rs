//! The engine is killed at every named step of every operation; the next start puts everything right, and the one after
//! that finds nothing to do (threats 2.2, H1, H2, H5; rows UNP-19, SNP-03, PRN-04, POD-01).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use wharf::engine::{content::Digest, crash::POINTS};

use crate::support::{
    node::{IMAGE, Node},
    registry::{self, Layer},
};

/// Two layers; the second has a file in directories it has no entries for, which must look as they do below.
const LAYERED: &str = "127.0.0.1:5000/test/layered:1";

fn node(test: &str) -> Option<Node> {
    let node = Node::with_registry(test)?;
    let root = node.dir.join("image");
    let below = registry::layer(&root);
    let extra = node.dir.join("extra");
    fs::create_dir_all(extra.join("etc/deep")).unwrap();
    fs::write(extra.join("etc/deep/file"), "x".repeat(100_000)).unwrap();
    fs::create_dir(root.join("etc/deep")).unwrap();
    let above = files_only(&extra, &["etc/deep/file"]);
    let base = registry::layer(&root);
    assert_ne!(below.diff_id, base.diff_id);
    node.registry.as_ref().unwrap().push("test/layered", "1", &[base, above], None);
    Some(node)
}

fn files_only(directory: &Path, names: &[&str]) -> Layer {
    let run = |flag: &str| {
        let tar =
            Command::new("tar").arg("-C").arg(directory).arg("--mtime=@0").arg(flag).args(names).output().unwrap();
        tar.stdout
    };
    let plain = run("-c");
    Layer { diff_id: Digest::of(&plain).to_string(), bytes: run("-cz"), compression: "gzip" }
}

/// The names below a directory, with sizes and times of files; bytes of the database's.
fn state(node: &Node) -> BTreeMap<PathBuf, String> {
    fn walk(at: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(at).into_iter().flatten().flatten() {
            let (path, meta) = (entry.path(), fs::symlink_metadata(entry.path()).unwrap());
            let name = entry.file_name().to_string_lossy().into_owned();
            if meta.is_dir() {
                found.insert(path.clone(), String::new());
                walk(&path, found);
            } else if name == "meta.db" || name == "meta.db-wal" {
                // An empty journal is no journal.
                let bytes = fs::read(&path).unwrap();
                found.extend((!bytes.is_empty()).then(|| (path, Digest::of(&bytes).to_string())));
            } else if !["LOCK", "meta.db-shm", ".ready"].contains(&name.as_str()) {
                found.insert(path, format!("{} {:?}", meta.len(), meta.modified().unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&node.dir.join("lib"), &mut found);
    // What shims write there is theirs; what the engine does there are names.
    for part in ["run/pods", "run/netns"] {
        for entry in fs::read_dir(node.dir.join(part)).into_iter().flatten().flatten() {
            found.insert(entry.path(), String::new());
        }
    }
    found
}

/// After a crash: one start, then nothing is wrong, then another start that changes nothing. An engine runs afterwards.
fn recovers(node: &mut Node, after: &str) {
    node.serve();
    node.kill_engine();
    let found = node.check(&["--deep"]);
    assert_eq!(found["findings"], serde_json::json!([]), "after {after}:\n{found:#}\n{}", node.log());
    let before = state(node);
    node.serve();
    let now = state(node);
    let differ = |(path, what): (&PathBuf, &String)| (now.get(path) != Some(what)).then(|| path.clone());
    let changed: Vec<_> =
        before.iter().filter_map(differ).chain(now.keys().filter(|p| !before.contains_key(*p)).cloned()).collect();
    assert!(changed.is_empty(), "after {after} the second recovery changed {changed:?}:\n{}", node.log());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let scratch = node.dir.join("lib/scratch");
    assert!(!mounts.contains(&*scratch.to_string_lossy()), "after {after} there are mounts left: {mounts}");
}

/// The engine, running, is replaced by one that dies at the point; `act` sends it there.
fn crashes(node: &mut Node, point: &str, act: impl Fn(&Node)) {
    node.stop();
    expire_leases(node);
    node.serve_until(point);
    act(node);
    assert!(node.killed(Duration::from_secs(30)), "{point} was never reached:\n{}", node.log());
    // A container that ends between the two recoveries would be news to the second.
    until("the end of what is about to end", || !runs(SHORT));
    recovers(node, point);
}

/// In the script of containers that end by themselves.
const SHORT: &str = "sleep 0.3; exit 7";

fn runs(script: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(script)
    })
}

/// Points whose names start with one of these.
fn points(prefixes: &[&str]) -> Vec<&'static str> {
    POINTS.iter().copied().filter(|p| prefixes.iter().any(|x| p.starts_with(x))).collect()
}

/// Removes pods and images, lets leases expire, and looks that the stores are as empty as on the first day.
fn sweeps_clean(mut node: Node) {
    remove_all(&node);
    node.ok(&["rmi", "--all"]);
    node.stop();
    expire_leases(&node);
    node.serve();
    node.kill_engine();
    let rows = rusqlite::Connection::open(node.dir.join("lib/meta.db")).unwrap();
    for table in ["document", "document_snapshot", "lease", "blob", "ingest", "snapshot", "trash", "image"] {
        let count: i64 = rows.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap();
        assert_eq!(count, 0, "rows are left in {table}");
    }
    drop(rows);
    for empty in ["content/blobs/sha256", "content/ingest", "snapshots/overlayfs", "scratch"] {
        let left: Vec<_> =
            fs::read_dir(node.dir.join("lib").join(empty)).into_iter().flatten().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "left over: {left:?}");
    }
    node.serve();
    node.end();
}

/// As if the ten minutes were over that an interrupted pull's downloads are kept for the next try.
fn expire_leases(node: &Node) {
    let database = rusqlite::Connection::open(node.dir.join("lib/meta.db")).unwrap();
    database.execute("UPDATE lease SET expires = 1", []).unwrap();
}

fn remove_all(node: &Node) {
    for pod in node.ok(&["pods", "-q"]).lines() {
        node.ok(&["rmp", "-f", pod]);
    }
}

/// A pod with a container that runs while everything around it crashes.
struct Bystander {
    container: String,
    pid: u64,
}

fn bystander(node: &Node) -> Bystander {
    node.ok(&["pull", IMAGE]);
    let pod_config = node.pod_config("bystander", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let config = node.container_config("bystander", "sleep 10000", |_| ());
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    let pid = node.json(&["inspect", &container])["info"]["pid"].as_u64().unwrap();
    Bystander { container, pid }
}

impl Bystander {
    fn goes_on(&self, node: &Node, after: &str) {
        let seen = node.json(&["inspect", &self.container]);
        let state = (seen["status"]["state"].as_str(), seen["info"]["pid"].as_u64());
        assert_eq!(state, (Some("CONTAINER_RUNNING"), Some(self.pid)), "after {after}");
    }
}

fn until(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !check() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn unp_19_snp_03_killed_anywhere_in_a_pull() {
    let Some(mut node) = node("crash-pull") else { return };
    for point in points(&["ing.", "unp.", "img."]) {
        node.ok(&["rmi", "--all"]);
        crashes(&mut node, point, |node| drop(node.crictl(&["pull", LAYERED])));
        node.ok(&["pull", LAYERED]);
    }
    let pod_config = node.pod_config("reader", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let config = node.container_config("reader", "head -c 3 /etc/deep/file; echo; sleep 1000", |c| {
        c["image"]["image"] = LAYERED.into();
    });
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    until("what the image holds", || node.ok(&["logs", &container]).contains("xxx"));
    sweeps_clean(node);
}

#[test]
fn pod_01_killed_anywhere_in_the_making_and_unmaking_of_a_pod() {
    let Some(mut node) = node("crash-pod") else { return };
    let bystander = bystander(&node);
    let config = node.pod_config("victim", |_| ());
    let mine = |node: &Node| node.ok(&["pods", "-q", "--label", "app=victim"]);
    for point in points(&["pod."]) {
        crashes(&mut node, point, |node| drop(node.crictl(&["runp", &config])));
        let left = mine(&node);
        assert_eq!(!left.is_empty(), point == "pod.7", "after {point}: a pod is there when it was ready, only then");
        for pod in left.lines() {
            node.ok(&["rmp", "-f", pod]);
        }
        let again = node.ok(&["runp", &config]);
        node.ok(&["rmp", "-f", &again]);
        bystander.goes_on(&node, point);
    }
    for point in points(&["stop.", "rmp."]) {
        let pod = node.ok(&["runp", &config]);
        let sleeper = node.container_config("sleeper", "sleep 1000", |_| ());
        let container = node.ok(&["create", &pod, &sleeper, &config]);
        node.ok(&["start", &container]);
        let verb = if point.starts_with("stop.") { "stopp" } else { "rmp" };
        crashes(&mut node, point, |node| {
            if verb == "rmp" {
                drop(node.crictl(&["stopp", &pod]));
            }
            drop(node.crictl(&[verb, &pod]));
        });
        node.crictl(&["stopp", &pod]);
        node.crictl(&["rmp", &pod]);
        assert_eq!(mine(&node), "", "after {point}");
        bystander.goes_on(&node, point);
    }
    sweeps_clean(node);
}

#[test]
fn pod_01_killed_anywhere_in_the_life_of_a_container() {
    let Some(mut node) = node("crash-ctr") else { return };
    let bystander = bystander(&node);
    let pod_config = node.pod_config("pod", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let config = node.container_config("victim", &format!("echo born; {SHORT}"), |_| ());
    let create = |node: &Node| node.ok(&["create", &pod, &config, &pod_config]);
    let mine = |node: &Node| node.ok(&["ps", "-aq", "--pod", &pod]);
    let inspect = |node: &Node, id: &str| node.json(&["inspect", id])["status"].clone();
    for point in points(&["ctr.", "unp.1", "unp.2"]) {
        crashes(&mut node, point, |node| drop(node.crictl(&["create", &pod, &config, &pod_config])));
        let left = mine(&node);
        assert_eq!(!left.is_empty(), point == "ctr.7", "after {point}");
        for container in left.lines() {
            node.ok(&["rm", "-f", container]);
        }
        let again = create(&node);
        node.ok(&["rm", "-f", &again]);
        bystander.goes_on(&node, point);
    }
    for point in points(&["start.", "exit."]) {
        let container = create(&node);
        crashes(&mut node, point, |node| drop(node.crictl(&["start", &container])));
        if inspect(&node, &container)["state"] == "CONTAINER_CREATED" {
            assert_eq!(point, "start.1");
            node.ok(&["start", &container]);
        }
        until("its end", || inspect(&node, &container)["state"] == "CONTAINER_EXITED");
        let ended = inspect(&node, &container);
        assert_eq!(ended["exitCode"], 7, "after {point}: {ended}");
        assert!(ended["finishedAt"].as_str() >= ended["startedAt"].as_str(), "after {point}: {ended}");
        assert_eq!(node.ok(&["logs", &container]), "born", "after {point}");
        node.ok(&["rm", &container]);
        bystander.goes_on(&node, point);
    }
    for point in points(&["rm."]) {
        let container = create(&node);
        node.ok(&["start", &container]);
        crashes(&mut node, point, |node| drop(node.crictl(&["rm", "-f", &container])));
        node.crictl(&["rm", "-f", &container]);
        assert_eq!(mine(&node), "", "after {point}");
        bystander.goes_on(&node, point);
    }
    sweeps_clean(node);
}

#[test]
fn prn_04_killed_anywhere_in_removing_an_image_and_in_recovery_itself() {
    let Some(mut node) = node("crash-gc") else { return };
    let bystander = bystander(&node);
    for point in points(&["rmi.", "gc."]) {
        node.ok(&["pull", LAYERED]);
        crashes(&mut node, point, |node| drop(node.crictl(&["rmi", LAYERED])));
        assert!(!node.ok(&["images"]).contains("layered"), "after {point}");
        bystander.goes_on(&node, point);
    }
    // A crash in a pull, then crashes in the recovery from it, three deep.
    node.stop();
    node.serve_until("unp.mount");
    node.crictl(&["pull", LAYERED]);
    assert!(node.killed(Duration::from_secs(30)), "{}", node.log());
    for point in points(&["rec."]) {
        node.serve_until(point);
        assert!(node.killed(Duration::from_secs(30)), "{point} was never reached:\n{}", node.log());
    }
    recovers(&mut node, "crashes in recovery");
    bystander.goes_on(&node, "crashes in recovery");
    node.ok(&["pull", LAYERED]);
    sweeps_clean(node);
}

/// SIGKILL at any time, again and again. `WHARF_CRASH_LOOPS` says how often, `WHARF_CRASH_SEED` repeats a run.
#[test]
fn killed_at_any_time() {
    let Some(mut node) = node("crash-loop") else { return };
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut seed = number("WHARF_CRASH_SEED", u64::from(clock.subsec_nanos()));
    let loops = number("WHARF_CRASH_LOOPS", 6);
    eprintln!("WHARF_CRASH_SEED={seed} WHARF_CRASH_LOOPS={loops}");
    let mut random = |below: u64| {
        // The multiplier of Knuth's MMIX.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let bystander = bystander(&node);
    let (pod_config, config) = (node.pod_config("p", |_| ()), node.container_config("c", "echo x; sleep 1000", |_| ()));
    for round in 0..loops {
        let wait = Duration::from_millis(random(2500));
        let first = random(3);
        let killer = node.killer(wait);
        let deadline = Instant::now() + wait;
        for step in first.. {
            if Instant::now() > deadline {
                break;
            }
            match step % 3 {
                0 => drop(node.crictl(&["pull", LAYERED])),
                1 => {
                    let run = node.crictl(&["run", "--no-pull", &config, &pod_config]);
                    drop(run);
                    for pod in String::from_utf8_lossy(&node.crictl(&["pods", "-q", "--label", "app=p"]).stdout).lines()
                    {
                        node.crictl(&["rmp", "-f", pod]);
                    }
                }
                _ => drop(node.crictl(&["rmi", LAYERED])),
            }
        }
        killer.join().unwrap();
        assert!(node.killed(Duration::from_secs(10)));
        let after = format!("round {round}");
        recovers(&mut node, &after);
        bystander.goes_on(&node, &after);
    }
    sweeps_clean(node);
}
