//! How calls reach a runtime: a unix socket or the server in this process, behind one type; read-only is enforced here.

use std::{path::PathBuf, task, time::Duration};

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

/// For the first word of a runtime, which is ready before any other.
pub const HELLO: Duration = Duration::from_secs(5);

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

/// Why the first question was not answered as a runtime answers it.
pub fn stranger(endpoint: &str, error: Error) -> Error {
    let what = match error.kind() {
        Kind::Unimplemented => "does not serve CRI v1: another API, or a runtime that is too old",
        Kind::DeadlineExceeded => "takes connections and does not answer",
        Kind::PermissionDenied | Kind::Unauthenticated => "refuses to answer",
        _ => {
            "does not speak CRI: is it docker's socket, a kubelet's, or of a runtime that just ends? Name the runtime's with -r"
        }
    };
    error.context(format!("{endpoint} {what}"))
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

    /// Takes connections at a new socket and does this with each.
    fn listens<F: Future<Output = ()> + Send>(
        directory: &std::path::Path,
        name: &str,
        with: impl Fn(tokio::net::UnixStream) -> F + Send + 'static,
    ) -> String {
        let path = directory.join(name);
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                with(stream).await;
            }
        });
        path.to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn att_02_what_is_no_runtime_says_so_and_what_to_do() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let says = |bytes: &'static [u8]| {
            move |mut stream: tokio::net::UnixStream| async move {
                let mut asked = [0; 64];
                let _asked = stream.read(&mut asked).await;
                let _said = stream.write_all(bytes).await;
            }
        };
        std::fs::write(at.join("file"), "").unwrap();
        drop(std::os::unix::net::UnixListener::bind(at.join("stale")).unwrap());
        let older = at.join("v1alpha2");
        let listener = tokio::net::UnixListener::bind(&older).unwrap();
        let incoming = futures::stream::unfold(listener, |listener| async move {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, listener))
        });
        let nothing = tonic::transport::Server::builder().add_routes(tonic::service::Routes::default());
        tokio::spawn(nothing.serve_with_incoming(incoming));
        let file = |name: &str| at.join(name).to_str().unwrap().to_owned();
        let cases = [
            (file("absent"), Kind::NotFound, "is the runtime running?"),
            (file("file"), Kind::Unavailable, "the runtime has stopped"),
            (file("stale"), Kind::Unavailable, "the runtime has stopped"),
            ("tcp://127.0.0.1:1".to_owned(), Kind::InvalidArgument, "write unix:///path"),
            (file("v1alpha2"), Kind::Unimplemented, "does not serve CRI v1"),
            (
                listens(at, "docker", says(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")),
                Kind::Internal,
                "docker's socket",
            ),
            (listens(at, "kubelet", says(b"HTTP/1.0 404 Not Found\r\n\r\n")), Kind::Internal, "a kubelet's"),
            (listens(at, "ends", |_| async {}), Kind::Internal, "that just ends"),
            (
                listens(at, "noise", says(b"\x1b[2J\x00\xff garbage that is no frame of anything")),
                Kind::Internal,
                "does not speak CRI",
            ),
            (
                listens(at, "hangs", |stream| async move {
                    let _held = stream;
                    std::future::pending().await
                }),
                Kind::DeadlineExceeded,
                "does not answer",
            ),
        ];
        for (endpoint, kind, words) in cases {
            let began = std::time::Instant::now();
            let error = crate::client::Cri::attach(&endpoint, false).await.unwrap_err();
            let text = format!("{error:#}");
            assert!(began.elapsed() < HELLO + Duration::from_secs(1), "{endpoint}: {:?}", began.elapsed());
            assert!(error.is(kind) || kind == Kind::Internal, "{:?}: {text}", error.kind());
            assert!(text.contains(words) && text.contains(&endpoint), "{text}");
            assert!(text.chars().count() <= 300 && !text.chars().any(char::is_control), "{text}");
        }
    }

    /// `package.Service/Call` of every call in a document of interfaces.
    fn calls(document: &str) -> Vec<String> {
        let (mut package, mut service, mut calls) = ("", "", Vec::new());
        for line in document.lines() {
            let word = |of: &str| line.trim().strip_prefix(of).and_then(|rest| rest.split([' ', ';', '(', '{']).next());
            package = word("package ").unwrap_or(package);
            service = word("service ").unwrap_or(service);
            calls.extend(word("rpc ").map(|call| format!("{package}.{service}/{call}")));
        }
        calls
    }

    #[tokio::test]
    async fn att_01_read_only_refuses_whatever_is_not_a_question_and_sends_none_of_it() {
        use std::sync::{Arc, Mutex};
        let sent: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&sent);
        let answered = tower::service_fn(move |request: Request<Body>| {
            seen.lock().unwrap().push(request.uri().path().trim_start_matches('/').to_owned());
            async { Ok::<_, tonic::Status>(Response::new(Body::empty())) }
        });
        let mut service = read_only(BoxCloneSyncService::new(answered));
        let mut every = calls(include_str!("../../proto/k8s.io/cri-api/v1/api.proto"));
        assert!(every.len() > 30, "{every:?}");
        every.extend(calls(include_str!(
            "../../proto/github.com/containerd/containerd/api/services/transfer/v1/transfer.proto"
        )));
        every.extend(calls(include_str!(
            "../../proto/github.com/containerd/containerd/api/services/content/v1/content.proto"
        )));
        every.push("runtime.v1.RuntimeService/NewCall".to_owned());
        // By their names, which say what they do; what only reads in spite of it is named here.
        let changes = |call: &str| {
            let name = call.rsplit('/').next().unwrap();
            let asks = ["List", "Get", "Version", "Status", "Info", "Read", "RuntimeConfig"];
            let asked = asks.iter().any(|a| name.starts_with(a)) || name.ends_with("Status") || name.ends_with("Stats");
            !asked && name != "ImageFsInfo"
        };
        for call in &every {
            let request = Request::builder().uri(format!("/{call}")).body(Body::empty()).unwrap();
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            let refused = response.headers().get("grpc-status").is_some_and(|s| s == "7");
            assert_eq!(sent.lock().unwrap().contains(call), !refused, "{call}");
            assert!(refused || !changes(call), "{call} went through");
        }
        let asked = sent.lock().unwrap().clone();
        assert!(asked.iter().any(|c| c.ends_with("/ListImages")) && asked.len() >= QUESTIONS.len(), "{asked:?}");
    }
}
