//! `exec`: a command in a container, to its end or with the person's terminal on it.

use std::{
    io::{IsTerminal, Read, stdin},
    time::Duration,
};

use clap::Args;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use super::{backend::Backend, figures::parse_span, filter, output::Out, report};
use crate::{
    bail,
    client::{Output, Session, types::ExecRequest},
    error::{Error, Kind, Result},
};

#[derive(Debug, Args)]
pub struct Exec {
    #[arg(value_name = "CONTAINER-ID")]
    id: String,
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Give it our input
    #[arg(short, long)]
    interactive: bool,
    /// Wait for its end, then show what it wrote
    #[arg(short, long, conflicts_with_all = ["interactive", "tty"])]
    sync: bool,
    /// How long it may take; 0 is for ever
    #[arg(long, default_value = "0", value_parser = parse_span, value_name = "SPAN", hide_default_value = true)]
    timeout: Duration,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
}

pub async fn exec(backend: &Backend, out: &mut Out, args: Exec) -> Result<u8> {
    let what = format!("exec in container {}", args.id);
    backend.may_change(&what)?;
    let container = filter::container_id(backend, &args.id).await?;
    let mut command = args.command;
    if command.first().is_some_and(|c| c == "--") {
        command.remove(0);
    }
    if command.is_empty() {
        bail!(InvalidArgument, "{what}: there is no command");
    }
    let runtime = backend.runtime();
    if args.sync {
        let result = runtime.exec_sync(&container, &command, args.timeout).await.map_err(|e| e.context(what))?;
        out.bytes(&result.stdout)?;
        out.error_bytes(&result.stderr)?;
        return Ok(code(result.code));
    }
    if args.tty && args.interactive && !stdin().is_terminal() {
        bail!(InvalidArgument, "{what}: -t needs a terminal on the input");
    }
    let request = ExecRequest { container, command, tty: args.tty, stdin: args.interactive };
    let run = async {
        let mut session = runtime.exec(&request).await?;
        carry(session.as_mut(), out, args.interactive, args.tty).await
    };
    report::within(Some(args.timeout), &what, run).await.map_err(|e| e.context(what.clone()))
}

/// An exit code as a process can have it.
pub fn code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// Raw mode of our input, ended with the value.
struct Raw(Termios);

impl Raw {
    fn enter() -> Result<Self> {
        let failed =
            |e: rustix::io::Errno| Error::new(Kind::Unavailable, "set the terminal to raw mode").with_source(e);
        let before = tcgetattr(stdin()).map_err(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).map_err(failed)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(stdin(), OptionalActions::Flush, &self.0) {
            tracing::warn!("leave raw mode: {error}");
        }
    }
}

/// Connects a session with our input and output until it exits; its exit code. Bytes pass as they are: a person who runs
/// a command in a container asked for what it says.
pub async fn carry(session: &mut dyn Session, out: &mut Out, input: bool, tty: bool) -> Result<u8> {
    let raw = if tty && stdin().is_terminal() { Some(Raw::enter()?) } else { None };
    let (send, mut keys) = mpsc::channel::<Vec<u8>>(16);
    if input {
        // Ends with the process at the latest: a read of a terminal cannot be called off.
        std::thread::spawn(move || {
            let mut buffer = vec![0_u8; 16 << 10];
            while let Ok(n @ 1..) = stdin().read(&mut buffer) {
                if send.blocking_send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
    } else {
        drop(send);
    }
    let mut resized = signal(SignalKind::window_change())
        .map_err(|e| Error::new(Kind::Unavailable, "listen for the window's size").with_source(e))?;
    let mut open = input;
    if raw.is_some() {
        resize(session).await?;
    }
    loop {
        tokio::select! {
            output = session.recv() => match output? {
                Output::Stdout(bytes) => out.bytes(&bytes)?,
                Output::Stderr(bytes) => out.error_bytes(&bytes)?,
                Output::Exit(exit) => return Ok(code(exit)),
            },
            typed = keys.recv(), if open => match typed {
                Some(bytes) => session.send(&bytes).await?,
                None => {
                    open = false;
                    session.close_stdin().await?;
                }
            },
            _ = resized.recv(), if raw.is_some() => resize(session).await?,
        }
    }
}

async fn resize(session: &mut dyn Session) -> Result<()> {
    let size =
        tcgetwinsize(stdin()).map_err(|e| Error::new(Kind::Unavailable, "read the terminal's size").with_source(e))?;
    session.resize(size.ws_col, size.ws_row).await
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    #[derive(Debug)]
    struct Said(Vec<Output>);

    #[async_trait]
    impl Session for Said {
        async fn send(&mut self, _input: &[u8]) -> Result<()> {
            bail!(Internal, "nobody typed")
        }
        async fn close_stdin(&mut self) -> Result<()> {
            bail!(Internal, "it was not open")
        }
        async fn recv(&mut self) -> Result<Output> {
            Ok(self.0.remove(0))
        }
        async fn resize(&mut self, _columns: u16, _rows: u16) -> Result<()> {
            bail!(Internal, "there is no terminal")
        }
    }

    #[tokio::test]
    async fn both_streams_and_the_exit_code_pass() {
        let said = vec![Output::Stdout(b"a\xff".to_vec()), Output::Stderr(b"b\n".to_vec()), Output::Exit(7)];
        let (mut out, text, errors) = crate::cli::tests::capture(None);
        assert_eq!(carry(&mut Said(said), &mut out, false, false).await.unwrap(), 7);
        assert_eq!((text().as_str(), errors().as_str()), ("a\u{fffd}", "b\n"));
        assert_eq!([code(0), code(255), code(-1), code(256)], [0, 255, 255, 255]);
    }
}
