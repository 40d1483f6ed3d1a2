//! What a pod asks to be pulled, and with which secrets, as its kubelet sees it: from the API server, or else from the kubelet's
//! log, the manifests of static pods and the runtime. Secrets themselves stay here; of each only its state is evidence.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Params, Reference,
    api::Api,
    cluster::{self, is_name},
    credentials::Credential,
};
use crate::{
    client::types::{Image, Inventory, PodSandbox},
    config::docker::{self, DockerConfig},
    error::{Error, Kind, Result},
    node::{below, journal::JournalFacts, read},
};

/// For the pod and its secrets.
const LIMIT: Duration = Duration::from_secs(8);
const MANIFESTS: &str = "/etc/kubernetes/manifests";
/// Reasons of a container that waits for its image.
const WAITS: &[&str] =
    &["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"];

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodPull {
    /// `shop/cart`.
    pub name: String,
    /// The container the image is of; empty if nobody told.
    pub container: String,
    /// imagePullPolicy of that container; empty if nobody told.
    pub policy: String,
    pub secrets: Vec<PullSecret>,
    /// Why the API server told nothing of it.
    pub unknown: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullSecret {
    pub name: String,
    pub state: SecretState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretState {
    /// It has a login for the image's registry.
    Good,
    Missing,
    /// Of another type, or not what a kubelet can read.
    Broken(String),
    /// The registries it has logins for, none of them the image's.
    Other(Vec<String>),
    /// It could not be read, which a kubelet may be able to.
    Unread(String),
}

/// A pod's wishes, with its secrets in memory.
#[derive(Default)]
pub struct Wanted {
    pub pod: PodPull,
    /// The image that fails, and who says so.
    pub image: Option<(String, String)>,
    secrets: Vec<(String, Result<DockerConfig>)>,
}

/// `image` is the one a person named. None if no pod is named.
pub async fn wanted(
    root: &Path,
    params: &Params,
    journal: Option<&JournalFacts>,
    inventory: Option<&Inventory>,
) -> Option<Wanted> {
    let (namespace, name) = (params.get("namespace").map_or("default", String::as_str), params.get("pod")?);
    let mut wanted =
        Wanted { pod: PodPull { name: format!("{namespace}/{name}"), ..PodPull::default() }, ..Wanted::default() };
    let asked = tokio::time::timeout(LIMIT, ask(root, params, namespace, name)).await.unwrap_or_else(|_| {
        Err(Error::new(Kind::DeadlineExceeded, format!("the API server was not done within {} s", LIMIT.as_secs())))
    });
    let known = params.get("image").map(String::as_str);
    match asked {
        Ok((pod, source, secrets)) => {
            wanted.secrets = secrets;
            wanted.of_pod(&pod, &source, known, inventory);
        }
        Err(error) => wanted.pod.unknown = Some(format!("{error:#}")),
    }
    if wanted.image.is_none() {
        wanted.image = journal
            .and_then(|j| of_log(j, &wanted.pod.name))
            .or_else(|| of_manifest(root, namespace, name, inventory))
            .or_else(|| of_runtime(inventory?, namespace, name));
    }
    Some(wanted)
}

type Asked = (Value, String, Vec<(String, Result<DockerConfig>)>);

async fn ask(root: &Path, params: &Params, namespace: &str, name: &str) -> Result<Asked> {
    is_name(namespace)?;
    is_name(name)?;
    let (apis, _) = cluster::apis(root, params).await?;
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    let pod = cluster::ask(&apis, &path, "Pod").await?;
    let names = pod["spec"]["imagePullSecrets"].as_array().cloned().unwrap_or_default();
    let names = names.iter().filter_map(|n| n["name"].as_str().map(str::to_owned));
    let apis = &apis;
    let secrets = futures::future::join_all(names.map(|secret| async move {
        let read = secret_of(apis, namespace, &secret).await;
        (secret, read)
    }));
    let source = format!("{}{path}", apis.first().map(|a| a.server.as_str()).unwrap_or_default());
    Ok((pod, source, secrets.await))
}

async fn secret_of(apis: &[Api], namespace: &str, name: &str) -> Result<DockerConfig> {
    use base64::Engine;
    is_name(name)?;
    let secret = cluster::ask(apis, &format!("/api/v1/namespaces/{namespace}/secrets/{name}"), "Secret").await?;
    let broken = |why: String| Error::new(Kind::InvalidArgument, format!("secret {namespace}/{name}: {why}"));
    let key = match secret["type"].as_str().unwrap_or_default() {
        "kubernetes.io/dockerconfigjson" => ".dockerconfigjson",
        "kubernetes.io/dockercfg" => ".dockercfg",
        other => {
            return Err(broken(format!(
                "its type is {other}, not kubernetes.io/dockerconfigjson: kubelets pass it by"
            )));
        }
    };
    let data = secret["data"][key].as_str().ok_or_else(|| broken(format!("it has no {key}")))?;
    let text = base64::engine::general_purpose::STANDARD.decode(data.trim());
    let text =
        text.ok().and_then(|t| String::from_utf8(t).ok()).ok_or_else(|| broken(format!("{key} is not base64")))?;
    docker::parse(Path::new(&format!("secret {namespace}/{name}/{key}")), &text)
}

impl Wanted {
    /// The container that waits for its image, or else one whose image is not here.
    fn of_pod(&mut self, pod: &Value, source: &str, known: Option<&str>, inventory: Option<&Inventory>) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (spec, status) = (&pod["spec"], &pod["status"]);
        let containers: Vec<Value> =
            ["initContainers", "containers", "ephemeralContainers"].iter().flat_map(|k| list(&spec[*k])).collect();
        let waits: Vec<(String, String)> = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"]
            .iter()
            .flat_map(|k| list(&status[*k]))
            .map(|s| (text(&s["name"]), text(&s["state"]["waiting"]["reason"])))
            .filter(|(_, reason)| WAITS.contains(&reason.as_str()))
            .collect();
        let waiting = |c: &&Value| waits.iter().any(|(name, _)| c["name"] == name.as_str());
        let chosen = match known {
            Some(image) => containers.iter().find(|c| c["image"] == image),
            None => {
                let absent = |c: &&Value| !here(inventory, &text(&c["image"]));
                containers.iter().find(waiting).or_else(|| containers.iter().find(absent)).or(containers.first())
            }
        };
        let Some(container) = chosen else { return };
        let name = text(&container["name"]);
        self.pod.policy = text(&container["imagePullPolicy"]);
        let reason = waits.iter().find(|(n, _)| *n == name).map(|(_, r)| format!(" waits: {r}")).unwrap_or_default();
        self.image = Some((text(&container["image"]), format!("container {name}{reason} ({source})")));
        self.pod.container = name;
    }

    /// What the secrets have for an image, each with its state.
    pub fn credentials(&mut self, reference: &Reference) -> Vec<Credential> {
        let mut found = Vec::new();
        for (name, config) in &self.secrets {
            let state = match config {
                Ok(config) => match config.login(&reference.registry, &reference.repository) {
                    Some(login) => {
                        found.push(Credential::basic(&login.user, &login.password, &format!("pull secret {name}")));
                        SecretState::Good
                    }
                    None => SecretState::Other(config.auths.keys().cloned().collect()),
                },
                Err(error) if error.is(Kind::NotFound) => SecretState::Missing,
                Err(error) if error.is(Kind::InvalidArgument) => SecretState::Broken(format!("{error:#}")),
                Err(error) => SecretState::Unread(format!("{error:#}")),
            };
            self.pod.secrets.push(PullSecret { name: name.clone(), state });
        }
        found
    }
}

/// Whether an image is on the node under the name it was asked for by.
pub fn is_here(images: &[Image], name: &str) -> bool {
    let Ok(reference) = Reference::parse(name) else { return false };
    let full = reference.full();
    images.iter().any(|i| i.tags.iter().chain(&i.digests).any(|t| *t == full || t == name))
}

fn here(inventory: Option<&Inventory>, name: &str) -> bool {
    inventory.and_then(|i| i.images.value()).is_some_and(|images| is_here(images, name))
}

/// `… image \"r.test/a:1\" …" pod="shop/cart"`, the newest.
fn of_log(journal: &JournalFacts, pod: &str) -> Option<(String, String)> {
    let name = format!("pod=\"{pod}\"");
    let image = |text: &str| {
        let (_, rest) = ["ulling image ", "pull image ", "image="].iter().find_map(|after| text.split_once(after))?;
        let rest = rest.trim_start_matches([' ', '\\', '"']);
        rest.split(['\\', '"', ' ']).next().filter(|i| !i.is_empty()).map(str::to_owned)
    };
    journal.lines.iter().rev().filter(|l| l.text.contains(&name)).find_map(|l| Some((image(&l.text)?, l.from.clone())))
}

/// Of a static pod, whose name ends in its node's.
fn of_manifest(root: &Path, namespace: &str, name: &str, inventory: Option<&Inventory>) -> Option<(String, String)> {
    let files = std::fs::read_dir(below(root, MANIFESTS)).into_iter().flatten().flatten();
    files.filter_map(|f| Some((read(&f.path()).ok()?, f.file_name()))).find_map(|(text, file)| {
        let pod: Value = serde_norway::from_str(&text).ok()?;
        let own = pod["metadata"]["name"].as_str()?;
        let same = name == own || name.starts_with(&format!("{own}-"));
        if !same || pod["metadata"]["namespace"].as_str().unwrap_or("default") != namespace {
            return None;
        }
        Some((
            lacking(pod["spec"]["containers"].as_array()?, inventory)?,
            format!("{MANIFESTS}/{}", file.to_string_lossy()),
        ))
    })
}

/// What kubectl wrote down when it applied the pod, or the image of a container that is there.
fn of_runtime(inventory: &Inventory, namespace: &str, name: &str) -> Option<(String, String)> {
    let pods = inventory.pods.value()?;
    let pod: &PodSandbox = pods.iter().find(|p| p.namespace == namespace && p.name == name)?;
    let applied = pod.annotations.get("kubectl.kubernetes.io/last-applied-configuration");
    let applied: Option<Value> = applied.and_then(|a| serde_json::from_str(a).ok());
    let of_applied = applied.and_then(|a| {
        let spec =
            ["/spec/containers", "/spec/template/spec/containers"].iter().find_map(|p| a.pointer(p)?.as_array())?;
        Some((lacking(spec, Some(inventory))?, "its annotation last-applied-configuration".to_owned()))
    });
    of_applied.or_else(|| {
        let container = inventory.containers.value()?.iter().find(|c| c.pod == pod.id)?;
        Some((container.image.clone(), format!("container {} of the runtime", container.name)))
    })
}

fn lacking(containers: &[Value], inventory: Option<&Inventory>) -> Option<String> {
    let images = || containers.iter().filter_map(|c| c["image"].as_str());
    images().find(|i| !here(inventory, i)).or_else(|| images().next()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Seen, journal::Line};

    fn at<T>(value: T) -> Seen<T> {
        Seen::At { value, at: std::time::UNIX_EPOCH, source: String::new() }
    }

    #[test]
    fn the_container_that_waits_is_the_one_in_question() {
        let pod = serde_json::json!({ "spec": {
                "initContainers": [{ "name": "init", "image": "r.test/init:1" }],
                "containers": [{ "name": "a", "image": "r.test/a:1", "imagePullPolicy": "Always" },
                    { "name": "b", "image": "r.test/b:1", "imagePullPolicy": "Never" }] },
            "status": { "containerStatuses": [{ "name": "a", "state": { "running": {} } },
                { "name": "b", "state": { "waiting": { "reason": "ImagePullBackOff" } } }] } });
        let of = |pod: &Value, known: Option<&str>, inventory: Option<&Inventory>| {
            let mut wanted = Wanted::default();
            wanted.of_pod(pod, "api", known, inventory);
            (wanted.pod.container.clone(), wanted.pod.policy.clone(), wanted.image.unwrap())
        };
        let (container, policy, (image, because)) = of(&pod, None, None);
        assert_eq!((container.as_str(), policy.as_str(), image.as_str()), ("b", "Never", "r.test/b:1"));
        assert!(because.contains("ImagePullBackOff"), "{because}");
        assert_eq!(of(&pod, Some("r.test/a:1"), None).1, "Always");
        let mut quiet = pod.clone();
        quiet["status"] = Value::Null;
        let there = Image { tags: vec!["r.test/init:1".into()], ..Image::default() };
        let inventory = Inventory { images: at(vec![there]), ..Inventory::default() };
        assert_eq!(of(&quiet, None, Some(&inventory)).0, "a");
    }

    #[test]
    fn without_an_api_server_the_node_tells() {
        let text = r#""Error syncing pod, skipping" err="failed to \"StartContainer\" for \"web\" with ImagePullBackOff: \"Back-off pulling image \\\"r.test/b:2\\\": ErrImagePull\"" pod="shop/cart" podUID="1""#;
        let line = Line { at: None, from: "kubelet.service".into(), priority: 3, text: text.into() };
        let journal = JournalFacts { lines: vec![line], ..JournalFacts::default() };
        assert_eq!(of_log(&journal, "shop/cart").unwrap().0, "r.test/b:2");
        assert!(of_log(&journal, "shop/other").is_none());
        let root = tempfile::tempdir().unwrap();
        let manifests = below(root.path(), MANIFESTS);
        std::fs::create_dir_all(&manifests).unwrap();
        let text =
            "kind: Pod\nmetadata: {name: proxy, namespace: kube-system}\nspec: {containers: [{image: r.test/p:1}]}\n";
        std::fs::write(manifests.join("p.yaml"), text).unwrap();
        let (image, source) = of_manifest(root.path(), "kube-system", "proxy-worker-1", None).unwrap();
        assert!(image == "r.test/p:1" && source.ends_with("/p.yaml"), "{image} {source}");
        assert!(of_manifest(root.path(), "kube-system", "other", None).is_none());
    }
}
