//! Facts of the machine, read from a root path so that a captured node can be read the same way. Nothing here judges.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

pub mod bolt;
pub mod bundles;
pub mod cgroup;
pub mod cni;
pub mod command;
pub mod containerd;
pub mod disk;
pub mod firewall;
pub mod gpu;
pub mod host;
pub mod journal;
pub mod kernel;
pub mod kubelet;
pub mod layer;
pub mod limits;
pub mod meter;
pub mod mounts;
pub mod net;
pub mod pressure;
pub mod process;
pub mod programs;
pub mod shares;
pub mod storage;
pub mod target;
pub mod unit;
pub mod usage;

/// One observation: not asked for, tried and failed, or seen at a time and from a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Seen<T> {
    #[default]
    NotAsked,
    Failed {
        error: String,
        at: SystemTime,
    },
    At {
        value: T,
        at: SystemTime,
        source: String,
    },
}

impl<T> Seen<T> {
    /// Seen now, or failed now.
    pub fn now(result: Result<T>, source: impl Into<String>) -> Self {
        let at = SystemTime::now();
        match result {
            Ok(value) => Self::At { value, at, source: source.into() },
            Err(error) => Self::Failed { error: format!("{error:#}"), at },
        }
    }

    pub fn value(&self) -> Option<&T> {
        match self {
            Self::At { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Failed { error, .. } => Some(error),
            _ => None,
        }
    }

    pub fn source(&self) -> &str {
        match self {
            Self::At { source, .. } => source,
            _ => "",
        }
    }
}

/// Does blocking work on a thread of its own and waits for it no longer than `limit`: a read of /proc, a stat of a dead
/// NFS mount or a name lookup may hang for ever, and that it hangs is worth knowing. The thread is left behind then.
///
/// # Errors
/// What the work reports; `DeadlineExceeded` if it does not end in time.
pub async fn within<T: Send + 'static>(
    limit: Duration,
    what: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (send, receive) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("probe".to_owned());
    // Nobody listens any more once the time is over.
    let spawned = thread.spawn(move || drop(send.send(work())));
    spawned.map_err(|e| Error::new(Kind::ResourceExhausted, format!("{what}: start a thread")).with_source(e))?;
    match tokio::time::timeout(limit, receive).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::new(Kind::Internal, format!("{what}: the probe died"))),
        Err(_) => {
            let text = format!("{what}: it hangs; no answer in {} s", limit.as_secs_f32());
            Err(Error::new(Kind::DeadlineExceeded, text))
        }
    }
}

/// `path` of the node as it is found below `root`; `/` for the machine itself.
pub fn below(root: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The most of one file of the node that is read; configs and /proc files are far smaller.
const FILE: u64 = 4 << 20;

/// The text of a file, bounded.
///
/// # Errors
/// That of the open or the read, with the path.
pub fn read(path: &Path) -> Result<String> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut bytes = Vec::new();
    file.take(FILE).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As [`read`]; `None` if there is no such file.
///
/// # Errors
/// Any other failure than that.
pub fn read_if_there(path: &Path) -> Result<Option<String>> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is(Kind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hang_is_an_answer() {
        let seen = within(Duration::from_millis(30), "stat /nfs", || {
            std::thread::sleep(Duration::from_secs(5));
            Ok(1)
        });
        let error = seen.await.unwrap_err();
        assert!(error.is(Kind::DeadlineExceeded) && error.to_string().contains("stat /nfs: it hangs"), "{error:#}");
        assert_eq!(within(Duration::from_secs(5), "x", || Ok(1)).await.unwrap(), 1);
    }

    #[test]
    fn a_captured_node_is_read_below_its_root() {
        assert_eq!(below(Path::new("/"), "/etc/x"), Path::new("/etc/x"));
        assert_eq!(below(Path::new("/cap"), "/etc/x"), Path::new("/cap/etc/x"));
    }
}
