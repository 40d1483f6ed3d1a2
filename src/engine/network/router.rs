//! Who attaches a pod: CNI if the node has configuration, the built-in network if it has none.
//!
//! Work runs in tasks of its own: a caller that goes away in the middle leaves no half-made attachment.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    future::Future,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::task::{spawn, spawn_blocking};

use super::{
    Attachment, IFNAME, MADE_BY, Network, NetworkConfig, PodNetwork,
    builtin::{self, Builtin},
    cni::{self, Cni, conf},
    netns,
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

pub(super) struct Router {
    config: Arc<NetworkConfig>,
    builtin: Arc<Builtin>,
    cni: Arc<Cni>,
    loader: conf::Loader,
    locks: Locks,
    /// Open for who adds or deletes a pod, closed by GC (CNI spec 1.1.0, "Lifecycle & Ordering").
    gate: Arc<tokio::sync::RwLock<()>>,
    /// Whether pods that have ended are going to be buried.
    burying: Arc<AtomicBool>,
    status: tokio::sync::Mutex<Option<Status>>,
}

/// What plugins said of themselves.
struct Status {
    of: Arc<conf::List>,
    at: Instant,
    said: std::result::Result<(), (Kind, String)>,
}

/// How long it is believed: shorter than the kubelet's interval, longer than a burst of callers.
const STATUS_LIFE: Duration = Duration::from_secs(1);

/// Between two tries to bury pods.
const AGAIN: Duration = Duration::from_secs(10);

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").field("config", &self.config).finish_non_exhaustive()
    }
}

/// One task at a time for each pod.
#[derive(Default)]
struct Locks(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Locks {
    async fn lock(&self, pod: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, lock| Arc::strong_count(lock) > 1);
            all.entry(pod.to_owned()).or_default().clone()
        };
        lock.lock_owned().await
    }
}

impl Router {
    pub(super) fn new(config: NetworkConfig) -> Self {
        let config = Arc::new(config);
        Self {
            builtin: Arc::new(Builtin::new(config.clone())),
            cni: Arc::new(Cni::new(config.clone())),
            loader: conf::Loader::default(),
            locks: Locks::default(),
            gate: Arc::default(),
            burying: Arc::default(),
            status: tokio::sync::Mutex::default(),
            config,
        }
    }

    /// `Ok(None)`: this node has no CNI configuration. A directory that was named for a handler must have some.
    fn list(&self, handler: &str) -> Result<Option<Arc<conf::List>>> {
        if self.config.builtin_only {
            return Ok(None);
        }
        let own = self.config.handler_conf_dirs.get(handler);
        let list = self.loader.current(own.unwrap_or(&self.config.cni_conf_dir))?;
        match (&list, own) {
            (Some(list), _) => self.cni.find_all(list)?,
            (None, None) => {}
            (None, Some(directory)) => {
                let directory = directory.display();
                bail!(FailedPrecondition, "there is no CNI configuration for handler {handler} in {directory}")
            }
        }
        Ok(list)
    }

    /// Every list that is configured, each network once.
    fn lists(&self) -> Vec<Result<Arc<conf::List>>> {
        let handlers = [""].into_iter().chain(self.config.handler_conf_dirs.keys().map(String::as_str));
        let mut names = HashSet::new();
        let lists = handlers.filter_map(|handler| self.list(handler).transpose());
        lists.filter(|list| list.as_ref().map_or(true, |list| names.insert(list.name().to_owned()))).collect()
    }

    /// Asks the plugins, one caller at a time; who waited, or comes within a second, is told the same.
    async fn status(&self, list: &Arc<conf::List>) -> Result<()> {
        let mut last = self.status.lock().await;
        if let Some(Status { of, at, said }) = &*last
            && Arc::ptr_eq(of, list)
            && at.elapsed() < STATUS_LIFE
        {
            return said.clone().map_err(|(kind, text)| Error::new(kind, text));
        }
        let said = self.cni.status(list).await.context(|| format!("CNI network {} is not ready", list.name()));
        let kept = said.as_ref().copied().map_err(|error| (error.kind(), format!("{error:#}")));
        *last = Some(Status { of: Arc::clone(list), at: Instant::now(), said: kept });
        said
    }

    /// The interfaces of pods that have ended go when there is time.
    fn bury_soon(&self) {
        if self.builtin.is_due().is_none() || self.burying.swap(true, Ordering::SeqCst) {
            return;
        }
        let (builtin, burying) = (Arc::clone(&self.builtin), Arc::clone(&self.burying));
        spawn(async move {
            loop {
                let mut rest = builtin::QUIET;
                if builtin.is_due() == Some(true) {
                    let builtin = Arc::clone(&builtin);
                    if let Err(error) = blocking(move || builtin.bury()).await {
                        tracing::warn!("{error:#}");
                        rest = AGAIN;
                    }
                }
                // Whoever ends just now finds that nobody buries, or is found here.
                burying.store(false, Ordering::SeqCst);
                if builtin.is_due().is_none() || burying.swap(true, Ordering::SeqCst) {
                    return;
                }
                tokio::time::sleep(rest).await;
            }
        });
    }

    pub(super) async fn retain(&self, alive: &[String]) -> Result<Vec<String>> {
        let builtin = self.builtin.clone();
        let ids = alive.to_vec();
        let mut freed = blocking(move || builtin.retain(&ids.iter().map(String::as_str).collect::<Vec<_>>())).await?;
        for id in self.cni.recorded()? {
            if !alive.contains(&id) {
                self.cni.detach_recorded(&id, Path::new(""), None).await.context(|| format!("detach pod {id}"))?;
                freed.push(id);
            }
        }
        Ok(freed)
    }

    pub(super) async fn destroy(&self) -> Result<()> {
        let builtin = self.builtin.clone();
        blocking(move || builtin.destroy()).await
    }
}

#[async_trait]
impl Network for Router {
    fn name(&self) -> &'static str {
        match self.list("") {
            Ok(None) => builtin::NAME,
            _ => cni::NAME,
        }
    }

    async fn attach(&self, netns: &Path, pod: &PodNetwork) -> Result<Attachment> {
        cni::validate(pod)?;
        let (netns, pod, guard) = (netns.to_owned(), pod.clone(), self.locks.lock(&pod.id).await);
        let doing = format!("attach pod {} to the network", pod.id);
        let attached = match self.list(&pod.handler) {
            Err(error) => Err(error),
            Ok(None) => {
                let builtin = self.builtin.clone();
                blocking(move || {
                    let _guard = guard;
                    if pod.ingress_bits.is_some() || pod.egress_bits.is_some() {
                        tracing::warn!(pod = pod.id, "the built-in network does not limit bandwidth");
                    }
                    builtin.attach(&netns, &pod)
                })
                .await
            }
            Ok(Some(list)) => {
                let (cni, gate) = (self.cni.clone(), Arc::clone(&self.gate));
                task(async move {
                    let (_guard, _open) = (guard, gate.read_owned().await);
                    let loopback = netns.clone();
                    blocking(move || netns::inside(&loopback, || super::link::Links::open()?.up("lo"))).await?;
                    cni.attach(&list, &netns, &pod).await
                })
                .await
            }
        };
        attached.context(|| doing)
    }

    async fn detach(&self, netns: &Path, pod: &PodNetwork, attachment: Option<&Attachment>) -> Result<()> {
        cni::validate(pod)?;
        let guard = self.locks.lock(&pod.id).await;
        let (builtin, cni, id) = (self.builtin.clone(), self.cni.clone(), pod.id.clone());
        let by_cni = attachment.filter(|a| made_by_cni(a)).map(|a| a.result.clone());
        let doing = format!("detach pod {id} from the network");
        let (netns, gate) = (netns.to_owned(), Arc::clone(&self.gate));
        let detached = task(async move {
            let (_guard, _open) = (guard, gate.read_owned().await);
            // Both keep a record from before the first change until after the last: who has none did nothing.
            cni.detach_recorded(&id, &netns, by_cni.as_ref()).await?;
            if by_cni.is_some() { Ok(()) } else { blocking(move || builtin.detach(&id, &netns)).await }
        });
        detached.await.context(|| doing)?;
        self.bury_soon();
        Ok(())
    }

    async fn settle(&self) -> Result<()> {
        if self.builtin.is_due().is_none() {
            return Ok(());
        }
        let builtin = Arc::clone(&self.builtin);
        blocking(move || builtin.bury()).await
    }

    async fn check(&self, netns: &Path, pod: &PodNetwork, attachment: &Attachment) -> Result<()> {
        cni::validate(pod)?;
        if made_by_cni(attachment) {
            let list = match self.cni.recorded_list(&pod.id)? {
                Some(list) => list,
                None => self
                    .list(&pod.handler)?
                    .ok_or_else(|| Error::new(Kind::FailedPrecondition, "CNI configuration is gone"))?,
            };
            return self.cni.check(&list, netns, pod, &attachment.result).await;
        }
        let (builtin, netns, pod) = (self.builtin.clone(), netns.to_owned(), pod.clone());
        blocking(move || builtin.check(&netns, &pod)).await
    }

    async fn ready(&self) -> Result<()> {
        match self.list("")? {
            Some(list) => self.status(&list).await,
            None => self.builtin.ready(),
        }
    }

    fn loaded(&self, handler: &str) -> Result<()> {
        match self.list(handler)? {
            Some(_) => Ok(()),
            None => self.builtin.ready(),
        }
    }

    fn describe(&self, handler: &str) -> Value {
        let list = self.list(handler);
        let mut about = match &list {
            Ok(None) => json!({ "network": builtin::NAME, "builtIn": self.builtin.describe() }),
            Ok(Some(list)) => json!({ "network": cni::NAME, "cni": list.describe() }),
            Err(error) => json!({ "network": cni::NAME, "loadError": format!("{error:#}") }),
        };
        let directory = self.config.handler_conf_dirs.get(handler).unwrap_or(&self.config.cni_conf_dir);
        about["cniConfDir"] = json!(directory);
        about["cniBinDirs"] = json!(self.config.cni_bin_dirs);
        // The names go-cni has for the same, which scripts ask for.
        about["PluginConfDir"] = json!(directory);
        about["PluginDirs"] = json!(self.config.cni_bin_dirs);
        about["PluginMaxConfNum"] = json!(1);
        about["Prefix"] = json!(IFNAME.trim_end_matches('0'));
        if let Ok(Some(list)) = list {
            // go-cni brings the loopback up by a plugin, and lists that first. Ours needs none.
            let loopback = json!({ "CNIVersion": "0.3.1", "Name": "cni-loopback",
                "Plugins": [{ "Network": { "type": "loopback", "ipam": {}, "dns": {} } }] });
            about["Networks"] = json!([{ "Config": loopback, "IFName": "lo" }, list.as_go_cni(IFNAME)]);
        }
        about
    }

    async fn collect(&self) -> Result<()> {
        // Whoever adds or deletes a pod comes before, and then is in the records or no more, or after.
        let _closed = Arc::clone(&self.gate).write_owned().await;
        let cni = Arc::clone(&self.cni);
        let mut attached = blocking(move || cni.attached()).await.context(|| "read CNI records".to_owned())?;
        let mut failed = Ok(());
        let mut done = |name: &str, outcome: Result<()>| {
            let outcome = outcome.context(|| format!("collect garbage of CNI network {name}"));
            if let Err(error) = outcome {
                match &failed {
                    Ok(()) => failed = Err(error),
                    Err(_) => tracing::warn!("{error:#}"),
                }
            }
        };
        for list in self.lists() {
            match list {
                Ok(list) => {
                    let pods = attached.remove(list.name()).map(|(_, pods)| pods).unwrap_or_default();
                    done(list.name(), self.cni.gc(&list, &pods).await);
                }
                // It is somebody else's to say, and says nothing of the networks that pods are on.
                Err(error) => tracing::debug!("no garbage is collected by a list that is not loaded: {error:#}"),
            }
        }
        // Networks that are configured no more and still have pods.
        for (name, (list, pods)) in attached {
            done(&name, self.cni.gc(&list, &pods).await);
        }
        failed
    }
}

fn made_by_cni(attachment: &Attachment) -> bool {
    attachment.result.get(MADE_BY).and_then(Value::as_str) == Some(cni::NAME)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    joined(spawn_blocking(work).await)
}

async fn task<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    joined(spawn(work).await)
}

fn joined<T>(done: Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    done.unwrap_or_else(|error| Err(Error::new(Kind::Internal, "network task ended early").with_source(error)))
}
