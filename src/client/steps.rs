//! How a runtime does each step of a plan.

use super::{
    Runtime,
    action::Step,
    cri::{CHANGE, Cri, within},
    host,
};
use crate::{
    error::{Kind, Result},
    proto::cri,
};

impl Cri {
    /// As [`Runtime::apply`].
    pub(super) async fn carry_out(&self, step: &Step) -> Result<String> {
        let (mut runtime, mut images) = (self.runtime_service(), self.image_service());
        let done = match step.clone() {
            Step::StopPod(id) => {
                let what = format!("stop pod {id}");
                let call = runtime.stop_pod_sandbox(cri::StopPodSandboxRequest { pod_sandbox_id: id });
                within(CHANGE, &what, call).await.map(drop)
            }
            Step::RemovePod(id) => {
                let what = format!("remove pod {id}");
                let call = runtime.remove_pod_sandbox(cri::RemovePodSandboxRequest { pod_sandbox_id: id });
                within(CHANGE, &what, call).await.map(drop)
            }
            Step::StopContainer(id, grace) => {
                let what = format!("stop container {id}");
                let timeout = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
                let call = runtime.stop_container(cri::StopContainerRequest { container_id: id, timeout });
                within(CHANGE.saturating_add(grace), &what, call).await.map(drop)
            }
            Step::RemoveContainer(id) => {
                let what = format!("remove container {id}");
                let call = runtime.remove_container(cri::RemoveContainerRequest { container_id: id });
                within(CHANGE, &what, call).await.map(drop)
            }
            Step::RemoveImage(image) => {
                let what = format!("remove image {image}");
                let image = Some(cri::ImageSpec { image, ..Default::default() });
                within(CHANGE, &what, images.remove_image(cri::RemoveImageRequest { image })).await.map(drop)
            }
            Step::PullImage(reference) => return self.pull(&reference, None, &|_| {}).await,
            Step::Restart { container, grace, attempt } => return self.restart(&container, grace, attempt).await,
            Step::RunPod(launch) => return self.launch_pod(&launch).await,
            Step::CreateContainer(launch) => return self.launch_container(&launch).await,
            Step::StartContainer(launch) => return self.launch_start(&launch).await,
            Step::TagImage { image, name, .. } => return self.tag(&image, &name).await,
            Step::PinImage { image, pinned } => return self.pin(&image, pinned).await,
            Step::Collect => return self.collect().await,
            Step::Change(change) => {
                self.changes(&change.what())?;
                return host::apply(&change).await.map(|()| String::new());
            }
        };
        match done {
            // Somebody else was quicker; what was wanted is so.
            Err(error) if error.is(Kind::NotFound) => Ok(String::new()),
            other => other.map(|()| String::new()),
        }
    }
}
