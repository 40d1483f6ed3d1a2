//! A runtime that does not answer, as its bundles, its database, the log files, /proc and the control groups tell it: the same
//! words as a runtime's own answers, with their source. Only looks; whatever would change something is refused with the reason.

use std::{
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
    cgroups,
    disk::Shares,
    logs, transport,
    types::{
        CgroupFact, Condition, ExecRequest, ExecResult, Inventory, LogLine, LogOptions, LogPage, LogTurn, Mode,
        ObjectRef, PullProgress, RuntimeInfo, Scope, Seen, Silence, SnapshotRow,
    },
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::{
        self, below,
        bundles::{self, Bundle, BundleFacts, Layout, Places},
        cni,
        meter::Meter,
        target,
    },
};

mod parts;
pub mod serve;

use parts::{condition, containers, disk, image_layers, images, lives, meter, ours, pods, shown, snapshots, stats};

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
    shares: Shares,
}

impl Offline {
    async fn log_path(&self, id: &str) -> Result<PathBuf> {
        let found = self.inventory_of(Scope { pods: true, ..Scope::default() }, Silence::default()).await;
        let path = match &found.containers {
            Seen::At { value, .. } => {
                value.iter().find(|c| c.id == id).and_then(|c| c.detail.as_ref()).map(|d| d.log_path.clone())
            }
            other => bail!(Unavailable, "{}", other.error().unwrap_or("it was not read")),
        };
        match path.filter(|p| !p.is_empty()) {
            Some(path) => Ok(below(&self.root, path)),
            None => bail!(NotFound, "nothing on disk tells where the log of container {id} is"),
        }
    }

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
            storage: layout != Layout::Wharf,
            ..RuntimeInfo::default()
        };
        Ok(Self { root: root.to_owned(), info, places: Arc::default(), shares: Shares::default() })
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
        let (facts, images, snapshots, mut disk) = futures::join!(facts, images, snapshots, disk);
        if let (true, Seen::At { value, .. }) = (scope.whole, &mut disk) {
            value.extend(self.shares.take(&self.root, &self.places().root));
        }
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

    async fn layer(&self, snapshot: &ObjectRef) -> Result<Vec<(String, PathBuf)>> {
        let (snapshotter, namespace, key) = match snapshot.clone() {
            ObjectRef::Snapshot { snapshotter, namespace, key } => (snapshotter, namespace, key),
            ObjectRef::Image(id) => {
                return self.look("find the image's layers", move |r, p| image_layers(r, p, &id)).await;
            }
            _ => bail!(InvalidArgument, "only images and snapshots have files of their own"),
        };
        let work = move |root: &Path, places: &Places| match places.layout {
            Layout::Containerd => node::containerd::layers(root, &places.root, (&namespace, &snapshotter, &key)),
            Layout::Crio => node::storage::chain(root, &places.root, &key),
            Layout::Wharf => bail!(Unimplemented, "where its layers are is told by wharf alone: wharf --embedded"),
        };
        self.look("find the layer", work).await
    }

    async fn apply(&self, step: &Step) -> Result<String> {
        let what = match step {
            Step::StopPod(id) => format!("stop pod {id}"),
            Step::RemovePod(id) => format!("remove pod {id}"),
            Step::StopContainer(id, _) => format!("stop container {id}"),
            Step::RemoveContainer(id) => format!("remove container {id}"),
            Step::RemoveImage(id) => format!("remove image {id}"),
            Step::PullImage(reference) => format!("pull {reference}"),
            Step::Restart { container, .. } => format!("restart container {container}"),
            Step::RunPod(launch) | Step::CreateContainer(launch) | Step::StartContainer(launch) => {
                format!("run {}", launch.image)
            }
            Step::TagImage { name, .. } => format!("name an image {name}"),
            Step::PinImage { image, .. } => format!("pin image {image}"),
            Step::Collect => "collect garbage".to_owned(),
            // The node itself can be mended, and so the runtime.
            Step::Change(change) if self.info.read_only => {
                bail!(PermissionDenied, "{} is refused: wharf was started with --read-only", change.what())
            }
            Step::Change(change) => return super::host::apply(change).await.map(|()| String::new()),
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
            match this.log_path(&id).await {
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

    async fn exec_sync(&self, container: &str, _: &[String], _: Duration) -> Result<ExecResult> {
        Err(self.refused(&format!("exec in container {container}")))
    }

    async fn cgroups(&self) -> Result<Vec<CgroupFact>> {
        let facts = self.facts().await?;
        self.look("read the control groups", move |root, _| {
            let mut found = cgroups::kubelet(root);
            let live = facts.bundles.iter().filter(|b| ours(b) && b.sandbox && lives(b)).take(cgroups::PODS);
            // A pod without a process of its own is where its containers are.
            let inside = |pod: &str| facts.bundles.iter().find(|b| b.pod_id == pod && lives(b) && b.pid.is_some())?.pid;
            let proven =
                |b: &Bundle| cgroups::proven_by(root, &b.pod_namespace, &b.pod, b.pid.or_else(|| inside(&b.id))?);
            found.extend(live.filter_map(proven));
            Ok(found)
        })
        .await
    }

    async fn usage(&self, object: &ObjectRef) -> Result<Vec<Meter>> {
        let (ObjectRef::Pod(id) | ObjectRef::Container(id)) = object.clone() else {
            bail!(InvalidArgument, "only pods and containers use a node");
        };
        let (facts, bundle) = self.bundle(&id).await?;
        self.look("read the control groups", move |root, _| Ok(vec![meter(root, &facts, &bundle)])).await
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

#[cfg(test)]
mod tests;
