//! `wharf serve` with the cgroup driver systemd, on workers that systemd runs: with cgroup v2, and with the older hierarchies.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::worker::{Worker, older_worker, worker};

/// As people install it, with this test's options.
const UNIT: &str = include_str!("../../assets/systemd/wharf.service");
const DROP_IN: &str =
    "[Service]\nExecStart=\nExecStart=/usr/local/bin/wharf serve --config /root/wharf.toml\nRestart=no";
const CONFIG: &str = "version = 3
[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = 'wharf'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.wharf]
runtime_type = 'io.wharf.builtin.v1'
options = { SystemdCgroup = true }
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
options = { SystemdCgroup = true }
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]
runtime_type = 'io.containerd.runc.v2'
options = { SystemdCgroup = true, BinaryName = 'crun' }";

/// `pod NAME HANDLER PARENT`: a pod on the host's network with one container; `scope`: what systemd and the kernel say of that.
const SCOPE: &str = r#"pod() {
  echo '{"metadata":{"name":"'$1'","namespace":"default","uid":"'$1'","attempt":0},"linux":{"cgroup_parent":"'$3'","security_context":{"namespace_options":{"pid":'${PIDS:-0}',"network":'${NETWORK:-2}'}}}}' > /root/pod.json
  echo '{"metadata":{"name":"c","attempt":0},"image":{"image":"registry.example.com/busybox:1"},"command":['${4:-'"sleep","100000"'}'],"linux":{"security_context":{"namespace_options":{"pid":'${PIDS:-0}',"network":'${NETWORK:-2}'}},"resources":{"memory_limit_in_bytes":'${5:-67108864}',"cpu_quota":50000,"cpu_period":100000}}}' > /root/c.json
  wharf run --detach --no-pull -r $2 /root/c.json /root/pod.json > /root/container || return 1
  C=$(cat /root/container)
}
scope() {
  U=wharf-$C.scope; CG=$(systemctl show -p ControlGroup --value $U); G=/sys/fs/cgroup
  [ -d $G/memory ] && M=$G/memory P=$G/cpu || M=$G P=$G
  systemctl show -p Slice,Delegate,MemoryMax,MemoryLimit,CPUQuotaPerSecUSec,TasksMax,ActiveState,ControlGroup $U
  # crun's processes are in a group below its scope.
  own=$(find $M$CG -name cgroup.procs -exec grep -l . {} + | head -n 1 | xargs -r dirname); own=${own#$M}; M=$M$own P=$P$own
  for f in $M/memory.max $M/memory.limit_in_bytes $P/cpu.max $P/cpu.cfs_quota_us; do [ -f $f ] && echo ${f##*/} $(cat $f); done
  cat /proc/$(head -n 1 $M/cgroup.procs)/cgroup
  echo others $(systemctl list-units --no-legend 'wharf-*.scope' | grep -vc $C)
}
up() { for i in $(seq 60); do wharf version > /dev/null 2>&1 && break; sleep 0.5; done; }
ended() { for i in $(seq 60); do wharf inspect $C | grep -q CONTAINER_EXITED && break; sleep 0.5; done; wharf inspect $C | grep reason; }
# Until a container other than $old runs.
running() { for i in $(seq 20); do C=$(wharf ps -q --name '^c$' --state running 2> /dev/null); [ -n "$C" ] && [ "$C" != "$old" ] && break; sleep 0.5; C=; done; echo $C > /root/container; [ -n "$C" ]; }
# From the kubelet's port without TLS.
get() { (exec 3<> /dev/tcp/127.0.0.1/10255; printf "GET $1 HTTP/1.0\r\n\r\n" >&3; sed '1,/^.$/d' <&3) 2> /dev/null || true; }
export CONTAINER_RUNTIME_ENDPOINT=unix:///run/wharf/wharf.sock; C=$(cat /root/container 2> /dev/null)"#;

/// The worker's engine under systemd. It ends with everything it made.
struct Own<'a>(&'a Worker);

impl<'a> Own<'a> {
    fn start(worker: &'a Worker) -> Self {
        worker.ok(&format!(
            "cat > /root/wharf.toml <<'END'\n{CONFIG}\nEND\nmkdir -p /run/systemd/system/wharf.service.d\n\
             cat > /run/systemd/system/wharf.service <<'END'\n{UNIT}\nEND\n\
             cat > /run/systemd/system/wharf.service.d/test.conf <<'END'\n{DROP_IN}\nEND\n\
             cat > /root/scope.sh <<'END'\n{SCOPE}\nEND\n\
             systemctl daemon-reload; systemctl start wharf || exit 1; . /root/scope.sh; wharf version > /dev/null || exit 1; \
             wharf images import /root/furniture/image.tar > /dev/null"
        ));
        Self(worker)
    }

    fn ok(&self, script: &str) -> String {
        self.0.ok(&format!(". /root/scope.sh; {script}"))
    }

    fn end(self) {
        let left = self.ok(
            "wharf rmp -fa > /dev/null; systemctl list-units --all --no-legend 'wharf-*' 'kubepods*.slice'; \
             find /sys/fs/cgroup -name 'kubepods*.slice' -o -name 'wharf-*'; systemctl stop wharf; pgrep -x wharf-shim; \
             rm -r /run/systemd/system/wharf.service /run/systemd/system/wharf.service.d /var/lib/wharf /run/wharf; systemctl daemon-reload",
        );
        assert_eq!(left, "", "something is left");
    }
}

fn says(said: &str, lines: &[&str]) {
    for line in lines {
        assert!(said.lines().any(|l| l == *line), "{line}: {said}");
    }
}

/// Scopes that systemd knows, with limits it keeps, gone without a trace.
#[test]
fn pods_of_a_handler_with_the_systemd_driver_are_scopes() {
    let Some(worker) = worker("worker-systemd") else { return };
    let begin = Instant::now();
    let own = Own::start(&worker);
    let said = own.ok("wharf runtime-config; pod a wharf kubepods-burstable-pod7.slice; scope");
    assert!(said.contains("SYSTEMD"), "{said}");
    const SLICE: &str = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7.slice";
    says(
        &said,
        &[
            "Slice=kubepods-burstable-pod7.slice",
            "Delegate=yes",
            "MemoryMax=67108864",
            "CPUQuotaPerSecUSec=500ms",
            "TasksMax=infinity",
            "ActiveState=active",
            "memory.max 67108864",
            "cpu.max 50000 100000",
            "others 1",
        ],
    );
    assert!(
        said.contains(&format!("0::/{SLICE}/wharf-")) && said.contains(&format!("ControlGroup=/{SLICE}/wharf-")),
        "{said}"
    );

    // Limits change live, and a reload of systemd's does not take them back. A further process is in the scope as well.
    let said = own.ok("wharf update --memory 32m $C > /dev/null; systemctl daemon-reload; scope; \
         wharf exec $C sh -c 'sleep 4321 > /dev/null 2>&1 &'; echo inside $(wc -l < $M/cgroup.procs); \
         echo ready $(wharf info | grep -B1 '\"RuntimeReady\"' | grep -c true)");
    says(&said, &["MemoryMax=33554432", "memory.max 33554432", "inside 2", "ready 1"]);

    // Its engine is killed: nothing of the pod sees it, the next one finds it again.
    let said = own
        .ok("systemctl kill -s KILL --kill-who=main wharf; sleep 1; systemctl reset-failed wharf 2> /dev/null; \
         systemctl start wharf; up; scope; wharf ps; wharf stats -o json | grep -A1 workingSetBytes");
    assert!(said.contains("ActiveState=active") && said.contains("Running"), "{said}");
    assert!(said.contains("workingSetBytes") && !said.contains("\"value\": \"0\""), "{said}");

    // runc and crun make their scopes by themselves; who exceeds its limit is known as such although systemd removes the group at once.
    for handler in ["runc", "crun"] {
        let said = own.ok(&format!(
            "pod b {handler} kubepods-besteffort-pod8.slice; scope; wharf rmp -f $(wharf pods -q --name '^b$') > /dev/null"
        ));
        assert!(said.contains("kubepods-besteffort-pod8.slice/wharf-"), "{handler}: {said}");
        says(&said, &["ActiveState=active", "memory.max 67108864", "cpu.max 50000 100000"]);
    }
    let said = own.ok(&format!("pod d wharf kubepods-burstable-pod7.slice {HOG}; ended"));
    assert!(said.contains("OOMKilled"), "{said}");

    // A kubelet with the other driver is told which is which.
    let said = own.ok("pod c wharf /kubepods/burstable/pod9 2>&1 || true");
    assert!(said.contains("cgroup driver cgroupfs") && said.contains("cgroup driver systemd"), "{said}");

    own.end();
    println!("emulated: {:.0} s", begin.elapsed().as_secs_f64());
}

/// A command that wants more memory than its limit.
const HOG: &str = r#"'"dd","if=/dev/zero","of=/dev/null","bs=64M"' 16777216"#;

#[test]
fn on_a_worker_with_the_older_hierarchies_they_are_scopes_too() {
    let Some(worker) = older_worker("worker-older") else { return };
    let begin = Instant::now();
    let own = Own::start(&worker);
    assert!(own.ok("wharf runtime-config; cat /proc/1/cgroup").contains(":memory:/init.scope"));
    for handler in ["wharf", "runc", "crun"] {
        let said = own.ok(&format!(
            "pod a {handler} kubepods-burstable-pod7.slice; scope; wharf exec $C sh -c 'echo x > /dev/full' 2>&1; \
             wharf update --memory 32m $C 2>&1 > /dev/null; systemctl daemon-reload; scope"
        ));
        says(
            &said,
            &[
                "Slice=kubepods-burstable-pod7.slice",
                "Delegate=yes",
                "ActiveState=active",
                "memory.limit_in_bytes 67108864",
                "cpu.cfs_quota_us 50000",
                "memory.limit_in_bytes 33554432",
            ],
        );
        // crun writes its limits to the files alone.
        if handler != "crun" {
            says(&said, &["MemoryLimit=67108864", "CPUQuotaPerSecUSec=500ms", "MemoryLimit=33554432"]);
        }
        assert!(said.contains("write error: No space left on device"), "{handler}: {said}");
        let group = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7.slice/wharf-";
        assert!(said.contains(&format!(":memory:{group}")), "{handler}: {said}");
        let said = own.ok(&format!(
            "systemctl kill -s KILL --kill-who=main wharf; sleep 1; systemctl reset-failed wharf 2> /dev/null; systemctl start wharf; up; \
             wharf ps | grep -c Running; wharf rmp -f $(wharf pods -q --name '^a$') > /dev/null; pod d {handler} kubepods-burstable-pod7.slice {HOG}; \
             ended; wharf rmp -fa > /dev/null"
        ));
        assert!(said.starts_with("1\n"), "{handler}: {said}");
        assert!(said.contains("OOMKilled"), "{handler}: {said}");
    }
    own.end();
    println!("emulated: {:.0} s", begin.elapsed().as_secs_f64());
}

/// A kubelet with the driver systemd, by itself: the slices are its own.
#[test]
fn pods_of_a_kubelet_with_the_systemd_driver_are_scopes_in_its_slices() {
    let Some(worker) = worker("worker-kubelet-systemd") else { return };
    if !worker.kubelet("worker-kubelet-systemd") {
        return;
    }
    let begin = Instant::now();
    let own = Own::start(&worker);
    worker.kubelet_with("readOnlyPort: 10255\n");
    own.ok(&format!(
        "sed -i 's,containerd/containerd.sock,wharf/wharf.sock,; s/cgroupDriver: cgroupfs/cgroupDriver: systemd/; \
         s,/run/systemd/resolve/resolv.conf,/etc/resolv.conf,' /var/lib/kubelet/config.yaml; \
         systemctl restart kubelet; cat > /etc/kubernetes/manifests/web.yaml <<'END'\n{POD}\nEND"
    ));
    let deadline = begin + Duration::from_secs(400);
    while own.ok("running && echo yes || true") != "yes" {
        let said = || own.ok("wharf pods; wharf ps -a; journalctl -q -u kubelet -n 20 --no-pager");
        assert!(Instant::now() < deadline, "the pod does not run:\n{}", said());
    }
    let said = own.ok("scope && cat ${M%/*}/memory.max");
    says(&said, &["Delegate=yes", "MemoryMax=67108864", "CPUQuotaPerSecUSec=500ms", "memory.max 67108864", "67108864"]);
    assert!(said.contains("Slice=kubepods-burstable-pod"), "{said}");

    // The kubelet gathers one after another.
    while let Some(missing) = unused(&own.ok("get /stats/summary")) {
        assert!(Instant::now() < deadline, "{missing}");
        thread::sleep(Duration::from_secs(1));
    }

    // Both agree, and doctor sees that; what is killed is started again, in a scope of its own.
    let report: Value = serde_json::from_str(&own.ok("wharf doctor cgroup-driver -o json")).unwrap();
    assert_eq!(report["runbooks"][0]["verdict"], "pass", "{report:#}");
    let said =
        own.ok("scope > /dev/null; old=$C; kill -9 $(cat $M/cgroup.procs); running || running || running; scope");
    says(&said, &["ActiveState=active"]);

    own.ok("rm /etc/kubernetes/manifests/web.yaml; for i in $(seq 90); do [ -z \"$(wharf pods -q)\" ] && exit; sleep 1; done; wharf pods; exit 1");
    own.ok("systemctl stop kubelet; systemctl stop kubepods.slice");
    own.end();
    worker.heal();
    println!("emulated: {:.0} s", begin.elapsed().as_secs_f64());
}

/// What the kubelet's summary does not tell yet of the pod.
fn unused(summary: &str) -> Option<String> {
    // Its network and processes only cAdvisor could tell, which knows no runtimes but containerd and CRI-O.
    const TOLD: [&str; 5] = [
        "/memory/workingSetBytes",
        "/containers/0/memory/workingSetBytes",
        "/containers/0/cpu/usageCoreNanoSeconds",
        "/containers/0/rootfs/usedBytes",
        "/containers/0/logs/usedBytes",
    ];
    let Ok(summary) = serde_json::from_str::<Value>(summary) else { return Some(summary.to_owned()) };
    let pods = summary["pods"].as_array().into_iter().flatten();
    let Some(pod) = pods.into_iter().find(|p| p["podRef"]["name"] == "web-worker-1") else {
        return Some(format!("{summary:#}"));
    };
    let told = |path: &&&str| pod.pointer(path).and_then(Value::as_u64).unwrap_or(0) > 0;
    TOLD.iter().find(|path| !told(path)).map(|path| format!("{path}: {pod:#}"))
}

const POD: &str = "apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: registry.example.com/busybox:1
    imagePullPolicy: Never
    command: [sh, -c, 'echo hello; echo hello > /file; sleep 100000 & wait']
    resources: {limits: {memory: 64Mi, cpu: 500m}, requests: {memory: 32Mi, cpu: 100m}}";

/// What a person who looks for an intruder asks for: its memory, its files, its output; and it goes on.
#[test]
fn a_running_container_is_written_to_an_archive() {
    let Some(worker) = worker("worker-checkpoint") else { return };
    let begin = Instant::now();
    let own = Own::start(&worker);
    for handler in ["runc", "crun", "wharf"] {
        let said = own.ok(&format!(
            r#"NETWORK=0 PIDS=1 pod a {handler} kubepods-burstable-pod7.slice '"sh","-c","word=plugh; busybox rm /bin/wget; while :; do i=$((i+1)); echo $i > /count; echo line $i; sleep 0.2; done"' || exit 1
            sleep 1; wharf checkpoint --export /root/a.tar $C || exit 1; old=$(wharf exec $C cat /count)
            stat -c %a /root/a.tar; tar -tf /root/a.tar | sort; tar -xOf /root/a.tar rootfs-diff.tar | tar -t
            tar -xOf /root/a.tar --wildcards 'checkpoint/pages-*.img' | grep -ao word=plugh | uniq
            tar -xOf /root/a.tar config.dump; echo; tar -xOf /root/a.tar spec.dump | head -c 20; echo
            sleep 1; [ $(wharf exec $C cat /count) -gt $old ] && echo goes on
            ls -A /var/lib/wharf/checkpoints; grep -c checkpoints /proc/mounts; ls -A /root/*.partial 2> /dev/null
            wharf rmp -fa > /dev/null"#
        ));
        says(
            &said,
            &[
                "600",
                "checkpoint/inventory.img",
                "checkpoint/descriptors.json",
                "config.dump",
                "dump.log",
                "rootfs-diff.tar",
                "spec.dump",
                "stats-dump",
                "status",
                "count",
                "bin/.wh.wget",
                "word=plugh",
                "goes on",
            ],
        );
        assert!(said.ends_with("goes on\n0"), "{handler}: something is left: {said}");
    }
    // It is all there: runc makes the process of our own runtime go on in another pod, by this and the image alone.
    let said = own.ok(&format!(
        "{RESTORE}; NETWORK=0 pod b wharf kubepods-burstable-pod7.slice && restore; wharf rmp -fa > /dev/null"
    ));
    assert!(said.ends_with("and on"), "{said}");

    let refused = own.ok(
        "pod a wharf kubepods-burstable-pod7.slice; for p in a.tar /root/missing/a.tar; do wharf checkpoint --export $p $C 2>&1; done; \
         mv /usr/sbin/criu /usr/sbin/no-criu; wharf checkpoint --export /root/b.tar $C 2>&1; mv /usr/sbin/no-criu /usr/sbin/criu; \
         wharf stop -t 0 $C > /dev/null; wharf checkpoint --export /root/b.tar $C 2>&1; ls -A /root/*.partial /root/b.tar 2> /dev/null; \
         ls -A /var/lib/wharf/checkpoints",
    );
    let lines: Vec<_> = refused.lines().collect();
    let reasons = ["not the absolute path", "/root/missing/", "there is no criu on this node: install", "not running"];
    assert_eq!(lines.len(), reasons.len(), "{refused}");
    for (line, reason) in lines.iter().zip(reasons) {
        assert!(line.contains(reason), "{line}");
    }
    own.end();
    println!("emulated: {:.0} s", begin.elapsed().as_secs_f64());
}

/// What is in /root/a.tar, with the files and the network of the container $C.
const RESTORE: &str = r#"restore() {
  rm -rf /root/r; mkdir /root/r; cd /root/r; tar -xf /root/a.tar; cp -a /run/wharf/pods/*/containers/$C/rootfs .; tar -xf rootfs-diff.tar -C rootfs
  find rootfs -name '.wh.*' | while read w; do rm -rf $w ${w/.wh./}; done; [ ! -e rootfs/bin/wget ] || return 1
  python3 - /run/wharf/netns/* << 'END'
import json, os, sys
spec = json.load(open('spec.dump')); spec['root']['path'] = '/root/r/rootfs'; spec['linux']['cgroupsPath'] = 'wharf-restored.slice:wharf:restored'
for mount in spec['mounts']:
    if 'rbind' in mount.get('options', []):
        mount['source'] = '/root/r/' + os.path.basename(mount['source'])
        os.mkdir(mount['source']) if mount['source'].endswith('shm') else open(mount['source'], 'w').close()
for namespace in spec['linux']['namespaces']:
    namespace.pop('path', None)
    if namespace['type'] == 'network': namespace['path'] = sys.argv[1]
json.dump(spec, open('config.json', 'w'))
END
  was=$(cat rootfs/count)
  runc --systemd-cgroup restore --image-path checkpoint --work-path . --bundle . --detach --tcp-established --ext-unix-sk --file-locks restored < /dev/null > out 2>&1 || { cat out restore.log | tail -n 20; return 1; }
  sleep 2; [ $(cat rootfs/count) -gt $was ] && grep -q "^line $((was + 1))$" out && echo and on; runc delete -f restored; systemctl stop wharf-restored.slice
  # CRIU has made the group again that it was in.
  for i in $(seq 20); do rmdir $(find /sys/fs/cgroup -name "wharf-$(grep -o '"id":"[0-9a-f]*' config.dump | cut -d '"' -f 4).scope") 2> /dev/null && break; sleep 0.2; done
}"#;
