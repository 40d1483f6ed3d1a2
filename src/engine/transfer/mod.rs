//! containerd's transfer service, as much of it as image archives need: import from a stream, export to one. CRI has no call
//! for either, and with this one containerd's own `ctr images import` works on this engine as well. Names of images are in
//! `images`.

mod images;
mod streams;

use std::sync::Arc;

use tokio::{sync::mpsc, task::JoinSet};
use tonic::{Request, Response, Status, async_trait};

use self::streams::{Ends, Incoming, Outgoing, Streams};
use super::{
    Engine,
    image::{
        archive::{Choice, Export, Imported, Options},
        manifest::Platform,
        reference::Reference,
    },
    metadata::{Garbage, ImageRow},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::{
        Packed,
        containerd::{
            services::{
                leases::v1::{self as leases, leases_server},
                streaming::v1::{StreamInit, streaming_server},
                transfer::v1::{TransferRequest, transfer_server},
            },
            types::{
                Descriptor,
                transfer::{ImageExportStream, ImageImportStream, ImageStore, Progress},
            },
        },
    },
};

/// The one namespace there is: CRI's.
const NAMESPACE: &str = "k8s.io";
/// Images of one export.
const MOST: usize = 1024;
/// Pieces of an archive between the socket and the disk.
const QUEUE: usize = 8;

/// These services; their state is the streams that wait for a transfer.
#[derive(Debug, Clone)]
pub struct Service {
    engine: Arc<Engine>,
    streams: Arc<Streams>,
}

impl Service {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine, streams: Arc::default() }
    }

    async fn import(&self, from: ImageImportStream, to: ImageStore, progress: Option<Ends>) -> Result<()> {
        let mut base = to.extra_references.into_iter().filter(|r| r.is_prefix).map(|r| r.name);
        let options = Options { base: base.next(), all_platforms: to.platforms.is_empty() };
        if base.next().is_some() {
            bail!(Unimplemented, "more than one base name for an image archive");
        }
        let host = Platform::host();
        if !to.platforms.is_empty()
            && !to.platforms.iter().any(|p| p.os == host.os && p.architecture == host.architecture)
        {
            bail!(InvalidArgument, "this machine is {}/{}: it imports images for that", host.os, host.architecture);
        }
        let (send, receive) = mpsc::channel(QUEUE);
        let mut pumps = JoinSet::new();
        pumps.spawn(self.streams.take(&from.stream)?.receive(send));
        let imported = self.engine.puller.import(Incoming::new(receive), options, Arc::new(|_| ())).await;
        let images = match imported {
            Ok(images) => images,
            Err(error) => return Err(error.and_cleanup(self.engine.collect().await.map(drop))),
        };
        // What the archive had beyond these images.
        self.engine.collect_soon();
        if let Some(progress) = progress {
            for Imported { image, names } in images {
                let desc = Some(Descriptor { digest: image.target.to_string(), ..Descriptor::default() });
                for name in names {
                    let event = "saved".to_owned();
                    progress.tell(&Progress { event, name, desc: desc.clone(), ..Progress::default() }).await;
                }
            }
        }
        self.engine.durable().await
    }

    async fn export(&self, from: ImageStore, to: ImageExportStream) -> Result<()> {
        let mut names: Vec<String> = from.extra_references.iter().map(|r| r.name.clone()).collect();
        names.extend(Some(from.name).filter(|n| !n.is_empty()));
        if from.extra_references.iter().any(|r| r.is_prefix) {
            bail!(Unimplemented, "export by prefix: name the images");
        }
        if names.is_empty() || names.len() > MOST {
            bail!(InvalidArgument, "{} images to export: name one to {MOST}", names.len());
        }
        let choice = match (&to.platforms[..], to.all_platforms) {
            (_, true) => Choice::All,
            ([], false) => Choice::One(Platform::host()),
            ([one], false) => Choice::One(Platform {
                os: one.os.clone(),
                architecture: one.architecture.clone(),
                variant: one.variant.clone(),
            }),
            _ => bail!(Unimplemented, "export for several platforms: choose one, or all"),
        };
        let mut images = Vec::new();
        for name in names {
            let Some(image) = self.engine.image(&name).await? else {
                bail!(NotFound, "there is no image {name:?}: pull or import it first");
            };
            let names = names_of(&image, &name);
            images.push(Export { image, names });
        }
        let (send, receive) = mpsc::channel(QUEUE);
        let ends = self.streams.take(&to.stream)?;
        let written = self.engine.puller.export(images, choice, Outgoing::new(send));
        // Who takes nothing any more is why nothing could be written.
        let (sent, written) = tokio::join!(ends.send(receive), written);
        sent.and(written)
    }
}

/// The names an image gets in an archive: the one it was asked for by, or all it has when that was its id.
fn names_of(image: &ImageRow, asked: &str) -> Vec<String> {
    let parsed = asked.parse::<Reference>().ok();
    let known = |name: &String| image.tags.contains(name) || image.digests.contains(name);
    let whole = parsed.map(|r| r.to_string()).filter(known);
    match whole {
        Some(name) => vec![name],
        None if image.tags.is_empty() => image.digests.clone(),
        None => image.tags.clone(),
    }
}

fn in_our_namespace<T>(request: &Request<T>) -> Result<()> {
    match request.metadata().get("containerd-namespace") {
        Some(name) if name != NAMESPACE => {
            bail!(FailedPrecondition, "there is one namespace here, {NAMESPACE}: ask for it (ctr -n {NAMESPACE})")
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl streaming_server::Streaming for Service {
    type StreamStream = streams::Answers;

    async fn stream(
        &self,
        request: Request<tonic::Streaming<prost_types::Any>>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        in_our_namespace(&request)?;
        let mut incoming = request.into_inner();
        let first = incoming.message().await?.as_ref().and_then(StreamInit::unpack).transpose()?;
        let Some(init) = first else {
            return Err(Error::new(Kind::InvalidArgument, "a stream begins with its name").into());
        };
        Ok(Response::new(self.streams.register(init.id, incoming).await?))
    }
}

/// An answer with what a collection would take, or has taken, told beside it: containerd's messages have no place for that.
fn beside<T>(message: T, garbage: &Garbage, bytes: u64) -> Response<T> {
    let mut answer = Response::new(message);
    let blobs = (garbage.blobs.len() + garbage.ingests.len()) as u64;
    let figures = [blobs, garbage.snapshots, garbage.leases, bytes];
    for (name, figure) in ["wharf-blobs", "wharf-snapshots", "wharf-leases", "wharf-bytes"].into_iter().zip(figures) {
        answer.metadata_mut().insert(name, figure.into());
    }
    answer
}

/// containerd's clients take a lease before a transfer. Here it holds nothing: a transfer has one of its own, and there is no
/// other call that would leave something behind. As over there, a Delete that is to be done when it returns collects garbage.
#[async_trait]
impl leases_server::Leases for Service {
    async fn create(
        &self,
        request: Request<leases::CreateRequest>,
    ) -> Result<Response<leases::CreateResponse>, Status> {
        in_our_namespace(&request)?;
        let asked = request.into_inner();
        let id = if asked.id.is_empty() { "transfer".to_owned() } else { asked.id };
        let lease = leases::Lease { id, created_at: None, labels: asked.labels };
        Ok(Response::new(leases::CreateResponse { lease: Some(lease) }))
    }

    async fn delete(&self, request: Request<leases::DeleteRequest>) -> Result<Response<()>, Status> {
        in_our_namespace(&request)?;
        if !request.into_inner().sync {
            return Ok(Response::new(()));
        }
        let (garbage, _) = self.engine.garbage().await?;
        let freed = self.engine.collect().await?;
        Ok(beside((), &garbage, freed.bytes))
    }

    async fn list(&self, request: Request<leases::ListRequest>) -> Result<Response<leases::ListResponse>, Status> {
        in_our_namespace(&request)?;
        let (garbage, bytes) = self.engine.garbage().await?;
        Ok(beside(leases::ListResponse { leases: Vec::new() }, &garbage, bytes))
    }

    async fn add_resource(&self, _: Request<leases::AddResourceRequest>) -> Result<Response<()>, Status> {
        Err(no_resources())
    }

    async fn delete_resource(&self, _: Request<leases::DeleteResourceRequest>) -> Result<Response<()>, Status> {
        Err(no_resources())
    }

    async fn list_resources(
        &self,
        _: Request<leases::ListResourcesRequest>,
    ) -> Result<Response<leases::ListResourcesResponse>, Status> {
        Err(no_resources())
    }
}

fn no_resources() -> Status {
    Error::new(Kind::Unimplemented, "leases of others hold nothing here").into()
}

#[async_trait]
impl transfer_server::Transfer for Service {
    async fn transfer(&self, request: Request<TransferRequest>) -> Result<Response<()>, Status> {
        in_our_namespace(&request)?;
        let request = request.into_inner();
        let progress = request.options.unwrap_or_default().progress_stream;
        let progress = if progress.is_empty() { None } else { Some(self.streams.take(&progress)?) };
        let (from, to) = (request.source.unwrap_or_default(), request.destination.unwrap_or_default());
        if let (Some(from), Some(to)) = (ImageImportStream::unpack(&from), ImageStore::unpack(&to)) {
            self.import(from?, to?, progress).await?;
        } else if let (Some(from), Some(to)) = (ImageStore::unpack(&from), ImageExportStream::unpack(&to)) {
            self.export(from?, to?).await?;
        } else {
            let what = format!("{} to {}", from.type_url.escape_debug(), to.type_url.escape_debug());
            let text = format!("transfer from {what} is not supported: archives are; images are pulled over CRI");
            return Err(Error::new(Kind::Unimplemented, text).into());
        }
        Ok(Response::new(()))
    }
}
