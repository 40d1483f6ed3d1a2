//! What may happen to containers' logs: section LOG of the threats. How they are read is the client's.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;
use wharf::proto::cri;

use crate::support::node::{IMAGE, Node};

fn node(test: &str) -> Option<Node> {
    let node = Node::with_registry(test)?;
    node.ok(&["pull", IMAGE]);
    Some(node)
}

fn log_path(node: &Node, container: &str) -> PathBuf {
    node.json(&["inspect", container])["status"]["logPath"].as_str().unwrap().into()
}

fn reopen(node: &Node, container: &str) {
    node.with_client(async |client| {
        let request = cri::ReopenContainerLogRequest { container_id: container.to_owned() };
        client.runtime_service().reopen_container_log(request).await.unwrap();
    });
}

/// The text of each line, its stream's name before it, without times; a line in parts is one.
fn lines(text: &str) -> Vec<String> {
    let mut found = vec![];
    let mut begun = String::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        let (_, stream, tag, rest) =
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        begun.push_str(rest);
        if tag == "F" {
            found.push(format!("{stream} {}", std::mem::take(&mut begun)));
        }
    }
    assert!(begun.is_empty(), "{begun}");
    found
}

/// 100 000 lines, 8 rotations, 3 kills of the engine.
#[test]
fn log_01_no_line_is_lost_or_written_twice() {
    let Some(mut node) = node("lines") else { return };
    let script = "(seq 1 50000; sleep 1; seq 50001 100000) & busybox seq 1 20 >&2; wait; echo done; sleep 1000";
    let (container, _) = node.running("c", script, |_| ());
    let log = log_path(&node, &container);
    let mut files = vec![];
    for n in 0..8 {
        let old = log.with_extension(format!("{n}"));
        fs::rename(&log, &old).unwrap();
        files.push(old);
        if n % 3 == 1 {
            node.kill_engine();
            node.serve();
        }
        reopen(&node, &container);
    }
    files.push(log);
    let whole = || files.iter().map(|f| fs::read_to_string(f).unwrap()).collect::<String>();
    node.until("the last line", || whole().ends_with(" stdout F done\n"));
    let all = lines(&whole());
    let of = |stream: &str| all.iter().filter_map(|l| l.strip_prefix(stream).map(str::to_owned)).collect::<Vec<_>>();
    let expected: Vec<String> = (1..=100_000).map(|n| n.to_string()).chain(["done".to_owned()]).collect();
    assert!(of("stdout ") == expected, "{} lines", of("stdout ").len());
    assert_eq!(of("stderr "), (1..=20).map(|n| n.to_string()).collect::<Vec<_>>());
    node.end();
}

/// Kilobytes of a process at most.
fn peak(pid: u64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// 64 MiB.
#[test]
fn log_02_a_line_without_an_end_takes_no_memory() {
    let Some(node) = node("endless") else { return };
    let size = 64 << 20;
    let script = format!(
        "seq 1 20000; sleep 1; busybox yes abcdefghijklmnopqrstuvwxyz0123 | busybox tr -d '\\n' | head -c {size}; sleep 1000"
    );
    let (container, pod) = node.running("c", &script, |_| ());
    let shim = node.json(&["inspectp", &pod])["info"]["shimPid"].as_u64().unwrap();
    let log = log_path(&node, &container);
    node.until("usual lines", || fs::read_to_string(&log).unwrap().ends_with(" 20000\n"));
    let (before, usual) = (peak(shim), fs::metadata(&log).unwrap().len());
    // The end of the line is not known before that of the stream.
    let parts = size / (16 << 10);
    let whole = size + parts * "2026-01-01T00:00:00.000000000Z stdout P \n".len();
    node.until("the line", || fs::metadata(&log).unwrap().len() + (64 << 10) >= usual + whole as u64);
    node.ok(&["stop", "-t", "0", &container]);
    let grown = peak(shim) - before;
    assert!(grown <= 1024, "the shim has grown by {grown} KiB");
    let mut at = 0;
    for line in fs::read(&log).unwrap()[usual as usize..].split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        assert_eq!(&line[30..38], b" stdout ", "{at}");
        let text = &line[40..];
        assert!(text.len() <= 16 << 10);
        for byte in text {
            assert_eq!(*byte, b"abcdefghijklmnopqrstuvwxyz0123"[at % 30], "{at}");
            at += 1;
        }
    }
    assert_eq!(at, size);
    node.end();
}

#[test]
fn log_03_a_full_disk_loses_lines_and_says_how_many_and_stops_nobody() {
    let Some(node) = node("full") else { return };
    let disk = node.dir.join("disk");
    fs::create_dir(&disk).unwrap();
    rustix::mount::mount("tmpfs", &disk, "tmpfs", rustix::mount::MountFlags::empty(), Some(c"size=1m")).unwrap();
    let beat = node.dir.join("beat");
    fs::create_dir(&beat).unwrap();
    let pod_config = node.pod_config("full", |p| p["log_directory"] = json!(disk.join("pod")));
    let pod = node.ok(&["runp", &pod_config]);
    // Each line is followed by a sign of life elsewhere.
    let script = "i=0; while :; do i=$((i+1)); echo line $i xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; echo $i > /beat/now; sleep 0.01; done";
    let config = node.container_config("full", script, |c| {
        c["mounts"] = json!([{ "container_path": "/beat", "host_path": beat }]);
    });
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    let number = || fs::read_to_string(beat.join("now")).unwrap_or_default().trim().parse::<u64>().unwrap_or(0);
    node.until("the first lines", || number() > 20);
    let log = log_path(&node, &container);
    let filler = disk.join("filler");
    drop(fs::write(&filler, vec![0; 2 << 20]));
    let full = number();
    let begun = Instant::now();
    while number() < full + 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it writes no more");
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::remove_file(&filler).unwrap();
    let free = number();
    node.until("it to go on", || number() > free + 50);
    node.ok(&["stop", "-t", "0", &container]);
    let text = fs::read_to_string(&log).unwrap();
    let said: Vec<&str> = text.lines().filter(|l| l.contains("bytes of output were lost")).collect();
    let [said] = said[..] else { panic!("{said:?}") };
    assert!(said.contains(" stderr F "), "{said}");
    let lost: usize = said.split(' ').nth(3).unwrap().parse().unwrap();
    assert!(lost > 150 * 90, "{said}");
    // What was written is whole but for the one line at which the disk was full, and what came after is all there.
    let after = text.split(said).nth(1).unwrap();
    let numbers: Vec<u64> =
        after.lines().filter(|l| !l.is_empty()).map(|l| l.split(' ').nth(4).unwrap().parse().unwrap()).collect();
    assert!(numbers.len() > 40 && numbers.windows(2).all(|w| w[1] == w[0] + 1), "{numbers:?}");
    node.ok(&["rmp", "-f", &pod]);
    rustix::mount::unmount(&disk, rustix::mount::UnmountFlags::empty()).unwrap();
    node.end();
}

#[test]
fn log_07_whoever_may_write_to_the_logs_directory_writes_nothing_elsewhere() {
    let Some(node) = node("log-links") else { return };
    let canary = node.dir.join("canary");
    fs::create_dir(&canary).unwrap();
    fs::write(canary.join("file"), "the host's").unwrap();
    let logs = node.dir.join("logs/victim");
    fs::create_dir_all(logs.join("real")).unwrap();
    symlink(&canary, logs.join("linked")).unwrap();
    symlink(canary.join("file"), logs.join("real/link.log")).unwrap();
    symlink(canary.join("new"), logs.join("real/dangling.log")).unwrap();
    fs::create_dir(logs.join("real/directory.log")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, logs.join("real/fifo.log"), fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let pod_config = node.pod_config("victim", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let create = |path: &str, script: &str| {
        let config = node.container_config("victim", script, |c| c["log_path"] = path.into());
        node.crictl(&["create", &pod, &config, &pod_config])
    };
    for path in
        ["linked/0.log", "real/link.log", "real/dangling.log", "real/directory.log", "real/fifo.log", "../0.log"]
    {
        let refused = create(path, "echo evil");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("log"), "{path}: {said}");
    }
    // The same when a log is opened again.
    let made = create("real/0.log", "while :; do echo evil; sleep 0.05; done");
    let container = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    node.ok(&["start", &container]);
    let log = logs.join("real/0.log");
    let swap = |target: &Path| {
        fs::rename(&log, logs.join("real/old.log")).unwrap();
        symlink(target, &log).unwrap();
    };
    swap(&canary.join("file"));
    node.with_client(async |client| {
        let request = cri::ReopenContainerLogRequest { container_id: container.clone() };
        client.runtime_service().reopen_container_log(request).await.unwrap_err();
    });
    // It goes on where it was.
    let size = || fs::metadata(logs.join("real/old.log")).unwrap().len();
    let before = size();
    node.until("the next line", || size() > before);
    assert_eq!(fs::read_to_string(canary.join("file")).unwrap(), "the host's");
    assert_eq!(fs::read_dir(&canary).unwrap().count(), 1);
    node.end();
}
