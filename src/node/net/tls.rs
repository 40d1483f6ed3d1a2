//! TLS with a server that may be wrong: the handshake goes through whatever it shows, and what is wrong with it is told
//! point by point. Whoever uses the connection asks [`Tls::trusted`] first.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Request,
    chain::{self, Gap},
    identity::Showing,
};
use crate::error::{Error, Kind, Result};

/// Whom to believe: the node's store, and files beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// PEM.
    pub files: Vec<PathBuf>,
    /// The same, of the node's store: a program may be told another file of it (SSL_CERT_FILE).
    pub store: Vec<PathBuf>,
    pub data: Vec<Vec<u8>>,
    /// Certificates that a server should have sent with its own, DER. They are believed only as what they are signed by is.
    pub links: Vec<Vec<u8>>,
    /// Without the node's store.
    pub only: bool,
    /// Somebody has switched verification off; what is wrong is told all the same.
    pub skip: bool,
}

/// What the server showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    pub version: String,
    /// Its own first.
    pub chain: Vec<Certificate>,
    /// The chain ends in nobody known.
    pub unknown_issuer: bool,
    /// What it lacks to end in somebody known.
    #[serde(default)]
    pub gap: Option<Gap>,
    /// Seconds since 1970; the certificate ended before now, by this node's clock.
    pub expired: bool,
    pub not_yet: bool,
    pub wrong_name: bool,
    /// Anything else that is wrong.
    pub other: Option<String>,
    /// All of it in words.
    pub problems: Vec<String>,
    /// Verification is switched off for this host.
    pub skipped: bool,
}

impl Tls {
    pub fn trusted(&self) -> bool {
        self.skipped || self.problems.is_empty()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
    pub names: Vec<String>,
}

impl Certificate {
    /// # Errors
    /// `InvalidArgument` if it is no certificate.
    pub fn parse(der: &[u8]) -> Result<Self> {
        use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
        let (_, parsed) = X509Certificate::from_der(der)
            .map_err(|e| Error::new(Kind::InvalidArgument, format!("not a certificate: {e}")))?;
        let names = parsed.subject_alternative_name().ok().flatten();
        let name = |n: &GeneralName<'_>| match n {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        };
        Ok(Self {
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            names: names.map(|n| n.value.general_names.iter().filter_map(name).collect()).unwrap_or_default(),
        })
    }

    /// The first certificate of a PEM file.
    ///
    /// # Errors
    /// That of the file, or `InvalidArgument`.
    pub fn of_file(path: &Path) -> Result<Self> {
        let der = CertificateDer::from_pem_file(path).map_err(|e| pem(path, e))?;
        Self::parse(&der)
    }

    /// The first certificate of PEM.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of_text(text: &[u8]) -> Result<Self> {
        let der = CertificateDer::from_pem_slice(text).map_err(|e| pem(Path::new("a text"), e))?;
        Self::parse(&der)
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let four: Option<[u8; 4]> = bytes.try_into().ok();
    let sixteen: Option<[u8; 16]> = bytes.try_into().ok();
    four.map(|b| std::net::Ipv4Addr::from(b).to_string()).or(sixteen.map(|b| std::net::Ipv6Addr::from(b).to_string()))
}

pub(super) fn pem(path: &Path, error: rustls::pki_types::pem::Error) -> Error {
    Error::new(Kind::InvalidArgument, format!("read PEM from {}", path.display())).with_source(error)
}

/// A connection alone, whatever the server shows.
///
/// # Errors
/// Those of [`open`], and of the certificate that is to be shown.
pub async fn stream(stream: TcpStream, request: &Request) -> Result<TlsStream<TcpStream>> {
    let (showing, broken) = Showing::new(request.identity.as_ref(), &rustls::crypto::ring::default_provider());
    match broken {
        Some(broken) => Err(broken),
        None => open(stream, request, showing, &mut Tls::default()).await,
    }
}

/// Speaks TLS; fails only if that itself fails. What the server showed is told in either case.
///
/// # Errors
/// `InvalidArgument` for a CA file that cannot be read or a name that is none; `Unavailable`.
pub async fn open(
    stream: TcpStream,
    request: &Request,
    showing: Arc<Showing>,
    seen: &mut Tls,
) -> Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (roots, anchors, named) = roots(&request.trust)?;
    let verifier = Arc::new(Watching {
        provider: Arc::clone(&provider),
        roots,
        anchors,
        named,
        links: request.trust.links.iter().map(|der| CertificateDer::from(der.clone())).collect(),
        seen: Mutex::new(Tls { skipped: request.trust.skip, ..Tls::default() }),
    });
    let broken = |e: rustls::Error| Error::new(Kind::Internal, "set up TLS").with_source(e);
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(broken)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::clone(&verifier) as _);
    let config = builder.with_client_cert_resolver(showing);
    let name = ServerName::try_from(request.host.clone())
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("{:?} is no host name", request.host)).with_source(e))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    seen.clone_from(&verifier.seen.lock().unwrap_or_else(PoisonError::into_inner));
    let stream = stream.map_err(|e| {
        let plain = e.to_string().contains("InvalidContentType") || e.to_string().contains("corrupt message");
        let hint = if plain { ": it does not speak TLS on this port (plain HTTP?)" } else { "" };
        Error::new(Kind::Unavailable, format!("TLS handshake{hint}")).with_source(e)
    })?;
    seen.version = stream.get_ref().1.protocol_version().map(|v| format!("{v:?}")).unwrap_or_default();
    Ok(stream)
}

type Anchors = Vec<CertificateDer<'static>>;

/// All, and those beside the node's store.
fn roots(trust: &Trust) -> Result<(RootCertStore, Anchors, Anchors)> {
    let (mut anchors, mut named) = (Vec::new(), Vec::new());
    if !trust.only {
        // A store with unreadable files is read as far as it goes, as every TLS library does.
        anchors = rustls_native_certs::load_native_certs().certs;
    }
    for path in &trust.store {
        // One that is not there is passed by, as Go programs do.
        anchors.extend(CertificateDer::pem_file_iter(path).into_iter().flatten().flatten());
    }
    for path in &trust.files {
        let found = CertificateDer::pem_file_iter(path).map_err(|e| pem(path, e))?;
        named.extend(found.collect::<Result<Vec<_>, _>>().map_err(|e| pem(path, e))?);
    }
    for data in &trust.data {
        named.extend(CertificateDer::pem_slice_iter(data).flatten());
    }
    anchors.extend(named.iter().cloned());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(anchors.iter().cloned());
    Ok((roots, anchors, named))
}

#[derive(Debug)]
struct Watching {
    provider: Arc<CryptoProvider>,
    roots: RootCertStore,
    anchors: Anchors,
    named: Anchors,
    links: Anchors,
    seen: Mutex<Tls>,
}

impl Watching {
    fn look(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<()> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for der in std::iter::once(own).chain(others) {
            seen.chain.push(Certificate::parse(der)?);
        }
        let leaf = seen.chain[0].clone();
        let time = now.as_secs().cast_signed();
        if leaf.not_after < time {
            seen.expired = true;
            seen.problems.push(format!("the certificate of {} expired on {}", leaf.subject, date(leaf.not_after)));
        }
        if leaf.not_before > time {
            seen.not_yet = true;
            seen.problems.push(format!(
                "the certificate of {} is valid from {} on",
                leaf.subject,
                date(leaf.not_before)
            ));
        }
        // The chain is judged at a time at which its first certificate is valid, so that each problem stands alone.
        let valid = if seen.expired || seen.not_yet { leaf.not_before.midpoint(leaf.not_after) } else { time };
        let valid = UnixTime::since_unix_epoch(Duration::from_secs(valid.max(0).cast_unsigned()));
        let parsed = ParsedCertificate::try_from(own);
        let parsed = parsed.map_err(|e| Error::new(Kind::InvalidArgument, "its certificate").with_source(e))?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        // One that is listed itself is believed, as Go programs do.
        let listed = self.anchors.iter().any(|a| a == own);
        let between: Vec<CertificateDer<'_>> = others.iter().chain(&self.links).cloned().collect();
        if !listed
            && let Err(error) =
                verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, &between, valid, algorithms)
        {
            seen.gap = chain::gap(own, &between, &self.anchors, &self.named);
            let namesake = seen.gap.as_ref().is_some_and(|g| g.namesakes > 0);
            let end = seen.chain.last().map(|c| c.issuer.clone()).unwrap_or_default();
            match error {
                rustls::Error::InvalidCertificate(
                    CertificateError::Expired | CertificateError::ExpiredContext { .. },
                ) => {
                    seen.expired = true;
                    seen.problems.push("a certificate of its chain expired".to_owned());
                }
                rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                    seen.unknown_issuer = true;
                    seen.problems.push(format!("signed by {end}, which this node does not know"));
                }
                rustls::Error::InvalidCertificate(CertificateError::BadSignature) if namesake => {
                    seen.unknown_issuer = true;
                    seen.problems.push(format!("signed by another key than that of the {end} that this node knows"));
                }
                _ if leaf.subject == leaf.issuer => {
                    seen.unknown_issuer = true;
                    seen.problems.push(format!("signed by itself ({end}), which this node does not know"));
                }
                error => {
                    seen.other = Some(error.to_string());
                    seen.problems.push(error.to_string());
                }
            }
        }
        if verify_server_name(&parsed, name).is_err() {
            seen.wrong_name = true;
            let names =
                if leaf.names.is_empty() { "no host at all (it has no SAN)".to_owned() } else { leaf.names.join(", ") };
            seen.problems.push(format!("the certificate is for {names}, not for {}", name.to_str()));
        }
        Ok(())
    }
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.look(own, others, name, now).map_err(|e| rustls::Error::General(format!("{e:#}")))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `2026-11-24 16:00:00 UTC`.
pub fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|t| t.strftime("%F %T UTC").to_string())
        .unwrap_or_else(|_| seconds.to_string())
}

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs().cast_signed())
}
