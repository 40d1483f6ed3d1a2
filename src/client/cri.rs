//! The one CRI client: over a socket or over the server in this process. Every call has a deadline.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, future::join_all, stream::BoxStream};
use serde_json::{Map, Value, json};

use super::{
    Credentials, Runtime, Session,
    action::Step,
    cgroups,
    containerd::{self, Layers},
    convert,
    disk::Shares,
    health, logs,
    offline::{Offline, serve},
    transport::{self, Transport},
    types::{
        CgroupFact, Container, ContainerDetail, ContainerState, ContainerStats, ExecRequest, ExecResult, Garbage,
        Image, Inventory, LogLine, LogOptions, LogPage, LogTurn, Mode, ObjectRef, PodSandbox, PodState, PullPhase,
        PullProgress, RuntimeInfo, Scope, Seen, SnapshotRow,
    },
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::meter::Meter,
    proto::cri::{self, image_service_client::ImageServiceClient, runtime_service_client::RuntimeServiceClient},
};

/// Bytes of one answer: a list of very many containers is larger than CRI's usual 16 MiB.
const ANSWER: usize = 64 << 20;
pub(super) const QUESTION: Duration = Duration::from_secs(10);
/// For a change; what it waits for by itself comes on top.
pub(super) const CHANGE: Duration = Duration::from_secs(120);
const PULL: Duration = Duration::from_secs(3600);
/// Status calls at one time.
const AT_ONCE: usize = 16;

/// What a runtime in this process can do beyond CRI.
#[async_trait]
pub trait Native: fmt::Debug + Send + Sync {
    async fn snapshots(&self) -> Result<Vec<SnapshotRow>>;
    /// As [`Runtime::layer`].
    async fn layer(&self, key: &str) -> Result<Vec<(String, PathBuf)>>;
    async fn pull(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String>;
    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>>;
}

#[derive(Clone)]
pub struct Cri {
    transport: Transport,
    info: RuntimeInfo,
    native: Option<Arc<dyn Native>>,
    known: Arc<Mutex<Known>>,
    pub(super) shares: Shares,
}

/// What does not change while a state lasts, and the last sample for rates.
#[derive(Default)]
pub(super) struct Known {
    details: HashMap<String, (ContainerState, ContainerDetail)>,
    ips: HashMap<String, String>,
    /// Pods' first processes: a verbose status is dear, a runtime may look at the pod's network for it.
    pids: HashMap<String, u32>,
    cpu: HashMap<String, (u64, SystemTime)>,
    pub(super) lives: super::usage::Lives,
}

impl Cri {
    /// Attaches to a socket: `unix:///path` or a path.
    ///
    /// # Errors
    /// Whatever keeps it from being used, with the next step; `Unimplemented` if it does not serve CRI v1.
    pub async fn attach(endpoint: &str, read_only: bool) -> Result<Self> {
        let transport = transport::socket(endpoint).await?;
        let endpoint = format!("unix://{}", transport::path_of(endpoint)?.display());
        Self::with(transport, &endpoint, Mode::Attached, read_only).await
    }

    /// Over what the disk tells of a runtime that need not answer.
    ///
    /// # Errors
    /// `NotFound` if the disk tells nothing of it.
    pub async fn offline(offline: Offline, read_only: bool) -> Result<Self> {
        let endpoint = offline.info().endpoint.clone();
        if !offline.exists() {
            bail!(NotFound, "{endpoint}: nothing of a runtime is on this node's disk");
        }
        let mut cri = Self::with(serve::transport(offline), &endpoint, Mode::Attached, read_only).await?;
        // containerd's own API is not spoken here.
        cri.info.storage = false;
        Ok(cri)
    }

    /// Over the server in this process.
    ///
    /// # Errors
    /// What its Version call reports.
    #[cfg(feature = "engine")]
    pub async fn over(
        routes: tonic::service::Routes,
        mode: Mode,
        read_only: bool,
        native: Arc<dyn Native>,
    ) -> Result<Self> {
        let mut cri = Self::with(transport::in_process(routes), "embedded", mode, read_only).await?;
        cri.native = Some(native);
        cri.info.storage = true;
        Ok(cri)
    }

    async fn with(transport: Transport, endpoint: &str, mode: Mode, read_only: bool) -> Result<Self> {
        let transport = if read_only { transport::read_only(transport) } else { transport };
        let info = RuntimeInfo { endpoint: endpoint.to_owned(), mode, read_only, ..RuntimeInfo::default() };
        let mut cri = Self { transport, info, native: None, known: Arc::default(), shares: Shares::default() };
        let mut service = cri.runtime_service();
        let version = service.version(cri::VersionRequest::default());
        let version = within(transport::HELLO, "ask for the version", version).await;
        let version = version.map_err(|error| transport::stranger(endpoint, error))?;
        cri.info.name = version.runtime_name;
        cri.info.version = version.runtime_version;
        cri.info.api_version = version.runtime_api_version;
        cri.info.storage = mode == Mode::Attached && matches!(cri.info.name.as_str(), "containerd" | "cri-o");
        Ok(cri)
    }

    pub fn runtime_service(&self) -> RuntimeServiceClient<Transport> {
        RuntimeServiceClient::new(self.transport.clone()).max_decoding_message_size(ANSWER)
    }

    pub fn image_service(&self) -> ImageServiceClient<Transport> {
        ImageServiceClient::new(self.transport.clone()).max_decoding_message_size(ANSWER)
    }

    async fn pods(&self) -> Result<Vec<PodSandbox>> {
        let mut service = self.runtime_service();
        let list =
            within(QUESTION, "list pods", service.list_pod_sandbox(cri::ListPodSandboxRequest::default())).await?;
        let mut pods: Vec<PodSandbox> = list.items.into_iter().map(convert::pod).collect();
        for some in pods.chunks_mut(AT_ONCE) {
            let mut asked = Vec::new();
            for pod in some.iter() {
                asked.push(self.ip(pod));
            }
            let ips = join_all(asked).await;
            for (pod, ip) in some.iter_mut().zip(ips) {
                pod.ip = ip;
            }
        }
        pods.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        let here: HashSet<&str> = pods.iter().map(|p| p.id.as_str()).collect();
        self.known().ips.retain(|id, _| here.contains(id.as_str()));
        self.known().pids.retain(|id, _| here.contains(id.as_str()));
        Ok(pods)
    }

    /// Empty if it has none, or if it could not be asked: the list is worth more than the address.
    async fn ip(&self, pod: &PodSandbox) -> String {
        if pod.state != PodState::Ready {
            return String::new();
        }
        if let Some(ip) = self.known().ips.get(&pod.id) {
            return ip.clone();
        }
        let request = cri::PodSandboxStatusRequest { pod_sandbox_id: pod.id.clone(), verbose: false };
        let mut service = self.runtime_service();
        let status = within(QUESTION, "ask for a pod's status", service.pod_sandbox_status(request)).await;
        let ip = status.ok().and_then(|s| s.status?.network).map(|n| n.ip).unwrap_or_default();
        self.known().ips.insert(pod.id.clone(), ip.clone());
        ip
    }

    pub(super) async fn containers(&self) -> Result<Vec<Container>> {
        let mut service = self.runtime_service();
        let list = within(QUESTION, "list containers", service.list_containers(cri::ListContainersRequest::default()));
        let mut containers: Vec<Container> = list.await?.containers.into_iter().map(convert::container).collect();
        for some in containers.chunks_mut(AT_ONCE) {
            let mut asked = Vec::new();
            for container in some.iter() {
                asked.push(self.detail(container));
            }
            let details = join_all(asked).await;
            for (container, detail) in some.iter_mut().zip(details) {
                container.detail = detail;
            }
        }
        containers.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        let here: HashSet<&str> = containers.iter().map(|c| c.id.as_str()).collect();
        self.known().details.retain(|id, _| here.contains(id.as_str()));
        Ok(containers)
    }

    async fn detail(&self, container: &Container) -> Option<ContainerDetail> {
        if let Some((state, detail)) = self.known().details.get(&container.id)
            && *state == container.state
        {
            return Some(detail.clone());
        }
        let detail = convert::detail(self.container_status(&container.id, false).await.ok()?.status?);
        self.known().details.insert(container.id.clone(), (container.state, detail.clone()));
        Some(detail)
    }

    pub(super) async fn container_status(&self, id: &str, verbose: bool) -> Result<cri::ContainerStatusResponse> {
        let request = cri::ContainerStatusRequest { container_id: id.to_owned(), verbose };
        let mut service = self.runtime_service();
        within(QUESTION, &format!("ask for the status of container {id}"), service.container_status(request)).await
    }

    pub(super) async fn images(&self) -> Result<Vec<Image>> {
        let mut service = self.image_service();
        let list = within(QUESTION, "list images", service.list_images(cri::ListImagesRequest::default())).await?;
        let mut images: Vec<Image> = list.images.into_iter().map(convert::image).collect();
        images.sort_by(|a, b| (&a.tags, &a.id).cmp(&(&b.tags, &b.id)));
        Ok(images)
    }

    async fn stats(&self) -> Result<Vec<ContainerStats>> {
        let mut service = self.runtime_service();
        let request = cri::ListContainerStatsRequest::default();
        let list = within(QUESTION, "list statistics", service.list_container_stats(request)).await?;
        let mut stats: Vec<ContainerStats> = list.stats.into_iter().map(convert::stats).collect();
        let mut known = self.known();
        for one in &mut stats {
            let (Some(nanos), Some(at)) = (one.cpu_nanos, one.at) else { continue };
            if one.cpu_nanocores.unwrap_or(0) == 0
                && let Some((before, then)) = known.cpu.get(&one.id)
                && let Ok(span) = at.duration_since(*then)
                && !span.is_zero()
            {
                let used = u128::from(nanos.saturating_sub(*before)) * 1_000_000_000 / span.as_nanos();
                one.cpu_nanocores = u64::try_from(used).ok();
            }
            known.cpu.insert(one.id.clone(), (nanos, at));
        }
        let here: HashSet<&str> = stats.iter().map(|s| s.id.as_str()).collect();
        known.cpu.retain(|id, _| here.contains(id.as_str()));
        Ok(stats)
    }

    async fn log_path(&self, id: &str) -> Result<PathBuf> {
        let path = self.container_status(id, false).await?.status.unwrap_or_default().log_path;
        if path.is_empty() {
            bail!(FailedPrecondition, "container {id} has no log file: its pod was made without a log directory");
        }
        Ok(PathBuf::from(path))
    }

    pub(super) async fn snapshots(&self) -> Result<Vec<SnapshotRow>> {
        match &self.native {
            Some(native) => native.snapshots().await,
            None if self.info.name == "cri-o" => self.layers().await,
            None if self.info.storage => {
                let work = containerd::snapshots(self.transport.clone());
                let limit = QUESTION * 3;
                tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
                    let text = format!("list snapshots: no answer in {} s", limit.as_secs());
                    Err(Error::new(Kind::DeadlineExceeded, text))
                })
            }
            None => bail!(Unimplemented, "{} does not show its snapshots", self.info.name),
        }
    }

    /// Conditions, and the image that pods are made with.
    async fn conditions(&self) -> Result<(cri::StatusResponse, String)> {
        let mut service = self.runtime_service();
        let status =
            within(QUESTION, "ask for the status", service.status(cri::StatusRequest { verbose: true })).await?;
        let config: Option<Value> = status.info.get("config").and_then(|text| serde_json::from_str(text).ok());
        let sandbox = config.and_then(|c| Some(c.get("sandboxImage").or(c.get("sandbox_image"))?.as_str()?.to_owned()));
        Ok((status, sandbox.unwrap_or_default()))
    }

    /// Of a pod that runs.
    async fn first_process(&self, pod: &str) -> Option<u32> {
        if let Some(pid) = self.known().pids.get(pod) {
            return Some(*pid);
        }
        let pid = self.process_in(pod).await?;
        self.known().pids.insert(pod.to_owned(), pid);
        Some(pid)
    }

    pub(super) fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn transport(&self) -> Transport {
        self.transport.clone()
    }

    pub(super) fn native(&self) -> Option<&dyn Native> {
        self.native.as_deref()
    }

    pub(super) fn changes(&self, what: &str) -> Result<()> {
        if self.info.read_only {
            bail!(PermissionDenied, "{what} is refused: wharf was started with --read-only");
        }
        Ok(())
    }
}

impl fmt::Debug for Cri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cri").field("info", &self.info).finish_non_exhaustive()
    }
}

pub(super) async fn within<T>(
    limit: Duration,
    what: &str,
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        Ok(Err(status)) => Err(Error::from(status).context(what.to_owned())),
        Err(_) => bail!(DeadlineExceeded, "{what}: no answer in {} s", limit.as_secs()),
    }
}

/// Part of an inventory, asked for only when it is wanted.
async fn part<T>(wanted: bool, source: &str, work: impl Future<Output = Result<T>>) -> Seen<T> {
    if !wanted {
        return Seen::NotAsked;
    }
    let result = work.await;
    let at = SystemTime::now();
    match result {
        Ok(value) => Seen::At { value, at, source: source.to_owned() },
        Err(error) => Seen::Failed { error: format!("{error:#}"), at },
    }
}

#[async_trait]
impl Runtime for Cri {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    async fn inventory(&self, scope: Scope) -> Inventory {
        let source = &self.info.endpoint;
        let (pods, containers, images, stats, snapshots, disk, status) = futures::join!(
            part(scope.pods, source, self.pods()),
            part(scope.pods, source, self.containers()),
            part(scope.images, source, self.images()),
            part(scope.stats, source, self.stats()),
            part(scope.snapshots, source, self.snapshots()),
            part(scope.disk, source, self.disk(scope.whole)),
            part(scope.pods || scope.images, source, self.conditions()),
        );
        let sandbox_image = status.value().map(|(_, image)| image.clone()).unwrap_or_default();
        let conditions = match status {
            Seen::NotAsked => Seen::NotAsked,
            Seen::Failed { error, at } => Seen::Failed { error, at },
            Seen::At { value, at, source } => Seen::At { value: convert::conditions(value.0.status), at, source },
        };
        Inventory {
            pods,
            containers,
            images,
            stats,
            snapshots,
            disk,
            conditions,
            sandbox_image,
            ..Inventory::default()
        }
    }

    async fn inspect(&self, object: &ObjectRef) -> Result<Value> {
        let mut service = self.runtime_service();
        match object {
            ObjectRef::Pod(id) => {
                let request = cri::PodSandboxStatusRequest { pod_sandbox_id: id.clone(), verbose: true };
                let found = within(QUESTION, &format!("inspect pod {id}"), service.pod_sandbox_status(request)).await?;
                shown(&found.status, &found.info)
            }
            ObjectRef::Container(id) => {
                let found = self.container_status(id, true).await?;
                shown(&found.status, &found.info)
            }
            ObjectRef::Image(id) => {
                let image = Some(cri::ImageSpec { image: id.clone(), ..Default::default() });
                let request = cri::ImageStatusRequest { image, verbose: true };
                let mut service = self.image_service();
                let found = within(QUESTION, &format!("inspect image {id}"), service.image_status(request)).await?;
                if found.image.is_none() {
                    bail!(NotFound, "there is no image {id}");
                }
                shown(&found.image, &found.info)
            }
            ObjectRef::Snapshot { snapshotter, namespace, key } => {
                let list = self.snapshots().await?;
                let is = |s: &&SnapshotRow| s.key == *key && s.snapshotter == *snapshotter && s.namespace == *namespace;
                let found = list.iter().find(is);
                let found = found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no snapshot {key}")))?;
                serde_json::to_value(found).map_err(|e| Error::new(Kind::Internal, "show a snapshot").with_source(e))
            }
        }
    }

    async fn layer(&self, snapshot: &ObjectRef) -> Result<Vec<(String, PathBuf)>> {
        match (&self.native, snapshot) {
            (Some(native), ObjectRef::Snapshot { key, .. }) => native.layer(key).await,
            _ => bail!(Unimplemented, "{} does not tell where the files of a snapshot are", self.info.name),
        }
    }

    async fn status(&self) -> Result<health::RuntimeStatus> {
        self.health().await
    }

    async fn calls(&self) -> Result<Vec<health::Call>> {
        Ok(Self::calls(self).await)
    }

    async fn garbage(&self) -> Result<Garbage> {
        self.unreferenced().await
    }

    async fn apply(&self, step: &Step) -> Result<String> {
        self.carry_out(step).await
    }

    async fn pull(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String> {
        self.changes(&format!("pull {reference}"))?;
        if let Some(native) = &self.native {
            return native.pull(reference, credentials, progress).await;
        }
        // CRI tells nothing until the end; containerd's own API does.
        let tell = |phase| progress(PullProgress { layer: reference.to_owned(), done: 0, total: 0, phase });
        tell(PullPhase::Downloading);
        let auth = credentials.map(|c| match c.username.is_empty() {
            true => cri::AuthConfig { registry_token: c.password.clone(), ..Default::default() },
            false => {
                cri::AuthConfig { username: c.username.clone(), password: c.password.clone(), ..Default::default() }
            }
        });
        let image = Some(cri::ImageSpec { image: reference.to_owned(), ..Default::default() });
        let request = cri::PullImageRequest { image, auth, sandbox_config: None };
        let (what, mut service, layers) = (format!("pull {reference}"), self.image_service(), Layers::default());
        let pulled = tokio::select! {
            pulled = within(PULL, &what, service.pull_image(request)) => pulled?,
            () = layers.watch(self.transport.clone(), progress) => bail!(Internal, "{what}: it is watched no more"),
        };
        layers.end(progress);
        tell(PullPhase::Done);
        Ok(pulled.image_ref)
    }

    fn events(&self) -> BoxStream<'static, Result<()>> {
        let mut service = self.runtime_service();
        async move {
            match service.get_container_events(cri::GetEventsRequest {}).await {
                Ok(stream) => stream.into_inner().map(|e| e.map(drop).map_err(Error::from)).boxed(),
                Err(status) => futures::stream::once(async { Err(Error::from(status)) }).boxed(),
            }
        }
        .flatten_stream()
        .boxed()
    }

    fn logs(&self, container: &str, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        let (cri, id) = (self.clone(), container.to_owned());
        async move {
            match cri.log_path(&id).await {
                Ok(path) => logs::read(path, options),
                Err(error) => futures::stream::once(async { Err(error) }).boxed(),
            }
        }
        .flatten_stream()
        .boxed()
    }

    async fn log_page(&self, container: &str, turn: LogTurn) -> Result<LogPage> {
        logs::page(self.log_path(container).await?, turn).await
    }

    async fn exec_sync(&self, container: &str, command: &[String], timeout: Duration) -> Result<ExecResult> {
        let seconds = i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX);
        let request =
            cri::ExecSyncRequest { container_id: container.to_owned(), cmd: command.to_vec(), timeout: seconds };
        let limit = if timeout.is_zero() { PULL } else { timeout.saturating_add(QUESTION) };
        let mut service = self.runtime_service();
        let done = within(limit, &format!("exec in container {container}"), service.exec_sync(request)).await?;
        Ok(ExecResult { stdout: done.stdout, stderr: done.stderr, code: done.exit_code })
    }

    async fn cgroups(&self) -> Result<Vec<CgroupFact>> {
        let mut facts = Vec::new();
        let mut service = self.runtime_service();
        let call = service.runtime_config(cri::RuntimeConfigRequest::default());
        // Younger than CRI v1: an older runtime does not know it.
        match within(QUESTION, "ask for the runtime's configuration", call).await {
            Ok(answer) => facts.extend(answer.linux.map(|linux| {
                let name = match linux.cgroup_driver() {
                    cri::CgroupDriver::Systemd => "systemd",
                    cri::CgroupDriver::Cgroupfs => "cgroupfs",
                };
                cgroups::fact("runtime", Some(name), "CRI RuntimeConfig".to_owned())
            })),
            Err(error) if error.is(Kind::Unimplemented) => {}
            Err(error) => return Err(error),
        }
        facts.extend(cgroups::handlers(&self.health().await?.config));
        facts.extend(cgroups::kubelet(Path::new("/")));
        let pods = self.pods().await?;
        let live: Vec<_> = pods.iter().filter(|p| p.state == PodState::Ready).take(cgroups::PODS).collect();
        for some in live.chunks(AT_ONCE) {
            let pids = join_all(some.iter().map(|pod| self.first_process(&pod.id))).await;
            // A pod that went meanwhile proves nothing.
            facts.extend(
                some.iter()
                    .zip(pids)
                    .filter_map(|(pod, pid)| cgroups::proven_by(Path::new("/"), &pod.namespace, &pod.name, pid?)),
            );
        }
        Ok(facts)
    }

    async fn usage(&self, object: &ObjectRef) -> Result<Vec<Meter>> {
        Ok(vec![self.used(object).await?])
    }

    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>> {
        self.exec_over(request, None).await
    }
}

/// crictl's shape: the status, and the verbose entries with their JSON taken out of its strings.
fn shown(status: &impl serde::Serialize, info: &HashMap<String, String>) -> Result<Value> {
    let status =
        serde_json::to_value(status).map_err(|e| Error::new(Kind::Internal, "show a status").with_source(e))?;
    let parsed: Map<String, Value> = info
        .iter()
        .map(|(key, text)| (key.clone(), serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))))
        .collect();
    // The usual single entry is put where crictl puts it: its fields beside the status.
    let info = match parsed.get("info") {
        Some(inner) if parsed.len() == 1 => inner.clone(),
        _ => Value::Object(parsed),
    };
    Ok(json!({ "status": status, "info": info }))
}
