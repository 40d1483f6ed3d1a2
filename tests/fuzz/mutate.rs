//! Inputs from inputs: the same seed gives the same ones.

/// A generator of numbers (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "255",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e309",
    "00000000000000000000000000000001",
];
const BYTES: [u8; 10] = [0, 1, 0x0a, 0x1b, 0x20, 0x22, 0x7f, 0x80, 0xfe, 0xff];

/// Bytes of one input.
const MOST: usize = 1 << 20;

/// One to eight changes of `input`; `others` are inputs to take pieces from, `words` what the format is made of.
pub fn mutated(input: &[u8], others: &[Vec<u8>], words: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=random.below(8) {
        one(&mut out, others, words, random);
    }
    out.truncate(MOST);
    out
}

fn one(out: &mut Vec<u8>, others: &[Vec<u8>], words: &[&[u8]], random: &mut Random) {
    let at = random.below(out.len() + 1);
    let length = (1 << random.below(10)).min(out.len() - at);
    match random.below(12) {
        0 if at < out.len() => out[at] ^= 1 << random.below(8),
        1 if at < out.len() => out[at] = BYTES[random.below(BYTES.len())],
        2 if at < out.len() => out[at] = random.next() as u8,
        3 => drop(out.drain(at..at + length)),
        4 => {
            let piece = out[at..at + length].to_vec();
            let to = random.below(out.len() + 1);
            out.splice(to..to, piece);
        }
        5 | 6 if !words.is_empty() => {
            let word = words[random.below(words.len())];
            let replaced = if random.below(2) == 0 { 0 } else { word.len().min(out.len() - at) };
            out.splice(at..at + replaced, word.iter().copied());
        }
        7 if !others.is_empty() => {
            let other = &others[random.below(others.len())];
            let from = random.below(other.len() + 1);
            let piece = &other[from..(from + (1 << random.below(12))).min(other.len())];
            out.splice(at..at, piece.iter().copied());
        }
        8 => number(out, at, random),
        9 => out.truncate(at),
        10 => {
            // Many of one thing: where lists and depths have limits.
            let piece = out[at..at + length.min(64)].to_vec();
            let times = 1 << random.below(14);
            let many: Vec<u8> = piece.iter().copied().cycle().take((piece.len() * times).min(MOST)).collect();
            out.splice(at..at, many);
        }
        _ => {
            let byte = BYTES[random.below(BYTES.len())];
            out.insert(at, byte);
        }
    }
}

/// The run of digits at or after `at` becomes another number.
fn number(out: &mut Vec<u8>, at: usize, random: &mut Random) {
    let Some(from) = out[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) else { return };
    let digits = out[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let other = NUMBERS[random.below(NUMBERS.len())];
    out.splice(from..from + digits, other.bytes());
}

/// Right checksums in every block that looks like a header, so that what comes after the checksum is reached.
pub fn seal(archive: &mut [u8]) {
    for block in archive.chunks_exact_mut(512) {
        if &block[257..262] == b"ustar" {
            block[148..156].copy_from_slice(b"        ");
            let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
}
