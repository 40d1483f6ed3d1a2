//! Who may read what: secrets that pass through the engine, modes of its files, users that are not root (threats SEC-02, SEC-05,
//! SEC-06, SEC-07).

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{
    self,
    node::{IMAGE, Node},
};

/// A password that must be nowhere.
const CANARY: &str = "c4n4ry-of-the-registry";

#[test]
fn sec_02_sec_05_a_password_is_in_no_file_no_core_and_no_childs_arguments() {
    if support::program("sec_05", "strace").is_none() {
        return;
    }
    let Some(mut node) = Node::with_registry("password") else { return };
    let (calls, said) = (node.dir.join("calls"), node.dir.join("strace"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-v", "-s", "65536", "-e", "trace=execve", "-p", &node.engine().to_string(), "-o"]).arg(&calls);
    let mut strace = strace.stderr(fs::File::create(&said).unwrap()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fs::read_to_string(&said).unwrap().contains("attached") {
        assert!(Instant::now() < deadline, "strace: {}", fs::read_to_string(&said).unwrap());
        std::thread::sleep(Duration::from_millis(10));
    }
    // The registry asks for none; the engine has it all the same.
    node.ok(&["pull", "--creds", &format!("admiral:{CANARY}"), IMAGE]);
    let (container, _) = node.running("c", "exec sleep 1000", |_| ());
    node.ok(&["exec", "-s", &container, "echo", "seen"]);
    rustix::process::kill_process(rustix::process::Pid::from_child(&strace), rustix::process::Signal::INT).unwrap();
    strace.wait().unwrap();
    let traced = fs::read_to_string(&calls).unwrap();
    assert!(traced.contains("wharf-unpack"), "the extractor was not seen: {traced}");
    assert!(!traced.contains(CANARY), "{traced}");

    // It dies as if it had a bug, where a core file may be written.
    let unlimited = Command::new("prlimit").args(["--core=unlimited", "--pid", &node.engine().to_string()]).status();
    assert!(unlimited.unwrap().success());
    let dumpable = Path::new("/proc").join(node.engine().to_string());
    assert_eq!(fs::metadata(dumpable.join("environ")).unwrap().uid(), 0);
    let engine = rustix::process::Pid::from_raw(node.engine().cast_signed()).unwrap();
    let here = fs::read_link(dumpable.join("cwd")).unwrap();
    let cores = |directory: &Path| {
        let names = fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap_or_default());
        names.filter(|name| name.starts_with("core")).count()
    };
    let before = cores(&here);
    rustix::process::kill_process(engine, rustix::process::Signal::ABORT).unwrap();
    node.kill_engine();
    assert_eq!(cores(&here), before, "there is a core file in {}", here.display());
    let mut grep = Command::new("grep");
    grep.args(["-rl", CANARY]).args(["lib", "run", "log"].map(|place| node.dir.join(place)));
    assert_eq!(String::from_utf8(grep.output().unwrap().stdout).unwrap(), "", "the password was written");
    node.serve();
    node.end();
}

fn below(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        into.push(path.clone());
        // What images hold is theirs.
        if path.is_dir() && !path.is_symlink() && !path.ends_with("fs") && !path.ends_with("rootfs") {
            below(&path, into);
        }
    }
}

#[test]
fn sec_06_files_and_sockets_have_their_modes_under_any_umask() {
    let Some(mut node) = Node::with_registry("umask") else { return };
    let lib = node.dir.join("lib");
    for (turn, umask) in ["0000", "0022", "0077", "0777"].into_iter().enumerate() {
        node.stop();
        if turn < 2 {
            fs::remove_dir_all(&lib).unwrap();
        } else {
            // Of one who meant well.
            for name in ["lib", "run", "lib/content", "lib/snapshots", "run/pods"] {
                fs::set_permissions(node.dir.join(name), fs::Permissions::from_mode(0o777)).unwrap();
            }
        }
        node.umask = Some(umask);
        node.serve();
        node.ok(&["pull", IMAGE]);
        let (container, pod) = node.running("c", "echo logged; exec sleep 1000", |_| ());
        node.until("the log", || node.ok(&["logs", &container]).contains("logged"));
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&lib), mode(&node.dir.join("run"))), (0o700, 0o711), "umask {umask}");
        assert_eq!(mode(&node.dir.join("wharf.sock")), 0o600, "umask {umask}");
        for entry in fs::read_dir(&lib).unwrap() {
            let path = entry.unwrap().path();
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), wanted, "umask {umask}: {}", path.display());
        }
        let blobs: Vec<PathBuf> =
            fs::read_dir(lib.join("content/blobs/sha256")).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(blobs.len() > 1 && blobs.iter().all(|blob| mode(blob) == 0o400), "umask {umask}");
        let mut state = Vec::new();
        below(&node.dir.join("run/pods").join(&pod), &mut state);
        assert_eq!(mode(&node.dir.join("run/pods").join(&pod)), 0o700, "umask {umask}");
        let sockets: Vec<&PathBuf> =
            state.iter().filter(|p| fs::symlink_metadata(p).unwrap().file_type().is_socket()).collect();
        assert!(!sockets.is_empty());
        for socket in sockets {
            assert_eq!(mode(socket.parent().unwrap()), 0o700, "umask {umask}: {}", socket.display());
        }
        let log = node.dir.join("logs/c/c.log");
        assert_eq!(mode(&log), 0o640, "umask {umask}: the log");
        // What a container's own users must be able to read.
        let shown =
            node.ok(&["exec", "-s", &container, "ls", "-ln", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]);
        assert!(shown.lines().all(|l| l.starts_with("-rw-r--r--")), "umask {umask}: {shown}");
        node.ok(&["rmp", "-f", &pod]);
        node.ok(&["rmi", "--all"]);
        fs::remove_file(log).unwrap();
    }
    node.end();
}

#[test]
fn sec_07_who_is_not_root_is_told_and_changes_nothing() {
    let Some(node) = Node::with_registry("other-user") else { return };
    node.ok(&["pull", IMAGE]);
    // Where they may execute it.
    let program = node.dir.join("wharf");
    fs::copy(support::WHARF, &program).unwrap();
    let before = node.ok(&["images", "-q"]);
    let socket = node.socket();
    let home = node.dir.join("home");
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(1000), Some(1000)).unwrap();
    let as_user = |arguments: &[&str]| {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", node.netns.display())).args(["-S", "1000", "-G", "1000", "--"]).arg(&program);
        command.args(["-r", &socket]).args(arguments).env_clear().env("HOME", &home).env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        command
    };
    for arguments in
        [&["pods"][..], &["images"], &["rmi", "--all"], &["prune", "--yes"], &["pull", IMAGE], &["version"]]
    {
        let done = as_user(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(1), "{arguments:?}: {:?} {text}", done.status);
        assert!(text.contains("Permission denied") && text.contains("root"), "{arguments:?}: {text}");
        assert!(text.lines().filter(|l| l.starts_with("wharf: ")).count() == 1 && !text.contains("panicked"), "{text}");
    }
    if let Some(app) = support::tmux::Tmux::start("other-user", (100, 30), &as_user(&[])) {
        assert!(app.exit_code() != 0 && app.exit_code() != 101);
        app.end();
    }
    let embedded = as_user(&["--embedded", "pods"]).output().unwrap();
    assert!(!embedded.status.success() && !String::from_utf8_lossy(&embedded.stderr).contains("panicked"));
    assert_eq!(node.ok(&["images", "-q"]), before);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "something was written");
    fs::remove_file(&program).unwrap();
    node.end();
}
