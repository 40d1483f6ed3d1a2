//! The certificate a registry shows: which one thing is wrong with it, and the stanza that makes this node trust it.

use super::image::{Reached, address, case, cite, host, not_reached, reached};
use crate::{
    client::{
        action::Action,
        change::{Change, Edit},
    },
    node::net::{Stage, Tls, tls::date},
    runbook::{Check, Cite, Evidence, Fact, Finding, Fix, ImageFacts, Missing, Risk, registry::Trial},
};

/// Seconds of difference from which a clock explains certificates.
const SKEW: i64 = 60;

pub static TLS: Check = Check {
    id: "pull-tls",
    title: "Is its certificate good?",
    needs: &[Fact::Image, Fact::Target],
    command: |seen| {
        format!("openssl s_client -connect {0} -servername {1} -showcerts </dev/null", address(seen), host(seen))
    },
    judge: certificate,
};

fn certificate(seen: &Evidence) -> Result<Finding, Missing> {
    let (image, trial) = match case(seen)? {
        Ok(case) => case,
        Err(finding) => return Ok(finding),
    };
    let target = seen.target()?;
    let fail = match reached(trial, Stage::Tls) {
        Reached::Not => return Ok(not_reached()),
        Reached::Failed(exchange, fault) => Some((exchange, fault)),
        Reached::Passed => None,
    };
    let shown = fail.map(|(e, _)| e).or_else(|| trial.exchanges.iter().find(|e| e.tls.is_some()));
    let Some(tls) = shown.and_then(|e| e.tls.as_ref()) else {
        return Ok(match fail {
            Some((exchange, fault)) if fault.error.contains("does not speak TLS") => {
                let (host, port) = (&exchange.host, exchange.port);
                Finding::cause("not-tls", format!("{host} does not speak TLS on port {port}: it is plain HTTP"))
                    .cites([cite(exchange)])
                    .advise(format!(
                        "if it is meant so: server = \"http://{host}:{port}\" in certs.d/{host}:{port}/hosts.toml"
                    ))
            }
            Some((exchange, _)) => {
                Finding::cause("tls-failed", format!("{} breaks off while TLS is spoken", exchange.host))
                    .cites([cite(exchange)])
                    .advise("a firewall that looks into TLS, or a server that asks for a client certificate")
            }
            None => Finding::not_applicable("plain HTTP"),
        });
    };
    let chain = tls.chain.iter().map(|c| Cite {
        text: format!("{} by {}, {} to {}", c.subject, c.issuer, date(c.not_before), date(c.not_after)),
        source: shown.map(|e| format!("certificate of {}:{}", e.host, e.port)).unwrap_or_default(),
    });
    if tls.problems.is_empty() {
        return Ok(Finding::pass(format!("{}, trusted", tls.version)).cites(chain));
    }
    if tls.skipped {
        return Ok(Finding::warn(format!("not verified (skip_verify): {}", tls.problems.join("; "))).cites(chain));
    }
    let finding = judged(tls, trial, seen.now());
    let finding = finding.cites(chain).cites(shown.map(cite));
    Ok(if tls.unknown_issuer && finding.cause.as_deref() == Some("ca-unknown") {
        trust(seen, finding, image, trial, &target.config)
    } else {
        finding
    })
}

/// The one thing that is wrong; a wrong clock makes good certificates look bad.
pub(super) fn judged(tls: &Tls, trial: &Trial, now: u64) -> Finding {
    let leaf = tls.chain.first();
    if tls.expired || tls.not_yet {
        let ahead = trial.ahead.unwrap_or(0);
        let true_time = i64::try_from(now).unwrap_or(i64::MAX) - ahead;
        let valid = leaf.is_some_and(|c| c.not_before <= true_time && true_time <= c.not_after);
        if ahead.abs() > SKEW && valid {
            let way = if ahead > 0 { "ahead" } else { "behind" };
            return Finding::cause(
                "clock-skew",
                format!("this node's clock is {} s {way}: the certificate is good, the clock is not", ahead.abs()),
            )
            .advise("timedatectl; chronyc makestep (on an etcd node first look what depends on it)");
        }
        let cause = if tls.expired { "certificate-expired" } else { "certificate-not-yet-valid" };
        return Finding::cause(cause, tls.problems.first().cloned().unwrap_or_default())
            .advise("the registry's owner must renew it; nothing on this node is wrong");
    }
    if tls.wrong_name {
        let text = tls.problems.iter().find(|p| p.contains("not for")).cloned().unwrap_or_default();
        return Finding::cause("certificate-wrong-name", text)
            .advise("use the name that is in the certificate, or have one made for this name");
    }
    if tls.unknown_issuer {
        let issuer = tls.chain.last().map(|c| c.issuer.clone()).unwrap_or_default();
        return Finding::cause("ca-unknown", format!("x509: certificate signed by unknown authority: {issuer}"));
    }
    Finding::cause("certificate-bad", tls.problems.join("; "))
}

/// A `ca` stanza in certs.d, or in the older table, from the CA file a person names.
pub(super) fn trust(seen: &Evidence, finding: Finding, image: &ImageFacts, trial: &Trial, config: &str) -> Finding {
    let Some(registry) = image.reference.as_ref().map(|r| r.registry.clone()) else { return finding };
    let directory = image.list.config_path.first().cloned();
    let ca = seen.param("ca").unwrap_or("/etc/containerd/certs.d/CA.crt");
    match &directory {
        None => finding.advise(format!(
            "in {config}: [plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"{registry}\".tls] ca_file = \"{ca}\"; or set config_path and use certs.d"
        )),
        Some(directory) => {
            let path = format!("{directory}/{registry}/hosts.toml");
            let there = image.list.hosts.iter().any(|h| h.source.starts_with(&path));
            let finding = finding.advise(format!("put the CA's certificate on the node and name it in {path}: ca = \"{ca}\"; no restart is needed"));
            if there || seen.param("ca").is_none() {
                return finding.advise("with --set ca=FILE the stanza is written for you");
            }
            let server = trial.host.url.trim_end_matches("/v2");
            // The form of containerd's own documentation; older ones read `ca` nowhere else.
            let new = format!("server = \"{server}\"\n\n[host.\"{server}\"]\n  ca = \"{ca}\"\n");
            let edit = Edit { path, old: None, new, check: Vec::new() };
            let title = format!("trust {ca} for {registry}");
            let action = Action::Mend { title: title.clone(), changes: vec![Change::Edit(edit)] };
            finding.fix(Fix { title, risk: Risk::Safe, action })
        }
    }
}
