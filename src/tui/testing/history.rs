//! A log that is longer than what is kept of it: read back page by page, searched, and forth again to its end.

use super::*;
use crate::tui::log::MOST_LINES;

/// A log on a disk: line `n` begins at byte `n`, and was written in second `n * pace`.
struct Disk {
    lines: usize,
    pace: u64,
    inode: u64,
}

impl Disk {
    fn line(&self, n: usize) -> LogLine {
        let at = Some(UNIX_EPOCH + Duration::from_secs(n as u64 * self.pace));
        let text = format!("line {n} of {}", self.inode).into_bytes();
        LogLine { at, stderr: false, text, place: Some(LogPlace { device: 1, inode: self.inode, offset: n as u64 }) }
    }

    fn tail(&self, count: usize) -> Vec<LogLine> {
        (self.lines.saturating_sub(count)..self.lines).map(|n| self.line(n)).collect()
    }

    fn page(&self, turn: &LogTurn) -> LogPage {
        assert_eq!((turn.from.device, turn.from.inode), (1, self.inode));
        let here = turn.from.offset as usize;
        assert_eq!(turn.at, self.line(here).at);
        if let Some(sieve) = &turn.only {
            let begin = here.saturating_sub(LOOKED);
            let lines = (begin..here).map(|n| self.line(n)).filter(|l| sieve.passes(&l.text)).collect();
            let first = self.line(begin);
            return LogPage { lines, end: begin == 0, reached: first.place.map(|place| (place, first.at)) };
        }
        let range = if turn.older {
            here.saturating_sub(turn.lines)..here
        } else {
            here + 1..(here + 1 + turn.lines).min(self.lines)
        };
        let end = if turn.older { range.start == 0 } else { range.end == self.lines };
        LogPage { lines: range.map(|n| self.line(n)).collect(), end, reached: None }
    }
}

/// Lines that are looked through for a page of those that pass a filter.
const LOOKED: usize = 400_000;

struct Reader {
    app: App,
    disks: Vec<Disk>,
    /// Pages that were read.
    pages: usize,
}

impl Reader {
    /// The logs of all containers of the pod, or of the first one.
    fn open(disks: Vec<Disk>) -> Self {
        let mut app = App::new(80, 24);
        app.keys("3/checkout-\n");
        let mut effects = app.keys("l");
        if disks.len() > 1 {
            effects = app.keys("a");
        }
        let mut reader = Self { app, disks, pages: 0 };
        reader.answer(effects);
        reader
    }

    fn keys(&mut self, keys: &str) {
        for key in keys.chars() {
            let effects = self.app.keys(&key.to_string());
            self.answer(effects);
        }
    }

    fn answer(&mut self, effects: Vec<Effect>) {
        let mut left: std::collections::VecDeque<Effect> = effects.into();
        while let Some(effect) = left.pop_front() {
            let event = match effect {
                Effect::Logs { token, .. } => {
                    let all = self.disks.iter().enumerate();
                    let mut lines: Vec<(usize, LogLine)> =
                        all.flat_map(|(s, d)| d.tail(5000).into_iter().map(move |l| (s, l))).collect();
                    lines.sort_by_key(|(_, l)| l.at);
                    Event::Log { token, lines }
                }
                Effect::LogPage { token, source, turn, .. } => {
                    self.pages += 1;
                    Event::LogPage { token, source, older: turn.older, result: Ok(self.disks[source].page(&turn)) }
                }
                _ => continue,
            };
            left.extend(self.app.send(event));
        }
    }

    fn log(&self) -> &crate::tui::log::LogView {
        self.app.model.log.as_ref().unwrap()
    }

    /// What is kept, oldest first, as a test can compare it.
    fn kept(&self) -> Vec<String> {
        self.log().lines.iter().map(|l| String::from_utf8_lossy(l.raw()).into_owned()).collect()
    }

    fn bottom(&self) -> String {
        self.log().back().next().map(|l| l.safe().to_string()).unwrap_or_default()
    }
}

fn one(lines: usize) -> Vec<Disk> {
    vec![Disk { lines, pace: 1, inode: 7 }]
}

#[test]
fn a_log_is_read_back_to_its_first_line() {
    let mut reader = Reader::open(one(12_345));
    assert!(reader.app.screen().contains("5000+ lines"), "{}", reader.app.screen());
    assert_eq!(reader.pages, 0, "nothing is read that nobody asked for");
    reader.keys("k");
    assert_eq!(reader.pages, 0);
    reader.keys("ggg");
    assert_eq!(reader.pages, 2);
    let wanted: Vec<String> = (0..12_345).map(|n| format!("line {n} of 7")).collect();
    assert_eq!(reader.kept(), wanted);
    let screen = reader.app.screen();
    assert!(screen.contains("line 0 of 7") && screen.contains(" 12345 lines"), "{screen}");
    // The place stays while lines come, and the end is where it was.
    let token = reader.log().token;
    reader.disks[0].lines += 1;
    let line = reader.disks[0].line(12_345);
    reader.app.send(Event::Log { token, lines: vec![(0, line)] });
    assert!(reader.app.screen().contains("line 0 of 7"));
    reader.keys("G");
    assert_eq!(reader.bottom(), "line 12345 of 7");
}

#[test]
fn what_is_kept_is_bounded_and_what_was_let_go_is_read_again() {
    let mut reader = Reader::open(one(300_000));
    reader.keys(&"g".repeat(65));
    let kept = reader.kept();
    assert_eq!((kept.len(), kept[0].as_str()), (MOST_LINES, "line 0 of 7"));
    let screen = reader.app.screen();
    assert!(screen.contains("far back") && !screen.contains("let go"), "{screen}");
    // What comes meanwhile is not kept, and not lost.
    let token = reader.log().token;
    let late = |reader: &mut Reader, n: usize| {
        let line = reader.disks[0].line(n);
        reader.app.send(Event::Log { token, lines: vec![(0, line)] });
    };
    reader.disks[0].lines = 300_010;
    (300_000..300_010).for_each(|n| late(&mut reader, n));
    assert_eq!(reader.kept().len(), MOST_LINES);
    // Down again, page by page, without a gap.
    let pages = reader.pages;
    while reader.log().behind {
        let end = reader.log().lines.back().unwrap().number;
        reader.app.model.log.as_mut().unwrap().anchor = Some(end);
        let effects = reader.app.press(KeyCode::PageDown);
        reader.answer(effects);
        assert!(reader.pages - pages < 30, "no end");
    }
    // One that was on its way when its page was read comes once.
    late(&mut reader, 300_009);
    reader.disks[0].lines = 300_011;
    late(&mut reader, 300_010);
    let kept = reader.kept();
    assert!(kept.len() <= MOST_LINES);
    let first = 300_011 - kept.len();
    assert!(kept.iter().enumerate().all(|(at, l)| *l == format!("line {} of 7", first + at)), "a gap");
    // From above straight to the end.
    reader.keys(&"g".repeat(65));
    assert!(reader.log().behind);
    reader.keys("G");
    assert_eq!((reader.bottom().as_str(), reader.log().lines.len()), ("line 300010 of 7", 5000));
    assert!(!reader.log().behind && reader.log().anchor.is_none());
}

#[test]
fn a_search_and_a_filter_go_on_in_what_is_not_here() {
    let mut reader = Reader::open(one(100_000));
    reader.keys("sline 1234 of\n");
    assert_eq!(reader.bottom(), "line 1234 of 7");
    let mut reader = Reader::open(one(100_000));
    reader.keys("sline 5 of nothing\n");
    assert!(reader.app.screen().contains("no older line has"), "{}", reader.app.screen());
}

#[test]
fn a_filter_looks_through_a_million_lines_and_leaves_no_gap() {
    let mut reader = Reader::open(one(1_000_000));
    reader.keys("/line 4?42 of\n");
    assert_eq!((reader.pages, reader.bottom().as_str()), (3, "line 442 of 7"));
    assert!(reader.log().anchor.is_none(), "it is followed");
    // Away with it: what was left out between is not here, so neither is what was read.
    let effects = reader.app.press(KeyCode::Esc);
    reader.answer(effects);
    assert_eq!((reader.log().lines.len(), reader.bottom().as_str()), (5000, "line 999999 of 7"));
    // From a place among what was read, the lines around it are shown.
    reader.keys("/line 4?42 of\nkk");
    assert_eq!(reader.bottom(), "line 42 of 7");
    let effects = reader.app.press(KeyCode::Esc);
    reader.answer(effects);
    // The first of them reads on.
    reader.keys(&"j".repeat(61));
    assert_eq!(reader.bottom(), "line 102 of 7");
    let wanted: Vec<String> = (0..reader.log().lines.len()).map(|n| format!("line {n} of 7")).collect();
    assert!(reader.log().behind && reader.kept() == wanted);
    // Another filter while the page of the first is on its way.
    reader.keys("G");
    let effects = reader.app.keys("/line 1\n");
    let others = reader.app.keys("/2 of\n");
    assert!(others.is_empty(), "one at a time: {others:?}");
    reader.answer(effects);
    let passed: Vec<_> = reader.log().back().map(|l| l.safe().to_string()).collect();
    assert_eq!(passed, ["line 12 of 7"]);
}

#[test]
fn logs_of_several_stay_in_the_order_of_their_times() {
    // The second is written to a tenth as often: its last lines reach back much farther.
    let disks = vec![Disk { lines: 40_000, pace: 1, inode: 7 }, Disk { lines: 4_000, pace: 10, inode: 8 }];
    let mut reader = Reader::open(disks);
    let place = reader.bottom();
    for key in ["k", "g", "g", "g"] {
        reader.keys(key);
        let times: Vec<_> = reader.log().lines.iter().map(|l| l.at).collect();
        assert!(times.is_sorted());
    }
    assert!(reader.pages >= 2 && reader.log().lines.len() > 12_000, "{} {}", reader.pages, reader.log().lines.len());
    reader.keys("G");
    assert_eq!(reader.bottom(), place);
}

#[test]
fn logs_of_several_are_read_down_again_after_they_were_let_go() {
    let disks = vec![Disk { lines: 200_000, pace: 2, inode: 7 }, Disk { lines: 130_000, pace: 3, inode: 8 }];
    let mut reader = Reader::open(disks);
    reader.keys(&"g".repeat(90));
    assert!(reader.log().behind && reader.kept()[0].starts_with("line 0 of"), "{}", reader.app.screen());
    // What comes meanwhile is on the disk when its turn is.
    let token = reader.log().token;
    for source in 0..2 {
        let n = reader.disks[source].lines;
        reader.disks[source].lines += 1;
        let line = reader.disks[source].line(n);
        reader.app.send(Event::Log { token, lines: vec![(source, line)] });
    }
    let pages = reader.pages;
    while reader.log().behind {
        let end = reader.log().lines.back().unwrap().number;
        reader.app.model.log.as_mut().unwrap().anchor = Some(end);
        let effects = reader.app.press(KeyCode::PageDown);
        reader.answer(effects);
        assert!(reader.pages - pages < 60, "no end");
        assert!(reader.log().lines.len() <= MOST_LINES);
    }
    let log = reader.log();
    assert!(log.lines.iter().map(|l| l.at).is_sorted(), "out of order");
    assert!(log.lines.iter().zip(log.lines.iter().skip(1)).all(|(a, b)| a.number + 1 == b.number));
    for (source, disk) in reader.disks.iter().enumerate() {
        let of = log.lines.iter().filter(|l| l.source == source).map(|l| String::from_utf8_lossy(l.raw()).into_owned());
        let of: Vec<String> = of.collect();
        let first = disk.lines - of.len();
        let whole = of.iter().enumerate().all(|(at, l)| *l == format!("line {} of {}", first + at, disk.inode));
        assert!(whole && of.len() > 10_000, "a gap in {}", disk.inode);
    }
    // And they are followed again.
    let n = reader.disks[1].lines;
    let line = reader.disks[1].line(n);
    reader.app.send(Event::Log { token, lines: vec![(1, line)] });
    assert_eq!(reader.kept().last().unwrap(), &format!("line {n} of 8"));
}

#[test]
fn a_page_that_cannot_be_read_is_said_and_asked_for_again() {
    let mut reader = Reader::open(one(12_000));
    let effects = reader.app.keys("g");
    let [Effect::LogPage { token, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert!(reader.app.screen().contains("reading…"));
    assert!(reader.app.keys("g").is_empty(), "one at a time");
    let result = Err("read log: Input/output error".to_owned());
    reader.app.send(Event::LogPage { token: *token, source: 0, older: true, result });
    assert!(reader.app.screen().contains("Input/output error"), "{}", reader.app.screen());
    reader.keys("g");
    assert_eq!((reader.pages, reader.log().lines.len()), (1, 10_000));
    // An answer for a log that is not open any more.
    let stale = Event::LogPage { token: token + 100, source: 0, older: true, result: Ok(LogPage::default()) };
    assert!(reader.app.send(stale).is_empty());
}
