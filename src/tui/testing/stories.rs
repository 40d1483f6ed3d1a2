//! What keys do, and above all what they do not.

use super::*;
use crate::tui::{
    model::{GRACE, Phase, Popup},
    panes::PaneId,
    text::SafeText,
};

/// Control sequences and look-alikes that a name or a log may carry.
const HOSTILE: &[&str] = &[
    "\x1b[31m",
    "\x1b[2J",
    "\x1b[?1049l",
    "\x1b]0;t\x07",
    "\x1b]52;c;QQ==\x07",
    "\x1b]8;;http://x\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gx\x1b\\",
    "\x1b^x\x1b\\",
    "\x1bXx\x1b\\",
    "\u{9b}31m",
    "\u{9d}0;t\u{9c}",
    "\x1b",
    "\r",
    "\n",
    "\x08\x08",
    "\x0e",
    "\x7f",
    "\0",
    "\x1bc",
    "\x1b[6n",
    "\x1b]1337;File=:\x07",
    "\u{202e}evil",
    "\u{2066}x\u{2069}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0041}",
    "\u{ad}",
    "e\u{301}\u{301}\u{301}",
    "日本語",
    "👩\u{200d}💻",
    "ﾊﾞ",
];

fn applied(effects: &[Effect]) -> bool {
    effects.iter().any(|e| {
        matches!(e, Effect::Apply { .. } | Effect::Exec { .. } | Effect::Terminal { .. } | Effect::Pull { .. })
    })
}

#[test]
fn tui_01_nothing_hostile_reaches_the_screen() {
    for text in HOSTILE {
        let mut seen = inventory();
        let evil = format!("a{text}b");
        if let Seen::At { value, .. } = &mut seen.pods {
            (value[0].name, value[0].namespace, value[0].ip) = (evil.clone(), evil.clone(), evil.clone());
            value[0].labels.insert(evil.clone(), evil.clone());
        }
        if let Seen::At { value, .. } = &mut seen.containers {
            (value[0].name, value[0].image) = (evil.clone(), evil.clone());
        }
        if let Seen::At { value, .. } = &mut seen.images {
            (value[0].tags, value[0].username) = (vec![evil.clone()], evil.clone());
        }
        if let Seen::At { value, .. } = &mut seen.conditions {
            value[1].message.clone_from(&evil);
        }
        for size in [(80, 24), (160, 48)] {
            let mut app = App::new(size.0, size.1);
            app.model.info.name.clone_from(&evil);
            app.model.info.endpoint.clone_from(&evil);
            app.send(Event::Inventory(Arc::new(seen.clone())));
            for pane in "123456789".chars() {
                app.press(KeyCode::Char(pane));
                app.send(Event::Failed(evil.clone()));
                let screen = app.screen();
                let bad =
                    screen.chars().find(|c| *c != '\n' && SafeText::new(&c.to_string()).as_str() != c.to_string());
                // A combining mark is kept on its base.
                assert!(
                    bad.is_none_or(|c| unicode_width::UnicodeWidthChar::width(c) == Some(0) && !c.is_control()),
                    "{text:?} in pane {pane}: {bad:?}"
                );
                for line in screen.lines().filter(|l| l.starts_with('│')) {
                    assert_eq!(unicode_width::UnicodeWidthStr::width(line), usize::from(size.0), "{line}");
                }
            }
        }
    }
}

#[test]
fn tui_07_a_key_acts_on_the_row_it_was_pressed_on() {
    let mut app = App::new(80, 24);
    app.keys("3");
    let row = app.model.selected().unwrap().clone();
    let effects = app.ctrl('d');
    let [Effect::Plan { action: Action::RemoveContainer { container }, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*container, row.id);
    let plan = Plan {
        action: Action::RemoveContainer { container: row.id.clone() },
        steps: vec![Planned {
            step: Step::RemoveContainer(row.id.clone()),
            what: row.name.clone(),
            reason: String::new(),
            frees: 0,
        }],
        keeps: vec![],
    };

    let mut changed = inventory();
    if let Seen::At { value, .. } = &mut changed.containers {
        value.iter_mut().find(|c| c.id == row.id).unwrap().attempt += 1;
    }
    app.send(Event::Inventory(Arc::new(changed)));
    app.planned(&effects, plan.clone());
    assert!(app.model.job.is_none() && app.screen().contains("changed"), "{}", app.screen());

    // The same, but it changes while the plan is on the screen.
    let effects = app.ctrl('d');
    app.planned(&effects, plan.clone());
    app.drawn();
    app.send(Event::Inventory(Arc::new(inventory())));
    assert!(!applied(&app.keys("Y")));
    assert!(app.model.job.is_none() && app.screen().contains("changed"));

    // And unchanged it starts, once Start is chosen: Cancel has the focus.
    let effects = app.ctrl('d');
    app.planned(&effects, plan.clone());
    app.drawn();
    assert!(!applied(&app.keys("\n")) && app.model.job.is_none());
    let effects = app.ctrl('d');
    app.planned(&effects, plan);
    app.drawn();
    app.press(KeyCode::Tab);
    assert!(applied(&app.keys("\n")));
}

#[test]
fn tui_07_a_vanished_row_takes_no_key() {
    let mut app = App::new(80, 24);
    app.keys("3j");
    let gone = app.model.selected().unwrap().id.clone();
    let mut fewer = inventory();
    if let Seen::At { value, .. } = &mut fewer.containers {
        value.retain(|c| c.id != gone);
    }
    app.send(Event::Inventory(Arc::new(fewer)));
    assert!(app.keys("d").is_empty());
    assert!(app.screen().contains("that row is gone"));
    app.keys("j");
    assert!(app.model.selected().is_some());
}

#[test]
fn tui_08_a_paste_presses_nothing() {
    for keys in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "?", "3\n", "P", "x", "X", "3/", ":", "+", "o"] {
        let mut app = App::new(80, 24);
        let effects = app.keys(keys);
        if effects.iter().any(|e| matches!(e, Effect::Plan { .. })) {
            app.planned(&effects, prune_plan());
            app.drawn();
        }
        app.clock += Duration::from_secs(1);
        let effects = app.send(Event::Paste("y\nY\nyes\n:q\n".into()));
        assert!(effects.is_empty(), "{keys}: {effects:?}");
        assert!(app.model.job.as_ref().is_none_or(|j| j.phase != Phase::Running));
    }
}

#[test]
fn tui_08_keys_older_than_the_dialog_press_nothing() {
    let mut app = App::new(80, 24);
    let effects = app.keys("P");
    assert!(app.keys("\n\nY").is_empty(), "nothing is there to press yet");
    app.planned(&effects, prune_plan());
    assert!(!applied(&app.keys("\n")), "not drawn yet");
    app.drawn();
    let soon = app.clock + Duration::from_millis(149);
    let enter = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
    assert!(!applied(&app.send(Event::Key(enter, soon))));
    assert!(applied(&app.keys("\n")));
}

#[test]
fn prune_starts_after_its_grace_and_can_be_called_off() {
    let mut app = App::new(80, 24);
    let effects = app.keys("P");
    app.planned(&effects, prune_plan());
    assert!(!applied(&app.wait(GRACE * 2)), "the grace begins when the plan is seen");
    app.drawn();
    assert!(!applied(&app.wait(GRACE - Duration::from_millis(1))));
    let effects = app.wait(Duration::from_millis(1));
    assert!(applied(&effects));
    assert!(!applied(&app.wait(GRACE)), "once");

    for key in [KeyCode::Esc, KeyCode::Char('u')] {
        let mut app = App::new(80, 24);
        let effects = app.keys("P");
        app.planned(&effects, prune_plan());
        app.drawn();
        app.press(key);
        assert!(app.model.job.is_none() && !applied(&app.wait(GRACE * 2)));
    }
    let mut app = App::new(80, 24);
    let effects = app.keys("p");
    app.planned(&effects, prune_plan());
    app.drawn();
    assert!(!applied(&app.wait(GRACE * 2)), "p starts nothing");
}

#[test]
fn a_plan_called_off_while_it_is_made_does_not_come_back() {
    let mut app = App::new(80, 24);
    let effects = app.keys("P");
    app.press(KeyCode::Esc);
    app.planned(&effects, prune_plan());
    assert!(app.model.popup.is_none() && app.model.job.is_none());
}

#[test]
fn read_only_changes_nothing() {
    for keys in ["2x", "2s", "2e", "2P", "3e", ":pull x\n", ":prune\n", "+"] {
        let mut app = App::new(80, 24);
        app.model.read_only = true;
        let effects = app.keys(keys);
        assert!(!effects.iter().any(|e| !matches!(e, Effect::Refresh(_))), "{keys}: {effects:?}");
    }
    for keys in ["2", "3", "4"] {
        let mut app = App::new(80, 24);
        app.model.read_only = true;
        app.keys(keys);
        assert!(app.ctrl('d').is_empty(), "{keys}");
    }
    let mut app = App::new(80, 24);
    app.model.read_only = true;
    let effects = app.keys("p");
    app.planned(&effects, prune_plan());
    app.drawn();
    app.press(KeyCode::Tab);
    assert!(!applied(&app.keys("\nY")), "a plan may be looked at");
}

#[test]
fn filter_narrows_while_typed_and_escape_brings_back() {
    let mut app = App::new(80, 24);
    app.keys("3/redis");
    assert_eq!(app.model.order.len(), 1);
    assert_eq!(app.model.selected().unwrap().name, "cart-redis-0/redis");
    app.press(KeyCode::Esc);
    assert_eq!(app.model.order.len(), 9);
    app.keys("/!redis\n");
    assert_eq!(app.model.order.len(), 8);
    app.press(KeyCode::Esc);
    assert_eq!(app.model.order.len(), 9);
    app.keys(":po kube-system\n");
    assert_eq!((app.model.pane, app.model.order.len()), (PaneId::Pods, 2));
}

#[test]
fn a_dead_runtime_keeps_its_data_and_says_their_age() {
    let mut app = App::new(80, 24);
    app.keys("3");
    let containers = Seen::Failed { error: "connect: connection refused".into(), at: now() };
    let dead = Inventory { containers, ..Inventory::default() };
    app.send(Event::Inventory(Arc::new(dead)));
    app.wait(Duration::from_secs(50));
    assert_eq!(app.model.rows.len(), 9);
    assert!(app.screen().contains("connection refused") && app.screen().contains("51s old"), "{}", app.screen());
    app.send(Event::Inventory(Arc::new(inventory())));
    assert!(app.model.dead().is_none());
}

#[test]
fn a_dead_runtime_is_shown_from_disk_until_it_answers() {
    let mut app = App::new(160, 48);
    app.keys("3");
    app.send(Event::Inventory(Arc::new(from_disk(false))));
    let screen = app.screen();
    assert!(screen.contains("runtime dead since") && screen.contains("shown from disk, 3s old"), "{screen}");
    assert!(screen.contains("from disk, 3s old (/run/containerd") && screen.contains("Exited ?"), "{screen}");
    // Nothing that needs the runtime is even asked for.
    for keys in ["x", "P", "+", ":pull a\n", ":plan\n"] {
        let effects = app.keys(keys);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Plan { .. } | Effect::Pull { .. })), "{keys}: {effects:?}");
        assert!(app.screen().contains("is not done"), "{keys}: {}", app.screen());
    }
    let effects = app.send(Event::Inventory(Arc::new(inventory())));
    assert!(effects.contains(&Effect::Refresh(Scope::ALL)), "{effects:?}");
    assert!(app.model.dead().is_none() && app.model.from_disk.is_empty());
    assert!(!app.screen().contains("from disk"), "{}", app.screen());
}

#[test]
fn what_was_seen_last_stays_where_the_disk_tells_less() {
    let mut app = App::new(160, 48);
    let mut less = from_disk(true);
    if let Seen::At { value, .. } = &mut less.images {
        value.truncate(1);
    }
    less.snapshots = Seen::Failed { error: "no bolt database".into(), at: now() };
    app.send(Event::Inventory(Arc::new(less)));
    assert_eq!(app.model.seen.images.value().map(Vec::len), Some(9));
    app.keys("4");
    assert!(app.screen().contains("stale for") && app.screen().contains("runtime hangs since"), "{}", app.screen());
    app.keys("5");
    assert!(app.screen().contains("no bolt database") && app.model.rows.len() == 4, "{}", app.screen());
    app.keys("2");
    assert!(app.screen().contains("from disk, 3s old"), "{}", app.screen());
    // A plan is never made of what the disk tells.
    let action = Action::StopPod { pod: app.model.seen.pods.value().unwrap()[0].id.clone() };
    let error = crate::client::action::plan(&action, &from_disk(true), now()).unwrap_err();
    assert!(error.to_string().contains("does not answer"), "{error:#}");
}

#[test]
fn tui_11_any_size_draws() {
    let mut app = App::new(80, 24);
    for keys in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "3\n", ":"] {
        app.keys(keys);
        for (width, height) in [(1, 1), (0, 0), (2, 50), (79, 24), (80, 23), (80, 24), (81, 25), (132, 24), (300, 100)]
        {
            app.send(Event::Resize(width, height));
            let screen = app.screen();
            assert_eq!(
                screen.contains("too small"),
                width >= 9 && height > 1 && (width < 80 || height < 24),
                "{width}x{height}"
            );
        }
        app.model.popup = None;
    }
}

#[test]
fn nothing_is_drawn_when_nothing_changed() {
    let mut app = App::new(80, 24);
    app.keys("4");
    app.model.dirty = false;
    app.wait(Duration::from_secs(1));
    app.send(Event::Inventory(Arc::new(inventory())));
    assert!(!app.model.dirty);
    app.keys("j");
    assert!(app.model.dirty);
}

#[test]
fn sort_cycles_and_reverses() {
    let mut app = App::new(160, 48);
    app.keys("4");
    let first = |app: &App| app.model.rows[app.model.order[0]].name.clone();
    assert_eq!(first(&app), "ghcr.io/example/actions-runner:2.329.0", "largest first");
    app.keys("r");
    assert_eq!(first(&app), "registry.k8s.io/pause:3.10.1");
    app.keys(">");
    assert_eq!((app.model.table().sort, app.model.table().reversed), (2, false));
}

#[test]
fn quitting_asks_while_a_plan_is_carried_out() {
    let mut app = App::new(80, 24);
    assert_eq!(app.keys("q"), [Effect::Quit]);
    assert_eq!(app.keys(":q\n"), [Effect::Quit]);
    let effects = app.keys("P");
    app.planned(&effects, prune_plan());
    app.drawn();
    app.keys("\n");
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert!(app.send(Event::Key(interrupt, app.clock)).is_empty());
    assert_eq!(app.send(Event::Key(interrupt, app.clock)), [Effect::Quit]);
    assert!(matches!(app.model.popup, Some(Popup::Job)));
}

fn settings(text: &str) -> Event {
    let path = std::path::Path::new("config.toml");
    Event::Settings(Box::new(crate::config::app::parse(path, text).map_err(|e| e.to_string())))
}

#[test]
fn settings_are_in_force_at_once_and_all_or_none() {
    let mut app = App::new(100, 30);
    app.send(settings("keymap = \"vim\"\n[keys]\nhelp = [\"H\"]\n[panes.pods]\nsort = \"age\"\nfilter = \"shop\"\n"));
    let screen = app.screen();
    assert!(screen.contains("AGE") && !screen.contains("coredns"), "{screen}");
    app.keys("H");
    assert!(app.screen().contains("Keys"), "help is on H");
    app.press(KeyCode::Esc);
    assert!(app.ctrl('d').is_empty() && app.model.popup.is_none(), "half a page down, no removal");
    app.send(settings("theme = \"pink\"\nkeymap = \"default\"\n"));
    assert!(app.screen().contains("no theme \"pink\""), "{}", app.screen());
    app.keys("H");
    assert!(app.screen().contains("Keys"), "what was in force stays");
    app.press(KeyCode::Esc);
    app.send(settings("theme = \"light\"\nascii = true\n"));
    assert_ne!(app.model.theme, Theme::default());
    app.send(settings(""));
    assert_eq!(app.model.theme, Theme::default(), "what the settings say no more is as it was");
    app.send(settings("read-only = true\n"));
    app.keys("P");
    assert!(app.screen().contains("read-only"), "{}", app.screen());
}

#[test]
fn what_others_say_does_not_push_an_answer_aside() {
    let mut app = App::new(100, 30);
    app.send(Event::ExecEnded(Ok(5)));
    app.send(Event::Note("something else happened".into()));
    assert!(app.screen().contains("the shell ended with 5"), "{}", app.screen());
    app.wait(Duration::from_secs(20));
    app.send(Event::Note("and another thing".into()));
    assert!(app.screen().contains("and another thing"), "{}", app.screen());
}
