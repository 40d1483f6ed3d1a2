//! Whether the host's packet filter lets pods through.

use crate::{
    node::firewall::RuleSet,
    runbook::{Check, Cite, Evidence, Fact, Finding, Missing},
};

/// Chains that let only replies, marked packets, or containers of another runtime through.
const OTHERS: &[&str] = &["-j DOCKER", "-j KUBE-", "-o docker0", "-i docker0", "-j ufw-", "-j LIBVIRT"];

pub static FIREWALL: Check = Check {
    id: "incident-firewall",
    title: "Does the host's packet filter let pods through?",
    needs: &[Fact::Firewall, Fact::Cni],
    command: |_| "iptables-save | grep -E '^:FORWARD|^-A FORWARD'; cat /proc/net/ip_tables_names".to_owned(),
    judge: firewall,
};

fn firewall(seen: &Evidence) -> Result<Finding, Missing> {
    let sets = &seen.firewall()?.sets;
    let network = seen.cni()?.files.iter().find(|f| f.error.is_none());
    let said = |set: &RuleSet| Cite {
        text: format!(
            "FORWARD {}, {} rules in it, {} in all ({})",
            set.policy.as_deref().unwrap_or("not there"),
            set.forward.len(),
            set.rules,
            set.kind
        ),
        source: set.by.clone(),
    };
    let cites: Vec<Cite> = sets.iter().map(said).collect();
    let drops = |set: &&RuleSet| set.policy.as_deref() == Some("DROP");
    let lets = |set: &RuleSet| {
        let own = |rule: &&String| {
            !OTHERS.iter().any(|o| rule.contains(o)) && !rule.contains("-j DROP") && !rule.contains("-j REJECT")
        };
        set.forward.iter().find(own).cloned()
    };
    let closed = sets.iter().find(|s| drops(s) && lets(s).is_none());
    Ok(match (closed, network) {
        (Some(set), Some(network)) => {
            let docker = set.forward.iter().any(|r| r.contains("DOCKER"));
            let finding = Finding::cause("forward-dropped", format!("the chain FORWARD drops what no rule lets through, and none is for the pods of {}: they reach nothing beyond this node", network.network))
                .advise("iptables -P FORWARD ACCEPT, or a rule for the pods' addresses: iptables -A FORWARD -s PODS -j ACCEPT and -d PODS -j ACCEPT");
            if docker { finding.advise("Docker sets this policy when it starts: stop it if nothing needs it, or \"ip-forward-no-drop\": true in its daemon.json (from version 28 on)") } else { finding }
        }
        (Some(_), None) => Finding::warn("the chain FORWARD drops what no rule lets through, and there is no pod network yet that would add one"),
        (None, _) if sets.iter().filter(|s| s.rules > 0).count() > 1 => {
            Finding::warn("there are rules in nf_tables and in the legacy tables: a packet must pass both, and each program shows but one")
                .advise("let all use the same (update-alternatives --config iptables), and reboot to empty the other")
        }
        (None, _) => match sets.iter().find(drops) {
            Some(set) => Finding::pass("FORWARD drops, and a rule lets pods through").cites(lets(set).map(|text| Cite { text, source: set.by.clone() })),
            None => Finding::pass("yes"),
        },
    }
    .cites(cites))
}
