//! Which proxy a program with a given environment uses for a host, as Go programs read it, and tunnels through it.

use std::{collections::BTreeMap, net::IpAddr};

use base64::Engine;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Exchange;
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// The most an answer to CONNECT may hold before its empty line.
const HEAD: usize = 8 << 10;

/// The variable that counts for a scheme, and its value.
pub fn variable(environment: &BTreeMap<String, String>, tls: bool) -> Option<(&'static str, &str)> {
    let names = if tls { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    names.into_iter().find_map(|n| Some((n, environment.get(n).filter(|v| !v.is_empty())?.as_str())))
}

/// The value of NO_PROXY.
pub fn excluded(environment: &BTreeMap<String, String>) -> &str {
    let set = ["NO_PROXY", "no_proxy"].into_iter().find_map(|n| environment.get(n).filter(|v| !v.is_empty()));
    set.map_or("", String::as_str)
}

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (also in lower case). Hosts of this machine are never proxied.
pub fn of(environment: &BTreeMap<String, String>, tls: bool, host: &str, port: u16) -> Option<String> {
    let (_, proxy) = variable(environment, tls)?;
    let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback());
    let without = excluded(environment).split(',').any(|entry| matches(entry.trim(), host, port));
    (!local && !without).then(|| proxy.to_owned())
}

/// One entry of NO_PROXY: `*`, a network, an address or a name, the latter two also with a port.
fn matches(entry: &str, host: &str, port: u16) -> bool {
    let (entry, host) = (entry.to_lowercase(), host.to_lowercase());
    if entry == "*" {
        return true;
    }
    let address: Option<IpAddr> = host.parse().ok();
    if let Some((network, bits)) = entry.split_once('/') {
        let (Ok(network), Ok(bits), Some(address)) = (network.parse::<IpAddr>(), bits.parse::<u32>(), address) else {
            return false;
        };
        return within(network, bits, address);
    }
    let (name, only) = match entry.parse::<IpAddr>() {
        Ok(_) => (entry.as_str(), None),
        Err(_) => match entry.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
            _ => (entry.as_str(), None),
        },
    };
    let name = name.trim_matches(['[', ']']);
    if name.is_empty() || only.is_some_and(|p| p != port.to_string()) {
        return false;
    }
    if address.is_some() {
        return name.parse().ok() == address;
    }
    // With a dot before it, a name stands for what is below it alone.
    match name.strip_prefix("*.").or(name.strip_prefix('.')) {
        Some(suffix) => host.ends_with(&format!(".{suffix}")),
        None => host == name || host.ends_with(&format!(".{name}")),
    }
}

fn within(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let number = |a: IpAddr| match a {
        IpAddr::V4(a) => (u128::from(u32::from(a)) << 96, 32),
        IpAddr::V6(a) => (u128::from(a), 128),
    };
    let ((network, most), (address, other)) = (number(network), number(address));
    let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
    most == other && bits <= most && network & mask == address & mask
}

/// `http://user@host:port/` without the scheme and the user, who may come with a password.
pub fn shown(proxy: &str) -> String {
    let rest = match proxy.split_once("://") {
        Some(("http", rest)) => rest.to_owned(),
        Some((scheme, rest)) => return format!("{scheme}://{}", host(rest)),
        None => proxy.to_owned(),
    };
    host(&rest).to_owned()
}

fn host(rest: &str) -> &str {
    rest.rsplit('@').next().unwrap_or(rest).trim_end_matches('/')
}

/// The value of Proxy-Authorization, if the proxy's URL has a user.
pub fn login(proxy: &str) -> Option<String> {
    let rest = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
    let (user, _) = rest.rsplit_once('@')?;
    let user = user.split_once(':').map_or((user, ""), |pair| pair);
    let pair = format!("{}:{}", unescaped(user.0), unescaped(user.1));
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}

/// `%40` is `@`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|t| u8::from_str_radix(std::str::from_utf8(t).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => (bytes, rest) = ([bytes, vec![code]].concat(), &tail[2..]),
            None => (bytes, rest) = ([bytes, vec![*first]].concat(), tail),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Host and port of `http://user@host:port/` or `host:port`.
///
/// # Errors
/// `Unimplemented` for a proxy that is itself behind TLS or speaks SOCKS.
pub fn address(proxy: &str) -> Result<(String, u16)> {
    let rest = match proxy.split_once("://") {
        Some(("http", rest)) => rest,
        None => proxy,
        Some((scheme, _)) => bail!(Unimplemented, "a proxy by {scheme} is not tried here"),
    };
    let rest = host(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (rest, "80"),
    };
    let port = port.parse().map_err(|_| Error::new(Kind::InvalidArgument, format!("the proxy's port is {port:?}")))?;
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

/// What a proxy for plain HTTP answers itself, in the registry's place.
pub fn refusal(seen: &Exchange) -> Option<Error> {
    let status = seen.status?;
    let kind = kind_of(status);
    // Squid marks the answers that are its own; 407 is no server's.
    let own = status == 407 || seen.headers.contains_key("x-squid-error");
    own.then(|| Error::new(kind, format!("the proxy answers {status} in place of {}:{}", seen.host, seen.port)))
}

fn kind_of(status: u16) -> Kind {
    match status {
        407 => Kind::Unauthenticated,
        500.. => Kind::Unavailable,
        _ => Kind::PermissionDenied,
    }
}

/// Has the proxy connect to the host.
///
/// # Errors
/// `Unauthenticated` (407), `PermissionDenied` or `Unavailable` (502, 503, 504) as the proxy says; `InvalidArgument` if it
/// speaks no HTTP.
pub async fn tunnel(stream: &mut TcpStream, host: &str, port: u16, login: Option<&str>) -> Result<()> {
    let failed = |e| Error::io("speak to", "the proxy", e);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let login = login.map(|l| format!("Proxy-Authorization: {l}\r\n")).unwrap_or_default();
    let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
    stream.write_all(head.as_bytes()).await.map_err(failed)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > HEAD {
            bail!(ResourceExhausted, "the proxy's answer does not end");
        }
        answer.push(stream.read_u8().await.map_err(failed)?);
    }
    let line =
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().chars().take(200).collect::<String>();
    let status = line.strip_prefix("HTTP/").and_then(|l| l.split(' ').nth(1)?.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(status) => Err(Error::new(kind_of(status), format!("CONNECT {host}:{port}: the proxy answers {line}"))),
        None => bail!(InvalidArgument, "CONNECT {host}:{port}: the proxy answers what is no HTTP: {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_proxied() {
        let environment = |no: &str| {
            [("HTTPS_PROXY", "http://p:3128"), ("NO_PROXY", no)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        };
        let of = |no: &str, host: &str| of(&environment(no), true, host, 443).is_some();
        assert!(of("", "registry.test") && of(".corp", "registry.test") && !of(".corp", "a.corp"));
        assert!(of(".corp", "corp") && !of("corp", "corp") && !of("*.corp", "a.CORP") && of("orp", "corp"));
        assert!(!of("10.0.0.0/8", "10.1.2.3") && of("10.0.0.0/8", "11.1.2.3") && !of("fd00::/8", "fd00::1"));
        assert!(of("10.0.0.0/99", "10.1.2.3") && of("::/0", "10.1.2.3") && !of("10.1.2.3", "10.1.2.3"));
        assert!(!of("", "127.0.0.1") && !of("*", "x") && !of("x.test:443", "x.test") && of("x.test:5000", "x.test"));
        assert_eq!(address("http://u:p@h:3128/").unwrap(), ("h".to_owned(), 3128));
        assert_eq!(address("http://[::1]").unwrap(), ("::1".to_owned(), 80));
        assert!(address("socks5://h:1").is_err());
    }

    #[test]
    fn a_password_is_sent_and_never_shown() {
        let proxy = "http://me:s%40cret@h:3128/";
        assert_eq!(shown(proxy), "h:3128");
        assert_eq!((shown("socks5://u:p@h:1").as_str(), shown("u:p@h:1").as_str()), ("socks5://h:1", "h:1"));
        let sent = login(proxy).unwrap();
        let decoded = base64::engine::general_purpose::STANDARD.decode(sent.strip_prefix("Basic ").unwrap());
        assert_eq!(decoded.unwrap(), b"me:s@cret");
        assert_eq!((login("http://h:3128"), unescaped("a%zz%4")), (None, "a%zz%4".to_owned()));
    }

    #[tokio::test]
    async fn what_a_proxy_says_is_told_apart() {
        for (answer, kind) in [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Some(Kind::Unauthenticated)),
            ("HTTP/1.1 403 Forbidden\r\n\r\n", Some(Kind::PermissionDenied)),
            ("HTTP/1.1 504 Gateway Timeout\r\n\r\n", Some(Kind::Unavailable)),
            ("SSH-2.0-OpenSSH\r\n\r\n", Some(Kind::InvalidArgument)),
            ("HTTP/1.1 200 OK\r\n\r\n", None),
        ] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut far, _) = listener.accept().await.unwrap();
            far.write_all(answer.as_bytes()).await.unwrap();
            let said = tunnel(&mut near, "r.test", 443, Some("Basic x")).await.map_err(|e| e.kind());
            assert_eq!(said.err(), kind, "{answer}");
            let mut asked = vec![0; 512];
            let length = far.read(&mut asked).await.unwrap();
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            assert!(
                asked.starts_with("CONNECT r.test:443") && asked.contains("Proxy-Authorization: Basic x"),
                "{asked}"
            );
        }
    }
}
