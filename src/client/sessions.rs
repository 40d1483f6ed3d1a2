//! Commands and ports of any runtime: the URL is asked for, then opened. How it is spoken there is `streaming`'s.

use std::time::Duration;

use super::{
    Cri, Session,
    cri::{QUESTION, within},
    streaming::{self, Forward, Wanted, Wire},
    types::ExecRequest,
};
use crate::{
    error::{Error, Kind, Result},
    proto::cri,
};

/// For a streaming server to take us.
const OPEN: Duration = Duration::from_secs(20);

/// What an attach is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachRequest<'a> {
    pub container: &'a str,
    pub tty: bool,
    pub stdin: bool,
}

impl Cri {
    /// A command with its streams. Without `wire`: in this process if the runtime is, else whatever the runtime speaks.
    ///
    /// # Errors
    /// Whatever keeps it from being run. Refused with `PermissionDenied` in read-only mode.
    pub async fn exec_over(&self, request: &ExecRequest, wire: Option<Wire>) -> Result<Box<dyn Session>> {
        let what = format!("exec in container {}", request.container);
        self.changes(&what)?;
        if let Some(native) = self.native().filter(|_| wire.is_none()) {
            return native.exec(request).await;
        }
        let asked = cri::ExecRequest {
            container_id: request.container.clone(),
            cmd: request.command.clone(),
            tty: request.tty,
            stdin: request.stdin,
            stdout: true,
            stderr: !request.tty,
        };
        let wanted = Wanted { stdin: request.stdin, stderr: !request.tty, tty: request.tty };
        let mut refused = None;
        for wire in wires(wire) {
            let url = within(QUESTION, &what, self.runtime_service().exec(asked.clone())).await?.url;
            match opened(streaming::open(&url, wire, wanted)).await {
                Err(error) if error.is(Kind::Unimplemented) => refused = Some(error),
                other => return other.map_err(|e| e.context(what)),
            }
        }
        Err(spoken(refused, what))
    }

    /// The streams of a container's own first process.
    ///
    /// # Errors
    /// As [`Cri::exec_over`].
    pub async fn attach_to(&self, request: AttachRequest<'_>, wire: Option<Wire>) -> Result<Box<dyn Session>> {
        let AttachRequest { container, tty, stdin } = request;
        let what = format!("attach to container {container}");
        self.changes(&what)?;
        let asked = cri::AttachRequest { container_id: container.to_owned(), stdin, tty, stdout: true, stderr: !tty };
        let mut refused = None;
        for wire in wires(wire) {
            let url = within(QUESTION, &what, self.runtime_service().attach(asked.clone())).await?.url;
            match opened(streaming::open(&url, wire, Wanted { stdin, stderr: !tty, tty })).await {
                Err(error) if error.is(Kind::Unimplemented) => refused = Some(error),
                other => return other.map_err(|e| e.context(what)),
            }
        }
        Err(spoken(refused, what))
    }

    /// A way to a pod's ports.
    ///
    /// # Errors
    /// As [`Cri::exec_over`].
    pub async fn port_forward(&self, pod: &str, ports: &[u16], wire: Option<Wire>) -> Result<Forward> {
        let what = format!("forward ports of pod {pod}");
        self.changes(&what)?;
        let port = ports.iter().map(|p| i32::from(*p)).collect();
        let asked = cri::PortForwardRequest { pod_sandbox_id: pod.to_owned(), port };
        let mut refused = None;
        for wire in wires(wire) {
            let url = within(QUESTION, &what, self.runtime_service().port_forward(asked.clone())).await?.url;
            match opened(Forward::open(&url, wire)).await {
                Err(error) if error.is(Kind::Unimplemented) => refused = Some(error),
                other => return other.map_err(|e| e.context(what)),
            }
        }
        Err(spoken(refused, what))
    }
}

/// What is tried, in this order: every runtime speaks SPDY today, and may not one day.
fn wires(wire: Option<Wire>) -> Vec<Wire> {
    wire.map_or_else(|| vec![Wire::Spdy, Wire::WebSocket], |wire| vec![wire])
}

async fn opened<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(OPEN, work).await.unwrap_or_else(|_| {
        let text = format!("the streaming server did not answer in {} s", OPEN.as_secs());
        Err(Error::new(Kind::DeadlineExceeded, text))
    })
}

fn spoken(refused: Option<Error>, what: String) -> Error {
    refused.unwrap_or_else(|| Error::new(Kind::Internal, "no way was tried")).context(what)
}
