//! The certificate this node shows a server that asks for one: how it is read, what is wrong with it, and whose certificates the
//! server takes.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    InconsistentKeys, SignatureScheme,
    client::ResolvesClientCert,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};

use super::tls::{Certificate, pem};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Names of authorities that are kept.
const NAMES: usize = 8;

/// A client certificate and its key, in PEM.
#[derive(Clone)]
pub enum Identity {
    Files(PathBuf, PathBuf),
    Text(Vec<u8>, Vec<u8>),
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(certificate, _) => write!(f, "{}", certificate.display()),
            Self::Text(..) => f.write_str("a certificate given as text"),
        }
    }
}

/// A server's wish for a certificate of the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The authorities whose certificates it takes; empty if it does not say.
    pub accepts: Vec<String>,
    /// What was shown to it.
    pub shown: Option<Shown>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub certificate: Certificate,
    /// It has extended key usages, and that of a client is not among them.
    pub not_for_clients: bool,
}

impl Identity {
    /// # Errors
    /// `FailedPrecondition` if the key is of another certificate; that of the files, or `InvalidArgument` for what is no PEM.
    fn load(&self, provider: &CryptoProvider) -> Result<(Arc<CertifiedKey>, Shown)> {
        let text = Path::new("the text that is given");
        let place = match self {
            Self::Files(certificate, _) => certificate,
            Self::Text(..) => text,
        };
        let (chain, key) = match self {
            Self::Files(certificate, key) => (
                CertificateDer::pem_file_iter(certificate)
                    .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                    .map_err(|e| pem(certificate, e))?,
                PrivateKeyDer::from_pem_file(key).map_err(|e| pem(key, e))?,
            ),
            Self::Text(certificate, key) => (
                CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>().map_err(|e| pem(text, e))?,
                PrivateKeyDer::from_pem_slice(key).map_err(|e| pem(text, e))?,
            ),
        };
        let Some(own) = chain.first() else {
            bail!(InvalidArgument, "{} holds no certificate in PEM", place.display())
        };
        let shown = Shown { certificate: Certificate::parse(own)?, not_for_clients: not_for_clients(own) };
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|e| match e {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let what = format!("the key is not that of the certificate {}", place.display());
                Error::new(Kind::FailedPrecondition, what)
            }
            e => Error::new(Kind::InvalidArgument, format!("the key of {}", place.display())).with_source(e),
        })?;
        Ok((Arc::new(key), shown))
    }
}

fn not_for_clients(der: &[u8]) -> bool {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return false };
    let usage = parsed.extended_key_usage().ok().flatten();
    usage.is_some_and(|u| !u.value.client_auth && !u.value.any)
}

/// Shows the certificate to whoever asks, and keeps that somebody did.
#[derive(Debug)]
pub struct Showing {
    own: Option<(Arc<CertifiedKey>, Shown)>,
    accepts: Mutex<Option<Vec<String>>>,
}

impl Showing {
    /// What could not be read is shown to nobody, and is told beside.
    pub fn new(identity: Option<&Identity>, provider: &CryptoProvider) -> (Arc<Self>, Option<Error>) {
        let (own, broken) = match identity.map(|i| i.load(provider)) {
            None => (None, None),
            Some(Ok(own)) => (Some(own), None),
            Some(Err(error)) => (None, Some(error)),
        };
        (Arc::new(Self { own, accepts: Mutex::default() }), broken)
    }

    /// None if the server did not ask.
    pub fn asked(&self) -> Option<Asked> {
        let accepts = self.accepts.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Asked { accepts, shown: self.own.as_ref().map(|(_, shown)| shown.clone()) })
    }
}

impl ResolvesClientCert for Showing {
    fn resolve(&self, authorities: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        use x509_parser::prelude::{FromDer, X509Name};
        let name = |der: &&[u8]| Some(X509Name::from_der(der).ok()?.1.to_string());
        let names = authorities.iter().take(NAMES).filter_map(name).collect();
        *self.accepts.lock().unwrap_or_else(PoisonError::into_inner) = Some(names);
        self.own.as_ref().map(|(key, _)| Arc::clone(key))
    }

    fn has_certs(&self) -> bool {
        self.own.is_some()
    }
}
