//! Images: names, registries, pulling, unpacking.

pub mod unpack;
