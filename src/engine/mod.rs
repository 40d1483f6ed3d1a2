//! Our container runtime. It knows no user interface.
//!
//! Blocking functions say so; async code calls them through `tokio::task::spawn_blocking`.

pub mod cgroup;
pub mod content;
pub mod gc;
pub mod image;
pub mod metadata;
pub mod network;
pub mod run;
pub mod shim;
pub mod snapshot;
