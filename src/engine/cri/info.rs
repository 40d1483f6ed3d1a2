//! What `crictl info` shows beside the conditions: the effective configuration under containerd's names, where people
//! and their scripts look for it, and how the network's configuration was loaded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::cdi;
use crate::{
    engine::{
        Engine, Features,
        shim::{self, Runtime},
    },
    node::cgroup::Driver,
};

/// The keys of the verbose status, each with a JSON document.
pub fn of(engine: &Engine) -> HashMap<String, String> {
    let network = engine.network.describe("");
    let loaded = |handler: &str| match engine.network.loaded(handler) {
        Ok(()) => Value::from("OK").to_string(),
        Err(error) => Value::from(format!("{error:#}")).to_string(),
    };
    let mut info = HashMap::from([
        ("config".to_owned(), config(engine).to_string()),
        ("cniconfig".to_owned(), network.to_string()),
        ("network".to_owned(), network.to_string()),
        ("lastCNILoadStatus".to_owned(), loaded("")),
        // containerd's name for the node's own.
        ("lastCNILoadStatus.default".to_owned(), loaded("")),
    ]);
    for handler in &engine.config.handlers {
        info.insert(format!("lastCNILoadStatus.{}", handler.name), loaded(&handler.name));
    }
    info
}

fn config(engine: &Engine) -> Value {
    let config = &engine.config;
    let handlers: BTreeMap<&str, Value> = config
        .handlers
        .iter()
        .map(|handler| {
            let features = engine.features(&handler.name);
            let (binary, shim) = match &handler.runtime {
                Runtime::BuiltIn => (None, None),
                Runtime::Command(program) => (Some(program), None),
                Runtime::Shim(shim) => (None, Some(shim)),
            };
            let runtime = json!({
                "runtimeType": handler.runtime.kind(),
                "runtimePath": shim.map(|shim| &shim.program),
                "snapshotter": engine.snapshotter.name(),
                "cgroupDriver": handler.cgroups.to_string(),
                "cniConfDir": config.network.handler_conf_dirs.get(&handler.name),
                "options": { "BinaryName": binary, "SystemdCgroup": handler.cgroups == Driver::Systemd },
                "features": features_of(&features),
            });
            (handler.name.as_str(), runtime)
        })
        .collect();
    let (streaming, registry) = (&config.streaming, &config.registry);
    json!({
        "rootDir": config.root,
        "stateDir": config.state,
        "snapshotter": engine.snapshotter.name(),
        // Of the default handler.
        "cgroupDriver": engine.cgroup_driver().to_string(),
        "systemdCgroup": engine.cgroup_driver() == Driver::Systemd,
        "cgroupParent": config.handlers.first().map(|default| engine.cgroup_parent(default)),
        "containerd": {
            "snapshotter": engine.snapshotter.name(),
            "defaultRuntimeName": config.handlers.first().map(|h| h.name.clone()),
            "runtimes": handlers,
            "discardUnpackedLayers": registry.discard_unpacked_layers,
        },
        "cni": {
            "binDirs": config.network.cni_bin_dirs,
            "confDir": config.network.cni_conf_dir,
            "maxConfNum": 1,
        },
        // Nothing of what may be secret: headers, logins.
        "registry": {
            "configPath": registry.config_path,
            "mirrors": registry.mirrors,
            "configs": registry.tls.keys().chain(registry.keychain.auths.keys()).collect::<BTreeSet<_>>(),
            "maxConcurrentDownloads": registry.parallel,
            "imagePullProgressTimeout": format!("{}s", registry.progress_timeout.as_secs()),
        },
        "streamServerAddress": streaming.address.ip(),
        "streamServerPort": streaming.address.port().to_string(),
        "streamIdleTimeout": format!("{}s", streaming.idle.as_secs()),
        "enableTLSStreaming": streaming.tls.is_some(),
        "enableUnprivilegedPorts": config.unprivileged_ports,
        "enableUnprivilegedICMP": config.unprivileged_icmp,
        "enableCDI": true,
        "cdiSpecDirs": cdi::DIRECTORIES,
        "restrictOOMScoreAdj": true,
        "netnsMountsUnderStateDir": true,
        "maxContainerLogLineSize": shim::LOG_PART,
    })
}

fn features_of(features: &Features) -> Value {
    json!({
        "userNamespaces": features.user_namespaces,
        "recursiveReadOnlyMounts": features.recursive_read_only,
        "because": features.because,
    })
}
