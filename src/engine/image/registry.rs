//! The distribution protocol (OCI distribution spec 1.1), pull side: tokens, manifests and blobs, everything bounded.
//!
//! No store and no unpacking here. Secrets live in headers marked sensitive, and every URL that gets into an error has
//! lost its query (threats REG-23).

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, RANGE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use reqwest::{Client, Response, Url, redirect};

use super::{
    auth::{self, Challenge, Credentials},
    manifest::{self, MANIFEST_LIMIT},
    reference::Reference,
};
use crate::{
    bail,
    engine::content::Digest,
    error::{Error, Kind, Result},
};

const TOKEN_LIMIT: u64 = 1 << 20;
const ERROR_LIMIT: u64 = 64 << 10;
const REDIRECTS: usize = 10;
/// Requests for one answer, token fetches not counted.
const ATTEMPTS: u32 = 5;
/// A registry that wants us to wait longer than this is an error at once.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Hosts, with port if any, that speak plain HTTP. Loopback names do so without being listed.
    pub insecure: Vec<String>,
    /// How long a connection may give no byte.
    pub progress_timeout: Duration,
    pub connect_timeout: Duration,
    /// Layers of one image that are downloaded at the same time.
    pub parallel: usize,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            insecure: Vec::new(),
            progress_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(15),
            parallel: 3,
        }
    }
}

/// The HTTP clients, shared by all pulls. TLS is set up by the first one that needs it: a machine without any CA
/// certificate can pull from a plain registry.
#[derive(Debug, Clone)]
pub struct Registry {
    config: RegistryConfig,
    plain: Client,
    tls: Arc<OnceLock<Client>>,
}

impl Registry {
    pub fn new(config: RegistryConfig) -> Result<Self> {
        let plain = builder(&config).tls_certs_only([]).build().map_err(|e| failed("set up the HTTP client", e))?;
        Ok(Self { config, plain, tls: Arc::default() })
    }

    fn client(&self, scheme: &str) -> Result<&Client> {
        if scheme == "http" {
            return Ok(&self.plain);
        }
        if let Some(client) = self.tls.get() {
            return Ok(client);
        }
        let built = builder(&self.config)
            .https_only(true)
            .build()
            .map_err(|e| failed("set up TLS (does this machine have CA certificates, package ca-certificates?)", e))?;
        Ok(self.tls.get_or_init(|| built))
    }

    fn scheme(&self, registry: &str) -> &'static str {
        let name = match registry.strip_prefix('[').and_then(|r| r.split_once(']')) {
            Some((address, _)) => address,
            None => registry.split(':').next().unwrap_or_default(),
        };
        let loopback = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback());
        let insecure = self.config.insecure.iter().any(|i| i == registry || i == name);
        if insecure || loopback && !registry.ends_with(":443") { "http" } else { "https" }
    }

    /// One repository as one user sees it.
    pub fn session(&self, reference: &Reference, credentials: Option<&Credentials>) -> Session {
        let scheme = self.scheme(&reference.registry);
        let host = if reference.registry == "docker.io" { "registry-1.docker.io" } else { &reference.registry };
        let header = match credentials {
            Some(Credentials::Bearer(token)) => auth::bearer(token).ok(),
            _ => None,
        };
        Session {
            registry: self.clone(),
            scheme,
            host: host.to_owned(),
            repository: reference.repository.clone(),
            credentials: credentials.cloned(),
            authorization: tokio::sync::Mutex::new(header),
        }
    }
}

fn builder(config: &RegistryConfig) -> reqwest::ClientBuilder {
    // Only the first call of the process can install a provider; the others find ours.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    // reqwest itself drops Authorization and cookies when the host, the port or the scheme changes (REG-01).
    let policy = redirect::Policy::custom(|attempt| {
        let was_tls = attempt.previous().last().is_some_and(|u| u.scheme() == "https");
        if was_tls && attempt.url().scheme() != "https" {
            let host = attempt.url().host_str().unwrap_or_default().to_owned();
            attempt.error(format!("the registry redirected to insecure http://{host}"))
        } else if attempt.previous().len() > REDIRECTS {
            attempt.error("the registry redirects without end")
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(config.connect_timeout)
        .read_timeout(config.progress_timeout)
        .redirect(policy)
}

/// A manifest as it came.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub digest: Digest,
    pub content_type: String,
    pub body: Vec<u8>,
}

#[derive(Debug)]
pub struct Session {
    registry: Registry,
    scheme: &'static str,
    host: String,
    repository: String,
    credentials: Option<Credentials>,
    authorization: tokio::sync::Mutex<Option<HeaderValue>>,
}

impl Session {
    /// By tag or digest. The digest is of the body; one that was asked for or announced must agree (REG-15).
    pub async fn manifest(&self, target: &str) -> Result<Fetched> {
        let path = format!("manifests/{target}");
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(manifest::ACCEPT));
        let response = self.get(&path, headers).await?;
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        if content_type.starts_with("text/html") {
            bail!(InvalidArgument, "{} is not a registry: it answered with a web page (text/html)", self.host);
        }
        let announced = header("docker-content-digest").and_then(|d| d.parse::<Digest>().ok());
        let body = bounded(response, MANIFEST_LIMIT, "manifest").await?;
        let digest = Digest::of(&body);
        for expected in announced.into_iter().chain(target.parse::<Digest>()) {
            if expected != digest {
                bail!(DataLoss, "manifest {target}: expected {}, got {}", expected.short(), digest.short());
            }
        }
        Ok(Fetched { digest, content_type, body })
    }

    /// The blob from `offset` on. The answer may start at 0 instead: `Body::offset` tells.
    pub async fn blob(&self, digest: &Digest, offset: u64) -> Result<Body> {
        let mut headers = HeaderMap::new();
        if offset > 0 {
            let range = HeaderValue::from_str(&format!("bytes={offset}-"));
            headers.insert(RANGE, range.map_err(|e| failed("ask for a range", e))?);
        }
        let response = self.get(&format!("blobs/{digest}"), headers).await?;
        let offset = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = response.headers().get(CONTENT_RANGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
                let start = range.strip_prefix("bytes ").and_then(|r| r.split('-').next()?.parse::<u64>().ok());
                if start != Some(offset) {
                    let range: String = range.chars().take(60).collect();
                    bail!(Unavailable, "blob {digest}: asked from byte {offset}, the registry answered {range:?}");
                }
                offset
            }
            _ => 0,
        };
        Ok(Body { response, offset })
    }

    /// GET below the repository, with authentication, patience and errors that say what happened.
    async fn get(&self, path: &str, headers: HeaderMap) -> Result<Response> {
        let text = format!("{}://{}/v2/{}/{path}", self.scheme, self.host, self.repository);
        let url = Url::parse(&text).map_err(|e| failed("make a URL for the registry", e))?;
        let client = self.registry.client(self.scheme)?;
        let (mut tokens, mut last) = (0, None);
        for attempt in 0..ATTEMPTS {
            let mut request = client.get(url.clone()).headers(headers.clone());
            let authorization = self.authorization.lock().await.clone();
            if let Some(value) = &authorization {
                request = request.header(AUTHORIZATION, value.clone());
            }
            let response = match request.send().await {
                Ok(response) => response,
                Err(error) => {
                    let error = self.unreachable(error);
                    if !error.is(Kind::Unavailable) || attempt >= 1 {
                        return Err(error);
                    }
                    last = Some(error);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            match response.status() {
                status if status.is_success() => return Ok(response),
                StatusCode::UNAUTHORIZED if tokens < 2 => {
                    tokens += 1;
                    let challenge = Challenge::parse(response.headers().get_all(WWW_AUTHENTICATE).iter());
                    let fresh = self.answer(challenge).await?;
                    let mut held = self.authorization.lock().await;
                    if fresh.is_none() || *held == fresh && authorization == fresh {
                        return Err(self.refused(response).await);
                    }
                    *held = fresh;
                }
                StatusCode::TOO_MANY_REQUESTS => {
                    let wait = retry_after(response.headers()).unwrap_or(Duration::from_secs(1 << attempt.min(5)));
                    if wait > LONGEST_WAIT || attempt + 1 == ATTEMPTS {
                        bail!(
                            ResourceExhausted,
                            "rate limited by {} (429): retry after {} s",
                            self.host,
                            wait.as_secs()
                        );
                    }
                    tokio::time::sleep(wait).await;
                }
                status if status.is_server_error() && attempt < 2 => {
                    last = Some(self.refused(response).await);
                    tokio::time::sleep(Duration::from_millis(300 << attempt)).await;
                }
                StatusCode::RANGE_NOT_SATISFIABLE => {
                    bail!(Unavailable, "the registry {} refused the range asked for (416)", self.host)
                }
                _ => return Err(self.refused(response).await),
            }
        }
        Err(last.unwrap_or_else(|| {
            Error::new(Kind::Unauthenticated, format!("authentication to {} failed (401)", self.host))
        }))
    }

    /// What to send after a 401; `None` if there is nothing to say.
    async fn answer(&self, challenge: Option<Challenge>) -> Result<Option<HeaderValue>> {
        match (challenge, &self.credentials) {
            (Some(Challenge::Basic), Some(Credentials::Basic { user, password })) => {
                auth::basic(user, password).map(Some)
            }
            (Some(Challenge::Bearer { realm, service, scope }), _) => {
                self.token(&realm, service, scope).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A token from the realm the registry names (the token authentication specification of docker's registry).
    async fn token(&self, realm: &str, service: Option<String>, scope: Option<String>) -> Result<HeaderValue> {
        let shown: String = realm.chars().filter(|c| !c.is_control()).take(120).collect();
        let Ok(mut url) = Url::parse(realm) else {
            bail!(InvalidArgument, "the registry {} names an invalid token service {shown:?}", self.host);
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        if self.scheme == "https" && url.scheme() != "https" {
            bail!(PermissionDenied, "the registry {} sends us to insecure {shown:?} for a token", self.host);
        }
        let trusted = auth::realm_is_trusted(&self.host, &host);
        let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", self.repository));
        let client = self.registry.client(url.scheme())?;
        let request = match &self.credentials {
            Some(Credentials::Identity(token)) if trusted => {
                let mut form =
                    url::form(&[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", &scope)]);
                if let Some(service) = &service {
                    form.push_str(&format!("&{}", url::form(&[("service", service)])));
                }
                form.push_str("&client_id=wharf");
                client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
            }
            credentials => {
                url.query_pairs_mut().append_pair("scope", &scope);
                if let Some(service) = &service {
                    url.query_pairs_mut().append_pair("service", service);
                }
                let request = client.get(url);
                match credentials {
                    Some(Credentials::Basic { user, password }) if trusted => {
                        request.header(AUTHORIZATION, auth::basic(user, password)?)
                    }
                    _ => request,
                }
            }
        };
        let response = request.send().await.map_err(|e| self.unreachable(e))?;
        let status = response.status();
        if !status.is_success() {
            let hint = if self.credentials.is_some() && !trusted {
                "; its host is not the registry's, so it got no password"
            } else {
                ""
            };
            let text = format!(
                "authentication to {} failed: token service {host} answered {}{hint}",
                self.host,
                status.as_u16()
            );
            return Err(Error::new(Kind::Unauthenticated, text));
        }
        #[derive(serde::Deserialize)]
        struct Token {
            #[serde(default)]
            token: String,
            #[serde(default)]
            access_token: String,
        }
        let body = bounded(response, TOKEN_LIMIT, "token").await?;
        let token: Token = serde_json::from_slice(&body).map_err(|e| failed("read the token service's answer", e))?;
        let text = if token.token.is_empty() { token.access_token } else { token.token };
        if text.is_empty() {
            bail!(Unauthenticated, "authentication to {} failed: token service {host} gave no token", self.host);
        }
        auth::bearer(&text)
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        let (timeout, redirect) = (error.is_timeout(), error.is_redirect());
        let kind = match (redirect, timeout) {
            (true, _) => Kind::FailedPrecondition,
            (_, true) => Kind::DeadlineExceeded,
            _ => Kind::Unavailable,
        };
        let words = chain(&error.without_url());
        let hint = match () {
            () if words.contains("certificate") || words.contains("UnknownIssuer") => {
                "; if the registry has a private CA, add it to this machine's trusted certificates"
            }
            () if words.contains("dns error") => "; check the name and this node's resolver (/etc/resolv.conf)",
            () if words.contains("refused") => "; nothing listens there: is the registry up, is the port right?",
            () => "",
        };
        let text = if redirect {
            format!("registry {}: {words}", self.host)
        } else {
            format!("cannot reach registry {}: {words}{hint}", self.host)
        };
        Error::new(kind, text)
    }

    /// The registry said no: its own words, shortened and cleaned.
    async fn refused(&self, response: Response) -> Error {
        let status = response.status();
        let body = bounded(response, ERROR_LIMIT, "error").await.unwrap_or_default();
        let said = registry_message(&body);
        let repository = format!("{}/{}", self.host, self.repository);
        let (kind, text) = match status {
            StatusCode::UNAUTHORIZED if self.credentials.is_some() => {
                (Kind::Unauthenticated, format!("authentication to {} failed (401): wrong user or password", self.host))
            }
            StatusCode::UNAUTHORIZED => (
                Kind::Unauthenticated,
                format!("{repository} needs a login (401): give credentials, or check the name"),
            ),
            StatusCode::FORBIDDEN => (Kind::PermissionDenied, format!("access to {repository} is denied (403)")),
            StatusCode::NOT_FOUND => (Kind::NotFound, format!("{repository}: not found (404)")),
            s if s.is_server_error() => (Kind::Unavailable, format!("registry {} failed ({})", self.host, s.as_u16())),
            s => (Kind::Internal, format!("registry {} answered {}", self.host, s.as_u16())),
        };
        Error::new(kind, if said.is_empty() { text } else { format!("{text}: {said}") })
    }
}

/// A blob on its way.
#[derive(Debug)]
pub struct Body {
    response: Response,
    /// Where it starts: what was asked for, or 0.
    pub offset: u64,
}

impl Body {
    pub async fn chunk(&mut self) -> Result<Option<bytes::Bytes>> {
        self.response.chunk().await.map_err(|error| {
            let kind = if error.is_timeout() { Kind::DeadlineExceeded } else { Kind::Unavailable };
            Error::new(kind, format!("the download broke off: {}", chain(&error.without_url())))
        })
    }
}

/// The messages of the distribution spec's error body, without control characters.
fn registry_message(body: &[u8]) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let messages = parsed
        .as_ref()
        .and_then(|v| v.get("errors")?.as_array())
        .map(|errors| errors.iter().filter_map(|e| e.get("message")?.as_str()).take(3).collect::<Vec<_>>().join("; "));
    messages.unwrap_or_default().chars().filter(|c| !c.is_control()).take(160).collect()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = SystemTime::try_from(jiff::fmt::rfc2822::parse(text).ok()?.timestamp()).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

async fn bounded(mut response: Response, limit: u64, what: &str) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|e| {
            Error::new(Kind::Unavailable, format!("reading the {what} broke off: {}", chain(&e.without_url())))
        })?;
        let Some(chunk) = chunk else { return Ok(body) };
        if (body.len() + chunk.len()) as u64 > limit {
            bail!(ResourceExhausted, "the registry's {what} is larger than {limit} bytes");
        }
        body.extend_from_slice(&chunk);
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(error) = next {
        text.push_str(&format!(": {error}"));
        next = error.source();
    }
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn failed(doing: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::Internal, doing).with_source(error)
}

mod url {
    //! Form encoding, by the URL crate's own rules.

    pub fn form(pairs: &[(&str, &str)]) -> String {
        let mut url = reqwest::Url::parse("http://form").unwrap_or_else(|_| unreachable!("a constant URL"));
        url.query_pairs_mut().extend_pairs(pairs);
        url.query().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reg_16_only_loopback_and_listed_hosts_speak_plain_http() {
        let config = RegistryConfig { insecure: vec!["lab.example:5000".into()], ..RegistryConfig::default() };
        let registry = Registry::new(config).unwrap();
        for (host, scheme) in [
            ("127.0.0.1:5000", "http"),
            ("localhost", "http"),
            ("[::1]:5000", "http"),
            ("localhost:443", "https"),
            ("lab.example:5000", "http"),
            ("lab.example", "https"),
            ("localhost.evil.example", "https"),
            ("10.0.0.1:5000", "https"),
        ] {
            assert_eq!(registry.scheme(host), scheme, "{host}");
        }
    }

    #[test]
    fn reg_05_retry_after_in_both_forms() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            retry_after(&headers)
        };
        assert_eq!(with("3"), Some(Duration::from_secs(3)));
        assert_eq!(with("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(with("garbage"), None);
    }
}
