//! What the engine knows of pods and containers: records (in the database, as JSON) and their live handles.
//!
//! A record is changed by `Pods::update_*` only, which writes the database before anyone can see the change. The change
//! survives our own death then; a power cut after the next [`Engine::durable`](crate::engine::Engine::durable).

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::caller::Unclaimed;
use crate::{
    bail,
    engine::{
        metadata::{Db, Table},
        network::Attachment,
        shim::Task,
    },
    error::{Error, Kind, Result},
    proto::cri,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PodState {
    /// Being made; a crash now is undone at the next start.
    Creating,
    Ready,
    NotReady,
    Removing,
}

/// A pod sandbox as the database keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PodRecord {
    pub id: String,
    pub config: cri::PodSandboxConfig,
    pub handler: String,
    pub state: PodState,
    /// Nanoseconds since the epoch.
    pub created_at: i64,
    /// On tmpfs: the shim's files, and what is mounted into the containers.
    pub directory: PathBuf,
    /// `None` for the host's network.
    pub netns: Option<PathBuf>,
    pub attachment: Option<Attachment>,
    /// Below each hierarchy's root.
    pub cgroup: String,
    /// Why a clean-up has not succeeded yet.
    pub cleanup_error: Option<String>,
    /// Stop has torn everything down but the record and the containers' remains: nothing can come back.
    #[serde(default)]
    pub stopped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerState {
    Creating,
    Created,
    Running,
    Exited,
    /// Its shim does not answer.
    Unknown,
    Removing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContainerRecord {
    pub id: String,
    pub pod: String,
    pub config: cri::ContainerConfig,
    /// The image's id, and the reference CRI calls `image_ref`.
    pub image_id: String,
    pub image_ref: String,
    pub snapshotter: String,
    pub state: ContainerState,
    pub created_at: i64,
    pub started_at: i64,
    pub finished_at: i64,
    pub exit_code: i32,
    /// "Completed", "Error", "OOMKilled", "StartError", "NodeRebooted".
    pub reason: String,
    pub message: String,
    pub pid: u32,
    pub log_path: Option<PathBuf>,
    pub bundle: PathBuf,
    pub cgroup: String,
    pub stop_signal: String,
    /// uid, gid and supplementary groups of the first process.
    pub user: (u32, u32, Vec<u32>),
}

pub struct Pod {
    record: Mutex<Arc<PodRecord>>,
    task: Mutex<Option<Arc<dyn Task>>>,
    pub unclaimed: Unclaimed,
    /// Held by every call that changes the pod or its containers' number.
    pub lock: tokio::sync::Mutex<()>,
}

pub struct Container {
    record: Mutex<Arc<ContainerRecord>>,
    /// The state, for who waits for the exit.
    state: watch::Sender<ContainerState>,
    pub unclaimed: Unclaimed,
    pub lock: tokio::sync::Mutex<()>,
    /// CPU samples for nanocores: (unix nanoseconds, usage nanoseconds).
    pub cpu: Mutex<Option<(i64, u64)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pod {
    /// As it is now.
    pub fn record(&self) -> Arc<PodRecord> {
        Arc::clone(&locked(&self.record))
    }

    pub fn state(&self) -> PodState {
        locked(&self.record).state
    }

    pub fn set_task(&self, task: Option<Arc<dyn Task>>) {
        *locked(&self.task) = task;
    }

    pub fn task(&self) -> Option<Arc<dyn Task>> {
        locked(&self.task).clone()
    }

    /// The shim, or the remains of one that has gone.
    ///
    /// # Errors
    /// `Unavailable`: it has not answered since the engine started, and may run.
    pub fn shim(&self) -> Result<Arc<dyn Task>> {
        self.task().ok_or_else(|| {
            let id = locked(&self.record).id.clone();
            Error::new(Kind::Unavailable, format!("the shim of pod sandbox {id} does not answer"))
        })
    }

    /// The shim that runs, or why there is none.
    pub fn live_task(&self) -> Result<Arc<dyn Task>> {
        let task = self.shim()?;
        if task.is_gone() {
            bail!(FailedPrecondition, "pod sandbox {} has no running shim", locked(&self.record).id);
        }
        Ok(task)
    }
}

impl Container {
    /// As it is now.
    pub fn record(&self) -> Arc<ContainerRecord> {
        Arc::clone(&locked(&self.record))
    }

    pub fn state(&self) -> ContainerState {
        *self.state.borrow()
    }

    pub fn watch(&self) -> watch::Receiver<ContainerState> {
        self.state.subscribe()
    }
}

/// Every pod and container, and the events of their changes.
pub struct Pods {
    db: Arc<Db>,
    pods: Mutex<BTreeMap<String, Arc<Pod>>>,
    containers: Mutex<BTreeMap<String, Arc<Container>>>,
    events: broadcast::Sender<Arc<cri::ContainerEventResponse>>,
    /// Ends every stream of events.
    ended: CancellationToken,
}

impl Pods {
    pub fn new(db: Arc<Db>) -> Self {
        Self {
            db,
            pods: Mutex::default(),
            containers: Mutex::default(),
            events: broadcast::channel(1024).0,
            ended: CancellationToken::new(),
        }
    }

    /// Events from now on, until the token is cancelled.
    pub fn events(&self) -> (broadcast::Receiver<Arc<cri::ContainerEventResponse>>, CancellationToken) {
        (self.events.subscribe(), self.ended.clone())
    }

    /// Whether anybody listens to events.
    pub fn heard(&self) -> bool {
        self.events.receiver_count() > 0
    }

    pub fn emit(&self, event: cri::ContainerEventResponse) {
        // Whoever listened may have gone meanwhile.
        drop(self.events.send(Arc::new(event)));
    }

    pub fn end_events(&self) {
        self.ended.cancel();
    }

    // -- pods

    /// Reserves the name and keeps the record. `AlreadyExists` when the name is taken.
    pub fn insert_pod(&self, record: PodRecord) -> Result<Arc<Pod>> {
        self.db.insert(Table::Sandboxes, &record.id, &pod_name(&record.config), &record)?;
        Ok(self.adopt_pod(record))
    }

    /// A record that is in the database already.
    pub fn adopt_pod(&self, record: PodRecord) -> Arc<Pod> {
        let id = record.id.clone();
        let pod = Arc::new(Pod {
            record: Mutex::new(Arc::new(record)),
            task: Mutex::default(),
            unclaimed: Unclaimed::default(),
            lock: tokio::sync::Mutex::default(),
        });
        locked(&self.pods).insert(id, Arc::clone(&pod));
        pod
    }

    pub fn update_pod(&self, pod: &Pod, change: impl FnOnce(&mut PodRecord)) -> Result<Arc<PodRecord>> {
        let mut record = locked(&pod.record);
        let mut next = PodRecord::clone(&record);
        change(&mut next);
        self.db.update_soon(Table::Sandboxes, &next.id, &next)?;
        *record = Arc::new(next);
        Ok(Arc::clone(&record))
    }

    pub fn delete_pod(&self, id: &str) -> Result<()> {
        self.db.delete(Table::Sandboxes, id)?;
        locked(&self.pods).remove(id);
        Ok(())
    }

    /// By id or by an unambiguous prefix of it.
    pub fn pod(&self, id: &str) -> Result<Arc<Pod>> {
        find(&locked(&self.pods), "pod sandbox", id)
    }

    /// By what [`pod_name`] makes unique.
    pub fn pod_named(&self, name: &str) -> Option<Arc<Pod>> {
        self.pods().into_iter().find(|p| pod_name(&locked(&p.record).config) == name)
    }

    pub fn pods(&self) -> Vec<Arc<Pod>> {
        locked(&self.pods).values().cloned().collect()
    }

    // -- containers

    pub fn insert_container(&self, record: ContainerRecord, name: &str) -> Result<Arc<Container>> {
        self.db.insert(Table::Containers, &record.id, name, &record)?;
        Ok(self.adopt_container(record))
    }

    pub fn adopt_container(&self, record: ContainerRecord) -> Arc<Container> {
        let id = record.id.clone();
        let container = Arc::new(Container {
            state: watch::channel(record.state).0,
            record: Mutex::new(Arc::new(record)),
            unclaimed: Unclaimed::default(),
            lock: tokio::sync::Mutex::default(),
            cpu: Mutex::default(),
        });
        locked(&self.containers).insert(id, Arc::clone(&container));
        container
    }

    pub fn update_container(
        &self,
        container: &Container,
        change: impl FnOnce(&mut ContainerRecord),
    ) -> Result<Arc<ContainerRecord>> {
        let mut record = locked(&container.record);
        let mut next = ContainerRecord::clone(&record);
        change(&mut next);
        self.db.update_soon(Table::Containers, &next.id, &next)?;
        container.state.send_replace(next.state);
        *record = Arc::new(next);
        Ok(Arc::clone(&record))
    }

    pub fn delete_container(&self, id: &str) -> Result<()> {
        self.db.delete(Table::Containers, id)?;
        locked(&self.containers).remove(id);
        Ok(())
    }

    pub fn container(&self, id: &str) -> Result<Arc<Container>> {
        find(&locked(&self.containers), "container", id)
    }

    pub fn containers(&self) -> Vec<Arc<Container>> {
        locked(&self.containers).values().cloned().collect()
    }

    pub fn containers_of(&self, pod: &str) -> Vec<Arc<Container>> {
        self.containers().into_iter().filter(|c| locked(&c.record).pod == pod).collect()
    }
}

fn find<T>(all: &BTreeMap<String, Arc<T>>, what: &str, id: &str) -> Result<Arc<T>> {
    if id.is_empty() {
        bail!(InvalidArgument, "{what} id is empty");
    }
    let mut matches = all.range(id.to_owned()..).take_while(|(key, _)| key.starts_with(id));
    match (matches.next(), matches.next()) {
        (Some((_, found)), None) => Ok(Arc::clone(found)),
        (Some((key, found)), Some(_)) if key == id => Ok(Arc::clone(found)),
        (Some(_), Some(_)) => bail!(InvalidArgument, "{what} id prefix {id} is ambiguous"),
        (None, _) => bail!(NotFound, "{what} {id} not found"),
    }
}

/// The name CRI makes unique: what kubelet retries with after a timeout.
pub fn pod_name(config: &cri::PodSandboxConfig) -> String {
    let meta = config.metadata.clone().unwrap_or_default();
    format!("{}_{}_{}_{}", meta.name, meta.namespace, meta.uid, meta.attempt)
}

pub fn container_name(config: &cri::ContainerConfig, pod: &cri::PodSandboxConfig) -> String {
    let meta = config.metadata.clone().unwrap_or_default();
    let pod = pod.metadata.clone().unwrap_or_default();
    format!("{}_{}_{}_{}_{}", meta.name, pod.name, pod.namespace, pod.uid, meta.attempt)
}

/// Whether every pair of `selector` is in `labels`.
pub fn selected(selector: &HashMap<String, String>, labels: &HashMap<String, String>) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Nanoseconds since the epoch, CRI's timestamps.
pub fn now() -> i64 {
    nanos(std::time::SystemTime::now())
}

pub fn nanos(at: std::time::SystemTime) -> i64 {
    at.duration_since(std::time::UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

impl std::fmt::Debug for Pod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pod").field(&locked(&self.record).id).finish()
    }
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Container").field(&locked(&self.record).id).finish()
    }
}

impl std::fmt::Debug for Pods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pods").finish_non_exhaustive()
    }
}
