//! Which hosts a registry has, by each of the ways to say so.

use std::fs;

use super::*;

fn addresses(registry: &Registry, name: &str) -> Vec<String> {
    let (hosts, _) = registry.hosts(name).unwrap();
    hosts.iter().map(|h| format!("{}://{}{}", h.scheme, h.name, h.path)).collect()
}

#[test]
fn reg_16_only_loopback_and_listed_hosts_speak_plain_http() {
    let config = RegistryConfig { insecure: vec!["lab.example:5000".into()], ..RegistryConfig::default() };
    let registry = Registry::new(config).unwrap();
    for (host, scheme) in [
        ("127.0.0.1:5000", "http"),
        ("localhost", "http"),
        ("[::1]:5000", "http"),
        ("localhost:443", "https"),
        ("lab.example:5000", "http"),
        ("lab.example", "https"),
        ("localhost.evil.example", "https"),
        ("10.0.0.1:5000", "https"),
    ] {
        assert_eq!(registry.scheme(host), scheme, "{host}");
    }
}

#[test]
fn mirrors_in_the_older_way() {
    let config = RegistryConfig {
        config_path: String::new(),
        mirrors: [
            ("docker.io".to_owned(), vec!["https://m.example/dockerhub".to_owned(), "10.0.0.1:5000".to_owned()]),
            ("*".to_owned(), vec!["http://all.example".to_owned(), "?".to_owned()]),
        ]
        .into(),
        tls: [("m.example".to_owned(), RegistryTls { skip_verify: true, ..RegistryTls::default() })].into(),
        ..RegistryConfig::default()
    };
    let registry = Registry::new(config).unwrap();
    let hub = ["https://m.example/dockerhub/v2", "https://10.0.0.1:5000/v2", "https://registry-1.docker.io/v2"];
    assert_eq!(addresses(&registry, "docker.io"), hub);
    assert!(registry.hosts("docker.io").unwrap().0[0].skip_verify);
    assert_eq!(addresses(&registry, "quay.example"), ["http://all.example/v2", "https://quay.example/v2"]);
    assert_eq!(registry.hosts("quay.example").unwrap().1, ["mirror \"?\" of quay.example is no address"]);
}

#[test]
fn certificates_make_a_loopback_registry_speak_tls() {
    let directory = tempfile::tempdir().unwrap();
    let config_path = directory.path().display().to_string();
    let registry = Registry::new(RegistryConfig { config_path, ..RegistryConfig::default() }).unwrap();
    assert_eq!(addresses(&registry, "127.0.0.1:5000"), ["http://127.0.0.1:5000/v2"]);
    let own = directory.path().join("127.0.0.1_5000_");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("ca.crt"), "").unwrap();
    assert_eq!(addresses(&registry, "127.0.0.1:5000"), ["https://127.0.0.1:5000/v2"]);
    fs::write(own.join("hosts.toml"), "server = 'http://other:1'\n[host.'https://m']\n").unwrap();
    assert_eq!(addresses(&registry, "127.0.0.1:5000"), ["https://m/v2", "http://other:1/v2"]);
}

#[tokio::test]
async fn a_host_that_cannot_be_used_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path().join("r.example");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("hosts.toml"), "server = 'https://r.example'\nca = 'none.pem'\n").unwrap();
    let config_path = directory.path().display().to_string();
    let registry = Registry::new(RegistryConfig { config_path, ..RegistryConfig::default() }).unwrap();
    let session = registry.session(&"r.example/a:b".parse().unwrap(), None).await.unwrap();
    let error = session.manifest("b").await.unwrap_err();
    assert!(error.to_string().contains("none.pem"), "{error}");
}
