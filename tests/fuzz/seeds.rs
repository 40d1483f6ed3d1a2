//! Good inputs to begin with, and the words of each format.

use std::{io::Write, process::Command};

use serde_json::{Value, json};
use wharf::engine::content::Digest;

pub fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

pub fn tar_entry(name: &str, kind: u8, link: &str, body: &[u8]) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0001750\0");
    put(116, b"0001750\0");
    put(124, format!("{:011o}\0", body.len()).as_bytes());
    put(136, b"14723457777\0");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    put(329, b"0000005\0");
    put(337, b"0000001\0");
    block.extend_from_slice(body);
    block.resize(block.len().next_multiple_of(512), 0);
    super::mutate::seal(&mut block);
    block
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while format!("{length}{rest}").len() != length {
        length += 1;
    }
    format!("{length}{rest}")
}

pub fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut all = entries.concat();
    all.resize(all.len() + 1024, 0);
    all
}

pub fn layers() -> Vec<Vec<u8>> {
    let pax = [
        record("path", "etc/ä/long"),
        record("size", "5"),
        record("uid", "70000"),
        record("mtime", "1700000000.5"),
        record("SCHILY.xattr.user.a", "b"),
        record("linkpath", "x"),
    ];
    let mut base256 = tar_entry("big", b'0', "", b"12345");
    base256[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
    super::mutate::seal(&mut base256);
    vec![
        archive(&[
            tar_entry("etc/", b'5', "", b""),
            tar_entry("etc/file", b'0', "", b"content"),
            tar_entry("etc/link", b'2', "../etc/file", b""),
            tar_entry("etc/hard", b'1', "etc/file", b""),
            tar_entry("etc/.wh.gone", b'0', "", b""),
            tar_entry("etc/.wh..wh..opq", b'0', "", b""),
            tar_entry("pipe", b'6', "", b""),
        ]),
        archive(&[
            tar_entry("x", b'x', "", pax.concat().as_bytes()),
            tar_entry("short", b'0', "", b"hello"),
            tar_entry("g", b'g', "", record("gid", "7").as_bytes()),
            tar_entry("long", b'L', "", "d/".repeat(120).as_bytes()),
            tar_entry("l", b'0', "", b"x"),
            tar_entry("k", b'K', "", b"target\0"),
            tar_entry("link", b'2', "", b""),
            tar_entry("null", b'3', "", b""),
            base256,
        ]),
        archive(&[tar_entry("many", b'0', "", &vec![b'x'; 100_000])]),
        archive(&[]),
    ]
}

pub const TAR: [&[u8]; 14] = [
    b"ustar\x0000",
    b"../",
    b"/",
    b"\0\0\0\0\0\0\0\0",
    b"\x80\0\0\0",
    b"\xff\xff\xff\xff",
    b"0000000\0",
    b"7777777\0",
    b"77777777777\0",
    b"size=",
    b"path=",
    b"GNU.sparse.major=",
    b"SCHILY.xattr.",
    b".wh.",
];

pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(data).unwrap();
    to.finish().unwrap()
}

pub fn compressed() -> Vec<Vec<u8>> {
    let plain = [b"hello hello hello hello".to_vec(), vec![0; 1 << 16], layers().remove(0)];
    let mut all: Vec<Vec<u8>> = plain.iter().map(|p| gzip(p)).collect();
    all.extend(plain.iter().map(|p| zstd::encode_all(p.as_slice(), 1).unwrap()));
    all.push([gzip(b"two"), gzip(b"members")].concat());
    // A frame that decoders pass over.
    all.push([vec![0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4], zstd::encode_all(&b"x"[..], 1).unwrap()].concat());
    all.push(b"plain".to_vec());
    all
}

pub const COMPRESSED: [&[u8]; 7] = [
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"\x50\x2a\x4d\x18",
    b"\xff\xff\xff\xff",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\0\0\xff\xff",
];

pub fn manifests() -> Vec<Value> {
    let descriptor = |name: &str| json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(name), "size": 10 });
    vec![
        json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("c"), "layers": [descriptor("a"), descriptor("b")], "annotations": { "a": "b" } }),
        json!({ "schemaVersion": 2, "config": descriptor("c"),
            "layers": [{ "mediaType": "foreign", "digest": digest("f"), "size": 1, "urls": ["https://h.example/x"] }] }),
    ]
}

pub fn indexes() -> Vec<Value> {
    let entry = |name: &str, architecture: &str, variant: &str| {
        json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(name), "size": 10,
            "platform": { "os": "linux", "architecture": architecture, "variant": variant },
            "annotations": { "org.opencontainers.image.ref.name": name, "io.containerd.image.name": "h.example/x:1" } })
    };
    vec![
        json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [entry("a", "amd64", ""), entry("b", "amd64", "v3"), entry("c", "arm", "v7"), entry("d", "unknown", "")] }),
        json!({ "schemaVersion": 2, "manifests": [] }),
    ]
}

pub const JSON: [&[u8]; 22] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"null",
    b"true",
    b"\\u0000",
    b"\\u001b",
    b"\\ud800",
    b"[[[[[[[[",
    b"schemaVersion",
    b"sha256:",
    b"digest",
    b"layers",
    b"manifests",
    b"config",
    b"mediaType",
    b"platform",
    b"{\"a\":",
];

pub fn configs() -> Vec<Value> {
    vec![
        json!({ "architecture": "amd64", "os": "linux", "config": { "User": "1000:users", "Env": ["PATH=/bin", "A=b"],
            "Entrypoint": ["/bin/sh", "-c"], "Cmd": null, "WorkingDir": "/tmp", "StopSignal": "SIGTERM",
            "Volumes": { "/data": {} }, "Labels": { "a": "b" } },
            "rootfs": { "type": "layers", "diff_ids": [digest("a"), digest("b")] }, "history": [{ "created_by": "x" }] }),
        json!({ "rootfs": { "diff_ids": [] }, "config": null }),
    ]
}

pub fn references() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "busybox",
        "team/app:1",
        "localhost/a",
        "127.0.0.1:5000/a/b:c",
        "[::1]:5000/a",
        "registry.example.com/a__b/c-d.e:V_1.2-3",
    ]
    .map(|t| t.as_bytes().to_vec())
    .to_vec();
    all.push(format!("h.example/x:tag@{}", digest("x")).into_bytes());
    all
}

pub const REFERENCE: [&[u8]; 14] = [
    b"/",
    b":",
    b"@",
    b"@sha256:",
    b"..",
    b"__",
    b"localhost",
    b"docker.io",
    b"index.docker.io",
    b"[::1]",
    b":65536",
    b"-",
    b"%2f",
    b"\xc3\xa4",
];

pub fn challenges() -> Vec<Vec<u8>> {
    [
        r#"Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull""#,
        r#"Basic realm="x""#,
        r#"bearer realm=https://a.example/,scope="a \"quoted\" b",error=insufficient_scope"#,
        "Negotiate",
    ]
    .map(|t| t.as_bytes().to_vec())
    .to_vec()
}

pub const CHALLENGE: [&[u8]; 10] =
    [b"Bearer ", b"Basic ", b"realm=", b"\"", b"\\", b"=", b",", b"scope=", b"service=", b"\t"];

pub fn hosts() -> Vec<Vec<u8>> {
    [
        r#"server = "https://registry.example.com"
ca = ["/etc/ca.pem", "more.pem"]
[host."https://mirror.example.com:5000/v2/proxy"]
  capabilities = ["pull", "resolve", "push"]
  ca = "ca.pem"
  client = [["client.pem", "key.pem"]]
  skip_verify = true
  override_path = true
  dial_timeout = "5s"
  [host."https://mirror.example.com:5000/v2/proxy".header]
    x-a = ["b", "c"]
    x-d = "e"
"#,
        "[host.\"http://10.0.0.1\"]\ncapabilities = [\"pull\"]\n",
        "server = \"registry\"\n",
    ]
    .map(|t| t.as_bytes().to_vec())
    .to_vec()
}

pub const TOML: [&[u8]; 18] = [
    b"server",
    b"[host.\"",
    b"\"]\n",
    b"capabilities",
    b"ca",
    b"client",
    b"skip_verify",
    b"override_path",
    b"dial_timeout",
    b"header",
    b" = ",
    b"[[",
    b"]]",
    b"'''",
    b"\"\"\"",
    b"https://",
    b"1979-05-27T07:32:00Z",
    b"{a=",
];

/// An image layout with one small image, and the same as docker saves it.
pub fn archives() -> Vec<Vec<u8>> {
    let layer = layers().remove(0);
    let machine = Command::new("uname").arg("-m").output().unwrap().stdout;
    let architecture = if machine.starts_with(b"aarch64") { "arm64" } else { "amd64" };
    let config = json!({ "architecture": architecture, "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer)] } })
    .to_string();
    let blob = |data: &[u8]| format!("blobs/sha256/{}", Digest::of(data).hex());
    let describe = |data: &[u8]| json!({ "digest": Digest::of(data), "size": data.len() });
    let manifest =
        json!({ "schemaVersion": 2, "config": describe(config.as_bytes()), "layers": [describe(&layer)] }).to_string();
    let index =
        json!({ "schemaVersion": 2, "manifests": [{ "digest": Digest::of(manifest.as_bytes()), "size": manifest.len(),
        "annotations": { "io.containerd.image.name": "h.example/fuzz:1" } }] })
        .to_string();
    let file = |name: &str, body: &[u8]| tar_entry(name, b'0', "", body);
    let oci = archive(&[
        file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        file(&blob(config.as_bytes()), config.as_bytes()),
        file(&blob(&layer), &layer),
        file(&blob(manifest.as_bytes()), manifest.as_bytes()),
        file("index.json", index.as_bytes()),
    ]);
    let list =
        json!([{ "Config": "abc.json", "RepoTags": ["h.example/fuzz:2"], "Layers": ["1/layer.tar", "2/layer.tar"] }]);
    let twice = json!({ "architecture": architecture, "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer), Digest::of(&layer)] } });
    let docker = archive(&[
        tar_entry("1/", b'5', "", b""),
        file("1/VERSION", b"1.0"),
        file("1/layer.tar", &layer),
        tar_entry("2/layer.tar", b'2', "../1/layer.tar", b""),
        file("abc.json", twice.to_string().as_bytes()),
        file("manifest.json", list.to_string().as_bytes()),
    ]);
    vec![gzip(&oci), oci, docker]
}
