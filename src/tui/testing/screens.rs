//! Every pane and popup as text, kept in tests/snapshots: at the least size and at that of a wide terminal in a file each, at two
//! more in one file for all.

use super::*;

type Shot = (&'static str, Box<dyn Fn(&mut App)>);

fn shot(name: &'static str, prepare: impl Fn(&mut App) + 'static) -> Shot {
    (name, Box::new(prepare))
}

fn keys(name: &'static str, keys: &'static str) -> Shot {
    shot(name, move |app| drop(app.keys(keys)))
}

fn kept(name: String, screen: String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, screen));
}

fn drawn((_, prepare): &Shot, (width, height): (u16, u16)) -> App {
    let mut app = App::new(width, height);
    prepare(&mut app);
    app
}

/// All of them, by name.
pub fn shots() -> Vec<Shot> {
    [
        panes(),
        cgroups(),
        finding(),
        tree(),
        logs(),
        texts(),
        plans(),
        acting(),
        pulls(),
        columns(),
        troubles(),
        terminals(),
        graphs::shots(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_screen_at_80x24_and_160x48() {
    for shot in shots() {
        for (width, height) in [(80, 24), (160, 48)] {
            kept(format!("tui_{}_{width}x{height}", shot.0), drawn(&shot, (width, height)).screen());
        }
    }
}

#[test]
fn every_screen_at_120x40_and_200x60() {
    for (width, height) in [(120, 40), (200, 60)] {
        let all = shots().iter().map(|s| format!("{}\n{}\n", s.0, drawn(s, (width, height)).screen())).collect();
        kept(format!("tui_all_{width}x{height}"), all);
    }
}

#[test]
fn every_screen_fills_its_lines_at_every_size() {
    for shot in shots() {
        for size in [(80, 24), (120, 40), (160, 48), (200, 60)] {
            let screen = drawn(&shot, size).screen();
            assert_eq!(screen.lines().count(), usize::from(size.1), "{}", shot.0);
            for line in screen.lines().filter(|l| l.starts_with('│')) {
                let width = unicode_width::UnicodeWidthStr::width(line);
                assert!(width == usize::from(size.0) && line.ends_with('│'), "{} at {size:?}: {line}", shot.0);
            }
        }
    }
}

fn inspect() -> serde_json::Value {
    serde_json::json!({
        "status": {
            "id": id("ctr", 3), "metadata": {"attempt": 17, "name": "checkout"}, "state": "CONTAINER_EXITED",
            "createdAt": "2026-09-21T13:29:59.1Z", "exitCode": 1, "reason": "Error",
            "message": "panic: no such table: orders",
            "image": {"image": "registry.example.com/shop/checkout:2026.09.1"},
            "labels": {"io.kubernetes.pod.namespace": "shop", "io.kubernetes.container.name": "checkout"},
            "mounts": [{"containerPath": "/etc/hosts", "hostPath": "/var/lib/kubelet/pods/1/etc-hosts", "readonly": false},
                       {"containerPath": "/config", "hostPath": "/var/lib/kubelet/pods/1/volumes/config", "readonly": true}],
            "logPath": "/var/log/pods/shop_checkout/checkout/17.log"
        },
        "info": {"pid": 0, "snapshotter": "overlayfs", "runtimeType": "io.containerd.runc.v2",
            "runtimeSpec": {"process": {"args": ["/app/checkout", "--listen=:8080"],
                "env": ["PATH=/usr/bin", "DB_PASSWORD=hunter2"]},
                "linux": {"cgroupsPath": "kubepods-burstable-pod1.slice:cri-containerd:abc",
                    "resources": {"memory": {"limit": 268_435_456}}}}}
    })
}

fn inspected(app: &mut App, effects: Vec<Effect>) {
    let [Effect::Inspect { token, .. }] = effects[..] else { panic!("{effects:?}") };
    app.send(Event::Inspected { token, result: Ok(inspect()) });
}

fn with_logs(app: &mut App) {
    let effects = app.keys("3jl");
    let token = effects.iter().find_map(|e| if let Effect::Logs { token, .. } = e { Some(*token) } else { None });
    let lines = log_lines().into_iter().map(|l| (0, l)).collect();
    app.send(Event::Log { token: token.unwrap(), lines });
}

fn panes() -> Vec<Shot> {
    vec![
        keys("node", "1"),
        keys("pods", "2j"),
        keys("containers", "3"),
        keys("images", "4"),
        keys("snapshots", "5"),
        keys("disk", "7"),
        keys("events", "8"),
        keys("logs_none", "9"),
        keys("runbooks", "0"),
    ]
}

fn cgroups() -> Vec<Shot> {
    let fact = |who: &str, driver: &str, source: &str| CgroupFact {
        who: who.into(),
        driver: Some(driver.into()),
        source: source.into(),
    };
    vec![shot("cgroups", move |app| {
        app.keys("6");
        app.send(Event::Cgroups(at(vec![
            fact("kubelet", "systemd", "/var/lib/kubelet/config.yaml: cgroupDriver"),
            fact("runtime", "cgroupfs", "CRI RuntimeConfig"),
            fact("handler runc", "cgroupfs", "runtime's effective configuration, handler runc: SystemdCgroup = false"),
            fact("pod shop/cart-redis-0", "cgroupfs", "/proc/811/cgroup: /kubepods/burstable/pod3f2b/0d1e"),
        ])));
    })]
}

fn finding() -> Vec<Shot> {
    vec![
        shot("palette", |app| drop(app.keys(":p"))),
        shot("sort_by", |app| drop(app.keys("3o"))),
        shot("marked", |app| drop(app.keys("3  j "))),
        shot("filter_terms", |app| drop(app.keys("4/size>30M !pause"))),
        shot("ascii", |app| {
            app.model.theme.ascii = true;
            app.keys("1");
        }),
    ]
}

fn tree() -> Vec<Shot> {
    vec![shot("tree", |app| {
        app.keys("2jjj");
        let effects = app.keys("X");
        let [Effect::Family { token, containers, .. }] = &effects[..] else { panic!("{effects:?}") };
        let container = serde_json::json!({
            "status": {"mounts": [{"containerPath": "/etc/hosts", "hostPath": "/var/lib/kubelet/pods/1/etc-hosts"}]},
            "info": {"pid": 4242, "cgroup": "/kubepods/burstable/pod3f2b/1", "snapshotKey": id("ctr", 5)},
            "processes": [
                {"pid": 4242, "own": 1, "state": "S", "threads": 1, "resident": 7 << 20, "cpu": 3, "command": "envoy --token hunter2"},
                {"pid": 4251, "own": 12, "state": "R", "threads": 8, "resident": 93 << 20, "cpu": 754, "command": "[worker]"},
            ],
        });
        let result = Ok(serde_json::json!({
            "pod": {"shim": "4100 containerd-shim", "info": {"pid": 4120, "cgroup": "/kubepods/burstable/pod3f2b",
                "runtimeSpec": {"linux": {"namespaces": [{"type": "network", "path": "/run/netns/cni-1"}]}}}},
            "containers": {containers[0].as_str(): container},
        }));
        let token = *token;
        app.send(Event::Family { token, result });
    })]
}

fn logs() -> Vec<Shot> {
    vec![
        shot("logs", with_logs),
        shot("logs_wrapped", |app| {
            with_logs(app);
            app.keys("wtkkk");
        }),
        shot("logs_search", |app| {
            with_logs(app);
            app.keys("J/!INFO\nsretr.ing\n");
        }),
        shot("logs_merged", |app| {
            app.keys("3");
            let effects = app.keys("/envoy\nla");
            let [.., Effect::Logs { token, containers, .. }] = &effects[..] else { panic!("{effects:?}") };
            assert_eq!(containers.len(), 2);
            let lines = log_lines().into_iter().enumerate().map(|(n, l)| (n % 2, l)).take(16).collect();
            app.send(Event::Log { token: *token, lines });
            app.keys("t");
        }),
    ]
}

fn terminals() -> Vec<Shot> {
    use super::exec::{VI, ended, open, says};
    vec![
        keys("exec_none", "T"),
        shot("exec", |app| {
            let token = open(app);
            says(app, token, VI.as_bytes());
        }),
        shot("exec_left", |app| {
            let token = open(app);
            says(app, token, b"/data # redis-cli ping\r\nPONG\r\n/data # ");
            app.ctrl('5');
        }),
        shot("exec_ended", |app| {
            let token = open(app);
            ended(app, token);
        }),
    ]
}

fn texts() -> Vec<Shot> {
    vec![
        shot("help", |app| drop(app.keys("?"))),
        shot("describe", |app| {
            let effects = app.keys("3\n");
            inspected(app, effects);
        }),
        shot("yaml", |app| {
            let effects = app.keys("3y");
            inspected(app, effects);
        }),
        shot("secrets", |app| {
            let effects = app.keys("3\nG");
            inspected(app, effects);
            assert_eq!(app.keys("RG").len(), 1, "the journal is told");
        }),
        shot("secret", |app| {
            let effects = app.keys("3\n");
            inspected(app, effects);
            let effects = app.keys("/db_\nr");
            assert_eq!(effects, [Effect::Reveal { what: "DB_PASSWORD of checkout-6b9f8d5c4-hw2zq/checkout".into() }]);
        }),
        shot("journal", |app| {
            let [Effect::Journal { token }] = app.keys(":journal\n")[..] else { panic!("no journal") };
            let entry = |what: &str, error: Option<&str>| crate::client::audit::Entry {
                act: String::new(),
                begun: false,
                at: ago(90),
                who: "alice (uid 0, login 1000)".into(),
                runtime: "unix:///run/containerd/containerd.sock".into(),
                what: what.into(),
                before: None,
                after: None,
                error: error.map(Into::into),
            };
            let entries = vec![
                entry("remove image registry.example.com/shop/checkout:2026.08.4", None),
                entry("stop container 2ba16f6da329 within 10 s", Some("it does not answer")),
            ];
            app.send(Event::Journal { token, result: Ok(entries) });
        }),
        shot("filter", |app| drop(app.keys("3/shop check"))),
        shot("nothing_matches", |app| drop(app.keys("3/nonsense"))),
    ]
}

fn plans() -> Vec<Shot> {
    vec![
        shot("planning", |app| drop(app.keys("P"))),
        shot("plan_prune", |app| {
            let effects = app.keys("P");
            app.planned(&effects, prune_plan());
            app.drawn();
            app.wait(Duration::from_secs(2));
        }),
        shot("plan_review", |app| {
            let effects = app.keys("p");
            app.planned(&effects, prune_plan());
        }),
        shot("plan_running", |app| {
            let effects = app.keys("P");
            app.planned(&effects, prune_plan());
            app.drawn();
            let [Effect::Apply { token, .. }] = app.keys("\n")[..] else { panic!("not started") };
            app.send(Event::StepDone { token, step: 0, result: Ok(String::new()) });
            app.send(Event::StepDone {
                token,
                step: 1,
                result: Err("remove image: in use by container \u{1b}[2J".into()),
            });
        }),
    ]
}

fn acting() -> Vec<Shot> {
    vec![
        shot("plan_tag", |app| {
            app.keys("4/2026.08\n");
            let effects = app.keys(":tag registry.example.com/shop/checkout:stable\n");
            super::acting::answer(app, &effects, &inventory()).unwrap();
        }),
        shot("plan_pin", |app| {
            app.keys("4 G ");
            let effects = app.keys(":pin\n");
            super::acting::answer(app, &effects, &inventory()).unwrap();
        }),
        shot("plan_gc", |app| {
            let effects = app.keys(":gc\n");
            let garbage = Garbage { blobs: 12, snapshots: 3, leases: 1, bytes: 420 << 20 };
            super::acting::answer(app, &effects, &Inventory { garbage: at(garbage), ..inventory() }).unwrap();
        }),
        shot("plan_restart", |app| {
            app.keys("3/state=running\n");
            app.keys("  ");
            let effects = app.keys("R");
            super::acting::answer(app, &effects, &inventory()).unwrap();
        }),
        shot("plan_run", |app| {
            let effects = app.keys(":run quay.io/prometheus/busybox:glibc sleep 1000\n");
            super::acting::answer(app, &effects, &inventory()).unwrap();
        }),
        shot("not_offered", |app| {
            app.model.info.name = "cri-o".into();
            app.keys("4:pi");
        }),
    ]
}

fn pulls() -> Vec<Shot> {
    vec![shot("pull", |app| {
        assert!(app.keys(":pull busybox\n").is_empty(), "whose busybox?");
        let effects = app.keys(":pull docker.io/library/busybox\n");
        let [Effect::Pull { token, .. }] = &effects[..] else { panic!("{effects:?}") };
        for (n, (phase, done)) in
            [(PullPhase::Done, 9), (PullPhase::Downloading, 4), (PullPhase::Exists, 0)].into_iter().enumerate()
        {
            let progress =
                PullProgress { layer: format!("sha256:{}", id("l", n)), done: done << 20, total: 9 << 20, phase };
            app.send(Event::PullProgress { token: *token, progress });
        }
    })]
}

fn troubles() -> Vec<Shot> {
    vec![
        shot("dead", |app| {
            app.keys("3");
            app.wait(Duration::from_secs(34));
            app.send(Event::InventoryFailed {
                error: "timeout after 15 s".into(),
                at: app.clock - Duration::from_secs(19),
            });
        }),
        offline("offline_node", "1", false),
        offline("offline_pods", "2", false),
        offline("offline_containers", "3", true),
        offline("offline_images", "4", true),
        shot("offline_refused", |app| {
            app.send(Event::Inventory(Arc::new(from_disk(false))));
            app.keys("3x");
        }),
        shot("read_only", |app| {
            app.model.read_only = true;
            app.keys("3P");
        }),
        shot("no_storage", |app| {
            app.model.info.storage = false;
            app.model.seen.snapshots = Seen::NotAsked;
            app.keys("5");
        }),
    ]
}

fn offline(name: &'static str, keys: &'static str, hangs: bool) -> Shot {
    shot(name, move |app| {
        app.model.seen = Inventory::default();
        app.send(Event::Inventory(Arc::new(from_disk(hangs))));
        app.keys(keys);
    })
}

fn columns() -> Vec<Shot> {
    vec![keys("columns", "2CjJj ")]
}
