//! A containerd of the test's own, to attach to: root, state, socket, network and registry are private, and end with it.

use std::{fs, ops::Deref, path::PathBuf, process::Child};

use super::{
    attached::{self, PAUSE},
    cri::Cri,
    registry::Registry,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 1.6, Debian 12's package.
    Debian,
    /// 2.3.4, built from its sources.
    New,
}

pub const VERSIONS: [Version; 2] = [Version::Debian, Version::New];

impl Version {
    pub fn name(self) -> &'static str {
        match self {
            Self::Debian => "1.6",
            Self::New => "2.3",
        }
    }
}

pub struct Containerd {
    cri: Cri,
    /// Where containerd, its shim and ctr are; `None` if they are in $PATH.
    programs: Option<PathBuf>,
    child: Option<Child>,
    pub registry: Option<Registry>,
}

impl Deref for Containerd {
    type Target = Cri;
    fn deref(&self) -> &Cri {
        &self.cri
    }
}

impl Containerd {
    /// Running, beside a registry that has [`IMAGE`] and a second image, `test/unused:1`.
    pub fn start(test: &str, version: Version) -> Option<Self> {
        Self::start_with(test, version, "")
    }

    /// The same with more tables in its configuration.
    pub fn start_with(test: &str, version: Version, more: &str) -> Option<Self> {
        let programs = match version {
            Version::Debian => super::program(test, "containerd").map(|_| None),
            Version::New => super::containerd_2(test).map(Some),
        }?;
        let (cri, registry) = attached::ground(test, "c.sock")?;
        let mut containerd = Self { cri, programs, child: None, registry: Some(registry) };
        containerd.configure(version, more);
        containerd.serve();
        Some(containerd)
    }

    fn configure(&self, version: Version, more: &str) {
        let dir = self.dir.display();
        let plugins = attached::network(&self.cri);
        let common = format!(
            "root = \"{dir}/lib\"\nstate = \"{dir}/run\"\n[grpc]\naddress = \"{dir}/c.sock\"\n[ttrpc]\n\
             address = \"{dir}/t.sock\"\n[plugins.\"io.containerd.internal.v1.opt\"]\npath = \"{dir}/opt\"\n"
        );
        // No CAP_SYS_RESOURCE is needed then.
        let own = match version {
            Version::Debian => format!(
                "version = 2\n{common}[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"{PAUSE}\"\n\
                 restrict_oom_score_adj = true\nnetns_mounts_under_state_dir = true\n\
                 [plugins.\"io.containerd.grpc.v1.cri\".cni]\nbin_dir = \"{plugins}\"\nconf_dir = \"{dir}/cni\"\n"
            ),
            Version::New => {
                let host = self.dir.join("hosts/127.0.0.1:5000");
                fs::create_dir_all(&host).unwrap();
                fs::write(host.join("hosts.toml"), "server = \"http://127.0.0.1:5000\"\n").unwrap();
                format!(
                    "version = 3\ndisabled_plugins = [\"io.containerd.nri.v1.nri\"]\n{common}\
                     [plugins.\"io.containerd.cri.v1.images\".pinned_images]\nsandbox = \"{PAUSE}\"\n\
                     [plugins.\"io.containerd.cri.v1.images\".registry]\nconfig_path = \"{dir}/hosts\"\n\
                     [plugins.\"io.containerd.cri.v1.runtime\"]\nrestrict_oom_score_adj = true\n\
                     netns_mounts_under_state_dir = true\n[plugins.\"io.containerd.cri.v1.runtime\".cni]\n\
                     bin_dirs = [\"{plugins}\"]\nconf_dir = \"{dir}/cni\"\n"
                )
            }
        };
        fs::write(self.dir.join("config.toml"), own + more).unwrap();
    }

    /// Starts it (again) and waits until its network is ready.
    pub fn serve(&mut self) {
        let log = fs::File::options().append(true).create(true).open(self.dir.join("log")).unwrap();
        let program = self.programs.as_ref().map_or_else(|| PathBuf::from("containerd"), |p| p.join("containerd"));
        let mut command = super::in_netns(&self.netns, &program);
        let beside = self.programs.as_ref().map(|p| format!("{}:", p.display())).unwrap_or_default();
        command.env("PATH", format!("{beside}{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
        command.arg("-c").arg(self.dir.join("config.toml")).args(["-l", "warn"]);
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        attached::ready(&self.cri, || self.log());
    }

    /// SIGKILL, as if it had crashed.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGSTOP: it is there, takes connections and says nothing. SIGCONT ends that.
    pub fn hang(&self, hangs: bool) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = Pid::from_raw(self.child.as_ref().unwrap().id().cast_signed()).unwrap();
        kill_process(pid, if hangs { Signal::STOP } else { Signal::CONT }).unwrap();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// containerd's own tool, in one of its namespaces.
    pub fn ctr(&self, namespace: &str, arguments: &[&str]) -> String {
        let program = self.programs.as_ref().map_or_else(|| PathBuf::from("ctr"), |p| p.join("ctr"));
        let mut command = super::in_netns(&self.netns, &program);
        command.arg("-a").arg(self.dir.join("c.sock")).args(["-n", namespace]).args(arguments);
        super::cri::succeeded(&format!("ctr {arguments:?}"), &command.output().unwrap())
    }

    /// Ends it and whatever it runs.
    pub fn end(self) {
        self.empty();
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.registry = None;
        attached::clear(&self.cri);
    }
}
