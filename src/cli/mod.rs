//! The command line: crictl's verbs over any runtime, and wharf's own. Each verb is with its group; here they are named
//! and sent on their way.

use std::{process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser, Subcommand};
use futures::{FutureExt, future::LocalBoxFuture};

use crate::{
    bail,
    config::app,
    error::{Error, Kind, Result},
};

mod archive;
pub mod backend;
mod capture;
mod check;
mod compose;
mod config;
mod containers;
mod cp;
mod doctor;
mod exec;
mod figures;
mod filter;
mod forward;
mod images;
mod journal;
mod logs;
mod names;
pub mod output;
mod pods;
mod prune;
mod pull;
mod report;
mod run;
mod runtime;
mod settings;
mod stats;
mod status;
#[cfg(test)]
mod tests;

use backend::{Backend, Globals};
use output::Out;

/// Node-level debug and admin for Kubernetes workers, with a container runtime inside. Without a verb: the app.
#[derive(Debug, Parser)]
#[command(name = "wharf", version)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List pods
    Pods(pods::Pods),
    /// List containers
    Ps(containers::Ps),
    /// List images; import and export archives of them
    #[command(visible_aliases = ["image", "img"])]
    Images(images::Images),
    /// Show containers in full
    Inspect(containers::Inspect),
    /// Show pods in full
    Inspectp(pods::Inspectp),
    /// Show images in full
    Inspecti(images::Inspecti),
    /// Pull an image
    Pull(pull::Pull),
    /// Run a container in a pod of its own, from an image or from crictl's two files
    Run(Box<run::Run>),
    /// Run a pod
    Runp(pods::Runp),
    /// Create a container in a pod
    Create(containers::Create),
    /// Start created containers
    Start(containers::Start),
    /// Stop running containers
    Stop(containers::Stop),
    /// Stop running pods
    Stopp(pods::Stopp),
    /// Remove containers
    Rm(containers::Rm),
    /// Remove pods
    Rmp(pods::Rmp),
    /// Remove images
    Rmi(images::Rmi),
    /// Show a container's log
    Logs(logs::Logs),
    /// Run a command in a container
    Exec(exec::Exec),
    /// Copy files between this machine and a running container
    Cp(cp::Cp),
    /// Look at a running container's own streams
    Attach(exec::Attach),
    /// Forward local ports to a pod
    PortForward(forward::PortForward),
    /// Show what containers use of the node
    Stats(stats::Stats),
    /// Show what pods use of the node
    Statsp(stats::Of),
    /// Show the pods' metrics
    Metricsp(stats::Metrics),
    /// Show which metrics there are
    Metricdescs(stats::Metrics),
    /// Follow what happens to containers
    #[command(visible_alias = "event")]
    Events(runtime::Events),
    /// Show the runtime's status
    Info(runtime::Info),
    /// Show the runtime's version
    Version,
    /// Show what the image filesystems hold
    Imagefsinfo(images::Imagefsinfo),
    /// Show the runtime's configuration
    RuntimeConfig(runtime::RuntimeConfig),
    /// Change the runtime's configuration
    UpdateRuntimeConfig(runtime::UpdateRuntimeConfig),
    /// Change the limits of running containers
    Update(containers::Update),
    /// Write the state of running containers to archives
    Checkpoint(containers::Checkpoint),
    /// Remove what nobody needs: unused images, exited containers
    Prune(prune::Prune),
    /// Find out why something fails, by runbooks; mend it with --fix
    Doctor(doctor::Doctor),
    /// Write everything doctor and the app read into one file, without secrets, to look at elsewhere
    Capture(capture::Capture),
    /// Print what the app shows of a recording after some keys
    #[cfg(feature = "tui")]
    Screen(capture::screen::Screen),
    /// Show what was changed on this node through wharf
    Journal(journal::Journal),
    /// Check what wharf's own runtime keeps on disk, and repair it
    Check(check::Check),
    /// Look after configuration: containerd's, that of the runtime inside, crictl's
    Config(settings::Config),
    /// Serve the runtime inside this program to the kubelet and to crictl
    Serve(backend::Serve),
    /// What the containers of the demo run
    #[cfg(feature = "engine")]
    #[command(hide = true)]
    DemoApp { role: String },
    /// Write the completion of these verbs for a shell
    Completion { shell: clap_complete::Shell },
}

impl Verb {
    /// For the line about a failure.
    fn name(&self) -> &'static str {
        match self {
            Self::Pods(_) => "pods",
            Self::Ps(_) => "ps",
            Self::Images(_) => "images",
            Self::Inspect(_) => "inspect",
            Self::Inspectp(_) => "inspectp",
            Self::Inspecti(_) => "inspecti",
            Self::Pull(_) => "pull",
            Self::Run(_) => "run",
            Self::Runp(_) => "runp",
            Self::Create(_) => "create",
            Self::Start(_) => "start",
            Self::Stop(_) => "stop",
            Self::Stopp(_) => "stopp",
            Self::Rm(_) => "rm",
            Self::Rmp(_) => "rmp",
            Self::Rmi(_) => "rmi",
            Self::Logs(_) => "logs",
            Self::Exec(_) => "exec",
            Self::Cp(_) => "cp",
            Self::Attach(_) => "attach",
            Self::PortForward(_) => "port-forward",
            Self::Stats(_) => "stats",
            Self::Statsp(_) => "statsp",
            Self::Metricsp(_) => "metricsp",
            Self::Metricdescs(_) => "metricdescs",
            Self::Events(_) => "events",
            Self::Info(_) => "info",
            Self::Version => "version",
            Self::Imagefsinfo(_) => "imagefsinfo",
            Self::RuntimeConfig(_) => "runtime-config",
            Self::UpdateRuntimeConfig(_) => "update-runtime-config",
            Self::Update(_) => "update",
            Self::Checkpoint(_) => "checkpoint",
            Self::Prune(_) => "prune",
            Self::Doctor(_) => "doctor",
            Self::Capture(_) => "capture",
            #[cfg(feature = "tui")]
            Self::Screen(_) => "screen",
            Self::Journal(_) => "journal",
            Self::Check(_) => "check",
            Self::Config(_) => "config",
            Self::Serve(_) => "serve",
            #[cfg(feature = "engine")]
            Self::DemoApp { .. } => "demo-app",
            Self::Completion { .. } => "completion",
        }
    }
}

/// The program: arguments, the verb or the app, the exit code (0 done, 1 failed, 2 wrong usage, or what a command in a
/// container exited with).
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    #[cfg(feature = "engine")]
    if let Some(Verb::DemoApp { role }) = &cli.verb {
        return crate::demo::app_main(role);
    }
    let app = cli.verb.is_none();
    if !app {
        speak(cli.globals.debug, matches!(cli.verb, Some(Verb::Serve(_))));
    }
    let mut out = Out::process();
    let result = workers().and_then(|workers| {
        let result = workers.block_on(perform(cli, &mut out));
        // A verb waits for nothing that is left: a read of the terminal cannot be called off.
        workers.shutdown_timeout(if app { Duration::from_secs(2) } else { Duration::ZERO });
        result
    });
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) if output::reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // With no place left to report to, the code is all there is.
            let _nowhere = report::failure(&mut out, &error);
            ExitCode::from(report::FAILED)
        }
    }
}

fn workers() -> Result<tokio::runtime::Runtime> {
    // glibc gives threads heaps of their own, up to eight a processor, and what is freed in one no other can use.
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes two integers, and there is no other thread yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|e| Error::new(Kind::Internal, "start worker threads").with_source(e))
}

/// What the parts below say goes to stderr. The app's screen is not for it.
fn speak(debug: bool, daemon: bool) {
    let level = match (debug, daemon) {
        (true, _) => tracing::Level::DEBUG,
        (false, true) => tracing::Level::INFO,
        (false, false) => tracing::Level::WARN,
    };
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(colours).with_writer(std::io::stderr).finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("somebody listens to the log already");
    }
}

/// What the node's or the person's settings forbid is forbidden to every verb, in the transport. Settings that cannot be read
/// are the app's to complain of, and a word on the log.
fn with_settings(mut globals: Globals) -> Globals {
    let (forbidden, broken) = app::read_only(&app::places(|name| std::env::var_os(name).map(Into::into)));
    globals.read_only |= forbidden;
    for error in broken {
        tracing::warn!("settings not used: {error:#}");
    }
    globals
}

/// Does what was asked; the exit code.
pub async fn perform(cli: Cli, out: &mut Out) -> Result<u8> {
    let cli = Cli { globals: with_settings(cli.globals), ..cli };
    let Some(verb) = cli.verb else { return app(&cli.globals, out).await };
    let name = verb.name();
    let done = async {
        match verb {
            Verb::Completion { shell } => {
                let mut text = Vec::new();
                clap_complete::generate(shell, &mut Cli::command(), "wharf", &mut text);
                out.bytes(&text).map(|()| 0)
            }
            Verb::Config(args) => settings::config(&cli.globals, out, args),
            Verb::Serve(options) => backend::serve(&options).await.map(|()| 0),
            // Also where no runtime answers.
            Verb::Doctor(args) => doctor::doctor(&cli.globals, out, args).boxed_local().await,
            Verb::Capture(args) => capture::capture(&cli.globals, out, args).boxed_local().await,
            #[cfg(feature = "tui")]
            Verb::Screen(args) => capture::screen::screen(&cli.globals, out, args).boxed_local().await,
            Verb::Journal(args) => journal::journal(out, &args),
            Verb::Check(args) => check::check(&cli.globals, out, args).await,
            verb => {
                // Heard from here on, so that whoever ends a verb of the demo ends the demo in good order too.
                let signal = cli.globals.demo.then(|| tokio::spawn(backend::ended()));
                let backend = Backend::connect(&cli.globals).boxed_local().await?;
                let ended = async {
                    match signal {
                        Some(signal) => signal.await.ok().and_then(Result::ok).unwrap_or(report::FAILED),
                        None => std::future::pending().await,
                    }
                };
                let done = tokio::select! {
                    done = over(&backend, out, verb) => done,
                    code = ended => Ok(code),
                };
                backend.close(done).await
            }
        }
    };
    done.await.map_err(|e: Error| e.context(name))
}

/// Boxed, so that one verb's state does not take the room of the largest.
fn over<'a>(backend: &'a Backend, out: &'a mut Out, verb: Verb) -> LocalBoxFuture<'a, Result<u8>> {
    match verb {
        Verb::Pods(args) => pods::pods(backend, out, args).boxed_local(),
        Verb::Ps(args) => containers::ps(backend, out, args).boxed_local(),
        Verb::Images(args) => images::images(backend, out, args).boxed_local(),
        Verb::Inspect(args) => containers::inspect(backend, out, args).boxed_local(),
        Verb::Inspectp(args) => pods::inspectp(backend, out, args).boxed_local(),
        Verb::Inspecti(args) => images::inspecti(backend, out, args).boxed_local(),
        Verb::Pull(args) => pull::pull(backend, out, args).boxed_local(),
        Verb::Run(args) => run::run(backend, out, *args).boxed_local(),
        Verb::Runp(args) => pods::runp(backend, out, args).boxed_local(),
        Verb::Create(args) => containers::create(backend, out, args).boxed_local(),
        Verb::Start(args) => containers::start(backend, out, args).boxed_local(),
        Verb::Stop(args) => containers::stop(backend, out, args).boxed_local(),
        Verb::Stopp(args) => pods::stopp(backend, out, args).boxed_local(),
        Verb::Rm(args) => containers::rm(backend, out, args).boxed_local(),
        Verb::Rmp(args) => pods::rmp(backend, out, args).boxed_local(),
        Verb::Rmi(args) => images::rmi(backend, out, args).boxed_local(),
        Verb::Logs(args) => logs::logs(backend, out, args).boxed_local(),
        Verb::Exec(args) => exec::exec(backend, out, args).boxed_local(),
        Verb::Cp(args) => cp::cp(backend, out, args).boxed_local(),
        Verb::Attach(args) => exec::attach(backend, out, args).boxed_local(),
        Verb::PortForward(args) => forward::port_forward(backend, out, args).boxed_local(),
        Verb::Stats(args) => stats::stats(backend, out, args).boxed_local(),
        Verb::Statsp(args) => stats::statsp(backend, out, args).boxed_local(),
        Verb::Metricsp(args) => stats::metricsp(backend, out, args).boxed_local(),
        Verb::Metricdescs(args) => stats::metricdescs(backend, out, args).boxed_local(),
        Verb::Events(args) => runtime::events(backend, out, args).boxed_local(),
        Verb::Info(args) => runtime::info(backend, out, args).boxed_local(),
        Verb::Version => runtime::version(backend, out).boxed_local(),
        Verb::Imagefsinfo(args) => images::imagefsinfo(backend, out, args).boxed_local(),
        Verb::RuntimeConfig(args) => runtime::runtime_config(backend, out, args).boxed_local(),
        Verb::UpdateRuntimeConfig(args) => runtime::update_runtime_config(backend, out, args).boxed_local(),
        Verb::Update(args) => containers::update(backend, out, args).boxed_local(),
        Verb::Checkpoint(args) => containers::checkpoint(backend, out, args).boxed_local(),
        Verb::Prune(args) => prune::prune(backend, out, args).boxed_local(),
        #[cfg(feature = "engine")]
        Verb::DemoApp { .. } => async { bail!(Internal, "this verb needs no runtime") }.boxed_local(),
        #[cfg(feature = "tui")]
        Verb::Screen(_) => async { bail!(Internal, "this verb needs no runtime") }.boxed_local(),
        Verb::Config(_)
        | Verb::Serve(_)
        | Verb::Doctor(_)
        | Verb::Capture(_)
        | Verb::Journal(_)
        | Verb::Check(_)
        | Verb::Completion { .. } => async { bail!(Internal, "this verb needs no runtime") }.boxed_local(),
    }
}

/// The app on the runtime that was found.
#[cfg(feature = "tui")]
async fn app(globals: &Globals, out: &mut Out) -> Result<u8> {
    backend::may_start(globals)?;
    if let Err(error) = crate::tui::usable() {
        out.remark(&format!("wharf: {error}; without one: wharf pods, wharf ps -o json, and more in wharf --help"))?;
        return Ok(2);
    }
    if let Some(path) = &globals.replay {
        let (runtime, replay) = capture::screen::opened(path)?;
        let options = crate::tui::Options { read_only: true, notes: None, replay: Some(replay) };
        return crate::tui::run(runtime, options).await;
    }
    // Heard from here on: whoever ends the app while a demo comes up ends the demo in good order too.
    let early = tokio::spawn(backend::ended());
    let (send, notes) = tokio::sync::mpsc::unbounded_channel();
    let tell = std::sync::Arc::new(move |note| drop(send.send(note)));
    let (runtime, backend) = Backend::shown(globals, tell).await?;
    let options = crate::tui::Options { read_only: globals.read_only, notes: Some(notes), replay: None };
    let done = tokio::select! {
        biased;
        code = early => code.unwrap_or_else(|e| Err(Error::new(Kind::Internal, "listening for signals died").with_source(e))),
        done = crate::tui::run(runtime, options) => done,
    };
    match backend {
        Some(backend) => backend.close(done).await,
        None => done,
    }
}

/// Without the app: what there is.
#[cfg(not(feature = "tui"))]
async fn app(_globals: &Globals, out: &mut Out) -> Result<u8> {
    out.error_bytes(Cli::command().render_help().to_string().as_bytes())?;
    Ok(2)
}
