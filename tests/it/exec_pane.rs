//! Shells and full-screen programs in the app's own terminals, on real containers: typed into, left, come back to, ended.

use std::{process::Command, time::Duration};

use crate::support::{
    self,
    attached_containerd::{Containerd, Version},
    node::{IMAGE, Node},
    tmux::Tmux,
};

const LEAVE: &str = "C-]";

/// Lines of the pane that a terminal has, without its title and what is around it.
fn inside(screen: &str) -> Vec<&str> {
    let lines: Vec<&str> = screen.lines().collect();
    lines[3..lines.len() - 1].to_vec()
}

/// A shell, vi and top in the container of the row, which is selected.
fn works(app: &Tmux) {
    app.keys(&["s"]);
    app.wait_until("a prompt, the app around it", |s| s.contains("/ #") && s.contains("has the keys"));
    assert!(app.alternate());
    app.text("echo $TERM $(stty size)\n");
    app.wait_for("screen-256color 20 80");
    // q and : are the shell's.
    app.text("echo q:$((6*7))q\n");
    app.wait_for("q:42q");
    app.text("vi /tmp/kept\n");
    app.wait_until("vi has the whole of it", |s| inside(s).iter().filter(|l| **l == "~").count() == 18);
    app.text("ihello from vi");
    app.keys(&["Escape"]);
    app.wait_for("hello from vi");
    // Left and come back to: it is as it was.
    app.keys(&[LEAVE]);
    app.wait_for("runs on");
    app.keys(&["3"]);
    app.wait_until("the containers", |s| s.contains("STATE") && !s.contains("hello from vi"));
    app.keys(&["T", "Enter"]);
    app.wait_for("has the keys");
    app.text("yyp:wq\n");
    app.wait_until("vi has ended", |s| inside(s).iter().all(|l| *l != "~"));
    app.text("cat /tmp/kept\n");
    app.wait_until("what vi has written", |s| s.matches("hello from vi").count() >= 2);
    // It is drawn anew at another size.
    app.text("top\n");
    app.wait_until("top", |s| s.contains("Mem:") && s.contains("PID"));
    app.resize(110, 33);
    app.wait_until("top at the new size", |s| s.lines().count() == 33 && s.contains("Mem:") && s.contains("COMMAND"));
    app.keys(&["q"]);
    app.text("clear; stty size\n");
    app.wait_until("the new size", |s| s.contains("29 110") && s.contains("has the keys"));
    app.text("exit 7\n");
    app.wait_for("ended with 7, any key closes");
    std::thread::sleep(Duration::from_millis(600));
    app.keys(&["Enter"]);
    app.wait_until("the containers", |s| s.contains("STATE") && s.contains("Running"));
    app.resize(80, 24);
}

#[test]
fn a_shell_and_what_runs_in_it_by_wharf_serve() {
    let test = "exec-pane";
    let Some(node) = Node::with_registry(test) else { return };
    node.ok(&["pull", IMAGE]);
    let (id, _) = node.running("web", "while :; do sleep 1; done", |_| ());
    let journal = node.dir.join("journal");
    let mut command = node.wharf(&[]);
    command.env("TERM", "screen-256color").env("LC_ALL", "C.UTF-8").env("WHARF_JOURNAL", &journal);
    let Some(app) = Tmux::start(test, (80, 24), &command) else { return };
    app.wait_for("web");
    app.keys(&["3"]);
    app.wait_for("Running");
    works(&app);
    // A flood is as much as the screen takes, and the app has its keys meanwhile.
    app.keys(&[":", "exec yes flooding", "Enter"]);
    app.wait_until("the flood", |s| s.matches("flooding").count() > 15);
    let begin = std::time::Instant::now();
    app.keys(&[LEAVE, "3"]);
    app.wait_until("the containers", |s| s.contains("STATE"));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    // Files, by the app's own keys.
    let here = node.dir.join("copied");
    std::fs::write(node.dir.join("mine"), "of this machine").unwrap();
    app.keys(&["w"]);
    app.wait_for(":get");
    app.text(&format!("/tmp/kept '{}'", here.display()));
    app.keys(&["Enter"]);
    node.until("the copy", || here.is_file());
    assert_eq!(std::fs::read_to_string(&here).unwrap(), "hello from vi\nhello from vi\n");
    app.keys(&["W"]);
    app.text(&format!("{} /tmp/", node.dir.join("mine").display()));
    app.keys(&["Enter"]);
    let arrived = || node.ok(&["exec", "-s", &id, "/bin/sh", "-c", "cat /tmp/mine || true"]);
    node.until("the copy inside", || arrived() == "of this machine");
    // What still runs is told before it ends with the app.
    let yes = || node.ok(&["exec", "-s", &id, "/bin/sh", "-c", "pidof yes || true"]);
    assert_ne!(yes(), "");
    app.keys(&["q"]);
    app.wait_for("a command runs in Exec");
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
    node.until("the end of what ran there", || yes().is_empty());
    let mut told = Command::new(support::WHARF);
    let told = told.arg("journal").env("WHARF_JOURNAL", &journal).output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.contains("open a shell in container")
            && told.contains("mine into")
            && told.contains(":/tmp/kept to")
            && told.contains("run yes flooding in container"),
        "{told}"
    );
    let Some(app) = Tmux::start(test, (80, 24), &node.wharf(&["--read-only"])) else { return };
    app.wait_for("web");
    app.keys(&["3", "s"]);
    app.wait_for("read-only: shell is not done");
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
    node.end();
}

#[test]
fn a_shell_and_what_runs_in_it_by_the_engine_in_the_app() {
    let test = "exec-pane-inside";
    let Some(mut node) = Node::with_registry(test) else { return };
    node.ok(&["pull", IMAGE]);
    node.running("web", "while :; do sleep 1; done", |_| ());
    // The same node, by the app itself.
    node.stop();
    let mut command = node.embedded();
    command.env("TERM", "screen-256color").env("LC_ALL", "C.UTF-8");
    let Some(app) = Tmux::start(test, (80, 24), &command) else { return };
    app.wait_for("EMBEDDED");
    app.keys(&["3"]);
    app.wait_for("Running");
    works(&app);
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
    node.serve();
    node.end();
}

/// An image with one program and nothing else: no shell, no tar, no /bin.
#[test]
fn a_container_without_a_shell_gets_the_nodes() {
    let test = "exec-pane-distroless";
    let Some(node) = Node::with_registry(test) else { return };
    let image = node.dir.join("only");
    std::fs::create_dir_all(image.join("srv")).unwrap();
    // busybox takes the name of an applet from its argument when it is called busybox-ANYTHING.
    std::fs::copy("/bin/busybox", image.join("srv/busybox-app")).unwrap();
    std::fs::write(image.join("srv/data"), "cargo of the image").unwrap();
    node.registry.as_ref().unwrap().push("test/only", "1", &[support::registry::layer(&image)], None);
    node.ok(&["pull", "127.0.0.1:5000/test/only:1"]);
    let users = |map: bool| {
        let ids = serde_json::json!([{ "container_id": 0, "host_id": 200_000, "length": 65536 }]);
        let users = serde_json::json!({ "userns_options": { "mode": 0, "uids": ids, "gids": ids } });
        if map { serde_json::json!({ "namespace_options": users }) } else { serde_json::json!({}) }
    };
    for (name, map) in [("bare", false), ("shifted", true)] {
        let pod = node.pod_config(name, |p| p["linux"]["security_context"] = users(map));
        let config = node.container_config(name, "", |c| {
            c["image"]["image"] = "127.0.0.1:5000/test/only:1".into();
            c["command"] = serde_json::json!(["/srv/busybox-app", "sleep", "1000"]);
            c["linux"]["security_context"] = users(map);
        });
        node.ok(&["run", "--no-pull", &config, &pod]);
    }
    let journal = node.dir.join("journal");
    let mut command = node.wharf(&[]);
    command.env("TERM", "screen-256color").env("LC_ALL", "C.UTF-8").env("WHARF_JOURNAL", &journal);
    let Some(app) = Tmux::start(test, (80, 24), &command) else { return };
    app.wait_for("bare");
    for name in ["bare", "shifted"] {
        app.keys(&["3", "Escape", "/"]);
        app.text(name);
        app.keys(&["Enter"]);
        app.wait_for("Containers 1/2");
        app.keys(&["s"]);
        app.wait_for("this is the node's busybox");
        app.wait_for("busybox / #");
        // Its files, processes, name and user are the container's; its programs the node's.
        app.text("cat /srv/data; echo; hostname; id -u; ps | grep -c busybox-app; stty size; echo $TERM\n");
        app.wait_until("what is inside", |s| {
            let has = |w: &str| inside(s).iter().any(|l| l.trim() == w);
            ["cargo of the image", name, "0", "20 80", "screen-256color"].iter().all(|w| has(w))
        });
        app.text("clear; ls /; echo bin:$(ls -d /bin 2>/dev/null):\n");
        app.wait_until("the image's root", |s| s.contains("srv") && s.lines().any(|l| l.trim() == "bin::"));
        app.text("clear; top\n");
        app.wait_until("top", |s| s.contains("Mem:") && s.contains("busybox-app"));
        app.keys(&["q"]);
        app.text("clear; exit 5\n");
        app.wait_for("ended with 5");
        std::thread::sleep(Duration::from_millis(600));
        app.keys(&["Enter"]);
        app.wait_for("Containers 1/2");
    }
    // Closed while something runs in it: nothing of it is left.
    app.keys(&["s"]);
    app.wait_for("busybox / #");
    app.text("sleep 987654\n");
    let tools = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let exe = |p: &std::fs::DirEntry| std::fs::read_link(p.path().join("exe")).ok();
        processes.filter(|p| exe(p).is_some_and(|e| e.to_string_lossy().contains("memfd:busybox"))).count()
    };
    node.until("the shell and what it runs", || tools() == 2);
    app.keys(&[LEAVE, "x"]);
    node.until("its end", || tools() == 0);
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
    let mut told = Command::new(support::WHARF);
    let told = told.arg("journal").env("WHARF_JOURNAL", &journal).output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("shell of the node's busybox in container"));
    node.end();
}

#[test]
fn a_shell_and_what_runs_in_it_by_containerd() {
    let test = "exec-pane-containerd";
    let Some(c) = Containerd::start(test, Version::Debian) else { return };
    c.ok(&["pull", &c.image]);
    let (_, id) = c.run("web", "web", "while :; do sleep 1; done");
    let mut command = c.wharf(&[]);
    command.env("LC_ALL", "C.UTF-8");
    let Some(app) = Tmux::start(test, (80, 24), &command) else { return };
    app.wait_for("ATTACHED");
    app.keys(&["3"]);
    app.wait_for("Running");
    works(&app);
    // What vi has written there comes out, and back in under another name.
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().join("kept");
    let copy = |from: String, to: String| assert!(c.wharf(&["cp", &from, &to]).output().unwrap().status.success());
    copy(format!("{id}:/tmp/kept"), here.display().to_string());
    assert_eq!(std::fs::read_to_string(&here).unwrap(), "hello from vi\nhello from vi\n");
    copy(here.display().to_string(), format!("{id}:/tmp/again"));
    assert_eq!(c.ok(&["exec", "-s", &id, "cat", "/tmp/again"]), "hello from vi\nhello from vi");
    // A program that is not there.
    app.keys(&[":", "exec none-such", "Enter"]);
    app.wait_for("not found");
    std::thread::sleep(Duration::from_millis(600));
    app.keys(&["Enter", "q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
    c.end();
}
