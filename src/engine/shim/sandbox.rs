//! The sandbox of a pod under a containerd shim: its first container, which kata and gVisor make the machine or the kernel of.
//!
//! Its root holds one program, written here, so that there is no pause image to pull.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::PodSpec;
use crate::{
    bail,
    engine::{
        cgroup::systemd,
        run::{IdMap, Users, mappings},
    },
    error::{Error, Kind, Result},
};

const PROGRAM: &str = "pause";

/// The bundle, in a pod's shim directory. Shims look for a container's by its id, beside another one's.
pub fn bundle(directory: &Path, pod: &str) -> PathBuf {
    directory.join("sandbox").join(pod)
}

/// Writes the bundle.
pub fn write(pod: &PodSpec, pause: u32, bundle: &Path) -> Result<()> {
    // What the pod's own pause process was allowed to have.
    let score = Path::new("/proc").join(pause.to_string()).join("oom_score_adj");
    let score = fs::read_to_string(&score).map_err(|e| Error::io("read", &score, e))?;
    let score = score.trim().parse().unwrap_or(pod.oom_score_adj);
    let rootfs = bundle.join("rootfs");
    let make = |path: &Path| {
        fs::DirBuilder::new().recursive(true).mode(0o711).create(path).map_err(|e| Error::io("create", path, e))
    };
    make(bundle)?;
    make(&rootfs)?;
    if let Some(users) = &pod.users {
        users.let_through(&pod.directory)?;
        // Where it makes the mount points.
        let owner = (Some(users.uid(0)?), Some(users.gid(0)?));
        chown(&rootfs, owner.0, owner.1).map_err(|e| Error::io("give to the pod's root", &rootfs, e))?;
    }
    let program = rootfs.join(PROGRAM);
    fs::write(&program, pause_program()?).map_err(|e| Error::io("write", &program, e))?;
    let mode = fs::Permissions::from_mode(0o555);
    fs::set_permissions(&program, mode).map_err(|e| Error::io("set the mode of", &program, e))?;
    let config = bundle.join("config.json");
    let text = serde_json::to_vec(&spec(pod, pause, score))
        .map_err(|e| Error::new(Kind::Internal, "encode the sandbox's spec").with_source(e))?;
    fs::write(&config, text).map_err(|e| Error::io("write", &config, e))
}

/// Beside the pod's own group: one with processes has no groups below it.
pub fn cgroup(pod: &str) -> String {
    match pod.strip_suffix(".scope") {
        Some(name) => format!("{name}-sandbox.scope"),
        None => format!("{pod}-sandbox"),
    }
}

fn spec(pod: &PodSpec, pause: u32, oom_score: i32) -> Value {
    let mut namespaces = vec![json!({ "type": "mount" })];
    for name in ["ipc", "uts"] {
        // The host's is not named.
        if pod.namespaces.iter().any(|n| n == name) {
            namespaces.push(json!({ "type": name, "path": format!("/proc/{pause}/ns/{name}") }));
        }
    }
    let shared = pod.namespaces.iter().any(|n| n == "pid");
    namespaces.push(if shared {
        json!({ "type": "pid", "path": format!("/proc/{pause}/ns/pid") })
    } else {
        json!({ "type": "pid" })
    });
    if let Some(netns) = &pod.netns {
        namespaces.push(json!({ "type": "network", "path": netns }));
    }
    let maps = |of: fn(&Users) -> &Vec<IdMap>| pod.users.as_ref().map(|users| mappings(of(users)));
    if pod.users.is_some() {
        namespaces.push(json!({ "type": "user", "path": format!("/proc/{pause}/ns/user") }));
    }
    let own_name = pod.namespaces.iter().any(|n| n == "uts") && !pod.hostname.is_empty();
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": [format!("/{PROGRAM}")],
            "env": ["PATH=/"],
            "cwd": "/",
            "noNewPrivileges": true,
            "oomScoreAdj": oom_score,
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": if own_name { &pod.hostname } else { "" },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"] },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
        ],
        "annotations": {
            "io.kubernetes.cri.container-type": "sandbox",
            "io.kubernetes.cri.sandbox-id": pod.id,
        },
        "linux": {
            "cgroupsPath": systemd::to_spec(&cgroup(&pod.cgroup)),
            "namespaces": namespaces,
            "uidMappings": maps(|u| &u.uids),
            "gidMappings": maps(|u| &u.gids),
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
        },
    })
}

/// A program without any library that ignores its children's ends, so that nothing of a shared pid namespace stays a zombie,
/// and then waits for ever: `rt_sigaction(SIGCHLD, SIG_IGN)`, `pause` or `ppoll`.
fn pause_program() -> Result<Vec<u8>> {
    // The struct sigaction of the kernel behind the code: SIG_IGN, no flags, no restorer, no mask.
    let mut action = [0_u8; 32];
    action[0] = 1;
    let (machine, code): (u16, Vec<u8>) = match std::env::consts::ARCH {
        "x86_64" => (
            62,
            [
                &[0xbf, 17, 0, 0, 0][..],         // mov edi, SIGCHLD
                &[0x48, 0x8d, 0x35, 24, 0, 0, 0], // lea rsi, [rip + 24]: the action
                &[0x31, 0xd2],                    // xor edx, edx
                &[0x41, 0xba, 8, 0, 0, 0],        // mov r10d, 8: bytes of a mask
                &[0xb8, 13, 0, 0, 0],             // mov eax, rt_sigaction
                &[0x0f, 0x05],                    // syscall
                &[0xb8, 34, 0, 0, 0],             // mov eax, pause
                &[0x0f, 0x05],                    // syscall
                &[0xeb, 0xf7],                    // jmp to the mov before
            ]
            .concat(),
        ),
        "aarch64" => (
            183,
            [
                0xd280_0220_u32, // mov x0, SIGCHLD
                0x1000_0181,     // adr x1, the action, 12 instructions on
                0xd280_0002,     // mov x2, 0
                0xd280_0103,     // mov x3, 8: bytes of a mask
                0xd280_10c8,     // mov x8, rt_sigaction
                0xd400_0001,     // svc 0
                0xd280_0000,     // mov x0, 0
                0xd280_0001,     // mov x1, 0
                0xd280_0002,     // mov x2, 0
                0xd280_0003,     // mov x3, 0
                0xd280_0928,     // mov x8, ppoll
                0xd400_0001,     // svc 0
                0x17ff_fffa,     // b to the first of the six before
            ]
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect(),
        ),
        other => bail!(Unimplemented, "wharf has no pause program for {other}, which pods of a containerd shim need"),
    };
    Ok(elf(machine, &[code.as_slice(), &action].concat()))
}

/// The smallest 64-bit program: one segment, the whole file (elf(5)).
fn elf(machine: u16, code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let mut file = Vec::new();
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // ET_EXEC, the machine, EV_CURRENT, where it begins, where the one program header is; no sections.
    file.extend([2_u16, machine].map(u16::to_le_bytes).concat());
    file.extend(1_u32.to_le_bytes());
    file.extend([BASE + HEADERS, 64, 0].map(u64::to_le_bytes).concat());
    file.extend(0_u32.to_le_bytes());
    file.extend([64_u16, 56, 1, 64, 0, 0].map(u16::to_le_bytes).concat());
    // PT_LOAD, read and execute: offset, address twice, size in the file and in memory, alignment.
    file.extend([1_u32, 5].map(u32::to_le_bytes).concat());
    let size = HEADERS + code.len() as u64;
    file.extend([0, BASE, BASE, size, size, 0x1000].map(u64::to_le_bytes).concat());
    file.extend(code);
    file
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Duration};

    use super::*;

    fn pod() -> PodSpec {
        PodSpec {
            id: "p".into(),
            directory: "/d".into(),
            runtime: super::super::Runtime::BuiltIn,
            netns: Some("/run/n".into()),
            users: None,
            namespaces: vec!["ipc".into(), "uts".into()],
            hostname: "web".into(),
            sysctls: Vec::new(),
            cgroup: "/kube/wharf-p".into(),
            oom_score_adj: -998,
        }
    }

    #[test]
    fn the_sandbox_has_the_pods_namespaces_and_a_group_of_its_own() {
        let spec = spec(&pod(), 42, 0);
        let text = spec["linux"]["namespaces"].to_string();
        for wanted in ["/proc/42/ns/ipc", "/proc/42/ns/uts", "/run/n", r#"{"type":"pid"}"#] {
            assert!(text.contains(wanted), "{text}");
        }
        assert_eq!(
            (&spec["hostname"], &spec["linux"]["cgroupsPath"]),
            (&json!("web"), &json!("/kube/wharf-p-sandbox"))
        );
        assert_eq!(cgroup("/kube.slice/wharf-p.scope"), "/kube.slice/wharf-p-sandbox.scope");
    }

    #[test]
    fn the_pause_program_runs_waits_and_leaves_no_zombie() {
        let directory = tempfile::tempdir().unwrap();
        let bundle = directory.path().join("b");
        write(&pod(), std::process::id(), &bundle).unwrap();
        let mut child = Command::new(bundle.join("rootfs").join(PROGRAM)).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let ignored = status.lines().find_map(|l| l.strip_prefix("SigIgn:\t")).unwrap();
        // Others may be inherited.
        assert_ne!(u64::from_str_radix(ignored, 16).unwrap() & 1 << (libc::SIGCHLD - 1), 0, "{status}");
    }
}
