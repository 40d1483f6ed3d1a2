//! The image store of CRI-O, which is containers/storage's: one JSON document of images, one of layers.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{below, bundles::document, containerd::StoredImage};
use crate::error::{Error, Kind, Result};

/// Images, and layers of one, that are told.
const MOST: usize = 8192;
const LAYERS: usize = 512;

/// # Errors
/// If the list is not there or is no JSON.
pub fn images(root: &Path, data: &str) -> Result<Vec<StoredImage>> {
    let list = |name: &str| document(&below(root, data).join(name));
    let images = list("overlay-images/images.json")?;
    let Some(images) = images.as_array() else {
        return Err(Error::new(Kind::DataLoss, format!("{data}/overlay-images/images.json is no list")));
    };
    let layers = list("overlay-layers/layers.json").unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let bytes = |value: &Value| {
        let size = |key: &str| value.get(key).and_then(Value::as_u64).filter(|b| *b > 0);
        size("diff-size").or_else(|| size("compressed-size")).unwrap_or(0)
    };
    let sizes: BTreeMap<String, (u64, String)> = layers
        .as_array()
        .into_iter()
        .flatten()
        .take(MOST * 4)
        .map(|l| (text(l, "id"), (bytes(l), text(l, "parent"))))
        .collect();
    let one = |image: &Value| {
        let mut stored = StoredImage { id: format!("sha256:{}", text(image, "id")), ..StoredImage::default() };
        let names = image.get("names").and_then(Value::as_array).into_iter().flatten().take(256);
        for name in names.filter_map(Value::as_str) {
            if name.contains('@') { &mut stored.digests } else { &mut stored.tags }.push(name.to_owned());
        }
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
        assert_eq!((images[0].id.as_str(), images[0].bytes, images[0].tags.len()), ("sha256:aa", 110, 1));
        assert_eq!((images[0].digests.len(), images[1].bytes), (1, LAYERS as u64));
        put("overlay-images/images.json", "{}");
        assert!(super::images(root.path(), "/s").unwrap_err().is(Kind::DataLoss));
    }
}
