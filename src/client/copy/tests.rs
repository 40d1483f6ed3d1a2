//! Copies between directories that stand for a container's root and for this machine: what a hostile one cannot do.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use super::*;

/// A root whose ids are shifted as in a user namespace, if this may be done here.
fn place() -> (tempfile::TempDir, Root) {
    let dir = tempfile::tempdir().unwrap();
    let fd = rustix::fs::open(dir.path(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    (dir, Root { fd, ids: Ids::new(&[(0, 0, u32::MAX)], &[(0, 0, u32::MAX)]) })
}

fn progress() -> Arc<Progress> {
    Arc::default()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn names_are_as_cp_gives_them() {
    let ((inside, root), here) = (place(), tempfile::tempdir().unwrap());
    fs::create_dir_all(inside.path().join("etc/app/deep")).unwrap();
    fs::write(inside.path().join("etc/app/conf"), "a = 1").unwrap();
    fs::write(inside.path().join("etc/app/deep/run"), "#!").unwrap();
    fs::set_permissions(inside.path().join("etc/app/deep/run"), fs::Permissions::from_mode(0o4755)).unwrap();
    let copy = |from: &str, to: &str| out(&root, Path::new(from), &here.path().join(to), &progress());
    copy("/etc/app/conf", "new").unwrap();
    copy("etc/app/conf", "").unwrap();
    copy("/etc/app", "whole").unwrap();
    copy("/etc/app", "").unwrap();
    fs::create_dir(here.path().join("merged")).unwrap();
    copy("/etc/app/.", "merged").unwrap();
    assert_eq!(names(here.path()), ["app", "conf", "merged", "new", "whole"]);
    assert_eq!(names(&here.path().join("merged")), ["conf", "deep"]);
    for at in ["app/conf", "whole/conf", "merged/conf", "new", "conf"] {
        assert_eq!(fs::read_to_string(here.path().join(at)).unwrap(), "a = 1", "{at}");
    }
    let (theirs, ours) = (
        fs::metadata(inside.path().join("etc/app/deep/run")).unwrap(),
        fs::metadata(here.path().join("app/deep/run")).unwrap(),
    );
    assert_eq!(ours.mode() & 0o7777, 0o755, "no program that runs as its owner comes out");
    assert_eq!((ours.mtime(), ours.mtime_nsec()), (theirs.mtime(), theirs.mtime_nsec()));
    assert!(copy("/etc/app", "conf").unwrap_err().to_string().contains("no directory"));
    assert!(copy("/etc/app/conf", "none/").unwrap_err().to_string().contains("there is no directory"));
    assert!(copy("/etc/none", "x").unwrap_err().is(Kind::NotFound));
    // Back in, over what is there.
    fs::write(here.path().join("conf"), "a = 2").unwrap();
    let told = progress();
    into(&root, &here.path().join("conf"), Path::new("/etc/app/conf"), &told).unwrap();
    into(&root, &here.path().join("whole"), Path::new("/etc/app/"), &told).unwrap();
    assert_eq!(fs::read_to_string(inside.path().join("etc/app/conf")).unwrap(), "a = 2");
    assert_eq!(names(&inside.path().join("etc/app/whole")), ["conf", "deep"]);
    assert_eq!(told.told(), "3 files, 12 bytes");
}

#[test]
fn links_of_a_container_lead_nowhere_else() {
    let ((inside, root), here) = (place(), tempfile::tempdir().unwrap());
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), inside.path().join("abs")).unwrap();
    symlink("../../../../../../../../../../etc", inside.path().join("up")).unwrap();
    symlink(format!("/proc/{}/root", std::process::id()), inside.path().join("magic")).unwrap();
    let copy = |from: &str| out(&root, Path::new(from), &here.path().join("got"), &progress());
    for from in ["/abs/secret", "/up/passwd", "/magic/etc/passwd", "../../../../etc/passwd"] {
        assert!(copy(from).unwrap_err().is(Kind::NotFound), "{from}");
    }
    // Into: the same path inside, or nothing.
    fs::write(here.path().join("mine"), "mine").unwrap();
    let mine = here.path().join("mine");
    assert!(into(&root, &mine, Path::new("/abs/x"), &progress()).is_err());
    symlink(outside.path().join("secret"), inside.path().join("target")).unwrap();
    into(&root, &mine, Path::new("/target"), &progress()).unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    assert!(fs::symlink_metadata(inside.path().join("target")).unwrap().is_file(), "the link was replaced");
    assert_eq!(names(outside.path()), ["secret"]);
    // A tree is copied with its links as they are, and into a tree nothing is followed.
    out(&root, Path::new("/"), &here.path().join("tree"), &progress()).unwrap();
    assert_eq!(fs::read_link(here.path().join("tree/abs")).unwrap(), outside.path());
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("t/abs")).unwrap();
    fs::write(tree.path().join("t/abs/evil"), "").unwrap();
    let error = into(&root, &tree.path().join("t/."), Path::new("/"), &progress()).unwrap_err();
    assert!(format!("{error:#}").contains("abs is there and is no directory"), "{error:#}");
    assert_eq!(names(outside.path()), ["secret"]);
}

#[test]
fn nothing_half_done_is_left() {
    let ((inside, root), here) = (place(), tempfile::tempdir().unwrap());
    fs::create_dir(inside.path().join("d")).unwrap();
    for n in 0..20 {
        fs::write(inside.path().join(format!("d/f{n}")), vec![b'x'; 1000]).unwrap();
    }
    fs::create_dir(inside.path().join("d/z")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        inside.path().join("d/z/pipe"),
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let error = out(&root, Path::new("/d"), &here.path().join("d"), &progress()).unwrap_err();
    assert!(format!("{error:#}").contains("pipe is a fifo: only files"), "{error:#}");
    assert_eq!(names(here.path()), Vec::<String>::new());
    // Called off in the middle.
    fs::remove_dir_all(inside.path().join("d/z")).unwrap();
    let told = progress();
    told.stop.store(true, Ordering::Relaxed);
    assert!(out(&root, Path::new("/d"), &here.path().join("d"), &told).is_err());
    assert!(out(&root, Path::new("/d/f1"), &here.path().join("f"), &told).is_err());
    assert_eq!(names(here.path()), Vec::<String>::new());
    // A chain that is deeper than what is held open.
    let mut deep = inside.path().join("deep");
    for _ in 0..DEPTH + 2 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    let error = out(&root, Path::new("/deep"), &here.path().join("deep"), &progress()).unwrap_err();
    assert!(format!("{error:#}").contains("deep in each other"), "{error:#}");
    assert_eq!(names(here.path()), Vec::<String>::new());
}

#[test]
fn archives_go_out_and_in_and_cannot_leave() {
    let (inside, root) = place();
    let long = "n".repeat(120);
    fs::create_dir_all(inside.path().join("d").join(&long)).unwrap();
    fs::write(inside.path().join("d").join(&long).join("file"), vec![7; 1500]).unwrap();
    fs::write(inside.path().join("d/empty"), "").unwrap();
    symlink("l".repeat(150), inside.path().join("d/link")).unwrap();
    let mut archive = Vec::new();
    out_tar(&root, Path::new("/d"), &mut archive, &progress()).unwrap();
    let (back, other) = place();
    into_tar(&other, &mut archive.as_slice(), Path::new("/"), &progress()).unwrap();
    assert_eq!(names(&back.path().join("d")), ["empty", "link", &long]);
    assert_eq!(fs::read(back.path().join("d").join(&long).join("file")).unwrap(), vec![7; 1500]);
    assert_eq!(fs::read_link(back.path().join("d/link")).unwrap().as_os_str().len(), 150);
    let (a, b) =
        (fs::metadata(inside.path().join("d/empty")).unwrap(), fs::metadata(back.path().join("d/empty")).unwrap());
    assert_eq!((a.mtime(), a.mtime_nsec(), a.mode()), (b.mtime(), b.mtime_nsec(), b.mode()));
    // Cut, changed, and with names that lead elsewhere.
    for cut in [100, 700, archive.len() - 1500] {
        assert!(into_tar(&other, &mut &archive[..cut], Path::new("/"), &progress()).is_err(), "{cut}");
    }
    let evil = |path: &str, target: Option<&str>| {
        let mut bytes = Vec::new();
        let mut writer = tar::Writer::new(&mut bytes);
        let meta = Meta { mode: 0o644, ..Meta::default() };
        match target {
            Some(target) => writer.link(OsStr::new(path), meta.clone(), OsStr::new(target)).unwrap(),
            None => writer.file(OsStr::new(path), meta.clone(), 4, &mut &b"evil"[..]).unwrap(),
        }
        writer.end().unwrap();
        bytes
    };
    let outside = tempfile::tempdir().unwrap();
    let error = into_tar(&other, &mut evil("a/../../x", None).as_slice(), Path::new("/"), &progress()).unwrap_err();
    assert!(format!("{error:#}").contains("leads out"), "{error:#}");
    let link = evil("way", Some(outside.path().to_str().unwrap()));
    into_tar(&other, &mut link.as_slice(), Path::new("/"), &progress()).unwrap();
    assert!(into_tar(&other, &mut evil("way/x", None).as_slice(), Path::new("/"), &progress()).is_err());
    into_tar(&other, &mut evil("/absolute", None).as_slice(), Path::new("/"), &progress()).unwrap();
    assert!(back.path().join("absolute").is_file() && names(outside.path()).is_empty());
    assert!(!names(back.path()).iter().any(|n| n.starts_with(".wharf")), "{:?}", names(back.path()));
}

/// On a filesystem with attributes of users, which a tmpfs may not have.
#[test]
fn attributes_go_with_their_files() {
    let here = tempfile::tempdir_in("/var/tmp").unwrap();
    let set =
        |path: &Path, key: &str, value: &[u8]| rustix::fs::setxattr(path, key, value, rustix::fs::XattrFlags::empty());
    let get = |path: PathBuf, key: &str| {
        let mut value = vec![0; 100_000];
        let length = rustix::fs::getxattr(&path, key, &mut value[..]).ok()?;
        Some(value[..length].to_vec())
    };
    let (inside, other) = (here.path().join("inside"), here.path().join("other"));
    fs::create_dir_all(inside.join("d/sub")).unwrap();
    fs::create_dir_all(&other).unwrap();
    let open = |path: &Path| rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let ids = || Ids::new(&[(0, 0, u32::MAX)], &[(0, 0, u32::MAX)]);
    let (root, back) = (Root { fd: open(&inside), ids: ids() }, Root { fd: open(&other), ids: ids() });
    fs::write(inside.join("d/file"), "text").unwrap();
    let capability = [&[1, 0, 0, 2][..], &[0, 4, 0, 0], &[0; 12]].concat();
    if set(&inside.join("d/file"), "user.note", b"a=b\nc").is_err() {
        eprintln!("SKIPPED: /var/tmp takes no attributes");
        return;
    }
    set(&inside.join("d/sub"), "user.empty", b"").unwrap();
    set(&inside.join("d/sub"), "user.large", &vec![7; 3000]).unwrap();
    let may = rustix::process::geteuid().is_root();
    if may {
        set(&inside.join("d/file"), xattr::CAPABILITY, &capability).unwrap();
    }
    let kept = may.then_some(capability);
    let mut archive = Vec::new();
    out_tar(&root, Path::new("/d"), &mut archive, &progress()).unwrap();
    into_tar(&back, &mut archive.as_slice(), Path::new("/"), &progress()).unwrap();
    assert_eq!(get(other.join("d/file"), "user.note").unwrap(), b"a=b\nc");
    assert_eq!(get(other.join("d/file"), xattr::CAPABILITY), kept);
    assert_eq!(get(other.join("d/sub"), "user.empty"), Some(Vec::new()));
    assert_eq!(get(other.join("d/sub"), "user.large"), Some(vec![7; 3000]));
    out(&root, Path::new("/d"), &here.path().join("out"), &progress()).unwrap();
    assert_eq!(get(here.path().join("out/file"), "user.note").unwrap(), b"a=b\nc");
    assert_eq!(get(here.path().join("out/file"), xattr::CAPABILITY), None, "no program with capabilities comes out");
    into(&back, &inside.join("d/file"), Path::new("/again"), &progress()).unwrap();
    assert_eq!(get(other.join("again"), xattr::CAPABILITY), kept);
}
