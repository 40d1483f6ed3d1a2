//! `wharf cp` on real containers, with user namespaces and without, and with what a container may put in its way.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    process::{Command, Output, Stdio},
};

use serde_json::json;

use crate::support::node::{IMAGE, Node};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[track_caller]
fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    said(&output)
}

#[track_caller]
fn fails(mut command: Command, why: &str) {
    let output = command.output().unwrap();
    assert!(!output.status.success() && said(&output).contains(why), "{why}: {}", said(&output));
}

#[test]
fn files_go_in_and_out_by_their_owners() {
    let Some(node) = Node::with_registry("copies") else { return };
    node.ok(&["pull", IMAGE]);
    let script = "mkdir -p /data/deep; echo cargo > /data/file; busybox chown 33:44 /data/file; chmod 640 /data/file; ln -s /etc/passwd /data/link; sleep 1000";
    let users = json!({ "namespace_options": { "userns_options": {
        "mode": 0, "uids": [{ "container_id": 0, "host_id": 200_000, "length": 65536 }],
        "gids": [{ "container_id": 0, "host_id": 200_000, "length": 65536 }] } } });
    let (plain, _) = node.running("plain", script, |_| ());
    let pod = node.pod_config("shifted", |p| p["linux"]["security_context"] = users.clone());
    let config = node.container_config("shifted", script, |c| c["linux"]["security_context"] = users.clone());
    let shifted = node.ok(&["run", "--no-pull", &config, &pod]);
    let here = node.dir.join("here");
    fs::create_dir_all(here.join("tree/sub")).unwrap();
    fs::write(here.join("mine"), "of this machine").unwrap();
    fs::write(here.join("tree/sub/run"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(here.join("tree/sub/run"), fs::Permissions::from_mode(0o750)).unwrap();
    std::os::unix::fs::chown(here.join("tree/sub/run"), Some(1000), Some(1001)).unwrap();
    symlink("sub/run", here.join("tree/link")).unwrap();
    let at = |name: &str| here.join(name).to_str().unwrap().to_owned();
    let cp = |from: &str, to: &str| node.wharf(&["cp", from, to]);
    for (name, id) in [("plain", &plain), ("shifted", &shifted)] {
        let sh = |script: &str| node.ok(&["exec", "-s", id, "/bin/sh", "-c", script]);
        node.until("the container's files", || sh("[ -L /data/link ] && echo there || true") == "there");
        let out = at(&format!("out-{name}"));
        assert!(done(cp(&format!("{id}:/data"), &out)).contains("copied 2 files, 6 bytes"));
        let meta = fs::metadata(format!("{out}/file")).unwrap();
        assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (33, 44, 0o640), "{name}: as the container sees it");
        let seen = sh("busybox stat -c %Y /data/file");
        assert_eq!(meta.mtime().to_string(), seen);
        assert_eq!(fs::read_link(format!("{out}/link")).unwrap().to_str(), Some("/etc/passwd"));
        // In: a file under a new name, a tree into a directory, with the numbers that it has.
        done(cp(&at("mine"), &format!("{id}:/data/named")));
        done(cp(&at("tree"), &format!("{id}:/data/")));
        let stat = "cd /data; busybox stat -c '%n %u %g %a %F' named tree tree/sub/run tree/link; cat named";
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        assert_eq!(
            sh(stat),
            format!(
                "named {uid} {gid} 644 regular file\ntree {uid} {gid} 755 directory\ntree/sub/run 1000 1001 750 regular file\ntree/link {uid} {gid} 777 symbolic link\nof this machine"
            ),
            "{name}"
        );
        // Through a pipe, as kubectl and docker have it.
        let archive = cp(&format!("{id}:/data"), "-").output().unwrap();
        assert!(archive.status.success(), "{}", said(&archive));
        let list = Command::new("tar").args(["-tvf", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut list = list.unwrap();
        list.stdin.take().unwrap().write_all(&archive.stdout).unwrap();
        let list = String::from_utf8(list.wait_with_output().unwrap().stdout).unwrap();
        assert!(list.contains("-rw-r----- 33/44 ") || list.contains("-rw-r----- www-data/"), "{list}");
        assert!(list.contains("data/tree/sub/run") && list.contains("data/link -> /etc/passwd"), "{list}");
        let mut into = cp("-", &format!("{id}:/tmp")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        into.stdin.take().unwrap().write_all(&archive.stdout).unwrap();
        assert!(into.wait().unwrap().success());
        assert_eq!(sh("busybox stat -c '%u %g %a' /tmp/data/file; cat /tmp/data/named"), "33 44 640\nof this machine");
        assert_eq!(sh("ls -a /data | grep wharf-copy || true"), "");
    }
    // An owner that its namespace does not have.
    std::os::unix::fs::chown(here.join("mine"), Some(1_000_000), None).unwrap();
    assert!(done(cp(&at("mine"), &format!("{shifted}:/data/other"))).contains("1 have the container's root"));
    assert_eq!(node.ok(&["exec", "-s", &shifted, "/bin/sh", "-c", "busybox stat -c '%u' /data/other"]), "0");
    node.end();
}

#[test]
fn what_a_container_puts_in_the_way_leads_nowhere() {
    let Some(node) = Node::with_registry("copies-hostile") else { return };
    node.ok(&["pull", IMAGE]);
    let here = node.dir.join("here");
    fs::create_dir(&here).unwrap();
    fs::write(node.dir.join("secret"), "of the node").unwrap();
    let dir = node.dir.display();
    let script = format!(
        "mkdir /data; ln -s {dir}/secret /data/file; ln -s /proc/1/root{dir}/secret /data/magic; ln -s ../../../../..{dir} /data/up; busybox mkfifo /pipe; mkdir /mixed; echo x > /mixed/a; busybox mkfifo /mixed/b; touch /ready; sleep 1000"
    );
    let (id, _) = node.running("hostile", &script, |_| ());
    node.until("its files", || {
        node.ok(&["exec", "-s", &id, "/bin/sh", "-c", "[ -e /ready ] && echo yes || true"]) == "yes"
    });
    let cp = |from: &str, to: &str| node.wharf(&["cp", from, to]);
    let at = |name: &str| here.join(name).to_str().unwrap().to_owned();
    for path in ["/data/file", "/data/magic", "/data/up/secret", "../../../../data/file"] {
        fails(cp(&format!("{id}:{path}"), &at("got")), "cp: ");
        assert!(fs::read_dir(&here).unwrap().next().is_none(), "{path}");
    }
    fails(cp(&format!("{id}:/pipe"), &at("got")), "is a fifo");
    fails(cp(&format!("{id}:/dev/null"), &at("got")), "is a device");
    fails(cp(&format!("{id}:/mixed"), &at("got")), "is a fifo");
    assert!(fs::read_dir(&here).unwrap().next().is_none(), "nothing half done");
    // A file over a link replaces the link; a path through a link is a path in the container.
    fs::write(here.join("mine"), "mine").unwrap();
    done(cp(&at("mine"), &format!("{id}:/data/file")));
    fails(cp(&at("mine"), &format!("{id}:/data/up/secret")), "in the container");
    assert_eq!(fs::read_to_string(node.dir.join("secret")).unwrap(), "of the node");
    assert_eq!(node.ok(&["exec", "-s", &id, "/bin/cat", "/data/file"]), "mine");
    // Called off by a signal: what is half done is put away first.
    node.ok(&["exec", "-s", &id, "/bin/sh", "-c", "busybox truncate -s 64G /large"]);
    let mut large =
        cp(&format!("{id}:/large"), &at("large")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let names =
        || fs::read_dir(&here).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>();
    node.until("a copy that is half done", || names().iter().any(|n| n.starts_with(".wharf-copy-")));
    let pid = rustix::process::Pid::from_raw(large.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(large.wait().unwrap().code(), Some(130));
    assert_eq!(names(), ["mine"]);
    // Refused: in read-only mode, in what does not run, and what means nothing.
    fails(node.wharf(&["--read-only", "cp", &at("mine"), &format!("{id}:/x")]), "read-only");
    done(node.wharf(&["--read-only", "cp", &format!("{id}:/data/file"), &at("copy")]));
    fails(cp(&at("mine"), &at("other")), "none of both is CONTAINER:PATH");
    let other = format!("{id}:/y");
    fails(cp(&format!("{id}:/x"), &other), "both are in containers");
    node.ok(&["stop", "-t", "0", &id]);
    fails(cp(&format!("{id}:/data/file"), &at("late")), "does not run");
    node.end();
}
