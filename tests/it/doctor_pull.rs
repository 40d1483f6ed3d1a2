//! Why an image cannot be pulled, when it is not the registry's fault: the runtime's proxy, the server that gives tokens, the
//! host that has the layers. Each fault is made to happen beside a real containerd, and must be named as the only one.

use std::path::Path;

use crate::support::{
    self,
    containerd::{BESIDE, Containerd, IMAGE, OUTSIDE},
    lying::{Answer, Image, Lying},
    registry::{self, Registry},
    scripted::{Asked, Authority, Said, Scripted},
};

fn connects(asked: &Asked, port: &str) -> bool {
    asked.line.starts_with("CONNECT ") && asked.path().ends_with(port)
}

#[test]
fn a_proxy_is_told_from_the_registry_and_from_a_missing_exception() {
    let Some(mut node) = Containerd::start("pull-proxy") else { return };
    let Some(authority) = Authority::new("pull-proxy", &node.dir, "wharf test CA") else { return };
    let signed = authority.sign("s", "/CN=registry", &format!("IP:{OUTSIDE}"), "10");
    let (dir, address) = (node.dir.join("registry"), format!("{OUTSIDE}:5443"));
    let _registry = Registry::tls("pull-proxy", &node.netns, &dir, &address, &signed.certificate, &signed.key).unwrap();
    let ca =
        format!("server = \"https://{address}\"\n[host.\"https://{address}\"]\n  ca = \"{}\"\n", signed.ca.display());
    node.write(&format!("certs.d/{address}/hosts.toml"), &ca);
    let image = format!("image={address}/test/busybox:1");
    let nowhere = |port: u16| format!("image={OUTSIDE}:{port}/a:1");
    let asks =
        Scripted::plain(&node.netns, &format!("{BESIDE}:3128"), |asked| match asked.header("proxy-authorization") {
            "Basic bWU6czNjcmV0" => Said::Tunnel,
            _ => Said::new(407, &[("proxy-authenticate", "Basic realm=\"x\"")], ""),
        });
    let _picky = Scripted::plain(&node.netns, &format!("{BESIDE}:3130"), |asked| {
        Said::new(if connects(asked, ":5997") { 503 } else { 403 }, &[], "")
    });
    let _strange = Scripted::plain(&node.netns, &format!("{BESIDE}:3131"), |_| Said::Text("SSH-2.0-x\r\n\r\n".into()));
    let with = |node: &mut Containerd, proxy: &str, except: &str| {
        node.environment = vec![("HTTPS_PROXY", proxy.to_owned()), ("NO_PROXY", except.to_owned())];
        node.restart();
    };
    node.report("image-pull", &[&image]).no_cause();

    with(&mut node, &format!("http://{BESIDE}:3129"), "");
    let report = node.report("image-pull", &[&image]);
    report.names(
        "proxy-refused",
        &[&format!("{BESIDE}:3129"), "NO_PROXY: not set", &format!("HEAD https://{address}/v2/")],
    );
    assert!(report.step("pull-proxy").to_string().contains("answers without the proxy"), "{:#}", report.value);
    with(&mut node, "http://proxy.wharf.test:3128", "");
    node.report("image-pull", &[&image]).names("proxy-unresolved", &["proxy.wharf.test"]);
    let Some(iptables) = support::program("pull-proxy", "iptables") else { return };
    let rule = ["-A", "INPUT", "-p", "tcp", "--dport", "3132", "-j", "DROP"];
    assert!(support::in_netns(&node.netns, &iptables).args(rule).status().unwrap().success());
    with(&mut node, &format!("http://{BESIDE}:3132"), "");
    node.report("image-pull", &[&image]).names("proxy-blackholed", &["dropped"]);
    with(&mut node, &format!("{BESIDE}:3131"), "");
    node.report("image-pull", &[&nowhere(5998)]).names("proxy-wrong", &["no HTTP proxy"]);

    // Who asks for a password, and then lets through: the doctor and the runtime alike.
    with(&mut node, &format!("http://{BESIDE}:3128"), "");
    node.report("image-pull", &[&image]).names("proxy-auth", &["407", "CONNECT"]);
    with(&mut node, &format!("http://me:s3cret@{BESIDE}:3128"), "");
    let report = node.report("image-pull", &[&image]);
    report.no_cause();
    assert_eq!((report.verdict("pull-proxy"), report.verdict("pull-layers")), ("pass", "pass"), "{:#}", report.value);
    assert!(!report.value.to_string().contains("s3cret"), "a password is shown");
    let pull = node.crictl(&["pull", &format!("{address}/test/busybox:1")]);
    assert!(pull.status.success(), "{}", String::from_utf8_lossy(&pull.stderr));
    assert!(asks.seen().iter().any(|a| connects(a, ":5443")), "{:?}", asks.seen());

    // It refuses what can be had without it, and what cannot.
    with(&mut node, &format!("http://{BESIDE}:3130"), "10.8.0.0/16,.corp");
    let report = node.report("image-pull", &[&image]);
    report.names("no-proxy-missing", &["NO_PROXY: 10.8.0.0/16,.corp", "403", "without the proxy"]);
    node.report("image-pull", &[&nowhere(5998)]).names("proxy-denies", &["forbids 10.9.9.9:5998"]);
    node.report("image-pull", &[&nowhere(5997)]).names("proxy-cannot-connect", &["503"]);
    with(&mut node, &format!("http://{BESIDE}:3130"), &format!("10.8.0.0/16,.corp,{OUTSIDE}"));
    let report = node.report("image-pull", &[&image]);
    report.no_cause();
    assert!(report.step("pull-proxy").to_string().contains("NO_PROXY excepts"), "{:#}", report.value);
    // One that nobody could try here is unknown, not a cause.
    with(&mut node, "socks5://10.9.9.10:1080", "");
    let report = node.report("image-pull", &[&image]);
    report.no_cause();
    assert_eq!((report.verdict("pull-proxy"), report.code), ("unknown", 2), "{:#}", report.value);
}

#[test]
fn a_proxy_for_plain_http_answers_in_the_registrys_place() {
    let Some(mut node) = Containerd::start("pull-plain") else { return };
    let address = format!("{OUTSIDE}:5610");
    let _registry = Scripted::plain(&node.netns, &address, |_| Said::new(404, &[], "{}"));
    let _asks = Scripted::plain(&node.netns, &format!("{BESIDE}:3128"), |_| Said::new(407, &[], ""));
    let _squid = Scripted::plain(&node.netns, &format!("{BESIDE}:3130"), |_| {
        Said::new(403, &[("x-squid-error", "ERR_ACCESS_DENIED 0")], "")
    });
    node.write(&format!("certs.d/{address}/hosts.toml"), &format!("server = \"http://{address}\"\n"));
    for (port, cause) in [(3128, "proxy-auth"), (3130, "no-proxy-missing")] {
        node.environment = vec![("http_proxy", format!("http://{BESIDE}:{port}"))];
        node.restart();
        node.report("image-pull", &[&format!("image={address}/a:1")]).names(cause, &["http_proxy", "HEAD http://"]);
    }
}

#[test]
fn a_token_server_is_told_from_its_registry() {
    let Some(node) = Containerd::start("pull-token") else { return };
    let Some(authority) = Authority::new("pull-token", &node.dir, "wharf token CA") else { return };
    let address = format!("{OUTSIDE}:5600");
    let good = authority.sign("good", "/CN=auth", &format!("IP:{BESIDE}"), "10");
    let other = authority.sign("other", "/CN=auth", "DNS:other.test", "10");
    let old = authority.sign("old", "/CN=auth", &format!("IP:{BESIDE}"), "-1");
    let gives = |_: &Asked| Said::new(200, &[], r#"{"token":"t0ken"}"#);
    let at = |port: u16| format!("{BESIDE}:{port}");
    let _servers = [
        Scripted::tls(&node.netns, &at(5601), &good, gives),
        Scripted::tls(&node.netns, &at(5602), &other, gives),
        Scripted::tls(&node.netns, &at(5603), &old, gives),
        Scripted::plain(&node.netns, &at(5604), move |asked| {
            let status = asked.path().trim_start_matches('/').split('?').next().unwrap_or_default();
            match status.parse() {
                Ok(200) => gives(asked),
                Ok(status) => Said::new(status, &[], ""),
                Err(_) if status == "hangs" => Said::Nothing,
                Err(_) => Said::new(200, &[], "<html>Welcome to the hotel's network</html>"),
            }
        }),
    ];
    let realms = [
        ("refused", format!("http://{BESIDE}:5699/token")),
        ("noname", "http://auth.wharf.test/token".to_owned()),
        ("noca", format!("https://{}/token", at(5601))),
        ("wrongname", format!("https://{}/token", at(5602))),
        ("expired", format!("https://{}/token", at(5603))),
        ("s401", format!("http://{}/401", at(5604))),
        ("s403", format!("http://{}/403", at(5604))),
        ("s500", format!("http://{}/500", at(5604))),
        ("s429", format!("http://{}/429", at(5604))),
        ("hangs", format!("http://{}/hangs", at(5604))),
        ("hotel", format!("http://{}/hotel", at(5604))),
        ("r401", format!("http://{}/200", at(5604))),
        ("r403", format!("http://{}/200", at(5604))),
    ];
    let named = realms.clone();
    let _registry = Scripted::plain(&node.netns, &address, move |asked| {
        let repository = asked.path().split('/').nth(2).unwrap_or_default();
        let (_, realm) = named.iter().find(|(name, _)| *name == repository).unwrap();
        match asked.header("authorization") {
            "Bearer t0ken" if repository == "r403" => Said::new(403, &[], r#"{"errors":[{"code":"DENIED"}]}"#),
            "Bearer t0ken" if repository == "noca" => Said::new(404, &[], "{}"),
            _ => Said::new(401, &[("www-authenticate", &format!("Bearer realm=\"{realm}\",service=\"x\""))], ""),
        }
    });
    let hosts = format!("certs.d/{address}/hosts.toml");
    node.write(&hosts, &format!("server = \"http://{address}\"\n"));
    use base64::Engine;
    let auth = base64::engine::general_purpose::STANDARD.encode("user:hunter2");
    let file = node.write("auth.json", &format!(r#"{{"auths":{{"{address}":{{"auth":"{auth}"}}}}}}"#));
    let with = format!("auth-file={file}");
    let report = |repository: &str, user: bool| {
        let image = format!("image={address}/{repository}:1");
        let set: Vec<&str> = if user { vec![&image, &with] } else { vec![&image] };
        let report = node.report("image-pull", &set);
        assert!(!report.value.to_string().contains("hunter2") && !report.value.to_string().contains("t0ken"));
        report
    };
    let asked = |port: u16| format!("GET https://{}/token?service=x", at(port));
    report("refused", false).names("token-server-refused", &[&format!("GET http://{BESIDE}:5699/token?service=x")]);
    report("noname", false).names("token-server-unresolved", &["auth.wharf.test"]);
    report("noca", false)
        .names("token-server-untrusted", &["unknown authority", "wharf token CA", &asked(5601), "ca ="]);
    report("wrongname", false).names("token-server-untrusted", &["other.test", &asked(5602)]);
    report("expired", false).names("token-server-untrusted", &["expired", &asked(5603)]);
    // Who refuses is named: the token server, or the registry when it is shown the token.
    report("s401", false).names("credentials-missing", &["/401?service=x", "the token server of"]);
    report("s401", true).names("credentials-refused", &["/401?service=x", "the token server of", "user from"]);
    report("s403", true).names("access-denied", &["/403?service=x", "gives no token (403)"]);
    report("s500", true).names("token-server-broken", &["answers 500"]);
    report("s429", false).names("rate-limited", &[]);
    report("hangs", false).names("token-server-silent", &["nothing came in 4 s"]);
    report("hotel", false).names("token-server-silent", &["holds no token"]);
    report("r401", false).names("credentials-missing", &[&format!("HEAD http://{address}/v2/r401/manifests/1")]);
    let refused = report("r401", true);
    refused.names(
        "access-denied",
        &["gives a token for these credentials", &format!("HEAD http://{address}/v2/r401/manifests/1")],
    );
    assert_eq!(refused.verdict("pull-token"), "pass");
    report("r403", true).names("access-denied", &[&format!("HEAD http://{address}/v2/r403/manifests/1")]);
    // It is trusted as its registry is, as containerd does it.
    node.write(
        &hosts,
        &format!("server = \"http://{address}\"\n[host.\"http://{address}\"]\n  ca = \"{}\"\n", good.ca.display()),
    );
    let trusted = report("noca", false);
    trusted.names("repository-missing", &[]);
    assert_eq!(trusted.verdict("pull-token"), "pass");
}

#[test]
fn a_host_of_layers_is_told_from_its_registry() {
    let Some(node) = Containerd::start("pull-layers") else { return };
    let Some(authority) = Authority::new("pull-layers", &node.dir, "wharf layer CA") else { return };
    let root = node.dir.join("tree");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("file"), "text").unwrap();
    let image = Image::new(&[registry::layer(&root)]);
    let layer = image.layers[0].clone();
    let signed = authority.sign("cdn", "/CN=cdn", &format!("IP:{BESIDE}"), "10");
    let _tls = Scripted::tls(&node.netns, &format!("{BESIDE}:5701"), &signed, |_| Said::new(200, &[], "x"));
    let whole = image.clone();
    let cdn = Scripted::plain(&node.netns, &format!("{BESIDE}:5702"), move |asked| {
        let place = asked.path().trim_start_matches('/').split('?').next().unwrap_or_default();
        match place.parse() {
            Ok(status) => Said::new(status, &[], "<Error><Code>AccessDenied</Code></Error>"),
            Err(_) if place == "hangs" => Said::Nothing,
            Err(_) if asked.header("range").is_empty() => {
                Said::new(200, &[], &String::from_utf8_lossy(&whole.blob(place)))
            }
            Err(_) => Said::new(206, &[("content-range", "bytes 0-0/1")], "x"),
        }
    });
    let lying = Lying::start(&node.netns);
    let report = |name: &str, to: &str| {
        let (layer, to) = (layer.clone(), to.to_owned());
        let reference = lying.image(name, image.clone(), move |request| {
            let digest = request.path.split("/blobs/").nth(1)?;
            let all = to.ends_with("/ALL");
            let to = to.replace("ALL", digest) + "?X-Amz-Signature=s1gned";
            (all || digest == layer).then(|| Answer::new(307, "").header("Location", to))
        });
        let report = node.report("image-pull", &[&format!("image={reference}")]);
        assert!(!report.value.to_string().contains("s1gned"), "a signature is shown");
        report
    };
    let beside = |rest: &str| format!("http://{BESIDE}:{rest}");
    report("refused", &beside("5799/x")).names("layer-host-refused", &["GET http://10.9.9.10:5799/x"]);
    report("noname", "http://cdn.wharf.test/x").names("layer-host-unresolved", &["cdn.wharf.test"]);
    report("noca", &format!("https://{BESIDE}:5701/x"))
        .names("layer-host-untrusted", &["unknown authority", "wharf layer CA", "GET https://10.9.9.10:5701/x"]);
    report("denied", &beside("5702/403")).names("layers-denied", &["AccessDenied", "GET http://10.9.9.10:5702/403"]);
    report("lost", &beside("5702/404")).names("layer-missing", &["GET http://10.9.9.10:5702/404"]);
    report("broken", &beside("5702/503")).names("layers-broken", &["503"]);
    report("hangs", &beside("5702/hangs")).names("layer-host-silent", &["nothing came in 4 s"]);
    // All blobs of it are there, the configuration as well, and one byte of a layer was enough.
    let good = report("good", &beside("5702/ALL"));
    good.no_cause();
    assert_eq!((good.verdict("pull-platform"), good.verdict("pull-layers")), ("pass", "pass"), "{:#}", good.value);
    assert!(cdn.seen().iter().any(|a| a.header("range") == "bytes=0-0"));
    // And of a registry that has them itself.
    node.report("image-pull", &[&format!("image={IMAGE}")]).no_cause();
}

#[test]
fn a_mirror_without_the_layers_does_not_hide_who_has_them() {
    let Some(node) = Containerd::start("pull-half") else { return };
    let root = node.dir.join("tree");
    std::fs::create_dir(&root).unwrap();
    let image = Image::new(&[registry::layer(&root)]);
    let lying = Lying::start(&node.netns);
    lying.image("half", image.clone(), |request| request.path.contains("/blobs/").then(Answer::missing));
    let hosts = format!("[host.\"http://{}\"]\n  capabilities = [\"pull\", \"resolve\"]\n", lying.address);
    node.write("certs.d/127.0.0.1:5000/hosts.toml", &hosts);
    // Pushed under the same name to the registry itself.
    let tree = registry::layer(Path::new(&root));
    node.registry.as_ref().unwrap().push("half", "1", &[tree], None);
    let report = node.report("image-pull", &["image=127.0.0.1:5000/half:1"]);
    report.no_cause();
    assert_eq!(report.verdict("pull-layers"), "pass", "{:#}", report.value);
}
