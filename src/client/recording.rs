//! A runtime as it was: what was asked of it once, kept as a value, and a [`Runtime`] that answers from it. It changes nothing
//! and tells of no moment but that one.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Credentials, Runtime, Session,
    action::Step,
    health::{Call, RuntimeStatus},
    redact,
    types::{
        CgroupFact, ContainerState, ExecRequest, ExecResult, Inventory, LogLine, LogOptions, Mode, ObjectRef, PodState,
        PullProgress, RuntimeInfo, Scope, Seen, short_id,
    },
};
use crate::{bail, error::Result, node::meter::Meter};

/// Objects asked for one by one, of each kind.
const OBJECTS: usize = 2000;
const AT_ONCE: usize = 16;
/// For one object, and for one log.
const PATIENCE: Duration = Duration::from_secs(5);
/// For everything that is listed.
const LISTS: Duration = Duration::from_secs(20);
/// Lines kept of a container's log, and bytes of a line.
const LINES: u64 = 200;
const LINE: usize = 4096;
/// The least time from one reading of what is used to the next.
const BETWEEN: Duration = Duration::from_secs(1);
/// For one such reading of all.
const USED: Duration = Duration::from_secs(10);

/// What a runtime said. Only the logs are without their secrets: the rest is for whoever writes it down to clean, as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recording {
    pub at: SystemTime,
    pub info: RuntimeInfo,
    pub inventory: Inventory,
    pub status: Result<RuntimeStatus, String>,
    pub calls: Result<Vec<Call>, String>,
    pub cgroups: Result<Vec<CgroupFact>, String>,
    /// What `inspect` answers, by the object's id.
    pub inspected: BTreeMap<String, Value>,
    /// The end of each container's log.
    pub logs: BTreeMap<String, Vec<Line>>,
    /// What pods and containers that ran had used at two moments, by their ids.
    #[serde(default)]
    pub usage: BTreeMap<String, Vec<Meter>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: Option<SystemTime>,
    pub stderr: bool,
    pub text: String,
}

impl Recording {
    /// Asks it everything the panes show. What does not answer in time is in it as an error.
    pub async fn of(runtime: &dyn Runtime) -> Self {
        let (inventory, status, calls, cgroups) = futures::join!(
            tokio::time::timeout(LISTS, runtime.inventory(Scope::ALL)),
            within("the runtime's status", runtime.status()),
            within("the runtime's answers", runtime.calls()),
            within("the cgroup drivers", runtime.cgroups()),
        );
        let at = SystemTime::now();
        let inventory = inventory.unwrap_or_else(|_| unanswered(format!("no answer in {} s", LISTS.as_secs()), at));
        let objects = objects(&inventory);
        let first = (Instant::now(), used(runtime, &inventory).await);
        let inspected = stream::iter(objects.iter().map(|(id, object)| async move {
            Some((id.clone(), within("an object", runtime.inspect(object)).await.ok()?))
        }));
        let inspected = inspected.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
        let containers = inventory.containers.value().map(Vec::as_slice).unwrap_or_default().iter().take(OBJECTS);
        let logs = stream::iter(containers.map(|c| async move { (c.id.clone(), tail(runtime, &c.id).await) }));
        let logs =
            logs.buffer_unordered(AT_ONCE).filter(|(_, lines)| std::future::ready(!lines.is_empty())).collect().await;
        let usage = twice(runtime, &inventory, first).await;
        Self { at, info: runtime.info().clone(), inventory, status, calls, cgroups, inspected, logs, usage }
    }

    /// Of one that could not even be asked.
    pub fn unreachable(endpoint: &str, error: &str) -> Self {
        let at = SystemTime::now();
        let info = RuntimeInfo { endpoint: endpoint.to_owned(), ..RuntimeInfo::default() };
        Self {
            at,
            info,
            inventory: unanswered(error.to_owned(), at),
            status: Err(error.to_owned()),
            calls: Err(error.to_owned()),
            cgroups: Err(error.to_owned()),
            inspected: BTreeMap::new(),
            logs: BTreeMap::new(),
            usage: BTreeMap::new(),
        }
    }
}

async fn within<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|e| format!("{e:#}")),
        Err(_) => Err(format!("{what}: no answer in {} s", PATIENCE.as_secs())),
    }
}

fn unanswered(error: String, at: SystemTime) -> Inventory {
    fn failed<T>(error: &str, at: SystemTime) -> Seen<T> {
        Seen::Failed { error: error.to_owned(), at }
    }
    Inventory {
        pods: failed(&error, at),
        containers: failed(&error, at),
        images: failed(&error, at),
        stats: failed(&error, at),
        snapshots: failed(&error, at),
        disk: failed(&error, at),
        conditions: failed(&error, at),
        ..Inventory::default()
    }
}

fn objects(inventory: &Inventory) -> Vec<(String, ObjectRef)> {
    let mut all = Vec::new();
    let pods = inventory.pods.value().map(Vec::as_slice).unwrap_or_default();
    all.extend(pods.iter().take(OBJECTS).map(|p| (p.id.clone(), ObjectRef::Pod(p.id.clone()))));
    let containers = inventory.containers.value().map(Vec::as_slice).unwrap_or_default();
    all.extend(containers.iter().take(OBJECTS).map(|c| (c.id.clone(), ObjectRef::Container(c.id.clone()))));
    let images = inventory.images.value().map(Vec::as_slice).unwrap_or_default();
    all.extend(images.iter().take(OBJECTS).map(|i| (i.id.clone(), ObjectRef::Image(i.id.clone()))));
    all
}

/// What each one that runs has used up to now.
async fn used(runtime: &dyn Runtime, inventory: &Inventory) -> BTreeMap<String, Vec<Meter>> {
    let pods = inventory.pods.value().into_iter().flatten().filter(|p| p.state == PodState::Ready);
    let containers = inventory.containers.value().into_iter().flatten();
    let running = containers.filter(|c| c.state == ContainerState::Running);
    let pods = pods.take(OBJECTS).map(|p| (p.id.clone(), ObjectRef::Pod(p.id.clone())));
    let all = pods.chain(running.take(OBJECTS).map(|c| (c.id.clone(), ObjectRef::Container(c.id.clone()))));
    let all = stream::iter(
        all.map(|(id, object)| async move { Some((id, within("what it uses", runtime.usage(&object)).await.ok()?)) }),
    );
    let told = all.buffer_unordered(AT_ONCE).filter_map(std::future::ready);
    // What was told until then is worth keeping.
    told.take_until(tokio::time::sleep(USED)).collect().await
}

/// And a moment later: two counters make a rate.
async fn twice(
    runtime: &dyn Runtime,
    inventory: &Inventory,
    (at, mut usage): (Instant, BTreeMap<String, Vec<Meter>>),
) -> BTreeMap<String, Vec<Meter>> {
    if usage.is_empty() {
        return usage;
    }
    tokio::time::sleep(BETWEEN.saturating_sub(at.elapsed())).await;
    for (id, meters) in used(runtime, inventory).await {
        usage.entry(id).or_default().extend(meters);
    }
    usage
}

/// The last lines, as far as they come in time.
async fn tail(runtime: &dyn Runtime, container: &str) -> Vec<Line> {
    let options = LogOptions { follow: false, tail: Some(LINES), since: None };
    let mut lines = Vec::new();
    let mut log = runtime.logs(container, options);
    // Here, where a line still has its neighbours.
    let mut clean = (redact::Lines::default(), redact::Lines::default());
    let read = async {
        while let Some(Ok(line)) = log.next().await {
            let text = String::from_utf8_lossy(&line.text[..line.text.len().min(LINE)]).into_owned();
            let own = if line.stderr { &mut clean.1 } else { &mut clean.0 };
            lines.push(Line { at: line.at, stderr: line.stderr, text: own.line(&text) });
        }
    };
    // What was read until then is worth keeping.
    let _late = tokio::time::timeout(PATIENCE, read).await;
    lines
}

/// Answers from a recording.
#[derive(Debug)]
pub struct Replay {
    recording: Recording,
    info: RuntimeInfo,
}

impl Replay {
    pub fn new(recording: Recording) -> Self {
        let info = RuntimeInfo { mode: Mode::Replay, read_only: true, ..recording.info.clone() };
        Self { recording, info }
    }

    fn refused<T>(&self, what: &str) -> Result<T> {
        bail!(FailedPrecondition, "{what}: this is a recording of {}, not the node", self.info.endpoint)
    }
}

fn kept<T: Clone>(answer: &Result<T, String>) -> Result<T> {
    match answer {
        Ok(value) => Ok(value.clone()),
        Err(error) => bail!(Unavailable, "{error}"),
    }
}

#[async_trait]
impl Runtime for Replay {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    async fn inventory(&self, _: Scope) -> Inventory {
        self.recording.inventory.clone()
    }

    async fn inspect(&self, object: &ObjectRef) -> Result<Value> {
        let id = match object {
            ObjectRef::Pod(id) | ObjectRef::Container(id) | ObjectRef::Image(id) => id,
            ObjectRef::Snapshot { key, .. } => key,
        };
        match self.recording.inspected.get(id) {
            Some(value) => Ok(value.clone()),
            None => bail!(NotFound, "the recording holds no details of {}", short_id(id)),
        }
    }

    async fn status(&self) -> Result<RuntimeStatus> {
        kept(&self.recording.status)
    }

    async fn calls(&self) -> Result<Vec<Call>> {
        kept(&self.recording.calls)
    }

    async fn apply(&self, _: &Step) -> Result<String> {
        self.refused("change")
    }

    async fn pull(
        &self,
        reference: &str,
        _: Option<&Credentials>,
        _: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String> {
        self.refused(&format!("pull {reference}"))
    }

    fn events(&self) -> BoxStream<'static, Result<()>> {
        stream::pending().boxed()
    }

    fn logs(&self, container: &str, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        let lines = self.recording.logs.get(container).map(Vec::as_slice).unwrap_or_default();
        let since = lines.iter().filter(|l| options.since.is_none_or(|s| l.at.is_none_or(|at| at >= s)));
        let lines: Vec<_> = since
            .map(|l| Ok(LogLine { at: l.at, stderr: l.stderr, text: l.text.clone().into_bytes(), place: None }))
            .collect();
        let skip =
            options.tail.map_or(0, |tail| lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX)));
        stream::iter(lines.into_iter().skip(skip)).boxed()
    }

    async fn exec_sync(&self, container: &str, _: &[String], _: Duration) -> Result<ExecResult> {
        self.refused(&format!("run a command in {}", short_id(container)))
    }

    async fn cgroups(&self) -> Result<Vec<CgroupFact>> {
        kept(&self.recording.cgroups)
    }

    async fn usage(&self, object: &ObjectRef) -> Result<Vec<Meter>> {
        let (ObjectRef::Pod(id) | ObjectRef::Container(id)) = object else {
            bail!(InvalidArgument, "only pods and containers use a node");
        };
        match self.recording.usage.get(id) {
            Some(meters) => Ok(meters.clone()),
            None => bail!(NotFound, "the recording does not tell what {} used", short_id(id)),
        }
    }

    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>> {
        self.refused(&format!("a shell in {}", short_id(&request.container)))
    }
}
