//! Configuration that people wrote: the app's own, containerd's, of registries, of crictl, of docker and the kubelet.
//!
//! Parsers are pure: text in, a value and findings with their lines out; only [`reader`] and the `load` functions touch
//! files, below a root that need not be this machine's. What wharf makes of the values is the engine's business.

pub mod app;
pub mod containerd;
pub mod credential;
pub mod crictl;
pub mod docker;
pub mod finding;
pub mod hosts;
pub mod reader;
pub mod span;
pub mod tree;

pub use self::finding::{Fault, Finding, Severity};
