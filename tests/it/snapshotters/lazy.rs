//! A remote snapshotter that has layers by itself: containerd's stargz-snapshotter, which mounts them by FUSE and reads of the
//! registry what a container reads.

use std::{
    fs,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use serde_json::json;
use wharf::engine::content::Digest;

use super::names;
use crate::support::{self, estargz, node::Node, registry};

const LAZY: &str = "127.0.0.1:5000/test/lazy:1";
const MIXED: &str = "127.0.0.1:5000/test/mixed:1";
/// Of the file nobody reads at first.
const BIG: usize = 12 << 20;

struct Stargz(Child);

impl Stargz {
    /// Serving on `stargz.sock`.
    fn start(program: &Path, node: &Node) -> Self {
        let log = fs::File::options().append(true).create(true).open(node.dir.join("stargz.log")).unwrap();
        let mut command = support::in_netns(&node.netns, program);
        command.arg("--address").arg(node.dir.join("stargz.sock")).arg("--root").arg(node.dir.join("stargz"));
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::os::unix::net::UnixStream::connect(node.dir.join("stargz.sock")).is_err() {
            let log = fs::read_to_string(node.dir.join("stargz.log")).unwrap();
            assert!(Instant::now() < deadline, "stargz does not come up: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self(child)
    }

    /// SIGTERM: it unmounts what it has mounted.
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_raw(self.0.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Stargz {
    fn drop(&mut self) {
        // Ended already is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// FUSE mounts of this node.
fn mounted(node: &Node) -> usize {
    let here = node.dir.to_string_lossy().into_owned();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    mounts
        .lines()
        .filter(|line| line.contains(&here) && line.split(' ').nth(2).is_some_and(|t| t.starts_with("fuse")))
        .count()
}

/// Requests for the blob in the registry's access log: whether of a part, and the bytes that were sent.
fn requests(node: &Node, digest: &str) -> Vec<(bool, u64)> {
    let log = fs::read_to_string(node.dir.join("registry/log")).unwrap();
    let asked = log.lines().filter(|line| line.contains(&format!("\"GET /v2/test/lazy/blobs/{digest}")));
    let read = |line: &str| {
        let mut after = line.split("HTTP/1.1\" ").nth(1)?.split(' ');
        Some((after.next()? == "206", after.next()?.parse().ok()?))
    };
    asked.map(|line| read(line).unwrap_or_else(|| panic!("a line of the registry's log: {line}"))).collect()
}

/// Bytes of the blob that were sent, all of which were asked for by range.
fn fetched(node: &Node, digest: &Digest) -> u64 {
    let asked = requests(node, digest.as_str());
    assert!(!asked.is_empty() && asked.iter().all(|(part, _)| *part), "ranges are asked for: {asked:?}");
    asked.iter().map(|(_, bytes)| bytes).sum()
}

#[test]
fn stargz_mounts_layers_that_nobody_downloaded() {
    let program = support::peers().join("stargz");
    if !program.is_file() {
        return support::skip("stargz", &format!("there is no {}", program.display()));
    }
    if !Path::new("/dev/fuse").exists() {
        return support::skip("stargz", "this machine has no /dev/fuse");
    }
    let Some(mut node) = Node::stopped("stargz") else { return };
    let config = node.dir.join("config.toml");
    let address = node.dir.join("stargz.sock");
    let text = format!(
        "version = 3\n[proxy_plugins.stargz]\ntype = 'snapshot'\naddress = '{}'\n\
         [plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'stargz'\ndisable_snapshot_annotations = false\n",
        address.display()
    );
    fs::write(&config, text).unwrap();
    node.flags = vec!["--config".to_owned(), config.display().to_string()];
    let stargz = Stargz::start(&program, &node);
    node.serve();
    assert!(node.add_registry("stargz"));
    let base = node.dir.join("image");
    let more = node.dir.join("more");
    fs::create_dir_all(more.join("data")).unwrap();
    // Pseudo-random, so that it does not compress.
    let mut state = 1_u64;
    let big: Vec<u8> = (0..BIG)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    fs::write(more.join("data/big"), &big).unwrap();
    fs::write(more.join("data/small"), "small\n").unwrap();
    let (below, about_below) = estargz::layer(&base);
    let (above, about_above) = estargz::layer(&more);
    let blobs = [&below, &above].map(|layer| Digest::of(&layer.bytes));
    let run = json!({ "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"] });
    let registry = node.registry.as_ref().unwrap();
    let layers = [(&below, &about_below), (&above, &about_above)];
    registry.push_described(("test/lazy", "1"), &layers, &run, &json!(null), None);
    let plain = node.dir.join("plain");
    fs::create_dir_all(plain.join("etc")).unwrap();
    fs::write(plain.join("etc/plain"), "plain\n").unwrap();
    let plain = registry::layer(&plain);
    let mixed = [(&below, &about_below), (&plain, &json!(null)), (&above, &about_above)];
    registry.push_described(("test/mixed", "1"), &mixed, &run, &json!(null), None);

    let began = Instant::now();
    node.ok(&["pull", LAZY]);
    println!("pulled in {:?}", began.elapsed());
    let store = node.dir.join("lib/content/blobs/sha256");
    let stored = |digest: &Digest| store.join(digest.hex()).exists();
    assert!(!blobs.iter().any(stored), "no layer was downloaded: {:?}", names(&store));
    assert_eq!(mounted(&node), 2, "{}", fs::read_to_string(node.dir.join("stargz.log")).unwrap());
    let at_first = fetched(&node, &blobs[1]);
    assert!(at_first < above.bytes.len() as u64 / 20, "{at_first} of {} bytes", above.bytes.len());

    let script = "cat /data/small; cat /data/small > /data/copy; sleep 10000";
    let lazy = |config: &mut serde_json::Value| config["image"]["image"] = LAZY.into();
    let (container, _) = node.running("lazy", script, lazy);
    node.until("its word", || node.ok(&["logs", &container]) == "small");
    let small = fetched(&node, &blobs[1]);
    assert!(small < above.bytes.len() as u64 / 20, "{small} of {} bytes", above.bytes.len());
    println!(
        "of a layer of {} bytes {at_first} were fetched by the pull, {small} when the container ran",
        above.bytes.len()
    );

    // An engine that comes again finds it all, and nothing that is not there is missed.
    node.kill_engine();
    node.serve();
    let sum = node.ok(&["exec", "-s", &container, "busybox", "sha256sum", "/data/big"]);
    assert_eq!(sum.split(' ').next(), Some(Digest::of(&big).hex()));
    assert!(fetched(&node, &blobs[1]) >= BIG as u64);
    let archive = node.dir.join("archive.tar");
    let refused = node.wharf(&["images", "export", archive.to_str().unwrap(), LAZY]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("is not kept here"), "{said}");
    let map = json!([{ "container_id": 0, "host_id": 200_000, "length": 65536 }]);
    let users = json!({ "namespace_options": { "userns_options": { "mode": 0, "uids": map, "gids": map } } });
    let pod = node.pod_config("mapped", |p| p["linux"]["security_context"] = users.clone());
    let mapped = node.container_config("mapped", "ls /data", |c| {
        lazy(c);
        c["linux"]["security_context"] = users.clone();
    });
    let refused = node.fails(&["run", "--no-pull", "--runtime", "wharf", &mapped, &pod]);
    assert!(refused.contains("cannot be shifted for a user namespace"), "{refused}");

    // A layer of the ordinary kind is fetched and unpacked between two that are not.
    node.ok(&["pull", MIXED]);
    let plain = Digest::of(&plain.bytes);
    assert!(stored(&plain) && !stored(&blobs[0]));
    let mixed = |config: &mut serde_json::Value| config["image"]["image"] = MIXED.into();
    let (container, _) =
        node.running("mixed", "cat /etc/plain /data/small; test -e /data/copy; echo $?; sleep 10000", mixed);
    node.until("its word", || node.ok(&["logs", &container]) == "plain\nsmall\n1");

    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    for pod in node.ok(&["pods", "-q"]).lines() {
        node.ok(&["rmp", "-f", pod]);
    }
    node.ok(&["rmi", "--all"]);
    node.until("no mount of it", || mounted(&node) == 0);
    node.until("no directory of it", || names(&node.dir.join("stargz/snapshotter/snapshots")).is_empty());
    stargz.stop();
    node.end();
}
