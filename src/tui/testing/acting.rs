//! What is done to an image beside pulling and removing it, and collections: asked for by keys and words, offered where the
//! runtime can.

use super::*;
use crate::{client::action, tui::model::Phase};

/// The plan that the app would get for what it asked for.
pub fn answer(app: &mut App, effects: &[Effect], seen: &Inventory) -> Result<Plan, String> {
    let Some(Effect::Plan { token, action, more }) = effects.first() else { panic!("no plan: {effects:?}") };
    let made = action::plan(action, seen, now()).map_err(|e| format!("{e:#}"));
    let made = made.and_then(|mut whole| {
        for action in more {
            let part = action::plan(action, seen, now()).map_err(|e| format!("{e:#}"))?;
            whole.steps.extend(part.steps);
            whole.keeps.extend(part.keeps);
        }
        Ok(whole)
    });
    app.send(Event::Planned { token: *token, result: made.clone() });
    app.drawn();
    made
}

pub fn of(name: &str, version: &str) -> Inventory {
    let info = RuntimeInfo { name: name.into(), version: version.into(), ..RuntimeInfo::default() };
    Inventory { info: Some(info), ..inventory() }
}

fn at_the_old_image(app: &mut App) -> String {
    app.keys("4/2026.08\n");
    app.model.selected().unwrap().id.clone()
}

#[test]
fn a_name_is_given_by_one_door_and_only_a_whole_one() {
    let mut app = App::new(80, 24);
    let id = at_the_old_image(&mut app);
    for (typed, why) in [
        (":tag\n", "tag as what?"),
        (":tag nginx\n", "says no registry"),
        (":tag r.example/UPPER:1\n", "lower-case"),
        (":tag r.example/a@sha256:00\n", "no other can have it"),
        (":tag r.example/a:x/../y\n", "lower-case"),
        (":tag r.example/a:\n", "a tag is"),
    ] {
        assert!(app.keys(typed).is_empty(), "{typed}");
        assert!(app.screen().contains(why), "{typed}: {}", app.screen());
    }
    let effects = app.keys(":tag r.example/shop/checkout\n");
    let plan = answer(&mut app, &effects, &of("containerd", "2.3.1")).unwrap();
    let name = "r.example/shop/checkout:latest".to_owned();
    assert_eq!(plan.steps[0].step, Step::TagImage { image: id.clone(), name, from: None });
    let [Effect::Apply { token, .. }] = app.keys("Y")[..] else { panic!("not started") };
    app.send(Event::StepDone { token, step: 0, result: Ok(String::new()) });
    assert!(app.screen().contains("done, 1 step"), "{}", app.screen());
    // A name that another has goes over, and the plan says from whom.
    let effects = app.keys("\n:tag registry.example.com/shop/checkout:2026.09.1\n");
    let plan = answer(&mut app, &effects, &inventory()).unwrap();
    let from = inventory().images.value().unwrap()[4].id.clone();
    assert!(matches!(&plan.steps[0].step, Step::TagImage { from: Some(f), .. } if *f == from), "{plan:?}");
    assert!(app.screen().contains("the name goes over from image"), "{}", app.screen());
    let mut app = App::new(80, 24);
    let effects = at_the_old_image(&mut app);
    assert!(!effects.is_empty());
    assert!(app.keys("2:tag r.example/a:1\n").is_empty());
    assert!(app.screen().contains("only images"), "{}", app.screen());
}

#[test]
fn a_pin_is_put_and_taken_and_what_is_so_already_stays() {
    let mut app = App::new(80, 24);
    let id = at_the_old_image(&mut app);
    let effects = app.keys("*");
    let plan = answer(&mut app, &effects, &of("containerd", "2.3.1")).unwrap();
    assert_eq!(plan.steps[0].step, Step::PinImage { image: id, pinned: true });
    assert!(matches!(app.model.job.as_ref().unwrap().phase, Phase::Review(false)), "nothing by itself");
    app.keys("u");
    // The pause image is pinned: the key takes the pin of it, the word says what it means.
    app.press(KeyCode::Esc);
    app.keys("4/pause\n");
    let effects = app.keys("*");
    let plan = answer(&mut app, &effects, &inventory()).unwrap();
    assert!(matches!(&plan.steps[0].step, Step::PinImage { pinned: false, .. }), "{plan:?}");
    app.keys("u");
    let effects = app.keys(":pin\n");
    let plan = answer(&mut app, &effects, &inventory()).unwrap();
    assert!(plan.steps.is_empty() && plan.keeps[0].why == "it is pinned already", "{plan:?}");
}

#[test]
fn a_collection_says_before_what_it_would_free_and_after_what_it_did() {
    let mut app = App::new(80, 24);
    let effects = app.keys(":gc\n");
    let garbage = Garbage { blobs: 3, snapshots: 1, leases: 0, bytes: 5 << 20 };
    let seen = Inventory { garbage: at(garbage), ..of("wharf", "0.1.0") };
    let plan = answer(&mut app, &effects, &seen).unwrap();
    assert_eq!((plan.frees(), &plan.steps[0].step), (5 << 20, &Step::Collect));
    assert!(app.screen().contains("3 blobs, 1 snapshot: 5 MiB"), "{}", app.screen());
    let [Effect::Apply { token, .. }] = app.keys("Y")[..] else { panic!("not started") };
    app.send(Event::StepDone { token, step: 0, result: Ok("freed 2 blobs: 4 MiB\x1b[2J".into()) });
    let screen = app.screen();
    assert!(screen.contains("freed 2 blobs: 4 MiB") && !screen.contains('\x1b'), "{screen}");
}

#[test]
fn what_a_runtime_cannot_do_is_not_offered_and_the_reason_is_said() {
    let offers = [
        ("cri-o", "1.36.0", ":tag r.example/a:1\n", "CRI-O has no call for it"),
        ("cri-o", "1.36.0", "*", "pinned_images"),
        ("cri-o", "1.36.0", ":gc\n", "keeps no garbage"),
        ("containerd", "1.6.20~ds1", ":pin\n", "knows no pins"),
        ("containerd", "v1.7.2", "*", "knows no pins"),
        ("docker", "27", ":gc\n", "docker has no call for it"),
    ];
    for (name, version, typed, why) in offers {
        let mut app = App::new(120, 40);
        (app.model.info.name, app.model.info.version) = (name.into(), version.into());
        at_the_old_image(&mut app);
        assert!(app.keys(typed).is_empty(), "{name} {typed}");
        assert!(app.screen().contains(why), "{name} {typed}: {}", app.screen());
        let word = typed.trim().trim_start_matches(':').split(' ').next().unwrap().replace('*', "pin");
        app.keys(&format!(":{word}"));
        assert!(app.screen().contains("not offered: "), "{}", app.screen());
    }
    for version in ["1.6.22", "1.7.3", "v2.3.4"] {
        let mut app = App::new(80, 24);
        app.model.info.version = version.into();
        at_the_old_image(&mut app);
        assert!(matches!(app.keys("*")[..], [Effect::Plan { .. }]), "{version}");
    }
    // Nor is it planned, whoever asks.
    let pin = Action::PinImage { image: inventory().images.value().unwrap()[8].id.clone(), pinned: true };
    let refused = action::plan(&pin, &of("cri-o", "1.36.0"), now()).unwrap_err();
    assert!(refused.is(crate::error::Kind::Unimplemented), "{refused:#}");
    assert!(action::plan(&pin, &of("containerd", "2.3.4"), now()).is_ok());
}

#[test]
fn nothing_of_it_is_done_in_read_only_mode() {
    for typed in [":tag r.example/a:1\n", ":pin\n", ":unpin\n", ":gc\n", "*", "t"] {
        let mut app = App::new(80, 24);
        app.model.read_only = true;
        at_the_old_image(&mut app);
        assert!(app.keys(typed).is_empty(), "{typed}");
        assert!(app.screen().contains("read-only: "), "{typed}: {}", app.screen());
        assert!(app.model.job.is_none() && app.model.input.is_none());
    }
}
