//! Popups: help, described objects, plans and their progress, pulls. Drawn last, always in the middle.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Clear,
};
use unicode_width::UnicodeWidthStr;

use super::frame_of;
use crate::{
    client::types::PullPhase,
    tui::{
        detail::Detail,
        keymap::{Bound, Cmd, Context},
        model::{GRACE, Job, Model, Phase, Popup},
        text::{self, SafeText},
        theme::Tone,
    },
};

type Lines = Vec<Line<'static>>;

pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    match &model.popup {
        None => {}
        Some(Popup::Help { scroll }) => help(model, frame, body, *scroll),
        Some(Popup::Detail(detail)) => self::detail(model, frame, body, detail),
        Some(Popup::Planning { what, .. }) => {
            let area = open(frame, body, 64, 3);
            let inner = frame_of(model, frame, area, "Plan", Tone::Accent);
            let text = format!("asking how to {what}…");
            put(frame, inner, &[Line::raw(text::cut(&text, usize::from(inner.width)))], 0);
        }
        Some(Popup::Job) => {
            if let Some(job) = &model.job {
                self::job(model, frame, body, job);
            }
        }
        Some(Popup::Pulls) => pulls(model, frame, body),
        Some(Popup::Graphs) => super::graphs::draw(model, frame, body),
        Some(Popup::Columns { at, list }) => super::columns::draw(model, frame, body, *at, list),
    }
}

pub fn open(frame: &mut Frame<'_>, body: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(body.width), height.min(body.height));
    let area = Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    area
}

fn put(frame: &mut Frame<'_>, area: Rect, lines: &[Line<'_>], scroll: usize) {
    let scroll = scroll.min(lines.len().saturating_sub(usize::from(area.height)));
    for (line, y) in lines.iter().skip(scroll).zip(area.y..area.bottom()) {
        frame.buffer_mut().set_line(area.x, y, line, area.width);
    }
}

fn help(model: &Model, frame: &mut Frame<'_>, body: Rect, scroll: usize) {
    let mut columns: Vec<Lines> = Vec::new();
    let groups: [&[(Context, &str)]; 2] = [
        &[
            (Context::Table, "Tables"),
            (Context::Exec, "Exec"),
            (Context::Terminal, "In a terminal"),
            (Context::Columns, "Columns"),
            (Context::Plan, "Plans"),
        ],
        &[(Context::Everywhere, "Everywhere"), (Context::Logs, "Logs"), (Context::Text, "Texts")],
    ];
    for group in groups {
        let mut lines = Vec::new();
        for (context, name) in group {
            lines.push(Line::styled(*name, model.theme.style(Tone::Head)));
            let live = |b: &&Bound| b.binding.context == *context && !(b.binding.changes && model.read_only);
            for bound in model.keymap.bound().filter(live) {
                let lacks = bound.binding.cmd.lacks(&model.info);
                let help = match &lacks {
                    Some(why) => {
                        Span::styled(format!("not offered: {}", SafeText::new(why)), model.theme.style(Tone::Dim))
                    }
                    None => Span::raw(bound.binding.help),
                };
                let tone = if lacks.is_some() { Tone::Dim } else { Tone::Accent };
                let keys = Span::styled(format!(" {:<10} ", bound.names()), model.theme.style(tone));
                lines.push(Line::from(vec![keys, help]));
            }
            lines.push(Line::raw(""));
        }
        columns.push(lines);
    }
    let side_by_side = body.width >= 132;
    let wide = if side_by_side { 136 } else { body.width };
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0) as u16;
    let total: usize = columns.iter().map(Vec::len).sum();
    let area = open(frame, body, wide, if side_by_side { longest + 2 } else { total as u16 + 2 });
    let title = if model.read_only { "Keys (read-only: nothing that changes the node)" } else { "Keys" };
    let inner = frame_of(model, frame, area, title, Tone::Accent);
    let (height, count) = (usize::from(inner.height), if side_by_side { usize::from(longest) } else { total });
    let scroll = scroll.min(count.saturating_sub(height));
    if side_by_side {
        let half = inner.width / 2;
        for (at, lines) in columns.iter().enumerate() {
            put(frame, Rect { x: inner.x + at as u16 * half, width: half, ..inner }, lines, scroll);
        }
    } else {
        let lines: Lines = columns.into_iter().flatten().collect();
        put(frame, inner, &lines, scroll);
    }
    if count > height {
        let (down, up) = (model.keymap.named(Cmd::Down), model.keymap.named(Cmd::Up));
        let place = format!(" {}-{} of {count}, {down}/{up} ", scroll + 1, scroll + height);
        let x = area.right().saturating_sub(place.width() as u16 + 2);
        frame.buffer_mut().set_string(x, area.bottom() - 1, place, model.theme.style(Tone::Dim));
    }
}

fn detail(model: &Model, frame: &mut Frame<'_>, body: Rect, detail: &Detail) {
    frame.render_widget(Clear, body);
    let mut title = format!("{} {}", detail.kind, detail.title);
    match detail.hidden() {
        0 => {}
        1 => title.push_str(" ─ a secret is hidden"),
        many => title.push_str(&format!(" ─ {many} secrets are hidden")),
    }
    if !detail.filter.is_empty() {
        title.push_str(&format!(" ─ /{}", SafeText::new(&detail.filter)));
    }
    let inner = frame_of(model, frame, body, &title, Tone::Accent);
    let theme = model.theme;
    match &detail.result {
        None => {
            let text = format!("reading… ({} gives up)", model.keymap.named(Cmd::Back));
            put(frame, inner, &[Line::styled(text, theme.style(Tone::Dim))], 0);
        }
        Some(Err(error)) => {
            let pieces = text::wrap(error.as_str(), usize::from(inner.width));
            let lines: Lines = pieces.iter().map(|p| Line::styled((*p).to_owned(), theme.style(Tone::Bad))).collect();
            put(frame, inner, &lines, 0);
        }
        Some(Ok(_)) => {
            let (rows, height) = (detail.rows(usize::from(inner.width)), usize::from(inner.height));
            let scroll = detail.scroll.min(rows.len().saturating_sub(height));
            let cursor = detail.cursor((usize::from(inner.width), height)).filter(|_| detail.has_secrets());
            for (row, y) in rows.iter().skip(scroll).zip(inner.y..inner.bottom()) {
                let head = Span::styled(row.head.as_str(), theme.style(row.head_tone));
                let tone = if cursor == Some(row.line) { Tone::Cursor } else { row.tone };
                let line = Line::from(vec![head, Span::styled(row.text, theme.style(tone))]);
                frame.buffer_mut().set_line(inner.x, y, &line, inner.width);
            }
            if rows.len() > height {
                let place = format!(" {}-{} of {} ", scroll + 1, scroll + height, rows.len());
                let x = body.right().saturating_sub(place.width() as u16 + 2);
                frame.buffer_mut().set_string(x, body.bottom() - 1, place, theme.style(Tone::Dim));
            }
        }
    }
}

fn job(model: &Model, frame: &mut Frame<'_>, body: Rect, job: &Job) {
    let theme = model.theme;
    let width = (body.width.saturating_sub(4)).min(120);
    let room = usize::from(width).saturating_sub(4);
    let mut lines: Lines = Vec::new();
    for (step, result) in job.plan.steps.iter().zip(&job.results) {
        let (mark, tone) = match (result, job.phase) {
            (Some(Ok(_)), _) => ("✓", Tone::Good),
            (Some(Err(_)), _) => ("✗", Tone::Bad),
            (None, Phase::Running) => ("…", Tone::Dim),
            (None, _) => ("−", Tone::Warn),
        };
        let verb = verb(&step.step);
        let bytes = if step.frees > 0 { text::bytes_short(step.frees) } else { String::new() };
        let reason = SafeText::new(&step.reason);
        let space = room.saturating_sub(16 + bytes.len());
        let what = SafeText::new(&step.what).cut(space);
        let beside = what.width() + reason.width() + 2 <= space;
        let said = if beside { format!("  {reason}") } else { String::new() };
        let gap = " ".repeat(space.saturating_sub(what.width() + said.width()));
        lines.push(Line::from(vec![
            Span::styled(format!("{mark} {verb:<12} "), theme.style(tone)),
            Span::raw(what),
            Span::styled(format!("{said}{gap} "), theme.style(Tone::Dim)),
            Span::styled(bytes, theme.style(Tone::Accent)),
        ]));
        if let crate::client::action::Step::Change(change) = &step.step {
            for line in change.preview().lines() {
                let tone = match line.as_bytes().first() {
                    Some(b'+') => Tone::Good,
                    Some(b'-') => Tone::Bad,
                    _ => Tone::Dim,
                };
                lines.push(Line::styled(
                    format!("    {}", SafeText::new(line).cut(room.saturating_sub(4))),
                    theme.style(tone),
                ));
            }
        }
        if !beside {
            for piece in text::wrap(reason.as_str(), room.saturating_sub(15).max(1)) {
                lines.push(Line::styled(format!("               {piece}"), theme.style(Tone::Dim)));
            }
        }
        if let Some(Ok(told)) = result
            && !told.as_str().is_empty()
        {
            lines.push(Line::styled(format!("    {}", told.cut(room.saturating_sub(4))), theme.style(Tone::Good)));
        }
        if let Some(Err(error)) = result {
            for piece in text::wrap(error.as_str(), room.saturating_sub(4).max(1)).iter().take(4) {
                lines.push(Line::styled(format!("    {piece}"), theme.style(Tone::Bad)));
            }
        }
    }
    if job.plan.steps.is_empty() {
        lines.push(Line::raw("Nothing to do."));
    }
    if !job.plan.keeps.is_empty() {
        lines.push(Line::raw(""));
        lines.push(Line::styled("stays", theme.style(Tone::Head)));
        for kept in &job.plan.keeps {
            let what = SafeText::new(&kept.what).cut(room.saturating_sub(2));
            let why = SafeText::new(&kept.why);
            let beside = what.width() + why.width() + 4 <= room;
            let said = if beside { format!("  {why}") } else { String::new() };
            lines.push(Line::from(vec![
                Span::styled(format!("  {what}"), theme.style(Tone::Plain)),
                Span::styled(said, theme.style(Tone::Dim)),
            ]));
            for piece in text::wrap(why.as_str(), room.saturating_sub(4).max(1)).iter().filter(|_| !beside) {
                lines.push(Line::styled(format!("    {piece}"), theme.style(Tone::Dim)));
            }
        }
    }
    let area = open(frame, body, width, (lines.len() as u16).saturating_add(5).max(9));
    let title = format!("Plan: {}", job.title);
    let border = if job.phase == Phase::Grace { Tone::Warn } else { Tone::Accent };
    let inner = frame_of(model, frame, area, &title, border);
    let list = Rect { height: inner.height.saturating_sub(3), ..inner };
    put(frame, list, &lines, job.scroll);
    if lines.len() > usize::from(list.height) {
        let more = format!(" j/k: {} lines ", lines.len());
        let x = area.right().saturating_sub(more.width() as u16 + 2);
        frame.buffer_mut().set_string(x, area.y, more, theme.style(Tone::Dim));
    }
    let frees = job.plan.frees();
    let sum = format!(
        "{} {}, {} stay{}",
        job.plan.steps.len(),
        if job.plan.steps.len() == 1 { "step" } else { "steps" },
        job.plan.keeps.len(),
        if frees > 0 { format!(", frees about {}", text::bytes(frees)) } else { String::new() }
    );
    frame.buffer_mut().set_string(inner.x, inner.bottom().saturating_sub(2), sum, theme.style(Tone::Head));
    let button = |name: &str, on: bool| {
        Span::styled(format!(" {name} "), theme.style(if on { Tone::Cursor } else { Tone::Plain }))
    };
    let dim = |text: &str| Span::styled(text.to_owned(), theme.style(Tone::Dim));
    let key = |cmd| model.keymap.named(cmd);
    // Its first two keys: the letter, and the one that closes everything.
    let off = model.keymap.bound().find(|b| b.binding.cmd == Cmd::CallOff);
    let off = off.map_or_else(String::new, |b| b.keys.iter().take(2).map(|k| k.name()).collect::<Vec<_>>().join("/"));
    let buttons = match job.phase {
        Phase::Grace => {
            let waited = job.shown.and_then(|at| model.now.duration_since(at).ok()).unwrap_or_default();
            let left = GRACE.saturating_sub(waited);
            let seconds = left.as_millis().div_ceil(1000);
            vec![
                Span::styled(format!(" starts in {seconds} s "), theme.style(Tone::Alarm)),
                dim(" "),
                Span::styled(text::bar(left.as_millis() as u64, GRACE.as_millis() as u64, 12), theme.style(Tone::Warn)),
                dim(&format!("  {off} calls it off   {} starts now", key(Cmd::Press))),
            ]
        }
        Phase::Review(_) if model.read_only => vec![button("Close", true), dim("   read-only: it cannot be started")],
        Phase::Review(start) if job.ends().is_some() => {
            let ends = job.ends().unwrap_or_default();
            let asks = format!(" {ends} containers end: type {ends} ");
            vec![
                button("Cancel", !start),
                dim("  "),
                button("Start", start),
                Span::styled(asks, theme.style(Tone::Alarm)),
                Span::raw(format!(" {}", job.typed)),
            ]
        }
        Phase::Review(start) => {
            vec![
                button("Cancel", !start),
                dim("  "),
                button("Start", start),
                dim(&format!("   {} other, {} presses, {} starts", key(Cmd::Switch), key(Cmd::Press), key(Cmd::Start))),
            ]
        }
        Phase::Running => vec![dim(&format!("working…  {} leaves it running behind", key(Cmd::CallOff)))],
        Phase::Done => vec![button("Close", true)],
    };
    let y = inner.bottom().saturating_sub(1);
    frame.buffer_mut().set_line(inner.x, y, &Line::from(buttons), inner.width);
}

fn verb(step: &crate::client::action::Step) -> &'static str {
    use crate::client::action::Step;
    match step {
        Step::StopPod(_) => "stop pod",
        Step::RemovePod(_) => "remove pod",
        Step::StopContainer(..) => "stop",
        Step::RemoveContainer(_) => "remove",
        Step::PullImage(_) => "pull",
        Step::RemoveImage(_) => "remove image",
        Step::Restart { .. } => "restart",
        Step::RunPod(_) => "run pod",
        Step::CreateContainer(_) => "create",
        Step::StartContainer(_) => "start",
        Step::TagImage { .. } => "tag",
        Step::PinImage { pinned: true, .. } => "pin",
        Step::PinImage { .. } => "unpin",
        Step::Collect => "collect",
        Step::Change(_) => "change",
    }
}

fn pulls(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let theme = model.theme;
    let width = body.width.saturating_sub(4).min(100);
    let room = usize::from(width).saturating_sub(4);
    let mut lines: Lines = Vec::new();
    for pull in &model.pulls {
        lines.push(Line::styled(pull.reference.cut(room), theme.style(Tone::Head)));
        for layer in pull.layers.values() {
            let (word, tone) = match layer.phase {
                PullPhase::Resolving => ("resolving", Tone::Dim),
                PullPhase::Downloading => ("downloading", Tone::Accent),
                PullPhase::Unpacking => ("unpacking", Tone::Warn),
                PullPhase::Done => ("done", Tone::Good),
                PullPhase::Exists => ("there", Tone::Good),
            };
            let id = SafeText::new(text::short_id(&layer.layer)).cut(14);
            let figures = format!("{:>6}/{:<6}", text::bytes_short(layer.done), text::bytes_short(layer.total));
            let whole = matches!(layer.phase, PullPhase::Done | PullPhase::Exists);
            let (done, total) = if whole { (1, 1) } else { (layer.done, layer.total) };
            lines.push(Line::from(vec![
                Span::styled(format!("  {id:<14} {word:<12}"), theme.style(tone)),
                Span::styled(text::bar(done, total, room.saturating_sub(46)), theme.style(tone)),
                Span::styled(format!("  {figures}"), theme.style(Tone::Dim)),
            ]));
        }
        match &pull.outcome {
            None if pull.layers.is_empty() => {
                lines.push(Line::styled("  asking the registry…", theme.style(Tone::Dim)))
            }
            None => {}
            Some(Ok(id)) => {
                lines.push(Line::styled(format!("  ✓ {}", id.cut(room.saturating_sub(4))), theme.style(Tone::Good)));
            }
            Some(Err(error)) => {
                for piece in text::wrap(error.as_str(), room.saturating_sub(4).max(1)) {
                    lines.push(Line::styled(format!("  ✗ {piece}"), theme.style(Tone::Bad)));
                }
            }
        }
    }
    if lines.is_empty() {
        lines.push(Line::raw("no pull was started; :pull REFERENCE"));
    }
    let area = open(frame, body, width, lines.len() as u16 + 2);
    let inner = frame_of(
        model,
        frame,
        area,
        &format!("Pulls ({} leaves them running)", model.keymap.named(Cmd::Back)),
        Tone::Accent,
    );
    put(frame, inner, &lines, lines.len());
}
