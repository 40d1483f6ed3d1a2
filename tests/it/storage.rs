//! What disks do: bits flip, power goes, space ends (threats UNP-10, UNP-17, SNP-01, SNP-02, SNP-04, SNP-05, SNP-06, SNP-14,
//! SNP-16, SNP-19, PRN-10).

use std::{
    fs::{self, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{
    self,
    disk::Disk,
    node::{IMAGE, Node},
    registry::{self, Layer},
};

const LAYERED: &str = "127.0.0.1:5000/test/layered:1";

/// [`LAYERED`] in the node's registry: a busybox and a layer of many files.
fn push_layered(node: &Node, files: usize, size: usize) -> Vec<Layer> {
    let extra = node.dir.join("extra");
    fs::create_dir_all(extra.join("data")).unwrap();
    for n in 0..files {
        let content: Vec<u8> = (0..size).map(|i| (i * 31 + n * 7 + (i >> 8) * n) as u8).collect();
        fs::write(extra.join(format!("data/{n}")), content).unwrap();
    }
    let layers = vec![registry::layer(&node.dir.join("image")), registry::layer(&extra)];
    node.registry.as_ref().unwrap().push("test/layered", "1", &layers, None);
    layers
}

/// The same again puts it back.
fn flip(path: &Path, at: u64) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
    fs::set_permissions(path, permissions).unwrap();
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 0x10]).unwrap();
}

fn find(below: &Path, end: &str) -> PathBuf {
    let mut left = vec![below.to_owned()];
    while let Some(path) = left.pop() {
        if path.ends_with(end) {
            return path;
        }
        if path.is_dir() && !path.is_symlink() {
            left.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        }
    }
    panic!("there is no {end} in {}", below.display());
}

fn damaged(report: &Value) -> Vec<Value> {
    report["findings"].as_array().unwrap().iter().filter(|f| f["level"] == "damage").cloned().collect()
}

#[test]
fn snp_14_bit_rot_is_found_named_and_healed() {
    let Some(mut node) = Node::with_registry("rot") else { return };
    let layers = push_layered(&node, 20, 10_000);
    node.ok(&["pull", IMAGE]);
    node.ok(&["pull", LAYERED]);
    let id = node.json(&["inspecti", LAYERED])["status"]["id"].as_str().unwrap().to_owned();
    let pod_config = node.pod_config("user", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let on_layered = |c: &mut Value| c["image"]["image"] = LAYERED.into();
    let config = node.container_config("user", "sleep 10000", on_layered);
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    node.kill_engine();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));

    let digest = wharf::engine::content::Digest::of(&layers[1].bytes);
    let blob = node.dir.join("lib/content/blobs/sha256").join(digest.hex());
    flip(&blob, 1000);
    assert_eq!(node.check(&[])["findings"], json!([]), "a quick check reads no blob");
    let found = damaged(&node.check(&["--deep"]));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["rule"], &found[0]["images"]), (&json!("I1"), &json!([id])));
    assert_eq!(found[0]["object"], format!("blob {digest}"));

    // In a layer that a container stands on.
    let file = find(&node.dir.join("lib/snapshots/overlayfs"), "fs/data/7");
    flip(&file, 5000);
    let found = damaged(&node.check(&["--deep"]));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!((&found[1]["rule"], &found[1]["images"]), (&json!("I3"), &json!([id])));
    assert_eq!(found[1]["containers"], json!([container]));
    let number = file.ancestors().nth(3).unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(found[1]["object"].as_str().unwrap().starts_with(&format!("layer {number} (sha256:")), "{found:#?}");

    // The blob comes from the registry, the layer is unpacked again; the container goes on where it stands.
    let repaired = node.check(&["--deep", "--repair"]);
    assert_eq!((&repaired["failed"], damaged(&repaired["after"])), (&json!([]), vec![]), "{repaired:#}");
    assert_eq!(repaired["healed"].as_array().unwrap().len(), 1, "{repaired:#}");
    let kept = &repaired["after"]["findings"][0];
    assert!(kept["problem"].as_str().unwrap().contains("kept for its containers"), "{repaired:#}");
    assert_eq!(kept["containers"], json!([container]));
    node.serve();
    assert_eq!(node.json(&["inspect", &container])["status"]["state"], "CONTAINER_RUNNING");
    let sum = |path: &Path| fs::read(path).unwrap();
    let other = node.container_config("other", "sleep 10000", on_layered);
    let fresh = node.ok(&["create", &pod, &other, &pod_config]);
    node.ok(&["start", &fresh]);
    let seen = node.dir.join("run/pods").join(&pod).join("containers").join(&fresh).join("rootfs/data/7");
    assert_eq!(sum(&seen), sum(&node.dir.join("extra/data/7")));
    node.ok(&["rm", "-f", &container]);
    node.ok(&["rm", "-f", &fresh]);
    // What nothing stands on any more goes with the collection of the next start, if not before.
    node.stop();
    node.serve();
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    node.end();
}

#[test]
fn snp_14_without_a_registry_an_image_waits_to_be_pulled() {
    let Some(mut node) = Node::with_registry("rot-offline") else { return };
    let layers = push_layered(&node, 3, 1000);
    node.ok(&["pull", LAYERED]);
    node.kill_engine();
    let digest = wharf::engine::content::Digest::of(&layers[1].bytes);
    flip(&node.dir.join("lib/content/blobs/sha256").join(digest.hex()), 100);
    let registry = node.registry.as_mut().unwrap();
    registry.kill();
    let repaired = node.check(&["--deep", "--repair"]);
    assert_eq!(repaired["failed"].as_array().unwrap().len(), 1, "{repaired:#}");
    assert!(repaired["failed"][0][1].as_str().unwrap().contains("127.0.0.1:5000"), "{repaired:#}");
    node.serve();
    assert!(node.fails(&["inspecti", LAYERED]).contains("no such image"), "for the kubelet it has to be pulled");
    let id = node.ok(&["images", "-q"]);
    node.ok(&["rmi", &id]);
    assert_eq!(node.ok(&["images", "-q"]), "");
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    node.end();
}

#[test]
fn snp_04_a_damaged_database_is_named_and_the_node_comes_up() {
    let Some(mut node) = Node::with_registry("rot-db") else { return };
    node.ok(&["pull", IMAGE]);
    let pod_config = node.pod_config("lost", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let container = node.ok(&["create", &pod, &node.container_config("c", "sleep 10000", |_| ()), &pod_config]);
    node.ok(&["start", &container]);
    node.stop();
    let path = node.dir.join("lib/meta.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    for page in 2..pages {
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0x5a; 64]).unwrap();
    }
    drop(file);
    let found = damaged(&node.check(&["--deep"]));
    assert!(!found.is_empty() && found.iter().all(|f| f["rule"] == "I8"), "{found:#?}");
    assert!(found[0]["object"].as_str().unwrap().contains("meta.db"), "{found:#?}");
    node.serve();
    assert!(node.log().contains("metadata database damaged"), "{}", node.log());
    assert_eq!((node.ok(&["images", "-q"]), node.ok(&["pods", "-q"])), (String::new(), String::new()));
    // What ran has no record: it was ended, and can be made anew.
    node.ok(&["pull", IMAGE]);
    node.ok(&["runp", &pod_config]);
    node.end();
}

#[test]
fn snp_04_pods_go_on_when_only_what_images_are_is_lost() {
    let Some(mut node) = Node::with_registry("rot-images") else { return };
    node.ok(&["pull", IMAGE]);
    let (container, pod) = node.running("kept", "echo born; exec sleep 10000", |_| ());
    let pid = || node_pid(&node, &container);
    let before = pid();
    node.stop();
    let path = node.dir.join("lib/meta.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let query = "SELECT rootpage FROM sqlite_schema WHERE name = 'image'";
    let page: u64 = database.query_row(query, [], |r| r.get(0)).unwrap();
    drop(database);
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start((page - 1) * 4096)).unwrap();
    file.write_all(&[0x5a; 4096]).unwrap();
    drop(file);
    node.serve();
    let told = node.log();
    assert!(told.contains("metadata database damaged") && told.contains("1 pods kept"), "{told}");
    let names = fs::read_dir(node.dir.join("lib")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        names.filter(|n| n.starts_with("meta.db.corrupt-") && n.ends_with(|c: char| c.is_ascii_digit())).count(),
        1
    );
    // The same processes, in the pod that was there; their files too.
    assert_eq!((node.ok(&["ps", "-q"]), node.ok(&["pods", "-q"])), (container.clone(), pod.clone()));
    assert_eq!(node_pid(&node, &container), before);
    assert_eq!(node.ok(&["exec", "-s", &container, "cat", "/etc/hostname"]), "kept");
    assert_eq!(node.ok(&["images", "-q"]), "");
    node.ok(&["pull", IMAGE]);
    node.ok(&["rmp", "-f", &pod]);
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    node.end();
}

fn node_pid(node: &Node, container: &str) -> u64 {
    node.json(&["inspect", container])["info"]["pid"].as_u64().unwrap()
}

/// `WHARF_POWER_CUTS` says how often; each option of a mount gets its turn.
#[test]
fn snp_01_snp_02_what_was_pulled_survives_a_power_cut() {
    let cuts: usize = std::env::var("WHARF_POWER_CUTS").ok().and_then(|v| v.parse().ok()).unwrap_or(6);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut seed = u64::from(clock.subsec_nanos());
    eprintln!("WHARF_POWER_CUTS={cuts}, seed {seed}");
    let options = ["", "noauto_da_alloc", "nodelalloc", "commit=1", "commit=300", "data=writeback"];
    for (turn, option) in options.iter().enumerate().take(cuts) {
        let Some(mut node) = Node::stopped("cut") else { return };
        let lib = node.dir.join("lib");
        let mkfs = ["mkfs.ext4", "-q"];
        let Some(disk) = Disk::new("cut", &node.dir.join("disk"), 256 << 20, &mkfs, &lib, option) else { return };
        node.serve();
        assert!(node.add_registry("cut"));
        push_layered(&node, 400, 20_000);
        let mut cut = turn;
        while cut < cuts {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            one_cut(&mut node, &disk, cut, (seed >> 33) % 700);
            cut += options.len();
        }
        node.kill_engine();
        disk.unmount();
    }
}

/// A pull, the power goes at some moment in it or right after it, and comes back.
fn one_cut(node: &mut Node, disk: &Disk, cut: usize, wait: u64) {
    node.ok(&["rmi", "--all"]);
    let flush = (cut / 2).is_multiple_of(2);
    let acknowledged = if cut.is_multiple_of(3) {
        node.ok(&["pull", LAYERED]);
        disk.cut_power(flush);
        true
    } else {
        std::thread::scope(|scope| {
            let pull = scope.spawn(|| node.crictl(&["pull", LAYERED]).status.success());
            std::thread::sleep(Duration::from_millis(wait));
            disk.cut_power(flush);
            pull.join().unwrap()
        })
    };
    // Without its disk the engine goes on answering, and says what is wrong.
    node.ok(&["version"]);
    let error = node.fails(&["pull", IMAGE]);
    assert!(error.contains("/lib/") || error.contains("database"), "{error}");
    node.kill_engine();
    disk.unmount();
    disk.mount();
    node.serve();
    node.kill_engine();
    let found = node.check(&["--deep"]);
    assert_eq!(found["findings"], json!([]), "cut {cut} after {wait} ms, flush {flush}: {found:#}\n{}", node.log());
    node.serve();
    if acknowledged {
        assert!(
            node.ok(&["images"]).contains("test/layered"),
            "cut {cut}: an acknowledged pull was lost\n{}",
            node.log()
        );
    }
    node.ok(&["pull", LAYERED]);
}

#[test]
fn unp_17_an_image_that_does_not_fit_is_refused_and_leaves_nothing() {
    let Some(mut node) = Node::stopped("full-pull") else { return };
    let lib = node.dir.join("lib");
    let mkfs = ["mkfs.ext4", "-q", "-N", "1024"];
    let Some(disk) = Disk::new("full-pull", &node.dir.join("disk"), 64 << 20, &mkfs, &lib, "") else { return };
    node.serve();
    assert!(node.add_registry("full-pull"));
    node.ok(&["pull", IMAGE]);
    let free = || {
        // The database's journal grows to 4 MB whatever happens, and stays.
        let journal = fs::metadata(lib.join("meta.db-wal")).map_or(0, |m| m.len());
        (disk.free().0 + journal, disk.free().1)
    };
    let before = free();
    // Too many bytes, then too many files.
    for (files, size) in [(10, 10 << 20), (2000, 10)] {
        fs::remove_dir_all(node.dir.join("extra")).unwrap_or_default();
        push_layered(&node, files, size);
        let error = node.fails(&["pull", LAYERED]);
        assert!(error.to_lowercase().contains("no space left on"), "{error}");
        let after = free();
        let lost = before.0.saturating_sub(after.0);
        assert!(lost < 300 << 10 && before.1.saturating_sub(after.1) < 4, "{before:?} then {after:?}: {error}");
    }
    fs::remove_dir_all(node.dir.join("extra")).unwrap();
    push_layered(&node, 10, 1000);
    node.ok(&["pull", LAYERED]);
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    disk.unmount();
}

#[test]
fn prn_10_snp_05_on_a_full_disk_things_can_be_removed_and_nothing_breaks() {
    let Some(mut node) = Node::stopped("full") else { return };
    let lib = node.dir.join("lib");
    let Some(disk) = Disk::new("full", &node.dir.join("disk"), 64 << 20, &["mkfs.ext4", "-q", "-m", "0"], &lib, "")
    else {
        return;
    };
    node.serve();
    assert!(node.add_registry("full"));
    push_layered(&node, 50, 100_000);
    node.ok(&["pull", IMAGE]);
    node.ok(&["pull", LAYERED]);
    let pod_config = node.pod_config("pod", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let config = node.container_config("c", "sleep 10000", |_| ());
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    node.stop();
    node.serve();
    assert!(lib.join("ballast").exists(), "there was room for it");
    disk.fill();
    assert_eq!(disk.free().0, 0);

    // SNP-05: what takes space is refused as such, however often; what reads works.
    let other = node.container_config("other", "sleep 1", |_| ());
    for _ in 0..20 {
        let error = node.fails(&["create", &pod, &other, &pod_config]);
        assert!(error.contains("ResourceExhausted"), "{error}");
        assert!(node.ok(&["images"]).contains("test/layered"));
        assert_eq!(node.ok(&["ps", "-q"]), container);
    }
    assert!(lib.join("ballast").exists(), "the ballast is for deletions");
    node.kill_engine();
    node.serve();
    assert_eq!(node.ok(&["ps", "-q"]), container, "an engine starts on a full disk");

    node.ok(&["rmi", LAYERED]);
    node.ok(&["rm", "-f", &container]);
    let freed = disk.free().0;
    assert!(freed > 5 << 20, "5 MB of layer and what was compressed: {freed}");
    // Nothing is wrong, and with the space back everything works.
    fs::remove_file(lib.join("filler")).unwrap();
    node.ok(&["pull", LAYERED]);
    let container = node.ok(&["create", &pod, &other, &pod_config]);
    node.ok(&["rm", "-f", &container]);
    node.ok(&["rmp", "-f", &pod]);
    node.ok(&["rmi", "--all"]);
    assert!(lib.join("ballast").exists(), "the ballast was not restored");
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    disk.unmount();
}

fn du(path: &Path) -> u64 {
    let output = std::process::Command::new("du").args(["-s", "-B1"]).arg(path).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split('\t').next().unwrap().parse().unwrap()
}

#[test]
fn snp_13_usage_is_what_du_says() {
    let Some(node) = Node::with_registry("usage") else { return };
    push_layered(&node, 100, 50_000);
    node.ok(&["pull", IMAGE]);
    node.ok(&["pull", LAYERED]);
    let usage = || {
        let info = node.json(&["imagefsinfo"])["status"].clone();
        let bytes = |which: &str| info[which][0]["usedBytes"]["value"].as_str().unwrap().parse::<u64>().unwrap();
        (bytes("imageFilesystems"), bytes("containerFilesystems"))
    };
    let lib = node.dir.join("lib");
    let held = du(&lib.join("content")) + du(&lib.join("snapshots"));
    let (images, containers) = usage();
    assert!(images.abs_diff(held) * 20 < held, "images take {images}, du says {held}");
    assert_eq!(containers, 0);

    let share = node.json(&["inspecti", LAYERED])["info"]["usage"].clone();
    let (unique, shared) = (share["unique"].as_u64().unwrap(), share["shared"].as_u64().unwrap());
    assert!((unique + shared).abs_diff(images) * 20 < images, "{share}, {images}");
    assert!(unique > 5_000_000 && shared > 500_000, "{share}: the base is the other image's too");

    let pod_config = node.pod_config("writer", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let config = node.container_config("writer", "dd if=/dev/zero of=/big bs=1M count=9; sleep 10000", |_| ());
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while usage().1 < 9 << 20 {
        assert!(std::time::Instant::now() < deadline, "what the container wrote is never seen: {:?}", usage());
        std::thread::sleep(Duration::from_millis(200));
    }
    let (still, written) = usage();
    assert_eq!(still, images, "what a container writes is no image's");
    assert!(written.abs_diff(9 << 20) * 20 < 9 << 20, "{written}");
    let stats = node.json(&["stats", "-o", "json", &container]);
    let layer = stats["stats"][0]["writableLayer"]["usedBytes"]["value"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(layer, written);
    // The image's unique bytes are what its removal frees.
    node.ok(&["rmi", LAYERED]);
    let freed = images - usage().0;
    assert!(freed.abs_diff(unique) * 20 < unique, "{freed} were freed, {unique} were its own");
    node.end();
}

/// A user of the node must not run what an image calls a root's program (CVE-2021-41103).
#[test]
fn unp_10_no_user_of_the_node_reaches_what_an_image_makes_setuid() {
    let Some(setpriv) = support::program("unp-10", "setpriv") else { return };
    let Some(node) = Node::with_registry("unp-10") else { return };
    // The test's own directory would hide everything.
    fs::set_permissions(&node.dir, fs::Permissions::from_mode(0o755)).unwrap();
    node.ok(&["pull", IMAGE]);
    let shared = |p: &mut Value| {
        let map = json!([{ "host_id": 300_000, "container_id": 0, "length": 65_536 }]);
        let users = json!({ "mode": 0, "uids": map, "gids": map });
        p["linux"]["security_context"] = json!({ "namespace_options": { "userns_options": users } });
    };
    let pods = [("plain", node.pod_config("plain", |_| ())), ("mapped", node.pod_config("mapped", shared))];
    for (name, config) in &pods {
        let pod = node.ok(&["runp", config]);
        let change = |c: &mut Value| {
            if *name == "mapped" {
                let own: Value = serde_json::from_str(&fs::read_to_string(config).unwrap()).unwrap();
                c["linux"]["security_context"] = own["linux"]["security_context"].clone();
            }
        };
        let container = node.ok(&["create", &pod, &node.container_config(name, "sleep 1000", change), config]);
        node.ok(&["start", &container]);
        node.ok(&["exec", "-s", &container, "sh", "-c", "cp /bin/busybox /su && chmod 4755 /su"]);
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let here = node.dir.to_str().unwrap();
    let roots: Vec<_> = mounts.lines().filter_map(|l| l.split(' ').nth(1)).filter(|m| m.starts_with(here)).collect();
    let programs: Vec<_> = roots.iter().map(|m| Path::new(m).join("su")).filter(|p| p.exists()).collect();
    assert_eq!(programs.len(), 2, "{roots:?}");
    let stranger = |program: &str, path: &Path| {
        let mut command = Command::new(&setpriv);
        let output =
            command.args(["--reuid=1000", "--regid=1000", "--clear-groups", program]).arg(path).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for program in &programs {
        let said = stranger("stat", program);
        assert!(said.contains("Permission denied"), "{}: {said}", program.display());
    }
    assert!(stranger("ls", &node.dir.join("lib")).contains("Permission denied"));
    node.end();
}

/// `WHARF_GC_SECONDS` says for how long.
#[test]
fn snp_06_collections_take_nothing_from_pulls() {
    let Some(mut node) = Node::with_registry("gc") else { return };
    push_layered(&node, 5, 10_000);
    let seconds = std::env::var("WHARF_GC_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(8);
    let until = std::time::Instant::now() + Duration::from_secs(seconds);
    // Both have the same first layer; each removal is followed by a collection.
    let work = |image: &str| {
        let (mut pulls, mut busy) = (0, 0);
        while std::time::Instant::now() < until {
            let pulled = node.crictl(&["pull", image]);
            let said = String::from_utf8_lossy(&pulled.stderr).into_owned();
            assert!(pulled.status.success(), "{image}: {said}\n{}", node.log());
            pulls += 1;
            // Somebody else may have been first.
            busy += usize::from(!node.crictl(&["rmi", image]).status.success());
        }
        (pulls, busy)
    };
    let counts: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let workers = [IMAGE, LAYERED, IMAGE, LAYERED].map(|image| scope.spawn(|| work(image)));
        workers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    println!("pulls, and removals somebody else was first with: {counts:?}");
    assert!(counts.iter().all(|(pulls, _)| *pulls > 3), "{counts:?}");
    for image in [IMAGE, LAYERED] {
        let _ = node.crictl(&["rmi", image]);
    }
    node.until("the last collection", || {
        let blobs = fs::read_dir(node.dir.join("lib/content/blobs/sha256")).unwrap().count();
        let layers = fs::read_dir(node.dir.join("lib/snapshots/overlayfs")).unwrap().count();
        blobs + layers == 0
    });
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    node.end();
}

#[test]
fn snp_16_a_second_engine_on_the_same_root_is_refused_at_once() {
    let Some(node) = Node::start("second") else { return };
    let begun = std::time::Instant::now();
    let mut command = support::in_netns(&node.netns, Path::new(support::WHARF));
    command.arg("serve").arg("--listen").arg(node.dir.join("other.sock"));
    let output =
        command.arg("--root").arg(node.dir.join("lib")).arg("--state").arg(node.dir.join("state2")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("already in use by pid {}", node.engine())), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    node.ok(&["version"]);
    node.end();
}

/// /run is gone, /var is kept.
#[test]
fn snp_19_after_a_reboot_pods_are_known_to_have_ended_and_images_are_kept() {
    let Some(mut node) = Node::with_registry("reboot") else { return };
    node.ok(&["pull", IMAGE]);
    let (container, pod) = node.running("web", "echo said; sleep 1000", |_| ());
    let address = node.json(&["inspectp", &pod])["status"]["network"]["ip"].clone();
    node.until("its output", || node.ok(&["logs", &container]).contains("said"));
    let shim = node.json(&["inspectp", &pod])["info"]["shimPid"].as_i64().unwrap();
    node.kill_engine();
    let shim = rustix::process::Pid::from_raw(i32::try_from(shim).unwrap()).unwrap();
    rustix::process::kill_process(shim, rustix::process::Signal::KILL).unwrap();
    let cgroup = wharf::engine::cgroup::Cgroup::new(&node.cgroup).unwrap();
    cgroup.kill().unwrap();
    cgroup.delete().unwrap();
    let run = node.dir.join("run");
    support::node::release(&run);
    fs::remove_dir_all(&run).unwrap();

    node.serve();
    let status = node.json(&["inspect", &container])["status"].take();
    assert_eq!(
        (&status["state"], &status["exitCode"], &status["reason"]),
        (&json!("CONTAINER_EXITED"), &json!(255), &json!("NodeRebooted")),
        "{status:#}"
    );
    assert_eq!(node.json(&["inspectp", &pod])["status"]["state"], "SANDBOX_NOTREADY");
    assert!(node.ok(&["logs", &container]).contains("said"));
    // Nothing is fetched again, and the address is free when the pod goes.
    node.registry.as_mut().unwrap().kill();
    let (again, second) = node.running("web2", "sleep 1000", |_| ());
    node.ok(&["rmp", "-f", &pod]);
    let third = node.ok(&["runp", &node.pod_config("web3", |_| ())]);
    let addresses = [&second, &third].map(|p| node.json(&["inspectp", p])["status"]["network"]["ip"].clone());
    assert!(address.as_str().is_some_and(|a| !a.is_empty()) && !addresses.contains(&Value::Null), "{addresses:?}");
    assert_ne!(addresses[0], address, "it was the ended pod's until that was removed");
    node.ok(&["stop", "-t", "0", &again]);
    node.stop();
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    node.end();
}
