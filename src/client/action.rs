//! The one door to change: every change of the node is an [`Action`], planned by a pure function, applied step by step.
//!
//! No I/O and no clock here (`tests/tidy.rs` checks).

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{
    change::Change,
    prune, restart,
    types::{
        Container, ContainerState, DEFAULT_GRACE, Garbage, Image, Inventory, ObjectRef, PodSandbox, PodState,
        RuntimeInfo, Seen, short_id,
    },
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
    /// By the kubelet, where one looks after it; else it is made anew.
    RestartContainer {
        container: String,
    },
    RestartPod {
        pod: String,
    },
    /// A pod with one container; pulls what is missing.
    Run(Launch),
    PullImage {
        reference: String,
    },
    RemoveImage {
        image: String,
    },
    /// One more name for an image.
    TagImage {
        image: String,
        name: String,
    },
    /// Whether whoever makes room is to leave an image.
    PinImage {
        image: String,
        pinned: bool,
    },
    /// Garbage goes now rather than some time.
    Collect,
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

/// An image that is run by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub image: String,
    /// Instead of the image's own arguments.
    pub command: Vec<String>,
    /// Of the pod and of the container.
    pub name: String,
    /// Of the pod: its steps find it by that.
    pub uid: String,
}

impl Step {
    /// What follows it counts on it.
    pub fn bears(&self) -> bool {
        matches!(self, Self::Change(_) | Self::RunPod(_) | Self::CreateContainer(_))
    }
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
    /// Made anew as this attempt from its configuration, in place of the old one.
    Restart {
        container: String,
        grace: Duration,
        attempt: u32,
    },
    RunPod(Launch),
    CreateContainer(Launch),
    StartContainer(Launch),
    PullImage(String),
    RemoveImage(String),
    TagImage {
        image: String,
        name: String,
        /// The image that loses the name.
        from: Option<String>,
    },
    PinImage {
        image: String,
        pinned: bool,
    },
    Collect,
    Change(Change),
}

/// What not every runtime can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Tag,
    Pin,
    Collect,
}

/// Why a runtime cannot do something, if so: it is not offered then.
pub fn lacks(act: Act, info: &RuntimeInfo) -> Option<String> {
    let (name, version) = (info.name.as_str(), info.version.trim_start_matches('v'));
    Some(match (act, name) {
        (_, "wharf") => return None,
        // The releases in which its CRI began to look at the label.
        (Act::Pin, "containerd") if older(version, &[(1, 6, 22), (1, 7, 3)]) => {
            format!("containerd {version} knows no pins: 1.6.22, 1.7.3 and 2 do")
        }
        (_, "containerd") => return None,
        (Act::Tag, "cri-o") => "CRI-O has no call for it: pull the image by that name".to_owned(),
        (Act::Pin, "cri-o") => "CRI-O pins what pinned_images in its crio.conf names".to_owned(),
        (Act::Collect, "cri-o") => "CRI-O keeps no garbage: what an image had goes with it".to_owned(),
        _ => format!("{name} has no call for it"),
    })
}

/// Whether a version is before the first of its own line that has something; of a line that is not listed, before them all.
fn older(version: &str, first: &[(u32, u32, u32)]) -> bool {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let (major, minor, patch) = (next(), next(), next());
    match first.iter().find(|f| (f.0, f.1) == (major, minor)) {
        Some(first) => patch < first.2,
        None => first.iter().all(|f| (major, minor) < (f.0, f.1)),
    }
}

impl Action {
    /// What the runtime must be able to do for it.
    fn act(&self) -> Option<Act> {
        match self {
            Self::TagImage { .. } => Some(Act::Tag),
            Self::PinImage { .. } => Some(Act::Pin),
            Self::Collect => Some(Act::Collect),
            _ => None,
        }
    }
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
    if let (Some(info), Some(act)) = (&seen.info, action.act())
        && let Some(why) = lacks(act, info)
    {
        bail!(Unimplemented, "{why}");
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
        Action::RestartContainer { container } => {
            restart::container(&mut plan, seen, find_container(seen, container)?)?
        }
        Action::RestartPod { pod } => restart::pod(&mut plan, seen, find_pod(seen, pod)?)?,
        Action::Run(launch) => {
            let here = need(&seen.images, "images")?.iter().any(|i| prune::is_named(i, &launch.image));
            if !here {
                names_its_registry(&launch.image)?;
                step(Step::PullImage(launch.image.clone()), launch.image.clone(), "it is not on this node");
            }
            let pod = format!("default/{}", launch.name);
            let command = if launch.command.is_empty() { "the image's own" } else { &launch.command.join(" ") };
            step(Step::RunPod(launch.clone()), pod, "with the node's usual handler and network; no kubelet knows it");
            let what = format!("{} of {}", launch.name, launch.image);
            step(Step::CreateContainer(launch.clone()), what, &format!("command: {command}"));
            let left = "a step that fails takes the pod away again";
            step(Step::StartContainer(launch.clone()), launch.name.clone(), left);
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
        Action::TagImage { image, name } => {
            let (image, name) = (find_image(seen, image)?, new_name(name)?);
            if image.tags.contains(&name) {
                bail!(AlreadyExists, "image {} is called {name} already", prune::image_name(image));
            }
            let other = need(&seen.images, "images")?.iter().find(|i| i.tags.contains(&name));
            let reason = match other {
                Some(other) => format!("the name goes over from image {}", short_id(&other.id)),
                None => format!("one more name of {}", prune::image_name(image)),
            };
            let from = other.map(|i| i.id.clone());
            step(Step::TagImage { image: image.id.clone(), name: name.clone(), from }, name, &reason);
        }
        Action::PinImage { image, pinned } => {
            let (image, pinned) = (find_image(seen, image)?, *pinned);
            let what = prune::image_name(image);
            if image.pinned == pinned {
                let why = if pinned { "it is pinned already" } else { "it is not pinned" }.to_owned();
                plan.keeps.push(Kept { object: ObjectRef::Image(image.id.clone()), what, why });
            } else {
                let reason = match pinned {
                    true => "the kubelet and prune leave it, however full the disk is",
                    false => "the kubelet and prune may take it when nothing uses it",
                };
                step(Step::PinImage { image: image.id.clone(), pinned }, what, reason);
            }
        }
        Action::Collect => {
            let (reason, frees) = match &seen.garbage {
                Seen::At { value, .. } if *value == Garbage::default() => ("there is none at the moment".to_owned(), 0),
                Seen::At { value, .. } => (value.to_string(), value.bytes),
                Seen::Failed { error, .. } => (format!("how much it is could not be told: {error}"), 0),
                Seen::NotAsked => ("how much it is was not asked".to_owned(), 0),
            };
            plan.steps.push(Planned { step: Step::Collect, what: "what nothing refers to".to_owned(), reason, frees });
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

/// A name that an image may be given, with its tag: `REGISTRY[:PORT]/REPOSITORY[:TAG]` as the distribution specification has it.
///
/// # Errors
/// `InvalidArgument`, with what is wrong.
pub fn new_name(name: &str) -> Result<String> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
    names_its_registry(name)?;
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (name, "latest"),
    };
    let (registry, repository) = path.split_once('/').unwrap_or((path, ""));
    let all = |text: &str, more: &str, upper: bool| {
        text.chars().all(|c| {
            c.is_ascii_digit() || c.is_ascii_lowercase() || upper && c.is_ascii_uppercase() || more.contains(c)
        })
    };
    let plain = |part: &str| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        all(part, "._-", false) && ends(part.chars().next()) && ends(part.chars().last())
    };
    let why = if name.contains('@') {
        "a digest is an image's own name, no other can have it"
    } else if tag.is_empty() || tag.len() > 128 || tag.starts_with(['.', '-']) || !all(tag, "._-", true) {
        "a tag is at most 128 letters, digits, '_', '.' and '-'"
    } else if registry.is_empty() || !all(registry, ".-:[]", true) {
        "the registry is no host name"
    } else if repository.len() > 255 || !repository.split('/').all(plain) {
        "a repository is lower-case letters and digits, with '.', '_', '-' and '/' in between"
    } else {
        return Ok(format!("{path}:{tag}"));
    };
    bail!(InvalidArgument, "{shown:?} is no name for an image: {why}")
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
