//! wharf: a terminal app for the node a Kubernetes pod runs on, with a complete container runtime inside.
//!
//! The map, bottom up; `docs/architecture.md` has the rules between the rows and `tests/tidy.rs` checks them.
//!
//! | module | what it is |
//! |---|---|
//! | [`error`], [`proto`] | the one error; generated bindings |
//! | [`tar`] | archives on their way out |
//! | [`streams`] | how exec, attach and port-forward travel |
//! | [`config`] | configuration that others wrote, with the lines of what is wrong with it |
//! | [`node`] | facts of the machine |
//! | [`engine`] | our container runtime, embeddable without the app |
//! | [`client`] | any runtime as a user sees it; plans |
//! | [`runbook`] | from a symptom to one proven cause |
//! | [`tui`] | the terminal app |
//! | [`demo`] | something to look at: pods on a temporary root |
//! | [`cli`] | the command line |

pub mod cli;
pub mod client;
pub mod config;
#[cfg(feature = "engine")]
pub mod demo;
#[cfg(feature = "engine")]
pub mod engine;
pub mod error;
pub mod node;
pub mod proto;
pub mod runbook;
pub mod streams;
pub mod tar;
#[cfg(feature = "tui")]
pub mod tui;
