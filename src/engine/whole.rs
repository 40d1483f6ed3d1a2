//! The engine put together: one value that holds the stores, the network, the shims and the pods.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    cgroup::systemd,
    content::{Content, Digest},
    crash,
    cri::{self, Pods},
    features::{self, Features},
    gc,
    handlers::{self, Handler},
    image::{
        config::{self, ImageConfig},
        pull::Puller,
        reference::Reference,
        registry::RegistryConfig,
    },
    metadata::{Db, Garbage, ImageRow, Table},
    network::{self, Network, NetworkConfig},
    ready::Runtimes,
    recover, run,
    serve::Progress,
    shim::{BuiltinShims, Shims},
    snapshot::{Clients, Snapshotter, ThinPool, Usage},
    stores::Stores,
    streaming,
    usage::Sizes,
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::cgroup::Driver,
};

/// An image's configuration is at most this large (docs/architecture.md, "Limits").
const CONFIG_LIMIT: u64 = 8 << 20;

/// How long removed things wait for company before a collection.
const COLLECT_DELAY: Duration = Duration::from_millis(500);
const UNCLAIMED: Duration = Duration::from_secs(5 * 60);
/// How often expired leases are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Config {
    /// What must outlive a reboot: images, snapshots, the database.
    pub root: PathBuf,
    /// What must not: on tmpfs, sockets, shims' state, mounts.
    pub state: PathBuf,
    pub handlers: Vec<Handler>,
    /// "overlayfs", "btrfs", "zfs", "native", "erofs", "devmapper" or one of `remotes`; `None` takes the first that the root's filesystem can carry.
    pub snapshotter: Option<String>,
    /// Snapshotters behind a socket of containerd's snapshots API, by name.
    pub remotes: BTreeMap<String, PathBuf>,
    /// What "devmapper" is in.
    pub thin_pool: Option<ThinPool>,
    pub network: NetworkConfig,
    pub registry: RegistryConfig,
    /// Where pods' cgroups go when CRI names no parent; those that systemd makes go to [`systemd::SLICE`].
    pub cgroup_parent: String,
    /// Everybody in a pod may bind ports below 1024, ...
    pub unprivileged_ports: bool,
    /// ... and send echo requests without a raw socket.
    pub unprivileged_icmp: bool,
    /// How long what was made for a caller that had gone waits to be asked for again: longer than a kubelet's longest pause.
    pub unclaimed: Duration,
    /// Told of the start's.
    pub progress: Arc<Progress>,
    pub streaming: streaming::Config,
}

impl Config {
    /// The usual places, with the handlers whose binaries this machine has.
    pub fn new(root: &Path, state: &Path) -> Self {
        Self {
            root: root.to_owned(),
            state: state.to_owned(),
            handlers: handlers::found(),
            snapshotter: None,
            remotes: BTreeMap::new(),
            thin_pool: None,
            network: NetworkConfig::new(&root.join("network")),
            registry: RegistryConfig::default(),
            cgroup_parent: "/wharf".to_owned(),
            unprivileged_ports: true,
            unprivileged_icmp: true,
            unclaimed: UNCLAIMED,
            progress: Arc::default(),
            streaming: streaming::Config::default(),
        }
    }
}

/// Our container runtime. One per root directory: a lock file keeps a second one out.
pub struct Engine {
    pub config: Config,
    pub db: Arc<Db>,
    pub content: Content,
    pub snapshotter: Arc<dyn Snapshotter>,
    /// What others keep here by containerd's snapshots API.
    pub clients: Arc<Clients>,
    pub puller: Puller,
    pub network: Arc<dyn Network>,
    pub shims: Arc<dyn Shims>,
    pub pods: Pods,
    streaming: tokio::sync::OnceCell<Arc<streaming::Server>>,
    sizes: Sizes,
    configs: Mutex<HashMap<Digest, ImageConfig>>,
    tags: Mutex<HashMap<String, String>>,
    /// By handler.
    features: HashMap<String, Features>,
    pub(super) runtimes: Arc<Runtimes>,
    /// Held for writing while slices that nobody uses are stopped, for reading while a pod may be put in one.
    pub slices: tokio::sync::RwLock<()>,
    collecting: tokio::sync::Mutex<()>,
    collection_due: AtomicBool,
    network_collection_due: AtomicBool,
    _lock: fs::File,
}

impl Engine {
    /// Opens the root, repairs its storage, adopts running pods.
    pub async fn open(config: Config) -> Result<Arc<Self>> {
        // What whoever started us left open is for no program that we start (threats RUN-02).
        run::close_on_exec_from_3()
            .map_err(|e| Error::new(Kind::Internal, "close what is open on exec").with_source(e))?;
        let Stores { db, content, snapshotter, clients, puller, lock } = Stores::open(&config).await?;
        let shims = BuiltinShims::new()?;
        let ended = recover::orphans(&db, &shims, &config.state, config.network.clone()).await;
        match ended {
            Ok(0) => {}
            Ok(ended) => tracing::warn!(ended, "what had no record was ended"),
            Err(error) => tracing::warn!("recovery: {error:#}"),
        }
        let features = {
            let config = config.clone();
            blocking(move || Ok(features_of(&config))).await?
        };
        let engine = Arc::new(Self {
            network: network::open(config.network.clone()),
            shims: Arc::new(shims),
            pods: Pods::new(Arc::clone(&db)),
            db,
            content,
            snapshotter,
            clients,
            puller,
            streaming: tokio::sync::OnceCell::new(),
            sizes: Sizes::default(),
            configs: Mutex::default(),
            tags: Mutex::default(),
            features,
            runtimes: Arc::default(),
            slices: tokio::sync::RwLock::default(),
            collecting: tokio::sync::Mutex::default(),
            collection_due: AtomicBool::new(false),
            network_collection_due: AtomicBool::new(false),
            _lock: lock,
            config,
        });
        cri::recover(&engine).await?;
        crash::point("rec.4");
        // A crash may have come between a removal and the collection after it.
        if let Err(error) = engine.collect().await {
            tracing::warn!("collecting garbage failed: {error:#}");
        }
        engine.collect_network_soon();
        tokio::spawn(keep_house(Arc::downgrade(&engine)));
        Ok(engine)
    }

    pub fn handler(&self, name: &str) -> Result<&Handler> {
        let found = if name.is_empty() {
            self.config.handlers.first()
        } else {
            self.config.handlers.iter().find(|h| h.name == name)
        };
        let known: Vec<_> = self.config.handlers.iter().map(|h| h.name.as_str()).collect();
        found.ok_or_else(|| {
            let text = format!("no runtime for {name:?} is configured; there are: {}", known.join(", "));
            Error::new(Kind::NotFound, text)
        })
    }

    /// The default handler's, which a kubelet follows.
    pub fn cgroup_driver(&self) -> Driver {
        self.config.handlers.first().map_or(Driver::Cgroupfs, |default| default.cgroups)
    }

    /// Where a handler's pods go when CRI names no parent.
    pub fn cgroup_parent(&self, handler: &Handler) -> &str {
        match handler.cgroups {
            Driver::Systemd => systemd::SLICE,
            Driver::Cgroupfs => &self.config.cgroup_parent,
        }
    }

    /// The server of exec, attach and port-forward; it listens from the first time it is asked for.
    pub async fn streaming(self: &Arc<Self>) -> Result<&Arc<streaming::Server>> {
        let start = || streaming::Server::start(&self.config.streaming, cri::streams(self));
        self.streaming.get_or_try_init(start).await
    }

    /// Ends exec, attach and port-forward sessions and event streams; pods go on.
    pub async fn hang_up(&self) {
        self.pods.end_events();
        if let Some(server) = self.streaming.get() {
            server.stop().await;
        }
    }

    /// What the handler of this name can do; "" is the default one.
    pub fn features(&self, name: &str) -> Features {
        let handler = self.handler(name).ok();
        handler.and_then(|h| self.features.get(&h.name)).cloned().unwrap_or_default()
    }

    /// By id (or a prefix of it), by reference, or by `repository@digest`.
    pub async fn image(&self, reference: &str) -> Result<Option<ImageRow>> {
        let (db, reference) = (Arc::clone(&self.db), reference.to_owned());
        blocking(move || {
            if let Some(row) = db.image(&reference)? {
                return Ok(Some(row));
            }
            if let Ok(full) = reference.parse::<Reference>()
                && let Some(row) = db.image(&full.to_string())?
            {
                return Ok(Some(row));
            }
            let hex = reference.strip_prefix(Digest::PREFIX).unwrap_or(&reference);
            if hex.len() < 8 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Ok(None);
            }
            let images = db.images()?;
            let mut rows = images.iter().filter(|i| i.id.hex().starts_with(hex));
            match (rows.next(), rows.next()) {
                (Some(row), None) => Ok(Some(row.clone())),
                (Some(_), Some(_)) => bail!(InvalidArgument, "image id prefix {hex} is ambiguous"),
                (None, _) => Ok(None),
            }
        })
        .await
    }

    /// An image that has to be pulled again, by id, tag or digest: it can still be removed.
    pub async fn damaged_image(&self, reference: &str) -> Result<Option<ImageRow>> {
        let (db, reference) = (Arc::clone(&self.db), reference.to_owned());
        blocking(move || {
            let full = reference.parse::<Reference>().map_or_else(|_| reference.clone(), |r| r.to_string());
            let named = |row: &ImageRow| {
                row.id.as_str() == reference
                    || row.id.hex() == reference
                    || row.tags.contains(&full)
                    || row.digests.contains(&full)
            };
            Ok(db.damaged_images()?.iter().find(|row| named(row)).cloned())
        })
        .await
    }

    /// The configuration of an image, parsed once.
    pub async fn image_config(&self, image: &ImageRow) -> Result<ImageConfig> {
        if let Some(found) = locked(&self.configs).get(&image.id) {
            return Ok(found.clone());
        }
        let (content, db, row) = (self.content.clone(), Arc::clone(&self.db), image.clone());
        let config = blocking(move || {
            let mut config = ImageConfig::parse(&content.read(&row.id, CONFIG_LIMIT)?)?;
            config.checkpoint = is_checkpoint(&content, &db, &row)?;
            Ok(config)
        })
        .await?;
        locked(&self.configs).insert(image.id.clone(), config.clone());
        if let Some(tag) = image.tags.first() {
            locked(&self.tags).insert(image.id.to_string(), tag.clone());
        }
        Ok(config)
    }

    pub async fn image_config_json(&self, image: &ImageRow) -> Result<serde_json::Value> {
        let (content, id) = (self.content.clone(), image.id.clone());
        blocking(move || {
            serde_json::from_slice(&content.read(&id, CONFIG_LIMIT)?).map_err(|e| {
                Error::new(Kind::DataLoss, format!("image {id}: its configuration is not JSON")).with_source(e)
            })
        })
        .await
    }

    /// A tag of an image we have read the configuration of.
    pub fn tag_of(&self, id: &str) -> Option<String> {
        locked(&self.tags).get(id).cloned()
    }

    /// The container's writable snapshot is no garbage while its record lives.
    pub async fn keep_snapshot(&self, container: &str) -> Result<()> {
        let (db, id, name) = (Arc::clone(&self.db), container.to_owned(), self.snapshotter.name().to_owned());
        blocking(move || db.keep_snapshot(Table::Containers, &id, &name, &id)).await
    }

    /// Returns when all that was recorded before the call survives a power cut: what every call that changes something
    /// waits for before it answers.
    pub async fn durable(&self) -> Result<()> {
        let db = Arc::clone(&self.db);
        blocking(move || db.durable()).await
    }

    /// Removes what nothing refers to, and returns what that freed.
    pub async fn collect(&self) -> Result<Usage> {
        let _one = self.collecting.lock().await;
        gc::collect(&self.db, &self.content, &*self.snapshotter).await
    }

    /// What a collection would take now, and the bytes of its blobs.
    pub async fn garbage(&self) -> Result<(Garbage, u64)> {
        let (db, content) = (Arc::clone(&self.db), self.content.clone());
        blocking(move || {
            let garbage = db.unreachable(SystemTime::now())?;
            let mut bytes = 0;
            for digest in &garbage.blobs {
                bytes += content.size(digest)?.unwrap_or(0);
            }
            Ok((garbage, bytes))
        })
        .await
    }

    /// While this is held no collection runs or begins: for whoever removes the whole root.
    pub async fn without_collections(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.collecting.lock().await
    }

    /// Collects in the background, once for all that is removed within the next moment.
    pub fn collect_soon(self: &Arc<Self>) {
        if self.collection_due.swap(true, Ordering::SeqCst) {
            return;
        }
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(COLLECT_DELAY).await;
            engine.collection_due.store(false, Ordering::SeqCst);
            if let Err(error) = engine.collect().await {
                tracing::warn!("collecting garbage failed: {error:#}");
            }
        });
    }

    /// Tells the network's plugins in the background which pods there are, once for all that happens within the next moment.
    pub fn collect_network_soon(self: &Arc<Self>) {
        if self.network_collection_due.swap(true, Ordering::SeqCst) {
            return;
        }
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(COLLECT_DELAY).await;
            engine.network_collection_due.store(false, Ordering::SeqCst);
            if let Err(error) = engine.network.collect().await {
                tracing::warn!("{error:#}");
            }
        });
    }

    /// What images take on disk (blobs and layers), and what containers have written.
    pub async fn usage(&self) -> Result<(Usage, Usage)> {
        let (layers, writable) = self.snapshotter.totals().await?;
        let db = Arc::clone(&self.db);
        let blobs = blocking(move || db.blob_usage()).await?;
        Ok((layers + blobs, self.sizes.sum(&self.snapshotter, &writable).await))
    }

    /// What a container has written; at most a few seconds old.
    pub async fn written_by(&self, container: &str) -> Result<Usage> {
        self.sizes.of(&self.snapshotter, container).await
    }
}

/// By what was pulled, or by the manifest that an index led to.
fn is_checkpoint(content: &Content, db: &Db, image: &ImageRow) -> Result<bool> {
    let read = |digest: &Digest| match content.read(digest, CONFIG_LIMIT) {
        // What has gone says nothing.
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null)),
        Err(error) if error.is(Kind::NotFound) => Ok(serde_json::Value::Null),
        Err(error) => Err(error),
    };
    let target = read(&image.target)?;
    let manifests = target["manifests"].as_array().map(Vec::as_slice).unwrap_or_default();
    let blobs = if manifests.is_empty() { Vec::new() } else { db.image_blobs(&image.id)? };
    let named = manifests.iter().filter_map(|m| m["digest"].as_str()?.parse::<Digest>().ok());
    for digest in named.filter(|digest| blobs.contains(digest)) {
        if config::is_checkpoint(&read(&digest)?) {
            return Ok(true);
        }
    }
    Ok(config::is_checkpoint(&target))
}

fn features_of(config: &Config) -> HashMap<String, Features> {
    let directories = [config.root.as_path(), config.state.as_path()];
    config.handlers.iter().map(|h| (h.name.clone(), features::of(h, &directories))).collect()
}

/// Collects what leases held that nobody renewed: pulls that were cut short.
async fn keep_house(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        let Some(engine) = engine.upgrade() else { return };
        let db = Arc::clone(&engine.db);
        match blocking(move || db.expired_leases(SystemTime::now())).await {
            Ok(0) => {}
            Ok(_) => engine.collect_soon(),
            Err(error) => tracing::warn!("looking for expired leases failed: {error:#}"),
        }
    }
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a blocking task died").with_source(e)))
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("root", &self.config.root).finish_non_exhaustive()
    }
}
