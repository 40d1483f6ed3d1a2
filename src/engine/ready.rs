//! Whether a container could be started now: what CRI's RuntimeReady says. Looked at each time it is asked for, since what
//! it needs can go while the engine runs.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::fs::{Access, access};

use super::{Engine, cgroup, features, metadata::Db, shim::Runtime};
use crate::{
    error::{Context, Error, Kind, Result},
    node::cgroup::Driver,
};

/// A disk that does not answer for so long is one no container starts from.
const LIMIT: Duration = Duration::from_secs(10);

/// Bytes that the record of a container may take in the database and its log.
const RECORD: usize = 64 << 10;

/// Runtimes that ran, by path; asked again when the file changes. One that failed is asked each time: a machine that is
/// short of something for a moment must not be without a runtime for good.
#[derive(Debug, Default)]
pub struct Runtimes(Mutex<HashMap<PathBuf, Stamp>>);

/// Inode, size, modified and changed.
type Stamp = (u64, u64, [i64; 4]);

impl Runtimes {
    /// Blocking: it is run for its version, once for each change of its file.
    fn runs(&self, runtime: &Runtime) -> Result<()> {
        let (path, word) = match runtime {
            Runtime::BuiltIn => return Ok(()),
            Runtime::Command(path) => (path.as_path(), "--version"),
            // Older shims know no longer word.
            Runtime::Shim(shim) => (shim.program.as_path(), "-v"),
        };
        let about = path.metadata().map_err(|e| Error::io("stat", path, e))?;
        let times = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
        let stamp = (about.ino(), about.size(), times);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(path) != Some(&stamp) {
            features::ask(path, word)?;
            known.insert(path.to_owned(), stamp);
        }
        Ok(())
    }
}

impl Engine {
    /// There are cgroups to write to, and a systemd if a handler has it make them; the default handler's runtime runs, the root
    /// and the state can be written and the database can record.
    ///
    /// # Errors
    /// What is missing.
    pub async fn ready(&self) -> Result<()> {
        let runtime = self.handler("")?.runtime.clone();
        let systemd = self.config.handlers.iter().find(|h| h.cgroups == Driver::Systemd).map(|h| h.name.clone());
        let directories = [self.config.root.clone(), self.config.state.clone()];
        let (db, runtimes) = (Arc::clone(&self.db), Arc::clone(&self.runtimes));
        let look = tokio::task::spawn_blocking(move || {
            if let Some(handler) = systemd {
                needs_systemd(&handler)?;
            }
            look(&runtime, &runtimes, &directories, &db)
        });
        match tokio::time::timeout(LIMIT, look).await {
            Ok(Ok(found)) => found,
            Ok(Err(died)) => {
                Err(Error::new(Kind::Internal, "looking whether a container could start").with_source(died))
            }
            Err(_) => {
                let (root, state) = (self.config.root.display(), self.config.state.display());
                let text = format!("the disk of {root} or {state} does not answer for {} s", LIMIT.as_secs());
                Err(Error::new(Kind::DeadlineExceeded, text))
            }
        }
    }
}

/// A kubelet has one driver for all handlers, so that one of them is enough.
fn needs_systemd(handler: &str) -> Result<()> {
    cgroup::systemd::check().map_err(|error| {
        let text = format!(
            "handler {handler} has the cgroup driver systemd (SystemdCgroup = true), but {error:#}: set SystemdCgroup = false in \
             its options and cgroupDriver: cgroupfs for the kubelet"
        );
        Error::new(error.kind(), text)
    })
}

fn look(runtime: &Runtime, runtimes: &Runtimes, directories: &[PathBuf], db: &Db) -> Result<()> {
    for hierarchy in &cgroup::Layout::host()?.hierarchies {
        // One of v1's without controllers only names groups.
        if hierarchy.unified || hierarchy.controllers.iter().any(|c| !c.starts_with("name=")) {
            let mount = &hierarchy.mount;
            access(mount, Access::WRITE_OK).context(|| format!("write to the cgroups at {}", mount.display()))?;
        }
    }
    runtimes.runs(runtime).context(|| {
        format!("the default handler's runtime {}", runtime.program().unwrap_or(Path::new("inside wharf")).display())
    })?;
    for directory in directories {
        // What a record takes, anew each time: a full disk takes empty files, and old ones again.
        let probe = directory.join(".ready");
        let written = fs::write(&probe, [0; RECORD]).context(|| format!("write {}", probe.display()));
        let removed = fs::remove_file(&probe).context(|| format!("remove {}", probe.display()));
        written.and(removed)?;
    }
    db.usable()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_runtime_is_run_once_for_each_change() {
        let dir = tempfile::tempdir().unwrap();
        let (runtime, ran) = (dir.path().join("runc"), dir.path().join("ran"));
        let write = |text: &str, mode: u32| {
            fs::write(&runtime, text).unwrap();
            fs::set_permissions(&runtime, fs::Permissions::from_mode(mode)).unwrap();
        };
        let runtimes = Runtimes::default();
        assert!(runtimes.runs(&Runtime::Command(runtime.clone())).unwrap_err().is(Kind::NotFound));
        let good = format!("#!/bin/sh\n[ \"$1\" = --version ] && echo x >> {}\n", ran.display());
        write(&good, 0o755);
        for _ in 0..3 {
            runtimes.runs(&Runtime::Command(runtime.clone())).unwrap();
        }
        assert_eq!(fs::read_to_string(&ran).unwrap(), "x\n");
        for (text, mode) in [(good.as_str(), 0o644), ("", 0o755), ("#!/bin/sh\nexit 3\n", 0o755), ("\x7fELF", 0o755)] {
            write(text, mode);
            let error = runtimes.runs(&Runtime::Command(runtime.clone())).unwrap_err();
            assert!(format!("{error:#}").contains(&*runtime.to_string_lossy()), "{error:#}");
        }
        write(&good, 0o755);
        runtimes.runs(&Runtime::Command(runtime.clone())).unwrap();
    }
}
