//! Pod sandboxes: one function per RPC.
//!
//! RunPodSandbox: record → netns → CNI ADD → files → shim → ready. Whatever fails, `teardown` undoes all of it: it is
//! what Stop and Remove use too, and it is idempotent. The record is deleted last; while a clean-up fails it stays,
//! NotReady, so that Stop and Remove can be tried again.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use super::{
    caller::{self, Caller},
    container, ended, events,
    state::{Pod, PodRecord, PodState, now, pod_name},
    sysctls, users,
};
use crate::{
    bail,
    engine::{
        Engine,
        cgroup::{Cgroup, systemd},
        crash,
        network::{Dns, PodNetwork, PortMapping, netns},
        run::Users,
        shim::{PodSpec, Runtime, Task},
        snapshot,
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// The kubelet's pods run at -998 (kubelet's qos policy for sandboxes).
const SANDBOX_OOM_SCORE: i32 = -998;

pub async fn run_pod_sandbox(engine: &Arc<Engine>, request: cri::RunPodSandboxRequest) -> Result<String> {
    let engine = Arc::clone(engine);
    caller::to_end(|caller| async move { run(&engine, request, caller).await }).await
}

async fn run(engine: &Arc<Engine>, request: cri::RunPodSandboxRequest, mut caller: Caller) -> Result<String> {
    let Some(config) = request.config else { bail!(InvalidArgument, "run pod sandbox: no config") };
    let Some(meta) = config.metadata.clone() else { bail!(InvalidArgument, "run pod sandbox: no metadata") };
    let handler = engine.handler(&request.runtime_handler)?;
    if users::of_pod(&config).context(|| "run pod sandbox".to_owned())?.is_some() {
        let features = engine.features(&handler.name);
        if !features.user_namespaces {
            let why = features.because.unwrap_or_default();
            bail!(FailedPrecondition, "run pod sandbox: handler {} has no user namespaces: {why}", handler.name);
        }
    }
    for value in [&meta.name, &meta.namespace, &meta.uid] {
        // What no file name, environment or log may carry; a pod must not exist before it is known that it can.
        if value.contains([';', '=', '/']) || value.chars().any(char::is_control) || value.len() > 1024 {
            bail!(InvalidArgument, "run pod sandbox: {value:?} cannot be a pod's name, namespace or uid");
        }
    }
    container::log_path(&config.log_directory, "probe").context(|| "run pod sandbox".to_owned())?;
    let id = new_id()?;
    let directory = engine.config.state.join("pods").join(&id);
    let host_network = namespace_mode(&config, |o| o.network) == cri::NamespaceMode::Node;
    let parent = config.linux.as_ref().map(|l| l.cgroup_parent.clone()).unwrap_or_default();
    let parent = if parent.is_empty() { engine.cgroup_parent(handler).to_owned() } else { parent };
    let cgroup = systemd::place(&parent, handler.cgroups, &id).context(|| "run pod sandbox".to_owned())?;
    let record = PodRecord {
        id: id.clone(),
        handler: request.runtime_handler.clone(),
        state: PodState::Creating,
        created_at: now(),
        netns: (!host_network).then(|| engine.config.state.join("netns").join(&id)),
        attachment: None,
        cgroup,
        cleanup_error: None,
        stopped: false,
        directory,
        config,
    };
    let pod = match engine.pods.insert_pod(record.clone()) {
        Err(taken) if taken.is(Kind::AlreadyExists) => match claim(engine, &record, taken).await? {
            Some(id) => return Ok(id),
            None => engine.pods.insert_pod(record)?,
        },
        other => other?,
    };
    crash::point("pod.1");
    let _guard = pod.lock.lock().await;
    match set_up(engine, &pod, handler.runtime.clone()).await {
        Ok(()) if caller.has_gone() => {
            pod.unclaimed.set(true);
            forget_later(engine, &pod);
            bail!(Cancelled, "run pod sandbox {}/{}: its caller has gone", meta.namespace, meta.name)
        }
        Ok(()) => ready(engine, &pod).await,
        Err(error) => {
            let undone = undo(engine, &pod).await;
            Err(error.and_cleanup(undone).context(format!("run pod sandbox {}/{}", meta.namespace, meta.name)))
        }
    }
}

/// Somebody knows of it.
async fn ready(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<String> {
    let id = engine.pods.update_pod(pod, |r| r.state = PodState::Ready)?.id.clone();
    pod.unclaimed.set(false);
    engine.durable().await?;
    crash::point("pod.7");
    ended::watch_pod(engine, pod, pod.shim()?);
    events::emit(engine, &id, &id, cri::ContainerEventType::ContainerCreatedEvent);
    events::emit(engine, &id, &id, cri::ContainerEventType::ContainerStartedEvent);
    Ok(id)
}

/// What was made for a caller that had gone, if the same is asked for again. Another thing of that name is removed. What
/// somebody knows of has `taken` the name.
async fn claim(engine: &Arc<Engine>, wanted: &PodRecord, taken: Error) -> Result<Option<String>> {
    for _ in 0..caller::LOOKS {
        let Some(found) = engine.pods.pod_named(&pod_name(&wanted.config)) else { return Ok(None) };
        let guard = found.lock.lock().await;
        let record = found.record();
        if record.state != PodState::Creating {
            return Err(taken);
        }
        if !found.unclaimed.is() {
            drop(guard);
            tokio::time::sleep(caller::SOON).await;
            continue;
        }
        if record.config == wanted.config && record.handler == wanted.handler {
            return ready(engine, &found).await.map(Some);
        }
        undo(engine, &found).await?;
        return Ok(None);
    }
    Err(taken)
}

/// Removes it when nobody has asked for it again.
fn forget_later(engine: &Arc<Engine>, pod: &Arc<Pod>) {
    let what = format!("pod {}", pod.record().id);
    let pod = Arc::clone(pod);
    caller::forget_later(engine, what, |engine| async move {
        let _guard = pod.lock.lock().await;
        let unclaimed = pod.state() == PodState::Creating;
        if unclaimed {
            undo(&engine, &pod).await?;
        }
        Ok(unclaimed)
    });
}

/// The pod's shim, or what one that has gone left.
///
/// # Errors
/// It does not answer, and may run.
pub async fn shim_of(engine: &Engine, record: &PodRecord) -> Result<Arc<dyn Task>> {
    let directory = record.directory.join("shim");
    match engine.shims.reconnect(&directory).await {
        Err(error) if error.is(Kind::NotFound) => Ok(engine.shims.remains(&directory)),
        other => other,
    }
}

async fn set_up(engine: &Arc<Engine>, pod: &Arc<Pod>, runtime: Runtime) -> Result<()> {
    let record = pod.record();
    sysctls::validate(&record)?;
    let maps = users::of_pod(&record.config)?;
    if let Some(path) = record.netns.clone() {
        let maps = maps.clone();
        blocking(move || maps.map_or_else(|| netns::create(&path), |maps| netns::create_owned(&path, &maps))).await?;
        crash::point("pod.2");
    }
    let attach = attach(engine, pod);
    let launch = launch(engine, pod, &record, runtime.clone(), maps);
    // A containerd shim may look for the network, and a sysctl of the pod's own may be of an interface. Else they need nothing of each other.
    let sysctls = record.config.linux.as_ref().is_some_and(|l| !l.sysctls.is_empty());
    if sysctls || matches!(runtime, Runtime::Shim(_)) {
        attach.await?;
        return launch.await;
    }
    let (attached, launched) = tokio::join!(attach, launch);
    attached.and(launched)
}

/// Brings the pod's network namespace, if it has one, to the network.
async fn attach(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<()> {
    let record = pod.record();
    if let Some(netns) = &record.netns {
        let attached = engine.network.attach(netns, &pod_network(&record)).await?;
        crash::point("pod.3");
        engine.pods.update_pod(pod, |r| r.attachment = Some(attached))?;
        crash::point("pod.4");
    }
    Ok(())
}

/// The pod's files and its shim.
async fn launch(
    engine: &Arc<Engine>,
    pod: &Arc<Pod>,
    record: &PodRecord,
    runtime: Runtime,
    maps: Option<Users>,
) -> Result<()> {
    let files = {
        let (record, maps) = (record.clone(), maps.clone());
        async move {
            blocking(move || {
                make_directory(&record.directory, maps.as_ref())?;
                write_files(&record)
            })
            .await?;
            crash::point("pod.5");
            Ok(())
        }
    };
    let own = |name: &str| {
        record.config.linux.as_ref().is_some_and(|l| l.sysctls.keys().any(|key| key.replace('/', ".") == name))
    };
    let usual =
        sysctls::usual(engine, record.netns.is_some(), maps.is_some()).into_iter().filter(|(name, _)| !own(name));
    let mut spec = PodSpec { users: maps, ..pod_spec(record, runtime) };
    spec.sysctls.extend(usual.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let _kept = engine.slices.read().await;
    // Only containers need the files.
    let (written, task): (Result<()>, _) = tokio::join!(files, engine.shims.launch(&spec));
    pod.set_task(Some(task?));
    crash::point("pod.6");
    written
}

fn pod_spec(record: &PodRecord, runtime: Runtime) -> PodSpec {
    let mut namespaces = Vec::new();
    if namespace_mode(&record.config, |o| o.ipc) != cri::NamespaceMode::Node {
        namespaces.push("ipc".to_owned());
    }
    if record.netns.is_some() {
        namespaces.push("uts".to_owned());
    }
    if namespace_mode(&record.config, |o| o.pid) == cri::NamespaceMode::Pod {
        namespaces.push("pid".to_owned());
    }
    let sysctls = record.config.linux.as_ref().map(|l| l.sysctls.clone()).unwrap_or_default();
    PodSpec {
        id: record.id.clone(),
        directory: record.directory.join("shim"),
        runtime,
        netns: record.netns.clone(),
        users: None,
        namespaces,
        hostname: if record.netns.is_some() { record.config.hostname.clone() } else { String::new() },
        sysctls: sysctls.into_iter().collect(),
        cgroup: record.cgroup.clone(),
        oom_score_adj: SANDBOX_OOM_SCORE,
    }
}

/// A mode of the pod's NamespaceOption; without a security context CRI's zero value, POD.
pub fn namespace_mode(config: &cri::PodSandboxConfig, of: impl Fn(&cri::NamespaceOption) -> i32) -> cri::NamespaceMode {
    let options = config.linux.as_ref().and_then(|l| l.security_context.as_ref()?.namespace_options.as_ref());
    options.and_then(|o| cri::NamespaceMode::try_from(of(o)).ok()).unwrap_or(cri::NamespaceMode::Pod)
}

pub fn pod_network(record: &PodRecord) -> PodNetwork {
    let meta = record.config.metadata.clone().unwrap_or_default();
    let mappings = record.config.port_mappings.iter().filter(|m| m.host_port > 0);
    let dns = record.config.dns_config.clone().unwrap_or_default();
    let bits = |key: &str| record.config.annotations.get(key).and_then(|v| quantity(v));
    PodNetwork {
        id: record.id.clone(),
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        port_mappings: mappings
            .filter_map(|m| {
                Some(PortMapping {
                    protocol: match m.protocol() {
                        cri::Protocol::Tcp => "tcp",
                        cri::Protocol::Udp => "udp",
                        cri::Protocol::Sctp => "sctp",
                    }
                    .to_owned(),
                    container_port: u16::try_from(m.container_port).ok()?,
                    host_port: u16::try_from(m.host_port).ok()?,
                    host_ip: m.host_ip.clone(),
                })
            })
            .collect(),
        dns: Dns { servers: dns.servers, searches: dns.searches, options: dns.options },
        ingress_bits: bits("kubernetes.io/ingress-bandwidth"),
        egress_bits: bits("kubernetes.io/egress-bandwidth"),
        cgroup_parent: record.config.linux.as_ref().map(|l| l.cgroup_parent.clone()).unwrap_or_default(),
        annotations: record.config.annotations.clone().into_iter().collect(),
        handler: record.handler.clone(),
    }
}

/// A Kubernetes quantity as a whole number: `10M`, `1Gi`, `500k`.
fn quantity(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let factor = match &text[end..] {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The pod's directory, which no user of the node may walk through: below it are root filesystems, with set-user-ID programs of an
/// image's (CVE-2021-41103). Root of the pod's user namespace may.
fn make_directory(path: &Path, maps: Option<&Users>) -> Result<()> {
    let doing = || format!("create {}", path.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).context(doing)?;
    match maps {
        Some(users) => users.let_through(path),
        // Whatever the umask is.
        None => fs::set_permissions(path, fs::Permissions::from_mode(0o700)).context(doing),
    }
}

/// hostname, hosts, resolv.conf and /dev/shm, to be mounted into every container of the pod.
fn write_files(record: &PodRecord) -> Result<()> {
    let files = record.directory.join("files");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(&files)
        .context(|| format!("create {}", files.display()))?;
    let hostname = match record.config.hostname.as_str() {
        "" => host_name()?,
        name if name.contains(['\n', '\0']) => bail!(InvalidArgument, "invalid hostname {name:?}"),
        name => name.to_owned(),
    };
    write(&files.join("hostname"), &format!("{hostname}\n"))?;
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_else(|_| "127.0.0.1 localhost\n::1 localhost\n".to_owned());
    write(&files.join("hosts"), &hosts)?;
    let resolv = match &record.config.dns_config {
        Some(dns) if !dns.servers.is_empty() || !dns.searches.is_empty() || !dns.options.is_empty() => {
            resolv_conf(dns)?
        }
        _ => fs::read_to_string("/etc/resolv.conf").unwrap_or_default(),
    };
    write(&files.join("resolv.conf"), &resolv)?;
    if namespace_mode(&record.config, |o| o.ipc) != cri::NamespaceMode::Node {
        let shm = record.directory.join("shm");
        fs::create_dir_all(&shm).context(|| format!("create {}", shm.display()))?;
        let flags =
            rustix::mount::MountFlags::NOEXEC | rustix::mount::MountFlags::NOSUID | rustix::mount::MountFlags::NODEV;
        rustix::mount::mount("shm", &shm, "tmpfs", flags, c"mode=1777,size=67108864")
            .context(|| format!("mount tmpfs on {}", shm.display()))?;
    }
    Ok(())
}

fn resolv_conf(dns: &cri::DnsConfig) -> Result<String> {
    let mut text = String::new();
    for (key, values) in [("search", &dns.searches), ("nameserver", &dns.servers), ("options", &dns.options)] {
        if let Some(bad) = values.iter().find(|v| v.contains(['\n', '\0'])) {
            bail!(InvalidArgument, "invalid DNS {key} {bad:?}");
        }
        match key {
            "nameserver" => text.extend(values.iter().map(|v| format!("nameserver {v}\n"))),
            _ if values.is_empty() => {}
            _ => text.push_str(&format!("{key} {}\n", values.join(" "))),
        }
    }
    Ok(text)
}

fn host_name() -> Result<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(name)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(path)
        .context(|| format!("create {}", path.display()))?;
    file.write_all(text.as_bytes()).context(|| format!("write {}", path.display()))
}

pub async fn stop_pod_sandbox(engine: &Arc<Engine>, id: &str) -> Result<()> {
    let pod = match engine.pods.pod(id) {
        Err(error) if error.is(Kind::NotFound) => return Ok(()),
        other => other?,
    };
    let _guard = pod.lock.lock().await;
    stop_locked(engine, &pod).await.context(|| format!("stop pod sandbox {id}"))
}

async fn stop_locked(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<()> {
    let record = pod.record();
    if record.stopped {
        return Ok(());
    }
    let id = &record.id;
    for container in engine.pods.containers_of(id) {
        container::stop(engine, &container, std::time::Duration::ZERO).await?;
    }
    crash::point("stop.1");
    let was_ready = pod.state() == PodState::Ready;
    teardown(engine, pod, Attached::Perhaps).await?;
    engine.pods.update_pod(pod, |r| {
        r.state = PodState::NotReady;
        r.cleanup_error = None;
        r.stopped = true;
    })?;
    engine.durable().await?;
    crash::point("stop.5");
    if was_ready {
        events::emit(engine, id, id, cri::ContainerEventType::ContainerStoppedEvent);
    }
    Ok(())
}

/// Whether what the plugins complain of keeps a pod that was given nothing by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attached {
    /// What failed may have got half way: the pod stays until it is undone.
    HalfWay,
    /// Whoever stops a pod cannot do more about it than asking again. What the network has recorded of it is given up
    /// at the next start (threats POD-05).
    Perhaps,
}

/// Everything but the record and the containers: shim, network, namespace, mounts, files. Idempotent.
async fn teardown(engine: &Arc<Engine>, pod: &Arc<Pod>, attached: Attached) -> Result<()> {
    let record = pod.record();
    let task = match pod.task() {
        Some(task) => task,
        None => shim_of(engine, &record).await?,
    };
    task.shutdown().await.context(|| "stop the shim".to_owned())?;
    pod.set_task(Some(engine.shims.remains(&record.directory.join("shim"))));
    crash::point("stop.2");
    if let Some(path) = record.netns.clone() {
        let lost = record.attachment.is_some() && !path.exists();
        let detached = engine.network.detach(&path, &pod_network(&record), record.attachment.as_ref()).await;
        match detached {
            Err(error) if record.attachment.is_none() && attached == Attached::Perhaps => {
                tracing::warn!(pod = record.id, "it was not attached to the network, and is not detached: {error:#}");
            }
            other => other?,
        }
        crash::point("stop.3");
        blocking(move || netns::delete(&path)).await?;
        crash::point("stop.4");
        engine.pods.update_pod(pod, |r| r.attachment = None)?;
        if lost {
            // As after a reboot: a plugin that needed the namespace to undo its work could not.
            engine.collect_network_soon();
        }
    }
    let shm = record.directory.join("shm");
    blocking(move || snapshot::unmount(&shm)).await
}

/// Undoes a failed RunPodSandbox; if that fails too the record stays for Stop and Remove.
pub async fn undo(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<()> {
    match remove_locked(engine, pod).await {
        Ok(()) => Ok(()),
        Err(error) => {
            let text = format!("{error:#}");
            engine.pods.update_pod(pod, |r| {
                r.state = PodState::NotReady;
                r.cleanup_error = Some(text);
            })?;
            Err(error)
        }
    }
}

pub async fn remove_pod_sandbox(engine: &Arc<Engine>, id: &str) -> Result<()> {
    let pod = match engine.pods.pod(id) {
        Err(error) if error.is(Kind::NotFound) => return Ok(()),
        other => other?,
    };
    let _guard = pod.lock.lock().await;
    let id = pod.record().id.clone();
    stop_locked(engine, &pod).await.context(|| format!("remove pod sandbox {id}"))?;
    for container in engine.pods.containers_of(&id) {
        container::remove(engine, &container).await?;
    }
    engine.pods.update_pod(&pod, |r| r.state = PodState::Removing)?;
    crash::point("rmp.1");
    erase(engine, &pod).await.context(|| format!("remove pod sandbox {id}"))?;
    events::emit(engine, &id, &id, cri::ContainerEventType::ContainerDeletedEvent);
    Ok(())
}

async fn remove_locked(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<()> {
    teardown(engine, pod, Attached::HalfWay).await?;
    erase(engine, pod).await
}

/// Stops the slice that systemd made for a pod, if nobody needs it any more: a kubelet's are its own to remove.
async fn leave_slice(engine: &Engine, cgroup: &str) -> Result<()> {
    let cgroup = Cgroup::new(cgroup)?;
    let group = cgroup.clone();
    if cgroup.is_scope() && blocking(move || group.leaves_slice()).await? {
        let _alone = engine.slices.write().await;
        blocking(move || cgroup.stop_slices()).await?;
    }
    Ok(())
}

/// The slice, the files and, last, the record.
async fn erase(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<()> {
    crash::point("rmp.2");
    let record = pod.record();
    if let Err(error) = leave_slice(engine, &record.cgroup).await {
        // It is empty, and the next pod of that slice, or systemd's end, removes it.
        tracing::warn!(pod = record.id, "its slice stays: {error:#}");
    }
    let directory = record.directory.clone();
    blocking(move || container::remove_tree(&directory)).await?;
    crash::point("rmp.3");
    engine.pods.delete_pod(&record.id)?;
    crash::point("rmp.4");
    engine.durable().await
}

/// Notes what the kubelet has given the pod: it owns the pod's cgroup, and has changed that already.
pub async fn update_pod_sandbox_resources(
    engine: &Engine,
    request: cri::UpdatePodSandboxResourcesRequest,
) -> Result<()> {
    let pod = engine.pods.pod(&request.pod_sandbox_id)?;
    let _guard = pod.lock.lock().await;
    engine.pods.update_pod(&pod, |record| {
        let linux = record.config.linux.get_or_insert_default();
        linux.overhead = request.overhead.or(linux.overhead.take());
        linux.resources = request.resources.or(linux.resources.take());
    })?;
    engine.durable().await
}

/// 64 hex digits from the kernel's random source, as containerd's ids.
pub fn new_id() -> Result<String> {
    let mut bytes = [0_u8; 32];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .context(|| "read random bytes".to_owned())?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Runs a blocking function off the async threads.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a blocking task died").with_source(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        assert_eq!(quantity("10M"), Some(10_000_000));
        assert_eq!(quantity("1Gi"), Some(1 << 30));
        assert_eq!(quantity("7"), Some(7));
        assert_eq!(quantity("1.5M"), None);
    }
}
