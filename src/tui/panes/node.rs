//! The node at a glance: the machine, the runtime's own conditions, what runs, and how full the disks are.

use std::collections::VecDeque;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::{Pane, PaneId};
use crate::{
    client::types::{ContainerState, Mode, PodState, Seen},
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

/// The use of the node with a line for each figure, and with its history below each; from which height there is room for that.
const BRIEF: u16 = 9;
const WHOLE: u16 = 13;
const ROOMY: u16 = 30;
/// Columns of a figure's name and of its words.
const NAME: usize = 10;
const WORDS: usize = 13;
/// Bytes in a second that a line is high at least.
const FLOW: u64 = 64 << 10;

fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let [left, right] = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas::<2>(area);
    let heights = if area.height >= ROOMY { [7, WHOLE] } else { [6, BRIEF] };
    let boxes = |side, [first, second]: [u16; 2]| {
        Layout::vertical([Constraint::Length(first), Constraint::Length(second), Constraint::Min(3)]).areas::<3>(side)
    };
    let ([machine, use_of, conditions], [runtime, workload, disk]) = (boxes(left, heights), boxes(right, heights));
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
    let mut lines = vec![
        fact(model, width, "name", format!("{} {}", info.name, info.version), Tone::Accent),
        fact(model, width, "state", state, tone),
        fact(model, width, "CRI", info.api_version.as_str(), Tone::Plain),
        fact(model, width, "sandbox", sandbox, Tone::Plain),
    ];
    // The header has it too.
    if panes_height(model) >= ROOMY {
        lines.insert(2, fact(model, width, "endpoint", info.endpoint.as_str(), Tone::Plain));
    }
    lines
}

/// One figure over time: its words behind the line.
struct Past<'a> {
    name: &'a str,
    ring: &'a VecDeque<u64>,
    /// What the line's height is at least, so that little is drawn as little.
    least: u64,
    words: String,
    tone: Tone,
}

fn usage(model: &Model, width: u16) -> Lines {
    let Some(host) = &model.host else { return vec![Line::from("reading…")] };
    let (theme, past) = (model.theme, &model.history);
    let roomy = panes_height(model) >= ROOMY;
    let percent = f64::from(host.cpu_percent);
    let memory = host.memory_used * 100 / host.memory_total.max(1);
    let cpu_words = format!("{percent:.0}% of {}", host.cpus);
    let memory_words = format!("{memory}% of {}", text::bytes_short(host.memory_total));
    let gauge = |name: &str, part, total, words: &str| {
        let cells = usize::from(width).saturating_sub(NAME + WORDS + 1);
        Line::from(vec![
            Span::styled(format!("{name:<NAME$}"), theme.style(Tone::Dim)),
            Span::styled(text::bar(part, total, cells), theme.style(fullness(part, total))),
            Span::raw(format!(" {words:>WORDS$}")),
        ])
    };
    let line = |past: Past<'_>| {
        let cells = usize::from(width).saturating_sub(NAME + WORDS + 1);
        let values: Vec<u64> = past.ring.iter().copied().collect();
        let words = text::cut(&past.words, WORDS);
        Line::from(vec![
            Span::styled(format!("{:<NAME$}", past.name), theme.style(Tone::Dim)),
            Span::styled(text::spark(values.into_iter(), past.least, cells), theme.style(past.tone)),
            Span::styled(
                format!(" {words:>WORDS$}"),
                theme.style(if past.tone == Tone::Bad { Tone::Bad } else { Tone::Plain }),
            ),
        ])
    };
    // What is not known is words instead of a line.
    let unknown = |name: &str, why: &str| {
        let room = usize::from(width).saturating_sub(NAME);
        Line::from(vec![
            Span::styled(format!("{name:<NAME$}"), theme.style(Tone::Dim)),
            Span::styled(SafeText::new(why).cut(room), theme.style(Tone::Dim)),
        ])
    };
    fn level<'a>(name: &'a str, ring: &'a VecDeque<u64>, least: u64, words: String) -> Past<'a> {
        Past { name, ring, least, words, tone: Tone::Accent }
    }
    let mut lines = Vec::new();
    if roomy {
        lines.push(gauge("cpu", percent as u64, 100, &cpu_words));
        lines.push(line(level("", &past.cpu, 1000, String::new())));
        lines.push(gauge("memory", host.memory_used, host.memory_total, &memory_words));
        lines.push(line(level("", &past.memory, host.memory_total, String::new())));
    } else {
        lines.push(line(level("cpu", &past.cpu, 1000, cpu_words)));
        lines.push(line(level("memory", &past.memory, host.memory_total, memory_words)));
    }
    for (name, ways, signs, flow, rings) in [
        ("net", ["in", "out"], ["↓", "↑"], &host.network, &past.network),
        ("disk", ["read", "write"], ["r", "w"], &host.disk, &past.disk),
    ] {
        match flow {
            Seen::At { value, .. } if roomy => {
                for ((way, ring), bytes) in ways.iter().zip(rings).zip([value.inward, value.outward]) {
                    let name = format!("{name} {way}");
                    let words = format!("{}/s", text::bytes_short(bytes));
                    lines.push(line(Past { name: &name, ring, least: FLOW, words, tone: Tone::Accent }));
                }
            }
            Seen::At { value, .. } => {
                let both: VecDeque<u64> = rings[0].iter().zip(&rings[1]).map(|(a, b)| a.saturating_add(*b)).collect();
                let words = [value.inward, value.outward].map(text::bytes_short);
                let words = format!("{}{} {}{}", signs[0], words[0], signs[1], words[1]);
                lines.push(line(level(name, &both, FLOW, words)));
            }
            Seen::Failed { error, .. } => lines.push(unknown(name, error)),
            Seen::NotAsked if model.info.mode == Mode::Replay => lines.push(unknown(name, "not in this recording")),
            Seen::NotAsked => lines.push(unknown(name, "measuring…")),
        }
    }
    for (at, name) in ["cpu stall", "mem stall", "io stall"].into_iter().enumerate() {
        let Some(some) = host.pressure[at] else {
            lines.push(unknown(name, "the kernel has no PSI"));
            continue;
        };
        let full = host.full[at].map(|f| format!(" all {f:.0}%")).unwrap_or_default();
        let tone = if some >= 20.0 { Tone::Bad } else { Tone::Accent };
        lines.push(line(Past { name, ring: &past.waits[at], least: 1000, words: format!("{some:.0}%{full}"), tone }));
    }
    lines
}

/// Of the boxes together.
fn panes_height(model: &Model) -> u16 {
    model.inside().1 as u16 + 2
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
