//! A RuntimeClass that does not do what it should: the object, the handler, its shim, the pod's real runtime, the processor.

use std::collections::BTreeSet;

use crate::{
    node::process::Shim,
    runbook::{
        Check, Cite, Evidence, Fact, Finding, Fix, Missing,
        checks::cgroup,
        cluster::{Part, PodFacts, Taint},
        settings::{self, Area, Handler},
    },
};

/// Handlers people ask for, the type containerd knows them by, and the program behind it.
const KNOWN: &[(&str, &str, &str)] = &[
    ("runc", "io.containerd.runc.v2", "runc"),
    ("crun", "io.containerd.runc.v2", "crun"),
    ("youki", "io.containerd.runc.v2", "youki"),
    ("kata", "io.containerd.kata.v2", ""),
    ("kata-qemu", "io.containerd.kata-qemu.v2", ""),
    ("runsc", "io.containerd.runsc.v1", ""),
    ("gvisor", "io.containerd.runsc.v1", ""),
];

pub static OBJECT: Check = Check {
    id: "class-object",
    title: "Does the RuntimeClass exist?",
    needs: &[Fact::Cluster, Fact::Inventory, Fact::Journal, Fact::Kubelet],
    command: |_| "kubectl get runtimeclass; kubectl describe runtimeclass NAME".to_owned(),
    judge: object,
};

pub static HANDLER: Check = Check {
    id: "class-handler",
    title: "Does the runtime have the handler?",
    needs: &[
        Fact::Target,
        Fact::Status,
        Fact::Conf,
        Fact::Inventory,
        Fact::Journal,
        Fact::Cluster,
        Fact::Programs,
        Fact::Units,
        Fact::Processes,
        Fact::Kubelet,
    ],
    command: |seen| {
        format!("grep -nA5 'runtimes\\.' {}; {} info | grep -A3 runtimes", seen.config_path(), seen.crictl())
    },
    judge: handler,
};

pub static SHIM: Check = Check {
    id: "class-shim",
    title: "Is the handler's program installed and executable?",
    needs: &[Fact::Programs, Fact::Status, Fact::Conf, Fact::Inventory, Fact::Cluster, Fact::Journal],
    command: |_| {
        "ls -l $(command -v containerd-shim-runc-v2 containerd-shim-kata-v2 containerd-shim-runsc-v1 runc crun)"
            .to_owned()
    },
    judge: shim,
};

pub static POD: Check = Check {
    id: "class-pod",
    title: "What do the pods really run under?",
    needs: &[Fact::Inventory, Fact::Processes, Fact::Status, Fact::Conf, Fact::Cluster, Fact::Journal],
    command: |seen| {
        format!(
            "{} inspectp POD | grep -E 'runtimeHandler|runtimeType'; ps -eo pid,cmd | grep 'containerd-shim.*-id POD'",
            seen.crictl()
        )
    },
    judge: pod,
};

pub static EVENTS: Check = Check {
    id: "class-events",
    title: "Do the logs show errors of a handler?",
    needs: &[Fact::Journal],
    command: |seen| {
        format!(
            "journalctl -u kubelet -u {} --since -2h | grep -E 'no runtime for|failed to get sandbox runtime|executable file not found'",
            seen.unit()
        )
    },
    judge: events,
};

pub static SELECTOR: Check = Check {
    id: "class-selector",
    title: "Does this node have the labels the class asks for, and no taint its pod does not tolerate?",
    needs: &[Fact::Cluster, Fact::Kubelet],
    command: |_| {
        "kubectl describe runtimeclass NAME | grep -A5 Scheduling; kubectl get node $(hostname) --show-labels"
            .to_owned()
    },
    judge: selector,
};

pub static VIRTUALIZATION: Check = Check {
    id: "class-virtualization",
    title: "Can this node run virtual machines?",
    needs: &[Fact::Kernel, Fact::Status, Fact::Conf, Fact::Inventory, Fact::Cluster, Fact::Journal],
    command: |_| "grep -cE 'vmx|svm' /proc/cpuinfo; ls -l /dev/kvm; cat /sys/module/kvm_*/parameters/nested".to_owned(),
    judge: virtualization,
};

pub static OVERHEAD: Check = Check {
    id: "class-overhead",
    title: "Is the overhead of sandboxed pods accounted for?",
    needs: &[Fact::Cluster, Fact::Kubelet],
    command: |_| {
        "kubectl get runtimeclass -o custom-columns=NAME:.metadata.name,HANDLER:.handler,OVERHEAD:.overhead.podFixed"
            .to_owned()
    },
    judge: overhead,
};

/// Handlers somebody wants here, and who says so.
fn asked(seen: &Evidence) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, source: String| {
        if !name.is_empty() && !found.iter().any(|(n, _)| n == name) {
            found.push((name.to_owned(), source));
        }
    };
    if let Some(name) = seen.param("handler") {
        add(name, "asked for".to_owned());
    }
    if let Some(cluster) = seen.cluster.value() {
        let class = seen.param("class").or(cluster.pod.as_ref().and_then(|p| p.class.as_deref()));
        for class in cluster.classes.iter().filter(|c| class.is_some_and(|name| c.name == name)) {
            add(&class.handler, format!("RuntimeClass {}", class.name));
        }
    }
    let pods = seen.inventory.value().and_then(|i| i.pods.value());
    for pod in pods.into_iter().flatten().filter(|p| seen.param("pod").is_none_or(|name| p.name == name)) {
        add(&pod.handler, format!("pod {}/{}", pod.namespace, pod.name));
    }
    if seen.param("handler").is_none() {
        let line = seen.journal.value().and_then(|j| j.last(&["no runtime for"]));
        let name =
            line.and_then(|l| l.text.split("no runtime for").nth(1)?.split(['"', '\\']).find(|p| !p.trim().is_empty()));
        if let (Some(line), Some(name)) = (line, name) {
            add(name.trim(), line.from.clone());
        }
    }
    found
}

fn object(seen: &Evidence) -> Result<Finding, Missing> {
    let class = seen.param("class");
    if class.is_none() && asked(seen).is_empty() && !seen.kubelet()?.present() {
        return Ok(Finding::not_applicable("no kubelet, and no pod or person asks for a RuntimeClass"));
    }
    if class.is_none() && seen.cluster.value().is_none() && seen.param("handler").is_some() {
        return Ok(Finding::not_applicable("asked about a handler, not about an object of the API server"));
    }
    let cluster = seen.cluster()?.with(Part::Classes)?;
    if seen.param("pod").is_some() && class.is_none() {
        cluster.with(Part::Pod)?;
    }
    let wanted = class.or(cluster.pod.as_ref().and_then(|p| p.class.as_deref()));
    let names: Vec<&str> = cluster.classes.iter().map(|c| c.name.as_str()).collect();
    let source = format!("{}/apis/node.k8s.io/v1/runtimeclasses", cluster.server);
    let listed = format!("there are: {}", if names.is_empty() { "none".to_owned() } else { names.join(", ") });
    Ok(match wanted {
        Some(name) if !names.contains(&name) => {
            Finding::cause("class-missing", format!("there is no RuntimeClass {name}"))
                .advise("create it with the handler's name, or correct runtimeClassName in the pod")
        }
        Some(name) => Finding::pass(format!("{name} is there")),
        None if cluster.pod.is_some() => {
            Finding::warn("the pod has no runtimeClassName: it runs under the default handler")
        }
        None => Finding::pass(format!("{} classes", names.len())),
    }
    .cite(listed, source))
}

/// Names the runtime accepts.
fn names(seen: &Evidence) -> Result<BTreeSet<String>, Missing> {
    let mut names: BTreeSet<String> = settings::handlers(seen).into_iter().map(|h| h.name).collect();
    if let Some(status) = seen.status.value() {
        names.extend(status.handlers.iter().filter(|h| !h.is_empty()).cloned());
    }
    if names.is_empty() {
        seen.status()?;
        let because = "the runtime tells no handler".to_owned();
        return Err(Missing { fact: Fact::Status, because });
    }
    Ok(names)
}

fn handler(seen: &Evidence) -> Result<Finding, Missing> {
    let names = names(seen)?;
    let known = names.iter().cloned().collect::<Vec<_>>().join(", ");
    let finding = |f: Finding| f.cite(format!("handlers: {known}"), "CRI Status");
    let missing: Vec<_> = asked(seen).into_iter().filter(|(name, _)| !names.contains(name)).collect();
    let Some((name, by)) = missing.first() else { return Ok(finding(Finding::pass(known.clone()))) };
    let summary = format!("the runtime has no handler {name}, which {by} wants");
    let failed = |summary: String| {
        finding(Finding::cause("handler-missing", summary)).cite(format!("{name} is wanted"), by.clone())
    };
    // As a person reads it the same, and to the runtime another.
    let plain = |n: &str| n.to_lowercase().replace(['-', '_', '.'], "");
    if let Some(near) = names.iter().find(|n| plain(n) == plain(name)) {
        return Ok(failed(format!("{summary}: it has {near}, which is another name")).advise(format!(
            "names must agree letter by letter, and Kubernetes allows small letters, digits and - only: correct the handler of the RuntimeClass, or name the table {name}"
        )));
    }
    let failed = failed(summary);
    Ok(match add(seen, name) {
        Ok(fix) => failed.fix(fix),
        Err(why) => failed.advise(why),
    })
}

/// The handler's table, if its program is there.
fn add(seen: &Evidence, name: &str) -> Result<Fix, String> {
    let runtime = seen.status.value().map(|s| s.info.name.as_str()).unwrap_or_default();
    if runtime == "cri-o" {
        return Err(format!(
            "[crio.runtime.runtimes.{name}] with its runtime_path in a file of /etc/crio/crio.conf.d, and restart {}",
            seen.unit()
        ));
    }
    let (_, kind, binary) = KNOWN.iter().find(|(n, _, _)| *n == name).ok_or_else(|| {
        format!(
            "add [….containerd.runtimes.{name}] with its runtime_type to {} and restart {}",
            seen.config_path(),
            seen.unit()
        )
    })?;
    let handler = Handler {
        name: name.to_owned(),
        kind: (*kind).to_owned(),
        path: String::new(),
        driver: None,
        binary: (*binary).to_owned(),
        config: String::new(),
        source: String::new(),
    };
    let programs = seen.programs.value().ok_or("whether its program is installed is not known")?;
    let shim = handler.shim();
    if !programs.there(&shim) {
        return Err(format!("install {name} first: there is no {shim} in {}", programs.path.join(":")));
    }
    let status = seen.status.value().ok_or("the runtime's version is not known")?;
    let mut conf = seen.conf.value().cloned().ok_or("the runtime's files are not known")?;
    let version = &status.info.version;
    let mut result = None;
    let mut set = |path: &[&str], value: toml_edit::Value| -> Result<(), String> {
        let (file, old, new) = settings::set(&conf, seen.config_path(), version, Area::Runtime, path, value)?;
        let before = result.take().map_or(old, |(_, old, _): (String, Option<String>, String)| old);
        match conf.files.iter_mut().find(|f| f.path == file) {
            Some(f) => f.text.clone_from(&new),
            None => conf.files.push(crate::runbook::ConfFile { path: file.clone(), text: new.clone() }),
        }
        result = Some((file, before, new));
        Ok(())
    };
    set(&["containerd", "runtimes", name, "runtime_type"], (*kind).into())?;
    if !binary.is_empty() && name != "runc" {
        let path = programs.found.get(*binary).ok_or_else(|| format!("install {binary} first"))?;
        set(&["containerd", "runtimes", name, "options", "BinaryName"], path.path.clone().into())?;
        let systemd =
            cgroup::wanted(seen).ok().flatten().is_some_and(|w| w.driver == crate::node::cgroup::Driver::Systemd);
        set(&["containerd", "runtimes", name, "options", "SystemdCgroup"], systemd.into())?;
    }
    let (file, old, new) = result.ok_or("nothing to set")?;
    let title = format!("add the handler {name} to {file} and restart {}", seen.unit());
    cgroup::edit_and_restart(seen, title, cgroup::checked(seen, file, old, new))
        .ok_or_else(|| "the runtime's socket is not known".to_owned())
}

fn shim(seen: &Evidence) -> Result<Finding, Missing> {
    let programs = seen.programs()?;
    let all = settings::handlers(seen);
    if all.is_empty() {
        seen.status()?;
        return Ok(Finding::not_applicable("the runtime does not say which programs its handlers need"));
    }
    let wanted = asked(seen);
    let mut lacking = Vec::new();
    let mut cites = Vec::new();
    for handler in &all {
        let shim = (!handler.is_wharfs()).then(|| handler.shim());
        if shim.is_some() && !handler.kind.is_empty() && handler.path.is_empty() && !handler.kind.contains(['.', '/']) {
            let what = format!(
                "{} is no runtime_type: one is like io.containerd.runc.v2, or a program's full path",
                handler.kind
            );
            lacking.push((handler, what, "runtime-type-invalid"));
            continue;
        }
        if !handler.config.is_empty() && !programs.found.contains_key(&handler.config) {
            lacking.push((
                handler,
                format!("its options name {}, which is not there", handler.config),
                "handler-config-missing",
            ));
        }
        for program in shim.into_iter().chain(Some(handler.binary.clone()).filter(|b| !b.is_empty())) {
            match programs.found.get(&program) {
                Some(file) if file.executable && file.problem.is_some() => {
                    let why = file.problem.clone().unwrap_or_default();
                    lacking.push((handler, format!("{} cannot be executed: {why}", file.path), "shim-broken"))
                }
                Some(file) if file.executable => {
                    cites.push(Cite { text: format!("{}: {program}", handler.name), source: file.path.clone() })
                }
                Some(file) => {
                    lacking.push((handler, format!("{} is there but not executable", file.path), "shim-not-executable"))
                }
                None => {
                    let other = programs.elsewhere.get(&program).map(|p| format!(", but at {p}")).unwrap_or_default();
                    lacking.push((handler, format!("{program} is not in the runtime's PATH{other}"), "shim-missing"))
                }
            }
        }
    }
    let is_wanted = |name: &str| wanted.iter().any(|(n, _)| n == name);
    let found = lacking.iter().find(|(h, _, _)| is_wanted(&h.name)).or(lacking.first());
    let Some((handler, what, cause)) = found else { return Ok(Finding::pass("all are there").cites(cites)) };
    let name = &handler.name;
    let path = Cite { text: programs.path.join(":"), source: "the runtime's PATH".to_owned() };
    Ok(if is_wanted(name) {
        Finding::cause(cause, format!("handler {name} cannot start a pod: {what}"))
            .cite(format!("{name} is of type {}", handler.kind), handler.source.clone())
            .advise(format!("install the package of {name}, or give the program's full path as runtime_type"))
    } else {
        Finding::warn(format!("handler {name} is configured, but {what}; no pod asks for it now")).advise(format!(
            "install the package of {name} before a pod does, or take the handler out of the configuration"
        ))
    }
    .cites(cites)
    .cites((*cause == "shim-missing").then_some(path)))
}

fn pod(seen: &Evidence) -> Result<Finding, Missing> {
    let inventory = seen.inventory()?;
    let because = || inventory.pods.error().unwrap_or("the pods were not listed").to_owned();
    let pods = inventory.pods.value().ok_or_else(|| Missing { fact: Fact::Inventory, because: because() })?;
    let handlers = settings::handlers(seen);
    let shims = &seen.processes()?.shims;
    let chosen: Vec<_> = pods
        .iter()
        .filter(|p| p.state == crate::client::types::PodState::Ready)
        .filter(|p| seen.param("pod").map_or(!p.handler.is_empty(), |name| p.name == name))
        .collect();
    if chosen.is_empty() {
        return Ok(Finding::not_applicable(match seen.param("pod") {
            Some(name) => format!("no pod {name} runs on this node"),
            None => "no running pod asks for a handler of its own".to_owned(),
        }));
    }
    let mut cites = Vec::new();
    let mut wrong = None;
    for pod in &chosen {
        let Some(shim) = shims.iter().find(|s: &&Shim| s.id == pod.id) else { continue };
        let handler = handlers.iter().find(|h| h.name == pod.handler);
        let name = shim.program.rsplit('/').next().unwrap_or(&shim.program);
        let shown = if pod.handler.is_empty() { "the default handler" } else { &pod.handler };
        cites.push(Cite {
            text: format!("{}/{} ({shown}) runs under {name}", pod.namespace, pod.name),
            source: format!("/proc/{}/cmdline", shim.pid),
        });
        if let Some(handler) = handler
            && handler.shim().rsplit('/').next() != Some(name)
        {
            wrong = Some(format!(
                "{}/{} asks for {shown} ({}), but runs under {name}",
                pod.namespace,
                pod.name,
                handler.shim()
            ));
        }
        if let Some(asked) = seen.param("handler")
            && seen.param("pod").is_some()
            && asked != pod.handler
        {
            wrong = Some(format!("{}/{} runs under {shown}, not under {asked}", pod.namespace, pod.name));
        }
    }
    Ok(match wrong {
        Some(text) => Finding::cause("wrong-runtime", text)
            .advise("set runtimeClassName in the pod's spec; it counts only for new pods, so delete this one"),
        None => Finding::pass(format!("{} pods run under what they ask for", chosen.len())),
    }
    .cites(cites))
}

const WORDS: &[&str] =
    &["no runtime for", "failed to get sandbox runtime", "executable file not found in $PATH", "runtime handler"];

fn events(seen: &Evidence) -> Result<Finding, Missing> {
    let lines = &seen.journal()?.lines;
    let found: Vec<_> = lines.iter().filter(|l| l.priority <= 4 && WORDS.iter().any(|w| l.text.contains(w))).collect();
    let cites = found.iter().rev().take(3).map(|l| Cite { text: l.text.clone(), source: l.from.clone() });
    Ok(if found.is_empty() {
        Finding::pass(format!("none in {} lines", lines.len()))
    } else {
        Finding::warn(format!("{} lines", found.len()))
    }
    .cites(cites))
}

/// A node without a kubelet belongs to no cluster that could be asked.
pub fn alone(seen: &Evidence) -> Result<Option<Finding>, Missing> {
    let named = seen.param("kubeconfig").is_some();
    let alone = seen.cluster.value().is_none() && !named && !seen.kubelet()?.present();
    Ok(alone.then(|| Finding::not_applicable("this node has no kubelet, so there is no API server to ask")))
}

fn selector(seen: &Evidence) -> Result<Finding, Missing> {
    if let Some(alone) = alone(seen)? {
        return Ok(alone);
    }
    let cluster = seen.cluster()?.with(Part::Classes)?.with(Part::Node)?;
    let wanted = seen.param("class").or(cluster.pod.as_ref().and_then(|p| p.class.as_deref()));
    let classes: Vec<_> = cluster.classes.iter().filter(|c| wanted.is_none_or(|w| c.name == w)).collect();
    let mut lacking = Vec::new();
    for class in &classes {
        for (key, value) in &class.selector {
            if cluster.labels.get(key) != Some(value) {
                let now = cluster.labels.get(key).map_or("not set".to_owned(), |v| format!("{key}={v}"));
                lacking.push((class.name.clone(), format!("{key}={value}"), now));
            }
        }
    }
    let source = format!("{}/api/v1/nodes/{}", cluster.server, cluster.node);
    // Only a pod that waits for a node is kept off by a taint; what the class tolerates is among what its pod does.
    let waiting = cluster.pod.as_ref().filter(|p| p.node.is_none() && p.class.as_deref() == wanted);
    let keeps_off = |t: &&Taint| {
        let tolerated = |p: &PodFacts| p.tolerations.iter().any(|toleration| toleration.covers(t));
        t.effect != "PreferNoSchedule" && waiting.is_some_and(|p| !tolerated(p))
    };
    if let (true, Some(taint), Some(pod)) = (lacking.is_empty(), cluster.taints.iter().find(keeps_off), waiting) {
        let text = format!("{}={}:{}", taint.key, taint.value, taint.effect);
        return Ok(Finding::cause("taint-not-tolerated", format!("this node has the taint {text}, which {} does not tolerate", pod.name))
            .cite(text.clone(), source)
            .advise(format!("scheduling.tolerations of the RuntimeClass, if its pods belong on nodes with {text}; it counts for new pods")));
    }
    Ok(match lacking.first() {
        Some((class, label, now)) if wanted.is_some() => Finding::cause(
            "node-not-selected",
            format!("RuntimeClass {class} asks for nodes with {label}; here it is {now}"),
        )
        .advise(format!("kubectl label node {} {label}, if this node has the runtime", cluster.node)),
        Some((class, label, _)) => Finding::pass(format!("not selected by {class} ({label}), which may be meant so")),
        None => Finding::pass("yes, or the classes ask for none"),
    }
    .cites(
        lacking
            .iter()
            .map(|(class, label, now)| Cite { text: format!("{class}: {label}; node: {now}"), source: source.clone() }),
    ))
}

fn is_machine(handler: &str) -> bool {
    ["kata", "firecracker", "cloud-hypervisor", "qemu"].iter().any(|n| handler.contains(n))
}

fn virtualization(seen: &Evidence) -> Result<Finding, Missing> {
    let kernel = seen.kernel()?;
    let mut handlers: Vec<String> =
        settings::handlers(seen).into_iter().filter(|h| is_machine(&h.kind)).map(|h| h.name).collect();
    let wanted: Vec<String> = asked(seen).into_iter().map(|(n, _)| n).filter(|n| is_machine(n)).collect();
    handlers.extend(wanted.iter().cloned());
    if handlers.is_empty() {
        seen.status()?;
        return Ok(Finding::not_applicable("no handler runs pods in virtual machines"));
    }
    let flag = kernel.virtualization.clone().unwrap_or("neither vmx nor svm".into());
    let nested = kernel.nested.clone().map_or("the KVM module is not loaded".to_owned(), |n| format!("nested={n}"));
    let finding = |f: Finding| {
        f.cite(format!("processor: {flag}{}", if kernel.guest { ", itself virtual" } else { "" }), "/proc/cpuinfo")
            .cite(if kernel.kvm { "there" } else { "not there" }, "/dev/kvm")
            .cite(nested.clone(), "/sys/module/kvm_*/parameters")
    };
    if kernel.virtualization.is_some() && kernel.kvm {
        return Ok(finding(Finding::pass("yes")));
    }
    let why = match (&kernel.virtualization, kernel.guest) {
        (None, true) => "this is a virtual machine without nested virtualization",
        (None, false) => "the processor offers no virtualization (or the firmware has it off)",
        (Some(_), _) => "the processor can, but there is no /dev/kvm: load kvm_intel or kvm_amd",
    };
    let failed = if wanted.is_empty() {
        Finding::warn(format!("{why}; no pod asks for {} now", handlers.join(", ")))
    } else {
        Finding::cause("no-virtualization", format!("{} cannot work: {why}", handlers.join(", ")))
    };
    Ok(finding(failed).advise("AWS: a metal instance; GCP: --enable-nested-virtualization; Azure: a v3 or later size; elsewhere: nested=1 of the host's KVM module"))
}

fn overhead(seen: &Evidence) -> Result<Finding, Missing> {
    if let Some(alone) = alone(seen)? {
        return Ok(alone);
    }
    let cluster = seen.cluster()?.with(Part::Classes)?;
    let sandboxed = |h: &str| is_machine(h) || ["runsc", "gvisor"].iter().any(|n| h.contains(n));
    let classes: Vec<_> = cluster.classes.iter().filter(|c| sandboxed(&c.handler)).collect();
    if classes.is_empty() {
        return Ok(Finding::not_applicable("no class is for sandboxed pods"));
    }
    let source = format!("{}/apis/node.k8s.io/v1/runtimeclasses", cluster.server);
    let cites = classes.iter().map(|c| Cite { text: format!("{}: {:?}", c.name, c.overhead), source: source.clone() });
    Ok(match classes.iter().find(|c| c.overhead.is_empty()) {
        Some(class) => Finding::warn(format!(
            "RuntimeClass {} has no overhead.podFixed: the scheduler overcommits nodes that run its pods",
            class.name
        ))
        .advise("overhead: {podFixed: {memory: 140Mi, cpu: 250m}} is what Kata needs with QEMU"),
        None => Finding::pass("yes"),
    }
    .cites(cites))
}
