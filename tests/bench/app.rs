//! The app as a person has it: the program on a terminal of 160 columns and 48 lines, attached to a scripted CRI server with the
//! pods of a full node. What is told of other tools is what was published of them.

use std::{
    collections::HashMap,
    fs,
    os::unix::net::UnixListener,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use wharf::proto::cri;

use crate::{
    fake::{Fake, Held, id, labels, nanos_ago},
    machine,
    support::pty::Pty,
    table::quantile,
};

const PODS: usize = 250;
/// Of a pod.
const CONTAINERS: usize = 4;
const IMAGES: usize = 500;
/// Of a log.
const LINES: usize = 1_000_000;
/// What ends a frame.
const FRAME: &[u8] = b"\x1b[?2026l";
/// No byte for so long, and nothing more comes of what was before.
const STILL: Duration = Duration::from_millis(25);
const PATIENCE: Duration = Duration::from_secs(30);

/// Keys by kind, pressed one after the other. Each begins where the one before ended.
const KEYS: &[(&str, &[&str])] = &[
    ("moves in 1,000 containers", &["3", "j", "j", "j", "k", "\x06", "\x06", "\x02", "G", "k", "g", "j"]),
    ("other panes", &["2", "3", "4", "7", "8", "1", "3", "6", "0", "\t", "2"]),
    ("a filter of containers", &["3", "/", "w", "o", "r", "k", "\x7f", "\x7f", "\r", "\x1b"]),
    ("a filter by a figure", &["4", "/", "s", "i", "z", "e", ">", "1", "G", "\r", "\x1b"]),
    ("sorting", &["3", "o", "n", "o", "c", "r", ">", ">", "<", "r"]),
    ("marks", &["2", " ", " ", "\x1c"]),
    ("descriptions, help, commands", &["3", "d", "\x1b", "?", "j", "\x1b", ":", "p", "o", "\x1b"]),
];

/// Published of others, not measured here: what, how much, where.
const OTHERS: &[(&str, &str, &str)] = &[
    ("k9s, resident, 1,850 pods on 79 nodes", "983 MiB", "sofka, docs/benchmark-k9s.md"),
    ("k9s, a filter is cleared", "602 ms", "sofka, docs/benchmark-k9s.md"),
    ("k9s, its program", "136 MiB", "sofka, docs/benchmark-k9s.md"),
    ("lazydocker, idle, no container runs", "2.5 % to 10 % of a core by machine", "lazydocker#249, #323"),
    ("lazydocker, what its questions cost the daemon", "100 % to 200 % of a core before its mending", "lazydocker#296"),
];

/// Prints tables.
pub async fn print(wharf: &Path, idle: Duration, rounds: usize) {
    let directory = tempfile::tempdir().unwrap();
    let fake = Fake::holding(node());
    println!("\n{PODS} pods, {} containers, {IMAGES} images; 160 columns, 48 lines", PODS * CONTAINERS);
    machine::quiet();
    let load = machine::Load::new();

    let dead = format!("unix://{}", directory.path().join("nobody.sock").display());
    let hung = directory.path().join("hung.sock");
    let listener = UnixListener::bind(&hung).unwrap();
    thread::spawn(move || {
        let mut taken = Vec::new();
        for connection in listener.incoming() {
            taken.push(connection);
        }
    });
    let hung = format!("unix://{}", hung.display());
    println!("\n| until the first frame, ms | p50 | most | budget | times |\n| --- | --- | --- | --- | --- |");
    for (what, endpoint) in [("live", &fake.endpoint), ("dead: nobody listens", &dead), ("hangs: never answers", &hung)]
    {
        let times: Vec<Duration> = (0..10).map(|_| first_frame(wharf, directory.path(), endpoint)).collect();
        println!("| {what} | {} | {} | 100 | {} |", ms(quantile(&times, 0.5)), ms(quantile(&times, 1.0)), times.len());
    }

    let begun = Instant::now();
    let mut app = start(wharf, directory.path(), &fake.endpoint);
    app.wait_for("250 ");
    println!("\nall pods, with their containers' states: {} ms", ms(begun.elapsed()));
    thread::sleep(Duration::from_secs(2));
    let mut all = Vec::new();
    println!("\n| key to paint, ms | p50 | p99 | most | times |\n| --- | --- | --- | --- | --- |");
    for (kind, keys) in KEYS {
        let mut times = Vec::new();
        for _ in 0..rounds {
            times.extend(keys.iter().map(|key| painted(&mut app, key)));
        }
        line(kind, &times);
        all.extend(times);
    }
    line("all (budget 16 at p99)", &all);
    let times = filters(&mut app, &fake, directory.path());
    line("a filter that one of 1,000,000 lines of a log passes, the first time", &times[..1]);
    line("and afterwards (budget 150)", &times[1..]);
    println!("\nmachine {} % idle", load.idle());

    println!("\n| nobody touches a key, Pods | | budget |\n| --- | --- | --- |");
    app.keys("2");
    thread::sleep(Duration::from_secs(5));
    let pid = app.child.id();
    let (before, calls) = (cpu(pid), fake.held().calls.clone());
    let begun = Instant::now();
    // The server is in this process and must go on.
    tokio::time::sleep(idle).await;
    let (used, span) = (cpu(pid) - before, begun.elapsed().as_secs_f64());
    println!("| processor, % of a core, of {span:.0} s | {:.2} | 0.5 |", 100.0 * used.as_secs_f64() / span);
    for (call, count) in &fake.held().calls {
        let more = count - calls.get(call).copied().unwrap_or(0);
        if more > 0 {
            println!("| {} a minute | {:.1} | |", call.rsplit('/').next().unwrap(), more as f64 * 60.0 / span);
        }
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mib = |name: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
    };
    println!("| resident, MiB | {:.1} | 60 |", mib("VmRSS:"));
    println!("| resident at most, MiB | {:.1} | 60 |", mib("VmHWM:"));
    println!("| the program, MiB, runtime and all | {:.1} | |", fs::metadata(wharf).unwrap().len() as f64 / 1048576.0);
    println!("\n| published, not measured here | | |\n| --- | --- | --- |");
    for (what, figure, source) in OTHERS {
        println!("| {what} | {figure} | {source} |");
    }
}

/// From Enter to the line on the screen, by one filter after the other. The lines are the oldest of the log.
fn filters(app: &mut Pty, fake: &Fake, directory: &Path) -> Vec<Duration> {
    let log = directory.join("0.log");
    // Blanks are not drawn where there is one.
    let request = |n: usize| format!("request={n};");
    let lines = (0..LINES).map(|n| {
        let (second, took) = (n / 1000, n % 431);
        let time = format!("2026-01-01T00:{:02}:{:02}.{:03}000000Z", second / 60, second % 60, n % 1000);
        format!("{time} stdout F {} of user {} took {took} ms behind the gateway, 200\n", request(n), n % 977)
    });
    fs::write(&log, lines.collect::<String>()).unwrap();
    fake.held().log = log.display().to_string();
    app.keys("3gl");
    thread::sleep(Duration::from_secs(2));
    let times = (0..20).map(|n| {
        app.keys(&format!("/request={n}[;]"));
        let written = still(app);
        let begun = Instant::now();
        app.keys("\r");
        let at = shown(app, written, request(n).as_bytes());
        app.keys("\x1b");
        still(app);
        at - begun
    });
    times.collect()
}

fn line(what: &str, times: &[Duration]) {
    let [half, most, all] = [0.5, 0.99, 1.0].map(|part| ms(quantile(times, part)));
    println!("| {what} | {half} | {most} | {all} | {} |", times.len());
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

/// With a home of its own: no settings, nothing kept.
fn start(wharf: &Path, home: &Path, endpoint: &str) -> Pty {
    let mut command = Command::new("env");
    command.args(["-i", "TERM=xterm-256color", "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]);
    command.arg(format!("HOME={}", home.display())).arg(wharf).args(["-r", endpoint]);
    Pty::spawn(&command, 160, 48)
}

/// From the start of the process. It has to be a frame of the app.
fn first_frame(wharf: &Path, home: &Path, endpoint: &str) -> Duration {
    let begun = Instant::now();
    let app = start(wharf, home, endpoint);
    let at = frame_after(&app, 0);
    let mut screen = vt100::Parser::new(48, 160, 0);
    screen.process(app.text().as_bytes());
    assert!(screen.screen().contents().contains("Pods"), "{}", screen.screen().contents());
    at - begun
}

/// When the next frame was all there.
fn frame_after(app: &Pty, written: usize) -> Instant {
    shown(app, written, FRAME)
}

/// When these bytes were all there.
fn shown(app: &Pty, written: usize, bytes: &[u8]) -> Instant {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(at) = app.came(written, bytes) {
            return at;
        }
        assert!(Instant::now() < deadline, "it never came:\n{}", app.text());
        thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until nothing more comes; the bytes that came.
fn still(app: &Pty) -> usize {
    let mut written = app.written();
    loop {
        thread::sleep(STILL);
        let now = app.written();
        if std::mem::replace(&mut written, now) == now {
            return now;
        }
    }
}

/// From the key to the end of the frame it makes, on a screen that stands still.
fn painted(app: &mut Pty, key: &str) -> Duration {
    let written = still(app);
    let begun = Instant::now();
    app.keys(key);
    frame_after(app, written) - begun
}

/// What its threads have used of processors, those that have ended too.
fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|f| f.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

fn node() -> Held {
    let image = |n: usize| format!("sha256:{}", id(&format!("e{n:04}")));
    let namespace = |pod: usize| ["default", "shop", "billing", "kube-system"][pod % 4];
    let name = |pod: usize| format!("{}-{:05x}", ["web", "worker", "cache", "api"][pod % 4], pod * 7919);
    let pods = (0..PODS).map(|n| cri::PodSandbox {
        id: id(&format!("a{n:04}")),
        metadata: Some(cri::PodSandboxMetadata {
            name: name(n),
            uid: format!("u-{n}"),
            namespace: namespace(n).into(),
            attempt: 0,
        }),
        state: i32::from(n % 20 == 0),
        created_at: nanos_ago(3600 + n as i64 * 977),
        labels: labels(&name(n), namespace(n)),
        annotations: HashMap::from([("kubernetes.io/config.source".to_owned(), "api".to_owned())]),
        runtime_handler: String::new(),
    });
    let containers = (0..PODS * CONTAINERS).map(|n| {
        let (pod, ran) = (n / CONTAINERS, n % 8 == 7);
        cri::Container {
            id: id(&format!("c{n:04}")),
            pod_sandbox_id: id(&format!("a{pod:04}")),
            metadata: Some(cri::ContainerMetadata {
                name: ["server", "proxy", "worker", "init"][n % CONTAINERS].into(),
                attempt: n as u32 % 3,
            }),
            image: Some(cri::ImageSpec { image: image(n % IMAGES), ..Default::default() }),
            image_ref: image(n % IMAGES),
            image_id: image(n % IMAGES),
            state: if ran { 2 } else { 1 },
            created_at: nanos_ago(3000 + n as i64 * 241),
            labels: labels(&name(pod), namespace(pod)),
            annotations: HashMap::new(),
        }
    });
    let images = (0..IMAGES).map(|n| cri::Image {
        id: image(n),
        repo_tags: vec![format!("registry.example.com/team-{}/service-{n}:v1.{n}", n % 20)],
        repo_digests: vec![format!("registry.example.com/team-{}/service-{n}@{}", n % 20, image(n))],
        size: (4 << 20) + (n as u64 * 7_919_311) % (2 << 30),
        ..Default::default()
    });
    Held {
        pods: pods.collect(),
        containers: containers.collect(),
        images: images.collect(),
        lively: true,
        ..Held::default()
    }
}
