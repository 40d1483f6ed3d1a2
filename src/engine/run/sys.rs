//! System calls that rustix does not have, or that need a process with one thread.

use std::{
    ffi::CStr,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{CWD, Mode, OFlags},
    thread::ThreadNameSpaceType,
};

use crate::error::{Context, Error, Kind, Result};

/// Like [`clone`], with the child in the pid namespace `of` (a namespace or a pidfd) instead of the caller's.
pub fn clone_in(of: Option<BorrowedFd<'_>>, flags: u64, into: Option<BorrowedFd<'_>>) -> io::Result<Option<u32>> {
    let Some(of) = of else { return clone(flags, into) };
    let own = rustix::fs::openat(CWD, c"/proc/self/ns/pid", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    set_namespace(of, ThreadNameSpaceType::PROCESS_ID)?;
    match clone(flags, into) {
        // The child cannot go back, and must not try.
        Ok(None) => Ok(None),
        other => {
            set_namespace(own.as_fd(), ThreadNameSpaceType::PROCESS_ID)?;
            other
        }
    }
}

/// setns(2) by a namespace descriptor or a pidfd.
pub fn set_namespace(of: BorrowedFd<'_>, kinds: ThreadNameSpaceType) -> io::Result<()> {
    // SAFETY: setns takes two integers and touches no memory of ours.
    let result = unsafe { libc::setns(of.as_raw_fd(), i32::try_from(kinds.bits()).unwrap_or(0)) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// clone(2); libc's constant is too narrow for it.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// clone3(2) without a new stack, like fork: `None` in the child. `into` is a v2 cgroup's directory.
pub fn clone(flags: u64, into: Option<BorrowedFd<'_>>) -> io::Result<Option<u32>> {
    // SAFETY: all-zero is a valid clone_args.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags;
    // A sibling tells its end as the caller does; another signal must not be asked for.
    if flags & libc::CLONE_PARENT as u64 == 0 {
        args.exit_signal = libc::SIGCHLD.unsigned_abs().into();
    }
    if let Some(directory) = into {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = directory.as_raw_fd().unsigned_abs().into();
    }
    // SAFETY: without a stack and without shared memory this is a fork; the caller has one thread, so the child's
    // copy of memory is whole.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>()) };
    match pid {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Some(u32::try_from(pid).unwrap_or(0))),
    }
}

/// A child in the user namespace `users`, which owns every namespace that `flags` asks for; `pids` as for [`clone_in`].
/// It takes two steps: a process enters the namespace, after `outside` has done what only the host's root may, and
/// clones there a sibling of itself, the child that this is about.
pub fn clone_below(
    users: BorrowedFd<'_>,
    pids: Option<BorrowedFd<'_>>,
    flags: u64,
    into: Option<BorrowedFd<'_>>,
    outside: impl FnOnce() -> Result<()>,
) -> Result<Option<u32>> {
    let doing = || "clone into the user namespace".to_owned();
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(doing)?;
    let Some(first) = clone(0, into).context(doing)? else {
        drop(read);
        let cloned = outside().and_then(|()| {
            set_namespace(users, ThreadNameSpaceType::USER).context(|| "enter the user namespace".to_owned())?;
            clone_in_for_good(pids, flags | libc::CLONE_PARENT as u64).context(doing)
        });
        let answer = match cloned {
            Ok(None) => return Ok(None),
            Ok(Some(pid)) => Ok(pid),
            Err(error) => Err((error.kind(), format!("{error:#}"))),
        };
        let told = serde_json::to_vec(&answer).is_ok_and(|text| rustix::io::write(&write, &text).is_ok());
        exit(i32::from(!told))
    };
    drop(write);
    let mut answer = Vec::new();
    let heard = std::io::Read::read_to_end(&mut std::fs::File::from(read), &mut answer).context(doing);
    let first = rustix::process::Pid::from_raw(first.cast_signed());
    rustix::io::retry_on_intr(|| rustix::process::waitpid(first, rustix::process::WaitOptions::empty()))
        .context(|| "reap the process in between".to_owned())?;
    heard?;
    let answer: std::result::Result<u32, (Kind, String)> = serde_json::from_slice(&answer)
        .map_err(|e| Error::new(Kind::Internal, "the process in between died").with_source(e))?;
    answer.map(Some).map_err(|(kind, text)| Error::new(kind, text))
}

/// As [`clone_in`] for a process that does not come back.
fn clone_in_for_good(of: Option<BorrowedFd<'_>>, flags: u64) -> io::Result<Option<u32>> {
    if let Some(of) = of {
        set_namespace(of, ThreadNameSpaceType::PROCESS_ID)?;
    }
    clone(flags, None)
}

/// User and group 0 of the caller's user namespace, and no other group.
pub fn become_root() -> io::Result<()> {
    let (uid, gid) = (rustix::fs::Uid::ROOT, rustix::fs::Gid::ROOT);
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    Ok(rustix::thread::set_thread_res_uid(uid, uid, uid)?)
}

/// Attributes for [`mount_setattr`] (mount_setattr(2)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `MOUNT_ATTR_*` to set and to clear.
    pub set: u64,
    pub clear: u64,
    /// One of `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE`, `MS_UNBINDABLE`, or 0 to leave it.
    pub propagation: u64,
}

impl Attributes {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Changes a mount's attributes, and with `recursive` those of the mounts below it.
pub fn mount_setattr(mount: BorrowedFd<'_>, recursive: bool, attributes: Attributes) -> io::Result<()> {
    if attributes.is_empty() {
        return Ok(());
    }
    let mut words = [attributes.set, attributes.clear, attributes.propagation, 0];
    if attributes.set & ATIME_MASK != 0 {
        words[1] |= ATIME_MASK;
    }
    set_attributes(mount, recursive, words)
}

/// `MOUNT_ATTR_IDMAP` with a user namespace.
pub fn mount_idmap(mount: BorrowedFd<'_>, recursive: bool, users: BorrowedFd<'_>) -> io::Result<()> {
    let namespace = u64::from(users.as_raw_fd().unsigned_abs());
    set_attributes(mount, recursive, [libc::MOUNT_ATTR_IDMAP, 0, 0, namespace])
}

fn set_attributes(mount: BorrowedFd<'_>, recursive: bool, words: [u64; 4]) -> io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a valid empty string and `words` has the layout of struct mount_attr (four u64).
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            words.as_ptr(),
            size_of_val(&words),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `MOUNT_ATTR__ATIME`: these bits are one field, which has to be cleared as a whole.
pub const ATIME_MASK: u64 = 0x70;

/// The kernel's own answer; glibc's hides unreachable directories.
pub fn current_directory() -> io::Result<Vec<u8>> {
    let mut buffer = vec![0_u8; libc::PATH_MAX as usize];
    // SAFETY: the buffer is as long as stated.
    let length = unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) };
    let Ok(length) = usize::try_from(length) else { return Err(io::Error::last_os_error()) };
    buffer.truncate(length.saturating_sub(1));
    Ok(buffer)
}

/// Everything from descriptor 3 on is closed by the next exec.
pub fn close_on_exec_from_3() -> io::Result<()> {
    // SAFETY: only flags of descriptors change.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Signal state as a new program expects it: nothing blocked, nothing ignored, no handlers.
pub fn reset_signals() {
    // SAFETY: the set is initialised by sigemptyset; SIG_DFL is always valid. Signals without a default fail harmlessly.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

/// Returns only on failure.
pub fn execve(path: &CStr, args: &[*const libc::c_char], env: &[*const libc::c_char]) -> io::Error {
    // SAFETY: both arrays end with a null pointer and their strings outlive the call (made by `Identity`).
    unsafe { libc::execve(path.as_ptr(), args.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}

pub fn exit(code: i32) -> ! {
    // SAFETY: ends this process at once; destructors of the parent's values must not run in the child.
    unsafe { libc::_exit(code) }
}

/// Makes `fd` the given descriptor number, which survives exec.
pub fn place(fd: &OwnedFd, number: i32) -> io::Result<()> {
    if fd.as_raw_fd() == number {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
        return Ok(());
    }
    // SAFETY: dup2 onto 0, 1 or 2 replaces descriptors that nothing in this process owns.
    let result = unsafe { libc::dup2(fd.as_raw_fd(), number) };
    if result == number { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Closes every descriptor and sleeps until it is killed. Ended children disappear by themselves, so that the first process
/// of a pid namespace can do this.
pub fn hold() -> ! {
    // SAFETY: nothing in this process uses a descriptor or Rust code again.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        libc::syscall(libc::SYS_close_range, 0_u32, u32::MAX, 0_u32);
        loop {
            libc::pause();
        }
    }
}
