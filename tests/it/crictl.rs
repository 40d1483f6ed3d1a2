//! The engine as the kubelet's tools see it: crictl over the socket of `wharf serve`, against a real registry.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use wharf::engine::network::netns;

use crate::support::node::{IMAGE, Node};

fn until(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !check() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn every_verb_of_the_first_path() {
    let Some(node) = Node::with_registry("verbs") else { return };
    assert!(node.ok(&["version"]).contains("RuntimeName:  wharf"));
    let info = node.json(&["info"]);
    assert!(info["status"]["conditions"].as_array().unwrap().iter().all(|c| c["status"] == true), "{info}");
    node.ok(&["pull", IMAGE]);
    let image = node.json(&["inspecti", IMAGE])["status"]["id"].as_str().unwrap().to_owned();
    assert!(node.ok(&["images"]).contains("127.0.0.1:5000/test/busybox"));

    let (pod_config, config) =
        (node.pod_config("web", |_| ()), node.container_config("loop", "echo ahoy; echo err >&2; sleep 1000", |_| ()));
    let pod = node.ok(&["runp", &pod_config]);
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    assert_eq!(node.json(&["inspect", &container])["status"]["state"], "CONTAINER_CREATED");
    node.ok(&["start", &container]);
    assert_eq!(node.ok(&["ps", "-q", "--state", "running"]), container);
    assert_eq!(node.ok(&["pods", "-q", "--state", "ready"]), pod);
    until("the log", || node.ok(&["logs", &container]).contains("ahoy"));
    assert_eq!(node.ok(&["exec", "-s", &container, "/bin/sh", "-c", "hostname; cat /etc/hostname"]), "web\nweb");
    assert!(node.fails(&["exec", "-s", &container, "/bin/sh", "-c", "exit 9"]).contains('9'));
    let stats = node.json(&["stats", "-o", "json"]);
    assert!(
        stats["stats"][0]["memory"]["workingSetBytes"]["value"].as_str().unwrap().parse::<u64>().unwrap() > 0,
        "{stats}"
    );
    let names = node.ok(&["metricdescs"]);
    let metrics = node.ok(&["metricsp"]);
    for name in ["container_tasks_state", "container_memory_working_set_bytes", "container_network_receive_bytes_total"]
    {
        assert!(names.contains(name) && metrics.contains(name), "{name}: {metrics}");
    }
    let pods = node.json(&["statsp", "-o", "json"]);
    let received = &pods["stats"][0]["linux"]["network"]["defaultInterface"];
    assert_eq!(received["name"], "eth0", "{pods}");
    let status = node.json(&["inspect", &container]);
    assert_eq!(status["status"]["imageId"].as_str(), Some(image.as_str()), "{status}");

    node.ok(&["stop", "--timeout", "1", &container]);
    let status = node.json(&["inspect", &container]);
    assert_eq!(
        (status["status"]["state"].as_str(), status["status"]["exitCode"].as_i64()),
        (Some("CONTAINER_EXITED"), Some(143))
    );
    assert!(node.fails(&["start", &container]).contains("not created"));
    node.ok(&["rm", &container]);
    assert!(node.fails(&["inspect", &container]).contains("not found") || node.ok(&["ps", "-aq"]).is_empty());
    node.ok(&["stopp", &pod]);
    assert_eq!(node.ok(&["pods", "-q", "--state", "notready"]), pod);
    node.ok(&["rmp", &pod]);
    node.ok(&["rmi", "--prune"]);
    assert_eq!(node.ok(&["images", "-q"]), "");
    node.end();
}

#[test]
fn pod_18_a_killed_engine_finds_its_containers_again_and_no_line_is_missed() {
    let Some(mut node) = Node::with_registry("adopt") else { return };
    node.ok(&["pull", IMAGE]);
    let pod_config = node.pod_config("steady", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let script = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; sleep 0.01; done; echo done; sleep 1000";
    let long = node.ok(&["create", &pod, &node.container_config("long", script, |_| ()), &pod_config]);
    let short = node.ok(&["create", &pod, &node.container_config("short", "sleep 1; exit 7", |_| ()), &pod_config]);
    let waiting =
        node.ok(&["create", &pod, &node.container_config("waiting", "echo late; sleep 1000", |_| ()), &pod_config]);
    node.ok(&["start", &long, &short]);
    let pid = node.json(&["inspect", &long])["info"]["pid"].as_u64().unwrap();
    for _ in 0..3 {
        node.kill_engine();
        thread::sleep(Duration::from_millis(400));
        assert!(Path::new(&format!("/proc/{pid}")).exists(), "the container died with the engine");
        node.serve();
        let status = node.json(&["inspect", &long]);
        assert_eq!(
            (status["info"]["pid"].as_u64(), status["status"]["state"].as_str()),
            (Some(pid), Some("CONTAINER_RUNNING"))
        );
    }
    until("the end of the short one", || node.json(&["inspect", &short])["status"]["exitCode"] == 7);
    until("all lines", || node.ok(&["logs", &long]).ends_with("done"));
    let log = node.ok(&["logs", &long]);
    let expected: Vec<String> = (1..=400).map(|i| format!("line {i}")).chain(["done".to_owned()]).collect();
    assert_eq!(log.lines().collect::<Vec<_>>(), expected);
    node.ok(&["start", &waiting]);
    until("a container created before the crash", || node.ok(&["logs", &waiting]).contains("late"));
    assert_eq!(node.ok(&["exec", "-s", &long, "hostname"]), "steady");
    node.end();
}

#[test]
fn pods_have_addresses_and_host_ports() {
    let Some(node) = Node::with_registry("ports") else { return };
    node.ok(&["pull", IMAGE]);
    let server = node.pod_config("server", |p| {
        p["port_mappings"] = serde_json::json!([{ "container_port": 8080, "host_port": 9080 }])
    });
    let pod = node.ok(&["runp", &server]);
    let script = "while true; do echo -e 'HTTP/1.0 200 OK\\r\\n\\r\\nahoy' | nc -l -p 8080 >/dev/null; done";
    let container = node.ok(&["create", &pod, &node.container_config("server", script, |_| ()), &server]);
    node.ok(&["start", &container]);
    let ip = node.json(&["inspectp", &pod])["status"]["network"]["ip"].as_str().unwrap().to_owned();
    let other = node.pod_config("client", |_| ());
    let script =
        format!("for i in 1 2 3 4 5 6 7 8 9 10; do wget -q -O - http://{ip}:8080/ && exit 0; sleep 0.2; done; exit 1");
    let client = node.ok(&["run", "--no-pull", &node.container_config("client", &script, |_| ()), &other]);
    until("an answer between pods", || node.json(&["inspect", &client])["status"]["state"] == "CONTAINER_EXITED");
    assert_eq!(node.ok(&["logs", &client]), "ahoy");
    until("an answer on the host's port", || {
        let asked = netns::inside(&node.netns, || {
            let ask = || -> std::io::Result<String> {
                let mut stream = TcpStream::connect("127.0.0.1:9080")?;
                stream.set_read_timeout(Some(Duration::from_secs(2)))?;
                stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer)?;
                Ok(answer)
            };
            Ok(ask().unwrap_or_default())
        });
        asked.unwrap().contains("ahoy")
    });
    node.end();
}

#[test]
fn handlers_choose_the_runtime() {
    let Some(node) = Node::with_registry("handlers") else { return };
    node.ok(&["pull", IMAGE]);
    let config = node.pod_config("runc", |_| ());
    let pod = node.ok(&["runp", "--runtime", "runc", &config]);
    let container =
        node.ok(&["create", &pod, &node.container_config("c", "echo by runc; sleep 1000", |_| ()), &config]);
    node.ok(&["start", &container]);
    until("its log", || node.ok(&["logs", &container]).contains("by runc"));
    assert_eq!(node.ok(&["exec", "-s", &container, "hostname"]), "runc");
    let error = node.fails(&["runp", "--runtime", "kata", &node.pod_config("kata", |_| ())]);
    assert!(error.contains("kata") && error.contains("runc"), "{error}");
    node.end();
}

#[test]
fn what_goes_wrong_with_a_pull_is_said_and_leaves_nothing() {
    let Some(mut node) = Node::with_registry("pulls") else { return };
    let missing = node.fails(&["pull", "127.0.0.1:5000/test/busybox:nope"]);
    assert!(missing.contains("busybox:nope") && missing.to_lowercase().contains("not found"), "{missing}");
    let (pod_config, config) = (node.pod_config("p", |_| ()), node.container_config("c", "true", |_| ()));
    let pod = node.ok(&["runp", &pod_config]);
    let error = node.fails(&["create", &pod, &config, &pod_config]);
    assert!(error.contains("pull it first"), "{error}");
    node.registry.as_mut().unwrap().kill();
    let dead = node.fails(&["pull", IMAGE]);
    assert!(dead.contains("127.0.0.1:5000") && dead.to_lowercase().contains("refused"), "{dead}");
    assert!(fs::read_dir(node.dir.join("lib/content/ingests")).into_iter().flatten().next().is_none());
    node.end();
}

#[test]
fn bad_requests_are_refused_and_harm_nothing() {
    let Some(node) = Node::with_registry("bad") else { return };
    node.ok(&["pull", IMAGE]);
    let refused = |change: &dyn Fn(&mut serde_json::Value), word: &str| {
        let error = node.fails(&["runp", &node.pod_config("bad", change)]);
        assert!(error.contains(word), "{word}: {error}");
    };
    refused(&|p| p["linux"]["sysctls"] = serde_json::json!({ "kernel.core_pattern": "|/x" }), "namespaced");
    refused(&|p| p["log_directory"] = "/var/log/../../etc".into(), "log");
    refused(&|p| p["metadata"]["namespace"] = "a;b".into(), "cannot be a pod's name");
    assert_eq!(node.ok(&["pods", "-q"]), "");
    let config = node.pod_config("good", |_| ());
    let pod = node.ok(&["runp", &config]);
    assert!(node.fails(&["runp", &config]).contains("good"), "the same name twice");
    let escape = node.container_config("c", "true", |c| c["log_path"] = "../../x".into());
    assert!(node.fails(&["create", &pod, &escape, &config]).contains("log path"));
    let nothing = node.container_config("d", "true", |c| c["command"] = serde_json::json!(["/no/such/program"]));
    let container = node.ok(&["create", &pod, &nothing, &config]);
    assert!(node.fails(&["start", &container]).contains("/no/such/program"));
    let status = node.json(&["inspect", &container]);
    assert_eq!(
        (status["status"]["exitCode"].as_i64(), status["status"]["reason"].as_str()),
        (Some(127), Some("StartError"))
    );
    assert!(node.fails(&["inspect", "0123456789"]).contains("0123456789"));
    node.end();
}

#[test]
fn a_handler_with_the_systemd_driver_says_that_there_is_no_systemd() {
    // Where there is one, tests of the worker show it.
    if Path::new("/run/systemd/system").exists() {
        return eprintln!("this machine has a systemd");
    }
    let Some(node) = Node::start_with("nosystemd", |dir| {
        let config = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'scopes'\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.scopes]\nruntime_type = 'io.wharf.builtin.v1'\n\
             options = { SystemdCgroup = true }\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.wharf]\nruntime_type = 'io.wharf.builtin.v1'\n";
        fs::write(dir.join("config.toml"), config).unwrap();
        vec!["--config".to_owned(), dir.join("config.toml").display().to_string()]
    }) else {
        return;
    };
    let info = node.json(&["info"]);
    let ready = &info["status"]["conditions"][0];
    let message = ready["message"].as_str().unwrap();
    assert_eq!((ready["type"].as_str(), ready["status"].as_bool()), (Some("RuntimeReady"), Some(false)), "{info}");
    assert!(message.contains("handler scopes") && message.contains("no /run/systemd/system"), "{message}");
    let handlers = &info["config"]["containerd"]["runtimes"];
    let driver = |name: &str| handlers[name]["options"]["SystemdCgroup"].as_bool();
    assert_eq!((driver("scopes"), driver("wharf")), (Some(true), Some(false)), "{handlers}");
    let told = node.wharf(&["runtime-config"]).output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("SYSTEMD"), "{told:?}");

    // Parents of the other driver are refused before anything is made; so are scopes that nobody can make.
    let slice = node.pod_config("slice", |c| c["linux"]["cgroup_parent"] = "kubepods-pod1.slice".into());
    for (handler, config) in [("scopes", node.pod_config("path", |_| ())), ("wharf", slice.clone())] {
        let said = node.fails(&["runp", "--runtime", handler, &config]);
        assert!(said.contains("cgroup driver cgroupfs") && said.contains("cgroup driver systemd"), "{said}");
    }
    let said = node.fails(&["runp", "--runtime", "scopes", &slice]);
    assert!(said.contains("have systemd make wharf-") && said.contains("kubepods-pod1.slice"), "{said}");
    assert_eq!(node.ok(&["pods", "-q"]), "");
    node.ok(&["runp", "--runtime", "wharf", &node.pod_config("path", |_| ())]);
    node.end();
}
