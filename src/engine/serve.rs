//! The engine on a socket: CRI v1 for the kubelet and crictl, root only.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::UnixListenerStream;

use super::{Engine, cri};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Serves until `stop` resolves. The socket has mode 0600 and is removed at the end; pods go on.
pub async fn serve(engine: Arc<Engine>, socket: &Path, stop: impl Future<Output = ()>) -> Result<()> {
    let listener = listen(socket).await?;
    engine.streaming().await?;
    let stop = async {
        stop.await;
        // Calls that last as long as their client would keep us from ending.
        engine.hang_up().await;
    };
    tracing::info!(socket = %socket.display(), "serving CRI v1");
    tonic::transport::Server::builder()
        .add_routes(cri::routes(Arc::clone(&engine)))
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), stop)
        .await
        .map_err(|e| Error::new(Kind::Internal, format!("serve on {}", socket.display())).with_source(e))?;
    fs::remove_file(socket).context(|| format!("remove {}", socket.display()))
}

async fn listen(socket: &Path) -> Result<UnixListener> {
    if let Some(directory) = socket.parent() {
        fs::create_dir_all(directory).context(|| format!("create {}", directory.display()))?;
    }
    if let Ok(found) = fs::symlink_metadata(socket) {
        if !found.file_type().is_socket() {
            bail!(AlreadyExists, "{} exists and is not a socket", socket.display());
        }
        if UnixStream::connect(socket).await.is_ok() {
            bail!(AlreadyExists, "somebody serves on {} already", socket.display());
        }
        fs::remove_file(socket).context(|| format!("remove the stale socket {}", socket.display()))?;
    }
    // Bound under a name nobody knows, closed to others, then moved into place: never open with another mode.
    let fresh = socket.with_extension(format!("new-{}", std::process::id()));
    let listener = UnixListener::bind(&fresh).context(|| format!("bind {}", fresh.display()))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).context(|| format!("chmod {}", fresh.display()))?;
    fs::rename(&fresh, socket).context(|| format!("move the socket to {}", socket.display()))?;
    Ok(listener)
}
