//! Who we say we are to a registry, and what it may ask: credentials and `WWW-Authenticate` challenges (RFC 9110, 11.6.1).

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::{bail, error::Result};

/// Never printed, never written to disk, wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    Basic {
        user: String,
        password: Zeroizing<String>,
    },
    /// An OAuth2 refresh token, exchanged for an access token.
    Identity(Zeroizing<String>),
    Bearer(Zeroizing<String>),
}

impl Credentials {
    pub fn basic(user: &str, password: &str) -> Self {
        Self::Basic { user: user.to_owned(), password: password.to_owned().into() }
    }

    /// base64 of `user:password`, as docker and the CRI write it.
    ///
    /// # Errors
    /// `InvalidArgument`; the message quotes nothing.
    pub fn from_base64(text: &str) -> Result<Self> {
        let plain = BASE64_STANDARD.decode(text.trim_end_matches('\0').trim()).map(Zeroizing::new);
        let pair = plain.as_ref().ok().and_then(|bytes| std::str::from_utf8(bytes).ok());
        match pair.and_then(|text| text.trim_end_matches('\0').split_once(':')) {
            Some((user, password)) => Ok(Self::basic(user, password)),
            None => bail!(InvalidArgument, "it is not base64 of user:password"),
        }
    }

    pub fn identity_token(token: &str) -> Self {
        Self::Identity(token.to_owned().into())
    }

    pub fn bearer(token: &str) -> Self {
        Self::Bearer(token.to_owned().into())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Identity(_) => "Identity(***)",
            Self::Bearer(_) => "Bearer(***)",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The strongest challenge we can answer among the headers.
    pub fn parse<'a>(headers: impl Iterator<Item = &'a HeaderValue>) -> Option<Self> {
        let mut basic = None;
        for header in headers.filter_map(|h| h.to_str().ok()).filter(|h| h.len() <= 4096) {
            let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            } else if scheme.eq_ignore_ascii_case("bearer") {
                let all = parameters(rest);
                let get = |name: &str| all.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
                if let Some(realm) = get("realm") {
                    return Some(Self::Bearer { realm, service: get("service"), scope: get("scope") });
                }
            }
        }
        basic
    }
}

/// `key="value", key=value`, with backslash escapes inside quotes.
fn parameters(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((key, rest)) = text.split_once('=') {
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (mut value, mut escaped, mut end) = (String::new(), false, quoted.len());
                for (i, c) in quoted.char_indices() {
                    match c {
                        '\\' if !escaped => escaped = true,
                        '"' if !escaped => {
                            end = i + 1;
                            break;
                        }
                        _ => {
                            escaped = false;
                            value.push(c);
                        }
                    }
                }
                (value, &quoted[end.min(quoted.len())..])
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        found.push((key.trim_matches([' ', ',']).to_owned(), value));
        text = rest;
    }
    found
}

/// Whether credentials of `registry` may go to a token service on `realm`'s host: the same host, the same registrable
/// domain, or the pair everybody knows (threats REG-03).
pub fn realm_is_trusted(registry: &str, realm: &str) -> bool {
    let host = |h: &str| h.rsplit_once(':').map_or(h, |(name, _)| name).to_ascii_lowercase();
    let (registry, realm) = (host(registry), host(realm));
    let domain = |h: &str| {
        let mut labels = h.rsplit('.');
        let (top, second) = (labels.next()?, labels.next()?);
        (top.len() > 1 && !top.bytes().all(|b| b.is_ascii_digit())).then(|| format!("{second}.{top}"))
    };
    registry == realm || domain(&registry).is_some_and(|d| domain(&realm) == Some(d))
}

/// Whether a host may know what the pull request says we are to `registry`: it is the registry, or of the same registrable
/// domain. Another port of the same machine is somebody else.
pub fn same_owner(registry: &str, host: &str) -> bool {
    let name = |h: &str| h.rsplit_once(':').map_or(h.to_ascii_lowercase(), |(name, _)| name.to_ascii_lowercase());
    registry.eq_ignore_ascii_case(host) || name(registry) != name(host) && realm_is_trusted(registry, host)
}

/// The header value of `Authorization: Basic`.
pub fn basic(user: &str, password: &str) -> Result<HeaderValue> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    sensitive(&Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(&*pair))))
}

pub fn bearer(token: &str) -> Result<HeaderValue> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let Ok(mut value) = HeaderValue::from_str(text) else {
        bail!(InvalidArgument, "the credentials contain characters that no HTTP header can carry");
    };
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let parse = |text: &str| Challenge::parse([HeaderValue::from_str(text).unwrap()].iter());
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.into(),
                service: service.map(Into::into),
                scope: scope.map(Into::into),
            })
        };
        assert_eq!(
            parse(r#"Bearer realm="https://a.b/token",service="reg",scope="repository:x/y:pull,push""#),
            bearer("https://a.b/token", Some("reg"), Some("repository:x/y:pull,push"))
        );
        assert_eq!(parse(r#"bearer Realm=https://a/t, scope=x"#), bearer("https://a/t", None, Some("x")));
        assert_eq!(parse(r#"Bearer realm="a\"b"#), bearer("a\"b", None, None));
        assert_eq!(parse("Basic realm=x"), Some(Challenge::Basic));
        assert_eq!(parse("Negotiate"), None);
    }

    #[test]
    fn reg_03_credentials_go_only_to_trusted_realms() {
        assert!(realm_is_trusted("registry-1.docker.io", "auth.docker.io"));
        assert!(realm_is_trusted("reg.example.com:5000", "reg.example.com"));
        assert!(!realm_is_trusted("reg.example.com", "evil.com"));
        assert!(!realm_is_trusted("10.0.0.1:5000", "10.9.0.1"));
        assert!(!realm_is_trusted("localhost:5000", "evil"));
        assert!(same_owner("r.example.com:5000", "R.example.com:5000") && same_owner("r.example.com", "m.example.com"));
        assert!(!same_owner("127.0.0.1:5000", "127.0.0.1:5001") && !same_owner("docker.io", "mirror.test"));
    }

    #[test]
    fn reg_26_debug_hides_secrets() {
        let all =
            [Credentials::basic("u", "CANARY"), Credentials::identity_token("CANARY"), Credentials::bearer("CANARY")];
        assert!(!format!("{all:?}").contains("CANARY"));
    }
}
