//! What CRI-O has on disk and does not tell over CRI: its layers, in the storage that its image filesystem names. And the process
//! of a pod that has none of its own.

use std::path::Path;

use super::{
    Runtime, cgroups, convert,
    cri::{Cri, QUESTION, within},
    types::{DiskUse, ObjectRef, SnapshotRow},
};
use crate::{
    error::{Error, Kind, Result},
    node::{self, storage},
    proto::cri,
};

/// The directory beside which containers/storage has its layers: all that CRI-O counts.
const IMAGES: &str = "/overlay-images";

fn root(info: &cri::ImageFsInfoResponse) -> Option<&str> {
    info.image_filesystems.iter().find_map(|f| f.fs_id.as_ref()?.mountpoint.strip_suffix(IMAGES))
}

/// What the layers of images and containers take. Blocks: walks over them.
pub(super) fn layers(info: &cri::ImageFsInfoResponse) -> Option<DiskUse> {
    let path = format!("{}/overlay", root(info)?);
    let tree = node::disk::trees(Path::new("/"), &[("layers".to_owned(), path)]).pop()?;
    Some(convert::tree(tree))
}

impl Cri {
    pub(super) async fn layers(&self) -> Result<Vec<SnapshotRow>> {
        let mut service = self.image_service();
        let info = service.image_fs_info(cri::ImageFsInfoRequest::default());
        let info = within(QUESTION, "ask for the image filesystem", info).await?;
        let Some(root) = root(&info).map(str::to_owned) else {
            return Err(Error::new(Kind::Unimplemented, "CRI-O keeps its images by another driver than overlay"));
        };
        let work = move || storage::layers(Path::new("/"), &root);
        let found = node::within(QUESTION, "read CRI-O's layers", work).await?;
        Ok(found.into_iter().map(convert::snapshot).collect())
    }

    /// That of the pod, else of a container in it: CRI-O leaves a pod's own out where nothing needs it.
    pub(super) async fn process_in(&self, pod: &str) -> Option<u32> {
        if let Some(pid) = cgroups::first_process(&self.inspect(&ObjectRef::Pod(pod.to_owned())).await.ok()?) {
            return Some(pid);
        }
        let running = cri::ContainerStateValue { state: cri::ContainerState::ContainerRunning.into() };
        let filter =
            cri::ContainerFilter { pod_sandbox_id: pod.to_owned(), state: Some(running), ..Default::default() };
        let mut service = self.runtime_service();
        let list = service.list_containers(cri::ListContainersRequest { filter: Some(filter) });
        let list = within(QUESTION, "list a pod's containers", list).await.ok()?;
        let one = ObjectRef::Container(list.containers.into_iter().next()?.id);
        cgroups::first_process(&self.inspect(&one).await.ok()?)
    }
}
