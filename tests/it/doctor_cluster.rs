//! What only an API server knows, by the node's kubeconfig: a server that answers, one that answers wrongly, one that does not.

use std::{fs, path::PathBuf, time::Duration};

use base64::Engine;
use serde_json::{Value, json};

use crate::support::{
    containerd::{Containerd, OUTSIDE, Report},
    scripted::{Asked, Authority, Said, Scripted, Signed},
};

const PORT: &str = "6443";

fn base64(path: &PathBuf) -> String {
    base64::engine::general_purpose::STANDARD.encode(fs::read(path).unwrap())
}

/// A kubeconfig for the server, with these lines about who we are.
fn kubeconfig(node: &Containerd, name: &str, port: &str, ca: &PathBuf, user: &str) -> String {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
         clusters: [{{name: k, cluster: {{server: 'https://{OUTSIDE}:{port}', certificate-authority-data: {}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n",
        base64(ca)
    );
    format!("kubeconfig={}", node.write(name, &text))
}

/// What a server has: classes of two handlers, a node with a label and a taint, a pod that waits, and its events.
fn objects(path: &str) -> Option<Value> {
    let class = |name: &str, handler: &str, selector: Value| {
        json!({ "metadata": { "name": name }, "handler": handler, "scheduling": { "nodeSelector": selector },
            "overhead": { "podFixed": { "memory": "140Mi" } } })
    };
    let pod = |class: &str, tolerations: Value| {
        json!({ "kind": "Pod", "metadata": { "namespace": "shop", "name": "cart" },
            "spec": { "runtimeClassName": class, "containers": [], "tolerations": tolerations } })
    };
    Some(match path.split('?').next().unwrap() {
        "/apis/node.k8s.io/v1/runtimeclasses" => json!({ "kind": "RuntimeClassList", "items": [
            class("plain", "runc", json!({})), class("far", "runc", json!({ "zone": "north" })), class("vm", "kata", json!({})) ] }),
        "/api/v1/nodes/worker-7" => json!({ "kind": "Node", "metadata": { "labels": { "zone": "south" } },
            "spec": { "taints": [{ "key": "sandboxed", "value": "only", "effect": "NoSchedule" }] } }),
        "/api/v1/pods" => json!({ "kind": "PodList", "items": [] }),
        "/api/v1/namespaces/shop/pods/cart" => pod("vm", json!([])),
        "/api/v1/namespaces/shop/pods/kept-off" => pod("plain", json!([])),
        "/api/v1/namespaces/shop/pods/let-in" => pod("plain", json!([{ "key": "sandboxed", "operator": "Exists" }])),
        "/api/v1/namespaces/shop/events" => json!({ "kind": "EventList", "items": [
            { "type": "Normal", "reason": "Scheduled", "count": 1, "lastTimestamp": "2026-01-01T00:00:00Z" },
            { "type": "Warning", "reason": "FailedCreatePodSandBox", "count": 7, "lastTimestamp": "2026-01-01T00:09:00Z",
              "message": "no runtime for \"kata\" is configured" } ] }),
        _ => return None,
    })
}

fn status(code: u16, message: &str) -> Said {
    Said::new(code, &[], &json!({ "kind": "Status", "message": message, "code": code }).to_string())
}

/// Answers who shows a certificate of its CA or the right token.
fn honest(asked: &Asked) -> Said {
    if !asked.known && asked.header("authorization") != "Bearer s3cret" {
        return status(401, "Unauthorized");
    }
    objects(asked.path()).map_or_else(|| status(404, "not found"), |object| Said::json(&object))
}

fn server(node: &Containerd, signed: &Signed, script: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Scripted {
    Scripted::tls(&node.netns, &format!("{OUTSIDE}:{PORT}"), signed, script)
}

fn unknown(report: &Report, check: &str, words: &[&str]) {
    assert_eq!(report.verdict(check), "unknown", "{check}: {:#}", report.value);
    let text = report.step(check).to_string();
    for word in words {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    assert!(report.took < Duration::from_secs(10), "{:?}", report.took);
}

#[test]
fn the_api_server_is_asked_as_the_node() {
    let Some(node) = Containerd::start("cluster") else { return };
    let Some(authority) = Authority::new("cluster", &node.dir.join("pki"), "kubernetes") else { return };
    let signed = authority.sign("server", "/CN=api", &format!("IP:{OUTSIDE}"), "10");
    let me = authority.sign("me", "/O=system:nodes/CN=system:node:worker-7", "DNS:worker-7", "10");
    let api = server(&node, &signed, honest);
    let ca = authority.ca();
    let data = format!("client-certificate-data: {}, client-key-data: {}", base64(&me.certificate), base64(&me.key));
    let inline = kubeconfig(&node, "inline.conf", PORT, &ca, &data);
    let files = format!("client-certificate: {}, client-key: {}", me.certificate.display(), me.key.display());
    let files = kubeconfig(&node, "files.conf", PORT, &ca, &files);
    let token = kubeconfig(&node, "token.conf", PORT, &ca, "token: s3cret");
    let pod = ["namespace=shop", "pod=cart"];

    // Its pod asks for a class whose handler the runtime lacks; who wants it is told, and what the kubelet said of it.
    let report = node.report("runtime-class", &[&inline, pod[0], pod[1]]);
    report.names(
        "handler-missing",
        &["no handler kata, which RuntimeClass vm wants", "FailedCreatePodSandBox", "(7 times)"],
    );
    assert_eq!((report.verdict("pod-events"), report.verdict("class-object")), ("warn", "pass"));
    assert!(api.seen().iter().all(|a| a.known), "the certificate is shown");
    assert!(api.seen().iter().any(|a| a.path() == "/api/v1/nodes/worker-7"), "{:?}", api.seen());

    node.report("runtime-class", &[&files, "class=nosuch"]).names("class-missing", &["there are: plain, far, vm"]);
    node.report("runtime-class", &[&files, "class=far"]).names("node-not-selected", &["zone=north", "zone=south"]);
    let kept = node.report("runtime-class", &[&files, "namespace=shop", "pod=kept-off"]);
    kept.names("taint-not-tolerated", &["sandboxed=only:NoSchedule", "shop/kept-off"]);
    let let_in = node.report("runtime-class", &[&files, "namespace=shop", "pod=let-in"]);
    let_in.no_cause();
    assert_eq!(let_in.verdict("class-selector"), "pass", "{:#}", let_in.value);
    // A token has no node in it.
    let report = node.report("runtime-class", &[&token, "class=plain", "node=worker-7"]);
    report.no_cause();
    assert_eq!(report.verdict("class-selector"), "pass", "{:#}", report.value);
    assert!(!report.value.to_string().contains("s3cret"), "a token is shown");
    unknown(
        &node.report("runtime-class", &[&token, "class=plain", "node=worker-8"]),
        "class-selector",
        &["404", "nodes/worker-8"],
    );
}

#[test]
fn an_api_server_that_does_not_answer_well_is_unknown_with_the_reason() {
    let Some(node) = Containerd::start("cluster-bad") else { return };
    let Some(authority) = Authority::new("cluster-bad", &node.dir.join("pki"), "kubernetes") else { return };
    let Some(stranger) = Authority::new("cluster-bad", &node.dir.join("other"), "somebody else") else { return };
    let signed = authority.sign("server", "/CN=api", &format!("IP:{OUTSIDE}"), "10");
    let ca = authority.ca();
    let token = kubeconfig(&node, "token.conf", PORT, &ca, "token: s3cret");
    let wrong = kubeconfig(&node, "wrong.conf", PORT, &ca, "token: old");
    let other = kubeconfig(&node, "other.conf", PORT, &stranger.ca(), "token: s3cret");
    let exec = kubeconfig(&node, "exec.conf", PORT, &ca, "exec: {command: aws-iam-authenticator}");
    let broken = format!("kubeconfig={}", node.write("broken.conf", "clusters: ["));
    let asks = |kubeconfig: &str| {
        let report = node.report("runtime-class", &[kubeconfig, "class=plain", "node=worker-7"]);
        report.no_cause();
        assert!(!report.value.to_string().contains("s3cret"), "a token is shown");
        assert_eq!(report.code, 2, "{:#}", report.value);
        report
    };
    unknown(&asks(&token), "class-object", &["refused", "GET https://10.9.9.9:6443/"]);
    unknown(&asks(&exec), "class-object", &["aws-iam-authenticator, which is not run"]);
    unknown(&asks(&broken), "class-object", &["broken.conf", "not YAML"]);
    unknown(&asks("kubeconfig=/no/such"), "class-object", &["there is no /no/such"]);

    let api = server(&node, &signed, honest);
    unknown(&asks(&wrong), "class-object", &["401", "does not know the identity"]);
    unknown(&asks(&other), "class-object", &["signed by CN=kubernetes, which this node does not know"]);
    assert!(
        api.seen().iter().all(|a| a.header("authorization") != "Bearer s3cret"),
        "no token over a line that is not trusted"
    );
    drop(api);

    for (answer, words) in [
        ("hangs", vec!["nothing came in 4 s"]),
        ("<html>proxy</html>", vec!["not JSON"]),
        (r#"{"kind":"Table","items":[]}"#, vec!["no RuntimeClassList"]),
        (r#"{"items":[]}"#, vec!["no RuntimeClassList"]),
    ] {
        let _api = server(&node, &signed, move |_| match answer {
            "hangs" => Said::Nothing,
            text => Said::new(200, &[], text),
        });
        unknown(&asks(&token), "class-object", &words);
    }

    // What may not be read is missing by itself: the rest is judged.
    let _api = server(&node, &signed, |asked| match asked.path().contains("/events") {
        true => status(403, "events is forbidden: User \"system:node:worker-7\" cannot list resource \"events\""),
        false => honest(asked),
    });
    let report = node.report("runtime-class", &[&token, "node=worker-7", "namespace=shop", "pod=let-in"]);
    unknown(&report, "pod-events", &["403", "cannot list resource"]);
    assert_eq!(
        (report.verdict("class-object"), report.verdict("class-selector")),
        ("pass", "pass"),
        "{:#}",
        report.value
    );
}
