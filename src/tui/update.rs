//! What every event does to the model and what it asks for. A function of its arguments: no I/O, no clock.
//! Plans, jobs and pulls are in `update/acts.rs`.

use std::time::{Duration, SystemTime};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    detail::{self, Detail},
    event::{Effect, Event},
    keymap::{self, Cmd, Context},
    log::LogView,
    model::{GUARD, Input, Model, Phase, Popup, scope},
    panes::{self, PaneId},
    text::SafeText,
    theme::Tone,
};
use crate::client::types::{ObjectRef, Scope};

mod acts;
mod books;

/// Between two readings of what the pane shows, and of everything.
const OFTEN: Duration = Duration::from_secs(3);
const SELDOM: Duration = Duration::from_secs(60);

pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let mut out = Vec::new();
    match event {
        Event::Key(key, at) => {
            if key.kind != KeyEventKind::Release && !model.small() {
                model.dirty = true;
                model.now = model.now.max(at);
                self::key(model, key, at, &mut out);
            }
        }
        Event::Paste(text) => paste(model, &text),
        Event::Resize(width, height) => {
            model.size = (width, height);
            model.settle();
            model.dirty = true;
        }
        Event::Tick(now) => tick(model, now, &mut out),
        Event::Drawn(at) => {
            if matches!(model.popup, Some(Popup::Job))
                && let Some(job) = model.job.as_mut().filter(|j| j.shown.is_none())
                && !(model.size.0 < super::model::NEEDS.0 || model.size.1 < super::model::NEEDS.1)
            {
                job.shown = Some(at);
            }
        }
        Event::Changed => ask(model, scope(model.pane), &mut out),
        Event::Inventory(inventory) => {
            model.pending = false;
            let dead = model.dead().is_some();
            model.merge(&inventory);
            model.dirty |= dead != model.dead().is_some() || model.pane == PaneId::Node;
            model.dirty |= model.rebuild();
        }
        Event::InventoryFailed { error, at } => {
            model.pending = false;
            let text = SafeText::new(&error);
            let fault = super::model::Fault { error: text.clone(), since: at };
            model.faults.entry("containers").or_insert(fault).error = text;
            model.settle();
            model.dirty = true;
        }
        Event::Host(host) => {
            model.history.host(&host);
            model.dirty |= model.pane == PaneId::Node;
            model.host = Some(host);
        }
        Event::Inspected { token, result } => {
            if let Some(Popup::Detail(d)) = &mut model.popup
                && d.token == token
            {
                d.result = Some(match result {
                    Ok(value) => Ok(if d.raw { detail::raw(&value) } else { detail::describe(&value) }),
                    Err(error) => Err(error.into()),
                });
                model.dirty = true;
            }
        }
        Event::Planned { token, result } => acts::planned(model, token, result),
        Event::StepDone { token, step, result } => acts::step_done(model, token, step, result, &mut out),
        Event::Log { token, lines } => {
            if let Some(log) = model.log.as_mut().filter(|l| l.token == token) {
                log.push(&lines);
                model.dirty |= model.pane == PaneId::Logs;
            }
        }
        Event::LogEnd { token, error } => {
            if let Some(log) = model.log.as_mut().filter(|l| l.token == token) {
                log.ended = Some(error);
                model.dirty = true;
            }
        }
        Event::PullProgress { token, progress } => acts::progress(model, token, progress),
        Event::Pulled { token, result } => acts::pulled(model, token, result, &mut out),
        Event::ExecEnded(result) => {
            match result {
                Ok(0) => model.say(Tone::Plain, "the shell ended"),
                Ok(code) => model.say(Tone::Warn, format!("the shell ended with {code}")),
                Err(error) => model.say(Tone::Bad, error),
            }
            ask(model, scope(model.pane), &mut out);
        }
        Event::Run { token, event } => {
            model.books.take(token, event);
            model.dirty |= model.pane == PaneId::Runbooks && model.rebuild();
        }
        Event::Failed(error) => model.say(Tone::Bad, error),
        Event::Hangup => out.push(Effect::Quit),
    }
    out
}

fn ask(model: &mut Model, scope: Scope, out: &mut Vec<Effect>) {
    (model.asked, model.pending) = (Some(model.now), true);
    out.push(Effect::Refresh(scope));
}

fn tick(model: &mut Model, now: SystemTime, out: &mut Vec<Effect>) {
    let since = |then: Option<SystemTime>| then.map(|t| now.duration_since(t).unwrap_or_default());
    let minute = |t: SystemTime| t.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
    model.dirty |= minute(now) != minute(model.now);
    model.now = now;
    if model.toast.as_ref().is_some_and(|t| t.until <= now) {
        model.toast = None;
        model.dirty = true;
    }
    model.dirty |= model.counting() || model.dead().is_some() || model.pane == PaneId::Node;
    model.dirty |= model.rebuild();
    acts::count_down(model, out);
    if since(model.full).is_none_or(|s| s >= SELDOM) {
        model.full = Some(now);
        ask(model, Scope::ALL, out);
    } else if !model.pending && since(model.asked).is_none_or(|s| s >= OFTEN) {
        ask(model, scope(model.pane), out);
    }
}

/// Pasted text is text: it fills an open input up to its first line end and never presses anything.
fn paste(model: &mut Model, text: &str) {
    if model.input.is_none() {
        return;
    }
    let line = text.lines().next().unwrap_or_default();
    let room = 1024_usize.saturating_sub(model.input.as_ref().map_or(0, |i| i.text.len()));
    let line: String = line.chars().filter(|c| !c.is_control()).take(room).collect();
    if let Some(input) = &mut model.input {
        input.text.push_str(&line);
    }
    typed(model);
    model.dirty = true;
}

fn key(model: &mut Model, key: KeyEvent, at: SystemTime, out: &mut Vec<Effect>) {
    if model.input.is_some() {
        return input(model, key, out);
    }
    let contexts: &[Context] = match &model.popup {
        Some(Popup::Job) => &[Context::Plan, Context::Everywhere],
        Some(_) => &[Context::Text, Context::Everywhere],
        None if model.pane == PaneId::Logs => &[Context::Logs, Context::Text, Context::Everywhere],
        None => &[Context::Table, Context::Everywhere],
    };
    let Some(binding) = keymap::lookup(contexts, key) else { return };
    if binding.changes && model.read_only {
        return model.say(Tone::Warn, format!("read-only: {} is not done", binding.hint.trim_start()));
    }
    if binding.cmd != Cmd::Interrupt {
        model.warned = false;
    }
    match &mut model.popup {
        Some(Popup::Job) => job_key(model, binding.cmd, at, out),
        Some(_) => popup_key(model, binding.cmd, out),
        None => pane_key(model, binding.cmd, out),
    }
}

fn interrupt(model: &mut Model, out: &mut Vec<Effect>) {
    let busy = model.job.as_ref().is_some_and(|j| j.phase == Phase::Running);
    if busy && !model.warned {
        model.warned = true;
        return model.say(Tone::Warn, "a plan is being carried out; ^C again leaves it where it is");
    }
    out.push(Effect::Quit);
}

fn job_key(model: &mut Model, cmd: Cmd, at: SystemTime, out: &mut Vec<Effect>) {
    let Some(job) = &mut model.job else {
        model.popup = None;
        return;
    };
    let settled = job.shown.is_some_and(|shown| at.duration_since(shown).is_ok_and(|d| d >= GUARD));
    match (cmd, job.phase) {
        (Cmd::Interrupt, _) => interrupt(model, out),
        (Cmd::Down, _) => job.scroll += 1,
        (Cmd::Up, _) => job.scroll = job.scroll.saturating_sub(1),
        (Cmd::PageDown, _) => job.scroll += 10,
        (Cmd::PageUp, _) => job.scroll = job.scroll.saturating_sub(10),
        (Cmd::CallOff, Phase::Grace | Phase::Review(_)) => {
            let counted = job.phase == Phase::Grace;
            model.popup = None;
            model.job = None;
            if counted {
                model.say(Tone::Plain, "called off, nothing done");
            }
        }
        (Cmd::CallOff, Phase::Done) | (Cmd::Press, Phase::Done) => {
            model.popup = None;
            model.job = None;
        }
        // Goes on behind; the hint line tells how far it is.
        (Cmd::CallOff, Phase::Running) => model.popup = None,
        (Cmd::Press, Phase::Review(false)) => {
            model.popup = None;
            model.job = None;
        }
        (Cmd::Switch, Phase::Review(on)) => job.phase = Phase::Review(!on),
        (Cmd::Press, Phase::Grace | Phase::Review(true)) | (Cmd::Start, Phase::Grace | Phase::Review(_)) if settled => {
            acts::start(model, out);
        }
        _ => {}
    }
}

fn popup_key(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    let page = model.page();
    let by = match cmd {
        Cmd::Down => 1,
        Cmd::Up => -1,
        Cmd::HalfDown => page as isize / 2,
        Cmd::HalfUp => -(page as isize) / 2,
        Cmd::PageDown => page as isize,
        Cmd::PageUp => -(page as isize),
        Cmd::Top => isize::MIN / 2,
        Cmd::Bottom => isize::MAX / 2,
        Cmd::Interrupt => return interrupt(model, out),
        Cmd::Redraw => return out.push(Effect::Redraw),
        Cmd::Filter => {
            if let Some(Popup::Detail(d)) = &model.popup {
                model.input = Some(Input { command: false, text: d.filter.clone(), was: d.filter.clone() });
            }
            return;
        }
        Cmd::Back | Cmd::Quit | Cmd::Help => {
            if let Some(Popup::Detail(d)) = &mut model.popup
                && cmd == Cmd::Back
                && !d.filter.is_empty()
            {
                d.filter.clear();
            } else {
                model.popup = None;
            }
            return;
        }
        _ => return,
    };
    let most = |lines: usize| lines.saturating_sub(page);
    match &mut model.popup {
        Some(Popup::Help { scroll }) => *scroll = scroll.saturating_add_signed(by).min(keymap::BINDINGS.len()),
        Some(Popup::Detail(d)) => d.scroll = d.scroll.saturating_add_signed(by).min(most(d.shown().len())),
        _ => {}
    }
}

fn pane_key(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    let page = model.page();
    match cmd {
        Cmd::Quit if model.pane == PaneId::Logs => go(model, model.before, out),
        Cmd::Quit | Cmd::Interrupt => interrupt(model, out),
        Cmd::Back => back(model, out),
        Cmd::Help => model.popup = Some(Popup::Help { scroll: 0 }),
        Cmd::Command => model.input = Some(Input { command: true, text: String::new(), was: String::new() }),
        Cmd::Pull => model.input = Some(Input { command: true, text: "pull ".into(), was: String::new() }),
        Cmd::Filter => {
            let was = filter_of(model).unwrap_or_default();
            model.input = Some(Input { command: false, text: was.clone(), was });
        }
        Cmd::Pane(n) => {
            if let Some(pane) = panes::panes().get(usize::from(n)) {
                go(model, pane.id, out);
            }
        }
        Cmd::NextPane | Cmd::PreviousPane => {
            let (at, all) = (model.pane as usize, panes::panes().len());
            let to = if cmd == Cmd::NextPane { at + 1 } else { at + all - 1 } % all;
            go(model, panes::panes()[to].id, out);
        }
        Cmd::Refresh => ask(model, Scope::ALL, out),
        Cmd::Redraw => out.push(Effect::Redraw),
        Cmd::Down => step(model, 1),
        Cmd::Up => step(model, -1),
        Cmd::PageDown => step(model, page as isize),
        Cmd::PageUp => step(model, -(page as isize)),
        Cmd::HalfDown => step(model, (page / 2) as isize),
        Cmd::HalfUp => step(model, -((page / 2) as isize)),
        Cmd::Top => step(model, isize::MIN / 2),
        Cmd::Bottom => step(model, isize::MAX / 2),
        Cmd::Sort | Cmd::Reverse => {
            let columns = panes::of(model.pane).columns;
            if let Some(state) = model.tables.get_mut(&model.pane).filter(|_| !columns.is_empty()) {
                if cmd == Cmd::Sort {
                    (state.sort, state.reversed) = ((state.sort + 1) % columns.len(), false);
                } else {
                    state.reversed = !state.reversed;
                }
            }
            model.settle();
        }
        Cmd::Follow => {
            if let Some(log) = &mut model.log {
                log.follow(log.anchor.is_some());
            }
        }
        Cmd::Wrap => {
            if let Some(log) = &mut model.log {
                log.wrap = !log.wrap;
            }
        }
        Cmd::Times => {
            if let Some(log) = &mut model.log {
                log.times = !log.times;
            }
        }
        Cmd::Describe if model.pane == PaneId::Runbooks => books::open(model, out),
        Cmd::Diagnose => books::diagnose(model, out),
        Cmd::Fix => books::fix(model, out),
        Cmd::Describe | Cmd::Yaml => describe(model, cmd == Cmd::Yaml, out),
        Cmd::Logs => logs(model, out),
        Cmd::Exec => exec(model, out),
        Cmd::Stop => acts::stop(model, out),
        Cmd::Remove => acts::remove(model, out),
        Cmd::Prune => acts::prune(model, true, out),
        Cmd::PlanPrune => acts::prune(model, false, out),
        Cmd::Press | Cmd::Start | Cmd::CallOff | Cmd::Switch => {}
    }
}

fn back(model: &mut Model, out: &mut Vec<Effect>) {
    if filter_of(model).is_some_and(|f| !f.is_empty()) {
        set_filter(model, String::new());
    } else if books::close(model) {
        // Back in the list of runbooks.
    } else if model.pane == PaneId::Logs {
        go(model, model.before, out);
    }
}

fn go(model: &mut Model, pane: PaneId, out: &mut Vec<Effect>) {
    if pane == PaneId::Logs && model.pane != PaneId::Logs {
        model.before = model.pane;
    }
    model.pane = pane;
    model.rebuild();
    let wanted = panes::of(pane).part;
    if matches!(wanted, "images" | "snapshots" | "disk") {
        ask(model, scope(pane), out);
    }
}

fn step(model: &mut Model, by: isize) {
    if model.pane == PaneId::Logs {
        let page = model.page();
        if let Some(log) = &mut model.log {
            match by {
                by if by == isize::MIN / 2 => log.top(page),
                by if by == isize::MAX / 2 => log.follow(true),
                by if by < 0 => log.up(by.unsigned_abs()),
                by => log.down(by.unsigned_abs()),
            }
        }
        return;
    }
    let height = model.page();
    if let Some(state) = model.tables.get_mut(&model.pane) {
        state.step(&model.rows, &model.order, by, height);
    }
}

fn filter_of(model: &Model) -> Option<String> {
    match (&model.popup, model.pane) {
        (Some(Popup::Detail(d)), _) => Some(d.filter.clone()),
        (_, PaneId::Logs) => model.log.as_ref().map(|l| l.filter.clone()),
        _ => Some(model.table().filter.clone()),
    }
}

fn set_filter(model: &mut Model, filter: String) {
    let height = model.page();
    match (&mut model.popup, model.pane) {
        (Some(Popup::Detail(d)), _) => (d.filter, d.scroll) = (filter, 0),
        (_, PaneId::Logs) => {
            if let Some(log) = &mut model.log {
                log.filter = filter;
            }
        }
        (_, pane) => {
            if let Some(state) = model.tables.get_mut(&pane) {
                state.refilter(filter, &model.rows, panes::of(pane).columns, height);
            }
            model.settle();
        }
    }
}

/// A filter works while it is typed.
fn typed(model: &mut Model) {
    if let Some(Input { command: false, text, .. }) = &model.input {
        let text = text.clone();
        set_filter(model, text);
    }
}

fn input(model: &mut Model, key: KeyEvent, out: &mut Vec<Effect>) {
    let Some(input) = &mut model.input else { return };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => {
            let (command, was) = (input.command, std::mem::take(&mut input.was));
            model.input = None;
            if !command {
                set_filter(model, was);
            }
        }
        KeyCode::Char('c') if ctrl => model.input = None,
        KeyCode::Char('u') if ctrl => input.text.clear(),
        KeyCode::Char('w') if ctrl => {
            let kept = input.text.trim_end().rfind(' ').map_or(0, |at| at + 1);
            input.text.truncate(kept);
        }
        KeyCode::Backspace if input.text.is_empty() => model.input = None,
        KeyCode::Backspace => {
            input.text.pop();
        }
        KeyCode::Char(c) if !ctrl && input.text.len() < 1024 => input.text.push(c),
        KeyCode::Enter => {
            let Some(done) = model.input.take() else { return };
            if done.command {
                command(model, done.text.trim(), out);
            }
        }
        _ => {}
    }
    typed(model);
}

fn command(model: &mut Model, text: &str, out: &mut Vec<Effect>) {
    let (name, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(n, r)| (n, r.trim()));
    match name {
        "" => {}
        "q" | "quit" | "q!" | "exit" => interrupt(model, out),
        "help" | "h" => model.popup = Some(Popup::Help { scroll: 0 }),
        "pull" if model.read_only => model.say(Tone::Warn, "read-only: pull is not done"),
        "pull" if rest.is_empty() => model.say(Tone::Warn, "pull what? :pull REFERENCE"),
        "pull" => acts::pull(model, rest, out),
        "pulls" => model.popup = Some(Popup::Pulls),
        "prune" if model.read_only => model.say(Tone::Warn, "read-only: prune is not done"),
        "prune" => acts::prune(model, true, out),
        "plan" => acts::prune(model, false, out),
        name => match panes::named(name) {
            Some(pane) => {
                go(model, pane, out);
                if !rest.is_empty() {
                    set_filter(model, rest.to_owned());
                }
            }
            None => model.say(Tone::Warn, format!("no command or pane is called {name}")),
        },
    }
}

/// The object of the selected row; says why there is none.
fn aimed(model: &mut Model) -> Option<(ObjectRef, String)> {
    let found = model.selected().and_then(|r| r.object.clone().map(|o| (o, r.name.clone())));
    if found.is_none() {
        let lost = model.table().lost;
        model.say(Tone::Warn, if lost { "that row is gone; choose another" } else { "nothing here to act on" });
    }
    found
}

fn describe(model: &mut Model, raw: bool, out: &mut Vec<Effect>) {
    if matches!(model.pane, PaneId::Node | PaneId::Disk | PaneId::Runbooks) {
        return;
    }
    let Some((object, name)) = aimed(model) else { return };
    let token = model.next_token();
    model.popup =
        Some(Popup::Detail(Detail { token, title: name.into(), raw, result: None, scroll: 0, filter: String::new() }));
    out.push(Effect::Inspect { token, object });
}

/// The container of the row: itself, or the pod's first running one.
fn container(model: &mut Model) -> Option<(String, String)> {
    if let (PaneId::Logs, Some(log)) = (model.pane, &model.log) {
        return Some((log.container.clone(), log.name.clone()));
    }
    match aimed(model)? {
        (ObjectRef::Container(id), name) => Some((id, name)),
        (ObjectRef::Pod(id), pod) => {
            let mut inside: Vec<_> = model.seen.containers.value()?.iter().filter(|c| c.pod == id).collect();
            inside.sort_by_key(|c| (c.state, std::cmp::Reverse(c.created)));
            let running = inside.iter().find(|c| c.state == crate::client::types::ContainerState::Running);
            let found = running.or(inside.first()).map(|c| (c.id.clone(), format!("{pod}/{}", c.name)));
            if found.is_none() {
                model.say(Tone::Warn, "the pod has no container");
            }
            found
        }
        _ => {
            model.say(Tone::Warn, "only pods and containers have this");
            None
        }
    }
}

fn logs(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((container, name)) = container(model) else { return };
    let token = model.next_token();
    model.log = Some(LogView::new(token, container.clone(), name));
    go(model, PaneId::Logs, out);
    out.push(Effect::Logs { token, container });
}

fn exec(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((container, name)) = container(model) else { return };
    let state = model.seen.containers.value().and_then(|all| all.iter().find(|c| c.id == container)).map(|c| c.state);
    if state == Some(crate::client::types::ContainerState::Running) {
        out.push(Effect::Exec { container });
    } else {
        model.say(Tone::Warn, format!("{name} does not run"));
    }
}
