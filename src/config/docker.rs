//! docker's `config.json`, which the kubelet reads as well: logins, and the programs that know some.
//!
//! Only what says who we are to a registry is read. Source: docker's `cli/config/configfile`, kubelet's
//! `pkg/credentialprovider/config.go`.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::reader;
use crate::error::{Context, Error, Kind, Result};

/// Where the kubelet looks, then docker's own places for root.
pub const PLACES: &[&str] = &[
    "/var/lib/kubelet/config.json",
    "/config.json",
    "/root/.docker/config.json",
    "/var/lib/kubelet/.dockercfg",
    "/root/.dockercfg",
];

/// docker.io under the name docker keeps it by.
const HUB: &[&str] = &["index.docker.io", "registry-1.docker.io", "docker.io"];

#[derive(Debug, Clone, Default)]
pub struct DockerConfig {
    /// In the order of names.
    pub auths: BTreeMap<String, Login>,
    /// Registry to the suffix of its program's name.
    pub helpers: BTreeMap<String, String>,
    /// For every registry without a helper of its own.
    pub store: Option<String>,
    pub path: PathBuf,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
    pub identity_token: String,
    pub registry_token: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}, ***)", self.user.escape_debug())
    }
}

impl Login {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
    #[serde(default)]
    registrytoken: String,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

/// # Errors
/// `InvalidArgument` if it is no such file. The message quotes nothing of it.
pub fn parse(path: &Path, text: &str) -> Result<DockerConfig> {
    let wrong = |why: &str| Error::new(Kind::InvalidArgument, format!("{}: {why}", path.display()));
    // The oldest form is the table of logins alone.
    let old = path.file_name().is_some_and(|name| name == ".dockercfg");
    let document = if old {
        serde_json::from_str(text).map(|auths| Document { auths, helpers: BTreeMap::new(), store: None })
    } else {
        serde_json::from_str(text)
    };
    let document: Document = document
        .map_err(|e| wrong(&format!("not docker's configuration (line {}, column {})", e.line(), e.column())))?;
    let mut auths = BTreeMap::new();
    for (registry, entry) in document.auths {
        let mut login = Login {
            user: entry.username,
            password: entry.password,
            identity_token: entry.identitytoken,
            registry_token: entry.registrytoken,
        };
        if !entry.auth.is_empty() {
            let plain = BASE64_STANDARD.decode(entry.auth.trim()).ok().and_then(|b| String::from_utf8(b).ok());
            let pair = plain.as_deref().and_then(|text| text.split_once(':'));
            let Some((user, password)) = pair else {
                return Err(wrong(&format!("the auth of {} is not base64 of user:password", registry.escape_debug())));
            };
            login.user = user.to_owned();
            login.password = password.trim_end_matches('\0').to_owned();
        }
        if !login.is_empty() {
            auths.insert(registry, login);
        }
    }
    let store = document.store.filter(|name| !name.is_empty());
    for name in document.helpers.values().chain(&store) {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err(wrong(&format!("{} cannot be the name of a credential helper", name.escape_debug())));
        }
    }
    Ok(DockerConfig { auths, helpers: document.helpers, store, path: path.to_owned() })
}

/// `None` where there is no such file.
pub fn load(path: &Path) -> Result<Option<DockerConfig>> {
    match reader::text_if_there(path)? {
        Some(text) => parse(path, &text).map(Some),
        None => Ok(None),
    }
}

/// The first of the usual places below `root` that has one.
pub fn find(root: &Path) -> Result<Option<DockerConfig>> {
    for place in PLACES {
        let path = root.join(place.trim_start_matches('/'));
        if let Some(config) = load(&path).context(|| format!("read {}", path.display()))? {
            return Ok(Some(config));
        }
    }
    Ok(None)
}

impl DockerConfig {
    /// The login for `registry/repository`: the longest entry that fits wins, as the kubelet does.
    pub fn login(&self, registry: &str, repository: &str) -> Option<&Login> {
        let fits = self.auths.iter().filter_map(|(key, login)| {
            let (host, path) = entry(key);
            let path_fits = path.is_empty()
                || repository.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            (same_registry(&host, registry) && path_fits).then_some((path.len(), login))
        });
        fits.max_by_key(|(length, _)| *length).map(|(_, login)| login)
    }

    /// The suffix of the helper that knows about a registry, and the name to ask it by.
    pub fn helper(&self, registry: &str) -> Option<(&str, String)> {
        let own = self.helpers.iter().find(|(key, _)| same_registry(&entry(key).0, registry));
        match (own, &self.store) {
            (Some((key, name)), _) => Some((name, key.clone())),
            (None, Some(name)) => Some((name, server(registry))),
            (None, None) => None,
        }
    }
}

/// What docker calls a registry when it asks a helper.
fn server(registry: &str) -> String {
    if HUB.contains(&registry) { "https://index.docker.io/v1/".to_owned() } else { registry.to_owned() }
}

/// Host and path of an entry: `https://index.docker.io/v1/`, `reg.example:5000`, `reg.example/team`.
fn entry(key: &str) -> (String, &str) {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    let path = if matches!(path, "v1" | "v2") { "" } else { path };
    (host.to_ascii_lowercase(), path.trim_start_matches("v1/").trim_start_matches("v2/"))
}

/// `*` in an entry stands for one part of the name.
fn same_registry(entry: &str, registry: &str) -> bool {
    if HUB.contains(&entry) && HUB.contains(&registry) {
        return true;
    }
    super::credential::host_matches(entry, registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "auths": {
            "https://index.docker.io/v1/": { "auth": "aHViOnNlY3JldA==" },
            "reg.example:5000": { "username": "plain", "password": "CANARY" },
            "reg.example:5000/team": { "username": "team", "password": "t" },
            "*.cloud.example": { "identitytoken": "CANARY" },
            "empty.example": {}
        },
        "credHelpers": { "gcr.example": "gcloud" },
        "credsStore": "pass",
        "HttpHeaders": { "x": "y" }
    }"#;

    #[test]
    fn logins_are_found_by_registry_and_path() {
        let config = parse(Path::new("/c.json"), TEXT).unwrap();
        let user = |registry, repository| config.login(registry, repository).map(|l| l.user.as_str());
        assert_eq!(user("docker.io", "library/busybox"), Some("hub"));
        assert_eq!(user("reg.example:5000", "app"), Some("plain"));
        assert_eq!(user("reg.example:5000", "team/app"), Some("team"));
        assert_eq!(user("reg.example:5000", "teams/app"), Some("plain"));
        assert_eq!(user("reg.example", "app"), None);
        assert_eq!(user("a.cloud.example", "app"), Some(""));
        assert_eq!(user("a.b.cloud.example", "app"), None);
        assert_eq!(user("empty.example", "app"), None);
        assert_eq!(config.helper("gcr.example"), Some(("gcloud", "gcr.example".to_owned())));
        assert_eq!(config.helper("docker.io"), Some(("pass", "https://index.docker.io/v1/".to_owned())));
        assert!(!format!("{config:?}").contains("CANARY"));
    }

    #[test]
    fn files_that_are_wrong_quote_no_secret() {
        for (text, says) in [
            (r#"{"auths":{"a":{"auth":"CANARY!"}}}"#, "not base64"),
            (r#"{"auths":{"a":{"auth":"Q0FOQVJZ"}}}"#, "not base64 of user:password"),
            (r#"{"auths":{"a":{"auth":CANARY}}}"#, "line 1"),
            (r#"{"credsStore":"../../bin/sh"}"#, "cannot be the name"),
            (r#"{"credHelpers":{"a":"x y"}}"#, "cannot be the name"),
        ] {
            let error = format!("{:#}", parse(Path::new("/c.json"), text).unwrap_err());
            assert!(error.contains(says) && !error.contains("CANARY"), "{error}");
        }
        let old = parse(Path::new("/x/.dockercfg"), r#"{"a":{"auth":"dTpw"}}"#).unwrap();
        assert_eq!(old.login("a", "b").unwrap().password, "p");
    }
}
