//! The kubelet's `CredentialProviderConfig`: which program is asked for the login of which image.
//!
//! Source: Kubernetes `kubelet.config.k8s.io/v1`, and the rules of `matchImages` in its documentation.

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde::Deserialize;

use super::{reader, span};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

const API_VERSION: &str = "credentialprovider.kubelet.k8s.io/v1";

#[derive(Debug, Clone)]
pub struct CredentialProvider {
    /// Also the name of its program.
    pub name: String,
    pub match_images: Vec<String>,
    pub default_cache: Duration,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// It wants a token of the pod's service account, which only the kubelet can get.
    pub needs_token: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: String,
    kind: String,
    #[serde(default)]
    providers: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    #[serde(default)]
    match_images: Vec<String>,
    default_cache_duration: Option<String>,
    api_version: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<Variable>,
    token_attributes: Option<TokenAttributes>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenAttributes {
    #[serde(default)]
    require_service_account: bool,
}

/// YAML or JSON.
///
/// # Errors
/// `InvalidArgument` for what the kubelet refuses as well.
pub fn parse(path: &Path, text: &str) -> Result<Vec<CredentialProvider>> {
    let place = path.display();
    let document: Document = serde_norway::from_str(text).map_err(|e| {
        Error::new(Kind::InvalidArgument, format!("{place}: not a CredentialProviderConfig")).with_source(e)
    })?;
    let known = ["kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v1beta1", "kubelet.config.k8s.io/v1alpha1"];
    if document.kind != "CredentialProviderConfig" || !known.contains(&document.api_version.as_str()) {
        bail!(InvalidArgument, "{place}: it is not a CredentialProviderConfig of kubelet.config.k8s.io/v1");
    }
    let mut names = BTreeSet::new();
    let mut providers = Vec::new();
    for entry in document.providers {
        let name = entry.name;
        let shown = name.escape_debug().to_string();
        if name.is_empty() || name.contains(['/', ' ', '\0']) || matches!(name.as_str(), "." | "..") {
            bail!(InvalidArgument, "{place}: {shown:?} cannot be the name of a provider's program");
        }
        if !names.insert(name.clone()) {
            bail!(InvalidArgument, "{place}: provider {shown} is there twice");
        }
        if entry.api_version != API_VERSION {
            let said: String = entry.api_version.chars().filter(|c| !c.is_control()).take(80).collect();
            bail!(InvalidArgument, "{place}: provider {shown}: apiVersion {said:?} is not {API_VERSION}");
        }
        if entry.match_images.is_empty() {
            bail!(InvalidArgument, "{place}: provider {shown}: matchImages is empty");
        }
        let Some(default_cache) = entry.default_cache_duration else {
            bail!(InvalidArgument, "{place}: provider {shown}: defaultCacheDuration is missing");
        };
        providers.push(CredentialProvider {
            default_cache: span::parse(&default_cache)
                .map_err(|e| e.context(format!("{place}: provider {shown}: defaultCacheDuration")))?,
            match_images: entry.match_images,
            args: entry.args,
            env: entry.env.into_iter().map(|v| (v.name, v.value)).collect(),
            needs_token: entry.token_attributes.is_some_and(|t| t.require_service_account),
            name,
        });
    }
    Ok(providers)
}

pub fn load(path: &Path) -> Result<Vec<CredentialProvider>> {
    parse(path, &reader::text(path)?)
}

/// Whether an image `registry/repository` is meant by an entry of `matchImages`: as many parts of the name, each fitting
/// (`*` within a part); the port, if the entry has one; the path, as a prefix.
pub fn matches(pattern: &str, registry: &str, repository: &str) -> bool {
    let pattern = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
    let (host, path) = pattern.split_once('/').unwrap_or((pattern, ""));
    let (_, own_port) = split_port(registry);
    let (_, port) = split_port(host);
    let registry = if port.is_none() && own_port.is_some() { split_port(registry).0 } else { registry };
    host_matches(host, registry) && repository.starts_with(path)
}

/// Parts of two names with ports, one of which may have `*` in its parts.
pub(super) fn host_matches(pattern: &str, host: &str) -> bool {
    let ((pattern, port), (host, own_port)) = (split_port(pattern), split_port(host));
    let (wanted, parts): (Vec<&str>, Vec<&str>) = (pattern.split('.').collect(), host.split('.').collect());
    port == own_port && wanted.len() == parts.len() && wanted.iter().zip(parts).all(|(w, p)| part_matches(w, p))
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    }
}

/// `*` stands for any characters of the part.
fn part_matches(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.eq_ignore_ascii_case(part),
        Some((head, rest)) => {
            let Some(tail) =
                part.get(..head.len()).filter(|h| h.eq_ignore_ascii_case(head)).map(|_| &part[head.len()..])
            else {
                return false;
            };
            (0..=tail.len()).any(|skip| tail.is_char_boundary(skip) && part_matches(rest, &tail[skip..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider
    matchImages: ['*.dkr.ecr.*.amazonaws.com', registry.io:8080/path]
    defaultCacheDuration: 12h
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [get-credentials]
    env: [{name: AWS_PROFILE, value: default}]
";

    #[test]
    fn the_kubelets_file() {
        let providers = parse(Path::new("/p.yaml"), TEXT).unwrap();
        assert_eq!((providers.len(), providers[0].default_cache), (1, Duration::from_secs(12 * 3600)));
        assert_eq!(providers[0].env, [("AWS_PROFILE".to_owned(), "default".to_owned())]);
        for (from, to, says) in [
            ("CredentialProviderConfig", "Pod", "not a CredentialProviderConfig"),
            ("credentialprovider.kubelet.k8s.io/v1", "x/v9", "apiVersion"),
            ("defaultCacheDuration: 12h", "x: y", "defaultCacheDuration"),
            ("ecr-credential-provider", "../../bin/sh", "cannot be the name"),
            ("12h", "forever", "time span"),
        ] {
            let error = format!("{:#}", parse(Path::new("/p.yaml"), &TEXT.replace(from, to)).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn images_are_matched_as_the_documentation_says() {
        for (pattern, registry, repository, fits) in [
            ("123456789.dkr.ecr.us-east-1.amazonaws.com", "123456789.dkr.ecr.us-east-1.amazonaws.com", "a", true),
            ("*.azurecr.io", "x.azurecr.io", "a/b", true),
            ("*.azurecr.io", "x.y.azurecr.io", "a", false),
            ("*.io", "k8s.io", "a", true),
            ("*.io", "a.k8s.io", "a", false),
            ("app*.k8s.io", "app5.k8s.io", "a", true),
            ("k8s.*", "k8s.dev", "a", true),
            ("*.*.registry.io", "a.b.registry.io", "x", true),
            ("registry.io:8080/path", "registry.io:8080", "path/x", true),
            ("registry.io:8080/path", "registry.io:8080", "other", false),
            ("registry.io:8080/path", "registry.io", "path", false),
            ("registry.io", "registry.io:8080", "path", true),
        ] {
            assert_eq!(matches(pattern, registry, repository), fits, "{pattern} {registry}/{repository}");
        }
    }
}
