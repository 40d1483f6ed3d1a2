//! HTTP towards registries: clients with their TLS settings, redirects by our rules, bounded bodies, errors without secrets.

use std::{
    fs,
    path::Path,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, COOKIE, LOCATION, PROXY_AUTHORIZATION, RETRY_AFTER},
};
use regex::Regex;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Response, Url, redirect};

use super::RegistryConfig;
use crate::{
    bail,
    config::hosts::Host,
    error::{Context, Error, Kind, Result},
};

/// Hops from what was asked for to what answers (docs/architecture.md, "Limits").
const REDIRECTS: usize = 5;

/// The client of a host that is spoken to in its own way, or the common one.
pub fn builder(config: &RegistryConfig) -> ClientBuilder {
    // Only the first call of the process can install a provider; the others find ours.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("wharf/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(config.connect_timeout)
        // Followed by `send`, which knows what may go along.
        .redirect(redirect::Policy::none());
    if config.progress_timeout.is_zero() { builder } else { builder.read_timeout(config.progress_timeout) }
}

/// Whether a host needs a client of its own.
pub fn is_special(host: &Host) -> bool {
    !host.ca.is_empty() || !host.client.is_empty() || host.skip_verify || host.dial_timeout.is_some()
}

/// A client with the certificates, checks and dial timeout of a host.
///
/// # Errors
/// For files that cannot be read or hold no certificate: the host cannot be used.
pub fn special(config: &RegistryConfig, host: &Host) -> Result<Client> {
    let mut builder = builder(config);
    let mut roots = Vec::new();
    for path in &host.ca {
        let pem = read(path)?;
        let found = Certificate::from_pem_bundle(&pem).map_err(|e| unusable(path, "CA certificate", e))?;
        if found.is_empty() {
            bail!(InvalidArgument, "{}: there is no certificate in it", path.display());
        }
        roots.extend(found);
    }
    builder = match (host.skip_verify, host.scheme.as_str()) {
        (true, _) => builder.tls_danger_accept_invalid_certs(true),
        (false, "http") => builder.tls_certs_only([]),
        (false, _) => builder.tls_certs_merge(roots),
    };
    if let Some((certificate, key)) = host.client.first() {
        let mut pem = read(certificate)?;
        if let Some(key) = key {
            pem.push(b'\n');
            pem.extend(read(key)?);
        }
        builder = builder.identity(Identity::from_pem(&pem).map_err(|e| unusable(certificate, "client key pair", e))?);
    }
    if let Some(limit) = host.dial_timeout {
        builder = builder.connect_timeout(limit);
    }
    if is_loopback(&host.name) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|e| no_tls(&e))
}

pub fn no_tls(error: &reqwest::Error) -> Error {
    let text = "set up TLS (does this machine have CA certificates, package ca-certificates?)";
    Error::new(Kind::Internal, format!("{text}: {}", chain(error)))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).context(|| format!("read {}", path.display()))
}

fn unusable(path: &Path, what: &str, error: reqwest::Error) -> Error {
    Error::new(Kind::InvalidArgument, format!("{}: no usable {what}: {}", path.display(), chain(&error)))
}

/// `localhost` or an address of the loopback, with or without a port.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}

/// GET with redirects: never from TLS to plain, at most [`REDIRECTS`], and to another host without what says who we are
/// (threats REG-01).
pub async fn send(client: &Client, url: Url, mut headers: HeaderMap, own: &[http::HeaderName]) -> Result<Response> {
    let mut url = url;
    for _ in 0..=REDIRECTS {
        let host = url.host_str().unwrap_or_default().to_owned();
        let response =
            client.get(url.clone()).headers(headers.clone()).send().await.map_err(|e| unreachable(&host, e))?;
        let moved = [
            StatusCode::MOVED_PERMANENTLY,
            StatusCode::FOUND,
            StatusCode::SEE_OTHER,
            StatusCode::TEMPORARY_REDIRECT,
            StatusCode::PERMANENT_REDIRECT,
        ];
        let location = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
        let (true, Some(location)) = (moved.contains(&response.status()), location) else { return Ok(response) };
        let Ok(mut next) = url.join(location) else {
            bail!(FailedPrecondition, "registry {host} redirects to an address that is none");
        };
        let target = next.host_str().unwrap_or_default().to_owned();
        if !matches!(next.scheme(), "http" | "https") || url.scheme() == "https" && next.scheme() != "https" {
            bail!(FailedPrecondition, "registry {host} redirected to insecure {}://{target}", next.scheme());
        }
        // A redirect has no business to say who we are either.
        let cleared = next.set_username("").and_then(|()| next.set_password(None));
        if cleared.is_err() {
            bail!(FailedPrecondition, "registry {host} redirects to an address that is none");
        }
        let same = (url.scheme(), url.host_str(), url.port_or_known_default());
        if same != (next.scheme(), next.host_str(), next.port_or_known_default()) {
            for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].iter().chain(own) {
                headers.remove(name);
            }
        }
        url = next;
    }
    bail!(FailedPrecondition, "registry {}: it redirects without end", url.host_str().unwrap_or_default())
}

pub fn unreachable(host: &str, error: reqwest::Error) -> Error {
    let kind = if error.is_timeout() { Kind::DeadlineExceeded } else { Kind::Unavailable };
    let words = chain(&error.without_url());
    let hint = match () {
        () if words.contains("certificate") || words.contains("UnknownIssuer") => {
            "; if the registry has a private CA, name it in certs.d (ca = …) or add it to this machine's trusted certificates"
        }
        () if words.contains("dns error") => "; check the name and this node's resolver (/etc/resolv.conf)",
        () if words.contains("refused") => "; nothing listens there: is the registry up, is the port right?",
        () => "",
    };
    Error::new(kind, format!("cannot reach registry {host}: {words}{hint}"))
}

pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = SystemTime::try_from(jiff::fmt::rfc2822::parse(text).ok()?.timestamp()).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

/// What the registry says about its limits, in its own words (docker's `RateLimit-Limit: 100;w=21600`).
pub fn rate_limit(headers: &HeaderMap) -> String {
    let word = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(|v| clean(v, 40));
    match (word("ratelimit-limit"), word("ratelimit-remaining")) {
        (Some(limit), Some(left)) => format!(" (limit {limit}, left {left})"),
        (Some(limit), None) => format!(" (limit {limit})"),
        _ => String::new(),
    }
}

pub async fn bounded(mut response: Response, limit: u64, what: &str) -> Result<Vec<u8>> {
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

/// The messages of the distribution spec's error body, without control characters.
pub fn registry_message(body: &[u8]) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let messages = parsed
        .as_ref()
        .and_then(|v| v.get("errors")?.as_array())
        .map(|errors| errors.iter().filter_map(|e| e.get("message")?.as_str()).take(3).collect::<Vec<_>>().join("; "));
    clean(&messages.unwrap_or_default(), 160)
}

/// Logins and queries of addresses in foreign text: they can be secrets (threats REG-23).
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?P<head>https?://)(?:[^/\s@]*@)?(?P<rest>[^\s?#]*)(?:[?#]\S*)?")
        .unwrap_or_else(|_| unreachable!("a constant"))
});

pub fn clean(text: &str, most: usize) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    ADDRESS.replace_all(&plain, "$head$rest").chars().take(most).collect()
}

pub fn chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(error) = next {
        text.push_str(&format!(": {error}"));
        next = error.source();
    }
    clean(&text, 300)
}

pub fn failed(doing: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::Internal, doing).with_source(error)
}

/// Form encoding, by the URL crate's own rules.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://form").unwrap_or_else(|_| unreachable!("a constant URL"));
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

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

    #[test]
    fn reg_23_no_secret_of_an_address_survives() {
        let text = "proxy http://u:CANARY@p.example:3128 refused https://s3.example/x?sig=CANARY&a=b: no\x1b[31m";
        assert_eq!(clean(text, 200), "proxy http://p.example:3128 refused https://s3.example/x no[31m");
    }
}
