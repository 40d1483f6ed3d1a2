//! What of containerd's configuration applies to the engine, and what does not: each key that is set is one or the other.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Config, handlers,
    image::{keychain::KeychainConfig, registry::RegistryConfig},
    snapshot::{self, DRIVERS, Filesystem, ThinPool},
};
use crate::{
    bail,
    config::{
        Fault, Finding, Severity,
        containerd::{self, Containerd, Setting},
        tree::{At, Item, Table, Value},
    },
    error::Result,
};

const DEVMAPPER: &str = "io.containerd.snapshotter.v1.devmapper";
const IMAGES: &str = "io.containerd.cri.v1.images";
pub(super) const RUNTIME: &str = "io.containerd.cri.v1.runtime";

/// Paths, with `/` between keys and `*` for any one, that [`apply`] takes.
const APPLIED: &[&str] = &[
    "root",
    "state",
    "plugins/io.containerd.server.v1.grpc/address",
    "proxy_plugins/*/type",
    "proxy_plugins/*/address",
    "plugins/io.containerd.cri.v1.images/snapshotter",
    "plugins/io.containerd.snapshotter.v1.devmapper/pool_name",
    "plugins/io.containerd.snapshotter.v1.devmapper/base_image_size",
    "plugins/io.containerd.snapshotter.v1.devmapper/fs_type",
    "plugins/io.containerd.snapshotter.v1.devmapper/fs_options",
    "plugins/io.containerd.snapshotter.v1.devmapper/discard_blocks",
    "plugins/io.containerd.snapshotter.v1.devmapper/async_remove",
    "plugins/io.containerd.cri.v1.images/disable_snapshot_annotations",
    "plugins/io.containerd.cri.v1.images/discard_unpacked_layers",
    "plugins/io.containerd.cri.v1.images/max_concurrent_downloads",
    "plugins/io.containerd.cri.v1.images/image_pull_progress_timeout",
    "plugins/io.containerd.cri.v1.images/pinned_images/*",
    "plugins/io.containerd.cri.v1.images/registry/config_path",
    "plugins/io.containerd.cri.v1.images/registry/headers/*",
    "plugins/io.containerd.cri.v1.images/registry/mirrors/*/endpoint",
    "plugins/io.containerd.cri.v1.images/registry/auths/*/*",
    "plugins/io.containerd.cri.v1.images/registry/configs/*/*/*",
    "plugins/io.containerd.cri.v1.runtime/containerd/default_runtime_name",
    "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/runtime_type",
    "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/runtime_path",
    "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/options/BinaryName",
    "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/options/SystemdCgroup",
    "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/options/TypeUrl",
    "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/options/ConfigPath",
    "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/cni_conf_dir",
    "plugins/io.containerd.cri.v1.runtime/enable_unprivileged_ports",
    "plugins/io.containerd.cri.v1.runtime/enable_unprivileged_icmp",
    "plugins/io.containerd.cri.v1.runtime/cni/bin_dirs",
    "plugins/io.containerd.cri.v1.runtime/cni/conf_dir",
    "plugins/io.containerd.grpc.v1.cri/stream_server_address",
    "plugins/io.containerd.grpc.v1.cri/stream_server_port",
    "plugins/io.containerd.grpc.v1.cri/stream_idle_timeout",
    "plugins/io.containerd.grpc.v1.cri/enable_tls_streaming",
    "plugins/io.containerd.grpc.v1.cri/x509_key_pair_streaming/*",
];

/// Why a key, or all below it, changes nothing. What has no line here has nothing like it in wharf.
const OTHERWISE: &[(&str, &str)] = &[
    ("plugins/io.containerd.cri.v1.images/image_pull_with_sync_fs", "wharf always syncs a layer before it counts"),
    ("plugins/io.containerd.cri.v1.images/pinned_images/sandbox", "wharf's pods need no pause image"),
    ("plugins/io.containerd.snapshotter.v1.devmapper/root_path", "wharf keeps this in its own root"),
    ("plugins/io.containerd.snapshotter.v1.zfs/root_path", "wharf's own root must be on ZFS"),
    ("plugins/io.containerd.gc.v1.scheduler", "wharf collects garbage when something is removed"),
    ("plugins/io.containerd.server.v1", "wharf serves on one socket, --listen"),
    ("plugins/io.containerd.cri.v1.runtime/cni/max_conf_num", "wharf attaches a pod to one network, the first"),
    ("plugins/io.containerd.cri.v1.runtime/max_container_log_line_size", "wharf's lines have 16 KiB at most"),
    ("plugins/io.containerd.metadata.v1.bolt", "wharf has a database of its own"),
    ("plugins/io.containerd.transfer.v1.local", "the keys of io.containerd.cri.v1.images count"),
    ("disabled_plugins", "wharf has no plugins"),
    ("required_plugins", "wharf has no plugins"),
    ("debug", "set --debug"),
    ("timeouts", "wharf's limits are its own"),
    ("oom_score", "the service manager sets it (OOMScoreAdjust=)"),
];

/// Lays a configuration over the engine's own, and says what became of each key that is set.
///
/// # Errors
/// `FailedPrecondition` if its root is where a containerd keeps its data.
pub fn apply(config: &mut Config, from: &Containerd) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let s = &from.settings;
    if s.root.is_set() {
        if s.root.value.join("io.containerd.metadata.v1.bolt").exists() {
            let root = s.root.value.display();
            bail!(FailedPrecondition, "{root} is the root of a containerd: give wharf its own with --root");
        }
        config.root.clone_from(&s.root.value);
        config.network.state = config.root.join("network");
    }
    if s.state.is_set() {
        config.state.clone_from(&s.state.value);
    }
    if s.images.snapshotter.is_set() {
        config.snapshotter = Some(s.images.snapshotter.value.clone());
    }
    config.remotes = remotes(s, &mut findings);
    config.thin_pool = thin_pool(s, &mut findings);
    config.registry = registry(s, &config.registry, &mut findings);
    config.handlers = handlers::configured(s, &mut findings);
    config.unprivileged_ports = s.runtime.unprivileged_ports.value;
    config.unprivileged_icmp = s.runtime.unprivileged_icmp.value;
    if s.runtime.cni.conf_dir.is_set() {
        config.network.cni_conf_dir.clone_from(&s.runtime.cni.conf_dir.value);
    }
    if s.runtime.cni.bin_dirs.is_set() {
        config.network.cni_bin_dirs.clone_from(&s.runtime.cni.bin_dirs.value);
    }
    let own = s.runtime.handlers.iter().filter(|(_, handler)| !handler.cni_conf_dir.value.is_empty());
    let own = own.map(|(name, handler)| (name.clone(), PathBuf::from(&handler.cni_conf_dir.value)));
    config.network.handler_conf_dirs =
        own.filter(|(name, _)| config.handlers.iter().any(|h| h.name == *name)).collect();
    streaming(s, &mut config.streaming, &mut findings);
    unused(&from.tree, &mut Vec::new(), &mut findings);
    findings.sort_by(|a, b| a.at.cmp(&b.at));
    Ok(findings)
}

/// The socket, if the configuration names one.
pub fn address(from: &Containerd) -> Option<PathBuf> {
    let address = &from.settings.address;
    address.is_set().then(|| address.value.clone())
}

fn registry(s: &containerd::Settings, own: &RegistryConfig, findings: &mut Vec<Finding>) -> RegistryConfig {
    let (images, registry) = (&s.images, &s.images.registry);
    let parallel = match usize::try_from(images.max_concurrent_downloads.value) {
        Ok(number) if number > 0 => number.min(64),
        // Without a limit, which a node does not survive.
        _ => 64,
    };
    if !registry.config_path.value.is_empty() && !registry.mirrors.is_empty() {
        let key = ["plugins", IMAGES, "registry", "mirrors"];
        let text = "config_path is set as well: these are not used";
        let at = registry.mirrors.values().next().map(|mirror| &mirror.at);
        findings.push(Finding::new(Severity::Warning, Fault::Ignored, &key, at, text));
    }
    RegistryConfig {
        progress_timeout: images.progress_timeout.value,
        parallel,
        discard_unpacked_layers: images.discard_unpacked_layers.value,
        pinned: images.pinned.iter().filter(|(name, _)| *name != "sandbox").map(|(_, image)| image.clone()).collect(),
        config_path: registry.config_path.value.clone(),
        mirrors: registry.mirrors.iter().map(|(name, mirror)| (name.clone(), mirror.endpoints.clone())).collect(),
        tls: registry.tls.clone(),
        headers: registry.headers.clone(),
        keychain: KeychainConfig { auths: registry.auths.clone(), ..own.keychain.clone() },
        annotate_snapshots: !(images.disable_snapshot_annotations.is_set()
            && images.disable_snapshot_annotations.value),
        ..own.clone()
    }
}

/// Snapshotters behind a socket.
fn remotes(s: &containerd::Settings, findings: &mut Vec<Finding>) -> BTreeMap<String, PathBuf> {
    let mut remotes = BTreeMap::new();
    for (name, plugin) in &s.proxy_plugins {
        let mut say = |severity, fault, key: &'static str, at: Option<&At>, text: &str| {
            findings.push(Finding::new(severity, fault, &["proxy_plugins", name, key], at, text));
        };
        if !["snapshot", "io.containerd.snapshotter.v1"].contains(&plugin.kind.value.as_str()) {
            let text = "wharf asks nobody but snapshotters over a socket: this one is not used";
            say(Severity::Note, Fault::Unsupported, "type", plugin.kind.at.as_ref(), text);
        } else if DRIVERS.iter().any(|make| make(Path::new("/"), None).name() == name) {
            let text = "wharf has a snapshotter of this name by itself, which is used: give this one another name";
            say(Severity::Error, Fault::Conflict, "type", plugin.kind.at.as_ref(), text);
        } else if !(plugin.address.value.is_absolute() || plugin.address.value.starts_with("unix:")) {
            let text = "it is no path of a unix socket: this snapshotter cannot be used";
            say(Severity::Error, Fault::Invalid, "address", plugin.address.at.as_ref(), text);
        } else {
            remotes.insert(name.clone(), plugin.address.value.clone());
        }
    }
    remotes
}

/// `None` without a pool's name, as in containerd, or if a word of it is wrong: the snapshotter then says that it has none.
fn thin_pool(s: &containerd::Settings, findings: &mut Vec<Finding>) -> Option<ThinPool> {
    let own = &s.devmapper;
    let name = &own.pool_name.value;
    let mut wrong = |key: &'static str, at: &Setting<String>, text: &str| {
        let at = at.at.as_ref().or(own.pool_name.at.as_ref());
        findings.push(Finding::new(Severity::Error, Fault::Invalid, &["plugins", DEVMAPPER, key], at, text));
    };
    if name.is_empty() {
        return None;
    }
    let size = snapshot::size(&own.base_image_size.value);
    let filesystem = Filesystem::ALL.into_iter().find(|known| known.name() == own.fs_type.value);
    let plain = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    if !plain {
        wrong("pool_name", &own.pool_name, "it is no name of a device in /dev/mapper");
    }
    if size.is_none() {
        wrong("base_image_size", &own.base_image_size, "it is no size such as 10GB: devmapper cannot be used");
    }
    if filesystem.is_none() {
        wrong("fs_type", &own.fs_type, "it is none of ext4, xfs and ext2: devmapper cannot be used");
    }
    Some(ThinPool {
        name: plain.then(|| name.clone())?,
        size: size?,
        filesystem: filesystem?,
        options: own.fs_options.value.clone(),
        discard: own.discard_blocks.value,
        later: own.async_remove.value,
    })
}

fn streaming(s: &containerd::Settings, config: &mut super::streaming::Config, findings: &mut Vec<Finding>) {
    let own = &s.streaming;
    let mut wrong = |key: &'static str, at: &Setting<String>, text: &str| {
        let path = ["plugins", "io.containerd.grpc.v1.cri", key];
        findings.push(Finding::new(Severity::Error, Fault::Invalid, &path, at.at.as_ref(), text));
    };
    if own.address.is_set() {
        match own.address.value.parse() {
            Ok(address) => config.address.set_ip(address),
            Err(_) => wrong("stream_server_address", &own.address, "it is no IP address: streams stay on the loopback"),
        }
    }
    if own.port.is_set() {
        match own.port.value.parse() {
            Ok(port) => config.address.set_port(port),
            Err(_) => wrong("stream_server_port", &own.port, "it is no port: the kernel chooses one"),
        }
    }
    if own.idle_timeout.is_set() {
        config.idle = own.idle_timeout.value;
    }
    if own.tls.value {
        // Empty ones keep the server from starting: what was to be encrypted is not sent in clear.
        let (cert, key) = (PathBuf::from(&own.cert.value), PathBuf::from(&own.key.value));
        if cert.as_os_str().is_empty() || key.as_os_str().is_empty() {
            let path = ["plugins", "io.containerd.grpc.v1.cri", "enable_tls_streaming"];
            let text =
                "wharf signs no certificate for itself: set x509_key_pair_streaming, or --tls-cert and --tls-key";
            findings.push(Finding::new(Severity::Error, Fault::Unsupported, &path, own.tls.at.as_ref(), text));
        }
        config.tls = Some(super::streaming::tls::Files { cert, key });
    }
}

/// Every key that is set and not applied.
fn unused(table: &Table, path: &mut Vec<String>, findings: &mut Vec<Finding>) {
    for (key, item) in table.iter() {
        path.push(key.to_owned());
        let joined = path.join("/");
        let reason = OTHERWISE.iter().find(|(prefix, _)| joined.starts_with(prefix)).map(|(_, why)| *why);
        let applied = APPLIED.iter().any(|pattern| fits(pattern, path));
        match (&item.value, reason) {
            (Value::Table(below), None) => unused(below, path, findings),
            // Some of its keys may be applied.
            (Value::Table(below), Some(_)) if APPLIED.iter().any(|p| p.starts_with(&format!("{joined}/"))) => {
                unused(below, path, findings);
            }
            // Lists of plugins and the like that are empty, in every generated file.
            (value, _) if is_nothing(value) => {}
            (_, reason) if !applied || joined.ends_with("pinned_images/sandbox") => note(path, item, reason, findings),
            _ => {}
        }
        path.pop();
    }
}

fn note(path: &[String], item: &Item, reason: Option<&'static str>, findings: &mut Vec<Finding>) {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let text = reason.unwrap_or("wharf has nothing like it");
    findings.push(Finding::new(Severity::Note, Fault::Unsupported, &names, Some(&item.at), text));
}

fn fits(pattern: &str, path: &[String]) -> bool {
    let parts: Vec<&str> = pattern.split('/').collect();
    parts.len() == path.len() && parts.iter().zip(path).all(|(part, key)| *part == "*" || part == key)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::Integer(number) => *number == 0,
        Value::Bool(yes) => !yes,
        Value::List(items) => items.is_empty(),
        Value::Table(table) => table.is_empty(),
        _ => false,
    }
}

/// The engine's own settings as a file that [`apply`] takes.
pub fn to_toml(config: &Config, listen: &Path) -> String {
    use toml::{Table as T, Value as V};
    let table = |pairs: Vec<(&str, V)>| V::Table(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<T>());
    let text = |path: &Path| V::String(path.display().to_string());
    let seconds = format!("{}s", config.registry.progress_timeout.as_secs());
    let runtimes = config.handlers.iter().map(|handler| {
        let mut keys = handler.keys();
        keys.extend(config.network.handler_conf_dirs.get(&handler.name).map(|path| ("cni_conf_dir", text(path))));
        (handler.name.as_str(), table(keys))
    });
    let mut images = vec![
        ("discard_unpacked_layers", V::Boolean(config.registry.discard_unpacked_layers)),
        ("max_concurrent_downloads", V::Integer(i64::try_from(config.registry.parallel).unwrap_or(64))),
        ("image_pull_progress_timeout", V::String(seconds)),
    ];
    if config.registry.config_path != containerd::DEFAULT_CONFIG_PATH {
        images.push(("registry", table(vec![("config_path", V::String(config.registry.config_path.clone()))])));
    }
    images.extend(config.snapshotter.as_ref().map(|name| ("snapshotter", V::String(name.clone()))));
    if !config.registry.annotate_snapshots {
        images.push(("disable_snapshot_annotations", V::Boolean(true)));
    }
    let remotes = config.remotes.iter().map(|(name, socket)| {
        (name.as_str(), table(vec![("type", V::String("snapshot".to_owned())), ("address", text(socket))]))
    });
    let remotes: Vec<_> = remotes.collect();
    let bin_dirs = config.network.cni_bin_dirs.iter().map(|path| text(path)).collect();
    let default = config.handlers.first().map_or("wharf", |handler| &handler.name);
    let containerd =
        vec![("default_runtime_name", V::String(default.to_owned())), ("runtimes", table(runtimes.collect()))];
    let cni = vec![("bin_dirs", V::Array(bin_dirs)), ("conf_dir", text(&config.network.cni_conf_dir))];
    let mut plugins = vec![
        ("io.containerd.server.v1.grpc", table(vec![("address", text(listen))])),
        (IMAGES, table(images)),
        (RUNTIME, table(vec![("containerd", table(containerd)), ("cni", table(cni))])),
    ];
    if let Some(pool) = &config.thin_pool {
        let keys = vec![
            ("pool_name", V::String(pool.name.clone())),
            ("base_image_size", V::String(pool.size.to_string())),
            ("fs_type", V::String(pool.filesystem.name().to_owned())),
            ("fs_options", V::String(pool.options.clone())),
            ("discard_blocks", V::Boolean(pool.discard)),
            ("async_remove", V::Boolean(pool.later)),
        ];
        plugins.push((DEVMAPPER, table(keys)));
    }
    let mut whole = vec![
        ("version", V::Integer(containerd::NEWEST.into())),
        ("root", text(&config.root)),
        ("state", text(&config.state)),
        ("plugins", table(plugins)),
    ];
    if !remotes.is_empty() {
        whole.push(("proxy_plugins", table(remotes)));
    }
    whole.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<T>().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::cgroup::Driver;

    fn applied(text: &str) -> (Config, Vec<Finding>) {
        let mut config = Config::new(Path::new("/var/lib/wharf"), Path::new("/run/wharf"));
        let from = containerd::from_text(Path::new("/c.toml"), text).unwrap();
        let findings = apply(&mut config, &from).unwrap();
        (config, findings)
    }

    #[test]
    fn what_applies_is_applied_and_the_rest_is_said() {
        let (config, findings) = applied(
            "version = 2\nroot = '/data'\noom_score = -999\n[plugins.'io.containerd.grpc.v1.cri']\n\
             sandbox_image = 'p'\nmax_concurrent_downloads = 0\nimage_pull_progress_timeout = '7s'\n\
             enable_selinux = true\nstream_server_port = '10010'\nstream_idle_timeout = '5m'\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter = 'native'\n\
             default_runtime_name = 'sh'\ndiscard_unpacked_layers = true\n\
             [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.sh]\nruntime_type = 'io.containerd.runc.v2'\n\
             [plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.sh.options]\nBinaryName = '/bin/sh'\n\
             SystemdCgroup = true\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.kata]\n\
             runtime_type = 'io.containerd.kata.v2'\n[plugins.'io.containerd.grpc.v1.cri'.cni]\nbin_dir = '/b'\n\
             [plugins.'io.containerd.grpc.v1.cri'.registry.mirrors.'docker.io']\nendpoint = ['https://m']\n",
        );
        assert_eq!((config.root.as_path(), config.snapshotter.as_deref()), (Path::new("/data"), Some("native")));
        assert_eq!((config.registry.parallel, config.registry.progress_timeout.as_secs()), (64, 7));
        assert!(config.registry.discard_unpacked_layers && config.registry.config_path.is_empty());
        assert_eq!(config.registry.mirrors["docker.io"], ["https://m"]);
        assert_eq!(config.network.cni_bin_dirs, [PathBuf::from("/b")]);
        assert_eq!(
            (config.streaming.address.to_string().as_str(), config.streaming.idle.as_secs()),
            ("127.0.0.1:10010", 300)
        );
        let names: Vec<_> = config.handlers.iter().map(|h| h.name.as_str()).collect();
        assert_eq!(
            (names.as_slice(), config.handlers[0].runtime.program()),
            (&["sh", "kata", "runc", "wharf"][..], Some(Path::new("/bin/sh")))
        );
        let drivers = config.handlers.iter().map(|h| h.cgroups).collect::<Vec<_>>();
        assert_eq!(
            drivers[1..],
            [Driver::Cgroupfs, Driver::Cgroupfs, Driver::Systemd],
            "the built-in one has the default's"
        );
        let said: Vec<(usize, Severity)> =
            findings.iter().map(|f| (f.at.as_ref().map_or(0, |at| at.line), f.severity)).collect();
        for expected in [(3, Severity::Note), (5, Severity::Note), (8, Severity::Note), (21, Severity::Error)] {
            assert!(said.contains(&expected), "{expected:?}: {findings:#?}");
        }
        for applied in ["bin_dir", "mirrors", "SystemdCgroup"] {
            assert!(findings.iter().all(|f| !f.key.contains(applied)), "{findings:#?}");
        }
    }

    #[test]
    fn snapshotters_behind_a_socket_are_taken_and_others_are_said() {
        let (config, findings) = applied(
            "version = 3\n[proxy_plugins.stargz]\ntype = 'snapshot'\naddress = '/run/s.sock'\n\
             [proxy_plugins.soci]\ntype = 'io.containerd.snapshotter.v1'\naddress = 'unix:///run/soci.sock'\n\
             [proxy_plugins.native]\ntype = 'snapshot'\naddress = '/run/n.sock'\n\
             [proxy_plugins.near]\ntype = 'snapshot'\naddress = 'near.sock'\n\
             [proxy_plugins.store]\ntype = 'content'\naddress = '/run/c.sock'\n\
             [plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'stargz'\ndisable_snapshot_annotations = false\n",
        );
        let names: Vec<_> = config.remotes.keys().collect();
        assert_eq!(names, ["soci", "stargz"]);
        assert_eq!(config.remotes["stargz"], Path::new("/run/s.sock"));
        assert!(config.registry.annotate_snapshots);
        let said: Vec<(usize, Severity)> =
            findings.iter().map(|f| (f.at.as_ref().map_or(0, |at| at.line), f.severity)).collect();
        assert_eq!(said, [(9, Severity::Error), (13, Severity::Error), (15, Severity::Note)], "{findings:#?}");
        let (again, _) = applied(&to_toml(&config, Path::new("/run/wharf/wharf.sock")));
        assert_eq!((again.remotes, again.snapshotter), (config.remotes, config.snapshotter));
        let off = "version = 3\n[plugins.'io.containerd.cri.v1.images']\ndisable_snapshot_annotations = true\n";
        let (config, _) = applied(off);
        assert!(!config.registry.annotate_snapshots);
        assert!(!applied(&to_toml(&config, Path::new("/s"))).0.registry.annotate_snapshots);
        assert!(
            applied("version = 3\n").0.registry.annotate_snapshots,
            "a remote snapshotter is of little use without"
        );
    }

    #[test]
    fn a_thin_pool_is_taken_whole_or_not_at_all() {
        let pool = |keys: &str| format!("version = 3\n[plugins.'{DEVMAPPER}']\n{keys}");
        let (config, findings) = applied(&pool(
            "pool_name = 'p'\nroot_path = '/r'\nbase_image_size = '8GB'\nfs_type = 'xfs'\ndiscard_blocks = true\n",
        ));
        let taken = config.thin_pool.clone().unwrap();
        assert_eq!((taken.name.as_str(), taken.size, taken.filesystem), ("p", 8 << 30, Filesystem::Xfs));
        assert!(taken.discard && !taken.later);
        assert_eq!(findings.len(), 1, "root_path: {findings:#?}");
        assert_eq!(applied(&to_toml(&config, Path::new("/s"))).0.thin_pool, config.thin_pool);
        let (config, findings) = applied(&pool("pool_name = 'p'\nfs_type = 'btrfs'\n"));
        assert!(config.thin_pool.is_none());
        let said: Vec<(usize, Severity)> =
            findings.iter().map(|f| (f.at.as_ref().map_or(0, |at| at.line), f.severity)).collect();
        assert_eq!(said, [(3, Severity::Error), (4, Severity::Error)], "{findings:#?}");
        assert!(applied(&pool("fs_type = 'ext4'\n")).0.thin_pool.is_none());
    }

    #[test]
    fn our_own_settings_come_back_as_they_were() {
        let mut config = Config::new(Path::new("/var/lib/wharf"), Path::new("/run/wharf"));
        config.handlers[0].cgroups = Driver::Systemd;
        let (again, findings) = applied(&to_toml(&config, Path::new("/run/wharf/wharf.sock")));
        let mut ours: Vec<_> = config.handlers.clone();
        let mut theirs = again.handlers.clone();
        ours.sort_by(|a, b| a.name.cmp(&b.name));
        theirs.sort_by(|a, b| a.name.cmp(&b.name));
        theirs.retain(|handler| ours.iter().any(|own| own.name == handler.name));
        assert_eq!(theirs, ours);
        assert_eq!(again.registry.config_path, config.registry.config_path);
        let loud: Vec<_> = findings.iter().filter(|f| f.severity > Severity::Note).collect();
        assert!(loud.is_empty(), "{loud:#?}");
    }

    #[test]
    fn the_root_of_a_containerd_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("io.containerd.metadata.v1.bolt")).unwrap();
        let text = format!("version = 3\nroot = '{}'\n", root.path().display());
        let from = containerd::from_text(Path::new("/c.toml"), &text).unwrap();
        let mut config = Config::new(Path::new("/var/lib/wharf"), Path::new("/run/wharf"));
        assert!(apply(&mut config, &from).unwrap_err().to_string().contains("--root"));
    }
}
