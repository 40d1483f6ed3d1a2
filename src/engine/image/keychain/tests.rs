//! Real programs: a helper and a provider, as shell scripts.

use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn sources(keys: &Keys) -> Vec<(String, String)> {
    let user = |c: &Credentials| match c {
        Credentials::Basic { user, .. } => user.clone(),
        other => format!("{other:?}"),
    };
    keys.found.iter().map(|f| (user(&f.credentials), f.source.clone())).collect()
}

struct Home(tempfile::TempDir);

impl Home {
    fn new(docker: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.at("config.json"), docker).unwrap();
        home
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn keychain(&self) -> Keychain {
        let auth = |username: &str| Auth { username: username.into(), password: "CANARY".into(), ..Auth::default() };
        Keychain::new(KeychainConfig {
            auths: [("r.example".to_owned(), auth("node"))].into(),
            docker_config: Some(self.at("config.json")),
            provider_config: self.at("providers.yaml").exists().then(|| self.at("providers.yaml")),
            provider_bin_dir: Some(self.at("bin")),
            root: self.0.path().to_owned(),
        })
    }

    fn provider(&self, name: &str, answer: &str) {
        let log = self.at("asked");
        script(&self.at("bin").join(name), &format!("cat >> {0}; echo >> {0}\n{answer}", log.display()));
        let text = format!(
            "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: {name}\n  \
             matchImages: ['*.example']\n  defaultCacheDuration: 1h\n  \
             apiVersion: credentialprovider.kubelet.k8s.io/v1\n  args: [get]\n  env: [{{name: WHO, value: me}}]\n"
        );
        fs::write(self.at("providers.yaml"), text).unwrap();
    }

    fn asked(&self) -> usize {
        fs::read_to_string(self.at("asked")).unwrap_or_default().lines().filter(|l| !l.is_empty()).count()
    }
}

#[tokio::test]
async fn sources_are_asked_in_their_order() {
    let home = Home::new(r#"{"auths":{"r.example":{"auth":"ZmlsZTpw"}},"credHelpers":{"r.example":"own"}}"#);
    script(&home.at("docker-credential-own"), r#"read s; echo "{\"Username\":\"helper-$s-$1\",\"Secret\":\"p\"}""#);
    let answer = r#"echo "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":\"CredentialProviderResponse\",\"cacheKeyType\":\"Registry\",\"auth\":{\"*.example\":{\"username\":\"$WHO-$1\",\"password\":\"p\"},\"other.test\":{\"username\":\"x\",\"password\":\"p\"}}}""#;
    home.provider("cloud", answer);
    let keychain = home.keychain();
    let keys = keychain.find("r.example", "r.example", "team/app").await;
    let users: Vec<_> = sources(&keys).into_iter().map(|(user, _)| user).collect();
    assert_eq!(users, ["node", "file", "helper-r.example-get", "me-get"], "{keys:?}");
    assert!(sources(&keys)[2].1.ends_with("docker-credential-own") && keys.notes.is_empty());
    assert!(!format!("{keys:?}{keychain:?}").contains("CANARY"));
    keychain.find("r.example", "r.example", "other/app").await;
    assert_eq!(home.asked(), 1, "the answer is kept for the registry");
    keychain.find("s.example", "s.example", "app").await;
    assert_eq!(home.asked(), 2);
    assert!(fs::read_to_string(home.at("asked")).unwrap().contains(r#""image":"r.example/team/app""#));
}

#[tokio::test]
async fn programs_that_fail_are_notes() {
    let home = Home::new(r#"{"credsStore":"none","credHelpers":{"a.test":"bad","b.test":"unknown"}}"#);
    script(&home.at("docker-credential-bad"), "echo CANARY; echo 'no\tkeyring' >&2; exit 1");
    script(&home.at("docker-credential-unknown"), "echo 'credentials not found in native keychain'; exit 1");
    home.provider("cloud", "echo '{\"CANARY\"'");
    let keychain = home.keychain();
    let notes = async |host| keychain.find(host, host, "app").await.notes.join("; ");
    assert!(notes("a.test").await.contains("docker-credential-bad: it failed: no keyring"));
    assert_eq!(notes("b.test").await, "");
    assert!(notes("c.test").await.contains("there is no such program"));
    let cloud = notes("x.example").await;
    assert!(
        cloud.contains("cloud: its answer is no CredentialProviderResponse") && !cloud.contains("CANARY"),
        "{cloud}"
    );
    home.provider("cloud", "head -c 2000000 /dev/zero");
    assert!(notes("x.example").await.contains("more than"));
}

#[tokio::test]
async fn a_mirror_gets_only_what_is_its_own() {
    let home = Home::new(r#"{"auths":{"https://index.docker.io/v1/":{"auth":"aHViOnA="}}}"#);
    let keychain = home.keychain();
    let users = async |host, namespace| sources(&keychain.find(host, namespace, "library/x").await);
    assert_eq!(users("registry-1.docker.io", "docker.io").await.len(), 1);
    assert_eq!(users("mirror.test", "docker.io").await, []);
    assert_eq!(users("r.example", "docker.io").await[0].0, "node");
}
