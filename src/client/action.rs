//! The one door to change: every change of the node is an [`Action`], planned by a pure function, applied step by step.
//!
//! No I/O and no clock here (`tests/tidy.rs` checks).

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{
    change::Change,
    prune,
    types::{Container, ContainerState, DEFAULT_GRACE, Image, Inventory, ObjectRef, PodSandbox, PodState, Seen},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// What a person or a runbook asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    StopPod {
        pod: String,
    },
    /// Stops it first if it runs.
    RemovePod {
        pod: String,
    },
    StopContainer {
        container: String,
        grace: Duration,
    },
    RemoveContainer {
        container: String,
    },
    PullImage {
        reference: String,
    },
    RemoveImage {
        image: String,
    },
    Prune {
        images: bool,
        containers: bool,
        /// Containers that exited less than this ago stay.
        older_than: Duration,
    },
    /// What a runbook mends on the node itself, in order.
    Mend {
        title: String,
        changes: Vec<Change>,
    },
}

/// What will be done, in order; what will not, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub action: Action,
    pub steps: Vec<Planned>,
    pub keeps: Vec<Kept>,
}

impl Plan {
    /// Bytes all steps free together, as far as known.
    pub fn frees(&self) -> u64 {
        self.steps.iter().map(|s| s.frees).sum()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    pub step: Step,
    /// For people: the name of the object.
    pub what: String,
    pub reason: String,
    /// Bytes, 0 if unknown.
    pub frees: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub object: ObjectRef,
    pub what: String,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    StopPod(String),
    RemovePod(String),
    StopContainer(String, Duration),
    RemoveContainer(String),
    PullImage(String),
    RemoveImage(String),
    Change(Change),
}

/// Pure: the same plan for the popup, `--dry-run` and the audit line.
///
/// # Errors
/// `NotFound` for an object the inventory does not have; `FailedPrecondition` for an image that is pinned or in use, or
/// when a part of the inventory that the decision needs is missing, or the runtime that would do it does not answer.
pub fn plan(action: &Action, seen: &Inventory, now: SystemTime) -> Result<Plan> {
    // The node itself can be mended, and so the runtime.
    if let (Some(silence), false) = (&seen.silence, matches!(action, Action::Mend { .. })) {
        bail!(FailedPrecondition, "the runtime does not answer, so nothing is changed: {}", silence.error);
    }
    let mut plan = Plan { action: action.clone(), steps: Vec::new(), keeps: Vec::new() };
    let mut step = |step, what: String, reason: &str| {
        plan.steps.push(Planned { step, what, reason: reason.to_owned(), frees: 0 });
    };
    match action {
        Action::StopPod { pod } => {
            let pod = find_pod(seen, pod)?;
            step(Step::StopPod(pod.id.clone()), pod_name(pod), "asked for");
        }
        Action::RemovePod { pod } => {
            let pod = find_pod(seen, pod)?;
            if pod.state == PodState::Ready {
                step(Step::StopPod(pod.id.clone()), pod_name(pod), "it is running");
            }
            step(Step::RemovePod(pod.id.clone()), pod_name(pod), "asked for");
        }
        Action::StopContainer { container, grace } => {
            let container = find_container(seen, container)?;
            step(Step::StopContainer(container.id.clone(), *grace), container.name.clone(), "asked for");
        }
        Action::RemoveContainer { container } => {
            let container = find_container(seen, container)?;
            if matches!(container.state, ContainerState::Running | ContainerState::Unknown) {
                step(Step::StopContainer(container.id.clone(), DEFAULT_GRACE), container.name.clone(), "it is running");
            }
            step(Step::RemoveContainer(container.id.clone()), container.name.clone(), "asked for");
        }
        Action::PullImage { reference } => step(Step::PullImage(reference.clone()), reference.clone(), "asked for"),
        Action::RemoveImage { image } => {
            let image = find_image(seen, image)?;
            let uses = prune::Uses::new(seen, &[])?;
            if let Some(why) = uses.keep(image) {
                bail!(FailedPrecondition, "remove image {}: {why}", prune::image_name(image));
            }
            step(Step::RemoveImage(image.id.clone()), prune::image_name(image), "asked for");
        }
        Action::Prune { images, containers, older_than } => {
            prune::plan(&mut plan, seen, (*images, *containers), *older_than, now)?;
        }
        Action::Mend { changes, .. } => {
            for change in changes {
                step(Step::Change(change.clone()), change.what(), &change.reason());
            }
        }
    }
    Ok(plan)
}

/// Whether a reference that a person typed names its registry. `nginx` could come from any; whose it is should be said where
/// somebody chooses, so it is refused with what it would stand for.
///
/// Over CRI such names stay what they are for everybody: the kubelet sends an image as its pod has it, crictl and critest send
/// `busybox`, and containerd reads that as `docker.io/library/busybox:latest`. So does wharf's engine; refused there, pods that
/// run on containerd would not run on it. Names of images that are here already are looked up in that way as well.
///
/// # Errors
/// `InvalidArgument`, with the form to try.
pub fn names_its_registry(reference: &str) -> Result<()> {
    let (first, rest) = reference.split_once('/').unwrap_or(("", reference));
    // The docker convention: a host has a dot or a port, or it is this machine.
    if first.contains(['.', ':']) || first == "localhost" || reference.is_empty() {
        return Ok(());
    }
    let library = if first.is_empty() { "library/" } else { "" };
    let shown: String = reference.chars().filter(|c| !c.is_control()).take(120).collect();
    let name = rest.split(['@', ':']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    bail!(
        InvalidArgument,
        "{shown:?} is a short name, it says no registry: docker.io/{library}{shown} is Docker Hub's, REGISTRY.EXAMPLE.COM/{name} another's"
    )
}

/// What was seen, or why it was not.
pub(super) fn need<'a, T>(seen: &'a Seen<Vec<T>>, what: &str) -> Result<&'a [T]> {
    match seen {
        Seen::At { value, .. } => Ok(value),
        Seen::Failed { error, .. } => bail!(FailedPrecondition, "the {what} could not be listed: {error}"),
        Seen::NotAsked => bail!(FailedPrecondition, "the {what} were not listed"),
    }
}

fn find_pod<'a>(seen: &'a Inventory, id: &str) -> Result<&'a PodSandbox> {
    let found = need(&seen.pods, "pods")?.iter().find(|p| p.id == id);
    found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no pod {id} (any more)")))
}

fn find_container<'a>(seen: &'a Inventory, id: &str) -> Result<&'a Container> {
    let found = need(&seen.containers, "containers")?.iter().find(|c| c.id == id);
    found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no container {id} (any more)")))
}

fn find_image<'a>(seen: &'a Inventory, name: &str) -> Result<&'a Image> {
    let found = need(&seen.images, "images")?.iter().find(|i| prune::is_named(i, name));
    found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no image {name} (any more)")))
}

fn pod_name(pod: &PodSandbox) -> String {
    format!("{}/{}", pod.namespace, pod.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_refused_with_what_it_would_stand_for() {
        for whole in [
            "docker.io/library/nginx",
            "localhost/a",
            "10.0.0.1:5000/a/b:c",
            "registry:5000/a",
            "h.example/a@sha256:0",
            "",
        ] {
            assert!(names_its_registry(whole).is_ok(), "{whole}");
        }
        for (short, library, other) in [
            ("nginx:1.27", "docker.io/library/nginx:1.27 ", "REGISTRY.EXAMPLE.COM/nginx "),
            ("team/app@sha256:0", "docker.io/team/app@sha256:0 ", "REGISTRY.EXAMPLE.COM/app "),
            ("nginx\x1b[2J", "docker.io/library/nginx[2J ", "nginx[2J"),
        ] {
            let error = names_its_registry(short).unwrap_err();
            let text = error.to_string();
            assert!(error.is(Kind::InvalidArgument) && text.contains(library) && text.contains(other), "{text}");
            assert!(!text.contains('\x1b'));
        }
    }
}
