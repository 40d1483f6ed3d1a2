//! A small assembler for classic BPF (linux/filter.h) over `struct seccomp_data`: a verdict for every number, found by
//! binary search, and comparisons of arguments.

use super::{Condition, Rule};
use crate::{bail, error::Result};

/// linux/bpf_common.h, `BPF_MAXINSNS`.
const LIMIT: usize = 4096;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

// linux/bpf_common.h: class, size, mode, operation.
const LOAD: u16 = 0x20;
const RETURN: u16 = 0x06;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_GREATER: u16 = 0x25;
const IF_GREATER_EQUAL: u16 = 0x35;
const AND: u16 = 0x54;

pub type Instruction = libc::sock_filter;

/// What happens to the numbers from `start` to the next range's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub start: u32,
    pub verdict: Verdict,
}

/// The first rule whose conditions all hold decides, else `otherwise`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub rules: Vec<Rule>,
    pub otherwise: u32,
    /// Arguments have 64 bits.
    pub wide: bool,
}

impl Verdict {
    pub fn always(action: u32) -> Self {
        Self { rules: Vec::new(), otherwise: action, wide: true }
    }
}

/// A program for these architectures (by their audit value), each with ranges that begin at 0; `unknown` for all others.
///
/// # Errors
/// `ResourceExhausted` if the kernel would not take a program that long.
pub fn assemble(architectures: &[(u32, Vec<Range>)], unknown: u32) -> Result<Vec<Instruction>> {
    let mut program = vec![plain(LOAD, ARCHITECTURE)];
    for (architecture, ranges) in architectures {
        let mut body = vec![plain(LOAD, NUMBER)];
        search(ranges, &mut body);
        program.push(branch(IF_EQUAL, *architecture, 1, 0));
        program.push(plain(JUMP, offset(body.len())));
        program.append(&mut body);
    }
    program.push(plain(RETURN, unknown));
    if program.len() > LIMIT {
        bail!(ResourceExhausted, "the filter takes {} instructions, the kernel allows {LIMIT}", program.len());
    }
    Ok(program)
}

fn plain(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

fn branch(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

fn offset(distance: usize) -> u32 {
    u32::try_from(distance).unwrap_or(u32::MAX)
}

fn search(ranges: &[Range], out: &mut Vec<Instruction>) {
    let middle = ranges.len() / 2;
    if middle == 0 {
        if let Some(only) = ranges.first() {
            decide(&only.verdict, out);
        }
        return;
    }
    let (low, high) = ranges.split_at(middle);
    let mut below = Vec::new();
    search(low, &mut below);
    // Conditional jumps reach 255 instructions; an unconditional one reaches all.
    out.push(branch(IF_GREATER_EQUAL, high[0].start, 0, 1));
    out.push(plain(JUMP, offset(below.len())));
    out.append(&mut below);
    search(high, out);
}

fn decide(verdict: &Verdict, out: &mut Vec<Instruction>) {
    for rule in &verdict.rules {
        alternative(rule, verdict.wide, out);
    }
    out.push(plain(RETURN, verdict.otherwise));
}

/// Where a comparison goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Next,
    /// This condition holds: to the one after it.
    Holds,
    /// It does not: to the next rule.
    Fails,
}

struct Step {
    instruction: Instruction,
    jump: Option<(To, To)>,
}

fn alternative(rule: &Rule, wide: bool, out: &mut Vec<Instruction>) {
    let conditions: Vec<Vec<Step>> = rule.conditions.iter().map(|c| comparison(c, wide)).collect();
    // The return comes after the conditions, and what fails goes behind it.
    let mut left: usize = conditions.iter().map(Vec::len).sum::<usize>() + 1;
    for condition in conditions {
        let mut here = condition.len();
        for step in condition {
            (here, left) = (here - 1, left - 1);
            let distance = |to: To| {
                let far = match to {
                    To::Next => 0,
                    To::Holds => here,
                    To::Fails => left,
                };
                // Six conditions of six instructions at most.
                u8::try_from(far).unwrap_or(u8::MAX)
            };
            let mut instruction = step.instruction;
            if let Some((yes, no)) = step.jump {
                (instruction.jt, instruction.jf) = (distance(yes), distance(no));
            }
            out.push(instruction);
        }
    }
    out.push(plain(RETURN, rule.action));
}

/// One argument against a value, high word first.
fn comparison(condition: &Condition, wide: bool) -> Vec<Step> {
    use super::Compare::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let load = |offset: u32| Step { instruction: plain(LOAD, offset), jump: None };
    let test = |code, k, yes, no| Step { instruction: plain(code, k), jump: Some((yes, no)) };
    let and = |mask: u32| Step { instruction: plain(AND, mask), jump: None };
    #[expect(clippy::cast_possible_truncation, reason = "the low word is what is wanted")]
    let words = |value: u64| ((value >> 32) as u32, value as u32);
    let ((high, low), (high_mask, low_mask)) = (words(condition.value), words(condition.mask));
    // struct seccomp_data has the machine's order; every machine here is little-endian.
    let at = ARGUMENTS + 8 * u32::from(condition.argument);
    let (yes, no) = (To::Holds, To::Fails);
    let mut steps = Vec::new();
    if wide {
        steps.push(load(at + 4));
        if high_mask != u32::MAX {
            steps.push(and(high_mask));
        }
        match condition.compare {
            Equal => steps.push(test(IF_EQUAL, high, To::Next, no)),
            NotEqual => steps.push(test(IF_EQUAL, high, To::Next, yes)),
            Greater | GreaterEqual => {
                steps.push(test(IF_GREATER, high, yes, To::Next));
                steps.push(test(IF_EQUAL, high, To::Next, no));
            }
            Less | LessEqual => {
                steps.push(test(IF_GREATER, high, no, To::Next));
                steps.push(test(IF_EQUAL, high, To::Next, yes));
            }
        }
    }
    steps.push(load(at));
    if low_mask != u32::MAX {
        steps.push(and(low_mask));
    }
    steps.push(match condition.compare {
        Equal => test(IF_EQUAL, low, yes, no),
        NotEqual => test(IF_EQUAL, low, no, yes),
        Greater => test(IF_GREATER, low, yes, no),
        GreaterEqual => test(IF_GREATER_EQUAL, low, yes, no),
        Less => test(IF_GREATER_EQUAL, low, no, yes),
        LessEqual => test(IF_GREATER, low, no, yes),
    });
    steps
}

/// What the kernel would do: the program run over one call.
#[cfg(test)]
pub fn run(program: &[Instruction], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let word = |k: u32| match k {
        NUMBER => number,
        ARCHITECTURE => architecture,
        k => {
            let value = arguments[((k - ARGUMENTS) / 8) as usize];
            if (k - ARGUMENTS).is_multiple_of(8) { value as u32 } else { (value >> 32) as u32 }
        }
    };
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let holds = match code {
            LOAD => {
                accumulator = word(k);
                continue;
            }
            AND => {
                accumulator &= k;
                continue;
            }
            RETURN => return k,
            JUMP => {
                at += k as usize;
                continue;
            }
            IF_EQUAL => accumulator == k,
            IF_GREATER => accumulator > k,
            IF_GREATER_EQUAL => accumulator >= k,
            other => panic!("unknown instruction {other:#x}"),
        };
        at += usize::from(if holds { jt } else { jf });
    }
}
