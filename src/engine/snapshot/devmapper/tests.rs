//! Pools for tests, and what needs none.

use std::{path::Path, process::Command};

use super::*;

/// A thin pool on two files, with their loop devices. It goes with what is in it.
pub struct TestPool {
    pub pool: ThinPool,
    loops: [String; 2],
}

impl TestPool {
    /// `None`, with a word, where the kernel has none.
    pub fn new(dir: &Path) -> Option<Self> {
        let tried = Command::new("dmsetup").arg("targets").output();
        let loaded = Command::new("modprobe").arg("dm-thin-pool").output().is_ok_and(|done| done.status.success());
        if !loaded || !tried.is_ok_and(|done| done.status.success()) {
            println!("skipped: there is no dmsetup, or no dm-thin-pool in this kernel");
            return None;
        }
        let attach = |name: &str, size| {
            let path = dir.join(name);
            File::create(&path).unwrap().set_len(size).unwrap();
            said(Command::new("losetup").args(["--find", "--show"]).arg(path))
        };
        let loops = [attach("pool-metadata", 4 << 20), attach("pool-data", 160 << 20)];
        let name = format!("wharf-test-{}", std::process::id());
        let table = format!("0 {} thin-pool {} {} 128 0", (160 << 20) / SECTOR, loops[0], loops[1]);
        said(Command::new("dmsetup").args(["create", &name, "--table", &table]));
        let pool = ThinPool {
            name,
            size: 64 << 20,
            filesystem: Filesystem::Ext4,
            options: String::new(),
            discard: true,
            later: false,
        };
        Some(Self { pool, loops })
    }

    /// Devices of snapshots that are active.
    pub fn active(&self) -> Vec<String> {
        let all = said(Command::new("dmsetup").args(["ls"]));
        let prefix = format!("{}-wharf-", self.pool.name);
        all.lines()
            .filter_map(|line| line.split('\t').next())
            .filter(|n| n.starts_with(&prefix))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for TestPool {
    fn drop(&mut self) {
        for name in self.active().iter().chain([&self.pool.name]) {
            said(Command::new("dmsetup").args(["remove", "--retry", name]));
        }
        for device in &self.loops {
            said(Command::new("losetup").args(["--detach", device]));
        }
    }
}

fn said(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn sizes_are_read_as_containerd_reads_them() {
    for (text, bytes) in [
        ("8192MB", 8192 << 20),
        ("10GB", 10 << 30),
        ("10 g", 10 << 30),
        ("1.5GiB", 3 << 29),
        ("4096", 4096),
        ("32Kib", 32 << 10),
        ("2TB", 2 << 40),
    ] {
        assert_eq!(size(text), Some(bytes), "{text}");
    }
    for bad in ["", "GB", "-1GB", "0", "10XB", "1 GB more", "1e9", "9999999PB"] {
        assert_eq!(size(bad), None, "{bad}");
    }
}

#[test]
fn a_pool_that_takes_nothing_says_why() {
    assert_eq!(broken("1 153/1024 10/2560 - rw discard_passdown queue_if_no_space - 1024 "), None);
    for (status, kind, why) in [
        ("1 153/1024 2560/2560 - out_of_data_space discard_passdown", Kind::ResourceExhausted, "no space for data"),
        ("1 1024/1024 10/2560 - rw discard_passdown", Kind::ResourceExhausted, "no space for metadata"),
        ("1 153/1024 10/2560 - ro discard_passdown needs_check", Kind::FailedPrecondition, "needs_check"),
        ("Fail", Kind::FailedPrecondition, "Fail"),
    ] {
        let (found, said) = broken(status).unwrap();
        assert!(found == kind && said.contains(why), "{status}: {said}");
    }
}
