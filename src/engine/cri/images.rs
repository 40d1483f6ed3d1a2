//! Images: one function per RPC.

use std::{collections::HashMap, sync::Arc};

use super::{pod::blocking, state::now};
use crate::{
    bail,
    engine::{
        Engine, crash,
        image::{auth::Credentials, config::ImageConfig, pull::Report},
        metadata::ImageRow,
        snapshot::Usage,
    },
    error::{Context, Kind, Result},
    proto::cri,
};

pub async fn pull_image(engine: &Arc<Engine>, request: cri::PullImageRequest) -> Result<String> {
    let reference = request.image.unwrap_or_default().image;
    let credentials = request.auth.map(|auth| credentials(&auth)).transpose()?.flatten();
    let image = pull(engine, &reference, credentials.as_ref(), Arc::new(|_| ())).await?;
    Ok(image.id.to_string())
}

/// A pull that leaves nothing behind when it fails.
pub async fn pull(
    engine: &Arc<Engine>,
    reference: &str,
    credentials: Option<&Credentials>,
    report: Report,
) -> Result<ImageRow> {
    match engine.puller.pull(reference, credentials, report).await {
        Ok(image) => {
            if engine.config.registry.discard_unpacked_layers {
                engine.collect_soon();
            }
            Ok(image)
        }
        Err(error) => Err(error.and_cleanup(engine.collect().await.map(drop))),
    }
}

/// AuthConfig: user and password, or both in `auth` (base64 of `user:password`), or tokens.
fn credentials(auth: &cri::AuthConfig) -> Result<Option<Credentials>> {
    if !auth.username.is_empty() {
        return Ok(Some(Credentials::basic(&auth.username, &auth.password)));
    }
    if !auth.auth.is_empty() {
        let pair = Credentials::from_base64(&auth.auth);
        return pair.map(Some).context(|| "the pull request's auth".to_owned());
    }
    if !auth.identity_token.is_empty() {
        return Ok(Some(Credentials::identity_token(&auth.identity_token)));
    }
    Ok((!auth.registry_token.is_empty()).then(|| Credentials::bearer(&auth.registry_token)))
}

pub async fn list_images(engine: &Arc<Engine>, filter: Option<cri::ImageFilter>) -> Result<Vec<cri::Image>> {
    let wanted = filter.and_then(|f| f.image).unwrap_or_default().image;
    let (rows, damaged) = if wanted.is_empty() {
        let db = Arc::clone(&engine.db);
        blocking(move || Ok((db.images()?, db.damaged_images()?))).await?
    } else {
        (engine.image(&wanted).await?.into_iter().collect(), Arc::default())
    };
    let mut list = Vec::with_capacity(rows.len() + damaged.len());
    for row in rows.iter() {
        let config = match engine.image_config(row).await {
            // One that cannot be read must not hide the others; it has to be pulled again.
            Err(error) if matches!(error.kind(), Kind::DataLoss | Kind::NotFound) => {
                tracing::error!(image = %row.id, "its configuration is damaged: it has to be pulled again: {error:#}");
                let (db, id) = (Arc::clone(&engine.db), row.id.clone());
                blocking(move || db.condemn(&[id], &[])).await?;
                ImageConfig::default()
            }
            other => other?,
        };
        list.push(to_cri(row, &config));
    }
    // They take space, and whoever makes room must see them.
    list.extend(damaged.iter().map(|row| to_cri(row, &ImageConfig::default())));
    Ok(list)
}

fn to_cri(row: &ImageRow, config: &ImageConfig) -> cri::Image {
    let user = config.user.as_deref().unwrap_or_default().split(':').next().unwrap_or_default();
    let uid = user.parse::<i64>().ok();
    cri::Image {
        id: row.id.to_string(),
        repo_tags: row.tags.clone(),
        repo_digests: row.digests.clone(),
        size: row.size,
        username: if uid.is_some() { String::new() } else { user.to_owned() },
        uid: uid.map(|value| cri::Int64Value { value }),
        spec: None,
        pinned: row.pinned,
    }
}

pub async fn image_status(engine: &Arc<Engine>, request: cri::ImageStatusRequest) -> Result<cri::ImageStatusResponse> {
    let wanted = request.image.unwrap_or_default().image;
    if wanted.is_empty() {
        bail!(InvalidArgument, "image status: no image named");
    }
    let Some(row) = engine.image(&wanted).await? else {
        // A damaged image is not here under the names that pods use; by its id it can be looked at and removed.
        let damaged =
            engine.damaged_image(&wanted).await?.filter(|row| wanted.trim_start_matches("sha256:") == row.id.hex());
        let image = damaged.map(|row| to_cri(&row, &ImageConfig::default()));
        return Ok(cri::ImageStatusResponse { image, info: HashMap::new() });
    };
    let config = engine.image_config(&row).await?;
    let mut info = HashMap::new();
    if request.verbose {
        let spec: serde_json::Value = engine.image_config_json(&row).await?;
        let db = Arc::clone(&engine.db);
        let shares = blocking(move || db.image_shares()).await?;
        let text = serde_json::json!({
            "chainID": row.snapshot.as_ref().map(|(_, chain)| chain),
            "snapshotter": row.snapshot.as_ref().map(|(name, _)| name),
            "target": row.target,
            "usage": shares.get(row.id.as_str()),
            "imageSpec": spec,
        });
        info.insert("info".to_owned(), text.to_string());
    }
    Ok(cri::ImageStatusResponse { image: Some(to_cri(&row, &config)), info })
}

/// Idempotent. The image's blobs and snapshots go with the collection that follows.
pub async fn remove_image(engine: &Arc<Engine>, reference: &str) -> Result<()> {
    if reference.is_empty() {
        bail!(InvalidArgument, "remove image: no image named");
    }
    let row = match engine.image(reference).await? {
        Some(row) => Some(row),
        None => engine.damaged_image(reference).await?,
    };
    let Some(row) = row else { return Ok(()) };
    let db = Arc::clone(&engine.db);
    blocking(move || db.delete_image(&row.id)).await.context(|| format!("remove image {reference}"))?;
    crash::point("rmi.1");
    engine.collect().await.map(drop)
}

/// Two figures of one filesystem: what images hold, and what containers have written on top.
pub async fn image_fs_info(engine: &Arc<Engine>) -> Result<cri::ImageFsInfoResponse> {
    let (images, containers) = engine.usage().await?;
    let mountpoint = engine.config.root.display().to_string();
    let figures = |used: Usage| cri::FilesystemUsage {
        timestamp: now(),
        fs_id: Some(cri::FilesystemIdentifier { mountpoint: mountpoint.clone() }),
        used_bytes: Some(cri::UInt64Value { value: used.bytes }),
        inodes_used: Some(cri::UInt64Value { value: used.inodes }),
    };
    Ok(cri::ImageFsInfoResponse {
        image_filesystems: vec![figures(images)],
        container_filesystems: vec![figures(containers)],
    })
}
