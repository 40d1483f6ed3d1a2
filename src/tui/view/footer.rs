//! The lowest line: the input, a message, or the keys that do something here; and the palette above it.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Clear,
};
use unicode_width::UnicodeWidthStr;

use super::{frame_of, spans};
use crate::{
    client::types::ObjectRef,
    tui::{
        books::STEP,
        keymap::{Cmd, Context},
        model::{Model, Phase, Popup},
        palette,
        panes::{self, PaneId},
        table,
        text::SafeText,
        theme::Tone,
    },
};

pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme;
    if let Some(input) = &model.input {
        let mark = match (input.command, input.search) {
            (true, _) => ":",
            (_, true) => "s",
            _ => "/",
        };
        let text = SafeText::new(&input.text);
        let room = usize::from(area.width).saturating_sub(3);
        let skip = text.width().saturating_sub(room);
        let shown: String = text.as_str().chars().skip(skip).collect();
        spans(frame, area, vec![Span::styled(mark, theme.style(Tone::Head)), Span::raw(shown.clone())]);
        frame.set_cursor_position((area.x + 1 + shown.width().min(room) as u16, area.y));
        return;
    }
    if model.picking {
        let columns = panes::of(model.pane).columns;
        let mut line = vec![Span::styled(" sort by ", theme.style(Tone::Head))];
        for (letter, column) in table::letters(columns).into_iter().zip(columns) {
            line.push(Span::styled(format!(" {letter} "), theme.style(Tone::Accent)));
            line.push(Span::styled(column.name, theme.style(Tone::Dim)));
        }
        return spans(frame, area, line);
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
    if let Some(badge) = crate::tui::update::files::badge(model) {
        line.push(Span::styled(badge, theme.style(Tone::Badge)));
        line.push(Span::raw(" "));
    }
    let typing = model.pane == PaneId::Exec && model.terminals.typing && model.terminals.shown().is_some();
    let ended = model.terminals.shown().is_some_and(|t| !t.living());
    let contexts: &[Context] = match (&model.popup, model.pane) {
        (Some(Popup::Job), _) => &[],
        (Some(Popup::Columns { .. }), _) => &[Context::Columns, Context::Everywhere],
        (Some(_), _) => &[Context::Text, Context::Everywhere],
        (None, PaneId::Exec) if typing && ended => &[],
        (None, PaneId::Exec) if typing => &[Context::Terminal],
        (None, PaneId::Exec) => &[Context::Exec, Context::Everywhere],
        (None, PaneId::Logs) => &[Context::Logs, Context::Everywhere],
        _ => &[Context::Table, Context::Everywhere],
    };
    let help = model.keymap.first(Cmd::Help).filter(|_| !typing).map(|key| format!(" {key} help ")).unwrap_or_default();
    let room = usize::from(area.width).saturating_sub(help.width());
    let hints = model.keymap.bound().filter(|b| contexts.contains(&b.binding.context) && !b.binding.hint.is_empty());
    let mut used: usize = line.iter().map(Span::width).sum();
    for bound in hints.filter(|b| useful(model, b.binding.cmd) && !(b.binding.changes && model.read_only)) {
        let binding = bound.binding;
        let key = bound.keys.first().map(|k| k.name()).unwrap_or_default();
        used += key.width() + binding.hint.width() + 3;
        if used > room {
            break;
        }
        line.push(Span::styled(key, theme.style(Tone::Accent)));
        let hint = match binding.cmd {
            Cmd::Quit if model.popup.is_some() => "close",
            Cmd::Quit if model.pane == PaneId::Exec => "back",
            Cmd::Reveal | Cmd::RevealAll if matches!(&model.popup, Some(Popup::Detail(d)) if d.hidden() == 0) => {
                "hide secrets"
            }
            Cmd::Reveal => "show this secret",
            Cmd::RevealAll => "show all",
            Cmd::Diagnose if model.pane == PaneId::Runbooks => "again",
            _ => binding.hint,
        };
        line.push(Span::styled(format!(" {hint}  "), theme.style(Tone::Dim)));
    }
    if matches!(model.popup, Some(Popup::Job)) {
        line.push(Span::styled("the plan has the keys", theme.style(Tone::Dim)));
    }
    if typing && ended && model.popup.is_none() {
        line.push(Span::styled("any key", theme.style(Tone::Accent)));
        line.push(Span::styled(" closes", theme.style(Tone::Dim)));
    }
    spans(frame, area, line);
    if !matches!(model.popup, Some(Popup::Job)) {
        let (width, word) = (help.width() as u16, " help ".len() as u16);
        let x = area.right().saturating_sub(width);
        frame.buffer_mut().set_string(x, area.y, &help, theme.style(Tone::Accent));
        let dim = Rect { x: area.right().saturating_sub(word.min(width)), width: word.min(width), ..area };
        frame.buffer_mut().set_style(dim, theme.style(Tone::Dim));
    }
}

/// Whether a step of a runbook is read.
fn of_step(model: &Model) -> bool {
    matches!(&model.popup, Some(Popup::Detail(d)) if d.kind == STEP)
}

fn fixable(model: &Model) -> bool {
    let step = |row| panes::runbooks::step(model, row);
    model.selected().and_then(step).is_some_and(|(_, s)| s.finding.fix.is_some())
}

/// Whether a key does something where the person is: hints show nothing else.
fn useful(model: &Model, cmd: Cmd) -> bool {
    let pane = model.pane;
    let acts_on = model.selected().and_then(|r| r.object.as_ref());
    match cmd {
        Cmd::Help => false,
        Cmd::Toggle | Cmd::Later | Cmd::Earlier | Cmd::SortHere | Cmd::Keep | Cmd::Forget => true,
        cmd if model.popup.is_some() => match cmd {
            Cmd::Filter => matches!(model.popup, Some(Popup::Detail(_))),
            Cmd::Copy => of_step(model),
            Cmd::Fix => of_step(model) && fixable(model),
            Cmd::Reveal => matches!(&model.popup, Some(Popup::Detail(d)) if d.has_secrets()),
            Cmd::NextSecret | Cmd::RevealAll => matches!(&model.popup, Some(Popup::Detail(d)) if d.hidden() > 0),
            cmd => cmd == Cmd::Quit,
        },
        Cmd::Type | Cmd::End | Cmd::CopyLines if pane == PaneId::Exec => model.terminals.shown().is_some(),
        Cmd::NextTerminal => model.terminals.all.len() > 1,
        Cmd::Leave => true,
        cmd if pane == PaneId::Exec => cmd == Cmd::Quit,
        Cmd::Quit if pane == PaneId::Logs => true,
        cmd if pane == PaneId::Node => matches!(cmd, Cmd::Prune | Cmd::PlanPrune | Cmd::Quit),
        Cmd::Exec | Cmd::Logs | Cmd::Stop | Cmd::Restart | Cmd::Tree | Cmd::Graphs => {
            pane == PaneId::Logs || matches!(acts_on, Some(ObjectRef::Pod(_) | ObjectRef::Container(_)))
        }
        Cmd::Open if pane == PaneId::Runbooks => model.selected().is_some(),
        Cmd::Fix => pane == PaneId::Runbooks && fixable(model),
        Cmd::Open | Cmd::Describe | Cmd::Yaml => acts_on.is_some(),
        Cmd::Layer => matches!(acts_on, Some(ObjectRef::Image(_) | ObjectRef::Snapshot { .. })),
        Cmd::Remove => acts_on.is_some_and(|o| !matches!(o, ObjectRef::Snapshot { .. })),
        _ => true,
    }
}

/// What the letters typed so far may mean, above the input line.
pub fn palette(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let Some(input) = model.input.as_ref().filter(|i| i.command) else { return };
    let found = palette::matches(&input.text);
    let height = (found.len() as u16 + 2).min(body.height).min(14);
    let area = Rect { y: body.bottom() - height, height, width: body.width.min(76), ..body };
    frame.render_widget(Clear, area);
    let inner = frame_of(model, frame, area, "Commands and panes (Tab completes, ↑ older)", Tone::Accent);
    let rows = usize::from(inner.height);
    let first = (input.choice.unwrap_or(0) + 1).saturating_sub(rows);
    let theme = model.theme;
    for ((at, entry), y) in found.iter().enumerate().skip(first).zip(inner.y..inner.bottom()) {
        let lacks = entry.word.lacks(&model.info);
        let off = entry.changes && model.read_only || lacks.is_some();
        let tone = match (off, input.choice == Some(at)) {
            (_, true) => Tone::Cursor,
            (true, _) => Tone::Dim,
            _ => Tone::Plain,
        };
        let name = format!("{} {}", entry.name.to_lowercase(), entry.argument);
        let help = match lacks {
            _ if entry.changes && model.read_only => "read-only: not done".to_owned(),
            Some(why) => format!("not offered: {}", SafeText::new(&why)),
            None => entry.help.to_owned(),
        };
        let line = Line::from(vec![
            Span::styled(format!("{name:<22}"), theme.style(tone)),
            Span::styled(format!("{:<7} ", entry.aliases.first().unwrap_or(&"")), theme.style(Tone::Dim)),
            Span::styled(help, theme.style(Tone::Dim)),
        ]);
        frame.buffer_mut().set_line(inner.x, y, &line, inner.width);
    }
}
