//! A machine of its own for one test: a network namespace, a root directory on tmpfs, `wharf serve`, crictl.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
    time::{Duration, Instant},
};

use wharf::{
    client::Cri,
    engine::{cgroup::Cgroup, network::netns},
};

use super::registry::{self, Registry};

/// The image that [`Node::with_registry`] pushes.
pub const IMAGE: &str = "127.0.0.1:5000/test/busybox:1";

pub struct Node {
    pub dir: PathBuf,
    pub netns: PathBuf,
    engine: Option<Child>,
    crictl: PathBuf,
    pub registry: Option<Registry>,
    /// What `wharf serve` gets besides its places.
    pub flags: Vec<String>,
    /// The parent of its pods' cgroups.
    pub cgroup: String,
    /// Hosts that are this machine, and the authority that vouches for them.
    hosts: Option<(PathBuf, PathBuf)>,
    /// Of the engine, if not the tests' own.
    pub umask: Option<&'static str>,
}

impl Node {
    /// Running, without a registry.
    pub fn start(test: &str) -> Option<Self> {
        Self::start_with(test, |_| Vec::new())
    }

    /// The same with more flags, which may name files that `prepare` puts into the node's directory.
    pub fn start_with(test: &str, prepare: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let mut node = Self::stopped(test)?;
        node.flags = prepare(&node.dir);
        node.serve();
        Some(node)
    }

    /// Without an engine yet, so that something can be put where its root will be.
    pub fn stopped(test: &str) -> Option<Self> {
        if !super::root(test) {
            return None;
        }
        let crictl = super::program(test, "crictl")?;
        let dir = tempfile::Builder::new().prefix(&format!("wharf-{test}-")).tempdir().unwrap().keep();
        // The root filesystem of a test machine may be an overlay, which cannot carry another one.
        rustix::mount::mount("tmpfs", &dir, "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
        let netns = dir.join("netns");
        netns::create(&netns).unwrap();
        fs::write(dir.join("crictl.yaml"), "timeout: 30\n").unwrap();
        let cgroup = format!("/wharf-it-{test}-{}", std::process::id());
        Some(Self {
            dir,
            netns,
            engine: None,
            crictl,
            registry: None,
            flags: Vec::new(),
            cgroup,
            hosts: None,
            umask: None,
        })
    }

    /// Beside a registry that answers for `hosts` as well, as far as the engine can see.
    pub fn with_mirror(test: &str, hosts: &[&str]) -> Option<Self> {
        let mut node = Self::start(test)?;
        let dir = node.dir.join("registry");
        let mut registry = Registry::start(test, &node.netns, &dir, None)?;
        let authority = registry.mirror(test, &dir, hosts)?;
        let file = node.dir.join("hosts");
        fs::write(&file, format!("127.0.0.1 localhost {}\n", hosts.join(" "))).unwrap();
        (node.hosts, node.registry) = (Some((file, authority)), Some(registry));
        node.kill_engine();
        node.serve();
        Some(node)
    }

    /// A program beside the engine: in its namespaces.
    pub fn beside(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let pid = self.engine.as_ref().unwrap().id();
        command.args(["--target", &pid.to_string(), "--mount", "--net", "--"]).arg(program);
        command.env("TMPDIR", &self.dir);
        command
    }

    /// Running, beside a registry that has [`IMAGE`].
    pub fn with_registry(test: &str) -> Option<Self> {
        let mut node = Self::start(test)?;
        node.add_registry(test).then_some(node)
    }

    /// Starts a registry that has [`IMAGE`].
    pub fn add_registry(&mut self, test: &str) -> bool {
        let Some(registry) = Registry::start(test, &self.netns, &self.dir.join("registry"), None) else { return false };
        let root = self.dir.join("image");
        assert!(super::busybox_root(test, &root));
        registry.push("test/busybox", "1", &[registry::layer(&root)], None);
        self.registry = Some(registry);
        true
    }

    pub fn socket(&self) -> String {
        format!("unix://{}/wharf.sock", self.dir.display())
    }

    pub fn serve(&mut self) {
        self.serve_with(&[]);
    }

    pub fn serve_with(&mut self, options: &[&str]) {
        self.spawn(options, None);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.crictl(&["version"]).status.success() {
            assert!(Instant::now() < deadline, "the engine does not come up:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts an engine that dies at a crash point, and waits until it answers or is dead.
    pub fn serve_until(&mut self, point: &str) {
        self.spawn(&[], Some(point));
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.crictl(&["version"]).status.success() && self.engine.as_mut().unwrap().try_wait().unwrap().is_none()
        {
            assert!(Instant::now() < deadline, "the engine does not come up:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether the engine was killed, now or within the time given.
    pub fn killed(&mut self, within: Duration) -> bool {
        use std::os::unix::process::ExitStatusExt;
        let deadline = Instant::now() + within;
        let mut engine = self.engine.take().unwrap();
        loop {
            if let Some(status) = engine.try_wait().unwrap() {
                return status.signal() == Some(9);
            }
            if Instant::now() > deadline {
                self.engine = Some(engine);
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the engine after a while, from a thread.
    pub fn killer(&self, after: Duration) -> std::thread::JoinHandle<()> {
        let pid = rustix::process::Pid::from_raw(self.engine.as_ref().unwrap().id().cast_signed()).unwrap();
        std::thread::spawn(move || {
            std::thread::sleep(after);
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        })
    }

    /// What `wharf check` finds, as JSON; no engine may run.
    pub fn check(&self, arguments: &[&str]) -> serde_json::Value {
        let mut command = super::in_netns(&self.netns, Path::new(super::WHARF));
        command.arg("--root").arg(self.dir.join("lib")).arg("--state").arg(self.dir.join("run"));
        let output = command.arg("check").args(["-o", "json"]).args(arguments).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("check: {e}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// SIGTERM, and it must end well.
    pub fn stop(&mut self) {
        let mut engine = self.engine.take().unwrap();
        let pid = rustix::process::Pid::from_raw(engine.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = engine.wait().unwrap();
        assert!(status.success(), "the engine ended with {status}:\n{}", self.log());
    }

    fn spawn(&mut self, options: &[&str], crash: Option<&str>) {
        let log = fs::File::options().append(true).create(true).open(self.dir.join("log")).unwrap();
        let mut command = match &self.hosts {
            None if self.umask.is_some() => {
                let mut command = super::in_netns(&self.netns, Path::new("sh"));
                command.args(["-c", "umask $0 && exec \"$@\""]).args(self.umask).arg(super::WHARF);
                command
            }
            None => super::in_netns(&self.netns, Path::new(super::WHARF)),
            Some((hosts, authority)) => {
                let mut command = super::in_netns(&self.netns, Path::new("unshare"));
                command.args(["--mount", "--propagation", "slave", "sh", "-c"]);
                command.arg("mount --bind \"$0\" /etc/hosts && exec \"$@\"").arg(hosts).arg(super::WHARF);
                command.env("SSL_CERT_FILE", authority);
                command
            }
        };
        command.arg("serve").arg("--listen").arg(self.dir.join("wharf.sock"));
        command.args(&self.flags);
        command.arg("--root").arg(self.dir.join("lib")).arg("--state").arg(self.dir.join("run")).args(options);
        if let Some(point) = crash {
            command.env("WHARF_CRASH_AT", point);
        }
        self.engine = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// The engine's pid.
    pub fn engine(&self) -> u32 {
        self.engine.as_ref().unwrap().id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// SIGKILL, as if it had crashed.
    pub fn kill_engine(&mut self) {
        let mut engine = self.engine.take().unwrap();
        engine.kill().unwrap();
        engine.wait().unwrap();
    }

    /// wharf's own verbs on the engine's socket.
    pub fn wharf(&self, arguments: &[&str]) -> Command {
        let mut command = super::in_netns(&self.netns, Path::new(super::WHARF));
        command.args(["-r", &self.socket(), "-t", "60s"]).args(arguments);
        command
    }

    /// The app on the engine inside it, on this node's places: the daemon must have been stopped.
    pub fn embedded(&self) -> Command {
        let mut command = super::in_netns(&self.netns, Path::new(super::WHARF));
        command.arg("--embedded").arg("--root").arg(self.dir.join("lib")).arg("--state").arg(self.dir.join("run"));
        command
    }

    pub fn crictl(&self, arguments: &[&str]) -> Output {
        self.crictl_command(arguments).output().unwrap()
    }

    /// In the node's network, for what streams over loopback.
    pub fn crictl_command(&self, arguments: &[&str]) -> Command {
        let socket = self.socket();
        let mut command = super::in_netns(&self.netns, &self.crictl);
        command.args(["-r", &socket, "-i", &socket, "-t", "30s"]).args(arguments);
        // Settings of its own: it remarks on it when there are none.
        command.env("CRI_CONFIG_FILE", self.dir.join("crictl.yaml"));
        command
    }

    /// The program under test as a client of the node.
    pub fn wharf_command(&self, arguments: &[&str]) -> Command {
        let mut command = super::in_netns(&self.netns, Path::new(super::WHARF));
        command.args(["-r", &self.socket()]).args(arguments);
        command
    }

    /// Runs `work` with a CRI client, in the node's network.
    pub fn with_client<T: Send, F: Future<Output = T>>(&self, work: impl FnOnce(Cri) -> F + Send) -> T {
        let socket = self.socket();
        let inside = netns::inside(&self.netns, || {
            let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            Ok(here.block_on(async { work(Cri::attach(&socket, false).await.unwrap()).await }))
        });
        inside.unwrap()
    }

    /// A running container in a pod of its own, and the pod.
    pub fn running(&self, name: &str, script: &str, change: impl FnOnce(&mut serde_json::Value)) -> (String, String) {
        let pod_config = self.pod_config(name, |_| ());
        let pod = self.ok(&["runp", &pod_config]);
        let container = self.ok(&["create", &pod, &self.container_config(name, script, change), &pod_config]);
        self.ok(&["start", &container]);
        (container, pod)
    }

    /// What crictl printed; it must succeed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.crictl(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "crictl {arguments:?}: {text}{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            self.log()
        );
        text.trim_end().to_owned()
    }

    /// What crictl complained of; it must fail.
    pub fn fails(&self, arguments: &[&str]) -> String {
        let output = self.crictl(arguments);
        assert!(
            !output.status.success(),
            "crictl {arguments:?} succeeded: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// Waits until it holds.
    pub fn until(&self, what: &str, check: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !check() {
            assert!(Instant::now() < deadline, "it never came: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits for a container's end; its exit code.
    pub fn exit_code(&self, container: &str) -> i64 {
        let status = || self.json(&["inspect", container])["status"].take();
        self.until(&format!("the end of {container}"), || status()["state"] == "CONTAINER_EXITED");
        status()["exitCode"].as_i64().unwrap()
    }

    /// A pod's config file.
    pub fn pod_config(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut config = serde_json::json!({
            "metadata": { "name": name, "namespace": "default", "uid": format!("uid-{name}"), "attempt": 0 },
            "hostname": name,
            "log_directory": self.dir.join("logs").join(name),
            "labels": { "app": name },
            "linux": { "cgroup_parent": self.cgroup },
        });
        change(&mut config);
        self.write(&format!("pod-{name}.json"), &config)
    }

    /// The config file of a container that runs a shell script.
    pub fn container_config(&self, name: &str, script: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut config = serde_json::json!({
            "metadata": { "name": name, "attempt": 0 },
            "image": { "image": IMAGE },
            "command": ["/bin/sh", "-c", script],
            "log_path": format!("{name}.log"),
            "linux": { "resources": { "memory_limit_in_bytes": 128 << 20 } },
        });
        change(&mut config);
        self.write(&format!("container-{name}.json"), &config)
    }

    fn write(&self, name: &str, value: &serde_json::Value) -> String {
        let path = self.dir.join(name);
        fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Removes every pod and image, stops the engine, and looks whether anything is left.
    pub fn end(mut self) {
        for pod in self.ok(&["pods", "-q"]).lines() {
            self.ok(&["rmp", "-f", pod]);
        }
        self.ok(&["rmi", "--all"]);
        self.stop();
        drop(self.registry.take());
        let here = self.dir.to_string_lossy().into_owned();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let left: Vec<&str> = mounts.lines().filter(|l| l.contains(&here)).collect();
        assert_eq!(left.len(), 2, "mounts are left: {left:#?}");
        assert_eq!(processes(&here), Vec::<String>::new());
        let cgroup = Cgroup::new(&self.cgroup).unwrap();
        let children =
            |d: PathBuf| fs::read_dir(d).into_iter().flatten().flatten().filter(|e| e.path().is_dir()).count();
        let groups: usize = cgroup.layout().hierarchies.iter().map(|h| children(cgroup.directory(h))).sum();
        assert_eq!(groups, 0, "cgroups are left");
        cgroup.delete().unwrap();
        for (what, path) in [("pods", "run/pods"), ("namespaces", "run/netns"), ("blobs", "lib/content/blobs")] {
            let left = files(&self.dir.join(path));
            assert!(left.is_empty(), "{what} are left: {left:?}");
        }
        self.unmount();
    }

    fn unmount(&self) {
        netns::delete(&self.netns).unwrap();
        rustix::mount::unmount(&self.dir, rustix::mount::UnmountFlags::DETACH).unwrap();
        fs::remove_dir(&self.dir).unwrap();
    }
}

impl Drop for Node {
    /// After a failed test: whatever runs is ended, so that the next test finds a clean machine.
    fn drop(&mut self) {
        if !self.dir.exists() {
            return;
        }
        if let Some(engine) = &mut self.engine {
            let _ = engine.kill();
            let _ = engine.wait();
        }
        self.registry = None;
        if let Ok(cgroup) = Cgroup::new(&self.cgroup) {
            let _ = cgroup.kill().and_then(|()| cgroup.delete());
        }
        for line in processes(&self.dir.to_string_lossy()) {
            if let Some(pid) =
                line.split(' ').next().and_then(|p| p.parse().ok()).and_then(rustix::process::Pid::from_raw)
            {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        release(&self.dir);
    }
}

/// Unmounts everything at and below a test's directory and removes it.
pub fn release(directory: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mine =
        mounts.lines().filter_map(|l| l.split(' ').nth(1)).filter(|m| m.starts_with(&*directory.to_string_lossy()));
    for mount in mine.collect::<Vec<_>>().into_iter().rev() {
        let _ = rustix::mount::unmount(mount, rustix::mount::UnmountFlags::DETACH);
    }
    let _ = fs::remove_dir(directory);
}

/// Processes whose command line names the directory.
pub fn processes(directory: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if name.bytes().all(|b| b.is_ascii_digit()) && line.contains(directory) {
            found.push(format!("{name} {line}"));
        }
    }
    found
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
