//! The files of a layer, or of all layers of an image: reads them off the app's task, and makes them lines to read.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::timeout};

use super::{
    detail::DetailLine,
    event::{Event, Token},
    text::{self, SafeText},
    theme::Tone,
};
use crate::{
    bail,
    client::{
        Runtime,
        types::{ObjectRef, Scope, Seen, SnapshotRow},
    },
    error::{Error, Kind, Result},
    node::layer::{self, Found, Layer},
};

/// Entries that are named, of all layers together; of one at least the second.
const MOST: usize = 600;
const LEAST: usize = 12;
/// Layers of an image.
const LAYERS: usize = 128;
const READ: Duration = Duration::from_secs(20);

/// A layer by its key.
pub type Read = (String, Layer);

/// Whoever waits for it has gone when this is dropped: the walk ends.
struct Off(Arc<AtomicBool>);

impl Drop for Off {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub async fn read(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, token: Token, object: ObjectRef) {
    let result = match timeout(READ, layers(runtime.as_ref(), &object)).await {
        Ok(result) => result.map_err(|e| format!("{e:#}")),
        Err(_) => Err(format!("read the layer's files: timeout after {} s", READ.as_secs())),
    };
    // Nobody waits for it when the channel is closed.
    let _closed = send.send(Event::Layers { token, result }).await;
}

async fn layers(runtime: &dyn Runtime, object: &ObjectRef) -> Result<Vec<Read>> {
    let (top, whole) = match object {
        ObjectRef::Snapshot { .. } => (object.clone(), false),
        // Where the runtime does not say which layers an image has, its storage may.
        ObjectRef::Image(id) => (top(runtime, id).await?.unwrap_or_else(|| object.clone()), true),
        _ => bail!(InvalidArgument, "only images and snapshots have layers"),
    };
    let chain = runtime.layer(&top).await?;
    let count = if whole { chain.len().min(LAYERS) } else { 1 };
    let off = Off(Arc::default());
    let (seen, most) = (Arc::clone(&off.0), (MOST / count.max(1)).max(LEAST));
    let work = move || {
        let directories: Vec<PathBuf> = chain.iter().map(|(_, directory)| directory.clone()).collect();
        let one = |at: usize| Ok((chain[at].0.clone(), layer::read(&directories[at..], most, &seen)?));
        (0..count).map(one).collect::<Result<Vec<Read>>>()
    };
    let read = tokio::task::spawn_blocking(work).await;
    drop(off);
    read.map_err(|e| Error::new(Kind::Internal, "reading the layer died").with_source(e))?
}

/// The snapshot with an image's uppermost layer, if the runtime says which that is.
async fn top(runtime: &dyn Runtime, image: &str) -> Result<Option<ObjectRef>> {
    let status = runtime.inspect(&ObjectRef::Image(image.to_owned())).await?;
    let Some(chain) = status.pointer("/info/chainID").and_then(serde_json::Value::as_str) else {
        return Ok(None);
    };
    let seen = runtime.inventory(Scope { snapshots: true, ..Scope::default() }).await.snapshots;
    let is = |s: &&SnapshotRow| s.key == chain && s.namespace == "k8s.io";
    let found = match &seen {
        Seen::At { value, .. } => value.iter().find(is).map(|s| ObjectRef::Snapshot {
            snapshotter: s.snapshotter.clone(),
            namespace: s.namespace.clone(),
            key: s.key.clone(),
        }),
        other => bail!(Unavailable, "list the snapshots: {}", other.error().unwrap_or("not asked")),
    };
    if found.is_none() {
        bail!(NotFound, "image {image} is not unpacked: there is no snapshot {chain}");
    }
    Ok(found)
}

pub fn lines(all: &[Read]) -> Vec<DetailLine> {
    let marks = "+ added   ~ changed   - removed; directories with all that is in them";
    let mut out = vec![DetailLine { indent: 1, key: SafeText::default(), text: marks.into(), tone: Tone::Dim }];
    for (key, layer) in all {
        one(&mut out, key, layer);
    }
    out
}

fn one(out: &mut Vec<DetailLine>, key: &str, layer: &Layer) {
    let line = |key: &str, text: SafeText, tone| DetailLine { indent: 1, key: key.into(), text, tone };
    let head = |key: &str| DetailLine { indent: 0, key: key.into(), text: SafeText::default(), tone: Tone::Head };
    out.push(head(&format!("Layer {key}")));
    let partial = if layer.partial { ", and more: not all of it was read" } else { "" };
    let sum = format!("{} in {} files and directories{partial}", text::bytes(layer.bytes), layer.files);
    out.push(line("sum", sum.into(), if layer.partial { Tone::Warn } else { Tone::Plain }));
    let entry = |found: &Found| {
        let (what, tone) = match (found.changes, found.directory) {
            // A directory is there again for what is in it.
            (true, true) => (" ", Tone::Dim),
            (true, false) => ("~", Tone::Warn),
            (false, _) => ("+", Tone::Plain),
        };
        let inside = if found.directory { format!("/  ({} inside)", found.files - 1) } else { String::new() };
        let path = SafeText::of_bytes(&found.path);
        line(&format!("{what} {:>7}", text::bytes_short(found.bytes)), format!("{path}{inside}").into(), tone)
    };
    out.extend(layer.found.iter().map(entry));
    if layer.more > 0 {
        out.push(line("", format!("… and {} smaller ones", layer.more).into(), Tone::Dim));
    }
    for path in &layer.removed {
        let text = match path.strip_suffix(b"/") {
            Some(all) => format!("{}/  (all that the layers below have in it)", SafeText::of_bytes(all)),
            None => SafeText::of_bytes(path).to_string(),
        };
        out.push(line("-", text.into(), Tone::Bad));
    }
    if layer.more_removed > 0 {
        out.push(line("", format!("… and {} more are removed", layer.more_removed).into(), Tone::Dim));
    }
    if layer.files == 0 && layer.removed.is_empty() {
        out.push(line("", "nothing is added, changed or removed".into(), Tone::Dim));
    }
}
