//! Ways to what one looks for: palette, sort letters, marks, drilling in, the mouse.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::tui::{model::Popup, panes::PaneId};

fn click(app: &mut App, column: u16, row: u16) -> Vec<Effect> {
    let kind = MouseEventKind::Down(MouseButton::Left);
    app.send(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

fn first(app: &App) -> &str {
    &app.model.rows[app.model.order[0]].name
}

#[test]
fn a_letter_sorts_and_the_same_one_reverses() {
    let mut app = App::new(80, 24);
    app.keys("3om");
    assert_eq!(first(&app), "cart-redis-0/redis", "the most memory first");
    app.keys("om");
    assert_ne!(first(&app), "cart-redis-0/redis");
    app.keys("o");
    app.press(KeyCode::Esc);
    app.keys("q");
    assert!(!app.model.picking);
    app.keys(":sort name\n");
    assert_eq!(app.model.table().sort, 0);
}

#[test]
fn a_click_chooses_and_never_acts() {
    let mut app = App::new(80, 24);
    app.keys("3");
    assert_eq!(app.keys("M"), [Effect::Mouse(true)]);
    click(&mut app, 5, 6);
    assert_eq!(app.model.table().at, 2);
    let header = app.screen().lines().nth(3).unwrap().chars().position(|c| c == 'C').unwrap() as u16;
    click(&mut app, header, 3);
    let columns = crate::tui::panes::of(PaneId::Containers).columns;
    assert_eq!(columns[app.model.table().sort].name, "CPU");
    click(&mut app, header, 3);
    assert!(app.model.table().reversed);
    let tabs = app.screen().lines().nth(1).unwrap().find("4 Imgs").unwrap() as u16;
    click(&mut app, tabs + 1, 1);
    assert_eq!(app.model.pane, PaneId::Images);
    // Neither on a plan, nor anywhere outside.
    let effects = app.keys("P");
    app.planned(&effects, prune_plan());
    app.drawn();
    for row in 0..24 {
        for column in 0..80 {
            assert!(click(&mut app, column, row).is_empty());
        }
    }
    assert!(matches!(app.model.popup, Some(Popup::Job)));
    app.send(Event::Resize(10, 5));
    assert!(click(&mut app, 70, 20).is_empty());
}

#[test]
fn a_plan_is_about_all_that_are_marked() {
    let mut app = App::new(80, 24);
    app.keys("3  ");
    assert_eq!(app.model.table().marked.len(), 2);
    let effects = app.ctrl('d');
    let [Effect::Plan { action: Action::RemoveContainer { .. }, more, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(more.len(), 1);
    assert!(matches!(&app.model.popup, Some(Popup::Planning { aims, .. }) if aims.len() == 2));

    // One of them changed: nothing is done, as for a single one (TUI-07).
    let mut changed = inventory();
    if let Seen::At { value, .. } = &mut changed.containers {
        let marked = app.model.table().marked.iter().next().unwrap().clone();
        value.iter_mut().find(|c| c.id == marked).unwrap().attempt += 9;
    }
    app.send(Event::Inventory(Arc::new(changed)));
    app.planned(&effects, prune_plan());
    assert!(app.model.job.is_none() && app.screen().contains("changed"), "{}", app.screen());

    // A mark that the filter hides must not be acted on unseen.
    app.keys("/redis\n");
    assert!(app.ctrl('d').is_empty() && app.screen().contains("hidden"), "{}", app.screen());
    app.ctrl('\\');
    assert!(app.model.table().marked.is_empty());
    assert!(matches!(&app.ctrl('d')[..], [Effect::Plan { more, .. }] if more.is_empty()));
}

#[test]
fn a_pod_opens_into_its_containers_and_escape_goes_back() {
    let mut app = App::new(80, 24);
    app.keys("2/checkout\n\n");
    assert_eq!((app.model.pane, app.model.order.len()), (PaneId::Containers, 3));
    app.press(KeyCode::Esc);
    app.press(KeyCode::Esc);
    assert_eq!(app.model.pane, PaneId::Pods);
}

#[test]
fn the_palette_completes_recalls_and_chooses() {
    let mut app = App::new(80, 24);
    app.keys(":snp");
    app.press(KeyCode::Tab);
    assert_eq!(app.model.input.as_ref().unwrap().text, "snapshots ");
    app.keys("\n");
    assert_eq!(app.model.pane, PaneId::Snapshots);
    app.keys(":img checkout\n");
    assert_eq!((app.model.pane, app.model.order.len()), (PaneId::Images, 2));
    app.keys(":");
    app.press(KeyCode::Up);
    assert_eq!(app.model.input.as_ref().unwrap().text, "img checkout");
    app.press(KeyCode::Esc);
    app.keys(":ev");
    app.press(KeyCode::Down);
    app.keys("\n");
    assert_eq!(app.model.pane, PaneId::Events);
    app.keys(":theme light\n");
    assert_eq!(app.model.theme.palette, crate::tui::theme::Palette::Light);
    app.keys(":zzzz\n");
    assert!(app.screen().contains("no command or pane is called zzzz"));
}

#[test]
fn copying_is_bounded_and_only_by_key() {
    let mut app = App::new(80, 24);
    assert!(matches!(&app.keys("4c")[..], [.., Effect::Copy(name)] if name.starts_with("ghcr.io/")));
}

#[test]
fn what_happened_is_told() {
    let mut app = App::new(80, 24);
    let before = app.model.happened.count();
    let mut changed = inventory();
    if let Seen::At { value, .. } = &mut changed.containers {
        let redis = value.iter_mut().find(|c| c.name == "redis").unwrap();
        redis.state = ContainerState::Exited;
        redis.detail = Some(ContainerDetail {
            exit_code: 137,
            reason: "OOMKilled".into(),
            finished: Some(now()),
            ..ContainerDetail::default()
        });
        value.retain(|c| c.name != "envoy");
    }
    if let Seen::At { value, .. } = &mut changed.images {
        value.pop();
    }
    app.send(Event::Inventory(Arc::new(changed)));
    let told: Vec<String> =
        app.model.happened.iter().skip(before).map(|h| format!("{} {} {}", h.kind, h.name, h.what)).collect();
    assert_eq!(
        told,
        [
            "container cart-redis-0/redis OOMKilled, attempt 2",
            "container checkout-6b9f8d5c4-hw2zq/envoy attempt 0 was removed",
            "image registry.example.com/shop/checkout:2026.08.4 was removed",
        ]
    );
    app.send(Event::InventoryFailed { error: "timeout".into(), at: now() });
    app.send(Event::Inventory(Arc::new(inventory())));
    let last: Vec<String> =
        app.model.happened.iter().filter(|h| h.kind == "runtime").map(|h| h.what.to_string()).collect();
    assert_eq!(last, ["does not answer: timeout", "answers again"]);
    // A note is a message the first time, and an event every time.
    app.send(Event::Note("made".into()));
    assert!(app.model.toast.take().is_some());
    app.send(Event::Note("made".into()));
    assert!(app.model.toast.is_none());
    assert_eq!(app.model.happened.iter().filter(|h| h.kind == "note").count(), 2);
}

#[test]
fn the_tabs_count_what_came_without_a_whole_reading() {
    let read =
        |effects: &[Effect]| effects.iter().find_map(|e| if let Effect::Refresh(s) = e { Some(*s) } else { None });
    let mut app = App::new(160, 48);
    let (mut first, then) = (inventory(), inventory());
    // As a demo begins: nothing is there yet.
    first.images = at(Vec::new());
    first.snapshots = at(Vec::new());
    app.model.seen = Inventory::default();
    app.send(Event::Inventory(Arc::new(first)));
    assert!(app.screen().contains("4 Images 0") && app.screen().contains("5 Snapshots 0"), "{}", app.screen());
    // The runtime says that something changed: images are read with the rest.
    let scope = read(&app.send(Event::Changed)).unwrap();
    assert!(scope.images && !scope.snapshots, "{scope:?}");
    let part = Inventory { snapshots: Seen::NotAsked, disk: Seen::NotAsked, ..then.clone() };
    app.send(Event::Inventory(Arc::new(part)));
    assert!(app.screen().contains("4 Images 9"), "{}", app.screen());
    // Images came, so there are other snapshots: soon, and once.
    let scope = read(&app.wait(Duration::from_secs(6))).unwrap();
    assert!(scope.snapshots, "{scope:?}");
    app.send(Event::Inventory(Arc::new(Inventory { disk: Seen::NotAsked, ..then })));
    assert!(app.screen().contains("5 Snapshots 4"), "{}", app.screen());
    let scope = read(&app.wait(Duration::from_secs(6))).unwrap();
    assert!(!scope.snapshots, "{scope:?}");
}

#[test]
fn prose_names_the_keys_in_force() {
    let mut app = App::new(160, 48);
    let own = "[keys]\nmouse = [\"F5\"]\ncall-off = [\"F6\", \"F7\"]\npress = [\"F8\"]\nunmark = [\"F9\"]\ndiagnose = [\"F10\"]\n";
    let settings = crate::config::app::parse(std::path::Path::new("c"), own).map_err(|e| e.to_string());
    app.send(Event::Settings(Box::new(settings)));
    app.press(KeyCode::F(5));
    assert!(app.screen().contains("F5 gives it back"), "{}", app.screen());
    let effects = app.keys("P");
    app.planned(&effects, prune_plan());
    app.drawn();
    assert!(app.screen().contains("F6/F7 calls it off   F8 starts now"), "{}", app.screen());
    app.press(KeyCode::F(6));
    app.keys("3 /redis\n");
    app.ctrl('d');
    assert!(app.screen().contains("F9 drops the marks"), "{}", app.screen());
    app.send(Event::Inventory(Arc::new(from_disk(false))));
    app.keys("x");
    assert!(app.screen().contains("F10 finds out why"), "{}", app.screen());
}

#[test]
fn logs_of_before_of_all_and_since() {
    let mut app = App::new(80, 24);
    app.keys("3");
    let containers = |effects: &[Effect]| match effects {
        [.., Effect::Logs { containers, since, .. }] => (containers.clone(), *since),
        other => panic!("{other:?}"),
    };
    let (newest, since) = containers(&app.keys("l"));
    assert_eq!((newest, since), (vec![id("ctr", 3)], None));
    assert_eq!(containers(&app.keys("p")).0, [id("ctr", 4)]);
    assert!(app.screen().contains("checkout #16"));
    assert!(app.keys("p").is_empty() && app.screen().contains("the oldest that is still here"));
    assert_eq!(containers(&app.keys("b")).1, Some(app.model.now - Duration::from_secs(60)));
    app.keys("bbb");
    assert_eq!(containers(&app.keys("b")).1, Some(UNIX_EPOCH));
    assert_eq!(containers(&app.keys("b")).1, None);
    let (merged, _) = containers(&app.keys("a"));
    assert_eq!(merged, [id("ctr", 4), id("ctr", 5)]);
    assert_eq!(containers(&app.keys("a")).0, [id("ctr", 4)]);
}

#[test]
fn a_log_is_saved_and_copied_as_it_is_filtered() {
    let mut app = App::new(80, 24);
    let effects = app.keys("3l");
    let token = effects.iter().find_map(|e| if let Effect::Logs { token, .. } = e { Some(*token) } else { None });
    let lines = log_lines().into_iter().map(|l| (0, l)).collect();
    app.send(Event::Log { token: token.unwrap(), lines });
    app.keys("/retrying\n");
    let saved = app.ctrl('s');
    let [Effect::Save { file: None, name, bytes }] = &saved[..] else { panic!("{saved:?}") };
    assert!(name.starts_with("wharf-log-") && !name.contains('/'), "{name}");
    assert_eq!(bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count(), 5);
    assert!(matches!(&app.keys(":save /tmp/x\n")[..], [Effect::Save { file: Some(_), .. }]));
    assert!(matches!(&app.keys("c")[..], [Effect::Copy(text)] if text.lines().count() == 5));
}
