//! Images: one function per RPC.

use std::{collections::HashMap, sync::Arc};

use super::{pod::blocking, state::now};
use crate::{
    bail,
    engine::{
        Engine,
        image::{auth::Credentials, config::ImageConfig, pull::Report},
        metadata::ImageRow,
    },
    error::{Context, Result},
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
    let rows = if wanted.is_empty() {
        let db = Arc::clone(&engine.db);
        blocking(move || db.images()).await?
    } else {
        engine.image(&wanted).await?.into_iter().collect()
    };
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let config = engine.image_config(&row).await?;
        list.push(to_cri(&row, &config));
    }
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
    let Some(row) = engine.image(&wanted).await? else { return Ok(cri::ImageStatusResponse::default()) };
    let config = engine.image_config(&row).await?;
    let mut info = HashMap::new();
    if request.verbose {
        let spec: serde_json::Value = engine.image_config_json(&row).await?;
        let text = serde_json::json!({
            "chainID": row.snapshot.as_ref().map(|(_, chain)| chain),
            "snapshotter": row.snapshot.as_ref().map(|(name, _)| name),
            "target": row.target,
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
    let Some(row) = engine.image(reference).await? else { return Ok(()) };
    let db = Arc::clone(&engine.db);
    blocking(move || db.delete_image(&row.id)).await.context(|| format!("remove image {reference}"))?;
    engine.collect().await.map(drop)
}

pub async fn image_fs_info(engine: &Arc<Engine>) -> Result<cri::ImageFsInfoResponse> {
    let root = engine.config.root.clone();
    let used = engine.image_usage().await?;
    let usage = cri::FilesystemUsage {
        timestamp: now(),
        fs_id: Some(cri::FilesystemIdentifier { mountpoint: root.display().to_string() }),
        used_bytes: Some(cri::UInt64Value { value: used.bytes }),
        inodes_used: Some(cri::UInt64Value { value: used.inodes }),
    };
    Ok(cri::ImageFsInfoResponse { image_filesystems: vec![usage.clone()], container_filesystems: vec![usage] })
}
