//! Incidents of a node that are no failure of its runtime's: the packet filter, an image that lost its content, a network that
//! cannot be torn down, thresholds that were dropped.

use std::{os::unix::fs::PermissionsExt, path::Path};

use crate::support::{
    self,
    containerd::{Containerd, IMAGE},
};

const NETWORK: &str = r#"{"cniVersion":"0.4.0","name":"pods","plugins":[{"type":"TYPE"}]}"#;

fn done(command: &mut std::process::Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_host_that_drops_what_pods_forward_is_named() {
    let Some(node) = Containerd::start("firewall") else { return };
    let Some(iptables) = support::program("firewall", "iptables") else { return };
    let rule = |words: &str| done(support::in_netns(&node.netns, &iptables).args(words.split(' ')));
    done(support::in_netns(&node.netns, Path::new("sysctl")).args(["-qw", "net.ipv4.ip_forward=1"]));
    rule("-P FORWARD DROP");
    let step = |verdict: &str, words: &[&str]| {
        let report = node.report("incidents", &[]);
        assert_eq!(report.verdict("incident-firewall"), verdict, "{:#}", report.value);
        for word in words {
            assert!(report.step("incident-firewall").to_string().contains(word), "{word}: {:#}", report.value);
        }
        report.step("incident-firewall")["finding"]["cause"].as_str().unwrap_or_default().to_owned()
    };
    // Without a pod network there is nobody yet to be let through.
    assert_eq!(step("warn", &["no pod network yet"]), "");
    node.write("cni/10-pods.conflist", &NETWORK.replace("TYPE", "bridge"));
    assert_eq!(step("fail", &["the pods of pods", "FORWARD DROP, 0 rules"]), "forward-dropped");
    rule("-N DOCKER-USER");
    rule("-A FORWARD -j DOCKER-USER");
    assert_eq!(step("fail", &["Docker sets this policy"]), "forward-dropped");
    rule("-A FORWARD -s 10.88.0.0/16 -j ACCEPT");
    assert_eq!(step("pass", &["-A FORWARD -s 10.88.0.0/16 -j ACCEPT"]), "");
    rule("-F FORWARD");
    rule("-P FORWARD ACCEPT");
    assert_eq!(step("pass", &[]), "");
}

/// The control group its pods are in; two tests share it, and the last takes it away.
const GROUP: &str = "wharf-doctor-pods";

/// The pods of a test go with it, passed or not.
struct Pods<'a>(&'a Containerd);

impl Drop for Pods<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0.dir.join("broken"));
        let _ = self.0.crictl(&["rmp", "-fa"]);
        // One for each controller of cgroup v1.
        for at in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            let _ = std::fs::remove_dir(at.path().join(GROUP));
        }
        let _ = std::fs::remove_dir(Path::new("/sys/fs/cgroup").join(GROUP));
    }
}

/// A pod, on the host's network or its own.
fn pod(node: &Containerd, name: &str, network: bool) -> std::process::Output {
    let network = if network { 0 } else { 2 };
    let text = format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"default","uid":"{name}","attempt":0}},"linux":{{"cgroup_parent":"/{GROUP}","security_context":{{"namespace_options":{{"network":{network}}}}}}}}}"#
    );
    node.crictl(&["runp", &node.write("pod.json", &text)])
}

#[test]
fn an_image_that_lost_its_content_is_named_and_pulled_again() {
    let Some(node) = Containerd::start("content") else { return };
    let Some(program) = support::program("content", "ctr") else { return };
    assert!(node.crictl(&["pull", IMAGE]).status.success());
    let socket = node.dir.join("c.sock");
    let ctr = |words: &[&str]| {
        let mut command = std::process::Command::new(&program);
        let output = command.arg("-a").arg(&socket).args(["-n", "k8s.io"]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    // Its configuration, by its manifest.
    let images = ctr(&["images", "ls"]);
    let row = images.lines().find(|l| l.starts_with(IMAGE)).unwrap_or_else(|| panic!("{images}"));
    let manifest = row.split_whitespace().find(|w| w.starts_with("sha256:")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&ctr(&["content", "get", manifest])).unwrap();
    let digest = manifest["config"]["digest"].as_str().unwrap().to_owned();
    ctr(&["content", "rm", &digest]);
    assert_eq!(node.report("incidents", &[]).verdict("incident-content"), "pass");
    let _pods = Pods(&node);
    let failed = pod(&node, "half", false);
    assert!(!failed.status.success());
    let words = String::from_utf8_lossy(&failed.stderr).into_owned();
    let report = node.report("incidents", &[]);
    assert_eq!(report.step("incident-content")["finding"]["cause"], "image-incomplete", "{words}\n{:#}", report.value);
    assert!(
        report.step("incident-content")["finding"]["summary"].to_string().contains(&digest[..19]),
        "{:#}",
        report.value
    );
    let (code, text, errors) = node.run(&["incidents", "--fix", "--yes"]);
    assert!(errors.contains("proved by the same check: incident-content"), "{code}: {text}{errors}");
    assert!(ctr(&["content", "ls"]).contains(&digest), "it is there again");
    let made = pod(&node, "whole", false);
    let words = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(!words.contains("content digest"), "{words}");
}

#[test]
fn a_network_that_is_not_torn_down_is_named_while_the_pod_is_there() {
    let Some(mut node) = Containerd::start("teardown") else { return };
    let broken = node.dir.join("broken");
    let plugin = node.write(
        "bin/wharf-test",
        &format!(
            "#!/bin/sh\ncat > /dev/null\ncase $CNI_COMMAND in\n\
             VERSION) echo '{{\"cniVersion\":\"0.4.0\",\"supportedVersions\":[\"0.4.0\"]}}';;\n\
             ADD) echo '{{\"cniVersion\":\"0.4.0\",\"interfaces\":[{{\"name\":\"eth0\",\"sandbox\":\"'$CNI_NETNS'\"}}],\"ips\":[{{\"version\":\"4\",\"address\":\"10.88.0.2/24\",\"interface\":0}}]}}';;\n\
             DEL) if [ -e {} ]; then echo '{{\"code\":999,\"msg\":\"the agent is not there\"}}'; exit 1; fi;;\nesac\n",
            broken.display()
        ),
    );
    std::fs::set_permissions(&plugin, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::copy("/usr/lib/cni/loopback", node.dir.join("bin/loopback")).unwrap();
    node.write("cni/10-pods.conflist", &NETWORK.replace("TYPE", "wharf-test"));
    let text = node.settings("").replace("/usr/lib/cni", &node.dir.join("bin").display().to_string());
    std::fs::write(node.config(), text).unwrap();
    node.restart();
    let _pods = Pods(&node);
    let made = pod(&node, "stays", true);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let id = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    std::fs::write(&broken, "").unwrap();
    // The first try may fail before it comes to the network: containerd takes the end of the pause process for a fault.
    support::containerd::until("the plugin's refusal", || {
        let refused = node.crictl(&["stopp", &id]);
        assert!(!refused.status.success());
        String::from_utf8_lossy(&refused.stderr).contains("the agent is not there")
    });
    let report = node.report("incidents", &[]);
    let finding = &report.step("incident-terminating")["finding"];
    let log = std::fs::read_to_string(node.dir.join("log")).unwrap();
    let inventory = String::from_utf8_lossy(&node.crictl(&["pods"]).stdout).into_owned();
    assert_eq!(finding["cause"], "network-not-torn-down", "{finding:#}\n{inventory}\n{log}");
    assert!(finding.to_string().contains("the agent is not there"), "{finding:#}");
    std::fs::remove_file(&broken).unwrap();
    assert!(node.crictl(&["rmp", "-f", &id]).status.success());
    let report = node.report("incidents", &[]);
    assert_eq!(report.verdict("incident-terminating"), "pass", "{:#}", report.value);
}

#[test]
fn the_first_file_of_the_network_counts_even_if_it_is_broken() {
    let Some(mut node) = Containerd::start("broken-net") else { return };
    node.write("cni/10-pods.conflist", &NETWORK.replace("TYPE", "bridge"));
    node.write("cni/00-old.conflist", "{");
    node.restart();
    let finding = |node: &Containerd| node.report("incidents", &[]).step("incident-network")["finding"].clone();
    let found = finding(&node);
    assert_eq!(found["cause"], "cni-config-broken", "{found:#}");
    assert!(found["summary"].to_string().contains("cni/00-old.conflist is the first file"), "{found:#}");
    std::fs::rename(node.dir.join("cni/00-old.conflist"), node.dir.join("cni/00-old.disabled")).unwrap();
    support::containerd::until("the network", || finding(&node)["verdict"] == "pass");
    // Whoever gives its addresses is a plugin too.
    let ipam = NETWORK.replace("\"TYPE\"", "\"bridge\",\"ipam\":{\"type\":\"wharf-ipam\"}");
    node.write("cni/10-pods.conflist", &ipam);
    let found = finding(&node);
    assert!(found["cause"] == "cni-plugin-missing" && found.to_string().contains("wharf-ipam"), "{found:#}");
}

/// A node whose pods have a pause process that stays, and the image of containers.
fn with_pods(test: &str) -> Option<Containerd> {
    let mut node = Containerd::start(test)?;
    let layer = support::registry::layer(&node.dir.join("image"));
    let config = serde_json::json!({ "Cmd": ["/bin/sleep", "100000"], "Env": ["PATH=/bin"] });
    node.registry.as_ref().unwrap().push_with("test/pause", "1", &[&layer], &config, None);
    let text = node
        .settings("")
        .replace(&format!("sandbox_image = \"{IMAGE}\""), "sandbox_image = \"127.0.0.1:5000/test/pause:1\"");
    std::fs::write(node.config(), text).unwrap();
    node.restart();
    assert!(node.crictl(&["pull", IMAGE]).status.success());
    Some(node)
}

/// A container in a pod of its own that runs a shell script; its id.
fn container(node: &Containerd, name: &str, script: &str) -> String {
    limited(node, name, script, 0)
}

/// The same with so many bytes of memory at most, unless that is 0.
fn limited(node: &Containerd, name: &str, script: &str, memory: u64) -> String {
    let made = pod(node, name, false);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let pod = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    let config = serde_json::json!({ "metadata": { "name": name, "attempt": 0 }, "image": { "image": IMAGE },
        "command": ["/bin/sh", "-c", script], "linux": { "resources": { "memory_limit_in_bytes": memory } } });
    let file = node.write("container.json", &config.to_string());
    let created = node.crictl(&["create", &pod, &file, &node.dir.join("pod.json").to_string_lossy()]);
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    let id = String::from_utf8_lossy(&created.stdout).trim().to_owned();
    let started = node.crictl(&["start", &id]);
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    id
}

#[test]
fn what_a_container_is_out_of_is_named_with_the_container() {
    let Some(node) = with_pods("out-of") else { return };
    let _pods = Pods(&node);
    let finding = |check: &str| node.report("incidents", &[]).step(check)["finding"].clone();
    // 0 to 9: none is left. A sibling with room must not be named.
    container(&node, "roomy", "exec sleep 1000");
    let files = container(
        &node,
        "files",
        "ulimit -Sn 10; for n in 3 4 5 6 7 8 9; do eval \"exec $n< /dev/null\"; done; exec sleep 1000",
    );
    support::containerd::until("its files", || finding("incident-files")["cause"] == "container-files-exhausted");
    let found = finding("incident-files");
    assert!(found["summary"].to_string().contains(&format!("files ({})", &files[..13])), "{found:#}");
    assert!(found.to_string().contains("10 of 10 open files") && !found.to_string().contains("roomy"), "{found:#}");
    // A process that is not the container's first.
    let parent = container(
        &node,
        "parent",
        "sh -c 'for n in $(seq 25); do /bin/true & done; exec sleep 1000' & exec sleep 1000",
    );
    support::containerd::until("its zombies", || finding("incident-zombies")["cause"] == "children-not-reaped");
    let found = finding("incident-zombies");
    assert!(found["summary"].to_string().contains(&parent[..13]), "{found:#}");
}

/// What the kernel kills is always real; what containerd makes of it depends on who was killed, and Kubernetes shows less still.
#[test]
fn d4_a_kill_for_memory_that_nobody_shows_or_that_is_shown_wrongly_is_told() {
    let Some(node) = with_pods("oom") else { return };
    let _pods = Pods(&node);
    let step = || node.report("incidents", &[]).step("incident-memory")["finding"].clone();
    // Twice what there is.
    const HOG: &str = "dd if=/dev/zero of=/dev/null bs=64M count=1";
    let run = |name: &str, script: &str| limited(&node, name, script, 32 << 20);
    let status = |id: &str| {
        let output = node.crictl(&["inspect", id]);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["status"].clone()
    };
    let ended = |id: &str| support::containerd::until("its end", || status(id)["state"] == "CONTAINER_EXITED");
    let remove = |id: &str| assert!(node.crictl(&["rm", "-f", id]).status.success());

    // The first process: Kubernetes says OOMKilled, and is right, if containerd heard of the kill before the end.
    let mut tries = 0..5;
    let seen = loop {
        let name = format!("first-{}", tries.next().expect("containerd never heard first of the kill"));
        let first = run(&name, &format!("exec {HOG}"));
        ended(&first);
        let (status, seen) = (status(&first), step());
        assert_eq!(status["exitCode"], 137);
        remove(&first);
        if status["reason"] == "OOMKilled" {
            break seen;
        }
    };
    assert_eq!(seen["verdict"], "pass", "{seen:#}");

    // A child, and then an end of another kind.
    let later = run("later", &format!("{HOG}; sleep 3; exit 3"));
    ended(&later);
    assert_eq!((&status(&later)["reason"], &status(&later)["exitCode"]), (&"OOMKilled".into(), &3.into()));
    let found = step();
    assert_eq!(found["verdict"], "warn", "{found:#}");
    assert!(found["summary"].to_string().contains("later is called OOMKilled and ended with 3"), "{found:#}");
    remove(&later);
    assert_eq!(step()["verdict"], "pass", "{:#}", step());

    // A child, and the container goes on.
    let goes_on = run("goes-on", &format!("{HOG}; exec sleep 1000"));
    support::containerd::until("the kill", || step()["verdict"] == "warn");
    assert_eq!(status(&goes_on)["state"], "CONTAINER_RUNNING");
    let found = step();
    assert!(found["summary"].to_string().contains("1 kills in containers that Kubernetes does not show"), "{found:#}");
    let text = found.to_string();
    assert!(text.contains("goes-on: ") && text.contains("CONSTRAINT_MEMCG") && text.contains(&goes_on), "{found:#}");
}

#[test]
fn thresholds_that_a_file_drops_are_told() {
    let Some(node) = Containerd::start("eviction") else { return };
    let with = |text: &str| {
        let file = node.write("kubelet.yaml", &format!("kind: KubeletConfiguration\n{text}"));
        let report = node.report("disk-full", &[&format!("kubelet-config={file}")]);
        (report.verdict("disk-eviction").to_owned(), report.step("disk-eviction").to_string())
    };
    let (verdict, text) = with("evictionHard:\n  memory.available: 100Mi\n");
    assert!(verdict == "warn" && text.contains("imagefs.available") && text.contains("kubelet.yaml line 2"), "{text}");
    assert_eq!(with("evictionHard:\n  memory.available: 100Mi\nmergeDefaultEvictionSettings: true\n").0, "pass");
    let all =
        "evictionHard: {memory.available: 1Gi, nodefs.available: 5%, nodefs.inodesFree: 5%, imagefs.available: 5%}\n";
    assert_eq!(with(all).0, "pass");
    assert_eq!(with("").0, "pass");
}
