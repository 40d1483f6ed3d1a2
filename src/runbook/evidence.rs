//! Everything the checks judge, with its errors inside. Serializable: what was seen on one node can be judged on another.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{ClusterFacts, ImageFacts, Missing, Params};
use crate::{
    client::{
        health::{Call, RuntimeStatus},
        types::Inventory,
    },
    node::{
        Seen,
        cgroup::CgroupFacts,
        cni::CniFacts,
        disk::DiskFacts,
        firewall::FirewallFacts,
        gpu::GpuFacts,
        host::HostFacts,
        journal::{JournalFacts, Line},
        kernel::KernelFacts,
        kubelet::KubeletFacts,
        limits::LimitFacts,
        mounts::MountFacts,
        net::Certificate,
        pressure::PressureFacts,
        process::ProcessFacts,
        programs::ProgramFacts,
        target::Target,
        unit::UnitFacts,
    },
};

/// The runtime's own files, as text, in the order in which they count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfFacts {
    /// Empty if it runs on its defaults.
    pub files: Vec<ConfFile>,
    /// Registries that have a directory with a hosts.toml in the usual places.
    pub certs: Vec<String>,
    /// Files of conf.d beside the main one that nothing imports.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// containers-registries.conf(5) and its drop-ins, of CRI-O alone.
    #[serde(default)]
    pub registries: Vec<ConfFile>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfFile {
    pub path: String,
    pub text: String,
}

/// Stacks that the runtime has dumped since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackFacts {
    pub path: Option<String>,
    /// Goroutines by what they wait for and since when, with the topmost functions; the largest group first.
    pub groups: Vec<StackGroup>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackGroup {
    pub count: usize,
    /// "select", "syscall", "semacquire".
    pub state: String,
    /// Minutes the longest of them waits.
    pub minutes: u64,
    pub top: Vec<String>,
}

macro_rules! facts {
    ($($variant:ident $field:ident: $type:ty, $name:literal;)*) => {
        /// Closed on purpose: a new fact does not compile until it has a name and a collector.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Fact { $($variant,)* }

        impl Fact {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// For sentences.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub struct Evidence {
            pub params: Params,
            /// When it was collected.
            pub at: Option<SystemTime>,
            $(
                #[serde(default)]
                pub $field: Seen<$type>,
            )*
        }

        impl Evidence {
            $(
                /// # Errors
                /// Why it is not there.
                pub fn $field(&self) -> Result<&$type, Missing> {
                    need(&self.$field, Fact::$variant)
                }
            )*

            /// A fact as another evidence has it.
            pub fn take(&mut self, fact: Fact, other: &Self) {
                match fact { $(Fact::$variant => self.$field.clone_from(&other.$field),)* }
            }

            /// Why a fact is not there; none if it is.
            pub fn lacks(&self, fact: Fact) -> Option<String> {
                match fact { $(Fact::$variant => need(&self.$field, fact).err().map(|m| m.because),)* }
            }
        }
    };
}

facts! {
    Kernel kernel: KernelFacts, "the kernel's facts";
    Host host: HostFacts, "the host's settings";
    Cgroup cgroup: CgroupFacts, "the control groups";
    Disk disk: DiskFacts, "the filesystems";
    Mounts mounts: MountFacts, "the mounts";
    Pressure pressure: PressureFacts, "the pressure figures";
    Processes processes: ProcessFacts, "the processes";
    Kubelet kubelet: KubeletFacts, "the kubelet's settings";
    Cni cni: CniFacts, "the pod network's files";
    Units units: UnitFacts, "systemd's units";
    Journal journal: JournalFacts, "the logs of runtime and kubelet";
    Kmsg kmsg: JournalFacts, "the kernel's messages";
    Limits limits: LimitFacts, "the kernel's limits";
    Firewall firewall: FirewallFacts, "the packet filter";
    Target target: Target, "the runtime's process";
    Conf conf: ConfFacts, "the runtime's configuration files";
    Status status: RuntimeStatus, "the runtime's status";
    Calls calls: Vec<Call>, "the runtime's answers";
    Inventory inventory: Inventory, "the runtime's pods, containers and images";
    Stacks stacks: StackFacts, "the runtime's stacks";
    Image image: ImageFacts, "the image's registry";
    Cluster cluster: ClusterFacts, "the API server";
    Certificate certificate: Certificate, "the kubelet's certificate";
    Programs programs: ProgramFacts, "the runtime's programs";
    Gpu gpu: GpuFacts, "the GPUs";
}

fn need<T>(seen: &Seen<T>, fact: Fact) -> Result<&T, Missing> {
    match seen {
        Seen::At { value, .. } => Ok(value),
        Seen::Failed { error, .. } => Err(Missing { fact, because: error.clone() }),
        Seen::NotAsked => Err(Missing { fact, because: "it was not collected".to_owned() }),
    }
}

impl Evidence {
    /// Whether a line was written in the seconds before. One without a time may have been; one that came while the evidence was
    /// collected was.
    pub fn is_recent(&self, line: &Line, seconds: u64) -> bool {
        let old =
            |(then, now): (SystemTime, SystemTime)| now.duration_since(then).is_ok_and(|age| age.as_secs() >= seconds);
        !line.at.zip(self.at).is_some_and(old)
    }

    /// The logs, where a kubelet's words are looked for in them; none without a kubelet.
    ///
    /// # Errors
    /// If neither the journal could be read nor a file of the kubelet's: the runtime's own has none of its words.
    pub fn kubelets_log(&self) -> Result<Option<&JournalFacts>, Missing> {
        let (journal, kubelet) = (self.journal()?, self.kubelet()?);
        let own = kubelet.log.as_ref().is_some_and(|file| journal.lines.iter().any(|l| l.from == *file));
        match (&journal.unread, kubelet.present()) {
            (_, false) => Ok(None),
            (Some(_), true) if own => Ok(Some(journal)),
            (Some(because), true) => Err(Missing { fact: Fact::Journal, because: because.clone() }),
            (None, true) => Ok(Some(journal)),
        }
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Seconds since 1970.
    pub fn now(&self) -> u64 {
        let at = self.at.and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok());
        at.map_or(0, |d| d.as_secs())
    }

    /// `crictl -r unix:///…`, for commands that are shown.
    pub fn crictl(&self) -> String {
        match self.target.value().map(|t| t.socket.as_str()) {
            None | Some("" | "/run/containerd/containerd.sock") => "crictl".to_owned(),
            Some(socket) => format!("crictl -r unix://{socket}"),
        }
    }

    /// The runtime's unit, for commands that are shown.
    pub fn unit(&self) -> String {
        let target = self.target.value();
        target.and_then(|t| t.unit.clone()).unwrap_or_else(|| {
            format!("{}.service", target.map(|t| t.name.as_str()).filter(|n| !n.is_empty()).unwrap_or("containerd"))
        })
    }

    pub fn is_crio(&self) -> bool {
        self.target.value().is_some_and(|t| t.name == "crio")
    }

    /// The key of the runtime's configuration that names the cgroup driver.
    pub fn driver_key(&self) -> &'static str {
        if self.is_crio() { "cgroup_manager" } else { "SystemdCgroup" }
    }

    pub fn config_path(&self) -> &str {
        self.target.value().map_or("/etc/containerd/config.toml", |t| t.config.as_str())
    }
}
