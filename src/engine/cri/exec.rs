//! Commands in running containers: ExecSync with bounded output (threats STR-03, STR-04), and interactive ones.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use tokio::{io::AsyncReadExt, net::unix::pipe, sync::watch};

use super::{
    pod::new_id,
    spec,
    state::{ContainerRecord, ContainerState},
};
use crate::{
    bail,
    engine::{
        Engine,
        shim::{ExecTask, Task},
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// Bytes kept of each stream; the rest is read and dropped, so that the command is never blocked.
const OUTPUT_LIMIT: usize = 16 << 20;
/// How long a background child may hold the pipes after the command has ended.
const DRAIN: Duration = Duration::from_secs(2);

pub async fn exec_sync(engine: &Arc<Engine>, request: cri::ExecSyncRequest) -> Result<cri::ExecSyncResponse> {
    let record = running(engine, &request.container_id)?;
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
    task.exec(&record.id, ExecTask { id: id.clone(), process, stdio }).await.context(what)?;
    let limit = u64::try_from(request.timeout).ok().filter(|t| *t > 0).map_or(Duration::MAX, Duration::from_secs);
    let status = match tokio::time::timeout(limit, task.wait(&record.id, Some(&id))).await {
        Ok(status) => status.context(what)?,
        Err(_) => {
            let killed = kill(&*task, &record.id, &id).await;
            let text = format!("{}: timeout of {} s exceeded", what(), request.timeout);
            return Err(Error::new(Kind::DeadlineExceeded, text).and_cleanup(killed));
        }
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
    let joined = |r: Result<Vec<u8>, tokio::task::JoinError>| {
        r.map_err(|e| Error::new(Kind::Internal, "reading the command's output failed").with_source(e))
    };
    Ok(cri::ExecSyncResponse { stdout: joined(out)?, stderr: joined(err)?, exit_code: status.code })
}

async fn kill(task: &dyn Task, container: &str, id: &str) -> Result<()> {
    match task.delete(container, Some(id)).await {
        Err(error) if !error.is(Kind::NotFound) => Err(error),
        _ => Ok(()),
    }
}

/// The record of a container that runs, or why it cannot be entered.
pub fn running(engine: &Engine, id: &str) -> Result<ContainerRecord> {
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

/// Everything from a pipe until it ends or we give up; bytes past the limit are dropped.
async fn drain(fd: OwnedFd, mut give_up: watch::Receiver<bool>) -> Vec<u8> {
    let mut kept = Vec::new();
    let nonblocking = rustix::fs::fcntl_setfl(&fd, rustix::fs::OFlags::NONBLOCK);
    let Ok(mut from) = nonblocking.map_err(std::io::Error::from).and_then(|()| pipe::Receiver::from_owned_fd(fd))
    else {
        return kept;
    };
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = give_up.wait_for(|told| *told) => return kept,
        };
        match read {
            Ok(0) | Err(_) => return kept,
            Ok(n) => {
                let room = OUTPUT_LIMIT - kept.len();
                kept.extend_from_slice(&buffer[..n.min(room)]);
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
        let (master, slave) = terminal()?;
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
    session.task.exec(&record.id, ExecTask { id, process, stdio }).await.context(what)?;
    Ok(session)
}

impl Interactive {
    /// The exit code, when it has ended.
    pub async fn wait(&self) -> Result<i32> {
        self.task.wait(&self.container, Some(&self.id)).await.map(|status| status.code)
    }

    /// Kills it if it still runs, and forgets it.
    pub async fn end(&self) -> Result<()> {
        kill(&*self.task, &self.container, &self.id).await
    }
}

/// A terminal of the host: master and slave.
fn terminal() -> Result<(OwnedFd, OwnedFd)> {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let doing = || "open a terminal".to_owned();
    let master = openpt(flags).context(doing)?;
    grantpt(&master).context(doing)?;
    unlockpt(&master).context(doing)?;
    let slave = ioctl_tiocgptpeer(&master, flags).context(doing)?;
    Ok((master, slave))
}
