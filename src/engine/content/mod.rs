//! The content store: immutable blobs named by digest.

mod digest;
pub use digest::Digest;
