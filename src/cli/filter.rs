//! Which objects a verb means: filters of the lists, ids given in short. Nothing is written here.

use std::collections::HashMap;

use regex::Regex;

use super::backend::Backend;
use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::cri,
};

/// Filters that lists of pods and of containers share.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Select {
    /// Only with this label
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    pub labels: Vec<(String, String)>,
    /// Only the last N created, in any state; 0 is all
    #[arg(short = 'n', long, default_value_t = 0, value_name = "N", hide_default_value = true)]
    pub last: usize,
    /// Only the last created, in any state
    #[arg(short, long)]
    pub latest: bool,
    /// Only names that match
    #[arg(long, value_name = "REGEX", value_parser = parse_regex)]
    pub name: Option<Regex>,
    /// Only pod namespaces that match
    #[arg(long, value_name = "REGEX", value_parser = parse_regex)]
    pub namespace: Option<Regex>,
    /// Only in this state
    #[arg(short, long)]
    pub state: Option<String>,
}

impl Select {
    pub fn label_map(&self) -> HashMap<String, String> {
        self.labels.iter().cloned().collect()
    }

    pub fn newest_only(&self) -> bool {
        self.latest || self.last > 0
    }

    fn most(&self) -> usize {
        match (self.last, self.latest) {
            (0, false) => usize::MAX,
            (0, true) => 1,
            (n, _) => n,
        }
    }
}

pub fn parse_label(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.contains('=') => Ok((key.to_owned(), value.to_owned())),
        _ => bail!(InvalidArgument, "{text:?} is not KEY=VALUE"),
    }
}

fn parse_regex(text: &str) -> Result<Regex> {
    Regex::new(text).map_err(|_| Error::new(Kind::InvalidArgument, format!("{text:?} is not a regular expression")))
}

fn matches(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_none_or(|p| p.is_match(text))
}

pub const POD_NAME: &str = "io.kubernetes.pod.name";
pub const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";

/// What the kubelet's label says, as crictl words its absence.
pub fn of_label<'a>(labels: &'a HashMap<String, String>, label: &str) -> &'a str {
    labels.get(label).map_or("unknown", String::as_str)
}

/// Pods that pass, newest first.
pub async fn pods(backend: &Backend, id: Option<&str>, select: &Select) -> Result<Vec<cri::PodSandbox>> {
    let state = match select.state.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("ready") => Some(cri::PodSandboxState::SandboxReady),
        Some("notready") => Some(cri::PodSandboxState::SandboxNotready),
        Some(other) => bail!(InvalidArgument, "--state {other}: it is ready or notready"),
    };
    let filter = cri::PodSandboxFilter {
        id: String::new(),
        state: state.filter(|_| !select.newest_only()).map(|s| cri::PodSandboxStateValue { state: s.into() }),
        label_selector: select.label_map(),
    };
    let request = cri::ListPodSandboxRequest { filter: Some(filter) };
    let mut found = backend.ask("list pods", backend.pods().list_pod_sandbox(request)).await?.items;
    found.retain(|p| {
        let metadata = p.metadata.clone().unwrap_or_default();
        id.is_none_or(|id| p.id.starts_with(id))
            && matches(select.name.as_ref(), &metadata.name)
            && matches(select.namespace.as_ref(), &metadata.namespace)
    });
    found.sort_by_key(|p| std::cmp::Reverse(p.created_at));
    found.truncate(select.most());
    Ok(found)
}

/// What only lists of containers have.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ContainerSelect {
    /// All states, not only running
    #[arg(short, long)]
    pub all: bool,
    /// Only of this image
    #[arg(long)]
    pub image: Option<String>,
    /// Only of this pod
    #[arg(short, long, value_name = "POD-ID")]
    pub pod: Option<String>,
    #[command(flatten)]
    pub select: Select,
}

/// Containers that pass, newest first.
pub async fn containers(backend: &Backend, id: Option<&str>, by: &ContainerSelect) -> Result<Vec<cri::Container>> {
    use cri::ContainerState as State;
    let state = match by.select.state.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None if by.all => None,
        None | Some("running") => Some(State::ContainerRunning),
        Some("created") => Some(State::ContainerCreated),
        Some("exited") => Some(State::ContainerExited),
        Some("unknown") => Some(State::ContainerUnknown),
        Some(other) => bail!(InvalidArgument, "--state {other}: it is created, running, exited or unknown"),
    };
    let filter = cri::ContainerFilter {
        state: state.filter(|_| !by.select.newest_only()).map(|s| cri::ContainerStateValue { state: s.into() }),
        label_selector: by.select.label_map(),
        ..Default::default()
    };
    let request = cri::ListContainersRequest { filter: Some(filter) };
    let mut found = backend.ask("list containers", backend.pods().list_containers(request)).await?.containers;
    found.retain(|c| {
        id.is_none_or(|id| c.id.starts_with(id))
            && by.pod.as_ref().is_none_or(|pod| c.pod_sandbox_id.starts_with(pod.as_str()))
            && matches(by.select.name.as_ref(), c.metadata.as_ref().map_or("", |m| &m.name))
            && matches(by.select.namespace.as_ref(), of_label(&c.labels, POD_NAMESPACE))
    });
    if let Some(image) = &by.image {
        let wanted = image_id(backend, image).await?;
        let mut known: HashMap<String, Option<String>> = HashMap::new();
        let mut of_image = Vec::new();
        for container in found {
            let name = container.image.as_ref().map_or("", |i| &i.image).to_owned();
            if !known.contains_key(&name) {
                let id = image_id(backend, &name).await?;
                known.insert(name.clone(), id);
            }
            if wanted.is_some() && known.get(&name) == Some(&wanted) {
                of_image.push(container);
            }
        }
        found = of_image;
    }
    found.sort_by_key(|c| std::cmp::Reverse(c.created_at));
    found.truncate(by.select.most());
    Ok(found)
}

/// The image behind a name, if the runtime has it.
pub async fn image(backend: &Backend, name: &str, verbose: bool) -> Result<cri::ImageStatusResponse> {
    let image = Some(cri::ImageSpec { image: name.to_owned(), ..Default::default() });
    let request = cri::ImageStatusRequest { image, verbose };
    backend.ask(&format!("look up image {name}"), backend.images().image_status(request)).await
}

async fn image_id(backend: &Backend, name: &str) -> Result<Option<String>> {
    Ok(image(backend, name, false).await?.image.map(|i| i.id))
}

/// How long a whole id is; nothing shorter is taken for one.
const WHOLE: usize = 64;

/// The whole id of the container a person means by an id, the beginning of one, or the name of one that has not exited.
pub async fn container_id(backend: &Backend, given: &str) -> Result<String> {
    if given.is_empty() {
        bail!(InvalidArgument, "the container's id is empty");
    }
    if given.len() == WHOLE {
        return Ok(given.to_owned());
    }
    let all = ContainerSelect { all: true, ..Default::default() };
    let list = containers(backend, None, &all).await?;
    let by_id = list.iter().filter(|c| c.id.starts_with(given)).map(|c| c.id.clone());
    let exited = i32::from(cri::ContainerState::ContainerExited);
    let named = |c: &&cri::Container| c.metadata.as_ref().is_some_and(|m| m.name == given);
    let by_name = list.iter().filter(|c| c.state != exited).filter(named).map(|c| c.id.clone());
    one(given, "container", by_id.collect(), by_name.collect())
}

/// The whole id of the pod a person means by an id, the beginning of one, or the name of a ready one.
pub async fn pod_id(backend: &Backend, given: &str) -> Result<String> {
    if given.is_empty() {
        bail!(InvalidArgument, "the pod's id is empty");
    }
    if given.len() == WHOLE {
        return Ok(given.to_owned());
    }
    let list = pods(backend, None, &Select::default()).await?;
    let by_id = list.iter().filter(|p| p.id.starts_with(given)).map(|p| p.id.clone());
    let ready = i32::from(cri::PodSandboxState::SandboxReady);
    let named = |p: &&cri::PodSandbox| p.metadata.as_ref().is_some_and(|m| m.name == given);
    let by_name = list.iter().filter(|p| p.state == ready).filter(named).map(|p| p.id.clone());
    one(given, "pod", by_id.collect(), by_name.collect())
}

fn one(given: &str, what: &str, by_id: Vec<String>, by_name: Vec<String>) -> Result<String> {
    if by_id.iter().any(|id| id == given) {
        return Ok(given.to_owned());
    }
    let mut found = if by_id.is_empty() { by_name } else { by_id };
    match (found.pop(), found.len()) {
        (Some(id), 0) => Ok(id),
        (Some(_), more) => bail!(InvalidArgument, "{given} could be any of {} {what}s; write more of the id", more + 1),
        (None, _) => bail!(NotFound, "there is no {what} {given}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_means_one_object() {
        let ids = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
        assert_eq!(one("ab", "pod", ids(&["abc"]), ids(&["x"])).unwrap(), "abc");
        assert_eq!(one("ab", "pod", ids(&["abc", "ab"]), ids(&[])).unwrap(), "ab");
        assert_eq!(one("web", "pod", ids(&[]), ids(&["x"])).unwrap(), "x");
        assert!(one("ab", "pod", ids(&["abc", "abd"]), ids(&[])).unwrap_err().is(Kind::InvalidArgument));
        assert!(one("ab", "pod", ids(&[]), ids(&[])).unwrap_err().is(Kind::NotFound));
    }

    #[test]
    fn labels_are_pairs() {
        assert_eq!(parse_label("a=b").unwrap(), ("a".into(), "b".into()));
        assert_eq!(parse_label("a=").unwrap(), ("a".into(), String::new()));
        assert!(["a", "=b", "a=b=c"].iter().all(|l| parse_label(l).is_err()));
    }
}
