//! For this module's tests: a private "host", and pods whose namespaces are removed whatever happens.
//!
//! Bridges, rules and forwarding are made in a network namespace of the test's own, so the machine stays as it was.

use std::path::{Path, PathBuf};

use super::{PodNetwork, PortMapping, link::Links, netns};

/// Whether the test may run; says so if not.
pub(super) fn root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

/// Runs `test` in a thread that has a network namespace of its own, and so have the tasks and children it starts.
pub(super) fn on_private_host<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send) {
    if !root() {
        return;
    }
    std::thread::scope(|scope| {
        let host = scope.spawn(|| {
            netns::unshare().unwrap();
            Links::open().unwrap().up("lo").unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(test());
        });
        if let Err(panic) = host.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Runs what blocks on netlink from async test code, in the private host.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[derive(Debug)]
pub(super) struct Namespace(pub(super) PathBuf);

impl Namespace {
    pub(super) fn new(dir: &Path, name: &str) -> Self {
        let path = dir.join(name);
        netns::create(&path).unwrap();
        Self(path)
    }

    pub(super) fn links(&self) -> Vec<String> {
        let names =
            netns::inside(&self.0, || Ok(std::fs::read_to_string("/proc/thread-self/net/dev").unwrap())).unwrap();
        names.lines().skip(2).filter_map(|l| Some(l.split_once(':')?.0.trim().to_owned())).collect()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        netns::delete(&self.0).unwrap();
    }
}

pub(super) fn pod(id: &str, ports: &[(&str, u16, u16, &str)]) -> PodNetwork {
    let ports = ports.iter().map(|(protocol, host_port, container_port, host_ip)| PortMapping {
        protocol: (*protocol).to_owned(),
        container_port: *container_port,
        host_port: *host_port,
        host_ip: (*host_ip).to_owned(),
    });
    PodNetwork {
        id: id.to_owned(),
        name: format!("{id}-name"),
        namespace: "default".to_owned(),
        uid: format!("{id}-uid"),
        port_mappings: ports.collect(),
        ..PodNetwork::default()
    }
}
