//! Flags of `run IMAGE`. What they mean in CRI's words is in `client::compose`.

use clap::Args;

use super::{figures::parse_bytes, filter::parse_label};
use crate::client::compose::Shape;

#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Name of the pod and of the container [default: of the image]
    #[arg(long)]
    name: Option<String>,
    /// Namespace of the pod
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Variable of its environment; without a value, ours
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Label of the pod and of the container
    #[arg(short, long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    /// Keep its input open
    #[arg(short, long)]
    pub interactive: bool,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// The program instead of the image's own entry point
    #[arg(long)]
    entrypoint: Option<String>,
    /// Directory it starts in
    #[arg(short, long, default_value = "", hide_default_value = true)]
    workdir: String,
    /// User to run as
    #[arg(short, long, value_name = "NAME|UID[:GID]")]
    user: Option<String>,
    /// Name of the pod's host
    #[arg(long)]
    hostname: Option<String>,
    /// Use the node's network
    #[arg(long, conflicts_with = "publish")]
    host_network: bool,
    /// Make a port reachable on the node
    #[arg(short, long, value_name = "[IP:]HOST:CONTAINER[/PROTOCOL]")]
    publish: Vec<String>,
    /// Mount a directory or file of the node
    #[arg(short, long = "volume", value_name = "HOST:CONTAINER[:ro]")]
    volumes: Vec<String>,
    /// Memory limit (64m, 1g)
    #[arg(short, long, value_parser = parse_bytes)]
    memory: Option<i64>,
    /// CPUs it may use (0.5, 2)
    #[arg(long)]
    cpus: Option<f64>,
    /// All the rights of the node's root
    #[arg(long)]
    privileged: bool,
    /// Nothing in its root filesystem can be written
    #[arg(long)]
    read_only_rootfs: bool,
}

impl From<Flags> for Shape {
    fn from(flags: Flags) -> Self {
        Self {
            name: flags.name,
            uid: None,
            namespace: flags.namespace,
            env: flags.env,
            labels: flags.labels,
            interactive: flags.interactive,
            tty: flags.tty,
            entrypoint: flags.entrypoint,
            workdir: flags.workdir,
            user: flags.user,
            hostname: flags.hostname,
            host_network: flags.host_network,
            publish: flags.publish,
            volumes: flags.volumes,
            memory: flags.memory,
            cpus: flags.cpus,
            privileged: flags.privileged,
            read_only_rootfs: flags.read_only_rootfs,
        }
    }
}
