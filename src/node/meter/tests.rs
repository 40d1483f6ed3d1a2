//! What control groups and /proc tell, from trees of files as kernels have them.

use super::*;

fn node(files: &[(&str, &str)], links: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = below(root.path(), path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for (path, to) in links {
        let path = below(root.path(), path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, path).unwrap();
    }
    root
}

const V2: (&str, &str) = ("/proc/1/mountinfo", "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
const DEV: &str = "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n    \
    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  eth0: 700 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0\n";
const POD: &str = "/sys/fs/cgroup/kubepods.slice/kubepods-pod1_2.slice";
const QUIET: &str = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";

#[test]
fn version_2_tells_everything_of_a_container_and_of_its_pod() {
    let in_pod = |name: &str| format!("{POD}/{name}");
    let own = |name: &str| format!("{POD}/cri-abc.scope/{name}");
    let files: Vec<(String, &str)> = vec![
        (own("cpu.stat"), "usage_usec 5\n"),
        (own("cpu.max"), "50000 100000\n"),
        (own("memory.current"), "5000\n"),
        (own("memory.stat"), "inactive_file 2000\n"),
        (own("memory.max"), "9000\n"),
        // The second is a mapper on top of the first: its bytes are counted there.
        (own("io.stat"), "8:0 rbytes=100 wbytes=20 rios=1 wios=1\n253:0 rbytes=100 wbytes=20\n7:1 \n"),
        ("/sys/dev/block/253:0/slaves/sda/x".into(), ""),
        (own("cpu.pressure"), "some avg10=1.50 avg60=2.00 avg300=0.00 total=1\n"),
        (own("memory.pressure"), QUIET),
        (own("io.pressure"), QUIET),
        (in_pod("cpu.stat"), "usage_usec 8\n"),
        (in_pod("cpu.max"), "max 100000\n"),
    ];
    let mut all: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), *t)).collect();
    // A manager in the container has put its processes below the container's group.
    all.extend([
        V2,
        ("/proc/7/cgroup", "0::/kubepods.slice/kubepods-pod1_2.slice/cri-abc.scope/init.scope\n"),
        ("/proc/7/net/dev", DEV),
    ]);
    let root = node(&all, &[("/proc/1/ns/net", "net:[1]"), ("/proc/7/ns/net", "net:[2]")]);
    let meter = of_container(root.path(), &Groups::find(root.path()), &Owner::container("abc", 7));
    assert_eq!(meter.cpu.value(), Some(&Cpu { nanos: 5000, limit: Some(500_000_000) }), "{meter:?}");
    assert!(meter.cpu.source().ends_with("kubepods-pod1_2.slice/cri-abc.scope"), "{meter:?}");
    assert_eq!(meter.memory.value(), Some(&Memory { used: 3000, limit: Some(9000) }));
    assert_eq!(meter.io.value(), Some(&Flow { inward: 100, outward: 20 }));
    assert_eq!(meter.network.value(), Some(&Flow { inward: 700, outward: 30 }));
    assert!((meter.pressure.value().unwrap().cpu.some[0] - 1.5).abs() < 0.01, "{meter:?}");

    let pod = of_pod(root.path(), &Groups::find(root.path()), &Owner::pod("sandbox", "1-2", 7), &[]);
    assert_eq!(pod.cpu.value(), Some(&Cpu { nanos: 8000, limit: None }));
    assert!(pod.io.error().unwrap().contains("io controller is not on"), "{pod:?}");
    assert!(pod.pressure.error().unwrap().contains("no pressure"), "{pod:?}");
    assert!(pod.memory.error().is_some() && pod.network.value().is_some(), "{pod:?}");
}

#[test]
fn version_1_tells_all_but_pressure_and_a_pod_without_a_group_is_its_containers() {
    let root = node(
        &[
            (
                "/proc/1/mountinfo",
                "1 0 0:1 / /cg/memory rw - cgroup cgroup rw,memory\n2 0 0:2 / /cg/c rw - cgroup c rw,cpuacct,cpu\n\
                 3 0 0:3 / /cg/io rw - cgroup c rw,blkio\n4 0 0:4 / /cg/u rw - cgroup2 c rw\n",
            ),
            ("/proc/7/cgroup", "4:blkio:/x/abc\n3:memory:/x/abc\n2:cpu,cpuacct:/x/abc\n0::/\n"),
            ("/proc/8/cgroup", "4:blkio:/x/def\n3:memory:/x/def\n2:cpu,cpuacct:/x/def\n0::/\n"),
            ("/cg/c/x/abc/cpuacct.usage", "77"),
            ("/cg/c/x/abc/cpu.cfs_quota_us", "-1"),
            ("/cg/c/x/abc/cpu.cfs_period_us", "100000"),
            ("/cg/c/x/def/cpuacct.usage", "3"),
            ("/cg/memory/x/abc/memory.usage_in_bytes", "9000"),
            ("/cg/memory/x/abc/memory.limit_in_bytes", "9223372036854771712"),
            ("/cg/io/x/abc/blkio.throttle.io_service_bytes", "8:0 Read 5\n8:0 Write 6\n8:0 Total 11\nTotal 11\n"),
            ("/cg/io/x/def/blkio.throttle.io_service_bytes", "8:0 Read 1\nTotal 1\n"),
        ],
        &[("/proc/1/ns/net", "net:[1]"), ("/proc/7/ns/net", "net:[1]")],
    );
    let (abc, def) = (Owner::container("abc", 7), Owner::container("def", 8));
    let meter = of_container(root.path(), &Groups::find(root.path()), &abc);
    assert_eq!(meter.cpu.value(), Some(&Cpu { nanos: 77, limit: None }), "{meter:?}");
    assert_eq!(meter.memory.value(), Some(&Memory { used: 9000, limit: None }));
    assert_eq!(meter.io.value(), Some(&Flow { inward: 5, outward: 6 }));
    assert!(meter.pressure.error().unwrap().contains("version 1"), "{meter:?}");
    assert!(meter.network.error().unwrap().contains("node's network"), "{meter:?}");

    let pod = of_pod(root.path(), &Groups::find(root.path()), &Owner::pod("sandbox", "1-2", 7), &[abc, def]);
    assert_eq!(pod.cpu.value(), Some(&Cpu { nanos: 80, limit: None }), "{pod:?}");
    assert_eq!(pod.io.value(), Some(&Flow { inward: 6, outward: 6 }), "{pod:?}");
    // One of them does not tell: their sum would be too little.
    assert!(pod.memory.error().unwrap().contains("no memory"), "{pod:?}");
    assert!(pod.pressure.error().unwrap().contains("no control group of its own"), "{pod:?}");
    // What another machine calls by this number is nobody's here.
    assert!(pod.network.error().unwrap().contains("not found on this machine"), "{pod:?}");

    let gone = of_container(root.path(), &Groups::find(root.path()), &Owner::container("abc", 99));
    assert!(gone.cpu.error().unwrap().contains("no process") && gone.network.error().is_some(), "{gone:?}");
    assert!(of_pod(root.path(), &Groups::find(root.path()), &Owner::pod("sandbox", "", 99), &[]).cpu.error().is_some());
}

#[test]
fn a_process_in_the_root_group_has_none_of_its_own() {
    let root = node(&[V2, ("/proc/7/cgroup", "0::/\n"), ("/sys/fs/cgroup/cpu.stat", "usage_usec 9\n")], &[]);
    let meter = of_container(root.path(), &Groups::find(root.path()), &Owner::container("abc", 7));
    assert!(meter.cpu.error().unwrap().contains("no control group of its own"), "{meter:?}");
}

#[test]
fn the_machine_is_its_devices_and_not_what_is_on_top_of_them() {
    let dev = format!("{DEV}  cni0: 5000 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0\n");
    let disks = "   8       0 sda 1 0 10 0 1 0 4 0 0 0 0\n   8       1 sda1 1 0 10 0 1 0 4 0 0 0 0\n \
        253       0 dm-0 1 0 10 0 1 0 4 0 0 0 0\n   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9\n";
    let files = [
        ("/proc/net/dev", dev.as_str()),
        ("/proc/diskstats", disks),
        ("/sys/dev/block/8:1/partition", "1"),
        ("/sys/dev/block/253:0/slaves/sda1/x", ""),
    ];
    let root = node(&files, &[]);
    assert_eq!(of_machine_disks(root.path()).unwrap(), (Flow { inward: 5120, outward: 2048 }, "sda".into()));
    assert!(of_machine_network(root.path()).is_err(), "nothing leads to others");
    std::fs::write(below(root.path(), "/proc/net/route"), "Iface\tDestination\neth0\t00000000\t0\n").unwrap();
    assert_eq!(of_machine_network(root.path()).unwrap(), (Flow { inward: 700, outward: 30 }, "eth0".into()));
    std::fs::create_dir_all(below(root.path(), "/sys/class/net/cni0/device")).unwrap();
    assert_eq!(of_machine_network(root.path()).unwrap().1, "cni0");
}
