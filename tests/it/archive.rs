//! Images in one file: from wharf to containerd and back, docker's archives, platforms, names; and containerd's own tools on
//! wharf. What hostile archives get is in `archive_threats`.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    pulls::{holdings, noise, nothing_left},
    support::{
        self,
        archive::{self, File, blob, file, image, index, layout},
        attached_containerd::{Containerd, Version},
        cri::succeeded,
        node::Node,
        registry::{self, Layer},
    },
};

const LAYERED: &str = "127.0.0.1:5000/test/layered:1";

/// A node without a registry, and the base layer of a busybox.
fn lonely(test: &str) -> Option<(Node, Layer)> {
    let node = Node::start(test)?;
    let root = node.dir.join("image");
    support::busybox_root(test, &root).then(|| {
        let base = registry::layer(&root);
        (node, base)
    })
}

fn write(node: &Node, name: &str, bytes: &[u8]) -> String {
    let path = node.dir.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn ok(node: &Node, arguments: &[&str]) -> String {
    succeeded(&format!("wharf {arguments:?}"), &node.wharf(arguments).output().unwrap())
}

fn fails(node: &Node, arguments: &[&str]) -> String {
    let output = node.wharf(arguments).output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn piped(mut command: Command, bytes: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // Who refuses an archive early reads no more of it.
        scope.spawn(move || to.write_all(bytes).ok());
        child.wait_with_output().unwrap()
    })
}

/// A container of the image runs and says what the layers hold.
fn runs(node: &Node, image: &str, script: &str, says: &str) {
    let (container, pod) = node.running("archived", script, |c| c["image"]["image"] = image.into());
    assert_eq!(node.exit_code(&container), 0, "{}", node.log());
    assert_eq!(node.ok(&["logs", &container]), says);
    node.ok(&["rmp", "-f", &pod]);
    // The next one's log begins anew.
    fs::remove_dir_all(node.dir.join("logs/archived")).unwrap();
}

fn until(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !check() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// An image that no other test's registry has, pulled by a node that has one.
fn exporter(test: &str) -> Option<Node> {
    let node = Node::with_registry(test)?;
    let extra = node.dir.join("extra");
    fs::create_dir(&extra).unwrap();
    fs::write(extra.join("word"), "carried\n").unwrap();
    let layers = [registry::layer(&node.dir.join("image")), registry::layer(&extra)];
    node.registry.as_ref().unwrap().push("test/layered", "1", &layers, None);
    node.ok(&["pull", LAYERED]);
    Some(node)
}

#[test]
fn an_image_goes_to_containerd_and_back() {
    let Some(node) = exporter("archive-out") else { return };
    let Some(containerd) = Containerd::start("archive-ctd", Version::New) else { return };
    let [digests, id] = ["repoDigests", "id"].map(|key| node.json(&["inspecti", LAYERED])["status"][key].clone());
    let there = || {
        let output = containerd.crictl(&["inspecti", LAYERED]).output().unwrap();
        serde_json::from_slice(&output.stdout).is_ok_and(|v: Value| v["status"]["id"] == id)
    };
    let first = node.dir.join("first.tar");
    let said = node.wharf(&["images", "export", first.to_str().unwrap(), LAYERED]).output().unwrap();
    succeeded("export", &said);
    assert!(String::from_utf8_lossy(&said.stderr).contains("Exported: 1 image, "));
    let left =
        fs::read_dir(&node.dir).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().contains(".wharf-"));
    assert_eq!(left.count(), 0, "no half file stays");

    // containerd's own importer, both of them.
    containerd.ctr("k8s.io", &["images", "import", first.to_str().unwrap()]);
    until("the image in CRI", there);
    containerd.ok(&["rmi", LAYERED]);
    containerd.ctr("k8s.io", &["images", "import", "--local", first.to_str().unwrap()]);
    until("the image in CRI", there);
    let second = node.dir.join("second.tar");
    containerd.ctr("k8s.io", &["images", "export", "--local", second.to_str().unwrap(), LAYERED]);

    // wharf on containerd, out and in.
    let third = node.dir.join("third.tar");
    containerd.wharf_ok(&["images", "export", third.to_str().unwrap(), LAYERED]);
    containerd.ok(&["rmi", LAYERED]);
    assert_eq!(containerd.wharf_ok(&["images", "import", third.to_str().unwrap()]), format!("Imported: {LAYERED}"));
    until("the image in CRI", there);
    let config = containerd.pod_config("archived");
    let pod = containerd.ok(&["runp", &config]);
    let container = containerd.container_config("archived", "archived", 0, "cat /word");
    let text = fs::read_to_string(&container).unwrap().replace(&containerd.image, LAYERED);
    fs::write(&container, text).unwrap();
    let id = containerd.ok(&["create", &pod, &container, &config]);
    containerd.ok(&["start", &id]);
    until("its end", || containerd.json(&["inspect", &id])["status"]["state"] == "CONTAINER_EXITED");
    assert_eq!(containerd.ok(&["logs", &id]), "carried");
    containerd.end();

    // Back, to a node that reaches no registry.
    let mut node = node;
    node.registry.as_mut().unwrap().kill();
    for archive in [&first, &second, &third] {
        node.ok(&["rmi", LAYERED]);
        assert_eq!(ok(&node, &["images", "import", archive.to_str().unwrap()]), format!("Imported: {LAYERED}"));
        assert_eq!(node.json(&["inspecti", LAYERED])["status"]["repoDigests"], digests, "{}", archive.display());
        runs(&node, LAYERED, "cat /word", "carried");
    }
    node.end();
}

#[test]
fn containerds_tool_works_on_wharf() {
    let Some(node) = exporter("archive-ctr") else { return };
    let Some(programs) = support::containerd_2("archive-ctr") else { return };
    let ctr = |namespace: &str, arguments: &[&str]| {
        let mut command = node.beside(&programs.join("ctr"));
        command.arg("-a").arg(node.dir.join("wharf.sock")).args(["-n", namespace]).args(arguments);
        command.output().unwrap()
    };
    let archive = node.dir.join("image.tar");
    succeeded("ctr export", &ctr("k8s.io", &["images", "export", archive.to_str().unwrap(), LAYERED]));
    node.ok(&["rmi", LAYERED]);
    // What it says of its progress depends on how soon it is done.
    succeeded("ctr import", &ctr("k8s.io", &["images", "import", archive.to_str().unwrap()]));
    runs(&node, LAYERED, "cat /word", "carried");
    let refused = ctr("default", &["images", "import", archive.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ctr -n k8s.io"), "{refused:?}");
    node.end();
}

#[test]
fn a_containerd_without_the_service_is_told_with_what_to_do() {
    let Some(containerd) = Containerd::start("archive-old", Version::Debian) else { return };
    let archive = containerd.dir.join("x.tar");
    fs::write(&archive, archive::tar(&[layout()])).unwrap();
    let error = containerd.wharf_fails(&["images", "import", archive.to_str().unwrap()]);
    assert!(error.contains("containerd 1.") && error.contains("ctr -n k8s.io images import FILE"), "{error}");
    containerd.ok(&["pull", &containerd.image]);
    let error = containerd.wharf_fails(&["images", "export", archive.to_str().unwrap(), &containerd.image]);
    assert!(error.contains("ctr -n k8s.io images export FILE IMAGE"), "{error}");
    containerd.end();
}

/// As docker saved images before it had layouts: directories by old ids, links for layers that are there already.
fn docker_save(base: &Layer, extra: &Layer, tag: &str) -> Vec<u8> {
    let diffs = [&base.diff_id, &extra.diff_id, &base.diff_id];
    let config =
        json!({ "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"] },
        "rootfs": { "type": "layers", "diff_ids": diffs } })
        .to_string();
    let list =
        json!([{ "Config": "0123.json", "RepoTags": [tag], "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"] }]);
    let plain = |layer: &Layer| {
        let gzip = tempfile::NamedTempFile::new().unwrap();
        fs::write(gzip.path(), &layer.bytes).unwrap();
        Command::new("gzip").arg("-dc").stdin(fs::File::open(gzip.path()).unwrap()).output().unwrap().stdout
    };
    let mut all = Vec::new();
    let mut add = |(path, body): File| {
        all.extend(archive::header(&path, b'0', "", body.len() as u64));
        all.extend_from_slice(&body);
        all.resize(all.len().next_multiple_of(512), 0);
    };
    add(file("a/VERSION", "1.0"));
    add(file("a/json", "{}"));
    add(file("a/layer.tar", plain(base)));
    // One that is compressed all the same.
    add(file("b/layer.tar", extra.bytes.clone()));
    add(file("0123.json", config));
    add(file("manifest.json", list.to_string()));
    add(file("repositories", "{}"));
    all.extend(archive::header("c/", b'5', "", 0));
    all.extend(archive::header("c/layer.tar", b'2', "../a/layer.tar", 0));
    archive::end(all)
}

#[test]
fn what_docker_saved_is_imported_however_it_is_compressed() {
    let Some((node, base)) = lonely("archive-docker") else { return };
    let extra = node.dir.join("extra");
    fs::create_dir(&extra).unwrap();
    fs::write(extra.join("word"), "saved\n").unwrap();
    let saved = docker_save(&base, &registry::layer(&extra), "shop/web:3");
    // Docker's names are made whole as docker does.
    let name = "docker.io/shop/web:3";
    let compress = |program: &str| piped(Command::new(program), &saved).stdout;
    let mut ways = vec![("plain", saved.clone()), ("gzip", compress("gzip"))];
    ways.push(("zstd", zstd::encode_all(saved.as_slice(), 3).unwrap()));
    for (way, bytes) in ways {
        let output = piped(node.wharf(&["images", "import", "-"]), &bytes);
        assert_eq!(succeeded(way, &output), format!("Imported: {name}"));
        runs(&node, "shop/web:3", "cat /word", "saved");
        node.ok(&["rmi", name]);
    }
    let error = String::from_utf8_lossy(&piped(node.wharf(&["images", "import", "-"]), b"BZh91AY").stderr).into_owned();
    assert!(error.contains("bzip2"), "{error}");
    node.end();
}

#[test]
fn an_image_without_a_name_needs_one() {
    let Some((node, base)) = lonely("archive-names") else { return };
    let before = holdings(&node.dir.join("lib"));
    let one = image(&[&base], "amd64");
    let with = |name: &str| {
        let mut files = vec![layout(), index(&[(&one.manifest, name)])];
        files.extend(one.files.clone());
        write(&node, "archive.tar", &archive::tar(&files))
    };
    let archive = with("1.2");
    let error = fails(&node, &["images", "import", &archive]);
    assert!(error.contains("has a whole name") && error.contains("--base-name REPOSITORY"), "{error}");
    nothing_left(&node, &before, "an archive without names");
    let said = ok(&node, &["images", "import", &archive, "--base-name", "registry.example.com/shop/web"]);
    assert_eq!(said, "Imported: registry.example.com/shop/web:1.2");
    let archive = with("");
    let said = ok(&node, &["images", "import", &archive, "--base-name", "registry.example.com/other"]);
    assert!(said.starts_with("Imported: registry.example.com/other@sha256:"), "{said}");
    for bad in ["registry.example.com/x:1", "UPPER/x", "x@sha256:0"] {
        let error = fails(&node, &["images", "import", &archive, "--base-name", bad]);
        assert!(error.contains("base name"), "{error}");
    }
    // By its id, and with all its names.
    let id = node.json(&["inspecti", "registry.example.com/shop/web:1.2"])["status"]["id"].as_str().unwrap().to_owned();
    let out = write(&node, "out.tar", b"was here before");
    ok(&node, &["images", "export", &out, &id]);
    assert_eq!(names_in(&out), ["registry.example.com/shop/web:1.2"]);
    // An archive that goes to standard output goes nowhere else.
    let output = node.wharf(&["images", "export", "-", "registry.example.com/shop/web:1.2"]).output().unwrap();
    assert_eq!(output.stdout, fs::read(&out).unwrap());
    let error = fails(&node, &["images", "export", &out, "registry.example.com/nobody:1"]);
    assert!(error.contains("there is no image registry.example.com/nobody:1"), "{error}");
    assert_eq!(names_in(&out).len(), 1, "what was there stays");
    let error = fails(&node, &["--read-only", "images", "import", &archive]);
    assert!(error.contains("--read-only"), "{error}");
    node.end();
}

fn listing(archive: &str, name: &str) -> Value {
    let output = Command::new("tar").args(["-xOf", archive, name]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What `index.json` and docker's `manifest.json` of an archive call its images; they must agree.
fn names_in(archive: &str) -> Vec<String> {
    let index = listing(archive, "index.json");
    let names = index["manifests"].as_array().unwrap().iter();
    let names: Vec<String> =
        names.map(|m| m["annotations"]["io.containerd.image.name"].as_str().unwrap().to_owned()).collect();
    let docker = listing(archive, "manifest.json");
    let tags: Vec<String> = serde_json::from_value(docker[0]["RepoTags"].clone()).unwrap();
    assert_eq!(names, tags);
    names
}

#[test]
fn other_platforms_are_kept_on_demand_only() {
    let Some((node, base)) = lonely("archive-platforms") else { return };
    let (ours, theirs) = (image(&[&base], "amd64"), image(&[&noise(9, 50_000)], "s390x"));
    let entry = |document: &[u8], architecture: &str| {
        let mut entry = archive::describe(document);
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        entry
    };
    let both = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&theirs.manifest, "s390x"), entry(&ours.manifest, "amd64")] })
    .to_string();
    let name = "registry.example.com/both:1";
    let mut files = vec![layout(), index(&[(both.as_bytes(), name)]), blob(both.as_bytes())];
    files.extend(ours.files.clone());
    let half = write(&node, "half.tar", &archive::tar(&files));
    files.extend(theirs.files.clone());
    let whole = write(&node, "whole.tar", &archive::tar(&files));
    let blobs = || fs::read_dir(node.dir.join("lib/content/blobs/sha256")).unwrap().count();
    let out = node.dir.join("out.tar").to_str().unwrap().to_owned();

    ok(&node, &["images", "import", &whole]);
    until("the collection of the rest", || blobs() == 4);
    ok(&node, &["images", "export", &out, name]);
    let error = fails(&node, &["images", "export", "--all-platforms", &out, name]);
    assert!(error.contains("leave --all-platforms away"), "{error}");
    let error = fails(&node, &["images", "import", "--all-platforms", &half]);
    assert!(error.contains("the archive is not whole"), "{error}");

    ok(&node, &["images", "import", "--all-platforms", &whole]);
    ok(&node, &["images", "export", "--all-platforms", &out, name]);
    assert_eq!(listing(&out, "manifest.json").as_array().unwrap().len(), 2);
    ok(&node, &["images", "export", "--platform", "linux/s390x", &out, name]);
    let docker = listing(&out, "manifest.json");
    assert_eq!(docker[0]["Config"], blob(&theirs.config).0);
    let error = fails(&node, &["images", "export", "--platform", "linux/mips", &out, name]);
    assert!(error.contains("no manifest for linux/mips"), "{error}");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(blobs(), 7, "what another platform needs is the image's as well");
    runs(&node, name, "true", "");
    node.ok(&["rmi", name]);
    until("the end of all blobs", || blobs() == 0);
    node.end();
}

#[test]
fn the_embedded_engine_needs_no_daemon() {
    let Some((mut node, base)) = lonely("archive-embedded") else { return };
    node.stop();
    let one = image(&[&base], "amd64");
    let mut files = vec![layout(), index(&[(&one.manifest, "registry.example.com/x:1")])];
    files.extend(one.files);
    let archive = write(&node, "archive.tar", &archive::tar(&files));
    let embedded = |arguments: &[&str]| {
        let mut command = support::in_netns(&node.netns, Path::new(support::WHARF));
        let at = |name: &str| node.dir.join(name);
        command.arg("--embedded").arg("--root").arg(at("lib")).arg("--state").arg(at("run")).args(arguments);
        succeeded(&format!("{arguments:?}"), &command.output().unwrap())
    };
    assert_eq!(embedded(&["images", "import", &archive]), "Imported: registry.example.com/x:1");
    let out: PathBuf = node.dir.join("out.tar");
    embedded(&["images", "export", out.to_str().unwrap(), "registry.example.com/x:1"]);
    assert_eq!(names_in(out.to_str().unwrap()), ["registry.example.com/x:1"]);
    assert_eq!(node.check(&["--deep"])["findings"], json!([]));
    node.serve();
    runs(&node, "registry.example.com/x:1", "true", "");
    node.end();
}

#[test]
fn a_short_name_is_refused_where_a_person_chooses_and_taken_over_cri() {
    let Some((node, base)) = lonely("short-names") else { return };
    for words in [&["pull", "nginx:1"][..], &["run", "team/app", "--", "true"]] {
        let error = fails(&node, words);
        assert!(error.contains("is a short name") && error.contains("docker.io/"), "{error}");
    }
    let list = write(&node, "list", b"nginx\n");
    assert!(fails(&node, &["pull", "-f", &list]).contains("docker.io/library/nginx"));
    // crictl, as the kubelet: the registry is asked, which this node cannot reach.
    let error = node.fails(&["pull", "nginx:1"]);
    assert!(!error.contains("short name") && error.contains("docker.io"), "{error}");
    // What is here is found by its short name, and runs.
    let one = image(&[&base], "amd64");
    let mut files = vec![layout(), index(&[(&one.manifest, "docker.io/library/nginx:1")])];
    files.extend(one.files);
    ok(&node, &["images", "import", &write(&node, "archive.tar", &archive::tar(&files))]);
    runs(&node, "nginx:1", "true", "");
    node.end();
}
