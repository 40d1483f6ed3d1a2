//! A real registry (Debian's docker-registry) in a network namespace, and images pushed to it by plain HTTP.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wharf::engine::{content::Digest, network::netns};

use super::scripted::Signed;

pub const ADDRESS: &str = "127.0.0.1:5000";

pub struct Registry {
    child: Child,
    /// The same by TLS on port 443, under other hosts' names.
    mirror: Option<Child>,
    netns: PathBuf,
}

impl Registry {
    /// With `htpasswd` it asks for a password.
    pub fn start(test: &str, netns: &Path, dir: &Path, htpasswd: Option<&str>) -> Option<Self> {
        let mut more = String::new();
        if let Some(entry) = htpasswd {
            fs::create_dir_all(dir).unwrap();
            fs::write(dir.join("htpasswd"), entry).unwrap();
            more = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", dir.join("htpasswd").display());
        }
        let registry = Self::spawn(test, netns, dir, &format!("http: {{addr: '{ADDRESS}'}}\n{more}"))?;
        registry.wait(dir, || registry.request("GET", "/v2/", "", &[], None).is_some());
        Some(registry)
    }

    /// Behind TLS, at an address of its own. Nothing can be pushed to it.
    pub fn tls(test: &str, netns: &Path, dir: &Path, address: &str, certificate: &Path, key: &Path) -> Option<Self> {
        let tls = format!("tls: {{certificate: {}, key: {}}}", certificate.display(), key.display());
        let registry = Self::spawn(test, netns, dir, &format!("http: {{addr: '{address}', {tls}}}\n"))?;
        registry.wait(dir, || netns::inside(netns, || Ok(TcpStream::connect(address).is_ok())).unwrap());
        Some(registry)
    }

    /// The same, for clients with a certificate of this authority alone.
    pub fn mutual(
        test: &str,
        netns: &Path,
        dir: &Path,
        address: &str,
        signed: &Signed,
        clients: &Path,
    ) -> Option<Self> {
        let (certificate, key) = (signed.certificate.display(), signed.key.display());
        let tls = format!("tls: {{certificate: {certificate}, key: {key}, clientcas: ['{}']}}", clients.display());
        let registry = Self::spawn(test, netns, dir, &format!("http: {{addr: '{address}', {tls}}}\n"))?;
        registry.wait(dir, || netns::inside(netns, || Ok(TcpStream::connect(address).is_ok())).unwrap());
        Some(registry)
    }

    fn spawn(test: &str, netns: &Path, dir: &Path, http: &str) -> Option<Self> {
        let program = super::program(test, "docker-registry")?;
        fs::create_dir_all(dir).unwrap();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n{http}",
            dir.join("data").display()
        );
        fs::write(dir.join("config.yml"), config).unwrap();
        let log = fs::File::create(dir.join("log")).unwrap();
        let child = super::in_netns(netns, &program)
            .arg("serve")
            .arg(dir.join("config.yml"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Some(Self { child, mirror: None, netns: netns.to_owned() })
    }

    fn wait(&self, dir: &Path, there: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !there() {
            let log = fs::read_to_string(dir.join("log")).unwrap();
            assert!(Instant::now() < deadline, "the registry does not come up: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Serves the same images as `hosts` by TLS; the file of the authority that vouches for it.
    pub fn mirror(&mut self, test: &str, dir: &Path, hosts: &[&str]) -> Option<PathBuf> {
        let program = super::program(test, "docker-registry")?;
        super::program(test, "openssl")?;
        let names: Vec<String> = hosts.iter().map(|h| format!("DNS:{h}")).collect();
        let names = format!("subjectAltName={}", names.join(","));
        let run = |line: &str, last: &[&str]| {
            let made = Command::new("openssl").args(line.split(' ')).args(last).current_dir(dir).output().unwrap();
            assert!(made.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&made.stderr));
        };
        // openssl makes authorities of all that sign themselves, if it is not told otherwise.
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        run(&format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=test-authority"), &[]);
        run(
            &format!(
                "req -x509 {key} -keyout server.key -out server.crt -days 2 -subj /CN=mirror -CA ca.crt -CAkey ca.key"
            ),
            &["-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"],
        );
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {0}/data}}}}\n\
             http: {{addr: '127.0.0.1:443', tls: {{certificate: {0}/server.crt, key: {0}/server.key}}}}\n",
            dir.display()
        );
        fs::write(dir.join("mirror.yml"), config).unwrap();
        let log = fs::File::create(dir.join("mirror.log")).unwrap();
        let mut command = super::in_netns(&self.netns, &program);
        command.arg("serve").arg(dir.join("mirror.yml")).stdout(log.try_clone().unwrap()).stderr(log);
        self.mirror = Some(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(20);
        while netns::inside(&self.netns, || Ok(TcpStream::connect("127.0.0.1:443").is_err())).unwrap() {
            let said = fs::read_to_string(dir.join("mirror.log")).unwrap();
            assert!(Instant::now() < deadline, "the mirror does not come up: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(dir.join("ca.crt"))
    }

    /// Pushes an image of these layers; its manifest's digest.
    pub fn push(&self, name: &str, tag: &str, layers: &[Layer], auth: Option<&str>) -> String {
        self.push_program(name, tag, layers, "/bin/sh", auth)
    }

    /// The same with a program that is run by default.
    pub fn push_program(&self, name: &str, tag: &str, layers: &[Layer], run: &str, auth: Option<&str>) -> String {
        let config = json!({ "Cmd": [run], "Env": ["PATH=/bin"] });
        self.push_with(name, tag, &layers.iter().collect::<Vec<_>>(), &config, auth)
    }

    /// The same with a whole configuration.
    pub fn push_with(&self, name: &str, tag: &str, layers: &[&Layer], config: &Value, auth: Option<&str>) -> String {
        self.push_annotated((name, tag), layers, config, &Value::Null, auth)
    }

    /// The same with annotations of the manifest.
    pub fn push_annotated(
        &self,
        name: (&str, &str),
        layers: &[&Layer],
        config: &Value,
        annotations: &Value,
        auth: Option<&str>,
    ) -> String {
        let layers: Vec<_> = layers.iter().map(|layer| (*layer, &Value::Null)).collect();
        self.push_described(name, &layers, config, annotations, auth)
    }

    /// The same with annotations of each layer, too.
    pub fn push_described(
        &self,
        (name, tag): (&str, &str),
        layers: &[(&Layer, &Value)],
        config: &Value,
        annotations: &Value,
        auth: Option<&str>,
    ) -> String {
        let blob = |bytes: &[u8]| self.blob(name, bytes, auth);
        let diffs: Vec<&str> = layers.iter().map(|(l, _)| l.diff_id.as_str()).collect();
        let config = json!({ "architecture": "amd64", "os": "linux", "config": config,
            "rootfs": { "type": "layers", "diff_ids": diffs } });
        let mut config = blob(config.to_string().as_bytes());
        config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        let layers: Vec<_> = layers
            .iter()
            .map(|(layer, annotations)| {
                let mut entry = blob(&layer.bytes);
                entry["mediaType"] = format!("application/vnd.oci.image.layer.v1.tar+{}", layer.compression).into();
                if !annotations.is_null() {
                    entry["annotations"] = (*annotations).clone();
                }
                entry
            })
            .collect();
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let mut manifest = json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers });
        if !annotations.is_null() {
            manifest["annotations"] = annotations.clone();
        }
        let manifest = manifest.to_string();
        self.put(name, tag, kind, &manifest, auth);
        Digest::of(manifest.as_bytes()).to_string()
    }

    /// An image for another platform, by itself; its manifest's digest and size.
    pub fn push_for(&self, (name, tag): (&str, &str), layer: &Layer, platform: (&str, &str)) -> (String, usize) {
        let (os, architecture) = platform;
        let config = json!({ "architecture": architecture, "os": os, "config": { "Cmd": ["/bin/sh"] },
            "rootfs": { "type": "layers", "diff_ids": [layer.diff_id] } });
        let mut config = self.blob(name, config.to_string().as_bytes(), None);
        config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        let mut entry = self.blob(name, &layer.bytes, None);
        entry["mediaType"] = format!("application/vnd.oci.image.layer.v1.tar+{}", layer.compression).into();
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": [entry] }).to_string();
        self.put(name, tag, kind, &manifest, None);
        (Digest::of(manifest.as_bytes()).to_string(), manifest.len())
    }

    /// An index of images for these platforms.
    pub fn push_index(&self, (name, tag): (&str, &str), layer: &Layer, platforms: &[(&str, &str)]) {
        let entries: Vec<Value> = platforms
            .iter()
            .map(|(os, architecture)| {
                let (digest, size) = self.push_for((name, &format!("{tag}-{architecture}")), layer, (os, architecture));
                json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size,
                    "platform": { "os": os, "architecture": architecture } })
            })
            .collect();
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({ "schemaVersion": 2, "mediaType": kind, "manifests": entries }).to_string();
        self.put(name, tag, kind, &index, None);
    }

    /// Its digest and size.
    fn blob(&self, name: &str, bytes: &[u8], auth: Option<&str>) -> Value {
        let digest = Digest::of(bytes).to_string();
        let (status, head) = self.request("POST", &format!("/v2/{name}/blobs/uploads/"), "", &[], auth).unwrap();
        assert_eq!(status, 202, "{head}");
        let location = head
            .lines()
            .find_map(|l| l.to_lowercase().starts_with("location: ").then(|| l[10..].trim().to_owned()))
            .unwrap();
        let path = location.split_once(ADDRESS).map_or(location.as_str(), |(_, p)| p);
        let (status, head) =
            self.request("PUT", &format!("{path}&digest={digest}"), "application/octet-stream", bytes, auth).unwrap();
        assert_eq!(status, 201, "{head}");
        json!({ "digest": digest, "size": bytes.len() })
    }

    fn put(&self, name: &str, tag: &str, kind: &str, manifest: &str, auth: Option<&str>) {
        let path = format!("/v2/{name}/manifests/{tag}");
        let (status, head) = self.request("PUT", &path, kind, manifest.as_bytes(), auth).unwrap();
        assert_eq!(status, 201, "{head}");
    }

    /// Status and header lines; `None` if nobody answers.
    fn request(&self, method: &str, path: &str, kind: &str, body: &[u8], auth: Option<&str>) -> Option<(u16, String)> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        if !kind.is_empty() {
            head += &format!("Content-Type: {kind}\r\n");
        }
        if let Some(basic) = auth {
            head += &format!("Authorization: Basic {basic}\r\n");
        }
        let answer = netns::inside(&self.netns, || {
            let exchange = || -> std::io::Result<String> {
                let mut stream = TcpStream::connect(ADDRESS)?;
                stream.write_all(head.as_bytes())?;
                stream.write_all(b"\r\n")?;
                stream.write_all(body)?;
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer)?;
                Ok(String::from_utf8_lossy(&answer).into_owned())
            };
            Ok(exchange().ok())
        });
        let answer = answer.unwrap()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer.split("\r\n\r\n").next()?.to_owned()))
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Killed already is fine.
        for child in [Some(&mut self.child), self.mirror.as_mut()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub struct Layer {
    pub bytes: Vec<u8>,
    /// "gzip" or "zstd".
    pub compression: &'static str,
    pub diff_id: String,
}

/// A layer of a directory's contents.
pub fn layer(directory: &Path) -> Layer {
    let run = |args: &[&str]| Command::new("tar").arg("-C").arg(directory).args(args).output().unwrap().stdout;
    let common = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    let plain = run(&[&common[..], &["-c", "."]].concat());
    let bytes = run(&[&common[..], &["-cz", "."]].concat());
    Layer { diff_id: Digest::of(&plain).to_string(), bytes, compression: "gzip" }
}
