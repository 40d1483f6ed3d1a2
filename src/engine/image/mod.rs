//! Images: from a reference to committed snapshots a container can be started from.

pub mod archive;
pub mod auth;
pub mod build;
pub mod config;
pub mod keychain;
pub mod manifest;
pub mod pull;
pub mod reference;
pub mod registry;
pub mod unpack;
