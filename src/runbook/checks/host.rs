//! What pods take from the host, when it is the cause: forwarding, resolvers, the clock, control groups, children nobody waits for.

use std::collections::BTreeMap;

use crate::{
    client::{
        action::Action,
        change::{Change, Sysctl},
        types::short_id,
    },
    node::host::{RESOLV, RESOLVED},
    runbook::{Check, Cite, Evidence, Fact, Finding, Fix, Missing, Risk},
};

/// Seconds of difference from which a clock is wrong.
const SKEW: i64 = 60;
/// Zombies of one parent that are more than a passing state.
const CHILDREN: usize = 20;
/// Servers the C library asks; more are cut off.
const SERVERS: usize = 3;
/// Of the 65535 ids of cgroup v1's memory controller.
const V1_GROUPS: u64 = 62_000;
/// Control groups that were deleted and are still charged.
const DYING: u64 = 20_000;

pub static UPGRADE: Check = Check {
    id: "incident-upgrade",
    title: "Was the runtime upgraded underneath?",
    needs: &[Fact::Host, Fact::Units, Fact::Target],
    command: |seen| {
        format!("systemctl show -p ActiveEnterTimestamp {}; grep ' upgrade ' /var/log/dpkg.log | tail", seen.unit())
    },
    judge: upgrade,
};

pub static FORWARDING: Check = Check {
    id: "incident-forwarding",
    title: "Does the host forward packets of pods?",
    needs: &[Fact::Host, Fact::Cni, Fact::Kubelet],
    command: |_| "sysctl net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables; lsmod | grep br_netfilter".to_owned(),
    judge: forwarding,
};

pub static RESOLVER: Check = Check {
    id: "incident-resolver",
    title: "Can pods use the resolvers the kubelet gives them?",
    needs: &[Fact::Host, Fact::Kubelet],
    command: |_| {
        "grep -i resolvConf /var/lib/kubelet/config.yaml; cat /etc/resolv.conf /run/systemd/resolve/resolv.conf"
            .to_owned()
    },
    judge: resolver,
};

pub static CLOCK: Check = Check {
    id: "incident-clock",
    title: "Is the clock kept in step?",
    needs: &[Fact::Host, Fact::Cluster],
    command: |_| "timedatectl; adjtimex -p 2>/dev/null; chronyc tracking".to_owned(),
    judge: clock,
};

pub static ZOMBIES: Check = Check {
    id: "incident-zombies",
    title: "Does somebody not wait for its children?",
    needs: &[Fact::Processes, Fact::Cgroup],
    command: |_| {
        "ps -eo ppid,stat,comm | awk '$2 ~ /^Z/ {n[$1]++} END {for (p in n) print n[p], p}' | sort -rn".to_owned()
    },
    judge: zombies,
};

pub static GROUPS: Check = Check {
    id: "incident-cgroups",
    title: "Do deleted control groups pile up?",
    needs: &[Fact::Host, Fact::Cgroup],
    command: |_| "grep memory /proc/cgroups; grep dying /sys/fs/cgroup/cgroup.stat".to_owned(),
    judge: groups,
};

fn forwarding(seen: &Evidence) -> Result<Finding, Missing> {
    let host = seen.host()?;
    let Some(forwards) = host.forwards else {
        return Ok(Finding::not_applicable("this kernel does not tell whether it forwards"));
    };
    let cite = Cite {
        text: format!("net.ipv4.ip_forward = {}", u8::from(forwards)),
        source: "/proc/sys/net/ipv4/ip_forward".to_owned(),
    };
    let set = |key: &str| {
        let title = format!("set {key} to 1");
        let change = Change::Sysctl(Sysctl { key: key.to_owned(), value: 1 });
        Fix { title: title.clone(), risk: Risk::Safe, action: Action::Mend { title, changes: vec![change] } }
    };
    let cni = seen.cni()?;
    let plugins: Vec<&str> =
        cni.files.iter().filter(|f| f.error.is_none()).take(1).flat_map(|f| &f.plugins).map(String::as_str).collect();
    if !forwards {
        return Ok(if plugins.is_empty() {
            Finding::warn("it does not forward, and there is no pod network yet that would switch it on")
        } else {
            Finding::cause("forwarding-off", "the host drops what pods send beyond it: net.ipv4.ip_forward is 0")
                .fix(set("net.ipv4.ip_forward"))
        }
        .cite(cite.text, cite.source));
    }
    // Services of kube-proxy are rewritten in the host's firewall, which a bridge passes by without this.
    let proxied =
        plugins.contains(&"bridge") && seen.kubelet.value().is_some_and(crate::node::kubelet::KubeletFacts::present);
    Ok(match host.bridge_filter {
        Some(false) if proxied => Finding::warn(
            "bridged packets pass the host's firewall by: pods of this node do not reach each other through a Service",
        )
        .fix(set("net.bridge.bridge-nf-call-iptables"))
        .cite("net.bridge.bridge-nf-call-iptables = 0", "/proc/sys/net/bridge"),
        None if proxied => {
            Finding::warn("the module br_netfilter is not loaded: Services do not work between pods of this node")
                .advise("modprobe br_netfilter; echo br_netfilter > /etc/modules-load.d/br_netfilter.conf")
        }
        _ => Finding::pass("yes"),
    }
    .cite(cite.text, cite.source))
}

fn resolver(seen: &Evidence) -> Result<Finding, Missing> {
    let kubelet = seen.kubelet()?;
    let host = seen.host()?;
    if !kubelet.present() {
        return Ok(Finding::not_applicable("this node has no kubelet that would hand resolvers to pods"));
    }
    let setting = kubelet.setting("resolvConf", "resolv-conf");
    let path = setting.and_then(|s| s.value.as_str()).unwrap_or(RESOLV);
    if path.is_empty() {
        return Ok(Finding::not_applicable("resolvConf is empty: pods get the cluster's resolvers only"));
    }
    let source = setting.map_or_else(|| "the kubelet's default".to_owned(), |s| s.source.clone());
    let Some(servers) = host.servers.get(path) else {
        return Ok(match path {
            _ if matches!(path, RESOLV | RESOLVED) || host.resolvers.iter().any(|p| p == path) => Finding::cause(
                "resolver-missing",
                format!("{path} is not there: the kubelet cannot make a pod with the node's resolvers"),
            )
            .cite(format!("resolvConf: {path}"), source),
            _ => Finding::not_applicable(format!("the kubelet uses {path}, which was not looked at")),
        });
    };
    let shown = Cite { text: format!("{path}: {}", servers.join(" ")), source };
    let local = |s: &String| s.starts_with("127.") || s == "::1";
    Ok(if servers.is_empty() {
        Finding::warn(format!("{path} names no server: pods with the node's resolvers have none"))
    } else if servers.iter().all(local) {
        let advice = if host.servers.get(RESOLVED).is_some_and(|s| !s.is_empty()) {
            format!(
                "resolvConf: {RESOLVED} in the kubelet's configuration, and restart it; then delete the CoreDNS pods"
            )
        } else {
            "name a server that pods can reach in a file of its own, and that file as resolvConf of the kubelet"
                .to_owned()
        };
        Finding::cause(
            "resolver-loop",
            format!(
                "{path} names only this host itself ({}): a pod that uses it asks itself, and CoreDNS loops",
                servers.join(", ")
            ),
        )
        .advise(advice)
    } else if servers.iter().any(local) {
        Finding::warn(format!(
            "{path} names this host itself among others ({}): a pod that uses it asks itself now and then",
            servers.join(", ")
        ))
        .advise("name only servers that pods can reach in the file that is resolvConf of the kubelet")
    } else if servers.len() > SERVERS {
        Finding::warn(format!("{path} names {} servers; pods get the first {SERVERS}", servers.len()))
    } else {
        Finding::pass(servers.join(", "))
    }
    .cite(shown.text, shown.source))
}

fn clock(seen: &Evidence) -> Result<Finding, Missing> {
    let Some(clock) = &seen.host()?.clock else {
        return Err(Missing { fact: Fact::Host, because: "the kernel did not tell about its clock".to_owned() });
    };
    // Others count for more than what the kernel believes.
    if let Some(cluster) = seen.cluster.value()
        && let Some(ahead) = cluster.ahead.filter(|a| a.abs() > SKEW)
    {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let what =
            format!("this node's clock is {} s {way} the API server's: certificates and tokens fail", ahead.abs());
        return Ok(Finding::cause("clock-skew", what)
            .cite(format!("{ahead} s"), format!("the Date of {}", cluster.server))
            .advise("timedatectl; chronyc makestep (on an etcd node first look what depends on it)"));
    }
    let text = format!(
        "{}, off by at most {} ms",
        if clock.synchronized { "in step" } else { "free running" },
        clock.error / 1000
    );
    Ok(if clock.synchronized {
        Finding::pass(text.clone())
    } else {
        Finding::warn("nothing keeps the clock in step: certificates and tokens fail when it has drifted far enough")
            .advise("timedatectl set-ntp true, or run chronyd")
    }
    .cite(text, "adjtimex(2)"))
}

fn zombies(seen: &Evidence) -> Result<Finding, Missing> {
    let processes = seen.processes()?;
    let mut parents: BTreeMap<u32, usize> = BTreeMap::new();
    for zombie in &processes.zombies {
        *parents.entry(zombie.parent).or_default() += 1;
    }
    let Some((parent, count)) = parents.iter().max_by_key(|p| p.1).map(|(p, c)| (*p, *c)) else {
        return Ok(Finding::pass("no"));
    };
    if count < CHILDREN {
        return Ok(Finding::pass(format!("{} ended processes wait to be asked for", processes.zombies.len())));
    }
    let names = processes.zombies.iter().filter(|z| z.parent == parent).take(3);
    let cites = names.map(|z| Cite { text: format!("{} <defunct>", z.name), source: format!("/proc/{}/stat", z.pid) });
    let shim = processes.shims.iter().find(|s| s.pid == parent);
    let first = seen.cgroup.value().and_then(|c| c.live.iter().find(|l| l.pid == parent));
    let inside = processes.zombies.iter().find(|z| z.parent == parent).and_then(|z| z.container.clone());
    Ok(match (shim, first) {
        (Some(shim), _) => Finding::cause("shim-reaps-not", format!("the shim of {} (pid {parent}) has {count} children that it does not wait for", short_id(&shim.id)))
            .advise("an upgrade of the runtime mends it for new pods; this one ends with its pod"),
        (None, Some(group)) => Finding::cause("init-reaps-not", format!("the first process of container {} (pid {parent}) does not wait for its children: {count} of them count as tasks", short_id(&group.container)))
            .advise("shareProcessNamespace: true, or an init such as tini in the image; exec probes that end in a shell are the usual source"),
        (None, None) if inside.is_some() => Finding::cause("children-not-reaped", format!("pid {parent}, a process of container {}, does not wait for its children: {count} of them count as tasks", short_id(inside.as_deref().unwrap_or_default())))
            .advise("that program must wait for what it starts; an init in the image would take over only when it has ended"),
        (None, None) => Finding::warn(format!("pid {parent} has {count} children that it does not wait for")),
    }
    .cites(cites))
}

fn groups(seen: &Evidence) -> Result<Finding, Missing> {
    let groups = &seen.host()?.groups;
    let memory = groups.memory.unwrap_or(0);
    // With cgroup v2 alone the controller's number is that of all groups, and there is no such limit.
    let v1 = seen.cgroup()?.version != crate::node::cgroup::Version::V2;
    Ok(match groups.dying {
        _ if v1 && memory >= V1_GROUPS => Finding::cause("cgroups-exhausted", format!("the memory controller has {memory} groups of 65535: no container can be made, \"no space left on device\""))
            .advise("old kernels keep deleted groups for kernel memory: drain and reboot; cgroup.memory=nokmem, or a newer kernel"),
        Some(dying) if dying >= DYING => Finding::warn(format!("{dying} deleted groups are still charged for memory"))
            .advise("echo 1 > /proc/sys/vm/drop_caches frees those that only page cache holds"),
        Some(dying) => Finding::pass(format!("{dying} deleted groups are still charged")),
        None if memory > 0 => Finding::pass(format!("{memory} groups in the memory controller")),
        None => return Err(Missing { fact: Fact::Host, because: "the kernel does not count them".to_owned() }),
    }
    .cite(format!("{memory} groups, {} dying", groups.dying.map_or("unknown".to_owned(), |d| d.to_string())), "/proc/cgroups and cgroup.stat"))
}

/// Seconds between a package's change and a start that it caused.
const SOON: i64 = 180;

fn upgrade(seen: &Evidence) -> Result<Finding, Missing> {
    let upgrades = &seen.host()?.upgrades;
    if upgrades.is_empty() {
        return Ok(Finding::pass("no package of it was changed lately, as far as this node writes that down"));
    }
    let unit = seen.unit();
    let Some(started) = seen.units()?.get(&unit, "ActiveEnterTimestamp") else {
        return Ok(Finding::not_applicable(format!("systemd does not tell when {unit} was started")));
    };
    // `Mon 2026-11-30 06:12:46 UTC`: both are of the node's own zone.
    let civil = |text: &str| text.parse::<jiff::civil::DateTime>().ok();
    let words: Vec<&str> = started.split_whitespace().collect();
    let start = words.get(1..3).and_then(|w| civil(&w.join("T")));
    let near = upgrades.iter().rev().find(|u| {
        let both = start.zip(civil(&u.at.replacen(' ', "T", 1)));
        both.is_some_and(|(start, at)| (0..=SOON).contains(&start.duration_since(at).as_secs()))
    });
    Ok(match near {
        Some(u) => Finding::warn(format!(
            "{unit} was started anew by an upgrade at {}: what fails since then came with it",
            u.at
        ))
        .cite(format!("{} {}", u.at, u.text), "/var/log/dpkg.log")
        .cite(format!("{unit} runs since {started}"), "systemctl show")
        .advise("apt-mark hold the package, and upgrade it with the node drained; an unattended upgrade is not"),
        None => Finding::pass("it was not started by an upgrade"),
    })
}
