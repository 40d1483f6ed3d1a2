//! Which columns a table has and in what order: the popup that chooses them, and keeping the choice.

use super::{by, input, interrupt};
use crate::{
    config::app,
    tui::{
        event::Effect,
        keymap::Cmd,
        model::{Model, Popup},
        panes,
        table::TableState,
        theme::Tone,
    },
};

pub fn open(model: &mut Model) {
    let columns = panes::of(model.pane).columns;
    if columns.is_empty() {
        return model.say(Tone::Warn, "this pane has no columns");
    }
    let chosen = &model.table().columns;
    let mut list: Vec<(usize, bool)> = chosen.iter().map(|c| (*c, true)).collect();
    list.extend((0..columns.len()).filter(|c| !chosen.contains(c)).map(|c| (c, chosen.is_empty())));
    model.popup = Some(Popup::Columns { at: 0, list });
}

pub fn key(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    let page = model.page();
    let Some(Popup::Columns { at, list }) = &mut model.popup else { return };
    let last = list.len().saturating_sub(1);
    let (here, column) = (*at, list.get(*at).map_or(0, |(c, _)| *c));
    match cmd {
        Cmd::Interrupt => return interrupt(model, out),
        Cmd::Redraw => return out.push(Effect::Redraw),
        Cmd::Back | Cmd::Quit => return model.popup = None,
        Cmd::SortHere => return input::sort_by(model, column),
        Cmd::Keep => return keep(model, out),
        Cmd::Forget => return forget(model, out),
        Cmd::Toggle => {
            if list.iter().filter(|(_, on)| *on).count() == 1 && list[here].1 {
                return model.say(Tone::Warn, "a table has one column at least");
            }
            list[here].1 = !list[here].1;
        }
        Cmd::Later if here < last => {
            list.swap(here, here + 1);
            *at += 1;
        }
        Cmd::Earlier if here > 0 => {
            list.swap(here, here - 1);
            *at -= 1;
        }
        Cmd::Later | Cmd::Earlier => return,
        motion => return *at = here.saturating_add_signed(by(motion, page)).min(last),
    }
    let chosen = list.iter().filter(|(_, on)| *on).map(|(c, _)| *c).collect();
    if let Some(state) = model.tables.get_mut(&model.pane) {
        state.columns = chosen;
    }
}

/// Columns, order and filter, for the next time.
fn keep(model: &mut Model, out: &mut Vec<Effect>) {
    let (pane, state) = (panes::of(model.pane), model.table());
    let name = |at: usize| pane.columns.get(at).map(|c| c.name.to_lowercase());
    let settings = app::Pane {
        sort: name(state.sort),
        reverse: Some(state.reversed),
        filter: Some(state.filter.clone()).filter(|f| !f.is_empty()),
        columns: Some(state.columns.iter().filter_map(|c| name(*c)).collect()).filter(|c: &Vec<_>| !c.is_empty()),
    };
    out.push(Effect::Keep { pane: pane.name.to_lowercase(), settings: Some(settings) });
}

/// As the app has it, now and the next time.
fn forget(model: &mut Model, out: &mut Vec<Effect>) {
    let pane = panes::of(model.pane);
    if let Some(state) = model.tables.get_mut(&model.pane) {
        let (selected, marked) = (state.selected.take(), std::mem::take(&mut state.marked));
        *state = TableState { sort: pane.sort, selected, marked, ..TableState::default() };
    }
    model.settle();
    open(model);
    out.push(Effect::Keep { pane: pane.name.to_lowercase(), settings: None });
}

/// What was kept, over what is there. What it names and nobody knows is from another version, and left out.
pub fn kept(state: &mut TableState, pane: &panes::Pane, kept: &app::Pane) {
    let column = |name: &String| pane.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
    if let Some(sort) = kept.sort.as_ref().and_then(column) {
        state.sort = sort;
    }
    state.reversed = kept.reverse.unwrap_or(state.reversed);
    if let Some(filter) = &kept.filter {
        state.filter.clone_from(filter);
    }
    if let Some(names) = &kept.columns {
        state.columns = names.iter().filter_map(column).collect();
    }
}
