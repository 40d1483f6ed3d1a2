//! Which shims and OCI runtimes the runtime would find: by its own PATH, as it looks them up itself. Which packages they are from.

use std::{collections::BTreeMap, fs::File, io::Read, os::unix::fs::PermissionsExt, path::Path};

use serde::{Deserialize, Serialize};

use super::{below, read};
use crate::error::Result;

/// Where a runtime without a PATH of its own looks.
const USUAL: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Programs worth knowing of beside those that are asked for.
const RUNTIMES: &[&str] = &["runc", "crun", "youki", "runsc", "kata-runtime"];
/// Where a distribution puts programs of its packages.
const PACKAGED: &[&str] = &["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"];
/// Where installers put what the PATH of a unit does not have.
const ELSEWHERE: &[&str] = &[
    "/opt/kata/bin",
    "/opt/kata/runtime-rs/bin",
    "/opt/gvisor",
    "/opt/gvisor/bin",
    "/opt/bin",
    "/opt/containerd/bin",
    "/opt/cni/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/snap/bin",
    "/root/bin",
    "/root",
];
/// Bytes of a changelog that are read.
const CHANGELOG: u64 = 4 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFacts {
    pub path: Vec<String>,
    /// By the name they are looked up with.
    pub found: BTreeMap<String, Program>,
    /// Of those that are not found: where they are instead, which is not in the PATH.
    #[serde(default)]
    pub elsewhere: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    pub path: String,
    pub executable: bool,
    /// Why the kernel would not start it although its mode allows it.
    #[serde(default)]
    pub problem: Option<String>,
    /// What it says itself; asked of OCI runtimes only.
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub package: Option<Package>,
}

/// The distribution's package that a program is from, by its changelog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    pub version: String,
    /// The CVE ids that the changelog names: what was mended, here or upstream.
    pub mends: Vec<String>,
}

impl ProgramFacts {
    pub fn there(&self, name: &str) -> bool {
        self.found.get(name).is_some_and(|p| p.executable && p.problem.is_none())
    }
}

/// `pid` and `program` of the runtime; shims beside its own program are found as well.
///
/// # Errors
/// None now; a directory that cannot be read has no programs.
pub fn collect(root: &Path, pid: Option<u32>, program: &str, wanted: &[String]) -> Result<ProgramFacts> {
    let environment = pid.and_then(|pid| read(&below(root, format!("/proc/{pid}/environ"))).ok()).unwrap_or_default();
    let path = environment.split('\0').find_map(|v| v.strip_prefix("PATH=")).unwrap_or(USUAL);
    let mut facts = ProgramFacts { path: path.split(':').map(str::to_owned).collect(), ..ProgramFacts::default() };
    let beside = Path::new(program).parent().map(|d| d.to_string_lossy().into_owned()).filter(|d| !d.is_empty());
    let directories: Vec<String> = facts.path.iter().cloned().chain(beside).collect();
    let mut names: Vec<String> = wanted.iter().cloned().chain(RUNTIMES.iter().map(|n| (*n).to_owned())).collect();
    for directory in &directories {
        let entries = std::fs::read_dir(below(root, directory)).into_iter().flatten().flatten();
        names.extend(
            entries.filter_map(|e| e.file_name().into_string().ok()).filter(|n| n.starts_with("containerd-shim-")),
        );
    }
    for name in names {
        let places: Vec<String> = match name.starts_with('/') {
            true => vec![name.clone()],
            false => directories.iter().map(|d| format!("{d}/{name}")).collect(),
        };
        let mut there = places.iter().filter_map(|path| {
            let meta = std::fs::metadata(below(root, path)).ok().filter(std::fs::Metadata::is_file)?;
            let executable = meta.permissions().mode() & 0o111 != 0;
            let problem = if executable { problem(root, path) } else { None };
            Some(Program { path: path.clone(), executable, problem, version: None, package: package(root, path) })
        });
        // One that can be executed wins over one that cannot.
        let first = there.next();
        let found = match first {
            Some(program) if !program.executable => there.find(|p| p.executable).or(Some(program)),
            other => other,
        };
        let other = || ELSEWHERE.iter().map(|d| format!("{d}/{name}")).find(|p| below(root, p).is_file());
        match found {
            Some(found) => drop(facts.found.insert(name, found)),
            None if name.starts_with('/') => {}
            None => facts.elsewhere.extend(other().map(|path| (name.clone(), path))),
        }
    }
    Ok(facts)
}

/// Why execve(2) would refuse a program: a mount without exec, a file for another machine, an interpreter that is not there.
fn problem(root: &Path, path: &str) -> Option<String> {
    let at = below(root, path);
    let noexec = rustix::fs::StatVfsMountFlags::from_bits_retain(0x8);
    if rustix::fs::statvfs(&at).is_ok_and(|s| s.f_flag.contains(noexec)) {
        return Some("its filesystem is mounted noexec".to_owned());
    }
    let mut head = [0_u8; 256];
    let length = File::open(&at).ok()?.read(&mut head).ok()?;
    let head = &head[..length];
    if head.starts_with(b"\x7fELF") {
        let machine = u16::from_le_bytes([*head.get(18)?, *head.get(19)?]);
        let own = match std::env::consts::ARCH {
            "x86_64" => 62,
            "aarch64" => 183,
            "riscv64" => 243,
            _ => return None,
        };
        let name = match machine {
            3 => "x86 of 32 bits",
            40 => "arm of 32 bits",
            62 => "x86_64",
            183 => "aarch64",
            243 => "riscv",
            _ => "another machine",
        };
        // One of 32 bits may run on its 64-bit sibling.
        let sibling = matches!((machine, own), (3, 62) | (40, 183));
        return (machine != own && !sibling).then(|| format!("it is a program for {name}: exec format error"));
    }
    let Some(line) = head.strip_prefix(b"#!") else {
        return Some(
            if head.is_empty() { "it is empty" } else { "it is neither a program nor a script: exec format error" }
                .to_owned(),
        );
    };
    let line = String::from_utf8_lossy(line.split(|b| *b == b'\n').next().unwrap_or_default()).into_owned();
    let interpreter = line.split_whitespace().next()?.to_owned();
    (!below(root, &interpreter).exists()).then(|| format!("it is a script for {interpreter}, which is not there"))
}

/// Debian's and its descendants': the file is named after the package, which is named after its program. Others have none.
fn package(root: &Path, program: &str) -> Option<Package> {
    let name = PACKAGED.iter().find_map(|place| program.strip_prefix(place))?;
    let file = File::open(below(root, format!("/usr/share/doc/{name}/changelog.Debian.gz"))).ok()?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).take(CHANGELOG).read_to_string(&mut text).ok()?;
    let version = text.strip_prefix(name)?.strip_prefix(" (")?.split(')').next()?.to_owned();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let mut mends: Vec<String> = words.filter(|w| w.starts_with("CVE-")).map(str::to_owned).collect();
    mends.sort();
    mends.dedup();
    Some(Package { version, mends })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_05_what_a_package_mends_is_in_its_changelog() {
        use std::io::Write;
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = below(root.path(), format!("/usr/share/doc/{name}/changelog.Debian.gz"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
            file.write_all(text.as_bytes()).unwrap();
            file.finish().unwrap();
        };
        let text = "runc (1.1.5+ds1-1+deb12u1) bookworm-security; urgency=high\n\n  * CVE-2024-21626: several\n  * (CVE-2023-27561)\n";
        put("runc", text);
        put("crun", "other (1.0)\n");
        let mends = vec!["CVE-2023-27561".to_owned(), "CVE-2024-21626".to_owned()];
        let expected = Package { version: "1.1.5+ds1-1+deb12u1".into(), mends };
        assert_eq!(package(root.path(), "/usr/sbin/runc"), Some(expected));
        for other in ["/usr/local/sbin/runc", "/usr/bin/crun", "/usr/bin/none"] {
            assert_eq!(package(root.path(), other), None, "{other}");
        }
    }

    #[test]
    fn by_the_path_of_the_runtime() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str, mode: u32| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        put("/proc/7/environ", "A=1\0PATH=/a:/b\0", 0o644);
        put("/a/containerd-shim-runc-v2", "\u{7f}ELF", 0o755);
        put("/b/containerd-shim-kata-v2", "", 0o644);
        put("/own/containerd-shim-x-v1", "\u{7f}ELF", 0o755);
        put("/usr/bin/crun", "\u{7f}ELF", 0o755);
        let facts = collect(root.path(), Some(7), "/own/containerd", &["/usr/bin/crun".into(), "crun".into()]).unwrap();
        assert!(
            facts.there("containerd-shim-runc-v2")
                && facts.there("/usr/bin/crun")
                && facts.there("containerd-shim-x-v1")
        );
        assert!(!facts.there("containerd-shim-kata-v2") && facts.found.contains_key("containerd-shim-kata-v2"));
        assert!(!facts.there("crun"), "not in its PATH");
        assert_eq!(facts.elsewhere["crun"], "/usr/bin/crun");
        put("/a/containerd-shim-runc-v2", "#!/no/such\n", 0o755);
        assert!(!collect(root.path(), Some(7), "", &[]).unwrap().there("containerd-shim-runc-v2"), "it cannot start");
    }
}
