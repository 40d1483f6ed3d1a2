//! How containers and pods end by themselves, and what a start of the engine finds of them.
//!
//! Unreachable is not dead (threats POD-09): under a shim that does not answer containers may run. They are unknown then,
//! nothing of them is removed, and the shim is looked for until it answers or has certainly gone.

use std::{sync::Arc, time::Duration};

use super::{
    container, events,
    pod::{self, blocking},
    state::{Container, ContainerRecord, ContainerState, Pod, PodState, nanos, now},
};
use crate::{
    engine::{
        Engine,
        cgroup::Cgroup,
        crash,
        shim::{ExitStatus, Task, TaskState},
    },
    error::{Error, Kind, Result},
    proto::cri,
};

/// Between a shim's last word and its end.
const DYING: Duration = Duration::from_secs(2);
/// For a shim to say how a container is.
const ANSWER: Duration = Duration::from_secs(10);
/// Between two looks for a shim that does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Records the container's end when it comes.
pub fn watch(engine: &Arc<Engine>, container: &Arc<Container>, task: Arc<dyn Task>) {
    let (engine, container) = (Arc::clone(engine), Arc::clone(container));
    tokio::spawn(async move {
        let id = container.record().id.clone();
        let outcome = match task.wait(&id, None).await {
            Ok(status) => record_exit(&engine, &container, &status),
            Err(error) => after_its_shim(&engine, &container, &*task, error).await,
        };
        // Whoever waits for the exit syncs for itself; this is for exits nobody waits for.
        let outcome = match outcome {
            Ok(()) => engine.durable().await,
            failed => failed,
        };
        if let Err(error) = outcome {
            tracing::error!(container = id, "recording its exit failed: {error:#}");
        }
    });
}

/// What becomes of a container that its shim cannot be asked about.
async fn after_its_shim(engine: &Arc<Engine>, container: &Arc<Container>, task: &dyn Task, error: Error) -> Result<()> {
    let gone = async {
        while !task.is_gone() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if error.is(Kind::NotFound) || tokio::time::timeout(DYING, gone).await.is_ok() {
        return lost(engine, container, "the pod's shim has died").await;
    }
    tracing::warn!("waiting for the end of container {} failed: {error:#}", container.record().id);
    let record = engine.pods.update_container(container, |r| r.state = ContainerState::Unknown)?;
    look_again(engine, &engine.pods.pod(&record.pod)?, vec![Arc::clone(container)]);
    Ok(())
}

fn record_exit(engine: &Engine, container: &Container, status: &ExitStatus) -> Result<()> {
    let reason = match (status.oom_killed, status.code) {
        (true, _) => "OOMKilled",
        (false, 0) => "Completed",
        (false, _) => "Error",
    };
    if container.state() == ContainerState::Exited {
        return Ok(());
    }
    crash::point("exit.1");
    let record = engine.pods.update_container(container, |r| {
        r.state = ContainerState::Exited;
        r.finished_at = nanos(status.at).max(r.started_at);
        r.exit_code = status.code;
        r.reason = reason.to_owned();
        r.pid = 0;
    })?;
    crash::point("exit.2");
    events::emit(engine, &record.id, &record.pod, cri::ContainerEventType::ContainerStoppedEvent);
    Ok(())
}

/// The shim died with what it knew of the container. What still runs of it is ended, so that nothing goes on under the name of
/// what has ended (threats POD-07); if nothing does, nobody can know how it ended. A restart of the node has emptied the state
/// directory as well (threats SNP-19).
pub async fn lost(engine: &Engine, container: &Container, why: &str) -> Result<()> {
    let _guard = container.lock.lock().await;
    if container.state() == ContainerState::Exited {
        return Ok(());
    }
    let record = container.record();
    let ran = end_group(&record.cgroup).await?;
    let (code, reason, why) = match (record.bundle.exists(), ran) {
        (false, _) => (255, "NodeRebooted", "the node was restarted while it ran"),
        (true, true) => (137, "ShimDied", why),
        (true, false) => (255, "Unknown", why),
    };
    let record = engine.pods.update_container(container, |r| {
        r.state = ContainerState::Exited;
        r.finished_at = now();
        r.exit_code = code;
        r.reason = reason.to_owned();
        r.message = why.to_owned();
        r.pid = 0;
    })?;
    events::emit(engine, &record.id, &record.pod, cri::ContainerEventType::ContainerStoppedEvent);
    Ok(())
}

/// Kills what is in a group; whether anything was.
async fn end_group(path: &str) -> Result<bool> {
    let group = Cgroup::new(path)?;
    blocking(move || match group.pids() {
        Ok(pids) if !pids.is_empty() => group.kill().map(|()| true),
        Err(error) if !error.is(Kind::NotFound) => Err(error),
        _ => Ok(false),
    })
    .await
}

/// Notes when the pod's sandbox ends by itself: it is not ready then, and a kubelet makes another.
pub fn watch_pod(engine: &Arc<Engine>, pod: &Arc<Pod>, task: Arc<dyn Task>) {
    let (engine, pod) = (Arc::downgrade(engine), Arc::clone(pod));
    tokio::spawn(async move {
        let watched = task.ended().await;
        let Some(engine) = engine.upgrade() else { return };
        let _guard = pod.lock.lock().await;
        let id = pod.record().id.clone();
        if let Err(error) = watched {
            tracing::error!(pod = id, "its sandbox cannot be watched: {error:#}");
            return;
        }
        if pod.state() != PodState::Ready {
            return;
        }
        tracing::warn!(pod = id, "its sandbox has ended by itself");
        let noted = match engine.pods.update_pod(&pod, |r| r.state = PodState::NotReady) {
            Ok(_) => engine.durable().await,
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            tracing::error!(pod = id, "recording that its sandbox has ended failed: {error:#}");
        }
        events::emit(&engine, &id, &id, cri::ContainerEventType::ContainerStoppedEvent);
    });
}

/// Finishes at start what a crash interrupted in a pod and its containers, and finds again what runs.
pub async fn recover(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<()> {
    let containers = engine.pods.containers_of(&pod.record().id);
    let found = recover_pod(engine, pod).await;
    if pod.task().is_none() {
        let left: Vec<_> = containers.into_iter().filter(|c| c.state() != ContainerState::Exited).collect();
        for container in &left {
            unknown(engine, container)?;
        }
        look_again(engine, pod, left);
        return found;
    }
    let each = futures::future::join_all(containers.iter().map(|c| recover_within(engine, c))).await;
    let left: Vec<_> = containers.iter().zip(&each).filter(|(_, r)| r.is_err()).map(|(c, _)| Arc::clone(c)).collect();
    if !left.is_empty() {
        look_again(engine, pod, left);
    }
    each.into_iter().fold(found, |first, next| match (first, next) {
        (Err(first), next) => Err(first.and_cleanup(next)),
        (Ok(()), next) => next,
    })
}

/// What might run or be started is said to be unknown.
fn unknown(engine: &Engine, container: &Container) -> Result<()> {
    if matches!(container.state(), ContainerState::Created | ContainerState::Running) {
        engine.pods.update_container(container, |r| r.state = ContainerState::Unknown)?;
    }
    Ok(())
}

async fn recover_pod(engine: &Arc<Engine>, pod: &Arc<Pod>) -> Result<()> {
    let _guard = pod.lock.lock().await;
    let task = pod::shim_of(engine, &pod.record()).await?;
    pod.set_task(Some(Arc::clone(&task)));
    match pod.state() {
        PodState::Creating | PodState::Removing => pod::undo(engine, pod).await,
        PodState::Ready if task.is_gone() => engine.pods.update_pod(pod, |r| r.state = PodState::NotReady).map(drop),
        PodState::Ready => {
            watch_pod(engine, pod, task);
            Ok(())
        }
        PodState::NotReady => Ok(()),
    }
}

async fn recover_within(engine: &Arc<Engine>, container: &Arc<Container>) -> Result<()> {
    let recovered = match tokio::time::timeout(ANSWER, recover_container(engine, container)).await {
        Ok(recovered) => recovered,
        Err(_) => Err(Error::new(Kind::Unavailable, format!("no answer in {} s", ANSWER.as_secs()))),
    };
    if recovered.is_err() {
        unknown(engine, container)?;
    }
    recovered.map_err(|error| error.context(format!("container {}", container.record().id)))
}

/// Finishes what a crash interrupted, or finds a running container again.
pub async fn recover_container(engine: &Arc<Engine>, container: &Arc<Container>) -> Result<()> {
    let record = container.record();
    match record.state {
        ContainerState::Creating | ContainerState::Removing => container::clean_up(engine, container).await,
        ContainerState::Exited => Ok(()),
        ContainerState::Created | ContainerState::Running | ContainerState::Unknown => {
            let Ok(pod) = engine.pods.pod(&record.pod) else {
                return lost(engine, container, "there is no record of its pod").await;
            };
            let task = pod.shim()?;
            match task.state(&record.id, None).await {
                Ok(TaskState::Created { .. }) if record.state == ContainerState::Created => Ok(()),
                Ok(TaskState::Created { .. }) => {
                    engine.pods.update_container(container, |r| r.state = ContainerState::Created).map(drop)
                }
                Ok(TaskState::Running { pid } | TaskState::Paused { pid }) => {
                    runs(engine, container, &record, pid, task)
                }
                Ok(TaskState::Exited(status)) => record_exit(engine, container, &status),
                // One that has gone may have seen the container's end before its own.
                Err(error) if error.is(Kind::NotFound) => match task.wait(&record.id, None).await {
                    Ok(status) => record_exit(engine, container, &status),
                    Err(_) => lost(engine, container, "the pod's shim has died").await,
                },
                Err(error) => Err(error),
            }
        }
    }
}

fn runs(
    engine: &Arc<Engine>,
    container: &Arc<Container>,
    record: &ContainerRecord,
    pid: u32,
    task: Arc<dyn Task>,
) -> Result<()> {
    let known = record.state == ContainerState::Running && record.pid == pid && record.started_at != 0;
    if !known {
        engine.pods.update_container(container, |r| {
            r.state = ContainerState::Running;
            r.pid = pid;
            r.started_at = if r.started_at == 0 { now() } else { r.started_at };
        })?;
    }
    watch(engine, container, task);
    Ok(())
}

/// Looks for the pod's shim until it answers, or has gone; then at these containers.
fn look_again(engine: &Arc<Engine>, pod: &Arc<Pod>, containers: Vec<Arc<Container>>) {
    let (engine, pod) = (Arc::downgrade(engine), Arc::clone(pod));
    tokio::spawn(async move {
        let id = pod.record().id.clone();
        loop {
            tokio::time::sleep(AGAIN).await;
            let Some(engine) = engine.upgrade() else { return };
            // Somebody may have removed it meanwhile.
            if engine.pods.pod(&id).is_err() {
                return;
            }
            match found_again(&engine, &pod, &containers).await {
                Ok(()) => return tracing::info!(pod = id, "its shim has been found again"),
                Err(error) => tracing::debug!(pod = id, "still: {error:#}"),
            }
        }
    });
}

async fn found_again(engine: &Arc<Engine>, pod: &Arc<Pod>, containers: &[Arc<Container>]) -> Result<()> {
    if pod.task().is_none() {
        recover_pod(engine, pod).await?;
    }
    for container in containers {
        // Of those that are settled by now nothing is asked.
        if !matches!(container.state(), ContainerState::Created | ContainerState::Running | ContainerState::Exited)
            && engine.pods.container(&container.record().id).is_ok()
        {
            recover_within(engine, container).await?;
        }
    }
    engine.durable().await
}
