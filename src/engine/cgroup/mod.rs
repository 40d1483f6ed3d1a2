//! Control groups: v1, hybrid and v2, made directly (driver cgroupfs) or by systemd (driver systemd).
//!
//! A [`Cgroup`] is one path below the root of every mounted hierarchy. Here: making, entering, freezing, killing and
//! removing it. [`layout`] finds the hierarchies, `v1` and `v2` write limits, `devices` and `ebpf` the device rules,
//! [`stats`] reads the numbers. The drivers differ in who makes and ends the group and is told of its limits: a path that
//! ends in a scope is systemd's ([`systemd`], over `bus`); everything else is the same.
//!
//! Every function blocks; none keeps a descriptor open but a [`Holder`].

mod bus;
mod devices;
mod ebpf;
pub mod layout;
pub mod stats;
pub mod systemd;
mod v1;
mod v2;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use oci_spec::runtime::LinuxResources;

use self::systemd::Scope;
pub use self::{
    layout::{Hierarchy, Layout},
    stats::{Extent, Stats},
    systemd::Holder,
};
use crate::{
    bail,
    error::{Context as _, Error, Kind, Result},
};

/// How long `kill` waits for processes to go; one in an uninterruptible wait may outlast it.
const KILL_WAIT: Duration = Duration::from_secs(10);
/// How long `freeze` waits for the kernel to report that everything has stopped.
const FREEZE_WAIT: Duration = Duration::from_secs(2);
/// How long `delete` repeats a busy rmdir.
const REMOVE_WAIT: Duration = Duration::from_secs(2);

/// What tells of the kernel's out-of-memory killer in a group.
#[derive(Debug)]
pub enum OomEvents {
    /// v2: `memory.events`, which polls `PRI` when it has changed since it was read.
    Counts(File),
    /// v1: an eventfd of the times the group was out of memory, and one more when it is removed.
    Signals(OwnedFd),
}

/// One control group in all hierarchies. Cheap to clone; holds no kernel object.
#[derive(Debug, Clone)]
pub struct Cgroup {
    layout: Arc<Layout>,
    /// Relative to the hierarchies' roots, without leading or trailing slash; never empty.
    path: PathBuf,
    /// If systemd makes it.
    scope: Option<Scope>,
}

impl Cgroup {
    /// A cgroup of this machine at a path such as `/kubepods/burstable/podX/id`. Makes nothing.
    ///
    /// # Errors
    /// `InvalidArgument` for the root, `..`, or a path that is too long; what [`Layout::host`] reports.
    pub fn new(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_layout(Layout::host()?, path)
    }

    /// Like `new` with hierarchies that were found elsewhere.
    ///
    /// # Errors
    /// `InvalidArgument` for the root, `..`, or a path that is too long.
    pub fn with_layout(layout: Arc<Layout>, path: impl AsRef<Path>) -> Result<Self> {
        let given = path.as_ref();
        let mut clean = PathBuf::new();
        for part in given.components() {
            match part {
                std::path::Component::Normal(name) if name.len() <= 255 => clean.push(name),
                std::path::Component::RootDir | std::path::Component::CurDir => {}
                _ => bail!(InvalidArgument, "cgroup path {} has an invalid component", given.display()),
            }
        }
        if clean.as_os_str().is_empty() || clean.as_os_str().len() > 3800 {
            bail!(InvalidArgument, "cgroup path {:?} is empty or too long", given);
        }
        Ok(Self { scope: Scope::of(&clean), layout, path: clean })
    }

    /// The one that an OCI document names: a path, or `slice:prefix:name` for a scope.
    ///
    /// # Errors
    /// As `new`.
    pub fn of_spec(cgroups_path: &Path) -> Result<Self> {
        Self::new(systemd::from_spec(cgroups_path)?.0)
    }

    /// Whether systemd makes it.
    pub fn is_scope(&self) -> bool {
        self.scope.is_some()
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Below each hierarchy's root, without a leading slash.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its directory in a hierarchy.
    pub fn directory(&self, hierarchy: &Hierarchy) -> PathBuf {
        hierarchy.mount.join(&self.path)
    }

    /// Its directory in the v1 hierarchy of `controller`, or in the v2 one if that controller is not on v1.
    fn of(&self, controller: &str) -> Option<PathBuf> {
        self.layout.hierarchy(controller).map(|h| self.directory(h))
    }

    /// Makes the group and its parents in every hierarchy and applies the limits. What exists is reused.
    ///
    /// A scope comes with a process in it; keep that until another stands there.
    ///
    /// # Errors
    /// What could not be made or written. Groups made by this call are removed again then.
    pub fn create(&self, resources: Option<&LinuxResources>) -> Result<Option<Holder>> {
        let Some(scope) = &self.scope else { return self.fill(resources).map(|()| None) };
        let holder = scope.start(&self.layout, resources)?;
        let stands = match self.exists() {
            true => self.fill(resources),
            false => Err(Error::new(
                Kind::FailedPrecondition,
                format!("systemd has made {}, but not below the cgroups that are mounted here", self.path.display()),
            )),
        };
        stands.map_err(|error| error.and_cleanup(self.delete())).map(|()| Some(holder))
    }

    fn fill(&self, resources: Option<&LinuxResources>) -> Result<()> {
        let mut made = Vec::new();
        let result = self.make(&mut made).and_then(|()| match resources {
            Some(resources) => {
                self.apply(resources)?;
                devices::apply(self, resources.devices().as_deref().unwrap_or_default(), true)
            }
            None => Ok(()),
        });
        result.map_err(|error| {
            made.iter().rev().fold(error, |error, directory: &PathBuf| {
                error.and_cleanup(fs::remove_dir(directory).map_err(|e| Error::io("remove", directory, e)))
            })
        })
    }

    fn make(&self, made: &mut Vec<PathBuf>) -> Result<()> {
        for hierarchy in &self.layout.hierarchies {
            if hierarchy.unified && self.layout.is_unified() {
                v2::enable_controllers(hierarchy, &self.path, made)?;
            }
            make_chain(hierarchy, &self.path, made)?;
        }
        Ok(())
    }

    /// Changes the limits that are set in `resources`; what is absent stays. Device rules replace the old ones if any are given.
    ///
    /// # Errors
    /// The first file that could not be written; limits before it are in force then.
    pub fn update(&self, resources: &LinuxResources) -> Result<()> {
        if let Some(scope) = &self.scope {
            scope.update(&self.layout, resources)?;
        }
        self.apply(resources)?;
        match resources.devices() {
            Some(rules) if !rules.is_empty() => devices::apply(self, rules, false),
            _ => Ok(()),
        }
    }

    fn apply(&self, resources: &LinuxResources) -> Result<()> {
        let result = if self.layout.is_unified() { v2::apply(self, resources) } else { v1::apply(self, resources) };
        result.context(|| format!("set limits of cgroup {}", self.path.display()))
    }

    /// Moves a process, with all its threads, into the group.
    ///
    /// # Errors
    /// `NotFound` if the group or the process does not exist.
    pub fn add(&self, pid: u32) -> Result<()> {
        self.layout.hierarchies.iter().try_for_each(|hierarchy| self.join(hierarchy, "cgroup.procs", pid))
    }

    /// Moves the calling process, which must have one thread only; with `unified: false` not in the v2 hierarchy, for a process
    /// cloned into it. By `tasks`, where there is one: a thread that moves itself need not wait until every other one of the
    /// machine is known not to fork or exec (cgroup_attach_lock), which takes an RCU grace period, 10 ms and more.
    ///
    /// # Errors
    /// `NotFound` if the group does not exist.
    pub fn enter(&self, unified: bool) -> Result<()> {
        let mut wanted = self.layout.hierarchies.iter().filter(|h| unified || !h.unified);
        wanted.try_for_each(|h| self.join(h, if h.unified { "cgroup.procs" } else { "tasks" }, 0))
    }

    fn join(&self, hierarchy: &Hierarchy, file: &str, pid: u32) -> Result<()> {
        write(&self.directory(hierarchy), file, &pid.to_string())
            .context(|| format!("add process {pid} to cgroup {}", self.path.display()))
    }

    /// The v2 directory, for `CLONE_INTO_CGROUP`. `None` without a v2 hierarchy.
    ///
    /// # Errors
    /// `NotFound` if the group does not exist.
    pub fn open_unified(&self) -> Result<Option<OwnedFd>> {
        let Some(hierarchy) = self.layout.hierarchies.iter().find(|h| h.unified) else { return Ok(None) };
        let directory = self.directory(hierarchy);
        File::open(&directory).map(|f| Some(f.into())).map_err(|e| Error::io("open", directory, e))
    }

    /// Stops every process of the group until `thaw`.
    ///
    /// # Errors
    /// `DeadlineExceeded` if not everything stopped in 2 s; the group is left freezing then.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen(true)
    }

    /// Lets the group run again.
    ///
    /// # Errors
    /// As `freeze`.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        let Some(directory) = self.of("freezer") else {
            bail!(FailedPrecondition, "freeze cgroup {}: no freezer is mounted", self.path.display());
        };
        let v1 = directory.join("freezer.state").exists();
        let done = || -> Result<bool> {
            Ok(if v1 {
                read(&directory, "freezer.state")?.trim() == if frozen { "FROZEN" } else { "THAWED" }
            } else {
                let want = if frozen { "frozen 1" } else { "frozen 0" };
                read(&directory, "cgroup.events")?.lines().any(|line| line == want)
            })
        };
        let deadline = Instant::now() + FREEZE_WAIT;
        loop {
            // v1 can get stuck half way when processes fork meanwhile; writing again moves it on.
            if v1 {
                write(&directory, "freezer.state", if frozen { "FROZEN" } else { "THAWED" })?;
            } else {
                write(&directory, "cgroup.freeze", if frozen { "1" } else { "0" })?;
            }
            if done()? {
                return Ok(());
            }
            if Instant::now() >= deadline {
                bail!(
                    DeadlineExceeded,
                    "cgroup {} did not {}",
                    self.path.display(),
                    if frozen { "freeze" } else { "thaw" }
                );
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether the group is frozen, by itself or by a parent.
    ///
    /// # Errors
    /// `NotFound` if the group does not exist.
    pub fn is_frozen(&self) -> Result<bool> {
        let Some(directory) = self.of("freezer") else { return Ok(false) };
        match read_optional(&directory, "freezer.state")? {
            Some(state) => Ok(state.trim() != "THAWED"),
            None => Ok(read(&directory, "cgroup.events")?.lines().any(|line| line == "frozen 1")),
        }
    }

    /// Kills every process of the group and its children and waits until they have gone. Zombies do not count.
    ///
    /// # Errors
    /// `DeadlineExceeded` if something survived 10 s.
    pub fn kill(&self) -> Result<()> {
        let deadline = Instant::now() + KILL_WAIT;
        let mut pause = Duration::from_micros(200);
        loop {
            let pids = self.pids()?;
            if pids.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                bail!(DeadlineExceeded, "kill cgroup {}: processes {pids:?} do not go", self.path.display());
            }
            self.kill_once(&pids)?;
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    fn kill_once(&self, pids: &[u32]) -> Result<()> {
        if let Some(hierarchy) = self.layout.hierarchies.iter().find(|h| h.unified) {
            let directory = self.directory(hierarchy);
            let killed = directory.join("cgroup.kill").exists().then(|| write(&directory, "cgroup.kill", "1"));
            match killed {
                Some(Ok(())) if self.layout.is_unified() => return Ok(()),
                None | Some(Ok(())) => {}
                Some(Err(error)) if error.is(Kind::NotFound) => {}
                Some(Err(error)) => return Err(error),
            }
        }
        // Frozen, a group cannot fork away from us. A freezer that fails must not keep it alive: the loop repeats.
        let frozen = self.freeze();
        for &pid in pids {
            let Some(target) = rustix::process::Pid::from_raw(pid.cast_signed()) else { continue };
            match rustix::process::kill_process(target, rustix::process::Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => return Err(error).context(|| format!("kill process {pid}")),
            }
        }
        match (frozen, self.thaw()) {
            (_, Ok(())) => Ok(()),
            // It has gone meanwhile: systemd removes a scope that nobody is in.
            (_, Err(error)) if error.is(Kind::NotFound) => Ok(()),
            (Err(frozen), thawed) => Err(frozen.and_cleanup(thawed)),
            (Ok(()), Err(error)) => Err(error),
        }
    }

    /// Sends `signal` to every process of the group and its children, once; who forks meanwhile may escape it.
    ///
    /// # Errors
    /// What kill(2) refuses; a process that has gone is no error.
    pub fn signal(&self, signal: i32) -> Result<()> {
        for pid in self.pids()? {
            // SAFETY: kill takes two integers.
            if unsafe { libc::kill(pid.cast_signed(), signal) } != 0 {
                let error = io::Error::last_os_error();
                if error.raw_os_error() != Some(libc::ESRCH) {
                    return Err(Error::io("signal process", pid.to_string(), error));
                }
            }
        }
        Ok(())
    }

    /// Every process in the group and its children, in any hierarchy, in ascending order. Empty if the group does not exist.
    ///
    /// # Errors
    /// A file that could not be read.
    pub fn pids(&self) -> Result<Vec<u32>> {
        let mut pids = Vec::new();
        for hierarchy in &self.layout.hierarchies {
            for directory in subtree(&self.directory(hierarchy))? {
                if let Some(text) = read_optional(&directory, "cgroup.procs")? {
                    pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()).filter(|&pid| pid != 0));
                }
            }
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Whether it exists in any hierarchy.
    pub fn exists(&self) -> bool {
        self.layout.hierarchies.iter().any(|h| self.directory(h).exists())
    }

    /// Kills what is in the group, then removes it with its children from every hierarchy. Done already is fine.
    ///
    /// # Errors
    /// What `kill` reports, or the directory that stayed busy for 2 s.
    pub fn delete(&self) -> Result<()> {
        self.kill()?;
        // First: systemd would go on having a unit whose group has gone.
        let stopped = self.scope.as_ref().map_or(Ok(()), Scope::stop);
        match (self.remove(&self.path), stopped) {
            (Ok(()), stopped) => stopped,
            (Err(error), stopped) => Err(error.and_cleanup(stopped)),
        }
    }

    /// A path and what is below it, from every hierarchy.
    fn remove(&self, path: &Path) -> Result<()> {
        let deadline = Instant::now() + REMOVE_WAIT;
        for hierarchy in &self.layout.hierarchies {
            for directory in subtree(&hierarchy.mount.join(path))?.iter().rev() {
                remove(directory, deadline)?;
            }
        }
        Ok(())
    }

    /// Whether the slice of a scope that has gone is empty, and there only because the scope named it.
    ///
    /// # Errors
    /// If systemd cannot be asked.
    pub fn leaves_slice(&self) -> Result<bool> {
        let Some(scope) = &self.scope else { return Ok(false) };
        Ok(match scope.slices()?.first() {
            Some(slice) => self.is_left(slice)?,
            None => false,
        })
    }

    /// Stops the slices that [`Self::leaves_slice`] tells of, the upper ones too. Nobody may start a scope in them meanwhile.
    ///
    /// # Errors
    /// What systemd refuses, or a directory that stays busy.
    pub fn stop_slices(&self) -> Result<()> {
        let slices = self.scope.as_ref().map_or_else(|| Ok(Vec::new()), Scope::slices)?;
        for slice in slices {
            if !self.is_left(&slice)? {
                break;
            }
            systemd::stop_slice(&slice.file_name().unwrap_or_default().to_string_lossy())?;
            self.remove(&slice)?;
        }
        Ok(())
    }

    fn is_left(&self, slice: &Path) -> Result<bool> {
        for hierarchy in &self.layout.hierarchies {
            // Itself, if it is there.
            if subtree(&hierarchy.mount.join(slice))?.len() > 1 {
                return Ok(false);
            }
        }
        match systemd::is_implied(&slice.file_name().unwrap_or_default().to_string_lossy()) {
            Err(error) if error.is(Kind::NotFound) => Ok(false),
            other => other,
        }
    }

    /// What the group uses now; see [`Stats`] for the sources.
    ///
    /// # Errors
    /// `NotFound` if the group does not exist.
    pub fn stats(&self, extent: Extent) -> Result<Stats> {
        stats::read(self, extent)
    }

    /// What tells of OOM kills while they happen; `None` without the controller, or where the kernel does not tell.
    pub fn oom_events(&self) -> Option<OomEvents> {
        let directory = self.counting()?;
        if self.layout.is_unified() {
            return File::open(directory.join("memory.events")).ok().map(OomEvents::Counts);
        }
        v1::oom_signals(&directory).ok().map(OomEvents::Signals)
    }

    /// Where the kernel counts its kills: on v1 in the group of the killed alone, which crun makes below its scope.
    fn counting(&self) -> Option<PathBuf> {
        let directory = self.of("memory")?;
        let below = directory.join("container");
        Some(if !self.layout.is_unified() && self.is_scope() && below.is_dir() { below } else { directory })
    }

    /// How many processes of the group the kernel's out-of-memory killer has killed.
    ///
    /// # Errors
    /// `NotFound` if the group does not exist.
    pub fn oom_kills(&self) -> Result<u64> {
        stats::oom_kills(self)
    }
}

/// `directory` and all groups below it, parents first. Empty if it does not exist.
fn subtree(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut next = vec![directory.to_owned()];
    while let Some(directory) = next.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if gone(&error) => continue,
            Err(error) => return Err(Error::io("list", directory, error)),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if gone(&error) => continue,
                Err(error) => return Err(Error::io("list", directory, error)),
            };
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                next.push(entry.path());
            }
        }
        found.push(directory);
    }
    Ok(found)
}

fn remove(directory: &Path, deadline: Instant) -> Result<()> {
    loop {
        match fs::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(error) if gone(&error) => return Ok(()),
            // Exiting processes leave their group a moment after they have left its list.
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(Error::io("remove", directory, error)),
        }
    }
}

/// Makes `path` and its parents. New v1 cpuset groups start empty and unusable, so they inherit from their parents.
fn make_chain(hierarchy: &Hierarchy, path: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    let cpuset = !hierarchy.unified && hierarchy.controllers.iter().any(|c| c == "cpuset");
    let leaf = hierarchy.mount.join(path);
    let missing: Vec<&Path> = match fs::create_dir(&leaf) {
        Ok(()) => {
            made.push(leaf.clone());
            vec![path]
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => vec![path],
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut chain: Vec<&Path> = path.ancestors().filter(|p| !p.as_os_str().is_empty()).collect();
            chain.reverse();
            for part in &chain {
                let directory = hierarchy.mount.join(part);
                match fs::create_dir(&directory) {
                    Ok(()) => made.push(directory),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(Error::io("create cgroup", directory, error)),
                }
            }
            chain
        }
        Err(error) => return Err(Error::io("create cgroup", leaf, error)),
    };
    if cpuset {
        v1::inherit_cpuset(hierarchy, path, &missing)?;
    }
    Ok(())
}

/// The group vanished: `ENOENT`, or `ENODEV` from a file that was open when it did.
fn gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV))
}

/// Writes a control file in one `write`, as the kernel wants it.
fn write(directory: &Path, file: &str, value: &str) -> Result<()> {
    let path = directory.join(file);
    let result = File::options().write(true).open(&path).and_then(|mut f| f.write_all(value.as_bytes()));
    result.map_err(|e| Error::io(&format!("write {value:?} to"), path, e))
}

fn read(directory: &Path, file: &str) -> Result<String> {
    let path = directory.join(file);
    fs::read_to_string(&path).map_err(|e| Error::io("read", path, e))
}

/// `None` if the kernel does not have the file, or the group has gone.
fn read_optional(directory: &Path, file: &str) -> Result<Option<String>> {
    let path = directory.join(file);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        // EOPNOTSUPP: a v2 file that makes no sense for a threaded group.
        Err(error) if gone(&error) || error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}
