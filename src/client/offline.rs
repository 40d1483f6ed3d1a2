//! A runtime that does not answer, as its bundles, its database, the log files, /proc and the control groups tell it: the same
//! words as a runtime's own answers, with their source. Only looks; whatever would change something is refused with the reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures::{FutureExt, StreamExt, stream::BoxStream};
use serde_json::{Value, json};

use super::{
    Credentials, Runtime, Session,
    action::Step,
    cgroups, logs, transport,
    types::{
        CgroupFact, Condition, Container, ContainerDetail, ContainerState, ContainerStats, DiskUse, ExecRequest,
        ExecResult, Image, Inventory, LogLine, LogOptions, Mode, ObjectRef, PodSandbox, PodState, PullProgress,
        RuntimeInfo, Scope, Seen, Silence, SnapshotRow,
    },
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::{
        self, below,
        bundles::{self, Bundle, BundleFacts, Layout, Life, Places, PodLogs},
        cni::{self, CniFacts},
        containerd, storage, target, usage,
    },
};

/// For everything that is read at once: a disk may hang with the runtime.
const LOOK: Duration = Duration::from_secs(4);
/// An exit code nobody was there to write down.
pub const UNKNOWN: i32 = -1;

#[derive(Debug, Clone)]
pub struct Offline {
    root: PathBuf,
    info: RuntimeInfo,
    /// Found once there is something to find.
    places: Arc<Mutex<Option<Places>>>,
}

impl Offline {
    /// Of the runtime that had this socket, on the node below `root`.
    ///
    /// # Errors
    /// `InvalidArgument` if the endpoint is no unix socket.
    pub fn new(root: &Path, endpoint: &str, read_only: bool) -> Result<Self> {
        let socket = transport::path_of(endpoint)?.display().to_string();
        let layout = match &socket {
            s if s.contains("crio") => Layout::Crio,
            s if s.ends_with("/wharf.sock") => Layout::Wharf,
            _ => Layout::Containerd,
        };
        let info = RuntimeInfo {
            endpoint: format!("unix://{socket}"),
            name: layout.name().to_owned(),
            mode: Mode::Attached,
            read_only,
            storage: layout == Layout::Containerd,
            ..RuntimeInfo::default()
        };
        Ok(Self { root: root.to_owned(), info, places: Arc::default() })
    }

    /// Whether there is anything of the runtime on this node.
    pub fn exists(&self) -> bool {
        bundles::exist(&self.root, &self.places())
    }

    /// Whether the runtime has run since the machine was started.
    pub fn has_run(&self) -> bool {
        bundles::has_run(&self.root, &self.places())
    }

    fn places(&self) -> Places {
        let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = &*known {
            return places.clone();
        }
        let socket = self.info.endpoint.strip_prefix("unix://").unwrap_or_default();
        let found = bundles::places(&self.root, &target::find(&self.root, socket));
        if bundles::exist(&self.root, &found) {
            *known = Some(found.clone());
        }
        found
    }

    /// Blocking work with the places, in a thread that may be left behind.
    async fn look<T: Send + 'static>(
        &self,
        what: &str,
        work: impl FnOnce(&Path, &Places) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let this = self.clone();
        node::within(LOOK, what, move || work(&this.root, &this.places())).await
    }

    async fn facts(&self) -> Result<BundleFacts> {
        self.look("read the bundles", bundles::collect).await
    }

    async fn bundle(&self, id: &str) -> Result<(BundleFacts, Bundle)> {
        let facts = self.facts().await?;
        let found = facts.bundles.iter().find(|b| b.id == id).cloned();
        let found = found.ok_or_else(|| Error::new(Kind::NotFound, format!("nothing on disk tells of {id}")))?;
        Ok((facts, found))
    }

    /// Why something is not done, and what helps.
    fn refused(&self, what: &str) -> Error {
        let name = &self.info.name;
        let text =
            format!("{what}: {name} does not answer, so nothing is changed; start it again first ({})", self.start());
        Error::new(Kind::FailedPrecondition, text)
    }

    fn start(&self) -> &'static str {
        match self.info.name.as_str() {
            "cri-o" => "systemctl restart crio",
            "wharf" => "wharf serve",
            _ => "systemctl restart containerd",
        }
    }

    /// Reads everything in `scope` as an inventory of a runtime that is silent for this reason.
    pub async fn inventory_of(&self, scope: Scope, silence: Silence) -> Inventory {
        let facts = async {
            let wanted = scope.pods || scope.stats;
            if wanted { Some(self.facts().await) } else { None }
        };
        let images = part(scope.images, self.look("read the images", images));
        let snapshots = part(scope.snapshots, self.look("read the snapshots", snapshots));
        let disk = part(scope.disk, self.look("read the filesystems", disk));
        let (facts, images, snapshots, disk) = futures::join!(facts, images, snapshots, disk);
        let mut inventory = Inventory { images, snapshots, disk, silence: Some(silence), ..Inventory::default() };
        let at = SystemTime::now();
        match facts {
            None => {}
            Some(Err(error)) => {
                let failed = || format!("{error:#}");
                if scope.pods {
                    inventory.pods = Seen::Failed { error: failed(), at };
                    inventory.containers = Seen::Failed { error: failed(), at };
                }
                if scope.stats {
                    inventory.stats = Seen::Failed { error: failed(), at };
                }
            }
            Some(Ok(facts)) => {
                let source = source(&facts.places);
                if scope.stats {
                    let (root, bundles) = (self.root.clone(), facts.bundles.clone());
                    let work = node::within(LOOK, "read the control groups", move || Ok(stats(&root, &bundles)));
                    inventory.stats = Seen::now(work.await, "control groups");
                }
                if scope.pods {
                    let root = self.root.clone();
                    let work = node::within(LOOK, "read the log directories and the pod network", move || {
                        let network = cni::collect(&root, cni::CONF, &[cni::BIN.to_owned()])?;
                        Ok((pods(&facts, &network), containers(&root, &facts), condition(&network)))
                    });
                    let (pods, containers, network) = match work.await {
                        Ok((pods, containers, network)) => (Ok(pods), Ok(containers), network),
                        Err(error) => {
                            let text = format!("{error:#}");
                            (Err(error), Err(Error::new(Kind::DeadlineExceeded, text)), None)
                        }
                    };
                    inventory.pods = Seen::now(pods, source.clone());
                    inventory.containers = Seen::now(containers, source);
                    let silence = inventory.silence.clone().unwrap_or_default();
                    let ready = Condition {
                        name: "RuntimeReady".to_owned(),
                        ok: false,
                        reason: if silence.hangs { "Hangs" } else { "Dead" }.to_owned(),
                        message: silence.error,
                    };
                    let value = std::iter::once(ready).chain(network).collect();
                    inventory.conditions = Seen::At { value, at, source: "disk: the pod network's files".to_owned() };
                }
            }
        }
        inventory
    }
}

fn source(places: &Places) -> String {
    format!("disk: {}, {} and /proc", places.state, places.root)
}

async fn part<T>(wanted: bool, work: impl Future<Output = Result<(T, String)>>) -> Seen<T> {
    if !wanted {
        return Seen::NotAsked;
    }
    let at = SystemTime::now();
    match work.await {
        Ok((value, source)) => Seen::At { value, at, source },
        Err(error) => Seen::Failed { error: format!("{error:#}"), at },
    }
}

/// Of CRI's namespace: other clients of containerd have pods of no kind.
fn ours(bundle: &Bundle) -> bool {
    bundle.namespace.is_empty() || bundle.namespace == containerd::CRI
}

fn lives(bundle: &Bundle) -> bool {
    matches!(bundle.life, Life::Alive | Life::Made)
}

fn made(bundle: &Bundle) -> SystemTime {
    bundle.made.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether the pod network could work, as its files tell.
/// None where another directory than the usual one may be meant.
fn condition(network: &CniFacts) -> Option<Condition> {
    if network.files.is_empty() {
        return None;
    }
    let first = network.files.iter().find(|f| f.error.is_none());
    let (ok, reason, message) = match first {
        Some(file) if file.missing.is_empty() => (true, "", format!("{}: {}", file.path, file.plugins.join(", "))),
        Some(file) => (false, "NoPlugin", format!("{}: not in {}: {}", file.path, cni::BIN, file.missing.join(", "))),
        None => (false, "NoConfig", format!("{} has no configuration that can be used", network.conf_dir)),
    };
    Some(Condition { name: "NetworkReady".to_owned(), ok, reason: reason.to_owned(), message })
}

fn pods(facts: &BundleFacts, network: &CniFacts) -> Vec<PodSandbox> {
    let leases: BTreeMap<&str, &str> =
        network.leases.iter().map(|l| (l.container.as_str(), l.address.as_str())).collect();
    let address = |b: &Bundle| match leases.get(b.id.as_str()) {
        Some(address) if b.ip.is_empty() => (*address).to_owned(),
        _ => b.ip.clone(),
    };
    let sandboxes = facts.bundles.iter().filter(|b| ours(b) && b.sandbox);
    let mut pods: Vec<PodSandbox> = sandboxes
        .map(|b| PodSandbox {
            id: b.id.clone(),
            name: b.pod.clone(),
            namespace: b.pod_namespace.clone(),
            uid: b.uid.clone(),
            attempt: b.attempt.unwrap_or(0),
            state: if lives(b) { PodState::Ready } else { PodState::NotReady },
            created: made(b),
            labels: b.labels.clone(),
            annotations: b.annotations.clone(),
            handler: b.handler.clone(),
            ip: address(b),
        })
        .collect();
    pods.extend(unrecorded(facts).map(|logs| PodSandbox {
        id: logs.uid.clone(),
        name: logs.pod.clone(),
        namespace: logs.namespace.clone(),
        uid: logs.uid.clone(),
        attempt: 0,
        state: PodState::NotReady,
        created: SystemTime::UNIX_EPOCH,
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        handler: String::new(),
        ip: String::new(),
    }));
    pods.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    pods
}

/// Pods that only their log directories tell of: worth showing when the runtime's records cannot be read.
fn unrecorded(facts: &BundleFacts) -> impl Iterator<Item = &PodLogs> {
    let known: BTreeSet<&str> = facts.bundles.iter().map(|b| b.uid.as_str()).collect();
    facts.logs.iter().filter(move |logs| !facts.whole && !known.contains(logs.uid.as_str()))
}

fn state(bundle: &Bundle) -> ContainerState {
    match bundle.life {
        Life::Alive => ContainerState::Running,
        Life::Made => ContainerState::Created,
        Life::Ended => ContainerState::Exited,
        // No bundle any more: it has ended, or was never started.
        Life::Unknown if bundle.finished.is_some() || bundle.started.is_some() => ContainerState::Exited,
        Life::Unknown if bundle.attempt.is_some() => ContainerState::Created,
        Life::Unknown => ContainerState::Unknown,
    }
}

fn containers(root: &Path, facts: &BundleFacts) -> Vec<Container> {
    let sandboxes: BTreeMap<&str, &Bundle> =
        facts.bundles.iter().filter(|b| ours(b) && b.sandbox).map(|b| (b.id.as_str(), b)).collect();
    let mut all = Vec::new();
    for bundle in facts.bundles.iter().filter(|b| ours(b) && !b.sandbox) {
        let sandbox = sandboxes.get(bundle.pod_id.as_str()).copied();
        let (attempt, log_path) = log(root, bundle, sandbox);
        let state = state(bundle);
        let ended = state == ContainerState::Exited;
        let reason = match bundle.exit_code {
            None if ended && bundle.reason.is_empty() => "ended while nobody looked".to_owned(),
            _ => bundle.reason.clone(),
        };
        all.push(Container {
            id: bundle.id.clone(),
            pod: bundle.pod_id.clone(),
            name: bundle.name.clone(),
            attempt,
            image: bundle.image.clone(),
            image_id: bundle.image_id.clone(),
            state,
            created: made(bundle),
            labels: bundle.labels.clone(),
            annotations: bundle.annotations.clone(),
            detail: Some(ContainerDetail {
                started: bundle.started,
                finished: bundle.finished,
                exit_code: if ended { bundle.exit_code.unwrap_or(UNKNOWN) } else { 0 },
                reason,
                message: bundle.message.clone(),
                log_path,
                image_volumes: Vec::new(),
            }),
        });
    }
    for logs in unrecorded(facts) {
        for (name, number) in &logs.containers {
            all.push(Container {
                id: format!("{}.{name}", logs.uid),
                pod: logs.uid.clone(),
                name: name.clone(),
                attempt: *number,
                image: String::new(),
                image_id: String::new(),
                state: ContainerState::Unknown,
                created: SystemTime::UNIX_EPOCH,
                labels: BTreeMap::new(),
                annotations: BTreeMap::new(),
                detail: Some(ContainerDetail {
                    log_path: format!("{}/{name}/{number}.log", logs.path),
                    ..ContainerDetail::default()
                }),
            });
        }
    }
    all.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    all
}

/// The attempt and the log file: as recorded, else the newest log in the pod's directory.
fn log(root: &Path, bundle: &Bundle, sandbox: Option<&Bundle>) -> (u32, String) {
    if !bundle.log_path.is_empty() {
        return (bundle.attempt.unwrap_or(0), bundle.log_path.clone());
    }
    let of = sandbox.unwrap_or(bundle);
    let directory = match &of.log_directory {
        said if !said.is_empty() => said.clone(),
        _ => format!("/var/log/pods/{}_{}_{}", of.pod_namespace, of.pod, of.uid),
    };
    // A name from a document must not lead anywhere else.
    let plain = |part: &str| !part.is_empty() && !part.contains('/') && part != "..";
    if !plain(&bundle.name) || directory.split('/').any(|part| part == "..") {
        return (bundle.attempt.unwrap_or(0), String::new());
    }
    let found = bundles::logs_in(root, &directory).into_iter().find(|(name, _)| *name == bundle.name);
    match bundle.attempt.or(found.map(|(_, number)| number)) {
        Some(number) => (number, format!("{directory}/{}/{number}.log", bundle.name)),
        None => (0, String::new()),
    }
}

fn stats(root: &Path, bundles: &[Bundle]) -> Vec<ContainerStats> {
    let groups = usage::Groups::find(root);
    let at = SystemTime::now();
    let one = |bundle: &Bundle| {
        let usage = groups.of(root, bundle.pid?)?;
        Some(ContainerStats {
            id: bundle.id.clone(),
            cpu_nanos: usage.cpu,
            memory_working_set: usage.memory,
            memory_limit: usage.memory_limit,
            pids: usage.pids,
            at: Some(at),
            ..ContainerStats::default()
        })
    };
    bundles.iter().filter(|b| ours(b) && !b.sandbox && lives(b)).filter_map(one).collect()
}

fn images(root: &Path, places: &Places) -> Result<(Vec<Image>, String)> {
    let stored = match places.layout {
        Layout::Containerd => containerd::images(root, &places.root)?,
        Layout::Crio => storage::images(root, &places.root)?,
        Layout::Wharf => bail!(Unimplemented, "wharf's images are told by wharf alone: wharf --embedded reads them"),
    };
    let mut images: Vec<Image> = stored
        .into_iter()
        .map(|i| Image {
            id: i.id,
            tags: i.tags,
            digests: i.digests,
            size: i.bytes,
            pinned: i.pinned,
            username: String::new(),
        })
        .collect();
    images.sort_by(|a, b| (&a.tags, &a.id).cmp(&(&b.tags, &b.id)));
    Ok((images, format!("disk: {}", places.root)))
}

fn snapshots(root: &Path, places: &Places) -> Result<(Vec<SnapshotRow>, String)> {
    if places.layout != Layout::Containerd {
        bail!(Unimplemented, "{} does not show its snapshots", places.layout.name());
    }
    let rows = containerd::snapshots(root, &places.root)?.into_iter().map(|s| SnapshotRow {
        snapshotter: s.snapshotter,
        namespace: s.namespace,
        key: s.key,
        parent: s.parent,
        kind: s.kind,
        bytes: s.bytes,
        inodes: s.inodes,
        created: s.created,
        labels: s.labels,
    });
    Ok((rows.collect(), format!("disk: {}", places.root)))
}

fn disk(root: &Path, places: &Places) -> Result<(Vec<DiskUse>, String)> {
    let mut rows = Vec::new();
    let mut add = |what: &str, path: String, used: (u64, u64)| {
        let Ok(stat) = rustix::fs::statvfs(below(root, &path)) else { return };
        rows.push(DiskUse {
            what: what.to_owned(),
            used_bytes: used.0,
            used_inodes: used.1,
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            path,
        });
    };
    if places.layout == Layout::Containerd {
        let mut by: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for snapshot in containerd::snapshots(root, &places.root).unwrap_or_default() {
            let sum = by.entry(snapshot.snapshotter).or_default();
            sum.0 = sum.0.saturating_add(snapshot.bytes.unwrap_or(0));
            sum.1 = sum.1.saturating_add(snapshot.inodes.unwrap_or(0));
        }
        for (name, used) in by {
            add("image filesystem", format!("{}/io.containerd.snapshotter.v1.{name}", places.root), used);
        }
        let blobs = format!("{}/{}", places.root, containerd::BLOBS);
        let used = containerd::content(root, &places.root);
        add("content", blobs, used);
    } else {
        add("image filesystem", places.root.clone(), (0, 0));
    }
    let logs = "/var/log/pods".to_owned();
    let trees = node::disk::trees(root, &[("logs".to_owned(), logs.clone())]);
    let used = trees.first().map_or((0, 0), |t| (t.bytes, t.files));
    add("logs", logs, used);
    if rows.is_empty() {
        bail!(NotFound, "there is no {} on this node", places.root);
    }
    Ok((rows, format!("disk: {}", places.root)))
}

#[async_trait]
impl Runtime for Offline {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    async fn inventory(&self, scope: Scope) -> Inventory {
        let silence = Silence { since: SystemTime::now(), error: "it is not asked".to_owned(), hangs: false };
        self.inventory_of(scope, silence).await
    }

    /// In crictl's shape, as far as the disk tells.
    async fn inspect(&self, object: &ObjectRef) -> Result<Value> {
        match object {
            ObjectRef::Pod(id) | ObjectRef::Container(id) => {
                let (facts, bundle) = self.bundle(id).await?;
                self.look("read the bundle", move |root, _| Ok(shown(root, &facts, &bundle))).await
            }
            ObjectRef::Image(id) => {
                let (images, _) = self.look("read the images", images).await?;
                let found = images.into_iter().find(|i| i.id == *id || i.tags.contains(id));
                let found =
                    found.ok_or_else(|| Error::new(Kind::NotFound, format!("nothing on disk tells of {id}")))?;
                Ok(json!({ "status": { "id": found.id, "repoTags": found.tags, "repoDigests": found.digests,
                    "size": found.size.to_string(), "pinned": found.pinned } }))
            }
            ObjectRef::Snapshot { snapshotter, namespace, key } => {
                let (rows, _) = self.look("read the snapshots", snapshots).await?;
                let is = |s: &SnapshotRow| s.key == *key && s.snapshotter == *snapshotter && s.namespace == *namespace;
                let found = rows.into_iter().find(is);
                let found = found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no snapshot {key}")))?;
                serde_json::to_value(found).map_err(|e| Error::new(Kind::Internal, "show a snapshot").with_source(e))
            }
        }
    }

    async fn apply(&self, step: &Step) -> Result<()> {
        let what = match step {
            Step::StopPod(id) => format!("stop pod {id}"),
            Step::RemovePod(id) => format!("remove pod {id}"),
            Step::StopContainer(id, _) => format!("stop container {id}"),
            Step::RemoveContainer(id) => format!("remove container {id}"),
            Step::RemoveImage(id) => format!("remove image {id}"),
            Step::PullImage(reference) => format!("pull {reference}"),
            // The node itself can be mended, and so the runtime.
            Step::Change(change) if self.info.read_only => {
                bail!(PermissionDenied, "{} is refused: wharf was started with --read-only", change.what())
            }
            Step::Change(change) => return super::host::apply(change).await,
        };
        Err(self.refused(&what))
    }

    async fn pull(
        &self,
        reference: &str,
        _: Option<&Credentials>,
        _: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String> {
        Err(self.refused(&format!("pull {reference}")))
    }

    fn events(&self) -> BoxStream<'static, Result<()>> {
        futures::stream::empty().boxed()
    }

    fn logs(&self, container: &str, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        let (this, id) = (self.clone(), container.to_owned());
        async move {
            let found = this.inventory_of(Scope { pods: true, ..Scope::default() }, Silence::default()).await;
            let path = match &found.containers {
                Seen::At { value, .. } => {
                    value.iter().find(|c| c.id == id).and_then(|c| c.detail.as_ref()).map(|d| d.log_path.clone())
                }
                other => {
                    let text = other.error().unwrap_or("it was not read").to_owned();
                    return futures::stream::once(async { Err(Error::new(Kind::Unavailable, text)) }).boxed();
                }
            };
            match path.filter(|p| !p.is_empty()) {
                Some(path) => logs::read(below(&this.root, path), options),
                None => {
                    let text = format!("nothing on disk tells where the log of container {id} is");
                    futures::stream::once(async { Err(Error::new(Kind::NotFound, text)) }).boxed()
                }
            }
        }
        .flatten_stream()
        .boxed()
    }

    async fn exec_sync(&self, container: &str, _: &[String], _: Duration) -> Result<ExecResult> {
        Err(self.refused(&format!("exec in container {container}")))
    }

    async fn cgroups(&self) -> Result<Vec<CgroupFact>> {
        let facts = self.facts().await?;
        self.look("read the control groups", move |root, _| {
            let mut found = cgroups::kubelet(root);
            let live = facts.bundles.iter().filter(|b| ours(b) && b.sandbox && lives(b)).take(cgroups::PODS);
            found.extend(live.filter_map(|b| cgroups::proven_by(root, &b.pod_namespace, &b.pod, b.pid?)));
            Ok(found)
        })
        .await
    }

    /// Not done: what an expert would type instead.
    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>> {
        let (_, bundle) = self.bundle(&request.container).await?;
        let Some(pid) = bundle.pid.filter(|_| lives(&bundle)) else {
            bail!(FailedPrecondition, "container {} has no process", request.container);
        };
        bail!(
            FailedPrecondition,
            "{} does not answer. By hand: nsenter -t {pid} -m -u -i -n -p -r -w sh",
            self.info.name
        )
    }
}

fn rfc(at: Option<SystemTime>) -> String {
    at.and_then(|t| jiff::Timestamp::try_from(t).ok()).map(|t| t.to_string()).unwrap_or_default()
}

fn shown(root: &Path, facts: &BundleFacts, bundle: &Bundle) -> Value {
    let spec = match bundle.path.is_empty() {
        true => Value::Null,
        false => bundles::document(&below(root, &bundle.path).join("config.json")).unwrap_or_default(),
    };
    let attempt = bundle.attempt.unwrap_or(0);
    let status = if bundle.sandbox {
        json!({
            "id": bundle.id,
            "metadata": { "name": bundle.pod, "namespace": bundle.pod_namespace, "uid": bundle.uid, "attempt": attempt },
            "state": if lives(bundle) { "SANDBOX_READY" } else { "SANDBOX_NOTREADY" },
            "createdAt": rfc(bundle.made), "network": { "ip": bundle.ip }, "runtimeHandler": bundle.handler,
            "labels": bundle.labels, "annotations": bundle.annotations,
        })
    } else {
        let found = containers(root, facts).into_iter().find(|c| c.id == bundle.id);
        let detail = found.as_ref().and_then(|c| c.detail.clone()).unwrap_or_default();
        let state = match state(bundle) {
            ContainerState::Created => "CONTAINER_CREATED",
            ContainerState::Running => "CONTAINER_RUNNING",
            ContainerState::Exited => "CONTAINER_EXITED",
            ContainerState::Unknown => "CONTAINER_UNKNOWN",
        };
        let mounts = spec.get("mounts").and_then(Value::as_array).into_iter().flatten().filter_map(|m| {
            let text = |key: &str| m.get(key)?.as_str();
            // What the node gave it; the rest is the runtime's own.
            let (from, to) = (text("source")?, text("destination")?);
            from.starts_with('/').then(|| json!({ "containerPath": to, "hostPath": from }))
        });
        json!({
            "id": bundle.id, "metadata": { "name": bundle.name, "attempt": attempt }, "state": state,
            "createdAt": rfc(bundle.made), "startedAt": rfc(detail.started), "finishedAt": rfc(detail.finished),
            "exitCode": detail.exit_code, "reason": detail.reason, "message": detail.message,
            "image": { "image": bundle.image }, "imageRef": bundle.image_id, "logPath": detail.log_path,
            "labels": bundle.labels, "annotations": bundle.annotations, "mounts": mounts.collect::<Vec<_>>(),
        })
    };
    let shim = facts.shims.get(&bundle.id).or_else(|| facts.shims.get(&bundle.pod_id));
    json!({ "status": status, "info": {
        "source": source(&facts.places), "bundle": bundle.path, "pid": bundle.pid.filter(|_| lives(bundle)).unwrap_or(0),
        "shim": shim, "runtimeSpec": spec } })
}

#[cfg(test)]
mod tests;
