//! A server that answers as a test's script says, in plain HTTP or over TLS: a token server, a host of layers, a proxy, an API
//! server. What the script writes goes out as it stands, so that it can be what no server should send.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use wharf::engine::network::netns;

/// What was asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `GET /v2/ HTTP/1.1`.
    pub line: String,
    /// The other lines of its head, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whether it showed a certificate of the CA that is asked for.
    pub known: bool,
}

impl Asked {
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}

pub enum Said {
    /// As it stands.
    Text(String),
    Bytes(Vec<u8>),
    /// No byte, until the client leaves.
    Nothing,
    /// The tunnel that CONNECT asks for.
    Tunnel,
}

impl Said {
    pub fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        Self::Text(format!(
            "HTTP/1.1 {status} Scripted\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
    }

    pub fn bytes(body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 Scripted\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        Self::Bytes([head.as_bytes(), body].concat())
    }

    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, &[("content-type", "application/json")], &body.to_string())
    }
}

type Script = Arc<dyn Fn(&Asked) -> Said + Send + Sync>;

pub struct Scripted {
    /// `10.9.9.9:5444`.
    pub address: String,
    seen: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    netns: PathBuf,
}

impl Scripted {
    pub fn plain(netns: &Path, address: &str, script: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        Self::start(netns, address, None, Arc::new(script))
    }

    /// Over TLS with this certificate.
    pub fn tls(
        netns: &Path,
        address: &str,
        signed: &Signed,
        script: impl Fn(&Asked) -> Said + Send + Sync + 'static,
    ) -> Self {
        Self::start(netns, address, Some(signed.server()), Arc::new(script))
    }

    fn start(netns: &Path, address: &str, tls: Option<Arc<ServerConfig>>, script: Script) -> Self {
        let listener = netns::inside(netns, || Ok(bind(address))).unwrap();
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let address = listener.local_addr().unwrap().to_string();
        let server = Self { address, seen: Arc::clone(&seen), stop: Arc::clone(&stop), netns: netns.to_owned() };
        let inside = netns.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), tls) = (stream, tls.clone()) else { continue };
                let (script, seen, netns) = (Arc::clone(&script), Arc::clone(&seen), inside.clone());
                // A client that leaves in the middle is what some tests are about.
                thread::spawn(move || drop(serve(stream, tls, &script, &seen, &netns)));
            }
        });
        server
    }

    pub fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

/// The server before may still be closing, and a process that another test is starting holds all sockets until it runs its program.
fn bind(address: &str) -> TcpListener {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            bound => return bound.unwrap_or_else(|e| panic!("listen on {address}: {e}")),
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = netns::inside(&self.netns, || Ok(TcpStream::connect(&self.address).is_ok()));
    }
}

fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    script: &Script,
    seen: &Mutex<Vec<Asked>>,
    netns: &Path,
) -> io::Result<()> {
    // A head that never ends ends the thread.
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let Some(config) = tls else {
        let asked = head(&stream)?;
        seen.lock().unwrap().push(asked.clone());
        return match script(&asked) {
            Said::Tunnel => tunnel(stream, &asked, netns),
            said => answer(&mut &stream, said),
        };
    };
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut asked = head(&mut stream)?;
    asked.known = stream.conn.peer_certificates().is_some();
    seen.lock().unwrap().push(asked.clone());
    answer(&mut stream, script(&asked))?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn head(stream: impl Read) -> io::Result<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let mut asked = Asked { line: lines.next().transpose()?.unwrap_or_default(), ..Asked::default() };
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        asked.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    Ok(asked)
}

fn answer(stream: &mut (impl Read + Write), said: Said) -> io::Result<()> {
    match said {
        Said::Text(text) => stream.write_all(text.as_bytes()),
        Said::Bytes(bytes) => stream.write_all(&bytes),
        // Until it is closed over there.
        Said::Nothing | Said::Tunnel => stream.read(&mut [0]).map(drop),
    }
}

fn tunnel(mut near: TcpStream, asked: &Asked, netns: &Path) -> io::Result<()> {
    let to = asked.path().to_owned();
    let mut far = netns::inside(netns, || Ok(TcpStream::connect(to))).map_err(io::Error::other)??;
    near.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut from, mut back) = (far.try_clone()?, near.try_clone()?);
    thread::spawn(move || drop(io::copy(&mut from, &mut back).and_then(|_| back.shutdown(Shutdown::Write))));
    io::copy(&mut near, &mut far).and_then(|_| far.shutdown(Shutdown::Write))
}

/// A CA of its own, and certificates by it.
pub struct Authority {
    dir: PathBuf,
}

/// A certificate with its key, in PEM files, and the CA.
pub struct Signed {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub ca: PathBuf,
}

impl Authority {
    /// `None` if there is no openssl, which is said.
    pub fn new(test: &str, dir: &Path, name: &str) -> Option<Self> {
        super::program(test, "openssl")?;
        std::fs::create_dir_all(dir).unwrap();
        let all = Self { dir: dir.to_owned() };
        all.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 30 -subj",
            &[&format!("/CN={name}")],
        );
        Some(all)
    }

    /// An authority that this one signed, in a directory of its own.
    pub fn intermediate(&self, directory: &str, name: &str) -> Self {
        let under = Self { dir: self.dir.join(directory) };
        std::fs::create_dir_all(&under.dir).unwrap();
        let constraints = ["-addext", "basicConstraints=critical,CA:TRUE", "-subj", &format!("/CN={name}")];
        under
            .openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.csr", &constraints);
        under.openssl(
            "x509 -req -in ca.csr -CA ../ca.crt -CAkey ../ca.key -CAcreateserial -copy_extensions copy -out ca.crt -days 30",
            &[],
        );
        under
    }

    /// Its own certificate, as authorities publish it.
    pub fn der(&self) -> Vec<u8> {
        self.openssl("x509 -in ca.crt -outform der -out ca.der", &[]);
        std::fs::read(self.dir.join("ca.der")).unwrap()
    }

    pub fn ca(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    /// Takes a certificate back; the list that says so.
    pub fn revoke(&self, signed: &Signed) -> PathBuf {
        let config = "[ca]\ndefault_ca = own\n[own]\ndatabase = index\ncertificate = ca.crt\nprivate_key = ca.key\ndefault_md = sha256\ndefault_crl_days = 10\n";
        std::fs::write(self.dir.join("ca.conf"), config).unwrap();
        std::fs::write(self.dir.join("index"), "").unwrap();
        self.openssl("ca -config ca.conf -revoke", &[signed.certificate.to_str().unwrap()]);
        self.openssl("ca -config ca.conf -gencrl -out ca.crl", &[]);
        self.dir.join("ca.crl")
    }

    fn openssl(&self, arguments: &str, last: &[&str]) {
        let mut command = Command::new("openssl");
        let done = command.current_dir(&self.dir).args(arguments.split(' ')).args(last).output().unwrap();
        assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// For a subject and these alternative names (`IP:10.9.9.9`), valid for so many days.
    pub fn sign(&self, file: &str, subject: &str, names: &str, days: &str) -> Signed {
        self.sign_with(file, subject, &format!("subjectAltName={names}"), days)
    }

    /// With these extensions in place of names, joined by `|`.
    pub fn sign_with(&self, file: &str, subject: &str, extension: &str, days: &str) -> Signed {
        let mut last = vec!["-subj", subject];
        extension.split('|').for_each(|one| last.extend(["-addext", one]));
        self.openssl(
            &format!("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {file}.key -out {file}.csr"),
            &last,
        );
        self.openssl(&format!("x509 -req -in {file}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -copy_extensions copy -out {file}.crt -days {days}"), &[]);
        let path = |end: &str| self.dir.join(format!("{file}.{end}"));
        Signed { certificate: path("crt"), key: path("key"), ca: self.ca() }
    }
}

impl Signed {
    /// Of a server that takes certificates of the same CA, and clients without one as well.
    fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).unwrap()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let clients = clients.allow_unauthenticated().build().unwrap();
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_client_cert_verifier(clients);
        let chain = vec![CertificateDer::from_pem_file(&self.certificate).unwrap()];
        Arc::new(builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(&self.key).unwrap()).unwrap())
    }
}
