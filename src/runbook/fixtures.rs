//! A healthy node as evidence, and for every check what makes it pass and what makes it fail. `CHECKS` is the list these are
//! held against: a check without both, or without prose, fails the tests.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::{
    ClusterFacts, ConfFacts, ConfFile, Evidence, ImageFacts, Params, RUNBOOKS, Reference, StackFacts, Verdict,
    checks::CHECKS,
    evidence::StackGroup,
    hosts::{Host, HostList},
    registry::{Outcome, Trial},
};
use crate::{
    client::{
        health::{Call, RuntimeStatus},
        types::{
            Condition, Container, ContainerDetail, ContainerState, ContainerStats, Image, Inventory, PodSandbox, PodState,
            RuntimeInfo, SnapshotRow,
        },
    },
    error::Kind,
    node::{
        Seen,
        cgroup::{CgroupFacts, Driver, LiveGroup, Version},
        cni::{CniFacts, ConfFile as Network, Lease},
        disk::{Deleted, DiskFacts, Filesystem, Tree},
        journal::{JournalFacts, Line},
        kernel::KernelFacts,
        kubelet::{KubeletFacts, Setting},
        limits::{Gauge, LimitFacts},
        net::{Certificate, Exchange, Fault, Stage, Tls},
        pressure::PressureFacts,
        process::{Blocked, Process, ProcessFacts, Shim},
        programs::{Program, ProgramFacts},
        target::Target,
        unit::UnitFacts,
    },
};

const GIB: u64 = 1 << 30;
const NOW: u64 = 1_800_000_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn at<T>(value: T) -> Seen<T> {
    Seen::At { value, at: now(), source: "fixture".to_owned() }
}

/// What a check sees, to be changed.
fn of<T>(seen: &mut Seen<T>) -> &mut T {
    match seen {
        Seen::At { value, .. } => value,
        _ => panic!("the fixture has it"),
    }
}

fn id(digit: char) -> String {
    digit.to_string().repeat(64)
}

const CONFIG: &str = r#"version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.9"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    discard_unpacked_layers = true
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
[metrics]
  address = "127.0.0.1:1338"
"#;

fn conf(text: &str) -> ConfFacts {
    let file = ConfFile { path: "/etc/containerd/config.toml".into(), text: text.into() };
    ConfFacts { files: vec![file], certs: vec!["docker.io".into()] }
}

fn status() -> RuntimeStatus {
    let runc = json!({ "runtimeType": "io.containerd.runc.v2", "options": { "SystemdCgroup": true, "BinaryName": "" } });
    RuntimeStatus {
        info: RuntimeInfo { name: "containerd".into(), version: "1.7.36".into(), ..RuntimeInfo::default() },
        conditions: vec![Condition { name: "NetworkReady".into(), ok: true, reason: String::new(), message: String::new() }],
        config: json!({ "containerd": { "runtimes": { "runc": runc }, "discardUnpackedLayers": true },
            "registry": { "configPath": "/etc/containerd/certs.d" }, "sandboxImage": "registry.k8s.io/pause:3.9" }),
        ..RuntimeStatus::default()
    }
}

fn pod(digit: char, handler: &str) -> PodSandbox {
    PodSandbox {
        id: id(digit),
        name: format!("pod-{digit}"),
        namespace: "default".into(),
        uid: "u".into(),
        attempt: 0,
        state: PodState::Ready,
        created: now(),
        labels: Default::default(),
        annotations: Default::default(),
        handler: handler.into(),
        ip: String::new(),
    }
}

fn container(digit: char, image: &str) -> Container {
    Container {
        id: id(digit),
        pod: id('a'),
        name: format!("c-{digit}"),
        attempt: 0,
        image: image.into(),
        image_id: "sha256:1".into(),
        state: ContainerState::Running,
        created: now(),
        labels: Default::default(),
        annotations: Default::default(),
        detail: Some(ContainerDetail::default()),
    }
}

fn filesystem(uses: &[&str], free_percent: u64) -> Filesystem {
    Filesystem {
        uses: uses.iter().map(|u| (*u).to_owned()).collect(),
        path: "/var/lib/containerd".into(),
        mount: "/".into(),
        total: 100 * GIB,
        free: free_percent * GIB,
        available: free_percent * GIB,
        inodes: 1000,
        inodes_free: 900,
        ..Filesystem::default()
    }
}

fn inventory() -> Inventory {
    let pause = Image { id: "sha256:p".into(), tags: vec!["registry.k8s.io/pause:3.9".into()], pinned: true, size: 700_000, ..Image::default() };
    let used = Image { id: "sha256:1".into(), tags: vec!["docker.io/library/x:1".into()], size: 50 << 20, ..Image::default() };
    Inventory {
        pods: at(vec![pod('a', "runc")]),
        containers: at(vec![container('b', "docker.io/library/x@sha256:1")]),
        images: at(vec![pause, used]),
        stats: at(vec![ContainerStats { id: id('b'), layer_bytes: Some(1000), ..ContainerStats::default() }]),
        snapshots: at(Vec::new()),
        sandbox_image: "registry.k8s.io/pause:3.9".into(),
        ..Inventory::default()
    }
}

fn call(name: &str, millis: u64) -> Call {
    Call { name: name.into(), object: None, took: Duration::from_millis(millis), error: None }
}

fn hanging(name: &str, object: Option<char>) -> Call {
    let error = Some((Kind::DeadlineExceeded, format!("{name}: no answer in 3 s")));
    Call { name: name.into(), object: object.map(id), took: Duration::from_secs(3), error }
}

fn certificate() -> Certificate {
    Certificate {
        subject: "CN=registry.test".into(),
        issuer: "CN=ca".into(),
        not_before: NOW.cast_signed() - 10_000,
        not_after: NOW.cast_signed() + 100_000,
        names: vec!["registry.test".into()],
    }
}

fn exchange(status: u16) -> Exchange {
    Exchange {
        request: "HEAD https://registry.test/v2/a/manifests/1".into(),
        host: "registry.test".into(),
        port: 443,
        proxy: Some("proxy.test:3128".into()),
        addresses: vec!["10.0.0.1".into()],
        peer: Some("10.0.0.1:443".into()),
        tls: Some(Tls { version: "TLSv1_3".into(), chain: vec![certificate()], ..Tls::default() }),
        status: Some(status),
        ..Exchange::default()
    }
}

fn image() -> ImageFacts {
    let host = Host { url: "https://registry.test".into(), resolves: true, pulls: true, upstream: true, ..Host::default() };
    let trial = Trial {
        host: host.clone(),
        exchanges: vec![exchange(401), exchange(200)],
        outcome: Outcome::Found,
        credentials: vec!["me from /var/lib/kubelet/config.json".into()],
        ahead: Some(0),
        platforms: vec!["linux/amd64".into()],
        wanted: "linux/amd64".into(),
        size: 1 << 20,
        blob: Some(exchange(200)),
        ..Trial::default()
    };
    ImageFacts {
        asked: Some("registry.test/a:1".into()),
        because: "asked for".into(),
        reference: Some(Reference { registry: "registry.test".into(), repository: "a".into(), version: "1".into(), digest: false }),
        list: HostList { hosts: vec![host], config_path: vec!["/etc/containerd/certs.d".into()], ..HostList::default() },
        trials: vec![trial],
        nameservers: vec!["10.0.0.53".into()],
        ..ImageFacts::default()
    }
}

fn line(text: &str) -> Line {
    Line { at: Some(now()), from: "containerd.service".into(), priority: 3, text: text.into() }
}

fn logged(text: &str) -> JournalFacts {
    JournalFacts { lines: vec![line(text)] }
}

fn class(name: &str, handler: &str) -> super::cluster::RuntimeClass {
    super::cluster::RuntimeClass { name: name.into(), handler: handler.into(), overhead: [("memory".to_owned(), "140Mi".to_owned())].into(), ..Default::default() }
}

/// A node with a kubelet, containerd, a pod, and nothing wrong.
pub fn healthy() -> Evidence {
    let setting = |value: serde_json::Value, line: u32| Setting { value, source: format!("/var/lib/kubelet/config.yaml line {line}") };
    let kubelet = KubeletFacts {
        pid: Some(900),
        config: Some("/var/lib/kubelet/config.yaml".into()),
        text: Some("cgroupDriver: systemd\n".into()),
        settings: [("cgroupDriver".to_owned(), setting("systemd".into(), 12))].into(),
        version: Some("1.33.1".into()),
        ..KubeletFacts::default()
    };
    let live = LiveGroup {
        pid: 50,
        container: id('b'),
        path: format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{}.scope", id('b')),
        driver: Some(Driver::Systemd),
    };
    let shim = Shim {
        pid: 40,
        program: "/usr/bin/containerd-shim-runc-v2".into(),
        namespace: "k8s.io".into(),
        id: id('a'),
        address: "/run/containerd/containerd.sock".into(),
        state: 'S',
        children: vec![50],
    };
    let runtime = Process {
        pid: 30,
        name: "containerd".into(),
        state: 'S',
        started: 5,
        threads: 12,
        files: 40,
        files_limit: Some(1024),
        calls: [("futex".to_owned(), 11), ("epoll_pwait".to_owned(), 1)].into(),
        ..Process::default()
    };
    let unit: std::collections::BTreeMap<String, String> = [("LoadState", "loaded"), ("ActiveState", "active"), ("SubState", "running"), ("NRestarts", "0"), ("KillMode", "process")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    let stacks = StackFacts {
        path: Some("/tmp/containerd.30.stacks.log".into()),
        groups: vec![StackGroup { count: 3, state: "select".into(), minutes: 0, top: vec!["main.main".into()] }],
    };
    Evidence {
        params: Params::new(),
        at: Some(now()),
        kernel: at(KernelFacts { init: "systemd".into(), virtualization: Some("vmx".into()), kvm: true, distribution: "debian 13".into(), ..KernelFacts::default() }),
        cgroup: at(CgroupFacts { version: Version::V2, mounts: vec!["cgroup2 on /sys/fs/cgroup".into()], live: vec![live] }),
        disk: at(DiskFacts { filesystems: vec![filesystem(&["runtime root", "runtime state", "kubelet", "root"], 60)], ..DiskFacts::default() }),
        mounts: at(Default::default()),
        pressure: at(PressureFacts::default()),
        processes: at(ProcessFacts { runtime: Some(runtime), shims: vec![shim], ..ProcessFacts::default() }),
        kubelet: at(kubelet),
        cni: at(CniFacts {
            conf_dir: "/etc/cni/net.d".into(),
            bin_dirs: vec!["/opt/cni/bin".into()],
            files: vec![Network { path: "/etc/cni/net.d/10-a.conflist".into(), network: "a".into(), plugins: vec!["bridge".into()], ..Network::default() }],
            leases: vec![Lease { network: "a".into(), address: "10.1.0.2".into(), container: id('a') }],
        }),
        units: at(UnitFacts { units: [("containerd.service".to_owned(), unit)].into() }),
        journal: at(JournalFacts { lines: vec![Line { priority: 6, ..line("all is well") }] }),
        kmsg: at(JournalFacts::default()),
        limits: at(LimitFacts { gauges: vec![Gauge { what: "inotify instances of root".into(), used: 10, limit: 128, sysctl: "fs.inotify.max_user_instances".into(), top: Vec::new() }] }),
        target: at(Target {
            socket: "/run/containerd/containerd.sock".into(),
            pid: Some(30),
            name: "containerd".into(),
            program: "/usr/bin/containerd".into(),
            config: "/etc/containerd/config.toml".into(),
            root: "/var/lib/containerd".into(),
            state: "/run/containerd".into(),
            unit: Some("containerd.service".into()),
            ..Target::default()
        }),
        conf: at(conf(CONFIG)),
        status: at(status()),
        calls: at(vec![call("Version", 1), call("ListContainers", 3)]),
        inventory: at(inventory()),
        stacks: at(stacks),
        image: at(image()),
        cluster: at(ClusterFacts { server: "https://api:6443".into(), classes: vec![class("kata", "runc"), class("vm", "kata")], node: "worker-1".into(), ..ClusterFacts::default() }),
        certificate: at(certificate()),
        programs: at(ProgramFacts { path: vec!["/usr/bin".into()], found: [("containerd-shim-runc-v2".to_owned(), Program { path: "/usr/bin/containerd-shim-runc-v2".into(), executable: true })].into() }),
    }
}

fn fault(e: &mut Evidence, stage: Stage, kind: Kind, error: &str) {
    let trial = &mut of(&mut e.image).trials[0];
    let broken = Fault { stage, kind, error: error.into() };
    trial.exchanges = vec![Exchange { status: None, tls: None, fault: Some(broken), ..exchange(0) }];
    trial.outcome = Outcome::Unreachable;
}

fn answer(e: &mut Evidence, status: u16, outcome: Outcome) {
    let trial = &mut of(&mut e.image).trials[0];
    trial.exchanges = vec![exchange(status)];
    trial.outcome = outcome;
}

fn fs(e: &mut Evidence) -> &mut Filesystem {
    &mut of(&mut e.disk).filesystems[0]
}

fn runc(e: &mut Evidence) -> &mut serde_json::Value {
    &mut of(&mut e.status).config["containerd"]["runtimes"]["runc"]
}

type Change = fn(&mut Evidence);

const NOTHING: Change = |_| {};

/// By check: what makes the healthy node's evidence a pass (most need nothing), and what makes it a warning or a failure.
const CASES: &[(&str, Change, Change)] = &[
    ("kubelet-driver", NOTHING, |e| e.kubelet = Seen::Failed { error: "not YAML".into(), at: now() }),
    ("handler-drivers", NOTHING, |e| {
        of(&mut e.status).config = json!({});
        of(&mut e.status).info.name = "cri-o".into();
        e.conf = at(ConfFacts::default());
    }),
    ("driver-agreement", NOTHING, |e| runc(e)["options"]["SystemdCgroup"] = false.into()),
    ("live-paths", NOTHING, |e| of(&mut e.cgroup).live[0].driver = None),
    ("cgroup-version", NOTHING, |e| {
        of(&mut e.cgroup).version = Version::V1;
        of(&mut e.kubelet).version = Some("1.35.0".into());
    }),
    ("driver-errors", NOTHING, |e| e.journal = at(logged("expected cgroupsPath to be of format \"slice:prefix:name\""))),
    ("disk-bytes", NOTHING, |e| fs(e).available = 0),
    ("disk-inodes", NOTHING, |e| fs(e).inodes_free = 1),
    ("disk-read-only", NOTHING, |e| fs(e).read_only = true),
    ("disk-images", NOTHING, |e| {
        fs(e).available = 5 * GIB;
        let image = Image { id: "sha256:u".into(), size: 9 * GIB, ..Image::default() };
        of(&mut of(&mut e.inventory).images).push(image);
    }),
    ("disk-layers", NOTHING, |e| of(&mut of(&mut e.inventory).stats)[0].layer_bytes = Some(9 * GIB)),
    ("disk-exited", NOTHING, |e| {
        let list = of(&mut of(&mut e.inventory).containers);
        list.extend((0..150).map(|n| Container { id: format!("x{n}"), attempt: n, state: ContainerState::Exited, name: "loop".into(), ..container('c', "x") }));
    }),
    ("disk-logs", NOTHING, |e| of(&mut e.disk).trees.push(Tree { what: "pod logs".into(), path: "/var/log/pods".into(), bytes: 20 * GIB, ..Tree::default() })),
    ("disk-deleted", NOTHING, |e| of(&mut e.disk).deleted.push(Deleted { pid: 7, name: "java".into(), path: "/tmp/x".into(), bytes: 9 * GIB })),
    ("disk-orphans", NOTHING, |e| {
        let row = SnapshotRow {
            snapshotter: "overlayfs".into(),
            namespace: "k8s.io".into(),
            key: id('e'),
            parent: None,
            kind: "active".into(),
            bytes: Some(9 * GIB),
            inodes: None,
            created: None,
            labels: Default::default(),
        };
        of(&mut of(&mut e.inventory).snapshots).push(row);
    }),
    ("disk-collection", NOTHING, |e| {
        let off = Setting { value: 100.into(), source: "/var/lib/kubelet/config.yaml line 3".into() };
        of(&mut e.kubelet).settings.insert("imageGCHighThresholdPercent".into(), off);
    }),
    ("pull-request", NOTHING, |e| e.image = Seen::Failed { error: "x".into(), at: now() }),
    ("pull-name", NOTHING, |e| of(&mut e.image).invalid = Some("upper case".into())),
    ("pull-hosts", NOTHING, |e| of(&mut e.image).list.unused.push("/etc/containerd/certs.d/registry.test/hosts.toml".into())),
    ("pull-dns", NOTHING, |e| fault(e, Stage::Name, Kind::NotFound, "Name or service not known")),
    ("pull-connect", NOTHING, |e| fault(e, Stage::Connect, Kind::Unavailable, "Connection refused")),
    ("pull-proxy", NOTHING, |e| fault(e, Stage::Proxy, Kind::PermissionDenied, "403")),
    ("pull-tls", NOTHING, |e| {
        fault(e, Stage::Tls, Kind::Unauthenticated, "signed by CN=ca");
        let tls = Tls { unknown_issuer: true, problems: vec!["signed by CN=ca".into()], chain: vec![certificate()], ..Tls::default() };
        of(&mut e.image).trials[0].exchanges[0].tls = Some(tls);
    }),
    ("pull-limit", NOTHING, |e| answer(e, 429, Outcome::RateLimited)),
    ("pull-auth", NOTHING, |e| answer(e, 401, Outcome::Unauthorized)),
    ("pull-manifest", NOTHING, |e| answer(e, 404, Outcome::NoTag)),
    ("pull-platform", NOTHING, |e| of(&mut e.image).trials[0].platforms = vec!["linux/s390x".into()]),
    ("pull-layers", NOTHING, |e| of(&mut e.image).trials[0].blob = Some(exchange(503))),
    ("pull-room", NOTHING, |e| fs(e).available = 10),
    ("runtime-process", NOTHING, |e| of(&mut e.processes).runtime.as_mut().unwrap().state = 'T'),
    ("runtime-unit", NOTHING, |e| {
        of(&mut e.units).units.get_mut("containerd.service").unwrap().insert("ActiveState".into(), "failed".into());
    }),
    ("runtime-service", NOTHING, |e| {
        of(&mut e.calls)[0].error = Some((Kind::Unimplemented, "unknown service runtime.v1.RuntimeService".into()));
    }),
    ("runtime-calls", NOTHING, |e| of(&mut e.calls).push(hanging("ContainerStatus", Some('b')))),
    ("runtime-disk", NOTHING, |e| fs(e).available = 0),
    ("runtime-blocked", NOTHING, |e| {
        of(&mut e.processes).blocked.push(Blocked { pid: 30, name: "containerd".into(), wait: "nfs_wait".into() });
    }),
    ("runtime-load", NOTHING, |e| of(&mut e.processes).runtime.as_mut().unwrap().files = 1020),
    ("runtime-syscalls", NOTHING, |e| {
        of(&mut e.processes).runtime.as_mut().unwrap().calls.insert("umount2".into(), 9);
    }),
    ("runtime-stacks", NOTHING, |e| {
        of(&mut e.calls).push(hanging("Status", None));
        of(&mut e.stacks).groups[0] = StackGroup { count: 9, state: "syscall".into(), minutes: 40, top: vec!["umount".into()] };
    }),
    ("runtime-journal", NOTHING, |e| {
        of(&mut e.calls).push(hanging("Status", None));
        e.journal = at(logged("failed"));
    }),
    ("runtime-kernel", NOTHING, |e| e.kmsg = at(logged("INFO: task containerd:30 blocked for more than 120 seconds."))),
    ("runtime-restart", NOTHING, |e| of(&mut e.calls).push(hanging("Status", None))),
    ("class-object", NOTHING, |e| {
        e.params.insert("class".into(), "gvisor".into());
    }),
    ("class-handler", NOTHING, |e| {
        e.params.insert("handler".into(), "kata".into());
    }),
    ("class-shim", NOTHING, |e| of(&mut e.programs).found.clear()),
    ("class-pod", NOTHING, |e| of(&mut e.processes).shims[0].program = "/usr/bin/containerd-shim-kata-v2".into()),
    ("class-events", NOTHING, |e| e.journal = at(logged("no runtime for \"kata\" is configured"))),
    ("class-selector", NOTHING, |e| {
        of(&mut e.cluster).classes[0].selector.insert("runtime".into(), "kata".into());
        e.params.insert("class".into(), "kata".into());
    }),
    (
        "class-virtualization",
        |e| of(&mut e.status).config["containerd"]["runtimes"]["kata"] = json!({ "runtimeType": "io.containerd.kata.v2" }),
        |e| {
            of(&mut e.status).config["containerd"]["runtimes"]["kata"] = json!({ "runtimeType": "io.containerd.kata.v2" });
            of(&mut e.kernel).virtualization = None;
        },
    ),
    ("class-overhead", NOTHING, |e| of(&mut e.cluster).classes[1].overhead.clear()),
    ("practice-runtime", NOTHING, |e| of(&mut e.status).info.version = "1.6.20".into()),
    ("practice-digests", NOTHING, |e| of(&mut of(&mut e.inventory).containers)[0].image = "docker.io/library/x:1".into()),
    ("practice-mirror", NOTHING, |e| of(&mut e.conf).certs.clear()),
    ("practice-discard", NOTHING, |e| of(&mut e.status).config["containerd"]["discardUnpackedLayers"] = false.into()),
    ("practice-overhead", NOTHING, |e| of(&mut e.cluster).classes[1].overhead.clear()),
    ("practice-metrics", NOTHING, |e| of(&mut e.calls)[0].took = Duration::from_secs(2)),
    ("practice-prepull", NOTHING, |e| of(&mut of(&mut e.inventory).images)[1].size = 2 * GIB),
    ("practice-policy", NOTHING, |e| {
        let policies = [("r.test/a:1.2".to_owned(), "Always".to_owned())].into();
        of(&mut e.cluster).pods.push(super::cluster::PodFacts { name: "default/p".into(), policies, ..Default::default() });
    }),
    ("practice-versions", NOTHING, |e| of(&mut e.status).info.version = "2.0.1".into()),
    ("incident-pause", NOTHING, |e| {
        of(&mut of(&mut e.inventory).images).remove(0);
    }),
    ("incident-network", NOTHING, |e| of(&mut e.cni).files[0].missing = vec!["bridge".into()]),
    ("incident-addresses", NOTHING, |e| {
        of(&mut e.cni).leases.extend((0..20).map(|n| Lease { network: "a".into(), address: format!("10.1.1.{n}"), container: format!("gone{n}") }));
    }),
    ("incident-limits", NOTHING, |e| of(&mut e.limits).gauges[0].used = 128),
    ("incident-name-reserved", NOTHING, |e| e.journal = at(logged("failed to reserve container name \"x\": name \"x\" is reserved for \"abc\""))),
    ("incident-config", NOTHING, |e| e.conf = at(conf(&CONFIG.replace("version = 2", "version = 3")))),
    ("incident-shims", NOTHING, |e| of(&mut e.processes).shims[0].id = id('f')),
    ("incident-terminating", NOTHING, |e| e.journal = at(logged("unmount target: device or resource busy"))),
    ("incident-memory", NOTHING, |e| e.kmsg = at(logged(&format!("oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/kubepods/{}", id('b'))))),
    ("incident-certificate", NOTHING, |e| of(&mut e.certificate).not_after = NOW.cast_signed() - 1),
    ("incident-pleg", NOTHING, |e| e.journal = at(logged("PLEG is not healthy: pleg was last seen active 3m1s ago"))),
];

#[test]
fn every_check_passes_fails_and_is_unknown_on_fixtures() {
    let mut wrong = Vec::new();
    for check in CHECKS {
        let Some((_, good, bad)) = CASES.iter().find(|(id, ..)| *id == check.id) else {
            wrong.push(format!("{} has no fixtures", check.id));
            continue;
        };
        let judged = |change: &Change| {
            let mut evidence = healthy();
            change(&mut evidence);
            check.finding(&evidence)
        };
        let (pass, fail, none) = (judged(good), judged(bad), check.finding(&Evidence::default()));
        if pass.verdict != Verdict::Pass {
            wrong.push(format!("{} on good evidence: {pass:?}", check.id));
        }
        if !matches!(fail.verdict, Verdict::Warn | Verdict::Fail | Verdict::Unknown) {
            wrong.push(format!("{} on bad evidence: {fail:?}", check.id));
        }
        if none.verdict != Verdict::Unknown {
            wrong.push(format!("{} without evidence: {none:?}", check.id));
        }
        if check.needs.is_empty() || (check.command)(&healthy()).is_empty() {
            wrong.push(format!("{} needs nothing or shows no command", check.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_what_judges_nothing_lacks_a_failure_of_its_own() {
    // These three report what was set or asked for; their bad evidence is missing evidence.
    let reporters = ["kubelet-driver", "handler-drivers", "pull-request"];
    for (id, _, bad) in CASES {
        let check = CHECKS.iter().find(|c| c.id == *id).unwrap_or_else(|| panic!("there is no check {id}"));
        let mut evidence = healthy();
        bad(&mut evidence);
        let unknown = check.finding(&evidence).verdict == Verdict::Unknown;
        assert_eq!(unknown, reporters.contains(id), "{id}: {:?}", check.finding(&evidence));
    }
}

#[test]
fn ids_are_unique_and_every_step_has_prose() {
    let mut ids: Vec<&str> = CHECKS.iter().map(|c| c.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CHECKS.len());
    let mut wrong = Vec::new();
    for book in RUNBOOKS {
        if book.introduction().len() < 80 {
            wrong.push(format!("{} has no introduction", book.id));
        }
        for step in book.steps {
            if !CHECKS.iter().any(|c| std::ptr::eq(*c, step.check)) {
                wrong.push(format!("{} is not in CHECKS", step.check.id));
            }
            if book.prose_of(step.check.id).is_none_or(|p| p.len() < 40) {
                wrong.push(format!("{} has no section {}", book.id, step.check.id));
            }
        }
        for heading in book.prose.lines().filter_map(|l| l.strip_prefix("## ")) {
            if !book.steps.iter().any(|s| s.check.id == heading) {
                wrong.push(format!("{}: the section {heading} is of no step", book.id));
            }
        }
    }
    for check in CHECKS {
        if !RUNBOOKS.iter().flat_map(|b| b.steps).any(|s| std::ptr::eq(s.check, *check)) {
            wrong.push(format!("{} is in no runbook", check.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Evidence that is there already.
#[derive(Debug)]
struct Saved(Evidence);

impl super::Probe for Saved {
    fn now(&self) -> SystemTime {
        now()
    }

    fn collect<'a>(&'a self, _: super::Fact, _: &'a Params) -> futures::future::BoxFuture<'a, super::Update> {
        let all = self.0.clone();
        Box::pin(async move {
            let update: super::Update = Box::new(move |e| {
                let (at, params) = (e.at, std::mem::take(&mut e.params));
                *e = all;
                (e.at, e.params) = (at, params);
            });
            update
        })
    }
}

async fn reports(evidence: Evidence) -> Vec<super::Report> {
    let params = evidence.params.clone();
    let books: Vec<_> = RUNBOOKS.iter().collect();
    super::examine(&books, &Saved(evidence), &params, &mut |_| {}).await.0
}

#[tokio::test]
async fn a_healthy_node_has_no_failure_and_one_unseen_is_unknown() {
    for report in reports(healthy()).await {
        let bad: Vec<_> = report.steps.iter().filter(|s| s.finding.verdict > Verdict::Warn).collect();
        assert!(bad.is_empty() && report.cause.is_none(), "{}: {bad:#?}", report.book);
    }
    for report in reports(Evidence::default()).await {
        assert_eq!(report.verdict, Verdict::Unknown, "{}", report.book);
        assert!(report.cause.is_none());
    }
}

#[tokio::test]
async fn a_proven_cause_ends_the_runbook_that_branches() {
    let mut evidence = healthy();
    fault(&mut evidence, Stage::Name, Kind::NotFound, "Name or service not known");
    let all = reports(evidence).await;
    let report = all.iter().find(|r| r.book == "image-pull").unwrap();
    assert_eq!((report.cause.as_deref(), report.verdict), (Some("dns-no-such-name"), Verdict::Fail));
    assert!(report.skipped.contains(&"pull-tls".to_owned()), "{report:?}");
    assert_eq!(report.decisive().unwrap().check, "pull-dns");
}

#[test]
fn evidence_survives_being_saved() {
    let text = serde_json::to_string(&healthy()).unwrap();
    let back: Evidence = serde_json::from_str(&text).unwrap();
    for check in CHECKS {
        assert_eq!(check.finding(&back), check.finding(&healthy()), "{}", check.id);
    }
}

#[test]
fn the_fix_of_a_mismatch_is_one_line_of_the_right_file() {
    let mut evidence = healthy();
    runc(&mut evidence)["options"]["SystemdCgroup"] = false.into();
    of(&mut evidence.conf).files[0].text = CONFIG.replace("SystemdCgroup = true", "SystemdCgroup = false");
    let check = CHECKS.iter().find(|c| c.id == "driver-agreement").unwrap();
    let finding = check.finding(&evidence);
    assert_eq!(finding.cause.as_deref(), Some("cgroup-driver-mismatch"), "{finding:?}");
    let Some(super::Fix { action: crate::client::action::Action::Mend { changes, .. }, .. }) = finding.fix else { panic!("no fix") };
    let preview = changes[0].preview();
    assert!(preview.contains("-        SystemdCgroup = false\n+        SystemdCgroup = true"), "{preview}");
    assert!(changes[1].what() == "restart containerd.service" && changes[1].reason().contains("running containers stay"));
}
