//! The HTTP part: who may come, what the token stands for, which protocol both sides know.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use hyper::{Request as HttpRequest, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Guest, Request, Server, client, forward, socket};
use crate::{
    error::Result,
    streams::{self, ACCEPTED_HEADER, PORT_FORWARD, PORT_FORWARD_TUNNEL, SPDY, VERSION_HEADER},
};

type Answer = Response<Full<Bytes>>;

/// The protocols of exec and attach over SPDY; as Go's server, without v5, which adds nothing there.
const REMOTE_COMMAND: [&str; 4] = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

/// Answers a request; a session that comes of it goes on by itself.
pub fn answer(server: &Arc<Server>, request: HttpRequest<Incoming>, guest: Guest) -> Answer {
    prepare(server, request, guest).unwrap_or_else(|refusal| *refusal)
}

fn prepare(server: &Arc<Server>, request: HttpRequest<Incoming>, guest: Guest) -> Result<Answer, Box<Answer>> {
    if !trusted(request.headers(), server.address.port(), if server.tls.is_some() { 443 } else { 80 }) {
        return Err(refuse(StatusCode::FORBIDDEN, "this is not for browsers"));
    }
    let unknown = || refuse(StatusCode::NOT_FOUND, "404 page not found");
    if ![Method::GET, Method::POST].contains(request.method()) {
        return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"));
    }
    let (kind, token) = request.uri().path().trim_start_matches('/').split_once('/').ok_or_else(unknown)?;
    let wanted = server.tokens.take(token, std::time::Instant::now()).ok_or_else(unknown)?;
    if wanted.path() != kind {
        return Err(unknown());
    }
    let headers = request.headers();
    if has_word(headers, &header::CONNECTION, "upgrade") && has_word(headers, &header::UPGRADE, "websocket") {
        websocket(server, request, guest, wanted)
    } else {
        spdy(server, request, guest, wanted)
    }
}

/// A browser may be made to call us: by a page (`Origin`), or by a name that resolves to us (`Host`). It always names our
/// own port then. Another port comes through a proxy: the kubelet passes on what was sent to itself.
/// `usual` is the port that nobody writes.
fn trusted(headers: &HeaderMap, port: u16, usual: u16) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|h| h.to_str().ok()) else { return false };
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    if authority.port_u16().unwrap_or(usual) != port {
        return true;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let direct = name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok();
    direct && !headers.contains_key(header::ORIGIN)
}

fn websocket(
    server: &Arc<Server>,
    mut request: HttpRequest<Incoming>,
    guest: Guest,
    wanted: Request,
) -> Result<Answer, Box<Answer>> {
    let headers = request.headers();
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "unable to upgrade: there is no Sec-WebSocket-Key"));
    };
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13") || request.method() != Method::GET {
        return Err(refuse(StatusCode::BAD_REQUEST, "unable to upgrade: only version 13 of WebSocket is spoken"));
    }
    let offered = words(headers, &header::SEC_WEBSOCKET_PROTOCOL);
    let known: &[&str] = match wanted {
        Request::PortForward { .. } => &[PORT_FORWARD_TUNNEL, socket::PORT_FORWARD[0], socket::PORT_FORWARD[1]],
        _ => &socket::REMOTE_COMMAND,
    };
    let chosen = if offered.is_empty() { Some("") } else { streams::choose(&offered, known) };
    let Some(chosen) = chosen.map(str::to_owned) else {
        let text = format!("requested protocol(s) are not supported: {offered:?}; supports {known:?}");
        return Err(refuse(StatusCode::FORBIDDEN, &text));
    };
    let mut answer = switch("websocket");
    let accept = derive_accept_key(key.as_bytes());
    put(&mut answer, header::SEC_WEBSOCKET_ACCEPT, &accept);
    if !chosen.is_empty() {
        put(&mut answer, header::SEC_WEBSOCKET_PROTOCOL, &chosen);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let (serving, tracked) = (Arc::clone(server), server.sessions.clone());
    tracked.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let io = TokioIo::new(upgraded);
        let done = match wanted {
            Request::PortForward { pod, .. } if chosen == PORT_FORWARD_TUNNEL => {
                forward::tunnel(&serving, io, guest, &pod).await
            }
            Request::PortForward { pod, ports } => forward::socket(&serving, io, guest, &pod, &ports, &chosen).await,
            other => client::socket(&serving, io, guest, other, &chosen).await,
        };
        tell(done);
    });
    Ok(answer)
}

fn spdy(
    server: &Arc<Server>,
    mut request: HttpRequest<Incoming>,
    guest: Guest,
    wanted: Request,
) -> Result<Answer, Box<Answer>> {
    let headers = request.headers();
    let name = http::HeaderName::from_static(VERSION_HEADER);
    let offered = words(headers, &name);
    if offered.is_empty() {
        let text = format!("unable to upgrade: header {VERSION_HEADER} names no protocol");
        return Err(refuse(StatusCode::BAD_REQUEST, &text));
    }
    if !has_word(headers, &header::CONNECTION, "upgrade") || !has_word(headers, &header::UPGRADE, SPDY) {
        return Err(refuse(StatusCode::BAD_REQUEST, "unable to upgrade: missing upgrade headers in request"));
    }
    let known: &[&str] = match wanted {
        Request::PortForward { .. } => &[PORT_FORWARD],
        _ => &REMOTE_COMMAND,
    };
    let Some(chosen) = streams::choose(&offered, known).map(str::to_owned) else {
        let text = format!(
            "unable to upgrade: unable to negotiate protocol: client supports {offered:?}, server accepts {known:?}"
        );
        let mut refusal = refuse(StatusCode::FORBIDDEN, &text);
        for protocol in known {
            refusal.headers_mut().append(ACCEPTED_HEADER, HeaderValue::from_static(protocol));
        }
        return Err(refusal);
    };
    let mut answer = switch(SPDY);
    put(&mut answer, name, &chosen);
    let upgrade = hyper::upgrade::on(&mut request);
    let (serving, tracked) = (Arc::clone(server), server.sessions.clone());
    tracked.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let io = TokioIo::new(upgraded);
        let done = match wanted {
            Request::PortForward { pod, .. } => forward::spdy(&serving, io, guest, &pod).await,
            other => client::spdy(&serving, io, guest, other, &chosen).await,
        };
        tell(done);
    });
    Ok(answer)
}

fn tell(done: Result<()>) {
    if let Err(error) = done {
        tracing::debug!("a session: {error:#}");
    }
}

/// Comma separated values, over all headers of the name.
fn words<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Vec<&'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).map(str::trim).filter(|v| !v.is_empty()).collect()
}

fn has_word(headers: &HeaderMap, name: &http::HeaderName, word: &str) -> bool {
    words(headers, name).iter().any(|w| w.eq_ignore_ascii_case(word))
}

fn switch(protocol: &'static str) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static(protocol));
    answer
}

fn put(answer: &mut Answer, name: http::HeaderName, value: &str) {
    // What was offered and known, or base64: always a header's value.
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn refuse(status: StatusCode, text: &str) -> Box<Answer> {
    let mut answer = Response::new(Full::from(format!("{text}\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Box::new(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if origin {
            headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        }
        headers
    }

    #[test]
    fn str_02_browsers_are_refused_and_the_kubelet_is_not() {
        for (host, origin, good) in [
            ("127.0.0.1:4444", false, true),
            ("localhost:4444", false, true),
            ("[::1]:4444", false, true),
            ("127.0.0.1:4444", true, false),
            ("evil.example:4444", false, false),
            ("localhost.evil.example:4444", false, false),
            ("node-1:10250", false, true),
            ("node-1:10250", true, true),
            ("a b", false, false),
        ] {
            assert_eq!(trusted(&headers(host, origin), 4444, 80), good, "{host} {origin}");
        }
        assert!(!trusted(&HeaderMap::new(), 4444, 80));
        assert!(!trusted(&headers("evil.example", true), 443, 443) && trusted(&headers("localhost", false), 443, 443));
    }

    #[test]
    fn headers_may_be_many_or_one() {
        let mut headers = HeaderMap::new();
        headers.append("x", "a, B".parse().unwrap());
        headers.append("x", " c,,".parse().unwrap());
        let name = http::HeaderName::from_static("x");
        assert_eq!(words(&headers, &name), ["a", "B", "c"]);
        assert!(has_word(&headers, &name, "b") && !has_word(&headers, &name, "d"));
    }
}
