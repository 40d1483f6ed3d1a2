//! One call of one plugin: bounded in time and output, and its children end with it if it does not behave.

use std::{
    ffi::OsString,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Standard output a plugin may write, in bytes.
const MAX_OUTPUT: usize = 1 << 20;
/// The end of standard error that is kept, in bytes, and what of a text goes into an error, in characters.
const MAX_STDERR: usize = 8 << 10;
const MAX_TEXT: usize = 1024;
/// How long we wait for output after the plugin ended, if a child of its holds the pipe.
const LINGER: Duration = Duration::from_secs(1);
/// Tries while somebody still has the binary open for writing (an installer that replaces it).
const BUSY_TRIES: u32 = 20;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// CNI spec 1.1.0, section 5, "Error".
#[derive(Deserialize)]
struct PluginError {
    code: u64,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    details: String,
}

/// The spec's "try again later".
const TRY_AGAIN: u64 = 11;
const BAD_CONFIG: u64 = 7;
/// Of STATUS: no pod can be added, or only with less than full connectivity.
const NOT_AVAILABLE: u64 = 50;
const LIMITED: u64 = 51;

/// A plugin's process group, killed if the plugin did not end by itself, also when we are dropped.
struct Group(Option<Pid>);

impl Group {
    fn kill(&mut self) {
        if let Some(group) = self.0.take()
            && let Err(error) = kill_process_group(group, Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(%error, group = group.as_raw_nonzero(), "kill a CNI plugin");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Standard output of a plugin that succeeded.
pub(super) async fn run(
    binary: &Path,
    environment: &[(&'static str, OsString)],
    input: Vec<u8>,
    limit: Duration,
) -> Result<Vec<u8>> {
    let mut child = start(binary, environment).await?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (mut stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ended = {
        let pipes = async {
            let feed = async {
                // A plugin need not read what it is told; it ends for its own reasons, which it says.
                if let Some(mut pipe) = stdin.take() {
                    let _closed = pipe.write_all(&input).await;
                }
                Ok(())
            };
            tokio::try_join!(feed, read_all(stdout, &mut output), read_end(stderr, &mut errors)).map(drop)
        };
        timeout(limit, finish(&mut child, pipes)).await
    };
    let status = match ended {
        Ok(Ok(status)) => status,
        failed => {
            group.kill();
            child.wait().await.context(|| format!("wait for {}", binary.display()))?;
            let said = stderr_text(&errors);
            match failed {
                Ok(Err(error)) => return Err(error),
                _ => bail!(DeadlineExceeded, "{} did not end within {limit:?}{said}", binary.display()),
            }
        }
    };
    if status.success() {
        group.0 = None;
        return Ok(output);
    }
    group.kill();
    Err(failure(status, &output, &errors))
}

async fn start(binary: &Path, environment: &[(&'static str, OsString)]) -> Result<Child> {
    let mut tries = 0;
    loop {
        let child = Command::new(binary)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        match child {
            Err(error) if error.raw_os_error() == Some(libc::ETXTBSY) && tries < BUSY_TRIES => {
                tries += 1;
                sleep(BUSY_WAIT).await;
            }
            other => return other.map_err(|e| Error::io("run", binary, e)),
        }
    }
}

/// Waits for the plugin and its output; not long for output once the plugin is gone.
async fn finish(child: &mut Child, pipes: impl Future<Output = Result<()>>) -> Result<ExitStatus> {
    let mut pipes = std::pin::pin!(pipes);
    let mut read = false;
    loop {
        tokio::select! {
            done = &mut pipes, if !read => { done?; read = true; }
            status = child.wait() => {
                if !read && let Ok(done) = timeout(LINGER, &mut pipes).await {
                    done?;
                }
                return status.context(|| "wait for the plugin".to_owned());
            }
        }
    }
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>, output: &mut Vec<u8>) -> Result<()> {
    let Some(pipe) = pipe else { return Ok(()) };
    let mut pipe = pipe.take(MAX_OUTPUT as u64 + 1);
    while pipe.read_buf(output).await.context(|| "read the plugin's output".to_owned())? > 0 {}
    if output.len() > MAX_OUTPUT {
        bail!(ResourceExhausted, "it wrote more than {MAX_OUTPUT} bytes");
    }
    Ok(())
}

async fn read_end(pipe: Option<impl AsyncRead + Unpin>, errors: &mut Vec<u8>) -> Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    while pipe.read_buf(errors).await.context(|| "read the plugin's errors".to_owned())? > 0 {
        if errors.len() > 2 * MAX_STDERR {
            errors.drain(..errors.len() - MAX_STDERR);
        }
    }
    Ok(())
}

fn failure(status: ExitStatus, output: &[u8], errors: &[u8]) -> Error {
    let said = stderr_text(errors);
    match serde_json::from_slice::<PluginError>(output) {
        Ok(PluginError { code, msg, details }) => {
            let kind = match code {
                TRY_AGAIN | NOT_AVAILABLE | LIMITED => Kind::Unavailable,
                BAD_CONFIG => Kind::FailedPrecondition,
                _ => Kind::Internal,
            };
            let details = clean(details.as_bytes());
            let details = if details.is_empty() { details } else { format!("; {details}") };
            Error::new(kind, format!("{} (code {code}){details}{said}", clean(msg.as_bytes())))
        }
        Err(_) => {
            let output = clean(output);
            let output = if output.is_empty() { output } else { format!(": {output}") };
            Error::new(Kind::Internal, format!("it ended with {status}{output}{said}"))
        }
    }
}

fn stderr_text(errors: &[u8]) -> String {
    let text = clean(&errors[errors.len().saturating_sub(MAX_STDERR)..]);
    if text.is_empty() { text } else { format!("; stderr: {text}") }
}

/// Foreign text for an error: one line, without control characters (or those that turn text round), not long.
pub(super) fn clean(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let plain: String = text.chars().map(|c| if harmful(c) { ' ' } else { c }).collect();
    let words: Vec<_> = plain.split_whitespace().collect();
    words.join(" ").chars().take(MAX_TEXT).collect()
}
