//! The contract of a snapshotter, run over every driver on a real kernel.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use super::{devmapper::tests::TestPool, *};
use crate::{
    engine::metadata::Table, error::Kind, proto::containerd::services::snapshots::v1::snapshots_server::SnapshotsServer,
};

pub(super) struct Rig {
    pub dir: tempfile::TempDir,
    pub db: Arc<Db>,
    pub snapshotter: Local,
    /// Whether the snapshots are on a filesystem of their own.
    disk: bool,
    /// Where a devmapper's devices are.
    pool: Option<TestPool>,
    /// The service that a remote one asks.
    daemon: Option<Daemon>,
}

enum Daemon {
    Ours(tokio::task::JoinHandle<()>),
    Containerd(Child),
}

/// On a tmpfs of its own, which can carry overlayfs whatever the machine's root is, or on the filesystem that the driver
/// needs. `None`, with a word, where that cannot be made. "wharf" and "wharf-DRIVER" are remote: asked over a socket of the
/// service that others ask, with a database of their own. "containerd" is the overlayfs of a containerd 2.3.
pub(super) fn rig(name: &str) -> Option<Rig> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: mounting needs root");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    rustix::mount::mount("none", dir.path(), "tmpfs", rustix::mount::MountFlags::empty(), c"size=256m").unwrap();
    if name.ends_with("erofs") && !has_program("mkfs.erofs") {
        unmount(dir.path()).unwrap();
        return None;
    }
    let pool = if name == "devmapper" { TestPool::new(dir.path()) } else { None };
    if (name == "devmapper" && pool.is_none()) || (name == "zfs" && !mount_zfs(&dir.path().join("snapshots"))) {
        unmount(dir.path()).unwrap();
        return None;
    }
    let disk = ["btrfs", "zfs"].contains(&name);
    if name == "btrfs" && !mount_disk(dir.path(), "mkfs.btrfs", &dir.path().join("snapshots")) {
        unmount(dir.path()).unwrap();
        return None;
    }
    let db = Arc::new(Db::open(&dir.path().join("meta.db")).unwrap());
    let ask = |name: &str| remote(name, &dir.path().join("s.sock"), dir.path(), Arc::clone(&db)).unwrap();
    let (snapshotter, daemon) = if name.starts_with("wharf") {
        let daemon = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(serve(dir.path())));
        (ask(name), Some(Daemon::Ours(daemon)))
    } else if name == "containerd" {
        let Some(daemon) = containerd(dir.path()) else {
            unmount(dir.path()).unwrap();
            return None;
        };
        (ask("overlayfs"), Some(Daemon::Containerd(daemon)))
    } else {
        let pool = pool.as_ref().map(|test| &test.pool);
        (open_with(&dir.path().join("snapshots"), pool, Some(name), Arc::clone(&db)).unwrap(), None)
    };
    fs::create_dir(dir.path().join("mnt")).unwrap();
    Some(Rig { dir, db, snapshotter, disk, pool, daemon })
}

/// The snapshots service on `s.sock`.
async fn serve(dir: &Path) -> tokio::task::JoinHandle<()> {
    let db = Arc::new(Db::open(&dir.join("served.db")).unwrap());
    let clients = Clients::open(&dir.join("served"), Some("overlayfs".to_owned()), Arc::clone(&db)).await.unwrap();
    let server = SnapshotsServer::new(service::Service::new(Arc::new(clients), db));
    let listener = tokio::net::UnixListener::bind(dir.join("s.sock")).unwrap();
    let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
    tokio::spawn(async move {
        tonic::transport::Server::builder().add_service(server).serve_with_incoming(incoming).await.unwrap();
    })
}

/// One on `s.sock`, with a private root.
fn containerd(dir: &Path) -> Option<Child> {
    let home = std::env::var("HOME").unwrap_or_default() + "/.cache/wharf-peers";
    let peers = std::env::var("WHARF_PEERS").unwrap_or(home);
    let program = Path::new(&peers).join("containerd-2.3.4/containerd");
    if !program.is_file() {
        assert!(std::env::var_os("WHARF_CI").is_none(), "skipped in CI: there is no {}", program.display());
        println!("skipped: there is no {}", program.display());
        return None;
    }
    let d = dir.display();
    let config = format!(
        "version = 3\nroot = '{d}/c'\nstate = '{d}/state'\ndisabled_plugins = ['io.containerd.cri.v1.images', \
         'io.containerd.cri.v1.runtime', 'io.containerd.grpc.v1.cri', 'io.containerd.nri.v1.nri']\n[grpc]\naddress = '{d}/s.sock'\n\
         [ttrpc]\naddress = '{d}/t.sock'\n[plugins.'io.containerd.internal.v1.opt']\npath = '{d}/opt'\n"
    );
    fs::write(dir.join("c.toml"), config).unwrap();
    let log = fs::File::create(dir.join("log")).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(dir.join("c.toml")).stdout(log.try_clone().unwrap()).stderr(log);
    let child = command.spawn().unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while std::os::unix::net::UnixStream::connect(dir.join("s.sock")).is_err() {
        let log = fs::read_to_string(dir.join("log")).unwrap();
        assert!(std::time::Instant::now() < deadline, "containerd does not come up: {log}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(child)
}

/// A filesystem in a file, mounted; `false` if there is no program to make it.
fn mount_disk(dir: &Path, mkfs: &str, at: &Path) -> bool {
    if !has_program(mkfs) {
        return false;
    }
    let image = dir.join("disk");
    fs::File::create(&image).unwrap().set_len(200 << 20).unwrap();
    fs::create_dir(at).unwrap();
    for command in
        [Command::new(mkfs).arg("-q").arg(&image), Command::new("mount").args(["-o", "loop"]).arg(&image).arg(at)]
    {
        let done = command.output().unwrap();
        assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    true
}

/// The dataset `$WHARF_ZFS`, mounted at `at`: no kernel that tests run on has ZFS by itself. What is made in it stays there.
fn mount_zfs(at: &Path) -> bool {
    let Ok(dataset) = std::env::var("WHARF_ZFS") else {
        println!("skipped: there is no $WHARF_ZFS, a dataset to work in");
        return false;
    };
    fs::create_dir(at).unwrap();
    let done = Command::new("mount").args(["-t", "zfs", &dataset]).arg(at).status().unwrap();
    assert!(done.success(), "mount {dataset}");
    true
}

/// Says so if there is none; in CI nothing may be skipped.
fn has_program(name: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = path.split(':').any(|place| Path::new(place).join(name).is_file());
    if !found {
        assert!(std::env::var_os("WHARF_CI").is_none(), "skipped in CI: there is no {name}");
        println!("skipped: there is no {name}");
    }
    found
}

impl Drop for Rig {
    fn drop(&mut self) {
        match &mut self.daemon {
            Some(Daemon::Ours(daemon)) => daemon.abort(),
            Some(Daemon::Containerd(child)) => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            None => {}
        }
        unmount(&self.dir.path().join("mnt")).unwrap();
        if self.disk {
            unmount(&self.dir.path().join("snapshots")).unwrap();
        }
        drop(self.pool.take());
        unmount(self.dir.path()).unwrap();
    }
}

impl Rig {
    /// Mounts, works on the tree, unmounts.
    pub fn with<T>(&self, mounts: &[Mount], work: impl FnOnce(&Path) -> T) -> T {
        let target = self.dir.path().join("mnt");
        mount(mounts, &target).unwrap();
        let value = work(&target);
        unmount(&target).unwrap();
        value
    }

    pub async fn layer(&self, name: &str, parent: Option<&str>, work: impl FnOnce(&Path)) {
        let mounts = self.snapshotter.prepare("tmp", parent, Labels::new()).await.unwrap();
        self.with(&mounts, work);
        self.snapshotter.commit("tmp", name, Labels::new()).await.unwrap();
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| e.kind().to_string())
}

async fn layers_stack_and_deletions_show(rig: &Rig) {
    rig.layer("one", None, |root| {
        fs::write(root.join("a"), "1").unwrap();
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/x"), "1").unwrap();
        fs::hard_link(root.join("a"), root.join("a2")).unwrap();
    })
    .await;
    rig.layer("two", Some("one"), |root| {
        fs::write(root.join("a"), "2").unwrap();
        fs::remove_dir_all(root.join("d")).unwrap();
        fs::write(root.join("b"), "2").unwrap();
    })
    .await;
    let mounts = rig.snapshotter.prepare("run", Some("two"), Labels::new()).await.unwrap();
    assert_eq!(mounts, rig.snapshotter.mounts("run").await.unwrap());
    rig.with(&mounts, |root| {
        assert_eq!((read(&root.join("a")), read(&root.join("b"))), ("2".to_owned(), "2".to_owned()));
        assert!(!root.join("d").exists(), "deleted in the second layer");
        fs::write(root.join("a"), "3").unwrap();
    });
    let view = rig.snapshotter.view("look", Some("two"), Labels::new()).await.unwrap();
    rig.with(&view, |root| {
        assert_eq!(read(&root.join("a")), "2", "the writable snapshot does not show through");
        assert!(fs::write(root.join("a"), "4").is_err(), "a view is read-only");
    });
    let view = rig.snapshotter.view("base", Some("one"), Labels::new()).await.unwrap();
    rig.with(&view, |root| {
        assert_eq!(read(&root.join("d/x")), "1");
        assert!(fs::write(root.join("new"), "").is_err(), "a view of one layer is read-only too");
    });
    for key in ["run", "look", "base"] {
        rig.snapshotter.remove(key).await.unwrap();
    }
}

async fn names_and_parents_are_checked(rig: &Rig) {
    let s = &rig.snapshotter;
    let kind = |r: Result<Vec<Mount>>| r.unwrap_err().kind();
    assert_eq!(kind(s.prepare("k", Some("nobody"), Labels::new()).await), Kind::NotFound);
    s.prepare("k", Some("one"), Labels::new()).await.unwrap();
    assert_eq!(kind(s.prepare("k", None, Labels::new()).await), Kind::AlreadyExists);
    assert_eq!(kind(s.prepare("child", Some("k"), Labels::new()).await), Kind::FailedPrecondition);
    assert_eq!(kind(s.mounts("one").await), Kind::FailedPrecondition);
    assert_eq!(s.commit("k", "one", Labels::new()).await.unwrap_err().kind(), Kind::AlreadyExists);
    assert_eq!(s.commit("two", "three", Labels::new()).await.unwrap_err().kind(), Kind::FailedPrecondition);
    let view = s.view("look", Some("two"), Labels::new()).await.unwrap();
    rig.with(&view, |root| assert_eq!(read(&root.join("b")), "2", "it is as it was"));
    s.remove("look").await.unwrap();
    assert_eq!(s.remove("one").await.unwrap_err().kind(), Kind::FailedPrecondition);
    assert_eq!(s.remove("nobody").await.unwrap_err().kind(), Kind::NotFound);
    let info = s.stat("k").await.unwrap();
    assert_eq!((info.kind, info.parent.as_deref()), (SnapshotKind::Active, Some("one")));
    let labels: Labels = [("a".to_owned(), "b".to_owned())].into();
    assert_eq!(s.relabel("k", labels.clone()).await.unwrap().labels, labels);
    let large = [("a".to_owned(), "b".repeat(5000))].into();
    assert_eq!(s.relabel("k", large).await.unwrap_err().kind(), Kind::InvalidArgument);
    s.remove("k").await.unwrap();
}

/// Drivers that know what a snapshot's blocks are, and nothing of the files in them.
const COUNTS_BLOCKS: [&str; 2] = ["devmapper", "zfs"];

async fn usage_counts_what_was_written(rig: &Rig) {
    let mounts = rig.snapshotter.prepare("u", Some("two"), Labels::new()).await.unwrap();
    let before = rig.snapshotter.usage("u").await.unwrap();
    rig.with(&mounts, |root| fs::write(root.join("big"), vec![1; 1 << 20]).unwrap());
    let after = rig.snapshotter.usage("u").await.unwrap();
    if COUNTS_BLOCKS.contains(&rig.snapshotter.name()) {
        // In its own steps, with what the filesystem on it writes besides, and no files.
        let bytes = after.bytes - before.bytes;
        assert!((1 << 20..3 << 20).contains(&bytes), "{after:?} after {before:?}");
    } else {
        assert_eq!((after.bytes - before.bytes, after.inodes - before.inodes), (1 << 20, 1));
    }
    rig.snapshotter.commit("u", "used", Labels::new()).await.unwrap();
    let committed = rig.snapshotter.usage("used").await.unwrap();
    if rig.snapshotter.name().ends_with("erofs") {
        // One file now, with what it holds and what says so.
        let bytes = committed.bytes - (1 << 20);
        assert!(bytes * 20 < 1 << 20 && committed.inodes == 1, "{committed:?} after {after:?}");
    } else {
        assert_eq!(committed, after);
    }
    rig.snapshotter.remove("used").await.unwrap();
}

async fn garbage_goes_and_what_is_used_stays(rig: &Rig) {
    let s = &rig.snapshotter;
    rig.layer("lonely", Some("one"), |root| fs::write(root.join("z"), "z").unwrap()).await;
    rig.db.insert(Table::Containers, "c", "c", &0).unwrap();
    rig.db.keep_snapshot(Table::Containers, "c", s.name(), "two").unwrap();
    let lease = rig.db.lease("test", Duration::from_secs(60)).unwrap();
    rig.db.lease_snapshot(&lease, s.name(), "lonely").unwrap();
    assert_eq!(rig.db.mark(SystemTime::now()).unwrap().snapshots, 0);
    rig.db.release(&lease).unwrap();
    assert_eq!(rig.db.mark(SystemTime::now()).unwrap().snapshots, 1, "the lonely one; its parent has another child");
    let freed = s.sweep().await.unwrap();
    assert!(freed.inodes > 0 || COUNTS_BLOCKS.contains(&s.name()) && freed.bytes > 0, "{freed:?}");
    let names: Vec<_> = s.walk().await.unwrap().into_iter().map(|i| i.key).collect();
    assert_eq!(names, ["one", "two"]);
    rig.db.delete(Table::Containers, "c").unwrap();
    assert_eq!(rig.db.mark(SystemTime::now()).unwrap().snapshots, 2);
}

async fn recovery_discards_the_half_made(rig: &Rig) {
    let s = &rig.snapshotter;
    s.sweep().await.unwrap();
    rig.db.new_snapshot(s.name(), "half", SnapshotKind::Active, None, &Labels::new()).unwrap();
    let root = if s.is_remote() {
        let root = match &rig.daemon {
            Some(Daemon::Containerd(_)) => rig.dir.path().join("c/io.containerd.snapshotter.v1.overlayfs"),
            _ => rig.dir.path().join("served").join(s.name()),
        };
        let (name, dir) = (s.name().to_owned(), rig.dir.path().to_owned());
        let stray = move || remote::Remote::new(&name, &dir.join("s.sock"), &dir)?.create(SnapshotId(4711), &[]);
        tokio::task::spawn_blocking(stray).await.unwrap().unwrap();
        fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap()
    } else {
        let root = rig.dir.path().join("snapshots").join(s.name());
        fs::create_dir_all(root.join("4711/fs")).unwrap();
        root
    };
    assert_eq!(s.recover().await.unwrap(), (1, 1));
    assert_eq!(s.recover().await.unwrap(), (0, 0));
    // containerd's collector deletes, and takes its time.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while fs::read_dir(&root).unwrap().count() > 0 {
        assert!(matches!(rig.daemon, Some(Daemon::Containerd(_))) && std::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn contract(name: &str) {
    let Some(rig) = rig(name) else { return };
    layers_stack_and_deletions_show(&rig).await;
    names_and_parents_are_checked(&rig).await;
    usage_counts_what_was_written(&rig).await;
    garbage_goes_and_what_is_used_stays(&rig).await;
    recovery_discards_the_half_made(&rig).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlayfs_keeps_the_contract() {
    contract("overlayfs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn btrfs_keeps_the_contract() {
    contract("btrfs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_keeps_the_contract() {
    contract("native").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erofs_keeps_the_contract() {
    contract("erofs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devmapper_keeps_the_contract() {
    contract("devmapper").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zfs_keeps_the_contract() {
    contract("zfs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_served_to_ourselves_keeps_the_contract() {
    contract("wharf").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_containerd_s_overlayfs_keeps_the_contract() {
    contract("containerd").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_served_keeps_the_contract() {
    contract("wharf-native").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erofs_served_keeps_the_contract() {
    contract("wharf-erofs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snp_10_overlayfs_stacks_128_layers() {
    stacks_128_layers("overlayfs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snp_10_erofs_stacks_128_layers() {
    stacks_128_layers("erofs").await;
}

async fn stacks_128_layers(driver: &str) {
    let Some(rig) = rig(driver) else { return };
    let mut parent: Option<String> = None;
    for n in 0..128 {
        // Unpacked in any order, and given its parent when it is committed.
        let name = format!("layer-{n}");
        rig.snapshotter.prepare("tmp", None, Labels::new()).await.unwrap();
        let target = rig.snapshotter.unpack_target("tmp").await.unwrap();
        fs::write(target.directory.join(&name), &name).unwrap();
        rig.snapshotter.commit_onto("tmp", &name, parent.as_deref(), Labels::new(), Sums::new()).await.unwrap();
        parent = Some(name);
    }
    let mounts = rig.snapshotter.prepare("run", parent.as_deref(), Labels::new()).await.unwrap();
    rig.with(&mounts, |root| {
        for n in 0..128 {
            assert_eq!(read(&root.join(format!("layer-{n}"))), format!("layer-{n}"));
        }
    });
}
