//! The least client the verbs can stand on: a unix socket, CRI lists as an inventory, single steps. Logs and streams are
//! not here.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, stream::BoxStream};
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint};

use crate::{
    bail,
    client::{
        Credentials, Runtime, Session,
        action::Step,
        types::{
            Container, ContainerDetail, ContainerState, ExecRequest, ExecResult, Image, Inventory, LogLine, LogOptions,
            ObjectRef, PodSandbox, PodState, PullProgress, RuntimeInfo, Scope, Seen,
        },
    },
    error::{Error, Kind, Result},
    proto::cri::{self, image_service_client::ImageServiceClient, runtime_service_client::RuntimeServiceClient},
};

pub type Transport = Channel;

const MOST: usize = 64 << 20;
const PLACES: [&str; 3] =
    ["unix:///run/containerd/containerd.sock", "unix:///run/crio/crio.sock", "unix:///var/run/cri-dockerd.sock"];

/// The endpoint to use, if there is one.
pub async fn find(flag: Option<&str>) -> Result<Option<String>> {
    let variable = std::env::var("CONTAINER_RUNTIME_ENDPOINT").ok().filter(|v| !v.is_empty());
    if let Some(endpoint) = flag.map(str::to_owned).or(variable) {
        return Ok(Some(endpoint));
    }
    for place in PLACES {
        if tokio::net::UnixStream::connect(place.trim_start_matches("unix://")).await.is_ok() {
            return Ok(Some(place.to_owned()));
        }
    }
    Ok(None)
}

#[derive(Debug)]
pub struct Cri {
    channel: Channel,
    info: RuntimeInfo,
}

impl Cri {
    pub async fn attach(endpoint: &str, read_only: bool) -> Result<Self> {
        let path = endpoint.strip_prefix("unix://").unwrap_or(endpoint).to_owned();
        tokio::net::UnixStream::connect(Path::new(&path)).await.map_err(|e| Error::io("connect to", &path, e))?;
        let connect = tower::service_fn(move |_| {
            let path = path.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(tokio::net::UnixStream::connect(path).await?)) }
        });
        let channel = Endpoint::from_static("http://localhost").connect_with_connector_lazy(connect);
        let mut cri =
            Self { channel, info: RuntimeInfo { endpoint: endpoint.to_owned(), read_only, ..Default::default() } };
        let version = cri.runtime_service().version(cri::VersionRequest::default()).await;
        let version =
            version.map_err(|e| Error::from(e).context(format!("ask {endpoint} for its version")))?.into_inner();
        cri.info.name = version.runtime_name;
        cri.info.version = version.runtime_version;
        cri.info.api_version = version.runtime_api_version;
        Ok(cri)
    }

    pub fn runtime_service(&self) -> RuntimeServiceClient<Transport> {
        RuntimeServiceClient::new(self.channel.clone()).max_decoding_message_size(MOST)
    }

    pub fn image_service(&self) -> ImageServiceClient<Transport> {
        ImageServiceClient::new(self.channel.clone()).max_decoding_message_size(MOST)
    }

    async fn pods(&self) -> Result<Vec<PodSandbox>, tonic::Status> {
        let list = self.runtime_service().list_pod_sandbox(cri::ListPodSandboxRequest::default()).await?.into_inner();
        let pod = |p: cri::PodSandbox| {
            let state =
                if p.state() == cri::PodSandboxState::SandboxReady { PodState::Ready } else { PodState::NotReady };
            let created = time(p.created_at);
            let metadata = p.metadata.unwrap_or_default();
            PodSandbox {
                id: p.id,
                name: metadata.name,
                namespace: metadata.namespace,
                uid: metadata.uid,
                attempt: metadata.attempt,
                state,
                created,
                labels: p.labels.into_iter().collect(),
                annotations: p.annotations.into_iter().collect(),
                handler: p.runtime_handler,
                ip: String::new(),
            }
        };
        Ok(list.items.into_iter().map(pod).collect())
    }

    async fn containers(&self) -> Result<Vec<Container>, tonic::Status> {
        let list = self.runtime_service().list_containers(cri::ListContainersRequest::default()).await?.into_inner();
        let mut containers = Vec::new();
        for c in list.containers {
            let request = cri::ContainerStatusRequest { container_id: c.id.clone(), verbose: false };
            let status =
                self.runtime_service().container_status(request).await.ok().and_then(|s| s.into_inner().status);
            let state = match c.state() {
                cri::ContainerState::ContainerCreated => ContainerState::Created,
                cri::ContainerState::ContainerRunning => ContainerState::Running,
                cri::ContainerState::ContainerExited => ContainerState::Exited,
                cri::ContainerState::ContainerUnknown => ContainerState::Unknown,
            };
            let metadata = c.metadata.unwrap_or_default();
            containers.push(Container {
                id: c.id,
                pod: c.pod_sandbox_id,
                name: metadata.name,
                attempt: metadata.attempt,
                image: c.image.unwrap_or_default().image,
                image_id: if c.image_id.is_empty() { c.image_ref } else { c.image_id },
                state,
                created: time(c.created_at),
                labels: c.labels.into_iter().collect(),
                annotations: BTreeMap::new(),
                detail: status.map(|s| ContainerDetail {
                    finished: (s.finished_at > 0).then(|| time(s.finished_at)),
                    exit_code: s.exit_code,
                    image_volumes: s.mounts.into_iter().filter_map(|m| Some(m.image?.image)).collect(),
                    ..Default::default()
                }),
            });
        }
        Ok(containers)
    }

    async fn images(&self) -> Result<Vec<Image>, tonic::Status> {
        let list = self.image_service().list_images(cri::ListImagesRequest::default()).await?.into_inner();
        let image = |i: cri::Image| Image {
            id: i.id,
            tags: i.repo_tags,
            digests: i.repo_digests,
            size: i.size,
            pinned: i.pinned,
            username: i.username,
        };
        Ok(list.images.into_iter().map(image).collect())
    }
}

fn time(nanos: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

fn seen<T>(result: Result<T, tonic::Status>) -> Seen<T> {
    let at = SystemTime::now();
    match result {
        Ok(value) => Seen::At { value, at, source: "CRI".into() },
        Err(status) => Seen::Failed { error: status.message().to_owned(), at },
    }
}

#[async_trait]
impl Runtime for Cri {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    async fn inventory(&self, _scope: Scope) -> Inventory {
        Inventory {
            pods: seen(self.pods().await),
            containers: seen(self.containers().await),
            images: seen(self.images().await),
            ..Inventory::default()
        }
    }

    async fn inspect(&self, object: &ObjectRef) -> Result<serde_json::Value> {
        bail!(Unimplemented, "inspect {object:?}")
    }

    async fn apply(&self, step: &Step) -> Result<()> {
        let (mut pods, mut images) = (self.runtime_service(), self.image_service());
        match step.clone() {
            Step::StopPod(id) => {
                pods.stop_pod_sandbox(cri::StopPodSandboxRequest { pod_sandbox_id: id }).await.map(drop)
            }
            Step::RemovePod(id) => {
                pods.remove_pod_sandbox(cri::RemovePodSandboxRequest { pod_sandbox_id: id }).await.map(drop)
            }
            Step::StopContainer(id, grace) => {
                let timeout = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
                pods.stop_container(cri::StopContainerRequest { container_id: id, timeout }).await.map(drop)
            }
            Step::RemoveContainer(id) => {
                pods.remove_container(cri::RemoveContainerRequest { container_id: id }).await.map(drop)
            }
            Step::PullImage(reference) => return self.pull(&reference, None, &|_| {}).await.map(drop),
            Step::RemoveImage(image) => {
                let image = Some(cri::ImageSpec { image, ..Default::default() });
                images.remove_image(cri::RemoveImageRequest { image }).await.map(drop)
            }
        }
        .map_err(Error::from)
    }

    async fn pull(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        _progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String> {
        let auth = credentials.map(|c| cri::AuthConfig {
            username: c.username.clone(),
            password: c.password.clone(),
            ..Default::default()
        });
        let image = Some(cri::ImageSpec { image: reference.to_owned(), ..Default::default() });
        let request = cri::PullImageRequest { image, auth, sandbox_config: None };
        Ok(self.image_service().pull_image(request).await?.into_inner().image_ref)
    }

    fn events(&self) -> BoxStream<'static, Result<()>> {
        futures::stream::pending().boxed()
    }

    fn logs(&self, container: &str, _options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        let error = Error::new(Kind::Unimplemented, format!("read the log of {container}"));
        async { Err(error) }.into_stream().boxed()
    }

    async fn exec_sync(&self, container: &str, command: &[String], timeout: Duration) -> Result<ExecResult> {
        let timeout = i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX);
        let request = cri::ExecSyncRequest { container_id: container.to_owned(), cmd: command.to_vec(), timeout };
        let answer = self.runtime_service().exec_sync(request).await?.into_inner();
        Ok(ExecResult { stdout: answer.stdout, stderr: answer.stderr, code: answer.exit_code })
    }

    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>> {
        bail!(Unimplemented, "stream {:?}", request.command)
    }
}
