//! From layer blobs to a chain of committed snapshots.

use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Arc};

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Semaphore;

use super::{Phase, Progress, Puller, Report, Subject, blocking};
use crate::{
    bail,
    engine::{
        content::Digest,
        crash,
        image::{
            manifest::{Descriptor, RootFs},
            registry::Session,
            unpack::{self, Unpacked},
        },
        snapshot::{self, Labels, Sums, UnpackTarget, Whiteouts},
    },
    error::{Context, Error, Kind, Result},
};

/// A layer on its way to be committed.
struct Layer<'a> {
    number: usize,
    blob: &'a Descriptor,
    diff_id: &'a Digest,
    chain: &'a Digest,
    parent: Option<&'a Digest>,
}

impl Puller {
    /// Returns the chain ID of the top layer, committed.
    pub(super) async fn layers(
        &self,
        session: &Session,
        blobs: &[Descriptor],
        rootfs: &RootFs,
        lease: &str,
        report: &Report,
    ) -> Result<Option<String>> {
        let chain = rootfs.chain_ids();
        let Some(top) = chain.last() else { return Ok(None) };
        // Two pulls of images that share layers take turns here; their downloads have not been started yet.
        let _one = self.locks.lock(Subject::Chain, &chain[0]).await;
        let mut first = 0;
        for (number, id) in chain.iter().enumerate().rev() {
            if self.have(id, lease).await? {
                first = number + 1;
                break;
            }
        }
        for blob in &blobs[..first] {
            // Unpacked already, perhaps by another image that goes while we pull: the blobs are this image's as well.
            self.fetch(session, blob, lease, report).await?;
            report(Progress {
                digest: blob.digest.to_string(),
                done: blob.size,
                total: blob.size,
                phase: Phase::Exists,
            });
        }
        let (downloads, unpacks) = (Semaphore::new(self.parallel), Semaphore::new(cores()));
        let mut running = FuturesUnordered::new();
        for number in first..chain.len() {
            let layer = Layer {
                number,
                blob: &blobs[number],
                diff_id: &rootfs.diff_ids()[number],
                chain: &chain[number],
                parent: number.checked_sub(1).map(|below| &chain[below]),
            };
            running.push(self.layer(session, layer, lease, report, &downloads, &unpacks));
        }
        let mut ready: Vec<Option<(Layer<'_>, Option<Unpacked>)>> = chain.iter().map(|_| None).collect();
        let mut next = first;
        while let Some(done) = running.next().await {
            let (layer, unpacked) = done?;
            let number = layer.number;
            ready[number] = Some((layer, unpacked));
            while let Some((layer, unpacked)) = ready.get_mut(next).and_then(Option::take) {
                self.commit(&layer, unpacked, lease)
                    .await
                    .context(|| format!("layer {}", layer.blob.digest.short()))?;
                let size = layer.blob.size;
                report(Progress { digest: layer.blob.digest.to_string(), done: size, total: size, phase: Phase::Done });
                next += 1;
            }
        }
        Ok(Some(top.to_string()))
    }

    /// Whether the snapshot is committed; if so the lease keeps it.
    async fn have(&self, chain: &Digest, lease: &str) -> Result<bool> {
        let (db, name) = (Arc::clone(&self.db), self.snapshotter.name().to_owned());
        let (key, own) = (chain.to_string(), lease.to_owned());
        blocking(move || db.lease_snapshot(&own, &name, &key)).await?;
        match self.snapshotter.stat(chain.as_str()).await {
            Ok(info) => Ok(info.kind == snapshot::SnapshotKind::Committed),
            Err(error) if error.is(Kind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Downloads, and unpacks at once if the layer does not need its parents for that.
    async fn layer<'a>(
        &self,
        session: &Session,
        layer: Layer<'a>,
        lease: &str,
        report: &Report,
        downloads: &Semaphore,
        unpacks: &Semaphore,
    ) -> Result<(Layer<'a>, Option<Unpacked>)> {
        let closed = |e| Error::new(Kind::Internal, "the pull's queue is closed").with_source(e);
        {
            let _slot = downloads.acquire().await.map_err(closed)?;
            self.fetch(session, layer.blob, lease, report).await?;
        }
        let _slot = unpacks.acquire().await.map_err(closed)?;
        let size = layer.blob.size;
        report(Progress { digest: layer.blob.digest.to_string(), done: size, total: size, phase: Phase::Unpacking });
        let unpacked =
            self.unpack_alone(&layer, lease).await.context(|| format!("unpack layer {}", layer.blob.digest.short()))?;
        Ok((layer, unpacked))
    }

    fn key(layer: &Layer<'_>, lease: &str) -> String {
        format!("pull-{lease}-{}", layer.number)
    }

    /// `None` when the driver, or something in the layer, needs the parents below it: `commit` does it then.
    async fn unpack_alone(&self, layer: &Layer<'_>, lease: &str) -> Result<Option<Unpacked>> {
        if !self.snapshotter.independent() {
            return Ok(None);
        }
        let key = self.fresh(layer, None, lease).await?;
        let target = self.snapshotter.unpack_target(&key).await?;
        match self.unpack_into(layer, target).await {
            Ok(unpacked) => Ok(Some(unpacked)),
            // A hard link to a file of a lower layer.
            Err(error) if error.is(Kind::NotFound) && layer.parent.is_some() => {
                tracing::debug!(layer = %layer.blob.digest, "unpacked on top of its parents instead: {error:#}");
                self.snapshotter.remove(&key).await?;
                Ok(None)
            }
            Err(error) => Err(error.and_cleanup(self.snapshotter.remove(&key).await)),
        }
    }

    async fn fresh(&self, layer: &Layer<'_>, parent: Option<&str>, lease: &str) -> Result<String> {
        let key = Self::key(layer, lease);
        let (db, name, own, snapshot) =
            (Arc::clone(&self.db), self.snapshotter.name().to_owned(), lease.to_owned(), key.clone());
        blocking(move || db.lease_snapshot(&own, &name, &snapshot)).await?;
        self.snapshotter.prepare(&key, parent, Labels::new()).await?;
        Ok(key)
    }

    async fn unpack_into(&self, layer: &Layer<'_>, target: UnpackTarget) -> Result<Unpacked> {
        let (content, digest, limits, expected) =
            (self.content.clone(), layer.blob.digest.clone(), self.limits, layer.diff_id.clone());
        blocking(move || {
            let unpacked = unpack::unpack(content.reader(&digest)?, &target, &limits)?;
            if unpacked.diff_id != expected {
                let (want, got) = (expected.short(), unpacked.diff_id.short());
                bail!(DataLoss, "its content is {got}, the image's configuration says {want} (diff_id)");
            }
            crash::point("unp.4");
            Ok(unpacked)
        })
        .await
    }

    async fn commit(&self, layer: &Layer<'_>, unpacked: Option<Unpacked>, lease: &str) -> Result<()> {
        let (key, parent) = (Self::key(layer, lease), layer.parent.map(Digest::as_str));
        let committed = match unpacked {
            Some(Unpacked { implied, sums, .. }) => {
                let inherit = if parent.is_some() { implied } else { Vec::new() };
                if !inherit.is_empty() {
                    let upper = self.snapshotter.unpack_target(&key).await?.directory;
                    self.over_parent(layer, lease, move |lower| {
                        inherit.iter().try_for_each(|path| inherit_attributes(&lower.join(path), &upper.join(path)))
                    })
                    .await?;
                }
                self.snapshotter.commit_onto(&key, layer.chain.as_str(), parent, Labels::new(), sums).await
            }
            None => {
                let sums = self.unpack_above(layer, lease).await?;
                self.snapshotter.commit_onto(&key, layer.chain.as_str(), parent, Labels::new(), sums).await
            }
        };
        match committed {
            Ok(_) => Ok(()),
            // Another image with these layers was faster.
            Err(error) if error.is(Kind::AlreadyExists) => self.snapshotter.remove(&key).await,
            Err(error) => Err(error.and_cleanup(self.snapshotter.remove(&key).await)),
        }
    }

    /// Unpacks with the parents in sight: into the mounted snapshot, where deletions are applied.
    async fn unpack_above(&self, layer: &Layer<'_>, lease: &str) -> Result<Sums> {
        let key = self.fresh(layer, layer.parent.map(Digest::as_str), lease).await?;
        let direct = self.snapshotter.unpack_target(&key).await?;
        let done = if direct.whiteouts == Whiteouts::Apply {
            self.unpack_into(layer, direct).await.map(|unpacked| unpacked.sums)
        } else {
            let mounts = self.snapshotter.mounts(&key).await?;
            let point = self.scratch.join(&key);
            let place = point.clone();
            blocking(move || {
                fs::create_dir_all(&place).context(|| format!("create {}", place.display()))?;
                snapshot::mount(&mounts, &place)
            })
            .await?;
            let target = UnpackTarget { directory: point.clone(), whiteouts: Whiteouts::Apply, independent: false };
            let done = self.unpack_into(layer, target).await;
            let unmounted = blocking(move || release(&point)).await;
            match done {
                // Through the mount files may have other numbers than below it: these sums are of no use there.
                Ok(_) => unmounted.map(|()| Sums::new()),
                Err(error) => Err(error.and_cleanup(unmounted)),
            }
        };
        match done {
            Ok(sums) => Ok(sums),
            Err(error) => Err(error.and_cleanup(self.snapshotter.remove(&key).await)),
        }
    }

    /// Runs `work` with the parent's tree mounted read-only.
    async fn over_parent(
        &self,
        layer: &Layer<'_>,
        lease: &str,
        work: impl FnOnce(&Path) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let key = format!("{}-parent", Self::key(layer, lease));
        let (db, name, own, snapshot) =
            (Arc::clone(&self.db), self.snapshotter.name().to_owned(), lease.to_owned(), key.clone());
        blocking(move || db.lease_snapshot(&own, &name, &snapshot)).await?;
        let mounts = self.snapshotter.view(&key, layer.parent.map(Digest::as_str), Labels::new()).await?;
        let point = self.scratch.join(&key);
        let done = blocking(move || {
            fs::create_dir_all(&point).context(|| format!("create {}", point.display()))?;
            snapshot::mount(&mounts, &point)?;
            crash::point("unp.mount");
            match work(&point) {
                Ok(()) => release(&point),
                Err(error) => Err(error.and_cleanup(release(&point))),
            }
        })
        .await;
        let removed = self.snapshotter.remove(&key).await;
        match done {
            Ok(()) => removed,
            Err(error) => Err(error.and_cleanup(removed)),
        }
    }
}

fn release(point: &Path) -> Result<()> {
    snapshot::unmount(point)?;
    fs::remove_dir(point).context(|| format!("remove {}", point.display()))
}

/// A directory the layer only passes through looks as it does below.
fn inherit_attributes(lower: &Path, upper: &Path) -> Result<()> {
    let found = match fs::symlink_metadata(lower) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("look at", lower, error)),
    };
    std::os::unix::fs::lchown(upper, Some(found.uid()), Some(found.gid()))
        .context(|| format!("chown {}", upper.display()))?;
    fs::set_permissions(upper, found.permissions()).context(|| format!("chmod {}", upper.display()))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
