//! `wharf --demo`: the engine on a temporary root, images made from this very program, and a few pods, some of them in
//! trouble, so that every pane has something to show. Nothing is fetched, and nothing is left at the end.

mod app;
mod images;
mod pods;
mod shell;

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::task::JoinHandle;

pub use app::main as app_main;
pub use shell::main as shell_main;

use crate::{
    bail,
    client::{Cri, embedded, types::Mode},
    engine::{Config, Engine, cgroup::Cgroup, network},
    error::{Context, Error, Kind, Result},
};

/// A running demonstration.
#[derive(Debug)]
pub struct Demo {
    runtime: Arc<Cri>,
    engine: Arc<Engine>,
    directory: PathBuf,
    /// What the kubelet does on a real node: starts what has died again, tries pulls again.
    keeper: JoinHandle<()>,
}

impl Demo {
    /// # Errors
    /// `PermissionDenied` if not root; whatever keeps the engine or the pods from starting.
    pub async fn start(read_only: bool) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!(PermissionDenied, "the demo runs real containers and needs root: sudo wharf --demo");
        }
        let directory = std::env::temp_dir().join(format!("wharf-demo-{}", std::process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .map_err(|e| Error::io("create", &directory, e).context("make the demo's directory"))?;
        match Self::open(&directory, read_only).await {
            Ok(demo) => Ok(demo),
            Err(error) => Err(error.and_cleanup(remove(&directory))),
        }
    }

    async fn open(directory: &Path, read_only: bool) -> Result<Self> {
        let engine = Engine::open(config(directory)?).await.context(|| "start the demo's engine".to_owned())?;
        // The demo itself changes things; what the person sees may still be read-only.
        let hands = Arc::new(embedded::over(Arc::clone(&engine), Mode::Demo, false).await?);
        let runtime = Arc::new(embedded::over(Arc::clone(&engine), Mode::Demo, read_only).await?);
        let (logs, parent) = (directory.join("logs"), engine.config.cgroup_parent.clone());
        let keeper = tokio::spawn(async {});
        let mut demo = Self { runtime, engine, directory: directory.to_owned(), keeper };
        let made = async {
            images::make(&demo.engine.puller).await?;
            pods::start(&hands, &logs, &parent).await
        };
        match made.await {
            Ok(crashing) => {
                demo.keeper = tokio::spawn(pods::keep(hands, crashing));
                Ok(demo)
            }
            Err(error) => Err(error.and_cleanup(demo.end().await)),
        }
    }

    pub fn runtime(&self) -> Arc<Cri> {
        Arc::clone(&self.runtime)
    }

    /// Ends every process and removes every mount, cgroup, namespace and file.
    ///
    /// # Errors
    /// What could not be removed.
    pub async fn end(self) -> Result<()> {
        self.keeper.abort();
        // Aborting takes effect at the next await; a pod started after the list below would be left.
        let _aborted = self.keeper.await;
        let hands = embedded::over(Arc::clone(&self.engine), Mode::Demo, false).await?;
        pods::remove_all(&hands).await?;
        network::destroy(self.engine.config.network.clone()).await?;
        let parent = self.engine.config.cgroup_parent.clone();
        tokio::task::spawn_blocking(move || Cgroup::new(parent)?.delete())
            .await
            .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "removing the cgroup died").with_source(e)))?;
        remove(&self.directory)
    }
}

fn config(directory: &Path) -> Result<Config> {
    let pid = std::process::id();
    let mut config = Config::new(&directory.join("lib"), &directory.join("run"));
    config.cgroup_parent = format!("/wharf-demo-{pid}");
    config.network.builtin_only = true;
    config.network.bridge = format!("wdemo{pid}");
    config.network.table = format!("wharf-demo-{pid}");
    // A network of its own, so that a demo beside a real engine shares no address with it.
    config.network.subnet = format!("10.89.{}.0/24", pid % 254 + 1).parse()?;
    Ok(config)
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", directory, error)),
        _ => Ok(()),
    }
}
