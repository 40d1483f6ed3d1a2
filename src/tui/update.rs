//! What every event does to the model and what it asks for. A function of its arguments: no I/O, no clock.
//! Plans, jobs and pulls are in `update/acts.rs`.

use std::time::SystemTime;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::{
    detail,
    event::{Effect, Event},
    keymap::{BINDINGS, Binding, Cmd, Context},
    model::{GUARD, Input, Model, Phase, Popup, scope},
    panes::{self, PaneId},
    text::SafeText,
    theme::Tone,
    words,
};
use crate::client::types::{Scope, Seen};

mod acts;
mod books;
mod columns;
mod exec;
pub mod files;
mod graphs;
mod input;
mod logs;
mod looks;
mod reading;

use reading::ask;

pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let mut out = Vec::new();
    happened(model, event, &mut out);
    exec::fit(model, &mut out);
    exec::capture(model, &mut out);
    out
}

fn happened(model: &mut Model, event: Event, out: &mut Vec<Effect>) {
    if event.is_input() {
        reading::touched(model, out);
    }
    match event {
        Event::Key(key, at) => {
            if key.kind != KeyEventKind::Release && !model.small() {
                model.dirty = true;
                model.now = model.now.max(at);
                self::key(model, key, at, out);
            }
        }
        Event::Paste(text) if exec::typing(model) => exec::paste(model, &text, out),
        Event::Paste(text) => input::paste(model, &text),
        Event::Resize(width, height) => {
            model.size = (width, height);
            model.settle();
            model.dirty = true;
        }
        Event::Tick(now) => reading::tick(model, now, out),
        Event::Drawn(at) => {
            exec::drawn(model, at);
            if matches!(model.popup, Some(Popup::Job))
                && let Some(job) = model.job.as_mut().filter(|j| j.shown.is_none())
                && !(model.size.0 < super::model::NEEDS.0 || model.size.1 < super::model::NEEDS.1)
            {
                job.shown = Some(at);
            }
        }
        Event::Hearing(on) => model.hearing = on,
        Event::Changed => ask(model, Scope { images: true, ..reading::wanted(model) }, out),
        Event::Inventory(inventory) => {
            model.pending = false;
            let dead = model.dead().is_some();
            model.merge(&inventory);
            lived(model, dead);
            if dead && model.dead().is_none() {
                // What was read from the disk, and what was asked for in vain.
                ask(model, Scope::ALL, out);
            }
            model.dirty |= dead != model.dead().is_some() || model.pane == PaneId::Node;
            model.dirty |= model.rebuild();
        }
        Event::InventoryFailed { error, at } => {
            let dead = model.dead().is_some();
            model.pending = false;
            let text = SafeText::new(&error);
            let fault = super::model::Fault { error: text.clone(), since: at };
            model.faults.entry("containers").or_insert(fault).error = text;
            lived(model, dead);
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
                match result {
                    Ok(value) => d.read(value),
                    Err(error) => d.result = Some(Err(error.into())),
                }
                model.dirty = true;
            }
        }
        Event::Settings(settings) => match settings.and_then(|s| looks::settings(model, &s)) {
            Ok(()) => {}
            Err(error) => model.say(Tone::Bad, format!("settings not used: {error}")),
        },
        Event::Journal { token, result } => {
            if let Some(Popup::Detail(d)) = &mut model.popup
                && d.token == token
            {
                d.result = Some(result.map(|entries| detail::journal(&entries)).map_err(Into::into));
                model.dirty = true;
            }
        }
        Event::Layers { token, result } => {
            looks::told(model, token, result.map(|all| super::layers::lines(&all)));
        }
        Event::Volumes { token, result } => {
            looks::told(model, token, result.map(|all| super::volumes::lines(&all)));
        }
        Event::Family { token, result } => looks::family(model, token, result),
        Event::Cgroups(seen) => {
            match &seen {
                Seen::Failed { error, at } => {
                    let fault = super::model::Fault { error: error.as_str().into(), since: *at };
                    model.faults.insert("cgroups", fault);
                }
                _ => drop(model.faults.remove("cgroups")),
            }
            model.cgroups = seen;
            model.dirty |= model.rebuild();
        }
        Event::Used { token, result } => {
            model.graphs.take(token, result);
            model.dirty |= matches!(model.popup, Some(Popup::Graphs));
        }
        Event::Words(Ok(lines)) => {
            model.heard = words::tell(&mut model.happened, &lines, model.heard, model.now);
            model.dirty |= model.rebuild();
        }
        Event::Words(Err(error)) => {
            let heard = model.happened.iter().any(|h| h.kind == "journal" && h.what.as_str() == error);
            if !heard {
                model.happened.push(model.now, Tone::Dim, "journal", "journal", error);
            }
        }
        Event::Mouse(mouse) => input::mouse(model, mouse, out),
        Event::Planned { token, result } => acts::planned(model, token, result),
        Event::StepDone { token, step, result } => acts::step_done(model, token, step, result, out),
        Event::Log { token, lines } => {
            if let Some(log) = model.log.as_mut().filter(|l| l.token == token) {
                log.push(lines, model.now);
                model.dirty |= model.pane == PaneId::Logs;
            }
        }
        Event::LogPage { token, source, older, result } => {
            logs::turned(model, token, (source, older), result, out);
        }
        Event::LogEnd { token, error } => {
            if let Some(log) = model.log.as_mut().filter(|l| l.token == token) {
                log.ended = Some(error);
                model.dirty = true;
            }
        }
        Event::PullProgress { token, progress } => acts::progress(model, token, progress),
        Event::Pulled { token, result } => acts::pulled(model, token, result, out),
        Event::Copied { token, copied } => files::copied(model, token, copied),
        Event::Terminal { token, news } => exec::news(model, token, news, out),
        Event::ExecEnded(result) => {
            match result {
                Ok(0) => model.say(Tone::Plain, "the shell ended"),
                Ok(code) => model.say(Tone::Warn, format!("the shell ended with {code}")),
                Err(error) => model.say(Tone::Bad, error),
            }
            ask(model, scope(model.pane), out);
        }
        Event::Run { token, event } => {
            let ended = matches!(event, crate::runbook::RunEvent::Concluded { .. });
            model.books.take(token, event);
            if ended {
                books::point_out(model);
            }
            model.dirty |= model.pane == PaneId::Runbooks && model.rebuild();
        }
        Event::Failed(error) => {
            model.happened.push(model.now, Tone::Bad, "app", "wharf", error.as_str());
            model.say(Tone::Bad, error);
        }
        Event::Said(text) => model.say(Tone::Plain, text),
        Event::Note(text) => note(model, &text),
    }
}

/// What somebody else says is an event; it is worth the message line the first time, unless the person is being answered there.
fn note(model: &mut Model, text: &str) {
    let safe = SafeText::new(text);
    let heard = model.happened.iter().any(|h| h.kind == "note" && h.what == safe);
    model.happened.push(model.now, Tone::Plain, "note", "wharf", safe.clone());
    if !heard && model.toast.is_none() {
        model.say(Tone::Plain, safe);
    }
    if model.pane == PaneId::Events {
        model.dirty |= model.rebuild();
    }
}

/// Tells when the runtime stopped answering, and when it came back.
fn lived(model: &mut Model, was_dead: bool) {
    let name = model.info.name.clone();
    match (was_dead, model.dead().map(|f| f.error)) {
        (false, Some(error)) => {
            model.happened.push(model.now, Tone::Bad, "runtime", name, format!("does not answer: {error}"));
        }
        (true, None) => model.happened.push(model.now, Tone::Good, "runtime", name, "answers again"),
        _ => {}
    }
}

fn key(model: &mut Model, key: KeyEvent, at: SystemTime, out: &mut Vec<Effect>) {
    if model.input.is_some() {
        return input::key(model, key, out);
    }
    if std::mem::take(&mut model.picking) {
        return input::pick(model, key);
    }
    if exec::typing(model) {
        return exec::key(model, key, at, out);
    }
    let contexts: &[Context] = match &model.popup {
        Some(Popup::Job) => &[Context::Plan, Context::Everywhere],
        Some(Popup::Columns { .. }) => &[Context::Columns, Context::Everywhere],
        Some(_) => &[Context::Text, Context::Everywhere],
        None if model.pane == PaneId::Exec => &[Context::Exec, Context::Everywhere],
        None if model.pane == PaneId::Logs => &[Context::Logs, Context::Text, Context::Everywhere],
        None => &[Context::Table, Context::Everywhere],
    };
    if let (Some(Popup::Job), KeyCode::Char(digit @ '0'..='9')) = (&model.popup, key.code)
        && let Some(job) = model.job.as_mut().filter(|job| job.phase != Phase::Running && job.ends().is_some())
    {
        job.typed.push(digit);
        return;
    }
    let Some(binding) = model.keymap.lookup(contexts, key) else { return };
    if binding.changes && model.read_only {
        return model.say(Tone::Warn, format!("read-only: {} is not done", named(binding)));
    }
    if let Some(why) = binding.cmd.lacks(&model.info) {
        return model.say(Tone::Warn, why);
    }
    // A fix mends the node; a shell is answered with how to get one by hand.
    if binding.changes
        && !matches!(binding.cmd, Cmd::Fix | Cmd::Exec | Cmd::ExecAside | Cmd::Press | Cmd::Start)
        && silent(model, &named(binding))
    {
        return;
    }
    if !matches!(binding.cmd, Cmd::Interrupt | Cmd::Quit) {
        model.warned = false;
    }
    match &mut model.popup {
        Some(Popup::Job) => job_key(model, binding.cmd, at, out),
        Some(_) => text_key(model, binding.cmd, out),
        None => pane_key(model, binding.cmd, out),
    }
}

/// What a key does, for a sentence about it.
fn named(binding: &Binding) -> String {
    let hint = binding.hint.trim_start();
    if hint.is_empty() { binding.cmd.name() } else { hint.to_owned() }
}

/// Whether something is not done because nobody is there to do it; says so.
fn silent(model: &mut Model, what: &str) -> bool {
    let Some(silence) = &model.silence else { return false };
    let how = if silence.hangs { "hangs" } else { "is dead" };
    let why = model.keymap.named(Cmd::Diagnose);
    let text = format!("{} {how}: {} is not done; {why} finds out why", model.info.name, what.trim_start());
    model.say(Tone::Bad, text);
    true
}

fn interrupt(model: &mut Model, out: &mut Vec<Effect>) {
    let busy = model.job.as_ref().is_some_and(|j| j.phase == Phase::Running);
    if busy && !model.warned {
        model.warned = true;
        return model.say(Tone::Warn, "a plan is being carried out; ^C again leaves it where it is");
    }
    if !exec::busy(model) {
        out.push(Effect::Quit);
    }
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

/// Lines that a motion goes by: far beyond any end for the first and the last.
fn by(cmd: Cmd, page: usize) -> isize {
    let page = page as isize;
    match cmd {
        Cmd::Down => 1,
        Cmd::Up => -1,
        Cmd::HalfDown => page / 2,
        Cmd::HalfUp => -(page / 2),
        Cmd::PageDown => page,
        Cmd::PageUp => -page,
        Cmd::Top => isize::MIN / 2,
        Cmd::Bottom => isize::MAX / 2,
        _ => 0,
    }
}

fn text_key(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    if matches!(model.popup, Some(Popup::Columns { .. })) {
        return columns::key(model, cmd, out);
    }
    let page = model.page();
    let by = match cmd {
        Cmd::Down | Cmd::Up | Cmd::HalfDown | Cmd::HalfUp | Cmd::PageDown | Cmd::PageUp | Cmd::Top | Cmd::Bottom => {
            by(cmd, page)
        }
        Cmd::Interrupt => return interrupt(model, out),
        Cmd::Redraw => return out.push(Effect::Redraw),
        Cmd::Filter => {
            if let Some(Popup::Detail(d)) = &model.popup {
                let text = d.filter.clone();
                model.input = Some(Input { was: text.clone(), text, ..Input::default() });
            }
            return;
        }
        Cmd::Reveal | Cmd::RevealAll | Cmd::NextSecret | Cmd::PreviousSecret => return looks::secret(model, cmd, out),
        Cmd::Fix | Cmd::Copy => return books::of_step(model, cmd, out),
        Cmd::Back | Cmd::Quit | Cmd::Help => {
            if let Some(Popup::Detail(d)) = &mut model.popup
                && cmd == Cmd::Back
                && !d.filter.is_empty()
            {
                d.filter.clear();
            } else {
                if matches!(&model.popup, Some(Popup::Detail(d)) if d.result.is_none()) {
                    out.push(Effect::Cease);
                }
                model.popup = None;
            }
            return;
        }
        _ => return,
    };
    let (width, height) = model.inside();
    match &mut model.popup {
        Some(Popup::Help { scroll }) => *scroll = scroll.saturating_add_signed(by).min(BINDINGS.len()),
        Some(Popup::Detail(d)) => {
            let most = d.rows(width).len().saturating_sub(height);
            d.scroll = d.scroll.saturating_add_signed(by).min(most);
            d.moved();
        }
        _ => {}
    }
}

fn pane_key(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    let page = model.page();
    if model.pane == PaneId::Logs {
        match cmd {
            Cmd::Bottom if logs::to_end(model, out) => return,
            Cmd::Up | Cmd::PageUp | Cmd::HalfUp | Cmd::Top | Cmd::Down | Cmd::PageDown | Cmd::HalfDown => {
                step(model, by(cmd, page));
                let up = matches!(cmd, Cmd::Up | Cmd::PageUp | Cmd::HalfUp | Cmd::Top);
                return logs::moved(model, up, out);
            }
            _ => {}
        }
    }
    match cmd {
        Cmd::Quit | Cmd::Back if model.pane == PaneId::Exec => go(model, model.terminals.from, out),
        Cmd::Filter if model.pane == PaneId::Exec => {}
        Cmd::Quit if model.pane == PaneId::Logs => go(model, model.before, out),
        Cmd::Quit | Cmd::Interrupt => interrupt(model, out),
        Cmd::Back => back(model, out),
        Cmd::Help => model.popup = Some(Popup::Help { scroll: 0 }),
        Cmd::Command => model.input = Some(Input { command: true, ..Input::default() }),
        Cmd::Pull => model.input = Some(Input { command: true, text: "pull ".into(), ..Input::default() }),
        Cmd::Filter => {
            let was = filter_of(model).unwrap_or_default();
            model.input = Some(Input { text: was.clone(), was, ..Input::default() });
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
        Cmd::Down | Cmd::Up | Cmd::PageDown | Cmd::PageUp | Cmd::HalfDown | Cmd::HalfUp | Cmd::Top | Cmd::Bottom => {
            step(model, by(cmd, page))
        }
        Cmd::SortBy => model.picking = !panes::of(model.pane).columns.is_empty(),
        Cmd::SortLeft => input::sort_step(model, -1),
        Cmd::SortRight => input::sort_step(model, 1),
        Cmd::Reverse => {
            if let Some(state) = model.tables.get_mut(&model.pane) {
                state.reversed = !state.reversed;
            }
            model.settle();
        }
        Cmd::Columns => columns::open(model),
        Cmd::Mark => input::mark(model),
        Cmd::Unmark => {
            if let Some(state) = model.tables.get_mut(&model.pane) {
                state.marked.clear();
            }
        }
        Cmd::Open | Cmd::Describe if model.pane == PaneId::Runbooks => books::open(model, out),
        Cmd::Diagnose => books::diagnose(model, out),
        Cmd::Fix => books::fix(model, out),
        Cmd::Copy => looks::copy(model, out),
        Cmd::Mouse => input::toggle_mouse(model),
        Cmd::Type | Cmd::NextTerminal | Cmd::PreviousTerminal | Cmd::End => exec::pane_key(model, cmd, out),
        Cmd::CopyLines if model.pane == PaneId::Exec => exec::pane_key(model, cmd, out),
        Cmd::Follow
        | Cmd::Wrap
        | Cmd::Times
        | Cmd::Fields
        | Cmd::Span
        | Cmd::Previous
        | Cmd::AllContainers
        | Cmd::Search
        | Cmd::Older
        | Cmd::Newer
        | Cmd::Save
        | Cmd::CopyLines => logs::key(model, cmd, out),
        Cmd::Open => looks::open(model, out),
        Cmd::Describe | Cmd::Yaml => looks::describe(model, cmd == Cmd::Yaml, out),
        Cmd::Tree => looks::tree(model, out),
        Cmd::Layer => looks::layer(model, out),
        Cmd::Graphs => graphs::open(model, out),
        Cmd::Logs => logs::open(model, out),
        Cmd::Exec => exec::open(model, "", out),
        Cmd::CopyOut => files::ask(model, false),
        Cmd::CopyIn => files::ask(model, true),
        Cmd::ExecAside => looks::exec(model, out),
        Cmd::Stop => acts::stop(model, out),
        Cmd::Restart => acts::restart(model, out),
        Cmd::Run => acts::ask_run(model),
        Cmd::Tag => model.input = Some(Input { command: true, text: "tag ".into(), ..Input::default() }),
        Cmd::Pin => acts::pin(model, None, out),
        Cmd::Collect => acts::collect(model, out),
        Cmd::Remove => acts::remove(model, out),
        Cmd::Prune => acts::prune(model, true, out),
        Cmd::PlanPrune => acts::prune(model, false, out),
        Cmd::Toggle | Cmd::Later | Cmd::Earlier | Cmd::SortHere | Cmd::Keep | Cmd::Forget => {}
        Cmd::Reveal | Cmd::RevealAll | Cmd::NextSecret | Cmd::PreviousSecret => {}
        Cmd::Press | Cmd::Start | Cmd::CallOff | Cmd::Switch | Cmd::Leave => {}
    }
}

fn back(model: &mut Model, out: &mut Vec<Effect>) {
    if filter_of(model).is_some_and(|f| !f.is_empty()) {
        set_filter(model, String::new());
        logs::filtered(model, out);
    } else if books::close(model) {
        // Back in the list of runbooks.
    } else if model.pane == PaneId::Logs {
        go(model, model.before, out);
    } else if let Some(pane) = model.opened_from.take() {
        go(model, pane, out);
    }
}

fn go(model: &mut Model, pane: PaneId, out: &mut Vec<Effect>) {
    if pane == PaneId::Logs && model.pane != PaneId::Logs {
        model.before = model.pane;
    }
    if pane == PaneId::Exec && model.pane != PaneId::Exec {
        model.terminals.from = model.pane;
    }
    model.terminals.typing = false;
    model.pane = pane;
    model.rebuild();
    let wanted = panes::of(pane).part;
    if matches!(wanted, "images" | "snapshots" | "disk") {
        ask(model, reading::wanted(model), out);
    }
    if pane == PaneId::Cgroups {
        out.push(Effect::Cgroups);
    }
}

fn step(model: &mut Model, by: isize) {
    if model.pane == PaneId::Exec {
        return exec::scroll(model, by);
    }
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
        (Some(Popup::Detail(d)), _) => {
            (d.filter, d.scroll) = (filter, 0);
            d.moved();
        }
        (_, PaneId::Logs) => {
            if let Some(log) = &mut model.log {
                log.set_filter(filter);
            }
        }
        (_, pane) => {
            if let Some(state) = model.tables.get_mut(&pane) {
                state.refilter(filter, &model.rows, panes::of(pane).columns, model.now, height);
            }
            model.settle();
        }
    }
}
