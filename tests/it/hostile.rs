//! What an image and a pod's configuration try so that something of the host becomes theirs, looked at from inside the
//! container and from the host: threats of section RUN that take the whole engine.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use wharf::client::types::ExecRequest;

use super::requests::handlers;
use crate::support::{
    node::{IMAGE, Node},
    registry::layer,
};

const HOSTILE: &str = "127.0.0.1:5000/test/hostile:1";
const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";

/// A node with an image of a busybox that `change` has had its way with.
fn node(test: &str, config: &Value, change: impl FnOnce(&Node, &Path)) -> Option<Node> {
    let node = Node::with_registry(test)?;
    let root = node.dir.join("hostile");
    assert!(crate::support::busybox_root(test, &root));
    change(&node, &root);
    node.registry.as_ref().unwrap().push_with("test/hostile", "1", &[&layer(&root)], config, None);
    node.ok(&["pull", HOSTILE]);
    node.ok(&["pull", IMAGE]);
    Some(node)
}

fn usual() -> Value {
    json!({ "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"] })
}

/// A container of the image that runs, and its pod.
fn running(node: &Node, handler: &str, name: &str, script: &str, change: impl FnOnce(&mut Value)) -> (String, String) {
    let pod_config = node.pod_config(&format!("{name}{handler}"), |_| ());
    let pod = node.ok(&["runp", "-r", handler, &pod_config]);
    let config = node.container_config(&format!("{name}{handler}"), script, |c| {
        c["image"]["image"] = HOSTILE.into();
        change(c);
    });
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    (container, pod)
}

fn pid(node: &Node, container: &str) -> u32 {
    u32::try_from(node.json(&["inspect", container])["info"]["pid"].as_u64().unwrap()).unwrap()
}

/// The descriptors of a process: their numbers, and whether the next program would get them too.
fn descriptors(pid: u32) -> Vec<(u32, bool)> {
    let mut found: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().unwrap();
            let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok()?;
            let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).unwrap().trim();
            let flags = i32::from_str_radix(flags, 8).unwrap();
            Some((number, flags & libc::O_CLOEXEC == 0))
        })
        .collect();
    found.sort();
    found
}

/// The process whose command line this is.
fn process(line: &[&str]) -> Option<u32> {
    let wanted: Vec<u8> = line.iter().flat_map(|w| [w.as_bytes(), b"\0"].concat()).collect();
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|l| l == wanted))
}

fn children(of: u32) -> Vec<u32> {
    let parent = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|l| l.strip_prefix("PPid:").is_some_and(|p| p.trim() == of.to_string()))
    };
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    pids.filter(parent).collect()
}

#[test]
fn run_01_no_program_of_ours_can_be_reached_to_be_overwritten() {
    let Some(node) = node("overwrite", &usual(), |_, _| ()) else { return };
    let (container, _) = running(&node, "", "c", "busybox readlink /proc/self/exe; sleep 1000", |_| ());
    node.until("the log", || node.ok(&["logs", &container]) == "/bin/busybox");
    let program = "exec 3>/proc/1/exe; echo written; cat /proc/self/exe > /tmp/x";
    let said = node.ok(&["exec", "-s", &container, "/bin/sh", "-c", &format!("({program}) 2>/dev/null; echo done")]);
    assert!(!said.contains("written"), "{said}");
    for _ in 0..20 {
        // What is run is the container's to choose, but never wharf's own program.
        let failed = node.fails(&["exec", "-s", &container, "/proc/self/exe"]);
        assert!(failed.contains("/proc/self/exe"), "{failed}");
    }
    node.end();
}

#[test]
fn run_02_no_descriptor_leaks_into_a_container() {
    let Some(node) = node("descriptors", &usual(), |_, _| ()) else { return };
    let numbers = |pid| descriptors(pid).into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    for handler in handlers("descriptors") {
        for tty in [false, true] {
            let first = ["sleep", if tty { "62001" } else { "62002" }];
            let (container, pod) = running(&node, handler, if tty { "tty" } else { "pipes" }, "", |c| {
                c["command"] = json!(first);
                (c["tty"], c["stdin"]) = (tty.into(), true.into());
            });
            node.until("its program", || process(&first) == Some(pid(&node, &container)));
            assert_eq!(numbers(pid(&node, &container)), [0, 1, 2], "{handler:?} {tty}");
            let second = ["sleep", if tty { "62003" } else { "62004" }];
            let command = second.map(str::to_owned).to_vec();
            node.with_client(async |client| {
                let request = ExecRequest { container: container.clone(), command, tty, stdin: true };
                let session = client.exec_over(&request, None).await.unwrap();
                node.until("its start", || process(&second).is_some());
                assert_eq!(numbers(process(&second).unwrap()), [0, 1, 2], "{handler:?} {tty}: exec");
                drop(session);
            });
            // The fourth is the directory that ls reads.
            let inside = node.ok(&["exec", "-s", &container, "ls", "/proc/self/fd"]);
            assert_eq!(inside, "0\n1\n2\n3", "{handler:?} {tty}");
            let info = node.json(&["inspectp", &pod])["info"].take();
            let [shim, pause] = ["shimPid", "pid"].map(|what| u32::try_from(info[what].as_u64().unwrap()).unwrap());
            assert_eq!(numbers(pause), [0_u32; 0], "the pause process needs none");
            // Nor would whatever they run get any of them.
            let seed = children(node.engine());
            assert!(!seed.is_empty());
            for ours in [shim, node.engine()].into_iter().chain(seed) {
                let open: Vec<_> = descriptors(ours).into_iter().filter(|(n, kept)| *n > 2 && *kept).collect();
                assert!(open.is_empty(), "{handler:?}: process {ours} passes on {open:?}");
            }
            node.ok(&["rmp", "-f", &pod]);
        }
    }
    node.end();
}

#[test]
fn run_05_links_in_place_of_devices_and_masked_paths_reach_nothing() {
    let made = node("devices", &usual(), |_, root| {
        for name in ["null", "console", "ptmx", "tty"] {
            symlink(CORE_PATTERN, root.join("dev").join(name)).unwrap();
        }
        symlink("/etc", root.join("dev/pts")).unwrap();
    });
    let Some(node) = made else { return };
    let pattern = fs::read_to_string(CORE_PATTERN).unwrap();
    let masked = json!(["/proc/cpuinfo", "/proc/keys", "/sys/firmware"]);
    let script = "echo x > /dev/null; echo x > /dev/console; busybox stat -c '%n %F' /dev/null /dev/console; head -c 1 /proc/cpuinfo; echo done; sleep 1000";
    for handler in handlers("devices") {
        let (container, pod) = running(&node, handler, "links", script, |c| {
            c["tty"] = true.into();
            c["linux"]["security_context"] = json!({ "masked_paths": masked, "readonly_paths": ["/proc/sys"] });
        });
        let expected = "x\n/dev/null character special file\n/dev/console character special file\ndone";
        let log = || node.ok(&["logs", &container]).replace('\r', "");
        node.until(&format!("the log {:?}", log()), || log() == expected);
        // A container can change where it seems that terminals are made: the next is made in its devpts all the same. runc
        // makes none then.
        if handler.is_empty() {
            node.ok(&["exec", "-s", &container, "sh", "-c", "busybox rm /dev/ptmx; busybox mkfifo /dev/ptmx"]);
            let command = ["tty"].map(str::to_owned).to_vec();
            let said = node.with_client(async |client| {
                let request = ExecRequest { container: container.clone(), command, tty: true, stdin: true };
                let mut session = client.exec_over(&request, None).await.unwrap();
                let mut said = Vec::new();
                while let Ok(wharf::client::Output::Stdout(bytes)) = session.recv().await {
                    said.extend(bytes);
                }
                String::from_utf8(said).unwrap()
            });
            assert!(said.starts_with("/dev/pts/"), "{handler:?}: {said:?}");
        }
        node.ok(&["rmp", "-f", &pod]);
        assert_eq!(fs::read_to_string(CORE_PATTERN).unwrap(), pattern, "{handler:?}");
    }
    // A volume in place of /dev, which another container could change meanwhile (CVE-2025-31133, CVE-2025-52565). Of runc
    // that takes a version without the hole, which not every machine has.
    let volume = node.dir.join("volume");
    fs::create_dir(&volume).unwrap();
    for name in ["null", "console", "ptmx"] {
        symlink(CORE_PATTERN, volume.join(name)).unwrap();
    }
    let pod_config = node.pod_config("volume", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let create = |tty: bool| {
        let config = node.container_config("volume", "head -c 1 /proc/cpuinfo; echo x > /dev/null; echo done", |c| {
            c["tty"] = tty.into();
            c["linux"]["security_context"] = json!({ "masked_paths": masked, "readonly_paths": ["/proc/sys"] });
            c["mounts"] = json!([{ "container_path": "/dev", "host_path": volume }]);
        });
        node.crictl(&["create", &pod, &config, &pod_config])
    };
    let container = String::from_utf8(create(false).stdout).unwrap().trim().to_owned();
    node.ok(&["start", &container]);
    assert_eq!(node.exit_code(&container), 0);
    // What masks is not the container's.
    assert_eq!(node.ok(&["logs", &container]), "done");
    node.ok(&["rm", &container]);
    let refused = String::from_utf8(create(true).stderr).unwrap();
    assert!(refused.contains("/dev/pts/ptmx"), "{refused}");
    for name in ["null", "console", "ptmx"] {
        assert_eq!(fs::read_link(volume.join(name)).unwrap(), Path::new(CORE_PATTERN));
    }
    assert_eq!(fs::read_to_string(CORE_PATTERN).unwrap(), pattern);
    // /dev itself is a link (CVE-2026-41579): what is made there is made in the image, or nothing is.
    let canary = node.dir.join("canary");
    fs::create_dir(&canary).unwrap();
    let root = node.dir.join("linked");
    assert!(crate::support::busybox_root("devices", &root));
    fs::remove_dir(root.join("dev")).unwrap();
    let registry = node.registry.as_ref().unwrap();
    for (tag, target) in [("host", canary.as_path()), ("none", Path::new("/x")), ("up", Path::new("../../../x"))] {
        symlink(target, root.join("dev")).unwrap();
        registry.push_with("test/linked", tag, &[&layer(&root)], &usual(), None);
        fs::remove_file(root.join("dev")).unwrap();
        let image = format!("127.0.0.1:5000/test/linked:{tag}");
        node.ok(&["pull", &image]);
        let config = node.container_config("linked", "echo x > /dev/null", |c| c["image"]["image"] = image.into());
        let refused = node.fails(&["create", &pod, &config, &pod_config]);
        assert!(refused.contains("/dev"), "{target:?}: {refused}");
        assert_eq!(fs::read_dir(&canary).unwrap().count(), 0, "{target:?}");
        assert!(!Path::new("/x").exists());
    }
    node.end();
}

#[test]
fn run_12_nothing_is_inheritable_but_what_is_to_be_ambient() {
    let Some(node) = node("inheritable", &usual(), |_, _| ()) else { return };
    let status = "grep -E '^Cap(Inh|Eff|Amb):' /proc/self/status | busybox tr -s '\\t' ' '";
    // CAP_NET_ADMIN is 0x1000.
    let as_user = |capabilities: Value| json!({ "run_as_user": { "value": 1000 }, "capabilities": capabilities });
    let cases = [
        ("added", as_user(json!({ "add_capabilities": ["NET_ADMIN"] })), [0, 0, 0]),
        ("ambient", as_user(json!({ "add_ambient_capabilities": ["NET_ADMIN"] })), [0x1000; 3]),
        ("root", json!({ "capabilities": { "add_capabilities": ["NET_ADMIN"] } }), [0_u64, 0xa804_35fb, 0]),
    ];
    for handler in handlers("inheritable") {
        for (name, security, [inheritable, effective, ambient]) in &cases {
            let (container, pod) = running(&node, handler, name, &format!("{status}; sleep 1000"), |c| {
                c["linux"]["security_context"] = security.clone();
            });
            let expected = format!("CapInh: {inheritable:016x}\nCapEff: {effective:016x}\nCapAmb: {ambient:016x}");
            node.until("its log", || node.ok(&["logs", &container]).lines().count() == 3);
            assert_eq!(node.ok(&["logs", &container]), expected, "{handler:?} {name}");
            let exec = node.ok(&["exec", "-s", &container, "sh", "-c", status]);
            assert_eq!(exec, expected, "{handler:?} {name}: exec");
            node.ok(&["rmp", "-f", &pod]);
        }
    }
    node.end();
}

#[test]
fn run_14_annotations_are_no_orders_to_the_oci_runtime() {
    let Some(node) = node("annotations", &usual(), |_, _| ()) else { return };
    let orders = json!({ "org.systemd.property.ExecStart": "x", "run.oci.hooks.stderr": "/x",
        "run.oci.keep_original_groups": "1", "io.katacontainers.config.hypervisor.path": "/x", "mine": "x" });
    for handler in handlers("annotations") {
        let name = format!("annotations{handler}");
        let pod_config = node.pod_config(&name, |p| p["annotations"] = orders.clone());
        let pod = node.ok(&["runp", "-r", handler, &pod_config]);
        let config = node.container_config(&name, "sleep 1000", |c| c["annotations"] = orders.clone());
        let container = node.ok(&["create", &pod, &config, &pod_config]);
        node.ok(&["start", &container]);
        let seen = node.json(&["inspect", &container]);
        let document = fs::read_to_string(Path::new(seen["info"]["bundle"].as_str().unwrap()).join("config.json"));
        let document: Value = serde_json::from_str(&document.unwrap()).unwrap();
        let given: BTreeSet<&str> = document["annotations"].as_object().unwrap().keys().map(String::as_str).collect();
        assert!(given.iter().all(|name| name.starts_with("io.kubernetes.cri.")), "{handler:?}: {given:?}");
        // CRI gives back what it was given.
        assert_eq!(seen["status"]["annotations"], orders, "{handler:?}");
        assert_eq!(document["annotations"]["io.kubernetes.cri.sandbox-id"], pod.as_str());
        node.ok(&["rmp", "-f", &pod]);
    }
    node.end();
}

#[test]
fn run_15_labels_of_an_image_are_only_words() {
    let canary = "binary:///bin/canary-of-labels";
    let labels = json!({ "containerd.io/restart.status": "running", "containerd.io/restart.logpath": canary,
        "io.cri-containerd.kind": "sandbox", "io.kubernetes.cri.sandbox-id": "other", "wharf.by": canary,
        "large": format!("{canary}{}", "x".repeat(64 << 10)) });
    let config = json!({ "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"], "Labels": labels });
    let Some(node) = node("labels", &config, |_, _| ()) else { return };
    let (container, _) = running(&node, "", "c", "sleep 1000", |_| ());
    let seen = node.json(&["inspect", &container]);
    assert_eq!(seen["status"]["labels"], json!({}), "{seen}");
    assert!(!seen.to_string().contains("canary-of-labels"));
    assert_eq!(seen["info"]["sandboxID"], node.ok(&["pods", "-q"]).as_str());
    // Nothing of them is in the database, where somebody could one day act on it; the document they are in is a blob.
    for file in ["meta.db", "meta.db-wal"] {
        let bytes = fs::read(node.dir.join("lib").join(file)).unwrap_or_default();
        assert!(!bytes.windows(canary.len()).any(|w| w == canary.as_bytes()), "{file}");
    }
    node.end();
}

#[test]
fn run_17_links_in_place_of_files_that_are_written_stay_in_the_image() {
    let names = ["hosts", "hostname", "resolv.conf", "passwd", "group", "mtab"];
    let made = node("links", &usual(), |node, root| {
        let canary = node.dir.join("canary");
        fs::create_dir(&canary).unwrap();
        for (name, n) in names.iter().zip(0..) {
            let link = root.join("etc").join(name);
            drop(fs::remove_file(&link));
            fs::write(canary.join(name), "intruder:x:0:0::/:/bin/sh\n").unwrap();
            let up = PathBuf::from("../../../../../..").join(canary.strip_prefix("/").unwrap());
            symlink(if n % 2 == 0 { canary.join(name) } else { up.join(name) }, link).unwrap();
        }
    });
    let Some(node) = made else { return };
    let canary = node.dir.join("canary");
    let facts = || -> Vec<String> {
        let mut all: Vec<_> = fs::read_dir(&canary).unwrap().map(|e| e.unwrap().path()).collect();
        all.sort();
        let of = |p: &PathBuf| {
            let meta = fs::symlink_metadata(p).unwrap();
            format!("{p:?} {:?} {:?} {:?}", fs::read(p).unwrap(), meta.modified().unwrap(), meta.permissions())
        };
        all.iter().map(of).collect()
    };
    let before = facts();
    for handler in handlers("links") {
        let script = "cat /etc/hostname; grep -c localhost /etc/hosts; for f in hosts hostname resolv.conf mtab; do echo x >> /etc/$f; done; echo done; sleep 1000";
        let (container, pod) = running(&node, handler, "links", script, |_| ());
        node.until("its log", || node.ok(&["logs", &container]).contains("done"));
        let log = node.ok(&["logs", &container]);
        assert!(log.starts_with(&format!("links{handler}\n")), "{handler:?}: the pod's own files are there: {log}");
        // Users are looked up in the image, which has none.
        let pod_config = node.dir.join(format!("pod-links{handler}.json"));
        let config = node.container_config("intruder", "true", |c| {
            c["image"]["image"] = HOSTILE.into();
            c["linux"]["security_context"] = json!({ "run_as_username": "intruder" });
        });
        let refused = node.fails(&["create", &pod, &config, pod_config.to_str().unwrap()]);
        assert!(refused.contains("intruder"), "{refused}");
        node.ok(&["rmp", "-f", &pod]);
        assert_eq!(facts(), before, "{handler:?}");
    }
    node.end();
}

/// Sends bytes to a socket as nobody; what came back, or why it could not.
fn as_nobody(socket: &Path, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    std::thread::scope(|scope| {
        let work = || {
            let nobody = rustix::fs::Uid::from_raw(65534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody)?;
            let mut stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
            stream.write_all(bytes)?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        scope.spawn(work).join().unwrap()
    })
}

#[test]
fn run_19_no_socket_of_ours_can_be_reached_by_others() {
    let Some(node) = node("sockets", &usual(), |_, _| ()) else { return };
    let pod_config = node.pod_config("host", |p| {
        p["linux"]["security_context"] = json!({ "namespace_options": { "network": 2 } });
    });
    let pod = node.ok(&["runp", &pod_config]);
    let config = node.container_config("host", "sleep 1000", |c| {
        c["linux"]["security_context"] = json!({ "namespace_options": { "network": 2 } });
    });
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    let shim = node.json(&["inspectp", &pod])["info"]["shimPid"].as_u64().unwrap();
    let table = fs::read_to_string(format!("/proc/{}/net/unix", node.engine())).unwrap();
    let mut mine = 0;
    for process in [shim, node.engine().into()] {
        for entry in fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default().to_string_lossy().into_owned();
            let Some(inode) = target.strip_prefix("socket:[").and_then(|t| t.strip_suffix(']')) else { continue };
            let line = table.lines().find(|l| l.split_whitespace().nth(6) == Some(inode)).unwrap_or_default();
            assert!(!line.contains(" @"), "an abstract name, which everybody on the host's network reaches: {line}");
            mine += 1;
        }
    }
    assert!(mine > 2);
    // On the host's network the container sees their names, and nothing there.
    let listed = node.ok(&["exec", "-s", &container, "cat", "/proc/net/unix"]);
    let here = node.dir.to_string_lossy().into_owned();
    let paths: BTreeSet<&str> = listed.lines().filter_map(|l| l.split_whitespace().nth(7)).collect();
    // By the names they were bound to.
    let paths = || paths.iter().filter(|p| p.starts_with(&here) || p.starts_with("/proc/self/fd/"));
    assert!(paths().any(|p| p.contains("/wharf.")) && paths().any(|p| p.ends_with("/s")), "{listed}");
    for path in paths() {
        let failed = node.fails(&["exec", "-s", &container, "ls", path]);
        assert!(failed.contains("No such file"), "{path}: {failed}");
    }
    let directory = node.dir.join("run/pods").join(&pod).join("shim");
    let socket = directory.join("s");
    let hello = br#"{"Hello":{"version":1}}"#;
    let hello = [&u32::try_from(hello.len()).unwrap().to_le_bytes()[..], hello].concat();
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&socket), mode(&node.dir.join("wharf.sock"))), (0o700, 0o600, 0o600));
    for socket in [&socket, &node.dir.join("wharf.sock")] {
        let refused = as_nobody(socket, &hello).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied, "{}", socket.display());
    }
    // Even if somebody opened the way: only root is answered.
    let way: Vec<PathBuf> = socket.ancestors().take_while(|p| p.starts_with(&node.dir)).map(Path::to_owned).collect();
    let modes: Vec<u32> = way.iter().map(|p| mode(p)).collect();
    let set = |p: &Path, mode| fs::set_permissions(p, fs::Permissions::from_mode(mode)).unwrap();
    way.iter().for_each(|p| set(p, 0o777));
    let answer = as_nobody(&socket, &hello);
    way.iter().zip(modes).for_each(|(p, mode)| set(p, mode));
    assert!(answer.as_ref().is_ok_and(Vec::is_empty) || answer.is_err(), "{answer:?}");
    assert_eq!(node.json(&["inspect", &container])["status"]["state"], "CONTAINER_RUNNING");
    node.end();
}
