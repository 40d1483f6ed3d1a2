//! Demos that were killed: their pods run on, as pods do whose engine has died. The next demo finds their directories
//! by the lock that nobody holds any more, adopts what is in them, and ends it as its owner would have.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{PREFIX, Tell, config, end};
use crate::{
    engine::Engine,
    error::{Context, Result},
};

/// Ends every dead demo of this machine. A failure is told; it does not keep a new demo from starting.
pub async fn sweep_all(tell: &Tell) {
    for directory in found(&std::env::temp_dir()) {
        match sweep(&directory).await {
            Ok(true) => tell(format!("demo: removed what a killed demo left in {}", directory.display())),
            Ok(false) => {}
            Err(error) => tell(format!("demo: {error:#}")),
        }
    }
}

/// Ends the demo of that directory if its program is gone; whether it was.
pub async fn sweep(directory: &Path) -> Result<bool> {
    let Some(pid) = pid_of(directory) else { return Ok(false) };
    let Ok(meta) = fs::symlink_metadata(directory) else { return Ok(false) };
    // Anybody may make a directory of that name in /tmp; only root makes demos.
    if !meta.is_dir() || meta.uid() != 0 {
        return Ok(false);
    }
    if in_use(directory, pid) {
        return Ok(false);
    }
    let attempt = || format!("remove the killed demo in {}", directory.display());
    let engine = Engine::open(config(directory, pid)?).await.context(attempt)?;
    end(engine, directory).await.context(attempt)?;
    Ok(true)
}

fn found(temporary: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(temporary).into_iter().flatten().flatten().map(|e| e.path());
    entries.filter(|p| pid_of(p).is_some_and(|pid| pid != std::process::id())).collect()
}

fn pid_of(directory: &Path) -> Option<u32> {
    directory.file_name()?.to_str()?.strip_prefix(PREFIX)?.parse().ok()
}

/// The engine's lock is held, or is just about to be taken by a program that has made its directory and nothing else.
fn in_use(directory: &Path, pid: u32) -> bool {
    let Ok(lock) = fs::File::open(directory.join("lib/LOCK")) else {
        return pid != std::process::id() && Path::new(&format!("/proc/{pid}")).exists();
    };
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_demos_of_root_are_touched() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["wharf-demo-x", "wharf-demo-", "wharf-demo-4000000000000", "other-7"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("/", dir.path().join("wharf-demo-77")).unwrap();
        assert_eq!(found(dir.path()), [dir.path().join("wharf-demo-77")]);
        assert!(!sweep(&dir.path().join("wharf-demo-77")).await.unwrap(), "a link leads elsewhere");
        let mine = dir.path().join(format!("wharf-demo-{}", std::process::id()));
        assert!(found(dir.path()).iter().all(|p| *p != mine));
    }
}
