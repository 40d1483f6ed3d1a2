//! Incident patterns beyond the five runbooks: each ends in one predicate that names it and nothing else.

use std::collections::BTreeSet;

use crate::{
    client::{
        action::Action,
        change::{Change, Sysctl},
        types::{PodState, short_id},
    },
    node::{journal::Line, net::tls::date},
    runbook::{
        Check, Cite, Evidence, Fact, Finding, Fix, Missing, Risk,
        settings::{self, Area},
    },
};

/// Percent of a limit from which the next one to ask is refused.
const SPENT: u64 = 95;
/// What is proposed for the number of inotify instances.
const INSTANCES: u64 = 8192;

pub static PAUSE: Check = Check {
    id: "incident-pause",
    title: "Is the pod sandbox's image there, and will it stay?",
    needs: &[Fact::Inventory, Fact::Status, Fact::Kubelet, Fact::Conf],
    command: |seen| format!("{0} info | grep -i sandboxImage; {0} images | grep pause", seen.crictl()),
    judge: pause,
};

pub static NETWORK: Check = Check {
    id: "incident-network",
    title: "Is the pod network configured, with all its plugins?",
    needs: &[Fact::Cni, Fact::Status],
    command: |seen| {
        format!(
            "{} info | grep -iE 'NetworkReady|lastCNILoadStatus' -A3; ls -l /etc/cni/net.d /opt/cni/bin",
            seen.crictl()
        )
    },
    judge: network,
};

pub static ADDRESSES: Check = Check {
    id: "incident-addresses",
    title: "Are pod addresses leaked?",
    needs: &[Fact::Cni, Fact::Inventory],
    command: |_| "ls /var/lib/cni/networks/*".to_owned(),
    judge: addresses,
};

pub static LIMITS: Check = Check {
    id: "incident-limits",
    title: "Is a limit of the kernel used up?",
    needs: &[Fact::Limits],
    command: |_| {
        "sysctl fs.inotify kernel.pid_max fs.file-nr; find /proc/*/fd -lname anon_inode:inotify 2>/dev/null | wc -l"
            .to_owned()
    },
    judge: limits,
};

pub static NAMES: Check = Check {
    id: "incident-name-reserved",
    title: "Is a name still reserved by a request that never ended?",
    needs: &[Fact::Journal, Fact::Inventory],
    command: |seen| format!("journalctl -u {} --since -1h | grep 'failed to reserve'", seen.unit()),
    judge: names,
};

pub static CONFIG: Check = Check {
    id: "incident-config",
    title: "Does the configuration say what is in effect?",
    needs: &[Fact::Conf, Fact::Status],
    command: |seen| format!("head -3 {0}; grep -n 'plugins\\.' {0}; containerd config dump | head", seen.config_path()),
    judge: config,
};

pub static SHIMS: Check = Check {
    id: "incident-shims",
    title: "Are there shims of pods that the runtime does not know?",
    needs: &[Fact::Processes, Fact::Inventory, Fact::Target],
    command: |seen| format!("ps -eo pid,cmd | grep containerd-shim; {} pods -q --no-trunc", seen.crictl()),
    judge: shims,
};

pub static TERMINATING: Check = Check {
    id: "incident-terminating",
    title: "Can a pod not be ended?",
    needs: &[Fact::Journal, Fact::Processes, Fact::Inventory],
    command: |seen| {
        format!(
            "journalctl -u kubelet -u {} --since -1h | grep -E 'KillPodSandboxError|device or resource busy|to be killed|destroy network'",
            seen.unit()
        )
    },
    judge: terminating,
};

pub static MEMORY: Check = Check {
    id: "incident-memory",
    title: "Did the kernel kill for memory what nobody shows?",
    needs: &[Fact::Kmsg, Fact::Inventory],
    command: |_| "dmesg -T | grep -E 'oom-kill|Killed process'".to_owned(),
    judge: memory,
};

pub static CERTIFICATE: Check = Check {
    id: "incident-certificate",
    title: "Is the kubelet's client certificate valid?",
    needs: &[Fact::Kubelet, Fact::Certificate],
    command: |_| "openssl x509 -noout -dates -subject -in /var/lib/kubelet/pki/kubelet-client-current.pem".to_owned(),
    judge: certificate,
};

pub static PLEG: Check = Check {
    id: "incident-pleg",
    title: "Does the kubelet say that PLEG is not healthy?",
    needs: &[Fact::Journal, Fact::Calls, Fact::Inventory],
    command: |_| "journalctl -u kubelet --since -1h | grep PLEG".to_owned(),
    judge: pleg,
};

pub(super) fn listed<'a, T>(part: &'a crate::node::Seen<Vec<T>>, what: &str) -> Result<&'a [T], Missing> {
    let because = || format!("the {what} were not listed: {}", part.error().unwrap_or("nobody asked"));
    part.value().map(Vec::as_slice).ok_or_else(|| Missing { fact: Fact::Inventory, because: because() })
}

fn pause(seen: &Evidence) -> Result<Finding, Missing> {
    let inventory = seen.inventory()?;
    let images = listed(&inventory.images, "images")?;
    let status = seen.status()?;
    let said = seen.conf.value().and_then(|c| {
        settings::said(c, Area::Images, &["sandbox_image"])
            .or_else(|| settings::said(c, Area::Images, &["pinned_images", "sandbox"]))
    });
    let name = Some(inventory.sandbox_image.clone())
        .filter(|n| !n.is_empty())
        .or_else(|| said.as_ref()?.value.as_str().map(str::to_owned));
    let Some(name) = name else {
        return Ok(Finding::not_applicable(format!("{} makes pods without an image", status.info.name)));
    };
    let source = said.map_or("CRI Status".to_owned(), |s| s.source);
    let found = images.iter().find(|i| i.tags.contains(&name) || i.digests.contains(&name));
    let pods = inventory.pods.value().map_or(0, Vec::len);
    let pull = || {
        let title = format!("pull {name}");
        Fix { title, risk: Risk::Safe, action: Action::PullImage { reference: name.clone() } }
    };
    let alike = images.iter().flat_map(|i| &i.tags).find(|t| t.contains("pause")).cloned();
    Ok(match found {
        None if pods == 0 && images.is_empty() => {
            Finding::not_applicable("no pod was ever made here; the image comes with the first one")
        }
        None => {
            let finding = Finding::cause(
                "pause-image-missing",
                format!("{name} is not on this node: no new pod can be made unless it can be pulled"),
            )
            .fix(pull());
            match alike {
                Some(other) => {
                    finding.advise(format!("there is {other}: another name is another image to the runtime"))
                }
                None => finding,
            }
        }
        Some(image) if !image.pinned && seen.kubelet()?.present() && status.info.name == "containerd" => {
            Finding::warn(format!("{name} is there but not pinned: the next image collection may take it"))
                .advise(format!("ctr -n k8s.io images label {name} io.cri-containerd.pinned=pinned"))
        }
        Some(_) => Finding::pass(name.clone()),
    }
    .cite(format!("sandbox image {name}"), source))
}

fn network(seen: &Evidence) -> Result<Finding, Missing> {
    let status = seen.status()?;
    let cni = seen.cni()?;
    let ready = status.conditions.iter().find(|c| c.name == "NetworkReady");
    let Some(ready) = ready else {
        return Ok(Finding::not_applicable("the runtime tells no condition of its network"));
    };
    let winner = cni.files.iter().find(|f| f.error.is_none());
    let said = Cite {
        text: format!("NetworkReady={} {} {}", ready.ok, ready.reason, ready.message),
        source: "CRI Status".to_owned(),
    };
    let files = cni.files.iter().take(4).map(|f| Cite {
        text: format!(
            "{} {}{}",
            f.network,
            f.plugins.join(" "),
            f.error.as_ref().map(|e| format!(": {e}")).unwrap_or_default()
        ),
        source: f.path.clone(),
    });
    let finding = match (winner, ready.ok) {
        (Some(file), _) if !file.missing.is_empty() => {
            let finding = format!(
                "{} wins and needs {}, which is not in {}",
                file.path,
                file.missing.join(", "),
                cni.bin_dirs.join(", ")
            );
            Finding::cause("cni-plugin-missing", finding)
                .advise("install the plugin, or move the stale file aside if another network should win")
        }
        (Some(file), true) if cni.files.len() > 1 => {
            Finding::pass(format!("{} wins of {} files", file.path, cni.files.len()))
        }
        (_, true) => Finding::pass("yes"),
        (None, false) if cni.files.is_empty() => Finding::cause(
            "cni-not-configured",
            format!(
                "there is no network configuration in {}: the network's DaemonSet has not written it",
                cni.conf_dir
            ),
        )
        .advise("look at the log of the network's own pod on this node (it has the host's network, so it can run)"),
        (None, false) => Finding::cause("cni-config-broken", format!("no file in {} can be used", cni.conf_dir)),
        (Some(file), false) => Finding::cause(
            "cni-stale",
            format!(
                "{} is good, and the runtime still says {}: it missed the change",
                file.path,
                status.network.as_deref().unwrap_or(&ready.message)
            ),
        )
        .advise(format!("touch {}; if that does not help: restart the runtime (out of inotify instances?)", file.path)),
    };
    Ok(finding.cites([said]).cites(files))
}

fn addresses(seen: &Evidence) -> Result<Finding, Missing> {
    let cni = seen.cni()?;
    if cni.leases.is_empty() {
        return Ok(Finding::not_applicable("no address was given away by host-local"));
    }
    let pods = listed(&seen.inventory()?.pods, "pods")?;
    let stale: Vec<_> = cni.leases.iter().filter(|l| !pods.iter().any(|p| p.id == l.container)).collect();
    let cites = stale.iter().take(5).map(|l| Cite {
        text: format!("{} of {}", l.address, l.container),
        source: format!("/var/lib/cni/networks/{}", l.network),
    });
    Ok(if stale.len() >= 10 {
        Finding::warn(format!("{} of {} addresses belong to pods that are gone", stale.len(), cni.leases.len()))
            .advise("with no pod being made: remove just these files; at boot, tmpfiles.d can empty the directory")
    } else {
        Finding::pass(format!("{} of {}", stale.len(), cni.leases.len()))
    }
    .cites(cites))
}

fn limits(seen: &Evidence) -> Result<Finding, Missing> {
    let gauges = &seen.limits()?.gauges;
    let spent = gauges.iter().filter(|g| g.percent() >= SPENT).max_by_key(|g| g.percent());
    let cite = |g: &crate::node::limits::Gauge| Cite {
        text: format!("{}: {} of {}", g.what, g.used, g.limit),
        source: g.sysctl.clone(),
    };
    Ok(match spent {
        None => {
            let near = gauges.iter().max_by_key(|g| g.percent());
            Finding::pass(near.map_or("no".to_owned(), |g| format!("no; nearest: {} {}%", g.what, g.percent())))
                .cites(near.map(cite))
        }
        Some(gauge) => {
            let inotify = gauge.what.starts_with("inotify");
            let tasks = gauge.sysctl.ends_with("pids.max");
            let cause = match () {
                () if inotify => "inotify-exhausted",
                () if tasks => "tasks-exhausted",
                () => "limit-exhausted",
            };
            let value = if gauge.sysctl == "fs.inotify.max_user_instances" {
                INSTANCES.max(gauge.limit * 2)
            } else {
                gauge.limit * 2
            };
            let title = format!("raise {} from {} to {value}", gauge.sysctl, gauge.limit);
            let change = Change::Sysctl(Sysctl { key: gauge.sysctl.clone(), value });
            let action = Action::Mend { title: title.clone(), changes: vec![change] };
            let raises =
                inotify || gauge.sysctl.starts_with("net.netfilter") || gauge.sysctl.starts_with("kernel.keys");
            let fix = raises.then_some(Fix { title, risk: Risk::Safe, action });
            let finding =
                Finding::cause(cause, format!("{} are used up: {} of {}", gauge.what, gauge.used, gauge.limit));
            let finding = if tasks {
                finding.advise("a service: systemctl edit it, [Service] TasksMax=infinity; a pod: who forks there? else raise podPidsLimit of the kubelet")
            } else {
                finding
            };
            finding
                .cites([cite(gauge)])
                .cites(gauge.top.iter().map(|t| Cite { text: t.clone(), source: "/proc/PID/fd".to_owned() }))
                .fix(fix)
        }
    })
}

/// What stands between two words, without quotes and backslashes.
fn between<'a>(text: &'a str, from: &str) -> Option<&'a str> {
    let rest = text.split_once(from)?.1.trim_start_matches([' ', '"', '\\']);
    rest.split(['"', '\\', ' ', ';']).next().filter(|w| !w.is_empty())
}

pub(super) fn cite(line: &Line) -> Cite {
    Cite { text: line.text.clone(), source: line.from.clone() }
}

fn names(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let line = journal.last(&["failed to reserve", "is reserved for"]).or(journal.last(&["Currently at stage"]));
    let Some(line) = line else { return Ok(Finding::pass("no")) };
    let inventory = seen.inventory()?;
    let id = between(&line.text, "is reserved for").unwrap_or_default().to_owned();
    let there = listed(&inventory.containers, "containers")?.iter().any(|c| c.id == id)
        || listed(&inventory.pods, "pods")?.iter().any(|p| p.id == id);
    Ok(if there || !seen.is_recent(line, 600) {
        Finding::pass("it was, and the request has ended").cites([cite(line)])
    } else {
        let stage = between(&line.text, "Currently at stage").map(|s| format!(" (stage {s})")).unwrap_or_default();
        Finding::cause("name-reserved", format!("a request for the same name has not ended{stage}: the kubelet's retries are refused"))
            .cites([cite(line)])
            .advise("find what the first request waits for: a volume that hangs, the disk, CNI; the name is free when it ends. Do not delete the pod again and again")
    })
}

/// Keys of version 2's one plugin; in a file of version 3 nobody reads them.
fn config(seen: &Evidence) -> Result<Finding, Missing> {
    let conf = seen.conf()?;
    let status = seen.status()?;
    if conf.files.is_empty() {
        return Ok(Finding::not_applicable("it runs on its defaults"));
    }
    for file in &conf.files {
        let version = settings::version(&file.text);
        let old = file.text.lines().position(|l| {
            l.trim_start().starts_with('[') && l.contains("io.containerd.grpc.v1.cri\"") && l.contains('.')
        });
        if version >= 3
            && let Some(at) = old
        {
            return Ok(Finding::cause(
                "config-not-migrated",
                format!(
                    "{} says version = {version}, but has tables of version 2: nobody reads them, and nothing warns",
                    file.path
                ),
            )
            .cite(file.text.lines().nth(at).unwrap_or_default().trim(), format!("{} line {}", file.path, at + 1))
            .advise("containerd config migrate translates a file of version 2; set version = 2, migrate, compare"));
        }
    }
    let both = settings::said(conf, Area::Images, &["registry", "mirrors"])
        .filter(|m| m.value.as_object().is_some_and(|m| !m.is_empty()));
    let path = settings::said(conf, Area::Images, &["registry", "config_path"]);
    if let (Some(mirrors), Some(path)) = (both, path) {
        return Ok(Finding::cause(
            "mirrors-conflict",
            "registry.mirrors and registry.config_path are both set: the CRI plugin does not load",
        )
        .cite("registry.mirrors", mirrors.source)
        .cite("registry.config_path", path.source)
        .advise("move the mirrors into certs.d/HOST/hosts.toml and remove registry.mirrors and registry.configs"));
    }
    let wanted = settings::said(conf, Area::Images, &["sandbox_image"]);
    let effective = status.config["sandboxImage"].as_str();
    Ok(match (wanted, effective) {
        (Some(said), Some(now)) if said.value != now => Finding::warn(format!(
            "the file says sandbox_image {}, in effect is {now}: the runtime was not restarted since the change",
            said.value
        ))
        .cite(said.value.to_string(), said.source)
        .cite(now, "CRI Status"),
        _ => Finding::pass("yes"),
    })
}

fn shims(seen: &Evidence) -> Result<Finding, Missing> {
    let processes = seen.processes()?;
    let address = seen.target()?.socket.clone();
    let inventory = seen.inventory()?;
    let mut known: BTreeSet<&str> = listed(&inventory.pods, "pods")?.iter().map(|p| p.id.as_str()).collect();
    known.extend(listed(&inventory.containers, "containers")?.iter().map(|c| c.id.as_str()));
    let ours = |s: &&crate::node::process::Shim| {
        s.namespace == "k8s.io" && (s.address.starts_with(&address) || s.address.is_empty())
    };
    let leaked: Vec<_> = processes.shims.iter().filter(ours).filter(|s| !known.contains(s.id.as_str())).collect();
    let cites = leaked.iter().take(5).map(|s| Cite {
        text: format!("{} ({} processes below it)", short_id(&s.id), s.children.len()),
        source: format!("pid {}", s.pid),
    });
    let alive = leaked.iter().filter(|s| !s.children.is_empty()).count();
    Ok(if alive > 0 {
        Finding::cause("orphaned-workload", format!("{alive} shims run containers that the runtime does not know: two copies may run at once"))
            .advise("look what they are before anything is ended: /proc/PID/cgroup, open ports; the kubelet may have started them anew")
    } else if !leaked.is_empty() {
        Finding::cause("leaked-shims", format!("{} shims have no pod and no process below them", leaked.len()))
            .advise("kill them by pid; remove their bundle in the runtime's state directory if it is left")
    } else {
        Finding::pass(format!("no; {} shims, all known", processes.shims.iter().filter(|s| ours(s)).count()))
    }
    .cites(cites))
}

fn terminating(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let recent = |l: &&Line| seen.is_recent(l, 900);
    let line =
        |words: &[&str]| journal.lines.iter().rev().filter(recent).find(|l| words.iter().all(|w| l.text.contains(w)));
    let blocked = &seen.processes()?.blocked;
    let pods = listed(&seen.inventory()?.pods, "pods")?;
    // Until the pod is gone.
    let network =
        line(&["failed to destroy network for sandbox"]).filter(|l| pods.iter().any(|p| l.text.contains(&p.id)));
    Ok(if let Some(line) = line(&["device or resource busy"]) {
        Finding::cause("mount-held", "another mount namespace holds a pod's mount: it cannot be removed")
            .cites([cite(line)])
            .advise("grep the path in /proc/*/mountinfo: usually an agent with hostPath / and private propagation; restart that pod, and give it mountPropagation: HostToContainer")
    } else if let Some(line) = line(&["to be killed", "deadline exceeded"]) {
        let storage = blocked.first().map(|b| format!("; {} waits in {}", b.name, b.wait)).unwrap_or_default();
        Finding::cause("container-not-killed", format!("a container does not end when it is killed{storage}"))
            .cites([cite(line)])
            .advise("if its process is in state D: the storage hangs. If it is gone and the shim is there: the shim missed its end")
    } else if let Some(line) = network {
        Finding::cause("network-not-torn-down", "a pod's network cannot be taken down, so the pod cannot be ended")
            .cites([cite(line)])
            .advise("the plugin's own words say why: its agent does not run, its file is gone from /etc/cni/net.d, its state is lost. Bring it back, and the next try succeeds")
    } else if let Some(line) = line(&["KillPodSandboxError"]) {
        Finding::warn("the kubelet cannot end a pod").cites([cite(line)])
    } else {
        Finding::pass("no")
    })
}

fn memory(seen: &Evidence) -> Result<Finding, Missing> {
    let lines = &seen.kmsg()?.lines;
    let kills: Vec<&Line> = lines.iter().filter(|l| l.text.contains("oom-kill:constraint=")).collect();
    let containers = listed(&seen.inventory()?.containers, "containers")?;
    let recent = |l: &&&Line| seen.is_recent(l, 86_400);
    let mut cites = Vec::new();
    let mut hidden = 0;
    for line in kills.iter().filter(recent) {
        let Some(container) = containers.iter().find(|c| line.text.contains(&c.id)) else { continue };
        let shown = container.detail.as_ref().is_some_and(|d| d.reason == "OOMKilled");
        if !shown {
            hidden += 1;
            cites.push(Cite {
                text: format!("{}: {}", container.name, line.text.chars().take(200).collect::<String>()),
                source: "/dev/kmsg".to_owned(),
            });
        }
    }
    let node = kills.iter().filter(recent).filter(|l| l.text.contains("CONSTRAINT_NONE")).count();
    Ok(if hidden > 0 {
        Finding::warn(format!(
            "{hidden} kills in containers that Kubernetes does not show: a child was killed, not the first process"
        ))
        .advise(
            "raise the limit to the measured peak, or let the whole container be killed (singleProcessOOMKill: false)",
        )
    } else if node > 0 {
        Finding::warn(format!("{node} kills because the node itself was out of memory"))
            .advise("reserve memory: systemReserved and kubeReserved of the kubelet")
    } else {
        Finding::pass("no")
    }
    .cites(cites.into_iter().take(4)))
}

fn certificate(seen: &Evidence) -> Result<Finding, Missing> {
    if !seen.kubelet()?.present() {
        return Ok(Finding::not_applicable("this node has no kubelet"));
    }
    let certificate = match seen.certificate() {
        Err(missing) if missing.because.contains("No such file") => {
            return Ok(Finding::not_applicable("the kubelet has no client certificate (it may use a token)"));
        }
        other => other?,
    };
    let now = i64::try_from(seen.now()).unwrap_or(i64::MAX);
    let (from, to) = (certificate.not_before, certificate.not_after);
    let cite = format!("{}: {} to {}", certificate.subject, date(from), date(to));
    let source = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    Ok(if now > to {
        Finding::cause("kubelet-certificate-expired", format!("it expired on {}: the kubelet cannot speak to the API server", date(to)))
            .advise("check the clock first; then kubeadm's steps for an expired kubelet certificate: a new bootstrap kubeconfig, restart the kubelet")
    } else if now < from {
        Finding::cause("clock-skew", format!("it is valid from {} on: this node's clock is behind", date(from))).advise("timedatectl; chronyc makestep")
    } else if (to - now) * 5 < to - from {
        Finding::warn(format!("it ends on {}, with less than a fifth of its life left: rotation does not work", date(to))).advise("rotateCertificates: true, and look for certificate requests that nobody approves")
    } else {
        Finding::pass(format!("until {}", date(to)))
    }
    .cite(cite, source))
}

fn pleg(seen: &Evidence) -> Result<Finding, Missing> {
    let journal = seen.journal()?;
    let Some(line) = journal.last(&["PLEG is not healthy"]) else { return Ok(Finding::pass("no")) };
    let calls = seen.calls()?;
    let stuck: Vec<&str> = calls.iter().filter(|c| c.hangs()).filter_map(|c| c.object.as_deref()).collect();
    let count = listed(&seen.inventory()?.containers, "containers")?.len();
    let running = seen.inventory()?.pods.value().map_or(0, |p| p.iter().filter(|p| p.state == PodState::Ready).count());
    let finding = if !stuck.is_empty() {
        Finding::cause("container-stuck", format!("one bad pod: the status of {} does not come", stuck.join(", ")))
    } else if calls.iter().any(|c| c.hangs()) {
        Finding::cause("runtime-hung", "the runtime does not answer at all")
    } else if count > 300 {
        Finding::warn(format!("{count} containers ({running} pods): too many to list every second"))
    } else {
        Finding::warn("it said so, and all calls are fast now: it was passing, or the runtime was restarted")
    };
    Ok(finding.cites([cite(line)]))
}
