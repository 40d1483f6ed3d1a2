//! An API server as a kubeconfig of this node describes it: whom to trust, who we are, and one question at a time. It only reads.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use base64::Engine;
use serde_json::Value;

use super::asker;
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::{
        below,
        net::{self, Certificate, Identity, Request, Trust},
        read, read_if_there,
    },
};

/// The kubelet's own first; an administrator's only where the node has one.
pub const KUBECONFIGS: &[&str] = &[
    "/etc/kubernetes/kubelet.conf",
    "/var/lib/kubelet/kubeconfig",
    "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
    "/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
    "/var/snap/microk8s/current/credentials/kubelet.config",
    "/etc/kubernetes/admin.conf",
];
/// For one question with all its stages, so that a verdict comes within ten seconds.
const LIMIT: Duration = Duration::from_secs(7);

#[derive(Debug)]
pub struct Api {
    pub server: String,
    pub path: PathBuf,
    trust: Trust,
    identity: Option<Identity>,
    /// With its scheme.
    authorization: Option<Secret>,
    /// By the Date of its last answer.
    ahead: std::sync::OnceLock<i64>,
}

/// Never shown.
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Api {
    /// All that are there, in the order in which they are asked. `said` is what a person names, `kubelets` what the kubelet was
    /// started with.
    ///
    /// # Errors
    /// `NotFound` if there is none; what is wrong with the first one.
    pub fn find(root: &Path, said: Option<&str>, kubelets: Option<&str>) -> Result<Vec<Self>> {
        let mut places: Vec<PathBuf> = match said {
            Some(path) => vec![PathBuf::from(path)],
            None => kubelets.into_iter().chain(KUBECONFIGS.iter().copied()).map(|p| below(root, p)).collect(),
        };
        let mut known = std::collections::BTreeSet::new();
        places.retain(|p| known.insert(p.clone()));
        let mut found = Vec::new();
        let mut wrong = None;
        for place in &places {
            let Some(text) = read_if_there(place)? else { continue };
            match Self::parse(&text, place, root).map_err(|e| e.context(format!("read {}", place.display()))) {
                Ok(api) => found.push(api),
                Err(error) => wrong = wrong.or(Some(error)),
            }
        }
        match (wrong, said) {
            (Some(error), _) if found.is_empty() => Err(error),
            (None, Some(path)) if found.is_empty() => bail!(NotFound, "there is no {path}"),
            (None, None) if found.is_empty() => {
                bail!(
                    NotFound,
                    "this node has no kubeconfig ({}), so the API server is not asked",
                    KUBECONFIGS.join(", ")
                )
            }
            _ => Ok(found),
        }
    }

    fn parse(text: &str, place: &Path, root: &Path) -> Result<Self> {
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
        // A path that is not absolute is beside the file.
        let path = |value: &Value| {
            let path = Path::new(value.as_str().filter(|p| !p.is_empty())?);
            Some(if path.is_absolute() { below(root, path) } else { place.with_file_name("").join(path) })
        };
        let mut trust = Trust { only: true, ..Trust::default() };
        trust.skip = cluster["insecure-skip-tls-verify"].as_bool().unwrap_or(false);
        match decoded(&cluster, "certificate-authority-data")? {
            Some(data) => trust.data.push(data),
            None => trust.files.extend(path(&cluster["certificate-authority"])),
        }
        // Without an authority of its own it is the node's store that counts.
        trust.only = !(trust.data.is_empty() && trust.files.is_empty());
        let (certificate, key) = (decoded(&user, "client-certificate-data")?, decoded(&user, "client-key-data")?);
        let files = path(&user["client-certificate"]).zip(path(&user["client-key"]));
        let identity = match certificate.zip(key) {
            Some((certificate, key)) => Some(Identity::Text(certificate, key)),
            None => files.map(|(certificate, key)| Identity::Files(certificate, key)),
        };
        let token = match (user["token"].as_str(), path(&user["tokenFile"])) {
            (Some(token), _) => Some(token.to_owned()),
            (None, Some(file)) => Some(read(&file)?.trim().to_owned()),
            (None, None) => None,
        };
        let basic = user["username"].as_str().zip(user["password"].as_str()).map(|(name, password)| {
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
        });
        let authorization = token.map(|t| format!("Bearer {t}")).or(basic).map(Secret);
        if identity.is_none() && authorization.is_none() {
            if let Some(program) = user["exec"]["command"].as_str() {
                bail!(FailedPrecondition, "its user logs in by the program {program}, which is not run here");
            }
            bail!(FailedPrecondition, "its user has neither a certificate nor a token");
        }
        let server = server.trim_end_matches('/').to_owned();
        Ok(Self { server, path: place.to_owned(), trust, identity, authorization, ahead: std::sync::OnceLock::new() })
    }

    /// Seconds this node's clock is ahead of the server's, if it answered.
    pub fn ahead(&self) -> Option<i64> {
        self.ahead.get().copied()
    }

    /// The client certificate it shows, and where that is.
    pub fn certificate(&self) -> Option<(Result<Certificate>, String)> {
        Some(match self.identity.as_ref()? {
            Identity::Files(path, _) => (Certificate::of_file(path), path.display().to_string()),
            Identity::Text(pem, _) => {
                (Certificate::of_text(pem), format!("client-certificate-data of {}", self.path.display()))
            }
        })
    }

    /// The node this identity is of: `CN=system:node:NAME` of its certificate.
    pub fn node(&self) -> Option<String> {
        let certificate = match self.identity.as_ref()? {
            Identity::Files(path, _) => Certificate::of_file(path).ok()?,
            Identity::Text(pem, _) => Certificate::of_text(pem).ok()?,
        };
        let name = certificate.subject.split("CN=system:node:").nth(1)?;
        Some(name.split(',').next().unwrap_or(name).trim().to_owned())
    }

    /// An object of this kind.
    ///
    /// # Errors
    /// What the server or the way to it said; `DataLoss` for an answer that is no such object.
    pub async fn get(&self, path: &str, kind: &str) -> Result<Value> {
        let mut request = Request::get(&format!("{}{path}", self.server))?;
        request.trust = self.trust.clone();
        request.identity = self.identity.clone();
        request.headers.push(("accept".to_owned(), "application/json".to_owned()));
        request.headers.extend(self.authorization.as_ref().map(|a| ("authorization".to_owned(), a.0.clone())));
        let line = request.line();
        let (seen, body) = tokio::time::timeout(LIMIT, net::exchange(&request)).await.map_err(|_| {
            Error::new(Kind::DeadlineExceeded, format!("{line}: it was not done within {} s", LIMIT.as_secs()))
        })?;
        if let Some(ahead) = asker::ahead(&seen) {
            // The first one is as good as any.
            let _told_before = self.ahead.set(ahead);
        }
        if let Some(fault) = seen.fault {
            return Err(Error::new(fault.kind, format!("{line}: {}", fault.error)));
        }
        let document: Option<Value> = serde_json::from_slice(&body).ok();
        // What a Status says, or else the start of whatever came.
        let said = document.as_ref().and_then(|d| d["message"].as_str()).unwrap_or(&seen.body);
        let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
        match seen.status.unwrap_or_default() {
            200 => {}
            401 => bail!(
                Unauthenticated,
                "{line}: the API server does not know the identity of {} (401): {said}",
                self.path.display()
            ),
            403 => {
                bail!(PermissionDenied, "{line}: the identity of {} may not read it (403): {said}", self.path.display())
            }
            404 => bail!(NotFound, "{line}: it is not there (404): {said}"),
            status => bail!(Unavailable, "{line}: {status}: {said}"),
        }
        match document {
            Some(document) if document["kind"] == kind => Ok(document),
            Some(_) => bail!(DataLoss, "{line}: the answer is no {kind}"),
            None => bail!(DataLoss, "{line}: the answer is not JSON"),
        }
    }
}

/// A field in base64; a broken one is no reason to go without it.
fn decoded(object: &Value, field: &str) -> Result<Option<Vec<u8>>> {
    let Some(text) = object[field].as_str().filter(|t| !t.is_empty()) else { return Ok(None) };
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim());
    bytes.map(Some).map_err(|e| Error::new(Kind::InvalidArgument, format!("{field} is not base64")).with_source(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(user: &str) -> Result<Api> {
        let text = format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: k, cluster: {{server: 'https://api:6443/', certificate-authority-data: YQ==}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n"
        );
        Api::parse(&text, Path::new("/r/etc/kubelet.conf"), Path::new("/r"))
    }

    #[test]
    fn a_kubeconfig_of_kubeadm() {
        let api = parse("client-certificate: /pki/c.pem, client-key: c.key").unwrap();
        assert_eq!((api.server.as_str(), api.trust.data.len()), ("https://api:6443", 1));
        let Some(Identity::Files(certificate, key)) = &api.identity else { panic!("{api:?}") };
        assert_eq!((certificate.as_path(), key.as_path()), (Path::new("/r/pki/c.pem"), Path::new("/r/etc/c.key")));
        assert!(Api::parse("clusters: []", Path::new("/x"), Path::new("/")).is_err());
    }

    #[test]
    fn identities_of_other_kinds() {
        assert!(matches!(
            parse("client-certificate-data: YQ==, client-key-data: Yg==").unwrap().identity,
            Some(Identity::Text(..))
        ));
        let token = parse("token: s3cret").unwrap();
        assert!(token.authorization.is_some() && !format!("{token:?}").contains("s3cret"));
        for (user, word) in [
            ("exec: {command: aws}", "logs in by the program aws"),
            ("name: x", "neither a certificate nor a token"),
            ("client-certificate-data: '%%', client-key-data: YQ==", "not base64"),
        ] {
            let error = parse(user).unwrap_err();
            assert!(format!("{error:#}").contains(word), "{user}: {error:#}");
        }
    }
}
