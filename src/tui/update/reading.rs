//! When what is read: lists when the runtime says that they changed, and seldom besides; figures every few seconds while
//! somebody is there; what the tabs count soon after it changed; everything once a minute.

use std::time::{Duration, SystemTime};

use super::{acts, graphs};
use crate::{
    client::types::{CgroupFact, Scope, Seen},
    tui::{
        event::Effect,
        model::{Model, Popup, scope},
        panes::PaneId,
    },
};

/// Between two readings of what the pane shows, and of everything.
const OFTEN: Duration = Duration::from_secs(3);
const SELDOM: Duration = Duration::from_secs(60);
/// Nobody is there: no key came for so long, and figures are read this often.
const ALONE: Duration = Duration::from_secs(30);
const RARELY: Duration = Duration::from_secs(15);
/// Between two readings of lists whose changes are told: an event may be lost.
const RECONCILE: Duration = Duration::from_secs(30);
/// Between two looks into the log of a silent runtime.
const LISTEN: Duration = Duration::from_secs(10);
/// And of a runtime that is dead: how soon it is seen that it is back.
const AGAIN: Duration = Duration::from_secs(1);
/// How old the number of images on the tab may be: no runtime tells of one that came.
const COUNTED: Duration = Duration::from_secs(10);
/// Between two readings of snapshots for their number: each may have a runtime walk over directories.
const SETTLED: Duration = Duration::from_secs(5);

pub fn ask(model: &mut Model, wanted: Scope, out: &mut Vec<Effect>) {
    let wanted = Scope { whole: wanted.disk && scope(model.pane).whole, ..wanted };
    (model.asked, model.pending) = (Some(model.now), true);
    out.push(Effect::Refresh(wanted));
}

fn older<T>(seen: &Seen<T>, now: SystemTime, than: Duration) -> bool {
    match seen {
        Seen::NotAsked => true,
        Seen::At { at, .. } | Seen::Failed { at, .. } => now.duration_since(*at).is_ok_and(|age| age >= than),
    }
}

fn alone(model: &Model) -> bool {
    model.now.duration_since(model.touched).is_ok_and(|since| since >= ALONE)
}

/// Somebody is there: who comes back wants to see what is, not what was.
pub fn touched(model: &mut Model, out: &mut Vec<Effect>) {
    let was_alone = alone(model);
    model.touched = model.now;
    if was_alone && !model.pending {
        ask(model, wanted(model), out);
    }
}

/// What is read without a reason: no list whose changes are told.
fn again(model: &Model) -> Scope {
    let wanted = wanted(model);
    if model.silence.is_some() || !model.hearing {
        return wanted;
    }
    Scope {
        pods: older(&model.seen.containers, model.now, RECONCILE),
        // No runtime tells of images. Nobody looks at the tab, and all is read once a minute.
        images: wanted.images && !alone(model),
        ..wanted
    }
}

/// What the pane shows, and what the tabs count where that may have changed.
pub fn wanted(model: &Model) -> Scope {
    let (shown, seen) = (scope(model.pane), &model.seen);
    // Of a silent runtime nothing comes or goes.
    if model.silence.is_some() {
        return shown;
    }
    let moved = model.moved && model.info.storage && older(&seen.snapshots, model.now, SETTLED);
    Scope {
        images: shown.images || older(&seen.images, model.now, COUNTED),
        snapshots: shown.snapshots || moved,
        ..shown
    }
}

/// Drivers change when somebody changes a configuration: seldom.
fn due(seen: &Seen<Vec<CgroupFact>>, now: SystemTime) -> bool {
    let at = match seen {
        Seen::NotAsked => return true,
        Seen::At { at, .. } | Seen::Failed { at, .. } => *at,
    };
    now.duration_since(at).is_ok_and(|age| age >= SELDOM / 6)
}

pub fn tick(model: &mut Model, now: SystemTime, out: &mut Vec<Effect>) {
    let since = |then: Option<SystemTime>| then.map(|t| now.duration_since(t).unwrap_or_default());
    let minute = |t: SystemTime| t.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
    model.dirty |= minute(now) != minute(model.now);
    model.now = now;
    if model.toast.as_ref().is_some_and(|t| t.until <= now) {
        model.toast = None;
        model.dirty = true;
    }
    if let Some(Popup::Detail(detail)) = &mut model.popup {
        model.dirty |= detail.tick(now);
    }
    model.dirty |= model.counting() || model.dead().is_some() || model.pane == PaneId::Node;
    // Ages go on, and with a thousand rows they are most of what an idle app does.
    if model.made > now || now.duration_since(model.made).is_ok_and(|age| age >= OFTEN) {
        model.dirty |= model.rebuild();
    }
    acts::count_down(model, out);
    graphs::tick(model, alone(model), out);
    if model.silence.is_some() && since(model.listened).is_none_or(|s| s >= LISTEN) {
        model.listened = Some(now);
        out.push(Effect::Words);
    }
    if since(model.full).is_none_or(|s| s >= SELDOM) {
        model.full = Some(now);
        ask(model, Scope::ALL, out);
    } else if !model.pending && since(model.asked).is_none_or(|s| s >= pause(model)) {
        ask(model, again(model), out);
        if model.pane == PaneId::Cgroups && due(&model.cgroups, now) {
            out.push(Effect::Cgroups);
        }
    }
}

fn pause(model: &Model) -> Duration {
    match model.dead() {
        Some(_) => AGAIN,
        None if alone(model) => RARELY,
        None => OFTEN,
    }
}
