//! Hostile and odd layers, by the id of the rule each one tests. Archives are written by hand here, so that they can be wrong.

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use super::*;
use crate::{engine::snapshot::Whiteouts, error::Kind};

#[derive(Clone)]
pub(super) struct Item {
    name: Vec<u8>,
    kind: u8,
    link: &'static str,
    data: Vec<u8>,
    mode: u32,
    device: (u32, u32),
    size: Option<u64>,
}

pub(super) fn item(kind: u8, name: &str, link: &'static str, data: &[u8]) -> Item {
    Item { name: name.as_bytes().to_vec(), kind, link, data: data.to_vec(), mode: 0o755, device: (0, 0), size: None }
}

pub(super) fn f(name: &str, data: &str) -> Item {
    item(b'0', name, "", data.as_bytes())
}
pub(super) fn d(name: &str) -> Item {
    item(b'5', name, "", b"")
}
pub(super) fn s(name: &str, to: &'static str) -> Item {
    item(b'2', name, to, b"")
}
pub(super) fn h(name: &str, to: &'static str) -> Item {
    item(b'1', name, to, b"")
}

fn header(i: &Item) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &i.name);
    put(100, format!("{:07o}\0", i.mode).as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", i.size.unwrap_or(i.data.len() as u64)).as_bytes());
    put(136, b"00000000144\0");
    put(156, &[i.kind]);
    put(157, i.link.as_bytes());
    put(257, b"ustar\x0000");
    put(329, format!("{:07o}\0", i.device.0).as_bytes());
    put(337, format!("{:07o}\0", i.device.1).as_bytes());
    seal(&mut block);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

pub(super) fn archive(items: &[Item]) -> Vec<u8> {
    let mut out = Vec::new();
    for i in items {
        out.extend(header(i));
        out.extend(&i.data);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// A target with a canary beside it that nothing may touch.
pub(super) struct Rig {
    dir: tempfile::TempDir,
}

impl Rig {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        fs::create_dir(dir.path().join("canary")).unwrap();
        fs::write(dir.path().join("canary/file"), "safe").unwrap();
        fs::set_permissions(dir.path().join("canary/file"), fs::Permissions::from_mode(0o640)).unwrap();
        Self { dir }
    }

    pub(super) fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("root")
    }

    /// What is beside the target; nothing may change it.
    pub(super) fn outside(&self) -> Vec<String> {
        let canary = self.dir.path().join("canary");
        let mut all = vec![fs::read_to_string(canary.join("file")).unwrap_or_default()];
        for path in [self.dir.path(), &canary, &canary.join("file")] {
            all.push(fs::metadata(path).map_or(String::new(), |m| {
                format!("{:o} {} {} {}", m.mode(), m.uid(), m.gid(), if m.is_dir() { 0 } else { m.nlink() })
            }));
            let names = fs::read_dir(path).into_iter().flatten().map(|e| format!("{:?}", e.unwrap().file_name()));
            let mut names: Vec<String> = names.collect();
            names.sort();
            all.extend(names);
        }
        all
    }

    fn unpack_bytes(&self, bytes: &[u8], whiteouts: Whiteouts) -> Result<Unpacked> {
        let target = UnpackTarget { directory: self.root(), whiteouts, independent: true };
        let result = unpack(bytes, &target, &Limits { expanded: 64 << 20, entries: 1000, ..Limits::default() });
        assert_eq!(self.outside(), Self::new().outside());
        result
    }

    fn unpack(&self, items: &[Item]) -> Result<Unpacked> {
        self.unpack_bytes(&archive(items), Whiteouts::Overlay)
    }
}

fn unpacked(items: &[Item], check: impl FnOnce(&Path)) {
    let rig = Rig::new();
    rig.unpack(items).unwrap();
    check(&rig.root());
}

fn refused(items: &[Item], kind: Kind) {
    let error = Rig::new().unpack(items).unwrap_err();
    assert!(error.is(kind), "{:?}: {error:#}", error.kind());
}

/// Layers that mean to get out, by `way`, which leads from the target to what is beside it.
pub(super) fn escapes(way: &'static str) -> Vec<Vec<Item>> {
    let (file, mut open) = (&*format!("{way}/file").leak(), d("d"));
    open.mode = 0o777;
    vec![
        vec![f(&format!("{way}/new"), "x")],
        vec![d(&format!("{way}/new"))],
        vec![f(file, "x")],
        vec![s("l", way), f("l/new", "x")],
        vec![s("l", way), d("l/new")],
        vec![s("l", way), f("l/file", "x")],
        vec![s("one", "two"), s("two", way), item(b'6', "one/new", "", b"")],
        vec![s("l", file), f("l", "new")],
        vec![h("l", file)],
        vec![s("d", way), h("l", "d/file")],
        vec![open, s("d", way)],
        vec![s("l", way), f("l/.wh.file", "")],
        vec![s("l", way), f("l/.wh..wh..opq", "")],
        vec![f("d/x", ""), f("d/.wh..wh..opq", ""), s("d", way), f("d/.wh.file", "")],
    ]
}

#[test]
fn files_keep_content_mode_and_times() {
    let mut suid = f("bin/su", "x");
    suid.mode = 0o4755;
    unpacked(&[d("bin"), suid, s("sh", "bin/su"), h("bin/again", "bin/su")], |root| {
        let meta = fs::metadata(root.join("bin/su")).unwrap();
        assert_eq!((meta.mode() & 0o7777, meta.mtime(), meta.nlink()), (0o4755, 100, 2));
        assert_eq!(fs::metadata(root.join("bin")).unwrap().mtime(), 100, "files made in it do not change its time");
        assert_eq!(fs::read_link(root.join("sh")).unwrap(), Path::new("bin/su"));
    });
}

#[test]
fn unp_01_paths_stay_inside() {
    for name in ["../canary/new", "/../canary/new", "a/../../canary/new", "/etc/../../../canary/new"] {
        unpacked(&[f(name, "x")], |root| assert_eq!(fs::read_to_string(root.join("canary/new")).unwrap(), "x"));
    }
}

#[test]
fn unp_02_links_on_the_way_stay_inside() {
    for (link, to) in [("l", "../canary"), ("l", "/canary"), ("l", "../../../../canary"), ("l", "./../canary/.")] {
        unpacked(&[s(link, to), f("l/new", "x")], |root| {
            assert_eq!(fs::read_to_string(root.join("canary/new")).unwrap(), "x");
        });
    }
    unpacked(&[d("real"), s("one", "real"), s("two", "one"), f("two/x", "x")], |root| {
        assert!(root.join("real/x").exists());
    });
    assert!(Rig::new().unpack(&[s("a", "b"), s("b", "a"), f("a/x", "x")]).is_err(), "a loop");
    // A link is replaced, not written through.
    unpacked(&[s("l", "../canary/file"), f("l", "new")], |root| {
        assert_eq!(fs::read_to_string(root.join("l")).unwrap(), "new")
    });
    unpacked(&[d("d"), f("d/x", ""), s("d", "/canary"), d("d"), f("d/y", "")], |root| {
        assert!(root.join("d/y").exists() && !root.join("d/x").exists());
    });
}

#[test]
fn unp_03_the_root_is_a_directory() {
    for name in [".", "/.", "./", "/"] {
        refused(&[s(name, "../canary"), f("x", "x")], Kind::InvalidArgument);
    }
    unpacked(&[d("./"), f("./x", "x")], |root| assert!(root.join("x").exists()));
}

#[test]
fn unp_04_hard_links_stay_inside_and_follow_nothing() {
    assert!(Rig::new().unpack(&[h("l", "../canary/file")]).is_err());
    assert!(Rig::new().unpack(&[s("d", "../canary"), h("l", "d/file")]).is_err());
    unpacked(&[s("s", "../canary/file"), h("l", "s")], |root| {
        assert!(fs::symlink_metadata(root.join("l")).unwrap().is_symlink(), "the link itself is linked");
    });
    unpacked(&[s("s", "../canary/file"), h("l", "s"), f("l", "new")], |_| ());
}

#[test]
fn unp_05_a_directory_swapped_for_a_link_is_not_followed_at_the_end() {
    let mut open = d("d");
    open.mode = 0o777;
    unpacked(&[open, s("d", "../canary")], |root| assert!(fs::symlink_metadata(root.join("d")).unwrap().is_symlink()));
}

#[test]
fn unp_05_what_a_layer_passes_through_is_found_inside_the_root() {
    // The directory was implied, and has become a link since.
    for (link, left) in [("../canary", 0), ("x", 0), ("../../../../", 0)] {
        let rig = Rig::new();
        let done = rig.unpack(&[d("x"), f("a/file/deep", ""), s("a", link)]).unwrap();
        assert_eq!(done.implied.len(), left);
    }
    let (rig, lower) = (Rig::new(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink("../canary", rig.root().join("a")).unwrap();
    std::os::unix::fs::symlink("../canary/file", rig.root().join("b")).unwrap();
    fs::create_dir_all(rig.root().join("plain")).unwrap();
    for (name, mode) in [("a", 0o777), ("a/file", 0o777), ("b", 0o777), ("plain", 0o1750)] {
        fs::create_dir_all(lower.path().join(name)).unwrap();
        fs::set_permissions(lower.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let all = ["a", "a/file", "b", "../canary", "../canary/file", "/canary", "plain", "gone"].map(Into::into);
    inherit(lower.path(), &rig.root(), &all).unwrap();
    assert_eq!(rig.outside(), Rig::new().outside());
    assert_eq!(fs::metadata(rig.root().join("plain")).unwrap().mode() & 0o7777, 0o1750);
}

/// Nobody should be able to: the target is new, ours and in no container. If somebody could, nothing outside would be written.
#[test]
fn unp_11_whoever_swaps_directories_meanwhile_sends_nothing_outside() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    let rig = Rig::new();
    let (over, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let items: Vec<Item> =
        std::iter::once(d("d")).chain((0..900).map(|n| f(&format!("d/{n}"), "content of a file"))).collect();
    std::os::unix::fs::symlink("../canary", rig.root().join("link")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (one, other) = (rig.root().join("d"), rig.root().join("link"));
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            while !over.load(Ordering::Relaxed) {
                // Until it is there, there is nothing to swap.
                if rustix::fs::renameat_with(rustix::fs::CWD, &one, rustix::fs::CWD, &other, flags).is_ok() {
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        // Refused or done; `unpack` looks whether the canary is as it was.
        for _ in 0..20 {
            drop(rig.unpack(&items));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(swaps.load(Ordering::Relaxed) > 100, "nothing was swapped");
}

fn pax(records: &str) -> Item {
    item(b'x', "pax", "", records.as_bytes())
}

#[test]
fn unp_06_pax_and_headers_that_disagree_are_read_one_way() {
    // The PAX size wins, so what follows as data cannot be taken for entries.
    let inner = archive(&[f("smuggled", "x")]);
    let mut outer = item(b'0', "outer", "", &inner);
    outer.size = Some(0);
    let record = format!("{} size={}\n", 9 + inner.len().to_string().len(), inner.len());
    unpacked(&[pax(&record), outer], |root| {
        assert!(!root.join("smuggled").exists());
        assert_eq!(fs::metadata(root.join("outer")).unwrap().len(), inner.len() as u64);
    });
    for bad in ["5 a=b\n", "x a=b\n", "99 path=x\n", "7 path=\n8", "12 size=-1\n\n", "6 ab\n"] {
        refused(&[pax(bad), f("x", "")], Kind::DataLoss);
    }
    let mut torn = archive(&[f("x", "data")]);
    torn.truncate(514);
    assert!(Rig::new().unpack_bytes(&torn, Whiteouts::Overlay).unwrap_err().is(Kind::DataLoss));
    let mut wrong = archive(&[f("x", "")]);
    wrong[0] ^= 1;
    assert!(Rig::new().unpack_bytes(&wrong, Whiteouts::Overlay).unwrap_err().is(Kind::DataLoss));
}

#[test]
fn unp_06_what_gnu_tar_writes_is_read_as_gnu_tar_reads_it() {
    for format in ["gnu", "pax", "ustar"] {
        let rig = Rig::new();
        let from = tempfile::tempdir().unwrap();
        let long = format!("{}/{}", "n".repeat(90), "m".repeat(if format == "ustar" { 90 } else { 200 }));
        fs::create_dir(from.path().join("n".repeat(90))).unwrap();
        fs::write(from.path().join(&long), "long").unwrap();
        fs::write(from.path().join("umläut\n"), vec![7; 100_000]).unwrap();
        fs::hard_link(from.path().join("umläut\n"), from.path().join("again")).unwrap();
        std::os::unix::fs::symlink("x".repeat(80), from.path().join("link")).unwrap();
        let mut tar = Command::new("tar");
        tar.arg(format!("--format={format}")).arg("-C").arg(from.path()).args(["-cf", "-", "."]);
        let made = tar.output().unwrap();
        assert!(made.status.success());
        rig.unpack_bytes(&made.stdout, Whiteouts::Overlay).unwrap();
        let diff = Command::new("diff").arg("-r").arg(from.path()).arg(rig.root()).output().unwrap();
        assert!(
            diff.status.code() == Some(0) || String::from_utf8_lossy(&diff.stderr).contains("No such file"),
            "{diff:?}"
        );
        assert_eq!(fs::read_to_string(rig.root().join(&long)).unwrap(), "long");
    }
}

#[test]
fn unp_07_whiteouts() {
    for name in [".wh.", ".wh..", ".wh...", "d/.wh."] {
        refused(&[f(name, "")], Kind::InvalidArgument);
    }
    refused(&[f(".wh.d/x", "")], Kind::InvalidArgument);
    let apply = |lower: &[Item], upper: &[Item], check: &dyn Fn(&Path)| {
        let rig = Rig::new();
        rig.unpack_bytes(&archive(lower), Whiteouts::Apply).unwrap();
        rig.unpack_bytes(&archive(upper), Whiteouts::Apply).unwrap();
        check(&rig.root());
    };
    let lower = [d("d"), f("d/old", ""), d("d/deep"), f("d/deep/old", ""), f("gone", "")];
    apply(&lower, &[f(".wh.gone", ""), f("d/.wh.old", "")], &|root| {
        assert!(!root.join("gone").exists() && !root.join("d/old").exists() && root.join("d/deep/old").exists());
    });
    for upper in [
        vec![d("d"), f("d/.wh..wh..opq", ""), f("d/deep/new", "")],
        vec![d("d"), f("d/deep/new", ""), f("d/.wh..wh..opq", "")],
    ] {
        apply(&lower, &upper, &|root| {
            assert!(
                root.join("d/deep/new").exists() && !root.join("d/old").exists() && !root.join("d/deep/old").exists()
            );
        });
    }
    apply(&[s("l", "../canary"), d("x")], &[f("l/.wh.file", ""), f("l/.wh..wh..opq", "")], &|_| ());
    if !rustix::process::geteuid().is_root() {
        println!("skipped: overlay's whiteouts need root");
        return;
    }
    unpacked(&[d("d"), f("d/.wh.x", ""), f("d/.wh..wh..opq", "")], |root| {
        let meta = fs::symlink_metadata(root.join("d/x")).unwrap();
        assert_eq!((meta.rdev(), meta.mode() & libc::S_IFMT), (0, libc::S_IFCHR));
        let mut value = [0; 4];
        assert_eq!(rustix::fs::getxattr(root.join("d"), "trusted.overlay.opaque", &mut value[..]).unwrap(), 1);
    });
}

#[test]
fn unp_08_overlays_own_words_are_not_taken_from_a_layer() {
    let mut whiteout = item(b'3', "dev", "", b"");
    whiteout.device = (0, 0);
    refused(&[whiteout], Kind::InvalidArgument);
    let records: String = ["trusted.overlay.opaque", "user.overlay.redirect", "security.selinux"]
        .map(|name| {
            let body = format!(" SCHILY.xattr.{name}=y\n");
            format!("{}{body}", body.len() + 2)
        })
        .concat();
    unpacked(&[pax(&records), d("d")], |root| {
        let mut names = [0; 1024];
        let length = rustix::fs::listxattr(root.join("d"), &mut names[..]).unwrap();
        let kept = String::from_utf8_lossy(&names[..length]).into_owned();
        assert!(!kept.contains("overlay") && !kept.contains("selinux"), "{kept}");
    });
}

#[test]
fn unp_09_special_files_are_made_and_never_opened() {
    let mut mem = item(b'3', "mem", "", b"");
    mem.device = (1, 1);
    if !rustix::process::geteuid().is_root() {
        mem = item(b'6', "mem", "", b"");
    }
    unpacked(&[item(b'6', "fifo", "", b""), mem, f("fifo", "now a file")], |root| {
        assert_eq!(fs::read_to_string(root.join("fifo")).unwrap(), "now a file");
    });
    refused(&[item(b'Z', "odd", "", b"")], Kind::DataLoss);
}

#[test]
fn unp_12_sizes_that_cannot_be() {
    let mut block = header(&f("x", ""));
    block[124..136].copy_from_slice(&[0xff; 12]);
    seal(&mut block);
    assert!(Rig::new().unpack_bytes(&block, Whiteouts::Overlay).unwrap_err().is(Kind::DataLoss), "negative");
    let mut huge = f("x", "");
    huge.size = Some((1 << 33) - 1);
    assert!(Rig::new().unpack_bytes(&archive(&[huge]), Whiteouts::Overlay).unwrap_err().is(Kind::DataLoss));
    refused(&[pax("30 size=9223372036854775808000\n"), f("x", "")], Kind::DataLoss);
    refused(&[pax("22 GNU.sparse.major=1\n"), f("x", "")], Kind::InvalidArgument);
}

#[test]
fn unp_13_too_many_too_long_and_odd_names() {
    let many: Vec<Item> = (0..1001).map(|n| f(&format!("f{n}"), "")).collect();
    refused(&many, Kind::ResourceExhausted);
    let long = |n: usize| {
        let body = format!(" path={}\n", "a/".repeat(n / 2));
        pax(&format!("{}{body}", body.len() + 4))
    };
    refused(&[long(4200), f("x", "")], Kind::InvalidArgument);
    let mut raw = f("raw", "");
    raw.name = b"a\n\x1b[31m\xff:,".to_vec();
    unpacked(&[raw], |root| assert_eq!(fs::read_dir(root).unwrap().count(), 1));
}

#[test]
fn unp_14_a_long_name_of_gigabytes_is_refused_before_it_is_read() {
    for kind in [b'L', b'K', b'x', b'g'] {
        let mut huge = item(kind, "long", "", b"");
        huge.size = Some((1 << 33) - 1);
        refused(&[huge, f("x", "")], Kind::ResourceExhausted);
    }
}

#[test]
fn reg_17_a_bomb_stops_at_the_limit() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut zeros = f("zeros", "");
    zeros.size = Some(1 << 30);
    gzip.write_all(&header(&zeros)).unwrap();
    for _ in 0..128 {
        gzip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let error = Rig::new().unpack_bytes(&bomb, Whiteouts::Overlay).unwrap_err();
    assert!(error.is(Kind::ResourceExhausted) && format!("{error:#}").contains("expands beyond"), "{error:#}");
}

#[test]
fn the_diff_id_is_of_the_plain_stream_to_its_end() {
    let mut plain = archive(&[f("x", "x")]);
    plain.extend(b"trailing bytes count");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    for (bytes, name) in
        [(plain.clone(), "plain"), (gzip.finish().unwrap(), "gzip"), (zstd::encode_all(&plain[..], 3).unwrap(), "zstd")]
    {
        let done = Rig::new().unpack_bytes(&bytes, Whiteouts::Overlay).unwrap();
        assert_eq!(done.diff_id, crate::engine::content::Digest::of(&plain), "{name}");
        assert_eq!(done.usage.inodes, 1);
    }
    let implied = Rig::new().unpack(&[f("a/b/x", "")]).unwrap().implied;
    assert_eq!(implied, [Path::new("a"), Path::new("a/b")]);
}
