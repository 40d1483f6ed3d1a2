//! Programs of this machine that a snapshotter needs: found, run, and quoted when they fail.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::{Context, Error, Kind, Result};

/// Besides `PATH`, which a service may lack.
const PLACES: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Of what a program says when it fails.
const WORDS: usize = 2000;

pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let places = path.split(':').chain(PLACES.split(':')).filter(|place| place.starts_with('/'));
    places.map(|place| Path::new(place).join(name)).find(|found| found.is_file())
}

/// Its output.
///
/// # Errors
/// With its words if it fails: `ResourceExhausted` if those are of space, else `Internal`.
pub fn run(command: &mut Command) -> Result<String> {
    let program = Path::new(command.get_program()).display().to_string();
    let command = command.stdin(Stdio::null()).env_clear().env("LC_ALL", "C");
    let done = command.output().context(|| format!("run {program}"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr[done.stderr.len().saturating_sub(WORDS)..]).into_owned();
    let said: Vec<_> = said.lines().map(|line| line.escape_debug().to_string()).collect();
    let full = said.iter().any(|line| line.contains("No space left") || line.contains("out of space"));
    let kind = if full { Kind::ResourceExhausted } else { Kind::Internal };
    Err(Error::new(kind, format!("{program}: {}: {}", done.status, said.join("; "))))
}
