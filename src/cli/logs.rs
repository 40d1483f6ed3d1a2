//! `logs`: a container's log, now, later, or of its last life.

use std::{
    pin::pin,
    time::{Duration, SystemTime},
};

use clap::{Args, ValueEnum};
use futures::StreamExt;

use super::{
    backend::Backend,
    containers::container_status,
    figures::parse_time,
    filter::{self, ContainerSelect},
    output::{Out, clean},
};
use crate::{
    bail,
    client::types::{LogLine, LogOptions},
    error::{Kind, Result},
    proto::cri,
};

/// Between two looks whether a container that is followed has ended.
const LOOK: Duration = Duration::from_millis(500);
/// How long a log may stay silent after the end before it counts as read.
pub const SILENCE: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stream {
    Stdout,
    Stderr,
}

#[derive(Debug, Args)]
pub struct Logs {
    #[arg(value_name = "CONTAINER-ID")]
    id: String,
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// Stop after this many bytes; -1 is no limit
    #[arg(long, default_value_t = -1, value_name = "BYTES", allow_negative_numbers = true, hide_default_value = true)]
    limit_bytes: i64,
    /// Of the container's last life in its pod
    #[arg(short, long)]
    previous: bool,
    /// Have the runtime open the log file again
    #[arg(short, long)]
    reopen: bool,
    /// From a time (2013-01-02T13:23:37Z) or a span ago (42m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only this one
    #[arg(short, long)]
    stream: Option<Stream>,
    /// Only the last N lines; -1 is all
    #[arg(long, default_value_t = -1, value_name = "N", allow_negative_numbers = true, hide_default_value = true)]
    tail: i64,
    /// With their times
    #[arg(short, long)]
    timestamps: bool,
}

pub async fn logs(backend: &Backend, out: &mut Out, args: Logs) -> Result<u8> {
    let mut id = filter::container_id(backend, &args.id).await?;
    if args.reopen {
        let request = cri::ReopenContainerLogRequest { container_id: id.clone() };
        let what = format!("open the log of container {} again", args.id);
        backend.change(Duration::ZERO, &what, backend.pods().reopen_container_log(request)).await?;
    }
    if args.previous {
        id = previous(backend, &id).await?;
    }
    let since = args.since.as_deref().map(|s| parse_time(s, SystemTime::now())).transpose()?;
    let options = LogOptions { follow: args.follow, tail: u64::try_from(args.tail).ok(), since };
    let mut lines = pin!(backend.runtime().logs(&id, options));
    let mut left = u64::try_from(args.limit_bytes).ok();
    let (mut look, mut ended) = (tokio::time::interval(LOOK), false);
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            _ = look.tick(), if args.follow && !ended => {
                ended = has_ended(backend, &id).await;
                continue;
            }
            () = tokio::time::sleep(SILENCE), if ended => None,
        };
        let Some(line) = line else { break };
        let line = line.map_err(|e| e.context(format!("read the log of container {}", args.id)))?;
        if args.stream.is_some_and(|s| (s == Stream::Stderr) != line.stderr) {
            continue;
        }
        if !write(out, &line, args.timestamps, left.as_mut())? {
            break;
        }
    }
    Ok(0)
}

/// Whether nothing will be written any more. A runtime that does not answer says nothing about its containers.
async fn has_ended(backend: &Backend, id: &str) -> bool {
    match container_status(backend, id, false).await {
        Ok(found) => found.status.is_none_or(|s| s.state() == cri::ContainerState::ContainerExited),
        Err(error) => error.is(Kind::NotFound),
    }
}

/// Writes a line to the stream it was written to; whether there is room for more.
pub fn write(out: &mut Out, line: &LogLine, timestamps: bool, left: Option<&mut u64>) -> Result<bool> {
    let mut bytes = Vec::with_capacity(line.text.len() + 40);
    if timestamps && let Some(at) = line.at.and_then(|at| jiff::Timestamp::try_from(at).ok()) {
        bytes.extend(format!("{at:.9} ").into_bytes());
    }
    // A pipe gets the bytes as they are; a terminal gets nothing that talks to it.
    match out.width {
        Some(_) => {
            let text = line.text.strip_suffix(b"\n").unwrap_or(&line.text);
            let text = String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text));
            bytes.extend(clean(&text).into_bytes());
        }
        None => bytes.extend(&line.text),
    }
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    let mut more = true;
    if let Some(left) = left {
        let room = usize::try_from(*left).unwrap_or(usize::MAX);
        bytes.truncate(room);
        *left -= bytes.len() as u64;
        more = *left > 0;
    }
    if line.stderr {
        out.error_bytes(&bytes)?
    } else {
        out.bytes(&bytes)?
    }
    Ok(more)
}

/// The container that was this one before the last restart: same pod, same name, the attempt before.
async fn previous(backend: &Backend, id: &str) -> Result<String> {
    let all = ContainerSelect { all: true, ..Default::default() };
    let list = filter::containers(backend, None, &all).await?;
    let Some(this) = list.iter().find(|c| c.id == id) else { bail!(NotFound, "there is no container {id}") };
    let own = this.metadata.clone().unwrap_or_default();
    let same_pod = |c: &cri::Container| {
        let uid = |c: &cri::Container| c.labels.get("io.kubernetes.pod.uid").cloned();
        c.pod_sandbox_id == this.pod_sandbox_id || (uid(c).is_some() && uid(c) == uid(this))
    };
    let attempt = |c: &cri::Container| c.metadata.as_ref().map_or(0, |m| m.attempt);
    let before = list
        .iter()
        .filter(|c| same_pod(c) && c.metadata.as_ref().is_some_and(|m| m.name == own.name && m.attempt < own.attempt))
        .max_by_key(|c| attempt(c));
    match before {
        Some(container) => Ok(container.id.clone()),
        None => bail!(NotFound, "container {} has no previous life that the runtime still knows", own.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_talked_to_and_a_limit_holds() {
        let line =
            LogLine { at: Some(SystemTime::UNIX_EPOCH), stderr: false, text: b"a\x1b[2Jb\n".to_vec(), place: None };
        let (mut terminal, text, _) = crate::cli::tests::capture(Some(80));
        assert!(write(&mut terminal, &line, true, None).unwrap());
        assert_eq!(text(), "1970-01-01T00:00:00.000000000Z ab\n");
        let (mut pipe, text, _) = crate::cli::tests::capture(None);
        let mut left = 9;
        assert!(write(&mut pipe, &line, false, Some(&mut left)).unwrap());
        assert!(!write(&mut pipe, &line, false, Some(&mut left)).unwrap());
        assert_eq!(text(), "a\x1b[2Jb\na\x1b");
    }
}
