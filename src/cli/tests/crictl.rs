//! The same answers as the real crictl, over the fake server and over a real containerd. Skipped, with a line that says
//! so, where one of the two is missing.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{fake::Fake, wharf};

fn find(variable: &str, name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| std::env::split_paths(&path).map(|d| d.join(name)).find(|p| p.exists()));
    if found.is_none() {
        println!("skipped: there is no {name} on $PATH nor in ${variable}");
    }
    found
}

async fn crictl(program: &Path, endpoint: &str, words: &[&str]) -> (i32, String) {
    let mut command = tokio::process::Command::new(program);
    command.args(["-r", endpoint, "-i", endpoint, "-t", "10s"]).args(words).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).unwrap())
}

/// Where `a` and `b` differ, by path.
fn differences(at: &str, a: &Value, b: &Value, found: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for key in x.keys().chain(y.keys().filter(|k| !x.contains_key(*k))) {
                match (x.get(key), y.get(key)) {
                    (Some(x), Some(y)) => differences(&format!("{at}.{key}"), x, y, found),
                    (Some(x), None) => found.push(format!("{at}.{key}: only ours: {x}")),
                    (_, y) => found.push(format!("{at}.{key}: only crictl's: {y:?}")),
                }
            }
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().for_each(|(i, (x, y))| differences(&format!("{at}[{i}]"), x, y, found));
        }
        _ if a != b => found.push(format!("{at}: ours {a}, crictl's {b}")),
        _ => {}
    }
}

/// What differs in JSON; empty if nothing does.
async fn json_differs(program: &Path, endpoint: &str, words: &[&str]) -> Vec<String> {
    let (code, text) = crictl(program, endpoint, words).await;
    let ours = wharf(endpoint, words).await;
    if i32::from(ours.code) != code {
        return vec![format!("{words:?}: exit code {} and crictl's {code}: {}", ours.code, ours.err)];
    }
    let (Ok(a), Ok(b)) = (serde_json::from_str(&ours.out), serde_json::from_str(&text)) else {
        return vec![format!("{words:?}: one is not JSON\n{}\n{text}", ours.out)];
    };
    let mut found = Vec::new();
    differences(&format!("{words:?} "), &a, &b, &mut found);
    found
}

/// What differs in the lines, spaces at their ends aside.
async fn text_differs(program: &Path, endpoint: &str, words: &[&str]) -> Option<String> {
    let (code, text) = crictl(program, endpoint, words).await;
    let ours = wharf(endpoint, words).await;
    let lines = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    let (a, b) = ((i32::from(ours.code), lines(&ours.out)), (code, lines(&text)));
    (a != b).then(|| format!("{words:?}: ours\n{}\n{}\ncrictl's\n{}\n{}", a.0, a.1, b.0, b.1))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_over_the_fake() {
    let Some(program) = find("WHARF_CRICTL", "crictl") else { return };
    let fake = Fake::start();
    let (at, mut found) = (fake.endpoint.as_str(), Vec::new());
    for words in [
        &["ps"][..],
        &["ps", "-a"],
        &["ps", "-a", "--no-trunc"],
        &["ps", "-aq", "--name", "serv"],
        &["ps", "-r"],
        &["ps", "-v"],
        &["pods"],
        &["pods", "-q", "-s", "notready"],
        &["images"],
        &["images", "--digests", "--pinned"],
        &["images", "--no-trunc", "--digests"],
        &["images", "-q"],
        &["images", "-f", "dangling=true"],
        &["version"],
        &["runtime-config"],
        &["stopp", "aa1"],
        &["stop", "c1"],
        &["rm", "c3"],
        &["imagefsinfo", "-o", "table"],
    ] {
        if matches!(words[0], "stop" | "stopp" | "rm") {
            // Each of the two changes a server of its own; crictl leaves short ids to the server.
            let (mine, theirs) = (Fake::start(), Fake::start());
            let whole = super::fake::id(words[1]);
            let (code, text) = crictl(&program, &theirs.endpoint, &[words[0], &whole]).await;
            let ours = wharf(&mine.endpoint, &[words[0], &whole]).await;
            assert_eq!((i32::from(ours.code), ours.out.as_str()), (code, text.as_str()), "{words:?}");
            assert_eq!(mine.done(), theirs.done(), "{words:?}");
            continue;
        }
        found.extend(text_differs(&program, at, words).await);
    }
    let (c1, pod) = (super::fake::id("c1"), super::fake::id("aa1"));
    for words in [
        &["ps", "-a", "-o", "json"][..],
        &["pods", "-o", "json"],
        &["images", "-o", "json"],
        &["inspect", &c1],
        &["inspect", "-q", &c1],
        &["inspectp", &pod],
        &["inspecti", "pause:3.10"],
        &["info"],
        &["info", "-q"],
        &["imagefsinfo"],
        &["stats", "-a", "-o", "json"],
    ] {
        found.extend(json_differs(&program, at, words).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A containerd of our own, killed with the value.
struct Containerd {
    child: Child,
    endpoint: String,
    _directory: tempfile::TempDir,
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

async fn containerd() -> Option<Containerd> {
    let program = find("WHARF_CONTAINERD", "containerd")?;
    if !rustix::process::geteuid().is_root() {
        println!("skipped: containerd needs root");
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let base = directory.path().to_owned();
    let at = |name: &str| base.join(name).display().to_string();
    let config = format!(
        "version = 2\nroot = {:?}\nstate = {:?}\n[grpc]\naddress = {:?}\n[ttrpc]\naddress = {:?}\n\
         [plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"\n\
         [plugins.\"io.containerd.internal.v1.opt\"]\npath = {:?}\n",
        at("root"),
        at("state"),
        at("c.sock"),
        at("t.sock"),
        at("opt"),
    );
    std::fs::write(at("config.toml"), config).unwrap();
    let log = std::fs::File::create(at("log")).unwrap();
    let child =
        Command::new(program).args(["-c", &at("config.toml")]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let endpoint = format!("unix://{}", at("c.sock"));
    let containerd = Containerd { child, endpoint, _directory: directory };
    for _ in 0..100 {
        if wharf(&containerd.endpoint, &["version"]).await.code == 0 {
            return Some(containerd);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("skipped: containerd does not answer: {}", std::fs::read_to_string(at("log")).unwrap_or_default());
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_over_containerd() {
    let Some(program) = find("WHARF_CRICTL", "crictl") else { return };
    let Some(containerd) = containerd().await else { return };
    let (at, mut found) = (containerd.endpoint.as_str(), Vec::new());
    for words in [&["ps", "-a"][..], &["pods"], &["images"], &["version"]] {
        found.extend(text_differs(&program, at, words).await);
    }
    for words in [
        &["ps", "-a", "-o", "json"][..],
        &["pods", "-o", "json"],
        &["images", "-o", "json"],
        &["info", "-q"],
        &["stats", "-o", "json"],
    ] {
        found.extend(json_differs(&program, at, words).await);
    }
    let ours: Value = serde_json::from_str(&wharf(at, &["info"]).await.out).unwrap();
    let theirs: Value = serde_json::from_str(&crictl(&program, at, &["info"]).await.1).unwrap();
    differences("info", &ours, &theirs, &mut found);
    // The CNI state's time of the last load may differ.
    found.retain(|d| !d.contains("lastCNI"));
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(wharf(at, &["imagefsinfo"]).await.out.contains("mountpoint"));
}
