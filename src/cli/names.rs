//! `images tag`, `images pin`, `images unpin`: the plans of the app, done at once.

use std::time::SystemTime;

use clap::Subcommand;

use super::{
    backend::{Backend, journal},
    filter,
    output::{Out, clean},
    report,
};
use crate::{
    bail,
    client::{
        self,
        action::{self, Action},
        audit::Intent,
        types::Scope,
    },
    error::{Kind, Result},
};

#[derive(Debug, Subcommand)]
pub enum Names {
    /// Give an image one more name
    Tag {
        image: String,
        /// REGISTRY/REPOSITORY[:TAG]
        name: String,
    },
    /// Have the kubelet and prune leave images, however full the disk is
    Pin {
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<String>,
    },
    /// Have them take images again when nothing uses them
    Unpin {
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<String>,
    },
}

pub async fn run(backend: &Backend, out: &mut Out, verb: Names) -> Result<u8> {
    match verb {
        Names::Tag { image, name } => {
            backend.may_change(&format!("tag {image}"))?;
            let action = Action::TagImage { image: id(backend, &image).await?, name };
            for line in done(backend, action).await.map_err(|e| e.context(format!("tag {image}")))? {
                out.line(&format!("Tagged: {line}"))?;
            }
            Ok(0)
        }
        Names::Pin { images } => pin(backend, out, &images, true).await,
        Names::Unpin { images } => pin(backend, out, &images, false).await,
    }
}

async fn pin(backend: &Backend, out: &mut Out, images: &[String], pinned: bool) -> Result<u8> {
    let (verb, past) = if pinned { ("pin", "Pinned") } else { ("unpin", "Unpinned") };
    backend.may_change(&format!("{verb} images"))?;
    report::each(out, images, async |given| {
        let action = Action::PinImage { image: id(backend, given).await?, pinned };
        done(backend, action).await.map_err(|e| e.context(format!("{verb} {given}")))?;
        Ok(format!("{past}: {given}"))
    })
    .await
}

async fn id(backend: &Backend, given: &str) -> Result<String> {
    match filter::image(backend, given, false).await?.image {
        Some(image) => Ok(image.id),
        None => bail!(NotFound, "there is no image {given}"),
    }
}

/// Plans it, does it, and writes it down; the names of what it was done to. What is so already is done.
async fn done(backend: &Backend, action: Action) -> Result<Vec<String>> {
    let runtime = backend.image_runtime();
    let mut seen = runtime.inventory(Scope { images: true, ..Scope::default() }).await;
    client::prepare(runtime.as_ref(), &[&action], &mut seen).await;
    let plan = match action::plan(&action, &seen, SystemTime::now()) {
        Err(error) if error.is(Kind::AlreadyExists) => return Ok(Vec::new()),
        plan => plan?,
    };
    let mut names = Vec::new();
    for planned in plan.steps {
        let begun = Intent::of(&planned.step).begin(runtime.info()).await?;
        let done = runtime.apply(&planned.step).await;
        journal(begun.told(&done), &done).await;
        done?;
        names.push(clean(&planned.what));
    }
    Ok(names)
}
