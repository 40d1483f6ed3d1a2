//! What a container may not do, looked at from inside it: seccomp profiles, user namespaces, the default confinement.
//! Through the whole engine, with the built-in runtime and with runc where that can do it.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use serde_json::{Value, json};

use crate::support::node::{IMAGE, Node};

/// Runs a script to its end in a pod of its own; its exit code and log. `security` is the container's, `pod` edits the
/// pod's configuration.
fn run(node: &Node, name: &str, script: &str, security: Value, pod: impl FnOnce(&mut Value)) -> (i64, String) {
    let pod_config = node.pod_config(name, pod);
    let config = node.container_config(name, script, |c| c["linux"]["security_context"] = security);
    let pod = node.ok(&["runp", &pod_config]);
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    let code = node.exit_code(&container);
    let log = node.ok(&["logs", &container]);
    node.ok(&["rmp", "-f", &pod]);
    (code, log)
}

const STATUS: &str =
    "grep -E '^(Seccomp|NoNewPrivs|CapInh|CapEff|CapBnd):' /proc/self/status | busybox tr -s '\\t' ' '";

#[test]
fn run_20_the_default_confinement_is_there_for_the_first_process_and_for_the_next() {
    let Some(node) = Node::with_registry("default") else { return };
    node.ok(&["pull", IMAGE]);
    let masked = [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ];
    let readonly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
    let security = json!({ "seccomp": { "profile_type": 0 }, "no_new_privs": true,
        "masked_paths": masked, "readonly_paths": readonly });
    let read = masked
        .map(|p| {
            format!(
                "[ -z \"$(busybox head -c 1 {p} 2>/dev/null; ls {p} 2>/dev/null | grep -v {p})\" ] || echo readable {p}"
            )
        })
        .join("\n");
    let write = readonly.map(|p| format!("[ -e {p} ] && touch {p}/x 2>/dev/null && echo writable {p}")).join("\n");
    let script = format!("{STATUS}\n{read}\n{write}\nbusybox unshare -r true 2>/dev/null && echo unshared\nsleep 1000");
    let pod_config = node.pod_config("default", |_| ());
    let config = node.container_config("default", &script, |c| c["linux"]["security_context"] = security);
    let container = node.ok(&["run", "--no-pull", &config, &pod_config]);
    let exec = node.ok(&["exec", "-s", &container, "/bin/sh", "-c", STATUS]);
    // containerd's fourteen capabilities.
    let expected =
        "CapInh: 0000000000000000\nCapEff: 00000000a80425fb\nCapBnd: 00000000a80425fb\nNoNewPrivs: 1\nSeccomp: 2";
    assert_eq!(exec, expected);
    assert_eq!(node.ok(&["logs", &container]), expected);
    node.end();
}

#[test]
fn a_seccomp_profile_from_a_file_decides_and_a_bad_one_starts_nothing() {
    let Some(node) = Node::with_registry("profile") else { return };
    node.ok(&["pull", IMAGE]);
    let profile = node.dir.join("profile.json");
    let rule = json!({ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95 });
    fs::write(&profile, json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule] }).to_string()).unwrap();
    let script = "mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status";
    let security = json!({ "seccomp": { "profile_type": 2, "localhost_ref": profile } });
    let mut handlers = vec![""];
    handlers.extend(crate::support::program("profile", "runc").map(|_| "runc"));
    for handler in handlers {
        let name = format!("profile{handler}");
        let pod_config = node.pod_config(&name, |_| ());
        let config = node.container_config(&name, script, |c| c["linux"]["security_context"] = security.clone());
        let pod = node.ok(&["runp", "-r", handler, &pod_config]);
        let container = node.ok(&["create", &pod, &config, &pod_config]);
        node.ok(&["start", &container]);
        node.exit_code(&container);
        let log = node.ok(&["logs", &container]);
        assert!(log.contains("Operation not supported") && log.ends_with("\t2"), "{handler:?}: {log}");
    }
    let (_, log) = run(&node, "free", script, json!({ "seccomp": { "profile_type": 1 } }), |_| ());
    assert_eq!(log, "Seccomp:\t0");
    // Without no_new_privs, as another user: loading takes a right that the process does not keep.
    let user = json!({ "seccomp": { "profile_type": 0 }, "run_as_user": { "value": 1000 } });
    let (code, log) = run(&node, "user", &format!("{STATUS}; id -u"), user, |_| ());
    assert_eq!(code, 0);
    assert!(log.contains("CapEff: 0000000000000000") && log.contains("Seccomp: 2") && log.ends_with("1000"), "{log}");

    let pod_config = node.pod_config("bad", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    for (text, complaint) in [
        ("{}", "not an OCI seccomp profile"),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["nonesuch"],"action":"SCMP_ACT_KILL"}]}"#,
            "nonesuch",
        ),
        (r#"{"defaultAction":"SCMP_ACT_NOTIFY"}"#, "notifications"),
    ] {
        fs::write(&profile, text).unwrap();
        let config = node.container_config("bad", script, |c| c["linux"]["security_context"] = security.clone());
        let said = node.fails(&["create", &pod, &config, &pod_config]);
        assert!(said.contains(complaint), "{said}");
    }
    let config = node.container_config("none", script, |c| {
        c["linux"]["security_context"] = json!({ "seccomp": { "profile_type": 2, "localhost_ref": "/no/such/file" } });
    });
    assert!(node.fails(&["create", &pod, &config, &pod_config]).contains("/no/such/file"));
    node.end();
}

#[test]
fn an_image_is_a_volume_of_another_container() {
    let Some(node) = Node::with_registry("volume") else { return };
    node.ok(&["pull", IMAGE]);
    let data = node.dir.join("volume");
    fs::create_dir_all(data.join("deep")).unwrap();
    fs::write(data.join("deep/file"), "cargo\n").unwrap();
    let registry = node.registry.as_ref().unwrap();
    registry.push("test/data", "1", &[crate::support::registry::layer(&data)], None);
    let image = "127.0.0.1:5000/test/data:1";
    node.ok(&["pull", image]);
    let mount = |to: &str, sub: &str| json!({ "container_path": to, "image": { "image": image }, "readonly": true, "image_sub_path": sub });
    for (name, security) in [("plain", json!({})), ("mapped", users())] {
        let pod_config = node.pod_config(name, |p| p["linux"]["security_context"] = security.clone());
        let script =
            "cat /all/deep/file /part/file; busybox stat -c %u /all/deep/file; touch /all/x 2>/dev/null || echo ro";
        let config = node.container_config(name, script, |c| {
            c["linux"]["security_context"] = security.clone();
            c["mounts"] = json!([mount("/all", ""), mount("/part", "deep")]);
        });
        let container = node.ok(&["run", "--no-pull", &config, &pod_config]);
        assert_eq!(node.exit_code(&container), 0);
        assert_eq!(node.ok(&["logs", &container]), "cargo\ncargo\n0\nro", "{name}");
    }
    let pod_config = node.pod_config("bad", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    for (sub, complaint) in [("../deep", "sub path"), ("none", "not in the image")] {
        let config = node.container_config("bad", "true", |c| c["mounts"] = json!([mount("/x", sub)]));
        assert!(node.fails(&["create", &pod, &config, &pod_config]).contains(complaint), "{sub}");
    }
    let unknown = node.container_config("cdi", "true", |c| c["CDI_devices"] = json!([{ "name": "no.such/thing=0" }]));
    assert!(node.fails(&["create", &pod, &unknown, &pod_config]).contains("no.such/thing=0"));
    node.end();
}

/// The security context of a pod with users of its own, and of its containers.
pub fn users() -> Value {
    let map = json!([{ "container_id": 0, "host_id": 200_000, "length": 65536 }]);
    json!({ "namespace_options": { "userns_options": { "mode": 0, "uids": map, "gids": map } } })
}

#[test]
fn a_pod_has_a_user_namespace_of_its_own() {
    let Some(mut node) = Node::with_registry("users") else { return };
    node.ok(&["pull", IMAGE]);
    let info = node.json(&["info"]);
    assert_eq!(info["config"]["containerd"]["runtimes"]["wharf"]["features"]["userNamespaces"], true, "{info}");
    let data = node.dir.join("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("old"), "cargo").unwrap();
    let map = json!([{ "container_id": 0, "host_id": 200_000, "length": 65536 }]);
    let script = "set -e; cat /proc/self/uid_map | busybox tr -s ' '; busybox stat -c '%u %n' /bin/busybox /etc/hosts /data/old /dev/shm /tmp /
touch /made /data/new; busybox stat -c '%u %n' /made /data/new
busybox chown 33:33 /data/new; mount -t tmpfs t /tmp; echo mounted; busybox head -c 1 /dev/zero | busybox wc -c; echo x > /dev/null
echo by-path > /dev/stdout; busybox ifconfig lo >/dev/null; cat /proc/sys/net/ipv4/ip_forward; hostname; sleep 1000";
    let pod_config = node.pod_config("users", |p| {
        p["linux"]["security_context"] = users();
        p["linux"]["sysctls"] = json!({ "net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1" });
    });
    let config = node.container_config("users", script, |c| {
        c["linux"]["security_context"] = users();
        c["linux"]["security_context"]["capabilities"] = json!({ "add_capabilities": ["SYS_ADMIN"] });
        c["mounts"] = json!([{ "container_path": "/data", "host_path": data, "uidMappings": map, "gidMappings": map }]);
    });
    let container = node.ok(&["run", "--no-pull", &config, &pod_config]);
    let expected = " 0 200000 65536\n0 /bin/busybox\n0 /etc/hosts\n0 /data/old\n0 /dev/shm\n0 /tmp\n0 /\n0 /made\n0 /data/new\nmounted\n1\nby-path\n1\nusers";
    node.until(&format!("the log {:?}", node.ok(&["logs", &container])), || node.ok(&["logs", &container]) == expected);
    // On the host: the process is nobody's, the volume's files are as if there were no namespace.
    let pid = node.json(&["inspect", &container])["info"]["pid"].as_u64().unwrap();
    assert_eq!(fs::metadata(format!("/proc/{pid}")).unwrap().uid(), 200_000);
    assert_eq!(fs::metadata(data.join("new")).unwrap().uid(), 33);
    let link = |of: &str| fs::read_link(Path::new(of)).unwrap();
    assert_ne!(link(&format!("/proc/{pid}/ns/user")), link("/proc/self/ns/user"));
    let exec = node.ok(&[
        "exec",
        "-s",
        &container,
        "/bin/sh",
        "-c",
        "id -u; cat /proc/self/uid_map | busybox tr -s ' '; echo out > /dev/stdout; touch /by-exec && echo ok",
    ]);
    assert_eq!(exec, "0\n 0 200000 65536\nout\nok");
    // A second container, by another user, after the engine was gone.
    node.kill_engine();
    node.serve();
    let pod = node.ok(&["pods", "-q"]);
    let second = node.container_config("second", "id -u; echo said > /dev/stdout; touch /dev/shm/mine", |c| {
        c["linux"]["security_context"] = users();
        c["linux"]["security_context"]["run_as_user"] = json!({ "value": 1000 });
    });
    let second = node.ok(&["create", &pod, &second, &pod_config]);
    node.ok(&["start", &second]);
    assert_eq!((node.exit_code(&second), node.ok(&["logs", &second]).as_str()), (0, "1000\nsaid"));
    // What cannot be is refused before anything is made.
    let other = node.pod_config("other", |p| {
        p["linux"]["security_context"] = users();
        p["linux"]["security_context"]["namespace_options"]["network"] = json!(2);
    });
    assert!(node.fails(&["runp", &other]).contains("network namespace"));
    let privileged = node.container_config("privileged", "true", |c| {
        c["linux"]["security_context"] = json!({ "privileged": true });
    });
    assert!(node.fails(&["create", &pod, &privileged, &pod_config]).contains("privileged"));
    node.end();
}
