//! What a crash left in the stores and on the machine, put right before anything uses them (docs/architecture.md,
//! "Recovery"). What a crash did to pods and containers that have a record is `cri`'s.

use std::{collections::HashSet, fs, io::ErrorKind, path::Path, sync::Arc};

use super::{
    content::Content,
    crash,
    metadata::{Db, Table},
    network::{self, NetworkConfig, netns},
    shim::Shims,
    snapshot::{self, Local},
};
use crate::error::{Context, Error, Kind, Result};

/// What was found and put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Files of content without a row, and rows without a file.
    pub stray_blobs: (u64, u64),
    /// Snapshots that were half made, and directories without a row.
    pub stray_snapshots: (usize, usize),
    /// Places where a layer was being unpacked on top of its parents.
    pub scratch: usize,
    pub images: usize,
}

/// Idempotent; a crash inside is recovered by the next call.
pub async fn storage(db: &Arc<Db>, content: &Content, snapshots: &Local, scratch: &Path) -> Result<Report> {
    let (store, rows, scratch) = (content.clone(), Arc::clone(db), scratch.to_owned());
    crash::point("rec.1");
    let (scratch, stray_blobs, images) =
        tokio::task::spawn_blocking(move || Ok((clear(&scratch)?, store.recover()?, rows.images()?.len())))
            .await
            .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "the recovery died").with_source(e)))?;
    crash::point("rec.2");
    let stray_snapshots = snapshots.recover().await?;
    crash::point("rec.3");
    Ok(Report { stray_blobs, stray_snapshots, scratch, images })
}

/// Unmounts and removes what is in the directory; how many that were.
fn clear(scratch: &Path) -> Result<usize> {
    let entries = match fs::read_dir(scratch) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        other => other.context(|| format!("list {}", scratch.display()))?,
    };
    let mut cleared = 0;
    for entry in entries {
        let point = entry.context(|| format!("list {}", scratch.display()))?.path();
        snapshot::unmount(&point)?;
        fs::remove_dir(&point).context(|| format!("remove {}", point.display()))?;
        cleared += 1;
    }
    Ok(cleared)
}

/// Ends what has no record any more, as after the loss of the database: shims and their containers, mounts, network
/// namespaces, addresses. The kubelet makes such pods anew, and two of one must not run. A shim that does not answer
/// is left alone. Returns how many pods and namespaces that were.
pub async fn orphans(db: &Db, shims: &dyn Shims, state: &Path, network: NetworkConfig) -> Result<usize> {
    let known: HashSet<String> = db.ids(Table::Sandboxes)?.into_iter().collect();
    let mut ended = 0;
    for id in strangers(&state.join("pods"), &known)? {
        let directory = state.join("pods").join(&id);
        let shim = directory.join("shim");
        let task = match shims.reconnect(&shim).await {
            Ok(task) => task,
            Err(error) if error.is(Kind::NotFound) => shims.remains(&shim),
            Err(error) => {
                tracing::warn!(pod = id, "it has no record, and its shim does not answer: {error:#}");
                continue;
            }
        };
        task.shutdown().await.context(|| format!("end what is left of pod {id}, which has no record"))?;
        unmount_below(&directory)?;
        fs::remove_dir_all(&directory).context(|| format!("remove {}", directory.display()))?;
        tracing::warn!(pod = id, "it had no record and was ended");
        ended += 1;
    }
    for id in strangers(&state.join("netns"), &known)? {
        netns::delete(&state.join("netns").join(&id))?;
        ended += 1;
    }
    let known: Vec<String> = known.into_iter().collect();
    Ok(ended + network::retain(network, &known).await?.len())
}

/// Names in a directory that are none of `known`.
fn strangers(directory: &Path, known: &HashSet<String>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).context(|| format!("list {}", directory.display()))? {
        let name = entry.context(|| format!("list {}", directory.display()))?.file_name();
        found.extend(name.into_string().ok().filter(|n| !known.contains(n)));
    }
    Ok(found)
}

/// The innermost first.
fn unmount_below(directory: &Path) -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo").context(|| "read /proc/self/mountinfo".to_owned())?;
    let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    let below: Vec<&Path> = points.filter(|p| p.starts_with(directory)).collect();
    below.into_iter().rev().try_for_each(snapshot::unmount)
}
