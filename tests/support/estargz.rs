//! Layers in the eStargz format (its docs/estargz.md): a gzip stream a file, a table of contents, and where that begins at the end.
//! A snapshotter reads the files it wants; to everybody else it is a layer like any other.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use wharf::engine::content::Digest;

use super::{archive::header_with, registry::Layer};

const CHUNK: usize = 1 << 20;
const TOC: &str = "stargz.index.json";

/// A layer of what is in a directory, and the annotation of it.
pub fn layer(directory: &Path) -> (Layer, Value) {
    let mut made = Made::default();
    made.file(".no.prefetch.landmark", 0o644, &[0xf]);
    made.directory(directory, directory);
    let toc = serde_json::to_vec(&json!({ "version": 1, "entries": made.entries })).unwrap();
    let begin = made.bytes.len();
    let mut table = header_with(TOC, b'0', 0o444, "", toc.len() as u64);
    table.extend(padded(&toc));
    table.extend([0; 1024]);
    made.put(&table);
    let place = format!("{begin:016x}STARGZ");
    let mut footer = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255];
    footer.extend(u16::try_from(place.len() + 4).unwrap().to_le_bytes());
    footer.extend(b"SG");
    footer.extend(u16::try_from(place.len()).unwrap().to_le_bytes());
    footer.extend(place.as_bytes());
    footer.extend([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    made.bytes.extend(footer);
    let annotations = json!({ "containerd.io/snapshot/stargz/toc.digest": Digest::of(&toc).to_string() });
    let diff_id = Digest::of(&made.plain).to_string();
    (Layer { bytes: made.bytes, compression: "gzip", diff_id }, annotations)
}

#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
    plain: Vec<u8>,
    entries: Vec<Value>,
}

impl Made {
    /// A gzip stream of its own.
    fn put(&mut self, plain: &[u8]) {
        self.plain.extend(plain);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        self.bytes.extend(encoder.finish().unwrap());
    }

    fn file(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.put(&header_with(name, b'0', mode, "", content.len() as u64));
        let digest = Digest::of(content).to_string();
        for (number, chunk) in content.chunks(CHUNK).enumerate() {
            let mut entry = json!({
                "name": name, "type": "chunk", "offset": self.bytes.len(), "chunkOffset": number * CHUNK,
                "chunkSize": chunk.len(), "chunkDigest": Digest::of(chunk).to_string(),
            });
            if number == 0 {
                let own = json!({ "type": "reg", "size": content.len(), "mode": mode, "digest": digest });
                for (key, value) in own.as_object().unwrap() {
                    entry[key] = value.clone();
                }
            }
            self.entries.push(entry);
            let last = (number + 1) * CHUNK >= content.len();
            if last {
                let end = content.len().next_multiple_of(512) - content.len();
                self.put(&[chunk, &vec![0; end]].concat());
            } else {
                self.put(chunk);
            }
        }
        if content.is_empty() {
            self.entries.push(json!({ "name": name, "type": "reg", "mode": mode, "digest": digest }));
        }
    }

    fn directory(&mut self, root: &Path, directory: &Path) {
        let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let meta = fs::symlink_metadata(&path).unwrap();
            let mode = meta.permissions().mode() & 0o7777;
            if meta.is_dir() {
                let name = format!("{name}/");
                self.put(&header_with(&name, b'5', mode, "", 0));
                self.entries.push(json!({ "name": name, "type": "dir", "mode": mode }));
                self.directory(root, &path);
            } else if meta.is_symlink() {
                let link = fs::read_link(&path).unwrap();
                let link = link.to_str().unwrap();
                self.put(&header_with(&name, b'2', 0o777, link, 0));
                self.entries.push(json!({ "name": name, "type": "symlink", "mode": 0o777, "linkName": link }));
            } else {
                assert!(meta.is_file() && meta.nlink() == 1, "{name}");
                self.file(&name, mode, &fs::read(&path).unwrap());
            }
        }
    }
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut padded = content.to_vec();
    padded.resize(content.len().next_multiple_of(512), 0);
    padded
}
