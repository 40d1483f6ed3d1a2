//! The terminal: taken, lent to a shell, given back. Given back on every way out: return, panic, SIGTERM, SIGHUP, end of
//! input. Nothing is drawn here.

use std::{
    io::{Write, stdout},
    os::fd::AsFd,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use crossterm::{
    cursor, event as input, execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use futures::StreamExt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
};

use super::event::Event;
use crate::error::{Error, Kind, Result};

/// Switches off what a program in a container may have switched on: mouse, focus, paste, line drawing, margins,
/// application keys; then the plain screen and the cursor.
const RESET: &[u8] = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?1l\x1b>\x1b[r\x1b[?6l\x1b[?7h\x1b[4l\x0f\x1b(B\x1b[0m\x1b[?1049l\x1b[?25h";

static TAKEN: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
pub struct Tty {
    send: mpsc::Sender<Event>,
    reader: Option<JoinHandle<()>>,
    signals: JoinHandle<()>,
    open: Arc<AtomicBool>,
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
    pub fn enter(send: mpsc::Sender<Event>) -> Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                // The message must stand on the plain screen; a failure to get there has nowhere to go.
                let _nowhere = give_back();
                before(info);
            }));
        });
        let mut endings = Vec::new();
        for kind in [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()] {
            endings.push(signal(kind).map_err(failed("listen for signals"))?);
        }
        let tell = send.clone();
        let signals = tokio::spawn(async move {
            let any = endings.iter_mut().map(|s| Box::pin(s.recv()));
            futures::future::select_all(any).await;
            let _closed = tell.send(Event::Hangup).await;
        });
        let open = Arc::new(AtomicBool::new(true));
        watch_hangup(send.clone(), Arc::clone(&open))?;
        let mut tty = Self { send, reader: None, signals, open };
        if let Err(error) = tty.resume() {
            return Err(error.and_cleanup(give_back()));
        }
        Ok(tty)
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
        self.reader = Some(tokio::spawn(read(self.send.clone())));
        Ok(())
    }

    pub fn leave(&mut self) -> Result<()> {
        self.signals.abort();
        self.open.store(false, Ordering::SeqCst);
        self.suspend()
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        if let Err(error) = self.leave() {
            tracing::warn!("give the terminal back: {error:#}");
        }
    }
}

async fn read(send: mpsc::Sender<Event>) {
    let mut stream = input::EventStream::new();
    while let Some(next) = stream.next().await {
        let event = match next {
            Ok(input::Event::Key(key)) => Event::Key(key, SystemTime::now()),
            Ok(input::Event::Paste(text)) => Event::Paste(text),
            Ok(input::Event::Resize(width, height)) => Event::Resize(width, height),
            Ok(_) => continue,
            Err(_) => break,
        };
        if send.send(event).await.is_err() {
            return;
        }
    }
    let _closed = send.send(Event::Hangup).await;
}

/// A terminal that went away reads as ready for ever, and no signal need come. A thread that asks for nothing but the
/// hang-up itself sees it and costs nothing.
fn watch_hangup(send: mpsc::Sender<Event>, open: Arc<AtomicBool>) -> Result<()> {
    let watch = move || {
        let stdin = std::io::stdin();
        while open.load(Ordering::SeqCst) {
            let mut asked = [PollFd::new(&stdin, PollFlags::empty())];
            let second = Timespec { tv_sec: 1, tv_nsec: 0 };
            match poll(&mut asked, Some(&second)) {
                Ok(0) => {}
                Ok(_) => {
                    let _closed = send.blocking_send(Event::Hangup);
                    return;
                }
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
    fn tui_09_reset_switches_everything_off() {
        let text = std::str::from_utf8(RESET).unwrap();
        for mode in ["1000", "1002", "1003", "1006", "1004", "2004", "1049"] {
            assert!(text.contains(&format!("\x1b[?{mode}l")), "{mode}");
        }
        assert!(text.ends_with("\x1b[?25h"));
    }
}
