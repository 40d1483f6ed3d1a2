//! Where an image and its login come from, when the fault is there: mirrors before a registry, credential helpers, images of other
//! machines. Each is made to happen, and must be named as the only cause.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use crate::support::{
    self,
    containerd::{BESIDE, Containerd, OUTSIDE},
    node::Node,
    registry::{self, Registry},
    scripted::{Said, Scripted},
};

/// bcrypt of "secret".
const HTPASSWD: &str = "user:$2b$05$AQ4/rsjXP14PsUbK9EzBheq/CNORFJdm1J3asVYmVTy07iONLx5xG\n";

#[test]
fn an_image_of_another_machine_is_named_with_what_it_is_for() {
    let Some(node) = Containerd::start("platform") else { return };
    let layer = registry::layer(&node.dir.join("image"));
    let server = node.registry.as_ref().unwrap();
    server.push_index(("test/index", "1"), &layer, &[("linux", "arm64"), ("linux", "s390x")]);
    server.push_for(("test/single", "1"), &layer, ("linux", "arm64"));
    server.push_index(("test/windows", "1"), &layer, &[("windows", "amd64")]);
    server.push_index(("test/all", "1"), &layer, &[("linux", "arm64"), ("linux", "amd64")]);
    let report = |name: &str| node.report("image-pull", &[&format!("image=127.0.0.1:5000/test/{name}:1")]);
    report("index").names("wrong-platform", &["linux/arm64, linux/s390x", "linux/amd64", "no match for platform"]);
    let pull = node.crictl(&["pull", "127.0.0.1:5000/test/index:1"]);
    assert!(String::from_utf8_lossy(&pull.stderr).contains("no match for platform"), "{pull:?}");
    // Nothing keeps a runtime from pulling this one; it is the container that does not start.
    report("single").names("wrong-platform", &["linux/arm64", "exec format error"]);
    report("windows").names("wrong-platform", &["windows/amd64"]);
    let whole = report("all");
    whole.no_cause();
    assert_eq!(whole.verdict("pull-platform"), "pass", "{:#}", whole.value);
}

#[test]
fn a_mirror_that_is_down_is_told_and_the_registry_behind_it_decides() {
    let Some(node) = Containerd::start("mirror-down") else { return };
    let mirror = format!("{OUTSIDE}:5711");
    let hosts = |registry: &str, mirrors: &[&str]| {
        let tables: String = mirrors
            .iter()
            .map(|m| format!("[host.\"http://{m}\"]\n  capabilities = [\"pull\", \"resolve\"]\n"))
            .collect();
        node.write(&format!("certs.d/{registry}/hosts.toml"), &format!("server = \"http://{registry}\"\n{tables}"));
    };
    let report = |name: &str| node.report("image-pull", &[&format!("image={name}")]);
    hosts("127.0.0.1:5000", &[&mirror]);
    // The registry has it.
    let there = report("127.0.0.1:5000/test/busybox:1");
    there.no_cause();
    assert_eq!(there.verdict("pull-hosts"), "warn", "{:#}", there.value);
    let words = there.step("pull-hosts").to_string();
    assert!(words.contains(&format!("{mirror} refuses the connection")) && words.contains("and has it"), "{words}");
    assert!(node.crictl(&["pull", "127.0.0.1:5000/test/busybox:1"]).status.success());
    // It does not: with the mirror up, the pull would fail all the same.
    let both = ["127.0.0.1:5000/test/busybox:11", "127.0.0.1:5000/test/bussybox:1"].map(report);
    both[0].names("tag-missing", &[&mirror, "refuses the connection", "nearest"]);
    both[1].names("repository-missing", &[&mirror]);
    assert_eq!(both[0].verdict("pull-hosts"), "fail", "{:#}", both[0].value);
    // Both are down, in different ways.
    let registry = format!("{BESIDE}:5712");
    hosts(&registry, &[&mirror]);
    report(&format!("{registry}/a:1")).names("registry-refused", &[&mirror, &registry]);
    // The mirror wants a login, and behind it is nobody.
    let _closed = Scripted::plain(&node.netns, &mirror, |_| Said::new(401, &[("www-authenticate", "Basic")], ""));
    report(&format!("{registry}/a:1")).names("registry-refused", &["it asks for credentials"]);
    // The registry refuses, and the mirror has only not the image.
    let _limits = Scripted::plain(&node.netns, &registry, |_| Said::new(429, &[], ""));
    report(&format!("{registry}/a:1")).names("rate-limited", &["it asks for credentials"]);
}

/// A program beside the file that names it.
fn helper(node: &Node, script: &str) {
    let path = node.dir.join("docker/docker-credential-test");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_credential_helper_that_gives_no_login_or_a_wrong_one() {
    let _no_kubelet = support::without_kubelet();
    let file = |dir: &std::path::Path| dir.join("docker/config.json");
    let Some(node) = Node::start_with("helpers", |dir| {
        fs::create_dir(dir.join("docker")).unwrap();
        fs::write(file(dir), r#"{"credHelpers":{"127.0.0.1:5000":"test"}}"#).unwrap();
        vec!["--docker-config".to_owned(), file(dir).display().to_string()]
    }) else {
        return;
    };
    let Some(server) = Registry::start("helpers", &node.netns, &node.dir.join("closed"), Some(HTPASSWD)) else {
        return;
    };
    server.push("a", "1", &[registry::layer(&node.dir.join("docker"))], Some("dXNlcjpzZWNyZXQ="));
    let report = || -> Value {
        let asked = ["doctor", "image-pull", "--set", "image=127.0.0.1:5000/a:1", "-o", "json"];
        let output = node.wharf_command(&asked).output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        assert!(!value.to_string().contains("CANARY"), "a secret is shown: {value:#}");
        value["runbooks"][0].clone()
    };
    let named = |cause: &str, words: &[&str]| {
        let book = report();
        let steps = book["steps"].as_array().unwrap();
        let all: Vec<&str> = steps.iter().filter_map(|s| s["finding"]["cause"].as_str()).collect();
        assert_eq!(all, [cause], "{book:#}");
        words.iter().for_each(|w| assert!(book.to_string().contains(w), "{w}: {book:#}"));
    };
    named("credential-helper-missing", &["docker-credential-test", "there is no such program", "config.json"]);
    helper(&node, "echo 'no key store here' >&2; exit 3");
    named("credential-helper-failed", &["no key store here"]);
    helper(&node, "exec sleep 60");
    named("credential-helper-failed", &["it hangs"]);
    helper(&node, "echo CANARY");
    named("credential-helper-failed", &["no JSON"]);
    helper(&node, "cat > /dev/null; echo 'credentials not found in native keychain'; exit 1");
    named("credential-helper-empty", &["knows no login for 127.0.0.1:5000"]);
    helper(&node, r#"echo '{"Username":"user","Secret":"CANARY"}'"#);
    named("credential-helper-refused", &["user user"]);
    assert!(node.fails(&["pull", "127.0.0.1:5000/a:1"]).contains("401"));
    helper(&node, r#"cat > /dev/null; echo '{"Username":"user","Secret":"secret"}'"#);
    let book = report();
    assert!(book["cause"].is_null(), "{book:#}");
    node.ok(&["pull", "127.0.0.1:5000/a:1"]);
    drop(server);
    node.end();
}

#[test]
fn a_credential_helper_that_nobody_runs_is_named() {
    let Some(mut node) = Containerd::start("helper-unused") else { return };
    node.registry = None;
    let _closed = Registry::start("helper-unused", &node.netns, &node.dir.join("closed"), Some(HTPASSWD)).unwrap();
    let image = "image=127.0.0.1:5000/test/busybox:1";
    let file = node.write("auth.json", r#"{"auths":{"127.0.0.1:5000":{}},"credsStore":"desktop"}"#);
    node.report("image-pull", &[image, &format!("auth-file={file}")])
        .names("credential-helper-unused", &["docker-credential-desktop", &file, "imagePullSecret"]);
    // Another registry's is no matter.
    let file = node.write("auth.json", r#"{"credHelpers":{"other.test":"desktop"}}"#);
    node.report("image-pull", &[image, &format!("auth-file={file}")]).names("credentials-missing", &[]);
}
