//! The checks, one file a subject. Pure: evidence in, finding out. No I/O and no clock here (`tests/tidy.rs` checks).

use super::Check;

pub mod blocked;
pub mod certificate;
pub mod cgroup;
pub mod class;
pub mod client;
pub mod cluster;
pub mod container;
pub mod disk;
pub mod dns;
pub mod down;
pub mod firewall;
pub mod helper;
pub mod holes;
pub mod host;
pub mod image;
pub mod incidents;
pub mod kubelet;
pub mod leftovers;
pub mod network;
pub mod pod;
pub mod practices;
pub mod runtime;
pub mod way;

/// All of them; tests quantify over this.
pub const CHECKS: &[&Check] = &[
    &cgroup::KUBELET,
    &cgroup::HANDLERS,
    &cgroup::AGREEMENT,
    &cgroup::PATHS,
    &cgroup::VERSION,
    &cgroup::ERRORS,
    &disk::BYTES,
    &disk::INODES,
    &disk::READ_ONLY,
    &leftovers::QUOTA,
    &disk::IMAGES,
    &disk::LAYERS,
    &disk::EXITED,
    &disk::LOGS,
    &disk::DELETED,
    &disk::ORPHANS,
    &disk::COLLECTION,
    &leftovers::EVICTION,
    &leftovers::MEASURED,
    &leftovers::ROTATION,
    &image::REQUEST,
    &cluster::EVENTS,
    &image::NAME,
    &pod::POLICY,
    &image::HOSTS,
    &dns::DNS,
    &image::CONNECT,
    &way::PROXY,
    &certificate::TLS,
    &client::CLIENT,
    &image::LIMIT,
    &pod::SECRETS,
    &helper::HELPERS,
    &way::TOKEN,
    &image::AUTH,
    &image::MANIFEST,
    &image::PLATFORM,
    &way::LAYERS,
    &image::ROOM,
    &runtime::PROCESS,
    &runtime::UNIT,
    &down::SERVICE,
    &kubelet::USES,
    &runtime::CALLS,
    &runtime::DISK,
    &blocked::BLOCKED,
    &runtime::LOAD,
    &runtime::SYSCALLS,
    &runtime::STACKS,
    &runtime::JOURNAL,
    &runtime::KERNEL,
    &runtime::RESTART,
    &class::OBJECT,
    &class::HANDLER,
    &class::SHIM,
    &class::POD,
    &class::EVENTS,
    &class::SELECTOR,
    &class::VIRTUALIZATION,
    &class::OVERHEAD,
    &practices::RUNTIME,
    &practices::DIGESTS,
    &practices::MIRROR,
    &practices::DISCARD,
    &practices::OVERHEAD,
    &practices::METRICS,
    &practices::PREPULL,
    &practices::POLICY,
    &practices::VERSIONS,
    &holes::HOLES_OF_RUNTIMES,
    &incidents::PAUSE,
    &network::NETWORK,
    &network::ADDRESSES,
    &incidents::LIMITS,
    &incidents::NAMES,
    &incidents::CONFIG,
    &incidents::SHIMS,
    &incidents::TERMINATING,
    &incidents::MEMORY,
    &incidents::CERTIFICATE,
    &incidents::PLEG,
    &host::UPGRADE,
    &host::FORWARDING,
    &host::RESOLVER,
    &host::CLOCK,
    &host::ZOMBIES,
    &host::GROUPS,
    &container::FILES,
    &container::GPU,
    &firewall::FIREWALL,
    &leftovers::CONTENT,
    &leftovers::PODS,
    &leftovers::SCOPES,
    &kubelet::SERVICE,
    &kubelet::CONFIG,
    &kubelet::ENDPOINT,
    &kubelet::SWAP,
    &kubelet::CHECKPOINTS,
    &kubelet::WORDS,
];

/// Bytes in words: `12.3 GiB`.
pub fn bytes(count: u64) -> String {
    humansize::format_size(count, humansize::BINARY)
}
