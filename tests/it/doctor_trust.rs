//! Trust between a node and a registry, made to fail for real: a chain with a link missing, a registry that wants a certificate of
//! its clients. Beside a real containerd, with real registries.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
};

use wharf::engine::network::netns;

use crate::support::{
    self,
    containerd::{BESIDE, Containerd, OUTSIDE, Report, until},
    registry::Registry,
    scripted::{Authority, Said, Scripted, Signed},
};

const CAS: &str = "basicConstraints=critical,CA:FALSE";

/// A node, a registry's address, and what its hosts.toml gets.
struct Case {
    node: Containerd,
    address: String,
}

impl Case {
    fn new(test: &str) -> Option<Self> {
        Some(Self { node: Containerd::start(test)?, address: format!("{OUTSIDE}:5443") })
    }

    fn names(&self) -> String {
        format!("subjectAltName=IP:{OUTSIDE}|{CAS}")
    }

    /// In the host's own table.
    fn hosts(&self, lines: &str) -> String {
        let at = &self.address;
        let text = format!("server = \"https://{at}\"\n[host.\"https://{at}\"]\n{lines}\n");
        self.node.write(&format!("certs.d/{at}/hosts.toml"), &text)
    }

    fn report(&self) -> Report {
        self.node.report("image-pull", &[&format!("image={}/test/busybox:1", self.address)])
    }

    fn registry(&self, signed: &Signed, certificate: &Path) -> Registry {
        let dir = self.node.dir.join("registry");
        Registry::tls("trust", &self.node.netns, &dir, &self.address, certificate, &signed.key).unwrap()
    }

    /// As the runtime sees it.
    fn pull(&self) -> (bool, String) {
        let pull = self.node.crictl(&["pull", &format!("{}/test/busybox:1", self.address)]);
        (pull.status.success(), String::from_utf8_lossy(&pull.stderr).into_owned())
    }
}

/// OpenSSL's server, which can be told to speak what servers of today do not. It answers every request with a page.
struct Openssl(Child);

impl Openssl {
    fn start(c: &Case, signed: &Signed, more: &[&str]) -> Self {
        let mut command = support::in_netns(&c.node.netns, Path::new("openssl"));
        command.args(["s_server", "-www", "-accept", &c.address, "-cert"]).arg(&signed.certificate);
        command.arg("-key").arg(&signed.key).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self(command.spawn().unwrap());
        until("openssl s_server", || {
            netns::inside(&c.node.netns, || Ok(TcpStream::connect(&c.address).is_ok())).unwrap()
        });
        server
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn a_chain_without_its_intermediate_is_told_from_an_unknown_ca() {
    let Some(c) = Case::new("chain") else { return };
    let Some(root) = Authority::new("chain", &c.node.dir.join("pki"), "Wharf Test Root CA") else { return };
    let issuing = root.intermediate("issuing", "Wharf Test Issuing CA 1");
    let signed = issuing.sign_with("s", "/CN=registry", &c.names(), "10");
    let server = c.registry(&signed, &signed.certificate);
    // Nobody knows any of them.
    c.report().names("ca-unknown", &["Wharf Test Issuing CA 1"]);
    c.hosts(&format!("ca = \"{}\"", root.ca().display()));
    let report = c.report();
    report.names(
        "intermediate-missing",
        &["Wharf Test Root CA", "sends only its own certificate", "Wharf Test Issuing CA 1", "fullchain.pem"],
    );
    let (pulled, words) = c.pull();
    assert!(!pulled && words.contains("unknown authority"), "{words}");
    // A CA file of somebody else's is another fault.
    let Some(other) = Authority::new("chain", &c.node.dir.join("other"), "Elsewhere Root") else { return };
    let direct = root.sign_with("d", "/CN=registry", &c.names(), "10");
    drop(server);
    let server = c.registry(&direct, &direct.certificate);
    c.hosts(&format!("ca = \"{}\"", other.ca().display()));
    c.report().names("ca-unknown", &["is of another authority", "Elsewhere Root"]);
    drop(server);
    // Made anew under the same name.
    let Some(renewed) = Authority::new("chain", &c.node.dir.join("renewed"), "Wharf Test Root CA") else { return };
    let server = c.registry(&direct, &direct.certificate);
    c.hosts(&format!("ca = \"{}\"", renewed.ca().display()));
    c.report().names("ca-replaced", &["with another key"]);
    drop(server);
    // The whole chain.
    let whole = [&signed.certificate, &issuing.ca()].map(|p| fs::read_to_string(p).unwrap()).concat();
    let whole = c.node.write("fullchain.pem", &whole);
    let _server = c.registry(&signed, Path::new(&whole));
    c.hosts(&format!("ca = \"{}\"", root.ca().display()));
    let report = c.report();
    report.no_cause();
    assert_eq!(report.verdict("pull-tls"), "pass", "{:#}", report.value);
}

#[test]
fn what_a_server_leaves_out_is_found_where_its_certificate_says_and_trusted_by_the_fix() {
    let Some(c) = Case::new("chain-aia") else { return };
    let Some(root) = Authority::new("chain-aia", &c.node.dir.join("pki"), "Alpha Root") else { return };
    let issuing = root.intermediate("issuing", "Beta");
    let place = format!("authorityInfoAccess=caIssuers;URI:http://{BESIDE}:8080/beta.crt");
    let signed = issuing.sign_with("s", "/CN=registry", &format!("{}|{place}", c.names()), "10");
    let _server = c.registry(&signed, &signed.certificate);
    let der = issuing.der();
    let library = Scripted::plain(&c.node.netns, &format!("{BESIDE}:8080"), move |_| Said::bytes(&der));
    // What is there proves nothing as long as nobody known signed it.
    c.report().names("ca-unknown", &["Beta"]);
    let file = c.hosts(&format!("ca = \"{}\"", root.ca().display()));
    let before = fs::read_to_string(&file).unwrap();
    c.report().names("intermediate-missing", &["leaves out the intermediate CN=Beta", "/beta.crt"]);
    assert!(library.seen().iter().all(|a| a.header("authorization").is_empty()));
    assert!(!c.pull().0);
    let image = format!("image={}/test/busybox:1", c.address);
    let (_, text, errors) = c.node.run(&["image-pull", "--set", &image, "--fix", "--yes"]);
    assert!(
        errors.contains("intermediate.crt") && errors.contains("proved by the same check: pull-tls"),
        "{text}{errors}"
    );
    let after = fs::read_to_string(&file).unwrap();
    assert!(after != before && after.contains("intermediate.crt\"]"), "{after}");
    let (pulled, words) = c.pull();
    assert!(pulled, "{words}");
}

#[test]
fn a_registry_that_wants_a_client_certificate_and_gets_none_or_a_wrong_one() {
    let Some(c) = Case::new("mutual") else { return };
    let Some(authority) = Authority::new("mutual", &c.node.dir.join("pki"), "Wharf Test CA") else { return };
    let Some(other) = Authority::new("mutual", &c.node.dir.join("other"), "Elsewhere Root") else { return };
    let server = authority.sign_with("s", "/CN=registry", &c.names(), "10");
    let client = |by: &Authority, file: &str, days: &str| by.sign_with(file, &format!("/CN={file}"), CAS, days);
    let good = client(&authority, "good", "10");
    let old = client(&authority, "old", "-1");
    let foreign = client(&other, "foreign", "10");
    let usage = authority.sign_with("usage", "/CN=usage", &format!("{CAS}|extendedKeyUsage=serverAuth"), "10");
    let dir = c.node.dir.join("registry");
    let _registry = Registry::mutual("mutual", &c.node.netns, &dir, &c.address, &server, &authority.ca()).unwrap();
    let with = |certificate: &Path, key: &Path| {
        let pair = format!("client = [[\"{}\", \"{}\"]]", certificate.display(), key.display());
        c.hosts(&format!("ca = \"{}\"\n{pair}", authority.ca().display()));
        c.report()
    };
    c.hosts(&format!("ca = \"{}\"", authority.ca().display()));
    c.report().names("client-certificate-missing", &["mutual TLS", "takes certificates of CN=Wharf Test CA"]);
    with(&old.certificate, &old.key).names("client-certificate-expired", &["expired on", "old.crt"]);
    with(&foreign.certificate, &foreign.key)
        .names("client-certificate-foreign", &["of CN=Wharf Test CA only", "CN=Elsewhere Root"]);
    with(&usage.certificate, &usage.key).names("client-certificate-usage", &["clientAuth"]);
    with(&good.certificate, &old.key).names("client-key-mismatch", &["good.crt"]);
    let nowhere = c.node.dir.join("nowhere.key");
    with(&good.certificate, &nowhere).names("client-file-broken", &["nowhere.key"]);
    with(&nowhere, &good.key).names("client-file-broken", &["nowhere.key"]);
    let (pulled, words) = c.pull();
    assert!(!pulled, "{words}");
    let report = with(&good.certificate, &good.key);
    report.no_cause();
    assert_eq!(report.verdict("pull-client"), "pass", "{:#}", report.value);
    let (pulled, words) = c.pull();
    assert!(pulled, "{words}");
}

#[test]
fn a_store_that_was_changed_after_the_runtime_had_read_it() {
    let Some(mut c) = Case::new("late-store") else { return };
    let Some(root) = Authority::new("late-store", &c.node.dir.join("pki"), "Wharf Test CA") else { return };
    let Some(other) = Authority::new("late-store", &c.node.dir.join("other"), "Elsewhere Root") else { return };
    let signed = root.sign_with("s", "/CN=registry", &c.names(), "10");
    let _server = c.registry(&signed, &signed.certificate);
    let old = fs::read_to_string(other.ca()).unwrap();
    let store = c.node.write("store.pem", &old);
    c.node.environment = vec![("SSL_CERT_FILE", store)];
    c.node.restart();
    let (pulled, words) = c.pull();
    assert!(!pulled && words.contains("unknown authority"), "{words}");
    c.report().names("ca-unknown", &["Wharf Test CA"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    c.node.write("store.pem", &(old + &fs::read_to_string(root.ca()).unwrap()));
    assert!(!c.pull().0, "it has read the old one");
    c.report().names("ca-store-not-read", &["store.pem", "unknown authority"]);
    c.node.restart();
    let report = c.report();
    report.no_cause();
    assert_eq!(report.verdict("pull-tls"), "pass", "{:#}", report.value);
    let (pulled, words) = c.pull();
    assert!(pulled, "{words}");
}

#[test]
fn a_server_that_says_nothing_while_tls_is_spoken_is_named() {
    let Some(c) = Case::new("tls-broken") else { return };
    // Connections are taken by the kernel, and nobody reads from them.
    let _silent = netns::inside(&c.node.netns, || Ok(TcpListener::bind(&*c.address).unwrap())).unwrap();
    c.report().names("tls-silent", &["MTU"]);
}

/// nginx lets the handshake pass and says it in an answer.
#[test]
fn a_server_that_says_in_an_answer_that_it_wants_a_client_certificate() {
    let Some(c) = Case::new("mutual-said") else { return };
    let Some(authority) = Authority::new("mutual-said", &c.node.dir.join("pki"), "Wharf Test CA") else { return };
    let signed = authority.sign_with("s", "/CN=registry", &c.names(), "10");
    let _server = Scripted::tls(&c.node.netns, &c.address, &signed, |asked| match asked.known {
        true => Said::new(404, &[], "{}"),
        false => Said::new(400, &[("content-type", "text/html")], "<h1>400 No required SSL certificate was sent</h1>"),
    });
    c.hosts(&format!("ca = \"{}\"", authority.ca().display()));
    c.report().names("client-certificate-missing", &["No required SSL certificate"]);
    let own = authority.sign_with("own", "/CN=own", CAS, "10");
    let pair = format!("client = [[\"{}\", \"{}\"]]", own.certificate.display(), own.key.display());
    c.hosts(&format!("ca = \"{}\"\n{pair}", authority.ca().display()));
    c.report().names("repository-missing", &[]);
}

/// What it was shown has the right issuer's name, and the registry trusts it no more for that.
#[test]
fn a_client_certificate_that_looks_right_and_is_refused() {
    let Some(c) = Case::new("refused") else { return };
    let Some(authority) = Authority::new("refused", &c.node.dir.join("pki"), "Wharf Test CA") else { return };
    let Some(renewed) = Authority::new("refused", &c.node.dir.join("renewed"), "Wharf Test CA") else { return };
    let server = authority.sign_with("s", "/CN=registry", &c.names(), "10");
    let shows = |own: &Signed| {
        let pair = format!("client = [[\"{}\", \"{}\"]]", own.certificate.display(), own.key.display());
        c.hosts(&format!("ca = \"{}\"\n{pair}", authority.ca().display()));
    };
    let dir = c.node.dir.join("registry");
    let registry = Registry::mutual("refused", &c.node.netns, &dir, &c.address, &server, &authority.ca()).unwrap();
    // By the key that the authority had before, or has since.
    let other = renewed.sign_with("own", "/CN=own", CAS, "10");
    shows(&other);
    c.report()
        .names("client-certificate-refused", &["own.crt", "CN=own, by CN=Wharf Test CA", "takes certificates of"]);
    let (pulled, words) = c.pull();
    assert!(!pulled, "{words}");
    let own = authority.sign_with("own", "/CN=own", CAS, "10");
    shows(&own);
    c.report().no_cause();
    assert!(c.pull().0);
    drop(registry);
    // By the right one, which has taken it back.
    let list = authority.revoke(&own);
    let (ca, list) = (authority.ca().display().to_string(), list.display().to_string());
    // In TLS 1.3 what it says of the certificate may be overtaken by its end.
    let asks = ["-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", &ca];
    let _server = Openssl::start(&c, &server, &[&asks[..], &["-CRL", &list, "-crl_check"]].concat());
    c.report().names("client-certificate-refused", &["own.crt", "CertificateRevoked"]);
    assert!(!c.pull().0);
}

#[test]
fn a_server_that_speaks_no_tls_of_today_is_named() {
    let Some(c) = Case::new("tls-old") else { return };
    let Some(authority) = Authority::new("tls-old", &c.node.dir.join("pki"), "Wharf Test CA") else { return };
    let signed = authority.sign_with("s", "/CN=registry", &c.names(), "10");
    c.hosts(&format!("ca = \"{}\"", authority.ca().display()));
    let server = Openssl::start(&c, &signed, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    c.report().names("tls-too-old", &["1.2 or 1.3", "ProtocolVersion"]);
    let (pulled, words) = c.pull();
    assert!(!pulled && words.contains("protocol version"), "{words}");
    drop(server);
    let _server = Openssl::start(&c, &signed, &["-tls1_2"]);
    let report = c.report();
    assert_eq!(report.verdict("pull-tls"), "pass", "{:#}", report.value);
}

#[test]
fn a_name_that_a_server_does_not_serve_is_told_from_a_wrong_certificate() {
    const NAME: &str = "registry.wharf.test";
    let Some(mut c) = Case::new("tls-name") else { return };
    let Some(authority) = Authority::new("tls-name", &c.node.dir.join("pki"), "Wharf Test CA") else { return };
    let signed = authority.sign_with("s", "/CN=registry", &format!("subjectAltName=DNS:{NAME}|{CAS}"), "10");
    let file = c.node.write("hosts", &format!("127.0.0.1 localhost\n{OUTSIDE} {NAME}\n"));
    (c.node.resolv, c.node.hosts) = (Some(c.node.write("resolv.conf", "nameserver 127.0.0.2\n")), Some(file));
    let at = format!("{NAME}:5443");
    let text = format!("server = \"https://{at}\"\n[host.\"https://{at}\"]\nca = \"{}\"\n", authority.ca().display());
    c.node.write(&format!("certs.d/{at}/hosts.toml"), &text);
    let (certificate, key) = (signed.certificate.display().to_string(), signed.key.display().to_string());
    let site = |name: &str| {
        Openssl::start(&c, &signed, &["-servername", name, "-servername_fatal", "-cert2", &certificate, "-key2", &key])
    };
    let report = || c.node.report("image-pull", &[&format!("image={at}/test/busybox:1")]);
    let server = site("elsewhere.wharf.test");
    report().names("tls-name-refused", &[NAME, "SNI"]);
    drop(server);
    let _server = site(NAME);
    let report = report();
    assert_eq!(report.verdict("pull-tls"), "pass", "{:#}", report.value);
}
