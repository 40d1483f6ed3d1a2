//! containerd's own records on disk: its metadata (bolt), CRI's status files, the content store. Read without containerd, so
//! that pods, images and snapshots can be told while it is dead or hangs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    below,
    bolt::{Bolt, Bucket, Item},
    bundles::{Bundle, document, strings},
};
use crate::error::{Error, Kind, Result};

const META: &str = "io.containerd.metadata.v1.bolt/meta.db";
/// The namespace CRI's things are in.
pub const CRI: &str = "k8s.io";
/// The content store.
pub const BLOBS: &str = "io.containerd.content.v1.content/blobs";
/// Namespaces, and snapshotters of one, that are read.
const SOME: usize = 32;
/// Layers below one another.
const LAYERS: usize = 512;
/// Blobs that are counted.
const MOST: usize = 200_000;
/// Images of which the manifest is read for the size.
const IMAGES: usize = 4096;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredImage {
    /// Digest of its configuration.
    pub id: String,
    pub tags: Vec<String>,
    pub digests: Vec<String>,
    /// Of the manifest, the configuration and the layers, compressed; 0 if the manifest is not there.
    pub bytes: u64,
    pub pinned: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSnapshot {
    pub snapshotter: String,
    pub namespace: String,
    pub key: String,
    pub parent: Option<String>,
    /// "active", "view", "committed", "unknown".
    pub kind: String,
    /// Recorded when it is committed; what is written to is only measured by containerd.
    pub bytes: Option<u64>,
    pub inodes: Option<u64>,
    pub created: Option<SystemTime>,
    pub labels: BTreeMap<String, String>,
}

/// The metadata, opened. `None` if there is none.
///
/// # Errors
/// If it is there and cannot be used.
fn meta(root: &Path, data: &str) -> Result<Option<Bolt>> {
    match Bolt::open(&below(root, data).join(META)) {
        Ok(bolt) => Ok(Some(bolt)),
        Err(error) if error.is(Kind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Values of a bucket by key, and the buckets in it.
#[derive(Default)]
struct Fields {
    values: BTreeMap<String, Vec<u8>>,
    buckets: BTreeMap<String, Bucket>,
}

fn fields(bolt: &Bolt, bucket: &Bucket) -> Result<Fields> {
    let mut fields = Fields::default();
    for (key, item) in bolt.entries(bucket)? {
        let key = String::from_utf8_lossy(&key).into_owned();
        match item {
            Item::Value(value) => drop(fields.values.insert(key, value)),
            Item::Bucket(bucket) => drop(fields.buckets.insert(key, bucket)),
        }
    }
    Ok(fields)
}

impl Fields {
    fn text(&self, key: &str) -> String {
        self.values.get(key).map(|v| String::from_utf8_lossy(v).into_owned()).unwrap_or_default()
    }

    fn time(&self, key: &str) -> Option<SystemTime> {
        self.values.get(key).and_then(|v| time(v))
    }

    fn inside(&self, bolt: &Bolt, key: &str) -> Result<Self> {
        self.buckets.get(key).map_or_else(|| Ok(Self::default()), |bucket| fields(bolt, bucket))
    }

    fn strings(&self) -> BTreeMap<String, String> {
        self.values.keys().map(|key| (key.clone(), self.text(key))).collect()
    }
}

/// Go's binary form of a time: version, seconds since the year 1, nanoseconds, zone.
fn time(bytes: &[u8]) -> Option<SystemTime> {
    /// From the year 1 to 1970.
    const EPOCH: i64 = 62_135_596_800;
    if !matches!(bytes.first(), Some(1 | 2)) {
        return None;
    }
    let seconds = i64::from_be_bytes(bytes.get(1..9)?.try_into().ok()?).checked_sub(EPOCH)?;
    let nanos = u32::from_be_bytes(bytes.get(9..13)?.try_into().ok()?);
    let since = Duration::new(u64::try_from(seconds).ok()?, nanos.min(999_999_999));
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Go's signed varint, which is zigzag.
fn varint(bytes: &[u8]) -> Option<u64> {
    unsigned(bytes).and_then(|value| (value & 1 == 0).then_some(value >> 1))
}

fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (n, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * n as u32)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Pods and containers of CRI, as containerd has them recorded, with the status files' times and exit codes. None has a
/// process here: that is in the bundles. `None` if there are no metadata.
///
/// # Errors
/// If the metadata are there and cannot be read.
pub fn records(root: &Path, data: &str, problems: &mut Vec<String>) -> Result<Option<Vec<Bundle>>> {
    let Some(bolt) = meta(root, data)? else { return Ok(None) };
    let Some(containers) = bolt.descend(&["v1", CRI, "containers"])? else { return Ok(Some(Vec::new())) };
    let mut records = Vec::new();
    for (id, bucket) in fields(&bolt, &containers)?.buckets {
        match record(root, data, &bolt, &id, &bucket) {
            Ok(record) => records.extend(record),
            Err(error) => problems.push(format!("containerd's record of {id}: {error:#}")),
        }
    }
    Ok(Some(records))
}

/// `None` for a container that is not CRI's.
fn record(root: &Path, data: &str, bolt: &Bolt, id: &str, bucket: &Bucket) -> Result<Option<Bundle>> {
    let of = fields(bolt, bucket)?;
    let extensions = of.inside(bolt, "extensions")?;
    let named = |kind: &str| extensions.values.get(&format!("io.cri-containerd.{kind}.metadata"));
    let (sandbox, bytes) = match (named("sandbox"), named("container")) {
        (Some(bytes), _) => (true, bytes),
        (_, Some(bytes)) => (false, bytes),
        _ => return Ok(None),
    };
    let any = prost_types::Any::decode(bytes.as_slice())
        .map_err(|e| Error::new(Kind::DataLoss, "decode its CRI metadata").with_source(e))?;
    let value: Value = serde_json::from_slice(&any.value)
        .map_err(|e| Error::new(Kind::DataLoss, "read its CRI metadata").with_source(e))?;
    let metadata = value.get("Metadata").unwrap_or(&value);
    let config = metadata.get("Config").cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let own = config.get("metadata").cloned().unwrap_or_default();
    let mut bundle = Bundle {
        id: id.to_owned(),
        namespace: CRI.to_owned(),
        sandbox,
        made: of.time("createdat"),
        attempt: Some(own.get("attempt").and_then(Value::as_u64).and_then(|a| u32::try_from(a).ok()).unwrap_or(0)),
        labels: strings(config.get("labels")),
        annotations: strings(config.get("annotations")),
        ..Bundle::default()
    };
    if sandbox {
        (bundle.pod_id, bundle.pod) = (id.to_owned(), text(&own, "name"));
        (bundle.pod_namespace, bundle.uid) = (text(&own, "namespace"), text(&own, "uid"));
        (bundle.ip, bundle.handler) = (text(metadata, "IP"), text(metadata, "RuntimeHandler"));
        bundle.log_directory = text(&config, "log_directory");
    } else {
        (bundle.pod_id, bundle.name) = (text(metadata, "SandboxID"), text(&own, "name"));
        bundle.image = config.pointer("/image/user_specified_image").and_then(Value::as_str).unwrap_or_default().into();
        if bundle.image.is_empty() {
            bundle.image = config.pointer("/image/image").and_then(Value::as_str).unwrap_or_default().into();
        }
        (bundle.image_id, bundle.log_path) = (text(metadata, "ImageRef"), text(metadata, "LogPath"));
        status(root, data, &mut bundle);
    }
    Ok(Some(bundle))
}

/// CRI's file beside the metadata: what became of a container.
fn status(root: &Path, data: &str, bundle: &mut Bundle) {
    let path = below(root, data).join("io.containerd.grpc.v1.cri/containers").join(&bundle.id).join("status");
    // A container that is being made has none.
    let Ok(status) = document(&path) else { return };
    let time = |key: &str| {
        let nanos = status.get(key).and_then(Value::as_u64).filter(|n| *n > 0)?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
    };
    bundle.made = time("CreatedAt").or(bundle.made);
    (bundle.started, bundle.finished) = (time("StartedAt"), time("FinishedAt"));
    if bundle.finished.is_some() {
        bundle.exit_code = status.get("ExitCode").and_then(Value::as_i64).and_then(|c| i32::try_from(c).ok());
    }
    let text = |key: &str| status.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (bundle.reason, bundle.message) = (text("Reason"), text("Message"));
    if bundle.finished.is_some() && bundle.reason.is_empty() {
        // As containerd itself says it when it is asked.
        bundle.reason = if bundle.exit_code == Some(0) { "Completed" } else { "Error" }.to_owned();
    }
}

/// Images of CRI, by what they consist of: one image has several names.
///
/// # Errors
/// If the metadata are there and cannot be read; `NotFound` if there are none.
pub fn images(root: &Path, data: &str) -> Result<Vec<StoredImage>> {
    let path = below(root, data).join(META);
    let bolt = Bolt::open(&path)?;
    let Some(bucket) = bolt.descend(&["v1", CRI, "images"])? else { return Ok(Vec::new()) };
    let mut found: BTreeMap<String, StoredImage> = BTreeMap::new();
    for (name, bucket) in fields(&bolt, &bucket)?.buckets {
        let of = fields(&bolt, &bucket)?;
        let target = of.inside(&bolt, "target")?;
        let image = found.entry(target.text("digest")).or_default();
        let label = of.inside(&bolt, "labels")?.text("io.cri-containerd.pinned");
        image.pinned |= label == "pinned";
        if name.starts_with("sha256:") {
            image.id = name;
        } else if name.contains('@') {
            image.digests.push(name);
        } else {
            image.tags.push(name);
        }
    }
    for (digest, image) in found.iter_mut().take(IMAGES) {
        image.bytes = size(root, data, digest, 0);
        if image.id.is_empty() {
            image.id.clone_from(digest);
        }
    }
    Ok(found.into_values().collect())
}

/// A document in the content store, and its own size.
fn blob(root: &Path, data: &str, digest: &str) -> Option<(Value, u64)> {
    let (kind, hex) = digest.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
    if !plain(kind) || !plain(hex) {
        return None;
    }
    let path = below(root, data).join(BLOBS).join(kind).join(hex);
    Some((document(&path).ok()?, std::fs::metadata(&path).ok()?.len()))
}

/// Of a manifest and what it names; of an index, the manifests that are here.
fn size(root: &Path, data: &str, digest: &str, depth: usize) -> u64 {
    let Some((value, own)) = blob(root, data, digest) else { return 0 };
    let bytes = |v: &Value| v.get("size").and_then(Value::as_u64).unwrap_or(0);
    let list = |key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten().take(256);
    let own = own.saturating_add(value.get("config").map_or(0, bytes));
    let mut all = list("layers").map(bytes).fold(own, u64::saturating_add);
    if depth < 2 {
        for child in list("manifests").filter_map(|m| m.get("digest")?.as_str()) {
            all = all.saturating_add(size(root, data, child, depth + 1));
        }
    }
    all
}

/// A snapshotter's database, and its snapshots by name.
type Sizes = (Bolt, BTreeMap<String, Bucket>);

/// Snapshots of every namespace, with the sizes their snapshotters have recorded.
///
/// # Errors
/// If the metadata are there and cannot be read; `NotFound` if there are none.
pub fn snapshots(root: &Path, data: &str) -> Result<Vec<StoredSnapshot>> {
    let bolt = Bolt::open(&below(root, data).join(META))?;
    let mut found = Vec::new();
    let Some(spaces) = bolt.descend(&["v1"])? else { return Ok(found) };
    let mut kept: BTreeMap<String, Option<Sizes>> = BTreeMap::new();
    for (namespace, bucket) in fields(&bolt, &spaces)?.buckets.into_iter().take(SOME) {
        let snapshotters = fields(&bolt, &bucket)?.inside(&bolt, "snapshots")?;
        for (snapshotter, bucket) in snapshotters.buckets.into_iter().take(SOME) {
            let own = kept.entry(snapshotter.clone()).or_insert_with(|| sizes(root, data, &snapshotter));
            for (key, bucket) in fields(&bolt, &bucket)?.buckets {
                let of = fields(&bolt, &bucket)?;
                let inner = own.as_ref().and_then(|(own, all)| fields(own, all.get(&of.text("name"))?).ok());
                let inner = inner.unwrap_or_default();
                let figure = |key: &str| inner.values.get(key).and_then(|v| varint(v));
                let kind = match inner.values.get("kind").and_then(|v| v.first()) {
                    Some(1) => "view",
                    Some(2) => "active",
                    Some(3) => "committed",
                    _ => "unknown",
                };
                found.push(StoredSnapshot {
                    snapshotter: snapshotter.clone(),
                    namespace: namespace.clone(),
                    key,
                    parent: Some(of.text("parent")).filter(|p| !p.is_empty()),
                    kind: kind.to_owned(),
                    bytes: figure("size"),
                    inodes: figure("inodes"),
                    created: of.time("createdat"),
                    labels: of.inside(&bolt, "labels")?.strings(),
                });
            }
        }
    }
    Ok(found)
}

/// The directories of a snapshot's layer and of those below it, the nearest first, each with its key.
///
/// # Errors
/// If it is not there, or its snapshotter keeps no layers as directories.
pub fn layers(
    root: &Path,
    data: &str,
    (namespace, snapshotter, key): (&str, &str, &str),
) -> Result<Vec<(String, PathBuf)>> {
    if snapshotter != "overlayfs" {
        let text = format!("snapshotter {snapshotter} keeps no layers as directories; those of overlayfs can be read");
        return Err(Error::new(Kind::Unimplemented, text));
    }
    let missing = |what: &str| Error::new(Kind::NotFound, format!("there is no snapshot {what} of {namespace}"));
    let bolt = Bolt::open(&below(root, data).join(META))?;
    let found = bolt.descend(&["v1", namespace, "snapshots", snapshotter])?.ok_or_else(|| missing(key))?;
    let names = fields(&bolt, &found)?;
    let (own, all) = sizes(root, data, snapshotter).ok_or_else(|| missing(key))?;
    let directory = below(root, data).join(format!("io.containerd.snapshotter.v1.{snapshotter}/snapshots"));
    let (mut chain, mut at) = (Vec::new(), key.to_owned());
    // A damaged database may have a ring.
    while !at.is_empty() && chain.len() < LAYERS {
        let of = fields(&bolt, names.buckets.get(&at).ok_or_else(|| missing(&at))?)?;
        let inner = fields(&own, all.get(&of.text("name")).ok_or_else(|| missing(&at))?)?;
        let number = inner.values.get("id").and_then(|v| unsigned(v)).ok_or_else(|| missing(&at))?;
        chain.push((at, directory.join(number.to_string()).join("fs")));
        at = of.text("parent");
    }
    Ok(chain)
}

/// Bytes and number of the blobs in the content store.
pub fn content(root: &Path, data: &str) -> (u64, u64) {
    let kinds = std::fs::read_dir(below(root, data).join(BLOBS)).into_iter().flatten().flatten().take(SOME);
    let blobs = kinds.flat_map(|kind| std::fs::read_dir(kind.path()).into_iter().flatten().flatten());
    let sizes = blobs.take(MOST).filter_map(|blob| blob.metadata().ok()).map(|meta| meta.len());
    sizes.fold((0, 0), |(bytes, count), size| (bytes + size, count + 1))
}

/// A snapshotter's own database: one that keeps it elsewhere, or has none, tells no sizes.
fn sizes(root: &Path, data: &str, snapshotter: &str) -> Option<Sizes> {
    let plain = snapshotter.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let path = below(root, data).join(format!("io.containerd.snapshotter.v1.{snapshotter}/metadata.db"));
    let bolt = plain.then(|| Bolt::open(&path).ok())??;
    let bucket = bolt.descend(&["v1", "snapshots"]).ok()??;
    let all = fields(&bolt, &bucket).ok()?.buckets;
    Some((bolt, all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::bolt::tests::{Tree, bucket, database, value};

    fn zigzag(mut n: u64) -> Vec<u8> {
        n <<= 1;
        let mut bytes = Vec::new();
        while n >= 0x80 {
            bytes.push((n & 0x7f) as u8 | 0x80);
            n >>= 7;
        }
        bytes.push(n as u8);
        bytes
    }

    /// 2026-01-01T00:00:00Z.
    fn stamp() -> Vec<u8> {
        [&[1][..], &(62_135_596_800_i64 + 1_767_225_600).to_be_bytes(), &5_u32.to_be_bytes(), &[255, 255]].concat()
    }

    const MANIFEST: &str = r#"{"config":{"size":5},"layers":[{"size":100},{"size":1000}]}"#;

    fn any(json: &Value) -> Tree {
        let any = prost_types::Any { type_url: "x".to_owned(), value: json.to_string().into_bytes() };
        bucket(vec![("io.cri-containerd.container.metadata", value(any.encode_to_vec()))])
    }

    fn node() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, bytes: &[u8]| {
            let path = root.path().join("data").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let container = serde_json::json!({ "Version": "v1", "Metadata": { "ID": "c1", "SandboxID": "p1",
            "ImageRef": "sha256:cc", "LogPath": "/var/log/pods/x/app/2.log",
            "Config": { "metadata": { "name": "app", "attempt": 2 }, "image": { "image": "example.com/a:1" },
                "labels": { "app": "web" } } } });
        let image = |digest: &str| {
            bucket(vec![
                ("createdat", value(stamp())),
                ("labels", bucket(vec![("io.cri-containerd.pinned", value("pinned"))])),
                ("target", bucket(vec![("digest", value(digest))])),
            ])
        };
        let cri = bucket(vec![
            (
                "containers",
                bucket(vec![
                    ("c1", bucket(vec![("createdat", value(stamp())), ("extensions", any(&container))])),
                    ("foreign", bucket(vec![("image", value("x"))])),
                    (
                        "bad",
                        bucket(vec![(
                            "extensions",
                            bucket(vec![("io.cri-containerd.sandbox.metadata", value(vec![0xff; 20]))]),
                        )]),
                    ),
                ]),
            ),
            (
                "images",
                bucket(vec![
                    ("example.com/a:1", image("sha256:mm")),
                    ("sha256:cc", image("sha256:mm")),
                    ("example.com/a@sha256:mm", image("sha256:mm")),
                ]),
            ),
            (
                "snapshots",
                bucket(vec![(
                    "overlayfs",
                    bucket(vec![(
                        "top",
                        bucket(vec![
                            ("name", value("k8s.io/1/top")),
                            ("parent", value("base")),
                            ("createdat", value(stamp())),
                            ("labels", bucket(vec![("l", value("v"))])),
                        ]),
                    )]),
                )]),
            ),
        ]);
        put(META, &database(&[("v1", bucket(vec![("k8s.io", cri)]))]));
        let inner =
            bucket(vec![("kind", value(vec![3])), ("size", value(zigzag(70_000))), ("inodes", value(zigzag(9)))]);
        let own = database(&[("v1", bucket(vec![("snapshots", bucket(vec![("k8s.io/1/top", inner)]))]))]);
        put("io.containerd.snapshotter.v1.overlayfs/metadata.db", &own);
        put(&format!("{BLOBS}/sha256/mm"), MANIFEST.as_bytes());
        put(
            "io.containerd.grpc.v1.cri/containers/c1/status",
            br#"{"CreatedAt":1767225601000000000,"StartedAt":1767225602000000000,"FinishedAt":1767225603000000000,"ExitCode":3,"Reason":"","Message":"m"}"#,
        );
        root
    }

    #[test]
    fn a_container_with_its_end() {
        let node = node();
        let mut problems = Vec::new();
        let records = records(node.path(), "/data", &mut problems).unwrap().unwrap();
        assert_eq!((records.len(), problems.len()), (1, 1), "{records:?} {problems:?}");
        let c = &records[0];
        assert_eq!((c.name.as_str(), c.attempt, c.pod_id.as_str()), ("app", Some(2), "p1"));
        assert_eq!((c.image.as_str(), c.image_id.as_str()), ("example.com/a:1", "sha256:cc"));
        assert_eq!((c.exit_code, c.reason.as_str(), c.message.as_str()), (Some(3), "Error", "m"));
        assert_eq!((c.log_path.as_str(), c.labels["app"].as_str()), ("/var/log/pods/x/app/2.log", "web"));
        assert!(super::records(node.path(), "/none", &mut problems).unwrap().is_none());
    }

    #[test]
    fn one_image_under_three_names_and_a_snapshot_with_its_size() {
        let node = node();
        let images = images(node.path(), "/data").unwrap();
        let expected = StoredImage {
            id: "sha256:cc".into(),
            tags: vec!["example.com/a:1".into()],
            digests: vec!["example.com/a@sha256:mm".into()],
            bytes: 1105 + MANIFEST.len() as u64,
            pinned: true,
        };
        assert_eq!(images, [expected]);
        let snapshots = snapshots(node.path(), "/data").unwrap();
        let s = &snapshots[0];
        assert_eq!((s.kind.as_str(), s.bytes, s.inodes), ("committed", Some(70_000), Some(9)));
        assert_eq!((s.key.as_str(), s.parent.as_deref(), s.namespace.as_str()), ("top", Some("base"), "k8s.io"));
        let since = s.created.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::new(1_767_225_600, 5));
        assert!(super::images(node.path(), "/none").unwrap_err().is(Kind::NotFound));
    }

    #[test]
    fn numbers_and_times_of_go() {
        assert_eq!((varint(&zigzag(0)), varint(&zigzag(300))), (Some(0), Some(300)));
        // Negative, unfinished.
        assert_eq!((varint(&[1]), varint(&[0x80; 12])), (None, None));
        assert_eq!((time(&stamp()[..5]), time(&[9; 15])), (None, None));
    }
}
