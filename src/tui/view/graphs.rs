//! Graphs of one pod or container: processor, memory, network, disk and pressure over the last minutes, each with its figure of
//! now, its limit as a line, and where it is from. What is not known has its reason instead of a line.

use std::time::{Duration, SystemTime};

use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::Style,
    symbols::Marker,
    text::{Line, Span},
    widgets::{Axis, Chart, Clear, Dataset, GraphType},
};

use super::frame_of;
use crate::{
    client::types::Mode,
    node::{Seen, meter::Meter},
    tui::{
        graphs::{GAP, Point, Track},
        model::Model,
        text::{self, SafeText},
        theme::{Palette, Theme, Tone, fullness},
    },
};

/// Parts of a graph of whose limit less is used, it is drawn without: the line would lie on the axis.
const FAR: f64 = 20.0;
/// Columns of the figures beside an axis.
const LABEL: usize = 5;

/// The tones and the signs of the lines of one graph: without colours signs tell them apart.
const TONES: [Tone; 3] = [Tone::Accent, Tone::Warn, Tone::Good];
const SIGNS: [(Marker, &str); 3] = [(Marker::Braille, "⠶"), (Marker::Dot, "•"), (Marker::Bar, "▄")];
const ASCII: [(Marker, &str); 3] = [(Marker::Dot, "•"), (Marker::Block, "█"), (Marker::Bar, "▄")];

fn sign(theme: Theme, at: usize) -> (Marker, &'static str) {
    match (theme.ascii, theme.palette) {
        (true, _) => ASCII[at],
        (false, Palette::Mono) => SIGNS[at],
        (false, _) => (Marker::Braille, "━"),
    }
}

/// One graph.
struct Graph {
    name: &'static str,
    /// Beside the name: a sign for the line of that number, and words.
    figures: Vec<(Option<usize>, String, Tone)>,
    lines: Vec<Vec<(SystemTime, f64)>>,
    limit: Option<f64>,
    /// The least that the axis reaches to, and what it is in steps of.
    least: f64,
    unit: f64,
    label: fn(f64) -> String,
    /// Why nothing is known now.
    unknown: Option<SafeText>,
}

pub fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let Some(track) = model.graphs.shown() else { return };
    frame.render_widget(Clear, body);
    // In a recording the time stands still.
    let now = if model.info.mode == Mode::Replay { SystemTime::UNIX_EPOCH } else { model.now };
    let (end, window) = track.window(now);
    let title = format!("Graphs {} ─ the last {} min", track.title, window.as_secs() / 60);
    let mut inner = frame_of(model, frame, body, &title, Tone::Accent);
    if let (Some(error), None) = (&track.error, &track.last) {
        for (piece, y) in text::wrap(error.as_str(), usize::from(inner.width)).iter().zip(inner.y..inner.bottom()) {
            frame.buffer_mut().set_string(inner.x, y, piece, model.theme.style(Tone::Bad));
        }
        return;
    }
    if let Some(error) = &track.error {
        let text = error.cut(usize::from(inner.width));
        frame.buffer_mut().set_string(inner.x, inner.y, text, model.theme.style(Tone::Bad));
        inner = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    }
    let rows: [Rect; 3] =
        Layout::vertical([Constraint::Fill(1); 3]).spacing(u16::from(inner.height >= 27)).areas(inner);
    let mut graphs = graphs(model, track).into_iter();
    for row in rows {
        let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).spacing(2).areas(row);
        for area in [left, right] {
            match graphs.next() {
                Some(graph) => one(model, frame, area, &graph, end, window),
                None => sources(model, frame, area, track),
            }
        }
    }
}

fn graphs(model: &Model, track: &Track) -> [Graph; 5] {
    let line = |of: &dyn Fn(&Point) -> Option<f64>| -> Vec<(SystemTime, f64)> {
        track.points.iter().filter_map(|p| Some((p.at?, of(p)?))).collect()
    };
    let last = track.last.as_ref();
    let now = |line: &[(SystemTime, f64)]| line.last().map(|(_, value)| *value);
    let cpu = line(&|p| p.cores.map(|c| c as f64));
    let memory = line(&|p| p.memory.map(|m| m as f64));
    let limit = |of: fn(&Meter) -> Option<u64>| last.and_then(of).filter(|l| *l > 0);
    let (cores, bytes) = (limit(|m| m.cpu.value()?.limit), limit(|m| m.memory.value()?.limit));
    let cpus = model.host.as_ref().map_or(0, |h| h.cpus as u64);
    let used = |line: &[(SystemTime, f64)], limit: Option<u64>, say: fn(u64) -> String| {
        let Some(now) = now(line).map(|n| n as u64) else { return Vec::new() };
        let (of, tone) = match limit {
            Some(limit) => (format!(" {}% of {}", percent(now, limit), say(limit)), fullness(now, limit)),
            None => (", no limit".to_owned(), Tone::Plain),
        };
        let tone = if tone == Tone::Good { Tone::Plain } else { tone };
        vec![(None, say(now), Tone::Head), (None, of, tone)]
    };
    let mut figures = used(&cpu, cores, text::cores);
    if let (None, Some(share), true) = (cores, now(&cpu), cpus > 0) {
        let whole = cpus * 1_000_000_000;
        figures.truncate(1);
        figures.push((None, format!(" {}% of {cpus} CPUs, no limit", percent(share as u64, whole)), Tone::Plain));
    }
    let flows = |name: &'static str, words: [&str; 2], of: &dyn Fn(&Point) -> Option<[u64; 2]>, unknown| {
        let lines: Vec<_> = [0, 1].iter().map(|way: &usize| line(&|p| of(p).map(|f| f[*way] as f64))).collect();
        let figure = |way: usize| Some((Some(way), format!("{} {}", words[way], rate(now(&lines[way])?)), Tone::Plain));
        let figures = [0, 1].into_iter().filter_map(figure).collect();
        Graph { name, figures, lines, limit: None, least: 1024.0, unit: 1024.0, label: short, unknown }
    };
    let waits: Vec<_> = [0, 1, 2].iter().map(|at: &usize| line(&|p| p.waits.map(|w| f64::from(w[*at])))).collect();
    let full = last.and_then(|m| m.pressure.value()).map(|p| [&p.cpu, &p.memory, &p.io].map(|s| s.full[0]));
    let words = ["cpu", "mem", "io"].iter().enumerate();
    let mut stalls: Vec<_> = words
        .filter_map(|(at, name)| {
            let value = now(&waits[at])?;
            let tone = if value >= 20.0 { Tone::Bad } else { Tone::Plain };
            Some((Some(at), format!("{name} {value:.0}%"), tone))
        })
        .collect();
    stalls.extend(
        full.filter(|f| f.iter().any(|f| *f >= 0.5))
            .map(|f| (None, format!("all waited: {:.0} {:.0} {:.0}%", f[0], f[1], f[2]), Tone::Bad)),
    );
    [
        Graph {
            name: "CPU",
            figures,
            lines: vec![cpu],
            limit: cores.map(|c| c as f64),
            least: 10_000_000.0,
            unit: 1_000_000.0,
            label: |v| text::cores(v as u64),
            unknown: why(last, |m| &m.cpu),
        },
        Graph {
            name: "Memory",
            figures: used(&memory, bytes, text::bytes_short),
            lines: vec![memory],
            limit: bytes.map(|b| b as f64),
            least: 1_048_576.0,
            unit: 1024.0,
            label: short,
            unknown: why(last, |m| &m.memory),
        },
        flows("Network", ["in", "out"], &|p| p.network, why(last, |m| &m.network)),
        flows("Disk", ["read", "written"], &|p| p.io, why(last, |m| &m.io)),
        Graph {
            name: "Pressure",
            figures: stalls,
            lines: waits,
            limit: None,
            least: 10.0,
            unit: 1.0,
            label: |v| format!("{v:.0}%"),
            unknown: why(last, |m| &m.pressure),
        },
    ]
}

fn percent(part: u64, whole: u64) -> u128 {
    u128::from(part) * 100 / u128::from(whole.max(1))
}

fn short(value: f64) -> String {
    text::bytes_short(value as u64)
}

fn rate(value: f64) -> String {
    format!("{}/s", short(value))
}

fn why<T>(last: Option<&Meter>, of: fn(&Meter) -> &Seen<T>) -> Option<SafeText> {
    match of(last?) {
        Seen::At { .. } => None,
        other => Some(other.error().unwrap_or("the runtime does not tell").into()),
    }
}

/// The next higher of 1, 2, 5, 10, 20 … of a unit and of its thousands, so that the axis does not move all the time.
fn top(peak: f64, unit: f64) -> f64 {
    let thousand = if unit.rem_euclid(1024.0) == 0.0 { 1024.0 } else { 1000.0 };
    let mut scale = unit;
    loop {
        for step in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0] {
            if step * scale >= peak {
                return step * scale;
            }
        }
        scale *= thousand;
        if !scale.is_finite() {
            return peak;
        }
    }
}

/// Pieces of a line between which nothing was missed, as columns before the right edge.
fn pieces(line: &[(SystemTime, f64)], end: SystemTime, window: Duration) -> Vec<Vec<(f64, f64)>> {
    let mut out: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut before: Option<SystemTime> = None;
    for (at, value) in line {
        let ago = end.duration_since(*at).unwrap_or_default();
        if ago > window {
            continue;
        }
        let gap = before.is_none_or(|b| at.duration_since(b).unwrap_or_default() > GAP);
        if gap {
            out.push(Vec::new());
        }
        before = Some(*at);
        if let Some(piece) = out.last_mut() {
            piece.push((-ago.as_secs_f64(), *value));
        }
    }
    out
}

fn one(model: &Model, frame: &mut Frame<'_>, area: Rect, graph: &Graph, end: SystemTime, window: Duration) {
    let theme = model.theme;
    let mut head = vec![Span::styled(format!("{:<9}", graph.name), theme.style(Tone::Accent))];
    for (line, words, tone) in &graph.figures {
        if let Some(line) = line {
            head.push(Span::styled(sign(theme, *line).1, theme.style(TONES[*line])));
        }
        head.push(Span::styled(words.as_str(), theme.style(*tone)));
        head.push(Span::raw(if line.is_some() { "  " } else { "" }));
    }
    let drawn: Vec<Vec<Vec<(f64, f64)>>> = graph.lines.iter().map(|l| pieces(l, end, window)).collect();
    let known = drawn.iter().any(|pieces| !pieces.is_empty());
    if graph.unknown.is_some() || !known {
        head.truncate(1);
    }
    frame.buffer_mut().set_line(area.x, area.y, &Line::from(head), area.width);
    let mut below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let reason = match (&graph.unknown, known) {
        (Some(why), true) => Some((SafeText::from(format!("not known any more: {why}")), 1)),
        (Some(why), false) => Some((SafeText::from(format!("not known: {why}")), usize::from(below.height))),
        (None, false) => Some(("measuring…".into(), 1)),
        (None, true) => None,
    };
    if let Some((reason, most)) = reason {
        for piece in text::wrap(reason.as_str(), usize::from(area.width)).into_iter().take(most) {
            frame.buffer_mut().set_stringn(below.x, below.y, piece, usize::from(area.width), theme.style(Tone::Dim));
            below = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
        }
    }
    if known && below.height > 1 {
        chart(theme, frame, below, graph, &drawn, window);
    }
}

fn chart(
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
    graph: &Graph,
    drawn: &[Vec<Vec<(f64, f64)>>],
    window: Duration,
) {
    let peak = drawn.iter().flatten().flatten().map(|(_, value)| *value).fold(graph.least, f64::max);
    let near = graph.limit.filter(|limit| peak * FAR >= *limit);
    // The limit is the upper edge as long as nothing is above it.
    let top = match near {
        Some(limit) if peak <= limit => limit,
        _ => top(peak, graph.unit),
    };
    let span = window.as_secs_f64();
    let edge: Vec<(f64, f64)> =
        near.map(|l| (0..=400).map(|n| (-span * f64::from(n) / 400.0, l)).collect()).unwrap_or_default();
    let mut sets = Vec::new();
    if near.is_some() {
        sets.push(
            Dataset::default()
                .marker(Marker::Custom('─'))
                .graph_type(GraphType::Scatter)
                .style(theme.style(Tone::Bad))
                .data(&edge),
        );
    }
    // The first line is the one that is drawn over the others.
    for (at, pieces) in drawn.iter().enumerate().rev() {
        for piece in pieces {
            sets.push(
                Dataset::default()
                    .marker(sign(theme, at).0)
                    .graph_type(GraphType::Line)
                    .style(theme.style(TONES[at]))
                    .data(piece),
            );
        }
    }
    let dim: Style = theme.style(Tone::Dim);
    let label = |value: f64| Span::styled(format!("{:>LABEL$}", (graph.label)(value)), dim);
    let heights: Vec<f64> = if area.height >= 9 { vec![0.0, top / 2.0, top] } else { vec![0.0, top] };
    let mut x = Axis::default().bounds([-span, 0.0]).style(dim);
    if area.height >= 9 {
        let left = format!("{} min ago", window.as_secs() / 60);
        x = x.labels([Span::styled(left, dim), Span::styled("now", dim)]);
    }
    let y = Axis::default()
        .bounds([0.0, top])
        .style(dim)
        .labels_alignment(Alignment::Right)
        .labels(heights.into_iter().map(label).collect::<Vec<_>>());
    frame.render_widget(Chart::new(sets).x_axis(x).y_axis(y), area);
}

/// Where each figure is from.
fn sources(model: &Model, frame: &mut Frame<'_>, area: Rect, track: &Track) {
    let theme = model.theme;
    frame.buffer_mut().set_string(area.x, area.y, "From", theme.style(Tone::Accent));
    let Some(last) = &track.last else { return };
    fn source<T>(seen: &Seen<T>) -> &str {
        match seen {
            Seen::At { source, .. } => source,
            _ => "not known",
        }
    }
    let all = [
        ("CPU", source(&last.cpu)),
        ("memory", source(&last.memory)),
        ("network", source(&last.network)),
        ("disk", source(&last.io)),
        ("pressure", source(&last.pressure)),
    ];
    let room = usize::from(area.width).saturating_sub(9);
    let most = (usize::from(area.height).saturating_sub(1) / all.len()).max(1);
    let mut y = area.y + 1;
    for (name, source) in all {
        let source = SafeText::new(source);
        let whole = source.cut(room * most);
        for (at, piece) in text::wrap(&whole, room).into_iter().take(most).enumerate() {
            if y >= area.bottom() {
                return;
            }
            let name = if at == 0 { name } else { "" };
            let line = Line::from(vec![
                Span::styled(format!("{name:<9}"), theme.style(Tone::Dim)),
                Span::raw(piece.to_owned()),
            ]);
            frame.buffer_mut().set_line(area.x, y, &line, area.width);
            y += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_figure() {
        assert_eq!(["240", "1", "501"].map(|p| top(p.parse().unwrap(), 1.0)), [500.0, 1.0, 1000.0]);
        assert_eq!(top(1025.0, 1024.0), 2048.0);
        assert_eq!(top(600.0 * 1024.0, 1024.0), 1_048_576.0);
        assert_eq!(top(f64::INFINITY, 1024.0), f64::INFINITY);
    }

    #[test]
    fn a_time_in_which_nothing_was_read_is_no_line() {
        let at = |s: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
        let line = [(at(10), 9.0), (at(100), 1.0), (at(103), 2.0), (at(150), 3.0)];
        let found = pieces(&line, at(160), Duration::from_secs(60));
        assert_eq!(found, [vec![(-60.0, 1.0), (-57.0, 2.0)], vec![(-10.0, 3.0)]]);
    }
}
