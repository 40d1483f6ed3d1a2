//! What stands between a node and an image and is not the registry's: one of several name servers, a proxy that only a login has,
//! the secrets a pod brings. And what the doctor shows of them: no secret.

use std::{io::Read, time::Duration};

use base64::Engine;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{
    containerd::{BESIDE, Containerd, OUTSIDE},
    names::Names,
    registry::Registry,
    scripted::{Authority, Said, Scripted},
};

/// bcrypt of "secret".
const HTPASSWD: &str = "user:$2b$05$AQ4/rsjXP14PsUbK9EzBheq/CNORFJdm1J3asVYmVTy07iONLx5xG\n";
/// Stands for every secret.
const CANARY: &str = "c4n4ry";

#[test]
fn the_one_of_several_name_servers_that_fails_is_named() {
    let Some(mut node) = Containerd::start("pull-servers") else { return };
    let resolv = |node: &Containerd, options: &str| {
        node.write("resolv.conf", &format!("nameserver 127.0.0.2\nnameserver 127.0.0.3\n{options}"))
    };
    node.resolv = Some(resolv(&node, ""));
    let image = "image=registry.wharf.test:5001/a:1";
    let knows = Some([10, 9, 9, 9]);
    let first = |knows, code| Names::start(&node, "127.0.0.2", knows, code);
    let second = |knows, code| Names::start(&node, "127.0.0.3", knows, code);
    {
        let _servers = (first(None, Some(3)), second(knows, None));
        node.report("image-pull", &[image])
            .names("dns-server-wrong", &["name server 127.0.0.2 says", "127.0.0.3: 10.9.9.9 in"]);
    }
    {
        let _servers = (first(None, None), second(knows, None));
        let report = node.report("image-pull", &[image]);
        report.names("dns-server-silent", &["name server 127.0.0.2 does not answer", "127.0.0.3: 10.9.9.9 in"]);
        assert!(report.took < Duration::from_secs(10), "{:?}", report.took);
    }
    {
        // The next one is asked then, so the name resolves: what fails is what comes after.
        let _servers = (first(None, Some(2)), second(knows, None));
        let report = node.report("image-pull", &[image]);
        report.names("registry-refused", &["SERVFAIL"]);
        assert_eq!(report.verdict("pull-dns"), "warn", "{:#}", report.value);
    }
    {
        let _servers = (first(None, Some(3)), second(None, Some(3)));
        node.report("image-pull", &[image]).names("dns-no-such-name", &["127.0.0.3: there is no such name"]);
    }
    {
        let _servers = (first(knows, None), second(knows, None));
        let report = node.report("image-pull", &[image]);
        report.names("registry-refused", &[]);
        assert_eq!(report.verdict("pull-dns"), "pass", "{:#}", report.value);
    }
    resolv(&node, "options timeout:1 attempts:1\n");
    let _servers = (first(None, None), second(None, None));
    node.report("image-pull", &[image]).names("dns-unavailable", &["127.0.0.3: "]);
}

#[test]
fn a_proxy_that_only_a_login_has_is_named() {
    let Some(mut node) = Containerd::start("pull-shell") else { return };
    let _proxy = Scripted::plain(&node.netns, &format!("{BESIDE}:3128"), |_| Said::new(404, &[], "{}"));
    node.write("certs.d/10.77.0.1:5000/hosts.toml", "server = \"http://10.77.0.1:5000\"\n");
    let image = "image=10.77.0.1:5000/a:1";
    let proxy = format!("http://{BESIDE}:3128");
    node.report("image-pull", &[image]).names("registry-no-route", &["10.77.0.1"]);
    node.shell = vec![("http_proxy", proxy.clone())];
    let report = node.report("image-pull", &[image]);
    report.names("proxy-missing", &["this shell's environment", &format!("{BESIDE}:3128"), "the runtime has none"]);
    assert_eq!(report.verdict("pull-connect"), "not-applicable", "{:#}", report.value);
    // One that leads nowhere either explains nothing.
    node.shell = vec![("http_proxy", format!("http://{BESIDE}:3999"))];
    node.report("image-pull", &[image]).names("registry-no-route", &["10.77.0.1"]);
    // The reverse: the runtime has it, a login has not. That is well, and told.
    node.shell = Vec::new();
    node.environment = vec![("http_proxy", proxy.clone())];
    node.restart();
    let report = node.report("image-pull", &[image]);
    report.names("repository-missing", &["a login has no proxy here"]);
    assert_eq!(report.verdict("pull-proxy"), "pass", "{:#}", report.value);
    // And an exception from it that is too wide.
    node.environment.push(("NO_PROXY", "10.77.0.0/16".to_owned()));
    node.restart();
    node.report("image-pull", &[image])
        .names("no-proxy-too-wide", &["NO_PROXY: 10.77.0.0/16", "only through the proxy"]);
}

/// A secret as the API server has it.
fn secret(kind: &str, key: &str, text: &str) -> Value {
    let data = base64::engine::general_purpose::STANDARD.encode(text);
    json!({ "kind": "Secret", "type": kind, "data": { key: data } })
}

fn login(registry: &str, pair: &str) -> String {
    let auth = base64::engine::general_purpose::STANDARD.encode(pair);
    json!({ "auths": { registry: { "auth": auth } } }).to_string()
}

#[test]
fn a_pods_pull_is_judged_with_the_secrets_it_brings() {
    let Some(mut node) = Containerd::start("pull-pod") else { return };
    let Some(authority) = Authority::new("pull-pod", &node.dir.join("pki"), "kubernetes") else { return };
    node.registry = None;
    let closed = node.dir.join("closed");
    let Some(_registry) = Registry::start("pull-pod", &node.netns, &closed, Some(HTPASSWD)) else { return };
    let signed = authority.sign("server", "/CN=api", &format!("IP:{OUTSIDE}"), "10");
    let docker = |text: String| secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", &text);
    let _api = Scripted::tls(&node.netns, &format!("{OUTSIDE}:6443"), &signed, move |asked| {
        let path = asked.path().split('?').next().unwrap().to_owned();
        let pod = |secret: &str, policy: &str| {
            json!({ "kind": "Pod", "metadata": { "namespace": "shop", "name": secret },
                "spec": { "imagePullSecrets": [{ "name": secret }], "containers": [
                    { "name": "side", "image": "127.0.0.1:5000/side:1" },
                    { "name": "web", "image": "127.0.0.1:5000/web:1", "imagePullPolicy": policy }] },
                "status": { "containerStatuses": [
                    { "name": "web", "state": { "waiting": { "reason": "ImagePullBackOff" } } }] } })
        };
        let object = match path.strip_prefix("/api/v1/namespaces/shop/").unwrap_or_default() {
            "pods/never" => pod("good", "Never"),
            "secrets/good" => docker(login("127.0.0.1:5000", "user:secret")),
            "secrets/wrong" => docker(login("127.0.0.1:5000", "user:c4n4ry")),
            "secrets/other" => docker(login("registry.example.com", "user:c4n4ry")),
            "secrets/opaque" => secret("Opaque", ".dockerconfigjson", &login("127.0.0.1:5000", "user:c4n4ry")),
            "secrets/broken" => docker("{\"auths\": c4n4ry".to_owned()),
            rest if rest.starts_with("pods/") => pod(rest.trim_start_matches("pods/"), "Always"),
            _ => return Said::new(404, &[], r#"{"kind":"Status","message":"not found"}"#),
        };
        Said::json(&object)
    });
    let ca = base64::engine::general_purpose::STANDARD.encode(std::fs::read(authority.ca()).unwrap());
    let kubeconfig = node.write(
        "kubeconfig",
        &format!(
            "current-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\nclusters: [{{name: k, cluster: \
             {{server: 'https://{OUTSIDE}:6443', certificate-authority-data: {ca}}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
        ),
    );
    let kubeconfig = format!("kubeconfig={kubeconfig}");
    let report = |pod: &str| {
        let report = node.report("image-pull", &[&kubeconfig, &format!("pod=shop/{pod}")]);
        assert!(!report.value.to_string().contains(CANARY), "a secret is shown: {:#}", report.value);
        report
    };
    // Accepted, so that what is missing now is the image, of the container that waits.
    let good = report("good");
    good.names(
        "repository-missing",
        &["127.0.0.1:5000/web:1", "container web waits: ImagePullBackOff", "pull secret good"],
    );
    assert_eq!(good.verdict("pull-secrets"), "pass");
    report("gone")
        .names("pull-secret-missing", &["shop/gone names the pull secret gone, which is not in its namespace"]);
    report("other").names("pull-secret-other-registry", &["has logins for registry.example.com"]);
    report("opaque").names("pull-secret-broken", &["its type is Opaque"]);
    report("broken").names("pull-secret-broken", &["line 1"]);
    report("wrong").names("credentials-refused", &["user from pull secret wrong"]);
    report("never").names("never-pulled", &["imagePullPolicy of container web is Never"]);
    // Nobody who could tell: not a word about secrets that are not known.
    let alone = node.report("image-pull", &["kubeconfig=/no/such", "pod=shop/good", "image=127.0.0.1:5000/web:1"]);
    assert_eq!(alone.verdict("pull-secrets"), "unknown", "{:#}", alone.value);
    assert!(alone.step("pull-secrets").to_string().contains("there is no /no/such"), "{:#}", alone.value);
    let unnamed = node.report("image-pull", &["kubeconfig=/no/such", "pod=shop/nobody"]);
    assert_eq!((unnamed.verdict("pull-request"), unnamed.code), ("unknown", 2), "{:#}", unnamed.value);
}

#[test]
fn sec_03_the_doctor_shows_no_secret_of_a_registrys_configuration() {
    let Some(mut node) = Containerd::start("canaries") else { return };
    // Sent as the runtime sends it, or the registry would refuse.
    let address = format!("{OUTSIDE}:5620");
    let registry = Scripted::plain(&node.netns, &address, |asked| match asked.header("x-api-key") {
        "c4n4ry of hosts.toml" => Said::new(404, &[], "{}"),
        _ => Said::new(403, &[], "{}"),
    });
    let hosts = format!("server = \"http://{address}\"\n[header]\n  x-api-key = [\"c4n4ry of hosts.toml\"]\n");
    node.write(&format!("certs.d/{address}/hosts.toml"), &hosts);
    node.write(&format!("certs.d/{OUTSIDE}:5621/hosts.toml"), "[header]\nx-api-key = \"c4n4ry and no end\n");
    let auth = "  [plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r.test\".auth]\n    username = \"me\"\n    \
                password = \"c4n4ry, of words; and c4n4ry\"\n    auth = 'c4n4ry c4n4ry'\n    identitytoken = \"c4n4ry\"\n  \
                [plugins.\"io.containerd.grpc.v1.cri\".registry.headers]\n    X-Meta-Token = [\"c4n4ry\"]\n";
    std::fs::write(node.config(), node.settings(auth)).unwrap();
    node.environment = vec![("HTTPS_PROXY", format!("http://me:c4n4ry@{BESIDE}:3128"))];
    node.shell = node.environment.clone();
    node.restart();
    let kubelet = format!("kubelet-config={}", node.write("kubelet.yaml", "cgroupDriver: systemd\n"));
    let login = format!("auth-file={}", node.write("auth.json", &login("127.0.0.1:5000", "me:c4n4ry")));
    let image = format!("image={address}/a:1");
    let mut shown = Vec::new();
    for set in [vec![&*image, &*kubelet, &*login], vec!["image=10.9.9.9:5621/a:1", &*kubelet]] {
        for style in ["text", "json", "npd"] {
            let set = set.iter().flat_map(|s| ["--set", s]);
            let arguments: Vec<&str> = ["all", "-o", style].into_iter().chain(set).collect();
            let (_, text, errors) = node.run(&arguments);
            shown.push(format!("{text}{errors}"));
        }
    }
    assert!(shown[1].contains("config.toml") && shown[1].contains("repository-missing"), "{}", shown[1]);
    assert!(registry.seen().iter().any(|a| !a.header("x-api-key").is_empty()));
    let (_, text, errors) = node.run(&["cgroup-driver", "--set", &kubelet, "--fix", "--yes"]);
    assert!(errors.contains("done: edit"), "{text}{errors}");
    shown.push(format!("{text}{errors}"));
    let file = node.dir.join("node.wharf");
    let capture = ["capture", file.to_str().unwrap(), "--set", &image, "--set", &login];
    let done =
        std::process::Command::new(crate::support::WHARF).args(["-r", &node.socket()]).args(capture).output().unwrap();
    shown.push(String::from_utf8_lossy(&done.stderr).into_owned());
    let mut inside = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut inside).unwrap();
    assert!(inside.contains("r.test") && inside.contains("X-Meta-Token"), "its configuration is there");
    shown.push(inside);
    for text in shown {
        let at = text.find(CANARY).map(|at| &text[at.saturating_sub(300)..text.len().min(at + 100)]);
        assert!(at.is_none(), "a secret is shown: {}", at.unwrap());
    }
}
