//! Pod networks: CNI plugins when the node has them, the same built in when it has none.
//!
//! The contract and the configuration are here; `router` chooses between `cni` and `builtin`, which do the work.

mod builtin;
mod cni;
mod ipam;
mod link;
pub mod netns;
mod nft;
mod router;
#[cfg(test)]
mod testing;
pub mod usage;

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use self::ipam::Subnet;
use crate::{bail, error::Result};

/// The pod's interface.
pub const IFNAME: &str = "eth0";
/// In [`Attachment::result`]: which of both made it.
const MADE_BY: &str = "wharf.by";

/// What a network needs to know of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodNetwork {
    /// Sandbox id: CNI's container ID.
    pub id: String,
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub port_mappings: Vec<PortMapping>,
    pub dns: Dns,
    /// `kubernetes.io/ingress-bandwidth` and `egress-bandwidth`, bits per second.
    pub ingress_bits: Option<u64>,
    pub egress_bits: Option<u64>,
    pub cgroup_parent: String,
    pub annotations: BTreeMap<String, String>,
    /// The runtime handler the pod asks for, which may have a directory of CNI configuration of its own.
    #[serde(default)]
    pub handler: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// "tcp", "udp", "sctp".
    pub protocol: String,
    pub container_port: u16,
    pub host_port: u16,
    /// Empty for every address.
    pub host_ip: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dns {
    pub servers: Vec<String>,
    pub searches: Vec<String>,
    pub options: Vec<String>,
}

/// What an attachment gave; kept in the pod's record, and given back to `detach` and `check`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The pod's addresses on eth0, the first one is its primary.
    pub ips: Vec<IpAddr>,
    /// The CNI result of the last plugin, or our own in the same shape (CNI spec 1.0.0, "Success").
    pub result: serde_json::Value,
}

#[async_trait]
pub trait Network: fmt::Debug + Send + Sync {
    /// "cni" or "built-in".
    fn name(&self) -> &'static str;
    /// Gives the namespace loopback and eth0. On error everything it did is undone, and what could not be is in the error.
    async fn attach(&self, netns: &Path, pod: &PodNetwork) -> Result<Attachment>;
    /// Idempotent; also when the namespace is gone.
    async fn detach(&self, netns: &Path, pod: &PodNetwork, attachment: Option<&Attachment>) -> Result<()>;
    /// What of detached pods goes later, goes now.
    async fn settle(&self) -> Result<()>;
    async fn check(&self, netns: &Path, pod: &PodNetwork, attachment: &Attachment) -> Result<()>;
    /// CRI's NetworkReady: `Err` carries the reason. Plugins that can are asked (STATUS), at most once a second.
    async fn ready(&self) -> Result<()>;
    /// Whether the configuration for a handler's pods, "" for the node's, could be loaded. It is read again when it changed.
    fn loaded(&self, handler: &str) -> Result<()>;
    /// What `info` shows of it.
    fn describe(&self, handler: &str) -> serde_json::Value;
    /// Tells the plugins which pods are attached, so that they give up what they keep for others (GC).
    async fn collect(&self) -> Result<()>;
}

/// Where a network's parts are.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// Our records: leases of the built-in network, CNI attachments. Must survive a restart of
    /// the node: what has no record here is taken as detached.
    pub state: PathBuf,
    pub cni_conf_dir: PathBuf,
    /// By runtime handler: where its pods' configuration is, if not there.
    pub handler_conf_dirs: BTreeMap<String, PathBuf>,
    /// Searched in order for plugin binaries.
    pub cni_bin_dirs: Vec<PathBuf>,
    /// Of one plugin call; its process group is killed then.
    pub plugin_timeout: Duration,
    /// Never look at CNI configuration.
    pub builtin_only: bool,
    /// Of the built-in network: its bridge, at most 15 bytes, ...
    pub bridge: String,
    /// ... the pods' addresses, ...
    pub subnet: Subnet,
    /// ... its nf_tables table (family ip), which is nobody else's, ...
    pub table: String,
    /// ... and the pods' MTU; `None` for the kernel's 1500.
    pub mtu: Option<u32>,
}

impl NetworkConfig {
    pub fn new(state_dir: &Path) -> Self {
        Self {
            state: state_dir.to_owned(),
            cni_conf_dir: "/etc/cni/net.d".into(),
            handler_conf_dirs: BTreeMap::new(),
            cni_bin_dirs: vec!["/opt/cni/bin".into(), "/usr/lib/cni".into()],
            plugin_timeout: Duration::from_secs(60),
            builtin_only: false,
            bridge: "wharf0".to_owned(),
            subnet: Subnet::DEFAULT,
            table: "wharf".to_owned(),
            mtu: None,
        }
    }

    fn validate(&self) -> Result<()> {
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if self.bridge.is_empty() || self.bridge.len() > 15 || !plain(&self.bridge) {
            bail!(InvalidArgument, "{:?} cannot be the name of a bridge", self.bridge);
        }
        if self.table.is_empty() || self.table.len() > nft::NAME_MAX || !plain(&self.table) {
            bail!(InvalidArgument, "{:?} cannot be the name of an nf_tables table", self.table);
        }
        Ok(())
    }
}

/// The node's network. Never fails: what is wrong is in [`Network::ready`], and is looked at again on each use.
///
/// CNI configuration wins as soon as there is any. If it is broken the network is not ready, rather than another.
/// A pod is detached by whichever of both attached it.
pub fn open(config: NetworkConfig) -> Arc<dyn Network> {
    Arc::new(router::Router::new(config))
}

/// Frees what pods other than those with the ids `alive` left behind (addresses, host ports, CNI attachments).
/// Returns the ids of those. For recovery, when nothing is being attached.
pub async fn retain(config: NetworkConfig, alive: &[String]) -> Result<Vec<String>> {
    router::Router::new(config).retain(alive).await
}

/// Removes the built-in network: bridge, table, records. Pods lose their network. Idempotent.
pub async fn destroy(config: NetworkConfig) -> Result<()> {
    router::Router::new(config).destroy().await
}
