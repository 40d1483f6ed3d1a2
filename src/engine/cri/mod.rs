//! CRI v1 over the engine: what the kubelet, crictl and our own client call. Nothing else in `engine/` knows CRI's messages.
//!
//! `Service` only translates: a function of the sibling modules does each call, and is named as the RPC.

mod caller;
mod cdi;
mod checkpoint;
mod container;
mod ended;
mod events;
pub mod exec;
mod image_volume;
mod images;
mod info;
mod metrics;
mod mounts;
mod node;
mod pod;
mod pod_status;
mod seccomp;
mod spec;
mod state;
mod stats;
mod streams;
mod sysctls;
mod user;
mod users;
mod volume;

use std::{pin::Pin, sync::Arc};

use futures::Stream;
use tonic::{Request, Response, Status, async_trait, service::Routes};

pub use images::pull;
pub use state::Pods;
pub use streams::streams;

use super::{Engine, snapshot, transfer};
use crate::proto::{
    containerd::services::{
        images::v1::images_server::ImagesServer, leases::v1::leases_server::LeasesServer,
        snapshots::v1::snapshots_server::SnapshotsServer, streaming::v1::streaming_server::StreamingServer,
        transfer::v1::transfer_server::TransferServer,
    },
    cri::{
        self,
        image_service_server::{ImageService, ImageServiceServer},
        runtime_service_server::{RuntimeService, RuntimeServiceServer},
    },
};

/// Bytes of one request; containerd's limit as well.
const MESSAGE_LIMIT: usize = 16 << 20;

/// Both services, and containerd's for image archives and for snapshots, for a socket or for a client in the same process.
pub fn routes(engine: Arc<Engine>) -> Routes {
    let runtime = RuntimeServiceServer::new(Service::new(Arc::clone(&engine))).max_decoding_message_size(MESSAGE_LIMIT);
    let images = ImageServiceServer::new(Service::new(Arc::clone(&engine))).max_decoding_message_size(MESSAGE_LIMIT);
    let snapshots = snapshot::service::Service::new(Arc::clone(&engine.clients), Arc::clone(&engine.db));
    let snapshots = SnapshotsServer::new(snapshots).max_decoding_message_size(MESSAGE_LIMIT);
    // Archives, names and pins of images, collections.
    let archives = transfer::Service::new(engine);
    Routes::new(runtime)
        .add_service(images)
        .add_service(snapshots)
        .add_service(TransferServer::new(archives.clone()))
        .add_service(LeasesServer::new(archives.clone()))
        .add_service(ImagesServer::new(archives.clone()))
        .add_service(StreamingServer::new(archives))
}

/// The engine as a CRI server.
#[derive(Debug, Clone)]
pub struct Service(Arc<Engine>);

impl Service {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self(engine)
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Listed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn ok<T>(message: T) -> Answer<T> {
    Ok(Response::new(message))
}

/// A streaming list: one message that carries everything; the proto lets the server choose the size of the parts.
fn once<T: Send + 'static>(message: T) -> Answer<Listed<T>> {
    Ok(Response::new(Box::pin(futures::stream::once(async move { Ok(message) }))))
}

/// Finds again, at start, what was here before: adopts what runs, finishes or undoes what was interrupted.
pub async fn recover(engine: &Arc<Engine>) -> crate::error::Result<()> {
    checkpoint::clean_up(engine).await?;
    node::recover(engine).await
}

#[async_trait]
impl RuntimeService for Service {
    async fn version(&self, _: Request<cri::VersionRequest>) -> Answer<cri::VersionResponse> {
        ok(node::version())
    }

    async fn status(&self, request: Request<cri::StatusRequest>) -> Answer<cri::StatusResponse> {
        ok(node::status(&self.0, request.into_inner().verbose).await)
    }

    async fn runtime_config(&self, _: Request<cri::RuntimeConfigRequest>) -> Answer<cri::RuntimeConfigResponse> {
        ok(node::runtime_config(&self.0))
    }

    async fn update_runtime_config(
        &self,
        _: Request<cri::UpdateRuntimeConfigRequest>,
    ) -> Answer<cri::UpdateRuntimeConfigResponse> {
        // The pod CIDR is for runtimes that write CNI configuration; ours does not.
        ok(cri::UpdateRuntimeConfigResponse {})
    }

    async fn run_pod_sandbox(&self, request: Request<cri::RunPodSandboxRequest>) -> Answer<cri::RunPodSandboxResponse> {
        let pod_sandbox_id = pod::run_pod_sandbox(&self.0, request.into_inner()).await?;
        ok(cri::RunPodSandboxResponse { pod_sandbox_id })
    }

    async fn stop_pod_sandbox(
        &self,
        request: Request<cri::StopPodSandboxRequest>,
    ) -> Answer<cri::StopPodSandboxResponse> {
        pod::stop_pod_sandbox(&self.0, &request.into_inner().pod_sandbox_id).await?;
        ok(cri::StopPodSandboxResponse {})
    }

    async fn remove_pod_sandbox(
        &self,
        request: Request<cri::RemovePodSandboxRequest>,
    ) -> Answer<cri::RemovePodSandboxResponse> {
        pod::remove_pod_sandbox(&self.0, &request.into_inner().pod_sandbox_id).await?;
        ok(cri::RemovePodSandboxResponse {})
    }

    async fn pod_sandbox_status(
        &self,
        request: Request<cri::PodSandboxStatusRequest>,
    ) -> Answer<cri::PodSandboxStatusResponse> {
        let request = request.into_inner();
        ok(pod_status::pod_sandbox_status(&self.0, &request.pod_sandbox_id, request.verbose).await?)
    }

    async fn list_pod_sandbox(
        &self,
        request: Request<cri::ListPodSandboxRequest>,
    ) -> Answer<cri::ListPodSandboxResponse> {
        ok(cri::ListPodSandboxResponse { items: pod_status::list_pod_sandbox(&self.0, request.into_inner().filter) })
    }

    type StreamPodSandboxesStream = Listed<cri::StreamPodSandboxesResponse>;

    async fn stream_pod_sandboxes(
        &self,
        request: Request<cri::StreamPodSandboxesRequest>,
    ) -> Answer<Self::StreamPodSandboxesStream> {
        let pod_sandboxes = pod_status::list_pod_sandbox(&self.0, request.into_inner().filter);
        once(cri::StreamPodSandboxesResponse { pod_sandboxes })
    }

    async fn create_container(
        &self,
        request: Request<cri::CreateContainerRequest>,
    ) -> Answer<cri::CreateContainerResponse> {
        let container_id = container::create_container(&self.0, request.into_inner()).await?;
        ok(cri::CreateContainerResponse { container_id })
    }

    async fn start_container(
        &self,
        request: Request<cri::StartContainerRequest>,
    ) -> Answer<cri::StartContainerResponse> {
        container::start_container(&self.0, &request.into_inner().container_id).await?;
        ok(cri::StartContainerResponse {})
    }

    async fn stop_container(&self, request: Request<cri::StopContainerRequest>) -> Answer<cri::StopContainerResponse> {
        let request = request.into_inner();
        container::stop_container(&self.0, &request.container_id, request.timeout).await?;
        ok(cri::StopContainerResponse {})
    }

    async fn remove_container(
        &self,
        request: Request<cri::RemoveContainerRequest>,
    ) -> Answer<cri::RemoveContainerResponse> {
        container::remove_container(&self.0, &request.into_inner().container_id).await?;
        ok(cri::RemoveContainerResponse {})
    }

    async fn list_containers(
        &self,
        request: Request<cri::ListContainersRequest>,
    ) -> Answer<cri::ListContainersResponse> {
        ok(cri::ListContainersResponse { containers: container::list_containers(&self.0, request.into_inner().filter) })
    }

    type StreamContainersStream = Listed<cri::StreamContainersResponse>;

    async fn stream_containers(
        &self,
        request: Request<cri::StreamContainersRequest>,
    ) -> Answer<Self::StreamContainersStream> {
        let containers = container::list_containers(&self.0, request.into_inner().filter);
        once(cri::StreamContainersResponse { containers })
    }

    async fn container_status(
        &self,
        request: Request<cri::ContainerStatusRequest>,
    ) -> Answer<cri::ContainerStatusResponse> {
        let request = request.into_inner();
        ok(container::container_status(&self.0, &request.container_id, request.verbose).await?)
    }

    async fn update_container_resources(
        &self,
        request: Request<cri::UpdateContainerResourcesRequest>,
    ) -> Answer<cri::UpdateContainerResourcesResponse> {
        container::update_container_resources(&self.0, request.into_inner()).await?;
        ok(cri::UpdateContainerResourcesResponse {})
    }

    async fn reopen_container_log(
        &self,
        request: Request<cri::ReopenContainerLogRequest>,
    ) -> Answer<cri::ReopenContainerLogResponse> {
        container::reopen_container_log(&self.0, &request.into_inner().container_id).await?;
        ok(cri::ReopenContainerLogResponse {})
    }

    async fn exec_sync(&self, request: Request<cri::ExecSyncRequest>) -> Answer<cri::ExecSyncResponse> {
        ok(exec::exec_sync(&self.0, request.into_inner()).await?)
    }

    async fn exec(&self, request: Request<cri::ExecRequest>) -> Answer<cri::ExecResponse> {
        ok(cri::ExecResponse { url: streams::exec(&self.0, request.into_inner()).await? })
    }

    async fn attach(&self, request: Request<cri::AttachRequest>) -> Answer<cri::AttachResponse> {
        ok(cri::AttachResponse { url: streams::attach(&self.0, request.into_inner()).await? })
    }

    async fn port_forward(&self, request: Request<cri::PortForwardRequest>) -> Answer<cri::PortForwardResponse> {
        ok(cri::PortForwardResponse { url: streams::port_forward(&self.0, request.into_inner()).await? })
    }

    async fn container_stats(
        &self,
        request: Request<cri::ContainerStatsRequest>,
    ) -> Answer<cri::ContainerStatsResponse> {
        let stats = stats::container_stats(&self.0, &request.into_inner().container_id).await?;
        ok(cri::ContainerStatsResponse { stats: Some(stats) })
    }

    async fn list_container_stats(
        &self,
        request: Request<cri::ListContainerStatsRequest>,
    ) -> Answer<cri::ListContainerStatsResponse> {
        let stats = stats::list_container_stats(&self.0, request.into_inner().filter).await;
        ok(cri::ListContainerStatsResponse { stats })
    }

    type StreamContainerStatsStream = Listed<cri::StreamContainerStatsResponse>;

    async fn stream_container_stats(
        &self,
        request: Request<cri::StreamContainerStatsRequest>,
    ) -> Answer<Self::StreamContainerStatsStream> {
        let container_stats = stats::list_container_stats(&self.0, request.into_inner().filter).await;
        once(cri::StreamContainerStatsResponse { container_stats })
    }

    async fn pod_sandbox_stats(
        &self,
        request: Request<cri::PodSandboxStatsRequest>,
    ) -> Answer<cri::PodSandboxStatsResponse> {
        let stats = stats::pod_sandbox_stats(&self.0, &request.into_inner().pod_sandbox_id).await?;
        ok(cri::PodSandboxStatsResponse { stats: Some(stats) })
    }

    async fn list_pod_sandbox_stats(
        &self,
        request: Request<cri::ListPodSandboxStatsRequest>,
    ) -> Answer<cri::ListPodSandboxStatsResponse> {
        let stats = stats::list_pod_sandbox_stats(&self.0, request.into_inner().filter).await?;
        ok(cri::ListPodSandboxStatsResponse { stats })
    }

    type StreamPodSandboxStatsStream = Listed<cri::StreamPodSandboxStatsResponse>;

    async fn stream_pod_sandbox_stats(
        &self,
        request: Request<cri::StreamPodSandboxStatsRequest>,
    ) -> Answer<Self::StreamPodSandboxStatsStream> {
        let pod_sandbox_stats = stats::list_pod_sandbox_stats(&self.0, request.into_inner().filter).await?;
        once(cri::StreamPodSandboxStatsResponse { pod_sandbox_stats })
    }

    async fn checkpoint_container(
        &self,
        request: Request<cri::CheckpointContainerRequest>,
    ) -> Answer<cri::CheckpointContainerResponse> {
        checkpoint::checkpoint(&self.0, request.into_inner()).await?;
        ok(cri::CheckpointContainerResponse {})
    }

    type GetContainerEventsStream = Listed<cri::ContainerEventResponse>;

    async fn get_container_events(&self, _: Request<cri::GetEventsRequest>) -> Answer<Self::GetContainerEventsStream> {
        Ok(Response::new(events::get_container_events(&self.0)))
    }

    async fn list_metric_descriptors(
        &self,
        _: Request<cri::ListMetricDescriptorsRequest>,
    ) -> Answer<cri::ListMetricDescriptorsResponse> {
        ok(cri::ListMetricDescriptorsResponse { descriptors: metrics::list_metric_descriptors() })
    }

    async fn list_pod_sandbox_metrics(
        &self,
        _: Request<cri::ListPodSandboxMetricsRequest>,
    ) -> Answer<cri::ListPodSandboxMetricsResponse> {
        ok(cri::ListPodSandboxMetricsResponse { pod_metrics: metrics::list_pod_sandbox_metrics(&self.0).await })
    }

    type StreamPodSandboxMetricsStream = Listed<cri::StreamPodSandboxMetricsResponse>;

    async fn stream_pod_sandbox_metrics(
        &self,
        _: Request<cri::StreamPodSandboxMetricsRequest>,
    ) -> Answer<Self::StreamPodSandboxMetricsStream> {
        let pod_sandbox_metrics = metrics::list_pod_sandbox_metrics(&self.0).await;
        once(cri::StreamPodSandboxMetricsResponse { pod_sandbox_metrics })
    }

    async fn update_pod_sandbox_resources(
        &self,
        request: Request<cri::UpdatePodSandboxResourcesRequest>,
    ) -> Answer<cri::UpdatePodSandboxResourcesResponse> {
        pod::update_pod_sandbox_resources(&self.0, request.into_inner()).await?;
        ok(cri::UpdatePodSandboxResourcesResponse {})
    }
}

#[async_trait]
impl ImageService for Service {
    async fn list_images(&self, request: Request<cri::ListImagesRequest>) -> Answer<cri::ListImagesResponse> {
        ok(cri::ListImagesResponse { images: images::list_images(&self.0, request.into_inner().filter).await? })
    }

    type StreamImagesStream = Listed<cri::StreamImagesResponse>;

    async fn stream_images(&self, request: Request<cri::StreamImagesRequest>) -> Answer<Self::StreamImagesStream> {
        let images = images::list_images(&self.0, request.into_inner().filter).await?;
        once(cri::StreamImagesResponse { images })
    }

    async fn image_status(&self, request: Request<cri::ImageStatusRequest>) -> Answer<cri::ImageStatusResponse> {
        ok(images::image_status(&self.0, request.into_inner()).await?)
    }

    async fn pull_image(&self, request: Request<cri::PullImageRequest>) -> Answer<cri::PullImageResponse> {
        ok(cri::PullImageResponse { image_ref: images::pull_image(&self.0, request.into_inner()).await? })
    }

    async fn remove_image(&self, request: Request<cri::RemoveImageRequest>) -> Answer<cri::RemoveImageResponse> {
        images::remove_image(&self.0, &request.into_inner().image.unwrap_or_default().image).await?;
        ok(cri::RemoveImageResponse {})
    }

    async fn image_fs_info(&self, _: Request<cri::ImageFsInfoRequest>) -> Answer<cri::ImageFsInfoResponse> {
        ok(images::image_fs_info(&self.0).await?)
    }
}
