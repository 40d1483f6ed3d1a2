//! What several tests need: a reason to skip, a root filesystem of a busybox.

pub mod archive;
pub mod attached;
pub mod attached_containerd;
pub mod attached_crio;
pub mod containerd;
pub mod cri;
pub mod disk;
pub mod estargz;
pub mod images;
pub mod lying;
pub mod names;
pub mod node;
pub mod pty;
pub mod registry;
pub mod scripted;
pub mod tmux;
pub mod worker;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// The program under test.
pub const WHARF: &str = env!("CARGO_BIN_EXE_wharf");

/// Whether a test that needs root may run; says so if it may not. In CI nothing may be skipped.
pub fn root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip(test, "it needs root");
    }
    root
}

/// Only one kubelet belongs to a machine, and `wharf doctor` judges the one it finds: a test with a kubelet of its own writes,
/// tests of doctor read.
static KUBELET: RwLock<()> = RwLock::new(());

pub fn without_kubelet() -> RwLockReadGuard<'static, ()> {
    KUBELET.read().unwrap_or_else(PoisonError::into_inner)
}

pub fn with_kubelet() -> RwLockWriteGuard<'static, ()> {
    KUBELET.write().unwrap_or_else(PoisonError::into_inner)
}

pub fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("WHARF_CI").is_none(), "{test} was skipped in CI: {why}");
    eprintln!("SKIPPED {test}: {why}");
}

/// A program of this machine, or `None` with the reason printed.
pub fn program(test: &str, name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin:/usr/local/bin";
    let found = path.split(':').map(|d| Path::new(d).join(name)).find(|p| p.is_file());
    if found.is_none() {
        skip(test, &format!("there is no {name}"));
    }
    found
}

/// Where `.ci/run` puts what no distribution has.
pub fn peers() -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    std::env::var_os("WHARF_PEERS").map_or_else(|| home.join(".cache/wharf-peers"), PathBuf::from)
}

/// The directory of containerd 2.3's programs.
pub fn containerd_2(test: &str) -> Option<PathBuf> {
    let peers = peers();
    let found = Some(peers.join("containerd-2.3.4")).filter(|d| d.join("containerd").is_file());
    if found.is_none() {
        skip(test, &format!("there is no containerd 2.3.4 below {}", peers.display()));
    }
    found
}

/// A program to be run in a network namespace.
pub fn in_netns(netns: &Path, program: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={}", netns.display())).arg("--").arg(program);
    command
}

/// A root filesystem with a static busybox and its usual names.
pub fn busybox_root(test: &str, root: &Path) -> bool {
    let Some(busybox) = program(test, "busybox") else { return false };
    for directory in ["bin", "etc", "proc", "sys", "dev", "tmp", "root"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::copy(busybox, root.join("bin/busybox")).unwrap();
    for name in [
        "sh", "sleep", "cat", "ls", "echo", "id", "hostname", "mount", "touch", "dd", "stty", "tty", "true", "grep",
        "kill", "mkdir", "head", "ps", "seq", "env", "nc", "wget",
    ] {
        symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n").unwrap();
    fs::write(root.join("etc/group"), "root:x:0:\nuser:x:1000:\n").unwrap();
    true
}
