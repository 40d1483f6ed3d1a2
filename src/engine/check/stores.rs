//! Blobs, files, layers and images against their rows.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use ring::digest::{Context as Hasher, SHA256};

use super::{Check, Finding, Level, Remedy};
use crate::{
    engine::{
        content::Digest,
        metadata::SnapshotRow,
        snapshot::{DRIVERS, SnapshotId, SnapshotKind, Sums},
    },
    error::{Context, Error, Result},
};

/// What may be in a root; the last is every ext4 filesystem's own.
const KNOWN: &[&str] = &[
    "LOCK",
    "ballast",
    ".ready",
    "content",
    "snapshots",
    "served",
    "network",
    "scratch",
    "config-backups",
    "audit.log",
    "lost+found",
];

impl Check<'_> {
    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.config.root.join("content/blobs/sha256").join(digest.hex())
    }

    pub(super) fn blobs(&mut self) -> Result<()> {
        let blobs = self.db.blobs()?;
        self.report.blobs = blobs.len();
        for (digest, size) in blobs {
            let path = self.blob_path(&digest);
            let problem = match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Some("its file is missing".to_owned()),
                Err(error) => return Err(Error::io("stat", &path, error)),
                Ok(meta) if !meta.is_file() => Some("its file is not a file".to_owned()),
                Ok(meta) if meta.len() != size => Some(format!("its file has {} bytes, not {size}", meta.len())),
                Ok(_) if !self.report.deep => None,
                Ok(_) => match hash(&path) {
                    Ok(found) if found == digest => None,
                    Ok(found) => Some(format!("its file holds {found}")),
                    Err(error) => Some(format!("{error:#}")),
                },
            };
            if let Some(problem) = problem {
                let mut finding = Finding::new("I1", Level::Damage, format!("blob {digest}"), problem);
                finding.images = self.db.images_with_blob(&digest)?;
                finding.remedy = Remedy::Blob(digest);
                self.found(finding);
            }
        }
        Ok(())
    }

    pub(super) fn files(&mut self) -> Result<()> {
        let root = self.config.root.clone();
        for name in names(&root)? {
            if !KNOWN.contains(&name.as_str()) && !name.starts_with("meta.db") {
                self.damage("I2", format!("file {}", root.join(&name).display()), "nothing of ours: it is left alone");
            }
        }
        let hex = |digests: Vec<Digest>| digests.iter().map(|d| d.hex().to_owned()).collect::<HashSet<_>>();
        let blobs = hex(self.db.blobs()?.into_iter().map(|(digest, _)| digest).collect());
        let ingests = hex(self.db.ingests()?);
        for (directory, known) in [("content/blobs/sha256", blobs), ("content/ingest", ingests.clone())] {
            self.strays(&root.join(directory), |name| known.contains(name))?;
        }
        let written: HashSet<String> = names(&root.join("content/ingest"))?.into_iter().collect();
        for lost in ingests.difference(&written) {
            self.pending("I11", format!("ingest sha256:{lost}"), "nothing of it is here");
        }
        self.strays(&root.join("scratch"), |_| false)?;
        let drivers: Vec<String> = DRIVERS.iter().map(|make| make(&root, None).name().to_owned()).collect();
        self.strays(&root.join("snapshots"), |name| drivers.iter().any(|driver| driver == name))?;
        for index in 0..self.shelves.len() {
            let space = self.shelves[index].space.clone();
            let directory = self.shelves[index].driver.directory(SnapshotId(0)).parent().map(Path::to_owned);
            let mut known: HashSet<String> =
                self.db.snapshots(&space)?.into_iter().map(|row| row.id.0.to_string()).collect();
            for id in self.db.trash(&space)? {
                self.pending("I11", format!("trash {space}/{}", id.0), "it is still to be deleted");
                known.insert(id.0.to_string());
            }
            self.strays(&directory.unwrap_or_default(), |name| known.contains(name))?;
        }
        Ok(())
    }

    /// The next start deletes what nothing explains below the stores' directories.
    fn strays(&mut self, directory: &Path, known: impl Fn(&str) -> bool) -> Result<()> {
        for name in names(directory)? {
            if !known(&name) {
                self.pending("I2", format!("file {}", directory.join(&name).display()), "no row speaks of it");
            }
        }
        Ok(())
    }

    pub(super) fn layers(&mut self) -> Result<()> {
        for index in 0..self.shelves.len() {
            for row in self.db.snapshots(&self.shelves[index].space)? {
                let object = format!("layer {} ({})", row.id.0, row.info.key);
                if row.info.kind != SnapshotKind::Committed {
                    if !self.shelves[index].driver.directory(row.id).exists() {
                        self.damage(
                            "I3",
                            format!("snapshot {} ({})", row.id.0, row.info.key),
                            "its directory is missing",
                        );
                    }
                    continue;
                }
                self.report.layers += 1;
                let (images, containers) = self.db.users_of_snapshot(row.id)?;
                if row.info.key.starts_with("damaged-") {
                    let mut finding =
                        Finding::new("I3", Level::Pending, object, "damaged, and kept for its containers");
                    finding.containers = containers;
                    self.found(finding);
                    continue;
                }
                if let Some(problem) = self.layer_problem(index, &row)? {
                    let mut finding = Finding::new("I3", Level::Damage, object, problem);
                    finding.remedy = Remedy::Layer(row.id);
                    (finding.images, finding.containers) = (images, containers);
                    self.found(finding);
                }
            }
        }
        Ok(())
    }

    fn layer_problem(&mut self, shelf: usize, row: &SnapshotRow) -> Result<Option<String>> {
        let driver = &self.shelves[shelf].driver;
        if !driver.directory(row.id).exists() {
            return Ok(Some("its directory is missing".to_owned()));
        }
        let Some(tree) = row.tree.as_ref() else {
            self.report.unmeasured += 1;
            return Ok(None);
        };
        if !self.report.deep {
            return Ok(None);
        }
        Ok(match driver.measure(row.id, &Sums::new()) {
            Ok(measured) if measured.tree.as_ref() == Some(tree) => None,
            Ok(measured) => {
                let found = measured.tree.map_or_else(|| "nothing".to_owned(), |t| t.short().to_owned());
                let place = driver.directory(row.id);
                Some(format!("the tree in {} is {found}, it was {} when unpacked", place.display(), tree.short()))
            }
            Err(error) => Some(format!("{error:#}")),
        })
    }

    pub(super) fn images(&mut self) -> Result<()> {
        let images = self.db.images()?;
        self.report.images = images.len();
        for image in images.iter() {
            let name = image.tags.first().or(image.digests.first()).cloned().unwrap_or_default();
            let object = format!("image {} ({name})", image.id);
            let mut problems = Vec::new();
            for blob in &self.db.image_blobs(&image.id)? {
                if self.db.blob_size(blob)?.is_none() {
                    problems.push((format!("blob {} is not here", blob.short()), Remedy::Blob(blob.clone())));
                }
            }
            if let Some((snapshotter, chain)) = &image.snapshot {
                match self.db.snapshot(snapshotter, chain) {
                    Ok(row) if row.info.kind == SnapshotKind::Committed => {}
                    Ok(_) => problems.push((format!("its layer {chain} is not committed"), Remedy::Start)),
                    Err(error) => {
                        let blob = Remedy::Blob(image.id.clone());
                        problems.push((format!("its layers are not here: {error:#}"), blob));
                    }
                }
            }
            for (problem, remedy) in problems {
                let mut finding = Finding::new("I3", Level::Damage, object.clone(), problem);
                finding.images = vec![image.id.to_string()];
                finding.remedy = remedy;
                self.found(finding);
            }
        }
        for image in self.db.damaged_images()?.iter() {
            let name = image.tags.first().or(image.digests.first()).cloned().unwrap_or_default();
            let mut finding =
                Finding::new("I3", Level::Damage, format!("image {} ({name})", image.id), "it has to be pulled again");
            finding.images = vec![image.id.to_string()];
            self.found(finding);
        }
        Ok(())
    }
}

/// Names in a directory; none if there is no directory.
pub(super) fn names(directory: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.context(|| format!("list {}", directory.display()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.context(|| format!("list {}", directory.display()))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

fn hash(path: &Path) -> Result<Digest> {
    let mut file = File::open(path).context(|| format!("open {}", path.display()))?;
    // Advice: what the disk holds counts, not what memory does.
    let _advice = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    let (mut hasher, mut buffer) = (Hasher::new(&SHA256), vec![0; 256 << 10]);
    loop {
        let n = file.read(&mut buffer).map_err(|e| Error::io("read", path, e))?;
        if n == 0 {
            return Ok(Digest::from_sha256(hasher.finish().as_ref()));
        }
        hasher.update(&buffer[..n]);
    }
}
