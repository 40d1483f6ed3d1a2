//! What only the API server knows, asked through the node's own kubeconfig: RuntimeClasses, this node's labels and taints, its
//! pods, one pod and that one's events. Each part comes or is missing by itself, with the reason.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime},
};

use futures::{StreamExt, stream::FuturesUnordered};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fact, Missing, Params, api::Api};
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::{self, below, kubelet, read},
};

/// Events that are kept: the newest.
const EVENTS: usize = 20;
/// For the files that say which server and which node.
const FILES: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFacts {
    pub server: String,
    pub classes: Vec<RuntimeClass>,
    pub node: String,
    pub labels: BTreeMap<String, String>,
    /// Seconds this node's clock is ahead of the API server's.
    #[serde(default)]
    pub ahead: Option<i64>,
    #[serde(default)]
    pub taints: Vec<Taint>,
    /// The pod somebody asked about, if the node may read it.
    pub pod: Option<PodFacts>,
    /// Those the API server has on this node.
    pub pods: Vec<PodFacts>,
    /// Of the pod somebody asked about, the newest last.
    #[serde(default)]
    pub events: Vec<PodEvent>,
    /// Why a part is not there.
    #[serde(default)]
    pub failed: BTreeMap<Part, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Classes,
    Node,
    Pods,
    Pod,
    Events,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeClass {
    pub name: String,
    pub handler: String,
    pub selector: BTreeMap<String, String>,
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
    /// `podFixed`.
    pub overhead: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodFacts {
    pub name: String,
    pub class: Option<String>,
    pub overhead: BTreeMap<String, String>,
    /// `imagePullPolicy` by image.
    pub policies: BTreeMap<String, String>,
    /// Where it is bound to; none if it waits for a node.
    #[serde(default)]
    pub node: Option<String>,
    /// The class's are among them.
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    pub key: String,
    pub value: String,
    /// "NoSchedule", "PreferNoSchedule", "NoExecute".
    pub effect: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toleration {
    pub key: String,
    pub operator: String,
    pub value: String,
    pub effect: String,
}

impl Toleration {
    /// As the scheduler reads it: without a key it is for all, without an effect for each.
    pub fn covers(&self, taint: &Taint) -> bool {
        let exists = self.operator == "Exists";
        (self.effect.is_empty() || self.effect == taint.effect)
            && (self.key == taint.key || (self.key.is_empty() && exists))
            && (exists || self.value == taint.value)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodEvent {
    /// "Warning" or "Normal".
    pub kind: String,
    /// `FailedCreatePodSandBox`.
    pub reason: String,
    pub message: String,
    pub count: u64,
    pub at: Option<SystemTime>,
}

impl ClusterFacts {
    /// # Errors
    /// The part's reason, if it is not there.
    pub fn with(&self, part: Part) -> Result<&Self, Missing> {
        match self.failed.get(&part) {
            Some(because) => Err(Missing { fact: Fact::Cluster, because: because.clone() }),
            None => Ok(self),
        }
    }

    /// # Errors
    /// `NotFound` if the node has no kubeconfig; if no part came, what the server or the way to it said.
    pub async fn collect(root: &Path, params: &Params) -> Result<Self> {
        let (apis, own) = apis(root, params).await?;
        let mut facts = Self { server: apis.first().map(|a| a.server.clone()).unwrap_or_default(), ..Self::default() };
        facts.node = params.get("node").cloned().unwrap_or(own);
        let named = params.get("pod");
        let namespace = params.get("namespace").map_or("default", String::as_str);
        for name in [Some(&facts.node), named, params.get("namespace")].into_iter().flatten() {
            is_name(name)?;
        }
        let node = &facts.node;
        let mut asked = vec![
            (Part::Classes, "/apis/node.k8s.io/v1/runtimeclasses".to_owned(), "RuntimeClassList"),
            (Part::Node, format!("/api/v1/nodes/{node}"), "Node"),
            (Part::Pods, format!("/api/v1/pods?fieldSelector=spec.nodeName={node}"), "PodList"),
        ];
        if let Some(pod) = named {
            let within = format!("/api/v1/namespaces/{namespace}");
            asked.push((Part::Pod, format!("{within}/pods/{pod}"), "Pod"));
            asked.push((Part::Events, format!("{within}/events?fieldSelector=involvedObject.name={pod}"), "EventList"));
        }
        let parts = asked.len();
        let mut work: FuturesUnordered<_> = asked
            .into_iter()
            .map(|(part, path, kind)| {
                let apis = &apis;
                async move { (part, ask(apis, &path, kind).await) }
            })
            .collect();
        let mut first = None;
        let mut answers = Vec::new();
        while let Some((part, answer)) = work.next().await {
            answers.push((part, answer));
        }
        drop(work);
        answers.sort_by_key(|(part, _)| *part);
        for (part, answer) in answers {
            match answer {
                Ok(value) => facts.put(part, &value),
                Err(error) => {
                    facts.failed.insert(part, format!("{error:#}"));
                    first = first.or(Some(error));
                }
            }
        }
        facts.ahead = apis.iter().find_map(Api::ahead);
        match first {
            // A clock that was told is something, whatever else was refused.
            Some(error) if facts.failed.len() == parts && facts.ahead.is_none() => Err(error),
            _ => Ok(facts),
        }
    }

    fn put(&mut self, part: Part, value: &Value) {
        let items = value["items"].as_array().into_iter().flatten();
        match part {
            Part::Classes => self.classes = items.map(class).collect(),
            Part::Node => {
                self.labels = strings(&value["metadata"]["labels"]);
                self.taints = list(&value["spec"]["taints"]).map(taint).collect();
            }
            Part::Pods => self.pods = items.map(pod).collect(),
            Part::Pod => self.pod = Some(pod(value)),
            Part::Events => {
                let mut events: Vec<PodEvent> = items.map(event).collect();
                events.sort_by_key(|e| e.at);
                self.events = events.split_off(events.len().saturating_sub(EVENTS));
            }
        }
    }
}

/// The node's kubeconfigs, and the node's name as they have it.
pub(super) async fn apis(root: &Path, params: &Params) -> Result<(Vec<Api>, String)> {
    let (at, said) = (root.to_owned(), params.get("kubeconfig").cloned());
    let files = node::within(FILES, "read the node's kubeconfig", move || {
        // What is wrong with the kubelet's own files is told elsewhere.
        let flag =
            kubelet::collect(&at, None).ok().and_then(|k| Some(k.flags.get("kubeconfig")?.value.as_str()?.to_owned()));
        let apis = Api::find(&at, said.as_deref(), flag.as_deref())?;
        let host = read(&below(&at, "/proc/sys/kernel/hostname")).unwrap_or_default();
        let own = apis.iter().find_map(Api::node).unwrap_or_else(|| host.trim().to_lowercase());
        Ok((apis, own))
    });
    files.await
}

/// The first identity that may know; the others are for what it may not read.
pub(super) async fn ask(apis: &[Api], path: &str, kind: &str) -> Result<Value> {
    let mut first = None;
    for api in apis {
        match api.get(path, kind).await {
            Err(error) if matches!(error.kind(), Kind::PermissionDenied | Kind::Unauthenticated) => {
                first = first.or(Some(error));
            }
            other => return other,
        }
    }
    Err(first.unwrap_or_else(|| Error::new(Kind::NotFound, "this node has no kubeconfig")))
}

/// It goes into a path.
pub(super) fn is_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if name.is_empty() || name.len() > 253 || !name.chars().all(plain) {
        bail!(InvalidArgument, "{name:?} is no name of a Kubernetes object");
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

fn taint(value: &Value) -> Taint {
    Taint { key: text(&value["key"]), value: text(&value["value"]), effect: text(&value["effect"]) }
}

fn toleration(value: &Value) -> Toleration {
    Toleration {
        key: text(&value["key"]),
        operator: text(&value["operator"]),
        value: text(&value["value"]),
        effect: text(&value["effect"]),
    }
}

fn pod(value: &Value) -> PodFacts {
    let spec = &value["spec"];
    let policy = |c: &Value| Some((c["image"].as_str()?.to_owned(), c["imagePullPolicy"].as_str()?.to_owned()));
    PodFacts {
        name: format!("{}/{}", text(&value["metadata"]["namespace"]), text(&value["metadata"]["name"])),
        class: spec["runtimeClassName"].as_str().map(str::to_owned),
        overhead: strings(&spec["overhead"]),
        policies: list(&spec["containers"]).filter_map(policy).collect(),
        node: spec["nodeName"].as_str().map(str::to_owned),
        tolerations: list(&spec["tolerations"]).map(toleration).collect(),
    }
}

fn class(value: &Value) -> RuntimeClass {
    RuntimeClass {
        name: text(&value["metadata"]["name"]),
        handler: text(&value["handler"]),
        selector: strings(&value["scheduling"]["nodeSelector"]),
        tolerations: list(&value["scheduling"]["tolerations"]).map(toleration).collect(),
        overhead: strings(&value["overhead"]["podFixed"]),
    }
}

/// Of core/v1, or of events.k8s.io in the clothes of core/v1: with a series in place of a count.
fn event(value: &Value) -> PodEvent {
    let times = [&value["series"]["lastObservedTime"], &value["lastTimestamp"], &value["eventTime"]];
    let at = times.into_iter().find_map(|t| t.as_str()?.parse::<jiff::Timestamp>().ok());
    PodEvent {
        kind: text(&value["type"]),
        reason: text(&value["reason"]),
        message: text(&value["message"]).chars().take(1024).collect(),
        count: value["series"]["count"].as_u64().or(value["count"].as_u64()).unwrap_or(1),
        at: at.and_then(|t| {
            SystemTime::UNIX_EPOCH.checked_add(t.duration_since(jiff::Timestamp::UNIX_EPOCH).try_into().ok()?)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_kubeconfig_it_is_said() {
        let root = tempfile::tempdir().unwrap();
        let error = ClusterFacts::collect(root.path(), &Params::new()).await.unwrap_err();
        assert!(error.to_string().contains("no kubeconfig"), "{error:#}");
    }

    #[test]
    fn names_go_into_paths_and_are_nothing_else() {
        for bad in ["a/b", "..%2f", "a?x=1", "A", "", "a b"] {
            assert!(is_name(bad).is_err(), "{bad}");
        }
        is_name("worker-1.example.com").unwrap();
    }

    #[test]
    fn tolerations_as_the_scheduler_reads_them() {
        let taint = Taint { key: "vm".into(), value: "yes".into(), effect: "NoSchedule".into() };
        let covers = |key: &str, operator: &str, value: &str, effect: &str| {
            Toleration { key: key.into(), operator: operator.into(), value: value.into(), effect: effect.into() }
                .covers(&taint)
        };
        assert!(
            covers("vm", "Exists", "", "") && covers("", "Exists", "", "") && covers("vm", "", "yes", "NoSchedule")
        );
        assert!(
            !covers("vm", "Equal", "no", "") && !covers("vm", "Exists", "", "NoExecute") && !covers("", "", "", "")
        );
    }

    #[test]
    fn events_with_a_count_and_with_a_series() {
        let old = event(
            &serde_json::json!({"type": "Warning", "reason": "Failed", "count": 4, "lastTimestamp": "2026-01-02T03:04:05Z"}),
        );
        let new = event(
            &serde_json::json!({"type": "Warning", "eventTime": "2026-01-02T03:04:05.5Z", "series": {"count": 9, "lastObservedTime": "2026-01-02T03:05:05Z"}}),
        );
        assert!(old.count == 4 && new.count == 9 && old.at < new.at, "{old:?} {new:?}");
        assert_eq!(event(&Value::Null).count, 1);
    }
}
