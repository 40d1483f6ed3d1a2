//! What prune takes and what it leaves: unused images, exited containers nobody needs. Pure.
//!
//! The contract: an image goes only if no container in any state, no image volume, no pin and no sandbox image refers to
//! it; whatever could not be asked counts as in use. Of a container's exited attempts the newest stays while its pod
//! exists, because the kubelet reads restart counts and the previous log from it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use super::{
    action::{Kept, Plan, Planned, Step, need},
    types::{Container, ContainerState, Image, Inventory, ObjectRef},
};
use crate::error::Result;

pub(super) fn plan(
    plan: &mut Plan,
    seen: &Inventory,
    (images, containers): (bool, bool),
    older_than: Duration,
    now: SystemTime,
) -> Result<()> {
    let mut gone = Vec::new();
    if containers {
        gone = prune_containers(plan, seen, older_than, now)?;
    }
    if images {
        let uses = Uses::new(seen, &gone)?;
        for image in need(&seen.images, "images")? {
            let what = image_name(image);
            if let Some(why) = uses.keep(image) {
                plan.keeps.push(Kept { object: ObjectRef::Image(image.id.clone()), what, why });
            } else {
                let reason = "no container uses it".to_owned();
                plan.steps.push(Planned { step: Step::RemoveImage(image.id.clone()), what, reason, frees: image.size });
            }
        }
    }
    Ok(())
}

fn prune_containers(plan: &mut Plan, seen: &Inventory, older_than: Duration, now: SystemTime) -> Result<Vec<String>> {
    let pods: BTreeSet<&str> = need(&seen.pods, "pods")?.iter().map(|p| p.id.as_str()).collect();
    let mut attempts: BTreeMap<(&str, &str), Vec<&Container>> = BTreeMap::new();
    for container in need(&seen.containers, "containers")?.iter().filter(|c| c.state == ContainerState::Exited) {
        attempts.entry((&container.pod, &container.name)).or_default().push(container);
    }
    let layers: BTreeMap<&str, u64> =
        seen.stats.value().into_iter().flatten().filter_map(|s| Some((s.id.as_str(), s.layer_bytes?))).collect();
    let mut gone = Vec::new();
    for ((pod, _), mut exited) in attempts {
        exited.sort_by_key(|c| Reverse((c.attempt, c.created)));
        for (age, container) in exited.into_iter().enumerate() {
            let ended = container.detail.as_ref().and_then(|d| d.finished);
            let young =
                !older_than.is_zero() && ended.is_none_or(|t| now.duration_since(t).is_ok_and(|d| d < older_than));
            let why = if age == 0 && pods.contains(pod) {
                Some(
                    "the newest exit of a container whose pod exists: its log and exit code are still wanted"
                        .to_owned(),
                )
            } else if young {
                Some(format!("it ended less than {} s ago", older_than.as_secs()))
            } else {
                None
            };
            let what = container.name.clone();
            if let Some(why) = why {
                plan.keeps.push(Kept { object: ObjectRef::Container(container.id.clone()), what, why });
                continue;
            }
            let reason = if pods.contains(pod) {
                "it exited, and a newer attempt did too"
            } else {
                "it exited, and its pod has gone"
            };
            plan.steps.push(Planned {
                step: Step::RemoveContainer(container.id.clone()),
                what,
                reason: reason.to_owned(),
                frees: layers.get(container.id.as_str()).copied().unwrap_or(0),
            });
            gone.push(container.id.clone());
        }
    }
    Ok(gone)
}

/// Of each step of a plan that was made a while ago why it must not be done any more, if so. What has gone meanwhile may be
/// removed once more: that is no harm.
pub(super) fn outdated(steps: &[Step], seen: &Inventory) -> Vec<Option<String>> {
    let stopped = |id: &str| steps.iter().any(|s| matches!(s, Step::StopContainer(stopped, _) if stopped == id));
    let container = |id: &String| -> Result<Option<String>> {
        let now = need(&seen.containers, "containers")?.iter().find(|c| c.id == *id).map(|c| c.state);
        let lives = matches!(now, Some(ContainerState::Running | ContainerState::Unknown));
        Ok((lives && !stopped(id)).then(|| "it does not stand still any more".to_owned()))
    };
    let mut gone = Vec::new();
    for step in steps {
        if let Step::RemoveContainer(id) = step
            && matches!(container(id), Ok(None))
        {
            gone.push(id.clone());
        }
    }
    let image = |id: &String| -> Result<Option<String>> {
        let found = need(&seen.images, "images")?.iter().find(|i| is_named(i, id));
        Ok(found.map(|image| Uses::new(seen, &gone).map(|uses| uses.keep(image))).transpose()?.flatten())
    };
    let look = |step: &Step| match step {
        Step::RemoveContainer(id) => container(id),
        Step::RemoveImage(id) => image(id),
        _ => Ok(None),
    };
    let why = |found: Result<Option<String>>| {
        found.unwrap_or_else(|error| Some(format!("it could not be looked at again: {error}")))
    };
    steps.iter().map(|step| why(look(step))).collect()
}

/// Who refers to images.
pub(super) struct Uses<'a> {
    /// The name or id of an image as a container has it, and the container.
    by: BTreeMap<&'a str, &'a str>,
    /// A container whose image volumes are not known.
    unknown: Option<&'a str>,
    sandbox_image: &'a str,
}

impl<'a> Uses<'a> {
    /// Containers in `gone` do not count. Fails if the containers are not known.
    pub(super) fn new(seen: &'a Inventory, gone: &[String]) -> Result<Self> {
        let mut uses = Self { by: BTreeMap::new(), unknown: None, sandbox_image: &seen.sandbox_image };
        for container in need(&seen.containers, "containers")?.iter().filter(|c| !gone.contains(&c.id)) {
            for name in [&container.image, &container.image_id] {
                uses.by.insert(name, &container.name);
            }
            match &container.detail {
                Some(detail) => {
                    uses.by.extend(detail.image_volumes.iter().map(|v| (v.as_str(), container.name.as_str())))
                }
                None => uses.unknown = Some(&container.name),
            }
        }
        uses.by.remove("");
        Ok(uses)
    }

    /// Why the image must stay.
    pub(super) fn keep(&self, image: &Image) -> Option<String> {
        if image.pinned {
            return Some("it is pinned".to_owned());
        }
        if !self.sandbox_image.is_empty() && is_named(image, self.sandbox_image) {
            return Some("pods are made with it".to_owned());
        }
        if let Some(container) = self.by.iter().find(|(name, _)| is_named(image, name)).map(|(_, c)| c) {
            return Some(format!("container {container} uses it"));
        }
        self.unknown.map(|c| format!("the status of container {c} is not known, so it may use it"))
    }
}

/// Whether `name` is the image's id, one of its tags or one of its digests.
pub(super) fn is_named(image: &Image, name: &str) -> bool {
    let hex = |id: &'_ str| id.trim_start_matches("sha256:").to_owned();
    image.id == name
        || hex(&image.id) == hex(name)
        || image
            .tags
            .iter()
            .chain(&image.digests)
            .any(|n| n == name || n.rsplit_once('@').is_some_and(|(_, d)| d == name))
}

pub(super) fn image_name(image: &Image) -> String {
    image.tags.first().or(image.digests.first()).unwrap_or(&image.id).clone()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            action::{self, Action},
            types::{ContainerDetail, PodSandbox, PodState, Seen},
        },
        *,
    };

    fn at<T>(value: T) -> Seen<T> {
        Seen::At { value, at: SystemTime::UNIX_EPOCH, source: "test".to_owned() }
    }

    fn container(id: &str, attempt: u32, image: &str, state: ContainerState) -> Container {
        Container {
            id: id.into(),
            pod: "p".into(),
            name: "web".into(),
            attempt,
            image: image.into(),
            image_id: String::new(),
            state,
            created: SystemTime::UNIX_EPOCH,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            detail: Some(ContainerDetail { finished: Some(SystemTime::UNIX_EPOCH), ..Default::default() }),
        }
    }

    fn image(id: &str, pinned: bool) -> Image {
        let tags = vec![format!("registry.test/{id}:1")];
        Image { id: format!("sha256:{id}"), tags, size: 7, pinned, ..Image::default() }
    }

    fn inventory(containers: Vec<Container>, images: Vec<Image>) -> Inventory {
        let pod = PodSandbox {
            id: "p".into(),
            name: "p".into(),
            namespace: "default".into(),
            uid: String::new(),
            attempt: 0,
            state: PodState::Ready,
            created: SystemTime::UNIX_EPOCH,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            handler: String::new(),
            ip: String::new(),
        };
        Inventory {
            pods: at(vec![pod]),
            containers: at(containers),
            images: at(images),
            sandbox_image: "registry.test/pause:1".into(),
            ..Inventory::default()
        }
    }

    fn prune(seen: &Inventory) -> Result<Plan> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        action::plan(&Action::Prune { images: true, containers: true, older_than: Duration::ZERO }, seen, now)
    }

    /// What is in the plan is what may go; of what has changed since, the step is left out and says why.
    #[test]
    fn prn_01_no_more_is_removed_than_was_shown_and_is_still_so() {
        use proptest::prelude::*;
        let states = prop::sample::select(vec![
            ContainerState::Running,
            ContainerState::Exited,
            ContainerState::Created,
            ContainerState::Unknown,
        ]);
        let one = (0..6_u32, 0..4_u32, 0..5_usize, states, prop::bool::ANY);
        let world = (prop::collection::vec(one, 0..12), prop::collection::vec(prop::bool::ANY, 5));
        /// Pod, attempt, image, state, and whether its status is known; and of each image whether it is pinned.
        type World = (Vec<(u32, u32, usize, ContainerState, bool)>, Vec<bool>);
        let of = |(containers, pinned): &World| {
            let containers = containers.iter().enumerate().map(|(n, (pod, attempt, used, state, known))| {
                let mut made = container(&format!("c{n}"), *attempt, &format!("registry.test/i{used}:1"), *state);
                made.pod = if *pod == 0 { "p".into() } else { format!("gone{pod}") };
                made.detail = made.detail.filter(|_| *known || n % 7 != 0);
                made
            });
            inventory(
                containers.collect(),
                pinned.iter().enumerate().map(|(n, p)| image(&format!("i{n}"), *p)).collect(),
            )
        };
        proptest!(ProptestConfig::with_cases(500), |(before in world.clone(), after in world)| {
            let (then, now) = (of(&before), of(&after));
            let plan = prune(&then).unwrap();
            let steps: Vec<Step> = plan.steps.iter().map(|s| s.step.clone()).collect();
            let all = then.containers.value().unwrap().iter().filter(|c| c.state == ContainerState::Exited).count()
                + then.images.value().unwrap().len();
            prop_assert_eq!(plan.steps.len() + plan.keeps.len(), all, "everything is shown once");
            prop_assert!(outdated(&steps, &then).iter().all(Option::is_none), "nothing has changed");
            let why = outdated(&steps, &now);
            let done: Vec<&Step> = steps.iter().zip(&why).filter(|(_, why)| why.is_none()).map(|(step, _)| step).collect();
            let goes = |id: &str| done.iter().any(|s| matches!(s, Step::RemoveContainer(gone) if gone == id));
            for c in now.containers.value().unwrap() {
                let lives = matches!(c.state, ContainerState::Running | ContainerState::Unknown);
                prop_assert!(!(lives && goes(&c.id)), "{} lives", c.id);
                let id = c.image.replace("registry.test/", "sha256:").replace(":1", "");
                let id = if id.starts_with("sha256") { id } else { format!("sha256:{id}") };
                prop_assert!(goes(&c.id) || !done.iter().any(|s| **s == Step::RemoveImage(id.clone())), "{id} is used");
            }
            for image in now.images.value().unwrap().iter().filter(|i| i.pinned) {
                prop_assert!(!done.iter().any(|s| **s == Step::RemoveImage(image.id.clone())), "{} is pinned", image.id);
            }
        });
        let blind = Inventory { containers: Seen::NotAsked, ..inventory(vec![], vec![image("x", false)]) };
        let why = outdated(&[Step::RemoveImage("sha256:x".into())], &blind);
        assert!(why[0].as_ref().is_some_and(|why| why.contains("not listed")), "{why:?}");
    }

    #[test]
    fn prn_02_used_pinned_and_sandbox_images_stay() {
        let mut by_digest = container("e", 0, "registry.test/digest@sha256:manifest", ContainerState::Exited);
        by_digest.image_id = String::new();
        let digests = vec!["registry.test/digest@sha256:manifest".to_owned()];
        let digest = Image { id: "sha256:digest".into(), digests, size: 7, ..Image::default() };
        let plan = prune(&inventory(vec![by_digest], vec![digest])).unwrap();
        assert!(plan.steps.is_empty(), "the newest exit refers to it: {plan:?}");
        let used = container("c", 0, "registry.test/used:1", ContainerState::Created);
        let mut by_volume = container("d", 0, "", ContainerState::Running);
        by_volume.detail = Some(ContainerDetail { image_volumes: vec!["sha256:volume".into()], ..Default::default() });
        let images = ["used", "volume", "pinned", "pause", "unused"].map(|n| image(n, n == "pinned"));
        let plan = prune(&inventory(vec![used, by_volume], images.to_vec())).unwrap();
        assert_eq!(plan.steps.iter().map(|s| s.what.as_str()).collect::<Vec<_>>(), ["registry.test/unused:1"]);
        assert_eq!((plan.frees(), plan.keeps.len()), (7, 4));
    }

    #[test]
    fn what_could_not_be_asked_counts_as_in_use() {
        let mut silent = container("c", 0, "registry.test/other:1", ContainerState::Running);
        silent.detail = None;
        let plan = prune(&inventory(vec![silent], vec![image("unused", false)])).unwrap();
        assert!(plan.steps.is_empty() && plan.keeps[0].why.contains("not known"), "{plan:?}");
        let blind = Inventory { containers: Seen::NotAsked, ..inventory(vec![], vec![image("unused", false)]) };
        assert!(prune(&blind).unwrap_err().to_string().contains("not listed"));
    }

    #[test]
    fn prn_06_the_newest_exit_of_a_living_pod_stays_and_its_image_too() {
        let unknown = container("u", 0, "registry.test/web:1", ContainerState::Unknown);
        let seen = inventory(vec![unknown], vec![image("web", false)]);
        assert!(prune(&seen).unwrap().steps.is_empty(), "nobody knows whether it has ended");
        let hour = Action::Prune { images: true, containers: true, older_than: Duration::from_secs(3600) };
        let mut fresh = container("f", 0, "", ContainerState::Exited);
        fresh.pod = "gone".into();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(3599);
        assert!(action::plan(&hour, &inventory(vec![fresh.clone()], vec![]), now).unwrap().steps.is_empty());
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(3601);
        assert_eq!(action::plan(&hour, &inventory(vec![fresh], vec![]), now).unwrap().steps.len(), 1);
        let exited = |id, attempt| container(id, attempt, "registry.test/web:1", ContainerState::Exited);
        let mut orphan = exited("c", 0);
        orphan.pod = "gone".into();
        let plan = prune(&inventory(vec![exited("a", 0), exited("b", 1), orphan], vec![image("web", false)])).unwrap();
        let steps: Vec<_> = plan.steps.iter().map(|s| s.step.clone()).collect();
        assert_eq!(steps, [Step::RemoveContainer("c".into()), Step::RemoveContainer("a".into())]);
        assert_eq!(plan.keeps.len(), 2);
    }

    #[test]
    fn an_image_goes_with_the_last_container_that_used_it() {
        let mut orphan = container("c", 0, "registry.test/web:1", ContainerState::Exited);
        orphan.pod = "gone".into();
        let plan = prune(&inventory(vec![orphan], vec![image("web", false)])).unwrap();
        let steps: Vec<_> = plan.steps.iter().map(|s| s.step.clone()).collect();
        assert_eq!(steps, [Step::RemoveContainer("c".into()), Step::RemoveImage("sha256:web".into())]);
    }

    #[test]
    fn removing_stops_first_and_an_image_in_use_is_refused() {
        let seen = inventory(
            vec![container("c", 0, "registry.test/web:1", ContainerState::Running)],
            vec![image("web", false)],
        );
        let plan =
            action::plan(&Action::RemoveContainer { container: "c".into() }, &seen, SystemTime::UNIX_EPOCH).unwrap();
        assert!(matches!(plan.steps[0].step, Step::StopContainer(..)) && plan.steps.len() == 2);
        let error = action::plan(&Action::RemoveImage { image: "sha256:web".into() }, &seen, SystemTime::UNIX_EPOCH)
            .unwrap_err();
        assert!(error.to_string().contains("container web uses it"), "{error}");
    }
}
