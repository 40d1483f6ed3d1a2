//! Running one of the node's programs: absolute path, arguments as they are, no shell, a deadline, a bound on what is read.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use crate::error::{Error, Kind, Result};

/// Bytes of output that are read; the rest is not.
const OUTPUT: u64 = 8 << 20;
/// Of an error.
const COMPLAINT: u64 = 16 << 10;

/// Where the node's own programs are.
const PLACES: &[&str] = &["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// The program of that name in one of the system's directories.
pub fn find(name: &str) -> Option<std::path::PathBuf> {
    PLACES.iter().map(|d| Path::new(d).join(name)).find(|p| p.is_file())
}

/// What a program answered.
#[derive(Debug)]
pub struct Answer {
    pub success: bool,
    /// `exit status: 1`.
    pub status: String,
    pub output: Vec<u8>,
    pub complaint: String,
}

/// What the program prints. It is killed when the deadline has passed.
///
/// # Errors
/// `NotFound` if there is no such program; `DeadlineExceeded`; `FailedPrecondition` with what it complained of if it
/// exits with anything but 0.
pub async fn output(program: &Path, arguments: &[&str], limit: Duration) -> Result<Vec<u8>> {
    let answer = asked(program, arguments, &[("PATH", PLACES.join(":"))], &[], limit).await?;
    if !answer.success {
        let shown = format!("{} {}", program.display(), arguments.join(" "));
        let text = format!("{shown}: {}: {}", answer.status, answer.complaint.trim());
        return Err(Error::new(Kind::FailedPrecondition, text));
    }
    Ok(answer.output)
}

/// The same of a program that is told something on its standard input, with this environment. That it fails is an answer.
///
/// # Errors
/// `NotFound` if there is no such program; `DeadlineExceeded`.
pub async fn asked(
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, String)],
    input: &[u8],
    limit: Duration,
) -> Result<Answer> {
    let shown = format!("{} {}", program.display(), arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("LC_ALL", "C.UTF-8");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let from = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(from).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| Error::io("run", program, e))?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::new(Kind::Internal, format!("{shown}: no pipes")));
    };
    let stdin = child.stdin.take();
    let run = async {
        if let Some(mut stdin) = stdin {
            // One that does not read what it is told may still answer.
            let _told = stdin.write_all(input).await;
        }
        let (mut text, mut complaint) = (Vec::new(), Vec::new());
        let (mut out, mut err) = (out.take(OUTPUT), err.take(COMPLAINT));
        let (a, b) = tokio::join!(out.read_to_end(&mut text), err.read_to_end(&mut complaint));
        a.and(b).map_err(|e| Error::new(Kind::Internal, format!("read from {shown}")).with_source(e))?;
        // A program that still writes would wait for a reader for ever.
        drop((out, err));
        let status = child.wait().await.map_err(|e| Error::io("wait for", program, e))?;
        Ok::<_, Error>((text, complaint, status))
    };
    let (output, complaint, status) = match tokio::time::timeout(limit, run).await {
        Ok(done) => done?,
        Err(_) => {
            let text = format!("{shown}: it hangs; no answer in {} s", limit.as_secs());
            return Err(Error::new(Kind::DeadlineExceeded, text));
        }
    };
    let complaint = String::from_utf8_lossy(&complaint).into_owned();
    Ok(Answer { success: status.success(), status: status.to_string(), output, complaint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn programs_are_bounded_and_nothing_is_a_shell() {
        let echo = find("echo").unwrap();
        let text = output(&echo, &["$(id)", ";reboot"], Duration::from_secs(20)).await.unwrap();
        assert_eq!(text, b"$(id) ;reboot\n");
        let sleep = find("sleep").unwrap();
        let error = output(&sleep, &["60"], Duration::from_millis(50)).await.unwrap_err();
        assert!(error.is(Kind::DeadlineExceeded), "{error:#}");
        let error = output(&find("ls").unwrap(), &["/no/such"], Duration::from_secs(20)).await.unwrap_err();
        assert!(error.to_string().contains("/no/such"), "{error:#}");
    }
}
