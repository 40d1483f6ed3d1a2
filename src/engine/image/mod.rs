//! Images: what a registry or an archive holds becomes blobs and snapshots.

pub mod unpack;
