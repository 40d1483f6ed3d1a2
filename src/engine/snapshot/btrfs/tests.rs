//! What only btrfs does, on a real filesystem in a file.

use std::{io::Write, sync::Arc};

use super::{
    super::{Labels, Local, open as open_snapshotter, suite::rig, tree::measure},
    *,
};
use crate::error::Kind;

/// Numbers of all subvolumes on the filesystem, which has none at first.
fn subvolumes(at: &Path) -> Vec<u64> {
    let mut found = Vec::new();
    // The filesystem's own tree, which has the least number, holds some of them, they others.
    let (first, last) = ((5, kind::ROOT_REF, 0), (kernel::LAST, kind::ROOT_REF, u64::MAX));
    kernel::search(open(at).unwrap(), kernel::ROOTS, first, last, 0, |(_, item, inner), _| {
        found.extend((item == kind::ROOT_REF).then_some(inner));
    })
    .unwrap();
    found
}

fn close(got: u64, expected: u64) -> bool {
    got.abs_diff(expected) * 20 <= expected
}

async fn directory(snapshotter: &Local, key: &str) -> PathBuf {
    super::super::Snapshotter::unpack_target(snapshotter, key).await.unwrap().directory
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snp_13_usage_is_what_du_says_and_parents_are_not_counted_again() {
    use super::super::Snapshotter;
    let Some(rig) = rig("btrfs") else { return };
    let files = |root: &Path, from: usize, number: usize| {
        fs::create_dir_all(root.join("d")).unwrap();
        for n in from..from + number {
            fs::write(root.join(format!("d/{n}")), vec![b'x'; n * 997 % 50_000]).unwrap();
        }
    };
    let mut first = Usage::default();
    rig.layer("one", None, |root| {
        files(root, 0, 400);
        let mut sparse = fs::File::create(root.join("sparse")).unwrap();
        sparse.set_len(1 << 30).unwrap();
        sparse.write_all(&[1; 100_000]).unwrap();
        fs::hard_link(root.join("sparse"), root.join("again")).unwrap();
        fs::File::open(root).unwrap().sync_all().unwrap();
        rustix::fs::syncfs(fs::File::open(root).unwrap()).unwrap();
        first = native::disk_usage(root).unwrap();
    })
    .await;
    let told = rig.snapshotter.usage("one").await.unwrap();
    assert!(close(told.bytes, first.bytes) && told.inodes == first.inodes, "{told:?}, du says {first:?}");

    let mut second = Usage::default();
    rig.layer("two", Some("one"), |root| {
        files(root, 400, 100);
        for n in 0..50 {
            fs::remove_file(root.join(format!("d/{n}"))).unwrap();
        }
        // Some bytes in the middle of a file: a block, not the file.
        let mut changed = fs::OpenOptions::new().write(true).open(root.join("d/399")).unwrap();
        changed.write_all(b"changed").unwrap();
        rustix::fs::syncfs(fs::File::open(root).unwrap()).unwrap();
        for n in 400..500 {
            second = second + native::disk_usage(&root.join(format!("d/{n}"))).unwrap();
        }
        second.bytes += 4096;
    })
    .await;
    let told = rig.snapshotter.usage("two").await.unwrap();
    assert!(close(told.bytes, second.bytes) && told.inodes == second.inodes, "{told:?}, du says {second:?}");

    // A container that only reads holds nothing.
    let mounts = rig.snapshotter.prepare("run", Some("two"), Labels::new()).await.unwrap();
    rig.with(&mounts, |root| measure(root, &Sums::new()).unwrap());
    let told = rig.snapshotter.usage("run").await.unwrap();
    assert!(told.bytes == 0 && told.inodes == 0, "{told:?}");
    // Bytes in an old file, without a sync in between.
    rig.with(&mounts, |root| fs::write(root.join("d/300"), vec![b'y'; 3 << 20]).unwrap());
    assert_eq!(rig.snapshotter.usage("run").await.unwrap(), Usage { bytes: 3 << 20, inodes: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snp_14_the_digest_is_of_what_the_layer_changed_and_a_committed_one_is_read_only() {
    use super::super::Snapshotter;
    let Some(rig) = rig("btrfs") else { return };
    let write = |root: &Path, name: &str, text: &str| fs::write(root.join(name), text).unwrap();
    rig.layer("one", None, |root| (0..20).for_each(|n| write(root, &format!("f{n}"), "below"))).await;
    let digest = async |changes: &[(&str, &str)], gone: &str| {
        rig.snapshotter.prepare("t", Some("one"), Labels::new()).await.unwrap();
        let root = directory(&rig.snapshotter, "t").await;
        changes.iter().for_each(|(name, text)| write(&root, name, text));
        if !gone.is_empty() {
            fs::remove_file(root.join(gone)).unwrap();
        }
        let id = SnapshotId(root.parent().unwrap().file_name().unwrap().to_str().unwrap().parse().unwrap());
        let driver = Btrfs::new(&rig.dir.path().join("snapshots"));
        let found = driver.measure(id, &Sums::new()).unwrap();
        assert_eq!(found, driver.measure(id, &Sums::new()).unwrap(), "reading changes nothing");
        rig.snapshotter.remove("t").await.unwrap();
        found.tree.unwrap()
    };
    let plain = digest(&[("new", "1")], "").await;
    assert_eq!(plain, digest(&[("new", "1")], "").await);
    let others = [
        digest(&[("new", "2")], "").await,
        digest(&[("new", "1"), ("f3", "above")], "").await,
        digest(&[("new", "1")], "f3").await,
        digest(&[("other", "1")], "").await,
    ];
    assert!(!others.contains(&plain));

    rig.snapshotter.prepare("t", Some("one"), Labels::new()).await.unwrap();
    let root = directory(&rig.snapshotter, "t").await;
    rig.snapshotter.commit("t", "two", Labels::new()).await.unwrap();
    let refused = fs::write(root.join("late"), "").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snp_08_no_subvolume_is_left_whoever_made_it() {
    use super::super::Snapshotter;
    let Some(rig) = rig("btrfs") else { return };
    let at = rig.dir.path().join("snapshots");
    rig.layer("one", None, |root| fs::write(root.join("a"), "1").unwrap()).await;
    rig.snapshotter.prepare("run", Some("one"), Labels::new()).await.unwrap();
    let root = directory(&rig.snapshotter, "run").await;
    // As a container may: subvolumes in directories in subvolumes, with files.
    fs::create_dir(root.join("deep")).unwrap();
    kernel::create(open(&root.join("deep")).unwrap(), "outer").unwrap();
    fs::create_dir(root.join("deep/outer/dir")).unwrap();
    kernel::create(open(&root.join("deep/outer/dir")).unwrap(), "inner").unwrap();
    fs::write(root.join("deep/outer/dir/inner/file"), vec![1; 1 << 20]).unwrap();
    kernel::snapshot(open(&root).unwrap(), open(&root).unwrap(), "copy").unwrap();
    assert_eq!(subvolumes(&at).len(), 5);
    let held = rig.snapshotter.usage("run").await.unwrap();
    assert!(held.bytes >= 1 << 20, "what is in them counts: {held:?}");
    rig.snapshotter.remove("run").await.unwrap();
    assert_eq!(subvolumes(&at).len(), 1);

    // One that no row speaks of, and one that was not finished.
    let driver = Btrfs::new(&at);
    driver.create(SnapshotId(4711), &[]).unwrap();
    fs::write(driver.files(SnapshotId(4711)).join("file"), "x").unwrap();
    DirBuilder::new().create(driver.directory(SnapshotId(4712))).unwrap();
    assert_eq!(subvolumes(&at).len(), 2);
    assert_eq!(rig.snapshotter.recover().await.unwrap(), (0, 2));
    assert_eq!(subvolumes(&at).len(), 1);
    driver.remove(SnapshotId(4711)).unwrap();
    rig.snapshotter.remove("one").await.unwrap();
    assert_eq!(subvolumes(&at), Vec::<u64>::new());
}

#[test]
fn snp_18_another_filesystem_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    if rustix::process::geteuid().is_root() {
        rustix::mount::mount("none", dir.path(), "tmpfs", rustix::mount::MountFlags::empty(), None).unwrap();
    }
    let db = Arc::new(super::super::Db::open(&dir.path().join("meta.db")).unwrap());
    let error = open_snapshotter(dir.path(), Some("btrfs"), db).unwrap_err();
    if rustix::process::geteuid().is_root() {
        super::super::unmount(dir.path()).unwrap();
    }
    assert_eq!(error.kind(), Kind::FailedPrecondition);
    assert!(error.to_string().contains("is not on a btrfs filesystem"), "{error:#}");
}
