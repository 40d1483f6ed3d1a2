//! Makes anew what a check found damaged: from what is still here, else from the registry.

use serde::Serialize;

use super::{Remedy, Report, check};
use crate::{
    engine::{Config, gc, metadata::Db, stores::Stores},
    error::{Error, Kind, Result},
};

/// What a repair did.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    pub before: Report,
    /// Names of images made whole again.
    pub healed: Vec<String>,
    /// Names of images that still have to be pulled, and why.
    pub failed: Vec<(String, String)>,
    pub after: Report,
}

/// Checks, takes what is damaged out of use, starts the stores (which removes what nothing explains), unpacks or fetches
/// again what images miss, and checks again. Containers on a damaged layer are neither stopped nor moved.
///
/// # Errors
/// As [`check`]; an image that cannot be made whole is no error but stays marked: the next pull of it makes it anew.
pub async fn repair(config: &Config, deep: bool) -> Result<Repair> {
    let before = checked(config, deep).await?;
    let (mut blobs, mut layers) = (Vec::new(), Vec::new());
    for finding in &before.findings {
        match &finding.remedy {
            Remedy::Start => {}
            Remedy::Blob(digest) => blobs.push(digest.clone()),
            Remedy::Layer(id) => layers.push(*id),
        }
    }
    if !(blobs.is_empty() && layers.is_empty()) {
        let path = config.root.join("meta.db");
        blocking(move || Db::open(&path)?.condemn(&blobs, &layers)).await?;
    }
    let (mut healed, mut failed) = (Vec::new(), Vec::new());
    {
        let stores = Stores::open(config).await?;
        for image in stores.db.damaged_images()?.iter() {
            let name = image.tags.first().or(image.digests.first()).cloned().unwrap_or_else(|| image.id.to_string());
            match stores.puller.repair(image).await {
                Ok(_) => healed.push(name),
                Err(error) => failed.push((name, format!("{error:#}"))),
            }
        }
        gc::collect(&stores.db, &stores.content, &*stores.snapshotter).await?;
    }
    Ok(Repair { before, healed, failed, after: checked(config, deep).await? })
}

async fn checked(config: &Config, deep: bool) -> Result<Report> {
    let config = config.clone();
    blocking(move || check(&config, deep)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "the check died").with_source(e)))
}
