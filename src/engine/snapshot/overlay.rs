//! overlayfs: a directory per layer, stacked by the kernel (Documentation/filesystems/overlayfs.rst).

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    Driver, Measured, Mount, SnapshotId, SnapshotKind, Sums, Support, UnpackTarget, Usage, Whiteouts, native, tree,
};
use crate::error::{Context, Result};

/// `<root>/overlayfs/<id>/{fs,work}`.
#[derive(Debug)]
pub struct Overlay {
    root: PathBuf,
}

impl Overlay {
    pub fn new(root: &Path) -> Self {
        Self { root: root.join("overlayfs") }
    }

    fn files(&self, id: SnapshotId) -> PathBuf {
        self.directory(id).join("fs")
    }
}

impl Driver for Overlay {
    fn name(&self) -> &str {
        "overlayfs"
    }

    /// Mounts one: only the kernel knows whether this filesystem can be an upper layer.
    fn probe(&self, root: &Path) -> Result<Support> {
        let probe = root.join(".probe");
        let cleaned = |result| match fs::remove_dir_all(&probe) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(crate::error::Error::io("remove", &probe, error))
            }
            _ => result,
        };
        // Left by a crash in between.
        super::unmount(&probe.join("merged"))?;
        cleaned(Ok(()))?;
        for name in ["lower", "upper", "work", "merged"] {
            let path = probe.join(name);
            fs::create_dir_all(&path).context(|| format!("create {}", path.display()))?;
        }
        let path = |name: &str| probe.join(name).display().to_string();
        let options = vec![
            format!("lowerdir={}", path("lower")),
            format!("upperdir={}", path("upper")),
            format!("workdir={}", path("work")),
        ];
        let mount = Mount { kind: "overlay".to_owned(), source: "overlay".to_owned(), options };
        let merged = probe.join("merged");
        let support = match super::mount(&[mount], &merged) {
            Ok(()) => super::unmount(&merged).map(|()| Support::Yes)?,
            Err(error) => Support::No { because: format!("{error:#}") },
        };
        cleaned(Ok(())).map(|()| support)
    }

    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()> {
        let directory = self.directory(id);
        DirBuilder::new().mode(0o700).create(&directory).context(|| format!("create {}", directory.display()))?;
        for (name, mode) in [("fs", 0o755), ("work", 0o711)] {
            let path = directory.join(name);
            DirBuilder::new().mode(mode).create(&path).context(|| format!("create {}", path.display()))?;
        }
        // The root directory a container sees is the top layer's: it takes the image's owner and mode.
        match parents.first() {
            Some(parent) => native::copy_attributes(&self.files(*parent), &self.files(id)),
            None => Ok(()),
        }
    }

    fn mounts(&self, id: SnapshotId, parents: &[SnapshotId], kind: SnapshotKind) -> Result<Vec<Mount>> {
        let path = |id: SnapshotId| self.files(id).display().to_string();
        let bind = |id: SnapshotId, mode: &str| {
            vec![Mount {
                kind: "bind".to_owned(),
                source: path(id),
                options: vec!["rbind".to_owned(), mode.to_owned()],
            }]
        };
        let writable = kind == SnapshotKind::Active;
        match (parents, writable) {
            ([], true) => return Ok(bind(id, "rw")),
            ([], false) => return Ok(bind(id, "ro")),
            ([only], false) => return Ok(bind(*only, "ro")),
            _ => {}
        }
        let mut options = Vec::with_capacity(parents.len() + 3);
        // One option a layer, uppermost first: paths are ours, numbers below our root, and hold no ':' or ','.
        options.extend(parents.iter().map(|p| format!("lowerdir+={}", path(*p))));
        if writable {
            options.push(format!("upperdir={}", path(id)));
            options.push(format!("workdir={}", self.directory(id).join("work").display()));
        }
        Ok(vec![Mount { kind: "overlay".to_owned(), source: "overlay".to_owned(), options }])
    }

    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget {
        UnpackTarget { directory: self.files(id), whiteouts: Whiteouts::Overlay, independent: true }
    }

    fn directory(&self, id: SnapshotId) -> PathBuf {
        self.root.join(id.0.to_string())
    }

    fn usage(&self, id: SnapshotId) -> Result<Usage> {
        native::disk_usage(&self.files(id))
    }

    fn measure(&self, id: SnapshotId, sums: &Sums) -> Result<Measured> {
        tree::measure(&self.files(id), sums)
    }

    fn remove(&self, id: SnapshotId) -> Result<()> {
        native::remove(&self.directory(id))
    }
}
