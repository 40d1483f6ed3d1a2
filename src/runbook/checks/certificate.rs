//! The certificate a registry shows: which one thing is wrong with it, and the stanza that makes this node trust it.

use toml_edit::{Array, DocumentMut, Item, Value, value};

use super::{
    cgroup,
    image::{Reached, address, case, cite, host, not_reached, reached},
};
use crate::{
    client::{
        action::Action,
        change::{Change, Edit},
    },
    node::net::{Stage, Tls, tls::date},
    runbook::{Check, Cite, Evidence, Fact, Finding, Fix, ImageFacts, Missing, Risk, hosts, registry::Trial, settings},
};

/// Seconds of difference from which a clock explains certificates.
const SKEW: i64 = 60;

pub static TLS: Check = Check {
    id: "pull-tls",
    title: "Is its certificate good?",
    needs: &[Fact::Image, Fact::Target, Fact::Conf, Fact::Status, Fact::Units, Fact::Processes],
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
            Some((exchange, fault)) if trial.host.ca.iter().any(|f| fault.error.contains(f.as_str())) => {
                Finding::cause("ca-file-broken", format!("the CA file for {} cannot be used: {}", exchange.host, fault.error))
                    .cite(trial.host.ca.join(", "), trial.host.source.clone())
                    .advise("a CA file is PEM (openssl x509 -inform der -in FILE makes PEM of DER); put it there, readable for root, or correct its path")
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
    let named = seen.param("ca");
    let ca = named.unwrap_or("/etc/containerd/certs.d/CA.crt");
    let host = trial.host.url.trim_end_matches("/v2");
    let Some(directory) = image.list.config_path.first() else {
        let (table, fix) = older(seen, hosts::host_of(host), ca);
        return finding
            .advise(format!("in {config}: {table} ca_file = \"{ca}\"; or set config_path and use certs.d"))
            .fix(fix.filter(|_| named.is_some()));
    };
    let path =
        image.list.file.as_ref().map_or_else(|| format!("{directory}/{registry}/hosts.toml"), |f| f.path.clone());
    let finding = finding.advise(format!(
        "put the CA's certificate on the node and name it in {path}: ca = \"{ca}\"; no restart is needed"
    ));
    if named.is_none() {
        return finding.advise("with --set ca=FILE the stanza is written for you");
    }
    // What stands in the file of all registries would become a mirror of all of them.
    if path.ends_with("/_default/hosts.toml") {
        return finding.advise(format!("{path} is of every registry: copy it to {directory}/{registry} first"));
    }
    let old = image.list.file.as_ref().map(|f| f.text.clone());
    let Some(new) = stanza(old.as_deref(), host, ca) else { return finding };
    let edit = Edit { path, old, new, check: Vec::new() };
    let title = format!("trust {ca} for {registry}");
    let action = Action::Mend { title: title.clone(), changes: vec![Change::Edit(edit)] };
    finding.fix(Fix { title, risk: Risk::Safe, action })
}

/// A hosts.toml in which this host is trusted by this CA too; every other byte stays. The CA is in a host's own table: older
/// containerds read it nowhere else. None for a file that is no TOML, or that has it.
fn stanza(old: Option<&str>, host: &str, ca: &str) -> Option<String> {
    let Some(text) = old else { return Some(format!("server = \"{host}\"\n\n[host.\"{host}\"]\n  ca = \"{ca}\"\n")) };
    let mut document: DocumentMut = text.parse().ok()?;
    let same = |key: &str| key.trim_end_matches('/').trim_end_matches("/v2") == host;
    let hosts = document.get_mut("host").and_then(|h| h.as_table_like_mut());
    let table = hosts.and_then(|h| h.iter_mut().find(|(key, _)| same(key.get())).map(|(_, item)| item));
    let Some(table) = table else {
        let line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        // The newest table goes to the end: the host is asked after the mirrors, as it was.
        let new = format!("{text}{line}\n[host.\"{host}\"]\n  ca = \"{ca}\"\n");
        return new.parse::<DocumentMut>().ok().map(|_| new);
    };
    let table = table.as_table_like_mut()?;
    match table.get_mut("ca") {
        None => drop(table.insert("ca", value(ca))),
        Some(Item::Value(there)) => {
            let mut list: Array = match &*there {
                Value::String(one) => [one.value().as_str()].into_iter().collect(),
                Value::Array(list) => list.clone(),
                _ => return None,
            };
            if list.iter().any(|one| one.as_str() == Some(ca)) {
                return None;
            }
            list.push(ca);
            let decor = there.decor().clone();
            *there = Value::Array(list);
            *there.decor_mut() = decor;
        }
        Some(_) => return None,
    }
    Some(document.to_string())
}

/// `ca_file` in the table of the registry's TLS, which needs a restart: the table's name as the file has it, and the fix.
fn older(seen: &Evidence, host: &str, ca: &str) -> (String, Option<Fix>) {
    let conf = seen.conf.value();
    let plugin = conf.map_or("io.containerd.grpc.v1.cri", |c| settings::table(c, settings::Area::Images));
    let table = format!("[plugins.\"{plugin}\".registry.configs.\"{host}\".tls]");
    let fix = || {
        let path = ["registry", "configs", host, "tls", "ca_file"];
        let version = &seen.status.value()?.info.version;
        let set = settings::set(conf?, seen.config_path(), version, settings::Area::Images, &path, ca.into());
        let (file, old, new) = set.ok()?;
        cgroup::edit_and_restart(seen, format!("trust {ca} for {host}"), cgroup::checked(seen, file, old, new))
    };
    (table, fix())
}

#[cfg(test)]
mod tests {
    use super::stanza;

    #[test]
    fn a_stanza_is_added_to_what_a_file_says() {
        let host = "https://r.test:5000";
        let new = |old: &str| stanza(Some(old), host, "/ca.crt");
        let mirror =
            "server = \"https://r.test:5000\" # ours\n[host.\"https://m.test\"]\n  capabilities = [\"pull\"]\n";
        assert_eq!(new(mirror).unwrap(), format!("{mirror}\n[host.\"{host}\"]\n  ca = \"/ca.crt\"\n"));
        let there =
            "[host.\"https://r.test:5000/v2\"] # the registry\n  skip_verify = false\n[host.\"https://m.test\"]\n";
        assert_eq!(new(there).unwrap(), there.replace("false\n", "false\nca = \"/ca.crt\"\n"));
        let other = "[host.\"https://r.test:5000\"]\n  ca = \"old.crt\" # of last year\n";
        assert_eq!(new(other).unwrap(), other.replace("\"old.crt\"", "[\"old.crt\", \"/ca.crt\"]"));
        assert_eq!(new(&new(other).unwrap()), None, "it is there");
        assert_eq!(new("[host"), None);
        assert!(stanza(None, host, "/ca.crt").unwrap().starts_with("server = "));
    }
}
