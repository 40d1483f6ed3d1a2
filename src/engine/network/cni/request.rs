//! What a plugin is told: its environment and its standard input (CNI spec 1.1.0, sections 2 and 3).

use std::{ffi::OsString, path::Path};

use serde_json::{Map, Value, json};

use super::conf::{List, Plugin};
use crate::engine::network::{IFNAME, PodNetwork};

/// Passed on from our own environment; nothing else is.
const INHERITED: [&str; 9] =
    ["PATH", "HOME", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The bandwidth plugin wants one; the largest it takes is what other runtimes send.
const BURST_BITS: u64 = i32::MAX as u64;

/// The attachment a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub netns: &'a Path,
    pub pod: &'a PodNetwork,
}

/// Without a subject the call is about the network: STATUS and GC.
pub(super) fn environment(
    command: &str,
    subject: Option<Subject<'_>>,
    bin_dirs: &[std::path::PathBuf],
) -> Vec<(&'static str, OsString)> {
    let mut all: Vec<(&'static str, OsString)> =
        INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect();
    if !all.iter().any(|(name, _)| *name == "PATH") {
        all.push(("PATH", DEFAULT_PATH.into()));
    }
    all.push(("CNI_COMMAND", command.into()));
    if let Some(Subject { netns, pod }) = subject {
        let arguments = format!(
            "IgnoreUnknown=1;K8S_POD_NAMESPACE={};K8S_POD_NAME={};K8S_POD_INFRA_CONTAINER_ID={};K8S_POD_UID={}",
            pod.namespace, pod.name, pod.id, pod.uid
        );
        all.push(("CNI_CONTAINERID", pod.id.clone().into()));
        all.push(("CNI_NETNS", netns.into()));
        all.push(("CNI_IFNAME", IFNAME.into()));
        all.push(("CNI_ARGS", arguments.into()));
    }
    all.push(("CNI_PATH", std::env::join_paths(bin_dirs).unwrap_or_default()));
    all
}

/// The plugin's configuration with the list's name and version.
fn plain(list: &List, plugin: &Plugin<'_>) -> Map<String, Value> {
    let mut conf = plugin.conf.clone();
    conf.remove("capabilities");
    conf.remove("runtimeConfig");
    conf.remove("prevResult");
    conf.insert("cniVersion".to_owned(), json!(list.version.text()));
    conf.insert("name".to_owned(), json!(list.name));
    conf
}

/// For STATUS.
pub(super) fn status(list: &List, plugin: &Plugin<'_>) -> Value {
    Value::Object(plain(list, plugin))
}

/// For GC: the pods whose attachments are good.
pub(super) fn gc(list: &List, plugin: &Plugin<'_>, pods: &[String]) -> Value {
    let mut conf = plain(list, plugin);
    let valid: Value = pods.iter().map(|id| json!({ "containerID": id, "ifname": IFNAME })).collect();
    // The second name is what the specification said by mistake, and what early plugins read.
    conf.insert("cni.dev/valid-attachments".to_owned(), valid.clone());
    conf.insert("cni.dev/attachments".to_owned(), valid);
    Value::Object(conf)
}

/// For ADD, CHECK and DEL: also what the plugin declared itself capable of, and prevResult.
pub(super) fn input(list: &List, plugin: &Plugin<'_>, pod: &PodNetwork, previous: Option<&Value>) -> Value {
    let mut conf = plain(list, plugin);
    let runtime = runtime_config(plugin.conf, pod);
    if !runtime.is_empty() {
        conf.insert("runtimeConfig".to_owned(), Value::Object(runtime));
    }
    if let Some(previous) = previous {
        conf.insert("prevResult".to_owned(), previous.clone());
    }
    Value::Object(conf)
}

/// By the conventions of CNI's CONVENTIONS.md, and containerd's for the pod's annotations.
fn runtime_config(conf: &Map<String, Value>, pod: &PodNetwork) -> Map<String, Value> {
    let mut config = Map::new();
    let declared = conf.get("capabilities").and_then(Value::as_object);
    let names = declared.into_iter().flatten().filter(|(_, on)| on.as_bool() == Some(true)).map(|(name, _)| name);
    for name in names {
        let value = match name.as_str() {
            "portMappings" => ports(pod),
            "bandwidth" => bandwidth(pod),
            "dns" => dns(pod),
            "aliases" => json!([pod.name]),
            "cgroupPath" => json!(pod.cgroup_parent),
            "io.kubernetes.cri.pod-annotations" => json!(pod.annotations),
            _ => continue,
        };
        if !is_empty(&value) {
            config.insert(name.clone(), value);
        }
    }
    config
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.is_empty(),
        Value::Array(array) => array.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn ports(pod: &PodNetwork) -> Value {
    let mapped = pod.port_mappings.iter().filter(|p| p.host_port != 0).map(|p| {
        let protocol = if p.protocol.is_empty() { "tcp".to_owned() } else { p.protocol.to_ascii_lowercase() };
        let mut one = json!({ "hostPort": p.host_port, "containerPort": p.container_port, "protocol": protocol });
        if !p.host_ip.is_empty() {
            one["hostIP"] = json!(p.host_ip);
        }
        one
    });
    Value::Array(mapped.collect())
}

fn bandwidth(pod: &PodNetwork) -> Value {
    let mut limits = Map::new();
    for (rate, burst, bits) in
        [("ingressRate", "ingressBurst", pod.ingress_bits), ("egressRate", "egressBurst", pod.egress_bits)]
    {
        if let Some(bits) = bits {
            limits.insert(rate.to_owned(), json!(bits));
            limits.insert(burst.to_owned(), json!(BURST_BITS));
        }
    }
    Value::Object(limits)
}

fn dns(pod: &PodNetwork) -> Value {
    let mut dns = Map::new();
    let parts = [("servers", &pod.dns.servers), ("searches", &pod.dns.searches), ("options", &pod.dns.options)];
    for (name, values) in parts {
        if !values.is_empty() {
            dns.insert(name.to_owned(), json!(values));
        }
    }
    Value::Object(dns)
}
