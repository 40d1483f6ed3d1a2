//! Registries behind mirrors, TLS and passwords: Debian's docker-registry, certificates by openssl, containerd beside us.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use wharf::engine::network::netns;

use crate::support::{self, containerd_2, node::Node, program, registry};

/// Serves what was pushed to 127.0.0.1:5000, in different ways.
const TLS: &str = "127.0.0.2:5443";
const LOGIN: &str = "127.0.0.3:5443";
const PREFIX: &str = "127.0.0.4:5443";
const CLIENTS: &str = "127.0.0.5:5443";
const THROUGH: &str = "127.0.0.6:5443";
const NOBODY: &str = "127.0.0.9:5443";
/// A registry that has no address: only its mirrors can have the image.
const NAME: &str = "r.test.invalid";

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(netns: &Path, address: &str, log: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let there = netns::inside(netns, || Ok(TcpStream::connect(address).is_ok())).unwrap();
        if there {
            return;
        }
        assert!(Instant::now() < deadline, "{address}: {}", fs::read_to_string(log).unwrap_or_default());
        thread::sleep(Duration::from_millis(50));
    }
}

/// One more docker-registry on the data of the first one.
fn serve(node: &Node, address: &str, http: &str, more: &str) -> Process {
    let dir = node.dir.join(address.replace(':', "-"));
    fs::create_dir_all(&dir).unwrap();
    let certs = node.dir.join("pki");
    let config = format!(
        "version: 0.1\nlog: {{level: error}}\n\
         http: {{addr: '{address}', tls: {{certificate: {0}/server.pem, key: {0}/server.key{http}}}\n{more}\n",
        certs.display()
    );
    let config = match more.contains("storage:") {
        true => config,
        false => format!("{config}storage: {{filesystem: {{rootdirectory: {}/registry/data}}}}\n", node.dir.display()),
    };
    fs::write(dir.join("config.yml"), config).unwrap();
    let log = fs::File::create(dir.join("log")).unwrap();
    let child = support::in_netns(&node.netns, Path::new("/usr/bin/docker-registry"))
        .arg("serve")
        .arg(dir.join("config.yml"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let process = Process(child);
    until(&node.netns, address, &dir.join("log"));
    process
}

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A CA, a server for all our addresses, a client.
fn certificates(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    let names: Vec<String> = (1..=9).map(|i| format!("IP:127.0.0.{i}")).collect();
    fs::write(dir.join("server.ext"), format!("subjectAltName={}\n", names.join(","))).unwrap();
    fs::write(dir.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    let key = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(dir, &format!("{key} -x509 -days 2 -subj /CN=ca -keyout ca.key -out ca.pem"));
    for name in ["server", "client"] {
        openssl(dir, &format!("{key} -subj /CN={name} -keyout {name}.key -out {name}.csr"));
        let sign = format!("x509 -req -days 2 -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial");
        openssl(dir, &format!("{sign} -extfile {name}.ext -out {name}.pem"));
    }
}

/// containerd's configuration, for both.
fn config(dir: &Path) -> PathBuf {
    let path = dir.join("config.toml");
    let text = format!(
        "version = 2\ndisabled_plugins = ['io.containerd.internal.v1.opt', 'io.containerd.nri.v1.nri']\n\
         [plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter = 'overlayfs'\n\
         [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n\
         [plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '{0}/certs.d'\n",
        dir.display()
    );
    fs::write(&path, text).unwrap();
    path
}

/// Both runtimes over the same registries.
struct Both {
    node: Node,
    containerd: Option<Process>,
    registries: Vec<Process>,
}

impl Both {
    fn start(test: &str) -> Option<Self> {
        program(test, "docker-registry")?;
        let peer = containerd_2(test)?;
        let mut node = Node::start_with(test, |dir| vec!["--config".to_owned(), config(dir).display().to_string()])?;
        certificates(&node.dir.join("pki"));
        let registry = registry::Registry::start(test, &node.netns, &node.dir.join("registry"), None)?;
        let root = node.dir.join("image");
        assert!(support::busybox_root(test, &root));
        registry.push("test/busybox", "1", &[registry::layer(&root)], None);
        node.registry = Some(registry);
        let pki = node.dir.join("pki");
        let htpasswd = Command::new("htpasswd").args(["-Bbn", "me", "secret"]).output().unwrap().stdout;
        fs::write(pki.join("htpasswd"), htpasswd).unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: test, path: {}/htpasswd}}}}", pki.display());
        let through = format!(
            "storage: {{filesystem: {{rootdirectory: {}/through}}}}\nproxy: {{remoteurl: 'http://{}'}}",
            node.dir.display(),
            registry::ADDRESS
        );
        let registries = vec![
            serve(&node, TLS, "}", ""),
            serve(&node, LOGIN, "}", &auth),
            serve(&node, PREFIX, "}, prefix: /harbor/", ""),
            serve(&node, CLIENTS, &format!(", clientcas: ['{}/ca.pem']}}", pki.display()), ""),
            serve(&node, THROUGH, "}", &through),
        ];
        let log = fs::File::create(node.dir.join("containerd.log")).unwrap();
        let child = support::in_netns(&node.netns, &peer.join("containerd"))
            .arg("-c")
            .arg(node.dir.join("config.toml"))
            .arg("--root")
            .arg(node.dir.join("containerd"))
            .arg("--state")
            .arg(node.dir.join("containerd.run"))
            .arg("--address")
            .arg(node.dir.join("containerd.sock"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let both = Self { node, containerd: Some(Process(child)), registries };
        let deadline = Instant::now() + Duration::from_secs(60);
        while both.theirs(&["version"]).is_err() {
            let log = fs::read_to_string(both.node.dir.join("containerd.log")).unwrap();
            assert!(Instant::now() < deadline, "containerd does not come up: {log}");
            thread::sleep(Duration::from_millis(100));
        }
        Some(both)
    }

    fn hosts(&self, directory: &str, text: &str) {
        let dir = self.node.dir.join("certs.d").join(directory);
        fs::create_dir_all(&dir).unwrap();
        let pki = self.node.dir.join("pki");
        fs::write(dir.join("hosts.toml"), text.replace("PKI", &pki.display().to_string())).unwrap();
    }

    fn forget(&self) {
        let _none = fs::remove_dir_all(self.node.dir.join("certs.d"));
        self.node.ok(&["rmi", "--all"]);
        self.theirs(&["rmi", "--all"]).unwrap();
    }

    fn theirs(&self, arguments: &[&str]) -> Result<String, String> {
        let socket = format!("unix://{}/containerd.sock", self.node.dir.display());
        let crictl = program("mirrors", "crictl").unwrap();
        let output =
            Command::new(crictl).args(["-r", &socket, "-i", &socket, "-t", "30s"]).args(arguments).output().unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn ours(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.node.crictl(arguments);
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn end(mut self) {
        self.forget();
        drop((self.containerd.take(), self.registries));
        self.node.end();
    }
}

#[test]
fn hosts_toml_means_to_us_what_it_means_to_containerd() {
    let Some(both) = Both::start("hosts") else { return };
    let image = |registry: &str| format!("{registry}/test/busybox:1");
    let ca = "ca = 'PKI/ca.pem'\n";
    let client = "client = [['PKI/client.pem', 'PKI/client.key']]\n";
    let cases: &[(&str, &str, String, bool)] = &[
        ("the right CA", NAME, format!("server = 'https://{TLS}'\n{ca}"), true),
        ("no CA", NAME, format!("server = 'https://{TLS}'\n"), false),
        ("unverified", NAME, format!("server = 'https://{TLS}'\nskip_verify = true\n"), true),
        (
            "dead mirrors first",
            NAME,
            format!(
                "server = 'https://{TLS}'\n{ca}[host.'https://{NOBODY}']\ndial_timeout = '1s'\n[host.'https://{LOGIN}']\n"
            ),
            true,
        ),
        ("nobody may resolve", NAME, format!("server = 'https://{TLS}'\ncapabilities = ['pull']\n{ca}"), false),
        (
            "one resolves, the other gives",
            NAME,
            format!("server = 'https://{TLS}'\n{ca}[host.'https://{THROUGH}']\ncapabilities = ['pull']\n{ca}"),
            true,
        ),
        ("a path before the API", NAME, format!("[host.'https://{PREFIX}/harbor']\n{ca}"), true),
        (
            "a path instead of the API's",
            NAME,
            format!("[host.'https://{PREFIX}/harbor/v2']\noverride_path = true\n{ca}"),
            true,
        ),
        ("a path that is not there", NAME, format!("server = 'https://{TLS}/other'\n{ca}"), false),
        ("a client certificate", NAME, format!("server = 'https://{CLIENTS}'\n{ca}{client}"), true),
        ("no client certificate", NAME, format!("server = 'https://{CLIENTS}'\n{ca}"), false),
        ("a pull-through cache", NAME, format!("server = 'https://{THROUGH}'\n{ca}"), true),
        ("a login nobody has", NAME, format!("server = 'https://{LOGIN}'\n{ca}"), false),
        ("by _default", "_default", format!("server = 'https://{TLS}'\n{ca}"), true),
        ("broken", NAME, format!("server = 'https://{TLS}'\nca = 5\n"), false),
    ];
    for (what, directory, text, works) in cases {
        both.hosts(directory, text);
        let (ours, theirs) = (both.ours(&["pull", &image(NAME)]), both.theirs(&["pull", &image(NAME)]));
        assert_eq!(
            (ours.is_ok(), theirs.is_ok()),
            (*works, *works),
            "{what}:\n{ours:?}\n{theirs:?}\n{}",
            both.node.log()
        );
        both.forget();
    }
    for (directory, works) in [("r.test.invalid_5000_", true), ("r.test.invalid:5000", true), (NAME, false)] {
        both.hosts(directory, &format!("server = 'https://{TLS}'\n{ca}"));
        let pulls = ["pull", &image("r.test.invalid:5000")];
        assert_eq!((both.ours(&pulls).is_ok(), both.theirs(&pulls).is_ok()), (works, works), "{directory}");
        both.forget();
    }
    both.end();
}

#[test]
fn reg_24_every_host_says_why_it_was_passed_over() {
    let Some(both) = Both::start("reasons") else { return };
    let text = format!(
        "server = 'https://{LOGIN}'\nca = 'PKI/ca.pem'\n[host.'https://{NOBODY}']\n[host.'https://{TLS}']\n\
         [host.'https://{THROUGH}']\nca = 'PKI/none.pem'\n"
    );
    both.hosts(NAME, &text);
    let image = format!("{NAME}/test/busybox:1");
    let error = both.node.fails(&["pull", &image]);
    for reason in [
        format!("{LOGIN}/test/busybox needs a login (401)"),
        format!("mirror {NOBODY}: cannot reach registry"),
        format!("mirror {TLS}: cannot reach registry"),
        "certificate".to_owned(),
        format!("mirror {THROUGH}: read"),
        "none.pem".to_owned(),
    ] {
        assert!(error.contains(&reason), "{reason}: {error}");
    }
    // With a login it works, and what was passed over is in the log.
    let own = format!("{LOGIN}/test/busybox:1");
    both.hosts(
        &LOGIN.replace(":5443", "_5443_"),
        &format!("server = 'https://{LOGIN}'\nca = 'PKI/ca.pem'\n[host.'https://{NOBODY}']\n"),
    );
    both.node.ok(&["pull", "--creds", "me:secret", &own]);
    assert!(both.node.log().contains(&format!("{NOBODY} is passed over")), "{}", both.node.log());
    let wrong = both.node.fails(&["pull", "--creds", "me:CANARY", &format!("{LOGIN}/test/busybox:2")]);
    assert!(wrong.contains("wrong user or password in the pull request") && !wrong.contains("CANARY"), "{wrong}");
    assert!(!both.node.log().contains("CANARY"));
    both.end();
}

#[test]
fn reg_26_a_pull_secret_is_not_for_mirrors_of_somebody_else() {
    let Some(both) = Both::start("secrets") else { return };
    both.hosts(NAME, &format!("server = 'https://{LOGIN}'\nca = 'PKI/ca.pem'\n"));
    let error = both.node.fails(&["pull", "--creds", "me:secret", &format!("{NAME}/test/busybox:1")]);
    assert!(error.contains("needs a login (401)"), "{error}");
    both.end();
}

#[test]
fn the_nodes_credentials_are_tried_in_their_order() {
    let test = "keys";
    let Some(mut node) = Node::start_with(test, |dir| {
        let file = config(dir);
        let mut text = fs::read_to_string(&file).unwrap();
        text += &format!(
            "[plugins.'io.containerd.grpc.v1.cri'.registry.configs.'{LOGIN}'.auth]\nusername = 'me'\npassword = 'old'\n"
        );
        fs::write(&file, text).unwrap();
        // base64 of me:older
        let docker = format!(r#"{{"auths":{{"{LOGIN}":{{"auth":"bWU6b2xkZXI="}}}},"credsStore":"test"}}"#);
        fs::write(dir.join("docker.json"), docker).unwrap();
        let helper = dir.join("docker-credential-test");
        fs::write(&helper, "#!/bin/sh\necho '{\"Username\":\"me\",\"Secret\":\"secret\"}'\n").unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
        let path = |name: &str| dir.join(name).display().to_string();
        vec!["--config".into(), path("config.toml"), "--docker-config".into(), path("docker.json")]
    }) else {
        return;
    };
    certificates(&node.dir.join("pki"));
    let Some(registry) = registry::Registry::start(test, &node.netns, &node.dir.join("registry"), None) else { return };
    let root = node.dir.join("image");
    assert!(support::busybox_root(test, &root));
    registry.push("test/busybox", "1", &[registry::layer(&root)], None);
    node.registry = Some(registry);
    let pki = node.dir.join("pki");
    let htpasswd = Command::new("htpasswd").args(["-Bbn", "me", "secret"]).output().unwrap().stdout;
    fs::write(pki.join("htpasswd"), htpasswd).unwrap();
    let server =
        serve(&node, LOGIN, "}", &format!("auth: {{htpasswd: {{realm: test, path: {}/htpasswd}}}}", pki.display()));
    let own = node.dir.join("certs.d").join(LOGIN);
    fs::create_dir_all(&own).unwrap();
    fs::copy(pki.join("ca.pem"), own.join("ca.crt")).unwrap();
    let image = format!("{LOGIN}/test/busybox:1");
    node.ok(&["pull", &image]);
    node.ok(&["rmi", &image]);
    fs::remove_file(node.dir.join("docker-credential-test")).unwrap();
    let error = node.fails(&["pull", &image]);
    assert!(error.contains("docker-credential-test: there is no such program"), "{error}");
    drop(server);
    node.end();
}

#[test]
fn headers_and_the_name_of_the_registry_go_to_the_mirror() {
    let Some(node) = Node::start_with("headers", |dir| vec!["--config".into(), config(dir).display().to_string()])
    else {
        return;
    };
    let listener = netns::inside(&node.netns, || Ok(TcpListener::bind("127.0.0.1:0").unwrap())).unwrap();
    let address = listener.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    });
    let dir = node.dir.join("certs.d").join(NAME);
    fs::create_dir_all(&dir).unwrap();
    let text = format!("server = 'http://{address}/sub'\n[header]\nx-token = ['CANARY', 'two']\n");
    fs::write(dir.join("hosts.toml"), text).unwrap();
    let error = node.fails(&["pull", &format!("{NAME}/a/b:c")]);
    let request = asked.join().unwrap().to_lowercase();
    assert!(request.starts_with(&format!("get /sub/v2/a/b/manifests/c?ns={NAME} ")), "{request}");
    assert!(request.contains("x-token: canary\r\n") && request.contains("x-token: two\r\n"), "{request}");
    assert!(error.contains("not found (404)") && !error.contains("CANARY"), "{error}");
    assert!(!node.log().contains("CANARY"));
    node.end();
}

#[test]
fn layers_are_discarded_when_the_file_says_so() {
    let Some(mut node) = Node::start_with("discard", |dir| {
        let file = config(dir);
        let text = fs::read_to_string(&file).unwrap();
        let key = "snapshotter = 'overlayfs'\ndiscard_unpacked_layers = true\nmax_concurrent_downloads = 1";
        fs::write(&file, text.replace("snapshotter = 'overlayfs'", key)).unwrap();
        vec!["--config".into(), file.display().to_string()]
    }) else {
        return;
    };
    let Some(registry) = registry::Registry::start("discard", &node.netns, &node.dir.join("registry"), None) else {
        return;
    };
    let root = node.dir.join("image");
    assert!(support::busybox_root("discard", &root));
    registry.push("test/busybox", "1", &[registry::layer(&root), registry::layer(&node.dir.join("image/bin"))], None);
    node.registry = Some(registry);
    node.ok(&["pull", support::node::IMAGE]);
    let blobs = node.dir.join("lib/content/blobs/sha256");
    let left = || fs::read_dir(&blobs).unwrap().count();
    let deadline = Instant::now() + Duration::from_secs(30);
    while left() != 2 {
        assert!(Instant::now() < deadline, "{} blobs are left, not only the manifest and the configuration", left());
        thread::sleep(Duration::from_millis(50));
    }
    assert!(node.ok(&["images"]).contains("test/busybox"));
    node.end();
}
