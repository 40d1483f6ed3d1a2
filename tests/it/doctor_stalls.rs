//! Disks that look well and are not, and two daemons on one node: made to happen beside a real containerd.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{
    self,
    containerd::{Containerd, IMAGE, until},
    disk::Disk,
};

/// A node whose runtime's root is on a disk of its own, and the directory of that disk's file.
fn on_disk(test: &str, mkfs: &[&str]) -> Option<(Containerd, Disk, tempfile::TempDir)> {
    let mut node = Containerd::start(test)?;
    node.down();
    let place = tempfile::tempdir().unwrap();
    let root = node.dir.join("root");
    let disk = Disk::new(test, &place.path().join("disk"), 256 << 20, mkfs, &root, "")?;
    node.up();
    Some((node, disk, place))
}

/// Thawed again, whatever happens: nobody could unmount it otherwise.
struct Frozen(PathBuf);

impl Frozen {
    fn new(at: &Path) -> Self {
        let done = Command::new("fsfreeze").arg("-f").arg(at).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Self(at.to_owned())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _thawed = Command::new("fsfreeze").arg("-u").arg(&self.0).output();
    }
}

#[test]
fn a_frozen_filesystem_is_named_while_every_question_is_answered() {
    if support::program("stall", "fsfreeze").is_none() {
        return;
    }
    let Some((node, disk, _place)) = on_disk("stall", &["mkfs.ext4", "-q"]) else { return };
    node.report("runtime-unresponsive", &[]).no_cause();
    let frozen = Frozen::new(&disk.at);
    let mut pull = Command::new(support::program("stall", "crictl").unwrap())
        .args(["-r", &node.socket(), "-i", &node.socket(), "-t", "60s", "pull", IMAGE])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let blocked = || {
        let pid = node.pid().as_raw_nonzero().get();
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        tasks.filter_map(|t| fs::read_to_string(t.path().join("stat")).ok()).any(|s| s.contains(") D "))
    };
    until("a task that waits", blocked);
    assert!(node.crictl(&["version"]).status.success(), "it answers");
    let report = node.report("runtime-unresponsive", &[]);
    drop(frozen);
    report.names("io-stall", &[&disk.at.display().to_string(), "fsfreeze -u"]);
    assert!(report.took < Duration::from_secs(10), "{:?}", report.took);
    pull.wait().unwrap();
    node.report("runtime-unresponsive", &[]).no_cause();
}

#[test]
fn a_quota_is_told_from_a_full_disk() {
    let Some(btrfs) = support::program("quota", "btrfs") else { return };
    let Some((node, disk, _place)) = on_disk("quota", &["mkfs.btrfs", "-q"]) else { return };
    let run = |words: &[&str]| {
        let done = Command::new(&btrfs).args(words).arg(&disk.at).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let big = node.dir.join("big");
    fs::create_dir(&big).unwrap();
    let made = Command::new("dd")
        .args(["if=/dev/urandom", &format!("of={}/data", big.display()), "bs=1M", "count=12", "status=none"])
        .status();
    assert!(made.unwrap().success());
    node.registry.as_ref().unwrap().push("test/big", "1", &[support::registry::layer(&big)], None);
    node.report("disk-full", &[]).no_cause();
    run(&["quota", "enable"]);
    run(&["qgroup", "limit", "4M"]);
    let pull = node.crictl(&["pull", "127.0.0.1:5000/test/big:1"]);
    let words = String::from_utf8_lossy(&pull.stderr).into_owned();
    assert!(!pull.status.success() && words.contains("quota exceeded"), "{words}");
    node.report("disk-full", &[])
        .names("quota-exceeded", &[&disk.at.display().to_string(), "EDQUOT", "btrfs qgroup limit"]);
    run(&["qgroup", "limit", "none"]);
    let pull = node.crictl(&["pull", "127.0.0.1:5000/test/big:1"]);
    assert!(pull.status.success(), "{}", String::from_utf8_lossy(&pull.stderr));
    node.report("disk-full", &[]).no_cause();
}

#[test]
fn b2_snapshots_that_nobody_has_are_told_with_their_sizes() {
    let Some(node) = Containerd::start("orphans") else { return };
    let Some(program) = support::program("orphans", "ctr") else { return };
    assert!(node.crictl(&["pull", IMAGE]).status.success());
    let ctr = |words: &[&str]| {
        let mut command = Command::new(&program);
        let output =
            command.arg("-a").arg(node.dir.join("c.sock")).args(["-n", "k8s.io"]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(node.report("disk-full", &[]).verdict("disk-orphans"), "pass");
    // As a client leaves it that died before it made the container.
    ctr(&["snapshots", "prepare", "left-behind"]);
    let mounts = ctr(&["snapshots", "mounts", "/nowhere", "left-behind"]);
    let upper = mounts.split([' ', ',']).find_map(|w| w.strip_prefix("upperdir=").or(w.strip_suffix("/fs").map(|_| w)));
    let upper = upper.unwrap_or_else(|| panic!("{mounts}"));
    let filled = Command::new("dd")
        .args(["if=/dev/zero", &format!("of={upper}/data"), "bs=1M", "count=300", "status=none"])
        .status();
    assert!(filled.unwrap().success());
    let report = node.report("disk-full", &[]);
    assert_eq!(report.verdict("disk-orphans"), "warn", "{:#}", report.value);
    let words = report.step("disk-orphans").to_string();
    assert!(words.contains("1 snapshots of no container (300") && words.contains("left-behind"), "{words}");
    ctr(&["snapshots", "rm", "left-behind"]);
    assert_eq!(node.report("disk-full", &[]).verdict("disk-orphans"), "pass");
}

/// The filesystem of its snapshots, moved by the snapshotter's own key.
fn moved(node: &Containerd) -> (PathBuf, String) {
    let at = node.dir.join("moved");
    fs::create_dir_all(&at).unwrap();
    let done = Command::new("mount").args(["-t", "tmpfs", "-o", "size=48m", "none"]).arg(&at).status();
    assert!(done.unwrap().success());
    let more = format!(
        "[plugins.\"io.containerd.snapshotter.v1.overlayfs\"]\n  root_path = \"{}\"\n",
        at.join("overlayfs").display()
    );
    (at, node.settings(&more))
}

#[test]
fn b5_images_on_a_filesystem_that_the_kubelet_does_not_measure_are_told() {
    let Some(mut node) = Containerd::start("imagefs") else { return };
    let set = format!("kubelet-config={}", node.write("kubelet.yaml", "kind: KubeletConfiguration\n"));
    let report = |node: &Containerd| node.report("disk-full", &[&set]);
    report(&node).no_cause();
    assert_eq!(report(&node).verdict("disk-measured"), "pass");
    // containerd 1 tells the place where they were before.
    let (at, text) = moved(&node);
    fs::write(node.config(), text).unwrap();
    node.restart();
    assert!(node.crictl(&["pull", IMAGE]).status.success());
    assert!(fs::read_dir(at.join("overlayfs/snapshots")).unwrap().next().is_some(), "unpacked there");
    let (old, new) = (node.dir.join("root"), at.display().to_string());
    report(&node)
        .names("imagefs-elsewhere", &[&new, &format!("measures {}", old.display()), "root_path", "config.toml line"]);
    // The old place goes, as people tidy up.
    fs::remove_dir_all(old.join("io.containerd.snapshotter.v1.overlayfs")).unwrap();
    node.restart();
    report(&node).names("imagefs-nowhere", &[&new, "invalid capacity 0 on image filesystem"]);
}

#[test]
fn b5_a_disk_of_snapshots_alone_that_is_full_is_named() {
    let Some(mut node) = Containerd::newer("imagefs-2") else { return };
    let set = format!("kubelet-config={}", node.write("kubelet.yaml", "kind: KubeletConfiguration\n"));
    let (at, text) = moved(&node);
    fs::write(node.config(), text).unwrap();
    node.restart();
    let report = |node: &Containerd| node.report("disk-full", &[&set]);
    let well = report(&node);
    well.no_cause();
    // This one tells the right place.
    assert_eq!(well.verdict("disk-measured"), "pass", "{:#}", well.value);
    let filler = at.join("filler");
    fs::write(&filler, vec![0; 45 << 20]).unwrap();
    report(&node).names("runtime-disk-full", &[&at.display().to_string(), "snapshots"]);
    fs::remove_file(filler).unwrap();
    report(&node).no_cause();
}

/// Another containerd; it goes with the test.
struct Second(Child);

impl Second {
    fn start(node: &Containerd, config: &str) -> Self {
        let program = support::program("second", "containerd").unwrap();
        let log = fs::File::create(node.dir.join("second.log")).unwrap();
        let mut command = support::in_netns(&node.netns, &program);
        let second = Self(command.args(["-c", config]).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let name = format!("/proc/{}/comm", second.0.id());
        until("nsenter's end", || fs::read_to_string(&name).is_ok_and(|n| n.trim() == "containerd"));
        second
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn two_daemons_on_one_root_are_told_from_one_that_is_gone() {
    let Some(node) = Containerd::start("second") else { return };
    let socket = node.dir.join("second.sock");
    let text = node.settings("").replace("/c.sock", "/second.sock").replace("/state\"", "/state-2\"");
    let config = node.write("second.toml", &text);
    let second = Second::start(&node, &config);
    let open = format!("/proc/{}/fd", second.0.id());
    let files = || fs::read_dir(&open).unwrap().flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
    until("the database of both", || files().any(|file| file.ends_with("meta.db")));
    let report = |socket: &Path, book: &str, set: &[&str]| {
        let at = format!("unix://{}", socket.display());
        let mut command = support::in_netns(&node.netns, Path::new(support::WHARF));
        command.args(["-r", &at, "doctor", book, "-o", "json"]);
        for pair in set {
            command.args(["--set", pair]);
        }
        let output = command.output().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        support::containerd::Report {
            code: output.status.code().unwrap(),
            value: value["runbooks"][0].clone(),
            took: Duration::ZERO,
        }
    };
    let found = report(&socket, "runtime-unresponsive", &[]);
    found.names("runtime-root-taken", &["meta.db", &format!("pid {}", node.pid().as_raw_nonzero())]);
    // The first one does not suffer.
    node.report("runtime-unresponsive", &[]).no_cause();
    drop(second);

    // With a root of its own it is well, and the kubelet asks the other.
    let config = node.write("second.toml", &text.replace("/root\"", "/root-2\""));
    let _second = Second::start(&node, &config);
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < deadline, "{}", fs::read_to_string(node.dir.join("second.log")).unwrap());
        std::thread::sleep(Duration::from_millis(50));
    }
    let asks = |socket: &Path| {
        let text = format!("kind: KubeletConfiguration\ncontainerRuntimeEndpoint: unix://{}\n", socket.display());
        format!("kubelet-config={}", node.write("kubelet.yaml", &text))
    };
    let set = asks(&socket);
    report(&socket, "runtime-unresponsive", &[&set]).no_cause();
    node.report("runtime-unresponsive", &[&set])
        .names("kubelet-endpoint-wrong", &["kubelet.yaml line 2", "second.sock", "another runtime"]);
    let set = asks(&node.dir.join("nobody.sock"));
    node.report("runtime-unresponsive", &[&set]).names("kubelet-endpoint-wrong", &["where nobody answers"]);
}
