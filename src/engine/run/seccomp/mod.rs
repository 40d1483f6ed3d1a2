//! Seccomp filters (OCI runtime spec, config-linux.md "Seccomp"; seccomp(2)): a profile becomes a BPF program of ours,
//! with the meaning libseccomp and runc give it. What cannot be honoured is refused, never left out.
//!
//! [`abi`] knows the system call numbers, [`bpf`] the instructions. Which profile a container has is decided elsewhere.

mod abi;
mod bpf;

use std::collections::BTreeMap;

use oci_spec::runtime::{
    LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSeccompOperator, LinuxSyscall,
};

use self::{
    abi::{Abi, X32_BIT},
    bpf::{Instruction, Range, Verdict},
};
use crate::{
    bail,
    error::{Context, Result},
};

// linux/seccomp.h: what a filter returns, and flags for loading it.
const KILL_PROCESS: u32 = 0x8000_0000;
const ERRNO: u32 = 0x0005_0000;
const FLAG_LOG: u32 = 1 << 1;
const FLAG_SPEC_ALLOW: u32 = 1 << 2;

/// A program ready for the kernel.
#[derive(Clone)]
pub struct Filter {
    program: Vec<Instruction>,
    flags: u32,
}

/// An action, and what must hold for it to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub conditions: Vec<Condition>,
    pub action: u32,
}

/// `(argument & mask) compare value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub argument: u8,
    pub mask: u64,
    pub compare: Compare,
    pub value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Filter {
    /// # Errors
    /// `InvalidArgument` for a document that contradicts itself or forbids a call nobody knows, `Unimplemented` for
    /// notifications, `ResourceExhausted` if it is too long for the kernel.
    pub fn new(profile: &LinuxSeccomp) -> Result<Self> {
        let default = action(profile.default_action(), profile.default_errno_ret())?;
        let mut abis: Vec<Abi> = profile.architectures().iter().flatten().filter_map(|arch| Abi::of(*arch)).collect();
        if abis.is_empty() {
            if profile.architectures().as_ref().is_some_and(|list| !list.is_empty()) {
                bail!(InvalidArgument, "the seccomp profile is for none of this machine's architectures");
            }
            abis.push(Abi::NATIVE);
        }
        let mut programs: Vec<(u32, Vec<Range>)> = Vec::new();
        for abi in [Abi::X86_64, Abi::Aarch64, Abi::I386, Abi::Arm] {
            // x32 lives in the upper half of x86-64's numbers.
            let x32 = abi == Abi::X86_64 && abis.contains(&Abi::X32);
            if !abis.contains(&abi) && !x32 {
                continue;
            }
            let mut ranges = if abis.contains(&abi) {
                ranges(profile, abi, default)?
            } else {
                vec![Range { start: 0, verdict: Verdict::always(KILL_PROCESS) }]
            };
            if abi == Abi::X86_64 {
                ranges.retain(|r| r.start < X32_BIT);
                if x32 {
                    let upper = self::ranges(profile, Abi::X32, default)?;
                    ranges.extend(upper.into_iter().map(|r| Range { start: r.start.max(X32_BIT), ..r }));
                } else {
                    ranges.push(Range { start: X32_BIT, verdict: Verdict::always(KILL_PROCESS) });
                }
                // -1 is what a tracer writes to skip a call.
                ranges.push(Range { start: u32::MAX, verdict: Verdict::always(default) });
            }
            programs.push((abi.audit(), ranges));
        }
        Ok(Self { program: bpf::assemble(&programs, KILL_PROCESS)?, flags: flags(profile)? })
    }

    /// For the calling thread, from now on and for all its children. Needs `no_new_privs` or CAP_SYS_ADMIN.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn load(&self) -> Result<()> {
        let length = u16::try_from(self.program.len()).unwrap_or(u16::MAX);
        let program = libc::sock_fprog { len: length, filter: self.program.as_ptr().cast_mut() };
        // SAFETY: the program lives during the call, has the stated length, and is only read.
        let result =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, self.flags, &raw const program) };
        if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()).context(|| "load the filter".to_owned()) }
    }
}

/// Every number of an ABI, from 0 on.
fn ranges(profile: &LinuxSeccomp, abi: Abi, default: u32) -> Result<Vec<Range>> {
    let mut calls: BTreeMap<u32, Vec<Rule>> = BTreeMap::new();
    for entry in profile.syscalls().iter().flatten() {
        let action = action(entry.action(), entry.errno_ret())?;
        for name in entry.names() {
            add(&mut calls, abi, name, entry, action, default)?;
        }
    }
    let last = calls.keys().next_back().copied();
    let mut ranges = vec![Range { start: 0, verdict: Verdict::always(default) }];
    for (number, rules) in calls {
        // A rule without conditions is the broadest: it decides after those that have some.
        let (broad, narrow): (Vec<Rule>, Vec<Rule>) = rules.into_iter().partition(|r| r.conditions.is_empty());
        let otherwise = broad.iter().map(|r| r.action).min_by_key(|a| rank(*a)).unwrap_or(default);
        let verdict = Verdict { rules: narrow, otherwise, wide: abi.wide() };
        set(&mut ranges, number, verdict);
        set(&mut ranges, number.saturating_add(1), Verdict::always(default));
    }
    if let (Some(last), Some(action)) = (last, beyond(profile)) {
        set(&mut ranges, last.saturating_add(1), Verdict::always(action));
    }
    ranges.dedup_by(|later, earlier| later.verdict == earlier.verdict);
    Ok(ranges)
}

/// The verdict from `start` on; ranges come in rising order.
fn set(ranges: &mut Vec<Range>, start: u32, verdict: Verdict) {
    match ranges.last_mut() {
        Some(last) if last.start == start => last.verdict = verdict,
        _ => ranges.push(Range { start, verdict }),
    }
}

/// For calls newer than everything the profile speaks of, as runc has it: programs expect ENOSYS from an old kernel, and
/// fall back, where EPERM would end them.
fn beyond(profile: &LinuxSeccomp) -> Option<u32> {
    let open = matches!(profile.default_action(), LinuxSeccompAction::ScmpActAllow | LinuxSeccompAction::ScmpActLog);
    (!open).then_some(ERRNO | libc::ENOSYS.unsigned_abs())
}

fn add(
    calls: &mut BTreeMap<u32, Vec<Rule>>,
    abi: Abi,
    name: &str,
    entry: &LinuxSyscall,
    action: u32,
    default: u32,
) -> Result<()> {
    let Some(number) = abi.number(name) else {
        // libseccomp leaves out what it does not know. For a call that is allowed that is strict; for one that is to be
        // stopped it would be no protection at all.
        if !abi::known(name) && stricter(action, default) {
            bail!(InvalidArgument, "the seccomp profile restricts {name:?}, which is no system call known here");
        }
        return Ok(());
    };
    let conditions = entry
        .args()
        .iter()
        .flatten()
        .map(condition)
        .collect::<Result<Vec<_>>>()
        .context(|| format!("rule for {name}"))?;
    let rules = calls.entry(number).or_default();
    let arguments: Vec<u8> = conditions.iter().map(|c| c.argument).collect();
    let repeated = (1..arguments.len()).any(|i| arguments[..i].contains(&arguments[i]));
    if repeated {
        // runc: conditions on the same argument are alternatives.
        rules.extend(conditions.into_iter().map(|c| Rule { conditions: vec![c], action }));
    } else {
        rules.push(Rule { conditions, action });
    }
    // The arguments behind a multiplexer are in memory, where no filter looks: only a restriction reaches there.
    if let Some((number, value)) = abi.multiplexed(name)
        && stricter(action, default)
    {
        let which = Condition { argument: 0, mask: u64::MAX, compare: Compare::Equal, value: value.into() };
        calls.entry(number).or_default().push(Rule { conditions: vec![which], action });
    }
    Ok(())
}

/// The kernel's own order of actions: killing is lowest, as a signed number, allowing highest.
fn rank(action: u32) -> i32 {
    (action & 0xffff_0000).cast_signed()
}

/// Whether the first forbids something that the second does not.
fn stricter(action: u32, than: u32) -> bool {
    rank(action) < rank(than)
}

fn condition(arg: &LinuxSeccompArg) -> Result<Condition> {
    let Some(argument) = u8::try_from(arg.index()).ok().filter(|n| *n < 6) else {
        bail!(InvalidArgument, "a system call has no argument {}", arg.index());
    };
    let value = arg.value();
    let (mask, compare, value) = match arg.op() {
        LinuxSeccompOperator::ScmpCmpNe => (u64::MAX, Compare::NotEqual, value),
        LinuxSeccompOperator::ScmpCmpLt => (u64::MAX, Compare::Less, value),
        LinuxSeccompOperator::ScmpCmpLe => (u64::MAX, Compare::LessEqual, value),
        LinuxSeccompOperator::ScmpCmpEq => (u64::MAX, Compare::Equal, value),
        LinuxSeccompOperator::ScmpCmpGe => (u64::MAX, Compare::GreaterEqual, value),
        LinuxSeccompOperator::ScmpCmpGt => (u64::MAX, Compare::Greater, value),
        LinuxSeccompOperator::ScmpCmpMaskedEq => (value, Compare::Equal, arg.value_two().unwrap_or(0)),
    };
    Ok(Condition { argument, mask, compare, value })
}

fn action(action: LinuxSeccompAction, errno: Option<u32>) -> Result<u32> {
    let carries = matches!(action, LinuxSeccompAction::ScmpActErrno | LinuxSeccompAction::ScmpActTrace);
    match errno {
        Some(_) if !carries => bail!(InvalidArgument, "seccomp action {action} carries no errnoRet"),
        Some(errno) if errno > 0xffff => bail!(InvalidArgument, "errnoRet {errno} is no error number"),
        _ => {}
    }
    if action == LinuxSeccompAction::ScmpActNotify {
        bail!(Unimplemented, "the built-in runtime sends no seccomp notifications: choose another handler");
    }
    Ok(action.as_u32(errno))
}

fn flags(profile: &LinuxSeccomp) -> Result<u32> {
    let mut bits = 0;
    for flag in profile.flags().iter().flatten() {
        bits |= match flag {
            LinuxSeccompFilterFlag::SeccompFilterFlagLog => FLAG_LOG,
            LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => FLAG_SPEC_ALLOW,
            // There is one thread.
            LinuxSeccompFilterFlag::SeccompFilterFlagTsync => 0,
            LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => {
                bail!(InvalidArgument, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV without notifications");
            }
        };
    }
    Ok(bits)
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("instructions", &self.program.len()).field("flags", &self.flags).finish()
    }
}

#[cfg(test)]
mod tests;
