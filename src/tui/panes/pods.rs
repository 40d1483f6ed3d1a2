//! Pod sandboxes.

use super::{Fact, Pane, PaneId, age, col, gravity, num, seconds};
use crate::{
    client::types::{Container, ContainerState, ObjectRef, PodSandbox, PodState},
    tui::{
        keymap::Cmd,
        model::Model,
        table::{Cell, Column, Row},
        text,
        theme::Tone,
    },
};

const COLUMNS: &[Column] = &[
    col("NAME", 18, 4, 0),
    col("NAMESPACE", 11, 1, 0),
    col("STATUS", 12, 0, 0),
    num("CTRS", 5, 0),
    num("RST", 3, 0),
    num("CPU", 5, 76),
    num("MEM", 6, 76),
    col("IP", 15, 0, 96),
    col("HANDLER", 9, 0, 110),
    age(0),
    col("ID", 12, 0, 126),
];

pub const PANE: Pane = Pane {
    id: PaneId::Pods,
    name: "Pods",
    short: "Pods",
    aliases: &["po", "pod"],
    columns: COLUMNS,
    rows,
    count: |m| m.seen.pods.value().map(Vec::len),
    part: "pods",
    // Who is in trouble stands first.
    sort: 2,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

/// Nanocores and bytes: the pod's own figures, or its containers' together.
pub fn usage(model: &Model, pod: &PodSandbox) -> (Option<u64>, Option<u64>) {
    let stats = model.seen.stats.value().map(Vec::as_slice).unwrap_or_default();
    let memory = |id: &str| stats.iter().find(|s| s.id == id).and_then(|s| s.memory_working_set);
    let own = (model.history.cores(&pod.id), memory(&pod.id));
    let inside = || model.seen.containers.value().into_iter().flatten().filter(|c| c.pod == pod.id);
    let sum = |values: Vec<u64>| (!values.is_empty()).then(|| values.iter().sum());
    (
        own.0.or_else(|| sum(inside().filter_map(|c| model.history.cores(&c.id)).collect())),
        own.1.or_else(|| sum(inside().filter_map(|c| memory(&c.id)).collect())),
    )
}

/// What is the matter with a pod, or that nothing is: of its containers' newest attempts the worst.
pub fn status(pod: &PodSandbox, containers: &[Container]) -> (String, Tone) {
    if pod.state == PodState::NotReady {
        return ("NotReady".into(), Tone::Dim);
    }
    let inside: Vec<&Container> = containers.iter().filter(|c| c.pod == pod.id).collect();
    let newest = |c: &&&Container| !inside.iter().any(|o| o.name == c.name && o.attempt > c.attempt);
    let ended: Vec<&&Container> = inside.iter().filter(newest).filter(|c| c.state == ContainerState::Exited).collect();
    let failed = |c: &&&&Container| c.detail.as_ref().is_some_and(|d| d.exit_code != 0);
    if let Some(bad) = ended.iter().find(failed) {
        // With an earlier attempt it is not the first time.
        let (state, tone) = super::containers::state(bad);
        let code = bad.detail.as_ref().map_or(0, |d| d.exit_code);
        let again = bad.attempt > 0 && state != "OOMKilled";
        return (if again { format!("CrashLoop {code}") } else { state }, tone);
    }
    match (inside.is_empty(), !inside.is_empty() && inside.iter().all(|c| c.state == ContainerState::Exited)) {
        (true, _) => ("NoContainer".into(), Tone::Warn),
        (_, true) => ("Completed".into(), Tone::Dim),
        _ => ("Ready".into(), Tone::Good),
    }
}

fn rows(model: &Model) -> Vec<Row> {
    let containers = model.seen.containers.value().map(Vec::as_slice).unwrap_or_default();
    let row = |pod: &PodSandbox| {
        let inside = || containers.iter().filter(|c| c.pod == pod.id);
        let names: std::collections::BTreeSet<&str> = inside().map(|c| c.name.as_str()).collect();
        let running = inside().filter(|c| c.state == ContainerState::Running).count();
        let restarts = inside().map(|c| c.attempt).max().unwrap_or(0);
        let (cpu, memory) = usage(model, pod);
        let (status, tone) = status(pod, containers);
        let ready = pod.state == PodState::Ready;
        let all = running == names.len();
        Row {
            id: pod.id.clone(),
            object: Some(ObjectRef::Pod(pod.id.clone())),
            name: format!("{}/{}", pod.namespace, pod.name),
            cells: vec![
                Cell::new(pod.name.as_str()),
                Cell::new(pod.namespace.as_str()).tone(Tone::Dim),
                Cell::number(status, gravity(tone)).tone(tone),
                Cell::number(format!("{running}/{}", names.len()), running as u64).tone(match (ready, all) {
                    (true, false) => Tone::Warn,
                    (true, true) => Tone::Plain,
                    _ => Tone::Dim,
                }),
                Cell::number(restarts.to_string(), u64::from(restarts)).tone(match restarts {
                    0 => Tone::Dim,
                    1..=3 => Tone::Plain,
                    _ => Tone::Warn,
                }),
                Cell::number(cpu.map_or_else(|| "-".into(), text::cores), cpu),
                Cell::number(memory.map_or_else(|| "-".into(), text::bytes_short), memory),
                Cell::new(if pod.ip.is_empty() { "-" } else { pod.ip.as_str() }),
                Cell::new(if pod.handler.is_empty() { "default" } else { pod.handler.as_str() }).tone(Tone::Dim),
                Cell::number(text::age(model.now, pod.created), seconds(pod.created)),
                Cell::new(text::short_id(&pod.id)).tone(Tone::Dim),
            ],
            tie: seconds(pod.created),
        }
    };
    model.seen.pods.value().into_iter().flatten().map(row).collect()
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let Some(pod) = model.seen.pods.value().into_iter().flatten().find(|p| p.id == row.id) else { return Vec::new() };
    let mut facts: Vec<Fact> = vec![
        ("id", text::short_id(&pod.id).into()),
        ("uid", pod.uid.clone()),
        ("created", text::stamp(pod.created)),
        ("ip", if pod.ip.is_empty() { "none, or the host's".into() } else { pod.ip.clone() }),
        ("attempt", pod.attempt.to_string()),
        ("", String::new()),
    ];
    for c in model.seen.containers.value().into_iter().flatten().filter(|c| c.pod == pod.id) {
        let (state, _) = super::containers::state(c);
        let attempt = if c.attempt > 0 { format!(" #{}", c.attempt) } else { String::new() };
        facts.push(("container", format!("{}{attempt}  {state}", c.name)));
    }
    if status(pod, model.seen.containers.value().map(Vec::as_slice).unwrap_or_default()).0 == "NoContainer" {
        facts.push((
            "why",
            format!(
                "no container was made: its image may not be pulled; {} finds out",
                model.keymap.named(Cmd::Diagnose)
            ),
        ));
    }
    facts.push(("", String::new()));
    facts.extend(pod.labels.iter().map(|(k, v)| ("label", format!("{k}={v}"))));
    facts
}
