//! `pods`, `inspectp`, `runp`, `stopp`, `rmp`.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::Args;

use super::{
    backend::Backend,
    config,
    figures::{ago, parse_span},
    filter::{self, Select},
    output::{Format, Out, Table, short_id},
    report, status,
};
use crate::{bail, error::Result, proto::cri};

#[derive(Debug, Args)]
pub struct Pods {
    /// Only ids that begin so
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    select: Select,
    /// Whole ids
    #[arg(long)]
    no_trunc: bool,
    #[arg(short, long, default_value = "table")]
    output: Format,
    /// Only ids
    #[arg(short, long)]
    quiet: bool,
    /// Labels and annotations too
    #[arg(short, long)]
    verbose: bool,
}

fn state_name(pod: &cri::PodSandbox) -> &'static str {
    if pod.state() == cri::PodSandboxState::SandboxReady { "Ready" } else { "NotReady" }
}

/// An empty handler is the runtime's default one.
fn handler(pod: &cri::PodSandbox) -> String {
    if pod.runtime_handler.is_empty() { "(default)".to_owned() } else { pod.runtime_handler.clone() }
}

pub async fn pods(backend: &Backend, out: &mut Out, args: Pods) -> Result<u8> {
    let items = filter::pods(backend, args.id.as_deref(), &args.select).await?;
    if args.output != Format::Table {
        out.message(&cri::ListPodSandboxResponse { items }, args.output)?;
        return Ok(0);
    }
    let now = SystemTime::now();
    let mut table = Table::new(&["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"]);
    for pod in &items {
        let metadata = pod.metadata.clone().unwrap_or_default();
        let created = ago(now, pod.created_at);
        if args.quiet {
            out.line(&pod.id)?;
        } else if args.verbose {
            out.line(&format!("ID: {}", pod.id))?;
            for (what, text) in [("Name", &metadata.name), ("UID", &metadata.uid), ("Namespace", &metadata.namespace)] {
                if !text.is_empty() {
                    out.line(&format!("{what}: {text}"))?;
                }
            }
            out.line(&format!("Attempt: {}", metadata.attempt))?;
            out.line(&format!("Status: {}", state_name(pod)))?;
            out.line(&format!("Created: {created}"))?;
            status::map(out, "Labels", &pod.labels)?;
            status::map(out, "Annotations", &pod.annotations)?;
            out.line(&format!("Runtime: {}", handler(pod)))?;
            out.line("")?;
        } else {
            let id = if args.no_trunc { &pod.id } else { short_id(&pod.id) };
            let attempt = metadata.attempt.to_string();
            let state = state_name(pod).to_owned();
            table.row([id.to_owned(), created, state, metadata.name, metadata.namespace, attempt, handler(pod)]);
        }
    }
    if !args.quiet && !args.verbose {
        out.table(&table)?;
    }
    Ok(0)
}

#[derive(Debug, Args)]
pub struct Inspectp {
    #[arg(value_name = "POD-ID")]
    ids: Vec<String>,
    #[command(flatten)]
    select: Select,
    #[arg(short, long, default_value = "json")]
    output: Format,
    /// Without what the runtime adds to the status
    #[arg(short, long)]
    quiet: bool,
}

async fn pod_status(backend: &Backend, id: &str, verbose: bool) -> Result<cri::PodSandboxStatusResponse> {
    let request = cri::PodSandboxStatusRequest { pod_sandbox_id: id.to_owned(), verbose };
    backend.ask(&format!("inspect pod {id}"), backend.pods().pod_sandbox_status(request)).await
}

pub async fn inspectp(backend: &Backend, out: &mut Out, args: Inspectp) -> Result<u8> {
    let ids = if args.ids.is_empty() {
        filter::pods(backend, None, &args.select).await?.into_iter().map(|p| p.id).collect()
    } else {
        args.ids
    };
    if ids.is_empty() {
        bail!(NotFound, "no pod matches");
    }
    let mut shapes = Vec::new();
    for id in &ids {
        let id = filter::pod_id(backend, id).await?;
        let answer = pod_status(backend, &id, !args.quiet).await?;
        let Some(pod) = answer.status else { bail!(NotFound, "there is no pod {id}") };
        if args.output != Format::Table {
            shapes.push(status::shape(status::pod(&pod)?, &answer.info));
            continue;
        }
        let metadata = pod.metadata.clone().unwrap_or_default();
        out.line(&format!("ID: {}", pod.id))?;
        out.line(&format!("Name: {}", metadata.name))?;
        out.line(&format!("UID: {}", metadata.uid))?;
        out.line(&format!("Namespace: {}", metadata.namespace))?;
        out.line(&format!("Attempt: {}", metadata.attempt))?;
        out.line(&format!("Status: {}", pod.state().as_str_name()))?;
        out.line(&format!("Created: {}", status::pod(&pod)?["createdAt"].as_str().unwrap_or_default()))?;
        let network = pod.network.unwrap_or_default();
        out.line(&format!("IP Addresses: {}", network.ip))?;
        for ip in network.additional_ips {
            out.line(&format!("Additional IP: {}", ip.ip))?;
        }
        status::map(out, "Labels", &pod.labels)?;
        status::map(out, "Annotations", &pod.annotations)?;
    }
    status::write(out, shapes, args.output)?;
    Ok(0)
}

#[derive(Debug, Args)]
pub struct Runp {
    #[arg(value_name = "POD-CONFIG.[JSON|YAML]")]
    config: PathBuf,
    /// Handler of the container runtime
    #[arg(short, long, default_value = "", hide_default_value = true)]
    runtime: String,
    /// How long to wait for the pod
    #[arg(short = 'T', long, value_parser = parse_span, value_name = "SPAN")]
    cancel_timeout: Option<Duration>,
}

/// What a pod may take to start: its image, its network.
const START: Duration = Duration::from_secs(240);

/// Makes a pod; its id.
pub async fn run(
    backend: &Backend,
    config: cri::PodSandboxConfig,
    handler: &str,
    limit: Option<Duration>,
) -> Result<String> {
    let name = config.metadata.clone().unwrap_or_default().name;
    let request = cri::RunPodSandboxRequest { config: Some(config), runtime_handler: handler.to_owned() };
    let what = format!("run pod {name}");
    let mut pods = backend.pods();
    let call = backend.change(START, &what, pods.run_pod_sandbox(request));
    Ok(report::within(limit, &what, call).await?.pod_sandbox_id)
}

pub async fn runp(backend: &Backend, out: &mut Out, args: Runp) -> Result<u8> {
    let config = config::pod(&args.config)?;
    let id = run(backend, config, &args.runtime, args.cancel_timeout).await?;
    out.line(&id)?;
    Ok(0)
}

#[derive(Debug, Args)]
pub struct Stopp {
    #[arg(value_name = "POD-ID", required = true)]
    ids: Vec<String>,
}

/// Stops a pod and all that is in it.
pub async fn stop(backend: &Backend, id: &str) -> Result<()> {
    let request = cri::StopPodSandboxRequest { pod_sandbox_id: id.to_owned() };
    backend.change(START, &format!("stop pod {id}"), backend.pods().stop_pod_sandbox(request)).await.map(drop)
}

pub async fn remove(backend: &Backend, id: &str) -> Result<()> {
    let request = cri::RemovePodSandboxRequest { pod_sandbox_id: id.to_owned() };
    backend.change(START, &format!("remove pod {id}"), backend.pods().remove_pod_sandbox(request)).await.map(drop)
}

pub async fn stopp(backend: &Backend, out: &mut Out, args: Stopp) -> Result<u8> {
    report::each(out, &args.ids, async |given| {
        stop(backend, &filter::pod_id(backend, given).await?).await?;
        Ok(format!("Stopped sandbox {given}"))
    })
    .await
}

#[derive(Debug, Args)]
pub struct Rmp {
    #[arg(value_name = "POD-ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// All pods
    #[arg(short, long, conflicts_with = "ids")]
    all: bool,
    /// Stop it first if it runs
    #[arg(short, long)]
    force: bool,
}

pub async fn rmp(backend: &Backend, out: &mut Out, args: Rmp) -> Result<u8> {
    let ids = if args.all {
        filter::pods(backend, None, &Select::default()).await?.into_iter().map(|p| p.id).collect()
    } else {
        args.ids
    };
    report::each(out, &ids, async |given| {
        let id = filter::pod_id(backend, given).await?;
        let pod = pod_status(backend, &id, false).await?.status.unwrap_or_default();
        if pod.state() == cri::PodSandboxState::SandboxReady {
            if !args.force {
                bail!(FailedPrecondition, "remove pod {given}: it is running; stop it first, or say -f");
            }
            stop(backend, &id).await?;
        }
        remove(backend, &id).await?;
        Ok(format!("Removed sandbox {given}"))
    })
    .await
}
