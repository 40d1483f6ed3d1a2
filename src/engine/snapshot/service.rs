//! containerd's snapshots service over our drivers: a containerd whose `[proxy_plugins.wharf]` names our socket keeps its
//! snapshots here.
//!
//! The snapshotter's name in a request chooses the shelf (`clients`). containerd's namespaces are in the keys it sends, and
//! its collector asks without one, so that the header changes nothing: a shelf is one space of keys.

use std::{pin::Pin, sync::Arc};

use futures::Stream;
use tonic::{Request, Response, Status, async_trait};

use super::{Clients, Labels, Local, SnapshotInfo, SnapshotKind, Snapshotter, Sums, filter::Filters, wire};
use crate::{
    bail,
    engine::metadata::Db,
    error::{Error, Kind, Result},
    proto::containerd::services::snapshots::v1::{self as api, snapshots_server::Snapshots},
};

/// Bytes of a key; containerd's have about 150.
const KEY: usize = 4096;
/// Bytes of all labels of a snapshot; of one it is 4096, as in containerd.
const LABELS: usize = 256 << 10;
/// Snapshots in one message of a list.
const PART: usize = 100;

#[derive(Debug, Clone)]
pub struct Service {
    clients: Arc<Clients>,
    db: Arc<Db>,
}

type Answer<T> = Result<Response<T>, Status>;

impl Service {
    pub fn new(clients: Arc<Clients>, db: Arc<Db>) -> Self {
        Self { clients, db }
    }

    /// What was recorded before survives a power cut.
    async fn durable(&self) -> Result<()> {
        let db = Arc::clone(&self.db);
        tokio::task::spawn_blocking(move || db.durable())
            .await
            .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "the sync died").with_source(e)))
    }

    /// The shelf of a question: where nothing is, nothing is found.
    async fn there(&self, snapshotter: &str) -> Result<Local> {
        self.clients.named(snapshotter, false).await
    }

    async fn make(
        &self,
        (snapshotter, key, parent): (String, String, String),
        labels: Labels,
        kind: SnapshotKind,
    ) -> Result<Vec<crate::proto::containerd::types::Mount>> {
        bounded(&key, &labels)?;
        let shelf = self.clients.named(&snapshotter, true).await?;
        let parent = Some(parent.as_str()).filter(|p| !p.is_empty());
        if let Some(name) = parent
            && shelf.stat(name).await?.kind != SnapshotKind::Committed
        {
            bail!(InvalidArgument, "parent {name} is not a committed snapshot");
        }
        let mounts = match kind {
            SnapshotKind::View => shelf.view(&key, parent, labels).await,
            _ => shelf.prepare(&key, parent, labels).await,
        };
        self.durable().await?;
        wire::mounts_out(mounts?)
    }

    async fn committed(&self, asked: api::CommitSnapshotRequest) -> Result<()> {
        let labels = wire::labels(asked.labels);
        bounded(&asked.name, &labels)?;
        let shelf = self.there(&asked.snapshotter).await?;
        let (key, name) = (asked.key, asked.name);
        // Said before anything is read or made for a commit that cannot be.
        match shelf.stat(&name).await {
            Ok(_) => bail!(AlreadyExists, "committed snapshot {name}"),
            Err(error) if error.is(Kind::NotFound) => {}
            Err(error) => return Err(error),
        }
        let was = shelf.stat(&key).await?.parent;
        let parent = match (was, Some(asked.parent).filter(|p| !p.is_empty())) {
            (Some(was), Some(other)) if was != other => {
                bail!(InvalidArgument, "snapshot {key} stands on {was}: it cannot be committed on {other}")
            }
            (was, asked) => was.or(asked),
        };
        shelf.commit_onto(&key, &name, parent.as_deref(), labels, Sums::new()).await?;
        self.durable().await
    }

    async fn changed(&self, asked: api::UpdateSnapshotRequest) -> Result<SnapshotInfo> {
        let Some(info) = asked.info else { bail!(InvalidArgument, "an update of nothing: it names no snapshot") };
        let shelf = self.there(&asked.snapshotter).await?;
        let paths = asked.update_mask.map(|mask| mask.paths).unwrap_or_default();
        let mut labels = if paths.is_empty() {
            info.labels.clone()
        } else {
            shelf.stat(&info.name).await?.labels.into_iter().collect()
        };
        for path in paths {
            match path.strip_prefix("labels.") {
                _ if path == "labels" => labels.clone_from(&info.labels),
                Some(label) => {
                    labels.insert(label.to_owned(), info.labels.get(label).cloned().unwrap_or_default());
                }
                None => {
                    let shown: String = path.chars().take(60).collect();
                    bail!(InvalidArgument, "field {shown:?} of a snapshot cannot be changed")
                }
            }
        }
        let labels = wire::labels(labels);
        bounded(&info.name, &labels)?;
        let changed = shelf.relabel(&info.name, labels).await?;
        self.durable().await.map(|()| changed)
    }

    async fn listed(&self, asked: &api::ListSnapshotsRequest) -> Result<Vec<api::Info>> {
        let filters = Filters::parse(&asked.filters)?;
        let all = match self.there(&asked.snapshotter).await {
            // A client that has just been set up looks before it makes anything.
            Err(error) if error.is(Kind::NotFound) => Vec::new(),
            shelf => shelf?.walk().await?,
        };
        Ok(all.into_iter().filter(|info| filters.fit(info)).map(wire::info).collect())
    }
}

fn bounded(key: &str, labels: &Labels) -> Result<()> {
    let all: usize = labels.iter().map(|(key, value)| key.len() + value.len()).sum();
    if key.len() > KEY || key.contains('\0') {
        bail!(InvalidArgument, "a snapshot's key of {} bytes: at most {KEY}, and no NUL", key.len());
    }
    if all > LABELS {
        bail!(InvalidArgument, "labels of {all} bytes: at most {LABELS}");
    }
    Ok(())
}

#[async_trait]
impl Snapshots for Service {
    async fn prepare(&self, request: Request<api::PrepareSnapshotRequest>) -> Answer<api::PrepareSnapshotResponse> {
        let r = request.into_inner();
        let mounts = self.make((r.snapshotter, r.key, r.parent), wire::labels(r.labels), SnapshotKind::Active).await?;
        Ok(Response::new(api::PrepareSnapshotResponse { mounts }))
    }

    async fn view(&self, request: Request<api::ViewSnapshotRequest>) -> Answer<api::ViewSnapshotResponse> {
        let r = request.into_inner();
        let mounts = self.make((r.snapshotter, r.key, r.parent), wire::labels(r.labels), SnapshotKind::View).await?;
        Ok(Response::new(api::ViewSnapshotResponse { mounts }))
    }

    async fn mounts(&self, request: Request<api::MountsRequest>) -> Answer<api::MountsResponse> {
        let r = request.into_inner();
        let mounts = self.there(&r.snapshotter).await?.mounts(&r.key).await?;
        Ok(Response::new(api::MountsResponse { mounts: wire::mounts_out(mounts)? }))
    }

    async fn commit(&self, request: Request<api::CommitSnapshotRequest>) -> Answer<()> {
        self.committed(request.into_inner()).await?;
        Ok(Response::new(()))
    }

    async fn remove(&self, request: Request<api::RemoveSnapshotRequest>) -> Answer<()> {
        let r = request.into_inner();
        self.there(&r.snapshotter).await?.remove(&r.key).await?;
        self.durable().await?;
        Ok(Response::new(()))
    }

    async fn stat(&self, request: Request<api::StatSnapshotRequest>) -> Answer<api::StatSnapshotResponse> {
        let r = request.into_inner();
        let info = self.there(&r.snapshotter).await?.stat(&r.key).await?;
        Ok(Response::new(api::StatSnapshotResponse { info: Some(wire::info(info)) }))
    }

    async fn update(&self, request: Request<api::UpdateSnapshotRequest>) -> Answer<api::UpdateSnapshotResponse> {
        let info = self.changed(request.into_inner()).await?;
        Ok(Response::new(api::UpdateSnapshotResponse { info: Some(wire::info(info)) }))
    }

    type ListStream = Pin<Box<dyn Stream<Item = Result<api::ListSnapshotsResponse, Status>> + Send>>;

    async fn list(&self, request: Request<api::ListSnapshotsRequest>) -> Answer<Self::ListStream> {
        let mut all = self.listed(&request.into_inner()).await?;
        let mut parts = Vec::new();
        while !all.is_empty() {
            let rest = all.split_off(all.len().min(PART));
            parts.push(Ok(api::ListSnapshotsResponse { info: std::mem::replace(&mut all, rest) }));
        }
        Ok(Response::new(Box::pin(futures::stream::iter(parts))))
    }

    async fn usage(&self, request: Request<api::UsageRequest>) -> Answer<api::UsageResponse> {
        let r = request.into_inner();
        let usage = self.there(&r.snapshotter).await?.usage(&r.key).await?;
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Response::new(api::UsageResponse { size: number(usage.bytes), inodes: number(usage.inodes) }))
    }

    async fn cleanup(&self, request: Request<api::CleanupRequest>) -> Answer<()> {
        match self.there(&request.into_inner().snapshotter).await {
            Err(error) if error.is(Kind::NotFound) => {}
            shelf => drop(shelf?.sweep().await?),
        }
        Ok(Response::new(()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures::StreamExt;
    use tonic::Code;

    use super::*;

    async fn service(dir: &Path) -> Service {
        let db = Arc::new(Db::open(&dir.join("meta.db")).unwrap());
        let own = Some("native".to_owned());
        let clients = Clients::open(&dir.join("served"), own, Arc::clone(&db)).await.unwrap();
        Service::new(Arc::new(clients), db)
    }

    fn text(words: &str) -> String {
        words.to_owned()
    }

    async fn prepare(service: &Service, key: &str, parent: &str) -> Result<(), Code> {
        let labels = [(text("a"), text("1")), (text("none"), String::new())].into();
        let (key, parent, snapshotter) = (text(key), text(parent), text("wharf"));
        let asked = api::PrepareSnapshotRequest { snapshotter, key, parent, labels };
        service.prepare(Request::new(asked)).await.map(drop).map_err(|s| s.code())
    }

    async fn commit(service: &Service, name: &str, key: &str, parent: &str) -> Result<(), Code> {
        let (name, key, parent, snapshotter) = (text(name), text(key), text(parent), text("wharf"));
        let labels = [(text("b"), text("2"))].into();
        let asked = api::CommitSnapshotRequest { snapshotter, name, key, labels, parent };
        service.commit(Request::new(asked)).await.map(drop).map_err(|s| s.code())
    }

    async fn stat(service: &Service, key: &str) -> Result<api::Info, Code> {
        let asked = api::StatSnapshotRequest { snapshotter: text("wharf"), key: text(key) };
        service.stat(Request::new(asked)).await.map(|a| a.into_inner().info.unwrap()).map_err(|s| s.code())
    }

    async fn list(service: &Service, snapshotter: &str, filter: &str) -> Result<Vec<String>, Code> {
        let filters = if filter.is_empty() { Vec::new() } else { vec![text(filter)] };
        let asked = api::ListSnapshotsRequest { snapshotter: text(snapshotter), filters };
        let parts = service.list(Request::new(asked)).await.map_err(|s| s.code())?.into_inner();
        let parts: Vec<_> = parts.collect().await;
        assert!(parts.iter().all(|part| part.as_ref().unwrap().info.len() <= PART));
        Ok(parts.into_iter().flat_map(|part| part.unwrap().info).map(|info| info.name).collect())
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn codes_labels_and_lists_are_containerd_s() {
        let dir = tempfile::tempdir().unwrap();
        let s = service(dir.path()).await;
        assert_eq!(list(&s, "wharf", "").await, Ok(Vec::new()), "a client looks before it makes anything");
        assert_eq!(list(&s, "nydus", "").await, Err(Code::InvalidArgument));
        assert_eq!(stat(&s, "one").await, Err(Code::NotFound));
        prepare(&s, "k", "").await.unwrap();
        assert_eq!(prepare(&s, "k", "").await, Err(Code::AlreadyExists));
        assert_eq!(prepare(&s, "c", "k").await, Err(Code::InvalidArgument));
        assert_eq!(prepare(&s, "c", "none").await, Err(Code::NotFound));
        assert_eq!(prepare(&s, "", "").await, Err(Code::InvalidArgument));
        assert_eq!(prepare(&s, &"k".repeat(KEY + 1), "").await, Err(Code::InvalidArgument));
        assert_eq!(stat(&s, "k").await.unwrap().labels, [(text("a"), text("1"))].into(), "one without a value is none");
        commit(&s, "one", "k", "").await.unwrap();
        let one = stat(&s, "one").await.unwrap();
        assert_eq!((one.kind(), &one.labels), (api::Kind::Committed, &[(text("b"), text("2"))].into()));
        assert!(one.created_at.is_some_and(|at| at.seconds > 0));
        prepare(&s, "k", "one").await.unwrap();
        assert_eq!(commit(&s, "one", "k", "").await, Err(Code::AlreadyExists));
        assert_eq!(commit(&s, "two", "one", "").await, Err(Code::FailedPrecondition));
        assert_eq!(commit(&s, "two", "nobody", "").await, Err(Code::NotFound));
        assert_eq!(commit(&s, "two", "k", "none").await, Err(Code::InvalidArgument), "it stands on another already");
        commit(&s, "two", "k", "one").await.unwrap();
        let mounts = api::MountsRequest { snapshotter: text("wharf"), key: text("two") };
        assert_eq!(s.mounts(Request::new(mounts)).await.unwrap_err().code(), Code::FailedPrecondition);

        let update = async |labels: &[(&str, &str)], paths: &[&str]| {
            let labels = labels.iter().map(|(k, v)| (text(k), text(v))).collect();
            let info = Some(api::Info { name: text("two"), labels, ..api::Info::default() });
            let paths = paths.iter().map(|p| text(p)).collect();
            let update_mask = Some(prost_types::FieldMask { paths });
            let asked = api::UpdateSnapshotRequest { snapshotter: text("wharf"), info, update_mask };
            s.update(Request::new(asked)).await.map(|a| a.into_inner().info.unwrap().labels).map_err(|s| s.code())
        };
        let both = [(text("b"), text("2")), (text("c.d/e"), text("3"))];
        assert_eq!(update(&[("c.d/e", "3"), ("x", "y")], &["labels.c.d/e"]).await, Ok(both.into()));
        assert_eq!(update(&[("c.d/e", "")], &["labels.c.d/e"]).await, Ok([(text("b"), text("2"))].into()));
        assert_eq!(update(&[], &["parent"]).await, Err(Code::InvalidArgument));
        assert_eq!(update(&[("z", "1")], &[]).await, Ok([(text("z"), text("1"))].into()));
        assert_eq!(update(&[("z", &"1".repeat(5000))], &[]).await, Err(Code::InvalidArgument));

        for n in 0..PART {
            prepare(&s, &format!("many-{n}"), "one").await.unwrap();
        }
        assert_eq!(list(&s, "wharf", "").await.unwrap().len(), PART + 2);
        assert_eq!(list(&s, "wharf", "kind==committed").await.unwrap(), ["one", "two"]);
        assert_eq!(list(&s, "wharf", "kind=committed").await, Err(Code::InvalidArgument));

        // Nothing of it is garbage, nor half made, and all of it is there after a start.
        let garbage = s.db.mark(std::time::SystemTime::now()).unwrap();
        assert_eq!(garbage.snapshots, 0);
        drop(s);
        let s = service(dir.path()).await;
        assert_eq!(list(&s, "wharf", "").await.unwrap().len(), PART + 2);
        let remove = async |key: &str| {
            let asked = api::RemoveSnapshotRequest { snapshotter: text("wharf"), key: text(key) };
            s.remove(Request::new(asked)).await.map(drop).map_err(|s| s.code())
        };
        assert_eq!(remove("one").await, Err(Code::FailedPrecondition));
        remove("two").await.unwrap();
        assert_eq!(remove("two").await, Err(Code::NotFound));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn layers_unpacked_side_by_side_are_stacked_when_they_are_committed() {
        let dir = tempfile::tempdir().unwrap();
        if !rustix::process::geteuid().is_root() {
            println!("skipped: overlayfs needs root");
            return;
        }
        rustix::mount::mount("none", dir.path(), "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
        let db = Arc::new(Db::open(&dir.path().join("meta.db")).unwrap());
        let clients = Clients::open(&dir.path().join("served"), None, Arc::clone(&db)).await.unwrap();
        let s = Service::new(Arc::new(clients), db);
        prepare(&s, "a", "").await.unwrap();
        prepare(&s, "b", "").await.unwrap();
        assert_eq!(commit(&s, "two", "b", "one").await, Err(Code::NotFound));
        commit(&s, "one", "a", "").await.unwrap();
        commit(&s, "two", "b", "one").await.unwrap();
        assert_eq!(stat(&s, "two").await.unwrap().parent, "one");
        drop(s);
        super::super::unmount(dir.path()).unwrap();
    }
}
