//! Does what `update` asks for, on tokio, and sends what came of it as events. Every piece of work has a deadline.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures::{FutureExt, StreamExt};
use tokio::{
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::{
    Replay, copying, doing,
    event::{Effect, Event, Token},
    graphs, host, layers,
    sessions::Sessions,
    volumes, words,
};
use crate::{
    client::{
        Runtime,
        audit::{self, Begun, Intent},
        types::{LogOptions, LogTurn, ObjectRef, Scope, Seen},
    },
    config::app,
    error::{Error, Kind, Result},
    node::process,
    runbook::{self, Live, Params, Probe, RunEvent, Runbook, Saved},
};

pub(super) const READ: Duration = Duration::from_secs(15);
const INSPECT: Duration = Duration::from_secs(10);
pub(super) const PULL: Duration = Duration::from_secs(3600);
/// Lines of a log read back at first.
const TAIL: u64 = 5000;
const LINES: usize = 500;
/// Between two looks at the files of the settings.
const SETTINGS: Duration = Duration::from_secs(2);
/// Of the journal of changes.
const ENTRIES: usize = 500;
/// In which lines of several logs are put in order.
const TOGETHER: Duration = Duration::from_millis(250);
/// Events of a runtime in this time become one reading.
const QUIET: Duration = Duration::from_millis(300);
/// A stream of events that did not end for so long is one.
const LASTS: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Runner {
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    refresh: Arc<Waiting>,
    replay: Option<Arc<Replay>>,
    /// Work that a newer one of its kind replaces.
    slots: BTreeMap<&'static str, AbortHandle>,
    tasks: JoinSet<()>,
    sessions: Sessions,
}

impl Runner {
    pub fn start(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, replay: Option<Arc<Replay>>) -> Self {
        let refresh = Arc::new(Waiting::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(read_for_ever(Arc::clone(&runtime), send.clone(), Arc::clone(&refresh), replay.clone()));
        tasks.spawn(watch_events(Arc::clone(&runtime), send.clone()));
        if replay.is_none() {
            tasks.spawn(watch_settings(send.clone()));
        }
        Self { runtime, send, refresh, replay, slots: BTreeMap::new(), tasks, sessions: Sessions::default() }
    }

    /// Passes on what others have to say.
    pub fn listen(&mut self, mut notes: mpsc::UnboundedReceiver<String>) {
        let send = self.send.clone();
        self.tasks.spawn(async move {
            while let Some(note) = notes.recv().await {
                tell(&send, Event::Note(note)).await;
            }
        });
    }

    pub fn run(&mut self, effect: Effect) {
        while self.tasks.try_join_next().is_some() {}
        let (runtime, send) = (Arc::clone(&self.runtime), self.send.clone());
        match effect {
            // One reading runs, one waits; a newer wish joins the one that waits.
            Effect::Refresh(scope) => self.refresh.add(scope),
            Effect::Inspect { token, object } => self.replace("inspect", inspect(runtime, send, token, object)),
            Effect::Layers { token, object } => self.replace("inspect", layers::read(runtime, send, token, object)),
            Effect::Volumes { token } => self.replace("inspect", volumes::read(runtime, send, token)),
            Effect::Cease => self.slots.remove("inspect").iter().for_each(AbortHandle::abort),
            Effect::Plan { token, action, more } => {
                self.replace("plan", doing::plan(runtime, send, token, action, more))
            }
            Effect::Family { token, pod, containers } => {
                self.replace("inspect", family(runtime, send, token, pod, containers));
            }
            Effect::Journal { token } => self.replace("inspect", journal(send, token)),
            Effect::Keep { pane, settings } => drop(self.tasks.spawn(keep(send, pane, settings))),
            Effect::Reveal { what } => drop(self.tasks.spawn(reveal(runtime, send, what))),
            Effect::Cgroups => self.replace("cgroups", cgroups(runtime, send)),
            Effect::Use { token, object } => self.replace("use", graphs::read(runtime, send, token, object)),
            // A recording tells of another machine than this.
            Effect::Words if self.replay.is_some() => {}
            Effect::Words => self.replace("words", hear(runtime, send)),
            Effect::Logs { token, containers, since } => {
                self.replace("logs", logs(runtime, send, token, containers, since));
            }
            Effect::LogPage { token, source, container, turn } => {
                self.replace("page", log_page(runtime, send, token, source, container, turn));
            }
            Effect::Save { file, name, bytes } => drop(self.tasks.spawn(save(send, file, name, bytes))),
            Effect::Apply { token, steps } => drop(self.tasks.spawn(doing::apply(runtime, send, token, steps))),
            Effect::Pull { token, reference } => drop(self.tasks.spawn(pull(runtime, send, token, reference))),
            Effect::Examine { token, books, params } => {
                let replay = self.replay.clone();
                self.replace("examine", examine(runtime, send, token, books, params, replay));
            }
            Effect::Files { token, copying } => drop(self.tasks.spawn(copying::run(runtime, send, token, copying))),
            Effect::Terminal { token, order } => {
                self.sessions.order(&mut self.tasks, (runtime, send), token, order);
            }
            // The loop that owns the terminal does these.
            Effect::Exec { .. } | Effect::Redraw | Effect::Quit | Effect::Mouse(_) | Effect::Copy(_) => {}
        }
    }

    fn replace(&mut self, slot: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(work);
        if let Some(old) = self.slots.insert(slot, task) {
            old.abort();
        }
    }
}

/// What is to be read next. Taking it empties it, so that what is asked for from then on is a new wish.
#[derive(Debug, Default)]
struct Waiting {
    scope: Mutex<Option<Scope>>,
    wake: Notify,
}

impl Waiting {
    fn add(&self, scope: Scope) {
        let mut waiting = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = Some(union(waiting.unwrap_or_default(), scope));
        self.wake.notify_one();
    }

    async fn next(&self) -> Scope {
        loop {
            if let Some(scope) = self.scope.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return scope;
            }
            self.wake.notified().await;
        }
    }
}

fn union(a: Scope, b: Scope) -> Scope {
    Scope {
        pods: a.pods || b.pods,
        images: a.images || b.images,
        stats: a.stats || b.stats,
        snapshots: a.snapshots || b.snapshots,
        disk: a.disk || b.disk,
        whole: a.whole || b.whole,
    }
}

/// The channel is closed when the app is on its way out; then nobody wants the event.
pub(super) async fn tell(send: &mpsc::Sender<Event>, event: Event) {
    let _closed = send.send(event).await;
}

/// A reading that dies is one that failed: the next one is tried all the same.
async fn read_for_ever(
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    wanted: Arc<Waiting>,
    replay: Option<Arc<Replay>>,
) {
    loop {
        let work = read_on_demand(Arc::clone(&runtime), send.clone(), Arc::clone(&wanted), replay.clone());
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(()) => return,
            Err(_told_by_the_hook) => {
                let error = "wharf's own reading died".to_owned();
                tell(&send, Event::InventoryFailed { error, at: SystemTime::now() }).await;
            }
        }
    }
}

async fn read_on_demand(
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    wanted: Arc<Waiting>,
    replay: Option<Arc<Replay>>,
) {
    let mut reader = host::Reader::new();
    loop {
        let scope = wanted.next().await;
        if let Some(replay) = &replay {
            tell(&send, Event::Host(replay.host.clone())).await;
            tell(&send, Event::Inventory(Arc::new(runtime.inventory(scope).await))).await;
            continue;
        }
        let read = tokio::task::spawn_blocking(move || (reader.read(), reader)).await;
        match read {
            Ok((host, back)) => {
                reader = back;
                tell(&send, Event::Host(host)).await;
            }
            Err(error) => {
                reader = host::Reader::new();
                tell(&send, Event::Failed(format!("read the machine's figures: {error}"))).await;
            }
        }
        let event = match timeout(READ, runtime.inventory(scope)).await {
            Ok(inventory) => Event::Inventory(Arc::new(inventory)),
            Err(_) => {
                Event::InventoryFailed { error: format!("timeout after {} s", READ.as_secs()), at: SystemTime::now() }
            }
        };
        tell(&send, event).await;
    }
}

/// Reads the settings, and again whenever one of their files has changed.
async fn watch_settings(send: mpsc::Sender<Event>) {
    let places = app::places(variable);
    let mut seen = None;
    loop {
        let here = places.clone();
        let look = tokio::task::spawn_blocking(move || {
            let kept = app::state(variable).map_or_else(|| Ok(BTreeMap::new()), |path| app::kept(&path));
            (app::stamp(&here), app::load(&here), kept)
        });
        // A home on a filesystem that hangs is no reason to wait for anything.
        if let Ok(Ok((stamp, settings, kept))) = timeout(READ, look).await
            && seen.as_ref() != Some(&stamp)
        {
            // Without any file everything is as it is.
            let none = stamp.iter().all(Option::is_none) && kept.as_ref().is_ok_and(BTreeMap::is_empty);
            let first_and_none = seen.is_none() && none;
            seen = Some(stamp);
            let kept = match kept {
                Ok(kept) => kept,
                Err(error) => {
                    tell(&send, Event::Failed(format!("{error:#}"))).await;
                    BTreeMap::new()
                }
            };
            if !first_and_none {
                let settings = settings.map(|s| app::App { kept, ..s }).map_err(|e| format!("{e:#}"));
                tell(&send, Event::Settings(Box::new(settings))).await;
            }
        }
        tokio::time::sleep(SETTINGS).await;
    }
}

async fn watch_events(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>) {
    let mut wait = Duration::from_secs(1);
    loop {
        let mut events = runtime.events();
        // A stream that is refused ends at once; one that works may be silent for long.
        let mut first = timeout(LASTS, events.next()).await.ok();
        if !matches!(first, Some(None | Some(Err(_)))) {
            tell(&send, Event::Hearing(true)).await;
        }
        while let Some(Ok(())) = match first.take() {
            Some(first) => first,
            None => events.next().await,
        } {
            wait = Duration::from_secs(1);
            let quiet = tokio::time::sleep(QUIET);
            tokio::pin!(quiet);
            loop {
                tokio::select! {
                    () = &mut quiet => break,
                    next = events.next() => if !matches!(next, Some(Ok(()))) { break },
                }
            }
            tell(&send, Event::Changed).await;
        }
        // A runtime without events is read every few seconds all the same.
        tell(&send, Event::Hearing(false)).await;
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(30));
    }
}

async fn inspect(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, token: Token, object: ObjectRef) {
    let result = match timeout(INSPECT, runtime.inspect(&object)).await {
        Ok(result) => result.map_err(|e| format!("{e:#}")),
        Err(_) => Err(format!("timeout after {} s", INSPECT.as_secs())),
    };
    tell(&send, Event::Inspected { token, result }).await;
}

/// A pod and its containers in one value; what could not be asked is left out, if anything could.
async fn family(
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    token: Token,
    pod: String,
    containers: Vec<String>,
) {
    let work = async {
        let mut status = runtime.inspect(&ObjectRef::Pod(pod)).await?;
        if let Some(parent) = status.pointer("/info/pid").and_then(serde_json::Value::as_i64).and_then(parent) {
            status["shim"] = parent.into();
        }
        let asked: Vec<ObjectRef> = containers.iter().map(|id| ObjectRef::Container(id.clone())).collect();
        let answers = futures::future::join_all(asked.iter().map(|c| runtime.inspect(c))).await;
        let found = containers.into_iter().zip(answers).filter_map(|(id, answer)| Some((id, answer.ok()?)));
        let mut inside: serde_json::Map<String, serde_json::Value> = found.collect();
        let processes = tokio::task::spawn_blocking(|| process::of_containers(std::path::Path::new("/"))).await;
        for (id, list) in processes.ok().and_then(Result::ok).unwrap_or_default() {
            if let Some(status) = inside.get_mut(&id) {
                status["processes"] = serde_json::to_value(list).unwrap_or_default();
            }
        }
        Ok::<_, crate::error::Error>(serde_json::json!({ "pod": status, "containers": inside }))
    };
    let result = match timeout(INSPECT, work).await {
        Ok(result) => result.map_err(|e| format!("{e:#}")),
        Err(_) => Err(format!("timeout after {} s", INSPECT.as_secs())),
    };
    tell(&send, Event::Family { token, result }).await;
}

/// The process above a pod's first one, which is its shim: "pid name".
fn parent(pid: i64) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let parent = status.lines().find_map(|l| l.strip_prefix("PPid:"))?.trim();
    // Not its comm: a shim that was run from a file descriptor is called by that.
    let line = std::fs::read(format!("/proc/{parent}/cmdline")).ok()?;
    let name = String::from_utf8_lossy(line.split(|b| *b == 0).next()?).into_owned();
    (parent != "0").then(|| format!("{parent} {}", name.rsplit('/').next().unwrap_or_default()))
}

/// Writes down what was done; a failure to do so is on the message line.
pub(super) async fn journaled<T>(send: &mpsc::Sender<Event>, begun: Begun, done: &Result<T>) {
    if let Err(error) = begun.done(done).await {
        tell(send, Event::Failed(format!("{error:#}"))).await;
    }
}

fn variable(name: &str) -> Option<std::path::PathBuf> {
    std::env::var_os(name).map(Into::into)
}

/// Keeps how a pane looks. Without a home, or one that can be written, it looks so until the app ends.
async fn keep(send: mpsc::Sender<Event>, pane: String, settings: Option<app::Pane>) {
    let what = if settings.is_some() { "kept" } else { "forgotten" };
    let work = tokio::task::spawn_blocking(move || match app::state(variable) {
        Some(path) => app::keep(&path, &pane, settings).map(|()| format!("{what} in {}", path.display())),
        None => Err(Error::new(Kind::FailedPrecondition, "there is no home to keep it in: set HOME or XDG_STATE_HOME")),
    });
    let event = match timeout(READ, work).await {
        Ok(Ok(Ok(done))) => Event::Said(done),
        Ok(Ok(Err(error))) => Event::Failed(format!("not {what}: {error:#}")),
        Ok(Err(died)) => Event::Failed(format!("not {what}: {died}")),
        Err(_) => Event::Failed(format!("not {what}: timeout after {} s", READ.as_secs())),
    };
    tell(&send, event).await;
}

/// Somebody has looked at secrets: that changes nothing, and others want to know of it all the same.
async fn reveal(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, what: String) {
    if let Err(error) = Intent::new(format!("look at {what}")).done(runtime.info()).await {
        tell(&send, Event::Failed(format!("{error:#}"))).await;
    }
}

/// What was done through wharf here, in other sessions and by the verbs too.
async fn journal(send: mpsc::Sender<Event>, token: Token) {
    let read = tokio::task::spawn_blocking(|| audit::last(&audit::path(), ENTRIES));
    let result = match timeout(INSPECT, read).await {
        Ok(Ok(entries)) => entries.map_err(|e| format!("{e:#}")),
        Ok(Err(error)) => Err(format!("reading it died: {error}")),
        Err(_) => Err(format!("timeout after {} s", INSPECT.as_secs())),
    };
    tell(&send, Event::Journal { token, result }).await;
}

async fn cgroups(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>) {
    let result = timeout(READ, runtime.cgroups()).await;
    let at = SystemTime::now();
    let seen = match result {
        Ok(Ok(value)) => Seen::At { value, at, source: runtime.info().endpoint.clone() },
        Ok(Err(error)) => Seen::Failed { error: format!("{error:#}"), at },
        Err(_) => Seen::Failed { error: format!("timeout after {} s", READ.as_secs()), at },
    };
    tell(&send, Event::Cgroups(seen)).await;
}

async fn hear(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>) {
    let lines = words::read(&runtime.info().endpoint).await;
    tell(&send, Event::Words(lines.map_err(|e| format!("{e:#}")))).await;
}

async fn examine(
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    token: Token,
    books: Vec<&'static Runbook>,
    params: Params,
    replay: Option<Arc<Replay>>,
) {
    let endpoint = runtime.info().endpoint.clone();
    let probe: Box<dyn Probe> = match replay {
        Some(replay) => Box::new(Saved(replay.evidence.clone())),
        None => Box::new(Live::new(&endpoint, Ok(runtime))),
    };
    let (said, mut heard) = mpsc::unbounded_channel();
    let mut tell_run = move |event: RunEvent| drop(said.send(event));
    let mut work = Box::pin(runbook::examine(&books, probe.as_ref(), &params, &mut tell_run));
    loop {
        tokio::select! {
            biased;
            Some(event) = heard.recv() => tell(&send, Event::Run { token, event }).await,
            _ = &mut work => break,
        }
    }
    while let Ok(event) = heard.try_recv() {
        tell(&send, Event::Run { token, event }).await;
    }
}

async fn pull(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, token: Token, reference: String) {
    let tell_progress = send.clone();
    let progress = move |progress| {
        // Progress is only for the eye: when the channel is full, the next one will do.
        let _full = tell_progress.try_send(Event::PullProgress { token, progress });
    };
    let done = match Intent::new(format!("pull {reference}")).begin(runtime.info()).await {
        Ok(begun) => {
            let done = match timeout(PULL, runtime.pull(&reference, None, &progress)).await {
                Ok(result) => result,
                Err(_) => Err(Error::new(Kind::DeadlineExceeded, "timeout after an hour")),
            };
            journaled(&send, begun, &done).await;
            done
        }
        Err(error) => Err(error),
    };
    let result = done.map_err(|e| format!("{e:#}"));
    tell(&send, Event::Pulled { token, result }).await;
}

/// Merged by time as far as lines come together: what arrives within a moment is put in order.
async fn logs(
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    token: Token,
    containers: Vec<String>,
    since: Option<SystemTime>,
) {
    let tail = since.is_none().then_some(TAIL);
    let several = containers.len() > 1;
    let one = |(source, id): (usize, &String)| {
        let options = LogOptions { follow: true, tail, since };
        runtime.logs(id, options).map(move |line| (source, line))
    };
    let streams = futures::stream::select_all(containers.iter().enumerate().map(one).map(StreamExt::boxed));
    let mut chunks = std::pin::pin!(streams.ready_chunks(LINES));
    let mut failed = None;
    while let Some(mut chunk) = chunks.next().await {
        let moment = tokio::time::Instant::now() + TOGETHER;
        // The first lines of each come as fast as the disk gives them; later ones are put in order as they come.
        while several && chunk.len() < LINES * 40 {
            match tokio::time::timeout_at(moment, chunks.next()).await {
                Ok(Some(more)) => chunk.extend(more),
                _ => break,
            }
        }
        let mut lines = Vec::with_capacity(chunk.len());
        for (source, line) in chunk {
            match line {
                Ok(line) => lines.push((source, line)),
                Err(error) => failed = Some(format!("{error:#}")),
            }
        }
        if several {
            lines.sort_by_key(|(_, line)| line.at);
        }
        tell(&send, Event::Log { token, lines }).await;
        // One that cannot be read must not hide the others.
        if failed.is_some() && !several {
            break;
        }
    }
    tell(&send, Event::LogEnd { token, error: failed }).await;
}

async fn log_page(
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    token: Token,
    source: usize,
    container: String,
    turn: LogTurn,
) {
    let older = turn.older;
    let result = match timeout(READ, runtime.log_page(&container, turn)).await {
        Ok(result) => result.map_err(|e| format!("{e:#}")),
        Err(_) => Err(format!("read on in the log: timeout after {} s", READ.as_secs())),
    };
    tell(&send, Event::LogPage { token, source, older, result }).await;
}

/// Only the person may read it: logs hold what they hold. An existing file is not written over.
async fn save(send: mpsc::Sender<Event>, file: Option<std::path::PathBuf>, name: String, bytes: Vec<u8>) {
    let path = file.unwrap_or_else(|| std::env::temp_dir().join(name));
    let work = move || {
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
        let written = options.open(&path).and_then(|mut file| std::io::Write::write_all(&mut file, &bytes));
        match written {
            Ok(()) => Event::Said(format!("saved {} bytes in {}", bytes.len(), path.display())),
            Err(error) => Event::Failed(format!("save {}: {error}", path.display())),
        }
    };
    let event = tokio::task::spawn_blocking(work).await;
    tell(&send, event.unwrap_or_else(|e| Event::Failed(format!("saving died: {e}")))).await;
}
