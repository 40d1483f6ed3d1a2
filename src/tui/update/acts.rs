//! Changes of the node: plans, their popup and grace, jobs, pulls.

use std::{collections::BTreeMap, time::Duration};

use super::{aimed, ask};
use crate::{
    client::{
        action::{Action, Plan},
        types::{DEFAULT_GRACE, ObjectRef, PullProgress, Scope},
    },
    tui::{
        event::{Effect, Token},
        model::{Aim, GRACE, Job, Model, Phase, Popup, Pull, object_of, stamp},
        text::SafeText,
        theme::Tone,
    },
};

pub fn stop(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((object, name)) = aimed(model) else { return };
    let action = match &object {
        ObjectRef::Pod(pod) => Action::StopPod { pod: pod.clone() },
        ObjectRef::Container(id) => Action::StopContainer { container: id.clone(), grace: DEFAULT_GRACE },
        _ => return model.say(Tone::Warn, "only pods and containers can be stopped"),
    };
    ask_plan(model, action, format!("stop {name}"), Some(object), false, out);
}

pub fn remove(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((object, name)) = aimed(model) else { return };
    let action = match &object {
        ObjectRef::Pod(pod) => Action::RemovePod { pod: pod.clone() },
        ObjectRef::Container(id) => Action::RemoveContainer { container: id.clone() },
        ObjectRef::Image(image) => Action::RemoveImage { image: image.clone() },
        ObjectRef::Snapshot { .. } => {
            return model.say(Tone::Warn, "a snapshot goes with its image or container; remove those");
        }
    };
    ask_plan(model, action, format!("remove {name}"), Some(object), false, out);
}

pub fn prune(model: &mut Model, grace: bool, out: &mut Vec<Effect>) {
    let action = Action::Prune { images: true, containers: true, older_than: Duration::ZERO };
    ask_plan(model, action, "prune unused images and exited containers".into(), None, grace, out);
}

pub fn ask_plan(
    model: &mut Model,
    action: Action,
    what: String,
    object: Option<ObjectRef>,
    grace: bool,
    out: &mut Vec<Effect>,
) {
    if model.job.as_ref().is_some_and(|j| j.phase == Phase::Running) {
        model.popup = Some(Popup::Job);
        return model.say(Tone::Warn, "one plan after the other: this one is still being carried out");
    }
    let token = model.next_token();
    let aim = object.map(|object| Aim { stamp: stamp(&model.seen, &object), object });
    model.job = None;
    model.popup = Some(Popup::Planning { token, what: what.into(), aim, grace });
    out.push(Effect::Plan { token, action });
}

pub fn planned(model: &mut Model, token: Token, result: Result<Plan, String>) {
    let Some(Popup::Planning { token: expected, what, aim, grace }) = &model.popup else { return };
    if *expected != token {
        return;
    }
    let (title, aim, grace) = (what.clone(), aim.clone(), *grace);
    model.popup = None;
    model.dirty = true;
    let plan = match result {
        Ok(plan) => plan,
        Err(error) => return model.say(Tone::Bad, format!("cannot {title}: {error}")),
    };
    if let Some(aim) = aim
        && stamp(&model.seen, &aim.object) != aim.stamp
    {
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
    model.job = Some(Job { token, title, plan, stamps, phase, shown: None, scroll: 0, results });
    model.popup = Some(Popup::Job);
}

/// Starts what is on the screen, unless an object is no longer what it was when the plan was made.
pub fn start(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(job) = &mut model.job else { return };
    if model.read_only {
        return model.say(Tone::Warn, "read-only: nothing is started");
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

pub fn step_done(model: &mut Model, token: Token, step: usize, result: Result<(), String>, out: &mut Vec<Effect>) {
    let Some(job) = model.job.as_mut().filter(|j| j.token == token) else { return };
    if let Some(slot) = job.results.get_mut(step) {
        *slot = Some(result.map_err(SafeText::from));
    }
    model.dirty = true;
    if job.results.iter().any(Option::is_none) {
        return;
    }
    job.phase = Phase::Done;
    let failed = job.results.iter().flatten().filter(|r| r.is_err()).count();
    let (title, steps) = (job.title.clone(), job.results.len());
    if failed == 0 {
        model.say(Tone::Good, format!("{title}: done, {steps} steps"));
    } else {
        model.say(Tone::Bad, format!("{title}: {failed} of {steps} steps failed"));
        model.popup = Some(Popup::Job);
    }
    ask(model, Scope::ALL, out);
    super::books::prove(model, out);
}

pub fn pull(model: &mut Model, reference: &str, out: &mut Vec<Effect>) {
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
    pull.outcome = Some(result.map(SafeText::from).map_err(SafeText::from));
    if failed {
        model.say(Tone::Bad, format!("pull {reference} failed; :pulls shows why"));
    } else {
        model.say(Tone::Good, format!("pulled {reference}"));
    }
    ask(model, Scope::ALL, out);
}
