//! Runbooks in the app: a sick pod's key opens the right one, steps come in as they are judged, a fix becomes a plan.

use super::*;
use crate::{
    client::{
        action::Action,
        change::{Change, Edit, Restart},
    },
    runbook::{Finding, Fix, Risk, RunEvent, StepReport, Verdict, named},
    tui::panes::PaneId,
};

fn step(book: &str, check: &str, finding: Finding) -> RunEvent {
    let guide = named(book).unwrap().steps.iter().find(|s| s.check.id == check).unwrap();
    let title = guide.check.title.to_owned();
    let step = StepReport { check: check.into(), title, finding, command: format!("look at {check}") };
    RunEvent::Judged { book: book.into(), step: Box::new(step) }
}

fn edit() -> Change {
    let (old, new) = ("a = 1\nSystemdCgroup = false\n", "a = 1\nSystemdCgroup = true\n");
    Change::Edit(Edit {
        path: "/etc/containerd/config.toml".into(),
        old: Some(old.into()),
        new: new.into(),
        check: Vec::new(),
    })
}

fn mismatch() -> Finding {
    let title = "set SystemdCgroup = true".to_owned();
    let action = Action::Mend { title: title.clone(), changes: vec![edit()] };
    Finding::cause("cgroup-driver-mismatch", "the kubelet uses systemd, but handler runc uses cgroupfs")
        .cite("kubelet: systemd", "/var/lib/kubelet/config.yaml line 12")
        .fix(Fix { title, risk: Risk::Restarts, action })
}

/// An app in which the cgroup runbook has found a mismatch.
fn examined() -> App {
    examined_on(120, 30)
}

fn examined_on(width: u16, height: u16) -> App {
    let mut app = App::new(width, height);
    app.keys("0jj");
    let effects = app.press(KeyCode::Enter);
    let token = effects.iter().find_map(|e| match e {
        Effect::Examine { token, books, .. } if books[0].id == "cgroup-driver" => Some(*token),
        _ => None,
    });
    let token = token.unwrap_or_else(|| panic!("{effects:?}"));
    app.send(Event::Run { token, event: step("cgroup-driver", "kubelet-driver", Finding::pass("kubelet: systemd")) });
    app.send(Event::Run { token, event: step("cgroup-driver", "driver-agreement", mismatch()) });
    app
}

#[test]
fn steps_come_in_and_a_verdict_stands_at_the_end() {
    let mut app = examined();
    let screen = app.screen();
    assert!(screen.contains("kubelet: systemd") && screen.contains('…'), "{screen}");
    let token = app.model.books.token;
    let cause = Some("cgroup-driver-mismatch".to_owned());
    app.send(Event::Run {
        token: token + 7,
        event: RunEvent::Concluded { book: "x".into(), verdict: Verdict::Pass, cause: None },
    });
    app.send(Event::Run {
        token,
        event: RunEvent::Concluded { book: "cgroup-driver".into(), verdict: Verdict::Fail, cause },
    });
    assert!(app.screen().contains("not needed any more"), "{}", app.screen());
    app.press(KeyCode::Esc);
    let screen = app.screen();
    assert!(
        screen.contains("fail") && screen.contains("handler runc uses cgroupfs") && screen.contains("Disk full"),
        "{screen}"
    );
    assert!(!app.model.books.runs.contains_key("x"));
}

#[test]
fn a_step_is_explained_and_its_fix_shows_the_diff_before_anything_is_done() {
    let mut app = examined();
    app.keys("jj\n");
    let screen = app.screen();
    for word in ["Why it matters", "The decisive comparison", "look at driver-agreement", "config.yaml line 12"] {
        assert!(screen.contains(word), "{word}: {screen}");
    }
    // What the text names a key for is done from there.
    let effects = app.keys("c");
    let copied = |e: &Effect| matches!(e, Effect::Copy(text) if text == "look at driver-agreement");
    assert!(effects.iter().any(copied) && screen.contains("f fix"), "{effects:?}: {screen}");
    let effects = app.keys("f");
    let [Effect::Plan { token, .. }] = &effects[..] else { panic!("{effects:?}") };
    let planned = Planned { step: Step::Change(edit()), what: edit().what(), reason: edit().reason(), frees: 0 };
    let action = Action::Mend { title: "t".into(), changes: vec![edit()] };
    let plan = Plan { action, steps: vec![planned], keeps: Vec::new() };
    app.send(Event::Planned { token: *token, result: Ok(plan) });
    let screen = app.screen();
    assert!(screen.contains("-SystemdCgroup = false") && screen.contains("+SystemdCgroup = true"), "{screen}");
    app.drawn();
    let effects = app.keys("Y");
    let token = match &effects[..] {
        [Effect::Apply { token, steps }] if matches!(steps[..], [Step::Change(_)]) => *token,
        other => panic!("{other:?}"),
    };
    // Done: the same runbook runs again and proves it.
    let effects = app.send(Event::StepDone { token, step: 0, result: Ok(String::new()) });
    assert!(effects.iter().any(|e| matches!(e, Effect::Examine { .. })), "{effects:?}");
}

#[test]
fn the_finding_of_a_step_stands_below_where_there_is_no_room_beside() {
    let mut app = examined_on(80, 24);
    app.keys("jj");
    let screen = app.screen();
    let below = screen.lines().skip(9).collect::<Vec<_>>().join("\n");
    for word in ["the kubelet uses systemd, but handler runc uses cgroupfs", "cgroup-driver-mismatch", "line 12"] {
        assert!(below.contains(word), "{word}: {screen}");
    }
}

#[test]
fn cfg_07_a_restart_that_ends_containers_wants_their_number_typed() {
    let mut app = examined();
    app.keys("jj\n");
    app.press(KeyCode::Esc);
    let effects = app.keys("f");
    let [Effect::Plan { token, .. }] = &effects[..] else { panic!("{effects:?}") };
    let (unit, endpoint) = ("containerd.service".to_owned(), "unix:///x".to_owned());
    let change = Change::Restart(Restart { unit, endpoint, undo: None, kills: Some(17) });
    let planned =
        Planned { step: Step::Change(change.clone()), what: change.what(), reason: change.reason(), frees: 0 };
    let action = Action::Mend { title: "restart".into(), changes: vec![change] };
    app.send(Event::Planned { token: *token, result: Ok(Plan { action, steps: vec![planned], keeps: Vec::new() }) });
    app.drawn();
    let screen = app.screen();
    assert!(screen.contains("17 running containers END") && screen.contains("type 17"), "{screen}");
    let applies = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::Apply { .. }));
    for wrong in ["Y", "1Y", "18Y", "171Y"] {
        assert!(!applies(&app.keys(wrong)), "{wrong}");
        assert!(app.screen().contains("17 containers end"), "{}", app.screen());
    }
    assert!(applies(&app.keys("17Y")));
}

#[test]
fn a_sick_pod_opens_its_runbook_with_what_is_known_of_it() {
    let mut app = App::new(120, 30);
    app.keys("2/runner\n");
    let effects = app.keys("!");
    assert_eq!(app.model.pane, PaneId::Runbooks);
    let params =
        effects.iter().find_map(|e| if let Effect::Examine { params, .. } = e { Some(params.clone()) } else { None });
    let params = params.unwrap();
    assert!(params.contains_key("pod") && params.contains_key("namespace"), "{params:?}");
    // On a row of a container that exited for memory, the incidents.
    app.keys("3");
    let oom = app.model.rows.iter().position(|r| r.cells.iter().any(|c| c.text.as_str().contains("OOM")));
    let oom = app.model.rows[oom.expect("the fixture has one")].id.clone();
    app.model.tables.get_mut(&PaneId::Containers).unwrap().selected = Some(oom);
    app.keys("!");
    assert_eq!(app.model.books.open, Some("incidents"));
    assert!(app.model.books.params.contains_key("image"));
}

#[test]
fn what_is_well_is_said_to_be_and_no_runbook_goes_looking() {
    let mut app = App::new(120, 30);
    app.keys("2");
    // The first that has nothing but containers that run for the first time.
    let all = app.model.seen.containers.value().unwrap().clone();
    let runs = |c: &crate::client::types::Container| c.state == ContainerState::Running && c.attempt == 0;
    let pods = app.model.seen.pods.value().unwrap().clone();
    let of = |pod: &str| all.iter().filter(|c| c.pod == pod).cloned().collect::<Vec<_>>();
    let fine = |p: &&crate::client::types::PodSandbox| p.state == PodState::Ready && matches!(&*p.handler, "" | "runc");
    let well = pods.iter().filter(fine).find(|p| !of(&p.id).is_empty() && of(&p.id).iter().all(runs)).unwrap();
    app.model.tables.get_mut(&PaneId::Pods).unwrap().selected = Some(well.id.clone());
    let effects = app.keys("!");
    assert!(!effects.iter().any(|e| matches!(e, Effect::Examine { .. })), "{effects:?}");
    let screen = app.screen();
    assert!(app.model.pane == PaneId::Pods && screen.contains("nothing seems wrong with"), "{screen}");
}

#[test]
fn a_dead_runtime_leads_to_its_own_runbook() {
    let mut app = App::new(120, 30);
    app.send(Event::InventoryFailed { error: "timeout".into(), at: now() });
    app.keys("2!");
    assert_eq!(app.model.books.open, Some("runtime-unresponsive"));
}
