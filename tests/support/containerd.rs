//! A private containerd of the distribution, beside a registry, in a network namespace and on a directory of its own; and
//! `wharf doctor` run against it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
    sync::RwLockReadGuard,
    time::{Duration, Instant},
};

use serde_json::Value;
use wharf::engine::network::netns;

use super::registry::{self, Registry};

/// An address of the namespace that is not the loopback's, so that it is spoken to as another machine is.
pub const OUTSIDE: &str = "10.9.9.9";
/// Another one.
pub const BESIDE: &str = "10.9.9.10";
/// The image the registry has.
pub const IMAGE: &str = "127.0.0.1:5000/test/busybox:1";

pub struct Containerd {
    pub dir: PathBuf,
    pub netns: PathBuf,
    pub registry: Option<Registry>,
    daemon: Option<Child>,
    program: PathBuf,
    crictl: PathBuf,
    /// Its PATH, if it is to be another.
    pub path: Option<String>,
    /// More of its environment.
    pub environment: Vec<(&'static str, String)>,
    /// Of whoever runs the doctor.
    pub shell: Vec<(&'static str, String)>,
    /// What stands for /etc/resolv.conf to the doctor.
    pub resolv: Option<String>,
    /// And for /etc/hosts, if there is one of the former.
    pub hosts: Option<String>,
    /// What stands for /etc/containerd to it.
    usual: Option<PathBuf>,
    _no_kubelet: RwLockReadGuard<'static, ()>,
}

impl Containerd {
    /// Running, with `options` in the table of its default handler. `None` if this machine lacks something, which is said.
    pub fn start(test: &str) -> Option<Self> {
        Self::on(test, "size=1g")
    }

    /// With its directories on a tmpfs with these mount options.
    pub fn on(test: &str, options: &str) -> Option<Self> {
        let program = super::program(test, "containerd")?;
        Self::of(test, program, options)
    }

    /// containerd 2 in place of the distribution's.
    pub fn newer(test: &str) -> Option<Self> {
        let program = super::peers().join("containerd-2.3.4/containerd");
        if !program.is_file() {
            super::skip(test, "there is no containerd 2 beside crictl");
            return None;
        }
        Self::of(test, program, "size=1g")
    }

    fn of(test: &str, program: PathBuf, options: &str) -> Option<Self> {
        if !super::root(test) {
            return None;
        }
        let _no_kubelet = super::without_kubelet();
        let crictl = super::program(test, "crictl")?;
        let dir = tempfile::Builder::new().prefix(&format!("wharf-doctor-{test}-")).tempdir().unwrap().keep();
        mount(&dir, "size=64m");
        fs::create_dir(dir.join("root")).unwrap();
        mount(&dir.join("root"), options);
        let netns = dir.join("netns");
        netns::create(&netns).unwrap();
        for arguments in [
            vec!["link", "set", "lo", "up"],
            vec!["addr", "add", OUTSIDE, "dev", "lo"],
            vec!["addr", "add", BESIDE, "dev", "lo"],
        ] {
            // The loopback may be up already.
            let _done = super::in_netns(&netns, Path::new("ip")).args(arguments).output().unwrap();
        }
        for directory in ["certs.d", "cni", "opt", "state"] {
            fs::create_dir_all(dir.join(directory)).unwrap();
        }
        let registry = Registry::start(test, &netns, &dir.join("registry"), None)?;
        let root = dir.join("image");
        assert!(super::busybox_root(test, &root));
        registry.push("test/busybox", "1", &[registry::layer(&root)], None);
        let mut node = Self {
            dir,
            netns,
            registry: Some(registry),
            daemon: None,
            program,
            crictl,
            path: None,
            environment: Vec::new(),
            shell: Vec::new(),
            resolv: None,
            hosts: None,
            usual: None,
            _no_kubelet,
        };
        fs::write(node.config(), node.settings("")).unwrap();
        node.up();
        Some(node)
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// The text of its config file, with more tables at the end.
    pub fn settings(&self, more: &str) -> String {
        let d = self.dir.display();
        format!(
            r#"version = 2
root = "{d}/root"
state = "{d}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.btrfs"]
[grpc]
  address = "{d}/c.sock"
[ttrpc]
  address = "{d}/c.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{d}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{IMAGE}" # the test's own
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{d}/certs.d"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{d}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
{more}"#
        )
    }

    pub fn socket(&self) -> String {
        format!("unix://{}/c.sock", self.dir.display())
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(self.daemon.as_ref().unwrap().id().cast_signed()).unwrap()
    }

    pub fn up(&mut self) {
        self.spawn();
        until("containerd", || self.crictl(&["version"]).status.success());
    }

    /// A containerd that cannot serve CRI.
    pub fn up_without_cri(&mut self) {
        self.spawn();
        until("containerd", || String::from_utf8_lossy(&self.crictl(&["version"]).stderr).contains("unknown service"));
    }

    fn spawn(&mut self) {
        let log = fs::File::options().append(true).create(true).open(self.dir.join("log")).unwrap();
        let mut command = super::in_netns(&self.netns, &self.program);
        command.arg("-c").arg(self.config());
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.daemon = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    pub fn down(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        // A stopped one must go on to end.
        let pid = rustix::process::Pid::from_raw(daemon.id().cast_signed()).unwrap();
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::CONT);
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(20);
        while daemon.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                daemon.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    pub fn restart(&mut self) {
        self.down();
        self.up();
    }

    pub fn crictl(&self, arguments: &[&str]) -> Output {
        let socket = self.socket();
        Command::new(&self.crictl).args(["-r", &socket, "-i", &socket, "-t", "30s"]).args(arguments).output().unwrap()
    }

    /// A hosts.toml where distributions keep it, to the doctor alone.
    pub fn usual_certs(&mut self, registry: &str, text: &str) {
        fs::create_dir_all("/etc/containerd").unwrap();
        self.write(&format!("usual/certs.d/{registry}/hosts.toml"), text);
        self.usual = Some(self.dir.join("usual"));
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// `wharf doctor`, its exit code and what it printed.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let usual = self.usual.as_ref().map(|d| d.to_string_lossy().into_owned());
        let bound = [("/etc/resolv.conf", &self.resolv), ("/etc/hosts", &self.hosts), ("/etc/containerd", &usual)];
        let mut command = super::in_netns(&self.netns, Path::new("unshare"));
        command.args(["--mount", "--propagation", "slave", "sh", "-c"]);
        let binds = bound.iter().filter_map(|(at, of)| Some(format!("mount --bind {} {at} && ", of.as_ref()?)));
        command.args([&format!("{}exec \"$0\" \"$@\"", binds.collect::<String>()), super::WHARF]);
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"] {
            command.env_remove(name);
        }
        command.envs(self.shell.iter().map(|(name, value)| (name, value)));
        let output = command.args(["-r", &self.socket(), "doctor"]).args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// The report of one runbook.
    pub fn report(&self, book: &str, set: &[&str]) -> Report {
        let mut arguments = vec![book, "-o", "json"];
        for pair in set {
            arguments.extend(["--set", pair]);
        }
        let began = Instant::now();
        let (code, text, errors) = self.run(&arguments);
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{errors}"));
        Report { code, value: value["runbooks"][0].clone(), took: began.elapsed() }
    }
}

pub struct Report {
    pub code: i32,
    pub value: Value,
    pub took: Duration,
}

impl Report {
    /// Of one check.
    pub fn step(&self, check: &str) -> &Value {
        let steps = self.value["steps"].as_array().unwrap();
        steps.iter().find(|s| s["check"] == check).unwrap_or_else(|| panic!("no {check}: {:#}", self.value))
    }

    pub fn verdict(&self, check: &str) -> &str {
        self.step(check)["finding"]["verdict"].as_str().unwrap()
    }

    /// This cause and no other is named, and the exit code says that something was found.
    pub fn names(&self, cause: &str, words: &[&str]) {
        let all: Vec<&str> =
            self.value["steps"].as_array().unwrap().iter().filter_map(|s| s["finding"]["cause"].as_str()).collect();
        assert_eq!(all, [cause], "{:#}", self.value);
        assert_eq!((self.value["cause"].as_str(), self.code), (Some(cause), 1));
        let text = self.value.to_string();
        for word in words {
            assert!(text.contains(word), "{word} is not in {:#}", self.value);
        }
    }

    pub fn no_cause(&self) {
        assert!(self.value["cause"].is_null() && self.code != 1, "{:#}", self.value);
    }
}

fn mount(path: &Path, options: &str) {
    let options = std::ffi::CString::new(options).unwrap();
    rustix::mount::mount("tmpfs", path, "tmpfs", rustix::mount::MountFlags::empty(), Some(options.as_c_str())).unwrap();
}

pub fn until(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !check() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        self.down();
        self.registry = None;
        let here = self.dir.to_string_lossy().into_owned();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mine = mounts.lines().filter_map(|l| l.split(' ').nth(1)).filter(|m| m.starts_with(&here));
        for mount in mine.collect::<Vec<_>>().into_iter().rev() {
            let _ = rustix::mount::unmount(mount, rustix::mount::UnmountFlags::DETACH);
        }
        let _ = fs::remove_dir(&self.dir);
    }
}
