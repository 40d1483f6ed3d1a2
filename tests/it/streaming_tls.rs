//! Streams over TLS: crictl and wharf as clients, a certificate that is renewed while the engine runs.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

use wharf::engine::network::netns;

use crate::{
    streaming::until,
    support::{
        node::{IMAGE, Node},
        program,
    },
};

/// A certificate of its own for this machine, of the name given: `tls.crt` and `tls.key`.
fn certificate(dir: &Path, name: &str) {
    let line = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout new.key -out new.crt -days 2 -subj /CN={name} \
         -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    );
    let made = Command::new("openssl").args(line.split_whitespace()).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for file in ["key", "crt"] {
        fs::rename(dir.join(format!("new.{file}")), dir.join(format!("tls.{file}"))).unwrap();
    }
}

fn flags(dir: &Path) -> Vec<String> {
    let file = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    vec!["--tls-cert".into(), file("tls.crt"), "--tls-key".into(), file("tls.key")]
}

/// Whose certificate is shown on the streaming port.
fn shown(node: &Node, port: u16) -> String {
    let mut command = crate::support::in_netns(&node.netns, Path::new("openssl"));
    let target = format!("127.0.0.1:{port}");
    let output = command.args(["s_client", "-connect", &target]).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let subject = text.lines().find_map(|l| l.strip_prefix("subject=")).unwrap_or_default();
    subject.split('=').next_back().unwrap_or_default().trim().to_owned()
}

#[test]
fn streams_are_encrypted_and_the_certificate_may_change() {
    if program("tls", "openssl").is_none() {
        return;
    }
    let Some(mut node) = Node::with_registry("tls") else { return };
    node.ok(&["pull", IMAGE]);
    let (container, pod) = node.running("c", "while true; do echo hello | nc -l -p 8080 >/dev/null; done", |_| ());
    certificate(&node.dir, "first");
    node.stop();
    node.flags = flags(&node.dir);
    node.serve();
    let info = node.json(&["info"]);
    assert_eq!(info["config"]["enableTLSStreaming"], true, "{info}");
    // crictl wants to show a certificate too; nobody asks for it.
    let file = |name: &str| node.dir.join(name).to_str().unwrap().to_owned();
    let (ca, key) = (file("tls.crt"), file("tls.key"));
    let own = ["--tls-ca", &ca, "--tls-cert", &ca, "--tls-key", &key];
    for transport in ["spdy", "websocket"] {
        let script = ["sh", "-c", "cat; echo err >&2; exit 3"];
        let arguments = [&["exec", "-i", "--transport", transport][..], &own, &[container.as_str()], &script].concat();
        let mut child = node
            .crictl_command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever ends early says why on stderr.
        let _ = child.stdin.take().unwrap().write_all(&[b'x'; 100_000]);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.stdout == [b'x'; 100_000] && said.contains("err") && said.contains("exit code 3"),
            "{transport}: {said}"
        );
        // wharf takes the certificate that the runtime shows, as the kubelet does.
        let mut command =
            node.wharf_command(&["exec", "--transport", transport, &container, "sh", "-c", "echo out; exit 4"]);
        let output = command.output().unwrap();
        assert_eq!(
            (output.stdout.as_slice(), output.status.code()),
            (&b"out\n"[..], Some(4)),
            "{transport}: {output:?}"
        );
        let port = if transport == "spdy" { 18_081 } else { 18_082 };
        let mut forward =
            node.wharf_command(&["port-forward", "--transport", transport, &pod, &format!("{port}:8080")]);
        let mut forward = forward.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("a forwarded port", || netns::inside(&node.netns, || Ok(said_on(port))).unwrap() == "hello\n");
        forward.kill().unwrap();
        forward.wait().unwrap();
    }
    // Another authority does not vouch for it; without TLS nothing is said.
    fs::create_dir(node.dir.join("other")).unwrap();
    certificate(&node.dir.join("other"), "other");
    let other = node.dir.join("other/tls.crt").to_str().unwrap().to_owned();
    let refused = node.fails(&["exec", "--tls-ca", &other, "--tls-cert", &ca, "--tls-key", &key, &container, "true"]);
    assert!(refused.contains("certificate"), "{refused}");
    let port = listening(&node);
    let answer = netns::inside(&node.netns, || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"GET /exec/x HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        // It may be reset.
        let _ = stream.read_to_end(&mut answer);
        Ok(answer)
    });
    assert!(!String::from_utf8_lossy(&answer.unwrap()).contains("HTTP"));
    // Renewed while the engine runs. A pair that does not match changes nothing.
    assert_eq!(shown(&node, port), "first");
    fs::copy(node.dir.join("other/tls.crt"), node.dir.join("tls.crt")).unwrap();
    assert_eq!(shown(&node, port), "first");
    until("a word of the pair", || node.log().contains("go on with the last good certificate"));
    certificate(&node.dir, "second");
    assert_eq!(shown(&node, port), "second");
    node.ok(&[&["exec"][..], &own, &[container.as_str(), "true"]].concat());
    node.end();
}

fn said_on(port: u16) -> String {
    let mut text = [0; 6];
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        // Nothing may have come, or nobody have listened yet.
        let _ = stream.set_read_timeout(Some(std::time::Duration::from_secs(2)));
        let _ = stream.read_exact(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The streaming port, as the log has it.
fn listening(node: &Node) -> u16 {
    let log = node.log();
    let line = log.lines().rfind(|l| l.contains("streaming") && l.contains("address")).unwrap();
    let plain: String = line.split('\u{1b}').map(|p| p.split_once('m').map_or(p, |(_, rest)| rest)).collect();
    let digits = plain.split("127.0.0.1:").nth(1).unwrap();
    digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn an_engine_without_its_certificate_does_not_stream_in_clear() {
    if !crate::support::root("no-certificate") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tls.key"), "no key").unwrap();
    fs::write(
        dir.path().join("config.toml"),
        "version = 3\n[plugins.'io.containerd.grpc.v1.cri']\nenable_tls_streaming = true\n",
    )
    .unwrap();
    let place = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let serve = |more: &[String]| {
        let places = [place("lib"), place("run"), place("w.sock")];
        let mut command = Command::new(crate::support::WHARF);
        command.args(["serve", "--root", &places[0], "--state", &places[1], "--listen", &places[2]]).args(more);
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = serve(&flags(dir.path()));
    assert!(said.contains(&place("tls.crt")) && said.contains("read PEM from"), "{said}");
    let said = serve(&["--config".to_owned(), place("config.toml")]);
    assert!(said.contains("no certificate: set --tls-cert and --tls-key"), "{said}");
    let said = serve(&flags(dir.path())[..2]);
    assert!(said.contains("--tls-key"), "{said}");
}
