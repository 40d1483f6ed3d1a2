//! Who a process is (user, capabilities, limits) and how it becomes its program. OCI runtime spec, config.md "process".

use std::{
    ffi::{CStr, CString},
    fs, io,
    os::fd::OwnedFd,
    path::PathBuf,
};

use oci_spec::runtime::{PosixRlimitType, Process};
use rustix::{
    fs::{Access, FileType, Gid, Mode, Uid},
    process::{Resource, Rlimit},
    thread::{CapabilitySet, CapabilitySets},
};

use super::{seccomp::Filter, sys, users::Users};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Everything about a process that was checked and converted before the clone.
#[derive(Debug)]
pub struct Identity {
    args: Vec<CString>,
    env: Vec<CString>,
    cwd: PathBuf,
    pub uid: u32,
    /// The same user on the host.
    outside: u32,
    gid: u32,
    groups: Vec<u32>,
    umask: u32,
    bounding: u64,
    effective: u64,
    permitted: u64,
    inheritable: u64,
    ambient: u64,
    limits: Vec<(Resource, u64, u64)>,
    no_new_privileges: bool,
    oom_score: Option<i32>,
    pub terminal: bool,
    apparmor: Option<String>,
    selinux: Option<String>,
}

/// By their number (capabilities(7)).
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// CAP_SYS_ADMIN's bit.
const SYS_ADMIN: u64 = 1 << 21;

impl Identity {
    pub fn new(process: &Process, users: Option<&Users>) -> Result<Self> {
        if process.scheduler().is_some() || process.io_priority().is_some() || process.exec_cpu_affinity().is_some() {
            bail!(Unimplemented, "the built-in runtime sets no scheduler, I/O priority or CPU affinity");
        }
        let args: Vec<CString> = strings("argument", process.args().as_deref().unwrap_or_default())?;
        if args.first().is_none_or(|a| a.is_empty()) {
            bail!(InvalidArgument, "the process has no program");
        }
        let user = process.user();
        let capabilities = process.capabilities().clone().unwrap_or_default();
        let label = |l: &Option<String>| l.clone().filter(|l| !l.is_empty());
        Ok(Self {
            args,
            env: strings("environment variable", process.env().as_deref().unwrap_or_default())?,
            cwd: process.cwd().clone(),
            uid: user.uid(),
            outside: users.map_or(Ok(user.uid()), |u| u.uid(user.uid()))?,
            gid: user.gid(),
            groups: user.additional_gids().clone().unwrap_or_default(),
            umask: user.umask().unwrap_or(0o022),
            bounding: mask(capabilities.bounding())?,
            effective: mask(capabilities.effective())?,
            permitted: mask(capabilities.permitted())?,
            inheritable: mask(capabilities.inheritable())?,
            ambient: mask(capabilities.ambient())?,
            limits: process
                .rlimits()
                .iter()
                .flatten()
                .map(|r| Ok((resource(r.typ())?, r.soft(), r.hard())))
                .collect::<Result<_>>()?,
            no_new_privileges: process.no_new_privileges().unwrap_or(false),
            oom_score: process.oom_score_adj(),
            terminal: process.terminal().unwrap_or(false),
            apparmor: label(process.apparmor_profile()),
            selinux: label(process.selinux_label()),
        })
    }

    /// Needs the host's /proc.
    pub fn set_oom_score(&self) -> Result<()> {
        self.oom_score.map_or(Ok(()), set_oom_score)
    }

    pub fn set_limits(&self) -> Result<()> {
        for (resource, soft, hard) in &self.limits {
            let bound = |value: u64| (value != u64::MAX).then_some(value);
            rustix::process::setrlimit(*resource, Rlimit { current: bound(*soft), maximum: bound(*hard) })
                .context(|| format!("set limit {resource:?}"))?;
        }
        Ok(())
    }

    /// Gives up what the process may not have and runs its program. Returns only the reason why it could not.
    pub fn become_it(&self, filter: Option<&Filter>) -> Result<()> {
        let doing = |what: &'static str| move || what.to_owned();
        if let Some(label) = &self.apparmor {
            write_attribute("apparmor/exec", &format!("exec {label}")).context(doing("set the AppArmor profile"))?;
        }
        if let Some(label) = &self.selinux {
            write_attribute("exec", label).context(doing("set the SELinux label"))?;
        }
        rustix::process::umask(Mode::from_raw_mode(self.umask));
        self.become_user()?;
        // The caller's rights may be less than what was asked for, as on a machine that runs us with less: never more.
        let have = rustix::thread::capabilities(None).context(doing("read capabilities"))?.permitted.bits();
        // Without no_new_privs it takes CAP_SYS_ADMIN to load a filter: that one right is kept until then.
        let kept = if filter.is_some() && !self.no_new_privileges { SYS_ADMIN & have } else { 0 };
        self.set_capabilities(have, kept)?;
        rustix::thread::clear_ambient_capability_set().context(doing("clear ambient capabilities"))?;
        for (number, name) in CAPABILITIES.iter().enumerate().filter(|(n, _)| self.ambient & have & (1 << n) != 0) {
            let one = CapabilitySet::from_bits_retain(1 << number);
            rustix::thread::configure_capability_in_ambient_set(one, true)
                .context(|| format!("make CAP_{name} ambient"))?;
        }
        if self.no_new_privileges {
            rustix::thread::set_no_new_privs(true).context(doing("set no_new_privs"))?;
        }
        self.enter_directory()?;
        sys::close_on_exec_from_3().context(doing("close descriptors"))?;
        let path = self.find(self.args.first().map(CString::as_c_str).unwrap_or_default())?;
        // Last, so that the filter has to allow nothing but what the program needs: execve, and capset for the right kept.
        if let Some(filter) = filter {
            filter.load().context(doing("confine the process to its seccomp profile"))?;
            if kept & !(self.effective & self.permitted) != 0 {
                self.set_capabilities(have, 0).context(doing("the seccomp profile forbids capset(2)"))?;
            }
        }
        self.run(&path)
    }

    /// Bounding set, groups, ids; the permitted capabilities stay.
    fn become_user(&self) -> Result<()> {
        let doing = |what: &'static str| move || what.to_owned();
        for (number, name) in CAPABILITIES.iter().enumerate() {
            let one = CapabilitySet::from_bits_retain(1 << number);
            if self.bounding & (1 << number) == 0 && rustix::thread::capability_is_in_bounding_set(one).unwrap_or(false)
            {
                rustix::thread::remove_capability_from_bounding_set(one).context(|| format!("drop CAP_{name}"))?;
            }
        }
        let groups: Vec<Gid> = self.groups.iter().map(|g| Gid::from_raw(*g)).collect();
        rustix::thread::set_thread_groups(&groups).context(doing("set the groups"))?;
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::thread::set_thread_res_gid(gid, gid, gid).context(doing("set the group"))?;
        rustix::thread::set_keep_capabilities(true).context(doing("keep capabilities"))?;
        rustix::thread::set_thread_res_uid(uid, uid, uid).context(doing("set the user"))
    }

    /// Of those the caller has, the process's own and `kept`.
    fn set_capabilities(&self, have: u64, kept: u64) -> Result<()> {
        let sets = CapabilitySets {
            effective: CapabilitySet::from_bits_retain(self.effective & have | kept),
            permitted: CapabilitySet::from_bits_retain(self.permitted & have | kept),
            inheritable: CapabilitySet::from_bits_retain(self.inheritable & have),
        };
        rustix::thread::set_capabilities(None, sets).context(|| "set capabilities".to_owned())
    }

    /// The image's user opens /dev/stdout by its path: the pipe or terminal behind it must be theirs. For the host's root
    /// only: in a user namespace the pipes are nobody's.
    pub fn give(&self, stdio: &[OwnedFd; 3]) -> Result<()> {
        if self.outside == 0 {
            return Ok(());
        }
        for fd in stdio {
            let stat = rustix::fs::fstat(fd).context(|| "stat the output".to_owned())?;
            let kind = FileType::from_raw_mode(stat.st_mode);
            if kind == FileType::Fifo
                || self.terminal && kind == FileType::CharacterDevice && rustix::termios::isatty(fd)
            {
                rustix::fs::fchown(fd, Some(Uid::from_raw(self.outside)), None)
                    .context(|| "give the output to the user".to_owned())?;
            }
        }
        Ok(())
    }

    /// The directory must be inside the root: a descriptor of the host's tree must not leak in this way (CVE-2024-21626).
    fn enter_directory(&self) -> Result<()> {
        rustix::process::chdir(&self.cwd).context(|| format!("enter working directory {}", self.cwd.display()))?;
        let real = sys::current_directory().context(|| "find the working directory".to_owned())?;
        if !real.starts_with(b"/") {
            bail!(InvalidArgument, "working directory {} is outside the container", self.cwd.display());
        }
        Ok(())
    }

    fn run(&self, path: &CStr) -> Result<()> {
        let pointers = |list: &[CString]| {
            let mut all: Vec<*const libc::c_char> = list.iter().map(|s| s.as_ptr()).collect();
            all.push(std::ptr::null());
            all
        };
        let (args, env) = (pointers(&self.args), pointers(&self.env));
        let error = sys::execve(path, &args, &env);
        let text = match error.raw_os_error() {
            Some(libc::ENOEXEC) => "it is not for this machine or has no #! line",
            Some(libc::ENOENT) => "it, its interpreter or its loader does not exist",
            _ => "the kernel refused it",
        };
        Err(error).context(|| format!("run {}: {text}", path.to_string_lossy()))
    }

    /// As execvp(3) would, with the container's PATH.
    fn find(&self, program: &CStr) -> Result<CString> {
        let name = program.to_string_lossy();
        if program.to_bytes().contains(&b'/') {
            return executable(program).map(|()| program.to_owned()).context(|| format!("run {name}"));
        }
        let path = self
            .env
            .iter()
            .find_map(|e| e.to_str().ok()?.strip_prefix("PATH="))
            .unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        let mut denied = None;
        for directory in path.split(':') {
            let directory = if directory.is_empty() { "." } else { directory };
            let Ok(candidate) = CString::new(format!("{directory}/{name}")) else { continue };
            match executable(&candidate) {
                Ok(()) => return Ok(candidate),
                Err(error) if error.is(Kind::NotFound) => {}
                Err(error) => denied = Some(error),
            }
        }
        Err(denied.unwrap_or_else(|| {
            Error::new(Kind::NotFound, format!("run {name}: there is no such program in $PATH ({path})"))
        }))
    }
}

/// Of the calling process. A lower value than its own needs CAP_SYS_RESOURCE; without that its own stays.
pub fn set_oom_score(wanted: i32) -> Result<()> {
    let path = "/proc/self/oom_score_adj";
    match fs::write(path, wanted.to_string()) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let current: i32 = fs::read_to_string(path)
                .map_err(|e| Error::io("read", path, e))?
                .trim()
                .parse()
                .map_err(|e| Error::new(Kind::Internal, format!("{path} is no number")).with_source(e))?;
            if wanted < current { Ok(()) } else { Err(Error::io("write", path, error)) }
        }
        other => other.map_err(|e| Error::io("write", path, e)),
    }
}

fn executable(path: &CStr) -> Result<()> {
    let name = path.to_string_lossy();
    let stat = match rustix::fs::stat(path) {
        Ok(stat) => stat,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
            bail!(NotFound, "{name} does not exist in the container")
        }
        Err(error) => return Err(error).context(|| format!("stat {name}")),
    };
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        bail!(PermissionDenied, "{name} is a directory");
    }
    match rustix::fs::access(path, Access::EXEC_OK) {
        Ok(()) => Ok(()),
        Err(error) => bail!(PermissionDenied, "{name} may not be executed ({error})"),
    }
}

fn write_attribute(name: &str, text: &str) -> Result<()> {
    let path = format!("/proc/self/attr/{name}");
    fs::write(&path, text).map_err(|e| Error::io("write", &path, e))
}

fn strings(what: &str, list: &[String]) -> Result<Vec<CString>> {
    list.iter()
        .map(|s| {
            CString::new(s.as_str())
                .map_err(|_| Error::new(Kind::InvalidArgument, format!("{what} {s:?} has a zero byte")))
        })
        .collect()
}

fn mask(set: &Option<oci_spec::runtime::Capabilities>) -> Result<u64> {
    let mut bits = 0;
    for capability in set.iter().flatten() {
        let name =
            serde_json::to_value(capability).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        match CAPABILITIES.iter().position(|c| Some(*c) == name.strip_prefix("CAP_")) {
            Some(number) => bits |= 1 << number,
            None => bail!(InvalidArgument, "unknown capability {name:?}"),
        }
    }
    Ok(bits)
}

fn resource(kind: PosixRlimitType) -> Result<Resource> {
    Ok(match kind {
        PosixRlimitType::RlimitCpu => Resource::Cpu,
        PosixRlimitType::RlimitFsize => Resource::Fsize,
        PosixRlimitType::RlimitData => Resource::Data,
        PosixRlimitType::RlimitStack => Resource::Stack,
        PosixRlimitType::RlimitCore => Resource::Core,
        PosixRlimitType::RlimitRss => Resource::Rss,
        PosixRlimitType::RlimitNproc => Resource::Nproc,
        PosixRlimitType::RlimitNofile => Resource::Nofile,
        PosixRlimitType::RlimitMemlock => Resource::Memlock,
        PosixRlimitType::RlimitAs => Resource::As,
        PosixRlimitType::RlimitLocks => Resource::Locks,
        PosixRlimitType::RlimitSigpending => Resource::Sigpending,
        PosixRlimitType::RlimitMsgqueue => Resource::Msgqueue,
        PosixRlimitType::RlimitNice => Resource::Nice,
        PosixRlimitType::RlimitRtprio => Resource::Rtprio,
        PosixRlimitType::RlimitRttime => Resource::Rttime,
    })
}
