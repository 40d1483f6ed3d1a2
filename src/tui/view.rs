//! The screen, drawn from `&Model`: header, tabs, banner, pane, hint line. Popups are in `view/popup.rs`.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType},
};
use unicode_width::UnicodeWidthStr;

use super::{
    keymap::{self, BINDINGS, Context},
    model::{Model, NEEDS, Phase, Popup},
    panes::{self, Pane, PaneId},
    table,
    text::{self, SafeText},
    theme::Tone,
};
use crate::client::types::{Mode, Seen};

mod popup;

/// From this width on, the selected row's facts stand beside the table.
const SIDE: u16 = 132;

pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < NEEDS.0 || area.height < NEEDS.1 {
        let text = format!("too small: {}x{} needed, {}x{} here", NEEDS.0, NEEDS.1, area.width, area.height);
        for (piece, y) in text::wrap(&text, usize::from(area.width)).iter().zip(area.y..area.bottom()) {
            frame.buffer_mut().set_stringn(area.x, y, piece, usize::from(area.width), Style::new());
        }
        return;
    }
    let banner = u16::from(model.dead().is_some());
    let [head, tabs, alarm, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(banner),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    header(model, frame, head);
    self::tabs(model, frame, tabs);
    self::banner(model, frame, alarm);
    pane(model, frame, body);
    footer(model, frame, foot);
    popup::draw(model, frame, body);
}

/// A bordered box with a title; returns the room inside.
pub fn frame_of(model: &Model, frame: &mut Frame<'_>, area: Rect, title: &str, tone: Tone) -> Rect {
    let title = text::cut(title, usize::from(area.width.saturating_sub(6)));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(model.theme.style(tone))
        .title(Span::styled(format!(" {title} "), model.theme.style(Tone::Head)));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn spans(frame: &mut Frame<'_>, area: Rect, spans: Vec<Span<'_>>) {
    frame.buffer_mut().set_line(area.x, area.y, &Line::from(spans), area.width);
}

fn header(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (theme, info) = (model.theme, &model.info);
    let mode = match info.mode {
        Mode::Embedded => " EMBEDDED ",
        Mode::Attached => " ATTACHED ",
        Mode::Demo => " DEMO ",
    };
    let mut left = vec![Span::styled(" wharf ", theme.style(Tone::Head)), Span::styled(mode, theme.style(Tone::Badge))];
    if model.read_only {
        left.push(Span::raw(" "));
        left.push(Span::styled(" READ-ONLY ", theme.style(Tone::Alarm)));
    }
    let host = model.host.as_ref().map(|h| SafeText::new(&h.name).cut(24)).unwrap_or_default();
    let clock = text::stamp(model.now).get(11..16).unwrap_or_default().to_owned();
    let right = format!("{host} {clock}Z ");
    let used: usize = left.iter().map(Span::width).sum();
    let room = usize::from(area.width).saturating_sub(used + right.width() + 3);
    let runtime = SafeText::from(format!("{} {}", info.name, info.version)).cut(room.min(36));
    let endpoint = SafeText::new(&info.endpoint).cut(room.saturating_sub(runtime.width() + 2));
    left.push(Span::styled(format!("  {runtime}"), theme.style(Tone::Plain)));
    left.push(Span::styled(format!("  {endpoint}"), theme.style(Tone::Dim)));
    spans(frame, area, left);
    let x = area.right().saturating_sub(right.width() as u16);
    frame.buffer_mut().set_string(x, area.y, right, theme.style(Tone::Dim));
}

fn tabs(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let mut all = vec![Span::raw(" ")];
    let wide = area.width >= 110;
    for (at, pane) in panes::panes().iter().enumerate() {
        let here = pane.id == model.pane;
        let fault = model.faults.contains_key(pane.part);
        let count = (pane.count)(model).filter(|_| wide || here).map(|n| format!(" {n}")).unwrap_or_default();
        let style = model.theme.style(match (here, fault) {
            (true, _) => Tone::Cursor,
            (_, true) => Tone::Bad,
            _ => Tone::Plain,
        });
        all.push(Span::styled(format!(" {} {}{count} ", at + 1, pane.name), style));
    }
    spans(frame, area, all);
}

fn banner(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(fault) = model.dead().filter(|_| area.height > 0) else { return };
    let age = match model.read_at() {
        Some(at) => format!("what you see is {} old", text::age(model.now, at)),
        None => "nothing was ever read".to_owned(),
    };
    let room = usize::from(area.width).saturating_sub(age.width() + 6);
    let why = SafeText::from(format!("no answer for {}: {}", text::age(model.now, fault.since), fault.error)).cut(room);
    frame.buffer_mut().set_style(area, model.theme.style(Tone::Alarm));
    let line = Line::styled(format!(" {why}  ({age})"), model.theme.style(Tone::Alarm));
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// Why there is nothing to see.
fn emptiness(model: &Model, pane: &Pane) -> String {
    let filter = &model.table().filter;
    if !model.rows.is_empty() {
        return format!("none of {} matches /{filter} (Esc shows all)", model.rows.len());
    }
    let (asked, error) = match pane.part {
        "pods" => part(&model.seen.pods),
        "containers" => part(&model.seen.containers),
        "images" => part(&model.seen.images),
        "snapshots" if !model.info.storage => {
            return format!("{} does not let its snapshots be read", model.info.name);
        }
        "snapshots" => part(&model.seen.snapshots),
        _ => part(&model.seen.disk),
    };
    match (asked, error) {
        (_, Some(error)) => format!("not read: {error}"),
        (true, _) => format!("no {} on this node", pane.name.to_lowercase()),
        (false, _) => "reading…".to_owned(),
    }
}

fn part<T>(seen: &Seen<T>) -> (bool, Option<&str>) {
    (seen.value().is_some(), seen.error())
}

fn pane(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let pane = panes::of(model.pane);
    let Some(draw) = pane.draw else { return table_pane(model, frame, area, pane) };
    if pane.id == PaneId::Node {
        return draw(model, frame, area);
    }
    let title = match &model.log {
        Some(log) => {
            let state = match (&log.ended, log.anchor) {
                (Some(Some(_)), _) => "failed",
                (Some(None), _) => "ended",
                (None, None) => "following",
                (None, Some(_)) => "standing",
            };
            let mut title = format!("Logs {} ─ {state} ─ {} lines", SafeText::new(&log.name), log.lines.len());
            if log.forgotten > 0 {
                title.push_str(&format!(", {} older let go", log.forgotten));
            }
            if !log.filter.is_empty() {
                title.push_str(&format!(" ─ /{}", SafeText::new(&log.filter)));
            }
            title
        }
        None => "Logs".to_owned(),
    };
    let inner = frame_of(model, frame, area, &title, Tone::Dim);
    draw(model, frame, inner);
}

fn table_pane(model: &Model, frame: &mut Frame<'_>, area: Rect, pane: &'static Pane) {
    let state = model.table();
    let side = if area.width >= SIDE && pane.facts.is_some() { 48 } else { 0 };
    let [main, beside] = Layout::horizontal([Constraint::Min(1), Constraint::Length(side)]).areas(area);
    let mut title = format!("{} {}", pane.name, model.order.len());
    if !state.filter.is_empty() {
        title.push_str(&format!("/{} ─ /{}", model.rows.len(), SafeText::new(&state.filter)));
    }
    if let Some(fault) = model.faults.get(pane.part).filter(|_| model.dead().is_none()) {
        title.push_str(&format!(" ─ stale for {}: {}", text::age(model.now, fault.since), fault.error));
    }
    let inner = frame_of(model, frame, main, &title, Tone::Dim);
    let over = inner.height.saturating_sub(1);
    if model.order.len() > usize::from(over) {
        let last = (state.offset + usize::from(over)).min(model.order.len());
        let place = format!(" {}-{last} of {} ", state.offset + 1, model.order.len());
        let x = main.right().saturating_sub(place.width() as u16 + 2);
        frame.buffer_mut().set_string(x, main.bottom() - 1, place, model.theme.style(Tone::Dim));
    }
    // The marker of the selection stands in the margin.
    let inner = Rect { x: inner.x - 1, width: inner.width + 1, ..inner };
    table::draw(frame.buffer_mut(), inner, model.theme, pane.columns, &model.rows, &model.order, state);
    if model.order.is_empty() {
        let text = SafeText::from(emptiness(model, pane)).cut(usize::from(inner.width.saturating_sub(4)));
        frame.buffer_mut().set_string(inner.x + 2, inner.y + 2, text, model.theme.style(Tone::Dim));
    }
    if let (true, Some(facts)) = (side > 0, pane.facts) {
        let title = model.selected().map_or_else(String::new, |r| SafeText::new(&r.name).to_string());
        let inner = frame_of(model, frame, beside, &title, Tone::Dim);
        let facts = model.selected().map(|r| facts(model, r)).unwrap_or_default();
        let mut y = inner.y;
        let mut before = "";
        for (name, value) in &facts {
            let value = SafeText::new(value);
            let pieces = text::wrap(value.as_str(), usize::from(inner.width).saturating_sub(11).max(1));
            for (at, piece) in pieces.iter().take(3).enumerate() {
                if y >= inner.bottom() {
                    return;
                }
                let label = if at > 0 || before == *name { "" } else { name };
                let spans = vec![
                    Span::styled(format!("{label:<10} "), model.theme.style(Tone::Dim)),
                    Span::raw((*piece).to_owned()),
                ];
                frame.buffer_mut().set_line(inner.x, y, &Line::from(spans), inner.width);
                y += 1;
            }
            before = name;
        }
    }
}

fn footer(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme;
    if let Some(input) = &model.input {
        let mark = if input.command { ":" } else { "/" };
        let text = SafeText::new(&input.text);
        let room = usize::from(area.width).saturating_sub(3);
        let skip = text.width().saturating_sub(room);
        let shown: String = text.as_str().chars().skip(skip).collect();
        spans(frame, area, vec![Span::styled(mark, theme.style(Tone::Head)), Span::raw(shown.clone())]);
        frame.set_cursor_position((area.x + 1 + shown.width().min(room) as u16, area.y));
        return;
    }
    if let Some(toast) = &model.toast {
        let text = toast.text.cut(usize::from(area.width).saturating_sub(2));
        return spans(frame, area, vec![Span::styled(format!(" {text}"), theme.style(toast.tone))]);
    }
    let mut line = vec![Span::raw(" ")];
    if let Some(job) =
        model.job.as_ref().filter(|j| j.phase == Phase::Running && !matches!(model.popup, Some(Popup::Job)))
    {
        let done = job.results.iter().flatten().count();
        let text = format!(" {} {done}/{} ", job.title.cut(24), job.results.len());
        line.push(Span::styled(text, theme.style(Tone::Badge)));
        line.push(Span::raw(" "));
    }
    let pulling = model.pulls.iter().filter(|p| p.outcome.is_none()).count();
    if pulling > 0 && !matches!(model.popup, Some(Popup::Pulls)) {
        line.push(Span::styled(format!(" pulling {pulling} "), theme.style(Tone::Badge)));
        line.push(Span::raw(" "));
    }
    let contexts: &[Context] = match (&model.popup, model.pane) {
        (Some(Popup::Job), _) => &[],
        (Some(_), _) => &[Context::Text],
        (None, PaneId::Logs) => &[Context::Logs, Context::Everywhere],
        _ => &[Context::Table, Context::Everywhere],
    };
    let useful = |cmd: keymap::Cmd| match (cmd, model.pane) {
        (cmd, PaneId::Node) => {
            matches!(cmd, keymap::Cmd::Prune | keymap::Cmd::PlanPrune | keymap::Cmd::Help | keymap::Cmd::Quit)
        }
        (keymap::Cmd::Exec | keymap::Cmd::Logs | keymap::Cmd::Stop, pane) => {
            matches!(pane, PaneId::Pods | PaneId::Containers | PaneId::Logs)
        }
        (keymap::Cmd::Describe | keymap::Cmd::Yaml, PaneId::Disk) => false,
        (keymap::Cmd::Remove, pane) => !matches!(pane, PaneId::Disk | PaneId::Snapshots),
        _ => true,
    };
    let hints = BINDINGS.iter().filter(|b| contexts.contains(&b.context) && !b.hint.is_empty());
    let mut used: usize = line.iter().map(Span::width).sum();
    for binding in hints.filter(|b| useful(b.cmd) && !(b.changes && model.read_only)) {
        let key = binding.keys.first().map(|k| k.name()).unwrap_or_default();
        used += key.width() + binding.hint.width() + 3;
        if used > usize::from(area.width) {
            break;
        }
        line.push(Span::styled(key, theme.style(Tone::Accent)));
        line.push(Span::styled(format!(" {}  ", binding.hint), theme.style(Tone::Dim)));
    }
    if matches!(model.popup, Some(Popup::Job)) {
        line.push(Span::styled("the plan has the keys", theme.style(Tone::Dim)));
    }
    spans(frame, area, line);
}
