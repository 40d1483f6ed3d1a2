//! A shell for containers that have none: the node's own busybox, which must be one file that needs no other, in the namespaces of
//! the container's first process and under its root. It is run from a sealed copy in memory, so that nothing in the container can
//! write to the node's. It has root's rights there and is in none of the container's cgroups, as what nsenter(1) starts.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io::{Read, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::{fs::MetadataExt, process::ExitStatusExt},
    },
    process::Stdio,
    time::Duration,
};

use async_trait::async_trait;
use rustix::{
    fs::{MemfdFlags, Mode, OFlags, SealFlags},
    process::{Pid, PidfdFlags},
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
};
use tokio::sync::mpsc;

use super::{Output, Runtime, Session, copy, types::Mode as RuntimeMode};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

const PLACES: &[&str] = &["/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox", "/sbin/busybox"];
/// Bytes of a busybox.
const MOST: u64 = 32 << 20;
/// Pieces of input and output that wait.
const WAITING: usize = 4;
/// For the rest of the output once the shell has ended.
const DRAIN: Duration = Duration::from_secs(1);

/// Starts it on a terminal. `term` is what that terminal is.
///
/// # Errors
/// If the node has no busybox that could be used, the container is not here, or this may not be done.
pub async fn shell(runtime: &dyn Runtime, container: &str, term: &str) -> Result<Box<dyn Session>> {
    if runtime.info().read_only {
        bail!(PermissionDenied, "read-only: no shell is started in containers");
    }
    if runtime.info().mode == RuntimeMode::Replay {
        bail!(FailedPrecondition, "a recording has no containers");
    }
    let box_fd = busybox()?;
    let pid = copy::first_process(runtime, container).await?;
    let raw = Pid::from_raw(pid).ok_or_else(|| Error::new(Kind::Internal, "a pid of 0"))?;
    let process =
        rustix::process::pidfd_open(raw, PidfdFlags::empty()).map_err(|e| Error::io("open", "the process", e))?;
    let path = format!("/proc/{pid}/root");
    let root = rustix::fs::open(&path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| Error::io("open", &path, e))?;
    let users = other(pid, "user")?;
    if copy::first_process(runtime, container).await? != pid || copy::ended(&process) {
        bail!(Unavailable, "the container ended meanwhile");
    }
    start(&Inside { box_fd, process, root, users }, term)
}

/// Whether the process has another namespace of a kind than we have.
fn other(pid: i32, kind: &str) -> Result<bool> {
    let inode = |of: &str| {
        let path = format!("/proc/{of}/ns/{kind}");
        std::fs::metadata(&path).map(|m| m.ino()).map_err(|e| Error::io("look at", &path, e))
    };
    Ok(inode(&pid.to_string())? != inode("self")?)
}

/// A sealed copy of the node's busybox.
fn busybox() -> Result<OwnedFd> {
    let mut why = "the node has no busybox either".to_owned();
    for place in PLACES {
        let Ok(file) = File::open(place) else { continue };
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes).map_err(|e| Error::io("read", place, e))?;
        if !stands_alone(&bytes) {
            why = format!(
                "the node's {place} needs libraries, which the container does not have (busybox-static has none)"
            );
            continue;
        }
        let fd = rustix::fs::memfd_create("busybox", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
            .map_err(|e| Error::io("make a copy of", place, e))?;
        let mut copy = File::from(fd);
        copy.write_all(&bytes).map_err(|e| Error::io("copy", place, e))?;
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&copy, seals).map_err(|e| Error::io("seal the copy of", place, e))?;
        // One that is open for writing cannot be run.
        let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
        return rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| Error::io("open the copy of", place, e));
    }
    bail!(NotFound, "{why}")
}

/// An ELF program of 64 bits without an interpreter, which is what loads libraries (elf(5)).
fn stands_alone(bytes: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let number = |at: usize, length: usize| {
        let field = bytes.get(at..at + length)?;
        Some(field.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    let headers = || {
        let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count).map(|n| number(usize::try_from(offset + n * size).ok()?, 4)).collect::<Option<Vec<u64>>>()
    };
    bytes.starts_with(b"\x7fELF\x02\x01")
        && headers().is_some_and(|kinds| !kinds.is_empty() && !kinds.contains(&u64::from(INTERPRETER)))
}

/// Where and what.
struct Inside {
    box_fd: OwnedFd,
    process: OwnedFd,
    root: OwnedFd,
    /// The container has a user namespace of its own.
    users: bool,
}

fn start(inside: &Inside, term: &str) -> Result<Box<dyn Session>> {
    let doing = |e: rustix::io::Errno| Error::io("open", "a terminal", e);
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).map_err(doing)?;
    grantpt(&master).map_err(doing)?;
    unlockpt(&master).map_err(doing)?;
    let slave = ioctl_tiocgptpeer(&master, flags).map_err(doing)?;
    let copy = |fd: &OwnedFd| fd.try_clone().map_err(|e| Error::io("duplicate", "the terminal", e));
    let text = |t: &str| CString::new(t).map_err(|_| Error::new(Kind::Internal, "a text with a NUL"));
    let arguments = [text("sh")?, text("-i")?];
    let environment = [
        text("PATH=/bin:/sbin:/usr/bin:/usr/sbin")?,
        text("HOME=/")?,
        text("PS1=busybox \\w # ")?,
        text(&format!("TERM={term}"))?,
    ];
    let child = Child {
        box_fd: inside.box_fd.as_raw_fd(),
        process: inside.process.as_raw_fd(),
        root: inside.root.as_raw_fd(),
        users: inside.users,
        arguments,
        environment,
    };
    let mut command = tokio::process::Command::new("/proc/self/exe");
    command.stdin(Stdio::from(copy(&slave)?)).stdout(Stdio::from(copy(&slave)?)).stderr(Stdio::from(slave));
    command.kill_on_drop(true);
    // SAFETY: what runs between fork and exec makes system calls only, on values that were made before; it does not return.
    unsafe { command.pre_exec(move || Err(child.become_shell())) };
    let mut child = command.spawn().map_err(|e| Error::io("start", "the node's busybox in the container", e))?;
    drop(command);
    let (keys, mut typed) = mpsc::channel::<Vec<u8>>(WAITING);
    let mut input = File::from(copy(&master)?);
    tokio::task::spawn_blocking(move || {
        while let Some(bytes) = typed.blocking_recv() {
            if input.write_all(&bytes).is_err() {
                return;
            }
        }
    });
    let (send, output) = mpsc::channel(WAITING);
    let (mut from, told) = (File::from(copy(&master)?), send.clone());
    let reader = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 16 << 10];
        // A terminal ends with an error when its last process has gone.
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if told.blocking_send(Ok(Output::Stdout(buffer[..length].to_vec()))).is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = child.wait() => ended,
            // Nobody listens: it is killed as it is dropped, and with it what it waits for.
            () = send.closed() => return,
        };
        // A child of the shell may hold its output.
        let _late = tokio::time::timeout(DRAIN, reader).await;
        let code = ended
            .map(|status| Output::Exit(status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(-1)))
            .map_err(|e| Error::io("wait for", "the shell", e));
        // Nobody listening is the other way this ends.
        let _gone = send.send(code).await;
    });
    Ok(Box::new(Shell { master, keys: Some(keys), output }))
}

/// What is needed between fork and exec, where nothing can be made.
struct Child {
    box_fd: RawFd,
    process: RawFd,
    root: RawFd,
    users: bool,
    arguments: [CString; 2],
    environment: [CString; 4],
}

impl Child {
    /// Becomes the shell, or says why not. Only system calls.
    fn become_shell(&self) -> std::io::Error {
        let pointers = |texts: &[CString]| {
            let mut list = [std::ptr::null(); 5];
            for (slot, text) in list.iter_mut().zip(texts) {
                *slot = text.as_ptr();
            }
            list
        };
        let (arguments, environment) = (pointers(&self.arguments), pointers(&self.environment));
        let empty: &CStr = c"";
        let mut namespaces =
            libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
        if self.users {
            namespaces |= libc::CLONE_NEWUSER;
        }
        // SAFETY: system calls with descriptors and texts that live as long as this process; after the fork the parent only
        // waits. Nothing is allocated and no lock is taken.
        unsafe {
            if libc::setsid() < 0
                || libc::syscall(libc::SYS_setns, self.process, namespaces) < 0
                || libc::fchdir(self.root) < 0
                || libc::chroot(c".".as_ptr()) < 0
            {
                return std::io::Error::last_os_error();
            }
            if self.users
                && (libc::syscall(libc::SYS_setresgid, 0, 0, 0) < 0 || libc::syscall(libc::SYS_setresuid, 0, 0, 0) < 0)
            {
                return std::io::Error::last_os_error();
            }
            // Only a child is in the namespace of processes.
            match libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) {
                -1 => std::io::Error::last_os_error(),
                0 => {
                    if libc::setsid() < 0
                        || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0
                        || libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) < 0
                    {
                        return std::io::Error::last_os_error();
                    }
                    libc::syscall(
                        libc::SYS_execveat,
                        self.box_fd,
                        empty.as_ptr(),
                        arguments.as_ptr(),
                        environment.as_ptr(),
                        libc::AT_EMPTY_PATH,
                    );
                    std::io::Error::last_os_error()
                }
                child => {
                    // With these goes the word that the start has succeeded, which is the child's to give.
                    if libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) < 0 {
                        // Before Linux 5.9.
                        for fd in 3..4096 {
                            libc::close(fd);
                        }
                    }
                    let mut status = 0;
                    while libc::waitpid(child as libc::pid_t, &raw mut status, 0) < 0 {
                        if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
                            libc::_exit(1);
                        }
                    }
                    let code =
                        if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) };
                    libc::_exit(code)
                }
            }
        }
    }
}

/// The terminal of one.
#[derive(Debug)]
struct Shell {
    master: OwnedFd,
    keys: Option<mpsc::Sender<Vec<u8>>>,
    output: mpsc::Receiver<Result<Output>>,
}

#[async_trait]
impl Session for Shell {
    fn take_input(&mut self) -> Option<mpsc::Sender<Vec<u8>>> {
        self.keys.take()
    }

    async fn send(&mut self, input: &[u8]) -> Result<()> {
        let Some(keys) = &self.keys else { bail!(FailedPrecondition, "the shell has no input") };
        keys.send(input.to_vec()).await.map_err(|_| Error::new(Kind::Unavailable, "the shell reads no more"))
    }

    async fn close_stdin(&mut self) -> Result<()> {
        self.keys = None;
        Ok(())
    }

    async fn recv(&mut self) -> Result<Output> {
        match self.output.recv().await {
            Some(output) => output,
            None => bail!(Unavailable, "the session has ended"),
        }
    }

    async fn resize(&mut self, columns: u16, rows: u16) -> Result<()> {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(self.master.as_fd(), size).map_err(|e| Error::io("resize", "the terminal", e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_needs_libraries_does_not_stand_alone() {
        // A header of a program with one segment, and the kind of that.
        let program = |kind: u8| {
            let mut bytes = vec![0; 120];
            bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
            (bytes[32], bytes[54], bytes[56], bytes[64]) = (64, 56, 1, kind);
            bytes
        };
        assert!(stands_alone(&program(1)) && !stands_alone(&program(3)));
        assert!(!stands_alone(b"#!/bin/sh\n") && !stands_alone(b"\x7fELF\x02\x01"), "nor what is none");
        assert!(!stands_alone(&program(1)[..60]));
    }
}
