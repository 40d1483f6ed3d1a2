//! `check`: is what wharf's own engine keeps on disk whole? And `--repair`.

use clap::Args;

use super::{
    backend::Globals,
    output::{Format, Out},
};
use crate::error::Result;

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Read every blob and every file of every layer
    #[arg(long)]
    deep: bool,
    /// Remove what nothing explains; unpack or pull again what is damaged
    #[arg(long)]
    repair: bool,
    #[arg(short, long, default_value = "table")]
    output: Format,
}

/// Exit code 0 if nothing is lost, 1 if something is.
pub async fn check(globals: &Globals, out: &mut Out, args: Check) -> Result<u8> {
    inside::check(globals, out, args).await
}

#[cfg(feature = "engine")]
mod inside {
    //! With an engine inside.

    use std::path::Path;

    use super::{Check, Format, Globals, Out};
    use crate::{
        bail,
        cli::{
            output::{Table, clean, to_value},
            report,
        },
        engine::{
            Config,
            check::{self, Level, Report},
        },
        error::{Error, Kind, Result},
    };

    pub async fn check(globals: &Globals, out: &mut Out, args: Check) -> Result<u8> {
        let root = globals.root.as_deref().unwrap_or(Path::new("/var/lib/wharf"));
        let state = globals.state.as_deref().unwrap_or(Path::new("/run/wharf"));
        let config = Config::new(root, state);
        if args.repair {
            if globals.read_only {
                bail!(PermissionDenied, "--repair: --read-only allows no change");
            }
            let done = check::repair(&config, args.deep).await?;
            if args.output == Format::Table {
                show(out, &done.before)?;
                for name in &done.healed {
                    out.line(&format!("Repaired: {}", clean(name)))?;
                }
                for (name, why) in &done.failed {
                    out.line(&format!("Not repaired, to be pulled again: {}: {}", clean(name), clean(why)))?;
                }
                out.line("After the repair:")?;
                show(out, &done.after)?;
            } else {
                out.value(&to_value(&done)?, args.output)?;
            }
            return Ok(if done.after.damaged() { report::FAILED } else { 0 });
        }
        let deep = args.deep;
        let found = tokio::task::spawn_blocking(move || check::check(&config, deep))
            .await
            .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "the check died").with_source(e)))?;
        if args.output == Format::Table {
            show(out, &found)?;
        } else {
            out.value(&to_value(&found)?, args.output)?;
        }
        Ok(if found.damaged() { report::FAILED } else { 0 })
    }

    fn show(out: &mut Out, found: &Report) -> Result<()> {
        if !found.findings.is_empty() {
            let mut table = Table::new(&["RULE", "LEVEL", "OBJECT", "PROBLEM"]);
            for finding in &found.findings {
                let level = if finding.level == Level::Damage { "damage" } else { "pending" };
                let mut problem = finding.problem.clone();
                for (what, ids) in [("images", &finding.images), ("containers", &finding.containers)] {
                    if !ids.is_empty() {
                        problem += &format!("; {what}: {}", ids.join(", "));
                    }
                }
                table.row([finding.rule.to_owned(), level.to_owned(), clean(&finding.object), clean(&problem)]);
            }
            out.table(&table)?;
            out.line("")?;
        }
        let damaged = found.findings.iter().filter(|f| f.level == Level::Damage).count();
        let pending = found.findings.len() - damaged;
        let unread = if found.unmeasured > 0 {
            format!(" ({} cannot be compared: they have no tree digest)", found.unmeasured)
        } else {
            String::new()
        };
        out.line(&format!(
            "{} blobs, {} layers{unread}, {} images, {} records: {damaged} damaged, {pending} to be put right by the next start",
            found.blobs, found.layers, found.images, found.records
        ))
    }
}

#[cfg(not(feature = "engine"))]
mod inside {
    //! Without one there is nothing of ours to check.

    use super::{Check, Globals, Out};
    use crate::{bail, error::Result};

    pub async fn check(_: &Globals, _: &mut Out, _: Check) -> Result<u8> {
        bail!(Unimplemented, "this build of wharf has no runtime inside: there is nothing of its own to check")
    }
}
