//! `prune` and `rmi --prune`: the same plan the app shows, then its steps.

use std::{
    io::{BufRead, IsTerminal, Write},
    time::{Duration, SystemTime},
};

use clap::{Args, ValueEnum};

use super::{
    backend::{Backend, journal},
    figures::{parse_span, size},
    output::{Format, Out, Table, clean, short_id},
    report,
};
use crate::{
    bail,
    client::{
        self,
        action::{self, Action, Plan, Step},
        audit::Intent,
        types::{ObjectRef, Scope},
    },
    error::{Error, Kind, Result},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Images,
    Containers,
    All,
}

#[derive(Debug, Args)]
pub struct Prune {
    #[arg(default_value = "all")]
    what: What,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Containers that exited less than this ago stay
    #[arg(long, default_value = "0", value_parser = parse_span, value_name = "SPAN", hide_default_value = true)]
    older_than: Duration,
    #[arg(short, long, default_value = "table")]
    output: Format,
}

async fn plan(backend: &Backend, action: &Action) -> Result<Plan> {
    let scope = Scope { pods: true, images: true, stats: true, ..Scope::default() };
    let seen = backend.runtime().inventory(scope).await;
    action::plan(action, &seen, SystemTime::now()).map_err(|e| e.context("plan what to remove"))
}

pub async fn prune(backend: &Backend, out: &mut Out, args: Prune) -> Result<u8> {
    let action = Action::Prune {
        images: args.what != What::Containers,
        containers: args.what != What::Images,
        older_than: args.older_than,
    };
    let plan = plan(backend, &action).await?;
    if args.output != Format::Table {
        let value = serde_json::to_value(&plan)
            .map_err(|e| Error::new(Kind::Internal, "write the plan as JSON").with_source(e))?;
        out.value(&value, args.output)?;
    } else {
        show(out, &plan)?;
    }
    if args.dry_run || plan.steps.is_empty() {
        return Ok(0);
    }
    backend.may_change("prune")?;
    if !args.yes && !agreed(plan.steps.len())? {
        out.remark("nothing was removed")?;
        return Ok(report::FAILED);
    }
    let quiet = args.output != Format::Table;
    apply(backend, out, &plan, quiet).await
}

/// Removes what no container uses, as `rmi --prune` says it.
pub async fn images(backend: &Backend, out: &mut Out) -> Result<u8> {
    backend.may_change("remove unused images")?;
    let action = Action::Prune { images: true, containers: false, older_than: Duration::ZERO };
    let plan = plan(backend, &action).await?;
    if plan.steps.is_empty() {
        out.remark("no images to remove")?;
    }
    apply(backend, out, &plan, false).await
}

fn show(out: &mut Out, plan: &Plan) -> Result<()> {
    if plan.steps.is_empty() {
        out.line("Nothing to remove.")?;
    } else {
        let mut table = Table::new(&["REMOVE", "ID", "NAME", "SIZE", "WHY"]);
        for step in &plan.steps {
            let (kind, id) = object(&step.step);
            let frees = if step.frees == 0 { "-".to_owned() } else { size(step.frees, 3) };
            table.row([kind.to_owned(), short_id(id).to_owned(), step.what.clone(), frees, step.reason.clone()]);
        }
        out.table(&table)?;
    }
    if !plan.keeps.is_empty() {
        let mut table = Table::new(&["KEEP", "ID", "NAME", "WHY"]);
        for kept in &plan.keeps {
            let (kind, id) = match &kept.object {
                ObjectRef::Pod(id) => ("pod", id),
                ObjectRef::Container(id) => ("container", id),
                ObjectRef::Image(id) => ("image", id),
                ObjectRef::Snapshot { key, .. } => ("snapshot", key),
            };
            table.row([kind.to_owned(), short_id(id).to_owned(), kept.what.clone(), kept.why.clone()]);
        }
        out.line("")?;
        out.table(&table)?;
    }
    out.line("")?;
    out.line(&format!(
        "{} to remove, {} kept, about {} freed",
        plan.steps.len(),
        plan.keeps.len(),
        size(plan.frees(), 3)
    ))
}

fn object(step: &Step) -> (&'static str, &str) {
    match step {
        Step::StopPod(id) => ("stop pod", id),
        Step::RemovePod(id) => ("pod", id),
        Step::StopContainer(id, _) => ("stop container", id),
        Step::RemoveContainer(id) => ("container", id),
        Step::PullImage(id) => ("pull image", id),
        Step::RemoveImage(id) => ("image", id),
        Step::Restart { container, .. } => ("restart", container),
        Step::RunPod(launch) => ("run pod", &launch.name),
        Step::CreateContainer(launch) => ("create container", &launch.name),
        Step::StartContainer(launch) => ("start container", &launch.name),
        Step::TagImage { image, .. } => ("tag", image),
        Step::PinImage { image, .. } => ("pin", image),
        Step::Collect => ("garbage", ""),
        Step::Change(_) => ("change", ""),
    }
}

fn agreed(steps: usize) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!(InvalidArgument, "prune: there is nobody to ask; say --yes, or --dry-run to only look");
    }
    let mut errors = std::io::stderr();
    let mut answer = String::new();
    write!(errors, "Remove {steps}? [y/N] ")
        .and_then(|()| errors.flush())
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
        .map_err(|e| Error::new(Kind::Unavailable, "ask whether to go on").with_source(e))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Each step by itself: one that fails does not keep the others from their turn.
async fn apply(backend: &Backend, out: &mut Out, plan: &Plan, quiet: bool) -> Result<u8> {
    let (mut code, mut freed, mut done) = (0, 0_u64, 0);
    let steps: Vec<Step> = plan.steps.iter().map(|planned| planned.step.clone()).collect();
    let outdated = client::outdated(backend.runtime().as_ref(), &steps).await;
    for (planned, outdated) in plan.steps.iter().zip(outdated) {
        let runtime = match planned.step {
            Step::RemoveImage(_) | Step::PullImage(_) => backend.image_runtime(),
            _ => backend.runtime(),
        };
        let (kind, _) = object(&planned.step);
        let begun = match outdated {
            Some(why) => Err(Error::new(Kind::FailedPrecondition, format!("not done: {why}"))),
            None => Intent::of(&planned.step).begin(runtime.info()).await,
        };
        let gone = match begun {
            Ok(begun) => {
                let gone = runtime.apply(&planned.step).await;
                journal(begun, &gone).await;
                gone
            }
            Err(error) => Err(error),
        };
        match gone {
            Ok(_) => {
                freed += planned.frees;
                done += 1;
                if !quiet {
                    out.line(&format!("Deleted: {}", planned.what))?;
                }
            }
            Err(error) => {
                report::failure(out, &error.context(format!("remove {kind} {}", clean(&planned.what))))?;
                code = report::FAILED;
            }
        }
    }
    if !quiet && done > 0 {
        out.line(&format!("{done} removed, about {} freed", size(freed, 3)))?;
    }
    Ok(code)
}
