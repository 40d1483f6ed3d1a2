//! `wharf doctor` on a worker with systemd and cgroup v2: each fault is made to happen, named, mended and proved.

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::Instant,
};

use wharf::engine::network::netns;

use crate::support::{
    self,
    registry::{self, Registry},
    scripted::{Said, Scripted},
    tmux::Tmux,
    worker::{Worker, worker},
};

/// bcrypt of "secret".
const HTPASSWD: &str = "user:$2b$05$AQ4/rsjXP14PsUbK9EzBheq/CNORFJdm1J3asVYmVTy07iONLx5xG\n";

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
fn cfg_06_a_restart_that_fails_is_rolled_back() {
    let Some(worker) = worker("worker-rollback") else { return };
    worker.ok("mkdir -p /var/lib/kubelet /run/systemd/system/containerd.service.d; \
               printf 'kind: KubeletConfiguration\\ncgroupDriver: systemd\\n' > /var/lib/kubelet/config.yaml; \
               printf '[Service]\\nExecStartPre=sh -c \"! grep -q SystemdCgroup /etc/containerd/config.toml\"\\n' \
               > /run/systemd/system/containerd.service.d/picky.conf; systemctl daemon-reload");
    let said = worker.fix("cgroup-driver");
    worker.ok("rm -r /run/systemd/system/containerd.service.d; systemctl daemon-reload");
    assert!(said.contains("not done") && said.contains("containerd.service said last: "), "{said}");
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
    // The same look, by another hand: its group is frozen, or may hardly use the processor.
    worker.ok("systemctl freeze containerd");
    let frozen = worker.cause("runtime-unresponsive");
    worker.ok("systemctl thaw containerd");
    assert_eq!(frozen, "runtime-frozen");
    healthy(&worker);
}

#[test]
fn the_journal_is_told_while_the_runtime_is_silent() {
    let Some(worker) = worker("worker-journal") else { return };
    let Some(app) = Tmux::start("worker-journal", (160, 48), &worker.terminal("wharf")) else { return };
    app.wait_for("ATTACHED");
    app.keys(&["8"]);
    app.wait_for("Events");
    worker.ok("systemctl stop containerd");
    let told = |screen: &str| screen.lines().any(|l| l.contains("journal") && l.contains("Stopped containerd.service"));
    app.wait_until("what systemd says of its end", told);
    worker.ok("systemctl start containerd");
    app.wait_for("ATTACHED");
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
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

#[test]
fn a_kubelet_that_does_not_start_says_why() {
    let Some(worker) = worker("worker-kubelet") else { return };
    if !worker.kubelet("worker-kubelet") {
        return;
    }
    let down = |cause: &str| {
        // Until systemd has seen it end.
        worker.ok("for i in $(seq 60); do systemctl is-active -q kubelet || break; sleep 1; done");
        let report = worker.doctor("kubelet-down");
        assert_eq!(report["runbooks"][0]["cause"], cause, "{report:#}");
    };
    let up = || {
        worker.ok("for i in $(seq 90); do (exec 3<>/dev/tcp/127.0.0.1/10248; printf \"GET /healthz HTTP/1.0\\r\\n\\r\\n\" >&3; \
                   tail -n 1 <&3) 2>/dev/null && break; sleep 1; done")
    };

    worker.kubelet_with("");
    assert_eq!(up(), "ok");
    let report = worker.doctor("kubelet-down");
    assert!(report["runbooks"][0]["cause"].is_null(), "{report:#}");

    // The directory of a pod that is gone, with what a CSI driver leaves in it: the kubelet says so and keeps it.
    const GONE: &str = "/var/lib/kubelet/pods/11111111-2222-3333-4444-555555555555";
    worker.ok(&format!("mkdir -p {GONE}/volumes/kubernetes.io~csi/pvc-1/mount; echo {{}} > {GONE}/volumes/kubernetes.io~csi/pvc-1/vol_data.json"));
    worker
        .ok("for i in $(seq 90); do journalctl -q -u kubelet | grep -q 'orphaned pod' && exit; sleep 1; done; exit 1");
    let orphaned = || {
        let report = worker.doctor("incidents");
        let steps = report["runbooks"][0]["steps"].as_array().unwrap();
        steps.iter().find(|s| s["check"] == "incident-orphaned-pods").unwrap()["finding"].clone()
    };
    let found = orphaned();
    assert!(found["cause"] == "orphaned-pod" && found.to_string().contains(GONE), "{found:#}");
    let volume = format!("{GONE}/volumes/kubernetes.io~csi/pvc-1/mount");
    // What is empty the kubelet takes away itself, also between the two commands.
    worker
        .ok(&format!("for i in $(seq 10); do mkdir -p {volume} && mount -t tmpfs none {volume} && exit; done; exit 1"));
    let mounted = orphaned();
    worker.ok(&format!("umount {volume}; rm -rf {GONE}"));
    assert!(mounted["cause"] == "orphaned-pod-mounted" && mounted.to_string().contains(&volume), "{mounted:#}");
    assert_eq!(orphaned()["verdict"], "pass");

    // Thresholds of its image collection: the same check passes with the file that was written, and nothing is written twice.
    worker.kubelet_with("imageGCHighThresholdPercent: 100\n");
    assert_eq!(up(), "ok");
    let said = worker.fix("disk-full");
    assert!(
        said.contains("+imageGCHighThresholdPercent: 70") && said.contains("proved by the same check: disk-collection"),
        "{said}"
    );
    assert_eq!(up(), "ok", "the kubelet takes the file");
    let again = worker.fix("disk-full");
    assert!(!again.contains("done: edit"), "{again}");

    worker.ok("systemctl stop kubelet");
    down("kubelet-not-running");
    assert!(worker.fix("kubelet-down").contains("proved by the same check"));

    worker.ok("systemctl stop kubelet; systemctl mask --runtime kubelet");
    down("kubelet-masked");
    worker.ok("systemctl unmask --runtime kubelet");

    worker.ok("fallocate -l 16M /swap; chmod 600 /swap; mkswap -q /swap; swapon /swap");
    worker.kubelet_with("");
    down("swap-on");
    worker.ok("swapoff /swap; rm /swap");

    worker.ok("systemctl stop kubelet; echo '{\"policyName\":\"static\",\"defaultCpuSet\":\"\",\"checksum\":1}' > /var/lib/kubelet/cpu_manager_state");
    worker.kubelet_with("");
    down("kubelet-checkpoint");
    worker.ok("rm /var/lib/kubelet/cpu_manager_state");

    worker.kubelet_with("evictionHard: [\n");
    down("kubelet-config-broken");
    worker.kubelet_with("maxPods: many\n");
    down("kubelet-config-broken");

    worker.kubelet_with("");
    worker.ok("sed -i s,/run/containerd/containerd.sock,/run/crio/crio.sock, /var/lib/kubelet/config.yaml; systemctl restart kubelet");
    down("kubelet-endpoint-wrong");

    worker.ok("systemctl stop kubelet; systemd-run -q --unit=squatter systemd-socket-activate -l 10250 cat");
    worker.kubelet_with("");
    down("kubelet-port-taken");
    worker.heal();
    healthy(&worker);
}

#[test]
fn what_the_host_gives_pods_is_named_when_it_is_wrong() {
    let Some(worker) = worker("worker-host") else { return };
    worker.ok("sysctl -qw net.ipv4.ip_forward=0");
    assert_eq!(worker.cause("incidents"), "forwarding-off");
    assert!(worker.fix("incidents").contains("proved by the same check"));
    assert_eq!(worker.ok("sysctl -n net.ipv4.ip_forward"), "1");

    worker.ok("mkdir -p /var/lib/kubelet; echo 'kind: KubeletConfiguration' > /var/lib/kubelet/config.yaml; \
               cp -a /etc/resolv.conf /root/resolv.conf; rm /etc/resolv.conf; echo nameserver 127.0.0.53 > /etc/resolv.conf");
    let cause = worker.cause("incidents");
    worker.ok("rm /etc/resolv.conf; cp -a /root/resolv.conf /etc/resolv.conf");
    assert_eq!(cause, "resolver-loop");
    worker.heal();

    worker.ok(
        "systemctl set-property --runtime containerd TasksMax=$(systemctl show -p TasksCurrent --value containerd)",
    );
    let cause = worker.cause("incidents");
    worker.ok("systemctl set-property --runtime containerd TasksMax=infinity; systemctl revert containerd");
    assert_eq!(cause, "tasks-exhausted");
    healthy(&worker);
}

#[test]
fn what_the_runtime_lost_is_named() {
    let Some(worker) = worker("worker-lost") else { return };
    worker.ok("ctr -n k8s.io run -d registry.example.com/busybox:1 stray sleep 1000");
    let cause = worker.cause("incidents");
    worker.ok("ctr -n k8s.io tasks kill -s 9 stray; sleep 1; ctr -n k8s.io containers rm stray");
    assert_eq!(cause, "orphaned-workload");

    worker.ok("mkdir -p /run/containerd/io.containerd.runtime.v2.task/k8s.io/leaked; \
         cd /run/containerd/io.containerd.runtime.v2.task/k8s.io/leaked; echo {} > config.json; \
               mkfifo log; setsid cat log > /dev/null 2>&1 < /dev/null & \
         TTRPC_ADDRESS=/run/containerd/containerd.sock.ttrpc containerd-shim-runc-v2 -namespace k8s.io -id leaked -address /run/containerd/containerd.sock start > /dev/null");
    let cause = worker.cause("incidents");
    worker.ok("pkill -f 'id [l]eaked'; rm -r /run/containerd/io.containerd.runtime.v2.task/k8s.io/leaked");
    assert_eq!(cause, "leaked-shims");

    worker.ok("ctr -n k8s.io images rm registry.k8s.io/pause:3.6");
    let cause = worker.cause("incidents");
    worker.ok("ctr -n k8s.io images import /root/furniture/image.tar");
    assert_eq!(cause, "pause-image-missing");

    worker.ok("systemctl stop containerd; cd /var/lib/containerd/io.containerd.metadata.v1.bolt; cp meta.db /root; \
               dd if=/dev/urandom of=meta.db bs=4096 count=4 conv=notrunc status=none; systemctl start containerd || true");
    let report = worker.doctor("runtime-unresponsive");
    worker.ok("systemctl stop containerd; cp /root/meta.db /var/lib/containerd/io.containerd.metadata.v1.bolt/");
    worker.heal();
    assert_eq!(report["runbooks"][0]["cause"], "runtime-database-corrupt", "{report:#}");
    healthy(&worker);
}

#[test]
fn why_an_image_cannot_be_pulled_is_named() {
    let Some(worker) = worker("worker-pull") else { return };
    let dir = tempfile::Builder::new().prefix("wharf-worker-pull-").tempdir().unwrap();
    let (netns, closed) = (dir.path().join("netns"), dir.path().join("closed"));
    netns::create(&netns).unwrap();
    netns::create(&closed).unwrap();
    let Some(mut open) = Registry::start("worker-pull", &netns, &dir.path().join("open"), None) else { return };
    let root = dir.path().join("image");
    assert!(support::busybox_root("worker-pull", &root));
    open.push("test/busybox", "1", &[registry::layer(&root)], None);
    let names = ["registry.wharf.test", "other.wharf.test"];
    let Some(ca) = open.mirror("worker-pull", &dir.path().join("open"), &names[..1]) else { return };
    worker.put(&ca, "/root/ca.crt");
    let certs = "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/etc/containerd/certs.d\"\n";
    worker.ok(&format!(
        "cp -a /etc/hosts /root/hosts; echo 127.0.0.1 {} >> /etc/hosts; mkdir -p /etc/containerd/certs.d; \
         printf '%s' '{certs}' >> /etc/containerd/config.toml; systemctl restart containerd",
        names.join(" ")
    ));
    let pull = |more: &str| worker.cause(&format!("image-pull --set image={more}"));
    let image = "registry.wharf.test/test/busybox";

    let way = worker.reach(443, &netns, "127.0.0.1:443");
    assert_eq!(pull("other.wharf.test/test/busybox:1"), "certificate-wrong-name");
    assert_eq!(pull(&format!("{image}:1")), "ca-unknown");
    let said = worker.fix(&format!("image-pull --set image={image}:1 --set ca=/root/ca.crt"));
    assert!(said.contains("proved by the same check: pull-tls"), "{said}");
    worker.ok(&format!("wharf -t 60s pull {image}:1; wharf rmi {image}:1"));

    // Its unit has a proxy that does not know this registry, which needs none.
    let _proxy = Scripted::plain(&netns, "127.0.0.1:3128", |_| Said::new(403, &[], ""));
    let proxied = worker.reach(3128, &netns, "127.0.0.1:3128");
    worker.ok("mkdir -p /etc/systemd/system/containerd.service.d; \
               printf '[Service]\\nEnvironment=HTTPS_PROXY=http://127.0.0.1:3128 NO_PROXY=.corp\\n' \
               > /etc/systemd/system/containerd.service.d/10-proxy.conf; systemctl daemon-reload; systemctl restart containerd");
    assert_eq!(pull(&format!("{image}:1")), "no-proxy-missing");
    let said = worker.fix(&format!("image-pull --set image={image}:1"));
    assert!(
        said.contains("NO_PROXY=.corp,registry.wharf.test") && said.contains("proved by the same check: pull-proxy"),
        "{said}"
    );
    let drop_in = "cat /etc/systemd/system/containerd.service.d/90-no-proxy.conf";
    let (written, again) = (worker.ok(drop_in), worker.fix(&format!("image-pull --set image={image}:1")));
    assert!(again.contains("nothing that could be mended") && worker.ok(drop_in) == written, "{again}");
    worker.ok(&format!("wharf -t 60s pull {image}:1; wharf rmi {image}:1"));
    worker.ok("rm -r /etc/systemd/system/containerd.service.d; systemctl daemon-reload; systemctl restart containerd");
    drop(proxied);

    // As the kubelet's pull would: named by nobody but the runtime's journal.
    worker.ok(&format!("! wharf -t 60s pull {image}:11"));
    let mut report = worker.doctor("image-pull");
    for _ in 0..5 {
        if report["verdict"] != "unknown" {
            break;
        }
        // An emulated machine under load does not read its journal in the time there is, and says so.
        report = worker.doctor("image-pull");
    }
    let book = report["runbooks"][0].to_string();
    assert!(book.contains("\"tag-missing\"") && book.contains("nearest") && book.contains(":11"), "{report:#}");

    // Its certificate is good for two days.
    worker.ok("date -s @$(( $(date +%s) + 864000 ))");
    let ahead = pull(&format!("{image}:1"));
    worker.ok("date -s @$(( $(date +%s) - 2 * 864000 ))");
    let behind = pull(&format!("{image}:1"));
    worker.ok("date -s @$(( $(date +%s) + 864000 ))");
    assert_eq!((ahead.as_str(), behind.as_str()), ("clock-skew", "clock-skew"));

    worker.ok("iptables -A OUTPUT -o lo -p tcp --dport 443 -j DROP");
    let dropped = pull(&format!("{image}:1"));
    worker.ok(
        "iptables -F OUTPUT; iptables -A OUTPUT -o lo -p tcp --dport 443 -j REJECT --reject-with icmp-admin-prohibited",
    );
    let rejected = pull(&format!("{image}:1"));
    worker.ok("iptables -F OUTPUT");
    assert_eq!((dropped.as_str(), rejected.as_str()), ("registry-blackholed", "registry-host-unreachable"));
    worker.ok("fallocate -l $(( $(df --output=avail -B1 / | tail -1) - 1000000 )) /var/lib/containerd/filler");
    let full = pull(&format!("{image}:1"));
    worker.ok("rm /var/lib/containerd/filler");
    assert_eq!(full, "no-room");
    drop(way);
    assert_eq!(pull(&format!("{image}:1")), "registry-refused");
    assert!(pull("nowhere.wharf.test/a:1").starts_with("dns-"));

    let Some(_asks) = Registry::start("worker-pull", &closed, &dir.path().join("closed-data"), Some(HTPASSWD)) else {
        return;
    };
    let way = worker.reach(5000, &closed, registry::ADDRESS);
    assert_eq!(pull("127.0.0.1:5000/test/busybox:1"), "credentials-missing");
    worker.ok(
        r#"echo {\"auths\":{\"127.0.0.1:5000\":{\"auth\":\"$(printf user:hunter2 | base64)\"}}} > /root/auth.json"#,
    );
    assert_eq!(pull("127.0.0.1:5000/test/busybox:1 --set auth-file=/root/auth.json"), "credentials-refused");
    drop(way);

    let listener = netns::inside(&netns, || Ok(TcpListener::bind("127.0.0.1:5009").unwrap())).unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _read = stream.read(&mut [0; 2048]);
            let _sent = stream.write_all(
                b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 77\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    let way = worker.reach(5009, &netns, "127.0.0.1:5009");
    assert_eq!(pull("127.0.0.1:5009/a:1"), "rate-limited");
    drop(way);
    // What could not be pulled stays in the journal, and a runbook asks about it.
    worker.ok("cp -a /root/hosts /etc/hosts; rm -r /etc/containerd/certs.d; journalctl -q --rotate; journalctl -q --vacuum-time=1s");
    worker.heal();
    healthy(&worker);
    drop(open);
    support::node::release(dir.path());
}

#[test]
fn a_class_whose_handler_or_shim_is_missing_is_named() {
    let Some(worker) = worker("worker-class") else { return };
    let class = || worker.cause("runtime-class --set handler=kata");
    assert_eq!(class(), "handler-missing");
    let handler = "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata]\n  runtime_type = \"io.containerd.kata.v2\"\n";
    worker.ok(&format!("printf '%s' '{handler}' >> /etc/containerd/config.toml; systemctl restart containerd"));
    assert_eq!(class(), "shim-missing");
    worker.ok("touch /usr/local/bin/containerd-shim-kata-v2");
    let cause = class();
    worker.ok("rm /usr/local/bin/containerd-shim-kata-v2");
    assert_eq!(cause, "shim-not-executable");
    worker.heal();
    healthy(&worker);
}

#[test]
fn inodes_that_run_out_are_named() {
    let Some(worker) = worker("worker-inodes") else { return };
    // A filesystem of its own, as many nodes have for it.
    worker.ok("systemctl stop containerd; truncate -s 64M /small; mke2fs -q -t ext4 -N 400 /small; mkdir -p /mnt/small; \
               mount -o loop /small /mnt/small; cp -a /var/lib/containerd/. /mnt/small; mount --bind /mnt/small /var/lib/containerd; \
               systemctl start containerd; n=0; while touch /var/lib/containerd/many-$n 2>/dev/null; do n=$((n + 1)); done");
    let cause = worker.cause("disk-full");
    worker.ok("systemctl stop containerd; umount /var/lib/containerd; umount /mnt/small; rm /small; systemctl start containerd");
    assert_eq!(cause, "inodes-exhausted");
    worker.heal();
    healthy(&worker);
}

#[test]
fn a_device_that_is_suspended_under_the_runtime_is_named() {
    let Some(worker) = worker("worker-suspended") else { return };
    worker.ok("systemctl stop containerd; truncate -s 128M /small; L=$(losetup -f --show /small); \
               dmsetup create held --table \"0 $(blockdev --getsz $L) linear $L 0\"; mke2fs -q -t ext4 /dev/mapper/held; \
               mkdir -p /mnt/small; mount /dev/mapper/held /mnt/small; cp -a /var/lib/containerd/. /mnt/small; \
               mount --bind /mnt/small /var/lib/containerd; systemctl start containerd");
    assert!(worker.doctor("runtime-unresponsive")["runbooks"][0]["cause"].is_null());
    // As a backup that makes a snapshot of the volume, and dies in the middle.
    worker.ok("dmsetup suspend held; setsid ctr -n k8s.io images tag registry.example.com/busybox:1 held:1 < /dev/null > /dev/null 2>&1 & \
               P=$(systemctl show -p MainPID --value containerd); \
               for i in $(seq 60); do grep -qs \") D \" /proc/$P/task/*/stat && break; sleep 1; done");
    let report = worker.doctor("runtime-unresponsive");
    worker.ok("dmsetup resume held; for i in $(seq 60); do ctr -n k8s.io images ls -q | grep -q held:1 && break; sleep 1; done");
    let well = worker.doctor("runtime-unresponsive");
    worker.ok("systemctl stop containerd; umount /var/lib/containerd; umount /mnt/small; dmsetup remove --retry held; losetup -D; \
               rm /small; systemctl start containerd");
    assert_eq!(report["runbooks"][0]["cause"], "io-stall", "{report:#}");
    assert!(report.to_string().contains("dmsetup resume held"), "{report:#}");
    assert!(well["runbooks"][0]["cause"].is_null(), "{well:#}");
    worker.heal();
    healthy(&worker);
}

#[test]
fn e8_an_upgrade_that_restarted_the_runtime_is_told() {
    let Some(worker) = worker("worker-upgrade") else { return };
    let told = || {
        let report = worker.doctor("incidents");
        let steps = report["runbooks"][0]["steps"].as_array().unwrap();
        steps.iter().find(|s| s["check"] == "incident-upgrade").unwrap()["finding"].clone()
    };
    assert_eq!(told()["verdict"], "pass");
    // The same files as a package of a newer version, and what needrestart does after it.
    worker.ok("d=/root/newer; mkdir -p $d/DEBIAN; dpkg -L runc | while read -r f; do [ -d \"$f\" ] || cp -a --parents \"$f\" $d; done; \
               printf \"Package: runc\\nVersion: 99\\nArchitecture: amd64\\nMaintainer: a test <a@example.com>\\nDescription: newer\\n\" > $d/DEBIAN/control; \
               dpkg-deb -Znone -b $d /root/newer.deb > /dev/null; dpkg -i /root/newer.deb > /dev/null; systemctl restart containerd");
    let found = told();
    worker.ok("rm -r /root/newer /root/newer.deb; mv /var/log/dpkg.log /root/dpkg.log");
    assert_eq!(found["verdict"], "warn", "{found:#}");
    assert!(found.to_string().contains("upgrade runc:amd64") && found.to_string().contains(" 99"), "{found:#}");
    assert_eq!(told()["verdict"], "pass");
    healthy(&worker);
}
