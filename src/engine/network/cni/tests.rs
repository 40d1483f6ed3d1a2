//! Real plugins in a private host, and plugins that do all they should not.

use std::{
    fs,
    os::unix::fs::symlink,
    time::{Duration, Instant},
};

use super::*;
use crate::engine::network::{
    self, Dns, Network,
    testing::{Namespace, blocking, on_private_host, pod},
};

struct Node {
    dir: tempfile::TempDir,
    config: NetworkConfig,
}

impl Node {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = NetworkConfig::new(&dir.path().join("state"));
        config.cni_conf_dir = dir.path().join("net.d");
        config.cni_bin_dirs = vec![dir.path().join("bin"), "/usr/lib/cni".into()];
        config.plugin_timeout = Duration::from_secs(10);
        config.bridge = "wharft1".to_owned();
        fs::create_dir(&config.cni_conf_dir).unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        Self { dir, config }
    }

    fn open(&self) -> Arc<dyn Network> {
        network::open(self.config.clone())
    }

    fn conf(&self, name: &str, text: &str) {
        fs::write(self.config.cni_conf_dir.join(name), text).unwrap();
    }

    /// A list of script plugins; each script can append to `$LOG`.
    fn scripts(&self, scripts: &[(&str, &str)]) {
        let plugins: Vec<_> = scripts.iter().map(|(name, _)| json!({ "type": name })).collect();
        self.conf(
            "10-test.conflist",
            &json!({ "cniVersion": "1.0.0", "name": "test", "plugins": plugins }).to_string(),
        );
        for (name, script) in scripts {
            self.script(name, script);
        }
    }

    fn script(&self, name: &str, script: &str) {
        let path = self.dir.path().join("bin").join(name);
        let log = self.dir.path().join("log");
        fs::write(&path, format!("#!/bin/sh\nLOG={}\n{script}\n", log.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn records(&self) -> usize {
        fs::read_dir(self.config.state.join("cni")).map_or(0, Iterator::count)
    }

    fn pod(&self) -> Namespace {
        Namespace::new(self.dir.path(), "pod")
    }
}

const LOGS: &str = r#"echo "$(basename $0) $CNI_COMMAND [$CNI_NETNS]" >> $LOG"#;
const GIVES: &str =
    r#"[ $CNI_COMMAND = ADD ] && echo '{"cniVersion":"1.0.0","ips":[{"address":"10.9.8.7/24"}]}'; exit 0"#;

fn good() -> String {
    format!("{LOGS}\ncat > /dev/null\n{GIVES}")
}

#[test]
fn debians_plugins_attach_map_ports_and_detach() {
    if !Path::new("/usr/lib/cni/portmap").exists() {
        eprintln!("skipped: needs the CNI reference plugins in /usr/lib/cni");
        return;
    }
    on_private_host(|| async {
        for (version, subnet) in [("0.3.1", "10.203.1.0/24"), ("0.4.0", "10.203.2.0/24"), ("1.0.0", "10.203.3.0/24")] {
            let node = Node::new();
            let ipam = json!({
                "type": "host-local", "dataDir": node.dir.path().join("ipam"),
                "ranges": [[{ "subnet": subnet }]], "routes": [{ "dst": "0.0.0.0/0" }],
            });
            let conf = json!({
                "cniVersion": version, "name": "real", "plugins": [
                    { "type": "bridge", "bridge": format!("wharft{}", &version[2..]), "isGateway": true, "ipMasq": false, "hairpinMode": true, "ipam": ipam },
                    { "type": "portmap", "capabilities": { "portMappings": true } },
                ],
            });
            node.conf("10-real.conflist", &conf.to_string());
            let network = node.open();
            network.ready().await.unwrap();
            assert_eq!(network.name(), "cni");
            let (namespace, pod) = (node.pod(), pod("a", &[("tcp", 18_090, 80, "")]));
            let attachment = network.attach(&namespace.0, &pod).await.unwrap();
            let ip = subnet.replace("0/24", "2").parse::<IpAddr>().unwrap();
            assert_eq!(attachment.ips, [ip]);
            // Without ports: portmap of these releases looks for IPv6 chains that it did not make.
            let plain = PodNetwork { port_mappings: Vec::new(), ..pod.clone() };
            network.check(&namespace.0, &plain, &attachment).await.unwrap();
            let listener =
                netns::inside(&namespace.0, || Ok(std::net::TcpListener::bind("0.0.0.0:80").unwrap())).unwrap();
            let gateway = subnet.replace("0/24", "1:18090").parse().unwrap();
            blocking(move || std::net::TcpStream::connect_timeout(&gateway, Duration::from_secs(5)).unwrap()).await;
            drop(listener);
            assert_eq!(node.records(), 1);
            let held = || {
                fs::read_dir(node.dir.path().join("ipam/real"))
                    .unwrap()
                    .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().parse::<IpAddr>().is_ok())
                    .count()
            };
            assert_eq!(held(), 1);
            let again = network.attach(&namespace.0, &pod).await.unwrap_err();
            assert!(again.is(Kind::AlreadyExists), "{again:?}");
            netns::inside(&namespace.0, || crate::engine::network::link::Links::open()?.delete("eth0")).unwrap();
            let checked = network.check(&namespace.0, &plain, &attachment).await;
            assert_eq!(checked.is_ok(), version == "0.3.1", "CHECK came with 0.4.0: {checked:?}");
            // The configuration goes, and the namespace: still it is detached by what attached it.
            fs::remove_file(node.config.cni_conf_dir.join("10-real.conflist")).unwrap();
            let path = namespace.0.clone();
            if version != "1.0.0" {
                drop(namespace);
            }
            network.detach(&path, &pod, Some(&attachment)).await.unwrap();
            assert_eq!((held(), node.records()), (0, 0));
            node.conf("10-real.conflist", &conf.to_string());
            network.detach(&path, &pod, Some(&attachment)).await.unwrap();
            network.detach(&path, &pod, None).await.unwrap();
        }
    });
}

#[test]
fn plugins_are_chained_and_told_what_they_can() {
    on_private_host(|| async {
        let node = Node::new();
        let second = r#"cat >> $LOG; echo >> $LOG; echo "$CNI_ARGS $CNI_IFNAME $CNI_CONTAINERID $SECRET" >> $LOG
[ $CNI_COMMAND = ADD ] && echo '{"ips":[{"address":"10.9.8.7/24","interface":0},{"address":"fd00::7/64","interface":1}],
"interfaces":[{"name":"cni0"},{"name":"eth0","sandbox":"/x"}]}'; exit 0"#;
        node.script("one", &good());
        node.script("two", second);
        let capable = json!({ "portMappings": true, "dns": true, "bandwidth": true, "cgroupPath": true, "aliases": false,
            "io.kubernetes.cri.pod-annotations": true, "unknown": true });
        let conf = json!({ "cniVersion": "1.0.0", "name": "chain", "plugins": [
            { "type": "one" }, { "type": "two", "mode": "x", "capabilities": capable }] });
        node.conf("1.conflist", &conf.to_string());
        let (network, namespace) = (node.open(), node.pod());
        let mut pod = pod("abc", &[("UDP", 53, 5353, "127.0.0.1"), ("tcp", 0, 80, "")]);
        pod.dns = Dns { servers: vec!["1.1.1.1".into()], ..Dns::default() };
        pod.ingress_bits = Some(1_000_000);
        pod.cgroup_parent = "/kubepods/x".to_owned();
        pod.annotations.insert("a".to_owned(), "b".to_owned());
        let attachment = network.attach(&namespace.0, &pod).await.unwrap();
        assert_eq!(attachment.ips, ["fd00::7".parse::<IpAddr>().unwrap()], "cni0's address is not the pod's");
        let log = node.log();
        assert_eq!(log[0], format!("one ADD [{}]", namespace.0.display()));
        let told: Value = serde_json::from_str(&log[1]).unwrap();
        let expected = json!({
            "type": "two", "mode": "x", "cniVersion": "1.0.0", "name": "chain",
            "runtimeConfig": {
                "portMappings": [{ "hostPort": 53, "containerPort": 5353, "protocol": "udp", "hostIP": "127.0.0.1" }],
                "dns": { "servers": ["1.1.1.1"] },
                "bandwidth": { "ingressRate": 1_000_000, "ingressBurst": i32::MAX },
                "cgroupPath": "/kubepods/x",
                "io.kubernetes.cri.pod-annotations": { "a": "b" },
            },
            "prevResult": { "cniVersion": "1.0.0", "ips": [{ "address": "10.9.8.7/24" }] },
        });
        assert_eq!(told, expected);
        assert_eq!(
            log[2],
            "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=abc-name;K8S_POD_INFRA_CONTAINER_ID=abc;K8S_POD_UID=abc-uid eth0 abc "
        );
        network.check(&namespace.0, &pod, &attachment).await.unwrap();
        network.detach(&namespace.0, &pod, Some(&attachment)).await.unwrap();
        let log = node.log();
        assert_eq!(log.iter().filter(|l| l.starts_with("one CHECK")).count(), 1);
        assert!(log.last().unwrap().starts_with("one DEL"), "the first plugin is the last to go: {log:?}");
        let mut previous: Value = serde_json::from_str(&log[log.len() - 3]).unwrap();
        assert_eq!(previous["prevResult"].take()["interfaces"][1]["sandbox"], "/x");
    });
}

#[test]
fn pod_03_a_failed_add_is_undone_and_says_why() {
    on_private_host(|| async {
        let node = Node::new();
        let fails = format!(
            "{LOGS}\n[ $CNI_COMMAND = DEL ] && exit 0\nprintf 'scary \\033[31mred\\033[0m' >&2\n\
             echo '{{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"no \\u001b]0;x\\u0007 more\",\"details\":\"pool\"}}'; exit 1"
        );
        node.scripts(&[("one", &good()), ("two", &fails), ("three", &good())]);
        let (network, namespace) = (node.open(), node.pod());
        let error = network.attach(&namespace.0, &pod("a", &[])).await.unwrap_err();
        let text = format!("{error:#}");
        assert!(error.is(Kind::Unavailable), "{error:?}");
        assert!(
            text.contains("CNI plugin two (ADD): no ]0;x more (code 11); pool; stderr: scary [31mred [0m"),
            "{text}"
        );
        let at = namespace.0.display();
        let called = ["one ADD", "two ADD", "three DEL", "two DEL", "one DEL"].map(|c| format!("{c} [{at}]"));
        assert_eq!(node.log(), called);
        assert_eq!(node.records(), 0);
        node.script("two", &good());
        network.attach(&namespace.0, &pod("a", &[])).await.unwrap();
    });
}

#[test]
fn pod_04_what_could_not_be_undone_is_kept_for_later() {
    on_private_host(|| async {
        let node = Node::new();
        node.scripts(&[("one", &good()), ("two", "echo sorry >&2; exit 3")]);
        let (network, namespace) = (node.open(), node.pod());
        let error = network.attach(&namespace.0, &pod("a", &[])).await.unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("(ADD): it ended with exit status: 3; stderr: sorry")
                || text.contains("cleaning up failed as well"),
            "{text}"
        );
        assert!(text.contains("CNI plugin two (DEL)"), "{text}");
        assert_eq!(node.log().last().unwrap(), &format!("one DEL [{}]", namespace.0.display()));
        assert_eq!(node.records(), 1);
        // After a restart, with no result and the namespace replaced by a plain file.
        let network = node.open();
        assert!(network.detach(&namespace.0, &pod("a", &[]), None).await.is_err());
        node.script("two", &good());
        netns::delete(&namespace.0).unwrap();
        fs::write(&namespace.0, "").unwrap();
        network.detach(&namespace.0, &pod("a", &[]), None).await.unwrap();
        assert_eq!(node.log()[node.log().len() - 2..], ["two DEL []", "one DEL []"]);
        assert_eq!(node.records(), 0);
    });
}

#[test]
fn pod_02_retain_detaches_pods_that_are_gone() {
    on_private_host(|| async {
        let node = Node::new();
        node.scripts(&[("one", &good())]);
        let (network, namespace) = (node.open(), node.pod());
        network.attach(&namespace.0, &pod("a", &[])).await.unwrap();
        network.attach(&namespace.0, &pod("b", &[])).await.unwrap();
        assert_eq!(network::retain(node.config.clone(), &["a".to_owned()]).await.unwrap(), ["b"]);
        assert_eq!((node.records(), node.log().len()), (1, 3));
    });
}

#[test]
fn hostile_plugins_are_bounded() {
    on_private_host(|| async {
        let del = "[ $CNI_COMMAND = DEL ] && exit 0";
        for (script, kind, says) in [
            ("yes", Kind::ResourceExhausted, "more than 1048576 bytes"),
            ("yes >&2", Kind::DeadlineExceeded, "did not end within"),
            (
                "echo before >&2; trap '' TERM; sleep 1000 & echo $! >> $LOG; wait",
                Kind::DeadlineExceeded,
                "stderr: before",
            ),
            ("echo '{not json'", Kind::Internal, "it is not JSON"),
            ("exit 0", Kind::Internal, "it is not JSON"),
            ("echo '[1]'", Kind::Internal, "it is not a JSON object"),
            (r#"echo '{"cniVersion":"9.9.9"}'"#, Kind::Internal, "version"),
            (r#"echo '{"ips":[{"address":"1.2.3.4; rm"}]}'"#, Kind::Internal, "is not an address"),
            (r#"echo '{"ips":[]}'"#, Kind::Internal, "no address for eth0"),
            (r#"echo '{"ips":{"a":1},"interfaces":7}'"#, Kind::Internal, "no address for eth0"),
            ("kill -9 $$", Kind::Internal, "signal: 9"),
        ] {
            let mut node = Node::new();
            node.config.plugin_timeout = Duration::from_secs(2);
            node.scripts(&[("bad", &format!("{del}\n{script}"))]);
            let (network, namespace) = (node.open(), node.pod());
            let started = Instant::now();
            let error = network.attach(&namespace.0, &pod("a", &[])).await.unwrap_err();
            let text = format!("{error:#}");
            assert!(error.is(kind) && text.contains(says), "{script}: {error:?}");
            assert!(text.len() < 4096 && started.elapsed() < Duration::from_secs(8), "{script}");
            assert_eq!(node.records(), 0, "{script}");
            for child in node.log() {
                let state = || fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
                let gone = || !state().contains(") S") && !state().contains(") R");
                let deadline = Instant::now() + Duration::from_secs(2);
                while !gone() && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                assert!(gone(), "the plugin's child outlived it: {}", state());
            }
        }
        // One whose child keeps the pipes is done when it ends.
        let node = Node::new();
        node.scripts(&[("lingers", &format!("sleep 4 &\n{GIVES}"))]);
        let (network, namespace, started) = (node.open(), node.pod(), Instant::now());
        network.attach(&namespace.0, &pod("a", &[])).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(3));
    });
}

#[test]
fn ids_and_names_cannot_forge_arguments() {
    on_private_host(|| async {
        let node = Node::new();
        node.scripts(&[("one", &good())]);
        let (network, namespace) = (node.open(), node.pod());
        for id in ["", "../x", "a/b", ".hidden", "a b", "a\n", &"a".repeat(129)] {
            assert!(network.attach(&namespace.0, &pod(id, &[])).await.unwrap_err().is(Kind::InvalidArgument), "{id:?}");
            assert!(network.detach(&namespace.0, &pod(id, &[]), None).await.is_err(), "{id:?}");
        }
        let mut forged = pod("a", &[]);
        forged.name = "x;K8S_POD_UID=0".to_owned();
        assert!(network.attach(&namespace.0, &forged).await.unwrap_err().is(Kind::InvalidArgument));
        assert!(node.log().is_empty());
    });
}

#[test]
fn broken_configuration_is_not_ready_and_is_read_again() {
    let node = Node::new();
    let network = node.open();
    assert_eq!(network.name(), "built-in");
    node.script("one", &good());
    let refused = |text: &str, says: &str| {
        node.conf("10-a.conflist", text);
        let error = network.loaded("").unwrap_err();
        let text = format!("{error:#}");
        assert!(
            error.is(Kind::FailedPrecondition) && text.contains(says) && text.contains("10-a.conflist"),
            "{error:?}"
        );
        assert_eq!(network.name(), "cni", "a broken configuration is not none");
        assert!(network.describe("")["loadError"].as_str().unwrap().contains(says));
    };
    refused("{", "not JSON");
    refused("[]", "not a JSON object");
    refused(r#"{"name":"x","type":"one"}"#, "no cniVersion");
    refused(r#"{"name":"x","cniVersion":"0.2.0","type":"one"}"#, "\"0.2.0\" is not supported");
    refused(r#"{"name":"x","cniVersion":"1.0.0","plugins":[]}"#, "0 plugins");
    refused(r#"{"name":"x","cniVersion":"1.0.0","plugins":[3]}"#, "not a JSON object");
    refused(r#"{"cniVersion":"1.0.0","type":"one"}"#, "name of a network");
    refused(r#"{"name":"../../etc","cniVersion":"1.0.0","type":"one"}"#, "name of a network");
    for kind in ["../one", "/bin/sh", "..", "", "a\\u0000b"] {
        refused(&format!(r#"{{"name":"x","cniVersion":"1.0.0","plugins":[{{"type":"{kind}"}}]}}"#), "type of a plugin");
    }
    refused(&" ".repeat(2 << 20), "larger than");
    // Another file does not help: the first one decides.
    node.conf("20-b.conf", r#"{"name":"b","cniVersion":"1.1.0","type":"one"}"#);
    assert!(network.loaded("").is_err());
    node.conf("10-a.conflist", r#"{"name":"a","cniVersion":"1.0.0","plugins":[{"type":"one"},{"type":"two"}]}"#);
    let text = format!("{:#}", network.loaded("").unwrap_err());
    assert!(text.contains("CNI plugin \"two\" is not in"), "{text}");
    node.script("two", &good());
    network.loaded("").unwrap();
    assert_eq!(network.describe("")["cni"]["plugins"], json!(["one", "two"]));
    fs::set_permissions(node.dir.path().join("bin/two"), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(format!("{:#}", network.loaded("").unwrap_err()).contains("anybody may write"));
    fs::remove_file(node.config.cni_conf_dir.join("10-a.conflist")).unwrap();
    network.loaded("").unwrap();
    assert_eq!(network.describe("")["cni"]["name"], "b");
}

#[test]
fn hostile_file_names_are_only_names() {
    use std::os::unix::ffi::OsStrExt;
    let node = Node::new();
    let network = node.open();
    node.script("one", &good());
    // Not configuration: other extensions, editors' copies, a directory.
    for name in ["a.conflist.swp", "b", "c.conf~", ".conflist"] {
        node.conf(name, "{");
    }
    fs::create_dir(node.config.cni_conf_dir.join("00.conflist")).unwrap();
    assert_eq!(network.name(), "built-in");
    let raw = node.config.cni_conf_dir.join(std::ffi::OsStr::from_bytes(b"01-\x1b[31m\xff\n.conf"));
    fs::write(&raw, "{").unwrap();
    let text = format!("{:#}", network.loaded("").unwrap_err());
    assert!(text.contains("not JSON") && !text.chars().any(char::is_control), "{text:?}");
    fs::remove_file(&raw).unwrap();
    let fifo = node.config.cni_conf_dir.join("02.conf");
    rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(format!("{:#}", network.loaded("").unwrap_err()).contains("not a regular file"));
    fs::remove_file(&fifo).unwrap();
    symlink("/nowhere", &fifo).unwrap();
    assert!(network.loaded("").unwrap_err().is(Kind::NotFound));
    fs::remove_file(&fifo).unwrap();
    node.conf("03.json", r#"{"name":"late","cniVersion":"0.3.1","type":"one"}"#);
    network.loaded("").unwrap();
}

#[test]
fn newest_shared_version_and_dropped_in_plugins() {
    let node = Node::new();
    let file = node.config.cni_conf_dir.join("1.conflist");
    fs::create_dir(node.config.cni_conf_dir.join("net")).unwrap();
    fs::write(node.config.cni_conf_dir.join("net/b.conf"), r#"{"type":"late"}"#).unwrap();
    let parse = |text: &str| List::parse(text.as_bytes(), &file).unwrap();
    let list =
        parse(r#"{"name":"net","cniVersion":"0.4.0","cniVersions":["1.1.0","7.0.0"],"plugins":[{"type":"one"}]}"#);
    assert_eq!(list.version, conf::Version::V1_1);
    assert_eq!(list.plugins().map(|p| p.kind).collect::<Vec<_>>(), ["one", "late"]);
    let list = parse(
        r#"{"name":"net","cniVersion":"1.1.0","loadOnlyInlinedPlugins":true,"disableCheck":"true","plugins":[{"type":"one"}]}"#,
    );
    assert_eq!((list.plugins().count(), list.disable_check), (1, true));
}

mod newer;
