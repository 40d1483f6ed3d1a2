//! A terminal for a program under test: a tmux server of its own; keys in, the screen out as text.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

/// Tells the program's pid and, once it has ended, its exit code: tmux itself misses some ends.
const KEEPER: &str = "dir=$1; shift; trap : HUP INT QUIT TERM; \
    sh -c 'echo $$ > \"$0/pid.new\"; mv \"$0/pid.new\" \"$0/pid\"; exec \"$@\"' \"$dir\" \"$@\"; \
    echo $? > \"$dir/code.new\"; mv \"$dir/code.new\" \"$dir/code\"";

/// How long the screen may take to show what a test waits for: the machine may be loaded.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Tmux {
    /// Holds the server's socket, the program's pid and its exit code.
    dir: tempfile::TempDir,
}

impl Tmux {
    /// Runs `command` (program, arguments and environment) in a terminal of this many columns and rows.
    /// When it ends, the terminal stays until [`Tmux::end`], scrolled up by one line for a remark of tmux.
    pub fn start(test: &str, (columns, rows): (u16, u16), command: &Command) -> Option<Self> {
        super::program(test, "tmux")?;
        let dir = tempfile::Builder::new().prefix(&format!("wharf-tmux-{test}-")).tempdir().unwrap();
        fs::write(dir.path().join("conf"), "set -g remain-on-exit on\nset -g status off\nset -sg escape-time 0\n")
            .unwrap();
        let tmux = Self { dir };
        let keeper = ["sh", "-c", KEEPER, "sh", tmux.dir.path().to_str().unwrap(), "env"];
        let mut argv: Vec<String> = keeper.map(str::to_owned).into();
        // Options first: what follows an assignment is the command to env(1).
        let (set, unset): (Vec<_>, Vec<_>) = command.get_envs().partition(|(_, value)| value.is_some());
        for (name, _) in unset {
            argv.extend(["-u".to_owned(), name.to_string_lossy().into_owned()]);
        }
        for (name, value) in set {
            argv.push(format!("{}={}", name.to_string_lossy(), value.unwrap_or_default().to_string_lossy()));
        }
        argv.push(command.get_program().to_string_lossy().into_owned());
        argv.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let mut all = vec!["new-session", "-d", "-s", "it", "-x", &columns, "-y", &rows];
        all.extend(argv.iter().map(String::as_str));
        tmux.ok(&all);
        Some(tmux)
    }

    /// Keys by tmux's names: `j`, `Enter`, `Escape`, `C-c`, `PageDown`.
    pub fn keys(&self, keys: &[&str]) {
        for some in keys.split_inclusive(|k| *k == "Escape") {
            self.ok(&[&["send-keys", "-t", "it", "--"], some].concat());
            if some.ends_with(&["Escape"]) {
                // With another key right behind it, it is Alt and that key.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// Whether the terminal shows its alternate screen, where an app draws.
    pub fn alternate(&self) -> bool {
        self.ok(&["display-message", "-t", "it", "-p", "#{alternate_on}"]).trim() == "1"
    }

    /// Characters as they are.
    pub fn text(&self, text: &str) {
        self.ok(&["send-keys", "-t", "it", "-l", "--", text]);
    }

    /// What is on the screen, one line a row, without colours and trailing spaces.
    pub fn screen(&self) -> String {
        self.ok(&["capture-pane", "-t", "it", "-p"])
    }

    /// Waits until the screen has the text; the screen that has it.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as wanted; that screen. Panics with the last one, naming `what`.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "the screen never had: {what}\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        self.ok(&["resize-window", "-t", "it", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// The program's process.
    pub fn pid(&self) -> i32 {
        self.told("pid")
    }

    /// Its exit code (128 + the signal's number), waiting for it to end.
    pub fn exit_code(&self) -> i32 {
        self.told("code")
    }

    /// Hangs up and waits until the program has gone.
    pub fn end(self) {
        let pid = self.pid();
        self.ok(&["kill-server"]);
        let deadline = Instant::now() + PATIENCE;
        while Path::new(&format!("/proc/{pid}")).exists() && !self.dir.path().join("code").exists() {
            assert!(Instant::now() < deadline, "the program outlives its terminal");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the keeper wrote, waiting for it.
    fn told(&self, what: &str) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(text) = fs::read_to_string(self.dir.path().join(what)) {
                return text.trim().parse().unwrap();
            }
            assert!(Instant::now() < deadline, "the program tells no {what}:\n{}", self.screen());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut tmux = Command::new("tmux");
        // A tmux around the test is none of ours.
        tmux.env_remove("TMUX").env("LC_ALL", "C.UTF-8").arg("-u");
        tmux.arg("-S").arg(self.dir.path().join("socket")).arg("-f").arg(self.dir.path().join("conf"));
        tmux.args(arguments).output().unwrap()
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "tmux {arguments:?}: {text}{error}");
        text.into_owned()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // After `end` there is no server any more.
        let _ = self.run(&["kill-server"]);
    }
}
