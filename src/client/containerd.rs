//! containerd's own API, beside CRI on the same socket: the snapshots of every namespace, and how far a pull is.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures::{StreamExt, TryStreamExt, future::join_all};
use tonic::{Request, metadata::MetadataValue};

use super::{
    transport::Transport,
    types::{PullPhase, PullProgress, SnapshotRow},
};
use crate::{
    error::{Error, Kind, Result},
    proto::containerd::services::{
        content::v1::{ListStatusesRequest, content_client::ContentClient},
        namespaces::v1::{ListNamespacesRequest, namespaces_client::NamespacesClient},
        snapshots::v1::{
            Info, Kind as SnapshotKind, ListSnapshotsRequest, UsageRequest, snapshots_client::SnapshotsClient,
        },
    },
};

/// Usage calls at one time: each may walk a directory tree.
const AT_ONCE: usize = 4;
/// Snapshots shown of one namespace.
const MOST: usize = 10_000;
/// The namespace of CRI's images.
pub(super) const CRI: &str = "k8s.io";
/// How often a pull is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Layers told of at one time.
const MOST_LAYERS: usize = 256;
/// Those that CRI's configuration can name and containerd has built in.
const SNAPSHOTTERS: &[&str] =
    &["overlayfs", "native", "btrfs", "zfs", "devmapper", "erofs", "blockfile", "stargz", "nydus", "soci", "wharf"];

/// What every snapshotter that answers holds. A snapshotter that is not configured is no error.
pub async fn snapshots(transport: Transport) -> Result<Vec<SnapshotRow>> {
    let listed = NamespacesClient::new(transport.clone()).list(ListNamespacesRequest::default()).await;
    let namespaces =
        listed.map_err(|s| Error::from(s).context("list containerd's namespaces"))?.into_inner().namespaces;
    let mut rows = Vec::new();
    for namespace in namespaces.into_iter().map(|n| n.name) {
        for snapshotter in SNAPSHOTTERS {
            match of(&transport, &namespace, snapshotter).await {
                Ok(mut found) => rows.append(&mut found),
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::InvalidArgument | Kind::Unimplemented) => {}
                Err(error) => return Err(error.context(format!("list {snapshotter} snapshots of {namespace}"))),
            }
        }
    }
    Ok(rows)
}

async fn of(transport: &Transport, namespace: &str, snapshotter: &str) -> Result<Vec<SnapshotRow>> {
    let request =
        in_namespace(namespace, ListSnapshotsRequest { snapshotter: snapshotter.to_owned(), filters: Vec::new() })?;
    let stream = SnapshotsClient::new(transport.clone()).list(request).await?.into_inner();
    let infos: Vec<Info> = stream
        .map_ok(|part| futures::stream::iter(part.info.into_iter().map(Ok::<_, tonic::Status>)))
        .try_flatten()
        .take(MOST)
        .try_collect()
        .await?;
    let mut rows = Vec::with_capacity(infos.len());
    let mut infos = infos.into_iter();
    loop {
        let mut asked = Vec::new();
        for info in infos.by_ref().take(AT_ONCE) {
            asked.push(row(transport, namespace, snapshotter, info));
        }
        if asked.is_empty() {
            return Ok(rows);
        }
        rows.extend(join_all(asked).await);
    }
}

async fn row(transport: &Transport, namespace: &str, snapshotter: &str, info: Info) -> SnapshotRow {
    let key = info.name.clone();
    let usage = async {
        let request = UsageRequest { snapshotter: snapshotter.to_owned(), key: key.clone() };
        SnapshotsClient::new(transport.clone()).usage(in_namespace(namespace, request).ok()?).await.ok()
    };
    // Removed meanwhile, say: its size is unknown then.
    let usage = usage.await.map(tonic::Response::into_inner);
    let kind = match info.kind() {
        SnapshotKind::Active => "active",
        SnapshotKind::View => "view",
        SnapshotKind::Committed => "committed",
        SnapshotKind::Unknown => "unknown",
    };
    SnapshotRow {
        snapshotter: snapshotter.to_owned(),
        namespace: namespace.to_owned(),
        key,
        parent: Some(info.parent).filter(|p| !p.is_empty()),
        kind: kind.to_owned(),
        bytes: usage.as_ref().and_then(|u| u64::try_from(u.size).ok()),
        inodes: usage.as_ref().and_then(|u| u64::try_from(u.inodes).ok()),
        created: info.created_at.and_then(|t| {
            let seconds = Duration::from_secs(u64::try_from(t.seconds).ok()?);
            SystemTime::UNIX_EPOCH.checked_add(seconds + Duration::from_nanos(u64::try_from(t.nanos).ok()?))
        }),
        labels: info.labels.into_iter().collect(),
    }
}

/// The layers that are fetched while a pull goes on, which CRI says nothing about: bytes come from what is being written to the
/// content store. Those of another pull at the same time are among them.
#[derive(Debug, Default)]
pub struct Layers(Mutex<BTreeMap<String, PullProgress>>);

impl Layers {
    /// Looks again and again, for as long as it is polled; a runtime without this API is not asked twice.
    pub async fn watch(&self, transport: Transport, progress: &(dyn Fn(PullProgress) + Send + Sync)) {
        let mut content = ContentClient::new(transport);
        while let Ok(request) = in_namespace(CRI, ListStatusesRequest::default()) {
            let Ok(answer) = content.list_statuses(request).await else { break };
            let now = answer.into_inner().statuses.into_iter().filter_map(|status| {
                let layer = status.r#ref.strip_prefix("layer-")?.to_owned();
                let bytes = |n: i64| u64::try_from(n).unwrap_or(0);
                let (done, total) = (bytes(status.offset), bytes(status.total));
                Some(PullProgress { layer, done, total, phase: PullPhase::Downloading })
            });
            self.take(now.take(MOST_LAYERS).collect(), progress);
            tokio::time::sleep(LOOK).await;
        }
        std::future::pending().await
    }

    /// What is written no more is whole, and is being unpacked as far as anybody can tell.
    fn take(&self, now: Vec<PullProgress>, progress: &(dyn Fn(PullProgress) + Send + Sync)) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for step in seen.values_mut().filter(|s| s.phase == PullPhase::Downloading) {
            if now.iter().all(|n| n.layer != step.layer) {
                (step.done, step.phase) = (step.total, PullPhase::Unpacking);
                progress(step.clone());
            }
        }
        for step in now {
            if seen.get(&step.layer) != Some(&step) {
                progress(step.clone());
                seen.insert(step.layer.clone(), step);
            }
        }
    }

    /// The pull is done.
    pub fn end(self, progress: &(dyn Fn(PullProgress) + Send + Sync)) {
        let seen = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for step in seen.into_values() {
            progress(PullProgress { done: step.total, phase: PullPhase::Done, ..step });
        }
    }
}

/// containerd takes the namespace from a header.
pub(super) fn in_namespace<T>(namespace: &str, message: T) -> Result<Request<T>> {
    let value: MetadataValue<_> = namespace
        .parse()
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("namespace {namespace:?}")).with_source(e))?;
    let mut request = Request::new(message);
    request.metadata_mut().insert("containerd-namespace", value);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_told_of_when_something_is_new_about_it() {
        let told = Mutex::new(Vec::new());
        let tell = |step: PullProgress| told.lock().unwrap().push((step.layer, step.done, step.phase));
        let layers = Layers::default();
        let at = |layer: &str, done| PullProgress {
            layer: layer.to_owned(),
            done,
            total: 10,
            phase: PullPhase::Downloading,
        };
        for now in [vec![at("a", 1)], vec![at("a", 1), at("b", 2)], vec![at("b", 5)]] {
            layers.take(now, &tell);
        }
        layers.end(&tell);
        let (down, unpack) = (PullPhase::Downloading, PullPhase::Unpacking);
        let expected = [
            ("a", 1, down),
            ("b", 2, down),
            ("a", 10, unpack),
            ("b", 5, down),
            ("a", 10, PullPhase::Done),
            ("b", 10, PullPhase::Done),
        ];
        assert_eq!(told.into_inner().unwrap(), expected.map(|(l, d, p)| (l.to_owned(), d, p)));
    }
}
