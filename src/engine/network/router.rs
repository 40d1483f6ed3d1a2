//! Who attaches a pod: CNI if the node has configuration, the built-in network if it has none.
//!
//! Work runs in tasks of its own: a caller that goes away in the middle leaves no half-made attachment.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::task::{spawn, spawn_blocking};

use super::{
    Attachment, MADE_BY, Network, NetworkConfig, PodNetwork,
    builtin::{self, Builtin},
    cni::{self, Cni, conf},
    netns,
};
use crate::error::{Context, Error, Kind, Result};

pub(super) struct Router {
    config: Arc<NetworkConfig>,
    builtin: Arc<Builtin>,
    cni: Arc<Cni>,
    loader: conf::Loader,
    locks: Locks,
}

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
            config,
        }
    }

    /// `Ok(None)`: this node has no CNI configuration.
    fn list(&self) -> Result<Option<Arc<conf::List>>> {
        if self.config.builtin_only {
            return Ok(None);
        }
        let list = self.loader.current(&self.config.cni_conf_dir)?;
        if let Some(list) = &list {
            self.cni.find_all(list)?;
        }
        Ok(list)
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
        match self.list() {
            Ok(None) => builtin::NAME,
            _ => cni::NAME,
        }
    }

    async fn attach(&self, netns: &Path, pod: &PodNetwork) -> Result<Attachment> {
        cni::validate(pod)?;
        let (netns, pod, guard) = (netns.to_owned(), pod.clone(), self.locks.lock(&pod.id).await);
        let doing = format!("attach pod {} to the network", pod.id);
        let attached = match self.list() {
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
                let cni = self.cni.clone();
                task(async move {
                    let _guard = guard;
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
        let netns = netns.to_owned();
        let detached = task(async move {
            let _guard = guard;
            // Both keep a record from before the first change until after the last: who has none did nothing.
            cni.detach_recorded(&id, &netns, by_cni.as_ref()).await?;
            if by_cni.is_some() { Ok(()) } else { blocking(move || builtin.detach(&id)).await }
        });
        detached.await.context(|| doing)
    }

    async fn check(&self, netns: &Path, pod: &PodNetwork, attachment: &Attachment) -> Result<()> {
        cni::validate(pod)?;
        if made_by_cni(attachment) {
            let list = match self.cni.recorded_list(&pod.id)? {
                Some(list) => list,
                None => {
                    self.list()?.ok_or_else(|| Error::new(Kind::FailedPrecondition, "CNI configuration is gone"))?
                }
            };
            return self.cni.check(&list, netns, pod, &attachment.result).await;
        }
        let (builtin, netns, pod) = (self.builtin.clone(), netns.to_owned(), pod.clone());
        blocking(move || builtin.check(&netns, &pod)).await
    }

    fn ready(&self) -> Result<()> {
        match self.list()? {
            Some(_) => Ok(()),
            None => self.builtin.ready(),
        }
    }

    fn describe(&self) -> Value {
        let mut about = match self.list() {
            Ok(None) => json!({ "network": builtin::NAME, "builtIn": self.builtin.describe() }),
            Ok(Some(list)) => json!({ "network": cni::NAME, "cni": list.describe() }),
            Err(error) => json!({ "network": cni::NAME, "loadError": format!("{error:#}") }),
        };
        about["cniConfDir"] = json!(self.config.cni_conf_dir);
        about["cniBinDirs"] = json!(self.config.cni_bin_dirs);
        about["ready"] = json!(self.ready().is_ok());
        about
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
