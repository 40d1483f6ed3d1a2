//! GetContainerEvents: what happens to containers and pods, with their statuses at that moment, as containerd sends it.

use std::sync::Arc;

use futures::StreamExt;
use tokio::sync::broadcast::error::RecvError;

use super::{Listed, container, pod_status, state::now};
use crate::{engine::Engine, proto::cri};

/// Tells whoever listens. `id` is a container of `pod`, or the pod itself. What has been deleted is in no status any more;
/// a deleted pod has none.
pub fn emit(engine: &Engine, id: &str, pod: &str, kind: cri::ContainerEventType) {
    if !engine.pods.heard() {
        return;
    }
    let status = engine.pods.pod(pod).ok().map(|p| pod_status::status(&p.record()));
    let containers = engine.pods.containers_of(pod);
    engine.pods.emit(cri::ContainerEventResponse {
        container_id: id.to_owned(),
        container_event_type: kind as i32,
        created_at: now(),
        pod_sandbox_status: status,
        containers_statuses: containers.iter().map(|c| container::status(engine, &c.record())).collect(),
    });
}

/// Events from now on. A reader that falls behind loses the oldest, and relists as it does on a new stream.
pub fn get_container_events(engine: &Arc<Engine>) -> Listed<cri::ContainerEventResponse> {
    let (receiver, ended) = engine.pods.events();
    let stream = futures::stream::unfold((receiver, ended), |(mut receiver, ended)| async move {
        loop {
            let event = tokio::select! {
                event = receiver.recv() => event,
                () = ended.cancelled() => return None,
            };
            match event {
                Ok(event) => return Some((event, (receiver, ended))),
                Err(RecvError::Lagged(lost)) => tracing::warn!("a reader of events is slow: {lost} are lost to it"),
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Box::pin(stream.map(|event| Ok(event.as_ref().clone())))
}
