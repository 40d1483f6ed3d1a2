//! CRI's questions answered from the disk: the third transport of the one client, so that every verb that only asks works on a
//! dead runtime as it is. What is no question is refused.

use std::{collections::HashMap, time::SystemTime};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use prost::Message;
use serde_json::Value;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

use super::{Offline, UNKNOWN};
use crate::{
    client::{
        Runtime,
        transport::Transport,
        types::{
            Container, ContainerState, ContainerStats, DiskUse, Image, Inventory, ObjectRef, PodSandbox, PodState,
            Scope, Seen,
        },
    },
    error::{Error, Kind, Result},
    proto::cri,
};

/// Of a message on the wire: whether it is compressed, and its length.
const HEAD: usize = 5;
/// What containerd says of a container whose end it has missed.
const MISSED: (i32, &str) = (255, "Unknown");

pub fn transport(offline: Offline) -> Transport {
    let serve = move |request| {
        let offline = offline.clone();
        async move { Ok::<_, tonic::Status>(answer(&offline, request).await) }
    };
    BoxCloneSyncService::new(tower::service_fn(serve))
}

async fn answer(offline: &Offline, request: Request<Body>) -> Response<Body> {
    let message = match reply(offline, request).await {
        Ok(message) => message,
        Err(error) => return tonic::Status::from(error).into_http(),
    };
    let mut framed = BytesMut::with_capacity(HEAD + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.extend_from_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(framed.freeze()).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn decode<T: Message + Default>(bytes: &Bytes) -> Result<T> {
    T::decode(bytes.get(HEAD..).unwrap_or_default())
        .map_err(|e| Error::new(Kind::InvalidArgument, "decode a request").with_source(e))
}

async fn reply(offline: &Offline, request: Request<Body>) -> Result<Vec<u8>> {
    let call = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await;
    let bytes = body.map_err(|e| Error::new(Kind::Internal, "read a request").with_source(e))?.to_bytes();
    let see = async |scope: Scope| offline.inventory(scope).await;
    let pods = Scope { pods: true, ..Scope::default() };
    Ok(match call.as_str() {
        "Version" => {
            let name = offline.info().name.clone();
            cri::VersionResponse {
                version: "0.1.0".to_owned(),
                runtime_name: name,
                runtime_version: "unknown".to_owned(),
                runtime_api_version: "v1".to_owned(),
            }
            .encode_to_vec()
        }
        "Status" => {
            let seen = need(see(pods).await.conditions)?;
            let conditions = seen.into_iter().map(|c| cri::RuntimeCondition {
                r#type: c.name,
                status: c.ok,
                reason: c.reason,
                message: c.message,
            });
            let status = Some(cri::RuntimeStatus { conditions: conditions.collect() });
            cri::StatusResponse { status, ..Default::default() }.encode_to_vec()
        }
        "ListPodSandbox" => {
            let filter = decode::<cri::ListPodSandboxRequest>(&bytes)?.filter.unwrap_or_default();
            let passes = |p: &cri::PodSandbox| {
                p.id.starts_with(&filter.id)
                    && filter.state.as_ref().is_none_or(|s| s.state == p.state)
                    && filter.label_selector.iter().all(|(k, v)| p.labels.get(k) == Some(v))
            };
            let items = need(see(pods).await.pods)?.into_iter().map(pod).filter(passes).collect();
            cri::ListPodSandboxResponse { items }.encode_to_vec()
        }
        "PodSandboxStatus" => {
            let request: cri::PodSandboxStatusRequest = decode(&bytes)?;
            let id = request.pod_sandbox_id;
            let found = need(see(pods).await.pods)?.into_iter().find(|p| p.id == id);
            let found = found.ok_or_else(|| missing("pod", &id))?;
            let ip = found.ip.clone();
            let network = Some(cri::PodSandboxNetworkStatus { ip, additional_ips: Vec::new() });
            let p = pod(found);
            let status = cri::PodSandboxStatus {
                id: p.id,
                metadata: p.metadata,
                state: p.state,
                created_at: p.created_at,
                network,
                linux: None,
                labels: p.labels,
                annotations: p.annotations,
                runtime_handler: p.runtime_handler,
            };
            let info = info(offline, request.verbose, &ObjectRef::Pod(id)).await?;
            cri::PodSandboxStatusResponse { status: Some(status), info, ..Default::default() }.encode_to_vec()
        }
        "ListContainers" => {
            let filter = decode::<cri::ListContainersRequest>(&bytes)?.filter.unwrap_or_default();
            let passes = |c: &cri::Container| {
                c.id.starts_with(&filter.id)
                    && c.pod_sandbox_id.starts_with(&filter.pod_sandbox_id)
                    && filter.state.as_ref().is_none_or(|s| s.state == c.state)
                    && filter.label_selector.iter().all(|(k, v)| c.labels.get(k) == Some(v))
            };
            let seen = need(see(pods).await.containers)?;
            let containers = seen.into_iter().map(container).filter(passes).collect();
            cri::ListContainersResponse { containers }.encode_to_vec()
        }
        "ContainerStatus" => {
            let request: cri::ContainerStatusRequest = decode(&bytes)?;
            let id = request.container_id;
            let found = need(see(pods).await.containers)?.into_iter().find(|c| c.id == id);
            let found = found.ok_or_else(|| missing("container", &id))?;
            let info = info(offline, request.verbose, &ObjectRef::Container(id)).await?;
            cri::ContainerStatusResponse { status: Some(status(found)), info }.encode_to_vec()
        }
        "ListContainerStats" | "ContainerStats" => {
            let seen = see(Scope { stats: true, ..pods }).await;
            let all = need(seen.containers)?;
            let known: HashMap<&str, &Container> = all.iter().map(|c| (c.id.as_str(), c)).collect();
            let mut stats = need(seen.stats)?.into_iter().map(|s| self::stats(&s, known.get(s.id.as_str()).copied()));
            if call == "ContainerStats" {
                let id = decode::<cri::ContainerStatsRequest>(&bytes)?.container_id;
                let one = stats.find(|s| s.attributes.as_ref().is_some_and(|a| a.id == id));
                let one = one.ok_or_else(|| missing("running container", &id))?;
                return Ok(cri::ContainerStatsResponse { stats: Some(one) }.encode_to_vec());
            }
            let filter = decode::<cri::ListContainerStatsRequest>(&bytes)?.filter.unwrap_or_default();
            let passes = |s: &cri::ContainerStats| {
                let attributes = s.attributes.clone().unwrap_or_default();
                let pod = known.get(attributes.id.as_str()).map_or("", |c| c.pod.as_str());
                attributes.id.starts_with(&filter.id)
                    && pod.starts_with(&filter.pod_sandbox_id)
                    && filter.label_selector.iter().all(|(k, v)| attributes.labels.get(k) == Some(v))
            };
            cri::ListContainerStatsResponse { stats: stats.filter(passes).collect() }.encode_to_vec()
        }
        "ListImages" => {
            let filter = decode::<cri::ListImagesRequest>(&bytes)?.filter.unwrap_or_default();
            let wanted = filter.image.unwrap_or_default().image;
            let images = images(see(Scope { images: true, ..Scope::default() }).await)?;
            let images = images.into_iter().filter(|i| wanted.is_empty() || is_named(i, &wanted)).collect();
            cri::ListImagesResponse { images }.encode_to_vec()
        }
        "ImageStatus" => {
            let wanted = decode::<cri::ImageStatusRequest>(&bytes)?.image.unwrap_or_default().image;
            let images = images(see(Scope { images: true, ..Scope::default() }).await)?;
            let image = images.into_iter().find(|i| is_named(i, &wanted));
            cri::ImageStatusResponse { image, ..Default::default() }.encode_to_vec()
        }
        "ImageFsInfo" => {
            let rows = need(see(Scope { disk: true, ..Scope::default() }).await.disk)?;
            let image_filesystems = rows.into_iter().filter(|d| d.what == "image filesystem").map(filesystem).collect();
            cri::ImageFsInfoResponse { image_filesystems, container_filesystems: Vec::new() }.encode_to_vec()
        }
        other => {
            let text = format!("{other} is refused: with --offline the disk is read and nothing else is done");
            return Err(Error::new(Kind::FailedPrecondition, text));
        }
    })
}

fn missing(kind: &str, id: &str) -> Error {
    Error::new(Kind::NotFound, format!("nothing on disk tells of a {kind} {id}"))
}

fn need<T>(seen: Seen<T>) -> Result<T> {
    match seen {
        Seen::At { value, .. } => Ok(value),
        Seen::Failed { error, .. } => Err(Error::new(Kind::Unavailable, error)),
        Seen::NotAsked => Err(Error::new(Kind::Internal, "it was not read")),
    }
}

fn nanos(at: Option<SystemTime>) -> i64 {
    let since = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// As containerd gives it: one entry with a JSON document.
async fn info(offline: &Offline, verbose: bool, object: &ObjectRef) -> Result<HashMap<String, String>> {
    if !verbose {
        return Ok(HashMap::new());
    }
    let shown = offline.inspect(object).await?;
    let inner = shown.get("info").unwrap_or(&Value::Null).to_string();
    Ok(HashMap::from([("info".to_owned(), inner)]))
}

fn pod(pod: PodSandbox) -> cri::PodSandbox {
    let state = match pod.state {
        PodState::Ready => cri::PodSandboxState::SandboxReady,
        PodState::NotReady => cri::PodSandboxState::SandboxNotready,
    };
    cri::PodSandbox {
        id: pod.id,
        metadata: Some(cri::PodSandboxMetadata {
            name: pod.name,
            uid: pod.uid,
            namespace: pod.namespace,
            attempt: pod.attempt,
        }),
        state: state.into(),
        created_at: nanos(Some(pod.created)),
        labels: pod.labels.into_iter().collect(),
        annotations: pod.annotations.into_iter().collect(),
        runtime_handler: pod.handler,
    }
}

fn state(state: ContainerState) -> i32 {
    let state = match state {
        ContainerState::Created => cri::ContainerState::ContainerCreated,
        ContainerState::Running => cri::ContainerState::ContainerRunning,
        ContainerState::Exited => cri::ContainerState::ContainerExited,
        ContainerState::Unknown => cri::ContainerState::ContainerUnknown,
    };
    state.into()
}

fn spec(image: &str) -> Option<cri::ImageSpec> {
    Some(cri::ImageSpec { image: image.to_owned(), ..Default::default() })
}

fn container(c: Container) -> cri::Container {
    cri::Container {
        id: c.id,
        pod_sandbox_id: c.pod,
        metadata: Some(cri::ContainerMetadata { name: c.name, attempt: c.attempt }),
        image: spec(&c.image),
        image_ref: c.image_id.clone(),
        image_id: c.image_id,
        state: state(c.state),
        created_at: nanos(Some(c.created)),
        labels: c.labels.into_iter().collect(),
        annotations: c.annotations.into_iter().collect(),
    }
}

fn status(c: Container) -> cri::ContainerStatus {
    let detail = c.detail.unwrap_or_default();
    let (exit_code, reason) = match detail.exit_code {
        UNKNOWN => (MISSED.0, MISSED.1.to_owned()),
        code => (code, detail.reason),
    };
    cri::ContainerStatus {
        id: c.id,
        metadata: Some(cri::ContainerMetadata { name: c.name, attempt: c.attempt }),
        state: state(c.state),
        created_at: nanos(Some(c.created)),
        started_at: nanos(detail.started),
        finished_at: nanos(detail.finished),
        exit_code,
        image: spec(&c.image),
        image_ref: c.image_id.clone(),
        image_id: c.image_id,
        reason,
        message: detail.message,
        labels: c.labels.into_iter().collect(),
        annotations: c.annotations.into_iter().collect(),
        log_path: detail.log_path,
        ..Default::default()
    }
}

fn stats(s: &ContainerStats, of: Option<&Container>) -> cri::ContainerStats {
    let value = |v: Option<u64>| v.map(|value| cri::UInt64Value { value });
    let at = nanos(s.at);
    let attributes = cri::ContainerAttributes {
        id: s.id.clone(),
        metadata: of.map(|c| cri::ContainerMetadata { name: c.name.clone(), attempt: c.attempt }),
        labels: of.map(|c| c.labels.clone().into_iter().collect()).unwrap_or_default(),
        annotations: of.map(|c| c.annotations.clone().into_iter().collect()).unwrap_or_default(),
    };
    let left = s.memory_limit.map(|limit| limit.saturating_sub(s.memory_working_set.unwrap_or(0)));
    cri::ContainerStats {
        attributes: Some(attributes),
        cpu: Some(cri::CpuUsage { timestamp: at, usage_core_nano_seconds: value(s.cpu_nanos), ..Default::default() }),
        memory: Some(cri::MemoryUsage {
            timestamp: at,
            working_set_bytes: value(s.memory_working_set),
            available_bytes: value(left),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn images(seen: Inventory) -> Result<Vec<cri::Image>> {
    let image = |i: Image| cri::Image {
        id: i.id,
        repo_tags: i.tags,
        repo_digests: i.digests,
        size: i.size,
        pinned: i.pinned,
        username: i.username,
        ..Default::default()
    };
    Ok(need(seen.images)?.into_iter().map(image).collect())
}

fn is_named(image: &cri::Image, name: &str) -> bool {
    let hex = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    let by_id = name.len() >= 4 && hex.starts_with(name.strip_prefix("sha256:").unwrap_or(name));
    by_id || image.repo_tags.iter().chain(&image.repo_digests).any(|n| n == name)
}

fn filesystem(d: DiskUse) -> cri::FilesystemUsage {
    cri::FilesystemUsage {
        timestamp: nanos(Some(SystemTime::now())),
        fs_id: Some(cri::FilesystemIdentifier { mountpoint: d.path }),
        used_bytes: Some(cri::UInt64Value { value: d.used_bytes }),
        inodes_used: Some(cri::UInt64Value { value: d.used_inodes }),
    }
}
