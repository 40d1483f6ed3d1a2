//! Commands in running containers: ExecSync with bounded output (threats STR-03, STR-04), and interactive ones.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::fs::{Mode, OFlags};
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::{
    pod::new_id,
    spec,
    state::{ContainerRecord, ContainerState},
};
use crate::{
    bail,
    engine::{
        Engine,
        run::terminal_below,
        shim::{ExecTask, Task, console},
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// Bytes kept of each stream; the rest is read and dropped, so that the command is never blocked.
const OUTPUT_LIMIT: usize = 16 << 20;
/// How long a background child may hold the pipes after the command has ended.
const DRAIN: Duration = Duration::from_secs(2);
/// Between SIGHUP and SIGKILL for a command whose client has gone.
const HANG_UP: Duration = Duration::from_secs(2);

/// Runs a command to its end. It is killed when its time is up, and when the caller goes: the work is a task of its own,
/// because the call's future is dropped then.
pub async fn exec_sync(engine: &Arc<Engine>, request: cri::ExecSyncRequest) -> Result<cri::ExecSyncResponse> {
    let (stay, left) = oneshot::channel();
    let work = tokio::spawn(exec_to_end(Arc::clone(engine), request, left));
    let done = work.await;
    drop::<oneshot::Sender<()>>(stay);
    done.unwrap_or_else(|e| Err(Error::new(Kind::Internal, "exec: a task died").with_source(e)))
}

async fn exec_to_end(
    engine: Arc<Engine>,
    request: cri::ExecSyncRequest,
    mut left: oneshot::Receiver<()>,
) -> Result<cri::ExecSyncResponse> {
    let record = running(&engine, &request.container_id)?;
    let what = || format!("exec {:?} in container {}", request.cmd, record.id);
    let task = engine.pods.pod(&record.pod)?.live_task()?;
    let id = new_id()?;
    let process = spec::exec_process(&load_spec(&record).await?, &request.cmd, false)?;
    let null = std::fs::File::open("/dev/null").context(|| "open /dev/null".to_owned())?;
    let (out, out_child) = pipe()?;
    let (err, err_child) = pipe()?;
    let (give_up, told) = watch::channel(false);
    let readers = (tokio::spawn(drain(out, told.clone())), tokio::spawn(drain(err, told)));
    let stdio = [null.into(), out_child, err_child];
    let limit = u64::try_from(request.timeout).ok().filter(|t| *t > 0).map_or(Duration::MAX, Duration::from_secs);
    let late = tokio::time::sleep(limit);
    tokio::pin!(late);
    let too_late =
        || Error::new(Kind::DeadlineExceeded, format!("{}: timeout of {} s exceeded", what(), request.timeout));
    let gone = || Error::new(Kind::Cancelled, format!("{}: the caller has gone", what()));
    let mut starting = tokio::spawn({
        let (task, container) = (Arc::clone(&task), record.id.clone());
        let exec = ExecTask { id: id.clone(), process, stdio };
        async move { start(&*task, &container, exec).await }
    });
    // A shim that stands still must not hold up who asks with a limit (threats POD-08). Should it start the command one day,
    // that is killed.
    let began = tokio::select! {
        began = &mut starting => began,
        () = &mut late => {
            kill_once_started(starting, task, record.id.clone(), id);
            return Err(too_late());
        }
        _ = &mut left => {
            kill_once_started(starting, task, record.id.clone(), id);
            return Err(gone());
        }
    };
    began.unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a task died").with_source(e))).context(what)?;
    let status = tokio::select! {
        status = task.wait(&record.id, Some(&id)) => status.context(what)?,
        () = &mut late => return Err(too_late().and_cleanup(kill(&*task, &record.id, &id).await)),
        _ = &mut left => return Err(gone().and_cleanup(kill(&*task, &record.id, &id).await)),
    };
    let drained = async { (readers.0.await, readers.1.await) };
    tokio::pin!(drained);
    let (out, err) = match tokio::time::timeout(DRAIN, &mut drained).await {
        Ok(both) => both,
        Err(_) => {
            give_up.send_replace(true);
            drained.await
        }
    };
    task.delete(&record.id, Some(&id)).await?;
    let joined = |stream: &str, r: Result<Drained, tokio::task::JoinError>| match r {
        Ok(Drained { kept, dropped }) => {
            if dropped > 0 {
                let (what, limit) = (what(), OUTPUT_LIMIT >> 20);
                tracing::warn!("{what}: its {stream} was truncated at {limit} MiB, {dropped} bytes are lost");
            }
            Ok(kept)
        }
        Err(e) => Err(Error::new(Kind::Internal, "reading the command's output failed").with_source(e)),
    };
    Ok(cri::ExecSyncResponse { stdout: joined("stdout", out)?, stderr: joined("stderr", err)?, exit_code: status.code })
}

/// Starts a command; what could not be started is not left in the shim.
async fn start(task: &dyn Task, container: &str, exec: ExecTask) -> Result<()> {
    let id = exec.id.clone();
    match task.exec(container, exec).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.and_cleanup(kill(task, container, &id).await)),
    }
}

/// In the background: for a command that nobody waits for any more.
fn kill_once_started(starting: JoinHandle<Result<()>>, task: Arc<dyn Task>, container: String, id: String) {
    tokio::spawn(async move {
        let killed = match starting.await {
            Ok(Ok(())) => kill(&*task, &container, &id).await,
            // What did not start was cleaned up.
            Ok(Err(_)) | Err(_) => Ok(()),
        };
        if let Err(error) = killed {
            tracing::warn!(container, "a command that nobody waits for could not be killed: {error:#}");
        }
    });
}

async fn kill(task: &dyn Task, container: &str, id: &str) -> Result<()> {
    match task.delete(container, Some(id)).await {
        Err(error) if !error.is(Kind::NotFound) => Err(error),
        _ => Ok(()),
    }
}

/// The record of a container that runs, or why it cannot be entered.
pub fn running(engine: &Engine, id: &str) -> Result<Arc<ContainerRecord>> {
    let record = engine.pods.container(id)?.record();
    if record.state != ContainerState::Running {
        bail!(FailedPrecondition, "container {id} is {:?}, not running", record.state);
    }
    Ok(record)
}

pub async fn load_spec(record: &ContainerRecord) -> Result<oci_spec::runtime::Spec> {
    let path = record.bundle.join("config.json");
    let text = tokio::fs::read(&path).await.context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::new(Kind::DataLoss, format!("{} is not an OCI spec", path.display())).with_source(e))
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(|| "make a pipe".to_owned())
}

/// What came out of a pipe, and how many bytes did not fit.
struct Drained {
    kept: Vec<u8>,
    dropped: usize,
}

/// Everything from a pipe until it ends or we give up; bytes past the limit are counted only.
async fn drain(fd: OwnedFd, mut give_up: watch::Receiver<bool>) -> Drained {
    let (mut kept, mut dropped) = (Vec::new(), 0);
    let nonblocking = rustix::fs::fcntl_setfl(&fd, rustix::fs::OFlags::NONBLOCK);
    let Ok(mut from) = nonblocking.map_err(std::io::Error::from).and_then(|()| pipe::Receiver::from_owned_fd(fd))
    else {
        return Drained { kept, dropped };
    };
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = give_up.wait_for(|told| *told) => return Drained { kept, dropped },
        };
        match read {
            Ok(0) | Err(_) => return Drained { kept, dropped },
            Ok(n) => {
                let room = n.min(OUTPUT_LIMIT - kept.len());
                kept.extend_from_slice(&buffer[..room]);
                dropped += n - room;
            }
        }
    }
}

/// A command somebody talks with. Dropping it leaves the command running; [`Interactive::end`] removes it.
#[derive(Debug)]
pub struct Interactive {
    /// The terminal's master, or the write end of stdin.
    pub input: Option<OwnedFd>,
    pub stdout: Option<OwnedFd>,
    pub stderr: Option<OwnedFd>,
    task: Arc<dyn Task>,
    container: String,
    id: String,
}

/// Starts a command with a terminal or with pipes.
pub async fn interactive(
    engine: &Arc<Engine>,
    container: &str,
    command: &[String],
    tty: bool,
    stdin: bool,
) -> Result<Interactive> {
    let record = running(engine, container)?;
    let task = engine.pods.pod(&record.pod)?.live_task()?;
    let id = new_id()?;
    let process = spec::exec_process(&load_spec(&record).await?, command, tty)?;
    let mut session =
        Interactive { input: None, stdout: None, stderr: None, task, container: record.id.clone(), id: id.clone() };
    let stdio = if tty {
        let (master, slave) = terminal(record.pid)?;
        let copy = |fd: &OwnedFd| fd.try_clone().context(|| "duplicate the terminal".to_owned());
        session.stdout = Some(copy(&master)?);
        session.input = Some(master);
        [copy(&slave)?, copy(&slave)?, slave]
    } else {
        let input = if stdin {
            let (read, write) = pipe()?;
            session.input = Some(write);
            read
        } else {
            std::fs::File::open("/dev/null").context(|| "open /dev/null".to_owned())?.into()
        };
        let ((out, out_child), (err, err_child)) = (pipe()?, pipe()?);
        (session.stdout, session.stderr) = (Some(out), Some(err));
        [input, out_child, err_child]
    };
    let what = || format!("exec {command:?} in container {}", record.id);
    start(&*session.task, &record.id, ExecTask { id, process, stdio }).await.context(what)?;
    Ok(session)
}

impl Interactive {
    /// The exit code, when it has ended.
    pub async fn wait(&self) -> Result<i32> {
        self.task.wait(&self.container, Some(&self.id)).await.map(|status| status.code)
    }

    /// A terminal that is not ours as well: one that a containerd shim has made.
    pub async fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        match self.task.resize(&self.container, Some(&self.id), columns, rows).await {
            // Of a shim that has none.
            Err(error) if error.is(Kind::FailedPrecondition) => Ok(()),
            other => other,
        }
    }

    /// Its client has gone: it is told so, killed if that does not end it, and forgotten.
    pub async fn hang_up(&self) -> Result<()> {
        match self.task.kill(&self.container, Some(&self.id), libc::SIGHUP, false).await {
            Err(error) if error.is(Kind::NotFound) => {}
            told => {
                told?;
                // Whatever comes of it, `end` is next.
                drop(tokio::time::timeout(HANG_UP, self.wait()).await);
            }
        }
        self.end().await
    }

    /// Kills it if it still runs, and forgets it.
    pub async fn end(&self) -> Result<()> {
        kill(&*self.task, &self.container, &self.id).await
    }
}

/// Master and slave of a terminal in the container's devpts, so that the command finds its name in /dev/pts; of the host's
/// where the container has none.
fn terminal(pid: u32) -> Result<(OwnedFd, OwnedFd)> {
    let path = format!("/proc/{pid}/root");
    let root = rustix::fs::open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .context(|| format!("open the container's root by {path}"))?;
    terminal_below(root.as_fd()).or_else(|error| {
        tracing::debug!("{error:#}; the host's is used");
        console::pair()
    })
}
