//! What lies between the certificate a server shows and the authorities this node knows, where nothing joins them.

use base64::Engine;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name};

/// Steps from one certificate to who signed it.
const STEPS: usize = 8;
/// Names that are kept.
const KIN: usize = 4;

/// A chain that ends in a certificate whose signer is neither sent nor known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Who signed the last one.
    pub issuer: String,
    /// Where that signer's certificate can be had, as the last one says (RFC 5280, caIssuers).
    pub fetch: Option<String>,
    /// A known authority that signed the signer, as the last one says.
    pub root: Option<String>,
    /// Known authorities of that very name, with another key.
    pub namesakes: usize,
    /// Known authorities beside the node's store.
    pub named: Vec<String>,
    /// Known authorities of the same organization, by their names.
    pub kin: Vec<String>,
}

/// None if what was sent ends in one that signed itself, unless one of that name is known.
pub fn gap(
    own: &[u8],
    others: &[CertificateDer<'_>],
    anchors: &[CertificateDer<'static>],
    named: &[CertificateDer<'static>],
) -> Option<Gap> {
    let sent: Vec<X509Certificate<'_>> = others.iter().filter_map(|c| parse(c)).collect();
    let mut last = parse(own)?;
    let known: Vec<X509Certificate<'_>> = anchors.iter().filter_map(|c| parse(c)).collect();
    for _ in 0..STEPS {
        if last.subject().as_raw() == last.issuer().as_raw() {
            let other = |k: &&X509Certificate<'_>| k.subject() == last.subject() && k.public_key() != last.public_key();
            let namesakes = known.iter().filter(other).count();
            return (namesakes > 0).then(|| Gap { issuer: last.issuer().to_string(), namesakes, ..Gap::default() });
        }
        match sent.iter().find(|c| c.subject().as_raw() == last.issuer().as_raw()) {
            Some(next) => last = next.clone(),
            None => break,
        }
    }
    let subject = |name: &[u8]| known.iter().find(|k| k.subject().as_raw() == name);
    let kin = |k: &&X509Certificate<'_>| alike(k.subject(), last.issuer()) && k.subject() != last.issuer();
    Some(Gap {
        issuer: last.issuer().to_string(),
        fetch: ca_issuers(&last),
        root: above(&last).and_then(|name| subject(&name)).map(|k| k.subject().to_string()),
        namesakes: known.iter().filter(|k| k.subject().as_raw() == last.issuer().as_raw()).count(),
        named: named.iter().filter_map(|c| parse(c)).map(|c| c.subject().to_string()).collect(),
        kin: known.iter().filter(kin).take(KIN).map(|k| k.subject().to_string()).collect(),
    })
}

/// Words of which names of authorities are made that say nothing of whose they are.
const COMMON: &[&str] = &[
    "ca",
    "root",
    "authority",
    "certificate",
    "certification",
    "intermediate",
    "issuing",
    "sub",
    "subordinate",
    "trust",
    "trusted",
    "global",
    "public",
    "primary",
    "secure",
    "security",
    "server",
    "services",
    "service",
    "tls",
    "ssl",
    "rsa",
    "ecc",
    "the",
    "class",
    "internal",
    "private",
    "network",
    "internet",
    "digital",
];

/// Whether two names are of one organization: it is the same in both, or the first word of the common names that says anything is.
fn alike(a: &X509Name<'_>, b: &X509Name<'_>) -> bool {
    let text = |mut all: Vec<&str>| all.pop().map(str::to_lowercase);
    let organization = |name: &X509Name<'_>| text(name.iter_organization().filter_map(|o| o.as_str().ok()).collect());
    if let (Some(a), Some(b)) = (organization(a), organization(b)) {
        return a == b;
    }
    let word = |name: &X509Name<'_>| {
        let name = text(name.iter_common_name().filter_map(|n| n.as_str().ok()).collect())?;
        let says = |w: &&str| w.len() > 2 && !COMMON.contains(w) && !w.bytes().all(|b| b.is_ascii_digit());
        name.split(|c: char| !c.is_alphanumeric()).find(says).map(str::to_owned)
    };
    word(a).is_some_and(|w| word(b) == Some(w))
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, parsed)| parsed)
}

/// Where the certificate of who signed this one is, by plain HTTP as the field has it: it is checked by its signature.
pub fn fetch(der: &[u8]) -> Option<String> {
    ca_issuers(&parse(der)?)
}

/// The certificate that came as an answer, in DER or in PEM.
pub fn certificate(body: &[u8]) -> Option<Vec<u8>> {
    let der = CertificateDer::from_pem_slice(body).map_or_else(|_| body.to_vec(), |c| c.to_vec());
    parse(&der).is_some().then_some(der)
}

pub fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    // Lines of 64 (RFC 7468).
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn ca_issuers(certificate: &X509Certificate<'_>) -> Option<String> {
    const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
    certificate.extensions().iter().find_map(|extension| {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else { return None };
        access.accessdescs.iter().filter(|d| d.access_method.to_id_string() == CA_ISSUERS).find_map(|d| {
            match &d.access_location {
                GeneralName::URI(uri) if uri.starts_with("http://") => Some((*uri).to_owned()),
                _ => None,
            }
        })
    })
}

/// The name of who signed the signer, which an authority key identifier may have (RFC 5280, 4.2.1.1).
fn above(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    certificate.extensions().iter().find_map(|extension| {
        let ParsedExtension::AuthorityKeyIdentifier(key) = extension.parsed_extension() else { return None };
        key.authority_cert_issuer.iter().flatten().find_map(|name| match name {
            GeneralName::DirectoryName(name) => Some(name.as_raw().to_vec()),
            _ => None,
        })
    })
}
