//! Image archives by hand, so that they can be wrong.

use serde_json::{Value, json};
use wharf::engine::content::Digest;

use super::registry::Layer;

/// A file of an archive: its path and bytes.
pub type File = (String, Vec<u8>);

pub fn file(path: &str, body: impl Into<Vec<u8>>) -> File {
    (path.to_owned(), body.into())
}

pub fn blob(body: &[u8]) -> File {
    (format!("blobs/sha256/{}", Digest::of(body).hex()), body.to_vec())
}

pub fn describe(body: &[u8]) -> Value {
    json!({ "digest": Digest::of(body).to_string(), "size": body.len() })
}

/// One entry's header; the size may be a lie.
pub fn header(path: &str, kind: u8, link: &str, size: u64) -> Vec<u8> {
    header_with(path, kind, 0o644, link, size)
}

/// The same with a mode. ustar; root's, of 1970.
pub fn header_with(path: &str, kind: u8, mode: u32, link: &str, size: u64) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
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
    block
}

pub fn tar(files: &[File]) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, body) in files {
        out.extend(header(path, b'0', "", body.len() as u64));
        out.extend_from_slice(body);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    end(out)
}

pub fn end(mut out: Vec<u8>) -> Vec<u8> {
    out.resize(out.len() + 1024, 0);
    out
}

/// An image's configuration, its manifest, and all its files.
pub struct Image {
    pub config: Vec<u8>,
    pub manifest: Vec<u8>,
    pub files: Vec<File>,
}

pub fn image(layers: &[&Layer], architecture: &str) -> Image {
    let diffs: Vec<&str> = layers.iter().map(|l| l.diff_id.as_str()).collect();
    let config = json!({ "architecture": architecture, "os": "linux",
        "config": { "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"] }, "rootfs": { "type": "layers", "diff_ids": diffs } })
    .to_string()
    .into_bytes();
    let described: Vec<Value> = layers
        .iter()
        .map(|l| {
            let mut one = describe(&l.bytes);
            one["mediaType"] = format!("application/vnd.oci.image.layer.v1.tar+{}", l.compression).into();
            one
        })
        .collect();
    let mut of_config = describe(&config);
    of_config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": of_config, "layers": described })
        .to_string()
        .into_bytes();
    let mut files = vec![blob(&config), blob(&manifest)];
    files.extend(layers.iter().map(|l| blob(&l.bytes)));
    Image { config, manifest, files }
}

pub fn layout() -> File {
    file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// `index.json` with one entry for each document and name.
pub fn index(entries: &[(&[u8], &str)]) -> File {
    let entries: Vec<Value> = entries
        .iter()
        .map(|(document, name)| {
            let mut entry = describe(document);
            entry["mediaType"] = "application/vnd.oci.image.manifest.v1+json".into();
            if !name.is_empty() {
                let key =
                    if name.contains('/') { "io.containerd.image.name" } else { "org.opencontainers.image.ref.name" };
                entry["annotations"] = json!({ key: name });
            }
            entry
        })
        .collect();
    file("index.json", json!({ "schemaVersion": 2, "manifests": entries }).to_string())
}
