//! Images in one file, for nodes that reach no registry: OCI image layouts and docker's archives in, an OCI layout that
//! docker reads as well out (OCI image spec, image-layout.md; docker's image spec v1.2).
//!
//! An archive is as hostile as a registry: everything is bounded, blobs are verified while they stream, and all of it hangs
//! on one lease. Images appear when every one of them is whole and unpacked; before that nothing of it is seen.

mod export;
mod names;
mod read;

use std::{collections::HashSet, io::Read, sync::Arc};

use serde_json::json;

pub use export::{Choice, Export};

use self::{
    names::{Docker, Listed},
    read::{Contents, Found, Sink},
};
use super::{
    manifest::{self, Descriptor, MANIFEST_LIMIT, Manifest, Platform},
    pull::{Puller, Report, Resolved, Subject, blocking},
    reference::Reference,
    registry::Fetched,
    unpack::{Compression, decompress},
};
use crate::{
    bail,
    engine::{
        content::{Content, Digest, Stashed},
        metadata::ImageRow,
    },
    error::{Context, Result},
};

/// Indexes inside indexes.
const DEPTH: usize = 4;
/// Documents of one image with all its platforms.
const DOCUMENTS: usize = 256;

#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The repository of images that have only a tag, or no name at all.
    pub base: Option<String>,
    /// Keep what is there for other platforms; all that an index names must be there.
    pub all_platforms: bool,
}

/// An image that came of an archive, as it is now, and the names it has from there.
#[derive(Debug)]
pub struct Imported {
    pub image: ImageRow,
    pub names: Vec<String>,
}

/// An image that the archive has, with its names.
struct Wanted {
    references: Vec<Reference>,
    resolved: Resolved,
    /// Blobs that only other platforms need.
    more: Vec<Digest>,
}

impl Puller {
    /// Imports every image that has a name. On error nothing is recorded, and what was stored is garbage.
    pub async fn import(
        &self,
        from: impl Read + Send + 'static,
        options: Options,
        report: Report,
    ) -> Result<Vec<Imported>> {
        if let Some(base) = &options.base {
            check_base(base)?;
        }
        let doing = || "import an image archive".to_owned();
        self.leased(doing, async |lease| {
            let wanted = self.take(from, &options, lease).await?;
            let mut rows = Vec::with_capacity(wanted.len());
            for image in wanted {
                let Some(name) = image.references.first().cloned() else { continue };
                let session = self.registry.offline(&name);
                let (row, mut blobs) = self
                    .complete(&session, &image.references, image.resolved, lease, &report)
                    .await
                    .context(|| format!("image {name}"))?;
                blobs.extend(image.more);
                rows.push((row, blobs, image.references));
            }
            let mut images = Vec::with_capacity(rows.len());
            for (row, blobs, references) in rows {
                let names = references.iter().map(ToString::to_string).collect();
                images.push(Imported { image: self.record(row, blobs).await?, names });
            }
            Ok(images)
        })
        .await
    }

    /// Everything into the stores, and what the archive says of it. All blobs that the images need are there then.
    async fn take(&self, from: impl Read + Send + 'static, options: &Options, lease: &str) -> Result<Vec<Wanted>> {
        let (content, db, lease) = (self.content.clone(), Arc::clone(&self.db), lease.to_owned());
        let (locks, options, here) = (Arc::clone(&self.locks), options.clone(), tokio::runtime::Handle::current());
        blocking(move || {
            let directory = content.directory();
            let sink = Sink { content: &content, db: &db, lease: &lease, directory };
            let contents = sink.read(from, |digest| here.block_on(locks.lock(Subject::Blob, digest)))?;
            let lock = |digest: &Digest| here.block_on(locks.lock(Subject::Blob, digest));
            let all = listed(&contents, &sink, lock)?;
            let shelf = Shelf { content: &content, lease: &lease, db: &db };
            shelf.wanted(&all, &options)
        })
        .await
    }
}

/// A repository without tag and digest.
fn check_base(base: &str) -> Result<()> {
    let parsed = format!("{base}:x").parse::<Reference>().context(|| format!("the base name {base:?}"))?;
    if parsed.digest.is_some() || base.contains('@') || parsed.tag.as_deref() != Some("x") {
        bail!(InvalidArgument, "the base name {base:?} has a tag or a digest: give the repository only");
    }
    Ok(())
}

/// The images of an archive; docker's get a manifest first.
fn listed<G>(contents: &Contents, sink: &Sink<'_>, lock: impl Fn(&Digest) -> G) -> Result<Vec<Listed>> {
    if let Some(layout) = &contents.layout {
        names::check_layout(layout)?;
        let Some(index) = &contents.index else { bail!(InvalidArgument, "an OCI image layout without index.json") };
        return names::index(index, &Platform::host());
    }
    let Some(list) = &contents.docker else {
        bail!(
            InvalidArgument,
            "it is no image archive: neither oci-layout and index.json (OCI) nor manifest.json (docker) is in it"
        );
    };
    let mut all: Vec<Listed> = Vec::new();
    for image in names::docker(list)? {
        let shown: String = image.config.chars().filter(|c| !c.is_control()).take(90).collect();
        let target = make_manifest(&image, contents, sink, &lock).context(|| format!("image of {shown:?}"))?;
        let names = image.repo_tags.into_iter().map(names::Name::Whole);
        match all.iter_mut().find(|known| known.target == target) {
            Some(known) => known.names.extend(names),
            None => all.push(Listed { target, names: names.collect() }),
        }
    }
    Ok(all)
}

/// A docker archive of old has no manifests. The one that is made here is what containerd makes of the same archive.
fn make_manifest<G>(
    image: &Docker,
    contents: &Contents,
    sink: &Sink<'_>,
    lock: &impl Fn(&Digest) -> G,
) -> Result<Digest> {
    let place = |path: &str| -> Result<(Digest, u64, Compression)> {
        let shown: String = path.chars().filter(|c| !c.is_control()).take(120).collect();
        match contents.find(path) {
            Some(Found::Blob(digest, size)) => {
                let (compression, _) = decompress::open(sink.content.reader(&digest)?, "layer")?;
                Ok((digest, size, compression))
            }
            Some(Found::Other(file)) => {
                // By its digest from then on: several layers may be this one file.
                keep(file, sink.lease, lock).context(|| format!("keep {shown:?}"))?;
                let (compression, _) = decompress::open(sink.content.reader(&file.digest)?, "layer")?;
                Ok((file.digest.clone(), file.size, compression))
            }
            None => bail!(NotFound, "manifest.json names {shown:?}, which is not in the archive"),
        }
    };
    let (config, size, _) = place(&image.config)?;
    let docker = "application/vnd.docker";
    let mut layers = Vec::with_capacity(image.layers.len());
    for path in &image.layers {
        let (digest, size, compression) = place(path)?;
        let end = match compression {
            Compression::Plain => "",
            Compression::Gzip => ".gzip",
            Compression::Zstd => ".zstd",
        };
        let kind = format!("{docker}.image.rootfs.diff.tar{end}");
        layers.push(json!({ "mediaType": kind, "digest": digest, "size": size }));
    }
    let manifest = json!({
        "schemaVersion": 2, "mediaType": format!("{docker}.distribution.manifest.v2+json"),
        "config": { "mediaType": format!("{docker}.container.image.v1+json"), "digest": config, "size": size },
        "layers": layers,
    });
    let body = manifest.to_string().into_bytes();
    let _one = lock(&Digest::of(&body));
    read::patiently(|| sink.content.write(&body, sink.lease))
}

fn keep<G>(file: &Stashed, lease: &str, lock: &impl Fn(&Digest) -> G) -> Result<()> {
    let _one = lock(&file.digest);
    read::patiently(|| file.keep(lease))
}

/// The content store, asked for what an image refers to.
struct Shelf<'a> {
    content: &'a Content,
    lease: &'a str,
    db: &'a crate::engine::metadata::Db,
}

impl Shelf<'_> {
    /// The images that have names, each with all it needs.
    fn wanted(&self, all: &[Listed], options: &Options) -> Result<Vec<Wanted>> {
        let (mut wanted, mut nameless) = (Vec::new(), Vec::new());
        for image in all {
            let references = image.references(options.base.as_deref())?;
            if references.is_empty() {
                nameless.push(image.target.short());
                continue;
            }
            let name = references[0].to_string();
            let doing = || format!("image {name}");
            let resolved = self.resolve(&image.target).context(doing)?;
            let more = if options.all_platforms { self.others(&image.target).context(doing)? } else { Vec::new() };
            wanted.push(Wanted { references, resolved, more });
        }
        if wanted.is_empty() {
            let which = if nameless.is_empty() { String::new() } else { format!(" ({})", nameless.join(", ")) };
            bail!(
                InvalidArgument,
                "no image of the archive{which} has a whole name: give the repository it is to have as the base name"
            );
        }
        for digest in nameless {
            tracing::warn!("an image of the archive has no name and was left out: {digest}");
        }
        Ok(wanted)
    }

    /// A manifest or an index, from the store.
    fn document(&self, digest: &Digest) -> Result<Fetched> {
        self.db.lease_blob(self.lease, digest)?;
        if self.content.size(digest)?.is_none() {
            bail!(NotFound, "manifest {digest} is neither in the archive nor in the store: the archive is not whole");
        }
        let body = self.content.read(digest, MANIFEST_LIMIT)?;
        Ok(Fetched { digest: digest.clone(), content_type: String::new(), body })
    }

    /// From the target to the manifest for this machine, and whether its blobs are there.
    fn resolve(&self, target: &Digest) -> Result<Resolved> {
        let (mut documents, mut next): (Vec<Fetched>, Digest) = (Vec::new(), target.clone());
        for _ in 0..=DEPTH {
            let fetched = self.document(&next)?;
            let parsed = Manifest::parse(&fetched.body, "").context(|| format!("manifest {next}"))?;
            documents.push(fetched);
            match parsed {
                Manifest::Image { config, layers } => {
                    for blob in std::iter::once(&config).chain(&layers) {
                        self.is_there(blob)?;
                    }
                    return Ok(Resolved { target: target.clone(), config, layers, documents });
                }
                Manifest::Index(entries) => next = manifest::choose(&entries, &Platform::host())?.digest.clone(),
            }
        }
        bail!(InvalidArgument, "indexes nested deeper than {DEPTH}")
    }

    fn is_there(&self, blob: &Descriptor) -> Result<()> {
        self.db.lease_blob(self.lease, &blob.digest)?;
        match self.content.size(&blob.digest)? {
            Some(size) if size == blob.size => Ok(()),
            Some(size) => bail!(DataLoss, "blob {} has {size} bytes, its descriptor says {}", blob.digest, blob.size),
            None => bail!(
                NotFound,
                "blob {} is neither in the archive nor in the store: the archive is not whole",
                blob.digest
            ),
        }
    }

    /// Every document and blob below `target`, for whatever platform.
    fn others(&self, target: &Digest) -> Result<Vec<Digest>> {
        let mut seen: HashSet<Digest> = HashSet::new();
        let mut left = vec![(target.clone(), 0)];
        let mut documents = 0;
        while let Some((digest, depth)) = left.pop() {
            if !seen.insert(digest.clone()) {
                continue;
            }
            documents += 1;
            if documents > DOCUMENTS || depth > DEPTH {
                bail!(
                    ResourceExhausted,
                    "it has more than {DOCUMENTS} manifests, or indexes nested deeper than {DEPTH}"
                );
            }
            let fetched = self.document(&digest).context(|| "with --all-platforms".to_owned())?;
            match Manifest::parse(&fetched.body, "").context(|| format!("manifest {digest}"))? {
                Manifest::Image { config, layers } => {
                    for blob in std::iter::once(config).chain(layers) {
                        self.is_there(&blob).context(|| "with --all-platforms".to_owned())?;
                        seen.insert(blob.digest);
                    }
                }
                Manifest::Index(entries) => left.extend(entries.into_iter().map(|e| (e.digest, depth + 1))),
            }
        }
        Ok(seen.into_iter().collect())
    }
}
