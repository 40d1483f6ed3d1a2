//! The device mapper's calls (include/uapi/linux/dm-ioctl.h): devices by name, tables of one target, messages.

use std::{
    fs::{File, OpenOptions},
    os::fd::AsFd,
    path::PathBuf,
};

use rustix::{
    io::Errno,
    ioctl::{self, Opcode, Updater, opcode},
};

const CONTROL: &str = "/dev/mapper/control";
const HEAD: usize = 312;
/// For the longest table, message and status there is here.
const PAYLOAD: usize = 1024;
/// `struct dm_target_spec`, which stands before a target's words.
const SPEC: usize = 40;

const fn code(number: u8) -> Opcode {
    opcode::read_write::<[u8; HEAD]>(0xfd, number)
}
const CREATE: Opcode = code(3);
const REMOVE: Opcode = code(4);
const SUSPEND: Opcode = code(6);
const LOAD: Opcode = code(9);
const STATUS: Opcode = code(12);
const MESSAGE: Opcode = code(14);
/// `BLKDISCARD`, from before numbers told sizes.
const DISCARD: Opcode = 0x1277;

const TO_SUSPEND: u32 = 1 << 1;
const LIVE: u32 = 1 << 5;
const DEFERRED: u32 = 1 << 17;

/// `struct dm_ioctl` and what follows it.
#[repr(C)]
struct Call {
    version: [u32; 3],
    size: u32,
    start: u32,
    targets: u32,
    opened: i32,
    flags: u32,
    event: u32,
    padding: u32,
    device: u64,
    name: [u8; 128],
    uuid: [u8; 129],
    data: [u8; 7],
    payload: [u8; PAYLOAD],
}

const _: () = assert!(size_of::<Call>() == HEAD + PAYLOAD);

/// A device that has a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub minor: u32,
    /// Its first target, "thin" or "thin-pool", and what that says of itself.
    pub target: String,
    pub status: String,
}

impl Device {
    /// Made by the kernel itself; the links in /dev/mapper are udev's, and come later or never.
    pub fn node(&self) -> PathBuf {
        PathBuf::from(format!("/dev/dm-{}", self.minor))
    }
}

#[derive(Debug)]
pub struct Control(File);

impl Control {
    pub fn open() -> std::io::Result<Self> {
        OpenOptions::new().read(true).write(true).open(CONTROL).map(Self)
    }

    fn call<const CODE: Opcode>(&self, name: &str, flags: u32, payload: &[u8], targets: u32) -> Result<Call, Errno> {
        let mut call = Call {
            version: [4, 0, 0],
            size: (HEAD + PAYLOAD) as u32,
            start: HEAD as u32,
            targets,
            opened: 0,
            flags,
            event: 0,
            padding: 0,
            device: 0,
            name: [0; 128],
            uuid: [0; 129],
            data: [0; 7],
            payload: [0; PAYLOAD],
        };
        // Both end in a zero.
        if name.len() >= call.name.len() || payload.len() >= PAYLOAD {
            return Err(Errno::NAMETOOLONG);
        }
        call.name[..name.len()].copy_from_slice(name.as_bytes());
        call.payload[..payload.len()].copy_from_slice(payload);
        // SAFETY: the request reads and writes a structure of this layout, as long as its `size` says.
        unsafe { ioctl::ioctl(self.0.as_fd(), Updater::<CODE, Call>::new(&mut call)) }?;
        Ok(call)
    }

    /// `None` if there is no device of that name, or one without a table, which a crash left.
    pub fn find(&self, name: &str) -> Result<Option<Device>, Errno> {
        let call = match self.call::<STATUS>(name, 0, &[], 0) {
            Err(Errno::NXIO) => return Ok(None),
            other => other?,
        };
        if call.flags & LIVE == 0 || call.targets == 0 {
            return Ok(None);
        }
        let text = |bytes: &[u8]| {
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        let (target, status) = (text(&call.payload[24..SPEC]), text(&call.payload[SPEC..]));
        Ok(Some(Device { minor: libc::minor(call.device), target, status }))
    }

    /// Makes a device of one target and starts it; on error nothing is left of it. One without a table is replaced.
    pub fn create(&self, name: &str, sectors: u64, target: &str, words: &str) -> Result<(), Errno> {
        let made = match self.call::<CREATE>(name, 0, &[], 0) {
            Err(Errno::BUSY) => {
                self.remove(name, false)?;
                self.call::<CREATE>(name, 0, &[], 0)
            }
            other => other,
        };
        made?;
        let mut spec = vec![0; SPEC];
        spec[8..16].copy_from_slice(&sectors.to_ne_bytes());
        let kind = target.as_bytes();
        spec[24..24 + kind.len()].copy_from_slice(kind);
        spec.extend_from_slice(words.as_bytes());
        let started = self.call::<LOAD>(name, 0, &spec, 1).and_then(|_| self.resume(name));
        // The first error is the one to tell.
        if started.is_err() {
            self.remove(name, false)?;
        }
        started
    }

    /// Fine if it is not there. Deferred, it goes when nobody has it open any more.
    pub fn remove(&self, name: &str, deferred: bool) -> Result<(), Errno> {
        match self.call::<REMOVE>(name, if deferred { DEFERRED } else { 0 }, &[], 0) {
            Err(Errno::NXIO) => Ok(()),
            other => other.map(drop),
        }
    }

    /// What was written is in the device when this returns, a mounted filesystem's own caches included.
    pub fn suspend(&self, name: &str) -> Result<(), Errno> {
        self.call::<SUSPEND>(name, TO_SUSPEND, &[], 0).map(drop)
    }

    pub fn resume(&self, name: &str) -> Result<(), Errno> {
        self.call::<SUSPEND>(name, 0, &[], 0).map(drop)
    }

    pub fn message(&self, name: &str, text: &str) -> Result<(), Errno> {
        let mut payload = vec![0; 8];
        payload.extend_from_slice(text.as_bytes());
        self.call::<MESSAGE>(name, 0, &payload, 0).map(drop)
    }
}

/// Gives back all blocks of a device.
pub fn discard(device: &File, bytes: u64) -> Result<(), Errno> {
    let mut range = [0, bytes];
    // SAFETY: the request reads two numbers.
    unsafe { ioctl::ioctl(device, Updater::<DISCARD, [u64; 2]>::new(&mut range)) }
}
