//! The threat list's rows about registries (REG), through `wharf serve` and a registry that lies.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use wharf::{
    client,
    engine::{
        content::Content,
        image::{pull::Puller, registry::RegistryConfig},
        metadata::Db,
        snapshot,
    },
    error::Kind,
    proto::cri,
};

use super::pulls::{Holdings, holdings, noise, nothing_left, refused};
use crate::support::{
    self,
    lying::{Answer, Body, INDEX, Image, Lying, MANIFEST},
    node::Node,
    registry::Layer,
};

fn setup(test: &str) -> Option<(Node, Lying, Holdings)> {
    let node = Node::start(test)?;
    let lying = Lying::start(&node.netns);
    let before = holdings(&node.dir.join("lib"));
    Some((node, lying, before))
}

fn small() -> Image {
    Image::new(&[noise(40, 20_000)])
}

/// Pulls, and removes again.
fn works(node: &Node, before: &Holdings, reference: &str, extra: &[&str]) {
    node.ok(&[&["pull"], extra, &[reference]].concat());
    node.ok(&["rmi", reference]);
    nothing_left(node, before, reference);
}

const CREDS: [&str; 2] = ["--creds", "admiral:CANARY"];
/// base64 of `admiral:CANARY`.
const BASIC: &str = "YWRtaXJhbDpDQU5BUlk=";

#[test]
fn reg_01_credentials_do_not_follow_a_redirect_to_another_host() {
    let Some((node, home, before)) = setup("reg01") else { return };
    let away = Lying::start(&node.netns);
    let image = small();
    away.image("stolen", image.clone(), |_| None);
    for (name, scheme) in [("basic", "Basic"), ("bearer", "Bearer")] {
        let (layer, address, own) = (image.layers[0].clone(), away.address, home.address);
        let reference = home.image(name, image.clone(), move |r| {
            if r.path.contains("/token") {
                return Some(Answer::new(200, r#"{"token":"CANARY-TOKEN"}"#));
            }
            if !r.headers.get("authorization").is_some_and(|a| a.starts_with(scheme)) {
                let challenge = match scheme {
                    "Basic" => "Basic realm=\"x\"".to_owned(),
                    _ => format!("Bearer realm=\"http://{own}/bearer/token\",service=\"x\""),
                };
                return Some(Answer::new(401, "").header("WWW-Authenticate", challenge));
            }
            let to = format!("http://{address}/v2/stolen/blobs/{layer}");
            r.path.ends_with(&layer).then(|| Answer::new(307, "").header("Location", to))
        });
        works(&node, &before, &reference, &CREDS);
    }
    let seen = away.seen("stolen");
    assert_eq!(seen.len(), 2);
    for request in &seen {
        let told = format!("{:?}", request.headers);
        assert!(!request.headers.contains_key("authorization") && !request.headers.contains_key("cookie"), "{told}");
        assert!(!told.contains("CANARY") && !told.contains(BASIC), "{told}");
    }
    drop((home, away));
    node.end();
}

#[test]
fn reg_02_foreign_urls_are_not_visited() {
    let Some((node, lying, before)) = setup("reg02") else { return };
    let evil = Lying::start(&node.netns);
    let address = evil.address;
    let image = Image::with(
        &[noise(41, 1000)],
        |_| (),
        |m| {
            m["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
            m["layers"][0]["urls"] = json!([format!("http://{address}/evil")]);
        },
    );
    let reference = lying.image("foreign", image, |_| None);
    refused(&node, &before, &reference, &CREDS, &["only available from a foreign URL (disabled)"]);
    assert_eq!(evil.seen("").len(), 0);
    drop((lying, evil));
    node.end();
}

#[test]
fn reg_04_a_registry_that_never_accepts_is_left_soon() {
    let Some((node, lying, before)) = setup("reg04") else { return };
    let own = lying.address;
    let reference = lying.image("never", small(), move |r| {
        if r.path.contains("/token") {
            return Some(Answer::new(200, format!(r#"{{"token":"fresh-{}"}}"#, r.number)));
        }
        Some(Answer::new(401, "").header("WWW-Authenticate", format!("Bearer realm=\"http://{own}/never/token\"")))
    });
    let begun = Instant::now();
    refused(&node, &before, &reference, &CREDS, &["authentication to", "failed (401)"]);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // Two pulls, by wharf and by crictl.
    let (tokens, all) = (lying.seen("/token").len(), lying.seen("").len());
    assert!(tokens <= 2 * 2 && all - tokens <= 2 * 5, "{tokens} tokens, {all} requests");
    drop(lying);
    node.end();
}

#[test]
fn reg_05_a_rate_limit_is_waited_for_or_said() {
    let Some((node, lying, before)) = setup("reg05") else { return };
    let limited = |times: usize, after: &'static str| {
        move |r: &crate::support::lying::Request| {
            let now = r.path.contains("/manifests/") && r.number < times;
            now.then(|| Answer::new(429, "").header("Retry-After", after))
        }
    };
    let begun = Instant::now();
    works(&node, &before, &lying.image("twice", small(), limited(2, "3")), &[]);
    assert!((6..15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(lying.seen("twice/manifests").len(), 3);

    let begun = Instant::now();
    refused(&node, &before, &lying.image("day", small(), limited(9, "86400")), &[], &["rate limited by", "86400 s"]);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(lying.seen("day/manifests").len(), 2, "one request each by wharf and crictl");

    works(&node, &before, &lying.image("date", small(), limited(1, "Wed, 21 Oct 2015 07:28:00 GMT")), &[]);
    works(&node, &before, &lying.image("garbage", small(), limited(2, "soon")), &[]);
    let at: Vec<_> = lying.seen("garbage/manifests").iter().map(|r| r.at).collect();
    assert!(at[1] - at[0] >= Duration::from_millis(900) && at[2] - at[1] > at[1] - at[0], "it backs off: {at:?}");
    drop(lying);
    node.end();
}

#[test]
fn reg_06_a_registry_that_says_nothing_is_given_up() {
    if !support::root("reg06") {
        return;
    }
    let lying = Lying::start(Path::new("/proc/self/ns/net"));
    let dir = tempfile::tempdir().unwrap();
    let db = Arc::new(Db::open(&dir.path().join("meta.db")).unwrap());
    let content = Content::open(&dir.path().join("content"), Arc::clone(&db)).unwrap();
    let local = snapshot::open(&dir.path().join("snapshots"), Some("native"), Arc::clone(&db)).unwrap();
    let config = RegistryConfig { progress_timeout: Duration::from_secs(2), ..RegistryConfig::default() };
    let puller = Puller::new(content, db, Arc::new(local), config, dir.path().join("scratch")).unwrap();
    let reference = lying.image("silent", small(), |_| Some(Answer::of(200, Body::Silence)));
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let begun = Instant::now();
    let error = tokio.block_on(puller.pull(&reference, None, Arc::new(|_| ()))).unwrap_err();
    assert!(error.is(Kind::DeadlineExceeded), "{error:?}");
    assert!(format!("{error:#}").contains(&lying.address.to_string()), "{error:#}");
    assert!((1900..8000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[test]
fn reg_07_a_broken_download_goes_on_where_it_broke() {
    let Some((node, lying, before)) = setup("reg07") else { return };
    let image = Image::new(&[noise(42, 4 << 20)]);
    let digest = image.layers[0].clone();
    let whole = image.blob(&digest);
    let bytes = whole.clone();
    let layer = digest.clone();
    let piece = whole.len() / 5;
    let reference = lying.image("cut", image.clone(), move |r| {
        if !r.path.ends_with(&layer) || r.number >= 4 {
            return None;
        }
        let from: usize =
            r.headers.get("range").and_then(|v| v["bytes=".len()..].trim_end_matches('-').parse().ok()).unwrap_or(0);
        let rest = bytes[from..].to_vec();
        let answer = Answer::of(if from > 0 { 206 } else { 200 }, Body::Cut(rest, piece));
        Some(match from {
            0 => answer,
            from => answer.header("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())),
        })
    });
    works(&node, &before, &reference, &[]);
    let seen = lying.seen(&digest);
    assert_eq!(seen.len(), 5);
    let ranges: Vec<usize> =
        seen[1..].iter().map(|r| r.headers["range"]["bytes=".len()..].trim_end_matches('-').parse().unwrap()).collect();
    let twice: usize = ranges.iter().enumerate().map(|(i, from)| (i + 1) * piece - from).sum();
    assert!(twice * 20 <= whole.len(), "{twice} bytes were fetched again, from {ranges:?}");

    let layer = digest.clone();
    let never = lying
        .image("never", image, move |r| r.path.ends_with(&layer).then(|| Answer::of(200, Body::Cut(vec![0; 1000], 0))));
    refused(&node, &before, &never, &[], &["broke off at byte 0 of", &digest[7..19]]);
    drop(lying);
    node.end();
}

#[test]
fn reg_08_wrong_bytes_are_thrown_away_and_fetched_again() {
    let Some((node, lying, before)) = setup("reg08") else { return };
    let image = Image::new(&[noise(43, 200_000)]);
    let digest = image.layers[0].clone();
    let mut wrong = image.blob(&digest);
    wrong[77_777] ^= 4;
    let layer = digest.clone();
    let reference = lying.image("flip", image, move |r| {
        (r.path.ends_with(&layer) && r.number < 2).then(|| Answer::new(200, wrong.clone()))
    });
    refused(&node, &before, &reference, &[], &[&digest[7..19], "expected", "got"]);
    works(&node, &before, &reference, &[]);
    assert!(lying.seen(&digest).iter().all(|r| !r.headers.contains_key("range")), "wrong bytes were resumed");
    drop(lying);
    node.end();
}

#[test]
fn reg_09_ranges_that_lie_never_splice() {
    let Some((node, lying, before)) = setup("reg09") else { return };
    let image = Image::new(&[noise(44, 1 << 20)]);
    let digest = image.layers[0].clone();
    let whole = image.blob(&digest);
    let half = whole.len() / 2;
    let lie = |how: &'static str| {
        let (layer, whole) = (digest.clone(), whole.clone());
        move |r: &crate::support::lying::Request| {
            if !r.path.ends_with(&layer) {
                return None;
            }
            if r.number == 0 {
                return Some(Answer::of(200, Body::Cut(whole.clone(), half)));
            }
            let last = whole.len() - 1;
            match how {
                "whole" => Some(Answer::new(200, whole.clone())),
                "elsewhere" if r.number < 3 => Some(
                    Answer::new(206, &whole[half - 100..])
                        .header("Content-Range", format!("bytes {}-{last}/{}", half - 100, last + 1)),
                ),
                "unnamed" if r.number < 3 => Some(Answer::new(206, &whole[half..])),
                _ => None,
            }
        }
    };
    for how in ["whole", "elsewhere", "unnamed"] {
        works(&node, &before, &lying.image(how, image.clone(), lie(how)), &[]);
    }
    drop(lying);
    node.end();
}

/// KiB of memory that the engine holds.
fn resident(node: &Node) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.engine())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
fn reg_10_nothing_is_read_without_end() {
    let Some((node, lying, before)) = setup("reg10") else { return };
    works(&node, &before, &lying.image("warm", small(), |_| None), &[]);
    let own = lying.address;
    let endless = || Some(Answer::of(200, Body::Endless));
    let image = small();
    let (config, index) = (
        image.config.clone(),
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [
        { "digest": image.manifest, "size": 1, "platform": { "os": "linux", "architecture": "amd64" } } ] })
        .to_string(),
    );
    let cases = BTreeMap::from([
        ("manifest", lying.image("manifest", small(), move |r| r.path.contains("/manifests/").then(endless).flatten())),
        (
            "index",
            lying.image("index", small(), move |r| match r.path.ends_with("/manifests/1") {
                true => Some(Answer::new(200, index.clone()).header("Content-Type", INDEX)),
                false => endless(),
            }),
        ),
        ("config", lying.image("config", small(), move |r| r.path.ends_with(&config).then(endless).flatten())),
        (
            "token",
            lying.image("token", small(), move |r| match r.path.contains("/token/of") {
                true => endless(),
                false => Some(
                    Answer::new(401, "").header("WWW-Authenticate", format!("Bearer realm=\"http://{own}/token/of\"")),
                ),
            }),
        ),
        (
            "error",
            lying.image("error", small(), |r| r.path.contains("/manifests/").then(|| Answer::of(404, Body::Endless))),
        ),
    ]);
    for (what, reference) in &cases {
        let (base, begun) = (resident(&node), Instant::now());
        let words: &[&str] = match *what {
            "manifest" | "index" => &["manifest", "larger than"],
            "config" => &["longer than its descriptor"],
            "token" => &["token", "larger than"],
            _ => &["not found (404)"],
        };
        refused(&node, &before, reference, &[], words);
        let grown = resident(&node).saturating_sub(base);
        assert!(grown < 12 << 10, "{what}: {grown} KiB more than before");
        assert!(begun.elapsed() < Duration::from_secs(15), "{what}: {:?}", begun.elapsed());
    }
    drop(lying);
    node.end();
}

#[test]
fn reg_11_documents_that_can_be_read_in_two_ways_are_refused() {
    let Some((node, lying, before)) = setup("reg11") else { return };
    let both = Image::with(&[noise(45, 100)], |_| (), |m| m["manifests"] = json!([]));
    refused(&node, &before, &lying.image("both", both, |_| None), &[], &["ambiguous manifest"]);
    let mut header = small();
    header.documents.get_mut("manifests/1").unwrap().0 = INDEX.to_owned();
    refused(&node, &before, &lying.image("header", header, |_| None), &[], &["ambiguous manifest"]);
    drop(lying);
    node.end();
}

#[test]
fn reg_12_indexes_in_indexes_end() {
    let Some((node, lying, before)) = setup("reg12") else { return };
    let entry = |digest: &str| json!({ "mediaType": INDEX, "digest": digest, "size": 1 });
    let index = |entries: Vec<serde_json::Value>| {
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string()
    };
    let mut deep = small();
    let mut below = deep.manifest.clone();
    for _ in 0..1000 {
        let document = index(vec![entry(&below)]);
        below = deep.document(INDEX, document.as_bytes());
        deep.tag(INDEX, document.as_bytes());
    }
    let mut wide = small();
    let document = index((0..20_000).map(|_| entry(&wide.manifest)).collect());
    wide.tag(INDEX, document.as_bytes());
    let mut fan = small();
    let mut level = fan.manifest.clone();
    for _ in 0..6 {
        let document = index((0..1000).map(|_| entry(&level)).collect());
        level = fan.document(INDEX, document.as_bytes());
        fan.tag(INDEX, document.as_bytes());
    }
    for (name, image, words) in [
        ("deep", deep, &["nested deeper"][..]),
        ("wide", wide, &["entries, more than"]),
        ("fan", fan, &["nested deeper"]),
    ] {
        let (begun, base) = (Instant::now(), resident(&node));
        refused(&node, &before, &lying.image(name, image, |_| None), &[], words);
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}: {:?}", begun.elapsed());
        assert!(lying.seen(&format!("/v2/{name}/")).len() <= 64, "{name}");
        assert!(resident(&node).saturating_sub(base) < 32 << 10, "{name}");
    }
    drop(lying);
    node.end();
}

#[test]
fn reg_15_the_digest_is_the_bodys() {
    let Some((node, lying, before)) = setup("reg15") else { return };
    let liar = small();
    let announced = format!("sha256:{}", "a".repeat(64));
    let document = liar.documents["manifests/1"].1.clone();
    let reference = lying.image("header", liar, move |r| {
        r.path.contains("/manifests/").then(|| {
            Answer::new(200, document.clone())
                .header("Content-Type", MANIFEST)
                .header("Docker-Content-Digest", announced.clone())
        })
    });
    refused(&node, &before, &reference, &[], &["expected aaaaaaaaaaaa", "got"]);

    // The tag moves with every look at it: what is recorded is what was unpacked.
    let (first, second) = (Image::new(&[noise(46, 1000)]), Image::new(&[noise(47, 1000)]));
    let mut all = first.clone();
    all.documents.extend(second.documents.clone());
    let tags = [first.documents["manifests/1"].clone(), second.documents["manifests/1"].clone()];
    let reference = lying.image("moves", all, move |r| {
        let (kind, bytes) = &tags[r.number.min(1)];
        r.path.ends_with("manifests/1").then(|| Answer::new(200, bytes.as_slice()).header("Content-Type", kind))
    });
    node.ok(&["pull", &reference]);
    let image = node.json(&["inspecti", &reference]);
    let digest = image["status"]["repoDigests"][0].as_str().unwrap();
    assert!(digest.ends_with(&first.manifest), "{image}");
    assert_eq!(image["status"]["id"].as_str(), Some(first.config.as_str()));
    // By digest another document is refused.
    let wrong = format!("{}/moves@{}", lying.address, second.manifest);
    node.ok(&["pull", &wrong]);
    node.ok(&["rmi", "--all"]);
    nothing_left(&node, &before, "moving tags");
    drop(lying);
    node.end();
}

#[test]
fn reg_19_content_that_is_not_the_diff_id_never_becomes_a_snapshot() {
    let Some((node, lying, before)) = setup("reg19") else { return };
    let (below, top) = (noise(48, 10_000), noise(49, 10_000));
    let wrong = Layer { bytes: top.bytes, diff_id: noise(50, 10).diff_id, compression: "gzip" };
    let reference = lying.image("diff", Image::new(&[below, wrong]), |_| None);
    refused(&node, &before, &reference, &[], &["diff_id"]);
    drop(lying);
    node.end();
}

/// Calls on the engine's socket, from this process.
fn service(node: &Node) -> (tokio::runtime::Runtime, client::Cri) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cri = tokio.block_on(client::Cri::attach(&node.socket(), false)).unwrap();
    (tokio, cri)
}

fn question(reference: &str) -> cri::PullImageRequest {
    let image = Some(cri::ImageSpec { image: reference.to_owned(), ..Default::default() });
    cri::PullImageRequest { image, ..Default::default() }
}

#[test]
fn reg_21_fifty_pulls_of_one_image_fetch_it_once() {
    let Some((node, lying, before)) = setup("reg21") else { return };
    let image = Image::new(&[noise(51, 300_000), noise(52, 300_000)]);
    let slow = image.clone();
    let reference = lying.image("fifty", image.clone(), move |r| {
        let digest = r.path.rsplit('/').next()?;
        slow.layers.iter().any(|l| l == digest).then(|| Answer::of(200, Body::Slow(slow.blob(digest), 8 << 10)))
    });
    let (tokio, cri) = service(&node);
    tokio.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (mut images, question) = (cri.image_service(), question(&reference));
            all.spawn(async move { images.pull_image(question).await.map(|a| a.into_inner().image_ref) });
        }
        // One of them is called off in the middle.
        let (mut images, question) = (cri.image_service(), question(&reference));
        let one = tokio::spawn(async move { images.pull_image(question).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        one.abort();
        while let Some(done) = all.join_next().await {
            assert_eq!(done.unwrap().unwrap(), image.config);
        }
    });
    for digest in image.layers.iter().chain([&image.config]) {
        // Once more if the one that was called off was the one that fetched it.
        assert!((1..=2).contains(&lying.seen(digest).len()), "{digest}");
    }
    node.ok(&["rmi", &reference]);
    nothing_left(&node, &before, "fifty pulls");
    drop(lying);
    node.end();
}

#[test]
fn reg_22_a_pull_that_is_called_off_goes_on_later() {
    let Some((node, lying, before)) = setup("reg22") else { return };
    let image = Image::new(&[noise(53, 16 << 20)]);
    let (digest, size) = (image.layers[0].clone(), image.blob(&image.layers[0]).len());
    let whole = image.blob(&digest);
    let layer = digest.clone();
    let reference = lying.image("off", image, move |r| {
        let from =
            r.headers.get("range").and_then(|v| v["bytes=".len()..].trim_end_matches('-').parse().ok()).unwrap_or(0);
        let answer = Answer::of(if from > 0 { 206 } else { 200 }, Body::Slow(whole[from..].to_vec(), 64 << 10));
        let range = format!("bytes {from}-{}/{}", whole.len() - 1, whole.len());
        r.path.ends_with(&layer).then(|| if from > 0 { answer.header("Content-Range", range) } else { answer })
    });
    let (tokio, cri) = service(&node);
    for round in 0..6 {
        tokio.block_on(async {
            let (mut images, question) = (cri.image_service(), question(&reference));
            let called =
                tokio::time::timeout(Duration::from_millis(60 + 37 * round), images.pull_image(question)).await;
            assert!(called.is_err(), "it was done before it could be called off: {called:?}");
        });
    }
    node.ok(&["pull", &reference]);
    let from = |r: &crate::support::lying::Request| -> usize {
        r.headers.get("range").and_then(|v| v["bytes=".len()..].trim_end_matches('-').parse().ok()).unwrap_or(0)
    };
    let starts: Vec<usize> = lying.seen(&digest).iter().map(from).collect();
    assert!(
        starts.windows(2).all(|w| w[1] >= w[0]) && *starts.last().unwrap() > size / 10,
        "it began anew: {starts:?} of {size}"
    );
    node.ok(&["rmi", &reference]);
    nothing_left(&node, &before, "pulls that were called off");
    drop(lying);
    node.end();
}

#[test]
fn reg_23_secrets_in_urls_are_not_repeated() {
    let Some((node, home, before)) = setup("reg23") else { return };
    let away = Lying::start(&node.netns);
    let image = small();
    away.image("lost", image.clone(), |_| Some(Answer::missing()));
    away.image("cut", image.clone(), |_| Some(Answer::of(200, Body::Cut(vec![0; 500], 10))));
    away.image("wrong", image.clone(), |_| Some(Answer::new(200, vec![9; 20_000])));
    away.image("again", image.clone(), |r| {
        Some(Answer::new(307, "").header("Location", format!("{}?sig=CANARY", r.path)))
    });
    let (layer, address) = (image.layers[0].clone(), away.address);
    for (name, to) in [
        ("lost", format!("http://{address}/v2/lost/blobs/x?sig=CANARY")),
        ("cut", format!("http://{address}/v2/cut/blobs/x?sig=CANARY")),
        ("wrong", format!("http://{address}/v2/wrong/blobs/x?sig=CANARY")),
        ("again", format!("http://{address}/v2/again/blobs/x?sig=CANARY")),
        ("dead", "http://127.0.0.1:1/x?sig=CANARY".to_owned()),
        ("user", "http://u:CANARY@127.0.0.1:1/x".to_owned()),
        ("name", "http://nowhere.invalid/x?sig=CANARY".to_owned()),
    ] {
        let layer = layer.clone();
        let reference = home.image(name, image.clone(), move |r| {
            r.path.ends_with(&layer).then(|| Answer::new(307, "").header("Location", to.clone()))
        });
        for output in [node.crictl(&["pull", &reference]), node.wharf(&["-D", "pull", &reference]).output().unwrap()] {
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && !text.contains("CANARY"), "{name}: {text}");
        }
        nothing_left(&node, &before, name);
    }
    assert!(!node.log().contains("CANARY"), "{}", node.log());
    drop((home, away));
    node.end();
}

#[test]
fn reg_26_one_pulls_password_is_not_the_next_ones() {
    let Some((node, lying, before)) = setup("reg26") else { return };
    let reference = lying.image("closed", small(), |r| {
        let known = r.headers.get("authorization").is_some_and(|a| a.contains(BASIC));
        (!known).then(|| Answer::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\""))
    });
    works(&node, &before, &reference, &CREDS);
    let told = lying.seen("closed").len();
    refused(&node, &before, &reference, &[], &["needs a login (401)"]);
    assert!(lying.seen("closed")[told..].iter().all(|r| !r.headers.contains_key("authorization")));
    let secret = |text: &str| text.contains("CANARY") || text.contains(BASIC);
    assert!(!secret(&node.log()), "{}", node.log());
    let place = std::process::Command::new("grep")
        .args(["-rlE", "CANARY|YWRtaXJhbDpDQU5BUlk"])
        .args([node.dir.join("lib"), node.dir.join("run")])
        .output()
        .unwrap();
    assert!(place.stdout.is_empty(), "a password was written to {}", String::from_utf8_lossy(&place.stdout));
    drop(lying);
    node.end();
}
