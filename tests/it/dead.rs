//! A containerd that is dead or hangs: what the app and the verbs show comes from the disk and /proc, says so, and is as new as
//! those.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{
    attached_containerd::{Containerd, VERSIONS, Version},
    cri::Cri,
    tmux::Tmux,
};

fn busy(test: &str, version: Version) -> Option<(Containerd, String)> {
    let c = Containerd::start(test, version)?;
    let loud = two_pods(&c);
    Some((c, loud))
}

/// One that talks, and one whose container has ended with 3.
pub fn two_pods(c: &Cri) -> String {
    c.ok(&["pull", &c.image]);
    let (_, loud) = c.run("web", "loud", "while :; do echo ahoy from the loop; sleep 0.5; done");
    let (_, ended) = c.run("job", "brief", "exit 3");
    let deadline = Instant::now() + Duration::from_secs(30);
    while c.json(&["inspect", &ended])["status"]["state"] != "CONTAINER_EXITED" {
        assert!(Instant::now() < deadline, "it does not end");
        thread::sleep(Duration::from_millis(100));
    }
    let logged = || std::fs::read_to_string(c.dir.join("logs/web/loud/0.log")).unwrap_or_default();
    while !logged().contains("ahoy") {
        assert!(Instant::now() < deadline, "it says nothing");
        thread::sleep(Duration::from_millis(100));
    }
    loud
}

/// Every pane of a runtime that is silent, which the banner says in this word.
pub fn looks_through(tmux: &Tmux, silent: &str, images: usize, snapshots: usize) {
    let screen = tmux.wait_until("that it is silent", |s| s.contains(silent) && s.contains("shown from disk"));
    assert!(!screen.contains("EMBEDDED"), "{screen}");
    tmux.keys(&["2"]);
    tmux.wait_until("both pods", |s| {
        ["web", "job", "Ready", "Pods 2 ─ from disk, ", " old"].iter().all(|w| s.contains(w))
    });
    tmux.keys(&["3"]);
    tmux.wait_until("both containers with their states", |s| {
        ["Containers 2 ─ from disk", "loud", "Running", "brief", "Exited 3"].iter().all(|w| s.contains(w))
    });
    tmux.keys(&["4"]);
    let screen = tmux.wait_for(&format!("Images {images} ─ from disk"));
    assert!(screen.contains("test/busybox:1"), "{screen}");
    tmux.keys(&["5"]);
    tmux.wait_for(&format!("Snapshots {snapshots} ─ from disk"));
    tmux.keys(&["6"]);
    tmux.wait_for("pod default/web");
    tmux.keys(&["7"]);
    tmux.wait_until("the image store", |s| s.contains("─ from disk") && s.contains("image filesystem"));
    // The log is a file.
    tmux.keys(&["3", "/"]);
    tmux.text("loud");
    tmux.keys(&["Enter", "l"]);
    tmux.wait_for("ahoy from the loop");
    tmux.keys(&["Escape"]);
    tmux.wait_until("the table again", |s| s.contains("NAME") && s.contains("STATE"));
    // A shell is refused with what an expert would type, and the rest with the reason.
    tmux.keys(&["s"]);
    tmux.wait_until("how to get a shell", |s| s.contains("nsenter -t ") && s.contains(" -m -u -i -n -p"));
    tmux.keys(&["x"]);
    tmux.wait_for("stop is not done");
    tmux.keys(&["P"]);
    tmux.wait_for("prune is not done");
    tmux.keys(&["Escape"]);
    tmux.wait_for("Containers 2 ─");
}

fn counts(c: &Containerd) -> (usize, usize) {
    let images = c.json(&["images", "-o", "json"])["images"].as_array().unwrap().len();
    (images, c.ctr("k8s.io", &["snapshots", "ls"]).lines().skip(1).count())
}

#[test]
fn a_dead_containerd_is_shown_from_its_disk_until_it_is_back() {
    for version in VERSIONS {
        let Some((mut c, _)) = busy("dead", version) else { return };
        let (images, snapshots) = counts(&c);
        for size in [(80, 24), (160, 48)] {
            c.kill();
            let Some(tmux) = Tmux::start("dead", size, &c.wharf(&[])) else { return };
            looks_through(&tmux, "runtime dead since", images, snapshots);
            assert!(tmux.screen().contains(" DEAD "), "{}", tmux.screen());
            c.serve();
            let screen = tmux.wait_until("its own answers", |s| {
                s.contains(" ATTACHED ") && !s.contains("from disk") && s.contains("loud") && s.contains("Exited 3")
            });
            assert!(!screen.contains("runtime dead"), "{screen}");
            // And they are its own: a new pod appears.
            let late = format!("late{}", size.0);
            let (pod, _) = c.run(&late, &late, "sleep 1000");
            tmux.wait_for(&late);
            c.ok(&["rmp", "-f", &pod]);
            tmux.keys(&["q"]);
            assert_eq!(tmux.exit_code(), 0);
            tmux.end();
        }
        c.end();
    }
}

#[test]
fn one_that_hangs_is_shown_from_its_disk_until_it_goes_on() {
    let Some((c, loud)) = busy("hung", Version::Debian) else { return };
    let (images, snapshots) = counts(&c);
    for size in [(80, 24), (160, 48)] {
        c.hang(true);
        let began = Instant::now();
        let Some(tmux) = Tmux::start("hung", size, &c.wharf(&[])) else { return };
        tmux.wait_for("wharf");
        // Long before a question to it would be given up.
        assert!(began.elapsed() < Duration::from_secs(8), "the first frame took {:?}", began.elapsed());
        looks_through(&tmux, "runtime hangs since", images, snapshots);
        c.hang(false);
        tmux.wait_until("its own answers", |s| s.contains(" ATTACHED ") && !s.contains("from disk"));
        tmux.keys(&["q"]);
        assert_eq!(tmux.exit_code(), 0);
        tmux.end();
    }
    // While the app looks: what happens meanwhile is seen, though nobody is told of it.
    let Some(tmux) = Tmux::start("hung", (100, 30), &c.wharf(&[])) else { return };
    tmux.wait_for(" ATTACHED ");
    tmux.keys(&["3"]);
    tmux.wait_until("the container", |s| s.contains("loud") && s.contains("Running"));
    let pid = c.json(&["inspect", &loud])["info"]["pid"].as_i64().unwrap();
    c.hang(true);
    tmux.wait_until("that it hangs", |s| s.contains("runtime hangs since") && s.contains("Containers 2 ─ from disk"));
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
    tmux.wait_for("Exited ?");
    c.hang(false);
    tmux.wait_until("what became of it", |s| s.contains("Exited 137") && !s.contains("from disk"));
    tmux.keys(&["q"]);
    assert_eq!(tmux.exit_code(), 0);
    tmux.end();
    c.end();
}

/// From a pod on the screen to what is wrong, to the fix, to the same check passing.
#[test]
fn one_that_was_stopped_is_diagnosed_and_mended_from_a_pod() {
    let Some((c, _)) = busy("mend", Version::Debian) else { return };
    let judged = |screen: &str, verdict: &str| {
        screen.lines().any(|l| l.contains("Is the runtime there") && l.contains(&format!(" {verdict} ")))
    };
    for size in [(80, 24), (160, 48)] {
        let Some(tmux) = Tmux::start("mend", size, &c.wharf(&[])) else { return };
        tmux.wait_for(" ATTACHED ");
        tmux.keys(&["2"]);
        tmux.wait_until("both pods", |s| s.contains("web") && s.contains("job"));
        c.hang(true);
        tmux.wait_for("runtime hangs since");
        let began = Instant::now();
        tmux.keys(&["!"]);
        // The steps come one by one; the cursor ends on the one that decided.
        let screen = tmux.wait_until("the verdict", |s| judged(s, "fail") && s.contains("not needed any more"));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert!(screen.contains("Would a restart help") && screen.contains("f fix"), "{screen}");
        tmux.keys(&["Enter"]);
        // What was seen and where, why it matters, and what an expert would type.
        tmux.wait_until("the evidence", |s| s.contains("/proc/") && s.contains("Why it matters"));
        tmux.wait_until("the command", |s| {
            tmux.keys(&["PageDown"]);
            s.contains("ps -o") || s.contains("systemctl status")
        });
        tmux.keys(&["Escape", "f"]);
        tmux.wait_until("the plan", |s| s.contains("Plan: ") && s.contains("kill -CONT"));
        // A key right after the plan came up presses nothing.
        thread::sleep(Duration::from_millis(300));
        tmux.keys(&["Y"]);
        tmux.wait_for("done, 1 step");
        tmux.keys(&["Escape"]);
        tmux.wait_until("the same check passes", |s| s.contains(" ATTACHED ") && judged(s, "pass"));
        c.ok(&["version"]);
        tmux.keys(&["q"]);
        assert_eq!(tmux.exit_code(), 0);
        tmux.end();
    }
    c.end();
}

/// Of every object what a person or a script goes by.
fn essence(list: &Value, keys: &[&str]) -> BTreeMap<String, Value> {
    let of = |object: &Value| {
        let picked: serde_json::Map<String, Value> =
            keys.iter().map(|k| ((*k).to_owned(), object[*k].clone())).collect();
        (object["id"].as_str().unwrap().to_owned(), Value::Object(picked))
    };
    list.as_array().unwrap().iter().map(of).collect()
}

/// What crictl tells of a runtime that lives, and after its death the verbs from the disk: these keys of containers and images.
/// `kill` ends it.
pub fn offline(c: &Cri, over: &str, loud: &str, container: &[&str], image: &[&str], kill: impl FnOnce()) {
    let lists: [(&[&str], &str, &[&str]); 3] = [
        (
            &["pods", "-o", "json"],
            "items",
            &["metadata", "state", "createdAt", "labels", "annotations", "runtimeHandler"],
        ),
        (&["ps", "-a", "-o", "json"], "containers", container),
        (&["images", "-o", "json"], "images", image),
    ];
    let told: Vec<_> = lists.iter().map(|(verb, key, keys)| essence(&c.json(verb)[*key], keys)).collect();
    let status = c.json(&["inspect", loud]);
    kill();
    // Without being asked to, nothing is made up: it fails as ever, and says what there is.
    let error = c.wharf_fails(&["ps", "-a"]);
    assert!(error.contains("--offline"), "{error}");
    for ((verb, key, keys), told) in lists.iter().zip(told) {
        let text = c.wharf_ok(&[&["--offline"], *verb].concat());
        let list: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(essence(&list[*key], keys), told, "{verb:?} of {over}");
    }
    let seen: Value = serde_json::from_str(&c.wharf_ok(&["--offline", "inspect", loud])).unwrap();
    for key in ["/state", "/startedAt", "/logPath", "/image/image"] {
        assert_eq!(seen["status"].pointer(key), status["status"].pointer(key), "{key}: {seen}");
    }
    assert_eq!(seen["info"]["pid"], status["info"]["pid"]);
    assert_eq!(seen["info"]["runtimeSpec"]["process"]["args"], status["info"]["runtimeSpec"]["process"]["args"]);
    assert!(c.wharf_ok(&["--offline", "logs", "--tail", "1", "loud"]).contains("ahoy"));
    let stats = c.wharf_ok(&["--offline", "stats"]);
    assert!(stats.contains("loud"), "{stats}");
    let refused = c.wharf_fails(&["--offline", "stop", loud]);
    assert!(refused.contains("refused") && refused.contains("--offline"), "{refused}");
}

#[test]
fn the_verbs_tell_offline_what_crictl_told_before_the_death() {
    for version in VERSIONS {
        let Some((mut c, loud)) = busy("offline", version) else { return };
        let cri = c.clone();
        let over = format!("containerd {}", version.name());
        let container = ["podSandboxId", "metadata", "state", "createdAt", "labels", "annotations", "imageRef"];
        offline(&cri, &over, &loud, &container, &["repoTags", "repoDigests", "size", "pinned"], || c.kill());
        c.serve();
        c.end();
    }
}
