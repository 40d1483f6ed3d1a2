//! What stands between a node and an image beside the registry itself: the runtime's proxy, the server that gives tokens, the
//! host that has the layers. Each is told from the registry, with the request that failed.

use super::{
    bytes, certificate, cgroup, client,
    image::{self, Reached, answered, asked, case, cite, found, not_reached, reached, unreached},
};
use crate::{
    client::change::Edit,
    error::Kind,
    node::net::{Exchange, Fault, Stage},
    runbook::{
        Check, Cite, Evidence, Fact, Finding, Fix, ImageFacts, Missing,
        registry::{self, Proxied, Trial},
    },
};

pub static PROXY: Check = Check {
    id: "pull-proxy",
    title: "Does the runtime's proxy let it through?",
    needs: &[Fact::Image, Fact::Target, Fact::Units, Fact::Processes],
    command: |seen| {
        let pid = seen.target.value().and_then(|t| t.pid).unwrap_or_default();
        format!(
            "tr '\\0' '\\n' < /proc/{pid}/environ | grep -i _proxy; systemctl show -p Environment -p EnvironmentFiles {}",
            seen.unit()
        )
    },
    judge: proxy,
};

pub static TOKEN: Check = Check {
    id: "pull-token",
    title: "Does the registry's token server give a token?",
    needs: &[Fact::Image, Fact::Target, Fact::Conf, Fact::Status, Fact::Units, Fact::Processes],
    command: |seen| {
        let last = case(seen).ok().and_then(Result::ok).and_then(|(_, trial)| trial.realm.last());
        // It is shown for a shell, and the registry wrote it.
        let plain = |u: &&str| u.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?=&%+,@[]".contains(c));
        let url = last.and_then(|e| e.request.split(' ').nth(1)).filter(plain).unwrap_or("REALM");
        format!("curl -sI {}/ | grep -i www-authenticate; curl -v '{url}'", image::url(seen))
    },
    judge: token,
};

pub static LAYERS: Check = Check {
    id: "pull-layers",
    title: "Do its layers come as well?",
    needs: &[Fact::Image, Fact::Target, Fact::Conf, Fact::Status, Fact::Units, Fact::Processes],
    command: |seen| {
        format!(
            "curl -sIL {}/{}/blobs/DIGEST",
            image::url(seen),
            image::reference(seen).map(|r| r.repository.clone()).unwrap_or_default()
        )
    },
    judge: layers,
};

fn proxy(seen: &Evidence) -> Result<Finding, Missing> {
    let (_, trial) = asked!(seen);
    let through = trial.exchanges.first().and_then(|e| e.proxy.clone());
    let cites = trial.proxy.iter().flat_map(said);
    if let Some((by, through)) = trial.around.as_ref().filter(|_| trial.lacks_proxy()) {
        return Ok(lacking(seen, trial, by, through));
    }
    let Some(through) = through else {
        return Ok(match &trial.proxy {
            Some(proxy) => {
                Finding::not_applicable(format!("NO_PROXY excepts this host from {}", proxy.at)).cites(cites)
            }
            None => Finding::not_applicable("the runtime has no proxy for this host"),
        });
    };
    match reached(trial, Stage::Proxy) {
        Reached::Failed(exchange, fault) => proxy_failed(seen, trial, exchange, fault),
        Reached::Passed => Ok(Finding::pass(format!("through {through}")).cites(cites).cites(shell(seen))),
        Reached::Not => Ok(not_reached()),
    }
}

/// The registry answers through a proxy that the runtime does not use for it.
fn lacking(seen: &Evidence, trial: &Trial, by: &Proxied, through: &Exchange) -> Finding {
    let host = trial.exchanges.first().map(|e| e.host.clone()).unwrap_or_default();
    let first = trial.exchanges.first().map(cite);
    let finding = if by.source.is_empty() {
        Finding::cause(
            "no-proxy-too-wide",
            format!(
                "NO_PROXY excepts {host} from the runtime's proxy {}, and only through the proxy it is reached",
                by.at
            ),
        )
        .advise(format!("take what stands for {host} out of NO_PROXY: systemctl edit {}, then restart it", seen.unit()))
    } else {
        Finding::cause(
            "proxy-missing",
            format!("{host} is reached only through a proxy: {} has {}, the runtime has none", by.source, by.at),
        )
        .fix(give(seen, by, trial.host.url.starts_with("https://")))
        .advise(format!(
            "systemctl edit {}: [Service] Environment=…, then restart it: a shell's variables are not the runtime's",
            seen.unit()
        ))
    };
    let answer = through.status.map_or("no answer".to_owned(), |s| s.to_string());
    finding.cites(first).cite(format!("{answer}, through {}", by.at), through.request.clone()).cites(said(by))
}

/// What a curl of this login would do differently.
fn shell(seen: &Evidence) -> Option<Cite> {
    let facts = seen.image.value()?;
    let runs = facts.trials.iter().any(|t| t.proxy.is_some());
    let text = "a login has no proxy here: what curl does proves nothing for the runtime".to_owned();
    (runs && facts.shell.is_empty()).then_some(Cite { text, source: "the environment of a login".to_owned() })
}

fn said(proxy: &Proxied) -> Vec<Cite> {
    let source = if proxy.pid == 0 { proxy.source.clone() } else { format!("/proc/{}/environ", proxy.pid) };
    let excluded = if proxy.excluded.is_empty() { "not set" } else { &proxy.excluded };
    [format!("{}: {}", proxy.variable, proxy.at), format!("NO_PROXY: {excluded}")]
        .map(|text| Cite { text, source: source.clone() })
        .to_vec()
}

/// Whose fault it is: the proxy's own, or of who sends through it what can be had without it.
fn proxy_failed(seen: &Evidence, trial: &Trial, exchange: &Exchange, fault: &Fault) -> Result<Finding, Missing> {
    let at = exchange.proxy.clone().unwrap_or_default();
    let host = format!("{}:{}", exchange.host, exchange.port);
    let direct = trial.direct.iter().find(|d| (&d.host, d.port) == (&exchange.host, exchange.port));
    let without = direct.filter(|d| d.fault.is_none());
    let answers = fault.error.contains("the proxy answers");
    let finding = match fault.kind {
        Kind::Unimplemented => return Err(Missing { fact: Fact::Image, because: fault.error.clone() }),
        Kind::Unauthenticated => {
            Finding::cause("proxy-auth", format!("the runtime's proxy {at} wants a user and a password (407)"))
                .advise("put them into the proxy's URL in the unit's environment (http://USER:PASSWORD@HOST:PORT, special characters as %40), in a drop-in that only root reads")
        }
        _ if answers && without.is_some() => Finding::cause(
            "no-proxy-missing",
            format!("the runtime's proxy {at} does not let {host} through, and it answers without the proxy: it belongs into NO_PROXY"),
        )
        .fix(except(seen, trial, &exchange.host)),
        Kind::InvalidArgument if answers => {
            Finding::cause("proxy-wrong", format!("{at} is no HTTP proxy")).advise("correct the proxy's port in the unit's environment")
        }
        Kind::PermissionDenied if answers => Finding::cause("proxy-denies", format!("the runtime's proxy {at} forbids {host}"))
            .advise("have whoever runs the proxy allow this host, for CONNECT on this port"),
        Kind::Unavailable if answers => {
            Finding::cause("proxy-cannot-connect", format!("the runtime's proxy {at} cannot reach {host} itself"))
                .advise("for a registry outside: ask whoever runs the proxy; one inside belongs into NO_PROXY")
        }
        _ if fault.error.contains("look up") => Finding::cause("proxy-unresolved", format!("the name of the runtime's proxy {at} cannot be looked up"))
            .advise("correct its name in the unit's environment, or the node's name servers"),
        _ if fault.error.contains("connect to") => {
            let (cause, what, advice) = unreached(exchange, fault);
            Finding::cause(&format!("proxy-{cause}"), format!("the runtime's proxy: {what}")).advise(advice)
        }
        _ => Finding::cause("proxy-failed", format!("the runtime's proxy {at} breaks off or does not answer")),
    };
    let finding = match without {
        Some(_) if finding.cause.as_deref() != Some("no-proxy-missing") => {
            finding.advise(format!("{host} answers without the proxy: in NO_PROXY it would do without"))
        }
        _ => finding,
    };
    Ok(finding
        .advise(format!(
            "systemctl edit {}: [Service] Environment=…, then restart it: a shell's variables are not the runtime's",
            seen.unit()
        ))
        .cites([cite(exchange)])
        .cites(direct.map(|d| Cite { source: format!("{}, without the proxy", d.request), ..cite(d) }))
        .cites(trial.proxy.iter().flat_map(said))
        .cites(shell(seen)))
}

/// The login shell's proxy for the runtime's unit. One with a password is a person's to write down.
fn give(seen: &Evidence, by: &Proxied, tls: bool) -> Option<Fix> {
    let (name, lower) = if tls { ("HTTPS_PROXY", "https_proxy") } else { ("HTTP_PROXY", "http_proxy") };
    let url = if by.at.contains("://") { by.at.clone() } else { format!("http://{}", by.at) };
    if by.login {
        return None;
    }
    let mut pairs = vec![(name, url.clone()), (lower, url)];
    if !by.excluded.is_empty() {
        pairs.extend(["NO_PROXY", "no_proxy"].map(|n| (n, by.excluded.clone())));
    }
    drop_in(seen, 0, &pairs, |unit| format!("give {unit} the proxy {}", by.at))
}

/// A file that sets variables of the runtime's unit, over what one of that name says now. None if systemd would read them
/// elsewhere last: an EnvironmentFile wins over any Environment.
fn drop_in(seen: &Evidence, which: usize, pairs: &[(&str, String)], title: impl Fn(&str) -> String) -> Option<Fix> {
    let unit = seen.target.value()?.unit.clone()?;
    let files = seen.units.value().and_then(|u| u.get(&unit, "EnvironmentFiles"));
    let plain = |c: char| c.is_ascii_alphanumeric() || ".,:*-/[]_ ".contains(c);
    if files.is_some() || !pairs.iter().all(|(_, value)| value.chars().all(plain)) {
        return None;
    }
    let path = registry::drop_ins(&unit)[which].clone();
    let old = seen.image.value()?.drop_ins.get(&path).cloned();
    let said: Vec<String> = pairs.iter().map(|(name, value)| format!("\"{name}={value}\"")).collect();
    let new = format!("[Service]\nEnvironment={}\n", said.join(" "));
    cgroup::edit_and_restart(seen, title(&unit), Edit { path, old, new, check: Vec::new() })
}

/// A drop-in of the runtime's unit with this host in NO_PROXY.
fn except(seen: &Evidence, trial: &Trial, host: &str) -> Option<Fix> {
    let excluded = &trial.proxy.as_ref()?.excluded;
    let list = if excluded.is_empty() { host.to_owned() } else { format!("{excluded},{host}") };
    let pairs = ["NO_PROXY", "no_proxy"].map(|name| (name, list.clone()));
    drop_in(seen, 1, &pairs, |unit| format!("except {host} from the proxy of {unit}"))
}

/// Why somebody beside the registry does not answer; `part` begins the cause's name.
fn failed(
    seen: &Evidence,
    (facts, trial): (&ImageFacts, &Trial),
    part: &str,
    exchange: &Exchange,
    fault: &Fault,
) -> Result<Finding, Missing> {
    let who = match part {
        "token-server" => "the registry's token server",
        _ => "the host of the layers",
    };
    let host = &exchange.host;
    let finding = match fault.stage {
        Stage::Proxy => return proxy_failed(seen, trial, exchange, fault),
        Stage::Name => Finding::cause(&format!("{part}-unresolved"), format!("{who}, {host}, cannot be looked up"))
            .cite(format!("nameservers: {}", facts.nameservers.join(", ")), "/etc/resolv.conf")
            .advise(
                "the registry names this host, so it must be known here as well: a zone, or an entry in /etc/hosts",
            ),
        Stage::Connect => {
            let (cause, what, advice) = unreached(exchange, fault);
            Finding::cause(&format!("{part}-{cause}"), format!("{who}: {what}"))
                .advise(advice)
                .advise("who lets the registry through must let this host through as well")
        }
        Stage::Tls => match &exchange.tls {
            Some(tls) => {
                let judged = certificate::judged(tls, trial, seen.now());
                let summary = format!("{who}, {host}: {}", judged.summary);
                let cause = judged.cause.clone().filter(|c| c == "clock-skew").unwrap_or(format!("{part}-untrusted"));
                let finding = Finding { summary, cause: Some(cause), ..judged };
                match tls.unknown_issuer {
                    // The runtime asks it with the registry's own trust.
                    true => certificate::trust(seen, finding, facts, trial, &seen.target()?.config),
                    false => finding,
                }
            }
            None => {
                Finding::cause(&format!("{part}-tls-failed"), format!("{who}, {host}, breaks off while TLS is spoken"))
                    .advise("a firewall that looks into TLS, or plain HTTP on that port")
            }
        },
        Stage::Client => {
            let judged = client::judged(exchange, Some(fault), trial, seen.now());
            let cause = judged.cause.as_ref().map(|cause| format!("{part}-{cause}"));
            Finding { summary: format!("{who}: {}", judged.summary), cause, ..judged }
        }
        Stage::Answer => Finding::cause(
            &format!("{part}-silent"),
            format!("{who}, {host}, does not answer as it should: {}", fault.error),
        )
        .advise("it is overloaded or broken, or somebody answers in its place"),
    };
    Ok(finding.cites([cite(exchange)]))
}

fn token(seen: &Evidence) -> Result<Finding, Missing> {
    let (facts, trial) = asked!(seen);
    if !answered(trial) {
        return Ok(not_reached());
    }
    let Some(last) = trial.realm.last() else {
        return Ok(Finding::not_applicable("the registry names no token server"));
    };
    if let Some(fault) = &last.fault {
        return failed(seen, (facts, trial), "token-server", last, fault);
    }
    let registry = facts.reference.as_ref().map(|r| r.registry.clone()).unwrap_or_default();
    let host = &last.host;
    let notes = trial.notes.iter().map(|n| Cite { text: n.clone(), source: "the node's credentials".to_owned() });
    Ok(match last.status.unwrap_or_default() {
        200 => Finding::pass(format!("yes, {host}")),
        429 => Finding::not_applicable("limited before a token was given"),
        status @ (401 | 403) if trial.credentials.is_empty() => {
            Finding::cause("credentials-missing", format!("{host}, the token server of {registry}, gives nobody a token without credentials ({status}), and this node has none"))
                .advise(format!("give the pod an imagePullSecret of type kubernetes.io/dockerconfigjson, made for {registry}"))
                .cites(notes)
        }
        401 => Finding::cause("credentials-refused", format!("{host}, the token server of {registry}, refuses the credentials (401): {}", trial.credentials.join("; ")))
            .advise("make the secret anew: kubectl create secret docker-registry regcred --docker-server=… --docker-username=… --docker-password=…")
            .cites(notes),
        403 => Finding::cause("access-denied", format!("{host}, the token server of {registry}, knows {} and gives no token (403)", trial.credentials.join("; ")))
            .advise("the account is locked, or may not pull this repository: ask the registry's owner"),
        status => Finding::cause("token-server-broken", format!("{host}, the token server of {registry}, answers {status}"))
            .advise("nothing on this node is wrong; the registry's owner must look at it"),
    }
    .cites([cite(last)]))
}

fn layers(seen: &Evidence) -> Result<Finding, Missing> {
    let (facts, trial) = asked!(seen);
    if let Some(finding) = found(trial) {
        return Ok(finding);
    }
    let Some(blob) = &trial.blob else {
        return Ok(Finding::not_applicable("the image has no layers for this machine"));
    };
    if let Some(fault) = &blob.fault {
        return failed(seen, (facts, trial), "layer-host", blob, fault);
    }
    let elsewhere = trial.exchanges.first().is_some_and(|e| (&e.host, e.port) != (&blob.host, blob.port));
    let whose = if elsewhere { "the host of the layers" } else { "the registry" };
    Ok(match blob.status.unwrap_or_default() {
        200..=299 => Finding::pass(format!("yes, from {}; {} in all", blob.host, bytes(trial.size))),
        status @ (401 | 403) => Finding::cause("layers-denied", format!("the manifest comes, but {whose}, {}, does not give the layers ({status})", blob.host))
            .advise(if elsewhere { "a filter before this node, or a signed address that is not accepted: the clocks of registry and store, the rights of the registry on its bucket" } else { "the credentials may read the manifest and not the layers: ask the registry's owner" }),
        404 => Finding::cause("layer-missing", format!("the manifest names a layer that {whose}, {}, does not have", blob.host))
            .advise("push the image anew; the registry has lost a layer, or a mirror is not complete"),
        status => Finding::cause("layers-broken", format!("the manifest comes, but {whose}, {}, answers {status} for a layer", blob.host))
            .advise("nothing on this node is wrong unless a proxy or filter answers in its place"),
    }
    .cites([cite(blob)]))
}
