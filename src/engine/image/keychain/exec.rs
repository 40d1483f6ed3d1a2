//! One call of a program that knows credentials: bounded in time and output, in an environment of our choice.

use std::{path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};
use zeroize::Zeroizing;

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Bytes of an answer, and of what is kept of complaints.
const OUTPUT: u64 = 1 << 20;
const COMPLAINT: u64 = 8 << 10;
/// The kubelet gives a provider a minute.
const LIMIT: Duration = Duration::from_secs(60);
/// Tries while somebody still has the program open for writing (an installer that replaces it).
const BUSY_TRIES: u32 = 20;
const BUSY_WAIT: Duration = Duration::from_millis(50);

pub struct Answer {
    pub success: bool,
    pub output: Zeroizing<Vec<u8>>,
    /// One line of stderr, cleaned.
    pub complaint: String,
}

/// The whole group ends with us, however that comes.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0
            && let Err(error) = kill_process_group(group, Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(%error, "end a credential program");
        }
    }
}

/// # Errors
/// `NotFound` if there is no such program, `DeadlineExceeded` after a minute. Nothing of the output is in the message.
pub async fn run(program: &Path, args: &[String], env: &[(String, String)], input: &[u8]) -> Result<Answer> {
    let mut tries = 0;
    let mut child = loop {
        let child = Command::new(program)
            .args(args)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
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
                tokio::time::sleep(BUSY_WAIT).await;
            }
            other => break other.map_err(|e| Error::io("run", program, e))?,
        }
    };
    let _group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let (mut output, mut complaint) = (Zeroizing::new(Vec::new()), Vec::new());
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let work = async {
        let feed = async {
            // A program need not read what it is told; it ends for its own reasons, which it says.
            if let Some(mut pipe) = stdin {
                let _closed = pipe.write_all(input).await;
            }
            Ok(())
        };
        tokio::try_join!(feed, fill(stdout, OUTPUT, &mut output), fill(stderr, COMPLAINT, &mut complaint))?;
        child.wait().await.context(|| format!("wait for {}", program.display()))
    };
    let Ok(status) = tokio::time::timeout(LIMIT, work).await else {
        bail!(DeadlineExceeded, "{} did not end within {} s", program.display(), LIMIT.as_secs());
    };
    let complaint = String::from_utf8_lossy(&complaint);
    let words: Vec<&str> = complaint.split_whitespace().collect();
    let complaint = words.join(" ").chars().filter(|c| !c.is_control()).take(200).collect();
    Ok(Answer { success: status?.success(), output, complaint })
}

async fn fill(pipe: Option<impl AsyncRead + Unpin>, most: u64, into: &mut Vec<u8>) -> Result<()> {
    let Some(pipe) = pipe else { return Ok(()) };
    let mut pipe = pipe.take(most + 1);
    while pipe.read_buf(into).await.context(|| "read what the program says".to_owned())? > 0 {}
    if into.len() as u64 > most {
        return Err(Error::new(Kind::ResourceExhausted, format!("it wrote more than {most} bytes")));
    }
    Ok(())
}
