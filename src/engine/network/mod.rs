//! Pod networks: CNI plugins when the node has them, the same built in when it has none.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::Path};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::Result;

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
    async fn check(&self, netns: &Path, pod: &PodNetwork, attachment: &Attachment) -> Result<()>;
    /// CRI's NetworkReady: `Err` carries the reason.
    fn ready(&self) -> Result<()>;
    /// What `info` shows: configuration loaded, load errors.
    fn describe(&self) -> serde_json::Value;
}
