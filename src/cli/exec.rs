//! `exec` and `attach`: a command in a container, to its end or with the person's terminal on it.

use std::{
    io::{IsTerminal, Read, stdin},
    time::Duration,
};

use clap::{Args, ValueEnum};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use super::{
    backend::{Backend, journal},
    figures::parse_span,
    filter,
    output::Out,
    report,
};
use crate::{
    bail,
    client::{Output, Runtime, Session, audit::Intent, sessions::AttachRequest, streaming::Wire, types::ExecRequest},
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
    #[command(flatten)]
    over: Over,
}

/// How the streams travel.
#[derive(Debug, Clone, Copy, Args)]
pub struct Over {
    /// How to stream [default: what the runtime speaks]
    #[arg(short = 'r', long, value_name = "PROTOCOL")]
    transport: Option<Transport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Transport {
    Spdy,
    Websocket,
}

impl Over {
    pub fn wire(self) -> Option<Wire> {
        self.transport.map(|t| if t == Transport::Spdy { Wire::Spdy } else { Wire::WebSocket })
    }
}

#[derive(Debug, Args)]
pub struct Attach {
    #[arg(value_name = "CONTAINER-ID")]
    id: String,
    /// Give it our input
    #[arg(short = 'i', long)]
    stdin: bool,
    /// Its terminal is ours
    #[arg(short, long)]
    tty: bool,
    #[command(flatten)]
    over: Over,
}

pub async fn attach(backend: &Backend, out: &mut Out, args: Attach) -> Result<u8> {
    let what = format!("attach to container {}", args.id);
    backend.may_change(&what)?;
    if args.tty && args.stdin && !stdin().is_terminal() {
        bail!(InvalidArgument, "{what}: -t needs a terminal on the input");
    }
    let container = filter::container_id(backend, &args.id).await?;
    let request = AttachRequest { container: &container, tty: args.tty, stdin: args.stdin };
    let mut session = backend.cri().attach_to(request, args.over.wire()).await?;
    carry(session.as_mut(), out, args.stdin, args.tty).await
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
    let intent = Intent::new(format!("{what}: {}", command.join(" ")));
    let info = backend.cri().info();
    if args.sync {
        let begun = intent.begin(info).await?;
        let result = backend.runtime().exec_sync(&container, &command, args.timeout).await;
        journal(begun, &result).await;
        let result = result.map_err(|e| e.context(what))?;
        out.bytes(&result.stdout)?;
        out.error_bytes(&result.stderr)?;
        return Ok(code(result.code));
    }
    if args.tty && args.interactive && !stdin().is_terminal() {
        bail!(InvalidArgument, "{what}: -t needs a terminal on the input");
    }
    let request = ExecRequest { container, command, tty: args.tty, stdin: args.interactive };
    let begun = intent.begin(info).await?;
    let run = async {
        let mut session = backend.cri().exec_over(&request, args.over.wire()).await?;
        carry(session.as_mut(), out, args.interactive, args.tty).await
    };
    let done = report::within(Some(args.timeout), &what, run).await.map_err(|e| e.context(what.clone()));
    journal(begun, &done).await;
    done
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
/// a command in a container asked for what it says. On a terminal ctrl-p ctrl-q leaves, as in crictl.
pub async fn carry(session: &mut dyn Session, out: &mut Out, input: bool, tty: bool) -> Result<u8> {
    let raw = if tty && stdin().is_terminal() { Some(Raw::enter()?) } else { None };
    let (leave, mut left) = mpsc::channel(1);
    if let Some(keys) = session.take_input().filter(|_| input) {
        let watch = raw.is_some();
        // Ends with the process at the latest: a read of a terminal cannot be called off.
        std::thread::spawn(move || feed(&keys, &leave, watch));
    }
    let mut resized = signal(SignalKind::window_change())
        .map_err(|e| Error::new(Kind::Unavailable, "listen for the window's size").with_source(e))?;
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
            Some(()) = left.recv() => return Ok(0),
            _ = resized.recv(), if raw.is_some() => resize(session).await?,
        }
    }
}

/// Our input to the session, until it ends or somebody wants to leave.
fn feed(keys: &mpsc::Sender<Vec<u8>>, leave: &mpsc::Sender<()>, watch: bool) {
    let mut buffer = vec![0_u8; 16 << 10];
    let mut armed = false;
    while let Ok(n @ 1..) = stdin().read(&mut buffer) {
        let (bytes, leaving) = if watch { detached(&buffer[..n], &mut armed) } else { (buffer[..n].to_vec(), false) };
        let gone = !bytes.is_empty() && keys.blocking_send(bytes).is_err();
        if leaving {
            // Nobody waits for it when the session has ended meanwhile.
            let _ = leave.blocking_send(());
        }
        if gone || leaving {
            return;
        }
    }
}

/// What is before ctrl-p ctrl-q in `typed`, and whether that came. `armed`: a ctrl-p was held back.
fn detached(typed: &[u8], armed: &mut bool) -> (Vec<u8>, bool) {
    const P: u8 = 0x10;
    const Q: u8 = 0x11;
    let mut bytes = Vec::with_capacity(typed.len() + 1);
    for &key in typed {
        match (std::mem::take(armed), key) {
            (true, Q) => return (bytes, true),
            (before, P) => {
                bytes.extend(before.then_some(P));
                *armed = true;
            }
            (before, key) => {
                bytes.extend(before.then_some(P));
                bytes.push(key);
            }
        }
    }
    (bytes, false)
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

    #[test]
    fn ctrl_p_ctrl_q_leaves_and_a_lone_ctrl_p_is_typed() {
        let mut armed = false;
        assert_eq!(detached(b"ab\x10", &mut armed), (b"ab".to_vec(), false));
        assert_eq!(detached(b"c\x10\x10", &mut armed), (b"\x10c\x10".to_vec(), false));
        assert_eq!(detached(b"\x11rest", &mut armed), (Vec::new(), true));
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
