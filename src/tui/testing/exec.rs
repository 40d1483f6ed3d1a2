//! Terminals in the app: who has the keys, what programs may do to the screen, and that no flood of theirs holds anything up.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use tokio::{sync::mpsc, task::JoinSet};

use super::{terminal::SAYS, *};
use crate::{
    bail,
    client::{Credentials, Output, Runtime, Session},
    error::Result,
    tui::{
        copying::{Copied, Copying},
        emulator::Emulator,
        event::Token,
        panes::PaneId,
        sessions::Sessions,
        terminals::{MOST, News, Order, State},
    },
};

/// An app with a shell in redis, and its token.
pub fn opened(width: u16, height: u16) -> (App, Token) {
    let mut app = App::new(width, height);
    let token = open(&mut app);
    (app, token)
}

pub fn open(app: &mut App) -> Token {
    let (width, height) = app.model.size;
    app.keys("3/redis\n");
    let effects = app.keys("s");
    let [Effect::Terminal { token, order: Order::Open { container, command, size } }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((container, command.len(), *size), (&id("ctr", 6), 0, (width, height - 4)));
    let token = *token;
    app.send(Event::Terminal { token, news: News::Opened });
    token
}

pub fn says(app: &mut App, token: Token, text: &[u8]) -> Vec<Effect> {
    app.send(Event::Terminal { token, news: News::Output(text.to_vec(), None) })
}

fn typed(effects: &[Effect]) -> Vec<u8> {
    let input = |e: &Effect| match e {
        Effect::Terminal { order: Order::Input(bytes), .. } => bytes.clone(),
        other => panic!("{other:?}"),
    };
    effects.iter().flat_map(input).collect()
}

fn leave(app: &mut App) -> Vec<Effect> {
    // As the reader names ^].
    app.ctrl('5')
}

#[test]
fn the_keys_are_the_terminals_until_it_is_left() {
    let (mut app, token) = opened(80, 24);
    says(&mut app, token, b"redis:/data# ");
    assert!(app.screen().contains("redis:/data#") && app.screen().contains("^] leaves"), "{}", app.screen());
    assert_eq!(typed(&app.keys("q:/3\n")), b"q:/3\r");
    assert_eq!(typed(&app.ctrl('c')), [3]);
    assert_eq!(typed(&app.press(KeyCode::Esc)), [0x1B]);
    assert_eq!(typed(&app.press(KeyCode::Up)), b"\x1b[A");
    says(&mut app, token, b"\x1b[?1h\x1b[?2004h");
    assert_eq!(typed(&app.press(KeyCode::Up)), b"\x1bOA");
    assert_eq!(typed(&app.send(Event::Paste("ls\n\x1b[201~".into()))), b"\x1b[200~ls\r[201~\x1b[201~");
    assert!(leave(&mut app).is_empty());
    assert!(app.screen().contains("runs on"), "{}", app.screen());
    // It goes on elsewhere, and is there again.
    assert!(app.keys("q").is_empty() && app.model.pane == PaneId::Containers);
    says(&mut app, token, b"meanwhile");
    app.keys("T");
    assert!(app.screen().contains("meanwhile"), "{}", app.screen());
    app.keys("\n");
    assert_eq!(typed(&app.keys("x")), b"x");
    leave(&mut app);
    app.keys("q");
    // The key that opened it comes back to it.
    assert!(app.keys("s").is_empty());
    assert_eq!(typed(&app.keys("y")), b"y");
}

#[test]
fn it_is_as_large_as_its_pane() {
    let (mut app, token) = opened(80, 24);
    let resized = |e: &[Effect]| match e {
        [Effect::Terminal { token: t, order: Order::Resize(size) }] if *t == token => *size,
        other => panic!("{other:?}"),
    };
    assert_eq!(resized(&app.send(Event::Resize(160, 48))), (160, 44));
    // The line about a runtime that is dead takes one.
    let error = Event::InventoryFailed { error: "connection refused".into(), at: now() };
    assert_eq!(resized(&app.send(error)), (160, 43));
    assert!(app.send(Event::Resize(40, 10)).is_empty(), "too small to be drawn");
    says(&mut app, token, "wide: 日本語日本語\n".repeat(60).as_bytes());
    for width in [81, 160, 97, 83, 90] {
        app.send(Event::Resize(width, 30));
        says(&mut app, token, "日本語日本語x".repeat(40).as_bytes());
        app.screen();
    }
    let screen = app.model.terminals.shown().unwrap().emulator.screen();
    assert_eq!(screen.size(), (25, 90));
}

#[test]
fn what_a_program_says_to_the_terminal_stays_in_its_cells() {
    let (mut app, token) = opened(80, 24);
    for text in [SAYS, "\x1bktitle\x1b\\", "\x1b[>c\x1b[5n\x1b[18t\x1b[?u", "\x1b]52;c;b3duZWQ=\x1b\\", "\u{9b}6n"] {
        let effects = says(&mut app, token, text.as_bytes());
        // That it wants the mouse is heard, by the app.
        assert!(effects.iter().all(|e| matches!(e, Effect::Mouse(_))), "nothing is answered: {text:?} {effects:?}");
    }
    says(&mut app, token, "\x0f\x1b[r\x1b[H\x1b[2Ja\u{202e}b\u{200b}c\u{301} \u{7f}\u{85}d".as_bytes());
    let screen = app.screen();
    assert!(screen.lines().nth(3).is_some_and(|l| l.starts_with("abc\u{301} d")), "{screen}");
    for bad in ["owned", "title", "b3du", "\u{202e}", "\u{200b}", "\x1b"] {
        assert!(!screen.contains(bad), "{bad:?} {screen}");
    }
    assert_eq!(screen.lines().count(), 24);
}

#[test]
fn lines_are_drawn_as_its_terminfo_entry_has_them() {
    let mut it = Emulator::new((20, 4));
    it.process(b"\x1b(B\x1b)0\x0elqk\x0f q\r\n\x1b(0x\x1b(Bx\r\n0123456789\tA\x1b[Z\x1b[ZB\x1b[2;1HX\x1bEY");
    let rows: Vec<String> = it.screen().rows(0, 20).collect();
    assert_eq!(rows[..3], ["┌─┐ q", "Xx", "Y1234567B9      A"]);
    // Counts need not be larger than the screen, and a sequence has an end.
    let begin = Instant::now();
    for hostile in ["\x1b[65535L", "\x1b[65535T", "\x1b[65535@", "\x1b[0000065535@", "\x1b[99999999L"] {
        it.process(hostile.repeat(2000).as_bytes());
    }
    it.process(&[b"\x1b[".as_slice(), &vec![b'1'; 1 << 20], b"mok"].concat());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(it.screen().contents().contains("ok"), "{}", it.screen().contents());
    assert_eq!(it.broken, 0);
}

#[test]
fn noise_of_every_kind_leaves_the_app_alone() {
    let (mut app, token) = opened(80, 24);
    let pieces = [
        "\x1b[", "\x1b", "?", ";", "1049", "47", "h", "l", "r", "H", "m", "99999", "日", "é", "\u{301}", "\n", "\r",
        "\t", "\x08", "L", "M", "@", "P", "X", "Z", "S", "T", "7", "8", "c", "J", "K", "\x0e", "(0", "]0;", "\x07",
        "6", "x", "\u{fffd}", "3", "1", "D", "A",
    ];
    let mut seed = 1_u64;
    let mut next = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most
    };
    for round in 0..400 {
        let noise: String = (0..200).map(|_| pieces[next(pieces.len())]).collect();
        says(&mut app, token, noise.as_bytes());
        if round % 7 == 0 {
            app.send(Event::Resize(80 + next(60) as u16, 24 + next(20) as u16));
        }
        if round % 5 == 0 {
            assert!(!app.screen().contains('\x1b'));
        }
    }
    // Where the emulation breaks down it begins anew, which is told.
    let broken = app.model.terminals.shown().unwrap().emulator.broken;
    says(&mut app, token, b"\x1bc\x1b[Hstill here");
    assert!(app.screen().contains("still here"), "{broken} {}", app.screen());
    assert_eq!(app.screen().contains("began anew"), broken > 0);
}

#[test]
fn older_lines_are_there_and_typing_comes_back() {
    let (mut app, token) = opened(80, 24);
    let lines: String = (0..3000).map(|n| format!("line {n}\r\n")).collect();
    says(&mut app, token, lines.as_bytes());
    leave(&mut app);
    app.keys("g");
    assert!(app.screen().contains("line 1981\n") && app.screen().contains("1000 lines back"), "{}", app.screen());
    app.keys("j");
    app.press(KeyCode::PageDown);
    app.keys("\n");
    app.keys("x");
    assert!(app.screen().contains("line 2999"), "{}", app.screen());
}

#[test]
fn its_end_stays_until_a_key_that_can_mean_it() {
    let (mut app, token) = opened(80, 24);
    says(&mut app, token, b"bye");
    app.send(Event::Terminal { token, news: News::Ended(Ok(7)) });
    assert!(app.screen().contains("ended with 7, any key closes") && app.screen().contains("bye"), "{}", app.screen());
    assert!(app.keys("x").is_empty(), "typed before it could be read");
    app.drawn();
    app.clock += Duration::from_secs(1);
    assert_eq!(app.keys("x"), [Effect::Terminal { token, order: Order::Close }]);
    assert!(app.model.pane == PaneId::Containers && app.model.terminals.all.is_empty());
    // One that nobody looks at says so, and waits.
    let (mut app, token) = opened(80, 24);
    leave(&mut app);
    app.keys("2");
    app.send(Event::Terminal { token, news: News::Ended(Err("no shell could be started".into())) });
    assert!(app.screen().contains("cart-redis-0/redis: no shell could be started"), "{}", app.screen());
    app.keys("T");
    assert!(app.screen().contains("failed"), "{}", app.screen());
    assert_eq!(app.keys("\n"), [Effect::Terminal { token, order: Order::Close }]);
}

#[test]
fn what_is_refused_is_said_where_it_was_asked() {
    let (mut app, token) = opened(80, 24);
    let refused = News::Refused("containerd does not answer. By hand: nsenter -t 11 sh".into());
    assert_eq!(app.send(Event::Terminal { token, news: refused }), [Effect::Terminal { token, order: Order::Close }]);
    assert!(app.model.pane == PaneId::Containers && app.screen().contains("nsenter -t 11 sh"), "{}", app.screen());
    // Another that is open keeps its place and the keys.
    let (mut app, first) = opened(80, 24);
    leave(&mut app);
    app.keys("q");
    let effects = app.keys(":exec top\n");
    let [Effect::Terminal { token, .. }] = effects[..] else { panic!("{effects:?}") };
    leave(&mut app);
    app.keys("n\n");
    app.send(Event::Terminal { token, news: News::Refused("no".into()) });
    assert_eq!(app.model.terminals.shown().map(|t| t.token), Some(first));
    assert_eq!(typed(&app.keys("x")), b"x");
}

#[test]
fn several_are_bounded_and_leaving_the_app_asks() {
    let (mut app, first) = opened(80, 24);
    leave(&mut app);
    app.keys("q");
    for n in 1..MOST {
        let effects = app.keys(":exec top -b\n");
        let [Effect::Terminal { order: Order::Open { command, .. }, .. }] = &effects[..] else {
            panic!("{n} {effects:?}")
        };
        assert_eq!(command[..], ["top", "-b"]);
        leave(&mut app);
        app.keys("q");
    }
    assert!(app.keys(":exec top\n").is_empty() && app.screen().contains("6 terminals are open"), "{}", app.screen());
    app.keys("T");
    assert!(app.screen().contains(" 6/6 "), "{}", app.screen());
    app.keys("n");
    assert!(app.screen().contains(" 1/6 "), "{}", app.screen());
    assert_eq!(app.keys("x"), [Effect::Terminal { token: first, order: Order::Close }]);
    app.keys("q");
    assert!(!app.keys("q").contains(&Effect::Quit), "they would end");
    assert!(app.screen().contains("5 commands run in Exec"), "{}", app.screen());
    assert!(app.keys("q").contains(&Effect::Quit));
}

#[test]
fn read_only_forbids_it_and_what_does_not_run_has_none() {
    let mut app = App::new(80, 24);
    app.model.read_only = true;
    for keys in ["3/redis\ns", "S", ":exec ls\n"] {
        let effects = app.keys(keys);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Terminal { .. } | Effect::Exec { .. })), "{effects:?}");
        assert!(app.screen().contains("read-only: "), "{}", app.screen());
    }
    let (mut app, token) = opened(80, 24);
    app.model.read_only = true;
    assert!(app.keys("x").is_empty(), "nothing is typed either");
    app.send(Event::Terminal { token, news: News::Ended(Ok(0)) });
    let mut app = App::new(80, 24);
    assert!(app.keys("3/runner\ns").is_empty() && app.screen().contains("does not run"), "{}", app.screen());
    // The old way has its own key.
    let mut app = App::new(80, 24);
    app.keys("3/redis\n");
    assert_eq!(app.keys("S"), [Effect::Exec { container: id("ctr", 6) }]);
}

#[test]
fn copies_ask_for_both_paths_and_tell_what_came_of_them() {
    let mut app = App::new(80, 24);
    app.keys("3/redis\n");
    assert!(app.keys("w").is_empty());
    assert!(app.screen().contains(":get"), "{}", app.screen());
    let effects = app.keys("/data/dump.rdb '/tmp/a b'\n");
    let [Effect::Files { token, copying }] = &effects[..] else { panic!("{effects:?}") };
    let wanted =
        Copying { container: id("ctr", 6), path: "/data/dump.rdb".into(), local: "/tmp/a b".into(), into: false };
    assert_eq!(*copying, wanted);
    app.wait(Duration::from_secs(20));
    app.send(Event::Copied { token: *token, copied: Copied::Some(3 << 20) });
    assert!(app.screen().contains(" copying 3.0M "), "{}", app.screen());
    assert!(!app.keys("q").contains(&Effect::Quit), "it would end");
    app.wait(Duration::from_secs(20));
    app.send(Event::Copied { token: *token, copied: Copied::All(Ok("1 file, 3145728 bytes".into())) });
    let screen = app.screen();
    assert!(
        screen.contains("get cart-redis-0/redis:/data/dump.rdb to /tmp/a b: 1 file") && !screen.contains("copying")
    );
    let effects = app.keys("Wfile /data/\n");
    let [Effect::Files { token, copying }] = &effects[..] else { panic!("{effects:?}") };
    assert!(copying.into && copying.path == "/data/" && copying.local == "file");
    app.send(Event::Copied { token: *token, copied: Copied::All(Err("there is no file\x1b[2J".into())) });
    assert!(app.screen().contains("there is no file␛[2J"), "{}", app.screen());
    assert!(app.keys(":get /only\n").is_empty() && app.screen().contains("get what, to where?"), "{}", app.screen());
    app.model.read_only = true;
    for keys in ["W", ":put a b\n"] {
        assert!(app.keys(keys).is_empty() && app.screen().contains("read-only"), "{}", app.screen());
    }
    assert_eq!(app.keys(":get /a /b\n").len(), 1, "looking is allowed");
}

/// A runtime whose commands write for ever, are not there, or end.
#[derive(Debug)]
struct Endless {
    info: RuntimeInfo,
    /// Programs that are there.
    there: Vec<&'static str>,
    asked: Mutex<Vec<Vec<String>>>,
    wrote: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

#[async_trait]
impl Runtime for Endless {
    fn info(&self) -> &RuntimeInfo {
        &self.info
    }
    async fn inventory(&self, _: Scope) -> Inventory {
        inventory()
    }
    async fn inspect(&self, _: &ObjectRef) -> Result<serde_json::Value> {
        bail!(Unimplemented, "endless")
    }
    async fn apply(&self, _: &Step) -> Result<String> {
        bail!(Unimplemented, "endless")
    }
    async fn pull(&self, _: &str, _: Option<&Credentials>, _: &(dyn Fn(PullProgress) + Send + Sync)) -> Result<String> {
        bail!(Unimplemented, "endless")
    }
    fn events(&self) -> BoxStream<'static, Result<()>> {
        futures::stream::pending().boxed()
    }
    fn logs(&self, _: &str, _: LogOptions) -> BoxStream<'static, Result<LogLine>> {
        futures::stream::pending().boxed()
    }
    async fn exec_sync(&self, _: &str, _: &[String], _: Duration) -> Result<ExecResult> {
        bail!(Unimplemented, "endless")
    }
    async fn exec(&self, request: &ExecRequest) -> Result<Box<dyn Session>> {
        self.asked.lock().unwrap().push(request.command.clone());
        let there = self.there.contains(&request.command[0].as_str());
        Ok(Box::new(Stream { there, wrote: Arc::clone(&self.wrote), ended: Arc::clone(&self.ended) }))
    }
}

#[derive(Debug)]
struct Stream {
    there: bool,
    wrote: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Session for Stream {
    async fn send(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    async fn close_stdin(&mut self) -> Result<()> {
        Ok(())
    }
    async fn recv(&mut self) -> Result<Output> {
        if !self.there {
            bail!(NotFound, "executable file not found in $PATH");
        }
        tokio::task::yield_now().await;
        self.wrote.fetch_add(4096, Ordering::SeqCst);
        Ok(Output::Stdout(vec![b'y'; 4096]))
    }
    async fn resize(&mut self, _: u16, _: u16) -> Result<()> {
        Ok(())
    }
}

fn endless(there: &[&'static str]) -> Arc<Endless> {
    let info = RuntimeInfo { mode: Mode::Demo, ..RuntimeInfo::default() };
    Arc::new(Endless {
        info,
        there: there.to_vec(),
        asked: Mutex::default(),
        wrote: Arc::default(),
        ended: Arc::default(),
    })
}

#[tokio::test]
async fn a_flood_waits_until_the_app_has_room_and_ends_with_its_terminal() {
    let runtime = endless(&["sh"]);
    let (send, mut events) = mpsc::channel(256);
    let (mut sessions, mut tasks) = (Sessions::default(), JoinSet::new());
    let open = Order::Open { container: id("ctr", 6), command: vec!["yes".into()], size: (80, 20) };
    let shared: Arc<dyn Runtime> = runtime.clone();
    sessions.order(&mut tasks, (Arc::clone(&shared), send.clone()), 1, open);
    let mut held = Vec::new();
    while held.len() < 2 {
        held.push(events.recv().await.unwrap());
    }
    // One piece is here and not taken in: nothing else comes, and nothing more is read.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(events.try_recv().is_err());
    let Event::Terminal { news: News::Output(piece, Some(_)), .. } = &held[1] else { panic!("{held:?}") };
    assert!(piece.len() <= 32 << 10 && runtime.wrote.load(Ordering::SeqCst) <= 80 << 10);
    drop(held);
    assert!(matches!(events.recv().await, Some(Event::Terminal { news: News::Output(..), .. })));
    // Keys that nobody reads are bounded as well, and it is told that they are lost.
    for _ in 0..600 {
        sessions.order(&mut tasks, (Arc::clone(&shared), send.clone()), 1, Order::Input(b"x".to_vec()));
    }
    let lost = async {
        loop {
            if let Some(Event::Failed(text)) = events.recv().await {
                return text;
            }
        }
    };
    let text = tokio::time::timeout(Duration::from_secs(20), lost).await.unwrap();
    assert!(text.contains("reads nothing"), "{text}");
    sessions.order(&mut tasks, (shared, send), 1, Order::Close);
    while tasks.join_next().await.is_some() {}
    assert!(runtime.ended.load(Ordering::SeqCst), "the command ends with its terminal");
    assert_eq!(runtime.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_shell_is_looked_for_where_images_have_it() {
    for (there, tried, opens) in [(&["/busybox/sh"][..], 3, true), (&[], 6, false)] {
        let runtime = endless(there);
        let (send, mut events) = mpsc::channel(256);
        let (mut sessions, mut tasks) = (Sessions::default(), JoinSet::new());
        let open = Order::Open { container: id("ctr", 6), command: Vec::new(), size: (80, 20) };
        sessions.order(&mut tasks, (runtime.clone(), send), 1, open);
        let last = loop {
            match events.recv().await.unwrap() {
                Event::Terminal { news: News::Opened, .. } => {}
                other => break other,
            }
        };
        match last {
            Event::Terminal { news: News::Output(..), .. } => assert!(opens),
            Event::Terminal { news: News::Ended(Err(error)), .. } => {
                assert!(!opens && error.contains("no shell could be started (sh, /bin/sh"), "{error}");
                assert!(error.contains("nor the node's: "), "{error}");
            }
            other => panic!("{other:?}"),
        }
        let asked = runtime.asked.lock().unwrap();
        assert_eq!(asked.len(), tried);
        assert!(asked.iter().all(|command| command.iter().any(|w| w.contains("TERM=screen-256color; export TERM"))));
    }
}

/// A screen as vi draws one.
pub const VI: &str = "\x1b[?1049h\x1b[H\x1b[2Jmaxmemory 256mb\r\nappendonly \x1b[1;32myes\x1b[0m\r\n~\r\n~\r\n\x1b[7m- redis.conf 1/2 50%\x1b[0m\x1b[1;11H";

pub fn ended(app: &mut App, token: Token) {
    says(app, token, b"/data # exit 3\r\n");
    app.send(Event::Terminal { token, news: News::Ended(Ok(3)) });
    assert_eq!(app.model.terminals.shown().map(|t| &t.state), Some(&State::Ended(Ok(3))));
}

#[test]
fn a_program_that_asks_for_the_mouse_gets_it_while_it_has_the_keys() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let (mut app, token) = opened(80, 24);
    let kind = MouseEventKind::Down(MouseButton::Left);
    let click = |app: &mut App, column, row| {
        app.send(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
    };
    assert_eq!(says(&mut app, token, b"\x1b[?1002h\x1b[?1006h"), [Effect::Mouse(true)]);
    assert_eq!(typed(&click(&mut app, 0, 3)), b"\x1b[<0;1;1M");
    assert_eq!(typed(&click(&mut app, 79, 22)), b"\x1b[<0;80;20M");
    assert!(click(&mut app, 10, 2).is_empty() && click(&mut app, 10, 23).is_empty());
    // Left, it is the person's terminal's again, and the program's when it is come back to.
    assert!(app.ctrl(']').contains(&Effect::Mouse(false)));
    assert!(app.keys("\n").contains(&Effect::Mouse(true)));
    assert_eq!(says(&mut app, token, b"\x1b[?1002l"), [Effect::Mouse(false)]);
    says(&mut app, token, b"\x1b[?1000h");
    let ended = app.send(Event::Terminal { token, news: News::Ended(Ok(0)) });
    assert_eq!(ended, [Effect::Mouse(false)]);
}
