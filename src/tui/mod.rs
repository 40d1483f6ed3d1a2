//! The terminal app: one event channel, `update` is a function, `view` draws from `&`. It draws any
//! [`Runtime`] and knows none in particular.

use std::{
    io::{BufWriter, IsTerminal, Stdout},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crossterm::{
    execute, queue,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    layout::{Position, Rect, Size},
};
use tokio::sync::mpsc;

use crate::{
    bail,
    client::{Runtime, audit::Intent, types::short_id},
    error::{Error, Kind, Result},
    runbook,
};

pub mod books;
pub mod copying;
pub mod detail;
mod doing;
mod effect;
pub mod emulator;
pub mod event;
mod exec;
pub mod filter;
pub mod graphs;
pub mod happen;
mod host;
pub mod keymap;
pub mod keys;
pub mod layers;
pub mod log;
pub mod model;
pub mod palette;
pub mod panes;
pub mod picture;
pub mod secrets;
mod sessions;
pub mod table;
pub mod terminals;
#[cfg(test)]
mod testing;
pub mod text;
pub mod theme;
pub mod tree;
mod tty;
pub mod update;
pub mod view;
pub mod volumes;
mod words;

use event::{Effect, Event};
use model::Model;

/// Events that may wait; a log that is faster than the screen waits here and loses nothing.
const WAITING: usize = 256;
/// Events taken between two frames at most.
const BATCH: usize = 64;
/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);

#[derive(Debug, Default)]
pub struct Options {
    /// Hides and refuses what changes the node, whatever the runtime would allow.
    pub read_only: bool,
    /// What others in this program have to say, a line each, for the message line and the events.
    pub notes: Option<mpsc::UnboundedReceiver<String>>,
    /// The runtime is a recording, and so is everything else.
    pub replay: Option<Replay>,
}

/// What a recording has beside its runtime.
#[derive(Debug, Clone)]
pub struct Replay {
    /// When it was made.
    pub at: SystemTime,
    pub host: event::Host,
    pub evidence: runbook::Evidence,
}

/// The machine's figures now, for a recording. Blocks for a few reads of /proc.
pub fn host_now() -> event::Host {
    let mut reader = host::Reader::new();
    reader.read();
    std::thread::sleep(Duration::from_millis(200));
    reader.read()
}

/// Fails with `FailedPrecondition` if the process's terminal, if any, cannot show the app.
pub fn usable() -> Result<()> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!(FailedPrecondition, "the app needs a terminal on its input and output");
    }
    match std::env::var("TERM").unwrap_or_default().as_str() {
        "" | "dumb" => bail!(FailedPrecondition, "the app cannot draw on a terminal that TERM calls nothing or dumb"),
        _ => Ok(()),
    }
}

/// Runs the app on the process's terminal until the person leaves, the terminal goes away, or a signal asks to end.
/// The terminal is put back on every way out. Returns the exit code: 0, or 128 and the signal's number; a terminal that
/// went away counts as SIGHUP. Fails with `FailedPrecondition` if there is no usable terminal.
pub async fn run(runtime: Arc<dyn Runtime>, options: Options) -> Result<u8> {
    usable()?;
    let theme = theme::of_environment(|name| std::env::var(name).unwrap_or_default());
    let (send, receive) = mpsc::channel(WAITING);
    // Ages are told as of the moment a recording is from.
    let clock = options.replay.as_ref().map(|r| tty::Clock::from(r.at)).unwrap_or_default();
    let mut tty = tty::Tty::enter(send.clone(), clock)?;
    let result = turn(&mut tty, runtime, options, theme, send, receive).await;
    let left = tty.leave();
    match result {
        Ok(code) => left.map(|()| code),
        Err(error) => Err(error.and_cleanup(left)),
    }
}

/// A frame goes out in one piece: standard output by itself would write a kilobyte at a time.
type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// More than a frame of a large terminal has.
const PIECE: usize = 128 << 10;

/// Draws a frame between the marks by which a terminal shows all of it or nothing.
fn draw(terminal: &mut Screen, model: &Model) -> std::io::Result<()> {
    queue!(terminal.backend_mut(), BeginSynchronizedUpdate)?;
    terminal.draw(|frame| view::view(model, frame))?;
    execute!(terminal.backend_mut(), EndSynchronizedUpdate)
}

/// Clears the screen, so that the next frame is drawn whole; its size. `Terminal::clear` would ask the terminal where its
/// cursor is, and the answer would be read by whoever reads the keys: the app would end for want of it.
fn wipe(terminal: &mut Screen) -> std::io::Result<Size> {
    let size = terminal.size()?;
    terminal.resize(Rect::from((Position::ORIGIN, size)))?;
    Ok(size)
}

async fn turn(
    tty: &mut tty::Tty,
    runtime: Arc<dyn Runtime>,
    options: Options,
    theme: theme::Theme,
    send: mpsc::Sender<Event>,
    mut receive: mpsc::Receiver<Event>,
) -> Result<u8> {
    let failed = |e: std::io::Error| Error::new(Kind::Unavailable, "draw on the terminal").with_source(e);
    // Not dropped: it would show the cursor, which `Tty` does, and complain on stderr if it cannot, which is a panic when
    // the terminal has gone.
    let out = BufWriter::with_capacity(PIECE, std::io::stdout());
    let terminal = Terminal::new(CrosstermBackend::new(out)).map_err(failed)?;
    let mut terminal = std::mem::ManuallyDrop::new(terminal);
    let size = terminal.size().map_err(failed)?;
    let info = runtime.info().clone();
    let clock = tty.clock();
    let mut model = Model::new(info, options.read_only, theme, (size.width, size.height), clock.now());
    let mut runner = effect::Runner::start(Arc::clone(&runtime), send.clone(), options.replay.map(Arc::new));
    if let Some(notes) = options.notes {
        runner.listen(notes);
    }
    let mut effects = update::update(&mut model, Event::Tick(clock.now()));
    loop {
        for effect in std::mem::take(&mut effects) {
            match effect {
                Effect::Quit => return Ok(0),
                Effect::Redraw => {
                    wipe(&mut terminal).map_err(failed)?;
                    model.dirty = true;
                }
                Effect::Exec { container } => {
                    tty.suspend()?;
                    let intent = Intent::new(format!("a shell in container {}", short_id(&container)));
                    let (result, journal) = match intent.begin(runtime.info()).await {
                        Ok(begun) => {
                            let result = tokio::select! {
                                result = exec::shell(runtime.as_ref(), &container) => result,
                                code = tty.ended() => return Ok(code),
                            };
                            let journal = begun.done(&result).await;
                            (result, journal)
                        }
                        Err(error) => (Err(error), Ok(())),
                    };
                    tty.resume()?;
                    let size = wipe(&mut terminal).map_err(failed)?;
                    update::update(&mut model, Event::Resize(size.width, size.height));
                    // The clock stood still meanwhile, and what is said next would be old at once.
                    effects = update::update(&mut model, Event::Tick(clock.now()));
                    effects.extend(update::update(&mut model, Event::ExecEnded(result.map_err(|e| format!("{e:#}")))));
                    // Not by the channel: it may be full, and this is who empties it.
                    if let Err(error) = journal {
                        effects.extend(update::update(&mut model, Event::Failed(format!("{error:#}"))));
                    }
                }
                Effect::Mouse(on) => tty.mouse(on)?,
                Effect::Copy(text) => tty::Tty::copy(&text)?,
                effect => runner.run(effect),
            }
        }
        if !effects.is_empty() {
            continue;
        }
        if model.dirty {
            model.dirty = false;
            draw(&mut terminal, &model).map_err(failed)?;
            effects.extend(update::update(&mut model, Event::Drawn(clock.now())));
        }
        let pause = Duration::from_millis(if model.counting() { 200 } else { 1000 });
        let first = tokio::select! {
            code = tty.ended() => return Ok(code),
            next = tokio::time::timeout(pause, receive.recv()) => match next {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(0),
                Err(_) => Event::Tick(clock.now()),
            },
        };
        // Whatever came in the meantime belongs in the same frame; a key is answered at once.
        let mut at_once = first.is_input();
        effects.extend(update::update(&mut model, first));
        let frame = tokio::time::Instant::now() + FRAME;
        for _ in 0..BATCH {
            if !effects.is_empty() {
                break;
            }
            let next = match receive.try_recv() {
                Ok(event) => event,
                Err(_) if at_once || !model.dirty => break,
                Err(_) => match tokio::time::timeout_at(frame, receive.recv()).await {
                    Ok(Some(event)) => event,
                    _ => break,
                },
            };
            at_once |= next.is_input();
            effects.extend(update::update(&mut model, next));
        }
        // A busy channel must not keep the clock from moving.
        let now = clock.now();
        if now.duration_since(model.now).is_ok_and(|d| d >= pause) {
            effects.extend(update::update(&mut model, Event::Tick(now)));
        }
    }
}
