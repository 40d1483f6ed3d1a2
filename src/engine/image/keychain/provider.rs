//! The kubelet's credential providers: `credentialprovider.kubelet.k8s.io/v1` over stdin and stdout, with its caching.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::exec;
use crate::{
    bail,
    config::{
        credential::{self, CredentialProvider},
        span,
    },
    engine::image::auth::Credentials,
    error::{Error, Kind, Result},
};

const API_VERSION: &str = "credentialprovider.kubelet.k8s.io/v1";
/// Answers kept at most; the oldest go first.
const MOST_CACHED: usize = 1000;

/// Provider, and image, registry or nothing, as the provider says.
pub type CacheKey = (String, String);

pub struct Cached {
    until: Instant,
    auth: BTreeMap<String, Login>,
}

impl std::fmt::Debug for Cached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.auth.keys()).finish()
    }
}

#[derive(Clone, Deserialize)]
struct Login {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    api_version: String,
    kind: String,
    #[serde(default)]
    cache_key_type: String,
    #[serde(default)]
    cache_duration: Option<String>,
    #[serde(default)]
    auth: Option<BTreeMap<String, Login>>,
}

/// What the provider says about an image: the most exact entry first.
pub async fn get(
    provider: &CredentialProvider,
    directory: &Path,
    image: &str,
    cache: &Mutex<HashMap<CacheKey, Cached>>,
) -> Result<Vec<Credentials>> {
    let registry = image.split('/').next().unwrap_or(image);
    let now = Instant::now();
    for key in [image, registry, ""] {
        let key = (provider.name.clone(), key.to_owned());
        let found = {
            let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.retain(|_, cached| cached.until > now);
            cache.get(&key).map(|cached| cached.auth.clone())
        };
        if let Some(auth) = found {
            return Ok(fitting(&auth, image));
        }
    }
    let response = ask(provider, directory, image).await?;
    let key = match response.cache_key_type.as_str() {
        "Image" => image,
        "Registry" => registry,
        "Global" => "",
        other => {
            let shown: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
            bail!(
                InvalidArgument,
                "its answer has the cacheKeyType {shown:?}, which is none of Image, Registry and Global"
            )
        }
    };
    let keep = match &response.cache_duration {
        Some(text) => span::parse(text)?,
        None => provider.default_cache,
    };
    let auth = response.auth.unwrap_or_default();
    let credentials = fitting(&auth, image);
    if keep > Duration::ZERO {
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MOST_CACHED
            && let Some(oldest) = cache.iter().min_by_key(|(_, cached)| cached.until).map(|(key, _)| key.clone())
        {
            cache.remove(&oldest);
        }
        if let Some(until) = now.checked_add(keep) {
            cache.insert((provider.name.clone(), key.to_owned()), Cached { until, auth });
        }
    }
    Ok(credentials)
}

async fn ask(provider: &CredentialProvider, directory: &Path, image: &str) -> Result<Response> {
    let program = directory.join(&provider.name);
    // The kubelet gives a provider its own environment and the configured words on top.
    let own = std::env::vars().filter(|(name, _)| !provider.env.iter().any(|(set, _)| set == name));
    let env: Vec<(String, String)> = own.chain(provider.env.iter().cloned()).collect();
    let request = serde_json::json!({ "apiVersion": API_VERSION, "kind": "CredentialProviderRequest", "image": image });
    let answer = exec::run(&program, &provider.args, &env, request.to_string().as_bytes()).await?;
    if !answer.success {
        bail!(Unauthenticated, "it failed: {}", answer.complaint);
    }
    let response: Response = serde_json::from_slice(&answer.output).map_err(|e| {
        let place = format!("line {}, column {}", e.line(), e.column());
        Error::new(Kind::InvalidArgument, format!("its answer is no CredentialProviderResponse ({place})"))
    })?;
    if response.api_version != API_VERSION || response.kind != "CredentialProviderResponse" {
        bail!(InvalidArgument, "its answer is no CredentialProviderResponse of {API_VERSION}");
    }
    Ok(response)
}

fn fitting(auth: &BTreeMap<String, Login>, image: &str) -> Vec<Credentials> {
    let (registry, repository) = image.split_once('/').unwrap_or((image, ""));
    let mut fits: Vec<_> =
        auth.iter().filter(|(pattern, _)| credential::matches(pattern, registry, repository)).collect();
    fits.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
    fits.into_iter().map(|(_, login)| Credentials::basic(&login.username, &login.password)).collect()
}
