//! The registry's name: whether it resolves, and which of the name servers is to blame if it does not.

use super::image::{Reached, asked, behind_proxy, cite, host, not_reached, reached};
use crate::{
    error::Kind,
    node::net::{
        Exchange, Fault, Stage,
        dns::{Answer, Told},
    },
    runbook::{
        Check, Cite, Evidence, Fact, Finding, Missing,
        registry::{Outcome, Trial},
    },
};

pub static DNS: Check = Check {
    id: "pull-dns",
    title: "Does the registry's name resolve?",
    needs: &[Fact::Image],
    command: |seen| {
        let servers = seen.image.value().map(|i| i.nameservers.join(" ")).unwrap_or_default();
        format!("getent ahosts {0}; for s in {servers}; do dig +short +time=2 @$s {0}; done", host(seen))
    },
    judge: dns,
};

/// What the servers say, by kind.
struct Servers<'a> {
    know: Vec<&'a str>,
    deny: Vec<&'a str>,
    fail: Vec<&'a str>,
    silent: Vec<&'a str>,
}

impl<'a> Servers<'a> {
    fn of(trial: &'a Trial) -> Self {
        let those = |is: fn(&Answer) -> bool| {
            trial.lookups.iter().filter(|t| is(&t.answer)).map(|t| t.server.as_str()).collect()
        };
        Self {
            know: those(|a| matches!(a, Answer::Addresses(_))),
            deny: those(|a| matches!(a, Answer::NoSuchName)),
            fail: those(|a| matches!(a, Answer::Failed(_))),
            silent: those(|a| matches!(a, Answer::Silent(_))),
        }
    }

    /// Those that differ from one that knows the name.
    fn odd(&self, name: &str) -> Option<(&'static str, String, &'static str)> {
        if self.know.is_empty() {
            return None;
        }
        let good = self.know.join(", ");
        if !self.silent.is_empty() {
            let what = format!("name server {} does not answer, and {good} knows {name}", self.silent.join(", "));
            return Some(("dns-server-silent", what, SILENT));
        }
        if !self.deny.is_empty() {
            let what =
                format!("name server {} says that there is no {name}, and {good} knows it", self.deny.join(", "));
            return Some(("dns-server-wrong", what, WRONG));
        }
        (!self.fail.is_empty()).then(|| {
            let what = format!("name server {} fails for {name}, and {good} knows it", self.fail.join(", "));
            ("dns-server-broken", what, SILENT)
        })
    }
}

const SILENT: &str = "every lookup waits seconds for it before the next one is asked: mend it or its way (a firewall on port 53), or take it out of the resolver's configuration";
const WRONG: &str = "a \"no\" is final, the next server is not asked: name the one that knows the registry alone or first, or teach the other the zone";

fn dns(seen: &Evidence) -> Result<Finding, Missing> {
    let (image, trial) = asked!(seen);
    let list = if image.nameservers.is_empty() { "none".to_owned() } else { image.nameservers.join(", ") };
    let told = trial.lookups.iter().map(|t: &Told| Cite { text: t.to_string(), source: format!("DNS, @{}", t.server) });
    let servers = Servers::of(trial);
    let finding = match reached(trial, Stage::Name) {
        Reached::Failed(..) if trial.lacks_proxy() => return Ok(behind_proxy()),
        Reached::Failed(exchange, fault) => failed(&servers, exchange, fault),
        Reached::Passed => {
            let exchange = trial.exchanges.first();
            let addresses = exchange.map(|e| e.addresses.join(", ")).unwrap_or_default();
            if let Some(finding) = stale(trial) {
                return Ok(finding.cites(told));
            }
            match servers.odd(&exchange.map(|e| e.host.clone()).unwrap_or_default()) {
                Some((_, what, advice)) => Finding::warn(format!("{addresses}, but {what}")).advise(advice),
                None => Finding::pass(addresses),
            }
        }
        Reached::Not => return Ok(not_reached()),
    };
    Ok(finding.cite(format!("nameservers: {list}"), "/etc/resolv.conf").cites(told))
}

/// /etc/hosts has another address than the name servers, and who is there does not answer as the registry.
fn stale(trial: &Trial) -> Option<Finding> {
    let (address, source) = trial.pinned.as_ref()?;
    let known: Vec<&String> = trial
        .lookups
        .iter()
        .filter_map(|t| match &t.answer {
            Answer::Addresses(all) => Some(all),
            _ => None,
        })
        .flatten()
        .collect();
    let first = known.first()?;
    let fails = matches!(trial.outcome, Outcome::Unreachable | Outcome::Foreign);
    (fails && !known.contains(&address)).then(|| {
        Finding::cause("hosts-file-wrong", format!("{source} gives the registry the address {address}, and DNS says {first}: who is at {address} does not answer for it"))
            .cite(address.clone(), source.clone())
            .advise("take the line out of /etc/hosts, or correct it; look what writes it there")
    })
}

fn failed(servers: &Servers<'_>, exchange: &Exchange, fault: &Fault) -> Finding {
    if let Some((cause, what, advice)) = servers.odd(&exchange.host) {
        return Finding::cause(cause, what).cites([cite(exchange)]).advise(advice);
    }
    let none = fault.kind == Kind::NotFound || (!servers.deny.is_empty() && servers.silent.is_empty());
    let finding = if none {
        Finding::cause("dns-no-such-name", format!("{} does not exist in DNS", exchange.host)).advise(
            "check the spelling of the registry's name, and whether this node needs a search domain or an entry in /etc/hosts",
        )
    } else {
        Finding::cause("dns-unavailable", format!("no name server answers for {}", exchange.host))
            .advise("a firewall may block port 53, over UDP or TCP; ip route get SERVER")
    };
    finding.cites([cite(exchange)])
}
