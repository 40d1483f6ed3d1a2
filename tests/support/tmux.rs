//! A program in a real terminal: tmux, with keys in and the screen out. Each terminal has a server of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// How long something may take to appear on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Tmux {
    program: PathBuf,
    socket: PathBuf,
    alive: bool,
}

impl Tmux {
    /// Runs a shell command in a terminal of `columns` by `rows` cells, inside a network namespace if one is given. The
    /// terminal stays when the command ends and shows `EXIT` and its code.
    pub fn start(
        test: &str,
        netns: Option<&Path>,
        (columns, rows): (u16, u16),
        env: &[(&str, &str)],
        command: &str,
    ) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let program = super::program(test, "tmux")?;
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let socket = std::env::temp_dir().join(format!("wharf-tmux-{}-{number}", std::process::id()));
        let tmux = Self { program, socket, alive: true };
        let mut start = match netns {
            Some(netns) => super::in_netns(netns, &tmux.program),
            None => Command::new(&tmux.program),
        };
        start.arg("-S").arg(&tmux.socket).args(["-f", "/dev/null", "new-session", "-d"]);
        start.args(["-x", &columns.to_string(), "-y", &rows.to_string()]);
        for (name, value) in env {
            start.args(["-e", &format!("{name}={value}")]);
        }
        start.arg(format!("{command}; echo EXIT $?; exec sleep 600"));
        let output = start.env("LC_ALL", "C.UTF-8").env_remove("TMUX").output().unwrap();
        assert!(output.status.success(), "tmux: {}", String::from_utf8_lossy(&output.stderr));
        Some(tmux)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(&self.program).arg("-S").arg(&self.socket).args(arguments).env_remove("TMUX").output().unwrap()
    }

    /// Keys by tmux's names ("Enter", "Escape", "C-c"); anything else is typed as it is.
    pub fn keys(&self, keys: &[&str]) {
        for key in keys {
            let output = self.run(&["send-keys", key]);
            assert!(output.status.success(), "{key}: {}", String::from_utf8_lossy(&output.stderr));
            if *key == "Escape" {
                // With another key right behind it, it is Alt and that key.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }

    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.run(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// The screen as soon as it holds `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    #[track_caller]
    pub fn wait_until(&self, what: &str, seen: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        loop {
            let screen = self.screen();
            if seen(&screen) {
                return screen;
            }
            assert!(begin.elapsed() < PATIENCE, "not on the screen: {what}\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether the terminal is in its alternate screen, where an app draws.
    pub fn alternate(&self) -> bool {
        let output = self.run(&["display-message", "-p", "#{alternate_on}"]);
        String::from_utf8_lossy(&output.stdout).trim() == "1"
    }

    /// Closes the terminal: what runs in it gets SIGHUP.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.alive) {
            self.run(&["kill-server"]);
            // The server removes its socket when it ends by itself.
            let _gone = std::fs::remove_file(&self.socket);
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.end();
    }
}
