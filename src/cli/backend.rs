//! How a verb gets its runtime: which endpoint, the deadline of its calls, read-only. What a verb does with it is not here.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use futures::{FutureExt, future::LocalBoxFuture};

use super::figures::parse_span;
use crate::{
    bail,
    client::{
        Cri, Runtime, Transport,
        audit::{Begun, Intent},
        discover,
        offline::Offline,
    },
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
    /// Ask the disk and /proc instead of the runtime, which may be dead or hang
    #[arg(long, conflicts_with_all = ["embedded", "demo"])]
    pub offline: bool,
    /// Refuse every change
    #[arg(long)]
    pub read_only: bool,
    /// Use the runtime inside this program, on a temporary root with a few pods to look at
    #[arg(long, conflicts_with = "runtime_endpoint")]
    pub demo: bool,
    /// Look at a recording that `wharf capture` made, instead of a node
    #[arg(long, value_name = "FILE", conflicts_with_all = ["runtime_endpoint", "demo", "embedded"])]
    pub replay: Option<PathBuf>,
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
        if globals.replay.is_some() {
            bail!(InvalidArgument, "a recording answers the app, doctor and screen; this verb needs a runtime");
        }
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
        let named = discover::configured(flag.as_deref(), variable.as_deref(), root)?;
        if globals.offline {
            // Without a question to anybody: that is the point.
            let endpoint = named.or_else(|| discover::left(root)).unwrap_or_else(|| discover::usual(root));
            tracing::warn!("{endpoint} is not asked: what follows is what the disk and /proc tell");
            let offline = Offline::new(root, &endpoint, globals.read_only)?;
            return Ok(with(Arc::new(Cri::offline(offline, globals.read_only).await?)));
        }
        let endpoint = match named {
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

    /// For the app, which also shows a runtime that is dead or hangs: from the disk until it answers. The backend is there
    /// when something has to be ended with it.
    #[cfg(feature = "tui")]
    pub async fn shown(globals: &Globals, tell: Tell) -> Result<(Arc<dyn Runtime>, Option<Self>)> {
        let inside = async |tell| {
            let backend = Self::open(globals, tell).await?;
            Ok((backend.runtime(), Some(backend)))
        };
        if globals.offline {
            bail!(InvalidArgument, "--offline is for verbs: the app reads the disk by itself when nobody answers");
        }
        if globals.demo || globals.embedded {
            return inside(tell).await;
        }
        let file = settings(globals)?;
        let variable = std::env::var("CONTAINER_RUNTIME_ENDPOINT").ok();
        let flag = globals.runtime_endpoint.clone().or(file.runtime_endpoint);
        let root = std::path::Path::new("/");
        let attach =
            async |endpoint: &str| crate::client::steady::Steady::open(endpoint, globals.read_only, root).await;
        if let Some(endpoint) = discover::configured(flag.as_deref(), variable.as_deref(), root)? {
            return Ok((Arc::new(attach(&endpoint).await?) as _, None));
        }
        let found = match discover::probe(root).await.0 {
            Some(endpoint) => Some(endpoint),
            None => discover::left(root),
        };
        let Some(endpoint) = found else { return inside(tell).await };
        match attach(&endpoint).await {
            Ok(steady) => Ok((Arc::new(steady) as _, None)),
            // A containerd that serves docker alone, say: the runtime inside is the one to show then.
            Err(error) if error.is(Kind::Unimplemented) => inside(tell).await,
            Err(error) => Err(error),
        }
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

    /// The same, for archives.
    pub fn image_cri(&self) -> &Cri {
        self.images.as_ref().unwrap_or(&self.cri)
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
        let call = self.within(limit, what, call.boxed_local());
        async move {
            let begun = Intent::new(what).begin(self.cri.info()).await?;
            let done = call.await;
            journal(begun, &done).await;
            done
        }
        .boxed_local()
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

/// Writes down what came of what a verb does; a failure to do so is said beside the output.
pub async fn journal<T>(begun: Begun, done: &Result<T>) {
    if let Err(error) = begun.done(done).await {
        tracing::warn!("{error:#}");
    }
}

/// The socket the flags, the environment and the settings name; or the first of the usual places that answers, that is there,
/// or that a containerd would have. It need not answer.
pub async fn endpoint(globals: &Globals) -> Result<String> {
    let file = settings(globals)?;
    let variable = std::env::var("CONTAINER_RUNTIME_ENDPOINT").ok();
    let flag = globals.runtime_endpoint.clone().or(file.runtime_endpoint);
    let root = std::path::Path::new("/");
    let found = match discover::configured(flag.as_deref(), variable.as_deref(), root)? {
        Some(endpoint) => endpoint,
        None => match discover::probe(root).await {
            (Some(endpoint), _) => endpoint,
            (None, _) => discover::usual(root),
        },
    };
    Ok(format!("unix://{}", discover::socket_path(&found)?.display()))
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

/// What the runtime inside this program is made of. Flags win over the file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct EngineOptions {
    /// containerd's config.toml, version 2, 3 or 4: what of it applies is applied, the rest is said
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where images, snapshots and the database are kept [default: /var/lib/wharf]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Where what a reboot ends is kept [default: /run/wharf]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// docker's config.json with logins [default: the kubelet's places]
    #[arg(long, value_name = "FILE")]
    pub docker_config: Option<PathBuf>,
    /// The kubelet's CredentialProviderConfig
    #[arg(long, value_name = "FILE", requires = "image_credential_provider_bin_dir")]
    pub image_credential_provider_config: Option<PathBuf>,
    /// Where the programs of the credential providers are
    #[arg(long, value_name = "DIR")]
    pub image_credential_provider_bin_dir: Option<PathBuf>,
}

/// What `serve` was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Serve {
    /// Socket to serve CRI on [default: unix:///run/wharf/wharf.sock]
    #[arg(long, value_name = "ENDPOINT")]
    pub listen: Option<String>,
    #[command(flatten)]
    pub engine: EngineOptions,
    /// Where exec, attach and port-forward are streamed; port 0 is any [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDRESS")]
    pub stream_address: Option<SocketAddr>,
    /// Stream over TLS, with this certificate and its chain (PEM); it is read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// End a stream on which nothing moves for so long [default: 4h]
    #[arg(long, value_parser = parse_span, value_name = "SPAN")]
    pub stream_idle_timeout: Option<Duration>,
    /// Keep a pod or container whose caller gave up for so long, for who asks again [default: 5m]
    #[arg(long, value_parser = parse_span, value_name = "SPAN")]
    pub unclaimed_timeout: Option<Duration>,
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
pub mod inside {
    //! The runtime inside this program.

    use std::{
        path::{Path, PathBuf},
        sync::Arc,
        time::Duration,
    };

    use super::{Backend, EngineOptions, Globals, Serve, Tell, ended};
    use crate::{
        client::{Cri, discover, embedded as client, types::Mode},
        config::{Finding, Severity, containerd},
        demo::Demo,
        engine::{Config, Engine, serve as socket, settings, streaming},
        error::Result,
    };

    const ROOT: &str = "/var/lib/wharf";
    const STATE: &str = "/run/wharf";
    const SOCKET: &str = "/run/wharf/wharf.sock";

    /// The engine's configuration, the socket a file names, and what is to be said about the file.
    fn configured(options: &EngineOptions) -> Result<(Config, Option<PathBuf>, Vec<Finding>)> {
        let mut config = Config::new(Path::new(ROOT), Path::new(STATE));
        let (mut findings, mut socket) = (Vec::new(), None);
        if let Some(file) = &options.config {
            let mut from = containerd::load(Path::new("/"), file)?;
            if options.root.is_some() {
                // Of no use, so it need not be right.
                from.settings.root.at = None;
            }
            socket = settings::address(&from);
            findings.append(&mut from.findings);
            findings.extend(settings::apply(&mut config, &from)?);
        }
        if let Some(root) = &options.root {
            config.root.clone_from(root);
            config.network.state = root.join("network");
        }
        if let Some(state) = &options.state {
            config.state.clone_from(state);
        }
        let keychain = &mut config.registry.keychain;
        keychain.docker_config.clone_from(&options.docker_config);
        keychain.provider_config.clone_from(&options.image_credential_provider_config);
        keychain.provider_bin_dir.clone_from(&options.image_credential_provider_bin_dir);
        Ok((config, socket, findings))
    }

    /// What `serve` starts from without a file.
    pub fn default_config() -> Result<String> {
        let (config, ..) = configured(&EngineOptions::default())?;
        Ok(settings::to_toml(&config, Path::new(SOCKET)))
    }

    /// What there is to say about a file `serve` would start from.
    pub fn check(file: &Path) -> Result<Vec<Finding>> {
        let options = EngineOptions { config: Some(file.to_owned()), ..EngineOptions::default() };
        configured(&options).map(|(.., findings)| findings)
    }

    fn say(findings: &[Finding]) {
        for finding in findings {
            match finding.severity {
                Severity::Note => tracing::info!("{finding}"),
                Severity::Warning => tracing::warn!("{finding}"),
                Severity::Error => tracing::error!("{finding}"),
            }
        }
    }

    pub async fn embedded(globals: &Globals) -> Result<Arc<Cri>> {
        let root = globals.root.as_deref().unwrap_or(Path::new(ROOT));
        let state = globals.state.as_deref().unwrap_or(Path::new(STATE));
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
        let (mut config, address, findings) = configured(&options.engine)?;
        say(&findings);
        config.streaming.address = options.stream_address.unwrap_or(config.streaming.address);
        config.streaming.idle = options.stream_idle_timeout.unwrap_or(config.streaming.idle);
        config.unclaimed = options.unclaimed_timeout.unwrap_or(config.unclaimed);
        if let (Some(cert), Some(key)) = (options.tls_cert.clone(), options.tls_key.clone()) {
            config.streaming.tls = Some(streaming::tls::Files { cert, key });
        }
        let listen = match (&options.listen, address) {
            (Some(listen), _) => discover::socket_path(listen)?,
            (None, Some(address)) => address,
            (None, None) => PathBuf::from(SOCKET),
        };
        let progress = Arc::clone(&config.progress);
        let stop = async {
            if let Err(error) = ended().await {
                tracing::error!("{error:#}");
            }
        };
        socket::serve(Engine::open(config), progress, &listen, stop).await
    }
}

#[cfg(not(feature = "engine"))]
pub mod inside {
    //! This build has no runtime inside.

    use std::{path::Path, sync::Arc, time::Duration};

    use super::{Backend, Globals, Serve, Tell};
    use crate::{bail, client::Cri, config::Finding, error::Result};

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

    pub fn default_config() -> Result<String> {
        bail!(Unimplemented, "this build of wharf has no runtime inside to configure")
    }

    pub fn check(_: &Path) -> Result<Vec<Finding>> {
        bail!(Unimplemented, "this build of wharf has no runtime inside to configure")
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
