//! The system call tables of this machine: which number a name has, by calling convention. libseccomp's names are the
//! kernel's, so a profile written for it means the same here.

use std::str::FromStr as _;

use oci_spec::runtime::Arch;

/// A calling convention a process here can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abi {
    X86_64,
    /// Its numbers have bit 30 set and share the table's architecture value with x86-64.
    X32,
    I386,
    Aarch64,
    Arm,
}

/// asm/unistd.h, `__X32_SYSCALL_BIT`.
pub const X32_BIT: u32 = 0x4000_0000;

/// Calls that x32 has under numbers of its own, from 512 on (asm/unistd_x32.h).
const X32_OWN: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

/// The calls that i386 also, and older programs only, make through socketcall(2): the first is number 1 (linux/net.h).
const SOCKETCALL: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];

/// The same for ipc(2) (linux/ipc.h).
const IPC: [(&str, u32); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

/// Private calls of 32-bit ARM (asm/unistd.h, `__ARM_NR_BASE`).
const ARM_PRIVATE: [(&str, u32); 5] = [
    ("breakpoint", 0xf_0001),
    ("cacheflush", 0xf_0002),
    ("usr26", 0xf_0003),
    ("usr32", 0xf_0004),
    ("set_tls", 0xf_0005),
];

impl Abi {
    #[cfg(target_arch = "x86_64")]
    pub const NATIVE: Self = Self::X86_64;
    #[cfg(target_arch = "aarch64")]
    pub const NATIVE: Self = Self::Aarch64;

    /// `None` for one that no process of this machine can use.
    pub fn of(arch: Arch) -> Option<Self> {
        let abi = match arch {
            Arch::ScmpArchNative => Self::NATIVE,
            Arch::ScmpArchX86_64 => Self::X86_64,
            Arch::ScmpArchX32 => Self::X32,
            Arch::ScmpArchX86 => Self::I386,
            Arch::ScmpArchAarch64 => Self::Aarch64,
            Arch::ScmpArchArm => Self::Arm,
            _ => return None,
        };
        let here = match Self::NATIVE {
            Self::Aarch64 | Self::Arm => [Self::Aarch64, Self::Arm].contains(&abi),
            _ => [Self::X86_64, Self::X32, Self::I386].contains(&abi),
        };
        here.then_some(abi)
    }

    /// What `seccomp_data.arch` holds (linux/audit.h).
    pub fn audit(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xc000_003e,
            Self::I386 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
            Self::Arm => 0x4000_0028,
        }
    }

    /// Arguments have 64 bits.
    pub fn wide(self) -> bool {
        !matches!(self, Self::I386 | Self::Arm)
    }

    pub fn number(self, name: &str) -> Option<u32> {
        let found = match self {
            Self::X86_64 => syscalls::x86_64::Sysno::from_str(name).ok()?.id(),
            Self::X32 => {
                if let Some(own) = X32_OWN.iter().position(|n| *n == name) {
                    return u32::try_from(512 + own).ok().map(|n| n | X32_BIT);
                }
                let number = syscalls::x86_64::Sysno::from_str(name).ok()?.id();
                return u32::try_from(number).ok().map(|n| n | X32_BIT);
            }
            Self::I386 => syscalls::x86::Sysno::from_str(name).ok()?.id(),
            Self::Aarch64 => syscalls::aarch64::Sysno::from_str(name).ok()?.id(),
            Self::Arm => {
                if let Some((_, number)) = ARM_PRIVATE.iter().find(|(n, _)| *n == name) {
                    return Some(*number);
                }
                syscalls::arm::Sysno::from_str(name).ok()?.id()
            }
        };
        u32::try_from(found).ok()
    }

    /// A call that does the same when its first argument has this value: its number, and the value.
    pub fn multiplexed(self, name: &str) -> Option<(u32, u32)> {
        if self != Self::I386 {
            return None;
        }
        if let Some(position) = SOCKETCALL.iter().position(|n| *n == name) {
            return Some((self.number("socketcall")?, u32::try_from(position + 1).ok()?));
        }
        let (_, value) = IPC.iter().find(|(n, _)| *n == name)?;
        Some((self.number("ipc")?, *value))
    }
}

/// Whether any machine has a call of this name, so that it may be left out here without losing a rule.
pub fn known(name: &str) -> bool {
    /// Of machines whose tables are not here, and calls the kernel has removed.
    const OTHERS: [&str; 14] = [
        "arm_sync_file_range",
        "arm_fadvise64_64",
        "sync_file_range2",
        "swapcontext",
        "s390_pci_mmio_read",
        "s390_pci_mmio_write",
        "s390_runtime_instr",
        "riscv_flush_icache",
        "riscv_hwprobe",
        "spu_create",
        "spu_run",
        "sysmips",
        "switch_endian",
        "subpage_prot",
    ];
    let here = [Abi::X86_64, Abi::X32, Abi::I386, Abi::Aarch64, Abi::Arm].iter().any(|a| a.number(name).is_some());
    here || OTHERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_kernels() {
        assert_eq!(Abi::X86_64.number("execve"), Some(59));
        assert_eq!(Abi::X32.number("execve"), Some(X32_BIT | 520));
        assert_eq!(Abi::X32.number("pwritev2"), Some(X32_BIT | 547));
        assert_eq!(Abi::X32.number("read"), Some(X32_BIT));
        assert_eq!(Abi::I386.number("execve"), Some(11));
        assert_eq!(Abi::I386.number("_llseek"), Some(140));
        assert_eq!(Abi::Aarch64.number("execve"), Some(221));
        assert_eq!(Abi::X86_64.number("socketcall"), None);
        assert_eq!(Abi::I386.multiplexed("socket"), Some((102, 1)));
        assert_eq!(Abi::I386.multiplexed("shmat"), Some((117, 21)));
        assert!(known("set_tls") && !known("no_such_call"));
    }
}
