//! Pods on CNI networks through the whole engine: Debian's plugins, configuration that changes while the engine runs, STATUS
//! and GC by a script around a real plugin (Debian's are of CNI 1.0.0), handlers with networks of their own.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, path::Path, process::Command};

use serde_json::{Value, json};

use crate::support::{in_netns, node::Node, skip};

/// Where configuration is: the node's and that of the handler `apart`.
const DIRECTORIES: [&str; 2] = ["net.d", "apart.d"];

fn node(test: &str) -> Option<Node> {
    if !Path::new("/usr/lib/cni/bridge").exists() {
        skip(test, "it needs the CNI reference plugins in /usr/lib/cni");
        return None;
    }
    Node::start_with(test, |dir| {
        for name in DIRECTORIES.iter().chain(&["bin"]) {
            fs::create_dir(dir.join(name)).unwrap();
        }
        let d = dir.display();
        let config = format!(
            "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = ['{d}/bin', '/usr/lib/cni']\n\
             conf_dir = '{d}/net.d'\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'wharf'\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.wharf]\nruntime_type = 'io.wharf.builtin.v1'\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.apart]\nruntime_type = 'io.wharf.builtin.v1'\n\
             cni_conf_dir = '{d}/apart.d'\n"
        );
        fs::write(dir.join("config.toml"), config).unwrap();
        vec!["--config".to_owned(), format!("{d}/config.toml")]
    })
}

/// A bridge with addresses of `10.NET.0.0/24`.
fn bridge(node: &Node, kind: &str, net: u8) -> Value {
    let ipam = json!({ "type": "host-local", "dataDir": node.dir.join("ipam"),
        "ranges": [[{ "subnet": format!("10.{net}.0.0/24") }]] });
    json!({ "type": kind, "bridge": format!("it{net}"), "isGateway": true, "ipam": ipam })
}

fn conf(node: &Node, file: &str, version: &str, name: &str, plugins: &[Value]) {
    let list = json!({ "cniVersion": version, "name": name, "plugins": plugins });
    fs::write(node.dir.join(file), list.to_string()).unwrap();
}

/// A bridge of CNI 1.1.0: the real one, told of 1.0.0, with STATUS and GC that note what they are told in `told` and fail
/// while there is a file `down`.
fn wrapped(node: &Node) {
    let d = node.dir.display();
    let script = format!(
        "#!/bin/sh\ncase $CNI_COMMAND in\nSTATUS|GC)\n  echo \"$CNI_COMMAND $(cat)\" >> {d}/told\n  [ ! -e {d}/down ] && exit 0\n  \
         echo '{{\"cniVersion\":\"1.1.0\",\"code\":51,\"msg\":\"the fabric is down\"}}'; exit 1;;\nesac\n\
         sed 's/\"1.1.0\"/\"1.0.0\"/g; s/\"wrapped\"/\"bridge\"/' | /usr/lib/cni/bridge > {d}/answer.$$; code=$?\n\
         sed 's/\"1.0.0\"/\"1.1.0\"/g' {d}/answer.$$; rm {d}/answer.$$; exit $code\n"
    );
    let path = node.dir.join("bin/wrapped");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The pods' ids in what GC was told, call by call.
fn collected(node: &Node) -> Vec<Vec<String>> {
    let told = fs::read_to_string(node.dir.join("told")).unwrap_or_default();
    let calls = told.lines().filter_map(|l| l.strip_prefix("GC ")).map(|l| serde_json::from_str::<Value>(l).unwrap());
    let ids = |call: Value| {
        let valid = call["cni.dev/valid-attachments"].as_array().unwrap().clone();
        assert!(valid.iter().all(|a| a["ifname"] == "eth0"), "{call}");
        valid.iter().map(|a| a["containerID"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut calls: Vec<_> = calls.map(ids).collect();
    calls.iter_mut().for_each(|ids| ids.sort());
    calls
}

fn address(node: &Node, pod: &str) -> String {
    node.json(&["inspectp", pod])["status"]["network"]["ip"].as_str().unwrap().to_owned()
}

/// The NetworkReady condition: whether it holds, and its message.
fn ready(node: &Node) -> (bool, String) {
    let info = node.json(&["info"]);
    let conditions = info["status"]["conditions"].as_array().unwrap();
    let found = conditions.iter().find(|c| c["type"] == "NetworkReady").unwrap();
    (found["status"].as_bool().unwrap(), found["message"].as_str().unwrap_or_default().to_owned())
}

/// The host-local leases of a network, by address.
fn leases(node: &Node, network: &str) -> Vec<String> {
    let files = fs::read_dir(node.dir.join("ipam").join(network)).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        files.map(|e| e.file_name().into_string().unwrap()).filter(|n| n.starts_with("10.")).collect();
    names.sort();
    names
}

#[test]
fn configuration_counts_from_when_it_is_written_to_when_it_goes() {
    let Some(node) = node("reload") else { return };
    assert_eq!(node.json(&["info"])["cniconfig"]["network"], "built-in");
    let built_in = node.ok(&["runp", &node.pod_config("before", |_| ())]);
    let bandwidth = json!({ "type": "bandwidth", "capabilities": { "bandwidth": true } });
    let portmap = json!({ "type": "portmap", "capabilities": { "portMappings": true } });
    conf(&node, "net.d/10-a.conflist", "1.0.0", "first", &[bridge(&node, "bridge", 81), portmap, bandwidth]);
    let info = node.json(&["info"]);
    let network = &info["cniconfig"]["Networks"][1];
    assert_eq!((&network["Config"]["Name"], &network["IFName"]), (&json!("first"), &json!("eth0")), "{info}");
    assert_eq!(network["Config"]["Plugins"][0]["Network"]["type"], "bridge");
    assert_eq!((&info["lastCNILoadStatus"], &info["lastCNILoadStatus.wharf"]), (&json!("OK"), &json!("OK")));
    assert!(
        info["lastCNILoadStatus.apart"].as_str().unwrap().contains("no CNI configuration for handler apart"),
        "{info}"
    );
    let config = node.pod_config("first", |p| {
        p["annotations"] = json!({ "kubernetes.io/ingress-bandwidth": "8M" });
        p["port_mappings"] = json!([{ "protocol": 0, "container_port": 80, "host_port": 18_080 }]);
    });
    let first = node.ok(&["runp", &config]);
    assert!(address(&node, &first).starts_with("10.81.0."), "{}", address(&node, &first));
    let host = |program: &str, arguments: &[&str]| {
        let output = in_netns(&node.netns, Path::new(program)).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(host("tc", &["qdisc", "show"]).contains("rate 8Mbit"), "{}", host("tc", &["qdisc", "show"]));
    assert!(host("iptables-save", &["-t", "nat"]).contains("--dport 18080"));
    // Broken: nothing falls back to another network, and it is said where people look.
    fs::write(node.dir.join("net.d/10-a.conflist"), "{").unwrap();
    let (is, message) = ready(&node);
    assert!(!is && message.contains("10-a.conflist") && message.contains("not JSON"), "{message}");
    let info = node.json(&["info"]);
    assert!(info["lastCNILoadStatus"].as_str().unwrap().contains("not JSON"), "{info}");
    assert!(node.fails(&["runp", &node.pod_config("broken", |_| ())]).contains("10-a.conflist"));
    // Another one before it; the pod goes by what it came with.
    conf(&node, "net.d/05-b.conflist", "1.0.0", "second", &[bridge(&node, "bridge", 82)]);
    assert_eq!(ready(&node), (true, String::new()));
    let second = node.ok(&["runp", &node.pod_config("second", |_| ())]);
    assert!(address(&node, &second).starts_with("10.82.0."));
    assert_eq!((leases(&node, "first").len(), leases(&node, "second").len()), (1, 1));
    for pod in [&first, &second, &built_in] {
        node.ok(&["rmp", "-f", pod]);
    }
    assert_eq!((leases(&node, "first").len(), leases(&node, "second").len()), (0, 0));
    assert!(!host("tc", &["qdisc", "show"]).contains("rate 8Mbit"));
    assert!(!host("iptables-save", &["-t", "nat"]).contains("--dport 18080"));
    for file in ["05-b.conflist", "10-a.conflist"] {
        fs::remove_file(node.dir.join("net.d").join(file)).unwrap();
    }
    assert_eq!((node.json(&["info"])["cniconfig"]["network"].take(), ready(&node).0), (json!("built-in"), true));
    node.end();
}

#[test]
fn plugins_say_whether_they_are_ready_and_are_told_which_pods_there_are() {
    let Some(mut node) = node("status") else { return };
    wrapped(&node);
    conf(&node, "net.d/10.conflist", "1.1.0", "fabric", &[bridge(&node, "wrapped", 83)]);
    assert_eq!(ready(&node), (true, String::new()));
    fs::write(node.dir.join("down"), "").unwrap();
    node.until("the plugin's word", || !ready(&node).0);
    let expected = "CNI network fabric is not ready: CNI plugin wrapped (STATUS): the fabric is down (code 51)";
    assert_eq!(ready(&node).1, expected);
    assert_eq!(node.json(&["info"])["lastCNILoadStatus"], "OK", "it could be loaded");
    fs::remove_file(node.dir.join("down")).unwrap();
    node.until("the plugin's word", || ready(&node).0);
    let [a, b] = ["a", "b"].map(|name| node.ok(&["runp", &node.pod_config(name, |_| ())]));
    assert!(address(&node, &a).starts_with("10.83.0.") && address(&node, &b).starts_with("10.83.0."));
    // After a start they are told once, of those that are there.
    let before = collected(&node).len();
    node.kill_engine();
    node.serve();
    node.until("a collection", || collected(&node).len() > before);
    let mut both = vec![a.clone(), b.clone()];
    both.sort();
    assert_eq!(collected(&node)[before..], [both]);
    // Stopping a pod whose network is there is DEL's alone. One whose namespace has gone may leave more behind.
    node.ok(&["stopp", &a]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(collected(&node).len(), before + 1);
    let netns = node.json(&["inspectp", &b])["info"]["netns"].as_str().unwrap().to_owned();
    wharf::engine::network::netns::delete(Path::new(&netns)).unwrap();
    node.ok(&["stopp", &b]);
    node.until("a collection", || collected(&node).len() > before + 1);
    assert_eq!(collected(&node)[before + 1..], [Vec::<String>::new()]);
    assert!(leases(&node, "fabric").is_empty());
    // What fails is said, and nothing stops for it.
    fs::write(node.dir.join("down"), "").unwrap();
    node.kill_engine();
    node.serve();
    node.until("a word of it", || {
        node.log().contains("collect garbage of CNI network fabric: CNI plugin wrapped (GC): the fabric is down")
    });
    node.end();
}

#[test]
fn a_handlers_pods_are_on_its_network() {
    let Some(node) = node("apart") else { return };
    conf(&node, "net.d/10.conflist", "1.0.0", "common", &[bridge(&node, "bridge", 84)]);
    let config = node.pod_config("apart", |_| ());
    assert!(node.fails(&["runp", "-r", "apart", &config]).contains("no CNI configuration for handler apart"));
    conf(&node, "apart.d/10.conflist", "1.0.0", "private", &[bridge(&node, "bridge", 85)]);
    let info = node.json(&["info"]);
    assert_eq!(info["lastCNILoadStatus.apart"], "OK");
    let directory = &info["config"]["containerd"]["runtimes"]["apart"]["cniConfDir"];
    assert_eq!(directory, &json!(node.dir.join("apart.d")), "{info}");
    let apart = node.ok(&["runp", "-r", "apart", &config]);
    let common = node.ok(&["runp", &node.pod_config("common", |_| ())]);
    assert!(address(&node, &apart).starts_with("10.85.0.") && address(&node, &common).starts_with("10.84.0."));
    fs::remove_file(node.dir.join("apart.d/10.conflist")).unwrap();
    node.ok(&["rmp", "-f", &apart]);
    assert_eq!((leases(&node, "private").len(), leases(&node, "common").len()), (0, 1));
    node.end();
}

#[test]
fn a_pods_network_is_looked_at_when_somebody_looks_at_the_pod() {
    let Some(node) = node("netcheck") else { return };
    let check = |pod: &str| node.json(&["inspectp", pod])["info"]["networkCheck"].as_str().map(str::to_owned);
    let built_in = node.ok(&["runp", &node.pod_config("built-in", |_| ())]);
    conf(&node, "net.d/10-a.conflist", "1.0.0", "first", &[bridge(&node, "bridge", 86)]);
    let by_plugins = node.ok(&["runp", &node.pod_config("plugins", |_| ())]);
    let hosts = node.pod_config("hosts", |p| {
        p["linux"]["security_context"] = json!({ "namespace_options": { "network": 2 } });
    });
    let hosts = node.ok(&["runp", &hosts]);
    assert_eq!(check(&hosts), None);
    for pod in [&built_in, &by_plugins] {
        assert_eq!(check(pod).as_deref(), Some("OK"));
        let netns = node.json(&["inspectp", pod])["info"]["netns"].as_str().unwrap().to_owned();
        let done =
            in_netns(Path::new(&netns), Path::new("ip")).args(["addr", "flush", "dev", "eth0"]).status().unwrap();
        assert!(done.success());
        let said = check(pod).unwrap();
        assert!(said.contains("eth0") || said.contains("expected"), "{said}");
        node.ok(&["rmp", "-f", pod]);
    }
    node.ok(&["rmp", "-f", &hosts]);
    node.end();
}

#[test]
fn the_runtime_is_ready_only_if_a_container_could_start() {
    if crate::support::program("ready", "runc").is_none() {
        return;
    }
    let Some(node) = Node::start_with("ready", |dir| {
        let d = dir.display();
        fs::write(
            dir.join("config.toml"),
            format!(
                "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'own'\n\
                 [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.own]\nruntime_type = 'io.containerd.runc.v2'\n\
                 [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.own.options]\nBinaryName = '{d}/oci'\n"
            ),
        )
        .unwrap();
        vec!["--config".to_owned(), format!("{d}/config.toml")]
    }) else {
        return;
    };
    let ready = |node: &Node| {
        let info = node.json(&["info"]);
        let found =
            info["status"]["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "RuntimeReady").unwrap();
        (found["status"].as_bool().unwrap(), found["message"].as_str().unwrap_or_default().to_owned())
    };
    let own = node.dir.join("oci");
    let (is, message) = ready(&node);
    assert!(!is && message.contains(own.to_str().unwrap()), "there is none: {message}");
    for (script, says) in [("#!/bin/sh\nexit 3\n", "exit status: 3"), ("no program", "")] {
        fs::write(&own, script).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
        let (is, message) = ready(&node);
        assert!(!is && message.contains(own.to_str().unwrap()) && message.contains(says), "{script}: {message}");
    }
    fs::write(&own, "#!/bin/sh\nexec runc \"$@\"\n").unwrap();
    assert_eq!(ready(&node), (true, String::new()));
    // A disk that is full takes no record, so nothing starts.
    let (full, about) = (node.dir.join("full"), rustix::fs::statvfs(&node.dir).unwrap());
    let used = (about.f_blocks - about.f_bfree) * about.f_frsize;
    let resize = |bytes: u64| {
        let option = format!("remount,size={bytes}");
        assert!(Command::new("mount").args(["-o", &option]).arg(&node.dir).status().unwrap().success());
    };
    resize(used + (4 << 20));
    let mut filler = fs::File::create(&full).unwrap();
    while filler.write(&[0; 4096]).is_ok_and(|n| n > 0) {}
    let (is, message) = ready(&node);
    assert!(!is && message.contains(".ready") && message.contains("No space left"), "{message}");
    fs::remove_file(&full).unwrap();
    resize(used + (256 << 20));
    assert_eq!(ready(&node), (true, String::new()));
    node.end();
}
