//! The place a run happens in: a network namespace, a tmpfs, a fresh disk, a registry; and what the kernel says of processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::mount::{MountFlags, UnmountFlags};
use wharf::engine::network::netns;

use crate::support::registry::Registry;

/// Where the runtimes keep images and snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Disk {
    /// A fresh ext4 on a loop device: fsync is real, and no other run has aged it.
    Ext4,
    Tmpfs,
}

pub struct Machine {
    /// A tmpfs of our own.
    pub dir: PathBuf,
    pub netns: PathBuf,
    pub disk: Disk,
    pub registry: Registry,
}

impl Machine {
    pub fn new(disk: Disk) -> Self {
        let dir = tempfile::Builder::new().prefix("wharf-bench-").tempdir().unwrap().keep();
        rustix::mount::mount("tmpfs", &dir, "tmpfs", MountFlags::empty(), None).unwrap();
        let netns = dir.join("netns");
        netns::create(&netns).unwrap();
        let registry = Registry::start("bench", &netns, &dir.join("registry"), None);
        let registry = registry.expect("a docker-registry in $PATH (Debian: docker-registry)");
        Self { dir, netns, disk, registry }
    }

    /// An empty directory on a filesystem nobody has used before.
    pub fn fresh(&self, name: &str) -> Fresh {
        let at = self.dir.join(name);
        fs::create_dir(&at).unwrap();
        // Beside the tmpfs, not in it: on the disk that this machine has.
        let image = (self.disk == Disk::Ext4).then(|| self.dir.with_extension(format!("{name}.ext4")));
        match &image {
            Some(image) => {
                fs::File::create(image).and_then(|f| f.set_len(12 << 30)).unwrap();
                // Tables written now are not written in the background while we measure.
                run(Command::new("mkfs.ext4").args(["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"]).arg(image));
                run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(&at));
            }
            None => rustix::mount::mount("tmpfs", &at, "tmpfs", MountFlags::empty(), None).unwrap(),
        }
        Fresh { at, image }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.registry.kill();
        netns::delete(&self.netns).unwrap();
        rustix::mount::unmount(&self.dir, UnmountFlags::DETACH).unwrap();
        fs::remove_dir(&self.dir).unwrap();
    }
}

pub struct Fresh {
    pub at: PathBuf,
    image: Option<PathBuf>,
}

impl Drop for Fresh {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.at, UnmountFlags::DETACH).unwrap();
        fs::remove_dir(&self.at).unwrap();
        self.image.as_deref().map_or(Ok(()), fs::remove_file).unwrap();
    }
}

pub fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// First line of what a program prints.
pub fn says(program: &Path, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}

/// Proportional set size of a process, KiB; 0 when it has gone.
pub fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Processes of that name whose cgroup is below `parent`.
pub fn named(name: &str, parent: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    let read = |pid: u32, file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    pids.filter(|&pid| read(pid, "comm").trim() == name && read(pid, "cgroup").contains(parent)).collect()
}

/// Says how busy the machine was between `new` and `idle`: a shared one lies with its times.
pub struct Load {
    before: (u64, u64),
}

impl Load {
    pub fn new() -> Self {
        Self { before: ticks() }
    }

    /// Percent of all CPUs' time.
    pub fn idle(&self) -> u64 {
        let now = ticks();
        100 * (now.0 - self.before.0) / (now.1 - self.before.1).max(1)
    }
}

/// Idle and all, of `/proc/stat`.
fn ticks() -> (u64, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap();
    let line = text.lines().next().unwrap();
    let values: Vec<u64> = line.split_whitespace().skip(1).filter_map(|v| v.parse().ok()).collect();
    (values[3] + values[4], values.iter().take(8).sum())
}

/// Waits at most a minute for a moment in which nobody else works.
pub fn quiet() {
    for _ in 0..20 {
        let load = Load::new();
        std::thread::sleep(Duration::from_secs(1));
        if load.idle() >= 90 {
            return;
        }
    }
    println!("(the machine was not quiet within a minute: read ratios, not times)");
}
