//! Logs over rotated, packed, large and hostile files.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
};

use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::client::types::Sieve;

fn entry(n: u32, tag: &str, text: &str) -> String {
    format!("2026-01-01T00:00:{:02}.000000000Z stdout {tag} {text}\n", n % 60)
}

async fn all(path: &Path, options: LogOptions) -> Vec<String> {
    let lines: Vec<_> = read(path.to_owned(), options).collect().await;
    lines.into_iter().map(|l| String::from_utf8(l.unwrap().text).unwrap()).collect()
}

const PLAIN: LogOptions = LogOptions { follow: false, tail: None, since: None };

#[tokio::test]
async fn parts_are_joined_and_strangers_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    fs::write(
        &path,
        entry(1, "P", "ab") + &entry(1, "F", "cd") + "not a log line\n" + &entry(2, "F", "") + "unfinished",
    )
    .unwrap();
    assert_eq!(all(&path, PLAIN).await, ["abcd", "not a log line", ""]);
}

#[tokio::test]
async fn a_tail_counts_whole_lines_over_rotated_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    fs::write(
        dir.path().join("0.log.20260101-000000"),
        entry(1, "F", "one") + &entry(2, "P", "t") + &entry(2, "F", "wo"),
    )
    .unwrap();
    fs::write(&path, entry(3, "F", "three")).unwrap();
    for (tail, want) in [(0, vec![]), (1, vec!["three"]), (2, vec!["two", "three"]), (9, vec!["one", "two", "three"])] {
        assert_eq!(all(&path, LogOptions { tail: Some(tail), ..PLAIN }).await, want, "{tail}");
    }
    let since = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_602));
    assert_eq!(all(&path, LogOptions { since, ..PLAIN }).await, ["two", "three"]);
}

#[tokio::test]
async fn a_long_tail_is_found_from_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    let text: String = (0..20_000).map(|i| entry(i, "F", &format!("line {i}"))).collect();
    fs::write(&path, text).unwrap();
    let got = all(&path, LogOptions { tail: Some(5000), ..PLAIN }).await;
    assert_eq!((got.len(), got[0].as_str(), got[4999].as_str()), (5000, "line 15000", "line 19999"));
}

#[tokio::test]
async fn log_05_a_gigabyte_opens_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    let mut file = File::create(&path).unwrap();
    // A hole stands for what came before; nothing of it may be read.
    file.set_len(1 << 30).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    let text: String = (0..20_000).map(|i| entry(i, "F", &format!("line {i}"))).collect();
    file.write_all(b"\n").and_then(|()| file.write_all(text.as_bytes())).unwrap();
    let begin = std::time::Instant::now();
    let got = all(&path, LogOptions { tail: Some(5000), ..PLAIN }).await;
    assert_eq!((got.len(), got[4999].as_str()), (5000, "line 19999"));
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn following_misses_nothing_over_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    fs::write(&path, entry(0, "F", "0")).unwrap();
    let mut lines = read(path.clone(), LogOptions { follow: true, ..PLAIN });
    let writer = path.clone();
    let task = tokio::task::spawn_blocking(move || {
        let mut file = OpenOptions::new().append(true).open(&writer).unwrap();
        for i in 1..300 {
            if i % 100 == 0 {
                fs::rename(&writer, writer.with_extension(format!("log.2026010{}-000000", i / 100))).unwrap();
                // The old one gets one more, as from a runtime that reopens late.
                file.write_all(entry(i, "F", &i.to_string()).as_bytes()).unwrap();
                file = File::create(&writer).unwrap();
            } else {
                file.write_all(entry(i, "F", &i.to_string()).as_bytes()).unwrap();
            }
            thread::sleep(Duration::from_millis(2));
        }
    });
    for i in 0..300 {
        let line = tokio::time::timeout(Duration::from_secs(10), lines.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(String::from_utf8(line.text).unwrap(), i.to_string());
    }
    task.await.unwrap();
}

fn pack(path: &Path, text: &[u8]) {
    let mut packed = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap();
}

fn turn(line: &LogLine, older: bool, lines: usize) -> LogTurn {
    LogTurn { from: line.place.expect("a line from a file"), at: line.at, older, lines, only: None }
}

fn text(lines: &[LogLine]) -> Vec<String> {
    lines.iter().map(|l| String::from_utf8_lossy(&l.text).into_owned()).collect()
}

async fn lines(path: &Path, options: LogOptions) -> Vec<LogLine> {
    read(path.to_owned(), options).map(Result::unwrap).collect().await
}

/// Ten thousand lines over a packed file, one put aside, and the live one; the time of each is its number in seconds.
fn rotated_log(dir: &Path) -> PathBuf {
    let entry = |n: u32| {
        let at = jiff::Timestamp::from_second(1_790_000_000 + i64::from(n)).unwrap();
        format!("{at:.9} stdout F line {n}\n")
    };
    let some = |from: u32, to: u32| (from..to).map(entry).collect::<String>();
    pack(&dir.join("0.log.20260101-000000.gz"), some(0, 4000).as_bytes());
    fs::write(dir.join("0.log.20260102-000000"), some(4000, 8000)).unwrap();
    // Being packed: counts once. And what is no log of this container.
    fs::write(dir.join("0.log.20260102-000000.gz"), "half").unwrap();
    fs::write(dir.join("0.log.20260102-000000.tmp"), "half").unwrap();
    fs::write(dir.join("1.log"), "another").unwrap();
    fs::write(dir.join("0.log"), some(8000, 10_000)).unwrap();
    dir.join("0.log")
}

#[tokio::test]
async fn what_the_kubelet_packed_is_read_as_far_as_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = rotated_log(dir.path());
    let got = all(&path, PLAIN).await;
    assert_eq!((got.len(), got[0].as_str(), got[9999].as_str()), (10_000, "line 0", "line 9999"));
    for (tail, first) in [(1, "line 9999"), (2000, "line 8000"), (2001, "line 7999"), (6001, "line 3999")] {
        let got = all(&path, LogOptions { tail: Some(tail), ..PLAIN }).await;
        assert_eq!((got.len() as u64, got[0].as_str()), (tail, first));
    }
    assert_eq!(all(&path, LogOptions { tail: Some(20_000), ..PLAIN }).await.len(), 10_000);
    let at = |n: u64| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000 + n));
    for n in [3999, 7000, 9999] {
        let got = all(&path, LogOptions { since: at(n), ..PLAIN }).await;
        assert_eq!((got.len() as u64, got[0].clone()), (10_000 - n, format!("line {n}")));
    }
    assert!(all(&path, LogOptions { since: at(20_000), ..PLAIN }).await.is_empty());
}

#[tokio::test]
async fn pages_go_back_to_the_first_line_and_forth_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = rotated_log(dir.path());
    let mut have = lines(&path, LogOptions { tail: Some(1500), ..PLAIN }).await;
    for round in 0.. {
        assert!(round < 20, "no end");
        let got = page(path.clone(), turn(&have[0], true, 1500)).await.unwrap();
        have.splice(0..0, got.lines);
        if got.end {
            break;
        }
        // The kubelet goes on meanwhile: what was put aside is packed, the live one is put aside.
        if round == 1 {
            let aside = dir.path().join("0.log.20260102-000000");
            pack(&dir.path().join("0.log.20260102-000000.gz"), &fs::read(&aside).unwrap());
            fs::remove_file(&aside).unwrap();
            fs::rename(&path, dir.path().join("0.log.20260103-000000")).unwrap();
            fs::write(&path, "").unwrap();
        }
    }
    let wanted: Vec<String> = (0..10_000).map(|n| format!("line {n}")).collect();
    assert_eq!(text(&have), wanted);
    let mut forth = vec![have[10].clone()];
    loop {
        let got = page(path.clone(), turn(forth.last().unwrap(), false, 3000)).await.unwrap();
        forth.extend(got.lines);
        if got.end {
            break;
        }
    }
    assert_eq!(text(&forth), wanted[10..]);
    let gone = LogTurn { from: LogPlace { inode: 1, ..have[0].place.unwrap() }, at: None, ..turn(&have[0], true, 1) };
    assert!(page(path, gone).await.unwrap_err().is(Kind::NotFound));
}

#[tokio::test]
async fn pages_of_what_passes_leave_nothing_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = rotated_log(dir.path());
    // Lines in parts, one that is of no runtime, and one that is longer than what is looked at in one go.
    let odd = [
        entry(1, "P", "line 1 in "),
        entry(1, "F", "parts"),
        "no line 1 of a runtime's\n".to_owned(),
        entry(2, "F", &format!("line 1 {}", "x".repeat(40 << 10))),
        entry(3, "F", "last"),
    ];
    File::options().append(true).open(&path).unwrap().write_all(odd.concat().as_bytes()).unwrap();
    let whole = lines(&path, PLAIN).await;
    let last = whole.last().unwrap();
    for (pattern, not) in [("line 1", false), ("line .*7$", false), ("line", true), ("^nothing$", false)] {
        let sieve = Sieve { pattern: regex::bytes::Regex::new(pattern).unwrap(), not };
        let wanted: Vec<_> = whole.iter().filter(|l| **l != *last && sieve.passes(&l.text)).cloned().collect();
        let (mut have, mut pages) = (Vec::new(), 0);
        let mut next = LogTurn { only: Some(sieve), ..turn(last, true, 100) };
        loop {
            let got = page(path.clone(), next.clone()).await.unwrap();
            have.splice(0..0, got.lines);
            pages += 1;
            if got.end {
                break;
            }
            (next.from, next.at) = got.reached.unwrap();
        }
        assert!(pages > 2, "{pages}");
        assert_eq!(text(&have), text(&wanted), "{pattern} {not}");
        assert_eq!(have, wanted);
    }
}

#[tokio::test]
async fn a_page_holds_no_more_than_its_bytes_but_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    let long = "x".repeat(3 << 20);
    let text: String = (0..8).map(|i| entry(i, "F", &long)).chain([entry(9, "F", "last")]).collect();
    fs::write(&path, text).unwrap();
    let have = lines(&path, LogOptions { tail: Some(1), ..PLAIN }).await;
    let got = page(path.clone(), turn(&have[0], true, 5000)).await.unwrap();
    assert_eq!((got.lines.len(), got.end), (2, false));
    assert!(got.lines.iter().all(|l| l.text.len() == LINE), "a line is cut to what is kept of one");
    let got = page(path, turn(&got.lines[0], true, 5000)).await.unwrap();
    assert_eq!(got.lines.len(), 2);
}

#[tokio::test]
async fn log_05_a_gigabyte_is_paged_through_from_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    let mut file = File::create(&path).unwrap();
    file.set_len(1 << 30).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    let text: String = (0..20_000).map(|i| entry(i, "F", &format!("line {i}"))).collect();
    file.write_all(b"\n").and_then(|()| file.write_all(text.as_bytes())).unwrap();
    let begin = std::time::Instant::now();
    let mut first = lines(&path, LogOptions { tail: Some(5000), ..PLAIN }).await.remove(0);
    for n in [10_000, 5000, 0] {
        let got = page(path.clone(), turn(&first, true, 5000)).await.unwrap();
        assert_eq!((got.lines.len(), got.end), (5000, false));
        first = got.lines[0].clone();
        assert_eq!(first.text, format!("line {n}").as_bytes());
    }
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_bomb_is_not_unpacked_to_its_end_and_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    fs::write(&path, entry(3, "F", "live")).unwrap();
    let bomb = dir.path().join("0.log.20260101-000000.gz");
    // Many megabytes of one line in very few, after a line that is none of it.
    let mut packed = GzEncoder::new(File::create(&bomb).unwrap(), Compression::fast());
    packed.write_all(entry(1, "F", "before").as_bytes()).unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..128 {
        packed.write_all(&block).unwrap();
    }
    packed.finish().unwrap();
    let have = lines(&path, LogOptions { tail: Some(100), ..PLAIN }).await;
    let last = have.last().unwrap();
    assert_eq!((have.len(), last.text.as_slice()), (3, &b"live"[..]));
    assert!(
        text(&have)[1].contains("0.log.20260101-000000.gz is left out: it unpacks to more"),
        "{:?}",
        text(&have)[1]
    );
    let got = page(path, turn(last, true, 100)).await.unwrap();
    assert_eq!((got.lines.len(), got.end), (2, true));
    // Of the line itself no more is ever held than is kept.
    let mut line = Vec::new();
    let endless = std::io::repeat(b'x').take(64 << 20);
    let read = parts::raw_line(&mut std::io::BufReader::new(endless), &mut line, LINE).unwrap();
    assert_eq!((read, line.len()), ((64 << 20, false), LINE));
    assert!(line.capacity() <= 2 * LINE, "{}", line.capacity());
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_said_and_the_rest_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0.log");
    fs::write(&path, entry(3, "F", "live")).unwrap();
    let cut = dir.path().join("0.log.20260101-000000.gz");
    let body: String =
        (0..5000).map(|i| entry(i, "F", &format!("line {i} {:x}", i.wrapping_mul(2_654_435_761)))).collect();
    pack(&cut, body.as_bytes());
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(dir.path().join("0.log.20250101-000000.gz"), "no gzip at all").unwrap();
    let have = text(&lines(&path, PLAIN).await);
    assert!(have[0].contains("0.log.20250101-000000.gz is left out"), "{}", have[0]);
    assert!(have[1].starts_with("line 0 ") && have.len() > 1000, "{} lines", have.len());
    assert!(have[have.len() - 2].contains("0.log.20260101-000000.gz is left out"));
    assert_eq!(have[have.len() - 1], "live");
    // Going back goes past them.
    let last = lines(&path, LogOptions { tail: Some(1), ..PLAIN }).await.remove(0);
    let got = page(path, turn(&last, true, 100_000)).await.unwrap();
    assert!(got.end && got.lines.len() == have.len() - 1, "{} of {}", got.lines.len(), have.len());
}
