//! One HTTP request from this node, taken apart into its stages: name, connection, proxy, TLS, answer. Each stage says what
//! it saw, so that a failed download has one cause. What the answers mean to a registry is not known here.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use self::identity::Showing;
use crate::error::{Error, Kind, Result};

pub mod chain;
pub mod dns;
mod http;
pub mod identity;
pub mod proxy;
pub mod tls;

pub use identity::{Asked, Identity};
pub use tls::{Certificate, Tls, Trust};

/// For each stage.
const STAGE: Duration = Duration::from_secs(4);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    Name,
    Connect,
    Proxy,
    Tls,
    /// The certificate that the server wants of this node.
    Client,
    Answer,
}

/// What is asked for. Secrets are in `headers` and `identity`, and are sent only over a connection that is trusted.
#[derive(Clone, Default)]
pub struct Request {
    pub method: &'static str,
    pub tls: bool,
    pub host: String,
    pub port: u16,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub trust: Trust,
    pub identity: Option<Identity>,
    /// As the environment names it, with its user.
    pub proxy: Option<String>,
    /// Only the head of the answer is read: the body may be of any size.
    pub peek: bool,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line())
    }
}

impl Request {
    /// Of an URL, `GET`.
    ///
    /// # Errors
    /// `InvalidArgument` if it is not http or https with a host.
    pub fn get(url: &str) -> Result<Self> {
        let bad = || Error::new(Kind::InvalidArgument, format!("{url:?} is no http or https URL"));
        let uri: http::Uri = url.parse().map_err(|_| bad())?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad()),
        };
        let host = uri.host().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        Ok(Self { method: "GET", tls, host, port, path, ..Self::default() })
    }

    pub fn line(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let (scheme, usual) = if self.tls { ("https", 443) } else { ("http", 80) };
        let port = if self.port == usual { String::new() } else { format!(":{}", self.port) };
        format!("{} {scheme}://{host}{port}{}", self.method, self.path)
    }
}

/// How one request went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// `HEAD https://registry/v2/…`.
    pub request: String,
    pub host: String,
    pub port: u16,
    /// Without its user.
    pub proxy: Option<String>,
    pub addresses: Vec<String>,
    /// Whom the connection reached.
    pub peer: Option<String>,
    pub tls: Option<Tls>,
    /// Set if the server wants a certificate of its client.
    #[serde(default)]
    pub client: Option<Asked>,
    pub status: Option<u16>,
    /// In lower case; never those of the request.
    pub headers: BTreeMap<String, String>,
    /// The start of the body, for an answer that is an error.
    pub body: String,
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub stage: Stage,
    pub kind: Kind,
    pub error: String,
}

/// Does the request. What goes wrong is in the exchange. The body comes beside it, bounded.
pub async fn exchange(request: &Request) -> (Exchange, Vec<u8>) {
    let mut exchange = Exchange {
        request: request.line(),
        host: request.host.clone(),
        port: request.port,
        proxy: request.proxy.as_deref().map(proxy::shown),
        ..Exchange::default()
    };
    match attempt(request, &mut exchange).await {
        Ok(body) => (exchange, body),
        Err((stage, error)) => {
            let kind = error.kind();
            exchange.fault = Some(Fault { stage, kind, error: format!("{error:#}") });
            (exchange, Vec::new())
        }
    }
}

type Staged<T> = Result<T, (Stage, Error)>;

async fn attempt(request: &Request, seen: &mut Exchange) -> Staged<Vec<u8>> {
    let (host, port) = match &request.proxy {
        Some(proxy) => proxy::address(proxy).map_err(|e| (Stage::Proxy, e))?,
        None => (request.host.clone(), request.port),
    };
    // A proxy that cannot be found or reached is the proxy's fault.
    let at = |stage| if request.proxy.is_some() { Stage::Proxy } else { stage };
    let addresses = resolve(&host).await.map_err(|e| (at(Stage::Name), e))?;
    seen.addresses = addresses.iter().map(IpAddr::to_string).collect();
    let mut stream = connect(&addresses, port).await.map_err(|e| (at(Stage::Connect), e))?;
    seen.peer = stream.peer_addr().ok().map(|a| a.to_string());
    if request.proxy.is_some() && request.tls {
        let login = request.proxy.as_deref().and_then(proxy::login);
        let tunnel = proxy::tunnel(&mut stream, &request.host, request.port, login.as_deref());
        limited(tunnel, "ask the proxy").await.map_err(|e| (Stage::Proxy, e))?;
    }
    if !request.tls {
        let body = limited(http::send(stream, request, true, seen), "wait for the answer").await;
        let body = body.map_err(|e| (Stage::Answer, e))?;
        if let Some(error) = seen.proxy.as_ref().and_then(|_| proxy::refusal(seen)) {
            seen.status = None;
            return Err((Stage::Proxy, error));
        }
        return Ok(body);
    }
    let (showing, broken) = Showing::new(request.identity.as_ref(), &rustls::crypto::ring::default_provider());
    let mut tls = Tls::default();
    let opened = limited(tls::open(stream, request, Arc::clone(&showing), &mut tls), "speak TLS").await;
    seen.client = showing.asked();
    let trusted = tls.trusted();
    let untrusted = |seen: &mut Exchange| {
        // Only its clock was of interest.
        seen.status = None;
        let problems = seen.tls.as_ref().map(|t| t.problems.join("; ")).unwrap_or_default();
        (Stage::Tls, Error::new(Kind::Unauthenticated, problems))
    };
    // Who asks for a certificate and then breaks off did not like what it got; some do so only after the handshake.
    let whose = |seen: &Exchange, error: Error, otherwise: Stage| {
        let refused = seen.client.is_some() && seen.status.is_none() && !error.is(Kind::DeadlineExceeded);
        (if refused { Stage::Client } else { otherwise }, error)
    };
    let stream = match opened {
        Ok(stream) => stream,
        Err(error) if seen.client.is_none() => return Err((Stage::Tls, error)),
        Err(error) => {
            seen.tls = Some(tls);
            return Err(match (trusted, broken) {
                (false, _) => untrusted(seen),
                (true, Some(broken)) => (Stage::Client, broken),
                (true, None) => whose(seen, error, Stage::Tls),
            });
        }
    };
    seen.tls = Some(tls);
    if let Some(broken) = broken.filter(|_| trusted) {
        return Err((Stage::Client, broken));
    }
    let body = limited(http::send(stream, request, trusted, seen), "wait for the answer").await;
    if !trusted {
        return Err(untrusted(seen));
    }
    body.map_err(|e| whose(seen, e, Stage::Answer))
}

async fn limited<T>(work: impl Future<Output = Result<T>>, what: &str) -> Result<T> {
    tokio::time::timeout(STAGE, work).await.unwrap_or_else(|_| {
        Err(Error::new(Kind::DeadlineExceeded, format!("{what}: nothing came in {} s", STAGE.as_secs())))
    })
}

/// As every program of the node does it: getaddrinfo(3), with /etc/hosts and nsswitch.
///
/// # Errors
/// `NotFound` for a name that does not exist, `Unavailable` if no server answers, `DeadlineExceeded`.
pub async fn resolve(host: &str) -> Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let name = host.to_owned();
    super::within(STAGE, &format!("look up {host}"), move || {
        use std::net::ToSocketAddrs;
        let found = (name.as_str(), 0).to_socket_addrs().map_err(|e| {
            let text = e.to_string();
            let kind = if text.contains("Temporary") { Kind::Unavailable } else { Kind::NotFound };
            Error::new(kind, format!("look up {name}: {text}"))
        })?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.map(|a| a.ip()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    })
    .await
}

/// To the first address that answers; the error is that of the last.
async fn connect(addresses: &[IpAddr], port: u16) -> Result<TcpStream> {
    let mut last = Error::new(Kind::NotFound, "the name has no address");
    for address in addresses.iter().take(ADDRESSES) {
        let address = SocketAddr::new(*address, port);
        match tokio::time::timeout(STAGE / 2, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Error::io("connect to", address.to_string(), error),
            Err(_) => {
                let text = format!("connect to {address}: nothing came back in {} s", (STAGE / 2).as_secs());
                last = Error::new(Kind::DeadlineExceeded, text);
            }
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn serve(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _request = stream.read(&mut head).await;
                let _sent = stream.write_all(answer.as_bytes()).await;
            }
        });
        port
    }

    #[tokio::test]
    async fn every_stage_has_its_own_failure() {
        let port =
            serve("HTTP/1.1 429 Too Many Requests\r\nRateLimit-Remaining: 0\r\nContent-Length: 2\r\n\r\nno").await;
        let request = Request::get(&format!("http://127.0.0.1:{port}/v2/")).unwrap();
        let (seen, body) = exchange(&request).await;
        assert_eq!((seen.status, seen.fault.as_ref()), (Some(429), None), "{seen:?}");
        assert_eq!((seen.headers["ratelimit-remaining"].as_str(), body.as_slice()), ("0", &b"no"[..]));

        let stage = |url: &str| {
            let request = Request::get(url).unwrap();
            async move { exchange(&request).await.0.fault.map(|f| (f.stage, f.kind)) }
        };
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert_eq!(stage(&format!("http://127.0.0.1:{free}/")).await, Some((Stage::Connect, Kind::Unavailable)));
        assert_eq!(stage("http://no.such.invalid/").await.unwrap().0, Stage::Name);
        assert_eq!(stage(&format!("https://127.0.0.1:{port}/")).await.unwrap().0, Stage::Tls);
        let proxied = Request { proxy: Some(format!("127.0.0.1:{free}")), ..Request::get("https://x.test/").unwrap() };
        assert_eq!(exchange(&proxied).await.0.fault.unwrap().stage, Stage::Proxy);
    }

    #[test]
    fn urls() {
        let request = Request::get("https://[::1]:5000/v2/?n=1").unwrap();
        assert_eq!((request.host.as_str(), request.port, request.path.as_str()), ("::1", 5000, "/v2/?n=1"));
        assert_eq!(request.line(), "GET https://[::1]:5000/v2/?n=1");
        assert!(Request::get("ftp://x").is_err());
    }
}
