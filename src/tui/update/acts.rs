//! Changes of the node: plans, their popup and grace, jobs, pulls.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use super::{ask, looks::aimed};
use crate::{
    client::{
        action::{self, Action, Launch, Plan},
        compose,
        types::{DEFAULT_GRACE, ObjectRef, PullProgress, Scope},
    },
    tui::{
        event::{Effect, Token},
        keymap::Cmd,
        model::{Aim, GRACE, Input, Job, Model, Phase, Popup, Pull, object_of, stamp},
        text::SafeText,
        theme::Tone,
    },
};

pub fn stop(model: &mut Model, out: &mut Vec<Effect>) {
    let action = |object: &ObjectRef| match object {
        ObjectRef::Pod(pod) => Ok(Action::StopPod { pod: pod.clone() }),
        ObjectRef::Container(id) => Ok(Action::StopContainer { container: id.clone(), grace: DEFAULT_GRACE }),
        _ => Err("only pods and containers can be stopped"),
    };
    of_each(model, "stop", action, out);
}

pub fn restart(model: &mut Model, out: &mut Vec<Effect>) {
    let action = |object: &ObjectRef| match object {
        ObjectRef::Pod(pod) => Ok(Action::RestartPod { pod: pod.clone() }),
        ObjectRef::Container(id) => Ok(Action::RestartContainer { container: id.clone() }),
        _ => Err("only pods and containers can be restarted"),
    };
    of_each(model, "restart", action, out);
}

/// The image of the row is meant, until another is typed.
pub fn ask_run(model: &mut Model) {
    let row = model.selected().filter(|row| matches!(row.object, Some(ObjectRef::Image(_))));
    let image = row.map(|row| format!("{} ", row.name)).unwrap_or_default();
    model.input = Some(Input { command: true, text: format!("run {image}"), ..Input::default() });
}

pub fn run(model: &mut Model, text: &str, out: &mut Vec<Effect>) {
    let mut words = super::files::words(text).into_iter();
    let Some(image) = words.next() else { return model.say(Tone::Warn, "run what? :run IMAGE [COMMAND]") };
    // Of this moment: no clock and no chance are asked here.
    let of = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (model.now, model.touched, model.token, &image, salt).hash(&mut hasher);
        hasher.finish()
    };
    let name = format!("{}-{:04x}", compose::base_name(&image), of(0) & 0xffff);
    let (a, b) = (of(1), of(2));
    let uid =
        format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 52, b << 16 >> 16);
    let title = format!("run {image}");
    let launch = Launch { image, command: words.collect(), name, uid };
    ask_plan(model, Action::Run(launch), Vec::new(), title, Vec::new(), false, out);
}

pub fn remove(model: &mut Model, out: &mut Vec<Effect>) {
    let action = |object: &ObjectRef| match object {
        ObjectRef::Pod(pod) => Ok(Action::RemovePod { pod: pod.clone() }),
        ObjectRef::Container(id) => Ok(Action::RemoveContainer { container: id.clone() }),
        ObjectRef::Image(image) => Ok(Action::RemoveImage { image: image.clone() }),
        ObjectRef::Snapshot { .. } => Err("a snapshot goes with its image or container; remove those"),
    };
    of_each(model, "remove", action, out);
}

/// To the other state as the row is, if none is asked for: of several, that of the first.
pub fn pin(model: &mut Model, pinned: Option<bool>, out: &mut Vec<Effect>) {
    let images = model.seen.images.value();
    let is = |id: &str| images.into_iter().flatten().find(|i| i.id == id).is_some_and(|i| i.pinned);
    let first = model.order.iter().filter_map(|i| model.rows.get(*i)).find(|r| model.table().marked.contains(&r.id));
    let pinned = pinned.unwrap_or(!first.or(model.selected()).is_some_and(|row| is(&row.id)));
    let action = |object: &ObjectRef| match object {
        ObjectRef::Image(image) => Ok(Action::PinImage { image: image.clone(), pinned }),
        _ => Err("only images can be pinned"),
    };
    of_each(model, if pinned { "pin" } else { "unpin" }, action, out);
}

pub fn tag(model: &mut Model, name: &str, out: &mut Vec<Effect>) {
    let name = match action::new_name(name) {
        Ok(name) => name,
        Err(error) => return model.say(Tone::Warn, error.to_string()),
    };
    let Some((object, was)) = aimed(model) else { return };
    let ObjectRef::Image(image) = &object else {
        return model.say(Tone::Warn, "only images have names to give");
    };
    let action = Action::TagImage { image: image.clone(), name };
    ask_plan(model, action, Vec::new(), format!("tag {was}"), vec![object], false, out);
}

pub fn collect(model: &mut Model, out: &mut Vec<Effect>) {
    ask_plan(model, Action::Collect, Vec::new(), "collect garbage".into(), Vec::new(), false, out);
}

/// One plan for all marked rows, or for the row of the cursor if none is marked.
fn of_each(
    model: &mut Model,
    verb: &str,
    action: impl Fn(&ObjectRef) -> Result<Action, &'static str>,
    out: &mut Vec<Effect>,
) {
    let marked = &model.table().marked;
    let rows = model.order.iter().filter_map(|i| model.rows.get(*i)).filter(|r| marked.contains(&r.id));
    let mut objects: Vec<(ObjectRef, String)> =
        rows.filter_map(|r| Some((r.object.clone()?, r.name.clone()))).collect();
    if objects.len() < marked.len() {
        let drop = model.keymap.named(Cmd::Unmark);
        return model.say(Tone::Warn, format!("some marked rows are hidden by the filter; {drop} drops the marks"));
    }
    if objects.is_empty() {
        objects.extend(aimed(model));
    }
    let mut actions = match objects.iter().map(|(object, _)| action(object)).collect::<Result<Vec<_>, _>>() {
        Ok(actions) => actions,
        Err(why) => return model.say(Tone::Warn, why),
    };
    let what = match &objects[..] {
        [] => return,
        [(_, name)] => format!("{verb} {name}"),
        several => format!("{verb} {} objects", several.len()),
    };
    let more = actions.split_off(1);
    let objects = objects.into_iter().map(|(object, _)| object).collect();
    if let Some(first) = actions.pop() {
        ask_plan(model, first, more, what, objects, false, out);
    }
}

pub fn prune(model: &mut Model, grace: bool, out: &mut Vec<Effect>) {
    let action = Action::Prune { images: true, containers: true, older_than: Duration::ZERO };
    ask_plan(model, action, Vec::new(), "prune unused images and exited containers".into(), Vec::new(), grace, out);
}

pub fn ask_plan(
    model: &mut Model,
    action: Action,
    more: Vec<Action>,
    what: String,
    objects: Vec<ObjectRef>,
    grace: bool,
    out: &mut Vec<Effect>,
) {
    if model.job.as_ref().is_some_and(|j| j.phase == Phase::Running) {
        model.popup = Some(Popup::Job);
        return model.say(Tone::Warn, "one plan after the other: this one is still being carried out");
    }
    let token = model.next_token();
    let aims = objects.into_iter().map(|object| Aim { stamp: stamp(&model.seen, &object), object }).collect();
    model.job = None;
    model.popup = Some(Popup::Planning { token, what: what.into(), aims, grace });
    out.push(Effect::Plan { token, action, more });
}

pub fn planned(model: &mut Model, token: Token, result: Result<Plan, String>) {
    let Some(Popup::Planning { token: expected, what, aims, grace }) = &model.popup else { return };
    if *expected != token {
        return;
    }
    let (title, aims, grace) = (what.clone(), aims.clone(), *grace);
    model.popup = None;
    model.dirty = true;
    let plan = match result {
        Ok(plan) => plan,
        Err(error) => return model.say(Tone::Bad, format!("cannot {title}: {error}")),
    };
    if aims.iter().any(|aim| stamp(&model.seen, &aim.object) != aim.stamp) {
        return model.say(Tone::Warn, format!("{title}: the object changed meanwhile; nothing done"));
    }
    let objects = plan.steps.iter().filter_map(|s| object_of(&s.step));
    let stamps = objects.map(|object| Aim { stamp: stamp(&model.seen, &object), object }).collect();
    let phase = match (plan.steps.is_empty(), grace && !model.read_only) {
        (true, _) => Phase::Done,
        (_, true) => Phase::Grace,
        (_, false) => Phase::Review(false),
    };
    let results = vec![None; plan.steps.len()];
    model.job = Some(Job { token, title, plan, stamps, phase, shown: None, scroll: 0, results, typed: String::new() });
    model.popup = Some(Popup::Job);
}

/// Starts what is on the screen, unless an object is no longer what it was when the plan was made.
pub fn start(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(job) = &mut model.job else { return };
    if model.read_only {
        return model.say(Tone::Warn, "read-only: nothing is started");
    }
    if let Some(ends) = job.ends().filter(|ends| job.typed != ends.to_string()) {
        let text = format!("{ends} containers end with it: type {ends}, then start it");
        job.typed.clear();
        return model.say(Tone::Warn, text);
    }
    let changed = job.stamps.iter().find(|aim| stamp(&model.seen, &aim.object) != aim.stamp);
    if changed.is_some() {
        let title = job.title.clone();
        (model.popup, model.job) = (None, None);
        return model.say(Tone::Warn, format!("{title}: an object changed since the plan was made; nothing done"));
    }
    job.phase = Phase::Running;
    job.scroll = 0;
    let steps = job.plan.steps.iter().map(|s| s.step.clone()).collect();
    out.push(Effect::Apply { token: job.token, steps });
    let (now, title) = (model.now, job.title.clone());
    model.happened.push(now, Tone::Accent, "you", title, "started");
    if let Some(state) = model.tables.get_mut(&model.pane) {
        state.marked.clear();
    }
}

/// The grace runs from the moment the plan was on the screen, and only while it is.
pub fn count_down(model: &mut Model, out: &mut Vec<Effect>) {
    let over = |job: &Job| {
        job.phase == Phase::Grace
            && job.shown.is_some_and(|at| model.now.duration_since(at).is_ok_and(|waited| waited >= GRACE))
    };
    if matches!(model.popup, Some(Popup::Job)) && !model.small() && model.job.as_ref().is_some_and(over) {
        model.dirty = true;
        start(model, out);
    }
}

pub fn step_done(model: &mut Model, token: Token, step: usize, result: Result<String, String>, out: &mut Vec<Effect>) {
    let Some(job) = model.job.as_mut().filter(|j| j.token == token) else { return };
    if let Some(slot) = job.results.get_mut(step) {
        *slot = Some(result.map(SafeText::from).map_err(SafeText::from));
    }
    model.dirty = true;
    if job.results.iter().any(Option::is_none) {
        return;
    }
    job.phase = Phase::Done;
    let failed = job.results.iter().flatten().filter(|r| r.is_err()).count();
    let (title, steps) = (job.title.clone(), job.results.len());
    let ended = if failed == 0 { "done".to_owned() } else { format!("{failed} of {steps} steps failed") };
    let tone = if failed == 0 { Tone::Good } else { Tone::Bad };
    model.happened.push(model.now, tone, "you", title.clone(), ended);
    if failed == 0 {
        let told = job.results.iter().flatten().filter_map(|r| r.as_ref().ok()).find(|t| !t.as_str().is_empty());
        let what = match (told, steps) {
            (Some(told), 1) => told.as_str().to_owned(),
            (_, 1) => "1 step".to_owned(),
            _ => format!("{steps} steps"),
        };
        model.say(Tone::Good, format!("{title}: done, {what}"));
    } else {
        model.say(Tone::Bad, format!("{title}: {failed} of {steps} steps failed"));
        model.popup = Some(Popup::Job);
    }
    ask(model, Scope::ALL, out);
    super::books::prove(model, out);
}

pub fn pull(model: &mut Model, reference: &str, out: &mut Vec<Effect>) {
    if let Err(error) = action::names_its_registry(reference) {
        return model.say(Tone::Warn, error.to_string());
    }
    let token = model.next_token();
    model.pulls.retain(|p| p.outcome.is_none());
    model.pulls.push(Pull { token, reference: reference.into(), layers: BTreeMap::new(), outcome: None });
    model.popup = Some(Popup::Pulls);
    out.push(Effect::Pull { token, reference: reference.to_owned() });
}

pub fn progress(model: &mut Model, token: Token, progress: PullProgress) {
    if let Some(pull) = model.pulls.iter_mut().find(|p| p.token == token) {
        // An image has 127 layers at most; a runtime that names more is not believed.
        if pull.layers.len() < 512 || pull.layers.contains_key(&progress.layer) {
            pull.layers.insert(progress.layer.clone(), progress);
        }
        model.dirty = true;
    }
}

pub fn pulled(model: &mut Model, token: Token, result: Result<String, String>, out: &mut Vec<Effect>) {
    let Some(pull) = model.pulls.iter_mut().find(|p| p.token == token) else { return };
    let reference = pull.reference.clone();
    let failed = result.is_err();
    let said = result.as_ref().map_or_else(|e| format!("pull failed: {e}"), |_| "pulled".to_owned());
    pull.outcome = Some(result.map(SafeText::from).map_err(SafeText::from));
    let tone = if failed { Tone::Bad } else { Tone::Good };
    model.happened.push(model.now, tone, "you", reference.clone(), said);
    if failed {
        model.say(Tone::Bad, format!("pull {reference} failed; :pulls shows why"));
    } else {
        model.say(Tone::Good, format!("pulled {reference}"));
    }
    ask(model, Scope::ALL, out);
}
