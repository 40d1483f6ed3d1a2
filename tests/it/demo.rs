//! The app as an operator uses it: `wharf --demo` in a real terminal, every pane and key, and every way out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use wharf::engine::network::netns;

use crate::support::{self, WHARF, registry::Registry, tmux::Tmux};

/// A machine for demos: a network namespace and a temporary directory of its own, so that whatever a demo leaves there is
/// the demo's.
struct Place {
    netns: PathBuf,
    dir: PathBuf,
}

impl Place {
    fn new(test: &str) -> Option<Self> {
        if !support::root(test) {
            return None;
        }
        let dir = tempfile::Builder::new().prefix(&format!("wharf-{test}-")).tempdir().unwrap().keep();
        rustix::mount::mount("tmpfs", &dir, "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
        let netns = dir.join("netns");
        netns::create(&netns).unwrap();
        fs::create_dir(dir.join("tmp")).unwrap();
        Some(Self { netns, dir })
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    fn app(&self, test: &str, arguments: &str) -> Tmux {
        let mut command = support::in_netns(&self.netns, Path::new(WHARF));
        command.args(arguments.split(' ')).env("TMPDIR", self.temporary()).env("TERM", "screen-256color");
        Tmux::start(test, (80, 24), &command).expect("tmux")
    }

    /// The running demo's pid.
    fn pid(&self) -> Pid {
        let names = fs::read_dir(self.temporary()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let pids: Vec<i32> = names.filter_map(|n| n.strip_prefix("wharf-demo-")?.parse().ok()).collect();
        assert_eq!(pids.len(), 1, "one demo runs");
        Pid::from_raw(pids[0]).unwrap()
    }

    /// All that a demo could leave, of every kind that there is; empty before the first one.
    fn traces(&self) -> Vec<String> {
        let mut found = Vec::new();
        let here = self.temporary().to_string_lossy().into_owned();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        found.extend(mounts.lines().filter(|l| l.contains(&here)).map(|l| format!("mount {l}")));
        for entry in fs::read_dir(&here).unwrap() {
            found.push(format!("file {}", entry.unwrap().path().display()));
        }
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
            let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
            let groups = String::from_utf8_lossy(&read("cgroup")).into_owned();
            let ours = groups.contains("/wharf-demo-") || command.contains("--demo");
            // Of another test's demo, or of a person's: those have another directory.
            let environment = String::from_utf8_lossy(&read("environ")).into_owned();
            let tmux = String::from_utf8_lossy(&read("comm")).starts_with("tmux");
            if !tmux && (command.contains(&here) || (ours && environment.contains(&here))) {
                found.push(format!("process {} {command}", entry.file_name().display()));
            }
        }
        let links =
            netns::inside(&self.netns, || Ok(fs::read_to_string("/proc/thread-self/net/dev").unwrap())).unwrap();
        let names = links.lines().skip(2).filter_map(|l| l.split(':').next()).map(str::trim);
        found.extend(names.filter(|n| *n != "lo").map(|n| format!("link {n}")));
        found.extend(netns::inside(&self.netns, || Ok(tables())).unwrap().into_iter().map(|t| format!("nftables {t}")));
        found
    }

    /// Cgroups of the demo of that pid, in every hierarchy.
    fn cgroups(pid: Pid) -> Vec<PathBuf> {
        let name = format!("wharf-demo-{}", pid.as_raw_nonzero());
        let hierarchies = fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|e| e.path());
        let all = hierarchies.chain([PathBuf::from("/sys/fs/cgroup")]).map(|h| h.join(&name));
        all.filter(|p| p.exists()).collect()
    }

    #[track_caller]
    fn nothing_left(&self, pid: Pid, way: &str) {
        let begin = Instant::now();
        loop {
            let (traces, groups) = (self.traces(), Self::cgroups(pid));
            if traces.is_empty() && groups.is_empty() {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "{way} leaves {traces:#?} {groups:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// After an engine that was not a demo's: its directories are still there.
    fn end_all(self) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let here = self.dir.to_string_lossy().into_owned();
        let left: Vec<&str> = mounts.lines().filter(|l| l.contains(&here)).collect();
        assert_eq!(left.len(), 2, "mounts are left: {left:#?}");
        self.end();
    }

    fn end(self) {
        netns::delete(&self.netns).unwrap();
        rustix::mount::unmount(&self.dir, rustix::mount::UnmountFlags::empty()).unwrap();
        fs::remove_dir(&self.dir).unwrap();
    }
}

/// The names of the nftables tables of this thread's network namespace: NFT_MSG_GETTABLE, dumped
/// (include/uapi/linux/netfilter/nf_tables.h).
fn tables() -> Vec<String> {
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::NETFILTER),
    )
    .unwrap();
    let mut request = Vec::new();
    request.extend(20_u32.to_ne_bytes());
    request.extend(0x0A01_u16.to_ne_bytes());
    request.extend(0x0301_u16.to_ne_bytes());
    request.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    rustix::net::send(&socket, &request, SendFlags::empty()).unwrap();
    let (mut found, mut buffer) = (Vec::new(), [0_u8; 1 << 15]);
    loop {
        let (length, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty()).unwrap();
        let mut rest = &buffer[..length];
        while rest.len() >= 16 {
            let size = u32::from_ne_bytes(rest[..4].try_into().unwrap()) as usize;
            match u16::from_ne_bytes(rest[4..6].try_into().unwrap()) {
                // NLMSG_DONE, NLMSG_ERROR.
                2 | 3 => return found,
                // The header, nfgenmsg, and NFTA_TABLE_NAME comes first.
                _ => found.push(String::from_utf8_lossy(&rest[24..size]).chars().take_while(|c| *c != '\0').collect()),
            }
            rest = &rest[size.next_multiple_of(4).min(rest.len())..];
        }
    }
}

/// Goes to a pane and waits until it has all of these.
#[track_caller]
fn pane(app: &Tmux, key: &str, wanted: &[&str]) -> String {
    app.keys(&[key]);
    app.wait_until(&format!("{wanted:?} in pane {key}"), |s| wanted.iter().all(|w| s.contains(w)))
}

#[test]
fn every_pane_and_key_of_the_demo() {
    let Some(place) = Place::new("demo-keys") else { return };
    assert_eq!(place.traces(), Vec::<String>::new());
    let Some(registry) = Registry::start("demo-keys", &place.netns, &place.dir.join("registry"), None) else { return };
    let image = place.dir.join("image");
    fs::create_dir(&image).unwrap();
    fs::write(image.join("file"), vec![b'x'; 1 << 20]).unwrap();
    registry.push("test/small", "1", &[support::registry::layer(&image)], None);

    let app = place.app("demo-keys", "--demo");
    app.wait_for(" DEMO ");
    pane(&app, "2", &["web-5f7c9", "cache-0", "ledger-7d4b8", "payments-66b9f", "report-29384"]);
    let pid = place.pid();
    panes(&app);
    texts(&app);
    tables_move(&app);
    graphs(&app);
    why(&app);
    logs(&app);
    exec(&app);
    acts(&app);
    prunes(&app);
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    assert!(!app.alternate());
    place.nothing_left(pid, "q");
    app.end();
    drop(registry);
    place.end();
}

fn panes(app: &Tmux) {
    pane(app, "1", &["RuntimeReady", "5 ready of 5", "NetworkReady", "last fail"]);
    pane(app, "3", &["cache", "payments", "report", "traffic", "web", "Exited 3"]);
    pane(
        app,
        "4",
        &["shop/web:2.3", "shop/load:1.0", "billing/payments", "shop/cache", "jobs/report", "ml/old-model", "unused"],
    );
    app.keys(&["F"]);
    app.wait_until("the layers of the largest image with their files", |s| {
        s.contains("Files") && s.contains("Layer sha256:") && s.contains("files and directories") && s.contains("+ ")
    });
    app.keys(&["Escape"]);
    pane(app, "5", &["committed", "active", "96.0M"]);
    pane(app, "6", &["runtime", "cgroupfs", "pod shop/web-5f7c9", "/proc/"]);
    pane(app, "7", &["filesystem", "/tmp/", "layer of report", "jobs/report"]);
    pane(app, "8", &["payments", "started", "Exited 3"]);
    pane(app, "9", &["No log is open"]);
}

fn texts(app: &Tmux) {
    pane(app, "3", &["cache-0"]);
    app.keys(&["/", "cache-0", "Enter", "Enter"]);
    app.wait_for("Describe cache-0/cache");
    app.wait_for("CONTAINER_RUNNING");
    app.keys(&["Escape"]);
    app.keys(&["y"]);
    app.wait_for("YAML cache-0/cache");
    app.wait_for("image: demo.wharf.local/shop/cache:7.2");
    app.keys(&["Escape", "X"]);
    app.wait_for("Tree");
    app.wait_for("wharf-shim");
    app.keys(&["G"]);
    app.wait_for("processes");
    app.keys(&["Escape", "?"]);
    app.wait_for("Keys");
    app.keys(&["Escape", "Escape"]);
    app.wait_until("the filter is off", |s| s.contains("web-5f7c9") && !s.contains("Keys"));
}

/// A stranger's question, of a pod that waits and of one that ends again and again.
fn why(app: &Tmux) {
    pane(app, "2", &["ledger-7d4b8"]);
    app.keys(&["/", "ledger", "Enter", "!"]);
    app.wait_for("refuses the conne");
    app.keys(&["2", "Escape", "/", "payments", "Enter", "!"]);
    app.wait_for("ended by itself with exit code 3");
    app.wait_for("giving up");
    app.keys(&["Escape", "Escape"]);
}

/// What a container and its pod use, while it is looked at.
fn graphs(app: &Tmux) {
    pane(app, "3", &["web"]);
    app.keys(&["/", "web-5f7c9/web", "Enter", "m"]);
    crate::attached_app::graphs(app, "Graphs container web of pod shop/web-5f7c9", "CRI ContainerStats");
    app.keys(&["Escape", "Escape", "2", "/", "web-5f7c9", "Enter", "m"]);
    crate::attached_app::graphs(app, "Graphs pod shop/web-5f7c9", "CRI PodSandboxStats");
    app.keys(&["Escape", "Escape"]);
}

fn tables_move(app: &Tmux) {
    pane(app, "2", &["web-5f7c9"]);
    app.keys(&["/", "shop"]);
    app.wait_until("only shop's pods", |s| s.contains("cache-0") && !s.contains("ledger"));
    app.keys(&["Escape"]);
    app.wait_for("ledger");
    let first = |s: &str| s.lines().nth(4).unwrap_or_default().to_owned();
    // Who is in trouble stands first, until another order is asked for.
    app.wait_until("payments or cache first", |s| first(s).contains("payments") || first(s).contains("cache-0"));
    app.keys(&["o", "n"]);
    app.wait_until("by name: cache first", |s| first(s).contains("cache-0"));
    app.keys(&["r"]);
    app.wait_until("reversed: web first", |s| first(s).contains("web-5f7c9"));
    app.keys(&["r"]);
    app.wait_until("again: cache first", |s| first(s).contains("cache-0"));
}

fn logs(app: &Tmux) {
    pane(app, "3", &["traffic"]);
    app.keys(&["/", "traffic", "Enter", "l"]);
    let screen = app.wait_for("GET /");
    assert!(screen.contains("following"), "{screen}");
    let title = |s: &str| s.lines().nth(2).unwrap_or_default().to_owned();
    let before = title(&screen);
    app.wait_until("more lines come", |s| title(s) != before);
    app.keys(&["Escape", "Escape"]);
}

fn exec(app: &Tmux) {
    pane(app, "3", &["cache-0"]);
    app.keys(&["/", "web-5f7c9/web", "Enter", "e"]);
    app.wait_for("wharf demo shell");
    app.wait_for("has the keys");
    app.keys(&["hostname", "Enter"]);
    app.wait_until("the pod's name", |s| s.lines().any(|l| l.trim() == "web-5f7c9"));
    app.keys(&["exit", "Space", "6", "Enter"]);
    app.wait_for("ended with 6, any key closes");
    std::thread::sleep(Duration::from_millis(600));
    app.keys(&["Enter"]);
    app.wait_for("Running");
    // And on the whole terminal.
    app.keys(&["E"]);
    app.wait_for("wharf demo shell");
    assert!(!app.alternate(), "the app has stepped aside");
    app.keys(&["hostname", "Enter"]);
    app.wait_until("the pod's name", |s| s.lines().any(|l| l.trim() == "web-5f7c9"));
    app.keys(&["exit", "Space", "5", "Enter"]);
    app.wait_for("the shell ended with 5");
    assert!(app.alternate());
    app.keys(&["Escape"]);
    app.wait_for("cache-0");
}

fn acts(app: &Tmux) {
    app.keys(&[":", "pull 127.0.0.1:9/none/such:1", "Enter"]);
    app.wait_for("127.0.0.1:9/none/such:1 failed");
    app.wait_for("refused");
    app.keys(&["Escape", ":", "pull 127.0.0.1:5000/test/small:1", "Enter"]);
    app.wait_for("pulled 127.0.0.1:5000/test/small:1");
    app.keys(&["Escape"]);
    pane(app, "4", &["test/small:1"]);

    pane(app, "3", &["traffic"]);
    app.keys(&["/", "traffic", "Enter", "x"]);
    app.wait_for("Cancel");
    // Cancel has the focus, and a key right after the plan came up presses nothing.
    std::thread::sleep(Duration::from_millis(300));
    app.keys(&["Tab", "Enter"]);
    app.wait_for("done, 1 step");
    app.keys(&["Escape"]);
    app.wait_for("Exited");
    app.keys(&["Escape"]);
    pane(app, "2", &["ledger-7d4b8"]);
    app.keys(&["/", "ledger", "Enter", "C-d"]);
    app.wait_for("remove pod");
    std::thread::sleep(Duration::from_millis(300));
    app.keys(&["Y"]);
    app.wait_for("done, ");
    app.keys(&["Escape", "Escape"]);
    app.wait_until("the pod has gone", |s| s.contains("web-5f7c9") && !s.contains("ledger-7d4b8"));
}

fn prunes(app: &Tmux) {
    pane(app, "4", &["ml/old-model", "test/small:1"]);
    app.keys(&["p"]);
    app.wait_for("Cancel");
    app.keys(&["Escape"]);
    app.keys(&["P"]);
    let screen = app.wait_for("starts in");
    assert!(screen.contains("ml/old-model") && screen.contains("uses it"), "{screen}");
    app.keys(&["u"]);
    app.wait_for("called off, nothing done");
    app.wait_for("ml/old-model");
    app.keys(&["P"]);
    app.wait_for("starts in");
    std::thread::sleep(Duration::from_millis(300));
    let begin = Instant::now();
    app.keys(&["Enter"]);
    app.wait_until("done at once", |s| s.contains("done, ") || s.contains(" steps failed"));
    assert!(begin.elapsed() < Duration::from_secs(20));
    app.keys(&["Escape"]);
    let screen =
        app.wait_until("the unused images have gone", |s| !s.contains("old-model") && !s.contains("test/small"));
    assert!(screen.contains("shop/web:2.3"), "{screen}");
    // With its grace, and nothing pressed: it starts by itself, and not before five seconds.
    app.keys(&[":", "pull 127.0.0.1:5000/test/small:1", "Enter"]);
    app.wait_for("pulled 127.0.0.1:5000/test/small:1");
    app.keys(&["Escape", "P"]);
    app.wait_for("starts in 5 s");
    let begin = Instant::now();
    app.wait_until("it started by itself", |s| !s.contains("starts in") && s.contains("done, "));
    assert!(begin.elapsed() > Duration::from_secs(4), "{:?}", begin.elapsed());
    app.keys(&["Escape"]);
    app.wait_until("gone again", |s| !s.contains("test/small"));
}

#[test]
fn every_way_out_leaves_nothing() {
    let Some(place) = Place::new("demo-ways") else { return };
    for (way, code) in [("^C", 0), ("TERM", 143), ("INT", 130), ("QUIT", 131), ("early TERM", 143)] {
        let app = place.app("demo-ways", "--demo");
        app.wait_for(" DEMO ");
        let pid = place.pid();
        // Early: while images and pods are still being made.
        if way != "early TERM" {
            app.wait_for("payments-66b9f");
        }
        match way {
            "^C" => app.keys(&["C-c"]),
            "INT" => kill_process(pid, Signal::INT).unwrap(),
            "QUIT" => kill_process(pid, Signal::QUIT).unwrap(),
            _ => kill_process(pid, Signal::TERM).unwrap(),
        }
        assert_eq!(app.exit_code(), code, "{way}");
        assert!(!app.alternate(), "{way}");
        place.nothing_left(pid, way);
        app.end();
    }
    // The terminal goes away.
    let app = place.app("demo-ways", "--demo");
    app.wait_for("web-5f7c9");
    let pid = place.pid();
    app.end();
    place.nothing_left(pid, "closing the terminal");
    place.end();
}

#[test]
fn a_killed_demo_goes_on_and_the_next_one_removes_it() {
    let Some(place) = Place::new("demo-killed") else { return };
    let app = place.app("demo-killed", "--demo");
    app.wait_for("payments-66b9f");
    let killed = place.pid();
    let directory = place.temporary().join(format!("wharf-demo-{}", killed.as_raw_nonzero()));
    kill_process(killed, Signal::KILL).unwrap();
    assert_eq!(app.exit_code(), 137);
    drop(app);
    let log = || {
        let logs = fs::read_dir(directory.join("logs")).unwrap().flatten();
        let web = logs.map(|e| e.path()).find(|p| p.to_string_lossy().contains("web-5f7c9")).unwrap();
        fs::metadata(web.join("traffic/0.log")).map_or(0, |m| m.len())
    };
    let before = log();
    let begin = Instant::now();
    while log() == before {
        assert!(begin.elapsed() < Duration::from_secs(20), "its containers do not go on");
        std::thread::sleep(Duration::from_millis(100));
    }

    let app = place.app("demo-killed", "--demo");
    app.wait_for("payments-66b9f");
    let begin = Instant::now();
    while directory.exists() || !Place::cgroups(killed).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(30), "the killed demo is still there");
        std::thread::sleep(Duration::from_millis(100));
    }
    let pid = place.pid();
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    place.nothing_left(pid, "a demo after a killed one");
    app.end();
    place.end();
}

#[test]
fn two_demos_live_beside_each_other() {
    let Some(place) = Place::new("demo-two") else { return };
    let one = place.app("demo-two", "--demo");
    one.wait_for("payments-66b9f");
    let pid = place.pid();
    // A verb has a demo of its own, complete before it answers, and gone when it has.
    let verb = support::in_netns(&place.netns, Path::new(WHARF))
        .args(["--demo", "pods"])
        .env("TMPDIR", place.temporary())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&verb.stdout);
    assert!(verb.status.success() && text.contains("ledger-7d4b8"), "{text}{}", String::from_utf8_lossy(&verb.stderr));
    assert_eq!(place.pid(), pid);
    one.keys(&["q"]);
    assert_eq!(one.exit_code(), 0);
    drop(one);
    place.nothing_left(pid, "q");
    place.end();
}

/// A shell loop that numbers its lines, so that a missing one shows.
const COUNTING: &str = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.05; done";

#[test]
fn killed_while_a_container_runs_the_embedded_app_adopts_it() {
    let test = "embedded-killed";
    let Some(place) = Place::new(test) else { return };
    let Some(registry) = Registry::start(test, &place.netns, &place.dir.join("registry"), None) else { return };
    let image = place.dir.join("image");
    assert!(support::busybox_root(test, &image));
    registry.push("test/busybox", "1", &[support::registry::layer(&image)], None);
    let root = format!("--root {0}/lib --state {0}/run", place.dir.display());
    let verb = |arguments: &[&str]| {
        let mut command = support::in_netns(&place.netns, Path::new(WHARF));
        let output = command.arg("--embedded").args(root.split(' ')).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let logs = place.dir.join("logs");
    verb(&[
        "run",
        "--detach",
        "--log-root",
        logs.to_str().unwrap(),
        "127.0.0.1:5000/test/busybox:1",
        "--",
        "sh",
        "-c",
        COUNTING,
    ]);
    let id = verb(&["ps", "-q"]).trim().to_owned();
    let pid = || {
        let status: serde_json::Value = serde_json::from_str(&verb(&["inspect", &id])).unwrap();
        status.pointer("/info/pid").or(status.pointer("/0/info/pid")).and_then(serde_json::Value::as_u64).unwrap()
    };
    let before = pid();

    let app = place.app(test, &format!("--embedded {root}"));
    app.wait_for("EMBEDDED");
    app.keys(&["3"]);
    app.wait_for("Running");
    app.keys(&["l"]);
    app.wait_for("line ");
    let lock = fs::read_to_string(place.dir.join("lib/LOCK")).unwrap();
    kill_process(Pid::from_raw(lock.trim().parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    assert_eq!(app.exit_code(), 137);
    drop(app);
    std::thread::sleep(Duration::from_millis(500));

    let again = place.app(test, &format!("--embedded {root}"));
    again.wait_for("EMBEDDED");
    again.keys(&["3"]);
    again.wait_for("Running");
    again.keys(&["q"]);
    assert_eq!(again.exit_code(), 0);
    drop(again);
    assert_eq!(pid(), before, "the same process");
    let log = verb(&["logs", &id]);
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len() > 20, "{log}");
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(*line, format!("line {n}"), "the log has a gap");
    }
    let pods = verb(&["pods", "-q"]);
    verb(&["rmp", "-f", pods.trim()]);
    drop(registry);
    place.end_all();
}

#[test]
fn who_cannot_have_it_is_told_in_one_line() {
    let told = |command: &mut Command| {
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((text.lines().count(), output.stdout.len()), (1, 0), "{text}");
        (output.status.code(), text)
    };
    let mut plain = Command::new(WHARF);
    let (code, text) = told(plain.args(["--embedded", "--root", "/nowhere"]).stdin(std::process::Stdio::null()));
    assert!(code == Some(2) && text.contains("terminal") && text.contains("wharf ps"), "{code:?} {text}");
    if support::root("demo-told") {
        let Some(setpriv) = support::program("demo-told", "setpriv") else { return };
        let mut other = Command::new(setpriv);
        // The program may stand where only root can read it.
        let copy = tempfile::Builder::new().prefix("wharf-told-").tempdir_in("/tmp").unwrap();
        let program = copy.path().join("wharf");
        fs::copy(WHARF, &program).unwrap();
        std::os::unix::fs::chown(copy.path(), Some(65534), None).unwrap();
        let (code, text) = told(other.args(["--reuid=65534", "--clear-groups"]).arg(program).arg("--demo"));
        assert!(code == Some(1) && text.contains("sudo wharf --demo"), "{code:?} {text}");
    }
}

#[test]
fn tui_16_a_dumb_terminal_is_told_what_to_use() {
    for term in ["dumb", ""] {
        let mut command = Command::new(WHARF);
        command.arg("--embedded").env("TERM", term);
        let Some(app) = Tmux::start("tui-16", (80, 24), &command) else { return };
        assert_eq!(app.exit_code(), 2);
        app.wait_for("wharf ps");
    }
}
