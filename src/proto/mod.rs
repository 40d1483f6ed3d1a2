//! Bindings generated from `proto/` (CRI v1 of Kubernetes 1.36 and the containerd services we attach to).
//!
//! Nothing is written by hand but what a generator cannot know. `tests/it/proto.rs` keeps the generated files fresh.

use std::fmt;

use prost_types::Any;

use crate::error::{Error, Kind};

/// CRI v1, `proto/k8s.io/cri-api/v1/api.proto`.
#[allow(clippy::all, missing_docs, rustdoc::all)]
pub mod cri {
    include!("generated/runtime.v1.rs");
    include!("generated/runtime.v1.serde.rs");
}

/// containerd's own API, `proto/github.com/containerd`.
#[allow(clippy::all, missing_docs, rustdoc::all)]
pub mod containerd {
    pub mod types {
        include!("generated/containerd.types.rs");
        pub mod transfer {
            include!("generated/containerd.types.transfer.rs");
        }
    }
    #[cfg(feature = "engine")]
    pub mod v1 {
        pub mod types {
            include!("generated/containerd.v1.types.rs");
        }
    }
    /// Of containerd's shims, by ttrpc. v3's messages are these too.
    #[cfg(feature = "engine")]
    pub mod task {
        pub mod v2 {
            include!("generated/containerd.task.v2.rs");
        }
    }
    #[cfg(feature = "engine")]
    pub mod runtime {
        pub mod bootstrap {
            pub mod v1 {
                include!("generated/containerd.runtime.bootstrap.v1.rs");
            }
        }
    }
    #[cfg(feature = "engine")]
    pub mod runc {
        pub mod v1 {
            include!("generated/containerd.runc.v1.rs");
        }
    }
    pub mod services {
        pub mod snapshots {
            pub mod v1 {
                include!("generated/containerd.services.snapshots.v1.rs");
            }
        }
        pub mod images {
            pub mod v1 {
                include!("generated/containerd.services.images.v1.rs");
            }
        }
        pub mod leases {
            pub mod v1 {
                include!("generated/containerd.services.leases.v1.rs");
            }
        }
        pub mod content {
            pub mod v1 {
                include!("generated/containerd.services.content.v1.rs");
            }
        }
        pub mod streaming {
            pub mod v1 {
                include!("generated/containerd.services.streaming.v1.rs");
            }
        }
        pub mod transfer {
            pub mod v1 {
                include!("generated/containerd.services.transfer.v1.rs");
            }
        }
        pub mod namespaces {
            pub mod v1 {
                include!("generated/containerd.services.namespaces.v1.rs");
            }
        }
    }
}

/// Options of shims other than runc's, `proto/github.com/containerd/containerd/api/types/runtimeoptions`.
#[cfg(feature = "engine")]
#[allow(clippy::all, missing_docs, rustdoc::all)]
pub mod runtimeoptions {
    pub mod v1 {
        include!("generated/runtimeoptions.v1.rs");
    }
}

/// A message that travels in an `Any`, under the name containerd gives it: without a host.
pub trait Packed: prost::Message + Default {
    const NAME: &'static str;

    fn pack(&self) -> Any {
        Any { type_url: Self::NAME.to_owned(), value: self.encode_to_vec() }
    }

    /// `None` if it is something else.
    fn unpack(any: &Any) -> Option<Result<Self, Error>> {
        let name = any.type_url.rsplit('/').next().unwrap_or_default();
        let invalid = |e| Error::new(Kind::InvalidArgument, format!("a malformed {}", Self::NAME)).with_source(e);
        (name == Self::NAME).then(|| Self::decode(any.value.as_slice()).map_err(invalid))
    }
}

macro_rules! packed {
    ($($message:ty = $name:literal),+ $(,)?) => {
        $(impl Packed for $message {
            const NAME: &'static str = $name;
        })+
    };
}

packed! {
    containerd::services::streaming::v1::StreamInit = "containerd.services.streaming.v1.StreamInit",
    containerd::types::transfer::Data = "containerd.types.transfer.Data",
    containerd::types::transfer::WindowUpdate = "containerd.types.transfer.WindowUpdate",
    containerd::types::transfer::Progress = "containerd.types.transfer.Progress",
    containerd::types::transfer::ImageStore = "containerd.types.transfer.ImageStore",
    containerd::types::transfer::ImageImportStream = "containerd.types.transfer.ImageImportStream",
    containerd::types::transfer::ImageExportStream = "containerd.types.transfer.ImageExportStream",
}

#[cfg(feature = "engine")]
packed! {
    containerd::runc::v1::Options = "containerd.runc.v1.Options",
    runtimeoptions::v1::Options = "runtimeoptions.v1.Options",
}

impl fmt::Debug for cri::AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConfig")
            .field("username", &self.username)
            .field("server_address", &self.server_address)
            .finish_non_exhaustive()
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            Kind::NotFound => tonic::Code::NotFound,
            Kind::AlreadyExists => tonic::Code::AlreadyExists,
            Kind::InvalidArgument => tonic::Code::InvalidArgument,
            Kind::FailedPrecondition => tonic::Code::FailedPrecondition,
            Kind::PermissionDenied => tonic::Code::PermissionDenied,
            Kind::Unauthenticated => tonic::Code::Unauthenticated,
            Kind::ResourceExhausted => tonic::Code::ResourceExhausted,
            Kind::Unavailable => tonic::Code::Unavailable,
            Kind::DeadlineExceeded => tonic::Code::DeadlineExceeded,
            Kind::Cancelled => tonic::Code::Cancelled,
            Kind::Unimplemented => tonic::Code::Unimplemented,
            Kind::DataLoss => tonic::Code::DataLoss,
            Kind::Internal => tonic::Code::Internal,
        };
        Self::new(code, plain(&format!("{error:#}")))
    }
}

/// What a header takes once it is percent-encoded: less than the 16 KiB at which some clients give up on all of them.
const MESSAGE: usize = 12 << 10;

/// Names in an error are the caller's, an image's or a program's: without what moves a terminal, and not without end. The
/// middle goes, since what was done is in front and why it failed at the end.
fn plain(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text: String = text.chars().map(|c| if harmful(c) { ' ' } else { c }).collect();
    let cost = |c: char| if c.is_ascii_alphanumeric() { 1 } else { 3 * c.len_utf8() };
    if text.chars().map(cost).sum::<usize>() <= MESSAGE {
        return text;
    }
    let within = |room: &mut usize, c: char| {
        *room = room.checked_sub(cost(c))?;
        Some(c.len_utf8())
    };
    let head: usize = text.chars().scan(MESSAGE / 2, within).sum();
    let tail: usize = text.chars().rev().scan(MESSAGE / 2, within).sum();
    format!("{} ... {}", &text[..head], &text[text.len() - tail..])
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        let kind = match status.code() {
            tonic::Code::NotFound => Kind::NotFound,
            tonic::Code::AlreadyExists => Kind::AlreadyExists,
            tonic::Code::InvalidArgument | tonic::Code::OutOfRange => Kind::InvalidArgument,
            tonic::Code::FailedPrecondition | tonic::Code::Aborted => Kind::FailedPrecondition,
            tonic::Code::PermissionDenied => Kind::PermissionDenied,
            tonic::Code::Unauthenticated => Kind::Unauthenticated,
            tonic::Code::ResourceExhausted => Kind::ResourceExhausted,
            tonic::Code::Unavailable => Kind::Unavailable,
            tonic::Code::DeadlineExceeded => Kind::DeadlineExceeded,
            tonic::Code::Cancelled => Kind::Cancelled,
            tonic::Code::Unimplemented => Kind::Unimplemented,
            tonic::Code::DataLoss => Kind::DataLoss,
            tonic::Code::Ok | tonic::Code::Unknown | tonic::Code::Internal => Kind::Internal,
        };
        Self::new(kind, status.message().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_of_a_size_that_every_client_takes() {
        let said = |text: &str| {
            let error = Error::new(Kind::NotFound, "because").context(format!("find {text}"));
            tonic::Status::from(error).message().to_owned()
        };
        assert_eq!(said("a\nb\u{1b}[31m\u{202e}"), "find a b [31m : because");
        for long in ["x".repeat(70_000), "é".repeat(70_000), "/".repeat(70_000)] {
            let text = said(&long);
            assert!(text.starts_with("find ") && text.ends_with(": because") && text.contains(" ... "), "{text}");
            let encoded = tonic::Status::not_found(text).into_http::<()>();
            assert!(
                encoded.headers()["grpc-message"].len() <= MESSAGE + 32,
                "{}",
                encoded.headers()["grpc-message"].len()
            );
        }
    }
}
