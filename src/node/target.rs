//! The runtime behind a socket: which process serves it, with which config file, root and state directory. Found without
//! asking the runtime, so that a dead or hung one is found as well.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{below, journal, process, read, storage, unit};
use crate::error::{Error, Kind, Result};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Path of the socket.
    pub socket: String,
    /// Why nobody could be reached behind the socket.
    pub unreachable: Option<String>,
    /// Who listens on the socket, or else a process of the runtime's name.
    pub pid: Option<u32>,
    /// "containerd", "crio", "wharf", "k3s".
    pub name: String,
    pub program: String,
    pub config: String,
    pub root: String,
    pub state: String,
    /// The systemd unit the process is in.
    pub unit: Option<String>,
    /// Where its stderr goes, if that is a file.
    pub log: Option<String>,
    /// Started under another root directory or mount namespace than ours.
    pub elsewhere: bool,
    /// Another process that has the database in its root for itself.
    #[serde(default)]
    pub rival: Option<Rival>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rival {
    pub pid: u32,
    pub name: String,
    pub command: String,
    /// What it has locked.
    pub file: String,
}

/// Finds it. Never fails: what is not known has the defaults of a containerd.
pub fn find(root: &Path, socket: &str) -> Target {
    let mut target = Target { socket: socket.to_owned(), ..Target::default() };
    if root == Path::new("/") && !socket.is_empty() {
        match listener(Path::new(socket)) {
            Ok(pid) => target.pid = pid,
            Err(error) => target.unreachable = Some(unreached(Path::new(socket), &error)),
        }
    }
    if target.pid.is_none() {
        target.pid = by_name(root, socket);
    }
    let command = target.pid.map(|pid| process::command(root, pid)).unwrap_or_default();
    let name = command.first().map(Path::new).and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
    target.name = name.unwrap_or_else(|| if socket.contains("crio") { "crio".into() } else { "containerd".into() });
    if let Some(pid) = target.pid {
        let link = |name: &str| std::fs::read_link(below(root, format!("/proc/{pid}/{name}"))).unwrap_or_default();
        target.program = link("exe").to_string_lossy().trim_end_matches(" (deleted)").to_owned();
        target.log = journal::own_file(root, pid);
        target.unit = unit::of(root, pid);
        target.elsewhere = link("root") != Path::new("/");
    }
    let option = |names: &[&str]| option(&command, names);
    let (config, data, state) = match target.name.as_str() {
        "crio" => ("/etc/crio/crio.conf", "/var/lib/containers/storage", "/run/containers/storage"),
        "k3s" => (
            "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
            "/var/lib/rancher/k3s/agent/containerd",
            "/run/k3s/containerd",
        ),
        "wharf" => ("", "/var/lib/wharf", "/run/wharf"),
        _ => ("/etc/containerd/config.toml", "/var/lib/containerd", "/run/containerd"),
    };
    target.config = option(&["-c", "--config"]).unwrap_or_else(|| config.to_owned());
    if let Some(pid) = target.pid {
        target.config = absolute(root, pid, std::mem::take(&mut target.config));
    }
    // Its own file says where its data are, unless a flag does.
    let file = read(&below(root, &target.config)).ok().and_then(|t| t.parse::<toml_edit::DocumentMut>().ok());
    let said = |key: &str| file.as_ref()?.get(key)?.as_str().map(str::to_owned);
    // `-r` is another thing to others.
    let ((kept, run), flags) = match target.name.as_str() {
        "crio" => (storage::roots(root, &target.config), &["--root", "-r"][..]),
        _ => ((said("root"), said("state")), &["--root"][..]),
    };
    target.root = option(flags).or(kept).unwrap_or_else(|| data.to_owned());
    target.state = option(&["--state", "--runroot"]).or(run).unwrap_or_else(|| state.to_owned());
    target.rival = rival(root, &target);
    target
}

/// Who has locked containerd's database, if that is not this one: a second one waits for it, for ever.
fn rival(root: &Path, target: &Target) -> Option<Rival> {
    use std::os::unix::fs::MetadataExt;
    let file = format!("{}/io.containerd.metadata.v1.bolt/meta.db", target.root);
    let meta = std::fs::metadata(below(root, &file)).ok()?;
    let locks = read(&below(root, "/proc/locks")).ok()?;
    // Files of other filesystems have the same numbers.
    let has_it = |pid: &u32| {
        let opened = std::fs::read_dir(below(root, format!("/proc/{pid}/fd"))).into_iter().flatten().flatten();
        let mut opened = opened.filter_map(|f| std::fs::metadata(f.path()).ok());
        opened.any(|m| (m.dev(), m.ino()) == (meta.dev(), meta.ino()))
    };
    let pid = locks.lines().filter_map(|line| holder(line, meta.ino())).find(has_it)?;
    if Some(pid) == target.pid {
        return None;
    }
    let name = process::stat(root, pid)?.name;
    Some(Rival { pid, name, command: process::command(root, pid).join(" ").chars().take(200).collect(), file })
}

/// `1: FLOCK  ADVISORY  WRITE 1307 fe:00:12345 0 EOF` (proc_locks(5)); `->` begins one that waits.
fn holder(line: &str, inode: u64) -> Option<u32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, "WRITE", pid, file, ..] = fields[..] else { return None };
    (file.rsplit(':').next()?.parse::<u64>().ok()? == inode).then(|| pid.parse().ok())?
}

/// The process that listens on a socket: what `SO_PEERCRED` tells of it (unix(7)). The kernel answers, so it works also
/// when the process does not.
///
/// # Errors
/// If nobody listens, or there is no such socket.
pub fn listener(socket: &Path) -> Result<Option<u32>> {
    let stream = connect(socket)?;
    let peer = rustix::net::sockopt::socket_peercred(&stream)
        .map_err(|e| Error::io("ask who listens on", socket, std::io::Error::from(e)))?;
    // systemd listens for units with a socket of their own; it is not the runtime.
    Ok(u32::try_from(peer.pid.as_raw_nonzero().get()).ok().filter(|pid| *pid > 1))
}

/// The kernel says of everything that is no socket only that it refuses.
fn unreached(socket: &Path, error: &Error) -> String {
    use std::os::unix::fs::FileTypeExt;
    let kind = std::fs::metadata(socket).ok().map(|m| m.file_type());
    match kind {
        Some(kind) if kind.is_dir() => format!("{} is a directory, and no socket", socket.display()),
        Some(kind) if !kind.is_socket() => format!("{} is a file, and no socket", socket.display()),
        _ => format!("{error:#}"),
    }
}

/// Without waiting: a runtime that accepts nothing has a full queue after a while, and a blocking connect would hang.
fn connect(socket: &Path) -> Result<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
    let failed = |e: rustix::io::Errno| match e {
        rustix::io::Errno::AGAIN => {
            let text = format!("{}: its queue is full, whoever listens accepts nothing", socket.display());
            Error::new(Kind::Unavailable, text)
        }
        e => Error::io("connect to", socket, std::io::Error::from(e)),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(failed)?;
    connect(&fd, &SocketAddrUnix::new(socket).map_err(failed)?).map_err(failed)?;
    Ok(UnixStream::from(fd))
}

/// A runtime that says it serves this socket, whether it does or not.
fn by_name(root: &Path, socket: &str) -> Option<u32> {
    let serves = |pid: &u32| {
        let Some(stat) = process::stat(root, *pid).filter(|s| s.state != 'Z') else { return false };
        let command = process::command(root, *pid);
        let usual = match stat.name.as_str() {
            "crio" => "/var/run/crio/crio.sock",
            "k3s" | "rke2" => "/run/k3s/containerd/containerd.sock",
            "containerd" => "/run/containerd/containerd.sock",
            _ => return false,
        };
        let crio = stat.name == "crio";
        let file = if crio { "/etc/crio/crio.conf" } else { "/etc/containerd/config.toml" };
        let file = option(&command, &["-c", "--config"]).unwrap_or_else(|| file.to_owned());
        let file = absolute(root, *pid, file);
        let document = read(&below(root, &file)).ok().and_then(|t| t.parse::<toml_edit::DocumentMut>().ok());
        let written = document.and_then(|d| {
            // From version 4 on containerd's is a plugin's.
            let plugin = || d.get("plugins")?.get("io.containerd.server.v1.grpc");
            let at = if crio {
                d.get("crio")?.get("api")?.get("listen")
            } else {
                d.get("grpc").or_else(plugin)?.get("address")
            };
            Some(at?.as_str()?.to_owned())
        });
        let said = option(&command, &["-a", "--address", "--listen"]).or(written);
        said.as_deref().unwrap_or(usual).trim_start_matches("/var") == socket.trim_start_matches("/var")
    };
    process::pids(root).unwrap_or_default().into_iter().find(serves)
}

/// As the process means a path.
fn absolute(root: &Path, pid: u32, path: String) -> String {
    if path.is_empty() || path.starts_with('/') {
        return path;
    }
    let here = std::fs::read_link(below(root, format!("/proc/{pid}/cwd"))).unwrap_or_default();
    here.join(path).to_string_lossy().into_owned()
}

fn option(command: &[String], names: &[&str]) -> Option<String> {
    command.iter().enumerate().find_map(|(at, argument)| {
        if names.contains(&argument.as_str()) {
            return command.get(at + 1).cloned();
        }
        let (name, value) = argument.split_once('=')?;
        names.contains(&name).then(|| value.to_owned())
    })
}

impl Target {
    /// A file of the runtime's.
    pub fn config_path(&self, root: &Path) -> PathBuf {
        below(root, &self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_daemon() {
        let command: Vec<String> = ["containerd", "-c", "/x.toml", "--root=/r"].iter().map(|s| s.to_string()).collect();
        assert_eq!(option(&command, &["-c", "--config"]).as_deref(), Some("/x.toml"));
        assert_eq!(option(&command, &["--root"]).as_deref(), Some("/r"));
        assert_eq!(option(&command, &["--state"]), None);
    }

    #[test]
    fn who_has_a_lock() {
        assert_eq!(holder("1: FLOCK  ADVISORY  WRITE 1307 fe:00:12345 0 EOF", 12345), Some(1307));
        assert_eq!(holder("1: FLOCK  ADVISORY  WRITE 1307 fe:00:12345 0 EOF", 1234), None);
        assert_eq!(holder("1: -> FLOCK  ADVISORY  WRITE 1308 fe:00:12345 0 EOF", 12345), None);
        assert_eq!(holder("2: POSIX  ADVISORY  WRITE 1307 fe:00:12345 0 EOF", 12345), None);
    }

    #[test]
    fn a_dead_runtime_is_found_by_what_its_file_says() {
        let root = tempfile::tempdir().unwrap();
        let proc = root.path().join("proc/7");
        std::fs::create_dir_all(&proc).unwrap();
        std::fs::write(proc.join("stat"), "7 (containerd) S 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 3 0 9 1 2").unwrap();
        std::fs::write(proc.join("cmdline"), "/usr/bin/containerd\0-c\0c.toml\0").unwrap();
        std::os::unix::fs::symlink("/etc/x", proc.join("cwd")).unwrap();
        let socket = "/run/other/c.sock";
        for text in [
            "[grpc]\naddress = '/run/other/c.sock'\n",
            "version = 4\n[plugins.'io.containerd.server.v1.grpc']\naddress = '/run/other/c.sock'\n",
        ] {
            std::fs::create_dir_all(root.path().join("etc/x")).unwrap();
            std::fs::write(root.path().join("etc/x/c.toml"), text).unwrap();
            let target = find(root.path(), socket);
            assert_eq!((target.pid, target.config.as_str()), (Some(7), "/etc/x/c.toml"), "{text}");
        }
        assert_eq!(find(root.path(), "/run/none.sock").pid, None);
    }

    #[test]
    fn the_kernel_tells_who_listens() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let _listens = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(listener(&path).unwrap(), Some(std::process::id()));
        assert!(listener(&directory.path().join("none")).is_err());
        let target = find(Path::new("/"), &path.to_string_lossy());
        assert_eq!((target.pid, target.unreachable), (Some(std::process::id()), None));
    }
}
