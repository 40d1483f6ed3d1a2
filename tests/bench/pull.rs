//! Cold pulls: a new store on a new filesystem for every one, so that nothing is there and nothing has been deleted.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    image::{self, Compressed},
    machine::{self, Load, Machine, run},
    peers::{Containerd, Kind, Peer},
    table::{Table, median},
};

/// The runtimes with the settings that matter to a pull.
fn columns(wharf: &Path, containerd: Option<&Containerd>) -> Vec<(String, Kind)> {
    let mut all = vec![("wharf".to_owned(), Kind::Wharf { program: wharf.to_owned(), cni: false })];
    if let Some(found) = containerd {
        all.push(("containerd".to_owned(), Kind::Containerd(found.clone())));
        if found.knows_unpacks() {
            let best = Containerd { unpacks: Some(2), ..found.clone() };
            all.push(("containerd, 2 unpacks".to_owned(), Kind::Containerd(best)));
        }
    }
    all
}

pub async fn cold(machine: &Machine, wharf: &Path, containerd: Option<&Containerd>, rounds: usize) {
    let (plain, gzip, zstd) = image::push_files(machine);
    let mb = |bytes: usize| bytes as f64 / 1e6;
    println!(
        "\nThe image: {:.0} MB in 4 layers, {:.0} MB with gzip, {:.0} MB with zstd.",
        mb(plain),
        mb(gzip),
        mb(zstd)
    );
    let columns = columns(wharf, containerd);
    let load = Load::new();
    let mut rows = Vec::new();
    for how in [Compressed::Gzip, Compressed::Zstd] {
        let mut all = vec![(Vec::new(), Vec::new()); columns.len()];
        for _ in 0..rounds {
            for ((_, kind), (wall, cpu)) in columns.iter().zip(&mut all) {
                let (took, used) = once(machine, kind, how).await;
                wall.push(took);
                cpu.push(used);
            }
        }
        rows.push((format!("{}, wall", how.name()), all.iter().map(|(w, _)| median(w)).collect::<Vec<_>>()));
        rows.push((format!("{}, CPU", how.name()), all.iter().map(|(_, c)| median(c)).collect()));
    }
    let title = format!("cold pull on {:?}, s, medians of {rounds} (machine {} % idle)", machine.disk, load.idle());
    let mut table = Table::new(&title, columns.iter().map(|(name, _)| name.as_str()));
    for (name, values) in rows {
        table.row(&name, values.iter().map(Duration::as_secs_f64));
    }
    table.print();
    floor(machine, rounds);
}

async fn once(machine: &Machine, kind: &Kind, how: Compressed) -> (Duration, Duration) {
    let disk = machine.fresh("pull");
    let mut peer = Peer::start(machine, kind, &disk.at).await;
    rustix::fs::sync();
    machine::quiet();
    let (before, start) = (peer.cpu(), Instant::now());
    peer.pull(&how.reference()).await;
    (start.elapsed(), peer.cpu() - before)
}

/// What the filesystem alone takes: GNU tar on the plain archives, two at a time.
fn floor(machine: &Machine, rounds: usize) {
    let archives = image::write_archives(&machine.dir);
    let took = |_| {
        let disk = machine.fresh("floor");
        let start = Instant::now();
        for pair in archives.chunks(2) {
            std::thread::scope(|scope| {
                for archive in pair {
                    let to = disk.at.join(archive.file_stem().unwrap_or_default());
                    scope.spawn(move || {
                        fs::create_dir(&to).unwrap();
                        run(Command::new("tar").arg("xf").arg(archive).arg("-C").arg(&to));
                    });
                }
            });
        }
        start.elapsed()
    };
    let times: Vec<Duration> = (0..rounds).map(took).collect();
    println!(
        "\nFloor of the filesystem: tar x of the plain layers, two at a time: {:.2} s.",
        median(&times).as_secs_f64()
    );
}
