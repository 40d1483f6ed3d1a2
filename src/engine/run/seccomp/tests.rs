//! Profiles become programs with the right verdicts; the programs are run as the kernel would run them.

use super::*;

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = ERRNO | 1;
const ENOSYS: u32 = ERRNO | 38;
const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;

fn filter(profile: serde_json::Value) -> Result<Filter> {
    Filter::new(&serde_json::from_value(profile).unwrap())
}

/// The verdict for a call.
fn of(filter: &Filter, architecture: u32, number: u32, arguments: &[u64]) -> u32 {
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    bpf::run(&filter.program, architecture, number, all)
}

fn rule(names: &[&str], action: &str, args: serde_json::Value) -> serde_json::Value {
    serde_json::json!({ "names": names, "action": action, "args": args })
}

#[test]
fn an_allow_list_allows_what_it_lists_on_the_architectures_it_lists() {
    let profile = |arches: serde_json::Value| {
        serde_json::json!({ "defaultAction": "SCMP_ACT_ERRNO", "architectures": arches,
            "syscalls": [rule(&["read", "write", "execve", "socketcall", "_llseek"], "SCMP_ACT_ALLOW", serde_json::json!([]))] })
    };
    let all = filter(profile(serde_json::json!(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]))).unwrap();
    for (architecture, number, verdict) in [
        (X86_64, 0, ALLOW),
        (X86_64, 1, ALLOW),
        (X86_64, 2, EPERM),
        (X86_64, 59, ALLOW),
        (X86_64, 60, ENOSYS),
        (X86_64, X32_BIT, ALLOW),
        (X86_64, X32_BIT | 59, EPERM),
        (X86_64, X32_BIT | 520, ALLOW),
        (X86_64, u32::MAX, EPERM),
        (I386, 3, ALLOW),
        (I386, 11, ALLOW),
        (I386, 59, EPERM),
        (I386, 102, ALLOW),
        (I386, 140, ALLOW),
        (I386, 141, ENOSYS),
        (0xc000_00b7, 0, KILL_PROCESS),
    ] {
        assert_eq!(of(&all, architecture, number, &[]), verdict, "{architecture:#x} {number}");
    }
    let native = filter(profile(serde_json::json!([]))).unwrap();
    assert_eq!(of(&native, X86_64, 0, &[]), ALLOW);
    assert_eq!(of(&native, X86_64, X32_BIT, &[]), KILL_PROCESS);
    assert_eq!(of(&native, I386, 3, &[]), KILL_PROCESS);
}

#[test]
fn arguments_are_compared_as_64_bit_numbers() {
    let big = 0x1_0000_0005_u64;
    for (op, value, two, holds, fails) in [
        ("EQ", big, 0, vec![big], vec![5, big + 1, big + (1 << 32)]),
        ("NE", big, 0, vec![5, big - 1], vec![big]),
        ("LT", big, 0, vec![0, 5, big - 1], vec![big, big + 1, u64::MAX]),
        ("LE", big, 0, vec![0, big], vec![big + 1, 2 << 32]),
        ("GT", big, 0, vec![big + 1, 2 << 32], vec![5, big]),
        ("GE", big, 0, vec![big, u64::MAX], vec![big - 1, 0xffff_ffff]),
        ("MASKED_EQ", 0x7e02_0000, 0, vec![0, 0x11, 1 << 40], vec![0x1000_0000, 0x0002_0000]),
    ] {
        let args = serde_json::json!([{ "index": 2, "value": value, "valueTwo": two, "op": format!("SCMP_CMP_{op}") }]);
        let made = filter(serde_json::json!({ "defaultAction": "SCMP_ACT_KILL_PROCESS",
            "syscalls": [rule(&["clone"], "SCMP_ACT_ALLOW", args)] }))
        .unwrap();
        for (list, verdict) in [(holds, ALLOW), (fails, KILL_PROCESS)] {
            for argument in list {
                assert_eq!(of(&made, X86_64, 56, &[9, 9, argument]), verdict, "{argument:#x} {op} {value:#x}");
            }
        }
    }
}

#[test]
fn conditions_on_one_argument_are_alternatives_and_on_several_all_must_hold() {
    let arg = |index: u32, value: u64| serde_json::json!({ "index": index, "value": value, "op": "SCMP_CMP_EQ" });
    let with = |args: serde_json::Value| {
        filter(serde_json::json!({ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13,
            "syscalls": [rule(&["personality"], "SCMP_ACT_ALLOW", args)] }))
        .unwrap()
    };
    let either = with(serde_json::json!([arg(0, 0), arg(0, 8)]));
    let verdicts = |f: &Filter, list: &[[u64; 2]]| list.iter().map(|a| of(f, X86_64, 135, a)).collect::<Vec<_>>();
    assert_eq!(verdicts(&either, &[[0, 0], [8, 0], [4, 0]]), [ALLOW, ALLOW, ERRNO | 13]);
    let both = with(serde_json::json!([arg(0, 1), arg(1, 2)]));
    assert_eq!(verdicts(&both, &[[1, 2], [1, 1], [2, 2]]), [ALLOW, ERRNO | 13, ERRNO | 13]);
}

#[test]
fn a_deny_list_reaches_behind_the_multiplexers_of_i386() {
    let made = filter(serde_json::json!({ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
        "syscalls": [{ "names": ["socket", "shmat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95 }] }))
    .unwrap();
    for (number, argument, verdict) in [
        (359, 0, ERRNO | 95),
        (102, 1, ERRNO | 95),
        (102, 2, ALLOW),
        (117, 21, ERRNO | 95),
        (117, 22, ALLOW),
        (400, 0, ALLOW),
    ] {
        assert_eq!(of(&made, I386, number, &[argument]), verdict, "{number} {argument}");
    }
}

#[test]
fn what_cannot_be_honoured_is_refused() {
    let deny = |name: &str| {
        serde_json::json!({ "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [rule(&[name], "SCMP_ACT_ERRNO", serde_json::json!([]))] })
    };
    let error = filter(deny("no_such_call")).unwrap_err();
    assert!(error.to_string().contains("no_such_call"), "{error}");
    // A call of another machine loses nothing here, nor does one that would only have been allowed.
    assert!(filter(deny("s390_runtime_instr")).is_ok());
    let mut allow = deny("no_such_call");
    (allow["defaultAction"], allow["syscalls"][0]["action"]) = ("SCMP_ACT_ERRNO".into(), "SCMP_ACT_ALLOW".into());
    assert!(filter(allow).is_ok());
    for (key, value) in [
        ("defaultAction", serde_json::json!("SCMP_ACT_NOTIFY")),
        ("defaultErrnoRet", serde_json::json!(1)),
        ("architectures", serde_json::json!(["SCMP_ARCH_S390X"])),
        ("flags", serde_json::json!(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])),
    ] {
        let mut profile = deny("read");
        profile[key] = value;
        assert!(filter(profile.clone()).is_err(), "{profile}");
    }
    let wrong = serde_json::json!([{ "index": 6, "value": 0, "op": "SCMP_CMP_EQ" }]);
    assert!(filter(serde_json::json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule(&["read"], "SCMP_ACT_ALLOW", wrong)] })).is_err());
}

#[test]
fn every_number_has_the_verdict_of_its_rule() {
    // Every third call, so that the search has many ranges and far jumps.
    let names: Vec<&str> =
        ["read", "open", "fstat", "lseek", "brk", "ioctl", "pread64", "pipe", "select", "msync", "dup"].into();
    let args = serde_json::json!([{ "index": 0, "value": 7, "op": "SCMP_CMP_GT" }, { "index": 1, "value": 7, "op": "SCMP_CMP_LT" }]);
    let made = filter(serde_json::json!({ "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [rule(&names, "SCMP_ACT_TRAP", args)] }))
    .unwrap();
    let numbers: Vec<u32> = names.iter().map(|n| Abi::X86_64.number(n).unwrap()).collect();
    for number in 0..600 {
        let (hit, miss) = (of(&made, X86_64, number, &[8, 6]), of(&made, X86_64, number, &[8, 8]));
        assert_eq!(hit, if numbers.contains(&number) { 0x0003_0000 } else { ALLOW }, "{number}");
        assert_eq!(miss, ALLOW, "{number}");
    }
}
