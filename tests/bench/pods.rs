//! Pods and containers: each call timed, runtime after runtime in each round, so that all meet the same machine.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use wharf::proto::cri;

use crate::{
    image::BUSYBOX,
    machine::{self, Load},
    peers::Peer,
    table::{Table, median},
};

/// Ends at SIGTERM, as programs in containers should.
const PROGRAM: &[&str] = &["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"];
const NAMESPACE: &str = "bench";

const RUN: &str = "RunPodSandbox";
const CREATE: &str = "CreateContainer";
const START: &str = "StartContainer";
const RUNNING: &str = "pod asked for -> running";
const EXEC: &str = "ExecSync(true)";
const STOP: &str = "StopContainer";
const REMOVE: &str = "RemoveContainer";
const STOP_POD: &str = "StopPodSandbox";
const REMOVE_POD: &str = "RemovePodSandbox";
const CYCLE: &str = "whole cycle";
const CPU: &str = "CPU per cycle";

/// Of one peer: durations by what took them.
type Times = BTreeMap<&'static str, Vec<Duration>>;

fn pod_config(peer: &Peer, host_network: bool) -> cri::PodSandboxConfig {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut config = cri::PodSandboxConfig {
        metadata: Some(cri::PodSandboxMetadata {
            name: format!("pod{number}"),
            uid: format!("uid{number}"),
            namespace: NAMESPACE.to_owned(),
            attempt: 0,
        }),
        log_directory: std::env::temp_dir()
            .join(format!("{}-logs/{number}", peer.parent.trim_start_matches('/')))
            .display()
            .to_string(),
        linux: Some(cri::LinuxPodSandboxConfig { cgroup_parent: peer.parent.clone(), ..Default::default() }),
        ..Default::default()
    };
    if host_network {
        let options = cri::NamespaceOption { network: cri::NamespaceMode::Node as i32, ..Default::default() };
        let context = cri::LinuxSandboxSecurityContext { namespace_options: Some(options), ..Default::default() };
        config.linux.get_or_insert_default().security_context = Some(context);
    }
    config
}

fn container_config() -> cri::ContainerConfig {
    cri::ContainerConfig {
        metadata: Some(cri::ContainerMetadata { name: "main".to_owned(), attempt: 0 }),
        image: Some(cri::ImageSpec { image: BUSYBOX.to_owned(), ..Default::default() }),
        command: PROGRAM.iter().map(|s| (*s).to_owned()).collect(),
        log_path: "main.log".to_owned(),
        linux: Some(cri::LinuxContainerConfig {
            resources: Some(cri::LinuxContainerResources {
                cpu_shares: 100,
                memory_limit_in_bytes: 256 << 20,
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Times one call.
macro_rules! timed {
    ($times:expr, $what:expr, $call:expr) => {{
        let start = Instant::now();
        let answer = $call.await.unwrap_or_else(|e| panic!("{}: {e}", $what));
        $times.entry($what).or_default().push(start.elapsed());
        answer.into_inner()
    }};
}

/// A pod with a running container; their ids.
async fn up(peer: &Peer, host_network: bool, times: &mut Times) -> (String, String) {
    let (config, mut pods) = (pod_config(peer, host_network), peer.pods.clone());
    let start = Instant::now();
    let request = cri::RunPodSandboxRequest { config: Some(config.clone()), ..Default::default() };
    let pod = timed!(times, RUN, pods.run_pod_sandbox(request)).pod_sandbox_id;
    let request = cri::CreateContainerRequest {
        pod_sandbox_id: pod.clone(),
        config: Some(container_config()),
        sandbox_config: Some(config),
    };
    let container = timed!(times, CREATE, pods.create_container(request)).container_id;
    let request = cri::StartContainerRequest { container_id: container.clone() };
    timed!(times, START, pods.start_container(request));
    times.entry(RUNNING).or_default().push(start.elapsed());
    (pod, container)
}

async fn down(peer: &Peer, pod: String, times: &mut Times) {
    let mut pods = peer.pods.clone();
    timed!(times, STOP_POD, pods.stop_pod_sandbox(cri::StopPodSandboxRequest { pod_sandbox_id: pod.clone() }));
    timed!(times, REMOVE_POD, pods.remove_pod_sandbox(cri::RemovePodSandboxRequest { pod_sandbox_id: pod }));
}

async fn cycle(peer: &Peer, host_network: bool, times: &mut Times) {
    let (start, mut pods) = (Instant::now(), peer.pods.clone());
    let (pod, container) = up(peer, host_network, times).await;
    let request =
        cri::ExecSyncRequest { container_id: container.clone(), cmd: vec!["/bin/true".to_owned()], timeout: 10 };
    let answer = timed!(times, EXEC, pods.exec_sync(request));
    assert_eq!(answer.exit_code, 0);
    let request = cri::StopContainerRequest { container_id: container.clone(), timeout: 10 };
    timed!(times, STOP, pods.stop_container(request));
    timed!(times, REMOVE, pods.remove_container(cri::RemoveContainerRequest { container_id: container }));
    down(peer, pod, times).await;
    times.entry(CYCLE).or_default().push(start.elapsed());
}

/// One table: every call of a pod's life.
pub async fn life(title: &str, peers: &[Peer], host_network: bool, rounds: u32) {
    for peer in peers {
        for _ in 0..2 {
            cycle(peer, host_network, &mut Times::new()).await;
        }
    }
    machine::quiet();
    let load = Load::new();
    let mut all: Vec<Times> = peers.iter().map(|_| Times::new()).collect();
    let before: Vec<Duration> = peers.iter().map(Peer::cpu).collect();
    for _ in 0..rounds {
        for (peer, times) in peers.iter().zip(&mut all) {
            cycle(peer, host_network, times).await;
        }
    }
    // What is tidied in the background is part of the price.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for ((peer, times), before) in peers.iter().zip(&mut all).zip(before) {
        times.insert(CPU, vec![(peer.cpu() - before) / rounds]);
    }
    let title = format!("{title}, ms, medians of {rounds} (machine {} % idle)", load.idle());
    let mut table = Table::new(&title, peers.iter().map(|p| p.name.as_str()));
    for what in [RUN, CREATE, START, RUNNING, EXEC, STOP, REMOVE, STOP_POD, REMOVE_POD, CYCLE, CPU] {
        table.row(what, all.iter().map(|t| median(&t[what]).as_secs_f64() * 1000.0));
    }
    table.print();
}

/// Pods asked for at the same time, until the last one runs.
pub async fn at_once(peers: &[Peer], count: usize, rounds: usize) {
    machine::quiet();
    let load = Load::new();
    let mut all: Vec<Vec<Duration>> = vec![Vec::new(); peers.len()];
    for _ in 0..rounds {
        for (peer, took) in peers.iter().zip(&mut all) {
            let start = Instant::now();
            let starts = (0..count).map(|_| async { up(peer, false, &mut Times::new()).await });
            let made = futures::future::join_all(starts).await;
            took.push(start.elapsed());
            futures::future::join_all(made.into_iter().map(|(pod, _)| async {
                down(peer, pod, &mut Times::new()).await;
            }))
            .await;
        }
    }
    let title = format!("{count} pods at once, s, medians of {rounds} (machine {} % idle)", load.idle());
    let mut table = Table::new(&title, peers.iter().map(|p| p.name.as_str()));
    table.row("all running", all.iter().map(|t| median(t).as_secs_f64()));
    table.print();
}

/// Memory and lists with many pods.
pub async fn many(peers: &[Peer], count: usize) {
    let title = format!("{count} pods: memory (PSS, MiB) and lists (ms, medians of 20)");
    let mut table = Table::new(&title, peers.iter().map(|p| p.name.as_str()));
    let mut columns: Vec<BTreeMap<&str, f64>> = Vec::new();
    for peer in peers {
        columns.push(crowd(peer, count).await);
    }
    let rows: Vec<&str> = columns.iter().flat_map(BTreeMap::keys).copied().collect();
    for what in rows.iter().take(rows.len() / peers.len()) {
        table.row(what, columns.iter().map(|c| c[what]));
    }
    table.print();
}

async fn crowd(peer: &Peer, count: usize) -> BTreeMap<&'static str, f64> {
    let mut made = Vec::new();
    let idle = machine::pss(peer.pid());
    while made.len() < count {
        let few = (0..4.min(count - made.len())).map(|_| async { up(peer, false, &mut Times::new()).await });
        made.extend(futures::future::join_all(few).await);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mebi = |kibi: u64| kibi as f64 / 1024.0;
    let shims: Vec<u32> = peer.cgroup.pids().unwrap().into_iter().filter(|p| *p != peer.pid()).collect();
    let pauses = machine::named("pause", &peer.parent);
    let each = |pids: &[u32]| mebi(pids.iter().map(|p| machine::pss(*p)).sum()) / count as f64;
    let mut found = BTreeMap::from([
        ("engine, idle", mebi(idle)),
        ("engine", mebi(machine::pss(peer.pid()))),
        ("shims, per pod", each(&shims)),
        ("pause process, per pod", each(&pauses)),
    ]);
    let mut pods = peer.pods.clone();
    let mut times = Times::new();
    for _ in 0..20 {
        let stats =
            timed!(times, "ListContainerStats", pods.list_container_stats(cri::ListContainerStatsRequest::default()));
        assert_eq!(stats.stats.len(), count);
        timed!(times, "ListPodSandboxStats", pods.list_pod_sandbox_stats(cri::ListPodSandboxStatsRequest::default()));
        timed!(times, "ListContainers", pods.list_containers(cri::ListContainersRequest::default()));
        timed!(times, "ListPodSandbox", pods.list_pod_sandbox(cri::ListPodSandboxRequest::default()));
    }
    found.extend(times.iter().map(|(what, took)| (*what, median(took).as_secs_f64() * 1000.0)));
    for (pod, _) in made {
        down(peer, pod, &mut Times::new()).await;
    }
    found
}
