//! Commands in containers, each with its streams and a task: keys in, output to the app in pieces that it has room for. However
//! much a command writes, one piece of each is on its way; the rest waits where it was written.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until, timeout},
};

use super::{
    emulator::TERM,
    event::{Event, Token},
    terminals::{News, Order},
};
use crate::{
    client::{
        Output, Runtime, Session,
        audit::{Begun, Intent},
        toolbox,
        types::{ExecRequest, short_id},
    },
    error::{Error, Kind, Result},
};

const OPEN: Duration = Duration::from_secs(20);
/// Bytes of output in one piece.
const PIECE: usize = 32 << 10;
/// Between two pieces: shorter than a frame, so that an echo is not late.
const PACE: Duration = Duration::from_millis(8);
/// Pieces of input that wait for the command to read.
const KEYS: usize = 256;
/// What a shell may be, beside the first one found by its name: images without a distribution have theirs elsewhere.
const SHELLS: &[&str] = &["sh", "/bin/sh", "/busybox/sh", "/bin/bash", "/bin/ash", "/bin/busybox"];

/// Takes what shell there is.
pub const FIND: &str = "exec $(command -v bash || command -v ash || echo sh) -i";

#[derive(Debug)]
struct Handle {
    keys: mpsc::Sender<Vec<u8>>,
    size: watch::Sender<(u16, u16)>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
pub struct Sessions(BTreeMap<Token, Handle>);

impl Sessions {
    pub fn order(
        &mut self,
        tasks: &mut JoinSet<()>,
        (runtime, send): (Arc<dyn Runtime>, mpsc::Sender<Event>),
        token: Token,
        order: Order,
    ) {
        let handle = self.0.get(&token);
        match order {
            Order::Open { container, command, size } => {
                let (keys, typed) = mpsc::channel(KEYS);
                let (size, resized) = watch::channel(size);
                let talk = Talk { runtime, send, token, container, typed, resized };
                let task = tasks.spawn(talk.run(command));
                self.0.insert(token, Handle { keys, size, task });
            }
            Order::Input(bytes) => {
                if let Some(handle) = handle
                    && let Err(mpsc::error::TrySendError::Full(_)) = handle.keys.try_send(bytes)
                {
                    let text = "the command reads nothing: what was typed is lost".to_owned();
                    // When the channel of events is full as well, the next key tells.
                    let _full = send.try_send(Event::Failed(text));
                }
            }
            Order::Resize(size) => {
                if let Some(handle) = handle {
                    handle.size.send_replace(size);
                }
            }
            // With the task goes the session, which ends the command.
            Order::Close => {
                if let Some(handle) = self.0.remove(&token) {
                    handle.task.abort();
                }
            }
        }
    }
}

struct Talk {
    runtime: Arc<dyn Runtime>,
    send: mpsc::Sender<Event>,
    token: Token,
    container: String,
    typed: mpsc::Receiver<Vec<u8>>,
    resized: watch::Receiver<(u16, u16)>,
}

/// How a command is tried, best first; what cannot be started is not there.
fn attempts(command: &[String]) -> Vec<Vec<String>> {
    let with = |first: &[&str], rest: &[String]| {
        first.iter().map(|s| (*s).to_owned()).chain(rest.iter().cloned()).collect::<Vec<_>>()
    };
    let term = format!("TERM={TERM}; export TERM; ");
    if command.is_empty() {
        let script = format!("{term}{FIND}");
        let shell = |shell: &&str| match *shell {
            "/bin/busybox" => with(&[shell, "sh", "-c", &format!("{term}exec /bin/busybox sh -i")], &[]),
            // There may be nothing else in its PATH.
            "/busybox/sh" => with(&[shell, "-c", &format!("{term}exec /busybox/sh -i")], &[]),
            shell => with(&[shell, "-c", &script], &[]),
        };
        return SHELLS.iter().map(shell).collect();
    }
    // A command cannot be given an environment over CRI; a shell can give it one, and where there is none it goes without.
    vec![with(&["sh", "-c", &format!("{term}exec \"$@\""), "sh"], command), command.to_vec()]
}

fn again(error: &Error) -> Error {
    Error::new(error.kind(), format!("{error:#}"))
}

fn outcome<T>(done: &Result<T>) -> Result<()> {
    done.as_ref().map(|_| ()).map_err(again)
}

/// Another program would fare no better.
fn decisive(kind: Kind) -> bool {
    use Kind::{DeadlineExceeded, FailedPrecondition, PermissionDenied, Unavailable, Unimplemented};
    matches!(kind, DeadlineExceeded | FailedPrecondition | PermissionDenied | Unavailable | Unimplemented)
}

impl Talk {
    async fn tell(&self, news: News) -> bool {
        self.send.send(Event::Terminal { token: self.token, news }).await.is_ok()
    }

    async fn run(mut self, command: Vec<String>) {
        let short = short_id(&self.container).to_owned();
        let what = match &command[..] {
            [] => format!("open a shell in container {short}"),
            words => format!("run {} in container {short}", words.join(" ")),
        };
        let Some(begun) = self.begin(what).await else { return };
        let mut begun = Some(begun);
        let mut last = Error::new(Kind::Internal, "no way was tried");
        for attempt in attempts(&command) {
            let opened = self.open(attempt).await;
            // The journal tells of the first that could be opened, or that none could.
            if opened.as_ref().map_or_else(|e| decisive(e.kind()), |_| true)
                && let Some(begun) = begun.take()
            {
                self.journal(begun, outcome(&opened)).await;
            }
            let mut session = match opened {
                Ok(session) => session,
                Err(error) if decisive(error.kind()) => {
                    self.tell(News::Refused(format!("{error:#}"))).await;
                    return;
                }
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            if !self.tell(News::Opened).await {
                return;
            }
            match self.carry(session.as_mut()).await {
                Carried::NotThere(error) => last = error,
                carried => return self.ended(carried).await,
            }
        }
        if let Some(begun) = begun {
            self.journal(begun, Err(again(&last))).await;
        }
        if !command.is_empty() {
            self.tell(News::Ended(Err(format!("{last:#}")))).await;
            return;
        }
        self.toolbox(&short, last).await;
    }

    /// The container has no shell: the node's own, if it has one that can be used there.
    async fn toolbox(&mut self, short: &str, last: Error) {
        let what = format!("open a shell of the node's busybox in container {short}");
        let Some(begun) = self.begin(what).await else { return };
        let opened = timeout(OPEN, toolbox::shell(self.runtime.as_ref(), &self.container, TERM)).await;
        let opened = opened.unwrap_or_else(|_| Err(Error::new(Kind::DeadlineExceeded, "it took too long")));
        self.journal(begun, outcome(&opened)).await;
        match opened {
            Ok(mut session) => {
                let text =
                    "the container has no shell: this is the node's busybox, with root's rights in its namespaces\r\n";
                if self.tell(News::Opened).await && self.tell(News::Output(text.into(), None)).await {
                    let carried = self.carry(session.as_mut()).await;
                    self.ended(carried).await;
                }
            }
            Err(error) => {
                let why =
                    format!("no shell could be started ({}): {last:#}; nor the node's: {error:#}", SHELLS.join(", "));
                self.tell(News::Ended(Err(why))).await;
            }
        }
    }

    /// `None` if it cannot be written down, and must not be done.
    async fn begin(&self, what: String) -> Option<Begun> {
        match Intent::new(what).begin(self.runtime.info()).await {
            Ok(begun) => Some(begun),
            Err(error) => {
                self.tell(News::Refused(format!("{error:#}"))).await;
                None
            }
        }
    }

    async fn journal(&self, begun: Begun, done: Result<()>) {
        if let Err(error) = begun.done(&done).await {
            let _closed = self.send.send(Event::Failed(format!("{error:#}"))).await;
        }
    }

    async fn ended(&self, carried: Carried) {
        let ended = match carried {
            Carried::Exit(code) => Ok(code),
            Carried::Broke(error) | Carried::NotThere(error) => Err(format!("{error:#}")),
            Carried::Left => return,
        };
        self.tell(News::Ended(ended)).await;
    }

    async fn open(&self, command: Vec<String>) -> Result<Box<dyn Session>> {
        let request = ExecRequest { container: self.container.clone(), command, tty: true, stdin: true };
        let opened = timeout(OPEN, self.runtime.exec(&request)).await;
        opened.unwrap_or_else(|_| {
            Err(Error::new(Kind::DeadlineExceeded, format!("start it: timeout after {} s", OPEN.as_secs())))
        })
    }

    async fn carry(&mut self, session: &mut dyn Session) -> Carried {
        let input = session.take_input();
        let credit = Arc::new(Semaphore::new(1));
        let (mut pending, mut output) = (VecDeque::new(), Vec::new());
        let (mut heard, mut end) = (false, None);
        let (mut next, mut open) = (Instant::now(), true);
        self.resized.mark_changed();
        loop {
            let ready = !output.is_empty();
            if !ready && let Some(end) = end {
                return match end {
                    // It never spoke: a runtime tells in this way that there is no such program.
                    Ok(code @ (126 | 127)) if !heard => {
                        Carried::NotThere(Error::new(Kind::NotFound, format!("it ended with {code} and said nothing")))
                    }
                    Ok(code) => Carried::Exit(code),
                    Err(error) if !heard => Carried::NotThere(error),
                    Err(error) => Carried::Broke(error),
                };
            }
            tokio::select! {
                said = session.recv(), if end.is_none() && output.len() < PIECE => match said {
                    Ok(Output::Stdout(bytes) | Output::Stderr(bytes)) => {
                        heard |= !bytes.is_empty();
                        output.extend_from_slice(&bytes);
                    }
                    Ok(Output::Exit(code)) => end = Some(Ok(code)),
                    Err(error) => end = Some(Err(error)),
                },
                leave = paced(&credit, next), if ready => {
                    let rest = output.split_off(output.len().min(PIECE));
                    let piece = std::mem::replace(&mut output, rest);
                    next = Instant::now() + PACE;
                    if !self.tell(News::Output(piece, leave.map(Arc::new))).await {
                        return Carried::Left;
                    }
                },
                keys = self.typed.recv(), if pending.len() < KEYS && open => match keys {
                    Some(keys) => pending.push_back(keys),
                    None => return Carried::Left,
                },
                room = room(input.as_ref()), if !pending.is_empty() && open => match room {
                    Some(room) => drop(pending.pop_front().map(|keys| room.send(keys))),
                    // It takes no more; its end is told by itself.
                    None => open = false,
                },
                changed = self.resized.changed(), if end.is_none() => {
                    let (columns, rows) = *self.resized.borrow_and_update();
                    if changed.is_err() {
                        return Carried::Left;
                    }
                    if let Err(error) = session.resize(columns, rows).await {
                        // The size of a command that has just ended is of no use to anybody.
                        tracing::debug!("resize a terminal: {error:#}");
                    }
                },
            }
        }
    }
}

/// What came of a session.
enum Carried {
    Exit(i32),
    Broke(Error),
    NotThere(Error),
    /// Nobody wants it any more.
    Left,
}

async fn paced(credit: &Arc<Semaphore>, next: Instant) -> Option<tokio::sync::OwnedSemaphorePermit> {
    sleep_until(next).await;
    // Never closed.
    Arc::clone(credit).acquire_owned().await.ok()
}

async fn room(input: Option<&mpsc::Sender<Vec<u8>>>) -> Option<mpsc::Permit<'_, Vec<u8>>> {
    input?.reserve().await.ok()
}
