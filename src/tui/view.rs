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
    keymap::Cmd,
    model::{Model, NEEDS},
    panes::{self, Pane, PaneId},
    table,
    text::{self, SafeText},
    theme::Tone,
};
use crate::client::types::{Mode, Seen};

mod columns;
mod footer;
mod graphs;
mod popup;

/// From this width on, the selected row's facts stand beside the table.
const SIDE: u16 = 132;
/// How wide they are.
const BESIDE: u16 = 48;
/// Lines of one of them, where there is no room for all.
const LINES: usize = 3;

pub fn view(model: &Model, frame: &mut Frame<'_>) {
    #[cfg(test)]
    super::testing::die_if_asked(model);
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
    footer::draw(model, frame, foot);
    popup::draw(model, frame, body);
    footer::palette(model, frame, body);
    if model.theme.ascii {
        in_ascii(frame);
    }
}

fn in_ascii(frame: &mut Frame<'_>) {
    for cell in &mut frame.buffer_mut().content {
        if !cell.symbol().is_ascii() {
            cell.set_symbol(super::theme::ascii(cell.symbol()));
        }
    }
}

/// Where the table of the current pane stands, its header line first; the marker of the selection is in the margin.
pub fn table_area(model: &Model) -> Rect {
    let (width, height) = model.size;
    let (pane, banner) = (panes::of(model.pane), u16::from(model.dead().is_some()));
    let side = if width >= SIDE && pane.facts.is_some() { BESIDE } else { 0 };
    Rect {
        x: 1,
        y: 3 + banner + pane.extra,
        width: width.saturating_sub(side + 3),
        height: height.saturating_sub(5 + banner + pane.extra),
    }
}

/// The pane whose tab is at a column of the tab line.
pub fn tab_at(model: &Model, column: u16) -> Option<PaneId> {
    let mut right = 1;
    labels(model).into_iter().find_map(|(id, label)| {
        right += label.width() as u16;
        (column < right).then_some(id)
    })
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
        Mode::Replay => " REPLAY ",
    };
    let (mode, tone) = match &model.silence {
        Some(silence) if silence.hangs => (" HANGS ", Tone::Alarm),
        Some(_) => (" DEAD ", Tone::Alarm),
        None => (mode, Tone::Badge),
    };
    let mut left = vec![Span::styled(" wharf ", theme.style(Tone::Head)), Span::styled(mode, theme.style(tone))];
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

/// The panes' tabs: names and counts as far as there is room.
fn labels(model: &Model) -> Vec<(PaneId, String)> {
    // With the blank before the first one, and without the last one's own.
    let fits =
        |labels: &[(PaneId, String)]| labels.iter().map(|(_, l)| l.width()).sum::<usize>() <= usize::from(model.size.0);
    let labels = labels_with(model, true);
    if fits(&labels) { labels } else { labels_with(model, false) }
}

fn labels_with(model: &Model, counts: bool) -> Vec<(PaneId, String)> {
    let wide = model.size.0 >= 120;
    let label = |(at, pane): (usize, &Pane)| {
        let here = pane.id == model.pane;
        let count =
            (pane.count)(model).filter(|_| counts && (wide || here)).map(|n| format!(" {n}")).unwrap_or_default();
        let key = match at {
            0..10 => ((at + 1) % 10).to_string(),
            _ => model.keymap.first(Cmd::Pane(at as u8)).unwrap_or_default(),
        };
        let text = if wide { format!(" {key} {}{count} ", pane.name) } else { format!("{key} {}{count} ", pane.short) };
        (pane.id, text)
    };
    panes::panes().iter().enumerate().map(label).collect()
}

fn tabs(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let mut all = vec![Span::raw(" ")];
    for (id, label) in labels(model) {
        let style = model.theme.style(match (id == model.pane, model.faults.contains_key(panes::of(id).part)) {
            (true, _) => Tone::Cursor,
            (_, true) => Tone::Bad,
            _ => Tone::Plain,
        });
        all.push(Span::styled(label, style));
    }
    spans(frame, area, all);
}

fn banner(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(fault) = model.dead().filter(|_| area.height > 0) else { return };
    let age = match model.read_at() {
        Some(at) if model.from_disk.contains("containers") => {
            format!("shown from disk, {} old", text::age(model.now, at))
        }
        Some(at) => format!("what you see is {} old", text::age(model.now, at)),
        None => "nothing was ever read".to_owned(),
    };
    let room = usize::from(area.width).saturating_sub(age.width() + 6);
    let how = match &model.silence {
        Some(silence) => {
            let how = if silence.hangs { "hangs" } else { "dead" };
            let since = text::stamp(silence.since);
            format!("runtime {how} since {}Z", since.get(11..19).unwrap_or_default())
        }
        None => format!("no answer for {}", text::age(model.now, fault.since)),
    };
    let why = SafeText::from(format!("{how}: {}", fault.error)).cut(room);
    frame.buffer_mut().set_style(area, model.theme.style(Tone::Alarm));
    let line = Line::styled(format!(" {why}  ({age})"), model.theme.style(Tone::Alarm));
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

/// Why there is nothing to see.
fn emptiness(model: &Model, pane: &Pane) -> String {
    let filter = &model.table().filter;
    if !model.rows.is_empty() {
        return format!("none of {} matches /{filter} ({} shows all)", model.rows.len(), model.keymap.named(Cmd::Back));
    }
    let (asked, error) = match pane.part {
        "pods" => part(&model.seen.pods),
        "containers" => part(&model.seen.containers),
        "images" => part(&model.seen.images),
        "snapshots" if !model.info.storage => {
            return format!("{} does not let its snapshots be read", model.info.name);
        }
        "snapshots" => part(&model.seen.snapshots),
        "cgroups" => part(&model.cgroups),
        "" => return "nothing has happened since wharf came up".to_owned(),
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
    if matches!(pane.id, PaneId::Node | PaneId::Exec) {
        return draw(model, frame, area);
    }
    let title = model.log.as_ref().map_or_else(|| "Logs".to_owned(), panes::logs::title);
    let inner = frame_of(model, frame, area, &title, Tone::Dim);
    draw(model, frame, inner);
}

fn table_pane(model: &Model, frame: &mut Frame<'_>, area: Rect, pane: &'static Pane) {
    let state = model.table();
    let side = if area.width >= SIDE && pane.facts.is_some() { BESIDE } else { 0 };
    let [main, beside] = Layout::horizontal([Constraint::Min(1), Constraint::Length(side)]).areas(area);
    let mut title = format!("{} {}", pane.name, model.order.len());
    if !state.filter.is_empty() {
        title.push_str(&format!("/{} ─ /{}", model.rows.len(), SafeText::new(&state.filter)));
    }
    if let Some((at, source)) = model.disk_of(pane.part) {
        let place = SafeText::new(source.strip_prefix("disk: ").unwrap_or(source)).cut(48);
        let place = if main.width >= 72 { format!(" ({place})") } else { String::new() };
        title.push_str(&format!(" ─ from disk, {} old{place}", text::age(model.now, at)));
    } else if let Some(fault) =
        model.faults.get(pane.part).filter(|_| model.dead().is_none() || model.silence.is_some())
    {
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
    let Some(facts) = pane.facts else { return };
    let facts = model.selected().map(|r| facts(model, r)).unwrap_or_default();
    if side > 0 {
        let title = model.selected().map_or_else(String::new, |r| SafeText::new(&r.name).to_string());
        let inner = frame_of(model, frame, beside, &title, Tone::Dim);
        self::facts(model, frame, inner, &facts);
    } else if pane.id == PaneId::Runbooks {
        // A finding is a sentence: where there is no room for it beside the table, it stands below.
        let used = (model.order.len() as u16).saturating_add(2).min(inner.height);
        let below = Rect {
            x: inner.x + 2,
            y: inner.y + used,
            width: inner.width.saturating_sub(3),
            height: inner.height - used,
        };
        self::facts(model, frame, below, &facts);
    }
}

/// As many as there is room for; none of them takes all of it from the others.
fn facts(model: &Model, frame: &mut Frame<'_>, area: Rect, facts: &[panes::Fact]) {
    let texts: Vec<(&str, SafeText)> = facts.iter().map(|(name, value)| (*name, SafeText::new(value))).collect();
    let width = usize::from(area.width).saturating_sub(11).max(1);
    let wrapped: Vec<(&str, Vec<&str>)> = texts.iter().map(|(n, v)| (*n, text::wrap(v.as_str(), width))).collect();
    let all: usize = wrapped.iter().map(|(_, pieces)| pieces.len()).sum();
    let most = if all <= usize::from(area.height) { usize::MAX } else { LINES };
    let mut y = area.y;
    let mut before = "";
    for (name, pieces) in &wrapped {
        for (at, piece) in pieces.iter().take(most).enumerate() {
            if y >= area.bottom() {
                return;
            }
            let label = if at > 0 || before == *name { "" } else { name };
            let cut = at + 1 == most && pieces.len() > most;
            let piece = if cut { text::cut(&format!("{piece}…"), width) } else { (*piece).to_owned() };
            let spans = vec![Span::styled(format!("{label:<10} "), model.theme.style(Tone::Dim)), Span::raw(piece)];
            frame.buffer_mut().set_line(area.x, y, &Line::from(spans), area.width);
            y += 1;
        }
        before = name;
    }
}
