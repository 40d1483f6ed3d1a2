//! containerd's image service over this engine's images: their names and their pins. With it one client gives names on
//! containerd and here, and so does `ctr images tag`. Nothing is fetched or unpacked by this.

use std::{collections::HashMap, sync::Arc};

use tonic::{Request, Response, Status, async_trait};

use super::{Service, in_our_namespace};
use crate::{
    bail,
    engine::{image::reference::Reference, metadata::ImageRow, whole::blocking},
    error::{Error, Kind, Result},
    proto::containerd::{
        services::images::v1::{
            CreateImageRequest, CreateImageResponse, DeleteImageRequest, GetImageRequest, GetImageResponse, Image,
            ListImagesRequest, ListImagesResponse, UpdateImageRequest, UpdateImageResponse, images_server,
        },
        types::Descriptor,
    },
};

/// containerd's label of an image that its collectors leave, and its value.
const PINNED: (&str, &str) = ("io.cri-containerd.pinned", "pinned");

/// One of an image's names, as a record of its own: that is what an image is to containerd.
fn record(row: &ImageRow, name: &str) -> Image {
    let pinned = row.pinned.then(|| (PINNED.0.to_owned(), PINNED.1.to_owned()));
    Image {
        name: name.to_owned(),
        labels: pinned.into_iter().collect(),
        target: Some(Descriptor { digest: row.target.to_string(), ..Descriptor::default() }),
        ..Image::default()
    }
}

fn is_pinned(labels: &HashMap<String, String>) -> bool {
    labels.get(PINNED.0).is_some_and(|value| value == PINNED.1)
}

/// A name an image can be given.
fn tag(name: &str) -> Result<String> {
    let reference: Reference = name.parse()?;
    if reference.digest.is_some() {
        bail!(InvalidArgument, "{reference} names a digest: that is the image's own name, and no other can have it");
    }
    Ok(reference.to_string())
}

impl Service {
    async fn named(&self, name: &str) -> Result<ImageRow> {
        let found = self.engine.image(name).await?;
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no image {:?}", shown(name))))
    }

    /// The image that a new record is to name: by what it points at.
    async fn target(&self, image: &Image) -> Result<ImageRow> {
        let target = image.target.clone().unwrap_or_default().digest;
        let db = Arc::clone(&self.engine.db);
        let images = blocking(move || db.images()).await?;
        let found = images.iter().find(|row| row.target.as_str() == target || row.id.as_str() == target).cloned();
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no image of {:?}", shown(&target))))
    }

    async fn point(&self, image: &Image) -> Result<Image> {
        let (name, row) = (tag(&image.name)?, self.target(image).await?);
        let (db, given, id) = (Arc::clone(&self.engine.db), name.clone(), row.id.clone());
        blocking(move || db.tag_image(&id, &given)).await?;
        if is_pinned(&image.labels) {
            self.pin(&row, true).await?;
        }
        Ok(record(&self.named(&name).await?, &name))
    }

    async fn pin(&self, row: &ImageRow, pinned: bool) -> Result<()> {
        let (db, id) = (Arc::clone(&self.engine.db), row.id.clone());
        blocking(move || db.pin_image(&id, pinned)).await
    }
}

fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}

#[async_trait]
impl images_server::Images for Service {
    async fn get(&self, request: Request<GetImageRequest>) -> Result<Response<GetImageResponse>, Status> {
        in_our_namespace(&request)?;
        let name = request.into_inner().name;
        let row = self.named(&name).await?;
        Ok(Response::new(GetImageResponse { image: Some(record(&row, &name)) }))
    }

    async fn list(&self, request: Request<ListImagesRequest>) -> Result<Response<ListImagesResponse>, Status> {
        in_our_namespace(&request)?;
        if !request.into_inner().filters.is_empty() {
            return Err(Error::new(Kind::Unimplemented, "filters of images: ask for all").into());
        }
        let db = Arc::clone(&self.engine.db);
        let rows = blocking(move || db.images()).await?;
        let names = |row: &ImageRow| row.tags.iter().chain(&row.digests).map(|n| record(row, n)).collect::<Vec<_>>();
        Ok(Response::new(ListImagesResponse { images: rows.iter().flat_map(names).collect() }))
    }

    async fn create(&self, request: Request<CreateImageRequest>) -> Result<Response<CreateImageResponse>, Status> {
        in_our_namespace(&request)?;
        let image = request.into_inner().image.unwrap_or_default();
        let name = tag(&image.name)?;
        if self.engine.image(&name).await?.is_some() {
            return Err(Error::new(Kind::AlreadyExists, format!("there is an image {name}")).into());
        }
        Ok(Response::new(CreateImageResponse { image: Some(self.point(&image).await?) }))
    }

    async fn update(&self, request: Request<UpdateImageRequest>) -> Result<Response<UpdateImageResponse>, Status> {
        in_our_namespace(&request)?;
        let request = request.into_inner();
        let image = request.image.unwrap_or_default();
        let mut row = self.named(&image.name).await?;
        let whole = ["target".to_owned(), "labels".to_owned()].to_vec();
        let paths = request.update_mask.map(|mask| mask.paths).filter(|paths| !paths.is_empty()).unwrap_or(whole);
        for path in paths {
            match path.strip_prefix("labels").map(|rest| rest.trim_start_matches('.')) {
                Some(label) if label.is_empty() || label == PINNED.0 => {
                    self.pin(&row, is_pinned(&image.labels)).await?
                }
                // Others are nobody's here.
                Some(_) => {}
                None if path == "target" => drop(self.point(&image).await?),
                None => {
                    let text = format!("change {:?} of an image: target and labels can be", shown(&path));
                    return Err(Error::new(Kind::InvalidArgument, text).into());
                }
            }
            row = self.named(&image.name).await?;
        }
        Ok(Response::new(UpdateImageResponse { image: Some(record(&row, &image.name)) }))
    }

    /// A tag; the image goes with its last one.
    async fn delete(&self, request: Request<DeleteImageRequest>) -> Result<Response<()>, Status> {
        in_our_namespace(&request)?;
        let request = request.into_inner();
        let name = tag(&request.name)?;
        if !self.named(&name).await?.tags.contains(&name) {
            return Err(Error::new(Kind::NotFound, format!("no image is called {name}")).into());
        }
        let db = Arc::clone(&self.engine.db);
        blocking(move || db.untag_image(&name)).await?;
        if request.sync {
            self.engine.collect().await?;
        } else {
            self.engine.collect_soon();
        }
        Ok(Response::new(()))
    }
}
