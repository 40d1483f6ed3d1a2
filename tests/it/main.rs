//! The integration tests, one binary: a module a subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod archive_threats;
mod attached;
mod attached_app;
mod attached_crio;
mod capture;
mod config;
mod confinement;
mod copies;
mod crash;
mod crictl;
mod critest;
mod dead;
mod demo;
mod doctor;
mod doctor_cluster;
mod doctor_faults;
mod doctor_fixes;
mod doctor_node;
mod doctor_pull;
mod doctor_ways;
mod events;
mod exec_pane;
mod faults;
mod fuzz;
mod handlers;
mod hostile;
mod journal;
mod kubelet;
mod logs;
mod mirrors;
mod network;
mod pods;
mod proto;
mod providers;
mod pulls;
mod registry;
mod replay;
mod requests;
mod restarts;
mod rights;
mod settings;
mod shim;
mod snapshotters;
mod storage;
mod streaming;
mod streaming_threats;
mod streaming_tls;
#[path = "../support/mod.rs"]
mod support;
mod systemd;
mod terminal;
mod verbs;
mod worker;
