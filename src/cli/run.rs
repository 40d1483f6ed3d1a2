//! `run`: a container in a pod of its own, from crictl's two files or from an image and a few flags. What the flags mean
//! in CRI's words is in `compose`.

use std::{
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use clap::{Args, ValueEnum};
use futures::StreamExt;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    backend::Backend,
    compose::Flags,
    config,
    containers::{container_status, make, start_one, stop_one},
    exec, figures, filter,
    images::{self, PullFlags},
    logs,
    output::Out,
    pods, pull, report,
};
use crate::{
    bail,
    client::{
        compose::{LOGS, compose},
        launch::{make_logs, remove_logs},
        types::{DEFAULT_GRACE, LogOptions},
    },
    error::{Error, Kind, Result},
    proto::cri,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Policy {
    Missing,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub struct Run {
    /// An image; or, with a second file, crictl's container-config.[json|yaml]
    #[arg(value_name = "IMAGE|CONTAINER-CONFIG")]
    target: String,
    /// The command of the container instead of the image's own; or crictl's pod-config.[json|yaml]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND|POD-CONFIG")]
    rest: Vec<String>,
    /// Handler of the container runtime
    #[arg(short, long, default_value = "", hide_default_value = true)]
    runtime: String,
    /// How long to wait for the pod and the container to be made
    #[arg(short = 'T', long, value_parser = figures::parse_span, value_name = "SPAN")]
    cancel_timeout: Option<Duration>,
    #[command(flatten)]
    pull_flags: PullFlags,
    /// When to pull the image
    #[arg(long, default_value = "missing")]
    pull: Policy,
    /// Do not wait for its end
    #[arg(short, long)]
    detach: bool,
    /// Remove the pod when the container ends
    #[arg(long, conflicts_with = "detach")]
    rm: bool,
    /// Where the log files of pods are
    #[arg(long, default_value = LOGS, value_name = "DIR")]
    log_root: PathBuf,
    #[command(flatten)]
    shape: Flags,
}

/// Whether a word is one of crictl's files.
fn is_config(word: &str) -> bool {
    let extension = Path::new(word).extension().and_then(|e| e.to_str());
    matches!(extension, Some("json" | "yaml" | "yml")) && Path::new(word).exists()
}

pub async fn run(backend: &Backend, out: &mut Out, args: Run) -> Result<u8> {
    backend.may_change(&format!("run {}", args.target))?;
    if let [pod] = args.rest.as_slice()
        && is_config(&args.target)
        && is_config(pod)
    {
        return Box::pin(from_files(backend, out, &args, Path::new(pod))).await;
    }
    Box::pin(from_image(backend, out, args)).await
}

/// crictl's way: makes and starts, prints the container's id, leaves both.
async fn from_files(backend: &Backend, out: &mut Out, args: &Run, pod: &Path) -> Result<u8> {
    let container = config::container(Path::new(&args.target))?;
    let pod = config::pod(pod)?;
    if !args.pull_flags.no_pull {
        images::pull_for(backend, &container, &pod, &args.pull_flags).await?;
    }
    let (_, id) = Box::pin(launch(backend, args, pod, container)).await?;
    out.line(&id)?;
    Ok(0)
}

/// Runs the pod, creates and starts the container; their ids. Leaves no pod behind if one of these fails.
async fn launch(
    backend: &Backend,
    args: &Run,
    pod: cri::PodSandboxConfig,
    container: cri::ContainerConfig,
) -> Result<(String, String)> {
    let limit = args.cancel_timeout;
    let sandbox = pods::run(backend, pod.clone(), &args.runtime, limit).await?;
    let started = async {
        let id = make(backend, &sandbox, container, pod, limit).await?;
        start_one(backend, &id).await.map(|()| id)
    };
    match started.await {
        Ok(id) => Ok((sandbox, id)),
        Err(error) => Err(error.and_cleanup(discard(backend, &sandbox).await)),
    }
}

async fn discard(backend: &Backend, sandbox: &str) -> Result<()> {
    pods::stop(backend, sandbox).await?;
    pods::remove(backend, sandbox).await
}

async fn from_image(backend: &Backend, out: &mut Out, mut args: Run) -> Result<u8> {
    if args.shape.interactive && !args.detach {
        bail!(
            Unimplemented,
            "run {}: -i in the foreground; run it with -d, then wharf exec -it ID COMMAND",
            args.target
        );
    }
    if args.rest.first().is_some_and(|w| w == "--") {
        args.rest.remove(0);
    }
    fetch(backend, &args).await?;
    let (pod, container) = compose(&args.target, args.rest.clone(), &args.shape.clone().into(), &args.log_root)?;
    let directory = make_logs(&pod, &container)?;
    let (sandbox, id) = match Box::pin(launch(backend, &args, pod, container)).await {
        Ok(ids) => ids,
        Err(error) => return Err(error.and_cleanup(remove_logs(&directory))),
    };
    if args.detach {
        out.line(&id)?;
        return Ok(0);
    }
    let result = Box::pin(wait(backend, out, &id)).await;
    if !args.rm {
        return result;
    }
    let cleanup = discard(backend, &sandbox).await.and_then(|()| remove_logs(&directory));
    match result {
        Ok(code) => cleanup.map(|()| code),
        Err(error) => Err(error.and_cleanup(cleanup)),
    }
}

async fn fetch(backend: &Backend, args: &Run) -> Result<()> {
    let never = args.pull == Policy::Never || args.pull_flags.no_pull;
    let always = args.pull == Policy::Always || args.pull_flags.with_pull;
    let here = filter::image(backend, &args.target, false).await?.image.is_some();
    if here && !always {
        return Ok(());
    }
    if never {
        if here {
            return Ok(());
        }
        bail!(NotFound, "run {}: the image is not on this node, and it may not be pulled", args.target);
    }
    let login = args.pull_flags.login.read()?;
    pull::with_progress(backend, &args.target, login.as_ref(), args.pull_flags.pull_timeout, false).await.map(drop)
}

/// Between two looks at the state of the container.
const LOOK: Duration = Duration::from_millis(200);

/// Shows what the container writes until it ends; its exit code. The person's Ctrl-C stops it.
async fn wait(backend: &Backend, out: &mut Out, id: &str) -> Result<u8> {
    let failed = |e| Error::new(Kind::Unavailable, "listen for signals").with_source(e);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut lines = pin!(backend.runtime().logs(id, LogOptions { follow: true, tail: None, since: None }));
    let mut look = tokio::time::interval(LOOK);
    let mut open = true;
    loop {
        let ended = tokio::select! {
            line = lines.next(), if open => {
                match line {
                    Some(Ok(line)) => { logs::write(out, &line, false, None)?; }
                    Some(Err(error)) => {
                        open = false;
                        report::failure(out, &error.context(format!("read the log of container {id}")))?;
                    }
                    None => open = false,
                }
                None
            }
            _ = look.tick() => {
                let status = container_status(backend, id, false).await?.status.unwrap_or_default();
                (status.state() == cri::ContainerState::ContainerExited).then_some(status.exit_code)
            }
            _ = interrupt.recv() => Some(stop(backend, id, 130).await?),
            _ = terminate.recv() => Some(stop(backend, id, 143).await?),
        };
        let Some(code) = ended else { continue };
        while open && let Ok(Some(Ok(line))) = tokio::time::timeout(logs::SILENCE, lines.next()).await {
            logs::write(out, &line, false, None)?;
        }
        return Ok(exec::code(code));
    }
}

async fn stop(backend: &Backend, id: &str, code: i32) -> Result<i32> {
    stop_one(backend, id, DEFAULT_GRACE).await.map(|()| code)
}
