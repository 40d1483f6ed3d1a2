//! The distribution protocol (OCI distribution spec 1.1), pull side: the hosts of a registry in their order, manifests and
//! blobs, everything bounded.
//!
//! No store and no unpacking here. `upstream` speaks with one host, `http` has the clients, `watch` sees when nothing
//! comes. Secrets live in headers marked sensitive, and every URL that gets into an error has lost its query (REG-23).

mod http;
mod upstream;
mod watch;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use ::http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_RANGE, CONTENT_TYPE, RANGE},
};
use reqwest::{Client, Response};

use self::{
    http::{bounded, chain, failed},
    upstream::Upstream,
    watch::Watch,
};
use super::{
    auth::Credentials,
    keychain::{Keychain, KeychainConfig},
    manifest::{self, MANIFEST_LIMIT},
    reference::Reference,
};
use crate::{
    bail,
    config::{
        containerd::{DEFAULT_CONFIG_PATH, RegistryTls},
        hosts::{self, Host},
    },
    engine::content::Digest,
    error::{Error, Kind, Result},
};

#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Hosts, with port if any, that speak plain HTTP. Loopback names do so without being listed.
    pub insecure: Vec<String>,
    /// How long a pull may get no byte. Zero: for ever.
    pub progress_timeout: Duration,
    pub connect_timeout: Duration,
    /// Layers of one image that are downloaded at the same time.
    pub parallel: usize,
    /// Whether blobs of layers are garbage once they are unpacked.
    pub discard_unpacked_layers: bool,
    /// Whether a remote snapshotter is told which image and layer a snapshot is for, so that it can find it by itself.
    pub annotate_snapshots: bool,
    /// Images that prune and the kubelet leave alone, by their whole names.
    pub pinned: Vec<String>,
    /// Directories of `hosts.toml` files, joined by colons. Read again for every pull.
    pub config_path: String,
    /// The older way, used when `config_path` is empty: endpoints by registry, `*` for all others.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// The older way again: certificates by host.
    pub tls: BTreeMap<String, RegistryTls>,
    /// Sent to every host. Values are secret.
    pub headers: Headers,
    pub keychain: KeychainConfig,
}

pub type Headers = crate::config::containerd::Headers;

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            insecure: Vec::new(),
            progress_timeout: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(15),
            parallel: 3,
            discard_unpacked_layers: false,
            annotate_snapshots: true,
            pinned: Vec::new(),
            config_path: DEFAULT_CONFIG_PATH.to_owned(),
            mirrors: BTreeMap::new(),
            tls: BTreeMap::new(),
            headers: Headers::default(),
            keychain: KeychainConfig::default(),
        }
    }
}

/// The HTTP clients and the keys, shared by all pulls. TLS is set up by the first one that needs it: a machine without any
/// CA certificate can pull from a plain registry.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: RegistryConfig,
    keychain: Keychain,
    plain: Client,
    local: Client,
    tls: OnceLock<Client>,
}

impl Registry {
    pub fn new(config: RegistryConfig) -> Result<Self> {
        let plain = |builder: reqwest::ClientBuilder| {
            builder.tls_certs_only([]).build().map_err(|e| failed("set up the HTTP client", e))
        };
        let shared = Shared {
            plain: plain(http::builder(&config))?,
            // No proxy stands between us and ourselves.
            local: plain(http::builder(&config).no_proxy())?,
            tls: OnceLock::new(),
            keychain: Keychain::new(config.keychain.clone()),
            config,
        };
        Ok(Self(Arc::new(shared)))
    }

    fn keychain(&self) -> &Keychain {
        &self.0.keychain
    }

    fn headers(&self) -> &[(String, String)] {
        &self.0.config.headers.0
    }

    fn client(&self, host: &Host) -> Result<Client> {
        if http::is_special(host) {
            return http::special(&self.0.config, host);
        }
        if host.scheme == "http" {
            let client = if http::is_loopback(&host.name) { &self.0.local } else { &self.0.plain };
            return Ok(client.clone());
        }
        if let Some(client) = self.0.tls.get() {
            return Ok(client.clone());
        }
        let built = http::builder(&self.0.config).build().map_err(|e| http::no_tls(&e))?;
        Ok(self.0.tls.get_or_init(|| built).clone())
    }

    /// What the registry itself speaks when nothing says so.
    fn scheme(&self, registry: &str) -> &'static str {
        let name = registry.split(':').next().unwrap_or_default();
        let insecure = self.0.config.insecure.iter().any(|i| i == registry || i == name);
        if insecure || http::is_loopback(registry) && !registry.ends_with(":443") { "http" } else { "https" }
    }

    /// The hosts of a registry in the order they are asked, and what is wrong with what configures them.
    ///
    /// # Errors
    /// For files that are there and cannot be read.
    pub fn hosts(&self, registry: &str) -> Result<(Vec<Host>, Vec<String>)> {
        let config = &self.0.config;
        let (mut hosts, mut notes) = (Vec::new(), Vec::new());
        if config.config_path.is_empty() {
            let endpoints = config.mirrors.get(registry).or_else(|| config.mirrors.get("*"));
            for endpoint in endpoints.into_iter().flatten() {
                let name = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, rest)| rest);
                match Host::endpoint(endpoint, self.scheme(name), false) {
                    Some(host) => hosts.push(host),
                    None => notes.push(format!("mirror {:?} of {registry} is no address", http::clean(endpoint, 100))),
                }
            }
            let itself = Host::itself(self.scheme(registry), registry);
            if !hosts.iter().any(|host| host.name == itself.name) {
                hosts.push(itself);
            }
        } else if let Some(found) = hosts::load(&config.config_path, registry)? {
            notes.extend(found.findings.iter().map(ToString::to_string));
            let scheme = match self.scheme(registry) {
                // Somebody put certificates there: it speaks TLS.
                "http" if found.last.as_ref().is_some_and(hosts::Last::has_tls) => "https",
                scheme => scheme,
            };
            hosts = found.all(scheme, registry);
        } else {
            hosts.push(Host::itself(self.scheme(registry), registry));
        }
        for host in &mut hosts {
            if let Some(tls) =
                config.tls.get(&host.name).or_else(|| config.tls.get(registry).filter(|_| host.name == registry))
            {
                host.ca.extend(tls.ca.clone());
                host.client.extend(tls.cert.clone().map(|cert| (cert, tls.key.clone())));
                host.skip_verify |= tls.skip_verify;
            }
        }
        Ok((hosts, notes))
    }

    /// One repository as one user sees it.
    pub async fn session(&self, reference: &Reference, credentials: Option<&Credentials>) -> Result<Session> {
        let (registry, name) = (self.clone(), reference.registry.clone());
        let work = tokio::task::spawn_blocking(move || registry.hosts(&name));
        let (hosts, notes) = work.await.map_err(|e| failed("read the configuration of registries", e))??;
        let mut session = self.offline(reference);
        session.warnings = Mutex::new(notes);
        for host in hosts {
            let (name, watch) = (host.name.clone(), Arc::clone(&session.watch));
            let made = Upstream::new(self, host, &reference.registry, &reference.repository, credentials, watch);
            match made {
                Ok(upstream) => session.hosts.push(upstream),
                Err(error) => session.failures.push((name, error)),
            }
        }
        for warning in session.warnings() {
            tracing::warn!(registry = reference.registry, "{warning}");
        }
        Ok(session)
    }

    /// A session in which everything is here already.
    pub fn offline(&self, reference: &Reference) -> Session {
        Session {
            registry: reference.registry.clone(),
            hosts: Vec::new(),
            failures: Vec::new(),
            watch: Arc::new(Watch::new(self.0.config.progress_timeout)),
            warnings: Mutex::default(),
        }
    }
}

/// A manifest as it came.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub digest: Digest,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// The hosts of one registry, for one repository. A host that fails is passed over and the reason kept.
#[derive(Debug)]
pub struct Session {
    registry: String,
    hosts: Vec<Upstream>,
    /// Hosts that cannot even be asked.
    failures: Vec<(String, Error)>,
    watch: Arc<Watch>,
    warnings: Mutex<Vec<String>>,
}

impl Session {
    /// Whether nobody is asked: everything is here already.
    pub fn is_offline(&self) -> bool {
        self.hosts.is_empty() && self.failures.is_empty()
    }

    /// What went wrong without being the end of it.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn warn(&self, text: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&text) {
            tracing::warn!(registry = self.registry, "{text}");
            warnings.push(text);
        }
    }

    /// Resolves with an error when no byte has come for too long.
    pub async fn stalled(&self) -> Error {
        self.watch.stalled().await
    }

    /// By tag or digest. The digest is of the body; one that was asked for or announced must agree (REG-15).
    pub async fn manifest(&self, target: &str) -> Result<Fetched> {
        let expected = target.parse::<Digest>().ok();
        // With a digest in hand nobody has to be trusted.
        let mut tries = match expected {
            Some(_) => self.tries(0, "pull", |host| host.capabilities.pull),
            None => self.tries(0, "resolve", |host| host.capabilities.resolve),
        };
        while let Some((_, upstream)) = tries.next() {
            match self.manifest_of(upstream, target, expected.as_ref()).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => tries.failed(upstream, error),
            }
        }
        Err(tries.end())
    }

    async fn manifest_of(&self, upstream: &Upstream, target: &str, expected: Option<&Digest>) -> Result<Fetched> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(manifest::ACCEPT));
        let response = upstream.get(&format!("manifests/{target}"), headers).await?;
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        if content_type.starts_with("text/html") {
            bail!(InvalidArgument, "{} is not a registry: it answered with a web page (text/html)", upstream.host.name);
        }
        let announced = header("docker-content-digest").and_then(|d| d.parse::<Digest>().ok());
        let body = self.watch.waiting(bounded(response, MANIFEST_LIMIT, "manifest")).await?;
        self.watch.bytes_came();
        let digest = Digest::of(&body);
        for expected in announced.iter().chain(expected) {
            if *expected != digest {
                bail!(DataLoss, "manifest {target}: expected {}, got {}", expected.short(), digest.short());
            }
        }
        Ok(Fetched { digest, content_type, body })
    }

    /// The blob from `offset` on, from the first host at or after number `from` that has it. The answer may start at 0
    /// instead: `Body::offset` tells.
    pub async fn blob(&self, digest: &Digest, offset: u64, from: usize) -> Result<Body> {
        let mut tries = self.tries(from, "pull", |host| host.capabilities.pull);
        while let Some((host, upstream)) = tries.next() {
            match Self::blob_of(upstream, digest, offset).await {
                Ok((response, offset)) => return Ok(Body { response, offset, host, watch: Arc::clone(&self.watch) }),
                Err(error) => tries.failed(upstream, error),
            }
        }
        Err(tries.end())
    }

    async fn blob_of(upstream: &Upstream, digest: &Digest, offset: u64) -> Result<(Response, u64)> {
        let mut headers = HeaderMap::new();
        if offset > 0 {
            let range = HeaderValue::from_str(&format!("bytes={offset}-"));
            headers.insert(RANGE, range.map_err(|e| failed("ask for a range", e))?);
        }
        let response = upstream.get(&format!("blobs/{digest}"), headers).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Ok((response, 0));
        }
        let range = response.headers().get(CONTENT_RANGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let start = range.strip_prefix("bytes ").and_then(|r| r.split('-').next()?.parse::<u64>().ok());
        if start != Some(offset) {
            let range = http::clean(range, 60);
            bail!(Unavailable, "blob {digest}: asked from byte {offset}, the registry answered {range:?}");
        }
        Ok((response, offset))
    }

    /// Passes over a host whose answer was no good after all; `false` if there is no other.
    pub fn pass_over(&self, host: usize, why: &Error) -> bool {
        let next = self.hosts.iter().skip(host + 1).any(|upstream| upstream.host.capabilities.pull);
        if next && let Some(upstream) = self.hosts.get(host) {
            self.warn(format!("{} is passed over: {why:#}", upstream.host.name));
        }
        next
    }

    /// The hosts that may do something, from number `from` on; those nobody answers at only if there is no other.
    fn tries(&self, from: usize, what: &'static str, may: fn(&Host) -> bool) -> Tries<'_> {
        let able = self.hosts.iter().enumerate().skip(from).filter(|(_, upstream)| may(&upstream.host));
        let (dead, alive): (Vec<_>, Vec<_>) = able.partition(|(_, upstream)| upstream.is_dead());
        let left = if alive.is_empty() { dead } else { alive };
        Tries { session: self, what, left: left.into_iter(), failures: Vec::new() }
    }
}

/// Hosts to try, and how it went with those that were.
struct Tries<'a> {
    session: &'a Session,
    what: &'static str,
    left: std::vec::IntoIter<(usize, &'a Upstream)>,
    failures: Vec<(&'a str, Error)>,
}

impl<'a> Tries<'a> {
    fn next(&mut self) -> Option<(usize, &'a Upstream)> {
        self.left.next()
    }

    fn failed(&mut self, upstream: &'a Upstream, error: Error) {
        if self.left.len() > 0 {
            self.session.warn(format!("{} is passed over: {error:#}", upstream.host.name));
        }
        self.failures.push((&upstream.host.name, error));
    }

    /// Every host's reason; the kind is the last one's, which is the registry itself unless somebody configured otherwise.
    fn end(mut self) -> Error {
        let unusable = self.session.failures.iter().map(|(name, error)| (name.as_str(), error));
        let Some((_, last)) = self.failures.pop() else {
            let why: String = unusable.map(|(name, error)| format!("; {name}: {error:#}")).collect();
            let text = format!("no host of registry {} may {}{why}", self.session.registry, self.what);
            return Error::new(Kind::FailedPrecondition, text);
        };
        let earlier = unusable.chain(self.failures.iter().map(|(name, error)| (*name, error)));
        let reasons: Vec<String> = earlier.map(|(name, error)| format!("mirror {name}: {error:#}")).collect();
        if reasons.is_empty() {
            return last;
        }
        Error::new(last.kind(), format!("{last:#}; before that {}", reasons.join("; ")))
    }
}

/// A blob on its way.
#[derive(Debug)]
pub struct Body {
    response: Response,
    /// Where it starts: what was asked for, or 0.
    pub offset: u64,
    /// Whose it is.
    pub host: usize,
    watch: Arc<Watch>,
}

impl Body {
    pub async fn chunk(&mut self) -> Result<Option<bytes::Bytes>> {
        let chunk = self.watch.waiting(self.response.chunk()).await;
        if chunk.is_ok() {
            self.watch.bytes_came();
        }
        chunk.map_err(|error| {
            let kind = if error.is_timeout() { Kind::DeadlineExceeded } else { Kind::Unavailable };
            Error::new(kind, format!("the download broke off: {}", chain(&error.without_url())))
        })
    }
}

#[cfg(test)]
mod tests;
