//! The runtimes under test: how each is configured, started in a cgroup of its own, asked, and ended.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint};
use wharf::{
    engine::cgroup::{Cgroup, Extent},
    proto::cri::{
        self, image_service_client::ImageServiceClient as Images, runtime_service_client::RuntimeServiceClient as Pods,
    },
};

use crate::{
    machine::{Machine, run},
    support,
};

/// containerd's sandboxes run it; ours need none.
pub const PAUSE: &str = "127.0.0.1:5000/bench/pause:1";

/// What is compared.
#[derive(Debug, Clone)]
pub enum Kind {
    Wharf { program: PathBuf, cni: bool },
    Containerd(Containerd),
}

#[derive(Debug, Clone)]
pub struct Containerd {
    pub program: PathBuf,
    /// runc or crun.
    pub runtime: PathBuf,
    /// Layers of one image unpacked at a time; containerd 2.1 and newer know it.
    pub unpacks: Option<u32>,
}

impl Kind {
    pub fn name(&self) -> String {
        match self {
            Self::Wharf { cni: false, .. } => "wharf".to_owned(),
            Self::Wharf { cni: true, .. } => "wharf, CNI".to_owned(),
            Self::Containerd(c) => format!("containerd+{}", c.runtime_name()),
        }
    }
}

impl Containerd {
    fn runtime_name(&self) -> &'static str {
        if self.runtime.to_string_lossy().contains("crun") { "crun" } else { "runc" }
    }

    pub fn knows_unpacks(&self) -> bool {
        !self.is_v1()
    }

    fn is_v1(&self) -> bool {
        crate::machine::says(&self.program, "--version").contains(" 1.")
    }
}

/// A daemon and the client of it.
pub struct Peer {
    pub name: String,
    /// Everything of the runtime itself: daemon, shims, OCI runtimes. Containers have theirs below `parent`.
    pub cgroup: Cgroup,
    /// CRI's cgroup_parent for its pods.
    pub parent: String,
    pub pods: Pods<Channel>,
    pub images: Images<Channel>,
    child: Child,
    log: PathBuf,
}

impl Peer {
    /// `disk` is for what is persistent. Ready to be asked on return.
    pub async fn start(machine: &Machine, kind: &Kind, disk: &Path) -> Self {
        let name = kind.name();
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let state = tempfile::Builder::new().prefix(&plain).tempdir_in(&machine.dir).unwrap().keep();
        let root = disk.join(&plain);
        fs::create_dir_all(&root).unwrap();
        let socket = state.join("s");
        let cni = state.join("cni");
        write_cni(&cni, &plain, &root);
        let (prepare, mut command) = match kind {
            Kind::Wharf { program, cni: wanted } => serve(program, &state, &root, &socket, wanted.then_some(&*cni)),
            Kind::Containerd(which) => containerd(which, &state, &root, &socket, &cni),
        };
        let cgroup = Cgroup::new(format!("/wharf-bench-{}/{plain}-{}", std::process::id(), unique())).unwrap();
        cgroup.create(None).unwrap();
        let mut script = String::new();
        for hierarchy in &cgroup.layout().hierarchies {
            script += &format!("echo $$ > {}/cgroup.procs\n", cgroup.directory(hierarchy).display());
        }
        // A mount namespace of its own: what it mounts goes with it, and crun may be shown a machine it likes.
        let mut all = support::in_netns(&machine.netns, Path::new("unshare"));
        all.args(["-m", "--propagation", "private", "--", "sh", "-ec", &(script + &prepare + "exec \"$@\"\n"), "sh"]);
        command.insert(0, "env".to_owned());
        let log = state.join("log");
        let out = fs::File::create(&log).unwrap();
        let child = all.args(command).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let parent = format!("/wharf-bench-{}-pods/{plain}", std::process::id());
        let channel = channel(&socket);
        let images = Images::new(channel.clone());
        let mut peer = Self { name, cgroup, parent, pods: Pods::new(channel), images, child, log };
        peer.ready().await;
        peer
    }

    async fn ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let status = self.pods.status(cri::StatusRequest::default()).await;
            let conditions = status.map(|s| s.into_inner().status.unwrap_or_default().conditions);
            match conditions {
                Ok(all)
                    if ["RuntimeReady", "NetworkReady"]
                        .iter()
                        .all(|k| all.iter().any(|c| c.r#type == *k && c.status)) =>
                {
                    return;
                }
                _ if Instant::now() > deadline => {
                    let log = fs::read_to_string(&self.log).unwrap_or_default();
                    panic!("{} does not come up: {conditions:?}\n{log}", self.name)
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of the runtime until now.
    pub fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cgroup.stats(Extent::Usage).unwrap().cpu.usage)
    }

    pub async fn pull(&mut self, image: &str) {
        let spec = cri::ImageSpec { image: image.to_owned(), ..Default::default() };
        let request = cri::PullImageRequest { image: Some(spec), ..Default::default() };
        let pulled = self.images.pull_image(request).await;
        pulled.unwrap_or_else(|e| panic!("{}: pull {image}: {e}", self.name));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.cgroup.kill().unwrap();
        self.cgroup.delete().unwrap();
        if let Ok(pods) = Cgroup::new(&self.parent) {
            pods.kill().and_then(|()| pods.delete()).unwrap();
        }
    }
}

/// Removes the cgroups that peers shared.
pub fn clean_up() {
    for name in [format!("/wharf-bench-{}", std::process::id()), format!("/wharf-bench-{}-pods", std::process::id())] {
        Cgroup::new(name).and_then(|c| c.delete()).unwrap();
    }
}

fn unique() -> u32 {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn channel(socket: &Path) -> Channel {
    let socket = socket.to_owned();
    let connect = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { Ok::<_, std::io::Error>(TokioIo::new(tokio::net::UnixStream::connect(socket).await?)) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(connect)
}

/// crun itself, or before an old one (1.8 of Debian 12) a wrapper: it refuses documents that say they are of a newer
/// version than 1.0, whatever is in them. The wrapper writes another number and gives way; that takes microseconds.
fn fitting_crun(crun: &Path, state: &Path) -> PathBuf {
    let version = Command::new(crun).arg("--version").output().unwrap().stdout;
    if !String::from_utf8_lossy(&version).lines().any(|l| l == "spec: 1.0.0") {
        return crun.to_owned();
    }
    let (source, wrapper) = (state.join("crun.c"), state.join("crun"));
    let text = r#"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i++) {
        char path[4096], head[65536], *at;
        if (strcmp(argv[i], "--bundle")) continue;
        snprintf(path, sizeof path, "%s/config.json", argv[i + 1]);
        int file = open(path, O_RDWR);
        ssize_t size = file < 0 ? 0 : pread(file, head, sizeof head - 1, 0);
        head[size > 0 ? size : 0] = 0;
        if ((at = strstr(head, "\"ociVersion\":\"1."))) pwrite(file, "0", 1, at - head + 16);
        close(file);
    }
    argv[0] = CRUN;
    execv(CRUN, argv);
    return 127;
}
"#;
    fs::write(&source, text).unwrap();
    let define = format!("-DCRUN=\"{}\"", crun.display());
    run(Command::new("cc").args(["-static", "-Os", "-w", &define, "-o"]).arg(&wrapper).arg(&source));
    wrapper
}

/// The same plugins for everybody; bridges and addresses of their own.
fn write_cni(at: &Path, name: &str, data: &Path) {
    fs::create_dir_all(at).unwrap();
    let number = 100 + name.bytes().fold(0_u32, |sum, b| (sum + u32::from(b)) % 100);
    let bridge: String = name.chars().rev().take(10).collect();
    let list = serde_json::json!({
        "cniVersion": "1.0.0", "name": name,
        "plugins": [
            { "type": "bridge", "bridge": format!("b{bridge}"), "isGateway": true, "ipMasq": true, "promiscMode": true,
              "ipam": { "type": "host-local", "dataDir": data.join("cni"), "routes": [{ "dst": "0.0.0.0/0" }],
                        "ranges": [[{ "subnet": format!("10.{number}.0.0/16") }]] } },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    });
    fs::write(at.join("10-bench.conflist"), list.to_string()).unwrap();
}

/// What to do before it, and its command line.
fn serve(program: &Path, state: &Path, root: &Path, socket: &Path, cni: Option<&Path>) -> (String, Vec<String>) {
    // It reads /etc/cni/net.d, which is the machine's: the peer sees another one.
    let etc = state.join("etc");
    let mut prepare = format!(
        "mkdir -p {0}/up {0}/work\nmount -t overlay -o lowerdir=/etc,upperdir={0}/up,workdir={0}/work etc /etc\n\
         rm -rf /etc/cni\nmkdir -p /etc/cni/net.d\n",
        etc.display()
    );
    if let Some(cni) = cni {
        prepare += &format!("cp {}/* /etc/cni/net.d/\n", cni.display());
    }
    let path = |p: &Path| p.display().to_string();
    let command = [
        path(program),
        "serve".to_owned(),
        format!("--listen=unix://{}", socket.display()),
        format!("--root={}", path(root)),
        format!("--state={}", path(&state.join("run"))),
    ];
    (prepare, command.into())
}

fn containerd(which: &Containerd, state: &Path, root: &Path, socket: &Path, cni: &Path) -> (String, Vec<String>) {
    let plugins = [("/opt/cni/bin"), ("/usr/lib/cni")].into_iter().find(|d| Path::new(d).join("bridge").exists());
    let plugins = plugins.expect("CNI plugins (Debian: containernetworking-plugins)");
    let (images, runtime, version) = if which.is_v1() {
        ("io.containerd.grpc.v1.cri", "io.containerd.grpc.v1.cri", 2)
    } else {
        ("io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", 3)
    };
    let name = which.runtime_name();
    let binary = if name == "crun" { fitting_crun(&which.runtime, state) } else { which.runtime.clone() };
    let mut config = format!(
        r#"version = {version}
root = "{root}/root"
state = "{state}/state"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.tracing"]
[grpc]
address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{root}/opt"
[plugins."{runtime}"]
restrict_oom_score_adj = true
[plugins."{runtime}".cni]
bin_dir{s} = {bin}
conf_dir = "{cni}"
[plugins."{runtime}".containerd]
default_runtime_name = "{name}"
[plugins."{runtime}".containerd.runtimes.{name}]
runtime_type = "io.containerd.runc.v2"
[plugins."{runtime}".containerd.runtimes.{name}.options]
BinaryName = "{binary}"
SystemdCgroup = false
"#,
        root = root.display(),
        state = state.display(),
        socket = socket.display(),
        cni = cni.display(),
        binary = binary.display(),
        s = if version == 2 { "" } else { "s" },
        bin = if version == 2 { format!("{plugins:?}") } else { format!("[{plugins:?}]") },
    );
    if version == 2 {
        config =
            config.replace("restrict_oom_score_adj", &format!("sandbox_image = \"{PAUSE}\"\nrestrict_oom_score_adj"));
    } else {
        config += &format!("[plugins.\"{images}\".pinned_images]\nsandbox = \"{PAUSE}\"\n");
        // Otherwise the transfer service pulls, which knows no plain HTTP without a hosts directory of its own.
        config += &format!("[plugins.\"{images}\".registry]\nconfig_path = \"{}/hosts\"\n", state.display());
        let unpacks = which.unpacks.unwrap_or(1);
        config += &format!("[plugins.\"io.containerd.transfer.v1.local\"]\nmax_concurrent_unpacks = {unpacks}\n");
        let host = state.join("hosts/127.0.0.1:5000");
        fs::create_dir_all(&host).unwrap();
        fs::write(host.join("hosts.toml"), "server = \"http://127.0.0.1:5000\"\n").unwrap();
    }
    let file = state.join("config.toml");
    fs::write(&file, config).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    // crun refuses machines where both cgroup versions have controllers (hybrid): here it sees a plain v1 one.
    let mixed = fs::read_to_string("/sys/fs/cgroup/unified/cgroup.controllers").is_ok();
    let prepare = if name == "crun" && mixed { "umount -l /sys/fs/cgroup/unified\n" } else { "" };
    let beside = which.program.parent().unwrap_or(Path::new("/"));
    let path = format!("PATH={}:{}", beside.display(), std::env::var("PATH").unwrap_or_default());
    let program = which.program.display().to_string();
    let command = vec![path, program, "-c".to_owned(), file.display().to_string(), "-l".to_owned(), "error".to_owned()];
    (prepare.to_owned(), command)
}
