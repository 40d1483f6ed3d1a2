//! The demo's pods, and the hand that restarts what crashes, as the kubelet would.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use serde_json::json;

use super::images::reference;
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

pub async fn start(cri: &Cri, logs: &Path, parent: &str) -> Result<Crashing> {
    let pod = async |namespace: &str, name: &str| -> Result<(String, cri::PodSandboxConfig)> {
        let uid = format!("demo-{name}");
        let labels = json!({ "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid });
        let config: cri::PodSandboxConfig = message(json!({
            "metadata": { "name": name, "namespace": namespace, "uid": uid },
            "hostname": name, "log_directory": logs.join(format!("{namespace}_{name}")), "labels": labels,
            "linux": { "cgroup_parent": parent },
        }))?;
        let request = cri::RunPodSandboxRequest { config: Some(config.clone()), runtime_handler: String::new() };
        let made = cri.runtime_service().run_pod_sandbox(request).await.map_err(Error::from);
        Ok((made.context(|| format!("start the demo's pod {name}"))?.into_inner().pod_sandbox_id, config))
    };
    let (web, web_config) = pod("shop", "web-5f7c9").await?;
    run(cri, &web, &web_config, container("web", "shop/web:2.3", 0, 128, json!([]))?).await?;
    run(cri, &web, &web_config, container("traffic", "shop/load:1.0", 0, 128, json!([]))?).await?;
    let (cache, cache_config) = pod("shop", "cache-0").await?;
    let memory = json!([{ "key": "CACHE_MIB", "value": "56" }]);
    run(cri, &cache, &cache_config, container("cache", "shop/cache:7.2", 0, 64, memory)?).await?;
    let (report, report_config) = pod("jobs", "report-29384").await?;
    run(cri, &report, &report_config, container("report", "jobs/report:1.4", 0, 256, json!([]))?).await?;
    pod("billing", "ledger-7d4b8").await?;
    let (payments, payments_config) = pod("billing", "payments-66b9f").await?;
    let crashing = container("payments", "billing/payments:0.9", 0, 64, json!([]))?;
    let last = run(cri, &payments, &payments_config, crashing.clone()).await?;
    Ok(Crashing { pod: payments, sandbox: payments_config, container: crashing, last })
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

/// Restarts the crash-looper with a growing delay and tries the pull that cannot succeed; until it is aborted.
pub async fn keep(cri: Arc<Cri>, mut crashing: Crashing) {
    let mut wait = BACKOFF.0;
    loop {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(BACKOFF.1);
        if let Err(error) = again(&cri, &mut crashing).await {
            tracing::info!("demo: {error:#}");
        }
        if let Err(error) = cri.pull(UNREACHABLE, None, &|_| ()).await {
            tracing::info!("demo: {error:#}");
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
