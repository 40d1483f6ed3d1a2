//! One suite over every OCI runtime behind the shim: the built-in one, runc, crun, runc under containerd's shims of both
//! protocols. Real kernel, real processes.

use std::{
    fs,
    io::Read,
    os::fd::OwnedFd,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wharf::{
    engine::{
        cgroup::Cgroup,
        shim::{BuiltinShims, CreateTask, ExecTask, ForeignShim, PodSpec, Runtime, Shims, Task, TaskState},
    },
    error::Kind,
};

use crate::support;

/// The runtimes that this machine has.
fn runtimes(test: &str) -> Vec<Runtime> {
    let mut found = vec![Runtime::BuiltIn];
    found.extend(support::program(test, "runc").map(Runtime::Command));
    // crun refuses machines where both cgroup versions have controllers.
    let mixed = fs::read_to_string("/sys/fs/cgroup/unified/cgroup.controllers").is_ok_and(|c| !c.trim().is_empty());
    if mixed {
        eprintln!("{test}: without crun, which does not run on hybrid cgroups");
    } else {
        found.extend(support::program(test, "crun").map(Runtime::Command));
    }
    let shim = |program| Runtime::Shim(ForeignShim { kind: "io.containerd.runc.v2".into(), program, options: None });
    // Debian's speaks v2 of the task service, the other v3.
    found.extend(support::program(test, "containerd-shim-runc-v2").map(shim));
    found.extend(support::containerd_2(test).map(|d| shim(d.join("containerd-shim-runc-v2"))));
    found
}

/// A pod with a shim of its own and a busybox root, all in a temporary directory.
struct Pod {
    dir: tempfile::TempDir,
    spec: PodSpec,
    task: Arc<dyn Task>,
    containers: u32,
}

impl Pod {
    async fn new(test: &str, runtime: Runtime) -> Option<Self> {
        if !support::root(test) {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        if !support::busybox_root(test, &dir.path().join("root")) {
            return None;
        }
        static PODS: AtomicU32 = AtomicU32::new(0);
        let id = format!("{test}-{}-{}", std::process::id(), PODS.fetch_add(1, Ordering::Relaxed));
        let spec = PodSpec {
            directory: dir.path().join("shim"),
            runtime,
            netns: None,
            users: None,
            namespaces: vec!["ipc".into(), "uts".into()],
            hostname: "anchor".into(),
            sysctls: vec![],
            cgroup: format!("/wharf-test-{id}/pod"),
            oom_score_adj: 0,
            id,
        };
        let task = shims().launch(&spec).await.unwrap();
        Some(Self { dir, spec, task, containers: 0 })
    }

    fn cgroup(&self, id: &str) -> String {
        format!("{}/{id}", self.spec.cgroup.rsplit_once('/').unwrap().0)
    }

    /// The last container's id. runc under a shim of containerd's has all pods' in one place.
    fn container(&self) -> String {
        format!("{}-c{}", self.spec.id, self.containers)
    }

    /// A container of `sh -c script`; `change` edits the OCI document first.
    async fn create(&mut self, script: &str, change: impl FnOnce(&mut Value)) -> Result<String, wharf::error::Error> {
        self.containers += 1;
        let id = self.container();
        let bundle = self.dir.path().join(&id);
        fs::create_dir_all(&bundle).unwrap();
        let mut document = document(&self.dir.path().join("root"), &self.cgroup(&id), self.task.pids().1, script);
        change(&mut document);
        fs::write(bundle.join("config.json"), document.to_string()).unwrap();
        let tty = document["process"]["terminal"] == true;
        let log = Some(bundle.join("log"));
        let task = CreateTask { id: id.clone(), bundle, log, tty, stdin: false, stdin_once: false };
        self.task.create(&task).await.map(|_| id)
    }

    async fn run(&mut self, script: &str, change: impl FnOnce(&mut Value)) -> (i32, String) {
        let id = self.create(script, change).await.unwrap();
        self.task.start(&id).await.unwrap();
        let code = self.wait(&id).await;
        (code, self.log(&id))
    }

    async fn wait(&self, id: &str) -> i32 {
        tokio::time::timeout(Duration::from_secs(20), self.task.wait(id, None)).await.unwrap().unwrap().code
    }

    /// The text of the log, without what CRI puts before each line.
    fn log(&self, id: &str) -> String {
        let text = fs::read_to_string(self.dir.path().join(id).join("log")).unwrap();
        text.lines().map(|l| l.splitn(4, ' ').nth(3).unwrap().to_owned() + "\n").collect()
    }

    async fn exec(&self, id: &str, exec: &str, script: &str) -> Result<(i32, String), wharf::error::Error> {
        let text = fs::read(self.dir.path().join(id).join("config.json")).unwrap();
        let mut document: Value = serde_json::from_slice(&text).unwrap();
        document["process"]["args"] = json!(["/bin/sh", "-c", script]);
        let process = serde_json::from_value(document["process"].take()).unwrap();
        let (mut read, write) = std::io::pipe().unwrap();
        let null = || OwnedFd::from(fs::File::options().read(true).write(true).open("/dev/null").unwrap());
        let stdio = [null(), write.into(), null()];
        self.task.exec(id, ExecTask { id: exec.into(), process, stdio }).await?;
        let code = self.task.wait(id, Some(exec)).await?.code;
        let mut out = String::new();
        read.read_to_string(&mut out).unwrap();
        self.task.delete(id, Some(exec)).await?;
        Ok((code, out))
    }

    /// Ends everything and looks whether anything is left.
    async fn end(self) {
        let (shim, pause) = self.task.pids();
        let foreign = foreign(&self);
        let bundle = self.spec.directory.join("sandbox").join(&self.spec.id);
        let socket = fs::read_to_string(bundle.join("socket")).ok();
        self.task.shutdown().await.unwrap();
        let parent = Cgroup::new(self.spec.cgroup.rsplit_once('/').unwrap().0).unwrap();
        for path in [self.spec.cgroup.clone(), self.cgroup(&self.container()), self.cgroup("pod-sandbox")] {
            assert!(!Cgroup::new(&path).unwrap().exists(), "cgroup {path} is left");
        }
        parent.delete().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        let foreign = foreign.into_iter().map(i32::cast_unsigned);
        for pid in [shim, pause].into_iter().chain(foreign) {
            while Path::new(&format!("/proc/{pid}")).exists() {
                assert!(Instant::now() < deadline, "process {pid} is left");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!mounts.contains(&*self.dir.path().to_string_lossy()), "a mount is left");
        assert!(socket.is_none_or(|s| !Path::new(&s).exists()), "a socket is left");
        for state in ["/run/containerd/runc/k8s.io", "/run/runc/k8s.io"] {
            let names = fs::read_dir(state).into_iter().flatten().flatten().map(|e| e.file_name());
            let left: Vec<_> = names.filter(|n| n.to_string_lossy().contains(&self.spec.id)).collect();
            assert!(left.is_empty(), "{left:?} in {state}");
        }
    }
}

fn shims() -> BuiltinShims {
    BuiltinShims::of(Path::new(support::WHARF)).unwrap()
}

fn document(root: &Path, cgroup: &str, pause: u32, script: &str) -> Value {
    let caps = json!(["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_DAC_OVERRIDE"]);
    let own = |kind: &str| json!({ "type": kind });
    let of = |kind: &str, file: &str| json!({ "type": kind, "path": format!("/proc/{pause}/ns/{file}") });
    let mount = |to: &str, kind: &str, options: Value| json!({ "destination": to, "type": kind, "source": kind, "options": options });
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 0, "gid": 0 }, "cwd": "/", "args": ["/bin/sh", "-c", script],
            "env": ["PATH=/bin:/sbin", "GREETING=ahoy"], "noNewPrivileges": true,
            "capabilities": { "bounding": caps, "effective": caps, "permitted": caps },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 512, "hard": 512 }],
        },
        "root": { "path": root },
        "mounts": [
            mount("/proc", "proc", json!(["nosuid", "noexec", "nodev"])),
            mount("/dev", "tmpfs", json!(["nosuid", "strictatime", "mode=755", "size=65536k"])),
            mount("/dev/pts", "devpts", json!(["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"])),
            mount("/sys", "sysfs", json!(["nosuid", "noexec", "nodev", "ro"])),
            mount("/sys/fs/cgroup", "cgroup", json!(["nosuid", "noexec", "nodev", "relatime", "ro"])),
        ],
        "linux": {
            "cgroupsPath": cgroup,
            "resources": { "pids": { "limit": 64 }, "devices": [{ "allow": false, "access": "rwm" },
                { "allow": true, "type": "c", "access": "m" }, { "allow": true, "type": "b", "access": "m" },
                { "allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm" },
                { "allow": true, "type": "c", "major": 5, "access": "rwm" },
                { "allow": true, "type": "c", "major": 136, "access": "rwm" }] },
            "namespaces": [own("mount"), own("pid"), own("cgroup"), of("ipc", "ipc"), of("uts", "uts")],
            "maskedPaths": ["/proc/kcore", "/sys/firmware", "/no/such"],
            "readonlyPaths": ["/proc/sys"],
        },
    })
}

#[tokio::test]
async fn output_exit_codes_and_environment() {
    for runtime in runtimes("output") {
        let Some(mut pod) = Pod::new("output", runtime).await else { return };
        let (code, log) = pod.run("echo $GREETING; hostname; echo pid $$; exit 3", |_| ()).await;
        assert_eq!((code, log.as_str()), (3, "ahoy\nanchor\npid 1\n"));
        let (code, log) = pod.run("kill -9 $$; echo no", |_| ()).await;
        // The first process of a pid namespace ignores what it sends itself.
        assert_eq!((code, log.as_str()), (0, "no\n"));
        pod.end().await;
    }
}

#[tokio::test]
async fn a_program_that_is_missing_fails_at_its_start_with_127() {
    let Some(mut pod) = Pod::new("missing", Runtime::BuiltIn).await else { return };
    let id = pod.create("", |d| d["process"]["args"] = json!(["nosuch"])).await.unwrap();
    let error = pod.task.start(&id).await.unwrap_err();
    assert!(error.is(Kind::NotFound) && error.to_string().contains("nosuch"), "{error:?}");
    assert_eq!(pod.wait(&id).await, 127);
    let id = pod.create("", |d| d["process"]["args"] = json!(["/etc/passwd"])).await.unwrap();
    let error = pod.task.start(&id).await.unwrap_err();
    assert!(error.is(Kind::PermissionDenied), "{error:?}");
    assert_eq!(pod.wait(&id).await, 126);
    pod.end().await;
}

#[tokio::test]
async fn a_container_is_confined() {
    for runtime in runtimes("confined") {
        let Some(mut pod) = Pod::new("confined", runtime.clone()).await else { return };
        let script = "grep -E 'Cap(Inh|Eff|Bnd)|NoNewPrivs' /proc/self/status; ls /proc/self/fd; \
            touch /proc/sys/kernel/x 2>/dev/null || echo sys-ro; cat /proc/kcore 2>/dev/null | head -c 1; \
            mount -t tmpfs t /tmp 2>/dev/null || echo no-mount; ls /proc | grep -c '^[0-9]*$'; head -c 1 /dev/null; ls /sys/fs/cgroup/pids; ulimit -n";
        let (code, log) = pod.run(script, |_| ()).await;
        assert_eq!(code, 0, "{runtime:?} {log}");
        // CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID; nothing inheritable (RUN-12).
        for line in
            ["CapInh:\t0000000000000000", "CapEff:\t00000000000000e3", "CapBnd:\t00000000000000e3", "NoNewPrivs:\t1"]
        {
            assert!(log.contains(line), "{runtime:?}: no {line:?} in {log}");
        }
        // RUN-02: 0, 1, 2 and the one that ls itself has open.
        assert!(log.contains("0\n1\n2\n3\nsys-ro\n"), "{runtime:?} {log}");
        assert!(log.contains("no-mount") && log.contains("pids.max") && log.ends_with("512\n"), "{runtime:?} {log}");
        pod.end().await;
    }
}

#[tokio::test]
async fn run_03_a_working_directory_outside_is_refused() {
    let Some(mut pod) = Pod::new("cwd", Runtime::BuiltIn).await else { return };
    for fd in 3..12 {
        let made = pod.create("pwd", |d| d["process"]["cwd"] = json!(format!("/proc/self/fd/{fd}"))).await;
        let error = match made {
            Ok(id) => pod.task.start(&id).await.unwrap_err(),
            Err(error) => error,
        };
        assert!(error.to_string().contains("working directory"), "{error:?}");
    }
    let (_, log) = pod.run("pwd; pwd", |d| d["process"]["cwd"] = json!("/made/for/it")).await;
    assert!(log.starts_with("/made/for/it\n"), "{log}");
    pod.end().await;
}

#[tokio::test]
async fn mounts_are_where_they_belong() {
    for runtime in runtimes("mounts") {
        let Some(mut pod) = Pod::new("mounts", runtime.clone()).await else { return };
        let data = pod.dir.path().join("data");
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("file"), "cargo\n").unwrap();
        let bind = |to: &str, from: &Path, options: Value| json!({ "destination": to, "type": "bind", "source": from, "options": options });
        let list = vec![
            bind("/data", &data, json!(["rbind", "rprivate", "rw"])),
            bind("/frozen", &data, json!(["rbind", "rprivate", "ro"])),
            bind("/etc/motd", &data.join("file"), json!(["bind", "rprivate", "ro"])),
        ];
        let script = "cat /data/file /etc/motd; echo new > /data/new; touch /frozen/x 2>/dev/null || echo ro; touch /x 2>/dev/null || echo root-ro";
        let (code, log) = pod
            .run(script, |d| {
                d["mounts"].as_array_mut().unwrap().extend(list);
                d["root"]["readonly"] = json!(true);
            })
            .await;
        assert_eq!((code, log.as_str()), (0, "cargo\ncargo\nro\nroot-ro\n"), "{runtime:?}");
        assert_eq!(fs::read_to_string(data.join("new")).unwrap(), "new\n");
        pod.end().await;
    }
}

#[tokio::test]
async fn further_processes_join_the_container() {
    for runtime in runtimes("exec") {
        let Some(mut pod) = Pod::new("exec", runtime.clone()).await else { return };
        let id = pod.create("sleep 1000", |_| ()).await.unwrap();
        let early = pod.exec(&id, "e0", "true").await.unwrap_err();
        assert!(early.is(Kind::FailedPrecondition), "{early:?}");
        pod.task.start(&id).await.unwrap();
        let script =
            "hostname; grep CapEff /proc/self/status; ls /proc/self/fd | wc -l 2>/dev/null; cat /proc/1/comm; exit 7";
        let (code, out) = pod.exec(&id, "e1", script).await.unwrap();
        assert_eq!(code, 7, "{runtime:?} {out}");
        assert!(
            out.starts_with("anchor\nCapEff:\t00000000000000e3\n") && out.ends_with("sleep\n"),
            "{runtime:?} {out}"
        );
        assert!(pod.task.state(&id, Some("e1")).await.unwrap_err().is(Kind::NotFound));
        assert!(matches!(pod.task.state(&id, None).await.unwrap(), TaskState::Running { .. }));
        pod.task.kill(&id, None, libc::SIGKILL, true).await.unwrap();
        assert_eq!(pod.wait(&id).await, 137);
        assert_eq!(pod.task.delete(&id, None).await.unwrap().code, 137);
        assert!(pod.task.state(&id, None).await.unwrap_err().is(Kind::NotFound));
        pod.end().await;
    }
}

#[tokio::test]
async fn the_memory_limit_kills_and_is_told_apart() {
    for runtime in runtimes("oom") {
        let Some(mut pod) = Pod::new("oom", runtime.clone()).await else { return };
        let limit = |d: &mut Value| d["linux"]["resources"]["memory"] = json!({ "limit": 16 << 20, "swap": 16 << 20 });
        let id = pod.create("exec dd if=/proc/self/mem of=/x bs=64M count=1 2>/dev/null </dev/null || x=$(head -c 64000000 /bin/busybox /bin/busybox /bin/busybox /bin/busybox /bin/busybox /bin/busybox /bin/busybox /bin/busybox /bin/busybox /bin/busybox); echo survived", limit).await.unwrap();
        pod.task.start(&id).await.unwrap();
        let status = pod.task.wait(&id, None).await.unwrap();
        if status.code != 1 {
            assert!(status.oom_killed && status.code == 137, "{runtime:?} {status:?} {}", pod.log(&id));
        }
        pod.end().await;
    }
}

#[tokio::test]
async fn terminals_belong_to_the_container() {
    for runtime in runtimes("tty") {
        let Some(mut pod) = Pod::new("tty", runtime.clone()).await else { return };
        let terminal = |d: &mut Value| d["process"]["terminal"] = json!(true);
        let id = pod.create("tty; stty size; [ -c /dev/console ] && echo console", terminal).await.unwrap();
        pod.task.resize(&id, None, 100, 30).await.unwrap();
        pod.task.start(&id).await.unwrap();
        assert_eq!(pod.wait(&id).await, 0);
        assert_eq!(pod.log(&id), "/dev/pts/0\n30 100\nconsole\n", "{runtime:?}");
        pod.end().await;
    }
}

#[tokio::test]
async fn the_shim_outlives_whoever_started_it_and_no_line_is_missed() {
    let Some(mut pod) = Pod::new("adopt", Runtime::BuiltIn).await else { return };
    let id =
        pod.create("for i in $(seq 1 300); do echo line $i; done; sleep 0.3; echo last; exit 5", |_| ()).await.unwrap();
    pod.task.start(&id).await.unwrap();
    let pids = pod.task.pids();
    pod.task = shims().reconnect(&pod.spec.directory).await.unwrap();
    assert_eq!(pod.task.pids(), pids);
    assert_eq!(pod.wait(&id).await, 5);
    let log = pod.log(&id);
    assert_eq!(log.lines().count(), 301);
    assert!(log.ends_with("line 300\nlast\n"));
    pod.end().await;
}

#[tokio::test]
async fn what_a_dead_shim_leaves_can_be_found_and_removed() {
    for runtime in runtimes("dead") {
        left_by_the_dead(runtime).await;
    }
}

async fn left_by_the_dead(runtime: Runtime) {
    let Some(mut pod) = Pod::new("dead", runtime).await else { return };
    let id = pod.create("sleep 1000", |_| ()).await.unwrap();
    pod.task.start(&id).await.unwrap();
    let (shim, _) = pod.task.pids();
    let pid = rustix::process::Pid::from_raw(shim.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let error = pod.task.wait(&id, None).await.unwrap_err();
    assert!(matches!(error.kind(), Kind::NotFound | Kind::Unavailable), "{error:?}");
    while Path::new(&format!("/proc/{shim}")).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(shims().reconnect(&pod.spec.directory).await.unwrap_err().is(Kind::NotFound));
    assert_eq!(pod.task.delete(&id, None).await.unwrap().code, 255);
    pod.end().await;
}

/// The pids of what a pod's containerd shim has as its command line.
fn foreign(pod: &Pod) -> Vec<i32> {
    let all = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    let is = |pid: &i32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.contains("containerd-shim-") && line.contains(&format!("\0{}\0", pod.spec.id))
    };
    all.filter(is).collect()
}

#[tokio::test]
async fn a_containerd_shim_that_dies_ends_its_containers_and_nothing_is_left() {
    for runtime in runtimes("killed").into_iter().filter(|r| matches!(r, Runtime::Shim(_))) {
        let Some(mut pod) = Pod::new("killed", runtime.clone()).await else { return };
        let id = pod.create("sleep 1000", |_| ()).await.unwrap();
        pod.task.start(&id).await.unwrap();
        let [shim] = foreign(&pod)[..] else { panic!("{runtime:?}: {:?}", foreign(&pod)) };
        let pid = rustix::process::Pid::from_raw(shim).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        assert_eq!(pod.wait(&id).await, 255, "{runtime:?}");
        let left = Cgroup::new(pod.cgroup(&id)).unwrap().pids().unwrap();
        assert!(left.is_empty(), "POD-07: {left:?} go on under the name of what has ended");
        let error = pod.create("true", |_| ()).await.unwrap_err();
        assert!(error.is(Kind::Unavailable) && format!("{error:#}").contains("has gone"), "{error:?}");
        assert_eq!(pod.task.delete(&id, None).await.unwrap().code, 255);
        pod.end().await;
    }
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused_and_nothing_is_left() {
    let Some(mut pod) = Pod::new("refused", Runtime::BuiltIn).await else { return };
    type Change = Box<dyn FnOnce(&mut Value)>;
    let broken: Vec<(&str, Change)> = vec![
        ("seccomp", Box::new(|d| d["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_NOTIFY" }))),
        ("mount namespace", Box::new(|d| drop(d["linux"]["namespaces"].as_array_mut().unwrap().remove(0)))),
        ("no program", Box::new(|d| d["process"]["args"] = json!([]))),
        ("nowhere", Box::new(|d| d["root"]["path"] = json!("/nowhere"))),
    ];
    for (word, change) in broken {
        let error = pod.create("true", change).await.unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error:?}");
        assert!(!Cgroup::new(pod.cgroup(&pod.container())).unwrap().exists(), "{word}");
    }
    // Links of the image: /proc elsewhere (CVE-2019-19921), a mount that would leave the root.
    let root = pod.dir.path().join("root");
    fs::remove_dir(root.join("proc")).unwrap();
    std::os::unix::fs::symlink("/etc", root.join("proc")).unwrap();
    let error = pod.create("true", |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("ordinary directory"), "{error:?}");
    pod.end().await;
}
