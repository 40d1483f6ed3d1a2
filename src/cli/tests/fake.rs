//! A CRI server that keeps pods, containers and images in memory and writes down what it was asked to change.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use futures::stream::BoxStream;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status};

use crate::proto::cri::{
    self,
    image_service_server::{ImageService, ImageServiceServer},
    runtime_service_server::{RuntimeService, RuntimeServiceServer},
};

#[derive(Debug, Default)]
pub struct Held {
    pub pods: Vec<cri::PodSandbox>,
    pub containers: Vec<cri::Container>,
    pub images: Vec<cri::Image>,
    /// Changes in the order they came.
    pub done: Vec<String>,
    /// The last configurations that came.
    pub pod_config: Option<cri::PodSandboxConfig>,
    pub container_config: Option<cri::ContainerConfig>,
    pub auth: Option<cri::AuthConfig>,
    /// What every container exits with as soon as it starts; without it, it runs.
    pub exits: Option<i32>,
    /// The change that fails.
    pub fails: Option<String>,
    /// Its figures differ each time, and its events do not end and tell nothing.
    pub lively: bool,
    /// Every container's log file.
    pub log: String,
    /// How often each call came.
    pub calls: BTreeMap<String, u64>,
}

#[derive(Debug, Clone)]
pub struct Fake {
    pub held: Arc<Mutex<Held>>,
    pub endpoint: String,
    _directory: Arc<tempfile::TempDir>,
}

/// 64 characters that begin with `short`.
pub fn id(short: &str) -> String {
    format!("{short:0<64}")
}

pub fn nanos_ago(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    i64::try_from(now).unwrap() - seconds * 1_000_000_000
}

pub fn labels(pod: &str, namespace: &str) -> HashMap<String, String> {
    [("name", pod), ("namespace", namespace), ("uid", "u-1")]
        .map(|(k, v)| (format!("io.kubernetes.pod.{k}"), v.to_owned()))
        .into()
}

impl Fake {
    /// Two pods, three containers, three images.
    pub fn start() -> Self {
        Self::holding(Held { pods: pods(), containers: containers(), images: images(), ..Held::default() })
    }

    pub fn holding(held: Held) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path: PathBuf = directory.path().join("cri.sock");
        let fake = Self {
            held: Arc::new(Mutex::new(held)),
            endpoint: format!("unix://{}", path.display()),
            _directory: Arc::new(directory),
        };
        let listener = UnixListenerStream::new(UnixListener::bind(path).unwrap());
        let counted = Arc::clone(&fake.held);
        let count = move |request: http::Request<_>| {
            *counted.lock().unwrap().calls.entry(request.uri().path().to_owned()).or_default() += 1;
            request
        };
        let server = tonic::transport::Server::builder()
            .layer(tower::util::MapRequestLayer::new(count))
            .add_service(RuntimeServiceServer::new(fake.clone()))
            .add_service(ImageServiceServer::new(fake.clone()))
            .serve_with_incoming(listener);
        tokio::spawn(server);
        fake
    }

    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    pub fn done(&self) -> Vec<String> {
        self.held().done.clone()
    }

    fn change(&self, what: String) -> Result<MutexGuard<'_, Held>, Status> {
        let mut held = self.held();
        let fails = held.fails.as_ref().is_some_and(|f| what.starts_with(f.as_str()));
        held.done.push(what);
        if fails { Err(Status::internal("the fake was told to fail\x1b[2J")) } else { Ok(held) }
    }
}

fn pods() -> Vec<cri::PodSandbox> {
    let pod = |short: &str, name: &str, namespace: &str, state: cri::PodSandboxState, age| cri::PodSandbox {
        id: id(short),
        metadata: Some(cri::PodSandboxMetadata {
            name: name.into(),
            uid: format!("u-{short}"),
            namespace: namespace.into(),
            attempt: 1,
        }),
        state: state.into(),
        created_at: nanos_ago(age),
        labels: HashMap::from([("app".to_owned(), name.to_owned())]),
        annotations: HashMap::from([("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())]),
        runtime_handler: String::new(),
    };
    vec![
        pod("aa1", "web", "default", cri::PodSandboxState::SandboxReady, 7200),
        pod("aa2", "dns", "kube-system", cri::PodSandboxState::SandboxNotready, 3 * 86400),
    ]
}

fn containers() -> Vec<cri::Container> {
    let container = |short: &str, pod: &str, name: &str, attempt, state: cri::ContainerState, age| cri::Container {
        id: id(short),
        pod_sandbox_id: id(pod),
        metadata: Some(cri::ContainerMetadata { name: name.into(), attempt }),
        image: Some(cri::ImageSpec { image: format!("sha256:{}", id("e1")), ..Default::default() }),
        image_ref: format!("sha256:{}", id("e1")),
        image_id: format!("sha256:{}", id("e1")),
        state: state.into(),
        created_at: nanos_ago(age),
        labels: if pod == "aa1" { labels("web", "default") } else { HashMap::new() },
        annotations: HashMap::new(),
    };
    vec![
        container("c1", "aa1", "server", 2, cri::ContainerState::ContainerRunning, 90),
        container("c2", "aa1", "server", 1, cri::ContainerState::ContainerExited, 4000),
        container("c3", "aa1", "server", 0, cri::ContainerState::ContainerExited, 7000),
    ]
}

fn images() -> Vec<cri::Image> {
    let image = |short: &str, tags: &[&str], size, pinned| cri::Image {
        id: format!("sha256:{}", id(short)),
        repo_tags: tags.iter().map(|&t| t.to_owned()).collect(),
        repo_digests: vec![format!("registry.test/{short}@sha256:{}", id("d"))],
        size,
        pinned,
        uid: Some(cri::Int64Value { value: 0 }),
        ..Default::default()
    };
    vec![
        image("e1", &["registry.test/server:1"], 4_270_000, false),
        image("e2", &["registry.test/pause:3.10", "pause:3.10"], 320_368, true),
        image("e3", &[], 99_999_999, false),
    ]
}

type Answer<T> = Result<Response<T>, Status>;

fn state_of(container: &cri::Container, exits: Option<i32>) -> cri::ContainerStatus {
    cri::ContainerStatus {
        id: container.id.clone(),
        metadata: container.metadata.clone(),
        state: container.state,
        created_at: container.created_at,
        started_at: container.created_at + 1_000_000_000,
        finished_at: if container.state == 2 { container.created_at + 2_000_000_000 } else { 0 },
        exit_code: exits.unwrap_or(0),
        image: container.image.clone(),
        image_ref: container.image_ref.clone(),
        labels: container.labels.clone(),
        ..Default::default()
    }
}

/// The calls no test makes.
macro_rules! not_here {
    ($($name:ident($request:ident) -> $response:ty;)+) => {
        $(fn $name<'a, 'b>(
            &'a self,
            _request: Request<cri::$request>,
        ) -> std::pin::Pin<Box<dyn Future<Output = Answer<$response>> + Send + 'b>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented(stringify!($name))) })
        })+
    };
}

#[tonic::async_trait]
impl RuntimeService for Fake {
    async fn version(&self, _request: Request<cri::VersionRequest>) -> Answer<cri::VersionResponse> {
        Ok(Response::new(cri::VersionResponse {
            version: "0.1.0".into(),
            runtime_name: "fake".into(),
            runtime_version: "1.2.3".into(),
            runtime_api_version: "v1".into(),
        }))
    }

    async fn status(&self, request: Request<cri::StatusRequest>) -> Answer<cri::StatusResponse> {
        let condition =
            |name: &str, status| cri::RuntimeCondition { r#type: name.into(), status, ..Default::default() };
        let features = cri::RuntimeHandlerFeatures { recursive_read_only_mounts: true, user_namespaces: false };
        let mut answer = cri::StatusResponse {
            status: Some(cri::RuntimeStatus {
                conditions: vec![condition("RuntimeReady", true), condition("NetworkReady", false)],
            }),
            runtime_handlers: vec![cri::RuntimeHandler { name: "crun".into(), features: Some(features) }],
            features: Some(cri::RuntimeFeatures { supplemental_groups_policy: true, ..Default::default() }),
            ..Default::default()
        };
        if request.into_inner().verbose {
            answer.info.insert("config".into(), r#"{"a":{"b":[1,2]}}"#.into());
            answer.info.insert("golang".into(), "\"go1\"".into());
        }
        Ok(Response::new(answer))
    }

    async fn list_pod_sandbox(
        &self,
        request: Request<cri::ListPodSandboxRequest>,
    ) -> Answer<cri::ListPodSandboxResponse> {
        let filter = request.into_inner().filter.unwrap_or_default();
        let mut items = self.held().pods.clone();
        items.retain(|p| {
            (filter.id.is_empty() || p.id.starts_with(&filter.id))
                && filter.state.as_ref().is_none_or(|s| s.state == p.state)
                && filter.label_selector.iter().all(|(k, v)| p.labels.get(k) == Some(v))
        });
        Ok(Response::new(cri::ListPodSandboxResponse { items }))
    }

    async fn pod_sandbox_status(
        &self,
        request: Request<cri::PodSandboxStatusRequest>,
    ) -> Answer<cri::PodSandboxStatusResponse> {
        let request = request.into_inner();
        let held = self.held();
        let pod = held.pods.iter().find(|p| p.id == request.pod_sandbox_id).cloned();
        let pod = pod.ok_or_else(|| Status::not_found("no such pod"))?;
        let status = cri::PodSandboxStatus {
            id: pod.id,
            metadata: pod.metadata,
            state: pod.state,
            created_at: pod.created_at,
            labels: pod.labels,
            network: Some(cri::PodSandboxNetworkStatus { ip: "10.0.0.7".into(), ..Default::default() }),
            ..Default::default()
        };
        let info = request.verbose.then(|| ("info".to_owned(), r#"{"pid":42}"#.to_owned()));
        Ok(Response::new(cri::PodSandboxStatusResponse {
            status: Some(status),
            info: info.into_iter().collect(),
            ..Default::default()
        }))
    }

    async fn run_pod_sandbox(&self, request: Request<cri::RunPodSandboxRequest>) -> Answer<cri::RunPodSandboxResponse> {
        let request = request.into_inner();
        let config = request.config.unwrap_or_default();
        let metadata = config.metadata.clone().unwrap_or_default();
        let mut held = self.change(format!("run pod {} {}", metadata.name, request.runtime_handler))?;
        held.pods.push(cri::PodSandbox { id: id("ff1"), metadata: Some(metadata), ..Default::default() });
        held.pod_config = Some(config);
        Ok(Response::new(cri::RunPodSandboxResponse { pod_sandbox_id: id("ff1") }))
    }

    async fn stop_pod_sandbox(
        &self,
        request: Request<cri::StopPodSandboxRequest>,
    ) -> Answer<cri::StopPodSandboxResponse> {
        let id = request.into_inner().pod_sandbox_id;
        let mut held = self.change(format!("stop pod {}", &id[..3]))?;
        held.pods.iter_mut().filter(|p| p.id == id).for_each(|p| p.state = 1);
        Ok(Response::new(cri::StopPodSandboxResponse {}))
    }

    async fn remove_pod_sandbox(
        &self,
        request: Request<cri::RemovePodSandboxRequest>,
    ) -> Answer<cri::RemovePodSandboxResponse> {
        let id = request.into_inner().pod_sandbox_id;
        self.change(format!("remove pod {}", &id[..3]))?.pods.retain(|p| p.id != id);
        Ok(Response::new(cri::RemovePodSandboxResponse {}))
    }

    async fn list_containers(
        &self,
        request: Request<cri::ListContainersRequest>,
    ) -> Answer<cri::ListContainersResponse> {
        let filter = request.into_inner().filter.unwrap_or_default();
        let mut containers = self.held().containers.clone();
        containers.retain(|c| {
            (filter.id.is_empty() || c.id.starts_with(&filter.id))
                && filter.state.as_ref().is_none_or(|s| s.state == c.state)
                && filter.label_selector.iter().all(|(k, v)| c.labels.get(k) == Some(v))
        });
        Ok(Response::new(cri::ListContainersResponse { containers }))
    }

    async fn container_status(
        &self,
        request: Request<cri::ContainerStatusRequest>,
    ) -> Answer<cri::ContainerStatusResponse> {
        let request = request.into_inner();
        let held = self.held();
        let container = held.containers.iter().find(|c| c.id == request.container_id);
        let container = container.ok_or_else(|| Status::not_found("no such container"))?;
        let info = request.verbose.then(|| ("info".to_owned(), r#"{"pid":43,"config":{"x":"<&>"}}"#.to_owned()));
        let status = cri::ContainerStatus { log_path: held.log.clone(), ..state_of(container, held.exits) };
        let status = Some(status);
        Ok(Response::new(cri::ContainerStatusResponse { status, info: info.into_iter().collect() }))
    }

    async fn create_container(
        &self,
        request: Request<cri::CreateContainerRequest>,
    ) -> Answer<cri::CreateContainerResponse> {
        let request = request.into_inner();
        let config = request.config.unwrap_or_default();
        let metadata = config.metadata.clone().unwrap_or_default();
        let mut held = self.change(format!("create {} in {}", metadata.name, &request.pod_sandbox_id[..3]))?;
        held.containers.push(cri::Container {
            id: id("ff2"),
            pod_sandbox_id: request.pod_sandbox_id,
            metadata: Some(metadata),
            image: config.image.clone(),
            ..Default::default()
        });
        held.container_config = Some(config);
        Ok(Response::new(cri::CreateContainerResponse { container_id: id("ff2") }))
    }

    async fn start_container(
        &self,
        request: Request<cri::StartContainerRequest>,
    ) -> Answer<cri::StartContainerResponse> {
        let id = request.into_inner().container_id;
        let mut held = self.change(format!("start {}", &id[..3]))?;
        let state = if held.exits.is_some() { 2 } else { 1 };
        held.containers.iter_mut().filter(|c| c.id == id).for_each(|c| c.state = state);
        Ok(Response::new(cri::StartContainerResponse {}))
    }

    async fn stop_container(&self, request: Request<cri::StopContainerRequest>) -> Answer<cri::StopContainerResponse> {
        let request = request.into_inner();
        let mut held = self.change(format!("stop {} {}", &request.container_id[..2], request.timeout))?;
        held.containers.iter_mut().filter(|c| c.id == request.container_id).for_each(|c| c.state = 2);
        Ok(Response::new(cri::StopContainerResponse {}))
    }

    async fn remove_container(
        &self,
        request: Request<cri::RemoveContainerRequest>,
    ) -> Answer<cri::RemoveContainerResponse> {
        let id = request.into_inner().container_id;
        self.change(format!("remove {}", &id[..2]))?.containers.retain(|c| c.id != id);
        Ok(Response::new(cri::RemoveContainerResponse {}))
    }

    async fn exec_sync(&self, request: Request<cri::ExecSyncRequest>) -> Answer<cri::ExecSyncResponse> {
        let request = request.into_inner();
        drop(self.change(format!("exec {} {}", &request.container_id[..2], request.cmd.join(" ")))?);
        Ok(Response::new(cri::ExecSyncResponse { stdout: b"out\n".to_vec(), stderr: b"err\n".to_vec(), exit_code: 3 }))
    }

    async fn update_container_resources(
        &self,
        request: Request<cri::UpdateContainerResourcesRequest>,
    ) -> Answer<cri::UpdateContainerResourcesResponse> {
        let request = request.into_inner();
        let memory = request.linux.unwrap_or_default().memory_limit_in_bytes;
        drop(self.change(format!("update {} {memory}", &request.container_id[..2]))?);
        Ok(Response::new(cri::UpdateContainerResourcesResponse {}))
    }

    async fn list_container_stats(
        &self,
        _request: Request<cri::ListContainerStatsRequest>,
    ) -> Answer<cri::ListContainerStatsResponse> {
        let value = |value| Some(cri::UInt64Value { value });
        let held = self.held();
        let asked = held.calls.values().sum::<u64>();
        let more = |at: usize| if held.lively { (at as u64 * 7919 + asked * 104_729) % 1_000 } else { 0 };
        let stats = held.containers.iter().enumerate().map(|(at, c)| cri::ContainerStats {
            attributes: Some(cri::ContainerAttributes {
                id: c.id.clone(),
                metadata: c.metadata.clone(),
                ..Default::default()
            }),
            cpu: Some(cri::CpuUsage {
                timestamp: 1,
                usage_nano_cores: value(250_000_000 + more(at) * 100_000),
                ..Default::default()
            }),
            memory: Some(cri::MemoryUsage {
                working_set_bytes: value(12_345_678 + more(at) * 4096),
                ..Default::default()
            }),
            writable_layer: Some(cri::FilesystemUsage {
                used_bytes: value(4096),
                inodes_used: value(7),
                ..Default::default()
            }),
            ..Default::default()
        });
        Ok(Response::new(cri::ListContainerStatsResponse { stats: stats.collect() }))
    }

    async fn runtime_config(&self, _request: Request<cri::RuntimeConfigRequest>) -> Answer<cri::RuntimeConfigResponse> {
        let linux = Some(cri::LinuxRuntimeConfiguration { cgroup_driver: cri::CgroupDriver::Cgroupfs.into() });
        Ok(Response::new(cri::RuntimeConfigResponse { linux }))
    }

    type GetContainerEventsStream = BoxStream<'static, Result<cri::ContainerEventResponse, Status>>;
    async fn get_container_events(
        &self,
        _request: Request<cri::GetEventsRequest>,
    ) -> Answer<Self::GetContainerEventsStream> {
        if self.held().lively {
            return Ok(Response::new(Box::pin(futures::stream::pending())));
        }
        let event = |kind: cri::ContainerEventType| {
            Ok(cri::ContainerEventResponse {
                container_id: id("c1"),
                container_event_type: kind.into(),
                ..Default::default()
            })
        };
        let events = [
            event(cri::ContainerEventType::ContainerStartedEvent),
            event(cri::ContainerEventType::ContainerStoppedEvent),
        ];
        Ok(Response::new(Box::pin(futures::stream::iter(events))))
    }

    type StreamPodSandboxesStream = BoxStream<'static, Result<cri::StreamPodSandboxesResponse, Status>>;
    type StreamContainersStream = BoxStream<'static, Result<cri::StreamContainersResponse, Status>>;
    type StreamContainerStatsStream = BoxStream<'static, Result<cri::StreamContainerStatsResponse, Status>>;
    type StreamPodSandboxStatsStream = BoxStream<'static, Result<cri::StreamPodSandboxStatsResponse, Status>>;
    type StreamPodSandboxMetricsStream = BoxStream<'static, Result<cri::StreamPodSandboxMetricsResponse, Status>>;
    not_here! {
        stream_pod_sandboxes(StreamPodSandboxesRequest) -> Self::StreamPodSandboxesStream;
        stream_containers(StreamContainersRequest) -> Self::StreamContainersStream;
        reopen_container_log(ReopenContainerLogRequest) -> cri::ReopenContainerLogResponse;
        exec(ExecRequest) -> cri::ExecResponse;
        attach(AttachRequest) -> cri::AttachResponse;
        port_forward(PortForwardRequest) -> cri::PortForwardResponse;
        container_stats(ContainerStatsRequest) -> cri::ContainerStatsResponse;
        stream_container_stats(StreamContainerStatsRequest) -> Self::StreamContainerStatsStream;
        pod_sandbox_stats(PodSandboxStatsRequest) -> cri::PodSandboxStatsResponse;
        list_pod_sandbox_stats(ListPodSandboxStatsRequest) -> cri::ListPodSandboxStatsResponse;
        stream_pod_sandbox_stats(StreamPodSandboxStatsRequest) -> Self::StreamPodSandboxStatsStream;
        update_runtime_config(UpdateRuntimeConfigRequest) -> cri::UpdateRuntimeConfigResponse;
        checkpoint_container(CheckpointContainerRequest) -> cri::CheckpointContainerResponse;
        list_metric_descriptors(ListMetricDescriptorsRequest) -> cri::ListMetricDescriptorsResponse;
        list_pod_sandbox_metrics(ListPodSandboxMetricsRequest) -> cri::ListPodSandboxMetricsResponse;
        stream_pod_sandbox_metrics(StreamPodSandboxMetricsRequest) -> Self::StreamPodSandboxMetricsStream;
        update_pod_sandbox_resources(UpdatePodSandboxResourcesRequest) -> cri::UpdatePodSandboxResourcesResponse;
    }
}

#[tonic::async_trait]
impl ImageService for Fake {
    async fn list_images(&self, request: Request<cri::ListImagesRequest>) -> Answer<cri::ListImagesResponse> {
        let wanted = request.into_inner().filter.and_then(|f| f.image).unwrap_or_default().image;
        let mut images = self.held().images.clone();
        images.retain(|i| wanted.is_empty() || i.repo_tags.contains(&wanted));
        Ok(Response::new(cri::ListImagesResponse { images }))
    }

    async fn image_status(&self, request: Request<cri::ImageStatusRequest>) -> Answer<cri::ImageStatusResponse> {
        let request = request.into_inner();
        let wanted = request.image.unwrap_or_default().image;
        let short = |i: &cri::Image| wanted.len() > 9 && i.id.trim_start_matches("sha256:").starts_with(&wanted);
        let named = |i: &&cri::Image| i.id == wanted || i.repo_tags.contains(&wanted) || short(i);
        let image = self.held().images.iter().find(named).cloned();
        let info = request.verbose.then(|| ("info".to_owned(), r#"{"chainID":"sha256:0"}"#.to_owned()));
        Ok(Response::new(cri::ImageStatusResponse { image, info: info.into_iter().collect() }))
    }

    async fn pull_image(&self, request: Request<cri::PullImageRequest>) -> Answer<cri::PullImageResponse> {
        let request = request.into_inner();
        let name = request.image.unwrap_or_default().image;
        let mut held = self.change(format!("pull {name}"))?;
        held.auth = request.auth;
        let image = cri::Image { id: format!("sha256:{}", id("e9")), repo_tags: vec![name], ..Default::default() };
        let image_ref = image.id.clone();
        held.images.push(image);
        Ok(Response::new(cri::PullImageResponse { image_ref }))
    }

    async fn remove_image(&self, request: Request<cri::RemoveImageRequest>) -> Answer<cri::RemoveImageResponse> {
        let name = request.into_inner().image.unwrap_or_default().image;
        let short = name.trim_start_matches("sha256:").chars().take(22).collect::<String>();
        let mut held = self.change(format!("remove image {}", short.trim_end_matches('0')))?;
        held.images.retain(|i| i.id != name && !i.repo_tags.contains(&name));
        Ok(Response::new(cri::RemoveImageResponse {}))
    }

    async fn image_fs_info(&self, _request: Request<cri::ImageFsInfoRequest>) -> Answer<cri::ImageFsInfoResponse> {
        let used = cri::FilesystemUsage {
            timestamp: 7,
            fs_id: Some(cri::FilesystemIdentifier { mountpoint: "/var/lib/fake".into() }),
            used_bytes: Some(cri::UInt64Value { value: 123_456_789 }),
            inodes_used: Some(cri::UInt64Value { value: 9 }),
        };
        Ok(Response::new(cri::ImageFsInfoResponse {
            image_filesystems: vec![used.clone()],
            container_filesystems: vec![used],
        }))
    }

    type StreamImagesStream = BoxStream<'static, Result<cri::StreamImagesResponse, Status>>;
    not_here! {
        stream_images(StreamImagesRequest) -> Self::StreamImagesStream;
    }
}
