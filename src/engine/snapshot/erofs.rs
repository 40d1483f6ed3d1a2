//! erofs: a layer is one file, a read-only filesystem image that mkfs.erofs makes of it when it is committed, and overlayfs
//! stacks the images. A layer of a hundred thousand small files takes one inode and no slack; nothing can change it.
//!
//! Before that a snapshot is what it is with overlayfs: an upper directory. A committed one's directory stays, empty, with the
//! owner and the mode of the layer's root.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Driver, Labels, Measured, Mount, SnapshotId, SnapshotKind, Sums, Support, UnpackTarget, Usage, Whiteouts, native,
    programs, tree,
};
use crate::{
    bail,
    error::{Context, Error, Result},
};

const PROGRAM: &str = "mkfs.erofs";
const IMAGE: &str = "layer.erofs";
/// An image that is still being written.
const HALF: &str = "layer.erofs.new";

/// `<root>/erofs/<id>/{fs,work,layer.erofs}`.
#[derive(Debug)]
pub struct Erofs {
    root: PathBuf,
}

impl Erofs {
    pub fn new(root: &Path) -> Self {
        Self { root: root.join("erofs") }
    }

    fn files(&self, id: SnapshotId) -> PathBuf {
        self.directory(id).join("fs")
    }

    fn image(&self, id: SnapshotId) -> PathBuf {
        self.directory(id).join(IMAGE)
    }
}

impl Driver for Erofs {
    fn name(&self) -> &str {
        "erofs"
    }

    /// Makes an image and puts an overlay on it: it takes a program, two filesystems of the kernel, and a third below them.
    fn probe(&self, root: &Path) -> Result<Support> {
        if programs::find(PROGRAM).is_none() {
            let because = format!("there is no {PROGRAM}: install erofs-utils, or choose another snapshotter");
            return Ok(Support::No { because });
        }
        let probe = root.join(".probe");
        let merged = probe.join("merged");
        // Left by a crash in between.
        super::unmount(&merged)?;
        native::remove(&probe)?;
        let tried = try_out(&probe, &merged);
        super::unmount(&merged)?;
        native::remove(&probe)?;
        match tried {
            Ok(()) => Ok(Support::Yes),
            Err(error) => {
                let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
                let has = known.lines().any(|line| line.trim() == "erofs");
                let kernel = if has { "" } else { "this kernel has no erofs (CONFIG_EROFS_FS): " };
                Ok(Support::No { because: format!("{kernel}{error:#}") })
            }
        }
    }

    fn create(&self, id: SnapshotId, parents: &[SnapshotId]) -> Result<()> {
        let directory = self.directory(id);
        DirBuilder::new().mode(0o700).create(&directory).context(|| format!("create {}", directory.display()))?;
        for (name, mode) in [("fs", 0o755), ("work", 0o711)] {
            let path = directory.join(name);
            DirBuilder::new().mode(mode).create(&path).context(|| format!("create {}", path.display()))?;
        }
        match parents.first() {
            Some(parent) => native::copy_attributes(&self.files(*parent), &self.files(id)),
            None => Ok(()),
        }
    }

    fn mounts(&self, id: SnapshotId, parents: &[SnapshotId], kind: SnapshotKind) -> Result<Vec<Mount>> {
        let writable = kind == SnapshotKind::Active;
        let Some(last) = parents.len().checked_sub(1) else {
            let options = vec!["rbind".to_owned(), if writable { "rw" } else { "ro" }.to_owned()];
            return Ok(vec![Mount { kind: "bind".to_owned(), source: self.files(id).display().to_string(), options }]);
        };
        let mut mounts: Vec<Mount> = parents.iter().map(|parent| layer(&self.image(*parent))).collect();
        if last > 0 || writable {
            let mut options = vec![format!("lowerdir={{{{ overlay 0 {last} }}}}")];
            if writable {
                options.push(format!("upperdir={}", self.files(id).display()));
                options.push(format!("workdir={}", self.directory(id).join("work").display()));
            }
            mounts.push(Mount { kind: "format/overlay".to_owned(), source: "overlay".to_owned(), options });
        }
        Ok(mounts)
    }

    fn unpack_target(&self, id: SnapshotId) -> UnpackTarget {
        UnpackTarget { directory: self.files(id), whiteouts: Whiteouts::Overlay, independent: true }
    }

    fn directory(&self, id: SnapshotId) -> PathBuf {
        self.root.join(id.0.to_string())
    }

    /// Of the image once it has taken the place of the files.
    fn usage(&self, id: SnapshotId) -> Result<Usage> {
        let files = self.files(id);
        if is_empty(&files)?
            && let Ok(image) = fs::symlink_metadata(self.image(id))
        {
            return Ok(Usage { bytes: image.blocks() * 512, inodes: 1 });
        }
        native::disk_usage(&files)
    }

    fn seal(&self, id: SnapshotId, _labels: &Labels) -> Result<()> {
        make(&self.files(id), &self.directory(id))
    }

    fn measure(&self, id: SnapshotId, _sums: &Sums) -> Result<Measured> {
        tree::measure_these(&self.directory(id), vec![PathBuf::from(IMAGE)], &Sums::new())
    }

    /// The image has the files.
    fn settle(&self, id: SnapshotId) -> Result<()> {
        let image = self.image(id);
        fs::symlink_metadata(&image).context(|| format!("stat {}", image.display()))?;
        for directory in [self.files(id), self.directory(id).join("work")] {
            for entry in fs::read_dir(&directory).context(|| format!("list {}", directory.display()))? {
                let path = entry.context(|| format!("list {}", directory.display()))?.path();
                let removed = match fs::symlink_metadata(&path) {
                    Ok(meta) if meta.is_dir() => fs::remove_dir_all(&path),
                    _ => fs::remove_file(&path),
                };
                removed.context(|| format!("remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn remove(&self, id: SnapshotId) -> Result<()> {
        native::remove(&self.directory(id))
    }
}

fn layer(image: &Path) -> Mount {
    Mount { kind: "erofs".to_owned(), source: image.display().to_string(), options: vec!["ro".to_owned()] }
}

fn is_empty(directory: &Path) -> Result<bool> {
    let mut entries = fs::read_dir(directory).context(|| format!("list {}", directory.display()))?;
    Ok(entries.next().is_none())
}

/// An image of `files` in `directory`, whole or not at all. What was there of an attempt before is replaced.
fn make(files: &Path, directory: &Path) -> Result<()> {
    let (half, image) = (directory.join(HALF), directory.join(IMAGE));
    let doing = || format!("make {}", image.display());
    let Some(program) = programs::find(PROGRAM) else {
        bail!(FailedPrecondition, "{}: there is no {PROGRAM} any more: install erofs-utils", doing());
    };
    match fs::remove_file(&half) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", &half, error)),
        _ => {}
    }
    programs::run(Command::new(program).arg("--quiet").arg(&half).arg(files)).context(doing)?;
    fs::set_permissions(&half, fs::Permissions::from_mode(0o400)).context(|| format!("chmod {}", half.display()))?;
    fs::rename(&half, &image).context(doing)
}

/// A container's mounts, on an image of nothing.
fn try_out(probe: &Path, merged: &Path) -> Result<()> {
    for path in [probe, &probe.join("fs"), &probe.join("work"), merged] {
        DirBuilder::new().mode(0o700).create(path).context(|| format!("create {}", path.display()))?;
    }
    make(&probe.join("fs"), probe)?;
    let options = vec![
        "lowerdir={{ overlay 0 0 }}".to_owned(),
        format!("upperdir={}", probe.join("fs").display()),
        format!("workdir={}", probe.join("work").display()),
    ];
    let overlay = Mount { kind: "format/overlay".to_owned(), source: "overlay".to_owned(), options };
    super::mount(&[layer(&probe.join(IMAGE)), overlay], merged)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Snapshotter, suite::rig},
        *,
    };

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn snp_14_a_start_finishes_a_commit_and_misses_a_lost_image() {
        let Some(rig) = rig("erofs") else { return };
        rig.layer("one", None, |root| fs::write(root.join("a"), "1").unwrap()).await;
        rig.layer("two", Some("one"), |root| fs::write(root.join("b"), "2").unwrap()).await;
        let driver = Erofs::new(&rig.dir.path().join("snapshots"));
        let ids = rig.db.snapshots("erofs").unwrap();
        let [one, two] = [ids[0].id, ids[1].id];
        // As if it had died right after the row was written.
        fs::create_dir(driver.files(one).join("d")).unwrap();
        fs::write(driver.files(one).join("d/a"), "1").unwrap();
        assert_eq!(rig.snapshotter.recover().await.unwrap(), (0, 0));
        assert!(is_empty(&driver.files(one)).unwrap());
        let measured = driver.measure(two, &Sums::new()).unwrap();
        assert_eq!(ids[1].tree, measured.tree);

        fs::remove_file(driver.image(one)).unwrap();
        rig.snapshotter.recover().await.unwrap();
        let kept = rig.snapshotter.walk().await.unwrap();
        assert!(kept.iter().all(|info| info.key.starts_with("damaged-")), "{kept:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_layer_has_what_was_unpacked_and_owners_and_times_of_it() {
        let Some(rig) = rig("erofs") else { return };
        let mut was = None;
        rig.layer("one", None, |root| {
            fs::write(root.join("a"), "1").unwrap();
            fs::hard_link(root.join("a"), root.join("b")).unwrap();
            std::os::unix::fs::lchown(root.join("a"), Some(70_000), Some(5)).unwrap();
            fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o4755)).unwrap();
            rustix::fs::lsetxattr(root.join("a"), "security.capability", CAPABILITY, rustix::fs::XattrFlags::empty())
                .unwrap();
            fs::set_permissions(root, fs::Permissions::from_mode(0o751)).unwrap();
            was = Some(fs::metadata(root.join("a")).unwrap());
        })
        .await;
        let was = was.unwrap();
        for key in ["view", "run"] {
            let mounts = match key {
                "view" => rig.snapshotter.view(key, Some("one"), Labels::new()).await.unwrap(),
                _ => rig.snapshotter.prepare(key, Some("one"), Labels::new()).await.unwrap(),
            };
            rig.with(&mounts, |root| {
                let is = fs::metadata(root.join("b")).unwrap();
                let all = |m: &fs::Metadata| (m.uid(), m.gid(), m.mode(), m.nlink(), m.mtime(), m.mtime_nsec());
                assert_eq!(all(&is), all(&was), "{key}");
                let mut value = [0; 64];
                let length = rustix::fs::lgetxattr(root.join("a"), "security.capability", &mut value[..]).unwrap();
                assert_eq!(&value[..length], CAPABILITY, "{key}");
                assert_eq!(fs::metadata(root).unwrap().mode() & 0o7777, 0o751, "{key}");
            });
        }
    }

    /// `cap_net_raw=ep`, version 2.
    const CAPABILITY: &[u8] = &[1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn snp_18_what_mkfs_complains_of_is_said_and_nothing_is_committed() {
        let Some(rig) = rig("erofs") else { return };
        let directory = rig.dir.path().join("snapshots/erofs");
        rig.snapshotter.prepare("t", None, Labels::new()).await.unwrap();
        let id = rig.db.snapshot("erofs", "t").unwrap().id.0.to_string();
        // Nobody can write an image over a directory.
        fs::create_dir_all(directory.join(&id).join(IMAGE)).unwrap();
        fs::write(directory.join(&id).join(IMAGE).join("x"), "").unwrap();
        let error = rig.snapshotter.commit("t", "one", Labels::new()).await.unwrap_err();
        assert!(format!("{error:#}").contains(IMAGE), "{error:#}");
        fs::remove_dir_all(directory.join(&id)).unwrap();
        DirBuilder::new().create(directory.join(&id)).unwrap();
        let error = rig.snapshotter.commit("t", "one", Labels::new()).await.unwrap_err();
        let said = format!("{error:#}");
        assert!(said.contains("mkfs.erofs") && said.contains("No such file"), "{said}");
        assert!(rig.snapshotter.stat("one").await.is_err());
    }
}
