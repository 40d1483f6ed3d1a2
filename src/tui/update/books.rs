//! Runbooks: which one a symptom opens, and what its keys do.

use super::{acts, go, logs, looks};
use crate::{
    client::types::{Container, ContainerState, ObjectRef, PodSandbox, PodState},
    runbook::{Params, RUNBOOKS, Runbook, named},
    tui::{
        books::{self, Run, STEP},
        detail::Detail,
        event::Effect,
        keymap::Cmd,
        model::{Model, Popup},
        panes::{PaneId, runbooks},
        theme::Tone,
    },
};

/// `!`: the runbook for what is selected, with its parameters; in the pane itself, once more.
pub fn diagnose(model: &mut Model, out: &mut Vec<Effect>) {
    if model.pane == PaneId::Runbooks {
        let books: Vec<&'static Runbook> = match model.books.open.and_then(named) {
            Some(book) => vec![book],
            None => RUNBOOKS.iter().filter(|b| !b.audit).collect(),
        };
        return examine(model, books, out);
    }
    if let Some((id, name, code)) = ended_by_itself(model) {
        logs::show(model, vec![(id, name.clone())], name.clone(), out);
        go(model, PaneId::Logs, out);
        return model.say(Tone::Warn, format!("{name} ended by itself with exit code {code}: its log says why"));
    }
    if let Some(name) = well(model) {
        let open = model.keymap.named(Cmd::Open);
        let said = format!("nothing seems wrong with {name}; {open} in Runbooks looks deeper");
        return model.say(Tone::Good, said);
    }
    let (id, params) = symptom(model);
    let Some(book) = named(id) else { return };
    turn(model, Some(book));
    model.books.params = params;
    go(model, PaneId::Runbooks, out);
    examine(model, vec![book], out);
}

/// Other rows: the first step of a runbook is selected, or in the list the runbook that was open.
fn turn(model: &mut Model, to: Option<&'static Runbook>) {
    let selected = if to.is_none() { model.books.open.map(str::to_owned) } else { None };
    model.books.open = to.map(|b| b.id);
    if let Some(table) = model.tables.get_mut(&PaneId::Runbooks) {
        (table.selected, table.lost, table.at, table.offset) = (selected, false, 0, 0);
    }
}

/// The cursor goes to the step that decided, unless it was moved.
pub fn point_out(model: &mut Model) {
    let Some(book) = model.books.open else { return };
    let Some(check) = model.books.runs.get(book).and_then(Run::decisive).map(|s| s.check.clone()) else { return };
    if let Some(table) = model.tables.get_mut(&PaneId::Runbooks).filter(|t| t.at == 0) {
        (table.selected, table.lost) = (Some(check), false);
    }
}

fn examine(model: &mut Model, books: Vec<&'static Runbook>, out: &mut Vec<Effect>) {
    let token = model.next_token();
    model.books.start(token, &books);
    model.rebuild();
    out.push(Effect::Examine { token, books, params: model.books.params.clone() });
}

/// The container of the row, or of its pod, whose program was started and failed: no runbook knows why.
fn ended_by_itself(model: &Model) -> Option<(String, String, i32)> {
    let all: Vec<&Container> = model.seen.containers.value()?.iter().collect();
    let row = model.selected().filter(|_| model.dead().is_none() && model.pane != PaneId::Disk)?;
    let of = |c: &&&Container| match &row.object {
        Some(ObjectRef::Container(id)) => c.id == *id,
        Some(ObjectRef::Pod(id)) => {
            c.pod == *id && !all.iter().any(|o| (o.pod == c.pod && o.name == c.name) && o.attempt > c.attempt)
        }
        _ => false,
    };
    all.iter().filter(of).find_map(|c| {
        let d = c.detail.as_ref().filter(|_| c.state == ContainerState::Exited)?;
        let itself = d.exit_code > 0 && d.started.is_some() && matches!(d.reason.as_str(), "" | "Error");
        let pod = model.seen.pods.value().into_iter().flatten().find(|p| p.id == c.pod);
        let name = format!("{}/{}", pod.map_or("", |p| p.name.as_str()), c.name);
        (itself && d.message.is_empty()).then(|| (c.id.clone(), name, d.exit_code))
    })
}

/// The pod or container of the row if there is nothing to explain: all of it runs, for the first time, or ended as it should.
fn well(model: &Model) -> Option<String> {
    let row = model.selected().filter(|_| model.dead().is_none() && model.pane != PaneId::Disk)?;
    let all = model.seen.containers.value()?;
    let inside: Vec<&Container> = match &row.object {
        Some(ObjectRef::Container(id)) => all.iter().filter(|c| c.id == *id).collect(),
        Some(ObjectRef::Pod(id)) => all.iter().filter(|c| c.pod == *id).collect(),
        _ => return None,
    };
    let pod = model.seen.pods.value()?.iter().find(|p| inside.first().is_some_and(|c| c.pod == p.id))?;
    let fine = |c: &&Container| match c.state {
        ContainerState::Running => true,
        ContainerState::Exited => c.detail.as_ref().is_some_and(|d| d.exit_code == 0),
        ContainerState::Created | ContainerState::Unknown => false,
    };
    // Under a class there is something to explain: what it really runs under.
    let plain = matches!(pod.handler.as_str(), "" | "runc") && pod.state == PodState::Ready;
    (plain && inside.iter().all(|c| fine(c) && c.attempt == 0)).then(|| row.name.clone())
}

/// Which runbook explains the selected row best.
fn symptom(model: &Model) -> (&'static str, Params) {
    let mut params = Params::new();
    if model.dead().is_some() {
        return ("runtime-unresponsive", params);
    }
    if matches!(model.pane, PaneId::Disk | PaneId::Snapshots) {
        return ("disk-full", params);
    }
    let all = model.seen.containers.value();
    let row = model.selected().and_then(|r| r.object.clone());
    let containers: Vec<_> = match &row {
        Some(ObjectRef::Container(id)) => all.into_iter().flatten().filter(|c| c.id == *id).collect(),
        Some(ObjectRef::Pod(id)) => all.into_iter().flatten().filter(|c| c.pod == *id).collect(),
        Some(ObjectRef::Image(_)) => Vec::new(),
        _ => return ("runtime-unresponsive", params),
    };
    let pod_id = match &row {
        Some(ObjectRef::Pod(id)) => Some(id.clone()),
        _ => containers.first().map(|c| c.pod.clone()),
    };
    let pod = model.seen.pods.value().into_iter().flatten().find(|p| Some(&p.id) == pod_id.as_ref());
    if let Some(pod) = pod {
        params.insert("pod".into(), pod.name.clone());
        params.insert("namespace".into(), pod.namespace.clone());
        if !pod.handler.is_empty() {
            params.insert("handler".into(), pod.handler.clone());
        }
    }
    let image = containers.first().map(|c| c.image.clone()).filter(|i| !i.starts_with("sha256:"));
    params.extend(image.or_else(|| asked_for(model, pod?)).map(|i| ("image".to_owned(), i)));
    if let Some(ObjectRef::Image(_)) = row {
        params.extend(model.selected().map(|r| ("image".to_owned(), r.name.clone())));
    }
    let details = || containers.iter().filter(|c| c.state != ContainerState::Running).filter_map(|c| c.detail.as_ref());
    let says = |words: &[&str]| details().any(|d| words.iter().any(|w| d.message.contains(w) || d.reason.contains(w)));
    let book = if says(&["cgroup"]) {
        "cgroup-driver"
    } else if says(&["no space left", "disk quota"]) {
        "disk-full"
    } else if says(&["OOMKilled"]) {
        "incidents"
    } else if containers.iter().any(|c| c.state == ContainerState::Unknown) {
        "runtime-unresponsive"
    } else if pod.is_some_and(|p| p.state == PodState::NotReady) || containers.iter().any(|c| c.attempt > 0) {
        "incidents"
    } else if pod.is_some_and(|p| !p.handler.is_empty() && p.handler != "runc") {
        "runtime-class"
    } else {
        "image-pull"
    };
    (book, params)
}

/// An image that a pod without containers was applied with and that is not here, where kubectl wrote that down.
fn asked_for(model: &Model, pod: &PodSandbox) -> Option<String> {
    let applied = pod.annotations.get("kubectl.kubernetes.io/last-applied-configuration")?;
    let applied: serde_json::Value = serde_json::from_str(applied).ok()?;
    let spec =
        ["/spec", "/spec/template/spec"].iter().find_map(|p| applied.pointer(p)?.get("containers")?.as_array())?;
    let here = |name: &str| model.seen.images.value().into_iter().flatten().any(|i| i.tags.iter().any(|t| t == name));
    let images = spec.iter().filter_map(|c| c.get("image")?.as_str());
    images.map(str::to_owned).find(|name| !here(name))
}

/// Enter: opens a runbook and examines by it; on a step, explains it.
pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(row) = model.selected().cloned() else { return };
    if model.books.open.is_none() {
        let Some(book) = named(&row.id) else { return };
        turn(model, Some(book));
        if !model.books.runs.contains_key(book.id) {
            return examine(model, vec![book], out);
        }
        model.rebuild();
        return;
    }
    let Some((book, step)) = runbooks::step(model, &row) else {
        return model.say(Tone::Warn, "this step was not judged");
    };
    let (title, lines) = (step.check.as_str().into(), books::explain(book, step, &model.keymap));
    let token = model.next_token();
    let detail = Detail { result: Some(Ok(lines)), kind: STEP, ..Detail::new(token, title) };
    model.popup = Some(Popup::Detail(detail));
}

/// What is said of the step that is read: its fix, its command. Other texts have neither.
pub fn of_step(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    if !matches!(&model.popup, Some(Popup::Detail(d)) if d.kind == STEP) {
        return;
    }
    if cmd == Cmd::Copy {
        return looks::copy(model, out);
    }
    let fixable =
        model.selected().and_then(|row| runbooks::step(model, row)).is_some_and(|(_, s)| s.finding.fix.is_some());
    if fixable {
        // The plan comes in its place.
        model.popup = None;
    }
    fix(model, out);
}

/// Esc in the steps of a runbook; false if none is open.
pub fn close(model: &mut Model) -> bool {
    let open = model.pane == PaneId::Runbooks && model.books.open.is_some();
    if open {
        turn(model, None);
        model.rebuild();
    }
    open
}

/// `f`: the fix of the step, or of a runbook's decisive step, as a plan.
pub fn fix(model: &mut Model, out: &mut Vec<Effect>) {
    if model.pane != PaneId::Runbooks {
        return;
    }
    let found =
        model.selected().cloned().and_then(|row| runbooks::step(model, &row).and_then(|(_, s)| s.finding.fix.clone()));
    match found {
        Some(fix) => acts::ask_plan(model, fix.action, Vec::new(), fix.title, Vec::new(), false, out),
        None => model.say(Tone::Warn, "this step has no fix that can be carried out from here"),
    }
}

/// A plan was carried out: the same checks prove it.
pub fn prove(model: &mut Model, out: &mut Vec<Effect>) {
    if model.pane == PaneId::Runbooks
        && let Some(book) = model.books.open.and_then(named)
    {
        examine(model, vec![book], out);
    }
}
