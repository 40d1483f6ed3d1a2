//! `wharf doctor` on a worker with systemd and cgroup v2: each fault is made to happen, named, mended and proved.

use std::time::Instant;

use crate::support::worker::{Worker, worker};

/// What a runbook of every kind must not find there: a failure.
fn healthy(worker: &Worker) {
    let report = worker.doctor("");
    assert!(report["exit"] != 1, "{report:#}");
    for book in report["runbooks"].as_array().unwrap() {
        assert!(book["cause"].is_null(), "{book:#}");
    }
}

#[test]
fn a_healthy_worker_has_no_failure() {
    let Some(worker) = worker("worker-healthy") else { return };
    healthy(&worker);
    let shown = worker.ok("wharf pods; wharf ps");
    assert!(shown.contains("before") && shown.contains("Running"), "{shown}");
}

#[test]
fn a_cgroup_driver_mismatch_is_mended_and_a_new_pod_proves_it() {
    let Some(worker) = worker("worker-cgroup") else { return };
    worker.ok("mkdir -p /var/lib/kubelet; printf 'kind: KubeletConfiguration\\ncgroupDriver: systemd\\n' \
               > /var/lib/kubelet/config.yaml");
    assert_eq!(worker.cause("cgroup-driver"), "cgroup-driver-mismatch");
    let said = worker.fix("cgroup-driver");
    assert!(said.contains("+SystemdCgroup = true") && said.contains("proved by the same check"), "{said}");
    worker.pod("after", "system.slice");
    let groups = worker.ok("for p in $(pgrep -x sleep); do cat /proc/$p/cgroup; done");
    assert!(groups.contains("system.slice/cri-containerd-"), "{groups}");
    assert!(groups.contains("/k8s.io/"), "the pod of before goes on: {groups}");
    worker.ok("wharf rmp -f $(wharf pods -q --name after)");
    worker.heal();
    healthy(&worker);
}

#[test]
fn a_restart_that_fails_is_rolled_back() {
    let Some(worker) = worker("worker-rollback") else { return };
    worker.ok("mkdir -p /var/lib/kubelet /run/systemd/system/containerd.service.d; \
               printf 'kind: KubeletConfiguration\\ncgroupDriver: systemd\\n' > /var/lib/kubelet/config.yaml; \
               printf '[Service]\\nExecStartPre=sh -c \"! grep -q SystemdCgroup /etc/containerd/config.toml\"\\n' \
               > /run/systemd/system/containerd.service.d/picky.conf; systemctl daemon-reload");
    let said = worker.fix("cgroup-driver");
    worker.ok("rm -r /run/systemd/system/containerd.service.d; systemctl daemon-reload");
    assert!(said.contains("not done"), "{said}");
    assert_eq!(worker.ok("grep -c SystemdCgroup /etc/containerd/config.toml || true"), "0", "{said}");
    assert_eq!(worker.ok("systemctl is-active containerd"), "active", "{said}");
    worker.heal();
    healthy(&worker);
}

#[test]
fn a_runtime_that_is_down_is_told_by_its_reason() {
    let Some(worker) = worker("worker-down") else { return };
    worker.ok("systemctl stop containerd");
    assert_eq!(worker.cause("runtime-unresponsive"), "runtime-not-running");
    let said = worker.fix("runtime-unresponsive");
    assert!(said.contains("running containers stay") && said.contains("proved by the same check"), "{said}");
    assert!(worker.ok("wharf ps").contains("Running"), "the container outlived it");

    worker.ok("systemctl stop containerd; systemctl mask --runtime containerd");
    assert_eq!(worker.cause("runtime-unresponsive"), "runtime-masked");
    worker.heal();

    worker.ok("echo 'nonsense = [' >> /etc/containerd/config.toml; systemctl stop containerd; \
               systemctl start containerd || true");
    let report = worker.doctor("runtime-unresponsive");
    assert_eq!(report["runbooks"][0]["cause"], "runtime-config-broken", "{report:#}");
    assert!(report.to_string().contains("unclosed array"), "with the line: {report:#}");
    worker.heal();
    healthy(&worker);
}

#[test]
fn a_stopped_runtime_is_named_within_ten_seconds_and_goes_on() {
    let Some(worker) = worker("worker-stopped") else { return };
    worker.ok("kill -STOP $(systemctl show -p MainPID --value containerd)");
    let begin = Instant::now();
    assert_eq!(worker.cause("runtime-unresponsive"), "runtime-stopped");
    println!("to the verdict, emulated: {:.1} s", begin.elapsed().as_secs_f64());
    assert!(worker.fix("runtime-unresponsive").contains("proved by the same check"));
    healthy(&worker);
}

#[test]
fn what_a_node_can_run_out_of() {
    let Some(worker) = worker("worker-full") else { return };
    worker.ok("fallocate -l $(( $(df --output=avail -B1 / | tail -1) - 1000000 )) /var/lib/containerd/filler");
    let (disk, hang) = (worker.cause("disk-full"), worker.cause("runtime-unresponsive"));
    worker.ok("rm /var/lib/containerd/filler");
    assert_eq!((disk.as_str(), hang.as_str()), ("runtime-disk-full", "runtime-disk-full"));

    worker.ok("sysctl -q fs.inotify.max_user_instances=8");
    let report = worker.doctor("incidents");
    let said = worker.fix("incidents");
    assert!(report.to_string().contains("inotify instances of root are used up"), "{report:#}");
    assert!(said.contains("proved by the same check"), "{said}");
    healthy(&worker);

    worker.ok("mv /etc/cni/net.d/10-pods.conflist /root; systemctl restart containerd");
    let cause = worker.cause("incidents");
    worker.ok("cp /root/10-pods.conflist /etc/cni/net.d/; systemctl restart containerd");
    assert_eq!(cause, "cni-not-configured");
    healthy(&worker);
}
