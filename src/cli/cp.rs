//! `cp`: files between this machine and a container, as a person knows it from docker and kubectl.

use std::{
    io::{Read, Write, stdin, stdout},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use clap::Args;

use super::{
    backend::{Backend, ended, journal},
    filter,
    output::Out,
};
use crate::{
    bail,
    client::{
        Runtime,
        audit::Intent,
        copy::{self, Progress},
        types::short_id,
    },
    error::{Error, Kind, Result},
};

/// What a signal leaves for putting away.
const PUT_AWAY: Duration = Duration::from_secs(5);

/// One of both is CONTAINER:PATH, the other a path here, or - for a tar archive on the input or output. No program of the container
/// is needed. DIR/. is what is in a directory.
#[derive(Debug, Args)]
pub struct Cp {
    #[arg(value_name = "FROM")]
    from: String,
    #[arg(value_name = "TO")]
    to: String,
    /// Say nothing of what was copied
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Side<'a> {
    Here(&'a str),
    Container(&'a str, &'a str),
}

/// What begins like a path is one here, whatever it has for a colon.
fn side(text: &str) -> Side<'_> {
    match text.split_once(':') {
        Some((container, path)) if !container.is_empty() && !container.contains('/') && !text.starts_with('.') => {
            Side::Container(container, path)
        }
        _ => Side::Here(text),
    }
}

pub async fn cp(backend: &Backend, out: &mut Out, args: Cp) -> Result<u8> {
    let (from, to) = (side(&args.from), side(&args.to));
    let (given, path, here, into) = match (&from, &to) {
        (Side::Container(given, path), Side::Here(here)) => (*given, *path, *here, false),
        (Side::Here(here), Side::Container(given, path)) => (*given, *path, *here, true),
        (Side::Here(_), Side::Here(_)) => bail!(InvalidArgument, "none of both is CONTAINER:PATH"),
        (Side::Container(..), Side::Container(..)) => {
            bail!(InvalidArgument, "both are in containers: copy out of the one first")
        }
    };
    if path.is_empty() || here.is_empty() {
        bail!(InvalidArgument, "a path is missing");
    }
    let what = if into { format!("copy {here} into {given}:{path}") } else { format!("copy {given}:{path} to {here}") };
    if into {
        backend.may_change(&what)?;
    }
    let container = filter::container_id(backend, given).await?;
    let begun = Intent::new(what.replacen(given, short_id(&container), 1)).begin(backend.cri().info()).await?;
    let progress = Arc::new(Progress::default());
    let runtime = backend.runtime();
    let mut work = Box::pin(copied(runtime.as_ref(), &container, (path, here), into, &progress));
    let done = tokio::select! {
        done = &mut work => done,
        code = ended() => {
            // It puts away what is half done; a pipe that gives nothing is not waited for.
            progress.stop.store(true, Ordering::Relaxed);
            let left = tokio::time::timeout(PUT_AWAY, work).await.unwrap_or(Ok(()));
            let done: Result<()> = left.and_then(|()| Err(Error::new(Kind::Cancelled, "called off by a signal")));
            journal(begun, &done).await;
            return code;
        }
    };
    journal(begun, &done).await;
    done.map_err(|e| e.context(what))?;
    let stream = here == "-" && !into;
    if !args.quiet && !stream {
        out.line(&format!("copied {}", progress.told()))?;
    }
    Ok(0)
}

async fn copied(
    runtime: &dyn Runtime,
    container: &str,
    (path, here): (&str, &str),
    into: bool,
    progress: &Arc<Progress>,
) -> Result<()> {
    let root = copy::root(runtime, container, into).await?;
    let (path, here, progress) = (PathBuf::from(path), here.to_owned(), Arc::clone(progress));
    copy::apart(move || match (into, here.as_str()) {
        (true, "-") => copy::into_tar(&root, &mut stdin().lock() as &mut dyn Read, &path, &progress),
        (false, "-") => copy::out_tar(&root, &path, &mut stdout().lock() as &mut dyn Write, &progress),
        (true, here) => copy::into(&root, Path::new(here), &path, &progress),
        (false, here) => copy::out(&root, &path, Path::new(here), &progress),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_side_is_meant() {
        assert_eq!(side("4caebf:/etc/hosts"), Side::Container("4caebf", "/etc/hosts"));
        assert_eq!(side("web:logs"), Side::Container("web", "logs"));
        for here in ["-", "./a:b", "/tmp/a:b", "dir/a:b", ":x", "plain", "../a:b"] {
            assert_eq!(side(here), Side::Here(here));
        }
    }
}
