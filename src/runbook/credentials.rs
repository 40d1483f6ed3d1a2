//! Credentials for a registry as the node has them: files of the kubelet and of Docker, tables of containerd. Says what is
//! wrong with them; secrets are in no message and in no evidence.

use std::path::Path;

use base64::Engine;
use serde_json::Value;

use super::{
    ConfFacts, Params,
    helpers::{Helper, HelperState},
    settings::{self, Area},
};
use crate::{config::docker, node::below};

/// Where the kubelet looks (docs of `imagePullSecrets`, "node-level credentials"), and Docker's own.
const FILES: &[&str] = &["/var/lib/kubelet/config.json", "/root/.docker/config.json", "/.docker/config.json"];

#[derive(Clone, Default)]
pub struct Credential {
    pub user: String,
    pub source: String,
    /// The value of an Authorization header.
    pub header: String,
}

impl Credential {
    pub fn basic(user: &str, password: &str, source: &str) -> Self {
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Self { user: user.to_owned(), source: source.to_owned(), header: format!("Basic {encoded}") }
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} from {}", self.user, self.source)
    }
}

#[derive(Debug, Default)]
pub struct Credentials {
    pub found: Vec<Credential>,
    /// Files looked into, and what is wrong with their entries.
    pub notes: Vec<String>,
    /// Programs that know more.
    pub helpers: Vec<Helper>,
}

/// What is told by files: those of the node, and `more`, which the runtime reads beside them.
pub fn find(root: &Path, params: &Params, conf: Option<&ConfFacts>, registry: &str, more: &[String]) -> Credentials {
    let mut all = Credentials::default();
    if let Some(path) = params.get("auth-file") {
        of_file(Path::new(path), path, registry, &mut all);
    }
    let key = ["registry", "configs", registry, "auth"];
    if let Some(said) = conf.and_then(|c| settings::said(c, Area::Images, &key)) {
        of_entry(&said.value, &said.source, &mut all);
    }
    for path in more.iter().map(String::as_str).chain(FILES.iter().copied()) {
        of_file(&below(root, path), path, registry, &mut all);
    }
    // CRI-O's own, for every pod.
    let global = conf.and_then(|c| settings::whole(c, &["crio", "image", "global_auth_file"]));
    if let Some(path) = global.as_ref().and_then(|s| s.value.as_str()).filter(|p| !p.is_empty()) {
        of_file(&below(root, path), path, registry, &mut all);
    }
    if all.found.is_empty() {
        all.notes.push(format!("none for {registry} in {} or containerd's configuration", FILES.join(", ")));
    }
    all
}

fn of_file(path: &Path, shown: &str, registry: &str, all: &mut Credentials) {
    let config = match docker::load(path) {
        Ok(Some(config)) => config,
        Ok(None) => return,
        Err(error) => return all.notes.push(format!("{error:#}")),
    };
    if let Some((helper, server)) = config.helper(registry) {
        let (program, file) = (format!("docker-credential-{helper}"), shown.to_owned());
        all.helpers.push(Helper { program, file, server, state: HelperState::Unused });
    }
    match config.login(registry, "") {
        Some(login) => of_login(&login.user, &login.password, shown, all),
        None if config.auths.is_empty() => {}
        None => {
            let keys: Vec<&str> = config.auths.keys().map(String::as_str).collect();
            all.notes.push(format!("{shown} has entries for {}, but none for {registry}", keys.join(", ")));
        }
    }
}

fn of_login(user: &str, password: &str, source: &str, all: &mut Credentials) {
    if password.is_empty() {
        return all.notes.push(format!("{source} has an empty password"));
    }
    if password.ends_with('\n') {
        all.notes.push(format!("the password of {source} ends in a line break, which is sent with it"));
    }
    all.found.push(Credential::basic(user, password, source));
}

/// `username` and `password`, or `auth`, of containerd's table.
fn of_entry(entry: &Value, source: &str, all: &mut Credentials) {
    let text = |key: &str| entry[key].as_str().filter(|v| !v.is_empty());
    if let (Some(user), Some(password)) = (text("username"), text("password")) {
        return of_login(user, password, source, all);
    }
    let decoded = text("auth").and_then(|a| base64::engine::general_purpose::STANDARD.decode(a.trim()).ok());
    match decoded.and_then(|d| String::from_utf8(d).ok()).as_deref().and_then(|d| d.split_once(':')) {
        Some((user, password)) => of_login(user, password, source, all),
        None => all.notes.push(format!("{source} holds neither a user and a password nor an auth of user:password")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_and_no_secret() {
        let root = tempfile::tempdir().unwrap();
        let put = |text: &str| {
            let path = below(root.path(), FILES[0]);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            find(root.path(), &Params::new(), None, "r.test", &[])
        };
        let encode = |pair: &str| base64::engine::general_purpose::STANDARD.encode(pair);
        let good = put(&format!(r#"{{"auths":{{"https://r.test/v1/":{{"auth":"{}"}}}}}}"#, encode("me:hunter2")));
        assert_eq!((good.found.len(), good.found[0].user.as_str()), (1, "me"));
        assert!(!format!("{good:?}").contains("hunter2"));
        for (text, word) in [
            (r#"{"auths":{"r.test":{"auth":"%%"}}}"#.to_owned(), "not base64"),
            (format!(r#"{{"auths":{{"r.test":{{"auth":"{}"}}}}}}"#, encode("me")), "user:password"),
            (format!(r#"{{"auths":{{"other":{{"auth":"{}"}}}}}}"#, encode("a:b")), "none for r.test"),
            (format!(r#"{{"auths":{{"r.test":{{"auth":"{}"}}}}}}"#, encode("a:b\n")), "line break"),
            ("{".to_owned(), "not docker's configuration"),
        ] {
            let found = put(&text);
            assert!(found.notes.iter().any(|n| n.contains(word)), "{word}: {:?}", found.notes);
        }
    }
}
