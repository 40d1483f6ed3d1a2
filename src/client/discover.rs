//! Which socket to attach to: the flag, the environment, crictl's settings, then the usual places, all asked at once.

use std::{path::Path, time::Duration};

use futures::future::join_all;

use super::{cri::Cri, offline::Offline};
use crate::{
    client::Runtime,
    error::{Error, Kind, Result},
};

/// For one of the usual places to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// In order of preference.
const PLACES: &[&str] = &[
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/wharf/wharf.sock",
];

/// What somebody has said, before any socket is asked: the flag, `$CONTAINER_RUNTIME_ENDPOINT`, `/etc/crictl.yaml`
/// below `root`.
///
/// # Errors
/// `InvalidArgument` if the settings are not YAML.
pub fn configured(flag: Option<&str>, variable: Option<&str>, root: &Path) -> Result<Option<String>> {
    let said = flag.or(variable).filter(|v| !v.is_empty());
    if let Some(endpoint) = said {
        return Ok(Some(endpoint.to_owned()));
    }
    let path = root.join("etc/crictl.yaml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path, error)),
    };
    let settings: serde_norway::Value = serde_norway::from_str(&text)
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("{} is not YAML", path.display())).with_source(e))?;
    let endpoint = settings.get("runtime-endpoint").and_then(|v| v.as_str()).filter(|v| !v.is_empty());
    Ok(endpoint.map(str::to_owned))
}

/// The path of an endpoint: `unix:///path` or a path.
///
/// # Errors
/// `InvalidArgument` for another scheme.
pub fn socket_path(endpoint: &str) -> Result<std::path::PathBuf> {
    super::transport::path_of(endpoint)
}

/// The first of the usual places that answers, and what the others said.
pub async fn probe(root: &Path) -> (Option<String>, Vec<Error>) {
    let asked = PLACES.iter().map(|place| async move {
        let endpoint = format!("unix://{}", root.join(place.trim_start_matches('/')).display());
        let answer = tokio::time::timeout(ANSWER, Cri::attach(&endpoint, true)).await;
        match answer {
            Ok(Ok(cri)) => Ok(cri.info().endpoint.clone()),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let text = format!("{endpoint} does not answer in {} s: the runtime hangs", ANSWER.as_secs());
                Err(Error::new(Kind::DeadlineExceeded, text))
            }
        }
    });
    let (mut found, mut errors) = (None, Vec::new());
    for answer in join_all(asked).await {
        match answer {
            Ok(endpoint) if found.is_none() => found = Some(endpoint),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    (found, errors)
}

/// The first of the usual places with a socket, whether it answers or not; containerd's if there is none.
pub fn usual(root: &Path) -> String {
    let at = |place: &str| root.join(place.trim_start_matches('/'));
    let found = PLACES.iter().find(|p| at(p).exists()).or(PLACES.first()).copied().unwrap_or_default();
    format!("unix://{}", at(found).display())
}

/// The usual place of a runtime that is on this node and does not answer: it has left a socket, or its state. wharf's own is
/// not asked for: the runtime inside adopts what it has left.
pub fn left(root: &Path) -> Option<String> {
    let theirs = || PLACES.iter().filter(|p| !p.ends_with("/wharf.sock"));
    let endpoint = |place: &&str| format!("unix://{}", root.join(place.trim_start_matches('/')).display());
    let socket = theirs().find(|p| root.join(p.trim_start_matches('/')).exists());
    let has_state = |place: &&&str| Offline::new(root, &format!("unix://{place}"), true).is_ok_and(|o| o.has_run());
    socket.or_else(|| theirs().find(has_state)).map(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_runtime_has_left_names_its_socket() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        assert_eq!(left(root.path()), None);
        // The runtime inside adopts these.
        put("run/wharf/pods/x");
        put("run/wharf/wharf.sock");
        // What an uninstalled one has left does not run.
        put("var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db");
        assert_eq!(left(root.path()), None);
        put("run/k3s/containerd/io.containerd.runtime.v2.task/x");
        assert!(left(root.path()).unwrap().ends_with("/run/k3s/containerd/containerd.sock"));
        put("run/containerd/io.containerd.runtime.v2.task/x");
        assert!(left(root.path()).unwrap().ends_with("/run/containerd/containerd.sock"));
        put("run/crio/crio.sock");
        assert!(left(root.path()).unwrap().ends_with("/run/crio/crio.sock"));
    }

    #[test]
    fn the_nearer_word_wins() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(configured(None, None, root.path()).unwrap(), None);
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/crictl.yaml"), "runtime-endpoint: unix:///file.sock\n").unwrap();
        let of = |flag, variable| configured(flag, variable, root.path()).unwrap().unwrap();
        assert_eq!(of(None, None), "unix:///file.sock");
        assert_eq!(of(None, Some("unix:///env.sock")), "unix:///env.sock");
        assert_eq!(of(Some("unix:///flag.sock"), Some("unix:///env.sock")), "unix:///flag.sock");
        std::fs::write(root.path().join("etc/crictl.yaml"), "a: [").unwrap();
        assert!(configured(None, None, root.path()).is_err());
    }

    #[tokio::test]
    async fn nothing_answers_on_an_empty_machine() {
        let root = tempfile::tempdir().unwrap();
        let (found, errors) = probe(root.path()).await;
        assert_eq!((found, errors.len()), (None, PLACES.len()));
    }
}
