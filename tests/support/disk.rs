//! A disk of a test's own: a file with a filesystem, mounted; its power can be cut.

use std::{
    fs::{self, File},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

pub struct Disk {
    image: PathBuf,
    pub at: PathBuf,
    options: String,
}

impl Disk {
    /// `image` is made with `size` bytes and mounted on `at`. `mkfs` is "mkfs.ext4" or the like, with its arguments.
    pub fn new(test: &str, image: &Path, size: u64, mkfs: &[&str], at: &Path, options: &str) -> Option<Self> {
        let program = super::program(test, mkfs[0])?;
        File::create(image).unwrap().set_len(size).unwrap();
        let made = Command::new(program).args(&mkfs[1..]).arg(image).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::create_dir_all(at).unwrap();
        let disk = Self { image: image.to_owned(), at: at.to_owned(), options: options.to_owned() };
        disk.mount();
        Some(disk)
    }

    /// As long as a mount namespace somewhere holds a copy of the last mount, which it does while it is being made, what
    /// comes back is the filesystem without power: tried again then.
    pub fn mount(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            self.mount_once();
            let probe = self.at.join(".powered");
            match fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)) {
                Ok(()) => return,
                Err(error) => assert!(Instant::now() < deadline, "{}: {error}", self.at.display()),
            }
            self.unmount();
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn mount_once(&self) {
        let options = if self.options.is_empty() { "loop".to_owned() } else { format!("loop,{}", self.options) };
        let done = Command::new("mount").args(["-o", &options]).arg(&self.image).arg(&self.at).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    pub fn unmount(&self) {
        let done = Command::new("umount").arg(&self.at).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// ext4's shutdown: nothing reaches the disk any more. With `flush` the journal still does, but not the data: the
    /// nastier of both.
    pub fn cut_power(&self, flush: bool) {
        let flag: u32 = if flush { 1 } else { 2 };
        let root = File::open(&self.at).unwrap();
        // _IOR('X', 125, __u32), fs/ext4/ext4.h.
        let request: libc::c_ulong = (2 << 30) | (4 << 16) | (0x58 << 8) | 125;
        // SAFETY: the descriptor is open and the argument is the 32-bit number that the request reads.
        let done = unsafe { libc::ioctl(root.as_raw_fd(), request as _, &raw const flag) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }

    /// Bytes and inodes that are free.
    pub fn free(&self) -> (u64, u64) {
        let stat = rustix::fs::statvfs(&self.at).unwrap();
        (stat.f_bavail * stat.f_frsize, stat.f_favail)
    }

    /// Fills it up to the last block; the file that does.
    pub fn fill(&self) -> PathBuf {
        use std::io::Write;
        let path = self.at.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 4096, 512] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        file.sync_all().unwrap();
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Unmounted by the test already, unless it failed.
        let _ = rustix::mount::unmount(&self.at, rustix::mount::UnmountFlags::DETACH);
    }
}
