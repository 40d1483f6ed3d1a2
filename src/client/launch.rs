//! What the app runs by hand: a pod with one container, in the three steps of its plan, as the verb `run` does it. A step that fails
//! leaves no pod behind.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Runtime,
    action::Launch,
    compose::{self, Shape},
    cri::{CHANGE, Cri, QUESTION, within},
    types::{Mode, short_id},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::cri,
};

const UID: &str = "io.kubernetes.pod.uid";

impl Launch {
    /// Its pod's and its container's configuration, the same every time.
    fn composed(&self, logs: &Path) -> Result<(cri::PodSandboxConfig, cri::ContainerConfig)> {
        let shape = Shape {
            name: Some(self.name.clone()),
            uid: Some(self.uid.clone()),
            namespace: "default".to_owned(),
            ..Shape::default()
        };
        compose::compose(&self.image, self.command.clone(), &shape, logs)
    }
}

impl Cri {
    pub(super) async fn launch_pod(&self, launch: &Launch) -> Result<String> {
        let what = format!("run pod {}", launch.name);
        self.changes(&what)?;
        let (pod, container) = launch.composed(&self.logs_root().await)?;
        let directory = make_logs(&pod, &container)?;
        let mut runtime = self.runtime_service();
        let request = cri::RunPodSandboxRequest { config: Some(pod), runtime_handler: String::new() };
        let made = within(CHANGE, &what, runtime.run_pod_sandbox(request)).await;
        match made {
            Ok(made) => Ok(format!("pod {}", short_id(&made.pod_sandbox_id))),
            Err(error) => Err(error.and_cleanup(remove_logs(&directory))),
        }
    }

    pub(super) async fn launch_container(&self, launch: &Launch) -> Result<String> {
        let what = format!("create container {}", launch.name);
        self.changes(&what)?;
        let sandbox = self.launched_pod(launch).await.map_err(|e| e.context(what.clone()))?;
        let (pod, container) = launch.composed(&self.logs_root().await)?;
        let request =
            cri::CreateContainerRequest { pod_sandbox_id: sandbox, config: Some(container), sandbox_config: Some(pod) };
        let mut runtime = self.runtime_service();
        match within(CHANGE, &what, runtime.create_container(request)).await {
            Ok(made) => Ok(format!("container {}", short_id(&made.container_id))),
            Err(error) => Err(error.and_cleanup(self.discard(launch).await)),
        }
    }

    pub(super) async fn launch_start(&self, launch: &Launch) -> Result<String> {
        let what = format!("start container {}", launch.name);
        self.changes(&what)?;
        let started = async {
            let filter = cri::ContainerFilter { label_selector: selector(launch), ..Default::default() };
            let mut runtime = self.runtime_service();
            let list = runtime.list_containers(cri::ListContainersRequest { filter: Some(filter) });
            let found = within(QUESTION, "look for it", list).await?.containers.into_iter().next();
            let Some(found) = found else { bail!(NotFound, "it is not there any more") };
            let request = cri::StartContainerRequest { container_id: found.id };
            within(CHANGE, "start it", runtime.start_container(request)).await.map(drop)
        };
        match started.await {
            Ok(()) => Ok(format!("{} runs in pod default/{}", launch.image, launch.name)),
            Err(error) => Err(error.context(what).and_cleanup(self.discard(launch).await)),
        }
    }

    async fn launched_pod(&self, launch: &Launch) -> Result<String> {
        let filter = cri::PodSandboxFilter { label_selector: selector(launch), ..Default::default() };
        let mut runtime = self.runtime_service();
        let list = runtime.list_pod_sandbox(cri::ListPodSandboxRequest { filter: Some(filter) });
        let found = within(QUESTION, "look for its pod", list).await?.items.into_iter().next();
        found.map(|pod| pod.id).ok_or_else(|| Error::new(Kind::NotFound, "its pod is not there any more"))
    }

    async fn discard(&self, launch: &Launch) -> Result<()> {
        let id = match self.launched_pod(launch).await {
            Err(error) if error.is(Kind::NotFound) => return Ok(()),
            found => found?,
        };
        let mut runtime = self.runtime_service();
        let stop = runtime.stop_pod_sandbox(cri::StopPodSandboxRequest { pod_sandbox_id: id.clone() });
        within(CHANGE, "stop its pod", stop).await?;
        let remove = runtime.remove_pod_sandbox(cri::RemovePodSandboxRequest { pod_sandbox_id: id });
        within(CHANGE, "remove its pod", remove).await?;
        let (pod, _) = launch.composed(&self.logs_root().await)?;
        remove_logs(Path::new(&pod.log_directory))
    }

    /// A demo keeps its logs where all of it ends with it: beside those of its other pods.
    async fn logs_root(&self) -> PathBuf {
        let usual = PathBuf::from(compose::LOGS);
        if self.info().mode != Mode::Demo {
            return usual;
        }
        let containers = self.containers().await.unwrap_or_default();
        let paths = containers.iter().filter_map(|c| Some(Path::new(&c.detail.as_ref()?.log_path)));
        // ROOT/NAMESPACE_POD_UID/CONTAINER/ATTEMPT.log
        let mut roots = paths.filter_map(|path| path.ancestors().nth(3)).filter(|root| root.is_absolute());
        roots.next().map_or(usual, Path::to_owned)
    }
}

fn selector(launch: &Launch) -> HashMap<String, String> {
    HashMap::from([(UID.to_owned(), launch.uid.clone())])
}

/// The kubelet makes these for its pods; nobody else would. The pod's directory.
///
/// # Errors
/// If they cannot be made.
pub fn make_logs(pod: &cri::PodSandboxConfig, container: &cri::ContainerConfig) -> Result<PathBuf> {
    let log = Path::new(&pod.log_directory).join(&container.log_path);
    if let Some(directory) = log.parent() {
        fs::create_dir_all(directory).map_err(|e| Error::io("create directory", directory, e))?;
    }
    Ok(PathBuf::from(&pod.log_directory))
}

/// # Errors
/// If the directory is there and cannot be removed.
pub fn remove_logs(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", directory, e)),
        _ => Ok(()),
    }
}
