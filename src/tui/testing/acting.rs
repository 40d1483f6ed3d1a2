//! Restarts, images that are run, names, pins, collections: asked for by keys and words, offered where the
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
        (":tag r.example/a@sha256:00\n", "a digest is an"),
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
    for typed in [
        ":restart\n",
        ":run r.example/a:1\n",
        "R",
        "n",
        ":tag r.example/a:1\n",
        ":pin\n",
        ":unpin\n",
        ":gc\n",
        "*",
        "t",
    ] {
        let mut app = App::new(80, 24);
        app.model.read_only = true;
        at_the_old_image(&mut app);
        assert!(app.keys(typed).is_empty(), "{typed}");
        assert!(app.screen().contains("read-only: "), "{typed}: {}", app.screen());
        assert!(app.model.job.is_none() && app.model.input.is_none());
    }
}

fn kubelets(seen: &mut Inventory, n: usize) {
    if let Seen::At { value, .. } = &mut seen.containers {
        value[n].annotations =
            map(&[("io.kubernetes.container.hash", "1c0a"), ("io.kubernetes.pod.terminationGracePeriod", "45")]);
    }
}

fn running(app: &mut App, name: &str) -> String {
    app.keys(&format!("3/{name} state=running\n"));
    app.model.selected().unwrap_or_else(|| panic!("{}", app.screen())).id.clone()
}

#[test]
fn a_restart_is_the_kubelets_where_one_looks_after_it_and_made_anew_where_nobody_does() {
    let mut app = App::new(120, 30);
    let id = running(&mut app, "redis");
    let effects = app.keys("R");
    let plan = answer(&mut app, &effects, &of("containerd", "2.3.1")).unwrap();
    let grace = DEFAULT_GRACE;
    assert_eq!(plan.steps[0].step, Step::Restart { container: id.clone(), grace, attempt: 3 });
    assert!(app.screen().contains("the old one goes when that runs"), "{}", app.screen());
    app.keys("u");

    let restart = Action::RestartContainer { container: id.clone() };
    let mut seen = of("containerd", "2.3.1");
    kubelets(&mut seen, 6);
    let refused = |seen: &Inventory| format!("{:#}", action::plan(&restart, seen, now()).unwrap_err());
    assert!(refused(&seen).contains("was not looked at"));
    seen.kubelet = at(false);
    assert!(refused(&seen).contains("no kubelet runs here"));
    seen.kubelet = at(true);
    let effects = app.keys(":restart\n");
    let plan = answer(&mut app, &effects, &seen).unwrap();
    assert_eq!(plan.steps[0].step, Step::StopContainer(id.clone(), Duration::from_secs(45)));
    assert!(app.screen().contains("the kubelet starts it again"), "{}", app.screen());
    // CRI-O can do that, and not the other.
    let mut crio = of("cri-o", "1.36.0");
    assert!(refused(&crio).contains("is not told by cri-o"));
    (crio.kubelet, crio.containers) = (at(true), seen.containers.clone());
    assert!(action::plan(&restart, &crio, now()).is_ok());
}

#[test]
fn a_pod_is_restarted_as_a_whole_and_only_its_newest_attempts() {
    let seen = of("wharf", "0.1.0");
    let pods = seen.pods.value().unwrap();
    let plan = |seen: &Inventory, n: usize| {
        action::plan(&Action::RestartPod { pod: pods[n].id.clone() }, seen, now()).map_err(|e| format!("{e:#}"))
    };
    let steps = plan(&seen, 3).unwrap().steps;
    let attempts: Vec<u32> = steps
        .iter()
        .map(|s| match s.step {
            Step::Restart { attempt, .. } => attempt,
            _ => panic!("{s:?}"),
        })
        .collect();
    assert_eq!(attempts, [18, 1], "checkout's newest and envoy");
    assert!(plan(&seen, 5).unwrap_err().contains("has ended"));
    let old = Action::RestartContainer { container: seen.containers.value().unwrap()[4].id.clone() };
    assert!(action::plan(&old, &seen, now()).unwrap_err().to_string().contains("newer attempt, 17"));
    let mut kept = Inventory { kubelet: at(true), ..seen.clone() };
    kubelets(&mut kept, 5);
    assert_eq!(plan(&kept, 3).unwrap().steps[0].step, Step::StopPod(pods[3].id.clone()));
}

#[test]
fn several_are_restarted_by_one_plan() {
    let mut app = App::new(120, 30);
    app.keys("3/state=running\n");
    app.keys("  ");
    let effects = app.keys("R");
    let [Effect::Plan { action: Action::RestartContainer { .. }, more, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(more.len(), 1);
    let plan = answer(&mut app, &effects, &of("wharf", "0.1.0")).unwrap();
    assert_eq!(plan.steps.len(), 2);
    assert!(app.screen().contains("Plan: restart 2 objects"), "{}", app.screen());
    // What changed since stays as it is.
    let mut changed = inventory();
    if let Seen::At { value, .. } = &mut changed.containers {
        value.iter_mut().for_each(|c| c.attempt += 1);
    }
    app.send(Event::Inventory(Arc::new(changed)));
    assert!(app.keys("Y").is_empty() && app.screen().contains("nothing done"), "{}", app.screen());
}

#[test]
fn an_image_is_run_by_a_plan_and_pulled_if_it_is_not_here() {
    let mut app = App::new(100, 30);
    assert!(app.keys(":run\n").is_empty() && app.screen().contains("run what?"));
    let effects = app.keys(":run docker.io/library/redis:8.2-alpine redis-server --save ''\n");
    let plan = answer(&mut app, &effects, &inventory()).unwrap();
    let [
        Planned { step: Step::RunPod(a), .. },
        Planned { step: Step::CreateContainer(b), .. },
        Planned { step: Step::StartContainer(c), .. },
    ] = &plan.steps[..]
    else {
        panic!("{plan:?}")
    };
    assert!(a == b && b == c && a.command == ["redis-server", "--save", ""], "{a:?}");
    assert!(a.name.starts_with("redis-") && a.uid.len() == 36, "{a:?}");
    assert!(app.screen().contains("no kubelet knows it"), "{}", app.screen());
    app.keys("u");
    // Another time it is another pod.
    let effects = app.keys(":run docker.io/library/redis:8.2-alpine\n");
    let again = answer(&mut app, &effects, &inventory()).unwrap();
    let Action::Run(again) = &again.action else { panic!("{again:?}") };
    assert!(again.name != a.name && again.uid != a.uid, "{again:?}");
    app.keys("u");
    let effects = app.keys(":run docker.io/library/nginx\n");
    let plan = answer(&mut app, &effects, &inventory()).unwrap();
    assert_eq!(plan.steps[0].step, Step::PullImage("docker.io/library/nginx".into()));
    app.keys("u");
    let effects = app.keys(":run nginx\n");
    assert!(answer(&mut app, &effects, &inventory()).unwrap_err().contains("says no registry"));
    // The key takes the image of the row.
    app.press(KeyCode::Esc);
    app.keys("4/2026.08\nn");
    assert_eq!(app.model.input.as_ref().unwrap().text, "run registry.example.com/shop/checkout:2026.08.4 ");
}
