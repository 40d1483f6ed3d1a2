//! The client on somebody else's runtime: over containerd 1.6 and 2.3, wharf answers what crictl answers.
//!
//! The app on it is in `attached_app`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use wharf::client::{
    Runtime,
    types::{Scope, short_id},
};

use crate::support::{
    attached_containerd::{Containerd, VERSIONS},
    cri::{Cri, succeeded},
    lying::{Answer, Body, Image, Lying},
    registry,
    tmux::Tmux,
};

/// A loop that writes, a container in its third life, one that was never started.
pub struct World {
    pub pods: [String; 2],
    pub running: String,
    oldest: String,
    pub previous: String,
    pub again: String,
}

pub const LOOP: &str = "i=0; while :; do i=$((i+1)); echo line $i; echo err $i >&2; sleep 0.3; done";

pub fn world(c: &Cri) -> World {
    c.ok(&["pull", &c.image]);
    c.ok(&["pull", "127.0.0.1:5000/test/unused:1"]);
    let (web, running) = c.run("web", "loop", LOOP);
    let config = c.pod_config("job");
    let job = c.ok(&["runp", &config]);
    let life = |attempt: u32, script: &str| {
        c.ok(&["create", &job, &c.container_config("work", "job", attempt, script), &config])
    };
    let ended = |attempt: u32, script: &str| {
        let id = life(attempt, script);
        c.ok(&["start", &id]);
        until("the end of a life", || c.json(&["inspect", &id])["status"]["state"] == "CONTAINER_EXITED");
        id
    };
    let oldest = ended(0, "true");
    let previous = ended(1, "echo second life; echo it failed >&2; exit 3");
    let again = life(2, "seq 1 40; exec sleep 1000");
    c.ok(&["start", &again]);
    c.ok(&["create", &job, &c.container_config("waiting", "job", 0, "true"), &config]);
    World { pods: [web, job], running, oldest, previous, again }
}

pub fn until(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !check() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn lines(output: &Output) -> String {
    // crictl clears the screen even when there is none.
    let text = String::from_utf8_lossy(&output.stdout).replace("\x1b[2J\x1b[H", "");
    text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Both programs' answers to the same words, until they are equal by `shape`: ages and samples change between two calls.
fn both<T: PartialEq>(c: &Cri, words: &[&str], found: &mut Vec<String>, shape: impl Fn(&Output) -> T) {
    let mut last = String::new();
    for _ in 0..12 {
        let (theirs, ours) = (c.crictl(words).output().unwrap(), c.wharf(words).output().unwrap());
        let agree = theirs.status.success() == ours.status.success();
        if agree && (!theirs.status.success() || shape(&theirs) == shape(&ours)) {
            return;
        }
        let said = |o: &Output| format!("{}\n{}\n{}", o.status, lines(o), String::from_utf8_lossy(&o.stderr));
        last = match (serde_json::from_slice(&theirs.stdout), serde_json::from_slice(&ours.stdout)) {
            (Ok(a), Ok(b)) => differences("", &b, &a).join("\n"),
            _ => format!("--- ours {}\n--- crictl's {}", said(&ours), said(&theirs)),
        };
    }
    found.push(format!("=== {words:?}\n{last}"));
}

/// Where our value and crictl's differ, by path.
fn differences(at: &str, ours: &Value, theirs: &Value) -> Vec<String> {
    match (ours, theirs) {
        (Value::Object(x), Value::Object(y)) => {
            let keys = x.keys().chain(y.keys().filter(|k| !x.contains_key(*k)));
            let of = |m: &serde_json::Map<String, Value>, k: &str| m.get(k).cloned().unwrap_or("(none)".into());
            keys.flat_map(|k| differences(&format!("{at}.{k}"), &of(x, k), &of(y, k))).collect()
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().flat_map(|(i, (x, y))| differences(&format!("{at}[{i}]"), x, y)).collect()
        }
        _ if ours != theirs => vec![format!("{at}: ours {ours}, crictl's {theirs}")],
        _ => Vec::new(),
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| Value::String(lines(output)))
}

/// The same values; quotes may differ.
fn yaml(output: &Output) -> Value {
    serde_norway::from_slice(&output.stdout).unwrap_or_else(|_| Value::String(lines(output)))
}

/// What is written for people, without the lines in which we are more readable (times, the dump of a map) or say more.
fn prose(output: &Output) -> Vec<String> {
    let own = ["Created:", "Started:", "Finished:", "Info:", "Attempt:", "Reason:", "Image Spec:"];
    lines(output).lines().filter(|l| !own.iter().any(|o| l.starts_with(o))).map(str::to_owned).collect()
}

/// JSON without what is measured anew for every call.
fn shape(output: &Output) -> Value {
    fn hide(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if matches!(name.as_str(), "timestamp" | "value" | "usedBytes" | "inodesUsed") {
                        *field = Value::Null;
                    } else {
                        hide(field);
                    }
                }
            }
            Value::Array(items) => {
                items.iter_mut().for_each(hide);
                // containerd lists a pod's containers in no order.
                items.sort_by_cached_key(Value::to_string);
            }
            _ => {}
        }
    }
    let mut value = json(output);
    hide(&mut value);
    value
}

/// Every question that only asks, both ways.
pub fn questions(c: &Cri, over: &str) {
    let w = world(c);
    let mut found = Vec::new();
    let image = c.json(&["inspecti", &c.image])["status"]["id"].as_str().unwrap().to_owned();
    for words in [
        "pods",
        "pods --no-trunc",
        "pods -q -s ready",
        "pods --name web",
        "ps",
        "ps -a",
        "ps -a -v",
        "ps -a -q",
        "ps -a -r",
        "ps -a --no-trunc",
        "ps -a --name ^work",
        "ps -a -s exited",
        "ps -l",
        "images",
        "images --digests",
        "images --no-trunc",
        "images -q",
        "images -v",
        "images -f dangling=false",
        "images --pinned",
        "version",
    ] {
        both(c, &words.split(' ').collect::<Vec<_>>(), &mut found, lines);
    }
    for words in ["pods -o yaml", "ps -a -o yaml", "images -o yaml", "info -o yaml"] {
        both(c, &words.split(' ').collect::<Vec<_>>(), &mut found, yaml);
    }
    both(c, &["pods", "-v"], &mut found, prose);
    for words in ["pods -o json", "ps -a -o json", "images -o json", "info", "info -q"] {
        both(c, &words.split(' ').collect::<Vec<_>>(), &mut found, json);
    }
    for words in ["stats -a -o json", "statsp -o json", "imagefsinfo", "runtime-config", "metricdescs", "metricsp"] {
        both(c, &words.split(' ').collect::<Vec<_>>(), &mut found, shape);
    }
    for (verb, id) in [
        ("inspect", &w.running),
        ("inspect", &w.previous),
        ("inspect", &w.again),
        ("inspectp", &w.pods[0]),
        ("inspectp", &w.pods[1]),
        ("inspecti", &c.image),
        ("inspecti", &image),
    ] {
        both(c, &[verb, id], &mut found, json);
        both(c, &[verb, "-q", id], &mut found, json);
        both(c, &[verb, "-o", "yaml", id], &mut found, yaml);
        both(c, &[verb, "-o", "table", id], &mut found, prose);
    }
    // What is measured differs; which rows and columns there are does not.
    let columns = |o: &Output| {
        let rows = lines(o);
        rows.lines().map(|l| l.split_whitespace().take(2).map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
    };
    for words in ["stats", "stats -a", "statsp"] {
        both(c, &words.split(' ').collect::<Vec<_>>(), &mut found, columns);
    }
    assert!(found.is_empty(), "over {over}:\n{}", found.join("\n"));
}

#[test]
fn questions_are_answered_as_crictl_answers_them() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("attached", version) else { return };
        questions(&c, &format!("containerd {}", version.name()));
        c.end();
    }
}

/// Logs of a container that writes, of one that ended and of its earlier lives.
pub fn logs(c: &Cri, over: &str) {
    let w = world(c);
    let mut found = Vec::new();
    let streams = |o: &Output| (lines(o), String::from_utf8_lossy(&o.stderr).into_owned());
    until("its lines", || c.ok(&["logs", &w.again]).ends_with("40"));
    let third = {
        let file = c.json(&["inspect", &w.again])["status"]["logPath"].as_str().unwrap().to_owned();
        fs::read_to_string(file).unwrap().lines().nth(30).unwrap().split(' ').next().unwrap().to_owned()
    };
    for words in [
        &["logs", &w.again][..],
        &["logs", &w.previous],
        &["logs", "-t", &w.again],
        &["logs", "--tail", "3", &w.again],
        &["logs", "--tail", "0", &w.again],
        &["logs", "--tail", "3", "-t", &w.previous],
        &["logs", "--since", "1h", &w.again],
        &["logs", "--since", &third, "-t", &w.again],
        &["logs", "--limit-bytes", "11", &w.again],
        &["logs", "-p", &w.again],
        &["logs", "-f", &w.previous],
    ] {
        both(c, words, &mut found, streams);
    }
    assert!(found.is_empty(), "over {over}:\n{}", found.join("\n"));
    assert_eq!(c.wharf_ok(&["logs", "-p", &w.again]), "second life");

    // Follow: what was there, then what comes, until the container ends.
    let mut follow = c.wharf(&["logs", "-f", "--tail", "2", &w.running]);
    let follow = follow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    c.ok(&["stop", "--timeout", "0", &w.running]);
    let text = succeeded("wharf logs -f", &follow.wait_with_output().unwrap());
    let numbers: Vec<u32> = text.lines().filter_map(|l| l.strip_prefix("line ")?.parse().ok()).collect();
    assert!(numbers.len() > 3, "{text}");
    assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1), "{text}");
    let last = c.ok(&["logs", "--tail", "2", &w.running]);
    assert!(last.contains(&format!("line {}", numbers.last().unwrap())), "{last} after {text}");
}

#[test]
fn logs_are_read_as_crictl_reads_them() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("attached-logs", version) else { return };
        logs(&c, &format!("containerd {}", version.name()));
        c.end();
    }
}

/// Commands with and without a terminal, with input, and the ways they end.
pub fn commands(c: &Cri, over: &str) {
    c.ok(&["pull", &c.image]);
    let (_, id) = c.run("web", "loop", LOOP);
    let run = |words: &[&str]| {
        let output = c.wharf(words).output().unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let script = "echo out; echo err >&2; exit 7";
    for flags in [&["exec", "-s"][..], &["exec"]] {
        let (code, out, err) = run(&[flags, &[&id, "sh", "-c", script]].concat());
        assert_eq!((code, out.as_str(), err.as_str()), (Some(7), "out\n", "err\n"), "{flags:?} over {over}");
    }
    // A lot of output arrives whole.
    let (code, out, err) = run(&["exec", &id, "sh", "-c", "seq 1 100000"]);
    assert_eq!((code, out.lines().count(), out.lines().last()), (Some(0), 100_000, Some("100000")), "{err}");
    let (code, _, err) = run(&["exec", &id, "/no/such/program"]);
    assert!(code != Some(0) && err.contains("/no/such/program"), "{err}");
    let (code, _, err) = run(&["exec", "0123456789ab", "true"]);
    assert!(code == Some(1) && err.contains("0123456789ab"), "{err}");

    let mut head = c.wharf(&["exec", "-i", &id, "head", "-n", "1"]);
    let mut head = head.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    head.stdin.as_mut().unwrap().write_all(b"first\nsecond\n").unwrap();
    assert_eq!(succeeded("exec -i", &head.wait_with_output().unwrap()), "first");

    let shell = c.wharf(&["exec", "-it", &id, "sh"]);
    let Some(tmux) = Tmux::start("attached-exec", (80, 24), &shell) else { return };
    tmux.wait_for("#");
    tmux.text("echo $((40+2)) is the answer; stty size");
    tmux.keys(&["Enter"]);
    tmux.wait_for("42 is the answer\n24 80");
    tmux.resize(100, 30);
    thread::sleep(Duration::from_millis(500));
    tmux.text("clear; stty size; sleep 100");
    tmux.keys(&["Enter"]);
    tmux.wait_for("30 100");
    tmux.keys(&["C-c"]);
    // The terminal drops what was typed before the signal.
    tmux.wait_until("the prompt again", |s| s.trim_end().ends_with('#'));
    tmux.text("exit 9");
    tmux.keys(&["Enter"]);
    assert_eq!(tmux.exit_code(), 9);
    tmux.end();
}

/// What a container says from now on, and a port of its pod.
pub fn streams(c: &Cri, over: &str) {
    c.ok(&["pull", &c.image]);
    let (pod, id) = c.run("web", "loop", &format!("while :; do echo served | nc -l -p 8080; done & {LOOP}"));
    let first = |words: &[&str], wanted: &dyn Fn(&str) -> bool| {
        let mut child = c.wharf(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let found = lines.find(|l| wanted(l)).unwrap_or_else(|| panic!("{words:?} over {over} ends without a word"));
        // The rest is read, so that it can be written.
        thread::spawn(move || lines.for_each(drop));
        (child, found)
    };
    let end = |mut child: Child| {
        child.kill().unwrap();
        child.wait().unwrap();
    };
    end(first(&["attach", &id], &|l| l.starts_with("line ")).0);
    let (forward, line) = first(&["port-forward", &pod, ":8080"], &|l| l.contains("127.0.0.1:"));
    let port = line.split(" -> ").next().and_then(|at| at.rsplit(':').next()).unwrap().to_owned();
    let mut client = crate::support::in_netns(&c.netns, Path::new("busybox"));
    // The program behind the port takes one at a time, and is a moment late.
    let client = client.args(["nc", "-w", "5", "127.0.0.1", &port]);
    until("an answer through the port", || client.output().unwrap().stdout == b"served\n");
    end(forward);
    assert_eq!(c.json(&["inspect", &id])["status"]["state"], "CONTAINER_RUNNING", "over {over}");
}

#[test]
fn commands_run_over_its_streaming_server() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("attached-exec", version) else { return };
        commands(&c, &format!("containerd {}", version.name()));
        c.empty();
        streams(&c, &format!("containerd {}", version.name()));
        c.end();
    }
}

#[test]
fn snapshots_of_every_namespace_come_from_containerds_own_api() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("attached-snapshots", version) else { return };
        world(&c);
        c.ctr("other", &["images", "pull", "--plain-http", "127.0.0.1:5000/test/unused:1"]);
        let mut theirs = Vec::new();
        for namespace in ["k8s.io", "other"] {
            for line in c.ctr(namespace, &["snapshots", "ls"]).lines().skip(1) {
                let words: Vec<_> = line.split_whitespace().collect();
                let (key, kind) = (words[0], words[words.len() - 1]);
                let parent = (words.len() == 3).then(|| words[1].to_owned());
                theirs.push((namespace.to_owned(), key.to_owned(), parent, kind.to_lowercase()));
            }
        }
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let seen = tokio.block_on(async {
            let cri = wharf::client::Cri::attach(&c.socket, false).await.unwrap();
            cri.inventory(Scope { snapshots: true, ..Scope::default() }).await.snapshots
        });
        let rows = seen.value().unwrap_or_else(|| panic!("{seen:?}"));
        let mut ours: Vec<_> =
            rows.iter().map(|s| (s.namespace.clone(), s.key.clone(), s.parent.clone(), s.kind.clone())).collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "over containerd {}", version.name());
        assert!(
            ours.iter().filter(|s| s.0 == "other").count() >= 2 && ours.iter().any(|s| s.3 == "active"),
            "{ours:?}"
        );
        assert!(rows.iter().all(|s| s.bytes.is_some() && s.created.is_some()), "{rows:?}");
        c.ctr("other", &["images", "rm", "127.0.0.1:5000/test/unused:1"]);
        c.end();
    }
}

/// A prune takes what nobody uses and nothing else, and nothing at all when it is only asked for, or refused.
pub fn prunes(c: &Cri, w: &World) {
    let everything = || (c.ok(&["ps", "-aq"]), c.ok(&["images", "-q"]), c.ok(&["pods", "-q"]));
    let before = everything();
    let plan = c.wharf_ok(&["prune", "--dry-run"]);
    assert!(plan.contains("test/unused:1") && plan.contains("work"), "{plan}");
    assert_eq!(everything(), before, "a dry run changed something");
    let refused = c.wharf_fails(&["--read-only", "prune", "--yes"]);
    assert!(refused.contains("read-only"), "{refused}");
    assert_eq!(everything(), before, "read-only changed something");

    c.wharf_ok(&["prune", "--yes"]);
    let (containers, images, pods) = everything();
    assert!(!containers.contains(&w.oldest), "{containers}");
    assert!([&w.previous, &w.again, &w.running].iter().all(|id| containers.contains(*id)), "{containers}");
    assert_eq!(pods, before.2);
    let left = c.ok(&["images"]);
    assert!(!left.contains("test/unused") && left.contains("test/busybox") && left.contains("test/pause"), "{left}");
    assert_eq!(c.ok(&["exec", "-s", &w.running, "echo", "alive"]), "alive");
    let nothing = c.wharf_ok(&["prune", "--dry-run"]);
    assert!(nothing.contains("Nothing to remove") && everything().1 == images, "{nothing}");
}

/// From a container that runs to a node without pods, and back to an image.
pub fn removes(c: &Cri, w: &World) {
    assert!(c.wharf_fails(&["rm", &w.running]).contains("running"));
    c.wharf_ok(&["stop", "-t", "1", &w.running]);
    assert_eq!(c.json(&["inspect", &w.running])["status"]["state"], "CONTAINER_EXITED");
    c.wharf_ok(&["rm", &w.running]);
    assert!(!c.ok(&["ps", "-aq"]).contains(&w.running));
    c.wharf_ok(&["rm", "-f", &w.again]);
    c.wharf_ok(&["stopp", &w.pods[0]]);
    assert_eq!(c.ok(&["pods", "-q", "-s", "notready"]), w.pods[0]);
    c.wharf_ok(&["rmp", &w.pods[0]]);
    c.wharf_ok(&["rmp", "-f", &w.pods[1]]);
    assert_eq!(c.ok(&["pods", "-q"]), "");
    c.wharf_ok(&["rmi", &c.image]);
    assert!(!c.ok(&["images"]).contains("test/busybox"));
    assert_eq!(c.wharf_ok(&["pull", &c.image]), c.ok(&["pull", &c.image]));
}

#[test]
fn prn_05_changes_are_made_and_prune_keeps_what_is_used_or_another_namespaces() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("attached-changes", version) else { return };
        let w = world(&c);
        // Docker's and buildkit's are theirs, images that nobody uses too, and what their leases hold.
        let others = ["moby", "buildkit", "default"];
        for other in others {
            c.ctr(other, &["images", "pull", "--plain-http", "127.0.0.1:5000/test/unused:1"]);
            c.ctr(other, &["leases", "create", "--id", "held"]);
        }
        let theirs = || {
            let lists: [&[&str]; 4] =
                [&["images", "ls", "-q"], &["content", "ls", "-q"], &["leases", "ls", "-q"], &["snapshots", "ls"]];
            others.map(|other| lists.map(|list| c.ctr(other, list)))
        };
        let kept = theirs();
        prunes(&c, &w);
        assert_eq!(theirs(), kept, "something of another namespace has gone");
        removes(&c, &w);
        for other in others {
            c.ctr(other, &["images", "rm", "127.0.0.1:5000/test/unused:1"]);
            c.ctr(other, &["leases", "rm", "held"]);
        }
        c.end();
    }
}

#[test]
fn a_pull_tells_how_far_each_layer_is() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("progress", version) else { continue };
        let lying = Lying::start(&c.netns);
        let hosts = c.dir.join("hosts").join(lying.address.to_string());
        fs::create_dir_all(&hosts).unwrap();
        fs::write(hosts.join("hosts.toml"), format!("server = \"http://{}\"\n", lying.address)).unwrap();
        let content = c.dir.join("content");
        fs::create_dir(&content).unwrap();
        // What gzip cannot make smaller.
        let mut seed = 1_u32;
        let noise = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        });
        fs::write(content.join("noise"), noise.take(2 << 20).collect::<Vec<u8>>()).unwrap();
        let image = Image::new(&[registry::layer(&content)]);
        let (layer, bytes) = (image.layers[0].clone(), image.blob(&image.layers[0]));
        let slow = Answer::of(200, Body::Slow(bytes, 16 << 10));
        let path = format!("blobs/{layer}");
        let reference = lying.image("slow", image, move |r| r.path.ends_with(&path).then(|| slow.clone()));
        let pulled = c.wharf(&["pull", &reference]).output().unwrap();
        let said = String::from_utf8_lossy(&pulled.stderr).into_owned();
        assert!(pulled.status.success(), "{said}");
        let name = short_id(&layer);
        let steps: Vec<&str> = said.lines().filter(|l| l.starts_with(name)).collect();
        assert!(steps.first().is_some_and(|l| l.contains("downloading") && l.contains("/2.1MB")), "{said}");
        assert!(steps.last().is_some_and(|l| l.contains("done") && l.contains("2.1MB/2.1MB")), "{said}");
        drop(lying);
        c.end();
    }
}
