//! How verbs end: what failed in one line, what to try next, the exit code.

use std::{future::Future, time::Duration};

use futures::{FutureExt, future::LocalBoxFuture};

use super::output::Out;
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Exit code of a verb that failed, or of one of its objects.
pub const FAILED: u8 = 1;

/// Does one thing to each object. A failure is reported and does not keep the others from their turn.
pub async fn each(out: &mut Out, ids: &[String], act: impl AsyncFn(&str) -> Result<String>) -> Result<u8> {
    let mut code = 0;
    for id in ids {
        match act(id).await {
            Ok(done) => out.line(&done)?,
            Err(error) => {
                failure(out, &error)?;
                code = FAILED;
            }
        }
    }
    Ok(code)
}

/// A limit of a person's own, if there is one.
pub fn within<'a, T: 'a>(
    limit: Option<Duration>,
    what: &'a str,
    call: impl Future<Output = Result<T>> + 'a,
) -> LocalBoxFuture<'a, Result<T>> {
    let call = call.boxed_local();
    let Some(limit) = limit.filter(|l| !l.is_zero()) else { return call };
    let bounded = async move {
        match tokio::time::timeout(limit, call).await {
            Ok(result) => result,
            Err(_) => bail!(DeadlineExceeded, "{what}: not done within {} s", limit.as_secs_f32()),
        }
    };
    bounded.boxed_local()
}

/// The one line for a failure.
pub fn failure(out: &mut Out, error: &Error) -> Result<()> {
    out.remark(&text(error))
}

pub fn text(error: &Error) -> String {
    let chain = format!("{error:#}");
    let next = hint(error.kind(), &chain).map(|h| format!("; {h}")).unwrap_or_default();
    format!("wharf: {chain}{next}")
}

fn hint(kind: Kind, chain: &str) -> Option<&'static str> {
    let connecting = chain.contains("connect to");
    match kind {
        Kind::NotFound if connecting => Some("is the runtime running? name its socket with -r"),
        Kind::Unavailable if connecting => {
            Some("nothing listens there: start the runtime, name its socket with -r, or read its disk with --offline")
        }
        Kind::PermissionDenied if connecting => Some("run it as root"),
        // Whoever talks to the registry has said what to look at.
        Kind::Unavailable | Kind::DeadlineExceeded if chain.contains("registry ") => None,
        Kind::Unavailable => Some("look at the runtime's own log, such as journalctl -u containerd or -u crio"),
        Kind::DeadlineExceeded => {
            Some("the runtime hangs or is busy: give it longer with -t, or read its disk with --offline")
        }
        Kind::Unimplemented if chain.contains("unknown service runtime.v1.") => {
            Some("what listens there has no CRI v1: its CRI plugin is off, or it is too old")
        }
        Kind::Unauthenticated => Some("give --creds USER:PASSWORD"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_endpoint_says_which_and_what_to_try() {
        let error = Error::io("connect to", "/run/x.sock", std::io::Error::from_raw_os_error(2));
        let text = text(&error);
        assert!(text.starts_with("wharf: connect to /run/x.sock: No such file"), "{text}");
        assert!(text.ends_with("name its socket with -r"), "{text}");
    }
}
