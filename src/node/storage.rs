//! The store of CRI-O, which is containers/storage's: where it is, one JSON document of images, two of layers.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::Value;
use toml_edit::DocumentMut;

use super::{
    below,
    bundles::document,
    containerd::{StoredImage, StoredSnapshot},
    disk, read,
};
use crate::error::{Error, Kind, Result};

/// containers-storage.conf(5): the first that is there is the only one.
const CONF: &[&str] = &["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"];
/// CRI-O's drop-ins, read after its file.
const DROP_INS: &str = "/etc/crio/crio.conf.d";

/// Images, and layers of one, that are told.
const MOST: usize = 8192;
const LAYERS: usize = 512;

/// Its root and its run root: what CRI-O's own files say, the last of them first, else the storage's, else nothing.
pub fn roots(root: &Path, config: &str) -> (Option<String>, Option<String>) {
    let drop_ins = std::fs::read_dir(below(root, DROP_INS)).into_iter().flatten().flatten();
    let drop_ins: BTreeSet<String> = drop_ins.filter_map(|f| f.file_name().into_string().ok()).collect();
    let own = drop_ins.iter().rev().map(|name| format!("{DROP_INS}/{name}")).chain([config.to_owned()]);
    let own = own.filter_map(|path| Some(("crio", "root", "runroot", parsed(root, &path)?)));
    let storage = CONF.iter().find_map(|path| parsed(root, path));
    let all: Vec<_> = own.chain(storage.map(|s| ("storage", "graphroot", "runroot", s))).collect();
    let said = |table: &str, key: &str, document: &DocumentMut| {
        document.get(table)?.get(key)?.as_str().filter(|p| p.starts_with('/')).map(str::to_owned)
    };
    (
        all.iter().find_map(|(table, key, _, d)| said(table, key, d)),
        all.iter().find_map(|(table, _, key, d)| said(table, key, d)),
    )
}

fn parsed(root: &Path, path: &str) -> Option<DocumentMut> {
    read(&below(root, path)).ok()?.parse().ok()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// # Errors
/// If the list is not there or is no JSON.
pub fn images(root: &Path, data: &str) -> Result<Vec<StoredImage>> {
    let list = |name: &str| document(&below(root, data).join(name));
    let images = list("overlay-images/images.json")?;
    let Some(images) = images.as_array() else {
        return Err(Error::new(Kind::DataLoss, format!("{data}/overlay-images/images.json is no list")));
    };
    let layers = list("overlay-layers/layers.json").unwrap_or_default();
    let sizes: BTreeMap<String, (u64, String)> = layers
        .as_array()
        .into_iter()
        .flatten()
        .take(MOST * 4)
        .map(|l| (text(l, "id"), (bytes(l).unwrap_or(0), text(l, "parent"))))
        .collect();
    let one = |image: &Value| {
        // As CRI-O tells it: without the name of the algorithm.
        let mut stored = StoredImage { id: text(image, "id"), ..StoredImage::default() };
        let names = image.get("names").and_then(Value::as_array).into_iter().flatten().take(256);
        for name in names.filter_map(Value::as_str) {
            if name.contains('@') { &mut stored.digests } else { &mut stored.tags }.push(name.to_owned());
        }
        let digest = text(image, "digest");
        for name in stored.tags.iter().filter(|_| !digest.is_empty()) {
            let end = name.rfind(':').filter(|at| name.rfind('/').is_none_or(|slash| slash < *at));
            let full = format!("{}@{digest}", &name[..end.unwrap_or(name.len())]);
            if !stored.digests.contains(&full) {
                stored.digests.push(full);
            }
        }
        // Its manifest and configuration are part of it.
        let documents = image.get("big-data-sizes").and_then(Value::as_object).into_iter().flatten();
        stored.bytes = documents.filter_map(|(_, size)| size.as_u64()).fold(0, u64::saturating_add);
        let mut layer = text(image, "layer");
        for _ in 0..LAYERS {
            let Some((bytes, parent)) = sizes.get(&layer) else { break };
            stored.bytes = stored.bytes.saturating_add(*bytes);
            layer.clone_from(parent);
        }
        stored
    };
    Ok(images.iter().take(MOST).map(one).collect())
}

/// The uppermost layer of an image.
///
/// # Errors
/// If the list of images is not there or is no JSON, or has no such image.
pub fn top(root: &Path, data: &str, image: &str) -> Result<String> {
    let list = document(&below(root, data).join("overlay-images/images.json"))?;
    let id = image.strip_prefix("sha256:").unwrap_or(image);
    let found = list.as_array().into_iter().flatten().take(MOST).find(|i| text(i, "id") == id);
    match found.map(|i| text(i, "layer")).filter(|layer| !layer.is_empty()) {
        Some(layer) => Ok(layer),
        None => Err(Error::new(
            Kind::NotFound,
            format!("{data}/overlay-images/images.json has no image {image} with layers"),
        )),
    }
}

/// The directories of a layer and of those below it, the nearest first, each with its id.
///
/// # Errors
/// If the lists are not there or are no JSON, or there is no such layer.
pub fn chain(root: &Path, data: &str, id: &str) -> Result<Vec<(String, PathBuf)>> {
    let list = |name: &str| document(&below(root, data).join("overlay-layers").join(name));
    let (committed, written) = (list("layers.json")?, list("volatile-layers.json").unwrap_or_default());
    let all = committed.as_array().into_iter().flatten().chain(written.as_array().into_iter().flatten());
    let parents: BTreeMap<String, String> = all.map(|l| (text(l, "id"), text(l, "parent"))).collect();
    let (mut chain, mut at) = (Vec::new(), id.to_owned());
    while let (Some(parent), true) = (parents.get(&at), chain.len() < LAYERS) {
        chain.push((at.clone(), below(root, format!("{data}/overlay/{at}/diff"))));
        at.clone_from(parent);
    }
    if chain.is_empty() {
        return Err(Error::new(Kind::NotFound, format!("there is no layer {id}")));
    }
    Ok(chain)
}

fn bytes(layer: &Value) -> Option<u64> {
    let size = |key: &str| layer.get(key).and_then(Value::as_u64).filter(|b| *b > 0);
    size("diff-size").or_else(|| size("compressed-size"))
}

/// Layers of images, and the ones that containers write to, of which the size is measured.
///
/// # Errors
/// If the lists are not there or are no JSON.
pub fn layers(root: &Path, data: &str) -> Result<Vec<StoredSnapshot>> {
    let list = |name: &str| document(&below(root, data).join("overlay-layers").join(name));
    let committed = list("layers.json")?;
    // There is none before the first container.
    let written = match list("volatile-layers.json") {
        Err(error) if error.is(Kind::NotFound) => Value::Null,
        other => other?,
    };
    let place = |layer: &Value| (String::new(), format!("{data}/overlay/{}/diff", text(layer, "id")));
    let written: Vec<&Value> = written.as_array().into_iter().flatten().take(MOST).collect();
    let places: Vec<disk::Place> = written.iter().map(|l| place(l)).collect();
    let mut measured: BTreeMap<String, disk::Tree> =
        disk::trees(root, &places).into_iter().filter(|t| !t.partial).map(|t| (t.path.clone(), t)).collect();
    let one = |layer: &Value, kind: &str| StoredSnapshot {
        snapshotter: "overlay".to_owned(),
        key: text(layer, "id"),
        parent: Some(text(layer, "parent")).filter(|p| !p.is_empty()),
        kind: kind.to_owned(),
        bytes: bytes(layer),
        created: text(layer, "created").parse::<jiff::Timestamp>().ok().and_then(|t| SystemTime::try_from(t).ok()),
        labels: layer
            .get("names")
            .and_then(Value::as_array)
            .and_then(|names| Some(BTreeMap::from([("name".to_owned(), names.first()?.as_str()?.to_owned())])))
            .unwrap_or_default(),
        ..StoredSnapshot::default()
    };
    let committed = committed.as_array().into_iter().flatten().take(MOST).map(|l| one(l, "committed"));
    let mut rows: Vec<StoredSnapshot> = committed.collect();
    for layer in written {
        let mut row = one(layer, "active");
        if let Some(tree) = measured.remove(&place(layer).1) {
            (row.bytes, row.inodes) = (Some(tree.bytes), Some(tree.files));
        }
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_the_size_of_its_chain_of_layers() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join("s").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put(
            "overlay-images/images.json",
            r#"[{"id":"aa","names":["example.com/a:1","example.com/a@sha256:bb"],"layer":"top"},{"id":"cc","layer":"loop"}]"#,
        );
        put(
            "overlay-layers/layers.json",
            r#"[{"id":"top","parent":"base","diff-size":10},{"id":"base","diff-size":100},{"id":"loop","parent":"loop","diff-size":1}]"#,
        );
        let images = images(root.path(), "/s").unwrap();
        assert_eq!((images[0].id.as_str(), images[0].bytes, images[0].tags.len()), ("aa", 110, 1));
        assert_eq!((images[0].digests.len(), images[1].bytes), (1, LAYERS as u64));
        assert_eq!(
            (top(root.path(), "/s", "sha256:aa").unwrap(), top(root.path(), "/s", "cc").unwrap()),
            ("top".into(), "loop".into())
        );
        assert!(top(root.path(), "/s", "dd").unwrap_err().is(Kind::NotFound));
        put(
            "overlay-images/images.json",
            r#"[{"id":"aa","digest":"sha256:bb","names":["r:5000/a:1","r:5000/a"],"big-data-sizes":{"manifest":7},"layer":"base"}]"#,
        );
        let images = super::images(root.path(), "/s").unwrap();
        assert_eq!(
            (images[0].digests.as_slice(), images[0].bytes),
            (["r:5000/a@sha256:bb".to_owned()].as_slice(), 107)
        );
        put("overlay-images/images.json", "{}");
        assert!(super::images(root.path(), "/s").unwrap_err().is(Kind::DataLoss));
        put("overlay-layers/volatile-layers.json", r#"[{"id":"own","parent":"top","names":["k8s_a-layer"]}]"#);
        put("overlay/own/diff/file", "text");
        let layers = layers(root.path(), "/s").unwrap();
        let kinds: Vec<(&str, &str)> = layers.iter().map(|l| (l.key.as_str(), l.kind.as_str())).collect();
        assert_eq!(kinds, [("top", "committed"), ("base", "committed"), ("loop", "committed"), ("own", "active")]);
        assert_eq!((layers[3].parent.as_deref(), layers[3].inodes, layers[0].bytes), (Some("top"), Some(1), Some(10)));
    }

    #[test]
    fn the_roots_are_those_of_the_nearest_file() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let said = || {
            let (data, state) = roots(root.path(), "/etc/crio/crio.conf");
            (data.unwrap_or_default(), state.unwrap_or_default())
        };
        assert_eq!(said(), (String::new(), String::new()));
        put("/usr/share/containers/storage.conf", "[storage]\ngraphroot = \"/vendor\"\n");
        assert_eq!(said().0, "/vendor");
        put("/etc/containers/storage.conf", "[storage]\ngraphroot = \"/graph\"\nrunroot = \"/run/graph\"\n");
        assert_eq!(said(), ("/graph".into(), "/run/graph".into()));
        put("/etc/crio/crio.conf", "[crio]\nroot = \"/own\"\n");
        assert_eq!(said(), ("/own".into(), "/run/graph".into()));
        put("/etc/crio/crio.conf.d/10-x.conf", "[crio]\nroot = \"/ten\"\n");
        put("/etc/crio/crio.conf.d/20-x.conf", "[crio]\nroot = \"/twenty\"\n");
        assert_eq!(said().0, "/twenty");
    }
}
