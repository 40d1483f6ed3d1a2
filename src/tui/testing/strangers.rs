//! What a stranger finds without reading anything, each in ten keystrokes or fewer: which container eats the disk, why a pod
//! does not start, how to get a shell, how to prune. A key counts only if the screen named it before it was pressed.

use super::*;
use crate::runbook::{Finding, RunEvent, StepReport, Verdict, named};
use crate::tui::terminals::{News, Order};

const MOST: usize = 10;
const SIZES: [(u16, u16); 2] = [(80, 24), (160, 48)];

struct Stranger {
    app: App,
    keys: usize,
}

impl Stranger {
    /// Before the first screen of the app.
    fn new(size: (u16, u16), change: impl FnOnce(&mut Inventory)) -> Self {
        let mut app = App::new(size.0, size.1);
        let mut seen = inventory();
        change(&mut seen);
        app.model.seen = Inventory::default();
        for table in app.model.tables.values_mut() {
            table.selected = None;
        }
        app.send(Event::Inventory(Arc::new(seen)));
        app.drawn();
        Self { app, keys: 0 }
    }

    /// Presses a key that the screen names so.
    #[track_caller]
    fn press(&mut self, named: &str, code: KeyCode) -> Vec<Effect> {
        let screen = self.app.screen();
        assert!(screen.contains(named), "{named:?} is not on\n{screen}");
        self.keys += 1;
        assert!(self.keys <= MOST, "the key {code:?} is one too many");
        let effects = self.app.press(code);
        self.app.drawn();
        effects
    }

    /// The cursor keys are named on no screen: everybody tries them.
    fn down_to(&mut self, row: &str) {
        while !self.app.screen().lines().any(|l| l.contains('▶') && l.contains(row)) {
            self.keys += 1;
            assert!(self.keys <= MOST, "{row} is too far down\n{}", self.app.screen());
            self.app.press(KeyCode::Down);
        }
    }

    #[track_caller]
    fn sees(&self, words: &[&str]) {
        let screen = self.app.screen();
        for word in words {
            assert!(screen.contains(word), "no {word:?} on\n{screen}");
        }
    }

    /// The line of the screen with these words.
    #[track_caller]
    fn line(&self, words: &str) -> (usize, String) {
        let screen = self.app.screen();
        let found = screen.lines().enumerate().find(|(_, l)| l.contains(words));
        found.map(|(at, l)| (at, l.to_owned())).unwrap_or_else(|| panic!("no {words:?} on\n{screen}"))
    }
}

#[test]
fn which_container_eats_the_disk() {
    for size in SIZES {
        let mut stranger = Stranger::new(size, |seen| {
            if let Seen::At { value, .. } = &mut seen.stats {
                let redis = value.iter_mut().find(|s| s.id == id("ctr", 6)).unwrap();
                redis.layer_bytes = Some(27 << 30);
            }
            // One that has ended is known by its snapshot only.
            if let Seen::At { value, .. } = &mut seen.snapshots {
                let mut left = value[2].clone();
                (left.key, left.bytes) = (id("ctr", 8), Some(2 << 30));
                value.push(left);
            }
        });
        stranger.press("7 Disk", KeyCode::Char('7'));
        let (first, eater) = stranger.line("layer of redis");
        assert!(eater.contains("27.0G") && eater.contains("54%") && eater.contains("shop/cart"), "{eater}");
        let (second, ended) = stranger.line("layer of runner");
        assert!(ended.contains("2.0G") && first < second, "{ended}");
        // And what it is, from here.
        stranger.down_to("layer of redis");
        assert!(matches!(stranger.press("Enter open", KeyCode::Enter)[..], [Effect::Inspect { .. }]));
        stranger.sees(&["Describe cart-redis-0/redis"]);
    }
}

#[test]
fn which_containers_logs_eat_the_disk() {
    for size in SIZES {
        let mut stranger = Stranger::new(size, |seen| {
            let uid = seen.pods.value().unwrap()[3].uid.clone();
            if let Seen::At { value, .. } = &mut seen.disk {
                let path = format!("/var/log/pods/shop_checkout-6b9f8d5c4-hw2zq_{uid}/checkout");
                let (what, used_bytes) = ("logs of checkout".into(), 35 << 30);
                value.push(DiskUse { what, path, used_bytes, used_inodes: 6, ..value[2].clone() });
            }
        });
        stranger.press("7 Disk", KeyCode::Char('7'));
        let (_, eater) = stranger.line("logs of checkout");
        assert!(eater.contains("35.0G") && eater.contains('▶'), "the first of all: {eater}");
        let effects = stranger.press("l logs", KeyCode::Char('l'));
        let [Effect::Logs { containers, .. }, ..] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(containers, &[id("ctr", 3)]);
        stranger.sees(&["Logs checkout-6b9f8d5c4-hw2zq/checkout"]);
    }
}

#[test]
fn why_a_pod_does_not_start() {
    for size in SIZES {
        let mut stranger = Stranger::new(size, |seen| {
            if let Seen::At { value, .. } = &mut seen.pods {
                let mut ledger = value[0].clone();
                (ledger.id, ledger.uid) = (id("pod", 77), "77".into());
                (ledger.name, ledger.namespace) = ("ledger-7d4b8".into(), "billing".into());
                let applied =
                    r#"{"spec":{"containers":[{"name":"ledger","image":"registry.example.com/ledger:3.1"}]}}"#;
                let annotation = "kubectl.kubernetes.io/last-applied-configuration".to_owned();
                ledger.annotations.insert(annotation, applied.to_owned());
                value.push(ledger);
            }
        });
        let (row, line) = stranger.line("ledger-7d4b8");
        assert!(row < 8 && line.contains("NoContainer"), "who is in trouble stands first: {line}");
        stranger.down_to("ledger-7d4b8");
        let effects = stranger.press("! why", KeyCode::Char('!'));
        let Some(Effect::Examine { token, books, params }) =
            effects.into_iter().find(|e| matches!(e, Effect::Examine { .. }))
        else {
            panic!("no examination")
        };
        assert_eq!((books[0].id, params["pod"].as_str()), ("image-pull", "ledger-7d4b8"));
        assert_eq!(params["image"], "registry.example.com/ledger:3.1", "what nobody has pulled");
        let steps = named("image-pull").unwrap().steps;
        let judged = |at: usize, finding: Finding| {
            let (check, title) = (steps[at].check.id.to_owned(), steps[at].check.title.to_owned());
            let step = Box::new(StepReport { check, title, finding, command: "look".into() });
            Event::Run { token, event: RunEvent::Judged { book: "image-pull".into(), step } }
        };
        stranger.app.send(judged(0, Finding::pass("the pod wants registry.example.com/ledger:3.1")));
        let refused = Finding::cause("registry-unreachable", "registry.example.com: connection refused")
            .cite("connect: connection refused", "tried from this node")
            .advise("start the registry, or name a mirror in hosts.toml");
        stranger.app.send(judged(1, refused));
        let cause = Some("registry-unreachable".to_owned());
        let event = RunEvent::Concluded { book: "image-pull".into(), verdict: Verdict::Fail, cause };
        stranger.app.send(Event::Run { token, event });
        let (_, line) = stranger.line("▶");
        let here = line.contains("fail") && line.contains("registry.example.com");
        assert!(here, "the cursor is where the cause is: {line}");
        stranger.press("Enter open", KeyCode::Enter);
        stranger.sees(&["registry.example.com: connection refused", "What to do", "name a mirror in hosts.toml"]);
    }
}

#[test]
fn why_a_pod_ends_again_and_again() {
    for size in SIZES {
        let mut stranger = Stranger::new(size, |_| ());
        let (_, line) = stranger.line("▶");
        assert!(line.contains("CrashLoop 1") && line.contains("checkout"), "{line}");
        let effects = stranger.press("! why", KeyCode::Char('!'));
        let Some(Effect::Logs { token, containers, .. }) = effects.into_iter().next() else { panic!("no log") };
        assert_eq!(containers, [id("ctr", 3)], "the newest attempt's");
        let text = b"panic: no such table: orders".to_vec();
        let line = LogLine { at: Some(now()), stderr: true, text, place: None };
        stranger.app.send(Event::Log { token, lines: vec![(0, line)] });
        stranger.sees(&["/checkout ended by itself with exit code 1", "panic: no such table: orders"]);
    }
}

#[test]
fn how_to_get_a_shell() {
    for size in SIZES {
        let mut stranger = Stranger::new(size, |_| ());
        stranger.down_to("cart-redis-0");
        let effects = stranger.press("s shell", KeyCode::Char('s'));
        let [Effect::Terminal { token, order: Order::Open { container, .. } }] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(*container, id("ctr", 6));
        stranger.sees(&["opening", "^] leaves"]);
        stranger.app.send(Event::Terminal { token: *token, news: News::Ended(Ok(0)) });
        stranger.sees(&["ended with 0, any key closes"]);
        // And in a container of one's choice.
        let mut stranger = Stranger::new(size, |_| ());
        stranger.press("3 C", KeyCode::Char('3'));
        stranger.down_to("envoy");
        let effects = stranger.press("s shell", KeyCode::Char('s'));
        let opened = |e: &Effect| matches!(e, Effect::Terminal { order: Order::Open { container, .. }, .. } if *container == id("ctr", 5));
        assert!(effects.iter().any(opened), "{effects:?}");
    }
}

#[test]
fn how_to_prune() {
    for size in SIZES {
        let mut stranger = Stranger::new(size, |_| ());
        let effects = stranger.press("P prune", KeyCode::Char('P'));
        stranger.app.planned(&effects, prune_plan());
        stranger.app.drawn();
        stranger.sees(&[
            "remove image",
            "checkout:2026.08.4",
            "frees about 598.0 MiB",
            "stays",
            "pinned",
            "starts in 5 s",
        ]);
        let effects = stranger.press("Enter starts now", KeyCode::Enter);
        let [Effect::Apply { token, steps }] = &effects[..] else { panic!("{effects:?}") };
        for step in 0..steps.len() {
            stranger.app.send(Event::StepDone { token: *token, step, result: Ok(String::new()) });
        }
        stranger.sees(&["done, 2 steps"]);
        // Or only looks, and goes away.
        let mut stranger = Stranger::new(size, |_| ());
        let effects = stranger.press("P prune", KeyCode::Char('P'));
        stranger.app.planned(&effects, prune_plan());
        stranger.app.drawn();
        stranger.press("u/Esc calls it off", KeyCode::Char('u'));
        stranger.sees(&["called off, nothing done"]);
    }
}
