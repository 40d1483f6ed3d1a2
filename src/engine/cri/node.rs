//! What CRI asks of the runtime as a whole: version, status, configuration, events; and recovery at start.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use super::{
    ended, info,
    state::{ContainerRecord, PodRecord},
};
use crate::{
    engine::{Engine, metadata::Table},
    error::Result,
    node::cgroup::Driver,
    proto::cri,
};

pub fn version() -> cri::VersionResponse {
    cri::VersionResponse {
        version: "0.1.0".to_owned(),
        runtime_name: "wharf".to_owned(),
        runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
        runtime_api_version: "v1".to_owned(),
    }
}

pub async fn status(engine: &Engine, verbose: bool) -> cri::StatusResponse {
    let condition = |name: &str, state: Result<()>, reason: &str| cri::RuntimeCondition {
        r#type: name.to_owned(),
        status: state.is_ok(),
        reason: if state.is_ok() { String::new() } else { reason.to_owned() },
        message: state.err().map(|e| format!("{e:#}")).unwrap_or_default(),
    };
    let conditions = vec![
        condition("RuntimeReady", engine.ready().await, "RuntimeNotReady"),
        condition("NetworkReady", engine.network.ready().await, "NetworkPluginNotReady"),
    ];
    let info = if verbose { info::of(engine) } else { HashMap::new() };
    let features = |name: &str| {
        let found = engine.features(name);
        cri::RuntimeHandlerFeatures {
            recursive_read_only_mounts: found.recursive_read_only,
            user_namespaces: found.user_namespaces,
        }
    };
    let named = |name: &str| cri::RuntimeHandler { name: name.to_owned(), features: Some(features(name)) };
    let mut runtime_handlers = vec![named("")];
    runtime_handlers.extend(engine.config.handlers.iter().map(|h| named(&h.name)));
    cri::StatusResponse {
        status: Some(cri::RuntimeStatus { conditions }),
        info,
        runtime_handlers,
        features: Some(cri::RuntimeFeatures { supplemental_groups_policy: true, user_namespaces_host_network: false }),
    }
}

pub fn runtime_config(engine: &Engine) -> cri::RuntimeConfigResponse {
    let driver = match engine.cgroup_driver() {
        Driver::Systemd => cri::CgroupDriver::Systemd,
        Driver::Cgroupfs => cri::CgroupDriver::Cgroupfs,
    };
    let linux = cri::LinuxRuntimeConfiguration { cgroup_driver: driver.into() };
    cri::RuntimeConfigResponse { linux: Some(linux) }
}

pub async fn recover(engine: &Arc<Engine>) -> Result<()> {
    for (id, record) in engine.db.list::<PodRecord>(Table::Sandboxes)? {
        match record {
            Ok(record) => drop(engine.pods.adopt_pod(record)),
            Err(error) => tracing::error!(pod = id, "its record is damaged and is left alone: {error:#}"),
        }
    }
    for (id, record) in engine.db.list::<ContainerRecord>(Table::Containers)? {
        match record {
            Ok(record) => drop(engine.pods.adopt_container(record)),
            Err(error) => tracing::error!(container = id, "its record is damaged and is left alone: {error:#}"),
        }
    }
    let pods = engine.pods.pods();
    let progress = &engine.config.progress;
    progress.all.store(pods.len(), Ordering::SeqCst);
    let recovered = pods.iter().map(|pod| async {
        let recovered = ended::recover(engine, pod).await;
        progress.pods.fetch_add(1, Ordering::SeqCst);
        recovered
    });
    let recovered = futures::future::join_all(recovered).await;
    for (pod, outcome) in pods.iter().zip(recovered) {
        if let Err(error) = outcome {
            tracing::warn!(pod = pod.record().id, "recovery: {error:#}");
        }
    }
    for container in engine.pods.containers() {
        let record = container.record();
        if engine.pods.pod(&record.pod).is_err()
            && let Err(error) = ended::recover_container(engine, &container).await
        {
            tracing::warn!(container = record.id, "recovery: {error:#}");
        }
    }
    // What was undone just now is not left to the next start.
    if let Err(error) = engine.network.settle().await {
        tracing::warn!("recovery: {error:#}");
    }
    engine.durable().await
}
