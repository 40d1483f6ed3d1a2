//! A snapshotter of somebody else's (stargz, nydus, soci, a containerd): its daemon is asked by containerd's snapshots API over
//! a unix socket, as a containerd asks those of its `[proxy_plugins]`.
//!
//! To it our snapshots are `wharf-ROOT/NUMBER`, and `wharf-ROOT/NUMBER/layer` once they are committed: ROOT tells two engines
//! apart, and the number is the row's, so that what is to be removed is known by it alone. Everything of these names that no row
//! knows goes at a start. Others' are never touched.
//!
//! A layer that is asked for with the label [`SNAPSHOT_REF`] may be answered by `AlreadyExists`: the daemon has committed it
//! under the name in that label, and its content comes when somebody reads it.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper_util::rt::TokioIo;
use tokio::{net::UnixStream, runtime::Handle};
use tonic::{Code, Request, Response, Status, metadata::MetadataValue, transport::Channel};

use super::{
    Driver, Labels, Measured, Mount, New, Prepared, SnapshotId, SnapshotKind, Sums, Support, UnpackTarget, Usage,
    Whiteouts, wire,
};
use crate::{
    bail,
    engine::content::Digest,
    error::{Context, Error, Kind, Result},
    proto::containerd::services::snapshots::v1::{self as api, snapshots_client::SnapshotsClient},
};

/// The name a layer is to be committed under by a snapshotter that has it already.
pub const SNAPSHOT_REF: &str = "containerd.io/snapshot.ref";
/// Keeps a containerd that is asked directly from collecting what it knows no use of.
const GC_ROOT: &str = "containerd.io/gc.root";
/// The namespace our calls are in.
const NAMESPACE: &str = "k8s.io";

/// For a daemon to show that it is there at all.
const PROBE: Duration = Duration::from_secs(10);
/// For what it looks up.
const QUESTION: Duration = Duration::from_secs(30);
/// For what may take a walk over a layer, or a registry's answer.
const WORK: Duration = Duration::from_secs(600);
/// An answer proves for this long that it is there.
const FRESH: Duration = Duration::from_secs(3);
/// Snapshots of one list, and bytes of one message.
const MOST: usize = 100_000;
const MESSAGE: usize = 16 << 20;

pub struct Remote {
    name: String,
    socket: PathBuf,
    /// "wharf-1a2b3c4d/".
    prefix: String,
    client: SnapshotsClient<Channel>,
    answered: Mutex<Option<Instant>>,
}

impl Remote {
    /// `socket` is a path or `unix://` and a path; `root` is the engine's. Within a tokio runtime.
    ///
    /// # Errors
    /// `InvalidArgument` if the socket is no path from the root.
    pub fn new(name: &str, socket: &Path, root: &Path) -> Result<Self> {
        let socket = socket.strip_prefix("unix:").map_or_else(|_| socket.to_owned(), |path| Path::new("/").join(path));
        if !socket.is_absolute() {
            bail!(
                InvalidArgument,
                "snapshotter {name}: its address {:?} is no path of a unix socket",
                socket.display()
            );
        }
        let path = socket.clone();
        let connect = tower::service_fn(move |_| {
            let path = path.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
        });
        // The name is never resolved; HTTP/2 wants one.
        let endpoint = tonic::transport::Endpoint::from_static("http://localhost").connect_timeout(PROBE);
        let client = SnapshotsClient::new(endpoint.connect_with_connector_lazy(connect));
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let digest = Digest::of(root.as_os_str().as_encoded_bytes());
        Ok(Self {
            name: name.to_owned(),
            socket,
            prefix: format!("wharf-{}/", &digest.hex()[..8]),
            client: client.max_decoding_message_size(MESSAGE),
            answered: Mutex::default(),
        })
    }

    /// Of an active snapshot or a view.
    fn key(&self, id: SnapshotId) -> String {
        format!("{}{}", self.prefix, id.0)
    }

    fn committed(&self, id: SnapshotId) -> String {
        format!("{}{}/layer", self.prefix, id.0)
    }

    fn parent(&self, parents: &[SnapshotId]) -> String {
        parents.first().map(|parent| self.committed(*parent)).unwrap_or_default()
    }

    /// Calls, on a thread that may block. The kind of an error is the daemon's, or `Unavailable` and `DeadlineExceeded` if
    /// there is none.
    fn call<T, F: Future<Output = Result<Response<T>, Status>>>(
        &self,
        doing: impl Fn() -> String,
        limit: Duration,
        call: impl FnOnce(SnapshotsClient<Channel>) -> F,
    ) -> Result<T> {
        let doing = || format!("{} by snapshotter {}", doing(), self.name);
        if limit > QUESTION && !self.fresh() {
            self.probe().context(doing)?;
        }
        self.within(limit, call(self.client.clone())).context(doing)
    }

    fn fresh(&self) -> bool {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Whether anybody answers, before it is given the time that work takes.
    fn probe(&self) -> Result<()> {
        let asked = asked(api::StatSnapshotRequest { snapshotter: self.name.clone(), key: self.prefix.clone() });
        let mut client = self.client.clone();
        match self.within(PROBE, async move { client.stat(asked).await }) {
            Err(error) if matches!(error.kind(), Kind::Unavailable | Kind::DeadlineExceeded) => Err(error),
            _ => Ok(()),
        }
    }

    fn within<T>(&self, limit: Duration, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T> {
        let answer = Handle::current().block_on(async { tokio::time::timeout(limit, call).await });
        let status = match answer {
            Ok(Ok(response)) => {
                *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                return Ok(response.into_inner());
            }
            Ok(Err(status)) => status,
            Err(_) => {
                let socket = self.socket.display();
                bail!(
                    DeadlineExceeded,
                    "its daemon at {socket} did not answer in {} s: look at its log, restart it",
                    limit.as_secs()
                )
            }
        };
        if status.code() == Code::Unavailable {
            return Err(self.unreachable(&status));
        }
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let said: String = status.message().chars().take(1000).map(|c| if c.is_control() { ' ' } else { c }).collect();
        Err(Error::from(Status::new(status.code(), said)))
    }

    /// gRPC's words for a socket that cannot be used say little.
    fn unreachable(&self, status: &Status) -> Error {
        let socket = self.socket.display();
        let why = match Handle::current().block_on(tokio::time::timeout(PROBE, UnixStream::connect(&self.socket))) {
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                format!("there is no socket {socket}: start its daemon, or correct the address in [proxy_plugins]")
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                format!("nobody listens at {socket}: its daemon has stopped, start it")
            }
            Ok(Err(error)) => format!("connect to {socket}: {error}"),
            _ => {
                let said: String = status.message().chars().filter(|c| !c.is_control()).take(300).collect();
                format!("its daemon at {socket} broke off: {said}")
            }
        };
        Error::new(Kind::Unavailable, why)
    }

    fn stat(&self, key: &str) -> Result<Option<api::Info>> {
        let asked = asked(api::StatSnapshotRequest { snapshotter: self.name.clone(), key: key.to_owned() });
        match self.call(|| format!("look up {key}"), QUESTION, |mut client| async move { client.stat(asked).await }) {
            Ok(answer) => Ok(answer.info),
            Err(error) if error.is(Kind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn usage_of(&self, key: &str) -> Result<Usage> {
        let asked = asked(api::UsageRequest { snapshotter: self.name.clone(), key: key.to_owned() });
        let used =
            self.call(|| format!("measure {key}"), WORK, |mut client| async move { client.usage(asked).await })?;
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(Usage { bytes: number(used.size), inodes: number(used.inodes) })
    }

    /// One of the two names.
    fn remove_as(&self, key: String) -> Result<()> {
        let asked = asked(api::RemoveSnapshotRequest { snapshotter: self.name.clone(), key: key.clone() });
        match self.call(|| format!("remove {key}"), WORK, |mut client| async move { client.remove(asked).await }) {
            Err(error) if !error.is(Kind::NotFound) => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether the layer is there now, which is what an `AlreadyExists` may mean.
    fn has(&self, new: &New<'_>) -> Result<bool> {
        let Some(info) = self.stat(&self.committed(new.id))? else { return Ok(false) };
        if info.kind() != api::Kind::Committed || info.parent != self.parent(new.parents) {
            bail!(
                FailedPrecondition,
                "snapshotter {} committed {} on {:?}, not on {:?}",
                self.name,
                self.committed(new.id),
                info.parent.chars().take(120).collect::<String>(),
                self.parent(new.parents)
            );
        }
        Ok(true)
    }

    fn told(&self, new: &New<'_>) -> Labels {
        let mut labels = new.labels.clone();
        labels.insert(GC_ROOT.to_owned(), "wharf".to_owned());
        if new.layer {
            labels.insert(SNAPSHOT_REF.to_owned(), self.committed(new.id));
        }
        labels
    }

    /// Makes it; `AlreadyExists` is the caller's to understand.
    fn ask_for(&self, new: &New<'_>) -> Result<()> {
        let (key, parent) = (self.key(new.id), self.parent(new.parents));
        let (snapshotter, labels) = (self.name.clone(), self.told(new).into_iter().collect());
        let doing = || format!("prepare {}", self.key(new.id));
        let mounts = if new.kind == SnapshotKind::View {
            let asked = asked(api::ViewSnapshotRequest { snapshotter, key, parent, labels });
            self.call(doing, WORK, |mut client| async move { client.view(asked).await })?.mounts
        } else {
            let asked = asked(api::PrepareSnapshotRequest { snapshotter, key, parent, labels });
            self.call(doing, WORK, |mut client| async move { client.prepare(asked).await })?.mounts
        };
        wire::mounts_in(mounts).context(doing).map(drop)
    }
}

/// In our namespace.
fn asked<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("containerd-namespace", MetadataValue::from_static(NAMESPACE));
    request
}

impl Driver for Remote {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_remote(&self) -> bool {
        true
    }

    /// Its daemon may come later.
    fn probe(&self, _root: &Path) -> Result<Support> {
        Ok(Support::Yes)
    }

    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()> {
        let labels = Labels::new();
        let new = New { id, parents, kind: SnapshotKind::Active, labels: &labels, layer: false };
        self.make(&new).map(drop)
    }

    fn make(&self, new: &New<'_>) -> Result<Prepared> {
        let mut again = true;
        loop {
            match self.ask_for(new) {
                Ok(()) => return Ok(Prepared::Empty),
                Err(error) if !error.is(Kind::AlreadyExists) => return Err(error),
                Err(_) if new.layer && self.has(new)? => {
                    // Some leave the key behind that they were asked with.
                    self.remove_as(self.key(new.id))?;
                    return Ok(Prepared::Committed);
                }
                // Numbers are never used again, but after a database that was lost: this is left of that one.
                Err(_) if std::mem::take(&mut again) => self.remove(new.id)?,
                Err(error) => return Err(error),
            }
        }
    }

    fn mounts(&self, id: SnapshotId, _parents: &[SnapshotId], _kind: SnapshotKind) -> Result<Vec<Mount>> {
        let key = self.key(id);
        let doing = || format!("ask for the mounts of {key}");
        let asked = asked(api::MountsRequest { snapshotter: self.name.clone(), key: key.clone() });
        // Some look at every layer's source before they answer.
        let answer = self.call(doing, WORK, |mut client| async move { client.mounts(asked).await })?;
        wire::mounts_in(answer.mounts).context(|| format!("the mounts of {key} by snapshotter {}", self.name))
    }

    /// Into what its mounts show.
    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget {
        UnpackTarget { directory: self.directory(id), whiteouts: Whiteouts::Overlay, independent: false }
    }

    /// Nowhere that we know of.
    fn directory(&self, id: SnapshotId) -> PathBuf {
        PathBuf::from(self.key(id))
    }

    fn usage(&self, id: SnapshotId) -> Result<Usage> {
        match self.usage_of(&self.key(id)) {
            Err(error) if error.is(Kind::NotFound) => self.usage_of(&self.committed(id)),
            other => other,
        }
    }

    /// What was written is on disk before the daemon is told that it is complete.
    fn seal(&self, id: SnapshotId, labels: &Labels) -> Result<()> {
        for mount in self.mounts(id, &[], SnapshotKind::Active)? {
            let upper = mount.options.iter().find_map(|option| option.strip_prefix("upperdir="));
            let written = if mount.kind == "bind" { Some(mount.source.as_str()) } else { upper };
            if let Some(path) = written {
                let directory = File::open(path).map_err(|e| Error::io("open", path, e))?;
                rustix::fs::syncfs(&directory).map_err(|e| Error::io("sync the filesystem of", path, e))?;
            }
        }
        let mut labels = labels.clone();
        labels.insert(GC_ROOT.to_owned(), "wharf".to_owned());
        let asked = asked(api::CommitSnapshotRequest {
            snapshotter: self.name.clone(),
            name: self.committed(id),
            key: self.key(id),
            labels: labels.into_iter().collect(),
            parent: String::new(),
        });
        self.call(|| format!("commit {}", self.key(id)), WORK, |mut client| async move { client.commit(asked).await })
    }

    fn sync(&self, _id: SnapshotId) -> Result<()> {
        Ok(())
    }

    fn list(&self) -> Result<Vec<(SnapshotId, bool)>> {
        let doing = || format!("list the snapshots of snapshotter {}", self.name);
        self.probe().context(doing)?;
        let asked = asked(api::ListSnapshotsRequest { snapshotter: self.name.clone(), filters: Vec::new() });
        let mut client = self.client.clone();
        let all = async move {
            let mut parts = client.list(asked).await?.into_inner();
            let mut found = Vec::new();
            while let Some(part) = parts.message().await? {
                found.extend(part.info.into_iter().map(|info| info.name));
                if found.len() > MOST {
                    return Err(Status::resource_exhausted(format!("more than {MOST} snapshots")));
                }
            }
            Ok(Response::new(found))
        };
        let names = match self.within(WORK, all) {
            // containerd's library has no place for any before there is one, and says so without a code.
            Err(error) if error.is(Kind::NotFound) || format!("{error:#}").ends_with(": not found") => Vec::new(),
            other => other.context(doing)?,
        };
        let ours = names.iter().filter_map(|name| {
            let rest = name.strip_prefix(&self.prefix)?;
            let number = rest.strip_suffix("/layer");
            Some((SnapshotId(number.unwrap_or(rest).parse().ok()?), number.is_some()))
        });
        Ok(ours.collect())
    }

    fn measure(&self, id: SnapshotId, _sums: &Sums) -> Result<Measured> {
        Ok(Measured { usage: self.usage_of(&self.committed(id))?, tree: None })
    }

    fn remove(&self, id: SnapshotId) -> Result<()> {
        self.remove_as(self.key(id))?;
        self.remove_as(self.committed(id))
    }

    /// Some only unlink what is removed.
    fn swept(&self) -> Result<()> {
        let asked = asked(api::CleanupRequest { snapshotter: self.name.clone() });
        match self.call(|| "clean up".to_owned(), WORK, |mut client| async move { client.cleanup(asked).await }) {
            Err(error) if !matches!(error.kind(), Kind::Unimplemented | Kind::NotFound) => Err(error),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("name", &self.name).field("socket", &self.socket).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, pin::Pin, sync::Arc};

    use futures::Stream;
    use tonic::async_trait;

    use super::{
        super::{Clients, Local, Snapshotter, remote, service::Service},
        *,
    };
    use crate::{
        engine::metadata::{Db, Table},
        proto::containerd::services::snapshots::v1::snapshots_server::{Snapshots, SnapshotsServer},
    };

    /// Has the layer "sha256:here" by itself, and answers some questions wrongly.
    struct Lazy {
        inner: Service,
        asked: Mutex<Vec<api::PrepareSnapshotRequest>>,
    }

    type Answer<T> = Result<Response<T>, Status>;

    #[async_trait]
    impl Snapshots for Lazy {
        async fn prepare(&self, request: Request<api::PrepareSnapshotRequest>) -> Answer<api::PrepareSnapshotResponse> {
            let asked = request.into_inner();
            self.asked.lock().unwrap().push(asked.clone());
            let label = |name: &str| asked.labels.get(name).cloned().unwrap_or_default();
            let (name, layer) = (label(SNAPSHOT_REF), label("containerd.io/snapshot/cri.layer-digest"));
            let (snapshotter, key, parent) = (asked.snapshotter.clone(), asked.key.clone(), String::new());
            let mut made = self.inner.prepare(Request::new(asked.clone())).await?.into_inner();
            if layer == "helped" {
                made.mounts[0].r#type = "fuse3.helper".to_owned();
            }
            if layer != "sha256:here" || name.is_empty() {
                return Ok(Response::new(made));
            }
            let labels = asked.labels;
            let commit = api::CommitSnapshotRequest { snapshotter, name: name.clone(), key, labels, parent };
            self.inner.commit(Request::new(commit)).await?;
            Err(Status::already_exists(format!("target snapshot {name}")))
        }
        async fn view(&self, r: Request<api::ViewSnapshotRequest>) -> Answer<api::ViewSnapshotResponse> {
            self.inner.view(r).await
        }
        async fn mounts(&self, r: Request<api::MountsRequest>) -> Answer<api::MountsResponse> {
            self.inner.mounts(r).await
        }
        async fn commit(&self, r: Request<api::CommitSnapshotRequest>) -> Answer<()> {
            self.inner.commit(r).await
        }
        async fn remove(&self, r: Request<api::RemoveSnapshotRequest>) -> Answer<()> {
            self.inner.remove(r).await
        }
        async fn stat(&self, r: Request<api::StatSnapshotRequest>) -> Answer<api::StatSnapshotResponse> {
            self.inner.stat(r).await
        }
        async fn update(&self, r: Request<api::UpdateSnapshotRequest>) -> Answer<api::UpdateSnapshotResponse> {
            self.inner.update(r).await
        }
        type ListStream = Pin<Box<dyn Stream<Item = Result<api::ListSnapshotsResponse, Status>> + Send>>;
        async fn list(&self, r: Request<api::ListSnapshotsRequest>) -> Answer<Self::ListStream> {
            self.inner.list(r).await
        }
        async fn usage(&self, r: Request<api::UsageRequest>) -> Answer<api::UsageResponse> {
            self.inner.usage(r).await
        }
        async fn cleanup(&self, _: Request<api::CleanupRequest>) -> Answer<()> {
            Err(Status::unimplemented("not here"))
        }
    }

    async fn lazy(dir: &Path) -> (Local, Arc<Lazy>, Arc<Db>) {
        let served = Arc::new(Db::open(&dir.join("served.db")).unwrap());
        let clients = Clients::open(&dir.join("served"), Some("native".to_owned()), Arc::clone(&served)).await.unwrap();
        let lazy = Arc::new(Lazy { inner: Service::new(Arc::new(clients), served), asked: Mutex::default() });
        let listener = tokio::net::UnixListener::bind(dir.join("s.sock")).unwrap();
        let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
        let server = SnapshotsServer::from_arc(Arc::clone(&lazy));
        tokio::spawn(tonic::transport::Server::builder().add_service(server).serve_with_incoming(incoming));
        let db = Arc::new(Db::open(&dir.join("meta.db")).unwrap());
        (remote("wharf", &dir.join("s.sock"), dir, Arc::clone(&db)).unwrap(), lazy, db)
    }

    fn labels(layer: &str) -> Labels {
        [("containerd.io/snapshot/cri.layer-digest".to_owned(), layer.to_owned())].into()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_layer_the_daemon_has_is_committed_without_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let (local, lazy, db) = lazy(dir.path()).await;
        let made = local.prepare_layer("a", "one", None, labels("sha256:here")).await.unwrap();
        assert_eq!(made, Prepared::Committed);
        let info = local.stat("one").await.unwrap();
        assert_eq!(info.kind, SnapshotKind::Committed);
        assert_eq!(info.labels[SNAPSHOT_REF], "one");
        assert!(local.stat("a").await.is_err_and(|e| e.is(Kind::NotFound)), "what it was asked by is gone");
        let made = local.prepare_layer("b", "two", Some("one"), labels("sha256:elsewhere")).await.unwrap();
        assert_eq!(made, Prepared::Empty);
        local.commit("b", "two", labels("sha256:elsewhere")).await.unwrap();
        assert!(!local.stat("two").await.unwrap().labels.contains_key(SNAPSHOT_REF));
        let asked = lazy.asked.lock().unwrap().clone();
        assert_eq!(asked[1].parent, asked[0].labels[SNAPSHOT_REF], "the name it chose is the one others stand on");
        assert!(asked.iter().all(|a| a.labels.contains_key(GC_ROOT)));
        let plain = local.prepare("run", Some("two"), Labels::new()).await.unwrap();
        assert_eq!(plain, local.mounts("run").await.unwrap());
        assert!(!lazy.asked.lock().unwrap()[2].labels.contains_key(SNAPSHOT_REF), "a container's is no layer");

        // A start finds all of it, and a collection takes it away there too.
        db.insert(Table::Containers, "c", "c", &0).unwrap();
        db.keep_snapshot(Table::Containers, "c", "wharf", "run").unwrap();
        assert_eq!(local.recover().await.unwrap(), (0, 0));
        local.remove("run").await.unwrap();
        db.mark(std::time::SystemTime::now()).unwrap();
        local.sweep().await.unwrap();
        assert_eq!(local.walk().await.unwrap(), []);
        assert_eq!(fs::read_dir(dir.path().join("served/wharf/native")).unwrap().count(), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_mount_that_takes_a_helper_is_refused_and_nothing_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (local, ..) = lazy(dir.path()).await;
        let error = local.prepare("a", None, labels("helped")).await.unwrap_err();
        assert!(error.is(Kind::Unimplemented) && format!("{error:#}").contains("fuse3.helper"), "{error:#}");
        assert_eq!(local.walk().await.unwrap(), []);
        assert_eq!(fs::read_dir(dir.path().join("served/wharf/native")).unwrap().count(), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_daemon_that_is_not_there_or_hangs_is_said_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let db = Arc::new(Db::open(&dir.path().join("meta.db")).unwrap());
        let socket = dir.path().join("s.sock");
        let local = remote("stargz", &socket, dir.path(), db).unwrap();
        let said = async |kind: Kind, words: &[&str]| {
            let error = local.prepare("a", None, Labels::new()).await.unwrap_err();
            let text = format!("{error:#}");
            assert!(error.is(kind) && words.iter().all(|word| text.contains(word)), "{error:?}");
            // Nobody could be told to clean up.
            assert!(text.contains("cleaning up failed as well"), "{text}");
        };
        said(Kind::Unavailable, &["stargz", "there is no socket", "s.sock"]).await;
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        drop(listener);
        said(Kind::Unavailable, &["nobody listens"]).await;
        fs::remove_file(&socket).unwrap();
        let _hangs = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let began = Instant::now();
        said(Kind::DeadlineExceeded, &["did not answer in 10 s"]).await;
        assert!(began.elapsed() < PROBE * 3, "{:?}", began.elapsed());
        // The engine starts without it.
        assert_eq!(local.recover().await.unwrap(), (0, 0));
        assert!(Remote::new("x", Path::new("relative"), dir.path()).is_err_and(|e| e.is(Kind::InvalidArgument)));
    }
}
