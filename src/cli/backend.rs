//! How a verb gets its runtime: which endpoint, the deadline of its calls, read-only. What a verb does with it is not here.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use futures::{FutureExt, future::LocalBoxFuture};

use super::figures::parse_span;
use crate::{
    bail,
    client::{Cri, Runtime, Transport, discover},
    error::{Error, Kind, Result},
    proto::cri::{image_service_client::ImageServiceClient, runtime_service_client::RuntimeServiceClient},
};

/// Hears in one line what is being done.
pub type Tell = Arc<dyn Fn(String) + Send + Sync>;

/// What a call of the generated clients gives.
type Answer<T> = Result<tonic::Response<T>, tonic::Status>;

/// A question about state is answered within this, unless `--timeout` says otherwise.
const ASK: Duration = Duration::from_secs(10);
/// What a change may take beyond the grace it carries: kubelet's own limit.
const CHANGE: Duration = Duration::from_secs(120);

/// Flags before the verb, crictl's where crictl has them.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Globals {
    /// Socket of the container runtime [env: CONTAINER_RUNTIME_ENDPOINT, then /etc/crictl.yaml, then the usual places]
    #[arg(short = 'r', long, value_name = "ENDPOINT")]
    pub runtime_endpoint: Option<String>,
    /// Socket of the image service, if it is another one [env: IMAGE_SERVICE_ENDPOINT]
    #[arg(short, long, value_name = "ENDPOINT")]
    pub image_endpoint: Option<String>,
    /// How long to wait for an answer (2s, 1m)
    #[arg(short, long, value_name = "SPAN", value_parser = parse_span)]
    pub timeout: Option<Duration>,
    /// Say on stderr what is done
    #[arg(short = 'D', long)]
    pub debug: bool,
    /// Use the runtime inside this program
    #[arg(long, conflicts_with_all = ["runtime_endpoint", "demo"])]
    pub embedded: bool,
    /// Refuse every change
    #[arg(long)]
    pub read_only: bool,
    /// Use the runtime inside this program, on a temporary root with a few pods to look at
    #[arg(long, conflicts_with = "runtime_endpoint")]
    pub demo: bool,
    /// Where the runtime inside this program keeps its data [default: /var/lib/wharf]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Where the runtime inside this program keeps what a reboot ends [default: /run/wharf]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// crictl's settings [env: CRI_CONFIG_FILE] [default: /etc/crictl.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The runtime a verb works on.
#[derive(Debug, Clone)]
pub struct Backend {
    cri: Arc<Cri>,
    /// Where images are served by somebody else.
    images: Option<Arc<Cri>>,
    asked_limit: Option<Duration>,
    read_only: bool,
    #[cfg(feature = "engine")]
    demo: Option<Arc<crate::demo::Demo>>,
}

impl Backend {
    /// Finds and reaches the runtime the flags, the environment and the settings ask for. A demo is complete then.
    pub async fn connect(globals: &Globals) -> Result<Self> {
        if globals.demo {
            return inside::whole_demo(globals, asked_limit(globals, &settings(globals)?)).await;
        }
        Self::open(globals, Arc::new(|_| ())).await
    }

    /// As `connect`, but a demo goes on filling itself, and `tell` hears how.
    pub async fn open(globals: &Globals, tell: Tell) -> Result<Self> {
        let file = settings(globals)?;
        let asked_limit = asked_limit(globals, &file);
        let with = |cri: Arc<Cri>| Self::over(cri, asked_limit, globals.read_only);
        if globals.demo {
            return inside::demo(globals, asked_limit, tell).await;
        }
        if globals.embedded {
            return inside::embedded(globals).await.map(with);
        }
        let variable = std::env::var("CONTAINER_RUNTIME_ENDPOINT").ok();
        let flag = globals.runtime_endpoint.clone().or(file.runtime_endpoint);
        let root = std::path::Path::new("/");
        let endpoint = match discover::configured(flag.as_deref(), variable.as_deref(), root)? {
            Some(endpoint) => endpoint,
            None => match discover::probe(root).await {
                (Some(endpoint), _) => endpoint,
                (None, errors) => return inside::embedded(globals).await.map(with).map_err(|e| nobody(e, &errors)),
            },
        };
        let mut backend = with(Arc::new(Cri::attach(&endpoint, globals.read_only).await?));
        let variable = std::env::var("IMAGE_SERVICE_ENDPOINT").ok().filter(|v| !v.is_empty());
        if let Some(other) = globals.image_endpoint.clone().or(variable).or(file.image_endpoint)
            && other != endpoint
        {
            backend.images = Some(Arc::new(Cri::attach(&other, globals.read_only).await?));
        }
        Ok(backend)
    }

    fn over(cri: Arc<Cri>, asked_limit: Option<Duration>, read_only: bool) -> Self {
        Self {
            cri,
            images: None,
            asked_limit,
            read_only,
            #[cfg(feature = "engine")]
            demo: None,
        }
    }

    /// Ends what was started only for this backend, and passes `done` on.
    pub async fn close<T>(self, done: Result<T>) -> Result<T> {
        #[cfg(feature = "engine")]
        if let Some(demo) = self.demo.and_then(Arc::into_inner) {
            drop((self.cri, self.images));
            let ended = demo.end().await;
            return match done {
                Ok(value) => ended.map(|()| value),
                Err(error) => Err(error.and_cleanup(ended)),
            };
        }
        done
    }

    pub fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::clone(&self.cri) as _
    }

    /// For what streams.
    pub fn cri(&self) -> &Cri {
        &self.cri
    }

    /// The runtime that pulls and removes images.
    pub fn image_runtime(&self) -> Arc<dyn Runtime> {
        Arc::clone(self.images.as_ref().unwrap_or(&self.cri)) as _
    }

    pub fn pods(&self) -> RuntimeServiceClient<Transport> {
        self.cri.runtime_service()
    }

    pub fn images(&self) -> ImageServiceClient<Transport> {
        self.images.as_ref().unwrap_or(&self.cri).image_service()
    }

    /// Waits for the answer to a question. `what` is a verb phrase with its object. Boxed, as calls are large and verbs
    /// nest them.
    pub fn ask<'a, T: 'a>(
        &'a self,
        what: &'a str,
        call: impl Future<Output = Answer<T>> + 'a,
    ) -> LocalBoxFuture<'a, Result<T>> {
        self.within(self.asked_limit.unwrap_or(ASK), what, call.boxed_local()).boxed_local()
    }

    /// Waits for a change, which may take `grace` by itself. Refused when read-only.
    pub fn change<'a, T: 'a>(
        &'a self,
        grace: Duration,
        what: &'a str,
        call: impl Future<Output = Answer<T>> + 'a,
    ) -> LocalBoxFuture<'a, Result<T>> {
        if let Err(error) = self.may_change(what) {
            return std::future::ready(Err(error)).boxed_local();
        }
        let limit = self.asked_limit.unwrap_or_default().max(CHANGE).saturating_add(grace);
        self.within(limit, what, call.boxed_local()).boxed_local()
    }

    pub fn may_change(&self, what: &str) -> Result<()> {
        if self.read_only {
            bail!(PermissionDenied, "{what}: --read-only allows no change");
        }
        Ok(())
    }

    async fn within<T>(&self, limit: Duration, what: &str, call: LocalBoxFuture<'_, Answer<T>>) -> Result<T> {
        tracing::debug!("{what}");
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(Error::from(status).context(what.to_owned())),
            Err(_) => {
                let endpoint = &self.cri.info().endpoint;
                bail!(DeadlineExceeded, "{what}: no answer from {endpoint} within {} s", limit.as_secs_f32());
            }
        }
    }
}

#[derive(Debug, Default)]
struct Settings {
    runtime_endpoint: Option<String>,
    image_endpoint: Option<String>,
    timeout: Option<Duration>,
}

fn asked_limit(globals: &Globals, file: &Settings) -> Option<Duration> {
    globals.timeout.or(file.timeout).filter(|t| !t.is_zero())
}

/// The settings file somebody named; `/etc/crictl.yaml` is read with the other places an endpoint can come from.
fn settings(globals: &Globals) -> Result<Settings> {
    let variable = std::env::var_os("CRI_CONFIG_FILE").filter(|v| !v.is_empty()).map(PathBuf::from);
    let Some(path) = globals.config.clone().or(variable) else { return Ok(Settings::default()) };
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
    parse_settings(&text).map_err(|e| e.context(format!("read {}", path.display())))
}

fn parse_settings(text: &str) -> Result<Settings> {
    let value: serde_norway::Value = serde_norway::from_str(text)
        .map_err(|e| Error::new(Kind::InvalidArgument, "the settings are not YAML").with_source(e))?;
    let text = |key: &str| value.get(key).and_then(|v| v.as_str()).filter(|v| !v.is_empty()).map(str::to_owned);
    let timeout = value.get("timeout").and_then(serde_norway::Value::as_u64).map(Duration::from_secs);
    Ok(Settings { runtime_endpoint: text("runtime-endpoint"), image_endpoint: text("image-endpoint"), timeout })
}

/// What `serve` was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Serve {
    /// Socket to serve CRI on
    #[arg(long, default_value = "unix:///run/wharf/wharf.sock", value_name = "ENDPOINT")]
    pub listen: String,
    /// Where images, snapshots and the database are kept
    #[arg(long, default_value = "/var/lib/wharf", value_name = "DIR")]
    pub root: PathBuf,
    /// Where what a reboot ends is kept
    #[arg(long, default_value = "/run/wharf", value_name = "DIR")]
    pub state: PathBuf,
    /// Where exec, attach and port-forward are streamed; port 0 is any
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub stream_address: SocketAddr,
    /// End a stream on which nothing moves for so long
    #[arg(long, default_value = "4h", value_parser = parse_span, value_name = "SPAN")]
    pub stream_idle_timeout: Duration,
}

/// The engine as a daemon, until SIGTERM.
pub async fn serve(options: &Serve) -> Result<()> {
    inside::serve(options).await
}

/// Fails if what was asked for cannot be started by whoever asks, before anything is done.
#[cfg(feature = "tui")]
pub fn may_start(globals: &Globals) -> Result<()> {
    if globals.demo { inside::may_start_demo() } else { Ok(()) }
}

/// Waits for SIGTERM, SIGHUP or SIGINT; the exit code for it.
pub async fn ended() -> Result<u8> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|e| Error::io("listen for", "signals", e));
    let (mut term, mut hup, mut int) =
        (listen(SignalKind::terminate())?, listen(SignalKind::hangup())?, listen(SignalKind::interrupt())?);
    let signal = tokio::select! {
        _ = term.recv() => SignalKind::terminate(),
        _ = hup.recv() => SignalKind::hangup(),
        _ = int.recv() => SignalKind::interrupt(),
    };
    Ok(128 + signal.as_raw_value() as u8)
}

/// The engine could not be used either; what the sockets said comes first, it is usually the reason.
fn nobody(engine: Error, sockets: &[Error]) -> Error {
    let heard: Vec<String> = sockets.iter().filter(|e| !e.is(Kind::NotFound)).map(|e| format!("{e:#}")).collect();
    let text = if heard.is_empty() {
        "no container runtime answers on this node (name one with -r), and wharf's own cannot be used".to_owned()
    } else {
        format!("no container runtime answers on this node ({}), and wharf's own cannot be used", heard.join("; "))
    };
    Error::new(engine.kind(), text).with_source(engine)
}

#[cfg(feature = "engine")]
mod inside {
    //! The runtime inside this program.

    use std::{path::Path, sync::Arc, time::Duration};

    use super::{Backend, Globals, Serve, Tell, ended};
    use crate::{
        client::{Cri, discover, embedded as client, types::Mode},
        demo::Demo,
        engine::{Config, Engine, serve as socket, streaming},
        error::Result,
    };

    pub async fn embedded(globals: &Globals) -> Result<Arc<Cri>> {
        let root = globals.root.as_deref().unwrap_or(Path::new("/var/lib/wharf"));
        let state = globals.state.as_deref().unwrap_or(Path::new("/run/wharf"));
        let engine = Engine::open(Config::new(root, state)).await?;
        client::over(engine, Mode::Embedded, globals.read_only).await.map(Arc::new)
    }

    #[cfg(feature = "tui")]
    pub fn may_start_demo() -> Result<()> {
        Demo::may_start()
    }

    /// One that goes on filling itself.
    pub async fn demo(globals: &Globals, asked_limit: Option<Duration>, tell: Tell) -> Result<Backend> {
        let demo = Demo::start(globals.read_only, tell).await?;
        let mut backend = Backend::over(demo.runtime(), asked_limit, globals.read_only);
        backend.demo = Some(Arc::new(demo));
        Ok(backend)
    }

    pub async fn whole_demo(globals: &Globals, asked_limit: Option<Duration>) -> Result<Backend> {
        let tell: Tell = Arc::new(|note| tracing::info!("{note}"));
        let mut demo = Demo::start(globals.read_only, tell).await?;
        if let Err(error) = demo.populated().await {
            return Err(error.and_cleanup(demo.end().await));
        }
        let mut backend = Backend::over(demo.runtime(), asked_limit, globals.read_only);
        backend.demo = Some(Arc::new(demo));
        Ok(backend)
    }

    pub async fn serve(options: &Serve) -> Result<()> {
        let listen = discover::socket_path(&options.listen)?;
        let mut config = Config::new(&options.root, &options.state);
        config.streaming = streaming::Config { address: options.stream_address, idle: options.stream_idle_timeout };
        let engine = Engine::open(config).await?;
        let stop = async {
            if let Err(error) = ended().await {
                tracing::error!("{error:#}");
            }
        };
        socket::serve(engine, &listen, stop).await
    }
}

#[cfg(not(feature = "engine"))]
mod inside {
    //! This build has no runtime inside.

    use std::{sync::Arc, time::Duration};

    use super::{Backend, Globals, Serve, Tell};
    use crate::{bail, client::Cri, error::Result};

    pub async fn embedded(_: &Globals) -> Result<Arc<Cri>> {
        bail!(Unimplemented, "this build of wharf has no runtime inside: it only attaches to others")
    }

    #[cfg(feature = "tui")]
    pub fn may_start_demo() -> Result<()> {
        bail!(Unimplemented, "this build of wharf has no runtime inside to show")
    }

    pub async fn demo(_: &Globals, _: Option<Duration>, _: Tell) -> Result<Backend> {
        bail!(Unimplemented, "this build of wharf has no runtime inside to show")
    }

    pub async fn whole_demo(_: &Globals, _: Option<Duration>) -> Result<Backend> {
        bail!(Unimplemented, "this build of wharf has no runtime inside to show")
    }

    pub async fn serve(_: &Serve) -> Result<()> {
        bail!(Unimplemented, "this build of wharf has no runtime inside to serve")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_crictls() {
        let settings =
            parse_settings("runtime-endpoint: unix:///a.sock\nimage-endpoint: \"\"\ntimeout: 7\ndebug: true\n")
                .unwrap();
        assert_eq!(settings.runtime_endpoint.as_deref(), Some("unix:///a.sock"));
        assert_eq!((settings.image_endpoint, settings.timeout), (None, Some(Duration::from_secs(7))));
        assert!(parse_settings("a: [").is_err());
    }
}
