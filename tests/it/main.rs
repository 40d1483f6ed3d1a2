//! The integration tests, one binary: a module a subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attached;
mod attached_app;
mod config;
mod confinement;
mod crash;
mod crictl;
mod critest;
mod demo;
mod doctor;
mod events;
mod kubelet;
mod mirrors;
mod proto;
mod pulls;
mod registry;
mod shim;
mod snapshotters;
mod storage;
mod streaming;
mod streaming_threats;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod verbs;
mod worker;
