//! What an engine keeps on its root directory, opened and put right: lock, database, content, snapshots, and the puller
//! that fills them. The engine is these and its pods; a repair needs only these.

use std::{
    fs,
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use super::{
    Config,
    content::Content,
    image::pull::{LEASE, Puller},
    metadata::Db,
    recover,
    snapshot::{self, Clients, Local, Snapshotter},
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

pub struct Stores {
    pub db: Arc<Db>,
    pub content: Content,
    pub snapshotter: Arc<dyn Snapshotter>,
    /// What others keep here.
    pub clients: Arc<Clients>,
    pub puller: Puller,
    /// Held as long as the stores are open.
    pub lock: fs::File,
}

impl Stores {
    /// Opens the root and repairs what a crash left in it.
    pub async fn open(config: &Config) -> Result<Self> {
        keep_to_ourselves()?;
        prepare(config)?;
        let lock = lock(&config.root)?;
        let db = Arc::new(Db::open(&config.root.join("meta.db"))?);
        let content = Content::open(&config.root.join("content"), Arc::clone(&db))?;
        let scratch = config.root.join("scratch");
        let snapshots = config.root.join("snapshots");
        let local = snapshotter(config, &snapshots, &db)?;
        let own = Some(local.name().to_owned()).filter(|_| !local.is_remote());
        // Whoever held one is dead: these stores are the only ones here, and they have just been opened.
        db.abandon(None, LEASE)?;
        let report = recover::storage(&db, &content, &local, &scratch).await?;
        tracing::info!(?report, "storage recovered");
        let clients = Arc::new(Clients::open(&config.root.join("served"), own, Arc::clone(&db)).await?);
        let snapshotter: Arc<dyn Snapshotter> = Arc::new(local);
        let registry = config.registry.clone();
        let puller = Puller::new(content.clone(), Arc::clone(&db), Arc::clone(&snapshotter), registry, scratch)?;
        Ok(Self { db, content, snapshotter, clients, puller, lock })
    }
}

/// The one that is asked for. If none is: the one that has the root's layers, because images are of no use to another.
fn snapshotter(config: &Config, root: &Path, db: &Arc<Db>) -> Result<Local> {
    let open = |name: Option<&str>| match name.and_then(|name| config.remotes.get_key_value(name)) {
        Some((name, socket)) => snapshot::remote(name, socket, &config.root, Arc::clone(db)),
        None => snapshot::open_with(root, config.thin_pool.as_ref(), name, Arc::clone(db)),
    };
    let used = if config.snapshotter.is_some() { None } else { db.snapshotter_in_use()? };
    match used {
        None => open(config.snapshotter.as_deref()),
        Some(used) => open(Some(&used)).or_else(|error| {
            if !error.is(Kind::FailedPrecondition) {
                return Err(error.context(format!("the layers in {} are of snapshotter {used}", root.display())));
            }
            tracing::error!("images have to be pulled again: their snapshotter does not work any more: {error:#}");
            open(None)
        }),
    }
}

/// Of this process, which is about to hold passwords: no core file of it, however it ends; and what it makes has the modes
/// that its code says, whatever the umask of who started it.
fn keep_to_ourselves() -> Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .context(|| "forbid core files".to_owned())
}

/// The directories with their modes.
fn prepare(config: &Config) -> Result<()> {
    let make = |path: &Path, mode| {
        let made = fs::DirBuilder::new().recursive(true).mode(mode).create(path);
        made.context(|| format!("create {}", path.display()))?;
        // Whatever the umask is, and whoever made it.
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).context(|| format!("chmod {}", path.display()))
    };
    make(&config.root, 0o700)?;
    ["content", "snapshots", "scratch", "served", "network"]
        .iter()
        .try_for_each(|name| make(&config.root.join(name), 0o700))?;
    make(&config.state, 0o711)?;
    ["pods", "netns"].iter().try_for_each(|name| make(&config.state.join(name), 0o711))
}

/// Makes the caller the only one to use the root, until the file is closed.
pub fn lock(root: &Path) -> Result<fs::File> {
    let path = root.join("LOCK");
    let mut lock = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .context(|| format!("open {}", path.display()))?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            bail!(FailedPrecondition, "{} is already in use by pid {}", root.display(), holder.trim());
        }
        Err(error) => return Err(Error::io("lock", &path, error)),
    }
    // Ours to say who holds it. On a full disk there may be no room for that; the lock holds all the same.
    let mine = format!("{}\n", std::process::id());
    let mut text = String::new();
    let told = lock.read_to_string(&mut text).and_then(|_| {
        if text == mine {
            return Ok(());
        }
        lock.set_len(0)?;
        lock.rewind()?;
        lock.write_all(mine.as_bytes())
    });
    if let Err(error) = told {
        tracing::warn!("{} could not be written: {error}", path.display());
    }
    Ok(lock)
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores").field("snapshotter", &self.snapshotter).finish_non_exhaustive()
    }
}
