//! What may go wrong with exec, attach and port-forward: section STR of the threats, each row by its id.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use wharf::{
    client::{
        Cri, Output, Runtime,
        sessions::AttachRequest,
        types::{ExecRequest, ExecResult},
    },
    engine::network::netns,
    error::{Kind, Result},
    proto::cri,
};

use super::streaming::{node, until};
use crate::support::node::Node;

fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

/// The URL of an exec that nobody has used.
async fn exec_url(client: &Cri, container: &str) -> Result<String> {
    let request = cri::ExecRequest {
        container_id: container.to_owned(),
        cmd: command(&["true"]),
        stdout: true,
        ..Default::default()
    };
    Ok(client.runtime_service().exec(request).await?.into_inner().url)
}

/// Sends a request's head and returns the answer's status and body.
fn ask(url: &str, path: Option<&str>, headers: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, own) = rest.split_once('/').unwrap();
    let own = format!("/{own}");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    write!(stream, "GET {} HTTP/1.1\r\n{host}{headers}\r\n", path.unwrap_or(&own)).unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n";

fn fds(pid: u64) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let mut all: Vec<String> =
        entries.filter_map(|e| Some(fs::read_link(e.path()).ok()?.to_string_lossy().into_owned())).collect();
    all.sort();
    all
}

/// Pipes, terminals and sockets that a process holds.
fn held(pid: u64) -> usize {
    fds(pid).iter().filter(|f| f.starts_with("pipe:") || f.starts_with("socket:") || f.contains("pt")).count()
}

/// Megabytes of a process, as its status calls them.
fn memory(pid: u64, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

fn shim(node: &Node, pod: &str) -> u64 {
    node.json(&["inspectp", pod])["info"]["shimPid"].as_u64().unwrap()
}

/// Whether a process with this argument runs.
fn runs(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|e| fs::read(e.path().join("cmdline")).ok())
        .any(|line| line.split(|b| *b == 0).any(|word| word == argument.as_bytes()))
}

#[test]
fn str_01_str_02_urls_work_once_for_no_browser_and_on_loopback_only() {
    let Some(node) = node("tokens") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    node.with_client(async |client| {
        let url = exec_url(&client, &container).await.unwrap();
        for (headers, why) in [("Origin: http://evil.example\r\n", "a page"), ("Host: evil.example", "a name")] {
            let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
            let headers = headers.replace("evil.example", &format!("evil.example:{port}\r\n"));
            let headers = headers.replace("\r\n\r\n", "\r\n");
            assert_eq!(ask(&url, None, &format!("{headers}{UPGRADE}")).0, 403, "{why}");
        }
        assert_eq!(ask(&url, None, UPGRADE).0, 101, "a refused visitor uses nothing up");
        let replay = ask(&url, None, UPGRADE);
        assert_eq!(replay.0, 404);
        for path in ["/exec/00000000000000000000000000000000", "/exec/x", "/exec/", "/", "/metrics", "/exec/../exec/x"]
        {
            assert_eq!(ask(&url, Some(path), UPGRADE), replay, "{path}: the answer tells nothing");
        }
        let other = exec_url(&client, &container).await.unwrap().replace("/exec/", "/attach/");
        assert_eq!(ask(&other, None, UPGRADE), replay);
        // What is no upgrade is refused, and has used the token.
        let plain = exec_url(&client, &container).await.unwrap();
        assert_eq!((ask(&plain, None, "").0, ask(&plain, None, UPGRADE).0), (400, 404));
        let strange = exec_url(&client, &container).await.unwrap();
        let spdy = "Connection: upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v9.channel.k8s.io\r\n";
        let (status, text) = ask(&strange, None, spdy);
        assert!(status == 403 && text.contains("v4.channel.k8s.io"), "{status} {text}");
        let mut error = None;
        for _ in 0..=1000 {
            if let Err(refused) = exec_url(&client, &container).await {
                error = Some(refused);
                break;
            }
        }
        assert!(error.is_some_and(|e| e.is(Kind::ResourceExhausted)), "1001 tokens were given out");
    });
    let table = |name: &str| fs::read_to_string(format!("/proc/{}/net/{name}", node.engine())).unwrap();
    let listening = |table: &str| -> Vec<String> {
        let lines = table.lines().skip(1).map(|l| l.split_whitespace().collect::<Vec<_>>());
        lines.filter(|w| w[3] == "0A").map(|w| w[1].split(':').next().unwrap().to_owned()).collect()
    };
    let v4 = listening(&table("tcp"));
    assert!(!v4.is_empty() && v4.iter().all(|a| a == "0100007F"), "listening on {v4:?}");
    assert_eq!(listening(&table("tcp6")), Vec::<String>::new());
    node.end();
}

#[test]
fn str_03_exec_sync_keeps_16_mib_and_drains_the_rest() {
    let Some(node) = node("capped") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    let engine = node.engine().into();
    let before = memory(engine, "VmHWM");
    let script = "head -c 1073741824 /dev/zero; echo done >&2; exit 3";
    let words = command(&["sh", "-c", script]);
    let done =
        node.with_client(async |client| client.exec_sync(&container, &words, Duration::from_secs(120)).await).unwrap();
    assert_eq!((done.stdout.len(), done.code, done.stderr.as_slice()), (16 << 20, 3, &b"done\n"[..]));
    let grown = memory(engine, "VmHWM") - before;
    eprintln!("1 GiB of output took {grown} MiB of the engine");
    assert!(grown <= 64, "{grown} MiB");
    assert!(node.log().contains("was truncated at 16 MiB"), "{}", node.log());
    node.end();
}

#[test]
fn str_04_a_background_child_holds_no_exec_sync() {
    let Some(node) = node("held") else { return };
    let (container, pod) = node.running("c", "sleep 1000", |_| ());
    let (engine, shim) = (node.engine().into(), shim(&node, &pod));
    let one = async |client: &Cri, n: u32| -> ExecResult {
        let script = format!("sleep 1{n:04} & echo hi");
        client.exec_sync(&container, &command(&["sh", "-c", &script]), Duration::ZERO).await.unwrap()
    };
    node.with_client(async |client| drop(one(&client, 0).await));
    let before = (held(engine), held(shim));
    let begun = Instant::now();
    node.with_client(async |client| {
        for batch in 0..4 {
            let all = (0..50).map(|n| one(&client, batch * 50 + n));
            for done in futures::future::join_all(all).await {
                assert_eq!((done.stdout.as_slice(), done.code), (&b"hi\n"[..], 0));
            }
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(60), "200 took {:?}", begun.elapsed());
    until("the streams to be closed", || (held(engine), held(shim)) <= before);
    node.end();
}

#[test]
fn exec_sync_is_killed_at_its_time_and_when_its_caller_goes() {
    let Some(node) = node("killed") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    let error = node.with_client(async |client| {
        client.exec_sync(&container, &command(&["sleep", "33001"]), Duration::from_secs(1)).await.unwrap_err()
    });
    assert!(error.is(Kind::DeadlineExceeded), "{error:?}");
    until("its end", || !runs("33001"));
    let mut caller = node.crictl_command(&["exec", "-s", &container, "sleep", "33002"]).spawn().unwrap();
    until("its start", || runs("33002"));
    caller.kill().unwrap();
    caller.wait().unwrap();
    until("its end", || !runs("33002"));
    node.end();
}

/// How many of a process' descriptors are of this kind.
fn kind(pid: u64, kind: &str) -> usize {
    fds(pid).iter().filter(|f| f.contains(kind)).count()
}

#[test]
fn str_05_commands_that_do_not_start_leave_nothing() {
    let Some(node) = node("leaks") else { return };
    let (container, pod) = node.running("c", "sleep 1000", |_| ());
    let (engine, shim) = (node.engine().into(), shim(&node, &pod));
    let missing = async |client: &Cri, tty: bool| {
        let request =
            ExecRequest { container: container.clone(), command: command(&["/no/such/program"]), tty, stdin: true };
        let mut session = client.exec_over(&request, None).await.unwrap();
        loop {
            match session.recv().await {
                Ok(Output::Exit(code)) => panic!("it ran and exited with {code}"),
                Ok(_) => {}
                Err(error) => return assert!(error.is(Kind::Internal), "{error:?}"),
            }
        }
    };
    node.with_client(async |client| missing(&client, true).await);
    let before = (held(engine), held(shim), fs::read_dir(format!("/proc/{engine}/task")).unwrap().count());
    node.with_client(async |client| {
        for n in 0..200 {
            missing(&client, n % 2 == 0).await;
        }
    });
    until("the streams to be closed", || held(engine) <= before.0 && held(shim) <= before.1);
    let tasks = fs::read_dir(format!("/proc/{engine}/task")).unwrap().count();
    assert!(tasks <= before.2 + 16, "{tasks} threads, {} before", before.2);
    node.end();
}

#[test]
fn str_12_a_terminal_is_given_back_at_the_end() {
    let Some(node) = node("terminals") else { return };
    for handler in super::requests::handlers("terminals") {
        let config = node.pod_config(&format!("p{handler}"), |_| ());
        let pod = node.ok(&["runp", "-r", handler, &config]);
        let shell = node.container_config("c", "sh", |c| {
            c["tty"] = true.into();
            c["stdin"] = true.into();
        });
        let container = node.ok(&["create", &pod, &shell, &config]);
        node.ok(&["start", &container]);
        let (engine, shim) = (node.engine().into(), shim(&node, &pod));
        let before = kind(engine, "ptmx");
        assert_eq!(kind(shim, "ptmx"), 1, "{handler:?}");
        // One of a command's own goes with it.
        node.with_client(async |client| {
            let request =
                ExecRequest { container: container.clone(), command: command(&["tty"]), tty: true, stdin: true };
            let mut session = client.exec_over(&request, None).await.unwrap();
            while !matches!(session.recv().await.unwrap(), Output::Exit(0)) {}
        });
        until("the command's to be closed", || kind(shim, "ptmx") == 1 && kind(engine, "ptmx") == before);
        node.ok(&["stop", "--timeout", "1", &container]);
        until("the container's to be closed", || kind(shim, "ptmx") == 0);
    }
    node.end();
}

#[test]
fn str_13_a_container_that_does_not_start_leaves_no_pipe() {
    let Some(node) = node("pipes") else { return };
    for handler in super::requests::handlers("pipes") {
        let config = node.pod_config(&format!("p{handler}"), |_| ());
        let pod = node.ok(&["runp", "-r", handler, &config]);
        let (engine, shim) = (node.engine().into(), shim(&node, &pod));
        let before = (kind(engine, "pipe:"), kind(shim, "pipe:"));
        for n in 0..5 {
            let missing = node.container_config(&format!("c{n}"), "", |c| {
                c["command"] = serde_json::json!(["/no/such/program"]);
                c["stdin"] = true.into();
            });
            // A foreign runtime looks for it when it creates the container.
            let created = node.crictl(&["create", &pod, &missing, &config]);
            if created.status.success() {
                let container = String::from_utf8(created.stdout).unwrap();
                node.fails(&["start", container.trim()]);
                assert_eq!(node.exit_code(container.trim()), 127, "{handler:?}");
            } else {
                assert!(String::from_utf8_lossy(&created.stderr).contains("/no/such/program"));
            }
        }
        until("the pipes to be closed", || (kind(engine, "pipe:"), kind(shim, "pipe:")) <= before);
    }
    node.end();
}

#[test]
fn str_06_looking_on_at_a_silent_container_leaves_nothing() {
    let Some(node) = node("silent") else { return };
    let (container, pod) = node.running("c", "sleep 1000", |c| c["stdin"] = true.into());
    let (engine, shim) = (node.engine().into(), shim(&node, &pod));
    let look = async |client: &Cri| {
        let request = AttachRequest { container: &container, tty: false, stdin: true };
        let mut session = client.attach_to(request, None).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(5), session.recv()).await.is_err());
    };
    node.with_client(async |client| look(&client).await);
    until("the first to be forgotten", || held(shim) <= 8);
    let before = (held(engine), held(shim));
    node.with_client(async |client| {
        for _ in 0..300 {
            look(&client).await;
        }
    });
    until("the streams to be closed", || held(engine) <= before.0 && held(shim) <= before.1);
    node.end();
}

#[test]
fn str_07_a_command_does_not_outlive_its_client() {
    let Some(mut node) = node("vanish") else { return };
    node.kill_engine();
    node.serve_with(&["--stream-idle-timeout", "5s"]);
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    let engine: u64 = node.engine().into();
    for (n, transport) in (0..).zip(["spdy", "websocket"]) {
        // One that ends at SIGHUP, one that does not care, one that is not read.
        let stubborn = format!("trap '' HUP; sleep 4100{n}");
        let deaf = format!("sleep 4300{n}; cat");
        for (argument, words) in [
            (format!("4200{n}"), vec!["sleep", &format!("4200{n}")]),
            (stubborn.clone(), vec!["sh", "-c", &stubborn]),
            (deaf.clone(), vec!["sh", "-c", &deaf]),
        ] {
            let mut arguments = vec!["exec", "-i", "--transport", transport, &container];
            arguments.extend(words);
            let mut client = node.crictl_command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
            until("its start", || runs(&argument));
            if argument == deaf {
                let mut stdin = client.stdin.take().unwrap();
                // More than all queues hold: the engine stops reading.
                thread::scope(|scope| {
                    let sent = scope.spawn(move || drop(stdin.write_all(&vec![0; 64 << 20])));
                    thread::sleep(Duration::from_secs(2));
                    assert!(!sent.is_finished(), "everything was taken");
                    let pid = rustix::process::Pid::from_raw(client.id().cast_signed()).unwrap();
                    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                });
            } else {
                client.kill().unwrap();
            }
            client.wait().unwrap();
            until(&format!("{transport}: the end of {argument}"), || !runs(&argument));
        }
    }
    // A client whose machine is gone says nothing, not even goodbye.
    let before = held(engine);
    node.with_client(async |client| {
        let mut sessions = Vec::new();
        for n in 0..20 {
            let request = ExecRequest {
                container: container.clone(),
                command: command(&["sleep", &format!("441{n:02}")]),
                tty: n % 2 == 0,
                stdin: true,
            };
            sessions.push(client.exec_over(&request, None).await.unwrap());
        }
        until("their start", || (0..20).all(|n| runs(&format!("441{n:02}"))));
        let drop_all = |what: &str| {
            let netns = format!("--net={}", node.netns.display());
            let mut iptables = Command::new("nsenter");
            iptables.args([&netns, "iptables", what, "INPUT", "-i", "lo", "-p", "tcp", "-j", "DROP"]);
            assert!(iptables.status().unwrap().success());
        };
        drop_all("-A");
        until("the end of the idle", || !(0..20).any(|n| runs(&format!("441{n:02}"))));
        drop_all("-D");
        drop(sessions);
    });
    until("the streams to be closed", || held(engine) <= before);
    node.end();
}

#[test]
fn str_08_who_does_not_read_holds_nobody_up() {
    let Some(node) = node("slow") else { return };
    let script = "sleep 2; seq 1 1500000; echo done; sleep 1000";
    let (container, _) = node.running("c", script, |_| ());
    let engine = node.engine().into();
    let log = node.json(&["inspect", &container])["status"]["logPath"].as_str().unwrap().to_owned();
    let before = memory(engine, "VmRSS");
    let ended = node.with_client(async |client| {
        let request = AttachRequest { container: &container, tty: false, stdin: false };
        let mut reads = client.attach_to(request, None).await.unwrap();
        let unread = client.attach_to(request, None).await.unwrap();
        let exec = ExecRequest {
            container: container.clone(),
            command: command(&["cat", "/dev/zero", "/51001"]),
            tty: false,
            stdin: false,
        };
        let flood = client.exec_over(&exec, None).await.unwrap();
        let mut got = Vec::new();
        // The one who reads gets every byte though the other does not.
        while !got.ends_with(b"done\n") {
            match tokio::time::timeout(Duration::from_secs(60), reads.recv()).await.unwrap().unwrap() {
                Output::Stdout(bytes) => got.extend(bytes),
                other => panic!("{other:?}"),
            }
        }
        let grown = memory(engine, "VmRSS").saturating_sub(before);
        assert!(grown <= 16, "the engine has grown by {grown} MiB");
        drop((unread, flood));
        got
    });
    assert_eq!(ended.iter().filter(|b| **b == b'\n').count(), 1_500_001);
    until("the log", || {
        let text = fs::read_to_string(&log).unwrap();
        text.lines().count() == 1_500_001 && text.ends_with(" stdout F done\n")
    });
    until("the flood to end", || !runs("/51001"));
    node.end();
}

#[test]
fn str_11_noise_after_the_upgrade_harms_nobody() {
    let Some(node) = node("noise") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    let engine = node.engine().into();
    let before = (held(engine), memory(engine, "VmRSS"));
    let spdy = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n";
    let mut noise = vec![0; 1 << 20];
    fs::File::open("/dev/urandom").unwrap().read_exact(&mut noise).unwrap();
    let urls: Vec<String> = node.with_client(async |client| {
        let mut urls = Vec::new();
        for _ in 0..60 {
            urls.push(exec_url(&client, &container).await.unwrap());
        }
        urls
    });
    netns::inside(&node.netns, || {
        for (n, url) in urls.iter().enumerate() {
            let rest = url.strip_prefix("http://").unwrap();
            let (address, path) = rest.split_once('/').unwrap();
            let mut stream = TcpStream::connect(address).unwrap();
            let headers = if n % 2 == 0 { spdy } else { UPGRADE };
            write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n").unwrap();
            let mut head = [0; 12];
            stream.read_exact(&mut head).unwrap();
            assert_eq!(&head, b"HTTP/1.1 101");
            // It may close at the first byte that makes no sense.
            let _ = stream.write_all(&noise[n * 10_000..][..10_000]);
        }
        // Headers without end, and requests that are none.
        let address = urls[0].strip_prefix("http://").unwrap().split('/').next().unwrap();
        let mut bomb = TcpStream::connect(address).unwrap();
        let line = format!("X: {}\r\n", "y".repeat(8000));
        let sent = (0..4000).try_for_each(|_| bomb.write_all(line.as_bytes()));
        assert!(sent.is_err(), "32 MB of headers were taken");
        Ok(())
    })
    .unwrap();
    until("the streams to be closed", || held(engine) <= before.0);
    let grown = memory(engine, "VmRSS").saturating_sub(before.1);
    assert!(grown <= 32, "the engine has grown by {grown} MiB");
    assert_eq!(node.crictl(&["exec", &container, "echo", "alive"]).stdout, b"alive\n");
    node.end();
}

#[test]
fn str_15_arguments_are_never_a_shells() {
    let Some(node) = node("argv") else { return };
    let (container, _) = node.running("c", "sleep 1000", |_| ());
    let long = "x".repeat(120 << 10);
    let strange = ["a b", "'\"", "$(echo no)", "`id`", "new\nline", "*", "", "\u{1f980}\u{202e}", ";", "-n", &long];
    let mut words = vec!["sh", "-c", "cat /proc/$$/cmdline; true", "zero"];
    words.extend(strange);
    let expected: Vec<u8> = words.iter().flat_map(|w| [w.as_bytes(), b"\0"].concat()).collect();
    let mut arguments = vec!["exec", &container];
    arguments.extend(&words);
    for how in [vec!["exec", &container], vec!["exec", "--transport", "websocket", &container]] {
        let arguments: Vec<&str> = how.into_iter().chain(words.iter().copied()).collect();
        let output = node.crictl(&arguments);
        let same = output.stdout.iter().zip(&expected).take_while(|(a, b)| a == b).count();
        assert!(output.stdout == expected, "{same} of {} bytes: {:?}", expected.len(), output.stderr);
    }
    let sync =
        node.with_client(async |client| client.exec_sync(&container, &command(&words), Duration::ZERO).await).unwrap();
    assert!(sync.stdout == expected);
    assert!(!Path::new("/proc/1/root/no").exists());
    node.end();
}
