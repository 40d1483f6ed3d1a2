//! One host is asked for an image as the runtime would: the challenge, the token server it names, the manifest, the first byte
//! of a layer. Each request keeps how it went; what a proxy does not let through is tried without it as well.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::Value;

use super::{
    Params, Reference,
    credentials::{self, Credential},
    hosts::Host,
    registry::{Completed, Environment, Outcome, Proxied, Trial},
};
use crate::{
    bail,
    error::{Kind, Result},
    node::{
        below,
        net::{self, Exchange, Fault, Identity, Request, Stage, Trust, dns},
        read,
    },
};

const HOSTS: &str = "/etc/hosts";
/// Tags asked for when one is missing.
const TAGS: usize = 1000;
const NEAREST: usize = 5;
/// From the registry to the host that has a layer.
const REDIRECTS: usize = 5;
/// Certificates that a server may have left out.
const LINKS: usize = 3;
const KINDS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
                     application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// What the configuration of an image is.
const CONFIGS: &[&str] = &[
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    "application/octet-stream",
];

/// One host that may have the image, and what is asked of it.
pub struct Asker<'a> {
    pub root: &'a Path,
    pub params: &'a Params,
    pub host: &'a Host,
    pub reference: &'a Reference,
    pub environment: &'a Environment,
    /// Name servers that are asked by themselves, and the domains names are looked for in.
    pub servers: &'a [String],
    pub search: &'a [String],
}

impl Asker<'_> {
    fn request(&self, method: &'static str, url: &str) -> Result<Request> {
        let mut request = Request::get(url)?;
        request.method = method;
        request.trust = Trust { skip: self.host.skip_verify, ..Trust::default() };
        let store = self.environment.of.get("SSL_CERT_FILE").filter(|p| p.starts_with('/'));
        request.trust.store = store.map(|p| below(self.root, p)).into_iter().collect();
        request.trust.files = self.host.ca.iter().map(|f| below(self.root, f)).collect();
        request
            .trust
            .files
            .extend(self.params.get("ca").map(PathBuf::from).filter(|_| self.params.contains_key("try-ca")));
        let files = |(c, k): &(String, String)| Identity::Files(below(self.root, c), below(self.root, k));
        request.identity = self.host.client.as_ref().map(files);
        request.proxy = net::proxy::of(&self.environment.of, request.tls, &request.host, request.port);
        Ok(request)
    }

    /// Does it; what a proxy does not let through is tried without it, and what is not reached without one through the one that
    /// is there, so that it is known whose fault that is.
    async fn exchange(&self, request: &Request, trial: &mut Trial) -> (Exchange, Vec<u8>) {
        let (seen, body) = net::exchange(request).await;
        if seen.fault.as_ref().is_some_and(|f| matches!(f.stage, Stage::Name | Stage::Connect))
            && trial.around.is_none()
            && let Some((by, proxy)) = self.another(request)
        {
            let through = Request { proxy: Some(proxy), peek: true, headers: Vec::new(), ..request.clone() };
            let mut through = net::exchange(&through).await.0;
            through.request = plain(&through.request);
            trial.around = Some((by, through));
        }
        let gap = seen.tls.as_ref().and_then(|t| t.gap.as_ref());
        if let Some(url) = gap.and_then(|g| g.fetch.clone()).filter(|_| trial.completed.is_none()) {
            trial.completed = self.complete(request, url).await;
        }
        if seen.fault.as_ref().is_some_and(|f| f.stage == Stage::Proxy) {
            let direct = Request { proxy: None, peek: true, ..request.clone() };
            let mut direct = net::exchange(&direct).await.0;
            direct.request = plain(&direct.request);
            trial.direct.push(direct);
        }
        (seen, body)
    }

    /// What a server left out of its chain, if with it the server is trusted: asked for where its certificate says, and believed
    /// only as far as it is signed. That address is in the certificate of who is not trusted yet: nothing but a certificate is
    /// taken from there, and nothing of the answer is shown.
    async fn complete(&self, request: &Request, mut url: String) -> Option<Completed> {
        let mut whole = Request { peek: true, headers: Vec::new(), ..request.clone() };
        let mut pem = String::new();
        for _ in 0..LINKS {
            let mut asked = Request::get(&url).ok()?;
            asked.proxy = net::proxy::of(&self.environment.of, asked.tls, &asked.host, asked.port);
            let (seen, body) = net::exchange(&asked).await;
            let der = net::chain::certificate(&body).filter(|_| seen.status == Some(200))?;
            pem += &net::chain::pem(&der);
            let (source, next) = (plain(&seen.request), net::chain::fetch(&der));
            let subject = net::Certificate::parse(&der).ok()?.subject;
            whole.trust.links.push(der);
            if net::exchange(&whole).await.0.tls.is_some_and(|t| !t.unknown_issuer && t.other.is_none()) {
                return Some(Completed { subject, source, pem });
            }
            url = next?;
        }
        None
    }

    /// A proxy that a request without one might have gone through: the runtime's own, from which NO_PROXY excepts the host, or the
    /// login shell's.
    fn another(&self, request: &Request) -> Option<(Proxied, String)> {
        let Environment { pid, of, shell } = self.environment;
        let with = |of: &std::collections::BTreeMap<String, String>, pid: u32, source: &str| {
            let (variable, url) = net::proxy::variable(of, request.tls)?;
            let (variable, at) = (variable.to_owned(), net::proxy::shown(url));
            let excluded = net::proxy::excluded(of).to_owned();
            let (login, source) = (net::proxy::login(url).is_some(), source.to_owned());
            Some((Proxied { variable, at, excluded, pid, source, login }, url.to_owned()))
        };
        if request.proxy.is_some() {
            return None;
        }
        let local =
            request.host == "localhost" || request.host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback());
        with(of, *pid, "").or_else(|| with(&shell.of, 0, &shell.source)).filter(|_| !local)
    }

    fn url(&self, rest: &str) -> String {
        let namespace = match self.host.upstream || self.host.repository.is_some() {
            true => String::new(),
            false => format!("{}ns={}", if rest.contains('?') { '&' } else { '?' }, self.reference.registry),
        };
        let repository = self.host.repository.as_ref().unwrap_or(&self.reference.repository);
        format!("{}/{repository}/{rest}{namespace}", self.host.url)
    }

    pub async fn ask(&self, credentials: &credentials::Credentials) -> Trial {
        let mut trial = Trial { host: self.host.clone(), notes: credentials.notes.clone(), ..Trial::default() };
        trial.helpers.clone_from(&credentials.helpers);
        trial.proxy = self.proxied();
        if !self.host.resolves && !self.reference.digest {
            return trial;
        }
        let (done, lookups) = futures::join!(self.steps(credentials, &mut trial), self.lookups());
        if let Err(error) = done {
            trial.notes.push(format!("{error:#}"));
            trial.outcome = Outcome::Unreachable;
        }
        trial.lookups = lookups;
        trial.pinned = self.pinned();
        trial
    }

    /// What each server says of the host's name, which a proxy would look up by itself.
    async fn lookups(&self) -> Vec<dns::Told> {
        let Ok(request) = self.request("HEAD", &self.host.url) else { return Vec::new() };
        if request.proxy.is_some() || request.host == "localhost" || request.host.parse::<std::net::IpAddr>().is_ok() {
            return Vec::new();
        }
        dns::each(self.servers, &dns::candidates(&request.host, self.search)).await
    }

    /// What /etc/hosts says of the host, which is asked before every name server.
    fn pinned(&self) -> Option<(String, String)> {
        let host = Request::get(&self.host.url).ok()?.host;
        let text = read(&below(self.root, HOSTS)).ok()?;
        text.lines().enumerate().find_map(|(at, line)| {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let address = words.next()?;
            words
                .any(|w| w.eq_ignore_ascii_case(&host))
                .then(|| (address.to_owned(), format!("{HOSTS} line {}", at + 1)))
        })
    }

    fn proxied(&self) -> Option<Proxied> {
        let Environment { pid, of, .. } = self.environment;
        let (variable, url) = net::proxy::variable(of, self.host.url.starts_with("https://"))?;
        let (variable, at) = (variable.to_owned(), net::proxy::shown(url));
        let excluded = net::proxy::excluded(of).to_owned();
        let login = net::proxy::login(url).is_some();
        Some(Proxied { variable, at, excluded, pid: *pid, source: String::new(), login })
    }

    async fn steps(&self, credentials: &credentials::Credentials, trial: &mut Trial) -> Result<()> {
        let manifest = self.url(&format!("manifests/{}", self.reference.version));
        let mut auth: Option<String> = None;
        let (mut seen, _) = self.send("HEAD", &manifest, None, trial).await?;
        if seen.status == Some(401) {
            let challenge = seen.headers.get("www-authenticate").cloned().unwrap_or_default();
            for credential in credentials.found.iter().map(Some).chain(credentials.found.is_empty().then_some(None)) {
                trial.credentials.extend(credential.map(|c| format!("{c:?}")));
                auth = self.authorize(&challenge, credential, trial).await?;
                if auth.is_none() {
                    continue;
                }
                seen = self.send("HEAD", &manifest, auth.as_deref(), trial).await?.0;
                if !matches!(seen.status, Some(401 | 403)) {
                    break;
                }
            }
        }
        if outcome(&seen, trial) == Outcome::Refused {
            // HEAD has no body, and it is the body that says why.
            let again = self.send("GET", &manifest, auth.as_deref(), trial).await?.0;
            if again.status == seen.status {
                trial.exchanges.remove(trial.exchanges.len() - 2);
                seen = again;
            } else {
                trial.exchanges.pop();
            }
        }
        trial.ahead = trial.exchanges.iter().find_map(ahead);
        trial.outcome = outcome(&seen, trial);
        match trial.outcome {
            Outcome::Found => self.manifest(&manifest, auth.as_deref(), trial).await,
            Outcome::NoTag => self.tags(auth.as_deref(), trial).await,
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        method: &'static str,
        url: &str,
        auth: Option<&str>,
        trial: &mut Trial,
    ) -> Result<(Exchange, Vec<u8>)> {
        let mut request = self.request(method, url)?;
        request.headers.push(("accept".to_owned(), KINDS.to_owned()));
        request.headers.extend(self.host.headers.0.iter().cloned());
        request.headers.extend(auth.map(|a| ("authorization".to_owned(), a.to_owned())));
        let own = (request.host.clone(), request.port);
        let (mut seen, mut body) = self.exchange(&request, trial).await;
        // Followed as every runtime follows them, without what is for the first host alone.
        for _ in 0..REDIRECTS {
            let Some(location) = seen.headers.get("location").filter(|_| matches!(seen.status, Some(301..=308))) else {
                break;
            };
            let to = match location.starts_with('/') {
                true => format!("{}{location}", origin(&request)),
                false => location.clone(),
            };
            let next = self.request(method, &to)?;
            let headers = request
                .headers
                .into_iter()
                .filter(|(name, _)| name == "accept" || own == (next.host.clone(), next.port));
            request = Request { headers: headers.collect(), ..next };
            (seen, body) = self.exchange(&request, trial).await;
            seen.request = plain(&seen.request);
        }
        trial.exchanges.push(seen.clone());
        Ok((seen, body))
    }

    /// The header that answers the challenge (RFC 7235, the distribution's token specification).
    async fn authorize(
        &self,
        challenge: &str,
        credential: Option<&Credential>,
        trial: &mut Trial,
    ) -> Result<Option<String>> {
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(credential.map(|c| c.header.clone()));
        }
        let field = |name: &str| {
            let value = rest.split(',').find_map(|p| p.trim().strip_prefix(name)?.strip_prefix("=\""));
            value.map(|v| v.trim_end_matches('"').to_owned())
        };
        let Some(realm) = field("realm") else { return Ok(None) };
        let scope = field("scope").unwrap_or_else(|| format!("repository:{}:pull", self.reference.repository));
        let service = field("service").unwrap_or_default();
        let sign = if realm.contains('?') { '&' } else { '?' };
        let mut request = self.request("GET", &format!("{realm}{sign}service={service}&scope={scope}"))?;
        // The token server is trusted as the host that names it: containerd asks both with one client.
        request.headers.extend(credential.map(|c| ("authorization".to_owned(), c.header.clone())));
        let (mut seen, body) = self.exchange(&request, trial).await;
        let good = seen.status == Some(200);
        let token: Option<Value> = serde_json::from_slice(&body).ok().filter(|_| good);
        let token = token.and_then(|t| t["token"].as_str().or(t["access_token"].as_str()).map(str::to_owned));
        if good && token.is_none() {
            let error = "its answer holds no token".to_owned();
            seen.fault = Some(Fault { stage: Stage::Answer, kind: Kind::DataLoss, error });
        }
        trial.realm.push(seen);
        Ok(token.map(|t| format!("Bearer {t}")))
    }

    async fn tags(&self, auth: Option<&str>, trial: &mut Trial) -> Result<()> {
        let (seen, body) = self.send("GET", &self.url(&format!("tags/list?n={TAGS}")), auth, trial).await?;
        // The request that was of interest is the one before.
        trial.exchanges.pop();
        if seen.status == Some(404) {
            trial.outcome = Outcome::NoRepository;
        }
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        let tags: Vec<&str> = value["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        trial.tags = tags.len();
        trial.nearest = nearest(&self.reference.version, &tags);
        Ok(())
    }

    async fn manifest(&self, url: &str, auth: Option<&str>, trial: &mut Trial) -> Result<()> {
        let (seen, body) = self.send("GET", url, auth, trial).await?;
        if seen.status != Some(200) {
            trial.outcome = outcome(&seen, trial);
            return Ok(());
        }
        let mut manifest: Value = serde_json::from_slice(&body).unwrap_or_default();
        if manifest.get("manifests").or(manifest.get("config")).is_none() {
            let oldest = manifest["schemaVersion"] == 1;
            trial.outcome = if oldest { Outcome::Schema1 } else { Outcome::Foreign };
            return Ok(());
        }
        trial.wanted = format!("linux/{}", architecture());
        if let Some(entries) = manifest["manifests"].as_array() {
            let platform = |m: &Value| {
                format!(
                    "{}/{}",
                    m["platform"]["os"].as_str().unwrap_or("?"),
                    m["platform"]["architecture"].as_str().unwrap_or("?")
                )
            };
            trial.index = true;
            trial.platforms = entries.iter().map(platform).filter(|p| p != "unknown/unknown").collect();
            let digest = entries.iter().find(|m| platform(m) == trial.wanted).and_then(|m| m["digest"].as_str());
            let Some(digest) = digest else { return Ok(()) };
            let (_, body) = self.send("GET", &self.url(&format!("manifests/{digest}")), auth, trial).await?;
            manifest = serde_json::from_slice(&body).unwrap_or_default();
        } else if let Some(digest) = manifest["config"]["digest"].as_str() {
            let (_, body) = self.blob(digest, auth, false, trial).await?;
            let config: Value = serde_json::from_slice(&body).unwrap_or_default();
            if let (Some(os), Some(architecture)) = (config["os"].as_str(), config["architecture"].as_str()) {
                trial.platforms = vec![format!("{os}/{architecture}")];
            }
        }
        // A chart or a signature is kept in registries as well.
        let kind = manifest["config"]["mediaType"].as_str().unwrap_or_default();
        if !kind.is_empty() && !CONFIGS.contains(&kind) {
            trial.artifact = kind.to_owned();
        }
        let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
        trial.size = layers.iter().filter_map(|l| l["size"].as_u64()).sum();
        if let Some(digest) = layers.first().and_then(|l| l["digest"].as_str()) {
            trial.blob = Some(self.blob(digest, auth, true, trial).await?.0);
        }
        Ok(())
    }

    /// Blobs are often on another host. Asked for as a pull does, since a signed redirect holds for one method alone; of a layer
    /// one byte is enough.
    async fn blob(
        &self,
        digest: &str,
        auth: Option<&str>,
        peek: bool,
        trial: &mut Trial,
    ) -> Result<(Exchange, Vec<u8>)> {
        let mut request = self.request("GET", &self.url(&format!("blobs/{digest}")))?;
        let own = (request.host.clone(), request.port);
        for _ in 0..REDIRECTS {
            if own == (request.host.clone(), request.port) {
                request.headers.extend(self.host.headers.0.iter().cloned());
                request.headers.extend(auth.map(|a| ("authorization".to_owned(), a.to_owned())));
            }
            if peek {
                request.headers.push(("range".to_owned(), "bytes=0-0".to_owned()));
                request.peek = true;
            }
            let (mut seen, body) = self.exchange(&request, trial).await;
            seen.request = plain(&seen.request);
            let redirects = matches!(seen.status, Some(301..=308));
            match seen.headers.remove("location").filter(|_| redirects) {
                Some(location) if location.starts_with('/') => {
                    request.headers.clear();
                    request.path = location;
                }
                Some(location) => request = self.request("GET", &location)?,
                None => return Ok((seen, body)),
            }
        }
        bail!(ResourceExhausted, "blobs/{digest} is redirected more than {REDIRECTS} times")
    }
}

fn origin(request: &Request) -> String {
    let scheme = if request.tls { "https" } else { "http" };
    let host = if request.host.contains(':') { format!("[{}]", request.host) } else { request.host.clone() };
    format!("{scheme}://{host}:{}", request.port)
}

/// Without the query, which may hold a signature.
fn plain(request: &str) -> String {
    request.split('?').next().unwrap_or_default().to_owned()
}

fn outcome(seen: &Exchange, trial: &Trial) -> Outcome {
    if seen.fault.is_some() {
        return Outcome::Unreachable;
    }
    let token = |s: u16| trial.realm.iter().any(|e| e.status == Some(s));
    match seen.status {
        Some(200..=299) => Outcome::Found,
        Some(429) => Outcome::RateLimited,
        Some(401) if token(429) => Outcome::RateLimited,
        Some(401) => Outcome::Unauthorized,
        Some(403) => Outcome::Denied,
        Some(404) => Outcome::NoTag,
        _ => Outcome::Refused,
    }
}

/// From the Date of an answer (RFC 9110), which has whole seconds.
pub(super) fn ahead(exchange: &Exchange) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(exchange.headers.get("date")?).ok()?;
    Some(net::tls::seconds(SystemTime::now()) - date.timestamp().as_second())
}

/// As images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// By edit distance, those that begin alike first.
fn nearest(wanted: &str, tags: &[&str]) -> Vec<String> {
    let mut scored: Vec<(usize, &str)> = tags.iter().map(|t| (distance(wanted, t), *t)).collect();
    scored.sort_unstable();
    scored.into_iter().take(NEAREST).map(|(_, t)| t.to_owned()).collect()
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(128).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(128).enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_tags() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("1.25", &["latest", "1.24", "1.25.1", "2"]), ["1.24", "1.25.1", "2", "latest"]);
    }
}
