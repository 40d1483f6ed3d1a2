//! Runbooks: which one a symptom opens, and what its keys do.

use super::{acts, go};
use crate::{
    client::types::{ContainerState, ObjectRef, PodState},
    runbook::{Params, RUNBOOKS, Runbook, named},
    tui::{
        books,
        detail::Detail,
        event::Effect,
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

fn examine(model: &mut Model, books: Vec<&'static Runbook>, out: &mut Vec<Effect>) {
    let token = model.next_token();
    model.books.start(token, &books);
    model.rebuild();
    out.push(Effect::Examine { token, books, params: model.books.params.clone() });
}

/// Which runbook explains the selected row best.
fn symptom(model: &Model) -> (&'static str, Params) {
    let mut params = Params::new();
    if model.dead().is_some() {
        return ("runtime-unresponsive", params);
    }
    let all = model.seen.containers.value();
    let row = model.selected().and_then(|r| r.object.clone());
    let containers: Vec<_> = match &row {
        Some(ObjectRef::Container(id)) => all.into_iter().flatten().filter(|c| c.id == *id).collect(),
        Some(ObjectRef::Pod(id)) => all.into_iter().flatten().filter(|c| c.pod == *id).collect(),
        Some(ObjectRef::Image(_)) => Vec::new(),
        _ if model.pane == PaneId::Disk || model.pane == PaneId::Snapshots => return ("disk-full", params),
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
    if let Some(image) = containers.first().map(|c| c.image.clone()).filter(|i| !i.starts_with("sha256:")) {
        params.insert("image".into(), image);
    }
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
    } else if pod.is_some_and(|p| p.state == PodState::NotReady) {
        "incidents"
    } else if pod.is_some_and(|p| !p.handler.is_empty() && p.handler != "runc") {
        "runtime-class"
    } else {
        "image-pull"
    };
    (book, params)
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
    let (title, lines) = (step.check.as_str().into(), books::explain(book, step));
    let token = model.next_token();
    let detail = Detail { result: Some(Ok(lines)), ..Detail::new(token, title) };
    model.popup = Some(Popup::Detail(detail));
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
