//! The engine on a socket: CRI v1 for the kubelet and crictl, root only; a call ends at its caller's deadline.

use std::{
    convert::Infallible,
    fs,
    future::ready,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Waker, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use sd_notify::NotifyState;
use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Status,
    body::Body,
    service::{AxumBody, AxumRouter, Routes},
};
use tower::{Service, layer::layer_fn};

use super::{Engine, cri};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// For calls to end and clients to hang up when the engine is to end: less than a service manager waits.
const GOODBYE: Duration = Duration::from_secs(10);

/// Serves from the start, until `stop` resolves. Until the engine is open every call is `Unavailable`: a list that is not whole
/// would be taken for one (threats POD-23). The socket has mode 0600 and is removed at the end; pods go on.
pub async fn serve(
    opening: impl Future<Output = Result<Arc<Engine>>>,
    progress: Arc<Progress>,
    socket: &Path,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let listener = listen(socket).await?;
    let door = Door { routes: Arc::default(), progress };
    let over = CancellationToken::new();
    let engine = async {
        let engine = opening.await?;
        engine.streaming().await?;
        // Nobody else has opened it.
        drop(door.routes.set(cri::routes(Arc::clone(&engine))));
        tracing::info!(socket = %socket.display(), "serving CRI v1");
        tell(&NotifyState::Ready);
        stop.await;
        tell(&NotifyState::Stopping);
        // Calls that last as long as their client would keep us from ending.
        engine.hang_up().await;
        over.cancel();
        Ok(())
    };
    let serving = async {
        tonic::transport::Server::builder()
            .layer(layer_fn(Deadline))
            .add_routes(Routes::from(AxumRouter::new().fallback_service(door.clone())))
            .serve_with_incoming_shutdown(UnixListenerStream::new(listener), over.cancelled())
            .await
            .map_err(|e| Error::new(Kind::Internal, format!("serve on {}", socket.display())).with_source(e))
    };
    let impatient = async {
        over.cancelled().await;
        tokio::time::sleep(GOODBYE).await;
    };
    let served = tokio::select! {
        served = async { tokio::try_join!(engine, serving) } => served.map(drop),
        // A client that was stopped, say: its connection would last as long as it does.
        () = impatient => {
            tracing::warn!("clients did not hang up in {} s: the engine ends all the same", GOODBYE.as_secs());
            Ok(())
        }
    };
    let removed = fs::remove_file(socket).context(|| format!("remove {}", socket.display()));
    match served {
        Ok(()) => removed,
        Err(error) => Err(error.and_cleanup(removed)),
    }
}

/// How far the engine's start is: pods that are known again, of those that there are.
#[derive(Debug, Default)]
pub struct Progress {
    pub pods: AtomicUsize,
    pub all: AtomicUsize,
}

/// What the engine answers, as soon as there is one.
#[derive(Debug, Clone)]
struct Door {
    routes: Arc<OnceLock<Routes>>,
    progress: Arc<Progress>,
}

impl Service<Request<AxumBody>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Waker<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<AxumBody>) -> Self::Future {
        if let Some(routes) = self.routes.get() {
            return Box::pin(routes.clone().call(request));
        }
        let [pods, all] = [&self.progress.pods, &self.progress.all].map(|n| n.load(Ordering::SeqCst));
        let so_far = if all == 0 { String::new() } else { format!(", {pods}/{all} pods") };
        Box::pin(ready(Ok(Status::unavailable(format!("the engine is recovering{so_far}")).into_http())))
    }
}

/// Says it to a service manager that wants to know (sd_notify(3)); one that does not listen is no reason not to serve.
fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!("the service manager was not told: {error}");
    }
}

async fn listen(socket: &Path) -> Result<UnixListener> {
    if let Some(directory) = socket.parent() {
        fs::create_dir_all(directory).context(|| format!("create {}", directory.display()))?;
    }
    if let Ok(found) = fs::symlink_metadata(socket) {
        if !found.file_type().is_socket() {
            bail!(AlreadyExists, "{} exists and is not a socket", socket.display());
        }
        if UnixStream::connect(socket).await.is_ok() {
            bail!(AlreadyExists, "somebody serves on {} already", socket.display());
        }
        fs::remove_file(socket).context(|| format!("remove the stale socket {}", socket.display()))?;
    }
    // Bound under a name nobody knows, closed to others, then moved into place: never open with another mode.
    let fresh = socket.with_extension(format!("new-{}", std::process::id()));
    let listener = UnixListener::bind(&fresh).context(|| format!("bind {}", fresh.display()))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).context(|| format!("chmod {}", fresh.display()))?;
    fs::rename(&fresh, socket).context(|| format!("move the socket to {}", socket.display()))?;
    Ok(listener)
}

/// Answers `DeadlineExceeded` when the caller's time is over, as gRPC says. tonic's own timer answers `Cancelled`, which
/// clients whose clock is a little behind then report.
#[derive(Debug, Clone)]
struct Deadline<S>(S);

impl<S, B> Service<Request<B>> for Deadline<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, waker: &mut Waker<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(waker)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let limit = timeout(request.headers());
        // The layers within see no deadline, so that there is one timer.
        request.headers_mut().remove(TIMEOUT);
        let answer = self.0.call(request);
        Box::pin(async move {
            let Some(limit) = limit else { return answer.await.map(sized) };
            match tokio::time::timeout(limit, answer).await {
                Ok(answer) => answer.map(sized),
                Err(_) => Ok(Status::deadline_exceeded(format!("not done in the caller's {limit:?}")).into_http()),
            }
        })
    }
}

/// A message that is too large is `ResourceExhausted` for gRPC's clients; tonic says `OutOfRange`.
fn sized<B>(mut answer: Response<B>) -> Response<B> {
    let headers = answer.headers_mut();
    let said = |name: &str| headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    if said("grpc-status") == b"11" && said("grpc-message").starts_with(b"Error,%20decoded%20message%20length%20too") {
        headers.insert("grpc-status", HeaderValue::from_static("8"));
    }
    answer
}

const TIMEOUT: &str = "grpc-timeout";

/// What the caller gives a call: up to eight digits and a unit (gRPC over HTTP/2, "Timeout"). Anything else is no limit.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_digits_and_a_unit() {
        let read = |text: &str| timeout(&HeaderMap::from_iter([(TIMEOUT.parse().unwrap(), text.parse().unwrap())]));
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(read("1500m"), Some(Duration::from_millis(1500)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for bad in ["", "S", "5", "-1S", "+1S", "123456789S", "1h", "1.5S"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_that_the_deadline_is_over() {
        let slow = |request: Request<()>| async move {
            assert!(!request.headers().contains_key(TIMEOUT), "a second timer would run");
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok::<_, std::convert::Infallible>(Status::ok("").into_http::<Body>())
        };
        let mut service = Deadline(tower::service_fn(slow));
        for (limit, code) in [("10m", "4"), ("30S", "0")] {
            let request = Request::builder().header(TIMEOUT, limit).body(()).unwrap();
            let answer = service.call(request).await.unwrap();
            assert_eq!(answer.headers()["grpc-status"], code, "{limit}");
        }
    }
}
