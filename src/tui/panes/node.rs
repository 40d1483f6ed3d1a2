//! The node at a glance: the machine, the runtime's own conditions, what runs, and how full the disks are.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::{Pane, PaneId};
use crate::{
    client::types::{ContainerState, PodState, Seen},
    tui::{
        model::Model,
        text::{self, SafeText},
        theme::{Tone, fullness},
        view::frame_of,
    },
};

pub const PANE: Pane = Pane {
    id: PaneId::Node,
    name: "Node",
    short: "Node",
    aliases: &["no", "home"],
    columns: &[],
    rows: |_| Vec::new(),
    count: super::none,
    part: "",
    sort: 0,
    extra: 0,
    draw: Some(draw),
    facts: None,
};

type Lines = Vec<Line<'static>>;

fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(7), Constraint::Length(7), Constraint::Min(3)]).areas(area);
    let halves = |r| Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas::<2>(r);
    let [machine, runtime] = halves(top);
    let [use_of, workload] = halves(middle);
    let [conditions, disk] = halves(bottom);
    for (title, area, lines) in [
        ("Machine", machine, self::machine as fn(&Model, u16) -> Lines),
        ("Runtime", runtime, self::runtime),
        ("Use", use_of, usage),
        ("Workload", workload, self::workload),
        ("Conditions", conditions, self::conditions),
        ("Disk", disk, self::disk),
    ] {
        let inner = frame_of(model, frame, area, title, Tone::Dim);
        for (line, y) in lines(model, inner.width).iter().zip(inner.y..inner.bottom()) {
            frame.buffer_mut().set_line(inner.x, y, line, inner.width);
        }
    }
}

fn fact(model: &Model, width: u16, name: &str, value: impl Into<SafeText>, tone: Tone) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{name:<9} "), model.theme.style(Tone::Dim)),
        Span::styled(value.into().cut(usize::from(width).saturating_sub(10)), model.theme.style(tone)),
    ])
}

fn machine(model: &Model, width: u16) -> Lines {
    let Some(host) = &model.host else { return vec![Line::from("reading…")] };
    let load = host.load.map(|l| format!("{l:.2}")).join(" ");
    let busy = host.load[0] > host.cpus as f64;
    let pressure = |(name, value): (&str, Option<f32>)| value.map(|v| format!("{name} {v:.0}%"));
    let pressures: Vec<_> = ["cpu", "mem", "io"].into_iter().zip(host.pressure).filter_map(pressure).collect();
    let stalled = host.pressure.iter().flatten().any(|p| *p >= 20.0);
    vec![
        fact(model, width, "name", host.name.as_str(), Tone::Accent),
        fact(model, width, "kernel", format!("{} {}", host.kernel, distribution(&host.os)), Tone::Plain),
        fact(model, width, "up", text::span(std::time::Duration::from_secs(host.uptime)), Tone::Plain),
        fact(
            model,
            width,
            "load",
            format!("{load} on {} CPUs", host.cpus),
            if busy { Tone::Warn } else { Tone::Plain },
        ),
        fact(
            model,
            width,
            "pressure",
            if pressures.is_empty() { "the kernel has no PSI".into() } else { pressures.join("  ") },
            if stalled { Tone::Bad } else { Tone::Plain },
        ),
    ]
}

/// "Linux (Debian GNU/Linux 13)" says Linux twice.
fn distribution(os: &str) -> &str {
    os.strip_prefix("Linux (").and_then(|o| o.strip_suffix(')')).unwrap_or(os)
}

fn runtime(model: &Model, width: u16) -> Lines {
    let info = &model.info;
    // Lists are read when they change; figures all the time.
    let figures = match &model.seen.stats {
        Seen::At { at, .. } => Some(*at),
        _ => None,
    };
    let (state, tone) = match (model.dead(), model.read_at().max(figures)) {
        (Some(fault), _) => (format!("no answer: {}", fault.error), Tone::Bad),
        (None, Some(at)) => (format!("answers, read {} ago", text::age(model.now, at)), Tone::Good),
        (None, None) => ("asking…".into(), Tone::Dim),
    };
    let sandbox = if model.seen.sandbox_image.is_empty() { "none told" } else { &model.seen.sandbox_image };
    vec![
        fact(model, width, "name", format!("{} {}", info.name, info.version), Tone::Accent),
        fact(model, width, "CRI", info.api_version.as_str(), Tone::Plain),
        fact(model, width, "endpoint", info.endpoint.as_str(), Tone::Plain),
        fact(model, width, "sandbox", sandbox, Tone::Plain),
        fact(model, width, "state", state, tone),
    ]
}

fn usage(model: &Model, width: u16) -> Lines {
    let Some(host) = &model.host else { return vec![Line::from("reading…")] };
    let room = usize::from(width).saturating_sub(10);
    let theme = model.theme;
    let percent = f64::from(host.cpu_percent);
    let memory = host.memory_used * 100 / host.memory_total.max(1);
    let spark = |values, max, tone| {
        Line::from(vec![Span::raw(" ".repeat(10)), Span::styled(text::spark(values, max, room), theme.style(tone))])
    };
    let gauge = |name: &str, part, total, words: String| {
        let cells = room.saturating_sub(words.chars().count() + 1);
        Line::from(vec![
            Span::styled(format!("{name:<9} "), theme.style(Tone::Dim)),
            Span::styled(text::bar(part, total, cells), theme.style(fullness(part, total))),
            Span::raw(format!(" {words}")),
        ])
    };
    let memory_words = format!("{memory:>3}% of {}", text::bytes_short(host.memory_total));
    vec![
        gauge("cpu", percent as u64, 100, format!("{percent:>3.0}% of {}", host.cpus)),
        spark(model.history.cpu.iter().copied().collect::<Vec<_>>().into_iter(), 1000, Tone::Accent),
        gauge("memory", host.memory_used, host.memory_total, memory_words),
        spark(model.history.memory.iter().copied().collect::<Vec<_>>().into_iter(), host.memory_total, Tone::Accent),
    ]
}

fn workload(model: &Model, width: u16) -> Lines {
    let pods = model.seen.pods.value().map(Vec::as_slice).unwrap_or_default();
    let containers = model.seen.containers.value().map(Vec::as_slice).unwrap_or_default();
    let images = model.seen.images.value().map(Vec::as_slice).unwrap_or_default();
    let ready = pods.iter().filter(|p| p.state == PodState::Ready).count();
    let running = containers.iter().filter(|c| c.state == ContainerState::Running).count();
    let failed: Vec<_> = containers
        .iter()
        .filter(|c| c.state == ContainerState::Exited && c.detail.as_ref().is_some_and(|d| d.exit_code != 0))
        .collect();
    let newest = failed.iter().max_by_key(|c| c.detail.as_ref().and_then(|d| d.finished));
    let restarts: u64 = containers.iter().map(|c| u64::from(c.attempt)).max().unwrap_or(0);
    let size: u64 = images.iter().map(|i| i.size).sum();
    let mut lines = vec![
        fact(model, width, "pods", format!("{ready} ready of {}", pods.len()), Tone::Plain),
        fact(
            model,
            width,
            "ctrs",
            format!("{running} running, {} exited badly", failed.len()),
            if failed.is_empty() { Tone::Plain } else { Tone::Warn },
        ),
        fact(
            model,
            width,
            "restarts",
            format!("{restarts} at most"),
            if restarts > 3 { Tone::Warn } else { Tone::Plain },
        ),
        fact(model, width, "images", format!("{}, {}", images.len(), text::bytes(size)), Tone::Plain),
    ];
    if let Some((c, d)) = newest.and_then(|c| c.detail.as_ref().map(|d| (c, d))) {
        let ago = d.finished.map(|f| format!(", {} ago", text::age(model.now, f))).unwrap_or_default();
        let reason = if d.reason.is_empty() { "Error" } else { d.reason.as_str() };
        lines.push(fact(model, width, "last fail", format!("{} {reason} {}{ago}", c.name, d.exit_code), Tone::Bad));
    }
    lines
}

fn conditions(model: &Model, width: u16) -> Lines {
    let mut lines = Vec::new();
    if let Some(error) = model.seen.conditions.error() {
        lines.push(fact(model, width, "unknown", error, Tone::Bad));
    }
    for c in model.seen.conditions.value().into_iter().flatten() {
        let (mark, tone) = if c.ok { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
        let name = SafeText::new(&c.name).cut(usize::from(width).saturating_sub(3));
        lines.push(Line::styled(format!("{mark} {name}"), model.theme.style(tone)));
        if !c.ok {
            let why = SafeText::from(format!("{}: {}", c.reason, c.message));
            for piece in text::wrap(why.as_str(), usize::from(width).saturating_sub(3).max(1)) {
                lines.push(Line::styled(format!("  {piece}"), model.theme.style(Tone::Plain)));
            }
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("none read yet", model.theme.style(Tone::Dim)));
    }
    lines
}

fn disk(model: &Model, width: u16) -> Lines {
    let mut lines: Lines = Vec::new();
    if let Some(error) = model.seen.disk.error() {
        lines.push(fact(model, width, "unknown", error, Tone::Bad));
    }
    let name_width = usize::from(width / 3).clamp(16, 20);
    for d in model.seen.disk.value().into_iter().flatten() {
        let words = format!(" {:>6}", text::bytes_short(d.used_bytes));
        let cells = usize::from(width).saturating_sub(name_width + 1 + words.len());
        let full = fullness(d.total_bytes.saturating_sub(d.free_bytes), d.total_bytes);
        let name = SafeText::new(&d.what).cut(name_width);
        lines.push(Line::from(vec![
            Span::styled(format!("{name:<name_width$} "), model.theme.style(Tone::Dim)),
            Span::styled(text::bar(d.used_bytes, d.total_bytes, cells), model.theme.style(full)),
            Span::raw(words),
        ]));
    }
    if lines.is_empty() {
        lines.push(Line::styled("none read yet", model.theme.style(Tone::Dim)));
    }
    lines
}
