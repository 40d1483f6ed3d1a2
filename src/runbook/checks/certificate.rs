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
    error::Kind,
    node::net::{Exchange, Fault, Stage, Tls, tls::date},
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
            Some((exchange, fault)) => broken_off(exchange, fault),
            None => Finding::not_applicable("plain HTTP"),
        });
    };
    let chain = tls.chain.iter().map(|c| Cite {
        text: format!("{} by {}, {} to {}", c.subject, c.issuer, date(c.not_before), date(c.not_after)),
        source: shown.map(|e| format!("certificate of {}:{}", e.host, e.port)).unwrap_or_default(),
    });
    if let (true, Some(late), true) = (tls.problems.is_empty(), &image.late, trial.host.ca.is_empty())
        && let Some(said) = &late.said
    {
        let what = format!(
            "this node's store trusts it since {} was changed, {} s after the runtime read it: the runtime knows the old store until it is restarted",
            late.path, late.after
        );
        return Ok(Finding::cause("ca-store-not-read", what)
            .cites(chain)
            .cite(said.clone(), "the runtime's log")
            .fix(super::runtime::restart_fix(seen))
            .advise(format!(
                "systemctl restart {}; or name the CA in certs.d, which is read at every pull",
                seen.unit()
            )));
    }
    if tls.problems.is_empty() {
        return Ok(Finding::pass(format!("{}, trusted", tls.version)).cites(chain));
    }
    if tls.skipped {
        return Ok(Finding::warn(format!("not verified (skip_verify): {}", tls.problems.join("; "))).cites(chain));
    }
    let finding = judged(tls, trial, seen.now());
    let finding = finding.cites(chain).cites(shown.map(cite));
    Ok(if tls.unknown_issuer { trust(seen, finding, image, trial, &target.config) } else { finding })
}

/// TLS was not spoken to its end, and nothing was shown.
fn broken_off(exchange: &Exchange, fault: &Fault) -> Finding {
    let host = &exchange.host;
    let says = |words: &[&str]| words.iter().any(|w| fault.error.contains(w));
    let (cause, what, advice) = if fault.kind == Kind::DeadlineExceeded {
        (
            "tls-silent",
            format!("{host} takes the connection and answers nothing while TLS is spoken"),
            "what it sends first is large: is the MTU on the way smaller than this node's (ping -M do -s 1472, ip link)? Or a firewall looks into TLS, or the server hangs",
        )
    } else if says(&[
        "ProtocolVersion",
        "TlsVersionsNotEnabled",
        "SupportedVersions",
        "NoCipherSuitesInCommon",
        "InsufficientSecurity",
    ]) {
        (
            "tls-too-old",
            format!("{host} speaks no TLS that runtimes of today speak: 1.2 or 1.3 with a cipher of today"),
            "the registry's owner must allow TLS 1.2: openssl s_client -tls1_2 -connect it shows what it takes",
        )
    } else if says(&["UnrecognisedName", "UnrecognizedName"]) {
        (
            "tls-name-refused",
            format!("{host} serves nothing by that name (SNI), and breaks off"),
            "the name is not that of a site there: correct it in the image or in hosts.toml, or have the server know it",
        )
    } else {
        (
            "tls-failed",
            format!("{host} breaks off while TLS is spoken"),
            "a firewall that looks into TLS, or a server that is set up wrong: its log says which",
        )
    };
    Finding::cause(cause, what).cites([cite(exchange)]).advise(advice)
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
        return unknown(tls, trial);
    }
    Finding::cause("certificate-bad", tls.problems.join("; "))
}

const WHOLE: &str = "the registry's owner must have the server send the whole chain, its own certificate first and the intermediate after it in one file (fullchain.pem): only who has seen the intermediate elsewhere does without, as browsers do";

/// Nobody known signed it: the authority is not trusted here, or what lies between it and the server was not sent.
fn unknown(tls: &Tls, trial: &Trial) -> Finding {
    let issuer = tls.chain.last().map(|c| c.issuer.clone()).unwrap_or_default();
    let plain = format!("x509: certificate signed by unknown authority: {issuer}");
    let Some(gap) = &tls.gap else { return Finding::cause("ca-unknown", plain) };
    let issuer = &gap.issuer;
    let sends = match tls.chain.len() {
        1 => "only its own certificate".to_owned(),
        count => format!("{count} certificates"),
    };
    let left_out = |what: String| {
        Finding::cause("intermediate-missing", format!("x509: certificate signed by unknown authority: {what}"))
            .cite(format!("the server sends {sends}; the last is signed by {issuer}"), "its chain")
            .advise(WHOLE)
    };
    if let Some(completed) = &trial.completed {
        let what =
            format!("the server leaves out the intermediate {}, with which it is trusted here", completed.subject);
        return left_out(what).cite(completed.subject.clone(), completed.source.clone());
    }
    if let Some(root) = &gap.root {
        return left_out(format!(
            "the server leaves out the intermediate {issuer}, which {root} signed, and that is trusted here"
        ));
    }
    if gap.namesakes > 0 {
        let what =
            format!("this node trusts a CA named {issuer}, with another key than the one that signed this certificate");
        return Finding::cause("ca-replaced", what)
            .advise("the CA was made anew under its old name: have its certificate of today, and put it beside the old one or in its place");
    }
    let between =
        ["intermediate", "issuing", "subordinate", "sub ca"].iter().any(|w| issuer.to_lowercase().contains(w));
    let known = gap.kin.first().or_else(|| gap.named.first().filter(|_| between));
    match known {
        Some(known) if between || !gap.named.is_empty() => left_out(format!(
            "the server sends {sends}, signed by {issuer}; this node trusts {known}, and nobody sends what lies between them"
        ))
        .advise(format!("until then, with the certificate of {issuer} in a file, --set ca=FILE trusts it on this node")),
        _ if !gap.named.is_empty() => Finding::cause("ca-unknown", plain)
            .cite(format!("CA files for this host: {}", gap.named.join(", ")), trial.host.source.clone())
            .advise("the CA file that is set for this host is of another authority"),
        _ if between => Finding::cause("ca-unknown", plain)
            .advise("by its name that is an intermediate, which a server sends itself: if this node has its root, the server's chain is not whole"),
        _ => Finding::cause("ca-unknown", plain),
    }
}

/// A `ca` stanza in certs.d, or in the older table, from the CA file a person names, or of the intermediate that was found.
pub(super) fn trust(seen: &Evidence, finding: Finding, image: &ImageFacts, trial: &Trial, config: &str) -> Finding {
    let Some(registry) = image.reference.as_ref().map(|r| r.registry.clone()) else { return finding };
    let host = trial.host.url.trim_end_matches("/v2");
    // What was left out of a chain is as good as a CA file, and it is here.
    let link = trial.completed.as_ref().filter(|_| finding.cause.as_deref().is_some_and(|c| c.ends_with("-missing")));
    let directory = image.list.config_path.first();
    let path = image.list.file.as_ref().map(|f| f.path.clone());
    let path = directory.map(|d| path.unwrap_or_else(|| format!("{d}/{registry}/hosts.toml")));
    let beside = path.as_deref().and_then(|p| p.strip_suffix("hosts.toml"));
    let place = link.zip(beside).map(|(_, beside)| format!("{beside}intermediate.crt"));
    let named = place.as_deref().or(seen.param("ca"));
    let ca = named.unwrap_or("/etc/containerd/certs.d/CA.crt");
    let (Some(directory), Some(path)) = (directory, path) else {
        let (table, fix) = older(seen, hosts::host_of(host), ca);
        return finding
            .advise(format!("in {config}: {table} ca_file = \"{ca}\"; or set config_path and use certs.d"))
            .fix(fix.filter(|_| named.is_some()));
    };
    let whose = if link.is_some() { "the intermediate's" } else { "the CA's" };
    let finding = finding.advise(format!(
        "put {whose} certificate on the node and name it in {path}: ca = \"{ca}\"; no restart is needed"
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
    let file = link.map(|l| Edit { path: ca.to_owned(), old: None, new: l.pem.clone(), check: Vec::new() });
    let title = format!("trust {ca} for {registry}");
    let changes = file.into_iter().chain([edit]).map(Change::Edit).collect();
    let action = Action::Mend { title: title.clone(), changes };
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
