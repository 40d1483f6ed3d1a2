//! The certificate that a registry wants of this node: whether one is set for it, whether it is whole, whether it is taken.

use super::image::{Reached, asked, cite, host, reached};
use crate::{
    error::Kind,
    node::net::{Asked, Exchange, Fault, Stage, tls::date},
    runbook::{Check, Cite, Evidence, Fact, Finding, Missing, registry::Trial},
};

pub static CLIENT: Check = Check {
    id: "pull-client",
    title: "Does the registry take this node's own certificate?",
    needs: &[Fact::Image],
    command: |seen| {
        let trial = super::image::case(seen).ok().and_then(Result::ok).map(|(_, trial)| trial);
        let files = trial.and_then(|t| t.host.client.clone());
        let files = files.map(|(certificate, key)| format!(" -cert {certificate} -key {key}")).unwrap_or_default();
        format!(
            "openssl s_client -connect {} -servername {}{files} </dev/null | grep -A5 -iE 'acceptable client|alert'",
            super::image::address(seen),
            host(seen)
        )
    },
    judge: client,
};

fn client(seen: &Evidence) -> Result<Finding, Missing> {
    let (_, trial) = asked!(seen);
    let wants = trial.exchanges.iter().find_map(|e| e.client.as_ref());
    Ok(match reached(trial, Stage::Client) {
        Reached::Not => super::image::not_reached(),
        Reached::Failed(exchange, fault) => judged(exchange, Some(fault), trial, seen.now()),
        Reached::Passed => match (said(trial), wants) {
            (Some(exchange), _) => judged(exchange, None, trial, seen.now()),
            (None, None) => Finding::not_applicable("the registry asks for none"),
            (None, Some(Asked { shown: Some(shown), .. })) => {
                Finding::pass(format!("yes, {}", shown.certificate.subject))
            }
            (None, Some(_)) => Finding::pass("it asks for one, and goes on without"),
        },
    })
}

/// A server that asked for a certificate and says in an answer what it thinks of it: nginx does, with 400 and a page.
fn said(trial: &Trial) -> Option<&Exchange> {
    trial.exchanges.iter().rev().find(|e| {
        let body = e.body.to_lowercase();
        let about = ["ssl certificate", "client certificate"].iter().any(|w| body.contains(w));
        e.client.is_some() && matches!(e.status, Some(400 | 403 | 495 | 496)) && about
    })
}

/// Why a server does not take what it was shown. Without a fault it said so in its answer.
pub(super) fn judged(exchange: &Exchange, fault: Option<&Fault>, trial: &Trial, now: u64) -> Finding {
    let files = trial.host.client.as_ref().map_or("no file".to_owned(), |(certificate, _)| certificate.clone());
    let host = &exchange.host;
    let file = |cause: &str, what: String| {
        Finding::cause(cause, what).cite(format!("client = {files}"), trial.host.source.clone())
    };
    let finding = match (fault.map(|f| f.kind), exchange.client.as_ref().and_then(|c| c.shown.as_ref())) {
        (Some(Kind::FailedPrecondition), _) => {
            let what = format!("the key that is set beside {files} is of another certificate: no runtime can show it");
            file("client-key-mismatch", what).advise(
                "the two lines must be the same: openssl x509 -noout -pubkey -in CERT | sha256sum; openssl pkey -pubout -in KEY | sha256sum",
            )
        }
        (Some(Kind::InvalidArgument | Kind::NotFound | Kind::PermissionDenied), _) => {
            let what = format!(
                "the client certificate for {host}, or its key, cannot be used: {}",
                fault.map(|f| f.error.as_str()).unwrap_or_default()
            );
            file("client-file-broken", what)
                .advise("both are PEM, readable for root, and the key has no password; correct their paths or put them there")
        }
        (_, None) => Finding::cause(
            "client-certificate-missing",
            format!("{host} wants a client certificate (mutual TLS), and none is set for it on this node"),
        )
        .advise(format!(
            "have one made by the registry's owner, and name it in the host's table of hosts.toml ({}): client = [[\"/etc/containerd/certs.d/{host}/client.cert\", \"/etc/containerd/certs.d/{host}/client.key\"]]",
            trial.host.source
        )),
        (_, Some(shown)) => {
            let own = &shown.certificate;
            let now = i64::try_from(now).unwrap_or(i64::MAX);
            let accepts = exchange.client.iter().flat_map(|c| &c.accepts).cloned().collect::<Vec<_>>();
            if own.not_after < now {
                let what = format!("the client certificate {files} ({}) expired on {}", own.subject, date(own.not_after));
                file("client-certificate-expired", what).advise("have it renewed by the registry's owner; a new file is read at the next pull")
            } else if own.not_before > now {
                let what = format!("the client certificate {files} ({}) is valid from {} on", own.subject, date(own.not_before));
                file("client-certificate-not-yet-valid", what).advise("is this node's clock right? timedatectl")
            } else if shown.not_for_clients {
                let what = format!("the certificate {files} ({}) is not made for clients: its extended key usage lacks clientAuth", own.subject);
                file("client-certificate-usage", what).advise("have one made with extendedKeyUsage = clientAuth")
            } else if !accepts.is_empty() && !accepts.contains(&own.issuer) {
                let what = format!(
                    "{host} takes client certificates of {} only, and {files} ({}) is signed by {}",
                    accepts.join(", "), own.subject, own.issuer
                );
                file("client-certificate-foreign", what)
                    .advise("it is of another authority, or its file lacks the intermediate that joins them: have one by that authority")
            } else {
                let what = format!("{host} refuses the client certificate {files} ({}, by {})", own.subject, own.issuer);
                file("client-certificate-refused", what)
                    .advise("it may be revoked, or be signed by a CA of the same name that is not the registry's: its log says which")
            }
        }
    };
    let accepts = exchange.client.as_ref().map(|c| c.accepts.join(", ")).filter(|a| !a.is_empty());
    let source = format!("certificate request of {}:{}", exchange.host, exchange.port);
    finding
        .cites([cite(exchange)])
        .cites(accepts.map(|a| Cite { text: format!("it takes certificates of {a}"), source }))
}
