//! Graphs of a pod and a container: what is asked for and when, and how it looks where all or little is known.

use ratatui::style::{Color, Modifier};

use super::*;
use crate::{
    node::{
        meter::{Cpu, Flow, Memory, Meter},
        pressure::{PressureFacts, Stall},
    },
    tui::{event::Token, model::Popup, theme::Palette},
};

type Shot = (&'static str, Box<dyn Fn(&mut App)>);

fn seen<T>(value: T, at: SystemTime, source: &str) -> Seen<T> {
    Seen::At { value, at, source: source.into() }
}

fn unknown<T>(why: &str) -> Seen<T> {
    Seen::Failed { error: why.into(), at: now() }
}

const GROUP: &str = "cgroup v2: /sys/fs/cgroup/kubepods.slice/kubepods-pod3f2b.slice/cri-containerd-0d1e.scope";

/// What redis has used up to a second: busier all the time, with a burst of writing.
fn meter(second: u64) -> Meter {
    let at = now() + Duration::from_secs(second);
    let stall = |some: f32| Stall { some: [some, some], full: [some / 3.0, 0.0] };
    Meter {
        cpu: seen(Cpu { nanos: second * second * 4_000_000, limit: Some(2_000_000_000) }, at, "CRI ContainerStats"),
        memory: seen(Memory { used: (300 + second % 40 * 3) << 20, limit: Some(512 << 20) }, at, "CRI ContainerStats"),
        network: seen(Flow { inward: second * 70_000, outward: second * second * 900 }, at, "/proc/4242/net/dev"),
        io: seen(Flow { inward: 4096, outward: second.saturating_sub(60) * 1_000_000 }, at, GROUP),
        pressure: seen(
            PressureFacts { cpu: stall(second as f32 / 9.0), memory: stall(0.0), io: stall(second as f32 / 4.0) },
            at,
            GROUP,
        ),
    }
}

fn asked(effects: &[Effect]) -> Option<(Token, ObjectRef)> {
    effects
        .iter()
        .find_map(|e| if let Effect::Use { token, object } = e { Some((*token, object.clone())) } else { None })
}

/// On redis, with a reading every two seconds for so long.
fn watched(app: &mut App, seconds: u64, meter: impl Fn(u64) -> Meter) {
    let effects = app.keys("3/redis\nm");
    let (mut token, object) = asked(&effects).expect("it is asked at once");
    assert_eq!(object, ObjectRef::Container(id("ctr", 6)));
    for second in (0..=seconds).step_by(2) {
        app.send(Event::Used { token, result: Ok(vec![meter(second)]) });
        if let Some((next, _)) = asked(&app.wait(Duration::from_secs(2))) {
            token = next;
        }
    }
}

fn version_1(second: u64) -> Meter {
    Meter {
        network: unknown("it is on the node's network, which the Node pane shows"),
        io: unknown("its control group tells no disk I/O: the io controller is not on for it"),
        pressure: unknown("control groups of version 1 tell no pressure"),
        ..meter(second)
    }
}

pub fn shots() -> Vec<Shot> {
    fn shot(name: &'static str, prepare: impl Fn(&mut App) + 'static) -> Shot {
        (name, Box::new(prepare))
    }
    vec![
        shot("graphs", |app| watched(app, 100, meter)),
        shot("graphs_little", |app| watched(app, 40, version_1)),
        shot("graphs_ascii", |app| {
            app.model.theme.ascii = true;
            watched(app, 100, meter);
        }),
        shot("graphs_no_color", |app| {
            app.model.theme.palette = Palette::Mono;
            watched(app, 100, meter);
        }),
    ]
}

#[test]
fn graphs_are_read_while_they_are_looked_at_and_not_otherwise() {
    let mut app = App::new(120, 40);
    watched(&mut app, 20, meter);
    let screen = app.screen();
    for text in
        ["Graphs container redis of pod shop/cart-redis-0", "% of 2.0", "of 512M", "in 68.4K/s", "CRI ContainerStats"]
    {
        assert!(screen.contains(text), "{text}:\n{screen}");
    }
    // One question at a time, and none while it waits.
    let (token, _) = (0..4)
        .find_map(|_| asked(&app.wait(Duration::from_secs(1))))
        .unwrap_or((app.model.graphs.token, ObjectRef::Pod(String::new())));
    assert!(app.model.graphs.pending);
    assert!((0..9).all(|_| asked(&app.wait(Duration::from_secs(1))).is_none()), "one at a time");
    app.send(Event::Used { token, result: Ok(vec![meter(24)]) });
    assert!(asked(&app.wait(Duration::from_secs(1))).is_some());
    app.send(Event::Used { token, result: Err("the runtime\x1b[2J said no".into()) });
    assert!(app.screen().contains("said no") && !app.screen().contains('\x1b'), "{}", app.screen());
    app.press(KeyCode::Esc);
    assert!(app.model.popup.is_none());
    assert!((0..20).all(|_| asked(&app.wait(Duration::from_secs(1))).is_none()), "nobody looks");
    // Who comes back goes on, and by its name.
    let points = app.model.graphs.shown().unwrap().points.len();
    let effects = app.keys(":graphs\n");
    assert!(asked(&effects).is_some() && app.model.graphs.shown().unwrap().points.len() >= points);
}

#[test]
fn what_is_not_known_is_a_reason_and_never_a_line() {
    for size in [(80, 24), (200, 60)] {
        let mut app = App::new(size.0, size.1);
        watched(&mut app, 40, version_1);
        let screen = app.screen();
        for text in ["not known: it is on the node's", "not known: its control group", "not known: control groups of"] {
            assert!(screen.contains(text), "{text}:\n{screen}");
        }
        assert!(!screen.contains("0B/s") && !screen.contains("0%  "), "{screen}");
        // And one that was known before says so.
        app.send(Event::Used {
            token: app.model.graphs.token,
            result: Ok(vec![Meter {
                cpu: unknown("it has no process any more"),
                memory: unknown("it has no process any more"),
                ..version_1(50)
            }]),
        });
        assert!(app.screen().contains("not known any more: it has no"), "{}", app.screen());
    }
}

#[test]
fn graphs_begin_with_what_the_tables_have_seen() {
    let mut app = App::new(120, 40);
    for n in 1..20_u64 {
        let mut seen = inventory();
        if let Seen::At { at, .. } = &mut seen.stats {
            *at = now() + Duration::from_secs(3 * n);
        }
        app.wait(Duration::from_secs(3));
        app.send(Event::Inventory(Arc::new(seen)));
    }
    app.keys("3/redis\nm");
    let points = &app.model.graphs.shown().unwrap().points;
    assert_eq!((points.len(), points[5].cores, points[5].memory), (20, Some(1_820_000_000), Some(468 << 20)));
    app.press(KeyCode::Esc);
    app.press(KeyCode::Esc);
    // A pod is its containers together.
    let effects = app.keys("2/redis\nm");
    let object = asked(&effects).map(|a| a.1);
    assert_eq!(object, Some(ObjectRef::Pod(id("pod", 4))));
    assert_eq!(app.model.graphs.shown().unwrap().points[5].cores, Some(1_820_000_000));
}

#[test]
fn what_does_not_run_has_no_graphs_and_says_so() {
    let mut app = App::new(100, 30);
    for (keys, why) in
        [("3/runner\nm", "does not run"), ("4m", "pods and containers"), ("2/billing\nm", "does not run")]
    {
        app.press(KeyCode::Esc);
        assert!(asked(&app.keys(keys)).is_none() && app.model.popup.is_none());
        assert!(app.screen().contains(why), "{keys}: {}", app.screen());
    }
    assert!(!matches!(app.model.popup, Some(Popup::Graphs)));
}

/// Lines are told apart by colour, and without colours by their signs and attributes alone.
#[test]
fn graphs_are_told_apart_with_and_without_colours() {
    for palette in [Palette::Dark, Palette::Light, Palette::Mono] {
        let mut app = App::new(120, 40);
        app.model.theme.palette = palette;
        watched(&mut app, 100, meter);
        let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
        terminal.draw(|frame| view(&app.model, frame)).unwrap();
        let cells = &terminal.backend().buffer().content;
        let dots = |c: &ratatui::buffer::Cell| c.symbol().chars().all(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
        let coloured: std::collections::BTreeSet<String> =
            cells.iter().filter(|c| dots(c)).map(|c| format!("{:?}", c.fg)).collect();
        if palette == Palette::Mono {
            assert!(cells.iter().all(|c| c.fg == Color::Reset), "NO_COLOR");
            assert!(["•", "▄", "⠶"].iter().all(|s| cells.iter().any(|c| c.symbol() == *s)));
            assert!(cells.iter().any(|c| dots(c) && c.modifier.contains(Modifier::BOLD)));
        } else {
            assert!(coloured.len() >= 3, "{coloured:?}");
        }
    }
}
