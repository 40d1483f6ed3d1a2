//! `wharf --demo`: the engine on a temporary root, images made from this very program, and a few pods, some of them in
//! trouble, so that every pane has something to show. Nothing is fetched, and nothing is left at the end. What a demo
//! that was killed left is removed by the next one (`dead.rs`).

mod app;
mod dead;
mod images;
mod pods;
mod shell;

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use app::main as app_main;
pub use shell::main as shell_main;

use crate::{
    bail,
    client::{Cri, embedded, types::Mode},
    engine::{Config, Engine, cgroup::Cgroup, network},
    error::{Context, Error, Kind, Result},
};

/// Hears in one line what is being done; called from any thread.
pub type Tell = Arc<dyn Fn(String) + Send + Sync>;

/// A demo's directory is this and the pid of its program.
const PREFIX: &str = "wharf-demo-";

/// A running demonstration.
#[derive(Debug)]
pub struct Demo {
    runtime: Arc<Cri>,
    engine: Arc<Engine>,
    directory: PathBuf,
    stop: CancellationToken,
    /// Makes the images and the pods, then does what the kubelet does on a real node: starts what has died again, tries
    /// pulls again.
    keeper: JoinHandle<()>,
    populated: Option<oneshot::Receiver<Result<()>>>,
}

impl Demo {
    /// # Errors
    /// `PermissionDenied` if not root.
    pub fn may_start() -> Result<()> {
        if !rustix::process::geteuid().is_root() {
            bail!(PermissionDenied, "the demo runs real containers and needs root: sudo wharf --demo");
        }
        Ok(())
    }

    /// The engine is up when this returns; images and pods follow, and `tell` hears of each.
    ///
    /// # Errors
    /// `PermissionDenied` if not root; whatever keeps the engine from starting.
    pub async fn start(read_only: bool, tell: Tell) -> Result<Self> {
        Self::may_start()?;
        let directory = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        // Of a demo that was killed and had our pid.
        dead::sweep(&directory).await?;
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .map_err(|e| Error::io("create", &directory, e).context("make the demo's directory"))?;
        match Self::open(&directory, read_only, tell).await {
            Ok(demo) => Ok(demo),
            Err(error) => Err(error.and_cleanup(remove(&directory))),
        }
    }

    async fn open(directory: &Path, read_only: bool, tell: Tell) -> Result<Self> {
        let config = config(directory, std::process::id())?;
        let engine = Engine::open(config).await.context(|| "start the demo's engine".to_owned())?;
        // The demo itself changes things; what the person sees may still be read-only.
        let hands = embedded::over(Arc::clone(&engine), Mode::Demo, false).await?;
        let runtime = Arc::new(embedded::over(Arc::clone(&engine), Mode::Demo, read_only).await?);
        let stop = CancellationToken::new();
        let (done, populated) = oneshot::channel();
        let making = Making { engine: Arc::clone(&engine), hands, logs: directory.join("logs"), tell, stop };
        let stop = making.stop.clone();
        let keeper = tokio::spawn(making.run(done));
        let directory = directory.to_owned();
        Ok(Self { runtime, engine, directory, stop, keeper, populated: Some(populated) })
    }

    /// Waits until every pod was started.
    ///
    /// # Errors
    /// What kept one of them from it.
    pub async fn populated(&mut self) -> Result<()> {
        let Some(populated) = self.populated.take() else { return Ok(()) };
        populated.await.unwrap_or_else(|_| bail!(Cancelled, "the demo was ended before it was complete"))
    }

    pub fn runtime(&self) -> Arc<Cri> {
        Arc::clone(&self.runtime)
    }

    /// Ends every process and removes every mount, cgroup, namespace and file.
    ///
    /// # Errors
    /// What could not be removed.
    pub async fn end(self) -> Result<()> {
        // What the keeper has begun, it finishes: a pod started after the list below would be left.
        self.stop.cancel();
        let kept = self.keeper.await;
        let ended = end(self.engine, &self.directory).await;
        match kept {
            Ok(()) => ended,
            Err(died) => Err(Error::new(Kind::Internal, "making the demo died").with_source(died).and_cleanup(ended)),
        }
    }
}

/// Ends a demo's pods and removes all it has, whoever started it.
async fn end(engine: Arc<Engine>, directory: &Path) -> Result<()> {
    let hands = embedded::over(Arc::clone(&engine), Mode::Demo, false).await?;
    pods::remove_all(&hands).await?;
    network::destroy(engine.config.network.clone()).await?;
    let parent = engine.config.cgroup_parent.clone();
    tokio::task::spawn_blocking(move || Cgroup::new(parent)?.delete())
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "removing the cgroup died").with_source(e)))?;
    // The collection after the last pod's removal would put files where they are being removed.
    let _alone = engine.without_collections().await;
    remove(directory)
}

/// The part of a demo that works in the background.
struct Making {
    engine: Arc<Engine>,
    hands: Cri,
    logs: PathBuf,
    tell: Tell,
    stop: CancellationToken,
}

impl Making {
    async fn run(self, done: oneshot::Sender<Result<()>>) {
        dead::sweep_all(&self.tell).await;
        match self.populate().await {
            Ok(crashing) => {
                // Whoever does not wait for it need not hear of it.
                let _nobody = done.send(Ok(()));
                (self.tell)("demo: five pods run; payments crashes, ledger finds no image, as they should".to_owned());
                pods::keep(&self.hands, crashing, &self.tell, &self.stop).await;
            }
            Err(error) => {
                if !error.is(Kind::Cancelled) {
                    (self.tell)(format!("demo: {error:#}"));
                }
                let _nobody = done.send(Err(error));
            }
        }
    }

    /// Before each step: says what it is, unless the demo is to end.
    fn step(&self, what: &str) -> Result<()> {
        if self.stop.is_cancelled() {
            bail!(Cancelled, "the demo was ended");
        }
        (self.tell)(format!("demo: {what}"));
        Ok(())
    }

    /// Each pod as soon as its image is there, so that there is something to see early.
    async fn populate(&self) -> Result<pods::Crashing> {
        let parent = self.engine.config.cgroup_parent.clone();
        let pods = pods::Pods { cri: &self.hands, logs: &self.logs, parent: &parent };
        self.step("making the first image from this program")?;
        let images = images::Maker::new(&self.engine.puller).await?;
        images.app("shop/web:2.3", "web").await?;
        self.step("starting pod web")?;
        let web = pods.pod("shop", "web-5f7c9").await?;
        pods.container(&web, "web", "shop/web:2.3", 128, json!([])).await?;
        images.app("shop/load:1.0", "load").await?;
        pods.container(&web, "traffic", "shop/load:1.0", 128, json!([])).await?;
        self.step("starting pod payments, which will crash")?;
        images.app("billing/payments:0.9", "crash").await?;
        let payments = pods.pod("billing", "payments-66b9f").await?;
        let crashing = pods.crashing(payments, "payments", "billing/payments:0.9").await?;
        self.step("starting pod cache, which will fill its memory")?;
        images.app("shop/cache:7.2", "cache").await?;
        let cache = pods.pod("shop", "cache-0").await?;
        let memory = json!([{ "key": "CACHE_MIB", "value": "56" }]);
        pods.container(&cache, "cache", "shop/cache:7.2", 64, memory).await?;
        self.step("starting pod report, which will fill its disk")?;
        images.app("jobs/report:1.4", "report").await?;
        let report = pods.pod("jobs", "report-29384").await?;
        pods.container(&report, "report", "jobs/report:1.4", 256, json!([])).await?;
        self.step("starting pod ledger, whose image nobody serves")?;
        pods.waiting("billing", "ledger-7d4b8").await?;
        self.step("making an image that nothing uses")?;
        images.unused("ml/old-model:2024").await?;
        Ok(crashing)
    }
}

/// Of the demo of process `pid`.
fn config(directory: &Path, pid: u32) -> Result<Config> {
    let mut config = Config::new(&directory.join("lib"), &directory.join("run"));
    config.cgroup_parent = format!("/{PREFIX}{pid}");
    config.network.builtin_only = true;
    config.network.bridge = format!("wdemo{pid}");
    config.network.table = format!("{PREFIX}{pid}");
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
