//! `Snapshotter` said once, for every driver: rows in the database, directories by the driver, in the order that a
//! crash cannot hurt (docs/architecture.md, "Crash consistency").

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{
    Driver, Labels, Measured, Mount, New, Prepared, SNAPSHOT_REF, SnapshotId, SnapshotInfo, SnapshotKind, Snapshotter,
    Sums, UnpackTarget, Usage,
};
use crate::{
    bail,
    engine::{
        crash,
        metadata::{Db, SnapshotRow},
    },
    error::{Context, Error, Kind, Result},
};

/// A snapshotter whose rows are in this machine's database.
#[derive(Debug, Clone)]
pub struct Local(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    driver: Box<dyn Driver>,
    /// What its rows are kept under: the driver's name, or another for who keeps some apart.
    space: String,
    db: Arc<Db>,
    /// Held while the trash is emptied: two at it would find each other's directories gone.
    sweeping: Mutex<()>,
    /// What is being committed.
    committing: Mutex<HashSet<SnapshotId>>,
}

/// The right to commit a snapshot, until it is dropped.
struct Committing<'a>(&'a Inner, SnapshotId);

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.0.committing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Local {
    pub fn new(driver: Box<dyn Driver>, db: Arc<Db>) -> Self {
        let space = driver.name().to_owned();
        Self::apart(driver, space, db)
    }

    pub(super) fn apart(driver: Box<dyn Driver>, space: String, db: Arc<Db>) -> Self {
        Self(Arc::new(Inner { driver, space, db, sweeping: Mutex::default(), committing: Mutex::default() }))
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a snapshotter's task died").with_source(e)))
    }

    /// At start: what a crash left half made goes to the trash, directories nobody knows are deleted, the trash is
    /// emptied. Returns how many snapshots and how many directories that were. A second run finds nothing. A remote
    /// snapshotter that does not answer keeps what it has until the next start.
    pub async fn recover(&self) -> Result<(usize, usize)> {
        self.run(|inner| {
            let unready = inner.db.trash_unready(&inner.space)?;
            let there = match inner.sweep().and_then(|_| inner.driver.list()) {
                // Without it pods and other images are still to be served and looked at.
                Err(error) if inner.driver.is_remote() => {
                    tracing::error!("what a crash may have left there stays until the next start: {error:#}");
                    return Ok((unready, 0));
                }
                other => other?,
            };
            let whole: HashSet<u64> = there.iter().filter(|(_, whole)| *whole).map(|(id, _)| id.0).collect();
            let rows = inner.db.snapshots(&inner.space)?;
            let mut lost = Vec::new();
            for row in rows.iter().filter(|s| s.info.kind == SnapshotKind::Committed) {
                match inner.driver.settle(row.id) {
                    Ok(()) if whole.contains(&row.id.0) => {}
                    Err(error) if !error.is(Kind::NotFound) => {
                        tracing::warn!(snapshot = row.id.0, "a committed snapshot: {error:#}");
                    }
                    _ if row.info.key.starts_with("damaged-") => {}
                    _ => lost.push(row.id),
                }
            }
            if !lost.is_empty() {
                let images = inner.db.condemn(&[], &lost)?;
                tracing::error!(?lost, ?images, "layers are missing: their images have to be pulled again");
            }
            let known: HashSet<u64> = rows.into_iter().map(|s| s.id.0).collect();
            let orphans: BTreeSet<u64> = there.iter().map(|(id, _)| id.0).filter(|id| !known.contains(id)).collect();
            // Children came after their parents.
            for id in orphans.iter().rev() {
                inner.driver.remove(SnapshotId(*id))?;
            }
            Ok((unready, orphans.len()))
        })
        .await
    }

    async fn make(&self, key: &str, kind: SnapshotKind, parent: Option<&str>, labels: Labels) -> Result<Vec<Mount>> {
        let (key, parent) = (key.to_owned(), parent.map(ToOwned::to_owned));
        self.run(move |inner| {
            let (row, _) = inner.make(&key, kind, parent.as_deref(), &labels, false)?;
            inner.driver.mounts(row.id, &row.parents, kind)
        })
        .await
        .context(|| format!("prepare snapshot in {}", self.name()))
    }

    async fn commit_as(
        &self,
        key: &str,
        name: &str,
        parent: Option<Option<String>>,
        labels: Labels,
        sums: Sums,
    ) -> Result<SnapshotInfo> {
        let (key, name) = (key.to_owned(), name.to_owned());
        self.run(move |inner| {
            let id = inner.row(&key)?.id;
            let _one = inner.committing(id)?;
            let row = inner.row(&key)?;
            // Sealing it again could make nothing of a layer that others stand on.
            if row.info.kind != SnapshotKind::Active {
                bail!(FailedPrecondition, "snapshot {key} is not active");
            }
            inner.driver.seal(row.id, &labels)?;
            let measured = inner.driver.measure(row.id, &sums)?;
            // Before the row, and outside the transaction: a committed row without its files cannot be.
            inner.driver.sync(row.id)?;
            crash::point("unp.5");
            let parent = parent.as_ref().map(Option::as_deref);
            let row = inner.db.commit_snapshot(&inner.space, &key, &name, parent, &measured, &labels)?;
            crash::point("unp.8");
            // It is committed, whatever comes of this; the next start tries again.
            if let Err(error) = inner.driver.settle(row.id) {
                tracing::warn!(snapshot = row.id.0, "a committed snapshot: {error:#}");
            }
            Ok(row.info)
        })
        .await
    }
}

impl Inner {
    fn row(&self, key: &str) -> Result<SnapshotRow> {
        self.db.snapshot(&self.space, key)
    }

    fn committing(&self, id: SnapshotId) -> Result<Committing<'_>> {
        if !self.committing.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            bail!(FailedPrecondition, "snapshot {} is being committed already", id.0);
        }
        Ok(Committing(self, id))
    }

    /// On error nothing is left of it.
    fn make(
        &self,
        key: &str,
        kind: SnapshotKind,
        parent: Option<&str>,
        labels: &Labels,
        layer: bool,
    ) -> Result<(SnapshotRow, Prepared)> {
        let row = self.db.new_snapshot(&self.space, key, kind, parent, labels)?;
        crash::point("unp.1");
        let made = self.driver.make(&New { id: row.id, parents: &row.parents, kind, labels, layer }).and_then(|made| {
            crash::point("unp.2");
            self.db.ready_snapshot(row.id).map(|()| made)
        });
        match made {
            Ok(made) => Ok((row, made)),
            Err(error) => Err(error.and_cleanup(self.undo(key))),
        }
    }

    fn undo(&self, key: &str) -> Result<()> {
        self.db.remove_snapshot(&self.space, key).and_then(|_| self.sweep().map(drop))
    }

    fn discard(&self, id: SnapshotId) -> Result<Usage> {
        let freed = match self.driver.estimate(id) {
            Ok(usage) => usage,
            // It went before a crash, or was never made whole.
            Err(error) if error.is(Kind::NotFound) => Usage::default(),
            Err(error) => return Err(error),
        };
        self.driver.remove(id)?;
        crash::point("gc.3");
        self.db.forget_trash(&self.space, id)?;
        crash::point("gc.4");
        Ok(freed)
    }

    fn sweep(&self) -> Result<Usage> {
        let _one = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let mut freed = Usage::default();
        let trash = self.db.trash(&self.space)?;
        let mut failed = None;
        for id in &trash {
            match self.discard(*id) {
                Ok(usage) => freed = freed + usage,
                // A daemon that is down is down for all.
                Err(error) if matches!(error.kind(), Kind::Unavailable | Kind::DeadlineExceeded) => return Err(error),
                // One that cannot go yet keeps no other from going.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if !trash.is_empty() {
            self.driver.swept()?;
        }
        failed.map_or(Ok(freed), Err)
    }
}

#[async_trait]
impl Snapshotter for Local {
    fn name(&self) -> &str {
        &self.0.space
    }

    async fn stat(&self, key: &str) -> Result<SnapshotInfo> {
        let key = key.to_owned();
        self.run(move |inner| Ok(inner.row(&key)?.info)).await
    }

    async fn usage(&self, key: &str) -> Result<Usage> {
        let key = key.to_owned();
        self.run(move |inner| {
            let row = inner.row(&key)?;
            match row.usage {
                Some(usage) => Ok(usage),
                None => inner.driver.usage(row.id),
            }
        })
        .await
    }

    async fn mounts(&self, key: &str) -> Result<Vec<Mount>> {
        let key = key.to_owned();
        self.run(move |inner| {
            let row = inner.row(&key)?;
            if row.info.kind == SnapshotKind::Committed {
                bail!(FailedPrecondition, "snapshot {key} is committed: prepare or view one on it");
            }
            inner.driver.mounts(row.id, &row.parents, row.info.kind)
        })
        .await
    }

    async fn prepare(&self, key: &str, parent: Option<&str>, labels: Labels) -> Result<Vec<Mount>> {
        self.make(key, SnapshotKind::Active, parent, labels).await
    }

    async fn prepare_layer(&self, key: &str, name: &str, parent: Option<&str>, mut labels: Labels) -> Result<Prepared> {
        let (key, name, parent) = (key.to_owned(), name.to_owned(), parent.map(ToOwned::to_owned));
        self.run(move |inner| {
            let (row, made) = inner.make(&key, SnapshotKind::Active, parent.as_deref(), &labels, true)?;
            if made == Prepared::Committed {
                labels.insert(SNAPSHOT_REF.to_owned(), name.clone());
                let recorded = inner.driver.usage(row.id).and_then(|usage| {
                    let measured = Measured { usage, tree: None };
                    inner.db.commit_snapshot(&inner.space, &key, &name, None, &measured, &labels)
                });
                if let Err(error) = recorded {
                    return Err(error.and_cleanup(inner.undo(&key)));
                }
            }
            Ok(made)
        })
        .await
        .context(|| format!("prepare a layer in {}", self.name()))
    }

    async fn view(&self, key: &str, parent: Option<&str>, labels: Labels) -> Result<Vec<Mount>> {
        self.make(key, SnapshotKind::View, parent, labels).await
    }

    async fn commit(&self, key: &str, name: &str, labels: Labels) -> Result<SnapshotInfo> {
        self.commit_as(key, name, None, labels, Sums::new()).await
    }

    async fn relabel(&self, key: &str, labels: Labels) -> Result<SnapshotInfo> {
        let key = key.to_owned();
        self.run(move |inner| Ok(inner.db.relabel_snapshot(&inner.space, &key, &labels)?.info)).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.run(move |inner| {
            inner.db.remove_snapshot(&inner.space, &key)?;
            crash::point("rm.5");
            if inner.driver.removes_later() {
                return Ok(());
            }
            inner.sweep().map(drop)
        })
        .await
    }

    async fn walk(&self) -> Result<Vec<SnapshotInfo>> {
        self.run(|inner| Ok(inner.db.snapshots(&inner.space)?.into_iter().map(|s| s.info).collect())).await
    }

    async fn totals(&self) -> Result<(Usage, Vec<String>)> {
        self.run(|inner| inner.db.snapshot_totals(&inner.space)).await
    }

    async fn sweep(&self) -> Result<Usage> {
        self.run(Inner::sweep).await
    }

    fn is_remote(&self) -> bool {
        self.0.driver.is_remote()
    }

    fn independent(&self) -> bool {
        self.0.driver.unpack_target(SnapshotId(0)).independent
    }

    async fn unpack_target(&self, key: &str) -> Result<UnpackTarget> {
        let key = key.to_owned();
        self.run(move |inner| {
            let row = inner.row(&key)?;
            if row.info.kind != SnapshotKind::Active {
                bail!(FailedPrecondition, "snapshot {key} is not active");
            }
            Ok(inner.driver.unpack_target(row.id))
        })
        .await
    }

    async fn place(&self, key: &str) -> Result<UnpackTarget> {
        let key = key.to_owned();
        self.run(move |inner| Ok(inner.driver.unpack_target(inner.row(&key)?.id))).await
    }

    async fn commit_onto(
        &self,
        key: &str,
        name: &str,
        parent: Option<&str>,
        labels: Labels,
        sums: Sums,
    ) -> Result<SnapshotInfo> {
        let target = self.unpack_target(key).await?;
        let same = self.stat(key).await?.parent.as_deref() == parent;
        if !(same || target.independent) {
            bail!(Unimplemented, "{} cannot give snapshot {key} another parent", self.name());
        }
        self.commit_as(key, name, Some(parent.map(ToOwned::to_owned)), labels, sums).await
    }
}
