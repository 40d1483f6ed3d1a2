//! wharf beside containerd with runc and with crun: one run, one machine, one client, in turn; medians and ratios.
//!
//! ```text
//! tests/bench/peers.sh         # once: builds containerd 2.3.4 and runc 1.4.3 into $WHARF_PEERS (needs Go)
//! cargo bench --bench cri      # everything, about 15 minutes; as root
//! cargo bench --bench cri -- life pull --rounds 10 --disk tmpfs
//! ```
//!
//! Absolute times are this machine's and this hour's: read the ratios. Needs root, busybox (static), docker-registry, CNI
//! plugins, cc, mkfs.ext4. Peers are looked for in `$WHARF_PEERS` (`~/.cache/wharf-peers`), then in `$PATH`; one that is
//! missing is said. All runtimes run in one network namespace with one registry on its loopback, each in a mount
//! namespace and a cgroup of its own, from which its CPU time and its processes are read. Nothing is left behind.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod app;
#[allow(dead_code, reason = "what the tests use besides")]
#[path = "../../src/cli/tests/fake.rs"]
mod fake;
mod floor;
mod image;
mod images;
mod machine;
mod peers;
mod pods;
mod pull;
#[allow(dead_code, reason = "what the tests use besides")]
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Parser, ValueEnum};

use machine::{Disk, Machine};
// As the shared server of the verbs' tests calls it.
use wharf::proto;

use peers::{Containerd, Kind, Peer};

#[derive(Debug, Parser)]
struct Options {
    /// All of them by default
    parts: Vec<Part>,
    /// Cycles of a pod's life
    #[arg(long, default_value_t = 30)]
    rounds: u32,
    /// Cold pulls of each compression
    #[arg(long, default_value_t = 5)]
    pulls: usize,
    /// Pods for memory and lists
    #[arg(long, default_value_t = 50)]
    pods: usize,
    /// Images of ten layers, of the part `images`
    #[arg(long, default_value_t = 10_000)]
    images: usize,
    /// Seconds without a key, and rounds of keys, of the part `app`
    #[arg(long, default_value_t = 60)]
    idle: u64,
    #[arg(long, default_value_t = 10)]
    keys: usize,
    #[arg(long, value_enum, default_value_t = Disk::Ext4)]
    disk: Disk,
    /// Another build of wharf than cargo's
    #[arg(long, default_value = support::WHARF)]
    wharf: PathBuf,
    /// cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The kernel alone
    Floor,
    /// Every call of a pod's life: pod network and host network
    Life,
    /// 20 pods at once
    Once,
    /// Memory and lists with many pods
    Many,
    /// Cold pulls of a 300 MB image
    Pull,
    /// Lists, a prune's plan and collections with very many images
    Images,
    /// First frame, keys, idleness and memory of the terminal app on a full node
    App,
}

fn main() {
    let options = Options::parse();
    assert!(rustix::process::geteuid().is_root(), "run it as root: it makes namespaces, mounts and pods");
    let wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    // While there is one thread.
    if wanted(Part::Floor) {
        floor::print(200);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if wanted(Part::App) {
        runtime.block_on(app::print(&options.wharf, Duration::from_secs(options.idle), options.keys));
    }
    if options.parts == [Part::App] {
        return;
    }
    runtime.block_on(async {
        let machine = Machine::new(options.disk);
        let containerd = find("containerd-2.3.4/containerd").or_else(|| find("containerd"));
        let runc = find("runc-1.4.3").or_else(|| find("runc"));
        introduce(&options.wharf, containerd.as_deref(), runc.as_deref(), find("crun").as_deref());
        let peer = |runtime: Option<PathBuf>| {
            let (program, runtime) = (containerd.clone()?, runtime?);
            Some(Containerd { program, runtime, unpacks: None })
        };
        let (runc, crun) = (peer(runc), peer(find("crun")));
        if [Part::Life, Part::Once, Part::Many].into_iter().any(wanted) {
            image::push_busybox(&machine);
            let disk = machine.fresh("disk");
            let mut kinds = [false, true].map(|cni| Kind::Wharf { program: options.wharf.clone(), cni }).to_vec();
            kinds.extend([runc.clone(), crun].into_iter().flatten().map(Kind::Containerd));
            let mut peers = Vec::new();
            for kind in &kinds {
                let mut peer = Peer::start(&machine, kind, &disk.at).await;
                peer.pull(image::BUSYBOX).await;
                peers.push(peer);
            }
            if wanted(Part::Life) {
                pods::life("pod network", &peers, false, options.rounds).await;
                pods::life("host network", &peers, true, options.rounds).await;
            }
            if wanted(Part::Once) {
                pods::at_once(&peers, 20, 5).await;
            }
            if wanted(Part::Many) {
                pods::many(&peers, options.pods).await;
            }
        }
        if wanted(Part::Images) {
            images::print(&machine.dir.join("images"), options.images, 200).await;
        }
        if wanted(Part::Pull) {
            pull::cold(&machine, &options.wharf, runc.as_ref(), options.pulls).await;
        }
    });
    peers::clean_up();
}

/// Below $WHARF_PEERS, or in $PATH.
fn find(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").unwrap_or_default();
    let peers = std::env::var_os("WHARF_PEERS").map_or_else(|| Path::new(&home).join(".cache/wharf-peers"), Into::into);
    let path = std::env::var("PATH").unwrap_or_default();
    let places = std::iter::once(peers).chain(path.split(':').map(PathBuf::from));
    places.map(|p| p.join(name)).find(|p| p.is_file())
}

fn introduce(wharf: &Path, containerd: Option<&Path>, runc: Option<&Path>, crun: Option<&Path>) {
    let uname = rustix::system::uname();
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\nLinux {}, {cpus} CPUs, load {}", uname.release().to_string_lossy(), load.trim());
    println!("wharf: {}", machine::says(wharf, "--version"));
    for (name, found) in [("containerd", containerd), ("runc", runc), ("crun", crun)] {
        match found {
            Some(program) => println!("{name}: {}", machine::says(program, "--version")),
            None => println!("{name}: MISSING, so there is no column of it"),
        }
    }
    for helper in ["igzip", "unpigz"] {
        if find(helper).is_some() {
            println!("containerd decompresses by {helper}");
        }
    }
}
