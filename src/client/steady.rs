//! A runtime behind a socket that may be dead, hang, die and come back: its own answers while it gives any, else what the disk
//! and /proc tell. Whoever uses it need not know; every inventory says which of both it is.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};

use super::{
    Credentials, Cri, Runtime, Session,
    action::Step,
    health::{self, Call, RuntimeStatus},
    offline::Offline,
    types::{
        CgroupFact, ExecRequest, ExecResult, Garbage, Inventory, LogLine, LogOptions, LogPage, LogTurn, ObjectRef,
        PullProgress, RuntimeInfo, Scope, Seen, Silence,
    },
};
use crate::{
    error::{Error, Kind, Result},
    node::meter::Meter,
};

/// Waited for at the start, before anything is shown: with a runtime that hangs, the first frame comes later by this.
const FIRST: Duration = Duration::from_millis(40);
/// For a runtime to say who it is when it is first asked, and when it is asked again after a silence.
const FIRST_ANSWER: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(1);
/// An inventory that takes longer raises the question whether anybody is there.
const SLOW: Duration = Duration::from_secs(1);
const THERE: Duration = Duration::from_secs(2);
/// Between two connections to a runtime that hangs: each waits in its socket's queue, which others need as well.
const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));

#[derive(Debug)]
pub struct Steady {
    endpoint: String,
    read_only: bool,
    offline: Offline,
    /// Who it is, once it has been asked.
    first: OnceLock<RuntimeInfo>,
    state: Mutex<State>,
    attaching: tokio::sync::Mutex<Attaching>,
}

#[derive(Debug, Default)]
struct State {
    live: Option<Arc<Cri>>,
    silence: Option<Silence>,
}

/// The one attempt that is under way, and when the next one may be made.
#[derive(Debug, Default)]
struct Attaching {
    task: Option<JoinHandle<Result<Cri>>>,
    wait: Duration,
    again: Option<Instant>,
    /// What came of the last one.
    error: String,
}

impl Steady {
    /// Attaches, or goes on without if the runtime is dead or does not answer at once.
    ///
    /// # Errors
    /// What waiting would not mend: no socket's address, no right to use it, no CRI v1 behind it.
    pub async fn open(endpoint: &str, read_only: bool, root: &Path) -> Result<Self> {
        let offline = Offline::new(root, endpoint, read_only)?;
        let this = Self {
            endpoint: offline.info().endpoint.clone(),
            read_only,
            offline,
            first: OnceLock::new(),
            state: Mutex::default(),
            attaching: tokio::sync::Mutex::default(),
        };
        match this.attach(FIRST).await {
            Err(error) if error.is(Kind::DeadlineExceeded) => {}
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Unavailable) => this.silent(&error),
            other => drop(other?),
        }
        Ok(this)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runtime, if it answered the last time.
    fn live(&self) -> Option<Arc<Cri>> {
        let state = self.state();
        state.live.clone().filter(|_| state.silence.is_none())
    }

    fn silent(&self, error: &Error) {
        let mut state = self.state();
        let silence = state.silence.get_or_insert_with(|| Silence { since: SystemTime::now(), ..Silence::default() });
        let text = format!("{error:#}");
        // Which endpoint is on the screen already.
        let text = text.strip_prefix(&self.endpoint).map_or(text.as_str(), |t| t.trim_start_matches([':', ' ']));
        (silence.error, silence.hangs) = (text.to_owned(), error.is(Kind::DeadlineExceeded));
    }

    fn answered(&self, cri: &Arc<Cri>) {
        let mut state = self.state();
        (state.live, state.silence) = (Some(Arc::clone(cri)), None);
    }

    /// Attaches within the limit. One that takes longer goes on, and is waited for again the next time.
    async fn attach(&self, limit: Duration) -> Result<Arc<Cri>> {
        let mut slot = self.attaching.lock().await;
        if slot.task.is_none() && slot.again.is_some_and(|again| Instant::now() < again) {
            return Err(Error::new(Kind::DeadlineExceeded, slot.error.clone()));
        }
        let (endpoint, read_only) = (self.endpoint.clone(), self.read_only);
        let task =
            slot.task.get_or_insert_with(|| tokio::spawn(async move { Cri::attach(&endpoint, read_only).await }));
        let Ok(joined) = timeout(limit, task).await else { return Err(Self::hangs()) };
        slot.task = None;
        let attached = joined.unwrap_or_else(|e| Err(Error::new(Kind::Internal, "attaching died").with_source(e)));
        match attached {
            Ok(cri) => {
                (slot.wait, slot.again) = (Duration::ZERO, None);
                let cri = Arc::new(cri);
                self.first.get_or_init(|| cri.info().clone());
                // The silence ends with what was waited for, not with a word.
                self.state().live = Some(Arc::clone(&cri));
                Ok(cri)
            }
            Err(error) => {
                if error.is(Kind::DeadlineExceeded) {
                    slot.wait = (slot.wait * 2).clamp(PAUSE.0, PAUSE.1);
                    slot.again = Some(Instant::now() + slot.wait);
                    slot.error = format!("{error:#}");
                }
                Err(error)
            }
        }
    }

    fn hangs() -> Error {
        Error::new(Kind::DeadlineExceeded, "it takes connections and does not answer")
    }

    /// The runtime, asked whether it is there if it was silent.
    async fn reach(&self) -> Result<Arc<Cri>> {
        let (live, silent) = {
            let state = self.state();
            (state.live.clone(), state.silence.is_some())
        };
        match live {
            Some(live) if !silent => Ok(live),
            Some(live) => {
                // Over the connection there is: it is made again by itself.
                Self::there(&live, ANSWER).await?;
                // It may be another version by now.
                self.attach(FIRST_ANSWER).await
            }
            None => self.attach(if silent { ANSWER } else { FIRST_ANSWER }).await,
        }
    }

    async fn there(cri: &Cri, limit: Duration) -> Result<()> {
        let mut service = cri.runtime_service();
        match timeout(limit, service.version(crate::proto::cri::VersionRequest::default())).await {
            Ok(answer) => answer.map(drop).map_err(|s| Error::from(s).context("ask for the version")),
            Err(_) => Err(Self::hangs()),
        }
    }

    /// What the disk tells, because the runtime did not answer for this reason.
    async fn without(&self, scope: Scope, error: &Error) -> Inventory {
        self.silent(error);
        let silence = self.state().silence.clone().unwrap_or_default();
        self.offline.inventory_of(scope, silence).await
    }

    /// For what only the runtime can tell.
    fn silence(&self) -> Error {
        let why = self.state().silence.as_ref().map_or_else(|| "not attached yet".to_owned(), |s| s.error.clone());
        Error::new(Kind::Unavailable, format!("{} does not answer: {why}", self.endpoint))
    }
}

/// Why the pods or the containers could not be told.
fn failed(inventory: &Inventory) -> Option<Error> {
    fn of<T>(seen: &Seen<T>) -> Option<&str> {
        seen.error()
    }
    let error = of(&inventory.containers).or_else(|| of(&inventory.pods))?;
    // As `cri::within` words it: one that says its version and then nothing hangs as well.
    let kind = if error.contains("no answer in") { Kind::DeadlineExceeded } else { Kind::Unavailable };
    Some(Error::new(kind, error.to_owned()))
}

#[async_trait]
impl Runtime for Steady {
    fn info(&self) -> &RuntimeInfo {
        self.first.get().unwrap_or_else(|| self.offline.info())
    }

    async fn inventory(&self, scope: Scope) -> Inventory {
        let live = match self.reach().await {
            Ok(live) => live,
            Err(error) => return self.without(scope, &error).await,
        };
        let mut work = std::pin::pin!(live.inventory(scope));
        let early = tokio::select! {
            biased;
            inventory = &mut work => Some(inventory),
            () = tokio::time::sleep(SLOW) => None,
        };
        let inventory = match early {
            Some(inventory) => inventory,
            None => tokio::select! {
                biased;
                inventory = &mut work => inventory,
                there = Self::there(&live, THERE) => match there {
                    Ok(()) => work.await,
                    Err(error) => return self.without(scope, &error).await,
                },
            },
        };
        match failed(&inventory) {
            Some(error) => self.without(scope, &error).await,
            None => {
                self.answered(&live);
                Inventory { info: Some(live.info().clone()), ..inventory }
            }
        }
    }

    async fn inspect(&self, object: &ObjectRef) -> Result<Value> {
        match self.live() {
            Some(live) => live.inspect(object).await,
            None => self.offline.inspect(object).await,
        }
    }

    /// No runtime tells it, and the disk does.
    async fn layer(&self, snapshot: &ObjectRef) -> Result<Vec<(String, PathBuf)>> {
        self.offline.layer(snapshot).await
    }

    async fn status(&self) -> Result<RuntimeStatus> {
        self.live().ok_or_else(|| self.silence())?.health().await
    }

    /// Also of one that is silent: how long it takes is what is asked.
    async fn calls(&self) -> Result<Vec<Call>> {
        match self.live() {
            Some(live) => Ok(Cri::calls(&live).await),
            None => health::calls(&self.endpoint).await,
        }
    }

    async fn garbage(&self) -> Result<Garbage> {
        match self.live() {
            Some(live) => live.garbage().await,
            None => Err(self.silence()),
        }
    }

    async fn apply(&self, step: &Step) -> Result<String> {
        match self.live() {
            Some(live) => live.apply(step).await,
            None => self.offline.apply(step).await,
        }
    }

    async fn pull(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<String> {
        match self.live() {
            Some(live) => live.pull(reference, credentials, progress).await,
            None => self.offline.pull(reference, credentials, progress).await,
        }
    }

    fn events(&self) -> BoxStream<'static, Result<()>> {
        self.live().map_or_else(|| self.offline.events(), |live| live.events())
    }

    fn logs(&self, container: &str, options: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        match self.live() {
            Some(live) => live.logs(container, options),
            None => self.offline.logs(container, options),
        }
    }

    async fn log_page(&self, container: &str, turn: LogTurn) -> Result<LogPage> {
        match self.live() {
            Some(live) => live.log_page(container, turn).await,
            None => self.offline.log_page(container, turn).await,
        }
    }

    async fn exec_sync(&self, container: &str, command: &[String], timeout: Duration) -> Result<ExecResult> {
        match self.live() {
            Some(live) => live.exec_sync(container, command, timeout).await,
            None => self.offline.exec_sync(container, command, timeout).await,
        }
    }

    async fn cgroups(&self) -> Result<Vec<CgroupFact>> {
        match self.live() {
            Some(live) => live.cgroups().await,
            None => self.offline.cgroups().await,
        }
    }

    async fn usage(&self, object: &ObjectRef) -> Result<Vec<Meter>> {
        match self.live() {
            Some(live) => live.usage(object).await,
            None => self.offline.usage(object).await,
        }
    }

    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>> {
        match self.live() {
            Some(live) => live.exec(request).await,
            None => self.offline.exec(request).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn a_dead_socket_is_a_silence_and_not_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.sock");
        let endpoint = format!("unix://{}", path.display());
        for there in [false, true] {
            // A socket file that nobody listens on any more.
            if there {
                drop(UnixListener::bind(&path).unwrap());
            }
            let began = Instant::now();
            let steady = Steady::open(&endpoint, false, directory.path()).await.unwrap();
            assert!(began.elapsed() < FIRST_ANSWER);
            let seen = steady.inventory(Scope { pods: true, ..Scope::default() }).await;
            let silence = seen.silence.unwrap();
            assert!(!silence.hangs && silence.error.contains("c.sock"), "{silence:?}");
            let again = steady.inventory(Scope::default()).await.silence.unwrap();
            assert_eq!(again.since, silence.since);
            assert!(steady.status().await.unwrap_err().to_string().contains("does not answer"));
            assert_eq!(steady.info().name, "containerd");
        }
    }

    #[tokio::test]
    async fn one_that_hangs_is_waited_for_without_filling_its_queue() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.sock");
        let listens = UnixListener::bind(&path).unwrap();
        let began = Instant::now();
        let steady = Steady::open(&path.to_string_lossy(), false, directory.path()).await.unwrap();
        assert!(began.elapsed() < FIRST_ANSWER, "{:?}", began.elapsed());
        for _ in 0..3 {
            let silence = steady.inventory(Scope::default()).await.silence.unwrap();
            assert!(silence.hangs && silence.error.contains("does not answer"), "{silence:?}");
        }
        // The attempt that is under way is the only one: one look whether somebody listens, and its channel.
        listens.set_nonblocking(true).unwrap();
        let waiting = std::iter::from_fn(|| listens.accept().ok()).count();
        assert!((1..=2).contains(&waiting), "{waiting} connections");
    }

    #[tokio::test]
    async fn a_full_queue_is_a_hang_too() {
        use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.sock");
        let address = SocketAddrUnix::new(&path).unwrap();
        let new = || socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
        let listens = new();
        bind(&listens, &address).unwrap();
        listen(&listens, 0).unwrap();
        let mut waiting = Vec::new();
        loop {
            let one = new();
            if connect(&one, &address).is_err() {
                break;
            }
            waiting.push(one);
        }
        let steady = Steady::open(&path.to_string_lossy(), false, directory.path()).await.unwrap();
        let silence = steady.inventory(Scope::default()).await.silence.unwrap();
        assert!(silence.hangs && silence.error.contains("queue"), "{silence:?}");
    }

    #[test]
    fn one_that_only_says_its_version_hangs() {
        let at = SystemTime::now();
        let of = |error: &str| {
            let containers = Seen::Failed { error: error.to_owned(), at };
            failed(&Inventory { containers, ..Inventory::default() }).map(|e| e.kind())
        };
        assert_eq!(of("list containers: no answer in 10 s"), Some(Kind::DeadlineExceeded));
        assert_eq!(of("list containers: connection refused"), Some(Kind::Unavailable));
        assert!(failed(&Inventory::default()).is_none());
    }

    #[tokio::test]
    async fn what_waiting_does_not_mend_is_an_error() {
        let error = Steady::open("tcp://host:1", false, Path::new("/")).await.unwrap_err();
        assert!(error.is(Kind::InvalidArgument), "{error:#}");
    }
}
