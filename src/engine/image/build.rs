//! Images made on the spot, without a registry: layers from files and bytes, then the same way into the stores as a pull.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;

use super::{manifest::Platform, reference::Reference};
use crate::{
    bail,
    engine::content::Digest,
    error::{Error, Kind, Result},
};

/// One entry of a layer. Parent directories need no entries of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Inside the image, with or without a leading slash.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Directory,
    Bytes(Vec<u8>),
    /// A file of this machine.
    File(PathBuf),
    Link(String),
}

/// A layer in memory: a plain tar archive, shared by the images that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub archive: Arc<[u8]>,
    pub digest: Digest,
}

impl Layer {
    /// # Errors
    /// A file that cannot be read, a path that is no path in an image.
    pub fn new(entries: &[Entry]) -> Result<Self> {
        let archive = archive(entries)?;
        Ok(Self { digest: Digest::of(&archive), archive: archive.into() })
    }
}

/// What an image is made from. The same recipe gives the same digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// Bottom first.
    pub layers: Vec<Layer>,
    pub entrypoint: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
}

/// An image in memory.
#[derive(Debug, Clone)]
pub struct Built {
    pub reference: Reference,
    pub config: Vec<u8>,
    pub layers: Vec<Layer>,
    pub manifest: Vec<u8>,
}

impl Recipe {
    /// # Errors
    /// `InvalidArgument` for a reference that is none.
    pub fn build(&self, reference: &str) -> Result<Built> {
        let diff_ids: Vec<String> = self.layers.iter().map(|l| l.digest.to_string()).collect();
        let env: Vec<String> = self.env.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let host = Platform::host();
        let config = json!({
            "architecture": host.architecture, "os": host.os,
            "config": { "Entrypoint": self.entrypoint, "Env": env, "Labels": self.labels },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.to_string().into_bytes();
        let kind = "application/vnd.oci.image.layer.v1.tar";
        let describe =
            |l: &Layer| json!({ "mediaType": kind, "digest": l.digest.to_string(), "size": l.archive.len() });
        let described: Vec<_> = self.layers.iter().map(describe).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": Digest::of(&config).to_string(), "size": config.len() },
            "layers": described,
        });
        Ok(Built {
            reference: reference.parse()?,
            config,
            layers: self.layers.clone(),
            manifest: manifest.to_string().into_bytes(),
        })
    }
}

/// A ustar archive (POSIX.1-1988), sorted, with times of 0.
fn archive(entries: &[Entry]) -> Result<Vec<u8>> {
    let mut all: BTreeMap<PathBuf, &Entry> = BTreeMap::new();
    let mut directories: BTreeMap<PathBuf, Entry> = BTreeMap::new();
    for entry in entries {
        let path = Path::new(entry.path.trim_start_matches('/')).to_owned();
        if path.as_os_str().is_empty() || path.components().any(|c| !matches!(c, std::path::Component::Normal(_))) {
            bail!(InvalidArgument, "{:?} is no path in an image", entry.path);
        }
        for parent in path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()) {
            let made = Entry { path: parent.display().to_string(), mode: 0o755, content: Content::Directory };
            directories.insert(parent.to_owned(), made);
        }
        all.insert(path, entry);
    }
    for (path, directory) in &directories {
        all.entry(path.clone()).or_insert(directory);
    }
    let mut out = Vec::new();
    for (path, entry) in all {
        let (kind, link, body) = match &entry.content {
            Content::Directory => (b'5', "", Vec::new()),
            Content::Bytes(bytes) => (b'0', "", bytes.clone()),
            Content::File(file) => (b'0', "", fs::read(file).map_err(|e| Error::io("read", file, e))?),
            Content::Link(target) => (b'2', target.as_str(), Vec::new()),
        };
        header(&mut out, &path.to_string_lossy(), entry.mode, kind, link, body.len())?;
        out.extend_from_slice(&body);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    Ok(out)
}

fn header(out: &mut Vec<u8>, name: &str, mode: u32, kind: u8, link: &str, size: usize) -> Result<()> {
    if name.len() > 100 || link.len() > 100 {
        return Err(Error::new(Kind::InvalidArgument, format!("{name:?} is too long for a plain archive")));
    }
    let mut block = [0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&block);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let file = |path: &str, content| Entry { path: path.to_owned(), mode: 0o755, content };
        Recipe {
            layers: vec![
                Layer::new(&[
                    file("/bin/app", Content::Bytes(b"hello".to_vec())),
                    file("bin/sh", Content::Link("app".into())),
                ])
                .unwrap(),
            ],
            entrypoint: vec!["/bin/app".into()],
            ..Recipe::default()
        }
    }

    #[test]
    fn the_same_recipe_gives_the_same_image() {
        let (a, b) = (recipe().build("demo.test/app:1").unwrap(), recipe().build("demo.test/app:1").unwrap());
        assert_eq!((a.manifest, a.layers), (b.manifest, b.layers));
    }

    #[test]
    fn tar_reads_what_is_written() {
        let built = recipe().build("demo.test/app:1").unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("layer.tar"), &built.layers[0].archive).unwrap();
        let listed = std::process::Command::new("tar").arg("-tvf").arg(dir.path().join("layer.tar")).output().unwrap();
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(text.contains("bin/") && text.contains("bin/app") && text.contains("bin/sh -> app"), "{text}");
        let outside = Entry { path: "../x".into(), mode: 0, content: Content::Directory };
        assert!(archive(&[outside]).is_err());
    }
}
