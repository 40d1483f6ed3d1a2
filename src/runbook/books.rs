//! The runbooks as data: their steps in order, where a finding leads, their prose. Adding one is an entry here and a file in
//! `assets/runbooks`.

use super::{
    Check, Finding, Guide, Next, Runbook,
    checks::{
        blocked, certificate, cgroup, class, client, cluster, container, disk, dns, down, firewall, helper, holes,
        host, image, incidents, kubelet, leftovers, network, pod, practices, runtime, way,
    },
};

const fn step(check: &'static Check) -> Guide {
    Guide { check, then: |_| Next::Continue }
}

/// A proven cause ends the runbook.
const fn ends(check: &'static Check) -> Guide {
    Guide { check, then: |finding: &Finding| if finding.cause.is_some() { Next::Conclude } else { Next::Continue } }
}

pub const RUNBOOKS: &[Runbook] = &[
    Runbook {
        id: "image-pull",
        title: "Image pull failure",
        symptom: "ErrImagePull, ImagePullBackOff",
        steps: &[
            step(&image::REQUEST),
            step(&cluster::EVENTS),
            ends(&image::NAME),
            ends(&pod::POLICY),
            ends(&image::HOSTS),
            ends(&dns::DNS),
            ends(&image::CONNECT),
            ends(&way::PROXY),
            ends(&certificate::TLS),
            ends(&client::CLIENT),
            ends(&image::LIMIT),
            ends(&pod::SECRETS),
            ends(&helper::HELPERS),
            ends(&way::TOKEN),
            ends(&image::AUTH),
            ends(&image::MANIFEST),
            ends(&image::PLATFORM),
            ends(&way::LAYERS),
            step(&image::ROOM),
        ],
        prose: include_str!("../../assets/runbooks/image-pull.md"),
        audit: false,
    },
    Runbook {
        id: "runtime-unresponsive",
        title: "Container runtime unresponsive",
        symptom: "pods are stuck in ContainerCreating or Terminating, crictl hangs",
        steps: &[
            ends(&runtime::PROCESS),
            step(&runtime::UNIT),
            ends(&down::SERVICE),
            ends(&kubelet::USES),
            ends(&runtime::CALLS),
            ends(&runtime::DISK),
            ends(&blocked::BLOCKED),
            ends(&runtime::LOAD),
            step(&runtime::SYSCALLS),
            step(&runtime::STACKS),
            step(&runtime::JOURNAL),
            step(&runtime::KERNEL),
            step(&runtime::RESTART),
        ],
        prose: include_str!("../../assets/runbooks/runtime-unresponsive.md"),
        audit: false,
    },
    Runbook {
        id: "cgroup-driver",
        title: "cgroup driver mismatch",
        symptom: "containers fail to start with cgroup errors, pods stay in ContainerCreating",
        steps: &[
            step(&cgroup::KUBELET),
            step(&cgroup::HANDLERS),
            step(&cgroup::AGREEMENT),
            step(&cgroup::PATHS),
            step(&cgroup::VERSION),
            step(&cgroup::ERRORS),
        ],
        prose: include_str!("../../assets/runbooks/cgroup-driver.md"),
        audit: false,
    },
    Runbook {
        id: "disk-full",
        title: "Disk full",
        symptom: "DiskPressure, new pods cannot start, image collection frees nothing",
        steps: &[
            step(&disk::BYTES),
            step(&disk::INODES),
            step(&disk::READ_ONLY),
            step(&leftovers::QUOTA),
            step(&disk::IMAGES),
            step(&disk::LAYERS),
            step(&disk::EXITED),
            step(&disk::LOGS),
            step(&disk::DELETED),
            step(&disk::ORPHANS),
            step(&disk::COLLECTION),
            step(&leftovers::EVICTION),
            step(&leftovers::ROTATION),
        ],
        prose: include_str!("../../assets/runbooks/disk-full.md"),
        audit: false,
    },
    Runbook {
        id: "runtime-class",
        title: "RuntimeClass not working",
        symptom: "a pod does not start under its RuntimeClass, or runs under another runtime",
        steps: &[
            step(&cluster::EVENTS),
            ends(&class::OBJECT),
            ends(&class::HANDLER),
            ends(&class::SHIM),
            step(&class::POD),
            step(&class::EVENTS),
            step(&class::SELECTOR),
            step(&class::VIRTUALIZATION),
            step(&class::OVERHEAD),
        ],
        prose: include_str!("../../assets/runbooks/runtime-class.md"),
        audit: false,
    },
    Runbook {
        id: "kubelet-down",
        title: "The kubelet does not run",
        symptom: "the node is NotReady, nothing new is started, and the containers go on",
        steps: &[
            ends(&kubelet::SERVICE),
            ends(&kubelet::CONFIG),
            ends(&kubelet::ENDPOINT),
            ends(&kubelet::SWAP),
            ends(&kubelet::CHECKPOINTS),
            ends(&incidents::CERTIFICATE),
            ends(&kubelet::WORDS),
        ],
        prose: include_str!("../../assets/runbooks/kubelet-down.md"),
        audit: false,
    },
    Runbook {
        id: "incidents",
        title: "Known incident patterns",
        symptom: "pods fail in ways that none of the other runbooks explains",
        steps: &[
            step(&incidents::PAUSE),
            step(&network::NETWORK),
            step(&network::ADDRESSES),
            step(&incidents::LIMITS),
            step(&incidents::NAMES),
            step(&incidents::CONFIG),
            step(&incidents::SHIMS),
            step(&incidents::TERMINATING),
            step(&incidents::MEMORY),
            step(&incidents::CERTIFICATE),
            step(&incidents::PLEG),
            step(&host::UPGRADE),
            step(&host::FORWARDING),
            step(&host::RESOLVER),
            step(&host::CLOCK),
            step(&host::ZOMBIES),
            step(&host::GROUPS),
            step(&container::FILES),
            step(&container::GPU),
            step(&firewall::FIREWALL),
            step(&leftovers::CONTENT),
            step(&leftovers::PODS),
            step(&leftovers::SCOPES),
        ],
        prose: include_str!("../../assets/runbooks/incidents.md"),
        audit: false,
    },
    Runbook {
        id: "best-practices",
        title: "Best practices",
        symptom: "an audit of the node, while nothing fails",
        steps: &[
            step(&practices::RUNTIME),
            step(&practices::DIGESTS),
            step(&practices::MIRROR),
            step(&practices::DISCARD),
            step(&practices::OVERHEAD),
            step(&practices::METRICS),
            step(&practices::PREPULL),
            step(&practices::POLICY),
            step(&practices::VERSIONS),
            step(&holes::HOLES_OF_RUNTIMES),
        ],
        prose: include_str!("../../assets/runbooks/best-practices.md"),
        audit: true,
    },
];

/// A runbook by its id.
pub fn named(id: &str) -> Option<&'static Runbook> {
    RUNBOOKS.iter().find(|b| b.id == id)
}
