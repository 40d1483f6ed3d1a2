//! What happened on the node while the app looked: told by differences between two readings, by the app's own acts, and
//! by whoever else in this program has something to say. A bounded ring; pure.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::SystemTime,
};

use super::{text::SafeText, theme::Tone};
use crate::client::types::{Container, ContainerState, Inventory, ObjectRef, PodSandbox, PodState, Seen};

/// What is kept; the oldest go first.
const MOST: usize = 2000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Never reused.
    pub number: u64,
    pub at: SystemTime,
    pub tone: Tone,
    /// "container", "pod", "image", "runtime", "you", "note".
    pub kind: &'static str,
    pub object: Option<ObjectRef>,
    pub name: SafeText,
    pub what: SafeText,
}

#[derive(Debug, Clone, Default)]
pub struct Ring {
    all: VecDeque<Happening>,
    next: u64,
}

impl Ring {
    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Happening> {
        self.all.iter()
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    pub fn push(
        &mut self,
        at: SystemTime,
        tone: Tone,
        kind: &'static str,
        name: impl Into<SafeText>,
        what: impl Into<SafeText>,
    ) {
        self.add(Happening { number: 0, at, tone, kind, object: None, name: name.into(), what: what.into() });
    }

    fn add(&mut self, mut happening: Happening) {
        happening.number = self.next;
        self.next += 1;
        self.all.push_back(happening);
        if self.all.len() > MOST {
            self.all.pop_front();
        }
    }

    /// Takes in what changed between two readings. Of the first reading, what it tells about the past.
    pub fn compare(&mut self, old: &Inventory, new: &Inventory, now: SystemTime) {
        let mut found = Vec::new();
        let names = pod_names(new, old);
        pods(&mut found, &old.pods, &new.pods, now);
        containers(&mut found, &old.containers, &new.containers, &names, now);
        if let (Some(old), Some(new)) = (old.images.value(), new.images.value()) {
            let of = |i: &crate::client::types::Image| i.tags.first().unwrap_or(&i.id).clone();
            let (was, is) = (ids(old, |i| &i.id), ids(new, |i| &i.id));
            for image in new.iter().filter(|i| !was.contains_key(i.id.as_str())) {
                let object = Some(ObjectRef::Image(image.id.clone()));
                found.push(event(now, Tone::Plain, "image", object, of(image), "is here"));
            }
            for image in old.iter().filter(|i| !is.contains_key(i.id.as_str())) {
                found.push(event(now, Tone::Dim, "image", None, of(image), "was removed"));
            }
        }
        found.sort_by_key(|h| h.at);
        for happening in found {
            self.add(happening);
        }
    }
}

/// Found at once: both readings of a full node have a thousand.
fn ids<T>(all: &[T], id: impl Fn(&T) -> &String) -> HashMap<&str, &T> {
    all.iter().map(|one| (id(one).as_str(), one)).collect()
}

fn event(
    at: SystemTime,
    tone: Tone,
    kind: &'static str,
    object: Option<ObjectRef>,
    name: String,
    what: impl Into<SafeText>,
) -> Happening {
    Happening { number: 0, at, tone, kind, object, name: name.into(), what: what.into() }
}

fn pod_names(new: &Inventory, old: &Inventory) -> BTreeMap<String, String> {
    let all = old.pods.value().into_iter().flatten().chain(new.pods.value().into_iter().flatten());
    all.map(|p| (p.id.clone(), p.name.clone())).collect()
}

fn pods(found: &mut Vec<Happening>, old: &Seen<Vec<PodSandbox>>, new: &Seen<Vec<PodSandbox>>, now: SystemTime) {
    let Some(new) = new.value() else { return };
    let first = old.value().is_none();
    let (was, is) = (ids(old.value().map(Vec::as_slice).unwrap_or_default(), |p| &p.id), ids(new, |p| &p.id));
    let name = |p: &PodSandbox| format!("{}/{}", p.namespace, p.name);
    for pod in new {
        let object = Some(ObjectRef::Pod(pod.id.clone()));
        match was.get(pod.id.as_str()) {
            None => found.push(event(pod.created, Tone::Plain, "pod", object, name(pod), "sandbox was made")),
            Some(was) if was.state != pod.state => {
                let (tone, what) = match pod.state {
                    PodState::Ready => (Tone::Good, "sandbox is ready"),
                    PodState::NotReady => (Tone::Warn, "sandbox stopped"),
                };
                found.push(event(now, tone, "pod", object, name(pod), what));
            }
            Some(_) => {}
        }
    }
    let gone = old.value().into_iter().flatten().filter(|p| !first && !is.contains_key(p.id.as_str()));
    found.extend(gone.map(|p| event(now, Tone::Dim, "pod", None, name(p), "was removed")));
}

fn containers(
    found: &mut Vec<Happening>,
    old: &Seen<Vec<Container>>,
    new: &Seen<Vec<Container>>,
    names: &BTreeMap<String, String>,
    now: SystemTime,
) {
    let Some(new) = new.value() else { return };
    let first = old.value().is_none();
    let (before, is) = (ids(old.value().map(Vec::as_slice).unwrap_or_default(), |c| &c.id), ids(new, |c| &c.id));
    let name = |c: &Container| format!("{}/{}", names.get(&c.pod).map_or("?", String::as_str), c.name);
    for c in new {
        let was = before.get(c.id.as_str()).map(|o| o.state);
        let object = || Some(ObjectRef::Container(c.id.clone()));
        if was == Some(c.state) {
            continue;
        }
        let detail = c.detail.as_ref();
        let attempt = if c.attempt > 0 { format!(", attempt {}", c.attempt) } else { String::new() };
        let started = detail.and_then(|d| d.started);
        // One that started and ended between two readings is told as two.
        if matches!(was, None | Some(ContainerState::Created))
            && matches!(c.state, ContainerState::Running | ContainerState::Exited)
            && let Some(at) = started.or((c.state == ContainerState::Running && !first).then_some(now))
        {
            found.push(event(at, Tone::Good, "container", object(), name(c), format!("started{attempt}")));
        }
        match c.state {
            ContainerState::Exited => {
                let (text, tone) = super::panes::containers::state(c);
                let at = detail.and_then(|d| d.finished).unwrap_or(now);
                let message = detail.map(|d| d.message.as_str()).filter(|m| !m.is_empty());
                let message = message.map(|m| format!(": {m}")).unwrap_or_default();
                found.push(event(at, tone, "container", object(), name(c), format!("{text}{attempt}{message}")));
            }
            ContainerState::Created => {
                found.push(event(c.created, Tone::Plain, "container", object(), name(c), format!("created{attempt}")));
            }
            ContainerState::Unknown => {
                found.push(event(now, Tone::Warn, "container", object(), name(c), "in a state nobody knows"));
            }
            ContainerState::Running => {}
        }
    }
    let gone = old.value().into_iter().flatten().filter(|o| !is.contains_key(o.id.as_str()));
    found.extend(
        gone.map(|c| event(now, Tone::Dim, "container", None, name(c), format!("attempt {} was removed", c.attempt))),
    );
}
