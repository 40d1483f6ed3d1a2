//! From CRI's container config and the image's config to an OCI runtime spec (runtime-spec 1.2, config.md).
//!
//! The document is written as JSON, as the specification shows it, then checked by parsing it into `oci_spec`'s types.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use oci_spec::runtime::{LinuxResources, Process, Spec};
use serde_json::{Value, json};

use super::{
    cdi, mounts, seccomp,
    state::{ContainerRecord, PodRecord},
    user::User,
    users,
};
use crate::{
    bail,
    engine::{
        cgroup::systemd,
        image::config::ImageConfig,
        run::{Users, mappings},
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// Everything a spec is made from.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub sandbox: Arc<PodRecord>,
    pub record: Arc<ContainerRecord>,
    pub image: ImageConfig,
    pub rootfs: PathBuf,
    /// Pid of the pod's pause process, whose namespaces are joined.
    pub pause: u32,
    /// Pid of the container whose pid namespace is joined (mode TARGET).
    pub target: Option<u32>,
    /// The maps of the pod's user namespace; `None` is the host's.
    pub users: Option<Users>,
}

/// containerd's default set (pkg/oci, `defaultUnixCaps`).
const CAPABILITIES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

const ALL_CAPABILITIES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub fn security(config: &cri::ContainerConfig) -> cri::LinuxContainerSecurityContext {
    config.linux.as_ref().and_then(|l| l.security_context.clone()).unwrap_or_default()
}

pub fn namespace_options(config: &cri::ContainerConfig) -> cri::NamespaceOption {
    security(config).namespace_options.unwrap_or_default()
}

pub fn build(inputs: &Inputs, user: &User) -> Result<Spec> {
    let config = &inputs.record.config;
    let security = security(config);
    refuse_unsupported(&security)?;
    let resources = config.linux.as_ref().and_then(|l| l.resources.clone()).unwrap_or_default();
    let (masked, readonly) = if security.privileged {
        (Vec::new(), Vec::new())
    } else {
        (security.masked_paths.clone(), security.readonly_paths.clone())
    };
    let mut linux_resources = serde_json::to_value(self::resources(&resources)?).map_err(encode)?;
    linux_resources["devices"] = device_rules(config, &security)?;
    let mut document = json!({
        // crun before 1.9 refuses documents of 1.1 and later; what they may hold does not depend on it.
        "ociVersion": "1.0.2",
        "process": process(inputs, &security, user, resources.oom_score_adj)?,
        "root": { "path": inputs.rootfs, "readonly": security.readonly_rootfs },
        "mounts": mounts::build(inputs, &security)?,
        "annotations": annotations(inputs),
        "linux": {
            "resources": linux_resources,
            "cgroupsPath": systemd::to_spec(&inputs.record.cgroup),
            "namespaces": namespaces(inputs),
            "uidMappings": inputs.users.as_ref().map(|u| mappings(&u.uids)),
            "gidMappings": inputs.users.as_ref().map(|u| mappings(&u.gids)),
            "devices": devices(config, &security)?,
            "maskedPaths": masked,
            "readonlyPaths": readonly,
            "rootfsPropagation": mounts::rootfs_propagation(config),
            "seccomp": seccomp::of(&security, &capabilities(&security)?)?,
        },
    });
    cdi::apply(&mut document, &cdi::names(config), &cdi::DIRECTORIES.map(PathBuf::from))?;
    serde_json::from_value(document).map_err(encode)
}

fn encode(error: serde_json::Error) -> Error {
    Error::new(Kind::Internal, "make the OCI spec").with_source(error)
}

/// What is asked for and cannot be given is an error, never silently weaker.
fn refuse_unsupported(security: &cri::LinuxContainerSecurityContext) -> Result<()> {
    use cri::security_profile::ProfileType;
    if let Some(profile) = &security.apparmor
        && profile.profile_type() == ProfileType::Localhost
        && !Path::new("/sys/kernel/security/apparmor").exists()
    {
        bail!(InvalidArgument, "AppArmor profile {:?}: this kernel has no AppArmor", profile.localhost_ref);
    }
    Ok(())
}

fn process(inputs: &Inputs, security: &cri::LinuxContainerSecurityContext, user: &User, oom: i64) -> Result<Value> {
    let config = &inputs.record.config;
    let args = arguments(config, &inputs.image)?;
    let cwd = [config.working_dir.as_str(), inputs.image.working_dir.as_deref().unwrap_or_default()];
    let cwd = cwd.into_iter().find(|d| !d.is_empty()).unwrap_or("/");
    // A line break in either would be a line of the /etc/passwd that some program writes from it (threats RUN-11).
    if cwd.chars().any(char::is_control) {
        bail!(InvalidArgument, "working directory {cwd:?} has control characters");
    }
    let capabilities = capabilities(security)?;
    // Nothing is inheritable but what is to be ambient, which the kernel wants to be (threats RUN-12).
    let ambient: Vec<&String> = capabilities.iter().filter(|c| asked(security).1.contains(*c)).collect();
    Ok(json!({
        "terminal": config.tty,
        "user": { "uid": user.uid, "gid": user.gid, "additionalGids": user.groups },
        "args": args,
        "env": environment(inputs, user)?,
        "cwd": cwd,
        "capabilities": {
            "bounding": capabilities, "effective": capabilities, "permitted": capabilities,
            "inheritable": ambient, "ambient": ambient,
        },
        "noNewPrivileges": security.no_new_privs,
        "oomScoreAdj": oom.clamp(-1000, 1000),
    }))
}

/// CRI: `command` replaces the entrypoint (and the image's cmd), `args` replaces the cmd.
fn arguments(config: &cri::ContainerConfig, image: &ImageConfig) -> Result<Vec<String>> {
    let (mut command, mut args) = (config.command.clone(), config.args.clone());
    if command.is_empty() {
        command.clone_from(&image.entrypoint);
        if args.is_empty() {
            args.clone_from(&image.cmd);
        }
    }
    command.extend(args);
    if command.is_empty() {
        bail!(InvalidArgument, "no command: neither the container nor the image has one");
    }
    Ok(command)
}

/// PATH, the image's variables, then the container's; later ones win. HOSTNAME and HOME as containerd sets them.
fn environment(inputs: &Inputs, user: &User) -> Result<Vec<String>> {
    let mut env: Vec<String> = vec![PATH.to_owned()];
    if inputs.record.config.tty {
        env.push("TERM=xterm".to_owned());
    }
    let mut set = |pair: String| {
        let key = pair.split('=').next().unwrap_or_default().to_owned() + "=";
        env.retain(|have| !have.starts_with(&key));
        env.push(pair);
    };
    let hostname = &inputs.sandbox.config.hostname;
    if !hostname.is_empty() {
        set(format!("HOSTNAME={hostname}"));
    }
    inputs.image.env.iter().filter(|e| e.contains('=')).cloned().for_each(&mut set);
    for pair in &inputs.record.config.envs {
        if pair.key.is_empty() || pair.key.contains(['=', '\0']) || pair.value.contains('\0') {
            bail!(InvalidArgument, "invalid environment variable {:?}", pair.key);
        }
        set(format!("{}={}", pair.key, pair.value));
    }
    if let Some(home) = env.iter().find(|e| e.starts_with("HOME="))
        && home.contains(['\n', '\r'])
    {
        bail!(InvalidArgument, "{home:?} has line breaks: it cannot be a home directory");
    }
    if !env.iter().any(|e| e.starts_with("HOME=")) && !user.home.contains(['\n', '\0']) {
        env.push(format!("HOME={}", user.home));
    }
    Ok(env)
}

/// All that there are to give: what the engine lacks itself, runc would fail to set. One that is asked for by name is not
/// left out.
fn held() -> Result<Vec<String>> {
    let own = rustix::thread::capabilities(None).context(|| "read the engine's capabilities".to_owned())?;
    let bits = own.permitted.bits();
    let numbered = ALL_CAPABILITIES.iter().enumerate();
    Ok(numbered.filter(|(number, _)| bits & (1 << number) != 0).map(|(_, name)| (*name).to_owned()).collect())
}

fn capabilities(security: &cri::LinuxContainerSecurityContext) -> Result<Vec<String>> {
    if security.privileged {
        return held();
    }
    let mut set: Vec<String> = CAPABILITIES.iter().map(|c| (*c).to_owned()).collect();
    let (add, ambient, drop) = asked(security);
    let all = |list: &[String]| list.iter().any(|c| c == "CAP_ALL");
    if all(&add) {
        set = held()?;
    }
    if all(&drop) {
        set.clear();
    }
    for add in add.into_iter().chain(ambient).filter(|c| c != "CAP_ALL") {
        if !ALL_CAPABILITIES.contains(&add.as_str()) {
            bail!(InvalidArgument, "unknown capability {add:?}");
        }
        if !set.contains(&add) {
            set.push(add);
        }
    }
    set.retain(|c| !drop.contains(c));
    Ok(set)
}

/// What CRI adds, adds as ambient too, and drops, by the names of capabilities(7).
fn asked(security: &cri::LinuxContainerSecurityContext) -> (Vec<String>, Vec<String>, Vec<String>) {
    let name = |text: &String| {
        let upper = text.to_uppercase();
        if upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") }
    };
    let names = |list: &[String]| list.iter().map(name).collect();
    let wanted = security.capabilities.clone().unwrap_or_default();
    (names(&wanted.add_capabilities), names(&wanted.add_ambient_capabilities), names(&wanted.drop_capabilities))
}

fn namespaces(inputs: &Inputs) -> Value {
    let options = namespace_options(&inputs.record.config);
    let of_pause = |kind: &str| format!("/proc/{}/ns/{kind}", inputs.pause);
    let mut list = vec![json!({ "type": "mount" })];
    if let Some(netns) = &inputs.sandbox.netns {
        list.push(json!({ "type": "network", "path": netns }));
        list.push(json!({ "type": "uts", "path": of_pause("uts") }));
    }
    if options.ipc() != cri::NamespaceMode::Node {
        list.push(json!({ "type": "ipc", "path": of_pause("ipc") }));
    }
    match (options.pid(), inputs.target) {
        (cri::NamespaceMode::Node, _) => {}
        (cri::NamespaceMode::Pod, _) => list.push(json!({ "type": "pid", "path": of_pause("pid") })),
        (cri::NamespaceMode::Target, Some(pid)) => {
            list.push(json!({ "type": "pid", "path": format!("/proc/{pid}/ns/pid") }));
        }
        _ => list.push(json!({ "type": "pid" })),
    }
    list.push(json!({ "type": "cgroup" }));
    if inputs.users.is_some() {
        list.push(json!({ "type": "user", "path": users::path(inputs.pause) }));
    }
    list.into()
}

fn annotations(inputs: &Inputs) -> Value {
    let meta = inputs.sandbox.config.metadata.clone().unwrap_or_default();
    let own = inputs.record.config.metadata.clone().unwrap_or_default();
    json!({
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.sandbox-id": inputs.sandbox.id,
        "io.kubernetes.cri.sandbox-name": meta.name,
        "io.kubernetes.cri.sandbox-namespace": meta.namespace,
        "io.kubernetes.cri.container-name": own.name,
        "io.kubernetes.cri.image-name": inputs.record.config.image.clone().unwrap_or_default().image,
    })
}

/// Type, numbers and mode of a device of the host.
pub fn device_of(path: &str) -> Result<(String, u32, u32, u32)> {
    use rustix::fs::FileType;
    let stat = rustix::fs::stat(path).context(|| format!("stat device {path}"))?;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => "c",
        FileType::BlockDevice => "b",
        _ => bail!(InvalidArgument, "{path} is not a device"),
    };
    Ok((kind.to_owned(), rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev), stat.st_mode & 0o7777))
}

fn devices(config: &cri::ContainerConfig, security: &cri::LinuxContainerSecurityContext) -> Result<Value> {
    let mut list = Vec::new();
    for device in &config.devices {
        let (kind, major, minor, mode) = device_of(&device.host_path)?;
        list.push(
            json!({ "path": device.container_path, "type": kind, "major": major, "minor": minor, "fileMode": mode }),
        );
    }
    if security.privileged {
        for entry in std::fs::read_dir("/dev").into_iter().flatten().flatten() {
            let path = entry.path();
            let Some(text) = path.to_str() else { continue };
            let usual = [
                "/dev/null",
                "/dev/zero",
                "/dev/full",
                "/dev/random",
                "/dev/urandom",
                "/dev/tty",
                "/dev/ptmx",
                "/dev/console",
            ];
            if let (Ok((kind, major, minor, mode)), false) = (device_of(text), usual.contains(&text)) {
                list.push(json!({ "path": text, "type": kind, "major": major, "minor": minor, "fileMode": mode }));
            }
        }
    }
    Ok(list.into())
}

/// Deny all but the usual devices, those asked for, and ptys; a privileged container may use every device.
fn device_rules(config: &cri::ContainerConfig, security: &cri::LinuxContainerSecurityContext) -> Result<Value> {
    if security.privileged {
        return Ok(json!([{ "allow": true, "access": "rwm" }]));
    }
    let mut rules = vec![json!({ "allow": false, "access": "rwm" })];
    // mknod of any, as runc allows; then null, zero, full, random, urandom, tty, console, ptmx, pts/*.
    rules.push(json!({ "allow": true, "type": "c", "access": "m" }));
    rules.push(json!({ "allow": true, "type": "b", "access": "m" }));
    for (major, minor) in [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)] {
        rules.push(json!({ "allow": true, "type": "c", "major": major, "minor": minor, "access": "rwm" }));
    }
    rules.push(json!({ "allow": true, "type": "c", "major": 136, "access": "rwm" }));
    for device in &config.devices {
        let (kind, major, minor, _) = device_of(&device.host_path)?;
        let access = if device.permissions.is_empty() { "rwm" } else { &device.permissions };
        if !access.chars().all(|c| "rwm".contains(c)) {
            bail!(InvalidArgument, "device {}: invalid permissions {access:?}", device.host_path);
        }
        rules.push(json!({ "allow": true, "type": kind, "major": major, "minor": minor, "access": access }));
    }
    Ok(rules.into())
}

/// CRI's resources in OCI's words; zero means unset.
pub fn resources(from: &cri::LinuxContainerResources) -> Result<LinuxResources> {
    let mut cpu = json!({});
    let mut set = |key: &str, value: i64| {
        if value != 0 {
            cpu[key] = value.into();
        }
    };
    set("shares", from.cpu_shares);
    set("quota", from.cpu_quota);
    set("period", from.cpu_period);
    for (key, value) in [("cpus", &from.cpuset_cpus), ("mems", &from.cpuset_mems)] {
        if !value.is_empty() {
            cpu[key] = value.clone().into();
        }
    }
    let mut memory = json!({});
    if from.memory_limit_in_bytes != 0 {
        memory["limit"] = from.memory_limit_in_bytes.into();
        // Kubernetes' default: no swap beyond the limit.
        let swap = if from.memory_swap_limit_in_bytes == 0 {
            from.memory_limit_in_bytes
        } else {
            from.memory_swap_limit_in_bytes
        };
        memory["swap"] = swap.into();
    }
    let hugepages: Vec<_> =
        from.hugepage_limits.iter().map(|h| json!({ "pageSize": h.page_size, "limit": h.limit })).collect();
    // runc takes an empty table of these for settings of v2, and refuses it on v1.
    let unified = Some(&from.unified).filter(|settings| !settings.is_empty());
    serde_json::from_value(json!({ "cpu": cpu, "memory": memory, "hugepageLimits": hugepages, "unified": unified }))
        .map_err(|e| Error::new(Kind::InvalidArgument, "resources are not valid").with_source(e))
}

/// The resources after an update: what is given replaces what was.
pub fn merged(record: &ContainerRecord, update: &cri::LinuxContainerResources) -> cri::LinuxContainerResources {
    let mut now = record.config.linux.as_ref().and_then(|l| l.resources.clone()).unwrap_or_default();
    let pick = |old: i64, new: i64| if new == 0 { old } else { new };
    now.cpu_period = pick(now.cpu_period, update.cpu_period);
    now.cpu_quota = pick(now.cpu_quota, update.cpu_quota);
    now.cpu_shares = pick(now.cpu_shares, update.cpu_shares);
    now.memory_limit_in_bytes = pick(now.memory_limit_in_bytes, update.memory_limit_in_bytes);
    now.memory_swap_limit_in_bytes = pick(now.memory_swap_limit_in_bytes, update.memory_swap_limit_in_bytes);
    for (have, new) in [(&mut now.cpuset_cpus, &update.cpuset_cpus), (&mut now.cpuset_mems, &update.cpuset_mems)] {
        if !new.is_empty() {
            have.clone_from(new);
        }
    }
    now.unified.extend(update.unified.clone());
    now
}

/// A further process in a container: the first one's identity, another command.
pub fn exec_process(spec: &Spec, command: &[String], tty: bool) -> Result<Process> {
    let Some(mut process) = spec.process().clone() else { bail!(Internal, "the container's spec has no process") };
    if command.is_empty() {
        bail!(InvalidArgument, "exec: no command");
    }
    process.set_args(Some(command.to_vec()));
    process.set_terminal(Some(tty));
    if tty && !process.env().iter().flatten().any(|e| e.starts_with("TERM=")) {
        let mut env = process.env().clone().unwrap_or_default();
        env.push("TERM=xterm".to_owned());
        process.set_env(Some(env));
    }
    Ok(process)
}

/// "SIGTERM", "TERM", "15", "SIGRTMIN+3".
pub fn signal_number(name: &str) -> Result<i32> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];
    let upper = name.trim().to_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let realtime = |rest: &str, base: i32, sign: i32| {
        let offset = rest.trim_start_matches(['+', '-', 'P', 'M', 'L', 'I', 'N', 'U', 'S']);
        if rest.is_empty() { Some(base) } else { Some(base + sign * offset.parse::<i32>().ok()?) }
    };
    let number = match short {
        _ if short.starts_with("RTMIN") => realtime(&short[5..], 34, 1),
        _ if short.starts_with("RTMAX") => realtime(&short[5..], 64, -1),
        _ => NAMES.iter().position(|n| *n == short).and_then(|i| i32::try_from(i + 1).ok()).or(short.parse().ok()),
    };
    match number {
        Some(n @ 1..=64) => Ok(n),
        _ => bail!(InvalidArgument, "unknown signal {name:?}"),
    }
}

/// Makes the directories of the image's VOLUMEs, which `mounts` binds, filled with what the image has there.
pub fn prepare_volumes(inputs: &Inputs) -> Result<()> {
    mounts::prepare_volumes(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_v2_are_given_only_if_there_are_any() {
        let mut wanted = cri::LinuxContainerResources { memory_limit_in_bytes: 1 << 20, ..Default::default() };
        assert!(resources(&wanted).unwrap().unified().is_none());
        wanted.unified.insert("memory.high".to_owned(), "max".to_owned());
        assert_eq!(resources(&wanted).unwrap().unified().as_ref().map(|u| u.len()), Some(1));
    }

    #[test]
    fn signals() {
        for (name, number) in
            [("SIGTERM", 15), ("kill", 9), ("3", 3), ("SIGRTMIN+3", 37), ("RTMAX-1", 63), ("SIGRTMINPLUS3", 37)]
        {
            assert_eq!(signal_number(name).unwrap(), number, "{name}");
        }
        assert!(signal_number("SIGNOPE").is_err() && signal_number("65").is_err() && signal_number("").is_err());
    }

    #[test]
    fn command_and_args_follow_kubernetes() {
        let image = ImageConfig { entrypoint: vec!["e".into()], cmd: vec!["c".into()], ..Default::default() };
        let run = |command: &[&str], args: &[&str]| {
            let own = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect();
            arguments(&cri::ContainerConfig { command: own(command), args: own(args), ..Default::default() }, &image)
                .unwrap()
        };
        assert_eq!(run(&[], &[]), ["e", "c"]);
        assert_eq!(run(&[], &["a"]), ["e", "a"]);
        assert_eq!(run(&["x"], &[]), ["x"]);
        assert_eq!(run(&["x"], &["a"]), ["x", "a"]);
    }

    #[test]
    fn capabilities_add_and_drop() {
        let with = |add: &[&str], drop: &[&str]| {
            let own = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect();
            let capabilities =
                cri::Capability { add_capabilities: own(add), drop_capabilities: own(drop), ..Default::default() };
            capabilities_of(capabilities)
        };
        fn capabilities_of(c: cri::Capability) -> Result<Vec<String>> {
            capabilities(&cri::LinuxContainerSecurityContext { capabilities: Some(c), ..Default::default() })
        }
        assert_eq!(with(&["NET_ADMIN"], &["ALL"]).unwrap(), ["CAP_NET_ADMIN"]);
        assert!(!with(&[], &["CHOWN"]).unwrap().contains(&"CAP_CHOWN".to_owned()));
        assert_eq!(with(&["ALL"], &[]).unwrap(), held().unwrap());
        assert!(with(&["ALL", "SYS_RESOURCE"], &[]).unwrap().contains(&"CAP_SYS_RESOURCE".to_owned()));
        assert!(with(&["NOPE"], &[]).is_err());
    }
}
