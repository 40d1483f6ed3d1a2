//! Where the bytes are, beside what CRI counts: logs, CRI-O's layers, and on demand the shares of the whole filesystem, which are
//! walked in the background and kept for a while.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    convert,
    cri::{Cri, QUESTION, within},
    crio,
    types::DiskUse,
};
use crate::{
    error::{Error, Kind, Result},
    node::{disk::Place, shares},
    proto::cri,
};

/// Where the kubelet has containers log to.
const LOGS: &str = "/var/log/pods";
/// For one walk over a filesystem.
const WALK: Duration = Duration::from_secs(60);
/// Between two of them: at least so long, and so many times as long as one takes.
const KEPT: Duration = Duration::from_secs(10);
const TIMES: u32 = 20;

#[derive(Debug, Clone, Default)]
pub struct Shares(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rows: Vec<DiskUse>,
    /// When the next walk may begin.
    again: Option<Instant>,
    walking: bool,
}

impl Shares {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known by now of the filesystem with the runtime's `data`; if that is nothing, or old, it is walked meanwhile.
    pub fn take(&self, root: &Path, data: &str) -> Vec<DiskUse> {
        let mut state = self.state();
        if !state.walking && state.again.is_none_or(|again| Instant::now() >= again) {
            let (this, root, data) = (self.clone(), root.to_owned(), data.to_owned());
            let thread = std::thread::Builder::new().name("shares".to_owned());
            // Without a thread there is nothing more to show, and the next look tries again.
            state.walking = thread.spawn(move || this.walk(&root, &data, WALK)).is_ok();
        }
        state.rows.clone()
    }

    fn walk(&self, root: &Path, data: &str, limit: Duration) {
        // Of this thread alone; one that may not be nicer is as it was.
        let _ = rustix::process::setpriority_process(None, 19);
        let began = Instant::now();
        let place = |what: &str, path: &str| -> Place { (what.to_owned(), path.to_owned()) };
        let places = [
            place("runtime", data),
            place("pod logs", LOGS),
            place("journal", "/var/log/journal"),
            place("kubelet", "/var/lib/kubelet"),
        ];
        let found = shares::of(root, data, &places, began + limit).map(|all| all.into_iter().map(convert::share));
        let mut state = self.state();
        // What it was before is better than nothing where a filesystem cannot be read any more.
        if let Ok(found) = found {
            state.rows = found.collect();
        }
        let ended = Instant::now();
        (state.walking, state.again) = (false, Some(ended + KEPT.max((ended - began) * TIMES)));
    }
}

/// The directory of a runtime whose image filesystem is told so: containerd's snapshotters and CRI-O's image list are in it.
fn data(mountpoint: &str) -> &str {
    let inside = |(_, last): &(&str, &str)| last.starts_with("io.containerd.") || *last == "overlay-images";
    mountpoint.rsplit_once('/').filter(inside).map_or(mountpoint, |(above, _)| above)
}

impl Cri {
    /// `whole`: with the shares of the filesystem that its images are on.
    pub(super) async fn disk(&self, whole: bool) -> Result<Vec<DiskUse>> {
        let mut service = self.image_service();
        let info =
            within(QUESTION, "ask for the image filesystem", service.image_fs_info(cri::ImageFsInfoRequest::default()));
        let info = info.await?;
        let shares = self.shares.clone();
        tokio::task::spawn_blocking(move || {
            let first = info.image_filesystems.iter().find_map(|f| f.fs_id.as_ref());
            let shares = first.filter(|_| whole).map(|id| shares.take(Path::new("/"), data(&id.mountpoint)));
            let layers = crio::layers(&info);
            let images = info.image_filesystems.into_iter().map(|u| convert::disk("image filesystem", u));
            let containers = info.container_filesystems.into_iter().map(|u| convert::disk("container filesystem", u));
            let known = images.chain(containers).chain(layers).chain(convert::logs(Path::new(LOGS)));
            known.chain(shares.unwrap_or_default()).collect()
        })
        .await
        .map_err(|e| Error::new(Kind::Internal, "reading the filesystems died").with_source(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_come_when_they_are_walked() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data").to_str().unwrap().to_owned();
        std::fs::create_dir(&data).unwrap();
        std::fs::write(dir.path().join("data/file"), vec![7; 100_000]).unwrap();
        let shares = Shares::default();
        // Not the whole of this machine's filesystem: the place of the runtime comes first.
        let walk = Duration::from_secs(2);
        shares.walk(Path::new("/"), &data, walk);
        let rows = shares.take(Path::new("/"), &data);
        let own = rows.iter().find(|r| r.what == "runtime").unwrap_or_else(|| panic!("{rows:?}"));
        assert!(own.used_bytes >= 100_000 && own.total_bytes > 0 && own.path == data, "{own:?}");
        assert!(shares.state().again.is_some_and(|again| again > Instant::now()) && !shares.state().walking);
        // What cannot be read any more is as it was.
        shares.walk(Path::new("/"), "/no/such/place", walk);
        assert_eq!(shares.take(Path::new("/"), &data), rows);
    }

    #[test]
    fn a_runtimes_directory_is_above_what_it_tells_of() {
        assert_eq!(data("/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"), "/var/lib/containerd");
        assert_eq!(data("/var/lib/containers/storage/overlay-images"), "/var/lib/containers/storage");
        assert_eq!(data("/var/lib/wharf"), "/var/lib/wharf");
    }
}
