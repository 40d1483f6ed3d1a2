//! Archives that lie, that never end and that are too much: each is refused with its own error and leaves nothing
//! (threats REG-25).

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    pulls::{Holdings, holdings, noise, nothing_left},
    support::{
        archive::{self, File, Image, blob, file, header, image, index, layout},
        node::Node,
    },
};

const NAME: &str = "registry.example.com/hostile:1";

fn import(node: &Node, extra: &[&str]) -> Command {
    let mut command = node.wharf(&[&["images", "import", "-"], extra].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn give(node: &Node, bytes: &[u8]) -> Output {
    let mut child = import(node, &[]).spawn().unwrap();
    // Who refuses an archive early reads no more of it.
    let _refused = child.stdin.take().unwrap().write_all(bytes);
    child.wait_with_output().unwrap()
}

/// It fails with these words, without a byte that a terminal would obey, and leaves nothing.
fn refused(node: &Node, before: &Holdings, what: &str, bytes: &[u8], words: &[&str]) {
    let output = give(node, bytes);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{what}: it succeeded: {}", String::from_utf8_lossy(&output.stdout));
    for word in words {
        assert!(error.contains(word), "{what}: no {word:?} in: {error}");
    }
    assert!(!error.contains('\x1b') && error.lines().count() == 1 && error.len() < 2000, "{what}: {error:?}");
    nothing_left(node, before, what);
}

/// Of the engine, in KiB.
fn memory(node: &Node, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.engine())).unwrap();
    let line = status.lines().find(|l| l.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A good archive of one image, file by file.
fn good(image: &Image) -> Vec<File> {
    let mut files = vec![layout(), index(&[(&image.manifest, NAME)])];
    files.extend(image.files.clone());
    files
}

#[test]
fn reg_25_every_lie_has_its_own_error_and_leaves_nothing() {
    let Some(node) = Node::start("archive-lies") else { return };
    let before = holdings(&node.dir.join("lib"));
    let (layer, other) = (noise(1, 200_000), noise(2, 200_000));
    let one = image(&[&layer], "amd64");
    let refused = |what: &str, bytes: &[u8], words: &[&str]| refused(&node, &before, what, bytes, words);
    let with = |change: &dyn Fn(&mut Vec<File>)| {
        let mut files = good(&one);
        change(&mut files);
        archive::tar(&files)
    };
    let at = |body: &[u8]| blob(body).0;

    refused("nothing", b"", &["no image archive"]);
    refused("a text", b"hello", &["ends inside a header"]);
    refused("a layer", &archive::tar(&[file("etc/passwd", "root")]), &["oci-layout", "manifest.json"]);
    refused("a layout without an index", &archive::tar(&[layout()]), &["without index.json"]);
    let version = with(&|f| f[0] = file("oci-layout", r#"{"imageLayoutVersion":"2.0.0\u001b[2J"}"#));
    refused("another version", &version, &["image layout version", "1.0.0"]);
    refused("broken JSON", &with(&|f| f[1] = file("index.json", "{\"schemaVersion\":2")), &["index.json", "not valid"]);

    // Bytes that are not what their name says.
    let wrong = with(&|f| f[4].1[1000] ^= 1);
    refused("a flipped bit", &wrong, &["blobs/sha256/", "expected"]);
    let missing = with(&|f| f.retain(|(path, _)| *path != at(&layer.bytes)));
    refused("a layer that is not there", &missing, &[&at(&layer.bytes)[13..40], "not whole"]);
    let missing = with(&|f| f.retain(|(path, _)| *path != at(&one.manifest)));
    refused("a manifest that is not there", &missing, &["manifest sha256:", "not whole"]);
    let mislabelled = archive::image(
        &[&crate::support::registry::Layer {
            bytes: layer.bytes.clone(),
            diff_id: other.diff_id.clone(),
            compression: "gzip",
        }],
        "amd64",
    );
    refused("a layer with another's diff_id", &archive::tar(&good(&mislabelled)), &["diff_id"]);
    refused("for another machine", &archive::tar(&good(&image(&[&layer], "s390x"))), &["s390x"]);

    // Cut short, and more than one.
    let whole = with(&|_| ());
    for cut in [700, whole.len() / 2, whole.len() - 1100] {
        refused("an archive cut short", &whole[..cut], &["ends"]);
    }
    refused("two archives", &[whole.clone(), whole.clone()].concat(), &["one archive at a time"]);
    refused("two indexes", &with(&|f| f.push(f[1].clone())), &["index.json", "twice"]);

    // Names.
    for name in ["registry.example.com/\x1b[2J:1", "../../x:1", "registry.example.com/UPPER:1"] {
        let named = with(&|f| f[1] = index(&[(&one.manifest, &format!("{name}/"))]));
        refused("a name that is none", &named, &["invalid image reference"]);
    }
    let liar = format!("registry.example.com/x@sha256:{}", "0".repeat(64));
    refused("another's digest", &with(&|f| f[1] = index(&[(&one.manifest, &liar)])), &["gives the name"]);

    // Paths.
    for path in ["../escape", "/etc/passwd", "blobs/../../x", "a/../../x"] {
        refused("a path out", &with(&|f| f.push(file(path, "x"))), &["leads out of the archive"]);
    }
    for (kind, link) in [(b'2', "../../../etc/shadow"), (b'2', "/etc/shadow"), (b'1', "../x")] {
        let mut bytes = header("link", kind, link, 0);
        bytes.extend(&whole);
        refused("a link out", &bytes, &["leads out of the archive"]);
    }
    for kind in [b'3', b'4', b'6'] {
        let mut bytes = header("dev", kind, "", 0);
        bytes.extend(&whole);
        refused("a device", &bytes, &["no image archive has"]);
    }
    let docker = |config: &str, layers: &[&str]| {
        let list = json!([{ "Config": config, "RepoTags": [NAME], "Layers": layers }]).to_string();
        archive::tar(&[
            file("manifest.json", list),
            file("c.json", one.config.clone()),
            file("l.tar", layer.bytes.clone()),
        ])
    };
    refused("docker: a path out", &docker("../../etc/passwd", &[]), &["which is not in the archive"]);
    refused("docker: no layer", &docker("c.json", &["l2.tar\u{1b}[2J"]), &["l2.tar", "not in the archive"]);
    refused("docker: a config for more layers", &docker("c.json", &[]), &["mismatched"]);
    refused("docker: a layer as config", &docker("l.tar", &["l.tar"]), &["configuration"]);

    // The good one, to see that all this was the lies' fault.
    let output = give(&node, &whole);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("Imported: {NAME}\n"), "{output:?}");
    node.end();
}

#[test]
fn reg_25_what_is_too_much_is_refused_in_little_memory() {
    let Some(node) = Node::start("archive-bombs") else { return };
    let one = image(&[&noise(3, 100_000)], "amd64");
    let whole = archive::tar(&good(&one));
    // What an import takes by itself.
    assert!(give(&node, &whole).status.success(), "{}", node.log());
    node.ok(&["rmi", NAME]);
    std::thread::sleep(Duration::from_secs(1));
    let before = holdings(&node.dir.join("lib"));
    let (at_rest, began) = (memory(&node, "VmRSS"), Instant::now());
    let refused = |what: &str, bytes: &[u8], words: &[&str]| refused(&node, &before, what, bytes, words);

    for name in ["index.json", "manifest.json", "oci-layout"] {
        // The gigabyte itself need not be sent: it is refused by its header.
        let mut bytes = header(name, b'0', "", 1 << 30);
        bytes.resize(8 << 20, b' ');
        refused("a document of a gigabyte", &bytes, &[name, "1073741824 bytes"]);
    }
    let entry = format!("{},", archive::describe(&one.manifest));
    let many =
        |count: usize| format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entry.repeat(count).trim_end_matches(','));
    refused(
        "thousands of images",
        &archive::tar(&[layout(), file("index.json", many(30_000))]),
        &["more entries than 1024"],
    );
    refused(
        "a million images",
        &archive::tar(&[layout(), file("index.json", many(1_000_000))]),
        &["index.json", "bytes"],
    );
    let empty = format!("[{}]", vec![r#"{"Config":"","Layers":[]}"#; 160_000].join(","));
    refused("a list of nothing", &archive::tar(&[file("manifest.json", empty)]), &["more entries than 1024"]);
    let layers = format!(r#"[{{"Config":"c","Layers":[{}]}}]"#, vec!["\"\""; 1_000_000].join(","));
    refused("a million layers", &archive::tar(&[file("manifest.json", layers)]), &["more entries than 1024"]);
    let nested = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
    refused("a deep document", &archive::tar(&[layout(), file("index.json", nested)]), &["not valid"]);
    let files: Vec<u8> = (0..70_000).flat_map(|n| header(&format!("d{n}/"), b'5', "", 0)).collect();
    refused("entries without end", &archive::end(files), &["more than 65536 entries"]);
    let files: Vec<u8> = (0..20_000).flat_map(|n| header(&format!("l{n}"), b'2', "x", 0)).collect();
    refused("links without end", &archive::end(files), &["more than 16384 files"]);
    // A gzip bomb: zeros as padding, which is read and thrown away, and then something else.
    let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
    bomb.write_all(&whole).unwrap();
    for _ in 0..512 {
        bomb.write_all(&vec![0; 1 << 20]).unwrap();
    }
    bomb.write_all(b"x").unwrap();
    refused("half a gigabyte of nothing", &bomb.finish().unwrap(), &["one archive at a time"]);
    let ring = [header("a.json", b'2', "b.json", 0), header("b.json", b'2', "a.json", 0)].concat();
    let list = json!([{ "Config": "a.json", "Layers": [] }]).to_string();
    refused("links in a ring", &[ring, archive::tar(&[file("manifest.json", list)])].concat(), &["not in the archive"]);

    let grown = memory(&node, "VmHWM").saturating_sub(at_rest);
    eprintln!("refused in {:?}, {grown} KiB above rest at most", began.elapsed());
    assert!(grown < 32 << 10, "the engine took {grown} KiB more");
    node.end();
}

#[test]
fn reg_25_a_client_that_dies_leaves_nothing_for_long() {
    let Some(mut node) = Node::start("archive-dies") else { return };
    let before = holdings(&node.dir.join("lib"));
    let whole = archive::tar(&good(&image(&[&noise(4, 3_000_000)], "amd64")));
    let mut child = import(&node, &[]).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(&whole[..2_000_000]).unwrap();
    node.until("the archive's layer on its way", || {
        fs::read_dir(node.dir.join("lib/content/ingest"))
            .unwrap()
            .flatten()
            .any(|e| e.metadata().is_ok_and(|m| m.len() > 1_000_000))
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(node.ok(&["images", "-q"]), "");
    // The next try finds what is here already; what nobody fetches goes as that of an interrupted pull does.
    let output = give(&node, &whole);
    assert!(output.status.success(), "{output:?}\n{}", node.log());
    node.ok(&["rmi", NAME]);
    node.stop();
    let rows = rusqlite::Connection::open(node.dir.join("lib/meta.db")).unwrap();
    rows.execute("UPDATE lease SET expires = 1", []).unwrap();
    drop(rows);
    node.serve();
    nothing_left(&node, &before, "a client that died");
    node.end();
}
