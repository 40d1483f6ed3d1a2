//! A registry that answers as a test's script says: it may lie, stall, break off or never end, and remembers every request.
//!
//! Plain HTTP/1.1 on loopback, a thread a connection, one request a connection.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wharf::engine::{content::Digest, network::netns};

use super::registry::Layer;

pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// How many of the same path came before.
    pub number: usize,
    pub at: Instant,
}

#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

#[derive(Clone)]
pub enum Body {
    Bytes(Vec<u8>),
    /// Says that all will come, sends this many and closes.
    Cut(Vec<u8>, usize),
    /// Spaces without end, chunked.
    Endless,
    /// Never a byte, not even the head.
    Silence,
    /// Slowly: this many bytes every 10 ms.
    Slow(Vec<u8>, usize),
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(body.into()) }
    }

    pub fn of(status: u16, body: Body) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// What a registry says of something it does not have.
    pub fn missing() -> Self {
        Self::new(404, r#"{"errors":[{"code":"UNKNOWN","message":"it is not here"}]}"#)
    }
}

type Script = Arc<dyn Fn(&Request) -> Option<Answer> + Send + Sync>;

#[derive(Default)]
struct Shared {
    /// By the first part of a repository's name; what a script leaves open, its image answers.
    repositories: Mutex<BTreeMap<String, (Image, Script)>>,
    seen: Mutex<Vec<Request>>,
    stop: AtomicBool,
}

pub struct Lying {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    netns: std::path::PathBuf,
}

impl Lying {
    /// Listens on loopback in a network namespace.
    pub fn start(netns: &Path) -> Self {
        let listener = netns::inside(netns, || Ok(TcpListener::bind("127.0.0.1:0").unwrap())).unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::new(Shared::default()));
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if all.stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&all)) else { continue };
                // A client that leaves is what some tests are about.
                thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Self { address, shared, netns: netns.to_owned() }
    }

    /// A repository that has `image`, except where the script answers itself. Its reference with the tag `1`.
    pub fn image(
        &self,
        repository: &str,
        image: Image,
        script: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> String {
        self.shared.repositories.lock().unwrap().insert(repository.to_owned(), (image, Arc::new(script)));
        format!("{}/{repository}:1", self.address)
    }

    /// The requests whose path contains the text.
    pub fn seen(&self, text: &str) -> Vec<Request> {
        self.shared.seen.lock().unwrap().iter().filter(|r| r.path.contains(text)).cloned().collect()
    }
}

impl Drop for Lying {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = netns::inside(&self.netns, || Ok(TcpStream::connect(self.address).is_ok()));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(_), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let mut request = Request { path: path.to_owned(), headers: BTreeMap::new(), number: 0, at: Instant::now() };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.trim().split_once(':') {
            request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    {
        let mut seen = shared.seen.lock().unwrap();
        request.number = seen.iter().filter(|r| r.path == request.path).count();
        seen.push(request.clone());
    }
    let repository =
        request.path.trim_start_matches("/v2").trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    let found = shared.repositories.lock().unwrap().get(&repository).cloned();
    let answer = match found {
        Some((image, script)) => script(&request).unwrap_or_else(|| image.answer(&request)),
        None => Answer::missing(),
    };
    write(stream, &answer, shared)
}

fn write(mut stream: &TcpStream, answer: &Answer, shared: &Shared) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    match &answer.body {
        Body::Bytes(bytes) | Body::Cut(bytes, _) | Body::Slow(bytes, _) => {
            head += &format!("Content-Length: {}\r\n\r\n", bytes.len());
        }
        Body::Endless => head += "Transfer-Encoding: chunked\r\n\r\n",
        Body::Silence => {
            while !shared.stop.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(50));
            }
            return Ok(());
        }
    }
    stream.write_all(head.as_bytes())?;
    match &answer.body {
        Body::Bytes(bytes) => stream.write_all(bytes),
        Body::Cut(bytes, length) => stream.write_all(&bytes[..*length]),
        Body::Slow(bytes, piece) => bytes.chunks(*piece).try_for_each(|part| {
            thread::sleep(Duration::from_millis(10));
            stream.write_all(part)
        }),
        Body::Endless => {
            let chunk = [b"10000\r\n".as_slice(), &[b' '; 65536], b"\r\n"].concat();
            while !shared.stop.load(Ordering::SeqCst) {
                stream.write_all(&chunk)?;
            }
            Ok(())
        }
        Body::Silence => Ok(()),
    }
}

/// What an honest registry would give: documents and blobs by the end of their paths.
#[derive(Clone, Default)]
pub struct Image {
    /// `manifests/1` or `blobs/sha256:…` with the content type.
    pub documents: BTreeMap<String, (String, Vec<u8>)>,
    /// The layers' digests, in order.
    pub layers: Vec<String>,
    pub config: String,
    pub manifest: String,
}

impl Image {
    /// An image of gzip layers for this machine.
    pub fn new(layers: &[Layer]) -> Self {
        Self::with(layers, |_| (), |_| ())
    }

    /// The same after changes to its configuration and its manifest.
    pub fn with(layers: &[Layer], config: impl FnOnce(&mut Value), manifest: impl FnOnce(&mut Value)) -> Self {
        let mut image = Self::default();
        let diffs: Vec<_> = layers.iter().map(|l| l.diff_id.as_str()).collect();
        let mut document = json!({ "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/bin/sh"] },
            "rootfs": { "type": "layers", "diff_ids": diffs } });
        config(&mut document);
        let mut blob = |bytes: &[u8], kind: &str| {
            let digest = Digest::of(bytes).to_string();
            image.documents.insert(format!("blobs/{digest}"), (kind.to_owned(), bytes.to_vec()));
            json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
        };
        let config = blob(document.to_string().as_bytes(), "application/vnd.oci.image.config.v1+json");
        let all: Vec<_> =
            layers.iter().map(|l| blob(&l.bytes, "application/vnd.oci.image.layer.v1.tar+gzip")).collect();
        image.config = config["digest"].as_str().unwrap().to_owned();
        image.layers = all.iter().map(|l| l["digest"].as_str().unwrap().to_owned()).collect();
        let mut document = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": all });
        manifest(&mut document);
        image.manifest = image.document(MANIFEST, document.to_string().as_bytes());
        image.tag(MANIFEST, document.to_string().as_bytes());
        image
    }

    /// Adds a document under its digest, which it returns.
    pub fn document(&mut self, kind: &str, bytes: &[u8]) -> String {
        let digest = Digest::of(bytes).to_string();
        self.documents.insert(format!("manifests/{digest}"), (kind.to_owned(), bytes.to_vec()));
        digest
    }

    /// What the tag `1` points at.
    pub fn tag(&mut self, kind: &str, bytes: &[u8]) {
        self.documents.insert("manifests/1".to_owned(), (kind.to_owned(), bytes.to_vec()));
    }

    pub fn blob(&self, digest: &str) -> Vec<u8> {
        self.documents[&format!("blobs/{digest}")].1.clone()
    }

    fn answer(&self, request: &Request) -> Answer {
        let Some((_, (kind, bytes))) = self.documents.iter().find(|(path, _)| request.path.ends_with(*path)) else {
            return Answer::missing();
        };
        let from = request.headers.get("range").and_then(|r| {
            r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok().filter(|from| *from < bytes.len())
        });
        let answer = match from {
            Some(from) => Answer::new(206, &bytes[from..])
                .header("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())),
            None => Answer::new(200, bytes.as_slice()),
        };
        answer.header("Content-Type", kind)
    }
}
