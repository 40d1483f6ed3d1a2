//! devmapper in a thin pool, on the emulated worker: the kernels that tests run on have none.

use std::time::Instant;

use crate::support::worker::worker;

const CONFIG: &str = "version = 3
[plugins.'io.containerd.cri.v1.images']
snapshotter = 'devmapper'
[plugins.'io.containerd.snapshotter.v1.devmapper']
pool_name = 'thin'
base_image_size = '64MB'
discard_blocks = true";

/// A pool on two files.
const POOL: &str = r#"modprobe dm-thin-pool && mkdir /root/thin && cd /root/thin && truncate -s 4M meta && truncate -s 256M data || exit 1
M=$(losetup -f --show meta) D=$(losetup -f --show data)
dmsetup create thin --table "0 524288 thin-pool $M $D 128 0""#;
/// `serve UNIT`: an engine that is not the worker's, whose pods outlive it. `until_said WORDS COMMAND`.
const SHELL: &str = r#"until_said() { W=$1; shift; for i in $(seq 60); do "$@" 2>&1 | grep -q "$W" && return; sleep 0.5; done; "$@"; return 1; }
serve() {
  systemd-run -q --unit $1 -p KillMode=process wharf serve --config /root/thin/config.toml --root /root/thin/lib --state /run/wharf-thin --listen /run/wharf-thin.sock
  until_said RuntimeVersion wharf version
}
export CONTAINER_RUNTIME_ENDPOINT=unix:///run/wharf-thin.sock"#;
const POD: &str = r#"{"metadata":{"name":"thin","namespace":"default","uid":"thin","attempt":0},"linux":{"security_context":{"namespace_options":{"network":2}}}}"#;
const CONTAINER: &str = r#"{"metadata":{"name":"c","attempt":0},"image":{"image":"registry.example.com/busybox:1"},"command":["sh","-c","dd if=/dev/zero of=/own bs=1M count=3; sleep 100000"],"linux":{}}"#;

#[test]
fn containers_run_from_thin_devices_and_leave_none() {
    let Some(worker) = worker("worker-thin") else { return };
    let begin = Instant::now();
    worker.ok(POOL);
    worker.ok(&format!(
        "cd /root/thin; echo '{POD}' > pod.json; echo '{CONTAINER}' > c.json; echo \"{CONFIG}\" > config.toml; \
         echo '{}' > shell",
        SHELL.replace('\'', r"'\''")
    ));
    let ok = |script: &str| worker.ok(&format!(". /root/thin/shell; {script}"));
    let said = ok("serve thin-1 && wharf images import /root/furniture/image.tar > /dev/null && dmsetup ls");
    assert!(!said.contains("thin-wharf-"), "a layer is no block device: {said}");
    let said = ok("C=$(wharf run --detach --no-pull /root/thin/c.json /root/thin/pod.json); \
         until_said 3145728 wharf exec $C ls -l /own; wharf exec $C cat /proc/mounts; dmsetup ls");
    let root = said.lines().find(|line| line.contains(" / ")).unwrap_or_default();
    assert!(root.starts_with("/dev/dm-") && root.contains(" ext4 rw") && said.contains("thin-wharf-2"), "{said}");

    // The engine is killed: its next one knows the devices again.
    let said = ok(
        "systemctl kill -s KILL --kill-who=main thin-1; serve thin-2 && C=$(wharf ps -q); wharf exec $C ls -l /own; \
         wharf stats -o json $C | grep -A1 usedBytes",
    );
    assert!(said.contains(" 3145728 ") && said.contains("\"value\": \"3"), "{said}");

    ok("wharf rmp -fa > /dev/null; wharf rmi -a > /dev/null; until_said ' 0/4096 ' dmsetup status thin");
    let left = ok(
        "systemctl stop thin-2; dmsetup ls | grep wharf; ls /root/thin/lib/snapshots/devmapper; grep /dev/dm- /proc/mounts; \
         dmsetup remove thin && losetup -D && rm -r /root/thin /run/wharf-thin; systemctl reset-failed thin-1 2> /dev/null; true",
    );
    assert_eq!(left, "", "something is left");
    println!("emulated: {:.0} s", begin.elapsed().as_secs_f64());
}
