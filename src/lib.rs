//! wharf: a terminal app for the node a Kubernetes pod runs on, with a complete container runtime inside.
//!
//! The map, bottom up; `docs/architecture.md` has the rules between the rows and `tests/tidy.rs` checks them.
//!
//! | module | what it is |
//! |---|---|
//! | [`error`], [`proto`] | the one error; generated bindings |
//! | [`engine`] | our container runtime, embeddable without the app |

#[cfg(feature = "engine")]
pub mod engine;
pub mod error;
pub mod proto;
