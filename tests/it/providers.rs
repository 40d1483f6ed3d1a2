//! The kubelet's credential providers in a pull from a registry that asks for a password.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread, time::Duration};

use crate::support::{
    node::Node,
    registry::{self, Registry},
};

/// bcrypt of "secret".
const HTPASSWD: &str = "user:$2b$05$AQ4/rsjXP14PsUbK9EzBheq/CNORFJdm1J3asVYmVTy07iONLx5xG\n";
const HOST: &str = "127.0.0.1:5000";

/// A provider that writes down each question and gives the answer in a file beside it.
fn provider(dir: &Path) -> Vec<String> {
    let (bin, config) = (dir.join("providers"), dir.join("providers.yaml"));
    fs::create_dir(&bin).unwrap();
    let text = format!("#!/bin/sh\ncat >> {0}/asked; echo >> {0}/asked; cat {0}/answer\n", dir.display());
    fs::write(bin.join("cloud"), text).unwrap();
    fs::set_permissions(bin.join("cloud"), fs::Permissions::from_mode(0o755)).unwrap();
    let text = format!(
        "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: cloud\n  \
         matchImages: ['{HOST}']\n  defaultCacheDuration: 1h\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
    );
    fs::write(&config, text).unwrap();
    let flags = ["--image-credential-provider-config", "--image-credential-provider-bin-dir"];
    flags.iter().zip([config, bin]).flat_map(|(flag, path)| [(*flag).to_owned(), path.display().to_string()]).collect()
}

fn answers(node: &Node, cache: &str, duration: &str, password: &str) {
    let answer = serde_json::json!({ "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderResponse", "cacheKeyType": cache, "cacheDuration": duration,
        "auth": { HOST: { "username": "user", "password": password } } });
    fs::write(node.dir.join("answer"), answer.to_string()).unwrap();
}

/// The images it was asked about since the last look.
fn asked(node: &Node) -> Vec<String> {
    let path = node.dir.join("asked");
    let text = fs::read_to_string(&path).unwrap_or_default();
    fs::write(path, "").unwrap();
    let requests = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    requests.map(|request| request["image"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_credential_provider_s_word_opens_a_registry_for_as_long_as_it_says() {
    let Some(mut node) = Node::start_with("providers", provider) else { return };
    let Some(registry) = Registry::start("providers", &node.netns, &node.dir.join("closed"), Some(HTPASSWD)) else {
        return;
    };
    let layer = || [registry::layer(&node.dir.join("providers"))];
    for name in ["a", "b"] {
        registry.push(name, "1", &layer(), Some("dXNlcjpzZWNyZXQ="));
    }
    let [a, b] = ["a", "b"].map(|name| format!("{HOST}/{name}:1"));
    let pull = |node: &Node, images: &[&String]| images.iter().for_each(|image| drop(node.ok(&["pull", image])));

    answers(&node, "Image", "1h", "secret");
    pull(&node, &[&a, &a, &b]);
    assert_eq!(asked(&node), [format!("{HOST}/a"), format!("{HOST}/b")], "once for each image");

    node.stop();
    node.serve();
    answers(&node, "Global", "1h", "secret");
    pull(&node, &[&a, &b]);
    assert_eq!(asked(&node), [format!("{HOST}/a")], "once for all");

    node.stop();
    node.serve();
    answers(&node, "Registry", "2s", "secret");
    pull(&node, &[&a, &b]);
    assert_eq!(asked(&node), [format!("{HOST}/a")], "once for the registry");
    answers(&node, "Registry", "0s", "CANARY");
    thread::sleep(Duration::from_millis(2100));
    // Its word has expired, and the next is another.
    let said = node.fails(&["pull", &b]);
    assert!(said.contains("(401)") && !said.contains("CANARY"), "{said}");
    assert!(said.contains("wrong user or password in kubelet credential provider cloud"), "{said}");
    assert_eq!(asked(&node), [format!("{HOST}/b")]);
    answers(&node, "Registry", "1h", "secret");
    pull(&node, &[&b]);
    assert_eq!(asked(&node), [format!("{HOST}/b")], "nothing is kept for no time at all");
    drop(registry);
    node.end();
}
