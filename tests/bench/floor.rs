//! What the kernel alone takes to start a container on this machine: no runtime, one thread, system calls only.

use std::{
    ffi::CString,
    fs,
    os::fd::{FromRawFd, OwnedFd},
    path::Path,
    time::{Duration, Instant},
};

use wharf::engine::cgroup::Cgroup;

use crate::{support, table::median};

/// The steps that are added up.
const STEPS: &[(&str, i32, bool)] = &[
    ("fork, exec", 0, false),
    ("+ mount namespace, overlay, proc, pivot_root", libc::CLONE_NEWNS, false),
    (
        "+ pid, uts, ipc namespaces",
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC,
        false,
    ),
    (
        "+ a cgroup in every hierarchy",
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC,
        true,
    ),
    (
        "+ network namespace (all of it)",
        libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET,
        true,
    ),
];

/// Prints medians. The calling process must have one thread.
pub fn print(rounds: usize) {
    let dir = tempfile::Builder::new().prefix("wharf-floor-").tempdir().unwrap();
    rustix::mount::mount("tmpfs", dir.path(), "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
    let root = dir.path().join("root");
    assert!(support::busybox_root("floor", &root), "busybox (Debian: busybox-static)");
    for name in ["upper", "work", "merged"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    println!("\n| kernel floor: /bin/true from clone to exit, ms, medians of {rounds} | |\n| --- | --- |");
    for (name, flags, cgroups) in STEPS {
        let times: Vec<Duration> = (0..rounds).map(|_| once(dir.path(), *flags, *cgroups)).collect();
        println!("| {name} | {:.2} |", median(&times).as_secs_f64() * 1000.0);
    }
    rustix::mount::unmount(dir.path(), rustix::mount::UnmountFlags::DETACH).unwrap();
}

fn once(dir: &Path, flags: i32, cgroups: bool) -> Duration {
    let text = |s: String| CString::new(s).unwrap();
    let merged = text(dir.join("merged").display().to_string());
    let options = text(format!("lowerdir={0}/root,upperdir={0}/upper,workdir={0}/work", dir.display()));
    let start = Instant::now();
    let cgroup = cgroups.then(|| Cgroup::new(format!("/wharf-floor-{}", std::process::id())).unwrap());
    cgroup.as_ref().map_or(Ok(()), |c| c.create(None).map(drop)).unwrap();
    let (mut ends, go) = ([0; 2], [0_u8; 1]);
    // SAFETY: this process has one thread; the child makes system calls only, and ends by exec or _exit.
    let pid = unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        let pid = libc::syscall(libc::SYS_clone, i64::from(flags | libc::SIGCHLD), 0, 0, 0, 0) as i32;
        if pid == 0 {
            libc::close(ends[1]);
            let mut word = go;
            libc::read(ends[0], word.as_mut_ptr().cast(), 1);
            become_true(flags, &merged, &options);
        }
        pid
    };
    assert!(pid > 0, "clone: {}", std::io::Error::last_os_error());
    // SAFETY: both are ours, new, and closed nowhere else.
    let ends = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    cgroup.as_ref().map_or(Ok(()), |c| c.add(pid.unsigned_abs())).unwrap();
    drop(ends);
    let child = rustix::process::Pid::from_raw(pid);
    let status = rustix::process::waitpid(child, rustix::process::WaitOptions::empty()).unwrap().unwrap().1;
    assert_eq!(status.exit_status(), Some(0), "the floor's child failed");
    cgroup.as_ref().map_or(Ok(()), Cgroup::delete).unwrap();
    start.elapsed()
}

/// In the child.
///
/// # Safety
/// To be called in a process with one thread that shares no memory.
unsafe fn become_true(flags: i32, merged: &CString, options: &CString) -> ! {
    let check = |result: i64, code: i32| {
        if result != 0 {
            // SAFETY: ends this child.
            unsafe { libc::_exit(code) };
        }
    };
    // SAFETY: every pointer is to a C string that lives.
    unsafe {
        if flags & libc::CLONE_NEWNS != 0 {
            let none = std::ptr::null();
            let all = libc::MS_REC | libc::MS_PRIVATE;
            check(i64::from(libc::mount(none, c"/".as_ptr(), none, all, none.cast())), 90);
            let data = options.as_ptr().cast();
            check(i64::from(libc::mount(c"overlay".as_ptr(), merged.as_ptr(), c"overlay".as_ptr(), 0, data)), 91);
            check(i64::from(libc::chdir(merged.as_ptr())), 92);
            check(i64::from(libc::mount(c"proc".as_ptr(), c"proc".as_ptr(), c"proc".as_ptr(), 0, none.cast())), 93);
            check(i64::from(libc::mount(c"dev".as_ptr(), c"dev".as_ptr(), c"tmpfs".as_ptr(), 0, none.cast())), 94);
            check(libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()), 95);
            check(i64::from(libc::umount2(c".".as_ptr(), libc::MNT_DETACH)), 96);
            check(i64::from(libc::chdir(c"/".as_ptr())), 97);
        }
        let arguments = [c"true".as_ptr(), std::ptr::null()];
        libc::execv(c"/bin/true".as_ptr(), arguments.as_ptr());
        libc::_exit(98)
    }
}
