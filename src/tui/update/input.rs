//! The input line and its palette, sorting, marking, the mouse.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{acts, ask, exec, go, interrupt, logs, looks, set_filter, step};
use crate::{
    client::types::Scope,
    tui::{
        event::Effect,
        keymap::Cmd,
        model::{Input, Model, Popup},
        palette::{self, Word},
        panes::{self, PaneId},
        table,
        theme::{Palette, Tone},
        view,
    },
};

/// Bytes of an input line.
const LONGEST: usize = 1024;
/// Commands that are remembered.
const SAID: usize = 100;

/// Pasted text is text: it fills an open input up to its first line end and never presses anything.
pub fn paste(model: &mut Model, text: &str) {
    if model.input.is_none() {
        return;
    }
    let line = text.lines().next().unwrap_or_default();
    let room = LONGEST.saturating_sub(model.input.as_ref().map_or(0, |i| i.text.len()));
    let line: String = line.chars().filter(|c| !c.is_control()).take(room).collect();
    if let Some(input) = &mut model.input {
        input.text.push_str(&line);
    }
    typed(model);
    model.dirty = true;
}

/// A filter works while it is typed.
fn typed(model: &mut Model) {
    let Some(Input { command: false, search, text, .. }) = &model.input else { return };
    let (search, text) = (*search, text.clone());
    match &mut model.log {
        Some(log) if search => log.set_search(text),
        _ => set_filter(model, text),
    }
}

pub fn key(model: &mut Model, key: KeyEvent, out: &mut Vec<Effect>) {
    let Some(input) = &mut model.input else { return };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let listed = if input.command { palette::matches(&input.text).len() } else { 0 };
    match key.code {
        KeyCode::Esc => {
            let (text, was) = (input.command || input.search, std::mem::take(&mut input.was));
            if input.search {
                input.text.clear();
                typed(model);
            }
            model.input = None;
            if !text {
                set_filter(model, was);
            }
        }
        KeyCode::Char('c') if ctrl => model.input = None,
        KeyCode::Char('u') if ctrl => input.text.clear(),
        KeyCode::Char('w') if ctrl => {
            let kept = input.text.trim_end().rfind(' ').map_or(0, |at| at + 1);
            input.text.truncate(kept);
        }
        KeyCode::Char('p') if ctrl => recall(input, &model.said, true),
        KeyCode::Char('n') if ctrl => recall(input, &model.said, false),
        KeyCode::Up if input.command && input.choice.is_none() => recall(input, &model.said, true),
        KeyCode::Up => input.choice = input.choice.and_then(|c| c.checked_sub(1)),
        KeyCode::Down if listed > 0 => input.choice = Some(input.choice.map_or(0, |c| (c + 1).min(listed - 1))),
        KeyCode::Tab if listed > 0 => complete(input),
        KeyCode::Backspace if input.text.is_empty() => model.input = None,
        KeyCode::Backspace => {
            input.text.pop();
            input.choice = None;
        }
        KeyCode::Char(c) if !ctrl && input.text.len() < LONGEST => {
            input.text.push(c);
            input.choice = None;
        }
        KeyCode::Enter => {
            let Some(mut done) = model.input.take() else { return };
            if done.command {
                if done.choice.is_some() {
                    complete(&mut done);
                }
                command(model, done.text.trim(), out);
            }
            if done.search {
                return logs::key(model, Cmd::Older, out);
            }
        }
        _ => {}
    }
    typed(model);
    if model.input.is_none() {
        logs::filtered(model, out);
    }
}

/// Puts the chosen entry's name, or the best one's, in place of the first word.
fn complete(input: &mut Input) {
    let found = palette::matches(&input.text);
    let Some(entry) = found.get(input.choice.unwrap_or(0)) else { return };
    let rest = input.text.split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    input.text = format!("{} {rest}", entry.name.to_lowercase());
    input.choice = None;
}

fn recall(input: &mut Input, said: &[String], back: bool) {
    let at = said.iter().position(|s| *s == input.text);
    let to = match (at, back) {
        (None, true) => said.len().checked_sub(1),
        (Some(at), true) => at.checked_sub(1).or(Some(0)),
        (Some(at), false) => Some(at + 1),
        (None, false) => None,
    };
    if let Some(to) = to {
        input.text = said.get(to).cloned().unwrap_or_default();
    }
}

pub fn command(model: &mut Model, text: &str, out: &mut Vec<Effect>) {
    let (name, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(n, r)| (n, r.trim()));
    if name.is_empty() {
        return;
    }
    model.said.retain(|s| s != text);
    model.said.push(text.to_owned());
    if model.said.len() > SAID {
        model.said.remove(0);
    }
    let best = || palette::matches(name).into_iter().next();
    let Some(entry) = palette::named(name).or_else(best) else {
        return model.say(Tone::Warn, format!("no command or pane is called {name}"));
    };
    if entry.changes && model.read_only {
        return model.say(Tone::Warn, format!("read-only: {} is not done", entry.name));
    }
    if (entry.changes || entry.word == Word::Plan) && super::silent(model, entry.name) {
        return;
    }
    if let Some(why) = entry.word.lacks(&model.info) {
        return model.say(Tone::Warn, why);
    }
    match entry.word {
        Word::Quit if name.ends_with('!') => out.push(Effect::Quit),
        Word::Quit => interrupt(model, out),
        Word::Help => model.popup = Some(Popup::Help { scroll: 0 }),
        Word::Pull if rest.is_empty() => model.say(Tone::Warn, "pull what? :pull REFERENCE"),
        Word::Pull => acts::pull(model, rest, out),
        Word::Get => super::files::copy(model, rest, false, out),
        Word::Put => super::files::copy(model, rest, true, out),
        Word::Pulls => model.popup = Some(Popup::Pulls),
        Word::Restart => acts::restart(model, out),
        Word::Run => acts::run(model, rest, out),
        Word::Tag if rest.is_empty() => model.say(Tone::Warn, "tag as what? :tag REGISTRY/REPOSITORY:TAG"),
        Word::Tag => acts::tag(model, rest, out),
        Word::Pin => acts::pin(model, Some(true), out),
        Word::Unpin => acts::pin(model, Some(false), out),
        Word::Collect => acts::collect(model, out),
        Word::Prune => acts::prune(model, true, out),
        Word::Plan => acts::prune(model, false, out),
        Word::Journal => looks::journal(model, out),
        Word::Mounts => looks::volumes(model, out),
        Word::Tree => looks::tree(model, out),
        Word::Graphs => super::graphs::open(model, out),
        Word::Columns => super::columns::open(model),
        Word::Mouse => toggle_mouse(model),
        Word::Refresh => ask(model, Scope::ALL, out),
        Word::Save => logs::save(model, rest, out),
        Word::Theme => match Palette::named(rest) {
            Some(palette) => model.theme.palette = palette,
            None => model.say(Tone::Warn, "theme dark, light or mono?"),
        },
        Word::Sort => {
            let columns = panes::of(model.pane).columns;
            match columns.iter().position(|c| c.name.to_lowercase().starts_with(&rest.to_lowercase())) {
                Some(column) => sort_by(model, column),
                None => model.say(Tone::Warn, format!("no column is called {rest}")),
            }
        }
        Word::Pane(PaneId::Exec) if !rest.is_empty() => {
            if model.read_only {
                return model.say(Tone::Warn, "read-only: exec is not done");
            }
            if !super::silent(model, "exec") {
                super::exec::open(model, rest, out);
            }
        }
        Word::Pane(pane) => {
            go(model, pane, out);
            if !rest.is_empty() {
                set_filter(model, rest.to_owned());
                logs::filtered(model, out);
            }
        }
    }
}

/// Sorts by a column; by the same one again turns the order round.
pub fn sort_by(model: &mut Model, column: usize) {
    if let Some(state) = model.tables.get_mut(&model.pane) {
        state.reversed = state.sort == column && !state.reversed;
        state.sort = column;
    }
    model.settle();
}

pub fn sort_step(model: &mut Model, by: isize) {
    let (columns, width) = (panes::of(model.pane).columns, view::table_area(model).width.saturating_sub(2));
    let shown = table::layout(columns, &model.table().columns, width);
    if !shown.is_empty() {
        let at = shown.iter().position(|(c, _)| *c == model.table().sort).unwrap_or(0);
        let to = (at + shown.len()).saturating_add_signed(by) % shown.len();
        sort_by(model, shown[to].0);
    }
}

/// The letter of the column to sort by.
pub fn pick(model: &mut Model, key: KeyEvent) {
    let letters = table::letters(panes::of(model.pane).columns);
    if let KeyCode::Char(c) = key.code
        && let Some(column) = letters.iter().position(|l| *l == c.to_ascii_lowercase())
    {
        sort_by(model, column);
    }
}

pub fn mark(model: &mut Model) {
    let Some(row) = model.selected() else { return };
    let (id, object) = (row.id.clone(), row.object.is_some());
    if !object {
        return model.say(Tone::Warn, "nothing here to act on");
    }
    if let Some(state) = model.tables.get_mut(&model.pane)
        && !state.marked.remove(&id)
    {
        state.marked.insert(id);
    }
    step(model, 1);
}

pub fn toggle_mouse(model: &mut Model) {
    model.mouse = !model.mouse;
    let back = model.keymap.named(Cmd::Mouse);
    let said = if model.mouse {
        format!("the mouse chooses rows, headers and panes; {back} gives it back to the terminal")
    } else {
        "the mouse is the terminal's again".to_owned()
    };
    model.say(Tone::Plain, said);
}

/// A click chooses and never acts; the wheel scrolls.
pub fn mouse(model: &mut Model, mouse: MouseEvent, out: &mut Vec<Effect>) {
    if model.small() || model.input.is_some() || exec::mouse(model, mouse, out) {
        return;
    }
    model.dirty = true;
    let by: isize = match mouse.kind {
        MouseEventKind::ScrollDown => 1,
        MouseEventKind::ScrollUp => -1,
        MouseEventKind::Down(MouseButton::Left) => 0,
        _ => return,
    };
    if by != 0 {
        let cmd = if by > 0 { Cmd::Down } else { Cmd::Up };
        for _ in 0..3 {
            match &model.popup {
                None => super::pane_key(model, cmd, out),
                Some(Popup::Job) => return,
                Some(_) => super::text_key(model, cmd, out),
            }
        }
        return;
    }
    if model.popup.is_some() {
        return;
    }
    if mouse.row == 1 {
        if let Some(pane) = view::tab_at(model, mouse.column) {
            go(model, pane, out);
        }
        return;
    }
    let (area, columns) = (view::table_area(model), panes::of(model.pane).columns);
    if columns.is_empty() || model.pane == PaneId::Logs || !area.contains((mouse.column, mouse.row).into()) {
        return;
    }
    if mouse.row == area.y {
        if let Some(column) = table::column_at(columns, &model.table().columns, area, mouse.column) {
            sort_by(model, column);
        }
    } else {
        let line = usize::from(mouse.row - area.y - 1);
        let (height, at) = (model.page(), model.table().offset + line);
        if at < model.order.len()
            && let Some(state) = model.tables.get_mut(&model.pane)
        {
            let by = at as isize - state.at as isize;
            state.step(&model.rows, &model.order, by, height);
        }
    }
}
