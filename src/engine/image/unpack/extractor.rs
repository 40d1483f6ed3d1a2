//! The extractor: a process of its own for each layer, that sees nothing but the directory the layer goes to. Both of its
//! ends are here; what it does is this module's [`unpack`](super::unpack).
//!
//! The code that reads what strangers wrote has no bug that we know. If it has one, this is what is left to do for it: files
//! below that directory. It gets the layer as its stdin, the directory as its own, and what else it has to know in its
//! environment; it answers on stderr, where a panic would be told as well.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::File,
    io::{Read, Write},
    os::{
        fd::OwnedFd,
        unix::{
            ffi::{OsStrExt, OsStringExt},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use oci_spec::runtime::{LinuxSeccompAction, LinuxSeccompBuilder, LinuxSyscallBuilder};
use rustix::{
    fs::Mode,
    process::{Pid, PidfdFlags, Resource, Rlimit, Signal},
    thread::{CapabilitySet, CapabilitySets},
};
use serde::{Deserialize, Serialize};

use super::{Limits, Unpacked, unpack_as};
use crate::{
    bail,
    engine::{
        content::Digest,
        crash,
        run::{self, Filter},
        snapshot::{UnpackTarget, Usage, Whiteouts},
    },
    error::{Context, Error, Kind, Result},
};

/// The name by which this program knows that it is to be an extractor.
pub const PROGRAM: &str = "wharf-unpack";

const JOB: &str = "WHARF_UNPACK";
/// Address space: zstd may want a window of 128 MiB.
const MEMORY: u64 = 512 << 20;
/// Bytes of an answer: a number and a sum for each of two million files.
const ANSWER: u64 = 128 << 20;
/// What a layer's files need, of all that the host's root may do. Overlay's own words want CAP_SYS_ADMIN besides.
const CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::SETFCAP);
/// Reading, memory, files made and changed by descriptors, and the end. No socket, no mount, no program.
const CALLS: &[&str] = &[
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "close",
    "lseek",
    "dup",
    "fcntl",
    "openat",
    "openat2",
    "fstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "getdents64",
    "readlinkat",
    "mkdirat",
    "mknodat",
    "symlinkat",
    "linkat",
    "unlinkat",
    "fchown",
    "fchownat",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "utimensat",
    "fsetxattr",
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "futex",
    "sched_yield",
    "getrandom",
    "clock_gettime",
    "gettid",
    "getpid",
    "tgkill",
    "sigaltstack",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "restart_syscall",
    "exit",
    "exit_group",
];

/// Unpacks layers, each in a process of its own.
#[derive(Debug, Clone)]
pub struct Unpacker {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// What a test takes away from the extractor's defences.
    #[cfg(test)]
    lapses: Lapses,
}

#[cfg(test)]
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Lapses {
    /// Paths are not checked.
    unchecked: bool,
    /// The process is not confined.
    unconfined: bool,
}

/// Ties an extractor to who waits for it.
#[derive(Debug, Clone, Default)]
pub struct Tie(Arc<Mutex<Tied>>);

#[derive(Debug, Default)]
enum Tied {
    #[default]
    Free,
    To(OwnedFd),
    Over,
}

/// Ends the extractor when it is dropped: it would go on writing to what is being removed.
#[derive(Debug)]
pub struct Leash(Tie);

impl Tie {
    pub fn leash(&self) -> Leash {
        Leash(self.clone())
    }

    fn set(&self, new: Tied) -> Result<()> {
        let mut tied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was = std::mem::replace(&mut *tied, Tied::Over);
        match (was, new) {
            (Tied::Free, new) => *tied = new,
            (Tied::To(child), _) | (Tied::Over, Tied::To(child)) => {
                match rustix::process::pidfd_send_signal(&child, Signal::KILL) {
                    // It has ended.
                    Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                    Err(error) => return Err(error).context(|| "end the extractor".to_owned()),
                }
            }
            (Tied::Over, _) => {}
        }
        Ok(())
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if let Err(error) = self.0.set(Tied::Over) {
            tracing::warn!("a layer that nobody waits for: {error:#}");
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Job {
    /// Whose end is the extractor's as well.
    parent: i32,
    whiteouts: Whiteouts,
    limits: Limits,
    #[cfg(test)]
    lapses: Lapses,
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Unpacked { diff_id: Digest, usage: Usage, implied: Vec<Vec<u8>>, sums: Vec<(u64, u32)>, dropped: BTreeSet<String> },
    Failed { kind: Kind, text: String },
}

impl Default for Unpacker {
    /// By this program, which calls [`main`] when its name is [`PROGRAM`].
    #[cfg(not(test))]
    fn default() -> Self {
        Self::of(Path::new("/proc/self/exe"))
    }

    /// By the tests' program, which has one test that becomes the extractor.
    #[cfg(test)]
    fn default() -> Self {
        let arguments = ["--exact", tests::EXTRACTOR, "--nocapture", "--test-threads=1"].map(OsString::from).to_vec();
        Self { arguments, ..Self::of(Path::new("/proc/self/exe")) }
    }
}

impl Unpacker {
    /// By a program that calls [`main`] when its name is [`PROGRAM`].
    pub fn of(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            arguments: Vec::new(),
            #[cfg(test)]
            lapses: Lapses::default(),
        }
    }

    /// As [`super::unpack`]. Blocking; the other end of `tie` may end it.
    ///
    /// # Errors
    /// Its errors, and `Internal` if the extractor does not live to tell.
    pub fn unpack(&self, layer: File, target: &UnpackTarget, limits: &Limits, tie: &Tie) -> Result<Unpacked> {
        let job = Job {
            parent: rustix::process::getpid().as_raw_pid(),
            whiteouts: target.whiteouts,
            limits: *limits,
            #[cfg(test)]
            lapses: self.lapses,
        };
        let job = serde_json::to_string(&job).map_err(|e| Error::new(Kind::Internal, "encode a job").with_source(e))?;
        let mut command = Command::new(&self.program);
        command.arg0(PROGRAM).args(&self.arguments).env_clear().env(JOB, job).current_dir(&target.directory);
        command.stdin(layer).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context(|| format!("start an extractor in {}", target.directory.display()))?;
        crash::point("unp.3");
        let tied = rustix::process::pidfd_open(Pid::from_child(&child), PidfdFlags::empty())
            .context(|| "hold the extractor".to_owned())
            .and_then(|held| tie.set(Tied::To(held)));
        if let Err(error) = tied {
            let ended = child.kill().and_then(|()| child.wait()).context(|| "end the extractor".to_owned());
            return Err(error.and_cleanup(ended.map(drop)));
        }
        let Some(answer) = child.stderr.take() else { bail!(Internal, "the extractor has no stderr") };
        let mut said = Vec::new();
        let read = answer.take(ANSWER).read_to_end(&mut said);
        let ended = child.wait();
        read.context(|| "read from the extractor".to_owned())?;
        understood(&said, ended.context(|| "wait for the extractor".to_owned())?)
    }
}

fn understood(said: &[u8], ended: ExitStatus) -> Result<Unpacked> {
    match serde_json::from_slice(said) {
        Ok(Answer::Unpacked { diff_id, usage, implied, sums, dropped }) => {
            if !dropped.is_empty() {
                tracing::warn!(?dropped, "extended attributes that this filesystem does not have");
            }
            let implied = implied.into_iter().map(|path| PathBuf::from(OsString::from_vec(path))).collect();
            Ok(Unpacked { diff_id, usage, implied, sums: sums.into_iter().collect(), dropped })
        }
        Ok(Answer::Failed { kind, text }) => Err(Error::new(kind, text)),
        // It was killed, or panicked: what it said last is why.
        Err(_) => {
            let said = String::from_utf8_lossy(said);
            let last: String = said.lines().last().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
            let last: String = last.chars().take(200).collect();
            bail!(Internal, "the extractor ended without an answer ({ended}): {last:?}")
        }
    }
}

/// The process.
pub fn main() -> ExitCode {
    let answer = match extract() {
        Ok(Unpacked { diff_id, usage, implied, sums, dropped }) => {
            let implied = implied.into_iter().map(|path| path.as_os_str().as_bytes().to_vec()).collect();
            Answer::Unpacked { diff_id, usage, implied, sums: sums.into_iter().collect(), dropped }
        }
        Err(error) => Answer::Failed { kind: error.kind(), text: format!("{error:#}") },
    };
    let told = serde_json::to_vec(&answer).is_ok_and(|answer| std::io::stderr().write_all(&answer).is_ok());
    // If it cannot be told, the engine sees that there is no answer.
    if told { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn extract() -> Result<Unpacked> {
    let job = std::env::var(JOB).map_err(|e| Error::new(Kind::InvalidArgument, "there is no job").with_source(e))?;
    let job: Job =
        serde_json::from_str(&job).map_err(|e| Error::new(Kind::InvalidArgument, "read the job").with_source(e))?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).context(|| "watch the engine".to_owned())?;
    // It may have gone before.
    if rustix::process::getppid().map(|pid| pid.as_raw_pid()) != Some(job.parent) {
        bail!(Cancelled, "the engine has gone");
    }
    let called = std::env::current_dir().map_err(|e| Error::io("look up", ".", e))?;
    let layer = std::io::stdin().lock();
    set_limits()?;
    #[cfg(test)]
    super::path::UNCHECKED.store(job.lapses.unchecked, std::sync::atomic::Ordering::Relaxed);
    #[cfg(test)]
    let confined = !job.lapses.unconfined;
    #[cfg(not(test))]
    let confined = true;
    let directory = if confined {
        confine(job.whiteouts).context(|| "confine the extractor".to_owned())?;
        PathBuf::from("/")
    } else {
        called.clone()
    };
    let target = UnpackTarget { directory, whiteouts: job.whiteouts, independent: false };
    unpack_as(&called, layer, &target, &job.limits)
}

/// Of the process, and the modes of what it makes are nobody's but its own.
fn set_limits() -> Result<()> {
    for (resource, most) in [(Resource::As, MEMORY), (Resource::Core, 0)] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        rustix::process::setrlimit(resource, limit).context(|| format!("set limit {resource:?}"))?;
    }
    rustix::process::umask(Mode::empty());
    Ok(())
}

/// From here on the calling thread can do nothing but write below what was its current directory, which is "/" now.
fn confine(whiteouts: Whiteouts) -> Result<()> {
    let allowed = LinuxSyscallBuilder::default()
        .names(CALLS.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        .action(LinuxSeccompAction::ScmpActAllow)
        .build();
    let wrong = |e| Error::new(Kind::Internal, "build the filter").with_source(e);
    let profile = LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActErrno)
        .syscalls(vec![allowed.map_err(wrong)?])
        .build();
    let filter = Filter::new(&profile.map_err(wrong)?)?;
    run::confine(Path::new("."))?;
    let have = rustix::thread::capabilities(None).context(|| "read capabilities".to_owned())?.permitted;
    let wanted = match whiteouts {
        Whiteouts::Overlay => CAPABILITIES | CapabilitySet::SYS_ADMIN,
        Whiteouts::Apply => CAPABILITIES,
    };
    let sets =
        CapabilitySets { effective: wanted & have, permitted: wanted & have, inheritable: CapabilitySet::empty() };
    rustix::thread::set_no_new_privs(true).context(|| "set no_new_privs".to_owned())?;
    rustix::thread::clear_ambient_capability_set().context(|| "clear ambient capabilities".to_owned())?;
    rustix::thread::set_capabilities(None, sets).context(|| "set capabilities".to_owned())?;
    filter.load()
}

#[cfg(test)]
mod tests;
