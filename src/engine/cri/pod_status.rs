//! What is said of pod sandboxes: lists and statuses.

use std::time::Duration;

use super::{
    container,
    pod::pod_network,
    state::{PodRecord, PodState, now, selected},
};
use crate::{engine::Engine, error::Result, proto::cri};

/// For CNI plugins to look at a pod, for somebody who looks at it too, and waits for more than that.
const NETWORK_CHECK: Duration = Duration::from_secs(3);
fn to_state(state: PodState) -> cri::PodSandboxState {
    if state == PodState::Ready { cri::PodSandboxState::SandboxReady } else { cri::PodSandboxState::SandboxNotready }
}

pub fn list_pod_sandbox(engine: &Engine, filter: Option<cri::PodSandboxFilter>) -> Vec<cri::PodSandbox> {
    let filter = filter.unwrap_or_default();
    let records = engine.pods.pods().into_iter().map(|p| p.record());
    records
        .filter(|r| r.state != PodState::Creating)
        .filter(|r| r.id.starts_with(&filter.id))
        .filter(|r| filter.state.is_none_or(|s| s.state == to_state(r.state) as i32))
        .filter(|r| selected(&filter.label_selector, &r.config.labels))
        .map(|r| cri::PodSandbox {
            id: r.id.clone(),
            metadata: r.config.metadata.clone(),
            state: to_state(r.state) as i32,
            created_at: r.created_at,
            labels: r.config.labels.clone(),
            annotations: r.config.annotations.clone(),
            runtime_handler: r.handler.clone(),
        })
        .collect()
}

pub fn status(record: &PodRecord) -> cri::PodSandboxStatus {
    let ips: Vec<String> = record.attachment.iter().flat_map(|a| &a.ips).map(ToString::to_string).collect();
    let options = record
        .config
        .linux
        .as_ref()
        .and_then(|l| l.security_context.as_ref()?.namespace_options.clone())
        .unwrap_or_default();
    cri::PodSandboxStatus {
        id: record.id.clone(),
        metadata: record.config.metadata.clone(),
        state: to_state(record.state) as i32,
        created_at: record.created_at,
        network: Some(cri::PodSandboxNetworkStatus {
            ip: ips.first().cloned().unwrap_or_default(),
            additional_ips: ips.iter().skip(1).map(|ip| cri::PodIp { ip: ip.clone() }).collect(),
        }),
        linux: Some(cri::LinuxPodSandboxStatus { namespaces: Some(cri::Namespace { options: Some(options) }) }),
        labels: record.config.labels.clone(),
        annotations: record.config.annotations.clone(),
        runtime_handler: record.handler.clone(),
    }
}

/// Whether the pod's network is still as it was made (CNI's CHECK): "OK" or what is wrong. `None` if there is none to look at.
async fn network_check(engine: &Engine, record: &PodRecord) -> Option<String> {
    let (netns, attachment) = (record.netns.as_ref()?, record.attachment.as_ref()?);
    if record.state != PodState::Ready {
        return None;
    }
    let pod = pod_network(record);
    let check = engine.network.check(netns, &pod, attachment);
    Some(match tokio::time::timeout(NETWORK_CHECK, check).await {
        Ok(Ok(())) => "OK".to_owned(),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => format!("the plugins did not answer in {} s", NETWORK_CHECK.as_secs()),
    })
}

pub async fn pod_sandbox_status(engine: &Engine, id: &str, verbose: bool) -> Result<cri::PodSandboxStatusResponse> {
    let pod = engine.pods.pod(id)?;
    let record = pod.record();
    let mut info = std::collections::HashMap::new();
    if verbose {
        let (shim, pause) = pod.live_task().map_or((0, 0), |t| t.pids());
        let text = serde_json::json!({
            "pid": pause,
            "shimPid": shim,
            "netNamespaceClosed": record.netns.as_ref().is_none_or(|p| !p.exists()),
            "netns": record.netns,
            "cgroup": record.cgroup,
            "directory": record.directory,
            "runtimeHandler": record.handler,
            "cniResult": record.attachment.as_ref().map(|a| a.result.clone()),
            "networkCheck": network_check(engine, &record).await,
            "cleanupError": record.cleanup_error,
            "config": record.config,
        });
        info.insert("info".to_owned(), text.to_string());
    }
    let statuses = engine
        .pods
        .containers_of(&record.id)
        .iter()
        .map(|c| container::status(engine, &c.record()))
        .collect::<Vec<_>>();
    Ok(cri::PodSandboxStatusResponse {
        status: Some(status(&record)),
        info,
        containers_statuses: statuses,
        timestamp: now(),
    })
}
