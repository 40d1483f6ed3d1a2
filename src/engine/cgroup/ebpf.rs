//! A program that decides about devices for a v2 group (bpf(2), type `BPF_PROG_TYPE_CGROUP_DEVICE`), assembled here: a few
//! comparisons for each rule need no compiler and no library.

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::Path,
};

use super::devices::{MKNOD, READ, Rules, WRITE};
use crate::error::{Context as _, Error, Result};

// linux/bpf.h: commands, types, flags.
const PROG_LOAD: libc::c_long = 5;
const PROG_ATTACH: libc::c_long = 8;
const PROG_DETACH: libc::c_long = 9;
const PROG_GET_FD_BY_ID: libc::c_long = 13;
const PROG_QUERY: libc::c_long = 16;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
const ALLOW_MULTI: u32 = 1 << 1;
const BLOCK: u32 = 1;
const CHARACTER: u32 = 2;

// linux/bpf.h, linux/bpf_common.h: what the instructions do.
const LOAD_WORD: u8 = 0x61;
const MOVE_REGISTER: u8 = 0xbc;
const MOVE: u8 = 0xb4;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const IF_EQUAL: u8 = 0x16;
const IF_NOT_EQUAL: u8 = 0x56;
const EXIT: u8 = 0x95;

/// Registers: the answer, `struct bpf_cgroup_dev_ctx *`, and what is read from it.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
const SCRATCH: u8 = 6;

/// Programs that one group can have attached (kernel, `BPF_CGROUP_MAX_PROGS`).
const MOST: usize = 64;

/// `struct bpf_insn`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    code: u8,
    /// Destination in the low half, source in the high one (little-endian machines).
    registers: u8,
    offset: i16,
    immediate: i32,
}

fn make(code: u8, destination: u8, source: u8, offset: i16, immediate: u32) -> Instruction {
    Instruction { code, registers: destination | source << 4, offset, immediate: immediate.cast_signed() }
}

/// Answers 1 for what is allowed.
pub(super) fn assemble(rules: &Rules) -> Vec<Instruction> {
    let mut program = vec![
        make(LOAD_WORD, KIND, CONTEXT, 0, 0),
        make(MOVE_REGISTER, ACCESS, KIND, 0, 0),
        make(AND, KIND, 0, 0, 0xffff),
        make(SHIFT_RIGHT, ACCESS, 0, 0, 16),
        make(LOAD_WORD, MAJOR, CONTEXT, 4, 0),
        make(LOAD_WORD, MINOR, CONTEXT, 8, 0),
    ];
    for exception in &rules.exceptions {
        let mut steps = vec![make(IF_NOT_EQUAL, KIND, 0, 0, if exception.block { BLOCK } else { CHARACTER })];
        steps.push(make(MOVE_REGISTER, SCRATCH, ACCESS, 0, 0));
        if rules.allow {
            // Denied is what touches it at all, ...
            steps.push(make(AND, SCRATCH, 0, 0, exception.access));
            steps.push(make(IF_EQUAL, SCRATCH, 0, 0, 0));
        } else {
            // ... allowed what stays within it.
            steps.push(make(AND, SCRATCH, 0, 0, (MKNOD | READ | WRITE) & !exception.access));
            steps.push(make(IF_NOT_EQUAL, SCRATCH, 0, 0, 0));
        }
        for (register, number) in [(MAJOR, exception.major), (MINOR, exception.minor)] {
            steps.extend(number.map(|n| make(IF_NOT_EQUAL, register, 0, 0, n)));
        }
        let end = steps.len() + 2;
        for (at, step) in steps.iter_mut().enumerate() {
            if matches!(step.code, IF_EQUAL | IF_NOT_EQUAL) {
                // To behind the answer below.
                step.offset = i16::try_from(end - at - 1).unwrap_or(i16::MAX);
            }
        }
        program.append(&mut steps);
        program.extend([make(MOVE, ANSWER, 0, 0, (!rules.allow).into()), make(EXIT, 0, 0, 0, 0)]);
    }
    program.extend([make(MOVE, ANSWER, 0, 0, rules.allow.into()), make(EXIT, 0, 0, 0, 0)]);
    program
}

/// Puts it in force for the group in `directory`; with `replace` programs that were there go, afterwards.
///
/// # Errors
/// What the kernel refuses: no CAP_BPF or CAP_SYS_ADMIN, a kernel without cgroup programs.
pub(super) fn attach(directory: &Path, program: &[Instruction], replace: bool) -> Result<()> {
    let group = File::open(directory).map_err(|e| Error::io("open", directory, e))?;
    let old = if replace { attached(&group)? } else { Vec::new() };
    let program = load(program)?;
    change(PROG_ATTACH, &group, &program, ALLOW_MULTI).context(|| "attach the device program".to_owned())?;
    for id in old {
        // SAFETY: the attributes begin with the program's id, the rest is zero.
        let found = unsafe { bpf(PROG_GET_FD_BY_ID, &mut [id, 0, 0, 0]) };
        // SAFETY: a new descriptor, which is ours.
        let fd = unsafe { OwnedFd::from_raw_fd(found.context(|| format!("open device program {id}"))?) };
        change(PROG_DETACH, &group, &fd, 0).context(|| format!("detach device program {id}"))?;
    }
    Ok(())
}

fn load(program: &[Instruction]) -> Result<OwnedFd> {
    /// The beginning of `union bpf_attr` for `BPF_PROG_LOAD`.
    #[repr(C)]
    struct Load {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        log: [u32; 4],
    }
    let count = u32::try_from(program.len()).unwrap_or(u32::MAX);
    let mut attributes = Load {
        kind: TYPE_CGROUP_DEVICE,
        count,
        instructions: program.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        log: [0; 4],
    };
    // SAFETY: the program has `count` instructions and outlives the call; the license is a C string; no log is asked for.
    let fd = unsafe { bpf(PROG_LOAD, &mut attributes) }.context(|| "load the device program".to_owned())?;
    // SAFETY: a new descriptor, which is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn change(command: libc::c_long, group: &File, program: &OwnedFd, flags: u32) -> io::Result<()> {
    let fd = |raw: i32| raw.unsigned_abs();
    let mut attributes = [fd(group.as_raw_fd()), fd(program.as_raw_fd()), ATTACH_CGROUP_DEVICE, flags, 0];
    // SAFETY: target, program, type, flags, program to replace: the attributes of both commands.
    unsafe { bpf(command, &mut attributes) }.map(drop)
}

/// Ids of the device programs attached to this very group.
fn attached(group: &File) -> Result<Vec<u32>> {
    /// The beginning of `union bpf_attr` for `BPF_PROG_QUERY`.
    #[repr(C)]
    struct Query {
        target: u32,
        kind: u32,
        query_flags: u32,
        attach_flags: u32,
        ids: u64,
        count: u32,
        padding: u32,
    }
    let mut ids = [0_u32; MOST];
    let mut attributes = Query {
        target: group.as_raw_fd().unsigned_abs(),
        kind: ATTACH_CGROUP_DEVICE,
        query_flags: 0,
        attach_flags: 0,
        ids: ids.as_mut_ptr() as u64,
        count: u32::try_from(MOST).unwrap_or(0),
        padding: 0,
    };
    // SAFETY: `ids` has room for `count` numbers and outlives the call.
    unsafe { bpf(PROG_QUERY, &mut attributes) }.context(|| "look for device programs".to_owned())?;
    Ok(ids.into_iter().take(attributes.count as usize).collect())
}

/// # Safety
/// `attributes` must be what the command wants, with pointers that are valid for it.
unsafe fn bpf<T>(command: libc::c_long, attributes: &mut T) -> io::Result<i32> {
    // SAFETY: the caller's promise.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(i32::try_from(result).unwrap_or(-1)) }
}

#[cfg(test)]
mod tests {
    use std::{process::Command, sync::Arc};

    use oci_spec::runtime::LinuxResources;

    use crate::engine::cgroup::{Cgroup, Hierarchy, Layout};

    /// The v2 hierarchy of this machine as if there were no other. Its controllers are left alone.
    fn unified(name: &str) -> Option<Cgroup> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED {name}: it needs root");
            return None;
        }
        let host = Layout::host().unwrap();
        let Some(found) = host.hierarchies.iter().find(|h| h.unified) else {
            eprintln!("SKIPPED {name}: there is no cgroup v2");
            return None;
        };
        let alone = Hierarchy { controllers: Vec::new(), ..found.clone() };
        let layout = Arc::new(Layout { hierarchies: vec![alone] });
        Some(Cgroup::with_layout(layout, format!("wharf-test-{name}-{}", std::process::id())).unwrap())
    }

    fn resources(rules: serde_json::Value) -> LinuxResources {
        serde_json::from_value(serde_json::json!({ "devices": rules })).unwrap()
    }

    /// Which of these a process of the group may do.
    fn may(cgroup: &Cgroup) -> String {
        let group = cgroup.directory(&cgroup.layout().hierarchies[0]);
        let script = format!(
            "exec 2>$0.err; echo $$ > {}/cgroup.procs; head -c 1 /dev/zero > $0.out && printf z; (: < /dev/null) && printf r; \
             (: > /dev/null) && printf w; (: <> /dev/null) && printf b; mknod $0 c 1 5 && printf m && rm $0",
            group.display()
        );
        let node = tempfile::tempdir().unwrap();
        let output = Command::new("sh").args(["-c", &script]).arg(node.path().join("x")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn device_rules_hold_on_v2_and_are_replaced() {
        let Some(cgroup) = unified("ebpf") else { return };
        let deny = serde_json::json!({ "allow": false, "access": "rwm" });
        let null =
            |access: &str| serde_json::json!({ "allow": true, "type": "c", "major": 1, "minor": 3, "access": access });
        assert!(cgroup.create(Some(&resources(serde_json::json!([deny, (null("r"))])))).unwrap().is_none());
        assert_eq!(may(&cgroup), "r");
        cgroup
            .update(&resources(
                serde_json::json!([deny, (null("r")), (null("w")), { "allow": true, "type": "c", "access": "m" }]),
            ))
            .unwrap();
        assert_eq!(may(&cgroup), "rwbm");
        let zero = serde_json::json!({ "allow": false, "type": "c", "major": 1, "minor": 5, "access": "rm" });
        cgroup.update(&resources(serde_json::json!([{ "allow": true, "access": "rwm" }, zero]))).unwrap();
        assert_eq!(may(&cgroup), "rwb");
        cgroup.delete().unwrap();
    }
}
