//! `images import` and `images export`: images in one file, for nodes that reach no registry.

use std::{
    fs,
    io::IsTerminal,
    os::fd::AsFd,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use tokio::io::AsyncWrite;

use super::{
    backend::{self, Backend},
    figures::size,
    output::{Out, clean},
};
use crate::{
    bail,
    client::{
        Runtime,
        audit::Intent,
        transfer::{self, Platforms},
    },
    error::{Error, Kind, Result},
};

#[derive(Debug, Subcommand)]
pub enum Archive {
    /// Import the images of an archive: an OCI image layout or what docker save wrote, plain, gzip or zstd
    Import(Import),
    /// Export images as one archive: an OCI image layout that docker load reads as well
    Export(Export),
}

#[derive(Debug, Args)]
pub struct Import {
    /// The archive; - is standard input
    file: PathBuf,
    /// Repository of images that have only a tag, or no name at all
    #[arg(long, value_name = "REPOSITORY")]
    base_name: Option<String>,
    /// Keep what the archive has for other platforms, to export it again
    #[arg(long)]
    all_platforms: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    /// The archive to write; - is standard output
    file: PathBuf,
    /// Names or ids
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// For this platform rather than the node's own
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", conflicts_with = "all_platforms")]
    platform: Option<Platforms>,
    /// For every platform the images have
    #[arg(long)]
    all_platforms: bool,
}

pub async fn run(backend: &Backend, out: &mut Out, verb: Archive) -> Result<u8> {
    match verb {
        Archive::Import(args) => import(backend, out, args).await.map_err(|e| e.context("import")),
        Archive::Export(args) => export(backend, out, args).await.map_err(|e| e.context("export")),
    }
}

async fn import(backend: &Backend, out: &mut Out, args: Import) -> Result<u8> {
    backend.may_change("import images")?;
    let how = transfer::Import { base: args.base_name, all_platforms: args.all_platforms };
    let what = args.file.display().to_string();
    let (intent, info) = (Intent::new(format!("import images from {what}")), backend.image_cri().info());
    let begun;
    let names = if args.file == Path::new("-") {
        if std::io::stdin().is_terminal() {
            bail!(InvalidArgument, "an archive cannot be typed: give a file, or redirect standard input");
        }
        let from = stream(std::io::stdin())?;
        begun = intent.begin(info).await?;
        backend.image_cri().import(from, &how).await
    } else {
        let file = tokio::fs::File::open(&args.file).await.map_err(|e| Error::io("open", &args.file, e))?;
        if file.metadata().await.map_err(|e| Error::io("stat", &args.file, e))?.is_dir() {
            bail!(
                InvalidArgument,
                "{what} is a directory: of an image layout, pipe it in: tar -C {what} -c . | wharf images import -"
            );
        }
        begun = intent.begin(info).await?;
        backend.image_cri().import(file, &how).await
    };
    backend::journal(begun, &names).await;
    for name in names.map_err(|e| hinted(e).context(what))? {
        out.line(&format!("Imported: {}", clean(&name)))?;
    }
    Ok(0)
}

/// One of this process's own streams, without the lock and the lines that std puts around it.
fn stream(stream: impl AsFd) -> Result<tokio::fs::File> {
    let own = stream.as_fd().try_clone_to_owned().map_err(|e| Error::io("duplicate", "a standard stream", e))?;
    Ok(tokio::fs::File::from_std(fs::File::from(own)))
}

/// What the base name is called here.
fn hinted(error: Error) -> Error {
    match format!("{error:#}").contains("as the base name") {
        true => Error::new(error.kind(), "try --base-name REPOSITORY").with_source(error),
        false => error,
    }
}

async fn export(backend: &Backend, out: &mut Out, args: Export) -> Result<u8> {
    let platforms = match (args.platform, args.all_platforms) {
        (Some(platform), _) => platform,
        (None, true) => Platforms::All,
        (None, false) => Platforms::Own,
    };
    if backend.may_change("").is_err() {
        // The transport cannot tell one from the other.
        bail!(PermissionDenied, "--read-only: runtimes have one call for import and export, which is not let through");
    }
    let write = async |to: &mut (dyn AsyncWrite + Unpin + Send)| {
        let mut to = to;
        backend.image_cri().export(&args.images, &platforms, &mut to).await
    };
    let written = async {
        if args.file == Path::new("-") {
            if std::io::stdout().is_terminal() {
                bail!(
                    InvalidArgument,
                    "an archive on a terminal is of no use: give a file, or redirect standard output"
                );
            }
            return write(&mut stream(std::io::stdout())?).await;
        }
        let io = |doing: &str, e| Error::io(doing, &args.file, e);
        // A pipe, say, is written to as it is; a file appears when it is whole.
        if fs::metadata(&args.file).is_ok_and(|m| !m.is_file()) {
            let file = fs::File::options().write(true).open(&args.file).map_err(|e| io("open", e))?;
            return write(&mut tokio::fs::File::from_std(file)).await;
        }
        let part = Part::beside(&args.file)?;
        let file = fs::File::options().write(true).create_new(true).mode(0o600).open(&part.0);
        let mut file = tokio::fs::File::from_std(file.map_err(|e| Error::io("create", &part.0, e))?);
        let bytes = write(&mut file).await?;
        file.sync_all().await.map_err(|e| Error::io("sync", &part.0, e))?;
        fs::rename(&part.0, &args.file).map_err(|e| io("rename to", e))?;
        Ok(bytes)
    };
    let bytes = tokio::select! {
        bytes = written => bytes?,
        // So that no half of an archive stays.
        code = backend::ended() => return code,
    };
    let many = if args.images.len() == 1 { "image" } else { "images" };
    out.remark(&format!("Exported: {} {many}, {}", args.images.len(), size(bytes, 3)))?;
    Ok(0)
}

/// A file that is not whole yet: removed on every way out but one.
struct Part(PathBuf);

impl Part {
    fn beside(file: &Path) -> Result<Self> {
        let Some(name) = file.file_name() else {
            return Err(Error::new(Kind::InvalidArgument, format!("{} is no file", file.display())));
        };
        Ok(Self(file.with_file_name(format!(".{}.wharf-{}", name.to_string_lossy(), std::process::id()))))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It is gone after the rename.
        let _gone_already = fs::remove_file(&self.0);
    }
}
