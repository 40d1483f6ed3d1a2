//! Groups that are scopes of systemd's: where they are, what systemd is told of them, and the process each must have from
//! its start. Limits are written to the files as well, by `v1` and `v2`.
//!
//! A scope is a group whose last name ends in `.scope` and whose parent is a slice; the driver cgroupfs makes no such names.

use std::{
    fs, io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use oci_spec::runtime::LinuxResources;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use zbus::{OwnedObjectPath, OwnedVariant, Variant};

use super::{
    Layout,
    bus::{Bus, MANAGER, Property, SYSTEMD},
    devices, v2,
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
    node::cgroup::Driver,
};

/// sd_booted(3): it is there if and only if systemd runs the machine.
const BOOTED: &str = "/run/systemd/system";
/// The slice of pods that name none.
pub const SLICE: &str = "wharf.slice";
/// Before the ids in the names of scopes.
const PREFIX: &str = "wharf";
/// What systemd takes for "no limit".
const INFINITY: u64 = u64::MAX;
/// systemd's period of CPU quotas, and the kernel's, in microseconds.
const PERIOD: u64 = 100_000;
/// The number of the last CPU or memory node that a list may name.
const NUMBERS: usize = 8191;

/// The group of a pod (its pause process) below a parent as CRI gives it; its containers' are beside it.
///
/// # Errors
/// `InvalidArgument` if the parent is none of the driver's, or not where systemd puts that slice.
pub fn place(parent: &str, driver: Driver, id: &str) -> Result<String> {
    let base = parent.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match driver {
        Driver::Cgroupfs if base.ends_with(".slice") => {
            Err(mismatch(parent, "a slice of systemd's", driver, "no slice"))
        }
        Driver::Cgroupfs => Ok(format!("{}/{id}", parent.trim_end_matches('/'))),
        Driver::Systemd if !base.ends_with(".slice") => {
            Err(mismatch(parent, "a path and no slice", driver, "a parent that ends in .slice"))
        }
        Driver::Systemd => {
            let path = expand(base)?;
            if parent.trim_matches('/') != base && Path::new("/").join(parent) != Path::new("/").join(&path) {
                bail!(InvalidArgument, "cgroup parent {parent}: systemd puts {base} at /{}", path.display());
            }
            Ok(format!("/{}/{PREFIX}-{id}.scope", path.display()))
        }
    }
}

fn mismatch(parent: &str, is: &str, driver: Driver, wants: &str) -> Error {
    let (other, value) = match driver {
        Driver::Systemd => (Driver::Cgroupfs, false),
        Driver::Cgroupfs => (Driver::Systemd, true),
    };
    let text = format!(
        "cgroup parent {parent:?} is {is}, as a kubelet with the cgroup driver {other} gives it, but this runtime handler has the \
         cgroup driver {driver}, which takes {wants}: set the kubelet's cgroupDriver: {driver}, or SystemdCgroup = {value} in the \
         handler's options, and drain the node first"
    );
    Error::new(Kind::InvalidArgument, text)
}

/// The group of a container of the pod whose group is `pod`.
pub fn beside(pod: &str, id: &str) -> String {
    let (parent, own) = pod.rsplit_once('/').unwrap_or(("", pod));
    if Scope::of(Path::new(pod)).is_some() && own.starts_with(PREFIX) {
        return format!("{parent}/{PREFIX}-{id}.scope");
    }
    format!("{parent}/{id}")
}

/// A group as `cgroupsPath` of an OCI document names it: `slice:prefix:name` for a scope.
pub fn to_spec(path: &str) -> String {
    let Some(scope) = Scope::of(Path::new(path)) else { return path.to_owned() };
    match scope.name.strip_suffix(".scope").and_then(|name| name.split_once('-')) {
        Some((prefix, name)) => format!("{}:{prefix}:{name}", scope.slice),
        None => path.to_owned(),
    }
}

/// The opposite of [`to_spec`]: the path, and whether systemd is to make it.
///
/// # Errors
/// `InvalidArgument` for a slice that cannot be.
pub fn from_spec(path: &Path) -> Result<(PathBuf, bool)> {
    let parts: Vec<&str> = path.to_str().unwrap_or_default().split(':').collect();
    match parts[..] {
        [slice, prefix, name] => {
            let slice = if slice.is_empty() { "system.slice" } else { slice };
            Ok((expand(slice)?.join(format!("{prefix}-{name}.scope")), true))
        }
        _ => Ok((path.to_owned(), false)),
    }
}

/// Where systemd puts a slice, relative to the root (systemd.slice(5)): a dash in its name is a level.
///
/// # Errors
/// `InvalidArgument` if it is no name of a slice.
pub fn expand(slice: &str) -> Result<PathBuf> {
    let name = slice.strip_suffix(".slice").unwrap_or_default();
    if name == "-" {
        return Ok(PathBuf::new());
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '\\' | '-');
    if name.is_empty() || slice.len() > 255 || !name.chars().all(fits) || name.split('-').any(str::is_empty) {
        bail!(InvalidArgument, "{slice:?} is no name of a systemd slice");
    }
    let dashes = name.match_indices('-').map(|(at, _)| at).chain([name.len()]);
    Ok(dashes.map(|end| format!("{}.slice", &name[..end])).collect())
}

/// Whether systemd could be asked. Only looks: it is not asked.
///
/// # Errors
/// `FailedPrecondition` if systemd does not run this machine, or has no socket here.
pub fn check() -> Result<()> {
    if !Path::new(BOOTED).is_dir() {
        bail!(FailedPrecondition, "systemd does not run this machine (there is no {BOOTED})");
    }
    if !Bus::is_there() {
        bail!(
            FailedPrecondition,
            "neither systemd's own socket nor the system bus is here (in a container, mount /run)"
        );
    }
    Ok(())
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    slice: String,
    name: String,
}

impl Scope {
    /// Of a group's path; `None` if systemd does not make it.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let slice = path.parent()?.file_name()?.to_str()?;
        let is = name.ends_with(".scope") && slice.ends_with(".slice");
        is.then(|| Self { slice: slice.to_owned(), name: name.to_owned() })
    }

    /// Has systemd make it, around a process that does nothing.
    ///
    /// # Errors
    /// What systemd refuses; a job that failed.
    pub fn start(&self, layout: &Layout, resources: Option<&LinuxResources>) -> Result<Holder> {
        let holder = Holder::start()?;
        let mut properties: Vec<Property> = vec![
            ("Description", Variant::from(format!("{} of wharf", self.name))),
            ("Slice", Variant::from(self.slice.clone())),
            ("PIDs", Variant::from(vec![holder.pid])),
            ("Delegate", true.into()),
            // It ends when its runtime ends it, not in the middle of a shutdown.
            ("DefaultDependencies", false.into()),
            ("MemoryAccounting", true.into()),
            ("CPUAccounting", true.into()),
            ("TasksAccounting", true.into()),
            (if layout.is_unified() { "IOAccounting" } else { "BlockIOAccounting" }, true.into()),
        ];
        properties.extend(of_resources(resources.unwrap_or(&LinuxResources::default()), layout.is_unified())?);
        if !properties.iter().any(|(name, _)| *name == "TasksMax") {
            // Else a share of the machine's, systemd's default.
            properties.push(("TasksMax", INFINITY.into()));
        }
        if !layout.is_unified() {
            let rules = resources.and_then(|r| r.devices().clone()).unwrap_or_default();
            let known = "/proc/devices";
            let known = fs::read_to_string(known).map_err(|e| Error::io("read", known, e))?;
            if let Some(list) = devices::to_systemd(&rules, &known, |path| Path::new(path).exists())? {
                properties.extend([("DevicePolicy", Variant::from("strict")), ("DeviceAllow", Variant::from(list))]);
            }
        }
        let none: &[(&str, Vec<Property>)] = &[];
        let body = (self.name.as_str(), "fail", properties, none);
        let made = Bus::connect().and_then(|mut bus| bus.job(&self.name, "StartTransientUnit", &body));
        made.context(|| format!("have systemd make {} in {}", self.name, self.slice))?;
        Ok(holder)
    }

    /// Tells systemd of limits that changed, so that it does not restore the old ones at its next reload.
    ///
    /// # Errors
    /// What systemd refuses.
    pub fn update(&self, layout: &Layout, resources: &LinuxResources) -> Result<()> {
        let properties = of_resources(resources, layout.is_unified())?;
        if properties.is_empty() {
            return Ok(());
        }
        let body = (self.name.as_str(), true, properties);
        let told = Bus::connect().and_then(|mut bus| bus.tell(MANAGER, "SetUnitProperties", &body));
        told.context(|| format!("change the limits of {}", self.name))
    }

    /// Ends the unit and lets systemd forget it, also if it failed. Done already is fine.
    ///
    /// # Errors
    /// If systemd cannot be reached, or refuses.
    pub fn stop(&self) -> Result<()> {
        if !Path::new(BOOTED).is_dir() {
            // Then it made none either: the group is of a time when it did.
            return Ok(());
        }
        let doing = || format!("stop {}", self.name);
        let mut bus = Bus::connect().context(doing)?;
        gone_is_fine(bus.job(&self.name, "StopUnit", &(self.name.as_str(), "replace"))).context(doing)?;
        gone_is_fine(bus.tell(MANAGER, "ResetFailedUnit", &(self.name.as_str(),))).context(doing)
    }

    /// The slices above, its own first, relative to the root.
    ///
    /// # Errors
    /// `InvalidArgument` if its own is no slice.
    pub fn slices(&self) -> Result<Vec<PathBuf>> {
        let own = expand(&self.slice)?;
        Ok(own.ancestors().filter(|p| p.file_name().is_some()).map(Path::to_owned).collect())
    }
}

/// Stops a slice. Done already is fine.
///
/// # Errors
/// As [`Scope::stop`].
pub fn stop_slice(name: &str) -> Result<()> {
    let stopped = Bus::connect().and_then(|mut bus| bus.job(name, "StopUnit", &(name, "fail")));
    gone_is_fine(stopped).context(|| format!("stop {name}"))
}

/// Whether systemd has this slice only because a scope named it: without a file and nobody's request. Those of a kubelet are
/// its own requests.
///
/// # Errors
/// `NotFound` if systemd does not have it.
pub fn is_implied(name: &str) -> Result<bool> {
    let doing = || format!("ask systemd about {name}");
    let mut bus = Bus::connect().context(doing)?;
    let unit: OwnedObjectPath = bus.ask(MANAGER, "GetUnit", &(name,)).context(doing)?;
    let object = (unit.as_str(), "org.freedesktop.DBus.Properties");
    let mut get = |property: &str| -> Result<OwnedVariant> {
        bus.ask(object, "Get", &(format!("{SYSTEMD}.Unit").as_str(), property)).context(doing)
    };
    Ok(matches!(*get("Transient")?, Variant::Bool(false))
        && matches!(&*get("FragmentPath")?, Variant::Str(path) if path.as_str().is_empty())
        && matches!(*get("CanStop")?, Variant::Bool(true)))
}

fn gone_is_fine(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.is(Kind::NotFound) => Ok(()),
        other => other,
    }
}

/// Limits as properties (org.freedesktop.systemd1(5)); what is absent stays as it is.
fn of_resources(resources: &LinuxResources, unified: bool) -> Result<Vec<Property>> {
    let mut found: Vec<Property> = Vec::new();
    let amount = |n: i64| u64::try_from(n).unwrap_or(INFINITY);
    if let Some(memory) = resources.memory() {
        let limit = if unified { "MemoryMax" } else { "MemoryLimit" };
        found.extend(memory.limit().filter(|n| *n != 0).map(|n| (limit, amount(n).into())));
        if unified {
            found.extend(memory.reservation().filter(|n| *n != 0).map(|n| ("MemoryLow", amount(n).into())));
            let swap = v2::swap_max(memory)?;
            found.extend(swap.map(|s| ("MemorySwapMax", s.parse().unwrap_or(INFINITY).into())));
        }
    }
    if let Some(cpu) = resources.cpu() {
        let shares = cpu.shares().filter(|s| *s != 0 && cpu.idle().unwrap_or(0) == 0);
        found.extend(shares.map(|s| match unified {
            true => ("CPUWeight", v2::weight_of_shares(s).into()),
            false => ("CPUShares", s.clamp(2, 262_144).into()),
        }));
        let period = cpu.period().filter(|p| *p != 0);
        if let Some(quota) = cpu.quota().filter(|q| *q != 0) {
            found.push(("CPUQuotaPerSecUSec", per_second(quota, period.unwrap_or(PERIOD)).into()));
        }
        // systemd before 242 does not know it.
        found.extend(period.filter(|p| *p != PERIOD).map(|p| ("CPUQuotaPeriodUSec", p.into())));
        if unified {
            // A reload would give back what is not told here.
            for (name, list) in [("AllowedCPUs", cpu.cpus()), ("AllowedMemoryNodes", cpu.mems())] {
                if let Some(list) = list.as_deref().filter(|l| !l.is_empty()) {
                    found.push((name, Variant::from(mask(list)?)));
                }
            }
        }
    }
    if let Some(pids) = resources.pids() {
        found.push(("TasksMax", if pids.limit() > 0 { amount(pids.limit()) } else { INFINITY }.into()));
    }
    if unified {
        for (file, value) in resources.unified().iter().flatten() {
            let name = match file.as_str() {
                "memory.min" => "MemoryMin",
                "memory.low" => "MemoryLow",
                "memory.high" => "MemoryHigh",
                "memory.max" => "MemoryMax",
                "memory.swap.max" => "MemorySwapMax",
                "pids.max" => "TasksMax",
                "cpu.weight" => "CPUWeight",
                // Written to the file only.
                _ => continue,
            };
            let number = if value.trim() == "max" { Ok(INFINITY) } else { value.trim().parse() };
            let number = number.map_err(|_| {
                Error::new(Kind::InvalidArgument, format!("cgroup v2 setting {file}: {value:?} is no number"))
            })?;
            found.retain(|(before, _)| *before != name);
            found.push((name, number.into()));
        }
    }
    Ok(found)
}

/// Microseconds of CPU a second, rounded up to the percent in which systemd reckons.
fn per_second(quota: i64, period: u64) -> u64 {
    let Ok(quota) = u64::try_from(quota) else { return INFINITY };
    quota.saturating_mul(1_000_000).div_ceil(period).next_multiple_of(10_000)
}

/// `0-2,7` as bits, the lowest first.
fn mask(list: &str) -> Result<Vec<u8>> {
    let wrong = || Error::new(Kind::InvalidArgument, format!("{list:?} is no list of CPUs or memory nodes"));
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| *n <= NUMBERS).ok_or_else(wrong);
    let mut bits = Vec::new();
    for part in list.split(',').filter(|p| !p.trim().is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        for n in number(first)?..=number(last)? {
            bits.resize(bits.len().max(n / 8 + 1), 0);
            bits[n / 8] |= 1_u8 << (n % 8);
        }
    }
    if bits.is_empty() { Err(wrong()) } else { Ok(bits) }
}

/// A process that does nothing. systemd makes no scope without one, and ends a scope that is empty: keep it until another
/// process stands in the scope. It ends with this value, or with the thread that made it.
#[derive(Debug)]
#[must_use]
pub struct Holder {
    pid: u32,
    process: OwnedFd,
}

impl Holder {
    fn start() -> Result<Self> {
        let doing = || "make a process for a scope".to_owned();
        let parent = rustix::process::getpid();
        // SAFETY: the child makes system calls only.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()).context(doing),
            0 => hold(parent),
            pid => {
                let process = Pid::from_raw(pid).ok_or(rustix::io::Errno::SRCH);
                let process = process.and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()));
                let process = process.inspect_err(|_| {
                    // SAFETY: our own child, not waited for yet.
                    unsafe {
                        libc::kill(pid, libc::SIGKILL);
                        libc::waitpid(pid, std::ptr::null_mut(), 0);
                    }
                });
                Ok(Self { pid: pid.cast_unsigned(), process: process.context(doing)? })
            }
        }
    }
}

/// With none of the descriptors it was born with: the ends of a container's pipes may be among them.
fn hold(parent: Pid) -> ! {
    // SAFETY: system calls on integers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0);
        while libc::getppid() == parent.as_raw_nonzero().get() {
            libc::pause();
        }
        libc::_exit(0)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Either fails only if it has ended, and been waited for by the shim's loop, already.
        let _ = rustix::process::pidfd_send_signal(&self.process, Signal::KILL);
        let _ = rustix::process::waitid(WaitId::PidFd(self.process.as_fd()), WaitIdOptions::EXITED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "kubepods-burstable-pod1_2.slice";
    const NESTED: &str = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice";

    #[test]
    fn a_dash_is_a_level() {
        assert_eq!(expand(POD).unwrap(), Path::new(NESTED));
        assert_eq!(expand("system.slice").unwrap(), Path::new("system.slice"));
        assert_eq!(expand("-.slice").unwrap(), Path::new(""));
        for bad in
            ["", ".slice", "a", "a--b.slice", "-a.slice", "a-.slice", "a/b.slice", "a:b.slice", "a b.slice", "ä.slice"]
        {
            assert!(expand(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pods_group_is_below_the_parent_of_its_driver() {
        let place = |parent: &str, driver| place(parent, driver, "id").map_err(|e| e.to_string());
        let scope = format!("/{NESTED}/wharf-id.scope");
        for parent in [POD.to_owned(), format!("/{NESTED}"), format!("{NESTED}/"), format!("/{POD}")] {
            assert_eq!(place(&parent, Driver::Systemd).unwrap(), scope, "{parent}");
        }
        assert_eq!(place("/kubepods/pod1/", Driver::Cgroupfs).unwrap(), "/kubepods/pod1/id");
        let elsewhere = place("/a.slice/b-c.slice", Driver::Systemd).unwrap_err();
        assert!(elsewhere.contains("puts b-c.slice at /b.slice/b-c.slice"), "{elsewhere}");
        for (parent, driver) in [("/kubepods/burstable/pod1", Driver::Systemd), (POD, Driver::Cgroupfs)] {
            let error = place(parent, driver).unwrap_err();
            for word in ["cgroup driver systemd", "cgroup driver cgroupfs", parent, "cgroupDriver:", "SystemdCgroup ="]
            {
                assert!(error.contains(word), "{word}: {error}");
            }
        }
    }

    #[test]
    fn containers_are_beside_their_pod_and_named_as_runc_wants_it() {
        let pod = format!("/{NESTED}/wharf-p.scope");
        let container = beside(&pod, "c");
        assert_eq!(container, format!("/{NESTED}/wharf-c.scope"));
        assert_eq!(to_spec(&container), format!("{POD}:wharf:c"));
        let (path, systemd) = from_spec(Path::new(&to_spec(&container))).unwrap();
        assert_eq!((Path::new("/").join(path), systemd), (PathBuf::from(&container), true));
        // Pods of before a change of the driver.
        assert_eq!(beside("/kubepods/pod1/p", "c"), "/kubepods/pod1/c");
        assert_eq!(beside("/system.slice/p", "c"), "/system.slice/c");
        assert_eq!(to_spec("/kubepods/pod1/c"), "/kubepods/pod1/c");
        assert_eq!(from_spec(Path::new("/kubepods/pod1/c")).unwrap(), (PathBuf::from("/kubepods/pod1/c"), false));
        let slices = Scope::of(Path::new(&container)).unwrap().slices().unwrap();
        assert_eq!(slices.first().unwrap(), Path::new(NESTED));
        assert_eq!((slices.len(), slices.last().unwrap().as_path()), (3, Path::new("kubepods.slice")));
    }

    fn properties(resources: serde_json::Value, unified: bool) -> Vec<String> {
        let resources: LinuxResources = serde_json::from_value(resources).unwrap();
        let list = of_resources(&resources, unified).unwrap();
        list.iter().map(|(name, value)| format!("{name}={}", text(value))).collect()
    }

    fn text(value: &Variant<'_>) -> String {
        match value {
            Variant::U64(INFINITY) => "infinity".to_owned(),
            Variant::U64(n) => n.to_string(),
            Variant::Array(bits) => {
                let bits: Vec<String> =
                    bits.iter().map(|b| if let Variant::U8(b) = b { format!("{b:x}") } else { "?".into() }).collect();
                bits.join(",")
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn limits_are_told_in_systemds_words() {
        let kubelets = serde_json::json!({
            "memory": { "limit": 128 << 20, "swap": 128 << 20 },
            "cpu": { "shares": 512, "quota": 12_345, "period": 100_000, "cpus": "0-2,9" },
            "pids": { "limit": 100 },
            "unified": { "memory.min": "4096", "memory.high": "max", "memory.oom.group": "1" },
        });
        let mut said = properties(kubelets, true);
        said[6..].sort();
        assert_eq!(
            said,
            [
                "MemoryMax=134217728",
                "MemorySwapMax=0",
                "CPUWeight=59",
                "CPUQuotaPerSecUSec=130000",
                "AllowedCPUs=7,2",
                "TasksMax=100",
                "MemoryHigh=infinity",
                "MemoryMin=4096"
            ]
            .map(str::to_owned)
        );
        let v1 = serde_json::json!({ "memory": { "limit": -1 }, "cpu": { "shares": 512, "quota": -1, "period": 50_000 }, "pids": { "limit": 0 } });
        assert_eq!(
            properties(v1, false),
            [
                "MemoryLimit=infinity",
                "CPUShares=512",
                "CPUQuotaPerSecUSec=infinity",
                "CPUQuotaPeriodUSec=50000",
                "TasksMax=infinity"
            ]
        );
        assert!(properties(serde_json::json!({ "memory": { "limit": 0 }, "cpu": {} }), true).is_empty());
    }

    #[test]
    fn quotas_are_whole_percents_and_lists_are_bits() {
        assert_eq!(
            [(50_000, 100_000), (1, 100_000), (250_000, 100_000), (-1, 1)].map(|(q, p)| per_second(q, p)),
            [500_000, 10_000, 2_500_000, INFINITY]
        );
        assert_eq!(mask("1,8-9").unwrap(), [2, 3]);
        for bad in ["", "a", "1-", "99999", "3-1"] {
            assert!(mask(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_holder_lives_as_long_as_its_value() {
        let holder = Holder::start().unwrap();
        let path = format!("/proc/{}", holder.pid);
        assert!(Path::new(&path).exists());
        drop(holder);
        assert!(!Path::new(&path).exists());
    }
}
