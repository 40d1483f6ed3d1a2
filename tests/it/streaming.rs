//! Exec, attach and port-forward through the real crictl, over both transports, with the threats of section STR.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use wharf::engine::network::netns;

use crate::support::{
    node::{IMAGE, Node},
    pty::Pty,
};

const TRANSPORTS: [&str; 2] = ["spdy", "websocket"];

pub fn until(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !check() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        thread::sleep(Duration::from_millis(30));
    }
}

/// A node that has the image.
pub fn node(test: &str) -> Option<Node> {
    let node = Node::with_registry(test)?;
    node.ok(&["pull", IMAGE]);
    Some(node)
}

/// crictl's output and whether it succeeded, with bytes for its input.
fn feed(node: &Node, arguments: &[&str], input: &[u8]) -> std::process::Output {
    let mut child = node
        .crictl_command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A command that ends early does not take it all.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    })
}

#[test]
fn str_14_streams_are_apart_and_exit_codes_exact() {
    let Some(node) = node("exec") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    for transport in TRANSPORTS {
        let run = |script: &str| node.crictl(&["exec", "--transport", transport, &container, "sh", "-c", script]);
        let output = run("echo out; echo err >&2; printf '\\033[31m\\000\\377'");
        assert!(output.status.success(), "{transport}: {output:?}");
        assert_eq!(output.stdout, b"out\n\x1b[31m\0\xff", "{transport}");
        assert_eq!(output.stderr, b"err\n", "{transport}");
        for code in [1, 126, 127, 137, 143, 255] {
            let output = run(&format!("exit {code}"));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && said.contains(&format!("exit code {code}")), "{transport}: {said}");
        }
        for (script, code) in
            [("kill -9 $$", 137), ("kill -15 $$", 143), ("/no/such/program", 127), ("/etc/passwd", 126)]
        {
            let said = String::from_utf8_lossy(&run(script).stderr).into_owned();
            assert!(said.contains(&format!("exit code {code}")), "{transport} {script}: {said}");
        }
        let missing = node.fails(&["exec", "--transport", transport, &container, "/no/such/program"]);
        assert!(missing.contains("/no/such/program"), "{transport}: {missing}");
    }
    node.end();
}

#[test]
fn str_09_bytes_go_through_unchanged_and_half_close_is_told() {
    let Some(node) = node("bytes") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    let mut noise = vec![0; 100 << 20];
    fs::File::open("/dev/urandom").unwrap().read_exact(&mut noise).unwrap();
    for transport in TRANSPORTS {
        let begun = Instant::now();
        let output = feed(&node, &["exec", "-i", "--transport", transport, &container, "cat"], &noise);
        assert!(output.status.success(), "{transport}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout == noise, "{transport}: {} bytes came back", output.stdout.len());
        eprintln!("{transport}: 100 MiB there and back in {:?}", begun.elapsed());
        let begun = Instant::now();
        let output =
            node.crictl(&["exec", "--transport", transport, &container, "head", "-c", "104857600", "/dev/zero"]);
        assert_eq!(output.stdout.len(), 100 << 20, "{transport}");
        eprintln!("{transport}: 100 MiB out in {:?}", begun.elapsed());
        // It ends though its input does not, and what it does not read is no obstacle.
        let output =
            feed(&node, &["exec", "-i", "--transport", transport, &container, "head", "-c", "3"], &noise[..1 << 20]);
        assert_eq!(output.stdout, noise[..3], "{transport}");
    }
    node.end();
}

#[test]
fn a_terminal_has_its_size_and_its_keys() {
    let Some(node) = node("tty") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    for transport in TRANSPORTS {
        let mut command = node.crictl_command(&["exec", "-it", "--transport", transport, &container, "sh"]);
        command.env("TERM", "xterm");
        let mut terminal = Pty::spawn(&command, 91, 33);
        terminal.wait_for("#");
        terminal.keys("stty size\n");
        terminal.wait_for("33 91");
        terminal.resize(120, 40);
        until("the new size", || {
            terminal.keys("stty size\n");
            thread::sleep(Duration::from_millis(200));
            terminal.text().contains("40 120")
        });
        terminal.keys("sleep 1000\n");
        thread::sleep(Duration::from_millis(300));
        terminal.keys("\x03");
        terminal.keys("echo co''ming; exit 3\n");
        let (status, text) = terminal.end();
        assert!(!status.success() && text.contains("coming") && text.contains("exit code 3"), "{transport}: {text}");
    }
    node.end();
}

/// runc makes its terminals itself.
#[test]
fn a_terminal_of_runc_has_its_size_and_its_keys() {
    let Some(node) = node("tty-runc") else { return };
    let pod_config = node.pod_config("c", |_| ());
    let pod = node.ok(&["runp", "--runtime", "runc", &pod_config]);
    let config = node.container_config("c", "tty; read word; echo got $word; sleep 1000", |c| {
        (c["tty"], c["stdin"]) = (true.into(), true.into());
    });
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    let mut attached = Pty::spawn(&node.crictl_command(&["attach", "-it", &container]), 80, 24);
    until("the container's own terminal", || {
        attached.keys("word\n");
        thread::sleep(Duration::from_millis(200));
        node.ok(&["logs", &container]).contains("got word")
    });
    assert!(node.ok(&["logs", &container]).contains("/dev/"), "it has no terminal");
    let mut command = node.crictl_command(&["exec", "-it", &container, "sh"]);
    command.env("TERM", "xterm");
    let mut terminal = Pty::spawn(&command, 91, 33);
    terminal.wait_for("#");
    until("the size", || {
        terminal.keys("stty size\n");
        thread::sleep(Duration::from_millis(300));
        terminal.text().contains("33 91")
    });
    terminal.resize(120, 40);
    until("the new size", || {
        terminal.keys("stty size\n");
        thread::sleep(Duration::from_millis(300));
        terminal.text().contains("40 120")
    });
    terminal.keys("sleep 1000\n");
    thread::sleep(Duration::from_millis(500));
    terminal.keys("\x03");
    terminal.keys("echo co''ming; exit 3\n");
    let (status, text) = terminal.end();
    assert!(!status.success() && text.contains("coming") && text.contains("exit code 3"), "{text}");
    node.ok(&["rmp", "-f", &pod]);
    attached.end();
    node.end();
}

#[test]
fn attach_carries_input_and_output_of_the_container_itself() {
    let Some(node) = node("attach") else { return };
    for transport in TRANSPORTS {
        let echo = "while read line; do echo got $line; echo to err >&2; done; echo end";
        let (once, _) = node.running(&format!("once-{transport}"), echo, |c| {
            c["stdin"] = true.into();
            c["stdin_once"] = true.into();
        });
        let output = feed(&node, &["attach", "-i", "--transport", transport, &once], b"one\ntwo\n");
        assert!(output.status.success(), "{transport}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "got one\ngot two\nend\n", "{transport}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "to err\nto err\n", "{transport}");
        until("its end", || node.json(&["inspect", &once])["status"]["state"] == "CONTAINER_EXITED");
        assert_eq!(node.ok(&["logs", &once]).matches("got").count(), 2);

        let (open, _) = node.running(&format!("open-{transport}"), echo, |c| c["stdin"] = true.into());
        for word in ["first", "second"] {
            let mut child = node
                .crictl_command(&["attach", "-i", "--transport", transport, &open])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let mut stdout = child.stdout.take().unwrap();
            // Attached when it answers; what was typed before would go to the container all the same.
            stdin.write_all(format!("{word}\n").as_bytes()).unwrap();
            let mut said = vec![0; 5 + word.len()];
            stdout.read_exact(&mut said).unwrap();
            assert_eq!(said, format!("got {word}\n").as_bytes()[..said.len()], "{transport}");
            drop(stdin);
            assert!(child.wait().unwrap().success());
            assert_eq!(node.json(&["inspect", &open])["status"]["state"], "CONTAINER_RUNNING");
        }
        let (shell, _) = node.running(&format!("tty-{transport}"), "exec sh", |c| {
            c["stdin"] = true.into();
            c["tty"] = true.into();
        });
        let mut terminal =
            Pty::spawn(&node.crictl_command(&["attach", "-it", "--transport", transport, &shell]), 77, 22);
        until("the size", || {
            terminal.keys("stty size\n");
            thread::sleep(Duration::from_millis(200));
            terminal.text().contains("22 77")
        });
        terminal.keys("exit\n");
        assert!(terminal.end().0.success());
    }
    let error = node.fails(&["attach", "0123456789abcdef"]);
    assert!(error.contains("not found"), "{error}");
    node.end();
}

/// A port-forward that runs, and the local port.
struct Forwarding(Child, u16);

impl Forwarding {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        // The rest is read, so that it can be written.
        thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
        let port = line.split(" -> ").next().and_then(|at| at.rsplit(':').next()?.parse().ok());
        Self(child, port.unwrap_or_else(|| panic!("no port in {line:?}")))
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Answers with what it gets, in a network namespace, until the test ends.
fn serve_echo(netns: &Path, address: &str) {
    let listener = netns::inside(netns, || Ok(TcpListener::bind(address).unwrap())).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut back = stream.try_clone().unwrap();
                let _ = std::io::copy(&mut &stream, &mut back).and_then(|_| back.shutdown(Shutdown::Write));
            });
        }
    });
}

/// Sends bytes to a local port, closes that side, and reads what comes back.
fn echo(port: u16, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut other = stream.try_clone()?;
    thread::scope(|scope| {
        let send = scope.spawn(move || other.write_all(bytes).and_then(|()| other.shutdown(Shutdown::Write)));
        let mut back = Vec::new();
        stream.read_to_end(&mut back)?;
        send.join().unwrap()?;
        Ok(back)
    })
}

#[test]
fn str_10_ports_are_forwarded_many_at_once_and_half_closed() {
    let Some(node) = node("forward") else { return };
    let pod = node.ok(&["runp", &node.pod_config("server", |_| ())]);
    let inside = node.json(&["inspectp", &pod])["info"]["netns"].as_str().unwrap().to_owned();
    serve_echo(Path::new(&inside), "127.0.0.1:8080");
    serve_echo(Path::new(&inside), "[::1]:8081");
    let network = |p: &mut serde_json::Value| {
        p["linux"]["security_context"] = serde_json::json!({ "namespace_options": { "network": 2 } });
    };
    let on_host = node.ok(&["runp", &node.pod_config("host", network)]);
    serve_echo(&node.netns, "127.0.0.1:8082");
    let noise: Vec<u8> = (0..4_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for who in ["crictl", "wharf"] {
        let command = |arguments: &[&str]| match who {
            "crictl" => node.crictl_command(arguments),
            _ => node.wharf_command(arguments),
        };
        for transport in TRANSPORTS {
            for (pod, port) in [(&pod, ":8080"), (&pod, ":8081"), (&on_host, ":8082")] {
                let forward = Forwarding::start(command(&["port-forward", "--transport", transport, pod, port]));
                let what = format!("{who} {transport} {port}");
                netns::inside(&node.netns, || {
                    until(&what, || echo(forward.1, b"ahoy").is_ok_and(|b| b == b"ahoy"));
                    assert!(echo(forward.1, &noise).unwrap() == noise, "{what}");
                    Ok(())
                })
                .unwrap();
            }
            let forward = Forwarding::start(command(&["port-forward", "--transport", transport, &pod, ":8080"]));
            netns::inside(&node.netns, || {
                thread::scope(|scope| {
                    let all: Vec<_> = (0..100_u8)
                        .map(|n| scope.spawn(move || (n, echo(forward.1, &vec![n; 50_000]).unwrap())))
                        .collect();
                    for one in all {
                        let (n, back) = one.join().unwrap();
                        assert!(back == vec![n; 50_000], "{who} {transport}: {n}: {} bytes", back.len());
                    }
                });
                Ok(())
            })
            .unwrap();
        }
    }
    let mut refused = node.wharf_command(&["port-forward", &pod, ":8080", ":9"]);
    refused.stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut child = refused.spawn().unwrap();
    let ports: Vec<u16> = BufReader::new(child.stdout.as_mut().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter(|l| l.contains("127.0.0.1"))
        .filter_map(|l| l.split(" -> ").next()?.rsplit(':').next()?.parse().ok())
        .take(2)
        .collect();
    netns::inside(&node.netns, || {
        assert_eq!(echo(ports[1], b"x").unwrap_or_default(), b"");
        assert_eq!(echo(ports[0], b"still there").unwrap(), b"still there");
        Ok(())
    })
    .unwrap();
    let said = BufReader::new(child.stderr.as_mut().unwrap()).lines().map_while(Result::ok).next().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.contains("port 9") && said.contains("refused"), "{said}");
    assert!(node.fails(&["port-forward", "0123456789abcdef", ":80"]).contains("not found"));
    node.end();
}

#[test]
fn our_own_verbs_do_what_crictls_do() {
    let Some(node) = node("verbs-stream") else { return };
    let (container, _) = node.running("c", "while read line; do echo got $line; done; echo end", |c| {
        c["stdin"] = true.into();
        c["stdin_once"] = true.into();
    });
    let mut noise = vec![0; 20 << 20];
    fs::File::open("/dev/urandom").unwrap().read_exact(&mut noise).unwrap();
    for transport in TRANSPORTS {
        let command = |arguments: &[&str]| {
            let mut all = vec![arguments[0], "--transport", transport];
            all.extend(&arguments[1..]);
            node.wharf_command(&all)
        };
        let output = command(&["exec", &container, "sh", "-c", "echo out; echo err >&2; exit 7"]).output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{transport}: {output:?}");
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]), "{transport}");
        let mut child =
            command(&["exec", "-i", &container, "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            let noise = &noise;
            scope.spawn(move || stdin.write_all(noise).unwrap());
            child.wait_with_output().unwrap()
        });
        assert!(output.stdout == noise, "{transport}: {} bytes", output.stdout.len());
        let mut terminal = Pty::spawn(&command(&["exec", "-it", &container, "sh"]), 81, 23);
        terminal.wait_for("#");
        terminal.keys("stty size\n");
        terminal.wait_for("23 81");
        terminal.keys("exit 5\n");
        assert_eq!(terminal.end().0.code(), Some(5), "{transport}");
    }
    let missing = node.wharf_command(&["exec", &container, "/no/such"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/no/such"));
    let mut child = node.wharf_command(&["attach", "-i", &container]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"ahoy\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "got ahoy\nend\n");
    node.end();
}
