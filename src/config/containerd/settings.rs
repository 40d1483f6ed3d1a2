//! What is set, typed, with containerd's defaults and the line of each word.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{CRI, DEVMAPPER, IMAGES, RUNTIME};
use crate::config::{
    finding::{Fault, Finding, Severity},
    span,
    tree::{At, Item, Table, Value},
};

/// Where hosts.toml files are looked for when neither a path nor mirrors are set (containerd 2.2 and later).
pub const DEFAULT_CONFIG_PATH: &str = "/etc/containerd/certs.d:/etc/docker/certs.d";

/// A value and where it was written; `at` is `None` for a default.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting<T> {
    pub value: T,
    pub at: Option<At>,
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub root: Setting<PathBuf>,
    pub state: Setting<PathBuf>,
    /// The socket, a path.
    pub address: Setting<PathBuf>,
    pub metrics_address: Setting<String>,
    pub disabled_plugins: Setting<Vec<String>>,
    pub required_plugins: Setting<Vec<String>>,
    /// Snapshotters and others behind a socket, by name.
    pub proxy_plugins: BTreeMap<String, ProxyPlugin>,
    pub images: Images,
    pub devmapper: Devmapper,
    pub runtime: Runtime,
    pub streaming: Streaming,
}

#[derive(Debug, Clone)]
pub struct ProxyPlugin {
    /// "snapshot", "content", "diff", ..., or the plugin type's full name.
    pub kind: Setting<String>,
    /// Its socket, a path.
    pub address: Setting<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct Images {
    pub snapshotter: Setting<String>,
    /// Whether snapshotters are told which image and layer a snapshot is for. The default is containerd's: they are not.
    pub disable_snapshot_annotations: Setting<bool>,
    pub discard_unpacked_layers: Setting<bool>,
    pub max_concurrent_downloads: Setting<i64>,
    /// Zero: none.
    pub progress_timeout: Setting<Duration>,
    pub sandbox: Setting<String>,
    pub pinned: BTreeMap<String, String>,
    pub registry: Registry,
}

/// The snapshotter of that name, which is not used without a pool.
#[derive(Debug, Clone)]
pub struct Devmapper {
    pub pool_name: Setting<String>,
    /// "10GB", in steps of 1024.
    pub base_image_size: Setting<String>,
    pub fs_type: Setting<String>,
    pub fs_options: Setting<String>,
    pub discard_blocks: Setting<bool>,
    pub async_remove: Setting<bool>,
}

#[derive(Debug, Clone)]
pub struct Registry {
    /// Directories, joined by colons. Empty if mirrors are set instead.
    pub config_path: Setting<String>,
    /// By registry; `*` is for those with no line of their own.
    pub mirrors: BTreeMap<String, Mirror>,
    /// By host.
    pub auths: BTreeMap<String, Auth>,
    pub tls: BTreeMap<String, RegistryTls>,
    /// Sent to every registry. Values are secret.
    pub headers: Headers,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    pub endpoints: Vec<String>,
    pub at: At,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Auth {
    pub username: String,
    pub password: String,
    /// base64 of `user:password`.
    pub auth: String,
    pub identity_token: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryTls {
    pub skip_verify: bool,
    pub ca: Option<PathBuf>,
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

#[derive(Debug, Clone)]
pub struct Runtime {
    pub default_handler: Setting<String>,
    pub handlers: BTreeMap<String, Handler>,
    pub cni: Cni,
    /// Whether everybody in a pod may bind ports below 1024, and send echo requests without a raw socket.
    pub unprivileged_ports: Setting<bool>,
    pub unprivileged_icmp: Setting<bool>,
}

/// What a RuntimeClass selects.
#[derive(Debug, Clone)]
pub struct Handler {
    pub runtime_type: Setting<String>,
    /// The shim's path, instead of what the type says.
    pub runtime_path: Setting<String>,
    /// `options.BinaryName`: the OCI runtime.
    pub binary: Setting<String>,
    /// `options.SystemdCgroup`.
    pub systemd_cgroup: Setting<bool>,
    pub snapshotter: Setting<String>,
    pub sandboxer: Setting<String>,
    pub base_runtime_spec: Setting<String>,
    pub privileged_without_host_devices: Setting<bool>,
    /// Where its pods' CNI configuration is, if not at the node's; empty if so.
    pub cni_conf_dir: Setting<String>,
    /// Where the table stands; `None` for the one containerd has by itself.
    pub at: Option<At>,
    /// All of `options`, for foreign shims.
    pub options: Table,
}

#[derive(Debug, Clone)]
pub struct Cni {
    pub bin_dirs: Setting<Vec<PathBuf>>,
    pub conf_dir: Setting<PathBuf>,
    pub max_conf_num: Setting<i64>,
    pub ip_preference: Setting<String>,
}

#[derive(Debug, Clone)]
pub struct Streaming {
    pub address: Setting<String>,
    pub port: Setting<String>,
    pub idle_timeout: Setting<Duration>,
    pub tls: Setting<bool>,
    pub cert: Setting<String>,
    pub key: Setting<String>,
}

impl Settings {
    /// From a tree of the newest shape. What has the wrong type is found and its default taken: containerd itself would not
    /// start.
    pub fn read(tree: &Table, findings: &mut Vec<Finding>) -> Self {
        let mut r = Reader { tree, findings };
        let grpc = "io.containerd.server.v1.grpc";
        Self {
            root: r.text(&["root"], "/var/lib/containerd").map(PathBuf::from),
            state: r.text(&["state"], "/run/containerd").map(PathBuf::from),
            address: r.text(&["plugins", grpc, "address"], "/run/containerd/containerd.sock").map(PathBuf::from),
            metrics_address: r.text(&["plugins", "io.containerd.server.v1.metrics", "address"], ""),
            disabled_plugins: r.list(&["disabled_plugins"], &[]),
            required_plugins: r.list(&["required_plugins"], &[]),
            proxy_plugins: r.proxies(),
            images: r.images(),
            devmapper: r.devmapper(),
            runtime: r.runtime(),
            streaming: r.streaming(),
        }
    }
}

impl<T> Setting<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: change(self.value), at: self.at }
    }

    pub fn is_set(&self) -> bool {
        self.at.is_some()
    }
}

struct Reader<'a> {
    tree: &'a Table,
    findings: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    /// `pick` gives `None` for another type.
    fn get<T>(
        &mut self,
        path: &[&str],
        wanted: &str,
        default: T,
        pick: impl FnOnce(&Value) -> Option<T>,
    ) -> Setting<T> {
        let Some(item) = self.tree.find(path) else { return Setting { value: default, at: None } };
        match pick(&item.value) {
            Some(value) => Setting { value, at: Some(item.at.clone()) },
            None => {
                let text = format!("it is a {}, not a {wanted}: containerd does not start", item.value.kind());
                self.wrong(path, item, text);
                Setting { value: default, at: None }
            }
        }
    }

    fn wrong(&mut self, path: &[&str], item: &Item, text: impl Into<String>) {
        self.findings.push(Finding::new(Severity::Error, Fault::Invalid, path, Some(&item.at), text));
    }

    fn text(&mut self, path: &[&str], default: &str) -> Setting<String> {
        self.get(path, "string", default.to_owned(), text)
    }

    fn bool(&mut self, path: &[&str], default: bool) -> Setting<bool> {
        self.get(path, "boolean", default, |v| if let Value::Bool(yes) = v { Some(*yes) } else { None })
    }

    fn number(&mut self, path: &[&str], default: i64) -> Setting<i64> {
        self.get(path, "number", default, |v| if let Value::Integer(n) = v { Some(*n) } else { None })
    }

    fn list(&mut self, path: &[&str], default: &[&str]) -> Setting<Vec<String>> {
        let default = default.iter().map(|s| (*s).to_owned()).collect();
        self.get(path, "list of strings", default, texts)
    }

    fn span(&mut self, path: &[&str], default: Duration) -> Setting<Duration> {
        let text = self.text(path, "");
        match (text.value.as_str(), self.tree.find(path)) {
            ("", _) | (_, None) => Setting { value: default, at: None },
            (written, Some(item)) => match span::parse(written) {
                Ok(value) => Setting { value, at: text.at },
                Err(error) => {
                    self.wrong(path, item, format!("{error}: containerd does not start"));
                    Setting { value: default, at: None }
                }
            },
        }
    }

    /// The tables below a path, by name.
    fn tables(&self, path: &[&str]) -> Vec<(String, At)> {
        let table = self.tree.find(path).and_then(|item| item.value.as_table());
        table.into_iter().flat_map(Table::iter).map(|(name, item)| (name.to_owned(), item.at.clone())).collect()
    }

    fn proxies(&mut self) -> BTreeMap<String, ProxyPlugin> {
        let names = self.tables(&["proxy_plugins"]);
        let read = |(name, _): (String, At)| {
            let kind = self.text(&["proxy_plugins", &name, "type"], "");
            let address = self.text(&["proxy_plugins", &name, "address"], "").map(PathBuf::from);
            (name, ProxyPlugin { kind, address })
        };
        names.into_iter().map(read).collect()
    }

    fn images(&mut self) -> Images {
        let key = |name: &'static str| ["plugins", IMAGES, name];
        let pinned = self.tables(&key("pinned_images"));
        let pinned = pinned
            .into_iter()
            .map(|(name, _)| {
                let image = self.text(&["plugins", IMAGES, "pinned_images", &name], "").value;
                (name, image)
            })
            .collect();
        Images {
            snapshotter: self.text(&key("snapshotter"), "overlayfs"),
            disable_snapshot_annotations: self.bool(&key("disable_snapshot_annotations"), true),
            discard_unpacked_layers: self.bool(&key("discard_unpacked_layers"), false),
            max_concurrent_downloads: self.number(&key("max_concurrent_downloads"), 3),
            progress_timeout: self.span(&key("image_pull_progress_timeout"), Duration::from_secs(300)),
            sandbox: self.text(&["plugins", IMAGES, "pinned_images", "sandbox"], "registry.k8s.io/pause:3.10.2"),
            pinned,
            registry: self.registry(),
        }
    }

    fn devmapper(&mut self) -> Devmapper {
        let key = |name: &'static str| ["plugins", DEVMAPPER, name];
        let mut fs_type = self.text(&key("fs_type"), "ext4");
        if fs_type.value.is_empty() {
            "ext4".clone_into(&mut fs_type.value);
        }
        Devmapper {
            pool_name: self.text(&key("pool_name"), ""),
            base_image_size: self.text(&key("base_image_size"), ""),
            fs_type,
            fs_options: self.text(&key("fs_options"), ""),
            discard_blocks: self.bool(&key("discard_blocks"), false),
            async_remove: self.bool(&key("async_remove"), false),
        }
    }

    fn registry(&mut self) -> Registry {
        const BASE: [&str; 3] = ["plugins", IMAGES, "registry"];
        let at = |rest: &[&str]| -> Vec<String> { BASE.iter().chain(rest).map(|s| (*s).to_owned()).collect() };
        fn refs(path: &[String]) -> Vec<&str> {
            path.iter().map(String::as_str).collect()
        }
        let mut mirrors = BTreeMap::new();
        for (host, line) in self.tables(&refs(&at(&["mirrors"]))) {
            let endpoints = self.list(&refs(&at(&["mirrors", &host, "endpoint"])), &[]).value;
            mirrors.insert(host, Mirror { endpoints, at: line });
        }
        let (mut auths, mut tls) = (BTreeMap::new(), BTreeMap::new());
        for (host, _) in self.tables(&refs(&at(&["configs"]))) {
            let base = at(&["configs", &host, "auth"]);
            if self.tree.find(&refs(&base)).is_some() {
                auths.insert(host.clone(), self.auth(&refs(&base)));
            }
            let base = at(&["configs", &host, "tls"]);
            if self.tree.find(&refs(&base)).is_some() {
                tls.insert(host, self.tls(&refs(&base)));
            }
        }
        for (endpoint, _) in self.tables(&refs(&at(&["auths"]))) {
            let auth = self.auth(&refs(&at(&["auths", &endpoint])));
            let host = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, rest)| rest);
            auths.insert(host.split('/').next().unwrap_or(host).to_owned(), auth);
        }
        let mut headers = Vec::new();
        for (name, _) in self.tables(&refs(&at(&["headers"]))) {
            let values = self.list(&refs(&at(&["headers", &name])), &[]).value;
            headers.extend(values.into_iter().map(|value| (name.clone(), value)));
        }
        let default = if mirrors.is_empty() { DEFAULT_CONFIG_PATH } else { "" };
        let mut config_path = self.text(&refs(&at(&["config_path"])), default);
        if config_path.value.is_empty() {
            config_path.value = default.to_owned();
        }
        Registry { config_path, mirrors, auths, tls, headers: Headers(headers) }
    }

    fn auth(&mut self, base: &[&str]) -> Auth {
        let mut text = |key| self.text(&[base, &[key]].concat(), "").value;
        Auth {
            username: text("username"),
            password: text("password"),
            auth: text("auth"),
            identity_token: text("identitytoken"),
        }
    }

    fn tls(&mut self, base: &[&str]) -> RegistryTls {
        let skip_verify = self.bool(&[base, &["insecure_skip_verify"]].concat(), false).value;
        let mut path = |key| {
            let text = self.text(&[base, &[key]].concat(), "").value;
            (!text.is_empty()).then(|| PathBuf::from(text))
        };
        RegistryTls { skip_verify, ca: path("ca_file"), cert: path("cert_file"), key: path("key_file") }
    }

    fn runtime(&mut self) -> Runtime {
        const BASE: [&str; 4] = ["plugins", RUNTIME, "containerd", "runtimes"];
        let mut handlers = BTreeMap::new();
        let mut named = self.tables(&BASE).into_iter().map(|(name, at)| (name, Some(at))).collect::<Vec<_>>();
        if !named.iter().any(|(name, _)| name == "runc") {
            named.push(("runc".to_owned(), None));
        }
        for (name, at) in named {
            let handler = self.handler(&[&BASE[..], &[&name]].concat(), at);
            handlers.insert(name, handler);
        }
        let cni = |name: &'static str| ["plugins", RUNTIME, "cni", name];
        let mut bin_dirs = self.list(&cni("bin_dirs"), &["/opt/cni/bin"]);
        let old = self.text(&cni("bin_dir"), "");
        if !old.value.is_empty() && !bin_dirs.is_set() {
            bin_dirs = old.map(|directory| vec![directory]);
        }
        Runtime {
            default_handler: self.text(&["plugins", RUNTIME, "containerd", "default_runtime_name"], "runc"),
            handlers,
            cni: Cni {
                bin_dirs: bin_dirs.map(|list| list.into_iter().map(PathBuf::from).collect()),
                conf_dir: self.text(&cni("conf_dir"), "/etc/cni/net.d").map(PathBuf::from),
                max_conf_num: self.number(&cni("max_conf_num"), 1),
                ip_preference: self.text(&cni("ip_pref"), ""),
            },
            unprivileged_ports: self.bool(&["plugins", RUNTIME, "enable_unprivileged_ports"], true),
            unprivileged_icmp: self.bool(&["plugins", RUNTIME, "enable_unprivileged_icmp"], true),
        }
    }

    fn handler(&mut self, base: &[&str], at: Option<At>) -> Handler {
        let key = |name: &'static str| [base, &[name]].concat();
        let option = |name: &'static str| [base, &["options", name]].concat();
        // containerd has a runtime of this name by itself, which a table of the same name only changes.
        let kind = if base.last() == Some(&"runc") { "io.containerd.runc.v2" } else { "" };
        let options = self.tree.find(&key("options")).and_then(|item| item.value.as_table()).cloned();
        Handler {
            runtime_type: self.text(&key("runtime_type"), kind),
            runtime_path: self.text(&key("runtime_path"), ""),
            binary: self.text(&option("BinaryName"), ""),
            systemd_cgroup: self.bool(&option("SystemdCgroup"), false),
            snapshotter: self.text(&key("snapshotter"), ""),
            sandboxer: self.text(&key("sandboxer"), ""),
            base_runtime_spec: self.text(&key("base_runtime_spec"), ""),
            privileged_without_host_devices: self.bool(&key("privileged_without_host_devices"), false),
            cni_conf_dir: self.text(&key("cni_conf_dir"), ""),
            at,
            options: options.unwrap_or_default(),
        }
    }

    fn streaming(&mut self) -> Streaming {
        let key = |name: &'static str| ["plugins", CRI, name];
        let pair = |name: &'static str| ["plugins", CRI, "x509_key_pair_streaming", name];
        Streaming {
            address: self.text(&key("stream_server_address"), "127.0.0.1"),
            port: self.text(&key("stream_server_port"), "0"),
            idle_timeout: self.span(&key("stream_idle_timeout"), Duration::from_secs(4 * 3600)),
            tls: self.bool(&key("enable_tls_streaming"), false),
            cert: self.text(&pair("tls_cert_file"), ""),
            key: self.text(&pair("tls_key_file"), ""),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::List(items) => items.iter().map(|item| text(&item.value)).collect(),
        _ => None,
    }
}

/// Whether containers of this runtime, by its type or its shim's path, are processes of this kernel in groups of their own, as runc
/// makes them; gVisor's and kata's are not. Types that are not containerd's are of runtimes without a shim.
pub fn is_on_this_kernel(kind: &str) -> bool {
    let shim = kind.starts_with("io.containerd.") || kind.starts_with('/');
    !shim
        || kind.starts_with("io.containerd.runc.")
        || kind.starts_with("io.containerd.runtime.v1.")
        || kind.contains("containerd-shim-runc-")
}

impl Handler {
    /// The shim's program by containerd's rule: `io.containerd.NAME.VERSION` is `containerd-shim-NAME-VERSION`, a path is
    /// itself.
    pub fn shim(&self) -> PathBuf {
        let kind = &self.runtime_type.value;
        if !self.runtime_path.value.is_empty() {
            return PathBuf::from(&self.runtime_path.value);
        }
        if Path::new(kind).is_absolute() {
            return PathBuf::from(kind);
        }
        let mut parts = kind.rsplit('.');
        match (parts.next(), parts.next()) {
            (Some(version), Some(name)) => PathBuf::from(format!("containerd-shim-{name}-{version}")),
            _ => PathBuf::new(),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({}, ***)", self.username.escape_debug())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
