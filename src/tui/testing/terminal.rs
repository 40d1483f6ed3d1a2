//! The app on a real pseudo terminal: taken, given back, and ended when the terminal goes away.

use std::{
    io::Read,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Child, Command},
    time::Instant,
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcgetattr, tcsetwinsize},
};

use super::*;
use crate::{
    bail,
    client::{Credentials, Runtime, Session},
    error::Result,
};

/// How the runtime of the child process is: `1` is well.
const CHILD: &str = "WHARF_TEST_CHILD";

/// A runtime that answers as the fixture has it, or as the test asks for.
#[derive(Debug)]
struct Fixed {
    info: RuntimeInfo,
    mode: String,
    answered: std::sync::atomic::AtomicU32,
}

#[async_trait]
impl Runtime for Fixed {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }
    async fn inventory(&self, _: Scope) -> Inventory {
        let before = self.answered.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        match self.mode.as_str() {
            // It answers once, and then never.
            "hangs" if before > 0 => std::future::pending().await,
            "reading dies" if before == 1 => panic!("the second reading was asked to die"),
            _ => inventory(),
        }
    }
    async fn inspect(&self, _: &ObjectRef) -> Result<serde_json::Value> {
        match self.mode.as_str() {
            "hangs" => std::future::pending::<()>().await,
            "worker dies" => panic!("the worker was asked to die"),
            _ => {}
        }
        Ok(serde_json::json!({"status": {"id": "the-status"}}))
    }
    async fn apply(&self, _: &Step) -> Result<String> {
        bail!(PermissionDenied, "fixed")
    }
    async fn pull(&self, _: &str, _: Option<&Credentials>, _: &(dyn Fn(PullProgress) + Send + Sync)) -> Result<String> {
        bail!(NotFound, "fixed")
    }
    fn events(&self) -> BoxStream<'static, Result<()>> {
        futures::stream::pending().boxed()
    }
    fn logs(&self, _: &str, _: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        futures::stream::iter(log_lines().into_iter().map(Ok)).boxed()
    }
    async fn exec_sync(&self, _: &str, _: &[String], _: Duration) -> Result<ExecResult> {
        bail!(Unimplemented, "fixed")
    }
    async fn exec(&self, _: &ExecRequest) -> Result<Box<dyn Session>> {
        Ok(Box::new(Hostile { ends: None, heard: Vec::new() }))
    }
}

/// What a program in a container says to the terminal that it was lent: modes, a title, questions.
pub const SAYS: &str = "\x1b[?1049h\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b=\x1b[2;5r\x1b[?6h\x1b[?7l\x1b[?25l\x1b[4h\x0e\x1b]0;owned\x07\x1b]52;c;?\x07\x1b[c\x1b[6n\x1bP$qm\x1b\\HOSTILE";

/// A shell that takes the terminal over and ends.
struct Hostile {
    /// When, once it has spoken.
    ends: Option<tokio::time::Instant>,
    heard: Vec<u8>,
}

#[async_trait]
impl Session for Hostile {
    async fn send(&mut self, input: &[u8]) -> Result<()> {
        self.heard.extend(input);
        Ok(())
    }
    async fn close_stdin(&mut self) -> Result<()> {
        Ok(())
    }
    async fn recv(&mut self) -> Result<crate::client::Output> {
        let Some(end) = self.ends else {
            // Long enough for the terminal's answers to be on their way.
            self.ends = Some(tokio::time::Instant::now() + Duration::from_millis(500));
            return Ok(crate::client::Output::Stdout(SAYS.as_bytes().to_vec()));
        };
        tokio::time::sleep_until(end).await;
        Ok(crate::client::Output::Exit(i32::from(self.heard.is_empty())))
    }
    async fn resize(&mut self, _: u16, _: u16) -> Result<()> {
        Ok(())
    }
}

/// Not a test of its own: the process that the tests below put on a pseudo terminal.
#[test]
fn child() {
    let Ok(mode) = std::env::var(CHILD) else { return };
    let info = RuntimeInfo { name: "fixed".into(), version: mode.clone(), mode: Mode::Demo, ..RuntimeInfo::default() };
    let runtime = Fixed { info, mode, answered: Default::default() };
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let result = tokio.block_on(crate::tui::run(Arc::new(runtime), crate::tui::Options::default()));
    tokio.shutdown_timeout(Duration::from_millis(100));
    result.unwrap();
}

pub struct Pty {
    master: std::fs::File,
    slave: OwnedFd,
    pub child: Child,
    pub bytes: Vec<u8>,
    /// How the terminal was before the app took it.
    pub before: String,
}

fn start() -> Pty {
    start_as("1", &[])
}

/// With a runtime like that, and these variables.
pub fn start_as(mode: &str, variables: &[(&str, &str)]) -> Pty {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
    tcsetwinsize(&slave, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let before = format!("{:?}", tcgetattr(&slave).unwrap());
    let mut command = Command::new(std::env::current_exe().unwrap());
    if mode == "shell" {
        let lead = || {
            rustix::process::setsid()?;
            Ok(rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?)
        };
        // SAFETY: between fork and exec it makes two system calls and nothing else.
        unsafe { command.pre_exec(lead) };
    }
    let child = command
        .args(["--exact", "tui::testing::terminal::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, mode)
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .env_remove("TMUX")
        .envs(variables.iter().copied())
        .stdin(slave.try_clone().unwrap())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave.try_clone().unwrap())
        .spawn()
        .unwrap();
    Pty { master: master.into(), slave, child, bytes: Vec::new(), before }
}

impl Pty {
    pub fn mode(&self) -> String {
        format!("{:?}", tcgetattr(&self.slave).unwrap())
    }

    pub fn read(&mut self) {
        let mut wanted = [PollFd::new(&self.master, PollFlags::IN)];
        if poll(&mut wanted, Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 })) == Ok(1) {
            let mut buffer = [0; 65_536];
            let n = self.master.read(&mut buffer).unwrap_or(0);
            self.bytes.extend(&buffer[..n]);
        }
    }

    pub fn screen(&self) -> String {
        let mut parser = vt100::Parser::new(30, 100, 0);
        parser.process(&self.bytes);
        parser.screen().contents()
    }

    #[track_caller]
    pub fn until(&mut self, text: &str) {
        let begin = Instant::now();
        while !self.screen().contains(text) {
            assert!(begin.elapsed() < Duration::from_secs(30), "no {text:?} on\n{}", self.screen());
            self.read();
        }
    }

    #[track_caller]
    pub fn until_gone(&mut self, text: &str) {
        let begin = Instant::now();
        while self.screen().contains(text) {
            assert!(begin.elapsed() < Duration::from_secs(30), "{text:?} stays on\n{}", self.screen());
            self.read();
        }
    }

    pub fn keys(&mut self, keys: &str) {
        std::io::Write::write_all(&mut self.master, keys.as_bytes()).unwrap();
    }
}

pub fn ended(child: &mut Child, within: Duration) -> std::process::ExitStatus {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begin.elapsed() > within {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("still running after {within:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn tui_09_the_terminal_is_given_back() {
    for way in ["q", ":q\r", "\x03", "TERM"] {
        let mut pty = start();
        pty.until("cart-redis-0");
        pty.keys("3");
        pty.until("OOMKilled");
        pty.keys("\r");
        pty.until("the-status");
        pty.keys("q");
        pty.keys("l");
        pty.until("Logs checkout");
        pty.keys("2");
        pty.until("NAMESPACE");
        if way == "TERM" {
            let id = rustix::process::Pid::from_child(&pty.child);
            rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        } else {
            pty.keys(way);
        }
        let begin = Instant::now();
        while pty.child.try_wait().unwrap().is_none() && begin.elapsed() < Duration::from_secs(10) {
            pty.read();
        }
        pty.read();
        assert!(ended(&mut pty.child, Duration::from_secs(1)).success(), "{way:?}");
        let tail = String::from_utf8_lossy(&pty.bytes).into_owned();
        for mode in ["?1049l", "?2004l", "?1000l", "?25h"] {
            assert!(tail.contains(mode), "{way:?}: no {mode}");
        }
        assert_eq!(pty.mode(), pty.before, "{way:?}");
    }
}

#[test]
fn tui_10_a_terminal_that_goes_away_ends_the_app() {
    let mut pty = start();
    pty.until("cart-redis-0");
    let Pty { master, slave, mut child, .. } = pty;
    drop(slave);
    drop(master);
    ended(&mut child, Duration::from_secs(3));
}
