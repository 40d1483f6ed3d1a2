//! Exec, attach and port-forward over the URL that a runtime gave out: the way there, and what is common to both
//! transports. `spdy` and `websocket` are sessions with a command, `forward` is ports.
//!
//! Every runtime speaks SPDY, old ones nothing else; a runtime that refuses it is asked over WebSocket.

mod forward;
mod spdy;
mod websocket;

use std::fmt;

use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::client::IntoClientRequest};

pub use forward::Forward;

use super::Session;
use crate::{
    bail,
    error::{Error, Kind, Result},
    node::net::{self, tls},
    streams::{self, SPDY, VERSION_HEADER, tunnel},
};

/// Pieces of input that wait for the runtime.
const WAITING: usize = 4;
/// Bytes of a refusal that are read.
const REFUSAL: usize = 4096;
/// Streams never end by themselves for us; the runtime has its own idea of idle.
const NEVER: std::time::Duration = std::time::Duration::MAX;

/// How to talk to a streaming server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Spdy,
    WebSocket,
}

/// What a session was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub stdin: bool,
    pub stderr: bool,
    pub tty: bool,
}

/// Opens the URL of an exec or attach.
///
/// # Errors
/// `Unimplemented` if the runtime does not speak `wire`; whatever keeps us from it.
pub async fn open(url: &str, wire: Wire, wanted: Wanted) -> Result<Box<dyn Session>> {
    Ok(match wire {
        Wire::Spdy => Box::new(spdy::open(url, wanted).await?),
        Wire::WebSocket => Box::new(websocket::open(url, wanted).await?),
    })
}

/// Where a URL leads.
#[derive(Debug, PartialEq, Eq)]
struct Target<'a> {
    tls: bool,
    host: &'a str,
    /// What to connect to.
    address: String,
    /// What comes after the scheme.
    rest: &'a str,
}

fn target(url: &str) -> Result<Target<'_>> {
    let (tls, rest) = match url.split_once("://") {
        Some(("http", rest)) => (false, rest),
        Some(("https", rest)) => (true, rest),
        _ => {
            let scheme = url.split(':').next().unwrap_or_default();
            bail!(Unimplemented, "the runtime streams over {scheme:?}, only http and https are supported");
        }
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port),
        _ => (authority, if tls { "443" } else { "80" }),
    };
    Ok(Target { tls, host: host.trim_matches(['[', ']']), address: format!("{host}:{port}"), rest })
}

/// A connection, encrypted or not.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Duplex for T {}

async fn connect(target: &Target<'_>) -> Result<Box<dyn Duplex>> {
    let address = &target.address;
    let tcp = TcpStream::connect(address).await.map_err(|e| Error::io("connect to", address, e))?;
    // Keys are small and somebody waits for each. A socket without the option works too.
    let _ = tcp.set_nodelay(true);
    if !target.tls {
        return Ok(Box::new(tcp));
    }
    // The URL and its token came over the runtime's own socket. Runtimes sign their certificates themselves: as the kubelet
    // does, whatever is shown is taken, which keeps listeners out and not who sits in between.
    let trust = tls::Trust { only: true, skip: true, ..tls::Trust::default() };
    let request = net::Request { host: target.host.to_owned(), trust, ..net::Request::default() };
    let stream = tls::stream(tcp, &request).await.map_err(|e| e.context(format!("open a stream at {address}")))?;
    Ok(Box::new(stream))
}

/// An upgraded connection, and the protocol that the server chose.
async fn upgrade(url: &str, protocols: &[&'static str]) -> Result<(TokioIo<Upgraded>, String)> {
    let target = target(url)?;
    let Target { ref address, rest, .. } = target;
    let failed = |e: hyper::Error| Error::new(Kind::Unavailable, format!("open a stream at {address}")).with_source(e);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let mut request = Request::new(Empty::<bytes::Bytes>::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() =
        path.parse().map_err(|e| Error::new(Kind::Internal, "the runtime's URL is none").with_source(e))?;
    let host = HeaderValue::from_str(rest.split('/').next().unwrap_or_default())
        .map_err(|e| Error::new(Kind::Internal, "the runtime's URL is none").with_source(e))?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, host);
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static(SPDY));
    for protocol in protocols {
        headers.append(VERSION_HEADER, HeaderValue::from_static(protocol));
    }
    let io = TokioIo::new(connect(&target).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.map_err(failed)?;
    // Its errors come by the request and by the stream.
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let said = Limited::new(response.into_body(), REFUSAL).collect().await;
        let said = said.map(|b| b.to_bytes()).unwrap_or_default();
        return Err(refused(address, status, &said));
    }
    let chosen = response.headers().get(VERSION_HEADER).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let upgraded = hyper::upgrade::on(response).await.map_err(failed)?;
    Ok((TokioIo::new(upgraded), chosen))
}

fn refused(address: &str, status: StatusCode, said: &[u8]) -> Error {
    let said: String = String::from_utf8_lossy(said).chars().filter(|c| !c.is_control()).take(400).collect();
    let kind = match status.as_u16() {
        404 => Kind::NotFound,
        429 => Kind::ResourceExhausted,
        401 => Kind::PermissionDenied,
        // It does not know the upgrade, or none of its protocols.
        400 | 403 | 405 | 426 | 501 => Kind::Unimplemented,
        _ => Kind::Unavailable,
    };
    Error::new(kind, format!("the stream at {address} was refused: {status} {said}"))
}

/// A WebSocket, and the protocol that the server chose.
async fn websocket(url: &str, protocols: &'static str) -> Result<(WebSocketStream<Box<dyn Duplex>>, String)> {
    let target = target(url)?;
    let Target { ref address, rest, .. } = target;
    let failed = |e: tokio_tungstenite::tungstenite::Error| match e {
        tokio_tungstenite::tungstenite::Error::Http(response) => {
            refused(address, response.status(), response.body().as_deref().unwrap_or_default())
        }
        other => Error::new(Kind::Unavailable, format!("open a stream at {address}")).with_source(other),
    };
    let mut request =
        format!("{}://{rest}", if target.tls { "wss" } else { "ws" }).into_client_request().map_err(failed)?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocols));
    let io = connect(&target).await?;
    let (socket, response) =
        tokio_tungstenite::client_async_with_config(request, io, Some(tunnel::config())).await.map_err(failed)?;
    let chosen = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|p| p.to_str().ok());
    Ok((socket, chosen.unwrap_or_default().to_owned()))
}

/// Waits for room in a session's input.
async fn put(input: Option<&mpsc::Sender<Vec<u8>>>, bytes: &[u8]) -> Result<()> {
    let Some(input) = input else { bail!(FailedPrecondition, "the command has no stdin, or it was closed") };
    input.send(bytes.to_vec()).await.map_err(|_| Error::new(Kind::Unavailable, "the stream broke"))
}

/// A terminal's size as the channel carries it.
fn size(columns: u16, rows: u16) -> Vec<u8> {
    serde_json::json!({ "Width": columns, "Height": rows }).to_string().into_bytes()
}

/// The exit code in what came on the error channel.
fn exit_code(text: &[u8]) -> Result<i32> {
    streams::LastWord::parse(text)?.exit_code().map_err(|e| e.context("the command could not be run"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_somewhere() {
        let plain =
            Target { tls: false, host: "127.0.0.1", address: "127.0.0.1:41".into(), rest: "127.0.0.1:41/exec/x" };
        assert_eq!(target("http://127.0.0.1:41/exec/x").unwrap(), plain);
        let encrypted = Target { tls: true, host: "::1", address: "[::1]:443".into(), rest: "[::1]/x" };
        assert_eq!(target("https://[::1]/x").unwrap(), encrypted);
        assert_eq!(target("http://node/x").unwrap().address, "node:80");
        for bad in ["ftp://node:1/exec/x", "node:1/exec", ""] {
            assert!(target(bad).unwrap_err().is(Kind::Unimplemented), "{bad}");
        }
    }

    #[test]
    fn a_refusal_says_why_and_what_may_help() {
        let error = refused("a:1", StatusCode::FORBIDDEN, b"unable to upgrade\x1b[2J");
        assert!(error.is(Kind::Unimplemented) && error.to_string().contains("unable to upgrade[2J"), "{error}");
        assert!(refused("a:1", StatusCode::NOT_FOUND, b"").is(Kind::NotFound));
    }
}
