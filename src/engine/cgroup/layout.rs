//! Which cgroup hierarchies this machine has mounted, and where. Knows no cgroup.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use crate::{
    bail,
    error::{Error, Result},
};

/// One mounted tree of control groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// The directory of its root group.
    pub mount: PathBuf,
    /// Controllers served here, as the kernel names them; a named v1 hierarchy has `name=systemd`. On v2: those its root offers.
    pub controllers: Vec<String>,
    /// cgroup v2.
    pub unified: bool,
}

/// All mounted hierarchies: v2 alone, v1 alone, or both (hybrid).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// v1 in mount order, then v2 if there is one.
    pub hierarchies: Vec<Hierarchy>,
}

impl Layout {
    /// This machine's hierarchies. Looked up once: mounts of cgroup file systems do not come and go.
    ///
    /// # Errors
    /// `FailedPrecondition` if none is mounted.
    pub fn host() -> Result<Arc<Self>> {
        static HOST: OnceLock<Arc<Layout>> = OnceLock::new();
        if let Some(layout) = HOST.get() {
            return Ok(Arc::clone(layout));
        }
        let path = "/proc/self/mountinfo";
        let text = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        let layout = Self::parse(&text)?;
        Ok(Arc::clone(HOST.get_or_init(|| Arc::new(layout))))
    }

    /// From the text of a mountinfo file (proc_pid_mountinfo(5)).
    ///
    /// # Errors
    /// `FailedPrecondition` if it lists no cgroup file system.
    pub fn parse(mountinfo: &str) -> Result<Self> {
        let mut v1: Vec<Hierarchy> = Vec::new();
        let mut unified = None;
        let mut seen = BTreeSet::new();
        for line in mountinfo.lines() {
            let Some((mount, filesystem)) = line.split_once(" - ") else { continue };
            let mut fields = filesystem.split(' ');
            let (kind, options) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
            let Some(directory) = mount.split(' ').nth(4).map(unescape) else { continue };
            match kind {
                "cgroup2" if unified.is_none() => {
                    let controllers = fs::read_to_string(directory.join("cgroup.controllers")).unwrap_or_default();
                    let controllers = controllers.split_whitespace().map(str::to_owned).collect();
                    unified = Some(Hierarchy { mount: directory, controllers, unified: true });
                }
                "cgroup" => {
                    let known =
                        |o: &&str| !matches!(*o, "rw" | "ro" | "xattr" | "noprefix" | "clone_children" | "none");
                    let controllers: Vec<String> = options
                        .split(',')
                        .filter(known)
                        .filter(|o| !o.starts_with("release_agent=") && !o.starts_with("cpuset_v2_mode"))
                        .map(str::to_owned)
                        .collect();
                    // The same hierarchy may be mounted more than once, for example in a bind of /sys.
                    if !controllers.is_empty() && seen.insert(controllers.clone()) {
                        v1.push(Hierarchy { mount: directory, controllers, unified: false });
                    }
                }
                _ => {}
            }
        }
        v1.extend(unified);
        if v1.is_empty() {
            bail!(FailedPrecondition, "no cgroup file system is mounted");
        }
        Ok(Self { hierarchies: v1 })
    }

    /// v2 only. Hybrid machines count as v1: their controllers are there.
    pub fn is_unified(&self) -> bool {
        self.hierarchies.iter().all(|h| h.unified)
    }

    /// The hierarchy in which `controller` acts. The freezer and device rules are built into v2 and always found there.
    pub fn hierarchy(&self, controller: &str) -> Option<&Hierarchy> {
        let v1 = self.hierarchies.iter().find(|h| !h.unified && h.controllers.iter().any(|c| c == controller));
        let built_in = matches!(controller, "freezer" | "devices");
        v1.or_else(|| {
            self.hierarchies.iter().find(|h| h.unified && (built_in || h.controllers.iter().any(|c| c == controller)))
        })
    }
}

/// Undoes mountinfo's octal escapes of blanks and backslashes.
fn unescape(field: &str) -> PathBuf {
    let bytes = field.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let octal =
            bytes.get(at + 1..at + 4).filter(|d| bytes[at] == b'\\' && d.iter().all(|b| matches!(b, b'0'..=b'7')));
        if let Some(digits) = octal {
            out.push(digits.iter().fold(0u8, |n, d| n.wrapping_mul(8).wrapping_add(d - b'0')));
            at += 4;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(out))
}

impl AsRef<Path> for Hierarchy {
    fn as_ref(&self) -> &Path {
        &self.mount
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw,relatime - cgroup2 cgroup2 rw
42 31 0:29 / /mnt/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct";

    #[test]
    fn hybrid_is_v1_with_v2_beside_it() {
        let layout = Layout::parse(HYBRID).unwrap();
        assert!(!layout.is_unified());
        let names: Vec<_> = layout.hierarchies.iter().map(|h| h.controllers.join("+")).collect();
        assert_eq!(names, ["cpu+cpuacct", "name=systemd", ""]);
        assert_eq!(layout.hierarchies[2].mount, Path::new("/sys/fs/cgroup/uni fied"));
        assert_eq!(layout.hierarchy("cpuacct").unwrap().mount, Path::new("/sys/fs/cgroup/cpu,cpuacct"));
        assert!(layout.hierarchy("freezer").unwrap().unified);
        assert!(layout.hierarchy("memory").is_none());
    }

    #[test]
    fn only_v2_is_unified_and_nothing_is_an_error() {
        assert!(Layout::parse("1 2 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw").unwrap().is_unified());
        assert!(Layout::parse("1 2 0:3 / /proc rw - proc proc rw").is_err());
    }
}
