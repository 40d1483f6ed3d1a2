//! Tests of the app as a whole: a fixed node, keys in, screens and effects out.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend};

use super::{
    event::{Effect, Event, Host},
    model::Model,
    theme::Theme,
    update::update,
    view::view,
};
use crate::{
    client::{
        action::{Action, Kept, Plan, Planned, Step},
        types::*,
    },
    node::meter::Flow,
};

mod acting;
mod books;
mod columns;
mod exec;
mod finding;
mod graphs;
mod history;
mod idle;
mod looks;
mod screens;
mod stories;
mod strangers;
mod terminal;
mod threats;

/// A view that panics, for TUI-15.
pub fn die_if_asked(model: &Model) {
    let pane = super::panes::of(model.pane).name;
    assert!(model.info.version != format!("dies in {pane}"), "the view of {pane} was asked to die");
}

pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

fn ago(seconds: u64) -> SystemTime {
    now() - Duration::from_secs(seconds)
}

fn id(kind: &str, n: usize) -> String {
    let hex: String = format!("{kind}{n}")
        .bytes()
        .cycle()
        .enumerate()
        .map(|(i, b)| format!("{:x}", (usize::from(b) * (i + 3) + n) % 16))
        .take(64)
        .collect();
    hex
}

fn at<T>(value: T) -> Seen<T> {
    Seen::At { value, at: ago(1), source: "cri".into() }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

/// A worker on a bad day: a crash loop, an OOM kill, a completed job, a nearly full disk.
pub fn inventory() -> Inventory {
    let pods: Vec<PodSandbox> = [
        ("coredns-7d764666f9-2xk8p", "kube-system", PodState::Ready, 864_000 * 3, "10.244.1.5", ""),
        ("kube-proxy-x9v2l", "kube-system", PodState::Ready, 864_000 * 4, "", ""),
        ("node-exporter-4kq7d", "monitoring", PodState::Ready, 700_000, "", ""),
        ("checkout-6b9f8d5c4-hw2zq", "shop", PodState::Ready, 92_000, "10.244.1.17", ""),
        ("cart-redis-0", "shop", PodState::Ready, 410_000, "10.244.1.9", ""),
        ("billing-import-29384710-qv8mz", "shop", PodState::NotReady, 5_400, "", ""),
        ("untrusted-runner-5", "ci", PodState::Ready, 640, "10.244.1.31", "runsc"),
    ]
    .iter()
    .enumerate()
    .map(|(n, (name, namespace, state, age, ip, handler))| PodSandbox {
        id: id("pod", n),
        name: (*name).into(),
        namespace: (*namespace).into(),
        uid: format!("3f2b6c1e-0000-4000-8000-00000000000{n}"),
        attempt: 0,
        state: *state,
        created: ago(*age),
        labels: map(&[("app", name.split('-').next().unwrap()), ("pod-template-hash", "7d764666f9")]),
        annotations: BTreeMap::new(),
        handler: (*handler).into(),
        ip: (*ip).into(),
    })
    .collect();
    let image_ids: Vec<String> = (0..8).map(|n| format!("sha256:{}", id("img", n))).collect();
    type Row = (&'static str, usize, usize, ContainerState, u32, u64, Option<(i32, &'static str)>);
    let rows: [Row; 9] = [
        ("coredns", 0, 1, ContainerState::Running, 0, 2_590_000, None),
        ("kube-proxy", 1, 2, ContainerState::Running, 1, 3_400_000, None),
        ("node-exporter", 2, 3, ContainerState::Running, 0, 700_000, None),
        ("checkout", 3, 4, ContainerState::Exited, 17, 200, Some((1, "Error"))),
        ("checkout", 3, 4, ContainerState::Exited, 16, 520, Some((1, "Error"))),
        ("envoy", 3, 5, ContainerState::Running, 0, 92_000, None),
        ("redis", 4, 6, ContainerState::Running, 2, 3_600, None),
        ("import", 5, 4, ContainerState::Exited, 0, 5_400, Some((0, "Completed"))),
        ("runner", 6, 7, ContainerState::Exited, 3, 610, Some((137, "OOMKilled"))),
    ];
    let names = [
        "registry.k8s.io/pause:3.10.1",
        "registry.k8s.io/coredns/coredns:v1.13.1",
        "registry.k8s.io/kube-proxy:v1.36.2",
        "quay.io/prometheus/node-exporter:v1.10.2",
        "registry.example.com/shop/checkout:2026.09.1",
        "docker.io/envoyproxy/envoy:v1.36.0",
        "docker.io/library/redis:8.2-alpine",
        "ghcr.io/example/actions-runner:2.329.0",
    ];
    let containers: Vec<Container> = rows
        .iter()
        .enumerate()
        .map(|(n, (name, pod, image, state, attempt, age, exit))| Container {
            id: id("ctr", n),
            pod: pods[*pod].id.clone(),
            name: (*name).into(),
            attempt: *attempt,
            image: names[*image].into(),
            image_id: image_ids[*image].clone(),
            state: *state,
            created: ago(*age),
            labels: map(&[("io.kubernetes.container.name", name)]),
            annotations: BTreeMap::new(),
            detail: exit.map(|(exit_code, reason)| ContainerDetail {
                started: Some(ago(*age)),
                finished: Some(ago(age - 40)),
                exit_code,
                reason: reason.into(),
                message: String::new(),
                log_path: format!("/var/log/pods/{}_{}/{name}/{attempt}.log", pods[*pod].namespace, pods[*pod].name),
                image_volumes: Vec::new(),
            }),
        })
        .collect();
    let mib = 1_u64 << 20;
    let stats = containers
        .iter()
        .enumerate()
        .filter(|(_, c)| c.state == ContainerState::Running)
        .map(|(n, c)| ContainerStats {
            id: c.id.clone(),
            cpu_nanocores: Some([3, 1, 12, 0, 0, 240, 1820][n] * 1_000_000),
            memory_working_set: Some([22, 31, 14, 0, 0, 96, 468][n] * mib),
            memory_limit: Some([170, 0, 180, 0, 0, 128, 512][n] * mib),
            layer_bytes: Some(n as u64 * 40_960),
            pids: Some(n as u64 + 4),
            at: Some(ago(1)),
            ..ContainerStats::default()
        })
        .collect();
    let sizes = [0.7, 24.1, 37.9, 12.8, 611.4, 84.2, 31.0, 1890.3];
    let mut images: Vec<Image> = (0..8)
        .map(|n| Image {
            id: image_ids[n].clone(),
            tags: vec![names[n].into()],
            digests: vec![format!("{}@sha256:{}", names[n].rsplit_once(':').unwrap().0, id("dig", n))],
            size: (sizes[n] * mib as f64) as u64,
            pinned: n == 0,
            username: if n == 4 { "app".into() } else { String::new() },
        })
        .collect();
    images.push(Image {
        id: format!("sha256:{}", id("old", 1)),
        tags: vec!["registry.example.com/shop/checkout:2026.08.4".into()],
        size: 598 * mib,
        ..Image::default()
    });
    let snapshot = |key: &str, parent: Option<&str>, kind: &str, bytes: u64, age: u64| SnapshotRow {
        snapshotter: "overlayfs".into(),
        namespace: "k8s.io".into(),
        key: key.into(),
        parent: parent.map(Into::into),
        kind: kind.into(),
        bytes: Some(bytes),
        inodes: Some(bytes / 30_000 + 3),
        created: Some(ago(age)),
        labels: map(&[("containerd.io/gc.root", "2026-09-01T00:00:00Z")]),
    };
    let (base, upper, top) = (format!("sha256:{}", id("c", 1)), format!("sha256:{}", id("c", 2)), id("ctr", 5));
    let snapshots = vec![
        snapshot(&base, None, "committed", 80 * mib, 900_000),
        snapshot(&upper, Some(&base), "committed", 40 * mib, 900_000),
        snapshot(&top, Some(&upper), "active", 204_800, 92_000),
        snapshot("lost-during-upgrade", Some(&base), "active", 700 * mib, 8_000_000),
    ];
    let gib = 1 << 30;
    let disk = |what: &str, path: &str, used: u64, inodes| DiskUse {
        what: what.into(),
        path: path.into(),
        used_bytes: used,
        used_inodes: inodes,
        total_bytes: 50 * gib,
        free_bytes: 6 * gib,
    };
    Inventory {
        pods: at(pods),
        containers: at(containers),
        images: at(images),
        stats: at(stats),
        snapshots: at(snapshots),
        disk: at(vec![
            disk("image filesystem", "/var/lib/containerd", 31 * gib, 412_331),
            disk("container filesystem", "/var/lib/containerd", 4 * gib, 20_118),
            disk("logs", "/var/log/pods", 9 * gib / 2, 318),
        ]),
        conditions: at(vec![
            Condition { name: "RuntimeReady".into(), ok: true, reason: String::new(), message: String::new() },
            Condition {
                name: "NetworkReady".into(),
                ok: false,
                reason: "NetworkPluginNotReady".into(),
                message: "cni config uninitialized".into(),
            },
        ]),
        sandbox_image: names[0].into(),
        ..Inventory::default()
    }
}

/// The same worker after its containerd has died, as the disk tells it: no image sizes in use, one exit nobody saw.
pub fn from_disk(hangs: bool) -> Inventory {
    fn on_disk<T>(seen: Seen<T>) -> Seen<T> {
        match seen {
            Seen::At { value, .. } => {
                Seen::At { value, at: ago(3), source: "disk: /run/containerd, /var/lib/containerd and /proc".into() }
            }
            other => other,
        }
    }
    let mut all = inventory();
    if let Seen::At { value, .. } = &mut all.containers
        && let Some(redis) = value.iter_mut().find(|c| c.name == "redis")
    {
        redis.state = ContainerState::Exited;
        redis.detail = Some(ContainerDetail {
            exit_code: crate::client::offline::UNKNOWN,
            reason: "ended while nobody looked".into(),
            ..ContainerDetail::default()
        });
    }
    let error = match hangs {
        true => "it takes connections and does not answer",
        false => "connect to /run/containerd/containerd.sock: Connection refused (os error 111)",
    };
    let dead = Condition {
        name: "RuntimeReady".into(),
        ok: false,
        reason: if hangs { "Hangs" } else { "Dead" }.into(),
        message: error.into(),
    };
    Inventory {
        pods: on_disk(all.pods),
        containers: on_disk(all.containers),
        images: on_disk(all.images),
        stats: on_disk(all.stats),
        snapshots: on_disk(all.snapshots),
        disk: on_disk(all.disk),
        conditions: on_disk(at(vec![dead])),
        sandbox_image: String::new(),
        garbage: Seen::NotAsked,
        kubelet: Seen::NotAsked,
        silence: Some(Silence { since: ago(90), error: error.into(), hangs }),
        info: None,
    }
}

pub struct App {
    pub model: Model,
    pub clock: SystemTime,
}

impl App {
    pub fn new(width: u16, height: u16) -> Self {
        let info = RuntimeInfo {
            endpoint: "unix:///run/containerd/containerd.sock".into(),
            name: "containerd".into(),
            version: "2.3.1".into(),
            api_version: "v1".into(),
            mode: Mode::Attached,
            read_only: false,
            storage: true,
        };
        let model = Model::new(info, false, Theme::default(), (width, height), now());
        let mut app = Self { model, clock: now() };
        app.send(Event::Tick(now()));
        for n in 0..40_u16 {
            app.send(Event::Host(Host {
                name: "worker-7".into(),
                os: "Linux (Debian GNU/Linux 13)".into(),
                kernel: "6.12.43".into(),
                uptime: 3_460_000,
                cpus: 8,
                cpu_percent: 20.0 + f32::from(n * 7 % 45),
                load: [3.4, 2.9, 2.2],
                utc_offset: 7200,
                memory_total: 16 << 30,
                memory_used: (9 << 30) + (u64::from(n) << 25),
                pressure: [Some(2.1), Some(0.4), Some(27.5 - f32::from(n % 5))],
                full: [Some(0.0), Some(0.1), Some(9.4)],
                network: at(Flow { inward: 700_000 + u64::from(n % 9) * 91_000, outward: 40_000 + u64::from(n) * 900 }),
                disk: at(Flow { inward: u64::from(n % 3) * 4096, outward: 9_000_000 - u64::from(n % 11) * 700_000 }),
            }));
        }
        app.send(Event::Inventory(Arc::new(inventory())));
        app
    }

    pub fn send(&mut self, event: Event) -> Vec<Effect> {
        update(&mut self.model, event)
    }

    /// Each key well after the last frame.
    pub fn press(&mut self, code: KeyCode) -> Vec<Effect> {
        self.clock += Duration::from_millis(200);
        self.send(Event::Key(KeyEvent::new(code, KeyModifiers::NONE), self.clock))
    }

    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        keys.chars().flat_map(|c| self.press(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) })).collect()
    }

    pub fn ctrl(&mut self, c: char) -> Vec<Effect> {
        self.clock += Duration::from_millis(200);
        self.send(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL), self.clock))
    }

    pub fn drawn(&mut self) {
        self.send(Event::Drawn(self.clock));
    }

    pub fn wait(&mut self, time: Duration) -> Vec<Effect> {
        self.clock += time;
        self.send(Event::Tick(self.clock))
    }

    pub fn screen(&self) -> String {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view(&self.model, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let mut out = String::new();
        for y in 0..height {
            let (mut line, mut skip) = (String::new(), 0);
            for x in 0..width {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let symbol = buffer[(x, y)].symbol();
                skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
                line.push_str(symbol);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// Answers a plan that was asked for.
    pub fn planned(&mut self, effects: &[Effect], plan: Plan) {
        let token = effects.iter().find_map(|e| match e {
            Effect::Plan { token, .. } => Some(*token),
            _ => None,
        });
        self.send(Event::Planned { token: token.expect("a plan was asked for"), result: Ok(plan) });
    }
}

pub fn prune_plan() -> Plan {
    let seen = inventory();
    let (containers, images) = (seen.containers.value().unwrap(), seen.images.value().unwrap());
    let exited = |n: usize, reason: &str| Planned {
        step: Step::RemoveContainer(containers[n].id.clone()),
        what: containers[n].name.clone(),
        reason: reason.into(),
        frees: 40_960,
    };
    let old = &images[8];
    Plan {
        action: Action::Prune { images: true, containers: true, older_than: Duration::ZERO },
        steps: vec![
            exited(4, "exited 8m ago, a newer attempt is there"),
            Planned {
                step: Step::RemoveImage(old.id.clone()),
                what: old.tags[0].clone(),
                reason: "no container uses it".into(),
                frees: old.size,
            },
        ],
        keeps: vec![
            Kept {
                object: ObjectRef::Image(images[0].id.clone()),
                what: images[0].tags[0].clone(),
                why: "pinned".into(),
            },
            Kept {
                object: ObjectRef::Container(containers[3].id.clone()),
                what: "checkout".into(),
                why: "newest attempt: kubelet needs it for --previous logs".into(),
            },
        ],
    }
}

pub fn log_lines() -> Vec<LogLine> {
    let line = |n: u64, text: &[u8]| LogLine {
        at: Some(ago(60 - n)),
        stderr: n.is_multiple_of(5),
        text: text.to_vec(),
        place: None,
    };
    let mut lines: Vec<LogLine> = (0..40)
        .map(|n| match n % 8 {
            3 => line(n, b"{\"level\":\"warn\",\"msg\":\"retrying\",\"try\":3}"),
            6 => line(n, b"ERROR connect to cart-redis:6379: connection refused"),
            _ => line(n, format!("INFO  request id={n} path=/checkout status=200 took={}ms", n * 3).as_bytes()),
        })
        .collect();
    lines.push(line(41, b"\x1b[31mred\x1b[0m \x1b]0;owned\x07 ngi\xe2\x80\x8bnx \xff"));
    lines.push(line(42, "x".repeat(300).as_bytes()));
    lines
}
