//! The snapshots of others: what a containerd keeps here by the snapshots API (`service`).
//!
//! They are in directories and under rows of their own, apart from those of the engine's images: a containerd removes every
//! snapshot of its snapshotter that it does not know. Nothing here is garbage until its client removes it. Each name that
//! clients use for the snapshotter is a *shelf*: `<root>/served/<name>/<driver>`, so that two containerds that use two names
//! do not clear each other's.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::Mutex;

use super::{DRIVERS, Local, choose};
use crate::{
    bail,
    engine::metadata::Db,
    error::{Context, Error, Kind, Result},
};

/// What the rows of clients' snapshots are kept under, before the shelf's name.
pub const SERVED: &str = "served/";
/// The shelf whose driver is the engine's; names that begin so are shelves as well.
const OURS: &str = "wharf";
/// A thin pool is the engine's alone.
const FOR_OTHERS: [&str; 5] = ["overlayfs", "btrfs", "zfs", "native", "erofs"];
/// Shelves of one root.
const SHELVES: usize = 16;

#[derive(Debug)]
pub struct Clients {
    root: PathBuf,
    db: Arc<Db>,
    /// The driver of the engine's own images, if it is of this machine.
    own: Option<String>,
    open: Mutex<HashMap<String, Local>>,
}

impl Clients {
    /// Opens the shelves there are below `root` and puts right what a crash left in them. One that cannot be used is told in
    /// the log, and to whoever asks for it.
    pub async fn open(root: &Path, own: Option<String>, db: Arc<Db>) -> Result<Self> {
        let own = own.filter(|name| FOR_OTHERS.contains(&name.as_str()));
        let clients = Self { root: root.to_owned(), db, own, open: Mutex::default() };
        for name in names(root)? {
            if let Err(error) = clients.named(&name, false).await {
                tracing::error!("the snapshots of others in {}: {error:#}", root.join(&name).display());
            }
        }
        Ok(clients)
    }

    /// The shelf of that name; one that is not there is made, if `make` says so.
    ///
    /// # Errors
    /// `InvalidArgument` if the name is none of a shelf, `NotFound` if it is not there and not to be made.
    pub async fn named(&self, name: &str, make: bool) -> Result<Local> {
        let mut open = self.open.lock().await;
        if let Some(found) = open.get(name) {
            return Ok(found.clone());
        }
        let wanted = driver_of(name)?;
        let root = self.root.join(name);
        if !make && !root.exists() {
            bail!(NotFound, "nothing is kept here for snapshotter {name:?} yet");
        }
        if open.len() >= SHELVES {
            bail!(ResourceExhausted, "there are {SHELVES} snapshotters for clients already: use one of them");
        }
        let (own, db, space) = (self.own.clone(), Arc::clone(&self.db), format!("{SERVED}{name}"));
        let local = tokio::task::spawn_blocking(move || {
            // What it was begun with, whatever the engine uses by now.
            let used =
                DRIVERS.iter().map(|driver| driver(&root, None).name().to_owned()).find(|d| root.join(d).is_dir());
            let wanted = used.or_else(|| wanted.map(ToOwned::to_owned)).or(own);
            fs::create_dir_all(&root).context(|| format!("create {}", root.display()))?;
            choose(&root, None, wanted.as_deref()).map(|driver| Local::apart(driver, space, db))
        })
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "opening a snapshotter died").with_source(e)))?;
        let report = local.recover().await?;
        tracing::info!(snapshotter = name, ?report, "serving snapshots to others");
        open.insert(name.to_owned(), local.clone());
        Ok(local)
    }
}

/// Shelves that are there.
fn names(root: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.context(|| format!("list {}", root.display()))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.context(|| format!("list {}", root.display()))?.file_name();
        found.extend(name.into_string().ok().filter(|name| driver_of(name).is_ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// What a shelf's name says of its driver: the driver's own name, "wharf", or "wharf-" and something that may end in one.
fn driver_of(name: &str) -> Result<Option<&'static str>> {
    let rest = match name.strip_prefix(OURS) {
        Some("") => return Ok(None),
        Some(rest) => rest.strip_prefix('-').unwrap_or_default(),
        None => name,
    };
    let plain = rest.len() <= 60 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let driver = FOR_OTHERS.into_iter().find(|driver| rest == *driver || rest.ends_with(&format!("-{driver}")));
    let own = name.starts_with(OURS);
    if !plain || rest.is_empty() || !(own || driver == Some(rest)) {
        let shown: String = name.chars().take(60).collect();
        bail!(
            InvalidArgument,
            "there is no snapshotter {shown:?} here: call it {OURS}, {OURS}-NAME, or by its driver ({})",
            FOR_OTHERS.join(", ")
        );
    }
    Ok(driver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_s_name_says_its_driver() {
        for (name, driver) in [
            ("wharf", None),
            ("wharf-two", None),
            ("native", Some("native")),
            ("wharf-native", Some("native")),
            ("wharf-two-erofs", Some("erofs")),
        ] {
            assert_eq!(driver_of(name).unwrap(), driver, "{name}");
        }
        for bad in ["", "stargz", "wharf-", "wharfs", "wharf-../x", "two-native", "wharf-\u{1b}", "Wharf", "/"] {
            assert!(driver_of(bad).is_err_and(|e| e.is(Kind::InvalidArgument)), "{bad}");
        }
        let all: Vec<String> = DRIVERS.iter().map(|make| make(Path::new("/"), None).name().to_owned()).collect();
        let served = |name: &str| driver_of(name).is_ok_and(|driver| driver == Some(name));
        assert!(all.iter().all(|name| served(name) == (name != "devmapper")), "{all:?}");
    }
}
