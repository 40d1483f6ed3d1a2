//! Which proxy a program with a given environment uses for a host, as Go programs read it, and tunnels through it.

use std::collections::BTreeMap;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// The most an answer to CONNECT may hold before its empty line.
const HEAD: usize = 8 << 10;

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (also in lower case). Hosts of this machine are never proxied.
pub fn of(environment: &BTreeMap<String, String>, tls: bool, host: &str) -> Option<String> {
    let get =
        |name: &str| environment.get(name).or_else(|| environment.get(&name.to_lowercase())).filter(|v| !v.is_empty());
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback());
    let proxy = get(if tls { "HTTPS_PROXY" } else { "HTTP_PROXY" })?;
    let excluded = get("NO_PROXY").is_some_and(|list| list.split(',').any(|entry| matches(entry.trim(), host)));
    (!local && !excluded).then(|| proxy.clone())
}

fn matches(entry: &str, host: &str) -> bool {
    if entry == "*" {
        return true;
    }
    let entry = entry.split(':').next().unwrap_or(entry);
    if let (Some((network, bits)), Ok(std::net::IpAddr::V4(host))) = (entry.split_once('/'), host.parse()) {
        let (Ok(network), Ok(bits)) = (network.parse::<std::net::Ipv4Addr>(), bits.parse::<u32>()) else {
            return false;
        };
        let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
        return u32::from(network) & mask == u32::from(host) & mask;
    }
    let suffix = entry.trim_start_matches('.');
    !suffix.is_empty() && (host == suffix || host.ends_with(&format!(".{suffix}")))
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
    let rest = rest.rsplit('@').next().unwrap_or(rest).trim_end_matches('/');
    let (host, port) = rest.rsplit_once(':').unwrap_or((rest, "80"));
    let port = port.parse().map_err(|_| Error::new(Kind::InvalidArgument, format!("the proxy's port is {port:?}")))?;
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

/// Has the proxy connect to the host.
///
/// # Errors
/// `PermissionDenied` if the proxy refuses.
pub async fn tunnel(stream: &mut TcpStream, host: &str, port: u16) -> Result<()> {
    let failed = |e| Error::io("speak to", "the proxy", e);
    let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.map_err(failed)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > HEAD {
            bail!(ResourceExhausted, "the proxy's answer does not end");
        }
        answer.push(stream.read_u8().await.map_err(failed)?);
    }
    let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    match line.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => bail!(PermissionDenied, "the proxy does not connect to {host}:{port}: {line}"),
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
        let of = |no: &str, host: &str| of(&environment(no), true, host).is_some();
        assert!(of("", "registry.test") && of(".corp", "registry.test") && !of(".corp", "a.corp"));
        assert!(!of("10.0.0.0/8", "10.1.2.3") && of("10.0.0.0/8", "11.1.2.3"));
        assert!(!of("", "127.0.0.1") && !of("*", "x") && !of("x.test:443", "x.test"));
        assert_eq!(address("http://u:p@h:3128/").unwrap(), ("h".to_owned(), 3128));
        assert!(address("socks5://h:1").is_err());
    }
}
