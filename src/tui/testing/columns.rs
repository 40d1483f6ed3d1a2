//! Columns chosen, put in another order, kept and forgotten.

use super::*;
use crate::{
    config::app,
    tui::{model::Popup, panes::PaneId},
};

/// The names in the header of the table.
fn header(app: &App) -> Vec<String> {
    let screen = app.screen();
    // Without the facts that may stand beside it.
    let line = screen.lines().nth(3).and_then(|l| l.split("││").next()).unwrap_or_default();
    let names = line.split("  ").map(|w| w.trim_matches(['│', '╮', '╭', '↑', '↓', ' ']));
    names.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn kept(effects: &[Effect]) -> (&str, Option<app::Pane>) {
    match effects {
        [.., Effect::Keep { pane, settings }] => (pane, settings.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn columns_are_chosen_and_ordered() {
    let mut app = App::new(80, 24);
    app.keys("2");
    assert_eq!(header(&app), ["NAME", "NAMESPACE", "STATUS", "CTRS", "RST", "AGE"], "what is for wide tables is off");
    app.keys("C");
    let screen = app.screen();
    assert!(screen.contains("Columns of Pods") && screen.contains("no room; from 96 cells on"), "{screen}");
    assert!(screen.contains("Space show or not") && screen.contains("S save"), "{screen}");
    // Without the namespace there is room for more.
    app.keys("j ");
    app.press(KeyCode::Esc);
    let shown = header(&app);
    assert!(!shown.contains(&"NAMESPACE".to_owned()) && shown.contains(&"CPU".to_owned()), "{shown:?}");
    // The age first.
    app.keys("C");
    app.keys("jjjjjjjj");
    let Some(Popup::Columns { at, .. }) = app.model.popup else { panic!("{:?}", app.model.popup) };
    assert_eq!(at, 8);
    app.keys("KKKKKKKKKK");
    app.press(KeyCode::Esc);
    assert_eq!(header(&app)[..2], ["AGE", "NAME"]);
    // The last one stays.
    let mut app = App::new(80, 24);
    app.keys("7C j j j j j j ");
    assert_eq!(header(&app), ["WHERE"], "{}", app.screen());
    assert!(app.screen().contains("one column at least"), "{}", app.screen());
    // Panes without a table have none.
    app.press(KeyCode::Esc);
    app.keys("1C");
    assert!(app.model.popup.is_none());
}

#[test]
fn sorting_goes_over_the_columns_that_are_there() {
    let mut app = App::new(80, 24);
    app.keys("2:columns\nj ");
    app.press(KeyCode::Esc);
    let names = |app: &App| crate::tui::panes::of(PaneId::Pods).columns[app.model.table().sort].name;
    assert_eq!(names(&app), "STATUS");
    app.keys("<");
    assert_eq!(names(&app), "NAME", "not by one that is hidden");
    app.keys("<");
    assert!(header(&app).last().is_some_and(|last| last == names(&app)), "round the end");
    // By the popup's cursor, and turned round.
    app.keys("Cjo");
    assert_eq!((names(&app), app.model.table().reversed), ("STATUS", false));
    app.keys("o");
    assert!(app.model.table().reversed && app.screen().contains("sorted by"), "{}", app.screen());
}

#[test]
fn what_was_kept_is_there_again_and_can_be_forgotten() {
    let mut app = App::new(160, 48);
    app.keys("2/shop\n");
    app.keys("CjJ");
    app.keys("jo");
    let effects = app.keys("S");
    let (pane, settings) = kept(&effects);
    let settings = settings.unwrap();
    assert_eq!((pane, settings.filter.as_deref()), ("pods", Some("shop")));
    assert_eq!(settings.columns.as_deref().map(|c| c[..4].join(" ")).as_deref(), Some("name status namespace ctrs"));
    assert_eq!(settings.sort.as_deref(), Some("ctrs"));
    let shown = header(&app);

    // Another day: over what the settings say, and what another version knew is left out.
    let mut other = App::new(160, 48);
    let mut wanted =
        app::parse(std::path::Path::new("c"), "[panes.pods]\nsort = \"age\"\ncolumns = [\"id\"]\n").unwrap();
    let mut more = settings.clone();
    more.columns.as_mut().unwrap().push("aura".into());
    wanted.kept = BTreeMap::from([("pods".to_owned(), more), ("auras".to_owned(), settings)]);
    other.send(Event::Settings(Box::new(Ok(wanted))));
    assert_eq!(header(&other), shown);
    assert_eq!(other.model.order.len(), 3);
    // In the settings themselves a name that is none is an error.
    let wrong = app::parse(std::path::Path::new("c"), "[panes.pods]\ncolumns = [\"aura\"]\n").unwrap();
    other.send(Event::Settings(Box::new(Ok(wrong))));
    assert!(other.screen().contains("has no column \"aura\""), "{}", other.screen());

    let effects = other.keys("CR");
    assert_eq!(kept(&effects), ("pods", None));
    other.press(KeyCode::Esc);
    let fresh = App::new(160, 48);
    assert_eq!((header(&other), other.model.order.len()), (header(&fresh), 7));
}

#[test]
fn the_mouse_finds_chosen_columns_by_their_places() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let mut app = App::new(80, 24);
    app.keys("2CjjKK");
    app.press(KeyCode::Esc);
    assert_eq!(header(&app)[..2], ["STATUS", "NAME"]);
    app.keys("M");
    let at = app.screen().lines().nth(3).unwrap().chars().position(|c| c == 'A').unwrap() as u16;
    let kind = MouseEventKind::Down(MouseButton::Left);
    app.send(Event::Mouse(MouseEvent { kind, column: at, row: 3, modifiers: KeyModifiers::NONE }));
    let names = |app: &App| crate::tui::panes::of(PaneId::Pods).columns[app.model.table().sort].name;
    assert_eq!((names(&app), app.model.table().reversed), ("STATUS", true));
    let column = app.screen().lines().nth(3).unwrap().find("NAME").unwrap() as u16;
    app.send(Event::Mouse(MouseEvent { kind, column: column.min(30), row: 3, modifiers: KeyModifiers::NONE }));
    assert_eq!(names(&app), "NAME");
}
