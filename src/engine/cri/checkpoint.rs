//! CheckpointContainer: what a running container is, in an archive that CRI-O, containerd and checkpointctl read: the images CRIU
//! made of its processes, what it changed in its files, its documents and its log. The kubelet asks for it to look at a
//! container that may be compromised. Nothing is restored from such an archive here.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde_json::{Value, json};

use super::{exec, pod::blocking, state::ContainerRecord};
use crate::{
    bail,
    engine::{
        Engine,
        criu::{self, Dump},
        metadata::Table,
        shim::Runtime,
        snapshot::{self, Labels, changes},
    },
    error::{Context, Error, Kind, Result},
    proto::cri,
    tar::{self, Entry, Writer},
};

/// Without one of the caller's.
const LIMIT: Duration = Duration::from_secs(600);
/// Names in the archive (checkpointctl's `lib/metadata.go`).
const IMAGES: &str = "checkpoint";
const CHANGES: &str = "rootfs-diff.tar";
const CONTAINER_LOG: &str = "container.log";
/// Beside them: a link to the archive as long as it is not whole.
const PARTIAL: &str = "partial";
/// CRIU's figures, in its working directory.
const FIGURES: &str = "stats-dump";

/// Writes a running container to the file `location`, which is there when all of it is. The container goes on.
///
/// # Errors
/// `InvalidArgument` for a location that is no absolute path, `FailedPrecondition` if the container does not run,
/// `Unimplemented` without CRIU and for containers of another kernel, `DeadlineExceeded`.
pub async fn checkpoint(engine: &Arc<Engine>, request: cri::CheckpointContainerRequest) -> Result<()> {
    let id = exec::running(engine, &request.container_id)?.id.clone();
    let location = PathBuf::from(&request.location);
    if !location.is_absolute() || location.file_name().is_none() {
        bail!(InvalidArgument, "checkpoint container {id}: {location:?} is not the absolute path of a file");
    }
    let limit = u64::try_from(request.timeout).ok().filter(|t| *t > 0).map_or(LIMIT, Duration::from_secs);
    // A task of its own: what CRIU does to the container comes to its end, whoever waits for it.
    let work = tokio::spawn(write_down(Arc::clone(engine), id.clone(), location));
    let done = match tokio::time::timeout(limit, work).await {
        Ok(done) => done.unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a task died").with_source(e))),
        Err(_) => bail!(DeadlineExceeded, "checkpoint container {id}: not done in {} s", limit.as_secs()),
    };
    done.context(|| format!("checkpoint container {id}"))
}

/// What checkpoints that were under way when the engine ended have left.
pub async fn clean_up(engine: &Engine) -> Result<()> {
    let directory = directory(engine);
    blocking(move || {
        let left = fs::read_dir(&directory).into_iter().flatten().flatten();
        left.map(|entry| entry.path()).try_for_each(|scratch| discard(&scratch))
    })
    .await
}

fn directory(engine: &Engine) -> PathBuf {
    engine.config.root.join("checkpoints")
}

/// What is needed only until the archive is whole, and the archive if it is not.
fn discard(scratch: &Path) -> Result<()> {
    let gone = |done: io::Result<()>, path: &Path| match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    };
    snapshot::unmount(&scratch.join("image"))?;
    if let Ok(partial) = fs::read_link(scratch.join(PARTIAL)) {
        gone(fs::remove_file(&partial), &partial)?;
    }
    gone(fs::remove_dir_all(scratch), scratch)
}

async fn write_down(engine: Arc<Engine>, id: String, location: PathBuf) -> Result<()> {
    let container = engine.pods.container(&id)?;
    let _guard = container.lock.lock().await;
    let record = exec::running(&engine, &id)?;
    let pod = engine.pods.pod(&record.pod)?.record();
    let runtime = engine.handler(&pod.handler)?.runtime.clone();
    if let Runtime::Shim(shim) = &runtime
        && !shim.is_on_this_kernel()
    {
        bail!(Unimplemented, "its processes are not this kernel's but those of {}", shim.kind);
    }
    let scratch = directory(&engine).join(&id);
    let partial = location.with_file_name(format!(".{id}.partial"));
    let (made, there) = (scratch.clone(), partial.clone());
    // Before anything stands still: whether there is a place for it.
    let archive = blocking(move || {
        discard(&made)?;
        let images = made.join(IMAGES);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&images)
            .context(|| format!("create {}", images.display()))?;
        let link = made.join(PARTIAL);
        symlink(&there, &link).map_err(|e| Error::io("create", &link, e))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        options.open(&there).map_err(|e| Error::io("create", &there, e))
    })
    .await?;
    let done = match collect(&engine, &record, &runtime, &scratch).await {
        Ok(documents) => {
            let scratch = scratch.clone();
            blocking(move || pack(&record, &documents, &scratch, archive, &partial, &location)).await
        }
        Err(error) => Err(error),
    };
    let cleaned = blocking(move || discard(&scratch)).await;
    match done {
        Ok(()) => cleaned,
        Err(error) => Err(error.and_cleanup(cleaned)),
    }
}

type Documents = Vec<(&'static str, Value)>;

/// Everything that the archive holds, beside its documents in `scratch`.
async fn collect(
    engine: &Arc<Engine>,
    record: &ContainerRecord,
    runtime: &Runtime,
    scratch: &Path,
) -> Result<Documents> {
    let spec = exec::load_spec(record).await?;
    let said =
        serde_json::to_value(&spec).map_err(|e| Error::new(Kind::Internal, "encode the OCI spec").with_source(e))?;
    let pid = record.pid;
    Dump { pid, spec, images: scratch.join(IMAGES), work: scratch.to_owned() }.run().await?;
    write_changes(engine, record, scratch).await.context(|| "take its changed files".to_owned())?;
    let time = |nanos: i64| Timestamp::from_nanosecond(nanos.into()).unwrap_or_default().to_string();
    let (name, image) = (record.config.metadata.clone().unwrap_or_default().name, record.config.image.clone());
    let program = runtime.program().map_or_else(|| runtime.kind().to_owned(), |p| p.display().to_string());
    let config = json!({
        "id": record.id, "name": name, "rootfsImage": image.unwrap_or_default().image, "rootfsImageRef": record.image_ref,
        "rootfsImageName": engine.tag_of(&record.image_id).unwrap_or_default(), "runtime": program,
        "createdTime": time(record.created_at), "checkpointedTime": Timestamp::now().to_string(),
        // Go's word for never.
        "restoredTime": "0001-01-01T00:00:00Z", "restored": false,
    });
    let status = json!({
        "Pid": pid, "CreatedAt": record.created_at, "StartedAt": record.started_at, "FinishedAt": 0, "ExitCode": 0,
        "Reason": "", "Message": "",
    });
    Ok(vec![("config.dump", config), ("spec.dump", said), ("status", status)])
}

/// What makes the container's root filesystem of its image.
async fn write_changes(engine: &Arc<Engine>, record: &ContainerRecord, scratch: &Path) -> Result<()> {
    let snapshotter = &engine.snapshotter;
    let key = format!("{}-checkpoint", record.id);
    let gone = |done: Result<()>| match done {
        Err(error) if !error.is(Kind::NotFound) => Err(error),
        _ => Ok(()),
    };
    gone(snapshotter.remove(&key).await)?;
    let parent = snapshotter.stat(&record.id).await?.parent;
    // It goes with the container's record if the engine ends meanwhile.
    let (db, id, name, kept) = (Arc::clone(&engine.db), record.id.clone(), snapshotter.name().to_owned(), key.clone());
    blocking(move || db.keep_snapshot(Table::Containers, &id, &name, &kept)).await?;
    let mounts = snapshotter.view(&key, parent.as_deref(), Labels::new()).await?;
    let (image, rootfs, changes) = (scratch.join("image"), record.bundle.join("rootfs"), scratch.join(CHANGES));
    let done = blocking(move || {
        fs::create_dir(&image).context(|| format!("create {}", image.display()))?;
        snapshot::mount(&mounts, &image)?;
        let file = File::create_new(&changes).context(|| format!("create {}", changes.display()))?;
        let done = changes::write(&image, &rootfs, io::BufWriter::new(file));
        let unmounted = snapshot::unmount(&image);
        match done {
            Ok(()) => unmounted,
            Err(error) => Err(error.and_cleanup(unmounted)),
        }
    })
    .await;
    let removed = gone(snapshotter.remove(&key).await);
    match done {
        Ok(()) => removed,
        Err(error) => Err(error.and_cleanup(removed)),
    }
}

fn pack(
    record: &ContainerRecord,
    documents: &Documents,
    scratch: &Path,
    archive: File,
    partial: &Path,
    location: &Path,
) -> Result<()> {
    let mut out = Writer::new(io::BufWriter::new(archive));
    for (name, document) in documents {
        out.document(name, 0o600, document.to_string().as_bytes())?;
    }
    out.entry(&Entry::new(format!("{IMAGES}/").as_bytes(), tar::Kind::Directory, 0o700))?;
    let images = scratch.join(IMAGES);
    for entry in fs::read_dir(&images).map_err(|e| Error::io("read the directory", &images, e))? {
        let path = entry.map_err(|e| Error::io("read the directory", &images, e))?.path();
        add(&mut out, &format!("{IMAGES}/{}", path.file_name().unwrap_or_default().display()), &path)?;
    }
    for name in [CHANGES, criu::LOG, FIGURES] {
        add(&mut out, name, &scratch.join(name))?;
    }
    if let Some(log) = &record.log_path {
        add(&mut out, CONTAINER_LOG, log)?;
    }
    let file = out.end()?.into_inner().map_err(|e| Error::io("write", partial, e.into_error()))?;
    file.sync_all().map_err(|e| Error::io("sync", partial, e))?;
    fs::rename(partial, location).map_err(|e| Error::io("rename to", location, e))
}

/// A plain file, as long as it is now. What is not there is left out.
fn add(out: &mut Writer<io::BufWriter<File>>, name: &str, path: &Path) -> Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(|e| Error::io("open", path, e))?,
    };
    let found = file.metadata().map_err(|e| Error::io("look at", path, e))?;
    if found.is_file() {
        out.entry(&Entry::new(name.as_bytes(), tar::Kind::File(found.len()), 0o600))?;
        out.content(found.len(), file, |_| ())?;
    }
    Ok(())
}
