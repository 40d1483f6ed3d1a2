//! A program on a terminal of its own: what a person would see, and keys for it.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

pub struct Pty {
    pub child: Child,
    master: File,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    /// How many there were, and when.
    times: Vec<(usize, Instant)>,
}

impl Pty {
    /// Starts it with the terminal as its controlling one.
    pub fn spawn(command: &Command, columns: u16, rows: u16) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let copy = |fd: &OwnedFd| fd.try_clone().unwrap();
        let mut session = Command::new("setsid");
        // A shell has its background jobs ignore ^C, and whoever runs the tests may be one.
        session
            .args(["--ctty", "--wait", "env", "--default-signal=INT"])
            .arg(command.get_program())
            .args(command.get_args());
        session.stdin(copy(&slave)).stdout(copy(&slave)).stderr(slave);
        let child = session.spawn().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (mut reader, sink) = (File::from(copy(&master)), Arc::clone(&seen));
        thread::spawn(move || {
            let mut buffer = [0; 64 << 10];
            // The terminal ends with an error when its last program has gone.
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                let mut sink = sink.lock().unwrap();
                sink.bytes.extend_from_slice(&buffer[..n]);
                let now = (sink.bytes.len(), Instant::now());
                sink.times.push(now);
            }
        });
        let pty = Self { child, master: master.into(), seen };
        pty.resize(columns, rows);
        pty
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        tcsetwinsize(&self.master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    }

    pub fn keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().bytes).into_owned()
    }

    /// Bytes it has written so far.
    #[allow(dead_code, reason = "only the benchmark asks when")]
    pub fn written(&self) -> usize {
        self.seen.lock().unwrap().bytes.len()
    }

    /// When these bytes came for the first time behind so many.
    #[allow(dead_code, reason = "only the benchmark asks when")]
    pub fn came(&self, behind: usize, bytes: &[u8]) -> Option<Instant> {
        let seen = self.seen.lock().unwrap();
        let at = seen.bytes[behind..].windows(bytes.len()).position(|w| w == bytes)?;
        let end = behind + at + bytes.len();
        seen.times.iter().find(|(written, _)| *written >= end).map(|(_, at)| *at)
    }

    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.text().contains(text) {
            assert!(Instant::now() < deadline, "{text:?} never came:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn end(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.text());
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
