//! A CRI-O of the test's own, to attach to: roots, sockets, network and registry are private, and end with it.

use std::{fs, ops::Deref, path::PathBuf, process::Child};

use super::{
    attached::{self, PAUSE},
    cri::Cri,
    registry::Registry,
};

pub struct Crio {
    cri: Cri,
    /// Where crio and pinns are.
    programs: PathBuf,
    child: Option<Child>,
    pub registry: Option<Registry>,
}

impl Deref for Crio {
    type Target = Cri;
    fn deref(&self) -> &Cri {
        &self.cri
    }
}

impl Crio {
    /// Running, beside a registry that has [`IMAGE`](super::node::IMAGE) and a second image, `test/unused:1`.
    pub fn start(test: &str) -> Option<Self> {
        let programs = super::peers().join("crio");
        if !programs.join("crio").is_file() {
            super::skip(test, &format!("there is no CRI-O below {}", programs.display()));
            return None;
        }
        let conmon = super::program(test, "conmon")?;
        let runc = super::program(test, "runc")?;
        let (cri, registry) = attached::ground(test, "crio.sock")?;
        let mut crio = Self { cri, programs, child: None, registry: Some(registry) };
        crio.configure(&conmon, &runc);
        crio.serve();
        Some(crio)
    }

    fn configure(&self, conmon: &std::path::Path, runc: &std::path::Path) {
        let (dir, plugins) = (self.dir.display(), attached::network(&self.cri));
        let (pinns, conmon, runc) = (self.programs.join("pinns"), conmon.display(), runc.display());
        let config = format!(
            "[crio]\nroot = \"{dir}/lib\"\nrunroot = \"{dir}/run\"\nstorage_driver = \"overlay\"\nlog_dir = \"{dir}/logs\"\n\
             version_file = \"{dir}/version\"\nclean_shutdown_file = \"{dir}/clean.shutdown\"\n\
             [crio.api]\nlisten = \"{dir}/crio.sock\"\n\
             [crio.runtime]\ndefault_runtime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nhooks_dir = []\n\
             container_exits_dir = \"{dir}/exits\"\ncontainer_attach_socket_dir = \"{dir}\"\n\
             namespaces_dir = \"{dir}/ns\"\npinns_path = \"{pinns}\"\nctr_stop_timeout = 1\n\
             irqbalance_config_restore_file = \"disable\"\n\
             [crio.runtime.runtimes.runc]\nruntime_path = \"{runc}\"\nruntime_root = \"{dir}/runc\"\n\
             monitor_path = \"{conmon}\"\nmonitor_cgroup = \"pod\"\n\
             [crio.image]\npause_image = \"{PAUSE}\"\nsignature_policy = \"{dir}/policy.json\"\n\
             signature_policy_dir = \"{dir}/policies\"\ninsecure_registries = [\"127.0.0.1:5000\"]\n\
             [crio.network]\nnetwork_dir = \"{dir}/cni\"\nplugin_dirs = [\"{plugins}\"]\n\
             [crio.nri]\nenable_nri = false\n",
            pinns = pinns.display(),
        );
        fs::write(self.dir.join("crio.conf"), config).unwrap();
        fs::write(self.dir.join("policy.json"), r#"{"default":[{"type":"insecureAcceptAnything"}]}"#).unwrap();
        fs::write(self.dir.join("registries.conf"), "").unwrap();
        for empty in ["conf.d", "registries.d", "ns"] {
            fs::create_dir_all(self.dir.join(empty)).unwrap();
        }
    }

    /// Starts it (again) and waits until its network is ready.
    pub fn serve(&mut self) {
        let log = fs::File::options().append(true).create(true).open(self.dir.join("log")).unwrap();
        let mut command = super::in_netns(&self.netns, &self.programs.join("crio"));
        let at = |name: &str| self.dir.join(name);
        command.arg("-c").arg(at("crio.conf")).arg("-d").arg(at("conf.d"));
        command.arg("--registries-conf").arg(at("registries.conf"));
        command.arg("--registries-conf-dir").arg(at("registries.d")).args(["-l", "warn"]);
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        attached::ready(&self.cri, || self.log());
    }

    /// SIGKILL, as if it had crashed.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Of every layer, as its storage lists them.
    pub fn layers(&self) -> Vec<String> {
        let list = |name: &str| {
            let text = fs::read_to_string(self.dir.join("lib/overlay-layers").join(name)).unwrap_or_default();
            let layers: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap_or_default();
            layers.into_iter().map(|l| l["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        [list("layers.json"), list("volatile-layers.json")].concat()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Ends it and whatever it runs.
    pub fn end(self) {
        self.empty();
    }
}

impl Drop for Crio {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.registry = None;
        attached::clear(&self.cri);
    }
}
