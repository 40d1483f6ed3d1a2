//! `wharf serve` by each snapshotter that needs a filesystem of its own kind: images are pulled, containers run from them, and
//! what is removed leaves nothing (threats SNP-08, SNP-09, SNP-12, SNP-13). Snapshots for others, and by others, are in the
//! modules below.

mod lazy;
mod served;
mod thin;

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    confinement::users,
    support::{
        disk::Disk,
        node::{IMAGE, Node},
        registry,
    },
};

const LAYERED: &str = "127.0.0.1:5000/test/layered:1";
/// Shares no layer with it.
const OTHER: &str = "127.0.0.1:5000/test/other:1";

/// A node with [`IMAGE`], [`LAYERED`] and [`OTHER`] in its registry, whose root is on a disk of the kind and whose engine is told the
/// snapshotter as containerd is.
fn node(test: &str, snapshotter: &str, mkfs: &[&str]) -> Option<(Node, Disk)> {
    let mut node = Node::stopped(test)?;
    let config = node.dir.join("config.toml");
    let text = format!("version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = '{snapshotter}'\n");
    fs::write(&config, text).unwrap();
    node.flags = vec!["--config".to_owned(), config.display().to_string()];
    let disk = Disk::new(test, &node.dir.join("disk"), 512 << 20, mkfs, &node.dir.join("lib"), "")?;
    node.serve();
    assert!(node.add_registry(test));
    push_layered(&node);
    Some((node, disk))
}

/// [`LAYERED`] and [`OTHER`] to the node's registry.
fn push_layered(node: &Node) {
    let extra = node.dir.join("extra");
    for (directory, number, size) in [("data", 60, 30_000), ("etc/deep", 200, 3000)] {
        fs::create_dir_all(extra.join(directory)).unwrap();
        for n in 0..number {
            let content: Vec<u8> = (0..size + n * 10).map(|i| (i * 31 + n * 7) as u8).collect();
            fs::write(extra.join(directory).join(n.to_string()), content).unwrap();
        }
    }
    let above = node.dir.join("above");
    fs::create_dir_all(above.join("data")).unwrap();
    fs::write(above.join("data/.wh.7"), "").unwrap();
    fs::write(above.join("data/8"), "changed").unwrap();
    fs::create_dir_all(above.join("etc")).unwrap();
    fs::write(above.join("etc/.wh.deep"), "").unwrap();
    let layers = [&node.dir.join("image"), &extra, &above].map(|root| registry::layer(root));
    node.registry.as_ref().unwrap().push("test/layered", "1", &layers, None);
    node.registry.as_ref().unwrap().push("test/other", "1", &[registry::layer(&extra)], None);
}

fn on_layered(config: &mut Value) {
    config["image"]["image"] = LAYERED.into();
}

/// Everything the contract says, by crictl, with crashes in between. `left` gives what is left of snapshots on the disk.
fn images_run_and_go(node: &mut Node, left: impl Fn(&Node) -> Vec<String>) {
    node.ok(&["pull", IMAGE]);
    node.ok(&["pull", LAYERED]);
    let script = "test ! -e /data/7 && test ! -e /etc/deep && cat /data/8 && echo mine > /data/9 && \
                  dd if=/dev/zero of=/big bs=1M count=8 2>/dev/null && echo done; sleep 10000";
    let (container, pod) = node.running("one", script, on_layered);
    node.until("its word", || node.ok(&["logs", &container]).ends_with("changeddone"));
    assert_eq!(node.ok(&["exec", "-s", &container, "/bin/cat", "/data/9"]), "mine");
    let other = node.running("two", "head -c 10 /data/9 | grep -c mine; sleep 10000", on_layered).0;
    node.until("the other's word", || node.ok(&["logs", &other]) == "0");
    // What the container wrote, within 5 %.
    node.until("its size", || {
        let stats = node.json(&["stats", "-o", "json", "--id", &container]);
        let used = stats["stats"][0]["writableLayer"]["usedBytes"]["value"].as_str().map(str::parse::<u64>);
        used.is_some_and(|used| used.unwrap().abs_diff(8 << 20) * 20 < 8 << 20)
    });

    // In a user namespace every owner is shifted, in a view of an image as in the container's own.
    let users = users();
    let mapped_pod = node.pod_config("mapped", |p| p["linux"]["security_context"] = users.clone());
    let script = "busybox stat -c '%u %n' / /data/8 /volume/data/8; echo x > /data/mine && busybox stat -c %u /data/mine; \
                  echo x 2>/dev/null > /volume/new || echo refused";
    let mapped = node.container_config("mapped", script, |c| {
        on_layered(c);
        c["linux"]["security_context"] = users.clone();
        c["mounts"] = json!([{ "container_path": "/volume", "readonly": true, "image": { "image": LAYERED } }]);
    });
    let mapped = node.ok(&["run", "--no-pull", "--runtime", "wharf", &mapped, &mapped_pod]);
    assert_eq!(node.exit_code(&mapped), 0);
    assert_eq!(node.ok(&["logs", &mapped]), "0 /\n0 /data/8\n0 /volume/data/8\n0\nrefused");

    // Killed in a pull, at each step of it; containers go on, and nothing is left half made.
    for point in ["unp.1", "unp.2", "unp.5", "unp.8", "gc.3"] {
        node.kill_engine();
        node.serve_until(point);
        node.crictl(&["pull", OTHER]);
        node.crictl(&["rmi", OTHER]);
        assert!(node.killed(std::time::Duration::from_secs(20)), "the engine passed {point}:\n{}", node.log());
        // What no image needs goes with the collection of a start.
        for _ in 0..2 {
            node.serve();
            node.stop();
        }
        let found = node.check(&["--deep"]);
        assert_eq!(found["findings"], json!([]), "{point}: {found:#}");
        node.serve();
    }
    assert_eq!(node.ok(&["exec", "-s", &container, "/bin/cat", "/data/9"]), "mine");
    node.ok(&["pull", OTHER]);
    node.ok(&["rmi", LAYERED]);
    node.ok(&["rmp", "-f", &pod]);
    assert_eq!(node.ok(&["exec", "-s", &other, "/bin/cat", "/data/8"]), "changed", "others stand on its layers");
    for pod in node.ok(&["pods", "-q"]).lines() {
        node.ok(&["rmp", "-f", pod]);
    }
    node.ok(&["rmi", "--all"]);
    node.until("an empty store", || left(node).is_empty());
}

/// A layer is spoilt; a deep check names it, and a repair unpacks it again.
fn damage_is_found_and_healed(node: &mut Node, driver: &str, spoil: impl Fn(&Path)) {
    let all = node.dir.join("lib/snapshots").join(driver);
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    let base = names(&all).iter().map(|name| name.parse::<u64>().unwrap()).min().unwrap();
    spoil(&all.join(base.to_string()));
    assert_eq!(node.check(&[])["findings"], json!([]), "a quick check reads no layer");
    let found = node.check(&["--deep"])["findings"].take();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found:#}");
    assert!(found[0]["object"].as_str().unwrap().starts_with(&format!("layer {base} (sha256:")), "{found:#}");
    let repaired = node.check(&["--deep", "--repair"]);
    assert_eq!(repaired["failed"], json!([]), "{repaired:#}");
    let left = repaired["after"]["findings"].as_array().unwrap();
    assert!(left.iter().all(|finding| finding["level"] == "pending"), "{repaired:#}");
    node.serve();
    assert!(!all.join(base.to_string()).exists(), "the damaged one goes with the next start");
}

fn run(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output().unwrap();
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Nothing is wrong, and nothing is mounted but the node's own two.
fn ends(mut node: Node, disk: &Disk) {
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    disk.unmount();
    let here = node.dir.to_string_lossy().into_owned();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let left: Vec<&str> = mounts.lines().filter(|l| l.contains(&here)).collect();
    assert_eq!(left.len(), 2, "mounts are left: {left:#?}");
}

#[test]
fn snp_08_snp_09_btrfs_runs_containers_and_no_subvolume_is_left() {
    let Some((mut node, disk)) = node("btrfs", "btrfs", &["mkfs.btrfs", "-q"]) else { return };
    let listed = |node: &Node| {
        let list = run("btrfs", &["subvolume", "list", node.dir.join("lib").to_str().unwrap()]);
        list.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    node.ok(&["pull", LAYERED]);
    assert_eq!(listed(&node).len(), 3, "a subvolume a layer");
    damage_is_found_and_healed(&mut node, "btrfs", |layer| {
        let files = layer.join("fs");
        let file = files.join("etc/passwd");
        assert!(fs::write(&file, "").is_err(), "a layer is read-only");
        run("btrfs", &["property", "set", "-ts", files.to_str().unwrap(), "ro", "false"]);
        fs::write(file, "root::0:0:root:/root:/bin/sh\n").unwrap();
    });
    images_run_and_go(&mut node, |node| [listed(node), names(&node.dir.join("lib/snapshots/btrfs"))].concat());
    ends(node, &disk);
}

#[test]
fn snp_09_snp_12_erofs_runs_containers_from_one_file_a_layer() {
    if crate::support::program("erofs", "mkfs.erofs").is_none() {
        return;
    }
    let Some((mut node, disk)) = node("erofs", "erofs", &["mkfs.ext4", "-q"]) else { return };
    let listed = |node: &Node| names(&node.dir.join("lib/snapshots/erofs"));
    node.ok(&["pull", LAYERED]);
    let layers = listed(&node);
    assert_eq!(layers.len(), 3, "{layers:?}");
    for layer in layers {
        let layer = node.dir.join("lib/snapshots/erofs").join(layer);
        assert!(layer.join("layer.erofs").is_file() && names(&layer.join("fs")).is_empty(), "{}", layer.display());
    }
    damage_is_found_and_healed(&mut node, "erofs", |layer| {
        let image = layer.join("layer.erofs");
        let mut bytes = fs::read(&image).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(image, bytes).unwrap();
    });
    images_run_and_go(&mut node, listed);
    ends(node, &disk);
}

#[test]
fn snp_18_an_engine_asked_for_btrfs_elsewhere_says_why_it_cannot() {
    let Some(node) = Node::stopped("no-btrfs") else { return };
    let config = node.dir.join("config.toml");
    fs::write(&config, "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'btrfs'\n").unwrap();
    let mut command = crate::support::in_netns(&node.netns, Path::new(crate::support::WHARF));
    command.arg("serve").arg("--config").arg(&config).arg("--root").arg(node.dir.join("lib"));
    command.arg("--state").arg(node.dir.join("run")).arg("--listen").arg(node.dir.join("wharf.sock"));
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("is not on a btrfs filesystem"), "{said}");
}
