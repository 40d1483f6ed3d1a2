//! How a runtime does: what it says of itself in full, and how long it takes to answer each kind of question. Works on one
//! that hangs: every question has a deadline of its own, and all are asked at once.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    cri::Cri,
    transport::{self, Transport},
    types::{Condition, RuntimeInfo},
};
use crate::{
    error::{Error, Kind, Result},
    node::cgroup::Driver,
    proto::cri::{self, image_service_client::ImageServiceClient, runtime_service_client::RuntimeServiceClient},
};

/// What `crictl --timeout 3s` waits.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// Objects asked one by one, and how many at one time.
const OBJECTS: usize = 400;
const AT_ONCE: usize = 32;

/// CRI's Status with what the runtime adds, and RuntimeConfig.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuntimeStatus {
    pub info: RuntimeInfo,
    pub conditions: Vec<Condition>,
    pub handlers: Vec<String>,
    /// From RuntimeConfig; none if the runtime does not tell (containerd before 2.0).
    pub driver: Option<Driver>,
    /// The configuration in effect, in the runtime's own shape; null if it does not tell.
    pub config: Value,
    /// What came of the last reading of the pod network's configuration.
    pub network: Option<String>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub name: String,
    /// The container or pod it was about.
    pub object: Option<String>,
    pub took: Duration,
    pub error: Option<(Kind, String)>,
}

impl Call {
    /// No answer within [`PATIENCE`].
    pub fn hangs(&self) -> bool {
        matches!(self.error, Some((Kind::DeadlineExceeded, _)))
    }
}

impl Cri {
    /// # Errors
    /// That of the Status call.
    pub async fn health(&self) -> Result<RuntimeStatus> {
        let mut runtime = self.runtime_service();
        let mut other = self.runtime_service();
        let (status, config) = futures::join!(
            bounded("Status", runtime.status(cri::StatusRequest { verbose: true })),
            bounded("RuntimeConfig", other.runtime_config(cri::RuntimeConfigRequest {})),
        );
        let status = status?;
        let driver = config.ok().and_then(|c| c.linux).map(|l| match l.cgroup_driver() {
            cri::CgroupDriver::Systemd => Driver::Systemd,
            cri::CgroupDriver::Cgroupfs => Driver::Cgroupfs,
        });
        let parsed = |key: &str| status.info.get(key).and_then(|t| serde_json::from_str::<Value>(t).ok());
        let network = status.info.iter().find(|(k, _)| k.starts_with("lastCNILoadStatus"));
        let conditions = status.status.clone().unwrap_or_default().conditions.into_iter();
        Ok(RuntimeStatus {
            info: super::Runtime::info(self).clone(),
            conditions: conditions
                .map(|c| Condition { name: c.r#type, ok: c.status, reason: c.reason, message: c.message })
                .collect(),
            handlers: status.runtime_handlers.iter().map(|h| h.name.clone()).collect(),
            driver,
            config: parsed("config").unwrap_or_default(),
            network: network.map(|(_, v)| v.trim_matches('"').to_owned()).filter(|v| !v.is_empty() && v != "OK"),
        })
    }

    /// Asks everything there is to ask, also of each container and pod, and takes the time.
    pub async fn calls(&self) -> Vec<Call> {
        over(self.runtime_service(), self.image_service()).await
    }
}

/// As [`Cri::calls`], of a socket whose runtime may not even tell its version.
///
/// # Errors
/// If nobody listens on the socket.
pub async fn calls(endpoint: &str) -> Result<Vec<Call>> {
    let transport: Transport = transport::socket(endpoint).await?;
    Ok(over(RuntimeServiceClient::new(transport.clone()), ImageServiceClient::new(transport)).await)
}

async fn over(runtime: RuntimeServiceClient<Transport>, images: ImageServiceClient<Transport>) -> Vec<Call> {
    let (mut a, mut b, mut c, mut d, mut e, mut f) =
        (runtime.clone(), runtime.clone(), runtime.clone(), runtime.clone(), images.clone(), images);
    let (version, status, pods, containers, list, disk) = futures::join!(
        timed("Version", None, a.version(cri::VersionRequest::default())),
        timed("Status", None, b.status(cri::StatusRequest { verbose: false })),
        timed("ListPodSandbox", None, c.list_pod_sandbox(cri::ListPodSandboxRequest::default())),
        timed("ListContainers", None, d.list_containers(cri::ListContainersRequest::default())),
        timed("ListImages", None, e.list_images(cri::ListImagesRequest::default())),
        timed("ImageFsInfo", None, f.image_fs_info(cri::ImageFsInfoRequest::default())),
    );
    let mut calls = vec![version.0, status.0, pods.0, containers.0, list.0, disk.0];
    let pods = pods.1.map(|p| p.items).unwrap_or_default().into_iter().map(|p| (true, p.id));
    let containers = containers.1.map(|c| c.containers).unwrap_or_default().into_iter().map(|c| (false, c.id));
    let objects: Vec<(bool, String)> = pods.chain(containers).take(OBJECTS).collect();
    for some in objects.chunks(AT_ONCE) {
        let asked = some.iter().map(|(pod, id)| {
            let mut runtime = runtime.clone();
            async move {
                if *pod {
                    let request = cri::PodSandboxStatusRequest { pod_sandbox_id: id.clone(), verbose: false };
                    timed("PodSandboxStatus", Some(id), runtime.pod_sandbox_status(request)).await.0
                } else {
                    let request = cri::ContainerStatusRequest { container_id: id.clone(), verbose: false };
                    timed("ContainerStatus", Some(id), runtime.container_status(request)).await.0
                }
            }
        });
        calls.extend(join_all(asked).await);
    }
    calls
}

async fn timed<T>(
    name: &str,
    object: Option<&String>,
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> (Call, Option<T>) {
    let began = Instant::now();
    let answer = bounded(name, call).await;
    let took = began.elapsed();
    let (value, error) = match answer {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some((error.kind(), format!("{error:#}")))),
    };
    (Call { name: name.to_owned(), object: object.cloned(), took, error }, value)
}

async fn bounded<T>(name: &str, call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => Ok(answer.map_err(|s| Error::from(s).context(name.to_owned()))?.into_inner()),
        Err(_) => Err(Error::new(Kind::DeadlineExceeded, format!("{name}: no answer in {} s", PATIENCE.as_secs()))),
    }
}
