//! One name asked of each name server by itself (RFC 1035): getaddrinfo(3) tells only that a lookup failed, not which of
//! several servers it failed at.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

/// For an answer over UDP, and then for one over TCP.
const WAIT: Duration = Duration::from_secs(2);
const PORT: u16 = 53;
const A: u16 = 1;
const AAAA: u16 = 28;
const TRUNCATED: u8 = 0x02;

/// What one server says of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub server: String,
    pub answer: Answer,
    pub millis: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Addresses(Vec<String>),
    /// NXDOMAIN, or the name without an address.
    NoSuchName,
    /// The server's own failure: `SERVFAIL`, `REFUSED`.
    Failed(String),
    /// Neither over UDP nor over TCP.
    Silent(String),
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.answer {
            Answer::Addresses(all) => write!(f, "{}: {} in {} ms", self.server, all.join(", "), self.millis),
            Answer::NoSuchName => write!(f, "{}: there is no such name", self.server),
            Answer::Failed(code) => write!(f, "{}: {code}", self.server),
            Answer::Silent(why) => write!(f, "{}: {why}", self.server),
        }
    }
}

/// The names a lookup tries, as resolv.conf(5) has it with its usual `ndots`.
pub fn candidates(name: &str, search: &[String]) -> Vec<String> {
    let plain = name.trim_end_matches('.').to_owned();
    let longer = search.iter().map(|domain| format!("{plain}.{}", domain.trim_matches('.')));
    if name.ends_with('.') {
        vec![plain]
    } else if plain.contains('.') {
        std::iter::once(plain.clone()).chain(longer).collect()
    } else {
        longer.chain([plain.clone()]).collect()
    }
}

/// All servers at once; the answers in the servers' order.
pub async fn each(servers: &[String], names: &[String]) -> Vec<Told> {
    futures::future::join_all(servers.iter().map(|server| one(server, names))).await
}

async fn one(server: &str, names: &[String]) -> Told {
    let began = Instant::now();
    let answer = match server.parse::<IpAddr>() {
        Ok(address) => first(SocketAddr::new(address, PORT), names).await,
        Err(_) => Answer::Silent("it is no address".to_owned()),
    };
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Told { server: server.to_owned(), answer, millis }
}

/// The first of the names that has an address.
async fn first(server: SocketAddr, names: &[String]) -> Answer {
    let mut last = Answer::NoSuchName;
    for name in names {
        for kind in [A, AAAA] {
            last = ask(server, name, kind).await;
            if last != Answer::NoSuchName {
                return last;
            }
        }
    }
    last
}

async fn ask(server: SocketAddr, name: &str, kind: u16) -> Answer {
    let Some(query) = question(name, kind) else { return Answer::NoSuchName };
    let datagram = match tokio::time::timeout(WAIT, datagram(server, &query)).await {
        Ok(Ok(answer)) if answer.get(2).is_some_and(|flags| flags & TRUNCATED == 0) => return read(&answer, kind),
        Ok(Ok(_)) => "its answer is cut off".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("nothing came in {} s", WAIT.as_secs()),
    };
    match tokio::time::timeout(WAIT, stream(server, &query)).await {
        Ok(Ok(answer)) => read(&answer, kind),
        Ok(Err(error)) => Answer::Silent(format!("{datagram}; over TCP: {error}")),
        Err(_) => Answer::Silent(format!("{datagram}; over TCP: nothing came in {} s", WAIT.as_secs())),
    }
}

async fn datagram(server: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let here: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((here, 0)).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        // Not of another question.
        if length >= 12 && answer[..2] == query[..2] {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

async fn stream(server: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).map_err(std::io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(query).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// One question, recursion desired. None for what cannot be a name.
fn question(name: &str, kind: u16) -> Option<Vec<u8>> {
    // Only told apart from answers to others: nothing here is trusted.
    let id = (std::process::id() as u16) ^ kind;
    let mut query = id.to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|l| (1..64).contains(l))?;
        query.push(length);
        query.extend(label.as_bytes());
    }
    query.push(0);
    query.extend(kind.to_be_bytes());
    query.extend([0, 1]);
    (query.len() <= 12 + 255 + 4).then_some(query)
}

fn read(answer: &[u8], kind: u16) -> Answer {
    match answer.get(3).map(|flags| flags & 0x0f) {
        Some(0) => {}
        Some(3) => return Answer::NoSuchName,
        Some(2) => return Answer::Failed("SERVFAIL".to_owned()),
        Some(5) => return Answer::Failed("REFUSED".to_owned()),
        Some(code) => return Answer::Failed(format!("error {code}")),
        None => return Answer::Failed("its answer is none of DNS".to_owned()),
    }
    match addresses(answer, kind) {
        Some(found) if found.is_empty() => Answer::NoSuchName,
        Some(found) => Answer::Addresses(found),
        None => Answer::Failed("its answer is none of DNS".to_owned()),
    }
}

/// Those of the answer section; names before them are skipped.
fn addresses(answer: &[u8], kind: u16) -> Option<Vec<String>> {
    let number = |at: usize| Some(u16::from_be_bytes([*answer.get(at)?, *answer.get(at + 1)?]));
    let mut at = 12;
    for _ in 0..number(4)? {
        at = after_name(answer, at)? + 4;
    }
    let mut found = Vec::new();
    for _ in 0..number(6)? {
        at = after_name(answer, at)?;
        let (record, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = answer.get(at + 10..at + 10 + length)?;
        at += 10 + length;
        if record != kind {
            continue;
        }
        match (<[u8; 4]>::try_from(data), <[u8; 16]>::try_from(data)) {
            (Ok(four), _) => found.push(Ipv4Addr::from(four).to_string()),
            (_, Ok(six)) => found.push(Ipv6Addr::from(six).to_string()),
            _ => return None,
        }
    }
    Some(found)
}

fn after_name(answer: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *answer.get(at)? {
            0 => return Some(at + 1),
            // A pointer ends a name.
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut answer = question("r.test", A).unwrap();
        (answer[2], answer[3], answer[7]) = (0x81, code, records.len() as u8);
        for (kind, data) in records {
            answer.extend([0xc0, 12]);
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 9, 0, data.len() as u8]);
            answer.extend(*data);
        }
        answer
    }

    #[test]
    fn answers_of_servers() {
        // An alias before the address.
        let found = read(&answer(0, &[(5, &[0xc0, 12]), (A, &[10, 0, 0, 7])]), A);
        assert_eq!(found, Answer::Addresses(vec!["10.0.0.7".into()]));
        assert_eq!(read(&answer(0, &[]), A), Answer::NoSuchName);
        assert_eq!(read(&answer(3, &[]), A), Answer::NoSuchName);
        assert_eq!(read(&answer(2, &[]), A), Answer::Failed("SERVFAIL".into()));
        let whole = answer(0, &[(A, &[10, 0, 0, 7])]);
        for length in 0..whole.len() {
            assert!(matches!(read(&whole[..length], A), Answer::Failed(_)), "{length}");
        }
        assert!(question(&"x".repeat(64), A).is_none() && question("a..b", A).is_none());
    }

    #[test]
    fn names_are_tried_as_a_lookup_tries_them() {
        let search = ["corp.test".to_owned()];
        assert_eq!(candidates("registry", &search), ["registry.corp.test", "registry"]);
        assert_eq!(candidates("r.test", &search), ["r.test", "r.test.corp.test"]);
        assert_eq!(candidates("r.test.", &search), ["r.test"]);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_silent_and_says_how() {
        let told = each(&["127.0.0.99".to_owned(), "fe80::1%eth0".to_owned()], &["r.test".to_owned()]).await;
        assert!(matches!(&told[0].answer, Answer::Silent(why) if why.contains("refused")), "{told:?}");
        assert!(told[1].to_string().contains("no address"), "{told:?}");
    }
}
