//! The one error of the crate: a kind for callers, a chain for people.
//!
//! Nothing here knows a module of ours. Kinds are gRPC's codes, so that an error crosses the CRI socket and
//! comes back as itself. A message says what was attempted and on which object; its source says why.

use std::{borrow::Cow, fmt, io, path::Path};

pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong. `Display` prints the outermost context, `{:#}` the whole chain, `: `-joined.
pub struct Error {
    kind: Kind,
    context: Cow<'static, str>,
    source: Option<Source>,
}

/// The only thing callers branch on; one to one with gRPC status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum Kind {
    NotFound,
    AlreadyExists,
    InvalidArgument,
    FailedPrecondition,
    PermissionDenied,
    Unauthenticated,
    ResourceExhausted,
    Unavailable,
    DeadlineExceeded,
    Cancelled,
    Unimplemented,
    DataLoss,
    Internal,
}

impl Error {
    pub fn new(kind: Kind, context: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// An I/O error on `path`: `doing` is a verb phrase ("open", "create directory").
    pub fn io(doing: &str, path: impl AsRef<Path>, error: impl Into<io::Error>) -> Self {
        let error = error.into();
        Self {
            kind: kind_of_io(&error),
            context: format!("{doing} {}", path.as_ref().display()).into(),
            source: Some(error.into()),
        }
    }

    /// Wraps `self` in what was being attempted; the kind stays. What the error says already (of another process, say) is
    /// not said again.
    #[must_use]
    pub fn context(self, doing: impl Into<Cow<'static, str>>) -> Self {
        let doing = doing.into();
        if self.context.strip_prefix(&*doing).is_some_and(|rest| rest.is_empty() || rest.starts_with(": ")) {
            return self;
        }
        Self { kind: self.kind, context: doing, source: Some(Box::new(self)) }
    }

    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// As `with_source`, for who reads what strangers wrote: such errors quote what was not expected, however long that is.
    #[must_use]
    pub fn with_quote(self, source: impl fmt::Display) -> Self {
        const HEAD: usize = 240;
        const TAIL: usize = 60;
        let text = source.to_string();
        let length = text.chars().count();
        if length <= HEAD + TAIL {
            return self.with_source(text);
        }
        let head: String = text.chars().take(HEAD).collect();
        // Where it was comes last.
        let tail: String = text.chars().skip(length - TAIL).collect();
        self.with_source(format!("{head} … {tail}"))
    }

    /// Reports a clean-up that failed beside the failure that asked for it.
    #[must_use]
    pub fn and_cleanup(self, cleanup: Result<()>) -> Self {
        match cleanup {
            Ok(()) => self,
            Err(error) => {
                let text = format!("{}; cleaning up failed as well: {error:#}", self.context);
                Self { context: text.into(), ..self }
            }
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }
}

fn kind_of_io(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::NotFound => Kind::NotFound,
        io::ErrorKind::AlreadyExists => Kind::AlreadyExists,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::PermissionDenied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::OutOfMemory => {
            Kind::ResourceExhausted
        }
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::HostUnreachable => Kind::Unavailable,
        io::ErrorKind::TimedOut => Kind::DeadlineExceeded,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Kind::InvalidArgument,
        _ => Kind::Internal,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        if f.alternate() {
            let mut next = std::error::Error::source(self);
            while let Some(error) = next {
                write!(f, ": {error}")?;
                next = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self:#}", self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

/// Adds what was attempted to an error on its way up.
pub trait Context<T> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for Result<T, Error> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| e.context(doing()))
    }
}

impl<T> Context<T> for Result<T, io::Error> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| Error { kind: kind_of_io(&e), context: doing().into(), source: Some(e.into()) })
    }
}

impl<T> Context<T> for Result<T, rustix::io::Errno> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(io::Error::from).context(doing)
    }
}

/// Makes an `Err(Error)` of a kind with a formatted message: `bail!(NotFound, "image {name} not found")`.
#[macro_export]
macro_rules! bail {
    ($kind:ident, $($arg:tt)+) => {
        return Err($crate::error::Error::new($crate::error::Kind::$kind, format!($($arg)+)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_is_quoted_in_part() {
        let wrong = serde_json::from_str::<u32>(&format!("\"{}\"", "long".repeat(10_000))).unwrap_err();
        let text = format!("{:#}", Error::new(Kind::DataLoss, "read it").with_quote(wrong));
        assert!(text.len() < 400 && text.starts_with("read it: invalid type: string"), "{text}");
        assert!(text.ends_with("line 1 column 40002"), "{text}");
        let short = format!("{:#}", Error::new(Kind::DataLoss, "read it").with_quote("why"));
        assert_eq!(short, "read it: why");
    }

    #[test]
    fn chain_is_printed_on_demand_and_kind_survives() {
        let error = Error::io("open", "/no/such", io::Error::from_raw_os_error(2)).context("start container c1");
        assert_eq!(error.kind(), Kind::NotFound);
        assert_eq!(error.to_string(), "start container c1");
        assert_eq!(format!("{error:#}"), "start container c1: open /no/such: No such file or directory (os error 2)");
    }
}
