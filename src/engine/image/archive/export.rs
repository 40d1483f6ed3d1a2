//! From the stores to an archive: an OCI image layout whose `manifest.json` docker reads as well.

use std::{
    collections::{BTreeMap, HashSet},
    io::Write,
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    super::{
        manifest::{self, Descriptor, MANIFEST_LIMIT, Manifest, Platform},
        pull::{Puller, blocking},
        reference::Reference,
    },
    DEPTH, DOCUMENTS,
};
use crate::{
    bail,
    engine::{
        content::{Content, Digest},
        metadata::ImageRow,
    },
    error::{Context, Result},
    tar::{self, Entry, Writer},
};

/// Which of an image's platforms.
#[derive(Debug, Clone)]
pub enum Choice {
    One(Platform),
    All,
}

/// An image and the names it gets in the archive.
#[derive(Debug, Clone)]
pub struct Export {
    pub image: ImageRow,
    pub names: Vec<String>,
}

/// What an archive is made of.
#[derive(Debug, Default)]
struct Plan {
    /// In the order they are written.
    blobs: Vec<(Digest, u64)>,
    seen: HashSet<Digest>,
    index: Vec<Value>,
    /// By configuration: docker knows no manifest.
    docker: BTreeMap<Digest, (Vec<String>, Vec<Digest>)>,
}

impl Puller {
    /// Writes the images to `to`. Blobs are verified on their way; what has been written is worth nothing after an error.
    pub async fn export(&self, images: Vec<Export>, choice: Choice, to: impl Write + Send + 'static) -> Result<()> {
        let names: Vec<String> = images.iter().flat_map(|i| i.names.iter().take(1).cloned()).collect();
        let doing = || format!("export {}", names.join(", "));
        self.leased(doing, async |lease| {
            let (content, db, lease) = (self.content.clone(), Arc::clone(&self.db), lease.to_owned());
            blocking(move || {
                for export in &images {
                    let blobs = db.image_blobs(&export.image.id)?;
                    blobs.iter().try_for_each(|blob| db.lease_blob(&lease, blob))?;
                }
                let mut plan = Plan::default();
                for export in &images {
                    let name = export.names.first().cloned().unwrap_or_else(|| export.image.id.to_string());
                    plan.add(&content, export, &choice).context(|| format!("image {name}"))?;
                }
                plan.write(&content, to)
            })
            .await
        })
        .await
    }
}

impl Plan {
    fn add(&mut self, content: &Content, export: &Export, choice: &Choice) -> Result<()> {
        let target = &export.image.target;
        let mut left = vec![(target.clone(), 0)];
        let (mut documents, mut kind, mut size) = (0, String::new(), 0);
        while let Some((digest, depth)) = left.pop() {
            documents += 1;
            if documents > DOCUMENTS || depth > DEPTH {
                bail!(
                    ResourceExhausted,
                    "it has more than {DOCUMENTS} manifests, or indexes nested deeper than {DEPTH}"
                );
            }
            let body = document(content, &digest, choice)?;
            let parsed = Manifest::parse(&body, "").context(|| format!("manifest {digest}"))?;
            if digest == *target {
                (kind, size) = (media_type(&body, &parsed), body.len());
            }
            self.blob(&digest, body.len() as u64);
            match (parsed, choice) {
                (Manifest::Image { config, layers }, _) => {
                    self.manifest(content, &config, &layers, &export.names, choice)?
                }
                (Manifest::Index(entries), Choice::One(platform)) => {
                    left.push((manifest::choose(&entries, platform)?.digest.clone(), depth + 1));
                }
                (Manifest::Index(entries), Choice::All) => {
                    left.extend(entries.into_iter().rev().map(|e| (e.digest, depth + 1)));
                }
            }
        }
        let entry = |annotations: Value| {
            let mut entry = json!({ "mediaType": kind, "digest": target, "size": size });
            entry["annotations"] = annotations;
            entry
        };
        for name in &export.names {
            let tag = name.parse::<Reference>().ok().and_then(|r| r.tag);
            let mut annotations = json!({ "io.containerd.image.name": name });
            if let Some(tag) = tag {
                annotations["org.opencontainers.image.ref.name"] = tag.into();
            }
            self.index.push(entry(annotations));
        }
        if export.names.is_empty() {
            self.index.push(entry(json!({})));
        }
        Ok(())
    }

    fn manifest(
        &mut self,
        content: &Content,
        config: &Descriptor,
        layers: &[Descriptor],
        names: &[String],
        choice: &Choice,
    ) -> Result<()> {
        for blob in std::iter::once(config).chain(layers) {
            match content.size(&blob.digest)? {
                Some(size) if size == blob.size => self.blob(&blob.digest, size),
                Some(size) => {
                    bail!(
                        DataLoss,
                        "blob {} has {size} bytes, its manifest says {}: run wharf check --deep --repair",
                        blob.digest,
                        blob.size
                    )
                }
                None => missing(&blob.digest, choice)?,
            }
        }
        let (tags, known) = self.docker.entry(config.digest.clone()).or_default();
        *known = layers.iter().map(|l| l.digest.clone()).collect();
        for name in names.iter().filter(|n| !n.contains('@')) {
            if !tags.contains(name) {
                tags.push(name.clone());
            }
        }
        Ok(())
    }

    fn blob(&mut self, digest: &Digest, size: u64) {
        if self.seen.insert(digest.clone()) {
            self.blobs.push((digest.clone(), size));
        }
    }

    fn write(self, content: &Content, to: impl Write) -> Result<()> {
        let index = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": self.index,
        });
        let path = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
        let docker = self.docker.iter().map(|(config, (tags, layers))| {
            let layers: Vec<String> = layers.iter().map(path).collect();
            json!({ "Config": path(config), "RepoTags": tags, "Layers": layers })
        });
        let docker: Vec<Value> = docker.collect();
        let mut archive = Writer::new(to);
        archive.document("oci-layout", 0o444, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        archive.document("index.json", 0o444, index.to_string().as_bytes())?;
        archive.document("manifest.json", 0o444, Value::Array(docker).to_string().as_bytes())?;
        for directory in ["blobs/", "blobs/sha256/"] {
            archive.entry(&Entry::new(directory.as_bytes(), tar::Kind::Directory, 0o755))?;
        }
        for (digest, size) in &self.blobs {
            let mut hasher = ring::digest::Context::new(&ring::digest::SHA256);
            archive.entry(&Entry::new(path(digest).as_bytes(), tar::Kind::File(*size), 0o444))?;
            let missing = archive.content(*size, content.reader(digest)?, |part| hasher.update(part))?;
            if missing > 0 || Digest::from_sha256(hasher.finish().as_ref()) != *digest {
                bail!(DataLoss, "blob {digest} is damaged on disk: run wharf check --deep --repair");
            }
        }
        archive.end().map(drop)
    }
}

fn document(content: &Content, digest: &Digest, choice: &Choice) -> Result<Vec<u8>> {
    if content.size(digest)?.is_none() {
        missing(digest, choice)?;
    }
    content.read(digest, MANIFEST_LIMIT)
}

/// Why something of an image may not be here, and what to do.
fn missing(digest: &Digest, choice: &Choice) -> Result<()> {
    let next = match choice {
        Choice::All => {
            "images pulled by this node have only its own platform: leave --all-platforms away, or import the image with it"
        }
        Choice::One(platform) if *platform != Platform::host() => {
            "images pulled by this node have only its own platform: leave --platform away, or import the image with --all-platforms"
        }
        Choice::One(_) => {
            "layers are not kept once they are unpacked (discard_unpacked_layers): pull the image without that setting"
        }
    };
    bail!(FailedPrecondition, "blob {digest} is not kept here: {next}")
}

/// The document's own word, or what OCI calls such a document.
fn media_type(body: &[u8], parsed: &Manifest) -> String {
    let said = serde_json::from_slice::<Value>(body).ok();
    let said = said.as_ref().and_then(|v| v["mediaType"].as_str()).filter(|t| !t.is_empty());
    let usual = match parsed {
        Manifest::Image { .. } => "application/vnd.oci.image.manifest.v1+json",
        Manifest::Index(_) => "application/vnd.oci.image.index.v1+json",
    };
    said.unwrap_or(usual).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::image::unpack::{self, Limits, Stream};

    #[test]
    fn sizes_small_and_huge_are_read_as_they_were_written() {
        for size in [0, 1, 0o77_777_777_777, 1 << 33, 1 << 40, i64::MAX as u64] {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes).entry(&Entry::new(b"blobs/sha256/x", tar::Kind::File(size), 0o444)).unwrap();
            let limits = Limits::default();
            let mut stream = Stream::unhashed(Box::new(&bytes[..]), "archive", u64::MAX, std::path::Path::new("/"));
            let entry = unpack::tar::Reader::new(&mut stream, &limits).next_entry().unwrap().unwrap();
            assert_eq!((entry.size, entry.path.as_slice()), (size, &b"blobs/sha256/x"[..]));
        }
    }
}
