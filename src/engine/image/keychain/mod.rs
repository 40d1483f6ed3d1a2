//! Who the node is to a registry: its own configuration, docker's file with its helpers, the kubelet's credential providers.
//!
//! In that order; the pull request's own word comes before all of them and is not here. Nothing is written to disk, and a
//! source that fails is a note, not an error: the next one may know.

mod exec;
mod helper;
mod provider;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::auth::Credentials;
use crate::{
    config::{
        containerd::Auth,
        credential,
        docker::{self, DockerConfig, Login},
    },
    error::{Error, Result},
};

/// Where the node's credentials are.
#[derive(Debug, Clone)]
pub struct KeychainConfig {
    /// By host: `registry.configs.HOST.auth` of containerd's configuration, and the file it is in.
    pub auths: BTreeMap<String, Auth>,
    /// `None` looks in [`docker::PLACES`].
    pub docker_config: Option<PathBuf>,
    /// The kubelet's `--image-credential-provider-config`.
    pub provider_config: Option<PathBuf>,
    /// Its `--image-credential-provider-bin-dir`.
    pub provider_bin_dir: Option<PathBuf>,
    /// Below which the usual places are looked for.
    pub root: PathBuf,
}

impl Default for KeychainConfig {
    fn default() -> Self {
        Self {
            auths: BTreeMap::new(),
            docker_config: None,
            provider_config: None,
            provider_bin_dir: None,
            root: PathBuf::from("/"),
        }
    }
}

/// Credentials, and who said so: a phrase for errors.
#[derive(Debug, Clone)]
pub struct Found {
    pub credentials: Credentials,
    pub source: String,
}

#[derive(Debug, Default)]
pub struct Keys {
    pub found: Vec<Found>,
    /// Why a source gave nothing though it should have.
    pub notes: Vec<String>,
}

#[derive(Debug)]
pub struct Keychain {
    config: KeychainConfig,
    /// What providers gave, for as long as they allow.
    cache: Mutex<HashMap<provider::CacheKey, provider::Cached>>,
}

impl Keychain {
    pub fn new(config: KeychainConfig) -> Self {
        Self { config, cache: Mutex::default() }
    }

    /// All that is known about `host`, best first. `namespace` and `repository` are the image's: a mirror of another name
    /// gets only what is meant for itself.
    pub async fn find(&self, host: &str, namespace: &str, repository: &str) -> Keys {
        let mut keys = Keys::default();
        if let Some(auth) = self.config.auths.get(host).or_else(|| self.config.auths.get(&alias(host))) {
            keys.add("the node's configuration", of_auth(auth));
        }
        match self.docker().await {
            Ok(None) => {}
            Ok(Some(docker)) => self.ask_docker(&docker, host, repository, &mut keys).await,
            Err(error) => keys.notes.push(format!("{error:#}")),
        }
        let itself = alias(host) == namespace || host == namespace;
        let image = format!("{}/{repository}", if itself { namespace } else { host });
        match self.providers().await {
            Ok(providers) => {
                for provider in providers {
                    self.ask_provider(&provider, &image, &mut keys).await;
                }
            }
            Err(error) => keys.notes.push(format!("{error:#}")),
        }
        keys
    }

    async fn docker(&self) -> Result<Option<DockerConfig>> {
        let (path, root) = (self.config.docker_config.clone(), self.config.root.clone());
        read(move || match path {
            Some(path) => docker::load(&path),
            None => docker::find(&root),
        })
        .await
    }

    async fn ask_docker(&self, docker: &DockerConfig, host: &str, repository: &str, keys: &mut Keys) {
        let place = docker.path.display();
        if let Some(login) = docker.login(host, repository) {
            keys.add(&place.to_string(), Ok(of_login(login)));
        }
        if let Some((name, server)) = docker.helper(host) {
            let source = format!("credential helper docker-credential-{name}");
            match helper::get(name, &server, docker.path.parent().unwrap_or(Path::new("/"))).await {
                Ok(found) => keys.add(&source, Ok(found)),
                Err(error) => keys.notes.push(format!("{source}: {error:#}")),
            }
        }
    }

    async fn providers(&self) -> Result<Vec<credential::CredentialProvider>> {
        let Some(path) = self.config.provider_config.clone() else { return Ok(Vec::new()) };
        read(move || credential::load(&path)).await
    }

    async fn ask_provider(&self, provider: &credential::CredentialProvider, image: &str, keys: &mut Keys) {
        let (registry, repository) = image.split_once('/').unwrap_or((image, ""));
        let wanted = provider.match_images.iter().any(|pattern| credential::matches(pattern, registry, repository));
        if !wanted {
            return;
        }
        let source = format!("kubelet credential provider {}", provider.name);
        let Some(directory) = &self.config.provider_bin_dir else {
            return keys.notes.push(format!("{source}: the directory of its program is not known"));
        };
        if provider.needs_token {
            let text =
                format!("{source}: it needs a token of the pod's service account, which only the kubelet can get");
            return keys.notes.push(text);
        }
        match provider::get(provider, directory, image, &self.cache).await {
            Ok(found) => found.into_iter().for_each(|c| keys.add(&source, Ok(Some(c)))),
            Err(error) => keys.notes.push(format!("{source}: {error:#}")),
        }
    }
}

impl Keys {
    fn add(&mut self, source: &str, found: Result<Option<Credentials>>) {
        match found {
            Ok(Some(credentials)) => self.found.push(Found { credentials, source: source.to_owned() }),
            Ok(None) => {}
            Err(error) => self.notes.push(format!("{source}: {error:#}")),
        }
    }
}

/// The name people know a host by.
fn alias(host: &str) -> String {
    if host == "registry-1.docker.io" { "docker.io".to_owned() } else { host.to_owned() }
}

fn of_login(login: &Login) -> Option<Credentials> {
    if !login.user.is_empty() {
        return Some(Credentials::basic(&login.user, &login.password));
    }
    if !login.identity_token.is_empty() {
        return Some(Credentials::identity_token(&login.identity_token));
    }
    (!login.registry_token.is_empty()).then(|| Credentials::bearer(&login.registry_token))
}

fn of_auth(auth: &Auth) -> Result<Option<Credentials>> {
    if !auth.username.is_empty() {
        return Ok(Some(Credentials::basic(&auth.username, &auth.password)));
    }
    if !auth.auth.is_empty() {
        return Credentials::from_base64(&auth.auth).map(Some);
    }
    Ok((!auth.identity_token.is_empty()).then(|| Credentials::identity_token(&auth.identity_token)))
}

async fn read<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::new(crate::error::Kind::Internal, "a blocking task died").with_source(e)))
}

#[cfg(test)]
mod tests;
