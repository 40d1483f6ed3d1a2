//! A kubelet that does not start, and a node that is NotReady for it: each reason it has of its own, before its last words.

use crate::{
    client::{
        action::Action,
        change::{Change, Restart},
    },
    node::journal::Line,
    runbook::{Check, Cite, Evidence, Fact, Finding, Fix, Missing, Risk},
};

/// As systemd counts them, since somebody last started it by hand.
const RESTARTS: u64 = 3;
const UNIT: &str = "kubelet.service";

pub static SERVICE: Check = Check {
    id: "kubelet-service",
    title: "Does the kubelet run?",
    needs: &[Fact::Kubelet, Fact::Units, Fact::Target],
    command: |_| "systemctl status kubelet; journalctl -u kubelet -n 50 --no-pager".to_owned(),
    judge: service,
};

pub static CONFIG: Check = Check {
    id: "kubelet-config",
    title: "Can it read its configuration?",
    needs: &[Fact::Kubelet, Fact::Units, Fact::Journal],
    command: |_| {
        "kubelet --config /var/lib/kubelet/config.yaml --help >/dev/null; cat /var/lib/kubelet/config.yaml".to_owned()
    },
    judge: config,
};

pub static ENDPOINT: Check = Check {
    id: "kubelet-endpoint",
    title: "Does it ask the runtime that is here?",
    needs: &[Fact::Kubelet, Fact::Target, Fact::Units],
    command: |_| {
        "grep -i containerRuntimeEndpoint /var/lib/kubelet/config.yaml; ps -o args= -C kubelet; ls -l /run/*/*.sock"
            .to_owned()
    },
    judge: endpoint,
};

pub static USES: Check = Check {
    id: "runtime-kubelet",
    title: "Is it the runtime that the kubelet asks?",
    needs: &[Fact::Kubelet, Fact::Target, Fact::Units],
    command: |_| {
        "grep -i containerRuntimeEndpoint /var/lib/kubelet/config.yaml; ps -o args= -C kubelet; ss -lxp | grep -E 'containerd|crio'".to_owned()
    },
    judge: uses,
};

pub static SWAP: Check = Check {
    id: "kubelet-swap",
    title: "Is swap on, and does the kubelet accept it?",
    needs: &[Fact::Kubelet, Fact::Host, Fact::Units],
    command: |_| "cat /proc/swaps; grep -i swap /var/lib/kubelet/config.yaml".to_owned(),
    judge: swap,
};

pub static CHECKPOINTS: Check = Check {
    id: "kubelet-checkpoints",
    title: "Do the resource managers' checkpoints fit the configured policies?",
    needs: &[Fact::Kubelet, Fact::Units],
    command: |_| {
        "cat /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state; grep -i policy /var/lib/kubelet/config.yaml".to_owned()
    },
    judge: checkpoints,
};

pub static WORDS: Check = Check {
    id: "kubelet-words",
    title: "What did it say last?",
    needs: &[Fact::Kubelet, Fact::Journal, Fact::Units],
    command: |_| {
        "journalctl -u kubelet --since -1h --no-pager | grep -E 'failed to run Kubelet|\"command failed\"|^F|E[0-9]{4}' | tail".to_owned()
    },
    judge: words,
};

fn none() -> Finding {
    Finding::not_applicable("this node has no kubelet")
}

/// Whether it runs now. A kubelet that restarts all the time counts as one that does not.
fn runs(seen: &Evidence) -> bool {
    let state = seen.units.value().and_then(|u| u.get(UNIT, "ActiveState"));
    seen.kubelet.value().is_some_and(|k| k.pid.is_some()) && state.is_none_or(|s| s == "active")
}

fn service(seen: &Evidence) -> Result<Finding, Missing> {
    let pid = seen.kubelet.value().and_then(|k| k.pid);
    let units = match (seen.units(), pid) {
        (Ok(units), _) => units,
        (Err(_), Some(pid)) => return Ok(Finding::pass(format!("it runs as pid {pid}; no unit could be asked about"))),
        (Err(missing), None) => {
            return if seen.kubelet()?.present() { Err(missing) } else { Ok(none()) };
        }
    };
    let get = |property: &str| units.get(UNIT, property).unwrap_or_default();
    let state = format!(
        "{} ({}), result {}, {} restarts",
        get("ActiveState"),
        get("SubState"),
        get("Result"),
        get("NRestarts")
    );
    let cite = |finding: Finding| finding.cite(state.clone(), format!("systemctl show {UNIT}"));
    let restarts: u64 = get("NRestarts").parse().unwrap_or(0);
    Ok(match (get("LoadState"), get("ActiveState")) {
        ("masked", _) => cite(
            Finding::cause("kubelet-masked", format!("{UNIT} is masked, so nothing can start it"))
                .advise("somebody masked it: ask why, then systemctl unmask kubelet && systemctl start kubelet"),
        ),
        ("loaded", "active") if restarts >= RESTARTS => {
            cite(Finding::warn(format!("it runs, and systemd had to start it {restarts} times again")))
        }
        ("loaded", "active") => cite(Finding::pass("yes")),
        ("loaded", "inactive") if get("Result") == "success" => cite(
            Finding::cause("kubelet-not-running", format!("{UNIT} was stopped: the node is NotReady, its pods run on"))
                .fix(start(seen)),
        ),
        ("loaded", "failed" | "activating") if get("ExecMainStatus") == "203" => {
            cite(Finding::cause("kubelet-program-missing", "the unit's program cannot be executed").advise(format!(
                "systemctl cat {UNIT}: is its ExecStart there, executable, and for this architecture?"
            )))
        }
        ("loaded", _) => cite(Finding::fail("it does not stay up")),
        (_, _) => match pid {
            Some(pid) => Finding::pass(format!("it runs as pid {pid}, under no unit of its own")),
            None if seen.kubelet()?.present() => {
                Finding::fail("it is configured here, and neither a process nor a unit of it is there")
            }
            None => none(),
        },
    })
}

/// The runtime's socket must answer then: without it the kubelet is no better than before.
fn start(seen: &Evidence) -> Option<Fix> {
    let endpoint = format!("unix://{}", seen.target.value()?.socket);
    let title = format!("start {UNIT}");
    let changes = vec![Change::Restart(Restart { unit: UNIT.to_owned(), endpoint, undo: None, kills: None })];
    Some(Fix { title: title.clone(), risk: Risk::Restarts, action: Action::Mend { title, changes } })
}

fn config(seen: &Evidence) -> Result<Finding, Missing> {
    if let Some(error) = seen.kubelet.error()
        && error.contains("not YAML")
    {
        return Ok(Finding::cause("kubelet-config-broken", "the kubelet cannot read its configuration")
            .cite(error, "the kubelet's configuration")
            .advise("mend that line, then systemctl restart kubelet"));
    }
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(none());
    }
    let refused = |l: &&Line| {
        l.text.contains("failed to load kubelet config file") || l.text.contains("failed to load Kubelet config file")
    };
    let line = seen.journal.value().and_then(|j| j.attempt(UNIT, fatal).rev().find(refused)).filter(|_| !runs(seen));
    Ok(match (line, &kubelet.config) {
        (Some(line), _) => Finding::cause("kubelet-config-broken", "the kubelet refuses its configuration")
            .cite(line.text.clone(), line.from.clone())
            .advise("mend what it names, then systemctl restart kubelet"),
        (None, Some(path)) => {
            Finding::pass(format!("{path}, {} settings", kubelet.settings.len())).cite(path.clone(), path.clone())
        }
        (None, None) => Finding::pass("it runs on flags and defaults"),
    })
}

fn endpoint(seen: &Evidence) -> Result<Finding, Missing> {
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(none());
    }
    let target = seen.target()?;
    let (wanted, source) =
        kubelet.endpoint().unwrap_or(("unix:///run/containerd/containerd.sock", "the kubelet's default"));
    Ok(if target.socket.is_empty() || plain(wanted) == plain(&target.socket) {
        Finding::pass(wanted)
    } else if runs(seen) {
        Finding::warn(format!("it asks {wanted}; looked at here is {}", target.socket))
    } else {
        Finding::cause(
            "kubelet-endpoint-wrong",
            format!("the kubelet asks {wanted}, and the runtime of this node listens on {}", target.socket),
        )
        .advise(format!(
            "containerRuntimeEndpoint: unix://{} in the kubelet's configuration, then restart it",
            target.socket
        ))
    }
    .cite(wanted, source)
    .cite(target.socket.clone(), format!("pid {}", target.pid.map_or("unknown".to_owned(), |p| p.to_string()))))
}

/// /var/run is a link to /run on every distribution with systemd.
fn plain(path: &str) -> String {
    path.trim_start_matches("unix://").replace("/var/run/", "/run/")
}

/// Two runtimes on one node: what one is asked about the other's pods is not found.
fn uses(seen: &Evidence) -> Result<Finding, Missing> {
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(none());
    }
    let target = seen.target()?;
    let Some((wanted, source)) = kubelet.endpoint() else {
        return Ok(Finding::not_applicable("nothing says which one it asks"));
    };
    let socket = &target.socket;
    Ok(if socket.is_empty() || plain(wanted) == plain(socket) {
        Finding::pass(format!("yes, {wanted}"))
    } else {
        let advice = format!("one of both is right: wharf -r {wanted} looks at the other; containerRuntimeEndpoint: unix://{socket} and a restart of the kubelet make it ask this one (its pods are made anew)");
        match &kubelet.unreached {
            Some(why) => Finding::cause("kubelet-endpoint-wrong", format!("the kubelet asks {wanted}, where nobody answers, and this runtime listens on {socket}"))
                .cite(why.clone(), plain(wanted)),
            None if runs(seen) => Finding::warn(format!("the kubelet asks another runtime, {wanted}: its pods are there, not at {socket}")),
            None => Finding::cause("kubelet-endpoint-wrong", format!("the kubelet is set to ask another runtime, {wanted}, and this one listens on {socket}")),
        }
        .advise(advice)
    }
    .cite(wanted, source)
    .cite(socket.clone(), format!("pid {}", target.pid.map_or("unknown".to_owned(), |p| p.to_string()))))
}

fn swap(seen: &Evidence) -> Result<Finding, Missing> {
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(none());
    }
    let swaps = &seen.host()?.swaps;
    if swaps.is_empty() {
        return Ok(Finding::pass("it is off"));
    }
    let setting = kubelet.setting("failSwapOn", "fail-swap-on");
    let fails = setting.is_none_or(|s| s.value != false && s.value != "false");
    let area = swaps.join(", ");
    let cite = Cite { text: area.clone(), source: "/proc/swaps".to_owned() };
    Ok(match (fails, runs(seen)) {
        (false, _) => Finding::pass(format!("it is on ({area}), and failSwapOn is false")),
        (true, true) => Finding::warn(format!("swap is on ({area}): the kubelet will not start again"))
            .advise("swapoff -a and take it out of /etc/fstab; or failSwapOn: false with memorySwap.swapBehavior"),
        (true, false) => {
            Finding::cause("swap-on", format!("swap is on ({area}), and a kubelet does not start with it"))
                .advise("swapoff -a and take it out of /etc/fstab; or failSwapOn: false with memorySwap.swapBehavior")
        }
    }
    .cites([cite])
    .cites(setting.map(|s| Cite { text: format!("failSwapOn: {}", s.value), source: s.source.clone() })))
}

fn checkpoints(seen: &Evidence) -> Result<Finding, Missing> {
    let kubelet = seen.kubelet()?;
    if !kubelet.present() {
        return Ok(none());
    }
    for (file, key, flag, default) in [
        ("/var/lib/kubelet/cpu_manager_state", "cpuManagerPolicy", "cpu-manager-policy", "none"),
        ("/var/lib/kubelet/memory_manager_state", "memoryManagerPolicy", "memory-manager-policy", "None"),
    ] {
        let Some(policy) = kubelet.checkpoints.get(file) else { continue };
        let setting = kubelet.setting(key, flag);
        let wanted = setting.and_then(|s| s.value.as_str()).unwrap_or(default);
        let broken = policy.is_empty();
        if broken || !policy.eq_ignore_ascii_case(wanted) {
            let shown = if broken { "it cannot be read".to_owned() } else { format!("policyName {policy}") };
            let summary = format!(
                "{file} was written under another policy than {key}: {wanted} ({shown}): the kubelet does not start"
            );
            let finding =
                if runs(seen) { Finding::warn(summary) } else { Finding::cause("kubelet-checkpoint", summary) };
            return Ok(finding
                .cite(shown, file)
                .cite(
                    format!("{key}: {wanted}"),
                    setting.map_or_else(|| "the kubelet's default".to_owned(), |s| s.source.clone()),
                )
                .advise(format!(
                    "drain the node, remove {file}, restart the kubelet: pinned processors or memory are given out anew"
                )));
        }
    }
    Ok(Finding::pass(match kubelet.checkpoints.len() {
        0 => "there are none".to_owned(),
        count => format!("{count} of them, yes"),
    }))
}

/// What a kubelet says when it gives up, the cause it names, and what to do. The first that matches counts.
const LAST_WORDS: &[(&str, &str, &str)] = &[
    ("running with swap on is not supported", "swap-on", "swapoff -a, or failSwapOn: false"),
    ("cgroup v1 support is unsupported", "cgroup-v1-refused", "boot with cgroup v2; for a while: failCgroupV1: false"),
    ("could not restore state from checkpoint", "kubelet-checkpoint", "drain, remove the file it names, restart"),
    ("checkpoint is corrupted", "kubelet-checkpoint", "drain, remove the file it names, restart"),
    (
        "bootstrap client certificate",
        "kubelet-certificate-expired",
        "a new bootstrap token: kubeadm token create, then join again",
    ),
    ("unable to load bootstrap kubeconfig", "kubelet-certificate-expired", "a new bootstrap kubeconfig, and restart"),
    (
        "unknown service runtime.v1",
        "cri-plugin-off",
        "the runtime's CRI plugin is off: see the runbook runtime-unresponsive",
    ),
    ("validate CRI v1 runtime API", "runtime-not-answering", "see the runbook runtime-unresponsive"),
    (
        "failed to create fsnotify watcher",
        "inotify-exhausted",
        "raise fs.inotify.max_user_instances: see the runbook incidents",
    ),
    ("inotify_add_watch", "inotify-exhausted", "raise fs.inotify.max_user_watches: see the runbook incidents"),
    ("inotify_init", "inotify-exhausted", "raise fs.inotify.max_user_instances: see the runbook incidents"),
    (
        "address already in use",
        "kubelet-port-taken",
        "ss -ltnp 'sport = :10250 or sport = :10248': another kubelet, or a program in its place",
    ),
    ("failed to load kubelet config file", "kubelet-config-broken", "mend what it names"),
    (
        "unknown flag",
        "kubelet-flag-unknown",
        "a flag of an older version: see KUBELET_EXTRA_ARGS and kubeadm-flags.env",
    ),
    ("misconfiguration: kubelet cgroup driver", "cgroup-driver-mismatch", "see the runbook cgroup-driver"),
    (
        "mkdir /sys/fs/cgroup",
        "cgroups-exhausted",
        "control groups pile up: see incident-cgroups in the runbook incidents",
    ),
    ("no space left on device", "disk-full", "see the runbook disk-full"),
];

fn fatal(line: &Line) -> bool {
    line.priority <= 3 || line.text.contains("\"command failed\"") || line.text.contains("failed to run Kubelet")
}

fn words(seen: &Evidence) -> Result<Finding, Missing> {
    if seen.kubelet.value().is_some_and(|k| !k.present()) {
        return Ok(none());
    }
    let journal = seen.journal()?;
    let own = |l: &&Line| l.from == UNIT;
    if runs(seen) {
        let count = journal.lines.iter().filter(own).count();
        return Ok(Finding::pass(format!("it runs; {count} lines of it were read")));
    }
    let known = journal.attempt(UNIT, fatal).rev().find_map(|line| {
        let (_, cause, advice) = LAST_WORDS.iter().find(|(words, ..)| line.text.contains(words))?;
        Some((line, *cause, *advice))
    });
    Ok(match known {
        Some((line, cause, advice)) => {
            Finding::cause(cause, "it gave up, and said why").cite(line.text.clone(), line.from.clone()).advise(advice)
        }
        None => match journal.attempt(UNIT, fatal).rev().find(|l| fatal(l)) {
            Some(line) => {
                Finding::fail("it does not run; its last complaint is below").cite(line.text.clone(), line.from.clone())
            }
            None => Finding::fail("it does not run, and said nothing in the last two hours"),
        },
    })
}
