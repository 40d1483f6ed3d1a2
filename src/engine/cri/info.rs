//! What `crictl info` shows beside the conditions: the effective configuration under containerd's names, where people
//! and their scripts look for it, and how the network's configuration was loaded.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::engine::{Engine, Features};

/// The keys of the verbose status, each with a JSON document.
pub fn of(engine: &Engine) -> HashMap<String, String> {
    let network = engine.network.describe();
    let loaded = match engine.network.ready() {
        Ok(()) => "OK".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    let mut info = HashMap::from([
        ("config".to_owned(), config(engine).to_string()),
        ("cniconfig".to_owned(), network.to_string()),
        ("network".to_owned(), network.to_string()),
        ("lastCNILoadStatus".to_owned(), Value::from(loaded.clone()).to_string()),
    ]);
    for handler in &engine.config.handlers {
        // Every handler uses the same network.
        info.insert(format!("lastCNILoadStatus.{}", handler.name), Value::from(loaded.clone()).to_string());
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
            let runtime = json!({
                "runtimeType": if handler.runtime.is_some() { "oci" } else { "built-in" },
                "snapshotter": engine.snapshotter.name(),
                "cgroupDriver": "cgroupfs",
                "options": { "BinaryName": handler.runtime, "SystemdCgroup": false },
                "features": features_of(&features),
            });
            (handler.name.as_str(), runtime)
        })
        .collect();
    json!({
        "rootDir": config.root,
        "stateDir": config.state,
        "snapshotter": engine.snapshotter.name(),
        "cgroupDriver": "cgroupfs",
        "systemdCgroup": false,
        "cgroupParent": config.cgroup_parent,
        "containerd": {
            "snapshotter": engine.snapshotter.name(),
            "defaultRuntimeName": config.handlers.first().map(|h| h.name.clone()),
            "runtimes": handlers,
        },
        "cni": {
            "binDirs": config.network.cni_bin_dirs,
            "confDir": config.network.cni_conf_dir,
        },
        "restrictOOMScoreAdj": true,
    })
}

fn features_of(features: &Features) -> Value {
    json!({
        "userNamespaces": features.user_namespaces,
        "recursiveReadOnlyMounts": features.recursive_read_only,
        "because": features.because,
    })
}
