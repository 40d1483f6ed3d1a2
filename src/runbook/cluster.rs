//! What only the API server knows, asked through the node's own kubeconfig: RuntimeClasses, this node's labels, one pod.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use base64::Engine;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Params;
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::{
        below,
        net::{self, Request, Trust},
        read, read_if_there,
    },
};

const KUBECONFIGS: &[&str] =
    &["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeconfig", "/etc/kubernetes/admin.conf"];

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFacts {
    pub server: String,
    pub classes: Vec<RuntimeClass>,
    pub node: String,
    pub labels: BTreeMap<String, String>,
    /// The pod somebody asked about, if the node may read it.
    pub pod: Option<PodFacts>,
    /// Those the API server has on this node.
    pub pods: Vec<PodFacts>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeClass {
    pub name: String,
    pub handler: String,
    pub selector: BTreeMap<String, String>,
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
}

impl ClusterFacts {
    /// # Errors
    /// `NotFound` if the node has no kubeconfig; what the server or the way to it said.
    pub async fn collect(root: &Path, params: &Params) -> Result<Self> {
        let api = Api::find(root, params.get("kubeconfig").map(String::as_str))?;
        let mut facts = Self { server: api.server.clone(), ..Self::default() };
        let classes = api.get("/apis/node.k8s.io/v1/runtimeclasses").await?;
        facts.classes = classes["items"].as_array().into_iter().flatten().map(class).collect();
        let host = read(&below(root, "/proc/sys/kernel/hostname")).unwrap_or_default();
        facts.node = params.get("node").cloned().unwrap_or_else(|| host.trim().to_lowercase());
        let node = api.get(&format!("/api/v1/nodes/{}", facts.node)).await?;
        facts.labels = strings(&node["metadata"]["labels"]);
        let here = api.get(&format!("/api/v1/pods?fieldSelector=spec.nodeName={}", facts.node)).await?;
        facts.pods = here["items"].as_array().into_iter().flatten().map(pod).collect();
        if let Some(name) = params.get("pod") {
            let namespace = params.get("namespace").map_or("default", String::as_str);
            facts.pod = Some(pod(&api.get(&format!("/api/v1/namespaces/{namespace}/pods/{name}")).await?));
        }
        Ok(facts)
    }
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

fn pod(value: &Value) -> PodFacts {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let containers = value["spec"]["containers"].as_array().into_iter().flatten();
    let policy = |c: &Value| Some((c["image"].as_str()?.to_owned(), c["imagePullPolicy"].as_str()?.to_owned()));
    PodFacts {
        name: format!("{}/{}", text(&value["metadata"]["namespace"]), text(&value["metadata"]["name"])),
        class: value["spec"]["runtimeClassName"].as_str().map(str::to_owned),
        overhead: strings(&value["spec"]["overhead"]),
        policies: containers.filter_map(policy).collect(),
    }
}

fn class(value: &Value) -> RuntimeClass {
    RuntimeClass {
        name: value["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        handler: value["handler"].as_str().unwrap_or_default().to_owned(),
        selector: strings(&value["scheduling"]["nodeSelector"]),
        overhead: strings(&value["overhead"]["podFixed"]),
    }
}

struct Api {
    server: String,
    trust: Trust,
    identity: Option<(PathBuf, PathBuf)>,
    token: Option<String>,
}

impl Api {
    fn find(root: &Path, path: Option<&str>) -> Result<Self> {
        let places: Vec<PathBuf> = match path {
            Some(path) => vec![PathBuf::from(path)],
            None => KUBECONFIGS.iter().map(|p| below(root, p)).collect(),
        };
        for place in &places {
            if let Some(text) = read_if_there(place)? {
                return Self::parse(&text, root).map_err(|e| e.context(format!("read {}", place.display())));
            }
        }
        bail!(NotFound, "this node has no kubeconfig ({}), so the API server is not asked", KUBECONFIGS.join(", "))
    }

    fn parse(text: &str, root: &Path) -> Result<Self> {
        let bad = |e| Error::new(Kind::InvalidArgument, "it is not YAML").with_source(e);
        let config: Value = serde_norway::from_str(text).map_err(bad)?;
        let named = |list: &str, name: &Value, key: &str| {
            let items = config[list].as_array().into_iter().flatten();
            items.into_iter().find(|i| i["name"] == *name).map(|i| i[key].clone()).unwrap_or_default()
        };
        let context = named("contexts", &config["current-context"], "context");
        let (cluster, user) =
            (named("clusters", &context["cluster"], "cluster"), named("users", &context["user"], "user"));
        let Some(server) = cluster["server"].as_str() else { bail!(InvalidArgument, "it names no server") };
        let path = |value: &Value| value.as_str().map(|p| below(root, p));
        let decode = |value: &Value| base64::engine::general_purpose::STANDARD.decode(value.as_str()?.trim()).ok();
        let skip = cluster["insecure-skip-tls-verify"].as_bool().unwrap_or(false);
        let mut trust = Trust { only: true, skip, ..Trust::default() };
        trust.files.extend(path(&cluster["certificate-authority"]));
        trust.data.extend(decode(&cluster["certificate-authority-data"]));
        // Keys that are written into the kubeconfig itself are not copied to a file for this.
        let identity = path(&user["client-certificate"]).zip(path(&user["client-key"]));
        let token = user["token"].as_str().map(str::to_owned);
        Ok(Self { server: server.trim_end_matches('/').to_owned(), trust, identity, token })
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let mut request = Request::get(&format!("{}{path}", self.server))?;
        request.trust = self.trust.clone();
        request.identity = self.identity.clone();
        request.headers.push(("accept".to_owned(), "application/json".to_owned()));
        request.headers.extend(self.token.as_ref().map(|t| ("authorization".to_owned(), format!("Bearer {t}"))));
        let (seen, body) = net::exchange(&request).await;
        if let Some(fault) = seen.fault {
            return Err(Error::new(fault.kind, format!("{}: {}", seen.request, fault.error)));
        }
        match seen.status {
            Some(200) => serde_json::from_slice(&body)
                .map_err(|e| Error::new(Kind::DataLoss, format!("{}: not JSON", seen.request)).with_source(e)),
            status => {
                let text = format!("{}: {}: {}", seen.request, status.unwrap_or_default(), seen.body);
                Err(Error::new(if status == Some(404) { Kind::NotFound } else { Kind::PermissionDenied }, text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_of_kubeadm() {
        let text = "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n\
                    clusters: [{name: k, cluster: {server: 'https://api:6443', certificate-authority-data: YQ==}}]\n\
                    users: [{name: u, user: {client-certificate: /pki/c.pem, client-key: /pki/c.pem}}]\n";
        let api = Api::parse(text, Path::new("/r")).unwrap();
        assert_eq!((api.server.as_str(), api.trust.data.len()), ("https://api:6443", 1));
        assert_eq!(api.identity.unwrap().0, Path::new("/r/pki/c.pem"));
        assert!(Api::parse("clusters: []", Path::new("/")).is_err());
    }

    #[tokio::test]
    async fn without_a_kubeconfig_it_is_said() {
        let root = tempfile::tempdir().unwrap();
        let error = ClusterFacts::collect(root.path(), &Params::new()).await.unwrap_err();
        assert!(error.to_string().contains("no kubeconfig"), "{error:#}");
    }
}
