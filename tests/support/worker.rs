//! A worker as most are: Debian with systemd, cgroup v2 and containerd, in an emulated machine (qemu, no KVM needed), reached
//! over ssh. One for all its tests, which take turns; its disk is a copy-on-write overlay that goes with it.

use std::{
    fs, io,
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use wharf::engine::network::netns;

use super::registry;

/// Emulated, and beside other tests: many times slower than a real machine.
const BOOT: Duration = Duration::from_secs(300);
/// Ends the machine when this process, which holds the pipe, has gone; and removes its directory, as what is static is not dropped.
const KEEPER: &str = r#"dir=$1; shift; "$@" & machine=$!; read -r _; kill $machine; wait $machine; rm -rf "$dir""#;
/// The image every pod on it is made of: it cannot pull.
pub const IMAGE: &str = "registry.example.com/busybox:1";

pub struct Worker {
    port: u16,
    key: PathBuf,
    _dir: tempfile::TempDir,
    _keeper: Child,
}

/// The worker, healthy, and nobody else's until this is dropped. `None` if this machine lacks something, which is said.
pub fn worker(test: &str) -> Option<MutexGuard<'static, Worker>> {
    static WORKER: OnceLock<Option<Mutex<Worker>>> = OnceLock::new();
    let worker = WORKER.get_or_init(|| Worker::boot(test, "").map(Mutex::new)).as_ref()?;
    Some(worker.lock().unwrap_or_else(|broken: PoisonError<_>| {
        let worker: MutexGuard<'static, Worker> = broken.into_inner();
        worker.heal();
        worker
    }))
}

/// One with cgroup v1's hierarchies, as systemd makes them when it is asked to (v2 is there for systemd itself alone).
pub fn older_worker(test: &str) -> Option<Worker> {
    Worker::boot(test, " systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0")
}

impl Worker {
    fn boot(test: &str, kernel: &str) -> Option<Self> {
        let made = super::peers().join("systemd-node");
        if !made.join("disk").is_file() {
            super::skip(test, &format!("tests/support/systemd-node.sh has not made {}", made.display()));
            return None;
        }
        let (qemu, image) = (super::program(test, "qemu-system-x86_64")?, super::program(test, "qemu-img")?);
        let dir = tempfile::Builder::new().prefix("wharf-worker-").tempdir().unwrap();
        let (disk, base) = (dir.path().join("disk"), made.join("disk"));
        let done = Command::new(image)
            .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"])
            .args([base.to_str().unwrap(), disk.to_str().unwrap(), "4G"])
            .status();
        assert!(done.unwrap().success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let key = dir.path().join("id");
        fs::copy(made.join("id"), &key).unwrap();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh", dir.path().to_str().unwrap()])
            .arg(qemu)
            .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536", "-display", "none"])
            .args(["-no-reboot", "-kernel", made.join("vmlinuz").to_str().unwrap()])
            .args(["-initrd", made.join("initrd").to_str().unwrap()])
            .args(["-append", &format!("root=/dev/vda rw console=ttyS0 panic=1 quiet{kernel}")])
            .args(["-serial", &format!("file:{}", dir.path().join("console").display())])
            .args(["-drive", &format!("file={},if=virtio,format=qcow2", disk.display())])
            .args(["-netdev", &format!("user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22")])
            .args(["-device", "virtio-net-pci,netdev=n0,romfile="])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let worker = Self { port, key, _keeper: keeper, _dir: dir };
        let deadline = Instant::now() + BOOT;
        while !worker.ssh("true").status.success() {
            let console = fs::read_to_string(worker._dir.path().join("console")).unwrap_or_default();
            assert!(Instant::now() < deadline, "the worker does not come up:\n{console}");
            thread::sleep(Duration::from_secs(1));
        }
        worker.furnish();
        Some(worker)
    }

    /// The program, an image, a network and a pod.
    fn furnish(&self) {
        let scratch = self._dir.path().join("furniture");
        let root = scratch.join("root");
        assert!(super::busybox_root("worker", &root));
        archive(&scratch, &registry::layer(&root));
        fs::remove_dir_all(root).unwrap();
        fs::write(scratch.join("10-pods.conflist"), NETWORK).unwrap();
        fs::write(scratch.join("container.json"), CONTAINER).unwrap();
        fs::copy(super::WHARF, scratch.join("wharf")).unwrap();
        self.put(&scratch, "/root/furniture");
        self.ok("install -D /root/furniture/10-pods.conflist /etc/cni/net.d/10-pods.conflist");
        self.ok("mv /root/furniture/wharf /usr/local/bin/wharf; ctr -n k8s.io images import /root/furniture/image.tar");
        self.pod("before", "");
        self.ok("cp /etc/containerd/config.toml /root/config.toml");
    }

    /// A running pod with one container.
    pub fn pod(&self, name: &str, parent: &str) {
        let pod = format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"default","uid":"{name}","attempt":0}},"log_directory":"/var/log/pods/default_{name}_{name}","linux":{{"cgroup_parent":"{parent}"}}}}"#
        );
        self.ok(&format!(
            "echo '{pod}' > /root/pod.json; wharf -t 60s run --detach --no-pull /root/furniture/container.json /root/pod.json"
        ));
    }

    fn ssh(&self, script: &str) -> Output {
        // Its own clock may stand still with it.
        let script = format!("timeout 120 bash -c '{}'", script.replace('\'', r"'\''"));
        self.secure("ssh", "-p").arg("root@127.0.0.1").arg(script).stdin(Stdio::null()).output().unwrap()
    }

    /// A program there, for a terminal here.
    pub fn terminal(&self, program: &str) -> Command {
        let mut command = self.secure("ssh", "-p");
        command.args(["-tt", "root@127.0.0.1", program]);
        command
    }

    fn secure(&self, program: &str, port: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-q").arg("-i").arg(&self.key).args([port, &self.port.to_string()]);
        for option in
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=10", "ServerAliveInterval=30"]
        {
            command.args(["-o", option]);
        }
        command
    }

    /// Copies a file or a directory there.
    pub fn put(&self, from: &Path, to: &str) {
        let done = self.secure("scp", "-P").arg("-r").arg(from).arg(format!("root@127.0.0.1:{to}")).status();
        assert!(done.unwrap().success(), "put {} at {to}", from.display());
    }

    /// Lets what runs there reach `address` of a network namespace here by `port` of its loopback, until this is dropped.
    pub fn reach(&self, port: u16, netns: &Path, address: &str) -> Reach {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let (netns, address) = (netns.to_owned(), address.to_owned());
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if let Ok(far) = netns::inside(&netns, || Ok(TcpStream::connect(&address))).unwrap() {
                    pipe(near.try_clone().unwrap(), far.try_clone().unwrap());
                    pipe(far, near);
                }
            }
        });
        let mut command = self.secure("ssh", "-p");
        command.args(["-N", "-o", "ExitOnForwardFailure=yes", "-R", &format!("127.0.0.1:{port}:{here}")]);
        let reach = Reach(command.arg("root@127.0.0.1").stdin(Stdio::null()).spawn().unwrap());
        self.ok(&format!(
            "for i in $(seq 60); do ss -Htln \"sport = :{port}\" | grep -q . && exit; sleep 1; done; exit 1"
        ));
        reach
    }

    /// What a script of root's printed there; it must succeed.
    pub fn ok(&self, script: &str) -> String {
        let output = self.ssh(script);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{script}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text.trim_end().to_owned()
    }

    /// What `wharf doctor` finds by these runbooks.
    pub fn doctor(&self, books: &str) -> Value {
        let output = self.ssh(&format!("wharf doctor {books} -o json"));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("doctor {books}: {e}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The cause a runbook names.
    pub fn cause(&self, book: &str) -> String {
        let report = self.doctor(book);
        report["runbooks"][0]["cause"].as_str().unwrap_or_else(|| panic!("no cause: {report:#}")).to_owned()
    }

    /// What `--fix --yes` said and did.
    pub fn fix(&self, book: &str) -> String {
        let output = self.ssh(&format!("wharf doctor {book} --fix --yes"));
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// A kubelet of its own, without an API server, which runs. False if this machine has no such program, which is said.
    pub fn kubelet(&self, test: &str) -> bool {
        let Some(program) = super::program(test, "kubelet") else { return false };
        self.put(&program, "/usr/local/bin/kubelet");
        let unit = self._dir.path().join("kubelet.service");
        fs::write(&unit, KUBELET).unwrap();
        self.put(&unit, "/usr/lib/systemd/system/kubelet.service");
        self.ok("systemctl daemon-reload");
        true
    }

    /// Starts the kubelet with this configuration besides what it needs here.
    pub fn kubelet_with(&self, more: &str) {
        self.ok(&format!(
            "mkdir -p /etc/kubernetes/manifests /var/lib/kubelet; printf '%s\\n' '{}' > /var/lib/kubelet/config.yaml; \
             systemctl reset-failed kubelet 2>/dev/null; systemctl restart kubelet",
            format!("{KUBELET_CONFIG}{more}").replace('\n', "' '")
        ));
    }

    /// As it was when it had been furnished.
    pub fn heal(&self) {
        self.ok(
            "systemctl stop kubelet squatter 2>/dev/null; systemctl unmask --runtime containerd kubelet 2>/dev/null; \
                 rm -f /etc/kubernetes/manifests/*; \
                 [ ! -S /run/wharf/wharf.sock ] || wharf -r unix:///run/wharf/wharf.sock rmp -fa; systemctl stop wharf 2>/dev/null; \
                 rm -rf /run/systemd/system/wharf.service /run/systemd/system/wharf.service.d /var/lib/wharf /run/wharf; \
                 rm -f /usr/lib/systemd/system/kubelet.service /var/lib/kubelet/config.yaml /var/lib/kubelet/*_state; \
                 swapoff -a; systemctl daemon-reload; cp /root/config.toml /etc/containerd/config.toml; \
                 systemctl reset-failed containerd 2>/dev/null; systemctl restart containerd",
        );
        // A kubelet ends every pod that it did not start, its containers first.
        if self.ok("wharf ps -q --name '^c$'").is_empty() {
            self.ok("wharf rmp -fa");
            self.pod("before", "");
        }
    }
}

/// A way from the worker to this machine.
pub struct Reach(Child);

impl Drop for Reach {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Carries one direction of a connection until it ends.
fn pipe(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ended = io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write));
    });
}

/// With the words that kubeadm's packages use, but for the API server it does not have.
const KUBELET: &str = "[Service]\nExecStart=/usr/local/bin/kubelet --config=/var/lib/kubelet/config.yaml\nRestart=always\nRestartSec=10\n";
const KUBELET_CONFIG: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nstaticPodPath: /etc/kubernetes/manifests\n\
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}\nauthorization: {mode: AlwaysAllow}\n\
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\ncgroupDriver: cgroupfs\n\
imageGCHighThresholdPercent: 100\nevictionHard: {memory.available: 1Mi}\nresolvConf: /run/systemd/resolve/resolv.conf\n";
const NETWORK: &str = r#"{"cniVersion":"0.4.0","name":"pods","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.88.0.0/16"}]]}}]}"#;
const CONTAINER: &str = r#"{"metadata":{"name":"c","attempt":0},"image":{"image":"registry.example.com/busybox:1"},"command":["sleep","100000"],"log_path":"c/0.log","linux":{}}"#;

/// `docker save`'s format: the pods' image, which is the sandbox's too.
fn archive(dir: &Path, layer: &registry::Layer) {
    fs::write(dir.join("layer.tar.gz"), &layer.bytes).unwrap();
    let config = serde_json::json!({ "architecture": "amd64", "os": "linux",
        "config": { "Cmd": ["sleep", "100000"], "Env": ["PATH=/bin"] },
        "rootfs": { "type": "layers", "diff_ids": [layer.diff_id] } });
    fs::write(dir.join("config.json"), config.to_string()).unwrap();
    let tags = [IMAGE, "registry.k8s.io/pause:3.6"];
    let manifest = serde_json::json!([{ "Config": "config.json", "RepoTags": tags, "Layers": ["layer.tar.gz"] }]);
    fs::write(dir.join("manifest.json"), manifest.to_string()).unwrap();
    let packed = Command::new("tar")
        .args(["-C", dir.to_str().unwrap(), "-cf", dir.join("image.tar").to_str().unwrap()])
        .args(["layer.tar.gz", "config.json", "manifest.json"])
        .status();
    assert!(packed.unwrap().success());
}
