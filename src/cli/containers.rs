//! `ps`, `inspect`, `create`, `start`, `stop`, `rm`, `update`, `checkpoint`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::Args;

use super::{
    backend::Backend,
    config,
    figures::{ago, parse_span},
    filter::{self, ContainerSelect, POD_NAME, POD_NAMESPACE, of_label},
    images::{self, PullFlags},
    output::{Format, Out, Table, short_id},
    report, status,
};
use crate::{
    bail,
    error::{Context, Error, Result},
    proto::cri,
};

#[derive(Debug, Args)]
pub struct Ps {
    #[command(flatten)]
    by: ContainerSelect,
    /// Only ids that begin so
    #[arg(long)]
    id: Option<String>,
    /// Whole ids
    #[arg(long)]
    no_trunc: bool,
    #[arg(short, long, default_value = "table")]
    output: Format,
    /// Only ids
    #[arg(short, long)]
    quiet: bool,
    /// The image's name instead of its id
    #[arg(short, long)]
    resolve_image_path: bool,
    /// Labels and annotations too
    #[arg(short, long)]
    verbose: bool,
}

fn state_name(state: cri::ContainerState) -> &'static str {
    match state {
        cri::ContainerState::ContainerCreated => "Created",
        cri::ContainerState::ContainerRunning => "Running",
        cri::ContainerState::ContainerExited => "Exited",
        cri::ContainerState::ContainerUnknown => "Unknown",
    }
}

pub async fn ps(backend: &Backend, out: &mut Out, args: Ps) -> Result<u8> {
    let containers = filter::containers(backend, args.id.as_deref(), &args.by).await?;
    if args.output != Format::Table {
        out.message(&cri::ListContainersResponse { containers }, args.output)?;
        return Ok(0);
    }
    let now = SystemTime::now();
    let mut table =
        Table::new(&["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"]);
    for container in &containers {
        if args.quiet {
            out.line(&container.id)?;
        } else if args.verbose {
            describe(out, container, now)?;
        } else {
            let mut image = container.image.as_ref().map_or("", |i| &i.image).to_owned();
            if args.resolve_image_path {
                let found = filter::image(backend, &image, false).await?.image.unwrap_or_default();
                image = found.repo_tags.into_iter().next().unwrap_or(image);
            } else if !args.no_trunc && image.starts_with("sha256:") {
                image = short_id(&image).to_owned();
            }
            let short = |id: &str| if args.no_trunc { id.to_owned() } else { short_id(id).to_owned() };
            let metadata = container.metadata.clone().unwrap_or_default();
            table.row([
                short(&container.id),
                image,
                ago(now, container.created_at),
                state_name(container.state()).to_owned(),
                metadata.name,
                metadata.attempt.to_string(),
                short(&container.pod_sandbox_id),
                of_label(&container.labels, POD_NAME).to_owned(),
                of_label(&container.labels, POD_NAMESPACE).to_owned(),
            ]);
        }
    }
    if !args.quiet && !args.verbose {
        out.table(&table)?;
    }
    Ok(0)
}

fn describe(out: &mut Out, container: &cri::Container, now: SystemTime) -> Result<()> {
    let metadata = container.metadata.clone().unwrap_or_default();
    out.line(&format!("ID: {}", container.id))?;
    out.line(&format!("PodID: {}", container.pod_sandbox_id))?;
    out.line(&format!("Namespace: {}", of_label(&container.labels, POD_NAMESPACE)))?;
    out.line(&format!("Name: {}", metadata.name))?;
    out.line(&format!("Attempt: {}", metadata.attempt))?;
    out.line(&format!("State: {}", state_name(container.state())))?;
    out.line(&format!("Image: {}", container.image.as_ref().map_or("", |i| &i.image)))?;
    out.line(&format!("Created: {}", ago(now, container.created_at)))?;
    status::map(out, "Labels", &container.labels)?;
    status::map(out, "Annotations", &container.annotations)?;
    out.line("")
}

#[derive(Debug, Args)]
pub struct Inspect {
    #[arg(value_name = "CONTAINER-ID")]
    ids: Vec<String>,
    #[command(flatten)]
    by: ContainerSelect,
    #[arg(short, long, default_value = "json")]
    output: Format,
    /// Without what the runtime adds to the status
    #[arg(short, long)]
    quiet: bool,
}

/// What the runtime says about one container. `id` is a whole id.
pub async fn container_status(backend: &Backend, id: &str, verbose: bool) -> Result<cri::ContainerStatusResponse> {
    let request = cri::ContainerStatusRequest { container_id: id.to_owned(), verbose };
    backend.ask(&format!("inspect container {id}"), backend.pods().container_status(request)).await
}

pub async fn inspect(backend: &Backend, out: &mut Out, args: Inspect) -> Result<u8> {
    let ids = if args.ids.is_empty() {
        filter::containers(backend, None, &args.by).await?.into_iter().map(|c| c.id).collect()
    } else {
        args.ids
    };
    if ids.is_empty() {
        bail!(NotFound, "no container matches");
    }
    let mut shapes = Vec::new();
    for id in &ids {
        let id = filter::container_id(backend, id).await?;
        let answer = container_status(backend, &id, !args.quiet).await?;
        let Some(container) = answer.status else { bail!(NotFound, "there is no container {id}") };
        if args.output != Format::Table {
            shapes.push(status::shape(status::container(&container)?, &answer.info));
            continue;
        }
        let (now, metadata) = (SystemTime::now(), container.metadata.clone().unwrap_or_default());
        out.line(&format!("ID: {}", container.id))?;
        out.line(&format!("Name: {}", metadata.name))?;
        out.line(&format!("Attempt: {}", metadata.attempt))?;
        out.line(&format!("State: {}", container.state().as_str_name()))?;
        out.line(&format!("Created: {}", ago(now, container.created_at)))?;
        if container.state() != cri::ContainerState::ContainerCreated {
            out.line(&format!("Started: {}", ago(now, container.started_at)))?;
        }
        if container.state() == cri::ContainerState::ContainerExited {
            out.line(&format!("Finished: {}", ago(now, container.finished_at)))?;
            out.line(&format!("Exit Code: {}", container.exit_code))?;
            if !container.reason.is_empty() {
                out.line(&format!("Reason: {} {}", container.reason, container.message))?;
            }
        }
        status::map(out, "Labels", &container.labels)?;
        status::map(out, "Annotations", &container.annotations)?;
    }
    status::write(out, shapes, args.output)?;
    Ok(0)
}

#[derive(Debug, Args)]
pub struct Create {
    #[arg(value_name = "POD-ID")]
    pod: String,
    #[arg(value_name = "CONTAINER-CONFIG.[JSON|YAML]")]
    container: PathBuf,
    #[arg(value_name = "POD-CONFIG.[JSON|YAML]")]
    pod_config: PathBuf,
    #[command(flatten)]
    pull: PullFlags,
    /// How long to wait for the container
    #[arg(short = 'T', long, value_parser = parse_span, value_name = "SPAN")]
    cancel_timeout: Option<Duration>,
}

/// Makes a container in a pod; its id.
pub async fn make(
    backend: &Backend,
    pod: &str,
    config: cri::ContainerConfig,
    sandbox: cri::PodSandboxConfig,
    limit: Option<Duration>,
) -> Result<String> {
    let what = format!("create container {}", config.metadata.as_ref().map_or("", |m| &m.name));
    let request = cri::CreateContainerRequest {
        pod_sandbox_id: pod.to_owned(),
        config: Some(config),
        sandbox_config: Some(sandbox),
    };
    let mut pods = backend.pods();
    let call = backend.change(Duration::ZERO, &what, pods.create_container(request));
    Ok(report::within(limit, &what, call).await?.container_id)
}

pub async fn create(backend: &Backend, out: &mut Out, args: Create) -> Result<u8> {
    let config = config::container(&args.container)?;
    let sandbox = config::pod(&args.pod_config)?;
    let pod = filter::pod_id(backend, &args.pod).await?;
    if args.pull.with_pull {
        images::pull_for(backend, &config, &sandbox, &args.pull).await?;
    }
    let id = make(backend, &pod, config, sandbox, args.cancel_timeout).await?;
    out.line(&id)?;
    Ok(0)
}

#[derive(Debug, Args)]
pub struct Start {
    #[arg(value_name = "CONTAINER-ID", required = true)]
    ids: Vec<String>,
}

pub async fn start_one(backend: &Backend, id: &str) -> Result<()> {
    let request = cri::StartContainerRequest { container_id: id.to_owned() };
    let what = format!("start container {id}");
    backend.change(Duration::ZERO, &what, backend.pods().start_container(request)).await.map(drop)
}

pub async fn start(backend: &Backend, out: &mut Out, args: Start) -> Result<u8> {
    report::each(out, &args.ids, async |given| {
        start_one(backend, &filter::container_id(backend, given).await?).await?;
        Ok(given.to_owned())
    })
    .await
}

#[derive(Debug, Args)]
pub struct Stop {
    #[arg(value_name = "CONTAINER-ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// All running containers
    #[arg(short, long, conflicts_with = "ids")]
    all: bool,
    /// Seconds between SIGTERM and SIGKILL
    #[arg(short, long, default_value_t = 0, value_name = "SECONDS")]
    timeout: u32,
}

pub async fn stop_one(backend: &Backend, id: &str, grace: Duration) -> Result<()> {
    let timeout = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
    let request = cri::StopContainerRequest { container_id: id.to_owned(), timeout };
    backend.change(grace, &format!("stop container {id}"), backend.pods().stop_container(request)).await.map(drop)
}

pub async fn stop(backend: &Backend, out: &mut Out, args: Stop) -> Result<u8> {
    let ids = if args.all {
        filter::containers(backend, None, &ContainerSelect::default()).await?.into_iter().map(|c| c.id).collect()
    } else {
        args.ids
    };
    let grace = Duration::from_secs(args.timeout.into());
    report::each(out, &ids, async |given| {
        stop_one(backend, &filter::container_id(backend, given).await?, grace).await?;
        Ok(given.to_owned())
    })
    .await
}

#[derive(Debug, Args)]
pub struct Rm {
    #[arg(value_name = "CONTAINER-ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// All containers, in any state
    #[arg(short, long, conflicts_with = "ids")]
    all: bool,
    /// Stop it first if it runs
    #[arg(short, long)]
    force: bool,
    /// Leave the log files
    #[arg(short, long)]
    keep_logs: bool,
}

pub async fn rm(backend: &Backend, out: &mut Out, args: Rm) -> Result<u8> {
    let ids = if args.all {
        let all = ContainerSelect { all: true, ..Default::default() };
        filter::containers(backend, None, &all).await?.into_iter().map(|c| c.id).collect()
    } else {
        args.ids
    };
    report::each(out, &ids, async |given| {
        let id = filter::container_id(backend, given).await?;
        let status = container_status(backend, &id, false).await?.status.unwrap_or_default();
        if status.state() == cri::ContainerState::ContainerRunning {
            if !args.force {
                bail!(FailedPrecondition, "remove container {given}: it is running; stop it first, or say -f");
            }
            stop_one(backend, &id, Duration::ZERO).await?;
        }
        let request = cri::RemoveContainerRequest { container_id: id.clone() };
        let what = format!("remove container {given}");
        backend.change(Duration::ZERO, &what, backend.pods().remove_container(request)).await?;
        if !args.keep_logs && !status.log_path.is_empty() {
            remove_logs(Path::new(&status.log_path)).context(|| format!("remove the log of container {given}"))?;
        }
        Ok(given.to_owned())
    })
    .await
}

/// Removes a log and its rotations: plain files beside it whose names begin with its own.
fn remove_logs(log: &Path) -> Result<()> {
    let (Some(directory), Some(name)) = (log.parent(), log.file_name().and_then(|n| n.to_str())) else { return Ok(()) };
    if !log.is_absolute() || !name.ends_with(".log") {
        return Ok(());
    }
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        // Removing the container may have taken it along.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io("read", directory, e)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("read", directory, e))?;
        let own = entry.file_name().to_str().is_some_and(|n| n == name || n.starts_with(&format!("{name}.")));
        if own && entry.file_type().is_ok_and(|t| t.is_file()) {
            fs::remove_file(entry.path()).map_err(|e| Error::io("remove", entry.path(), e))?;
        }
    }
    Ok(())
}

#[derive(Debug, Args)]
pub struct Update {
    #[arg(value_name = "CONTAINER-ID", required = true)]
    ids: Vec<String>,
    /// Length of a period of CPU time, microseconds; 0 leaves it
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    cpu_period: i64,
    /// CPU time in a period, microseconds; 0 leaves it
    #[arg(long, default_value_t = 0, hide_default_value = true, allow_hyphen_values = true)]
    cpu_quota: i64,
    /// Weight against other containers; 0 leaves it
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    cpu_share: i64,
    /// CPUs it may use
    #[arg(long, default_value = "", hide_default_value = true)]
    cpuset_cpus: String,
    /// Memory nodes it may use
    #[arg(long, default_value = "", hide_default_value = true)]
    cpuset_mems: String,
    /// Memory limit, bytes (64m, 1g); 0 leaves it
    #[arg(long, default_value = "0", value_parser = super::figures::parse_bytes, hide_default_value = true)]
    memory: i64,
    /// What the kernel's OOM killer adds to its score
    #[arg(long, default_value_t = 0, hide_default_value = true, allow_hyphen_values = true)]
    oom_score_adj: i64,
}

pub async fn update(backend: &Backend, out: &mut Out, args: Update) -> Result<u8> {
    let resources = cri::LinuxContainerResources {
        cpu_period: args.cpu_period,
        cpu_quota: args.cpu_quota,
        cpu_shares: args.cpu_share,
        cpuset_cpus: args.cpuset_cpus,
        cpuset_mems: args.cpuset_mems,
        memory_limit_in_bytes: args.memory,
        oom_score_adj: args.oom_score_adj,
        ..Default::default()
    };
    if resources == cri::LinuxContainerResources::default() {
        bail!(InvalidArgument, "update: say what to change, such as --memory 512m");
    }
    report::each(out, &args.ids, async |given| {
        let container_id = filter::container_id(backend, given).await?;
        let linux = Some(resources.clone());
        let request = cri::UpdateContainerResourcesRequest { container_id, linux, ..Default::default() };
        let what = format!("update container {given}");
        backend.change(Duration::ZERO, &what, backend.pods().update_container_resources(request)).await?;
        Ok(given.to_owned())
    })
    .await
}

#[derive(Debug, Args)]
pub struct Checkpoint {
    #[arg(value_name = "CONTAINER-ID", required = true)]
    ids: Vec<String>,
    /// Archive to write (/path/to/checkpoint.tar)
    #[arg(short, long, default_value = "", hide_default_value = true)]
    export: String,
}

pub async fn checkpoint(backend: &Backend, out: &mut Out, args: Checkpoint) -> Result<u8> {
    report::each(out, &args.ids, async |given| {
        let container_id = filter::container_id(backend, given).await?;
        let request = cri::CheckpointContainerRequest { container_id, location: args.export.clone(), timeout: 0 };
        let what = format!("checkpoint container {given}");
        backend.change(Duration::from_secs(600), &what, backend.pods().checkpoint_container(request)).await?;
        Ok(given.to_owned())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_log_and_its_rotations_go() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["0.log", "0.log.20260101", "0.log.gz", "1.log", "00.log", "passwd"] {
            fs::write(at(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(at("passwd"), at("0.log.link")).unwrap();
        remove_logs(&at("passwd")).unwrap();
        remove_logs(&at("0.log")).unwrap();
        remove_logs(&at("none/0.log")).unwrap();
        let mut left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["0.log.link", "00.log", "1.log", "passwd"]);
    }
}
