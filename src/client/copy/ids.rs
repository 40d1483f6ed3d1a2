//! Users and groups as a container sees them: the maps of its user namespace (user_namespaces(7)).

use std::fs;

use rustix::thread::CapabilitySet;

use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// The first id inside, the first outside, how many.
type Range = (u32, u32, u32);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    users: Vec<Range>,
    groups: Vec<Range>,
}

impl Ids {
    pub(super) fn of(pid: i32) -> Result<Self> {
        let read = |what: &str| {
            let path = format!("/proc/{pid}/{what}");
            let text = fs::read_to_string(&path).map_err(|e| Error::io("read", &path, e))?;
            parse(&text).ok_or_else(|| Error::new(Kind::Internal, format!("{path} is none: {text:?}")))
        };
        Ok(Self { users: read("uid_map")?, groups: read("gid_map")? })
    }

    #[cfg(test)]
    pub(super) fn new(users: &[Range], groups: &[Range]) -> Self {
        Self { users: users.to_vec(), groups: groups.to_vec() }
    }

    /// As the container sees an owner of ours. What is not in its namespace is nobody there.
    pub(super) fn inside(&self, (uid, gid): (u32, u32)) -> (u32, u32) {
        const NOBODY: u32 = 65534;
        let find = |ranges: &[Range], id: u32| {
            let range = ranges.iter().find(|(_, out, count)| id >= *out && id - out < *count);
            range.map_or(NOBODY, |(inside, out, _)| inside + (id - out))
        };
        (find(&self.users, uid), find(&self.groups, gid))
    }

    /// Ours of an owner that the container sees; none if it cannot have that one.
    pub(super) fn outside(&self, (uid, gid): (u32, u32)) -> Option<(u32, u32)> {
        let find = |ranges: &[Range], id: u32| {
            let (inside, out, _) = ranges.iter().find(|(inside, _, count)| id >= *inside && id - inside < *count)?;
            Some(out + (id - inside))
        };
        Some((find(&self.users, uid)?, find(&self.groups, gid)?))
    }

    /// From here on this thread makes files as the container's root does: in a user namespace nobody else can make any there.
    /// The thread is not used for anything else afterwards.
    pub(super) fn act_as_root(&self) -> Result<()> {
        let Some((uid, gid)) = self.outside((0, 0)) else {
            bail!(FailedPrecondition, "the container's user namespace has no root: nobody can make files in it");
        };
        if (uid, gid) == (0, 0) {
            return Ok(());
        }
        let failed = |e: rustix::io::Errno| Error::io("act as", "the container's root", e);
        let before = rustix::thread::capabilities(None).map_err(failed)?;
        // SAFETY: they change ids of this thread and nothing in memory.
        unsafe {
            libc::setfsgid(gid);
            libc::setfsuid(uid);
            // They tell no errors; asked again with an id that is none, they tell the one in force.
            let (now, group) = (libc::setfsuid(u32::MAX), libc::setfsgid(u32::MAX));
            if now != uid.cast_signed() || group != gid.cast_signed() {
                bail!(PermissionDenied, "act as the container's root: that takes root here");
            }
        }
        // Without these, which went with the id, directories of other users of the container would be closed.
        let mut after = rustix::thread::capabilities(None).map_err(failed)?;
        let wanted = CapabilitySet::CHOWN
            | CapabilitySet::DAC_OVERRIDE
            | CapabilitySet::FOWNER
            | CapabilitySet::FSETID
            | CapabilitySet::SETFCAP;
        after.effective |= before.permitted & wanted;
        rustix::thread::set_capabilities(None, after).map_err(failed)
    }
}

fn parse(text: &str) -> Option<Vec<Range>> {
    let range = |line: &str| {
        let mut words = line.split_whitespace().map(str::parse::<u32>);
        Some((words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?))
    };
    text.lines().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_go_through_the_maps() {
        let ids = Ids { users: parse("0 100000 1000\n 5000 7 1").unwrap(), groups: parse("0 200000 10").unwrap() };
        assert_eq!(ids.inside((100_005, 200_001)), (5, 1));
        assert_eq!(ids.inside((7, 0)), (5000, 65534));
        assert_eq!(ids.outside((5, 1)), Some((100_005, 200_001)));
        assert_eq!((ids.outside((1000, 0)), ids.outside((0, 10))), (None, None));
        let same = Ids { users: parse("0 0 4294967295").unwrap(), groups: parse("0 0 4294967295").unwrap() };
        assert_eq!((same.inside((3, 4)), same.outside((3, 4))), ((3, 4), Some((3, 4))));
        assert!(same.act_as_root().is_ok() && parse("0 x 1").is_none());
    }
}
