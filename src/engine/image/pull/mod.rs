//! Pull: resolve, download and unpack in parallel, commit in order, record the image last.
//!
//! Everything in flight hangs on one lease, renewed while the pull lives. A crash, or a client that leaves, abandons it:
//! the next pull of that reference goes on from there and ends it; without one it expires and is collected.
//! Layers whose driver allows it are unpacked at the same time and put on top of each other when they are committed.

mod download;
mod layers;
mod locks;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use layers::Origin;
pub(super) use locks::{Locks, Subject};

use super::{
    auth::Credentials,
    build::Built,
    manifest::{self, Descriptor, Manifest, Platform, RootFs},
    reference::Reference,
    registry::{Fetched, Registry, RegistryConfig, Session},
    unpack::{Limits, Unpacker},
};
use crate::{
    bail,
    engine::{
        content::{Content, Digest},
        crash,
        metadata::{Db, ImageRow},
        snapshot::Snapshotter,
    },
    error::{Context, Error, Kind, Result},
};

/// Bytes of an image's configuration.
const CONFIG_LIMIT: u64 = 8 << 20;
/// Bytes of a manifest or an index.
const DOCUMENT_LIMIT: u64 = 4 << 20;
/// Indexes inside indexes (threats REG-12).
const DEPTH: u32 = 4;
/// Of what a pull is about to need, and how long after its death that is kept.
pub const LEASE: Duration = Duration::from_secs(600);

/// How far one layer is, or the resolving of the reference (`digest` empty). Bytes of the compressed layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub digest: String,
    pub done: u64,
    pub total: u64,
    pub phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Resolving,
    Downloading,
    Unpacking,
    Done,
    Exists,
}

pub type Report = Arc<dyn Fn(Progress) + Send + Sync>;

#[derive(Debug)]
pub struct Puller {
    pub(super) content: Content,
    pub(super) db: Arc<Db>,
    snapshotter: Arc<dyn Snapshotter>,
    pub(super) registry: Registry,
    limits: Limits,
    unpacker: Unpacker,
    parallel: usize,
    discard_unpacked_layers: bool,
    annotate: bool,
    pinned: Vec<String>,
    /// Where a layer is mounted that has to be unpacked on top of its parents.
    scratch: PathBuf,
    pub(super) locks: Arc<Locks>,
}

/// What a manifest turned out to be.
pub(super) struct Resolved {
    /// Digest of what the reference points at: an index or a manifest.
    pub target: Digest,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    /// Every document on the way.
    pub documents: Vec<Fetched>,
}

impl Puller {
    pub fn new(
        content: Content,
        db: Arc<Db>,
        snapshotter: Arc<dyn Snapshotter>,
        config: RegistryConfig,
        scratch: PathBuf,
    ) -> Result<Self> {
        let (parallel, discard_unpacked_layers) = (config.parallel.max(1), config.discard_unpacked_layers);
        let (pinned, annotate) = (config.pinned.clone(), config.annotate_snapshots);
        let registry = Registry::new(config)?;
        Ok(Self {
            content,
            db,
            snapshotter,
            registry,
            limits: Limits::default(),
            unpacker: Unpacker::default(),
            parallel,
            discard_unpacked_layers,
            annotate,
            pinned,
            scratch,
            locks: Arc::default(),
        })
    }

    /// For a program that is not the one whose name can be [`unpack::PROGRAM`](super::unpack::PROGRAM).
    #[must_use]
    pub fn with_unpacker(self, unpacker: Unpacker) -> Self {
        Self { unpacker, ..self }
    }

    /// Pulls an image and records it. What was here already is not fetched again. Dropping the future stops the pull;
    /// what it had is collected when its lease has expired.
    pub async fn pull(&self, reference: &str, credentials: Option<&Credentials>, report: Report) -> Result<ImageRow> {
        let parsed: Reference = reference.parse()?;
        let doing = || format!("pull {parsed}");
        self.leased(doing, async |lease| self.pull_leased(&parsed, credentials, lease, &report).await).await
    }

    /// Records an image that was made here, by the way that a pulled one takes; nothing is fetched.
    pub async fn put(&self, built: Built) -> Result<ImageRow> {
        let doing = || format!("make image {}", built.reference);
        self.leased(doing, async |lease| {
            let Manifest::Image { config, layers } =
                Manifest::parse(&built.manifest, "application/vnd.oci.image.manifest.v1+json")?
            else {
                bail!(Internal, "an image that was made here has no manifest");
            };
            for layer in built.layers {
                let (content, db, lease) = (self.content.clone(), Arc::clone(&self.db), lease.to_owned());
                blocking(move || {
                    db.lease_blob(&lease, &layer.digest)?;
                    match content.size(&layer.digest)? {
                        Some(_) => Ok(()),
                        None => content.write(&layer.archive, &lease).map(drop),
                    }
                })
                .await?;
            }
            let (content, own) = (self.content.clone(), lease.to_owned());
            blocking(move || content.write(&built.config, &own)).await?;
            let target = Digest::of(&built.manifest);
            let document = Fetched {
                digest: target.clone(),
                content_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
                body: built.manifest.clone(),
            };
            let resolved = Resolved { target, config, layers, documents: vec![document] };
            let session = self.registry.offline(&built.reference);
            let silent: Report = Arc::new(|_| ());
            self.assemble(&session, &built.reference, resolved, lease, &silent).await
        })
        .await
    }

    /// Makes a recorded image whole again: from the blobs that are still here, else from where it was pulled.
    pub async fn repair(&self, image: &ImageRow) -> Result<ImageRow> {
        let Some(name) = image.digests.first().or(image.tags.first()) else {
            bail!(FailedPrecondition, "image {} has no name left to pull it by", image.id);
        };
        let reference: Reference = name.parse()?;
        let doing = || format!("repair {reference}");
        self.leased(doing, async |lease| {
            let session = self.registry.session(&reference, None).await?;
            let resolved = self.follow(&session, image.target.to_string(), true).await?;
            let silent: Report = Arc::new(|_| ());
            self.assemble(&session, &reference, resolved, lease, &silent).await
        })
        .await
    }

    /// A manifest or an index by its digest, from the store if it is there and whole.
    async fn document(&self, session: &Session, target: &str) -> Result<Fetched> {
        let digest: Digest = target.parse()?;
        let (content, wanted) = (self.content.clone(), digest.clone());
        let here = blocking(move || match content.size(&wanted)? {
            Some(_) => content.read(&wanted, DOCUMENT_LIMIT).map(Some),
            None => Ok(None),
        })
        .await;
        match here {
            Ok(Some(body)) => Ok(Fetched { digest, content_type: String::new(), body }),
            Ok(None) => session.manifest(target).await,
            Err(error) => {
                tracing::debug!(%digest, "fetched again: {error:#}");
                session.manifest(target).await
            }
        }
    }

    /// Runs `work` under a lease that lives as long as it does.
    pub(super) async fn leased<T>(
        &self,
        doing: impl Fn() -> String,
        work: impl AsyncFnOnce(&str) -> Result<T>,
    ) -> Result<T> {
        let (db, purpose) = (Arc::clone(&self.db), doing());
        let lease = blocking(move || db.lease(&purpose, LEASE)).await?;
        let mut held = Held { db: Arc::clone(&self.db), lease: Some(lease.clone()) };
        let outcome = tokio::select! {
            done = work(&lease) => done,
            error = self.keep_alive(&lease) => Err(error),
        };
        let db = Arc::clone(&self.db);
        held.lease = None;
        let released = blocking(move || db.release(&lease)).await;
        crash::point("img.3");
        match outcome {
            Ok(made) => released.map(|()| made),
            Err(error) => Err(error.and_cleanup(released).context(doing())),
        }
    }

    /// Renews the lease for as long as it is polled.
    async fn keep_alive(&self, lease: &str) -> Error {
        loop {
            tokio::time::sleep(LEASE / 4).await;
            let (db, lease) = (Arc::clone(&self.db), lease.to_owned());
            if let Err(error) = blocking(move || db.renew(&lease, LEASE)).await {
                return error;
            }
        }
    }

    async fn pull_leased(
        &self,
        reference: &Reference,
        credentials: Option<&Credentials>,
        lease: &str,
        report: &Report,
    ) -> Result<ImageRow> {
        report(Progress { digest: String::new(), done: 0, total: 0, phase: Phase::Resolving });
        let session = self.registry.session(reference, credentials).await?;
        let work = async {
            let resolved = self.resolve(&session, reference).await?;
            self.assemble(&session, reference, resolved, lease, report).await
        };
        tokio::select! {
            done = work => done,
            error = session.stalled() => Err(error),
        }
    }

    /// Fetches what is missing, unpacks, and records the image.
    async fn assemble(
        &self,
        session: &Session,
        reference: &Reference,
        resolved: Resolved,
        lease: &str,
        report: &Report,
    ) -> Result<ImageRow> {
        let (image, blobs) = self.complete(session, std::slice::from_ref(reference), resolved, lease, report).await?;
        self.record(image, blobs).await
    }

    /// Fetches what is missing and unpacks; the image is whole, but nobody sees it yet. With the blobs it needs kept.
    pub(super) async fn complete(
        &self,
        session: &Session,
        references: &[Reference],
        resolved: Resolved,
        lease: &str,
        report: &Report,
    ) -> Result<(ImageRow, Vec<Digest>)> {
        for document in &resolved.documents {
            self.keep(document, lease).await?;
        }
        let config = self.config(session, &resolved.config, lease).await?;
        let rootfs = RootFs::parse(&config, resolved.layers.len())?;
        // What is not in a registry, nobody else finds there.
        let origin = references.first().filter(|_| self.annotate && !session.is_offline()).map(|reference| Origin {
            reference: reference.to_string(),
            manifest: resolved.documents.last().map_or(&resolved.target, |document| &document.digest).clone(),
        });
        let (snapshot, absent) =
            self.layers(session, &resolved.layers, &rootfs, origin.as_ref(), lease, report).await?;
        let mut blobs: Vec<Digest> = resolved.documents.iter().map(|d| d.digest.clone()).collect();
        blobs.push(resolved.config.digest.clone());
        if !self.discard_unpacked_layers {
            blobs.extend(resolved.layers.iter().map(|l| l.digest.clone()).filter(|digest| !absent.contains(digest)));
        }
        let tags: Vec<String> = references.iter().filter_map(Reference::tagged).collect();
        let image = ImageRow {
            id: resolved.config.digest.clone(),
            digests: references.iter().map(|r| format!("{}@{}", r.name(), resolved.target)).collect(),
            target: resolved.target,
            size: resolved.config.size + resolved.layers.iter().map(|l| l.size).sum::<u64>(),
            snapshot: snapshot.map(|chain| (self.snapshotter.name().to_owned(), chain)),
            pinned: tags.iter().any(|name| self.pinned.contains(name)),
            tags,
        };
        Ok((image, blobs))
    }

    pub(super) async fn record(&self, image: ImageRow, blobs: Vec<Digest>) -> Result<ImageRow> {
        let db = Arc::clone(&self.db);
        crash::point("img.1");
        let recorded = blocking(move || db.put_image(&image, &blobs)).await?;
        crash::point("img.2");
        Ok(recorded)
    }

    /// From the reference to the manifest for this machine.
    async fn resolve(&self, session: &Session, reference: &Reference) -> Result<Resolved> {
        self.follow(session, reference.target().to_owned(), false).await
    }

    /// From a tag or digest to the manifest for this machine; `stored` asks the store before the registry.
    async fn follow(&self, session: &Session, mut target: String, stored: bool) -> Result<Resolved> {
        let mut documents: Vec<Fetched> = Vec::new();
        for _ in 0..=DEPTH {
            let fetched =
                if stored { self.document(session, &target).await? } else { session.manifest(&target).await? };
            let parsed =
                Manifest::parse(&fetched.body, &fetched.content_type).context(|| format!("manifest {target}"))?;
            if documents.iter().any(|d| d.digest == fetched.digest) {
                bail!(InvalidArgument, "index {} contains itself", fetched.digest.short());
            }
            documents.push(fetched);
            match parsed {
                Manifest::Image { config, layers } => {
                    let target = documents[0].digest.clone();
                    return Ok(Resolved { target, config, layers, documents });
                }
                Manifest::Index(entries) => target = manifest::choose(&entries, &Platform::host())?.digest.to_string(),
            }
        }
        bail!(InvalidArgument, "indexes nested deeper than {DEPTH}")
    }

    async fn config(&self, session: &Session, descriptor: &Descriptor, lease: &str) -> Result<Vec<u8>> {
        if descriptor.size > CONFIG_LIMIT {
            bail!(
                ResourceExhausted,
                "the image's configuration has {} bytes, more than {CONFIG_LIMIT}",
                descriptor.size
            );
        }
        self.fetch(session, descriptor, lease, &(Arc::new(|_| ()) as Report))
            .await
            .context(|| "its configuration".to_owned())?;
        let (content, digest) = (self.content.clone(), descriptor.digest.clone());
        blocking(move || content.read(&digest, CONFIG_LIMIT)).await
    }
}

/// A lease whose pull may be dropped in the middle: what it had stays for the next try, not for longer.
struct Held {
    db: Arc<Db>,
    lease: Option<String>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(lease), Ok(workers)) = (self.lease.take(), tokio::runtime::Handle::try_current()) else { return };
        let db = Arc::clone(&self.db);
        workers.spawn_blocking(move || {
            if let Err(error) = db.abandon(Some(&lease), LEASE) {
                tracing::warn!("a pull that was called off: {error:#}");
            }
        });
    }
}

/// Runs a blocking function off the async threads.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a blocking task died").with_source(e)))
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("target", &self.target)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        image::build::{Content as Body, Entry, Layer, Recipe},
        snapshot,
    };

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_image_of_plain_layers_does_not_wait_for_itself() {
        let dir = tempfile::tempdir().unwrap();
        let db = Arc::new(Db::open(&dir.path().join("meta.db")).unwrap());
        let content = Content::open(&dir.path().join("content"), Arc::clone(&db)).unwrap();
        let local = snapshot::open(&dir.path().join("snapshots"), Some("native"), Arc::clone(&db)).unwrap();
        let puller =
            Puller::new(content, db, Arc::new(local), RegistryConfig::default(), dir.path().join("scratch")).unwrap();
        let layer = |path: &str| {
            let entry = Entry { path: path.into(), mode: 0o644, content: Body::Bytes(path.as_bytes().to_vec()) };
            Layer::new(&[entry]).unwrap()
        };
        for n in 0..8 {
            // The native driver unpacks no layer alone: each is prepared, thrown away, and made again on its parent.
            let layers = ["/a", "/b", "/c"].map(|p| layer(&format!("{p}{n}"))).to_vec();
            let recipe = Recipe { layers, ..Recipe::default() };
            let name = format!("example.com/plain:{n}");
            let made = puller.put(recipe.build(&name).unwrap());
            let image = tokio::time::timeout(Duration::from_secs(60), made).await.expect("it ends").unwrap();
            assert_eq!(image.tags, [name]);
        }
    }
}
