//! What CNI 1.1.0 brought: STATUS and GC, on plugins that note what they were told. And handlers with networks of their own.

use super::*;

/// Notes what it was called with; `down` in the directory of its binary makes it say that it is not available.
const TELLS: &str = r#"echo "$(basename $0) $CNI_COMMAND [$CNI_CONTAINERID$CNI_NETNS$CNI_IFNAME$CNI_ARGS] $(cat)" >> $LOG
if [ -e "$(dirname $0)/down" ] && [ $CNI_COMMAND != DEL ]; then
  echo '{"cniVersion":"1.1.0","code":50,"msg":"no daemon \u001b[31mhere"}'; exit 1
fi
[ $CNI_COMMAND = ADD ] && echo '{"ips":[{"address":"10.9.8.7/24"}]}'; exit 0"#;

fn list(name: &str, version: &str, plugins: &[&str]) -> Value {
    let plugins: Vec<_> = plugins.iter().map(|p| json!({ "type": p, "capabilities": { "dns": true } })).collect();
    json!({ "cniVersion": version, "name": name, "plugins": plugins })
}

impl Node {
    /// What plugins were told with one command: who, of whom, and its standard input.
    fn told(&self, command: &str) -> Vec<(String, String, Value)> {
        let one = |line: String| {
            let (plugin, rest) = line.split_once(' ')?;
            let (subject, input) = rest.strip_prefix(command)?.strip_prefix(" [")?.split_once("] ")?;
            Some((plugin.to_owned(), subject.to_owned(), serde_json::from_str(input).unwrap()))
        };
        self.log().into_iter().filter_map(one).collect()
    }

    fn down(&self, down: bool) {
        let path = self.dir.path().join("bin/down");
        if down { fs::write(path, "").unwrap() } else { fs::remove_file(path).unwrap() }
    }
}

#[test]
fn a_network_is_ready_when_its_plugins_say_so() {
    on_private_host(|| async {
        let node = Node::new();
        node.script("one", TELLS);
        node.script("two", TELLS);
        node.conf("1.conflist", &list("net", "1.1.0", &["one", "two"]).to_string());
        let network = node.open();
        network.ready().await.unwrap();
        let plain = |kind: &str| json!({ "type": kind, "cniVersion": "1.1.0", "name": "net" });
        let asked = ["one", "two"].map(|p| (p.to_owned(), String::new(), plain(p)));
        assert_eq!(node.told("STATUS"), asked, "of no pod, without what is a pod's");
        // A burst of callers is one question.
        node.down(true);
        futures::future::try_join_all((0..5).map(|_| network.ready())).await.unwrap();
        assert_eq!(node.told("STATUS").len(), 2);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        for _ in 0..2 {
            let error = network.ready().await.unwrap_err();
            let expected = "CNI network net is not ready: CNI plugin one (STATUS): no daemon [31mhere (code 50)";
            assert!(error.is(Kind::Unavailable) && format!("{error:#}") == expected, "{error:?}");
        }
        assert_eq!(node.told("STATUS").len(), 3, "the second plugin need not be asked");
        // What was said of an older configuration is not said of a newer one: this one cannot be asked.
        node.conf("1.conflist", &list("net", "1.0.0", &["one", "two"]).to_string());
        network.ready().await.unwrap();
        assert_eq!(node.told("STATUS").len(), 3);
        node.conf("1.conflist", &list("net", "1.1.0", &["two"]).to_string());
        assert!(network.ready().await.is_err());
        node.down(false);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        network.ready().await.unwrap();
        // A plugin that hangs costs its time limit, and is not left behind.
        let mut hangs = Node::new();
        hangs.config.plugin_timeout = Duration::from_secs(1);
        hangs.script("one", "echo $$ >> $LOG; sleep 1000");
        hangs.conf("1.conflist", &list("net", "1.1.0", &["one"]).to_string());
        let network = hangs.open();
        let (started, both) = (Instant::now(), futures::future::join(network.ready(), network.ready()).await);
        assert!(both.0.unwrap_err().is(Kind::DeadlineExceeded) && both.1.unwrap_err().is(Kind::DeadlineExceeded));
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        let pid = &hangs.log()[0];
        assert!(!Path::new("/proc").join(pid).exists() && hangs.log().len() == 1, "{:?}", hangs.log());
    });
}

#[test]
fn plugins_are_told_which_pods_there_are() {
    on_private_host(|| async {
        let node = Node::new();
        for name in ["one", "two", "other"] {
            node.script(name, TELLS);
        }
        node.conf("1.conflist", &list("net", "1.1.0", &["one", "two"]).to_string());
        let (network, namespace) = (node.open(), node.pod());
        network.collect().await.unwrap();
        let valid =
            |ids: &[&str]| ids.iter().map(|id| json!({ "containerID": id, "ifname": "eth0" })).collect::<Value>();
        let said = |told: &[(String, String, Value)]| -> Vec<(String, Value)> {
            assert!(told.iter().all(|(_, subject, _)| subject.is_empty()), "{told:?}");
            told.iter().map(|(plugin, _, input)| (plugin.clone(), input["cni.dev/valid-attachments"].clone())).collect()
        };
        assert_eq!(said(&node.told("GC")), [("one".to_owned(), valid(&[])), ("two".to_owned(), valid(&[]))]);
        for id in ["a", "b"] {
            network.attach(&namespace.0, &pod(id, &[])).await.unwrap();
        }
        network.detach(&namespace.0, &pod("a", &[]), None).await.unwrap();
        // After a restart, with another network for new pods: each is told of its own pods.
        node.conf("1.conflist", &list("new", "1.1.0", &["other"]).to_string());
        let network = node.open();
        network.attach(&namespace.0, &pod("c", &[])).await.unwrap();
        network.collect().await.unwrap();
        let last = node.told("GC").split_off(2);
        assert_eq!(
            said(&last),
            [("other".to_owned(), valid(&["c"])), ("one".to_owned(), valid(&["b"])), ("two".to_owned(), valid(&["b"]))]
        );
        assert_eq!((&last[0].2["name"], &last[1].2["name"]), (&json!("new"), &json!("net")));
        assert_eq!(last[0].2["cni.dev/attachments"], valid(&["c"]));
        // One that fails keeps no other from being told.
        node.down(true);
        let error = format!("{:#}", network.collect().await.unwrap_err());
        assert!(error.starts_with("collect garbage of CNI network new: CNI plugin other (GC): no daemon"), "{error}");
        assert_eq!(node.told("GC").len(), 8);
        node.down(false);
        // Nor is asked who may not be, or cannot.
        for (version, off) in [("1.1.0", true), ("1.0.0", false)] {
            let mut quiet = list("new", version, &["other"]);
            quiet["disableGC"] = json!(off);
            node.conf("1.conflist", &quiet.to_string());
            network.collect().await.unwrap();
        }
        assert_eq!(node.told("GC").split_off(8).iter().filter(|(plugin, ..)| plugin == "other").count(), 0);
        // A record nobody can read might be of any network: then nobody is told that its pod is gone.
        let before = node.told("GC").len();
        fs::write(node.config.state.join("cni/c.json"), "{").unwrap();
        assert!(network.collect().await.unwrap_err().is(Kind::DataLoss));
        assert_eq!(node.told("GC").len(), before);
    });
}

#[test]
fn nothing_is_added_or_deleted_while_garbage_is_collected() {
    on_private_host(|| async {
        let node = Node::new();
        let slow =
            format!("echo \"begin $CNI_COMMAND\" >> $LOG; sleep 0.3; echo \"end $CNI_COMMAND\" >> $LOG\n{GIVES}")
                .replace("1.0.0", "1.1.0");
        node.script("slow", &slow);
        node.conf("1.conflist", &list("net", "1.1.0", &["slow"]).to_string());
        let (network, namespace) = (node.open(), node.pod());
        network.attach(&namespace.0, &pod("old", &[])).await.unwrap();
        let (first, second) = (pod("first", &[]), pod("second", &[]));
        let later = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let old = pod("old", &[]);
            let (collected, added, deleted) = tokio::join!(
                network.collect(),
                async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    network.attach(&namespace.0, &second).await
                },
                async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    network.detach(&namespace.0, &old, None).await
                }
            );
            collected.unwrap();
            added.unwrap();
            deleted.unwrap();
        };
        let (added, ()) = tokio::join!(network.attach(&namespace.0, &first), later);
        added.unwrap();
        let log = node.log();
        let at = log.iter().position(|line| line == "begin GC").unwrap();
        assert_eq!((at, log[at + 1].as_str(), log.len()), (4, "end GC", 10), "{log:?}");
    });
}

#[test]
fn a_handler_may_have_a_network_of_its_own() {
    on_private_host(|| async {
        let mut node = Node::new();
        let own = node.dir.path().join("own.d");
        fs::create_dir(&own).unwrap();
        node.config.handler_conf_dirs.insert("sandboxed".to_owned(), own.clone());
        node.script("one", TELLS);
        node.script("own", TELLS);
        node.conf("1.conflist", &list("net", "1.0.0", &["one"]).to_string());
        let (network, namespace) = (node.open(), node.pod());
        let mut special = pod("special", &[]);
        special.handler = "sandboxed".to_owned();
        // It is not silently put on the node's network.
        let error = format!("{:#}", network.attach(&namespace.0, &special).await.unwrap_err());
        assert!(error.contains("no CNI configuration for handler sandboxed in") && error.contains("own.d"), "{error}");
        assert!(network.loaded("sandboxed").is_err() && network.loaded("").is_ok() && network.ready().await.is_ok());
        let file = own.join("1.conflist");
        fs::write(&file, list("apart", "1.1.0", &["own"]).to_string()).unwrap();
        network.loaded("sandboxed").unwrap();
        let told = |handler: &str| network.describe(handler)["Networks"][1]["Config"]["Name"].take();
        assert_eq!([told(""), told("other"), told("sandboxed")], ["net", "net", "apart"]);
        let attachment = network.attach(&namespace.0, &special).await.unwrap();
        network.attach(&namespace.0, &PodNetwork { handler: "other".to_owned(), ..pod("plain", &[]) }).await.unwrap();
        let added: Vec<_> = node.told("ADD").into_iter().map(|(plugin, ..)| plugin).collect();
        assert_eq!(added, ["own", "one"]);
        network.collect().await.unwrap();
        let collected = node.told("GC");
        assert_eq!((collected.len(), collected[0].0.as_str()), (1, "own"), "the node's network is of 1.0.0");
        // The handler's configuration changes, and goes: its pod goes as it came.
        fs::write(&file, "{").unwrap();
        assert!(network.describe("sandboxed")["loadError"].as_str().unwrap().contains("not JSON"));
        fs::remove_dir_all(&own).unwrap();
        network.detach(&namespace.0, &special, Some(&attachment)).await.unwrap();
        assert_eq!(node.told("DEL").iter().map(|(plugin, ..)| plugin.as_str()).collect::<Vec<_>>(), ["own"]);
    });
}
