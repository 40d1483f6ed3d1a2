//! Restarts. CRI has none: what the kubelet looks after is stopped, and the kubelet starts it again; what nobody looks after is made
//! anew from the configuration that the runtime has of it, beside the old, which goes when the new one runs.

use std::{path::Path, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    action::{Plan, Planned, Step, need},
    cri::{CHANGE, Cri, QUESTION, within},
    types::{Container, ContainerState, DEFAULT_GRACE, Inventory, PodSandbox, PodState, Seen, short_id},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::cri,
};

/// What only the kubelet writes: into each of its containers, ...
const HASH: &str = "io.kubernetes.container.hash";
/// ... and into its pods.
const SOURCE: &str = "kubernetes.io/config.source";
/// Seconds that a container of its gets to end.
const GRACE: &str = "io.kubernetes.pod.terminationGracePeriod";
/// More than this nobody waits for in front of a screen.
const LONGEST: u64 = 100;
/// One that ends at once does so within this.
const SETTLES: Duration = Duration::from_secs(1);

/// Plans it for a container.
pub(super) fn container(plan: &mut Plan, seen: &Inventory, container: &Container) -> Result<()> {
    let pods = need(&seen.pods, "pods")?;
    let pod = pods.iter().find(|p| p.id == container.pod);
    if container.annotations.contains_key(HASH) || pod.is_some_and(|p| p.annotations.contains_key(SOURCE)) {
        kubelet_lives(seen, &container.name)?;
        if !runs(container) {
            bail!(
                FailedPrecondition,
                "{} does not run: the kubelet starts it when its back-off is over",
                container.name
            );
        }
        let grace = grace(container);
        let reason = format!("within {} s; the kubelet starts it again, unless its policy is Never", grace.as_secs());
        push(plan, Step::StopContainer(container.id.clone(), grace), container.name.clone(), reason);
        return Ok(());
    }
    if pod.is_none_or(|p| p.state != PodState::Ready) {
        bail!(FailedPrecondition, "the pod of {} has ended: a container cannot be made in it", container.name);
    }
    if let Some(name) = seen.info.as_ref().map(|i| i.name.as_str()).filter(|n| !matches!(*n, "wharf" | "containerd")) {
        let why = "no kubelet looks after it, and the configuration to make it anew is not told by";
        bail!(Unimplemented, "{} cannot be restarted: {why} {name}", container.name);
    }
    let same = |c: &&Container| c.pod == container.pod && c.name == container.name;
    let last = need(&seen.containers, "containers")?.iter().filter(same).map(|c| c.attempt).max().unwrap_or(0);
    if last > container.attempt {
        bail!(FailedPrecondition, "{} has a newer attempt, {last}: restart that one", container.name);
    }
    let Some(attempt) = last.checked_add(1) else {
        bail!(FailedPrecondition, "{} has no attempts left", container.name)
    };
    let reason = format!("made anew as attempt {attempt} from its configuration; the old one goes when that runs");
    let step = Step::Restart { container: container.id.clone(), grace: grace(container), attempt };
    push(plan, step, container.name.clone(), reason);
    Ok(())
}

/// Plans it for a pod: the kubelet makes one of its own anew, else its containers are restarted in it.
pub(super) fn pod(plan: &mut Plan, seen: &Inventory, pod: &PodSandbox) -> Result<()> {
    let all = need(&seen.containers, "containers")?;
    let inside: Vec<&Container> = all.iter().filter(|c| c.pod == pod.id).collect();
    let name = format!("{}/{}", pod.namespace, pod.name);
    if pod.annotations.contains_key(SOURCE) || inside.iter().any(|c| c.annotations.contains_key(HASH)) {
        kubelet_lives(seen, &name)?;
        if pod.state != PodState::Ready {
            bail!(
                FailedPrecondition,
                "{name} has ended: the kubelet makes it anew by itself, unless its policy is Never"
            );
        }
        let reason = "the kubelet makes it anew with all that is in it, unless its policy is Never".to_owned();
        push(plan, Step::StopPod(pod.id.clone()), name, reason);
        return Ok(());
    }
    let newest = |c: &&&Container| !inside.iter().any(|o| o.name == c.name && o.attempt > c.attempt);
    let wanted: Vec<&&Container> = inside.iter().filter(newest).collect();
    if wanted.is_empty() {
        bail!(FailedPrecondition, "{name} has no container to restart");
    }
    wanted.into_iter().try_for_each(|c| container(plan, seen, c))
}

fn push(plan: &mut Plan, step: Step, what: String, reason: String) {
    plan.steps.push(Planned { step, what, reason, frees: 0 });
}

fn runs(container: &Container) -> bool {
    matches!(container.state, ContainerState::Running | ContainerState::Unknown)
}

fn grace(container: &Container) -> Duration {
    let own = container.annotations.get(GRACE).and_then(|text| text.parse::<u64>().ok());
    own.map_or(DEFAULT_GRACE, |seconds| Duration::from_secs(seconds.min(LONGEST)))
}

fn kubelet_lives(seen: &Inventory, name: &str) -> Result<()> {
    match &seen.kubelet {
        Seen::At { value: true, .. } => Ok(()),
        Seen::At { .. } => bail!(
            FailedPrecondition,
            "{name} is the kubelet's, and no kubelet runs here: nobody would start it again (the runbook kubelet-down says more)"
        ),
        Seen::Failed { error, .. } => bail!(FailedPrecondition, "whether a kubelet runs could not be seen: {error}"),
        Seen::NotAsked => bail!(FailedPrecondition, "whether a kubelet runs was not looked at"),
    }
}

impl Cri {
    /// Makes a container anew and removes the old one when the new one runs.
    pub(super) async fn restart(&self, id: &str, grace: Duration, attempt: u32) -> Result<String> {
        let what = format!("restart container {}", short_id(id));
        self.changes(&what)?;
        let (pod, sandbox, mut config) = self.recorded(id).await.map_err(|e| e.context(what.clone()))?;
        let metadata = config.metadata.get_or_insert_default();
        let before = metadata.attempt;
        metadata.attempt = attempt;
        config.log_path = next_log(&config.log_path, before, attempt);
        let mut runtime = self.runtime_service();
        let request =
            cri::CreateContainerRequest { pod_sandbox_id: pod, config: Some(config), sandbox_config: Some(sandbox) };
        // The old one runs on until it is certain that there can be a new one.
        let made = within(CHANGE, "make it anew", runtime.create_container(request)).await;
        let new = made.map_err(|e| e.context(what.clone()))?.container_id;
        match self.replace(id, &new, grace).await {
            Ok(()) => Ok(format!("attempt {attempt} is container {}", short_id(&new))),
            Err(error) => {
                let request = cri::RemoveContainerRequest { container_id: new };
                let removed = within(CHANGE, "remove the new one", runtime.remove_container(request)).await.map(drop);
                Err(error.context(what).and_cleanup(removed))
            }
        }
    }

    async fn replace(&self, old: &str, new: &str, grace: Duration) -> Result<()> {
        let mut runtime = self.runtime_service();
        let timeout = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
        let stop = cri::StopContainerRequest { container_id: old.to_owned(), timeout };
        within(CHANGE.saturating_add(grace), "stop the old one", runtime.stop_container(stop)).await?;
        let start = cri::StartContainerRequest { container_id: new.to_owned() };
        let kept = "start the new one; the old one is stopped and kept";
        within(CHANGE, kept, runtime.start_container(start)).await?;
        tokio::time::sleep(SETTLES).await;
        let status = self.container_status(new, false).await?.status.unwrap_or_default();
        if status.state() == cri::ContainerState::ContainerExited && status.exit_code != 0 {
            bail!(
                FailedPrecondition,
                "the new one ended at once with {} ({}); the old one is stopped and kept",
                status.exit_code,
                status.reason
            );
        }
        let remove = cri::RemoveContainerRequest { container_id: old.to_owned() };
        match within(CHANGE, "remove the old one", runtime.remove_container(remove)).await {
            Err(error) if !error.is(Kind::NotFound) => {
                // The new one runs: it must not go with an error.
                tracing::warn!("{error:#}");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The pod of a container, and both configurations as they were given.
    async fn recorded(&self, id: &str) -> Result<(String, cri::PodSandboxConfig, cri::ContainerConfig)> {
        let filter = Some(cri::ContainerFilter { id: id.to_owned(), ..Default::default() });
        let mut runtime = self.runtime_service();
        let list =
            within(QUESTION, "look for it", runtime.list_containers(cri::ListContainersRequest { filter })).await?;
        let Some(found) = list.containers.into_iter().find(|c| c.id == id) else {
            bail!(NotFound, "it is not there any more");
        };
        let pod = found.pod_sandbox_id;
        let request = cri::PodSandboxStatusRequest { pod_sandbox_id: pod.clone(), verbose: true };
        let sandbox = within(QUESTION, "ask for its pod", runtime.pod_sandbox_status(request)).await?;
        let status = self.container_status(id, true).await?;
        Ok((pod, config(sandbox.info.get("info"), "pod")?, config(status.info.get("info"), "container")?))
    }
}

/// The configuration in a verbose status: protobuf's JSON, or that of Go.
fn config<T: DeserializeOwned>(info: Option<&String>, of: &str) -> Result<T> {
    let value: Option<Value> = info.and_then(|text| serde_json::from_str(text).ok());
    let config = value.and_then(|mut v| v.get_mut("config").map(Value::take)).filter(Value::is_object);
    let Some(config) = config else { bail!(Unimplemented, "the runtime does not tell the configuration of the {of}") };
    serde_json::from_value(config).map_err(|e| {
        Error::new(Kind::Unimplemented, format!("understand the configuration of the {of}")).with_source(e)
    })
}

/// The log of the next attempt, where the name of the file is the attempt's number; else both write into one.
fn next_log(path: &str, before: u32, attempt: u32) -> String {
    let file = Path::new(path);
    let is = |number: u32| file.file_name().is_some_and(|n| n.to_str() == Some(&format!("{number}.log")));
    if is(before) {
        file.with_file_name(format!("{attempt}.log")).to_string_lossy().into_owned()
    } else {
        path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_as_go_writes_it() {
        let info = r#"{"pid": 1, "config": {"metadata": {"name": "web", "attempt": 2}, "image": {"image": "x"},
            "command": ["/bin/sh"], "envs": [{"key": "A", "value": "b"}], "log_path": "web/2.log",
            "linux": {"resources": {"memory_limit_in_bytes": 134217728},
                      "security_context": {"namespace_options": {"pid": 1}, "run_as_user": {"value": 7}}}}}"#;
        let read: cri::ContainerConfig = config(Some(&info.to_owned()), "container").unwrap();
        assert_eq!(read.metadata.unwrap().attempt, 2);
        assert_eq!(read.linux.unwrap().security_context.unwrap().run_as_user.unwrap().value, 7);
        for none in [None, Some("{}".to_owned()), Some(r#"{"config": null}"#.to_owned()), Some("x".to_owned())] {
            assert!(config::<cri::ContainerConfig>(none.as_ref(), "container").unwrap_err().is(Kind::Unimplemented));
        }
    }

    #[test]
    fn logs_are_numbered_as_attempts_are() {
        let next = |path| next_log(path, 3, 4);
        assert_eq!(
            [next("web/3.log"), next("web.log"), next("13.log"), next("")],
            ["web/4.log", "web.log", "13.log", ""]
        );
    }
}
