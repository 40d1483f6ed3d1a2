//! wharf: a terminal app for the node a Kubernetes pod runs on, with a complete container runtime inside.
//!
//! The map, bottom up; `docs/architecture.md` has the rules between the rows and `tests/tidy.rs` checks them.
//!
//! | module | what it is |
//! |---|---|
//! | [`error`], [`proto`] | the one error; generated bindings |
//! | [`config`], [`node`] | files a node is configured by; facts read from `/proc`, `/sys`, `/etc` |
//! | [`engine`] | our container runtime, embeddable without the app |
//! | [`client`] | any container runtime as a user sees it: ours in this process, or one behind a socket |
//! | [`tui`], [`cli`] | the app; the headless verbs |

pub mod client;
pub mod config;
#[cfg(feature = "engine")]
pub mod engine;
pub mod error;
pub mod node;
pub mod proto;
#[cfg(feature = "tui")]
pub mod tui;
