//! containerd's own API, beside CRI on the same socket: the snapshots of every namespace.

use std::time::{Duration, SystemTime};

use futures::{StreamExt, TryStreamExt, future::join_all};
use tonic::{Request, metadata::MetadataValue};

use super::{transport::Transport, types::SnapshotRow};
use crate::{
    error::{Error, Kind, Result},
    proto::containerd::services::{
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

/// containerd takes the namespace from a header.
pub(super) fn in_namespace<T>(namespace: &str, message: T) -> Result<Request<T>> {
    let value: MetadataValue<_> = namespace
        .parse()
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("namespace {namespace:?}")).with_source(e))?;
    let mut request = Request::new(message);
    request.metadata_mut().insert("containerd-namespace", value);
    Ok(request)
}
