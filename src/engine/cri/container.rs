//! Containers: one function per RPC. How they end by themselves is in `ended`.

use std::{
    fs,
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    caller::{self, Caller},
    ended, events, image_volume,
    pod::{blocking, new_id},
    spec::{self, Inputs},
    state::{Container, ContainerRecord, ContainerState, PodState, container_name, now, selected},
    user, users,
};
use crate::{
    bail,
    engine::{
        Engine,
        cgroup::{Cgroup, systemd},
        crash,
        image::config::ImageConfig,
        metadata::ImageRow,
        shim::{CreateTask, Runtime, Task},
        snapshot::{self, Labels},
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// Between SIGKILL and giving up on a container that does not die (a process in uninterruptible sleep).
const KILL_WAIT: Duration = Duration::from_secs(30);

pub async fn create_container(engine: &Arc<Engine>, request: cri::CreateContainerRequest) -> Result<String> {
    let engine = Arc::clone(engine);
    caller::to_end(|caller| async move { create(&engine, request, caller).await }).await
}

async fn create(engine: &Arc<Engine>, request: cri::CreateContainerRequest, mut caller: Caller) -> Result<String> {
    let Some(config) = request.config else { bail!(InvalidArgument, "create container: no config") };
    let Some(meta) = config.metadata.clone() else { bail!(InvalidArgument, "create container: no metadata") };
    let pod = engine.pods.pod(&request.pod_sandbox_id)?;
    let sandbox = pod.record();
    if sandbox.state != PodState::Ready {
        bail!(FailedPrecondition, "create container {}: pod sandbox {} is not ready", meta.name, sandbox.id);
    }
    let task = pod.live_task().context(|| format!("create container {}", meta.name))?;
    let wanted = config.image.clone().unwrap_or_default().image;
    if wanted.starts_with('/') {
        // An archive, for runtimes that restore from one. It is not looked at.
        return Err(no_restore(&meta.name, &wanted));
    }
    let image = engine.image(&wanted).await?.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("create container {}: image {wanted} is not here: pull it first", meta.name))
    })?;
    let image_config = engine.image_config(&image).await?;
    if image_config.checkpoint {
        return Err(no_restore(&meta.name, &wanted));
    }
    let id = new_id()?;
    let directory = sandbox.directory.join("containers").join(&id);
    let record = ContainerRecord {
        id: id.clone(),
        pod: sandbox.id.clone(),
        image_id: image.id.to_string(),
        image_ref: image.digests.first().cloned().unwrap_or_else(|| image.id.to_string()),
        snapshotter: engine.snapshotter.name().to_owned(),
        state: ContainerState::Creating,
        created_at: now(),
        started_at: 0,
        finished_at: 0,
        exit_code: 0,
        reason: String::new(),
        message: String::new(),
        pid: 0,
        log_path: log_path(&sandbox.config.log_directory, &config.log_path)?,
        bundle: directory,
        cgroup: systemd::beside(&sandbox.cgroup, &id),
        stop_signal: stop_signal(&config, &image_config),
        user: (0, 0, Vec::new()),
        config,
    };
    let name = container_name_of(&request.sandbox_config, &sandbox, &meta);
    let container = match engine.pods.insert_container(record.clone(), &name) {
        Err(taken) if taken.is(Kind::AlreadyExists) => match claim(engine, &record, &meta, taken).await? {
            Some(id) => return Ok(id),
            None => engine.pods.insert_container(record, &name)?,
        },
        other => other?,
    };
    crash::point("ctr.1");
    let _guard = container.lock.lock().await;
    match set_up(engine, &container, task, &image, &image_config).await {
        Ok((pid, user)) => {
            engine.pods.update_container(&container, |r| {
                r.pid = pid;
                r.user = user;
            })?;
            if caller.has_gone() {
                container.unclaimed.set(true);
                forget_later(engine, &container);
                bail!(Cancelled, "create container {}: its caller has gone", meta.name);
            }
            created(engine, &container).await
        }
        Err(error) => {
            let undone = discard(engine, &container).await;
            Err(error.and_cleanup(undone).context(format!("create container {}", meta.name)))
        }
    }
}

/// Somebody knows of it.
async fn created(engine: &Engine, container: &Container) -> Result<String> {
    let record = engine.pods.update_container(container, |r| r.state = ContainerState::Created)?;
    container.unclaimed.set(false);
    engine.durable().await?;
    crash::point("ctr.7");
    events::emit(engine, &record.id, &record.pod, cri::ContainerEventType::ContainerCreatedEvent);
    Ok(record.id.clone())
}

/// What was made for a caller that had gone, if the same is asked for again. Another thing of that name is removed. What
/// somebody knows of has `taken` the name.
async fn claim(
    engine: &Arc<Engine>,
    wanted: &ContainerRecord,
    meta: &cri::ContainerMetadata,
    taken: Error,
) -> Result<Option<String>> {
    for _ in 0..caller::LOOKS {
        let is = |c: &Arc<Container>| c.record().config.metadata.as_ref() == Some(meta);
        let Some(found) = engine.pods.containers_of(&wanted.pod).into_iter().find(is) else { return Ok(None) };
        let guard = found.lock.lock().await;
        let record = found.record();
        if record.state != ContainerState::Creating {
            return Err(taken);
        }
        if !found.unclaimed.is() {
            drop(guard);
            tokio::time::sleep(caller::SOON).await;
            continue;
        }
        if record.config == wanted.config && record.image_id == wanted.image_id {
            return created(engine, &found).await.map(Some);
        }
        discard(engine, &found).await?;
        return Ok(None);
    }
    Err(taken)
}

/// Removes it when nobody has asked for it again.
fn forget_later(engine: &Arc<Engine>, container: &Arc<Container>) {
    let what = format!("container {}", container.record().id);
    let container = Arc::clone(container);
    caller::forget_later(engine, what, |engine| async move {
        let _guard = container.lock.lock().await;
        let unclaimed = container.state() == ContainerState::Creating;
        if unclaimed {
            discard(&engine, &container).await?;
        }
        Ok(unclaimed)
    });
}

/// Removes what nobody knows of. If that fails it is in the lists from then on, for somebody to try again.
async fn discard(engine: &Arc<Engine>, container: &Arc<Container>) -> Result<()> {
    engine.pods.update_container(container, |r| r.state = ContainerState::Removing)?;
    clean_up(engine, container).await
}

/// What a checkpoint holds is given to CRIU with the rights of root (threats RUN-16).
fn no_restore(container: &str, image: &str) -> Error {
    let text = format!("create container {container}: {image} is a checkpoint, from which wharf restores nothing");
    Error::new(Kind::Unimplemented, text)
}

fn container_name_of(
    given: &Option<cri::PodSandboxConfig>,
    sandbox: &super::state::PodRecord,
    meta: &cri::ContainerMetadata,
) -> String {
    let pod = given.as_ref().filter(|c| c.metadata.is_some()).unwrap_or(&sandbox.config);
    let config = cri::ContainerConfig { metadata: Some(meta.clone()), ..Default::default() };
    container_name(&config, pod)
}

/// The log file, if the pod has a log directory; never outside it (threats RUN-18).
pub fn log_path(directory: &str, file: &str) -> Result<Option<PathBuf>> {
    if directory.is_empty() || file.is_empty() {
        return Ok(None);
    }
    let escapes = |p: &str| Path::new(p).components().any(|c| matches!(c, std::path::Component::ParentDir));
    if escapes(directory) || escapes(file) || !directory.starts_with('/') {
        bail!(InvalidArgument, "log path {directory:?} {file:?} must be an absolute directory and a name below it");
    }
    Ok(Some(Path::new(directory).join(file.trim_start_matches('/'))))
}

fn stop_signal(config: &cri::ContainerConfig, image: &ImageConfig) -> String {
    match config.stop_signal() {
        cri::Signal::RuntimeDefault => image.stop_signal.clone().unwrap_or_else(|| "SIGTERM".to_owned()),
        signal => signal.as_str_name().to_owned(),
    }
}

async fn set_up(
    engine: &Arc<Engine>,
    container: &Arc<Container>,
    task: Arc<dyn Task>,
    image: &ImageRow,
    image_config: &ImageConfig,
) -> Result<(u32, (u32, u32, Vec<u32>))> {
    let record = container.record();
    // The kernel takes as long for the group as all the rest takes here.
    let (grouped, user) =
        tokio::join!(make_group(engine, &record), prepare(engine, container, task.pids().1, image, image_config));
    let user = user?;
    grouped?;
    crash::point("ctr.5");
    let pid = task
        .create(&CreateTask {
            id: record.id.clone(),
            bundle: record.bundle.clone(),
            log: record.log_path.clone(),
            tty: record.config.tty,
            stdin: record.config.stdin,
            stdin_once: record.config.stdin_once,
        })
        .await?;
    crash::point("ctr.6");
    Ok((pid, user))
}

/// The container's cgroup, which the shim then finds and sets the limits of: where that is the built-in runtime's work, and
/// the group no scope, which needs a process.
async fn make_group(engine: &Engine, record: &ContainerRecord) -> Result<()> {
    let handler = engine.pods.pod(&record.pod)?.record().handler.clone();
    let cgroup = Cgroup::new(&record.cgroup)?;
    let ours = engine.handler(&handler).is_ok_and(|h| h.runtime == Runtime::BuiltIn);
    if ours && !cgroup.is_scope() {
        blocking(move || cgroup.create(None)).await?;
    }
    Ok(())
}

/// Everything that the shim needs for it to be created: root filesystem, volumes, spec. Gives the user: uid, gid, groups.
async fn prepare(
    engine: &Arc<Engine>,
    container: &Arc<Container>,
    pause: u32,
    image: &ImageRow,
    image_config: &ImageConfig,
) -> Result<(u32, u32, Vec<u32>)> {
    let record = container.record();
    let sandbox = engine.pods.pod(&record.pod)?.record();
    let (rootfs, directory) = (record.bundle.join("rootfs"), record.bundle.clone());
    let parent = image.snapshot.as_ref().map(|(_, chain)| chain.clone());
    engine.keep_snapshot(&record.id).await?;
    crash::point("ctr.2");
    let target = target_pid(engine, &record)?;
    let maps = users::of_container(&sandbox, &record.config)?;
    let mounts = engine.snapshotter.prepare(&record.id, parent.as_deref(), Labels::new()).await?;
    crash::point("ctr.3");
    blocking({
        let (rootfs, maps, aside) = (rootfs.clone(), maps.clone(), layers_aside(&record));
        move || {
            fs::create_dir_all(&rootfs).context(|| format!("create {}", rootfs.display()))?;
            match maps {
                Some(maps) => snapshot::mount_mapped(&mounts, &rootfs, (users::open(pause)?.as_fd(), &maps), &aside),
                None => snapshot::mount(&mounts, &rootfs),
            }
        }
    })
    .await?;
    crash::point("ctr.4");
    image_volume::mount(engine, container, pause, maps.as_ref()).await?;
    let inputs =
        Inputs { sandbox, record: record.clone(), image: image_config.clone(), rootfs, pause, target, users: maps };
    blocking(move || {
        if let Some(logs) = inputs.record.log_path.as_deref().and_then(Path::parent) {
            fs::create_dir_all(logs).context(|| format!("create {}", logs.display()))?;
        }
        let user = user::resolve(&inputs)?;
        spec::prepare_volumes(&inputs)?;
        let spec = spec::build(&inputs, &user)?;
        let path = directory.join("config.json");
        let text =
            serde_json::to_vec(&spec).map_err(|e| Error::new(Kind::Internal, "encode the OCI spec").with_source(e))?;
        fs::write(&path, text).context(|| format!("write {}", path.display()))?;
        Ok((user.uid, user.gid, user.groups))
    })
    .await
}

/// Where the layers are mounted while the root filesystem of a container with a user namespace is put together.
fn layers_aside(record: &ContainerRecord) -> PathBuf {
    record.bundle.join("layers")
}

/// The pid whose pid namespace a container with mode TARGET joins.
fn target_pid(engine: &Engine, record: &ContainerRecord) -> Result<Option<u32>> {
    let options = spec::namespace_options(&record.config);
    if options.pid() != cri::NamespaceMode::Target {
        return Ok(None);
    }
    let target = engine.pods.container(&options.target_id)?.record();
    if target.state != ContainerState::Running || target.pod != record.pod {
        bail!(FailedPrecondition, "target container {} does not run in this pod", options.target_id);
    }
    Ok(Some(target.pid))
}

pub async fn start_container(engine: &Arc<Engine>, id: &str) -> Result<()> {
    let (engine, id) = (Arc::clone(engine), id.to_owned());
    // To the end: else it would run and be recorded as one that does not.
    caller::to_end(|_| async move { start(&engine, &id).await }).await
}

async fn start(engine: &Arc<Engine>, id: &str) -> Result<()> {
    let container = engine.pods.container(id)?;
    let _guard = container.lock.lock().await;
    let record = container.record();
    if record.state != ContainerState::Created {
        bail!(FailedPrecondition, "start container {id}: it is {:?}, not created", record.state);
    }
    let task = engine.pods.pod(&record.pod)?.live_task()?;
    crash::point("start.1");
    if let Err(error) = task.start(&record.id).await {
        let text = format!("{error:#}");
        engine.pods.update_container(&container, |r| {
            r.state = ContainerState::Exited;
            r.finished_at = now();
            r.exit_code = if error.is(Kind::NotFound) { 127 } else { 128 };
            r.reason = "StartError".to_owned();
            r.message = text;
        })?;
        engine.durable().await?;
        return Err(error.context(format!("start container {id}")));
    }
    crash::point("start.2");
    engine.pods.update_container(&container, |r| {
        r.state = ContainerState::Running;
        r.started_at = now();
    })?;
    engine.durable().await?;
    crash::point("start.3");
    events::emit(engine, &record.id, &record.pod, cri::ContainerEventType::ContainerStartedEvent);
    ended::watch(engine, &container, task);
    Ok(())
}

pub async fn stop_container(engine: &Arc<Engine>, id: &str, timeout: i64) -> Result<()> {
    let container = match engine.pods.container(id) {
        Err(error) if error.is(Kind::NotFound) => return Ok(()),
        other => other?,
    };
    let grace = Duration::from_secs(u64::try_from(timeout).unwrap_or(0));
    stop(engine, &container, grace).await.context(|| format!("stop container {id}"))?;
    engine.durable().await
}

/// The stop signal, the grace, then SIGKILL to every process. Idempotent. Does not hold the lock while it waits, so that
/// a second, shorter stop cuts the first one short.
pub async fn stop(engine: &Arc<Engine>, container: &Arc<Container>, grace: Duration) -> Result<()> {
    let record = container.record();
    if !matches!(record.state, ContainerState::Running | ContainerState::Unknown) {
        return Ok(());
    }
    let task = engine.pods.pod(&record.pod)?.shim()?;
    if task.is_gone() {
        return ended::lost(engine, container, "the pod's shim has died").await;
    }
    let mut state = container.watch();
    if !grace.is_zero() {
        let signal = spec::signal_number(&record.stop_signal)?;
        gone_is_fine(task.kill(&record.id, None, signal, false).await)?;
        if tokio::time::timeout(grace, state.wait_for(|s| *s == ContainerState::Exited)).await.is_ok() {
            return Ok(());
        }
    }
    gone_is_fine(task.kill(&record.id, None, libc::SIGKILL, true).await)?;
    match tokio::time::timeout(KILL_WAIT, state.wait_for(|s| *s == ContainerState::Exited)).await {
        Ok(_) => Ok(()),
        Err(_) => bail!(
            DeadlineExceeded,
            "container {} (pid {}) did not die of SIGKILL: look for a process in state D",
            record.id,
            record.pid
        ),
    }
}

fn gone_is_fine(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.is(Kind::NotFound) => Ok(()),
        other => other,
    }
}

pub async fn remove_container(engine: &Arc<Engine>, id: &str) -> Result<()> {
    match engine.pods.container(id) {
        Err(error) if error.is(Kind::NotFound) => Ok(()),
        Err(error) => Err(error),
        Ok(container) => remove(engine, &container).await.context(|| format!("remove container {id}")),
    }
}

/// Kills it if it runs, and removes everything of it; the record goes last.
pub async fn remove(engine: &Arc<Engine>, container: &Arc<Container>) -> Result<()> {
    stop(engine, container, Duration::ZERO).await?;
    let _guard = container.lock.lock().await;
    let record = engine.pods.update_container(container, |r| r.state = ContainerState::Removing)?;
    crash::point("rm.1");
    clean_up(engine, container).await?;
    events::emit(engine, &record.id, &record.pod, cri::ContainerEventType::ContainerDeletedEvent);
    Ok(())
}

/// Task, mount, snapshot, files, record: also what a failed create is undone by. Idempotent.
pub async fn clean_up(engine: &Arc<Engine>, container: &Arc<Container>) -> Result<()> {
    let record = container.record();
    if let Ok(pod) = engine.pods.pod(&record.pod) {
        match pod.shim()?.delete(&record.id, None).await {
            // It may never have heard of it.
            Err(error) if error.is(Kind::NotFound) => {
                let cgroup = Cgroup::new(&record.cgroup)?;
                blocking(move || if cgroup.exists() { cgroup.delete() } else { Ok(()) }).await?;
            }
            other => other.map(|_| ())?,
        }
    }
    crash::point("rm.2");
    image_volume::clean_up(engine, &record).await?;
    let (bundle, aside) = (record.bundle.clone(), layers_aside(&record));
    blocking(move || {
        snapshot::unmount(&bundle.join("rootfs"))?;
        snapshot::release(&aside)?;
        crash::point("rm.3");
        remove_tree(&bundle)
    })
    .await?;
    crash::point("rm.4");
    // Before the first file goes this makes durable what was recorded so far: should the last deletion be lost in a power
    // cut, recovery finishes the removal.
    match engine.snapshotter.remove(&record.id).await {
        Err(error) if error.is(Kind::NotFound) => engine.durable().await?,
        other => other?,
    }
    crash::point("rm.6");
    engine.pods.delete_container(&record.id)?;
    crash::point("rm.7");
    engine.collect_soon();
    Ok(())
}

pub fn remove_tree(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", directory, error)),
        _ => Ok(()),
    }
}

fn to_state(state: ContainerState) -> cri::ContainerState {
    match state {
        ContainerState::Creating | ContainerState::Created => cri::ContainerState::ContainerCreated,
        ContainerState::Running => cri::ContainerState::ContainerRunning,
        ContainerState::Exited => cri::ContainerState::ContainerExited,
        ContainerState::Unknown | ContainerState::Removing => cri::ContainerState::ContainerUnknown,
    }
}

pub fn list_containers(engine: &Engine, filter: Option<cri::ContainerFilter>) -> Vec<cri::Container> {
    let filter = filter.unwrap_or_default();
    let records = engine.pods.containers().into_iter().map(|c| c.record());
    records
        .filter(|r| r.state != ContainerState::Creating)
        .filter(|r| r.id.starts_with(&filter.id) && r.pod.starts_with(&filter.pod_sandbox_id))
        .filter(|r| filter.state.is_none_or(|s| s.state == to_state(r.state) as i32))
        .filter(|r| selected(&filter.label_selector, &r.config.labels))
        .map(|r| cri::Container {
            state: to_state(r.state) as i32,
            id: r.id.clone(),
            pod_sandbox_id: r.pod.clone(),
            metadata: r.config.metadata.clone(),
            image: r.config.image.clone(),
            image_ref: r.image_id.clone(),
            created_at: r.created_at,
            labels: r.config.labels.clone(),
            annotations: r.config.annotations.clone(),
            image_id: r.image_id.clone(),
        })
        .collect()
}

pub fn status(engine: &Engine, record: &ContainerRecord) -> cri::ContainerStatus {
    let (uid, gid, groups) = record.user.clone();
    let resources = record.config.linux.as_ref().and_then(|l| l.resources.clone());
    // CRI wants a tag here when the image has one, as containerd answers.
    let image =
        engine.tag_of(&record.image_id).unwrap_or_else(|| record.config.image.clone().unwrap_or_default().image);
    cri::ContainerStatus {
        id: record.id.clone(),
        metadata: record.config.metadata.clone(),
        state: to_state(record.state) as i32,
        created_at: record.created_at,
        started_at: record.started_at,
        finished_at: record.finished_at,
        exit_code: record.exit_code,
        image: Some(cri::ImageSpec { image, ..record.config.image.clone().unwrap_or_default() }),
        image_ref: record.image_ref.clone(),
        reason: record.reason.clone(),
        message: record.message.clone(),
        labels: record.config.labels.clone(),
        annotations: record.config.annotations.clone(),
        mounts: record.config.mounts.clone(),
        log_path: record.log_path.as_ref().map(|p| p.display().to_string()).unwrap_or_default(),
        resources: Some(cri::ContainerResources { linux: resources, windows: None }),
        image_id: record.image_id.clone(),
        user: Some(cri::ContainerUser {
            linux: Some(cri::LinuxContainerUser {
                uid: i64::from(uid),
                gid: i64::from(gid),
                supplemental_groups: groups.into_iter().map(i64::from).collect(),
            }),
        }),
        stop_signal: cri::Signal::from_str_name(&record.stop_signal).unwrap_or_default() as i32,
    }
}

pub async fn container_status(engine: &Engine, id: &str, verbose: bool) -> Result<cri::ContainerStatusResponse> {
    let record = engine.pods.container(id)?.record();
    let mut info = std::collections::HashMap::new();
    if verbose {
        let path = record.bundle.join("config.json");
        let spec = tokio::fs::read(&path).await.ok().and_then(|t| serde_json::from_slice::<serde_json::Value>(&t).ok());
        let pod = engine.pods.pod(&record.pod)?.record();
        let text = serde_json::json!({
            "sandboxID": record.pod,
            "pid": record.pid,
            "runtimeType": engine.handler(&pod.handler).ok().map(|handler| handler.runtime.kind()),
            "snapshotKey": record.id,
            "snapshotter": record.snapshotter,
            "cgroup": record.cgroup,
            "bundle": record.bundle,
            "config": record.config,
            "runtimeSpec": spec,
        });
        info.insert("info".to_owned(), text.to_string());
    }
    Ok(cri::ContainerStatusResponse { status: Some(status(engine, &record)), info })
}

pub async fn update_container_resources(engine: &Engine, request: cri::UpdateContainerResourcesRequest) -> Result<()> {
    let container = engine.pods.container(&request.container_id)?;
    let _guard = container.lock.lock().await;
    let record = container.record();
    let Some(linux) = request.linux else { return Ok(()) };
    if record.state == ContainerState::Exited {
        bail!(FailedPrecondition, "update container {}: it has exited", record.id);
    }
    let task = engine.pods.pod(&record.pod)?.live_task()?;
    task.update(&record.id, &spec::resources(&linux)?).await.context(|| format!("update container {}", record.id))?;
    engine.pods.update_container(&container, |r| {
        r.config.linux.get_or_insert_default().resources = Some(spec::merged(r, &linux));
    })?;
    engine.durable().await
}

pub async fn reopen_container_log(engine: &Engine, id: &str) -> Result<()> {
    let record = engine.pods.container(id)?.record();
    if record.state != ContainerState::Running {
        bail!(FailedPrecondition, "reopen the log of container {id}: it does not run");
    }
    engine.pods.pod(&record.pod)?.live_task()?.reopen_log(&record.id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_18_a_log_path_stays_in_its_directory() {
        assert_eq!(log_path("/var/log/pods/x", "c/0.log").unwrap(), Some("/var/log/pods/x/c/0.log".into()));
        assert_eq!(log_path("", "c/0.log").unwrap(), None);
        for (directory, file) in [("/var/log/../x", "0.log"), ("/var/log", "../0.log"), ("relative", "0.log")] {
            assert!(log_path(directory, file).is_err(), "{directory} {file}");
        }
    }
}
