//! Incident patterns beyond the five runbooks: each ends in one predicate that names it and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    client::{
        action::Action,
        change::{Change, Sysctl},
        types::{ContainerState, PodSandbox, PodState, short_id},
    },
    node::{cgroup::Driver, journal::Line, net::tls::date},
    runbook::{
        Check, Cite, ConfFacts, Evidence, Fact, Finding, Fix, Missing, Risk,
        checks::cgroup,
        settings::{self, Area, Unread},
    },
};

/// Percent of a limit from which the next one to ask is refused.
const SPENT: u64 = 95;
/// Seconds of difference from which a clock explains certificates.
const SKEW: i64 = 60;
/// 128 and SIGKILL.
const KILLED: i32 = 137;
/// What is proposed for the number of inotify instances.
const INSTANCES: u64 = 8192;

pub static PAUSE: Check = Check {
    id: "incident-pause",
    title: "Is the pod sandbox's image there, and will it stay?",
    needs: &[Fact::Inventory, Fact::Status, Fact::Kubelet, Fact::Conf],
    command: |seen| format!("{0} info | grep -i sandboxImage; {0} images | grep pause", seen.crictl()),
    judge: pause,
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
    needs: &[Fact::Conf, Fact::Status, Fact::Target, Fact::Units, Fact::Processes],
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
    needs: &[Fact::Journal, Fact::Processes, Fact::Inventory, Fact::Mounts],
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
    needs: &[Fact::Kubelet, Fact::Certificate, Fact::Cluster],
    command: |_| "openssl x509 -noout -dates -subject -in /var/lib/kubelet/pki/kubelet-client-current.pem".to_owned(),
    judge: certificate,
};

pub static PLEG: Check = Check {
    id: "incident-pleg",
    title: "Does the kubelet say that PLEG is not healthy?",
    needs: &[Fact::Journal, Fact::Calls, Fact::Inventory, Fact::Kubelet],
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
    let containerd = status.info.name == "containerd";
    if let Some(file) = conf.ignored.first().filter(|_| containerd) {
        let directory = file.rsplit_once('/').map_or("", |(d, _)| d);
        return Ok(Finding::warn(format!("{file} is there, and nothing imports it: what it says is not in effect"))
            .cite(format!("{} files", conf.ignored.len()), directory)
            .advise(format!(
                "imports = [\"{directory}/*.toml\"] in {}, then restart {}",
                seen.config_path(),
                seen.unit()
            )));
    }
    if conf.files.is_empty() {
        return Ok(Finding::not_applicable("it runs on its defaults"));
    }
    let unread =
        conf.files.iter().filter(|_| containerd).find_map(|f| Some((f, settings::unread(f, &status.info.version)?)));
    if let Some((file, (why, table, place))) = unread {
        let version = settings::version(&file.text);
        let path = &file.path;
        let finding = match why {
            Unread::Old => Finding::cause(
                "config-not-migrated",
                format!(
                    "{path} says version = {version}, but has tables of version 2: nobody reads them, and nothing warns"
                ),
            )
            .advise("containerd config migrate translates a file of version 2; set version = 2, migrate, compare"),
            Unread::NoVersion => {
                let new = format!("version = 2\n{}", file.text);
                let edit = cgroup::checked(seen, path.clone(), Some(file.text.clone()), new);
                Finding::cause(
                    "config-version-missing",
                    format!("{path} has no version, so it is of version 1, where plugins have short names: nobody reads its tables"),
                )
                .fix(cgroup::edit_and_restart(seen, format!("say version = 2 in {path}"), edit))
            }
            Unread::New => Finding::cause(
                "config-too-new",
                format!("{path} has tables of version 3, which containerd {} does not read", status.info.version),
            )
            .advise("write them as version 2 has them, below io.containerd.grpc.v1.cri, or upgrade containerd"),
        };
        return Ok(finding.cite(format!("[plugins.{table}]"), place));
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
    Ok(match stale(seen, conf, &status.config) {
        Some((what, said, now)) => Finding::warn(format!(
            "the file says {what} = {}, in effect is {now}: the runtime was not restarted since the change",
            said.value
        ))
        .cite(said.value.to_string(), said.source)
        .cite(now, "CRI Status"),
        None => Finding::pass("yes"),
    })
}

/// The first key that is written otherwise than the runtime tells.
fn stale(seen: &Evidence, conf: &ConfFacts, config: &Value) -> Option<(String, settings::Said, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let single = [
        ("sandbox_image", vec!["sandbox_image"], &config["sandboxImage"]),
        ("config_path", vec!["registry", "config_path"], &config["registry"]["configPath"]),
    ];
    let single = single.into_iter().find_map(|(name, path, now)| {
        let said = settings::said(conf, Area::Images, &path).filter(|s| !now.is_null() && s.value != *now)?;
        Some((name.to_owned(), said, text(now)))
    });
    single.or_else(|| {
        settings::handlers(seen).into_iter().find_map(|h| {
            let now = h.driver.filter(|_| config["containerd"]["runtimes"].is_object())? == Driver::Systemd;
            let path = ["containerd", "runtimes", &h.name, "options", "SystemdCgroup"];
            let said = settings::said(conf, Area::Runtime, &path).filter(|s| s.value != now)?;
            Some((format!("SystemdCgroup of {}", h.name), said, now.to_string()))
        })
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
    // A control group may be busy as well, which ends by itself.
    let held = ["mount", "netns", "unlinkat", "rootfs"].iter().find_map(|of| line(&["device or resource busy", of]));
    Ok(if let Some(line) = held {
        let held = seen
            .mounts()?
            .held
            .iter()
            .filter(|h| line.text.contains(&h.point) || line.text.contains(h.point.trim_end_matches("/rootfs")));
        let holders: Vec<_> = held.take(4).collect();
        let who = |h: &&crate::node::mounts::Held| {
            let inside = h.container.as_deref().map(|c| format!(" of container {}", short_id(c))).unwrap_or_default();
            format!("{} (pid {}{inside})", h.name, h.pid)
        };
        let by = holders.first().map(|h| format!(", that of {}", who(h))).unwrap_or_default();
        Finding::cause("mount-held", format!("another mount namespace{by} holds a pod's mount: it cannot be removed"))
            .cites([cite(line)])
            .cites(holders.iter().map(|h| Cite { text: format!("{} holds {}", who(h), h.point), source: format!("/proc/{}/mountinfo", h.pid) }))
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
        // containerd calls one that runs so too; Kubernetes shows no reason of what runs.
        let ended = container.state == ContainerState::Exited;
        let shown = container.detail.as_ref().is_some_and(|d| d.reason == "OOMKilled");
        if !(ended && shown) {
            hidden += 1;
            cites.push(Cite {
                text: format!("{}: {}", container.name, line.text.chars().take(200).collect::<String>()),
                source: "/dev/kmsg".to_owned(),
            });
        }
    }
    let node = kills.iter().filter(recent).filter(|l| l.text.contains("CONSTRAINT_NONE")).count();
    // The reason is made of a counter that is never set back: one that ended by itself has it too, after a child was killed.
    let mislabelled = containers.iter().find_map(|c| {
        let ended = c.detail.as_ref().filter(|_| c.state == ContainerState::Exited);
        let detail = ended.filter(|d| d.reason == "OOMKilled" && d.exit_code != KILLED)?;
        Some((c, detail.exit_code))
    });
    Ok(if hidden > 0 {
        Finding::warn(format!(
            "{hidden} kills in containers that Kubernetes does not show: a child was killed, not the first process"
        ))
        .advise(
            "raise the limit to the measured peak, or let the whole container be killed (singleProcessOOMKill: false)",
        )
    } else if let Some((container, code)) = mislabelled {
        Finding::warn(format!(
            "{} is called OOMKilled and ended with {code}: the kernel had killed a child of it before, and not its first process",
            container.name
        ))
        .cite(format!("reason OOMKilled, exit code {code}; {KILLED} is that of a killed one"), "CRI ContainerStatus")
        .advise("look for why it ended in its log; more memory does not mend that end")
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
    let source = seen.certificate.source();
    // By the API server's clock, if it told its own.
    let ahead = seen.cluster.value().and_then(|c| c.ahead).unwrap_or(0);
    Ok(if now > to && now - ahead <= to && ahead > SKEW {
        Finding::cause("clock-skew", format!("it is good until {}, and this node's clock is {ahead} s ahead", date(to)))
            .advise("timedatectl; chronyc makestep")
    } else if now > to && source.contains("client-certificate-data") {
        Finding::cause("kubelet-certificate-expired", format!("it expired on {}: the kubelet's kubeconfig holds an old copy", date(to)))
            .advise("client-certificate and client-key: /var/lib/kubelet/pki/kubelet-client-current.pem in place of the -data fields, if that one is good; then restart the kubelet")
    } else if now > to {
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
    let Some(journal) = seen.kubelets_log()? else {
        return Ok(Finding::not_applicable("this node has no kubelet"));
    };
    // Every kubelet says at its start that it has yet to be.
    let late = journal.last(&["PLEG is not healthy", "was last seen active"]);
    let Some(line) = late.or(journal.last(&["PLEG is not healthy"])) else { return Ok(Finding::pass("no")) };
    let calls = seen.calls()?;
    let stuck: Vec<&str> = calls.iter().filter(|c| c.hangs()).filter_map(|c| c.object.as_deref()).collect();
    // One that hangs lists nothing.
    let finding = if !stuck.is_empty() {
        Finding::cause("container-stuck", format!("one bad pod: the status of {} does not come", stuck.join(", ")))
    } else if calls.iter().any(|c| c.hangs()) {
        Finding::cause("runtime-hung", "the runtime does not answer at all")
            .advise("the runbook runtime-unresponsive says what it waits for")
    } else if late.is_none() {
        Finding::pass("only at its start, as every kubelet does")
    } else {
        let inventory = seen.inventory()?;
        let count = listed(&inventory.containers, "containers")?.len();
        let ready = |pods: &Vec<PodSandbox>| pods.iter().filter(|p| p.state == PodState::Ready).count();
        let running = inventory.pods.value().map_or(0, ready);
        Finding::warn(if count > 300 {
            format!("{count} containers ({running} pods): too many to list every second")
        } else {
            "it said so, and all calls are fast now: it was passing, or the runtime was restarted".to_owned()
        })
    };
    Ok(finding.cites([cite(line)]))
}
