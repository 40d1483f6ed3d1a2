//! What is wrong with a configuration that can be read.

use super::{
    CRI, IMAGES, RUNTIME, Settings, keys,
    settings::{Handler, Setting},
    v2, v3, v4,
};
use crate::config::{
    finding::{Fault, Finding, Severity},
    tree::{Item, Table, Value, dotted},
};

/// Keys that the version of the file has not. Before migration: lines and names are those of the file.
pub fn keys(version: u32, tree: &Table, findings: &mut Vec<Finding>) {
    let known: &[keys::Keys] = match version {
        1 | 2 => &[v2::KEYS],
        3 => &[v3::KEYS, v4::KEYS],
        _ => &[v4::KEYS],
    };
    for (path, item) in keys::unknown(known, tree) {
        let (severity, fault, text) = verdict(version, &path);
        findings.push(Finding::new(severity, fault, &path, Some(&item.at), text));
    }
    if version >= 2 {
        for list in ["disabled_plugins", "required_plugins"] {
            let Some(Item { value: Value::List(items), .. }) = tree.get(list) else { continue };
            for item in items {
                if let Value::Text(name) = &item.value
                    && !name.contains('.')
                {
                    let text = format!("{name:?} is no full plugin name (io.containerd.TYPE.VERSION.NAME)");
                    findings.push(Finding::new(Severity::Error, Fault::Invalid, &[list], Some(&item.at), text));
                }
            }
        }
    }
}

fn verdict(version: u32, path: &[&str]) -> (Severity, Fault, String) {
    let old_cri = path.starts_with(&["plugins", CRI]) && keys::knows(v2::KEYS, path);
    match version {
        3 if old_cri => (
            Severity::Error,
            Fault::Ignored,
            format!(
                "version 2 has it here: containerd 2.0 to 2.2 ignore it in a file of version 3, 2.3 migrates it; in version \
                 3 it is below {}",
                place(path)
            ),
        ),
        4 if old_cri => (
            Severity::Error,
            Fault::Ignored,
            format!("version 2 has it here, version 4 ignores it: it belongs below {}", place(path)),
        ),
        4 if keys::knows(v3::KEYS, path) && path[0] != "plugin_dir" => (
            Severity::Error,
            Fault::Ignored,
            format!(
                "version 3 has it here, version 4 ignores it and says nothing: it belongs below {}",
                dotted(&["plugins", "io.containerd.server.v1.*"])
            ),
        ),
        3.. if path[0] == "plugin_dir" => {
            (Severity::Note, Fault::Removed, "plugins as libraries are gone since containerd 2.1".to_owned())
        }
        _ if path.len() == 2 && path[0] == "plugins" => (
            Severity::Warning,
            Fault::Unknown,
            "no plugin that comes with containerd has this name: nobody reads the table, and nobody says so".to_owned(),
        ),
        _ => {
            let text = match keys::knows(v4::KEYS, path) && version < 4 {
                true => format!("only version 4 has it, the file says {version}"),
                false => "nobody reads this key".to_owned(),
            };
            (Severity::Warning, Fault::Unknown, text)
        }
    }
}

/// Where a key of the one CRI plugin went.
fn place(path: &[&str]) -> String {
    let images = ["registry", "sandbox_image", "image_decryption", "max_concurrent_downloads", "stats_collect_period"];
    match path.get(2) {
        Some(&"sandbox_image") => dotted(&["plugins", IMAGES, "pinned_images", "sandbox"]),
        Some(key) if images.contains(key) || key.starts_with("image_pull") => dotted(&["plugins", IMAGES]),
        Some(&"containerd") if matches!(path.get(3), Some(&"snapshotter" | &"discard_unpacked_layers")) => {
            dotted(&["plugins", IMAGES])
        }
        _ => dotted(&["plugins", RUNTIME]),
    }
}

/// Going away: path in the newest shape, when it goes, what comes instead.
const DEPRECATED: &[(&[&str], &str)] = &[
    (&["plugins", IMAGES, "registry", "mirrors"], "gone in containerd 2.4: set config_path and write hosts.toml files"),
    (&["plugins", IMAGES, "registry", "configs"], "gone in containerd 2.4: set config_path and write hosts.toml files"),
    (&["plugins", IMAGES, "registry", "auths"], "gone in containerd 2.4: use imagePullSecrets"),
    (&["plugins", RUNTIME, "enable_cdi"], "gone in containerd 2.4: devices by CDI are always on"),
    (
        &["plugins", RUNTIME, "enable_experimental_restore_via_create"],
        "gone in containerd 2.4: a restore has a call of its own",
    ),
    (
        &["plugins", "io.containerd.tracing.processor.v1.otlp", "endpoint"],
        "gone in containerd 2.4: set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ),
];

/// What only the whole shows: after migration and merging.
pub fn whole(tree: &Table, settings: &Settings, findings: &mut Vec<Finding>) {
    for (path, text) in DEPRECATED {
        let Some(item) = tree.find(path) else { continue };
        let nothing = match &item.value {
            Value::Table(table) => table.is_empty(),
            Value::Text(text) => text.is_empty(),
            Value::Bool(yes) => *yes == path.ends_with(&["enable_cdi"]),
            _ => false,
        };
        if !nothing {
            findings.push(Finding::new(Severity::Warning, Fault::Deprecated, path, Some(&item.at), *text));
        }
    }
    registry(tree, settings, findings);
    handlers(settings, findings);
    cni(tree, findings);
    let cri_off = |name: &&String| name.as_str() == CRI || name.starts_with("io.containerd.cri.v1.");
    if let Some(name) = settings.disabled_plugins.value.iter().find(cri_off) {
        let text = format!("{name} is off: the kubelet cannot use this containerd (unknown service runtime.v1)");
        let at = settings.disabled_plugins.at.as_ref();
        findings.push(Finding::new(Severity::Error, Fault::Conflict, &["disabled_plugins"], at, text));
    }
}

fn registry(tree: &Table, settings: &Settings, findings: &mut Vec<Finding>) {
    const BASE: [&str; 3] = ["plugins", IMAGES, "registry"];
    let registry = &settings.images.registry;
    let path = tree.find(&[&BASE[..], &["config_path"]].concat());
    let set = path.filter(|item| !matches!(&item.value, Value::Text(text) if text.is_empty()));
    if let (Some(path), Some((host, mirror))) = (set, registry.mirrors.iter().next()) {
        let text = format!(
            "`mirrors` cannot be set when `config_path` is provided ({}): the CRI plugin does not load; write {} for it",
            path.at,
            dotted(&[host])
        );
        let key = [&BASE[..], &["mirrors", host]].concat();
        findings.push(Finding::new(Severity::Error, Fault::Conflict, &key, Some(&mirror.at), text));
    }
    if let Some(Item { value: Value::Text(several), at }) = set
        && several.contains(':')
    {
        // containerd 2.3.4, core/transfer/registry: the whole text is one directory's name.
        let text = "containerd 2.1 and later take all of it for the name of one directory, which is not there, unless they \
                    pull without their transfer service (use_local_image_pull = true): name one directory";
        let key = [&BASE[..], &["config_path"]].concat();
        findings.push(Finding::new(Severity::Warning, Fault::Ignored, &key, Some(at), text));
    }
    for host in registry.tls.keys() {
        let key = [&BASE[..], &["configs", host, "tls"]].concat();
        let at = tree.find(&key).map(|item| &item.at);
        let text = "containerd 2.0 and later ignore it: name the certificates in a hosts.toml";
        findings.push(Finding::new(Severity::Warning, Fault::Removed, &key, at, text));
    }
    for (host, mirror) in &registry.mirrors {
        if mirror.endpoints.is_empty() {
            let key = [&BASE[..], &["mirrors", host, "endpoint"]].concat();
            let text = "no endpoint: the registry itself is asked";
            findings.push(Finding::new(Severity::Note, Fault::Ignored, &key, Some(&mirror.at), text));
        }
    }
}

fn handlers(settings: &Settings, findings: &mut Vec<Finding>) {
    const BASE: [&str; 4] = ["plugins", RUNTIME, "containerd", "runtimes"];
    let runtime = &settings.runtime;
    let default = &runtime.default_handler;
    if !runtime.handlers.contains_key(&default.value) {
        let text = format!("there is no runtime {:?}: the CRI plugin does not load", default.value);
        let key = ["plugins", RUNTIME, "containerd", "default_runtime_name"];
        findings.push(Finding::new(Severity::Error, Fault::Invalid, &key, default.at.as_ref(), text));
    }
    for (name, handler) in &runtime.handlers {
        let mut say = |severity, fault, key: &'static str, at: &Setting<String>, text: String| {
            let path = [&BASE[..], &[name, key]].concat();
            findings.push(Finding::new(severity, fault, &path, at.at.as_ref().or(handler.at.as_ref()), text));
        };
        let kind = &handler.runtime_type;
        match kind.value.as_str() {
            "" => {
                let text = "a runtime without a type cannot start a pod".to_owned();
                say(Severity::Error, Fault::Invalid, "runtime_type", kind, text);
            }
            "io.containerd.runtime.v1.linux" | "io.containerd.runc.v1" => {
                let text = "this shim is gone since containerd 2.0: use io.containerd.runc.v2".to_owned();
                say(Severity::Error, Fault::Removed, "runtime_type", kind, text);
            }
            _ => {}
        }
        let criu = handler.options.get("CriuPath");
        if let Some(item) = criu.filter(|item| !matches!(&item.value, Value::Text(text) if text.is_empty())) {
            let path = [&BASE[..], &[name, "options", "CriuPath"]].concat();
            let text = "gone since containerd 2.0: put criu on the PATH";
            findings.push(Finding::new(Severity::Warning, Fault::Removed, &path, Some(&item.at), text));
        }
    }
    mixed_drivers(settings, findings);
}

/// The kubelet asks for one cgroup driver; handlers that differ from the default one get pods they cannot start.
fn mixed_drivers(settings: &Settings, findings: &mut Vec<Finding>) {
    let runtime = &settings.runtime;
    let Some(default) = runtime.handlers.get(&runtime.default_handler.value) else { return };
    // The runtime inside wharf reads the same option.
    let is_runc =
        |handler: &Handler| matches!(&*handler.runtime_type.value, "io.containerd.runc.v2" | "io.wharf.builtin.v1");
    let word = |systemd: bool| if systemd { "systemd" } else { "cgroupfs" };
    let others = runtime.handlers.iter().filter(|(_, h)| is_runc(h) && h.at.is_some());
    for (name, handler) in others.filter(|_| is_runc(default)) {
        let (own, theirs) = (handler.systemd_cgroup.value, default.systemd_cgroup.value);
        if own != theirs {
            let key = ["plugins", RUNTIME, "containerd", "runtimes", name, "options", "SystemdCgroup"];
            let text = format!(
                "this runtime uses the {} cgroup driver, the default one ({}) {}: pods of one of them do not start",
                word(own),
                runtime.default_handler.value,
                word(theirs)
            );
            let at = handler.systemd_cgroup.at.as_ref().or(handler.at.as_ref());
            findings.push(Finding::new(Severity::Warning, Fault::Conflict, &key, at, text));
        }
    }
}

fn cni(tree: &Table, findings: &mut Vec<Finding>) {
    let key = ["plugins", RUNTIME, "cni", "bin_dir"];
    let set = tree.find(&key).filter(|item| !matches!(&item.value, Value::Text(text) if text.is_empty()));
    let Some(item) = set else { return };
    let (severity, fault, text) = match tree.find(&["plugins", RUNTIME, "cni", "bin_dirs"]) {
        Some(_) => (
            Severity::Error,
            Fault::Conflict,
            "`bin_dir` and `bin_dirs` cannot be set at the same time: the CRI plugin does not load",
        ),
        None => (Severity::Warning, Fault::Deprecated, "gone in containerd 2.4: use bin_dirs, a list"),
    };
    findings.push(Finding::new(severity, fault, &key, Some(&item.at), text));
}
