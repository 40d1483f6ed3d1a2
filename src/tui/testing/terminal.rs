//! The app on a real pseudo terminal: taken, given back, and ended when the terminal goes away.

use std::{
    io::Read,
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
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

#[derive(Debug)]
struct Fixed(RuntimeInfo);

#[async_trait]
impl Runtime for Fixed {
    fn info(&self) -> &RuntimeInfo {
        &self.0
    }
    async fn inventory(&self, _: Scope) -> Inventory {
        inventory()
    }
    async fn inspect(&self, _: &ObjectRef) -> Result<serde_json::Value> {
        Ok(serde_json::json!({"status": {"id": "the-status"}}))
    }
    async fn apply(&self, _: &Step) -> Result<()> {
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
        bail!(Unavailable, "no shell here")
    }
}

/// Not a test of its own: the process that the tests below put on a pseudo terminal.
#[test]
fn child() {
    if std::env::var_os("WHARF_TEST_CHILD").is_none() {
        return;
    }
    let info = RuntimeInfo { name: "fixed".into(), ..RuntimeInfo::default() };
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let result = tokio.block_on(crate::tui::run(Arc::new(Fixed(info)), crate::tui::Options::default()));
    tokio.shutdown_timeout(Duration::from_millis(100));
    result.unwrap();
}

struct Pty {
    master: std::fs::File,
    slave: OwnedFd,
    child: Child,
    bytes: Vec<u8>,
}

fn start() -> Pty {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
    tcsetwinsize(&slave, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tui::testing::terminal::child", "--nocapture", "--test-threads=1"])
        .env("WHARF_TEST_CHILD", "1")
        .env("TERM", "xterm-256color")
        .stdin(slave.try_clone().unwrap())
        .stdout(slave.try_clone().unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Pty { master: master.into(), slave, child, bytes: Vec::new() }
}

impl Pty {
    fn read(&mut self) {
        let mut wanted = [PollFd::new(&self.master, PollFlags::IN)];
        if poll(&mut wanted, Some(&Timespec { tv_sec: 0, tv_nsec: 50_000_000 })) == Ok(1) {
            let mut buffer = [0; 65_536];
            let n = self.master.read(&mut buffer).unwrap_or(0);
            self.bytes.extend(&buffer[..n]);
        }
    }

    fn screen(&self) -> String {
        let mut parser = vt100::Parser::new(30, 100, 0);
        parser.process(&self.bytes);
        parser.screen().contents()
    }

    fn until(&mut self, text: &str) {
        let begin = Instant::now();
        while !self.screen().contains(text) {
            assert!(begin.elapsed() < Duration::from_secs(30), "no {text:?} on\n{}", self.screen());
            self.read();
        }
    }

    fn keys(&mut self, keys: &str) {
        std::io::Write::write_all(&mut self.master, keys.as_bytes()).unwrap();
    }
}

fn ended(child: &mut Child, within: Duration) -> std::process::ExitStatus {
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
        let before = format!("{:?}", tcgetattr(&pty.slave).unwrap());
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
        assert_eq!(format!("{:?}", tcgetattr(&pty.slave).unwrap()), before, "{way:?}");
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
