//! runc or crun, by their command line: create, start, exec, update, delete. Signals and waiting need no runtime, because
//! the shim is the reaper of whatever they leave behind.

use std::{
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use oci_spec::runtime::{LinuxResources, Process};

use super::console::{self, Console};
use crate::error::{Error, Kind, Result};

/// For one call of the runtime.
const LIMIT: Duration = Duration::from_secs(120);
/// Bytes of its messages that an error shows.
const MESSAGE: usize = 1024;

#[derive(Debug, Clone)]
pub struct CommandLine {
    binary: PathBuf,
    /// Where it keeps its own state.
    root: PathBuf,
    /// It has systemd make the groups.
    systemd: bool,
}

impl CommandLine {
    pub fn new(binary: &Path, shim: &Path, systemd: bool) -> Self {
        Self { binary: binary.to_owned(), root: shim.join("runtime"), systemd }
    }

    /// The container's first process, created but not started: its pid, and the master of its terminal if it has one.
    pub fn create(
        &self,
        id: &str,
        bundle: &Path,
        stdio: [OwnedFd; 3],
        terminal: bool,
    ) -> Result<(u32, Option<OwnedFd>)> {
        let pid_file = bundle.join("init.pid");
        let console = terminal.then(|| Console::open(bundle, "init.tty")).transpose()?;
        let socket = console.as_ref().map(Console::path);
        let mut arguments = vec!["create", "--bundle", path(bundle)?, "--pid-file", path(&pid_file)?];
        arguments.extend(socket.iter().flat_map(|s| ["--console-socket", s]));
        arguments.push(id);
        self.run(bundle, &arguments, Some(stdio))?;
        match console.map(|c| c.receive()).transpose() {
            Ok(master) => Ok((read_pid(&pid_file)?, master)),
            Err(error) => Err(error.and_cleanup(self.delete(id, bundle))),
        }
    }

    pub fn start(&self, id: &str, bundle: &Path) -> Result<()> {
        self.run(bundle, &["start", id], None)
    }

    /// A further process, running; its pid.
    pub fn exec(
        &self,
        container: &str,
        exec: &str,
        bundle: &Path,
        process: &Process,
        stdio: [OwnedFd; 3],
    ) -> Result<u32> {
        let (pid_file, document) = (bundle.join(format!("{exec}.pid")), bundle.join(format!("{exec}.process.json")));
        let text =
            serde_json::to_vec(process).map_err(|e| Error::new(Kind::Internal, "encode a process").with_source(e))?;
        fs::write(&document, text).map_err(|e| Error::io("write", &document, e))?;
        let mut arguments = vec!["exec", "--detach", "--pid-file", path(&pid_file)?, "--process", path(&document)?];
        let done = if process.terminal().unwrap_or(false) {
            let [slave, ..] = stdio;
            self.exec_on_terminal(bundle, exec, &arguments, container, slave).and_then(|()| read_pid(&pid_file))
        } else {
            arguments.push(container);
            self.run(bundle, &arguments, Some(stdio)).and_then(|()| read_pid(&pid_file))
        };
        let cleaned = fs::remove_file(&document).map_err(|e| Error::io("remove", &document, e));
        match done {
            Ok(pid) => cleaned.map(|()| pid),
            Err(error) => Err(error.and_cleanup(cleaned)),
        }
    }

    /// The runtime makes a terminal of its own, inside the container; it is joined to the engine's. If that fails, the
    /// process finds its terminal hung up.
    fn exec_on_terminal(
        &self,
        bundle: &Path,
        exec: &str,
        arguments: &[&str],
        container: &str,
        slave: OwnedFd,
    ) -> Result<()> {
        let console = Console::open(bundle, &format!("{exec}.tty"))?;
        console::make_raw(&slave)?;
        let socket = console.path();
        self.run(bundle, &[arguments, &["--console-socket", &socket, container]].concat(), None)?;
        console::join(slave, console.receive()?)
    }

    pub fn update(&self, id: &str, bundle: &Path, resources: &LinuxResources) -> Result<()> {
        let document = bundle.join("resources.json");
        let text =
            serde_json::to_vec(resources).map_err(|e| Error::new(Kind::Internal, "encode resources").with_source(e))?;
        fs::write(&document, text).map_err(|e| Error::io("write", &document, e))?;
        self.run(bundle, &["update", "--resources", path(&document)?, id], None)
    }

    pub fn delete(&self, id: &str, bundle: &Path) -> Result<()> {
        self.run(bundle, &["delete", "--force", id], None)
    }

    fn run(&self, bundle: &Path, arguments: &[&str], stdio: Option<[OwnedFd; 3]>) -> Result<()> {
        let log = bundle.join("runtime.log");
        match fs::remove_file(&log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", &log, error)),
            _ => {}
        }
        let mut command = Command::new(&self.binary);
        command.arg("--root").arg(&self.root).arg("--log").arg(&log).args(["--log-format", "json"]);
        command.args(self.systemd.then_some("--systemd-cgroup")).args(arguments);
        match stdio {
            // What the runtime itself says comes by its log; these are the container's.
            Some([stdin, stdout, stderr]) => command.stdin(stdin).stdout(stdout).stderr(stderr),
            None => command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()),
        };
        let mut child = command.spawn().map_err(|e| Error::io("run", &self.binary, e))?;
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            match child.try_wait().map_err(|e| Error::io("wait for", &self.binary, e))? {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    let killed = child.kill().and_then(|()| child.wait()).map(drop);
                    let text =
                        format!("{} {} did not end in {} s", self.binary.display(), arguments[0], LIMIT.as_secs());
                    return Err(Error::new(Kind::DeadlineExceeded, text)
                        .and_cleanup(killed.map_err(|e| Error::io("kill", &self.binary, e))));
                }
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        if status.success() {
            return Ok(());
        }
        let said = last_message(&log);
        let kind =
            if said.contains("no such file") || said.contains("not found") { Kind::NotFound } else { Kind::Internal };
        Err(Error::new(kind, format!("{} {} failed ({status}): {said}", self.binary.display(), arguments[0])))
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::new(Kind::InvalidArgument, format!("{} is not UTF-8", path.display())))
}

fn read_pid(file: &Path) -> Result<u32> {
    let text = fs::read_to_string(file).map_err(|e| Error::io("read", file, e))?;
    text.trim().parse().map_err(|e| Error::new(Kind::Internal, format!("{} has no pid", file.display())).with_source(e))
}

/// The last `msg` of the runtime's log, bounded and without control characters.
fn last_message(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it said nothing");
    let parsed: Option<serde_json::Value> = serde_json::from_str(line).ok();
    let message = parsed.as_ref().and_then(|v| v.get("msg")?.as_str()).unwrap_or(line);
    message.chars().filter(|c| !c.is_control()).take(MESSAGE).collect()
}
