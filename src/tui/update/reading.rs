//! When what is read: what the pane shows every few seconds, what the tabs count soon after it changed, everything once a
//! minute.

use std::time::{Duration, SystemTime};

use super::acts;
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

/// What the pane shows, and what the tabs count where that may have changed.
pub fn wanted(model: &Model) -> Scope {
    fn older<T>(seen: &Seen<T>, now: SystemTime, than: Duration) -> bool {
        match seen {
            Seen::NotAsked => true,
            Seen::At { at, .. } | Seen::Failed { at, .. } => now.duration_since(*at).is_ok_and(|age| age >= than),
        }
    }
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
    model.dirty |= model.rebuild();
    acts::count_down(model, out);
    if model.silence.is_some() && since(model.listened).is_none_or(|s| s >= LISTEN) {
        model.listened = Some(now);
        out.push(Effect::Words);
    }
    if since(model.full).is_none_or(|s| s >= SELDOM) {
        model.full = Some(now);
        ask(model, Scope::ALL, out);
    } else if !model.pending
        && since(model.asked).is_none_or(|s| s >= if model.dead().is_some() { AGAIN } else { OFTEN })
    {
        ask(model, wanted(model), out);
        if model.pane == PaneId::Cgroups && due(&model.cgroups, now) {
            out.push(Effect::Cgroups);
        }
    }
}
