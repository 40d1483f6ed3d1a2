//! What is mounted, from mountinfo (proc_pid_mountinfo(5)).

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::below;
use crate::error::Result;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountFacts {
    pub mounts: Vec<Mount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub point: String,
    /// What of its filesystem is there.
    #[serde(default)]
    pub root: String,
    /// Type of the filesystem.
    pub kind: String,
    pub device: String,
    /// Options of the mount and of the filesystem, `,`-joined.
    pub options: String,
}

impl Mount {
    pub fn read_only(&self) -> bool {
        self.options.split(',').any(|o| o == "ro")
    }
}

impl MountFacts {
    /// The mount that holds `path`: the longest mount point that is a prefix of it, the last of those if several.
    pub fn of(&self, path: &str) -> Option<&Mount> {
        let holds = |m: &&Mount| m.point == "/" || path == m.point || path.starts_with(&format!("{}/", m.point));
        self.mounts.iter().filter(holds).max_by_key(|m| m.point.len())
    }
}

/// # Errors
/// If mountinfo cannot be read.
pub fn read(root: &Path) -> Result<MountFacts> {
    let text = super::read(&below(root, "/proc/self/mountinfo"))?;
    Ok(parse(&text))
}

/// As PID 1 sees them, which is the node even from a container with the host's processes.
///
/// # Errors
/// If neither its mountinfo nor this process's can be read.
pub fn of_init(root: &Path) -> Result<MountFacts> {
    super::read(&below(root, "/proc/1/mountinfo")).map_or_else(|_| read(root), |text| Ok(parse(&text)))
}

pub fn parse(text: &str) -> MountFacts {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let (mut left, mut right) = (left.split(' ').skip(3), right.split(' '));
        let (root, point, options) = (left.next()?, left.next()?, left.next()?);
        let (kind, device, own) = (right.next()?, right.next()?, right.next().unwrap_or_default());
        let options = format!("{options},{own}");
        let (point, root) = (unescape(point), unescape(root));
        Some(Mount { point, root, kind: kind.to_owned(), device: unescape(device), options })
    };
    MountFacts { mounts: text.lines().filter_map(mount).collect() }
}

/// Space, tab, newline and backslash stand as `\ooo`.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_holds_a_path() {
        let facts = parse(
            "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n2 1 8:2 / /var/lib/a\\040b ro - xfs /dev/sdb rw\n",
        );
        assert_eq!(facts.of("/var/lib/a b/c").unwrap().kind, "xfs");
        assert!(facts.of("/var/lib/a b").unwrap().read_only());
        assert_eq!(facts.of("/var/lib/a bc").unwrap().kind, "ext4");
    }
}
