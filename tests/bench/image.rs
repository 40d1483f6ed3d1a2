//! The images that are pulled: a busybox to run, and 300 MB of what real images are made of, the same on every machine.

use std::{fmt::Write as _, io::Write as _, path::Path, process::Command};

use flate2::{Compression, write::GzEncoder};
use wharf::engine::content::Digest;

use crate::{
    machine::{Machine, run},
    peers::PAUSE,
    support::{self, registry::Layer},
};

pub const BUSYBOX: &str = "127.0.0.1:5000/bench/busybox:1";
const LAYERS: usize = 4;
/// Bytes of a layer's files.
const LAYER: usize = 75_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compressed {
    Gzip,
    Zstd,
}

impl Compressed {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    pub fn reference(self) -> String {
        format!("127.0.0.1:5000/bench/files:{}", self.name())
    }

    /// As image builders do it.
    fn compress(self, archive: &[u8]) -> Vec<u8> {
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
                encoder.write_all(archive).and_then(|()| encoder.finish()).unwrap()
            }
            Self::Zstd => zstd::bulk::compress(archive, 3).unwrap(),
        }
    }
}

/// What is in containers here, and containerd's pause image.
pub fn push_busybox(machine: &Machine) {
    let root = machine.dir.join("busybox");
    assert!(support::busybox_root("bench", &root), "busybox (Debian: busybox-static)");
    machine.registry.push("bench/busybox", "1", &[support::registry::layer(&root)], None);
    let pause = machine.dir.join("pause");
    std::fs::create_dir(&pause).unwrap();
    let source = machine.dir.join("pause.c");
    let text = "#include <signal.h>\n#include <unistd.h>\nstatic void end(int s) { (void)s; _exit(0); }\n\
                int main(void) { signal(SIGTERM, end); signal(SIGINT, end); signal(SIGCHLD, SIG_IGN); for (;;) pause(); }\n";
    std::fs::write(&source, text).unwrap();
    run(Command::new("cc").args(["-static", "-Os", "-s", "-o"]).arg(pause.join("pause")).arg(&source));
    let (name, tag) = PAUSE.trim_start_matches("127.0.0.1:5000/").split_once(':').unwrap();
    machine.registry.push_program(name, tag, &[support::registry::layer(&pause)], "/pause", None);
}

/// The benchmark image in both compressions; sizes in bytes: plain, gzip, zstd.
pub fn push_files(machine: &Machine) -> (usize, usize, usize) {
    let archives: Vec<Vec<u8>> = (0..LAYERS).map(archive).collect();
    let push = |how: Compressed| {
        let layers: Vec<Layer> = std::thread::scope(|scope| {
            let made: Vec<_> = archives.iter().map(|a| scope.spawn(move || how.compress(a))).collect();
            let bytes = made.into_iter().map(|m| m.join().unwrap());
            let layer = |(bytes, plain): (Vec<u8>, &Vec<u8>)| Layer {
                bytes,
                diff_id: Digest::of(plain).to_string(),
                compression: how.name(),
            };
            bytes.zip(&archives).map(layer).collect()
        });
        machine.registry.push("bench/files", how.name(), &layers, None);
        layers.iter().map(|l| l.bytes.len()).sum()
    };
    let plain = archives.iter().map(Vec::len).sum();
    (plain, push(Compressed::Gzip), push(Compressed::Zstd))
}

/// A layer: directories of files whose sizes are spread as in a distribution's packages (half below 4 kB, most bytes in
/// few large ones); text, program-like data and some that no compressor can shrink; symbolic and hard links; and, above
/// the first layer, a whiteout and an opaque directory.
fn archive(number: usize) -> Vec<u8> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
    let words = words(&mut random);
    let mut out = Vec::with_capacity(LAYER + (LAYER >> 3));
    let (mut bytes, mut files, mut directory, mut last) = (0, 0, String::new(), String::new());
    while bytes < LAYER {
        if files % 24 == 0 {
            directory = format!("usr/share/part{number}/d{}/e{files}", random.below(40));
            entry(&mut out, &format!("{directory}/"), b'5', "", &[]);
        }
        files += 1;
        let name = format!("{directory}/file{files}");
        match random.below(100) {
            0..4 if !last.is_empty() => entry(&mut out, &name, b'2', last.rsplit('/').next().unwrap_or("x"), &[]),
            4..5 if !last.is_empty() => entry(&mut out, &name, b'1', &last, &[]),
            kind => {
                let size = size(&mut random).min(LAYER + 4096 - bytes);
                let data = content(&mut random, kind, size, &words);
                entry(&mut out, &name, b'0', "", &data);
                bytes += size;
                last = name;
            }
        }
    }
    if number > 0 {
        entry(&mut out, &format!("usr/share/part{}/.wh.gone", number - 1), b'0', "", &[]);
        entry(&mut out, &format!("usr/share/part{}/d0/.wh..wh..opq", number - 1), b'0', "", &[]);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Between 100 B and 8 MB, log-uniform in three ranges.
fn size(random: &mut Random) -> usize {
    let (low, high) = match random.below(100) {
        0..60 => (100, 4 << 10),
        60..97 => (4 << 10, 64 << 10),
        _ => (64 << 10, 2 << 20),
    };
    let share = random.below(1000) as f64 / 1000.0;
    (f64::from(low) * (f64::from(high) / f64::from(low)).powf(share)) as usize
}

fn words(random: &mut Random) -> Vec<String> {
    let word = |_| {
        let length = 2 + random.below(9);
        (0..length).map(|_| char::from(b'a' + u8::try_from(random.below(26)).unwrap_or(0))).collect()
    };
    (0..4096).map(word).collect()
}

fn content(random: &mut Random, kind: usize, size: usize, words: &[String]) -> Vec<u8> {
    let mut data = Vec::with_capacity(size + 16);
    while data.len() < size {
        match kind {
            // Text: common words are common.
            0..60 => {
                let common = (0..5).map(|_| random.below(4096)).min().unwrap_or(0);
                data.extend_from_slice(words[common].as_bytes());
                data.push(if random.below(12) == 0 { b'\n' } else { b' ' });
            }
            // Programs: repeating opcodes around addresses.
            60..98 => {
                let opcode = [0x48, 0x8b, 0x05, 0xe8, 0x89, 0x0f, 0x84, 0x00][random.below(8)];
                data.extend_from_slice(&[0x48, opcode, u8::try_from(random.below(32)).unwrap_or(0)]);
                data.extend_from_slice(&(random.below(1 << 11) as u32).to_le_bytes());
            }
            // Compressed already.
            _ => data.extend_from_slice(&random.next().to_le_bytes()),
        }
    }
    data.truncate(size);
    data
}

/// A ustar entry with its data.
fn entry(out: &mut Vec<u8>, name: &str, kind: u8, link: &str, data: &[u8]) {
    assert!(name.len() <= 100 && link.len() <= 100);
    let mut head = [0_u8; 512];
    let mut field = |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    field(0, name);
    field(100, if kind == b'5' { "0000755" } else { "0000644" });
    field(108, "0000000");
    field(116, "0000000");
    let mut size = String::new();
    write!(size, "{:011o}", data.len()).unwrap();
    field(124, &size);
    field(136, "00000000000");
    field(148, "        ");
    field(157, link);
    field(257, "ustar");
    field(263, "00");
    head[156] = kind;
    let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// xorshift64*: the same sequence everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }
}

/// A directory with the plain archives, for the floor.
pub fn write_archives(to: &Path) -> Vec<std::path::PathBuf> {
    let write = |number| {
        let path = to.join(format!("layer{number}.tar"));
        std::fs::write(&path, archive(number)).unwrap();
        path
    };
    (0..LAYERS).map(write).collect()
}
