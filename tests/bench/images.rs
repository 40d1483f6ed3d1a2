//! A node with very many images: lists, one image, a prune's plan and collections, in process and on a tmpfs, so that nothing is
//! measured but the engine.

use std::{
    collections::HashSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use wharf::{
    client::{
        Runtime,
        action::{self, Action},
        embedded,
        types::{Mode, Scope},
    },
    engine::{
        Config, Engine,
        content::Digest,
        metadata::ImageRow,
        snapshot::{Labels, Measured, SnapshotKind, Usage},
    },
    proto::cri,
};

use crate::{machine, table};

const LAYERS: usize = 10;
/// Of an image's layers, those that a hundred images have in common.
const SHARED: usize = 4;
const LEASE: Duration = Duration::from_secs(3600);

/// Prints a table. `directory` is empty.
pub async fn print(directory: &Path, count: usize, rounds: usize) {
    let mut config = Config::new(&directory.join("lib"), &directory.join("run"));
    config.snapshotter = Some("native".to_owned());
    let engine = Engine::open(config).await.unwrap();
    let filled = Instant::now();
    let (filling, names) = (Arc::clone(&engine), (0..count).map(name).collect::<Vec<_>>());
    tokio::task::spawn_blocking(move || fill(&filling, count)).await.unwrap();
    println!("\n{count} images of {LAYERS} layers, recorded in {:.0} s", filled.elapsed().as_secs_f64());
    let client = embedded::over(Arc::clone(&engine), Mode::Embedded, false).await.unwrap();
    let mut images = client.image_service();
    let list = async |mut images: cri::image_service_client::ImageServiceClient<_>| {
        let answer = images.list_images(cri::ListImagesRequest::default()).await.unwrap().into_inner();
        answer.images.len()
    };
    // Configurations are read once.
    let first = Instant::now();
    assert_eq!(list(images.clone()).await, count);
    let first = first.elapsed();
    machine::quiet();

    let mut rows: Vec<(&str, Vec<Duration>)> = vec![("ListImages, the first", vec![first])];
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push(took(async { assert_eq!(list(images.clone()).await, count) }).await);
    }
    rows.push(("ListImages", times));
    let mut times = Vec::new();
    for name in names.iter().step_by((count / rounds).max(1)) {
        let image = Some(cri::ImageSpec { image: name.clone(), ..Default::default() });
        let request = cri::ImageStatusRequest { image, verbose: false };
        times.push(took(async { drop(images.image_status(request).await.unwrap()) }).await);
    }
    rows.push(("ImageStatus", times));
    let mut times = Vec::new();
    for _ in 0..rounds / 5 {
        let scope = Scope { pods: true, images: true, ..Scope::default() };
        let prune = Action::Prune { images: true, containers: true, older_than: Duration::ZERO };
        times.push(
            took(async {
                let seen = client.inventory(scope).await;
                assert_eq!(action::plan(&prune, &seen, SystemTime::now()).unwrap().steps.len(), count);
            })
            .await,
        );
    }
    rows.push(("a prune's plan", times));

    // Every collection finds the layers of ten images.
    let (mut collections, mut beside) = (Vec::new(), Vec::new());
    for some in names.chunks(10).take(rounds / 5) {
        for name in some {
            let image = Some(cri::ImageSpec { image: name.clone(), ..Default::default() });
            images.remove_image(cri::RemoveImageRequest { image }).await.unwrap();
        }
        let running = Arc::clone(&engine);
        let collection = tokio::spawn(async move { collect(&running).await });
        while !collection.is_finished() {
            let begun = Instant::now();
            list(images.clone()).await;
            beside.push(begun.elapsed());
        }
        collections.push(collection.await.unwrap());
    }
    rows.push(("a collection", collections));
    rows.push(("ListImages beside a collection", beside));
    println!("\n| {count} images, ms | p50 | p99 | times |\n| --- | --- | --- | --- |");
    for (what, times) in rows {
        let [half, most] = [0.5, 0.99].map(|part| table::quantile(&times, part).as_secs_f64() * 1000.0);
        println!("| {what} | {half:.2} | {most:.2} | {} |", times.len());
    }
}

async fn collect(engine: &Engine) -> Duration {
    let begun = Instant::now();
    engine.collect().await.unwrap();
    begun.elapsed()
}

async fn took(work: impl Future<Output = ()>) -> Duration {
    let begun = Instant::now();
    work.await;
    begun.elapsed()
}

fn name(n: usize) -> String {
    format!("registry.example.com/team-{}/service-{n}:v1.{n}", n % 50)
}

/// Rows as pulls leave them, and each image's configuration. Nobody looks at its layers.
fn fill(engine: &Engine, count: usize) {
    let (db, snapshotter) = (&engine.db, engine.snapshotter.name());
    let lease = db.lease("bench", LEASE).unwrap();
    let mut made = HashSet::new();
    for n in 0..count {
        let layer = |at| if at < SHARED { format!("base {} {at}", n / 100) } else { format!("own {n} {at}") };
        let layers: Vec<Digest> = (0..LAYERS).map(|at| Digest::of(layer(at).as_bytes())).collect();
        let config = serde_json::json!({ "architecture": "amd64", "os": "linux",
            "config": { "User": n.to_string(), "Env": ["PATH=/bin"], "Cmd": ["/bin/service"] },
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(Digest::as_str).collect::<Vec<_>>() } });
        let id = engine.content.write(config.to_string().as_bytes(), &lease).unwrap();
        let mut chain = String::new();
        for layer in &layers {
            let parent = Some(chain.clone()).filter(|parent| !parent.is_empty());
            chain = Digest::of(format!("{chain} {layer}").as_bytes()).to_string();
            if made.insert(chain.clone()) {
                db.commit_blob(layer, 4 << 20, &lease).unwrap();
                let (kind, labels) = (SnapshotKind::Active, Labels::new());
                let row = db.new_snapshot(snapshotter, "filling", kind, parent.as_deref(), &labels).unwrap();
                db.ready_snapshot(row.id).unwrap();
                let measured = Measured { usage: Usage { bytes: 12 << 20, inodes: 300 }, tree: None };
                db.commit_snapshot(snapshotter, "filling", &chain, None, &measured, &labels).unwrap();
            }
        }
        let row = ImageRow {
            target: id.clone(),
            tags: vec![name(n)],
            digests: vec![format!("registry.example.com/team-{}/service-{n}@{id}", n % 50)],
            size: 40 << 20,
            snapshot: Some((snapshotter.to_owned(), chain)),
            pinned: false,
            id,
        };
        let blobs: Vec<Digest> = layers.into_iter().chain([row.id.clone()]).collect();
        db.put_image(&row, &blobs).unwrap();
    }
    db.release(&lease).unwrap();
}
