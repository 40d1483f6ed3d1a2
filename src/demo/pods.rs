//! The demo's pods, and the hand that restarts what crashes, as the kubelet would.

use std::{collections::HashMap, path::Path, time::Duration};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Tell, images::reference};
use crate::{
    client::{Cri, Runtime, action::Step, types::Scope},
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// A container that is started again whenever it has ended.
#[derive(Debug, Clone)]
pub struct Crashing {
    pod: String,
    sandbox: cri::PodSandboxConfig,
    container: cri::ContainerConfig,
    last: String,
}

/// An image that nobody serves: its pod never gets its container.
const UNREACHABLE: &str = "127.0.0.1:9/billing/ledger:3.1";
/// Between two starts of the crash-looper: first, last.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));
/// Ended attempts that are kept, as the kubelet keeps some.
const KEPT: u32 = 2;

/// Starts the demo's pods, and restarts what crashes, as the kubelet would.
#[derive(Debug)]
pub struct Pods<'a> {
    pub cri: &'a Cri,
    pub logs: &'a Path,
    /// The cgroup of them all.
    pub parent: &'a str,
}

/// A pod that was started.
#[derive(Debug)]
pub struct Started {
    id: String,
    config: cri::PodSandboxConfig,
}

impl Pods<'_> {
    pub async fn pod(&self, namespace: &str, name: &str) -> Result<Started> {
        self.annotated(namespace, name, json!({})).await
    }

    /// One whose image nobody serves, as kubectl applies a pod.
    pub async fn waiting(&self, namespace: &str, name: &str) -> Result<Started> {
        let applied = json!({ "kind": "Pod", "spec": { "containers": [{ "name": "ledger", "image": UNREACHABLE }] } });
        let annotations = json!({ "kubectl.kubernetes.io/last-applied-configuration": applied.to_string() });
        self.annotated(namespace, name, annotations).await
    }

    async fn annotated(&self, namespace: &str, name: &str, annotations: serde_json::Value) -> Result<Started> {
        let uid = format!("demo-{name}");
        let labels = json!({ "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid });
        let config: cri::PodSandboxConfig = message(json!({
            "metadata": { "name": name, "namespace": namespace, "uid": uid },
            "hostname": name, "log_directory": self.logs.join(format!("{namespace}_{name}_{uid}")), "labels": labels, "annotations": annotations,
            "linux": { "cgroup_parent": self.parent },
        }))?;
        let request = cri::RunPodSandboxRequest { config: Some(config.clone()), runtime_handler: String::new() };
        let made = self.cri.runtime_service().run_pod_sandbox(request).await.map_err(Error::from);
        let id = made.context(|| format!("start the demo's pod {name}"))?.into_inner().pod_sandbox_id;
        Ok(Started { id, config })
    }

    /// Its memory limit in mebibytes; `envs` as CRI has them.
    pub async fn container(
        &self,
        pod: &Started,
        name: &str,
        image: &str,
        mebibytes: u64,
        envs: serde_json::Value,
    ) -> Result<()> {
        let config = container(name, image, 0, mebibytes, envs)?;
        run(self.cri, &pod.id, &pod.config, config).await.map(drop)
    }

    pub async fn crashing(&self, pod: Started, name: &str, image: &str) -> Result<Crashing> {
        let container = container(name, image, 0, 64, json!([]))?;
        let last = run(self.cri, &pod.id, &pod.config, container.clone()).await?;
        Ok(Crashing { pod: pod.id, sandbox: pod.config, container, last })
    }
}

fn container(
    name: &str,
    image: &str,
    attempt: u32,
    mebibytes: u64,
    envs: serde_json::Value,
) -> Result<cri::ContainerConfig> {
    message(json!({
        "metadata": { "name": name, "attempt": attempt },
        "image": { "image": reference(image) },
        "envs": envs,
        "labels": { "io.kubernetes.container.name": name },
        "log_path": format!("{name}/{attempt}.log"),
        "linux": { "resources": { "memory_limit_in_bytes": (mebibytes << 20).to_string(), "cpu_shares": "256" } },
    }))
}

fn message<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value)
        .map_err(|e| Error::new(Kind::Internal, "write the demo's configuration").with_source(e))
}

async fn run(cri: &Cri, pod: &str, sandbox: &cri::PodSandboxConfig, config: cri::ContainerConfig) -> Result<String> {
    let mut service = cri.runtime_service();
    let request = cri::CreateContainerRequest {
        pod_sandbox_id: pod.to_owned(),
        config: Some(config),
        sandbox_config: Some(sandbox.clone()),
    };
    let id = service.create_container(request).await?.into_inner().container_id;
    service.start_container(cri::StartContainerRequest { container_id: id.clone() }).await?;
    Ok(id)
}

/// Restarts the crash-looper with a growing delay and tries the pull that cannot succeed; until it is told to stop.
pub async fn keep(cri: &Cri, mut crashing: Crashing, tell: &Tell, stop: &CancellationToken) {
    let mut wait = BACKOFF.0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(BACKOFF.1);
        if let Err(error) = again(cri, &mut crashing).await {
            tell(format!("demo: restart payments: {error:#}"));
        }
        if let Err(error) = cri.pull(UNREACHABLE, None, &|_| ()).await {
            tell(format!("demo: pod ledger-7d4b8 waits for its image: {error:#}"));
        }
    }
}

async fn again(cri: &Cri, crashing: &mut Crashing) -> Result<()> {
    let seen = cri.inventory(Scope { pods: true, ..Scope::default() }).await;
    let states: HashMap<&str, _> =
        seen.containers.value().into_iter().flatten().map(|c| (c.id.as_str(), c.state)).collect();
    let ended = states.get(crashing.last.as_str()).is_none_or(|s| *s == crate::client::types::ContainerState::Exited);
    let pod_lives = seen.pods.value().into_iter().flatten().any(|p| p.id == crashing.pod);
    // The person may have removed the pod: then there is nothing to keep.
    if !ended || !pod_lives {
        return Ok(());
    }
    let attempt = crashing.container.metadata.as_ref().map_or(0, |m| m.attempt) + 1;
    if let Some(meta) = &mut crashing.container.metadata {
        meta.attempt = attempt;
    }
    crashing.container.log_path = format!("payments/{attempt}.log");
    crashing.last = run(cri, &crashing.pod, &crashing.sandbox, crashing.container.clone()).await?;
    for old in seen.containers.value().into_iter().flatten() {
        if old.pod == crashing.pod && old.attempt + KEPT < attempt {
            cri.apply(&Step::RemoveContainer(old.id.clone())).await?;
        }
    }
    Ok(())
}

pub async fn remove_all(cri: &Cri) -> Result<()> {
    let mut service = cri.runtime_service();
    let list = service.list_pod_sandbox(cri::ListPodSandboxRequest::default()).await?.into_inner();
    let mut first: Option<Error> = None;
    for pod in list.items {
        if let Err(error) = cri.apply(&Step::RemovePod(pod.id)).await {
            first = Some(match first.take() {
                Some(before) => before.and_cleanup(Err(error)),
                None => error,
            });
        }
    }
    first.map_or(Ok(()), Err)
}
