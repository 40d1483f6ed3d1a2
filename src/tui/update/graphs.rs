//! Graphs of a pod or a container: opened on the row, read while they are looked at and not otherwise.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use super::looks;
use crate::{
    client::types::{ContainerState, ObjectRef, PodState},
    tui::{
        event::Effect,
        graphs::Point,
        model::{Model, Popup, Sample},
        theme::Tone,
    },
};

/// Between two readings of what is looked at, and where no key was pressed for long.
const OFTEN: Duration = Duration::from_secs(2);
const ALONE: Duration = Duration::from_secs(5);

pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((object, name)) = looks::aimed(model) else { return };
    let (pods, containers) = (&model.seen.pods, &model.seen.containers);
    let found = match &object {
        ObjectRef::Pod(id) => {
            let pod = pods.value().into_iter().flatten().find(|p| p.id == *id);
            pod.map(|p| (p.state == PodState::Ready, format!("pod {}/{}", p.namespace, p.name)))
        }
        ObjectRef::Container(id) => {
            let container = containers.value().into_iter().flatten().find(|c| c.id == *id);
            container.map(|c| {
                let pod = pods.value().into_iter().flatten().find(|p| p.id == c.pod);
                let of = pod.map(|p| format!(" of pod {}/{}", p.namespace, p.name)).unwrap_or_default();
                (c.state == ContainerState::Running, format!("container {}{of}", c.name))
            })
        }
        _ => return model.say(Tone::Warn, "graphs are of pods and containers: choose one (2, 3)"),
    };
    let Some((runs, title)) = found else { return model.say(Tone::Warn, format!("{name} is gone")) };
    if !runs {
        return model.say(Tone::Warn, format!("{name} does not run: there is nothing to draw"));
    }
    let before = before(model, &object);
    let token = model.next_token();
    model.graphs.turn(object, title.into(), before, token);
    model.popup = Some(Popup::Graphs);
    ask(model, out);
}

fn ask(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(object) = model.graphs.shown().map(|t| t.object.clone()) else { return };
    (model.graphs.asked, model.graphs.pending) = (Some(model.now), true);
    out.push(Effect::Use { token: model.graphs.token, object });
}

pub fn tick(model: &mut Model, alone: bool, out: &mut Vec<Effect>) {
    if !matches!(model.popup, Some(Popup::Graphs)) || model.graphs.pending {
        return;
    }
    let pause = if alone { ALONE } else { OFTEN };
    let since = model.graphs.asked.map(|t| model.now.duration_since(t).unwrap_or_default());
    if since.is_none_or(|s| s >= pause) {
        ask(model, out);
    }
}

/// What the tables' figures tell of it from before: of a pod, where all its containers have them.
fn before(model: &Model, object: &ObjectRef) -> Vec<Point> {
    let containers: Vec<&str> = match object {
        ObjectRef::Pod(id) => {
            let all = model.seen.containers.value().into_iter().flatten();
            all.filter(|c| c.pod == *id && c.state == ContainerState::Running).map(|c| c.id.as_str()).collect()
        }
        ObjectRef::Container(id) => vec![id.as_str()],
        _ => return Vec::new(),
    };
    let mut sums: BTreeMap<SystemTime, Vec<Sample>> = BTreeMap::new();
    for id in &containers {
        for sample in model.history.each.get(*id).into_iter().flatten() {
            sums.entry(sample.at).or_default().push(*sample);
        }
    }
    sums.retain(|_, samples| samples.len() == containers.len());
    let sum = |all: &[Sample], of: fn(&Sample) -> Option<u64>| {
        all.iter().try_fold(0_u64, |sum, one| sum.checked_add(of(one)?))
    };
    let point = |(at, all): (SystemTime, Vec<Sample>)| Point {
        at: Some(at),
        cores: sum(&all, |s| s.cores),
        memory: sum(&all, |s| s.memory),
        ..Point::default()
    };
    sums.into_iter().map(point).collect()
}
