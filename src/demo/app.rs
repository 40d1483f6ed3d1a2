//! The programs inside the demo's containers: small roles of this very binary, so that no image has to be fetched.
//!
//! The binary's name selects the role when it is run as `sh`; otherwise `wharf demo-app ROLE` does.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// A name and the program behind it.
type Role = (&'static str, fn() -> ExitCode);

const ROLES: &[Role] =
    &[("web", web), ("load", load), ("crash", crash), ("cache", cache), ("report", report), ("sh", super::shell::main)];

/// Runs the role named; 127 if there is none.
pub fn main(role: &str) -> ExitCode {
    match ROLES.iter().find(|(name, _)| *name == role) {
        Some((_, run)) => run(),
        None => {
            eprintln!("no such role: {role}");
            ExitCode::from(127)
        }
    }
}

const ADDRESS: &str = "0.0.0.0:8080";
const GOODS: &[&str] = &["/", "/cart", "/search?q=anchor", "/item/17", "/item/4", "/checkout", "/healthz", "/missing"];

/// An HTTP server that logs each request.
fn web() -> ExitCode {
    let listener = match TcpListener::bind(ADDRESS) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("level=error msg=\"listen on {ADDRESS}: {error}\"");
            return ExitCode::FAILURE;
        }
    };
    println!("level=info msg=\"shop front listening\" address={ADDRESS} pid={}", std::process::id());
    let mut served = 0_u64;
    for connection in listener.incoming() {
        let Ok(mut connection) = connection else { continue };
        let started = Instant::now();
        served += 1;
        match answer(&mut connection, served) {
            Ok((status, path)) => {
                let line =
                    format!("path={path} status={status} took={}us served={served}", started.elapsed().as_micros());
                if status >= 500 { eprintln!("level=error {line}") } else { println!("level=info {line}") }
            }
            Err(error) => eprintln!("level=warn msg=\"client went away: {error}\""),
        }
    }
    ExitCode::SUCCESS
}

fn answer(connection: &mut TcpStream, served: u64) -> std::io::Result<(u16, String)> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = String::new();
    BufReader::new(Read::by_ref(connection).take(4096)).read_line(&mut request)?;
    let path = request.split(' ').nth(1).unwrap_or("/").to_owned();
    let status = if path == "/missing" {
        404
    } else if served.is_multiple_of(97) {
        503
    } else {
        200
    };
    let body = format!("request {served}\n");
    write!(connection, "HTTP/1.0 {status} -\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    Ok((status, path))
}

/// The traffic: about five requests a second to the pod's own server.
fn load() -> ExitCode {
    let mut failed = 0_u32;
    for path in GOODS.iter().cycle() {
        thread::sleep(Duration::from_millis(200));
        match request(path) {
            Ok(status) => {
                failed = 0;
                println!("GET {path} -> {status}");
            }
            Err(error) => {
                failed += 1;
                eprintln!("GET {path} failed: {error} ({failed} in a row)");
            }
        }
    }
    ExitCode::SUCCESS
}

fn request(path: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect("127.0.0.1:8080")?;
    write!(connection, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.take(4096).read_to_string(&mut answer)?;
    Ok(answer.split(' ').nth(1).unwrap_or("?").to_owned())
}

/// Comes up, cannot find its database, and ends.
fn crash() -> ExitCode {
    println!("level=info msg=\"payments starting\"");
    thread::sleep(Duration::from_millis(700));
    eprintln!("level=error msg=\"connect to postgres://payments-db:5432: connection refused\"");
    eprintln!("level=fatal msg=\"giving up\" exit=3");
    ExitCode::from(3)
}

/// Fills memory until about nine tenths of its limit, and stays there.
fn cache() -> ExitCode {
    let goal: usize = std::env::var("CACHE_MIB").ok().and_then(|v| v.parse().ok()).unwrap_or(40);
    let mut held: Vec<Vec<u8>> = Vec::new();
    while held.len() < goal {
        // Written, so that the pages are really there.
        held.push(vec![u8::try_from(held.len() % 251).unwrap_or(0) + 1; 1 << 20]);
        if held.len().is_multiple_of(8) {
            println!("level=info msg=\"warming the cache\" entries={} mib={}", held.len() * 1024, held.len());
        }
        thread::sleep(Duration::from_millis(30));
    }
    println!("level=warn msg=\"cache is full: evicting\" mib={}", held.len());
    loop {
        thread::sleep(Duration::from_secs(5));
        let sum: u64 = held.iter().map(|block| u64::from(block[0])).sum();
        println!("level=info msg=\"cache statistics\" mib={} checksum={sum}", held.len());
    }
}

/// A batch job that leaves a large file in its writable layer.
fn report() -> ExitCode {
    let write = || -> std::io::Result<()> {
        fs::create_dir_all("/var/tmp")?;
        let mut file = fs::File::create("/var/tmp/report.csv")?;
        let block: Vec<u8> = (0..1_u32 << 20).map(|i| b'0' + u8::try_from(i % 10).unwrap_or(0)).collect();
        for part in 1..=64 {
            file.write_all(&block)?;
            println!("level=info msg=\"wrote part {part} of 64\"");
        }
        file.sync_all()
    };
    match write() {
        Ok(()) => {
            println!("level=info msg=\"report done\" file=/var/tmp/report.csv mib=64");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("level=error msg=\"report: {error}\"");
            ExitCode::FAILURE
        }
    }
}
