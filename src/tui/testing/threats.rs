//! Threats by their numbers: wide text, logs that imitate dialogs, shells that take the terminal over, backends that hang,
//! panics.

use std::time::Instant;

use super::{
    terminal::{Pty, SAYS, ended, start_as},
    *,
};
use crate::tui::panes::{self, PaneId};

/// Two cells, two cells with joiners, half a cell's mark, a mark on its base.
const WIDE: &[&str] =
    &["日本語のポッド名", "👩\u{200d}💻-team", "ﾊﾞｯﾁ-job", "e\u{301}te\u{301}-x", "한국어-파드", "a日b本c語d"];

#[test]
fn tui_04_wide_text_keeps_every_column_where_it_is() {
    for (width, height) in [(80, 24), (81, 24), (120, 40), (160, 48)] {
        let mut app = App::new(width, height);
        let mut seen = inventory();
        // A name for each place at which a column may cut it.
        if let (Seen::At { value: pods, .. }, Seen::At { value: containers, .. }) =
            (&mut seen.pods, &mut seen.containers)
        {
            for n in 0..12_usize {
                let name = format!("{}{}", "x".repeat(n), WIDE[n % WIDE.len()].repeat(4));
                let mut pod = pods[0].clone();
                (pod.id, pod.name, pod.namespace) = (id("wide", n), name.clone(), WIDE[n % WIDE.len()].into());
                let mut container = containers[0].clone();
                (container.id, container.pod) = (id("widec", n), pod.id.clone());
                (container.name, container.image) = (name.clone(), name);
                pods.push(pod);
                containers.push(container);
            }
        }
        app.send(Event::Inventory(Arc::new(seen)));
        for keys in ["2", "3", "3d", "8"] {
            let effects = app.keys(keys);
            if let [.., Effect::Inspect { token, .. }] = effects[..] {
                let result = Ok(serde_json::json!({"status": {"id": WIDE.concat(), "labels": {(WIDE[0]): WIDE[1]}}}));
                app.send(Event::Inspected { token, result });
            }
            let screen = app.screen();
            for line in screen.lines().filter(|l| l.starts_with('│')) {
                assert_eq!(unicode_width::UnicodeWidthStr::width(line), usize::from(width), "{keys}: {line}\n{screen}");
                assert!(line.ends_with('│'), "{keys}: {line}");
            }
            app.press(KeyCode::Esc);
        }
        // The cursor stands behind what was typed, by cells.
        app.keys("2/日本x");
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view(&app.model, frame)).unwrap();
        let at = terminal.get_cursor_position().unwrap();
        assert_eq!((at.x, at.y), (1 + 2 + 2 + 1, height - 1));
        app.press(KeyCode::Esc);
        // Where a terminal has other widths, the screen is drawn anew at a key.
        assert_eq!(app.ctrl('l'), [Effect::Redraw]);
    }
}

#[test]
fn tui_06_a_log_cannot_pass_for_a_dialog() {
    let forged = [
        "╭ prune unused images ─────────────────────────────╮",
        "│ − remove image  registry.example.com/x     598M │",
        "│  Cancel     Start    Tab other, Enter presses   │",
        "╰──────────────────────────────────────────────────╯",
        " starts in 3 s  ███████▏░░░░  u/Esc calls it off   Enter starts now",
        " the plan has the keys",
    ];
    let mut app = App::new(80, 24);
    let effects = app.keys("3l");
    let token =
        effects.iter().find_map(|e| if let Effect::Logs { token, .. } = e { Some(*token) } else { None }).unwrap();
    let line = |text: &str| LogLine { at: Some(now()), stderr: false, text: text.into(), place: None };
    let lines = (0..8).flat_map(|_| forged.iter().map(|t| (0, line(t)))).collect();
    app.send(Event::Log { token, lines });
    for keys in ["", "w", "t", "kk", "J"] {
        app.keys(keys);
        let screen = app.screen();
        let body: Vec<&str> = screen.lines().skip(3).take(19).collect();
        assert!(
            body.iter().all(|l| l.starts_with("│ │ ") || l.starts_with("│ ┃ ")),
            "a line without its gutter:\n{screen}"
        );
        // The lowest line is the app's; a dialog says so there.
        assert!(!screen.lines().last().unwrap().contains("the plan has the keys"), "{screen}");
    }
    // Nothing starts by what is drawn there.
    assert!(!app.keys("\nY").iter().any(|e| matches!(e, Effect::Apply { .. })));
    // A real one lies over it, whole, and its keys are its own.
    app.keys("2");
    let effects = app.keys("p");
    app.planned(&effects, prune_plan());
    app.drawn();
    app.model.pane = PaneId::Logs;
    let screen = app.screen();
    assert!(screen.lines().last().unwrap().contains("the plan has the keys"), "{screen}");
    let frames = |screen: &str| screen.lines().filter(|l| l.starts_with("│ ╭ ") || l.starts_with("│ ╰─")).count();
    assert_eq!(frames(&screen), 2, "{screen}");
    app.press(KeyCode::Esc);
    assert_eq!(frames(&app.screen()), 0, "where a log stands no frame begins:\n{}", app.screen());
}

/// Text of any code points, more often of those that terminals disagree about.
fn odd(seed: &mut u64) -> String {
    let mut next = |below: u32| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((*seed >> 33) as u32) % below
    };
    let length = [3, 12, 60, 300][next(4) as usize];
    let one = |_| {
        let (from, to) = [
            (0, 0x11_0000),
            (0, 0x20),
            (0x7F, 0xA0),
            (0x20, 0x7F),
            (0x300, 0x370),
            (0x1100, 0x1200),
            (0x200B, 0x2070),
            (0x3000, 0xA000),
            (0xFE00, 0xFE10),
            (0xFF61, 0xFFA0),
            (0x1_F1E6, 0x1_FB00),
            (0xE_0000, 0xE_0200),
        ][next(12) as usize];
        char::from_u32(from + next(to - from)).unwrap_or('\u{FFFD}')
    };
    (0..length).map(one).collect()
}

/// Everything in a value that has a name, but ids, which tie it together, and states, which are none of it.
fn renamed(value: &mut serde_json::Value, seed: &mut u64) {
    const NAMES: &[&str] = &[
        "name",
        "namespace",
        "uid",
        "handler",
        "ip",
        "image",
        "reason",
        "message",
        "what",
        "path",
        "key",
        "parent",
        "snapshotter",
        "username",
        "tags",
        "digests",
    ];
    match value {
        serde_json::Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    serde_json::Value::String(text) if NAMES.contains(&key.as_str()) => *text = odd(seed),
                    serde_json::Value::Array(list) if NAMES.contains(&key.as_str()) => {
                        list.iter_mut().for_each(|text| *text = odd(seed).into());
                    }
                    serde_json::Value::Object(_) if matches!(key.as_str(), "labels" | "annotations") => {
                        *field = serde_json::json!({ (odd(seed)): odd(seed), "app": odd(seed) });
                    }
                    other => renamed(other, seed),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|v| renamed(v, seed)),
        _ => {}
    }
}

#[track_caller]
fn only_text_within_its_columns(app: &App, what: &str) {
    let (width, height) = app.model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(&app.model, frame)).unwrap();
    for cell in terminal.backend().buffer().content() {
        // What a cell has is what is written to the terminal.
        let bad = cell.symbol().chars().find(|c| c.is_control());
        assert!(bad.is_none(), "{what}: {:?}\n{}", cell.symbol(), app.screen());
    }
    for line in app.screen().lines() {
        let columns = unicode_width::UnicodeWidthStr::width(line);
        let framed = line.starts_with('│') || line.starts_with('╭') || line.starts_with('╰');
        assert!(columns <= usize::from(width), "{what}: {columns} columns: {line:?}");
        assert!(!framed || columns == usize::from(width), "{what}: {columns} columns: {line:?}\n{}", app.screen());
    }
}

#[test]
fn tui_06_random_text_in_every_pane_is_text_within_its_columns() {
    let whole = serde_json::to_value(inventory()).unwrap();
    for round in 0..24_u64 {
        let mut seed = round.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
        let mut value = whole.clone();
        renamed(&mut value, &mut seed);
        let seen: Inventory = serde_json::from_value(value).unwrap();
        let (width, height) = [(80, 24), (97, 30), (160, 48)][round as usize % 3];
        let mut app = App::new(width, height);
        app.send(Event::Inventory(Arc::new(seen)));
        for pane in "123456780".chars() {
            app.press(KeyCode::Char(pane));
            only_text_within_its_columns(&app, &format!("round {round}, pane {pane}"));
            let effects = app.keys("d");
            if let [.., Effect::Inspect { token, .. }] = effects[..] {
                let result = Ok(serde_json::json!({ "status": { (odd(&mut seed)): odd(&mut seed) } }));
                app.send(Event::Inspected { token, result });
            }
            only_text_within_its_columns(&app, &format!("round {round}, pane {pane}, described"));
            app.press(KeyCode::Esc);
        }
        app.send(Event::Failed(odd(&mut seed)));
        only_text_within_its_columns(&app, &format!("round {round}, a failure"));
        let effects = app.keys("3l");
        let token = effects.iter().find_map(|e| if let Effect::Logs { token, .. } = e { Some(*token) } else { None });
        let line = |text: String| LogLine { at: Some(now()), stderr: false, text: text.into(), place: None };
        let lines = (0..40).map(|_| (0, line(odd(&mut seed)))).collect();
        app.send(Event::Log { token: token.unwrap(), lines });
        for keys in ["", "w", "t"] {
            app.keys(keys);
            only_text_within_its_columns(&app, &format!("round {round}, logs {keys}"));
        }
        let (mut app, token) = super::exec::opened(width, height);
        for _ in 0..20 {
            super::exec::says(&mut app, token, odd(&mut seed).as_bytes());
            only_text_within_its_columns(&app, &format!("round {round}, a terminal"));
        }
    }
}

#[test]
fn tui_12_what_a_shell_did_to_the_terminal_ends_with_it() {
    let mut pty = start_as("shell", &[]);
    pty.until("cart-redis-0");
    pty.keys("3/envoy\r");
    pty.until("Containers 1/9");
    pty.keys("S");
    let begin = Instant::now();
    let said = |bytes: &[u8]| bytes.windows(SAYS.len()).position(|w| w == SAYS.as_bytes());
    while said(&pty.bytes).is_none() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{}", pty.screen());
        pty.read();
    }
    // What a terminal answers to the questions, with keys in it that would prune.
    pty.keys("\x1b[?62;22c\x1b[5;1R\x1bP1$r0m\x1b\\\x1b]52;c;UFlZWQ==\x07PY\rY");
    pty.until("the shell ended");
    let behind = &pty.bytes[said(&pty.bytes).unwrap() + SAYS.len()..];
    let text = String::from_utf8_lossy(behind).into_owned();
    let taken = text.find("\x1b[?1049h").expect("the app takes the screen again");
    let reset = &text[..taken];
    let modes = "?1049l ?1000l ?1002l ?1003l ?1006l ?1004l ?2004l ?25h ?1l ?6l ?7h [r [4l !p \x0f (B [0m";
    for mode in modes.split(' ') {
        assert!(reset.contains(mode), "{mode} is not reset in {reset:?}");
    }
    // No answer was taken for keys: no plan, no popup.
    let screen = pty.screen();
    assert!(screen.contains("Containers 1/9") && !screen.contains("Plan") && !screen.contains("stays"), "{screen}");
    pty.keys("q");
    assert!(ended(&mut pty.child, Duration::from_secs(10)).success());
}

/// How long a key takes to be on the screen, at best of several: what the machine does beside this is not the app's.
#[track_caller]
fn answered(pty: &mut Pty, keys: &[(&str, &str)]) -> Duration {
    let mut best = Duration::MAX;
    for (key, shown) in keys {
        assert!(!pty.screen().contains(shown), "{shown} is there already");
        let begin = Instant::now();
        pty.keys(key);
        pty.until(shown);
        best = best.min(begin.elapsed());
    }
    best
}

#[test]
fn tui_13_a_backend_that_hangs_holds_no_key_up() {
    let mut pty = start_as("hangs", &[]);
    pty.until("cart-redis-0");
    let panes = [("4", "KEEP"), ("5", "KIDS"), ("7", "OF THE FILESYSTEM"), ("3", "STATE"), ("8", "WHAT")];
    let best = answered(&mut pty, &panes);
    assert!(best < Duration::from_millis(50), "a key took {best:?}");
    pty.keys("3");
    pty.until("STATE");
    let mut best = Duration::MAX;
    for _ in 0..4 {
        pty.keys("d");
        pty.until("gives up");
        let begin = Instant::now();
        pty.keys("\x1b");
        pty.until_gone("gives up");
        best = best.min(begin.elapsed());
    }
    assert!(best < Duration::from_millis(100), "Esc took {best:?}");
    // Each call has an end.
    pty.keys("d");
    pty.until("gives up");
    pty.until("timeout after 10 s");
    pty.keys("q");
    pty.until("no answer");
    pty.keys("q");
    assert!(ended(&mut pty.child, Duration::from_secs(10)).success());
}

/// What stands behind the last time the screen was given back.
fn plain(pty: &Pty) -> String {
    let text = String::from_utf8_lossy(&pty.bytes).into_owned();
    let at = text.rfind("?1049l").expect("the screen is given back");
    text[at..].to_owned()
}

#[test]
fn tui_15_a_panic_in_any_view_is_told_on_a_plain_terminal() {
    for (at, pane) in panes::panes().iter().enumerate() {
        let mut pty = start_as(&format!("dies in {}", pane.name), &[]);
        // The pane it begins with needs no key.
        if pane.id != PaneId::Pods {
            pty.until("cart-redis-0");
            pty.keys(&if pane.id == PaneId::Exec { "T".to_owned() } else { ((at + 1) % 10).to_string() });
        }
        let begin = Instant::now();
        while pty.child.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(20), "{}: {}", pane.name, pty.screen());
            pty.read();
        }
        (0..20).for_each(|_| pty.read());
        assert!(!ended(&mut pty.child, Duration::from_secs(1)).success(), "{}", pane.name);
        let told = plain(&pty);
        assert!(told.contains("?25h") && told.contains("was asked to die"), "{}: {told:?}", pane.name);
        assert!(told.contains("src/tui/testing.rs:"), "where: {told:?}");
        assert_eq!(pty.mode(), pty.before, "{}", pane.name);
    }
}

#[test]
fn tui_15_a_worker_that_panics_is_told_and_the_screen_stays() {
    let mut pty = start_as("worker dies", &[]);
    pty.until("cart-redis-0");
    pty.keys("3d");
    pty.until("a part of wharf died");
    pty.keys("\x1b");
    pty.until_gone("gives up");
    // Everything else goes on.
    pty.keys("4");
    pty.until("KEEP");
    assert!(!String::from_utf8_lossy(&pty.bytes).contains("?1049l"), "the screen was given back");
    pty.keys("q");
    let begin = Instant::now();
    while pty.child.try_wait().unwrap().is_none() && begin.elapsed() < Duration::from_secs(10) {
        pty.read();
    }
    (0..20).for_each(|_| pty.read());
    assert!(ended(&mut pty.child, Duration::from_secs(1)).success());
    let told = plain(&pty);
    assert!(told.contains("the worker was asked to die") && told.contains("terminal.rs:"), "{told:?}");
}

#[test]
fn tui_15_a_reading_that_dies_is_tried_again() {
    let mut pty = start_as("reading dies", &[]);
    pty.until("cart-redis-0");
    pty.until("wharf's own reading died");
    pty.keys("8");
    pty.until("answers again");
    pty.keys("q");
    assert!(ended(&mut pty.child, Duration::from_secs(10)).success());
}
