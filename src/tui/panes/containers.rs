//! Containers in every state.

use super::{Fact, Pane, PaneId, age, col, gravity, num, seconds};
use crate::{
    client::{
        offline::UNKNOWN,
        types::{Container, ContainerState, ObjectRef},
    },
    tui::{
        model::Model,
        table::{Cell, Column, Row},
        text,
        theme::{Tone, fullness},
    },
};

const COLUMNS: &[Column] = &[
    col("NAME", 14, 2, 0),
    col("POD", 14, 3, 0),
    col("STATE", 14, 0, 0),
    num("RST", 3, 0),
    num("CPU", 5, 70),
    num("MEM", 6, 70),
    num("DISK", 6, 96),
    Column { name: "OF LIMIT", width: 10, grow: 0, right: false, from: 108, down: true },
    col("IMAGE", 24, 3, 100),
    age(0),
    col("ID", 12, 0, 126),
];

pub const PANE: Pane = Pane {
    id: PaneId::Containers,
    name: "Containers",
    short: "Ctrs",
    aliases: &["ctr", "co", "ps", "container"],
    columns: COLUMNS,
    rows,
    count: |m| m.seen.containers.value().map(Vec::len),
    part: "containers",
    // Who is in trouble stands first.
    sort: 2,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

pub fn state(c: &Container) -> (String, Tone) {
    let detail = c.detail.as_ref();
    match c.state {
        ContainerState::Running => ("Running".into(), Tone::Good),
        ContainerState::Created => ("Created".into(), Tone::Accent),
        ContainerState::Unknown => ("Unknown".into(), Tone::Warn),
        ContainerState::Exited => match detail.map(|d| (d.exit_code, d.reason.as_str())) {
            None => ("Exited".into(), Tone::Dim),
            Some((0, _)) => ("Exited 0".into(), Tone::Dim),
            // It ended while its runtime was dead: nobody wrote the code down.
            Some((UNKNOWN, _)) => ("Exited ?".into(), Tone::Warn),
            Some((_, "OOMKilled")) => ("OOMKilled".into(), Tone::Bad),
            Some((code, "" | "Error")) => (format!("Exited {code}"), Tone::Bad),
            Some((code, reason)) => (format!("{reason} {code}"), Tone::Bad),
        },
    }
}

/// Bytes that containers wrote into their own layers, by id: as the runtime counts them, or else of the snapshot that is
/// named like the container, which tells of ended ones too.
pub fn written(model: &Model) -> std::collections::BTreeMap<&str, u64> {
    let snapshots = model.seen.snapshots.value().into_iter().flatten().filter(|s| s.kind == "active");
    let stats = model.seen.stats.value().into_iter().flatten();
    let kept = snapshots.filter_map(|s| Some((s.key.as_str(), s.bytes?)));
    kept.chain(stats.filter_map(|s| Some((s.id.as_str(), s.layer_bytes?)))).collect()
}

fn rows(model: &Model) -> Vec<Row> {
    let pods: std::collections::BTreeMap<&str, (&str, &str)> = model
        .seen
        .pods
        .value()
        .into_iter()
        .flatten()
        .map(|p| (p.id.as_str(), (p.namespace.as_str(), p.name.as_str())))
        .collect();
    let stats: std::collections::BTreeMap<&str, _> =
        model.seen.stats.value().into_iter().flatten().map(|s| (s.id.as_str(), s)).collect();
    let written = written(model);
    let row = |c: &Container| {
        let (state, tone) = state(c);
        let stat = stats.get(c.id.as_str());
        let memory = stat.and_then(|s| s.memory_working_set);
        let limit = stat.and_then(|s| s.memory_limit).filter(|l| *l > 0);
        let cpu = model.history.cores(&c.id);
        let disk = written.get(c.id.as_str()).copied();
        let pod = pods.get(c.pod.as_str()).map_or(c.pod.as_str(), |(_, name)| name);
        let share = memory.zip(limit).map(|(m, l)| (m, l, (u128::from(m) * 100 / u128::from(l)) as u64));
        Row {
            id: c.id.clone(),
            object: Some(ObjectRef::Container(c.id.clone())),
            name: format!("{pod}/{}", c.name),
            cells: vec![
                Cell::new(c.name.as_str()),
                Cell::new(pod).tone(Tone::Dim),
                Cell::number(state, gravity(tone)).tone(tone),
                Cell::number(c.attempt.to_string(), u64::from(c.attempt)).tone(match c.attempt {
                    0 => Tone::Dim,
                    1..=3 => Tone::Plain,
                    _ => Tone::Warn,
                }),
                Cell::number(cpu.map_or_else(|| "-".into(), text::cores), cpu),
                Cell::number(memory.map_or_else(|| "-".into(), text::bytes_short), memory),
                Cell::number(disk.map_or_else(|| "-".into(), text::bytes_short), disk),
                share.map_or_else(
                    || Cell::new("-").tone(Tone::Dim),
                    |(m, l, p)| Cell::number(format!("{} {p:>3}%", text::bar(m, l, 5)), p).tone(fullness(m, l)),
                ),
                Cell::new(c.image.as_str()),
                Cell::number(text::age(model.now, c.created), seconds(c.created)),
                Cell::new(text::short_id(&c.id)).tone(Tone::Dim),
            ],
            tie: seconds(c.created),
        }
    };
    model.seen.containers.value().into_iter().flatten().map(row).collect()
}

pub(super) fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let Some(c) = model.seen.containers.value().into_iter().flatten().find(|c| c.id == row.id) else {
        return Vec::new();
    };
    let stat = model.seen.stats.value().into_iter().flatten().find(|s| s.id == c.id);
    let mut facts: Vec<Fact> = vec![
        ("id", text::short_id(&c.id).into()),
        ("image", c.image.clone()),
        ("created", text::stamp(c.created)),
        ("attempt", c.attempt.to_string()),
    ];
    let cores: Vec<u64> = model.history.each.get(&c.id).into_iter().flatten().filter_map(|s| s.cores).collect();
    if !cores.is_empty() {
        facts.push(("cpu", text::spark(cores.into_iter(), 0, 28)));
    }
    if let Some(stat) = stat {
        let memory = stat.memory_working_set.map(text::bytes);
        let limit = stat.memory_limit.filter(|l| *l > 0).map_or_else(|| "no limit".into(), text::bytes);
        facts.extend(memory.map(|m| ("memory", format!("{m} of {limit}"))));
        facts.extend(stat.pids.map(|p| ("pids", p.to_string())));
    }
    facts.extend(written(model).get(c.id.as_str()).map(|b| ("writes", text::bytes(*b))));
    if let Some(d) = &c.detail {
        facts.push(("", String::new()));
        facts.extend(d.started.map(|t| ("started", text::stamp(t))));
        facts.extend(d.finished.map(|t| ("finished", text::stamp(t))));
        if c.state == ContainerState::Exited {
            facts.push(("exit", format!("{} {}", d.exit_code, d.reason)));
        }
        for (name, value) in [("message", &d.message), ("log", &d.log_path)] {
            if !value.is_empty() {
                facts.push((name, value.clone()));
            }
        }
    }
    facts.push(("", String::new()));
    facts.extend(c.labels.iter().map(|(k, v)| ("label", format!("{k}={v}"))));
    facts
}
