//! What callers and images ask for that nobody should: the threats of section RUN that need no more than a request. Groups
//! are beside containerd's.

use std::{collections::BTreeSet, fs, os::unix::fs::symlink, path::Path};

use serde_json::{Value, json};

use crate::support::{
    attached_containerd::{Containerd, Version},
    node::{IMAGE, Node},
    program,
    registry::{Layer, layer},
};

const TESTED: &str = "127.0.0.1:5000/test/tested:1";

/// An image that is not the usual one, pulled.
fn push(node: &Node, layers: &[&Layer], config: &Value) {
    node.registry.as_ref().unwrap().push_with("test/tested", "1", layers, config, None);
    node.ok(&["pull", TESTED]);
}

/// The log of a container that runs to its end, in a pod of the handler.
fn said(node: &Node, handler: &str, name: &str, script: &str, change: impl FnOnce(&mut Value)) -> String {
    let name = format!("{name}{handler}");
    let pod_config = node.pod_config(&name, |_| ());
    let pod = node.ok(&["runp", "-r", handler, &pod_config]);
    let config = node.container_config(&name, script, |c| {
        c["image"]["image"] = TESTED.into();
        change(c);
    });
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    assert_eq!(node.exit_code(&container), 0, "{}", node.ok(&["logs", &container]));
    let log = node.ok(&["logs", &container]);
    node.ok(&["rmp", "-f", &pod]);
    log
}

/// The built-in runtime, and runc where there is one.
pub fn handlers(test: &str) -> Vec<&'static str> {
    let mut handlers = vec![""];
    handlers.extend(program(test, "runc").map(|_| "runc"));
    handlers
}

#[test]
fn run_07_a_volume_of_an_image_holds_what_the_image_has_and_nothing_else() {
    let Some(node) = Node::with_registry("volumes") else { return };
    let (root, canary) = (node.dir.join("tested"), node.dir.join("canary"));
    assert!(crate::support::busybox_root("volumes", &root));
    fs::create_dir_all(canary.join("deep")).unwrap();
    fs::write(canary.join("secret"), "the host's").unwrap();
    fs::create_dir_all(root.join("data/sub")).unwrap();
    fs::write(root.join("data/file"), "the image's").unwrap();
    // Links in a volume, a volume that is a link, and one whose parent is: all of them lead to the host, by name.
    symlink(canary.join("secret"), root.join("data/link")).unwrap();
    symlink(&canary, root.join("absolute")).unwrap();
    symlink(format!("../../../../../../{}", canary.display()), root.join("relative")).unwrap();
    symlink("/data", root.join("inside")).unwrap();
    let up = format!("/../../../..{}", canary.display());
    let through = format!("/data/../../..{}/deep", canary.display());
    let volumes: Value = ["/data", "/absolute", "/relative", "/inside", &up, &through, "/absolute/deep"]
        .into_iter()
        .map(|path| (path.to_owned(), json!({})))
        .collect::<serde_json::Map<_, _>>()
        .into();
    push(&node, &[&layer(&root)], &json!({ "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"], "Volumes": volumes }));
    let here = canary.display();
    let script = format!(
        "cat /data/file; echo; cat /inside/file; echo; busybox readlink /data/link; cat /data/link 2>/dev/null && echo READ
for d in /data /absolute /relative /inside {here}; do echo made > $d/made || echo cannot $d; done
ls -A /absolute /relative {here} {here}/deep | grep secret && echo FOUND; ls /data/sub && echo done"
    );
    let hosts = || -> BTreeSet<_> { fs::read_dir(&canary).unwrap().map(|e| e.unwrap().file_name()).collect() };
    for handler in handlers("volumes") {
        let log = said(&node, handler, "volumes", &script, |_| ());
        assert_eq!(log, format!("the image's\nthe image's\n{here}/secret\ndone"), "{handler:?}");
        assert_eq!(hosts(), ["deep".into(), "secret".into()].into(), "{handler:?}");
        assert_eq!(fs::read_to_string(canary.join("secret")).unwrap(), "the host's");
        assert_eq!(fs::read_dir(canary.join("deep")).unwrap().count(), 0, "{handler:?}");
    }
    // The root itself is no volume.
    for path in ["/", "/..", "/data/../.."] {
        let volumes = json!({ path: {} });
        push(&node, &[&layer(&root)], &json!({ "Cmd": ["/bin/sh"], "Volumes": volumes }));
        let pod_config = node.pod_config("root", |_| ());
        let pod = node.ok(&["runp", &pod_config]);
        let config = node.container_config("root", "true", |c| c["image"]["image"] = TESTED.into());
        let refused = node.fails(&["create", &pod, &config, &pod_config]);
        assert!(refused.contains("is not a path below /"), "{path}: {refused}");
        node.ok(&["rmp", "-f", &pod]);
    }
    node.end();
}

/// Users and groups in which each case has its trap: a group of the user's name, a number with two names, a group that lists
/// another.
const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:7:other root:/toor:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n\
                      alone:x:1001:2001::/:/bin/sh\n";
const GROUP: &str = "root:x:0:root\nwheel:x:10:root,toor\nuser:x:5000:user\nextra:x:2000:user,other\nlater:x:3000:alone,user\n\
                     toors:x:4000:toor\n";

/// CRI's security context, the image's USER, and what `id -u; id -g; id -G` prints; `None`: it is refused.
fn people() -> Vec<(Value, &'static str, Option<&'static str>)> {
    let uid = |uid: i64| json!({ "run_as_user": { "value": uid } });
    let both = |uid: i64, gid: i64| json!({ "run_as_user": { "value": uid }, "run_as_group": { "value": gid } });
    let name = |name: &str| json!({ "run_as_username": name });
    let with = |mut security: Value, more: &[i64], policy: i32| {
        security["supplemental_groups"] = json!(more);
        security["supplemental_groups_policy"] = json!(policy);
        security
    };
    vec![
        (json!({}), "", Some("0 0 0 10")),
        (json!({}), "user", Some("1000 1000 1000 2000 3000")),
        (json!({}), "1000", Some("1000 1000 1000 2000 3000")),
        (json!({}), "user:extra", Some("1000 2000 2000 3000")),
        (json!({}), "4321:8765", Some("4321 8765 8765")),
        (uid(1000), "alone", Some("1000 1000 1000 2000 3000")),
        (uid(4321), "", Some("4321 0 0")),
        (both(1000, 3000), "", Some("1000 3000 2000 3000")),
        (name("toor"), "", Some("0 7 7 10 4000")),
        (name("alone"), "user", Some("1001 2001 2001 3000")),
        (with(uid(1000), &[6000, 2000], 0), "", Some("1000 1000 1000 2000 3000 6000")),
        (with(uid(1000), &[6000], 1), "", Some("1000 1000 1000 6000")),
        (with(uid(1001), &[], 1), "", Some("1001 2001 2001")),
        (json!({ "run_as_group": { "value": 1 } }), "user", None),
        (json!({ "run_as_group": { "value": 1 } }), "", None),
        (name("nobody-here"), "", None),
    ]
}

const ID: &str = "echo $(id -u) $(id -g) $(id -G | busybox tr ' ' '\\n' | busybox sort -n)";

fn people_layer(dir: &Path) -> Layer {
    let root = dir.join("people");
    assert!(crate::support::busybox_root("people", &root));
    fs::write(root.join("etc/passwd"), PASSWD).unwrap();
    fs::write(root.join("etc/group"), GROUP).unwrap();
    layer(&root)
}

#[test]
fn run_08_groups_are_those_containerd_gives() {
    let Some(node) = Node::with_registry("people") else { return };
    let layer = people_layer(&node.dir);
    for (number, (security, user, expected)) in people().into_iter().enumerate() {
        push(&node, &[&layer], &json!({ "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"], "User": user }));
        let Some(expected) = expected else {
            let pod_config = node.pod_config("refused", |_| ());
            let pod = node.ok(&["runp", &pod_config]);
            let config = node.container_config("refused", ID, |c| {
                c["image"]["image"] = TESTED.into();
                c["linux"]["security_context"] = security.clone();
            });
            let refused = node.fails(&["create", &pod, &config, &pod_config]);
            assert!(refused.contains("InvalidArgument"), "{security} {user:?}: {refused}");
            node.ok(&["rmp", "-f", &pod]);
            continue;
        };
        for handler in handlers("people") {
            let id = said(&node, handler, &format!("id{number}"), ID, |c| {
                c["linux"]["security_context"] = security.clone();
            });
            assert_eq!(id, expected, "{handler:?} {security} {user:?}");
        }
    }
    node.end();
    // 1.6 knows no policy of groups, and takes root's groups for those of an image's USER.
    let Some(peer) = Containerd::start("people", Version::New) else { return };
    let layer = people_layer(&peer.dir);
    for (number, (security, user, expected)) in people().into_iter().enumerate() {
        let Some(expected) = expected else { continue };
        let tag = format!("people{number}");
        let config = json!({ "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"], "User": user });
        peer.registry.as_ref().unwrap().push_with("test/tested", &tag, &[&layer], &config, None);
        let image = format!("127.0.0.1:5000/test/tested:{tag}");
        peer.ok(&["pull", &image]);
        let pod_config = peer.pod_config(&tag);
        let pod = peer.ok(&["runp", &pod_config]);
        let path = peer.container_config("id", &tag, 0, ID);
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        config["image"]["image"] = image.into();
        config["linux"]["security_context"] = security.clone();
        fs::write(&path, config.to_string()).unwrap();
        let container = peer.ok(&["create", &pod, &path, &pod_config]);
        peer.ok(&["start", &container]);
        let id = || peer.ok(&["logs", &container]);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while id().is_empty() && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(id(), expected, "containerd: {security} {user:?}");
        peer.ok(&["rmp", "-f", &pod]);
    }
    peer.end();
}

#[test]
fn run_11_nothing_adds_a_line_to_passwd() {
    let Some(node) = Node::with_registry("lines") else { return };
    let layer = people_layer(&node.dir);
    let line = "evil:x:0:0::/:/bin/sh";
    push(&node, &[&layer], &json!({ "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"] }));
    // Backslash and n are two letters, which anybody may use.
    let log = said(&node, "", "letters", "echo $HOME; busybox md5sum < /etc/passwd; pwd", |c| {
        c["envs"] = json!([{ "key": "HOME", "value": format!("/tmp\\n{line}") }, { "key": "MORE", "value": "a\nb" }]);
        c["working_dir"] = json!("/tmp/a\\nb:c");
        c["linux"]["security_context"] = json!({ "run_as_user": { "value": 4321 } });
    });
    let sum = std::process::Command::new("md5sum").arg(node.dir.join("people/etc/passwd")).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(log, format!("/tmp\\n{line}\n{sum}  -\n/tmp/a\\nb:c"));
    let pod_config = node.pod_config("lines", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let refused = |what: &str, change: &dyn Fn(&mut Value)| {
        let config = node.container_config("lines", "true", |c| {
            c["image"]["image"] = TESTED.into();
            change(c);
        });
        let refused = node.fails(&["create", &pod, &config, &pod_config]);
        assert!(refused.contains("InvalidArgument") && !refused.contains(&format!("\n{line}")), "{what}: {refused}");
    };
    for end in ["\n", "\r", "\r\n"] {
        let text = format!("user{end}{line}");
        refused("HOME", &|c| c["envs"] = json!([{ "key": "HOME", "value": format!("/{text}") }]));
        refused("cwd", &|c| c["working_dir"] = json!(format!("/{text}")));
        refused("username", &|c| c["linux"]["security_context"] = json!({ "run_as_username": text }));
    }
    refused("colon", &|c| c["linux"]["security_context"] = json!({ "run_as_username": "user:x:0:0" }));
    // The same from an image.
    for config in [
        json!({ "Env": ["PATH=/bin", format!("HOME=/x\n{line}")] }),
        json!({ "WorkingDir": format!("/x\n{line}") }),
        json!({ "User": format!("user\n{line}") }),
        json!({ "User": format!("user:extra\n{line}") }),
    ] {
        push(&node, &[&layer], &config);
        refused(&config.to_string(), &|_| ());
    }
    node.end();
}

#[test]
fn run_16_nothing_is_restored_from_a_checkpoint() {
    let Some(node) = Node::with_registry("restore") else { return };
    node.ok(&["pull", IMAGE]);
    let root = node.dir.join("restore");
    fs::create_dir_all(&root).unwrap();
    // What an archive of CRIU's has, with links where a careless reader would follow them.
    let canary = node.dir.join("canary");
    fs::write(&canary, "the host's").unwrap();
    for name in ["config.dump", "spec.dump", "container.log", "status"] {
        symlink(&canary, root.join(name)).unwrap();
    }
    let layer = layer(&root);
    let pod_config = node.pod_config("restore", |_| ());
    let pod = node.ok(&["runp", &pod_config]);
    let create = |image: &str| {
        let config = node.container_config("restore", "true", |c| c["image"]["image"] = image.into());
        node.fails(&["create", &pod, &config, &pod_config])
    };
    let registry = node.registry.as_ref().unwrap();
    for (tag, name) in [
        ("containerd", "org.criu.checkpoint.container.name"),
        ("crio", "io.kubernetes.cri-o.annotations.checkpoint.name"),
    ] {
        registry.push_annotated(("test/checkpoint", tag), &[&layer], &json!({}), &json!({ name: "c" }), None);
        let image = format!("127.0.0.1:5000/test/checkpoint:{tag}");
        node.ok(&["pull", &image]);
        let refused = create(&image);
        assert!(refused.contains("Unimplemented") && refused.contains("is a checkpoint"), "{refused}");
        let id = node.json(&["inspecti", &image])["status"]["id"].as_str().unwrap().to_owned();
        assert!(create(&id).contains("Unimplemented"), "by its id");
    }
    // An archive by its path: not even opened, which a FIFO would show.
    let archive = node.dir.join("archive.tar");
    rustix::fs::mknodat(rustix::fs::CWD, &archive, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert!(create(archive.to_str().unwrap()).contains("Unimplemented"));
    let (container, _) = node.running("alive", "sleep 1000", |_| ());
    let refused = node.fails(&["checkpoint", &format!("--export={}", node.dir.join("out.tar").display()), &container]);
    assert!(refused.contains("Unimplemented") && refused.contains("there is no criu on this node"), "{refused}");
    assert!(!node.dir.join("out.tar").exists());
    assert_eq!(node.json(&["inspect", &container])["status"]["state"], "CONTAINER_RUNNING");
    assert_eq!(node.ok(&["ps", "-a", "-q"]).lines().count(), 1, "nothing is left of what was refused");
    node.end();
}

#[test]
fn nobody_needs_a_capability_for_low_ports_or_ping() {
    let Some(node) = Node::with_registry("unprivileged") else { return };
    node.ok(&["pull", IMAGE]);
    let script =
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range | busybox tr -s '\t' ' '
busybox timeout 1 nc -l -p 80; echo $?";
    let run = |name: &str, sysctls: Value, network: i32| {
        let pod_config = node.pod_config(name, |p| {
            p["linux"]["sysctls"] = sysctls;
            p["linux"]["security_context"] = json!({ "namespace_options": { "network": network } });
        });
        let pod = node.ok(&["runp", &pod_config]);
        let config = node.container_config(name, script, |c| {
            c["linux"]["security_context"] = json!({ "run_as_user": { "value": 1000 },
                "capabilities": { "drop_capabilities": ["ALL"] }, "namespace_options": { "network": network } });
        });
        let container = node.ok(&["create", &pod, &config, &pod_config]);
        node.ok(&["start", &container]);
        node.exit_code(&container);
        let log = node.ok(&["logs", &container]);
        node.ok(&["rmp", "-f", &pod]);
        log
    };
    // 143: it listened until it was told to end.
    assert_eq!(run("usual", json!({}), 0), "0\n0 2147483647\n143");
    let own = run("own", json!({ "net.ipv4.ip_unprivileged_port_start": "1024" }), 0);
    assert!(own.starts_with("1024\n0 2147483647\n") && own.ends_with("\n1"), "{own}");
    let info = node.json(&["info"]);
    assert_eq!(info["config"]["enableUnprivilegedPorts"], true);
    // The node's own network is left as it is.
    let host = run("host", json!({}), 2);
    assert!(host.starts_with("1024\n"), "{host}");
    node.end();
}

#[test]
fn a_pods_new_resources_are_in_its_configuration() {
    use prost::Message;
    use wharf::proto::cri;

    let Some(mut node) = Node::start("resize") else { return };
    let pod = node.ok(&["runp", &node.pod_config("resize", |p| p["linux"]["overhead"] = json!({ "cpu_shares": 2 }))]);
    let update = |node: &Node, id: &str, overhead: Option<i64>, shares: i64| {
        let resources = |cpu_shares| cri::LinuxContainerResources { cpu_shares, ..Default::default() };
        let request = cri::UpdatePodSandboxResourcesRequest {
            pod_sandbox_id: id.to_owned(),
            overhead: overhead.map(resources),
            resources: Some(resources(shares)),
        };
        let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        here.block_on(async {
            let channel = crate::fuzz::connect(node.dir.join("wharf.sock")).await;
            let path = "/runtime.v1.RuntimeService/UpdatePodSandboxResources";
            crate::fuzz::call(&channel, path, request.encode_to_vec()).await.unwrap().map(drop).map_err(|s| s.code())
        })
    };
    let shares = |node: &Node| {
        let linux = node.json(&["inspectp", &pod])["info"]["config"]["linux"].take();
        ["overhead", "resources"].map(|what| {
            let of = |key: &str| linux[what][key].as_str().and_then(|s| s.parse().ok()).or(linux[what][key].as_i64());
            of("cpuShares").or(of("cpu_shares")).unwrap_or_else(|| panic!("{linux}"))
        })
    };
    update(&node, &pod, None, 512).unwrap();
    assert_eq!(shares(&node), [2, 512]);
    update(&node, &pod, Some(3), 1024).unwrap();
    node.kill_engine();
    node.serve();
    assert_eq!(shares(&node), [3, 1024]);
    assert_eq!(update(&node, "nosuchpod", None, 1), Err(tonic::Code::NotFound));
    node.end();
}
