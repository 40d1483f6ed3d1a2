//! The terminal: taken, lent to a shell, given back. Given back on every way out: return, panic, SIGTERM, SIGHUP, end of
//! input. Nothing is drawn here.

use std::{
    io::{Write, stdout},
    os::fd::AsFd,
    panic::PanicHookInfo,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, SystemTime},
};

use base64::Engine;
use crossterm::{
    cursor, event as input, execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use futures::StreamExt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::event::Event;
use crate::error::{Error, Kind, Result};

/// Ends a frame that was cut short, and switches off what a program in a container may have switched on: mouse, focus,
/// paste, line drawing, margins, application keys; then the plain screen and the cursor.
pub const RESET: &[u8] = b"\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?1l\x1b>\x1b[r\x1b[?6l\x1b[?7h\x1b[4l\x0f\x1b(B\x1b[0m\x1b[?1049l\x1b[?25h";

/// A terminal that goes away, by whatever sign.
const HANGUP: u8 = died_of(1);

static TAKEN: AtomicBool = AtomicBool::new(false);
/// Who draws, and how to tell them what happened elsewhere.
static OWNER: Mutex<Option<Owner>> = Mutex::new(None);
/// What panicked elsewhere, for when the terminal is plain again.
static DIED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Owner {
    thread: ThreadId,
    task: Option<tokio::task::Id>,
    send: mpsc::Sender<Event>,
}

/// Takes note of a panic that is not the app's own, whose screen goes on; false if it is.
fn noted(info: &PanicHookInfo<'_>) -> bool {
    let owner = OWNER.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(owner) = owner.as_ref().filter(|_| TAKEN.load(Ordering::SeqCst)) else { return false };
    let task = tokio::task::try_id();
    if task == owner.task && (task.is_some() || thread::current().id() == owner.thread) {
        return false;
    }
    let text = format!("a part of wharf died, the rest goes on: {}", info.to_string().replace('\n', " "));
    DIED.lock().unwrap_or_else(PoisonError::into_inner).push(text.clone());
    // When the channel is full there is still the end.
    let _full = owner.send.try_send(Event::Failed(text));
    true
}

/// The wall's clock, set back to the moment of a recording.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    behind: Duration,
}

impl Clock {
    /// One that begins at that moment now.
    pub fn from(moment: SystemTime) -> Self {
        Self { behind: SystemTime::now().duration_since(moment).unwrap_or_default() }
    }

    pub fn now(self) -> SystemTime {
        let now = SystemTime::now();
        now.checked_sub(self.behind).unwrap_or(now)
    }
}

#[derive(Debug)]
pub struct Tty {
    clock: Clock,
    send: mpsc::Sender<Event>,
    reader: Option<JoinHandle<()>>,
    signals: JoinHandle<()>,
    open: Arc<AtomicBool>,
    /// The exit code, once something outside has ended the app.
    end: watch::Sender<Option<u8>>,
    mouse: bool,
}

/// What a shell reports for a process that a signal ended.
const fn died_of(signal: i32) -> u8 {
    128 + signal as u8
}

fn failed(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |e| Error::new(Kind::Unavailable, doing).with_source(e)
}

fn take() -> Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode().map_err(failed("set the terminal to raw mode"))?;
    execute!(stdout(), EnterAlternateScreen, input::EnableBracketedPaste, cursor::Hide)
        .map_err(failed("switch to the alternate screen"))
}

/// Does nothing the second time, so that a panic while leaving cannot make it worse.
fn give_back() -> Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let reset = execute!(stdout(), LeaveAlternateScreen)
        .and_then(|()| stdout().write_all(RESET))
        .and_then(|()| stdout().flush())
        .map_err(failed("reset the terminal"));
    let raw = disable_raw_mode().map_err(failed("leave raw mode"));
    match reset {
        Ok(()) => raw,
        Err(error) => Err(error.and_cleanup(raw)),
    }
}

impl Tty {
    pub fn enter(send: mpsc::Sender<Event>, clock: Clock) -> Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if super::emulator::guarded() || noted(info) {
                    return;
                }
                // The message must stand on the plain screen; a failure to get there has nowhere to go.
                let _nowhere = give_back();
                before(info);
            }));
        });
        *OWNER.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Owner { thread: thread::current().id(), task: tokio::task::try_id(), send: send.clone() });
        let (end, _) = watch::channel(None);
        let mut endings = Vec::new();
        for kind in [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()] {
            endings.push((signal(kind).map_err(failed("listen for signals"))?, died_of(kind.as_raw_value())));
        }
        let tell = end.clone();
        let signals = tokio::spawn(async move {
            let any = endings.iter_mut().map(|(signal, code)| Box::pin(async { (signal.recv().await, *code).1 }));
            let (code, ..) = futures::future::select_all(any).await;
            tell.send_replace(Some(code));
        });
        let open = Arc::new(AtomicBool::new(true));
        watch_hangup(end.clone(), Arc::clone(&open))?;
        let mut tty = Self { clock, send, reader: None, signals, open, end, mouse: false };
        if let Err(error) = tty.resume() {
            return Err(error.and_cleanup(give_back()));
        }
        Ok(tty)
    }

    /// The one that stamps the keys.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Gives the terminal back for a while: raw mode, screen and keys are somebody else's.
    pub fn suspend(&mut self) -> Result<()> {
        if let Some(reader) = self.reader.take() {
            reader.abort();
        }
        give_back()
    }

    pub fn resume(&mut self) -> Result<()> {
        take()?;
        // Answers a program asked the terminal for, and keys typed ahead, are not for the app.
        rustix::termios::tcflush(std::io::stdin().as_fd(), rustix::termios::QueueSelector::IFlush)
            .map_err(|e| failed("drop waiting input")(e.into()))?;
        if self.mouse {
            self.mouse(true)?;
        }
        self.reader = Some(tokio::spawn(read(self.send.clone(), self.end.clone(), self.clock)));
        Ok(())
    }

    /// Waits until the terminal has gone or a signal asked to end; the exit code for it.
    pub async fn ended(&self) -> u8 {
        let mut end = self.end.subscribe();
        // The sender is ours: it cannot be gone.
        end.wait_for(Option::is_some).await.map_or(HANGUP, |code| code.unwrap_or(HANGUP))
    }

    /// Has the terminal report the mouse, or not. The mode ends with the app's turn and is set again with the next.
    pub fn mouse(&mut self, on: bool) -> Result<()> {
        self.mouse = on;
        let done = if on {
            execute!(stdout(), input::EnableMouseCapture)
        } else {
            execute!(stdout(), input::DisableMouseCapture)
        };
        done.map_err(failed("switch the mouse"))
    }

    /// Puts text into the terminal's clipboard (OSC 52), through tmux where it runs around us.
    pub fn copy(text: &str) -> Result<()> {
        let coded = base64::engine::general_purpose::STANDARD.encode(text);
        let sequence = clipboard(&coded, std::env::var_os("TMUX").is_some());
        stdout().write_all(sequence.as_bytes()).and_then(|()| stdout().flush()).map_err(failed("write to the terminal"))
    }

    pub fn leave(&mut self) -> Result<()> {
        self.signals.abort();
        self.open.store(false, Ordering::SeqCst);
        let left = self.suspend();
        for text in std::mem::take(&mut *DIED.lock().unwrap_or_else(PoisonError::into_inner)) {
            // Standard error may be gone; there is nowhere else to say it.
            let _nowhere = writeln!(std::io::stderr(), "wharf: {text}");
        }
        left
    }
}

/// tmux passes on what is wrapped for it, with every escape doubled.
fn clipboard(coded: &str, tmux: bool) -> String {
    if tmux { format!("\x1bPtmux;\x1b\x1b]52;c;{coded}\x07\x1b\\") } else { format!("\x1b]52;c;{coded}\x07") }
}

impl Drop for Tty {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!("give the terminal back: {error:#}");
        }
    }
}

async fn read(send: mpsc::Sender<Event>, end: watch::Sender<Option<u8>>, clock: Clock) {
    let mut stream = input::EventStream::new();
    while let Some(next) = stream.next().await {
        let event = match next {
            Ok(input::Event::Key(key)) => Event::Key(key, clock.now()),
            Ok(input::Event::Mouse(mouse)) => Event::Mouse(mouse),
            Ok(input::Event::Paste(text)) => Event::Paste(text),
            Ok(input::Event::Resize(width, height)) => Event::Resize(width, height),
            Ok(_) => continue,
            Err(_) => break,
        };
        if send.send(event).await.is_err() {
            return;
        }
    }
    gone(&end);
}

/// A signal that came before it stays the reason.
fn gone(end: &watch::Sender<Option<u8>>) {
    end.send_modify(|code| *code = Some(code.unwrap_or(HANGUP)));
}

/// A terminal that went away reads as ready for ever, and no signal need come. A thread that asks for nothing but the
/// hang-up itself sees it and costs nothing.
fn watch_hangup(end: watch::Sender<Option<u8>>, open: Arc<AtomicBool>) -> Result<()> {
    let watch = move || {
        let stdin = std::io::stdin();
        while open.load(Ordering::SeqCst) {
            let mut asked = [PollFd::new(&stdin, PollFlags::empty())];
            let second = Timespec { tv_sec: 1, tv_nsec: 0 };
            match poll(&mut asked, Some(&second)) {
                Ok(0) => {}
                Ok(_) => return gone(&end),
                Err(rustix::io::Errno::INTR) => std::thread::sleep(Duration::from_millis(10)),
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new()
        .name("tty-hangup".into())
        .spawn(watch)
        .map(drop)
        .map_err(failed("start the thread that watches the terminal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_through_tmux() {
        assert_eq!(clipboard("QQ==", false), "\x1b]52;c;QQ==\x07");
        assert_eq!(clipboard("QQ==", true), "\x1bPtmux;\x1b\x1b]52;c;QQ==\x07\x1b\\");
    }

    #[test]
    fn tui_09_reset_switches_everything_off() {
        let text = std::str::from_utf8(RESET).unwrap();
        for mode in ["2026", "1000", "1002", "1003", "1006", "1004", "2004", "1049"] {
            assert!(text.contains(&format!("\x1b[?{mode}l")), "{mode}");
        }
        assert!(text.ends_with("\x1b[?25h"));
    }
}
