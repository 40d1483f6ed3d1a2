//! The built-in network's addresses: one file each, which says whose it is. It touches no interface.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::PortMapping;
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// An IPv4 network in CIDR notation, /8 to /30.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    network: Ipv4Addr,
    prefix: u8,
}

impl Subnet {
    /// 10.88.0.0/16, what other single-node engines use.
    pub const DEFAULT: Self = Self { network: Ipv4Addr::new(10, 88, 0, 0), prefix: 16 };

    pub fn network(self) -> Ipv4Addr {
        self.network
    }

    pub fn prefix(self) -> u8 {
        self.prefix
    }

    pub(super) fn mask(self) -> u32 {
        u32::MAX << (32 - self.prefix)
    }

    /// The bridge's address: the first one.
    pub fn gateway(self) -> Ipv4Addr {
        (u32::from(self.network) + 1).into()
    }

    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask() == u32::from(self.network)
    }

    /// The pods' addresses: without network, gateway and broadcast.
    fn pods(self) -> std::ops::Range<u32> {
        let first = u32::from(self.network);
        first + 2..(first | !self.mask())
    }
}

impl FromStr for Subnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('/').and_then(|(a, p)| Some((a.parse::<Ipv4Addr>().ok()?, p.parse::<u8>().ok()?)));
        let Some((address, prefix @ 8..=30)) = parsed else {
            bail!(InvalidArgument, "{text:?} is not an IPv4 network between /8 and /30");
        };
        let mut subnet = Self { network: address, prefix };
        subnet.network = (u32::from(address) & subnet.mask()).into();
        if address.is_loopback() || address.is_multicast() || address.is_unspecified() {
            bail!(InvalidArgument, "{text} cannot be a network of pods");
        }
        Ok(subnet)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// Who has an address, and which host ports lead there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub pod: String,
    pub ports: Vec<PortMapping>,
    /// The pod has ended, and its interface is still there.
    #[serde(default)]
    pub ended: bool,
}

/// Leases of one subnet. Holds the lock on them while it lives, against threads and processes.
///
/// No file is synced: a power cut that takes a lease takes the pod as well.
pub(super) struct Leases {
    directory: PathBuf,
    subnet: Subnet,
    _lock: File,
}

impl Leases {
    /// Waits for the lock. Blocking.
    pub(super) fn open(state: &Path, subnet: Subnet) -> Result<Self> {
        let directory = state.join("leases");
        fs::create_dir_all(&directory).map_err(|e| Error::io("create directory", &directory, e))?;
        let path = state.join("lock");
        let lock = OpenOptions::new().create(true).append(true).open(&path).map_err(|e| Error::io("open", &path, e))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).map_err(|e| Error::io("lock", &path, e))?;
        Ok(Self { directory, subnet, _lock: lock })
    }

    /// As [`Self::open`]; `None` if there are none, or no more when the lock comes free. Makes nothing.
    pub(super) fn find(state: &Path, subnet: Subnet) -> Result<Option<Self>> {
        let path = state.join("lock");
        let lock = match OpenOptions::new().append(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|e| Error::io("open", &path, e))?,
        };
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).map_err(|e| Error::io("lock", &path, e))?;
        let directory = state.join("leases");
        Ok(directory.exists().then_some(Self { directory, subnet, _lock: lock }))
    }

    /// Every lease, by address. One that cannot be read has no owner, and its address stays taken.
    pub(super) fn all(&self) -> Result<Vec<(Ipv4Addr, Option<Lease>)>> {
        let listed = |e| Error::io("list", &self.directory, e);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(listed)? {
            let entry = entry.map_err(listed)?;
            let Some(address) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
            let path = entry.path();
            let text = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
            let lease = serde_json::from_slice(&text)
                .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "unreadable lease"))
                .ok();
            all.push((address, lease));
        }
        all.sort_unstable_by_key(|(address, _)| *address);
        Ok(all)
    }

    pub(super) fn of(&self, pod: &str) -> Result<Vec<(Ipv4Addr, Lease)>> {
        let all = self.all()?.into_iter();
        Ok(all.filter_map(|(a, lease)| Some((a, lease.filter(|l| l.pod == pod)?))).collect())
    }

    /// The next free address after the one that was given last, so that an address rests before it is used again.
    pub(super) fn reserve(&self, lease: &Lease) -> Result<Ipv4Addr> {
        let draft = self.draft(lease)?;
        let last_path = self.directory.join("last");
        let pods = self.subnet.pods();
        let last = match fs::read_to_string(&last_path) {
            Ok(text) => text.trim().parse::<Ipv4Addr>().ok().map(u32::from).filter(|a| pods.contains(a)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("read", &last_path, error)),
        };
        let start = last.map_or(pods.start, |a| a + 1);
        for candidate in (start..pods.end).chain(pods.start..start) {
            let address = Ipv4Addr::from(candidate);
            // A link, unlike a new file, appears with its content or not at all.
            match fs::hard_link(&draft, self.path(address)) {
                Ok(()) => {
                    let done = fs::remove_file(&draft).map_err(|e| Error::io("remove", &draft, e)).and_then(|()| {
                        fs::write(&last_path, address.to_string()).map_err(|e| Error::io("write", &last_path, e))
                    });
                    return match done {
                        Ok(()) => Ok(address),
                        Err(error) => Err(error.and_cleanup(self.release(address))),
                    };
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("create", self.path(address), error)),
            }
        }
        bail!(ResourceExhausted, "every address of {} is taken", self.subnet)
    }

    /// Another record for an address that is taken.
    pub(super) fn replace(&self, address: Ipv4Addr, lease: &Lease) -> Result<()> {
        let draft = self.draft(lease)?;
        fs::rename(&draft, self.path(address)).map_err(|e| Error::io("rename", &draft, e))
    }

    fn draft(&self, lease: &Lease) -> Result<PathBuf> {
        let record =
            serde_json::to_vec(lease).map_err(|e| Error::new(Kind::Internal, "encode a lease").with_source(e))?;
        let draft = self.directory.join("draft");
        fs::write(&draft, record).map_err(|e| Error::io("write", &draft, e))?;
        Ok(draft)
    }

    /// Fine if nobody has it.
    pub(super) fn release(&self, address: Ipv4Addr) -> Result<()> {
        match fs::remove_file(self.path(address)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", self.path(address), error))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, address: Ipv4Addr) -> PathBuf {
        self.directory.join(address.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(pod: &str) -> Lease {
        Lease { pod: pod.to_owned(), ports: Vec::new(), ended: false }
    }

    #[test]
    fn addresses_go_round_and_run_out() {
        let dir = tempfile::tempdir().unwrap();
        let leases = Leases::open(dir.path(), "10.1.2.9/29".parse().unwrap()).unwrap();
        let given: Vec<_> = (0..5).map(|n| leases.reserve(&lease(&format!("p{n}"))).unwrap().to_string()).collect();
        assert_eq!(given, ["10.1.2.10", "10.1.2.11", "10.1.2.12", "10.1.2.13", "10.1.2.14"]);
        assert!(leases.reserve(&lease("p6")).unwrap_err().is(Kind::ResourceExhausted));
        let third = leases.of("p2").unwrap();
        assert_eq!(third, [("10.1.2.12".parse().unwrap(), lease("p2"))]);
        leases.release(third[0].0).unwrap();
        leases.release(third[0].0).unwrap();
        assert_eq!(leases.reserve(&lease("p7")).unwrap().to_string(), "10.1.2.12");
        leases.release("10.1.2.10".parse().unwrap()).unwrap();
        leases.release("10.1.2.14".parse().unwrap()).unwrap();
        assert_eq!(
            leases.reserve(&lease("p8")).unwrap().to_string(),
            "10.1.2.14",
            "an address rests after its release"
        );
    }

    #[test]
    fn a_torn_lease_keeps_its_address_taken() {
        let dir = tempfile::tempdir().unwrap();
        let leases = Leases::open(dir.path(), Subnet::DEFAULT).unwrap();
        std::fs::write(dir.path().join("leases/10.88.0.2"), "").unwrap();
        assert_eq!(leases.reserve(&lease("p")).unwrap().to_string(), "10.88.0.3");
        assert_eq!(leases.all().unwrap()[0], ("10.88.0.2".parse().unwrap(), None));
    }

    #[test]
    fn subnets_are_validated() {
        for bad in
            ["", "10.0.0.0", "10.0.0.0/31", "10.0.0.0/7", "127.0.0.0/8", "224.0.0.0/8", "fd00::/64", "10.0.0.0/33"]
        {
            assert!(bad.parse::<Subnet>().is_err(), "{bad}");
        }
        let subnet: Subnet = "192.168.7.200/24".parse().unwrap();
        assert_eq!((subnet.to_string(), subnet.gateway().to_string()), ("192.168.7.0/24".into(), "192.168.7.1".into()));
        assert!(subnet.contains("192.168.7.255".parse().unwrap()) && !subnet.contains("192.168.8.0".parse().unwrap()));
    }
}
