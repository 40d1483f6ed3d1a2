//! How calls reach a runtime: a unix socket or the server in this process, behind one type; read-only is enforced here.

use std::{path::PathBuf, task};

use http::{Request, Response};
use hyper_util::rt::TokioIo;
#[cfg(feature = "engine")]
use tonic::service::Routes;
use tonic::{body::Body, transport::Endpoint};
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Carries gRPC calls to a runtime.
pub type Transport = BoxCloneSyncService<Request<Body>, Response<Body>, tonic::Status>;

/// What may be called in read-only mode: questions. A list of what is allowed, so that a new call is refused until
/// somebody has thought about it.
const QUESTIONS: &[&str] = &[
    "Version",
    "Status",
    "RuntimeConfig",
    "ListPodSandbox",
    "PodSandboxStatus",
    "ListContainers",
    "ContainerStatus",
    "ContainerStats",
    "ListContainerStats",
    "PodSandboxStats",
    "ListPodSandboxStats",
    "ListMetricDescriptors",
    "ListPodSandboxMetrics",
    "GetContainerEvents",
    "ListImages",
    "ImageStatus",
    "ImageFsInfo",
];

/// A connection to a socket; made again by itself when it breaks. `endpoint` is `unix:///path` or a path.
pub async fn socket(endpoint: &str) -> Result<Transport> {
    let path = path_of(endpoint)?;
    // Asked here for the sake of its error: the channel's own says little.
    if let Err(error) = tokio::net::UnixStream::connect(&path).await {
        if error.kind() == std::io::ErrorKind::WouldBlock {
            let text = format!("{endpoint}: its queue is full, whoever listens accepts nothing");
            return Err(Error::new(Kind::DeadlineExceeded, text).with_source(error));
        }
        let next = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such socket: is the runtime running?",
            std::io::ErrorKind::ConnectionRefused => "nobody listens there: the runtime has stopped",
            std::io::ErrorKind::PermissionDenied => "it belongs to somebody else: try as root",
            _ => "it cannot be used",
        };
        return Err(Error::io("connect to", &path, error).context(format!("{endpoint}: {next}")));
    }
    let connect = tower::service_fn(move |_| {
        let path = path.clone();
        async move { Ok::<_, std::io::Error>(TokioIo::new(tokio::net::UnixStream::connect(path).await?)) }
    });
    // The name is never resolved; HTTP/2 wants one.
    let channel = Endpoint::from_static("http://localhost").connect_with_connector_lazy(connect);
    Ok(BoxCloneSyncService::new(channel.map_err(|e| tonic::Status::from_error(e.into()))))
}

pub fn path_of(endpoint: &str) -> Result<PathBuf> {
    let path = endpoint.strip_prefix("unix://").unwrap_or(endpoint);
    if path.contains("://") || path.is_empty() {
        bail!(InvalidArgument, "{endpoint:?} is not a unix socket: write unix:///path");
    }
    Ok(PathBuf::from(path))
}

/// The server itself, without a socket.
#[cfg(feature = "engine")]
pub fn in_process(routes: Routes) -> Transport {
    let routes = ServiceExt::<Request<Body>>::map_err(routes, |never: std::convert::Infallible| match never {});
    BoxCloneSyncService::new(routes)
}

/// Lets only questions through.
pub fn read_only(inner: Transport) -> Transport {
    BoxCloneSyncService::new(ReadOnly(inner))
}

#[derive(Clone)]
struct ReadOnly(Transport);

impl Service<Request<Body>> for ReadOnly {
    type Response = Response<Body>;
    type Error = tonic::Status;
    type Future = futures::future::BoxFuture<'static, Result<Response<Body>, tonic::Status>>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> task::Poll<Result<(), tonic::Status>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        if QUESTIONS.contains(&call.as_str()) || request.uri().path().starts_with("/containerd.") && is_question(&call)
        {
            return self.0.call(request);
        }
        let refused =
            Error::new(Kind::PermissionDenied, format!("{call} is refused: wharf was started with --read-only"));
        Box::pin(async move { Ok(tonic::Status::from(refused).into_http()) })
    }
}

/// Of containerd's own services.
fn is_question(call: &str) -> bool {
    matches!(call, "List" | "Stat" | "Usage" | "Info" | "Get")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_socket_says_so_and_what_to_do() {
        let error = socket("unix:///no/such.sock").await.unwrap_err();
        assert!(error.to_string().contains("is the runtime running"), "{error:#}");
        assert!(socket("tcp://host:1").await.unwrap_err().is(Kind::InvalidArgument));
    }

    #[tokio::test]
    async fn read_only_refuses_whatever_is_not_a_question() {
        let answered = tower::service_fn(|_| async { Ok::<_, tonic::Status>(Response::new(Body::empty())) });
        let mut service = read_only(BoxCloneSyncService::new(answered));
        for (call, refused) in [("Version", false), ("StopContainer", true), ("NewCall", true), ("ListImages", false)] {
            let request =
                Request::builder().uri(format!("/runtime.v1.RuntimeService/{call}")).body(Body::empty()).unwrap();
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(response.headers().get("grpc-status").is_some_and(|s| s == "7"), refused, "{call}");
        }
    }
}
