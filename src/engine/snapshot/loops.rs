//! Loop devices (drivers/block/loop.c): a file as a block device, for kernels that mount no file by itself.

use std::{
    fs::{File, OpenOptions},
    os::fd::{AsFd, AsRawFd},
    path::{Path, PathBuf},
};

use rustix::{
    io::Errno,
    ioctl::{self, Opcode, Setter},
};

use crate::error::{Context, Error, Kind, Result};

// Plain numbers, from before numbers told sizes.
const CTL_GET_FREE: Opcode = 0x4c82;
const CONFIGURE: Opcode = 0x4c0a;
const READ_ONLY: u32 = 1;
const AUTOCLEAR: u32 = 4;
/// How often another process may take the device that was free.
const ATTEMPTS: usize = 64;

/// `struct loop_config` with its `struct loop_info64`.
#[repr(C)]
struct Config {
    fd: u32,
    block_size: u32,
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
    reserved: [u64; 8],
}

const _: () = assert!(size_of::<Config>() == 304);

/// Attached as long as this or a mount of it lives: the kernel detaches it after the last.
#[derive(Debug)]
pub struct Device {
    pub path: PathBuf,
    _open: File,
}

/// A read-only device that shows the file.
///
/// # Errors
/// If the kernel has no loop devices or none is free.
pub fn attach(file: &Path) -> Result<Device> {
    let doing = || format!("attach {} to a loop device", file.display());
    let source = File::open(file).context(doing)?;
    for _ in 0..ATTEMPTS {
        let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control");
        let control = control.context(|| "open /dev/loop-control".to_owned()).context(doing)?;
        // SAFETY: the request has no argument.
        let number = unsafe { ioctl::ioctl(&control, GetFree) }.context(doing)?;
        let path = PathBuf::from(format!("/dev/loop{number}"));
        let device = File::open(&path).context(|| format!("open {}", path.display())).context(doing)?;
        let config = Config {
            fd: u32::try_from(source.as_raw_fd()).unwrap_or(u32::MAX),
            block_size: 0,
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            size_limit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags: READ_ONLY | AUTOCLEAR,
            file_name: [0; 64],
            crypt_name: [0; 64],
            encrypt_key: [0; 32],
            init: [0; 2],
            reserved: [0; 8],
        };
        // SAFETY: the request reads a structure of this layout; the descriptor in it is open.
        match unsafe { ioctl::ioctl(device.as_fd(), Setter::<CONFIGURE, Config>::new(config)) } {
            Ok(()) => return Ok(Device { path, _open: device }),
            Err(Errno::BUSY) => {}
            Err(error) => return Err(error).context(doing),
        }
    }
    Err(Error::new(Kind::ResourceExhausted, format!("{}: every free one was taken by somebody else", doing())))
}

/// `LOOP_CTL_GET_FREE`: the answer is its return value.
struct GetFree;

// SAFETY: the request neither reads nor writes memory.
unsafe impl ioctl::Ioctl for GetFree {
    type Output = i32;
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        CTL_GET_FREE
    }

    fn as_ptr(&mut self) -> *mut libc::c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(out: ioctl::IoctlOutput, _: *mut libc::c_void) -> rustix::io::Result<i32> {
        Ok(out)
    }
}
