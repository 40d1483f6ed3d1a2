//! The best practices as an audit: eight points, and versions that are known to be vulnerable. What is not so is a warning; an
//! audit is no diagnosis.

use super::bytes;
use crate::{
    client::{health::Call, types::ContainerState},
    node::cgroup::{Driver, Version},
    runbook::{
        Check, Cite, Evidence, Fact, Finding, Fix, Missing,
        checks::cgroup,
        cluster::Part,
        settings::{self, Area},
    },
};

/// From here on, an image delays pods by half a minute on a cold node.
const LARGE: u64 = 500_000_000;
/// CRI calls should be well below this.
const SLOW: std::time::Duration = std::time::Duration::from_secs(1);
/// The first release of each line of containerd without the advisories of 2026 (GHSA of containerd, by line).
const FIXED: &[(u64, u64, u64)] = &[(1, 7, 36), (2, 0, 13), (2, 2, 9), (2, 3, 6), (2, 4, 1)];

pub static RUNTIME: Check = Check {
    id: "practice-runtime",
    title: "containerd 1.7 or later, cgroup v2, systemd driver?",
    needs: &[Fact::Status, Fact::Cgroup, Fact::Kubelet, Fact::Conf],
    command: |seen| {
        let (crictl, key, config) = (seen.crictl(), seen.driver_key(), seen.config_path());
        format!("{crictl} version; stat -fc %T /sys/fs/cgroup; grep -n {key} {config}")
    },
    judge: runtime,
};

pub static DIGESTS: Check = Check {
    id: "practice-digests",
    title: "Are images pinned by digest?",
    needs: &[Fact::Inventory],
    command: |seen| {
        format!("{} ps -o json | jq -r '.containers[].image.userSpecifiedImage' | grep -v @sha256", seen.crictl())
    },
    judge: digests,
};

pub static MIRROR: Check = Check {
    id: "practice-mirror",
    title: "Does a mirror answer for Docker Hub?",
    needs: &[Fact::Conf, Fact::Inventory, Fact::Status],
    command: |_| "cat /etc/containerd/certs.d/docker.io/hosts.toml".to_owned(),
    judge: mirror,
};

pub static DISCARD: Check = Check {
    id: "practice-discard",
    title: "Are compressed layers discarded once they are unpacked?",
    needs: &[Fact::Status, Fact::Conf, Fact::Target, Fact::Units, Fact::Processes],
    command: |seen| {
        format!(
            "{} info | grep -i discardUnpackedLayers; grep -n discard_unpacked_layers {}",
            seen.crictl(),
            seen.config_path()
        )
    },
    judge: discard,
};

pub static OVERHEAD: Check = Check {
    id: "practice-overhead",
    title: "Do RuntimeClasses of sandboxes have an overhead?",
    needs: &[Fact::Cluster, Fact::Kubelet],
    command: super::class::OVERHEAD.command,
    judge: |seen| (super::class::OVERHEAD.judge)(seen),
};

pub static METRICS: Check = Check {
    id: "practice-metrics",
    title: "Is the runtime monitored, and are its calls fast?",
    needs: &[Fact::Conf, Fact::Calls, Fact::Status],
    command: |seen| {
        format!("grep -nA2 '^\\[metrics\\]' {}; curl -s 127.0.0.1:1338/v1/metrics | head", seen.config_path())
    },
    judge: metrics,
};

pub static PREPULL: Check = Check {
    id: "practice-prepull",
    title: "Are large images pulled before they are needed?",
    needs: &[Fact::Inventory],
    command: |seen| {
        format!(
            "{} images -o json | jq -r '.images[] | select((.size|tonumber) > 500000000) | .repoTags[0]'",
            seen.crictl()
        )
    },
    judge: prepull,
};

pub static POLICY: Check = Check {
    id: "practice-policy",
    title: "Is imagePullPolicy Always only where a tag may move?",
    needs: &[Fact::Cluster, Fact::Kubelet],
    command: |_| {
        "kubectl get pods -A -o json | jq -r '.items[].spec.containers[] | select(.imagePullPolicy==\"Always\") | .image'".to_owned()
    },
    judge: policy,
};

pub static VERSIONS: Check = Check {
    id: "practice-versions",
    title: "Is the runtime's version free of known holes?",
    needs: &[Fact::Status, Fact::Kernel],
    command: |seen| format!("{} version; apt list --upgradable 2>/dev/null | grep -E 'containerd|runc'", seen.crictl()),
    judge: versions,
};

/// `v1.6.20~ds1` as numbers.
pub fn numbers(version: &str) -> Option<(u64, u64, u64)> {
    let plain = version.trim_start_matches('v').split(['~', '-', '+']).next()?;
    let mut parts = plain.split('.').map(|p| p.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

fn runtime(seen: &Evidence) -> Result<Finding, Missing> {
    let status = seen.status()?;
    let version = seen.cgroup()?.version;
    let handlers = settings::handlers(seen);
    let mut wrong = Vec::new();
    if status.info.name == "containerd" && numbers(&status.info.version).is_some_and(|v| v < (1, 7, 0)) {
        wrong.push(format!("containerd {} is older than 1.7", status.info.version));
    }
    if version != Version::V2 {
        wrong.push("control groups are not of version 2".to_owned());
    }
    let fs: Vec<&str> =
        handlers.iter().filter(|h| h.driver == Some(Driver::Cgroupfs)).map(|h| h.name.as_str()).collect();
    if !fs.is_empty() {
        wrong.push(format!("{} without SystemdCgroup = true", fs.join(", ")));
    } else if handlers.is_empty() && status.driver == Some(Driver::Cgroupfs) {
        wrong.push("the runtime uses cgroupfs".to_owned());
    }
    if cgroup::wanted(seen).ok().flatten().is_some_and(|w| w.driver == Driver::Cgroupfs) {
        wrong.push("the kubelet uses cgroupfs".to_owned());
    }
    let finding = if wrong.is_empty() { Finding::pass("yes") } else { Finding::warn(wrong.join("; ")) };
    Ok(finding.cite(format!("{} {}", status.info.name, status.info.version), "CRI Version"))
}

fn listed<T>(part: &crate::node::Seen<Vec<T>>) -> Result<&[T], Missing> {
    let because = || part.error().unwrap_or("it was not listed").to_owned();
    part.value().map(Vec::as_slice).ok_or_else(|| Missing { fact: Fact::Inventory, because: because() })
}

fn digests(seen: &Evidence) -> Result<Finding, Missing> {
    let containers = listed(&seen.inventory()?.containers)?;
    let running: Vec<_> = containers.iter().filter(|c| c.state == ContainerState::Running).collect();
    let named = |c: &&&crate::client::types::Container| {
        !c.image.contains("@sha256:") && !c.image.starts_with("sha256:") && c.image.contains(['/', ':', '.'])
    };
    let loose: Vec<_> = running.iter().filter(named).collect();
    if running.is_empty() {
        return Ok(Finding::not_applicable("no container runs"));
    }
    let latest = loose
        .iter()
        .filter(|c| c.image.ends_with(":latest") || !c.image.rsplit('/').next().is_some_and(|n| n.contains(':')))
        .count();
    let cites = loose.iter().take(6).map(|c| Cite { text: c.image.clone(), source: format!("container {}", c.name) });
    Ok(if loose.is_empty() {
        Finding::pass(format!("all {} running containers", running.len()))
    } else {
        Finding::warn(format!("{} of {} running containers name a tag, {latest} of them latest: nodes may run different images under one name", loose.len(), running.len()))
            .advise("write name@sha256:… into the pod's spec; crictl inspecti shows the digest")
    }
    .cites(cites))
}

fn status_is_crio(seen: &Evidence) -> bool {
    seen.status.value().is_some_and(|s| s.info.name == "cri-o")
}

fn mirror(seen: &Evidence) -> Result<Finding, Missing> {
    let conf = seen.conf()?;
    let hub =
        listed(&seen.inventory()?.images)?.iter().flat_map(|i| &i.tags).filter(|t| t.starts_with("docker.io/")).count();
    let status = seen.status.value().map(|s| s.config["registry"].clone()).unwrap_or_default();
    let table = settings::said(conf, Area::Images, &["registry", "mirrors", "docker.io"]);
    let path = settings::said(conf, Area::Images, &["registry", "config_path"]).is_some_and(|s| s.value != "")
        || status["configPath"].as_str().is_some_and(|p| !p.is_empty());
    let crio = status_is_crio(seen);
    let certs = conf.certs.iter().find(|c| matches!(c.as_str(), "docker.io" | "_default")).filter(|_| path || crio);
    Ok(match (table, certs) {
        (Some(said), _) => Finding::pass("yes").cite("registry.mirrors", said.source),
        (None, Some(name)) if crio => Finding::pass("yes").cite(name.clone(), "containers-registries.conf(5)"),
        (None, Some(name)) => Finding::pass("yes").cite("hosts.toml", format!("certs.d/{name}")),
        (None, None) if hub == 0 => Finding::not_applicable("no image here comes from Docker Hub"),
        (None, None) => Finding::warn(format!("{hub} images come from Docker Hub, and no mirror is set: 100 pulls in 6 hours for all nodes behind one address"))
            .advise("certs.d/docker.io/hosts.toml: server = \"https://registry-1.docker.io\" and [host.\"https://mirror.gcr.io\"] capabilities = [\"pull\", \"resolve\"]"),
    })
}

fn discard(seen: &Evidence) -> Result<Finding, Missing> {
    let status = seen.status()?;
    if status.info.name != "containerd" {
        return Ok(Finding::not_applicable(format!("{} has no such setting", status.info.name)));
    }
    let effective = status.config["containerd"]["discardUnpackedLayers"].as_bool();
    let conf = seen.conf()?;
    let path: &[&str] = &["containerd", "discard_unpacked_layers"];
    let v3: &[&str] = &["discard_unpacked_layers"];
    // By the file's version: a newer containerd migrates it. Without a file it will be one of its own version.
    let old = match conf.files.first() {
        Some(file) => settings::version(&file.text) < 3,
        None => status.info.version.starts_with("1."),
    };
    let path = if old { path } else { v3 };
    let said = settings::said(conf, Area::Images, path);
    let on = effective.or_else(|| said.as_ref()?.value.as_bool()).unwrap_or(false);
    let source = said.map_or("containerd's default".to_owned(), |s| s.source);
    if on {
        return Ok(Finding::pass("yes").cite("discard_unpacked_layers = true", source));
    }
    let set = settings::set(conf, seen.config_path(), &status.info.version, Area::Images, path, true.into());
    let fix: Option<Fix> = set.ok().and_then(|(file, old, new)| {
        let title = format!("set discard_unpacked_layers = true and restart {}", seen.unit());
        cgroup::edit_and_restart(seen, title, cgroup::checked(seen, file, old, new))
    });
    Ok(Finding::warn("no: every layer is kept compressed beside its unpacked files")
        .cite("discard_unpacked_layers = false", source)
        .advise("not with several snapshotters in use: an image then has to be pulled again for the second one")
        .fix(fix))
}

fn metrics(seen: &Evidence) -> Result<Finding, Missing> {
    let calls = seen.calls()?;
    let slow: Vec<&Call> = calls.iter().filter(|c| c.took >= SLOW).collect();
    let conf = seen.conf()?;
    let address = conf.files.iter().rev().find_map(|f| {
        let document: toml_edit::DocumentMut = f.text.parse().ok()?;
        // From version 4 on it is a plugin's.
        let plugin = || document.get("plugins")?.get("io.containerd.server.v1.metrics");
        let table = document.get("metrics").or_else(plugin)?;
        table.get("address")?.as_str().filter(|a| !a.is_empty()).map(str::to_owned)
    });
    let slowest = calls.iter().max_by_key(|c| c.took);
    let cite = slowest
        .map(|c| Cite { text: format!("slowest: {} {} ms", c.name, c.took.as_millis()), source: "CRI".to_owned() });
    let known = seen.status.value().is_some_and(|s| s.info.name == "containerd");
    Ok(if let Some(call) = slow.first() {
        Finding::warn(format!("{} took {} ms: slow calls become PLEG failures", call.name, call.took.as_millis()))
    } else if address.is_none() && known {
        let new = conf.files.first().is_some_and(|f| settings::version(&f.text) >= 4);
        let table = if new { "[plugins.'io.containerd.server.v1.metrics']" } else { "[metrics]" };
        Finding::warn("calls are fast, but containerd serves no metrics: slow ones will go unseen").advise(format!(
            "in {}: {table} address = \"127.0.0.1:1338\"; watch kubelet_runtime_operations_duration_seconds as well",
            seen.config_path()
        ))
    } else {
        Finding::pass("yes")
    }
    .cites(cite))
}

fn prepull(seen: &Evidence) -> Result<Finding, Missing> {
    let inventory = seen.inventory()?;
    let images = listed(&inventory.images)?;
    let large: Vec<_> = images.iter().filter(|i| i.size >= LARGE).collect();
    let cites = large.iter().take(6).map(|i| Cite {
        text: format!("{}  {}", bytes(i.size), i.tags.first().unwrap_or(&i.id)),
        source: "CRI ListImages".to_owned(),
    });
    let loose: Vec<_> = large.iter().filter(|i| !i.pinned).collect();
    Ok(if loose.is_empty() {
        Finding::pass(if large.is_empty() { "no image is as large as 500 MB".to_owned() } else { format!("{} large images, all pinned", large.len()) })
    } else {
        Finding::warn(format!("{} images of 500 MB or more may be collected and pulled again while a pod waits", loose.len()))
            .advise("pull them with a DaemonSet or at the node's start, and pin them: ctr -n k8s.io images label REF io.cri-containerd.pinned=pinned")
    }
    .cites(cites))
}

fn policy(seen: &Evidence) -> Result<Finding, Missing> {
    if let Some(alone) = super::class::alone(seen)? {
        return Ok(alone);
    }
    let cluster = seen.cluster()?.with(Part::Pods)?;
    let fixed = |image: &str| {
        image.contains("@sha256:")
            || image
                .rsplit('/')
                .next()
                .and_then(|n| n.split_once(':'))
                .is_some_and(|(_, tag)| tag != "latest" && tag.contains(|c: char| c.is_ascii_digit()))
    };
    let needless: Vec<(&str, &str)> = cluster
        .pods
        .iter()
        .flat_map(|p| p.policies.iter().map(|(image, policy)| (p.name.as_str(), image.as_str(), policy.as_str())))
        .filter(|(_, image, policy)| *policy == "Always" && fixed(image))
        .map(|(pod, image, _)| (pod, image))
        .collect();
    let cites =
        needless.iter().take(6).map(|(pod, image)| Cite { text: (*image).to_owned(), source: format!("pod {pod}") });
    Ok(if needless.is_empty() {
        Finding::pass("yes")
    } else {
        Finding::warn(format!(
            "{} containers ask the registry at every start for an image that does not move",
            needless.len()
        ))
        .advise("imagePullPolicy: IfNotPresent")
    }
    .cites(cites))
}

fn versions(seen: &Evidence) -> Result<Finding, Missing> {
    let status = seen.status()?;
    let (name, version) = (&status.info.name, &status.info.version);
    if name != "containerd" {
        return Ok(Finding::not_applicable(format!("no table of advisories for {name} here")));
    }
    let Some(have) = numbers(version) else {
        return Err(Missing { fact: Fact::Status, because: format!("{version} is no version") });
    };
    let finding = |f: Finding| f.cite(format!("{name} {version}"), "CRI Version");
    // Distributions mend without changing the number.
    if version.contains("~ds") || version.contains("ubuntu") || version.contains("+deb") || version.contains(".el") {
        let from = &seen.kernel()?.distribution;
        return Ok(finding(
            Finding::pass(format!("a build of {from}: its fixes are in the package, not in the number"))
                .advise("apt list --upgradable shows whether this node has them"),
        ));
    }
    let line = FIXED.iter().find(|f| (f.0, f.1) == (have.0, have.1));
    Ok(finding(match line {
        Some(first) if have >= *first => Finding::pass("yes"),
        Some(first) => {
            Finding::warn(format!("{version} lacks the security fixes of {}.{}.{}", first.0, first.1, first.2))
                .advise("upgrade containerd; running containers stay")
        }
        None if have < FIXED[0] => Finding::warn(format!("{version} is of a line that gets no fixes any more"))
            .advise("upgrade to 1.7 or later"),
        None if have > FIXED[FIXED.len() - 1] => Finding::pass("newer than the table"),
        None => Finding::warn(format!("{version} is of a line that gets no fixes any more"))
            .advise("upgrade to a line that does"),
    }))
}
