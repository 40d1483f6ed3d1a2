//! What a runtime of somebody else needs around it to be attached to: a root, a network and a registry of its own, which end with
//! it. The runtimes are in `attached_containerd` and `attached_crio`.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use wharf::engine::{cgroup::Cgroup, network::netns};

use super::{
    cri::{Cri, succeeded},
    node::{IMAGE, processes, release},
    registry::{self, Registry},
};

/// What its sandboxes run.
pub const PAUSE: &str = "127.0.0.1:5000/test/pause:1";

/// A directory and a network for a runtime with this socket, and a registry in there.
pub fn ground(test: &str, socket: &str) -> Option<(Cri, Registry)> {
    if !super::root(test) {
        return None;
    }
    let crictl = super::program(test, "crictl")?;
    super::program(test, "runc")?;
    let dir = tempfile::Builder::new().prefix(&format!("wharf-{test}-")).tempdir().unwrap().keep();
    // The root filesystem of a test machine may be an overlay, which cannot carry another one.
    rustix::mount::mount("tmpfs", &dir, "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
    let netns = dir.join("netns");
    netns::create(&netns).unwrap();
    let cri = Cri {
        crictl,
        socket: format!("unix://{}", dir.join(socket).display()),
        netns,
        cgroup: format!("/wharf-it-{test}-{}", std::process::id()),
        dir,
        image: IMAGE.to_owned(),
    };
    let registry = stocked(test, &cri);
    if registry.is_none() {
        clear(&cri);
    }
    Some((cri, registry?))
}

/// It has [`IMAGE`], a second image, `test/unused:1`, and [`PAUSE`].
fn stocked(test: &str, cri: &Cri) -> Option<Registry> {
    let registry = Registry::start(test, &cri.netns, &cri.dir.join("registry"), None)?;
    let (root, more) = (cri.dir.join("image"), cri.dir.join("more"));
    assert!(super::busybox_root(test, &root));
    let base = registry::layer(&root);
    fs::create_dir(&more).unwrap();
    fs::write(more.join("file"), vec![7; 300_000]).unwrap();
    fs::write(root.join("pause"), "#!/bin/sh\ntrap 'exit 0' TERM INT\nwhile :; do sleep 1000 & wait; done\n").unwrap();
    succeeded("chmod", &Command::new("chmod").arg("755").arg(root.join("pause")).output().unwrap());
    let pause = registry::layer(&root);
    registry.push("test/busybox", "1", std::slice::from_ref(&base), None);
    registry.push("test/unused", "1", &[base, registry::layer(&more)], None);
    registry.push_program("test/pause", "1", &[pause], "/pause", None);
    Some(registry)
}

/// The configuration of its pod network, in `cni`; where the plugins are.
pub fn network(cri: &Cri) -> &'static str {
    let network = serde_json::json!({
        "cniVersion": "0.4.0", "name": "it",
        "plugins": [{ "type": "bridge", "bridge": "it0", "isGateway": true, "ipam": { "type": "host-local",
            "dataDir": cri.dir.join("cni-data"), "ranges": [[{ "subnet": "10.91.0.0/16" }]] } }],
    });
    fs::create_dir_all(cri.dir.join("cni")).unwrap();
    fs::write(cri.dir.join("cni/10-it.conflist"), network.to_string()).unwrap();
    let plugins = ["/opt/cni/bin", "/usr/lib/cni"].into_iter().find(|d| Path::new(d).join("bridge").exists());
    plugins.expect("CNI plugins (Debian: containernetworking-plugins)")
}

/// Waits until it and its network are.
pub fn ready(cri: &Cri, log: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let info = cri.crictl(&["info"]).output().unwrap();
        let parsed: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap_or_default();
        let conditions = parsed["status"]["conditions"].as_array().cloned().unwrap_or_default();
        if conditions.len() >= 2 && conditions.iter().take(2).all(|c| c["status"] == true) {
            return;
        }
        assert!(Instant::now() < deadline, "it does not come up: {parsed}\n{}", log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Ends what it has left when it is gone itself.
pub fn clear(cri: &Cri) {
    if let Ok(cgroup) = Cgroup::new(&cri.cgroup) {
        let _ = cgroup.kill().and_then(|()| cgroup.delete());
    }
    for line in processes(&cri.dir.to_string_lossy()) {
        if let Some(pid) = line.split(' ').next().and_then(|p| p.parse().ok()).and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    release(&cri.dir);
}
