//! Terminals in the app: opening, typing, leaving and coming back, and what commands tell.

use std::time::{Duration, SystemTime};

use crossterm::event::{KeyEvent, MouseEvent};

use super::{go, logs, looks};
use crate::{
    client::types::ContainerState,
    tui::{
        emulator::{Emulator, Mouse},
        event::{Effect, Token},
        keymap::{Cmd, Context},
        keys,
        model::{Model, NEEDS},
        panes::{self, PaneId},
        terminals::{MOST, News, Order, State, Term},
        text::SafeText,
        theme::Tone,
    },
};

/// Keys that were typed before the end of a command could be read do not close its terminal.
const READ: Duration = Duration::from_millis(400);
/// Bytes of one paste.
const PASTE: usize = 1 << 20;

/// A shell in the container of the row, or back to the one that is open there; or a command.
pub fn open(model: &mut Model, command: &str, out: &mut Vec<Effect>) {
    let here = model.terminals.shown().filter(|_| model.pane == PaneId::Exec);
    let found = match here.map(|t| (t.container.clone(), t.name.to_string())) {
        Some(found) => Some(found),
        None => logs::container(model),
    };
    let Some((container, name)) = found else { return };
    let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let same = |t: &Term| t.living() && command.is_empty() && t.command.is_empty() && t.container == container;
    if let Some(at) = model.terminals.all.iter().position(same) {
        go(model, PaneId::Exec, out);
        (model.terminals.at, model.terminals.typing) = (at, true);
        return;
    }
    let state = model.seen.containers.value().and_then(|all| all.iter().find(|c| c.id == container)).map(|c| c.state);
    if state != Some(ContainerState::Running) {
        return model.say(Tone::Warn, format!("{name} does not run"));
    }
    if model.terminals.all.len() >= MOST {
        let text = format!("{MOST} terminals are open, which is the most; {} ends one", model.keymap.named(Cmd::End));
        return model.say(Tone::Warn, text);
    }
    let token = model.next_token();
    go(model, PaneId::Exec, out);
    let size = panes::exec::size(model);
    model.terminals.all.push(Term {
        token,
        container: container.clone(),
        name: name.as_str().into(),
        command: command.clone(),
        emulator: Emulator::new(size),
        state: State::Opening,
        shown: None,
    });
    (model.terminals.at, model.terminals.typing) = (model.terminals.all.len() - 1, true);
    out.push(Effect::Terminal { token, order: Order::Open { container, command, size } });
}

/// Whether keys are a terminal's now.
pub fn typing(model: &Model) -> bool {
    model.pane == PaneId::Exec && model.terminals.typing && model.popup.is_none() && model.terminals.shown().is_some()
}

pub fn key(model: &mut Model, key: KeyEvent, at: SystemTime, out: &mut Vec<Effect>) {
    model.warned = false;
    let leave = model.keymap.lookup(&[Context::Terminal], key);
    let Some(term) = model.terminals.shown_mut() else { return };
    if !term.living() {
        if term.shown.is_some_and(|shown| at.duration_since(shown).is_ok_and(|d| d >= READ)) {
            close(model, out);
        }
        return;
    }
    if leave.is_some() {
        model.terminals.typing = false;
        return;
    }
    if let Some(bytes) = keys::encode(key, term.emulator.modes()) {
        input(model, bytes, out);
    }
}

pub fn paste(model: &mut Model, text: &str, out: &mut Vec<Effect>) {
    let Some(term) = model.terminals.shown().filter(|t| t.living()) else { return };
    if text.len() > PASTE {
        return model.say(Tone::Warn, "more than 1 MiB is not pasted");
    }
    let bytes = keys::paste(text, term.emulator.modes());
    input(model, bytes, out);
}

/// Whether the program that has the keys asked for the mouse.
fn wants_mouse(model: &Model) -> bool {
    let asks = |t: &Term| t.living() && t.emulator.modes().mouse != Mouse::None;
    typing(model) && !model.read_only && model.terminals.shown().is_some_and(asks)
}

/// A report of the mouse over the terminal of a program that asked for it is that program's; whether it was.
pub fn mouse(model: &mut Model, mouse: MouseEvent, out: &mut Vec<Effect>) -> bool {
    let Some(at) = panes::exec::cell_at(model, mouse.column, mouse.row).filter(|_| wants_mouse(model)) else {
        return false;
    };
    let modes = model.terminals.shown().map(|t| t.emulator.modes()).unwrap_or_default();
    if let Some(bytes) = keys::mouse(mouse, at, modes) {
        input(model, bytes, out);
    }
    true
}

/// Has the terminal report the mouse while somebody wants it.
pub fn capture(model: &mut Model, out: &mut Vec<Effect>) {
    let wanted = model.mouse || wants_mouse(model);
    if wanted != model.captured {
        model.captured = wanted;
        out.push(Effect::Mouse(wanted));
    }
}

fn input(model: &mut Model, bytes: Vec<u8>, out: &mut Vec<Effect>) {
    if model.read_only {
        return model.say(Tone::Warn, "read-only: nothing is typed into containers");
    }
    if let Some(term) = model.terminals.shown_mut() {
        // Whoever types wants to see what comes of it.
        let back = term.emulator.scrolled() as isize;
        term.emulator.scroll(-back);
        out.push(Effect::Terminal { token: term.token, order: Order::Input(bytes) });
    }
}

pub fn news(model: &mut Model, token: Token, news: News, out: &mut Vec<Effect>) {
    let (pane, typing) = (model.pane, model.terminals.typing);
    let Some(at) = model.terminals.all.iter().position(|t| t.token == token) else { return };
    let seen = pane == PaneId::Exec && model.terminals.at == at;
    model.dirty |= seen;
    let term = &mut model.terminals.all[at];
    let ended = match news {
        News::Opened => {
            term.state = State::Running;
            return;
        }
        News::Refused(error) => {
            let text = format!("{} in {}: {error}", term.what(), term.name);
            (term.state, model.dirty) = (State::Ended(Err(error.as_str().into())), true);
            let shown = std::mem::replace(&mut model.terminals.at, at);
            close(model, out);
            if shown != at && !model.terminals.all.is_empty() {
                model.terminals.at = if shown > at { shown - 1 } else { shown };
                model.terminals.typing = typing;
            }
            model.happened.push(model.now, Tone::Bad, "you", "exec", text.as_str());
            // It may end with what to type by hand.
            return model.say(Tone::Bad, error);
        }
        News::Output(bytes, _room) => return term.emulator.process(&bytes),
        News::Ended(ended) => ended.map_err(SafeText::from),
    };
    let (what, name) = (term.what(), term.name.clone());
    let (tone, text) = match &ended {
        Ok(0) => (Tone::Plain, format!("{what} in {name} ended")),
        Ok(code) => (Tone::Warn, format!("{what} in {name} ended with {code}")),
        Err(error) => (Tone::Bad, format!("{what} in {name}: {error}")),
    };
    term.state = State::Ended(ended);
    model.dirty = true;
    model.happened.push(model.now, tone, "you", name, text.as_str());
    // Where it is looked at, it says so itself.
    if !(seen && typing) {
        model.say(tone, text);
    }
}

/// The end of a command is on the screen.
pub fn drawn(model: &mut Model, at: SystemTime) {
    let small = model.size.0 < NEEDS.0 || model.size.1 < NEEDS.1;
    if model.pane == PaneId::Exec
        && !small
        && model.popup.is_none()
        && let Some(term) = model.terminals.shown_mut().filter(|t| !t.living() && t.shown.is_none())
    {
        term.shown = Some(at);
    }
}

/// Keys of the pane while nobody types into a terminal.
pub fn pane_key(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    let all = model.terminals.all.len();
    match cmd {
        Cmd::Type => match model.terminals.shown() {
            Some(term) if !term.living() => close(model, out),
            Some(_) => model.terminals.typing = true,
            None => {}
        },
        Cmd::NextTerminal if all > 0 => model.terminals.at = (model.terminals.at + 1) % all,
        Cmd::PreviousTerminal if all > 0 => model.terminals.at = (model.terminals.at + all - 1) % all,
        Cmd::End if all > 0 => close(model, out),
        Cmd::CopyLines => {
            if let Some(term) = model.terminals.shown() {
                let text = term.emulator.screen().contents();
                looks::copied(model, text, "the screen", out);
            }
        }
        _ => {}
    }
}

/// Up is back to older lines.
pub fn scroll(model: &mut Model, by: isize) {
    if let Some(term) = model.terminals.shown_mut() {
        term.emulator.scroll(by.saturating_neg());
    }
}

/// Ends the terminal that is shown, and goes back when it was the last one.
fn close(model: &mut Model, out: &mut Vec<Effect>) {
    let at = model.terminals.at;
    if at >= model.terminals.all.len() {
        return;
    }
    let term = model.terminals.all.remove(at);
    out.push(Effect::Terminal { token: term.token, order: Order::Close });
    model.terminals.at = at.min(model.terminals.all.len().saturating_sub(1));
    model.terminals.typing = false;
    if term.living() {
        model.say(Tone::Plain, format!("{} in {} was ended", term.what(), term.name));
    }
    if model.terminals.all.is_empty() && model.pane == PaneId::Exec {
        go(model, model.terminals.from, out);
    }
}

/// Every terminal is as large as the pane, whatever changed it.
pub fn fit(model: &mut Model, out: &mut Vec<Effect>) {
    if model.terminals.all.is_empty() || model.small() {
        return;
    }
    let size = panes::exec::size(model);
    for term in model.terminals.all.iter_mut().filter(|t| t.emulator.size() != size) {
        term.emulator.resize(size);
        if term.living() {
            out.push(Effect::Terminal { token: term.token, order: Order::Resize(size) });
        }
    }
}

/// Whether something would end with the app that a person may not think of; says so once.
pub fn busy(model: &mut Model) -> bool {
    let living = model.terminals.living();
    if living + model.copies.len() == 0 || model.warned {
        return false;
    }
    model.warned = true;
    if living == 0 {
        model.say(Tone::Warn, "files are being copied, which would end; again leaves all the same");
        return true;
    }
    let what = if living == 1 { "a command runs".to_owned() } else { format!("{living} commands run") };
    let pane = model.keymap.named(Cmd::Pane(PaneId::Exec as u8));
    model.say(Tone::Warn, format!("{what} in Exec ({pane} goes there) and would end; again leaves all the same"));
    true
}
