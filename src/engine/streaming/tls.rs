//! TLS for streams on an address that others than this machine reach. The certificate is read again when its file or the
//! key's changes, as whoever renews it expects.

use std::{
    fmt,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// For a client to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where the server's certificate, with its chain, and its key are; PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    pub cert: PathBuf,
    pub key: PathBuf,
}

pub struct Acceptor {
    files: Files,
    current: Mutex<(Stamps, Arc<ServerConfig>)>,
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Both files as far as they can be told without reading: inode, size, modified and changed.
type Stamps = [Option<(u64, u64, [i64; 4])>; 2];

impl Acceptor {
    /// # Errors
    /// If the files cannot be read, or are no pair.
    pub fn open(files: Files) -> Result<Self> {
        let stamps = stamps(&files);
        let config = load(&files)?;
        Ok(Self { files, current: Mutex::new((stamps, config)) })
    }

    pub async fn accept(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>> {
        let shaken = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(self.config()).accept(tcp)).await;
        let Ok(shaken) = shaken else {
            let text = format!("a client did not shake hands in {} s", HANDSHAKE.as_secs());
            return Err(Error::new(Kind::DeadlineExceeded, text));
        };
        shaken.context(|| "TLS handshake".to_owned())
    }

    /// Of the files as they are now. One that is being replaced may be no pair yet: the last good one stays until it is.
    fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.files);
        if current.0 != now {
            match load(&self.files) {
                Ok(config) => *current = (now, config),
                Err(error) => {
                    tracing::warn!("streams go on with the last good certificate: {error:#}");
                    current.0 = now;
                }
            }
        }
        Arc::clone(&current.1)
    }
}

fn stamps(files: &Files) -> Stamps {
    [&files.cert, &files.key].map(|path| {
        let about = path.metadata().ok()?;
        let times = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
        Some((about.ino(), about.size(), times))
    })
}

fn load(files: &Files) -> Result<Arc<ServerConfig>> {
    if files.cert.as_os_str().is_empty() || files.key.as_os_str().is_empty() {
        bail!(
            InvalidArgument,
            "streams are to be encrypted, and there is no certificate: set --tls-cert and --tls-key"
        );
    }
    let pem = |path: &Path, error| {
        Error::new(Kind::InvalidArgument, format!("read PEM from {}", path.display())).with_source(error)
    };
    let of_cert = |e| pem(&files.cert, e);
    let chain = CertificateDer::pem_file_iter(&files.cert).map_err(of_cert)?;
    let chain = chain.collect::<std::result::Result<Vec<_>, _>>().map_err(of_cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| pem(&files.key, e))?;
    let failed = |e: rustls::Error| {
        let text = format!("serve TLS with {} and {}", files.cert.display(), files.key.display());
        Error::new(Kind::InvalidArgument, text).with_source(e)
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(failed)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(failed)?;
    // An upgrade is of HTTP/1.1; a client that would rather speak HTTP/2 is not left to guess.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
