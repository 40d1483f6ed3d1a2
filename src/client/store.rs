//! Names and pins of images, and collections of garbage, by containerd's own API, which our engine serves as well: CRI has no call
//! for any of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use prost_types::FieldMask;

use super::{
    Runtime,
    action::{Act, lacks},
    containerd::{CRI, in_namespace},
    cri::{Cri, QUESTION, within},
    types::{Garbage, Image, short_id},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::containerd::services::{
        content::v1::{ListContentRequest, content_client::ContentClient},
        images::v1::{
            CreateImageRequest, GetImageRequest, Image as Record, UpdateImageRequest, images_client::ImagesClient,
        },
        leases::v1::{
            CreateRequest as LeaseRequest, DeleteRequest as EndLease, ListRequest as ListLeases,
            leases_client::LeasesClient,
        },
        namespaces::v1::{ListNamespacesRequest, namespaces_client::NamespacesClient},
    },
};

/// What containerd's CRI plugin gives the images that it keeps track of, ...
const MANAGED: (&str, &str) = ("io.cri-containerd.image", "managed");
/// ... and those that its collectors leave.
const PINNED: (&str, &str) = ("io.cri-containerd.pinned", "pinned");
/// How an expired lease is told from others; containerd ends it with the next collection.
const EXPIRE: &str = "containerd.io/gc.expire";
/// A collection walks over everything there is.
const COLLECTION: Duration = Duration::from_secs(110);
/// Until CRI shows what was done beside it.
const SHOWN: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);
/// Blobs of one namespace that are counted.
const MOST: usize = 100_000;

impl Cri {
    fn can(&self, act: Act, what: &str) -> Result<()> {
        self.changes(what)?;
        match lacks(act, self.info()) {
            Some(why) => bail!(Unimplemented, "{what}: {why}"),
            None => Ok(()),
        }
    }

    async fn image(&self, id: &str) -> Result<Image> {
        let found = self.images().await?.into_iter().find(|i| i.id == id);
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no image {} any more", short_id(id))))
    }

    /// Waits until CRI lists the image in this way.
    async fn shown(&self, id: &str, so: impl Fn(&Image) -> bool) -> Result<bool> {
        let until = Instant::now() + SHOWN;
        loop {
            if so(&self.image(id).await?) {
                return Ok(true);
            }
            if Instant::now() > until {
                return Ok(false);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The record of a name, if there is one.
    async fn record(&self, name: &str, what: &str) -> Result<Option<Record>> {
        let mut client = ImagesClient::new(self.transport());
        let call = client.get(in_namespace(CRI, GetImageRequest { name: name.to_owned() })?);
        match within(QUESTION, what, call).await {
            Err(error) if error.is(Kind::NotFound) => Ok(None),
            found => found.map(|found| found.image),
        }
    }

    /// Gives an image one more name.
    pub(super) async fn tag(&self, id: &str, name: &str) -> Result<String> {
        let what = format!("name image {} {name}", short_id(id));
        self.can(Act::Tag, &what)?;
        let mut client = ImagesClient::new(self.transport());
        let mut target = None;
        for known in records(&self.image(id).await?) {
            target = self.record(&known, &what).await?.and_then(|record| record.target);
            if target.is_some() {
                break;
            }
        }
        if target.is_none() {
            bail!(NotFound, "{what}: it has no record of its own");
        }
        let labels = HashMap::from([(MANAGED.0.to_owned(), MANAGED.1.to_owned())]);
        let image = Some(Record { name: name.to_owned(), labels, target, ..Record::default() });
        let made =
            client.create(in_namespace(CRI, CreateImageRequest { image: image.clone(), source_date_epoch: None })?);
        match within(QUESTION, &what, made).await {
            Err(error) if error.is(Kind::AlreadyExists) => {
                let update_mask = Some(FieldMask { paths: vec!["target".to_owned()] });
                let moved = client
                    .update(in_namespace(CRI, UpdateImageRequest { image, update_mask, source_date_epoch: None })?);
                within(QUESTION, &what, moved).await.map(drop)
            }
            other => other.map(drop),
        }?;
        if !self.shown(id, |image| image.tags.iter().any(|t| t == name)).await? {
            bail!(Internal, "{what}: it was recorded, and CRI does not show it");
        }
        Ok(String::new())
    }

    /// Has an image's collectors leave it, or not any more.
    pub(super) async fn pin(&self, id: &str, pinned: bool) -> Result<String> {
        let what = format!("{} image {}", if pinned { "pin" } else { "unpin" }, short_id(id));
        self.can(Act::Pin, &what)?;
        let image = self.image(id).await?;
        self.label(&image, pinned, &what).await?;
        if !self.shown(id, |image| image.pinned == pinned).await? {
            let undone = self.label(&image, !pinned, &what).await;
            let text = format!("{what}: {} recorded it, and CRI does not show it", self.info().name);
            return Err(Error::new(Kind::Unimplemented, text).and_cleanup(undone));
        }
        Ok(String::new())
    }

    /// Each name is a record with a pin of its own.
    async fn label(&self, image: &Image, pinned: bool, what: &str) -> Result<()> {
        let mut client = ImagesClient::new(self.transport());
        let mut any = false;
        for name in records(image) {
            // With its target: containerd dies of an update without one.
            let Some(record) = self.record(&name, what).await?.filter(|r| r.target.is_some()) else { continue };
            let labels = pinned.then(|| (PINNED.0.to_owned(), PINNED.1.to_owned())).into_iter().collect();
            let request = UpdateImageRequest {
                image: Some(Record { labels, ..record }),
                update_mask: Some(FieldMask { paths: vec![format!("labels.{}", PINNED.0)] }),
                source_date_epoch: None,
            };
            match within(QUESTION, what, client.update(in_namespace(CRI, request)?)).await {
                Err(error) if error.is(Kind::NotFound) => {}
                other => any |= other.map(|_| true)?,
            }
        }
        if !any {
            bail!(NotFound, "{what}: it has no record of its own");
        }
        Ok(())
    }

    /// What a collection would free. containerd does not tell; its expired leases are among it.
    pub(super) async fn unreferenced(&self) -> Result<Garbage> {
        if let Some(why) = lacks(Act::Collect, self.info()) {
            bail!(Unimplemented, "{why}");
        }
        let mut client = LeasesClient::new(self.transport());
        let call = client.list(in_namespace(CRI, ListLeases::default())?);
        let answer = tokio::time::timeout(QUESTION, call).await;
        let answer = answer.map_err(|_| Error::new(Kind::DeadlineExceeded, "list leases: no answer"))?;
        let answer = answer.map_err(|s| Error::from(s).context("list leases"))?;
        if let Some(told) = told(answer.metadata()) {
            return Ok(told);
        }
        let now = jiff::Timestamp::now();
        let over = |at: &String| at.parse::<jiff::Timestamp>().is_ok_and(|at| at < now);
        let leases = answer.into_inner().leases;
        let expired = leases.iter().filter(|lease| lease.labels.get(EXPIRE).is_some_and(over)).count();
        match expired {
            0 => bail!(Unimplemented, "{} tells it afterwards", self.info().name),
            count => Ok(Garbage { leases: count as u64, ..Garbage::default() }),
        }
    }

    /// Has garbage collected and waits for it: containerd does so when a lease is ended in that way. What it freed.
    pub(super) async fn collect(&self) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        self.can(Act::Collect, "collect garbage")?;
        let before = self.holds().await;
        let id = format!("wharf-gc-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut client = LeasesClient::new(self.transport());
        // Should this end in between.
        let soon = jiff::Timestamp::now() + Duration::from_secs(300);
        let labels = HashMap::from([(EXPIRE.to_owned(), soon.to_string())]);
        let taken = client.create(in_namespace(CRI, LeaseRequest { id: id.clone(), labels })?);
        within(QUESTION, "take a lease", taken).await?;
        let ended = client.delete(in_namespace(CRI, EndLease { id, sync: true })?);
        let answer = tokio::time::timeout(COLLECTION, ended).await;
        let late =
            || Error::new(Kind::DeadlineExceeded, format!("collect garbage: no end in {} s", COLLECTION.as_secs()));
        let answer = answer.map_err(|_| late())?.map_err(|s| Error::from(s).context("collect garbage"))?;
        let freed = match (told(answer.metadata()), before) {
            (Some(freed), _) => freed,
            (None, Ok(before)) => before.less(&self.holds().await?),
            (None, Err(error)) => return Ok(format!("freed what there was: {error:#}")),
        };
        Ok(format!("freed {freed}"))
    }

    /// What containerd has, to tell afterwards what has gone.
    async fn holds(&self) -> Result<Holds> {
        if self.info().name != "containerd" {
            return Ok(Holds::default());
        }
        let mut holds = Holds::default();
        let mut client = NamespacesClient::new(self.transport());
        let all =
            within(QUESTION, "list containerd's namespaces", client.list(ListNamespacesRequest::default())).await?;
        for namespace in all.namespaces.into_iter().map(|n| n.name) {
            let mut client = ContentClient::new(self.transport());
            let request = in_namespace(&namespace, ListContentRequest::default())?;
            let mut parts = within(QUESTION, "list content", client.list(request)).await?;
            while let Some(part) = parts.try_next().await? {
                let sizes = part.info.into_iter().map(|i| (i.digest, u64::try_from(i.size).unwrap_or(0)));
                holds.blobs.extend(sizes.take(MOST.saturating_sub(holds.blobs.len())));
            }
            let mut client = LeasesClient::new(self.transport());
            let leases = within(QUESTION, "list leases", client.list(in_namespace(&namespace, ListLeases::default())?));
            let leases = leases.await?.leases.into_iter();
            holds.leases.extend(leases.map(|lease| ((namespace.clone(), lease.id), 0)));
        }
        let rows = self.snapshots().await?.into_iter();
        holds.snapshots = rows.map(|row| ((row.namespace, row.snapshotter, row.key), row.bytes.unwrap_or(0))).collect();
        Ok(holds)
    }
}

/// The names of an image's records: to containerd each is an image of its own.
fn records(image: &Image) -> Vec<String> {
    image.tags.iter().chain(&image.digests).chain([&image.id]).cloned().collect()
}

/// What our engine says beside an answer.
fn told(metadata: &tonic::metadata::MetadataMap) -> Option<Garbage> {
    let figure = |name: &str| metadata.get(name)?.to_str().ok()?.parse().ok();
    Some(Garbage {
        blobs: figure("wharf-blobs")?,
        snapshots: figure("wharf-snapshots")?,
        leases: figure("wharf-leases")?,
        bytes: figure("wharf-bytes")?,
    })
}

/// Blobs by digest, snapshots and leases by their names, with their bytes.
#[derive(Debug, Default)]
struct Holds {
    blobs: BTreeMap<String, u64>,
    snapshots: BTreeMap<(String, String, String), u64>,
    leases: BTreeMap<(String, String), u64>,
}

impl Holds {
    /// What is here and not in `after`.
    fn less(&self, after: &Self) -> Garbage {
        fn gone<K: Ord>(before: &BTreeMap<K, u64>, after: &BTreeMap<K, u64>) -> (u64, u64) {
            let gone = before.iter().filter(|(key, _)| !after.contains_key(key)).map(|(_, bytes)| bytes);
            gone.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes))
        }
        let (blobs, of_blobs) = gone(&self.blobs, &after.blobs);
        let (snapshots, of_snapshots) = gone(&self.snapshots, &after.snapshots);
        let (leases, _) = gone(&self.leases, &after.leases);
        Garbage { blobs, snapshots, leases, bytes: of_blobs + of_snapshots }
    }
}
