//! Who a container's first process is: CRI's run-as fields, the image's USER, and the image's passwd and group files.
//!
//! The files are hostile: opened inside the root filesystem, regular, at most 10 MiB (threats RUN-08..RUN-11).

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use super::spec::Inputs;
use crate::{
    bail,
    error::{Context, Error, Result},
    proto::cri,
};

const FILE_LIMIT: u64 = 10 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups, `gid` included.
    pub groups: Vec<u32>,
    pub home: String,
}

struct Passwd {
    name: String,
    uid: u32,
    gid: u32,
    home: String,
}

struct Group {
    name: String,
    gid: u32,
    members: Vec<String>,
}

pub fn resolve(inputs: &Inputs) -> Result<User> {
    let security = inputs.record.config.linux.as_ref().and_then(|l| l.security_context.clone()).unwrap_or_default();
    let root = Root::open(&inputs.rootfs)?;
    let (passwd, groups) = (root.passwd()?, root.groups()?);
    let (user, group) = named(&security, inputs.image.user.as_deref().unwrap_or_default())?;
    let mut found = who(&user, &passwd)?;
    if let Some(group) = group {
        found.gid = which_group(&group, &groups)?;
    }
    // A name that was given stays itself, also when another has its number.
    let name = match numeric(&user) || user.is_empty() {
        true => passwd.iter().find(|p| p.uid == found.uid).map(|p| p.name.clone()).unwrap_or_default(),
        false => user,
    };
    let mut list = vec![found.gid];
    if security.supplemental_groups_policy() == cri::SupplementalGroupsPolicy::Merge && !name.is_empty() {
        // As containerd does: the group that is named as the user is its own, which passwd says.
        let merged = groups.iter().filter(|g| g.name != name && g.members.contains(&name));
        list.extend(merged.map(|g| g.gid));
    }
    for gid in &security.supplemental_groups {
        list.push(number(&gid.to_string(), "supplemental group")?);
    }
    list.sort_unstable();
    list.dedup();
    found.groups = list;
    Ok(found)
}

/// The user and group that were asked for, as text. CRI: uid or username, then the image's USER; a group only with a user.
fn named(security: &cri::LinuxContainerSecurityContext, image: &str) -> Result<(String, Option<String>)> {
    let group = security.run_as_group.as_ref().map(|g| g.value.to_string());
    if let Some(uid) = &security.run_as_user {
        return Ok((uid.value.to_string(), group));
    }
    if !security.run_as_username.is_empty() {
        return Ok((security.run_as_username.clone(), group));
    }
    if let Some(group) = &group {
        // CRI: "otherwise, the runtime MUST error". The image's USER was meant with the image's group.
        bail!(InvalidArgument, "run_as_group {group} is given without run_as_user or run_as_username");
    }
    let (user, of_image) = image.split_once(':').map_or((image, None), |(u, g)| (u, Some(g.to_owned())));
    Ok((user.to_owned(), of_image))
}

/// A string of digits is a number, always: never the name of a user (CVE-2024-40635).
fn numeric(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && (digits.bytes().all(|b| b.is_ascii_digit()) || digits.starts_with("0x"))
}

fn number(text: &str, what: &str) -> Result<u32> {
    match text.parse::<u32>() {
        // 2^31 and above do not survive a signed 32-bit id, which the kernel's users include.
        Ok(id) if i32::try_from(id).is_ok() && text.bytes().all(|b| b.is_ascii_digit()) => Ok(id),
        _ => bail!(InvalidArgument, "{what} {text:?} is not a number from 0 to 2147483647"),
    }
}

fn who(user: &str, passwd: &[Passwd]) -> Result<User> {
    let of = |p: &Passwd| User { uid: p.uid, gid: p.gid, groups: Vec::new(), home: p.home.clone() };
    if user.is_empty() || numeric(user) {
        let uid = if user.is_empty() { 0 } else { number(user, "user")? };
        return Ok(passwd.iter().find(|p| p.uid == uid).map_or_else(
            || User { uid, home: if uid == 0 { "/root" } else { "/" }.to_owned(), ..User::default() },
            of,
        ));
    }
    match passwd.iter().find(|p| p.name == user) {
        Some(p) => Ok(of(p)),
        None => bail!(InvalidArgument, "user {user:?} is not in the image's /etc/passwd"),
    }
}

fn which_group(group: &str, groups: &[Group]) -> Result<u32> {
    if numeric(group) {
        return number(group, "group");
    }
    match groups.iter().find(|g| g.name == group) {
        Some(g) => Ok(g.gid),
        None => bail!(InvalidArgument, "group {group:?} is not in the image's /etc/group"),
    }
}

/// A root filesystem, entered by `openat2` so that no link leads out of it.
struct Root(OwnedFd);

impl Root {
    fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty()).context(|| format!("open {}", path.display()))?))
    }

    /// The lines of a regular file; none if it is not there.
    fn lines(&self, path: &str) -> Result<Vec<String>> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let open = |flags| rustix::fs::openat2(&self.0, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
        let looked = match open(OFlags::PATH) {
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(Vec::new()),
            other => other.context(|| format!("open the image's /{path}"))?,
        };
        let stat = rustix::fs::fstat(&looked).context(|| format!("stat the image's /{path}"))?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
            bail!(InvalidArgument, "the image's /{path} is not a regular file");
        }
        let file = File::from(open(OFlags::RDONLY | OFlags::NONBLOCK).context(|| format!("open the image's /{path}"))?);
        let mut reader = BufReader::new(file.take(FILE_LIMIT + 1));
        let (mut lines, mut total, mut line) = (Vec::new(), 0, Vec::new());
        loop {
            line.clear();
            match reader.read_until(b'\n', &mut line).map_err(|e| Error::io("read the image's", path, e))? {
                0 => return Ok(lines),
                n => total += n as u64,
            }
            if total > FILE_LIMIT {
                bail!(InvalidArgument, "the image's /{path} is larger than {} MiB", FILE_LIMIT >> 20);
            }
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    }

    fn passwd(&self) -> Result<Vec<Passwd>> {
        let lines = self.lines("etc/passwd")?;
        let rows = lines.iter().filter(|l| !l.starts_with('#')).map(|l| l.split(':').collect::<Vec<_>>());
        Ok(rows
            .filter_map(|f| {
                let (uid, gid) = (f.get(2)?.parse().ok()?, f.get(3)?.parse().ok()?);
                Some(Passwd { name: (*f.first()?).to_owned(), uid, gid, home: (*f.get(5)?).to_owned() })
            })
            .collect())
    }

    fn groups(&self) -> Result<Vec<Group>> {
        let lines = self.lines("etc/group")?;
        let rows = lines.iter().filter(|l| !l.starts_with('#')).map(|l| l.split(':').collect::<Vec<_>>());
        Ok(rows
            .filter_map(|f| {
                let members = f.get(3).map(|m| m.split(',').map(|s| s.trim().to_owned()).collect()).unwrap_or_default();
                Some(Group { name: (*f.first()?).to_owned(), gid: f.get(2)?.parse().ok()?, members })
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwd() -> Vec<Passwd> {
        let row = |name: &str, uid, gid| Passwd { name: name.to_owned(), uid, gid, home: format!("/home/{name}") };
        vec![row("root", 0, 0), row("www", 33, 33), row("2147483648", 0, 0)]
    }

    #[test]
    fn run_09_digits_are_numbers_and_in_range() {
        assert_eq!(who("33", &passwd()).unwrap().gid, 33);
        assert_eq!(who("www", &passwd()).unwrap().uid, 33);
        assert_eq!(who("1234", &passwd()).unwrap(), User { uid: 1234, home: "/".to_owned(), ..User::default() });
        for bad in ["2147483648", "4294967296", "99999999999999999999", "-1", "0x0", "+0", "nobody"] {
            assert!(who(bad, &passwd()).is_err(), "{bad}");
        }
    }

    #[test]
    fn run_10_passwd_must_be_a_small_regular_file_inside_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let etc = dir.path().join("etc");
        std::fs::create_dir(&etc).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert!(root.passwd().unwrap().is_empty());
        std::os::unix::fs::symlink("/etc/hostname", etc.join("passwd")).unwrap();
        assert!(root.passwd().unwrap().is_empty(), "an absolute link stays inside the root");
        std::fs::remove_file(etc.join("passwd")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, etc.join("passwd"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(root.passwd().is_err(), "a FIFO is refused without opening it");
        std::fs::remove_file(etc.join("passwd")).unwrap();
        File::create(etc.join("passwd")).unwrap().set_len(FILE_LIMIT + 1).unwrap();
        assert!(root.passwd().is_err(), "too large");
    }
}
