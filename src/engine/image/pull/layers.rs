//! From layer blobs to a chain of committed snapshots.

use std::{fs, path::Path, sync::Arc};

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
        snapshot::{self, Labels, Prepared, SNAPSHOT_REF, Sums, UnpackTarget, Whiteouts},
    },
    error::{Context, Error, Kind, Result},
};

/// What a remote snapshotter has to know of an image to find its layers by itself.
pub(super) struct Origin {
    pub reference: String,
    pub manifest: Digest,
}

/// Before the names of labels that are for the snapshotter, in annotations of layers too.
const INHERITED: &str = "containerd.io/snapshot/";
/// Bytes of a label, its name included.
const LABEL: usize = 4096;

impl Origin {
    /// As containerd tells it (its pkg/snapshotters): the image, its manifest, the layer, and as many of those above it as a
    /// label holds. What the manifest says of the layer to snapshotters goes along.
    fn labels(&self, blobs: &[Descriptor]) -> Labels {
        let Some(layer) = blobs.first() else { return Labels::new() };
        let said = layer.annotations.iter().flatten().filter(|(name, value)| {
            name.starts_with(INHERITED) && name.len() + value.len() <= LABEL && !value.is_empty()
        });
        let mut labels: Labels = said.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut tell = |name: &str, value: String| labels.insert(format!("{INHERITED}cri.{name}"), value);
        tell("image-ref", self.reference.clone());
        tell("manifest-digest", self.manifest.to_string());
        tell("layer-digest", layer.digest.to_string());
        let mut layers = String::new();
        for blob in blobs {
            if INHERITED.len() + "cri.image-layers".len() + layers.len() + 1 + blob.digest.as_str().len() > LABEL {
                break;
            }
            layers += if layers.is_empty() { "" } else { "," };
            layers += blob.digest.as_str();
        }
        tell("image-layers", layers);
        labels
    }
}

/// A layer on its way to be committed.
struct Layer<'a> {
    number: usize,
    blob: &'a Descriptor,
    diff_id: &'a Digest,
    chain: &'a Digest,
    parent: Option<&'a Digest>,
    /// For a remote snapshotter.
    labels: Labels,
    /// Whether its snapshot is prepared.
    begun: bool,
}

impl Puller {
    /// Returns the chain ID of the top layer, committed, and the blobs that are not here: a remote snapshotter has their
    /// layers by itself.
    pub(super) async fn layers(
        &self,
        session: &Session,
        blobs: &[Descriptor],
        rootfs: &RootFs,
        origin: Option<&Origin>,
        lease: &str,
        report: &Report,
    ) -> Result<(Option<String>, Vec<Digest>)> {
        let chain = rootfs.chain_ids();
        let mut absent = Vec::new();
        let Some(top) = chain.last() else { return Ok((None, absent)) };
        let origin = origin.filter(|_| self.snapshotter.is_remote());
        // Two pulls of images that share layers take turns here; their downloads have not been started yet.
        let _one = self.locks.lock(Subject::Chain, &chain[0]).await;
        let mut first = 0;
        for (number, id) in chain.iter().enumerate().rev() {
            if self.have(id, lease).await? {
                first = number + 1;
                break;
            }
        }
        let exists = |blob: &Descriptor| {
            let digest = blob.digest.to_string();
            report(Progress { digest, done: blob.size, total: blob.size, phase: Phase::Exists });
        };
        for (blob, id) in blobs[..first].iter().zip(&chain) {
            // Unpacked already, perhaps by another image that goes while we pull: the blobs are this image's as well.
            if self.snapshotter.stat(id.as_str()).await?.labels.contains_key(SNAPSHOT_REF) {
                absent.push(blob.digest.clone());
            } else {
                self.fetch(session, blob, lease, report).await?;
            }
            exists(blob);
        }
        let layer = |number: usize, begun: bool| Layer {
            number,
            blob: &blobs[number],
            diff_id: &rootfs.diff_ids()[number],
            chain: &chain[number],
            parent: number.checked_sub(1).map(|below| &chain[below]),
            labels: origin.map(|origin| origin.labels(&blobs[number..])).unwrap_or_default(),
            begun,
        };
        // As far up as it has them, nothing is fetched. The layer it has not is prepared then.
        let mut begun = false;
        while origin.is_some() && !begun && first < chain.len() {
            let blob = &blobs[first];
            let taken = self.begin(&layer(first, false), lease).await;
            match taken.context(|| format!("layer {}", blob.digest.short()))? {
                Prepared::Empty => begun = true,
                Prepared::Committed => {
                    absent.push(blob.digest.clone());
                    exists(blob);
                    first += 1;
                }
            }
        }
        let (downloads, unpacks) = (Semaphore::new(self.parallel), Semaphore::new(cores()));
        let mut running = FuturesUnordered::new();
        for number in first..chain.len() {
            let layer = layer(number, begun && number == first);
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
        Ok((Some(top.to_string()), absent))
    }

    /// The lease keeps the snapshot, which may be one that is to come.
    async fn hold(&self, key: &str, lease: &str) -> Result<()> {
        let (db, name) = (Arc::clone(&self.db), self.snapshotter.name().to_owned());
        let (key, own) = (key.to_owned(), lease.to_owned());
        blocking(move || db.lease_snapshot(&own, &name, &key)).await
    }

    /// Whether the snapshot is committed; if so the lease keeps it.
    async fn have(&self, chain: &Digest, lease: &str) -> Result<bool> {
        self.hold(chain.as_str(), lease).await?;
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
        let key = Self::key(layer, lease);
        self.hold(&key, lease).await?;
        self.snapshotter.prepare(&key, None, Labels::new()).await?;
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

    async fn unpack_into(&self, layer: &Layer<'_>, target: UnpackTarget) -> Result<Unpacked> {
        let (content, digest, limits, expected) =
            (self.content.clone(), layer.blob.digest.clone(), self.limits, layer.diff_id.clone());
        let (unpacker, tie) = (self.unpacker.clone(), unpack::Tie::default());
        let _leash = tie.leash();
        blocking(move || {
            let unpacked = unpacker.unpack(content.reader(&digest)?, &target, &limits, &tie)?;
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
                    self.over_parent(layer, lease, move |lower| unpack::inherit(lower, &upper, &inherit)).await?;
                }
                self.snapshotter.commit_onto(&key, layer.chain.as_str(), parent, Labels::new(), sums).await
            }
            None => {
                // A remote snapshotter may have it after all.
                let Some(sums) = self.unpack_above(layer, lease).await? else { return Ok(()) };
                self.snapshotter.commit_onto(&key, layer.chain.as_str(), parent, layer.labels.clone(), sums).await
            }
        };
        match committed {
            Ok(_) => Ok(()),
            // Another image with these layers was faster.
            Err(error) if error.is(Kind::AlreadyExists) => self.snapshotter.remove(&key).await,
            Err(error) => Err(error.and_cleanup(self.snapshotter.remove(&key).await)),
        }
    }

    /// Prepares the layer's snapshot on its parent.
    async fn begin(&self, layer: &Layer<'_>, lease: &str) -> Result<Prepared> {
        let key = Self::key(layer, lease);
        self.hold(&key, lease).await?;
        let parent = layer.parent.map(Digest::as_str);
        self.snapshotter.prepare_layer(&key, layer.chain.as_str(), parent, layer.labels.clone()).await
    }

    /// Unpacks with the parents in sight: into the mounted snapshot, where deletions are applied. `None` if the snapshotter
    /// has the layer by itself and has committed it.
    async fn unpack_above(&self, layer: &Layer<'_>, lease: &str) -> Result<Option<Sums>> {
        let key = Self::key(layer, lease);
        if !layer.begun && self.begin(layer, lease).await? == Prepared::Committed {
            return Ok(None);
        }
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
            Ok(sums) => Ok(Some(sums)),
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
        self.hold(&key, lease).await?;
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

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
