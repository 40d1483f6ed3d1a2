//! A shell in a container on the real terminal, while the app steps aside. Bytes pass through as they are, which a person
//! chose by asking for a shell; the terminal is reset afterwards.

use std::{io::Write, os::fd::OwnedFd};

use rustix::{
    fs::{Mode, OFlags},
    termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};
use tokio::{
    io::unix::AsyncFd,
    signal::unix::{SignalKind, signal},
};

use super::{sessions::FIND, tty::RESET};
use crate::{
    client::{Output, Runtime, Session, types::ExecRequest},
    error::{Error, Kind, Result},
};

/// After what the terminal may have been told meanwhile is switched off: DECSTR, for what we do not know of. The app sets its own
/// modes again.
const AFTER: &[u8] = b"\x1b[!p\r\n";

fn failed(doing: &'static str) -> impl FnOnce(rustix::io::Errno) -> Error {
    move |e| Error::new(Kind::Unavailable, doing).with_source(std::io::Error::from(e))
}

/// Raw mode that ends with the value.
struct Raw {
    tty: OwnedFd,
    before: Termios,
}

impl Raw {
    fn open() -> Result<Self> {
        // An open file of its own, so that not blocking is not forced on the shell that started us.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let tty = rustix::fs::open("/dev/tty", flags, Mode::empty()).map_err(|e| Error::io("open", "/dev/tty", e))?;
        let before = tcgetattr(&tty).map_err(failed("read the terminal's mode"))?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&tty, OptionalActions::Flush, &raw).map_err(failed("set the terminal to raw mode"))?;
        Ok(Self { tty, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(&self.tty, OptionalActions::Flush, &self.before) {
            tracing::warn!("leave raw mode: {error}");
        }
    }
}

/// Runs a shell until it exits; its exit code.
pub async fn shell(runtime: &dyn Runtime, container: &str) -> Result<i32> {
    let command = ["sh", "-c", FIND].map(str::to_owned).to_vec();
    let request = ExecRequest { container: container.to_owned(), command, tty: true, stdin: true };
    let deadline = std::time::Duration::from_secs(15);
    let mut session = tokio::time::timeout(deadline, runtime.exec(&request))
        .await
        .map_err(|_| Error::new(Kind::DeadlineExceeded, "start a shell: timeout after 15 s"))??;
    let raw = Raw::open()?;
    let result = carry(session.as_mut(), &raw).await;
    let reset = write(&[RESET, AFTER]);
    drop(raw);
    match result {
        Ok(code) => reset.map(|()| code),
        Err(error) => Err(error.and_cleanup(reset)),
    }
}

fn write(parts: &[&[u8]]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    parts
        .iter()
        .try_for_each(|p| out.write_all(p))
        .and_then(|()| out.flush())
        .map_err(|e| Error::new(Kind::Unavailable, "write to the terminal").with_source(e))
}

async fn carry(session: &mut dyn Session, raw: &Raw) -> Result<i32> {
    let waits = |e| Error::new(Kind::Unavailable, "wait for the terminal").with_source(e);
    let own: OwnedFd = raw.tty.try_clone().map_err(waits)?;
    // SAFETY: `own` belongs to the `AsyncFd` from here on, and always yields the same open descriptor.
    let keys = unsafe { AsyncFd::register(own) }.map_err(|e| waits(e.into()))?;
    let mut resized = signal(SignalKind::window_change())
        .map_err(|e| Error::new(Kind::Unavailable, "listen for the window's size").with_source(e))?;
    resize(session, raw).await?;
    let mut buffer = [0_u8; 4096];
    let mut open = true;
    loop {
        tokio::select! {
            output = session.recv() => match output? {
                Output::Stdout(bytes) | Output::Stderr(bytes) => write(&[&bytes])?,
                Output::Exit(code) => return Ok(code),
            },
            ready = keys.readable(), if open => {
                let mut ready = ready.map_err(|e| Error::new(Kind::Unavailable, "wait for keys").with_source(e))?;
                match ready.try_io(|fd| rustix::io::read(fd.get_ref(), &mut buffer[..]).map_err(Into::into)) {
                    Err(_would_block) => {}
                    Ok(Ok(0)) => {
                        open = false;
                        session.close_stdin().await?;
                    }
                    Ok(Ok(n)) => session.send(&buffer[..n]).await?,
                    Ok(Err(e)) => return Err(Error::new(Kind::Unavailable, "read keys").with_source(e)),
                }
            },
            _ = resized.recv() => resize(session, raw).await?,
        }
    }
}

async fn resize(session: &mut dyn Session, raw: &Raw) -> Result<()> {
    let size = tcgetwinsize(&raw.tty).map_err(failed("read the terminal's size"))?;
    session.resize(size.ws_col, size.ws_row).await
}
