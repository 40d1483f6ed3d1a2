//! Our container runtime: images, snapshots, shims, pods. It knows no user interface, and outside `cri/` no CRI message.
//!
//! Blocking functions say so; async code calls them through `tokio::task::spawn_blocking`.

pub mod cgroup;
pub mod check;
pub mod content;
pub mod crash;
pub mod cri;
mod criu;
mod features;
pub mod gc;
mod handlers;
pub mod image;
pub mod metadata;
#[cfg(test)]
mod model;
pub mod network;
mod ready;
pub mod recover;
pub mod run;
pub mod serve;
pub mod settings;
pub mod shim;
pub mod snapshot;
pub mod stores;
pub mod streaming;
pub mod transfer;
pub mod usage;

mod whole;

pub use features::Features;
pub use handlers::Handler;
pub use whole::{Config, Engine};
