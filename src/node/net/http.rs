//! The answer to one request over a connection that is there. Bounded; nothing is followed and nothing retried.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
pub use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Exchange, Request};
use crate::error::{Error, Kind, Result};

/// Bytes of a body: manifests and lists of tags are far smaller.
const BODY: usize = 8 << 20;
/// Of an error's body that is kept as evidence.
const SHOWN: usize = 600;

/// Sends it, without its secrets if the connection is not to be trusted.
pub async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: &Request,
    trusted: bool,
    seen: &mut Exchange,
) -> Result<Vec<u8>> {
    let failed = |e: hyper::Error| Error::new(Kind::Unavailable, "HTTP").with_source(e);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Its end is the end of the answer, which is seen there.
    let driver = tokio::spawn(async move { drop(connection.await) });
    let host = request.line();
    let authority = host.split("://").nth(1).and_then(|r| r.split('/').next()).unwrap_or_default().to_owned();
    let plain_proxy = request.proxy.is_some() && !request.tls;
    let target = if plain_proxy { format!("http://{authority}{}", request.path) } else { request.path.clone() };
    let login = request.proxy.as_deref().filter(|_| plain_proxy).and_then(super::proxy::login);
    let mut builder = hyper::Request::builder().method(request.method).uri(target).header("host", authority);
    builder = builder.header("user-agent", "wharf-doctor").header("connection", "close");
    if let Some(login) = login {
        builder = builder.header("proxy-authorization", login);
    }
    // Any other may be a secret: hosts.toml has headers of its own.
    let harmless = |name: &str| ["accept", "range"].iter().any(|h| name.eq_ignore_ascii_case(h));
    for (name, value) in request.headers.iter().filter(|(name, _)| trusted || harmless(name)) {
        builder = builder.header(name, value);
    }
    let built = builder.body(Empty::<Bytes>::new());
    let built = built.map_err(|e| Error::new(Kind::InvalidArgument, request.line()).with_source(e))?;
    let response = sender.send_request(built).await.map_err(failed)?;
    seen.status = Some(response.status().as_u16());
    for (name, value) in response.headers() {
        seen.headers.insert(name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    // An error's body is short, and says why.
    if request.peek && seen.status.is_some_and(|s| s < 400) {
        driver.abort();
        return Ok(Vec::new());
    }
    let body = Limited::new(response.into_body(), BODY).collect().await;
    let body = body.map_err(|e| Error::new(Kind::Unavailable, "read the answer's body").with_source(e))?.to_bytes();
    driver.abort();
    if seen.status.is_some_and(|s| s >= 400) {
        seen.body = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned();
    }
    Ok(body.to_vec())
}
