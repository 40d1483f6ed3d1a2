//! Processes as /proc tells them: the runtime and its threads, shims and what is below them, who is blocked and where.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{below, cgroup, read};
use crate::error::{Error, Result};

/// A task that has not run once for so long waits for what does not come.
const STILL: Duration = Duration::from_millis(1500);
/// Between the two readings that tell who uses the processor.
const SAMPLE: Duration = Duration::from_millis(250);
/// Processes shown as the busiest.
const TOP: usize = 5;
/// Percent of its open files from which a process of a container is worth a word, and how many of those.
const NEAR: u128 = 80;
const FILES: usize = 16;
/// Programs that close every descriptor they may have take minutes from here on.
const ENDLESS: u64 = 1 << 30;
/// The kernel counts processor time in this (USER_HZ).
const TICKS: u64 = 100;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// The process that serves the runtime's socket.
    pub runtime: Option<Process>,
    pub shims: Vec<Shim>,
    /// Tasks in uninterruptible sleep, and what they wait for in the kernel.
    pub blocked: Vec<Blocked>,
    /// Devices of the device mapper that let nobody through until they are resumed.
    #[serde(default)]
    pub suspended: Vec<String>,
    pub zombies: Vec<Zombie>,
    /// Processes of containers that are near their limit of open files, or have one without end.
    #[serde(default)]
    pub files: Vec<OpenFiles>,
    /// By processor use, the busiest first.
    pub busiest: Vec<Busy>,
    pub count: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    pub name: String,
    pub command: Vec<String>,
    /// Letter of proc_pid_stat(5): R, S, D, T (stopped), Z.
    pub state: char,
    /// Clock ticks after boot at which it started: with the pid, its identity.
    pub started: u64,
    pub threads: u64,
    pub files: u64,
    /// Soft limit on open files.
    pub files_limit: Option<u64>,
    /// The program was replaced on disk after the start.
    pub replaced: bool,
    /// Its control group is frozen.
    #[serde(default)]
    pub frozen: bool,
    #[serde(default)]
    pub throttle: Option<cgroup::Throttle>,
    /// Threads by the system call they are in.
    pub calls: BTreeMap<String, u64>,
    /// Threads by the kernel function they wait in.
    pub waits: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shim {
    pub pid: u32,
    pub program: String,
    pub namespace: String,
    pub id: String,
    pub address: String,
    pub state: char,
    /// Of its first process below that is not a zombie.
    pub children: Vec<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub pid: u32,
    pub name: String,
    pub wait: String,
    /// It did not run once in the time in which it was looked at.
    #[serde(default)]
    pub still: bool,
    /// `fdatasync of /var/lib/containerd/…/meta.db`, as far as the kernel tells.
    #[serde(default)]
    pub doing: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zombie {
    pub pid: u32,
    pub name: String,
    pub parent: u32,
    /// The one its parent is in, whether that is the container's first process or not.
    #[serde(default)]
    pub container: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFiles {
    pub pid: u32,
    pub name: String,
    pub container: String,
    pub used: u64,
    pub soft: u64,
    pub hard: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Busy {
    pub pid: u32,
    pub name: String,
    /// Percent of one processor.
    pub cpu: f32,
}

/// A process of a container, as the node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    pub pid: u32,
    /// Its number in the container.
    pub own: u32,
    /// As in [`Process`].
    pub state: char,
    pub threads: u64,
    /// Bytes in memory.
    pub resident: u64,
    /// Seconds of processor time.
    pub cpu: u64,
    /// With its arguments, or its name in brackets if it has cleared them.
    pub command: String,
}

/// One line of proc_pid_stat(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    pub name: String,
    pub state: char,
    pub parent: u32,
    pub ticks: u64,
    pub threads: u64,
    pub started: u64,
}

/// The name may hold spaces and brackets, so the fields are counted from the last bracket.
pub fn parse_stat(text: &str) -> Option<Stat> {
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let fields: Vec<&str> = text.get(close + 1..)?.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        name: text.get(open + 1..close)?.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)?,
        threads: number(17)?,
        started: number(19)?,
    })
}

/// # Errors
/// If /proc cannot be listed.
pub fn pids(root: &Path) -> Result<Vec<u32>> {
    let path = below(root, "/proc");
    let entries = std::fs::read_dir(&path).map_err(|e| Error::io("list", &path, e))?;
    Ok(entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect())
}

pub fn stat(root: &Path, pid: u32) -> Option<Stat> {
    parse_stat(&read(&below(root, format!("/proc/{pid}/stat"))).ok()?)
}

pub fn command(root: &Path, pid: u32) -> Vec<String> {
    let text = read(&below(root, format!("/proc/{pid}/cmdline"))).unwrap_or_default();
    text.split('\0').filter(|a| !a.is_empty()).map(str::to_owned).collect()
}

/// The processes of every container, by its id.
///
/// # Errors
/// If /proc cannot be listed.
pub fn of_containers(root: &Path) -> Result<BTreeMap<String, Vec<Inside>>> {
    let mut found: BTreeMap<String, Vec<Inside>> = BTreeMap::new();
    let mut pids = pids(root)?;
    pids.sort_unstable();
    for pid in pids {
        if let Some(container) = cgroup::of(root, pid)
            && let Some(inside) = inside(root, pid)
        {
            found.entry(container).or_default().push(inside);
        }
    }
    Ok(found)
}

fn inside(root: &Path, pid: u32) -> Option<Inside> {
    let stat = stat(root, pid)?;
    let status = read(&below(root, format!("/proc/{pid}/status"))).ok()?;
    let last = |key: &str| status.lines().find_map(|l| l.strip_prefix(key))?.split_whitespace().next_back();
    let resident = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    let command = command(root, pid).join(" ");
    Some(Inside {
        pid,
        own: last("NSpid:").and_then(|own| own.parse().ok()).unwrap_or(pid),
        state: stat.state,
        threads: stat.threads,
        resident: resident.unwrap_or(0_u64) << 10,
        cpu: stat.ticks / TICKS,
        command: if command.is_empty() { format!("[{}]", stat.name) } else { command },
    })
}

/// Everything at once, with the runtime's process in full. Takes [`SAMPLE`] longer than the reading.
///
/// # Errors
/// If /proc cannot be listed.
pub fn collect(root: &Path, runtime: Option<u32>) -> Result<ProcessFacts> {
    let mut facts = ProcessFacts { runtime: runtime.and_then(|pid| process(root, pid)), ..ProcessFacts::default() };
    let mut first = BTreeMap::new();
    let (mut waiting, began) = (Vec::new(), Instant::now());
    for pid in pids(root)? {
        // Whoever ended meanwhile is not there any more.
        let Some(stat) = stat(root, pid) else { continue };
        match stat.state {
            'Z' => {
                let container = cgroup::of(root, stat.parent);
                facts.zombies.push(Zombie { pid, name: stat.name.clone(), parent: stat.parent, container });
            }
            _ => {
                blocked(root, pid, &stat, &mut waiting);
                facts.files.extend(files(root, pid, &stat.name));
            }
        }
        if stat.name.starts_with("containerd-shim") {
            facts.shims.extend(shim(root, pid, &stat));
        }
        first.insert(pid, stat);
    }
    facts.count = first.len();
    facts.files.sort_by_key(|f| std::cmp::Reverse(u128::from(f.used) * 100 / u128::from(f.soft.max(1))));
    facts.files.truncate(FILES);
    for shim in &mut facts.shims {
        let below = first.iter().filter(|(_, s)| s.parent == shim.pid && s.state != 'Z');
        shim.children = below.map(|(pid, _)| *pid).collect();
    }
    facts.busiest = busiest(root, &first);
    if !waiting.is_empty() {
        std::thread::sleep(STILL.saturating_sub(began.elapsed()));
    }
    facts.blocked = waiting
        .into_iter()
        .map(|(task, ran)| Blocked { still: switches(root, task.pid) == ran && ran.is_some(), ..task })
        .collect();
    facts.suspended = suspended(root);
    Ok(facts)
}

/// Of a process in a container whose limit is near, or so far that a program may choke on it.
fn files(root: &Path, pid: u32, name: &str) -> Option<OpenFiles> {
    let at = |name: &str| below(root, format!("/proc/{pid}/{name}"));
    let (soft, hard) = limits(&read(&at("limits")).ok()?)?;
    let used = std::fs::read_dir(at("fd")).ok()?.count() as u64;
    let near = u128::from(used) * 100 >= u128::from(soft) * NEAR;
    if !near && soft < ENDLESS {
        return None;
    }
    let container = cgroup::of(root, pid)?;
    Some(OpenFiles { pid, name: name.to_owned(), container, used, soft, hard })
}

/// Soft and hard, of `Max open files            1024                 524288               files`.
fn limits(text: &str) -> Option<(u64, u64)> {
    let mut fields = text.lines().find_map(|l| l.strip_prefix("Max open files"))?.split_whitespace();
    let mut next = || fields.next().map(|f| f.parse().unwrap_or(u64::MAX));
    Some((next()?, next()?))
}

/// A thread in state D; a process that is only starting something is in it for an instant, so it is looked at twice.
fn blocked(root: &Path, pid: u32, main: &Stat, found: &mut Vec<(Blocked, Option<u64>)>) {
    let threads = below(root, format!("/proc/{pid}/task"));
    let ids: Vec<u32> = if main.threads > 1 {
        std::fs::read_dir(threads)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| e.file_name().to_str()?.parse().ok())
            .collect()
    } else {
        vec![pid]
    };
    for thread in ids {
        let at = below(root, format!("/proc/{pid}/task/{thread}"));
        let state = || read(&at.join("stat")).ok().and_then(|t| parse_stat(&t)).map(|s| s.state);
        if state() == Some('D') {
            std::thread::sleep(Duration::from_millis(20));
            if state() == Some('D') {
                let wait = read(&at.join("wchan")).unwrap_or_default();
                let (name, wait, doing) = (main.name.clone(), named(&wait), doing(&at).unwrap_or_default());
                found.push((Blocked { pid: thread, name, wait, still: false, doing }, switches(root, thread)));
            }
        }
    }
}

/// How often a thread has given up the processor.
fn switches(root: &Path, thread: u32) -> Option<u64> {
    let text = read(&below(root, format!("/proc/{thread}/status"))).ok()?;
    let counts = text.lines().filter_map(|l| l.split_once("ctxt_switches:")?.1.trim().parse::<u64>().ok());
    Some(counts.sum())
}

/// The call a thread is in, and the file, if its first argument is one.
fn doing(task: &Path) -> Option<String> {
    let text = read(&task.join("syscall")).ok()?;
    let call = call_name(&text).filter(|c| CALLS.iter().any(|(_, name)| name == c))?;
    let first = text.split_whitespace().nth(1).and_then(|a| u32::from_str_radix(a.strip_prefix("0x")?, 16).ok());
    let of_file = ["read", "write", "pwrite64", "pread64", "fsync", "fdatasync", "syncfs", "ftruncate", "fallocate"];
    let file = first.filter(|_| of_file.contains(&call.as_str()));
    let file = file.and_then(|fd| std::fs::read_link(task.join(format!("fd/{fd}"))).ok());
    Some(match file {
        Some(file) => format!("{call} of {}", file.display()),
        None => call,
    })
}

fn suspended(root: &Path) -> Vec<String> {
    let devices =
        std::fs::read_dir(below(root, "/sys/block")).into_iter().flatten().flatten().map(|e| e.path().join("dm"));
    let holds = |dm: &std::path::PathBuf| read(&dm.join("suspended")).is_ok_and(|t| t.trim() == "1");
    devices.filter(holds).filter_map(|dm| Some(read(&dm.join("name")).ok()?.trim().to_owned())).collect()
}

fn named(wait: &str) -> String {
    match wait.trim() {
        "" | "0" => "not told by the kernel".to_owned(),
        wait => wait.to_owned(),
    }
}

fn busiest(root: &Path, first: &BTreeMap<u32, Stat>) -> Vec<Busy> {
    let began = std::time::Instant::now();
    std::thread::sleep(SAMPLE);
    let span = began.elapsed().as_secs_f32();
    let mut busy: Vec<Busy> = first
        .iter()
        .filter_map(|(pid, before)| {
            let now = stat(root, *pid).filter(|s| s.started == before.started)?;
            let cpu = now.ticks.saturating_sub(before.ticks) as f32 / TICKS as f32 / span * 100.0;
            (cpu > 0.0).then_some(Busy { pid: *pid, name: now.name, cpu })
        })
        .collect();
    busy.sort_by(|a, b| b.cpu.total_cmp(&a.cpu));
    busy.truncate(TOP);
    busy
}

/// A process in full.
pub fn process(root: &Path, pid: u32) -> Option<Process> {
    let stat = stat(root, pid)?;
    let at = |name: &str| below(root, format!("/proc/{pid}/{name}"));
    let files_limit = read(&at("limits")).ok().and_then(|t| limits(&t)).map(|(soft, _)| soft);
    let (mut calls, mut waits) = (BTreeMap::new(), BTreeMap::new());
    for thread in std::fs::read_dir(at("task")).into_iter().flatten().flatten() {
        if let Some(call) = read(&thread.path().join("syscall")).ok().and_then(|t| call_name(&t)) {
            *calls.entry(call).or_insert(0) += 1;
        }
        if let Ok(wait) = read(&thread.path().join("wchan")) {
            *waits.entry(named(&wait)).or_insert(0) += 1;
        }
    }
    let exe = std::fs::read_link(at("exe")).unwrap_or_default();
    Some(Process {
        pid,
        name: stat.name,
        command: command(root, pid),
        state: stat.state,
        started: stat.started,
        threads: stat.threads,
        files: std::fs::read_dir(at("fd")).map_or(0, |d| d.count() as u64),
        files_limit,
        frozen: cgroup::frozen(root, pid),
        throttle: cgroup::throttle(root, pid),
        replaced: exe.to_string_lossy().ends_with(" (deleted)"),
        calls,
        waits,
    })
}

/// Calls a stuck runtime is found in; the others by number.
const CALLS: &[(libc::c_long, &str)] = &[
    (libc::SYS_futex, "futex"),
    (libc::SYS_epoll_pwait, "epoll_pwait"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, "epoll_wait"),
    (libc::SYS_umount2, "umount2"),
    (libc::SYS_mount, "mount"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_syncfs, "syncfs"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_newfstatat, "newfstatat"),
    (libc::SYS_statfs, "statfs"),
    (libc::SYS_read, "read"),
    (libc::SYS_write, "write"),
    (libc::SYS_pread64, "pread64"),
    (libc::SYS_pwrite64, "pwrite64"),
    (libc::SYS_ftruncate, "ftruncate"),
    (libc::SYS_fallocate, "fallocate"),
    (libc::SYS_mkdirat, "mkdirat"),
    (libc::SYS_linkat, "linkat"),
    (libc::SYS_unlinkat, "unlinkat"),
    (libc::SYS_flock, "flock"),
    (libc::SYS_wait4, "wait4"),
    (libc::SYS_waitid, "waitid"),
    (libc::SYS_nanosleep, "nanosleep"),
    (libc::SYS_connect, "connect"),
];

/// proc_pid_syscall(5): `running`, or the number and its arguments.
fn call_name(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    if first == "running" {
        return Some("running".to_owned());
    }
    let number: libc::c_long = first.parse().ok()?;
    if number < 0 {
        return Some("not in a call".to_owned());
    }
    let known = CALLS.iter().find(|(n, _)| *n == number).map(|(_, name)| (*name).to_owned());
    Some(known.unwrap_or_else(|| format!("call {number}")))
}

/// `containerd-shim-X-v2 -namespace N -id I -address A`.
fn shim(root: &Path, pid: u32, stat: &Stat) -> Option<Shim> {
    let command = command(root, pid);
    let option = |name: &str| {
        let at = command.iter().position(|a| a.trim_start_matches('-') == name && a.starts_with('-'))?;
        command.get(at + 1).cloned()
    };
    Some(Shim {
        pid,
        program: command.first()?.clone(),
        namespace: option("namespace").unwrap_or_default(),
        id: option("id")?,
        address: option("address").unwrap_or_default(),
        state: stat.state,
        children: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let line = "42 (a) b (c) D 7 1 1 0 -1 0 0 0 0 0 12 8 0 0 20 0 3 0 999 1 2";
        let expected = Stat { name: "a) b (c".into(), state: 'D', parent: 7, ticks: 20, threads: 3, started: 999 };
        assert_eq!(parse_stat(line), Some(expected));
        assert_eq!(parse_stat("nonsense"), None);
    }

    #[test]
    fn limits_as_the_kernel_writes_them() {
        assert_eq!(
            limits("Max cpu time  1 2 s\nMax open files            1024                 524288               files\n"),
            Some((1024, 524_288))
        );
        assert_eq!(limits("Max open files   unlimited  unlimited  files\n"), Some((u64::MAX, u64::MAX)));
    }

    #[test]
    fn processes_are_found_by_their_containers() {
        let root = tempfile::tempdir().unwrap();
        let put = |pid: u32, name: &str, text: &str| {
            let at = root.path().join(format!("proc/{pid}"));
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join(name), text).unwrap();
        };
        let id = "a".repeat(64);
        for (pid, command) in [(40, "nginx\0-g\0daemon off;\0"), (9, "")] {
            put(pid, "cgroup", &format!("0::/kubepods/pod1/{id}\n"));
            put(pid, "stat", &format!("{pid} (nginx) S 1 1 1 0 -1 0 0 0 0 0 6000 100 0 0 20 0 3 0 999 1 2"));
            put(pid, "status", &format!("Name:\tnginx\nNSpid:\t{pid}\t7\nVmRSS:\t    2048 kB\n"));
            put(pid, "cmdline", command);
        }
        put(1, "cgroup", "0::/init.scope\n");
        put(1, "stat", "1 (systemd) S 0 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 9 1 2");
        let found = of_containers(root.path()).unwrap();
        let list = &found[&id];
        assert_eq!((found.len(), list.len()), (1, 2));
        assert_eq!((list[0].pid, list[0].command.as_str()), (9, "[nginx]"));
        let expected = Inside {
            pid: 40,
            own: 7,
            state: 'S',
            threads: 3,
            resident: 2 << 20,
            cpu: 61,
            command: "nginx -g daemon off;".into(),
        };
        assert_eq!(list[1], expected);
    }

    #[test]
    fn this_process_is_found_with_its_threads() {
        let me = process(Path::new("/"), std::process::id()).unwrap();
        assert!(me.threads > 0 && me.files > 0 && !me.command.is_empty(), "{me:?}");
        assert!(!me.replaced && me.calls.values().sum::<u64>() > 0, "{me:?}");
    }

    #[test]
    fn a_stopped_process_is_seen_stopped() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while stat(Path::new("/"), child.id()).unwrap().state != 'T' {
            assert!(std::time::Instant::now() < deadline);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
