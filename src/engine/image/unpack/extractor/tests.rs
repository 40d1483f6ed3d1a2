//! What is left of a bug in the unpacking of layers: the tests take the checks away and look what the process can still do.

use std::{
    fs,
    io::{Seek, Write},
    os::fd::{AsRawFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{io::Errno, net::AddressFamily};

use super::{
    super::corpus::{Rig, archive, d, escapes, f},
    *,
};

/// The test that becomes the process.
pub const EXTRACTOR: &str = "engine::image::unpack::extractor::tests::a_layer_is_unpacked_by_a_process_of_its_own";

fn root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: {test} needs root");
    }
    root
}

fn layer(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn target(rig: &Rig, whiteouts: Whiteouts) -> UnpackTarget {
    UnpackTarget { directory: rig.root(), whiteouts, independent: true }
}

#[test]
fn a_layer_is_unpacked_by_a_process_of_its_own() {
    if std::env::var_os(JOB).is_some() {
        let code = i32::from(main() != ExitCode::SUCCESS);
        #[expect(clippy::disallowed_methods, reason = "this process is the extractor's, and ends as that does")]
        std::process::exit(code);
    }
    if !root("a process of its own") {
        return;
    }
    let (rig, here) = (Rig::new(), Rig::new());
    let bytes = archive(&[d("d"), f("d/.wh.gone", ""), f("d/.wh..wh..opq", ""), f("e/f/x", "content")]);
    let limits = Limits::default();
    let done =
        Unpacker::default().unpack(layer(&bytes), &target(&rig, Whiteouts::Overlay), &limits, &Tie::default()).unwrap();
    let same = super::super::unpack(&*bytes, &target(&here, Whiteouts::Overlay), &limits).unwrap();
    assert_eq!((&done.diff_id, done.usage, &done.implied), (&same.diff_id, same.usage, &same.implied));
    let sums = |of: &Unpacked| of.sums.values().copied().collect::<Vec<_>>();
    assert_eq!(sums(&done), sums(&same));
    assert_eq!(fs::read_to_string(rig.root().join("e/f/x")).unwrap(), "content");
    // Errors keep their kind, and what people call the place.
    let narrow = Limits { expanded: 1, ..limits };
    let error = Unpacker::default()
        .unpack(layer(&bytes), &target(&rig, Whiteouts::Overlay), &narrow, &Tie::default())
        .unwrap_err();
    assert!(error.is(Kind::ResourceExhausted), "{error:#}");
    let error = Unpacker::of(Path::new("/bin/false")).unpack(
        layer(&bytes),
        &target(&rig, Whiteouts::Overlay),
        &limits,
        &Tie::default(),
    );
    assert!(error.unwrap_err().is(Kind::Internal));
}

#[test]
fn an_extractor_ends_with_who_waits_for_it() {
    if !root("the end of an extractor") {
        return;
    }
    let rig = Rig::new();
    // A layer that never comes to its end.
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let mut layers = vec![File::from(read.try_clone().unwrap()), File::from(read)].into_iter();
    let target = target(&rig, Whiteouts::Apply);
    let tie = Tie::default();
    let leash = tie.leash();
    std::thread::scope(|scope| {
        let (first, at, tied) = (layers.next().unwrap(), target.clone(), tie.clone());
        let waits = scope.spawn(move || Unpacker::default().unpack(first, &at, &Limits::default(), &tied));
        std::thread::sleep(Duration::from_millis(100));
        drop(leash);
        let error = waits.join().unwrap().unwrap_err();
        assert!(format!("{error:#}").contains("signal: 9"), "{error:#}");
    });
    // One that is started too late as well.
    let late = Unpacker::default().unpack(layers.next().unwrap(), &target, &Limits::default(), &tie);
    assert!(late.is_err());
    drop::<OwnedFd>(write);
}

#[test]
fn unp_20_paths_that_nobody_checks_end_at_the_extractors_root() {
    if !root("unp_20") {
        return;
    }
    let safe = Rig::new().outside();
    let mut escaped = 0;
    for unconfined in [true, false] {
        for whiteouts in [Whiteouts::Overlay, Whiteouts::Apply] {
            for absolute in [false, true] {
                for number in 0..escapes("").len() {
                    let rig = Rig::new();
                    let beside = rig.root().with_file_name("canary");
                    let way = if absolute { beside.to_str().unwrap().to_owned().leak() } else { "../canary" };
                    let items = &escapes(way)[number];
                    let unpacker = Unpacker { lapses: Lapses { unchecked: true, unconfined }, ..Unpacker::default() };
                    // Refused or done: what counts is what is outside.
                    let done = unpacker.unpack(
                        layer(&archive(items)),
                        &target(&rig, whiteouts),
                        &Limits::default(),
                        &Tie::default(),
                    );
                    if unconfined {
                        escaped += usize::from(rig.outside() != safe);
                    } else {
                        assert_eq!(rig.outside(), safe, "{number} by {way}: {done:?}");
                    }
                }
            }
        }
    }
    assert!(escaped > 20, "the checks were there: {escaped}");
}

#[test]
fn unp_20_the_extractor_has_a_directory_and_little_else() {
    if !root("unp_20") {
        return;
    }
    let rig = Rig::new();
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let pipe = fs::read_link(format!("/proc/self/fd/{}", read.as_raw_fd())).unwrap();
    std::thread::scope(|scope| {
        let target = target(&rig, Whiteouts::Apply);
        let done = scope
            .spawn(move || Unpacker::default().unpack(File::from(read), &target, &Limits::default(), &Tie::default()));
        // It confines itself before it reads from the layer, which does not come.
        let extractor = extractor(&pipe);
        let of = |name: &str| fs::read_to_string(extractor.join(name)).unwrap();
        let status = of("status");
        let field = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default();
            line.trim_start_matches(':').trim().to_owned()
        };
        let capabilities = format!("{:016x}", CAPABILITIES.bits());
        assert_eq!(
            (field("CapEff"), field("CapPrm"), field("CapInh")),
            (capabilities.clone(), capabilities, "0".repeat(16))
        );
        assert_eq!((&*field("Seccomp"), &*field("NoNewPrivs")), ("2", "1"));
        let mounts = of("mountinfo");
        assert_eq!(mounts.lines().count(), 1, "{mounts}");
        assert!(mounts.contains("nosuid,nodev,noexec"), "{mounts}");
        let limits = of("limits");
        let memory = limits.lines().find(|l| l.starts_with("Max address space")).unwrap();
        assert!(memory.contains(&MEMORY.to_string()), "{memory}");
        drop::<OwnedFd>(write);
        done.join().unwrap().unwrap();
    });
}

/// Its directory in /proc, once it is confined: who has the pipe as its stdin. A test is a thread of its process.
fn extractor(pipe: &Path) -> PathBuf {
    let deadline = Instant::now() + Duration::from_secs(30);
    let list = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    loop {
        assert!(Instant::now() < deadline, "there is no extractor");
        let of_pipe = list("/proc".into()).filter(|p| fs::read_link(p.join("fd/0")).is_ok_and(|stdin| stdin == pipe));
        let mut threads = of_pipe.flat_map(|process| list(process.join("task")));
        let confined = |p: &PathBuf| fs::read_to_string(p.join("status")).is_ok_and(|s| s.contains("Seccomp:\t2"));
        if let Some(found) = threads.find(confined) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn unp_20_neither_sockets_nor_mounts_nor_programs() {
    if !root("unp_20") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_owned();
    let tried = std::thread::spawn(move || {
        // SAFETY: the thread gets a current directory of its own.
        unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::FS) }.unwrap();
        std::env::set_current_dir(&here).unwrap();
        confine(Whiteouts::Overlay).unwrap();
        let inside = |path: &str| rustix::fs::stat(path).map(drop);
        let socket = |family| rustix::net::socket(family, rustix::net::SocketType::STREAM, None).map(drop);
        let mount = rustix::mount::mount("none", "/", "tmpfs", rustix::mount::MountFlags::empty(), None);
        // SAFETY: it is refused.
        let namespace = unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWUSER) };
        let program = std::process::Command::new("/proc/self/exe").spawn().map(drop);
        let seen = [inside("/etc/passwd"), inside("/proc/self"), inside("/../tmp")];
        fs::write("/made", "here").unwrap();
        let kept = fs::read_to_string("/made").unwrap();
        (seen, [socket(AddressFamily::INET), socket(AddressFamily::UNIX), mount, namespace], program.is_err(), kept)
    });
    let (seen, refused, no_program, kept) = tried.join().unwrap();
    assert_eq!(seen, [Err(Errno::NOENT); 3]);
    assert_eq!(refused, [Err(Errno::PERM); 4]);
    assert!(no_program);
    assert_eq!(kept, "here");
}
